# cython: language_level=3
"""Listpack: many small elements in one buffer, byte for byte in Redis's format.

https://github.com/antirez/listpack/blob/master/listpack.md describes it. A string that is the canonical decimal form of
a signed 64-bit integer is stored as that integer, in the shortest encoding:

    0xxxxxxx                     0 to 127                      10llllll data                up to 63 bytes
    110xxxxx x                   13 bits, signed               1110llll l data              up to 4095 bytes
    F1, F2, F3, F4 + 2, 3, 4, 8 bytes, little endian           F0 + 4 bytes length + data

The bytes given to a call must not lie in the pack that it changes.
"""
import cython
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import int64_t, uint32_t, uint64_t
from cython.cimports.libc.string import memcmp, memcpy, memmove

from cython.cimports.carnelian.base.memory import allocate, block_size, release, resize, roomy
from cython.cimports.carnelian.base.numbers import integer_to_text, text_to_integer

HEADER = cython.declare(cython.int, 6)
EMPTY = cython.declare(cython.size_t, 7)            # header and end mark
UNKNOWN = cython.declare(cython.size_t, 65535)      # the count field of a pack with more elements than it can tell
LARGEST = cython.declare(uint64_t, 0xFFFFFFFF)


# --- encoding ---------------------------------------------------------------------------------------------------------


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def put_u32(p: cython.p_uchar, n: uint32_t) -> cython.void:
    p[0] = n & 255
    p[1] = (n >> 8) & 255
    p[2] = (n >> 16) & 255
    p[3] = (n >> 24) & 255


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def encode_tail(e: cython.pointer(EncodedEntry)) -> cython.void:
    """The backlen: big endian groups of 7 bits, the high bit set in all but the leftmost."""
    body: cython.size_t = e.head_size + e.data_size
    n: cython.int = lp_backlen_size(body)
    i: cython.int = n - 1
    e.tail_size = n
    e.size = body + n
    while i > 0:
        e.tail[i] = (body & 127) | 128
        body >>= 7
        i -= 1
    e.tail[0] = body & 127


@cython.cfunc
@cython.exceptval(check=False)
def encode_integer(v: int64_t, e: cython.pointer(EncodedEntry)) -> cython.void:
    u: uint64_t = cython.cast(uint64_t, v)
    n: cython.int
    i: cython.int
    e.data = cython.NULL
    e.data_size = 0
    if 0 <= v <= 127:
        e.head[0] = u & 127
        e.head_size = 1
    elif -4096 <= v <= 4095:
        e.head[0] = 0xC0 | ((u >> 8) & 0x1F)
        e.head[1] = u & 255
        e.head_size = 2
    else:
        if -32768 <= v <= 32767:
            e.head[0] = 0xF1
            n = 2
        elif -8388608 <= v <= 8388607:
            e.head[0] = 0xF2
            n = 3
        elif -2147483648 <= v <= 2147483647:
            e.head[0] = 0xF3
            n = 4
        else:
            e.head[0] = 0xF4
            n = 8
        for i in range(n):
            e.head[1 + i] = (u >> (8 * i)) & 255
        e.head_size = 1 + n
    encode_tail(e)


def lp_encode(data, n, e):
    v: int64_t = 0
    if n <= 20 and text_to_integer(data, n, cython.address(v)):
        encode_integer(v, e)
        return
    e.data = data
    e.data_size = n
    if n < 64:
        e.head[0] = 0x80 | n
        e.head_size = 1
    elif n < 4096:
        e.head[0] = 0xE0 | (n >> 8)
        e.head[1] = n & 255
        e.head_size = 2
    else:
        e.head[0] = 0xF0
        put_u32(e.head + 1, cython.cast(uint32_t, n))
        e.head_size = 5
    encode_tail(e)


def lp_write(p, e):
    i: cython.int
    for i in range(e.head_size):
        p[i] = e.head[i]
    p += e.head_size
    if e.data_size:
        memcpy(p, e.data, e.data_size)
        p += e.data_size
    for i in range(e.tail_size):
        p[i] = e.tail[i]


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def read_integer(p: pack) -> int64_t:
    """The number of an entry that is no string."""
    b: cython.uchar = p[0]
    u: uint64_t
    if b < 0x80:
        return b
    if b < 0xE0:
        u = ((b & 0x1F) << 8) | p[1]
        return cython.cast(int64_t, u) - 8192 if u >= 4096 else cython.cast(int64_t, u)
    if b == 0xF1:
        u = p[1] | (cython.cast(uint64_t, p[2]) << 8)
        return cython.cast(int64_t, u << 48) >> 48
    if b == 0xF2:
        u = p[1] | (cython.cast(uint64_t, p[2]) << 8) | (cython.cast(uint64_t, p[3]) << 16)
        return cython.cast(int64_t, u << 40) >> 40
    u = lp_u32(p + 1)
    if b == 0xF3:
        return cython.cast(int64_t, u << 32) >> 32
    return cython.cast(int64_t, u | (cython.cast(uint64_t, lp_u32(p + 5)) << 32))


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def string_head(b: cython.uchar) -> cython.int:
    """Bytes before the data of a string entry, 0 if the entry is an integer."""
    if b < 0x80:
        return 0
    if b < 0xC0:
        return 1
    if b < 0xE0:
        return 0
    if b < 0xF0:
        return 2
    return 5 if b == 0xF0 else 0


# --- the buffer -------------------------------------------------------------------------------------------------------


def lp_new():
    lp: pack = cython.cast(pack, allocate(roomy(EMPTY)))
    put_u32(lp, cython.cast(uint32_t, EMPTY))
    lp[4] = 0
    lp[5] = 0
    lp[HEADER] = 0xFF
    return lp


def lp_free(lp):
    if lp != cython.NULL:
        release(lp, roomy(lp_bytes(lp)))


def lp_copy(lp):
    total: cython.size_t = lp_bytes(lp)
    copy: pack = cython.cast(pack, allocate(roomy(total)))
    memcpy(copy, lp, total)
    return copy


def lp_load(data, n):
    lp_check(cython.cast(pack, data), n)
    copy: pack = cython.cast(pack, allocate(roomy(n)))
    memcpy(copy, data, n)
    return copy


def lp_memory(lp):
    return block_size(roomy(lp_bytes(lp)))


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def count_field(lp: pack) -> cython.size_t:
    return lp[4] | (lp[5] << 8)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def add_to_count(lp: pack, change: cython.Py_ssize_t) -> cython.void:
    """Keeps the count field; a count that does not fit stays unknown until lp_length has counted."""
    n: cython.size_t = count_field(lp)
    if n == UNKNOWN:
        return
    n += change
    if n > UNKNOWN:
        n = UNKNOWN
    lp[4] = n & 255
    lp[5] = n >> 8


def splice(lp, offset, old, new):
    """Makes the `old` bytes at `offset` room for `new` ones; what follows moves."""
    total: cython.size_t = lp_bytes(lp)
    after: cython.size_t = total - old + new
    rest: cython.size_t = total - offset - old
    before_room: cython.size_t = roomy(total)
    after_room: cython.size_t = roomy(after)
    if after > LARGEST:
        raise MemoryError("a listpack holds at most 4 GiB")
    if after_room > before_room:
        lp = cython.cast(pack, resize(lp, before_room, after_room))
    if new != old:
        memmove(lp + offset + new, lp + offset + old, rest)
        put_u32(lp, cython.cast(uint32_t, after))
    if after_room < before_room:
        lp = cython.cast(pack, resize(lp, before_room, after_room))
    return lp


# --- reading ----------------------------------------------------------------------------------------------------------


def lp_length(lp):
    n: cython.size_t = count_field(lp)
    p: pack
    if n != UNKNOWN:
        return n
    n = 0
    p = lp + HEADER
    while p[0] != 0xFF:
        p = lp_skip(p)
        n += 1
    if n < UNKNOWN:
        lp[4] = n & 255
        lp[5] = n >> 8
    return n


def lp_last(lp):
    return lp_previous(lp, lp + lp_bytes(lp) - 1)


def lp_previous(lp, p):
    body: cython.size_t = 0
    shift: cython.int = 0
    q: pack
    if p == lp + HEADER:
        return cython.NULL
    q = p - 1
    while True:
        body |= cython.cast(cython.size_t, q[0] & 127) << shift
        if not q[0] & 128:
            break
        shift += 7
        q -= 1
    return p - body - lp_backlen_size(body)


def lp_seek(lp, index):
    n: cython.size_t = count_field(lp)
    forward: cython.bint = index >= 0
    p: pack
    if n != UNKNOWN:
        if index < 0:
            index += n
        if index < 0 or cython.cast(cython.size_t, index) >= n:
            return cython.NULL
        forward = cython.cast(cython.size_t, index) <= n // 2
        if not forward:
            index -= n
    if forward:
        p = lp_first(lp)
        while index > 0 and p != cython.NULL:
            p = lp_next(lp, p)
            index -= 1
        return p
    p = lp_last(lp)
    while index < -1 and p != cython.NULL:
        p = lp_previous(lp, p)
        index += 1
    return p


def lp_get(p, item):
    head: cython.int = string_head(p[0])
    if head:
        item.data = cython.cast(cython.p_const_char, p + head)
        item.length = lp_body(p) - head
        item.is_integer = False
    else:
        item.number = read_integer(p)
        item.is_integer = True
        item.length = integer_to_text(item.number, item.digits)
        item.data = item.digits


def lp_value(p):
    item: Item
    lp_get(p, cython.address(item))
    return PyBytes_FromStringAndSize(item.data, item.length)


def lp_equals(p, data, n):
    head: cython.int = string_head(p[0])
    v: int64_t = 0
    if head:
        return lp_body(p) - head == n and memcmp(p + head, data, n) == 0
    return n <= 20 and text_to_integer(data, n, cython.address(v)) and v == read_integer(p)


def lp_find(lp, p, data, n, skip):
    v: int64_t = 0
    numeric: cython.bint
    head: cython.int
    body: cython.size_t
    i: cython.int
    if p == cython.NULL:
        return cython.NULL
    numeric = n <= 20 and text_to_integer(data, n, cython.address(v))
    while p[0] != 0xFF:
        body = lp_body(p)
        head = string_head(p[0])
        if head:
            if body - head == n and memcmp(p + head, data, n) == 0:
                return p
        elif numeric and read_integer(p) == v:
            return p
        p += body + lp_backlen_size(body)
        for i in range(skip):
            if p[0] == 0xFF:
                return cython.NULL
            p = lp_skip(p)
    return cython.NULL


# --- changing ---------------------------------------------------------------------------------------------------------


def insert_entry(lp, offset, e):
    lp = splice(lp, offset, 0, e.size)
    lp_write(lp + offset, e)
    add_to_count(lp, 1)
    return lp


def lp_append(lp, data, n):
    e: EncodedEntry
    lp_encode(data, n, cython.address(e))
    return insert_entry(lp, lp_bytes(lp) - 1, cython.address(e))


def lp_prepend(lp, data, n):
    e: EncodedEntry
    lp_encode(data, n, cython.address(e))
    return insert_entry(lp, HEADER, cython.address(e))


def lp_append_integer(lp, number):
    e: EncodedEntry
    encode_integer(number, cython.address(e))
    return insert_entry(lp, lp_bytes(lp) - 1, cython.address(e))


def lp_insert(lp, p, data, n, at):
    e: EncodedEntry
    offset: cython.size_t = lp_bytes(lp) - 1 if p == cython.NULL else p - lp
    lp_encode(data, n, cython.address(e))
    lp = insert_entry(lp, offset, cython.address(e))
    if at != cython.NULL:
        at[0] = lp + offset
    return lp


def replace_entry(lp, p, e):
    offset: cython.size_t = p[0] - lp
    lp = splice(lp, offset, lp_skip(p[0]) - p[0], e.size)
    lp_write(lp + offset, e)
    p[0] = lp + offset
    return lp


def lp_replace(lp, p, data, n):
    e: EncodedEntry
    lp_encode(data, n, cython.address(e))
    return replace_entry(lp, p, cython.address(e))


def lp_replace_integer(lp, p, number):
    e: EncodedEntry
    encode_integer(number, cython.address(e))
    return replace_entry(lp, p, cython.address(e))


def lp_append_pair(lp, a, n, b, m):
    first: EncodedEntry
    second: EncodedEntry
    offset: cython.size_t = lp_bytes(lp) - 1
    lp_encode(a, n, cython.address(first))
    lp_encode(b, m, cython.address(second))
    lp = splice(lp, offset, 0, first.size + second.size)
    lp_write(lp + offset, cython.address(first))
    lp_write(lp + offset + first.size, cython.address(second))
    add_to_count(lp, 2)
    return lp


def lp_insert_triple(lp, offset, a, n, b, m, number):
    first: EncodedEntry
    second: EncodedEntry
    third: EncodedEntry
    lp_encode(a, n, cython.address(first))
    lp_encode(b, m, cython.address(second))
    encode_integer(number, cython.address(third))
    lp = splice(lp, offset, 0, first.size + second.size + third.size)
    lp_write(lp + offset, cython.address(first))
    lp_write(lp + offset + first.size, cython.address(second))
    lp_write(lp + offset + first.size + second.size, cython.address(third))
    add_to_count(lp, 3)
    return lp


def lp_delete(lp, p):
    return lp_cut(lp, p, 1)


def lp_cut(lp, p, count):
    offset: cython.size_t = p[0] - lp
    last: pack = p[0]
    n: cython.size_t = 0
    while n < count and last[0] != 0xFF:
        last = lp_skip(last)
        n += 1
    lp = splice(lp, offset, last - p[0], 0)
    add_to_count(lp, -cython.cast(cython.Py_ssize_t, n))
    p[0] = cython.NULL if lp[offset] == 0xFF else lp + offset
    return lp


def lp_delete_range(lp, index, count):
    p: pack = lp_seek(lp, index)
    return lp if p == cython.NULL else lp_cut(lp, cython.address(p), count)


def lp_entry_size(data, n):
    e: EncodedEntry
    lp_encode(data, n, cython.address(e))
    return e.size


# --- foreign bytes ----------------------------------------------------------------------------------------------------


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def head_bytes(b: cython.uchar) -> cython.size_t:
    """Bytes that must be there before lp_body may be asked; 0: no such encoding."""
    if b < 0xC0:
        return 1
    if b < 0xF0:
        return 2
    if b == 0xF0:
        return 5
    return 1 if b <= 0xF4 else 0


def lp_check(lp, size):
    offset: cython.size_t = HEADER
    n: cython.size_t = 0
    body: cython.size_t
    back: cython.size_t
    head: cython.size_t
    room: cython.size_t
    stored: cython.size_t
    i: cython.size_t
    if size < EMPTY or lp_bytes(lp) != size or lp[size - 1] != 0xFF:
        raise ValueError("no listpack: wrong size or no end mark")
    while lp[offset] != 0xFF:
        room = size - 1 - offset                    # bytes up to the end mark
        head = head_bytes(lp[offset])
        if head == 0 or head > room:
            raise ValueError(f"no listpack: bad encoding at byte {offset}")
        body = lp_body(lp + offset)
        back = lp_backlen_size(body)
        if body + back > room:
            raise ValueError(f"no listpack: the entry at byte {offset} does not end")
        offset += body
        stored = lp[offset] & 127
        if lp[offset] & 128:
            raise ValueError(f"no listpack: bad length before byte {offset}")
        for i in range(1, back):
            if not lp[offset + i] & 128:
                raise ValueError(f"no listpack: bad length before byte {offset}")
            stored = (stored << 7) | (lp[offset + i] & 127)
        if stored != body:
            raise ValueError(f"no listpack: bad length before byte {offset}")
        offset += back
        n += 1
    if offset != size - 1:
        raise ValueError("no listpack: it ends before its size")
    if count_field(lp) != UNKNOWN and count_field(lp) != n:
        raise ValueError("no listpack: wrong count")
    return 0


# --- as a Python object -----------------------------------------------------------------------------------------------


@cython.final
@cython.cclass
class Listpack:
    """A listpack of bytes, for tests and tools. `Listpack(data)` takes the bytes of one; ValueError if they are none."""

    def __cinit__(self, data: bytes = None):
        if data is None:
            self.lp = lp_new()
        else:
            self.lp = lp_load(PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))

    def __dealloc__(self):
        lp_free(self.lp)

    def __len__(self):
        return lp_length(self.lp)

    def __bytes__(self):
        return PyBytes_FromStringAndSize(cython.cast(cython.p_char, self.lp), lp_bytes(self.lp))

    def __iter__(self):
        values = []
        p: pack = lp_first(self.lp)
        while p != cython.NULL:
            values.append(lp_value(p))
            p = lp_next(self.lp, p)
        return iter(values)

    def backwards(self) -> list:
        values = []
        p: pack = lp_last(self.lp)
        while p != cython.NULL:
            values.append(lp_value(p))
            p = lp_previous(self.lp, p)
        return values

    def __getitem__(self, index: cython.Py_ssize_t):
        return lp_value(self._at(index))

    def __setitem__(self, index: cython.Py_ssize_t, value: bytes):
        p: pack = self._at(index)
        self.lp = lp_replace(self.lp, cython.address(p), PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
        assert lp_equals(p, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))

    def __delitem__(self, index: cython.Py_ssize_t):
        p: pack = self._at(index)
        self.lp = lp_delete(self.lp, cython.address(p))

    def _at(self, index):
        p: pack = lp_seek(self.lp, index)
        if p == cython.NULL:
            raise IndexError(index)
        return p

    def append(self, value: bytes):
        self.lp = lp_append(self.lp, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))

    def append_integer(self, number: int64_t):
        self.lp = lp_append_integer(self.lp, number)

    def append_pair(self, first: bytes, second: bytes):
        self.lp = lp_append_pair(self.lp, PyBytes_AS_STRING(first), PyBytes_GET_SIZE(first),
                                 PyBytes_AS_STRING(second), PyBytes_GET_SIZE(second))

    def prepend(self, value: bytes):
        self.lp = lp_prepend(self.lp, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))

    def insert(self, index: cython.Py_ssize_t, value: bytes):
        """Like list.insert."""
        at: pack = cython.NULL
        p: pack = lp_seek(self.lp, index)
        self.lp = lp_insert(self.lp, p, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value), cython.address(at))
        assert lp_equals(at, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))

    def replace_integer(self, index: cython.Py_ssize_t, number: int64_t):
        p: pack = self._at(index)
        self.lp = lp_replace_integer(self.lp, cython.address(p), number)

    def delete_range(self, index: cython.Py_ssize_t, count: cython.size_t):
        self.lp = lp_delete_range(self.lp, index, count)

    def find(self, value: bytes, start: cython.Py_ssize_t = 0, skip: cython.int = 0) -> int:
        """The index of the value, looking at start, start + 1 + skip, ...; -1 if it is not there."""
        p: pack = lp_seek(self.lp, start)
        q: pack
        index: cython.Py_ssize_t = 0
        p = lp_find(self.lp, p, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value), skip)
        if p == cython.NULL:
            return -1
        q = self.lp + HEADER
        while q != p:
            q = lp_skip(q)
            index += 1
        return index

    def memory(self) -> int:
        return lp_memory(self.lp)

    def _check(self):
        lp_check(self.lp, lp_bytes(self.lp))
        assert list(self) == self.backwards()[::-1]
