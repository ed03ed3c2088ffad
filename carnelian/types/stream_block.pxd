# A block of a stream's log: entries with neighbouring IDs in one listpack, byte for byte in Redis's stream layout, so
# that RDB files and DUMP are copies.
#
#     master entry: count | deleted | fields | field ... | 0
#     entry:        flags | ms delta | sequence delta | value ...                       | elements    (SAME_FIELDS)
#                   flags | ms delta | sequence delta | fields | field | value | ...    | elements
#
# The deltas are against the block's key, the ID that its first entry had; an entry that is deleted keeps its place until
# the block goes. `elements` counts those of the entry before it, and is what a walk backwards steps by.

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memmove
from carnelian.protocol.reader cimport Slice
from carnelian.types.listpack cimport lp_backlen_size, lp_body, lp_bytes, lp_skip

cdef enum:                          # flags of an entry
    DELETED = 1
    SAME_FIELDS = 2                 # its fields are those of the master entry

cdef enum:
    BLOCK_LIMIT = 1 << 30           # bytes: no block, and no entry, is larger

ctypedef struct Block:
    uint64_t ms                     # the key
    uint64_t seq
    uint8_t *pack

ctypedef struct BlockEntry:         # an entry, decoded
    uint64_t ms
    uint64_t seq
    int flags
    Py_ssize_t pairs                # fields
    uint8_t *at                     # its flags
    uint8_t *body                   # its first value (SAME_FIELDS), else its first field
    uint8_t *end                    # its count of elements
    uint8_t *fields                 # the first field of the master entry

# --- elements of a listpack, where it goes on from types/listpack ---------------------------------------------------

cdef inline uint8_t *element_before(uint8_t *p) noexcept nogil:
    """The element before p (not to be called at the first)."""
    cdef size_t n = 0
    cdef int shift = 0
    p -= 1
    while p[0] & 0x80:                      # read from the right; the last byte has no mark
        n |= <size_t>(p[0] & 0x7F) << shift
        shift += 7
        p -= 1
    n |= <size_t>p[0] << shift
    return p - n

cdef inline bint element_is_integer(const uint8_t *p) noexcept nogil:
    return p[0] < 0x80 or (p[0] & 0xE0) == 0xC0 or p[0] > 0xF0

cdef inline int64_t element_integer(const uint8_t *p) noexcept nogil:
    """The number at p, which is known to be one."""
    cdef uint8_t c = p[0]
    cdef int16_t small
    cdef int32_t middle
    cdef int64_t large
    if c < 0x80:
        return c
    if c < 0xE0:
        large = (c & 0x1F) << 8 | p[1]
        return large - 8192 if large >= 4096 else large
    if c == 0xF1:
        memcpy(&small, p + 1, 2)
        return small
    if c == 0xF2:
        large = p[1] | p[2] << 8 | p[3] << 16
        return large - 16777216 if large >= 8388608 else large
    if c == 0xF3:
        memcpy(&middle, p + 1, 4)
        return middle
    memcpy(&large, p + 1, 8)
    return large

cdef size_t integer_size(int64_t number) noexcept nogil             # bytes that a number takes as an element
cdef uint8_t *put_integer(uint8_t *p, int64_t number) noexcept nogil    # writes an element at p; the end of it
cdef uint8_t *put_text(uint8_t *p, const char *data, size_t n) noexcept nogil

# --- blocks --------------------------------------------------------------------------------------------------------

cdef inline uint8_t *block_count(Block *block) noexcept nogil:
    """The element with the number of live entries; the number of deleted ones follows."""
    return block.pack + 6

cdef inline int64_t block_live(Block *block) noexcept nogil:
    return element_integer(block_count(block))

# A walk over the entries, deleted ones too: False when there is no further one.
cdef bint block_first(Block *block, BlockEntry *entry) noexcept nogil
cdef bint block_last(Block *block, BlockEntry *entry) noexcept nogil
cdef bint block_next(Block *block, BlockEntry *entry) noexcept nogil
cdef bint block_previous(Block *block, BlockEntry *entry) noexcept nogil
# The entry whose flags are at this offset into the pack, as a walk leaves it.
cdef bint block_entry(Block *block, size_t offset, BlockEntry *entry) noexcept nogil
# The live entry with this ID.
cdef bint block_find(Block *block, uint64_t ms, uint64_t seq, BlockEntry *entry) noexcept nogil
# Marks an entry deleted and counts it. The pack may grow or shrink by a few bytes where a number crosses the border of
# its encoding, so entries decoded before are stale if the call returns True. *capacity: what is allocated.
cdef bint block_delete(Block *block, BlockEntry *entry, size_t *capacity) except -1
# At most so many bytes are added by an entry of these words.
cdef size_t entry_size(const Slice *words, Py_ssize_t n) noexcept nogil
# A new block with one entry (the key is its ID).
cdef int block_new(Block *block, uint64_t ms, uint64_t seq, const Slice *words, Py_ssize_t pairs,
                   size_t *capacity) except -1
cdef int block_append(Block *block, uint64_t ms, uint64_t seq, const Slice *words, Py_ssize_t pairs,
                      size_t *capacity) except -1
# ValueError if these bytes (size: as many as there are) are no well-formed block.
cdef int block_check(Block *block, size_t size) except -1
