# cython: language_level=3
"""Whole databases: choosing, exchanging, counting, emptying."""
import cython
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.store import Store

from carnelian.base.errors import ReplyError, SyntaxFault
from carnelian.base.numbers import parse_integer
from carnelian.base.replies import OK
from carnelian.keyspace import DANGEROUS, FAST, LOADING, READONLY, STALE, WRITE, command


def parse_index(text: bytes) -> int:
    """A C int."""
    number = parse_integer(text)
    if not -2**31 <= number < 2**31:
        raise ReplyError("ERR value is out of range, value must between -2147483648 and 2147483647")
    return number


def database_at(store: Store, text: bytes) -> Database:
    """The database of this number."""
    index = parse_index(text)
    if not 0 <= index < len(store.databases):
        raise ReplyError("ERR DB index is out of range")
    return store.databases[index]


@command("SELECT index", LOADING | STALE | FAST, since="1.0.0", group="connection", complexity="O(1)")
def select(c: Call, index: bytes):
    """Choose the database of this connection."""
    if parse_index(index) != 0 and c.engine.cluster is not None:
        raise ReplyError("ERR SELECT is not allowed in cluster mode")
    c.session.db = database_at(c.store, index)
    return OK


@cython.cfunc
def index_or(text: bytes, error: str):
    try:
        return parse_index(text)
    except ReplyError:
        raise ReplyError(error) from None


@command("SWAPDB index1 index2", WRITE | FAST | DANGEROUS, since="4.0.0", group="server", complexity="O(N), N clients that watch or wait")
def swapdb(c: Call, index1: bytes, index2: bytes):
    """Exchange two databases, for every client."""
    if c.engine.cluster is not None:
        raise ReplyError("ERR SWAPDB is not allowed in cluster mode")
    first = index_or(index1, "ERR invalid first DB index")
    second = index_or(index2, "ERR invalid second DB index")
    count = len(c.store.databases)
    if not (0 <= first < count and 0 <= second < count):
        raise ReplyError("ERR DB index is out of range")
    c.store.swap(first, second)
    c.store.dirty += 1
    c.modified = True
    return OK


@command("DBSIZE", READONLY | FAST, since="1.0.0", group="server", complexity="O(1)")
def dbsize(c: Call):
    """Count the keys of the database."""
    return len(c.db)


@cython.cfunc
def check_flush(options: tuple):
    """ASYNC and SYNC are the same here: the keys are gone at once, and what they held is freed in slices."""
    if len(options) > 1 or (options and options[0].upper() not in (b"ASYNC", b"SYNC")):
        raise SyntaxFault()


@command("FLUSHDB [ASYNC | SYNC]", WRITE | DANGEROUS, since="1.0.0", group="server",
         complexity="O(1); the memory is freed later")
def flushdb(c: Call, *options: bytes):
    """Delete every key of the database."""
    check_flush(options)
    c.store.dirty += c.store.clear(c.db)
    c.modified = True
    return OK


@command("FLUSHALL [ASYNC | SYNC]", WRITE | DANGEROUS, since="1.0.0", group="server",
         complexity="O(1); the memory is freed later")
def flushall(c: Call, *options: bytes):
    """Delete every key of every database."""
    check_flush(options)
    c.store.dirty += c.store.clear_all() + 1
    c.modified = True
    if c.engine.persistence is not None:
        c.engine.persistence.flushed()
    return OK
