"""What the words of lists hand on to the log and the replicas."""
import pytest

from carnelian.engine import Engine
from carnelian.keyspace import Session


class Client:
    def __init__(self, engine):
        self.engine = engine
        self.session = Session(engine.store.databases[0], engine.store.now)
        engine.attach(self.session)

    def __call__(self, line):
        self.engine.run_words(self.session, tuple(line.encode().split()))
        return self.session.writer.take()


@pytest.fixture
def engine():
    return Engine()


@pytest.fixture
def propagated(engine):
    lines = []
    engine.store.sinks.append(lambda index, words: lines.append(b" ".join(words).decode()))
    return lines


def test_as_received(engine, propagated):
    client = Client(engine)
    lines = ["RPUSH a 1 2 3 4", "LPUSHX a 0", "LPOP a 2", "LSET a 0 x", "LINSERT a BEFORE x y", "LREM a 0 y", "LMOVE a b LEFT RIGHT",
             "RPOPLPUSH b a", "LTRIM a 0 0", "RPOP a"]
    for line in lines:
        client(line)
    assert propagated == lines


def test_nothing_where_nothing_is_changed(engine, propagated):
    client = Client(engine)
    client("RPUSH a 1 2")
    del propagated[:]
    for line in ("LPUSHX b 1", "LPOP b", "LPOP a 0", "LREM a 0 nowhere", "LINSERT a BEFORE nowhere x", "LTRIM a 0 -1", "LRANGE a 0 -1",
                 "LMOVE b a LEFT LEFT", "LMPOP 1 b LEFT", "BLPOP b 0"):
        client(line)
    assert propagated == []


def test_pops_from_several_name_the_list_and_the_number(engine, propagated):
    client = Client(engine)
    client("RPUSH b 1 2 3")
    client("LMPOP 2 a b LEFT COUNT 2")
    client("BLMPOP 0 2 a b RIGHT COUNT 7")
    assert propagated == ["RPUSH b 1 2 3", "LPOP b 2", "RPOP b 1"]


@pytest.mark.parametrize("word, plain", [
    ("BLPOP x l 0", "LPOP l"), ("BRPOP l 0", "RPOP l"), ("BLMOVE l m LEFT right 0", "LMOVE l m LEFT right"),
    ("BRPOPLPUSH l m 0", "RPOPLPUSH l m"), ("BLMPOP 0 1 l RIGHT", "RPOP l 1")])
def test_blocking_words_are_handed_on_as_plain_ones(engine, propagated, word, plain):
    waiting, other = Client(engine), Client(engine)
    assert waiting(word) == b""
    other("RPUSH l a b")
    assert propagated == ["RPUSH l a b", plain]
    assert waiting.session.writer.take() != b""
    del propagated[:]
    waiting(word)
    assert propagated == [plain]


def test_what_a_command_lets_loose_runs_after_it(engine, propagated):
    waiting, other = Client(engine), Client(engine)
    waiting("BLPOP l 0")
    waiting.session.reader.feed(b"SET a 1\r\n")
    other("MULTI")
    other("SET b 1")
    other(f"CLIENT UNBLOCK {waiting.session.id}")
    other("SET b 2")
    other("EXEC")
    assert propagated == ["MULTI", "SET b 1", "SET b 2", "EXEC", "SET a 1"]
    del propagated[:]
    other("CLIENT PAUSE 100000 WRITE")
    waiting("SET a 2")
    assert propagated == []
    other("CLIENT UNPAUSE")
    assert propagated == ["SET a 2"]
