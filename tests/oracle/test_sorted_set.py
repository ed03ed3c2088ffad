"""Sorted sets against the oracle: every word, option and error."""
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .harness import sequence

# Small and large sets: the same scripts in both encodings.
LIMITS = pytest.mark.parametrize("entries", [128, 2], ids=["listpack", "skiplist"])


def test_zadd(both):
    both("""
        ZADD z 1 a 2 b 3 c
        ZADD z 1 a 5 b 6 d
        ZADD z CH 1 a 7 b 8 e
        ZADD z NX 100 a 9 f
        ZADD z XX 10 a 100 missing
        ZADD z XX CH 11 a 100 missing
        ZADD z GT CH 5 a 50 b 60 g
        ZADD z LT CH 5 a 500 b 600 h
        ZADD z GT XX CH 1000 a 1000 missing
        ZADD z LT XX CH 1 a 1 missing
        ZADD z xx ch lt 0 a
        ZADD z INCR 5 a
        ZADD z INCR 5 new
        ZADD z NX INCR 5 a
        ZADD z XX INCR 5 missing
        ZADD z GT INCR -5 a
        ZADD z LT INCR 5 a
        ZADD z GT INCR 5 a
        ZADD z CH INCR 0 a
        ~ ZRANGE z 0 -1 WITHSCORES
        ZADD missing XX 1 a
        ZADD missing XX INCR 1 a
        EXISTS missing
        ZADD z 1 twice 2 twice
        ZADD z CH 1 twice 2 twice
        ZSCORE z twice
        ZADD z 1 NX
        ZADD z NX NX 2 NX
        ZSCORE z NX
        TYPE z
    """)


def test_zadd_errors(both):
    both("""
        SET string x
        ZADD
        ZADD z
        ZADD z 1
        ZADD z NX
        ZADD z NX 1
        ZADD z CH INCR
        ZADD z 1 a 2
        ZADD z CH 1 a 2
        ZADD z 1 a NX 2
        ZADD string NX XX 1 a
        ZADD string NX XX a
        ZADD string GT LT 1 a
        ZADD string GT NX 1 a
        ZADD string LT NX 1 a
        ZADD string XX NX GT 1 a
        ZADD string INCR 1 a 2 b
        ZADD string INCR x a 2 b
        ZADD string x a
        ZADD string nan a
        ZADD string 1 a x b
        ZADD string 1 a
        ZADD string XX 1 a
        ZADD z " 1" a
        ZADD z "1 " a
        ZADD z "" a
        ZADD z 1e a
        ZADD z 0x a
        ZADD z --1 a
        ZADD z 1.2.3 a
        ZADD z "1\\x00" a
        ZADD z NaN a
        ZADD z -nan a
        EXISTS z
        ZADD z 1 a x b
        EXISTS z
        ZADD z inf a
        ZADD z INCR -inf a
        ZINCRBY z -inf a
        ZSCORE z a
        ZINCRBY z
        ZINCRBY z x a
        ZINCRBY string x a
        ZINCRBY string 1 a
        ZINCRBY z nan a
    """)


@LIMITS
def test_forms_of_scores(both, entries):
    both(f"""
        CONFIG SET zset-max-listpack-entries {entries}
        ZADD z 0x10 hex 1e3 exponent .5 half 5. five +7 plus -0 zero inf i1 -inf i2 Infinity i3 -INF i4 1e400 big
        ZADD z 3.14 pi 0.1 tenth 1e-7 small 123456789012345678 long 17179869184.5 mixed 1e17 e17 1e21 e21 1e-320 tiny
        ZADD z 4503599627370497 p52 9007199254740993 p53 4611686018427387904 p62 -9223372036854775808 p63 0.30000000000000004 sum
        ~ ZRANGE z 0 -1 WITHSCORES
        ~ ZSCORE z pi
        ~ ZSCORE z tenth
        ~ ZSCORE z sum
        ZSCORE z hex
        ZSCORE z half
        ZSCORE z i1
        ZSCORE z i4
        = ZSCORE z tenth -> 0.1
        = ZSCORE z sum -> 0.30000000000000004
        ~ ZMSCORE z pi tenth missing small e21 tiny
        ~ ZINCRBY z 0.1 tenth
        ~ ZINCRBY z 0.2 pi
        ZINCRBY z 1 p53
        ZINCRBY z 1 plus
        ~ ZSCORE z tenth
        ~ ZPOPMIN z 5
        ~ ZPOPMAX z 5
    """)


@pytest.mark.parametrize("entries", [128, 0], ids=["listpack", "skiplist"])
def test_minus_zero(both, entries):
    both(f"""
        CONFIG SET zset-max-listpack-entries {entries}
        ZADD z -0 a
        ZSCORE z a
        ZADD z 0 a
        ZSCORE z a
        ZADD z CH 0 a
        ZADD z INCR -0 b
        ZSCORE z b
        ZINCRBY z -0 b
        ZADD z 1 c
        ZINCRBY z -1 c
        ZRANGE z 0 -1 WITHSCORES
        ZRANGEBYSCORE z (-0 0
        ZCOUNT z -0 0
    """)


def test_encodings(both):
    both(r"""
        ZADD z 1 a
        OBJECT ENCODING z
        ZADD z 1 0123456789012345678901234567890123456789012345678901234567890123
        OBJECT ENCODING z
        ZADD z 1 01234567890123456789012345678901234567890123456789012345678901234
        OBJECT ENCODING z
        ZREM z 01234567890123456789012345678901234567890123456789012345678901234
        OBJECT ENCODING z
        ZADD first 1 01234567890123456789012345678901234567890123456789012345678901234
        OBJECT ENCODING first
        CONFIG SET zset-max-listpack-entries 3 zset-max-listpack-value 4
        ZADD y 1 a 2 b 3 c
        OBJECT ENCODING y
        ZADD y 5 a
        ZADD y XX 5 d
        OBJECT ENCODING y
        ZADD y 5 d
        OBJECT ENCODING y
        ZADD x 1 abcd
        OBJECT ENCODING x
        ZINCRBY x 1 abcde
        OBJECT ENCODING x
        ZUNIONSTORE u 1 x
        OBJECT ENCODING u
        ZUNIONSTORE u 1 y
        OBJECT ENCODING u
        ZREM y a
        ZUNIONSTORE u 1 y
        OBJECT ENCODING u
        ZRANGESTORE r y 0 1
        OBJECT ENCODING r
        ZRANGESTORE r x 0 0
        OBJECT ENCODING r
        ZRANGESTORE r x 0 1
        OBJECT ENCODING r
        CONFIG SET zset-max-listpack-entries 0
        ZADD w 1 a
        OBJECT ENCODING w
    """)


@LIMITS
def test_members(both, entries):
    both(f"""
        CONFIG SET zset-max-listpack-entries {entries}
        SET string x
        ZADD z 1 a 2 b 2 c 3 d 3 "" 4 10 5 "\\x00\\xff"
        ZCARD z
        ZCARD missing
        ZCARD string
        ZCARD
        ZCARD z z
        ZSCORE z a
        ZSCORE z ""
        ZSCORE z 10
        ZSCORE z "\\x00\\xff"
        ZSCORE z missing
        ZSCORE missing a
        ZSCORE string a
        ZSCORE z
        ZMSCORE z a missing b
        ZMSCORE missing a b
        ZMSCORE string a
        ZMSCORE z
        ZRANK z a
        ZRANK z b
        ZRANK z c
        ZRANK z ""
        ZRANK z "\\x00\\xff"
        ZRANK z missing
        ZRANK missing a
        ZRANK string a
        ZREVRANK z a
        ZREVRANK z d
        ZREVRANK z "\\x00\\xff"
        ZREVRANK z missing
        ZREVRANK missing a
        ZREVRANK string a
        ZRANK z
        ZREVRANK z
        = ZRANK z b WITHSCORE -> [1, 2.0]
        = ZRANK z b withscore -> [1, 2.0]
        = ZREVRANK z b WITHSCORE -> [5, 2.0]
        = ZRANK z missing WITHSCORE -> null
        = ZRANK missing b WITHSCORE -> null
        = ZRANK z b WITHSCORES -> -ERR syntax error
        = ZRANK string b WITHSCORES -> -ERR syntax error
        = ZRANK string b WITHSCORE -> -WRONGTYPE Operation against a key holding the wrong kind of value
        = ZRANK z b WITHSCORE x -> -ERR wrong number of arguments for 'zrank' command
        = ZREVRANK z b WITHSCORE x -> -ERR wrong number of arguments for 'zrevrank' command
        ZREM z
        ZREM string a
        ZREM missing a
        ZREM z missing
        ZREM z a a b missing
        ZRANGE z 0 -1
        ZREM z c d "" 10 "\\x00\\xff"
        EXISTS z
    """)


@LIMITS
def test_range_by_rank(both, entries):
    both(f"""
        CONFIG SET zset-max-listpack-entries {entries}
        SET string x
        ZADD z 1 a 2 b 3 c 4 d 4 e
        ZRANGE z 0 -1
        ZRANGE z 0 -1 WITHSCORES
        ZRANGE z 0 -1 withscores withscores
        ZRANGE z 1 2
        ZRANGE z -2 -1
        ZRANGE z -100 100
        ZRANGE z 3 1
        ZRANGE z 5 6
        ZRANGE z 4 4 WITHSCORES
        ZRANGE z 0 -1 REV
        ZRANGE z 0 1 REV WITHSCORES
        ZRANGE z -2 -1 REV
        ZRANGE z -1 -2 REV
        ZRANGE z 9223372036854775807 -9223372036854775808
        ZRANGE z -9223372036854775808 9223372036854775807
        ZREVRANGE z 0 -1
        ZREVRANGE z 0 -1 WITHSCORES
        ZREVRANGE z 1 2 WITHSCORES
        ZREVRANGE z -2 -1
        ZREVRANGE z 3 1
        ZRANGE z 0 -1 LIMIT 0 1
        ZRANGE z 0 -1 LIMIT 0 -1
        ZRANGE z 0 -1 LIMIT 3 -1
        ZREVRANGE z 0 -1 LIMIT 0 1
        ZREVRANGE z 0 -1 LIMIT 1 -1
        ZRANGE z a 1
        ZRANGE z 0 b
        ZRANGE z 1.5 2
        ZRANGE z 0 -1 REV REV
        ZREVRANGE z 0 -1 REV
        ZREVRANGE z 0 -1 BYSCORE
        ZRANGE z 0 -1 FOO
        ZRANGE z 0 -1 LIMIT
        ZRANGE z 0 -1 LIMIT 1
        ZRANGE z 0 -1 LIMIT a 1
        ZRANGE z 0 -1 LIMIT 1 b
        ZRANGE z 0
        ZREVRANGE z 0
        ZRANGE missing 0 -1
        ZRANGE missing 0 -1 WITHSCORES
        ZRANGE missing 0 x
        ZRANGE string 0 x
        ZRANGE string 0 -1
        ZREVRANGE string 0 -1
    """)


@LIMITS
def test_range_by_score(both, entries):
    both(f"""
        CONFIG SET zset-max-listpack-entries {entries}
        SET string x
        ZADD z -inf min 1 a 2 b 2.5 c 3 d 3 e 4 f inf max
        ZRANGEBYSCORE z -inf +inf
        ZRANGEBYSCORE z -inf inf WITHSCORES
        ZRANGEBYSCORE z (-inf (+inf
        ZRANGEBYSCORE z 2 3
        ZRANGEBYSCORE z (2 3
        ZRANGEBYSCORE z 2 (3
        ZRANGEBYSCORE z (2 (3
        ZRANGEBYSCORE z 3 2
        ZRANGEBYSCORE z (2 (2
        ZRANGEBYSCORE z 2 2
        ZRANGEBYSCORE z 1 4 LIMIT 1 2
        ZRANGEBYSCORE z 1 4 WITHSCORES LIMIT 1 2
        ZRANGEBYSCORE z 1 4 LIMIT 1 2 WITHSCORES
        ZRANGEBYSCORE z 1 4 LIMIT 0 -1
        ZRANGEBYSCORE z 1 4 LIMIT 2 -1
        ZRANGEBYSCORE z 1 4 LIMIT 2 -5
        ZRANGEBYSCORE z 1 4 LIMIT 0 0
        ZRANGEBYSCORE z 1 4 LIMIT -1 2
        ZRANGEBYSCORE z 1 4 LIMIT 10 2
        ZRANGEBYSCORE z 1 4 LIMIT 0 1 LIMIT 2 3
        ZRANGEBYSCORE z 1 4 LIMIT 9223372036854775807 9223372036854775807
        ZREVRANGEBYSCORE z +inf -inf
        ZREVRANGEBYSCORE z 3 (1 WITHSCORES
        ZREVRANGEBYSCORE z (3 1
        ZREVRANGEBYSCORE z 1 3
        ZREVRANGEBYSCORE z 4 1 LIMIT 1 2
        ZREVRANGEBYSCORE z 4 1 LIMIT 1 -1 WITHSCORES
        ZREVRANGEBYSCORE z 4 1 LIMIT -1 1
        ZRANGE z 2 3 BYSCORE
        ZRANGE z (2 +inf BYSCORE WITHSCORES LIMIT 0 2
        ZRANGE z 3 2 BYSCORE REV
        ZRANGE z 2 3 BYSCORE REV
        ZRANGE z +inf -inf REV BYSCORE LIMIT 1 3 WITHSCORES
        ZCOUNT z -inf +inf
        ZCOUNT z (1 3
        ZCOUNT z 3 1
        ZCOUNT z 2.5 2.5
        ZCOUNT missing 0 1
        ZCOUNT string 0 1
        ZCOUNT string a 1
        ZCOUNT z 1
        ZCOUNT z nan 1
        ZRANGEBYSCORE z a 3
        ZRANGEBYSCORE z 1 b
        ZRANGEBYSCORE z nan 3
        ZRANGEBYSCORE z 1 3x
        ZRANGEBYSCORE z ((1 3
        ZRANGEBYSCORE z "" 3
        ZRANGEBYSCORE z ( 3
        ZRANGEBYSCORE z " 1" 3
        ZRANGEBYSCORE z "( 1" 3
        ZRANGEBYSCORE z "1 " 3
        ZRANGEBYSCORE z " " 3
        ZRANGEBYSCORE z "1\\x00x" 3
        ZRANGEBYSCORE z 0x1 0x3
        ZRANGEBYSCORE z 1e0 3E0
        ZRANGEBYSCORE z 1 1e400
        ZRANGEBYSCORE z -1e400 (1e400
        ZCOUNT z 1e-400 1e400
        ZCOUNT z 0 1e
        ZADD z 1e400 x
        ZRANGEBYSCORE z [1 3
        ZRANGEBYSCORE z 1 3 BYSCORE
        ZRANGEBYSCORE z 1 3 REV
        ZRANGEBYSCORE z 1 3 LIMIT 1
        ZRANGEBYSCORE z 1 3 LIMIT a b
        ZRANGEBYSCORE z 1 3 FOO
        ZRANGE z 1 3 BYSCORE BYSCORE
        ZRANGE z 1 3 BYSCORE BYLEX
        ZRANGE z a 3 BYSCORE
        ZRANGEBYSCORE missing a 3
        ZRANGEBYSCORE missing 1 3
        ZRANGEBYSCORE missing 1 3 WITHSCORES
        ZRANGEBYSCORE string 1 3
        ZREVRANGEBYSCORE string 1 x
        ZREVRANGEBYSCORE string 1 3
        ZRANGEBYSCORE z 1
        ZREVRANGEBYSCORE z 1
    """)


@LIMITS
def test_range_by_member(both, entries):
    both(f"""
        CONFIG SET zset-max-listpack-entries {entries}
        SET string x
        ZADD z 0 a 0 b 0 c 0 d 0 dd 0 e 0 "" 0 1 0 10 0 2 0 "\\xff"
        ZRANGEBYLEX z - +
        ZRANGEBYLEX z [b [d
        ZRANGEBYLEX z (b [d
        ZRANGEBYLEX z [b (d
        ZRANGEBYLEX z (b (d
        ZRANGEBYLEX z - (c
        ZRANGEBYLEX z (c +
        ZRANGEBYLEX z [ +
        ZRANGEBYLEX z ( [b
        ZRANGEBYLEX z [d [b
        ZRANGEBYLEX z (b (b
        ZRANGEBYLEX z [b [b
        ZRANGEBYLEX z [b (b
        ZRANGEBYLEX z + -
        ZRANGEBYLEX z - -
        ZRANGEBYLEX z + +
        ZRANGEBYLEX z [1 [2
        ZRANGEBYLEX z [aa [cc
        ZRANGEBYLEX z - + LIMIT 2 3
        ZRANGEBYLEX z - + LIMIT 2 -1
        ZRANGEBYLEX z - + LIMIT -2 1
        ZRANGEBYLEX z - + LIMIT 0 0
        ZREVRANGEBYLEX z + -
        ZREVRANGEBYLEX z [d (b
        ZREVRANGEBYLEX z (d [b LIMIT 1 1
        ZREVRANGEBYLEX z - +
        ZRANGE z [b [d BYLEX
        ZRANGE z [d [b BYLEX REV
        ZRANGE z [b [d BYLEX REV
        ZRANGE z + - BYLEX REV LIMIT 1 2
        ZRANGE z - + BYLEX WITHSCORES
        ZRANGEBYLEX z - + WITHSCORES
        ZREVRANGEBYLEX z + - WITHSCORES
        ZRANGEBYLEX z b [d
        ZRANGEBYLEX z [b d
        ZRANGEBYLEX z "" +
        ZRANGEBYLEX z -x +
        ZRANGEBYLEX z "-\\x00x" +
        ZRANGEBYLEX z - ++
        ZRANGEBYLEX z 1 2
        ZRANGEBYLEX missing b [d
        ZRANGEBYLEX missing - +
        ZRANGEBYLEX string b [d
        ZRANGEBYLEX string - +
        ZRANGEBYLEX z -
        ZRANGEBYLEX z - + BYLEX
        ZLEXCOUNT z - +
        ZLEXCOUNT z [b (e
        ZLEXCOUNT z + -
        ZLEXCOUNT z [b [b
        ZLEXCOUNT z b +
        ZLEXCOUNT missing - +
        ZLEXCOUNT string - +
        ZLEXCOUNT z -
    """)


@LIMITS
def test_remove_range(both, entries):
    both(f"""
        CONFIG SET zset-max-listpack-entries {entries}
        SET string x
        ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g 8 h
        ZREMRANGEBYRANK z 0 1
        ZREMRANGEBYRANK z -1 -1
        ZREMRANGEBYRANK z 3 1
        ZREMRANGEBYRANK z 10 20
        ZREMRANGEBYRANK z a 1
        ZREMRANGEBYRANK string a 1
        ZREMRANGEBYRANK string 0 1
        ZREMRANGEBYRANK missing 0 1
        ZREMRANGEBYRANK z 0
        ZRANGE z 0 -1
        ZREMRANGEBYSCORE z (3 4
        ZREMRANGEBYSCORE z 100 200
        ZREMRANGEBYSCORE z 2 1
        ZREMRANGEBYSCORE z a 1
        ZREMRANGEBYSCORE string a 1
        ZREMRANGEBYSCORE string 0 1
        ZREMRANGEBYSCORE missing 0 1
        ZREMRANGEBYSCORE z 0
        ZRANGE z 0 -1
        ZREMRANGEBYSCORE z -inf +inf
        EXISTS z
        ZADD z 0 a 0 b 0 c 0 d 0 e
        ZREMRANGEBYLEX z [b (d
        ZREMRANGEBYLEX z [x [y
        ZREMRANGEBYLEX z + -
        ZREMRANGEBYLEX z a +
        ZREMRANGEBYLEX string a +
        ZREMRANGEBYLEX string - +
        ZREMRANGEBYLEX missing - +
        ZREMRANGEBYLEX z -
        ZRANGE z 0 -1
        ZREMRANGEBYLEX z - +
        EXISTS z
        ZADD z 1 a 2 b
        ZREMRANGEBYRANK z -100 100
        EXISTS z
    """)


@LIMITS
def test_zrangestore(both, entries):
    both(f"""
        CONFIG SET zset-max-listpack-entries {entries}
        SET string x
        ZADD z 1 a 2 b 3 c 4 d
        ZRANGESTORE d z 0 -1
        ZRANGE d 0 -1 WITHSCORES
        ZRANGESTORE d z 1 2
        ZRANGE d 0 -1 WITHSCORES
        ZRANGESTORE d z 0 1 REV
        ZRANGE d 0 -1 WITHSCORES
        ZRANGESTORE d z (1 3 BYSCORE
        ZRANGE d 0 -1 WITHSCORES
        ZRANGESTORE d z 4 1 BYSCORE REV LIMIT 1 2
        ZRANGE d 0 -1 WITHSCORES
        ZRANGESTORE d z [b + BYLEX LIMIT 0 1
        ZRANGE d 0 -1 WITHSCORES
        ZRANGESTORE d z 5 6
        EXISTS d
        ZRANGESTORE d z 0 -1
        ZRANGESTORE d missing 0 -1
        EXISTS d
        ZRANGESTORE string z 0 0
        TYPE string
        SET string x
        ZRANGESTORE string missing 0 0
        EXISTS string
        SET string x
        ZRANGESTORE d string 0 1
        ZRANGESTORE d string a 1
        ZRANGESTORE d z 0 -1 WITHSCORES
        ZRANGESTORE d z 0 -1 LIMIT 0 1
        ZRANGESTORE d z a b
        ZRANGESTORE d z a b BYSCORE
        ZRANGESTORE d z a b BYLEX
        ZRANGESTORE d z 0
        ZRANGESTORE z z 0 1
        ZRANGE z 0 -1 WITHSCORES
        EXPIRE z 100
        ZRANGESTORE z z 0 0
        TTL z
    """)


@LIMITS
def test_zpop(both, entries):
    both(f"""
        CONFIG SET zset-max-listpack-entries {entries}
        SET string x
        ZADD z 1 a 2 b 3 c 4 d 5 e 6 f
        ZPOPMIN z
        ZPOPMAX z
        ZPOPMIN z 1
        ZPOPMAX z 2
        ZPOPMIN z 0
        ZPOPMIN missing
        ZPOPMIN missing 2
        ZPOPMIN missing 0
        ZPOPMIN missing -1
        ZPOPMIN z -1
        ZPOPMIN z x
        ZPOPMIN z 1 2
        ZPOPMIN z x 2
        ZPOPMAX string
        ZPOPMAX string -1
        ZPOPMAX string 0
        ZPOPMIN
        ZPOPMAX z 100
        EXISTS z
        ZADD z 1 a 2 b 3 c 4 d 5 e 6 f
        ZMPOP 1 z MIN
        ZMPOP 1 z max COUNT 2
        ZMPOP 2 missing z MIN COUNT 1
        ZMPOP 2 missing z MAX COUNT 100
        EXISTS z
        ZMPOP 2 missing z MIN
        ZMPOP 1 string MIN
        ZMPOP 2 missing string MIN
        ZADD z 1 a
        ZMPOP 2 z string MIN
        ZMPOP 0 z MIN
        ZMPOP -1 z MIN
        ZMPOP x z MIN
        ZMPOP 1 string FOO
        ZMPOP 2 string MIN
        ZMPOP 1 string MIN COUNT
        ZMPOP 1 string MIN COUNT 0
        ZMPOP 1 string MIN COUNT x
        ZMPOP 1 string MIN COUNT 1 COUNT 1
        ZMPOP 1 string MIN COUNT x COUNT 1
        ZMPOP 1 string MIN FOO
        ZMPOP 9223372036854775807 z MIN
        ZMPOP 1 z
    """)


def test_blocking_pop_at_once(both):
    both("""
        SET string x
        ZADD z 1 a 2 b 3 c 4 d 5 e 6 f
        BZPOPMIN z 0
        BZPOPMAX missing z 0
        BZPOPMIN string z 0
        BZPOPMIN missing string z 0
        BZPOPMIN z string 0
        BZPOPMIN string x
        BZPOPMIN string -1
        = BZPOPMIN string inf -> -ERR timeout is out of range
        = BZPOPMIN string 9223372036854775807 -> -ERR timeout is out of range
        BZPOPMIN string nan
        BZPOPMIN z
        BZMPOP 0 1 z MIN
        BZMPOP 0 2 missing z MAX COUNT 10
        BZMPOP 0 1 string MIN
        BZMPOP x 0 string MIN
        BZMPOP x 1 string FOO
        BZMPOP x 1 string MIN COUNT 0
        BZMPOP x 1 string MIN
        BZMPOP -1 1 string MIN
        BZMPOP 0 1 z
        BZPOPMIN missing 0.01
        BZPOPMAX missing also 0.01
        BZMPOP 0.01 1 missing MIN
        MULTI
        BZPOPMIN missing 0
        BZMPOP 0 1 missing MIN
        EXEC
    """)


def test_blocking_pop(both):
    both("""
        2> BZPOPMIN a b 0
        ZADD b 2 x 1 y
        2<
        ZRANGE b 0 -1
        2> BZPOPMAX c 0
        3> BZPOPMAX c 0
        ZADD c 1 x
        2<
        3-
        ZADD c 1.5 y
        ~ 3<
        EXISTS c
        2> BZMPOP 0 2 a c MIN COUNT 2
        ZADD c 1 x 2 y 3 z
        2<
        DEL c
        2> BZPOPMIN a 0
        SET a string
        2-
        DEL a
        LPUSH a x
        2-
        DEL a
        ZADD a 7 m
        2<
        2> BZPOPMIN a b 0
        SET a string
        DEL b
        ZADD b 1 m
        2<
        DEL a
        2> BZPOPMIN a 0
        ZADD source 1 m
        RENAME source a
        2<
        2> BZPOPMIN a 0
        ZADD source 1 m
        ZUNIONSTORE a 1 source
        2<
        2> BZPOPMIN a 0
        ZRANGESTORE a source 0 -1
        2<
        2> BZPOPMIN a 0
        ZINCRBY a 5 m
        2<
        2> BZPOPMIN a 0
        MULTI
        ZADD a 1 m
        DEL a
        ZADD a 1 n
        EXEC
        2<
        2> BZPOPMIN a 0
        MULTI
        ZADD a 1 m
        DEL a
        EXEC
        2-
        ZADD a 1 q
        2<
    """)


@LIMITS
def test_zrandmember(both, entries):
    both(f"""
        CONFIG SET zset-max-listpack-entries {entries}
        SET string x
        ZADD z 1 a 2 b 3 c 4 d
        ? ZRANDMEMBER z
        ? ZRANDMEMBER z 2
        ? ZRANDMEMBER z 2 WITHSCORES
        ? ZRANDMEMBER z -6
        ? ZRANDMEMBER z -6 withscores
        % ZRANDMEMBER z 4
        % ZRANDMEMBER z 100
        @3 % ZRANDMEMBER z 100 WITHSCORES
        @2 % ZRANDMEMBER z 100 WITHSCORES
        ZRANDMEMBER z 0
        ZRANDMEMBER z 0 WITHSCORES
        ZRANDMEMBER missing
        ZRANDMEMBER missing 3
        ZRANDMEMBER missing -3
        ZRANDMEMBER missing 3 WITHSCORES
        ZRANDMEMBER string
        ZRANDMEMBER string 1
        ZRANDMEMBER string x
        ZRANDMEMBER string 1 FOO
        ZRANDMEMBER string 1 WITHSCORES x
        ZRANDMEMBER z x FOO
        ZRANDMEMBER z -9223372036854775808
        ZRANDMEMBER z 9223372036854775808
        ZRANDMEMBER string 9223372036854775807
        ZRANDMEMBER string 9223372036854775807 WITHSCORES
        ZRANDMEMBER string -9223372036854775807 WITHSCORES
        % ZRANDMEMBER z 4611686018427387903 WITHSCORES
        ZRANDMEMBER
        DEL z
        ZADD z 1 only
        ZRANDMEMBER z
        ZRANDMEMBER z -3
        ZRANDMEMBER z -2 WITHSCORES
    """)


def test_zrandmember_is_fair(both):
    both("ZADD z 1 a 2 b 3 c")
    for side in both.sides:
        client = side.client(1)
        found = client("ZRANDMEMBER", "z", "-3000")
        assert all(800 < found.count(member) < 1200 for member in (b"a", b"b", b"c"))
        for _ in range(20):
            assert len(set(client("ZRANDMEMBER", "z", "2"))) == 2


def test_combining(both):
    both("""
        SET string x
        ZADD a 1 x 2 y 3 z
        ZADD b 10 y 20 z 30 w
        ZADD inf inf x -inf y 0 z
        ZADD ninf -inf x inf y 5 z
        SADD set y q 5 10
        SADD ints 1 2 3
        ZUNION 1 a
        ZUNION 2 a b
        ZUNION 2 a b WITHSCORES
        ZUNION 2 a b WEIGHTS 2 0.5 WITHSCORES
        ZUNION 2 a b weights 2 3 aggregate min withscores
        ZUNION 2 a b WITHSCORES AGGREGATE MAX WEIGHTS -1 1
        ZUNION 2 a b AGGREGATE SUM WITHSCORES
        ZUNION 3 a set missing WITHSCORES
        ZUNION 2 set ints WEIGHTS 3 4 WITHSCORES
        ZUNION 2 inf ninf WITHSCORES
        ZUNION 2 inf ninf AGGREGATE MIN WITHSCORES
        ZUNION 2 inf ninf AGGREGATE MAX WITHSCORES
        ZUNION 2 inf ninf WEIGHTS 0 1 WITHSCORES
        ZUNION 2 inf a WEIGHTS inf -inf WITHSCORES
        ZUNION 2 a a WITHSCORES
        ZUNION 1 missing
        ZUNION 1 missing WITHSCORES
        ZUNION 2 a b WEIGHTS 1 1 WEIGHTS 5 5 WITHSCORES
        ZUNION 2 a b AGGREGATE MIN AGGREGATE MAX WITHSCORES WITHSCORES
        ZINTER 1 a
        ZINTER 2 a b
        ZINTER 2 a b WITHSCORES
        ZINTER 2 a b WEIGHTS 2 0.5 WITHSCORES
        ZINTER 2 a b AGGREGATE MIN WITHSCORES
        ZINTER 2 a b AGGREGATE MAX WITHSCORES
        ZINTER 3 a b set WITHSCORES
        ZINTER 2 a a WITHSCORES
        ZINTER 2 a missing
        ZINTER 2 missing a WITHSCORES
        ZINTER 2 inf ninf WITHSCORES
        ZINTER 2 inf ninf WEIGHTS 0 0 WITHSCORES
        ZINTER 2 ninf inf WEIGHTS 1 0 AGGREGATE MIN WITHSCORES
        ZINTER 2 inf ninf WEIGHTS 1 0 AGGREGATE MAX WITHSCORES
        ZDIFF 1 a
        ZDIFF 2 a b
        ZDIFF 2 a b WITHSCORES
        ZDIFF 3 a b missing WITHSCORES
        ZDIFF 2 a set WITHSCORES
        ZDIFF 2 set a WITHSCORES
        ZDIFF 2 a a
        ZDIFF 2 missing a
        ZDIFF 2 a missing WITHSCORES
        ZINTERCARD 1 a
        ZINTERCARD 2 a b
        ZINTERCARD 2 a b LIMIT 1
        ZINTERCARD 2 a b LIMIT 0
        ZINTERCARD 2 a b LIMIT 5
        ZINTERCARD 2 a b LIMIT 1 LIMIT 2
        ZINTERCARD 3 a b set
        ZINTERCARD 2 a missing
        ZINTERCARD 2 set set
    """)


def test_storing(both):
    both("""
        SET string x
        ZADD a 1 x 2 y 3 z
        ZADD b 10 y 20 z 30 w
        SADD set y q
        ZUNIONSTORE d 2 a b
        ZRANGE d 0 -1 WITHSCORES
        ZUNIONSTORE d 2 a b WEIGHTS 2 3 AGGREGATE MIN
        ZRANGE d 0 -1 WITHSCORES
        ZUNIONSTORE d 1 set
        ZRANGE d 0 -1 WITHSCORES
        ZINTERSTORE d 2 a b
        ZRANGE d 0 -1 WITHSCORES
        ZINTERSTORE d 2 a set WEIGHTS 10 1 AGGREGATE MAX
        ZRANGE d 0 -1 WITHSCORES
        ZDIFFSTORE d 2 a b
        ZRANGE d 0 -1 WITHSCORES
        ZDIFFSTORE d 2 a a
        EXISTS d
        ZUNIONSTORE d 1 a
        ZINTERSTORE d 2 a missing
        EXISTS d
        ZUNIONSTORE d 1 missing
        EXISTS d
        ZUNIONSTORE string 1 a
        TYPE string
        SET string x
        ZUNIONSTORE string 1 missing
        EXISTS string
        SET string x EX 100
        ZUNIONSTORE string 1 a
        TTL string
        ZUNIONSTORE a 2 a b
        ZRANGE a 0 -1 WITHSCORES
        ZINTERSTORE a 2 a a
        ZRANGE a 0 -1 WITHSCORES
        ZDIFFSTORE a 2 a b
        ZRANGE a 0 -1 WITHSCORES
    """)


@pytest.mark.parametrize("word", ["ZUNION", "ZINTER", "ZDIFF", "ZUNIONSTORE d", "ZINTERSTORE d", "ZDIFFSTORE d", "ZINTERCARD"])
def test_errors_of_combining(both, word):
    both(f"""
        SET string x
        LPUSH list x
        ZADD a 1 x
        ZADD b 1 x
        {word}
        {word} 1
        {word} 0 a
        {word} -1 a
        {word} x a
        {word} 2 a
        {word} 9223372036854775807 a
        {word} 1 string
        {word} 2 a list
        {word} 1 string FOO
        {word} 2 a string WEIGHTS
        {word} 1 a FOO
        {word} 1 a WEIGHTS
        {word} 2 a b WEIGHTS 1
        {word} 2 a b WEIGHTS 1 x
        {word} 2 a b WEIGHTS x
        {word} 2 a b WEIGHTS nan 1
        {word} 2 a b WEIGHTS 1 2 3
        {word} 2 a b WEIGHTS 1 2
        {word} 2 a b AGGREGATE
        {word} 2 a b AGGREGATE FOO
        {word} 2 a b AGGREGATE MIN
        {word} 2 a b AGGREGATE MIN MAX
        {word} 2 a b WITHSCORES
        {word} 2 a b WITHSCORES FOO
        {word} 2 a b LIMIT
        {word} 2 a b LIMIT 1
        {word} 2 a b LIMIT -1
        {word} 2 a b LIMIT x
        {word} 2 a b LIMIT 1 FOO
        EXISTS d
    """)


@LIMITS
def test_zscan(both, entries):
    both(f"""
        CONFIG SET zset-max-listpack-entries {entries}
        SET string x
        ZADD z 1 a 2.5 b
        ZSCAN z 0
        ZADD z 0.1 c 1e30 abc -3 d inf e 3 20
        @2 % ~ ZSCAN z 0 MATCH b COUNT 1000
        @3 % ~ ZSCAN z 0 MATCH b COUNT 1000
        ~ ZSCAN z 0 MATCH 2* COUNT 1000
        ~ ZSCAN z 0 MATCH nothing COUNT 1000
        ~ ZSCAN z 0 COUNT 1000 MATCH abc
        ZSCAN missing 0
        ZSCAN missing 0 FOO
        ZSCAN missing x
        ZSCAN string 0
        ZSCAN string x
        ZSCAN string 0 COUNT x
        ZSCAN z x
        ZSCAN z " 0"
        ZSCAN z 18446744073709551616
        ZSCAN z 0 FOO
        ZSCAN z 0 COUNT
        ZSCAN z 0 COUNT 0
        ZSCAN z 0 COUNT x
        ZSCAN z 0 MATCH
        ZSCAN z 0 TYPE zset
        ZSCAN z
    """)


def test_zscan_iterates(both):
    for side in both.sides:
        client = side.client(1)
        client("ZADD", "z", *[word for i in range(500) for word in (str(i / 4), f"m{i}")])
        cursor, found = b"0", {}
        while True:
            cursor, items = client("ZSCAN", "z", cursor, "COUNT", "30")
            found.update(zip(items[::2], items[1::2]))
            if cursor == b"0":
                break
        assert {member: float(score) for member, score in found.items()} == {b"m%d" % i: i / 4 for i in range(500)}
        assert found[b"m2"] == b"0.5"


def test_events(both):
    both("""
        CONFIG SET notify-keyspace-events Ezg
        2> PSUBSCRIBE __keyevent*
        2<
        ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g
        2<
        ZADD z 1 a
        ZADD z XX 1 nobody
        2-
        ZADD z INCR 1 a
        2<
        ZINCRBY z 1 a
        2<
        ZREM z a nobody
        2<
        ZREM z nobody
        2-
        ZREMRANGEBYRANK z 0 0
        2<
        ZREMRANGEBYSCORE z 3 3
        2<
        ZREMRANGEBYLEX z [d (e
        2<
        ZRANGESTORE d z 0 0
        2<
        ZRANGESTORE d z 9 9
        2<
        ZRANGESTORE d z 9 9
        2-
        ZPOPMIN z
        2<
        ZPOPMAX z 5
        2<
        2<
        ZADD z 1 a 2 b 3 c
        2<
        ZMPOP 1 z MIN COUNT 2
        2<
        BZPOPMAX z 0
        2<
        2<
        ZADD z 1 a
        2<
        ZUNIONSTORE u 1 z
        2<
        ZINTERSTORE i 1 z
        2<
        ZDIFFSTORE f 1 z
        2<
        ZDIFFSTORE f 2 z z
        2<
        ZREM z a
        2<
        2<
    """)


def test_hits_and_misses(both):
    for request, hits, misses in [
            ("ZSCORE z a", 1, 0), ("ZSCORE missing a", 0, 1), ("ZRANGE z 0 -1", 1, 0), ("ZADD z 2 a", 0, 0),
            ("ZUNION 2 z missing", 1, 1), ("ZUNIONSTORE d 2 z missing", 1, 1), ("ZRANGESTORE d z 0 -1", 1, 0),
            ("ZINTERCARD 2 z missing", 1, 1), ("ZPOPMIN missing", 0, 0), ("ZRANDMEMBER z", 1, 0), ("ZSCAN z 0", 1, 0)]:
        both.reset()
        for side in both.sides:
            client = side.client(1)
            client("ZADD", "z", "1", "a")
            client("CONFIG", "RESETSTAT")
            client(*request.split())
            stats = dict(line.split(b":") for line in client("INFO", "stats").split(b"\r\n") if b":" in line)
            assert (int(stats[b"keyspace_hits"]), int(stats[b"keyspace_misses"])) == (hits, misses), (side.server.name, request)


MEMBERS = st.sampled_from([b"a", b"b", b"c", b"d", b"e", b"f", b"1", b"2", b"10", b"-5", b"", b"\xff", b"x" * 70])
SCORES = st.one_of(st.integers(-3, 3).map(lambda n: b"%d" % n),
                   st.sampled_from([b"0.5", b"-1.25", b"inf", b"-inf", b"1e18", b"-0", b"x", b"nan"]))
NUMBERS = st.one_of(st.integers(-6, 12).map(lambda n: b"%d" % n), st.sampled_from([b"x", b"100"]))
BOUNDS = st.one_of(SCORES, SCORES.map(lambda score: b"(" + score))
ENDS = st.one_of(st.sampled_from([b"-", b"+"]), MEMBERS.map(lambda m: b"[" + m), MEMBERS.map(lambda m: b"(" + m))
KEYS = st.sampled_from([b"z", b"y", b"set", b"missing"])


def words(*parts):
    """Commands of constants, strategies of one word and strategies of several words."""
    drawn = [part if isinstance(part, st.SearchStrategy) else st.just(part) for part in parts]
    return st.tuples(*drawn).map(
        lambda found: [word for part in found for word in (part if isinstance(part, (list, tuple)) else [part])])


def some(*options):
    """Any of these words or lists of words, each or not."""
    return st.lists(st.sampled_from(options), max_size=3, unique_by=str).map(
        lambda chosen: [word for option in chosen for word in (option if isinstance(option, (list, tuple)) else [option])])


def optional(strategy):
    return st.one_of(st.just([]), strategy)


LIMIT = optional(words(b"LIMIT", NUMBERS, NUMBERS))
INPUTS = st.lists(KEYS, min_size=1, max_size=3).flatmap(lambda keys: st.just([b"%d" % len(keys), *keys]))
ADDING = st.one_of(
    words(b"ZADD", KEYS, some(b"NX", b"XX", b"GT", b"LT", b"CH"),
          st.lists(st.tuples(SCORES, MEMBERS), min_size=1, max_size=4).map(lambda pairs: [w for pair in pairs for w in pair])),
    words(b"ZADD", KEYS, some(b"NX", b"XX", b"GT", b"LT"), b"INCR", SCORES, MEMBERS),
    words(b"ZINCRBY", KEYS, SCORES, MEMBERS),
)
COMMANDS = st.one_of(
    ADDING, ADDING, ADDING,
    words(b"ZREM", KEYS, st.lists(MEMBERS, min_size=1, max_size=3)),
    words(b"ZREMRANGEBYRANK", KEYS, NUMBERS, NUMBERS),
    words(b"ZREMRANGEBYSCORE", KEYS, BOUNDS, BOUNDS),
    words(b"ZRANGE", KEYS, NUMBERS, NUMBERS, some(b"REV", b"WITHSCORES")),
    words(b"ZRANGE", KEYS, BOUNDS, BOUNDS, b"BYSCORE", some(b"REV", b"WITHSCORES"), LIMIT),
    words(b"ZREVRANGE", KEYS, NUMBERS, NUMBERS, some(b"WITHSCORES")),
    words(b"ZRANGEBYSCORE", KEYS, BOUNDS, BOUNDS, some(b"WITHSCORES"), LIMIT),
    words(b"ZREVRANGEBYSCORE", KEYS, BOUNDS, BOUNDS, some(b"WITHSCORES"), LIMIT),
    words(b"ZRANGESTORE", KEYS, KEYS, BOUNDS, BOUNDS, b"BYSCORE", some(b"REV"), LIMIT),
    words(b"ZCOUNT", KEYS, BOUNDS, BOUNDS),
    words(st.sampled_from([b"ZRANK", b"ZREVRANK", b"ZSCORE"]), KEYS, MEMBERS),
    words(b"ZMSCORE", KEYS, st.lists(MEMBERS, min_size=1, max_size=3)),
    words(st.sampled_from([b"ZPOPMIN", b"ZPOPMAX"]), KEYS, optional(words(NUMBERS))),
    words(b"ZMPOP", INPUTS, st.sampled_from([b"MIN", b"MAX"]), optional(words(b"COUNT", NUMBERS))),
    words(st.sampled_from([b"ZUNION", b"ZINTER"]), INPUTS, some((b"AGGREGATE", b"MIN"), (b"AGGREGATE", b"MAX"), b"WITHSCORES")),
    words(b"ZDIFF", INPUTS, some(b"WITHSCORES")),
    words(st.sampled_from([b"ZUNIONSTORE", b"ZINTERSTORE"]), KEYS, INPUTS,
          some((b"AGGREGATE", b"MIN"), (b"AGGREGATE", b"MAX"))),
    words(b"ZUNIONSTORE", KEYS, b"2", KEYS, KEYS, b"WEIGHTS", SCORES, SCORES),
    words(b"ZDIFFSTORE", KEYS, INPUTS),
    words(b"ZINTERCARD", INPUTS, optional(words(b"LIMIT", NUMBERS))),
    words(b"ZCARD", KEYS),
    words(b"OBJECT", b"ENCODING", st.sampled_from([b"z", b"y"])),
    words(b"SADD", b"set", MEMBERS),
    words(b"DEL", KEYS),
)


@pytest.mark.parametrize("entries", [b"128", b"4"])
@given(commands=st.lists(COMMANDS, min_size=1, max_size=30))
@settings(max_examples=40)
def test_sequences(both, entries, commands):
    sequence(both, [[b"CONFIG", b"SET", b"zset-max-listpack-entries", entries], [b"SADD", b"set", b"a", b"1"], *commands,
                    *([b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"] for key in (b"z", b"y", b"set"))],
             lambda command: "~")


LEX_COMMANDS = st.one_of(
    words(b"ZADD", b"z", st.lists(MEMBERS, min_size=1, max_size=4).map(lambda ms: [w for m in ms for w in (b"0", m)])),
    words(b"ZREM", b"z", MEMBERS),
    words(b"ZRANGEBYLEX", b"z", ENDS, ENDS, LIMIT),
    words(b"ZREVRANGEBYLEX", b"z", ENDS, ENDS, LIMIT),
    words(b"ZRANGE", b"z", ENDS, ENDS, b"BYLEX", some(b"REV"), LIMIT),
    words(b"ZRANGESTORE", b"d", b"z", ENDS, ENDS, b"BYLEX", some(b"REV"), LIMIT),
    words(b"ZLEXCOUNT", b"z", ENDS, ENDS),
    words(b"ZREMRANGEBYLEX", b"z", ENDS, ENDS),
)


@pytest.mark.parametrize("entries", [b"128", b"4"])
@given(commands=st.lists(LEX_COMMANDS, min_size=1, max_size=30))
@settings(max_examples=30)
def test_sequences_by_member(both, entries, commands):
    sequence(both, [[b"CONFIG", b"SET", b"zset-max-listpack-entries", entries],
                    [b"ZADD", b"z", b"0", b"a", b"0", b"c", b"0", b"10", b"0", b""], *commands, [b"ZRANGE", b"z", b"0", b"-1"]])
