"""Values to bytes and back; bytes that are damaged."""
import os
import struct
import subprocess
import sys

import pytest

from carnelian.base.memory import used_memory
from carnelian.types import limits, serial
from carnelian.types.chain import set_packed_threshold
from carnelian.types.list import List
from tests import payloads
from tests.damage import plain, torture, values
from tests.payloads import BODIES, NEWER_BODIES, id, intset, length, listpack, payload, string, strings, ziplist, zipmap

GUARDED = os.environ.get("PYTHONMALLOC") == "debug"


DEFAULTS = {"hash-max-listpack-entries": 512, "hash-max-listpack-value": 64, "set-max-intset-entries": 512,
            "set-max-listpack-entries": 128, "set-max-listpack-value": 64, "zset-max-listpack-entries": 128,
            "zset-max-listpack-value": 64}


@pytest.fixture(autouse=True)
def default_limits():
    """What the values were made with, whatever ran before."""
    for name, number in DEFAULTS.items():
        limits.configure(name, number)


@pytest.mark.parametrize("value", list(values()), ids=lambda value: getattr(value, "encoding", "string"))
def test_there_and_back(value):
    again = serial.restore(serial.dump(value))
    assert type(again) is type(value) and plain(again) == plain(value)
    if not isinstance(value, bytes) and not isinstance(value, List):
        assert again.encoding == value.encoding


def test_plain_nodes():
    elements = [b"a" * 100, b"b", b"c" * 100, b"d", b"e"]
    value = List()
    set_packed_threshold(50)
    try:
        for element in elements * 300:
            value.push_right(element)
        again = serial.restore(serial.dump(value))
        assert again.nodes == value.nodes
    finally:
        set_packed_threshold(0)
    assert plain(again) == elements * 300
    assert plain(serial.restore(serial.dump(again))) == elements * 300


def test_limits_decide_the_encoding():
    """Of what comes in, too: a packed collection over the limits becomes a table."""
    data = {name: payload(BODIES[name]) for name in ("hash, listpack", "sorted set, listpack", "set, intset of 2", "hash, ziplist")}
    assert [serial.restore(d).encoding for d in data.values()] == ["listpack", "listpack", "intset", "hashtable"]
    try:
        for name in ("hash-max-listpack-entries", "zset-max-listpack-entries", "set-max-intset-entries"):
            limits.configure(name, 1)
        assert [serial.restore(d).encoding for d in data.values()] == ["hashtable", "skiplist", "hashtable", "hashtable"]
    finally:
        for name, number in DEFAULTS.items():
            limits.configure(name, number)


EXPECTED = {
    "compressed": (b"abc" * 89) + b"x",
    "list": [b"a", b"b", b"5"],
    "set": {b"a", b"b", b"5"},
    "integer of 8 bits": b"-123", "integer of 16 bits": b"-123", "integer of 32 bits": b"%d" % (0x80ffff85 - 2**32),
    "sorted set, text": [b"b", float("-inf"), b"d", -3e-5, b"a", 1.5, b"c", float("inf")],
    "zipmap": {b"f": b"v", b"g": b"wide", b"h": payloads.LONG, b"": b""},
    "list, ziplist": [b"a", b"0", b"12", b"-100", b"1000", b"-100000", b"%d" % 2**30, b"%d" % -2**60, payloads.LONG, b"x" * 20000,
                      b"", b"end"],
    "sorted set, ziplist": [b"a", 100, b"b", 100.5, b"c", float("inf")],
    "hash, ziplist": {b"f": b"1000", b"g": payloads.LONG},
    "quicklist": [b"a", b"b", b"3", payloads.LONG],
    "quicklist 2": [b"a", b"5", b"p" * 20000, b"z"],
    "set, listpack": {b"a", b"5", b"b"},
    "expiring hash, draft": {b"f": (b"v", 0), b"g": (payloads.LONG, 1700000000000), b"7": (b"8", 1600000000000)},
    "expiring listpack, draft": {b"f": (b"v", 5), b"6": (b"7", 9), b"g": (b"w", 0)},
    "expiring hash": {b"f": (b"v", 0), b"g": (payloads.LONG, 1700000000000), b"7": (b"8", 1600000000000)},
    "expiring hash without times": {b"f": b"v"},
    "expiring listpack": {b"f": (b"v", 5), b"6": (b"7", 9), b"g": (b"w", 0)},
    "expiring listpack, out of order": {b"f": (b"v", 0), b"6": (b"7", 9), b"g": (b"w", 5)},
    "set, intset of 8": {b"%d" % n for n in (-2**62, 0, 2**40)},
}


@pytest.mark.parametrize("name", [*BODIES, *NEWER_BODIES])
def test_every_type(name):
    value = serial.restore(payload({**BODIES, **NEWER_BODIES}[name], 6))
    if name in EXPECTED:
        assert plain(value) == EXPECTED[name]
    assert plain(serial.restore(serial.dump(value))) == plain(value)


@pytest.mark.parametrize("name, read, added, active", [("1", 1, 2, 1700000000001), ("2", 1, 3, 1700000000001), ("3", 1, 3, -1)])
def test_streams(name, read, added, active):
    value = serial.restore(payload({**BODIES, **NEWER_BODIES}["stream " + name]))
    assert value.range() == [[b"1000-0", [b"f", b"a"]], [b"1005-0", [b"g", b"c"]]]
    assert value.entries_added == added
    group = value.groups[b"g"]
    assert (group.last_id, group.entries_read) == ((1000, 0), read)
    assert group.pending_entries() == [((1000, 0), b"c", 1700000000000, 2)]
    assert group.consumers[b"idle"].active_time == active


SCORE = struct.pack("<d", 1)
BAD = {
    "nothing": b"",
    "no such type": b"\x06\x00", "module": b"\x07\x00", "opcode": b"\xfa\x01a\x01b",
    "expiring hash, empty": b"\x18" + bytes(8) + b"\x00", "expiring hash, short": b"\x18" + bytes(7),
    "expiring hash, twice": b"\x16\x02\x00" + strings(b"f", b"v") + b"\x05" + strings(b"f", b"w"),
    "expiring hash, time": b"\x16\x01" + length(2**48 - 1) + strings(b"f", b"v"),
    "expiring hash, soonest": b"\x18" + struct.pack("<Q", 2**48 - 1) + b"\x01\x00" + strings(b"f", b"v"),
    "expiring hash, sum": b"\x18" + struct.pack("<Q", 2**48 - 2) + b"\x01\x02" + strings(b"f", b"v"),
    "expiring listpack, empty": b"\x19" + bytes(8) + string(listpack()), "expiring listpack, two": b"\x17" + string(listpack(1, 2)),
    "expiring listpack, time": b"\x17" + string(listpack(1, 2, b"x")), "expiring listpack, twice": b"\x17" + string(listpack(1, 2, 3, 1, 2, 3)),
    "no string": b"\x00", "short string": b"\x00\x1fvalue", "no such string": b"\x00\xc4\x01", "no such length": b"\x00\x82\x00",
    "endless string": b"\x00\x81" + b"\xff" * 8 + b"x", "string of 4 GiB": b"\x00\x81\x00\x00\x00\x01\x00\x00\x00\x00x",
    "endless list": b"\x01\x81" + b"\xff" * 8 + b"\x01a", "length that is a string": b"\x01\xc0\x01",
    "compressed to too much": b"\x00" + payloads.compressed(b"\x02abc", 2**32 - 1),
    "compressed to less": b"\x00" + payloads.compressed(b"\x02abc", 4),
    "reference before the beginning": b"\x00" + payloads.compressed(b"\x00a\x20\x01", 4),
    "reference without its end": b"\x00" + payloads.compressed(b"\x00a\xe0", 4),
    "empty list": b"\x01\x00", "empty set": b"\x02\x00", "empty hash": b"\x04\x00", "empty sorted set": b"\x05\x00",
    "empty quicklist": b"\x12\x00", "quicklist of an empty node": b"\x12\x01\x02" + string(listpack()),
    "empty intset": b"\x0b" + string(intset(2)), "empty listpack": b"\x10" + string(listpack()),
    "empty ziplist": b"\x0a" + string(ziplist()), "empty zipmap": b"\x09" + string(zipmap()),
    "member twice": b"\x02\x02" + strings(b"a", b"a"), "field twice": b"\x04\x02" + strings(b"a", b"b", b"a", b"c"),
    "scored twice": b"\x05\x02\x01a" + SCORE + b"\x01a" + SCORE, "zipmap: twice": b"\x09" + string(zipmap((b"f", b"v", 0), (b"f", b"w", 0))),
    "nan": b"\x05\x01\x01a" + struct.pack("<d", float("nan")), "nan as text": b"\x03\x01\x01a\xfd", "nan in text": b"\x03\x01\x01a\x03nan",
    "no score": b"\x0c" + string(ziplist(b"a", b"b")), "score missing": b"\x0c" + string(ziplist(b"a")),
    "field alone": b"\x0d" + string(ziplist(b"a", b"b", b"c")), "listpack: field alone": b"\x10" + string(listpack(b"a")),
    "no such node": b"\x12\x01\x03" + string(listpack(b"a")),
    "intset: order": b"\x0b" + string(intset(2, 5, 4)), "intset: width": b"\x0b" + string(intset(3, 5)),
    "ziplist: size": b"\x0a" + string(ziplist(b"a") + b"x"), "ziplist: end": b"\x0a" + string(ziplist(b"a")[:-1] + b"x"),
    "ziplist: last": b"\x0a" + string(b"\x0e\x00\x00\x00\x0b" + ziplist(b"a")[5:]),
    "block key": b"\x13\x01" + string(b"short") + string(payloads.BLOCK) + payloads.STATE + payloads.COUNTERS + b"\x00",
    "entries": b"\x13" + payloads.ENTRIES + length(3) + payloads.STATE[1:] + payloads.COUNTERS + b"\x00",
    "last ID": b"\x13" + payloads.ENTRIES + length(2) + length(1004) + b"\x00" + payloads.COUNTERS + b"\x00",
    "added": b"\x13" + payloads.ENTRIES + payloads.STATE + payloads.COUNTERS[:-1] + b"\x01\x00",
    "blocks out of order": b"\x13\x02" + payloads.ENTRIES[1:] * 2 + b"\x04" + payloads.STATE[1:] + payloads.COUNTERS + b"\x00",
    "group twice": payloads.STREAM_2[:-len(b"\x01" + payloads.group(read=b"\x01"))] + b"\x02" + payloads.group(read=b"\x01") * 2,
    "pending for nobody": b"\x0f" + payloads.ENTRIES + payloads.STATE + b"\x01" + payloads.group(own=b""),
    "pending twice": b"\x0f" + payloads.ENTRIES + payloads.STATE + b"\x01" + payloads.group(pending=payloads.PENDING * 2),
    "not pending": b"\x0f" + payloads.ENTRIES + payloads.STATE + b"\x01" + payloads.group(own=id(1005, 0)),
    "assigned twice": b"\x0f" + payloads.ENTRIES + payloads.STATE + b"\x01" + payloads.group(own=id(1000, 0) * 2),
}


@pytest.mark.parametrize("name", BAD)
def test_damaged(name):
    before = used_memory()
    with pytest.raises(serial.DamagedValue):
        serial.restore(payload(BAD[name]))
    assert used_memory() == before


def test_footer():
    good = serial.dump(b"value")
    assert serial.restore(payload(b"\x00\x05value", 12)) == serial.restore(payload(b"\x00\x05value", 1)) == b"value"
    assert serial.restore(payload(b"\x00\x05valuemore")) == b"value"
    for bad in (b"", b"x", good[:-1], good + b"x", good[:-1] + bytes([good[-1] ^ 1]), b"\x01" + good[1:], payload(b"\x00\x01v", 13)):
        with pytest.raises(serial.WrongFooter):
            serial.restore(bad)
    assert serial.checksum(b"123456789") == 0xe9c6d914c4b8d9ca          # the check value of Redis's CRC-64


def test_output():
    output = serial.Output()
    for number in (0, 63, 64, 16383, 16384, 2**32 - 1, 2**32, 2**64 - 1):
        output.put_length(number)
    output.put_bytes(b"x" * 3000000)
    assert output.size == 1 + 1 + 2 + 2 + 5 + 5 + 9 + 9 + 5 + 3000000
    data = output.take()
    assert output.size == 0 and output.take() == b""
    source = serial.Input(memoryview(data))
    assert [source.length() for _ in range(8)] == [0, 63, 64, 16383, 16384, 2**32 - 1, 2**32, 2**64 - 1]
    assert source.string() == b"x" * 3000000 and source.at == source.end
    with pytest.raises(serial.DamagedValue):
        source.byte()


# ---- mutated bytes

def test_mutated():
    assert torture(3000 if GUARDED else 50000, 1)


@pytest.mark.skipif(GUARDED, reason="this is the run within")
def test_with_guarded_memory():
    """All of the above with guards around every block."""
    run = subprocess.run([sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", __file__],
                         env={**os.environ, "PYTHONMALLOC": "debug"}, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
