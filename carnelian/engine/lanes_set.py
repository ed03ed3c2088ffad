# cython: language_level=3, cdivision=True
"""Twins of the words on sets."""
import cython
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.lanes import ELSEWHERE, FOUND, MISSING, effect, reach, read, vanish
from cython.cimports.carnelian.keyspace.session import Session
from cython.cimports.carnelian.protocol.reader import Slice
from cython.cimports.carnelian.types.listpack import Item
from cython.cimports.carnelian.types.set import Set, SetWalk
from cython.cimports.carnelian.types.table import SET, Entry, entry_object


@cython.cfunc
@cython.exceptval(-1, check=False)
def sadd(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    i: cython.int
    new: cython.int = 0
    found: cython.int
    members: Set
    e: cython.pointer(Entry)
    if count < 3:
        return 0
    found = reach(engine.store, session.db, cython.address(words[1]), SET, cython.address(e))
    if found == ELSEWHERE:
        return 0
    if found == MISSING:
        members = Set()
        members.reserve(words[2].data, words[2].length, count - 2)
        session.db.put_object(words[1].data, words[1].length, SET, members, False)
    else:
        members = cython.cast(Set, entry_object(e))
    for i in range(2, count):
        new += members.add(words[i].data, words[i].length)
    session.writer.integer(new)
    if new:
        effect(engine.store, session.db, cython.address(words[1]), new, "sadd", "set")
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def srem(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    i: cython.int
    removed: cython.int = 0
    members: Set
    e: cython.pointer(Entry)
    if count < 3 or reach(engine.store, session.db, cython.address(words[1]), SET, cython.address(e)) != FOUND:
        return 0
    members = cython.cast(Set, entry_object(e))
    for i in range(2, count):
        if members.remove(words[i].data, words[i].length):
            removed += 1
            if members.length() == 0:
                break
    session.writer.integer(removed)
    if removed:
        taken(engine, session, words, members, removed, "srem")
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def taken(engine: Engine, session: Session, words: cython.pointer(Slice), members: Set, removed: cython.int,
          event: str) -> cython.int:
    effect(engine.store, session.db, cython.address(words[1]), removed, event, "set")
    if members.length() == 0:
        vanish(engine.store, session.db, cython.address(words[1]))
    return 0


@cython.cfunc
@cython.exceptval(-1, check=False)
def spop(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    """One member."""
    member: Item
    members: Set
    e: cython.pointer(Entry)
    found: cython.int
    if count != 2:
        return 0
    found = reach(engine.store, session.db, cython.address(words[1]), SET, cython.address(e))
    if found == ELSEWHERE:
        return 0
    if found == MISSING:
        session.writer.null()
        return 1
    members = cython.cast(Set, entry_object(e))
    members.random(cython.address(member))
    session.writer.bulk(member.data, member.length)
    if engine.store.journal is not None:
        engine.store.journal.tell(session.db.index, 3)
        engine.store.journal.word(b"SREM", 4)
        engine.store.journal.word(words[1].data, words[1].length)
        engine.store.journal.word(member.data, member.length)
    members.remove_item(cython.address(member))
    taken(engine, session, words, members, 1, "spop")
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def sismember(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    e: cython.pointer(Entry)
    found: cython.int
    if count != 3:
        return 0
    found = read(engine.store, session.db, cython.address(words[1]), SET, cython.address(e))
    if found == ELSEWHERE:
        return 0
    session.writer.integer(found == FOUND and cython.cast(Set, entry_object(e)).has(words[2].data, words[2].length))
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def smembers(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    at: SetWalk
    member: Item
    members: Set
    e: cython.pointer(Entry)
    found: cython.int
    if count != 2:
        return 0
    found = read(engine.store, session.db, cython.address(words[1]), SET, cython.address(e))
    if found == ELSEWHERE:
        return 0
    if found == MISSING:
        session.writer.set(0)
        return 1
    members = cython.cast(Set, entry_object(e))
    session.writer.set(members.length())
    members.start(cython.address(at))
    while members.next(cython.address(at), cython.address(member)):
        session.writer.bulk(member.data, member.length)
    return 1


@cython.ccall
def install(engine: Engine):
    engine.set_twin(b"sadd", sadd)
    engine.set_twin(b"srem", srem)
    engine.set_twin(b"sismember", sismember)
    engine.set_twin(b"spop", spop)
    engine.set_twin(b"smembers", smembers)
