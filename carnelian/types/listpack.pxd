# Listpack: many small elements in one buffer, byte for byte in Redis's format
# (https://github.com/antirez/listpack/blob/master/listpack.md), so that RDB, DUMP and the stream blocks are copies.
#
#     total bytes (4, little endian) | elements (2; 65535: unknown, count them) | entries ... | 0xFF
#     entry: encoding and data | backlen (1 to 5 bytes, read from the right)
#
# A pack is a `unsigned char *` allocated with memory.allocate(roomy(total bytes)); a call that changes it returns its
# new address. Positions are pointers into it, and are stale after a change unless the call gives a new one.

from libc.stdint cimport int64_t, uint32_t

ctypedef unsigned char *pack

ctypedef struct Item:           # one element, decoded
    const char *data            # its bytes; of an integer: its digits, in `digits`
    size_t length
    bint is_integer
    int64_t number              # if is_integer
    char digits[24]

ctypedef struct EncodedEntry:   # an element on its way into a pack: head | data | tail
    unsigned char head[9]       # encoding byte with length or integer
    unsigned char tail[5]       # backlen
    int head_size
    int tail_size
    const char *data            # the bytes of a string
    size_t data_size
    size_t size                 # of all three

# --- walking -------------------------------------------------------------------------------------------------------

cdef inline uint32_t lp_u32(const unsigned char *p) noexcept nogil:
    return p[0] | (<uint32_t>p[1] << 8) | (<uint32_t>p[2] << 16) | (<uint32_t>p[3] << 24)

cdef inline size_t lp_body(const unsigned char *p) noexcept nogil:
    """Bytes of an entry's encoding and data, without the backlen (1 for the end mark)."""
    cdef unsigned char b = p[0]
    if b < 0x80:
        return 1
    if b < 0xC0:
        return 1 + (b & 0x3F)
    if b < 0xE0:
        return 2
    if b < 0xF0:
        return 2 + ((<size_t>(b & 0x0F) << 8) | p[1])
    if b == 0xF0:
        return 5 + <size_t>lp_u32(p + 1)
    if b == 0xF1:
        return 3
    if b == 0xF2:
        return 4
    if b == 0xF3:
        return 5
    if b == 0xF4:
        return 9
    return 1

cdef inline size_t lp_backlen_size(size_t body) noexcept nogil:
    """Bytes that the backlen of such an entry takes (Redis's borders, off by one against the 7-bit groups)."""
    if body <= 127:
        return 1
    if body < 16383:
        return 2
    if body < 2097151:
        return 3
    if body < 268435455:
        return 4
    return 5

cdef inline pack lp_skip(pack p) noexcept nogil:
    """The position after this entry; the end mark (0xFF) after the last."""
    cdef size_t body = lp_body(p)
    return p + body + lp_backlen_size(body)

cdef pack lp_new() except NULL
cdef void lp_free(pack lp) noexcept
cdef pack lp_copy(pack lp) except NULL
cdef pack lp_load(const char *data, size_t n) except NULL           # a copy of bytes that lp_check accepts; ValueError
cdef inline size_t lp_bytes(pack lp) noexcept nogil:                # total bytes
    return lp_u32(lp)
cdef size_t lp_memory(pack lp) noexcept                             # bytes that the allocation takes
cdef size_t lp_length(pack lp) noexcept                             # elements
cdef inline pack lp_first(pack lp) noexcept nogil:                  # NULL if empty
    return NULL if lp[6] == 0xFF else lp + 6
cdef pack lp_last(pack lp) noexcept
cdef inline pack lp_next(pack lp, pack p) noexcept nogil:           # NULL after the last
    p = lp_skip(p)
    return NULL if p[0] == 0xFF else p
cdef pack lp_previous(pack lp, pack p) noexcept                     # NULL before the first
cdef pack lp_seek(pack lp, Py_ssize_t index) noexcept               # negative from the end; NULL out of range
cdef void lp_get(pack p, Item *item) noexcept
cdef bytes lp_value(pack p)                                         # the element as bytes
cdef bint lp_equals(pack p, const char *data, size_t n) noexcept
cdef pack lp_find(pack lp, pack p, const char *data, size_t n, int skip) noexcept   # from p on, comparing every (1 + skip)th
cdef pack lp_append(pack lp, const char *data, size_t n) except NULL
cdef pack lp_prepend(pack lp, const char *data, size_t n) except NULL
cdef pack lp_append_integer(pack lp, int64_t number) except NULL
# Inserts before p (p == NULL: at the end). *at gets the position of the new element if at != NULL.
cdef pack lp_insert(pack lp, pack p, const char *data, size_t n, pack *at) except NULL
cdef pack lp_replace(pack lp, pack *p, const char *data, size_t n) except NULL      # *p: the new position
cdef pack lp_replace_integer(pack lp, pack *p, int64_t number) except NULL
cdef pack lp_delete(pack lp, pack *p) except NULL                   # *p: the element after it, NULL at the end
cdef pack lp_delete_range(pack lp, Py_ssize_t index, size_t count) except NULL
cdef pack lp_cut(pack lp, pack *p, size_t count) except NULL         # deletes that many from p on; *p as for lp_delete
# Appends two elements, both or (MemoryError) none.
cdef pack lp_append_pair(pack lp, const char *a, size_t n, const char *b, size_t m) except NULL
# Inserts three elements at an offset, all or (MemoryError) none.
cdef pack lp_insert_triple(pack lp, size_t offset, const char *a, size_t n, const char *b, size_t m, int64_t number) except NULL
cdef size_t lp_entry_size(const char *data, size_t n) noexcept      # bytes that the element would take
cdef int lp_check(pack lp, size_t size) except -1                   # ValueError if the buffer is no well-formed listpack

# The steps of the calls above. lp_encode makes an entry ready (it refers to the data), lp_write puts its e.size bytes to p.
cdef void lp_encode(const char *data, size_t n, EncodedEntry *e) noexcept
cdef void lp_write(pack p, EncodedEntry *e) noexcept
cdef pack splice(pack lp, size_t offset, size_t old, size_t new) except NULL
cdef pack insert_entry(pack lp, size_t offset, EncodedEntry *e) except NULL
cdef pack replace_entry(pack lp, pack *p, EncodedEntry *e) except NULL

# For tests and tools: a listpack as a Python object, indexed like a list.
cdef class Listpack:
    cdef pack lp
    cdef pack _at(self, Py_ssize_t index) except NULL
