"""Hash fields that expire: what the words answer, tell and hand on. Redis has them since 7.4 and 8.0, the oracle does not."""
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carnelian.engine import Engine
from carnelian.keyspace import Session
from carnelian.keyspace.store import notification_flags
from carnelian.persistence.loading import Loader
from carnelian.persistence.snapshot import Snapshot
from carnelian.types import limits
from tests.oracle.resp import Error, Parser

NOW = 1_700_000_000_000
LIMITS = {"packed": 128, "table": 0}


@pytest.fixture(params=LIMITS, autouse=True)
def encoding(request):
    limits.configure("hash-max-listpack-entries", LIMITS[request.param])
    limits.configure("hash-max-listpack-value", 64)
    yield request.param
    limits.configure("hash-max-listpack-entries", 128)


class Side:
    """An engine with a clock of its own, called with a request (text, or words) that gives the reply."""

    def __init__(self, events="KEA", resp=2):
        self.engine = Engine()
        self.store = self.engine.store
        self.session = Session(self.store.databases[0])
        self.session.writer.resp = resp
        self.listener = Session(self.store.databases[0])
        self.engine.attach(self.session)
        self.engine.attach(self.listener)
        self.effects = []
        self.store.sinks.append(lambda index, words: self.effects.append(words))
        self.now = NOW
        self("PING")
        self.engine.run_words(self.listener, (b"PSUBSCRIBE", b"__keyevent*"))
        self.store.notify_flags = notification_flags(events)
        self.store.attend()
        self.listener.writer.take()

    def set_clock(self):
        self.store.now = self.now
        for database in self.store.databases:
            database.now = self.now

    def __call__(self, request):
        words = request.split() if isinstance(request, str) else request
        words = [word.encode() if isinstance(word, str) else word for word in words]
        self.session.reader.feed(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(w), w) for w in words))
        self.effects.clear()
        self.set_clock()
        self.engine.drain(self.session)
        return self.parse(self.session)[0]

    @staticmethod
    def parse(session):
        parser, found = Parser(), []
        parser.feed(session.writer.take())
        while True:
            reply = parser.next()
            if reply is None:
                return found
            found.append(reply)

    def events(self):
        """The events since the last call."""
        return [f"{message[2].rpartition(b':')[2].decode()} {message[3].decode()}" for message in self.parse(self.listener)]

    def handed_on(self):
        return [b" ".join(words).decode().replace(str(NOW), "NOW") for words in self.effects]

    def cycle(self):
        """A turn of the active cycle."""
        self.effects.clear()
        self.set_clock()
        for database in self.store.databases:
            database.expire_fields(1000, 1000)

    def pass_time(self, milliseconds):
        self.now += milliseconds


@pytest.fixture
def side():
    return Side()


def error(text):
    return Error(text.encode())


def test_hexpire(side, encoding):
    assert side("HSET h a 1 b 2 c 3") == 3
    assert side("HEXPIRE h 10 FIELDS 3 a x b") == [1, -2, 1]
    assert side.handed_on() == [f"HPEXPIREAT h {NOW + 10000} FIELDS 2 a b"]
    assert side.events() == ["hset h", "hexpire h"]
    assert side("OBJECT ENCODING h") == (b"listpackex" if encoding == "packed" else b"hashtable")
    assert side("HTTL h FIELDS 4 a b c x") == [10, 10, -1, -2] and side.handed_on() == []
    assert side("HPTTL h FIELDS 2 a c") == [10000, -1]
    assert side("HEXPIRETIME h FIELDS 2 a c") == [NOW // 1000 + 10, -1]
    assert side("HPEXPIRETIME h FIELDS 2 a c") == [NOW + 10000, -1]
    side.pass_time(1)
    assert side("HTTL h FIELDS 1 a") == [10] and side("HPTTL h FIELDS 1 a") == [9999]
    assert side("HPEXPIRE h 5 FIELDS 1 c") == [1]
    assert side("HEXPIREAT h 1700000001 FIELDS 1 a") == [1] and side("HPTTL h FIELDS 1 a") == [999]
    assert side("HPEXPIREAT h 1700000000003 FIELDS 1 b") == [1] and side("HPTTL h FIELDS 1 b") == [2]
    assert sorted(side("HGETALL h")) == [b"1", b"2", b"3", b"a", b"b", b"c"]
    side.events()
    side.pass_time(2)
    assert sorted(side("HGETALL h")) == [b"1", b"3", b"a", b"c"]
    assert side.events() == ["hexpired h"]
    side.pass_time(5000)
    assert side("HGET h a") is not None and side("EXISTS h") == 0
    assert side.events() == ["hexpired h", "del h"]


@pytest.mark.parametrize("word", ["HEXPIRE", "HPEXPIRE", "HEXPIREAT", "HPEXPIREAT"])
@pytest.mark.parametrize("key", ["missing", "h"])
def test_what_hexpire_refuses(side, word, key):
    side("HSET h a 1")
    side("SET s x")
    name = word.lower()
    wrong = error(f"ERR wrong number of arguments for '{name}' command")
    for request in (f"{word}", f"{word} h 1", f"{word} h 1 FIELDS", f"{word} h 1 FIELDS 1"):
        assert side(request) == wrong
    assert side(f"{word} s x FIELDS 1 a") == error("WRONGTYPE Operation against a key holding the wrong kind of value")
    for time in ("x", "1.5", "9223372036854775808", ""):
        assert side([word, key, time, "FIELDS", "1", "a"]) == error("ERR value is not an integer or out of range")
    assert side(f"{word} {key} -1 FIELDS 1 a") == error("ERR invalid expire time, must be >= 0")
    for time in (2**46, 2**63 - 1):
        assert side(f"{word} {key} {time} FIELDS 1 a") == error(f"ERR invalid expire time in '{name}' command")
    missing = error("ERR Mandatory argument FIELDS is missing or not at the right position")
    for rest in ("FIELD 1 a", "XY FIELDS 1 a", "NX NX FIELDS 1 a", "NX FIELD 1 a b"):
        assert side(f"{word} {key} 1 {rest}") == missing
    for count in ("0", "-1", "x", "9223372036854775808"):
        assert side(f"{word} {key} 1 FIELDS {count} a") == error("ERR Parameter `numFields` should be greater than 0")
    for rest in ("FIELDS 2 a", "FIELDS 1 a b", "NX FIELDS 1"):
        assert side(f"{word} {key} 1 {rest}") == error("ERR The `numfields` parameter must match the number of arguments")
    assert side("HTTL h FIELDS 1 a") == [-1] and side.events() == ["hset h", "set s"]


def test_conditions(side):
    side("HSET h none 1 early 2 late 3")
    side("HPEXPIRE h 1000 FIELDS 1 early")
    side("HPEXPIRE h 3000 FIELDS 1 late")
    all_three = "FIELDS 4 none early late x"
    times = [-1, 1000, 3000, -2]
    for condition, expected in (("NX", [1, 0, 0, -2]), ("XX", [0, 1, 1, -2]), ("GT", [0, 1, 0, -2]), ("LT", [1, 0, 1, -2])):
        fresh = side("COPY h copy REPLACE")
        assert fresh == 1 and side(f"HPTTL copy {all_three}") == times
        side.events()
        assert side(f"hpexpire copy 2000 {condition.lower()} {all_three}") == expected
        assert side(f"HPTTL copy {all_three}") == [2000 if done == 1 else time for done, time in zip(expected, times)]
        assert side.events() == ["hexpire copy"]
    assert side("HPEXPIRE h 1000 GT FIELDS 1 early") == side("HPEXPIRE h 1000 LT FIELDS 1 early") == [0]
    assert side.handed_on() == [] and side.events() == []
    assert side("HPEXPIRE h 0 NX FIELDS 2 early none") == [0, 2]
    assert side.handed_on() == ["HDEL h none"] and side.events() == ["hdel h"]


@pytest.mark.parametrize("request_", ["HEXPIRE h 0", "HPEXPIRE h 0", "HEXPIREAT h 1", f"HPEXPIREAT h {NOW}"])
def test_times_that_are_over(side, request_):
    side("HSET h a 1 b 2 c 3")
    assert side(f"{request_} FIELDS 3 a x a") == [2, -2, -2]
    assert side.handed_on() == ["HDEL h a"] and side.events() == ["hset h", "hdel h"]
    assert side(f"{request_} FIELDS 2 b c") == [2, 2]
    assert side.handed_on() == ["HDEL h b c"] and side.events() == ["hdel h", "del h"]
    assert side("EXISTS h") == 0 and side.store.databases[0].volatile_hashes == 0


@pytest.mark.parametrize("word", ["HTTL", "HPTTL", "HEXPIRETIME", "HPEXPIRETIME", "HPERSIST", "HGETDEL", "HGETEX"])
def test_what_the_others_refuse(side, word):
    side("HSET h a 1")
    side("SET s x")
    nothing = [None if word.startswith("HGET") else -2] * 2
    for key in ("h", "missing"):
        for request in (f"{word}", f"{word} {key}", f"{word} {key} FIELDS", f"{word} {key} FIELDS 1"):
            assert side(request) == error(f"ERR wrong number of arguments for '{word.lower()}' command")
        assert side(f"{word} {key} FIELD 1 a") == error("ERR Mandatory argument FIELDS is missing or not at the right position")
        for count in ("0", "-1", "x", "9223372036854775808"):
            assert side(f"{word} {key} FIELDS {count} a") == error("ERR Number of fields must be a positive integer")
        for rest in ("2 a", "1 a b"):
            assert side(f"{word} {key} FIELDS {rest}") == error("ERR The `numfields` parameter must match the number of arguments")
    assert side(f"{word} s FIELD 0 a") == error("WRONGTYPE Operation against a key holding the wrong kind of value")
    reply = side(f"{word} missing FIELDS 2 a b")
    assert len(reply) == 2 and all(x == nothing[0] or nothing[0] is None and not isinstance(x, (bytes, int)) for x in reply)
    assert side("HGET h a") == b"1" and side("EXISTS missing") == 0


def test_hpersist(side):
    side("HSET h a 1 b 2")
    side("HEXPIRE h 10 FIELDS 1 a")
    side.events()
    assert side.store.databases[0].volatile_hashes == 1
    assert side("HPERSIST h FIELDS 3 a b x") == [1, -1, -2]
    assert side.handed_on() == ["HPERSIST h FIELDS 1 a"] and side.events() == ["hpersist h"]
    assert side("HPERSIST h FIELDS 1 a") == [-1] and side.handed_on() == [] and side.events() == []
    assert side("HTTL h FIELDS 1 a") == [-1] and side.store.databases[0].volatile_hashes == 0


def test_hgetdel(side):
    side("HSET h a 1 b 2 c 3")
    side("HEXPIRE h 10 FIELDS 1 a")
    side.events()
    assert side("HGETDEL h FIELDS 3 a x a")[0] == b"1"
    assert side.handed_on() == ["HDEL h a"] and side.events() == ["hdel h"]
    assert side("HGETDEL h FIELDS 1 x") is not None and side.handed_on() == []
    assert side("HGETDEL h FIELDS 2 b c") == [b"2", b"3"]
    assert side.events() == ["hdel h", "del h"] and side("EXISTS h") == 0


def test_hgetex(side):
    side("HSET h a 1 b 2")
    side.events()
    assert side("HGETEX h FIELDS 1 a") == [b"1"] and side.handed_on() == [] and side.events() == []
    for option, after in (("EX 10", 10000), ("PX 15", 15), (f"EXAT {NOW // 1000 + 7}", 7000), (f"PXAT {NOW + 9}", 9)):
        assert side(f"HGETEX h {option} FIELDS 2 a x")[0] == b"1"
        assert side.handed_on() == [f"HPEXPIREAT h {NOW + after} FIELDS 1 a"] and side.events() == ["hexpire h"]
        assert side("HPTTL h FIELDS 2 a b") == [after, -1]
    assert side("hgetex h persist FIELDS 2 a b") == [b"1", b"2"]
    assert side.handed_on() == ["HPERSIST h FIELDS 1 a"] and side.events() == ["hpersist h"]
    assert side("HGETEX h PERSIST FIELDS 1 a") == [b"1"] and side.handed_on() == [] and side.events() == []
    assert side("HGETEX h PXAT 1 FIELDS 2 a b") == [b"1", b"2"]
    assert side.handed_on() == ["HDEL h a b"] and side.events() == ["hdel h", "del h"] and side("EXISTS h") == 0


def test_what_hgetex_refuses(side):
    side("HSET h a 1")
    missing = error("ERR Mandatory argument FIELDS is missing or not at the right position")
    for rest in ("PXAT 1 1", "PERSIST 1 FIELDS 1 a", "KEEPTTL FIELDS 1 a", "EX 10 PERSIST FIELDS 1 a", "EX 10 PX 10 FIELDS 1 a"):
        assert side(f"HGETEX h {rest}") == missing
    for option in ("EX", "PX", "EXAT", "PXAT"):
        assert side(f"HGETEX h {option} x FIELDS 1 a") == error("ERR value is not an integer or out of range")
        assert side(f"HGETEX h {option} -1 FIELDS 1 a") == error("ERR invalid expire time, must be >= 0")
        assert side(f"HGETEX h {option} {2**46} FIELDS 1 a") == error("ERR invalid expire time in 'hgetex' command")
    assert side("HGETEX h EX 10 FIELDS") == error("ERR wrong number of arguments for 'hgetex' command")
    assert side("HTTL h FIELDS 1 a") == [-1]


def test_hsetex(side):
    assert side("HSETEX h FIELDS 2 a 1 b 2") == 1
    assert side.handed_on() == ["HSETEX h FIELDS 2 a 1 b 2"] and side.events() == ["hset h"]
    for option, after in (("EX 10", 10000), ("PX 15", 15), (f"EXAT {NOW // 1000 + 7}", 7000), (f"PXAT {NOW + 9}", 9)):
        assert side(f"HSETEX h {option} FIELDS 1 a 3") == 1
        assert side.handed_on() == [f"HSETEX h PXAT {NOW + after} FIELDS 1 a 3"] and side.events() == ["hset h", "hexpire h"]
        assert side("HPTTL h FIELDS 2 a b") == [after, -1]
    assert side("HSETEX h KEEPTTL FIELDS 2 a 4 c 5") == 1
    assert side.handed_on() == ["HSETEX h KEEPTTL FIELDS 2 a 4 c 5"] and side.events() == ["hset h"]
    assert side("HPTTL h FIELDS 2 a c") == [9, -1] and side("HGET h a") == b"4"
    assert side("HSETEX h FIELDS 1 a 5") == 1 and side("HPTTL h FIELDS 1 a") == [-1]
    for rest, reply in (("FNX FIELDS 2 d 1 a 1", 0), ("FXX FIELDS 2 a 1 d 1", 0), ("FNX EX 10 FIELDS 1 d 1", 1),
                        ("EX 20 fxx FIELDS 2 a 6 d 2", 1)):
        assert side(f"HSETEX h {rest}") == reply
        assert len(side.handed_on()) == reply
    assert side("HMGET h a d") == [b"6", b"2"] and side("HTTL h FIELDS 2 a d") == [20, 20]
    side.events()
    assert side("HSETEX missing FXX FIELDS 1 a 1") == 0 and side("EXISTS missing") == 0
    assert side.events() == []
    assert side("HSETEX h PXAT 1 FIELDS 4 a 1 b 1 c 1 d 1") == 1
    assert side.handed_on() == ["HDEL h a b c d"] and side.events() == ["hset h", "hdel h", "del h"] and side("EXISTS h") == 0
    assert side("HSETEX new EX 0 FIELDS 1 a 1") == 1 and side("EXISTS new") == 0


def test_what_hsetex_refuses(side):
    wrong = error("ERR wrong number of arguments for 'hsetex' command")
    for rest in ("", " FIELDS", " FIELDS 1", " FIELDS 2 a b", " FIELDS 2 a b c", " FIELDS 2 a b c d e", " FIELDS 3 a b c d",
                 " FIELDS 3 a b c d e", " EX 10 FIELDS 1 a", " FIELDS 1 a b c d"):
        assert side(f"HSETEX h{rest}") == wrong
    for count in ("0", "-1", "x", "2147483648", "9223372036854775808"):
        assert side(f"HSETEX h FIELDS {count} a b") == error("ERR invalid number of fields")
    assert side("HSETEX h FOO FIELDS 1 a b") == error("ERR unknown argument: FOO")
    assert side("HSETEX h FNX FXX FIELDS 1 a b") == error("ERR Only one of FXX or FNX arguments can be specified")
    assert side("HSETEX h FNX FNX FIELDS 1 a b") == error("ERR Only one of FXX or FNX arguments can be specified")
    once = error("ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified")
    for rest in ("EX 1 PX 1", "KEEPTTL EX 1", "EX 1 KEEPTTL", "KEEPTTL KEEPTTL", "EXAT 1 EXAT 1"):
        assert side(f"HSETEX h {rest} FIELDS 1 a b") == once
    for option in ("EX", "PX", "EXAT", "PXAT"):
        assert side(f"HSETEX h FNX FNY x {option}") == error("ERR unknown argument: FNY")
        assert side(f"HSETEX h {option} x FIELDS 1 a b") == error("ERR value is not an integer or out of range")
        assert side(f"HSETEX h {option} -1 FIELDS 1 a b") == error("ERR invalid expire time, must be >= 0")
        assert side(f"HSETEX h {option} {2**46} FIELDS 1 a b") == error("ERR invalid expire time in 'hsetex' command")
    side("SET s x")
    assert side("HSETEX s FIELDS 1 a b") == error("WRONGTYPE Operation against a key holding the wrong kind of value")
    assert side("HSETEX s FIELDS 0 a b") == error("ERR invalid number of fields")
    assert side("EXISTS h") == 0


def test_writing_words(side):
    """Who replaces a value ends its time, who changes it does not."""
    for request, kept in (("HSET h a 5", False), ("HMSET h a 5", False), ("HSETNX h a 5", True), ("HINCRBY h a 2", True),
                          ("HINCRBYFLOAT h a 0.5", True), ("HDEL h b", True), ("HSET h b 5", True)):
        side("DEL h")
        side("HSET h a 3 b 3")
        side("HEXPIRE h 10 FIELDS 1 a")
        side(request)
        assert side("HTTL h FIELDS 1 a") == [10 if kept else -1], request
    side("HEXPIRE h 10 FIELDS 1 a")
    side("HINCRBYFLOAT h a 1.5")
    assert side.handed_on() == ["HSETEX h KEEPTTL FIELDS 1 a 4.5"]
    side("HINCRBYFLOAT h b 1.5")
    assert side.handed_on() == ["HSET h b 6.5"]
    side("HDEL h a")
    side("HSET h a 1")
    assert side("HTTL h FIELDS 1 a") == [-1]


def test_reading_words_hide_what_has_expired(side):
    names = [b"f%d" % n for n in range(20)]
    side([b"HSET", b"h", *[x for name in names for x in (name, b"v" + name)]])
    side([b"HPEXPIRE", b"h", b"10", b"FIELDS", b"15", *names[:15]])
    side("SADD s 0 19")
    side.pass_time(9)
    assert side("HLEN h") == 20 and side("HGET h f0") == b"vf0"
    side.pass_time(1)
    side.events()
    left = names[15:]
    assert not isinstance(side("HGET h f0"), bytes)
    assert side.handed_on() and side.handed_on()[0].startswith("HDEL h f") and len(side.effects[0]) == 17
    assert side.events() == ["hexpired h"]
    assert sorted(side("HKEYS h")) == left and side("HLEN h") == 5 and side("HEXISTS h f1") == 0 and side("HSTRLEN h f1") == 0
    assert sorted(side("HVALS h")) == [b"v" + name for name in left] and len(side("HGETALL h")) == 10
    assert side("HSCAN h 0 NOVALUES COUNT 100")[1] and sorted(side("HSCAN h 0 NOVALUES COUNT 100")[1]) == left
    assert sorted(side("HRANDFIELD h 100")) == left and side("HMGET h f15 f1")[0] == b"vf15"
    assert side("SORT s GET h->f15 GET h->f1 ALPHA")[0] is not None
    assert side.store.expired_fields == 15


def test_more_at_once_than_an_access_removes(side):
    """What an access leaves is hidden all the same, and what depends on it is handed on in the right order."""
    names = [b"%d" % n for n in range(500)]

    def fill():
        side("DEL h")
        side([b"HSET", b"h", b"stays", b"1", *[x for name in names for x in (name, b"5")]])
        side([b"HPEXPIRE", b"h", b"10", b"FIELDS", b"500", *names])
        side.pass_time(10)

    fill()
    assert side("HKEYS h") == [b"stays"] and side("HLEN h") == 301 and side("HLEN h") == 201
    fill()
    assert side("HRANDFIELD h") == b"stays" and side("HGETALL h") == [b"stays", b"1"]
    for request, reply in (("HSETNX h %s 7", 1), ("HINCRBY h %s 7", 7), ("HDEL h %s", 0), ("HSETEX h KEEPTTL FIELDS 1 %s 7", 1),
                           ("HPERSIST h FIELDS 1 %s", [-2]), ("HEXPIRE h 10 FIELDS 1 %s", [-2]), ("HSETEX h FNX FIELDS 1 %s 7", 1)):
        fill()
        assert side(request % "499") == reply, request
    side("DEL h")
    side([b"HSET", b"h", *[x for name in names for x in (name, b"5")]])
    side([b"HPEXPIRE", b"h", b"10", b"FIELDS", b"500", *names])
    side.pass_time(10)
    side.events()
    assert side([b"HDEL", b"h", *names]) == 0 and side("EXISTS h") == 0
    side.store.databases[0]._check()


def test_a_hash_of_which_nothing_is_left(side):
    for request in ("HGETALL h", "HGET h a", "HLEN h", "HDEL h a", "HSETNX h a 1", "HINCRBY h a 1", "DUMP h", "COPY h other",
                    "HTTL h FIELDS 1 a", "HRANDFIELD h", "HSCAN h 0", "HSETEX h FNX FIELDS 1 a 1"):
        side("DEL h")
        side("HSET h a 5")
        side("HPEXPIRE h 10 FIELDS 1 a")
        side.pass_time(10)
        side.events()
        side(request)
        assert side.handed_on()[0] == "HDEL h a" and side.events()[:2] == ["hexpired h", "del h"], request
        made = request.split()[0] in ("HSETNX", "HINCRBY", "HSETEX")
        assert side("EXISTS h") == made and side("EXISTS other") == 0
        side.store.databases[0]._check()


def test_the_active_cycle(side):
    for n in range(50):
        side(f"HSET h{n} a 1 b 2 c 3")
        side(f"HPEXPIRE h{n} {10 + n} FIELDS 2 a b")
    side("HPEXPIRE h0 10 FIELDS 1 c")
    database = side.store.databases[0]
    assert database.volatile_hashes == 50
    side.cycle()
    assert side.effects == []
    side.pass_time(20)
    side.events()
    side.cycle()
    assert database.volatile_hashes == 39 and side.store.expired_fields == 23 and len(database) == 49
    assert sorted((words[0], words[1], sorted(words[2:])) for words in side.effects) == sorted(
        (b"HDEL", b"h%d" % n, [b"a", b"b"] if n else [b"a", b"b", b"c"]) for n in range(11))
    assert sorted(side.events()) == sorted([f"hexpired h{n}" for n in range(11)] + ["del h0"])
    database._check()
    side("FLUSHALL")
    assert database.volatile_hashes == 0


def test_the_active_cycle_is_bounded(side):
    names = [b"%d" % n for n in range(3000)]
    side([b"HSET", b"h", *[x for name in names for x in (name, b"5")]])
    side([b"HPEXPIRE", b"h", b"10", b"FIELDS", b"3000", *names])
    side.pass_time(10)
    side.set_clock()
    database = side.store.databases[0]
    assert [database.expire_fields(10, 1000) for _ in range(4)] == [1000, 1000, 1000, 0] and len(database) == 0
    database._check()


def test_moved_hashes(side):
    """The database knows its hashes through renaming, moving, copying, swapping, overwriting, and a key's own expiry."""
    side("HSET h a 1 b 2")
    side("HPEXPIRE h 100 FIELDS 1 a")
    first, second = side.store.databases[:2]
    for request, counts in (("EXPIRE h 100", (1, 0)), ("PERSIST h", (1, 0)), ("RENAME h g", (1, 0)), ("COPY g h", (2, 0)),
                            ("MOVE g 1", (1, 1)), ("EXPIRE h 100", (1, 1)), ("COPY h h DB 1", (1, 2)), ("SWAPDB 0 1", (2, 1)),
                            ("SET g x", (1, 1)), ("SWAPDB 0 1", (1, 1)), ("DEL h", (0, 1)), ("HSET h a 1", (0, 1)),
                            ("MOVE h 1", (0, 1)), ("SWAPDB 0 1", (1, 0)), ("HSET h a 2", (0, 0)), ("HEXPIRE h 5 FIELDS 1 a", (1, 0)),
                            ("COPY h h2", (2, 0)), ("RENAME h2 h", (1, 0)), ("EXPIRE h 0", (0, 0))):
        side(request)
        assert (first.volatile_hashes, second.volatile_hashes) == counts, request
        first._check()
        second._check()


def test_dump_and_restore(side, encoding):
    side("HSET h a 1 b 2 c 3")
    side("HPEXPIRE h 100 FIELDS 2 a b")
    payload = side("DUMP h")
    assert payload[0] == (25 if encoding == "packed" else 24) and payload[-10:-8] == b"\x0c\x00"
    assert side([b"RESTORE", b"g", b"0", payload]) == b"OK" and side("HPTTL g FIELDS 3 a b c") == [100, 100, -1]
    assert side.store.databases[0].volatile_hashes == 2
    side.pass_time(100)
    assert side([b"RESTORE", b"late", b"0", payload]) == b"OK" and side("HGETALL late") == [b"c", b"3"]
    side("HPERSIST g FIELDS 2 a b")
    assert side("DUMP late")[0] in (4, 16) and side("DUMP late")[-10:-8] == b"\x0a\x00"


def test_memory(side):
    side("HSET h a 1 b 2")
    database = side.store.databases[0]
    before = database.memory_of(b"h")
    side("HPEXPIRE h 100 FIELDS 1 a")
    assert before < database.memory_of(b"h") <= before + 192


def test_watch(side):
    other = Session(side.store.databases[0])
    side.engine.attach(other)
    for request in ("HEXPIRE h 10 FIELDS 1 a", "HPERSIST h FIELDS 1 a", "HGETEX h EX 10 FIELDS 1 a", "HGETDEL h FIELDS 1 b"):
        side("DEL h")
        side("HSET h a 1 b 2")
        if request.startswith("HPERSIST"):
            side("HEXPIRE h 10 FIELDS 1 a")
        for words in ((b"WATCH", b"h"), (b"MULTI",), (b"PING",)):
            side.engine.run_words(other, words)
        other.writer.take()
        side(request)
        side.engine.run_words(other, (b"EXEC",))
        assert other.writer.take() == b"*-1\r\n", request


def test_command_info(side):
    docs = side("COMMAND INFO hexpire httl hgetex hsetex hgetdel hpersist hpexpiretime")
    assert [(entry[0], entry[1], sorted(entry[2])) for entry in docs] == [
        (b"hexpire", -6, [b"denyoom", b"fast", b"write"]), (b"httl", -5, [b"fast", b"readonly"]),
        (b"hgetex", -5, [b"fast", b"write"]), (b"hsetex", -6, [b"denyoom", b"fast", b"write"]),
        (b"hgetdel", -5, [b"fast", b"write"]), (b"hpersist", -5, [b"fast", b"write"]), (b"hpexpiretime", -5, [b"fast", b"readonly"])]
    assert all(entry[3:6] == [1, 1, 1] for entry in docs)


# ---- the same again from the effects

FIELDS = st.sampled_from([b"a", b"b", b"c", b"1"])
KEYS = st.sampled_from([b"h", b"g"])
TIMES = st.sampled_from([b"0", b"1", b"3", b"10", b"30"])
NUMBERS = st.sampled_from([b"1", b"-3", b"77", b"x"])


def word(*parts):
    return st.tuples(*[st.just(part) if isinstance(part, bytes) else part for part in parts])


def with_fields(head, *per_field):
    groups = st.lists(word(FIELDS, *per_field), min_size=1, max_size=3)
    return st.tuples(head, groups).map(
        lambda drawn: (*drawn[0], b"FIELDS", b"%d" % len(drawn[1]), *[x for group in drawn[1] for x in group]))


OPTIONS = st.one_of(st.just(()), word(b"PX", TIMES), word(b"PXAT", TIMES.map(lambda text: b"%d" % (NOW + int(text)))))
REQUESTS = st.one_of(
    word(b"HSET", KEYS, FIELDS, NUMBERS, FIELDS, NUMBERS), word(b"HSETNX", KEYS, FIELDS, NUMBERS), word(b"HDEL", KEYS, FIELDS, FIELDS),
    word(b"HINCRBY", KEYS, FIELDS, NUMBERS), word(b"HINCRBYFLOAT", KEYS, FIELDS, NUMBERS), word(b"HGETALL", KEYS),
    word(b"HGET", KEYS, FIELDS), word(b"COPY", KEYS, KEYS, b"REPLACE"), word(b"RENAME", KEYS, KEYS), word(b"DEL", KEYS),
    word(b"PEXPIRE", KEYS, TIMES), word(b"HLEN", KEYS), word(b"HRANDFIELD", KEYS, NUMBERS),
    with_fields(word(b"HPEXPIRE", KEYS, TIMES)), with_fields(word(b"HPEXPIRE", KEYS, TIMES, st.sampled_from([b"NX", b"XX", b"GT", b"LT"]))),
    with_fields(word(b"HPERSIST", KEYS)), with_fields(word(b"HGETDEL", KEYS)), with_fields(word(b"HTTL", KEYS)),
    with_fields(st.tuples(KEYS, OPTIONS).map(lambda x: (b"HGETEX", x[0], *x[1]))), with_fields(word(b"HGETEX", KEYS, b"PERSIST")),
    with_fields(st.tuples(KEYS, OPTIONS).map(lambda x: (b"HSETEX", x[0], *x[1])), NUMBERS),
    with_fields(word(b"HSETEX", KEYS, st.sampled_from([b"FNX", b"FXX", b"KEEPTTL"])), NUMBERS))


@settings(max_examples=150, deadline=None)
@given(requests=st.lists(st.tuples(REQUESTS, st.integers(0, 8), st.booleans()), max_size=25))
def test_effects_lead_to_the_same(requests):
    """What is handed on makes the same data elsewhere, where no time passes."""
    side, other = Side(events=""), Side(events="")
    for words, step, cycle in requests:
        side.pass_time(step)
        if cycle:
            side.cycle()
            for effect in list(side.effects):
                assert not isinstance(other(effect), Error)
        side(words)
        side.store.databases[0]._check()
        for effect in list(side.effects):
            assert not isinstance(other(effect), Error)

    def state(one):
        database = one.store.databases[0]
        return {key: (sorted(value.times()), at) for key, value, at in database.items()}

    at_the_end = state(side)
    other.now = NOW
    other.set_clock()
    elsewhere = state(other)
    for key in set(elsewhere) - set(at_the_end):
        assert elsewhere.pop(key)[1] < side.now         # the key's own expiry, which nobody has looked at
    assert elsewhere == at_the_end


# ---- snapshots

@pytest.mark.parametrize("begin", ["cycle", "access", "nothing"])
def test_a_snapshot_has_what_expires_meanwhile(side, begin):
    for n in range(3):
        side(f"HSET h{n} a 1 b 2")
        side(f"HPEXPIRE h{n} 10 FIELDS 1 a")
    chunks = []
    snapshot = Snapshot(side.store, chunks.append)
    side.pass_time(10)
    if begin == "cycle":
        side.cycle()
    elif begin == "access":
        for n in range(3):
            assert side(f"HGETALL h{n}") == [b"b", b"2"]
    side("HEXPIRE h1 100 FIELDS 1 b")
    assert snapshot.advance(-1)
    other = Side()
    loader = Loader("file", other.store, NOW, checksum=False, data=b"REDIS0012" + b"".join(chunks) + b"\xff" + bytes(8))
    while not loader.advance(-1):
        pass
    database = other.store.databases[0]
    assert {key: sorted(value.times()) for key, value, _ in database.items()} == {
        b"h%d" % n: [(b"a", b"1", NOW + 10), (b"b", b"2", 0)] for n in range(3)}
    assert database.volatile_hashes == 3
    database._check()
