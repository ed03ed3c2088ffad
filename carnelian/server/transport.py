# cython: language_level=3, auto_pickle=False
"""The data plane of systems without epoll: the same connections behind asyncio's own transports.

Chosen by the platform, or by `data-plane asyncio`. Each callback of a transport is a batch of one client.
"""
import asyncio
import logging
import socket

import cython
from cython.cimports.carnelian.keyspace.session import CLOSE_AFTER_REPLY
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.string import memcpy

from carnelian.server.addresses import peer_text

log = logging.getLogger("carnelian")

# Bytes handed to a transport at once.
WRITE_MOST = cython.declare(cython.size_t, 1 << 18)


class StreamConnection(Connection):
    """A client behind an asyncio transport."""

    def __init__(self, clients, address, local_address, is_unix, transport):
        Connection.__init__(self, clients, address, local_address, is_unix)
        self.transport = transport
        sock = transport.get_extra_info("socket")
        self.descriptor = sock.fileno() if sock is not None else -1

    def received(self, data: bytes) -> None:
        """Runs what the bytes ask; within a batch."""
        available: cython.size_t = 0
        n: cython.size_t = PyBytes_GET_SIZE(data)
        if n and not self.closed:
            memcpy(self.reader.room(n, cython.address(available)), PyBytes_AS_STRING(data), n)
            self.take(n)

    def finished(self) -> None:
        """The peer sends no more."""
        if not self.closed:
            self.end_of_input()

    def lost(self) -> None:
        """The transport is gone."""
        self.ended = True
        self.close()

    def set_full(self, full: cython.bint) -> None:
        """Whether the transport has enough to send for now."""
        self.full = full

    def go_on(self) -> None:
        """The transport has room again."""
        if not self.closed:
            self.deliver()

    def transmit(self):
        n: cython.size_t
        while not self.full and not self.closed and self.writer.end > self.writer.start:
            n = min(self.writer.end - self.writer.start, WRITE_MOST)
            self.transport.write(self.writer.data[self.writer.start:self.writer.start + n])
            self.bytes_out += n
            self.clients.bytes_out += n
            self.clients.writes += 1
            self.active = self.clients.store.now
            self.writer.sent(n)
        return 0

    def steer(self):
        reading: cython.bint = not self.flags & CLOSE_AFTER_REPLY
        if self.closed or self.transport.is_closing():
            return 0
        if reading != self.transport.is_reading():
            if reading:
                self.transport.resume_reading()
            else:
                self.transport.pause_reading()
        return 0

    def hang_up(self):
        if self.flags & CLOSE_AFTER_REPLY and not self.ended:
            self.transport.close()          # what it still holds is sent first
        else:
            self.transport.abort()
        return 0


class Protocol(asyncio.Protocol):
    """What asyncio tells of one transport, as batches."""

    def __init__(self, plane, is_unix: bool):
        self.plane = plane
        self.is_unix = is_unix
        self.connection = None

    def connection_made(self, transport):
        clients = self.plane.clients
        if self.is_unix:
            host, peer = "", f"{transport.get_extra_info('sockname')}:0"
            local = peer
        else:
            host, port = transport.get_extra_info("peername")[:2]
            peer, local = peer_text(host, port), peer_text(*transport.get_extra_info("sockname")[:2])
        refusal = clients.refusal(host, self.is_unix)
        if refusal is not None:
            transport.write(refusal)
            transport.close()
            return
        self.connection = StreamConnection(clients, peer, local, self.is_unix, transport)
        self.plane.batch(clients.admit, self.connection)

    def data_received(self, data):
        if self.connection is not None:
            self.plane.batch(self.connection.received, data)

    def eof_received(self):
        if self.connection is None:
            return False
        self.plane.batch(self.connection.finished)
        return not self.connection.closed

    def connection_lost(self, error):
        if self.connection is not None:
            self.plane.batch(self.connection.lost)

    def pause_writing(self):
        if self.connection is not None:
            self.connection.set_full(True)

    def resume_writing(self):
        if self.connection is not None:
            self.connection.set_full(False)
            self.plane.batch(self.connection.go_on)


def nothing() -> None:
    """For a callback that only has to be there."""


class StreamPlane:
    """Listening sockets and clients of an asyncio loop. `after_batch` is called at the end of each batch."""

    def __init__(self, clients, backlog: int, after_batch):
        self.clients = clients
        self.backlog = backlog
        self.after_batch = after_batch
        self.servers = {}               # socket -> task that makes its asyncio server
        self.batching = False

    def listen(self, sock: socket.socket, is_unix: bool = False) -> None:
        """Serves a listening socket; it is owned here from now on. The loop must be running."""
        loop = asyncio.get_running_loop()
        sock.setblocking(False)
        make = loop.create_unix_server if is_unix else loop.create_server
        self.servers[sock] = loop.create_task(make(lambda: Protocol(self, is_unix), sock=sock, backlog=self.backlog))

    def unlisten(self, sock: socket.socket = None) -> None:
        """Closes one listening socket, or all."""
        for one in [sock] if sock is not None else list(self.servers):
            task = self.servers.pop(one)
            if task.done():
                task.result().close()
            else:
                task.add_done_callback(lambda task: task.cancelled() or task.result().close())

    def wake_listeners(self) -> None:
        """asyncio does that itself."""

    def batch(self, function, *arguments) -> None:
        """Runs one event of one client as a batch; one within another is part of it."""
        if self.batching:
            function(*arguments)
            return
        self.batching = True
        try:
            self.clients.batch(function, arguments)
        except Exception:
            log.exception("A batch of requests failed")
        finally:
            self.batching = False
        self.after_batch()

    def serve_now(self) -> None:
        """Serves what is ready, from within a callback of the loop: while a script keeps it.

        asyncio has no such thing, so a turn of the loop is made by hand. uvloop's can't.
        """
        loop = asyncio.get_running_loop()
        ready = getattr(loop, "_ready", None)
        if ready is None:
            return
        caller = self.clients.engine.script.caller
        transport = cython.cast(StreamConnection, caller).transport if isinstance(caller, StreamConnection) else None
        reading = transport is not None and transport.is_reading()
        if reading:
            transport.pause_reading()       # its callback is the one that is under way, and can't be called within itself
        due = len(ready)
        loop.call_soon(nothing)             # there is something to do, so that the loop does not sleep
        try:
            loop._run_once()
        finally:
            while len(ready) < due:         # the turn of the loop that we are in counts on so many callbacks
                loop.call_soon(nothing)
            if reading and not transport.is_closing():
                transport.resume_reading()
        self.clients.flush()

    def close(self) -> None:
        """Stops listening and closes every client."""
        self.unlisten()
        self.clients.close_all()
