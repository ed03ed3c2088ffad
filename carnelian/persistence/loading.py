# cython: language_level=3, cdivision=True
"""Loading RDB files, in slices.

Everything is checked on the way, and the checksum first of all: a file that is damaged loads nothing.
"""
import mmap
import os

import anycrc
import cython
from cython.cimports.carnelian.base.clock import steady_nanoseconds
from cython.cimports.carnelian.types.table import EXPIRES, Entry, entry_value
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.string import memcpy

from carnelian.keyspace.call import KINDS
from carnelian.persistence import format
from carnelian.types import serial_types
from carnelian.types.serial_read import DamagedValue

STRING = cython.declare(cython.int, serial_types.STRING)
# Entries between two looks at the clock.
STEPS = cython.declare(cython.int, 64)
CHECKED_AT_ONCE = 16 << 20
MODEL = anycrc.Model("CRC64-REDIS")


class DamagedFile(Exception):
    """A file can't be loaded: which, at what offset, and what was expected there."""

    def __init__(self, path: str, offset: int, text: str):
        super().__init__(f"{path} is damaged at offset {offset}: {text}")
        self.path = path
        self.offset = offset
        self.text = text


def is_rdb(data) -> bool:
    """Whether it begins as an RDB file does."""
    return bytes(data[:5]) == format.MAGIC


@cython.final
@cython.cclass
class Loader:
    """Reads one RDB file into a store; what is in the store stays. `with` closes the file.

    Raises OSError if it can't be read, DamagedFile if it is none, is damaged or of a version that is not known. Keys whose time
    is over are left out, unless `keep_expired` (the base of an append-only file, whose later part will delete them).
    """

    def __init__(self, path, store: Store, now: int64_t, checksum: bool = True, keep_expired: bool = False, data=None,
                 at: int = 0, end=None):
        self.path = os.fspath(path)
        self.store = store
        self.aux = {}
        self.functions = []
        self.now = now
        self.crc = 0
        self.keep_expired = keep_expired
        if data is None:
            with open(path, "rb") as file:
                if os.fstat(file.fileno()).st_size == 0:
                    raise DamagedFile(self.path, 0, "the file is empty; an RDB file begins with REDIS")
                data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.data = data
        self.first = at
        self.checksum = checksum
        self.source = Input(data, at, end)
        self.db = self.store.databases[0]
        self.forget_properties()
        self.begin(data, at)

    def begin(self, data, at):
        head = bytes(data[at:at + 9])
        if head[:5] != format.MAGIC:
            raise DamagedFile(self.path, at, "an RDB file begins with REDIS")
        if not head[5:].isdigit() or len(head) < 9:
            raise DamagedFile(self.path, at + 5, "four digits of the version are expected")
        self.version = int(head[5:])
        if not 1 <= self.version <= format.NEWEST_VERSION:
            raise DamagedFile(self.path, at + 5, f"version {self.version} of the format is not known, only 1 to {format.NEWEST_VERSION}")
        self.source.at = at + 9
        # The checksum comes first where the end of the data is known to be an end: 0 means that there is none.
        end = self.source.end
        self.checksum = self.checksum and self.version >= 5
        if self.checksum and end - at >= 18 and data[end - 9] == format.END:
            self.unchecked = end - 8
            self.checked = at

    def check(self, most: cython.size_t):
        """Reads so many bytes for the checksum; DamagedFile if it is another."""
        stop: cython.size_t = min(self.checked + most, self.unchecked)
        with memoryview(self.data) as view:
            self.crc = MODEL.calc(view[self.checked:stop], self.crc)
        self.checked = stop
        if stop == self.unchecked:
            expected = int.from_bytes(self.data[stop:stop + 8], "little")
            if expected and expected != self.crc:
                raise DamagedFile(self.path, stop, f"the checksum is {expected:016x}, that of the content {self.crc:016x}")

    @property
    def at(self):
        """Offset of what is read next."""
        return self.source.at

    @property
    def size(self):
        """Offset of the end of the data."""
        return self.source.end

    def forget_properties(self):
        self.expiry = -1
        self.idle = -1
        self.frequency = -1

    def advance(self, nanoseconds):
        """Goes on for so long (below 0: to the end). Whether everything was read."""
        began: cython.longlong = steady_nanoseconds()
        steps: cython.int = 0
        at: cython.size_t
        while self.checked < self.unchecked:
            self.check(CHECKED_AT_ONCE)
            if 0 <= nanoseconds < steady_nanoseconds() - began:
                return False
        while not self.ended:
            at = self.source.at
            try:
                self.step()
            except DamagedValue as error:
                raise DamagedFile(self.path, self.source.at, f"{error} (in what begins at offset {at})") from None
            steps += 1
            if steps >= STEPS and nanoseconds >= 0:
                steps = 0
                if steady_nanoseconds() - began > nanoseconds:
                    return False
        return True

    def step(self):
        """One entry, or one opcode."""
        opcode: cython.int = self.source.byte()
        n: uint64_t
        if opcode < 240:
            return self.entry(opcode)
        if opcode == format.EXPIRY_MILLISECONDS:
            self.expiry = cython.cast(int64_t, self.source.little(8))
        elif opcode == format.EXPIRY_SECONDS:
            self.expiry = cython.cast(int64_t, self.source.little(4)) * 1000
        elif opcode == format.IDLE:
            self.idle = cython.cast(int64_t, self.source.length())
        elif opcode == format.FREQUENCY:
            self.frequency = self.source.byte()
        elif opcode == format.DATABASE:
            n = self.source.length()
            if n >= cython.cast(uint64_t, len(self.store.databases)):
                raise DamagedValue(f"database {n} is more than the setting `databases` allows")
            self.db = self.store.databases[n]
        elif opcode == format.SIZES:
            n = self.source.length()
            self.source.length()
            self.expected += n
            # A count alone allocates nothing: an entry takes at least three bytes.
            if n <= (self.source.end - self.source.at) // 3:
                self.db.table.expand(n)
        elif opcode == format.AUX:
            name = self.source.string()
            self.aux[name.decode("utf-8", "replace")] = self.source.string().decode("utf-8", "replace")
        elif opcode == format.FUNCTION:
            self.functions.append(self.source.string())
        elif opcode == format.MODULE_AUX:
            self.skip_module()
        elif opcode == format.END:
            self.ended = True
            if self.version >= 5:
                self.source.take(8)
                if self.checksum and self.unchecked == 0:
                    self.checked = self.first
                    self.unchecked = self.source.at - 8
                    self.check(self.unchecked)
        else:
            raise DamagedValue(f"there is no opcode {opcode}")
        return 0

    def skip_module(self):
        """The data of a module beside its keys: it is known how long it is, not what it means."""
        kind: uint64_t
        self.source.length()
        self.source.length()
        self.source.length()
        while True:
            kind = self.source.length()
            if kind == 0:
                return
            if kind == 1 or kind == 2:
                self.source.length()
            elif kind == 3:
                self.source.take(4)
            elif kind == 4:
                self.source.take(8)
            elif kind == 5:
                self.source.string()
            else:
                raise DamagedValue("no such kind of a module's data")

    def entry(self, type):
        key: bytes = self.source.string()
        p: cython.p_char = PyBytes_AS_STRING(key)
        n: cython.size_t = PyBytes_GET_SIZE(key)
        slot: cython.pointer(cython.pointer(Entry))
        if self.db.table.find(p, n) != cython.NULL:
            raise DamagedValue(f"the key {key[:100]!r} is there twice")
        if type == STRING:
            self.string_entry(p, n)
        else:
            value = self.source.value(type)
            self.db.put_object(p, n, KINDS[value.__class__], value, False)
        self.loaded += 1
        if self.expiry >= 0 or self.idle >= 0 or self.frequency >= 0:
            slot = self.db.table.find(p, n)
            if 0 <= self.expiry < self.now and not self.keep_expired:
                self.db.remove(p, n)
                self.loaded -= 1
                self.expired += 1
            else:
                if self.expiry >= 0:
                    self.db.set_expiry(slot, self.expiry)
                if self.frequency >= 0 and self.store.is_frequency:
                    self.db.set_access(key, frequency=self.frequency)
                elif self.idle >= 0 and not self.store.is_frequency:
                    self.db.set_access(key, idle=self.idle)
            self.forget_properties()
        return 0

    def string_entry(self, key, n):
        """A string: one that is written as it is goes from the file into the table."""
        encoding: cython.int = -1
        at: cython.size_t = self.source.at
        size: uint64_t = self.source.number(cython.address(encoding))
        e: cython.pointer(Entry)
        text: bytes
        if encoding >= 0:
            self.source.at = at
            text = self.source.string()
            e = self.db.store_string(cython.NULL, key, n, PyBytes_GET_SIZE(text), False)
            memcpy(entry_value(e), PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
            return 0
        p: cython.pointer(cython.const[cython.uchar]) = self.source.take(size)
        e = self.db.store_string(cython.NULL, key, n, size, False)
        memcpy(entry_value(e), p, size)
        return 0
