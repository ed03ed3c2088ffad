"""What the words on streams tell the AOF and the replicas: a second engine that runs it has the same streams.

What Redis does not tell either stays out of the comparison: that an entry was read again from the history of its consumer,
and when a consumer was last seen.
"""
from hypothesis import given, settings
from hypothesis import strategies as st

from carnelian.engine import Engine
from carnelian.keyspace import Session
from carnelian.types import limits

NOW = 1_700_000_000_000


class Side:
    def __init__(self):
        self.engine = Engine()
        self.store = self.engine.store
        self.session = Session(self.store.databases[0])
        self.engine.attach(self.session)
        self.set_time(NOW)

    def set_time(self, now):
        self.store.now = now
        for database in self.store.databases:
            database.now = now

    def run(self, *words):
        self.engine.run_words(self.session, tuple(word if isinstance(word, bytes) else word.encode() for word in words))
        return self.session.writer.take()

    def state(self):
        return {key: stream_state(stream) for key, stream, expiry in self.store.databases[0].items()}


def stream_state(stream):
    stream._check()
    return (stream.range(), stream.last_id, stream.first_id, stream.max_deleted_id, stream.entries_added,
            {name: group_state(group) for name, group in (stream.groups or {}).items()})


def group_state(group):
    pending = [(id, owner) for id, owner, delivered, deliveries in group.pending_entries()]
    return group.last_id, group.entries_read, pending, sorted(group.consumers)


def pair():
    """An engine, and one that is told its effects."""
    side, follower = Side(), Side()
    told = []

    def sink(index, words):
        assert index == 0 and all(type(word) is bytes for word in words)
        told.append(words)
        reply = follower.run(*words)
        assert not reply.startswith(b"-"), (words, reply)

    side.store.sinks = [sink]
    return side, follower, told


keys = st.sampled_from([b"s", b"s", b"t"])
groups = st.sampled_from([b"g", b"h"])
consumers = st.sampled_from([b"c1", b"c2", b"c3"])
ids = st.tuples(st.integers(1, 5), st.integers(1, 3)).map(lambda id: b"%d-%d" % id)
new_ids = st.sampled_from([b"*", b"1-*", b"2-*", b"3-3", b"5-*"])
trims = st.sampled_from([(), (), (b"MAXLEN", b"3"), (b"MAXLEN", b"~", b"3"), (b"MINID", b"2"), (b"MINID", b"~", b"3"),
                         (b"MINID", b"~", b"9"), (b"MAXLEN", b"~", b"0", b"LIMIT", b"2"), (b"MAXLEN", b"2", b"DELREF"),
                         (b"ACKED", b"MAXLEN", b"1"), (b"ACKED", b"MAXLEN", b"~", b"1"), (b"MINID", b"~", b"3", b"ACKED"),
                         (b"MINID", b"~", b"3", b"DELREF")])
policies = st.sampled_from([(), (b"KEEPREF",), (b"DELREF",), (b"ACKED",)])
claims = st.sampled_from([(), (b"FORCE",), (b"JUSTID",), (b"RETRYCOUNT", b"3", b"FORCE"), (b"LASTID", b"4-0"), (b"IDLE", b"500"),
                          (b"TIME", b"99999999999999")])
idle = st.sampled_from([b"0", b"0", b"1000"])
commands = st.one_of(
    st.tuples(keys, trims, new_ids).map(lambda t: (b"XADD", t[0], *t[1], t[2], b"a", b"1")),
    st.tuples(keys, trims, new_ids).map(lambda t: (b"XADD", t[0], *t[1], t[2], b"a", b"1")),
    st.tuples(keys, trims).map(lambda t: (b"XTRIM", t[0], *t[1])),
    st.tuples(keys, st.lists(ids, min_size=1, max_size=3)).map(lambda t: (b"XDEL", t[0], *t[1])),
    st.tuples(keys, policies, ids, ids).map(lambda t: (b"XDELEX", t[0], *t[1], b"IDS", b"2", *t[2:])),
    st.tuples(keys, groups, policies, ids, ids).map(lambda t: (b"XACKDEL", *t[:2], *t[2], b"IDS", b"2", *t[3:])),
    st.tuples(groups, consumers, keys).map(lambda t: (b"XREADGROUP", b"GROUP", *t[:2], b"CLAIM", b"600", b"STREAMS", t[2], b">")),
    st.tuples(keys, ids).map(lambda t: (b"XSETID", *t)),
    st.tuples(keys, groups, st.sampled_from([b"0", b"$", b"2-2"])).map(lambda t: (b"XGROUP", b"CREATE", *t, b"MKSTREAM")),
    st.tuples(keys, groups, st.sampled_from([b"0", b"$", b"2-2"])).map(lambda t: (b"XGROUP", b"SETID", *t)),
    st.tuples(keys, groups, consumers).map(lambda t: (b"XGROUP", b"DELCONSUMER", *t)),
    st.tuples(keys, groups, consumers).map(lambda t: (b"XGROUP", b"CREATECONSUMER", *t)),
    st.tuples(keys, groups).map(lambda t: (b"XGROUP", b"DESTROY", *t)),
    st.tuples(groups, consumers, keys).map(lambda t: (b"XREADGROUP", b"GROUP", *t[:2], b"COUNT", b"2", b"STREAMS", t[2], b">")),
    st.tuples(groups, consumers, keys).map(lambda t: (b"XREADGROUP", b"GROUP", *t[:2], b"NOACK", b"STREAMS", t[2], b">")),
    st.tuples(groups, consumers).map(lambda t: (b"XREADGROUP", b"GROUP", *t, b"STREAMS", b"s", b"t", b">", b"0")),
    st.tuples(keys, groups, st.lists(ids, min_size=1, max_size=3)).map(lambda t: (b"XACK", *t[:2], *t[2])),
    st.tuples(keys, groups, consumers, idle, st.lists(ids, min_size=1, max_size=3), claims).map(
        lambda t: (b"XCLAIM", *t[:4], *t[4], *t[5])),
    st.tuples(keys, groups, consumers, idle).map(lambda t: (b"XAUTOCLAIM", *t, b"0", b"COUNT", b"2")),
    keys.map(lambda key: (b"DEL", key)))


@settings(max_examples=100, deadline=None)
@given(work=st.lists(commands, min_size=10, max_size=60), entries=st.sampled_from([2, 100]))
def test_the_effects_make_the_same_streams(work, entries):
    limits.configure("stream-node-max-entries", entries)
    try:
        side, follower, told = pair()
        for group in (b"g", b"h"):
            side.run(b"XGROUP", b"CREATE", b"s", group, b"0", b"MKSTREAM")
        for step, words in enumerate(work):
            side.set_time(NOW + step * 300)
            side.run(*words)
            assert side.state() == follower.state(), (words, told[-5:])
    finally:
        limits.configure("stream-node-max-entries", 100)


def test_the_words():
    side, follower, told = pair()

    def after(*words):
        del told[:]
        side.run(*words)
        return [b" ".join(effect).decode() for effect in told]

    assert after("XADD", "s", "*", "a", "1") == [f"XADD s {NOW}-0 a 1"]
    assert after("XADD", "s", "MAXLEN", "~", "5", f"{NOW}-*", "a", "2") == [f"XADD s MAXLEN = 2 {NOW}-1 a 2"]
    assert after("XADD", "s", "MINID", "~", "5", f"{NOW}-*", "a", "2") == [f"XADD s MINID = {NOW}-0 {NOW}-2 a 2"]
    assert after("XADD", "s", "NOMKSTREAM", "MAXLEN", "9", f"{NOW}-3", "a", "2") == [f"XADD s MAXLEN = 9 {NOW}-3 a 2"]
    assert after("XADD", "s", "1-1", "a", "2") == []
    assert after("XADD", "new", "NOMKSTREAM", "*", "a", "2") == []
    assert after("XTRIM", "s", "MAXLEN", "~", "2") == []
    assert after("XTRIM", "s", "MAXLEN", "3") == ["XTRIM s MAXLEN = 3"]
    assert after("XDEL", "s", "9-9") == []
    assert after("XGROUP", "CREATE", "s", "g", "0") == ["XGROUP CREATE s g 0"]
    claim = f"TIME {NOW} RETRYCOUNT 1 FORCE JUSTID LASTID {NOW}-2"
    assert after("XREADGROUP", "GROUP", "g", "c", "COUNT", "2", "STREAMS", "s", ">") == [
        "XGROUP CREATECONSUMER s g c", f"XCLAIM s g c 0 {NOW}-1 {claim}", f"XCLAIM s g c 0 {NOW}-2 {claim}",
        f"XGROUP SETID s g {NOW}-2 ENTRIESREAD 3"]
    assert after("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", "0") == []
    assert after("XREADGROUP", "GROUP", "g", "c", "NOACK", "STREAMS", "s", ">") == [f"XGROUP SETID s g {NOW}-3 ENTRIESREAD 4"]
    assert after("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">") == []
    assert after("XCLAIM", "s", "g", "c", "0", "9-9") == []
    assert after("XCLAIM", "s", "g", "c", "0", f"{NOW}-1", "RETRYCOUNT", "8", "IDLE", "1000") == [
        f"XCLAIM s g c 0 {NOW}-1 TIME {NOW - 1000} RETRYCOUNT 8 FORCE JUSTID LASTID {NOW}-3"]
    assert after("XAUTOCLAIM", "s", "g", "d", "500", "0", "JUSTID") == [
        "XGROUP CREATECONSUMER s g d", f"XCLAIM s g d 0 {NOW}-1 TIME {NOW} RETRYCOUNT 8 FORCE JUSTID LASTID {NOW}-3"]
    assert after("XDEL", "s", f"{NOW}-1") == [f"XDEL s {NOW}-1"]
    assert after("XAUTOCLAIM", "s", "g", "d", "0", "0", "COUNT", "1") == [f"XACK s g {NOW}-1"]
    assert after("XREADGROUP", "GROUP", "g", "e", "CLAIM", "0", "COUNT", "1", "STREAMS", "s", ">") == [
        "XGROUP CREATECONSUMER s g e", f"XCLAIM s g e 0 {NOW}-2 TIME {NOW} RETRYCOUNT 3 FORCE JUSTID LASTID {NOW}-3"]
    assert after("XTRIM", "s", "MAXLEN", "0", "ACKED") == [f"XTRIM s ACKED MAXLEN = 0"]
    assert after("XTRIM", "s", "MINID", "~", "9", "ACKED") == []
    assert after("XADD", "s", "ACKED", "MAXLEN", "1", f"{NOW}-4", "a", "1") == [f"XADD s {NOW}-4 a 1"]
    assert after("XDELEX", "s", "ACKED", "IDS", "1", f"{NOW}-4") == []
    assert after("XDELEX", "s", "DELREF", "IDS", "2", f"{NOW}-4", "9-9") == [f"XDEL s {NOW}-4"]
    assert after("XACKDEL", "s", "g", "IDS", "1", "9-9") == []
    assert after("XADD", "s", f"{NOW}-5", "a", "1") == [f"XADD s {NOW}-5 a 1"]
    after("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
    assert after("XACKDEL", "s", "g", "IDS", "1", f"{NOW}-5") == [f"XACK s g {NOW}-5", f"XDEL s {NOW}-5"]
    assert after("XADD", "s", f"{NOW}-6", "a", "1") == [f"XADD s {NOW}-6 a 1"]
    assert after("XACK", "s", "g", "1-1") == []
    assert after("XACK", "s", "g", f"{NOW}-2") == [f"XACK s g {NOW}-2"]


def test_a_blocked_reader_is_served_with_effects():
    side, follower, told = pair()
    reader = Session(side.store.databases[0])
    side.engine.attach(reader)
    side.run("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
    side.engine.run_words(reader, (b"XREADGROUP", b"GROUP", b"g", b"c", b"BLOCK", b"0", b"STREAMS", b"s", b">"))
    assert reader.writer.take() == b""
    side.run("XADD", "s", "5-5", "a", "1")
    assert b"5-5" in reader.writer.take()
    assert side.state() == follower.state()
    assert [words[0] for words in told] == [b"XGROUP", b"XGROUP", b"XADD", b"XCLAIM", b"XGROUP"]
