"""Files that are whole or not there: written beside their place by a thread, synced, then moved there."""
import itertools
import os
import queue
import re
import struct
import threading

import anycrc

from carnelian.persistence import format

MODEL = anycrc.Model("CRC64-REDIS")
# Bytes written between two syncs: so the last one is short, and the disk's queue never holds up others for long.
SYNC_EVERY = 32 << 20
# Chunks that may wait for the thread before `is_behind` says so.
MOST_WAITING = 512
# For the names of temporary files: one that was given up may still be on its way when the next one begins.
NUMBERS = itertools.count(1)
TEMPORARY = re.compile(r"temp-\d+-\d+\.rdb|.+\.manifest\.\d+\.tmp")


def sync_directory(path: str) -> None:
    """Makes the names in a directory durable, where the system has such a thing."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_durably(temporary: str, path: str) -> None:
    """Moves a synced file to its place. OSError."""
    os.replace(temporary, path)
    sync_directory(os.path.dirname(path) or ".")


def write_whole(path: str, data: bytes) -> None:
    """A small file, replaced durably; only its owner may read it. OSError."""
    temporary = f"{path}.{os.getpid()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        try:
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        replace_durably(temporary, path)
    except BaseException:
        remove_if_there(temporary)
        raise


def write_all(descriptor: int, data) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view):]


def remove_if_there(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def remove_leftovers(directory: str) -> None:
    """Deletes what a process that was killed has left half written; the directory must be ours alone."""
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return
    for name in names:
        if TEMPORARY.fullmatch(name):
            remove_if_there(os.path.join(directory, name))


class RdbFile:
    """An RDB file on its way. `put` takes chunks and never waits; a thread writes them, and ends it with the checksum.

    After `finish`, `done` becomes True; then `error` is None and the file is in its place, or an OSError and there is no trace
    of it. `close` may be called at any time.
    """

    def __init__(self, path: str, checksum: bool = True, incremental_sync: bool = True):
        self.path = path
        self.temporary = os.path.join(os.path.dirname(path), f"temp-{os.getpid()}-{next(NUMBERS)}.rdb")
        self.checksum = checksum
        self.incremental_sync = incremental_sync
        self.size = 0
        self.error = None
        self.done = False
        self.crc = 0
        self.chunks = queue.SimpleQueue()
        self.descriptor = os.open(self.temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self.thread = threading.Thread(target=self.run, name="carnelian-rdb", daemon=True)
        self.thread.start()

    @property
    def is_behind(self) -> bool:
        """Whether the disk is slower than what comes: better wait."""
        return self.chunks.qsize() > MOST_WAITING

    def put(self, chunk: bytes) -> None:
        # The checksum is not the thread's work: it would hold the interpreter's lock while a client's request waits for it.
        if self.checksum:
            self.crc = MODEL.calc(chunk, self.crc)
        self.chunks.put(chunk)

    def finish(self) -> None:
        """Everything has been put."""
        if self.checksum:
            self.crc = MODEL.calc(bytes([format.END]), self.crc)
        self.chunks.put(None)

    def cancel(self) -> None:
        """The file is not wanted any more."""
        self.error = self.error or InterruptedError("given up")
        self.chunks.put(None)

    def join(self) -> None:
        self.thread.join()

    def run(self) -> None:
        unsynced = 0
        try:
            while True:
                chunk = self.chunks.get()
                if self.error is not None:
                    if chunk is None:
                        break
                    continue
                if chunk is None:
                    write_all(self.descriptor, bytes([format.END]) + struct.pack("<Q", self.crc))
                    os.fsync(self.descriptor)
                    os.close(self.descriptor)
                    self.descriptor = -1
                    replace_durably(self.temporary, self.path)
                    self.size += 9
                    break
                try:
                    write_all(self.descriptor, chunk)
                    self.size += len(chunk)
                    unsynced += len(chunk)
                    if unsynced >= SYNC_EVERY and self.incremental_sync:
                        unsynced = 0
                        os.fsync(self.descriptor)
                except OSError as error:
                    self.error = error          # what still comes is thrown away
        except OSError as error:
            self.error = error
        finally:
            if self.descriptor >= 0:
                os.close(self.descriptor)
            if self.error is not None:
                remove_if_there(self.temporary)
            self.done = True
