# cython: language_level=3, cdivision=True
"""Twins of the words on strings and on keys of any type."""
import cython
from cython.cimports.carnelian.base.numbers import integer_to_text, text_to_integer
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.lanes import ELSEWHERE, MISSING, effect, read, says
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.session import Session
from cython.cimports.carnelian.keyspace.store import Store
from cython.cimports.carnelian.protocol.reader import Slice
from cython.cimports.libc.stdint import int64_t
from cython.cimports.carnelian.types.table import INLINE, Entry, entry_expiry, entry_kind, entry_value, EXPIRES
from cython.cimports.libc.string import memcpy

OK = cython.declare(cython.p_char, b"+OK\r\n")
# Times beyond this many milliseconds are for the general body and its errors.
FAR = cython.declare(int64_t, 1 << 52)


@cython.cfunc
@cython.exceptval(-1, check=False)
def get(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    e: cython.pointer(Entry)
    found: cython.int
    if count != 2:
        return 0
    found = read(engine.store, session.db, cython.address(words[1]), INLINE, cython.address(e))
    if found == ELSEWHERE:
        return 0
    if found == MISSING:
        session.writer.null()
    else:
        session.writer.bulk(entry_value(e), e.value_length)
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def set_(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    """SET key value, and SET key value EX seconds | PX milliseconds."""
    unit: int64_t = 0
    if count == 5:
        if says(cython.address(words[3]), b"EX", 2):
            unit = 1000
        elif says(cython.address(words[3]), b"PX", 2):
            unit = 1
        else:
            return 0
        return set_expiring(engine, session, words, cython.address(words[2]), cython.address(words[4]), unit)
    if count != 3 or engine.store.notify_flags:
        return 0
    session.db.set_string(words[1].data, words[1].length, words[2].data, words[2].length, False)
    session.writer.raw(OK, 5)
    effect(engine.store, session.db, cython.address(words[1]), 1, "set", "string")
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def set_expiring(engine: Engine, session: Session, words: cython.pointer(Slice), value: cython.pointer(Slice),
                 duration: cython.pointer(Slice), unit: int64_t) -> cython.int:
    amount: int64_t
    slot: cython.pointer(cython.pointer(Entry))
    store: Store = engine.store
    db: Database = session.db
    if store.notify_flags or not text_to_integer(duration.data, duration.length, cython.address(amount)) \
            or amount <= 0 or amount > FAR // 1000:
        return 0
    # KEEPTTL first: the expiry cell stays where it is when the key has one already.
    db.set_string(words[1].data, words[1].length, value.data, value.length, True)
    slot = db.table.find(words[1].data, words[1].length)
    db.set_expiry(slot, store.now + amount * unit)
    if store.journal is not None:
        store.journal.tell(db.index, 5)
        store.journal.word(b"SET", 3)
        store.journal.word(words[1].data, words[1].length)
        store.journal.word(value.data, value.length)
        store.journal.word(b"PXAT", 4)
        store.journal.number(store.now + amount * unit)
    session.writer.raw(OK, 5)
    effect(store, db, cython.address(words[1]), 1, "set", "string")
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def setex(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    if count != 4:
        return 0
    return set_expiring(engine, session, words, cython.address(words[3]), cython.address(words[2]), 1000)


@cython.cfunc
@cython.exceptval(-1, check=False)
def add_to(engine: Engine, session: Session, key: cython.pointer(Slice), amount: int64_t, event: str) -> cython.int:
    """INCRBY's effect, unless the value is no integer or would leave the range of 64 bits."""
    number: int64_t = 0
    n: cython.size_t
    digits: cython.char[32]
    e: cython.pointer(Entry)
    store: Store = engine.store
    slot: cython.pointer(cython.pointer(Entry))
    if store.notify_flags:
        return 0
    slot = session.db.lookup(key.data, key.length)
    if slot != cython.NULL:
        e = slot[0]
        if entry_kind(e) != INLINE or not text_to_integer(entry_value(e), e.value_length, cython.address(number)):
            return 0
        # A quarter of the range on either side is left to the general body.
        if number > (1 << 62) or number < -(1 << 62):
            return 0
    number += amount
    n = integer_to_text(number, digits)
    e = session.db.store_string(slot, key.data, key.length, n, True)
    memcpy(entry_value(e), digits, n)
    session.writer.integer(number)
    effect(store, session.db, key, 1, event, "string")
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def incr(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    return add_to(engine, session, cython.address(words[1]), 1, "incrby") if count == 2 else 0


@cython.cfunc
@cython.exceptval(-1, check=False)
def decr(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    return add_to(engine, session, cython.address(words[1]), -1, "decrby") if count == 2 else 0


@cython.cfunc
@cython.exceptval(-1, check=False)
def incrby(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    amount: int64_t
    if count != 3 or not text_to_integer(words[2].data, words[2].length, cython.address(amount)) \
            or amount > FAR or amount < -FAR:
        return 0
    return add_to(engine, session, cython.address(words[1]), amount, "incrby")


@cython.cfunc
@cython.exceptval(-1, check=False)
def mget(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    i: cython.int
    slot: cython.pointer(cython.pointer(Entry))
    store: Store = engine.store
    if count < 2 or store.notify_flags:
        return 0
    session.writer.array(count - 1)
    for i in range(1, count):
        slot = session.db.lookup(words[i].data, words[i].length)
        if slot == cython.NULL:
            store.misses += 1
            session.writer.null()
        else:
            store.hits += 1
            if entry_kind(slot[0]) == INLINE:
                session.writer.bulk(entry_value(slot[0]), slot[0].value_length)
            else:
                session.writer.null()
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def mset(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    i: cython.int
    store: Store = engine.store
    if count < 3 or count % 2 == 0 or store.notify_flags:
        return 0
    for i in range(1, count, 2):
        session.db.set_string(words[i].data, words[i].length, words[i + 1].data, words[i + 1].length, False)
        effect(store, session.db, cython.address(words[i]), 1, "set", "string")
    session.writer.raw(OK, 5)
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def delete(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    i: cython.int
    removed: int64_t = 0
    db: Database = session.db
    if count < 2:
        return 0
    for i in range(1, count):
        if db.peek(words[i].data, words[i].length) != cython.NULL:
            db.remove(words[i].data, words[i].length)
            effect(engine.store, db, cython.address(words[i]), 1, "del", "generic")
            removed += 1
    session.writer.integer(removed)
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def exists(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    i: cython.int
    found: int64_t = 0
    if count < 2 or engine.store.notify_flags:
        return 0
    for i in range(1, count):
        if session.db.lookup(words[i].data, words[i].length) != cython.NULL:
            found += 1
    engine.store.hits += found
    engine.store.misses += count - 1 - found
    session.writer.integer(found)
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def expire(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    """EXPIRE key seconds, seconds above zero, without a condition."""
    seconds: int64_t
    slot: cython.pointer(cython.pointer(Entry))
    if count != 3 or not text_to_integer(words[2].data, words[2].length, cython.address(seconds)) \
            or seconds <= 0 or seconds > FAR // 1000:
        return 0
    slot = session.db.lookup(words[1].data, words[1].length)
    if slot == cython.NULL:
        session.writer.integer(0)
        return 1
    session.db.set_expiry(slot, engine.store.now + seconds * 1000)
    if engine.store.journal is not None:
        engine.store.journal.tell(session.db.index, 3)
        engine.store.journal.word(b"PEXPIREAT", 9)
        engine.store.journal.word(words[1].data, words[1].length)
        engine.store.journal.number(engine.store.now + seconds * 1000)
    session.writer.integer(1)
    effect(engine.store, session.db, cython.address(words[1]), 1, "expire", "generic")
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def ttl(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    slot: cython.pointer(cython.pointer(Entry))
    if count != 2 or engine.store.notify_flags:
        return 0
    slot = session.db.peek(words[1].data, words[1].length)
    if slot == cython.NULL:
        engine.store.misses += 1
        session.writer.integer(-2)
        return 1
    engine.store.hits += 1
    if not slot[0].meta & EXPIRES:
        session.writer.integer(-1)
    else:
        session.writer.integer((entry_expiry(slot[0]).at - engine.store.now + 500) // 1000)
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def ping(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    if count != 1:
        return 0
    session.writer.raw(b"+PONG\r\n", 7)
    return 1


@cython.ccall
def install(engine: Engine):
    engine.set_twin(b"get", get)
    engine.set_twin(b"set", set_)
    engine.set_twin(b"setex", setex)
    engine.set_twin(b"incr", incr)
    engine.set_twin(b"decr", decr)
    engine.set_twin(b"incrby", incrby)
    engine.set_twin(b"mget", mget)
    engine.set_twin(b"mset", mset)
    engine.set_twin(b"del", delete)
    engine.set_twin(b"unlink", delete)
    engine.set_twin(b"exists", exists)
    engine.set_twin(b"expire", expire)
    engine.set_twin(b"ttl", ttl)
    engine.set_twin(b"ping", ping)
