# A pass over all databases in slices, which gives their state at the moment when it began.

from libc.stdint cimport int64_t, uint32_t, uint64_t
from carnelian.keyspace.database cimport Database, Guard
from carnelian.keyspace.store cimport Store
from carnelian.types.serial_write cimport Output
from carnelian.types.table cimport Entry, Table

cdef class Snapshot(Guard):
    cdef readonly Store store
    cdef Output output
    cdef object sink                    # takes chunks of bytes
    cdef list parts                     # (index of the database, its Table), yet to be read
    cdef list adopted                   # tables that nobody else has any more: to be buried at the end
    cdef dict sizes                     # index -> (keys, keys with an expiry) of the beginning
    cdef uint64_t cursor                # in the table of parts[0]
    cdef int index                      # of the database of parts[0]
    cdef uint32_t seen                  # the mark of entries that need nothing more
    cdef int selected                   # the database that the output is in
    cdef bint is_frequency              # LFU counters are written
    cdef bint is_recency                # LRU times are
    cdef bint silent                    # given up: entries are marked, not written
    cdef bint ended
    cdef readonly int64_t keys          # written so far
    cdef readonly int64_t total         # keys at the beginning
    cdef readonly int64_t now           # the moment: milliseconds since the epoch
    cdef readonly object failure        # the exception that ended the writing, or None

    cdef int put_entry(self, int index, Entry *e) except -1
    cdef int see(self, int index, Entry *e) except -1
    cpdef bint advance(self, int64_t nanoseconds) except -1
    cpdef int give_up(self) except -1
    cdef int emit(self) except -1

cdef int visit(void *context, Entry **slot) except -1
