# cython: language_level=3
"""The blocks of a stream's log, in the layout of Redis's stream listpacks."""
import cython
from cython.cimports.libc.stdint import INT32_MAX, INT32_MIN
from cython.cimports.carnelian.base.memory import allocate, resize
from cython.cimports.carnelian.base.numbers import text_to_integer
from cython.cimports.carnelian.types.listpack import lp_check, lp_equals
from cython.cimports.carnelian.types.stream_id import id_less


# --- elements ------------------------------------------------------------------------------------------------------

def integer_size(number):
    if 0 <= number < 128:
        return 2
    if -4096 <= number < 4096:
        return 3
    if -32768 <= number < 32768:
        return 4
    if -8388608 <= number < 8388608:
        return 5
    if INT32_MIN <= number <= INT32_MAX:
        return 6
    return 10


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def text_room(n: cython.size_t) -> cython.size_t:
    """No element of n bytes takes more."""
    return n + (2 if n < 64 else 4 if n < 4096 else 10)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def put_backlen(p: cython.pointer(uint8_t), n: cython.size_t) -> cython.pointer(uint8_t):
    """Written so that it reads from the right: the byte nearest to the next element has the lowest 7 bits."""
    k: cython.int
    size: cython.int = lp_backlen_size(n)
    for k in range(size - 1, -1, -1):
        p[k] = (n & 127) | (128 if k else 0)
        n >>= 7
    return p + size


def put_integer(p, number):
    narrow: int16_t
    wide: int32_t
    unsigned: uint32_t
    start: cython.pointer(uint8_t) = p
    if 0 <= number < 128:
        p[0] = cython.cast(uint8_t, number)
        p[1] = 1
        return p + 2
    if -4096 <= number < 4096:
        unsigned = cython.cast(uint32_t, number) & 0x1FFF
        p[0] = 0xC0 | unsigned >> 8
        p[1] = unsigned & 255
        p += 2
    elif -32768 <= number < 32768:
        narrow = cython.cast(int16_t, number)
        p[0] = 0xF1
        memcpy(p + 1, cython.address(narrow), 2)
        p += 3
    elif -8388608 <= number < 8388608:
        unsigned = cython.cast(uint32_t, number)
        p[0] = 0xF2
        p[1] = unsigned & 255
        p[2] = unsigned >> 8 & 255
        p[3] = unsigned >> 16 & 255
        p += 4
    elif INT32_MIN <= number <= INT32_MAX:
        wide = cython.cast(int32_t, number)
        p[0] = 0xF3
        memcpy(p + 1, cython.address(wide), 4)
        p += 5
    else:
        p[0] = 0xF4
        memcpy(p + 1, cython.address(number), 8)
        p += 9
    p[0] = cython.cast(uint8_t, p - start)
    return p + 1


def put_text(p, data, n):
    number: int64_t
    length: uint32_t
    start: cython.pointer(uint8_t) = p
    if 0 < n <= 20 and text_to_integer(data, n, cython.address(number)):
        return put_integer(p, number)
    if n < 64:
        p[0] = 0x80 | cython.cast(uint8_t, n)
        memcpy(p + 1, data, n)
        p[1 + n] = cython.cast(uint8_t, 1 + n)
        return p + 2 + n
    if n < 4096:
        p[0] = 0xE0 | cython.cast(uint8_t, n >> 8)
        p[1] = n & 255
        p += 2
    else:
        length = cython.cast(uint32_t, n)
        p[0] = 0xF0
        memcpy(p + 1, cython.address(length), 4)
        p += 5
    memcpy(p, data, n)
    p += n
    return put_backlen(p, p - start)


# --- walks ---------------------------------------------------------------------------------------------------------

@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def decode(block: cython.pointer(Block), p: cython.pointer(uint8_t), entry: cython.pointer(BlockEntry)) -> cython.bint:
    """Decodes the entry at p, `fields` being there already."""
    k: cython.Py_ssize_t
    n: cython.Py_ssize_t
    if p[0] == 0xFF:
        return False
    entry.at = p
    entry.flags = cython.cast(cython.int, element_integer(p))
    p = lp_skip(p)
    entry.ms = block.ms + cython.cast(uint64_t, element_integer(p))
    p = lp_skip(p)
    entry.seq = block.seq + cython.cast(uint64_t, element_integer(p))
    p = lp_skip(p)
    if entry.flags & SAME_FIELDS:
        entry.pairs = element_integer(element_before(entry.fields))
        n = entry.pairs
    else:
        entry.pairs = element_integer(p)
        p = lp_skip(p)
        n = 2 * entry.pairs
    entry.body = p
    for k in range(n):
        p = lp_skip(p)
    entry.end = p
    return True


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def master_fields(block: cython.pointer(Block)) -> cython.pointer(uint8_t):
    p: cython.pointer(uint8_t) = block_count(block)
    p = lp_skip(p)
    p = lp_skip(p)
    return lp_skip(p)


def block_first(block, entry):
    k: cython.Py_ssize_t
    p: cython.pointer(uint8_t) = master_fields(block)
    entry.fields = p
    for k in range(element_integer(element_before(p))):
        p = lp_skip(p)
    return decode(block, lp_skip(p), entry)


def block_next(block, entry):
    return decode(block, lp_skip(entry.end), entry)


def block_previous(block, entry):
    k: int64_t
    p: cython.pointer(uint8_t) = element_before(entry.at)
    k = element_integer(p)
    if k == 0:                              # the end of the master entry
        return False
    while k > 0:
        p = element_before(p)
        k -= 1
    return decode(block, p, entry)


def block_last(block, entry):
    entry.fields = master_fields(block)
    entry.at = block.pack + lp_bytes(block.pack) - 1
    return block_previous(block, entry)


def block_entry(block, offset, entry):
    entry.fields = master_fields(block)
    return decode(block, block.pack + offset, entry)


def block_find(block, ms, seq, entry):
    if not block_first(block, entry):
        return False
    while entry.flags & DELETED or id_less(entry.ms, entry.seq, ms, seq):
        if not block_next(block, entry):
            return False
    return entry.ms == ms and entry.seq == seq


# --- changes -------------------------------------------------------------------------------------------------------

@cython.cfunc
@cython.exceptval(-1)
def replace_integer(block: cython.pointer(Block), offset: cython.size_t, number: int64_t,
                    capacity: cython.pointer(cython.size_t)) -> cython.bint:
    """Puts a number in the place of another. True if what follows has moved."""
    p: cython.pointer(uint8_t) = block.pack + offset
    old: cython.size_t = lp_skip(p) - p
    new: cython.size_t = integer_size(number)
    total: cython.size_t = lp_bytes(block.pack)
    if new != old:
        if total - old + new > capacity[0]:
            make_room(block, total - old + new, capacity)
            p = block.pack + offset
        memmove(p + new, p + old, total - offset - old)
        set_header(block.pack, total - old + new, 0)
    put_integer(p, number)
    return new != old


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def set_header(pack: cython.pointer(uint8_t), total: cython.size_t, added: cython.size_t) -> cython.void:
    """Writes the total of bytes, and counts further elements (65535: not counted any more)."""
    size: uint32_t = cython.cast(uint32_t, total)
    elements: uint16_t
    memcpy(pack, cython.address(size), 4)
    if added:
        memcpy(cython.address(elements), pack + 4, 2)
        added += elements
        if elements < 65535:
            elements = 65535 if added > 65535 else cython.cast(uint16_t, added)
            memcpy(pack + 4, cython.address(elements), 2)


@cython.cfunc
@cython.exceptval(-1)
def make_room(block: cython.pointer(Block), wanted: cython.size_t, capacity: cython.pointer(cython.size_t)) -> cython.int:
    size: cython.size_t = capacity[0] + (capacity[0] >> 1)
    if size < wanted:
        size = wanted
    size = (size + 15) & ~cython.cast(cython.size_t, 15)
    block.pack = cython.cast(cython.pointer(uint8_t), resize(block.pack, capacity[0], size))
    capacity[0] = size
    return 0


def block_delete(block, entry, capacity):
    moved: cython.bint
    at: cython.size_t = 6
    put_integer(entry.at, entry.flags | DELETED)
    entry.flags |= DELETED
    moved = replace_integer(block, at, element_integer(block.pack + at) - 1, capacity)
    at = lp_skip(block.pack + at) - block.pack
    if replace_integer(block, at, element_integer(block.pack + at) + 1, capacity):
        moved = True
    return moved


def entry_size(words, n):
    k: cython.Py_ssize_t
    size: cython.size_t = 36                # flags, deltas, fields, elements and the sum of two encodings' growth
    for k in range(n):
        size += text_room(words[k].length)
    return size


def block_new(block, ms, seq, words, pairs, capacity):
    k: cython.Py_ssize_t
    p: cython.pointer(uint8_t)
    size: cython.size_t = 16 + entry_size(words, 2 * pairs)
    block.ms = ms
    block.seq = seq
    size = (size + 15) & ~cython.cast(cython.size_t, 15)
    block.pack = cython.cast(cython.pointer(uint8_t), allocate(size))
    capacity[0] = size
    block.pack[4] = block.pack[5] = 0
    p = put_integer(block.pack + 6, 1)
    p = put_integer(p, 0)
    p = put_integer(p, pairs)
    for k in range(pairs):
        p = put_text(p, words[2 * k].data, words[2 * k].length)
    p = put_integer(p, 0)
    p = put_integer(p, SAME_FIELDS)
    p = put_integer(p, 0)
    p = put_integer(p, 0)
    for k in range(pairs):
        p = put_text(p, words[2 * k + 1].data, words[2 * k + 1].length)
    p = put_integer(p, pairs + 3)
    p[0] = 0xFF
    set_header(block.pack, p + 1 - block.pack, 2 * pairs + 8)
    return 0


def block_append(block, ms, seq, words, pairs, capacity):
    k: cython.Py_ssize_t
    p: cython.pointer(uint8_t)
    total: cython.size_t = lp_bytes(block.pack)
    added: cython.size_t = entry_size(words, 2 * pairs)
    same: cython.bint
    if total + added > capacity[0]:
        make_room(block, total + added, capacity)
    p = master_fields(block)
    same = element_integer(element_before(p)) == pairs
    if same:
        for k in range(pairs):
            if not lp_equals(p, words[2 * k].data, words[2 * k].length):
                same = False
                break
            p = lp_skip(p)
    p = block.pack + total - 1
    p = put_integer(p, SAME_FIELDS if same else 0)
    p = put_integer(p, cython.cast(int64_t, ms - block.ms))
    p = put_integer(p, cython.cast(int64_t, seq - block.seq))
    if same:
        for k in range(pairs):
            p = put_text(p, words[2 * k + 1].data, words[2 * k + 1].length)
        p = put_integer(p, pairs + 3)
    else:
        p = put_integer(p, pairs)
        for k in range(2 * pairs):
            p = put_text(p, words[k].data, words[k].length)
        p = put_integer(p, 2 * pairs + 4)
    p[0] = 0xFF
    set_header(block.pack, p + 1 - block.pack, pairs + 4 if same else 2 * pairs + 5)
    replace_integer(block, 6, block_live(block) + 1, capacity)
    return 0


# --- what comes from outside ---------------------------------------------------------------------------------------

@cython.cfunc
@cython.exceptval(check=False)
def checked_integer(at: cython.pointer(cython.pointer(uint8_t)), end: cython.pointer(uint8_t),
                    number: cython.pointer(int64_t)) -> cython.bint:
    p: cython.pointer(uint8_t) = at[0]
    if p >= end or not element_is_integer(p):
        return False
    number[0] = element_integer(p)
    at[0] = lp_skip(p)
    return True


@cython.cfunc
@cython.exceptval(check=False)
def skip_elements(p: cython.pointer(uint8_t), end: cython.pointer(uint8_t), n: int64_t) -> cython.pointer(uint8_t):
    while n > 0:
        if p >= end:
            return cython.NULL
        p = lp_skip(p)
        n -= 1
    return p


@cython.cfunc
@cython.exceptval(check=False)
def well_formed(block: cython.pointer(Block), end: cython.pointer(uint8_t)) -> cython.bint:
    """Whether the elements, each of them sound, make up a block: counts as they say, IDs rising."""
    p: cython.pointer(uint8_t) = block.pack + 6
    live: int64_t
    deleted: int64_t
    pairs: int64_t
    n: int64_t
    flags: int64_t
    ms: int64_t
    seq: int64_t
    elements: int64_t
    last_ms: uint64_t = 0
    last_seq: uint64_t = 0
    first: cython.bint = True
    if not (checked_integer(cython.address(p), end, cython.address(live))
            and checked_integer(cython.address(p), end, cython.address(deleted))
            and checked_integer(cython.address(p), end, cython.address(pairs))):
        return False
    if live < 0 or deleted < 0 or pairs < 1 or live + deleted == 0:
        return False
    p = skip_elements(p, end, pairs)
    if p == cython.NULL or not checked_integer(cython.address(p), end, cython.address(n)) or n != 0:
        return False
    while p < end:
        if not (checked_integer(cython.address(p), end, cython.address(flags))
                and checked_integer(cython.address(p), end, cython.address(ms))
                and checked_integer(cython.address(p), end, cython.address(seq))):
            return False
        if flags & DELETED:
            deleted -= 1
        else:
            live -= 1
        if flags & SAME_FIELDS:
            n = pairs
        else:
            if not checked_integer(cython.address(p), end, cython.address(n)) or n < 1 or n > BLOCK_LIMIT:
                return False
            n *= 2
        p = skip_elements(p, end, n)
        n += 3 if flags & SAME_FIELDS else 4
        if p == cython.NULL or not checked_integer(cython.address(p), end, cython.address(elements)) or elements != n:
            return False
        if id_less(block.ms + cython.cast(uint64_t, ms), block.seq + cython.cast(uint64_t, seq), block.ms, block.seq):
            return False
        if flags & DELETED:
            continue
        if not first and not id_less(last_ms, last_seq, block.ms + cython.cast(uint64_t, ms),
                                     block.seq + cython.cast(uint64_t, seq)):
            return False
        last_ms = block.ms + cython.cast(uint64_t, ms)
        last_seq = block.seq + cython.cast(uint64_t, seq)
        first = False
    return live == 0 and deleted == 0


def block_check(block, size):
    lp_check(block.pack, size)
    if not well_formed(block, block.pack + size - 1):
        raise ValueError("a block of the stream is damaged")
    return 0
