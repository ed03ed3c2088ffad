# Requests of an append-only file, run again.

from libc.stdint cimport int64_t
from carnelian.engine.engine cimport Engine
from carnelian.keyspace.session cimport Session

cdef class Replay:
    cdef readonly Engine engine
    cdef Session session
    cdef readonly str path
    cdef int descriptor
    cdef readonly int64_t size          # bytes of the file
    cdef readonly int64_t read          # bytes of it that were read
    cdef readonly int64_t valid         # offset behind the last whole request outside of a transaction
    cdef readonly int64_t requests      # run so far
    cdef readonly int64_t failed        # of them: answered by an error
    cdef readonly bint ended

    cpdef bint advance(self, int64_t nanoseconds) except -1
    cdef int run_read(self) except -1
    cdef int64_t position(self) noexcept
