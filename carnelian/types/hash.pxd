# Hash: fields with values. Small: a listpack of field, value, field, value; else a table with inline values.

cimport cython
from libc.stdint cimport uint64_t

from carnelian.types.listpack cimport Item, pack
from carnelian.types.table cimport Position

ctypedef struct HashWalk:       # of an iteration; valid while the hash is not changed
    pack next
    Position position

@cython.final
cdef class Hash:
    cdef size_t word            # see members.pxd

    cdef size_t length(self) noexcept
    # An Item points into the hash (or, of an integer, into itself): valid until the hash changes, not to be moved.
    cdef bint get_field(self, const char *field, size_t n, Item *value) noexcept        # False: no such field
    cdef bint has_field(self, const char *field, size_t n) noexcept
    cdef int set_field(self, const char *field, size_t n, const char *value, size_t m) except -1    # 1 new, 0 updated
    cdef int delete_field(self, const char *field, size_t n) except -1                  # 1, or 0: no such field
    cdef void start(self, HashWalk *walk) noexcept
    cdef bint next(self, HashWalk *walk, Item *field, Item *value) noexcept             # False at the end
    cdef bint random(self, Item *field, Item *value) noexcept                           # False: it is empty
    cpdef int reserve(self, size_t count) except -1     # before so many fields are set: may choose the encoding

    cpdef bytes get(self, bytes field)                  # None: no such field
    cpdef size_t value_length(self, bytes field) except? 0
    cpdef bint set(self, bytes field, bytes value) except -1
    cpdef bint delete(self, bytes field) except -1

    cdef int enlarge(self, size_t count) except -1      # to a table with room for count fields
    cdef list _list(self, bint keys, bint values)
