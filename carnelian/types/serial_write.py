# cython: language_level=3
"""Values into the RDB format, in the types of its version 10, which Redis 7.0 and later load; but those of version 12 where
fields of a hash expire.

Packed collections are copied as they are; only a set in a listpack is written as a plain one (version 11 has a type for
it). Strings are compressed by LZF where `compress` is set.
"""
import cython
from cython.cimports.carnelian.base.memory import allocate, release, resize
from cython.cimports.carnelian.base.numbers import text_to_integer
from cython.cimports.carnelian.types.expiring import HashWalk
from cython.cimports.carnelian.types.hash import Hash, expires
from cython.cimports.carnelian.types.hashing import little_endian
from cython.cimports.carnelian.types.json_document import JsonDocument
from cython.cimports.carnelian.types.list import List
from cython.cimports.carnelian.types.listpack import Item
from cython.cimports.carnelian.types.lzf import compress
from cython.cimports.carnelian.types.set import Set, SetWalk
from cython.cimports.carnelian.types.sorted_set import Member, SortedSet, Walk, walk_next
from cython.cimports.carnelian.types.stream import Stream
from cython.cimports.carnelian.types.stream_group import Consumer, Group
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.libc.string import memcpy, memmove

from carnelian.types import serial_types as types

FIRST_CAPACITY = cython.declare(cython.size_t, 256)
# Redis compresses no shorter ones.
COMPRESSED_FROM = cython.declare(cython.size_t, 20)
HEADER = cython.declare(cython.size_t, 19)              # a byte and two lengths
# More room than this is given back when the bytes are taken.
KEPT_CAPACITY = cython.declare(cython.size_t, 1 << 20)


def type_of(value) -> int:
    """The type under which `put_value` writes the value, a byte. TypeError if it is no value."""
    if isinstance(value, bytes):
        return types.STRING
    if isinstance(value, List):
        return types.QUICKLIST_2
    if isinstance(value, Set):
        return types.SET_INTSET if value.encoding == "intset" else types.SET
    if isinstance(value, Hash):
        if value.next_expiry is not None:
            return types.EXPIRING_LISTPACK if value.encoding == "listpackex" else types.EXPIRING_HASH
        return types.HASH_LISTPACK if value.encoding == "listpack" else types.HASH
    if isinstance(value, SortedSet):
        return types.SORTED_SET_LISTPACK if value.encoding == "listpack" else types.SORTED_SET
    if isinstance(value, Stream):
        return types.STREAM_2
    if isinstance(value, JsonDocument):
        return types.MODULE
    raise TypeError(f"no value: {type(value).__name__}")


@cython.final
@cython.cclass
class Output:
    """Bytes of the RDB format, one after the other; `take` gives them and begins anew."""

    def __dealloc__(self):
        release(self.data, self.capacity)

    def room(self, n):
        wanted: cython.size_t
        at: cython.p_char
        if n > self.capacity - self.size:
            wanted = max(self.size + n, self.capacity + (self.capacity >> 1), FIRST_CAPACITY)
            if self.data == cython.NULL:
                self.data = cython.cast(cython.p_char, allocate(wanted))
            else:
                self.data = cython.cast(cython.p_char, resize(self.data, self.capacity, wanted))
            self.capacity = wanted
        at = self.data + self.size
        self.size += n
        return at

    def take(self):
        """The bytes so far."""
        result: bytes = PyBytes_FromStringAndSize(self.data, self.size)
        self.size = 0
        if self.capacity > KEPT_CAPACITY:
            release(self.data, self.capacity)
            self.data = cython.NULL
            self.capacity = 0
        return result

    # --- parts -----------------------------------------------------------------------------------------------------

    def put_raw(self, data, n):
        memcpy(self.room(n), data, n)
        return 0

    def put_byte(self, number):
        self.room(1)[0] = cython.cast(cython.char, number)
        return 0

    def put_length(self, n):
        """A length or another unsigned number: 6, 14, 32 or 64 bits."""
        p: cython.p_char
        i: cython.int
        if n < 64:
            self.room(1)[0] = cython.cast(cython.char, n)
        elif n < 16384:
            p = self.room(2)
            p[0] = cython.cast(cython.char, 0x40 | (n >> 8))
            p[1] = cython.cast(cython.char, n & 255)
        elif n >> 32 == 0:
            p = self.room(5)
            p[0] = cython.cast(cython.char, 0x80)
            for i in range(4):
                p[1 + i] = cython.cast(cython.char, (n >> (24 - 8 * i)) & 255)
        else:
            p = self.room(9)
            p[0] = cython.cast(cython.char, 0x81)
            for i in range(8):
                p[1 + i] = cython.cast(cython.char, (n >> (56 - 8 * i)) & 255)
        return 0

    def put_string(self, data, n):
        number: int64_t = 0
        size: cython.int
        i: cython.int
        p: cython.p_char
        if 0 < n <= 11 and text_to_integer(data, n, cython.address(number)) and -2147483648 <= number <= 2147483647:
            size = 1 if -128 <= number <= 127 else 2 if -32768 <= number <= 32767 else 4
            p = self.room(1 + size)
            p[0] = cython.cast(cython.char, 0xC0 | (size >> 1))
            for i in range(size):
                p[1 + i] = cython.cast(cython.char, (number >> (8 * i)) & 255)
            return 0
        if self.compress and n > COMPRESSED_FROM and self.put_compressed(data, n):
            return 0
        self.put_length(n)
        return self.put_raw(data, n)

    def put_compressed(self, data, n):
        """Whether it was shorter so: then it is written."""
        before: cython.size_t = self.size
        size: cython.size_t
        # Its length comes first and is only known afterwards: it is made behind the longest header, then moved up to it.
        out: cython.p_char = self.room(HEADER + n) + HEADER
        self.size = before
        size = compress(cython.cast(cython.pointer(cython.const[cython.uchar]), data), n, cython.cast(cython.p_uchar, out),
                        n - 4)
        if size == 0:
            return False
        self.put_byte(0xC3)
        self.put_length(size)
        self.put_length(n)
        memmove(self.room(size), self.data + before + HEADER, size)
        return True

    def put_bytes(self, text):
        """A string: its length and its bytes, or an integer."""
        return self.put_string(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))

    def put_milliseconds(self, time):
        time = little_endian(time)
        return self.put_raw(cython.cast(cython.p_char, cython.address(time)), 8)

    def put_id(self, ms, seq):
        p: cython.p_char = self.room(16)
        i: cython.int
        for i in range(8):
            p[i] = cython.cast(cython.char, (ms >> (56 - 8 * i)) & 255)
            p[8 + i] = cython.cast(cython.char, (seq >> (56 - 8 * i)) & 255)
        return 0

    # --- values ----------------------------------------------------------------------------------------------------

    def put_value(self, value):
        """A value (bytes or a structure), without its type."""
        if isinstance(value, bytes):
            return self.put_bytes(value)
        if isinstance(value, List):
            return self.put_list(value)
        if isinstance(value, Set):
            return self.put_set(value)
        if isinstance(value, Hash):
            return self.put_hash(value)
        if isinstance(value, SortedSet):
            return self.put_sorted_set(value)
        if isinstance(value, JsonDocument):
            return self.put_json(value)
        return self.put_stream(value)

    def put_list(self, values):
        plain: cython.bint
        data: bytes
        self.put_length(values.nodes)
        for plain, data in values.nodes_as_bytes():
            self.put_length(types.PLAIN if plain else types.PACKED)
            self.put_length(PyBytes_GET_SIZE(data))
            self.put_raw(PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))
        return 0

    def put_set(self, values):
        members: Set = values
        walk: SetWalk
        member: Item
        if members.encoding == "intset":
            return self.put_bytes(members.to_packed())
        self.put_length(members.length())
        members.start(cython.address(walk))
        while members.next(cython.address(walk), cython.address(member)):
            self.put_string(member.data, member.length)
        return 0

    def put_hash(self, values):
        hash: Hash = values
        walk: HashWalk
        field: Item
        value: Item
        soonest: int64_t = hash.soonest()
        packed: bytes = None
        if soonest:
            self.put_milliseconds(cython.cast(uint64_t, soonest))
        if soonest or not expires(hash):
            packed = hash.to_packed()
            if packed is not None:
                return self.put_bytes(packed)
        self.put_length(hash.length())
        hash.start_all(cython.address(walk))
        while hash.next(cython.address(walk), cython.address(field), cython.address(value)):
            if soonest:                     # times are counted from the soonest, which is 1
                self.put_length(cython.cast(uint64_t, walk.time - soonest + 1) if walk.time else 0)
            self.put_string(field.data, field.length)
            self.put_string(value.data, value.length)
        return 0

    def put_sorted_set(self, values):
        """The highest score comes first: then whoever loads it inserts always at the same end."""
        members: SortedSet = values
        walk: Walk
        member: Member
        score: uint64_t = 0
        packed: bytes = members.listpack()
        if packed is not None:
            return self.put_bytes(packed)
        self.put_length(members.length())
        members.walk(cython.address(walk), members.length() - 1, True)
        while walk_next(cython.address(walk), cython.address(member)):
            self.put_string(member.data, member.length)
            memcpy(cython.address(score), cython.address(member.score), 8)
            self.put_milliseconds(score)
        return 0

    def put_json(self, values):
        document: JsonDocument = values
        self.put_length(types.JSON)
        self.put_length(types.STRING_PART)
        self.put_bytes(document.to_text())
        return self.put_length(types.END_OF_PARTS)

    def put_stream(self, values):
        stream: Stream = values
        data: bytes
        self.put_length(stream.count)
        for (ms, seq), data in stream.blocks_as_bytes():
            self.put_length(16)
            self.put_id(ms, seq)
            self.put_length(PyBytes_GET_SIZE(data))
            self.put_raw(PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))
        self.put_length(stream.length)
        self.put_length(stream.last_ms)
        self.put_length(stream.last_seq)
        self.put_length(stream.first_ms)
        self.put_length(stream.first_seq)
        self.put_length(stream.deleted_ms)
        self.put_length(stream.deleted_seq)
        self.put_length(stream.entries_added)
        if stream.groups is None:
            return self.put_length(0)
        self.put_length(len(stream.groups))
        for name, group in stream.groups.items():
            self.put_group(name, group)
        return 0

    def put_group(self, name, group):
        this: Group = group
        consumer: Consumer
        self.put_bytes(name)
        self.put_length(this.last_ms)
        self.put_length(this.last_seq)
        self.put_length(cython.cast(uint64_t, this.entries_read))       # -1, unknown, is the highest number
        self.put_length(this.pending.size)
        for (ms, seq), _, delivered, count in this.pending_entries():
            self.put_id(ms, seq)
            self.put_milliseconds(cython.cast(uint64_t, cython.cast(int64_t, delivered)))
            self.put_length(count)
        self.put_length(len(this.consumers))
        for consumer in this.consumers.values():
            self.put_bytes(consumer.name)
            self.put_milliseconds(cython.cast(uint64_t, consumer.seen_time))
            self.put_length(consumer.pending.size)
            for ms, seq in consumer.pending_ids():
                self.put_id(ms, seq)
        return 0
