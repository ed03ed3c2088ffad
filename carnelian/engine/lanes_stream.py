# cython: language_level=3, cdivision=True
"""Twin of XADD."""
import cython
from cython.cimports.carnelian.base.numbers import text_to_integer
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.lanes import ELSEWHERE, MISSING, effect, reach, says
from cython.cimports.carnelian.keyspace.journal import Journal
from cython.cimports.carnelian.keyspace.session import Session
from cython.cimports.carnelian.keyspace.store import Store
from cython.cimports.carnelian.protocol.reader import Slice
from cython.cimports.carnelian.types.stream import Stream, trim_limit
from cython.cimports.carnelian.types.stream_id import id_to_text
from cython.cimports.carnelian.types.table import STREAM, Entry, entry_object
from cython.cimports.libc.stdint import int64_t, uint64_t

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


@cython.ccall
def install(engine: Engine):
    engine.set_twin(b"xadd", xadd)
