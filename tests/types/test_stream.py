"""The stream against a plain model: a dict of entries, and dicts of pending entries."""
import os
import subprocess
import sys

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from carnelian.base.memory import used_memory
from carnelian.types import limits
from carnelian.types.stream import Stream
from carnelian.types.stream_group import CLAIMED, GONE, NOT_CLAIMED, Group
from carnelian.types.stream_id import HIGHEST_ID, format_id

words = st.one_of(st.sampled_from([b"", b"a", b"name", b"0", b"-1", b"127", b"128", b"-4097", b"32768", b"8388608",
                                   b"2147483648", b"-9223372036854775808", b"007", b"x" * 63, b"y" * 64, b"z" * 4096]),
                  st.integers(-2**63, 2**63 - 1).map(lambda n: b"%d" % n), st.binary(max_size=10))
small = st.tuples(st.integers(0, 12), st.integers(0, 4))
names = st.sampled_from([b"c1", b"c2", b"c3"])


def entry(id, fields):
    return [format_id(*id), fields]


class Streams(RuleBasedStateMachine):
    @initialize(entries=st.sampled_from([1, 2, 3, 10, 100, 0]), size=st.sampled_from([0, 1, 64, 4096]))
    def begin(self, entries, size):
        limits.configure("stream-node-max-entries", entries)
        limits.configure("stream-node-max-bytes", size)
        self.memory = used_memory()
        self.stream = Stream()
        self.model = {}
        self.last = self.deleted = (0, 0)
        self.added = 0
        self.now = 1000
        self.group = Group()
        self.stream.add_group(b"g", self.group)
        self.delivered = (0, 0)
        self.pending = {}
        self.consumers = {}

    def teardown(self):
        limits.configure("stream-node-max-entries", 100)
        limits.configure("stream-node-max-bytes", 4096)
        if hasattr(self, "stream"):
            while self.stream.free_some(3):
                pass
            self.group = self.stream = self.consumers = None
            assert used_memory() == self.memory

    def ids(self, low=(0, 0), high=HIGHEST_ID):
        return [id for id in self.model if low <= id <= high]

    # --- the log

    @rule(step=small, fields=st.lists(words, min_size=1, max_size=4), same=st.booleans(), n=st.integers(1, 6))
    def add(self, step, fields, same, n):
        for k in range(n):
            id = (self.last[0] + step[0], step[1] if step[0] else self.last[1] + step[1])
            record = []
            for field in ([b"name", b"1"] if same else fields):
                record += [field, fields[k % len(fields)]]
            added = self.stream.add(id, record)
            assert added == (id > self.last)
            if added:
                self.model[id] = record
                self.last = id
                self.added += 1

    @rule(now=st.integers(0, 30))
    def automatic(self, now):
        id = self.stream.automatic_id(now)
        assert id == ((now, 0) if now > self.last[0] else (self.last[0], self.last[1] + 1))

    @precondition(lambda self: self.model)
    @rule(data=st.data(), n=st.integers(1, 4))
    def delete(self, data, n):
        for _ in range(min(n, len(self.model))):
            id = data.draw(st.sampled_from(list(self.model)))
            assert id in self.stream
            assert self.stream.delete(id)
            del self.model[id]
            self.deleted = max(self.deleted, id)

    @rule(id=small)
    def delete_any(self, id):
        assert (id in self.stream) == (id in self.model)
        assert self.stream.delete(id) == (self.model.pop(id, None) is not None and self.set_deleted(id))

    def set_deleted(self, id):
        self.deleted = max(self.deleted, id)
        return True

    @rule(length=st.integers(0, 20))
    def trim_length(self, length):
        gone = self.ids()[:max(0, len(self.model) - length)]
        assert self.stream.trim_length(length) == len(gone)
        for id in gone:
            del self.model[id]

    @rule(id=small)
    def trim_before(self, id):
        gone = [known for known in self.model if known < id]
        assert self.stream.trim_before(id) == len(gone)
        for known in gone:
            del self.model[known]

    @rule(length=st.integers(0, 20), limit=st.integers(0, 8))
    def trim_some(self, length, limit):
        n = self.stream.trim_length(length, True, limit)
        assert n <= max(0, len(self.model) - length) and (not limit or n <= limit)
        for id in self.ids()[:n]:
            del self.model[id]

    @rule(id=small, limit=st.integers(0, 8))
    def trim_some_before(self, id, limit):
        n = self.stream.trim_before(id, True, limit)
        gone = [known for known in self.model if known < id]
        assert n <= len(gone) and (not limit or n <= limit)
        for known in gone[:n]:
            del self.model[known]

    @rule(low=small, high=small, count=st.integers(-1, 5), backwards=st.booleans())
    def range(self, low, high, count, backwards):
        expected = self.ids(low, high)
        if backwards:
            expected.reverse()
        if count >= 0:
            expected = expected[:count]
        assert self.stream.range(low, high, count, backwards) == [entry(id, self.model[id]) for id in expected]

    @rule()
    def whole(self):
        everything = [entry(id, fields) for id, fields in self.model.items()]
        assert self.stream.range() == everything
        assert self.stream.range(backwards=True) == everything[::-1]

    @rule()
    def copy(self):
        twin = self.stream.copy()
        twin._check()
        assert twin.range() == self.stream.range()
        assert twin.groups[b"g"].pending_entries() == self.group.pending_entries()
        assert (twin.last_id, twin.max_deleted_id, twin.entries_added) == (self.last, self.deleted, self.added)
        loaded = Stream()
        for id, data in self.stream.blocks_as_bytes():
            loaded.load_block(id, data)
        loaded._check()
        assert loaded.range() == self.stream.range() and loaded.first_id == self.stream.first_id
        assert list(loaded.blocks_as_bytes()) == list(self.stream.blocks_as_bytes())

    # --- the group

    @rule(name=names)
    def add_consumer(self, name):
        consumer = self.group.add_consumer(name, self.now)
        assert (consumer is None) == (name in self.consumers)
        if consumer:
            self.consumers[name] = consumer

    @rule(name=names)
    def remove_consumer(self, name):
        mine = [id for id, pending in self.pending.items() if pending[0] == name]
        removed = self.group.remove_consumer(name)
        assert removed == (len(mine) if self.consumers.pop(name, None) else None)
        for id in mine:
            del self.pending[id]

    @precondition(lambda self: self.consumers)
    @rule(data=st.data(), count=st.integers(0, 300), noack=st.booleans())
    def deliver(self, data, count, noack):
        name = data.draw(st.sampled_from(list(self.consumers)))
        self.now += 1
        expected = [id for id in self.model if id > self.delivered]
        if count:
            expected = expected[:count]
        entries = self.group.deliver(self.stream, self.consumers[name], count, self.now, noack)
        assert entries == [entry(id, self.model[id]) for id in expected]
        if expected:
            self.delivered = expected[-1]
        if not noack:
            self.pending.update((id, [name, self.now, 1]) for id in expected)

    @rule(id=small)
    def set_last_id(self, id):
        self.group.set_last_id(id)
        self.delivered = id

    @precondition(lambda self: self.consumers)
    @rule(data=st.data(), after=small, count=st.integers(0, 5))
    def history(self, data, after, count):
        name = data.draw(st.sampled_from(list(self.consumers)))
        self.now += 1
        expected = [id for id in sorted(self.pending) if self.pending[id][0] == name and id > after]
        if count:
            expected = expected[:count]
        entries = self.group.history(self.stream, self.consumers[name], after, count, self.now)
        assert entries == [entry(id, self.model.get(id)) for id in expected]
        for id in expected:
            if id in self.model:
                self.pending[id][1] = self.now
                self.pending[id][2] += 1

    @precondition(lambda self: self.pending)
    @rule(data=st.data(), n=st.integers(1, 50))
    def acknowledge(self, data, n):
        first = data.draw(st.integers(0, len(self.pending)))
        for id in list(self.pending)[first:first + n]:
            assert self.group.acknowledge(id)
            assert not self.group.acknowledge(id)
            del self.pending[id]

    @precondition(lambda self: self.consumers)
    @rule(data=st.data(), other=small, idle=st.integers(0, 3), force=st.booleans(), uncounted=st.booleans(),
          deliveries=st.sampled_from([-1, 0, 7]))
    def claim(self, data, other, idle, force, uncounted, deliveries):
        name = data.draw(st.sampled_from(list(self.consumers)))
        id = data.draw(st.sampled_from(sorted(self.pending) + [other]))
        said = self.group.claim(self.stream, self.consumers[name], id, idle, self.now, self.now - 5, deliveries, force,
                                uncounted)
        known = self.pending.get(id)
        if id not in self.model:
            assert said == (GONE if known else NOT_CLAIMED)
            self.pending.pop(id, None)
        elif known and idle and self.now - known[1] < idle or not known and not force:
            assert said == NOT_CLAIMED
        else:
            assert said == CLAIMED
            count = (known or [0, 0, 1])[2]
            if deliveries >= 0:
                count = deliveries
            elif not uncounted:
                count += 1
            self.pending[id] = [name, self.now - 5, count]

    @rule(low=small, high=small, count=st.integers(-1, 3), name=names, idle=st.integers(0, 3))
    def pending_range(self, low, high, count, name, idle):
        consumer = self.consumers.get(name)
        expected = [(id, *self.pending[id]) for id in sorted(self.pending) if low <= id <= high
                    and (not consumer or self.pending[id][0] == name) and self.now - self.pending[id][1] >= idle]
        if count >= 0:
            expected = expected[:count]
        assert self.group.pending_entries(low, high, count, consumer, self.now, idle) == expected

    @invariant()
    def same(self):
        if not hasattr(self, "stream"):
            return
        self.stream._check()
        assert self.stream.length == len(self.model)
        assert len(self.stream) == len(self.model) + 1 + len(self.pending)
        assert self.stream.first_id == (next(iter(self.model)) if self.model else (0, 0))
        assert self.stream.last_id == self.last
        assert self.stream.max_deleted_id == self.deleted
        assert self.stream.entries_added == self.added
        assert self.group.pending_entries() == [(id, *self.pending[id]) for id in sorted(self.pending)]
        assert self.group.last_id == self.delivered
        for name, consumer in self.consumers.items():
            assert consumer.pending_ids() == [id for id in sorted(self.pending) if self.pending[id][0] == name]


TestStreams = Streams.TestCase
TestStreams.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


@pytest.mark.parametrize("order", ["rising", "falling", "mixed"])
def test_many_pending(order):
    """Chunks of pending entries split, fill and merge."""
    group = Group()
    consumers = [group.add_consumer(b"%d" % k, 0) for k in range(3)]
    ids = [(k // 7, k % 7) for k in range(3000)]
    step = {"rising": 1, "falling": -1, "mixed": 7919}[order]
    shuffled = [ids[k * step % 3000] for k in range(3000)]
    for id in shuffled:
        group.add_pending(id, consumers[id[0] % 3], 5, 1)
    group._check()
    assert [found[0] for found in group.pending_entries()] == ids
    for k, id in enumerate(shuffled):
        if k % 5:
            assert group.acknowledge(id)
        if k % 500 == 0:
            group._check()
    left = sorted(shuffled[::5])
    assert [found[0] for found in group.pending_entries()] == left
    assert group.pending_bounds() == (left[0], left[-1])
    assert consumers[1].pending_ids() == [id for id in left if id[0] % 3 == 1]
    assert group.pending_entry(left[5])[1:] == (5, 1)
    assert group.pending_entry((9999, 9)) is None


def test_loading_pending_entries():
    """As an RDB file has them: first those of the group, then to whom they belong."""
    group = Group((5, 0), 3)
    for k in range(1, 4):
        group.add_pending((k, 0), None, 100 * k, k)
    with pytest.raises(ValueError):
        group.add_pending((2, 0), None, 1, 1)
    assert group.pending_entry((2, 0)) == (None, 200, 2)
    consumer = group.add_consumer(b"c", 7)
    consumer.active_time = 6
    group.assign((1, 0), consumer)
    group.assign((3, 0), consumer)
    for id in ((1, 0), (9, 9)):
        with pytest.raises(ValueError):
            group.assign(id, consumer)
    assert not group.is_complete
    assert group.copy().pending_entries() == group.pending_entries()
    group.assign((2, 0), consumer)
    assert group.is_complete
    group._check()
    assert consumer.pending_ids() == [(1, 0), (2, 0), (3, 0)]
    assert group.pending_entries() == [((k, 0), b"c", 100 * k, k) for k in range(1, 4)]
    assert (group.last_id, group.entries_read, consumer.seen_time, consumer.active_time) == ((5, 0), 3, 7, 6)


def test_ids_at_the_end():
    stream = Stream()
    assert stream.add((HIGHEST_ID[0], HIGHEST_ID[1] - 1), [b"f", b"v"])
    assert stream.automatic_id(5) == HIGHEST_ID
    assert stream.add(HIGHEST_ID, [b"f", b"v"])
    assert stream.automatic_id(5) is None
    assert [id for id, _ in stream.range()] == [b"18446744073709551615-18446744073709551614",
                                                b"18446744073709551615-18446744073709551615"]
    group = Group()
    reader = group.add_consumer(b"c", 0)
    assert len(group.deliver(stream, reader, 0, 1, False)) == 2
    assert group.deliver(stream, reader, 0, 1, False) == []
    assert group.history(stream, reader, HIGHEST_ID, 0, 1) == []


def test_sequence_below_the_key():
    """A block's key may have a higher sequence than a later entry, with higher milliseconds."""
    stream = Stream()
    ids = [(1, HIGHEST_ID[1]), (2, 0), (3, 5), (HIGHEST_ID[0], 0)]
    for id in ids:
        stream.add(id, [b"f", b"%d" % id[0]])
    stream._check()
    assert stream.block_count == 1
    assert [text for text, _ in stream.range()] == [format_id(*id) for id in ids]
    assert [text for text, _ in stream.range(backwards=True)] == [format_id(*id) for id in reversed(ids)]
    assert all(id in stream for id in ids)


def test_trimming_needs_no_search():
    """Entries at one end and trims at the other: the index of blocks moves on without growing."""
    limits.configure("stream-node-max-entries", 2)
    try:
        stream = Stream()
        for k in range(1, 5000):
            stream.add((k, 0), [b"f", b"v"])
            stream.trim_length(10)
        stream._check()
        assert stream.memory() < 4096
        assert [text for text, _ in stream.range(count=2)] == [b"4990-0", b"4991-0"]
    finally:
        limits.configure("stream-node-max-entries", 100)


def test_the_first_entry_is_found_after_the_count_has_grown():
    """The count in the master entry takes a second byte at 128 entries, and all entries of the block move."""
    limits.configure("stream-node-max-entries", 0)
    try:
        stream = Stream()
        for k in range(1, 101):
            stream.add((k, 0), [b"f", b"v"])
        stream.trim_length(95)
        for k in range(101, 300):
            stream.add((k, 0), [b"f", b"v"])
            stream._check()
        assert stream.trim_length(150) == 144
        stream._check()
        assert stream.first_id == (150, 0)
    finally:
        limits.configure("stream-node-max-entries", 100)


def test_entry_as_large_as_many_blocks():
    stream = Stream()
    stream.add((1, 0), [b"f", b"v" * 3_000_000])
    stream.add((2, 0), [b"f" * 70_000, b"v"])
    stream.add((3, 0), [word for k in range(70_000) for word in (b"f", b"%d" % k)])
    stream.add((4, 0), [b"f", b"1"])
    stream._check()
    assert [[len(word) for word in fields[:2]] for _, fields in stream.range(backwards=True)] == [
        [1, 1], [1, 1], [70_000, 1], [1, 3_000_000]]
    assert len(stream.range((3, 0), (3, 0))[0][1]) == 140_000
    assert stream.copy().range() == stream.range()


def test_damaged_blocks_are_refused():
    stream = Stream()
    for k in range(1, 6):
        stream.add((k, 0), [b"f", b"value", b"n", b"%d" % k] if k != 3 else [b"g", b"other"])
    stream.delete((2, 0))
    (id, data), = stream.blocks_as_bytes()
    good = Stream()
    good.load_block(id, data)
    with pytest.raises(ValueError):
        good.load_block(id, data)
    for at in range(len(data)):
        for value in (0, 1, 2, 5, 127, 128, 240, 241, 255, data[at] ^ 1):
            changed = data[:at] + bytes([value]) + data[at + 1:]
            other = Stream()
            try:
                other.load_block(id, changed)
            except ValueError:
                assert len(other) == 0
            else:                       # a value or a field has changed, nothing else
                other._check()
                assert len(other.range()) == 4
    for size in range(len(data)):
        with pytest.raises(ValueError):
            Stream().load_block(id, data[:size])


def test_freeing_in_slices():
    before = used_memory()
    stream = Stream()
    for k in range(1, 2001):
        stream.add((k, 0), [b"f", b"v"])
    for name in (b"g", b"h"):
        group = Group()
        stream.add_group(name, group)
        group.deliver(stream, group.add_consumer(b"c", 0), 500, 0, False)
    group = None
    left = len(stream)
    assert left == 2000 + 2 * 501
    while left:
        now = stream.free_some(150)
        assert 100 <= left - now <= 250 or now == 0
        left = now
    stream = None
    assert used_memory() == before


def test_lag():
    stream = Stream()
    group = Group()
    reader = group.add_consumer(b"c", 0)
    assert group.lag(stream) == 0
    for k in range(1, 6):
        stream.add((k, 0), [b"f", b"v"])
    assert group.lag(stream) == 5
    group.deliver(stream, reader, 2, 0, False)
    assert (group.entries_read, group.lag(stream)) == (2, 3)
    stream.delete((4, 0))
    assert group.lag(stream) is None
    group.deliver(stream, reader, 1, 0, False)
    assert (group.entries_read, group.lag(stream)) == (-1, None)
    group.deliver(stream, reader, 1, 0, False)
    assert (group.entries_read, group.lag(stream)) == (5, 0)


@pytest.mark.skipif("PYTHONMALLOC" in os.environ, reason="is the subprocess")
def test_with_guarded_memory():
    """The same tests with the guards of Python's debug allocator around every block."""
    run = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__],
                         env=os.environ | {"PYTHONMALLOC": "debug"}, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
