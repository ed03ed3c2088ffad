# Hashing and chance, for tables and for whoever needs a random number.

from libc.stdint cimport uint32_t, uint64_t

cdef extern from *:
    """
    #if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    #define carnelian_little_endian(x) __builtin_bswap64(x)
    #else
    #define carnelian_little_endian(x) (x)
    #endif
    """
    uint64_t little_endian "carnelian_little_endian" (uint64_t x) noexcept nogil
    # Constants over 31 bits: as literals in the source they would become Python objects.
    const uint64_t SIP0 "0x736F6D6570736575ull"
    const uint64_t SIP1 "0x646F72616E646F6Dull"
    const uint64_t SIP2 "0x6C7967656E657261ull"
    const uint64_t SIP3 "0x7465646279746573ull"

cdef uint32_t hash_bytes(const char *p, size_t n) noexcept nogil        # SipHash-1-3 with the process's random seed
cpdef int set_seed(bytes seed) except -1                                # 16 bytes; for tests, before any table exists
cdef uint64_t random_bits() noexcept nogil                              # seeded by the operating system
cdef uint64_t random_below(uint64_t n) noexcept nogil                   # 0 <= result < n
