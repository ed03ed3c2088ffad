"""Lists against a plain list, in both encodings, with nodes of all sizes and plain nodes."""
import os
import subprocess
import sys

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from carnelian.base.memory import used_memory
from carnelian.types import chain, limits
from carnelian.types.list import List

elements = st.one_of(
    st.sampled_from([b"a", b"b", b"c", b"1", b"-5", b"1000000"]),
    st.binary(max_size=20),
    st.integers(-(2**64), 2**64).map(lambda n: b"%d" % n),
    st.sampled_from([60, 127, 500, 2000, 4090, 5000, 9000]).map(lambda n: b"x" * n),
)
batches = st.lists(elements, max_size=8)
indexes = st.integers(-30, 30)


def kept(values, start, stop):
    """What LTRIM keeps, LRANGE shows."""
    n = len(values)
    start = max(start + n, 0) if start < 0 else start
    stop = stop + n if stop < 0 else stop
    return values[start:stop + 1] if stop >= 0 else []


def positions(values, element, rank, count, most):
    found = [(i, e) for i, e in enumerate(values)]
    if rank < 0:
        found.reverse()
    found = [i for i, e in found[:most or None] if e == element][abs(rank) - 1:]
    return found[:count or None]


@pytest.fixture(autouse=True)
def usual_limits():
    yield
    limits.configure("list-max-listpack-size", -2)
    chain.set_packed_threshold(0)


class AgainstList(RuleBasedStateMachine):
    @initialize(size=st.sampled_from([-2, -1, 1, 2, 3, 7, 20, 128]), plain=st.sampled_from([0, 0, 10, 100]))
    def begin(self, size, plain):
        limits.configure("list-max-listpack-size", size)
        chain.set_packed_threshold(plain)
        self.values, self.list = List(), []

    @rule(batch=batches)
    def push_left(self, batch):
        for element in batch:
            self.values.push_left(element)
            self.list.insert(0, element)

    @rule(batch=batches)
    def push_right(self, batch):
        for element in batch:
            self.values.push_right(element)
            self.list.append(element)

    @rule(batch=batches, left=st.booleans())
    def extend(self, batch, left):
        if left:
            self.values.extend_left(tuple(batch))
            self.list[:0] = batch[::-1]
        else:
            self.values.extend_right(tuple(batch))
            self.list.extend(batch)

    @rule(n=st.integers(1, 12), left=st.booleans())
    def pop(self, n, left):
        for _ in range(n):
            wanted = None if not self.list else self.list.pop(0 if left else -1)
            assert (self.values.pop_left() if left else self.values.pop_right()) == wanted

    @rule(n=st.integers(1, 30), element=elements, left=st.booleans())
    def rotate(self, n, element, left):
        """A queue: in at one end, out at the other."""
        for _ in range(n):
            if left:
                self.values.push_left(element)
                self.list.insert(0, element)
                assert self.values.pop_right() == self.list.pop()
            else:
                self.values.push_right(element)
                self.list.append(element)
                assert self.values.pop_left() == self.list.pop(0)

    @rule(index=indexes)
    def index(self, index):
        inside = -len(self.list) <= index < len(self.list)
        assert self.values.index(index) == (self.list[index] if inside else None)

    @rule(index=indexes, element=elements)
    def set(self, index, element):
        if -len(self.list) <= index < len(self.list):
            self.values.set(index, element)
            self.list[index] = element
        else:
            with pytest.raises(IndexError):
                self.values.set(index, element)

    @rule(index=st.integers(0, 30), element=elements, before=st.booleans())
    def insert(self, index, element, before):
        pivot = self.list[index] if index < len(self.list) else b"nowhere"
        found = pivot in self.list
        assert self.values.insert(pivot, element, before) is found
        if found:
            self.list.insert(self.list.index(pivot) + (not before), element)

    @rule(count=st.integers(-4, 4), index=st.integers(0, 30))
    def remove(self, count, index):
        element = self.list[index] if index < len(self.list) else b"nowhere"
        places = [i for i, e in enumerate(self.list) if e == element]
        places = (places[count:] if count < 0 else places[:count or None])
        assert self.values.remove(count, element) == len(places)
        for i in reversed(places):
            del self.list[i]

    @rule(start=indexes, stop=indexes)
    def range(self, start, stop):
        assert self.values.range(start, stop) == kept(self.list, start, stop)

    @rule(start=st.integers(-40, 8), stop=st.integers(-8, 40))
    def trim(self, start, stop):
        rest = kept(self.list, start, stop)
        assert self.values.trim(start, stop) == len(self.list) - len(rest)
        self.list = rest

    @rule(index=st.integers(0, 30), rank=st.sampled_from([1, 2, 3, -1, -2, -3]), count=st.integers(0, 3),
          most=st.integers(0, 20))
    def positions(self, index, rank, count, most):
        element = self.list[index] if index < len(self.list) else b"a"
        assert (self.values.positions(element, rank, count, most)
                == positions(self.list, element, rank, count, most))

    @rule()
    def copy(self):
        twin = self.values.copy()
        twin._check()
        assert twin.range(0, -1) == self.list and twin.encoding == self.values.encoding
        assert twin.memory() <= self.values.memory()
        self.values = twin

    @invariant()
    def same(self):
        if hasattr(self, "list"):
            self.values._check()
            assert len(self.values) == len(self.list)
            assert self.values.range(0, -1) == self.list
            if self.list:
                assert self.values.positions(self.list[0], 1, 0, 0) == [
                    i for i, e in enumerate(self.list) if e == self.list[0]]

    def teardown(self):
        if hasattr(self, "list"):
            before, size = used_memory(), self.values.memory()
            del self.values
            assert before - used_memory() == size
        limits.configure("list-max-listpack-size", -2)
        chain.set_packed_threshold(0)


TestAgainstList = AgainstList.TestCase


def encoding_after(*pushes):
    values = List()
    for push in pushes:
        values.extend_right(push)
    return values.encoding


def test_the_border_of_the_listpack_counts_what_is_added_without_its_headers():
    # An element of 4000 bytes takes 4004 in a listpack, whose own header and end take 7.
    full = (b"x" * 4000,)
    assert encoding_after(full, (b"x" * (8192 - 4011),)) == "listpack"
    assert encoding_after(full, (b"x" * (8192 - 4010),)) == "quicklist"
    assert encoding_after((b"x" * 4000, b"x" * (8192 - 4007))) == "listpack"
    assert encoding_after((b"x" * 4000, b"x" * (8192 - 4006))) == "quicklist"
    limits.configure("list-max-listpack-size", 3)
    assert encoding_after((b"a", b"b"), (b"c",)) == "listpack"
    assert encoding_after((b"a", b"b"), (b"c", b"d")) == "quicklist"


def test_it_becomes_a_listpack_again_at_half_a_node():
    values = List()
    values.extend_right(tuple(b"%090d" % i for i in range(91)))
    assert values.encoding == "quicklist" and values.nodes == 2
    while values.encoding == "quicklist":
        values.pop_right()
        values._check()
    assert len(values) == (4096 - 7) // 93
    limits.configure("list-max-listpack-size", 4)
    values = List()
    values.extend_right((b"a", b"b", b"c", b"d", b"e"))
    values.trim(0, 2)
    assert values.encoding == "quicklist"
    values.remove(0, b"b")
    assert values.encoding == "listpack" and values.range(0, -1) == [b"a", b"c"]


def test_the_longest_negative_count_and_rank():
    values = List()
    values.extend_right((b"a", b"b", b"a"))
    assert values.positions(b"a", -(2**63), 0) == []
    assert values.remove(-(2**63), b"a") == 2
    assert values.range(-(2**63), 2**63 - 1) == [b"b"]


def test_nodes_are_full_and_memory_is_what_they_hold():
    values = List()
    for i in range(100_000):
        values.push_left(b"%020d" % i)              # 22 bytes in a listpack
    assert values.memory() < 100_000 * 22.3
    values._check()
    before = values.memory()
    for i in range(99_000):
        assert values.pop_right() == b"%020d" % i
    assert values.memory() < before / 50


def test_freeing_in_slices():
    values = List()
    values.extend_right(tuple(b"%090d" % i for i in range(1000)))
    before, size = used_memory(), values.memory()
    assert 850 < values.free_some(50) <= 950
    assert values.free_some(0) == len(values)
    values._check()
    slices = 0
    while values.free_some(200):
        slices += 1
    assert slices >= 3
    del values
    assert before - used_memory() == size


@pytest.mark.skipif(os.environ.get("PYTHONMALLOC") == "debug", reason="this is the run itself")
def test_no_byte_outside_the_blocks():
    """The same tests with the allocator's guards."""
    result = subprocess.run([sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", __file__],
                            env={**os.environ, "PYTHONMALLOC": "debug"}, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
