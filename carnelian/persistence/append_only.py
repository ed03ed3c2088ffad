"""The append-only file: what was changed is in the file as the settings promise, and every second on the disk.

https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/ describes the files and the settings.
"""
import errno
import logging
import os
import threading
import time

from carnelian.keyspace.journal import Journal
from carnelian.persistence.files import remove_if_there, sync_directory
from carnelian.persistence.manifest import HISTORY, Manifest, Part
from carnelian.persistence.outlet import write_journal

log = logging.getLogger("carnelian")

# While a sync is slow, the kernel may hold up a write to the same file: writes wait so long for it (seconds), as Redis's do.
PATIENCE = 2.0
SECOND = 1.0
APPENDING = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)

synchronize = getattr(os, "fdatasync", os.fsync)


class Syncer:
    """Syncs a file in a thread, one at a time."""

    def __init__(self):
        self.descriptor = -1
        self.wanted = threading.Event()
        self.busy = False
        self.is_heard = True        # the outcome of the last sync has been looked at
        self.error = None           # that outcome
        self.ending = False
        self.thread = None

    def request(self, descriptor: int) -> None:
        """Syncs what has been written so far; not while one is under way."""
        if self.thread is None:
            self.thread = threading.Thread(target=self.run, name="carnelian-sync", daemon=True)
            self.thread.start()
        # The file may be closed meanwhile.
        self.descriptor = os.dup(descriptor)
        self.busy = True
        self.wanted.set()

    def run(self) -> None:
        while True:
            self.wanted.wait()
            self.wanted.clear()
            if self.ending:
                return
            try:
                synchronize(self.descriptor)
                self.error = None
            except OSError as error:
                self.error = error
            os.close(self.descriptor)
            self.is_heard = False
            self.busy = False

    def end(self) -> None:
        """Waits for the sync under way."""
        if self.thread is not None:
            while self.busy and self.thread.is_alive():
                time.sleep(0.001)
            self.ending = True
            self.wanted.set()
            self.thread.join()
            self.thread = None


class AppendOnlyFile:
    """The journal of a store, written to the last increment of an append-only directory.

    `policy` is appendfsync: "always", "everysec" or "no".
    """

    def __init__(self, directory: str, name: str, policy: str = "everysec"):
        self.manifest = Manifest(directory, name)
        self.journal = Journal()
        self.policy = policy
        self.descriptor = -1
        self.syncer = Syncer()
        self.error = None               # why the last write failed, or None
        self.sync_error = None          # why the last sync of the thread failed, or None
        self.written = 0                # bytes of the increment under way
        self.settled = 0                # bytes of the other files
        self.base_size = 0              # bytes of all after the last rewrite, for auto-aof-rewrite-percentage
        self.is_torn = False            # the file ends within a request, whose rest is the beginning of the journal
        self.unsynced = False
        self.synced_at = time.monotonic()
        self.postponed_since = None     # since when a write waits for a slow sync
        self.delayed = 0                # how often one did not wait any longer (aof_delayed_fsync)
        self.timestamps = False         # aof-timestamp-enabled
        self.stamped = 0                # the second of the last one
        self.is_complete = True         # the files of the manifest and the increment under way are the whole state
        self.sync_resting = False       # no-appendfsync-on-rewrite, while a snapshot is written

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return self.settled + self.written

    # --- files -------------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Goes on with the last increment of the manifest, or begins one. OSError."""
        if not self.manifest.increments:
            self.begin_increment()
            return
        part = self.manifest.increments[-1]
        self.use(part)
        self.settled = sum(os.path.getsize(self.manifest.path_of(other)) for other in self.manifest.parts if other is not part)
        self.base_size = self.size

    def use(self, part: Part) -> None:
        self.take(os.open(self.manifest.path_of(part), APPENDING, 0o600))

    def take(self, descriptor: int) -> None:
        """From now on the journal goes to this file."""
        self.descriptor, before = descriptor, self.descriptor
        if before >= 0:
            os.close(before)
        self.written = os.fstat(descriptor).st_size
        self.journal.selected = -1          # each file begins with a SELECT

    def begin_increment(self) -> Part:
        """What follows goes to a new file: the part, which the manifest names at once unless it is of no use yet. OSError.

        Nothing has changed if it fails. The new file stays then, empty: a manifest whose directory could not be synced may
        name it.
        """
        if self.descriptor >= 0:
            self.write()
            synchronize(self.descriptor)
        part = self.manifest.next_increment()
        descriptor = os.open(self.manifest.path_of(part), APPENDING | os.O_TRUNC, 0o600)
        self.manifest.increments.append(part)
        try:
            sync_directory(self.manifest.directory)
            if self.is_complete:
                self.manifest.write()
        except BaseException:
            self.manifest.increments.pop()
            os.close(descriptor)
            raise
        self.settled += self.written
        self.take(descriptor)
        return part

    def rebase(self, base: Part, first: Part | None, size: int) -> None:
        """The base replaces everything before the increment `first` (None: everything), which is deleted. OSError."""
        manifest = self.manifest
        before = manifest.base, manifest.increments, manifest.history
        index = len(manifest.increments) if first is None else manifest.increments.index(first)
        replaced = ([manifest.base] if manifest.base else []) + manifest.increments[:index]
        manifest.base, manifest.increments = base, manifest.increments[index:]
        manifest.history = manifest.history + [Part(part.name, part.sequence, HISTORY) for part in replaced]
        try:
            manifest.write()
        except OSError:
            manifest.base, manifest.increments, manifest.history = before
            raise
        self.is_complete = True
        self.settled = size + sum(os.path.getsize(manifest.path_of(part)) for part in manifest.increments[:-1])
        self.base_size = self.size
        self.forget_history()

    def forget_history(self) -> None:
        """Deletes the files that are not needed any more. One that can't be deleted is tried again next time."""
        left = []
        for part in self.manifest.history:
            try:
                remove_if_there(self.manifest.path_of(part))
            except OSError as error:
                log.warning("Can't delete %s: %s", part.name, error.strerror)
                left.append(part)
        if self.manifest.history:
            self.manifest.history = left
            self.manifest.write()

    # --- writing -----------------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Writes the journal to the file. OSError: what could not be written stays in the journal and comes first next time."""
        if not len(self.journal):
            return
        if self.timestamps and not self.is_torn and int(time.time()) != self.stamped:
            self.write_timestamp(int(time.time()))
        before = len(self.journal)
        self.is_torn = True
        try:
            write_journal(self.descriptor, self.journal)
            self.is_torn = False
        finally:
            self.written += before - len(self.journal)
            self.unsynced = True

    def write_timestamp(self, second: int) -> None:
        """A line between requests. OSError: nothing of it is there then."""
        line = b"#TS:%d\r\n" % second
        size = os.write(self.descriptor, line)
        if size < len(line):
            os.ftruncate(self.descriptor, os.fstat(self.descriptor).st_size - size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.written += size
        self.stamped = second

    def end_batch(self) -> None:
        """Before the replies of a batch leave. OSError."""
        if self.policy == "everysec" and self.syncer.busy:
            now = time.monotonic()
            if self.postponed_since is None:
                self.postponed_since = now
            if now - self.postponed_since < PATIENCE:
                return
            self.delayed += 1
        self.postponed_since = None
        self.write()
        if self.policy == "always":
            if self.unsynced:
                synchronize(self.descriptor)
                self.unsynced = False
        elif self.policy == "everysec" and time.monotonic() - self.synced_at >= SECOND:
            self.request_sync()

    def request_sync(self) -> None:
        """everysec: once a second, in the thread."""
        if self.syncer.busy or self.sync_resting or not self.unsynced:
            return
        self.unsynced = False
        self.synced_at = time.monotonic()
        self.syncer.request(self.descriptor)

    def heed_sync(self) -> bool:
        """Takes notice of what the thread has done: whether that has changed `sync_error`."""
        if self.syncer.busy or self.syncer.is_heard:
            return False
        self.syncer.is_heard = True
        before, self.sync_error = self.sync_error, self.syncer.error
        if self.sync_error is not None:
            self.unsynced = True            # tried again in a second
        return (before is None) != (self.sync_error is None)

    def turn(self) -> None:
        """From time to time, also without any traffic. OSError."""
        if len(self.journal):
            self.end_batch()
        if (self.policy == "everysec" or self.sync_error is not None) and time.monotonic() - self.synced_at >= SECOND:
            self.request_sync()

    def close(self) -> None:
        """Everything is on the disk then. OSError."""
        if self.descriptor < 0:
            return
        try:
            self.syncer.end()
            self.write()
            if self.unsynced or self.policy != "always":
                os.fsync(self.descriptor)
        finally:
            os.close(self.descriptor)
            self.descriptor = -1
