# Hash: fields with values. Small: a listpack of field, value, field, value; else a table with inline values. Once a field has
# been given a time to expire: the forms of expiring.pxd. The hash knows no clock: it is told by hide() up to when fields have
# expired. These are no longer shown, but counted and kept until pop_expired() or somebody else deletes them.

cimport cython
from libc.stdint cimport int64_t, uint64_t

from carnelian.types.expiring cimport Expiring, HashWalk
from carnelian.types.listpack cimport Item, pack
from carnelian.types.members cimport EXPIRING

@cython.final
cdef class Hash:
    cdef size_t word            # see members.pxd

    cdef size_t length(self) noexcept
    # An Item points into the hash (or, of an integer, into itself): valid until the hash changes, not to be moved.
    cdef bint get_field(self, const char *field, size_t n, Item *value) noexcept        # False: no such field
    cdef bint has_field(self, const char *field, size_t n) noexcept
    cdef int set_field(self, const char *field, size_t n, const char *value, size_t m) except -1    # 1 new, 0 updated
    cdef int delete_field(self, const char *field, size_t n) except -1                  # 1, or 0: no such field
    cdef int update_field(self, const char *field, size_t n, const char *value, size_t m, bint keep) except -1
    cdef void start(self, HashWalk *walk) noexcept
    cdef void start_all(self, HashWalk *walk) noexcept  # hidden fields too; walk.time is given with each
    cdef bint next(self, HashWalk *walk, Item *field, Item *value) noexcept             # False at the end
    cdef bint random(self, Item *field, Item *value) noexcept                           # False: it is empty
    cpdef int reserve(self, size_t count) except -1     # before so many fields are set: may choose the encoding

    cpdef bytes get(self, bytes field)                  # None: no such field
    cpdef size_t value_length(self, bytes field) except? 0
    cpdef bint set(self, bytes field, bytes value) except -1        # a time that the field had is gone
    cpdef bint update(self, bytes field, bytes value) except -1     # it stays
    cpdef bint delete(self, bytes field) except -1

    cdef int enlarge(self, size_t count) except -1      # to a table with room for count fields
    cdef list _list(self, bint keys, bint values)

    # --- times: milliseconds since the epoch, positive; 0: none
    cdef void hide(self, int64_t now) noexcept          # fields whose time is up to now are no longer shown
    cdef int64_t soonest(self) noexcept                 # of the times
    cpdef int64_t time_of(self, bytes field) noexcept   # -1: no such field
    cpdef bint schedule(self, bytes field, int64_t at) except -1    # gives a field a time, or (0) takes it; False: no such field
    cpdef bint hides(self) noexcept                     # whether any field is hidden
    cdef size_t shown(self) noexcept                    # fields that are not
    cdef bint is_table(self) noexcept
    cpdef bint is_hidden(self, bytes field) noexcept    # it is there, but no longer shown
    cpdef list pop_expired(self, int64_t now, size_t most)          # deletes fields whose time is up to now: their names

cdef inline Expiring *expiring_at(size_t word) noexcept nogil:
    return <Expiring *>(word - EXPIRING)

cdef inline bint expires(Hash hash) noexcept:
    """Whether the hash is in a form in which fields expire."""
    return hash.word & EXPIRING != 0
