# Cluster mode, as one node that owns every slot.

from carnelian.keyspace.session cimport Session

# The hash slot of a key, 0 to 16383.
cdef int slot_of(const char *key, size_t n) noexcept

cdef class Cluster:
    cdef readonly str node_id           # 40 hexadecimal digits
    cdef readonly str shard_id

    # The slot of a request's keys, -1 if it has none, -2 if they belong to several.
    cdef int slot_of_request(self, object command, tuple words) except -9
    # Whether the keys of a request (of EXEC: of all that is queued) belong to different slots.
    cdef bint is_split(self, Session session, object command, tuple words) except -1
