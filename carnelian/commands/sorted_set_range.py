# cython: language_level=3
"""Ranges of sorted sets: by rank, by score, by member. Each is an interval of ranks before anything is read or removed."""
import re

import cython
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.types.sorted_set import SortedSet

from carnelian.base.errors import NotFloat, ReplyError, SyntaxFault
from carnelian.base.numbers import parse_float, parse_integer
from carnelian.base.replies import MemberScores
from carnelian.keyspace import DENYOOM, FAST, READONLY, WRITE, command

RANK = cython.declare(cython.int, 1)
SCORE = cython.declare(cython.int, 2)
MEMBER = cython.declare(cython.int, 3)

# What C's strtod passes over before a number.
BLANKS = b" \t\n\v\f\r"
DECIMAL = re.compile(rb"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


# --- the words' arguments --------------------------------------------------------------------------------------------

@cython.cfunc
def score_bound(text: bytes):
    """`(score, open)` of `score` or `(score`. It is read as C's strtod reads it: up to a zero byte, blanks before the
    number are passed over, and nothing at all is 0."""
    is_open = text[:1] == b"("
    number = (text[1:] if is_open else text).partition(b"\0")[0]
    if not number:
        return 0.0, is_open
    number = number.lstrip(BLANKS)
    try:
        return parse_float(number), is_open
    except NotFloat:
        if DECIMAL.fullmatch(number):                   # beyond what a double can hold: infinite, or 0
            return float(number), is_open
        raise ReplyError("ERR min or max is not a float")


@cython.cfunc
def member_bound(text: bytes):
    """The same text, when it is `-`, `+`, `[member` or `(member`."""
    first = text[:1]
    if first in (b"-", b"+") and text[1:2] in (b"", b"\0"):
        return first
    if first not in (b"[", b"("):
        raise ReplyError("ERR min or max not valid string range item")
    return text


@cython.final
@cython.cclass
class Range:
    """What is asked for: bounds (both ends as they stand for ranks, scores or members), order and LIMIT."""

    by: cython.int
    low: object
    high: object
    reverse: cython.bint
    offset: object
    limit: object
    scores: cython.bint

    def __init__(self, by, low, high, reverse=False):
        """`low` and `high` are words; of a reversed range by score or member, `high` is the first one given."""
        self.by = by
        self.reverse = reverse
        self.offset = 0
        self.limit = -1
        self.scores = False
        if by == RANK:
            self.low, self.high = parse_integer(low), parse_integer(high)
        elif by == SCORE:
            self.low, self.high = score_bound(low), score_bound(high)
        else:
            self.low, self.high = member_bound(low), member_bound(high)

    @cython.cfunc
    def interval(self, values: SortedSet):
        """The ranks `(start, stop)`, within the set; start is not past stop."""
        size = values.length()
        if self.by == RANK:
            start = max(self.low + size if self.low < 0 else self.low, 0)
            stop = min(self.high + size if self.high < 0 else self.high, size - 1) + 1
            if self.reverse:
                start, stop = size - stop, size - start
        else:
            if self.by == SCORE:
                start, stop = values.score_interval(self.low[0], self.low[1], self.high[0], self.high[1])
            else:
                start, stop = values.member_interval(self.low, self.high)
            if self.offset < 0:
                return 0, 0
            if self.reverse:
                stop -= self.offset
                if self.limit >= 0:
                    start = max(start, stop - self.limit)
            else:
                start += self.offset
                if self.limit >= 0:
                    stop = min(stop, start + self.limit)
        return (start, stop) if start < stop else (0, 0)


@cython.cfunc
def parse_range(first: bytes, second: bytes, options: tuple, by: cython.int, reverse: cython.int, store: cython.bint) -> Range:
    """`options` follow the bounds. `by` is 0 where BYSCORE and BYLEX may be given, `reverse` -1 where REV may be."""
    at: cython.Py_ssize_t = 0
    scores: cython.bint = False
    offset = 0
    limit = -1
    while at < len(options):
        option = options[at].lower()
        if option == b"withscores" and not store:
            scores = True
        elif option == b"limit" and at + 2 < len(options):
            offset, limit = parse_integer(options[at + 1]), parse_integer(options[at + 2])
            at += 2
        elif option == b"rev" and reverse < 0:
            reverse = 1
        elif option == b"bylex" and by == 0:
            by = MEMBER
        elif option == b"byscore" and by == 0:
            by = SCORE
        else:
            raise SyntaxFault()
        at += 1
    if by == 0:
        by = RANK
    if reverse < 0:
        reverse = 0
    if limit != -1 and by == RANK:
        raise ReplyError("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX")
    if scores and by == MEMBER:
        raise ReplyError("ERR syntax error, WITHSCORES not supported in combination with BYLEX")
    if reverse and by != RANK:
        first, second = second, first
    chosen: Range = Range(by, first, second, reverse)
    chosen.offset = offset
    chosen.limit = limit
    chosen.scores = scores
    return chosen


# --- reading ---------------------------------------------------------------------------------------------------------

@cython.cfunc
def read(c: Call, key: bytes, chosen: Range):
    values: SortedSet = c.sorted_set_at(key)
    if values is None:
        return []
    start, stop = chosen.interval(values)
    if chosen.scores:
        return MemberScores(values.items(start, stop, chosen.reverse))
    return values.members(start, stop, chosen.reverse)


@command("ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]", READONLY, since="1.2.0",
         group="sorted-set", keys="RO ACCESS",
         complexity="O(log(N)+M) with N the size of the sorted set and M the number of members returned")
def zrange(c: Call, key: bytes, start: bytes, stop: bytes, *options: bytes):
    """The members of a range of ranks, scores or members."""
    return read(c, key, parse_range(start, stop, options, 0, -1, False))


@command("ZREVRANGE key start stop [WITHSCORES]", READONLY, since="1.2.0", group="sorted-set", keys="RO ACCESS",
         complexity="O(log(N)+M) with N the size of the sorted set and M the number of members returned")
def zrevrange(c: Call, key: bytes, start: bytes, stop: bytes, *options: bytes):
    """The members of a range of ranks, highest score first."""
    return read(c, key, parse_range(start, stop, options, RANK, 1, False))


@command("ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]", READONLY, since="1.0.5", group="sorted-set",
         keys="RO ACCESS", complexity="O(log(N)+M) with N the size of the sorted set and M the number of members returned")
def zrangebyscore(c: Call, key: bytes, low: bytes, high: bytes, *options: bytes):
    """The members with scores between two bounds."""
    return read(c, key, parse_range(low, high, options, SCORE, 0, False))


@command("ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]", READONLY, since="2.2.0", group="sorted-set",
         keys="RO ACCESS", complexity="O(log(N)+M) with N the size of the sorted set and M the number of members returned")
def zrevrangebyscore(c: Call, key: bytes, high: bytes, low: bytes, *options: bytes):
    """The members with scores between two bounds, highest score first."""
    return read(c, key, parse_range(high, low, options, SCORE, 1, False))


@command("ZRANGEBYLEX key min max [LIMIT offset count]", READONLY, since="2.8.9", group="sorted-set", keys="RO ACCESS",
         complexity="O(log(N)+M) with N the size of the sorted set and M the number of members returned")
def zrangebylex(c: Call, key: bytes, low: bytes, high: bytes, *options: bytes):
    """The members between two members, where all have the same score."""
    return read(c, key, parse_range(low, high, options, MEMBER, 0, False))


@command("ZREVRANGEBYLEX key max min [LIMIT offset count]", READONLY, since="2.8.9", group="sorted-set", keys="RO ACCESS",
         complexity="O(log(N)+M) with N the size of the sorted set and M the number of members returned")
def zrevrangebylex(c: Call, key: bytes, high: bytes, low: bytes, *options: bytes):
    """The members between two members in reverse order, where all have the same score."""
    return read(c, key, parse_range(high, low, options, MEMBER, 1, False))


@cython.cfunc
def count_between(c: Call, key: bytes, chosen: Range):
    values: SortedSet = c.sorted_set_at(key)
    if values is None:
        return 0
    start, stop = chosen.interval(values)
    return stop - start


@command("ZCOUNT key min max", READONLY | FAST, since="2.0.0", group="sorted-set", keys="RO ACCESS",
         complexity="O(log(N)) with N the size of the sorted set")
def zcount(c: Call, key: bytes, low: bytes, high: bytes):
    """The number of members with scores between two bounds."""
    return count_between(c, key, Range(SCORE, low, high))


@command("ZLEXCOUNT key min max", READONLY | FAST, since="2.8.9", group="sorted-set", keys="RO ACCESS",
         complexity="O(log(N)) with N the size of the sorted set")
def zlexcount(c: Call, key: bytes, low: bytes, high: bytes):
    """The number of members between two members, where all have the same score."""
    return count_between(c, key, Range(MEMBER, low, high))


# --- changing --------------------------------------------------------------------------------------------------------

@command("ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]", WRITE | DENYOOM, since="6.2.0",
         group="sorted-set", keys="OW UPDATE, RO ACCESS",
         complexity="O(log(N)+M*log(M)) with N the size of the sorted set and M the number of members stored")
def zrangestore(c: Call, destination: bytes, source: bytes, low: bytes, high: bytes, *options: bytes):
    """Store a range of a sorted set under another key; the number of members stored."""
    chosen: Range = parse_range(low, high, options, 0, -1, True)
    c.reading = True                    # the source counts as a hit or a miss
    c.reading = True
    values: SortedSet = c.sorted_set_at(source)
    start, stop = (0, 0) if values is None else chosen.interval(values)
    if start == stop:
        if c.delete(destination):
            c.changed(destination, "del")
        return 0
    c.put(destination, values.part(start, stop))
    c.changed(destination, "zrangestore")
    return stop - start


@cython.cfunc
def remove_between(c: Call, key: bytes, chosen: Range, event: str):
    values: SortedSet = c.sorted_set_at(key)
    if values is None:
        return 0
    start, stop = chosen.interval(values)
    removed = values.remove_interval(start, stop)
    if removed:
        c.changed(key, event, removed)
    return removed


@command("ZREMRANGEBYRANK key start stop", WRITE, since="2.0.0", group="sorted-set", keys="RW DELETE",
         complexity="O(log(N)+M*log(N)) with N the size of the sorted set and M the number of members removed")
def zremrangebyrank(c: Call, key: bytes, start: bytes, stop: bytes):
    """Remove the members of a range of ranks; their number."""
    return remove_between(c, key, Range(RANK, start, stop), "zremrangebyrank")


@command("ZREMRANGEBYSCORE key min max", WRITE, since="1.2.0", group="sorted-set", keys="RW DELETE",
         complexity="O(log(N)+M*log(N)) with N the size of the sorted set and M the number of members removed")
def zremrangebyscore(c: Call, key: bytes, low: bytes, high: bytes):
    """Remove the members with scores between two bounds; their number."""
    return remove_between(c, key, Range(SCORE, low, high), "zremrangebyscore")


@command("ZREMRANGEBYLEX key min max", WRITE, since="2.8.9", group="sorted-set", keys="RW DELETE",
         complexity="O(log(N)+M*log(N)) with N the size of the sorted set and M the number of members removed")
def zremrangebylex(c: Call, key: bytes, low: bytes, high: bytes):
    """Remove the members between two members, where all have the same score; their number."""
    return remove_between(c, key, Range(MEMBER, low, high), "zremrangebylex")
