# cython: language_level=3, cdivision=True
"""Twins of XADD, XRANGE and XREVRANGE."""
import cython
from cython.cimports.carnelian.base.numbers import text_to_integer
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.lanes import ELSEWHERE, MISSING, effect, reach, read, says
from cython.cimports.carnelian.keyspace.journal import Journal
from cython.cimports.carnelian.keyspace.session import Session
from cython.cimports.carnelian.keyspace.store import Store
from cython.cimports.carnelian.protocol.reader import Slice
from cython.cimports.carnelian.protocol.writer import Writer
from cython.cimports.carnelian.types.listpack import Item, lp_get, lp_skip
from cython.cimports.carnelian.types.stream import Stream, Walk, trim_limit, walk
from cython.cimports.carnelian.types.stream_block import SAME_FIELDS
from cython.cimports.carnelian.types.stream_id import id_to_text
from cython.cimports.carnelian.types.table import STREAM, Entry, entry_object
from cython.cimports.libc.stdint import int64_t, uint8_t, uint64_t

# An entry of more bytes than this is left to the general body and its limits.
LARGE = cython.declare(cython.size_t, 1 << 20)


@cython.cfunc
@cython.exceptval(-1, check=False)
def xadd(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    """XADD key [MAXLEN ~ length] * field value ..."""
    i: cython.int
    at: cython.int = 2
    most: int64_t = -1
    ms: uint64_t
    seq: uint64_t
    size: cython.size_t = 0
    text: cython.char[48]
    log: Stream
    journal: Journal
    e: cython.pointer(Entry)
    found: cython.int
    store: Store = engine.store
    if count < 5:
        return 0
    if says(cython.address(words[2]), b"MAXLEN", 6):
        if count < 8 or words[3].length != 1 or words[3].data[0] != 126 \
                or not text_to_integer(words[4].data, words[4].length, cython.address(most)) or most < 0:
            return 0
        at = 5
    if words[at].length != 1 or words[at].data[0] != 42 or (count - at) % 2 == 0 or count - at < 3:
        return 0
    for i in range(at + 1, count):
        size += words[i].length
    if size > LARGE:
        return 0
    found = reach(store, session.db, cython.address(words[1]), STREAM, cython.address(e))
    if found == ELSEWHERE:
        return 0
    if found == MISSING:
        log = Stream()
        session.db.put_object(words[1].data, words[1].length, STREAM, log, False)
    else:
        log = cython.cast(Stream, entry_object(e))
    if not log.next_id(store.now, cython.address(ms), cython.address(seq)):
        return 0
    log.append(ms, seq, cython.address(words[at + 1]), (count - at - 1) // 2)
    if most >= 0:
        log.cut_length(most, True, trim_limit())
    size = id_to_text(ms, seq, text)
    session.writer.bulk(text, size)
    if store.journal is not None:
        journal = store.journal
        journal.tell(session.db.index, count)
        journal.word(b"XADD", 4)
        journal.word(words[1].data, words[1].length)
        if most >= 0:
            # What an approximate trimming has left depends on the blocks: the number is exact.
            journal.word(b"MAXLEN", 6)
            journal.word(b"=", 1)
            journal.number(log.length)
        journal.word(text, size)
        for i in range(at + 1, count):
            journal.word(words[i].data, words[i].length)
    effect(store, session.db, cython.address(words[1]), 1, "xadd", "stream")
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def read_number(p: cython.p_char, n: cython.size_t, number: cython.pointer(uint64_t)) -> cython.bint:
    """Digits alone, few enough for 64 bits."""
    i: cython.size_t
    if not 0 < n < 19:
        return False
    number[0] = 0
    for i in range(n):
        if not 48 <= p[i] <= 57:
            return False
        number[0] = 10 * number[0] + cython.cast(uint64_t, p[i] - 48)
    return True


@cython.cfunc
@cython.exceptval(check=False)
def read_bound(word: cython.pointer(Slice), missing: uint64_t, ms: cython.pointer(uint64_t),
               seq: cython.pointer(uint64_t)) -> cython.bint:
    """`-`, `+`, `ms` or `ms-seq`, `missing` being the sequence of one without; False: for the general body."""
    dash: cython.size_t = 0
    if word.length == 1 and (word.data[0] == 45 or word.data[0] == 43):
        ms[0] = seq[0] = 0 if word.data[0] == 45 else ~cython.cast(uint64_t, 0)
        return True
    while dash < word.length and word.data[dash] != 45:
        dash += 1
    if not read_number(word.data, dash, ms):
        return False
    if dash == word.length:
        seq[0] = missing
        return True
    return read_number(word.data + dash + 1, word.length - dash - 1, seq)


@cython.cfunc
@cython.exceptval(-1, check=False)
def put_entry(writer: Writer, at: Walk) -> cython.int:
    """An entry as XRANGE shows it: its ID, and an array of its fields and values."""
    text: cython.char[48]
    item: Item
    k: cython.Py_ssize_t
    value: cython.pointer(uint8_t) = at.entry.body
    field: cython.pointer(uint8_t) = at.entry.fields
    writer.array(2)
    writer.bulk(text, id_to_text(at.entry.ms, at.entry.seq, text))
    writer.array(2 * at.entry.pairs)
    for k in range(at.entry.pairs):
        if at.entry.flags & SAME_FIELDS:
            lp_get(field, cython.address(item))
            field = lp_skip(field)
        else:
            lp_get(value, cython.address(item))
            value = lp_skip(value)
        writer.bulk(item.data, item.length)
        lp_get(value, cython.address(item))
        value = lp_skip(value)
        writer.bulk(item.data, item.length)
    return 0


@cython.cfunc
@cython.exceptval(-1, check=False)
def put_range(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int,
              backwards: cython.bint) -> cython.int:
    """key bound bound [COUNT count]"""
    low_ms: uint64_t
    low_seq: uint64_t
    high_ms: uint64_t
    high_seq: uint64_t
    number: int64_t = 0
    limit: int64_t = -1
    log: Stream
    at: Walk
    found: cython.int
    e: cython.pointer(Entry) = cython.NULL
    if count != 4 and count != 6:
        return 0
    if not read_bound(cython.address(words[3 if backwards else 2]), 0, cython.address(low_ms), cython.address(low_seq)) \
            or not read_bound(cython.address(words[2 if backwards else 3]), ~cython.cast(uint64_t, 0), cython.address(high_ms),
                              cython.address(high_seq)):
        return 0
    if count == 6 and (not says(cython.address(words[4]), b"COUNT", 5)
                       or not text_to_integer(words[5].data, words[5].length, cython.address(limit)) or limit <= 0):
        return 0
    found = read(engine.store, session.db, cython.address(words[1]), STREAM, cython.address(e))
    if found == ELSEWHERE:
        return 0
    if found == MISSING:
        session.writer.array(0)
        return 1
    log = cython.cast(Stream, entry_object(e))
    # The header comes first: the entries are counted in a walk of its own, which touches little.
    at = walk(log, low_ms, low_seq, high_ms, high_seq, backwards)
    while number != limit and at.next():
        number += 1
    session.writer.array(number)
    at = walk(log, low_ms, low_seq, high_ms, high_seq, backwards)
    while number > 0 and at.next():
        put_entry(session.writer, at)
        number -= 1
    return 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def xrange_(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    return put_range(engine, session, words, count, False)


@cython.cfunc
@cython.exceptval(-1, check=False)
def xrevrange(engine: Engine, session: Session, words: cython.pointer(Slice), count: cython.int) -> cython.int:
    return put_range(engine, session, words, count, True)


@cython.ccall
def install(engine: Engine):
    engine.set_twin(b"xrange", xrange_)
    engine.set_twin(b"xrevrange", xrevrange)
    engine.set_twin(b"xadd", xadd)
