# An RDB file into a store.

from libc.stdint cimport int64_t, uint64_t
from carnelian.keyspace.database cimport Database
from carnelian.keyspace.store cimport Store
from carnelian.types.serial_read cimport Input

cdef class Loader:
    cdef readonly Store store
    cdef Input source
    cdef object data
    cdef str path
    cdef bint checksum
    cdef size_t first                   # offset of the beginning
    cdef size_t checked                 # up to where the checksum has been computed
    cdef size_t unchecked               # up to where it will be; 0: its place is not known yet
    cdef object crc
    cdef Database db
    cdef readonly int version
    cdef readonly dict aux              # auxiliary fields of the file
    cdef readonly list functions        # the code of libraries
    cdef readonly int64_t loaded        # keys
    cdef readonly int64_t expired       # keys that were left out
    cdef readonly int64_t expected      # keys that the file says it has, as far as it was read
    cdef readonly bint ended
    cdef int64_t expiry
    cdef int64_t idle
    cdef int frequency
    cdef int64_t now
    cdef readonly bint keep_expired     # they are loaded, too

    cpdef bint advance(self, int64_t nanoseconds) except -1
    cdef int step(self) except -1
    cdef int entry(self, int type) except -1
    cdef int string_entry(self, const char *key, size_t n) except -1
