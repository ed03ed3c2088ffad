# cython: language_level=3, cdivision=True
"""Twins of the words on sets."""
import cython
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.lanes import effect, vanish
from cython.cimports.carnelian.keyspace.session import Session
from cython.cimports.carnelian.keyspace.store import Store
from cython.cimports.carnelian.protocol.reader import Slice
from cython.cimports.carnelian.types.listpack import Item
from cython.cimports.carnelian.types.set import Set, SetWalk
from cython.cimports.carnelian.types.table import SET, Entry, entry_kind, entry_object


@cython.cfunc
@cython.exceptval(-1, check=False)
def sadd(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    i: cython.int
    new: cython.int = 0
    members: Set
    slot: cython.pointer(cython.pointer(Entry))
    if count < 3 or engine.store.notify_flags:
        return 0
    slot = session.db.lookup(words[1].data, words[1].length)
    if slot == cython.NULL:
        members = Set()
        members.reserve(words[2].data, words[2].length, count - 2)
        session.db.put_object(words[1].data, words[1].length, SET, members, False)
    elif entry_kind(slot[0]) != SET:
        return 0
    else:
        members = cython.cast(Set, entry_object(slot[0]))
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
    slot: cython.pointer(cython.pointer(Entry))
    if count < 3:
        return 0
    slot = session.db.lookup(words[1].data, words[1].length)
    if slot == cython.NULL:
        session.writer.integer(0)
        return 1
    if entry_kind(slot[0]) != SET:
        return 0
    members = cython.cast(Set, entry_object(slot[0]))
    for i in range(2, count):
        if members.remove(words[i].data, words[i].length):
            removed += 1
            if members.length() == 0:
                break
    session.writer.integer(removed)
    if removed:
        effect(engine.store, session.db, cython.address(words[1]), removed, "srem", "set")
        if members.length() == 0:
            vanish(engine.store, session.db, cython.address(words[1]))
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def sismember(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    slot: cython.pointer(cython.pointer(Entry))
    if count != 3 or engine.store.notify_flags:
        return 0
    slot = session.db.lookup(words[1].data, words[1].length)
    if slot == cython.NULL:
        engine.store.misses += 1
        session.writer.integer(0)
        return 1
    if entry_kind(slot[0]) != SET:
        return 0
    engine.store.hits += 1
    session.writer.integer(cython.cast(Set, entry_object(slot[0])).has(words[2].data, words[2].length))
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def spop(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    """One member."""
    member: Item
    members: Set
    slot: cython.pointer(cython.pointer(Entry))
    if count != 2:
        return 0
    slot = session.db.lookup(words[1].data, words[1].length)
    if slot == cython.NULL:
        session.writer.null()
        return 1
    if entry_kind(slot[0]) != SET:
        return 0
    members = cython.cast(Set, entry_object(slot[0]))
    members.random(cython.address(member))
    session.writer.bulk(member.data, member.length)
    members.remove_item(cython.address(member))
    effect(engine.store, session.db, cython.address(words[1]), 1, "spop", "set")
    if members.length() == 0:
        vanish(engine.store, session.db, cython.address(words[1]))
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def smembers(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    at: SetWalk
    member: Item
    members: Set
    slot: cython.pointer(cython.pointer(Entry))
    if count != 2 or engine.store.notify_flags:
        return 0
    slot = session.db.lookup(words[1].data, words[1].length)
    if slot == cython.NULL:
        engine.store.misses += 1
        session.writer.set(0)
        return 1
    if entry_kind(slot[0]) != SET:
        return 0
    engine.store.hits += 1
    members = cython.cast(Set, entry_object(slot[0]))
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
