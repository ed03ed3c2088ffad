"""Words about keys of any type, and about databases, against the oracle."""
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracle.harness import sequence

LARGEST = 2**63 - 1
FILL = """
    SET s v
    RPUSH l a b
    SADD set a
    ZADD z 1 a
    HSET h f v
"""


def test_del_exists_touch_type(both):
    both(FILL + """
        TYPE s
        TYPE l
        TYPE set
        TYPE z
        TYPE h
        TYPE missing
        TYPE
        TYPE a b
        EXISTS s l missing s
        EXISTS
        TOUCH s l missing s
        TOUCH
        DEL s missing s
        UNLINK l set missing
        EXISTS s l set z h
        DEL
        UNLINK
        UNLINK z h
        DBSIZE
        DBSIZE x
    """)


def test_large_values_are_deleted(both):
    elements = " ".join(f"element:{i}" for i in range(300))
    both(f"""
        RPUSH l {elements}
        SADD s {elements}
        DEL l
        UNLINK s
        EXISTS l s
        RPUSH l {elements}
        SADD s {elements}
        SET l v
        RENAME l s
        GET s
        RPUSH l {elements}
        FLUSHDB
        DBSIZE
    """)


def test_keys(both):
    both(r"""
        MSET one 1 two 2 three 3 four 4 "with space" 5 "back\\slash" 6 [x] 7
        % KEYS *
        % KEYS t*
        % KEYS ?our
        % KEYS *o*
        % KEYS [ot]*
        % KEYS [^o]*
        % KEYS "\\[x\\]"
        KEYS one
        KEYS ""
        KEYS missing*
        KEYS
        KEYS a b
        PEXPIRE one 1
        DEBUG SLEEP 0.01
        % KEYS o*
    """)


def test_scan(both):
    both(FILL + f"""
        %% SCAN 0 COUNT 1000
        SCAN 0 COUNT 1000 MATCH l
        SCAN 0 MATCH nothing COUNT 1000
        SCAN 0 TYPE list COUNT 1000
        SCAN 0 TYPE LIST COUNT 1000
        SCAN 0 type zset count 1000
        SCAN 0 TYPE hash MATCH h COUNT 1000
        SCAN 0 TYPE set COUNT 1000
        SCAN 0 TYPE string COUNT 1000
        SCAN 0 TYPE stream COUNT 1000
        SCAN 0 TYPE nosuch COUNT 1000
        SCAN 0 COUNT 1000 MATCH x MATCH l
        SCAN 0 COUNT 0
        SCAN 0 COUNT -1
        SCAN 0 COUNT x
        SCAN 0 COUNT 1.0
        SCAN 0 COUNT
        SCAN 0 MATCH
        SCAN 0 TYPE
        SCAN 0 NOVALUES
        SCAN 0 BAD x
        SCAN x
        SCAN 0x
        SCAN " 0"
        SCAN "0 "
        SCAN 18446744073709551616
        SCAN 184467440737095516160000
        SCAN - COUNT 1000
        SCAN 1.0
        SCAN x BAD
        SCAN x COUNT 0
        SCAN
        ? SCAN "" COUNT 1000
        ? SCAN +0 COUNT 1000
        ? SCAN -0 COUNT 1000
        %% SCAN 0 COUNT {LARGEST}
        %% SCAN 0 COUNT 10000000000
        PEXPIRE s 1
        DEBUG SLEEP 0.01
        %% SCAN 0 COUNT 1000
    """)


@pytest.mark.parametrize("resp", [2], indirect=True)
def test_a_whole_scan(both):
    names = {f"key:{i}".encode() for i in range(1000)}
    commands = [[b"SET", name, b"v"] for name in names]
    sequence(both, commands)
    for side in both.sides:
        client = side.client(1)
        for extra in [[], [b"COUNT", 1], [b"COUNT", 100], [b"MATCH", b"key:*5"], [b"TYPE", b"string"]]:
            cursor, found = b"0", []
            while True:
                cursor, keys = client("SCAN", cursor, *extra)
                found += keys
                if cursor == b"0":
                    break
            expected = {name for name in names if name.endswith(b"5")} if b"MATCH" in extra else names
            assert set(found) == expected
            assert len(found) == len(expected), "nothing moves: no key is returned twice"


def test_randomkey(both):
    both("""
        RANDOMKEY
        SET k v
        RANDOMKEY
        PEXPIRE k 1
        DEBUG SLEEP 0.01
        RANDOMKEY
        RANDOMKEY x
    """)


def test_rename(both):
    both(FILL + """
        RENAME s t
        GET t
        EXISTS s
        RENAME missing t
        RENAME missing missing
        GET t
        RENAME t t
        GET t
        RENAME t l
        GET l
        SET t v EX 100
        RENAME t u
        TTL u
        SET x 1
        RENAME x u
        TTL u
        RENAME h h2
        HGETALL h2
        RENAME z z2
        ZRANGE z2 0 -1
        RENAMENX missing a
        RENAMENX u a
        RENAMENX a l
        RENAMENX a a
        GET a
        RENAMENX missing missing
        RENAME a
        RENAME a b c
        RENAMENX a
    """)


def test_move(both):
    both(FILL + """
        MOVE s 1
        EXISTS s
        SELECT 1
        GET s
        MOVE s 1
        MOVE s 0
        EXISTS s
        SELECT 0
        GET s
        EXPIRE s 100
        MOVE s 2
        SELECT 2
        TTL s
        SET l other
        SELECT 0
        MOVE l 2
        MOVE missing 2
        MOVE z 2
        SELECT 2
        ZRANGE z 0 -1
        MOVE z x
        MOVE z -1
        MOVE z 16
        MOVE z 99999999999
        MOVE z 1.0
        MOVE z
        MOVE missing 2
        SET e 1 PX 1
        SELECT 3
        SET e 2
        DEBUG SLEEP 0.01
        MOVE e 2
        SELECT 2
        GET e
        FLUSHALL
    """)


def test_copy(both):
    both(FILL + """
        COPY s t
        GET t
        COPY s t
        SET s w
        COPY s t
        COPY s t REPLACE
        GET t
        COPY l l2
        RPUSH l c
        LRANGE l2 0 -1
        COPY h h2
        HSET h2 g w
        HGETALL h
        COPY z z2
        ZRANGE z2 0 -1
        COPY set set2
        SMEMBERS set2
        COPY missing x
        COPY missing s REPLACE
        COPY s s
        COPY s s REPLACE
        COPY s s DB 0
        COPY missing missing
        COPY s s DB 1
        COPY s s DB 1
        COPY l s DB 1 REPLACE
        SELECT 1
        TYPE s
        SELECT 0
        EXPIRE s 100
        COPY s v
        TTL v
        COPY s v DB 1 DB 2
        SELECT 2
        TTL v
        SELECT 0
        SET p 1
        COPY s p REPLACE
        TTL p
        PERSIST s
        COPY s p replace
        TTL p
        COPY s x DB
        COPY s x DB x
        COPY s x DB -1
        COPY s x DB 16
        COPY s x DB 99999999999
        COPY s x BAD
        COPY s x REPLACE REPLACE
        COPY s
        XADD stream 1-1 f v
        COPY stream stream2
        XRANGE stream2 - +
        FLUSHALL
    """)


def test_expire(both):
    both(f"""
        EXPIRE missing 10
        SET k v
        EXPIRE k 100
        TTL k
        PEXPIRE k 100400
        TTL k
        EXPIREAT k 4102444800
        EXPIRETIME k
        PEXPIREAT k 4102444800700
        EXPIRETIME k
        PEXPIRETIME k
        PERSIST k
        PERSIST k
        PERSIST missing
        TTL k
        PTTL k
        EXPIRETIME k
        PEXPIRETIME k
        TTL missing
        PTTL missing
        EXPIRETIME missing
        PEXPIRETIME missing
        EXPIRE k 0
        EXISTS k
        SET k v
        EXPIRE k -1
        EXISTS k
        SET k v
        PEXPIREAT k 1
        EXISTS k
        SET k v
        EXPIREAT k -5
        EXISTS k
        SET k v
        PEXPIRE k {-LARGEST - 1}
        EXISTS k
        SET k v
        EXPIRE k x
        EXPIRE k 1.5
        EXPIRE k ""
        EXPIRE k {LARGEST}
        EXPIRE k {LARGEST // 1000}
        EXPIRE k {-LARGEST - 1}
        EXPIRE k {-LARGEST // 1000 - 1}
        PEXPIRE k {LARGEST}
        PEXPIREAT k {LARGEST}
        PEXPIRETIME k
        EXPIREAT k {LARGEST // 1000}
        EXPIRETIME k
        EXPIREAT k {LARGEST}
        EXPIRE missing x
        EXPIRE missing {LARGEST}
        EXPIRE k
        TTL
        PERSIST
        RPUSH l a
        PEXPIRE l 5
        DEBUG SLEEP 0.02
        EXISTS l
        LRANGE l 0 -1
    """)


@pytest.mark.parametrize("word", ["EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"])
def test_expire_conditions(both, word):
    low, middle, high = {"EXPIRE": (100, 200, 300), "PEXPIRE": (100000, 200000, 300000),
                         "EXPIREAT": (4102444800, 4102444900, 4102445000),
                         "PEXPIREAT": (4102444800000, 4102444900000, 4102445000000)}[word]
    both(f"""
        SET k v
        {word} k {middle} XX
        {word} k {middle} GT
        TTL k
        {word} k {middle} LT
        {word} k {low} NX
        {word} k {low} GT
        {word} k {high} GT
        {word} k {high} LT
        {word} k {low} LT
        {word} k {middle} XX
        {word} k {high} XX GT
        {word} k {high} XX LT
        {word} k {low} xx lt
        {word} k {low} NX NX
        PERSIST k
        {word} k {low} NX
        {word} k {low} NX XX
        {word} k {low} NX GT
        {word} k {low} LT NX
        {word} k {low} GT LT
        {word} k {low} XX GT LT
        {word} k {low} "a\\r\\nb\\r\\n"
        {word} k {low} "\\xff\\x00\\r\\n"
        {word} k {low} BAD
        {word} k x BAD
        {word} k x NX XX
        {word} k x GT
        {word} missing {low} BAD
        {word} missing {low} NX
        {word} missing {low} GT LT
        {word} k 0 GT
        EXISTS k
        {word} k 0 NX
        {word} k 0 LT
        EXISTS k
    """)


def test_object(both):
    both(FILL + """
        OBJECT ENCODING s
        OBJECT ENCODING missing
        OBJECT REFCOUNT s
        OBJECT REFCOUNT missing
        ? OBJECT IDLETIME s
        OBJECT IDLETIME missing
        OBJECT FREQ s
        OBJECT FREQ missing
        OBJECT ENCODING
        OBJECT ENCODING a b
        OBJECT REFCOUNT
        OBJECT FREQ
        OBJECT IDLETIME
        OBJECT
        OBJECT BAD
        OBJECT BAD x
        OBJECT HELP x
        ?? OBJECT HELP
        OBJECT ENCODING z
        OBJECT ENCODING h
        object encoding s
        = OBJECT ENCODING l -> "listpack"
        = OBJECT ENCODING set -> "listpack"
        SADD ints 1 2 3
        OBJECT ENCODING ints
    """)


def test_frequency(both):
    both("""
        CONFIG SET maxmemory-policy allkeys-lfu
        SET k v
        ?? OBJECT FREQ k
        OBJECT IDLETIME k
        OBJECT IDLETIME missing
        OBJECT FREQ missing
        CONFIG SET maxmemory-policy noeviction
    """)


def test_databases(both):
    both("""
        SELECT 0
        SET k 0
        SELECT 1
        SET k 1
        SET only v
        DBSIZE
        SWAPDB 0 1
        GET k
        DBSIZE
        SELECT 0
        GET k
        SWAPDB 0 0
        SWAPDB 0 x
        SWAPDB x 0
        SWAPDB x y
        SWAPDB 0 16
        SWAPDB 16 0
        SWAPDB -1 0
        SWAPDB 0 99999999999
        SWAPDB 0
        SELECT 16
        SELECT -1
        SELECT x
        SELECT 1.5
        SELECT 99999999999
        SELECT ""
        SELECT
        SELECT 0 1
        GET k
        FLUSHDB
        DBSIZE
        SELECT 1
        DBSIZE
        FLUSHDB ASYNC
        DBSIZE
        SET k v
        FLUSHDB SYNC
        FLUSHDB bad
        FLUSHDB ASYNC SYNC
        SET k v
        FLUSHALL bad
        FLUSHALL SYNC ASYNC
        FLUSHALL async
        DBSIZE
        SET k v
        FLUSHALL
        SELECT 0
        DBSIZE
    """)


def test_wait(both):
    both("""
        WAIT 0 0
        WAIT -1 0
        WAIT 0 10
        WAIT 1 10
        WAIT x 0
        WAIT 1 x
        WAIT 1 -1
        WAIT 0 -1
        WAIT x x
        WAIT 1.5 0
        WAIT 1 1.5
        WAIT 99999999999999999999 0
        WAIT 0
        MULTI
        WAIT 1 0
        EXEC
        = WAITAOF 0 0 0 -> [0, 0]
        = WAITAOF 0 1 10 -> [0, 0]
        = WAITAOF 2 0 0 -> -ERR value is out of range, value must between 0 and 1
        = WAITAOF x 0 0 -> -ERR value is not an integer or out of range
        = WAITAOF 0 -1 0 -> -ERR value is out of range, must be positive
        = WAITAOF 0 0 -1 -> -ERR timeout is negative
        = WAITAOF 1 0 0 -> -ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.
    """)


def test_notifications(both):
    both("""
        CONFIG SET notify-keyspace-events KEAn
        2: PSUBSCRIBE __keyevent@*__:*
        SET k v
        2<
        2<
        EXPIRE k 100
        2<
        PERSIST k
        2<
        PERSIST k
        RENAME k j
        2<
        2<
        2<
        RENAMENX j k
        2<
        2<
        2<
        RENAME k k
        COPY k j
        2<
        2<
        COPY k j REPLACE
        2<
        2<
        MOVE j 1
        2<
        2<
        2<
        MOVE j 1
        EXPIRE k -1
        2<
        EXPIRE k 10
        DEL k
        SET k v PX 5
        2<
        2<
        2<
        DEBUG SLEEP 0.02
        GET k
        2<
        MSET a 1 b 2
        2<
        2<
        2<
        2<
        UNLINK a b c
        2<
        2<
        FLUSHALL
        2-
    """)


def test_transactions_see_changed_keys(both):
    for change in ["SET k w", "DEL k", "RENAME k j", "RENAME j k", "EXPIRE k 100", "PERSIST t", "FLUSHDB", "FLUSHALL",
                   "SWAPDB 0 1", "MOVE k 1", "COPY j k REPLACE", "GETDEL k", "APPEND k x", "SORT l STORE k"]:
        both(f"""
            FLUSHALL
            MSET k v j v
            SET t v EX 100
            RPUSH l 2 1
            WATCH k t
            2: {change}
            MULTI
            PING
            EXEC
            UNWATCH
        """)


keys = st.sampled_from([b"a", b"b", b"c", b"d"])
times = st.sampled_from([b"1000", b"-1", b"0", b"2000", b"x", b"9223372036854775807", b"4102444800", b"4102444800000"])
conditions = st.lists(st.sampled_from([b"NX", b"XX", b"GT", b"LT"]), max_size=2)
indexes = st.sampled_from([0, 1, 2, 16, b"x"])
commands = st.one_of(
    st.builds(lambda k, v: [b"SET", k, v], keys, st.binary(max_size=3)),
    st.builds(lambda k, v: [b"RPUSH", k, v], keys, st.binary(max_size=3)),
    st.builds(lambda k, v: [b"SADD", k, v], keys, st.binary(max_size=3)),
    st.builds(lambda k, v: [b"HSET", k, v, b"v"], keys, st.binary(max_size=3)),
    st.builds(lambda w, k: [w, *k], st.sampled_from([b"DEL", b"UNLINK", b"EXISTS", b"TOUCH"]),
              st.lists(keys, min_size=1, max_size=3)),
    st.builds(lambda w, k: [w, k], st.sampled_from([b"TYPE", b"TTL", b"EXPIRETIME", b"PEXPIRETIME", b"PERSIST", b"GET"]), keys),
    st.builds(lambda w, a, b: [w, a, b], st.sampled_from([b"RENAME", b"RENAMENX"]), keys, keys),
    st.builds(lambda a, b, o: [b"COPY", a, b, *o], keys, keys,
              st.sampled_from([[], [b"REPLACE"], [b"DB", 1], [b"DB", 1, b"REPLACE"], [b"DB", 16]])),
    st.builds(lambda k, i: [b"MOVE", k, i], keys, indexes),
    st.builds(lambda i: [b"SELECT", i], indexes),
    st.builds(lambda i, j: [b"SWAPDB", i, j], indexes, indexes),
    st.builds(lambda w, k, t, o: [w, k, t, *o], st.sampled_from([b"EXPIRE", b"EXPIREAT", b"PEXPIREAT"]), keys, times,
              conditions),
    st.sampled_from([[b"DBSIZE"], [b"KEYS", b"*"], [b"FLUSHDB"], [b"SCAN", 0, b"COUNT", 100], [b"SCAN", 0, b"TYPE", b"list"]]),
)


@given(st.lists(commands, max_size=40))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
def test_any_sequence(both, words):
    sequence(both, [*words, [b"SELECT", 0]], {"KEYS": "%", "SCAN": "%%"})
