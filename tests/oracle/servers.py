"""Starting redis-server (the oracle) and carnelian for the tests, each in a directory of its own."""
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .resp import Client

ROOT = Path(__file__).resolve().parents[2]
COMMON = ["--save", "", "--enable-debug-command", "yes"]
START_SECONDS = 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A running server process: `address`, `process`, `directory`, `log()`, `stop()`; a context manager."""

    def __init__(self, name, command, arguments=()):
        self.name = name
        self.command = list(command)
        self.arguments = list(arguments)
        self.directory = Path(tempfile.mkdtemp(prefix=f"{name}-"))
        self.start()

    def start(self):
        """Start, and wait until PING is answered. RuntimeError with the log when it is not."""
        self.port = free_port()
        self.address = ("127.0.0.1", self.port)
        environment = dict(os.environ)
        environment["PYTHONPATH"] = os.pathsep.join(
            [str(ROOT)] + ([environment["PYTHONPATH"]] if environment.get("PYTHONPATH") else []))
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(
                [*self.command, "--port", str(self.port), *self.arguments],
                cwd=self.directory, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                client = Client(self.address, timeout=2)
                answer = client("PING")
                client.close()
                if isinstance(answer, bytes) and not answer.startswith(b"LOADING"):       # +PONG, or -NOAUTH, ...: it is up
                    return
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop(keep_log=True)
                raise RuntimeError(f"{self.name} cannot be started: {' '.join(self.process.args)}\n{self.log()}")
            time.sleep(0.02)

    def alive(self):
        return self.process.poll() is None

    def log(self, last=4000):
        try:
            return (self.directory / "log").read_text(errors="replace")[-last:]
        except OSError:
            return ""

    def stop(self, keep_log=False):
        if self.alive():
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if not keep_log:
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def oracle(*arguments):
    """A redis-server with these further arguments."""
    return Server("redis-server", ["redis-server"], [*COMMON, "--appendonly", "no", *arguments])


def carnelian(*arguments):
    """A `carnelian serve` with these further arguments."""
    return Server("carnelian", [sys.executable, "-m", "carnelian", "serve"], [*COMMON, *arguments])


def have_oracle():
    return shutil.which("redis-server") is not None
