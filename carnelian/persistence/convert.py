"""Converting files of data: RDB files, append-only files, and JSON lines.

All data of the source are in memory meanwhile. The source is only read. The target appears whole or not at all.
"""
import mmap
import os
import shutil
import struct
import sys
import tempfile
import time

from carnelian.base.errors import ReplyError
from carnelian.engine.engine import Engine
from carnelian.persistence import format, json_lines
from carnelian.persistence.check import SUFFIX
from carnelian.persistence.files import RdbFile, remove_if_there, replace_durably, sync_directory
from carnelian.persistence.loading import DamagedFile, Loader, is_rdb
from carnelian.persistence.lock import no_server_near
from carnelian.persistence.manifest import INCREMENT, Manifest, Part
from carnelian.persistence.replay import Replay
from carnelian.persistence.snapshot import Snapshot
from carnelian.scripting.function_words import functions_of
from carnelian.types import serial, serial_types
from carnelian.types.hash import Hash
from carnelian.types.json_document import JsonDocument
from carnelian.types.list import List
from carnelian.types.serial_write import Output, type_of
from carnelian.types.set import Set
from carnelian.types.sorted_set import SortedSet
from carnelian.types.stream import Stream
from carnelian.version import REDIS_VERSION

DATABASES = 1024                # that a source may have
SLICE = 50_000_000              # nanoseconds between two looks at the progress
CHUNK = 1 << 18                 # bytes
LOOK_EVERY = 1 << 10            # keys between two looks at the progress
TOGETHER = 64                   # elements in one request, as Redis does
LOWEST_VERSION = 9              # what is written
FORMATS = "rdb", "aof", "jsonl"


class Refused(Exception):
    """The conversion can't be done: why."""


def nobody(*_) -> None:
    """No progress is shown."""


class Content:
    """What a source holds: an engine with the keys, and the code of the libraries of functions."""

    def __init__(self):
        import carnelian.persistence.words
        import carnelian.scripting.words

        self.engine = Engine(DATABASES)
        self.functions = []

    @property
    def keys(self) -> int:
        return self.engine.key_count()

    def items(self):
        """(database, key, value, expiry) of all."""
        for database in self.engine.store.databases:
            if len(database):
                for key, value, expiry in database.items():
                    yield database.index, key, value, expiry


# --- reading -------------------------------------------------------------------------------------------------------

def format_of(path: str) -> str:
    """What a source is. OSError, Refused."""
    if path == "-":
        return "jsonl"
    if os.path.isdir(path) or path.endswith(SUFFIX):
        return "aof"
    with open(path, "rb") as file:
        head = file.read(4096)
    if is_rdb(head):
        return "rdb"
    if head[:1] in (b"*", b"#") or not head and path.endswith(".aof"):
        return "aof"
    if head.lstrip()[:1] == b"{" or not head.strip() and path.endswith((".jsonl", ".ndjson", ".json")):
        return "jsonl"
    raise Refused(f"{path} is neither an RDB file, an append-only file nor JSON lines (--from says which)")


def load(path: str, kind: str | None = None, progress=nobody) -> Content:
    """Everything in a source. OSError, DamagedFile, Refused."""
    kind = kind or format_of(path)
    content = Content()
    engine = content.engine
    engine.begin_loading()
    engine.store.hold_time()
    if kind == "jsonl":
        load_lines(content, path, progress)
    elif os.path.isdir(path) or path.endswith(SUFFIX):
        load_directory(content, path, progress)
        content.functions = functions_in(engine)
    else:
        load_part(content, path, kind == "aof", progress)
        if kind == "aof":
            content.functions = functions_in(engine)
    # Nothing expires: what has an expiry in the past has one in the target, too.
    engine.store.hold_time()
    return content


def functions_in(engine) -> list:
    return engine.functions.dumps() if engine.functions is not None else []


def load_directory(content: Content, path: str, progress) -> None:
    if os.path.isdir(path):
        names = [name for name in os.listdir(path) if name.endswith(SUFFIX)]
        if len(names) != 1:
            raise Refused(f"{path} has {'several manifests' if names else 'no manifest'}")
        path = os.path.join(path, names[0])
    directory, name = os.path.split(path)
    manifest = Manifest(directory, name[:-len(SUFFIX)])
    if not manifest.read():
        raise FileNotFoundError(2, os.strerror(2), path)
    for part in manifest.parts:
        load_part(content, manifest.path_of(part), True, progress)


def load_part(content: Content, path: str, is_requests: bool, progress) -> None:
    """One file: RDB, requests, or requests behind RDB."""
    at, name = 0, os.path.basename(path)
    with open(path, "rb") as file:
        rdb = is_rdb(file.read(5))
    if rdb:
        loader = Loader(path, content.engine.store, 0, keep_expired=True)
        while not loader.advance(SLICE):
            progress(name, loader.at, loader.size)
        if loader.functions and is_requests:
            take_functions(content.engine, loader.functions, path)
        content.functions = loader.functions
        if not is_requests or loader.at == loader.size:
            return
        at = loader.at
    elif not is_requests:
        raise DamagedFile(path, 0, "an RDB file begins with REDIS")
    with Replay(content.engine, path, at) as replay:
        while not replay.advance(SLICE):
            progress(name, replay.at, replay.size)
        if replay.valid < replay.size:
            raise DamagedFile(path, replay.valid, "the file ends within a request or a transaction "
                              "(`carnelian check --fix` cuts that off)")


def take_functions(engine, libraries: list, path: str) -> None:
    try:
        functions_of(engine).loads(libraries)
    except ReplyError as error:
        raise DamagedFile(path, 0, f"its functions can't be loaded: {error}") from None


def load_lines(content: Content, path: str, progress) -> None:
    """JSON lines, by way of an RDB file that has no name."""
    source = sys.stdin.buffer if path == "-" else open(path, "rb")
    shown = "standard input" if path == "-" else path
    try:
        size = 0 if path == "-" else os.fstat(source.fileno()).st_size
        with tempfile.TemporaryFile() as file:
            file.write(rdb_header(serial_types.EXPIRING_VERSION, [], {}))
            output, done = Output(), 0
            for number, line in enumerate(source, 1):
                done += len(line)
                if line.strip():
                    try:
                        take_line(content, output, line)
                    except json_lines.BadLine as error:
                        raise Refused(f"{shown}, line {number}: {error}") from None
                if output.size >= CHUNK:
                    file.write(output.take())
                    progress(os.path.basename(shown), done, size or done)
            file.write(output.take() + bytes([format.END]) + bytes(8))
            file.flush()
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        try:
            Loader(shown, content.engine.store, 0, data=data, keep_expired=True).advance(-1)
        except DamagedFile as error:
            raise Refused(f"{shown}: {error.text.partition(' (in what')[0]}") from None
    finally:
        if path != "-":
            source.close()


def take_line(content: Content, output: Output, line: bytes) -> None:
    entry = json_lines.read_line(line)
    if isinstance(entry, bytes):
        content.functions.append(entry)
        return
    db, key, value, expiry = entry
    output.put_byte(format.DATABASE)
    output.put_length(db)
    put_entry(output, key, value, expiry)


def put_raw(output: Output, data: bytes) -> None:
    for byte in data:
        output.put_byte(byte)


def put_entry(output: Output, key: bytes, value, expiry) -> None:
    if expiry is not None:
        output.put_byte(format.EXPIRY_MILLISECONDS)
        put_raw(output, struct.pack("<q", expiry))
    output.put_byte(type_of(value))
    output.put_bytes(key)
    output.put_value(value)


# --- RDB files -----------------------------------------------------------------------------------------------------

def rdb_header(version: int, functions: list, aux: dict) -> bytes:
    output = Output()
    for name, value in {"redis-ver": REDIS_VERSION, "redis-bits": "64", "ctime": str(int(time.time())), **aux}.items():
        output.put_byte(format.AUX)
        output.put_bytes(name.encode())
        output.put_bytes(value.encode())
    for code in functions:
        output.put_byte(format.FUNCTION)
        output.put_bytes(code)
    return b"REDIS%04d" % version + output.take()


def version_for(content: Content, wanted: int | None) -> int:
    """The version of an RDB file: what is wanted, or the lowest that Redis 7 writes and that holds the content. Refused."""
    expiring = any(database.volatile_hashes for database in content.engine.store.databases)
    if wanted is None:
        return serial_types.EXPIRING_VERSION if expiring else serial_types.VERSION
    if not LOWEST_VERSION <= wanted <= format.NEWEST_VERSION:
        raise Refused(f"RDB versions {LOWEST_VERSION} to {format.NEWEST_VERSION} can be written, not {wanted}")
    if expiring and wanted < serial_types.EXPIRING_VERSION:
        raise Refused(f"version {wanted} can't hold the data: fields of {first_expiring(content)} expire, which version "
                      f"{serial_types.EXPIRING_VERSION} can")
    if content.functions and wanted < 10:
        raise Refused(f"version {wanted} can't hold the data: there are functions, which version 10 can")
    return wanted


def first_expiring(content: Content) -> str:
    return next(f"the hash {key[:100]!r}" for _, key, value, _ in content.items()
                if isinstance(value, Hash) and value.next_expiry is not None)


def write_rdb(content: Content, path: str, version: int, progress=nobody, aux=None, compress: bool = True) -> None:
    """OSError."""
    file = RdbFile(path)
    try:
        file.put(rdb_header(version, content.functions, aux or {}))
        if version < serial_types.VERSION:
            put_old(content, file, progress, compress)
        else:
            snapshot = Snapshot(content.engine.store, file.put, compress)
            done = False
            while not done:
                done = snapshot.advance(SLICE)
                progress(os.path.basename(path), snapshot.keys, snapshot.total)
                wait_for(file)
            if snapshot.failure is not None:
                raise snapshot.failure
    except BaseException:
        file.cancel()
        file.join()
        raise
    file.finish()
    file.join()
    if file.error is not None:
        raise file.error


def wait_for(file: RdbFile) -> None:
    """The disk is slower than we are."""
    while file.is_behind:
        time.sleep(0.005)


def put_old(content: Content, file: RdbFile, progress, compress: bool) -> None:
    """The entries in types that version 9 has."""
    output = Output()
    output.compress = compress
    selected, total = None, content.keys
    for number, (db, key, value, expiry) in enumerate(content.items()):
        if db != selected:
            selected = db
            output.put_byte(format.DATABASE)
            output.put_length(db)
        if isinstance(value, (List, Hash, SortedSet, Stream)):
            if expiry is not None:
                output.put_byte(format.EXPIRY_MILLISECONDS)
                put_raw(output, struct.pack("<q", expiry))
            put_old_value(output, key, value)
        else:
            put_entry(output, key, value, expiry)
        if output.size >= CHUNK:
            file.put(output.take())
            wait_for(file)
        if number % LOOK_EVERY == 0:
            progress(os.path.basename(file.path), number, total)
    file.put(output.take())


def put_old_value(output: Output, key: bytes, value) -> None:
    if isinstance(value, List):
        output.put_byte(serial_types.LIST)
        output.put_bytes(key)
        output.put_length(len(value))
        for element in value.range(0, -1):
            output.put_bytes(element)
    elif isinstance(value, Hash):
        output.put_byte(serial_types.HASH)
        output.put_bytes(key)
        output.put_length(len(value))
        for word in value.pairs():
            output.put_bytes(word)
    elif isinstance(value, SortedSet):
        output.put_byte(serial_types.SORTED_SET)
        output.put_bytes(key)
        output.put_length(len(value))
        items = value.items()
        for member, score in zip(items[::2], items[1::2]):
            output.put_bytes(member)
            put_raw(output, struct.pack("<d", score))
    else:
        output.put_byte(serial_types.STREAM)
        output.put_bytes(key)
        put_old_stream(output, value)


def put_old_stream(output: Output, stream: Stream) -> None:
    """Without the counters, which readers of this version do not have."""
    blocks = list(stream.blocks_as_bytes())
    output.put_length(len(blocks))
    for id, data in blocks:
        output.put_bytes(struct.pack(">QQ", *id))
        output.put_bytes(data)
    output.put_length(stream.length)
    for number in stream.last_id:
        output.put_length(number)
    groups = stream.groups or {}
    output.put_length(len(groups))
    for name, group in groups.items():
        output.put_bytes(name)
        for number in group.last_id:
            output.put_length(number)
        pending = group.pending_entries()
        output.put_length(len(pending))
        for id, _, delivered, times in pending:
            put_raw(output, struct.pack(">QQ", *id) + struct.pack("<q", delivered))
            output.put_length(times)
        output.put_length(len(group.consumers))
        for consumer in group.consumers.values():
            output.put_bytes(consumer.name)
            put_raw(output, struct.pack("<q", consumer.seen_time))
            ids = consumer.pending_ids()
            output.put_length(len(ids))
            for id in ids:
                put_raw(output, struct.pack(">QQ", *id))


# --- requests ------------------------------------------------------------------------------------------------------

def request(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in words])


def portions(words: list, step: int):
    for at in range(0, len(words), step):
        yield words[at:at + step]


def requests_of(key: bytes, value, expiry):
    """Yields the requests that make the key."""
    if isinstance(value, bytes):
        yield request(b"SET", key, value)
    elif isinstance(value, List):
        for part in portions(value.range(0, -1), TOGETHER):
            yield request(b"RPUSH", key, *part)
    elif isinstance(value, Set):
        for part in portions(value.members(), TOGETHER):
            yield request(b"SADD", key, *part)
    elif isinstance(value, SortedSet):
        for part in portions(value.items(), 2 * TOGETHER):
            yield request(b"ZADD", key, *[word for member, score in zip(part[::2], part[1::2]) for word in (b"%.17g" % score, member)])
    elif isinstance(value, Hash):
        yield from requests_of_hash(key, value)
    elif isinstance(value, JsonDocument):
        yield request(b"JSON.SET", key, b"$", value.to_text())
    else:
        # No words make all that a stream can hold: a pending entry may be gone from the log, a consumer has its times.
        yield request(b"RESTORE", key, b"0", serial.dump(value))
    if expiry is not None:
        yield request(b"PEXPIREAT", key, b"%d" % expiry)


def requests_of_hash(key: bytes, value: Hash):
    fields = value.times()
    for part in portions(fields, TOGETHER):
        yield request(b"HSET", key, *[word for field, content, _ in part for word in (field, content)])
    by_time = {}
    for field, _, at in fields:
        if at:
            by_time.setdefault(at, []).append(field)
    for at, names in by_time.items():
        for part in portions(names, TOGETHER):
            yield request(b"HPEXPIREAT", key, b"%d" % at, b"FIELDS", b"%d" % len(part), *part)


def requests(content: Content):
    """Yields the requests that make everything, a list of them for each key."""
    for code in content.functions:
        yield request(b"FUNCTION", b"LOAD", code)
    selected = None
    for db, key, value, expiry in content.items():
        if db != selected:
            selected = db
            yield request(b"SELECT", b"%d" % db)
        yield b"".join(requests_of(key, value, expiry))


def lines(content: Content):
    """Yields JSON lines. Refused."""
    for code in content.functions:
        yield json_lines.line_of_function(code)
    for db, key, value, expiry in content.items():
        try:
            yield json_lines.line_of(db, key, value, expiry)
        except json_lines.BadLine as error:
            raise Refused(str(error)) from None


# --- writing -------------------------------------------------------------------------------------------------------

def write_chunks(chunks, path: str, total: int, progress) -> None:
    """A file of what the iterator yields, whole or not at all; `-` is standard output. OSError."""
    if path == "-":
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        return
    temporary = f"{path}.{os.getpid()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with os.fdopen(descriptor, "wb", CHUNK) as file:
            for number, chunk in enumerate(chunks):
                file.write(chunk)
                if number % LOOK_EVERY == 0:
                    progress(os.path.basename(path), number, total)
            file.flush()
            os.fsync(file.fileno())
        replace_durably(temporary, path)
    except BaseException:
        remove_if_there(temporary)
        raise


def write_directory(content: Content, path: str, version: int, progress) -> None:
    """An append-only directory: a base, an empty increment, and the manifest. OSError."""
    path = path.rstrip("/" + os.sep)
    temporary, old = f"{path}.{os.getpid()}.tmp", f"{path}.{os.getpid()}.old"
    os.mkdir(temporary, 0o700)
    try:
        manifest = Manifest(temporary, "appendonly.aof")
        manifest.base = manifest.next_base()
        write_rdb(content, manifest.path_of(manifest.base), version, progress, {"aof-base": "1"})
        part = Part("appendonly.aof.1.incr.aof", 1, INCREMENT)
        os.close(os.open(manifest.path_of(part), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        manifest.increments.append(part)
        manifest.write()
        sync_directory(temporary)
        if os.path.exists(path):
            os.rename(path, old)
        try:
            replace_durably(temporary, path)
        except OSError:
            if os.path.exists(old):
                os.rename(old, path)
            raise
        if os.path.exists(old):
            shutil.rmtree(old)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def target_format(path: str, kind: str | None) -> str:
    """What the target is to be: `aof-directory`, or one of FORMATS. Refused."""
    if kind is None:
        if path.endswith(".rdb"):
            kind = "rdb"
        elif path.endswith((".jsonl", ".ndjson", ".json")) or path == "-":
            kind = "jsonl"
        elif path.endswith((".aof", "/", os.sep)) or os.path.isdir(path):
            kind = "aof"
        else:
            raise Refused(f"what {path} is to be is not clear: --to rdb, aof or jsonl, or such an ending")
    if kind == "aof" and path != "-" and (os.path.isdir(path) or not path.endswith(".aof")):
        return "aof-directory"
    if kind == "rdb" and path == "-":
        raise Refused("an RDB file can't be written to standard output")
    return kind


def convert(source: str, target: str, from_format: str | None = None, to_format: str | None = None,
            rdb_version: int | None = None, force: bool = False, progress=nobody) -> Content:
    """Writes what is in the source to the target: what it was. OSError, DamagedFile, Refused, AlreadyOpen."""
    for kind in (from_format, to_format):
        if kind not in (None, *FORMATS):
            raise Refused(f"{kind} is no format: {', '.join(FORMATS)}")
    kind = target_format(target, to_format)
    if rdb_version is not None and kind not in ("rdb", "aof-directory"):
        raise Refused("an RDB version without an RDB file to be written")
    if target != "-":
        refuse_target(target, kind, force)
    content = load(source, from_format, progress)
    if kind in ("rdb", "aof-directory"):
        version = version_for(content, rdb_version)
    if target == "-":
        write_chunks(requests(content) if kind == "aof" else lines(content), target, content.keys, progress)
        return content
    with no_server_near(target):
        if kind == "rdb":
            write_rdb(content, target, version, progress)
        elif kind == "aof-directory":
            write_directory(content, target, version, progress)
        else:
            write_chunks(requests(content) if kind == "aof" else lines(content), target, content.keys, progress)
    return content


def refuse_target(target: str, kind: str, force: bool) -> None:
    """Refused if something is there that must not be replaced."""
    if not os.path.lexists(target):
        return
    if os.path.isdir(target) != (kind == "aof-directory"):
        raise Refused(f"{target} is there, and {'a' if os.path.isdir(target) else 'no'} directory")
    if not force:
        raise Refused(f"{target} is there already (--force replaces it)")
    if kind == "aof-directory" and not any(name.endswith(SUFFIX) for name in os.listdir(target)) and os.listdir(target):
        raise Refused(f"{target} is no append-only directory: it is not replaced")
