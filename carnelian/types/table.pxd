# The hash table: keys of the keyspace, fields of a large hash, members of a large set or sorted set.
#
# An entry is one block of C memory:
#     Entry header (16) | expiry cell (16, if EXPIRES) | word (8, if kind != INLINE) | key | value
# The word is a Python object (kinds LIST ... STREAM; the entry owns one reference) or a double (kind SCORED).
# Buckets are 64 bytes, one cache line: seven tags of 8 bits and seven entries; a full bucket chains to a child.
# Growth and shrinking are incremental; the cursor of `scan` walks buckets in reverse binary order.

cimport cython
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

cdef enum:
    LARGE_OBJECT = 64           # elements

cdef enum:                      # of buckets
    CHAINED = 0x80              # bit of `filled`
    ALIGNED_FROM = 3            # arrays of 2**3 buckets and more begin on a cache line
    LARGEST_RATIO = 4           # log2 of the two arrays' sizes: a step of a scan looks at so many buckets at most

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
    uint8_t filled              # bits 0 to 6: which slots hold an entry; bit 7: chained (slot 6 is the child, bit 6 is 0)
    Entry *slots[7]

ctypedef struct Position:       # of an iteration over all entries; valid while the table is not changed (while held: is not cleared)
    int table
    size_t bucket
    Bucket *link
    int slot

cdef extern from *:
    """
    #if defined(_MSC_VER)
    #include <intrin.h>
    static __inline int carnelian_lowest_bit(unsigned __int64 x) { unsigned long i; _BitScanForward64(&i, x); return (int)i; }
    #define carnelian_prefetch(p) ((void)(p))
    #else
    #define carnelian_lowest_bit(x) __builtin_ctzll(x)
    #define carnelian_prefetch(p) __builtin_prefetch(p)
    #endif
    #if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    #define carnelian_little_endian(x) __builtin_bswap64(x)
    #else
    #define carnelian_little_endian(x) (x)
    #endif
    """
    int lowest_bit "carnelian_lowest_bit" (uint64_t x) noexcept nogil       # its index; x is not 0
    # Constants over 31 bits: as literals in the source they would become Python objects.
    const size_t LARGEST_LENGTH "0xFFFFFFFFull"
    const uint64_t ONES "0x0101010101010101ull"
    const uint64_t LOWER "0x7F7F7F7F7F7F7F7Full"
    const uint64_t SPREAD "0x0002040810204081ull"
    const uint64_t SIP0 "0x736F6D6570736575ull"
    const uint64_t SIP1 "0x646F72616E646F6Dull"
    const uint64_t SIP2 "0x6C7967656E657261ull"
    const uint64_t SIP3 "0x7465646279746573ull"
    const uint64_t EVERY1 "0x5555555555555555ull"
    const uint64_t EVERY2 "0x3333333333333333ull"
    const uint64_t EVERY4 "0x0F0F0F0F0F0F0F0Full"
    const uint64_t EVERY8 "0x00FF00FF00FF00FFull"
    const uint64_t EVERY16 "0x0000FFFF0000FFFFull"
    uint64_t little_endian "carnelian_little_endian" (uint64_t x) noexcept nogil
    void prefetch "carnelian_prefetch" (const void *p) noexcept nogil

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

# The bytes that the block of an entry takes: with the flag RAW roomy() of its parts, so that appending is cheap; else exact.
cdef size_t entry_size(Entry *e) noexcept nogil
# A new block: header, key and flags are filled in (hash too), the word is 0; expiry cell and value are left to the caller.
cdef Entry *entry_new(const char *key, size_t n, int kind, int flags, size_t value_length) except NULL
# The same entry in another shape (kind, flags, value length), key, clock, expiry cell and, if it stays a string, the
# common part of the value kept; the old block is gone (an object that is dropped is released). The caller puts the
# result into the slot.
cdef Entry *entry_reshape(Entry *e, int kind, int flags, size_t value_length) except NULL
cdef void entry_free(Entry *e) noexcept                                 # releases the object too
cdef uint32_t hash_bytes(const char *p, size_t n) noexcept nogil        # SipHash-1-3 with the process's random seed
cpdef int set_seed(bytes seed) except -1                                # 16 bytes; for tests, before any table exists
cdef uint64_t random_bits() noexcept nogil                              # xoroshiro128++, seeded by the operating system
cdef uint64_t random_below(uint64_t n) noexcept nogil                   # 0 <= result < n

# --- the table -----------------------------------------------------------------------------------------------------

@cython.final
cdef class Table:
    cdef Bucket *buckets[2]     # [1] is the one growing (or shrinking) into, NULL when at rest
    cdef size_t count[2]        # entries in each
    cdef size_t links           # chained buckets
    cdef uint8_t exponent[2]    # log2 of the number of top-level buckets
    cdef Py_ssize_t moved       # next bucket of [0] to move (of a table being cleared: to clear), -1 at rest
    cdef int held               # while > 0 no entry changes its place (an iteration is under way)

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
    cdef bint step(self, int buckets) noexcept                          # moves that many buckets; False when at rest or held
    cdef int expand(self, size_t count) except -1                       # room for count entries, without incremental work
    # Frees up to budget entries; what is left. Objects of more than LARGE_OBJECT elements are put into `spared` if it is given:
    # releasing one of them could take as long as all the rest.
    cdef size_t clear_some(self, size_t budget, list spared=*) noexcept
    cdef size_t size_in_memory(self) noexcept                           # bucket arrays and chains, without the entries
