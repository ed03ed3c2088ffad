# The data plane of Linux: one epoll set with every client, every listening socket and the control plane in it.

cimport cython
from libc.stdint cimport int64_t, uint32_t
from carnelian.server.connection cimport Clients, Connection
from carnelian.server.reactor.system cimport epoll_event

cdef enum:
    EVENTS = 256                        # taken from the kernel at once

@cython.final
cdef class Listener:
    cdef readonly object socket         # keeps the descriptor open
    cdef readonly int descriptor
    cdef readonly bint is_unix
    cdef readonly str local_address     # "" where it depends on the connection
    cdef bint resting                   # out of descriptors: taken out of the epoll set for a moment

@cython.final
cdef class SocketConnection(Connection):
    cdef Reactor reactor
    cdef uint32_t interest              # the events asked for

    cdef int send_now(self) except -1

@cython.final
cdef class Reactor:
    cdef readonly Clients clients
    cdef int epoll
    cdef list table                     # by descriptor: SocketConnection, Listener or None
    cdef list listeners
    cdef epoll_event events[EVENTS]
    cdef int next                       # events[next:count] are yet to be served
    cdef int count
    cdef int64_t woke                   # nanoseconds: when the last wait ended
    cdef int64_t sent                   # bytes, as of then
    cdef int64_t allowance              # nanoseconds that may be spent asking epoll instead of sleeping
    cdef int control                    # descriptor of the control plane, -1: none
    cdef bint control_ready
    cdef public bint interrupted        # the control plane has got work: turn() is to return

    # Waits for events, at most so many milliseconds (-1: for ever), and serves some. How many; -1: a signal came.
    cdef int batch(self, int milliseconds) except -2
    cdef int wait(self, int milliseconds) noexcept
    cdef Py_ssize_t serve(self, object item, uint32_t events) except -1
    cdef int watch(self, int operation, int descriptor, uint32_t events) except -1
    cdef int put(self, int descriptor, object item) except -1
    cdef Py_ssize_t receive(self, SocketConnection connection) except -1
    cdef int accept(self, Listener listener) except -1
    cdef int welcome(self, Listener listener, int descriptor, str host, int port) except -1
