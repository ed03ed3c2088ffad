"""Consumer groups against the oracle: XGROUP, XREADGROUP, XACK, XCLAIM, XAUTOCLAIM, XPENDING, XINFO.

Where 7.2 differs from the oracle: consumers have an active time, and are created by the attempt to read or to claim.
"""
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle.harness import sequence
from tests.oracle.resp import Error

NO_GROUP = b"NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option"
UNBALANCED = "-ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified."


def test_xgroup(both):
    both('''
        SET string x
        XGROUP
        XGROUP FOO
        XGROUP HELP
        XGROUP HELP x
        XGROUP CREATE
        XGROUP CREATE s
        XGROUP CREATE s g
        XGROUP CREATE s g 0
        XGROUP CREATE s g $
        XGROUP CREATE s g x
        XGROUP CREATE string g 0
        XGROUP CREATE string g 0 MKSTREAM
        XGROUP CREATE string g 0 FOO
        XGROUP CREATE s g x MKSTREAM
        XGROUP CREATE s g - MKSTREAM
        EXISTS s
        XGROUP CREATE s g $ mkstream
        TYPE s
        XLEN s
        XGROUP CREATE s g 0
        XGROUP CREATE s g 0 MKSTREAM
        XADD s 1-1 a 1
        XADD s 1-2 a 1
        XGROUP CREATE s h $
        XGROUP CREATE s i 1-1 ENTRIESREAD 1
        XGROUP CREATE s j 1 ENTRIESREAD 5 MKSTREAM
        XGROUP CREATE s k 0 MKSTREAM ENTRIESREAD -1
        XGROUP CREATE s l 0 ENTRIESREAD -2
        XGROUP CREATE s l 0 ENTRIESREAD x
        XGROUP CREATE s l 0 ENTRIESREAD
        XGROUP CREATE s l 0 FOO
        XGROUP CREATE s l 0 FOO ENTRIESREAD x
        XGROUP CREATE s l 0 ENTRIESREAD 1 ENTRIESREAD 2
        XGROUP CREATE s l 0 MKSTREAM MKSTREAM MKSTREAM
        XGROUP SETID s l 0 ENTRIESREAD 1 ENTRIESREAD 2
        XGROUP CREATE missing l 0 ENTRIESREAD 1 ENTRIESREAD 2
        XGROUP CREATE s l x
        XGROUP CREATE s g x
        XGROUP CREATE s "" 0
        XINFO GROUPS s
        XGROUP SETID s g 1-1
        XGROUP SETID s h $
        XGROUP SETID s h +
        XGROUP SETID s h -
        XGROUP SETID s i 7-7 ENTRIESREAD 3
        XGROUP SETID s i 7-7 ENTRIESREAD -2
        XGROUP SETID s i 7-7 MKSTREAM
        XGROUP SETID s i x
        XGROUP SETID s missing 0
        XGROUP SETID s missing x
        XGROUP SETID missing g 0
        XGROUP SETID string g 0
        XGROUP SETID s g
        XINFO GROUPS s
        XGROUP CREATECONSUMER s g c
        XGROUP CREATECONSUMER s g c
        XGROUP CREATECONSUMER s g ""
        XGROUP CREATECONSUMER s missing c
        XGROUP CREATECONSUMER missing g c
        XGROUP CREATECONSUMER string g c
        XGROUP CREATECONSUMER s g
        XGROUP DELCONSUMER s g c
        XGROUP DELCONSUMER s g c
        XGROUP DELCONSUMER s missing c
        XGROUP DELCONSUMER missing g c
        XGROUP DELCONSUMER string g c
        XGROUP DESTROY s g
        XGROUP DESTROY s g
        XGROUP DESTROY missing g
        XGROUP DESTROY string g
        XGROUP DESTROY s
        XINFO GROUPS s
        XINFO STREAM s
    ''')


def test_xreadgroup(both):
    both(f'''
        SET string x
        XADD s 1-1 a 1
        XADD s 1-2 a 2
        XADD s 1-3 a 3
        XADD t 5-1 b 1
        XGROUP CREATE s g 0
        XGROUP CREATE t g 0
        XREADGROUP GROUP g c COUNT 1 STREAMS s >
        XREADGROUP GROUP g c STREAMS s t > >
        XREADGROUP GROUP g c STREAMS s t > >
        XREADGROUP GROUP g c STREAMS s 0
        XREADGROUP GROUP g c COUNT 2 STREAMS s 0
        XREADGROUP GROUP g c COUNT 2 STREAMS s 1-1
        XREADGROUP GROUP g c STREAMS s 9
        XREADGROUP GROUP g c STREAMS s t 0 >
        XREADGROUP GROUP g c BLOCK 0 STREAMS s 0
        XREADGROUP GROUP g c BLOCK 1 STREAMS s >
        XREADGROUP GROUP g d STREAMS s 0
        XDEL s 1-2
        XREADGROUP GROUP g c STREAMS s 0
        XACK s g 1-2
        XREADGROUP GROUP g c STREAMS s 0
        XADD s 1-4 a 4
        XREADGROUP GROUP g d NOACK STREAMS s >
        XREADGROUP GROUP g d STREAMS s 0
        XGROUP SETID s g 0
        XREADGROUP GROUP g d COUNT 0 STREAMS s >
        XREADGROUP GROUP g c STREAMS s 0
        XREADGROUP GROUP g d STREAMS s 0
        XPENDING s g
        XREADGROUP STREAMS s >
        XREADGROUP GROUP g STREAMS s > x x
        XREADGROUP COUNT 1 NOACK STREAMS s >
        XREADGROUP GROUP g c STREAMS s
        = XREADGROUP GROUP g c STREAMS s t > -> {UNBALANCED}
        = XREADGROUP GROUP g c COUNT 1 STREAMS s -> {UNBALANCED}
        XREADGROUP GROUP g c COUNT x STREAMS s >
        XREADGROUP GROUP g c BLOCK x STREAMS s >
        XREADGROUP GROUP g c BLOCK -1 STREAMS s >
        XREADGROUP GROUP g c FOO STREAMS s >
        XREADGROUP GROUP g c STREAMS s $
        XREADGROUP GROUP g c STREAMS s x
        XREADGROUP GROUP g c STREAMS s +
        XREADGROUP GROUP h c STREAMS s >
        XREADGROUP GROUP h c STREAMS s x
        XREADGROUP GROUP g c STREAMS missing >
        XREADGROUP GROUP g c STREAMS missing x
        XREADGROUP GROUP g c STREAMS s missing > >
        XREADGROUP GROUP g c STREAMS string >
        XREADGROUP GROUP g c STREAMS s string > >
        XREADGROUP GROUP g c STREAMS s s > >
        XREADGROUP GROUP g c STREAMS s s 0 >
        XREADGROUP GROUP g c GROUP h d STREAMS s >
        XREADGROUP GROUP g c
        XREADGROUP GROUP g c a b c d
    ''')


def test_xreadgroup_with_the_highest_ids(both):
    both('''
        XADD s 18446744073709551615-18446744073709551615 a 1
        XGROUP CREATE s g 18446744073709551615-18446744073709551614
        XREADGROUP GROUP g c STREAMS s >
        XREADGROUP GROUP g c STREAMS s >
        XREADGROUP GROUP g c STREAMS s 18446744073709551615-18446744073709551614
        # the highest ID is what > stands for
        XREADGROUP GROUP g c STREAMS s 18446744073709551615-18446744073709551615
        XINFO GROUPS s
    ''')


def test_xreadgroup_blocks(both):
    both('''
        XGROUP CREATE s g $ MKSTREAM
        XGROUP CREATE t g $ MKSTREAM
        XREADGROUP GROUP g c BLOCK 10 STREAMS s >
        1> XREADGROUP GROUP g c BLOCK 0 STREAMS s >
        2> XREADGROUP GROUP g d BLOCK 0 STREAMS s t > >
        3: XADD s 1-1 a 1
        1<
        2-
        3: XADD t 1-1 a 1
        2<
        1> XREADGROUP GROUP g c BLOCK 0 COUNT 1 NOACK STREAMS s >
        2> XREADGROUP GROUP g d BLOCK 0 STREAMS s >
        3: MULTI
        3: XADD s 1-2 a 1
        3: XADD s 1-3 a 1
        3: XREADGROUP GROUP g c BLOCK 0 STREAMS t >
        3: EXEC
        1<
        2<
        XPENDING s g
        1> XREADGROUP GROUP g c BLOCK 0 STREAMS s >
        3: XGROUP SETID s g 0
        1-
        3: XADD s 1-4 a 1
        1<
        XINFO GROUPS s
        XREADGROUP GROUP g c STREAMS s 0
    ''')


@pytest.mark.parametrize("change, error", [
    ("XGROUP DESTROY s g", NO_GROUP), ("DEL s", NO_GROUP), ("RENAME s other", NO_GROUP), ("FLUSHALL", NO_GROUP),
    ("SET s x", b"WRONGTYPE Operation against a key holding the wrong kind of value")])
def test_blocked_readers_learn_that_the_group_is_gone(both, change, error):
    """As in 7.2, which runs the words again; 7.0 has other texts."""
    both("""
        XGROUP CREATE s g $ MKSTREAM
        XGROUP CREATE s h $
        1> XREADGROUP GROUP g c BLOCK 0 STREAMS s >
        2: XGROUP DESTROY s h
        1-
    """)
    for side in both.sides:
        side.client(2)(*change.split())
        reply = side.client(1).read()
        assert isinstance(reply, Error)
        assert reply == error or side is not both.carnelian


def test_xack(both):
    both('''
        SET string x
        XACK missing g 1-1
        XACK missing g x
        XACK string g 1-1
        XADD s 1-1 a 1
        XADD s 1-2 a 1
        XADD s 1-3 a 1
        XACK s g 1-1
        XACK s g x
        XGROUP CREATE s g 0
        XREADGROUP GROUP g c STREAMS s >
        XACK s g 1-1 x
        XACK s g 1-1 1-1 1-2 7-7
        XACK s g -
        XACK s g
        XPENDING s g
        XACK s g 1-3
        XPENDING s g
        XPENDING s g - + 10
    ''')


PENDING = '''
        XADD s 1-1 a 1
        XADD s 1-2 a 2
        XADD s 1-3 a 3
        XADD s 2-1 b 1 c 2
        XGROUP CREATE s g 0
        XREADGROUP GROUP g c1 COUNT 3 STREAMS s >
        XREADGROUP GROUP g c2 STREAMS s >
'''


def test_xpending(both):
    both(PENDING + '''
        SET string x
        XPENDING s g
        ? XPENDING s g - + 10
        ? XPENDING s g - + 2
        XPENDING s g - + 0
        XPENDING s g - + -1
        ? XPENDING s g (1-1 (2-1 10
        ? XPENDING s g 1-2 1 10
        ? XPENDING s g - + 10 c1
        ? XPENDING s g - + 10 c2
        XPENDING s g - + 10 missing
        ? XPENDING s g IDLE 0 - + 10
        XPENDING s g IDLE 100000000 - + 10
        ? XPENDING s g idle -5 - + 10 c1
        ? XPENDING s g - + 10 c1 x
        ? XPENDING s g - + 10 c1 x y
        XPENDING s g - + 10 c1 x y z
        XPENDING s g IDLE 0 - +
        XPENDING s g IDLE x - + 10
        XPENDING s g IDLE x
        XPENDING s g IDLE 0 -
        XPENDING s g -
        XPENDING s g - +
        XPENDING s g - + x
        XPENDING s g x + 1
        XPENDING s g - x 1
        XPENDING s g x x x
        XPENDING s g (18446744073709551615-18446744073709551615 + 1
        XPENDING s g - (0-0 1
        XPENDING s missing
        XPENDING missing g
        XPENDING missing g - + x
        XPENDING missing g - + 1
        XPENDING string g
        XPENDING string g x
        XPENDING s
        XGROUP DELCONSUMER s g c1
        XPENDING s g
        XACK s g 2-1
        XPENDING s g
        XPENDING s g - + 1
    ''')


def test_xclaim(both):
    both(PENDING + '''
        SET string x
        XGROUP CREATECONSUMER s g c3
        XCLAIM s g c3 0 1-1
        XCLAIM s g c3 0 1-1 1-2 7-7
        XCLAIM s g c3 100000000 1-3
        XCLAIM s g c3 -5 1-3 JUSTID
        XCLAIM s g c1 0 1-1 IDLE 5000 RETRYCOUNT 7
        XPENDING s g IDLE 5000 - + 10 c2
        XCLAIM s g c2 4000 1-1 1-2 TIME 1000 RETRYCOUNT 0 JUSTID
        XCLAIM s g c2 0 1-2 TIME 99999999999999 RETRYCOUNT -5
        XCLAIM s g c2 0 1-2 IDLE -100000
        XCLAIM s g c2 0 1-2 IDLE 99999999999999999
        ? XPENDING s g - + 10
        XADD s 3-1 a 5
        XADD s 3-2 a 5
        XCLAIM s g c1 0 3-1
        XCLAIM s g c1 0 3-1 FORCE
        XCLAIM s g c1 100000 3-2 FORCE JUSTID
        XCLAIM s g c1 0 4-4 FORCE
        ? XPENDING s g - + 10
        XCLAIM s g c1 0 3-2 LASTID 3-1
        XINFO GROUPS s
        XCLAIM s g c1 0 3-2 LASTID 2-1
        XINFO GROUPS s
        XCLAIM s g c1 0 7-7 LASTID 9-9
        XINFO GROUPS s
        XDEL s 1-1
        XCLAIM s g c3 0 1-1 1-2
        XPENDING s g
        XCLAIM s g c3 0 1-2 FOO
        XCLAIM s g c3 0 x
        XCLAIM s g c3 0 JUSTID
        XCLAIM s g c3 0 1-2 JUSTID 1-3
        XCLAIM s g c3 0 1-2 IDLE
        XCLAIM s g c3 0 1-2 IDLE x
        XCLAIM s g c3 0 1-2 TIME x
        XCLAIM s g c3 0 1-2 RETRYCOUNT x
        XCLAIM s g c3 0 1-2 LASTID x
        XCLAIM s g c3 0 1-2 LASTID
        XCLAIM s g c3 0 1-2 IDLE 1 TIME 5 FORCE FORCE justid
        XCLAIM s g c3 x 1-2
        XCLAIM s g c3 x x
        XCLAIM s missing c3 0 1-2
        XCLAIM s missing c3 x x
        XCLAIM missing g c3 0 1-2
        XCLAIM string g c3 0 1-2
        XCLAIM s g c3 0
        XCLAIM s g c3 0 -
        XPENDING s g
        XREADGROUP GROUP g c3 STREAMS s 0
    ''')


def test_xautoclaim(both):
    both(PENDING + '''
        SET string x
        XGROUP CREATECONSUMER s g c3
        XAUTOCLAIM s g c3 100000000 0
        XAUTOCLAIM s g c3 0 0 COUNT 1
        XAUTOCLAIM s g c3 0 1-2 COUNT 2 JUSTID
        XAUTOCLAIM s g c3 0 (1-3 COUNT 5
        XAUTOCLAIM s g c3 -1 - COUNT 3
        XAUTOCLAIM s g c3 0 +
        XAUTOCLAIM s g c3 0 5
        ? XPENDING s g - + 10
        XDEL s 1-1 1-3
        XAUTOCLAIM s g c1 0 - COUNT 2
        XAUTOCLAIM s g c1 0 1-2 COUNT 2
        XAUTOCLAIM s g c1 0 -
        XPENDING s g
        XAUTOCLAIM s g c1 0 - COUNT 0
        XAUTOCLAIM s g c1 0 - COUNT -1
        XAUTOCLAIM s g c1 0 - COUNT x
        XAUTOCLAIM s g c1 0 - COUNT
        XAUTOCLAIM s g c1 0 - COUNT 9223372036854775807
        XAUTOCLAIM s g c1 0 - COUNT 576460752303423488
        XAUTOCLAIM s g c1 0 - FOO
        XAUTOCLAIM s g c1 0 - COUNT 1 COUNT 5 justid
        XAUTOCLAIM s g c1 x -
        XAUTOCLAIM s g c1 x x
        XAUTOCLAIM s g c1 0 x
        XAUTOCLAIM s g c1 0 (18446744073709551615-18446744073709551615
        XAUTOCLAIM s missing c1 0 -
        XAUTOCLAIM missing g c1 0 -
        XAUTOCLAIM missing g c1 0 - FOO
        XAUTOCLAIM string g c1 0 -
        XAUTOCLAIM s g c1 0
    ''')


def test_xautoclaim_looks_at_ten_entries_for_each_of_count(both):
    both('''
        XGROUP CREATE s g 0 MKSTREAM
        XADD s 1-1 a 1
        XADD s 1-2 a 1
        XADD s 1-3 a 1
        XADD s 1-4 a 1
        XADD s 1-5 a 1
        XADD s 1-6 a 1
        XADD s 1-7 a 1
        XADD s 1-8 a 1
        XADD s 1-9 a 1
        XADD s 1-10 a 1
        XADD s 1-11 a 1
        XADD s 1-12 a 1
        XREADGROUP GROUP g c STREAMS s >
        XCLAIM s g c 0 1-12 IDLE 100000
        XAUTOCLAIM s g c 50000 - COUNT 1
        XAUTOCLAIM s g c 50000 1-11 COUNT 1
        XAUTOCLAIM s g c 50000 - COUNT 2
        XDEL s 1-1 1-2 1-3 1-4
        XAUTOCLAIM s g c 50000 - COUNT 3
        XAUTOCLAIM s g c 50000 - COUNT 3
    ''')


def test_xinfo(both):
    both(PENDING + '''
        SET string x
        XGROUP CREATE s h $
        XGROUP CREATE s "" 0
        XINFO GROUPS s
        XINFO STREAM s
        XINFO CONSUMERS s h
        XINFO CONSUMERS s missing
        XINFO CONSUMERS missing g
        XINFO CONSUMERS string g
        XINFO CONSUMERS s
        XINFO CONSUMERS s g x
        = ? XINFO CONSUMERS s g -> [{"name": "c1", "pending": 3, "idle": 1, "inactive": 1}, {"name": "c2", "pending": 1, "idle": 1, "inactive": 1}]
        = XGROUP CREATECONSUMER s h never -> 1
        = ? XINFO CONSUMERS s h -> [{"name": "never", "pending": 0, "idle": 0, "inactive": -1}]
        = XREADGROUP GROUP h never STREAMS s 0 -> {"s": []}
        = XGROUP DESTROY s "" -> 1
        = ? XINFO STREAM s FULL COUNT 1 -> {"length": 4, "radix-tree-keys": 1, "radix-tree-nodes": 2, "last-generated-id": "2-1", "max-deleted-entry-id": "0-0", "entries-added": 4, "recorded-first-entry-id": "1-1", "entries": [["1-1", ["a", "1"]]], "groups": [{"name": "g", "last-delivered-id": "2-1", "entries-read": 4, "lag": 0, "pel-count": 4, "pel": [["1-1", "c1", 1, 1]], "consumers": [{"name": "c1", "seen-time": 1, "active-time": 1, "pel-count": 3, "pel": [["1-1", 1, 1]]}, {"name": "c2", "seen-time": 1, "active-time": 1, "pel-count": 1, "pel": [["2-1", 1, 1]]}]}, {"name": "h", "last-delivered-id": "2-1", "entries-read": None, "lag": 0, "pel-count": 0, "pel": [], "consumers": [{"name": "never", "seen-time": 1, "active-time": -1, "pel-count": 0, "pel": []}]}]}
    '''.replace('-> {"s": []}', '-> {"s": []}' if both.resp == 3 else '-> [["s", []]]'))


def test_consumers_are_made_by_the_attempt(both):
    """7.0 makes them when there is something to read or to claim."""
    both('''
        XGROUP CREATE s g 0 MKSTREAM
        = XREADGROUP GROUP g reader STREAMS s > -> None
        = XCLAIM s g claimer 0 1-1 -> []
        = XAUTOCLAIM s g robot 0 0 -> ["0-0", [], []]
        = ? XINFO CONSUMERS s g -> [{"name": "claimer", "pending": 0, "idle": 0, "inactive": -1}, {"name": "reader", "pending": 0, "idle": 0, "inactive": -1}, {"name": "robot", "pending": 0, "idle": 0, "inactive": -1}]
    ''')


def test_lag(both):
    both('''
        XADD s 1-1 a 1
        XADD s 1-2 a 1
        XADD s 1-3 a 1
        XADD s 1-4 a 1
        XADD s 1-5 a 1
        XGROUP CREATE s a 0
        XGROUP CREATE s b 1-3
        XGROUP CREATE s c 1-3 ENTRIESREAD 3
        XGROUP CREATE s d $
        XGROUP CREATE s e 1-1
        XINFO GROUPS s
        XREADGROUP GROUP a c COUNT 2 STREAMS s >
        XREADGROUP GROUP b c COUNT 1 STREAMS s >
        XREADGROUP GROUP c c COUNT 1 STREAMS s >
        XINFO GROUPS s
        XDEL s 1-4
        XINFO GROUPS s
        XREADGROUP GROUP a c COUNT 1 STREAMS s >
        XINFO GROUPS s
        XREADGROUP GROUP a c COUNT 1 STREAMS s >
        XREADGROUP GROUP b c STREAMS s >
        XINFO GROUPS s
        XTRIM s MAXLEN 1
        XINFO GROUPS s
        XADD s 2-1 a 1
        XINFO GROUPS s
        XREADGROUP GROUP e c COUNT 1 STREAMS s >
        XINFO GROUPS s
        XDEL s 1-5 2-1
        XINFO GROUPS s
        XADD s 3-1 a 1
        XADD s 3-2 a 1
        XINFO GROUPS s
        XSETID s 9-0 ENTRIESADDED 100
        XINFO GROUPS s
    ''')


def test_the_group_goes_along_with_its_stream(both):
    both(PENDING + '''
        COPY s t
        XACK s g 1-1
        XPENDING t g
        XINFO GROUPS t
        RENAME t u
        XREADGROUP GROUP g c1 STREAMS u 0
        XDEL s 1-1 1-2 1-3 2-1
        XREADGROUP GROUP g c1 STREAMS s 0
        XREADGROUP GROUP g c1 STREAMS s >
        XTRIM s MAXLEN 0
        XGROUP DESTROY s g
        EXISTS s
    ''')


def test_events(both):
    both('''
        CONFIG SET notify-keyspace-events Et
        2: PSUBSCRIBE __key*
        XGROUP CREATE s g 0 MKSTREAM
        2<
        XGROUP CREATECONSUMER s g c
        2<
        XGROUP CREATECONSUMER s g c
        XADD s 1-1 a 1
        2<
        XREADGROUP GROUP g new STREAMS s >
        2<
        XCLAIM s g c 0 1-1
        XACK s g 1-1
        XGROUP SETID s g 0
        2<
        XGROUP DELCONSUMER s g c
        2<
        XGROUP DELCONSUMER s g c
        XGROUP DESTROY s g
        2<
        2-
    ''')


# ---- sequences

keys = st.sampled_from([b"s", b"s", b"s", b"t"])
groups = st.sampled_from([b"g", b"g", b"h"])
consumers = st.sampled_from([b"c1", b"c2"])
ids = st.tuples(st.integers(1, 5), st.integers(1, 3)).map(lambda id: b"%d-%d" % id)
positions = st.one_of(ids, st.sampled_from([b"0", b"$"]))
several = st.lists(ids, min_size=1, max_size=4)
counts = st.one_of(st.just(()), st.integers(1, 3).map(lambda n: (b"COUNT", b"%d" % n)))
claims = st.lists(st.sampled_from([(b"FORCE",), (b"JUSTID",), (b"RETRYCOUNT", b"3"), (b"LASTID", b"2-2"), (b"IDLE", b"500000")]),
                  max_size=3).map(lambda options: tuple(word for option in options for word in option))
idle = st.sampled_from([b"0", b"0", b"250000"])
reading = st.tuples(keys, groups, consumers, counts, st.sampled_from([b">", b">", b">", b"0", b"1-2"]), st.booleans()).map(
    lambda t: (b"XREADGROUP", b"GROUP", t[1], t[2], *t[3], *([b"NOACK"] if t[5] else []), b"STREAMS", t[0], t[4]))
commands = st.one_of(
    st.tuples(keys, st.integers(1, 5)).map(lambda t: (b"XADD", t[0], b"%d-*" % t[1], b"a", b"1")),
    st.tuples(keys, st.integers(1, 5)).map(lambda t: (b"XADD", t[0], b"%d-*" % t[1], b"a", b"1")),
    reading, reading, reading,
    st.tuples(keys, several).map(lambda t: (b"XDEL", t[0], *t[1])),
    st.tuples(keys, st.integers(0, 5)).map(lambda t: (b"XTRIM", t[0], b"MAXLEN", b"%d" % t[1])),
    st.tuples(keys, groups, several).map(lambda t: (b"XACK", *t[:2], *t[2])),
    st.tuples(keys, groups, consumers, idle, several, claims).map(lambda t: (b"XCLAIM", *t[:4], *t[4], *t[5])),
    st.tuples(keys, groups, consumers, idle, positions, counts).map(lambda t: (b"XAUTOCLAIM", *t[:5], *t[5])),
    st.tuples(keys, groups).map(lambda t: (b"XPENDING", *t)),
    st.tuples(keys, groups, ids, ids, consumers).map(lambda t: (b"XPENDING", *t[:4], b"3", t[4])),
    st.tuples(keys, groups).map(lambda t: (b"XPENDING", *t, b"IDLE", b"250000", b"-", b"+", b"10")),
    st.tuples(keys, groups, positions).map(lambda t: (b"XGROUP", b"SETID", *t)),
    st.tuples(keys, groups, positions, st.integers(-1, 4)).map(
        lambda t: (b"XGROUP", b"SETID", *t[:3], b"ENTRIESREAD", b"%d" % t[3])),
    st.tuples(keys, groups, consumers).map(lambda t: (b"XGROUP", b"DELCONSUMER", *t)),
    keys.map(lambda key: (b"XINFO", b"GROUPS", key)),
    keys.map(lambda key: (b"XRANGE", key, b"-", b"+")))


def without_times(words):
    """Times since the last delivery differ."""
    return "?" if words[0] == b"XPENDING" and len(words) > 3 else ""


def everybody(key, group):
    """Consumers are there from the start: 7.0 makes them later than 7.2."""
    return [(b"XGROUP", b"CREATECONSUMER", key, group, consumer) for consumer in (b"c1", b"c2")]


@settings(max_examples=100)
@given(drawn=st.lists(commands, min_size=20, max_size=80))
def test_sequences(both, drawn):
    work = []
    for key, group in ((b"s", b"g"), (b"s", b"h"), (b"t", b"g")):
        work += [(b"XGROUP", b"CREATE", key, group, b"0", b"MKSTREAM"), *everybody(key, group)]
    for words in drawn:
        work.append(words)
        if words[1] == b"DELCONSUMER":
            work += everybody(words[2], words[3])
    sequence(both, work, without_times)
