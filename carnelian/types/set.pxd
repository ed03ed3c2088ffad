# Set: distinct members. Integers alone: an intset; a few others: a listpack; else a table without values.

cimport cython
from libc.stdint cimport int64_t, uint64_t

from carnelian.types.listpack cimport Item, pack
from carnelian.types.table cimport Position

ctypedef struct SetWalk:        # of an iteration; valid while the set is not changed
    pack next
    size_t index
    Position position

@cython.final
cdef class Set:
    cdef size_t word            # see members.pxd

    cdef size_t length(self) noexcept
    cdef bint has(self, const char *data, size_t n) noexcept
    cdef bint has_item(self, Item *item) noexcept       # spares reading the digits of an integer
    cdef int add(self, const char *data, size_t n) except -1                # 1 new, 0 it was there
    cdef int add_item(self, Item *item) except -1
    cdef int remove(self, const char *data, size_t n) except -1             # 1, or 0: it was not there
    cdef int remove_item(self, Item *item) except -1
    cdef void start(self, SetWalk *walk) noexcept
    # An Item points into the set (or, of an integer, into itself): valid until the set changes, not to be moved.
    cdef bint next(self, SetWalk *walk, Item *member) noexcept              # False at the end
    cdef bint random(self, Item *member) noexcept                           # False: it is empty
    # Before so many members are added, the first of them given: may choose the encoding.
    cdef int reserve(self, const char *first, size_t n, size_t count) except -1

    cpdef bint insert(self, bytes member) except -1     # True: it is new
    cpdef bint discard(self, bytes member) except -1    # True: it was there

    # The steps of the calls above.
    cdef int add_integer(self, int64_t number) except -1
    cdef int add_to_pack(self, const char *data, size_t n) except -1
    cdef int pack_integers(self) except -1              # from intset to listpack
    cdef int enlarge(self, size_t count) except -1      # to a table with room for count members
    cdef void replace(self, size_t word) noexcept       # takes over another encoding, frees the present one
