# HyperLogLogs as the strings that Redis stores.

from libc.stdint cimport int64_t, uint8_t, uint64_t

cdef extern from *:
    # A constant over 31 bits: as a literal in the source it would become a Python object.
    const uint64_t MURMUR "0xC6A4A7935BD1E995ull"

cdef enum Size:
    HEADER = 16
    REGISTERS = 16384
    DENSE = 12304                       # bytes of the dense form: the header and 6 bits for each register

cdef enum:
    SPARSE_CORRUPTED = -1
    SPARSE_FULL = -2
    GROWTH = 4                          # bytes by which a sparse one grows at most when a register rises
    EMPTY_SIZE = 18

cdef struct Place:
    int index                           # the register of an element
    int rank                            # 1 to 51: the position of the first 1 in the rest of its hash

cdef Place place_of(const char *element, size_t n) noexcept
cdef bint is_hyperloglog(const uint8_t *p, size_t n) noexcept       # by the header, and the size of a dense one
cdef bint is_dense(const uint8_t *p) noexcept
cdef int64_t cached(const uint8_t *p) noexcept                      # the cardinality in the header, -1 if it is out of date
cdef int register_at(const uint8_t *p, int index) noexcept          # of a dense one
cdef int rank_at(const uint8_t *p, size_t n, int index) noexcept     # of either form; -1: it is corrupted
cdef bint raise_rank(uint8_t *p, int index, int rank) noexcept      # of a dense one: whether it was lower
# Of a sparse one of n[0] bytes, which has room for GROWTH more: 1 if the register was lower, 0 if not; SPARSE_CORRUPTED;
# SPARSE_FULL, and nothing is done, where it has to become dense.
cdef int raise_sparse(uint8_t *p, size_t *n, int index, int rank) noexcept
cdef void set_outdated(uint8_t *p) noexcept                              # the cardinality in the header is not that of the registers
cdef int64_t estimate(const uint8_t *p, size_t n) except -1         # the cardinality; Corrupted
cdef int merge(uint8_t *registers, const uint8_t *p, size_t n) except -1    # the larger of each register's ranks; Corrupted
cdef int64_t estimate_registers(const uint8_t *registers) noexcept  # of REGISTERS ranks, one a byte

cdef const uint8_t *empty() noexcept    # the bytes of one that has counted nothing, EMPTY_SIZE

cdef class HyperLogLog:
    cdef readonly bytearray data

    cdef uint8_t *start(self) noexcept
    cdef bint raise_register(self, int index, int rank) except -1
    cpdef bint to_dense(self) except -1
