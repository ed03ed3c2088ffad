# Client-side caching: who has read which key, and who is told that it has changed.

from libc.stdint cimport int64_t
from carnelian.keyspace.pubsub cimport PubSub
from carnelian.keyspace.session cimport Session
from carnelian.keyspace.store cimport Store

cdef class Tracker:                     # what one client has asked for by CLIENT TRACKING
    cdef readonly Session session       # None once the client has gone
    cdef readonly int64_t redirect      # the client that is told, 0: itself
    cdef readonly bint broadcast        # BCAST
    cdef readonly bint opt_in, opt_out, no_loop
    cdef readonly bint is_broken        # the client that was to be told has gone
    cdef readonly dict prefixes         # of BCAST, an ordered set

cdef class Tracking:
    cdef Store store
    cdef PubSub pubsub
    cdef dict sessions                  # the engine's
    cdef readonly dict trackers         # an ordered set: the clients with tracking on
    cdef readonly object table          # OrderedDict: key -> Tracker, or an ordered set (dict) of several
    cdef readonly int64_t items         # pairs of key and client in the table
    cdef readonly dict prefixes         # prefix -> ordered set of trackers
    cdef dict changes                   # prefix -> {key: the session that has changed it}, of the batch under way
    cdef public int64_t limit           # tracking-table-max-keys; 0: none
    cdef bint listens

    cdef int remember(self, Session session, object command, tuple words) except -1
    cdef int next_command(self, Session session) except -1      # before session.command is that of the new request
    cdef int note(self, Tracker tracker, bytes key) except -1
    cdef int invalidate(self, bytes key, object owners) except -1
    cdef int tell(self, Tracker tracker, object keys) except -1
    cpdef int broadcast(self) except -1                         # at the end of a batch
    cpdef int shrink(self, Py_ssize_t budget) except -1
