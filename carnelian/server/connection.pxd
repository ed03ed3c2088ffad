# The connections of a server, whatever moves their bytes: reactor/epoll.py or transport.py.

from libc.stdint cimport int64_t, uint64_t
from carnelian.engine.engine cimport Engine
from carnelian.keyspace.session cimport Session
from carnelian.keyspace.store cimport Store

cdef enum:                              # the classes of client-output-buffer-limit
    NORMAL = 0
    REPLICA = 1
    PUBSUB = 2

cdef struct OutputLimit:
    int64_t hard                        # bytes; 0: none
    int64_t soft
    int64_t soft_milliseconds

# All connections of one server: settings, admission, counters.
cdef class Clients:
    cdef readonly Engine engine
    cdef readonly Store store
    cdef readonly list connections      # those that are open, in no order
    cdef OutputLimit output_limits[3]
    cdef public int64_t maximum                     # maxclients
    cdef public int64_t idle_milliseconds           # timeout; 0: none
    cdef readonly int64_t query_buffer_limit
    cdef readonly int64_t bulk_limit                # proto-max-bulk-len
    cdef public bint protected_mode
    cdef public int64_t received                    # connections since the start
    cdef public int64_t rejected
    cdef public int64_t bytes_in
    cdef public int64_t bytes_out
    cdef public int64_t reads
    cdef public int64_t writes
    cdef public int64_t query_buffer_disconnections
    cdef public int64_t output_buffer_disconnections
    cdef readonly list resumed          # connections whose reader holds requests that were put off: run them next
    cdef Py_ssize_t swept
    cdef int64_t swept_at               # steady nanoseconds
    cdef int64_t due                    # of the periodic work

    # Runs what had been put off, to be called within a batch.
    cdef int resume(self) except -1
    cdef int remove(self, Connection connection) except -1
    # Sends what every session of store.pending has to say, and closes those that are to be closed.
    cpdef int flush(self) except -1
    # Looks after a share of the connections: idle time, buffers, limits.
    cpdef int sweep(self, Py_ssize_t share) except -1
    # Does the periodic work if it is due. Milliseconds until it will be.
    cpdef double work(self) except -1

cdef class Connection(Session):
    cdef readonly Clients clients
    cdef readonly bint closed
    cdef bint ended                     # the peer has closed its sending side
    cdef bint backlog                   # its pipeline was interrupted so that replies can leave
    cdef Py_ssize_t place               # in clients.connections

    # n bytes have been put into reader.room(): runs what they ask.
    cdef int take(self, size_t n) except -1
    # Runs the requests that reader holds.
    cdef int run(self) except -1
    # The peer sends no more.
    cdef int end_of_input(self) except -1
    # Sends what it can, and closes if that is due.
    cdef int deliver(self) except -1
    # To be called before bytes leave: with so much output the engine may have interrupted the pipeline.
    cdef void note_backlog(self) noexcept
    cdef int check_output_limit(self, int64_t pending) except -1
    cdef int look_after(self, int64_t now) except -1
    cpdef int close(self) except -1
    # What the data plane does: send from the writer what the peer takes now; stop to read; let go of the socket.
    cdef int transmit(self) except -1
    cdef int steer(self) except -1
    cdef int hang_up(self) except -1
