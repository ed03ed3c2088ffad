"""A database against a dict: strings, structures, expiry, moving and clearing, with the invariants checked."""
import os
import subprocess
import sys

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from carnelian.base.memory import used_memory
from carnelian.keyspace import Call, Session, Store
from carnelian.types.list import List

KEYS = st.sampled_from([b"", b"a", b"b", b"c", b"long" * 30] + [b"k%d" % i for i in range(30)])
VALUES = st.binary(max_size=40) | st.binary(min_size=500, max_size=600)
START = 1_700_000_000_000


def call_on(store, index=0):
    call = Call(store)
    call.session = Session(store.databases[index])
    call.db = store.databases[index]
    call.group = "string"
    return call


class DatabaseMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.store = Store(2)
        self.calls = [call_on(self.store, index) for index in range(2)]
        self.model = [{}, {}]           # key -> [value, expiry or None]
        self.move_clock(START)

    def move_clock(self, now):
        self.store.now = now
        for database in self.store.databases:
            database.now = now
        for model in self.model:
            for key in [key for key, (_, at) in model.items() if at is not None and at < now]:
                del model[key]

    @rule(db=st.integers(0, 1), key=KEYS, value=VALUES, keep=st.booleans())
    def set_string(self, db, key, value, keep):
        self.calls[db].set_string(key, value, keep)
        old = self.model[db].get(key)
        self.model[db][key] = [value, old[1] if old and keep else None]

    @rule(db=st.integers(0, 1), key=KEYS, elements=st.lists(st.binary(max_size=5), min_size=1, max_size=100))
    def put_list(self, db, key, elements):
        values = List()
        for element in elements:
            values.push_right(element)
        self.calls[db].put(key, values)
        self.model[db][key] = [list(elements), None]

    @rule(db=st.integers(0, 1), key=KEYS, offset=st.integers(0, 50), data=st.binary(max_size=20))
    def overwrite(self, db, key, offset, data):
        old = self.model[db].get(key)
        if old and isinstance(old[0], list):
            return
        text = old[0] if old else b""
        text = text.ljust(offset, b"\0")
        text = text[:offset] + data + text[offset + len(data):]
        assert self.calls[db].overwrite(key, offset, data) == len(text)
        self.model[db][key] = [text, old[1] if old else None]

    @rule(db=st.integers(0, 1), key=KEYS, seconds=st.integers(-5, 100))
    def expire(self, db, key, seconds):
        at = self.store.now + seconds * 1000
        assert self.calls[db].expire(key, at) == (key in self.model[db])
        if key in self.model[db]:
            self.model[db][key][1] = at
            self.move_clock(self.store.now)

    @rule(db=st.integers(0, 1), key=KEYS)
    def persist(self, db, key):
        old = self.model[db].get(key)
        assert self.calls[db].persist(key) == bool(old and old[1] is not None)
        if old:
            old[1] = None

    @rule(db=st.integers(0, 1), key=KEYS)
    def delete(self, db, key):
        assert self.calls[db].delete(key) == (self.model[db].pop(key, None) is not None)

    @rule(db=st.integers(0, 1), source=KEYS, other=st.integers(0, 1), goal=KEYS)
    def move(self, db, source, other, goal):
        if (db, source) == (other, goal):
            return
        if goal in self.model[other] and source in self.model[db]:
            self.calls[other].delete(goal)
            del self.model[other][goal]
        self.calls[other].exists(goal)        # an expired one is removed
        moved = self.store.databases[db].move_key(source, self.store.databases[other], goal)
        assert moved == (source in self.model[db])
        if moved:
            self.model[other][goal] = self.model[db].pop(source)

    @rule(step=st.integers(0, 20000))
    def time_passes(self, step):
        self.move_clock(self.store.now + step)

    @rule(db=st.integers(0, 1))
    def expire_some(self, db):
        database = self.store.databases[db]
        database.expire_some(1000, 1000)
        assert len(database) == len(self.model[db])

    @rule(db=st.integers(0, 1))
    def clear(self, db):
        self.store.databases[db].clear()
        self.model[db].clear()

    @rule()
    def swap(self):
        self.store.swap(0, 1)
        self.model.reverse()

    @rule(db=st.integers(0, 1), count=st.integers(1, 20))
    def scan_finds_all(self, db, count):
        found, cursor = set(), None
        while cursor != 0:
            cursor, keys = self.store.databases[db].scan(cursor or 0, count)
            found.update(keys)
        assert found == set(self.model[db])

    @rule(db=st.integers(0, 1))
    def random_key(self, db):
        key = self.store.databases[db].random_key()
        assert key in self.model[db] if self.model[db] else key is None

    @rule(budget=st.integers(1, 50))
    def free_some(self, budget):
        self.store.free_some(budget)

    @invariant()
    def same(self):
        for database, model in zip(self.store.databases, self.model):
            database._check()
            assert {key: [list(value.range(0, -1)) if isinstance(value, List) else value, at]
                    for key, value, at in database.items()} == model
            # Keys that have expired are still counted while nobody has looked for them.
            assert database.volatile_count == len(database) - sum(at is None for _, at in model.values())


TestDatabase = DatabaseMachine.TestCase
TestDatabase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def test_memory_comes_back():
    store = Store(1)
    call = call_on(store)
    before = used_memory()
    for i in range(5000):
        call.set_string(b"key:%d" % i, b"v" * (i % 700))
        if i % 3 == 0:
            call.expire(b"key:%d" % i, store.now + 10000)
        if i % 5 == 0:
            call.put(b"list:%d" % i, List())
    assert used_memory() > before
    store.databases[0].clear()
    while store.free_some(1000):
        pass
    assert used_memory() == before


def test_expired_keys_are_gone_to_every_question():
    store = Store(1)
    call = call_on(store)
    database = store.databases[0]
    call.set_string(b"a", b"1")
    call.expire(b"a", store.now)
    assert call.string_at(b"a") == b"1"         # at its very time it is still there, as in Redis
    database.now = store.now = store.now + 1
    assert database.keys(b"*") == []
    assert database.random_key() is None
    assert database.scan(0, 10) == (0, [])
    assert call.string_at(b"a") is None
    assert len(database) == 0 and store.expired == 1


def test_under_the_debugging_allocator():
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", __file__, "-k", "not debugging"],
        env={**os.environ, "PYTHONMALLOC": "debug"}, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
