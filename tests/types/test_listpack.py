"""Listpacks against a plain list, and against bytes that came from elsewhere."""
import os
import random
import struct
import subprocess
import sys

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from carnelian.types.listpack import Listpack

BORDERS = [0, 127, 128, 4095, 4096, 32767, 32768, 8388607, 8388608, 2147483647, 2147483648, 2**63 - 1]
INTEGERS = sorted({sign * n + d for n in BORDERS for sign in (1, -1) for d in (-1, 0, 1) if -(2**63) <= sign * n + d < 2**63}
                  | {-(2**63)})

values = st.one_of(
    st.binary(max_size=20),
    st.sampled_from(INTEGERS).map(lambda n: b"%d" % n),
    st.integers(-(2**65), 2**65).map(lambda n: b"%d" % n),
    st.sampled_from([b"", b"-", b"-0", b"01", b"+1", b" 1", b"1 ", b"1.0", b"9223372036854775808", b"-9223372036854775809"]),
    st.sampled_from([63, 64, 100, 125, 126, 127, 128, 4095, 4096, 16377, 16378, 16379]).map(lambda n: b"x" * n),
)


class AgainstList(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.pack, self.list = Listpack(), []

    @rule(value=values)
    def append(self, value):
        self.pack.append(value)
        self.list.append(value)

    @rule(first=values, second=values)
    def append_pair(self, first, second):
        self.pack.append_pair(first, second)
        self.list += [first, second]

    @rule(value=values)
    def prepend(self, value):
        self.pack.prepend(value)
        self.list.insert(0, value)

    @rule(number=st.integers(-(2**63), 2**63 - 1))
    def append_integer(self, number):
        self.pack.append_integer(number)
        self.list.append(b"%d" % number)

    @rule(index=st.integers(0, 20), value=values)
    def insert(self, index, value):
        self.pack.insert(index, value)
        self.list.insert(index, value)

    @rule(index=st.integers(-20, 20), value=values)
    def replace(self, index, value):
        if -len(self.list) <= index < len(self.list):
            self.pack[index] = value
            self.list[index] = value
        else:
            with pytest.raises(IndexError):
                self.pack[index] = value

    @rule(index=st.integers(-20, 20), number=st.integers(-(2**63), 2**63 - 1))
    def replace_integer(self, index, number):
        if -len(self.list) <= index < len(self.list):
            self.pack.replace_integer(index, number)
            self.list[index] = b"%d" % number

    @rule(index=st.integers(-20, 20))
    def delete(self, index):
        if -len(self.list) <= index < len(self.list):
            del self.pack[index]
            del self.list[index]

    @rule(index=st.integers(-20, 20), count=st.integers(0, 5))
    def delete_range(self, index, count):
        self.pack.delete_range(index, count)
        if -len(self.list) <= index < len(self.list):
            start = index % len(self.list)
            del self.list[start:start + count]

    @rule(value=values, start=st.integers(0, 5), skip=st.integers(0, 2))
    def find(self, value, start, skip):
        places = [i for i in range(start, len(self.list), 1 + skip) if self.list[i] == value]
        assert self.pack.find(value, start, skip) == (places[0] if places else -1)

    @rule(index=st.integers(-20, 20))
    def get(self, index):
        if -len(self.list) <= index < len(self.list):
            assert self.pack[index] == self.list[index]

    @rule()
    def reload(self):
        self.pack = Listpack(bytes(self.pack))

    @invariant()
    def same(self):
        self.pack._check()
        assert list(self.pack) == self.list
        assert len(self.pack) == len(self.list)


AgainstList.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestAgainstList = AgainstList.TestCase


def test_encodings():
    """One byte string per encoding, from the format's description."""
    for value, entry in [
        (b"0", "00 01"), (b"127", "7f 01"), (b"128", "c0 80 02"), (b"-1", "df ff 02"), (b"4095", "cf ff 02"),
        (b"-4096", "d0 00 02"), (b"4096", "f1 00 10 03"), (b"-32768", "f1 00 80 03"), (b"32768", "f2 00 80 00 04"),
        (b"-8388608", "f2 00 00 80 04"), (b"8388608", "f3 00 00 80 00 05"), (b"-2147483648", "f3 00 00 00 80 05"),
        (b"2147483648", "f4 00 00 00 80 00 00 00 00 09"), (b"-9223372036854775808", "f4 00 00 00 00 00 00 00 80 09"),
        (b"", "80 01"), (b"a", "81 61 02"), (b"01", "82 30 31 03"), (b"x" * 63, "bf" + "78" * 63 + "40"),
        (b"x" * 64, "e0 40" + "78" * 64 + "42"), (b"x" * 126, "e0 7e" + "78" * 126 + "01 80"),
        (b"x" * 4096, "f0 00 10 00 00" + "78" * 4096 + "20 85"),
        (b"x" * 16378, "f0 fa 3f 00 00" + "78" * 16378 + "00 ff ff"),
    ]:
        pack = Listpack()
        pack.append(value)
        body = bytes.fromhex(entry)
        assert bytes(pack) == struct.pack("<IH", 7 + len(body), 1) + body + b"\xff", value[:30]
        assert pack[0] == value


def test_large_backlen():
    pack = Listpack()
    for n in (2097140, 2097141, 2097142, 2097150):
        pack.append(b"x" * n)
        pack.append(b"1")
        pack._check()
        assert len(pack[0]) == n and pack[-2] == pack[0]
        pack.delete_range(0, 2)
    assert bytes(pack) == bytes(Listpack())


def test_count_past_the_field():
    pack = Listpack()
    for n in range(65540):
        pack.append_integer(n & 127)
    assert bytes(pack)[4:6] == b"\xff\xff"
    assert len(pack) == 65540
    assert pack[65539] == b"3" and pack[-65540] == b"0" and pack[-1] == b"3"
    pack.delete_range(0, 10)
    assert len(pack) == 65530
    assert bytes(pack)[4:6] == struct.pack("<H", 65530)
    pack._check()


def test_memory_is_given_back():
    from carnelian.base.memory import used_memory
    before = used_memory()
    pack = Listpack()
    for n in range(1000):
        pack.append(b"element %d" % n)
    assert used_memory() - before == pack.memory()
    while len(pack):
        del pack[random.randrange(len(pack))]
    assert used_memory() - before == pack.memory() == 16
    del pack
    assert used_memory() == before


def test_foreign_bytes():
    good = Listpack()
    for value in (b"12", b"abc", b"x" * 200, b"-70000"):
        good.append(value)
    data = bytes(good)
    assert list(Listpack(data)) == list(good)
    # A number written as a string is no error, and found under its bytes.
    odd = Listpack(struct.pack("<IH", 11, 1) + b"\x8212\x03\xff")
    assert odd.find(b"12") == 0 and odd[0] == b"12"
    for bad in (b"", b"\xff", data[:-1], data + b"\xff", data[:4] + b"\x09\x00" + data[6:],
                struct.pack("<IH", 9, 1) + b"\xf5\x01\xff", struct.pack("<IH", 8, 1) + b"\x81\xff",
                struct.pack("<IH", 9, 1) + b"\x01\x02\xff", struct.pack("<IH", 9, 1) + b"\xe0\xff\xff",
                struct.pack("<IH", 12, 1) + b"\xf0\xff\xff\xff\xff\xff",
                struct.pack("<IH", 10, 1) + b"\xff\x81\x61\xff", b"\x07\0\0\0\0\0\xfe"):
        with pytest.raises(ValueError):
            Listpack(bad)


FUZZ = """
import random, sys
from carnelian.types.listpack import Listpack
draw = random.Random(int(sys.argv[1]))
accepted = refused = 0
for turn in range(6000):
    pack = Listpack()
    for _ in range(draw.randrange(1, 12)):
        pack.append(draw.choice([b"%d" % draw.randrange(-2**63, 2**63), b"%d" % draw.randrange(300),
                                 draw.randbytes(draw.choice([1, 5, 62, 70, 130]))]))
    data = bytearray(bytes(pack))
    for _ in range(draw.randrange(1, 4)):
        kind = draw.randrange(4)
        place = draw.randrange(len(data))
        if kind == 0:
            data[place] = draw.randrange(256)
        elif kind == 1:
            data[place] ^= 1 << draw.randrange(8)
        elif kind == 2 and len(data) > 8:
            del data[place:place + draw.randrange(1, 4)]
        else:
            data[place:place] = draw.randbytes(draw.randrange(1, 4))
    if draw.random() < 0.8 and len(data) >= 4:
        data[0:4] = len(data).to_bytes(4, "little")
    try:
        pack = Listpack(bytes(data))
    except ValueError:
        refused += 1
        continue
    accepted += 1
    values = list(pack)
    assert len(values) == len(pack)
    pack.append(b"end")
    assert list(pack) == values + [b"end"]
    pack._check()
    pack.delete_range(0, 2)
    pack._check()
assert accepted > 100 and refused > 100, (accepted, refused)
"""


def test_fuzz_of_foreign_bytes():
    subprocess.run([sys.executable, "-c", FUZZ, str(random.randrange(2**32))], check=True, timeout=120,
                   env=dict(os.environ, PYTHONMALLOC="debug"))
