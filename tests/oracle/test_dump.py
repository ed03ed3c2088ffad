"""DUMP and RESTORE: values go from redis-server to carnelian and back, and are the same."""
import random

import pytest

from tests.oracle.harness import ORACLE_ONLY
from tests.oracle.resp import Error
from tests.payloads import BODIES, NEWER_BODIES, payload

GOOD = payload(b"\x00\x01v")


def quoted(data):
    return '"' + "".join(f"\\x{byte:02x}" for byte in data) + '"'


# ---- values both ways

def big(word, n, *, pairs=False, make=b"%d", width=1):
    """One request per 100 elements."""
    for start in range(0, n, 100):
        yield [word, "k", *[part for i in range(start, min(n, start + 100))
                            for part in ((make % i * width, b"value %d" % i) if pairs == 1 else
                                         (b"%d.25" % (i * 7 % 1000), make % i * width) if pairs == 2 else (make % i * width,))]]


def stream(entries):
    for i in range(entries):
        yield ["XADD", "k", f"{1700000000000 + i // 2}-{i % 2 + 1}", "name", f"{i}", *(["other", "x" * i] if i % 7 == 0 else [])]
    yield ["XDEL", "k", "1700000000000-2", "1700000000001-1"]
    yield ["XGROUP", "CREATE", "k", "g", "0"]
    yield ["XGROUP", "CREATE", "k", "empty", "$"]
    yield ["XGROUP", "CREATE", "k", "\x00binary", "1700000000002-1", "ENTRIESREAD", "5"]
    yield ["XREADGROUP", "GROUP", "g", "one", "COUNT", "5", "STREAMS", "k", ">"]
    yield ["XREADGROUP", "GROUP", "g", "two", "COUNT", "50", "STREAMS", "k", ">"]
    yield ["XREADGROUP", "GROUP", "g", "two", "COUNT", "5", "STREAMS", "k", "0"]
    yield ["XACK", "k", "g", "1700000000001-2"]
    yield ["XGROUP", "CREATECONSUMER", "k", "g", "idle"]
    yield ["XCLAIM", "k", "g", "one", "0", "1700000000003-1", "TIME", "1700000000000", "RETRYCOUNT", "300"]


BINARY = bytes(range(256))
VALUES = {
    "string": [["SET", "k", "value"]],
    "empty string": [["SET", "k", ""]],
    "binary string": [["SET", "k", BINARY]],
    "long string": [["SET", "k", b"abc" * 20000]],
    "random string": [["SET", "k", random.Random(1).randbytes(20000)]],
    **{f"integer {n}": [["SET", "k", str(n)]] for n in (0, 127, 128, -128, -129, 32767, 32768, -32769, 2**31 - 1, 2**31, -2**31, -2**63)},
    "almost an integer": [["SET", "k", "007"]],
    "list": [["RPUSH", "k", "a", "", "5", "-70000", BINARY, "x" * 63, "y" * 64, "z" * 4095, "w" * 100]],
    "long list": list(big("RPUSH", 3000, width=5)),
    "wide list": list(big("RPUSH", 60, make=b"%d,", width=1000)),
    "list of large elements": [["RPUSH", "k", "a", b"b" * 20000, "c", b"d" * 9000, "e"]],
    "set of integers": [["SADD", "k", "5", "-3", "300"]],
    "set of wide integers": [["SADD", "k", "5", "-3", str(2**40)]],
    "set of many integers": list(big("SADD", 600)),
    "set": [["SADD", "k", "5", "b", "", BINARY[:60]]],
    "large set": list(big("SADD", 1000, make=b"member %d")),
    "hash": [["HSET", "k", "f", "v", "g", "7", "", "", BINARY[:60], BINARY[60:120]]],
    "wide hash": [["HSET", "k", "f", BINARY]],
    "large hash": list(big("HSET", 1000, pairs=1)),
    "sorted set": [["ZADD", "k", "1", "a", "1.5", "b", "-inf", "c", "inf", "d", "3e-300", "5", "0.1", BINARY[:60], "1e17", "e"]],
    "wide sorted set": [["ZADD", "k", "1.1", BINARY, "inf", "a", "-inf", "b", "-0.3", "c"]],
    "large sorted set": list(big("ZADD", 1000, pairs=2, make=b"m%d")),
    "stream": list(stream(30)),
    "large stream": list(stream(700)),
    "stream without entries": [["XADD", "k", "5-1", "f", "v"], ["XDEL", "k", "5-1"], ["XGROUP", "CREATE", "k", "g", "0"]],
    "stream with other counters": [["XADD", "k", "5-1", "f", "v"], ["XSETID", "k", "9-9", "ENTRIESADDED", "100", "MAXDELETEDID", "7-7"]],
}


@pytest.fixture
def sides(pair):
    """The two sides, emptied."""
    if ORACLE_ONLY:
        pytest.skip("CARNELIAN_ORACLE_ONLY=1")
    for side in pair:
        side.reset(2)
    yield pair
    for side in pair:
        side.close_clients()


def without(reply, names):
    """A nested reply without these fields and their values."""
    if not isinstance(reply, list):
        return reply
    found, skip = [], False
    for item in reply:
        if skip or item in names:
            skip = not skip
        else:
            found.append(b"pel" if item == b"pending" else without(item, names))        # renamed in 7.2
    return found


def description(side):
    """What must be the same of key k: Redis 7.0 has no active time, and the shape of its index is its own."""
    client = side.client(1)
    kind, digest = client("TYPE", "k"), client("DEBUG", "DIGEST-VALUE", "k")
    if kind != b"stream":
        return kind, digest
    consumers = [client("XINFO", "CONSUMERS", "k", group[1]) for group in client("XINFO", "GROUPS", "k")]
    pending = [client("XPENDING", "k", group[1]) for group in client("XINFO", "GROUPS", "k")]
    return (kind, digest, pending, without(client("XINFO", "STREAM", "k", "FULL", "COUNT", "0"),
                                           (b"active-time", b"radix-tree-keys", b"radix-tree-nodes")),
            without(consumers, (b"idle", b"inactive")), without(client("XINFO", "GROUPS", "k"), ()))


def move(source, target):
    """DUMP here, RESTORE there."""
    data = source.client(1)("DUMP", "k")
    assert isinstance(data, bytes) and not isinstance(data, Error), data
    assert target.client(1)("RESTORE", "k", "0", data, "REPLACE") == b"OK"


@pytest.mark.parametrize("direction", ["to redis", "from redis"])
@pytest.mark.parametrize("name", VALUES)
def test_there_and_back(sides, name, direction):
    oracle, carnelian = sides
    source, target = (carnelian, oracle) if direction == "to redis" else (oracle, carnelian)
    for words in VALUES[name]:
        assert not isinstance(source.client(1)(*words), Error), words
    wanted = description(source)
    move(source, target)
    assert description(target) == wanted
    source.client(1)("DEL", "k")
    move(target, source)
    assert description(source) == wanted


@pytest.mark.parametrize("name", BODIES)
def test_hand_made(sides, name):
    """Payloads of older versions are the same values on both."""
    for version in (1, 6, 10):
        replies = [side.client(1)("RESTORE", "k", "0", payload(BODIES[name], version), "REPLACE") for side in sides]
        assert replies == [b"OK", b"OK"]
        assert description(sides[0]) == description(sides[1])


@pytest.mark.parametrize("name", NEWER_BODIES)
def test_newer(sides, name):
    """What Redis 7.0 does not read: it is there, and in what Redis does read when it is given to it."""
    oracle, carnelian = sides
    assert carnelian.client(1)("RESTORE", "k", "0", payload(NEWER_BODIES[name], 11)) == b"OK"
    move(carnelian, oracle)
    assert description(oracle) == description(carnelian)


# ---- the words

def test_words(both):
    both(f"""
        DUMP nosuch
        SET k v
        DUMP k
        RESTORE k
        RESTORE k 0
        RESTORE k 0 {quoted(GOOD)}
        RESTORE k 0 y
        RESTORE k x y
        RESTORE k -1 y
        RESTORE k 0 y FOO
        RESTORE k 0 y REPLACE
        GET k
        RESTORE k 0 {quoted(GOOD)} replace
        TTL k
        RESTORE n 0 y
        RESTORE n x y
        RESTORE n -1 y
        RESTORE n 0 ""
        RESTORE n 0 {quoted(GOOD[:-1] + b"x")}
        RESTORE n 0 {quoted(payload(b"x"))}
        RESTORE n 0 {quoted(payload(b""))}
        RESTORE n 0 {quoted(payload(b"x", 13))}
        RESTORE n 0 {quoted(GOOD)} FOO
        RESTORE n 0 {quoted(GOOD)} IDLETIME
        RESTORE n 0 {quoted(GOOD)} IDLETIME x
        RESTORE n 0 {quoted(GOOD)} IDLETIME -1
        RESTORE n 0 {quoted(GOOD)} FREQ
        RESTORE n 0 {quoted(GOOD)} FREQ x
        RESTORE n 0 {quoted(GOOD)} FREQ -1
        RESTORE n 0 {quoted(GOOD)} FREQ 256
        RESTORE n 0 {quoted(GOOD)} FREQ 1 IDLETIME 1
        RESTORE n 0 {quoted(GOOD)} IDLETIME 1 FREQ 1
        EXISTS n
        RESTORE n 0 {quoted(GOOD)} IDLETIME 100 IDLETIME 1000
        OBJECT IDLETIME n
        RESTORE m 0 {quoted(GOOD)} FREQ 100
        OBJECT IDLETIME m
        OBJECT FREQ m
        RESTORE o 0 {quoted(payload(bytes([0, 1]) + b"vxx"))}
        GET o
        ?? COMMAND DOCS DUMP RESTORE
        COMMAND GETKEYS RESTORE a 0 b
    """)


def test_expiry(both):
    both(f"""
        RESTORE a 100000 {quoted(GOOD)}
        TTL a
        RESTORE b 9223372036854775807 {quoted(GOOD)}
        EXISTS b
        RESTORE c 9223372036854775807 {quoted(GOOD)} ABSTTL
        PEXPIRETIME c
        RESTORE d 0 {quoted(GOOD)} ABSTTL
        TTL d
        RESTORE e 1 {quoted(GOOD)} ABSTTL
        EXISTS e
        RESTORE a 1 {quoted(GOOD)}
        RESTORE a 1 {quoted(GOOD)} ABSTTL REPLACE
        EXISTS a
        RESTORE f 1 {quoted(GOOD[:-1] + b"x")} ABSTTL
        RESTORE c 0 {quoted(GOOD)} REPLACE
        TTL c
    """)


def test_lfu(both):
    both(f"""
        CONFIG SET maxmemory-policy allkeys-lfu
        RESTORE k 0 {quoted(GOOD)} FREQ 100
        OBJECT FREQ k
        RESTORE l 0 {quoted(GOOD)} FREQ 0
        OBJECT FREQ l
        RESTORE m 0 {quoted(GOOD)} IDLETIME 100
        OBJECT FREQ m
    """)


def test_effects(both):
    """Events, WATCH, and who waits for the key."""
    list_ = quoted(payload(BODIES["list"]))
    both(f"""
        CONFIG SET notify-keyspace-events KEAn
        2: SUBSCRIBE __keyspace@0__:k
        RESTORE k 0 {quoted(GOOD)}
        2<
        2<
        RESTORE k 100000 {quoted(GOOD)} REPLACE
        2<
        2<
        RESTORE k 1 {quoted(GOOD)} REPLACE ABSTTL
        2<
        RESTORE k 1 {quoted(GOOD)} REPLACE ABSTTL
        2-
        3: WATCH w
        3: MULTI
        3: PING
        RESTORE w 0 {quoted(GOOD)}
        3: EXEC
        4> BLPOP q 0
        RESTORE q 0 {list_}
        4<
        LRANGE q 0 -1
    """)


def test_after_moving(sides):
    """What Redis made of a value that came from carnelian goes on as it should."""
    oracle, carnelian = sides
    for words in VALUES["list of large elements"]:
        carnelian.client(1)(*words)
    move(carnelian, oracle)
    for words in (["LPUSH", "k", "new"], ["LSET", "k", "2", "small"], ["LINSERT", "k", "BEFORE", "c", "x" * 10000], ["LREM", "k", "0", "e"],
                  ["RPOP", "k"], ["LINSERT", "k", "AFTER", "a", "b"], ["LRANGE", "k", "0", "-1"]):
        assert oracle.client(1)(*words) == carnelian.client(1)(*words), words
    assert description(oracle) == description(carnelian)
