"""The hash table against a dict."""
import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from carnelian.base.memory import used_memory
from carnelian.types import hashing
from carnelian.types.table import Table

EXPIRES, RAW, SEEN = 16, 32, 64
MASK = 2**64 - 1


def siphash_1_3(seed: bytes, data: bytes) -> int:
    """https://www.aumasson.jp/siphash/siphash.pdf, in plain Python."""
    k0, k1 = int.from_bytes(seed[:8], "little"), int.from_bytes(seed[8:], "little")
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def turn(x, n):
        return (x << n | x >> (64 - n)) & MASK

    def mix(a, b, n):
        v[a] = (v[a] + v[b]) & MASK
        v[b] = turn(v[b], n) ^ v[a]

    def sip_round():
        mix(0, 1, 13)
        mix(2, 3, 16)
        v[0] = turn(v[0], 32)
        mix(2, 1, 17)
        mix(0, 3, 21)
        v[2] = turn(v[2], 32)

    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) & 255])
    for i in range(0, len(padded), 8):
        word = int.from_bytes(padded[i:i + 8], "little")
        v[3] ^= word
        sip_round()
        v[0] ^= word
    v[2] ^= 0xFF
    for _ in range(3):
        sip_round()
    return v[0] ^ v[1] ^ v[2] ^ v[3]


@pytest.fixture
def seed():
    """The published test vectors' key; a random one again afterwards."""
    chosen = bytes(range(16))
    hashing.set_seed(chosen)
    yield chosen
    hashing.set_seed(os.urandom(16))


def test_hash_is_siphash_1_3(seed):
    for n in range(70):
        data = bytes(range(n))
        assert hashing.hash_of(data) == siphash_1_3(seed, data) & 0xFFFFFFFF
    with pytest.raises(ValueError):
        hashing.set_seed(b"short")


def key(i: int) -> bytes:
    return b"key:%d" % i


# What a value may be: inline bytes, a score, or an object (which the table keeps alive).
values = st.one_of(st.binary(max_size=40), st.floats(allow_nan=False), st.lists(st.integers(), max_size=2))
numbers = st.integers(0, 400)


class TableMachine(RuleBasedStateMachine):
    """Every effect on a dict as well; scans stay open across changes, growth and shrinking."""

    @initialize()
    def begin(self):
        self.table = Table()
        self.model = {}
        self.flags = {}
        self.scans = []
        self.held = 0

    def put_one(self, name, value):
        self.table.put(name, value)
        self.model[name] = value

    def pop_one(self, name):
        assert self.table.pop(name, "absent") == self.model.pop(name, "absent")
        for scan in self.scans:
            scan["due"].discard(name)

    @rule(i=numbers, value=values)
    def put(self, i, value):
        self.put_one(key(i), value)

    @rule(first=numbers, n=st.integers(1, 300))
    def put_many(self, first, n):
        for i in range(first, first + n):
            self.put_one(key(i), b"v%d" % i)

    @rule(i=numbers)
    def pop(self, i):
        self.pop_one(key(i))

    @rule(first=numbers, n=st.integers(1, 400))
    def pop_many(self, first, n):
        for i in range(first, first + n):
            self.pop_one(key(i))

    @rule(i=numbers)
    def get(self, i):
        assert self.table.get(key(i), "absent") == self.model.get(key(i), "absent")

    @rule(i=numbers, flags=st.sampled_from([0, EXPIRES, RAW, EXPIRES | RAW, SEEN]))
    def set_flags(self, i, flags):
        if key(i) in self.model:
            self.table.set_flags(key(i), flags)
            assert self.table.get(key(i)) == self.model[key(i)]
        else:
            with pytest.raises(KeyError):
                self.table.set_flags(key(i), flags)

    @rule(buckets=st.integers(1, 20))
    def move_some(self, buckets):
        moving = self.table.move_some(buckets)
        assert not (moving and self.held)

    @rule()
    def hold(self):
        self.table.hold(1)
        self.held += 1

    @precondition(lambda self: self.held)
    @rule()
    def let_go(self):
        self.table.hold(-1)
        self.held -= 1

    @precondition(lambda self: not self.held)
    @rule(n=st.integers(0, 2000))
    def reserve(self, n):
        self.table.reserve(n)
        assert self.table.sizes()[0] * 7 >= n

    @precondition(lambda self: len(self.scans) < 4)
    @rule()
    def scan_start(self):
        self.scans.append({"cursor": None, "due": set(self.model), "seen": set()})

    @precondition(lambda self: self.scans)
    @rule(which=st.integers(0, 3), steps=st.integers(1, 40))
    def scan_on(self, which, steps):
        scan = self.scans[which % len(self.scans)]
        for _ in range(steps):
            cursor, keys = self.table.scan_keys(scan["cursor"] or 0)
            assert set(keys) <= set(self.model)
            scan["seen"].update(keys)
            scan["cursor"] = cursor
            if cursor == 0:
                assert scan["due"] <= scan["seen"], "what was there all the time has been returned"
                self.scans.remove(scan)
                break

    @rule()
    def random_key(self):
        found = self.table.random_key()
        assert found in self.model if self.model else found is None

    @rule()
    def items(self):
        found = self.table.items()
        assert len(found) == len(self.model)
        assert dict(found) == self.model

    @precondition(lambda self: not self.held)
    @rule()
    def clear(self):
        self.table.clear()
        self.model.clear()
        for scan in self.scans:
            scan["due"].clear()
        assert self.table.sizes() == (0, 0)

    @invariant()
    def same(self):
        if hasattr(self, "table"):
            assert len(self.table) == len(self.model)
            self.table._check()


TestTable = TableMachine.TestCase
TestTable.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


def test_an_empty_table_is_small():
    assert sys.getsizeof(Table()) < 120
    table = Table()
    assert table.memory() == 0
    table.put(b"a", b"1")
    assert table.memory() == 64


def test_growth_and_shrinking_are_incremental():
    table = Table()
    two = 0
    for i in range(5000):
        table.put(key(i), b"")
        two += table.sizes()[1] > 0
    assert two > 500
    assert table.sizes()[0] * 7 >= 5000 * 8 // 7 or table.sizes()[1]
    largest = sum(table.sizes())
    for i in range(4990):
        table.pop(key(i))
        if i % 500 == 0:
            table._check()
    assert sum(table.sizes()) <= largest // 64
    assert sorted(k for k, _ in table.items()) == sorted(key(i) for i in range(4990, 5000))
    for i in range(4990, 5000):
        table.pop(key(i))
    table._check()
    assert sum(table.sizes()) <= 1


def test_nothing_moves_while_held():
    table = Table()
    for i in range(300):
        table.put(key(i), b"")
    while table.move_some(100):
        pass
    size = table.sizes()
    table.hold(1)
    for i in range(300):
        table.pop(key(i))
    assert table.sizes() == size and len(table) == 0
    table._check()
    for i in range(3000):
        table.put(key(i), b"")
    assert not table.move_some(100)
    table._check()
    table.hold(-1)
    while table.move_some(100):
        pass
    table._check()
    assert len(table.items()) == 3000
    table.hold(1)
    for i in range(3000):
        table.pop(key(i))
    table.hold(-1)
    table.put(b"a", b"")
    table.pop(b"a")
    while table.move_some(100):
        pass
    table._check()
    assert table.clear() == 0 and table.memory() == 0


def test_chance_is_fair():
    table = Table()
    for i in range(200):
        table.put(key(i), b"")
    counts = dict.fromkeys((key(i) for i in range(200)), 0)
    for _ in range(40_000):
        counts[table.random_key()] += 1
    # Mean 200, standard deviation 14: seven of them on either side.
    assert 100 < min(counts.values()) and max(counts.values()) < 300


def test_chance_finds_the_last_entry_of_a_large_array():
    table = Table()
    table.hold(1)
    table.reserve(10)
    table.hold(-1)
    table.reserve(100_000)
    table.put(b"only", b"")
    assert table.random_key() == b"only"


def test_scan_with_any_cursor():
    table = Table()
    assert table.scan_keys(12345) == (0, [])
    for i in range(100):
        table.put(key(i), b"")
    for cursor in (1, 2**63, 2**64 - 1):
        for _ in range(1000):
            cursor, _keys = table.scan_keys(cursor)
            if not cursor:
                break
        assert cursor == 0


def test_memory_comes_back():
    gc.collect()
    before = used_memory()
    marker = ["an object"]
    references = sys.getrefcount(marker)
    table = Table()
    for i in range(3000):
        table.put(key(i), [b"x" * (i % 700), 1.5, marker][i % 3])
        table.set_flags(key(i), [0, EXPIRES, RAW, RAW | EXPIRES][i % 4])
    for i in range(0, 3000, 5):
        table.put(key(i), [marker, b"y" * 30, 2.5][i % 3])
    assert sys.getrefcount(marker) > references + 500
    assert used_memory() - before > 3000 * 24 + table.memory()
    left = len(table)
    while left:
        now = table.clear(100)
        assert left - 100 <= now <= left
        left = now
        table._check()
    assert used_memory() == before and sys.getrefcount(marker) == references
    for i in range(3000):
        table.put(key(i), marker)
    del table
    assert used_memory() == before and sys.getrefcount(marker) == references


def test_large_objects_are_spared():
    table = Table()
    small, large = list(range(64)), list(range(65))
    references = sys.getrefcount(small), sys.getrefcount(large)
    for i in range(100):
        table.put(key(i), [small, large, b"inline", 1.0][i % 4])
    spared = []
    while table.clear(7, spared):
        table._check()
    assert len(spared) == 25 and all(value is large for value in spared)
    spared.clear()
    assert (sys.getrefcount(small), sys.getrefcount(large)) == references


def test_a_table_that_is_being_cleared_can_still_be_used():
    table = Table()
    for i in range(2000):
        table.put(key(i), b"")
    table.clear(700)
    for i in range(2000, 2300):
        table.put(key(i), b"new")
    table._check()
    assert all(table.get(key(i)) == b"new" for i in range(2000, 2300))
    for i in range(2000, 2300):
        assert table.pop(key(i)) == b"new"
    while table.clear(50):
        table._check()
    assert table.memory() == 0


def test_under_the_debug_allocator():
    program = """
import sys
from carnelian.types.table import Table
table = Table()
for turn in range(3):
    for i in range(2000):
        table.put(b"%d" % i, [b"v" * (i % 600), float(i), [i]][(i + turn) % 3])
        table.set_flags(b"%d" % i, [0, 16, 32, 48][i % 4])
    cursor = 0
    while True:
        cursor, keys = table.scan_keys(cursor)
        if not cursor:
            break
    for i in range(turn, 2000, 2):
        table.pop(b"%d" % i)
    table._check()
table.clear(500)
"""
    root = Path(hashing.__file__).parents[2]
    subprocess.run([sys.executable, "-c", program], check=True, cwd=root, env={**os.environ, "PYTHONMALLOC": "debug"})
