# An entry: one block of C memory with a key and what belongs to it.
#
#     Entry header (16) | expiry cell (16, if EXPIRES) | word (8, if kind != INLINE) | key | value
#
# The word is a Python object (kinds LIST ... STREAM; the entry owns one reference) or a double (kind SCORED).

from libc.stdint cimport int64_t, uint64_t, uint32_t
from cpython.object cimport PyObject

cdef enum:                      # kinds (Redis's own type numbers), bits 0 to 3 of meta
    INLINE = 0                  # a string: its bytes follow the key
    LIST = 1
    SET = 2
    SORTED_SET = 3
    HASH = 4
    MODULE = 5
    STREAM = 6
    SCORED = 8                  # no object: the word is a double

cdef enum:                      # flags, bits 4 to 7 of meta
    EXPIRES = 16                # the expiry cell is present
    RAW = 32                    # a string that was modified in place: OBJECT ENCODING says raw; allocated with room to grow
    SEEN = 64                   # epoch mark of a running snapshot
    VISITED = 128

ctypedef struct Entry:
    uint32_t hash               # low bits choose the bucket, the top 8 bits are the tag
    uint32_t key_length
    uint32_t value_length       # bytes of the inline value; 0 for the other kinds
    uint32_t meta               # kind | flags | access clock << 8 (24 bits)

ctypedef struct ExpiryCell:
    int64_t at                  # milliseconds since the epoch
    uint32_t index              # place in the owner's list of entries with expiry
    uint32_t spare

cdef extern from *:
    const size_t LARGEST_LENGTH "0xFFFFFFFFull"         # of a key or value; a literal would become a Python object

cdef inline int entry_kind(Entry *e) noexcept nogil:
    return e.meta & 15

cdef inline ExpiryCell *entry_expiry(Entry *e) noexcept nogil:
    """Only where the flag EXPIRES is set."""
    return <ExpiryCell *>(<char *>e + 16)

cdef inline uint64_t *entry_word(Entry *e) noexcept nogil:
    """Only where the kind is not INLINE."""
    return <uint64_t *>(<char *>e + 16 + (e.meta & EXPIRES))

cdef inline char *entry_key(Entry *e) noexcept nogil:
    return <char *>e + 16 + (e.meta & EXPIRES) + (8 if e.meta & 15 else 0)

cdef inline char *entry_value(Entry *e) noexcept nogil:
    return <char *>e + 16 + (e.meta & EXPIRES) + (8 if e.meta & 15 else 0) + e.key_length

cdef inline double *entry_score(Entry *e) noexcept nogil:
    return <double *>entry_word(e)

cdef inline PyObject *entry_object(Entry *e) noexcept nogil:
    return (<PyObject **>entry_word(e))[0]

cdef inline bint owns_object(int kind) noexcept nogil:
    return LIST <= kind <= STREAM

# The bytes that the block of an entry takes: with the flag RAW roomy() of its parts, so that appending is cheap; else exact.
cdef size_t entry_size(Entry *e) noexcept nogil
# A new block: header, key and flags are filled in (hash too), the word is 0; expiry cell and value are left to the caller.
cdef Entry *entry_new(const char *key, size_t n, int kind, int flags, size_t value_length) except NULL
# The same entry in another shape (kind, flags, value length), key, clock, expiry cell and, if it stays a string, the
# common part of the value kept; the old block is gone (an object that is dropped is released). The caller puts the
# result into the slot.
cdef Entry *entry_reshape(Entry *e, int kind, int flags, size_t value_length) except NULL
cdef void entry_free(Entry *e) noexcept                                 # releases the object too
