# cython: language_level=3, cdivision=True
"""Strings as arrays of bits: counting, searching, combining, and integers of any width at any bit.

Bit 0 is the most significant bit of byte 0, as in https://redis.io/docs/latest/develop/data-types/bitmaps/
"""
import cython
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cython.cimports.libc.string import memcpy, memset


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def ones(word: uint64_t) -> cython.int:
    """Set bits of a word: by sums of neighbouring fields of 1, 2, 4 bits, and of the bytes by one multiplication."""
    every_byte: uint64_t = 0xFFFFFFFF
    every_byte = (every_byte << 32 | every_byte) // 0xFF                # 0x0101...01
    word -= word >> 1 & every_byte * 0x55
    word = (word & every_byte * 0x33) + (word >> 2 & every_byte * 0x33)
    word = word + (word >> 4) & every_byte * 0x0F
    return word * every_byte >> 56


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def word_at(p: cython.pointer(cython.const[uint8_t])) -> uint64_t:
    word: uint64_t
    memcpy(cython.address(word), p, 8)
    return word


def count_bits(p, first, last):
    i: int64_t = first >> 3
    stop: int64_t = last >> 3                           # the byte of the last bit
    head: cython.int = 0xFF >> (first & 7)
    tail: cython.int = 0xFF << (7 - (last & 7)) & 0xFF
    count: int64_t
    if i == stop:
        return ones(p[i] & head & tail)
    count = ones(p[i] & head) + ones(p[stop] & tail)
    i += 1
    while stop - i >= 8:
        count += ones(word_at(p + i))
        i += 8
    while i < stop:
        count += ones(p[i])
        i += 1
    return count


def find_bit(p, value, first, last):
    i: int64_t = first >> 3
    stop: int64_t = last >> 3
    flip: cython.uint = 0 if value else 0xFF            # after it, the bit that is sought is a 1
    none: uint64_t = 0
    byte: cython.uint = (p[i] ^ flip) & (0xFF >> (first & 7))
    position: int64_t
    if not value:
        none = ~none
    if byte == 0:
        i += 1
        while i + 8 <= stop and word_at(p + i) == none:
            i += 8
        while i <= stop:
            byte = p[i] ^ flip
            if byte:
                break
            i += 1
        else:
            return -1
    position = i * 8
    while not byte & 0x80:
        byte <<= 1
        position += 1
    return position if position <= last else -1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def merge(operation: Operation, out: cython.pointer(uint8_t), p: cython.pointer(cython.const[uint8_t]),
          n: cython.Py_ssize_t) -> cython.void:
    """out = out operation p, over n bytes."""
    i: cython.Py_ssize_t = 0
    word: uint64_t
    while i + 8 <= n:
        word = word_at(out + i)
        if operation == Operation.AND:
            word &= word_at(p + i)
        elif operation == Operation.OR:
            word |= word_at(p + i)
        else:
            word ^= word_at(p + i)
        memcpy(out + i, cython.address(word), 8)
        i += 8
    while i < n:
        if operation == Operation.AND:
            out[i] &= p[i]
        elif operation == Operation.OR:
            out[i] |= p[i]
        else:
            out[i] ^= p[i]
        i += 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def merge_first(operation: Operation, out: cython.pointer(uint8_t), p: cython.pointer(cython.const[uint8_t]),
                n: cython.Py_ssize_t) -> cython.void:
    """DIFF, DIFF1 and ANDOR over n bytes: `out` has the OR of the other sources, p the first one."""
    i: cython.Py_ssize_t = 0
    word: uint64_t
    while i + 8 <= n:
        word = word_at(out + i)
        if operation == Operation.DIFF:
            word = word_at(p + i) & ~word
        elif operation == Operation.DIFF1:
            word &= ~word_at(p + i)
        else:
            word &= word_at(p + i)
        memcpy(out + i, cython.address(word), 8)
        i += 8
    while i < n:
        if operation == Operation.DIFF:
            out[i] = p[i] & ~out[i]
        elif operation == Operation.DIFF1:
            out[i] &= ~p[i]
        else:
            out[i] &= p[i]
        i += 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def merge_once(out: cython.pointer(uint8_t), twice: cython.pointer(uint8_t), p: cython.pointer(cython.const[uint8_t]),
               n: cython.Py_ssize_t) -> cython.void:
    """A further source of ONE: `out` has the bits that were in one source so far, `twice` those that were in several."""
    i: cython.Py_ssize_t = 0
    word: uint64_t
    several: uint64_t
    while i + 8 <= n:
        word = word_at(p + i)
        several = word_at(twice + i) | (word_at(out + i) & word)
        word = (word_at(out + i) ^ word) & ~several
        memcpy(twice + i, cython.address(several), 8)
        memcpy(out + i, cython.address(word), 8)
        i += 8
    while i < n:
        twice[i] |= out[i] & p[i]
        out[i] = (out[i] ^ p[i]) & ~twice[i]
        i += 1


@cython.cfunc
def union(sources: list, size: cython.Py_ssize_t) -> bytes:
    result: bytes = PyBytes_FromStringAndSize(cython.NULL, size)
    out: cython.pointer(uint8_t) = cython.cast(cython.pointer(uint8_t), PyBytes_AS_STRING(result))
    source: bytes
    memset(out, 0, size)
    for source in sources:
        merge(Operation.OR, out, cython.cast(cython.pointer(uint8_t), PyBytes_AS_STRING(source)), PyBytes_GET_SIZE(source))
    return result


@cython.cfunc
def combine_first(operation: Operation, sources: list, size: cython.Py_ssize_t) -> bytes:
    """DIFF, DIFF1 and ANDOR: the first source against the union of the others."""
    result: bytes = union(sources[1:], size)
    out: cython.pointer(uint8_t) = cython.cast(cython.pointer(uint8_t), PyBytes_AS_STRING(result))
    first: bytes = sources[0]
    n: cython.Py_ssize_t = PyBytes_GET_SIZE(first)
    merge_first(operation, out, cython.cast(cython.pointer(uint8_t), PyBytes_AS_STRING(first)), n)
    if operation != Operation.DIFF1:
        memset(out + n, 0, size - n)
    return result


@cython.cfunc
def combine_one(sources: list, size: cython.Py_ssize_t) -> bytes:
    result: bytes = union([], size)
    several: bytes = union([], size)
    source: bytes
    for source in sources:
        merge_once(cython.cast(cython.pointer(uint8_t), PyBytes_AS_STRING(result)),
                   cython.cast(cython.pointer(uint8_t), PyBytes_AS_STRING(several)),
                   cython.cast(cython.pointer(uint8_t), PyBytes_AS_STRING(source)), PyBytes_GET_SIZE(source))
    return result


def combine(operation, sources):
    size: cython.Py_ssize_t = 0
    n: cython.Py_ssize_t
    i: cython.Py_ssize_t
    source: bytes
    for source in sources:
        size = max(size, PyBytes_GET_SIZE(source))
    if operation == Operation.ONE:
        return combine_one(sources, size)
    if operation > Operation.NOT:
        return combine_first(operation, sources, size)
    result: bytes = PyBytes_FromStringAndSize(cython.NULL, size)
    out: cython.pointer(uint8_t) = cython.cast(cython.pointer(uint8_t), PyBytes_AS_STRING(result))
    source = sources[0]
    n = PyBytes_GET_SIZE(source)
    memcpy(out, PyBytes_AS_STRING(source), n)
    memset(out + n, 0, size - n)
    if operation == Operation.NOT:
        for i in range(size):
            out[i] = ~out[i]
        return result
    for source in sources[1:]:
        n = PyBytes_GET_SIZE(source)
        merge(operation, out, cython.cast(cython.pointer(uint8_t), PyBytes_AS_STRING(source)), n)
        if operation == Operation.AND:
            memset(out + n, 0, size - n)
    return result


def read_field(p, n, offset, width):
    byte: uint64_t = offset >> 3
    skipped: cython.int = offset & 7
    missing: cython.int = width - (8 - skipped)         # bits that are not in the first byte
    number: uint64_t = p[byte] & 0xFF >> skipped if byte < n else 0
    while missing >= 8:
        byte += 1
        number = number << 8 | (p[byte] if byte < n else 0)
        missing -= 8
    if missing > 0:
        byte += 1
        return number << missing | ((p[byte] if byte < n else 0) >> (8 - missing))
    return number >> -missing


def write_field(p, offset, width, number):
    at: uint64_t = offset + width
    bits: cython.int
    shift: cython.int
    mask: cython.int
    while width > 0:                                    # from the last byte on
        shift = (8 - (at & 7)) & 7                      # bits of this byte that lie behind the field
        bits = min(8 - shift, width)
        mask = ((1 << bits) - 1) << shift
        p[(at - 1) >> 3] = (p[(at - 1) >> 3] & ~mask) | (cython.cast(cython.int, number << shift & 0xFF) & mask)
        number >>= bits
        at -= bits
        width -= bits
