# cython: language_level=3, cdivision=True
"""Twins of the words on hashes."""
import cython
from cython.cimports.carnelian.base.numbers import integer_to_text, text_to_integer
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.lanes import effect, vanish
from cython.cimports.carnelian.keyspace.session import Session
from cython.cimports.carnelian.keyspace.store import Store
from cython.cimports.carnelian.protocol.reader import Slice
from cython.cimports.carnelian.types.hash import Hash, HashWalk
from cython.cimports.carnelian.types.listpack import Item
from cython.cimports.carnelian.types.table import HASH, Entry, entry_kind, entry_object
from cython.cimports.libc.stdint import int64_t


@cython.cfunc
@cython.exceptval(-1, check=False)
def put(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    """Sets the fields: how many are new, -1 is an error, -2: not for a twin."""
    i: cython.int
    new: cython.int = 0
    fields: Hash
    slot: cython.pointer(cython.pointer(Entry))
    if count < 4 or count % 2 != 0 or engine.store.notify_flags:
        return -2
    slot = session.db.lookup(words[1].data, words[1].length)
    if slot == cython.NULL:
        fields = Hash()
        fields.reserve((count - 2) // 2)
        session.db.put_object(words[1].data, words[1].length, HASH, fields, False)
    elif entry_kind(slot[0]) != HASH:
        return -2
    else:
        fields = cython.cast(Hash, entry_object(slot[0]))
    for i in range(2, count, 2):
        new += fields.set_field(words[i].data, words[i].length, words[i + 1].data, words[i + 1].length)
    return new


@cython.cfunc
@cython.exceptval(-1, check=False)
def hset(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    new: cython.int = put(engine, session, words, count)
    if new < 0:
        return 0
    session.writer.integer(new)
    effect(engine.store, session.db, cython.address(words[1]), (count - 2) // 2, "hset", "hash")
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def hmset(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    if put(engine, session, words, count) < 0:
        return 0
    session.writer.raw(b"+OK\r\n", 5)
    effect(engine.store, session.db, cython.address(words[1]), (count - 2) // 2, "hset", "hash")
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def hget(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    value: Item
    slot: cython.pointer(cython.pointer(Entry))
    if count != 3 or engine.store.notify_flags:
        return 0
    slot = session.db.lookup(words[1].data, words[1].length)
    if slot == cython.NULL:
        engine.store.misses += 1
        session.writer.null()
        return 1
    if entry_kind(slot[0]) != HASH:
        return 0
    engine.store.hits += 1
    if cython.cast(Hash, entry_object(slot[0])).get_field(words[2].data, words[2].length, cython.address(value)):
        session.writer.bulk(value.data, value.length)
    else:
        session.writer.null()
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def hmget(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    i: cython.int
    value: Item
    fields: Hash
    slot: cython.pointer(cython.pointer(Entry))
    if count < 3 or engine.store.notify_flags:
        return 0
    slot = session.db.lookup(words[1].data, words[1].length)
    if slot == cython.NULL or entry_kind(slot[0]) != HASH:
        return 0
    engine.store.hits += 1
    fields = cython.cast(Hash, entry_object(slot[0]))
    session.writer.array(count - 2)
    for i in range(2, count):
        if fields.get_field(words[i].data, words[i].length, cython.address(value)):
            session.writer.bulk(value.data, value.length)
        else:
            session.writer.null()
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def hgetall(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    at: HashWalk
    field: Item
    value: Item
    fields: Hash
    slot: cython.pointer(cython.pointer(Entry))
    if count != 2 or engine.store.notify_flags:
        return 0
    slot = session.db.lookup(words[1].data, words[1].length)
    if slot == cython.NULL:
        engine.store.misses += 1
        session.writer.map(0)
        return 1
    if entry_kind(slot[0]) != HASH:
        return 0
    engine.store.hits += 1
    fields = cython.cast(Hash, entry_object(slot[0]))
    session.writer.map(fields.length())
    fields.start(cython.address(at))
    while fields.next(cython.address(at), cython.address(field), cython.address(value)):
        session.writer.bulk(field.data, field.length)
        session.writer.bulk(value.data, value.length)
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def hdel(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    i: cython.int
    removed: cython.int = 0
    fields: Hash
    slot: cython.pointer(cython.pointer(Entry))
    if count < 3:
        return 0
    slot = session.db.lookup(words[1].data, words[1].length)
    if slot == cython.NULL:
        session.writer.integer(0)
        return 1
    if entry_kind(slot[0]) != HASH:
        return 0
    fields = cython.cast(Hash, entry_object(slot[0]))
    for i in range(2, count):
        if fields.delete_field(words[i].data, words[i].length):
            removed += 1
            if fields.length() == 0:
                break
    session.writer.integer(removed)
    if removed:
        effect(engine.store, session.db, cython.address(words[1]), removed, "hdel", "hash")
        if fields.length() == 0:
            vanish(engine.store, session.db, cython.address(words[1]))
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def hexists(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    slot: cython.pointer(cython.pointer(Entry))
    if count != 3 or engine.store.notify_flags:
        return 0
    slot = session.db.lookup(words[1].data, words[1].length)
    if slot == cython.NULL or entry_kind(slot[0]) != HASH:
        return 0
    engine.store.hits += 1
    session.writer.integer(cython.cast(Hash, entry_object(slot[0])).has_field(words[2].data, words[2].length))
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def hincrby(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    """On a hash that is there, within half of the range of 64 bits."""
    value: Item
    amount: int64_t
    number: int64_t = 0
    n: cython.size_t
    digits: cython.char[32]
    fields: Hash
    slot: cython.pointer(cython.pointer(Entry))
    if count != 4 or engine.store.notify_flags \
            or not text_to_integer(words[3].data, words[3].length, cython.address(amount)) \
            or amount > (1 << 52) or amount < -(1 << 52):
        return 0
    slot = session.db.lookup(words[1].data, words[1].length)
    if slot == cython.NULL or entry_kind(slot[0]) != HASH:
        return 0
    fields = cython.cast(Hash, entry_object(slot[0]))
    if fields.get_field(words[2].data, words[2].length, cython.address(value)):
        if not text_to_integer(value.data, value.length, cython.address(number)) \
                or number > (1 << 62) or number < -(1 << 62):
            return 0
    number += amount
    n = integer_to_text(number, digits)
    fields.set_field(words[2].data, words[2].length, digits, n)
    session.writer.integer(number)
    effect(engine.store, session.db, cython.address(words[1]), 1, "hincrby", "hash")
    return 1


@cython.ccall
def install(engine: Engine):
    engine.set_twin(b"hset", hset)
    engine.set_twin(b"hmset", hmset)
    engine.set_twin(b"hget", hget)
    engine.set_twin(b"hmget", hmget)
    engine.set_twin(b"hgetall", hgetall)
    engine.set_twin(b"hdel", hdel)
    engine.set_twin(b"hexists", hexists)
    engine.set_twin(b"hincrby", hincrby)
