# Intset: a sorted array of distinct integers in one buffer, byte for byte in Redis's format, for RDB and DUMP.
#
#     width (4 bytes, little endian: 2, 4 or 8) | integers (4) | the integers, ascending, little endian
#
# All have the width of the widest that was ever added. An `intset` is allocated with memory.allocate(roomy(bytes)); a
# call that changes it returns its new address.

from libc.stdint cimport int16_t, int32_t, int64_t, uint32_t

ctypedef unsigned char *intset

cdef inline uint32_t ints_width(intset s) noexcept nogil:
    return s[0]

cdef inline uint32_t ints_length(intset s) noexcept nogil:
    return s[4] | (<uint32_t>s[5] << 8) | (<uint32_t>s[6] << 16) | (<uint32_t>s[7] << 24)

cdef inline size_t ints_bytes(intset s) noexcept nogil:
    return 8 + <size_t>ints_length(s) * ints_width(s)

cdef intset ints_new() except NULL
cdef void ints_free(intset s) noexcept
cdef intset ints_copy(intset s) except NULL
cdef intset ints_load(const char *data, size_t n) except NULL       # a copy of bytes that ints_check accepts; ValueError
cdef size_t ints_memory(intset s) noexcept                          # bytes that the allocation takes
cdef int64_t ints_get(intset s, size_t index) noexcept nogil        # the index is in range
# Whether the number is there; *index gets its place, or where it would go.
cdef bint ints_find(intset s, int64_t number, size_t *index) noexcept nogil
cdef intset ints_add(intset s, int64_t number, bint *added) except NULL
cdef intset ints_remove(intset s, int64_t number, bint *removed) except NULL
cdef intset ints_remove_at(intset s, size_t index) except NULL
cdef int ints_check(const unsigned char *s, size_t size) except -1  # ValueError if the buffer is no well-formed intset

# The steps of the calls above.
cdef intset ints_resize(intset s, uint32_t width, size_t old, size_t new) except NULL

# For tests and tools: an intset as a Python object.
cdef class Intset:
    cdef intset s
