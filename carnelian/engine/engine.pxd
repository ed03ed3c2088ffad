# The embeddable core: command table, dispatch, transactions. No sockets, no event loop.

from libc.stdint cimport int64_t, uint64_t
from carnelian.protocol.reader cimport Slice
from carnelian.keyspace.session cimport Session
from carnelian.keyspace.store cimport Store
from carnelian.keyspace.call cimport Call

cdef class Engine:
    cdef readonly Store store
    cdef readonly Call call
    cdef public dict commands           # lower-case name (bytes) -> BoundCommand

    # The server calls, for each turn of its loop:
    #   begin_batch()                   once: the clock is read
    #   drain(session)                  for each session with new bytes in session.reader
    #   end_batch()                     once: what must happen before any reply leaves (group commit)
    # and then sends what every session in store.pending has in its writer, takes it out of the list and lowers QUEUED_OUTPUT.
    cpdef int begin_batch(self) except -1
    # Runs every whole request of session.reader; replies are in session.writer. Errors become replies; a protocol error sets
    # CLOSE_AFTER_REPLY. Stops early when the session is blocked or closing. Never raises for anything a client sent.
    cpdef int drain(self, Session session) except -1
    cpdef int end_batch(self) except -1
    cpdef int attach(self, Session session) except -1       # a client has come
    cpdef int detach(self, Session session) except -1       # and gone: watches, waits and subscriptions end
    cpdef double cron(self) except -1                       # expiry, timeouts, eviction, sliced freeing; seconds until it wants
                                                            # to be called again (at most 0.1)
