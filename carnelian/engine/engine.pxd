# The embeddable core: command table, dispatch, transactions. No sockets, no event loop.

from libc.stdint cimport int64_t, uint64_t, uint32_t
from carnelian.protocol.reader cimport Slice
from carnelian.keyspace.session cimport Session
from carnelian.keyspace.store cimport Store
from carnelian.keyspace.tracking cimport Tracking
from carnelian.keyspace.waiting cimport Blocked
from carnelian.engine.command_table cimport BoundCommand, CommandTable
from carnelian.keyspace.call cimport Call

# The compiled twin of a word: answers the common case from the slices of the input buffer, straight into the writer, and
# returns 1; or changes nothing and returns 0: then the general body runs. It raises nothing but MemoryError.
ctypedef int (*lane)(Engine engine, Session session, Slice *words, int count) except -1

cdef class Engine:
    cdef readonly Store store
    cdef readonly Call call
    cdef readonly CommandTable table
    cdef readonly Tracking tracking         # client-side caching
    cdef public object cluster              # cluster.Cluster, or None: not in cluster mode
    cdef int careful                        # 1: no twin may run (MONITOR, CLIENT PAUSE); 2: only for loading (refusals)
    cdef public int64_t maxmemory
    cdef public str eviction_policy
    cdef public int eviction_samples
    cdef readonly object acl                # acl.AccessControl: users and what they may do
    cdef public int64_t slowlog_threshold   # microseconds; negative: off
    cdef readonly object slowlog            # deque of entries (statistics.slow_entry), newest first
    cdef public int64_t slowlog_next
    cdef readonly object large_requests     # the like, with bytes instead of microseconds
    cdef readonly object large_replies
    cdef public int64_t large_requests_next
    cdef public int64_t large_replies_next
    cdef int64_t request_limit              # bytes; a request or a reply of as many is logged
    cdef int64_t reply_limit
    cdef public int64_t latency_threshold   # milliseconds; 0: off
    cdef readonly dict latency_events       # event -> deque of (seconds since the epoch, milliseconds)
    cdef readonly dict monitors             # sessions that have said MONITOR
    cdef readonly dict sessions             # id -> Session
    cdef readonly dict error_counts         # "ERR" -> how often
    cdef public bint latency_tracking
    cdef public int64_t processed           # commands
    cdef public int64_t next_deadline       # milliseconds since the epoch of the first timeout of a parked client, 0: none;
                                            # whoever calls cron() looks at it after each batch
    cdef readonly int64_t pause_until
    cdef readonly bint pause_writes_only
    cdef list postponed                     # (session, words) of clients held by CLIENT PAUSE
    cdef list awake                         # sessions unblocked by a command under way: they go on after it
    cdef int64_t last_end                   # when the last command of a pipeline ended; 0: not known; -1: no pipeline is run
    cdef int64_t processed_before           # commands at the last turn of cron
    cdef int running                        # bodies under way (EXEC and the words in it: 2)
    cdef list transaction_effects           # while EXEC runs
    cdef bint executing                     # an EXEC is under way
    cdef uint32_t sampled
    cdef public bint cron_paused            # DEBUG PAUSE-CRON: nothing expires by itself
    cdef readonly object samples            # of the rates that INFO shows
    cdef public object persistence          # persistence.Persistence, or None
    cdef readonly bint loading              # files are being loaded
    cdef readonly str refusal               # the error with which writes are answered (MISCONF), or None
    cdef public object script               # the scripting.Interpreter that runs a script now, or None
    cdef public object interpreter          # EVAL's scripting.Interpreter, once there was a script
    cdef public object functions            # scripting.Functions: the libraries of functions, once one was asked for
    cdef readonly bint busy                 # the script has run for longer than busy_threshold: others are told so
    cdef public int64_t busy_threshold      # busy-reply-threshold, milliseconds
    cdef public object meanwhile            # a server's function that serves clients for a moment while a script is busy, or None
    cdef bint short_of_memory               # the last word was begun with more than maxmemory
    cdef public object server               # the server around the engine, or None
    cdef public object config               # its configuration, or None

    # The server calls, for each turn of its loop:
    #   begin_batch()                   once: the clock is read
    #   drain(session)                  for each session with new bytes in session.reader
    #   end_batch()                     once: what must happen before any reply leaves (group commit)
    # and then sends what every session in store.pending has in its writer, takes it out of the list and lowers QUEUED_OUTPUT.
    cpdef int begin_batch(self) except -1
    # Runs every whole request of session.reader; replies are in session.writer. Errors become replies; a protocol error sets
    # CLOSE_AFTER_REPLY. Stops early when the session is blocked or closing. Never raises for anything a client sent.
    # 1: it stopped because much output has gathered: send it, then call again. 0: everything was run.
    cpdef int drain(self, Session session) except -1
    cpdef int end_batch(self) except -1
    cpdef int attach(self, Session session) except -1       # a client has come
    cpdef int detach(self, Session session) except -1       # and gone: watches, waits and subscriptions end
    cpdef double cron(self) except -1                       # expiry, timeouts, eviction, sliced freeing; seconds until it wants
                                                            # to be called again (at most 0.1)
    cdef int set_twin(self, bytes name, lane twin) except -1
    cdef int run(self, Session session, Slice *words, int count) except -1
    cdef int has_run(self, Session session, BoundCommand command) except -1
    cpdef int run_words(self, Session session, tuple words) except -1
    cdef int execute(self, Session session, BoundCommand command, tuple words) except -1
    cdef object invoke(self, Call call, Session session, BoundCommand command, tuple words)
    cdef int note_end(self, Session session, BoundCommand command, tuple words, int64_t elapsed) except -1
    cpdef int serve_meanwhile(self, Session session) except -1
    cdef int reply_error(self, Session session, BoundCommand command, str text) except -1
    cpdef int serve_ready(self) except -1
    cdef int go_on(self) except -1
    cpdef bint make_room(self) except -1
    cdef bint writes(self, Session session, BoundCommand command) except -1
    cdef bint oom_refuses(self, Session session, BoundCommand command) except -1
    cdef int refuse(self, Session session, BoundCommand command, str text) except -1
    cdef int note_sizes(self, Session session, BoundCommand command, tuple words, int64_t reply) except -1
    cdef int note_duration(self, Session session, BoundCommand command, tuple words, int64_t elapsed) except -1
    cdef int try_again(self, Blocked blocked, tuple place) except -1
    cdef bint is_paused(self, Session session, BoundCommand command) except -1
