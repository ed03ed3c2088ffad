# All databases of one engine, and what watches them: WATCH, waiters, notifications, propagation.

from libc.stdint cimport int64_t, uint32_t
from carnelian.keyspace.session cimport Session
from carnelian.keyspace.database cimport Database
from carnelian.keyspace.journal cimport Journal

cdef class Store:
    cdef readonly list databases
    cdef public int64_t now             # milliseconds since the epoch, read once a batch
    cdef public int64_t dirty           # changes since the last save
    cdef public list pending            # sessions with unsent output, or with something for their owner to see
    cdef public int notify_flags
    cdef public dict watchers           # (database index, key) -> {session: None}
    cdef readonly object waiters        # waiting.Waiters
    cdef readonly object pubsub         # pubsub.PubSub
    cdef public list sinks              # callables (database index, words): AOF, replicas
    cdef readonly Journal journal       # the one of the sinks that twins write to themselves, or None
    cdef public int targets             # whom the effect that a sink gets is for: 1 the AOF, 2 the replicas, 3 both
    cdef public list listeners          # callables (database index, key or None for all of it; index -1: of them all)
    cdef bint attentive                 # somebody watches: changed() has to look closer
    cdef public bint is_frequency       # maxmemory-policy is an LFU one
    cdef public bint active_expire
    cdef public int64_t clock_offset    # milliseconds added to the system's clock (tests move it)
    cdef list graveyard                 # structures and tables being freed in slices
    cdef public int64_t hits, misses, expired, expired_fields, evicted, lazily_freed
    cdef public int64_t memory_settled  # bytes of this store before the batch under way
    cdef public int64_t memory_mark     # the process's counter at that time

    cpdef int tick(self) except -1
    cpdef int hold_time(self) except -1         # until the next tick nothing expires, and no time is past: loading
    cpdef int keep_journal(self, Journal journal) except -1             # effects go to it from now on; None: no more
    cdef int queue_output(self, Session session) except -1
    cdef int key_changed(self, Database db, bytes key, str event, str group) except -1
    cpdef int64_t memory(self) noexcept
    cpdef int attend(self) except -1
    cdef int key_removed(self, Database db, bytes key, str event) except -1
