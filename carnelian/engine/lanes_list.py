# cython: language_level=3, cdivision=True
"""Twins of the words on lists."""
import cython
from cython.cimports.carnelian.base.numbers import text_to_integer
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.lanes import effect, vanish
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.session import Session
from cython.cimports.carnelian.keyspace.store import Store
from cython.cimports.carnelian.protocol.reader import Slice
from cython.cimports.carnelian.types.chain import Walk, walk_next
from cython.cimports.carnelian.types.list import List
from cython.cimports.carnelian.types.listpack import Item
from cython.cimports.libc.stdint import int64_t
from cython.cimports.carnelian.types.table import LIST, Entry, entry_kind, entry_object


@cython.cfunc
@cython.exceptval(-1, check=False)
def push(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int, left: cython.bint) -> cython.int:
    values: List
    slot: cython.pointer(cython.pointer(Entry))
    store: Store = engine.store
    total: cython.size_t = 0
    i: cython.int
    if count < 3 or store.notify_flags:
        return 0
    slot = session.db.lookup(words[1].data, words[1].length)
    if slot == cython.NULL:
        values = List()
        session.db.put_object(words[1].data, words[1].length, LIST, values, False)
    elif entry_kind(slot[0]) != LIST:
        return 0
    else:
        values = cython.cast(List, entry_object(slot[0]))
    if count > 3:
        for i in range(2, count):
            total += words[i].length
        values.expect(total, count - 2)
    for i in range(2, count):
        if left:
            values.put_left(words[i].data, words[i].length)
        else:
            values.put_right(words[i].data, words[i].length)
    session.writer.integer(values.length())
    effect(store, session.db, cython.address(words[1]), count - 2, "lpush" if left else "rpush", "list")
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def lpush(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    return push(engine, session, words, count, True)


@cython.cfunc
@cython.exceptval(-1, check=False)
def rpush(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    return push(engine, session, words, count, False)


@cython.cfunc
@cython.exceptval(-1, check=False)
def pop(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int, left: cython.bint) -> cython.int:
    item: Item
    values: List
    slot: cython.pointer(cython.pointer(Entry))
    if count != 2:
        return 0
    slot = session.db.lookup(words[1].data, words[1].length)
    if slot == cython.NULL:
        session.writer.null()
        return 1
    if entry_kind(slot[0]) != LIST:
        return 0
    values = cython.cast(List, entry_object(slot[0]))
    if left:
        values.peek_left(cython.address(item))
        session.writer.bulk(item.data, item.length)
        values.drop_left()
    else:
        values.peek_right(cython.address(item))
        session.writer.bulk(item.data, item.length)
        values.drop_right()
    effect(engine.store, session.db, cython.address(words[1]), 1, "lpop" if left else "rpop", "list")
    if values.length() == 0:
        vanish(engine.store, session.db, cython.address(words[1]))
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def lpop(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    return pop(engine, session, words, count, True)


@cython.cfunc
@cython.exceptval(-1, check=False)
def rpop(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    return pop(engine, session, words, count, False)


@cython.cfunc
@cython.exceptval(-1, check=False)
def llen(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    slot: cython.pointer(cython.pointer(Entry))
    if count != 2 or engine.store.notify_flags:
        return 0
    slot = session.db.lookup(words[1].data, words[1].length)
    if slot == cython.NULL:
        engine.store.misses += 1
        session.writer.integer(0)
        return 1
    if entry_kind(slot[0]) != LIST:
        return 0
    engine.store.hits += 1
    session.writer.integer(cython.cast(List, entry_object(slot[0])).length())
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def lrange(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    item: Item
    at: Walk
    values: List
    start: int64_t
    stop: int64_t
    length: int64_t
    i: int64_t
    slot: cython.pointer(cython.pointer(Entry))
    if count != 4 or engine.store.notify_flags \
            or not text_to_integer(words[2].data, words[2].length, cython.address(start)) \
            or not text_to_integer(words[3].data, words[3].length, cython.address(stop)):
        return 0
    slot = session.db.lookup(words[1].data, words[1].length)
    if slot == cython.NULL:
        engine.store.misses += 1
        session.writer.array(0)
        return 1
    if entry_kind(slot[0]) != LIST:
        return 0
    engine.store.hits += 1
    values = cython.cast(List, entry_object(slot[0]))
    length = values.length()
    if start < 0:
        start = max(start + length, 0)
    if stop < 0:
        stop += length
    if stop >= length:
        stop = length - 1
    if start > stop:
        session.writer.array(0)
        return 1
    session.writer.array(stop - start + 1)
    values.walk(cython.address(at), start, True)
    for i in range(stop - start + 1):
        walk_next(cython.address(at), cython.address(item))
        session.writer.bulk(item.data, item.length)
    return 1


@cython.ccall
def install(engine: Engine):
    engine.set_twin(b"lpush", lpush)
    engine.set_twin(b"rpush", rpush)
    engine.set_twin(b"lpop", lpop)
    engine.set_twin(b"rpop", rpop)
    engine.set_twin(b"llen", llen)
    engine.set_twin(b"lrange", lrange)
