# What the consumer groups of a stream know of an entry, and removing entries with regard to it.

from libc.stdint cimport int64_t, uint64_t
from carnelian.types.stream cimport Stream

cdef enum Policy:
    KEEPREF             # entries go, and stay pending where they are
    DELREF              # they are no longer pending anywhere
    ACKED               # only those go that every group has delivered, and that are pending in none

# Whether a group has the entry still to deliver, or pending.
cdef bint is_referenced(Stream stream, uint64_t ms, uint64_t seq) except -1
