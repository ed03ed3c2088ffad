"""Hashes in both encodings against a dict."""
import gc
import struct

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from carnelian.base.memory import used_memory
from carnelian.types import limits
from carnelian.types.hash import Hash
from carnelian.types.listpack import Listpack

fields = st.one_of(st.integers(-3, 30).map(lambda n: b"%d" % n), st.binary(max_size=3), st.sampled_from([b"f" * 65, b"g" * 64]))
values = st.one_of(st.integers(-(2**64), 2**64).map(lambda n: b"%d" % n), st.binary(max_size=20),
                   st.sampled_from([b"", b"v" * 64, b"v" * 5000]))


def pairs(flat):
    return list(zip(flat[::2], flat[1::2]))


@pytest.fixture(autouse=True)
def small_limits():
    limits.configure("hash-max-listpack-entries", 12)
    yield
    limits.configure("hash-max-listpack-entries", 128)
    limits.configure("hash-max-listpack-value", 64)


class AgainstDict(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.hash, self.dict = Hash(), {}

    @rule(field=fields, value=values)
    def set(self, field, value):
        assert self.hash.set(field, value) is (field not in self.dict)
        self.dict[field] = value

    @rule(field=fields, value=st.integers(-5, 200).map(lambda n: b"%d" % n))
    def set_small(self, field, value):
        self.set(field[:60], value)

    @rule(field=fields)
    def delete(self, field):
        assert self.hash.delete(field) is (field in self.dict)
        self.dict.pop(field, None)

    @rule()
    def delete_one(self):
        field = self.hash.random_field()
        if self.dict:
            assert field in self.dict
            self.delete(field)
        else:
            assert field is None

    @rule(field=fields)
    def get(self, field):
        assert self.hash.get(field) == self.dict.get(field)
        assert self.hash.value_length(field) == len(self.dict.get(field, b""))
        assert (field in self.hash) is (field in self.dict)

    @rule(count=st.integers(0, 40), with_values=st.booleans())
    def sample(self, count, with_values):
        found = self.hash.sample(count, with_values)
        found = pairs(found) if with_values else [(field, self.dict[field]) for field in found]
        assert len(found) == min(count, len(self.dict)) and len(dict(found)) == len(found)
        assert dict(found).items() <= self.dict.items()
        if self.dict:
            found = self.hash.draw(count, with_values)
            found = pairs(found) if with_values else [(field, self.dict[field]) for field in found]
            assert len(found) == count and dict(found).items() <= self.dict.items()

    @rule(count=st.integers(1, 20))
    def scan(self, count):
        cursor, found = 0, []
        while True:
            cursor, some = self.hash.scan(cursor, count)
            found += pairs(some)
            if cursor == 0:
                break
        assert sorted(found) == sorted(self.dict.items())
        matching = [field for field in self.dict if field.startswith(b"1")]
        assert sorted(self.hash.scan(0, 1000, b"1*")[1][::2]) == sorted(matching)

    @rule()
    def copy(self):
        other = self.hash.copy()
        assert other.encoding == self.hash.encoding
        other._check()
        self.hash = other

    @rule()
    def reload(self):
        packed = self.hash.to_packed()
        assert (packed is None) is (self.hash.encoding == "hashtable")
        if packed is not None:
            self.hash = Hash.from_packed(packed)
            assert self.hash.encoding == "listpack"

    @invariant()
    def same(self):
        self.hash._check()
        assert len(self.hash) == len(self.dict)
        if self.hash.encoding == "listpack":        # keeps the order of insertion, as a dict does
            assert self.hash.keys() == list(self.dict)
            assert len(self.dict) <= 12
        assert dict(pairs(self.hash.pairs())) == self.dict
        assert sorted(self.hash.values()) == sorted(self.dict.values())
        if len(self.dict) > 12 or any(len(x) > 64 for pair in self.dict.items() for x in pair):
            assert self.hash.encoding == "hashtable"


AgainstDict.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAgainstDict = AgainstDict.TestCase


def test_object_is_small():
    assert Hash.__basicsize__ == 32
    assert not gc.is_tracked(Hash())


def test_memory():
    gc.collect()
    before = used_memory()
    hash = Hash()
    for n in range(2000):
        hash.set(b"field %d" % n, b"value" * (n % 30))
        assert used_memory() - before == hash.memory()
    other = hash.copy()
    assert used_memory() - before == hash.memory() + other.memory()
    del other
    for n in range(0, 2000, 2):
        hash.set(b"field %d" % n, b"x" * (n % 100))
        hash.delete(b"field %d" % (n + 1))
        assert used_memory() - before == hash.memory()
    hash._check()
    left = 1000
    while left:
        now = hash.free_some(100)
        assert left - 100 <= now < left or now == 0
        left = now
    del hash
    assert used_memory() == before


def test_memory_of_a_session():
    hash = Hash()
    for n in range(5):
        hash.set(b"field%d" % n, b"value%d" % n)
    assert hash.encoding == "listpack"
    assert hash.memory() == 32 + 96


def test_encodings():
    limits.configure("hash-max-listpack-entries", 128)
    hash = Hash()
    for n in range(128):
        hash.set(b"%d" % n, b"v")
    assert hash.encoding == "listpack"
    hash.set(b"5", b"w")
    assert hash.encoding == "listpack"
    hash.set(b"new", b"v")
    assert hash.encoding == "hashtable"
    for field, value in ((b"f" * 65, b""), (b"f", b"v" * 65)):
        hash = Hash()
        hash.set(field, value)
        assert hash.encoding == "hashtable" and hash.get(field) == value
    hash = Hash()
    hash.set(b"f" * 64, b"v" * 64)
    hash.reserve(128)
    assert hash.encoding == "listpack"
    hash.reserve(129)
    assert hash.encoding == "hashtable" and hash.get(b"f" * 64) == b"v" * 64
    limits.configure("hash-max-listpack-value", 5000)
    hash = Hash()
    hash.set(b"f", b"v" * 5000)
    assert hash.encoding == "listpack"
    limits.configure("hash-max-listpack-entries", 0)
    hash.set(b"f", b"v")
    assert hash.encoding == "hashtable"


def test_few_of_many():
    limits.configure("hash-max-listpack-entries", 128)
    hash = Hash()
    for n in range(1000):
        hash.set(b"%d" % n, b"%d" % n)
    found = hash.sample(20, True)
    assert found[::2] == found[1::2] and len(set(found)) == 20
    seen = set(hash.draw(20000))
    assert len(seen) > 900


def test_foreign_bytes():
    def pack(*values):
        pack = Listpack()
        for value in values:
            pack.append(value)
        return bytes(pack)

    assert Hash.from_packed(pack(b"a", b"1")).pairs() == [b"a", b"1"]
    assert Hash.from_packed(pack(b"a", b"1" * 65)).encoding == "hashtable"
    assert Hash.from_packed(pack(*[b"%d" % n for n in range(26)])).encoding == "hashtable"
    for bad in (b"", pack(b"a"), pack(b"a", b"1", b"a", b"2"), struct.pack("<IH", 11, 2) + b"\1\1\1\1\1\1\xff"):
        with pytest.raises(ValueError):
            Hash.from_packed(bad)
