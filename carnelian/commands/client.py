# cython: language_level=3
"""CLIENT: https://redis.io/docs/latest/commands/client-list/ explains the fields and flags of a client's line."""
import cython
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.keyspace.session import (
    BLOCKED, CLOSE_AFTER_REPLY, CLOSE_NOW, IN_MULTI, INTERNAL, NO_EVICT, NO_TOUCH, REPLY_OFF, REPLY_SKIP, REPLY_SKIP_NEXT,
    SUBSCRIBED, TOUCHED, UNIX_SOCKET, Session)

from carnelian.base.errors import NotInteger, ReplyError, SyntaxFault
from carnelian.base.numbers import parse_integer
from carnelian.base.replies import NO_REPLY, OK, Status, Verbatim
from carnelian.commands.connection import is_plain
from carnelian.keyspace import ADMIN, LOADING, NOSCRIPT, STALE, command

USUAL = NOSCRIPT | LOADING | STALE
KINDS = {b"normal": "normal", b"master": "master", b"replica": "replica", b"slave": "replica", b"pubsub": "pubsub"}
FLAG_LETTERS = ((SUBSCRIBED, "P"), (IN_MULTI, "x"), (BLOCKED, "b"), (TOUCHED, "d"), (CLOSE_AFTER_REPLY, "c"),
                (CLOSE_NOW, "A"), (UNIX_SOCKET, "U"), (NO_EVICT, "e"), (NO_TOUCH, "T"))
# What a client takes besides its buffers, about.
SESSION_BYTES = cython.declare(cython.Py_ssize_t, 1200)


def text_of(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")


def switch(word: bytes) -> bool:
    """ON or OFF."""
    state = word.upper()
    if state not in (b"ON", b"OFF"):
        raise SyntaxFault()
    return state == b"ON"


def wrong_subcommand(c: Call) -> ReplyError:
    return ReplyError(f"ERR unknown subcommand or wrong number of arguments for '{text_of(c.words[1][:128])}'. "
                      "Try CLIENT HELP.")


# --- who is there -----------------------------------------------------------------------------------------------------


def clients(c: Call) -> list:
    """The connections, in order of arrival."""
    return [session for session in c.engine.sessions.values()
            if not cython.cast(Session, session).flags & INTERNAL or session is c.session]


def kind_of(session: Session) -> str:
    return "pubsub" if session.flags & SUBSCRIBED else "normal"


def kind_named(word: bytes) -> str:
    kind = KINDS.get(word.lower())
    if kind is None:
        raise ReplyError(f"ERR Unknown client type '{text_of(word)}'")
    return kind


def client_line(c: Call, session: Session) -> str:
    """A client in CLIENT LIST: `name=value` fields in Redis's order."""
    own: cython.bint = session is c.session
    pending: cython.size_t = 0 if own else session.writer.pending()
    query: cython.size_t = session.reader.end - session.reader.start
    flags = "O" if session in c.engine.monitors else ""
    flags += "".join([letter for flag, letter in FLAG_LETTERS if session.flags & flag])
    queued = session.flags & IN_MULTI
    fields = (
        ("id", session.id), ("addr", session.address), ("laddr", session.local_address), ("fd", session.descriptor),
        ("name", text_of(session.name)), ("age", (c.store.now - session.created) // 1000),
        ("idle", 0 if own else (c.store.now - session.active) // 1000), ("flags", flags or "N"), ("db", session.db.index),
        ("sub", len(session.channels)), ("psub", len(session.patterns)), ("ssub", len(session.shard_channels)),
        ("multi", len(session.queue) if queued else -1), ("qbuf", query), ("qbuf-free", session.reader.capacity - query),
        ("argv-mem", sum(map(len, c.words)) if own else 0),
        ("multi-mem", sum([len(word) for entry in session.queue for word in entry[1]])), ("rbs", session.writer.capacity),
        ("rbp", session.writer.capacity), ("obl", pending), ("oll", 0), ("omem", 0),
        ("tot-mem", SESSION_BYTES + session.reader.memory() + session.writer.memory()),
        ("events", "rw" if pending else "r"), ("cmd", session.command.name if session.command is not None else "NULL"),
        ("user", text_of(session.user)), ("redir", -1), ("resp", session.writer.resp),
        ("lib-name", text_of(session.library_name or b"")), ("lib-ver", text_of(session.library_version or b"")),
    )
    return " ".join([f"{name}={value}" for name, value in fields])


def as_text(lines: list) -> Verbatim:
    return Verbatim("".join([line + "\n" for line in lines]).encode("utf-8", "surrogateescape"))


@command("CLIENT ID", USUAL, since="5.0.0", group="connection", complexity="O(1)")
def client_id(c: Call):
    """Return the number of this connection."""
    return c.session.id


@command("CLIENT INFO", USUAL, since="6.2.0", group="connection", complexity="O(1)")
def client_info(c: Call):
    """Describe this connection."""
    return as_text([client_line(c, c.session)])


@command("CLIENT LIST [TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]]", ADMIN | USUAL,
         since="2.4.0", group="connection", complexity="O(N), N being the number of connections")
def client_list(c: Call, *options):
    """Describe the connections, one a line."""
    chosen = clients(c)
    option = options[0].upper() if options else b""
    if option == b"TYPE" and len(options) == 2:
        kind = kind_named(options[1])
        chosen = [session for session in chosen if kind_of(session) == kind]
    elif option == b"ID" and len(options) > 1:
        try:
            numbers = [parse_integer(word) for word in options[1:]]
        except NotInteger:
            raise ReplyError("ERR Invalid client ID") from None
        chosen = [session for session in map(c.engine.sessions.get, numbers) if session is not None]
    elif options:
        raise SyntaxFault()
    return as_text([client_line(c, session) for session in chosen])


@command("CLIENT GETREDIR", USUAL, since="6.0.0", group="connection", complexity="O(1)")
def client_getredir(c: Call):
    """Return the connection that gets the invalidations of this one: -1, as none are sent."""
    return -1


# --- names and habits -------------------------------------------------------------------------------------------------


@command("CLIENT GETNAME", USUAL, since="2.6.9", group="connection", complexity="O(1)")
def client_getname(c: Call):
    """Return the name of this connection."""
    return c.session.name or None


@command("CLIENT SETNAME connection-name", USUAL, since="2.6.9", group="connection", complexity="O(1)")
def client_setname(c: Call, name: bytes):
    """Name this connection."""
    if not is_plain(name):
        raise ReplyError("ERR Client names cannot contain spaces, newlines or special characters.")
    c.session.name = name
    return OK


@command("CLIENT SETINFO <LIB-NAME libname | LIB-VER libver>", USUAL, since="7.2.0", group="connection", complexity="O(1)")
def client_setinfo(c: Call, attribute: bytes, value: bytes):
    """Tell which library the client uses."""
    field = attribute.lower()
    if field not in (b"lib-name", b"lib-ver"):
        raise ReplyError(f"ERR Unrecognized option '{text_of(attribute)}'")
    if not is_plain(value):
        raise ReplyError(f"ERR {text_of(attribute)} cannot contain spaces, newlines or special characters.")
    if field == b"lib-name":
        c.session.library_name = value
    else:
        c.session.library_version = value
    return OK


@command("CLIENT NO-EVICT <ON | OFF>", ADMIN | USUAL, since="7.0.0", group="connection", complexity="O(1)")
def client_no_evict(c: Call, state: bytes):
    """Keep this connection open when the connections take too much memory."""
    if switch(state):
        c.session.flags |= NO_EVICT
    else:
        c.session.flags &= ~NO_EVICT
    return OK


@command("CLIENT NO-TOUCH <ON | OFF>", USUAL, since="7.2.0", group="connection", complexity="O(1)")
def client_no_touch(c: Call, state: bytes):
    """Let this connection's commands leave no trace in the access times of keys."""
    if switch(state):
        c.session.flags |= NO_TOUCH
    else:
        c.session.flags &= ~NO_TOUCH
    return OK


@command("CLIENT REPLY <ON | OFF | SKIP>", USUAL, since="3.2.0", group="connection", complexity="O(1)")
def client_reply(c: Call, mode: bytes):
    """Choose whether commands are answered: all, none, or all but the next."""
    word = mode.upper()
    if word == b"ON":
        c.session.flags &= ~(REPLY_OFF | REPLY_SKIP)
        return OK
    if word == b"OFF":
        c.session.flags |= REPLY_OFF
    elif word == b"SKIP":
        if not c.session.flags & REPLY_OFF:
            c.session.flags |= REPLY_SKIP_NEXT
    else:
        raise SyntaxFault()
    return NO_REPLY


# --- power over others ------------------------------------------------------------------------------------------------


def close(c: Call, session: Session) -> None:
    """Ends a connection: another's at once, one's own after the reply."""
    if session is c.session:
        session.flags |= CLOSE_AFTER_REPLY
    else:
        c.engine.detach(session)
        session.flags |= CLOSE_NOW
        c.store.deliver(session)


@command("CLIENT KILL <ip:port | <[ID client-id] | [TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] | [USER username] | "
         "[ADDR ip:port] | [LADDR ip:port] | [SKIPME <YES | NO>]>>", ADMIN | USUAL, since="2.4.0", group="connection",
         complexity="O(N), N being the number of connections", arity=-3)
def client_kill(c: Call, *words):
    """Close connections: that of an address, or all that meet the conditions."""
    conditions = []
    skip = True
    if len(words) == 1:
        address = text_of(words[0])
        for session in clients(c):
            if session.address == address:
                close(c, session)
                return OK
        raise ReplyError("ERR No such client")
    if len(words) % 2:
        odd = True
        words = words[:-1]
    else:
        odd = False
    for i in range(0, len(words), 2):
        option = words[i].upper()
        value = words[i + 1]
        if option == b"ID":
            try:
                number = parse_integer(value)
            except NotInteger:
                number = 0
            if number < 1:
                raise ReplyError("ERR client-id should be greater than 0")
            conditions.append(("id", number))
        elif option == b"TYPE":
            conditions.append(("kind", kind_named(value)))
        elif option == b"ADDR":
            conditions.append(("address", text_of(value)))
        elif option == b"LADDR":
            conditions.append(("local_address", text_of(value)))
        elif option == b"USER":
            if value != b"default":
                raise ReplyError(f"ERR No such user '{text_of(value)}'")
            conditions.append(("user", value))
        elif option == b"SKIPME" and value.upper() in (b"YES", b"NO"):
            skip = value.upper() == b"YES"
        else:
            raise SyntaxFault()
    if odd:
        raise SyntaxFault()
    conditions = dict(conditions)           # of the same kind the last one counts
    chosen = [session for session in clients(c) if not (skip and session is c.session) and all(
        (kind_of(session) if what == "kind" else getattr(session, what)) == value for what, value in conditions.items())]
    for session in chosen:
        close(c, session)
    return len(chosen)


@command("CLIENT PAUSE timeout [WRITE | ALL]", ADMIN | USUAL, since="2.9.50", group="connection", complexity="O(1)")
def client_pause(c: Call, timeout: bytes, *mode):
    """Hold the commands of all clients for some time (milliseconds), or those that write."""
    if len(mode) > 1:
        raise wrong_subcommand(c)
    writes_only = False
    if mode:
        word = mode[0].upper()
        if word not in (b"WRITE", b"ALL"):
            raise ReplyError("ERR CLIENT PAUSE mode must be WRITE or ALL")
        writes_only = word == b"WRITE"
    try:
        duration = parse_integer(timeout)
    except NotInteger:
        raise ReplyError("ERR timeout is not an integer or out of range") from None
    if duration < 0:
        raise ReplyError("ERR timeout is negative")
    if duration > 2**63 - 1 - c.store.now:
        raise ReplyError("ERR timeout is out of range")
    c.engine.pause(c.store.now + duration, writes_only)
    return OK


@command("CLIENT UNPAUSE", ADMIN | USUAL, since="6.2.0", group="connection",
         complexity="O(N), N being the number of clients held")
def client_unpause(c: Call):
    """Let the clients go on that CLIENT PAUSE holds."""
    c.engine.unpause()
    return OK


@command("CLIENT UNBLOCK client-id [TIMEOUT | ERROR]", ADMIN | USUAL, since="5.0.0", group="connection", complexity="O(1)")
def client_unblock(c: Call, number: bytes, *reason):
    """End the waiting of a client: as if its time were over, or with an error. Whether it waited."""
    if len(reason) > 1:
        raise wrong_subcommand(c)
    how = reason[0].upper() if reason else b"TIMEOUT"
    if how not in (b"TIMEOUT", b"ERROR"):
        raise ReplyError("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
    session: Session = c.engine.sessions.get(parse_integer(number))
    if session is None or session.waiting is None:
        return 0
    if how == b"ERROR":
        c.engine.unblock(session, ReplyError("UNBLOCKED client unblocked via CLIENT UNBLOCK"))
    else:
        c.engine.unblock(session, session.waiting.on_timeout)
    return 1


HELP = """\
CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
GETNAME
    Give the name of this connection.
GETREDIR
    Give the connection that gets the invalidations of this one.
ID
    Give the number of this connection.
INFO
    Describe this connection.
KILL <ip:port>
    Close the connection from that address.
KILL <option> <value> [<option> <value> [...]]
    Close the connections that meet all of these:
    * ADDR (<ip:port>|<unixsocket>:0)
      come from that address
    * LADDR (<ip:port>|<unixsocket>:0)
      go to that address of the server
    * ID <client-id>
      have that number
    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)
      are of that kind
    * USER <username>
      are of that user
    * SKIPME (YES|NO)
      whether this connection is spared (it is, if nothing is said)
LIST [TYPE (NORMAL|MASTER|REPLICA|PUBSUB)] [ID <client-id> [<client-id> ...]]
    Describe all connections, those of a kind, or those with the numbers.
NO-EVICT (ON|OFF)
    Spare this connection when the connections take too much memory.
NO-TOUCH (ON|OFF)
    Leave the access times of keys as they are.
PAUSE <timeout> [WRITE|ALL]
    Hold all clients, or those that write, for so many milliseconds.
REPLY (ON|OFF|SKIP)
    Answer commands, or do not, or do not answer the next one.
SETINFO (LIB-NAME <name>|LIB-VER <version>)
    Tell which library the client uses.
SETNAME <name>
    Name this connection.
UNBLOCK <clientid> [TIMEOUT|ERROR]
    End the waiting of a client.
UNPAUSE
    End what PAUSE has begun.
HELP
    Show this text."""


@command("CLIENT HELP", LOADING | STALE, since="5.0.0", group="connection", complexity="O(1)")
def client_help(c: Call):
    """Explain the subcommands of CLIENT."""
    return [Status(line.encode()) for line in HELP.split("\n")]
