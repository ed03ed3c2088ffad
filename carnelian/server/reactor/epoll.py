# cython: language_level=3, cdivision=True, auto_pickle=False
"""The data plane of Linux: clients are served in batches, with one epoll_wait, one recv and one send each.

All client sockets and listening sockets are in one epoll set. A batch takes what is ready, runs every whole request
of every ready client, and then sends. Two ways lead to it:

* `ReactorSelector`, for an asyncio loop of our own (`ReactorLoop`): the selector sleeps in the epoll set of the clients,
  which the descriptor of the stock selector is a member of. So a batch costs no turn of the asyncio loop; that runs
  only when it has something to do: a timer, a signal, a descriptor of its own, a callback that a request has scheduled.
* `Reactor.ready`, for any other loop (uvloop, an application's): the epoll set's descriptor is one reader of it.

Events are level-triggered and only hints: what counts is what recv and send say. So an event that is out of date (its
descriptor was closed, or given to another client since) does no harm.
"""
import asyncio
import logging
import os
import selectors
import socket

import cython
from cython.cimports.carnelian.base.clock import steady_nanoseconds
from cython.cimports.carnelian.keyspace.session import CLOSE_AFTER_REPLY
from cython.cimports.carnelian.server.reactor.system import (
    AF_INET,
    AF_INET6,
    EPOLL_CLOEXEC,
    EPOLL_CTL_ADD,
    EPOLL_CTL_DEL,
    EPOLL_CTL_MOD,
    EPOLLIN,
    EPOLLOUT,
    MSG_NOSIGNAL,
    SOCK_CLOEXEC,
    SOCK_NONBLOCK,
    accept4,
    close,
    epoll_create1,
    epoll_ctl,
    epoll_wait,
    getsockname,
    inet_ntop,
    ntohs,
    recv,
    send,
    sockaddr,
    sockaddr_in,
    sockaddr_in6,
    sockaddr_storage,
    socklen_t,
)
from cython.cimports.libc.errno import (
    EAGAIN,
    ECONNABORTED,
    ECONNRESET,
    EINTR,
    EMFILE,
    ENFILE,
    ENOBUFS,
    ENOMEM,
    EPIPE,
    EPROTO,
    errno,
)
from cython.cimports.libc.math import ceil

from carnelian.server.addresses import peer_text
from carnelian.server.log import VERBOSE

log = logging.getLogger("carnelian")

# Room asked for before each recv, and the most that one recv takes of requests: a client that floods gets its turn like
# the others, and no longer.
READ_ROOM = cython.declare(cython.size_t, 16384)
READ_MOST = cython.declare(cython.size_t, 65536)
# The same in the midst of a large value, which is no work but copying.
READ_MOST_BULK = cython.declare(cython.size_t, 1 << 20)
# Requests of so many bytes are served before replies are sent.
BATCH_BYTES = cython.declare(cython.Py_ssize_t, 1 << 19)
# Connections accepted in a row.
ACCEPT_MOST = cython.declare(cython.int, 256)
# What is read and thrown away before a refused or protocol-breaking client's socket is closed: closing with unread
# bytes sends a reset, which can overtake the reply.
LINGER_BYTES = cython.declare(cython.Py_ssize_t, 1 << 20)
# Falling asleep and being woken costs both sides more than to ask again for a few microseconds (the client's send has to
# wake us): at pipeline 1 with 50 clients it is a tenth of the throughput. Asking is paid from an allowance, so that it never
# takes much of the time that the requests themselves take: a share of it, and something for each byte sent, as a
# client that has much to read is longer away. An idle server has no allowance and sleeps.
LINGER_PERCENT = cython.declare(cython.longlong, 12)
LINGER_PICOSECONDS = cython.declare(cython.longlong, 2000)          # for each byte
LINGER_MOST = cython.declare(cython.longlong, 50000)                # nanoseconds that can be saved up
# Who lingers gathers: a batch costs us and the clients about as much for one request as for several.
ENOUGH = cython.declare(cython.int, 6)                              # clients
CROWD = cython.declare(cython.Py_ssize_t, 24)                        # clients from which on there is something to gather
GATHERING = cython.declare(cython.longlong, 8000)                   # nanoseconds after the first of them
# Time that `ready` may hold another's event loop, and batches it may run.
READY_NANOSECONDS = cython.declare(cython.longlong, 1000000)
READY_BATCHES = cython.declare(cython.int, 16)


@cython.cfunc
@cython.exceptval(-1)
def discard_input(descriptor: cython.int) -> cython.int:
    scratch: cython.char[4096]
    left: cython.Py_ssize_t = LINGER_BYTES
    n: cython.Py_ssize_t
    while left > 0:
        n = recv(descriptor, scratch, 4096, 0)
        if n <= 0:
            break
        left -= n
    return 0


@cython.cfunc
def host_and_port(address: cython.pointer(sockaddr_storage)) -> tuple:
    text: cython.char[64]
    text[0] = 0
    port: cython.int = 0
    four: cython.pointer(sockaddr_in) = cython.cast(cython.pointer(sockaddr_in), address)
    six: cython.pointer(sockaddr_in6) = cython.cast(cython.pointer(sockaddr_in6), address)
    if address.ss_family == AF_INET:
        inet_ntop(AF_INET, cython.address(four.sin_addr), text, 64)
        port = ntohs(four.sin_port)
    elif address.ss_family == AF_INET6:
        inet_ntop(AF_INET6, cython.address(six.sin6_addr), text, 64)
        port = ntohs(six.sin6_port)
    return cython.cast(bytes, cython.cast(cython.p_char, text)).decode("ascii"), port


class Listener:
    """A listening socket in the epoll set."""

    def __init__(self, sock, is_unix):
        self.socket = sock
        self.descriptor = sock.fileno()
        self.is_unix = is_unix
        if is_unix:
            self.local_address = f"{sock.getsockname()}:0"
        else:
            host, port = sock.getsockname()[:2]
            self.local_address = "" if host in ("0.0.0.0", "::") else peer_text(host, port)


class SocketConnection(Connection):
    """A client whose socket is in the epoll set."""

    def transmit(self):
        # While the peer's window is known to be full, only EPOLLOUT says when it is worth trying.
        if self.interest & EPOLLOUT:
            return 0
        return self.send_now()

    def send_now(self):
        n: cython.Py_ssize_t = send(self.descriptor, self.writer.data + self.writer.start,
                                    self.writer.end - self.writer.start, MSG_NOSIGNAL)
        if n > 0:
            self.bytes_out += n
            self.clients.bytes_out += n
            self.clients.writes += 1
            self.active = self.clients.store.now
            self.writer.sent(n)
        elif errno != EAGAIN and errno != EINTR and errno != ENOBUFS:
            if errno != EPIPE and errno != ECONNRESET:
                log.log(VERBOSE, "Writing to client %s: %s", self.address, os.strerror(errno))
            return self.close()
        if (self.writer.end > self.writer.start) != (self.interest & EPOLLOUT != 0):
            return self.steer()
        return 0

    def steer(self):
        interest: cython.uint = 0
        if self.closed:
            return 0
        if not self.flags & CLOSE_AFTER_REPLY:
            interest = EPOLLIN
        if self.writer.end > self.writer.start:
            interest |= EPOLLOUT
        if interest != self.interest:
            self.interest = interest
            self.reactor.watch(EPOLL_CTL_MOD, self.descriptor, interest)
        return 0

    def hang_up(self):
        self.reactor.table[self.descriptor] = None
        if self.flags & CLOSE_AFTER_REPLY and not self.ended:
            discard_input(self.descriptor)
        # Closing takes it out of the epoll set.
        close(self.descriptor)
        return 0


class Reactor:
    """The batch loop. `control` is the descriptor of the control plane's own selector, for `turn`."""

    def __init__(self, clients):
        self.clients = clients
        self.table = []
        self.listeners = []
        self.control = -1
        self.epoll = epoll_create1(EPOLL_CLOEXEC)
        if self.epoll < 0:
            raise OSError(errno, os.strerror(errno))

    def __dealloc__(self):
        if self.epoll >= 0:
            close(self.epoll)

    def fileno(self) -> int:
        """The epoll set's descriptor: readable when `ready` is to be called."""
        return self.epoll

    def close(self) -> None:
        """Stops listening and closes every client."""
        self.unlisten()
        self.clients.close_all()

    # Listening

    def listen(self, sock: socket.socket, is_unix: bool = False) -> None:
        """Serves a listening socket; the reactor owns it from now on."""
        listener = Listener(sock, is_unix)
        sock.setblocking(False)
        self.put(listener.descriptor, listener)
        self.watch(EPOLL_CTL_ADD, listener.descriptor, EPOLLIN)
        self.listeners.append(listener)

    def unlisten(self, sock: socket.socket = None) -> None:
        """Closes one listening socket, or all."""
        for item in self.listeners[:]:
            listener: Listener = item
            if sock is None or listener.socket is sock:
                self.listeners.remove(listener)
                self.table[listener.descriptor] = None
                listener.socket.close()

    def wake_listeners(self) -> None:
        """Listens again where it had run out of descriptors. To be called from the timer."""
        for item in self.listeners:
            listener: Listener = item
            if listener.resting:
                listener.resting = False
                self.watch(EPOLL_CTL_ADD, listener.descriptor, EPOLLIN)

    def accept(self, listener):
        address: sockaddr_storage
        length: socklen_t
        descriptor: cython.int
        i: cython.int
        for i in range(ACCEPT_MOST):
            length = cython.sizeof(sockaddr_storage)
            descriptor = accept4(listener.descriptor, cython.cast(cython.pointer(sockaddr), cython.address(address)),
                                 cython.address(length), SOCK_NONBLOCK | SOCK_CLOEXEC)
            if descriptor < 0:
                if errno == EAGAIN:
                    break
                if errno == EINTR or errno == ECONNABORTED or errno == EPROTO:
                    continue
                log.warning("Accepting client connection: %s", os.strerror(errno))
                if errno == EMFILE or errno == ENFILE or errno == ENOBUFS or errno == ENOMEM:
                    listener.resting = True
                    self.watch(EPOLL_CTL_DEL, listener.descriptor, 0)
                break
            if listener.is_unix:
                host, port = "", 0
            else:
                host, port = host_and_port(cython.address(address))
            self.welcome(listener, descriptor, host, port)
        return 0

    def welcome(self, listener, descriptor, host, port):
        address: sockaddr_storage
        length: socklen_t = cython.sizeof(sockaddr_storage)
        refusal = self.clients.refusal(host, listener.is_unix)
        if refusal is not None:
            text: bytes = refusal
            send(descriptor, cython.cast(cython.p_char, text), len(text), MSG_NOSIGNAL)
            discard_input(descriptor)
            close(descriptor)
            return 0
        local = listener.local_address
        if not local:
            getsockname(descriptor, cython.cast(cython.pointer(sockaddr), cython.address(address)),
                        cython.address(length))
            local = peer_text(*host_and_port(cython.address(address)))
        peer = listener.local_address if listener.is_unix else peer_text(host, port)
        connection = SocketConnection(self.clients, peer, local, listener.is_unix)
        connection.descriptor = descriptor
        connection.reactor = self
        connection.interest = EPOLLIN
        self.put(descriptor, connection)
        self.watch(EPOLL_CTL_ADD, descriptor, EPOLLIN)
        self.clients.admit(connection)
        return 0

    # The epoll set

    def watch(self, operation, descriptor, events):
        event: epoll_event
        event.events = events
        event.data.fd = descriptor
        if epoll_ctl(self.epoll, operation, descriptor, cython.address(event)) < 0:
            raise OSError(errno, os.strerror(errno))
        return 0

    def put(self, descriptor, item):
        while descriptor >= len(self.table):
            self.table.extend([None] * (len(self.table) + 1024))
        self.table[descriptor] = item
        return 0

    def receive(self, connection):
        available: cython.size_t = 0
        most: cython.size_t = READ_MOST
        room: cython.p_char
        n: cython.Py_ssize_t
        if connection.flags & CLOSE_AFTER_REPLY:
            # It is not read from any more, so this is news of its end, or out of date: sending will tell.
            connection.send_now()
            return 0
        if connection.reader.bulk_length > cython.cast(cython.longlong, READ_MOST):
            most = READ_MOST_BULK
        room = connection.reader.room(READ_ROOM, cython.address(available))
        n = recv(connection.descriptor, room, available if available < most else most, 0)
        if n > 0:
            connection.take(n)
            return n
        if n == 0:
            connection.end_of_input()
            return 0
        if errno != EAGAIN and errno != EINTR:
            log.log(VERBOSE, "Reading from client %s: %s", connection.address, os.strerror(errno))
            connection.ended = True
            connection.close()
        return 0

    # Batches

    @cython.boundscheck(False)      # descriptors of events have been put into the table, which never shrinks
    @cython.wraparound(False)
    def batch(self, milliseconds):
        budget: cython.Py_ssize_t = BATCH_BYTES
        served: cython.int = 0
        descriptor: cython.int
        if self.next >= self.count:
            self.next = self.count = 0
            served = self.wait(milliseconds)
            if served < 0:
                if errno != EINTR:
                    raise OSError(errno, os.strerror(errno))
                return -1
            self.count = served
            served = 0
            if self.count == 0 and not self.clients.resumed:
                return 0
        try:
            self.clients.engine.begin_batch()
            self.clients.resume()
            while self.next < self.count and budget > 0:
                descriptor = self.events[self.next].data.fd
                served += 1
                self.next += 1
                if descriptor == self.control:
                    self.control_ready = True
                elif self.table[descriptor] is not None:
                    budget -= self.serve(self.table[descriptor], self.events[self.next - 1].events)
            self.clients.engine.end_batch()
            self.clients.flush()
        except Exception:
            log.exception("A batch of requests failed")
        return served

    def wait(self, milliseconds):
        """What epoll_wait says, after lingering for what the allowance permits."""
        served: cython.int
        began: cython.longlong
        now: cython.longlong
        first: cython.longlong
        # Few clients may be waiting for each other.
        enough: cython.int = ENOUGH if len(self.clients.connections) >= CROWD else 1
        with cython.nogil:
            served = epoll_wait(self.epoll, self.events, EVENTS, 0)
            if served != 0 or milliseconds == 0:
                return served
            began = now = steady_nanoseconds()
            self.allowance += ((began - self.woke) * LINGER_PERCENT // 100
                               + (self.clients.bytes_out - self.sent) * LINGER_PICOSECONDS // 1000)
            self.allowance = min(self.allowance, LINGER_MOST)
            self.sent = self.clients.bytes_out
            first = 0
            while served < enough and now - began < self.allowance and (first == 0 or now - first < GATHERING):
                served = epoll_wait(self.epoll, self.events, EVENTS, 0)
                now = steady_nanoseconds()
                if served > 0 and first == 0:
                    first = now
            self.allowance -= now - began
            if served == 0:
                served = epoll_wait(self.epoll, self.events, EVENTS, milliseconds)
                now = steady_nanoseconds()
            self.woke = now
        return served

    def serve(self, item, events):
        connection: SocketConnection
        try:
            if type(item) is not SocketConnection:
                self.accept(item)
                return 0
            connection = cython.cast(SocketConnection, item)
            if events & EPOLLOUT:
                connection.note_backlog()
                connection.send_now()
                connection.deliver()
            if events & ~EPOLLOUT and not connection.closed:
                return self.receive(connection)
        except Exception:
            log.exception("Serving descriptor %d failed", item.descriptor)
            if isinstance(item, Connection):
                cython.cast(Connection, item).close()
        return 0

    def turn(self, timeout):
        """Serves clients for so many seconds (None: for ever), or until the control plane has something to do.

        That is: its descriptor is ready (True is returned then), a signal has come, or `interrupted` has been set.
        """
        endless: cython.bint = timeout is None
        deadline: cython.longlong = 0
        wait: cython.double
        served: cython.int
        self.interrupted = False
        self.control_ready = False
        if not endless:
            deadline = steady_nanoseconds() + cython.cast(cython.longlong, cython.cast(cython.double, timeout) * 1e9)
        while True:
            wait = self.clients.work()
            if not endless:
                wait = min(wait, (deadline - steady_nanoseconds()) / 1e6)
            if wait < 0 or self.interrupted or self.clients.resumed:
                wait = 0
            # Rounded up: a timer must not find that its time has not quite come.
            served = self.batch(cython.cast(cython.int, ceil(wait)))
            if self.control_ready:
                return True
            if served < 0 or self.interrupted or (not endless and steady_nanoseconds() >= deadline):
                return False

    def ready(self) -> None:
        """What another's event loop calls when `fileno` is readable: serves clients, a millisecond at most."""
        stop: cython.longlong = steady_nanoseconds() + READY_NANOSECONDS
        i: cython.int
        for i in range(READY_BATCHES):
            if (self.batch(0) <= 0 and not self.clients.resumed) or steady_nanoseconds() > stop:
                break

    def serve_now(self) -> None:
        """Serves what is ready, from within a batch: while a script keeps it."""
        self.batch(0)

    def attach_control(self, descriptor: int) -> None:
        """Makes the descriptor of the control plane's selector (an epoll set of its own) a member of ours."""
        self.put(descriptor, None)
        self.watch(EPOLL_CTL_ADD, descriptor, EPOLLIN)
        self.control = descriptor


class ReactorSelector(selectors.BaseSelector):
    """asyncio's selector, stock but for where it sleeps: in the epoll set of the clients, serving them."""

    def __init__(self, reactor: Reactor):
        self.stock = selectors.EpollSelector()
        self.turn = reactor.turn
        reactor.attach_control(self.stock.fileno())

    def register(self, fileobj, events, data=None):
        return self.stock.register(fileobj, events, data)

    def unregister(self, fileobj):
        return self.stock.unregister(fileobj)

    def select(self, timeout=None):
        return self.stock.select(0) if self.turn(timeout) else []

    def get_map(self):
        return self.stock.get_map()

    def close(self):
        self.stock.close()


class ReactorLoop(asyncio.SelectorEventLoop):
    """The asyncio loop of a server of our own: a callback that a request schedules ends the reactor's turn."""

    def __init__(self, reactor: Reactor):
        self.reactor = reactor
        super().__init__(ReactorSelector(reactor))

    def call_soon(self, callback, *args, context=None):
        self.reactor.interrupted = True
        return super().call_soon(callback, *args, context=context)

    def call_at(self, when, callback, *args, context=None):
        self.reactor.interrupted = True
        return super().call_at(when, callback, *args, context=context)
