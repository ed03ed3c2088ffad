# Stream IDs: two unsigned 64-bit numbers, milliseconds and sequence, ordered by the first and then the second.

from libc.stdint cimport uint64_t

cdef inline bint id_less(uint64_t a_ms, uint64_t a_seq, uint64_t b_ms, uint64_t b_seq) noexcept nogil:
    return a_ms < b_ms or (a_ms == b_ms and a_seq < b_seq)

cdef size_t id_to_text(uint64_t ms, uint64_t seq, char *out) noexcept nogil     # "ms-seq"; room for 41 bytes
cpdef bytes format_id(uint64_t ms, uint64_t seq)                                # the same as an object
