# The hash table: keys of the keyspace, fields of a large hash, members of a large set or sorted set.
#
# Buckets are 64 bytes, one cache line: seven tags of 8 bits and seven entries (entry.pxd); a full bucket chains to a child.
# Growth and shrinking are incremental; the cursor of `scan` walks buckets in reverse binary order.

cimport cython
from libc.stdint cimport int64_t, uint64_t, uint32_t, uint16_t, uint8_t
from cpython.object cimport PyObject
# For whoever uses a table, entries are part of it.
from carnelian.types.entry cimport (
    EXPIRES, HASH, INLINE, LIST, MODULE, RAW, SCORED, SEEN, SET, SORTED_SET, STREAM, VISITED, Entry, ExpiryCell, entry_expiry,
    entry_free, entry_key, entry_kind, entry_new, entry_object, entry_reshape, entry_score, entry_size, entry_value, entry_word)
from carnelian.types.hashing cimport hash_bytes, random_below, random_bits

cdef enum:
    LARGE_OBJECT = 64           # elements

cdef enum:                      # of buckets
    CHAINED = 0x80              # bit of `filled`
    ALIGNED_FROM = 3            # arrays of 2**3 buckets and more begin on a cache line
    LARGEST_RATIO = 4           # log2 of the two arrays' sizes: a step of a scan looks at so many buckets at most

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
    """
    int lowest_bit "carnelian_lowest_bit" (uint64_t x) noexcept nogil       # its index; x is not 0
    # Constants over 31 bits: as literals in the source they would become Python objects.
    const uint64_t ONES "0x0101010101010101ull"
    const uint64_t LOWER "0x7F7F7F7F7F7F7F7Full"
    const uint64_t SPREAD "0x0002040810204081ull"
    const uint64_t EVERY1 "0x5555555555555555ull"
    const uint64_t EVERY2 "0x3333333333333333ull"
    const uint64_t EVERY4 "0x0F0F0F0F0F0F0F0Full"
    const uint64_t EVERY8 "0x00FF00FF00FF00FFull"
    const uint64_t EVERY16 "0x0000FFFF0000FFFFull"
    void prefetch "carnelian_prefetch" (const void *p) noexcept nogil

ctypedef int (*visitor)(void *context, Entry **slot) except -1

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
