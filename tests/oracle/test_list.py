"""The words of lists against the oracle."""
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle.harness import sequence


def test_push_and_pop(both):
    both('''
        LPUSH l a
        LPUSH l b c ""
        RPUSH l 1 -2 "\\x00\\xff" 9223372036854775807
        LRANGE l 0 -1
        LLEN l
        LPOP l
        RPOP l
        LPOP l 2
        RPOP l 3
        LRANGE l 0 -1
        LPOP l 0
        RPOP l 0
        RPOP l 100
        EXISTS l
        LLEN l
        LPOP l
        RPOP l
        LPOP l 0
        LPOP l 1
        RPOP l 1
        LPUSHX l a
        RPUSHX l a b
        EXISTS l
        RPUSH l x
        LPUSHX l a b
        RPUSHX l y z
        LRANGE l 0 -1
        TYPE l
    ''')


def test_push_and_pop_errors(both):
    both('''
        SET s x
        RPUSH l a b c
        LPOP l abc
        LPOP l -1
        LPOP l 9223372036854775808
        LPOP l 1 2
        RPOP l 1 2
        LPOP s abc
        LPOP missing abc
        LPOP s 1
        LPOP s
        RPOP s 0
        LPUSH s a
        RPUSH s a b
        LPUSHX s a
        RPUSHX s a
        LLEN s
        LPUSH
        LPUSH l
        RPUSH l
        LPUSHX l
        RPUSHX l
        LPOP
        RPOP
        LLEN
        LLEN l l
        LRANGE l 0 -1
    ''')


def test_range_and_index(both):
    both('''
        RPUSH l a b c d e
        LRANGE l 0 0
        LRANGE l 1 3
        LRANGE l -3 -1
        LRANGE l -100 100
        LRANGE l 3 1
        LRANGE l 5 10
        LRANGE l -1 -3
        LRANGE l -9223372036854775808 9223372036854775807
        LRANGE l 0 9223372036854775808
        LRANGE l a b
        LRANGE l 1 b
        LRANGE missing 0 -1
        LRANGE missing 0 x
        LINDEX l 0
        LINDEX l 4
        LINDEX l 5
        LINDEX l -1
        LINDEX l -5
        LINDEX l -6
        LINDEX l x
        LINDEX missing x
        LINDEX missing 0
        SET s x
        LRANGE s 0 -1
        LRANGE s x 1
        LINDEX s 0
        LINDEX s x
        LRANGE l 0
        LINDEX l
    ''')


def test_set_and_insert(both):
    both('''
        RPUSH l a b c b
        LSET l 0 A
        LSET l -1 "long \\r\\n"
        LSET l 4 x
        LSET l -5 x
        LSET l x y
        LSET l 9223372036854775807 x
        LSET l -9223372036854775808 x
        LSET missing x y
        LSET missing 0 y
        LINSERT l BEFORE b x
        LINSERT l after b y
        LINSERT l AFTER "long \\r\\n" z
        LINSERT l BEFORE nowhere z
        LINSERT missing BEFORE a b
        LINSERT missing OVER a b
        LINSERT l OVER a b
        LRANGE l 0 -1
        SET s x
        LSET s x y
        LSET s 0 y
        LINSERT s OVER a b
        LINSERT s BEFORE a b
        LINSERT l BEFORE a
        LSET l 0
    ''')


def test_remove_and_trim(both):
    both('''
        RPUSH l a b a c a d a
        LREM l 1 a
        LREM l -1 a
        LRANGE l 0 -1
        LREM l 0 nowhere
        LREM l 0 a
        LRANGE l 0 -1
        LREM l x b
        LREM l -9223372036854775808 b
        LREM l 9223372036854775807 c
        LREM l 5 d
        EXISTS l
        LREM l 0 a
        LREM l x a
        SET s x
        LREM s 0 a
        LREM s x a
        RPUSH l 1 2 3 4 5 6
        LTRIM l 1 -2
        LRANGE l 0 -1
        LTRIM l -100 100
        LTRIM l -2 -1
        LRANGE l 0 -1
        LTRIM l 5 1
        EXISTS l
        LTRIM l 0 1
        LTRIM l x 1
        LTRIM l 0 y
        LTRIM s 0 1
        LTRIM s x 1
        RPUSH l 1 2 3
        LTRIM l 9223372036854775807 -9223372036854775808
        EXISTS l
        LTRIM l 0
        LREM l 0
    ''')


def test_positions(both):
    both('''
        RPUSH l a b c 1 2 3 c c
        LPOS l c
        LPOS l c RANK 2
        LPOS l c RANK -1
        LPOS l c RANK -3
        LPOS l c RANK 4
        LPOS l nowhere
        LPOS l nowhere COUNT 0
        LPOS l c COUNT 2
        LPOS l c COUNT 0
        LPOS l c RANK -1 COUNT 2
        LPOS l c COUNT 0 MAXLEN 3
        LPOS l c COUNT 0 MAXLEN 2
        LPOS l c MAXLEN 2
        LPOS l c RANK -1 MAXLEN 1
        LPOS l 1 count 0 maxlen 0 rank 1
        LPOS l 2 RANK -1 COUNT 1 MAXLEN 100
        LPOS l c RANK 9223372036854775807
        LPOS l c RANK 1 RANK 2 COUNT 1 COUNT 0
        LPOS missing c
        LPOS missing c COUNT 1
        LPOS l c RANK 0
        LPOS l c RANK x
        LPOS l c COUNT -1
        LPOS l c COUNT x
        LPOS l c MAXLEN -1
        LPOS l c MAXLEN 1.5
        LPOS l c RANK
        LPOS l c RANK 0 FOO
        LPOS l c FOO RANK 0
        LPOS l c FOO
        SET s x
        LPOS s x
        LPOS s x RANK 0
        LPOS s x FOO
        LPOS l
        = LPOS l c RANK -9223372036854775808 -> -ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807
    ''')


def test_move(both):
    both('''
        RPUSH a 1 2 3 4
        LMOVE a b LEFT RIGHT
        LMOVE a b left left
        LMOVE a b RIGHT right
        LMOVE a b Right Left
        EXISTS a
        LRANGE b 0 -1
        RPOPLPUSH b b
        LRANGE b 0 -1
        LMOVE b b LEFT LEFT
        LMOVE b b LEFT RIGHT
        LRANGE b 0 -1
        RPOPLPUSH b c
        LRANGE c 0 -1
        LMOVE c c LEFT RIGHT
        RPOPLPUSH c c
        LRANGE c 0 -1
        RPOPLPUSH missing c
        LMOVE missing c LEFT RIGHT
        SET s x
        LMOVE missing s LEFT RIGHT
        LMOVE b s LEFT RIGHT
        LMOVE s b LEFT RIGHT
        RPOPLPUSH b s
        RPOPLPUSH s b
        RPOPLPUSH missing s
        LMOVE b c LEFT UP
        LMOVE b c UP LEFT
        LMOVE s c UP LEFT
        LMOVE b c LEFT
        RPOPLPUSH b
        LRANGE b 0 -1
    ''')


def test_pop_from_several(both):
    both('''
        RPUSH a 1 2 3 4
        RPUSH b x y
        LMPOP 2 missing a LEFT
        LMPOP 1 a right COUNT 2
        LMPOP 2 a b LEFT COUNT 10
        LMPOP 2 a b RIGHT COUNT 1
        EXISTS a
        LMPOP 1 missing LEFT
        LMPOP 2 missing other LEFT COUNT 3
        SET s x
        RPUSH a 1
        LMPOP 2 s a LEFT
        LMPOP 2 missing s LEFT
        LMPOP 0 a LEFT
        LMPOP -1 a LEFT
        LMPOP x a LEFT
        LMPOP 2 a LEFT
        LMPOP 3 a LEFT COUNT 1
        LMPOP 9223372036854775807 a LEFT
        LMPOP 1 a UP
        LMPOP 1 a LEFT COUNT
        LMPOP 1 a LEFT COUNT 0
        LMPOP 1 a LEFT COUNT x
        LMPOP 1 a LEFT COUNT 1 COUNT 2
        LMPOP 1 a LEFT COUNT 0 COUNT 2
        LMPOP 1 a LEFT FOO 1
        LMPOP 1 a LEFT 1
        LMPOP 1 a
        LMPOP 1
        LRANGE a 0 -1
    ''')


def test_blocking_words_with_something_to_pop(both):
    both('''
        RPUSH a 1 2 3 4 5 6 7 8
        BLPOP a 0
        BLPOP missing a 0
        BRPOP a missing 1.5
        BLMOVE a b LEFT RIGHT 0
        BRPOPLPUSH a b 0
        BLMPOP 0 2 missing a LEFT COUNT 2
        BLMPOP 0.1 1 a RIGHT
        EXISTS a
        LRANGE b 0 -1
        BLMOVE b b LEFT RIGHT 0
        LRANGE b 0 -1
    ''')


def test_blocking_errors(both):
    both('''
        SET s x
        RPUSH l a
        BLPOP l x
        BLPOP s x
        BLPOP missing -1
        BLPOP missing " 1"
        BLPOP missing nan
        BLPOP missing 0.01
        BLPOP missing s 0
        BLPOP missing 0x1p-7
        BRPOP missing -0.5
        BRPOP s 0.01
        BLMOVE missing l LEFT RIGHT x
        BLMOVE missing l UP RIGHT x
        BLMOVE missing l LEFT UP 0
        BLMOVE missing s LEFT RIGHT 0.01
        BLMOVE s l LEFT RIGHT 0.01
        BLMOVE l s LEFT RIGHT 0.01
        BRPOPLPUSH missing l x
        BRPOPLPUSH missing s 0.01
        BRPOPLPUSH l s 0.01
        BRPOPLPUSH s l 0.01
        BLMPOP x 0 l LEFT
        BLMPOP x 1 l UP
        BLMPOP x 1 l LEFT
        BLMPOP -1 1 l LEFT COUNT 0
        BLMPOP -1 1 l LEFT
        BLMPOP 0 2 l LEFT
        BLMPOP 0.01 1 missing LEFT
        BLMPOP 0.01 2 missing s LEFT
        BLPOP l
        BRPOP 0
        BLMOVE a b LEFT RIGHT
        BRPOPLPUSH a b
        BLMPOP 0 1 a
        = BLPOP l inf -> -ERR timeout is out of range
        = BLPOP l 1e30 -> -ERR timeout is out of range
        = BLPOP l 9223372036854776 -> -ERR timeout is out of range
        BLPOP l -inf
        LRANGE l 0 -1
    ''')


def test_served_in_order_of_arrival(both):
    both('''
        2> BLPOP l 0
        3> BRPOP l 0
        4> BLPOP l 0
        RPUSH l a b
        2<
        3<
        4-
        LLEN l
        LPUSH l c
        4<
        EXISTS l
    ''')


def test_the_first_key_that_is_ready(both):
    both('''
        2> BLPOP a b c 0
        RPUSH b 1 2
        2<
        LRANGE b 0 -1
        2> BLPOP x y 0
        MULTI
        RPUSH y 1
        RPUSH x 2
        EXEC
        ? 2<
        DEL x y
        2> BLPOP p q 0
        MULTI
        RPUSH p 1
        DEL p
        RPUSH q 2
        EXEC
        2<
    ''')


def test_waiting_through_changes_of_type(both):
    both('''
        2> BLPOP k 0
        SET k x
        2-
        DEL k
        SADD k x
        2-
        DEL k
        MULTI
        RPUSH k a
        DEL k
        EXEC
        2-
        RPUSH k b
        2<
        EXISTS k
    ''')


def test_waiting_moves(both):
    both('''
        2> BLMOVE a b LEFT RIGHT 0
        3> BRPOPLPUSH b c 0
        RPUSH a 1
        2<
        3<
        LRANGE c 0 -1
        EXISTS a b
        2> BLMOVE a b LEFT LEFT 0
        SET b x
        RPUSH a 1
        2<
        LRANGE a 0 -1
        DEL a b
        2> BRPOPLPUSH a a 0
        RPUSH a 1
        2<
        LRANGE a 0 -1
        2> BLMPOP 0 2 m n RIGHT COUNT 2
        RPUSH n 1 2 3
        2<
        LRANGE n 0 -1
    ''')


def test_timeouts(both):
    both('''
        BLPOP a b 0.02
        BRPOP a 0.02
        BLMOVE a b LEFT RIGHT 0.02
        BRPOPLPUSH a b 0.02
        BLMPOP 0.02 1 a LEFT
        2> BLPOP a 0.05
        3> BLPOP a 0
        2<
        RPUSH a x
        3<
    ''')


def test_in_a_transaction_nobody_waits(both):
    both('''
        MULTI
        BLPOP missing 0
        BRPOP missing 0
        BLMOVE missing b LEFT RIGHT 0
        BRPOPLPUSH missing b 0
        BLMPOP 0 1 missing LEFT
        BLPOP missing x
        RPUSH l 1 2 3
        BLPOP l 0
        BLMOVE l b LEFT RIGHT 0
        EXEC
        LRANGE b 0 -1
    ''')


def test_what_follows_in_the_pipeline_waits_too(both):
    both('''
        ! 2> "BLPOP l 0\\r\\nPING\\r\\n"
        2-
        RPUSH l a
        2<
        2<
    ''')


def test_a_waiting_client_that_leaves(both):
    both('''
        $id: 2: CLIENT ID
        2> BLPOP l 0
        3> BLPOP l 0
        CLIENT KILL ID $id
        2<
        RPUSH l a
        3<
        ? CLIENT KILL TYPE normal SKIPME yes
        RPUSH l a
        LRANGE l 0 -1
    ''')


def test_encoding(both):
    """The oracle's lists are always quicklists: this is 7.2."""
    both('''
        RPUSH l a b
        = OBJECT ENCODING l -> "listpack"
        CONFIG SET list-max-listpack-size 3
        RPUSH l c
        = OBJECT ENCODING l -> "listpack"
        LPUSH l d
        = OBJECT ENCODING l -> "quicklist"
        LPOP l 2
        = OBJECT ENCODING l -> "quicklist"
        LPOP l
        = OBJECT ENCODING l -> "listpack"
        LRANGE l 0 -1
    ''')


def test_events(both):
    both('''
        CONFIG SET notify-keyspace-events KEA
        2: PSUBSCRIBE __keyevent@0__:*
        RPUSH a 1 2 3
        2<
        LPUSHX a 4
        2<
        LMOVE a b LEFT RIGHT
        2<
        2<
        RPOPLPUSH b b
        2<
        2<
        RPOPLPUSH b a
        2<
        2<
        2<
        LSET a 0 x
        2<
        LINSERT a BEFORE x y
        2<
        LINSERT a BEFORE nowhere y
        LREM a 0 x
        2<
        LTRIM a 0 100
        2<
        LTRIM a 0 1
        2<
        LPOP a 1
        2<
        LMPOP 1 a RIGHT COUNT 5
        2<
        2<
        3> BLPOP l 0
        RPUSH l 1
        2<
        2<
        2<
        3<
        2-
    ''')


KEYS = st.sampled_from([b"a", b"b"])
ELEMENTS = st.one_of(st.sampled_from([b"x", b"y", b"1", b"-7"]), st.binary(max_size=6),
                     st.sampled_from([3000, 9000]).map(lambda n: b"z" * n))
INDEXES = st.integers(-6, 6).map(lambda n: b"%d" % n)
SIDES = st.sampled_from([b"LEFT", b"RIGHT"])


def word(name, *arguments):
    return st.tuples(st.just(name), *arguments).map(list)


COMMANDS = st.one_of(
    st.builds(lambda name, key, elements: [name, key, *elements], st.sampled_from([b"RPUSH", b"LPUSH", b"LPUSHX", b"RPUSHX"]),
              KEYS, st.lists(ELEMENTS, min_size=1, max_size=5)),
    word(b"LPOP", KEYS), word(b"RPOP", KEYS, st.integers(0, 5)), word(b"LLEN", KEYS), word(b"LRANGE", KEYS, INDEXES, INDEXES),
    word(b"LINDEX", KEYS, INDEXES), word(b"LSET", KEYS, INDEXES, ELEMENTS),
    word(b"LINSERT", KEYS, st.sampled_from([b"BEFORE", b"AFTER"]), ELEMENTS, ELEMENTS),
    word(b"LREM", KEYS, st.integers(-2, 2), ELEMENTS), word(b"LTRIM", KEYS, st.integers(-9, 2), st.integers(-2, 9)),
    word(b"LPOS", KEYS, ELEMENTS, st.just(b"COUNT"), st.integers(0, 2), st.just(b"RANK"), st.sampled_from([1, 2, -1, -2])),
    word(b"LMOVE", KEYS, KEYS, SIDES, SIDES), word(b"RPOPLPUSH", KEYS, KEYS),
    word(b"LMPOP", st.just(2), KEYS, KEYS, SIDES, st.just(b"COUNT"), st.integers(1, 3)),
    word(b"BLPOP", KEYS, KEYS, st.just(b"0.001")), word(b"SET", KEYS, st.just(b"text")), word(b"DEL", KEYS),
)


@given(st.lists(COMMANDS, max_size=40))
def test_sequences(both, commands):
    sequence(both, [*commands, [b"LRANGE", b"a", 0, -1], [b"LRANGE", b"b", 0, -1]])


WAITS = st.sampled_from(["BLPOP a 0", "BRPOP b 0", "BLPOP b 0", "BLMOVE a b LEFT RIGHT 0", "BLMOVE b a RIGHT RIGHT 0",
                         "BRPOPLPUSH a a 0", "BLMPOP 0 1 a LEFT COUNT 2", "BLMPOP 0 1 b RIGHT"])
STEPS = st.sampled_from(["RPUSH a 1", "RPUSH b 2 3", "LPUSH a 4 5 6", "LMOVE a b LEFT LEFT", "RPOP a", "LPOP b 2", "DEL a b",
                         "RPOPLPUSH b a", "LTRIM a 1 0"])


@settings(max_examples=12)
@given(st.lists(WAITS, min_size=1, max_size=4), st.lists(STEPS, max_size=8), st.randoms(use_true_random=False))
def test_several_wait(both, waits, steps, random):
    """Clients that wait for one key each, between pushes and pops; in the end all are served."""
    lines = [f"{number}> {wait}" for number, wait in enumerate(waits, 2)]
    for step in steps:
        lines.insert(random.randint(0, len(lines)), step)
    lines += ["RPUSH a 10 11 12 13 14 15 16 17 18 19", "RPUSH b 20 21 22 23 24 25 26 27 28 29"]
    lines += [f"{number}<" for number in range(2, len(waits) + 2)] + ["LRANGE a 0 -1", "LRANGE b 0 -1"]
    both.reset()
    both("\n".join(lines))


def test_large_elements(both):
    """Elements with nodes of their own, among others."""
    both('''
        DEBUG QUICKLIST-PACKED-THRESHOLD 10
        CONFIG SET list-max-listpack-size 4
        RPUSH l a 012345678901 b c 1234567890 abcdefghijklm d e
        LPUSH l 999999999999 z
        LRANGE l 0 -1
        LINDEX l 3
        LINDEX l -3
        LPOS l 1234567890
        LPOS l abcdefghijklm RANK -1
        LINSERT l BEFORE 1234567890 x
        LINSERT l AFTER 1234567890 0123456789abcdef
        LINSERT l AFTER b 0123456789abcdef
        LSET l 0 "a long one indeed"
        LSET l 3 short
        LSET l 5 "a long one indeed"
        LRANGE l 0 -1
        LREM l 0 0123456789abcdef
        LREM l -1 "a long one indeed"
        LRANGE l 0 -1
        LMOVE l l LEFT RIGHT
        LTRIM l 1 -2
        LRANGE l 0 -1
        COPY l m
        LPOP l 3
        RPOP l 100
        EXISTS l
        LRANGE m 0 -1
        DEBUG QUICKLIST-PACKED-THRESHOLD 0
    ''')
