from libc.stdint cimport int64_t
from carnelian.keyspace.session cimport Session

cdef class Blocked:
    cdef readonly Session session
    cdef readonly object command        # the engine's BoundCommand
    cdef readonly tuple words           # the request to run again
    cdef readonly int database
    cdef readonly tuple keys
    cdef readonly int64_t deadline      # milliseconds since the epoch, 0: none
    cdef public int64_t again           # when the request is to be tried again even if no key is changed; 0: never
    cdef readonly object on_timeout
    cdef readonly bint on_delete        # runs again too when the key is deleted or becomes another type
    cdef readonly str kind              # what the key must hold to run again: "list", "zset", "stream"
