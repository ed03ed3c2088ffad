# cython: language_level=3
"""The connection itself: who it is, which protocol it speaks, whether anybody is there."""
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.keyspace.session import (
    ABORTED, CLOSE_AFTER_REPLY, IN_MULTI, MONITOR, NO_EVICT, NO_TOUCH, READONLY_MODE, REPLY_OFF, REPLY_SKIP_NEXT, SUBSCRIBED,
    UNAUTHENTICATED, Session)

from carnelian.base.errors import NotInteger, ReplyError, SyntaxFault, WrongArity
from carnelian.base.numbers import parse_integer
from carnelian.base.replies import OK, PONG, Status
from carnelian.keyspace import ALLOW_BUSY, FAST, LOADING, NO_AUTH, NOSCRIPT, STALE, command
from carnelian.version import REDIS_VERSION

ALWAYS = NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY


# --- identity ---------------------------------------------------------------------------------------------------------


def is_plain(text: bytes) -> bool:
    """Whether a client's name or library may be called so: it is shown in lines of fields."""
    return all(33 <= byte <= 126 for byte in text)


def sign_in(c: Call, user: bytes, password: bytes) -> None:
    """Makes the client a user. ReplyError (WRONGPASS) where name and password do not fit."""
    if not c.engine.acl.sign_in(c.session, user, password):
        c.engine.acl.note_denial(c.session, "auth", c.words[0], user, "toplevel" if c.may_wait else "multi")
        raise ReplyError("WRONGPASS invalid username-password pair or user is disabled.")


@command("AUTH [username] password", ALWAYS, since="1.0.0", group="connection", complexity="O(1)")
def auth(c: Call, *words):
    """Sign in with a password, or with a user's name and password."""
    if len(words) > 2:
        raise SyntaxFault()
    if len(words) == 1 and c.engine.acl.default.nopass:
        raise ReplyError("ERR AUTH <password> called without any password configured for the default user. "
                         "Are you sure your configuration is correct?")
    sign_in(c, words[0] if len(words) == 2 else b"default", words[-1])
    return OK


@command("HELLO [protover [AUTH username password] [SETNAME clientname]]", ALWAYS, since="6.0.0", group="connection",
         complexity="O(1)")
def hello(c: Call, *words):
    """Choose the protocol, and introduce oneself to the server."""
    session: Session = c.session
    version = None
    credentials = None
    name = None
    at = 1
    if words:
        try:
            version = parse_integer(words[0])
        except NotInteger:
            raise ReplyError("ERR Protocol version is not an integer or out of range") from None
        if version not in (2, 3):
            raise ReplyError("NOPROTO unsupported protocol version")
    while at < len(words):
        option = words[at].upper()
        if option == b"AUTH" and at + 2 < len(words):
            credentials = words[at + 1:at + 3]
            at += 3
        elif option == b"SETNAME" and at + 1 < len(words):
            name = words[at + 1]
            if not is_plain(name):
                raise ReplyError("ERR Client names cannot contain spaces, newlines or special characters.")
            at += 2
        else:
            raise ReplyError(f"ERR Syntax error in HELLO option '{words[at].decode('utf-8', 'surrogateescape')}'")
    if credentials is not None:
        sign_in(c, *credentials)
    if session.flags & UNAUTHENTICATED:
        raise ReplyError("NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
                         "AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol "
                         "version at the same time")
    if name is not None:
        session.name = name
    if version is not None:
        session.writer.resp = version
    return {b"server": b"redis", b"version": REDIS_VERSION.encode(), b"proto": session.writer.resp, b"id": session.id,
            b"mode": b"standalone" if c.engine.cluster is None else b"cluster", b"role": b"master", b"modules": []}


@command("RESET", ALWAYS, since="6.2.0", group="connection", complexity="O(1)")
def reset(c: Call):
    """Put the connection back into the state of a new one."""
    session: Session = c.session
    if session.flags & MONITOR or session in c.engine.monitors:
        c.engine.unmonitor(session)
    session.queue = []
    c.store.unwatch(session)
    c.store.pubsub.forget(session)
    c.engine.tracking.disable(session)
    session.flags &= ~(IN_MULTI | ABORTED | SUBSCRIBED | MONITOR | REPLY_OFF | REPLY_SKIP_NEXT | NO_TOUCH | NO_EVICT
                       | READONLY_MODE)
    session.db = c.store.databases[0]
    session.writer.resp = 2
    session.name = b""
    c.engine.acl.welcome(session)
    return Status(b"RESET")


@command("QUIT", ALWAYS, since="1.0.0", group="connection", complexity="O(1)", arity=-1)
def quit_(c: Call, *words):
    """Close the connection."""
    c.session.flags |= CLOSE_AFTER_REPLY
    return OK


# --- signs of life ----------------------------------------------------------------------------------------------------


@command("PING [message]", FAST, since="1.0.0", group="connection", complexity="O(1)")
def ping(c: Call, *message):
    """Answer, to show that the server is there."""
    if len(message) > 1:
        raise WrongArity("ping")
    if c.session.is_pubsub():
        return [b"pong", message[0] if message else b""]
    return message[0] if message else PONG


@command("ECHO message", LOADING | STALE | FAST, since="1.0.0", group="connection", complexity="O(1)")
def echo(c: Call, message: bytes):
    """Return the message."""
    return message
