"""Checking RDB files, append-only files, and directories of them: what is in them, and where they are damaged.

A file is read through once; no request is run, and no more than one value of an RDB file is in memory at a time (and eight
bytes for each key, as none may be there twice).
"""
import collections
import mmap
import os
import shutil
import time

import anycrc

from carnelian.persistence import format
from carnelian.persistence.files import sync_directory
from carnelian.persistence.json_lines import NAMES
from carnelian.persistence.loading import DamagedFile, is_rdb
from carnelian.persistence.lock import no_server_near
from carnelian.persistence.manifest import Manifest
from carnelian.types.serial_read import DamagedValue, Input

MODEL = anycrc.Model("CRC64-REDIS")
CHECKED_AT_ONCE = 16 << 20      # bytes of a checksum between two looks at the progress
LOOK_EVERY = 1 << 10            # keys or requests, likewise
LONGEST_NUMBER = 20             # digits of a count or a length
LARGEST_WORD = 4 << 30          # bytes: what an entry can hold
MOST_WORDS = 1 << 31            # of a request
MOST_UNKNOWN = 10               # unknown words that are told
SUFFIX = ".manifest"


class Unreadable(Exception):
    """The file is none that could be checked."""


class Report:
    """What was found in one file."""

    def __init__(self, path: str, kind: str):
        self.path = path
        self.kind = kind                # "RDB file", "append-only file", "manifest"
        self.lines = []                 # what is in it
        self.faults = []                # (offset, text)
        self.cut = None                 # where the sound beginning of an append-only file ends, if it ends before the file does
        self.may_be_cut = True          # it is the last of its files

    @property
    def is_sound(self) -> bool:
        return not self.faults

    def fault(self, offset: int, text: str) -> None:
        self.faults.append((offset, text))

    def text(self) -> str:
        """Several lines, for a person."""
        lines = [f"{self.path}: {self.kind}", *("  " + line for line in self.lines)]
        lines += [f"  DAMAGED at offset {offset}: {text}" for offset, text in self.faults]
        return "\n".join(lines if self.faults else [*lines, "  sound"])


def nobody(*_) -> None:
    """No progress is shown."""


def check(path: str, progress=nobody) -> list:
    """The reports of a file, of the files that a manifest names, or of those of an append-only directory.

    `progress(text, done, total)` is called now and then. OSError, Unreadable.
    """
    if os.path.isdir(path):
        names = sorted(name for name in os.listdir(path) if name.endswith(SUFFIX))
        if not names:
            raise Unreadable(f"{path} is no append-only directory: there is no manifest in it")
        if len(names) > 1:
            raise Unreadable(f"{path} has several manifests ({', '.join(names)}): name one of them")
        return check_manifest(os.path.join(path, names[0]), progress)
    if path.endswith(SUFFIX):
        return check_manifest(path, progress)
    return [check_file(path, progress)]


def check_manifest(path: str, progress) -> list:
    directory, name = os.path.split(path)
    manifest = Manifest(directory, name[:-len(SUFFIX)])
    report = Report(path, "manifest of append-only files")
    reports = [report]
    try:
        if not manifest.read():
            raise FileNotFoundError(2, os.strerror(2), path)
    except UnicodeDecodeError as error:
        report.fault(error.start, "no text")
        return reports
    except DamagedFile as error:
        report.fault(error.offset, error.text)
        return reports
    parts = manifest.parts
    if manifest.base:
        report.lines.append(f"base: {manifest.base.name}")
    report.lines.append(f"increments: {', '.join(part.name for part in manifest.increments) or 'none'}")
    if manifest.history:
        report.lines.append(f"to be deleted: {', '.join(part.name for part in manifest.history)}")
    for part in parts:
        place = manifest.path_of(part)
        if not os.path.exists(place):
            report.fault(0, f"{part.name} is named, but not there")
            continue
        found = check_file(place, progress, True)
        found.may_be_cut = part is parts[-1]
        reports.append(found)
    return reports


def check_file(path: str, progress=nobody, is_part: bool = False) -> Report:
    """The report of one file: an RDB file, requests, or an RDB file with requests behind it. OSError, Unreadable."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            if is_part or path.endswith(".aof"):
                report = Report(path, "append-only file")
                report.lines.append("0 bytes: no requests")
            else:
                report = Report(path, "empty file")
                report.fault(0, "an RDB file begins with REDIS, a request with *")
            return report
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    first = data[:1]
    if is_rdb(data[:5]):
        report = Report(path, "RDB file")
        scan = RdbScan(data, path, report, progress)
        end = scan.run()
        if end is not None and end < size:
            if is_part or scan.is_base or first_of(data, end) in b"*#":
                report.kind = "append-only file that begins with an RDB file"
                scan_requests(data, end, path, report, progress)
            else:
                report.lines.append(f"{size - end} bytes behind its end, at offset {end}, which nobody reads")
        return report
    if first in (b"*", b"#") or is_part or path.endswith(".aof"):
        report = Report(path, "append-only file")
        scan_requests(data, 0, path, report, progress)
        return report
    if b"REDIS".startswith(data[:5]) or path.endswith(".rdb"):
        report = Report(path, "RDB file")
        report.fault(0, f"an RDB file begins with REDIS, not with {data[:5]!r}")
        return report
    raise Unreadable(f"{path} is neither an RDB file (which begins with REDIS) nor an append-only file (with * or #)")


def first_of(data, at: int) -> bytes:
    return data[at:at + 1]


# --- RDB files -----------------------------------------------------------------------------------------------------

class DatabaseCount:
    """What was found in one database."""

    def __init__(self):
        self.kinds = collections.Counter()
        self.volatile = 0
        self.expired = 0
        self.names = set()              # the hashes of the keys

    def line(self, index: int) -> str:
        kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(self.kinds.items()))
        text = f"database {index}: {count(sum(self.kinds.values()), 'key')}" + (f" ({kinds})" if kinds else "")
        if self.volatile:
            text += f", {self.volatile} with an expiry"
        return text + (f", {self.expired} of them expired" if self.expired else "")


def count(n: int, thing: str) -> str:
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"


class RdbScan:
    """Goes through one RDB file, from the beginning of the data."""

    def __init__(self, data, path: str, report: Report, progress):
        self.data = data
        self.name = os.path.basename(path)
        self.report = report
        self.progress = progress
        self.source = Input(data)
        self.aux = {}
        self.databases = {}
        self.database = 0
        self.functions = 0
        self.modules = 0
        self.now = int(time.time() * 1000)

    @property
    def is_base(self) -> bool:
        """Whether it says that it is a part of an append-only file."""
        return "1" in (self.aux.get("aof-base"), self.aux.get("aof-preamble"))

    def run(self):
        """The offset behind the end; None where that was not reached."""
        report, head = self.report, self.data[:9]
        if len(head) < 9 or not head[5:].isdigit():
            report.fault(5, "four digits of the version are expected")
            return None
        version = int(head[5:])
        report.lines.append(f"version {version}, {count(len(self.data), 'byte')}")
        if not 1 <= version <= format.NEWEST_VERSION:
            report.fault(5, f"version {version} of the format is not known, only 1 to {format.NEWEST_VERSION}")
            return None
        self.source.at = 9
        at, end = 9, None
        try:
            steps = 0
            while end is None:
                at = self.source.at
                if self.step():
                    end = self.source.at
                steps += 1
                if steps % LOOK_EVERY == 0:
                    self.progress(self.name, self.source.at, len(self.data))
            if version >= 5:
                end = self.check_end(end)
        except DamagedValue as error:
            report.fault(min(self.source.at, len(self.data)), f"{error} (in what begins at offset {at})")
            end = None
        self.tell()
        return end

    def check_end(self, end: int):
        """The checksum behind the content, where there is one."""
        if len(self.data) < end + 8:
            self.report.fault(end, f"8 bytes of the checksum are expected, there are {len(self.data) - end}")
            return None
        expected = int.from_bytes(self.data[end:end + 8], "little")
        if expected == 0:
            self.report.lines.append("no checksum")
            return end + 8
        crc = 0
        with memoryview(self.data) as view:
            for at in range(0, end, CHECKED_AT_ONCE):
                crc = MODEL.calc(view[at:min(at + CHECKED_AT_ONCE, end)], crc)
                self.progress(f"{self.name}: checksum", at, end)
        if crc != expected:
            self.report.fault(end, f"the checksum is {expected:016x}, that of the content {crc:016x}")
        return end + 8

    def step(self) -> bool:
        """A key with what comes before it, or an opcode of its own; whether that was the end."""
        source = self.source
        expiry = None
        while True:
            opcode = source.byte()
            if opcode < 240:
                self.entry(opcode, expiry)
                return False
            if opcode == format.EXPIRY_MILLISECONDS:
                expiry = int.from_bytes(self.bytes(8), "little", signed=True)
            elif opcode == format.EXPIRY_SECONDS:
                expiry = int.from_bytes(self.bytes(4), "little", signed=True) * 1000
            elif opcode == format.IDLE:
                source.length()
            elif opcode == format.FREQUENCY:
                source.byte()
            else:
                break
        if opcode == format.DATABASE:
            self.database = source.length()
        elif opcode == format.SIZES:
            source.length()
            source.length()
        elif opcode == format.AUX:
            name = source.string().decode("utf-8", "replace")
            self.aux[name] = source.string().decode("utf-8", "replace")
        elif opcode == format.FUNCTION:
            source.string()
            self.functions += 1
        elif opcode == format.MODULE_AUX:
            self.skip_module()
        elif opcode == format.END:
            return True
        else:
            raise DamagedValue(f"there is no opcode {opcode}")
        return False

    def bytes(self, n: int) -> bytes:
        at = self.source.at
        if n > self.source.end - at:
            raise DamagedValue("the bytes end too early")
        self.source.at = at + n
        return self.data[at:at + n]

    def skip_module(self) -> None:
        source = self.source
        self.modules += 1
        for _ in range(3):
            source.length()
        while kind := source.length():
            if kind in (1, 2):
                source.length()
            elif kind in (3, 4):
                self.bytes(4 if kind == 3 else 8)
            elif kind == 5:
                source.string()
            else:
                raise DamagedValue("no such kind of a module's data")

    def entry(self, type: int, expiry) -> None:
        key = self.source.string()
        database = self.databases.setdefault(self.database, DatabaseCount())
        mark = hash(key)
        if mark in database.names:
            raise DamagedValue(f"the key {key[:100]!r} is there twice")
        kind = NAMES[self.source.value(type).__class__]
        database.names.add(mark)
        database.kinds[kind] += 1
        if expiry is not None:
            database.volatile += 1
            database.expired += 0 <= expiry < self.now

    def tell(self) -> None:
        lines = self.report.lines
        if self.aux:
            lines.append(", ".join(f"{name} {told(name, value)}" for name, value in self.aux.items()))
        lines += [self.databases[index].line(index) for index in sorted(self.databases)]
        if not self.databases:
            lines.append("no keys")
        if self.functions:
            lines.append(f"functions: {'1 library' if self.functions == 1 else f'{self.functions} libraries'}")
        if self.modules:
            lines.append(f"data of modules beside the keys: {self.modules}, which is skipped")


def told(name: str, value: str) -> str:
    """An auxiliary field, for a person."""
    if name == "ctime" and value.isdigit() and len(value) <= 11:
        return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(int(value)))
    shown = value if value.isprintable() else repr(value)
    return shown if len(shown) <= 100 else shown[:100] + "..."


# --- requests ------------------------------------------------------------------------------------------------------

class Torn(Exception):
    """The bytes end within a request."""


class Malformed(Exception):
    """No request: offset and what was expected."""


def read_count(data, at: int, end: int, sign: int, expected: str):
    """`*3\\r\\n` or `$3\\r\\n` at the offset: the number, and the offset behind it. Torn, Malformed."""
    if at >= end:
        raise Torn
    if data[at] != sign:
        raise Malformed(at, f"{expected} begins with {chr(sign)}, not with {data[at:at + 1]!r}")
    stop = data.find(b"\r\n", at + 1, min(at + LONGEST_NUMBER + 3, end))
    digits = data[at + 1:stop if stop >= 0 else min(at + 1 + LONGEST_NUMBER, end)]
    if stop < 0 and end - at <= LONGEST_NUMBER + 2 and (digits.rstrip(b"\r").isdigit() or not digits):
        raise Torn
    if stop < 0 or not digits.isdigit():
        raise Malformed(at + 1, f"a number and \\r\\n are expected, not {digits[:30]!r}")
    return int(digits), stop + 2


def read_request(data, at: int, end: int):
    """The first two words of the request at the offset, how many it has, and the offset behind it. Torn, Malformed."""
    words = []
    total, at = read_count(data, at, end, 42, "a request")
    if total > MOST_WORDS:
        raise Malformed(at, f"a request has no {total} words")
    for index in range(total):
        begin = at
        n, at = read_count(data, at, end, 36, "a word")
        if n > LARGEST_WORD:
            raise Malformed(begin + 1, f"a word has no {n} bytes")
        if end - at < n + 2:
            rest = data[at + n:end]
            if rest not in (b"", b"\r"):
                raise Malformed(at + n, f"\\r\\n is expected behind {n} bytes, not {rest!r}")
            raise Torn
        if data[at + n:at + n + 2] != b"\r\n":
            raise Malformed(at + n, f"\\r\\n is expected behind {n} bytes, not {data[at + n:at + n + 2]!r}")
        if index < 2:
            words.append(data[at:at + min(n, 200)])
        at += n + 2
    return words, total, at


def known_words() -> dict:
    """Lower-case name -> set of subcommands or None: what an engine can run."""
    import carnelian.persistence.words
    import carnelian.scripting.function_words
    import carnelian.scripting.words
    from carnelian.engine.engine import Engine

    return {bytes_of(name): {bytes_of(sub) for sub in command.subcommands} if command.subcommands else None
            for name, command in Engine(1).commands.items()}


def bytes_of(name) -> bytes:
    return (name.encode() if isinstance(name, str) else name).lower()


def scan_requests(data, at: int, path: str, report: Report, progress) -> None:
    """Goes through the requests from the offset to the end of the data."""
    size, begun = len(data), at
    name = os.path.basename(path)
    known = known_words()
    seen = collections.Counter()
    unknown = {}
    valid = at                  # behind the last whole request outside of a transaction
    opened = None               # where MULTI is
    last_stamp = None
    requests = transactions = 0
    try:
        while at < size:
            if data[at] == 35:                          # a remark: #TS:1700000000
                stop = data.find(b"\n", at)
                if stop < 0:
                    raise Torn
                if data[at:at + 4] == b"#TS:" and data[at + 4:stop].strip().isdigit():
                    last_stamp = int(data[at + 4:min(stop, at + 20)].strip())
                at = stop + 1
            else:
                words, total, after = read_request(data, at, size)
                if words:
                    word = words[0].lower()
                    subcommands = known.get(word, ())
                    if word not in known:
                        unknown.setdefault(word, at)
                    elif subcommands and (len(words) < 2 or words[1].lower() not in subcommands):
                        word = b" ".join(words).lower()
                        unknown.setdefault(word, at)
                    seen[word] += 1
                    requests += 1
                    if word == b"multi":
                        if opened is not None:
                            raise Malformed(at, f"MULTI within the transaction that begins at offset {opened}")
                        opened = at
                    elif word in (b"exec", b"discard"):
                        if opened is None:
                            raise Malformed(at, f"{word.decode().upper()} without MULTI")
                        opened = None
                        transactions += 1
                at = after
                if requests % LOOK_EVERY == 0:
                    progress(name, at, size)
            if opened is None:
                valid = at
        if opened is not None:
            report.fault(opened, f"the file ends within the transaction that begins here: the last {count(size - opened, 'byte')}")
            report.cut = valid
    except Torn:
        inside = "" if opened is None else f", within the transaction that begins at offset {opened}"
        report.fault(at, f"the file ends within the request that begins here{inside}: the last {count(size - valid, 'byte')}")
        report.cut = valid
    except Malformed as error:
        offset, text = error.args
        report.fault(offset, f"{text} (in the request that begins at offset {at})" if offset != at else text)
        report.cut = valid
    report.lines.append(f"{count(size - begun, 'byte')} of requests: {requests}"
                        + (f", in {count(transactions, 'transaction')} and alone" if transactions else ""))
    if seen:
        report.lines.append(", ".join(f"{n} {shown(word)}" for word, n in seen.most_common(12))
                            + (", ..." if len(seen) > 12 else ""))
    if last_stamp is not None and last_stamp < 1 << 36:
        report.lines.append(f"last time stamp: {told('ctime', str(last_stamp))}")
    for word, offset in list(unknown.items())[:MOST_UNKNOWN]:
        report.fault(offset, f"there is no command {shown(word)} ({count(seen[word], 'request')})")
    if len(unknown) > MOST_UNKNOWN:
        report.fault(list(unknown.values())[MOST_UNKNOWN], f"{len(unknown) - MOST_UNKNOWN} more words are no commands")
    report.faults.sort()
    if unknown and report.cut is not None and min(unknown.values()) < report.cut:
        report.lines.append("unknown commands stand before the damaged end: cutting it off would not be enough")


def shown(word: bytes) -> str:
    text = word.decode("utf-8", "replace").upper()
    return text if text.isprintable() else repr(word)


# --- mending -------------------------------------------------------------------------------------------------------

def truncate(report: Report) -> str:
    """Cuts the damaged end off; the whole file is kept beside: the path of that copy. OSError, AlreadyOpen."""
    with no_server_near(report.path):
        copy = copied(report.path)
        with open(report.path, "r+b") as file:
            file.truncate(report.cut)
            os.fsync(file.fileno())
    return copy


def copied(path: str) -> str:
    """A durable copy beside the file, under a new name. OSError."""
    number = 0
    while True:
        target = f"{path}.before-fix" + (f".{number}" if number else "")
        try:
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
            break
        except FileExistsError:
            number += 1
    try:
        with os.fdopen(descriptor, "wb") as file, open(path, "rb") as source:
            shutil.copyfileobj(source, file, 1 << 20)
            file.flush()
            os.fsync(file.fileno())
        sync_directory(os.path.dirname(target) or ".")
    except BaseException:
        os.unlink(target)
        raise
    return target
