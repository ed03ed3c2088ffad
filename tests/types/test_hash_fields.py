"""Hashes with fields that expire, in both encodings, against a dict."""
import os

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from carnelian.base.memory import used_memory
from carnelian.types import limits, serial
from carnelian.types.hash import Hash
from carnelian.types.listpack import Listpack

fields = st.one_of(st.integers(-3, 30).map(lambda n: b"%d" % n), st.binary(max_size=2), st.sampled_from([b"f" * 65, b"g" * 64]))
small_fields = st.integers(0, 20).map(lambda n: b"%d" % n)
values = st.one_of(st.integers(-(2**64), 2**64).map(lambda n: b"%d" % n), st.binary(max_size=20),
                   st.sampled_from([b"", b"v" * 64, b"v" * 300]))
times = st.one_of(st.integers(1, 60), st.sampled_from([127, 4095, 2**31, 2**46 - 1]))


def pairs(flat):
    return list(zip(flat[::2], flat[1::2]))


@pytest.fixture(autouse=True)
def small_limits():
    limits.configure("hash-max-listpack-entries", 12)
    limits.configure("hash-max-listpack-value", 64)
    yield
    limits.configure("hash-max-listpack-entries", 128)


class AgainstDict(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.hash, self.dict, self.now = Hash(), {}, 0      # field: [value, time]

    def shown(self):
        return {field: value for field, (value, time) in self.dict.items() if time == 0 or time > self.now}

    @rule(field=fields, value=values)
    def set(self, field, value):
        assert self.hash.set(field, value) is (field not in self.shown())
        self.dict[field] = [value, 0]

    @rule(field=small_fields, value=st.integers(-5, 200).map(lambda n: b"%d" % n))
    def set_small(self, field, value):
        self.set(field, value)

    @rule(field=st.one_of(fields, small_fields), value=values)
    def update(self, field, value):
        if not self.hash.is_hidden(field):
            assert self.hash.update(field, value) is (field not in self.shown())
            self.dict.setdefault(field, [None, 0])[0] = value

    @rule(field=st.one_of(fields, small_fields), time=times)
    def schedule(self, field, time):
        assert self.hash.schedule(field, time) is (field in self.shown())
        self.hash.hide_until(self.now)      # a hash without times does not keep it
        if field in self.shown():
            self.dict[field][1] = time

    @rule(field=small_fields)
    def persist(self, field):
        assert self.hash.schedule(field, 0) is (field in self.shown())
        if field in self.shown():
            self.dict[field][1] = 0

    @rule(after=times)
    def schedule_all(self, after):
        for index, field in enumerate(self.shown()):
            assert self.hash.schedule(field, after + index * 7 % 5)
            self.dict[field][1] = after + index * 7 % 5
            self.hash.hide_until(self.now)

    @rule(field=st.one_of(fields, small_fields))
    def delete(self, field):
        assert self.hash.delete(field) is (field in self.dict)
        self.dict.pop(field, None)

    @rule(field=st.one_of(fields, small_fields))
    def get(self, field):
        shown = self.shown()
        assert self.hash.get(field) == shown.get(field)
        assert self.hash.value_length(field) == len(shown.get(field, b""))
        assert (field in self.hash) is (field in shown)
        assert self.hash.time_of(field) == (self.dict[field][1] if field in shown else -1)
        assert self.hash.is_hidden(field) is (field in self.dict and field not in shown)

    @rule(step=st.integers(0, 20))
    def time_passes(self, step):
        self.now += step
        self.hash.hide_until(self.now)
        if self.hash.encoding == "listpack" or self.hash.next_expiry is None:
            assert not any(time for _, time in self.dict.values())

    @rule(most=st.integers(0, 10))
    def pop_expired(self, most):
        names = self.hash.pop_expired(self.now, most)
        due = sorted(time for _, time in self.dict.values() if 0 < time <= self.now)
        assert [self.dict.pop(name)[1] for name in names] == due[:most]

    @rule(count=st.integers(0, 40), with_values=st.booleans())
    def sample(self, count, with_values):
        shown = self.shown()
        found = self.hash.sample(count, with_values)
        found = pairs(found) if with_values else [(field, shown[field]) for field in found]
        assert len(found) == min(count, len(shown)) and len(dict(found)) == len(found)
        assert dict(found).items() <= shown.items()
        found = self.hash.draw(count, with_values)
        found = pairs(found) if with_values else [(field, shown[field]) for field in found]
        assert len(found) == (count if shown else 0) and dict(found).items() <= shown.items()
        assert self.hash.random_field() in (shown or [None])

    @rule(count=st.integers(1, 20))
    def scan(self, count):
        cursor, found = 0, []
        while True:
            cursor, some = self.hash.scan(cursor, count)
            found += pairs(some)
            if cursor == 0:
                break
        assert sorted(found) == sorted(self.shown().items())
        assert sorted(self.hash.scan(0, 1000, b"1*", False)[1]) == sorted(name for name in self.shown() if name[:1] == b"1")

    @rule()
    def copy(self):
        other = self.hash.copy()
        assert other.encoding == self.hash.encoding
        self.hash._check()
        self.hash = other

    @rule()
    def there_and_back(self):
        if self.dict:
            other = serial.restore(serial.dump(self.hash))
            if self.hash.encoding == "listpackex" and self.hash.next_expiry is not None:
                assert other.encoding == "listpackex"
            other.hide_until(self.now)
            self.hash = other

    @rule()
    def reload(self):
        if self.hash.encoding == "listpackex":
            other = Hash.from_triples(self.hash.to_packed())
            assert other.encoding == "listpackex" and other.times() == self.hash.times()

    @invariant()
    def same(self):
        self.hash._check()
        shown = self.shown()
        assert len(self.hash) == len(self.dict)
        assert self.hash.next_expiry == min((time for _, time in self.dict.values() if time), default=None)
        assert dict(pairs(self.hash.pairs())) == shown
        assert sorted(self.hash.keys()) == sorted(shown) and sorted(self.hash.values()) == sorted(shown.values())
        assert sorted(self.hash.times()) == sorted((field, value, time) for field, (value, time) in self.dict.items())
        assert self.hash.hides() is (len(shown) < len(self.dict))
        if len(self.dict) > 12 or any(len(x) > 64 for field, (value, _) in self.dict.items() for x in (field, value)):
            assert self.hash.encoding == "hashtable"


AgainstDict.TestCase.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
TestAgainstDict = AgainstDict.TestCase


@pytest.mark.parametrize("count", [10, 2000])
def test_memory(count):
    before = used_memory()
    hash = Hash()
    for n in range(count):
        hash.set(b"field %d" % n, b"value" * (n % 10))
        if n % 3:
            hash.schedule(b"field %d" % n, 1000 + n * 7919 % 1000)
        assert used_memory() - before == hash.memory()
    other = hash.copy()
    assert used_memory() - before == hash.memory() + other.memory()
    assert sorted(other.times()) == sorted(hash.times())
    while other.pop_expired(5000, 7):
        assert used_memory() - before == hash.memory() + other.memory()
    assert len(other) == (count + 2) // 3 and other.next_expiry is None
    other._check()
    del other
    for n in range(0, count, 2):
        hash.set(b"field %d" % n, b"x" * (n % 100))
        hash.delete(b"field %d" % (n + 1))
        assert used_memory() - before == hash.memory()
    hash._check()
    while hash.free_some(100):
        pass
    del hash
    assert used_memory() == before


def test_a_hash_without_times_is_as_it_was():
    assert Hash.__basicsize__ == 32
    hash = Hash()
    hash.set(b"f", b"v")
    assert hash.schedule(b"f", 0) and not hash.schedule(b"g", 5) and not hash.schedule(b"g", 0)
    assert hash.encoding == "listpack" and hash.memory() == 32 + 16 and hash.pop_expired(100, 100) == []


def test_encodings():
    hash = Hash()
    hash.set(b"f", b"v")
    hash.schedule(b"f", 10)
    assert hash.encoding == "listpackex" and hash.memory() <= 32 + 64 + 32
    hash.reserve(12)
    assert hash.encoding == "listpackex"
    hash.reserve(13)
    assert hash.encoding == "hashtable" and hash.time_of(b"f") == 10
    for n in range(100):
        hash.set(b"%d" % n, b"v")
    hash = Hash()
    hash.reserve(1000)
    hash.set(b"f", b"v")
    hash.schedule(b"f", 10)
    assert hash.encoding == "hashtable" and hash.next_expiry == 10
    hash.set(b"f", b"w")
    assert hash.next_expiry is None


def test_many_hidden():
    """What is shown is found among many fields that are not."""
    hash = Hash()
    for n in range(3000):
        hash.set(b"%d" % n, b"%d" % n)
        if n % 300:
            hash.schedule(b"%d" % n, 10)
    hash.hide_until(10)
    shown = {b"%d" % n for n in range(0, 3000, 300)}
    assert set(hash.sample(100)) == shown and set(hash.sample(2)) < shown
    assert set(hash.draw(100)) <= shown and hash.random_field() in shown
    assert set(hash.keys()) == shown and len(hash) == 3000
    hash.hide_until(9)
    assert len(hash.keys()) == 3000


def test_foreign_bytes():
    def pack(*values):
        pack = Listpack()
        for value in values:
            pack.append(value) if isinstance(value, bytes) else pack.append_integer(value)
        return bytes(pack)

    assert Hash.from_triples(pack(b"a", b"1", 5, b"b", b"2", 0)).times() == [(b"a", b"1", 5), (b"b", b"2", 0)]
    unordered = Hash.from_triples(pack(b"c", b"3", 0, b"a", b"1", 7, b"b", b"2", 5))
    assert unordered.times() == [(b"b", b"2", 5), (b"a", b"1", 7), (b"c", b"3", 0)]
    unordered._check()
    large = Hash.from_triples(pack(*[x for n in range(1, 14) for x in (b"%d" % n, b"v", n)]))
    assert large.encoding == "hashtable" and large.next_expiry == 1
    assert Hash.from_triples(pack(b"a", b"1" * 65, 5)).encoding == "hashtable"
    before = used_memory()
    for bad in (b"", pack(b"a"), pack(b"a", b"1"), pack(b"a", b"1", b"x"), pack(b"a", b"1", -1), pack(b"a", b"1", 2**48),
                pack(b"a", b"1", 5, b"a", b"2", 0), pack(b"a", b"1", 0, b"a", b"2", 5)):
        with pytest.raises(ValueError):
            Hash.from_triples(bad)
    assert used_memory() == before


@pytest.mark.skipif(os.environ.get("PYTHONMALLOC") == "debug", reason="slow")
def test_many_times():
    """The heap keeps its order through a hundred thousand changes."""
    hash = Hash()
    hash.reserve(10000)
    for n in range(10000):
        hash.set(b"%d" % n, b"")
        hash.schedule(b"%d" % n, 1 + n * 7919 % 10007)
    for n in range(90000):
        hash.schedule(b"%d" % (n % 10000), n * 104729 % 10007)
    hash._check()
    times = sorted(time for _, _, time in hash.times() if time)
    assert hash.next_expiry == times[0]
    popped = [name for at in range(0, 10501, 500) for name in hash.pop_expired(at, 1 << 30)]
    assert len(popped) == len(times) and hash.next_expiry is None
    hash._check()
