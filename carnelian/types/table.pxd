# The hash table: keys of the keyspace, fields of a large hash, members of a large set or sorted set.
#
# An entry is one block of C memory:
#     Entry header (16) | expiry cell (16, if EXPIRES) | word (8, if kind != INLINE) | key | value
# The word is a Python object (kinds LIST ... STREAM; the entry owns one reference) or a double (kind SCORED).
# Buckets are 64 bytes, one cache line: seven tags of 8 bits and seven entries; a full bucket chains to a child.
# Growth and shrinking are incremental; the cursor of `scan` walks buckets in reverse binary order.

from libc.stdint cimport int64_t, uint64_t, uint32_t, uint16_t, uint8_t
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

ctypedef struct Bucket:
    uint8_t tags[7]
    uint8_t filled              # how many of the slots are in use (a chained bucket: 6, slot 6 is the child); bit 7: chained
    Entry *slots[7]

ctypedef struct Position:       # of an iteration over all entries; valid while the table is not changed
    int table
    size_t bucket
    Bucket *link
    int slot

ctypedef int (*visitor)(void *context, Entry **slot) except -1

# --- entries -------------------------------------------------------------------------------------------------------

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

# The bytes that the block of an entry takes.
cdef size_t entry_size(Entry *e) noexcept nogil
# A new block: header, key and flags are filled in (hash too); expiry cell, word and value are left to the caller.
cdef Entry *entry_new(const char *key, size_t n, int kind, int flags, size_t value_length) except NULL
# The same entry in another shape (kind, flags, value length), key, clock, expiry cell and, if it stays a string, the
# common part of the value kept; the old block is gone (an object that is dropped is released). The caller puts the
# result into the slot.
cdef Entry *entry_reshape(Entry *e, int kind, int flags, size_t value_length) except NULL
cdef void entry_free(Entry *e) noexcept                                 # releases the object too
cdef uint32_t hash_bytes(const char *p, size_t n) noexcept nogil        # SipHash-1-3 with the process's random seed
cdef int set_seed(bytes seed) except -1                                 # 16 bytes; for tests, before any table exists

# --- the table -----------------------------------------------------------------------------------------------------

cdef class Table:
    cdef Bucket *buckets[2]     # [1] is the one growing (or shrinking) into, NULL when at rest
    cdef size_t count[2]        # entries in each
    cdef uint8_t exponent[2]    # log2 of the number of top-level buckets
    cdef Py_ssize_t moved       # next bucket of [0] to move, -1 at rest
    cdef int held               # while > 0 nothing is moved (an iteration is under way)

    # A pointer to the slot that holds the entry, NULL if there is none. Valid until the next change of the table.
    cdef Entry **find(self, const char *key, size_t n) noexcept
    cdef Entry **find_hashed(self, const char *key, size_t n, uint32_t hash) noexcept
    # Adds an entry whose key is known to be absent; the table owns it. Does a step of an unfinished growth.
    cdef int insert(self, Entry *e) except -1
    # Unlinks an entry and gives it to the caller (who frees it); NULL if there is none. May begin to shrink.
    cdef Entry *take(self, const char *key, size_t n) noexcept
    # The slot that holds this very entry (compares the pointer, uses its hash).
    cdef Entry **slot_of(self, Entry *e) noexcept
    # A fairly chosen slot (uniform within a bucket chain); NULL if the table is empty.
    cdef Entry **random(self) noexcept
    # Calls visit for the entries of one step; returns the next cursor, 0 at the end. visit must not change the table.
    cdef uint64_t scan(self, uint64_t cursor, visitor visit, void *context) except? 0
    cdef void start(self, Position *position) noexcept
    cdef Entry **next(self, Position *position) noexcept                # NULL at the end
    cdef bint step(self, int buckets) noexcept                          # moves that many buckets; False when at rest
    cdef int expand(self, size_t count) except -1                       # room for count entries, without incremental work
    cdef size_t clear_some(self, size_t budget) noexcept                # frees up to budget entries; what is left
    cdef size_t size_in_memory(self) noexcept                           # bucket arrays and chains, without the entries
