# cython: language_level=3, cdivision=True
"""LZF compression, as strings of an RDB file may have it. `types.serial_old.decompress` is the way back.

The format, of Marc Lehmann's LibLZF: a control byte under 32 is followed by that many bytes and one more, as they are. Any
other begins a copy from what is already there: its upper three bits are the length less 2 (7: a byte follows that is added),
its lower five and the next byte say how far back, less 1.
"""
import cython
from cython.cimports.carnelian.base.memory import allocate, release
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import uint32_t
from cython.cimports.libc.string import memset

places = cython.declare(uint32_t[8192])                 # of three bytes, by their hash: offset + 1; 0: none
SHORT = cython.declare(cython.size_t, 512)              # bytes: below it 256 of the places are used, as clearing them all
                                                        # would take longer than the rest
FARTHEST = cython.declare(cython.size_t, 8192)          # bytes back
LONGEST_COPY = cython.declare(cython.size_t, 264)
LONGEST_LITERAL = cython.declare(cython.size_t, 32)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def slot_of(p: cython.pointer(cython.const[cython.uchar]), shift: cython.int) -> uint32_t:
    three: uint32_t = cython.cast(uint32_t, p[0]) << 16 | cython.cast(uint32_t, p[1]) << 8 | p[2]
    return (three * cython.cast(uint32_t, 2654435761)) >> shift


def compress(data, n, out, most):
    at: cython.size_t = 0
    literal: cython.size_t = 0          # where the run of bytes that are copied as they are began
    size: cython.size_t = 0
    length: cython.size_t
    longest: cython.size_t
    back: cython.size_t
    i: cython.size_t
    slot: uint32_t
    found: uint32_t
    shift: cython.int = 24 if n < SHORT else 19
    memset(places, 0, cython.sizeof(uint32_t) << (32 - shift))
    while at + 2 < n:
        slot = slot_of(data + at, shift)
        found = places[slot]
        places[slot] = cython.cast(uint32_t, at + 1)
        back = at + 1 - found
        if found == 0 or back > FARTHEST or data[found - 1] != data[at] or data[found] != data[at + 1] \
                or data[found + 1] != data[at + 2]:
            at += 1
            continue
        longest = n - at if n - at < LONGEST_COPY else LONGEST_COPY
        length = 3
        while length < longest and data[found - 1 + length] == data[at + length]:
            length += 1
        # What comes before it, as it is.
        while literal < at:
            i = at - literal if at - literal < LONGEST_LITERAL else LONGEST_LITERAL
            if size + i + 1 > most:
                return 0
            out[size] = cython.cast(cython.uchar, i - 1)
            size += 1
            while i > 0:
                out[size] = data[literal]
                size += 1
                literal += 1
                i -= 1
        if size + 3 > most:
            return 0
        back -= 1
        if length < 9:
            out[size] = cython.cast(cython.uchar, (length - 2) << 5 | back >> 8)
            size += 1
        else:
            out[size] = cython.cast(cython.uchar, 7 << 5 | back >> 8)
            out[size + 1] = cython.cast(cython.uchar, length - 9)
            size += 2
        out[size] = cython.cast(cython.uchar, back & 255)
        size += 1
        # The places within the copy are remembered too, at every second byte: half the work, nearly all of the gain.
        i = at + 1
        at += length
        while i + 2 < n and i < at:
            places[slot_of(data + i, shift)] = cython.cast(uint32_t, i + 1)
            i += 2
        literal = at
    while literal < n:
        i = n - literal if n - literal < LONGEST_LITERAL else LONGEST_LITERAL
        if size + i + 1 > most:
            return 0
        out[size] = cython.cast(cython.uchar, i - 1)
        size += 1
        while i > 0:
            out[size] = data[literal]
            size += 1
            literal += 1
            i -= 1
    return size


def compressed(data: bytes):
    """The bytes in LZF, or None if that would not be shorter."""
    n: cython.size_t = PyBytes_GET_SIZE(data)
    if n < 4:
        return None
    out: cython.p_uchar = cython.cast(cython.p_uchar, allocate(n))
    try:
        size: cython.size_t = compress(cython.cast(cython.p_uchar, PyBytes_AS_STRING(data)), n, out, n - 1)
        return PyBytes_FromStringAndSize(cython.cast(cython.p_char, out), size) if size else None
    finally:
        release(out, n)
