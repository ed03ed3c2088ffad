# cython: language_level=3
"""Sorted sets: members and their scores, popping, ZRANDMEMBER and ZSCAN. The ranges are in sorted_set_range.py, the unions,
intersections and differences in sorted_set_combine.py.
"""
import random

import cython
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.types.sorted_set import (
    ADD_GT, ADD_INCR, ADD_LT, ADD_NX, ADD_XX, MEMBER_ADDED, NOT_A_NUMBER, NOTHING_ADDED, SCORE_UPDATED, SortedSet)
from cython.cimports.carnelian.types.table import random_below

from carnelian.base.errors import NotInteger, NotPositive, ReplyError, SyntaxFault, WrongArity
from carnelian.base.numbers import parse_float, parse_integer
from carnelian.base.replies import NULL_ARRAY, MemberScores
from carnelian.commands.chance import random_count
from carnelian.commands.scanning import parse_cursor, scan_options
from carnelian.keyspace import BLOCKING, DENYOOM, FAST, READONLY, WRITE, command

LONGEST = 2**63 - 1
ADD_FLAGS = {b"nx": ADD_NX, b"xx": ADD_XX, b"gt": ADD_GT, b"lt": ADD_LT, b"incr": ADD_INCR}


def positive(text: bytes, message: str) -> int:
    """An integer above zero, or the error."""
    try:
        number = parse_integer(text)
    except NotInteger:
        number = 0
    if number < 1:
        raise ReplyError(message)
    return number


# --- members and scores ----------------------------------------------------------------------------------------------

@command("ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]", WRITE | DENYOOM | FAST, since="1.2.0",
         group="sorted-set", keys="RW UPDATE",
         complexity="O(log(N)) for each member added, with N the size of the sorted set")
def zadd(c: Call, key: bytes, *words: bytes):
    """Add members with their scores, or give members other scores."""
    flags: cython.int = 0
    count_changes: cython.bint = False
    at: cython.Py_ssize_t = 0
    while at < len(words):
        option = words[at].lower()
        if option == b"ch":
            count_changes = True
        elif option in ADD_FLAGS:
            flags |= ADD_FLAGS[option]
        else:
            break
        at += 1
    pairs = words[at:]
    if not pairs or len(pairs) % 2:
        raise SyntaxFault()
    if flags & ADD_NX and flags & ADD_XX:
        raise ReplyError("ERR XX and NX options at the same time are not compatible")
    if (flags & ADD_GT and flags & (ADD_LT | ADD_NX)) or (flags & ADD_LT and flags & ADD_NX):
        raise ReplyError("ERR GT, LT, and/or NX options at the same time are not compatible")
    if flags & ADD_INCR and len(pairs) > 2:
        raise ReplyError("ERR INCR option supports a single increment-element pair")
    return add(c, key, pairs, flags, count_changes)


@command("ZINCRBY key increment member", WRITE | DENYOOM | FAST, since="1.2.0", group="sorted-set", keys="RW ACCESS UPDATE",
         complexity="O(log(N)) with N the size of the sorted set")
def zincrby(c: Call, key: bytes, increment: bytes, member: bytes):
    """Raise the score of a member, which is added where it is missing."""
    return add(c, key, (increment, member), ADD_INCR, False)


@cython.cfunc
def add(c: Call, key: bytes, pairs: tuple, flags: cython.int, count_changes: cython.bint):
    """`pairs` is score, member, score, member, ..."""
    scores: list = [parse_float(pairs[i]) for i in range(0, len(pairs), 2)]
    values: SortedSet = c.sorted_set_at(key, not flags & ADD_XX)
    member: bytes
    result: cython.double = 0
    outcome: cython.int = NOTHING_ADDED
    added: cython.Py_ssize_t = 0
    updated: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    if values is not None:
        if values.length() == 0:
            values.choose(len(scores), len(pairs[1]))
        for i in range(len(scores)):
            member = pairs[2 * i + 1]
            outcome = values.add(scores[i], member, len(member), flags, cython.address(result))
            if outcome & NOT_A_NUMBER:
                raise ReplyError("ERR resulting score is not a number (NaN)")
            if outcome & MEMBER_ADDED:
                added += 1
            elif outcome & SCORE_UPDATED:
                updated += 1
        if added or updated:
            c.changed(key, "zincr" if flags & ADD_INCR else "zadd", added + updated)
    if flags & ADD_INCR:
        return None if outcome & NOTHING_ADDED else result
    return added + updated if count_changes else added


@command("ZREM key member [member ...]", WRITE | FAST, since="1.2.0", group="sorted-set", keys="RW DELETE",
         complexity="O(M*log(N)) with N the size of the sorted set and M the number of members given")
def zrem(c: Call, key: bytes, *members: bytes):
    """Remove members; the number that were there."""
    values: SortedSet = c.sorted_set_at(key)
    removed: cython.Py_ssize_t = 0
    if values is not None:
        for member in members:
            removed += values.discard(member)
    if removed:
        c.changed(key, "zrem", removed)
    return removed


@command("ZCARD key", READONLY | FAST, since="1.2.0", group="sorted-set", keys="RO", complexity="O(1)")
def zcard(c: Call, key: bytes):
    """The number of members."""
    values: SortedSet = c.sorted_set_at(key)
    return 0 if values is None else values.length()


@command("ZSCORE key member", READONLY | FAST, since="1.2.0", group="sorted-set", keys="RO ACCESS", complexity="O(1)")
def zscore(c: Call, key: bytes, member: bytes):
    """The score of a member."""
    values: SortedSet = c.sorted_set_at(key)
    return None if values is None else values.score(member)


@command("ZMSCORE key member [member ...]", READONLY | FAST, since="6.2.0", group="sorted-set", keys="RO ACCESS",
         complexity="O(N) with N the number of members given")
def zmscore(c: Call, key: bytes, *members: bytes):
    """The scores of several members, null for those that are missing."""
    values: SortedSet = c.sorted_set_at(key)
    return [None if values is None else values.score(member) for member in members]


@command("ZRANK key member [WITHSCORE]", READONLY | FAST, since="2.0.0", group="sorted-set", keys="RO ACCESS",
         complexity="O(log(N)) with N the size of the sorted set")
def zrank(c: Call, key: bytes, member: bytes, *options: bytes):
    """The rank of a member, counted from the lowest score."""
    return rank(c, "zrank", key, member, options, False)


@command("ZREVRANK key member [WITHSCORE]", READONLY | FAST, since="2.0.0", group="sorted-set", keys="RO ACCESS",
         complexity="O(log(N)) with N the size of the sorted set")
def zrevrank(c: Call, key: bytes, member: bytes, *options: bytes):
    """The rank of a member, counted from the highest score."""
    return rank(c, "zrevrank", key, member, options, True)


@cython.cfunc
def rank(c: Call, name: str, key: bytes, member: bytes, options: tuple, reverse: cython.bint):
    score: cython.double = 0
    place: cython.Py_ssize_t
    values: SortedSet
    if len(options) > 1:
        raise WrongArity(name)
    if options and options[0].lower() != b"withscore":
        raise SyntaxFault()
    values = c.sorted_set_at(key)
    place = -1 if values is None else values.rank(member, len(member), cython.address(score))
    if place < 0:
        return NULL_ARRAY if options else None
    if reverse:
        place = values.length() - 1 - place
    return [place, score] if options else place


# --- popping ---------------------------------------------------------------------------------------------------------

@command("ZPOPMIN key [count]", WRITE | FAST, since="5.0.0", group="sorted-set", keys="RW ACCESS DELETE",
         complexity="O(M*log(N)) with N the size of the sorted set and M the number of members removed")
def zpopmin(c: Call, key: bytes, *options: bytes):
    """Remove the members with the lowest scores and return them."""
    return pop(c, key, options, False)


@command("ZPOPMAX key [count]", WRITE | FAST, since="5.0.0", group="sorted-set", keys="RW ACCESS DELETE",
         complexity="O(M*log(N)) with N the size of the sorted set and M the number of members removed")
def zpopmax(c: Call, key: bytes, *options: bytes):
    """Remove the members with the highest scores and return them."""
    return pop(c, key, options, True)


@cython.cfunc
def pop(c: Call, key: bytes, options: tuple, highest: cython.bint):
    if len(options) > 1:
        raise SyntaxFault()
    count = 1
    if options:
        try:
            count = parse_integer(options[0])
        except NotInteger:
            count = -1
        if count < 0:
            raise NotPositive()
    values: SortedSet = c.sorted_set_at(key)
    popped = [] if values is None else take(c, key, values, count, highest)
    return MemberScores(popped) if options else popped


@cython.cfunc
def take(c: Call, key: bytes, values: SortedSet, count, highest: cython.bint) -> list:
    """Removes up to `count` members from one end: `[member, score, ...]`."""
    popped: list = values.pop(count, highest)
    if popped:
        c.changed(key, "zpopmax" if highest else "zpopmin", len(popped) // 2)
    return popped


@command("ZMPOP numkeys key [key ...] <MIN | MAX> [COUNT count]", WRITE, since="7.0.0", group="sorted-set",
         keys="RW ACCESS DELETE",
         complexity="O(K)+O(M*log(N)) with K the number of keys, N the size of the sorted set and M the members removed")
def zmpop(c: Call, *words: bytes):
    """Remove members with the lowest or the highest scores from the first sorted set that is not empty."""
    keys, highest, count = keys_and_end(words)
    reply = pop_first(c, keys, count, highest)
    return NULL_ARRAY if reply is None else reply


@command("BZPOPMIN key [key ...] timeout", WRITE | FAST | BLOCKING, since="5.0.0", group="sorted-set",
         keys="RW ACCESS DELETE", complexity="O(log(N)) with N the size of the sorted set")
def bzpopmin(c: Call, *words: bytes):
    """Remove the member with the lowest score from the first sorted set that is not empty; wait until there is one."""
    return pop_or_wait(c, words, False)


@command("BZPOPMAX key [key ...] timeout", WRITE | FAST | BLOCKING, since="5.0.0", group="sorted-set",
         keys="RW ACCESS DELETE", complexity="O(log(N)) with N the size of the sorted set")
def bzpopmax(c: Call, *words: bytes):
    """Remove the member with the highest score from the first sorted set that is not empty; wait until there is one."""
    return pop_or_wait(c, words, True)


@cython.cfunc
def pop_or_wait(c: Call, words: tuple, highest: cython.bint):
    keys: tuple = words[:-1]
    seconds = c.timeout(words[-1])
    key: bytes
    values: SortedSet
    for key in keys:
        values = waited_for(c, key)
        if values is not None:
            popped = take(c, key, values, 1, highest)
            c.propagate(b"ZPOPMAX" if highest else b"ZPOPMIN", key)
            return [key, *popped]
    return c.wait(keys, seconds)


@command("BZMPOP timeout numkeys key [key ...] <MIN | MAX> [COUNT count]", WRITE | BLOCKING, since="7.0.0", group="sorted-set",
         keys="RW ACCESS DELETE",
         complexity="O(K)+O(M*log(N)) with K the number of keys, N the size of the sorted set and M the members removed")
def bzmpop(c: Call, timeout: bytes, *words: bytes):
    """Remove members from one end of the first sorted set that is not empty; wait until there is one."""
    keys, highest, count = keys_and_end(words)
    seconds = c.timeout(timeout)
    reply = pop_first(c, keys, count, highest)
    return c.wait(keys, seconds) if reply is None else reply


@cython.cfunc
def waited_for(c: Call, key: bytes):
    """The sorted set, None if the key is missing. When a client that waits is served, a key of another type is passed over:
    it has become that since, and another key is the one that is ready."""
    if c.resuming is not None and c.kind(key) != "zset":
        return None
    return c.sorted_set_at(key)


@cython.cfunc
def keys_and_end(words: tuple):
    """`(keys, highest, count)` of `numkeys key [key ...] <MIN | MAX> [COUNT count]`."""
    number = positive(words[0], "ERR numkeys should be greater than 0")
    if number + 1 >= len(words):
        raise SyntaxFault()
    keys = words[1:number + 1]
    end = words[number + 1].lower()
    options = words[number + 2:]
    if end not in (b"min", b"max"):
        raise SyntaxFault()
    count = 1
    if options:
        if options[0].lower() != b"count" or len(options) == 1:
            raise SyntaxFault()
        count = positive(options[1], "ERR count should be greater than 0")
        if len(options) > 2:
            raise SyntaxFault()
    return keys, end == b"max", count


@cython.cfunc
def pop_first(c: Call, keys: tuple, count, highest: cython.bint):
    """`[key, [[member, score], ...]]` of the first sorted set that is there, or None."""
    key: bytes
    values: SortedSet
    for key in keys:
        values = waited_for(c, key)
        if values is not None:
            popped = take(c, key, values, count, highest)
            c.propagate(b"ZPOPMAX" if highest else b"ZPOPMIN", key, b"%d" % count)
            return [key, [popped[i:i + 2] for i in range(0, len(popped), 2)]]
    return None


# --- chance and iteration --------------------------------------------------------------------------------------------

@command("ZRANDMEMBER key [count [WITHSCORES]]", READONLY, since="6.2.0", group="sorted-set", keys="RO ACCESS",
         complexity="O(N*log(M)) with N the number of members returned and M the size of the sorted set")
def zrandmember(c: Call, key: bytes, *options: bytes):
    """Members picked by chance. A count gives up to so many different ones; a negative count that many, with repetitions."""
    values: SortedSet
    if not options:
        values = c.sorted_set_at(key)
        return None if values is None else values.at(random_below(values.length()))[0]
    count = random_count(options[0])
    if len(options) > 2 or (len(options) == 2 and options[1].lower() != b"withscores"):
        raise SyntaxFault()
    scores = len(options) == 2
    if scores and not -(LONGEST // 2) <= count <= LONGEST // 2:
        raise ReplyError("ERR value is out of range")
    values = c.sorted_set_at(key)
    if values is None:
        return []
    size: cython.Py_ssize_t = values.length()
    if count >= size:
        return MemberScores(values.items()) if scores else values.members()
    if count >= 0:
        picked = [values.at(place) for place in random.sample(range(size), count)]
    else:
        picked = [values.at(random_below(size)) for _ in range(-count)]
    if scores:
        return MemberScores([x for pair in picked for x in pair])
    return [member for member, _ in picked]


@command("ZSCAN key cursor [MATCH pattern] [COUNT count]", READONLY, since="2.8.0", group="sorted-set", keys="RO ACCESS",
         complexity="O(1) for each call, O(N) for a whole iteration, with N the size of the sorted set")
def zscan(c: Call, key: bytes, cursor: bytes, *options: bytes):
    """Iterate over the members with their scores, a few for each call."""
    place = parse_cursor(cursor)
    values: SortedSet = c.sorted_set_at(key)
    if values is None:
        return [b"0", []]
    pattern, count, _ = scan_options(options)
    place, found = values.scan(place, count, pattern)
    return [b"%d" % place, found]
