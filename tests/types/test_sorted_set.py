"""Sorted sets, small and large, against a dictionary sorted in plain Python."""
import gc
import math
import os
import random
import subprocess
import sys

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from carnelian.base.memory import used_memory
from carnelian.types import limits
from carnelian.types.sorted_set import ADDED, GT, INCR, LT, NAN, NOTHING, NX, UPDATED, XX, SortedSet

members = st.one_of(
    st.integers(-3, 30).map(lambda n: b"%d" % n),
    st.binary(max_size=3),
    st.sampled_from([b"", b"a" * 64, b"a" * 65, b"a" * 70 + b"b", b"\xff", b"\x00", b"m:10", b"m:9"]),
)
scores = st.one_of(
    st.integers(-3, 3).map(float),
    st.sampled_from([0.0, -0.0, 0.1, 1e17, -1e19, 2.0**53, 2.0**62, -(2.0**62), 4e18, 1e300, 5e-324, math.inf, -math.inf]),
    st.floats(allow_nan=False),
)


@pytest.fixture(autouse=True)
def usual_limits():
    yield
    limits.configure("zset-max-listpack-entries", 128)
    limits.configure("zset-max-listpack-value", 64)


def longhand(members_and_scores):
    return [x for pair in members_and_scores for x in pair]


class AgainstDict(RuleBasedStateMachine):
    @initialize(entries=st.sampled_from([0, 4, 128]), length=st.sampled_from([2, 64]), seed=st.integers(0, 1 << 30))
    def begin(self, entries, length, seed):
        limits.configure("zset-max-listpack-entries", entries)
        limits.configure("zset-max-listpack-value", length)
        self.entries, self.length, self.random = entries, length, random.Random(seed)
        self.set, self.dict, self.large = SortedSet(), {}, False

    def order(self):
        return sorted(self.dict.items(), key=lambda pair: (pair[1], pair[0]))

    def outgrow(self, member):
        self.large = self.large or len(self.dict) > self.entries or len(member) > self.length

    @rule(member=members, score=scores, flags=st.sets(st.sampled_from([INCR, NX, XX, GT, LT])))
    def put(self, member, score, flags):
        before = self.dict.get(member)
        outcome, result = self.set.put(member, score, sum(flags))
        if before is None:
            if XX in flags:
                assert (outcome, result) == (NOTHING, None)
                return
            assert (outcome, result) == (ADDED, score)
        else:
            if NX in flags:
                assert (outcome, result) == (NOTHING, None)
                return
            if INCR in flags:
                score += before
                if math.isnan(score):
                    assert (outcome, result) == (NAN, None)
                    return
            if LT in flags and score >= before or GT in flags and score <= before:
                assert (outcome, result) == (NOTHING, None)
                return
            assert (outcome, result) == (UPDATED if score != before else 0, score)
        self.dict[member] = score
        if before is None:
            self.outgrow(member)

    @rule(n=st.integers(1, 400), kind=st.sampled_from(["random", "ties", "rising", "falling"]))
    def put_many(self, n, kind):
        if len(self.dict) > 2000:
            return
        for i in range(n):
            member = b"m:%d" % self.random.randrange(10000)
            score = {"random": self.random.random(), "ties": 1.0, "rising": float(len(self.dict) + i),
                     "falling": -float(len(self.dict) + i)}[kind]
            known = member in self.dict
            self.set.put(member, score)
            self.dict[member] = score
            if not known:
                self.outgrow(member)

    @rule(n=st.integers(1, 300))
    def move_many(self, n):
        chosen = self.random.sample(list(self.dict), min(n, len(self.dict)))
        for member in chosen:
            score = self.dict[member] + self.random.choice([0.001, -0.001, 5.0, -5.0])
            self.set.put(member, score)
            self.dict[member] = score

    @rule(n=st.integers(1, 600))
    def discard_many(self, n):
        for member in self.random.sample(list(self.dict), min(n, len(self.dict))):
            assert self.set.discard(member) is True
            del self.dict[member]

    @rule(member=members)
    def discard(self, member):
        assert self.set.discard(member) is (self.dict.pop(member, None) is not None)

    @rule(start=st.integers(0, 2000), n=st.integers(0, 300), from_front=st.booleans())
    def remove_interval(self, start, n, from_front):
        order = self.order()
        start = min(start, len(order)) if from_front else max(len(order) - start, 0)
        chosen = order[start:start + n]
        assert self.set.remove_interval(start, start + n) == len(chosen)
        for member, _ in chosen:
            del self.dict[member]

    @rule(count=st.integers(0, 50), highest=st.booleans())
    def pop(self, count, highest):
        order = self.order()
        chosen = (order[::-1] if highest else order)[:count]
        assert self.set.pop(count, highest) == longhand(chosen)
        for member, _ in chosen:
            del self.dict[member]

    @rule(member=members)
    def look_up(self, member):
        assert self.set.score(member) == self.dict.get(member)
        assert (member in self.set) is (member in self.dict)
        ranks = {m: i for i, (m, _) in enumerate(self.order())}
        assert self.set.rank_of(member) == ranks.get(member)

    @rule(low=scores, high=scores, low_open=st.booleans(), high_open=st.booleans())
    def by_score(self, low, high, low_open, high_open):
        start, stop = self.set.score_interval(low, low_open, high, high_open)
        expected = [(m, s) for m, s in self.order()
                    if (s > low or s == low and not low_open) and (s < high or s == high and not high_open)]
        assert self.set.items(start, stop) == longhand(expected)
        assert self.set.items(start, stop, True) == longhand(reversed(expected))

    @rule(low=members, high=members, ends=st.tuples(st.sampled_from("[(-"), st.sampled_from("[(+")))
    def by_member(self, low, high, ends):
        if len(set(self.dict.values())) > 1:
            return
        low_text = b"-" if ends[0] == "-" else ends[0].encode() + low
        high_text = b"+" if ends[1] == "+" else ends[1].encode() + high
        start, stop = self.set.member_interval(low_text, high_text)
        assert self.set.members(start, stop) == [
            m for m in sorted(self.dict)
            if (ends[0] == "-" or m > low or m == low and ends[0] == "[")
            and (ends[1] == "+" or m < high or m == high and ends[1] == "[")]

    @rule(start=st.integers(0, 2000), n=st.integers(0, 100))
    def by_rank(self, start, n):
        order = self.order()
        assert self.set.items(start, start + n) == longhand(order[start:start + n])
        assert self.set.members(start, start + n, True) == [m for m, _ in reversed(order[start:start + n])]
        if start < len(order):
            assert self.set.at(start) == order[start]
        else:
            with pytest.raises(IndexError):
                self.set.at(start)

    @rule()
    def every_rank(self):
        for rank, (member, score) in enumerate(self.order()):
            assert self.set.rank_of(member) == rank
            assert self.set.score(member) == score

    @rule()
    def equal_scores(self):
        for member in self.dict:
            self.set.put(member, 7.0)
            self.dict[member] = 7.0

    @rule()
    def scan(self):
        cursor, found = 0, {}
        while True:
            cursor, items = self.set.scan(cursor, 10)
            found.update(zip(items[::2], map(float, items[1::2])))
            if cursor == 0:
                break
        assert found == self.dict

    @rule()
    def copy(self):
        self.set = self.set.copy()

    @rule(start=st.integers(0, 300), n=st.integers(0, 300))
    def part(self, start, n):
        stop = min(start + n, len(self.dict))
        part = self.set.part(start, stop)
        part._check()
        assert part.items() == longhand(self.order()[start:stop])

    @rule()
    def through_listpack(self):
        data = self.set.listpack()
        if data is not None:
            self.set = SortedSet.from_listpack(data)

    @invariant()
    def the_same(self):
        if not hasattr(self, "set"):
            return
        self.set._check()
        assert len(self.set) == len(self.dict)
        assert self.set.items() == longhand(self.order())
        assert self.set.items(0, None, True) == longhand(self.order()[::-1])
        assert self.set.encoding == ("skiplist" if self.large else "listpack")
        assert self.set.memory() > 0


AgainstDict.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestAgainstDict = AgainstDict.TestCase


def test_size_of_the_object():
    """One pointer, no garbage collector's header: what memory() and the accounting take for granted."""
    assert SortedSet.__basicsize__ == 32 and not gc.is_tracked(SortedSet())


def test_memory_is_given_back():
    before = used_memory()
    values = SortedSet()
    for i in range(5000):
        values.put(b"member:%d" % i, i % 700)
    assert used_memory() - before == values.memory(0)
    while (left := values.free_some(100)):
        assert left <= 5000
    del values
    small = SortedSet()
    small.put(b"a", 1.5)
    assert used_memory() - before == small.memory()
    assert small.free_some(10) == 0
    del small
    assert used_memory() == before


def test_a_half_freed_set_can_be_dropped():
    before = used_memory()
    for rounds in (1, 30, 70):
        values = SortedSet()
        for i in range(3000):
            values.put(b"member:%d" % i, -i)
        for _ in range(rounds):
            values.free_some(50)
        del values
        assert used_memory() == before


def test_popping_all_leaves_no_nodes():
    values = SortedSet()
    for i in range(20000):
        values.put(b"%d" % i, i * 7919 % 20000)
    while values:
        values.pop(1, len(values) % 3 == 0)
        if len(values) % 1000 == 0:
            values._check()
    assert values.memory() < 1000


@pytest.mark.parametrize("seed", range(4))
def test_a_deep_tree(seed):
    """Thousands of members, in at least three levels of nodes, added, moved and removed in runs and at random."""
    draw = random.Random(seed)
    values, expected = SortedSet(), {}
    for turn in range(60):
        kind = draw.choice(["random", "rising", "ties", "move", "remove", "interval"])
        for i in range(draw.randrange(600)):
            member = b"%d" % draw.randrange(8000)
            if kind in ("random", "rising", "ties"):
                score = {"random": draw.random() * 1000, "rising": 1000.0 + turn * 600 + i, "ties": 500.0}[kind]
                values.put(member, score)
                expected[member] = score
            elif kind == "move" and member in expected:
                step = draw.uniform(-1, 1)
                expected[member] += step
                assert values.put(member, step, INCR)[1] == expected[member]
            elif kind == "remove":
                assert values.discard(member) is (expected.pop(member, None) is not None)
        if kind == "interval" and expected:
            start = draw.randrange(len(expected))
            stop = min(start + draw.choice([1, 10, 300, 3000]), len(expected))
            for member in values.members(start, stop):
                del expected[member]
            assert values.remove_interval(start, stop) == stop - start
        values._check()
        order = sorted(expected.items(), key=lambda pair: (pair[1], pair[0]))
        assert values.items() == longhand(order)
        for rank in draw.sample(range(len(order)), min(20, len(order))):
            assert values.rank_of(order[rank][0]) == rank
            assert values.at(rank) == order[rank]
            assert values.items(rank, rank + 50, True) == longhand(reversed(order[rank:rank + 50]))


def test_scan():
    values = SortedSet()
    values.put(b"a1", 0.1)
    values.put(b"b2", 3)
    assert values.scan(0, 10) == (0, [b"a1", b"0.1", b"b2", b"3"])
    assert values.scan(7, 1, b"b*") == (0, [b"b2", b"3"])
    for i in range(200):
        values.put(b"c%d" % i, 0.1)
    cursor, found = values.scan(0, 20)
    assert cursor != 0 and 40 <= len(found) < 200
    assert b"0.10000000000000001" in found
    cursor, found = values.scan(0, 1000, b"a*")
    assert cursor == 0 and found[0] == b"a1"


def test_encoding_is_chosen_beforehand():
    values = SortedSet()
    values.prepare(128, 64)
    assert values.encoding == "listpack"
    values.prepare(129, 1)
    assert values.encoding == "skiplist"
    values = SortedSet()
    values.prepare(1, 65)
    assert values.encoding == "skiplist"


def test_format_of_the_listpack():
    """Members as strings or integers, each followed by its score: an integer where it is one, else its shortest text."""
    values = SortedSet()
    values.put(b"x", 2.5)
    values.put(b"7", -1)
    values.put(b"y", math.inf)
    assert values.listpack() == (b"\x1c\x00\x00\x00\x06\x00" b"\x07\x01" b"\xdf\xff\x02" b"\x81x\x02" b"\x832.5\x04"
                                 b"\x81y\x02" b"\x83inf\x04" b"\xff")


@pytest.mark.parametrize("data", [
    b"",
    b"\x07\x00\x00\x00\x00\x00",
    b"\x09\x00\x00\x00\x01\x00\x01\x01\xff",                            # a member alone
    b"\x0c\x00\x00\x00\x02\x00\x01\x01\x81x\x02\xff",                   # a score that is no number
    b"\x0f\x00\x00\x00\x04\x00\x02\x01\x02\x01\x01\x01\x01\x01\xff",    # out of order
    b"\x0f\x00\x00\x00\x04\x00\x01\x01\x01\x01\x01\x01\x02\x01\xff",    # a member twice
])
def test_bad_listpacks(data):
    before = used_memory()
    with pytest.raises(ValueError):
        SortedSet.from_listpack(data)
    assert used_memory() == before


@pytest.mark.skipif(os.environ.get("PYTHONMALLOC") == "debug", reason="this is the run within")
def test_with_guarded_memory():
    """All of the above with guards around every block."""
    run = subprocess.run([sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", __file__],
                         env={**os.environ, "PYTHONMALLOC": "debug"}, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
