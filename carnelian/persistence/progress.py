"""How far loading has come: for the log, for a terminal, and for INFO."""
import logging
import os
import time

log = logging.getLogger("carnelian")

TOLD_EVERY = 1.0            # seconds


class Progress:
    """Loading, which may be of several files."""

    def __init__(self):
        self.started = time.time()
        self.path = ""
        self.total = 0              # bytes of the file
        self.loaded = 0             # of them
        self.keys = 0               # of the files before
        self.current = 0            # of this file
        self.expired = 0            # keys left out
        self.began = time.monotonic()
        self.told = self.began

    def begin(self, path: str, total: int) -> None:
        self.path, self.total, self.loaded, self.current = path, total, 0, 0
        self.began = self.told = time.monotonic()

    def advance(self, loaded: int, keys: int) -> None:
        self.loaded, self.current = loaded, keys
        now = time.monotonic()
        if now - self.told >= TOLD_EVERY:
            self.told = now
            log.info("Loading %s", self.line())

    def end(self, keys: int, expired: int) -> None:
        self.keys += keys
        self.expired += expired
        self.current = 0
        log.info("Loaded %s: %d keys in %.3f seconds%s", self.path, keys, time.monotonic() - self.began,
                 f", {expired} expired ones left out" if expired else "")

    @property
    def percent(self) -> float:
        return 100.0 * self.loaded / self.total if self.total else 100.0

    @property
    def seconds_left(self) -> int:
        elapsed = time.monotonic() - self.began
        return int(elapsed * (self.total - self.loaded) / self.loaded) if self.loaded else 1

    def line(self) -> str:
        """`dump.rdb: 42 %, 1200000 keys, 3 seconds left`"""
        return f"{os.path.basename(self.path)}: {self.percent:.0f} %, {self.current} keys, {self.seconds_left} seconds left"
