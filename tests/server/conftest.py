"""A server in a thread of the test process, on each data plane."""
import asyncio
import sys
import threading

import pytest

from carnelian.server.config import Config
from carnelian.server.server import Server
from tests.oracle.resp import Client
from tests.oracle.servers import free_port

PLANES = (["epoll", "nested"] if sys.platform.startswith("linux") else []) + ["asyncio"]


class Running:
    """A server that serves in a thread: `client()`, `call(function)` in its loop, `until(predicate)`, `stop()`.

    `nested` is the epoll plane as a reader of a loop that is not ours.
    """

    def __init__(self, plane, *options):
        self.config = Config()
        self.port = free_port()
        self.config.load(arguments=["--port", str(self.port), "--save", "", "--data-plane", "asyncio" if plane == "asyncio" else "auto", *options])
        self.server = Server(self.config)
        self.server.open()
        self.clients = []
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(asyncio.new_event_loop if plane == "nested" else self.server.new_loop,))
        self.thread.start()
        assert self.ready.wait(10)

    def run(self, factory):
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.get_loop().call_soon(lambda: runner.get_loop().call_soon(self.ready.set))
            runner.run(self.server.serve())

    def client(self, **options):
        client = Client(self.config["unixsocket"] if self.config["port"] == 0 else ("127.0.0.1", self.config["port"]), **options)
        self.clients.append(client)
        return client

    def call(self, function, *arguments):
        """The function's value, called in the server's thread."""
        async def inside():
            return function(*arguments)
        return asyncio.run_coroutine_threadsafe(inside(), self.server.loop).result(10)

    def set(self, *words):
        """CONFIG SET."""
        self.call(self.config.set, [str(word).encode() for word in words])

    def pass_time(self, milliseconds):
        """Moves the store's clock, and lets the periodic work see it."""
        store = self.server.engine.store
        clients = self.server.clients

        def shift():
            store.clock_offset += milliseconds
            clients.batch(clients.sweep, (1,))

        self.call(shift)

    def until(self, predicate):
        """Lets the server turn until the predicate is true: it has 20,000 turns for that."""
        for _ in range(20000):
            if predicate():
                return
            self.call(lambda: None)
        pytest.fail("it never became true")

    @property
    def connections(self):
        return len(self.server.clients)

    def stop(self):
        for client in self.clients:
            client.close()
        if self.thread.is_alive():
            self.server.loop.call_soon_threadsafe(self.server.request_shutdown)
            self.thread.join(10)
        assert not self.thread.is_alive()
        self.server.clients._check()


@pytest.fixture(params=PLANES)
def start(request):
    """A function that starts a server on the plane, with further options."""
    started = []

    def start(*options):
        started.append(Running(request.param, *options))
        return started[-1]

    start.plane = request.param
    yield start
    for running in started:
        running.stop()


@pytest.fixture
def running(start):
    return start()
