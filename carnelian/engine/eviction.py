# cython: language_level=3, cdivision=True
"""Eviction: which key goes when memory is over maxmemory.
https://redis.io/docs/latest/develop/reference/eviction/
"""
import cython
from cython.cimports.carnelian.base.clock import steady_nanoseconds
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.keyspace.database import Database, frequency_at
from cython.cimports.carnelian.keyspace.store import Store
from cython.cimports.carnelian.types.table import Entry, entry_expiry, entry_key, random_bits
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE

POLICIES = ("volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl",
            "allkeys-lru", "allkeys-lfu", "allkeys-random", "noeviction")

# The loop is held no longer than this; what is left over is evicted before the next command.
AT_ONCE = cython.declare(cython.longlong, 5000000)


@cython.ccall
def make_room(engine: Engine) -> cython.bint:
    """Evicts until the store is under maxmemory, for at most 5 ms. False if nothing (more) can be evicted."""
    store: Store = engine.store
    started: cython.longlong = steady_nanoseconds()
    if engine.eviction_policy == "noeviction":
        return False
    while store.memory() > engine.maxmemory:
        evicted: cython.bint = evict_one(engine, store)
        # What was deleted, now or before, may still wait to be freed.
        if not store.free_some(10000) and not evicted:
            return store.memory() <= engine.maxmemory
        if steady_nanoseconds() - started > AT_ONCE:
            return True
    return True


@cython.cfunc
def evict_one(engine: Engine, store: Store) -> cython.bint:
    """Deletes the best candidate of a sample."""
    policy: str = engine.eviction_policy
    volatile: cython.bint = policy.startswith("volatile")
    by: str = policy.rpartition("-")[2]
    samples: cython.int = 1 if by == "random" else max(engine.eviction_samples, 1) * 2
    best: cython.double = -1
    score: cython.double
    i: cython.int
    db: Database
    e: cython.pointer(Entry)
    slot: cython.pointer(cython.pointer(Entry))
    chosen: Database = None
    key: bytes = None
    for i in range(samples):
        db = choose_database(store, volatile)
        if db is None:
            return False
        slot = db.sample(volatile)
        if slot == cython.NULL:
            continue
        e = slot[0]
        if by == "lru":
            score = ((e.meta >> 8) ^ 0xFFFFFF) if (e.meta >> 8) > db.clock else db.clock - (e.meta >> 8)
        elif by == "lfu":
            score = 255 - cython.cast(cython.double, frequency_at(e, db.clock))
        elif by == "ttl":
            score = 1e19 - entry_expiry(e).at
        else:
            score = 0
        if score > best:
            best = score
            chosen = db
            key = PyBytes_FromStringAndSize(entry_key(e), e.key_length)
    if key is None:
        return False
    chosen.remove(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
    store.key_evicted(chosen, key)
    return True


@cython.cfunc
def choose_database(store: Store, volatile: cython.bint) -> Database:
    """A database at random, in proportion to its keys."""
    total: cython.ulonglong = 0
    at: cython.ulonglong
    count: cython.ulonglong
    for database in store.databases:
        total += cython.cast(Database, database).due_count if volatile else len(database)
    if total == 0:
        return None
    at = random_bits() % total
    for database in store.databases:
        count = cython.cast(Database, database).due_count if volatile else len(database)
        if at < count:
            return database
        at -= count
    return None
