"""The compiled twins against the general bodies: the same replies, data, counts and events for the same requests."""
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carnelian.engine import Engine
from carnelian.keyspace import Session
from carnelian.keyspace.journal import Journal
from carnelian.types import limits


KEYS = st.sampled_from([b"a", b"b", b"string", b"list", b"hash", b"set", b"zset", b"stream", b""])
VALUES = st.sampled_from([b"", b"1", b"-7", b"9223372036854775807", b"x", b"hello", b"3.5", b"y" * 70, b"0010"])
MEMBERS = st.sampled_from([b"m", b"n", b"1", b"2", b"12345", b"z" * 70, b""])
INTEGERS = st.sampled_from([b"0", b"1", b"-1", b"2", b"10", b"-100", b"100", b"x", b"9223372036854775807", b"1.5"])
SCORES = st.sampled_from([b"0", b"1", b"-1.5", b"inf", b"-inf", b"nan", b"x", b"1e3", b"-0"])
BOUNDS = st.one_of(SCORES, SCORES.map(lambda score: b"(" + score), st.sampled_from([b"", b"(", b" 1", b"+inf"]))
OFFSETS = st.sampled_from([b"0", b"7", b"63", b"100", b"#1", b"#3", b"-1", b"x", b"#", b"4294967296", b"9223372036854775807"])
ENCODINGS = st.sampled_from([b"u8", b"i8", b"u1", b"i64", b"u63", b"u64", b"i5", b"x", b"i0", b"I8"])
STRINGS = st.sampled_from([b"a", b"b"])
ELEMENTS = st.one_of(MEMBERS, st.integers(0, 300).map(lambda n: b"%d" % n))
IDS = st.sampled_from([b"-", b"+", b"5", b"5-1", b"5-2", b"6-0", b"7", b"7-18446744073709551615", b"(5-1", b"0", b"x", b"", b"5-", b"05-1",
                       b"18446744073709551615", b"-1", b"1700000000000"])
SECONDS = st.sampled_from([b"1", b"100", b"0", b"-1", b"x", b"99999999999999999999", b"9223372036854775807"])


def word(*parts):
    return st.tuples(*[st.just(part) if isinstance(part, bytes) else part for part in parts])


def repeated(head, *parts, most=3):
    return st.tuples(word(*head), st.lists(word(*parts), min_size=0, max_size=most)).map(
        lambda drawn: drawn[0] + tuple(x for group in drawn[1] for x in group))


# Those whose twins need others before them: they are also drawn alone.
BITS = st.one_of(
    word(b"SETBIT", STRINGS, OFFSETS, INTEGERS), word(b"GETBIT", STRINGS, OFFSETS), word(b"SET", STRINGS, VALUES),
    repeated((b"BITFIELD", STRINGS), b"set", ENCODINGS, OFFSETS, INTEGERS), repeated((b"BITFIELD", STRINGS), b"GET", ENCODINGS, OFFSETS),
    repeated((b"BITFIELD", STRINGS, b"GET", b"u8", b"0"), b"INCRBY", ENCODINGS, OFFSETS, INTEGERS),
    repeated((b"BITFIELD", STRINGS, b"OVERFLOW", b"SAT"), b"INCRBY", ENCODINGS, OFFSETS, INTEGERS),
    word(b"BITCOUNT", STRINGS), word(b"BITCOUNT", STRINGS, b"0", b"-1"),
    repeated((b"BITFIELD_RO", STRINGS), b"GET", ENCODINGS, OFFSETS), word(b"BITFIELD_RO", STRINGS, b"SET", b"u8", b"0", b"1"))
SKETCHES = st.one_of(
    repeated((b"PFADD", STRINGS), ELEMENTS, most=3), word(b"PFCOUNT", STRINGS), word(b"PFDEBUG", b"TODENSE", STRINGS),
    word(b"PFMERGE", STRINGS, STRINGS), word(b"SET", STRINGS, VALUES), word(b"APPEND", STRINGS, VALUES), word(b"DEL", STRINGS))
FIELDS = st.sampled_from([b"m", b"n", b"1"])
HASHES = st.one_of(
    repeated((b"HSET", STRINGS), FIELDS, VALUES), repeated((b"HMSET", STRINGS), FIELDS, VALUES), word(b"HGET", STRINGS, FIELDS),
    repeated((b"HMGET", STRINGS), FIELDS), word(b"HGETALL", STRINGS), repeated((b"HDEL", STRINGS), FIELDS),
    word(b"HEXISTS", STRINGS, FIELDS), word(b"HINCRBY", STRINGS, FIELDS, INTEGERS), word(b"SET", STRINGS, VALUES),
    word(b"HPEXPIRE", STRINGS, st.sampled_from([b"1", b"500", b"1500"]), b"FIELDS", b"2", FIELDS, FIELDS),
    word(b"HPERSIST", STRINGS, b"FIELDS", b"1", FIELDS), word(b"HSETEX", STRINGS, b"PX", b"800", b"FIELDS", b"1", FIELDS, VALUES))
STREAMS = st.one_of(
    word(b"XADD", STRINGS, IDS, MEMBERS, VALUES), word(b"XADD", STRINGS, b"*", MEMBERS, VALUES, MEMBERS, VALUES),
    word(b"XDEL", STRINGS, IDS), word(b"XTRIM", STRINGS, b"MAXLEN", b"3"), word(b"SET", STRINGS, VALUES),
    *[st.one_of(word(name, STRINGS, IDS, IDS), word(name, STRINGS, IDS, IDS, b"count", INTEGERS), word(name, STRINGS, first, last),
                word(name, STRINGS, first, last, b"COUNT", INTEGERS))
      for name, first, last in ((b"XRANGE", b"-", b"+"), (b"XREVRANGE", b"+", b"-"))])
REQUESTS = st.one_of(
    BITS, SKETCHES, STREAMS, HASHES,
    word(b"GET", KEYS), word(b"get"), word(b"SET", KEYS, VALUES), word(b"SET", KEYS, VALUES, b"ex", SECONDS),
    word(b"SET", KEYS, VALUES, b"PX", SECONDS), word(b"SET", KEYS, VALUES, b"NX", b"GET"), word(b"SETEX", KEYS, SECONDS, VALUES),
    word(b"INCR", KEYS), word(b"DECR", KEYS), word(b"INCRBY", KEYS, INTEGERS), repeated((b"MGET",), KEYS),
    repeated((b"MSET",), KEYS, VALUES), word(b"MSET", KEYS), repeated((b"DEL",), KEYS), repeated((b"UNLINK",), KEYS),
    repeated((b"EXISTS",), KEYS), word(b"EXPIRE", KEYS, SECONDS), word(b"EXPIRE", KEYS, SECONDS, b"NX"), word(b"TTL", KEYS),
    word(b"PING"), word(b"PING", VALUES), word(b"APPEND", KEYS, VALUES), word(b"PERSIST", KEYS),
    repeated((b"LPUSH", KEYS), VALUES), repeated((b"RPUSH", KEYS), VALUES), word(b"LPOP", KEYS), word(b"RPOP", KEYS),
    word(b"LPOP", KEYS, INTEGERS), word(b"LLEN", KEYS), word(b"LRANGE", KEYS, INTEGERS, INTEGERS),
    repeated((b"HSET", KEYS), MEMBERS, VALUES), repeated((b"HMSET", KEYS), MEMBERS, VALUES), word(b"HGET", KEYS, MEMBERS),
    repeated((b"HMGET", KEYS), MEMBERS), word(b"HGETALL", KEYS), repeated((b"HDEL", KEYS), MEMBERS),
    word(b"HEXISTS", KEYS, MEMBERS), word(b"HINCRBY", KEYS, MEMBERS, INTEGERS),
    repeated((b"SADD", KEYS), MEMBERS), repeated((b"SREM", KEYS), MEMBERS), word(b"SISMEMBER", KEYS, MEMBERS),
    word(b"SMEMBERS", KEYS),
    repeated((b"ZADD", KEYS), SCORES, MEMBERS, most=2), word(b"ZADD", KEYS, b"NX", SCORES, MEMBERS),
    word(b"ZINCRBY", KEYS, SCORES, MEMBERS), word(b"ZSCORE", KEYS, MEMBERS), word(b"ZPOPMIN", KEYS), word(b"ZPOPMAX", KEYS),
    word(b"ZRANGE", KEYS, INTEGERS, INTEGERS), word(b"ZRANGE", KEYS, INTEGERS, INTEGERS, b"withscores"),
    word(b"ZREVRANGE", KEYS, INTEGERS, INTEGERS), word(b"ZRANK", KEYS, MEMBERS), word(b"ZCARD", KEYS),
    repeated((b"ZREM", KEYS), MEMBERS), word(b"ZCOUNT", KEYS, BOUNDS, BOUNDS), word(b"ZREMRANGEBYSCORE", KEYS, BOUNDS, BOUNDS),
    repeated((b"ZRANGEBYSCORE", KEYS, BOUNDS, BOUNDS), b"LIMIT", INTEGERS, INTEGERS, most=2),
    word(b"ZRANGEBYSCORE", KEYS, BOUNDS, BOUNDS, b"LIMIT", INTEGERS, INTEGERS, b"WITHSCORES"),
    word(b"ZREVRANGEBYSCORE", KEYS, BOUNDS, BOUNDS, b"withscores", b"limit", INTEGERS, INTEGERS),
    word(b"ZREVRANGEBYSCORE", KEYS, BOUNDS, BOUNDS, b"LIMIT", INTEGERS),
    word(b"XADD", KEYS, b"*", MEMBERS, VALUES), word(b"XADD", KEYS, b"MAXLEN", b"~", b"3", b"*", MEMBERS, VALUES),
    word(b"XADD", KEYS, b"*", MEMBERS), word(b"XADD", KEYS, b"5-1", MEMBERS, VALUES),
)


def encoded(words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(w), w) for w in words)


class Side:
    """An engine with one client, and another client that watches the keys and listens to the events."""

    def __init__(self, twins, resp, journal=None):
        self.engine = Engine()
        self.engine.store.keep_journal(journal)
        self.twins = twins
        store = self.engine.store
        self.session = Session(store.databases[0])
        self.session.writer.resp = resp
        self.watcher = Session(store.databases[0])
        for session in (self.session, self.watcher):
            self.engine.attach(session)
        self.set_time(1_700_000_000_000)

    def set_time(self, now):
        store = self.engine.store
        store.now = now
        for database in store.databases:
            database.now = now

    def run(self, words):
        before = self.engine.store.dirty
        if self.twins:
            self.session.reader.feed(encoded(words))
            self.engine.drain(self.session)
        else:
            self.engine.run_words(self.session, words)
        return self.session.writer.take(), self.engine.store.dirty - before

    def state(self):
        store = self.engine.store
        found = {}
        for key, value, expiry in store.databases[0].items():
            if isinstance(value, bytes):
                shown = value, store.databases[0].is_raw(key)
            else:
                kind = self.ask(b"TYPE", key)
                read = {b"+list\r\n": (b"LRANGE", key, b"0", b"-1"), b"+hash\r\n": (b"HGETALL", key), b"+set\r\n": (b"SMEMBERS", key),
                        b"+zset\r\n": (b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"), b"+stream\r\n": (b"XRANGE", key, b"-", b"+")}[kind]
                value._check()
                times = sorted(value.times()) if kind == b"+hash\r\n" else None
                shown = kind, times, self.ask(*read), self.ask(b"OBJECT", b"ENCODING", key)
            found[key] = shown, expiry
        store.databases[0]._check()
        return found

    def ask(self, *words):
        session = Session(self.engine.store.databases[0])
        self.engine.run_words(session, words)
        return session.writer.take()


@pytest.mark.parametrize("resp", [2, 3])
@settings(max_examples=150, deadline=None)
@given(requests=st.lists(REQUESTS, max_size=25), watched=st.booleans(), advance=st.lists(st.integers(0, 2000), max_size=3))
def test_twins_do_what_the_bodies_do(resp, requests, watched, advance):
    compare(resp, requests, watched, advance)


@pytest.mark.parametrize("family, sparse", [(BITS, 3000), (SKETCHES, 3000), (SKETCHES, 60), (STREAMS, 3000), (HASHES, 3000)],
                         ids=["bits", "sketches", "sketches that become dense", "streams", "hashes"])
def test_families(family, sparse):
    @settings(max_examples=100, deadline=None)
    @given(requests=st.lists(family, max_size=30), advance=st.lists(st.integers(0, 600), max_size=4))
    def families(requests, advance):
        compare(2, requests, True, advance)

    limits.configure("hll-sparse-max-bytes", sparse)
    try:
        families()
    finally:
        limits.configure("hll-sparse-max-bytes", 3000)


def compare(resp, requests, watched, advance):
    fast, general = Side(True, resp), Side(False, resp)
    now = 1_700_000_000_000
    for index, words in enumerate(requests):
        if index % 7 == 6 and advance:
            now += advance.pop()
            fast.set_time(now)
            general.set_time(now)
        touched = []
        for side in (fast, general):
            if watched:
                for key in (b"a", b"list", b"hash"):
                    side.engine.store.watch(side.watcher, key)
            reply = side.run(words)
            touched.append((reply, side.watcher.flags, side.engine.store.hits, side.engine.store.misses))
            side.engine.store.unwatch(side.watcher)
        assert touched[0] == touched[1], words
    assert fast.state() == general.state()


EFFECTS = st.one_of(REQUESTS, word(b"SELECT", st.sampled_from([b"0", b"1"])))


@settings(max_examples=150, deadline=None)
@given(requests=st.lists(EFFECTS, max_size=25), advance=st.lists(st.integers(0, 2000), max_size=3))
def test_twins_write_down_what_the_bodies_write_down(requests, advance):
    journals = Journal(), Journal()
    fast, general = Side(True, 2, journals[0]), Side(False, 2, journals[1])
    now = 1_700_000_000_000
    for index, words in enumerate(requests):
        if index % 7 == 6 and advance:
            now += advance.pop()
            fast.set_time(now)
            general.set_time(now)
        for side in (fast, general):
            side.run(words)
        assert journals[0].take() == journals[1].take(), words


def test_what_a_twin_takes_by_chance_is_written_down():
    journal = Journal()
    side = Side(True, 2, journal)
    side.run((b"SADD", b"set", b"a", b"b", b"c"))
    journal.take()
    member = side.run((b"SPOP", b"set"))[0].split(b"\r\n")[1]
    assert journal.take() == encoded((b"SREM", b"set", member))


def test_twins_run():
    """The test above compares something: the common forms are answered by twins, which the general path does not count."""
    side = Side(True, 2)
    commands = side.engine.commands
    assert all(commands[name.encode()].has_twin for name in
               "get set setex incr mget mset del exists expire ttl ping lpush rpop lrange hset hget hgetall sadd spop zadd zpopmin "
               "zrange xadd xrange xrevrange setbit getbit bitcount bitfield bitfield_ro pfadd pfcount".split())


def test_a_twin_hides_what_has_expired():
    side = Side(True, 2)
    side.run((b"SET", b"a", b"x", b"PX", b"10"))
    side.set_time(1_700_000_000_011)
    assert side.run((b"GET", b"a"))[0] == b"$-1\r\n"
    assert len(side.engine.store.databases[0]) == 0


def test_a_twin_wakes_who_waits_for_its_key():
    side = Side(True, 2)
    waiting = Session(side.engine.store.databases[0])
    side.engine.attach(waiting)
    side.engine.run_words(waiting, (b"BLPOP", b"list", b"0"))
    assert waiting.writer.take() == b""
    assert side.run((b"RPUSH", b"list", b"x"))[0] == b":1\r\n"
    assert waiting.writer.take() == b"*2\r\n$4\r\nlist\r\n$1\r\nx\r\n"
    assert side.run((b"LLEN", b"list"))[0] == b":0\r\n"
