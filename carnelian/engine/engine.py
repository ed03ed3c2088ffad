# cython: language_level=3, cdivision=True
"""The embeddable core: command table, dispatch, blocking, the periodic work.

A request is run in `run`: by the word's compiled twin where it has one and nothing special is going on, else by
`run_words`, which makes `bytes` of the words, checks what Redis checks in Redis's order, and calls the body.
"""
import logging
from collections import deque

import cython
from cython.cimports.carnelian.base.clock import steady_nanoseconds, wall_microseconds
from cython.cimports.carnelian.keyspace.session import (
    ABORTED, BLOCKED, CACHING, CLOSE_AFTER_REPLY, CLOSE_NOW, IN_MULTI, INTERNAL, MONITOR, NO_TOUCH, PAUSED, PROTOCOL_ERROR,
    REPLY_OFF, REPLY_SKIP, REPLY_SKIP_NEXT, RESTRICTED, SUBSCRIBED, TOLD, TRACKING, UNAUTHENTICATED)
from cython.cimports.carnelian.keyspace.journal import Journal
from cython.cimports.carnelian.keyspace.pubsub import PubSub
from cython.cimports.carnelian.keyspace.tracking import Tracking
from cython.cimports.carnelian.keyspace.waiting import Blocked
from cython.cimports.carnelian.protocol.reader import Reader
from cython.cimports.carnelian.protocol.writer import Writer
from cython.cimports.carnelian.engine.cluster import Cluster
from cython.cimports.carnelian.engine.command_table import BoundCommand, CommandTable
from cython.cimports.carnelian.engine.vectorcall import PyObject_Vectorcall
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cython.cimports.cpython.object import PyObject
from cython.cimports.cpython.ref import Py_INCREF
from cython.cimports.cpython.tuple import PyTuple_GET_ITEM, PyTuple_GET_SIZE, PyTuple_New, PyTuple_SET_ITEM

from carnelian.base.errors import OutOfMemory, ProtocolError, ReplyError, WrongArity
from carnelian.base.replies import NO_REPLY, QUEUED, WAIT
from carnelian.engine import eviction, periodic, statistics
from carnelian.engine.refusals import internal_error, unknown, unknown_subcommand
from carnelian.engine.cluster import CROSS_SLOT
from carnelian.engine.acl import AccessControl
from carnelian.keyspace import declaration as declarations

log = logging.getLogger("carnelian")

WRITES = cython.declare(cython.ulonglong, declarations.WRITE)
MAY_REPLICATE = cython.declare(cython.ulonglong, declarations.MAY_REPLICATE)
DENYOOM = cython.declare(cython.ulonglong, declarations.DENYOOM)
READS = cython.declare(cython.ulonglong, declarations.READONLY)
NO_AUTH = cython.declare(cython.ulonglong, declarations.NO_AUTH)
NO_MULTI = cython.declare(cython.ulonglong, declarations.NO_MULTI)
SKIP_MONITOR = cython.declare(cython.ulonglong, declarations.SKIP_MONITOR | declarations.ADMIN)
SKIP_SLOWLOG = cython.declare(cython.ulonglong, declarations.SKIP_SLOWLOG)
# (P|S)SUBSCRIBE and (P|S)UNSUBSCRIBE: what they answer are messages, no reply, and come whatever CLIENT REPLY says.
CONFIRMED = cython.declare(cython.ulonglong, declarations.PUBSUB | declarations.NOSCRIPT)
FAST = cython.declare(cython.ulonglong, declarations.FAST)
WHILE_LOADING = cython.declare(cython.ulonglong, declarations.LOADING)
ALLOW_BUSY = cython.declare(cython.ulonglong, declarations.ALLOW_BUSY)

# Words that are run, not queued, between MULTI and EXEC.
NOT_QUEUED = frozenset({"exec", "discard", "multi", "watch", "quit", "reset"})
# Words of RESP2's subscribed mode.
SUBSCRIBED_WORDS = frozenset({"ping", "subscribe", "unsubscribe", "psubscribe", "punsubscribe", "ssubscribe", "sunsubscribe",
                              "quit", "reset"})
# Flags of a session with which no twin may run.
NO_TWIN = cython.declare(cython.longlong, IN_MULTI | SUBSCRIBED | UNAUTHENTICATED | REPLY_OFF | REPLY_SKIP | REPLY_SKIP_NEXT
                         | NO_TOUCH | RESTRICTED | TRACKING | TOLD)
# Output beyond which a pipeline is interrupted so that the replies can leave.
OUTPUT_AT_ONCE = cython.declare(cython.size_t, 1 << 20)
MOST_ARGUMENTS = cython.declare(cython.int, 62)
# Bytes that a request has at most around the span of its words.
FIRST_HEADER = cython.declare(cython.longlong, 32)
NO_LIMIT = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)


@cython.cfunc
def words_of(words: cython.pointer(Slice), count: cython.int) -> tuple:
    i: cython.int
    made: tuple = PyTuple_New(count)
    for i in range(count):
        word = PyBytes_FromStringAndSize(words[i].data, words[i].length)
        Py_INCREF(word)
        PyTuple_SET_ITEM(made, i, word)
    return made


@cython.final
@cython.cclass
class Engine:
    """Databases, words and their execution, for any number of sessions. One thread at a time."""

    def __init__(self, databases: int = 16):
        self.store = Store(databases)
        self.call = Call(self.store, self)
        self.table = CommandTable()
        self.last_end = -1
        self.maxmemory = 0
        self.eviction_policy = "noeviction"
        self.eviction_samples = 5
        self.slowlog_threshold = 10000
        self.slowlog = deque(maxlen=128)
        self.large_requests = deque(maxlen=128)
        self.large_replies = deque(maxlen=128)
        self.request_limit = self.reply_limit = 1 << 20
        self.latency_threshold = 0
        self.latency_events = {}
        self.latency_tracking = True
        self.monitors = {}
        self.sessions = {}
        self.tracking = Tracking(self.store, self.sessions)
        self.error_counts = {}
        self.postponed = []
        self.awake = []
        self.samples = statistics.Samples()
        self.busy_threshold = 5000
        import carnelian.commands
        import carnelian.engine.acl_words
        import carnelian.engine.words
        self.bind()
        self.acl = AccessControl(self)
        from carnelian.engine import lanes
        lanes.install(self)

    # --- the command table -------------------------------------------------------------------------------------------

    @property
    def commands(self) -> dict:
        """Lower-case name (bytes) -> BoundCommand."""
        return self.table.commands

    def bind(self) -> None:
        """Takes up every declared word that is not there yet (a server declares more of them)."""
        self.table.bind(declarations.registry)

    def rename(self, old: bytes, new: bytes) -> None:
        """rename-command: the word gets another name, or none at all if that is empty. ValueError."""
        self.table.rename(old, new)

    def set_twin(self, name, twin):
        cython.cast(BoundCommand, self.table.commands[name]).twin = cython.cast(cython.p_void, twin)
        return 0

    # --- batches -----------------------------------------------------------------------------------------------------

    def begin_batch(self):
        if self.script is None:             # while a script runs, time stands still
            self.store.tick()
        return 0

    def end_batch(self):
        self.tracking.broadcast()
        if self.store.journal is not None and len(self.store.journal):
            self.persistence.end_batch()
        return 0

    # --- persistence -------------------------------------------------------------------------------------------------

    def begin_loading(self) -> None:
        """Until end_loading, clients are told to wait, nothing expires and nothing is evicted."""
        self.loading = True
        self.reconsider()

    def end_loading(self) -> None:
        self.loading = False
        self.reconsider()
        self.store.tick()

    def refuse_writes(self, text: str | None) -> None:
        """Words that write are answered with this error; None: no longer."""
        self.refusal = text
        self.reconsider()

    def true_time(self) -> int:
        """Milliseconds since the epoch, now."""
        return wall_microseconds() // 1000 + self.store.clock_offset

    def key_count(self) -> int:
        """Keys of all databases."""
        return sum(map(len, self.store.databases))

    def drain(self, session):
        reader: Reader = session.reader
        writer: Writer = session.writer
        session.active = self.store.now
        self.last_end = 0
        try:
            while not session.flags & (BLOCKED | CLOSE_AFTER_REPLY | CLOSE_NOW):
                if writer.end - writer.start > OUTPUT_AT_ONCE:
                    self.store.queue_output(session)
                    return 1
                if reader.next() == 0:
                    break
                if reader.count:
                    self.run(session, reader.words, reader.count)
        except ProtocolError as error:
            if str(error):
                self.reply_error(session, None, f"ERR Protocol error: {error}")
                session.flags |= CLOSE_AFTER_REPLY | PROTOCOL_ERROR
            else:
                session.flags |= CLOSE_NOW
        finally:
            self.last_end = -1
        if writer.end != writer.start or session.flags & (CLOSE_AFTER_REPLY | CLOSE_NOW):
            self.store.queue_output(session)
        return 0

    def attach(self, session):
        session.created = self.store.now
        session.active = self.store.now
        self.acl.attach(session)
        self.sessions[session.id] = session
        return 0

    def detach(self, session):
        store: Store = self.store
        self.sessions.pop(session.id, None)
        self.unmonitor(session)
        if session.watched:
            store.unwatch(session)
        if session.flags & SUBSCRIBED:
            store.pubsub.forget(session)
        if session.tracker is not None:
            self.tracking.forget(session)
        if session.waiting is not None:
            self.unpark(session)
        if session.flags & PAUSED:
            self.postponed = [item for item in self.postponed if item[0] is not session]
        session.queue = []
        return 0

    def reconsider(self):
        """Whether twins may run: to be called when monitors or pauses come and go, or slowlog_threshold changes.

        A twin is not timed each time, and takes no longer than some microseconds: a threshold below a millisecond wants them all.
        """
        if self.monitors or self.pause_until != 0 or 0 <= self.slowlog_threshold < 1000 or self.busy:
            self.careful = 1
        else:
            self.careful = 2 if self.loading or self.refusal is not None else 0

    # --- one request -------------------------------------------------------------------------------------------------

    def run(self, session, words, count):
        i: cython.int
        started: cython.longlong
        changes: cython.longlong = 0
        done: cython.int
        replied: cython.longlong
        command: BoundCommand = self.table.find(words[0].data, words[0].length)
        journal: Journal = self.store.journal
        if command is not None and command.twin != cython.NULL and not session.flags & NO_TWIN \
                and (self.careful == 0 or self.careful == 2 and session.flags & INTERNAL) \
                and (journal is not None or not self.store.sinks) \
                and (self.maxmemory == 0 or self.loading or self.store.memory() <= self.maxmemory):
            if journal is not None:
                journal.told = False
                changes = self.store.dirty
            replied = session.writer.end - session.writer.start
            self.sampled += 1
            if self.sampled & 63 and command.calls >= 64:
                done = cython.cast(lane, command.twin)(self, session, words, count)
            else:
                # After the first few, one in 64 is timed and stands for the others: two readings of the clock cost as much
                # as a GET.
                started = steady_nanoseconds()
                done = cython.cast(lane, command.twin)(self, session, words, count)
                if done:
                    command.note(steady_nanoseconds() - started, 64 if command.calls >= 64 else 1)
            if done:
                if journal is not None and self.store.dirty != changes and not journal.told:
                    journal.put_slices(session.db.index, words, count)
                replied = cython.cast(cython.longlong, session.writer.end - session.writer.start) - replied
                # The words lie one behind the other in the input: their span is the request's size but for the first header.
                if ((words[count - 1].data - words[0].data) + cython.cast(cython.longlong, words[count - 1].length)
                        >= self.request_limit - FIRST_HEADER) | (replied >= self.reply_limit):
                    self.note_sizes(session, command, words_of(words, count), replied)
                return self.has_run(session, command)
        return self.run_words(session, words_of(words, count))

    def has_run(self, session, command):
        """After a twin: counts, and whoever waited for what it has changed."""
        command.calls += 1
        self.processed += 1
        session.command = command
        if self.last_end > 0:
            self.last_end = 0
        if self.store.attentive and self.store.waiters.ready:
            self.serve_ready()
            self.go_on()
        return 0

    def run_words(self, session, words):
        name: bytes = cython.cast(bytes, words[0])
        command: BoundCommand = self.table.find(PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name))
        count: cython.Py_ssize_t = PyTuple_GET_SIZE(words)
        pending: cython.size_t = session.writer.pending()
        pubsub: PubSub = self.store.pubsub
        container: BoundCommand = command
        if command is not None and command.subcommands is not None and count > 1:
            command = command.subcommands.get(cython.cast(bytes, words[1]).lower())
        if session.flags & CACHING:
            self.tracking.next_command(session)
        session.command = command
        if command is None:
            self.refuse(session, None, unknown(words) if container is None else unknown_subcommand(words))
        elif command.arity > 0 and command.arity != count or count < -command.arity or command.function is None:
            self.refuse(session, command, str(WrongArity(command.name)))
        elif session.flags & UNAUTHENTICATED and not command.flags & NO_AUTH:
            self.refuse(session, command, "NOAUTH Authentication required.")
        elif session.flags & IN_MULTI and command.flags & NO_MULTI:
            self.refuse(session, command, "ERR Command not allowed inside a transaction")
        elif session.flags & RESTRICTED and (
                denial := self.acl.check(session, command, words, "multi" if session.flags & IN_MULTI else "toplevel")):
            self.refuse(session, command, denial)
        elif self.cluster is not None and cython.cast(Cluster, self.cluster).is_split(session, command, words):
            command.rejected += 1
            if command.name == "exec":
                self.end_transaction(session)
            self.refuse(session, None, CROSS_SLOT)
        elif self.maxmemory and not self.loading and self.lacks_memory() and self.oom_refuses(session, command):
            self.refuse(session, command, str(OutOfMemory()))
        elif self.refusal is not None and not session.flags & INTERNAL and self.writes(session, command):
            self.refuse(session, command, self.refusal)
        elif session.is_pubsub() and command.name not in SUBSCRIBED_WORDS:
            self.refuse(session, command, f"ERR Can't execute '{command.name}': only (P|S)SUBSCRIBE / "
                                          "(P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context")
        elif self.loading and not command.flags & WHILE_LOADING and not session.flags & INTERNAL:
            self.refuse(session, command, "LOADING Redis is loading the dataset in memory")
        elif self.busy and not command.flags & ALLOW_BUSY:
            self.refuse(session, command, f"BUSY Redis is busy running a script. You can only call {self.script.kill_word} KILL or "
                                          "SHUTDOWN NOSAVE.")
        elif self.pause_until and self.is_paused(session, command):
            session.flags |= BLOCKED | PAUSED
            self.postponed.append((session, words))
        elif session.flags & IN_MULTI and command.name not in NOT_QUEUED:
            session.queue.append((command, words))
            session.writer.encode(QUEUED)
        else:
            executing = pubsub.executing        # a client whose script lets others be served
            pubsub.executing = session
            try:
                self.execute(session, command, words)
            finally:
                pubsub.executing = executing
            if session.flags & (REPLY_OFF | REPLY_SKIP) and command.flags & CONFIRMED != CONFIRMED:
                session.writer.end = session.writer.start + pending
            if pubsub.postponed:
                pubsub.say_postponed()
            if self.script is None:
                if self.store.waiters.ready:
                    self.serve_ready()
                self.go_on()
            session.flags = session.flags & ~REPLY_SKIP_NEXT | REPLY_SKIP if session.flags & REPLY_SKIP_NEXT \
                else session.flags & ~REPLY_SKIP
            return 0
        if session.flags & (REPLY_OFF | REPLY_SKIP):
            session.writer.end = session.writer.start + pending
            session.flags &= ~REPLY_SKIP
        return 0

    def go_on(self):
        """What a command has let loose (CLIENT UNBLOCK, CLIENT UNPAUSE) runs after it, not within it."""
        while self.awake:
            session: Session = self.awake.pop(0)
            if not session.flags & (BLOCKED | CLOSE_NOW):
                self.resume(session)
        if self.postponed and self.pause_until == 0:
            self.run_postponed()
        return 0

    def writes(self, session, command):
        """Whether it is for the disk: words that write, an EXEC with one of them, and PING, which tells whether all is well."""
        if command.name == "exec":
            return any(cython.cast(BoundCommand, queued).flags & WRITES for queued, words in session.queue)
        return command.flags & WRITES != 0 or command.name == "ping"

    def lacks_memory(self) -> bool:
        """Whether more than maxmemory is used, and nothing can be evicted. While a script runs nothing is."""
        if self.script is None:
            self.short_of_memory = not self.make_room()
        return self.short_of_memory

    def oom_refuses(self, session, command):
        """Memory is short: words that may use more are refused, and EXEC when one of the queued does."""
        if command.name == "exec":
            for queued, words in session.queue:
                if cython.cast(BoundCommand, queued).flags & DENYOOM:
                    return True
            return False
        if session.flags & IN_MULTI and command.name not in NOT_QUEUED:
            return True                     # what is queued takes memory, too
        return command.flags & DENYOOM != 0

    def refuse(self, session, command, text):
        """An error before execution: it also spoils the transaction under way."""
        if command is not None:
            command.rejected += 1
            if command.name == "exec":
                # Its own refusal ends the transaction and names the reason.
                text = "EXECABORT Transaction discarded because of: " + text.removeprefix("ERR ")
                self.end_transaction(session)
        if session.flags & IN_MULTI:
            session.flags |= ABORTED
        self.write_error(session, text)
        return 0

    def reply_error(self, session, command, text):
        if command is not None:
            command.failed += 1
        self.write_error(session, text)
        return 0

    def write_error(self, session: Session, text: str) -> None:
        session.writer.error(text.encode("utf-8", "surrogateescape"))
        self.count_error(text)

    def count_error(self, text: str) -> None:
        """INFO's errorstats."""
        code = text.split(None, 1)[0] if text.strip() else "ERR"
        self.error_counts[code] = self.error_counts.get(code, 0) + 1

    def execute(self, session, command, words):
        """Calls the body and writes its reply, whatever happens."""
        pending: cython.size_t = session.writer.pending()
        # Within a pipeline, the end of one command is the beginning of the next: the clock is read once for each.
        started: cython.longlong = self.last_end if self.last_end > 0 else steady_nanoseconds()
        elapsed: cython.longlong
        try:
            value = self.invoke(self.call, session, command, words)
            if value is WAIT and self.call.parked is not None:
                self.park(session, self.call.parked)
            elif value is not NO_REPLY:
                session.writer.encode(value)
        except ReplyError as error:
            session.writer.end = session.writer.start + pending
            if error.counted:
                command.failed += 1
                session.writer.error(str(error).encode("utf-8", "surrogateescape"))
            else:
                self.reply_error(session, command, str(error))
        except Exception as error:
            session.writer.end = session.writer.start + pending
            self.reply_error(session, command, str(internal_error(command.name, error)))
        elapsed = steady_nanoseconds()
        if self.last_end >= 0:
            self.last_end = elapsed
        self.note_end(session, command, words, elapsed - started)
        self.note_sizes(session, command, words, cython.cast(cython.longlong, session.writer.pending()) - pending)
        return 0

    def note_end(self, session, command, words, elapsed):
        """After a body that took so many nanoseconds: what is counted and shown of it."""
        command.calls += 1
        command.note(elapsed, 1)
        if self.monitors and not command.flags & SKIP_MONITOR:
            self.feed_monitors(session, words)
        self.processed += 1
        if (self.slowlog_threshold >= 0 and elapsed >= self.slowlog_threshold * 1000) or (
                self.latency_threshold and elapsed >= self.latency_threshold * 1000000):
            self.note_duration(session, command, words, elapsed)
        return 0

    def invoke(self, call, session, command, words):
        """The body's value. Effects are handed on, also of a body that raised half-way.

        `call` is the engine's, or another where that is in use: for the words of a script.
        """
        arguments: cython.pointer(PyObject)[64]
        i: cython.Py_ssize_t
        count: cython.Py_ssize_t = PyTuple_GET_SIZE(words) - command.skip
        call.begin(session, command, words)
        call.group = command.group
        call.reading = command.flags & READS != 0
        call.may_wait = not self.executing and self.script is None
        self.running += 1
        try:
            if count <= MOST_ARGUMENTS:
                arguments[0] = cython.cast(cython.pointer(PyObject), call)
                for i in range(count):
                    arguments[i + 1] = cython.cast(cython.pointer(PyObject), PyTuple_GET_ITEM(words, i + command.skip))
                return PyObject_Vectorcall(command.function, arguments, count + 1, cython.NULL)
            return command.function(call, *words[command.skip:])
        finally:
            self.running -= 1
            call.finish()
            if session.flags & TRACKING and command.flags & READS:
                self.tracking.remember(session, command, words)
            if call.modified and self.store.sinks:
                call.flush_effects()

    def conclude(self, blocked: Blocked, session: Session, function) -> None:
        """Ends a parked request that has waited for something outside of the engine, within a batch.

        `function(call)` is called as its body, for the session given, as the client may have gone; its value is the reply.
        """
        call: Call = self.call
        pubsub: PubSub = self.store.pubsub
        command: BoundCommand = blocked.command
        client: Session = blocked.session
        waits: cython.bint = client.waiting is blocked
        call.begin(session, command, blocked.words)
        call.group = command.group
        call.reading = False
        call.may_wait = False
        self.running += 1
        pubsub.executing = client if waits else None
        try:
            value = function(call)
        except ReplyError as error:
            value = error
        except Exception as error:
            value = internal_error(command.name, error)
        finally:
            pubsub.executing = None
            self.running -= 1
            call.finish()
            if call.modified and self.store.sinks:
                call.flush_effects()
        if waits:
            self.unblock(client, value)
        if self.store.waiters.ready:
            self.serve_ready()
        self.go_on()

    def note_sizes(self, session, command, words, reply):
        """Large requests, large replies."""
        size: cython.longlong = 0
        word: bytes
        if self.request_limit != NO_LIMIT:
            for word in words:
                size += PyBytes_GET_SIZE(word)
            # Their headers are looked at only where they may matter: `$`, up to 10 digits and two ends of lines.
            if size + 15 * len(words) + FIRST_HEADER >= self.request_limit:
                size = len(statistics.request_header(words)) + size
                if size >= self.request_limit and not command.flags & SKIP_SLOWLOG and self.large_requests.maxlen:
                    self.large_requests.appendleft(
                        statistics.slow_entry(self.large_requests_next, self.store.now // 1000, size, words, session))
                    self.large_requests_next += 1
        if reply >= self.reply_limit and not command.flags & SKIP_SLOWLOG and self.large_replies.maxlen:
            self.large_replies.appendleft(
                statistics.slow_entry(self.large_replies_next, self.store.now // 1000, reply, words, session))
            self.large_replies_next += 1
        return 0

    def set_size_limit(self, of_requests: bool, limit: int) -> None:
        """commandlog-request-larger-than and -reply-larger-than: bytes; negative: nothing is logged, 0: everything."""
        value: cython.longlong = NO_LIMIT if limit < 0 else limit
        if of_requests:
            self.request_limit = value
        else:
            self.reply_limit = value

    def set_log_length(self, of_requests: bool, length: int) -> None:
        """commandlog-large-request-max-len and -large-reply-max-len; the newest stay."""
        if of_requests:
            self.large_requests = deque(list(self.large_requests)[:length], maxlen=length)
        else:
            self.large_replies = deque(list(self.large_replies)[:length], maxlen=length)

    def note_duration(self, session, command, words, elapsed):
        """Slow log, latency monitor."""
        microseconds: cython.longlong = elapsed // 1000
        if self.slowlog_threshold >= 0 and microseconds >= self.slowlog_threshold and not command.flags & SKIP_SLOWLOG \
                and self.slowlog.maxlen:
            self.slowlog.appendleft(statistics.slow_entry(self.slowlog_next, self.store.now // 1000, microseconds, words, session))
            self.slowlog_next += 1
        if self.latency_threshold and elapsed // 1000000 >= self.latency_threshold:
            self.record_latency("fast-command" if command.flags & FAST else "command", elapsed // 1000000)
        return 0

    def record_latency(self, event: str, milliseconds: int) -> None:
        """Notes that something took long (latency-monitor-threshold)."""
        history = self.latency_events.setdefault(event, deque(maxlen=160))
        second = self.store.now // 1000
        if history and history[-1][0] == second:
            history[-1] = (second, max(history[-1][1], milliseconds))
        else:
            history.append((second, milliseconds))

    def set_slowlog_length(self, length: int) -> None:
        """slowlog-max-len; the newest stay."""
        self.slowlog = deque(list(self.slowlog)[:length], maxlen=length)

    def feed_monitors(self, session: Session, words: tuple) -> None:
        line = statistics.monitor_line(wall_microseconds() + self.store.clock_offset * 1000, session, words)
        for monitor in self.monitors:
            cython.cast(Session, monitor).writer.simple(line)
            self.store.queue_output(monitor)

    def monitor(self, session: Session) -> None:
        """MONITOR's effect: the client is shown every command."""
        self.monitors[session] = None
        session.flags |= MONITOR
        self.reconsider()

    def unmonitor(self, session: Session) -> None:
        self.monitors.pop(session, None)
        session.flags &= ~MONITOR
        self.reconsider()

    # --- transactions ------------------------------------------------------------------------------------------------

    def end_transaction(self, session: Session) -> None:
        """Forgets what is queued and watched: DISCARD, or an EXEC that may not run."""
        session.queue = []
        session.flags &= ~(IN_MULTI | ABORTED)
        self.store.unwatch(session)

    def run_transaction(self, session: Session) -> None:
        """EXEC's effect: runs what is queued, and writes the array of replies."""
        queue = session.queue
        self.end_transaction(session)
        session.writer.array(len(queue))
        self.executing = True
        sinks = self.store.sinks
        effects: list = []
        if sinks:
            self.store.sinks = [lambda index, words: effects.append((index, words))]
        try:
            for command, words in queue:
                session.command = command
                if session.flags & RESTRICTED and (denial := self.acl.check(session, command, words, "exec")):
                    self.reply_error(session, command, denial)
                else:
                    self.execute(session, command, words)
        finally:
            self.executing = False
            self.store.sinks = sinks
            self.call.modified = False      # what the words of the transaction have done is not EXEC's to hand on again
        if effects:
            self.propagate_together(effects)

    def propagate_together(self, effects: list) -> None:
        """Several effects that must not be torn apart: between MULTI and EXEC."""
        if len(effects) == 1:
            self.store.propagate(effects[0][0], effects[0][1])
            return
        self.store.propagate(effects[0][0], (b"MULTI",))
        for index, words in effects:
            self.store.propagate(index, words)
        self.store.propagate(effects[-1][0], (b"EXEC",))

    # --- scripts -----------------------------------------------------------------------------------------------------

    def serve_meanwhile(self, session):
        """Serves other clients for a moment while a script of this client is under way: they may end it, and little else."""
        call: Call = self.call
        pubsub: PubSub = self.store.pubsub
        executing = pubsub.executing
        last_end: cython.longlong = self.last_end
        was_blocked: cython.bint = session.flags & BLOCKED != 0
        if self.meanwhile is None:
            return 0
        if not self.busy:
            self.busy = True
            self.reconsider()
        self.call = Call(self.store, self)
        session.flags |= BLOCKED            # what it sends meanwhile is read, and run later
        try:
            self.meanwhile()
        finally:
            self.call = call
            if not was_blocked:
                session.flags &= ~BLOCKED
            pubsub.executing = executing
            self.last_end = last_end
        return 0

    def end_busy(self) -> None:
        """After the script."""
        self.busy = False
        self.reconsider()

    # --- waiting clients ---------------------------------------------------------------------------------------------

    def park(self, session: Session, blocked: Blocked) -> None:
        session.flags |= BLOCKED
        session.waiting = blocked
        self.store.waiters.add(blocked)
        self.store.attend()
        self.expect(blocked.deadline)
        self.expect(blocked.again)

    def expect(self, time: cython.longlong) -> None:
        """The periodic work has something to do for a parked client at this time (0: it has not)."""
        if time and (self.next_deadline == 0 or time < self.next_deadline):
            self.next_deadline = time

    def unpark(self, session: Session) -> None:
        """Ends the waiting without a reply."""
        self.store.waiters.discard(session.waiting)
        session.waiting = None
        session.flags &= ~BLOCKED
        self.store.attend()

    def unblock(self, session: Session, reply) -> None:
        """Ends the waiting with this reply (a timeout, CLIENT UNBLOCK), and runs what the client has sent meanwhile."""
        command: BoundCommand = cython.cast(Blocked, session.waiting).command
        self.unpark(session)
        if not session.flags & REPLY_OFF:
            try:
                if isinstance(reply, ReplyError):
                    raise reply
                session.writer.encode(reply)
            except ReplyError as error:
                self.reply_error(session, command, str(error))
            except Exception as error:
                self.reply_error(session, command, str(internal_error(command.name, error)))
        cython.cast(PubSub, self.store.pubsub).say_postponed()
        self.store.queue_output(session)
        self.resume(session)

    def resume(self, session: Session) -> None:
        """Goes on with the requests of a client that was blocked."""
        if self.running:
            self.awake.append(session)
        elif self.drain(session):
            self.store.queue_output(session)

    def serve_ready(self):
        """Runs the parked requests whose keys have become ready, first come first served."""
        waiters = self.store.waiters
        while waiters.ready:
            for place in waiters.take_ready():
                for blocked in waiters.waiting_for(place):
                    self.try_again(blocked, place)
        return 0

    def try_again(self, blocked, place):
        call: Call = self.call
        session: Session = blocked.session
        pubsub: PubSub = self.store.pubsub
        started: cython.longlong
        if session.waiting is not blocked:
            return 0
        # Only a key of the type that is waited for wakes: a string at the key of a BLPOP lets it wait on.
        db = session.db
        session.db = self.store.databases[blocked.database]
        call.session = session
        call.db = session.db
        try:
            if not blocked.on_delete and call.kind(place[1]) != blocked.kind:
                return 0
            command: BoundCommand = blocked.command
            started = steady_nanoseconds()
            call.resuming = blocked
            pubsub.executing = session
            try:
                if session.flags & RESTRICTED and (denial := self.acl.check(session, command, blocked.words, "toplevel")):
                    raise ReplyError(denial)
                value = self.invoke(call, session, command, blocked.words)
            except ReplyError as error:
                value = error
            except Exception as error:
                value = internal_error(command.name, error)
            finally:
                call.resuming = None
                pubsub.executing = None
            if value is WAIT:
                pubsub.say_postponed()
                self.expect(blocked.again)
                return 0
            command.nanoseconds += steady_nanoseconds() - started
        finally:
            session.db = db
        self.unblock(session, value)
        return 0

    # --- CLIENT PAUSE ------------------------------------------------------------------------------------------------

    def is_paused(self, session, command):
        if self.store.now >= self.pause_until:
            return False
        if not self.pause_writes_only:
            return True                     # CLIENT UNPAUSE too, as in Redis
        if command.name == "exec":
            for queued, words in session.queue:
                if cython.cast(BoundCommand, queued).flags & (WRITES | MAY_REPLICATE):
                    return True
            return False
        return command.flags & (WRITES | MAY_REPLICATE) != 0

    def pause(self, until: int, writes_only: bool) -> None:
        """CLIENT PAUSE: holds clients until that time (milliseconds since the epoch). A longer or stricter pause prevails."""
        if self.pause_until and not self.pause_writes_only:
            writes_only = False
        self.pause_until = max(self.pause_until, until)
        self.pause_writes_only = writes_only
        for database in self.store.databases:
            database.keep_expired = True
        self.reconsider()

    def unpause(self) -> None:
        """Lets the held clients go on."""
        self.pause_until = 0
        for database in self.store.databases:
            database.keep_expired = False
        self.reconsider()
        if not self.running:
            self.run_postponed()

    def run_postponed(self) -> None:
        postponed = self.postponed
        self.postponed = []
        for session, words in postponed:
            cython.cast(Session, session).flags &= ~(BLOCKED | PAUSED)
            self.run_words(session, words)
            self.store.queue_output(session)
            self.resume(session)

    # --- memory ------------------------------------------------------------------------------------------------------

    def make_room(self):
        """Evicts until the store is under maxmemory: False if it can't."""
        if self.maxmemory == 0 or self.store.memory() <= self.maxmemory:
            return True
        return eviction.make_room(self)

    # --- periodic work -----------------------------------------------------------------------------------------------

    def cron(self):
        return 0.1 if self.script is not None else periodic.turn(self)
