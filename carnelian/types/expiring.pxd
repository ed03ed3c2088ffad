# Fields of a hash of which some expire. Small: a listpack of field, value, time, the soonest first and those that do not
# expire last, as Redis has it; else a table, whose entries have an expiry cell, and a heap of them by time.
#
# Times are milliseconds since the epoch, positive; 0: the field does not expire. A field whose time is up to `hidden` is not
# there for who looks for it, until it is deleted.

from libc.stdint cimport int64_t, uint64_t

from carnelian.types.listpack cimport Item, pack
from carnelian.types.members cimport Members
from carnelian.types.table cimport Entry, Position

ctypedef struct Expiring:
    pack lp                     # NULL: a table
    Members *members
    Entry **heap                # the entries of the table that expire; each one's cell has its index
    size_t count                # of them
    size_t capacity
    int64_t hidden
    size_t place                # in its database's list of such hashes, plus one; 0: it is not there

ctypedef struct HashWalk:       # of an iteration over a hash; valid while the hash is not changed
    pack next
    Position position
    int64_t hidden              # fields that expire up to this time are left out
    int64_t time                # of the field that was given last

# Each takes over what it is given, which the caller no longer owns.
cdef Expiring *expiring_of_pack(pack lp) except NULL                # a listpack of fields and values; MemoryError leaves it
cdef Expiring *expiring_of_triples(pack lp) except NULL             # of fields, values and times, in order
cdef Expiring *expiring_of_table(Members *members) except NULL
cdef void expiring_free(Expiring *x) noexcept
cdef Expiring *expiring_copy(Expiring *x) except NULL
cdef size_t expiring_memory(Expiring *x) noexcept
cdef size_t expiring_length(Expiring *x) noexcept                   # hidden fields too
cdef size_t expiring_visible(Expiring *x) noexcept
# The time of the field, -1: no such field. An Item as in hash.pxd; `value` may be NULL.
cdef int64_t expiring_get(Expiring *x, const char *field, size_t n, Item *value) noexcept
cdef int64_t expiring_time(Expiring *x, const char *field, size_t n) noexcept               # of a hidden field, too
# 1 new (or hidden until now), 0 updated. The field's time is gone, or with `keep` it stays.
cdef int expiring_set(Expiring *x, const char *field, size_t n, const char *value, size_t m, bint keep) except -1
cdef bint expiring_delete(Expiring *x, const char *field, size_t n) except -1               # hidden ones too
cdef bint expiring_schedule(Expiring *x, const char *field, size_t n, int64_t at) except -1 # False: no such field
cdef int64_t expiring_soonest(Expiring *x) noexcept                 # of all times; 0: no field expires
cdef list expiring_pop(Expiring *x, int64_t now, size_t most)       # deletes fields whose time is up to now: their names
cdef void expiring_start(Expiring *x, HashWalk *walk) noexcept      # walk.hidden is given
cdef bint expiring_next(Expiring *x, HashWalk *walk, Item *field, Item *value) noexcept
cdef bint expiring_random(Expiring *x, Item *field, Item *value) noexcept                   # False: nothing is visible
cdef uint64_t expiring_scan(Expiring *x, uint64_t cursor, size_t count, object pattern, list found, bint values) except? 0
cdef int expiring_enlarge(Expiring *x, size_t count) except -1      # to a table with room for count fields
cdef int expiring_check(Expiring *x) except -1

# The step of several calls above: adds a field, which is not there, to the table; the place of its value, to be filled in.
cdef char *add(Expiring *x, const char *key, size_t n, size_t m, int64_t at) except NULL
