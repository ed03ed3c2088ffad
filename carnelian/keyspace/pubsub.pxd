# Channels, patterns and shard channels, and who listens.

from carnelian.keyspace.session cimport Session

cdef class PubSub:
    cdef readonly dict channels         # name -> {session: None}
    cdef readonly dict patterns
    cdef readonly dict shard_channels
    cdef object deliver
    cdef Session executing              # the client whose command is under way: a message to it comes after the reply
    cdef list postponed                 # (session, words)

    # Sends one message: bytes, or anything that a reply may hold.
    cdef int say(self, Session session, tuple words) except -1
    cdef int say_postponed(self) except -1
