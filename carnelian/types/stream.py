# cython: language_level=3
"""The stream: a log of entries with rising IDs.

https://redis.io/docs/latest/develop/data-types/streams/ describes the type. An ID is a tuple (milliseconds, sequence) of
two unsigned 64-bit numbers. Consumer groups are in types/stream_group.
"""
import cython
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cython.cimports.libc.string import memcpy, memmove
from cython.cimports.carnelian.base import memory
from cython.cimports.carnelian.base.memory import allocate, block_size, release, resize
from cython.cimports.carnelian.types import limits
from cython.cimports.carnelian.types.listpack import lp_bytes, lp_skip, lp_value
from cython.cimports.carnelian.types.stream_id import format_id, id_less
from cython.cimports.carnelian.types.stream_block import (
    BLOCK_LIMIT, DELETED, SAME_FIELDS, block_append, block_check, block_count, block_delete, block_entry, block_find, block_first,
    block_last, block_live, block_new, block_next, block_previous, element_integer)

from carnelian.types.stream_id import HIGHEST_ID

HIGHEST = cython.declare(uint64_t, 0xFFFFFFFFFFFFFFFF)
STREAM_BYTES = cython.declare(cython.Py_ssize_t, 192)      # of the object itself
LARGEST_ENTRY = BLOCK_LIMIT             # bytes of all fields and values of an entry


def trim_limit():
    if not 0 < limits.stream_node_max_entries <= 10000:
        return 1000000 if limits.stream_node_max_entries > 0 else 10000
    return 100 * limits.stream_node_max_entries


@cython.final
@cython.no_gc
@cython.cclass
class Stream:
    """A log of entries and the groups that read it.

    `groups` is a dict of name -> Group, or None while there was never one.
    """

    def __cinit__(self):
        memory.account(STREAM_BYTES)

    def __dealloc__(self):
        k: cython.Py_ssize_t
        for k in range(self.front, self.front + self.count):
            release(self.blocks[k].pack, self.allocated(k - self.front))
        release(self.blocks, self.capacity * cython.sizeof(Block))
        memory.account(-STREAM_BYTES)

    @property
    def encoding(self) -> str:
        """OBJECT ENCODING's name: there is only one."""
        return "stream"

    def __len__(self):
        """What there is to free: entries, groups and their pending entries. The entries alone are `length`."""
        if self.groups is None:
            return self.length
        return self.length + sum([1 + len(group) for group in self.groups.values()])

    # --- state ---------------------------------------------------------------------------------------------------

    @property
    def first_id(self):
        """The ID of the first entry, (0, 0) if there is none."""
        return self.first_ms, self.first_seq

    @property
    def last_id(self):
        """The highest ID that an entry had, be it gone or not."""
        return self.last_ms, self.last_seq

    @property
    def top_id(self):
        """The ID of the last entry that is there, (0, 0) if there is none."""
        at: Walk
        if self.length == 0:
            return 0, 0
        at = walk(self, 0, 0, HIGHEST, HIGHEST, True)
        at.next()
        return at.entry.ms, at.entry.seq

    @property
    def max_deleted_id(self):
        """The highest ID that `delete` removed."""
        return self.deleted_ms, self.deleted_seq

    @property
    def block_count(self):
        return self.count

    def set_state(self, last_id, entries_added=None, max_deleted_id=None):
        """Sets what XSETID sets, without checks; None leaves a value as it is."""
        self.last_ms, self.last_seq = last_id
        if entries_added is not None:
            self.entries_added = entries_added
        if max_deleted_id is not None:
            self.deleted_ms, self.deleted_seq = max_deleted_id

    # --- adding --------------------------------------------------------------------------------------------------

    def next_id(self, now, ms, seq):
        if now > self.last_ms:
            ms[0] = now
            seq[0] = 0
            return True
        ms[0] = self.last_ms
        seq[0] = self.last_seq + 1
        if self.last_seq == HIGHEST:
            if self.last_ms == HIGHEST:
                return False
            ms[0] = self.last_ms + 1
            seq[0] = 0
        return True

    def automatic_id(self, now: uint64_t):
        """The ID that an entry added at `now` (milliseconds) gets; None when the highest one is taken."""
        ms: uint64_t
        seq: uint64_t
        if not self.next_id(now, cython.address(ms), cython.address(seq)):
            return None
        return ms, seq

    def append(self, ms, seq, words, pairs):
        k: cython.Py_ssize_t
        size: cython.size_t = 0
        most: cython.size_t = BLOCK_LIMIT
        before: cython.size_t
        width: cython.Py_ssize_t
        last: cython.pointer(Block)
        p: cython.pointer(uint8_t)
        if not id_less(self.last_ms, self.last_seq, ms, seq):
            return 0
        if self.count > 0:
            for k in range(2 * pairs):
                size += words[k].length
            if 0 < limits.stream_node_max_bytes < BLOCK_LIMIT:
                most = limits.stream_node_max_bytes
            last = self.blocks + (self.front + self.count - 1)
            if lp_bytes(last.pack) + size < most and not self.is_full(last):
                before = self.last_capacity
                p = block_count(last)
                width = lp_skip(p) - p
                block_append(last, ms, seq, words, pairs, cython.address(self.last_capacity))
                if self.count == 1 and self.first_offset:
                    # The entries move when the count before them takes another byte.
                    p = block_count(last)
                    self.first_offset += lp_skip(p) - p - width
                self.packs += block_size(self.last_capacity) - block_size(before)
            else:
                self.close_last()
                self.add_block(ms, seq, words, pairs)
        else:
            self.add_block(ms, seq, words, pairs)
        self.length += 1
        self.entries_added += 1
        self.last_ms = ms
        self.last_seq = seq
        if self.length == 1:
            self.first_ms = ms
            self.first_seq = seq
        return 1

    def is_full(self, block):
        """Whether the block has all the entries that it may have, the deleted ones counted."""
        p: cython.pointer(uint8_t) = block_count(block)
        return (limits.stream_node_max_entries > 0
                and element_integer(p) + element_integer(lp_skip(p)) >= limits.stream_node_max_entries)

    def add_block(self, ms, seq, words, pairs):
        self.room_for_block()
        block_new(self.blocks + (self.front + self.count), ms, seq, words, pairs, cython.address(self.last_capacity))
        self.packs += block_size(self.last_capacity)
        self.count += 1
        return 0

    def room_for_block(self):
        wanted: cython.Py_ssize_t
        size: cython.size_t = cython.sizeof(Block)
        if self.front + self.count < self.capacity:
            return 0
        if self.front > self.capacity // 2:
            memmove(self.blocks, self.blocks + self.front, self.count * size)
            self.front = 0
            return 0
        wanted = self.capacity + (self.capacity >> 1) + 1
        self.blocks = cython.cast(cython.pointer(Block), resize(self.blocks, self.capacity * size, wanted * size))
        self.capacity = wanted
        return 0

    def close_last(self):
        """Gives back what the last block has in reserve, before another follows it."""
        block: cython.pointer(Block) = self.blocks + (self.front + self.count - 1)
        size: cython.size_t = lp_bytes(block.pack)
        if size != self.last_capacity:
            block.pack = cython.cast(cython.pointer(uint8_t), resize(block.pack, self.last_capacity, size))
            self.packs += block_size(size) - block_size(self.last_capacity)
            self.last_capacity = size
        return 0

    def allocated(self, at):
        """Bytes that the pack of a block was allocated with."""
        if at == self.count - 1:
            return self.last_capacity
        return lp_bytes(self.blocks[self.front + at].pack)

    def add(self, id, words):
        """Adds an entry; words are field, value, field, value, ... in bytes.

        False, and nothing is done, when the ID is not above the last one.
        """
        ms: uint64_t
        seq: uint64_t
        k: cython.Py_ssize_t
        n: cython.Py_ssize_t = len(words)
        added: cython.int
        slices: cython.pointer(Slice)
        few: Slice[16]
        word: bytes
        ms, seq = id
        if n < 2 or n % 2:
            raise ValueError("fields and values must come in pairs")
        slices = few
        if n > 16:
            slices = cython.cast(cython.pointer(Slice), allocate(n * cython.sizeof(Slice)))
        try:
            for k in range(n):
                word = words[k]
                slices[k].data = PyBytes_AS_STRING(word)
                slices[k].length = PyBytes_GET_SIZE(word)
            added = self.append(ms, seq, slices, n // 2)
        finally:
            if n > 16:
                release(slices, n * cython.sizeof(Slice))
        return added == 1

    # --- finding -------------------------------------------------------------------------------------------------

    def block_of(self, ms, seq):
        low: cython.Py_ssize_t = 0
        high: cython.Py_ssize_t = self.count
        middle: cython.Py_ssize_t
        block: cython.pointer(Block) = self.blocks + self.front
        if high > 0 and not id_less(ms, seq, block[high - 1].ms, block[high - 1].seq):
            return high - 1
        while low < high:
            middle = (low + high) >> 1
            if id_less(ms, seq, block[middle].ms, block[middle].seq):
                high = middle
            else:
                low = middle + 1
        return low - 1

    def has(self, ms, seq):
        entry: BlockEntry
        at: cython.Py_ssize_t
        if self.length == 0 or id_less(ms, seq, self.first_ms, self.first_seq) or id_less(
                self.last_ms, self.last_seq, ms, seq):
            return False
        at = self.block_of(ms, seq)
        return at >= 0 and block_find(self.blocks + (self.front + at), ms, seq, cython.address(entry))

    def __contains__(self, id):
        ms: uint64_t
        seq: uint64_t
        ms, seq = id
        return self.has(ms, seq)

    def range(self, low=(0, 0), high=HIGHEST_ID, count: cython.Py_ssize_t = -1, backwards: cython.bint = False):
        """The entries from `low` to `high`, both included, as a list of [ID text, [field, value, ...]].

        `backwards` begins at `high`; `count` limits the entries (negative: all).
        """
        low_ms: uint64_t
        low_seq: uint64_t
        high_ms: uint64_t
        high_seq: uint64_t
        result: list = []
        at: Walk
        low_ms, low_seq = low
        high_ms, high_seq = high
        at = walk(self, low_ms, low_seq, high_ms, high_seq, backwards)
        while count != 0 and at.next():
            result.append([at.id_text(), at.words()])
            count -= 1
        return result

    # --- removing ------------------------------------------------------------------------------------------------

    def drop_block(self, at):
        """Frees the block and closes the gap: towards the front or the end, whichever moves less."""
        size: cython.size_t = cython.sizeof(Block)
        block: cython.pointer(Block) = self.blocks + (self.front + at)
        allocated: cython.size_t = self.allocated(at)
        self.packs -= block_size(allocated)
        release(block.pack, allocated)
        if at == self.count - 1:
            self.count -= 1
            if self.count > 0:
                self.last_capacity = lp_bytes(self.blocks[self.front + self.count - 1].pack)
        elif at < self.count // 2:
            memmove(self.blocks + self.front + 1, self.blocks + self.front, at * size)
            self.front += 1
            self.count -= 1
        else:
            self.count -= 1
            memmove(block, block + 1, (self.count - at) * size)
        if at == 0:
            self.first_offset = 0
        return self.shrink()

    def shrink(self):
        wanted: cython.Py_ssize_t = self.count + (self.count >> 1)
        size: cython.size_t = cython.sizeof(Block)
        if self.count == 0:
            release(self.blocks, self.capacity * size)
            self.blocks = cython.NULL
            self.capacity = self.front = 0
        elif self.capacity > 8 and self.count < self.capacity // 4:
            memmove(self.blocks, self.blocks + self.front, self.count * size)
            self.front = 0
            self.blocks = cython.cast(cython.pointer(Block), resize(self.blocks, self.capacity * size, wanted * size))
            self.capacity = wanted
        return 0

    def mark_deleted(self, at, entry):
        """Marks a live entry deleted; its block goes with the last one. The entry's pointers may be stale after it."""
        block: cython.pointer(Block) = self.blocks + (self.front + at)
        capacity: cython.size_t = self.allocated(at)
        before: cython.size_t = capacity
        exact: cython.size_t
        self.length -= 1
        if block_live(block) == 1:
            self.drop_block(at)
            return 0
        if block_delete(block, entry, cython.address(capacity)):
            if at < self.count - 1:
                exact = lp_bytes(block.pack)
                if exact != capacity:
                    block.pack = cython.cast(cython.pointer(uint8_t), resize(block.pack, capacity, exact))
                    capacity = exact
            if at == 0:
                self.first_offset = 0
            self.packs += block_size(capacity) - block_size(before)
            if at == self.count - 1:
                self.last_capacity = capacity
        return 0

    def find_first(self):
        """Sets the first ID anew, after entries have gone."""
        block: cython.pointer(Block)
        entry: BlockEntry
        found: cython.bint
        if self.length == 0:
            self.first_ms = self.first_seq = 0
            return 0
        block = self.blocks + self.front
        if self.first_offset:
            found = block_entry(block, self.first_offset, cython.address(entry))
        else:
            found = block_first(block, cython.address(entry))
        while found and entry.flags & DELETED:
            found = block_next(block, cython.address(entry))
        assert found
        self.first_offset = entry.at - block.pack
        self.first_ms = entry.ms
        self.first_seq = entry.seq
        return 0

    def take(self, ms, seq):
        at: cython.Py_ssize_t
        entry: BlockEntry
        if self.length == 0:
            return False
        at = self.block_of(ms, seq)
        if at < 0 or not block_find(self.blocks + (self.front + at), ms, seq, cython.address(entry)):
            return False
        self.mark_deleted(at, cython.address(entry))
        if ms == self.first_ms and seq == self.first_seq:
            self.find_first()
        return True

    def remove(self, ms, seq):
        if not self.take(ms, seq):
            return False
        if id_less(self.deleted_ms, self.deleted_seq, ms, seq):
            self.deleted_ms = ms
            self.deleted_seq = seq
        return True

    def delete(self, id):
        """Removes the entry with this ID. True if it was there."""
        ms: uint64_t
        seq: uint64_t
        ms, seq = id
        return self.remove(ms, seq)

    def cut_length(self, length, approximate, limit):
        before: uint64_t = self.length
        live: uint64_t
        while self.length > length:
            live = block_live(self.blocks + self.front)
            if self.length - live >= length:
                if approximate and limit and before - self.length + live > cython.cast(uint64_t, limit):
                    break
                self.length -= live
                self.drop_block(0)
            elif approximate:
                break
            else:
                self.cut_first()
        if self.length != before:
            self.find_first()
        return before - self.length

    def cut_before(self, ms, seq, approximate, limit):
        before: uint64_t = self.length
        live: uint64_t
        entry: BlockEntry
        block: cython.pointer(Block)
        while self.length > 0:
            block = self.blocks + self.front
            block_last(block, cython.address(entry))
            if id_less(entry.ms, entry.seq, ms, seq):
                live = block_live(block)
                if approximate and limit and before - self.length + live > cython.cast(uint64_t, limit):
                    break
                self.length -= live
                self.drop_block(0)
            elif approximate:
                break
            else:
                self.find_first()
                if not id_less(self.first_ms, self.first_seq, ms, seq):
                    break
                self.cut_first()
        if self.length != before:
            self.find_first()
        return before - self.length

    def cut_first(self):
        """Marks the first live entry of the first block deleted."""
        entry: BlockEntry
        self.find_first()
        block_entry(self.blocks + self.front, self.first_offset, cython.address(entry))
        return self.mark_deleted(0, cython.address(entry))

    def trim_length(self, length: uint64_t, approximate: cython.bint = False, limit: int64_t = 0):
        """Removes entries from the front so that at most `length` are left; how many have gone.

        Approximate trimming removes whole blocks only, and at most `limit` entries (0: no limit).
        """
        return self.cut_length(length, approximate, limit)

    def trim_before(self, id, approximate: cython.bint = False, limit: int64_t = 0):
        """Removes the entries below `id`; how many have gone. `approximate` and `limit` as in `trim_length`."""
        ms: uint64_t
        seq: uint64_t
        ms, seq = id
        return self.cut_before(ms, seq, approximate, limit)

    # --- the whole -------------------------------------------------------------------------------------------------

    def add_group(self, name, group):
        """Adds a group. The name is free."""
        if self.groups is None:
            self.groups = {}
        self.groups[name] = group

    def remove_group(self, name):
        """The group that had this name, or None."""
        return None if self.groups is None else self.groups.pop(name, None)

    def blocks_as_bytes(self):
        """Yields (key ID, listpack bytes) for each block, as RDB files keep them."""
        k: cython.Py_ssize_t
        block: cython.pointer(Block)
        for k in range(self.count):
            block = self.blocks + (self.front + k)
            yield (block.ms, block.seq), PyBytes_FromStringAndSize(
                cython.cast(cython.p_char, block.pack), lp_bytes(block.pack))

    def load_block(self, id, data: bytes):
        """Adds a block behind the others, as an RDB file has it. ValueError if it is damaged or out of order.

        Sets length, first and last ID; `set_state` has the last word on them.
        """
        block: Block
        entry: BlockEntry
        size: cython.size_t = len(data)
        block.ms, block.seq = id
        if self.count > 0 and self.top_id >= (block.ms, block.seq):
            raise ValueError("the blocks of the stream are out of order")
        block.pack = cython.cast(cython.pointer(uint8_t), PyBytes_AS_STRING(data))
        block_check(cython.address(block), size)
        if block_live(cython.address(block)) == 0:
            raise ValueError("a block of the stream has no entry")
        if self.count > 0:
            self.close_last()
        self.room_for_block()
        block.pack = cython.cast(cython.pointer(uint8_t), allocate(size))
        memcpy(block.pack, PyBytes_AS_STRING(data), size)
        self.last_capacity = size
        self.packs += block_size(self.last_capacity)
        self.blocks[self.front + self.count] = block
        self.count += 1
        self.length += block_live(cython.address(block))
        block_last(cython.address(block), cython.address(entry))
        self.last_ms = entry.ms
        self.last_seq = entry.seq
        if self.count == 1:
            self.find_first()

    def copy(self):
        """A stream of its own with the same entries, state and groups."""
        k: cython.Py_ssize_t
        size: cython.size_t
        block: cython.pointer(Block)
        twin: Stream = Stream()
        if self.count > 0:
            twin.blocks = cython.cast(cython.pointer(Block), allocate(self.count * cython.sizeof(Block)))
            twin.capacity = self.count
        for k in range(self.count):
            block = twin.blocks + k
            block[0] = self.blocks[self.front + k]
            size = lp_bytes(block.pack)
            block.pack = cython.cast(cython.pointer(uint8_t), allocate(size))
            memcpy(block.pack, self.blocks[self.front + k].pack, lp_bytes(self.blocks[self.front + k].pack))
            twin.count += 1
            twin.last_capacity = size
            twin.packs += block_size(size)
        twin.length = self.length
        twin.entries_added = self.entries_added
        twin.first_ms = self.first_ms
        twin.first_seq = self.first_seq
        twin.last_ms = self.last_ms
        twin.last_seq = self.last_seq
        twin.deleted_ms = self.deleted_ms
        twin.deleted_seq = self.deleted_seq
        if self.groups is not None:
            twin.groups = {name: group.copy() for name, group in self.groups.items()}
        return twin

    def memory(self) -> int:
        """Bytes that the stream takes, groups included."""
        total: cython.size_t = STREAM_BYTES + self.packs + block_size(self.capacity * cython.sizeof(Block))
        if self.groups is not None:
            for name, group in self.groups.items():
                total += group.memory() + len(name) + 96
        return total

    def free_some(self, budget: cython.Py_ssize_t):
        """Frees about `budget` entries and pending entries; how many are left. The stream is good for nothing else then."""
        live: cython.Py_ssize_t
        while self.count > 0 and budget > 0:
            live = block_live(self.blocks + (self.front + self.count - 1))
            self.length -= live
            budget -= live
            self.drop_block(self.count - 1)
        while self.groups and budget > 0:
            name, group = next(iter(self.groups.items()))
            live = len(group)
            budget -= 1 + live
            if group.free_some(budget + 1 + live) == 0:
                del self.groups[name]
        return len(self)

    def _check(self):
        """Asserts the invariants: blocks sound, none empty, IDs rising, counters true."""
        k: cython.Py_ssize_t
        block: cython.pointer(Block)
        entry: BlockEntry
        found: cython.bint
        length: uint64_t = 0
        packs: cython.size_t = 0
        first = None
        last = (-1, -1)
        assert self.front + self.count <= self.capacity
        for k in range(self.count):
            block = self.blocks + (self.front + k)
            block_check(block, lp_bytes(block.pack))
            assert block_live(block) > 0
            assert last < (block.ms, block.seq)
            found = block_first(block, cython.address(entry))
            assert (block.ms, block.seq) <= (entry.ms, entry.seq)
            while found:
                if not entry.flags & DELETED:
                    last = (entry.ms, entry.seq)
                    length += 1
                    if first is None:
                        first = last
                        assert self.first_offset in (0, entry.at - block.pack)
                found = block_next(block, cython.address(entry))
            packs += block_size(self.allocated(k))
            assert lp_bytes(block.pack) <= self.allocated(k)
        assert last <= self.last_id
        assert (first or (0, 0)) == self.first_id
        assert length == self.length
        assert packs == self.packs
        for group in (self.groups or {}).values():
            group._check()


# --- walks ---------------------------------------------------------------------------------------------------------

@cython.final
@cython.no_gc
@cython.cclass
class Walk:
    """A walk over the entries of a range."""

    def next(self):
        more: cython.bint
        while True:
            if not self.begun:
                self.begun = True
                if not self.begin():
                    return False
            else:
                more = self.step()
                if not more:
                    return False
            if self.entry.flags & DELETED:
                continue
            if self.backwards:
                if id_less(self.entry.ms, self.entry.seq, self.low_ms, self.low_seq):
                    return False
                if id_less(self.high_ms, self.high_seq, self.entry.ms, self.entry.seq):
                    continue
            else:
                if id_less(self.high_ms, self.high_seq, self.entry.ms, self.entry.seq):
                    return False
                if id_less(self.entry.ms, self.entry.seq, self.low_ms, self.low_seq):
                    continue
            return True

    def begin(self):
        s: Stream = self.stream
        if s.count == 0 or id_less(self.high_ms, self.high_seq, self.low_ms, self.low_seq):
            return False
        if self.backwards:
            self.block = s.block_of(self.high_ms, self.high_seq)
            return self.block >= 0 and block_last(s.blocks + (s.front + self.block), cython.address(self.entry))
        if not id_less(s.first_ms, s.first_seq, self.low_ms, self.low_seq) and s.first_offset:
            self.block = 0
            return block_entry(s.blocks + s.front, s.first_offset, cython.address(self.entry))
        self.block = s.block_of(self.low_ms, self.low_seq)
        if self.block < 0:
            self.block = 0
        return block_first(s.blocks + (s.front + self.block), cython.address(self.entry))

    def step(self):
        s: Stream = self.stream
        block: cython.pointer(Block) = s.blocks + (s.front + self.block)
        if self.backwards:
            if block_previous(block, cython.address(self.entry)):
                return True
            self.block -= 1
            return self.block >= 0 and block_last(block - 1, cython.address(self.entry))
        if block_next(block, cython.address(self.entry)):
            return True
        self.block += 1
        return self.block < s.count and block_first(block + 1, cython.address(self.entry))

    def id_text(self):
        return format_id(self.entry.ms, self.entry.seq)

    def words(self):
        k: cython.Py_ssize_t
        p: cython.pointer(uint8_t)
        result: list = []
        if self.entry.flags & SAME_FIELDS:
            if self.fields_of != self.entry.fields:
                p = self.entry.fields
                self.fields_of = p
                self.fields = []
                for k in range(self.entry.pairs):
                    self.fields.append(lp_value(p))
                    p = lp_skip(p)
            p = self.entry.body
            for k in range(self.entry.pairs):
                result.append(self.fields[k])
                result.append(lp_value(p))
                p = lp_skip(p)
        else:
            p = self.entry.body
            for k in range(2 * self.entry.pairs):
                result.append(lp_value(p))
                p = lp_skip(p)
        return result


def walk(stream, low_ms, low_seq, high_ms, high_seq, backwards):
    w: Walk = Walk.__new__(Walk)
    w.stream = stream
    w.low_ms = low_ms
    w.low_seq = low_seq
    w.high_ms = high_ms
    w.high_seq = high_seq
    w.backwards = backwards
    return w
