"""HyperLogLog words against the oracle: also the strings themselves are the same, byte for byte."""
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle.harness import sequence
from tests.oracle.test_bitmap import changes, flat, words


WORD = 2**64
MURMUR = 0xC6A4A7935BD1E995
INVERSE = pow(MURMUR, -1, WORD)


def element_of(index, rank):
    """Eight bytes that raise this register to this rank (1 to 51): MurmurHash64A backwards."""
    def unmix(value):
        value ^= value >> 47
        return value * INVERSE % WORD

    hash = index | (1 << 13 + rank if rank <= 50 else 0)
    hash = unmix(hash)                                  # of the last mixing
    hash = (hash ^ hash >> 47) * INVERSE % WORD
    word = hash ^ 0xADC83B19 ^ 8 * MURMUR % WORD
    return (unmix(word * INVERSE % WORD)).to_bytes(8, "little")


def test_words(both):
    both(r"""
        PFADD h
        GET h
        OBJECT ENCODING h
        PFADD h
        PFADD h a b c
        PFADD h a
        GET h
        PFCOUNT h
        GET h
        PFCOUNT h
        PFADD h "" "a longer element, with its tail"
        PFCOUNT h
        EXPIRE h 100
        PFADD h x y z
        TTL h
        OBJECT ENCODING h
        PFCOUNT missing
        PFCOUNT missing h h2
        PFADD h2 1 2 3
        PFCOUNT h h2
        PFMERGE h3 h h2
        GET h3
        PFCOUNT h3
        PFMERGE h4
        GET h4
        PFMERGE h4 missing
        PFMERGE h h2 missing
        GET h
        TTL h
        PFADD
        PFCOUNT
        PFMERGE
        TYPE h
        STRLEN h
        PFDEBUG ENCODING h
        PFDEBUG DECODE h
        PFDEBUG GETREG h
        PFDEBUG ENCODING h
        GET h
        PFDEBUG TODENSE h
        PFDEBUG TODENSE h2
        PFDEBUG DECODE h2
        PFCOUNT h2
        PFADD h2 1
        PFADD h2 4 5 6
        GET h2
        PFMERGE h3 h2
        PFDEBUG ENCODING h3
        GET h3
        PFDEBUG FOO h
        PFDEBUG FOO missing
        PFDEBUG ENCODING missing
        PFDEBUG ENCODING
        PFSELFTEST
        PFSELFTEST x
    """)


def test_other_strings(both):
    both(r"""
        LPUSH l a
        SET s foobar
        SET short HYLL
        SET form "HYLL\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x7f\xff"
        SET dense "HYLL\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x7f\xff"
        SET cut "HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x10\x10"
        SET long "HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x7f\xff\x00"
        SET value "HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x7f\xff\x80"
        SET none "HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80"
        SET good "HYLL\x01\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x7f\xfd\x80\x80"
        PFADD l a
        PFADD s a
        PFADD short a
        PFADD form a
        PFADD dense a
        PFADD cut a
        PFADD none a
        PFADD good
        PFCOUNT l
        PFCOUNT s
        PFCOUNT form
        PFCOUNT dense
        PFCOUNT cut
        PFCOUNT long
        PFCOUNT value
        PFCOUNT none
        PFCOUNT good
        PFADD good a
        PFCOUNT good
        GET good
        PFCOUNT good cut
        PFCOUNT good value
        PFCOUNT good s
        PFCOUNT good l
        PFMERGE d l
        PFMERGE d s
        PFMERGE d cut
        PFMERGE d none
        PFMERGE l good
        PFMERGE s good
        PFMERGE cut good
        EXISTS d
        PFDEBUG ENCODING l
        PFDEBUG ENCODING s
        PFDEBUG TODENSE cut
        PFDEBUG GETREG value
        PFDEBUG DECODE good
    """)


def test_sparse_limit(both):
    """The sparse form is left at the limit."""
    both("""
        CONFIG SET hll-sparse-max-bytes 30
        PFADD h 1 2 3 4
        STRLEN h
        GET h
        PFADD h 5
        STRLEN h
        PFADD h 6 7 8
        STRLEN h
        GET h
        CONFIG SET hll-sparse-max-bytes 0
        PFADD g
        STRLEN g
        PFADD g 1
        STRLEN g
        CONFIG SET hll-sparse-max-bytes 1000
        PFADD i 1 2 3 4
        PFMERGE i h
        GET i
    """)


def test_events(both):
    both("""
        CONFIG SET notify-keyspace-events KEA
        2: PSUBSCRIBE __key*__:*
        PFADD h a b
        2<
        2<
        PFADD h a
        2-
        PFCOUNT h
        2-
        PFMERGE g h
        2<
        2<
        PFDEBUG TODENSE g
        2-
        CONFIG SET notify-keyspace-events E$
        PFADD h c
        2<
    """)


def test_changes(both):
    """What counts as a change: also the estimate that PFCOUNT keeps, which a WATCH sees."""
    for line in """PFADD h a b c;PFADD h a;PFCOUNT h;PFCOUNT h;PFCOUNT h h;PFMERGE h;PFADD i;PFMERGE i;PFDEBUG TODENSE h
        PFDEBUG GETREG h;PFDEBUG GETREG i;PFADD h d e f a;PFMERGE j h i""".replace("\n", ";").split(";"):
        before = changes(both)
        both(line)
        counts = {int(b) - int(a) for a, b in zip(before, changes(both))}
        assert len(counts) == 1, line
    both("""
        PFADD k a
        WATCH k
        2: PFCOUNT k
        MULTI
        EXEC
        WATCH k
        2: PFCOUNT k
        MULTI
        EXEC
    """)


@pytest.mark.parametrize("count", [100, 1300, 30000, 200000])
def test_many(both, count):
    """From sparse to dense, and estimates of large sets."""
    step = max(count // 20, 1)
    commands = []
    for first in range(0, count, step):
        commands.append(["PFADD", "h", *range(first, min(first + step, count))])
        commands.append(["GET", "h"])
        commands.append(["PFCOUNT", "h"])
    sequence(both, [*commands, ["PFADD", "other", *range(50)], ["PFCOUNT", "h", "other"], ["PFMERGE", "other", "h"],
                    ["GET", "other"], ["GET", "h"]])


@given(seed=st.integers(0, 2**32), limit=st.sampled_from([100, 300, 3000]), length=st.integers(0, 24))
def test_growing(both, seed, limit, length):
    """Element by element through the sparse form, with elements of every length."""
    chance = random.Random(seed)
    both.reset()
    both(f"CONFIG SET hll-sparse-max-bytes {limit}")
    commands = []
    for _ in range(300):
        some = [chance.randbytes(chance.randint(0, length)) for _ in range(chance.choice([1, 1, 5]))]
        commands.append(["PFADD", "h", *some])
        if chance.random() < 0.1:
            commands += [["GET", "h"], ["PFCOUNT", "h"]]
    sequence(both, [*commands, ["GET", "h"], ["PFCOUNT", "h"]], reset=False)


def test_ranks(both):
    """A rank over 32 leaves the sparse form at once."""
    for rank in (1, 31, 32, 33, 50, 51):
        both.reset()
        sequence(both, [["PFADD", "h", 1, 2], ["PFADD", "h", element_of(16383, rank)], ["PFDEBUG", "ENCODING", "h"],
                        ["PFDEBUG", "GETREG", "h"], ["PFADD", "h", element_of(0, rank)], ["GET", "h"], ["PFCOUNT", "h"],
                        ["PFMERGE", "g", "h"], ["GET", "g"]])
        assert both.sides[-1].ask("PFDEBUG", "GETREG", "h")[16383] == rank


key = st.sampled_from("abcd")
placed = st.builds(element_of, st.one_of(st.integers(0, 12), st.integers(0, 200), st.integers(16370, 16383)),
                   st.one_of(st.integers(1, 3), st.integers(1, 32)))
elements = st.one_of(st.lists(placed, max_size=40), st.lists(st.integers(0, 30), max_size=5),
                     st.integers(0, 2000).map(lambda n: list(range(n, n + 400))),
                     st.lists(st.binary(max_size=20), max_size=5))


def registers(ranks):
    """A sparse HyperLogLog of which the first registers are these."""
    runs = b"".join(bytes([0x80 | (rank - 1) << 2] if rank else [0]) for rank in ranks)
    rest = 16384 - len(ranks)
    return b"HYLL\1" + bytes(10) + b"\x80" + runs + bytes([0x40 | rest - 1 >> 8, rest - 1 & 0xFF])


COMMANDS = st.one_of(
    words("PFADD", key, elements), words("PFCOUNT", st.lists(key, min_size=1, max_size=3)),
    words("PFMERGE", st.lists(key, min_size=1, max_size=4)), words("GET", key), words("DEL", key),
    words("PFDEBUG", st.sampled_from(["ENCODING", "DECODE", "TODENSE", "GETREG"]), key),
    words("SET", key, st.lists(st.integers(0, 32), min_size=1, max_size=40).map(registers)),
).map(flat)


@given(commands=st.lists(COMMANDS, min_size=5, max_size=30))
def test_sequences(both, commands):
    sequence(both, [*commands, ["MGET", *"abcd"]])
