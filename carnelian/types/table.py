# cython: language_level=3
"""The hash table: an incremental table of entries in C memory, with a cursor that survives growth and shrinking.

The layout of an entry and of a bucket is in table.pxd. A find touches one cache line of buckets (the tags tell which
slots are worth a look) and one entry. A table at rest has one array of buckets; while it grows or shrinks there are
two, every insert or take moves a few buckets from the first to the second, and new entries go to the second.

The cursor counts in reverse binary order: the high bits run fastest, so a bucket's descendants after a growth, and the
bucket it merges into after shrinking, are either all behind the cursor or all ahead of it.
"""
import cython
from cython.cimports.carnelian.base.memory import attempt_zeroed, block_size, release
from cython.cimports.carnelian.types.entry import (
    INLINE, LIST, SCORED, Entry, entry_free, entry_key, entry_kind, entry_new, entry_object, entry_reshape, entry_score,
    entry_value, entry_word, owns_object)
from cython.cimports.carnelian.types.hashing import hash_bytes, little_endian, random_below
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cython.cimports.cpython.object import PyObject
from cython.cimports.cpython.ref import Py_INCREF, Py_XDECREF
from cython.cimports.libc.stdint import int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from cython.cimports.libc.string import memcmp, memcpy


# --- buckets -------------------------------------------------------------------------------------------------------

@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _array_bytes(exponent: cython.int) -> cython.size_t:
    n: cython.size_t = cython.cast(cython.size_t, 64) << exponent
    return n + 64 if exponent >= ALIGNED_FROM else n


@cython.cfunc
@cython.exceptval(check=False)
def _array_new(exponent: cython.int) -> cython.pointer(Bucket):
    """An array of empty buckets, NULL without memory. What lies between block and array is noted before the array."""
    block: cython.p_char = cython.cast(cython.p_char, attempt_zeroed(_array_bytes(exponent)))
    skip: cython.size_t
    if block == cython.NULL or exponent < ALIGNED_FROM:
        return cython.cast(cython.pointer(Bucket), block)
    skip = 64 - (cython.cast(cython.size_t, block) & 63)
    cython.cast(cython.pointer(cython.size_t), block + skip - 8)[0] = skip
    return cython.cast(cython.pointer(Bucket), block + skip)


@cython.cfunc
@cython.exceptval(check=False)
def _array_free(array: cython.pointer(Bucket), exponent: cython.int) -> cython.void:
    block: cython.p_char = cython.cast(cython.p_char, array)
    if block != cython.NULL:
        if exponent >= ALIGNED_FROM:
            block -= cython.cast(cython.pointer(cython.size_t), block - 8)[0]
        release(block, _array_bytes(exponent))


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _child(b: cython.pointer(Bucket)) -> cython.pointer(Bucket):
    """The next bucket of the chain, NULL at its end."""
    return cython.cast(cython.pointer(Bucket), b.slots[6]) if b.filled & CHAINED else cython.NULL


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _put(b: cython.pointer(Bucket), slot: cython.int, e: cython.pointer(Entry)) -> cython.void:
    b.slots[slot] = e
    b.tags[slot] = e.hash >> 24
    b.filled |= 1 << slot


@cython.cfunc
@cython.exceptval(check=False)
def _place(table: Table, t: cython.int, e: cython.pointer(Entry)) -> cython.bint:
    """Puts an entry into the first free slot of its chain; False if the chain must grow and there is no memory."""
    b: cython.pointer(Bucket) = table.buckets[t] + (
        e.hash & ((cython.cast(cython.size_t, 1) << table.exponent[t]) - 1))
    child: cython.pointer(Bucket)
    free: cython.int
    while True:
        free = ~b.filled & (0x3F if b.filled & CHAINED else 0x7F)
        if free:
            _put(b, lowest_bit(free), e)
            table.count[t] += 1
            return True
        child = _child(b)
        if child == cython.NULL:
            child = cython.cast(cython.pointer(Bucket), attempt_zeroed(64))
            if child == cython.NULL:
                return False
            table.links += 1
            _put(child, 0, b.slots[6])
            b.slots[6] = cython.cast(cython.pointer(Entry), child)
            b.filled = CHAINED | 0x3F
        b = child


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _drop(table: Table, link: cython.pointer(Bucket)) -> cython.void:
    table.links -= 1
    release(link, 64)


@cython.cfunc
@cython.exceptval(check=False)
def _tidy(table: Table, top: cython.pointer(Bucket)) -> cython.void:
    """Fills the holes of a chain from its end, and gives back the buckets that it no longer needs."""
    b: cython.pointer(Bucket)
    parent: cython.pointer(Bucket)
    last: cython.pointer(Bucket)
    slot: cython.int
    while top.filled & CHAINED:
        parent = top
        last = _child(top)
        while last.filled & CHAINED:
            parent = last
            last = _child(last)
        if last.filled == 0:
            _drop(table, last)
            parent.filled &= 0x3F
            continue
        b = top
        while b != last and b.filled & 0x3F == 0x3F:
            b = _child(b)
        if b == last:
            if parent.filled & CHAINED and last.filled & (last.filled - 1) == 0:
                # One entry alone in the last bucket: it fits into the slot that held the child's address.
                slot = lowest_bit(last.filled)
                parent.filled &= 0x3F
                _put(parent, 6, last.slots[slot])
                _drop(table, last)
            return
        slot = lowest_bit(last.filled)
        last.filled &= last.filled - 1
        _put(b, lowest_bit(~b.filled & 0x3F), last.slots[slot])


@cython.cfunc
@cython.exceptval(check=False)
def _move(table: Table, top: cython.pointer(Bucket)) -> cython.bint:
    """Moves a chain of [0] into [1]; False if there is no memory (what has not been moved stays where it is)."""
    b: cython.pointer(Bucket) = top
    child: cython.pointer(Bucket)
    slot: cython.int
    left: cython.int
    while b != cython.NULL:
        left = b.filled & 0x7F
        while left:                     # the hashes lie in the entries: ask for all of them before the first is needed
            prefetch(b.slots[lowest_bit(left)])
            left &= left - 1
        left = b.filled & 0x7F
        while left:
            slot = lowest_bit(left)
            left &= left - 1
            if not _place(table, 1, b.slots[slot]):
                return False
            b.filled &= ~(1 << slot)
            table.count[0] -= 1
        b = _child(b)
    b = _child(top)
    top.filled = 0
    while b != cython.NULL:
        child = _child(b)
        _drop(table, b)
        b = child
    return True


@cython.cfunc
@cython.exceptval(check=False)
def _exponent_for(count: cython.size_t) -> cython.int:
    """The smallest array in which so many entries fill at most 7/8 of the slots."""
    exponent: cython.int = 0
    while (cython.cast(cython.size_t, 49) << exponent) < count * 8:
        exponent += 1
    return exponent


@cython.cfunc
@cython.exceptval(check=False)
def _rehash(table: Table, exponent: cython.int) -> cython.bint:
    """Begins to move into an array of another size; False if there is no memory for it."""
    array: cython.pointer(Bucket) = _array_new(exponent)
    if array == cython.NULL:
        return False
    table.buckets[1] = array
    table.exponent[1] = exponent
    table.count[1] = 0
    table.moved = 0
    return True


@cython.cfunc
@cython.exceptval(check=False)
def _finish(table: Table) -> cython.void:
    """[0] is empty: [1] takes its place."""
    _array_free(table.buckets[0], table.exponent[0])
    table.buckets[0] = table.buckets[1]
    table.exponent[0] = table.exponent[1]
    table.count[0] = table.count[1]
    table.buckets[1] = cython.NULL
    table.count[1] = 0
    table.exponent[1] = 0
    table.moved = -1


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _advance(table: Table) -> cython.void:
    """The share of an unfinished move that one insert or take does.

    Growing needs one bucket (done after N of the 6 N inserts until the next growth); shrinking more, of emptier buckets.
    """
    if table.buckets[1] != cython.NULL:
        table.step(1 if table.exponent[1] > table.exponent[0] else 8)


@cython.cfunc
@cython.exceptval(check=False)
def _free_chain(table: Table, top: cython.pointer(Bucket), budget: cython.size_t, spared: list | None) -> cython.size_t:
    """Frees up to budget entries of a chain, and its children once they are empty; how many entries."""
    b: cython.pointer(Bucket) = top
    child: cython.pointer(Bucket)
    freed: cython.size_t = 0
    slot: cython.int
    while b != cython.NULL:
        while b.filled & 0x7F:
            if freed == budget:
                return freed
            slot = lowest_bit(b.filled & 0x7F)
            b.filled &= ~(1 << slot)
            freed += 1
            if spared is not None and owns_object(entry_kind(b.slots[slot])):
                value = cython.cast(object, entry_object(b.slots[slot]))
                if len(value) > LARGE_OBJECT:
                    spared.append(value)
                value = None
            entry_free(b.slots[slot])
        b = _child(b)
    b = _child(top)
    top.filled = 0
    while b != cython.NULL:
        child = _child(b)
        _drop(table, b)
        b = child
    return freed


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _reverse(v: uint64_t) -> uint64_t:
    """The 64 bits in the opposite order."""
    v = ((v >> 1) & EVERY1) | ((v & EVERY1) << 1)
    v = ((v >> 2) & EVERY2) | ((v & EVERY2) << 2)
    v = ((v >> 4) & EVERY4) | ((v & EVERY4) << 4)
    v = ((v >> 8) & EVERY8) | ((v & EVERY8) << 8)
    v = ((v >> 16) & EVERY16) | ((v & EVERY16) << 16)
    return (v >> 32) | (v << 32)


@cython.cfunc
@cython.exceptval(-1, check=False)
def _visit(top: cython.pointer(Bucket), visit: visitor, context: cython.p_void) -> cython.int:
    b: cython.pointer(Bucket) = top
    left: cython.int
    while b != cython.NULL:
        left = b.filled & 0x7F
        while left:
            visit(context, cython.address(b.slots[lowest_bit(left)]))
            left &= left - 1
        b = _child(b)
    return 0


@cython.cfunc
@cython.exceptval(check=False)
def _chain_length(top: cython.pointer(Bucket)) -> cython.int:
    b: cython.pointer(Bucket) = top
    n: cython.int = 0
    left: cython.int
    while b != cython.NULL:
        left = b.filled & 0x7F
        while left:
            n += 1
            left &= left - 1
        b = _child(b)
    return n


@cython.cfunc
@cython.exceptval(check=False)
def _chain_item(top: cython.pointer(Bucket), index: cython.int) -> cython.pointer(cython.pointer(Entry)):
    """The slot of the entry with this index; the chain has more entries than that."""
    b: cython.pointer(Bucket) = top
    left: cython.int
    while True:
        left = b.filled & 0x7F
        while left:
            if index == 0:
                return cython.address(b.slots[lowest_bit(left)])
            index -= 1
            left &= left - 1
        b = _child(b)


# --- the table -----------------------------------------------------------------------------------------------------

@cython.final
@cython.cclass
class Table:
    """Entries by key. At C level (table.pxd) it knows entries; the methods for Python below serve tests and tools."""

    def __cinit__(self):
        self.moved = -1

    def __dealloc__(self):
        while self.clear_some(1 << 30):
            pass

    def find(self, key, n):
        return self.find_hashed(key, n, hash_bytes(key, n))

    def find_hashed(self, key, n, hash):
        tag: uint64_t = hash >> 24
        pattern: uint64_t = tag * ONES
        word: uint64_t
        hits: uint64_t
        t: cython.int
        slot: cython.int
        index: cython.size_t
        b: cython.pointer(Bucket)
        e: cython.pointer(Entry)
        for t in range(2):
            if self.buckets[t] == cython.NULL:
                break
            index = hash & ((cython.cast(cython.size_t, 1) << self.exponent[t]) - 1)
            if t == 0 and self.buckets[1] != cython.NULL and cython.cast(cython.Py_ssize_t, index) < self.moved:
                continue
            b = self.buckets[t] + index
            while b != cython.NULL:
                # A byte of `hits` is 0x80 where the tag is equal (exactly: no borrow runs from byte to byte).
                memcpy(cython.address(word), cython.address(b.tags[0]), 8)
                word = little_endian(word) ^ pattern
                hits = ~(((word & LOWER) + LOWER) | word | LOWER) & _presence(b.filled)
                while hits:
                    slot = lowest_bit(hits) >> 3
                    e = b.slots[slot]
                    if e.hash == hash and e.key_length == n and memcmp(entry_key(e), key, n) == 0:
                        return cython.address(b.slots[slot])
                    hits &= hits - 1
                b = _child(b)
        return cython.NULL

    def insert(self, e):
        total: cython.size_t = self.count[0] + self.count[1] + 1
        if self.buckets[0] == cython.NULL:
            self.buckets[0] = _array_new(0)
            self.exponent[0] = 0
            if self.buckets[0] == cython.NULL:
                raise MemoryError()
        elif self.buckets[1] != cython.NULL:
            _advance(self)
        elif total * 8 > cython.cast(cython.size_t, 49) << self.exponent[0]:
            # Without memory for a larger array the chains grow instead.
            _rehash(self, min(max(self.exponent[0] + 1, _exponent_for(total)), self.exponent[0] + LARGEST_RATIO))
        if not _place(self, 0 if self.buckets[1] == cython.NULL else 1, e):
            raise MemoryError()
        return 0

    def take(self, key, n):
        place: cython.pointer(cython.pointer(Entry)) = self.find(key, n)
        if place == cython.NULL:
            return cython.NULL
        e: cython.pointer(Entry) = place[0]
        t: cython.int
        top: cython.pointer(Bucket)
        b: cython.pointer(Bucket) = cython.NULL
        total: cython.size_t
        for t in range(2):
            top = self.buckets[t] + (e.hash & ((cython.cast(cython.size_t, 1) << self.exponent[t]) - 1))
            b = top
            while b != cython.NULL and (place < cython.address(b.slots[0]) or place > cython.address(b.slots[6])):
                b = _child(b)
            if b != cython.NULL:
                break
        b.filled &= ~(1 << cython.cast(cython.int, place - cython.address(b.slots[0])))
        self.count[t] -= 1
        if self.held:
            return e
        _tidy(self, top)
        _advance(self)
        if self.buckets[1] == cython.NULL and self.exponent[0]:
            total = self.count[0]
            if total == 0 and self.links == 0:
                _array_free(self.buckets[0], self.exponent[0])
                self.buckets[0] = cython.NULL
                self.exponent[0] = 0
                self.moved = -1
            elif total * 8 < cython.cast(cython.size_t, 7) << self.exponent[0]:
                _rehash(self, max(_exponent_for(total * 2), self.exponent[0] - LARGEST_RATIO))
        return e

    def slot_of(self, e):
        t: cython.int
        left: cython.int
        b: cython.pointer(Bucket)
        for t in range(2):
            if self.buckets[t] == cython.NULL:
                break
            b = self.buckets[t] + (e.hash & ((cython.cast(cython.size_t, 1) << self.exponent[t]) - 1))
            while b != cython.NULL:
                left = b.filled & 0x7F
                while left:
                    if b.slots[lowest_bit(left)] == e:
                        return cython.address(b.slots[lowest_bit(left)])
                    left &= left - 1
                b = _child(b)
        return cython.NULL

    def random(self):
        """A chain of n entries is accepted with a chance of n / most, so that every entry is equally likely.

        `most` is twice the mean (of the denser array) and more; longer chains (few) are short of their due. Where accepting takes too long
        (a table emptied while it was held), the next entry after a chance bucket is taken.
        """
        total: cython.size_t = self.count[0] + self.count[1]
        if total == 0:
            return cython.NULL
        first: cython.size_t = 0 if self.buckets[1] == cython.NULL or self.moved < 0 else self.moved
        size: cython.size_t = cython.cast(cython.size_t, 1) << self.exponent[0]
        buckets: cython.size_t = size - first
        most: cython.size_t = 2 + 2 * self.count[0] // buckets if buckets else 0
        if self.buckets[1] != cython.NULL:
            buckets += cython.cast(cython.size_t, 1) << self.exponent[1]
            most = max(most, 2 + (2 * self.count[1] >> self.exponent[1]))
        tries: cython.int
        n: cython.size_t
        index: cython.size_t
        b: cython.pointer(Bucket)
        for tries in range(100):
            index = first + random_below(buckets)
            b = self.buckets[0] + index if index < size else self.buckets[1] + (index - size)
            n = _chain_length(b)
            if n and random_below(most) < n:
                return _chain_item(b, random_below(n))
        index = random_below(buckets)
        while True:
            b = self.buckets[0] + first + index if first + index < size else self.buckets[1] + (first + index - size)
            n = _chain_length(b)
            if n:
                return _chain_item(b, random_below(n))
            index = (index + 1) % buckets

    def scan(self, cursor, visit, context):
        small: cython.int = 0
        large: cython.int = 1
        small_mask: uint64_t
        large_mask: uint64_t
        v: uint64_t = cursor
        if self.count[0] + self.count[1] == 0:
            return 0
        if self.buckets[1] == cython.NULL:
            small_mask = (cython.cast(uint64_t, 1) << self.exponent[0]) - 1
            _visit(self.buckets[0] + (v & small_mask), visit, context)
            return _reverse(_reverse(v | ~small_mask) + 1)
        if self.exponent[0] > self.exponent[1]:
            small = 1
            large = 0
        small_mask = (cython.cast(uint64_t, 1) << self.exponent[small]) - 1
        large_mask = (cython.cast(uint64_t, 1) << self.exponent[large]) - 1
        _visit(self.buckets[small] + (v & small_mask), visit, context)
        while True:                     # every bucket of the larger array that belongs to this one of the smaller
            _visit(self.buckets[large] + (v & large_mask), visit, context)
            v = _reverse(_reverse(v | ~large_mask) + 1)
            if not v & (small_mask ^ large_mask):
                return v

    def start(self, position):
        position.table = 0
        position.bucket = 0
        position.link = cython.NULL
        position.slot = 0

    def next(self, position):
        b: cython.pointer(Bucket)
        left: cython.int
        while True:
            b = position.link
            if b == cython.NULL:
                if position.table > 1 or self.buckets[position.table] == cython.NULL:
                    return cython.NULL
                if position.bucket >> self.exponent[position.table]:
                    position.table += 1
                    position.bucket = 0
                    continue
                b = self.buckets[position.table] + position.bucket
                position.link = b
                position.slot = 0
            left = (b.filled & 0x7F) >> position.slot
            if left:
                position.slot += lowest_bit(left) + 1
                return cython.address(b.slots[position.slot - 1])
            position.link = _child(b)
            position.slot = 0
            if position.link == cython.NULL:
                position.bucket += 1

    def step(self, buckets):
        empty: cython.int = buckets * 10
        b: cython.pointer(Bucket)
        if self.buckets[1] == cython.NULL or self.held:
            return False
        while buckets > 0 and empty > 0:
            if self.moved >> self.exponent[0]:
                _finish(self)
                return False
            b = self.buckets[0] + self.moved
            if b.filled:
                if not _move(self, b):
                    return False
                buckets -= 1
            else:
                empty -= 1
            self.moved += 1
        return True

    def expand(self, count):
        exponent: cython.int = _exponent_for(count)
        if self.held:
            return 0
        while self.step(1024):
            pass
        if self.buckets[1] != cython.NULL:
            raise MemoryError()
        if self.buckets[0] == cython.NULL:
            self.buckets[0] = _array_new(exponent)
            if self.buckets[0] == cython.NULL:
                raise MemoryError()
            self.exponent[0] = exponent
        elif exponent > self.exponent[0]:
            if not _rehash(self, exponent):
                raise MemoryError()
            while self.step(1024):
                pass
        return 0

    def clear_some(self, budget, spared=None):
        """`moved` is where to go on; what is inserted meanwhile behind it is found by another round."""
        freed: cython.size_t = 0
        looked: cython.size_t = 0
        n: cython.size_t
        b: cython.pointer(Bucket)
        while self.buckets[0] != cython.NULL:
            if freed >= budget or looked >= budget:
                if self.count[0] + self.count[1] + self.links:
                    break
            if self.moved < 0:
                self.moved = 0
            if (self.count[0] == 0 and self.links == 0) or self.moved >> self.exponent[0]:
                if self.buckets[1] != cython.NULL:
                    _finish(self)
                elif self.count[0] or self.links:
                    self.moved = 0
                else:
                    _array_free(self.buckets[0], self.exponent[0])
                    self.buckets[0] = cython.NULL
                    self.exponent[0] = 0
                    self.moved = -1
                continue
            b = self.buckets[0] + self.moved
            n = _free_chain(self, b, budget - freed, spared)
            freed += n
            looked += 1
            self.count[0] -= n
            if b.filled == 0:
                self.moved += 1
        return self.count[0] + self.count[1]

    def size_in_memory(self):
        t: cython.int
        n: cython.size_t = 64 * self.links
        for t in range(2):
            if self.buckets[t] != cython.NULL:
                n += block_size(_array_bytes(self.exponent[t]))
        return n

    # --- for Python: tests and tools -------------------------------------------------------------------------------

    def __len__(self):
        return self.count[0] + self.count[1]

    def put(self, key: bytes, value):
        """Adds or replaces: bytes become an inline value, a float a score, anything else an object."""
        kind: cython.int = INLINE if isinstance(value, bytes) else SCORED if isinstance(value, float) else LIST
        n: cython.size_t = len(value) if kind == INLINE else 0
        place: cython.pointer(cython.pointer(Entry)) = self.find(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        e: cython.pointer(Entry)
        if place == cython.NULL:
            e = entry_new(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key), kind, 0, n)
            self.insert(e)
        else:
            e = entry_reshape(place[0], kind, place[0].meta & 0xF0, n)
            place[0] = e
            if kind == LIST:
                Py_XDECREF(entry_object(e))
        if kind == INLINE:
            memcpy(entry_value(e), PyBytes_AS_STRING(value), n)
        elif kind == SCORED:
            entry_score(e)[0] = value
        else:
            Py_INCREF(value)
            cython.cast(cython.pointer(cython.pointer(PyObject)), entry_word(e))[0] = \
                cython.cast(cython.pointer(PyObject), value)

    def get(self, key: bytes, default=None):
        place: cython.pointer(cython.pointer(Entry)) = self.find(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        return default if place == cython.NULL else _value(place[0])

    def pop(self, key: bytes, default=None):
        e: cython.pointer(Entry) = self.take(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        if e == cython.NULL:
            return default
        value = _value(e)
        entry_free(e)
        return value

    def set_flags(self, key: bytes, flags: cython.int):
        """Gives the entry these flags (EXPIRES 16, RAW 32, ...); everything else stays."""
        place: cython.pointer(cython.pointer(Entry)) = self.find(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        if place == cython.NULL:
            raise KeyError(key)
        place[0] = entry_reshape(place[0], place[0].meta & 15, flags, place[0].value_length)

    def scan_keys(self, cursor: uint64_t) -> tuple:
        """One step of a scan: the next cursor (0: done) and the keys of the step."""
        keys = []
        cursor = self.scan(cursor, _collect, cython.cast(cython.p_void, keys))
        return cursor, keys

    def random_key(self):
        place: cython.pointer(cython.pointer(Entry)) = self.random()
        return None if place == cython.NULL else _key(place[0])

    def items(self) -> list:
        position: Position
        place: cython.pointer(cython.pointer(Entry))
        found = []
        self.start(cython.address(position))
        place = self.next(cython.address(position))
        while place != cython.NULL:
            found.append((_key(place[0]), _value(place[0])))
            place = self.next(cython.address(position))
        return found

    def clear(self, budget: cython.size_t = 1 << 30, spared: list | None = None) -> int:
        """Frees up to budget entries, but for objects of more than 64 elements, if a list is given for them; what is left."""
        return self.clear_some(budget, spared)

    def reserve(self, count: cython.size_t):
        self.expand(count)

    def move_some(self, buckets: cython.int) -> bool:
        return self.step(buckets)

    def hold(self, change: cython.int):
        """+1 before an iteration, -1 after it: the chains that deletes have thinned meanwhile are tidied then."""
        t: cython.int
        i: cython.size_t
        self.held += change
        if self.held == 0 and self.links:
            for t in range(2):
                if self.buckets[t] != cython.NULL:
                    for i in range(cython.cast(cython.size_t, 1) << self.exponent[t]):
                        _tidy(self, self.buckets[t] + i)

    def memory(self) -> int:
        """Bytes of the bucket arrays and chains."""
        return self.size_in_memory()

    def sizes(self) -> tuple:
        """Top-level buckets of the two arrays; 0 where there is none."""
        return tuple([1 << self.exponent[t] if self.buckets[t] != cython.NULL else 0 for t in range(2)])

    def _check(self):
        """The invariants."""
        t: cython.int
        i: cython.size_t
        slot: cython.int
        n: cython.size_t
        b: cython.pointer(Bucket)
        e: cython.pointer(Entry)
        place: cython.pointer(cython.pointer(Entry))
        seen = set()
        links: cython.size_t = 0
        assert self.held >= 0
        if self.buckets[0] == cython.NULL:
            assert self.buckets[1] == cython.NULL and self.moved == -1, "an empty table is at rest"
        for t in range(2):
            n = 0
            if self.buckets[t] != cython.NULL:
                for i in range(cython.cast(cython.size_t, 1) << self.exponent[t]):
                    b = self.buckets[t] + i
                    if t == 0 and self.buckets[1] != cython.NULL and cython.cast(cython.Py_ssize_t, i) < self.moved:
                        assert b.filled == 0, "a bucket that was moved is empty"
                    while b != cython.NULL:
                        assert not (b.filled & CHAINED and b.filled & 0x40), "slot 6 is an entry or a child"
                        if not self.held and not self.moved >= 0 and b.filled & CHAINED:
                            assert _child(b).filled, "no empty child at rest"
                        for slot in range(7):
                            if b.filled >> slot & 1:
                                e = b.slots[slot]
                                n += 1
                                assert e.hash == hash_bytes(entry_key(e), e.key_length)
                                assert b.tags[slot] == e.hash >> 24
                                assert e.hash & ((cython.cast(cython.size_t, 1) << self.exponent[t]) - 1) == i
                                place = self.find(entry_key(e), e.key_length)
                                assert place == cython.address(b.slots[slot]), "find leads to the entry"
                                assert self.slot_of(e) == place
                                assert e.value_length == 0 or entry_kind(e) == INLINE
                                seen.add(_key(e))
                        b = _child(b)
                        links += b != cython.NULL
            assert n == self.count[t], "the count is right"
        assert links == self.links
        assert len(seen) == self.count[0] + self.count[1], "no key is there twice"


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _presence(filled: uint64_t) -> uint64_t:
    """0x80 in every byte whose slot holds an entry: bit i of `filled` goes to bit 8 i + 7."""
    spread: uint64_t = (filled & 0x7F) * SPREAD
    return (spread & ONES) << 7


@cython.cfunc
def _key(e: cython.pointer(Entry)) -> bytes:
    return PyBytes_FromStringAndSize(entry_key(e), e.key_length)


@cython.cfunc
def _value(e: cython.pointer(Entry)):
    if entry_kind(e) == INLINE:
        return PyBytes_FromStringAndSize(entry_value(e), e.value_length)
    if entry_kind(e) == SCORED:
        return entry_score(e)[0]
    return cython.cast(object, entry_object(e))


@cython.cfunc
@cython.exceptval(-1, check=False)
def _collect(context: cython.p_void, place: cython.pointer(cython.pointer(Entry))) -> cython.int:
    cython.cast(list, cython.cast(object, cython.cast(cython.pointer(PyObject), context))).append(_key(place[0]))
    return 0
