"""Words on hashes, side by side with redis-server."""
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracle.harness import sequence


def test_set_and_get(both):
    both(r"""
        HSET h a 1
        HSET h a 2 b 3 c "" a 4
        HGET h a
        HGET h c
        HGET h nosuch
        HGET nosuch a
        HMGET h a nosuch b
        HMGET nosuch a b
        HSETNX h a 5
        HSETNX h d 6
        HSETNX new d 7
        HGETALL new
        HMSET h e 8 f 9
        HMSET new2 e 8
        HLEN h
        HLEN nosuch
        HEXISTS h a
        HEXISTS h nosuch
        HEXISTS nosuch a
        HSTRLEN h e
        HSTRLEN h nosuch
        HSTRLEN nosuch e
        HGETALL h
        HKEYS h
        HVALS h
        HGETALL nosuch
        HKEYS nosuch
        HVALS nosuch
        HSET h "\x00\xff" "\r\n"
        HGET h "\x00\xff"
        HSET h "" empty
        HGET h ""
        HSET i 1 2 -3 -4 007 1.0 9223372036854775807 9223372036854775808 -0 +1
        HGETALL i
        HSTRLEN i 9223372036854775807
        HSTRLEN i 1
    """)


def test_delete(both):
    both("""
        HSET h a 1 b 2 c 3 d 4
        HDEL h nosuch
        HDEL h a nosuch b a
        HGETALL h
        HDEL h c d
        EXISTS h
        TYPE h
        HDEL h a
        HDEL nosuch a
    """)


def test_arity_and_type(both):
    both("""
        HSET h a
        HSET h a 1 b
        HMSET h a 1 b
        HSET
        HSET h
        HSETNX h a
        HGET h
        HGET h a b
        HMGET h
        HGETALL
        HGETALL h a
        HDEL h
        HEXISTS h
        HLEN
        HINCRBY h a
        HINCRBYFLOAT h a
        HSTRLEN h
        HRANDFIELD
        HSCAN h
        SET s x
        HSET s a 1
        HSET s a 1 b
        HMSET s a 1
        HSETNX s a 1
        HGET s a
        HMGET s a b
        HGETALL s
        HDEL s a
        HEXISTS s a
        HLEN s
        HKEYS s
        HVALS s
        HINCRBY s a 1
        HINCRBY s a x
        HINCRBYFLOAT s a 1
        HINCRBYFLOAT s a x
        HINCRBYFLOAT s a inf
        HSTRLEN s a
        HRANDFIELD s
        HRANDFIELD s 1
        HRANDFIELD s x
        HRANDFIELD s 1 x
        HSCAN s 0
        HSCAN s x
        HSCAN s 0 x
        GET s
        EXISTS h
    """)


def test_increment(both):
    both("""
        HINCRBY h n 5
        HINCRBY h n -7
        HINCRBY h n 0
        HGET h n
        HINCRBY h n x
        HINCRBY h n 1.5
        HINCRBY h n " 1"
        HINCRBY h n 9223372036854775808
        HSET h text abc space " 1" float 1.5 zero 007 empty "" big 9223372036854775807 small -9223372036854775808
        HINCRBY h text 1
        HINCRBY h space 1
        HINCRBY h float 1
        HINCRBY h zero 1
        HINCRBY h empty 1
        HINCRBY h big 1
        HINCRBY h big -1
        HINCRBY h small -1
        HINCRBY h small 1
        HINCRBY h n -9223372036854775808
        HINCRBY missing n x
        EXISTS missing
        HGETALL h
    """)


def test_increment_by_float(both):
    both("""
        HINCRBYFLOAT h n 1.5
        HINCRBYFLOAT h n -0.25
        HINCRBYFLOAT h n 5.0e3
        HGET h n
        HINCRBYFLOAT h i 3
        HINCRBYFLOAT h i 0.1
        HINCRBYFLOAT h i -3.1
        HINCRBYFLOAT h n x
        HINCRBYFLOAT h n ""
        HINCRBYFLOAT h n " 1"
        HINCRBYFLOAT h n "1 "
        HINCRBYFLOAT h n inf
        HINCRBYFLOAT h n -inf
        HINCRBYFLOAT h n nan
        HINCRBYFLOAT h n 0x10
        HINCRBYFLOAT h n 1e5000
        HSET h text abc space " 1" empty "" infinite inf exponent 1e3 long 3.00000000000000000001 big 1e300
        HINCRBYFLOAT h text 1
        HINCRBYFLOAT h space 1
        HINCRBYFLOAT h empty 1
        HINCRBYFLOAT h infinite 1
        HINCRBYFLOAT h exponent 1
        HINCRBYFLOAT h long 1
        HINCRBYFLOAT h big 1
        HINCRBYFLOAT missing n x
        HINCRBYFLOAT missing n inf
        EXISTS missing
        HINCRBYFLOAT h 1e4932 1e4932
        HINCRBYFLOAT h 1e4932 1e4932
        HGET h n
    """)


def test_random_field(both):
    both("""
        HRANDFIELD nosuch
        HRANDFIELD nosuch 3
        HRANDFIELD nosuch -3
        HRANDFIELD nosuch 3 WITHVALUES
        HRANDFIELD nosuch x
        HRANDFIELD nosuch 3 x
        HSET one a 1
        HRANDFIELD one
        HRANDFIELD one 1
        HRANDFIELD one 5
        HRANDFIELD one -3
        HRANDFIELD one 1 WITHVALUES
        HRANDFIELD one 5 withvalues
        HRANDFIELD one -3 WITHVALUES
        HRANDFIELD one 0
        HRANDFIELD one 0 WITHVALUES
        HRANDFIELD one -0
        HSET h a 1 b 2 c 3
        HRANDFIELD h 3
        HRANDFIELD h 10 WITHVALUES
        ? HRANDFIELD h
        ? HRANDFIELD h 2
        ? HRANDFIELD h -7
        ? HRANDFIELD h 2 WITHVALUES
        ? HRANDFIELD h -7 WITHVALUES
        HRANDFIELD h x
        HRANDFIELD h 1.5
        HRANDFIELD h 1 x
        HRANDFIELD h 1 WITHVALUES x
        HRANDFIELD h 1 WITHSCORES
        HRANDFIELD h 9223372036854775807
        HRANDFIELD h 9223372036854775808
        HRANDFIELD h -9223372036854775808
        HRANDFIELD h 9223372036854775807 WITHVALUES
        HRANDFIELD h 4611686018427387903 WITHVALUES
        HRANDFIELD h 4611686018427387904 WITHVALUES
        HRANDFIELD h -4611686018427387904 WITHVALUES
        = HRANDFIELD h -16777217 -> -ERR value is out of range
    """)


def test_scan(both):
    both(r"""
        HSCAN nosuch 0
        HSCAN nosuch 5 BAD
        HSCAN nosuch x
        HSET h a 1 b 2 ab 3 1 x "a\x00b" y
        HSCAN h 0
        HSCAN h 0 MATCH a*
        HSCAN h 0 match ? count 1
        HSCAN h 0 COUNT 100 MATCH *
        HSCAN h 0 MATCH a* MATCH b*
        HSCAN h 0 MATCH nosuch
        HSCAN h 99
        HSCAN h x
        HSCAN h ""
        HSCAN h "1 "
        HSCAN h " 1"
        HSCAN h -1
        HSCAN h +1
        HSCAN h 1.5
        HSCAN h 18446744073709551615
        HSCAN h 18446744073709551616
        HSCAN h 0 COUNT 0
        HSCAN h 0 COUNT -1
        HSCAN h 0 COUNT x
        HSCAN h 0 COUNT
        HSCAN h 0 MATCH
        HSCAN h 0 BAD 1
        HSCAN h 0 TYPE hash
        = HSCAN h 0 NOVALUES -> ["0", ["a", "b", "ab", "1", "a\x00b"]]
        = HSCAN h 0 MATCH "a*" NOVALUES COUNT 5 -> ["0", ["a", "ab", "a\x00b"]]
        HSCAN h 0 MATCH NOVALUES COUNT
        HSCAN h 0 COUNT 9223372036854775807
    """)


def test_encoding(both):
    both("""
        HSET h a 1
        OBJECT ENCODING h
        CONFIG SET hash-max-listpack-entries 3
        HSET h b 2 c 3
        OBJECT ENCODING h
        HSET h c 4
        OBJECT ENCODING h
        HSET h d 5
        OBJECT ENCODING h
        %% HGETALL h
        HDEL h b c d
        OBJECT ENCODING h
        CONFIG SET hash-max-listpack-value 5
        HSET i abcde 12345
        OBJECT ENCODING i
        HSET i abcdef 1
        OBJECT ENCODING i
        HSET j a 123456
        OBJECT ENCODING j
        HSETNX k a 123456
        OBJECT ENCODING k
        HINCRBY l a 123456
        OBJECT ENCODING l
        HINCRBYFLOAT m a 123.456
        OBJECT ENCODING m
        CONFIG SET hash-max-listpack-entries 0
        HSET n a 1
        OBJECT ENCODING n
        CONFIG SET hash-max-listpack-entries 512
        CONFIG SET hash-max-listpack-value 64
        HSET o a 1
        OBJECT ENCODING o
    """)


def test_notifications(both):
    both("""
        CONFIG SET notify-keyspace-events KEA
        2: SUBSCRIBE __keyspace@0__:h __keyspace@0__:i
        2<
        HSET h a 1 b 2
        2<
        HMSET h c 3
        2<
        HSETNX h c 3
        HSETNX h d 3
        2<
        HINCRBY h n 1
        2<
        HINCRBYFLOAT h n 1.5
        2<
        HDEL h nosuch
        HDEL h a b
        2<
        HDEL h c d n
        2<
        2<
        2-
        CONFIG SET notify-keyspace-events ""
    """)


def test_large(both):
    fields = " ".join(f"field{n} {n}" for n in range(1000))
    both(f"""
        HSET h {fields}
        HSET h field5 changed
        HLEN h
        HGET h field5
        HMGET h field999 field1000 field0
        % HGETALL h
        % HKEYS h
        % HVALS h
        ? HRANDFIELD h 10
        ? HRANDFIELD h 900
        ? HRANDFIELD h -50 WITHVALUES
        ? HRANDFIELD h 10 WITHVALUES
        HDEL h field1 field2 field1
        HLEN h
        HSTRLEN h field5
        OBJECT ENCODING h
    """)


def test_scan_gives_all(both):
    for side in both.sides:
        client = side.client(1)
        for n in range(2000):
            client("HSET", "h", b"field%d" % n, n)
        cursor, found = b"0", {}
        while True:
            cursor, some = client("HSCAN", "h", cursor, "COUNT", "50")
            found.update(zip(some[::2], some[1::2]))
            if cursor == b"0":
                break
        assert found == {b"field%d" % n: b"%d" % n for n in range(2000)}
        found = {}
        while True:
            cursor, some = client("HSCAN", "h", cursor, "MATCH", "*99", "COUNT", "500")
            found.update(zip(some[::2], some[1::2]))
            if cursor == b"0":
                break
        assert len(found) == 20


keys = st.sampled_from([b"h1", b"h2", b"s"])
fields = st.one_of(st.integers(-2, 12).map(lambda n: b"%d" % n), st.sampled_from([b"", b"a", b"f" * 65, b"\0\r\n"]))
values = st.one_of(st.integers(-(2**63), 2**63 - 1).map(lambda n: b"%d" % n), st.integers(-5, 5).map(lambda n: b"%d" % n),
                   st.sampled_from([b"", b"1.5", b"x", b"v" * 65, b"1e10"]))
commands = st.lists(st.one_of(
    st.builds(lambda k, p: [b"HSET", k, *[x for pair in p for x in pair]], keys,
              st.lists(st.tuples(fields, values), max_size=6)),
    st.tuples(st.just(b"HSETNX"), keys, fields, values),
    st.builds(lambda k, f: [b"HDEL", k, *f], keys, st.lists(fields, min_size=1, max_size=5)),
    st.builds(lambda k, f: [b"HMGET", k, *f], keys, st.lists(fields, min_size=1, max_size=5)),
    st.tuples(st.sampled_from([b"HGET", b"HEXISTS", b"HSTRLEN"]), keys, fields),
    st.tuples(st.sampled_from([b"HLEN", b"TYPE", b"EXISTS"]), keys),
    st.tuples(st.just(b"HINCRBY"), keys, fields, values),
    st.tuples(st.just(b"HINCRBYFLOAT"), keys, fields, st.sampled_from([b"1", b"-1.5", b"1e3", b"x", b"0.125"])),
    st.tuples(st.sampled_from([b"DEL", b"HGETALL", b"HKEYS", b"HVALS"]), keys),
    st.tuples(st.just(b"SET"), st.just(b"s"), values),
).map(list), max_size=25)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commands=commands)
def test_sequences(both, commands):
    sequence(both, commands, {"HGETALL": "%", "HKEYS": "%", "HVALS": "%"})
