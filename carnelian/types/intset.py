# cython: language_level=3
"""Intset: a small set of integers as a sorted array of 2, 4 or 8 bytes each, byte for byte in Redis's format.

The width grows with the first integer that needs it and never shrinks.
"""
import cython
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import int16_t, int32_t, int64_t, uint32_t, uint64_t
from cython.cimports.libc.string import memcpy, memmove

from cython.cimports.carnelian.base.memory import allocate, block_size, release, resize, roomy

HEADER = cython.declare(cython.size_t, 8)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def width_of(number: int64_t) -> uint32_t:
    if -32768 <= number <= 32767:
        return 2
    if -2147483648 <= number <= 2147483647:
        return 4
    return 8


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def read(s: intset, width: uint32_t, index: cython.size_t) -> int64_t:
    p: cython.p_uchar = s + 8 + index * width
    u: uint64_t
    if width == 2:
        return cython.cast(int16_t, p[0] | (p[1] << 8))
    u = p[0] | (cython.cast(uint64_t, p[1]) << 8) | (cython.cast(uint64_t, p[2]) << 16) | (cython.cast(uint64_t, p[3]) << 24)
    if width == 4:
        return cython.cast(int32_t, u)
    u |= (cython.cast(uint64_t, p[4]) << 32) | (cython.cast(uint64_t, p[5]) << 40) | (cython.cast(uint64_t, p[6]) << 48)
    u |= cython.cast(uint64_t, p[7]) << 56
    return cython.cast(int64_t, u)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def write(s: intset, width: uint32_t, index: cython.size_t, number: int64_t) -> cython.void:
    p: cython.p_uchar = s + 8 + index * width
    u: uint64_t = cython.cast(uint64_t, number)
    i: uint32_t
    for i in range(width):
        p[i] = (u >> (8 * i)) & 255


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def write_header(s: intset, width: uint32_t, length: cython.size_t) -> cython.void:
    s[0] = width
    s[1] = s[2] = s[3] = 0
    s[4] = length & 255
    s[5] = (length >> 8) & 255
    s[6] = (length >> 16) & 255
    s[7] = (length >> 24) & 255


def ints_new():
    s: intset = cython.cast(intset, allocate(roomy(HEADER)))
    write_header(s, 2, 0)
    return s


def ints_free(s):
    if s != cython.NULL:
        release(s, roomy(ints_bytes(s)))


def ints_copy(s):
    size: cython.size_t = ints_bytes(s)
    copy: intset = cython.cast(intset, allocate(roomy(size)))
    memcpy(copy, s, size)
    return copy


def ints_load(data, n):
    ints_check(cython.cast(cython.p_uchar, data), n)
    copy: intset = cython.cast(intset, allocate(roomy(n)))
    memcpy(copy, data, n)
    return copy


def ints_memory(s):
    return block_size(roomy(ints_bytes(s)))


def ints_get(s, index):
    return read(s, ints_width(s), index)


def ints_find(s, number, index):
    width: uint32_t = ints_width(s)
    low: cython.size_t = 0
    high: cython.size_t = ints_length(s)
    middle: cython.size_t
    value: int64_t
    if high and number > read(s, width, high - 1):      # numbers often come in ascending order
        index[0] = high
        return False
    while low < high:
        middle = (low + high) >> 1
        value = read(s, width, middle)
        if value == number:
            index[0] = middle
            return True
        if value < number:
            low = middle + 1
        else:
            high = middle
    index[0] = low
    return False


def ints_resize(s, width, old, new):
    """Room for `new` integers of that width where `old` have been; the header is left as it was."""
    before: cython.size_t = roomy(ints_bytes(s))
    after: cython.size_t = roomy(HEADER + new * width)
    if before != after:
        s = cython.cast(intset, resize(s, before, after))
    return s


def ints_add(s, number, added):
    n: cython.size_t = ints_length(s)
    old: uint32_t = ints_width(s)
    width: uint32_t = width_of(number)
    index: cython.size_t = 0
    i: cython.size_t
    shift: cython.size_t
    added[0] = False
    if width > old:                     # wider than all that is there: it goes to one of the ends
        s = ints_resize(s, width, n, n + 1)
        shift = 1 if number < 0 else 0
        i = n
        while i > 0:
            i -= 1
            write(s, width, i + shift, read(s, old, i))
        write(s, width, 0 if number < 0 else n, number)
    else:
        if ints_find(s, number, cython.address(index)):
            return s
        width = old
        s = ints_resize(s, width, n, n + 1)
        memmove(s + HEADER + (index + 1) * width, s + HEADER + index * width, (n - index) * width)
        write(s, width, index, number)
    write_header(s, width, n + 1)
    added[0] = True
    return s


def ints_remove_at(s, index):
    n: cython.size_t = ints_length(s)
    width: uint32_t = ints_width(s)
    memmove(s + HEADER + index * width, s + HEADER + (index + 1) * width, (n - index - 1) * width)
    s = ints_resize(s, width, n, n - 1)
    write_header(s, width, n - 1)
    return s


def ints_remove(s, number, removed):
    index: cython.size_t = 0
    removed[0] = ints_find(s, number, cython.address(index))
    return ints_remove_at(s, index) if removed[0] else s


def ints_check(s, size):
    i: cython.size_t
    if size < HEADER or (s[0] != 2 and s[0] != 4 and s[0] != 8) or s[1] or s[2] or s[3]:
        raise ValueError("no intset: bad header")
    if ints_bytes(cython.cast(intset, s)) != size:
        raise ValueError("no intset: wrong size")
    for i in range(1, ints_length(cython.cast(intset, s))):
        if ints_get(cython.cast(intset, s), i - 1) >= ints_get(cython.cast(intset, s), i):
            raise ValueError("no intset: not ascending")
    return 0


@cython.final
@cython.cclass
class Intset:
    """An intset, for tests and tools. `Intset(data)` takes the bytes of one; ValueError if they are none."""

    def __cinit__(self, data: bytes = None):
        if data is None:
            self.s = ints_new()
        else:
            self.s = ints_load(PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))

    def __dealloc__(self):
        ints_free(self.s)

    def __len__(self):
        return ints_length(self.s)

    def __bytes__(self):
        return PyBytes_FromStringAndSize(cython.cast(cython.p_char, self.s), ints_bytes(self.s))

    def __iter__(self):
        return iter([ints_get(self.s, i) for i in range(ints_length(self.s))])

    def __contains__(self, number: int64_t):
        index: cython.size_t = 0
        return ints_find(self.s, number, cython.address(index))

    def add(self, number: int64_t) -> bool:
        added: cython.bint = False
        self.s = ints_add(self.s, number, cython.address(added))
        return added

    def remove(self, number: int64_t) -> bool:
        removed: cython.bint = False
        self.s = ints_remove(self.s, number, cython.address(removed))
        return removed

    def memory(self) -> int:
        return ints_memory(self.s)

    def _check(self):
        ints_check(self.s, ints_bytes(self.s))
