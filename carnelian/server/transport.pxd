# The data plane of systems without epoll: the same connections behind asyncio's own transports.

from carnelian.server.connection cimport Clients, Connection

cdef class StreamConnection(Connection):
    cdef object transport
    cdef bint full                      # the transport wants no more for now
