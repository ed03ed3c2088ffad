"""What the words on hashes and sets hand to the AOF and the replicas: replayed, it gives the same data."""
from hypothesis import given, settings
from hypothesis import strategies as st

from carnelian.engine import Engine
from carnelian.keyspace import Session


class Replica:
    """An engine that notes its effects, and can be asked for its data."""

    def __init__(self):
        self.engine = Engine()
        self.session = Session(self.engine.store.databases[0])
        self.engine.attach(self.session)
        self.effects = []
        self.engine.store.sinks.append(lambda index, words: self.effects.append(words))

    def run(self, *words):
        self.engine.run_words(self.session, tuple(words))
        return self.session.writer.take()

    def take(self):
        effects, self.effects[:] = self.effects[:], []
        return effects

    def data(self):
        found = {}
        for key, value, _ in self.engine.store.databases[0].items():
            found[key] = value
            if not isinstance(value, bytes):
                value._check()
                fields = value.pairs() if hasattr(value, "pairs") else None
                found[key] = dict(zip(fields[::2], fields[1::2])) if fields is not None else set(value.members())
        return found


def effects_of(*commands):
    side = Replica()
    for words in commands:
        side.take()
        side.run(*words)
    return side.take()


def test_hash():
    assert effects_of((b"HSET", b"h", b"a", b"1")) == [(b"HSET", b"h", b"a", b"1")]
    assert effects_of((b"HSET", b"h", b"a", b"1"), (b"HSETNX", b"h", b"a", b"2")) == []
    assert effects_of((b"HSET", b"h", b"a", b"1"), (b"HDEL", b"h", b"b")) == []
    assert effects_of((b"HSET", b"h", b"a", b"1"), (b"HDEL", b"h", b"a", b"b")) == [(b"HDEL", b"h", b"a", b"b")]
    assert effects_of((b"HINCRBY", b"h", b"a", b"1")) == [(b"HINCRBY", b"h", b"a", b"1")]
    assert effects_of((b"HINCRBYFLOAT", b"h", b"a", b"1.5")) == [(b"HSET", b"h", b"a", b"1.5")]
    assert effects_of((b"HINCRBYFLOAT", b"h", b"a", b"x")) == []
    assert effects_of((b"HGETALL", b"h")) == []


def test_set():
    assert effects_of((b"SADD", b"s", b"a"), (b"SADD", b"s", b"a")) == []
    assert effects_of((b"SADD", b"s", b"a"), (b"SPOP", b"s")) == [(b"SREM", b"s", b"a")]
    assert effects_of((b"SADD", b"s", b"a", b"b"), (b"SPOP", b"s", b"0")) == []
    assert effects_of((b"SADD", b"s", b"a", b"b"), (b"SPOP", b"s", b"2")) == [(b"DEL", b"s")]
    assert effects_of((b"SPOP", b"nosuch", b"2")) == []
    [(word, key, member)] = effects_of((b"SADD", b"s", b"a", b"b"), (b"SPOP", b"s", b"1"))
    assert (word, key) == (b"SREM", b"s") and member in (b"a", b"b")
    members = [b"%d" % n for n in range(3000)]
    batches = effects_of((b"SADD", b"s", *members), (b"SPOP", b"s", b"2100"))
    assert [len(words) - 2 for words in batches] == [1024, 1024, 52]
    assert len({member for words in batches for member in words[2:]}) == 2100
    assert effects_of((b"SADD", b"s", b"a"), (b"SMOVE", b"s", b"t", b"b")) == []
    assert effects_of((b"SINTERSTORE", b"d", b"nosuch")) == []
    assert effects_of((b"SET", b"d", b"x"), (b"SINTERSTORE", b"d", b"nosuch")) == [(b"SINTERSTORE", b"d", b"nosuch")]


keys = st.sampled_from([b"a", b"b", b"c"])
members = st.sampled_from([b"1", b"2", b"3", b"-7", b"x", b"y", b"z" * 70, b""])
counts = st.sampled_from([b"0", b"1", b"2", b"5"])
requests = st.one_of(
    st.builds(lambda k, m: (b"SADD", k, *m), keys, st.lists(members, min_size=1, max_size=8)),
    st.builds(lambda k, m: (b"SREM", k, *m), keys, st.lists(members, min_size=1, max_size=3)),
    st.tuples(st.just(b"SPOP"), keys), st.tuples(st.just(b"SPOP"), keys, counts),
    st.tuples(st.just(b"SMOVE"), keys, keys, members),
    st.tuples(st.sampled_from([b"SINTERSTORE", b"SUNIONSTORE", b"SDIFFSTORE"]), keys, keys, keys),
    st.tuples(st.just(b"HSET"), keys, members, members), st.tuples(st.just(b"HDEL"), keys, members),
    st.tuples(st.just(b"HINCRBY"), keys, members, counts), st.tuples(st.just(b"HINCRBYFLOAT"), keys, members, counts),
    st.tuples(st.just(b"DEL"), keys),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(requests, max_size=30))
def test_replay(commands):
    master, replica = Replica(), Replica()
    for words in commands:
        master.run(*words)
    for words in master.take():
        replica.run(*words)
    assert replica.data() == master.data()
