# cython: language_level=3
"""CLIENT: a connection's name and habits, and holding others up. client_list.py lists and closes them, client_tracking.py
has client-side caching."""
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.keyspace.session import (
    CAPA_REDIRECT, NO_EVICT, NO_TOUCH, REPLY_OFF, REPLY_SKIP, REPLY_SKIP_NEXT, Session)

from carnelian.base.errors import NotInteger, ReplyError, SyntaxFault
from carnelian.base.numbers import parse_integer
from carnelian.base.replies import NO_REPLY, OK, Status
from carnelian.commands.connection import is_plain
from carnelian.keyspace import ADMIN, LOADING, NOSCRIPT, STALE, command

USUAL = NOSCRIPT | LOADING | STALE


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


@command("CLIENT ID", USUAL, since="5.0.0", group="connection", complexity="O(1)")
def client_id(c: Call):
    """Return the number of this connection."""
    return c.session.id


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


@command("CLIENT CAPA capability [capability ...]", USUAL, since="8.0.0", group="connection", complexity="O(1)")
def client_capa(c: Call, *capabilities):
    """Tell what the client can do; names that are not known are passed over. From Valkey."""
    for capability in capabilities:
        if capability.lower() == b"redirect":
            c.session.flags |= CAPA_REDIRECT
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


# --- holding others ---------------------------------------------------------------------------------------------------


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
CACHING (YES|NO)
    Have the keys of the next command tracked (OPTIN), or not (OPTOUT).
CAPA <capability> [<capability> ...]
    Tell what the client can do.
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
KILL <filter> <value> [<filter> <value> [...]]
    Close the connections that meet all of the filters, as of LIST:
    * SKIPME (YES|NO)
      whether this connection is spared (it is, if nothing is said)
LIST [<filter> <value> [<filter> <value> [...]]]
    Describe all connections, or those that meet all of the filters:
    * ID <client-id> [<client-id> ...]
    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)
    * ADDR (<ip:port>|<unixsocket>:0), of the client; IP <ip>
    * LADDR (<ip:port>|<unixsocket>:0), of the server
    * USER <username>, NAME <name>, DB <db>
    * LIB-NAME <name>, LIB-VER <version>, CAPA <letters>
    * FLAGS <letters>, as in the line of the connection
    * MAXAGE <seconds>, IDLE <seconds>: that old, that idle, or more
    * SKIPME (YES|NO)
    NOT-ID and so on (all but the last three) leave out what they name.
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
TRACKING (ON|OFF) [REDIRECT <client-id>] [BCAST] [PREFIX <prefix> [...]]
         [OPTIN] [OPTOUT] [NOLOOP]
    Send invalidations of the keys that this connection reads.
TRACKINGINFO
    Show what TRACKING has been told.
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
