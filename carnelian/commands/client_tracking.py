# cython: language_level=3
"""Client-side caching: https://redis.io/docs/latest/develop/reference/client-side-caching/"""
import cython
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.keyspace.session import CACHING, TRACKING, Session
from cython.cimports.carnelian.keyspace.tracking import Tracker

from carnelian.base.errors import ReplyError, SyntaxFault
from carnelian.base.numbers import parse_integer
from carnelian.base.replies import OK, Members
from carnelian.commands.client import USUAL
from carnelian.keyspace import command


@command("CLIENT TRACKING <ON | OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]",
         USUAL, since="6.0.0", group="connection", complexity="O(1); some options take more")
def client_tracking(c: Call, state: bytes, *options):
    """Have this connection told when keys change that it has read, so that it can keep a cache."""
    redirect: cython.longlong = 0
    prefixes = []
    chosen = set()
    i: cython.Py_ssize_t = 0
    while i < len(options):
        word = options[i].upper()
        more: cython.bint = i + 1 < len(options)
        i += 1
        if word == b"REDIRECT" and more:
            if redirect:
                raise ReplyError("ERR A client can only redirect to a single other client")
            redirect = parse_integer(options[i])
            if redirect not in c.engine.sessions:
                raise ReplyError("ERR The client ID you want redirect to does not exist")
            i += 1
        elif word == b"PREFIX" and more:
            prefixes.append(options[i])
            i += 1
        elif word in (b"BCAST", b"OPTIN", b"OPTOUT", b"NOLOOP"):
            chosen.add(word)
        else:
            raise SyntaxFault()
    word = state.upper()
    if word == b"ON":
        c.engine.tracking.enable(c.session, redirect, b"BCAST" in chosen, prefixes, b"OPTIN" in chosen, b"OPTOUT" in chosen,
                                 b"NOLOOP" in chosen)
    elif word == b"OFF":
        c.engine.tracking.disable(c.session)
    else:
        raise SyntaxFault()
    return OK


@command("CLIENT CACHING <YES | NO>", USUAL, since="6.0.0", group="connection", complexity="O(1)")
def client_caching(c: Call, state: bytes):
    """Have the keys of the next command tracked (OPTIN), or not (OPTOUT)."""
    session: Session = c.session
    tracker: Tracker = session.tracker
    if not session.flags & TRACKING:
        raise ReplyError("ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT "
                         "mode enabled")
    word = state.upper()
    if word == b"YES":
        if not tracker.opt_in:
            raise ReplyError("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.")
    elif word == b"NO":
        if not tracker.opt_out:
            raise ReplyError("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.")
    else:
        raise SyntaxFault()
    session.flags |= CACHING
    return OK


@command("CLIENT GETREDIR", USUAL, since="6.0.0", group="connection", complexity="O(1)")
def client_getredir(c: Call):
    """Return the connection that gets the invalidations of this one: 0 if it does so itself, -1 if there are none."""
    if not c.session.flags & TRACKING:
        return -1
    return cython.cast(Tracker, c.session.tracker).redirect


@command("CLIENT TRACKINGINFO", USUAL, since="6.2.0", group="connection", complexity="O(1)")
def client_trackinginfo(c: Call):
    """Show what CLIENT TRACKING has been told."""
    if not c.session.flags & TRACKING:
        return {b"flags": Members([b"off"]), b"redirect": -1, b"prefixes": []}
    tracker: Tracker = c.session.tracker
    return {b"flags": Members([flag.encode() for flag in tracker.flags]), b"redirect": tracker.redirect,
            b"prefixes": sorted(tracker.prefixes)}
