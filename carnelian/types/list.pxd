# List: a listpack while it is small, else a chain of nodes with a listpack each.

cimport cython
from carnelian.types.chain cimport Walk, walk_next, walk_skip
from carnelian.types.listpack cimport pack, Item

@cython.final
cdef class List:
    cdef size_t body            # a pack, or a Chain with the lowest bit set

    cdef Py_ssize_t length(self) noexcept
    # Adds one element. Whoever adds several at once says so first with `expect` (total bytes, elements): the encoding is
    # chosen for the whole, as in Redis.
    cdef int expect(self, size_t total, size_t elements) except -1
    cdef int put_left(self, const char *data, size_t n) except -1
    cdef int put_right(self, const char *data, size_t n) except -1
    # The element at an end, False if the list is empty; valid until the list is changed.
    cdef bint peek_left(self, Item *item) noexcept
    cdef bint peek_right(self, Item *item) noexcept
    # Removes the element at an end; the list must not be empty.
    cdef int drop_left(self) except -1
    cdef int drop_right(self) except -1
    # The element at an index (negative: from the end), False out of range.
    cdef bint seek(self, Py_ssize_t index, Item *item) noexcept
    # An iteration from an index (0 <= index < length) towards the right end, or the left: then walk_next(walk, &item).
    cdef void walk(self, Walk *walk, Py_ssize_t index, bint forward) noexcept

    cpdef int push_left(self, bytes element) except -1
    cpdef int push_right(self, bytes element) except -1
    cpdef object pop_left(self)                 # bytes, None if the list is empty
    cpdef object pop_right(self)
    cpdef object index(self, Py_ssize_t index)  # bytes, None out of range
    cpdef list range(self, Py_ssize_t start, Py_ssize_t stop)
    cpdef size_t memory(self) noexcept
    # Frees about `budget` elements (a whole node at a time) of a list that nobody needs any more: how many are left.
    cpdef size_t free_some(self, size_t budget) noexcept

    cdef int add(self, const char *data, size_t n, bint left) except -1
    cdef int remove_packed(self, size_t most, const char *data, size_t n, bint forward) except -1
    cdef int to_chain(self) except -1
    cdef int shrink(self, size_t part=*) except -1             # to a listpack, if one node is left and takes no more of it
