"""What sorted set words hand on to the AOF and to replicas, and what waiting clients get."""
import pytest

from carnelian.engine import Engine
from carnelian.keyspace import Session


@pytest.fixture
def run():
    """Runs a request of an engine's one client: `(reply, what was propagated)`."""
    engine = Engine()
    session = Session(engine.store.databases[0])
    engine.attach(session)
    propagated = []
    engine.store.sinks.append(lambda index, words: propagated.append(b" ".join(words)))

    def run(request):
        propagated.clear()
        engine.begin_batch()
        engine.run_words(session, tuple(request.encode().split()))
        engine.end_batch()
        return session.writer.take(), list(propagated)

    return run


@pytest.mark.parametrize("request_, propagated", [
    ("ZADD z 1 a 9 new", [b"ZADD z 1 a 9 new"]),
    ("ZADD z 1 a", []),
    ("ZADD z NX 5 a", []),
    ("ZADD z XX 5 new", []),
    ("ZADD z GT 0 a", []),
    ("ZINCRBY z 2 a", [b"ZINCRBY z 2 a"]),
    ("ZINCRBY z 0 a", []),
    ("ZREM z new", []),
    ("ZREM z a new", [b"ZREM z a new"]),
    ("ZREMRANGEBYSCORE z 10 20", []),
    ("ZREMRANGEBYRANK z 0 0", [b"ZREMRANGEBYRANK z 0 0"]),
    ("ZPOPMIN z", [b"ZPOPMIN z"]),
    ("ZPOPMIN z 0", []),
    ("ZPOPMIN missing", []),
    ("ZMPOP 2 missing z MAX COUNT 2", [b"ZPOPMAX z 2"]),
    ("BZPOPMIN missing z 0", [b"ZPOPMIN z"]),
    ("BZPOPMAX missing z 0", [b"ZPOPMAX z"]),
    ("BZMPOP 0 2 missing z MIN COUNT 10", [b"ZPOPMIN z 10"]),
    ("ZRANGESTORE d z 0 1", [b"ZRANGESTORE d z 0 1"]),
    ("ZRANGESTORE d z 5 6", []),
    ("ZUNIONSTORE d 1 z", [b"ZUNIONSTORE d 1 z"]),
    ("ZINTERSTORE d 2 z missing", []),
    ("ZINTERSTORE z 2 z missing", [b"ZINTERSTORE z 2 z missing"]),
])
def test_propagation(run, request_, propagated):
    run("ZADD z 1 a 2 b 3 c")
    assert run(request_)[1] == propagated


def test_a_refused_request_changes_nothing(run):
    run("ZADD z inf a")
    for request in ("ZADD z 1 b x c", "ZADD z INCR -inf a", "ZINCRBY z -inf a", "ZADD new 1 b x c", "ZADD new NX XX 1 a"):
        reply, propagated = run(request)
        assert reply.startswith(b"-ERR") and propagated == []
    assert run("ZCARD z")[0] == b":1\r\n"
    assert run("EXISTS new")[0] == b":0\r\n"


def test_how_many_sources_have_a_member(ask):
    """AGGREGATE COUNT, of Redis 8.8: the weights are summed up, the scores do not matter."""
    ask("ZADD a 5 x -inf y 7 z")
    ask("ZADD b 99 x inf y")
    ask("SADD c x w")
    for word, more, expected in [
            ("ZUNION 3 a b c", "AGGREGATE COUNT", {"w": 1, "x": 3, "y": 2, "z": 1}),
            ("ZUNION 3 a b c", "WEIGHTS 2 0.5 -1 aggregate count", {"w": -1, "x": 1.5, "y": 2.5, "z": 2}),
            ("ZINTER 2 a b", "AGGREGATE COUNT", {"x": 2, "y": 2}), ("ZINTER 3 a b c", "AGGREGATE COUNT WEIGHTS 1 2 3", {"x": 6}),
            ("ZUNION 2 a nothing", "AGGREGATE COUNT", {"x": 1, "y": 1, "z": 1})]:
        found = ask(f"{word} {more} WITHSCORES")
        assert {name.decode(): float(score) for name, score in zip(found[::2], found[1::2])} == expected
        store = f"{word.split()[0]}STORE d {word.split(maxsplit=1)[1]} {more}"
        assert ask(store) == len(expected) and ask("ZCARD d") == len(expected)
