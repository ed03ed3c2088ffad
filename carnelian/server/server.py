"""The server around an engine: sockets, signals, the timer, start and end."""
import asyncio
import gc
import logging
import os
import select
import signal
import sys
import time

import carnelian.scripting.words
import carnelian.persistence.words      # declares them, before an engine takes up what is declared
import carnelian.server.words
from carnelian.base.errors import ReplyError
from carnelian.engine import Engine
from carnelian.persistence.loading import DamagedFile
from carnelian.persistence.persistence import Persistence
from carnelian.scripting.function_words import functions_of
from carnelian.scripting.python_functions import FunctionFault, load_file
from carnelian.server import addresses, config_effects, log as logs
from carnelian.server.config import Config
from carnelian.server.connection import Clients
from carnelian.version import REDIS_VERSION, __version__

log = logging.getLogger("carnelian")

# Descriptors beside those of clients.
RESERVED_DESCRIPTORS = 32


class StartError(Exception):
    """The server can't start; the text says why, in one line."""


class Server:
    """A store that clients reach by TCP and by a unix socket.

    `Server(config).run()` serves until SIGTERM, SIGINT or `request_shutdown`. In a program with an asyncio loop of its
    own: `open()`, then `await serve()`.

    `engine`, `config`, `clients` (connections and their counters) are for the words that speak of the server.
    """

    def __init__(self, config: Config):
        self.config = config
        self.started = time.time()
        self.executable = sys.executable
        self.engine = Engine(config["databases"])
        self.engine.server = self
        self.engine.meanwhile = self.serve_meanwhile
        config_effects.connect(config, self.engine)
        self.load_functions()
        self.persistence = Persistence(self.engine, config)
        self.clients = Clients(self.engine)
        self.plane = None
        self.reactor = None
        self.loop = None
        self.sockets = {}               # word of `bind` -> listening socket
        self.unix_socket = None
        self.timer = None
        self.ending = None              # set when the server is to end
        self.has_pidfile = False
        self.nested = False
        self.torn = False               # a script was broken off half-way so that the server can end: what is there is no state to save
        self.follow_configuration()

    # --- configuration -----------------------------------------------------------------------------------------------

    def follow_configuration(self) -> None:
        """Lets the connections follow the configuration, now and with every CONFIG SET."""
        clients, follow = self.clients, self.config.on_change

        def output_limits(limits):
            for kind, values in limits.items():
                clients.set_output_limit(kind, *values)

        def input_limits(_):
            clients.set_input_limits(self.config["client-query-buffer-limit"], self.config["proto-max-bulk-len"])

        follow("client-output-buffer-limit", output_limits)
        follow("client-query-buffer-limit", input_limits)
        follow("proto-max-bulk-len", input_limits)
        follow("timeout", lambda seconds: setattr(clients, "idle_milliseconds", seconds * 1000))
        follow("protected-mode", lambda value: setattr(clients, "protected_mode", value))
        follow("maxclients", self.set_maximum)
        follow("tcp-keepalive", self.set_keepalive)
        follow("bind", lambda _: self.relisten("Failed to bind to specified addresses."))
        follow("port", lambda _: self.relisten("Unable to listen on this port. Check server logs."))
        self.persistence.follow(follow)
        follow("loglevel", lambda level: log.setLevel(logs.LEVELS[level]))

    def serve_meanwhile(self) -> None:
        """Serves clients for a moment while a script keeps the engine."""
        self.plane.serve_now()

    def load_functions(self) -> None:
        """The files of functions in Python. StartError."""
        for path in self.config["functions"]:
            try:
                load_file(functions_of(self.engine), path)
            except FunctionFault as error:
                raise StartError(str(error)) from None

    def set_maximum(self, maximum: int) -> None:
        """maxclients, as far as the system's limit on open files allows; ValueError when it doesn't, once started."""
        allowed = addresses.raise_descriptor_limit(maximum + RESERVED_DESCRIPTORS) - RESERVED_DESCRIPTORS
        if allowed >= maximum:
            self.clients.maximum = maximum
        elif self.ending is not None:
            raise ValueError("The operating system is not able to handle the specified number of clients, "
                             f"try with {max(allowed, 0)}")
        elif allowed <= 0:
            raise StartError(f"The system allows too few open files for {maximum} clients (ulimit -n)")
        else:
            log.warning("maxclients %d needs more open files than the system allows (ulimit -n); it is %d now",
                        maximum, allowed)
            self.clients.maximum = self.config.values["maxclients"] = allowed

    def set_keepalive(self, seconds: int) -> None:
        for sock in self.sockets.values():
            addresses.set_keepalive(sock, seconds)

    # --- sockets -----------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Opens the listening sockets. StartError."""
        path = self.config["unixsocket"]
        try:
            self.persistence.acquire()
        except OSError as error:
            raise StartError(f"Can't use the directory {self.config['dir']}: {error}") from None
        try:
            self.sockets = self.open_tcp({})
            if path:
                self.unix_socket = addresses.listen_unix(path, self.config["unixsocketperm"], self.config["tcp-backlog"])
        except OSError as error:
            self.close_sockets()
            place = getattr(error, "place", f"the unix socket {path}")
            raise StartError(f"Can't listen on {place}: {error.strerror or error}") from None
        if not self.sockets and self.unix_socket is None:
            raise StartError("There is nothing to listen on: port is 0 or no address could be bound, and no unixsocket")

    def open_tcp(self, known: dict) -> dict:
        """A listening socket for each address, those of `known` where they fit. OSError with its `place`."""
        port = self.config["port"]
        sockets = {}
        if port == 0:
            return sockets
        try:
            for word in self.config["bind"]:
                sock = known.get((word, port)) or addresses.listen_tcp(
                    word, port, self.config["tcp-backlog"], self.config["tcp-keepalive"])
                if sock is not None:
                    sockets[word, port] = sock
        except OSError as error:
            for place, sock in sockets.items():
                if place not in known:
                    sock.close()
            error.place = f"{word} port {port}"
            raise
        return sockets

    def relisten(self, failure: str) -> None:
        """bind or port has been changed: listens there, and there alone. ValueError."""
        if self.ending is None:
            return
        try:
            sockets = self.open_tcp(self.sockets)
        except OSError as error:
            log.warning("Can't listen on %s: %s", error.place, error.strerror or error)
            raise ValueError(failure) from None
        before, self.sockets = self.sockets, sockets
        for place, sock in sockets.items():
            if place not in before:
                self.plane.listen(sock)
        for place, sock in before.items():
            if place not in sockets:
                self.plane.unlisten(sock)

    def close_sockets(self) -> None:
        for sock in self.sockets.values():
            sock.close()
        self.sockets = {}
        if self.unix_socket is not None:
            self.unix_socket.close()
            self.unix_socket = None
            try:
                os.unlink(self.config["unixsocket"])
            except FileNotFoundError:
                pass

    # --- running -----------------------------------------------------------------------------------------------------

    def uses_epoll(self) -> bool:
        """Which data plane: epoll where the system has it, unless `data-plane asyncio`."""
        wish = self.config["data-plane"]
        if wish == "epoll" and not sys.platform.startswith("linux"):
            raise StartError("data-plane epoll: this system has no epoll")
        return wish != "asyncio" and sys.platform.startswith("linux")

    def run(self) -> int:
        """Opens what is not open yet, serves in an asyncio loop of its own, and returns the exit status. StartError."""
        if not self.sockets and self.unix_socket is None:
            self.open()
        # What is loaded by now stays: the collector of cycles need not look at it again.
        gc.collect()
        gc.freeze()
        with asyncio.Runner(loop_factory=self.new_loop) as runner:
            runner.run(self.serve())
        return 0

    def new_loop(self) -> asyncio.AbstractEventLoop:
        if self.config["event-loop"] == "uvloop":
            try:
                import uvloop
            except ImportError:
                raise StartError("event-loop uvloop: the package uvloop is not installed") from None
            return uvloop.new_event_loop()
        if self.uses_epoll():
            from carnelian.server.reactor.epoll import Reactor, ReactorLoop

            self.reactor = Reactor(self.clients)
            return ReactorLoop(self.reactor)
        return asyncio.new_event_loop()

    async def serve(self) -> None:
        """Serves until the end is requested, in the loop that runs."""
        self.loop = asyncio.get_running_loop()
        self.loop.set_exception_handler(self.report)
        self.ending = asyncio.Event()
        self.make_plane()
        for number in (signal.SIGTERM, signal.SIGINT):
            try:
                self.loop.add_signal_handler(number, self.end_by_signal, number)
                signal.signal(number, self.hasten)      # called in any case; the loop is told by its own means
                signal.siginterrupt(number, False)
            except (NotImplementedError, RuntimeError, ValueError):
                pass                        # no signals on this system, or not the main thread: its owner's business
        for sock in self.sockets.values():
            self.plane.listen(sock)
        if self.unix_socket is not None:
            self.plane.listen(self.unix_socket, True)
        self.write_pidfile()
        self.tend()
        try:
            if await self.load():
                self.announce()
                await self.ending.wait()
        finally:
            self.finish()

    async def load(self) -> bool:
        """Loads the files; clients are told to wait. False if the end came first. StartError."""
        try:
            for _ in self.persistence.load():
                await asyncio.sleep(0)
                if self.ending.is_set():
                    return False
            self.persistence.start()
        except (DamagedFile, OSError) as error:
            raise StartError(f"Can't load the data: {error}") from None
        return True

    def make_plane(self) -> None:
        if self.reactor is not None:
            self.plane = self.reactor           # the loop sleeps in its epoll set, and it does the periodic work itself
        elif self.uses_epoll():
            from carnelian.server.reactor.epoll import Reactor

            self.plane = self.reactor = Reactor(self.clients)
            self.nested = True
            self.loop.add_reader(self.reactor.fileno(), self.serve_ready)
        else:
            from carnelian.server.transport import StreamPlane

            self.plane = StreamPlane(self.clients, self.config["tcp-backlog"], self.after_batch)
        if self.reactor is not None:
            poller = select.poll()
            poller.register(self.reactor.fileno(), select.POLLIN)
            self.persistence.is_wanted = lambda: bool(poller.poll(0))

    def serve_ready(self) -> None:
        """The epoll set is ready, in another's loop."""
        try:
            self.reactor.ready()
        except Exception:
            log.exception("A batch of requests failed")
        self.after_batch()

    def tend(self) -> None:
        """The timer: the engine's periodic work, unless the reactor's own loop does it; sockets that were out of files."""
        delay = 0.1
        if self.reactor is None or self.nested:
            delay = min(delay, self.clients.work() / 1000)
            if self.clients.resumed:
                self.loop.call_soon(self.go_on)
        self.plane.wake_listeners()
        self.timer = self.loop.call_later(delay, self.tend)

    def after_batch(self) -> None:
        """What ReactorLoop does by itself: goes on with put-off requests; advances the timer for a client's timeout."""
        if self.clients.resumed:
            self.loop.call_soon(self.go_on)
        deadline = self.engine.next_deadline
        if deadline and self.timer is not None:
            delay = max(0.0, (deadline - self.engine.store.now) / 1000)
            if self.loop.time() + delay < self.timer.when() - 0.001:
                self.timer.cancel()
                self.timer = self.loop.call_later(delay, self.tend)

    def go_on(self) -> None:
        """Runs the requests that had been put off so that replies could leave."""
        if self.clients.resumed:
            try:
                self.clients.batch(lambda: None)
            except Exception:
                log.exception("A batch of requests failed")
            self.after_batch()

    def report(self, loop, context) -> None:
        """An exception that came out of a callback of the loop: logged, and that is all."""
        log.error("%s", context.get("message", "An exception in a callback"), exc_info=context.get("exception"))

    # --- the end -----------------------------------------------------------------------------------------------------

    def request_shutdown(self, save: bool | None = None, force: bool = False) -> None:
        """Ends the server once the batch under way is answered: SHUTDOWN, and the signals.

        A snapshot is written if `save`, or if it is None and there are save points. ReplyError if that fails, unless `force`:
        then the server goes on.
        """
        log.warning("User requested shutdown...")
        self.break_off()
        try:
            # What a script has done half is not saved; the append-only file has nothing of it yet.
            self.persistence.close(False if self.torn else save)
        except (OSError, ReplyError) as error:
            log.warning("Error trying to save the DB: %s", getattr(error, "strerror", None) or error)
            if not force:
                raise ReplyError("ERR Errors trying to SHUTDOWN. Check logs.") from None
        self.engine.refuse_writes("ERR The server is shutting down")
        self.ending.set()

    def hasten(self, number: int, frame) -> None:
        """A signal has come: a script that keeps the loop from hearing of it ends."""
        self.break_off()

    def break_off(self) -> None:
        """Ends the script under way, if there is one."""
        if self.engine.script is not None:
            self.torn = True
            self.engine.script.abandon()

    def end_by_signal(self, number: int) -> None:
        log.warning("Received %s scheduling shutdown...", signal.Signals(number).name)
        if self.ending.is_set():
            log.warning("You insist... exiting now.")
            os._exit(1)
        wishes = self.config["shutdown-on-sigint" if number == signal.SIGINT else "shutdown-on-sigterm"].split()
        try:
            self.request_shutdown(True if "save" in wishes else False if "nosave" in wishes else None, "force" in wishes)
        except ReplyError:
            log.warning("The server goes on: its data could not be saved (SHUTDOWN NOSAVE ends it all the same)")

    def finish(self) -> None:
        """Closes everything: what can be sent is sent."""
        if self.timer is not None:
            self.timer.cancel()
        if self.nested:
            self.loop.remove_reader(self.reactor.fileno())
        self.plane.close()
        self.close_sockets()
        self.persistence.abandon_files()
        if self.has_pidfile:
            log.info("Removing the pid file.")
            try:
                os.unlink(self.config["pidfile"])
            except OSError:
                pass
        log.warning("carnelian is now ready to exit, bye bye...")

    # --- what is told ------------------------------------------------------------------------------------------------

    def write_pidfile(self) -> None:
        path = self.config["pidfile"]
        if path:
            try:
                with open(path, "w", encoding="ascii") as file:
                    file.write(f"{os.getpid()}\n")
                self.has_pidfile = True
            except OSError as error:
                log.warning("Failed to write the pid file %s: %s", path, error.strerror)

    def places(self) -> list:
        """Where clients find the server: `host:port` of every address, paths of unix sockets."""
        found = [addresses.peer_text(*sock.getsockname()[:2]) for sock in self.sockets.values()]
        return found + ([self.config["unixsocket"]] if self.unix_socket is not None else [])

    def announce(self) -> None:
        log.info("carnelian %s (Redis %s) is ready: %s, pid %d", __version__, REDIS_VERSION, ", ".join(self.places()),
                 os.getpid())

    def cpu_times(self) -> dict:
        """Seconds of CPU time: INFO's section CPU."""
        times = os.times()
        return {"used_cpu_sys": times.system, "used_cpu_user": times.user,
                "used_cpu_sys_children": times.children_system, "used_cpu_user_children": times.children_user}

    def uptime(self) -> int:
        """Seconds since the start."""
        return int(time.time() - self.started)
