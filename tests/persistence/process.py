"""A server on a directory that outlives it, for the tests of what it leaves there."""
import os
import signal
import subprocess
import sys
import time

from tests.oracle.resp import Client
from tests.oracle.servers import ROOT, free_port

SECONDS = 30


class Process:
    """`carnelian serve` with these arguments in `directory`; waits until it answers PING, unless `wait=False`."""

    def __init__(self, directory, *arguments, wait=True, environment=None, before=None):
        self.directory = directory
        self.port = free_port()
        self.log_path = directory.with_name(directory.name + ".log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "carnelian", "serve", "--port", str(self.port), "--dir", str(directory), *arguments],
                env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, preexec_fn=before)
        self.clients = []
        if wait:
            assert self.until(lambda: self.ask("PING") == b"PONG"), self.log()

    def until(self, condition, seconds=SECONDS):
        """Whether it became true before the process ended or the time was over."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if condition():
                    return True
            except OSError:
                if self.process.poll() is not None:
                    return False
            time.sleep(0.01)
        return False

    def client(self):
        client = Client(("127.0.0.1", self.port), timeout=SECONDS)
        self.clients.append(client)
        return client

    def ask(self, *words):
        if not self.clients or self.clients[0].closed:
            self.clients[:0] = [Client(("127.0.0.1", self.port), timeout=SECONDS)]
        return self.clients[0](*words)

    def info(self, field, section="persistence"):
        for line in self.ask("INFO", section).decode().splitlines():
            name, _, value = line.partition(":")
            if name == field:
                return value
        raise KeyError(field)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def wait(self):
        return self.process.wait(SECONDS)

    def end(self, number=signal.SIGTERM):
        """Sends the signal: the exit status."""
        self.process.send_signal(number)
        return self.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for client in self.clients:
            client.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
