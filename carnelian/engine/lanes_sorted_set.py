# cython: language_level=3, cdivision=True
"""Twins of the words on sorted sets."""
import cython
from cython.cimports.carnelian.base.numbers import text_to_double, text_to_integer
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.lanes import ELSEWHERE, FOUND, MISSING, bounds, effect, reach, read, says, vanish
from cython.cimports.carnelian.keyspace.session import Session
from cython.cimports.carnelian.protocol.reader import Slice
from cython.cimports.carnelian.types.sorted_set import (
    ADD_INCR, MEMBER_ADDED, NOT_A_NUMBER, SCORE_UPDATED, Member, SortedSet, Walk, walk_next)
from cython.cimports.carnelian.types.table import SORTED_SET, Entry, entry_object
from cython.cimports.libc.stdint import int64_t
from cython.cimports.libc.math import isinf


@cython.cfunc
@cython.exceptval(-1, check=False)
def zadd(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    """ZADD key score member, without options; one pair (of several, the scores would have to be read twice)."""
    score: cython.double
    result: cython.double
    done: cython.int
    found: cython.int
    members: SortedSet
    e: cython.pointer(Entry)
    if count != 4 or not text_to_double(words[2].data, words[2].length, cython.address(score)):
        return 0
    found = reach(engine.store, session.db, cython.address(words[1]), SORTED_SET, cython.address(e))
    if found == ELSEWHERE:
        return 0
    if found == MISSING:
        members = SortedSet()
        members.choose(1, words[3].length)
        session.db.put_object(words[1].data, words[1].length, SORTED_SET, members, False)
    else:
        members = cython.cast(SortedSet, entry_object(e))
    done = members.add(score, words[3].data, words[3].length, 0, cython.address(result))
    session.writer.integer(1 if done & MEMBER_ADDED else 0)
    if done & (MEMBER_ADDED | SCORE_UPDATED):
        effect(engine.store, session.db, cython.address(words[1]), 1, "zadd", "sorted-set")
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def zincrby(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    """On a sorted set that is there."""
    amount: cython.double
    result: cython.double
    done: cython.int
    members: SortedSet
    e: cython.pointer(Entry)
    if count != 4 or not text_to_double(words[2].data, words[2].length, cython.address(amount)) or isinf(amount) \
            or reach(engine.store, session.db, cython.address(words[1]), SORTED_SET, cython.address(e)) != FOUND:
        return 0
    members = cython.cast(SortedSet, entry_object(e))
    done = members.add(amount, words[3].data, words[3].length, ADD_INCR, cython.address(result))
    if done & NOT_A_NUMBER:
        return 0
    session.writer.double(result)
    if done & (MEMBER_ADDED | SCORE_UPDATED):
        effect(engine.store, session.db, cython.address(words[1]), 1, "zincr", "sorted-set")
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def zscore(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    score: cython.double
    e: cython.pointer(Entry)
    found: cython.int
    if count != 3:
        return 0
    found = read(engine.store, session.db, cython.address(words[1]), SORTED_SET, cython.address(e))
    if found == ELSEWHERE:
        return 0
    if found == FOUND and cython.cast(SortedSet, entry_object(e)).score_of(
            words[2].data, words[2].length, cython.address(score)):
        session.writer.double(score)
    else:
        session.writer.null()
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def zrank(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    score: cython.double
    rank: cython.Py_ssize_t = -1
    e: cython.pointer(Entry)
    found: cython.int
    if count != 3:
        return 0
    found = read(engine.store, session.db, cython.address(words[1]), SORTED_SET, cython.address(e))
    if found == ELSEWHERE:
        return 0
    if found == FOUND:
        rank = cython.cast(SortedSet, entry_object(e)).rank(words[2].data, words[2].length, cython.address(score))
    if rank < 0:
        session.writer.null()
    else:
        session.writer.integer(rank)
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def pop(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int, last: cython.bint) -> cython.int:
    member: Member
    length: cython.Py_ssize_t
    members: SortedSet
    e: cython.pointer(Entry)
    found: cython.int
    if count != 2:
        return 0
    found = reach(engine.store, session.db, cython.address(words[1]), SORTED_SET, cython.address(e))
    if found == ELSEWHERE:
        return 0
    if found == MISSING:
        session.writer.array(0)
        return 1
    members = cython.cast(SortedSet, entry_object(e))
    members.peek(cython.address(member), last)
    session.writer.array(2)
    session.writer.bulk(member.data, member.length)
    session.writer.double(member.score)
    length = members.length()
    if last:
        members.remove_ranks(length - 1, length)
    else:
        members.remove_ranks(0, 1)
    effect(engine.store, session.db, cython.address(words[1]), 1, "zpopmax" if last else "zpopmin", "sorted-set")
    if length == 1:
        vanish(engine.store, session.db, cython.address(words[1]))
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def zpopmin(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    return pop(engine, session, words, count, False)


@cython.cfunc
@cython.exceptval(-1, check=False)
def zpopmax(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    return pop(engine, session, words, count, True)


@cython.cfunc
@cython.exceptval(-1, check=False)
def by_rank(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int, reverse: cython.bint) -> cython.int:
    """With or without WITHSCORES."""
    member: Member
    at: Walk
    start: int64_t
    length: int64_t = 0
    i: int64_t
    scores: cython.bint = count == 5
    members: SortedSet
    e: cython.pointer(Entry)
    found: cython.int
    if count < 4 or count > 5 or scores and not says(cython.address(words[4]), b"WITHSCORES", 10) \
            or bounds(cython.address(words[2]), cython.address(words[3]), 0, cython.address(start)) < 0:
        return 0
    found = read(engine.store, session.db, cython.address(words[1]), SORTED_SET, cython.address(e))
    if found == ELSEWHERE:
        return 0
    if found == FOUND:
        members = cython.cast(SortedSet, entry_object(e))
        length = bounds(cython.address(words[2]), cython.address(words[3]), members.length(), cython.address(start))
    session.writer.array(length * 2 if scores and session.writer.resp == 2 else length)
    if length == 0:
        return 1
    members.walk(cython.address(at), members.length() - 1 - start if reverse else start, reverse)
    for i in range(length):
        walk_next(cython.address(at), cython.address(member))
        if scores and session.writer.resp == 3:
            session.writer.array(2)
        session.writer.bulk(member.data, member.length)
        if scores:
            session.writer.double(member.score)
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def zrange(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    return by_rank(engine, session, words, count, False)


@cython.cfunc
@cython.exceptval(-1, check=False)
def zrevrange(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    return by_rank(engine, session, words, count, True)


# --- by score --------------------------------------------------------------------------------------------------------

Scores = cython.struct(low=cython.double, high=cython.double, low_open=cython.bint, high_open=cython.bint)


@cython.cfunc
@cython.exceptval(check=False)
def scores_of(low: cython.pointer(Slice), high: cython.pointer(Slice), scores: cython.pointer(Scores)) -> cython.bint:
    """Reads two bounds, each `score` or `(score`; False for what the general body is to look at."""
    scores.low_open = low.length > 0 and low.data[0] == b'('
    scores.high_open = high.length > 0 and high.data[0] == b'('
    return text_to_double(low.data + scores.low_open, low.length - scores.low_open, cython.address(scores.low)) \
        and text_to_double(high.data + scores.high_open, high.length - scores.high_open, cython.address(scores.high))


@cython.cfunc
@cython.exceptval(check=False)
def between(members: SortedSet, scores: cython.pointer(Scores), start: cython.pointer(int64_t)) -> int64_t:
    """How many members have scores between the bounds, and the rank of the first."""
    start[0] = members.rank_of_score(scores.low, scores.low_open)
    return max(members.rank_of_score(scores.high, not scores.high_open) - start[0], 0)


@cython.cfunc
@cython.exceptval(-1, check=False)
def by_score(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int, reverse: cython.bint) -> cython.int:
    """With or without WITHSCORES and LIMIT, in this order or the other."""
    member: Member
    at: Walk
    range: Scores
    start: int64_t = 0
    length: int64_t = 0
    offset: int64_t = 0
    limit: int64_t = -1
    i: cython.int = 4
    scores: cython.bint = False
    members: SortedSet
    e: cython.pointer(Entry)
    found: cython.int
    if count < 4 or not scores_of(cython.address(words[3 if reverse else 2]), cython.address(words[2 if reverse else 3]),
                                  cython.address(range)):
        return 0
    while i < count:
        if says(cython.address(words[i]), b"WITHSCORES", 10):
            scores = True
            i += 1
        elif i + 2 < count and says(cython.address(words[i]), b"LIMIT", 5) \
                and text_to_integer(words[i + 1].data, words[i + 1].length, cython.address(offset)) \
                and text_to_integer(words[i + 2].data, words[i + 2].length, cython.address(limit)) and offset >= 0:
            i += 3
        else:
            return 0
    found = read(engine.store, session.db, cython.address(words[1]), SORTED_SET, cython.address(e))
    if found == ELSEWHERE:
        return 0
    if found == FOUND:
        members = cython.cast(SortedSet, entry_object(e))
        length = between(members, cython.address(range), cython.address(start))
        if offset > length:
            offset = length
        if limit < 0 or limit > length - offset:
            limit = length - offset
    else:
        limit = 0
    session.writer.array(limit * 2 if scores and session.writer.resp == 2 else limit)
    if limit == 0:
        return 1
    members.walk(cython.address(at), start + length - 1 - offset if reverse else start + offset, reverse)
    while limit > 0:
        walk_next(cython.address(at), cython.address(member))
        if scores and session.writer.resp == 3:
            session.writer.array(2)
        session.writer.bulk(member.data, member.length)
        if scores:
            session.writer.double(member.score)
        limit -= 1
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def zrangebyscore(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    return by_score(engine, session, words, count, False)


@cython.cfunc
@cython.exceptval(-1, check=False)
def zrevrangebyscore(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    return by_score(engine, session, words, count, True)


@cython.cfunc
@cython.exceptval(-1, check=False)
def zcount(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    range: Scores
    start: int64_t = 0
    length: int64_t = 0
    e: cython.pointer(Entry)
    found: cython.int
    if count != 4 or not scores_of(cython.address(words[2]), cython.address(words[3]), cython.address(range)):
        return 0
    found = read(engine.store, session.db, cython.address(words[1]), SORTED_SET, cython.address(e))
    if found == ELSEWHERE:
        return 0
    if found == FOUND:
        length = between(cython.cast(SortedSet, entry_object(e)), cython.address(range), cython.address(start))
    session.writer.integer(length)
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def zremrangebyscore(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    range: Scores
    start: int64_t = 0
    length: int64_t
    members: SortedSet
    e: cython.pointer(Entry)
    if count != 4 or not scores_of(cython.address(words[2]), cython.address(words[3]), cython.address(range)) \
            or reach(engine.store, session.db, cython.address(words[1]), SORTED_SET, cython.address(e)) != FOUND:
        return 0
    members = cython.cast(SortedSet, entry_object(e))
    length = between(members, cython.address(range), cython.address(start))
    session.writer.integer(length)
    if length:
        members.remove_ranks(start, start + length)
        effect(engine.store, session.db, cython.address(words[1]), length, "zremrangebyscore", "sorted-set")
        if members.length() == 0:
            vanish(engine.store, session.db, cython.address(words[1]))
    return 1


# --- members ---------------------------------------------------------------------------------------------------------

@cython.cfunc
@cython.exceptval(-1, check=False)
def zcard(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    e: cython.pointer(Entry)
    found: cython.int
    if count != 2:
        return 0
    found = read(engine.store, session.db, cython.address(words[1]), SORTED_SET, cython.address(e))
    if found == ELSEWHERE:
        return 0
    session.writer.integer(cython.cast(SortedSet, entry_object(e)).length() if found == FOUND else 0)
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def zrem(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    """On a sorted set that is there."""
    removed: int64_t = 0
    i: cython.int
    members: SortedSet
    e: cython.pointer(Entry)
    if count < 3 or reach(engine.store, session.db, cython.address(words[1]), SORTED_SET, cython.address(e)) != FOUND:
        return 0
    members = cython.cast(SortedSet, entry_object(e))
    for i in range(2, count):
        removed += members.remove(words[i].data, words[i].length)
    session.writer.integer(removed)
    if removed:
        effect(engine.store, session.db, cython.address(words[1]), removed, "zrem", "sorted-set")
        if members.length() == 0:
            vanish(engine.store, session.db, cython.address(words[1]))
    return 1


@cython.ccall
def install(engine: Engine):
    engine.set_twin(b"zadd", zadd)
    engine.set_twin(b"zincrby", zincrby)
    engine.set_twin(b"zscore", zscore)
    engine.set_twin(b"zpopmin", zpopmin)
    engine.set_twin(b"zpopmax", zpopmax)
    engine.set_twin(b"zrange", zrange)
    engine.set_twin(b"zrevrange", zrevrange)
    engine.set_twin(b"zrank", zrank)
    engine.set_twin(b"zrangebyscore", zrangebyscore)
    engine.set_twin(b"zrevrangebyscore", zrevrangebyscore)
    engine.set_twin(b"zcount", zcount)
    engine.set_twin(b"zremrangebyscore", zremrangebyscore)
    engine.set_twin(b"zcard", zcard)
    engine.set_twin(b"zrem", zrem)
