# cython: language_level=3
"""What older versions of the RDB format hold: ziplists, zipmaps, and strings compressed by LZF.

https://rdb.fnordig.de/file_format.html describes them. Every function takes the bytes of a whole and raises ValueError
where they are not well formed.
"""
import cython
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.libc.string import memcpy

UNKNOWN = cython.declare(cython.Py_ssize_t, 65535)      # the count of a ziplist with more elements than it can tell


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def little(p: cython.p_uchar, size: cython.int) -> uint64_t:
    number: uint64_t = 0
    i: cython.int
    for i in range(size):
        number |= cython.cast(uint64_t, p[i]) << (8 * i)
    return number


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def signed(p: cython.p_uchar, size: cython.int) -> int64_t:
    shift: cython.int = 64 - 8 * size
    return cython.cast(int64_t, little(p, size) << shift) >> shift


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def integer_bytes(encoding: cython.uchar) -> cython.int:
    """Bytes of an integer behind this encoding; 0: it is in the encoding itself, -1: no such encoding."""
    if encoding == 0xC0:
        return 2
    if encoding == 0xD0:
        return 4
    if encoding == 0xE0:
        return 8
    if encoding == 0xF0:
        return 3
    if encoding == 0xFE:
        return 1
    return 0 if 0xF1 <= encoding <= 0xFD else -1


def ziplist_elements(data: bytes) -> list:
    """The elements of a ziplist:

        total bytes (4) | offset of the last entry (4) | entries (2) | entries ... | 0xFF
        entry: bytes of the entry before (1, or 0xFE and 4) | encoding and length | data
    """
    p: cython.p_uchar = cython.cast(cython.p_uchar, PyBytes_AS_STRING(data))
    size: cython.Py_ssize_t = PyBytes_GET_SIZE(data)
    end: cython.Py_ssize_t = size - 1               # of the entries
    at: cython.Py_ssize_t = 10
    start: cython.Py_ssize_t
    last: cython.Py_ssize_t = 10
    before: cython.Py_ssize_t = 0
    length: cython.Py_ssize_t
    count: cython.Py_ssize_t
    width: cython.int
    kind: cython.uchar
    found: list = []
    if size < 11 or little(p, 4) != cython.cast(uint64_t, size) or p[end] != 0xFF:
        raise ValueError("no ziplist: wrong size or no end mark")
    while at < end:
        start = at
        if p[at] < 0xFE:
            length = p[at]
            at += 1
        elif p[at] == 0xFE and end - at > 5:
            length = little(p + at + 1, 4)
            at += 5
        else:
            raise ValueError(f"no ziplist: bad entry at byte {start}")
        if length != before or at >= end:
            raise ValueError(f"no ziplist: bad length before byte {start}")
        kind = p[at]
        if kind >= 0xC0:
            width = integer_bytes(kind)
            if width < 0 or width >= end - at:
                raise ValueError(f"no ziplist: bad encoding at byte {at}")
            found.append(b"%d" % (signed(p + at + 1, width) if width else (kind & 15) - 1))
            at += 1 + width
        else:
            if kind < 0x40:
                length = kind
                at += 1
            elif kind < 0x80 and end - at >= 2:
                length = (kind & 0x3F) << 8 | p[at + 1]
                at += 2
            elif kind == 0x80 and end - at >= 5:
                length = cython.cast(uint64_t, p[at + 1]) << 24 | p[at + 2] << 16 | p[at + 3] << 8 | p[at + 4]
                at += 5
            else:
                raise ValueError(f"no ziplist: bad encoding at byte {at}")
            if length > end - at:
                raise ValueError(f"no ziplist: the entry at byte {start} does not end")
            found.append(PyBytes_FromStringAndSize(cython.cast(cython.p_char, p + at), length))
            at += length
        last = start
        before = at - start
    count = little(p + 8, 2)
    if little(p + 4, 4) != cython.cast(uint64_t, last) or (count != UNKNOWN and count != len(found)):
        raise ValueError("no ziplist: wrong count, or a wrong last entry")
    return found


def zipmap_elements(data: bytes) -> list:
    """The elements of a zipmap, `field, value, field, value, ...`:

        pairs (1; 254 and more: unknown) | entries ... | 0xFF
        entry: length (1, or 0xFE and 4) | field | length | unused bytes (1) | value | the unused bytes
    """
    p: cython.p_uchar = cython.cast(cython.p_uchar, PyBytes_AS_STRING(data))
    end: cython.Py_ssize_t = PyBytes_GET_SIZE(data) - 1
    at: cython.Py_ssize_t = 1
    length: cython.Py_ssize_t
    unused: cython.Py_ssize_t
    found: list = []
    if end < 1 or p[end] != 0xFF:
        raise ValueError("no zipmap: wrong size or no end mark")
    while at < end:
        if p[at] < 0xFE:
            length = p[at]
            at += 1
        elif p[at] == 0xFE and end - at >= 5:
            length = little(p + at + 1, 4)
            at += 5
        else:
            raise ValueError(f"no zipmap: bad length at byte {at}")
        unused = 0
        if len(found) & 1:
            if at >= end:
                raise ValueError("no zipmap: a value is missing")
            unused = p[at]
            at += 1
        if length + unused > end - at:
            raise ValueError("no zipmap: an entry does not end")
        found.append(PyBytes_FromStringAndSize(cython.cast(cython.p_char, p + at), length))
        at += length + unused
    if len(found) & 1 or (p[0] < 254 and 2 * p[0] != len(found)):
        raise ValueError("no zipmap: wrong count")
    return found


@cython.cfunc
@cython.exceptval(-2, check=False)
def expand(p: cython.p_uchar, n: cython.Py_ssize_t, out: cython.p_uchar, limit: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """How many bytes come out, written to `out` unless it is NULL; -1 if they are damaged or more than `limit`."""
    at: cython.Py_ssize_t = 0
    size: cython.Py_ssize_t = 0
    length: cython.Py_ssize_t
    back: cython.Py_ssize_t
    i: cython.Py_ssize_t
    control: cython.int
    while at < n:
        control = p[at]
        at += 1
        if control < 32:                            # literal bytes
            length = control + 1
            if length > n - at or length > limit - size:
                return -1
            if out != cython.NULL:
                memcpy(out + size, p + at, length)
            at += length
        else:                                       # bytes that came before: length, then how far back
            length = control >> 5
            if length == 7:
                if at >= n:
                    return -1
                length += p[at]
                at += 1
            length += 2
            if at >= n:
                return -1
            back = ((control & 31) << 8 | p[at]) + 1
            at += 1
            if back > size or length > limit - size:
                return -1
            if out != cython.NULL:
                for i in range(length):             # one by one: they may overlap
                    out[size + i] = out[size + i - back]
        size += length
    return size


def decompress(data: bytes, size: cython.Py_ssize_t) -> bytes:
    """The `size` bytes that LZF (lzf.py) made `data` of. Nothing is allocated before it is known that so many come out."""
    p: cython.p_uchar = cython.cast(cython.p_uchar, PyBytes_AS_STRING(data))
    result: bytes
    if size < 0 or expand(p, PyBytes_GET_SIZE(data), cython.NULL, size) != size:
        raise ValueError("the compressed string is damaged")
    result = PyBytes_FromStringAndSize(cython.NULL, size)
    expand(p, PyBytes_GET_SIZE(data), cython.cast(cython.p_uchar, PyBytes_AS_STRING(result)), size)
    return result
