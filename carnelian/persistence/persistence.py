"""Persistence of one engine: what is loaded at the start, snapshots, the append-only file, and what of it went wrong.

An engine knows it as `engine.persistence`. The engine calls `end_batch` before replies leave, and `turn` in its periodic work.
"""
import logging
import os
import time

from carnelian.base.errors import ReplyError
from carnelian.persistence import format
from carnelian.persistence.append_only import AppendOnlyFile
from carnelian.persistence.files import RdbFile, remove_leftovers
from carnelian.persistence.loading import DamagedFile, Loader, is_rdb
from carnelian.persistence.lock import DirectoryLock
from carnelian.persistence.manifest import BASE, INCREMENT, Part
from carnelian.persistence.progress import Progress
from carnelian.persistence.replay import Replay
from carnelian.persistence.snapshot import Snapshot
from carnelian.scripting.function_words import functions_of
from carnelian.types.serial_types import VERSION
from carnelian.types.serial_write import Output
from carnelian.version import REDIS_VERSION

log = logging.getLogger("carnelian")

SLICE = 60_000                  # nanoseconds of one slice of a snapshot, if no client comes meanwhile
PIECE = 25_000                  # between two looks whether one has come
LOAD_SLICE = 20_000_000         # of loading, between two looks at the clients
RETRY_AFTER = 5                 # seconds after a failed snapshot, when save points want one
SNAPSHOT_FAILED = ("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that "
                   "may modify the data set are disabled, because this instance is configured to report errors during writes if "
                   "RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about "
                   "the RDB error.")


def nobody() -> bool:
    """Whether a client waits, as far as an engine without a server can tell."""
    return False


class Settings:
    """The settings that persistence follows, with Redis's names and defaults. A server gives its configuration instead."""

    defaults = {
        "dir": ".", "dbfilename": "dump.rdb", "save": [(3600, 1), (300, 100), (60, 10000)], "rdbcompression": True,
        "rdbchecksum": True, "rdb-save-incremental-fsync": True, "stop-writes-on-bgsave-error": True, "appendonly": False,
        "appendfilename": "appendonly.aof", "appenddirname": "appendonlydir", "appendfsync": "everysec",
        "no-appendfsync-on-rewrite": False, "auto-aof-rewrite-percentage": 100, "auto-aof-rewrite-min-size": 64 << 20,
        "aof-load-truncated": True, "aof-timestamp-enabled": False, "aof-disable-auto-gc": False, "snapshot-effort": 25,
        "maxmemory-policy": "noeviction"}

    def __init__(self, **given):
        self.values = {**self.defaults, **given}

    def __getitem__(self, name: str):
        return self.values[name]


class Writing:
    """A snapshot on its way into a file."""

    def __init__(self, persistence, path: str, aux: dict, base: Part | None = None, first: Part | None = None):
        settings, engine = persistence.settings, persistence.engine
        self.base = base                # of an append-only file: the part that the file will be, and the increment after it
        self.first = first
        self.began = time.monotonic()
        self.dirty = engine.store.dirty
        self.due = 0.0                  # when the next slice may begin, by time.monotonic()
        self.file = RdbFile(path, settings["rdbchecksum"], settings["rdb-save-incremental-fsync"])
        try:
            self.file.put(header(persistence, aux))
            self.snapshot = Snapshot(engine.store, self.file.put, settings["rdbcompression"], settings["maxmemory-policy"])
        except BaseException:
            self.file.cancel()
            raise
        self.finished = False

    def advance(self, nanoseconds: int) -> bool:
        """Whether the pass is over; the file may still be on its way."""
        if not self.finished and self.snapshot.advance(nanoseconds):
            self.finished = True
            if self.snapshot.failure is not None:
                self.file.error = self.snapshot.failure
            self.file.finish()
        return self.finished

    @property
    def error(self):
        return self.file.error

    def give_up(self) -> None:
        """The file is not wanted any more; the pass still has to come to its end."""
        self.snapshot.give_up()
        self.file.error = self.file.error or InterruptedError("given up")


def header(persistence, aux: dict) -> bytes:
    """The beginning of an RDB file: version, auxiliary fields, functions."""
    engine = persistence.engine
    fields = {"redis-ver": REDIS_VERSION, "redis-bits": "64", "ctime": str(engine.store.now // 1000),
              "used-mem": str(engine.store.memory()), **aux}
    output = Output()
    for name, value in fields.items():
        output.put_byte(format.AUX)
        output.put_bytes(name.encode())
        output.put_bytes(value.encode())
    for code in persistence.libraries():
        output.put_byte(format.FUNCTION)
        output.put_bytes(code)
    return b"REDIS%04d" % persistence.file_version() + output.take()


class Persistence:
    """The files of one engine. Everything about them that a user can ask for; OSError and DamagedFile where it fails."""

    def __init__(self, engine, settings):
        self.engine = engine
        self.settings = settings
        self.lock = None
        self.aof = None                     # AppendOnlyFile while `appendonly` is on
        self.writing = None                 # Writing under way
        self.giving_up = []                 # those whose pass has still to come to its end
        self.save_scheduled = False
        self.rewrite_scheduled = False
        self.rewrite_failures = 0           # one after the other
        self.rewrite_after = 0.0            # when the next may begin by itself
        self.loading = None                 # Progress while files are loaded
        self.last_save = int(time.time())
        self.last_save_ok = True
        self.last_save_seconds = -1
        self.last_save_try = 0.0
        self.saves = 0
        self.last_rewrite_ok = True
        self.last_rewrite_seconds = -1
        self.rewrites = 0
        self.loaded_keys = 0
        self.expired_keys = 0
        self.next_turn = 0.0
        self.is_wanted = nobody             # whether a client waits for the engine: a slice of a snapshot ends then
        self.started = False                # changes are written
        engine.persistence = self

    # --- places ------------------------------------------------------------------------------------------------------

    @property
    def directory(self) -> str:
        return os.path.abspath(self.settings["dir"])

    @property
    def rdb_path(self) -> str:
        return os.path.join(self.directory, self.settings["dbfilename"])

    @property
    def aof_directory(self) -> str:
        return os.path.join(self.directory, self.settings["appenddirname"])

    def libraries(self) -> list:
        """The code of the functions that are loaded."""
        return self.engine.functions.dumps() if self.engine.functions is not None else []

    def file_version(self) -> int:
        """The lowest version of the format that can hold what is there."""
        return 12 if any(database.volatile_hashes for database in self.engine.store.databases) else VERSION

    def follow(self, on_change) -> None:
        """Lets the files follow a configuration: `on_change(name, hook)` calls the hook now and with every change."""
        def switch(on):
            if self.started:
                self.switch_append_only(on)

        def policy(value):
            if self.aof is not None:
                self.aof.policy = value

        def timestamps(value):
            if self.aof is not None:
                self.aof.timestamps = value

        on_change("appendonly", switch)
        on_change("appendfsync", policy)
        on_change("aof-timestamp-enabled", timestamps)
        on_change("stop-writes-on-bgsave-error", lambda _: self.reconsider())
        on_change("save", lambda _: self.reconsider())

    # --- the start ---------------------------------------------------------------------------------------------------

    def acquire(self) -> None:
        """Makes the directory ours. AlreadyOpen if another process has it."""
        if self.lock is None and (self.settings["appendonly"] or self.settings["save"]):
            self.lock = DirectoryLock(self.directory)
            remove_leftovers(self.directory)
            remove_leftovers(self.aof_directory)

    def load(self):
        """Loads what is there: a generator, each step of which takes some milliseconds. OSError, DamagedFile."""
        engine = self.engine
        self.loading = Progress()
        engine.begin_loading()
        try:
            if self.settings["appendonly"]:
                yield from self.load_append_only()
            else:
                yield from self.load_rdb(self.rdb_path)
        finally:
            self.loaded_keys, self.expired_keys = self.loading.keys, self.loading.expired
            self.loading = None
            engine.end_loading()
            engine.store.dirty = 0

    def load_whole(self) -> None:
        """`load`, at once."""
        for _ in self.load():
            pass

    def reload(self, append_only: bool = False) -> None:
        """DEBUG RELOAD and LOADAOF: what the files say comes to what is there, at once. OSError, DamagedFile.

        Nothing of it is a change: it is written nowhere.
        """
        engine, aof, dirty = self.engine, self.aof, self.engine.store.dirty
        if aof is not None:
            aof.write()
        self.loading = Progress()
        engine.store.keep_journal(None)
        engine.begin_loading()
        try:
            for _ in self.load_append_only() if append_only else self.load_rdb(self.rdb_path):
                pass
        finally:
            self.loading = None
            engine.end_loading()
            engine.store.dirty = dirty
            self.aof = aof
            if aof is not None:
                engine.store.keep_journal(aof.journal)

    def load_rdb(self, path: str, is_base: bool = False):
        """One RDB file, if it is there; its value is the offset behind it."""
        if not os.path.exists(path):
            return 0
        progress = self.loading
        loader = Loader(path, self.engine.store, self.engine.true_time(), self.settings["rdbchecksum"], keep_expired=is_base)
        progress.begin(path, loader.size)
        done = False
        while not done:
            done = loader.advance(LOAD_SLICE)
            progress.advance(loader.at, loader.loaded)
            yield progress
        self.take_functions(loader.functions, path)
        progress.end(loader.loaded, loader.expired)
        return loader.at

    def take_functions(self, libraries: list, path: str) -> None:
        if libraries:
            try:
                functions_of(self.engine).loads(libraries)
            except ReplyError as error:
                raise DamagedFile(path, 0, f"its functions can't be loaded: {error}") from None

    def load_requests(self, path: str, is_last: bool, at: int = 0):
        """One file of requests. The last one may end within a request: `aof-load-truncated`."""
        progress = self.loading
        with Replay(self.engine, path, at) as replay:
            progress.begin(path, replay.size)
            done = False
            while not done:
                done = replay.advance(LOAD_SLICE)
                progress.advance(replay.at, self.engine.key_count())
                yield progress
            cut = replay.size - replay.valid
            if cut:
                if not is_last or not self.settings["aof-load-truncated"]:
                    raise DamagedFile(path, replay.valid, f"the file ends within a request or a transaction: {cut} bytes too many"
                                      + (" (see aof-load-truncated)" if is_last else ""))
                log.warning("%s ends within a request or a transaction: the last %d bytes, from offset %d on, are cut off "
                            "(aof-load-truncated yes)", path, cut, replay.valid)
                os.truncate(path, replay.valid)
        progress.end(self.engine.key_count() - progress.keys, 0)

    def load_append_only(self):
        """The files of the manifest; or the single file of older versions; or the snapshot, when there is neither."""
        aof = AppendOnlyFile(self.aof_directory, self.settings["appendfilename"], self.settings["appendfsync"])
        manifest = aof.manifest
        single = os.path.join(self.directory, self.settings["appendfilename"])
        if manifest.read():
            parts = manifest.parts
            for part in parts:
                if not os.path.exists(manifest.path_of(part)):
                    raise DamagedFile(manifest.path, 0, f"the manifest names {part.name}, which is not there")
            # One that was only begun may follow the last that was written to.
            last = max((index for index, part in enumerate(parts) if os.path.getsize(manifest.path_of(part))), default=0)
            for index, part in enumerate(parts):
                yield from self.load_part(manifest.path_of(part), index >= last)
        elif os.path.isfile(single):
            yield from self.load_part(single, True)
            self.move_single(single, manifest)
        elif os.path.exists(self.rdb_path):
            log.warning("There is no append-only file yet: the snapshot %s is loaded, and becomes its base", self.rdb_path)
            yield from self.load_rdb(self.rdb_path)
        self.aof = aof

    def load_part(self, path: str, is_last: bool):
        """An RDB file, requests, or an RDB file with requests behind it."""
        with open(path, "rb") as file:
            rdb = is_rdb(file.read(5))
        if not rdb:
            yield from self.load_requests(path, is_last)
            return
        at = yield from self.load_rdb(path, is_base=True)
        if at < os.path.getsize(path):
            yield from self.load_requests(path, is_last, at)

    def move_single(self, single: str, manifest) -> None:
        """The append-only file of a version before 7 becomes the base of a directory."""
        os.makedirs(manifest.directory, 0o700, exist_ok=True)
        manifest.base = Part(os.path.basename(single), 1, BASE)
        manifest.write()
        os.replace(single, manifest.path_of(manifest.base))
        log.info("The append-only file %s has become the base of %s", single, manifest.directory)

    def start(self) -> None:
        """After loading: from now on changes are written. OSError."""
        if self.settings["appendonly"]:
            os.makedirs(self.aof_directory, 0o700, exist_ok=True)
            if self.aof is None:
                self.aof = AppendOnlyFile(self.aof_directory, self.settings["appendfilename"], self.settings["appendfsync"])
            if self.aof.manifest.is_empty and self.engine.key_count():
                self.write_first_base()
            self.aof.forget_history()
            self.aof.open()
            self.aof.timestamps = self.settings["aof-timestamp-enabled"]
            self.engine.store.keep_journal(self.aof.journal)
        self.last_save = int(time.time())
        self.engine.store.dirty = 0
        self.started = True

    def write_first_base(self) -> None:
        """What was loaded from a snapshot becomes the base, before anything is added to it."""
        base = self.aof.manifest.next_base()
        writing = Writing(self, self.aof.manifest.path_of(base), {"aof-base": "1"})
        writing.advance(-1)
        writing.file.join()
        if writing.error is not None:
            raise writing.error
        self.aof.manifest.base = base

    def switch_append_only(self, on: bool) -> None:
        """CONFIG SET appendonly. OSError."""
        if on == (self.aof is not None):
            return
        if not on:
            self.stop_rewrite()
            self.engine.store.keep_journal(None)
            aof, self.aof = self.aof, None
            aof.close()
            self.reconsider()
            return
        if self.lock is None:
            self.lock = DirectoryLock(self.directory)
        os.makedirs(self.aof_directory, 0o700, exist_ok=True)
        aof = AppendOnlyFile(self.aof_directory, self.settings["appendfilename"], self.settings["appendfsync"])
        aof.manifest.read()
        aof.timestamps = self.settings["aof-timestamp-enabled"]
        # What the directory holds is another time's: it stays the valid one until the new base is there.
        aof.is_complete = False
        aof.begin_increment()
        self.aof = aof
        self.engine.store.keep_journal(aof.journal)
        if self.is_saving:
            self.rewrite_scheduled = True
        else:
            self.begin_rewrite()

    # --- snapshots ---------------------------------------------------------------------------------------------------

    @property
    def is_saving(self) -> bool:
        return self.writing is not None and self.writing.base is None

    @property
    def is_rewriting(self) -> bool:
        return self.writing is not None and self.writing.base is not None

    def save(self) -> None:
        """SAVE: at once. ReplyError."""
        if self.is_saving:
            raise ReplyError("ERR Background save already in progress")
        self.complete_pass()
        try:
            writing = Writing(self, self.rdb_path, {})
            writing.advance(-1)
            writing.file.join()
        except OSError as error:
            self.saved(None, error)
            raise ReplyError(f"ERR {error.strerror or error}") from None
        self.saved(writing, writing.error)
        if writing.error is not None:
            raise ReplyError("ERR")

    def complete_pass(self) -> None:
        """There is one pass at a time: a rewrite that is under way is brought to its end now."""
        if self.writing is not None:
            self.writing.advance(-1)
            self.writing.file.join()
            self.finish_writing()
        for writing in self.giving_up:
            writing.advance(-1)
        self.giving_up.clear()

    def begin_save(self) -> None:
        """BGSAVE. OSError."""
        self.last_save_try = time.monotonic()
        self.save_scheduled = False
        try:
            self.writing = Writing(self, self.rdb_path, {})
        except OSError as error:
            self.saved(None, error)
            raise
        log.info("A snapshot begins: %d keys", self.writing.snapshot.total)

    def saved(self, writing: Writing | None, error) -> None:
        """The end of a snapshot, good or bad."""
        self.last_save_try = time.monotonic()
        self.last_save_ok = error is None
        if error is None:
            self.last_save = int(time.time())
            self.engine.store.dirty -= writing.dirty
            self.saves += 1
            self.last_save_seconds = int(time.monotonic() - writing.began)
            log.info("DB saved on disk: %d keys, %d bytes", writing.snapshot.keys, writing.file.size)
        else:
            log.warning("A snapshot could not be written to %s: %s", self.rdb_path, getattr(error, "strerror", None) or error)
        self.reconsider()

    def abandon(self) -> None:
        writing, self.writing = self.writing, None
        writing.give_up()
        self.giving_up.append(writing)

    # --- the append-only file ----------------------------------------------------------------------------------------

    def request_rewrite(self) -> bool:
        """BGREWRITEAOF: whether it begins now (else after the snapshot under way). OSError; ReplyError."""
        if self.is_rewriting:
            raise ReplyError("ERR Background append only file rewriting already in progress")
        if self.writing is not None or self.giving_up:
            self.rewrite_scheduled = True
            return False
        self.begin_rewrite()
        return True

    def begin_rewrite(self) -> None:
        """Writes a new base; what changes from now on goes to a new increment. OSError.

        Without an append-only file it is written too, as Redis does: it can be switched on later.
        """
        self.rewrite_scheduled = False
        self.complete_pass()
        aof, first = self.aof, None
        if aof is not None:
            first = aof.begin_increment()
        else:
            os.makedirs(self.aof_directory, 0o700, exist_ok=True)
            aof = AppendOnlyFile(self.aof_directory, self.settings["appendfilename"])
            aof.manifest.read()
        base = aof.manifest.next_base()
        self.writing = Writing(self, aof.manifest.path_of(base), {"aof-base": "1"}, base, first)
        self.writing.aof = aof
        aof.sync_resting = self.settings["no-appendfsync-on-rewrite"]
        log.info("A rewrite of the append-only file begins: %d keys", self.writing.snapshot.total)

    def rewritten(self, writing: Writing) -> None:
        error = writing.error
        aof = writing.aof
        aof.sync_resting = False
        if error is None:
            try:
                aof.rebase(writing.base, writing.first, writing.file.size)
            except OSError as failure:
                error = failure
        self.last_rewrite_ok = error is None
        self.last_rewrite_seconds = int(time.monotonic() - writing.began)
        if error is None:
            self.rewrites += 1
            self.rewrite_failures = 0
            log.info("The append-only file was rewritten: %d keys, %d bytes", writing.snapshot.keys, writing.file.size)
        else:
            self.rewrite_failures += 1
            self.rewrite_after = time.monotonic() + min(2.0 ** min(self.rewrite_failures, 12), 3600)
            log.warning("The append-only file could not be rewritten: %s", getattr(error, "strerror", None) or error)

    def stop_rewrite(self) -> None:
        self.rewrite_scheduled = False
        if self.is_rewriting:
            self.abandon()

    def end_batch(self) -> None:
        """Before the replies of a batch leave: what it has changed is in the file."""
        try:
            self.aof.end_batch()
            if self.aof.error is not None:
                self.aof.error = None
                log.warning("Writing to the append-only file works again")
                self.reconsider()
        except OSError as error:
            self.append_failed(error)

    def append_failed(self, error: OSError) -> None:
        text = error.strerror or str(error)
        if self.aof.policy == "always":
            # What is in memory can't be taken back, and must not be acknowledged: Redis ends here, too.
            log.critical("Can't write to the append-only file, and appendfsync is always: %s. Exiting...", text)
            os._exit(1)
        if self.aof.error is None:
            log.warning("Writing to the append-only file failed: %s", text)
        self.aof.error = error
        self.reconsider()

    def sync_changed(self, error: OSError | None) -> None:
        """The thread could not sync the file, or can again."""
        if error is not None:
            log.warning("Syncing the append-only file failed: %s", error.strerror or error)
        else:
            # The system may have dropped what it could not write, and does not say so twice: a new base has all of it.
            log.warning("Syncing the append-only file works again; it is written anew")
            self.rewrite_scheduled = True
        self.reconsider()

    # --- periodic work -----------------------------------------------------------------------------------------------

    def turn(self, busy: bool) -> float:
        """One turn: seconds until it wants to be called again, at most 0.1."""
        now = time.monotonic()
        delay = 0.1
        for writing in list(self.giving_up):
            if writing.advance(SLICE):
                self.giving_up.remove(writing)
            else:
                delay = 0.0
        if self.writing is not None:
            delay = min(delay, self.write_some(now, busy))
        if now >= self.next_turn:
            self.next_turn = now + 0.1
            self.tend(now)
        return delay

    def write_some(self, now: float, busy: bool) -> float:
        """A slice of the snapshot under way."""
        writing = self.writing
        if not writing.finished and writing.error is not None:
            writing.snapshot.give_up()
        if not writing.finished:
            if now < writing.due:
                return writing.due - now
            if writing.file.is_behind:
                return 0.001
            # In pieces so short that a client which comes meanwhile hardly notices.
            while not writing.advance(PIECE) and not self.is_wanted():
                if time.monotonic() - now >= SLICE / 1e9:
                    # Whoever can't tell whether clients wait gives way to them by and by.
                    busy = busy and self.is_wanted is nobody
                    break
            spent = time.monotonic() - now
            pause = spent * (100 / self.settings["snapshot-effort"] - 1) if busy else 0.0
            writing.due = now + spent + pause
            return pause
        if writing.file.done:
            self.finish_writing()
            return 0.0
        return 0.002

    def finish_writing(self) -> None:
        writing, self.writing = self.writing, None
        if writing.base is None:
            self.saved(writing, writing.error)
        else:
            self.rewritten(writing)

    def tend(self, now: float) -> None:
        """What need not be looked at more than ten times a second."""
        if self.aof is not None:
            if self.aof.heed_sync():
                self.sync_changed(self.aof.sync_error)
            try:
                self.aof.turn()
                if self.aof.error is not None and not len(self.aof.journal):
                    self.aof.error = None
                    self.reconsider()
            except OSError as error:
                self.append_failed(error)
        if self.writing is not None or self.giving_up:
            return
        try:
            if self.save_scheduled:
                self.begin_save()
            elif self.rewrite_scheduled:
                self.begin_rewrite()
            elif self.save_is_due(now):
                self.begin_save()
            elif self.rewrite_is_due(now):
                log.info("Starting automatic rewriting of AOF: it has %d bytes, %d after the last rewrite", self.aof.size,
                         self.aof.base_size)
                self.begin_rewrite()
        except OSError as error:
            log.warning("Writing can't begin: %s", error)

    def save_is_due(self, now: float) -> bool:
        dirty, elapsed = self.engine.store.dirty, time.time() - self.last_save
        if not self.last_save_ok and now - self.last_save_try < RETRY_AFTER:
            return False
        return any(dirty >= changes and elapsed > seconds for seconds, changes in self.settings["save"])

    def rewrite_is_due(self, now: float) -> bool:
        percentage = self.settings["auto-aof-rewrite-percentage"]
        if self.aof is None or self.rewrite_failures and now < self.rewrite_after:
            return False
        if not self.aof.is_complete:
            return True
        if not percentage or self.aof.size < self.settings["auto-aof-rewrite-min-size"]:
            return False
        base = self.aof.base_size or 1
        return (self.aof.size - base) * 100 // base >= percentage

    def reconsider(self) -> None:
        """Whether writes are refused, and with what text."""
        text = None
        error = None if self.aof is None else self.aof.error or self.aof.sync_error
        if error is not None:
            text = f"MISCONF Errors writing to the AOF file: {error.strerror or error}"
        elif not self.last_save_ok and self.settings["stop-writes-on-bgsave-error"] and self.settings["save"]:
            text = SNAPSHOT_FAILED
        self.engine.refuse_writes(text)

    # --- the end -----------------------------------------------------------------------------------------------------

    def flushed(self) -> None:
        """FLUSHALL: the snapshot under way is of no use any more, and where there are save points the last one neither."""
        if self.is_saving:
            self.abandon()
        if self.settings["save"]:
            self.save_scheduled = True

    def close(self, save: bool | None = None) -> None:
        """Everything is on the disk then; with `save` a snapshot too (None: if there are save points). OSError, ReplyError."""
        if not self.started:
            self.abandon_files()
            return
        if self.aof is not None:
            self.aof.write()
        if self.writing is not None:
            self.abandon()
        if save or save is None and self.settings["save"]:
            log.warning("Saving the final RDB snapshot before exiting.")
            self.save()
        if self.aof is not None:
            log.warning("Calling fsync() on the AOF file.")
            self.aof.close()
        self.abandon_files()

    def abandon_files(self) -> None:
        """Lets go of everything, without writing."""
        self.started = False
        if self.writing is not None:
            self.abandon()
        for writing in self.giving_up:
            writing.advance(-1)
            writing.file.join()
        self.giving_up.clear()
        self.engine.store.keep_journal(None)
        self.aof = None
        if self.lock is not None:
            self.lock.release()
            self.lock = None
