# cython: language_level=3, cdivision=True, auto_pickle=False
"""The connections of a server: admission, limits, delivery and the end, whatever moves their bytes.

A data plane subclasses `Connection` and gives it `transmit`, `steer` and `hang_up`; everything that is policy is here.
One turn of a data plane is: `engine.begin_batch()`; for each connection with new bytes, room in `reader`, then `take`;
`engine.end_batch()`; `Clients.flush()`.
"""
import logging

import cython
from cython.cimports.carnelian.base.clock import steady_nanoseconds
from cython.cimports.carnelian.keyspace.session import (
    BLOCKED,
    CLOSE_AFTER_REPLY,
    CLOSE_NOW,
    INTERNAL,
    MONITOR,
    QUEUED_OUTPUT,
    SUBSCRIBED,
    UNIX_SOCKET,
)

from carnelian.base.errors import ProtocolError
from carnelian.server.addresses import is_loopback
from carnelian.server.log import VERBOSE

log = logging.getLogger("carnelian")

MAXCLIENTS_REACHED = b"-ERR max number of clients reached\r\n"
DENIED = (
    b"-DENIED This server is in protected mode: no password is set for the default user, so only clients on the same "
    b"machine (the loopback interface or a unix socket) are served. To reach it from elsewhere, do one of these: "
    b"1) give it a password, with CONFIG SET requirepass from the machine itself, or requirepass in its configuration "
    b"file; 2) turn the protection off, with CONFIG SET protected-mode no from the machine itself, or protected-mode no "
    b"in its configuration file or on its command line. Do the second only if untrusted networks cannot reach it.\r\n"
)
CLASSES = {"normal": NORMAL, "replica": REPLICA, "slave": REPLICA, "pubsub": PUBSUB}

# After so many milliseconds without a request the buffers of a client are cut to what it needs.
IDLE_BEFORE_SHRINK = cython.declare(cython.longlong, 2000)
# With more output than this the engine interrupts a pipeline; with no more it may go on.
OUTPUT_AT_ONCE = cython.declare(cython.size_t, 1 << 20)
# Every connection is looked after once in ten of these (nanoseconds).
SWEEP_INTERVAL = cython.declare(cython.longlong, 100000000)


class Clients:
    """All connections of one server: their settings, their admission, what has been counted over them.

    Sizes are bytes. The counters are INFO's: `received` (total_connections_received), `rejected`
    (rejected_connections), `bytes_in` and `bytes_out` (total_net_input_bytes, total_net_output_bytes), `reads` and
    `writes` (total_reads_processed, total_writes_processed), and the disconnections at either limit.
    """

    def __init__(self, engine):
        self.engine = engine
        self.store = engine.store
        self.connections = []
        self.resumed = []
        self.maximum = 10000
        self.protected_mode = True
        self.query_buffer_limit = 1 << 30
        self.bulk_limit = 512 << 20
        self.engine.samples.sources.update(bytes_in=lambda: self.bytes_in, bytes_out=lambda: self.bytes_out)

    def __len__(self):
        return len(self.connections)

    def reset_statistics(self) -> None:
        """What CONFIG RESETSTAT sets to zero."""
        self.received = self.rejected = self.bytes_in = self.bytes_out = self.reads = self.writes = 0
        self.query_buffer_disconnections = self.output_buffer_disconnections = 0

    def figures(self) -> dict:
        """INFO's section Clients: how many are there and blocked, and the greatest buffers in bytes."""
        longest_input: cython.size_t = 0
        longest_output: cython.size_t = 0
        blocked: cython.Py_ssize_t = 0
        publishing: cython.Py_ssize_t = 0
        for item in self.connections:
            connection = cython.cast(Connection, item)
            longest_input = max(longest_input, connection.reader.memory())
            longest_output = max(longest_output, connection.writer.memory())
            blocked += connection.flags & BLOCKED != 0
            publishing += connection.flags & SUBSCRIBED != 0
        return {"connected_clients": len(self.connections), "maxclients": self.maximum,
                "client_recent_max_input_buffer": longest_input, "client_recent_max_output_buffer": longest_output,
                "blocked_clients": blocked, "pubsub_clients": publishing}

    def set_output_limit(self, kind: str, hard: int, soft: int, soft_seconds: int) -> None:
        """client-output-buffer-limit of one class: `normal`, `replica` (or `slave`), `pubsub`; 0 is no limit."""
        limit: cython.pointer(OutputLimit) = cython.address(self.output_limits[CLASSES[kind]])
        limit.hard = hard
        limit.soft = soft
        limit.soft_milliseconds = soft_seconds * 1000

    def set_input_limits(self, query_buffer_limit: int, bulk_limit: int) -> None:
        """client-query-buffer-limit and proto-max-bulk-len, for the connections that are and that come."""
        self.query_buffer_limit = query_buffer_limit
        self.bulk_limit = bulk_limit
        for item in self.connections:
            connection = cython.cast(Connection, item)
            connection.reader.query_buffer_limit = query_buffer_limit
            connection.reader.bulk_limit = bulk_limit

    def refusal(self, host: str, is_unix: bool):
        """The line with which a new connection is turned away (it is counted), or None if it may come in."""
        if len(self.connections) >= self.maximum:
            self.rejected += 1
            return MAXCLIENTS_REACHED
        if self.protected_mode and self.engine.acl.default.nopass and not is_unix and not is_loopback(host):
            self.rejected += 1
            return DENIED
        return None

    def admit(self, connection: Connection) -> None:
        """Takes a new connection in."""
        self.received += 1
        connection.place = len(self.connections)
        self.connections.append(connection)
        self.engine.attach(connection)
        self.engine.acl.welcome(connection)
        log.log(VERBOSE, "Accepted %s", connection.address)

    def remove(self, connection):
        connections: list = self.connections
        last: Connection = cython.cast(Connection, connections.pop())
        if last is not connection:
            last.place = connection.place
            connections[connection.place] = last
        return 0

    def flush(self):
        pending: list = self.store.pending
        session: Session
        i: cython.Py_ssize_t = 0
        # The list may grow under way: closing a client can give another one something to say.
        while i < len(pending):
            session = cython.cast(Session, pending[i])
            i += 1
            session.flags &= ~QUEUED_OUTPUT
            if session.flags & INTERNAL or not isinstance(session, Connection):
                continue
            try:
                cython.cast(Connection, session).deliver()
            except Exception:
                log.exception("Delivering to client %s failed", session.address)
                cython.cast(Connection, session).close()
        if i:
            pending.clear()
        return 0

    def sweep(self, share):
        connections: list = self.connections
        count: cython.Py_ssize_t = max(len(connections) // share, min(len(connections), 5))
        i: cython.Py_ssize_t
        for i in range(count):
            if self.swept >= len(connections):
                self.swept = 0
                if not connections:
                    break
            cython.cast(Connection, connections[self.swept]).look_after(self.store.now)
            self.swept += 1
        return 0

    def resume(self):
        waiting: list = self.resumed
        if not waiting:
            return 0
        self.resumed = []
        for item in waiting:
            connection: Connection = cython.cast(Connection, item)
            if not connection.closed:
                connection.run()
        return 0

    def batch(self, function, arguments: tuple = ()) -> None:
        """Calls a function between begin and end of a batch."""
        self.engine.begin_batch()
        self.resume()
        function(*arguments)
        self.engine.end_batch()
        self.flush()

    def work(self):
        now: cython.longlong = steady_nanoseconds()
        seconds: cython.double
        if self.engine.next_deadline:
            self.due = min(self.due, now + (self.engine.next_deadline - self.store.now) * 1000000)
        if now < self.due:
            return (self.due - now) / 1e6
        seconds = 0.1
        try:
            self.engine.begin_batch()
            seconds = self.engine.cron()
            if now - self.swept_at >= SWEEP_INTERVAL:
                self.swept_at = now
                self.sweep(10)
            self.engine.end_batch()
            self.flush()
        except Exception:
            log.exception("The periodic work failed")
        self.due = steady_nanoseconds() + cython.cast(cython.longlong, seconds * 1e9)
        return seconds * 1e3

    def close_all(self) -> None:
        """Sends what can be sent at once, and closes every connection."""
        self.flush()
        while self.connections:
            cython.cast(Connection, self.connections[-1]).close()

    def _check(self) -> None:
        """Every connection stands at its place, once, and is open."""
        i: cython.Py_ssize_t
        for i in range(len(self.connections)):
            connection: Connection = cython.cast(Connection, self.connections[i])
            assert connection.place == i
            assert not connection.closed


class Connection(Session):
    """One client of the server: a Session with a socket somewhere behind it.

    `address` is the peer as CLIENT LIST shows it. Not to be made directly: a data plane has its own subclass.
    """

    def __init__(self, clients, address, local_address, is_unix):
        Session.__init__(self, clients.store.databases[0], clients.store.now)
        self.clients = clients
        self.address = address
        self.local_address = local_address
        self.reader.query_buffer_limit = self.clients.query_buffer_limit
        self.reader.bulk_limit = self.clients.bulk_limit
        if is_unix:
            self.flags |= UNIX_SOCKET

    def take(self, n):
        clients: Clients = self.clients
        self.bytes_in += n
        clients.bytes_in += n
        clients.reads += 1
        try:
            self.reader.filled(n)
        except ProtocolError:
            clients.query_buffer_disconnections += 1
            log.warning("Closing client %s that reached the query buffer limit of %d bytes", self.address,
                        self.reader.query_buffer_limit)
            self.close()
            return 0
        return self.run()

    def run(self):
        try:
            self.clients.engine.drain(self)
        except Exception:
            log.exception("A request of client %s failed", self.address)
            self.close()
            return 0
        if self.flags & CLOSE_NOW:
            self.close()
        elif self.flags & CLOSE_AFTER_REPLY:
            self.steer()
        return 0

    def end_of_input(self):
        log.log(VERBOSE, "Client %s closed connection", self.address)
        # A peer that shuts its sending side down may still want the replies; one that waits for events can't be told
        # from one that is gone.
        if self.writer.end == self.writer.start or self.flags & (BLOCKED | SUBSCRIBED | MONITOR | CLOSE_NOW):
            return self.close()
        self.ended = True
        self.flags |= CLOSE_AFTER_REPLY
        return self.steer()

    def deliver(self):
        left: cython.size_t
        if self.closed:
            return 0
        if self.flags & CLOSE_NOW:
            return self.close()
        left = self.writer.end - self.writer.start
        if left:
            self.note_backlog()
            self.transmit()
            if self.closed:
                return 0
        left = self.writer.end - self.writer.start
        if left:
            self.check_output_limit(left)
        else:
            self.soft_limit_since = 0
            if self.flags & CLOSE_AFTER_REPLY:
                return self.close()
        if not self.closed and self.backlog and left <= OUTPUT_AT_ONCE and not self.flags & BLOCKED:
            self.backlog = False
            self.clients.resumed.append(self)
        return 0

    def note_backlog(self):
        if self.writer.end - self.writer.start > OUTPUT_AT_ONCE and self.reader.end > self.reader.start:
            self.backlog = True

    def check_output_limit(self, pending):
        kind: cython.int = PUBSUB if self.flags & SUBSCRIBED else NORMAL
        limit: OutputLimit = self.clients.output_limits[kind]
        over: cython.bint = limit.hard != 0 and pending >= limit.hard
        if limit.soft != 0 and pending >= limit.soft:
            if self.soft_limit_since == 0:
                self.soft_limit_since = self.clients.store.now
            elif self.clients.store.now - self.soft_limit_since > limit.soft_milliseconds:
                over = True
        else:
            self.soft_limit_since = 0
        if over:
            self.clients.output_buffer_disconnections += 1
            log.warning("Client %s closed for overcoming of output buffer limits, %d bytes were waiting", self.address,
                        pending)
            return self.close()
        return 0

    def look_after(self, now):
        clients: Clients = self.clients
        idle: cython.longlong = now - self.active
        if self.flags & CLOSE_NOW:
            return self.close()
        if (clients.idle_milliseconds and idle > clients.idle_milliseconds
                and not self.flags & (BLOCKED | SUBSCRIBED | MONITOR)):
            log.log(VERBOSE, "Closing idle client %s", self.address)
            return self.close()
        if self.writer.end > self.writer.start:
            return self.check_output_limit(self.writer.end - self.writer.start)
        if idle > IDLE_BEFORE_SHRINK:
            self.reader.shrink()
            self.writer.shrink()
        return 0

    def close(self):
        if self.closed:
            return 0
        self.closed = True
        self.clients.remove(self)
        try:
            self.clients.engine.detach(self)
        except Exception:
            log.exception("Detaching client %s failed", self.address)
        self.hang_up()
        self.descriptor = -1
        return 0

    def transmit(self):
        raise NotImplementedError("a data plane's")

    def steer(self):
        raise NotImplementedError("a data plane's")

    def hang_up(self):
        raise NotImplementedError("a data plane's")
