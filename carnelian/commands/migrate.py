# cython: language_level=3
"""MIGRATE: keys moved to another server. https://redis.io/docs/latest/commands/migrate/

The values are taken as DUMP gives them when the word is said; they travel in a thread, while the server serves others and the
client waits. What has arrived is deleted here afterwards, unless it has been changed meanwhile. An embedded engine without a
server has nobody else to serve: there the transfer is made at once.
"""
import socket
import threading

import cython
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.session import INTERNAL, Session
from cython.cimports.carnelian.types.table import Table

from carnelian.base.errors import ReplyError, SyntaxFault
from carnelian.base.numbers import parse_integer
from carnelian.base.replies import OK, Status
from carnelian.keyspace import WRITE, command
from carnelian.types import serial

# The longest line of reply that a target may send.
LONGEST_LINE = 1 << 16


class TransferFailed(Exception):
    """The connection did not come about, or broke: the text is that of the reply."""


def encoded(words) -> bytes:
    """A request."""
    return b"*%d\r\n" % len(words) + b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in words])


def transfer(host: str, port: str, seconds: float, before: list, requests: list) -> list:
    """Sends the requests of `before` and then `requests`; for each of the latter None, or the error text that the target gave.

    An error in `before` is that of all. `seconds` is the time for each step: connecting, every send, every reply.
    TransferFailed, with the answers so far as `answers`.
    """
    answers: list = []
    stage = "writing to target instance"
    try:
        number = int(port) if port.isdecimal() else 0
        try:
            connection = socket.create_connection((host, number), seconds)
        except (socket.gaierror, TimeoutError, UnicodeError, OverflowError):
            stage = "connecting to the client"
            raise
        with connection:
            for words in before:
                connection.sendall(encoded(words))
            for words in requests:
                connection.sendall(encoded(words))
            stage = "reading to target instance"            # Redis's words
            with connection.makefile("rb") as replies:
                refusal = None
                for i in range(len(before) + len(requests)):
                    line = replies.readline(LONGEST_LINE)
                    if not line.endswith(b"\r\n") or line[:1] not in b"+-":
                        raise ConnectionError
                    text = line[1:-2].decode("utf-8", "surrogateescape") if line[:1] == b"-" else None
                    if i < len(before):
                        refusal = refusal or text
                    else:
                        answers.append(refusal or text)
    except (OSError, UnicodeError, OverflowError) as error:
        failure = TransferFailed(f"IOERR error or timeout {stage}")
        failure.answers = answers
        raise failure from error
    return answers


@cython.final
@cython.cclass
class Migration:
    """One MIGRATE under way: what it copies, and what has happened to that here meanwhile."""
    keys: list
    changed: set                    # keys that are not what was sent
    db: Database
    table: Table                    # FLUSHDB and SWAPDB put another one in its place
    store: object
    copies: cython.bint
    answers: list
    failure: object

    def __init__(self, c: Call, keys: list, copies: cython.bint):
        self.keys = keys
        self.copies = copies
        self.changed = set()
        self.db = c.db
        self.table = c.db.table
        self.store = c.store
        self.answers = []
        self.failure = None
        self.store.listeners.append(self.key_changed)
        c.store.attend()

    def key_changed(self, index, key):
        """The store's listener."""
        if key is not None and index == self.db.index:
            self.changed.add(key)

    def carry(self, arguments: tuple) -> None:
        """The transfer itself, in any thread."""
        try:
            self.answers = transfer(*arguments)
        except TransferFailed as failure:
            self.answers = failure.answers
            self.failure = str(failure)

    def settle(self, c: Call):
        """Deletes what has arrived; the reply, or ReplyError. In the engine's thread."""
        self.store.listeners.remove(self.key_changed)
        c.store.attend()
        refusals = [answer for answer in self.answers if answer is not None]
        kept = []
        deleted = []
        for key, answer in zip(self.keys, self.answers):
            if answer is not None or self.copies or not c.present(key):
                continue
            if key in self.changed or self.db.table is not self.table:
                kept.append(key)
                continue
            c.delete(key)
            c.changed(key, "del")
            deleted.append(key)
        if deleted:
            c.propagate(b"DEL", *deleted)
        else:
            c.propagate()
        if refusals:
            raise ReplyError(f"ERR Target instance replied with error: {refusals[0]}")
        if self.failure is not None:
            raise ReplyError(self.failure)
        if kept:
            shown = kept[0].decode("utf-8", "surrogateescape")
            raise ReplyError(f"ERR {len(kept)} key(s) changed during the transfer, '{shown}' first: they stay here, and the "
                             "target instance has them as they were")
        return OK


def in_background(server, engine, migration: Migration, arguments: tuple, c: Call) -> None:
    """Carries the values in a thread, and has the client answered afterwards."""
    client: Session = c.session
    # Whoever asked may have gone when the values have arrived: what is left to do is done by a client that can't go.
    carrier: Session = Session(client.db, c.now)
    carrier.flags |= INTERNAL
    carrier.address = client.address
    blocked = c.parked

    def finish():
        engine.conclude(blocked, carrier, migration.settle)

    def work():
        try:
            migration.carry(arguments)
        finally:
            try:
                server.loop.call_soon_threadsafe(server.clients.batch, finish)
            except RuntimeError:            # the loop has ended, and the data with it
                pass

    threading.Thread(target=work, name="carnelian-migrate", daemon=True).start()


@command('MIGRATE host port <key | ""> destination-db timeout [COPY] [REPLACE] [AUTH password | AUTH2 username password] '
         "[KEYS key [key ...]]", WRITE, since="2.6.0", keys="RW ACCESS DELETE, RW ACCESS DELETE INCOMPLETE",
         complexity="O(N), N bytes of the values; the transfer is made in the background")
def migrate(c: Call, host: bytes, port: bytes, key: bytes, database: bytes, timeout: bytes, *options):
    """Move keys to another server, or copy them."""
    copies = replace = False
    sign_in = None
    keys = [key]
    i: cython.Py_ssize_t = 0
    while i < len(options):
        word = options[i].upper()
        left: cython.Py_ssize_t = len(options) - i - 1
        i += 1
        if word == b"COPY":
            copies = True
        elif word == b"REPLACE":
            replace = True
        elif word == b"AUTH" and left >= 1:
            sign_in = (b"AUTH", options[i])
            i += 1
        elif word == b"AUTH2" and left >= 2:
            sign_in = (b"AUTH", options[i], options[i + 1])
            i += 2
        elif word == b"KEYS":
            if key:
                raise ReplyError("ERR When using MIGRATE KEYS option, the key argument must be set to the empty string")
            keys = list(options[i:])
            break
        else:
            raise SyntaxFault()
    milliseconds = parse_integer(timeout)
    index = parse_integer(database)
    server = c.engine.server
    if server is not None and not c.may_wait:
        raise ReplyError("ERR MIGRATE is not possible inside a transaction or a script: it would hold up all clients")
    seconds = min(milliseconds, 2**31) / 1000 if milliseconds > 0 else 1.0
    verb = b"RESTORE" if c.engine.cluster is None else b"RESTORE-ASKING"
    requests = []
    found = []
    for name in dict.fromkeys(keys):
        value = c.value_at(name)
        if value is None:
            continue
        at = c.expiry(name)
        found.append(name)
        requests.append((verb, name, b"0" if at is None else b"%d" % max(at - c.now, 1), serial.dump(value))
                        + ((b"REPLACE",) if replace else ()))
    if not found:
        return Status(b"NOKEY")
    before = ([sign_in] if sign_in is not None else []) + [(b"SELECT", b"%d" % index)]
    migration = Migration(c, found, copies)
    arguments = (host.decode("utf-8", "surrogateescape"), port.decode("utf-8", "surrogateescape"), seconds, before, requests)
    if server is None:
        migration.carry(arguments)
        return migration.settle(c)
    waiting = c.wait((), 0, on_timeout=ReplyError("UNBLOCKED the transfer goes on in the background"))
    in_background(server, c.engine, migration, arguments, c)
    return waiting
