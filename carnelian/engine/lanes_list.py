# cython: language_level=3, cdivision=True
"""Twins of the words on lists."""
import cython
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.lanes import ELSEWHERE, FOUND, MISSING, bounds, effect, reach, read, vanish
from cython.cimports.carnelian.keyspace.session import Session
from cython.cimports.carnelian.protocol.reader import Slice
from cython.cimports.carnelian.types.chain import Walk, walk_next
from cython.cimports.carnelian.types.list import List
from cython.cimports.carnelian.types.listpack import Item
from cython.cimports.carnelian.types.table import LIST, Entry, entry_object
from cython.cimports.libc.stdint import int64_t


@cython.cfunc
@cython.exceptval(-1, check=False)
def push(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int, left: cython.bint) -> cython.int:
    values: List
    e: cython.pointer(Entry)
    found: cython.int
    total: cython.size_t = 0
    i: cython.int
    if count < 3:
        return 0
    found = reach(engine.store, session.db, cython.address(words[1]), LIST, cython.address(e))
    if found == ELSEWHERE:
        return 0
    if found == MISSING:
        values = List()
        session.db.put_object(words[1].data, words[1].length, LIST, values, False)
    else:
        values = cython.cast(List, entry_object(e))
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
    effect(engine.store, session.db, cython.address(words[1]), count - 2, "lpush" if left else "rpush", "list")
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
    e: cython.pointer(Entry)
    found: cython.int
    if count != 2:
        return 0
    found = reach(engine.store, session.db, cython.address(words[1]), LIST, cython.address(e))
    if found == ELSEWHERE:
        return 0
    if found == MISSING:
        session.writer.null()
        return 1
    values = cython.cast(List, entry_object(e))
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
    e: cython.pointer(Entry)
    found: cython.int
    if count != 2:
        return 0
    found = read(engine.store, session.db, cython.address(words[1]), LIST, cython.address(e))
    if found == ELSEWHERE:
        return 0
    session.writer.integer(cython.cast(List, entry_object(e)).length() if found == FOUND else 0)
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def lrange(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    item: Item
    at: Walk
    values: List
    start: int64_t
    length: int64_t = 0
    i: int64_t
    e: cython.pointer(Entry)
    found: cython.int
    if count != 4 or bounds(cython.address(words[2]), cython.address(words[3]), 0, cython.address(start)) < 0:
        return 0
    found = read(engine.store, session.db, cython.address(words[1]), LIST, cython.address(e))
    if found == ELSEWHERE:
        return 0
    if found == FOUND:
        values = cython.cast(List, entry_object(e))
        length = bounds(cython.address(words[2]), cython.address(words[3]), values.length(), cython.address(start))
    session.writer.array(length)
    if length:
        values.walk(cython.address(at), start, True)
        for i in range(length):
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
