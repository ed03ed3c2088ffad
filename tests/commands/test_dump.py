"""What RESTORE hands to the AOF and the replicas."""
from carnelian.engine import Engine
from carnelian.keyspace import Session
from carnelian.types import serial

GOOD = serial.dump(b"v")


def effects_of(*commands):
    """What the last of the commands hands on, and the time of its batch."""
    engine = Engine()
    session = Session(engine.store.databases[0])
    engine.attach(session)
    effects = []
    engine.store.sinks.append(lambda index, words: effects.append(words))
    for words in commands:
        effects.clear()
        engine.run_words(session, words)
    return effects, engine.store.now


def test_without_expiry():
    words = (b"RESTORE", b"k", b"0", GOOD, b"REPLACE", b"IDLETIME", b"5")
    assert effects_of(words)[0] == [words]
    assert effects_of((b"DUMP", b"k"))[0] == []


def test_a_relative_expiry_becomes_absolute():
    effects, now = effects_of((b"RESTORE", b"k", b"5000", GOOD, b"REPLACE"))
    assert effects == [(b"RESTORE", b"k", b"%d" % (now + 5000), GOOD, b"REPLACE", b"ABSTTL")]
    words = (b"RESTORE", b"k", b"%d" % (now + 5000), GOOD, b"ABSTTL")
    assert effects_of(words)[0] == [words]


def test_over_already():
    words = (b"RESTORE", b"k", b"1", GOOD, b"ABSTTL", b"REPLACE")
    assert effects_of(words)[0] == []
    assert effects_of((b"SET", b"k", b"w"), words)[0] == [(b"DEL", b"k")]


def test_refused():
    for words in ((b"RESTORE", b"k", b"0", GOOD), (b"RESTORE", b"k", b"0", GOOD[:-1], b"REPLACE"), (b"RESTORE", b"n", b"-1", GOOD)):
        assert effects_of((b"SET", b"k", b"w"), words)[0] == []
