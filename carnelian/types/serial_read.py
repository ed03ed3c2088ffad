# cython: language_level=3
"""Values out of the RDB format, in all types of its versions 1 to 12 but those of modules other than JSON.

The bytes come from outside: each length and each structure is checked before it is used, and a count alone allocates
nothing.
"""
import cython
from cython.cimports.carnelian.base.numbers import text_to_double
from cython.cimports.carnelian.types.hash import Hash
from cython.cimports.carnelian.types.json_document import DEEPEST, JsonDocument
from cython.cimports.carnelian.types.list import List
from cython.cimports.carnelian.types.set import Set
from cython.cimports.carnelian.types.sorted_set import MEMBER_ADDED, SortedSet
from cython.cimports.carnelian.types.stream import Stream
from cython.cimports.carnelian.types.stream_group import Consumer, Group
from cython.cimports.cpython.buffer import PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cython.cimports.libc.math import INFINITY, isnan
from cython.cimports.libc.stdint import int8_t, int16_t, int32_t, int64_t, uint64_t
from cython.cimports.libc.string import memcpy

from carnelian.types import serial_types as types
from carnelian.types.json_document import parse
from carnelian.types.serial_old import decompress, ziplist_elements, zipmap_elements

LONGEST = cython.declare(uint64_t, 4294967295)              # bytes of a string that an entry can hold
LARGEST = cython.declare(uint64_t, 9223372036854775807)
LATEST = cython.declare(uint64_t, 281474976710654)          # time at which a field expires
UNKNOWN = cython.declare(uint64_t, 18446744073709551615)    # of a group's entries read


class DamagedValue(ValueError):
    """The bytes are no value."""


@cython.final
@cython.cclass
class Input:
    """Reads from an object with a buffer (bytes, a memory map); `at` is the offset of the next byte."""

    def __cinit__(self, data, at: cython.size_t = 0, end=None):
        PyObject_GetBuffer(data, cython.address(self.view), PyBUF_SIMPLE)
        self.data = cython.cast(cython.pointer(cython.const[cython.uchar]), self.view.buf)
        self.end = self.view.len
        if end is not None and end < self.end:
            self.end = end
        self.at = at

    def __dealloc__(self):
        PyBuffer_Release(cython.address(self.view))

    # --- parts -----------------------------------------------------------------------------------------------------

    def take(self, n):
        p: cython.pointer(cython.const[cython.uchar])
        if self.at > self.end or n > self.end - self.at:
            raise DamagedValue("the bytes end too early")
        p = self.data + self.at
        self.at += n
        return p

    def byte(self):
        return self.take(1)[0]

    def number(self, encoding):
        p: cython.pointer(cython.const[cython.uchar])
        first: cython.uchar = self.take(1)[0]
        n: uint64_t = 0
        i: cython.int
        size: cython.int
        encoding[0] = -1
        if first < 0x40:
            return first
        if first < 0x80:
            return (first & 0x3F) << 8 | self.take(1)[0]
        if first >= 0xC0:
            encoding[0] = first & 0x3F
            return 0
        if first != 0x80 and first != 0x81:
            raise DamagedValue("no such form of a length")
        size = 4 if first == 0x80 else 8
        p = self.take(size)
        for i in range(size):
            n = n << 8 | p[i]
        return n

    def length(self):
        """A length or another unsigned number."""
        encoding: cython.int = -1
        n: uint64_t = self.number(cython.address(encoding))
        if encoding >= 0:
            raise DamagedValue("a string where a length must be")
        return n

    def string(self):
        """A string, be it written with its length, as an integer or compressed."""
        encoding: cython.int = -1
        n: uint64_t = self.number(cython.address(encoding))
        packed: bytes
        if encoding < 0:
            if n > LONGEST:
                raise DamagedValue("a string is too long")
            return PyBytes_FromStringAndSize(cython.cast(cython.p_char, self.take(n)), n)
        if encoding == 0:
            return b"%d" % cython.cast(int8_t, self.take(1)[0])
        if encoding == 1:
            return b"%d" % cython.cast(int16_t, self.little(2))
        if encoding == 2:
            return b"%d" % cython.cast(int32_t, self.little(4))
        if encoding != 3:
            raise DamagedValue("no such form of a string")
        n = self.length()
        size: uint64_t = self.length()
        if size > LONGEST or n > LONGEST:
            raise DamagedValue("a string is too long")
        packed = PyBytes_FromStringAndSize(cython.cast(cython.p_char, self.take(n)), n)
        return decompress(packed, size)

    def little(self, size):
        p: cython.pointer(cython.const[cython.uchar]) = self.take(size)
        n: uint64_t = 0
        i: cython.int
        for i in range(size):
            n |= cython.cast(uint64_t, p[i]) << (8 * i)
        return n

    def id(self):
        p: cython.pointer(cython.const[cython.uchar]) = self.take(16)
        ms: uint64_t = 0
        seq: uint64_t = 0
        i: cython.int
        for i in range(8):
            ms = ms << 8 | p[i]
            seq = seq << 8 | p[8 + i]
        return ms, seq

    # --- values ----------------------------------------------------------------------------------------------------

    def value(self, type):
        """A value of this type: bytes or a structure, which has at least one element (a stream may have none).

        DamagedValue if the bytes are none, or the type is not known.
        """
        result: object
        try:
            if type == types.STRING:
                return self.string()
            if type in (types.LIST, types.LIST_ZIPLIST, types.QUICKLIST, types.QUICKLIST_2):
                result = self.read_list(type)
            elif type == types.SET:
                result = self.read_set()
            elif type == types.SET_INTSET:
                result = Set.from_intset(self.string())
            elif type == types.SET_LISTPACK:
                result = Set.from_listpack(self.string())
            elif type == types.HASH:
                result = self.read_hash()
            elif type == types.HASH_ZIPMAP:
                result = hash_of(zipmap_elements(self.string()))
            elif type == types.HASH_ZIPLIST:
                result = hash_of(ziplist_elements(self.string()))
            elif type == types.HASH_LISTPACK:
                result = Hash.from_packed(self.string())
            elif type in (types.EXPIRING_HASH, types.EXPIRING_HASH_DRAFT):
                result = self.read_expiring_hash(type)
            elif type == types.EXPIRING_LISTPACK:
                self.little(8)              # the soonest time is known
                result = Hash.from_triples(self.string())
            elif type == types.EXPIRING_LISTPACK_DRAFT:
                result = Hash.from_triples(self.string())
            elif type in (types.SORTED_SET, types.SORTED_SET_TEXT):
                result = self.read_sorted_set(type == types.SORTED_SET_TEXT)
            elif type == types.SORTED_SET_ZIPLIST:
                result = sorted_set_of(ziplist_elements(self.string()))
            elif type == types.SORTED_SET_LISTPACK:
                result = SortedSet.from_listpack(self.string())
            elif type in (types.STREAM, types.STREAM_2, types.STREAM_3):
                return self.read_stream(type)
            elif type == types.MODULE:
                return self.read_json()
            else:
                raise DamagedValue(f"no such type: {type}")
        except DamagedValue:
            raise
        except ValueError as error:
            raise DamagedValue(str(error)) from None
        if len(result) == 0:
            raise DamagedValue("a value without elements")
        return result

    def read_list(self, type):
        values: List = List()
        element: bytes
        n: uint64_t
        if type == types.QUICKLIST_2:
            return List.from_nodes(self._nodes())
        if type == types.LIST_ZIPLIST:
            for element in ziplist_elements(self.string()):
                values.push_right(element)
            return values
        n = self.length()
        while n > 0:
            n -= 1
            if type == types.LIST:
                values.push_right(self.string())
            else:
                for element in ziplist_elements(self.string()):
                    values.push_right(element)
        return values

    def _nodes(self):
        """Yields the nodes of a QUICKLIST_2 as `List.from_nodes` takes them."""
        n: uint64_t = self.length()
        while n > 0:
            n -= 1
            container = self.length()
            if container != types.PLAIN and container != types.PACKED:
                raise DamagedValue("no such node of a list")
            yield container == types.PLAIN, self.string()

    def read_set(self):
        members: Set = Set()
        n: uint64_t = self.length()
        while n > 0:
            n -= 1
            if not members.insert(self.string()):
                raise DamagedValue("a member is there twice")
        return members

    def read_hash(self):
        hash: Hash = Hash()
        field: bytes
        n: uint64_t = self.length()
        while n > 0:
            n -= 1
            field = self.string()
            if not hash.set(field, self.string()):
                raise DamagedValue("a field is there twice")
        return hash

    def read_expiring_hash(self, type):
        """Before each field its time, 0: none. The newer type counts from the soonest, which is 1."""
        hash: Hash = Hash()
        field: bytes
        time: uint64_t
        base: uint64_t = 0
        if type == types.EXPIRING_HASH:
            base = self.little(8)
            if base > LATEST:
                raise DamagedValue("a field's time is none")
        n: uint64_t = self.length()
        while n > 0:
            n -= 1
            time = self.length()
            if time > LATEST:
                raise DamagedValue("a field's time is none")
            if time and type == types.EXPIRING_HASH:
                time += base - 1
            field = self.string()
            if not hash.set(field, self.string()):
                raise DamagedValue("a field is there twice")
            if time > LATEST:
                raise DamagedValue("a field's time is none")
            hash.schedule(field, cython.cast(int64_t, time))
        return hash

    def read_sorted_set(self, text):
        members: SortedSet = SortedSet()
        member: bytes
        score: cython.double
        bits: uint64_t
        n: uint64_t = self.length()
        while n > 0:
            n -= 1
            member = self.string()
            if text:
                score = self.score()
            else:
                bits = self.little(8)
                memcpy(cython.address(score), cython.address(bits), 8)
            put(members, member, score)
        return members

    def score(self):
        """A score as decimal text; its length is one byte, with marks for what is no finite number."""
        n: cython.int = self.byte()
        score: cython.double = 0
        if n == 255:
            return -INFINITY
        if n == 254:
            return INFINITY
        if n == 253 or not text_to_double(cython.cast(cython.p_char, self.take(n)), n, cython.address(score)):
            raise DamagedValue("a score is no number")
        return score

    def read_json(self):
        text: bytes
        if self.length() != types.JSON:
            raise DamagedValue("the value of a module that is not known")
        if self.length() != types.STRING_PART:
            raise DamagedValue("a document without its text")
        text = self.string()
        if self.length() != types.END_OF_PARTS:
            raise DamagedValue("more than the text of a document")
        return JsonDocument.of(parse(text, DEEPEST), PyBytes_GET_SIZE(text))

    def read_stream(self, type):
        stream: Stream = Stream()
        n: uint64_t = self.length()
        added: uint64_t
        deleted: tuple = (0, 0)
        while n > 0:
            n -= 1
            if self.length() != 16:
                raise DamagedValue("the key of a block of the stream is no ID")
            id = self.id()
            stream.load_block(id, self.string())
        added = self.length()
        if added != stream.length:
            raise DamagedValue("the stream has another number of entries than it says")
        last = (self.length(), self.length())
        if last < stream.top_id:
            raise DamagedValue("an entry of the stream is above its last ID")
        if type != types.STREAM:
            self.length()               # the first ID is known
            self.length()
            deleted = (self.length(), self.length())
            added = self.length()
            if added < stream.length or added > LARGEST:
                raise DamagedValue("the stream had more entries than were added")
        stream.set_state(last, added, deleted)
        n = self.length()
        while n > 0:
            n -= 1
            name = self.string()
            if stream.groups is not None and name in stream.groups:
                raise DamagedValue("a group is there twice")
            stream.add_group(name, self.read_group(type, stream))
        return stream

    def read_group(self, type, stream):
        group: Group = Group((self.length(), self.length()))
        consumer: Consumer
        n: uint64_t
        count: uint64_t
        pending: uint64_t
        delivered: int64_t
        if type == types.STREAM:
            group.count_from(stream)
        else:
            count = self.length()
            if count != UNKNOWN and count > LARGEST:
                raise DamagedValue("a group has read too many entries")
            group.entries_read = cython.cast(int64_t, count)
        n = self.length()
        while n > 0:
            n -= 1
            id = self.id()
            delivered = cython.cast(int64_t, self.little(8))
            count = self.length()
            if count > LARGEST:
                raise DamagedValue("an entry was delivered too often")
            group.add_pending(id, None, delivered, cython.cast(int64_t, count))
        n = self.length()
        while n > 0:
            n -= 1
            name = self.string()
            consumer = group.add_consumer(name, cython.cast(int64_t, self.little(8)))
            if consumer is None:
                raise DamagedValue("a consumer is there twice")
            # Where it is not told: the best estimate.
            consumer.active_time = cython.cast(int64_t, self.little(8)) if type == types.STREAM_3 else consumer.seen_time
            pending = self.length()
            while pending > 0:
                pending -= 1
                group.assign(self.id(), consumer)
        if not group.is_complete:
            raise DamagedValue("a pending entry has no consumer")
        return group


# --- structures of flat lists --------------------------------------------------------------------------------------

@cython.cfunc
@cython.exceptval(-1)
def put(members: SortedSet, member: bytes, score: cython.double) -> cython.int:
    result: cython.double = 0
    if isnan(score):
        raise DamagedValue("a score is no number")
    if members.add(score, PyBytes_AS_STRING(member), PyBytes_GET_SIZE(member), 0, cython.address(result)) != MEMBER_ADDED:
        raise DamagedValue("a member is there twice")
    return 0


@cython.cfunc
def hash_of(elements: list) -> Hash:
    """`[field, value, ...]`"""
    hash: Hash = Hash()
    i: cython.Py_ssize_t
    if len(elements) & 1:
        raise DamagedValue("a field without a value")
    for i in range(0, len(elements), 2):
        if not hash.set(elements[i], elements[i + 1]):
            raise DamagedValue("a field is there twice")
    return hash


@cython.cfunc
def sorted_set_of(elements: list) -> SortedSet:
    """`[member, text of its score, ...]`"""
    members: SortedSet = SortedSet()
    score: cython.double = 0
    text: bytes
    i: cython.Py_ssize_t
    if len(elements) & 1:
        raise DamagedValue("a member without a score")
    for i in range(0, len(elements), 2):
        text = elements[i + 1]
        if not text_to_double(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), cython.address(score)):
            raise DamagedValue("a score is no number")
        put(members, elements[i], score)
    return members
