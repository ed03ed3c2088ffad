# cython: language_level=3
"""Transactions: https://redis.io/docs/latest/develop/interact/transactions/"""
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.keyspace.session import ABORTED, IN_MULTI, TOUCHED

from carnelian.base.errors import ReplyError
from carnelian.base.replies import NO_REPLY, NULL_ARRAY, OK
from carnelian.keyspace.declaration import ALLOW_BUSY, FAST, LOADING, NOSCRIPT, SKIP_SLOWLOG, STALE, command


@command("MULTI", NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY, since="1.2.0", group="transactions", complexity="O(1)")
def multi(c: Call):
    """Start a transaction."""
    if c.session.flags & IN_MULTI:
        raise ReplyError("ERR MULTI calls can not be nested")
    c.session.flags |= IN_MULTI
    return OK


@command("EXEC", NOSCRIPT | LOADING | STALE | SKIP_SLOWLOG, since="1.2.0", group="transactions",
         complexity="Depends on the commands of the transaction")
def exec_(c: Call):
    """Execute all commands of the transaction."""
    if not c.session.flags & IN_MULTI:
        raise ReplyError("ERR EXEC without MULTI")
    if c.session.flags & ABORTED:
        c.engine.end_transaction(c.session)
        raise ReplyError("EXECABORT Transaction discarded because of previous errors.")
    for index, key in c.session.watched:
        # A watched key that has expired meanwhile is found and removed here, which touches it.
        c.store.databases[index].value(key)
    if c.session.flags & TOUCHED:
        c.engine.end_transaction(c.session)
        return NULL_ARRAY
    c.propagate()
    c.engine.run_transaction(c.session)
    return NO_REPLY


@command("DISCARD", NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY, since="2.0.0", group="transactions", complexity="O(N), when N is the number of queued commands")
def discard(c: Call):
    """Discard a transaction."""
    if not c.session.flags & IN_MULTI:
        raise ReplyError("ERR DISCARD without MULTI")
    c.engine.end_transaction(c.session)
    return OK


@command("WATCH key [key ...]", NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY, since="2.2.0", group="transactions", keys="RO",
         complexity="O(1) for every key")
def watch(c: Call, *keys: bytes):
    """Make the next transaction conditional on keys staying as they are."""
    if c.session.flags & IN_MULTI:
        raise ReplyError("ERR WATCH inside MULTI is not allowed")
    for key in keys:
        c.db.value(key)                     # an expired key is removed first, so that its end is not taken for a change
        c.store.watch(c.session, key)
    return OK


@command("UNWATCH", NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY, since="2.2.0", group="transactions", complexity="O(1)")
def unwatch(c: Call):
    """Forget all watched keys."""
    c.store.unwatch(c.session)
    return OK

