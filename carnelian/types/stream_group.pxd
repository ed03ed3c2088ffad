# Consumer groups: what was delivered to whom, and not acknowledged yet.

from libc.stdint cimport int64_t, uint64_t
from carnelian.types.stream cimport Stream
from carnelian.types.stream_pending cimport Nack, Pending

cdef class Consumer:
    cdef readonly bytes name
    cdef public int64_t seen_time       # of the last attempt to read or claim; milliseconds since the epoch
    cdef public int64_t active_time     # of the last one that got something; -1: never
    cdef Pending pending

cdef class Group:
    cdef uint64_t last_ms, last_seq     # the last entry that was delivered
    cdef public int64_t entries_read    # how many entries of the log lie up to that one; -1: unknown
    cdef readonly dict consumers        # name -> Consumer
    cdef Pending pending                # owns its entries; each stands in the list of its consumer too
    cdef int64_t oldest                 # no pending entry was delivered last before this time

    cdef Nack *add(self, uint64_t ms, uint64_t seq, Consumer consumer, int64_t delivered, int64_t count) except NULL
    cdef int give(self, Nack *nack, Consumer consumer) except -1
    cdef bint forget(self, uint64_t ms, uint64_t seq) except -1
