# A value out of bytes of the RDB format.

from cpython.buffer cimport Py_buffer
from libc.stdint cimport uint8_t, uint64_t

cdef class Input:
    cdef Py_buffer view
    cdef const uint8_t *data
    cdef public size_t at               # the next byte
    cdef readonly size_t end

    cdef const uint8_t *take(self, size_t n) except NULL        # the next n bytes, which are gone past
    cdef uint64_t number(self, int *encoding) except? 0xFFFF    # encoding: -1, or the kind of string that follows
    cdef uint64_t little(self, int size) except? 0xFFFF         # so many bytes, little endian
    cdef tuple id(self)                                         # 16 bytes, big endian
    cdef double score(self) except? -1

    cpdef int byte(self) except -1
    cpdef uint64_t length(self) except? 0xFFFF
    cpdef bytes string(self)
    cpdef object value(self, int type)

    cdef object read_list(self, int type)
    cdef object read_set(self)
    cdef object read_hash(self)
    cdef object read_expiring_hash(self, int type)
    cdef object read_sorted_set(self, bint text)
    cdef object read_json(self)
    cdef object read_stream(self, int type)
    cdef object read_group(self, int type, stream)
