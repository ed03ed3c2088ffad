# What a command's body works with. docs/architecture.md describes each method.

from libc.stdint cimport int64_t
from carnelian.keyspace.database cimport Database
from carnelian.keyspace.session cimport Session
from carnelian.keyspace.store cimport Store
from carnelian.keyspace.waiting cimport Blocked
from carnelian.types.table cimport Entry

cdef class Call:
    cdef readonly Store store
    cdef readonly object engine             # for words about the engine itself; commands/ has no use for it
    cdef public Session session
    cdef public Database db
    cdef public tuple words                 # the request, name included
    cdef public object command              # the engine's BoundCommand
    cdef public str group
    cdef public bint reading                # the word is READONLY: lookups count hits and misses
    cdef public bint may_wait               # not inside MULTI or a script
    cdef public bint modified               # something was changed
    cdef list created                       # keys made by create=True that nothing was put into yet
    cdef list effects                       # given by propagate(), None: the received words
    cdef bytes last_key                     # the structure that was looked up last
    cdef object last_structure
    cdef public Blocked resuming            # the record of a parked request that runs again
    cdef public Blocked parked              # what wait() has made

    cdef int begin(self, Session session, object command, tuple words) except -1
    cdef int finish(self) except -1
    cdef Entry **find(self, bytes key) noexcept
    cdef int count(self, bytes key, bint found) except -1
    cdef object structure_at(self, bytes key, int kind, bint create)
    cpdef bytes string_at(self, bytes key)
    cpdef object list_at(self, bytes key, bint create=*)
    cpdef object hash_at(self, bytes key, bint create=*)
    cpdef object set_at(self, bytes key, bint create=*)
    cpdef object sorted_set_at(self, bytes key, bint create=*)
    cpdef object stream_at(self, bytes key, bint create=*)
    cpdef object json_at(self, bytes key)
    cpdef object value_at(self, bytes key)
    cpdef int set_string(self, bytes key, bytes value, bint keep_expiry=*) except -1
    cpdef int64_t overwrite(self, bytes key, size_t offset, bytes data) except -1
    cpdef int64_t string_length(self, bytes key) except -1
    cpdef bytes string_slice(self, bytes key, int64_t start, int64_t stop)
    cpdef int put(self, bytes key, object structure, bint keep_expiry=*) except -1
    cpdef bint delete(self, bytes key) except -1
    cpdef bint exists(self, bytes key) except -1
    cpdef bint present(self, bytes key) except -1
    cpdef str kind(self, bytes key)
    cpdef object expiry(self, bytes key)
    cpdef bint expire(self, bytes key, int64_t at) except -1
    cpdef bint persist(self, bytes key) except -1
    cpdef int changed(self, bytes key, str event, int64_t n=*, Database db=*) except -1
    # Before a change that depends on whether fields are there: those that have expired are deleted, an effect of its own.
    cpdef int expire_fields(self, bytes key, object hash, tuple fields) except -1
    cpdef int notify(self, str event, bytes key) except -1
    cdef int flush_effects(self) except -1
