"""Words on sets, side by side with redis-server. Where it matters the sets are intsets: 7.0.15 has no listpacks of members."""
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracle.harness import sequence


def test_add_and_remove(both):
    both(r"""
        SADD s a
        SADD s a b c b
        SADD s a b
        SCARD s
        SCARD nosuch
        SISMEMBER s a
        SISMEMBER s nosuch
        SISMEMBER nosuch a
        SMISMEMBER s a nosuch b a
        SMISMEMBER nosuch a b
        % SMEMBERS s
        SMEMBERS nosuch
        SREM s nosuch
        SREM s a nosuch a
        SREM nosuch a
        SREM s b c
        EXISTS s
        SADD b "" "\x00\xff" "\r\n"
        % SMEMBERS b
        SADD i 3 1 2 -5 100000 9223372036854775807 -9223372036854775808
        SMEMBERS i
        SISMEMBER i 100000
        SISMEMBER i 0100000
        SISMEMBER i 7
        SISMEMBER i x
        SREM i 3 x 007 100000
        SMEMBERS i
        SADD i 01
        SISMEMBER i 1
        SISMEMBER i 01
        % SMEMBERS i
    """)


def test_arity_and_type(both):
    both("""
        SADD s
        SADD
        SREM s
        SCARD
        SCARD s x
        SISMEMBER s
        SISMEMBER s a b
        SMISMEMBER s
        SMEMBERS
        SMEMBERS s x
        SPOP
        SPOP s 1 2
        SRANDMEMBER
        SRANDMEMBER s 1 2
        SMOVE a b
        SINTER
        SINTERSTORE d
        SINTERCARD 1
        SUNION
        SUNIONSTORE d
        SDIFF
        SDIFFSTORE d
        SSCAN s
        SET t x
        SADD t a
        SREM t a
        SCARD t
        SISMEMBER t a
        SMISMEMBER t a b
        SMEMBERS t
        SPOP t
        SPOP t 1
        SPOP t 0
        SPOP t x
        SPOP t -1
        SRANDMEMBER t
        SRANDMEMBER t 1
        SRANDMEMBER t 0
        SRANDMEMBER t x
        SMOVE t s a
        SMOVE s t a
        SMOVE nosuch t a
        SMOVE t t a
        SSCAN t 0
        SSCAN t x
        SSCAN t 0 x
        SADD s a
        SMOVE s t a
        SMOVE s t nosuch
        SINTER t
        SINTER s t
        SINTER nosuch t
        SINTER t nosuch
        SINTERCARD 2 nosuch t
        SINTERSTORE d nosuch t
        SUNION s t
        SUNION nosuch t
        SUNIONSTORE d s t
        SDIFF s t
        SDIFF nosuch t
        SDIFF t s
        SDIFFSTORE d nosuch t
        EXISTS d
        SUNIONSTORE t s
        SMEMBERS t
        GET s
    """)


def test_move(both):
    both("""
        SADD a 1 2 x
        SADD b 2 3
        SMOVE a b 1
        SMOVE a b 1
        SMOVE a b 2
        SMOVE a a x
        SMOVE a a nosuch
        SMOVE nosuch b 1
        SMEMBERS b
        SMOVE a new x
        EXISTS a
        SMEMBERS new
        SMOVE new new x
        EXISTS new
    """)


def test_pop(both):
    both("""
        SPOP nosuch
        SPOP nosuch 3
        SPOP nosuch 0
        SPOP nosuch x
        SADD s a
        SPOP s 0
        SPOP s
        EXISTS s
        SADD s a
        SPOP s 1
        EXISTS s
        SADD s 1 2 3
        % SPOP s 3
        EXISTS s
        SADD s 1 2 3 a b
        % SPOP s 100
        EXISTS s
        SADD s 1 2 3 a b
        ? SPOP s 2
        SCARD s
        ? SPOP s
        SCARD s
        SPOP s -1
        SPOP s x
        SPOP s 1.5
        SPOP s 9223372036854775808
        SPOP s 1 x
        ? SPOP s 9223372036854775807
        EXISTS s
    """)


def test_pop_from_each_encoding(both):
    for prefix in ("", "m"):
        for size in (400, 2000):
            for count in (1, 50, size // 2, size - 20, size - 1):
                members = [f"{prefix}{n}" for n in range(size)]
                both(f"SADD s {' '.join(members)}")
                for side in both.sides:
                    client = side.client(1)
                    popped = list(client("SPOP", "s", count))
                    left = list(client("SMEMBERS", "s"))
                    assert len(popped) == count and len(set(popped)) == count
                    assert len(left) == size - count
                    assert sorted(popped + left) == sorted(member.encode() for member in members)
                    client("DEL", "s")


def test_random_member(both):
    both("""
        SRANDMEMBER nosuch
        SRANDMEMBER nosuch 3
        SRANDMEMBER nosuch -3
        SRANDMEMBER nosuch 0
        SADD one a
        SRANDMEMBER one
        SRANDMEMBER one 1
        SRANDMEMBER one 5
        SRANDMEMBER one -3
        SRANDMEMBER one 0
        SADD s 1 2 3
        % SRANDMEMBER s 3
        % SRANDMEMBER s 10
        ? SRANDMEMBER s
        ? SRANDMEMBER s 2
        ? SRANDMEMBER s -7
        SADD s a b c d e f g
        % SRANDMEMBER s 10
        ? SRANDMEMBER s 1
        ? SRANDMEMBER s 9
        ? SRANDMEMBER s -20
        SRANDMEMBER s x
        SRANDMEMBER s 1.5
        SRANDMEMBER s 1 x
        SRANDMEMBER s 9223372036854775808
        SRANDMEMBER s -9223372036854775808
        % SRANDMEMBER s 9223372036854775807
        = SRANDMEMBER s -16777217 -> -ERR value is out of range
        SCARD s
    """)


def test_algebra(both):
    both("""
        SADD a 1 2 3 x y
        SADD b 2 3 4 y z
        SADD c 3 y 10
        SADD i 1 2 3 4
        SADD j 3 4 5
        % SINTER a
        % SINTER a b
        % SINTER a b c
        SINTER a nosuch
        SINTER nosuch
        SINTER nosuch nosuch
        SINTER i j
        SINTER i i
        % SINTER i a
        % SUNION a
        % SUNION a b c
        % SUNION a nosuch
        SUNION nosuch
        SUNION i j
        SUNION i nosuch j i
        % SDIFF a
        % SDIFF a b
        % SDIFF a b c
        SDIFF a a
        SDIFF a b a
        SDIFF nosuch a
        % SDIFF a nosuch
        SDIFF i j
        SDIFF i a
        SDIFF nosuch
        SINTERSTORE d a b
        % SMEMBERS d
        SUNIONSTORE d a b c
        % SMEMBERS d
        SDIFFSTORE d a b
        % SMEMBERS d
        SINTERSTORE d i j
        SMEMBERS d
        SUNIONSTORE d i j
        SMEMBERS d
        SDIFFSTORE d i j
        SMEMBERS d
        SINTERSTORE d i nosuch
        EXISTS d
        SINTERSTORE d nosuch
        SUNIONSTORE d nosuch
        SDIFFSTORE d i i
        SET d string
        SUNIONSTORE d i
        TYPE d
        SET d string EX 100
        SDIFFSTORE d i j
        TTL d
        SET d string
        SDIFFSTORE d i i
        EXISTS d
        SINTERSTORE i i j
        SMEMBERS i
        SUNIONSTORE i i j
        SMEMBERS i
        SDIFFSTORE i i j
        EXISTS i
        SADD i 1 3
        SDIFFSTORE i i j
        SMEMBERS i
    """)


def test_intersection_count(both):
    both("""
        SADD a 1 2 3 x y
        SADD b 2 3 4 y z
        SINTERCARD 2 a b
        SINTERCARD 1 a
        SINTERCARD 2 a a
        SINTERCARD 2 a nosuch
        SINTERCARD 1 nosuch
        SINTERCARD 2 a b LIMIT 2
        SINTERCARD 2 a b limit 0
        SINTERCARD 2 a b LIMIT 100
        SINTERCARD 2 a b LIMIT 1 LIMIT 2
        SINTERCARD 2 a b LIMIT -1
        SINTERCARD 2 a b LIMIT x
        SINTERCARD 2 a b LIMIT
        SINTERCARD 2 a b FOO 1
        SINTERCARD 1 a b
        SINTERCARD 1 a b c
        SINTERCARD 0 a
        SINTERCARD -1 a
        SINTERCARD x a
        SINTERCARD 3 a b
        SINTERCARD 3 a b LIMIT 1
        SINTERCARD 9223372036854775807 a
        SINTERCARD 9223372036854775808 a
        SET s x
        SINTERCARD 2 a s LIMIT x
        SINTERCARD 2 a s LIMIT 1
    """)


def test_scan(both):
    both(r"""
        SSCAN nosuch 0
        SSCAN nosuch 5 BAD
        SSCAN nosuch x
        SADD i 10 2 31 4 15
        SSCAN i 0
        SSCAN i 0 MATCH 1*
        SSCAN i 0 match ? count 1
        SSCAN i 0 COUNT 100 MATCH *
        SSCAN i 0 MATCH nosuch
        SSCAN i 77
        SSCAN i x
        SSCAN i ""
        SSCAN i "1 "
        SSCAN i -1
        SSCAN i 18446744073709551616
        SSCAN i 0 COUNT 0
        SSCAN i 0 COUNT x
        SSCAN i 0 COUNT
        SSCAN i 0 BAD 1
        SSCAN i 0 TYPE set
        SADD s a b ab
        %% SSCAN s 0
        %% SSCAN s 0 MATCH a*
        %% SSCAN s 0 COUNT 9223372036854775807
    """)


def test_scan_gives_all(both):
    for side in both.sides:
        client = side.client(1)
        for n in range(2000):
            client("SADD", "s", b"member%d" % n)
        cursor, found = b"0", set()
        while True:
            cursor, some = client("SSCAN", "s", cursor, "COUNT", "50")
            found.update(some)
            if cursor == b"0":
                break
        assert found == {b"member%d" % n for n in range(2000)}
        found = set()
        while True:
            cursor, some = client("SSCAN", "s", cursor, "MATCH", "*99", "COUNT", "500")
            found.update(some)
            if cursor == b"0":
                break
        assert len(found) == 20


def test_encoding(both):
    """7.2's rules; those of the intset are 7.0's."""
    integers = " ".join(map(str, range(512)))
    both(f"""
        SADD i 1 2 3
        OBJECT ENCODING i
        SADD j {integers}
        OBJECT ENCODING j
        SADD j 512
        OBJECT ENCODING j
        CONFIG SET set-max-intset-entries 4
        SADD k 1 2 3 4
        OBJECT ENCODING k
        SADD k 5
        OBJECT ENCODING k
        SREM k 1 2 3
        OBJECT ENCODING k
        CONFIG SET set-max-intset-entries 512
        SADD m 1 a
        = OBJECT ENCODING m -> "listpack"
        SUNIONSTORE n i m
        = OBJECT ENCODING n -> "listpack"
        SINTERSTORE n i m
        = OBJECT ENCODING n -> "intset"
        SUNIONSTORE n j m
        OBJECT ENCODING n
    """)


def test_encoding_of_a_listpack(both):
    both("""
        = CONFIG SET set-max-listpack-entries 3 -> +OK
        = CONFIG SET set-max-listpack-value 5 -> +OK
        = SADD s a b c -> 3
        = OBJECT ENCODING s -> "listpack"
        = SMEMBERS s -> {"a", "b", "c"}
        = SADD s d -> 1
        = OBJECT ENCODING s -> "hashtable"
        = SADD t abcde -> 1
        = OBJECT ENCODING t -> "listpack"
        = SADD t abcdef -> 1
        = OBJECT ENCODING t -> "hashtable"
        = SADD u a a a a -> 1
        = OBJECT ENCODING u -> "hashtable"
    """)


def test_notifications(both):
    both("""
        CONFIG SET notify-keyspace-events KEA
        2: PSUBSCRIBE __key*__:*
        SADD s 1 2 3
        2<
        2<
        SADD s 1
        SREM s 1 nosuch
        2<
        2<
        SREM s nosuch
        SMOVE s t 2
        2<
        2<
        2<
        2<
        SMOVE s t 3
        2<
        2<
        2<
        2<
        2<
        2<
        SMOVE t t 2
        SUNIONSTORE d t
        2<
        2<
        SINTERSTORE d t nosuch
        2<
        2<
        SINTERSTORE d t nosuch
        SDIFFSTORE d t
        2<
        2<
        SINTERSTORE d t
        2<
        2<
        SPOP d 0
        ? SPOP d
        2<
        2<
        ? SPOP d 5
        2<
        2<
        2<
        2<
        2-
        CONFIG SET notify-keyspace-events ""
    """)


keys = st.sampled_from([b"s1", b"s2", b"s3", b"t"])
members = st.one_of(st.integers(-3, 12).map(lambda n: b"%d" % n),
                    st.sampled_from([b"", b"a", b"b", b"01", b"m" * 65, b"%d" % 2**62]))
several = st.lists(members, max_size=6)
some_keys = st.lists(keys, max_size=4)
commands = st.lists(st.one_of(
    st.builds(lambda w, k, m: [w, k, *m], st.sampled_from([b"SADD", b"SADD", b"SADD", b"SREM", b"SMISMEMBER"]), keys, several),
    st.tuples(st.just(b"SISMEMBER"), keys, members),
    st.tuples(st.sampled_from([b"SCARD", b"SMEMBERS", b"TYPE", b"DEL"]), keys),
    st.tuples(st.just(b"SMOVE"), keys, keys, members),
    st.builds(lambda w, k: [w, *k], st.sampled_from([b"SINTER", b"SUNION", b"SDIFF"]), some_keys),
    st.builds(lambda w, d, k: [w, d, *k], st.sampled_from([b"SINTERSTORE", b"SUNIONSTORE", b"SDIFFSTORE"]), keys, some_keys),
    st.builds(lambda k, n: [b"SINTERCARD", b"%d" % len(k), *k, b"LIMIT", b"%d" % n], some_keys, st.integers(0, 5)),
    st.tuples(st.just(b"SPOP"), keys, st.just(b"100")),
    st.tuples(st.just(b"SRANDMEMBER"), keys, st.just(b"100")),
    st.tuples(st.just(b"SET"), st.just(b"t"), members),
).map(list), max_size=30)
UNORDERED = dict.fromkeys(["SMEMBERS", "SINTER", "SUNION", "SDIFF", "SPOP", "SRANDMEMBER"], "%")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commands=commands)
def test_sequences(both, commands):
    sequence(both, commands, UNORDERED)
