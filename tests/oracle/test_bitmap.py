"""Bitmap words against the oracle."""
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle.harness import sequence


def test_setbit_and_getbit(both):
    both(r"""
        SETBIT k 7 1
        GET k
        SETBIT k 7 1
        SETBIT k 7 0
        GET k
        SETBIT k 20 0
        STRLEN k
        GETBIT k 7
        GETBIT k 100000
        GETBIT k 4294967295
        GETBIT missing 1
        EXISTS missing
        SETBIT k abc 1
        SETBIT k -1 1
        SETBIT k "#1" 1
        SETBIT k 4294967296 1
        SETBIT k 1 2
        SETBIT k 1 -1
        SETBIT k 1 01
        SETBIT k x y
        GETBIT k -1
        GETBIT k 4294967296
        GETBIT k "#1"
        SETBIT k 1
        GETBIT k
        SET n 12
        SETBIT n 4 1
        OBJECT ENCODING n
        GET n
        SET n 12 EX 100
        SETBIT n 3 1
        OBJECT ENCODING n
        TTL n
        LPUSH l a
        SETBIT l 1 1
        SETBIT l abc 2
        SETBIT l 1 2
        GETBIT l 1
        GETBIT l -1
        CONFIG SET proto-max-bulk-len 1mb
        SETBIT k 8388608 1
        GETBIT k 8388608
        BITFIELD k GET u8 "#1048576"
        SETBIT k 8388607 1
        STRLEN k
    """)


def test_bitcount(both):
    both("""
        SET k foobar
        BITCOUNT k
        BITCOUNT k 0 0
        BITCOUNT k 1 -2
        BITCOUNT k 1 1 BYTE
        BITCOUNT k 5 30 bit
        BITCOUNT k -5 -1 BIT
        BITCOUNT k -1 -5
        BITCOUNT k -100 100
        BITCOUNT k 4 2
        BITCOUNT k 100 200
        BITCOUNT k -9223372036854775808 9223372036854775807 BIT
        BITCOUNT k 1
        BITCOUNT k 1 2 X
        BITCOUNT k a b
        BITCOUNT k a b X
        BITCOUNT k 1 b X
        BITCOUNT k 1 2 BIT x
        BITCOUNT missing
        BITCOUNT missing 1 2 BIT
        SET e ""
        BITCOUNT e
        BITCOUNT e 0 -1
        BITCOUNT e 0 -1 BIT
        LPUSH l a
        BITCOUNT l
        BITCOUNT l 1 2
        = BITCOUNT l 1 -> -ERR syntax error
        = BITCOUNT l a b -> -ERR value is not an integer or out of range
        = BITCOUNT missing a b -> -ERR value is not an integer or out of range
        = BITCOUNT missing 1 2 X -> -ERR syntax error
        = BITCOUNT missing 1 -> -ERR syntax error
    """)


def test_bitpos(both):
    both(r"""
        SET k "\xff\xf0\x00"
        BITPOS k 0
        BITPOS k 1
        BITPOS k 1 2
        BITPOS k 0 0 0
        BITPOS k 0 0 -1 BIT
        BITPOS k 0 5 -1 BIT
        BITPOS k 0 0 11 bit
        BITPOS k 1 12 -1 BIT
        BITPOS k 1 -100 100
        BITPOS k 0 2 1
        BITPOS k 0 100
        BITPOS k 1 -1
        BITPOS k 0 -3 -3 BYTE
        SET ones "\xff\xff\xff"
        BITPOS ones 0
        BITPOS ones 0 1
        BITPOS ones 0 3
        BITPOS ones 0 0 -1
        BITPOS ones 0 1 2 BIT
        BITPOS ones 1 23 23 BIT
        BITPOS k 2
        BITPOS k -1
        BITPOS k a
        BITPOS k 1 a
        BITPOS k 1 1 b
        BITPOS k 1 1 2 foo
        BITPOS k 1 1 b foo
        BITPOS k 1 1 2 BIT 4
        BITPOS k 2 1 2 BIT 4
        BITPOS missing 0
        BITPOS missing 1
        BITPOS missing 0 5 10
        SET e ""
        BITPOS e 0
        BITPOS e 1
        BITPOS e 0 0
        BITPOS e 0 0 -1 BIT
        LPUSH l a
        BITPOS l 0
        BITPOS l 2
        = BITPOS l 0 a b X -> -ERR value is not an integer or out of range
        = BITPOS missing 0 a -> -ERR value is not an integer or out of range
        = BITPOS missing 1 0 1 X -> -ERR syntax error
    """)


def test_bitop(both):
    both(r"""
        SET a "\xff\x0f\x01\x02\x03\x04\x05\x06\x07\x08"
        SET b "\x0f\xff"
        BITOP AND d a b
        GET d
        BITOP or d a b
        GET d
        BITOP XOR d a b missing
        GET d
        BITOP NOT d a
        GET d
        BITOP AND d b missing
        GET d
        BITOP AND d a
        BITOP OR a a b
        GET a
        OBJECT ENCODING d
        SET n 12
        BITOP OR d n
        OBJECT ENCODING d
        EXPIRE d 100
        BITOP OR d a
        TTL d
        BITOP NOT d missing
        EXISTS d
        BITOP NOT d missing
        BITOP FOO d a
        BITOP NOT d a b
        BITOP NOT d a missing
        LPUSH l a
        BITOP AND d a l
        BITOP NOT d l
        BITOP FOO d l
        BITOP AND l a
        TYPE l
        BITOP AND d
    """)


def test_bitfield(both):
    both(r"""
        BITFIELD k
        BITFIELD k GET u8 0
        EXISTS k
        BITFIELD k SET u8 0 255 GET u8 0 GET i8 0 GET u4 2 GET i5 "#1"
        BITFIELD k SET i5 "#3" -7 GET i5 15 SET u63 3 9223372036854775807 GET u63 3 GET i64 0 GET u63 60
        GET k
        BITFIELD k INCRBY u8 0 10 INCRBY i8 100 -200
        BITFIELD k OVERFLOW SAT INCRBY u8 0 255 INCRBY u8 0 -300 OVERFLOW wrap INCRBY u8 0 -1 OVERFLOW FAIL INCRBY u8 0 1
        BITFIELD k OVERFLOW SAT SET i8 0 -9223372036854775808 GET i8 0
        BITFIELD k OVERFLOW SAT SET i8 0 -9223372036854775700 SET i8 0 -129 SET i8 0 1000 GET i8 0
        BITFIELD k OVERFLOW SAT SET u8 0 -5 GET u8 0 OVERFLOW WRAP SET u8 0 -5 GET u8 0 OVERFLOW FAIL SET u8 0 -5
        BITFIELD k OVERFLOW SAT INCRBY i64 0 9223372036854775807 INCRBY i64 0 9223372036854775807 INCRBY i64 0 1
        BITFIELD k OVERFLOW WRAP INCRBY i64 0 9223372036854775807 INCRBY i64 0 9223372036854775807 INCRBY u1 3 1
        BITFIELD new OVERFLOW FAIL INCRBY u2 100 4
        STRLEN new
        BITFIELD k OVERFLOW
        BITFIELD k OVERFLOW FOO
        BITFIELD k OVERFLOW WRAP
        BITFIELD k OVERFLOW SAT GET u8 0
        BITFIELD k FOO
        BITFIELD k GET
        BITFIELD k GET u8
        BITFIELD k SET u8 0
        BITFIELD k GET u64 0
        BITFIELD k GET i65 0
        BITFIELD k GET u0 0
        BITFIELD k GET U8 0
        BITFIELD k GET u08 0
        BITFIELD k GET x8 0
        BITFIELD k GET "" 0
        BITFIELD k GET u 0
        BITFIELD k GET u-8 0
        BITFIELD k GET u8 -1
        BITFIELD k GET u8 "#-1"
        BITFIELD k GET u8 "#"
        BITFIELD k GET u8 "#a"
        BITFIELD k GET u8 4294967295
        BITFIELD k GET u8 4294967296
        BITFIELD k GET u8 "#536870911"
        BITFIELD k GET u8 "#536870912"
        BITFIELD k GET u8 "#2305843009213693952"
        BITFIELD k GET u8 "#9223372036854775807"
        BITFIELD k SET u8 0 a
        BITFIELD k INCRBY u8 0 9223372036854775808
        SET n 12
        BITFIELD n SET u8 0 49
        OBJECT ENCODING n
        LPUSH l a
        BITFIELD l
        BITFIELD l GET u8 0
        BITFIELD l SET u8 0 1
        BITFIELD l SET u8 0 a
        BITFIELD_RO k GET u8 0 GET i8 5
        BITFIELD_RO missing GET u8 0
        BITFIELD_RO k
        BITFIELD_RO k OVERFLOW SAT GET u8 0
        BITFIELD_RO k SET u8 0 1
        BITFIELD_RO missing SET u8 0 a
        BITFIELD_RO l INCRBY u8 0 1
        BITFIELD_RO l GET u8 0
        BITFIELD_RO l GET u8
    """)


def changes(both):
    """How many changes the servers count."""
    found = []
    for side in both.sides:
        persistence = side.ask("INFO", "persistence").decode()
        found.append(persistence.partition("rdb_changes_since_last_save:")[2].split("\r\n")[0])
    return found


def test_changes(both):
    """What counts as a change, and is handed on: a bit that is what it was is none."""
    for line in """
        SETBIT a 5 0; SETBIT a 5 0; SETBIT a 5 1; SETBIT a 5 1; SETBIT a 20 0; BITFIELD b SET u8 0 0; BITFIELD b SET u8 0 0
        BITFIELD b SET u8 0 5 SET u8 0 5; BITFIELD b SET u8 8 0; BITFIELD c OVERFLOW FAIL INCRBY u2 100 4
        BITFIELD c INCRBY u2 0 0; BITFIELD c GET u8 0; BITFIELD e SET u8 0 0 SET u8 0 0; BITOP AND x nokey; BITOP OR x a
        BITOP OR x a; BITOP AND x nokey""".replace("\n", ";").split(";"):
        before = changes(both)
        both(line)
        after = changes(both)
        counts = {int(b) - int(a) for a, b in zip(before, after)}
        assert len(counts) == 1, (line, before, after)


def test_events(both):
    both("""
        CONFIG SET notify-keyspace-events KEA
        2: PSUBSCRIBE __key*__:*
        SETBIT k 1 1
        2<
        2<
        SETBIT k 1 1
        2-
        BITFIELD k SET u8 0 1
        2<
        2<
        BITFIELD k SET u8 0 1
        2-
        BITOP OR d k
        2<
        2<
        BITOP OR d missing
        2<
        2<
        CONFIG SET notify-keyspace-events K$
        SETBIT k 1 1
        2<
        BITOP OR d k
        2<
        BITOP OR d missing
        2-
    """)


text = st.one_of(st.binary(max_size=4), st.binary(min_size=15, max_size=40),
                 st.sampled_from([b"", b"\xff" * 30, b"\0" * 30, b"\0" * 25 + b"\x01", b"\xff" * 17 + b"\x7f", b"12",
                                  b"x" * 100]))
key = st.sampled_from("abcd")
position = st.one_of(st.integers(-20, 20), st.integers(-350, 350), st.sampled_from([-2**63, 2**63 - 1]))
unit = st.sampled_from(["BIT", "BYTE", "bit"])
bit = st.integers(0, 1)
offset = st.integers(0, 300)
number = st.one_of(st.integers(-300, 300), st.integers(-2**63, 2**63 - 1),
                   st.builds(lambda n, d: max(min(2**n + d, 2**63 - 1), -2**63), st.integers(0, 63), st.integers(-1, 1)),
                   st.builds(lambda n, d: max(d - 2**n, -2**63), st.integers(0, 63), st.integers(-1, 1)))
encoding = st.one_of(st.integers(1, 63).map("u{}".format), st.integers(1, 64).map("i{}".format),
                     st.sampled_from(["u1", "u8", "i8", "u63", "i64", "i1", "u16"]))
place = st.one_of(offset, st.integers(0, 9).map("#{}".format))
field = st.one_of(st.tuples(st.just("GET"), encoding, place), st.tuples(st.just("SET"), encoding, place, number),
                  st.tuples(st.just("INCRBY"), encoding, place, number),
                  st.tuples(st.just("OVERFLOW"), st.sampled_from(["WRAP", "SAT", "FAIL"])))


def words(*parts):
    return st.tuples(*[st.just(part) if isinstance(part, str) else part for part in parts])


def flat(parts):
    return [word for part in parts for word in (part if isinstance(part, (list, tuple)) else [part])]


COMMANDS = st.one_of(
    words("SET", key, text), words("SETBIT", key, offset, bit), words("GETBIT", key, offset),
    words("BITCOUNT", key), words("BITCOUNT", key, position, position), words("BITCOUNT", key, position, position, unit),
    words("BITPOS", key, bit), words("BITPOS", key, bit, position), words("BITPOS", key, bit, position, position),
    words("BITPOS", key, bit, position, position, unit),
    words("BITOP", st.sampled_from(["AND", "OR", "XOR"]), key, st.lists(key, min_size=1, max_size=4)),
    words("BITOP", "NOT", key, key), words("GET", key), words("DEL", key),
    words("BITFIELD", key, st.lists(field, min_size=1, max_size=6).map(flat)),
).map(flat)


@given(commands=st.lists(COMMANDS, min_size=10, max_size=60))
def test_sequences(both, commands):
    sequence(both, [["SET", "a", b"\xff" * 20], ["SET", "b", b"\0" * 33], *commands, ["MGET", *"abcd"]])


@given(pieces=st.lists(field, min_size=20, max_size=60))
def test_fields(both, pieces):
    sequence(both, [["SET", "k", b"\xff\0\xa5" * 10], *[["BITFIELD", "k", *piece] for piece in pieces],
                    ["BITFIELD", "k", *flat(pieces)], ["GET", "k"]])
