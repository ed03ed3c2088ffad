# A value as bytes of the RDB format, in a buffer that grows.

from libc.stdint cimport uint64_t

cdef class Output:
    cdef char *data
    cdef readonly size_t size
    cdef size_t capacity
    cdef public bint compress           # strings of more than 20 bytes are written in LZF where that is shorter

    cdef char *room(self, size_t n) except NULL                         # the place of the next n bytes, which are counted
    cdef int put_raw(self, const char *data, size_t n) except -1
    cdef int put_string(self, const char *data, size_t n) except -1     # a string with its length, or as an integer
    cdef bint put_compressed(self, const char *data, size_t n) except -1
    cdef int put_milliseconds(self, uint64_t time) except -1
    cdef int put_id(self, uint64_t ms, uint64_t seq) except -1          # 16 bytes, so that they sort

    cpdef int put_byte(self, int number) except -1
    cpdef int put_length(self, uint64_t n) except -1
    cpdef int put_bytes(self, bytes text) except -1
    cpdef int put_value(self, object value) except -1
    cpdef bytes take(self)

    cdef int put_list(self, values) except -1
    cdef int put_set(self, values) except -1
    cdef int put_hash(self, values) except -1
    cdef int put_sorted_set(self, values) except -1
    cdef int put_json(self, values) except -1
    cdef int put_stream(self, values) except -1
    cdef int put_group(self, bytes name, group) except -1
