# cython: language_level=3, cdivision=True
"""Twins of the words on sorted sets."""
import cython
from cython.cimports.carnelian.base.numbers import text_to_double, text_to_integer
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.lanes import effect, says, vanish
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.session import Session
from cython.cimports.carnelian.keyspace.store import Store
from cython.cimports.carnelian.protocol.reader import Slice
from cython.cimports.carnelian.types.sorted_set import (
    ADD_INCR, MEMBER_ADDED, NOT_A_NUMBER, SCORE_UPDATED, Member, SortedSet, Walk, walk_next)
from cython.cimports.libc.stdint import int64_t
from cython.cimports.carnelian.types.table import SORTED_SET, Entry, entry_kind, entry_object
from cython.cimports.libc.math import isinf


@cython.cfunc
@cython.exceptval(-1, check=False)
def zadd(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    """ZADD key score member, without options; one pair (of several, the scores would have to be read twice)."""
    score: cython.double
    result: cython.double
    done: cython.int
    members: SortedSet
    slot: cython.pointer(cython.pointer(Entry))
    store: Store = engine.store
    if count != 4 or store.notify_flags or not text_to_double(words[2].data, words[2].length, cython.address(score)):
        return 0
    slot = session.db.lookup(words[1].data, words[1].length)
    if slot == cython.NULL:
        members = SortedSet()
        members.choose(1, words[3].length)
        session.db.put_object(words[1].data, words[1].length, SORTED_SET, members, False)
    elif entry_kind(slot[0]) != SORTED_SET:
        return 0
    else:
        members = cython.cast(SortedSet, entry_object(slot[0]))
    done = members.add(score, words[3].data, words[3].length, 0, cython.address(result))
    session.writer.integer(1 if done & MEMBER_ADDED else 0)
    if done & (MEMBER_ADDED | SCORE_UPDATED):
        effect(store, session.db, cython.address(words[1]), 1, "zadd", "sorted-set")
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def zincrby(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    amount: cython.double
    result: cython.double
    done: cython.int
    members: SortedSet
    slot: cython.pointer(cython.pointer(Entry))
    store: Store = engine.store
    if count != 4 or store.notify_flags or not text_to_double(words[2].data, words[2].length, cython.address(amount)) \
            or isinf(amount):
        return 0
    slot = session.db.lookup(words[1].data, words[1].length)
    if slot == cython.NULL:
        return 0
    if entry_kind(slot[0]) != SORTED_SET:
        return 0
    members = cython.cast(SortedSet, entry_object(slot[0]))
    done = members.add(amount, words[3].data, words[3].length, ADD_INCR, cython.address(result))
    if done & NOT_A_NUMBER:
        return 0
    session.writer.double(result)
    if done & (MEMBER_ADDED | SCORE_UPDATED):
        effect(store, session.db, cython.address(words[1]), 1, "zincr", "sorted-set")
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def zscore(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    score: cython.double
    slot: cython.pointer(cython.pointer(Entry))
    if count != 3 or engine.store.notify_flags:
        return 0
    slot = session.db.lookup(words[1].data, words[1].length)
    if slot == cython.NULL:
        engine.store.misses += 1
        session.writer.null()
        return 1
    if entry_kind(slot[0]) != SORTED_SET:
        return 0
    engine.store.hits += 1
    if cython.cast(SortedSet, entry_object(slot[0])).score_of(words[2].data, words[2].length, cython.address(score)):
        session.writer.double(score)
    else:
        session.writer.null()
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def zpop(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int, last: cython.bint) -> cython.int:
    member: Member
    length: cython.Py_ssize_t
    members: SortedSet
    slot: cython.pointer(cython.pointer(Entry))
    if count != 2:
        return 0
    slot = session.db.lookup(words[1].data, words[1].length)
    if slot == cython.NULL:
        session.writer.array(0)
        return 1
    if entry_kind(slot[0]) != SORTED_SET:
        return 0
    members = cython.cast(SortedSet, entry_object(slot[0]))
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
    return zpop(engine, session, words, count, False)


@cython.cfunc
@cython.exceptval(-1, check=False)
def zpopmax(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    return zpop(engine, session, words, count, True)


@cython.cfunc
@cython.exceptval(-1, check=False)
def zrange_(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int, reverse: cython.bint) -> cython.int:
    """By rank, with or without WITHSCORES."""
    member: Member
    at: Walk
    start: int64_t
    stop: int64_t
    length: int64_t
    i: int64_t
    scores: cython.bint = False
    members: SortedSet
    slot: cython.pointer(cython.pointer(Entry))
    if engine.store.notify_flags or count < 4 or count > 5:
        return 0
    if count == 5:
        if not says(cython.address(words[4]), b"WITHSCORES", 10):
            return 0
        scores = True
    if not text_to_integer(words[2].data, words[2].length, cython.address(start)) \
            or not text_to_integer(words[3].data, words[3].length, cython.address(stop)):
        return 0
    slot = session.db.lookup(words[1].data, words[1].length)
    if slot == cython.NULL:
        engine.store.misses += 1
        session.writer.array(0)
        return 1
    if entry_kind(slot[0]) != SORTED_SET:
        return 0
    engine.store.hits += 1
    members = cython.cast(SortedSet, entry_object(slot[0]))
    length = members.length()
    if start < 0:
        start = max(start + length, 0)
    if stop < 0:
        stop += length
    if stop >= length:
        stop = length - 1
    if start > stop:
        session.writer.array(0)
        return 1
    length = stop - start + 1
    session.writer.array(length * 2 if scores and session.writer.resp == 2 else length)
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
    return zrange_(engine, session, words, count, False)


@cython.cfunc
@cython.exceptval(-1, check=False)
def zrevrange(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    return zrange_(engine, session, words, count, True)


@cython.cfunc
@cython.exceptval(-1, check=False)
def zrank(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    score: cython.double
    rank: cython.Py_ssize_t
    slot: cython.pointer(cython.pointer(Entry))
    if count != 3 or engine.store.notify_flags:
        return 0
    slot = session.db.lookup(words[1].data, words[1].length)
    if slot == cython.NULL:
        engine.store.misses += 1
        session.writer.null()
        return 1
    if entry_kind(slot[0]) != SORTED_SET:
        return 0
    engine.store.hits += 1
    rank = cython.cast(SortedSet, entry_object(slot[0])).rank(words[2].data, words[2].length, cython.address(score))
    if rank < 0:
        session.writer.null()
    else:
        session.writer.integer(rank)
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
