# Strings as arrays of bits: bit 0 is the most significant one of byte 0.

from libc.stdint cimport int64_t, uint8_t, uint64_t

cdef enum Operation:
    AND
    OR
    XOR
    NOT
    DIFF                # in the first, in none of the others
    DIFF1               # not in the first, in one of the others
    ANDOR               # in the first, and in one of the others
    ONE                 # in exactly one

# Set bits among the bits [first, last] of p, which lie within it; 0 <= first <= last.
cdef int64_t count_bits(const uint8_t *p, int64_t first, int64_t last) noexcept nogil
# The first bit of this value among the bits [first, last] of p; -1 if there is none.
cdef int64_t find_bit(const uint8_t *p, bint value, int64_t first, int64_t last) noexcept nogil
# The bitwise operation over the sources (NOT: over the first), shorter ones filled up with zero bytes.
cdef bytes combine(Operation operation, list sources)
# The unsigned number in the bits [offset, offset + width) of the n bytes at p; bits beyond them are 0. 1 <= width <= 64.
cdef uint64_t read_field(const uint8_t *p, uint64_t n, uint64_t offset, int width) noexcept nogil
# Writes the number's low bits there; p has the room.
cdef void write_field(uint8_t *p, uint64_t offset, int width, uint64_t number) noexcept nogil
