"""String words against the oracle."""
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracle.harness import sequence

LARGEST = 2**63 - 1


def test_set_and_get(both):
    both(r"""
        GET missing
        SET k v
        GET k
        SET k "\x00\xff two words\r\n"
        GET k
        STRLEN k
        SET "" ""
        GET ""
        SET k v nx
        SET new v NX
        GET new
        SET k2 v XX
        GET k2
        SET k w xX
        GET k
        LPUSH l a
        GET l
        SET l now-a-string
        GET l
        TYPE l
        SET
        SET k
        SET k v BAD
        SET k v NX XX
        SET k v XX NX
        SET k v NX NX
        SET k v KEEPTTL EX 10
        SET k v EX 10 KEEPTTL
        SET k v EX
        SET k v PX 10 EX 10
        SET k v EX 10 PX 10
        SET k v EXAT 10 PX 10
        SET k v PERSIST
        SET k v GET EXTRA
        GET
        GET k k
    """)


def test_set_get_option(both):
    both("""
        SET k 1 GET
        SET k 2 GET
        SET k 3 NX GET
        GET k
        SET k 4 XX GET
        GET k
        SET missing 5 XX GET
        EXISTS missing
        SET fresh 6 NX GET
        GET fresh
        SET k 7 GET EX 100
        TTL k
        SET k 8 GET KEEPTTL
        TTL k
        SET k 9 GET
        TTL k
        LPUSH l a
        SET l x GET
        SET l x NX GET
        TYPE l
        SET l x EX 0 GET
    """)


def test_set_expiry(both):
    both(f"""
        SET k v EX 100
        TTL k
        SET k v PX 100400
        TTL k
        SET k v
        TTL k
        SET k v EXAT 4102444800
        EXPIRETIME k
        PEXPIRETIME k
        SET k v PXAT 4102444800123
        EXPIRETIME k
        PEXPIRETIME k
        SET k w KEEPTTL
        PEXPIRETIME k
        SET k v EX 10 EX 20
        TTL k
        SET k v EX 0
        SET k v EX -1
        SET k v PX 0
        SET k v PX -5
        SET k v EXAT 0
        SET k v PXAT -1
        SET k v EX ten
        SET k v EX 1.5
        SET k v EX {LARGEST}
        SET k v EX {LARGEST // 1000}
        SET k v EX {LARGEST // 1000 + 1}
        SET k v EX {LARGEST + 1}
        SET k v PX {LARGEST}
        SET k v EXAT {LARGEST}
        SET k v EXAT {LARGEST // 1000}
        PEXPIRETIME k
        SET k v PXAT {LARGEST}
        PEXPIRETIME k
        GET k
        SET k v PXAT 1
        GET k
        EXISTS k
        SET gone v EXAT 1
        GET gone
        SET gone v EXAT 1 NX
        SET gone w PXAT 1 XX
        SET p v PX 5
        DEBUG SLEEP 0.02
        GET p
        SET p v XX
        SET p w NX PX 5
        DEBUG SLEEP 0.02
        SET p x NX GET
        GET p
    """)


def test_setnx_setex_getset(both):
    both(f"""
        SETNX k 1
        SETNX k 2
        GET k
        LPUSH l a
        SETNX l 1
        SETEX k 100 v
        TTL k
        SETEX k 0 v
        SETEX k -1 v
        SETEX k x v
        SETEX k {LARGEST} v
        SETEX k 1
        SETEX l 10 v
        TYPE l
        PSETEX k 100000 v
        TTL k
        PSETEX k 0 v
        PSETEX k x v
        PSETEX k {LARGEST} v
        PSETEX k 1
        GETSET k w
        TTL k
        GETSET new v
        GETSET new w
        RPUSH l2 a
        GETSET l2 x
        GETSET k
    """)


def test_getex(both):
    both(f"""
        GETEX missing
        GETEX missing EX 0
        GETEX missing EX 10 PX 10
        SET k v
        GETEX k
        TTL k
        GETEX k EX 100
        TTL k
        GETEX k
        TTL k
        GETEX k PERSIST
        TTL k
        GETEX k PERSIST
        GETEX k PX 100400
        TTL k
        GETEX k EXAT 4102444800
        PEXPIRETIME k
        GETEX k PXAT 4102444800777
        PEXPIRETIME k
        GETEX k KEEPTTL
        GETEX k NX
        GETEX k GET
        GETEX k PERSIST EX 10
        GETEX k EX 10 PERSIST
        GETEX k PERSIST PERSIST
        GETEX k EX
        GETEX k EX 0
        GETEX k PX -1
        GETEX k EX x
        GETEX k EX {LARGEST}
        GET k
        GETEX k EX 10 EX 20
        TTL k
        GETEX k PXAT 1
        EXISTS k
        SET k v
        GETEX k EXAT 1
        EXISTS k
        LPUSH l a
        GETEX l
        GETEX l EX 0
        GETEX l BAD
        GETEX
    """)


def test_getdel(both):
    both("""
        GETDEL missing
        SET k v
        GETDEL k
        EXISTS k
        LPUSH l a
        GETDEL l
        EXISTS l
        GETDEL
        GETDEL a b
    """)


def test_many_keys(both):
    both("""
        MSET a 1 b 2 a 3
        MGET a b missing a
        LPUSH l x
        MGET a l b
        MSET l 1
        MGET l
        MSET a
        MSET a 1 b
        MSETNX a
        MSETNX a 1 b
        MSETNX x 1 y 2 x 3
        MGET x y
        MSETNX z 1 y 2
        EXISTS z
        SET t v EX 100
        MSET t w
        TTL t
        MGET
        RPUSH l3 x
        MSETNX q 1 l3 2
    """)


def test_append_and_strlen(both):
    both(r"""
        APPEND k "Hello "
        APPEND k World
        GET k
        APPEND k ""
        STRLEN k
        STRLEN missing
        APPEND new ""
        EXISTS new
        GET new
        SET n 10
        APPEND n 5
        GET n
        INCR n
        OBJECT ENCODING n
        SET t v EX 100
        APPEND t "\x00w"
        GET t
        TTL t
        LPUSH l a
        APPEND l x
        STRLEN l
        SET n 12345
        STRLEN n
        APPEND k
        STRLEN
    """)


def test_getrange(both):
    both(f"""
        SET k "This is a string"
        GETRANGE k 0 3
        GETRANGE k -3 -1
        GETRANGE k 0 -1
        GETRANGE k 10 100
        GETRANGE k 16 20
        GETRANGE k 5 3
        GETRANGE k -1 -5
        GETRANGE k -100 -90
        GETRANGE k -100 2
        GETRANGE k -100 -17
        GETRANGE k -100 -16
        GETRANGE k 0 -100
        GETRANGE k {LARGEST} {LARGEST}
        GETRANGE k {-LARGEST - 1} {LARGEST}
        GETRANGE k {-LARGEST - 1} {-LARGEST - 1}
        GETRANGE k x 1
        GETRANGE k 1 x
        GETRANGE k 1.0 2
        GETRANGE missing 0 -1
        GETRANGE missing x 1
        SUBSTR k 1 2
        SUBSTR missing 1 2
        SET n 12345
        GETRANGE n 1 3
        LPUSH l a
        GETRANGE l 0 1
        GETRANGE l x 1
        SUBSTR l 0 1
        SET e ""
        GETRANGE e 0 -1
        GETRANGE k 1
        SUBSTR k 1
    """)


def test_setrange(both):
    both(f"""
        SETRANGE k 5 abc
        GET k
        SETRANGE k 0 XY
        GET k
        SETRANGE k 7 long-tail
        GET k
        SETRANGE k 2 ""
        SETRANGE missing 0 ""
        SETRANGE missing 10 ""
        EXISTS missing
        SETRANGE missing -1 ""
        SETRANGE k -1 x
        SETRANGE k x x
        SETRANGE k 536870912 x
        SETRANGE k 536870911 xx
        SETRANGE missing 536870912 x
        SETRANGE missing {LARGEST} x
        SETRANGE missing {LARGEST} ""
        EXISTS missing
        SET n 1234
        SETRANGE n 1 99
        GET n
        INCR n
        OBJECT ENCODING n
        SET t v EX 100
        SETRANGE t 3 x
        GET t
        TTL t
        LPUSH l a
        SETRANGE l 0 x
        SETRANGE l 0 ""
        SETRANGE l 536870912 x
        SETRANGE l -1 x
        SETRANGE k 0
    """)


def test_a_string_of_the_largest_size(both):
    both(f"""
        CONFIG SET proto-max-bulk-len 1048576
        SETRANGE k 1048575 x
        STRLEN k
        SETRANGE k 1048575 xx
        APPEND k x
        STRLEN k
        GETRANGE k 1048570 -1
        APPEND j {"y" * 1000}
        SETRANGE j 1048575 ab
        STRLEN j
    """)


@pytest.mark.parametrize("word", ["INCR", "DECR"])
def test_incr(both, word):
    both(f"""
        {word} k
        {word} k
        GET k
        OBJECT ENCODING k
        SET k {LARGEST}
        {word} k
        SET k {-LARGEST - 1}
        {word} k
        GET k
        SET k abc
        {word} k
        SET k ""
        {word} k
        SET k " 1"
        {word} k
        SET k "1 "
        {word} k
        SET k 01
        {word} k
        SET k +1
        {word} k
        SET k -0
        {word} k
        SET k 1.0
        {word} k
        SET k {LARGEST + 1}
        {word} k
        SET t 5 EX 100
        {word} t
        TTL t
        LPUSH l a
        {word} l
        {word}
        {word} a b
    """)


@pytest.mark.parametrize("word", ["INCRBY", "DECRBY"])
def test_incrby(both, word):
    both(f"""
        {word} k 5
        {word} k -7
        {word} k 0
        {word} k {LARGEST}
        {word} k {LARGEST}
        {word} k {-LARGEST - 1}
        {word} k {-LARGEST}
        GET k
        {word} k x
        {word} k 1.5
        {word} k ""
        {word} k {LARGEST + 1}
        SET s abc
        {word} s 1
        {word} s x
        LPUSH l a
        {word} l 1
        {word} l x
        {word} k
    """)


def test_incrbyfloat(both):
    both("""
        INCRBYFLOAT k 10.5
        INCRBYFLOAT k 0.1
        INCRBYFLOAT k -5
        GET k
        INCRBYFLOAT k 5.0e3
        INCRBYFLOAT k 1e-3
        SET k 3.0
        INCRBYFLOAT k 1.000
        SET k 0.1
        INCRBYFLOAT k 0.2
        INCRBYFLOAT k x
        INCRBYFLOAT k ""
        INCRBYFLOAT k inf
        INCRBYFLOAT k -inf
        INCRBYFLOAT k nan
        INCRBYFLOAT k " 1"
        INCRBYFLOAT k "1 "
        INCRBYFLOAT k 0x10
        GET k
        SET k abc
        INCRBYFLOAT k 1
        SET k inf
        INCRBYFLOAT k 1
        SET k 9223372036854775807
        INCRBYFLOAT k 1
        SET k 1e4900
        INCRBYFLOAT k 1e4900
        INCRBYFLOAT big 1e20
        INCRBYFLOAT big 1e20
        INCRBYFLOAT zero -0.0
        INCRBYFLOAT zero 0
        SET t 1 EX 100
        INCRBYFLOAT t 1.5
        TTL t
        LPUSH l a
        INCRBYFLOAT l 1
        INCRBYFLOAT l x
        SET k 1.5
        INCR k
        INCRBYFLOAT k
    """)


def test_lcs(both):
    both(r"""
        MSET a ohmytext b mynewtext
        LCS a b
        LCS a b LEN
        LCS a b IDX
        LCS a b IDX MINMATCHLEN 4
        LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN
        LCS a b IDX WITHMATCHLEN
        LCS a b IDX MINMATCHLEN -5
        LCS a b WITHMATCHLEN
        LCS a b MINMATCHLEN 100
        LCS a b LEN IDX
        LCS a b idx len
        LCS a b MINMATCHLEN
        LCS a b MINMATCHLEN x
        LCS a b BAD
        LCS a missing
        LCS missing a LEN
        LCS missing missing2 IDX
        LCS a missing IDX
        SET n 12345
        SET m 2345
        LCS n m
        LCS n m IDX
        LCS a a IDX WITHMATCHLEN
        SET x "\x00\xff\x00abc"
        SET y "abc\x00\xff"
        LCS x y
        LCS x y IDX
        LPUSH l a
        LCS a l
        LCS l a
        LCS l a BAD
        LCS l missing LEN IDX
        LCS a
        MSET p abcbdab q bdcaba
        LCS p q
        LCS p q IDX WITHMATCHLEN
        LCS q p IDX WITHMATCHLEN
        MSET p axxbxxc q abc
        LCS p q IDX
        LCS q p IDX MINMATCHLEN 2
    """)


def test_encodings(both):
    both(f"""
        SET k 123
        OBJECT ENCODING k
        SET k -9223372036854775808
        OBJECT ENCODING k
        SET k 9223372036854775808
        OBJECT ENCODING k
        SET k 0123
        OBJECT ENCODING k
        SET k {"a" * 44}
        OBJECT ENCODING k
        SET k {"a" * 45}
        OBJECT ENCODING k
        SET k abc
        APPEND k d
        OBJECT ENCODING k
        SET k abc
        SETRANGE k 0 x
        OBJECT ENCODING k
        APPEND fresh abc
        OBJECT ENCODING fresh
        SETRANGE made 0 12
        OBJECT ENCODING made
        GET made
        SETRANGE made 5 x
        GET made
        SET k 5
        INCRBYFLOAT k 1.5
        OBJECT ENCODING k
        MSET k 77 j abc
        OBJECT ENCODING k
        GETSET k 78
        OBJECT ENCODING k
        COPY k copy
        OBJECT ENCODING copy
        SET "" 12
        OBJECT ENCODING ""
    """)


def test_notifications(both):
    both("""
        CONFIG SET notify-keyspace-events KEA
        2: PSUBSCRIBE __keyevent@0__:*
        SET k v EX 100
        2<
        2<
        SET k v KEEPTTL
        2<
        GETEX k PERSIST
        2<
        GETEX k EX 100
        2<
        GETEX k PXAT 1
        2<
        APPEND k v
        2<
        SETRANGE k 1 x
        2<
        SETRANGE k 1 ""
        2-
        INCR n
        2<
        DECRBY n 2
        2<
        INCRBYFLOAT n 1
        2<
        GETSET n 5
        2<
        GETDEL n
        2<
        MSET a 1 b 2
        2<
        2<
        MSETNX c 1 d 2
        2<
        2<
        SETNX e 1
        2<
        SETEX e 10 1
        2<
        2<
        PSETEX e 10000 1
        2<
        2<
        SET e 1 NX
        SET missing 1 XX
        GETSET f 1
        2<
    """)


keys = st.sampled_from([b"a", b"b", b"c", b"list"])
texts = st.one_of(st.sampled_from([b"", b"0", b"1", b"-1", b"10", b"9223372036854775807", b"-9223372036854775808", b"1.5",
                                   b"abc", b" 1", b"01", b"x" * 50]), st.binary(max_size=8))
integers = st.one_of(st.integers(-12, 12), st.sampled_from([LARGEST, -LARGEST - 1, b"x", b"1.0"]))
offsets = st.one_of(st.integers(-2, 40), st.just(b"x"))
options = st.lists(st.sampled_from([b"NX", b"XX", b"GET", b"KEEPTTL", b"get"]), max_size=2)
expiry = st.sampled_from([[], [b"EX", 1000], [b"PX", 10**6], [b"EXAT", 4102444800], [b"PXAT", 1], [b"EX", 0], [b"EX", b"x"]])
commands = st.one_of(
    st.builds(lambda k, v, o, e: [b"SET", k, v, *o, *e], keys, texts, options, expiry),
    st.builds(lambda w, k: [w, k], st.sampled_from([b"GET", b"GETDEL", b"STRLEN", b"INCR", b"DECR", b"EXISTS", b"PERSIST"]),
              keys),
    st.builds(lambda w, k, v: [w, k, v], st.sampled_from([b"SETNX", b"GETSET", b"APPEND"]), keys, texts),
    st.builds(lambda w, k, n: [w, k, n], st.sampled_from([b"INCRBY", b"DECRBY"]), keys, integers),
    st.builds(lambda k, e: [b"GETEX", k, *e], keys, st.one_of(expiry, st.just([b"PERSIST"]))),
    st.builds(lambda k, n, v: [b"SETRANGE", k, n, v], keys, offsets, texts),
    st.builds(lambda w, k, a, b: [w, k, a, b], st.sampled_from([b"GETRANGE", b"SUBSTR"]), keys, integers, integers),
    st.builds(lambda w, p: [w, *[x for pair in p for x in pair]], st.sampled_from([b"MSET", b"MSETNX"]),
              st.lists(st.tuples(keys, texts), min_size=1, max_size=3)),
    st.builds(lambda k: [b"MGET", *k], st.lists(keys, min_size=1, max_size=4)),
    st.builds(lambda a, b, o: [b"LCS", a, b, *o], keys, keys,
              st.sampled_from([[], [b"LEN"], [b"IDX"], [b"IDX", b"MINMATCHLEN", 2, b"WITHMATCHLEN"]])),
    st.builds(lambda k: [b"RPUSH", k, b"x"], keys),
    st.builds(lambda k: [b"TTL", k], keys),
)


@given(st.lists(commands, max_size=40))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
def test_any_sequence(both, words):
    sequence(both, words)
