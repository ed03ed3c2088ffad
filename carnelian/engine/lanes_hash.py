# cython: language_level=3, cdivision=True
"""Twins of the words on hashes."""
import cython
from cython.cimports.carnelian.base.numbers import integer_to_text, text_to_integer
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.lanes import ELSEWHERE, FOUND, MISSING, effect, reach, read, vanish
from cython.cimports.carnelian.keyspace.session import Session
from cython.cimports.carnelian.protocol.reader import Slice
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.store import Store
from cython.cimports.carnelian.types.expiring import HashWalk
from cython.cimports.carnelian.types.hash import Hash, expires
from cython.cimports.carnelian.types.listpack import Item
from cython.cimports.carnelian.types.table import HASH, Entry, entry_object
from cython.cimports.libc.stdint import int64_t


@cython.cfunc
@cython.exceptval(check=False)
def is_due(db: Database, fields: Hash) -> cython.bint:
    """Whether a field of a hash in which fields expire has done so."""
    fields.hide(db.now)
    return fields.hides()


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def read_hash(store: Store, db: Database, key: cython.pointer(Slice), found: cython.pointer(cython.pointer(Entry))) -> cython.int:
    """read(), but a hash with fields that have expired is for the general body."""
    result: cython.int = read(store, db, key, HASH, found)
    if result == FOUND and expires(cython.cast(Hash, entry_object(found[0]))) \
            and is_due(db, cython.cast(Hash, entry_object(found[0]))):
        store.hits -= 1
        return ELSEWHERE
    return result


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def reach_hash(store: Store, db: Database, key: cython.pointer(Slice), found: cython.pointer(cython.pointer(Entry))) -> cython.int:
    """reach(), with the same exception."""
    result: cython.int = reach(store, db, key, HASH, found)
    if result == FOUND and expires(cython.cast(Hash, entry_object(found[0]))) \
            and is_due(db, cython.cast(Hash, entry_object(found[0]))):
        return ELSEWHERE
    return result


@cython.cfunc
@cython.exceptval(-1, check=False)
def put(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    """Sets the fields: how many are new; -2: not for a twin."""
    i: cython.int
    new: cython.int = 0
    found: cython.int
    fields: Hash
    e: cython.pointer(Entry) = cython.NULL
    if count < 4 or count % 2 != 0:
        return -2
    found = reach_hash(engine.store, session.db, cython.address(words[1]), cython.address(e))
    if found == ELSEWHERE:
        return -2
    if found == MISSING:
        fields = Hash()
        fields.reserve((count - 2) // 2)
        session.db.put_object(words[1].data, words[1].length, HASH, fields, False)
    else:
        fields = cython.cast(Hash, entry_object(e))
    for i in range(2, count, 2):
        new += fields.set_field(words[i].data, words[i].length, words[i + 1].data, words[i + 1].length)
    if expires(fields):
        session.db.settle(e)
    effect(engine.store, session.db, cython.address(words[1]), (count - 2) // 2, "hset", "hash")
    return new


@cython.cfunc
@cython.exceptval(-1, check=False)
def hset(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    new: cython.int = put(engine, session, words, count)
    if new < 0:
        return 0
    session.writer.integer(new)
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def hmset(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    if put(engine, session, words, count) < 0:
        return 0
    session.writer.raw(b"+OK\r\n", 5)
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def hget(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    value: Item
    e: cython.pointer(Entry) = cython.NULL
    found: cython.int
    if count != 3:
        return 0
    found = read_hash(engine.store, session.db, cython.address(words[1]), cython.address(e))
    if found == ELSEWHERE:
        return 0
    if found == FOUND and cython.cast(Hash, entry_object(e)).get_field(
            words[2].data, words[2].length, cython.address(value)):
        session.writer.bulk(value.data, value.length)
    else:
        session.writer.null()
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def hmget(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    i: cython.int
    value: Item
    e: cython.pointer(Entry) = cython.NULL
    found: cython.int
    if count < 3:
        return 0
    found = read_hash(engine.store, session.db, cython.address(words[1]), cython.address(e))
    if found == ELSEWHERE:
        return 0
    session.writer.array(count - 2)
    for i in range(2, count):
        if found == FOUND and cython.cast(Hash, entry_object(e)).get_field(
                words[i].data, words[i].length, cython.address(value)):
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
    e: cython.pointer(Entry) = cython.NULL
    found: cython.int
    if count != 2:
        return 0
    found = read_hash(engine.store, session.db, cython.address(words[1]), cython.address(e))
    if found == ELSEWHERE:
        return 0
    if found == MISSING:
        session.writer.map(0)
        return 1
    fields = cython.cast(Hash, entry_object(e))
    session.writer.map(fields.length())
    fields.start(cython.address(at))
    while fields.next(cython.address(at), cython.address(field), cython.address(value)):
        session.writer.bulk(field.data, field.length)
        session.writer.bulk(value.data, value.length)
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def hexists(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    e: cython.pointer(Entry) = cython.NULL
    found: cython.int
    if count != 3:
        return 0
    found = read_hash(engine.store, session.db, cython.address(words[1]), cython.address(e))
    if found == ELSEWHERE:
        return 0
    session.writer.integer(found == FOUND and cython.cast(Hash, entry_object(e)).has_field(words[2].data, words[2].length))
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def hdel(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    i: cython.int
    removed: cython.int = 0
    fields: Hash
    e: cython.pointer(Entry) = cython.NULL
    if count < 3 or reach_hash(engine.store, session.db, cython.address(words[1]), cython.address(e)) != FOUND:
        return 0
    fields = cython.cast(Hash, entry_object(e))
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
        elif expires(fields):
            session.db.settle(e)
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
    e: cython.pointer(Entry) = cython.NULL
    if count != 4 or not text_to_integer(words[3].data, words[3].length, cython.address(amount)) \
            or amount > (1 << 52) or amount < -(1 << 52) \
            or reach_hash(engine.store, session.db, cython.address(words[1]), cython.address(e)) != FOUND:
        return 0
    fields = cython.cast(Hash, entry_object(e))
    if fields.get_field(words[2].data, words[2].length, cython.address(value)):
        if not text_to_integer(value.data, value.length, cython.address(number)) \
                or number > (1 << 62) or number < -(1 << 62):
            return 0
    number += amount
    n = integer_to_text(number, digits)
    fields.update_field(words[2].data, words[2].length, digits, n, True)
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
