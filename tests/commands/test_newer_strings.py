"""Words on strings that came after Redis 7.2, which the oracle does not have: conditions, digests, MSETEX, operations of BITOP."""
import functools
import operator

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from tests.commands.conftest import NOW
from tests.oracle.resp import NULL

pytestmark = pytest.mark.filterwarnings("ignore:Call to .*experimental")

# Known digests, as other programs compute them.
DIGESTS = {b"": b"2d06800538d394c2", b"hello": b"9555e8555c62dcfd", b"123": b"404a763b3f4c8c9a", b"v8": b"0cc76dbb41381419"}


@pytest.fixture
def r(carnelian_server, carnelian):
    with redis.Redis(port=carnelian_server.port, socket_timeout=5) as client:
        yield client


# --- conditions of SET ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("options, reply, left", [
    ("IFEQ old", b"OK", b"new"), ("IFEQ other", NULL, b"old"), ("ifeq old", b"OK", b"new"),
    ("IFNE other", b"OK", b"new"), ("IFNE old", NULL, b"old"),
    ("GET IFEQ old", b"old", b"new"), ("IFEQ other GET", b"old", b"old"), ("IFNE old GET", b"old", b"old"),
    ("EX 10 IFEQ old", b"OK", b"new"), ("IFEQ EX EX 10", NULL, b"old"), ("IFNE EX KEEPTTL", b"OK", b"new"),
])
def test_set_if(ask, options, reply, left):
    ask("SET k old")
    assert ask(f"SET k new {options}") == reply and ask("GET k") == left
    assert (ask("TTL k") > 0) == ("EX 10" in options and left == b"new")


@pytest.mark.parametrize("options, reply, left", [
    ("IFEQ x", NULL, NULL), ("IFNE x", b"OK", b"new"), ("IFDEQ 9555e8555c62dcfd", NULL, NULL),
    ("IFDNE 9555e8555c62dcfd", b"OK", b"new"), ("IFNE x GET", NULL, b"new"), ("IFEQ x GET", NULL, NULL),
])
def test_set_if_without_the_key(ask, options, reply, left):
    assert ask(f"SET k new {options}") == reply and ask("GET k") == left


def test_set_if_by_digest(r):
    r.set("k", "hello", ex=100)
    assert r.set("k", "new", ifdeq="0" * 16) is None
    assert r.set("k", "new", ifdne="9555e8555c62dcfd") is None
    assert r.set("k", "new", ifdne="9555E8555C62DCFD") is None          # in either case
    assert r.set("k", "new", ifdeq="9555E8555c62dcfd", keepttl=True, get=True) == b"hello"
    assert r.get("k") == b"new" and r.ttl("k") > 90
    assert r.set("k", "newer", ifdne="z" * 16) is True and r.ttl("k") == -1


@pytest.mark.parametrize("options, error", [
    ("IFEQ", b"ERR syntax error"), ("IFEQ a IFNE b", b"ERR syntax error"), ("NX IFEQ a", b"ERR syntax error"),
    ("IFNE a XX", b"ERR syntax error"), ("IFEQ a IFEQ a", b"ERR syntax error"), ("IFEQ a EX", b"ERR syntax error"),
    ("IFEQ a EX 0", b"ERR invalid expire time in 'set' command"),
    ("IFDEQ 12", b"ERR The digest must be exactly 16 hexadecimal characters"),
    ("IFDNE 0123456789abcdef0", b"ERR The digest must be exactly 16 hexadecimal characters"),
])
def test_set_if_refuses(ask, options, error):
    assert ask("SET k v IFNE x") == b"OK"
    assert ask(f"SET k v {options}") == error
    assert ask("GET k") == b"v"
    assert ask("GETEX k IFEQ v") == b"ERR syntax error"


def test_set_if_wants_a_string(ask):
    ask("RPUSH l a")
    for option in ("IFEQ a", "IFNE a", "IFDEQ 0123456789abcdef", "IFDNE 0123456789abcdef"):
        assert ask(f"SET l v {option}").startswith(b"WRONGTYPE")
    assert ask("LLEN l") == 1


# --- digests and deletion ------------------------------------------------------------------------------------------

def test_digest(r):
    for value, digest in DIGESTS.items():
        r.set("k", value)
        assert r.digest("k") == digest
    assert r.digest("nothing") is None
    r.rpush("l", "a")
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        r.digest("l")


def test_the_digest_that_the_client_computes(r):
    for length in (1, 3, 8, 9, 16, 17, 128, 129, 240, 241, 1024, 5000):
        value = bytes(i * 7 & 0xFF for i in range(length))
        r.set("k", value)
        assert r.digest("k") == r.digest_local(value)


@pytest.mark.parametrize("condition, deleted", [
    ({}, 1), ({"ifeq": "hello"}, 1), ({"ifeq": "other"}, 0), ({"ifne": "hello"}, 0), ({"ifne": "other"}, 1),
    ({"ifdeq": "9555e8555c62dcfd"}, 1), ({"ifdeq": "0" * 16}, 0), ({"ifdne": "9555e8555c62dcfd"}, 0), ({"ifdne": "0" * 16}, 1),
])
def test_delex(r, condition, deleted):
    assert r.delex("k", **condition) == 0
    r.set("k", "hello")
    assert r.delex("k", **condition) == deleted and r.exists("k") == 1 - deleted


@pytest.mark.parametrize("request_, reply", [
    ("DELEX nothing FOO bar", 0), ("DELEX nothing IFDEQ 1", 0),
    ("DELEX l", 1), ("DELEX l IFEQ a", b"ERR Key should be of string type if conditions are specified"),
    ("DELEX l FOO a", b"ERR Key should be of string type if conditions are specified"),
    ("DELEX k FOO a", b"ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE"),
    ("DELEX k IFEQ", b"ERR wrong number of arguments for 'delex' command"),
    ("DELEX nothing IFEQ a b", b"ERR wrong number of arguments for 'delex' command"),
    ("DELEX k IFDEQ 123", b"ERR The digest must be exactly 16 hexadecimal characters"),
    ("DELIFEQ k hello", 1), ("DELIFEQ k other", 0), ("DELIFEQ nothing x", 0),
    ("DELIFEQ l a", b"WRONGTYPE Operation against a key holding the wrong kind of value"),
    ("COMMAND GETKEYS DELEX k IFEQ v", [b"k"]),
    ("COMMAND GETKEYSANDFLAGS DELEX k", [[b"k", [b"RM", b"delete"]]]),
    ("COMMAND GETKEYSANDFLAGS DELEX k IFEQ v", [[b"k", [b"RW", b"access", b"delete"]]]),
    ("COMMAND GETKEYSANDFLAGS SET k v IFEQ v", [[b"k", [b"RW", b"access", b"update"]]]),
])
def test_deletion(ask, request_, reply):
    ask("SET k hello")
    ask("RPUSH l a")
    assert ask(request_) == reply


# --- MSETEX --------------------------------------------------------------------------------------------------------

def test_msetex(r):
    persist = redis.commands.core.DataPersistOptions
    assert r.msetex({"a": 1, "b": 2}, ex=100) == 1
    assert r.mget("a", "b") == [b"1", b"2"] and r.ttl("a") > 90 and r.ttl("b") > 90
    assert r.msetex({"a": 3, "c": 4}, data_persist_option=persist.NX) == 0 and r.exists("c") == 0
    assert r.msetex({"a": 3, "c": 4}, data_persist_option=persist.XX) == 0 and r.exists("c") == 0
    assert r.msetex({"a": 3, "b": 4}, data_persist_option=persist.XX, keepttl=True) == 1
    assert r.mget("a", "b") == [b"3", b"4"] and r.ttl("a") > 90
    assert r.msetex({"a": 5}) == 1 and r.ttl("a") == -1
    assert r.msetex({"c": 1, "d": 2}, data_persist_option=persist.NX, pxat=4102444800000) == 1
    assert r.pexpiretime("d") == 4102444800000
    r.rpush("l", "x")
    assert r.msetex({"l": "a string"}, px=100000) == 1 and r.get("l") == b"a string"


@pytest.mark.parametrize("request_, reply", [
    ("MSETEX 1 k", b"ERR wrong number of arguments for 'msetex' command"),
    ("MSETEX 0 k v", b"ERR invalid numkeys value"), ("MSETEX -1 k v", b"ERR invalid numkeys value"),
    ("MSETEX k v EX 10", b"ERR invalid numkeys value"), ("MSETEX 2147483648 k v", b"ERR invalid numkeys value"),
    ("MSETEX 2147483647 k v", b"ERR wrong number of key-value pairs"), ("MSETEX 2 k v k2", b"ERR wrong number of key-value pairs"),
    ("MSETEX 1 k v nothing", b"ERR syntax error"), ("MSETEX 1 k v NX XX", b"ERR syntax error"),
    ("MSETEX 1 k v EX 10 PX 10", b"ERR syntax error"), ("MSETEX 1 k v KEEPTTL EX 10", b"ERR syntax error"),
    ("MSETEX 1 k v EX 10 KEEPTTL", b"ERR syntax error"), ("MSETEX 1 k v GET", b"ERR syntax error"),
    ("MSETEX 1 k v IFEQ x", b"ERR syntax error"), ("MSETEX 1 k v EX", b"ERR syntax error"),
    ("MSETEX 1 k v EX x", b"ERR value is not an integer or out of range"),
    ("MSETEX 1 k v EX 0", b"ERR invalid expire time in 'msetex' command"),
    ("COMMAND GETKEYS MSETEX 2 a 1 b 2 NX EX 10", [b"a", b"b"]),
])
def test_msetex_refuses(ask, request_, reply):
    assert ask(request_) == reply
    assert ask("EXISTS k") == 0


# --- BITOP ---------------------------------------------------------------------------------------------------------

def model(operation, sources):
    size = max(map(len, sources))
    numbers = [int.from_bytes(source.ljust(size, b"\0"), "big") for source in sources]
    others = functools.reduce(operator.or_, numbers[1:], 0)
    if operation == "ONE":
        once = several = 0
        for number in numbers:
            several |= once & number
            once |= number
        found = once & ~several
    else:
        found = {"DIFF": numbers[0] & ~others, "DIFF1": others & ~numbers[0], "ANDOR": others & numbers[0]}[operation]
    return found.to_bytes(size, "big")


@given(st.sampled_from(["DIFF", "DIFF1", "ANDOR", "ONE"]), st.lists(st.binary(max_size=40), min_size=2, max_size=5))
def test_bitop(r, operation, sources):
    r.flushdb()
    for at, source in enumerate(sources):
        r.set(f"s{at}", source)
    result = model(operation, sources)
    assert r.bitop(operation, "d", *(f"s{at}" for at in range(len(sources)))) == len(result)
    assert (r.get("d") or b"") == result and r.exists("d") == (result != b"")


@pytest.mark.parametrize("request_, reply", [
    ("BITOP DIFF d a", b"ERR BITOP DIFF must be called with at least two source keys."),
    ("BITOP diff1 d a", b"ERR BITOP DIFF1 must be called with at least two source keys."),
    ("BITOP ANDOR d a", b"ERR BITOP ANDOR must be called with at least two source keys."),
    ("BITOP ONE d a", 1), ("BITOP one d nothing", 0), ("BITOP DIFF d a l", b"WRONGTYPE Operation against a key holding the wrong "
                                                       b"kind of value"),
    ("BITOP DIFF2 d a b", b"ERR syntax error"), ("BITOP DIFF d nothing a", 1),
])
def test_bitop_with_few_keys(ask, request_, reply):
    ask("SET a x")
    ask("RPUSH l x")
    assert ask(request_) == reply


# --- what is propagated --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("request_, expected", [
    ("SET k new IFEQ v", ["SET k new"]), ("SET k new IFEQ x", []), ("SET k new IFNE x GET KEEPTTL", ["SET k new KEEPTTL"]),
    ("SET k new IFEQ v EX 10", [f"SET k new PXAT {NOW + 10_000}"]), ("SET new v IFNE x", ["SET new v"]),
    ("DELEX k IFEQ v", ["DEL k"]), ("DELEX k", ["DEL k"]), ("DELEX k IFNE v", []), ("DELIFEQ k v", ["DEL k"]), ("DELIFEQ k x", []),
    ("DIGEST k", []), ("MSETEX 2 k 1 j 2", ["MSET k 1 j 2"]), ("MSETEX 2 k 1 j 2 NX", []),
    ("MSETEX 2 k 1 j 2 EX 10", [f"SET k 1 PXAT {NOW + 10_000}", f"SET j 2 PXAT {NOW + 10_000}"]),
    ("MSETEX 1 k 1 KEEPTTL XX", ["SET k 1 KEEPTTL"]), ("BITOP DIFF d k nothing", ["BITOP DIFF d k nothing"]),
])
def test_effects(effects, request_, expected):
    assert effects("SET k v", request_) == [f"0: {words}" for words in expected]
