# One client, as the engine sees it: a connection of the server, or an embedded caller.

from libc.stdint cimport int64_t, uint64_t
from carnelian.protocol.reader cimport Reader
from carnelian.protocol.writer cimport Writer
from carnelian.keyspace.database cimport Database

cdef enum:                              # Session.flags
    IN_MULTI = 1                        # between MULTI and EXEC
    ABORTED = 2                         # a command was refused while queueing: EXEC answers EXECABORT
    TOUCHED = 4                         # a watched key was changed: EXEC answers null
    CLOSE_AFTER_REPLY = 8               # send what is written, then close
    CLOSE_NOW = 16                      # close, whatever is pending
    BLOCKED = 32                        # parked by Call.wait or CLIENT PAUSE: no further request is run
    SUBSCRIBED = 64                     # has at least one channel, pattern or shard channel
    MONITOR = 128
    QUEUED_OUTPUT = 256                 # stands in Store.pending
    NO_EVICT = 512
    NO_TOUCH = 1024
    REPLY_OFF = 2048                    # CLIENT REPLY OFF
    REPLY_SKIP = 4096                   # the reply of this command is dropped
    REPLY_SKIP_NEXT = 8192
    UNAUTHENTICATED = 16384
    UNIX_SOCKET = 32768
    PAUSED = 65536                      # BLOCKED because of CLIENT PAUSE
    INTERNAL = 131072                   # no connection behind it
    PROTOCOL_ERROR = 262144
    TRACKING = 524288                   # CLIENT TRACKING: the keys that it reads are remembered
    CACHING = 1048576                   # CLIENT CACHING YES or NO is in force
    TOLD = 2097152                      # gets invalidations of another client: no twin, so that they come between replies
    READONLY_MODE = 4194304             # READONLY was said (cluster mode)
    CAPA_REDIRECT = 8388608             # CLIENT CAPA redirect
    RESTRICTED = 16777216               # its user may not do everything: no twin runs, every request is checked
    SIGNED_IN = 33554432                # has authenticated, or came when nobody had to

cdef class Session:
    cdef readonly int64_t id
    cdef readonly Reader reader
    cdef readonly Writer writer
    cdef public Database db
    cdef public int64_t flags
    cdef public bytes user              # the user's name
    cdef public object rights           # the engine's acl_rules.User; None: may do everything
    cdef public bytes name
    cdef public bytes library_name
    cdef public bytes library_version
    cdef public str address             # "ip:port" of the peer, or the socket's path with ":0"
    cdef public str local_address
    cdef public int descriptor          # file descriptor, -1 if there is none
    cdef public int64_t created         # milliseconds since the epoch
    cdef public int64_t active          # of the last interaction
    cdef public int64_t bytes_in
    cdef public int64_t bytes_out
    cdef public object command          # the last Command, or None
    cdef public list queue              # of MULTI: (Command, words) pairs
    cdef public dict watched            # (database index, key) -> whether it had expired when it was watched
    cdef public dict channels           # ordered sets
    cdef public dict patterns
    cdef public dict shard_channels
    cdef public object waiting          # the Blocked record while BLOCKED
    cdef public object tracker          # tracking.Tracker, None if CLIENT TRACKING was never said
    cdef public int64_t soft_limit_since        # client-output-buffer-limit: since when over the soft limit, 0: not

    cpdef bint is_pubsub(self)
