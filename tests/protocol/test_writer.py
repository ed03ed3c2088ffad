"""The writer: what it says in RESP2 and in RESP3, read back."""
import math
from enum import IntEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carnelian.base.errors import ReplyError, WrongType
from carnelian.base.memory import used_memory
from carnelian.base.replies import (NO_REPLY, NULL_ARRAY, OK, QUEUED, WAIT, Attribute, BigNumber, FieldValues, LongDouble, Members,
                                    MemberScores, Pairs, Push, Status, Verbatim)
from carnelian.protocol.writer import Writer
from tests.oracle.resp import NULL, Double, Map, Parser, Set


def written(value, resp=2):
    writer = Writer()
    writer.resp = resp
    writer.encode(value)
    writer._check()
    return writer.take()


class Colour(IntEnum):
    RED = 3


CASES = [
    (b"abc", b"$3\r\nabc\r\n", None),
    (b"", b"$0\r\n\r\n", None),
    (b"x" * 10, b"$10\r\n" + b"x" * 10 + b"\r\n", None),
    ("h\u00e9", "$3\r\nh\u00e9\r\n".encode(), None),
    ("\udcff", b"$1\r\n\xff\r\n", None),
    (bytearray(b"ab"), b"$2\r\nab\r\n", None),
    (0, b":0\r\n", None), (9, b":9\r\n", None), (10, b":10\r\n", None), (-1, b":-1\r\n", None),
    (2**63 - 1, b":9223372036854775807\r\n", None), (-2**63, b":-9223372036854775808\r\n", None),
    (Colour.RED, b":3\r\n", None),
    (2**63, b"$19\r\n9223372036854775808\r\n", b"(9223372036854775808\r\n"),
    (BigNumber(-5), b"$2\r\n-5\r\n", b"(-5\r\n"),
    (LongDouble(0.1), b"$19\r\n0.10000000000000001\r\n", b",0.10000000000000001\r\n"),
    (LongDouble(-180.0), b"$4\r\n-180\r\n", b",-180\r\n"),
    (None, b"$-1\r\n", b"_\r\n"), (NULL_ARRAY, b"*-1\r\n", b"_\r\n"),
    (True, b":1\r\n", b"#t\r\n"), (False, b":0\r\n", b"#f\r\n"),
    (1.5, b"$3\r\n1.5\r\n", b",1.5\r\n"), (3.0, b"$1\r\n3\r\n", b",3\r\n"), (-0.0, b"$2\r\n-0\r\n", b",-0\r\n"),
    (math.inf, b"$3\r\ninf\r\n", b",inf\r\n"), (-math.inf, b"$4\r\n-inf\r\n", b",-inf\r\n"), (math.nan, b"$3\r\nnan\r\n", b",nan\r\n"),
    (OK, b"+OK\r\n", None), (QUEUED, b"+QUEUED\r\n", None), (Status(b"a\r\nb"), b"+a  b\r\n", None),
    (WrongType(), b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n", None),
    (ReplyError("ERR a\nb"), b"-ERR a b\r\n", None), (ReplyError("ERR '\udcff'"), b"-ERR '\xff'\r\n", None),
    ([], b"*0\r\n", None), ([b"a", 1, [None]], b"*3\r\n$1\r\na\r\n:1\r\n*1\r\n$-1\r\n", b"*3\r\n$1\r\na\r\n:1\r\n*1\r\n_\r\n"),
    ((1, 2), b"*2\r\n:1\r\n:2\r\n", None), ([WrongType(), OK], b"*2\r\n-" + WrongType.text.encode() + b"\r\n+OK\r\n", None),
    ({b"k": 1}, b"*2\r\n$1\r\nk\r\n:1\r\n", b"%1\r\n$1\r\nk\r\n:1\r\n"), ({}, b"*0\r\n", b"%0\r\n"),
    (Pairs([b"k", 1, b"k", 2]), b"*4\r\n$1\r\nk\r\n:1\r\n$1\r\nk\r\n:2\r\n", b"%2\r\n$1\r\nk\r\n:1\r\n$1\r\nk\r\n:2\r\n"),
    ({7}, b"*1\r\n:7\r\n", b"~1\r\n:7\r\n"), (frozenset(), b"*0\r\n", b"~0\r\n"),
    (Members([b"b", b"a"]), b"*2\r\n$1\r\nb\r\n$1\r\na\r\n", b"~2\r\n$1\r\nb\r\n$1\r\na\r\n"),
    (FieldValues([b"f", b"v"]), b"*2\r\n$1\r\nf\r\n$1\r\nv\r\n", b"*1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n"),
    (MemberScores([b"m", 1.0, b"n", 0.5]), b"*4\r\n$1\r\nm\r\n$1\r\n1\r\n$1\r\nn\r\n$3\r\n0.5\r\n",
     b"*2\r\n*2\r\n$1\r\nm\r\n,1\r\n*2\r\n$1\r\nn\r\n,0.5\r\n"),
    (Push([b"message", b"c", b"x"]), b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n", b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n"),
    (Verbatim(b"hi"), b"$2\r\nhi\r\n", b"=6\r\ntxt:hi\r\n"), (Verbatim(b"", b"mkd"), b"$0\r\n\r\n", b"=4\r\nmkd:\r\n"),
    (Attribute({b"ttl": 1}, b"x"), b"$1\r\nx\r\n", b"|1\r\n$3\r\nttl\r\n:1\r\n$1\r\nx\r\n"),
    (NO_REPLY, b"", None), (WAIT, b"", None),
]


@pytest.mark.parametrize("value, resp2, resp3", CASES, ids=[repr(case[0])[:30].encode("ascii", "replace").decode() for case in CASES])
def test_encoding(value, resp2, resp3):
    assert written(value, 2) == resp2
    assert written(value, 3) == (resp2 if resp3 is None else resp3)


replies = st.recursive(
    st.none() | st.booleans() | st.integers(-2**63, 2**63 - 1) | st.floats(allow_nan=False) | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.binary(max_size=5), inner, max_size=4) | st.frozensets(
        st.binary(max_size=5) | st.integers(-9, 9), max_size=4), max_leaves=20)


def resp3(value):
    """What a client of RESP3 makes of it."""
    if value is None:
        return NULL
    if isinstance(value, list):
        return [resp3(item) for item in value]
    if isinstance(value, dict):
        return Map([(key, resp3(item)) for key, item in value.items()])
    if isinstance(value, frozenset):
        return Set(list(value))
    return Double(value) if isinstance(value, float) else value


def resp2(value):
    """... and one of RESP2."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, dict):
        return [word for pair in value.items() for word in map(resp2, pair)]
    if isinstance(value, (list, frozenset)):
        return [resp2(item) for item in value]
    return NULL if value is None else value


def same(read, value):
    if isinstance(value, float) and not isinstance(value, Double):
        return type(read) is bytes and float(read) == value
    if isinstance(value, (list, tuple)):
        return type(read) is type(value) and len(read) == len(value) and all(map(same, read, value))
    return type(read) is type(value) and read == value


@given(st.lists(replies, max_size=4))
def test_a_parser_reads_it_back(values):
    for resp, reading in ((2, resp2), (3, resp3)):
        writer, parser = Writer(), Parser()
        writer.resp = resp
        for value in values:
            writer.encode(value)
            writer._check()
        parser.feed(writer.take())
        for value in values:
            assert same(parser.next(), reading(value)), value
        assert parser.next() is None


def test_an_error_leaves_nothing():
    writer = Writer()
    writer.encode(b"before")
    for value in (object(), [b"x" * 5000, [1, object()]], {b"k": object()}, MemberScores([b"m", object()])):
        with pytest.raises(TypeError, match="no reply: object"):
            writer.encode(value)
        writer._check()
    assert writer.take() == b"$6\r\nbefore\r\n"


def test_too_deep():
    value = []
    for _ in range(100000):
        value = [value]
    writer = Writer()
    with pytest.raises(RecursionError):
        writer.encode(value)
    assert writer.take() == b""
    while value:                                        # taken apart here: freeing it all at once is deep, too
        value = value[0]


def test_memory():
    before = used_memory()
    writer = Writer()
    for _ in range(3):
        writer.encode([b"x" * 1000] * 1000)
        assert 1000000 < writer.size_in_memory < 1700000
        assert len(writer.take()) == 1000 * 1009 + 7
        assert writer.size_in_memory == 0
    writer.encode(b"x")
    writer.trim()
    assert writer.take() == b"$1\r\nx\r\n"
    assert writer.size_in_memory > 0
    writer.trim()
    assert writer.size_in_memory == 0
    writer._check()
    del writer
    assert used_memory() == before


def test_a_slow_peer():
    """Sent in small pieces while more is written: everything arrives, in a buffer not much larger than what waits."""
    writer, expected, received = Writer(), bytearray(), bytearray()
    for number in range(3000):
        value = b"%d" % number * 50
        writer.encode(value)
        expected += b"$%d\r\n%b\r\n" % (len(value), value)
        received += writer.drain(90)
        writer._check()
        assert writer.size_in_memory <= 3 * (len(expected) - len(received)) + 2048
    received += writer.take()
    assert received == expected
