"""The harness itself: its script format, and its comparison, against the oracle on both sides."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle import servers
from tests.oracle.harness import Both, Side, answers, same, sequence, split
from tests.oracle.resp import NULL, NULL_ARRAY, Double, Error, Map, Parser, Push, Set, Status, request


@pytest.fixture(scope="module")
def two_oracles(oracle_server):
    with servers.oracle() as second:
        yield Side(oracle_server), Side(second)


@pytest.fixture
def twice(two_oracles, resp):
    together = Both(*two_oracles, resp)
    together.reset()
    yield together
    together.finish()


def test_split():
    assert split(r'SET k "two words" "\x00\xff\n" ' + "'a\\'b' # comment") == [
        b"SET", b"k", b"two words", b"\x00\xff\n", b"a'b"]
    assert split('SORT l GET "#"') == [b"SORT", b"l", b"GET", b"#"]
    with pytest.raises(ValueError):
        split('GET "x')


@given(st.recursive(st.integers(-2**63, 2**63 - 1) | st.binary(max_size=9) | st.just(NULL), st.lists, max_leaves=9),
       st.integers(1, 7))
def test_parser_takes_any_pieces(value, step):
    def encode(v):
        if isinstance(v, list):
            return b"*%d\r\n" % len(v) + b"".join(map(encode, v))
        return b":%d\r\n" % v if isinstance(v, int) else b"$-1\r\n" if v is NULL else b"$%d\r\n%b\r\n" % (len(v), v)
    parser, data, got = Parser(), encode(value), []
    for at in range(0, len(data), step):
        parser.feed(data[at:at + step])
        reply = parser.next()
        if reply is not None:
            got.append(reply)
    assert got == [value]


def test_parser_of_resp3():
    parser = Parser()
    parser.feed(b"%1\r\n+a\r\n,1.5\r\n~1\r\n#t\r\n>1\r\n$1\r\nx\r\n_\r\n*-1\r\n=5\r\ntxt:a\r\n(12345678901234567890\r\n-ERR x\r\n")
    assert parser.next() == Map([(b"a", 1.5)])
    assert parser.next() == Set([True])
    assert parser.next() == Push([b"x"])
    assert parser.next() is NULL and parser.next() is NULL_ARRAY
    assert parser.next() == b"txt:a" and parser.next() == 12345678901234567890
    assert parser.next() == Error(b"ERR x") and parser.next() is None
    assert request(["A", b"\r\n", 1]) == b"*3\r\n$1\r\nA\r\n$2\r\n\r\n\r\n$1\r\n1\r\n"


def test_comparison():
    assert same([b"a", b"b"], [b"b", b"a"], "%") and not same([b"a", b"a"], [b"a", b"b"], "%")
    assert not same([b"0", [b"a", b"b"]], [b"0", [b"b", b"a"]], "%") and same([b"0", [b"a", b"b"]], [b"0", [b"b", b"a"]], "%%")
    assert same([b"x", [b"0.10000000000000001"]], [b"x", [b"0.1"]], "~") and not same(b"0.10000000000000001", b"0.1")
    assert same(Double(0.1), Double("0.1")) and not same(Double(1), 1) and not same(b"1", 1, "~")
    assert not same(Status(b"OK"), b"OK") and not same(NULL, NULL_ARRAY) and not same([], Set())
    assert same([1, b"a"], [2, b"b"], "?") and not same([1], [1, 2], "?") and same([1], [1, 2], "??")
    assert same(Error(b"ERR a"), Error(b"ERR b"), "?") and not same(Error(b"ERR a"), Error(b"ERR b"))
    assert answers(b"1.5", 1.5, 2) and answers(Double(1.5), 1.5, 3) and not answers(b"1.5", 1.5, 3)
    assert answers([b"a", 1], {"a": 1}, 2) and answers(Map([(b"a", 1)]), {"a": 1}, 3)
    assert answers(NULL, None, 3) and not answers(1, True, 3) and answers(1, True, 2)


def test_script(twice):
    replies = twice(r"""
        RPUSH l a "two words" "\x00\xff"
        LRANGE l 0 -1                   # a comment
        # a whole line of comment
        ~ INCRBYFLOAT f 0.1
        SADD s 1 2 3
        % SMEMBERS s
        2> BLPOP q 0
        2-
        RPUSH q x
        2<
        $id: CLIENT ID
        CLIENT KILL ID $id SKIPME yes
        ? TIME
        @3 HELLO 7
        SUBSCRIBE c d
        1<
        2: PUBLISH c hello
        1<
        3: QUIT
        3<
        ! "PING\r\n"
        CONFIG SET maxmemory-samples 7
    """)
    assert replies[:2] == [3, [b"a", b"two words", b"\x00\xff"]]


def test_settings_are_restored(twice):
    twice("CONFIG SET maxmemory-samples 7\nCONFIG SET notify-keyspace-events KEA")
    twice.reset()
    for side in twice.sides:
        assert side.ask("CONFIG", "GET", "maxmemory-samples") == [b"maxmemory-samples", b"5"]
        assert side.ask("CONFIG", "GET", "notify-keyspace-events")[1] == b""


@pytest.mark.parametrize("script", ["? GET k", "GET k", "LRANGE k 0 -1", "2: GET k"])
def test_a_difference_is_found(twice, script):
    twice.oracle.ask("SET", "k", "v")
    with pytest.raises(AssertionError, match="line 1"):
        twice(script)


def test_an_expected_answer(twice):
    twice("""
        = PING -> +PONG
        = ECHO "a b" -> "a b"
        = INCR n -> 1
        = INCR n x -> -ERR wrong number of arguments for 'incr' command
        = GET nothing -> None
        = COMMAND GETKEYS GET k -> ["k"]
    """)
    with pytest.raises(AssertionError):
        twice("= PING -> +OK")


@given(st.lists(st.tuples(st.sampled_from(["LPUSH", "RPUSH", "LPOP", "SMEMBERS"]), st.sampled_from("ab"), st.binary(max_size=3)),
                max_size=20))
def test_sequence(twice, commands):
    sequence(twice, [list(words) for words in commands], {"SMEMBERS": "%"})


def test_sequence_finds_a_difference(twice):
    twice.oracle.ask("SELECT", "0")
    with pytest.raises(AssertionError, match="carnelian"):
        sequence(twice, [["ECHO", "x"], ["INFO", "server"]])
