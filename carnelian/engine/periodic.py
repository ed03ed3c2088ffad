# cython: language_level=3, cdivision=True
"""What an engine does from time to time: expiry, freeing in slices, timeouts, eviction, persistence, figures."""
import cython
from cython.cimports.carnelian.base.clock import steady_nanoseconds
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.keyspace.store import Store
from cython.cimports.carnelian.keyspace.waiting import Blocked


@cython.ccall
def turn(engine: Engine) -> cython.double:
    """One turn, at most about three milliseconds of it: the seconds until it wants to be called again."""
    store: Store = engine.store
    started: cython.longlong = steady_nanoseconds()
    soon: cython.bint = False
    delay: cython.double = 0.1
    removed: cython.size_t
    store.tick()
    if store.active_expire and engine.pause_until == 0 and not engine.cron_paused and not engine.loading:
        for database in store.databases:
            while database.volatile_count:
                # 200,000 cells are read in a fifth of a millisecond; a removal takes about half a microsecond.
                removed = database.expire_some(200000, 1000)
                if removed < 1000:
                    break
                if steady_nanoseconds() - started > 2000000:
                    soon = True
                    break
        for database in store.databases:
            while database.volatile_hashes:
                removed = database.expire_fields(100000, 1000)
                if removed < 1000:
                    break
                if steady_nanoseconds() - started > 2500000:
                    soon = True
                    break
    if store.free_some(2000):
        while steady_nanoseconds() - started < 3000000 and store.free_some(2000):
            soon = True
        soon = soon or bool(store.free_some(1))
    for database in store.databases:
        while database.rehash_step(64):
            if steady_nanoseconds() - started > 3000000:
                break
    if engine.pause_until and store.now >= engine.pause_until:
        engine.unpause()
    for blocked in store.waiters.to_try(store.now):
        engine.try_again(blocked, (cython.cast(Blocked, blocked).database, blocked.keys[0]))
    for blocked in store.waiters.overdue(store.now):
        engine.unblock(blocked.session, blocked.on_timeout)
    if store.waiters.ready:
        engine.serve_ready()
    if engine.maxmemory and not engine.loading:
        engine.make_room()
    if engine.persistence is not None:
        delay = engine.persistence.turn(engine.processed - engine.processed_before > 0)
    engine.tracking.shrink(10000)
    engine.samples.take(store.now, store.memory(), engine.processed)
    engine.next_deadline = store.waiters.next_deadline() or 0
    if soon:
        # Clients that are being served keep three quarters of the time.
        busy = engine.processed - engine.processed_before > 100
        engine.processed_before = engine.processed
        return (steady_nanoseconds() - started) * 3e-9 if busy else 0.0005
    engine.processed_before = engine.processed
    if engine.next_deadline:
        delay = min(delay, max(0.0, (engine.next_deadline - store.now) / 1000.0))
    if engine.pause_until:
        delay = min(delay, max(0.0, (engine.pause_until - store.now) / 1000.0))
    return delay
