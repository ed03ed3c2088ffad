"""Sets in their three encodings against a Python set, and the rules by which the encoding changes."""
import gc
import struct

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from carnelian.base.memory import used_memory
from carnelian.types import limits
from carnelian.types.intset import Intset
from carnelian.types.listpack import Listpack
from carnelian.types.set import Set

integers = st.one_of(st.integers(-5, 40), st.integers(-(2**63), 2**63 - 1)).map(lambda n: b"%d" % n)
members = st.one_of(integers, st.binary(max_size=3),
                    st.sampled_from([b"m" * 64, b"m" * 65, b"01", b"-0", b"9223372036854775808"]))


@pytest.fixture(autouse=True)
def default_limits():
    yield
    for name, value in (("set-max-intset-entries", 512), ("set-max-listpack-entries", 128), ("set-max-listpack-value", 64)):
        limits.configure(name, value)


def is_integer(member):
    try:
        return b"%d" % int(member) == member and -(2**63) <= int(member) < 2**63
    except ValueError:
        return False


class AgainstSet(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.was = None
        limits.configure("set-max-intset-entries", 16)
        limits.configure("set-max-listpack-entries", 12)
        self.set, self.model, self.order = Set(), set(), []

    @rule(member=integers)
    def insert_integer(self, member):
        self.insert(member)

    @rule(member=members)
    def insert(self, member):
        assert self.set.insert(member) is (member not in self.model)
        self.model.add(member)

    @rule(some=st.lists(members, max_size=20))
    def update(self, some):
        assert self.set.update(some) == len(set(some) - self.model)
        self.model |= set(some)

    @rule(member=members)
    def discard(self, member):
        assert self.set.discard(member) is (member in self.model)
        self.model.discard(member)

    @rule()
    def pop_random(self):
        member = self.set.pop_random()
        assert (member in self.model) if self.model else member is None
        self.model.discard(member)

    @rule(count=st.integers(0, 40))
    def pop_some(self, count):
        encoding, popped = self.set.encoding, self.set.pop_some(count)
        assert len(set(popped)) == len(popped) == min(count, len(self.model))
        assert set(popped) <= self.model
        self.model -= set(popped)
        if encoding != "hashtable" and self.model:
            assert self.set.encoding == encoding

    @rule(member=members)
    def has(self, member):
        assert (member in self.set) is (member in self.model)

    @rule(count=st.integers(0, 40))
    def sample(self, count):
        found = self.set.sample(count)
        assert len(set(found)) == len(found) == min(count, len(self.model)) and set(found) <= self.model
        if self.model:
            found = self.set.draw(count)
            assert len(found) == count and set(found) <= self.model
            assert self.set.random_member() in self.model
        else:
            assert self.set.random_member() is None

    @rule(count=st.integers(1, 20))
    def scan(self, count):
        cursor, found = 0, []
        while True:
            cursor, some = self.set.scan(cursor, count)
            found += some
            if cursor == 0:
                break
        assert sorted(found) == sorted(self.model)
        assert sorted(self.set.scan(0, 1000, b"1*")[1]) == sorted(m for m in self.model if m.startswith(b"1"))

    @rule()
    def copy(self):
        other = self.set.copy()
        assert other.encoding == self.set.encoding
        if other.encoding != "hashtable":
            assert other.members() == self.set.members()
        self.set = other

    @rule()
    def reload(self):
        packed, encoding = self.set.to_packed(), self.set.encoding
        assert (packed is None) is (encoding == "hashtable")
        if packed is not None:
            self.set = Set.from_intset(packed) if encoding == "intset" else Set.from_listpack(packed)
            assert self.set.encoding == encoding

    @invariant()
    def same(self):
        self.set._check()
        found = self.set.members()
        assert set(found) == self.model and len(self.set) == len(self.model)
        if self.set.encoding == "intset":
            assert [int(m) for m in found] == sorted(int(m) for m in found) and len(found) <= 16
        elif self.set.encoding == "listpack":
            assert len(found) <= 12 and all(len(m) <= 64 for m in found)
            known = [m for m in self.order if m in self.model]
            if self.was == "listpack":
                assert found[:len(known)] == known      # keeps the order of insertion
        self.order, self.was = found, self.set.encoding


AgainstSet.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAgainstSet = AgainstSet.TestCase


def filled(*members):
    result = Set()
    for member in members:
        result.insert(member)
    return result


def numbers(*bounds):
    return [b"%d" % n for n in range(*bounds)]


def test_object_is_small():
    assert Set.__basicsize__ == 32
    assert not gc.is_tracked(Set())
    assert filled(*numbers(10)).memory() == 32 + 32


def test_encodings():
    assert filled(*numbers(512)).encoding == "intset"
    assert filled(*numbers(513)).encoding == "hashtable"
    assert filled(b"a").encoding == "listpack"
    assert filled(b"a", *numbers(127)).encoding == "listpack"
    assert filled(b"a", *numbers(128)).encoding == "hashtable"
    assert filled(*numbers(127), b"a").encoding == "listpack"
    assert filled(*numbers(128), b"a").encoding == "hashtable"
    assert filled(b"a" * 64).encoding == "listpack"
    assert filled(b"a" * 65).encoding == "hashtable"
    assert filled(b"1", b"a" * 65).encoding == "hashtable"
    assert filled(b"3", b"1", b"a", b"2").members() == [b"1", b"3", b"a", b"2"]
    limits.configure("set-max-listpack-value", 3)
    assert filled(b"1000", b"a").encoding == "hashtable"
    assert filled(b"-100", b"a").encoding == "hashtable"
    assert filled(b"100", b"a").encoding == "listpack"


def test_encoding_for_many_at_once():
    def made(*members):
        result = Set()
        assert result.update(members) == len(set(members))
        return result

    assert made(b"1").encoding == "intset"
    assert made(*numbers(512)).encoding == "intset"
    assert made(*[b"1"] * 513).encoding == "hashtable"          # by the number of words, as SADD does
    assert made(*[b"a"] * 128).encoding == "listpack"
    assert made(*[b"a"] * 129).encoding == "hashtable"
    assert made(b"a", b"1").members() == [b"a", b"1"]
    limits.configure("set-max-intset-entries", 0)
    assert made(b"1").encoding == "listpack"
    limits.configure("set-max-listpack-entries", 0)
    assert made(b"1").encoding == "hashtable"
    limits.configure("set-max-intset-entries", 1)
    assert made(b"1").encoding == "intset"


def test_memory():
    gc.collect()
    before = used_memory()
    some = Set()
    for n in range(2000):
        some.insert(b"%d" % (n % 1000) if n < 1000 else b"member %d" % n)
        assert used_memory() - before == some.memory()
    other = some.copy()
    assert used_memory() - before == some.memory() + other.memory()
    assert len(other.pop_some(1990)) == 1990
    assert other.encoding == "listpack"
    assert used_memory() - before == some.memory() + other.memory()
    del other
    while len(some) > 100:
        some.pop_random()
        some.pop_some(5)
        assert used_memory() - before == some.memory()
    some._check()
    while some.free_some(30):
        pass
    del some
    assert used_memory() == before


def test_few_of_many():
    some = filled(*numbers(1000))
    assert len(set(some.sample(20))) == 20
    assert len(set(some.draw(20000))) > 900


def test_foreign_bytes():
    ints = Intset()
    for n in range(513):
        ints.add(n)
    assert Set.from_intset(bytes(ints)).encoding == "hashtable"
    pack = Listpack()
    for member in (b"a", b"1"):
        pack.append(member)
    assert Set.from_listpack(bytes(pack)).members() == [b"a", b"1"]
    pack.append(b"x" * 65)
    assert Set.from_listpack(bytes(pack)).encoding == "hashtable"
    pack.append(b"a")
    for data in (bytes(pack), b"", struct.pack("<IH", 11, 2) + b"\1\1\1\1\xff"):
        with pytest.raises(ValueError):
            Set.from_listpack(data)
    with pytest.raises(ValueError):
        Set.from_intset(bytes(ints)[:-1])
