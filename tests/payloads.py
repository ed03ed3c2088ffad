"""Payloads of RESTORE built by hand, in the types of every version of the RDB format."""
import struct

from carnelian.types import serial


def payload(body, version=10):
    """A value with its footer."""
    data = body + struct.pack("<H", version)
    return data + struct.pack("<Q", serial.checksum(data))


def length(n):
    if n < 64:
        return bytes([n])
    if n < 16384:
        return bytes([0x40 | n >> 8, n & 255])
    return b"\x80" + struct.pack(">I", n) if n < 2**32 else b"\x81" + struct.pack(">Q", n)


def string(data):
    return length(len(data)) + data


def strings(*parts):
    return b"".join(map(string, parts))


def literal_lzf(data):
    """LZF that compresses nothing."""
    return b"".join(bytes([len(data[i:i + 32]) - 1]) + data[i:i + 32] for i in range(0, len(data), 32))


def compressed(data, size):
    return b"\xc3" + length(len(data)) + length(size) + data


def ziplist(*elements):
    """Strings (bytes) or integers, these in the given form: (size in bytes or 0 for a small one, number)."""
    entries, before, last = b"", 0, 10
    for element in elements:
        last = 10 + len(entries)
        entry = bytes([before]) if before < 254 else b"\xfe" + struct.pack("<I", before)
        if isinstance(element, bytes):
            n = len(element)
            entry += (bytes([n]) if n < 64 else bytes([0x40 | n >> 8, n & 255]) if n < 16384 else b"\x80" + struct.pack(">I", n))
            entry += element
        else:
            size, number = element
            entry += (bytes([0xF1 + number]) if size == 0 else
                      {1: b"\xfe", 2: b"\xc0", 3: b"\xf0", 4: b"\xd0", 8: b"\xe0"}[size] + number.to_bytes(size, "little", signed=True))
        entries += entry
        before = len(entry)
    return struct.pack("<IIH", 11 + len(entries), last, min(len(elements), 65535)) + entries + b"\xff"


def zipmap(*pairs):
    """(field, value, unused bytes after it) each."""

    def size(n):
        return bytes([n]) if n < 254 else b"\xfe" + struct.pack("<I", n)

    return bytes([min(len(pairs), 254)]) + b"".join(
        size(len(field)) + field + size(len(value)) + bytes([unused]) + value + b"\x00" * unused
        for field, value, unused in pairs) + b"\xff"


def listpack(*elements):
    """Short strings and integers of 0 to 127."""
    body = b"".join((bytes([0x80 | len(e)]) + e + bytes([1 + len(e)])) if isinstance(e, bytes) else bytes([e, 1]) for e in elements)
    return struct.pack("<IH", 7 + len(body), len(elements)) + body + b"\xff"


def intset(width, *numbers):
    return struct.pack("<II", width, len(numbers)) + b"".join(n.to_bytes(width, "little", signed=True) for n in numbers)


def id(ms, seq):
    return struct.pack(">QQ", ms, seq)


BLOCK = listpack(2, 1, 1, b"f", 0, 2, 0, 0, b"a", 4, 3, 0, 1, b"b", 4, 0, 5, 0, 1, b"g", b"c", 6)
ENTRIES = length(1) + string(id(1000, 0)) + string(BLOCK)
STATE = length(2) + length(1005) + length(0)
COUNTERS = length(1000) + length(0) + length(1000) + length(1) + length(3)
PENDING = id(1000, 0) + struct.pack("<Q", 1700000000000) + length(2)


def group(*, read=b"", active=b"", pending=PENDING, own=id(1000, 0)):
    """A group with one consumer that has what is pending, and one that has nothing."""
    seen = struct.pack("<Q", 1700000000001)
    return (string(b"g") + length(1000) + length(0) + read + length(len(pending) // 25) + pending + length(2)
            + string(b"c") + seen + active + length(len(own) // 16) + own
            + string(b"idle") + seen + active + length(0))


STREAM_1 = b"\x0f" + ENTRIES + STATE + length(1) + group()
STREAM_2 = b"\x13" + ENTRIES + STATE + COUNTERS + length(1) + group(read=length(1))
STREAM_3 = b"\x15" + ENTRIES + STATE + COUNTERS + length(1) + group(read=length(1), active=struct.pack("<q", -1))

LONG = b"0123456789" * 30
# name: body. What Redis 7.0 reads, too.
BODIES = {
    "string": b"\x00" + string(b"value"),
    "empty string": b"\x00\x00",
    "string of 300": b"\x00" + string(LONG),
    "string with a 32 bit length": b"\x00\x80\x00\x00\x00\x05value",
    "string with a 64 bit length": b"\x00\x81\x00\x00\x00\x00\x00\x00\x00\x05value",
    "integer of 8 bits": b"\x00\xc0\x85",
    "integer of 16 bits": b"\x00\xc1\x85\xff",
    "integer of 32 bits": b"\x00\xc2\x85\xff\xff\x80",
    "compressed": b"\x00" + compressed(b"\x02abc\xe0\xff\x02\x00x", 3 + 7 + 255 + 2 + 1),
    "compressed, nothing gained": b"\x00" + compressed(literal_lzf(LONG), 300),
    "list": b"\x01\x03" + strings(b"a", b"b") + b"\xc0\x05",
    "set": b"\x02\x03" + strings(b"a", b"b") + b"\xc0\x05",
    "set of integers": b"\x02\x02\xc0\x07\xc1\x00\x10",
    "sorted set, text": b"\x03\x04" + string(b"a") + string(b"1.5") + string(b"b") + b"\xff" + string(b"c") + b"\xfe" + string(b"d")
                        + string(b"-3e-5"),
    "hash": b"\x04\x02" + strings(b"f", b"v", b"g", LONG),
    "sorted set": b"\x05\x03" + string(b"b") + struct.pack("<d", float("inf")) + string(b"a") + struct.pack("<d", -0.25)
                  + string(LONG) + struct.pack("<d", 5),
    "zipmap": b"\x09" + string(zipmap((b"f", b"v", 0), (b"g", b"wide", 3), (b"h", LONG, 0), (b"", b"", 0))),
    "list, ziplist": b"\x0a" + string(ziplist(b"a", (0, 0), (0, 12), (1, -100), (2, 1000), (3, -100000), (4, 2**30), (8, -2**60),
                                              LONG, b"x" * 20000, b"", b"end")),
    "set, intset of 2": b"\x0b" + string(intset(2, -5, 0, 300)),
    "set, intset of 4": b"\x0b" + string(intset(4, -5, 0, 300000)),
    "set, intset of 8": b"\x0b" + string(intset(8, -2**62, 0, 2**40)),
    "sorted set, ziplist": b"\x0c" + string(ziplist(b"a", (1, 100), b"b", b"100.5", b"c", b"inf")),
    "hash, ziplist": b"\x0d" + string(ziplist(b"f", (2, 1000), b"g", LONG)),
    "quicklist": b"\x0e\x02" + string(ziplist(b"a", b"b")) + string(ziplist((0, 3), LONG)),
    "quicklist, compressed node": b"\x0e\x01" + compressed(literal_lzf(ziplist(b"a", LONG)), len(ziplist(b"a", LONG))),
    "stream 1": STREAM_1,
    "hash, listpack": b"\x10" + string(listpack(b"f", b"v", b"g", 7)),
    "sorted set, listpack": b"\x11" + string(listpack(b"a", 1, b"b", b"1.5", 3, 2)),
    "quicklist 2": b"\x12\x03\x02" + string(listpack(b"a", 5)) + b"\x01" + string(b"p" * 20000) + b"\x02" + string(listpack(b"z")),
    "quicklist 2, one node": b"\x12\x01\x02" + string(listpack(b"a", 5)),
    "stream 2": STREAM_2,
    "stream without entries": b"\x13\x00\x00" + length(5) + length(0) + b"\x00\x00" + length(5) + length(0) + length(9) + b"\x00",
}
# What only later versions read.
NEWER_BODIES = {
    "set, listpack": b"\x14" + string(listpack(b"a", 5, b"b")),
    "stream 3": STREAM_3,
    "expiring hash, draft": b"\x16\x03" + length(0) + strings(b"f", b"v") + length(1700000000000) + strings(b"g", LONG)
                            + length(1600000000000) + strings(b"7", b"8"),
    "expiring listpack, draft": b"\x17" + string(listpack(b"f", b"v", 5, 6, 7, 9, b"g", b"w", 0)),
    "expiring hash": b"\x18" + struct.pack("<Q", 1600000000000) + b"\x03" + length(0) + strings(b"f", b"v")
                     + length(100000000001) + strings(b"g", LONG) + length(1) + strings(b"7", b"8"),
    "expiring hash without times": b"\x18" + bytes(8) + b"\x01" + length(0) + strings(b"f", b"v"),
    "expiring listpack": b"\x19" + struct.pack("<Q", 5) + string(listpack(b"f", b"v", 5, 6, 7, 9, b"g", b"w", 0)),
    "expiring listpack, out of order": b"\x19" + struct.pack("<Q", 5) + string(listpack(b"f", b"v", 0, 6, 7, 9, b"g", b"w", 5)),
}
