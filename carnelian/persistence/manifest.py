"""The manifest of a multi-part append-only file: which files there are, in what order.

A line for each: `file NAME seq NUMBER type b|i|h`: a base (an RDB file or requests, at most one), increments (requests, in
order), and history (files that are about to be deleted). It is Redis 7's format.
"""
import os
import shlex

from carnelian.persistence.files import write_whole
from carnelian.persistence.loading import DamagedFile

BASE = "b"
INCREMENT = "i"
HISTORY = "h"
LARGEST = 1 << 20           # bytes of a manifest


class Part:
    """One file."""

    def __init__(self, name: str, sequence: int, kind: str):
        self.name = name
        self.sequence = sequence
        self.kind = kind


class Manifest:
    """The files of an append-only directory."""

    def __init__(self, directory: str, name: str):
        self.directory = directory
        self.name = name                    # appendfilename
        self.base = None
        self.increments = []
        self.history = []

    @property
    def path(self) -> str:
        return os.path.join(self.directory, self.name + ".manifest")

    def path_of(self, part: Part) -> str:
        return os.path.join(self.directory, part.name)

    @property
    def is_empty(self) -> bool:
        return self.base is None and not self.increments

    @property
    def parts(self) -> list:
        """What is loaded, in order."""
        return ([self.base] if self.base else []) + self.increments

    def read(self) -> bool:
        """Takes up the manifest of the directory: whether there is one. OSError; DamagedFile."""
        try:
            with open(self.path, "rb") as file:
                data = file.read(LARGEST + 1)
        except FileNotFoundError:
            return False
        if len(data) > LARGEST:
            raise DamagedFile(self.path, LARGEST, "a manifest is not so large")
        if not data.strip():
            raise DamagedFile(self.path, 0, "the manifest is empty")
        offset = 0
        for line in data.splitlines(keepends=True):
            try:
                self.take(line)
            except ValueError as error:
                raise DamagedFile(self.path, offset, str(error)) from None
            offset += len(line)
        return True

    def take(self, line: bytes) -> None:
        words = shlex.split(line.decode("utf-8"), comments=True)
        if not words:
            return
        pairs = dict(zip(words[::2], words[1::2]))
        if len(words) % 2 or not {"file", "seq", "type"} <= pairs.keys():
            raise ValueError("a line `file NAME seq NUMBER type TYPE` is expected")
        name, kind = pairs["file"], pairs["type"]
        if not name or os.path.basename(name) != name or name in (".", ".."):
            raise ValueError(f"{name!r} is no plain name of a file")
        part = Part(name, int(pairs["seq"]), kind)
        if kind == BASE:
            if self.base is not None:
                raise ValueError("there is a base already")
            self.base = part
        elif kind == INCREMENT:
            if self.increments and part.sequence <= self.increments[-1].sequence:
                raise ValueError("increments come in the order of their numbers")
            self.increments.append(part)
        elif kind == HISTORY:
            self.history.append(part)
        else:
            raise ValueError(f"{kind!r} is no type of a file: b, i or h")

    def write(self) -> None:
        """Replaces the manifest, durably. OSError."""
        lines = [f"file {shlex.quote(part.name)} seq {part.sequence} type {part.kind}\n"
                 for part in self.parts + self.history]
        write_whole(self.path, "".join(lines).encode("utf-8"))

    def next_increment(self) -> Part:
        """A new increment at the end, not yet written to disk."""
        sequence = self.increments[-1].sequence + 1 if self.increments else 1
        for part in self.history:
            if part.kind == INCREMENT or ".incr." in part.name:
                sequence = max(sequence, part.sequence + 1)
        return Part(f"{self.name}.{sequence}.incr.aof", sequence, INCREMENT)

    def next_base(self) -> Part:
        sequence = max([part.sequence for part in [self.base, *self.history] if part is not None and ".base." in part.name],
                       default=0) + 1
        return Part(f"{self.name}.{sequence}.base.rdb", sequence, BASE)
