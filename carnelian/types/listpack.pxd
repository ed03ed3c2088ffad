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

cdef pack lp_new() except NULL
cdef void lp_free(pack lp) noexcept
cdef pack lp_copy(pack lp) except NULL
cdef size_t lp_bytes(pack lp) noexcept                              # total bytes
cdef size_t lp_length(pack lp) noexcept                             # elements
cdef pack lp_first(pack lp) noexcept                                # NULL if empty
cdef pack lp_last(pack lp) noexcept
cdef pack lp_next(pack lp, pack p) noexcept                         # NULL after the last
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
cdef size_t lp_entry_size(const char *data, size_t n) noexcept      # bytes that the element would take
cdef int lp_check(pack lp, size_t size) except -1                   # ValueError if the buffer is no well-formed listpack
