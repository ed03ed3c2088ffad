"""Streams against the oracle: XADD to XSETID, XREAD, XINFO STREAM."""
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carnelian.types import limits
from carnelian.types.stream import Stream
from tests.oracle.harness import Side, sequence
from tests.oracle.servers import oracle


def test_xadd(both):
    both('''
        XADD s 1-1 a 1
        XADD s 1-2 a 1 b 2
        XADD s 2 a "" "" x
        XADD s 2-* a 1
        XADD s 3-* a 1
        XADD s 2-7 a 1
        XADD s 3-0 a 1
        XADD s 3-* a 1
        XADD s 007-0008 a 1
        XADD s " 8-1" a 1
        XADD s +9-1 a 1
        XADD s -10-1 a 1
        XADD s 10--1 a 1
        XADD s 10--01 a 1
        XADD s 12- a 1
        XADD s 12-1-1 a 1
        XADD s 12-x a 1
        XADD s x a 1
        XADD s "" a 1
        XADD s - a 1
        XADD s + a 1
        XADD s $ a 1
        XADD s **  a 1
        XADD s *-1 a 1
        XADD s 13-** a 1
        XADD s 12-1\\0x a 1
        XADD s "13-1\\x00x" a 1
        XADD s 18446744073709551616-1 a 1
        XADD s 12-18446744073709551616 a 1
        XADD s 0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000014-1 a 1
        XADD s 000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000014-1 a 1
        XRANGE s - +
        TYPE s
        OBJECT ENCODING s
    ''')


def test_xadd_arity_and_keys(both):
    both('''
        SET string x
        XADD
        XADD s
        XADD s *
        XADD s * a
        XADD s * a 1 b
        XADD s NOMKSTREAM * a
        XADD string * a
        XADD string * a 1
        XADD string NOMKSTREAM * a 1
        XADD string x a 1
        XADD s 0-0 a 1
        XADD s 0 a 1
        XADD string 0-0 a 1
        EXISTS s
        XADD s NOMKSTREAM * a 1
        XADD s nomkstream 5-1 a 1
        EXISTS s
        XADD s 0-* a 1
        XADD s nomkstream 5-1 a 1
        XADD s NoMkStream NOMKSTREAM 6-1 a 1
        XADD s MAXLEN
        XADD s MAXLEN 3
        XADD s MAXLEN 3 *
        XADD s MAXLEN 3 * a
        XADD s MAXLEN 3 7-0 a 1
        XLEN s
        XLEN string
        XLEN missing
        XLEN
    ''')


def test_xadd_last_ids(both):
    both('''
        XADD a 18446744073709551615-18446744073709551614 f v
        XADD a 18446744073709551615-* f v
        XADD a 18446744073709551615-* f v
        XADD a * f v
        XADD a 18446744073709551615-18446744073709551615 f v
        XADD a 5-* f v
        XADD a NOMKSTREAM x f v
        XADD b 5-18446744073709551615 f v
        = XADD b 5-* f v -> -ERR The ID specified in XADD is equal or smaller than the target stream top item
        XADD b 6-* f v
        XADD c 99999999999999-18446744073709551615 f v
        XADD c * f v
        XRANGE a - +
        XRANGE a (18446744073709551615-18446744073709551615 +
        XRANGE a - (0-0
        XRANGE b (5-18446744073709551615 +
        XREVRANGE b (6-0 (5
        XREAD STREAMS a 18446744073709551615-18446744073709551615
        XREAD STREAMS a 18446744073709551615-18446744073709551614
    ''')


def test_xadd_trims(both):
    both('''
        XADD s MAXLEN 2 1-1 a 1
        XADD s MAXLEN = 2 1-2 a 1
        XADD s MAXLEN 2 1-3 a 1
        XADD s maxlen 0 1-4 a 1
        XLEN s
        EXISTS s
        XADD s MINID 2 1-5 a 1
        XADD s MINID = 2 2-5 a 1
        XADD s MINID ~ 3 2-6 a 1
        XADD s MINID 2-6 2-7 a 1
        XRANGE s - +
        XADD s MAXLEN ~ 1 LIMIT 0 3-1 a 1
        XADD s MAXLEN ~ 1 LIMIT 5 3-2 a 1
        XADD s LIMIT 5 MAXLEN ~ 1 3-3 a 1
        XADD s LIMIT 0 3-4 a 1
        XADD s LIMIT 1 3-5 a 1
        XADD s MAXLEN 1 LIMIT 5 3-6 a 1
        XADD s MAXLEN = 1 LIMIT 0 3-6 a 1
        XADD s MINID = 1 LIMIT 1 3-6 a 1
        XADD s MAXLEN ~ 1 LIMIT -1 3-6 a 1
        XADD s MAXLEN ~ 1 LIMIT x 3-6 a 1
        XADD s MAXLEN -1 3-6 a 1
        XADD s MAXLEN x 3-6 a 1
        XADD s MAXLEN ~ -1 3-6 a 1
        XADD s MAXLEN ~ 3-6 a 1
        XADD s MAXLEN = 3-6 a 1
        XADD s MINID x 3-6 a 1
        XADD s MINID - 3-6 a 1
        XADD s MAXLEN 1 MINID 1 3-6 a 1
        XADD s MAXLEN 1 MAXLEN 1 3-6 a 1
        XADD s MINID 1 MAXLEN 1 3-6 a 1
        XADD s MAXLEN 9223372036854775807 3-7 a 1
        XADD s MAXLEN 9223372036854775808 3-8 a 1
        XADD s FOO 3-8 a 1
        XRANGE s - +
        XINFO STREAM s
    ''')


def test_ranges(both):
    both('''
        SET string x
        XADD s 1-1 a 1
        XADD s 1-2 a 2
        XADD s 2-0 b 3 c 4
        XADD s 3-5 a 5
        XRANGE s - +
        XRANGE s + -
        XRANGE s 1 1
        XRANGE s 1-2 2
        XRANGE s (1-1 (3-5
        XRANGE s (1 (3
        XRANGE s (2 +
        XRANGE s - + COUNT 2
        XRANGE s - + COUNT 0
        XRANGE s - + COUNT -3
        XRANGE s - + COUNT 2 COUNT 1
        XRANGE s - + COUNT x
        XRANGE s - + COUNT
        XRANGE s - + FOO 1
        XRANGE s - + COUNT 1 COUNT
        XRANGE s (- +
        XRANGE s - (+
        XRANGE s ( +
        XRANGE s x +
        XRANGE s - 1-x
        XRANGE s $ +
        XRANGE s * +
        XRANGE s 1-* +
        XRANGE s (0-0 +
        XRANGE s - (0-0
        XRANGE s (18446744073709551615-18446744073709551615 +
        XRANGE s (18446744073709551615 +
        XRANGE s - 1-18446744073709551615
        XRANGE s - 1-18446744073709551616
        XREVRANGE s + -
        XREVRANGE s - +
        XREVRANGE s + - COUNT 1
        XREVRANGE s 2 1
        XREVRANGE s (3-5 (1-1
        XREVRANGE s (18446744073709551615-18446744073709551615 (0-0
        XREVRANGE s + (18446744073709551615-18446744073709551615
        XREVRANGE s (0-0 -
        XREVRANGE s x y
        XREVRANGE missing + -
        XRANGE missing - +
        XRANGE missing - + COUNT 0
        XRANGE string - +
        XRANGE string x +
        XREVRANGE string + - COUNT 0
        XRANGE s -
        XREVRANGE s
    ''')


def test_xdel_and_xtrim(both):
    both('''
        SET string x
        XDEL missing 1-1
        XDEL missing x
        XDEL string 1-1
        XDEL string x
        XDEL s
        XADD s 1-1 a 1
        XADD s 1-2 a 1
        XADD s 1-3 a 1
        XADD s 2-1 a 1
        XDEL s 1-2 x
        XLEN s
        XDEL s 1-2 1-2 7-7
        XDEL s 1 2
        XDEL s 1-1 2-1
        XDEL s - +
        XRANGE s - +
        XINFO STREAM s
        XDEL s 1-3
        XINFO STREAM s
        EXISTS s
        XADD s 1-9 a 1
        XADD s 2-2 a 1
        XADD s 2-3 a 1
        XTRIM s MAXLEN 1
        XTRIM s MAXLEN = 1
        XTRIM s MAXLEN ~ 0
        XTRIM s MAXLEN ~ 0 LIMIT 0
        XTRIM s MINID 99
        XINFO STREAM s
        XTRIM missing MAXLEN 1
        XTRIM string MAXLEN 1
        XTRIM string FOO 1
        XTRIM s
        XTRIM s MAXLEN
        XTRIM s FOO 1
        XTRIM s MAXLEN 1 FOO
        XTRIM s MAXLEN 1 2
        XTRIM s MAXLEN x
        XTRIM s MAXLEN -1
        XTRIM s LIMIT 1
        XTRIM s LIMIT 0
        XTRIM s LIMIT 1 LIMIT 2
        XTRIM s MAXLEN 1 LIMIT 1
        XTRIM s MAXLEN ~ 1 LIMIT -1
        XTRIM s MAXLEN ~ 1 MINID 1
        XTRIM s NOMKSTREAM MAXLEN 1
        XTRIM s MINID x
        XTRIM s MINID = 1-x
        XTRIM s MINID ~
        XTRIM missing MINID x
        XTRIM s * MAXLEN 1
    ''')


def test_trimming_by_blocks(both):
    both('''
        CONFIG SET stream-node-max-entries 3
        XADD s 1-1 a 1
        XADD s 1-2 a 1
        XADD s 1-3 a 1
        XADD s 1-4 a 1
        XADD s 1-5 a 1
        XADD s 1-6 a 1
        XADD s 1-7 a 1
        XTRIM s MAXLEN ~ 5
        XTRIM s MAXLEN ~ 4
        XTRIM s MAXLEN ~ 1 LIMIT 2
        XTRIM s MAXLEN ~ 1 LIMIT 3
        XADD s MAXLEN ~ 0 LIMIT 1 2-1 a 1
        XADD s 2-2 a 1
        XADD s 2-3 a 1
        XADD s MINID ~ 2-2 2-4 a 1
        XADD s MINID ~ 2-3 LIMIT 1 2-5 a 1
        XADD s MINID ~ 2-3 LIMIT 3 2-6 a 1
        XRANGE s - +
        XTRIM s MINID 2-5
        XTRIM s MAXLEN ~ 0
        XLEN s
        XINFO STREAM s
    ''')


def test_xsetid(both):
    both('''
        SET string x
        XSETID missing 1-1
        XSETID missing x
        XSETID string 1-1
        XADD s 5-5 a 1
        XADD s 6-6 a 1
        XADD s 7-7 a 1
        XSETID s 6-6
        XSETID s 7-7
        XSETID s 8
        XSETID s 200-200
        XSETID s -
        XSETID s +
        XSETID s x
        XSETID s 300-0 ENTRIESADDED 10
        XINFO STREAM s
        XSETID s 300-0 ENTRIESADDED 2
        XSETID s 300-0 ENTRIESADDED -1
        XSETID s 300-0 ENTRIESADDED x
        XSETID s 300-0 ENTRIESADDED
        XSETID s 300-0 ENTRIESADDED 20 MAXDELETEDID 100
        XINFO STREAM s
        XSETID s 300-0 MAXDELETEDID 301-0
        XSETID s 300-0 MAXDELETEDID x
        XSETID s 300-0 MAXDELETEDID
        XSETID s 300-0 MAXDELETEDID 50 ENTRIESADDED 30
        XSETID s 300-0 maxdeletedid 0-0 entriesadded 31
        XSETID s 300-0 FOO 1
        XSETID s 300-0 FOO
        XINFO STREAM s
        XDEL s 7-7
        = XSETID s 6-6 -> -ERR The ID specified in XSETID is smaller than current max_deleted_entry_id
        = XSETID s 49-0 -> -ERR The ID specified in XSETID is smaller than current max_deleted_entry_id
        XSETID s 50-0
        XDEL s 5-5 6-6
        = XSETID s 49-0 -> -ERR The ID specified in XSETID is smaller than current max_deleted_entry_id
        XSETID s 51-0 ENTRIESADDED 0
        XADD s * a 1
        XSETID s 1-1 FOO
        XSETID s
        XSETID
    ''')


def test_xsetid_below_deleted_entries(both):
    """The last ID may be set back behind entries that are deleted but still lie in their block."""
    both('''
        XADD s 1-1 a 1
        XADD s 2-1 a 1
        XADD s 9-1 a 1
        XDEL s 9-1
        XSETID s 9-1 MAXDELETEDID 1-1
        XSETID s 2-1
        XADD s 3-1 b 1
        XADD s 4-1 b 1
        XRANGE s - +
        XREVRANGE s + -
        XRANGE s 3 +
        XDEL s 3-1
        XRANGE s - +
        XTRIM s MINID 4
        XRANGE s - +
        XTRIM s MAXLEN 0
        XLEN s
    ''')


def test_xread(both):
    both('''
        SET string x
        XADD a 1-1 f 1
        XADD a 1-2 f 2 g 3
        XADD b 5-0 f 4
        XREAD STREAMS a 0
        XREAD STREAMS a b 0 0
        XREAD COUNT 1 STREAMS a b 1-1 0-0
        XREAD count 1 count 2 streams a 0
        XREAD COUNT 0 STREAMS a 0
        XREAD COUNT -1 STREAMS a 0
        XREAD STREAMS a a 0 1-1
        XREAD STREAMS a missing b $ 0 4
        XREAD STREAMS a $
        XREAD STREAMS missing $
        XREAD STREAMS a 9-9
        XREAD BLOCK 1 STREAMS a 9-9
        XREAD BLOCK 0 STREAMS a 0
        = XREAD STREAMS a b 0 -> -ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified.
        XREAD STREAMS a
        XREAD STREAMS
        XREAD COUNT 1 STREAMS
        XREAD COUNT STREAMS a 0
        XREAD COUNT x STREAMS a 0
        XREAD BLOCK x STREAMS a 0
        XREAD BLOCK -1 STREAMS a 0
        XREAD BLOCK 1.5 STREAMS a 0
        XREAD BLOCK 9223372036854775807 STREAMS a 0
        XREAD BLOCK 9223372036854775808 STREAMS a 0
        XREAD FOO STREAMS a 0
        XREAD NOACK STREAMS a 0
        XREAD GROUP g c STREAMS a 0
        XREAD GROUP g STREAMS a 0
        XREAD STREAMS a >
        XREAD STREAMS a x
        XREAD STREAMS a -
        XREAD STREAMS a (1
        XREAD STREAMS string 0
        XREAD STREAMS a string 0 0
        XREAD STREAMS string a x 0
        XREAD STREAMS a string x 0
        XREAD STREAMS missing x
        XREAD a b c
        XREAD BLOCK 1 COUNT 1
        XDEL a 1-2
        XREAD STREAMS a 1-1
        XREAD STREAMS a 0
    ''')


def test_xread_blocks(both):
    both('''
        XADD a 1-1 f 1
        1> XREAD BLOCK 0 STREAMS a $
        2> XREAD COUNT 1 BLOCK 0 STREAMS missing a $ 1-1
        3> XREAD BLOCK 0 STREAMS missing 0
        4: XADD a 1-2 f 2
        1<
        2<
        3-
        1> XREAD BLOCK 0 STREAMS a $
        4: XADD missing 1-2 f v
        3<
        4: MULTI
        4: XADD a 1-3 f v
        4: XADD a 1-4 f v
        4: XREAD BLOCK 0 STREAMS a $
        4: EXEC
        1<
        1> XREAD BLOCK 0 STREAMS a $
        4: DEL a
        1-
        4: SET a x
        1-
        4: DEL a
        4: LPUSH a x
        1-
        4: DEL a
        4: XADD a 1-4 f v
        1-
        4: XADD a 1-5 f v
        1<
        1> XREAD BLOCK 0 STREAMS renamed 0
        4: RENAME a renamed
        1<
        XREAD BLOCK 20 STREAMS nothing 0
        PING
    ''')


def test_an_entry_cut_off_at_once_wakes_nobody(both):
    """As in 7.2; 7.0 answers an empty list."""
    both("1> XREAD BLOCK 0 STREAMS s 0")
    for side in both.sides:
        assert side.client(2)("XADD", "s", "MAXLEN", "0", "1-1", "f", "v") == b"1-1"
        assert side.client(2)("XADD", "s", "1-2", "f", "v") == b"1-2"
        (key, entries), = side.client(1).read()
        assert entries == [[b"1-2", [b"f", b"v"]]] or side is not both.carnelian


def test_transactions_and_events(both):
    both('''
        CONFIG SET notify-keyspace-events KEA
        2: SUBSCRIBE nothing
        2> PSUBSCRIBE __key*
        2<
        XADD s 1-1 a 1
        2<
        2<
        XADD s MAXLEN 1 1-2 a 1
        2<
        2<
        2<
        2<
        XTRIM s MAXLEN 0
        2<
        2<
        XDEL s 1-2
        XADD s 1-3 a 1
        2<
        2<
        XDEL s 1-3
        2<
        2<
        XSETID s 5-0
        2<
        2<
        2-
    ''')


@pytest.mark.parametrize("change, touches", [
    ("XADD s 9-9 a 1", True), ("XDEL s 1-1", True), ("XDEL s 7-7", False), ("XTRIM s MAXLEN 1", True),
    ("XTRIM s MAXLEN 10", False), ("XSETID s 9-9", False), ("XGROUP CREATE s h 0", False),
    ("XGROUP CREATE new h 0 MKSTREAM", True), ("XGROUP SETID s g 0", False), ("XGROUP DESTROY s g", False),
    ("XGROUP CREATECONSUMER s g d", False), ("XGROUP DELCONSUMER s g c", False), ("XACK s g 1-1", False),
    ("XREADGROUP GROUP g c STREAMS s >", False), ("XCLAIM s g c 0 1-1", False), ("XAUTOCLAIM s g c 0 0", False)])
def test_what_watch_sees(both, change, touches):
    replies = both(f'''
        XADD s 1-1 a 1
        XADD s 1-2 a 1
        XGROUP CREATE s g 0
        XREADGROUP GROUP g c COUNT 1 STREAMS s >
        WATCH s new
        2: {change}
        MULTI
        PING
        EXEC
    ''')
    assert isinstance(replies[-1], list) != touches


def test_xinfo_stream(both):
    both('''
        SET string x
        XINFO STREAM missing
        XINFO STREAM string
        XINFO STREAM
        XINFO
        XINFO FOO s
        XINFO HELP
        XINFO HELP x
        XADD s 1-1 a 1
        XADD s 1-2 a 1 b 2
        XADD s 2-1 c 3
        XINFO STREAM s
        XINFO STREAM s FULL
        XINFO STREAM s full count 1
        XINFO STREAM s FULL COUNT 0
        XINFO STREAM s FULL COUNT -5
        XINFO STREAM s FULL COUNT x
        XINFO STREAM s FULL COUNT
        XINFO STREAM s FULL FOO 1
        XINFO STREAM s FOO
        XINFO STREAM s FULL COUNT 1 2
        XINFO STREAM missing FOO
        XINFO GROUPS s
        XINFO GROUPS missing
        XINFO GROUPS string
        XINFO GROUPS
        XINFO GROUPS s g
        XDEL s 1-1 1-2 2-1
        XINFO STREAM s
        XINFO STREAM s FULL
    ''')


def test_large_entries(both):
    both(f'''
        XADD s 1-1 a {"x" * 5000}
        XADD s 1-2 a {"x" * 63} b {"y" * 64} c {"z" * 4095} d {"z" * 4096}
        XADD s 1-3 {" ".join(f"f{k} {k * 1000003 * (-1) ** k}" for k in range(300))}
        XADD s 1-4 {" ".join(f"f{k} v" for k in range(300))}
        XADD s 1-5 {" ".join(f"f{k} w" for k in range(300))}
        XADD s 1-6 007 -0 +1 1.0 "" "" 9223372036854775807 -9223372036854775808 9223372036854775808 " 1"
        XRANGE s - +
        XREVRANGE s + - COUNT 2
    ''')


# ---- sequences

keys = st.sampled_from([b"s", b"s", b"s", b"t", b"string"])
ids = st.tuples(st.integers(0, 6), st.integers(0, 3)).map(lambda id: b"%d-%d" % id)
bounds = st.one_of(ids, ids.map(lambda id: b"(" + id), st.integers(0, 6).map(lambda ms: b"%d" % ms),
                   st.sampled_from([b"-", b"+", b"(2", b"x"]))
fields = st.sampled_from([(b"a", b"1"), (b"a", b"x"), (b"a", b"1", b"b", b"2"), (b"b", b""), (b"a", b"70000", b"b", b"-7")])
counts = st.one_of(st.just(()), st.integers(-1, 4).map(lambda n: (b"COUNT", b"%d" % n)))
trims = st.one_of(
    st.tuples(st.sampled_from([b"MAXLEN", b"maxlen"]), st.sampled_from([b"=", b"~"]), st.integers(0, 8).map(lambda n: b"%d" % n)),
    st.tuples(st.sampled_from([b"MINID"]), st.sampled_from([b"=", b"~"]), ids),
    st.tuples(st.just(b"MAXLEN"), st.just(b"~"), st.integers(0, 8).map(lambda n: b"%d" % n), st.just(b"LIMIT"),
              st.integers(0, 6).map(lambda n: b"%d" % n)))
new_ids = st.one_of(ids, st.tuples(st.integers(0, 6)).map(lambda ms: b"%d-*" % ms))
commands = st.one_of(
    st.tuples(keys, new_ids, fields).map(lambda t: (b"XADD", t[0], t[1], *t[2])),
    st.tuples(keys, new_ids, fields).map(lambda t: (b"XADD", t[0], t[1], *t[2])),
    st.tuples(keys, trims, new_ids, fields).map(lambda t: (b"XADD", t[0], *t[1], t[2], *t[3])),
    st.tuples(keys, trims).map(lambda t: (b"XTRIM", t[0], *t[1])),
    st.tuples(keys, bounds, bounds, counts).map(lambda t: (b"XRANGE", *t[:3], *t[3])),
    st.tuples(keys, bounds, bounds, counts).map(lambda t: (b"XREVRANGE", *t[:3], *t[3])),
    st.tuples(keys, st.lists(ids, min_size=1, max_size=4)).map(lambda t: (b"XDEL", t[0], *t[1])),
    st.tuples(keys, ids).map(lambda t: (b"XREAD", b"STREAMS", b"t", t[0], b"0", t[1])),
    st.tuples(keys, ids).map(lambda t: (b"XSETID", *t)),
    keys.map(lambda key: (b"XLEN", key)),
    keys.map(lambda key: (b"DEL", key)),
    keys.map(lambda key: (b"XINFO", b"STREAM", key)))


@settings(max_examples=80)
@given(sequence_of=st.lists(commands, min_size=10, max_size=60), entries=st.sampled_from([1, 2, 3, 100]))
def test_sequences(both, sequence_of, entries):
    both.reset()
    both(f"CONFIG SET stream-node-max-entries {entries}")
    if any(words[0] == b"XDEL" for words in sequence_of):       # 7.2 also looks at the highest deleted ID
        sequence_of = [words for words in sequence_of if words[0] != b"XSETID"]
    replies = sequence(both, [(b"SET", b"string", b"x"), *sequence_of], without_nodes, reset=False)
    assert len(replies) == len(sequence_of) + 1


def without_nodes(words):
    """XINFO STREAM tells the nodes of an index that is another one here: its shape is compared."""
    return "?" if words[0] == b"XINFO" else ""


# ---- the layout of the blocks

def read_length(data, at):
    """A length of the RDB format, and where it ends."""
    kind, rest = data[at] >> 6, data[at] & 63
    if kind == 0:
        return rest, at + 1
    if kind == 1:
        return rest << 8 | data[at + 1], at + 2
    assert data[at] in (0x80, 0x81)
    size = 4 if data[at] == 0x80 else 8
    return int.from_bytes(data[at + 1:at + 1 + size], "big"), at + 1 + size


def blocks_of_dump(data):
    """The blocks in a DUMP of a stream: a list of (key ID, listpack)."""
    blocks = []
    n, at = read_length(data, 1)
    for _ in range(2 * n):
        size, at = read_length(data, at)
        blocks.append(data[at:at + size])
        at += size
    return [((int.from_bytes(key[:8], "big"), int.from_bytes(key[8:], "big")), pack)
            for key, pack in zip(blocks[::2], blocks[1::2])]


@pytest.fixture(scope="module")
def dumps():
    with oracle("--rdbcompression", "no") as server:
        side = Side(server)
        yield side
        side.close_clients()


numbers = st.sampled_from([0, 127, 128, -1, 4095, 4096, -4096, -4097, 32767, 32768, -32769, 8388607, 8388608, -8388609, 2**31 - 1,
                           2**31, -2**31 - 1, 2**63 - 1, -2**63, 2**63]).map(lambda n: b"%d" % n)
texts = st.one_of(numbers, st.sampled_from([b"", b"01", b"-0", b"+1", b" 1", b"x" * 63, b"x" * 64, b"x" * 4095, b"x" * 4096,
                                            b"y" * 16381, b"y" * 16383]), st.binary(max_size=6))
records = st.one_of(st.tuples(st.just(b"f"), texts), st.lists(texts, min_size=2, max_size=2),
                    st.lists(texts, min_size=4, max_size=4))
steps = st.one_of(
    st.tuples(st.just("add"), st.tuples(st.sampled_from([0, 1, 200, 2**33]), st.sampled_from([1, 2, 5000])), records),
    st.tuples(st.just("add"), st.tuples(st.sampled_from([0, 1]), st.just(1)), records),
    st.tuples(st.just("delete"), st.integers(0, 20)),
    st.tuples(st.just("trim"), st.integers(0, 30)),
    st.tuples(st.just("fill"), st.integers(1, 140)))


@settings(max_examples=60)
@given(work=st.lists(steps, min_size=1, max_size=20), entries=st.sampled_from([100, 3, 0]), size=st.sampled_from([4096, 0, 100]))
def test_layout(dumps, work, entries, size):
    """The blocks are, byte for byte, those that Redis has after the same work."""
    stream, known, last = Stream(), [], (0, 0)
    dumps.ask("DEL", "s")
    for name, number in (("stream-node-max-entries", entries), ("stream-node-max-bytes", size)):
        dumps.ask("CONFIG", "SET", name, number)
        limits.configure(name, number)

    def add(id, record):
        assert stream.add(id, record)
        assert dumps.ask("XADD", "s", "%d-%d" % id, *record) == b"%d-%d" % id
        known.append(id)

    try:
        for step in work:
            if step[0] == "add":
                (ms, seq), record = step[1:]
                last = (last[0] + ms, seq) if ms else (last[0], last[1] + seq)
                add(last, list(record))
            elif step[0] == "fill":
                for k in range(step[1]):
                    last = (last[0], last[1] + 1)
                    add(last, [b"name", b"%d" % k])
            elif step[0] == "delete" and step[1] < len(known):
                id = known.pop(step[1])
                assert stream.delete(id) == dumps.ask("XDEL", "s", "%d-%d" % id)
            elif step[0] == "trim":
                n = stream.trim_length(step[1])
                assert n == dumps.ask("XTRIM", "s", "MAXLEN", step[1])
                del known[:n]
        stream._check()
        dump = dumps.ask("DUMP", "s")
        assert list(stream.blocks_as_bytes()) == (blocks_of_dump(dump) if isinstance(dump, bytes) and dump else [])
    finally:
        limits.configure("stream-node-max-entries", 100)
        limits.configure("stream-node-max-bytes", 4096)
