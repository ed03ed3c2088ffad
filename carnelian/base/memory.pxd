# The only allocator of the package. Every block that outlives a call comes from here, so that `used` is a measurement.
# Blocks come from PyMem: size classes of 16 bytes without a header up to 512 bytes, malloc above, and the guards of
# PYTHONMALLOC=debug around both. The caller gives the size back on release (it knows it: no header is kept).

cdef extern from "Python.h" nogil:
    void *PyMem_Malloc(size_t n)
    void *PyMem_Calloc(size_t n, size_t size)
    void *PyMem_Realloc(void *p, size_t n)
    void PyMem_Free(void *p)

cdef size_t used                                                    # bytes now allocated, rounded as the allocator does

cdef void *allocate(size_t n) except NULL                           # MemoryError
cdef void *allocate_zeroed(size_t n) except NULL                    # large blocks: pages are not touched before their first use
cdef void *attempt_zeroed(size_t n) noexcept                        # NULL, without an exception, when there is no memory
cdef void *resize(void *p, size_t old, size_t new) except NULL      # p may be NULL with old == 0; MemoryError leaves p whole
cdef void release(void *p, size_t n) noexcept                       # p may be NULL
cdef void account(Py_ssize_t n) noexcept                            # memory held elsewhere (a Python object), counted as ours

cdef inline size_t block_size(size_t n) noexcept nogil:
    """What the allocator really takes for n bytes."""
    if n <= 512:
        return (n + 15) & ~<size_t>15
    return ((n + 8 + 15) & ~<size_t>15)

cdef inline size_t roomy(size_t n) noexcept nogil:
    """A capacity for n bytes that grows in steps of an eighth: appending costs amortised O(1), waste at most 12.5 %.

    It is a function of n alone, so a growing buffer needs to keep no capacity: its size gives it.
    """
    cdef size_t step = 16
    if n > 512:
        while (step << 4) < n:
            step <<= 1
    return (n + step - 1) & ~(step - 1)
