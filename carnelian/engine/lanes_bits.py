# cython: language_level=3, cdivision=True
"""Twins of the words on bits and on HyperLogLogs.

They change a string where it lies: one that has been changed before (the flag RAW) and is long enough.
"""
import cython
from cython.cimports.carnelian.base.numbers import text_to_integer
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.lanes import ELSEWHERE, FOUND, effect, reach, read, says
from cython.cimports.carnelian.keyspace.session import Session
from cython.cimports.carnelian.protocol.reader import Slice
from cython.cimports.carnelian.types.bits import count_bits, read_field, write_field
from cython.cimports.carnelian.types.hyperloglog import (EMPTY_SIZE, GROWTH, Place, cached, empty, is_dense, is_hyperloglog,
                                                         place_of, raise_rank, raise_sparse, rank_at, set_outdated)
from cython.cimports.carnelian.types.table import INLINE, RAW, Entry, entry_kind, entry_value
from cython.cimports.libc.stdint import int64_t, uint8_t, uint64_t
from cython.cimports.libc.string import memcpy

# Operations of one BITFIELD; bits of a string. What goes beyond is for the general bodies.
MOST_OPERATIONS = cython.declare(cython.int, 16)
MOST_BITS = cython.declare(int64_t, 1 << 32)

GET = cython.declare(cython.int, 0)
SET = cython.declare(cython.int, 1)
ADD = cython.declare(cython.int, 2)

FieldOperation = cython.struct(name=cython.int, signed=cython.int, width=cython.int, offset=uint64_t, number=uint64_t)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def text_of(e: cython.pointer(Entry)) -> cython.pointer(uint8_t):
    return cython.cast(cython.pointer(uint8_t), entry_value(e))


@cython.cfunc
@cython.exceptval(check=False)
def bit_offset(session: Session, word: cython.pointer(Slice), width: cython.int) -> int64_t:
    """The offset of a bit, or with a width `#n`, the n-th field of that width; -1: not for a twin."""
    offset: int64_t
    if width and word.length > 1 and word.data[0] == 35:
        if not text_to_integer(word.data + 1, word.length - 1, cython.address(offset)) or not 0 <= offset < MOST_BITS:
            return -1
        offset *= width
    elif not text_to_integer(word.data, word.length, cython.address(offset)):
        return -1
    if not 0 <= offset < MOST_BITS or offset >> 3 >= session.reader.bulk_limit:
        return -1
    return offset


@cython.cfunc
@cython.exceptval(-1, check=False)
def getbit(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    e: cython.pointer(Entry) = cython.NULL
    found: cython.int
    offset: int64_t
    if count != 3:
        return 0
    offset = bit_offset(session, cython.address(words[2]), 0)
    if offset < 0:
        return 0
    found = read(engine.store, session.db, cython.address(words[1]), INLINE, cython.address(e))
    if found == ELSEWHERE:
        return 0
    if found == FOUND and offset >> 3 < e.value_length:
        session.writer.integer(text_of(e)[offset >> 3] >> (7 - (offset & 7)) & 1)
    else:
        session.writer.integer(0)
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def setbit(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    e: cython.pointer(Entry) = cython.NULL
    offset: int64_t
    mask: cython.int
    old: cython.int
    new: cython.int
    if count != 4 or words[3].length != 1 or not 48 <= words[3].data[0] <= 49:
        return 0
    offset = bit_offset(session, cython.address(words[2]), 0)
    if offset < 0 or reach(engine.store, session.db, cython.address(words[1]), INLINE, cython.address(e)) != FOUND \
            or not e.meta & RAW or offset >> 3 >= e.value_length:
        return 0
    mask = 0x80 >> (offset & 7)
    old = text_of(e)[offset >> 3]
    new = old | mask if words[3].data[0] == 49 else old & ~mask
    session.writer.integer(1 if old & mask else 0)
    if new != old:
        text_of(e)[offset >> 3] = new
        effect(engine.store, session.db, cython.address(words[1]), 1, "setbit", "bitmap")
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def bitcount(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    """Of a whole string."""
    e: cython.pointer(Entry) = cython.NULL
    found: cython.int
    if count != 2:
        return 0
    found = read(engine.store, session.db, cython.address(words[1]), INLINE, cython.address(e))
    if found == ELSEWHERE:
        return 0
    if found == FOUND and e.value_length:
        session.writer.integer(count_bits(text_of(e), 0, 8 * cython.cast(int64_t, e.value_length) - 1))
    else:
        session.writer.integer(0)
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def read_operation(session: Session, words: cython.pointer(Slice), left: cython.int,
                   operation: cython.pointer(FieldOperation)) -> cython.int:
    """An operation of BITFIELD: how many words it has; 0: not for a twin."""
    width: int64_t
    offset: int64_t
    number: int64_t = 0
    n: cython.int = 4
    if left < 3 or words[1].length < 2:
        return 0
    if says(cython.address(words[0]), b"GET", 3):
        operation.name = GET
        n = 3
    elif says(cython.address(words[0]), b"SET", 3):
        operation.name = SET
    elif says(cython.address(words[0]), b"INCRBY", 6):
        operation.name = ADD
    else:
        return 0
    if left < n or (words[1].data[0] != 105 and words[1].data[0] != 117):
        return 0
    operation.signed = words[1].data[0] == 105
    if not text_to_integer(words[1].data + 1, words[1].length - 1, cython.address(width)) \
            or not 1 <= width <= (64 if operation.signed else 63):
        return 0
    operation.width = width
    offset = bit_offset(session, cython.address(words[2]), operation.width)
    if offset < 0 or (n == 4 and not text_to_integer(words[3].data, words[3].length, cython.address(number))):
        return 0
    operation.offset = offset
    operation.number = cython.cast(uint64_t, number)
    return n


@cython.cfunc
@cython.exceptval(check=False)
def field_value(number: uint64_t, operation: cython.pointer(FieldOperation)) -> int64_t:
    """What the low bits of a number stand for."""
    unused: cython.int = 64 - operation.width
    number <<= unused
    if operation.signed:
        return cython.cast(int64_t, number) >> unused
    return cython.cast(int64_t, number >> unused)


@cython.cfunc
@cython.exceptval(-1, check=False)
def work_on_fields(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int,
                   may_write: cython.bint) -> cython.int:
    """Overflows wrap around: other ways are for the general body."""
    operations: FieldOperation[16]
    e: cython.pointer(Entry) = cython.NULL
    found: cython.int
    used: cython.int = 0
    at: cython.int = 2
    n: cython.int
    size: uint64_t = 0
    old: uint64_t
    new: int64_t
    changes: cython.int = 0
    writes: cython.bint = False
    one: cython.pointer(FieldOperation)
    while at < count:
        if used == MOST_OPERATIONS:
            return 0
        one = cython.address(operations[used])
        n = read_operation(session, words + at, count - at, one)
        if n == 0:
            return 0
        if one.name != GET:
            writes = True
            size = max(size, (one.offset + one.width + 7) >> 3)
        at += n
        used += 1
    if used == 0:
        return 0
    if writes:
        if not may_write or reach(engine.store, session.db, cython.address(words[1]), INLINE, cython.address(e)) != FOUND \
                or not e.meta & RAW or e.value_length < size:
            return 0
        found = FOUND
    else:
        found = read(engine.store, session.db, cython.address(words[1]), INLINE, cython.address(e))
        if found == ELSEWHERE:
            return 0
    session.writer.array(used)
    for at in range(used):
        one = cython.address(operations[at])
        old = read_field(text_of(e), e.value_length, one.offset, one.width) if found == FOUND else 0
        if one.name == GET:
            session.writer.integer(field_value(old, one))
            continue
        new = field_value(old + one.number if one.name == ADD else one.number, one)
        if new != field_value(old, one):
            write_field(text_of(e), one.offset, one.width, cython.cast(uint64_t, new))
            changes += 1
        session.writer.integer(field_value(old, one) if one.name == SET else new)
    if changes:
        effect(engine.store, session.db, cython.address(words[1]), changes, "setbit", "bitmap")
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def bitfield(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    return work_on_fields(engine, session, words, count, True)


@cython.cfunc
@cython.exceptval(-1, check=False)
def bitfield_ro(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    return work_on_fields(engine, session, words, count, False)


# --- HyperLogLogs --------------------------------------------------------------------------------------------------------

@cython.cfunc
@cython.exceptval(-1, check=False)
def pfadd(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    """One that becomes dense by it is left to the general body."""
    slot: cython.pointer(cython.pointer(Entry))
    e: cython.pointer(Entry) = cython.NULL
    place: Place
    i: cython.int
    changes: cython.int = 0
    changing: cython.bint
    if count < 3 or engine.store.notify_flags:
        return 0
    slot = session.db.lookup(words[1].data, words[1].length)
    if slot == cython.NULL:
        return add_sparse(engine, session, words, count, slot)
    e = slot[0]
    if entry_kind(e) != INLINE or not is_hyperloglog(text_of(e), e.value_length):
        return 0
    if not is_dense(text_of(e)):
        return add_sparse(engine, session, words, count, slot)
    changing = e.meta & RAW != 0
    for i in range(2, count):
        place = place_of(words[i].data, words[i].length)
        if changing:
            changes += raise_rank(text_of(e), place.index, place.rank)
        elif rank_at(text_of(e), e.value_length, place.index) < place.rank:
            return 0
    session.writer.integer(changes != 0)
    if changes:
        set_outdated(text_of(e))
        effect(engine.store, session.db, cython.address(words[1]), changes, "pfadd", "hyperloglog")
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def add_sparse(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int,
               slot: cython.pointer(cython.pointer(Entry))) -> cython.int:
    """Of a sparse one, or (NULL) a new one. The work is done on a copy: what can't be done here leaves no trace."""
    copy: uint8_t[4096]
    n: cython.size_t = EMPTY_SIZE if slot == cython.NULL else slot[0].value_length
    place: Place
    i: cython.int
    result: cython.int
    changes: cython.int = slot == cython.NULL
    if n > 4096:
        return 0
    memcpy(copy, empty() if slot == cython.NULL else text_of(slot[0]), n)
    for i in range(2, count):
        if n + GROWTH > 4096:
            return 0
        place = place_of(words[i].data, words[i].length)
        result = raise_sparse(copy, cython.address(n), place.index, place.rank)
        if result < 0:
            return 0
        changes += result
    if changes:
        set_outdated(copy)
        if slot == cython.NULL:
            session.db.store_string(cython.NULL, words[1].data, words[1].length, 0, False)
            slot = session.db.peek(words[1].data, words[1].length)
        if slot[0].value_length != n or not slot[0].meta & RAW:
            session.db.reshape(slot, INLINE, (slot[0].meta & 0xF0) | RAW, n)
        memcpy(text_of(slot[0]), copy, n)
        effect(engine.store, session.db, cython.address(words[1]), changes, "pfadd", "hyperloglog")
    session.writer.integer(changes != 0)
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def pfcount(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    """Of one key whose estimate is known."""
    e: cython.pointer(Entry) = cython.NULL
    found: cython.int
    if count != 2:
        return 0
    found = read(engine.store, session.db, cython.address(words[1]), INLINE, cython.address(e))
    if found == ELSEWHERE:
        return 0
    if found == FOUND:
        if not is_hyperloglog(text_of(e), e.value_length) or cached(text_of(e)) < 0:
            engine.store.hits -= 1
            return 0
        session.writer.integer(cached(text_of(e)))
    else:
        session.writer.integer(0)
    return 1


@cython.ccall
def install(engine: Engine):
    engine.set_twin(b"getbit", getbit)
    engine.set_twin(b"setbit", setbit)
    engine.set_twin(b"bitcount", bitcount)
    engine.set_twin(b"bitfield", bitfield)
    engine.set_twin(b"bitfield_ro", bitfield_ro)
    engine.set_twin(b"pfadd", pfadd)
    engine.set_twin(b"pfcount", pfcount)
