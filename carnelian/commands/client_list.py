# cython: language_level=3
"""CLIENT LIST and CLIENT KILL: who is there. https://redis.io/docs/latest/commands/client-list/ explains the fields and flags
of a client's line; the filters are those of https://valkey.io/commands/client-list/."""
import cython
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.keyspace.session import (
    BLOCKED, CAPA_REDIRECT, CLOSE_AFTER_REPLY, CLOSE_NOW, IN_MULTI, INTERNAL, NO_EVICT, NO_TOUCH, READONLY_MODE, SUBSCRIBED,
    TOUCHED, TRACKING, UNIX_SOCKET, Session)
from cython.cimports.carnelian.keyspace.tracking import Tracker

from carnelian.base.errors import NotInteger, ReplyError, SyntaxFault
from carnelian.base.numbers import parse_integer
from carnelian.base.replies import OK, Verbatim
from carnelian.commands.client import USUAL, text_of
from carnelian.keyspace import ADMIN, command

KINDS = {b"normal": "normal", b"master": "master", b"primary": "master", b"replica": "replica", b"slave": "replica",
         b"pubsub": "pubsub"}
FLAG_LETTERS = ((SUBSCRIBED, "P"), (IN_MULTI, "x"), (BLOCKED, "b"), (TRACKING, "t"))
MORE_FLAG_LETTERS = ((TOUCHED, "d"), (CLOSE_AFTER_REPLY, "c"), (CLOSE_NOW, "A"), (UNIX_SOCKET, "U"), (READONLY_MODE, "r"),
                     (NO_EVICT, "e"), (NO_TOUCH, "T"))
# Every letter that Redis's documentation names.
KNOWN_FLAGS = frozenset("AbBcdeiMNOPrRStTuUx")
# What a client takes besides its buffers, about.
SESSION_BYTES = cython.declare(cython.Py_ssize_t, 1200)


# --- a client's line --------------------------------------------------------------------------------------------------


def clients(c: Call) -> list:
    """The connections, in order of arrival."""
    return [session for session in c.engine.sessions.values()
            if not cython.cast(Session, session).flags & INTERNAL or session is c.session]


def kind_of(session: Session) -> str:
    return "pubsub" if session.flags & SUBSCRIBED else "normal"


def flags_of(c: Call, session: Session) -> str:
    """The letters of a client's state, N if there are none."""
    letters = ["O"] if session in c.engine.monitors else []
    letters += [letter for flag, letter in FLAG_LETTERS if session.flags & flag]
    if session.flags & TRACKING:
        tracker: Tracker = session.tracker
        letters += ["R"] if tracker.is_broken else []
        letters += ["B"] if tracker.broadcast else []
    letters += [letter for flag, letter in MORE_FLAG_LETTERS if session.flags & flag]
    return "".join(letters) or "N"


def idle_seconds(c: Call, session: Session) -> int:
    return 0 if session is c.session else (c.store.now - session.active) // 1000


def client_line(c: Call, session: Session) -> str:
    """A client in CLIENT LIST: `name=value` fields in Redis's order."""
    own: cython.bint = session is c.session
    pending: cython.size_t = 0 if own else session.writer.pending()
    query: cython.size_t = session.reader.end - session.reader.start
    queued = session.flags & IN_MULTI
    fields = (
        ("id", session.id), ("addr", session.address), ("laddr", session.local_address), ("fd", session.descriptor),
        ("name", text_of(session.name)), ("age", (c.store.now - session.created) // 1000),
        ("idle", idle_seconds(c, session)), ("flags", flags_of(c, session)), ("db", session.db.index),
        ("sub", len(session.channels)), ("psub", len(session.patterns)), ("ssub", len(session.shard_channels)),
        ("multi", len(session.queue) if queued else -1), ("qbuf", query), ("qbuf-free", session.reader.capacity - query),
        ("argv-mem", sum(map(len, c.words)) if own else 0),
        ("multi-mem", sum([len(word) for entry in session.queue for word in entry[1]])), ("rbs", session.writer.capacity),
        ("rbp", session.writer.capacity), ("obl", pending), ("oll", 0), ("omem", 0),
        ("tot-mem", SESSION_BYTES + session.reader.memory() + session.writer.memory()),
        ("events", "rw" if pending else "r"), ("cmd", session.command.name if session.command is not None else "NULL"),
        ("user", text_of(session.user)),
        ("redir", cython.cast(Tracker, session.tracker).redirect if session.flags & TRACKING else -1),
        ("resp", session.writer.resp),
        ("lib-name", text_of(session.library_name or b"")), ("lib-ver", text_of(session.library_version or b"")),
    )
    return " ".join([f"{name}={value}" for name, value in fields])


def as_text(lines: list) -> Verbatim:
    return Verbatim("".join([line + "\n" for line in lines]).encode("utf-8", "surrogateescape"))


# --- filters ----------------------------------------------------------------------------------------------------------


def kind_named(word: bytes) -> str:
    kind = KINDS.get(word.lower())
    if kind is None:
        raise ReplyError(f"ERR Unknown client type '{text_of(word)}'")
    return kind


def letters_of(word: bytes) -> set:
    letters = set(text_of(word))
    if not letters <= KNOWN_FLAGS:
        raise ReplyError(f"ERR Unknown flags found in the provided filter: {text_of(word)}")
    return letters


def seconds(word: bytes) -> int:
    number = parse_integer(word)
    if number < 0:
        raise ReplyError("ERR value is out of range, must be positive")
    return number


def client_number(word: bytes) -> int:
    try:
        number = parse_integer(word)
    except NotInteger:
        number = 0
    if number < 1:
        raise ReplyError("ERR client-id should be greater than 0")
    return number


def host_of(address: str) -> str:
    return address.rpartition(":")[0].strip("[]")


def capabilities(session: Session) -> str:
    return "r" if session.flags & CAPA_REDIRECT else ""


# Option -> (how its value is read, whether a client meets it: call, session, value read).
FILTERS = {
    b"TYPE": (kind_named, lambda c, session, value: kind_of(session) == value),
    b"USER": (bytes, lambda c, session, value: session.user == value),
    b"ADDR": (text_of, lambda c, session, value: session.address == value),
    b"LADDR": (text_of, lambda c, session, value: session.local_address == value),
    b"NAME": (bytes, lambda c, session, value: session.name == value),
    b"FLAGS": (letters_of, lambda c, session, value: value <= set(flags_of(c, session))),
    b"LIB-NAME": (bytes, lambda c, session, value: (session.library_name or b"") == value),
    b"LIB-VER": (bytes, lambda c, session, value: (session.library_version or b"") == value),
    b"DB": (parse_integer, lambda c, session, value: session.db.index == value),
    b"CAPA": (text_of, lambda c, session, value: set(value) <= set(capabilities(session))),
    b"IP": (text_of, lambda c, session, value: host_of(session.address) == value),
    b"MAXAGE": (seconds, lambda c, session, value: (c.store.now - session.created) // 1000 >= value),
    b"IDLE": (seconds, lambda c, session, value: idle_seconds(c, session) >= value),
}
WITHOUT_NEGATION = (b"MAXAGE", b"IDLE")
ALL_OPTIONS = {b"ID", b"NOT-ID", b"SKIPME", *FILTERS, *(b"NOT-" + name for name in FILTERS if name not in WITHOUT_NEGATION)}


def chosen_by(c: Call, words: tuple, skip: bool, read_number) -> list:
    """The clients that meet all the filters. Of the same filter the last one counts. `skip`: SKIPME's default."""
    conditions = {}                         # option -> (test, value, what it must say)
    numbers = None
    i: cython.Py_ssize_t = 0
    while i < len(words):
        option = words[i].upper()
        i += 1
        if option not in ALL_OPTIONS or i == len(words):
            raise SyntaxFault()
        if option in (b"ID", b"NOT-ID"):
            found = {read_number(words[i]): None}
            i += 1
            while i < len(words) and words[i].upper() not in ALL_OPTIONS:
                found[read_number(words[i])] = None
                i += 1
            if option == b"ID":
                numbers = found
            else:
                conditions[option] = (lambda c, session, value: session.id in value, found, False)
            continue
        value = words[i]
        i += 1
        if option == b"SKIPME":
            if value.upper() not in (b"YES", b"NO"):
                raise SyntaxFault()
            skip = value.upper() == b"YES"
        else:
            if option.endswith(b"USER") and value not in c.engine.acl.users:
                raise ReplyError(f"ERR No such user '{text_of(value)}'")
            read, test = FILTERS[option.removeprefix(b"NOT-")]
            conditions[option] = (test, read(value), not option.startswith(b"NOT-"))
    if numbers is None:
        candidates = clients(c)
    else:
        candidates = [session for session in map(c.engine.sessions.get, numbers) if session is not None]
    return [session for session in candidates if not (skip and session is c.session)
            and all([bool(test(c, session, value)) == wanted for test, value, wanted in conditions.values()])]


def listed_number(word: bytes) -> int:
    try:
        return parse_integer(word)
    except NotInteger:
        raise ReplyError("ERR Invalid client ID") from None


# --- the words --------------------------------------------------------------------------------------------------------


@command("CLIENT INFO", USUAL, since="6.2.0", group="connection", complexity="O(1)")
def client_info(c: Call):
    """Describe this connection."""
    return as_text([client_line(c, c.session)])


@command("CLIENT LIST [TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]] [USER username] [ADDR addr] "
         "[LADDR laddr] [SKIPME <YES | NO>] [MAXAGE maxage] [NAME name] [IDLE idle] [FLAGS flags] [LIB-NAME lib-name] "
         "[LIB-VER lib-ver] [DB db] [CAPA capa] [IP ip]", ADMIN | USUAL, since="2.4.0", group="connection",
         complexity="O(N), N being the number of connections")
def client_list(c: Call, *options):
    """Describe the connections, one a line: all, or those that meet the filters."""
    return as_text([client_line(c, session) for session in chosen_by(c, options, False, listed_number)])


def close(c: Call, session: Session) -> None:
    """Ends a connection: another's at once, one's own after the reply."""
    if session is c.session:
        session.flags |= CLOSE_AFTER_REPLY
    else:
        c.engine.detach(session)
        session.flags |= CLOSE_NOW
        c.store.deliver(session)


@command("CLIENT KILL <ip:port | <[ID client-id [client-id ...]] | [TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] | [USER username] | "
         "[ADDR ip:port] | [LADDR ip:port] | [SKIPME <YES | NO>] | [MAXAGE maxage] | [NAME name] | [IDLE idle] | "
         "[FLAGS flags] | [LIB-NAME lib-name] | [LIB-VER lib-ver] | [DB db] | [CAPA capa] | [IP ip]>>", ADMIN | USUAL,
         since="2.4.0", group="connection", complexity="O(N), N being the number of connections", arity=-3)
def client_kill(c: Call, *words):
    """Close connections: that of an address, or all that meet the filters."""
    if len(words) == 1:
        address = text_of(words[0])
        for session in clients(c):
            if session.address == address:
                close(c, session)
                return OK
        raise ReplyError("ERR No such client")
    chosen = chosen_by(c, words, True, client_number)
    for session in chosen:
        close(c, session)
    return len(chosen)
