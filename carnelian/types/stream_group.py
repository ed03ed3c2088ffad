# cython: language_level=3
"""Consumer groups of a stream.

A group has the last delivered ID and the pending entries: delivered, not acknowledged. Each belongs to one consumer. IDs
are tuples (milliseconds, sequence), times are milliseconds since the epoch.
"""
import cython
from cython.cimports.carnelian.base import memory
from cython.cimports.carnelian.base.memory import allocate, block_size, release
from cython.cimports.carnelian.types.stream import Stream, Walk, walk
from cython.cimports.carnelian.types.stream_id import format_id, id_less
from cython.cimports.carnelian.types.stream_pending import (
    PendingPlace, pending_add, pending_check, pending_clear, pending_find, pending_last, pending_memory, pending_next,
    pending_seek, pending_take)

HIGHEST = cython.declare(uint64_t, 0xFFFFFFFFFFFFFFFF)
LONGEST = cython.declare(int64_t, 0x7FFFFFFFFFFFFFFF)
CONSUMER_BYTES = cython.declare(cython.Py_ssize_t, 200)     # of the object, and its place in the group's dict
GROUP_BYTES = cython.declare(cython.Py_ssize_t, 240)

# What `Group.claim` says.
NOT_CLAIMED = 0
CLAIMED = 1
GONE = 2        # the entry is no longer in the log: it has left the pending ones too


# --- the counters ----------------------------------------------------------------------------------------------------

@cython.cfunc
@cython.exceptval(check=False)
def deleted_behind(s: Stream, ms: uint64_t, seq: uint64_t) -> cython.bint:
    """Whether an entry at or behind this ID, of those that are there, was deleted by its ID: counts are not certain then."""
    if s.length == 0 or id_less(s.deleted_ms, s.deleted_seq, s.first_ms, s.first_seq):
        return False
    return not id_less(s.deleted_ms, s.deleted_seq, ms, seq)


@cython.cfunc
@cython.exceptval(check=False)
def distance(s: Stream, ms: uint64_t, seq: uint64_t) -> int64_t:
    """How many entries were added up to this ID, gone ones too; -1 where that can't be told."""
    if s.entries_added == 0:
        return 0
    if s.length == 0 and not id_less(s.last_ms, s.last_seq, ms, seq):
        return s.entries_added
    if id_less(s.last_ms, s.last_seq, ms, seq):
        return -1
    if ms == s.last_ms and seq == s.last_seq:
        return s.entries_added
    if (s.deleted_ms == 0 and s.deleted_seq == 0) or id_less(s.deleted_ms, s.deleted_seq, s.first_ms, s.first_seq):
        if id_less(ms, seq, s.first_ms, s.first_seq):
            return s.entries_added - s.length
        if ms == s.first_ms and seq == s.first_seq:
            return s.entries_added - s.length + 1
    return -1


@cython.cfunc
def owner_name(nack: cython.pointer(Nack)):
    """The name of the consumer that the entry is pending for; None while it has none."""
    return None if nack.consumer == cython.NULL else cython.cast(Consumer, nack.consumer).name


# --- consumers and groups --------------------------------------------------------------------------------------------

@cython.final
@cython.no_gc
@cython.cclass
class Consumer:
    """One reader of a group."""

    def __cinit__(self, name: bytes, now: int64_t):
        self.name = name
        self.seen_time = now
        self.active_time = -1
        memory.account(CONSUMER_BYTES)

    def __dealloc__(self):
        pending_clear(cython.address(self.pending))
        memory.account(-CONSUMER_BYTES)

    @property
    def pending_count(self):
        return self.pending.size

    def pending_ids(self):
        """The IDs pending for this consumer, rising."""
        place: PendingPlace
        nack: cython.pointer(Nack) = pending_seek(cython.address(self.pending), 0, 0, cython.address(place))
        result: list = []
        while nack != cython.NULL:
            result.append((nack.ms, nack.seq))
            nack = pending_next(cython.address(self.pending), cython.address(place))
        return result


@cython.final
@cython.no_gc
@cython.cclass
class Group:
    """A consumer group. `consumers` is a dict of name -> Consumer, to be changed by the methods only."""

    def __cinit__(self, last_id=(0, 0), entries_read: int64_t = -1):
        self.last_ms, self.last_seq = last_id
        self.entries_read = entries_read
        self.consumers = {}
        memory.account(GROUP_BYTES)

    def __dealloc__(self):
        place: PendingPlace
        nack: cython.pointer(Nack) = pending_seek(cython.address(self.pending), 0, 0, cython.address(place))
        while nack != cython.NULL:
            release(nack, cython.sizeof(Nack))
            nack = pending_next(cython.address(self.pending), cython.address(place))
        pending_clear(cython.address(self.pending))
        memory.account(-GROUP_BYTES)

    def __len__(self):
        """Pending entries."""
        return self.pending.size

    @property
    def last_id(self):
        """The ID of the last entry that was delivered."""
        return self.last_ms, self.last_seq

    @property
    def pending_count(self):
        return self.pending.size

    def set_last_id(self, id, entries_read: int64_t = -1):
        self.last_ms, self.last_seq = id
        self.entries_read = entries_read

    def count_from(self, stream: Stream):
        """Sets `entries_read` by where the last delivered ID is in the log, as far as that can be told."""
        self.entries_read = distance(stream, self.last_ms, self.last_seq)

    def lag(self, stream: Stream):
        """How many entries of the log are still to be delivered; None where that can't be told."""
        read: int64_t = self.entries_read
        if stream.entries_added == 0:
            return 0
        if read == -1 or deleted_behind(stream, self.last_ms, self.last_seq):
            read = distance(stream, self.last_ms, self.last_seq)
            if read == -1:
                return None
        return cython.cast(int64_t, stream.entries_added) - read

    # --- consumers -----------------------------------------------------------------------------------------------

    def add_consumer(self, name: bytes, now: int64_t):
        """The new consumer of this name, or None if there is one already."""
        if name in self.consumers:
            return None
        consumer = Consumer(name, now)
        self.consumers[name] = consumer
        return consumer

    def remove_consumer(self, name: bytes):
        """Removes a consumer with its pending entries; how many those were, None if there is no such consumer."""
        consumer: Consumer = self.consumers.pop(name, None)
        place: PendingPlace
        nack: cython.pointer(Nack)
        if consumer is None:
            return None
        nack = pending_seek(cython.address(consumer.pending), 0, 0, cython.address(place))
        while nack != cython.NULL:
            pending_take(cython.address(self.pending), nack.ms, nack.seq)
            release(nack, cython.sizeof(Nack))
            nack = pending_next(cython.address(consumer.pending), cython.address(place))
        count: cython.size_t = consumer.pending.size
        pending_clear(cython.address(consumer.pending))
        return count

    # --- pending entries -------------------------------------------------------------------------------------------

    def add(self, ms, seq, consumer, delivered, count):
        """A pending entry that was none before; consumer may be None until `give`."""
        nack: cython.pointer(Nack) = cython.cast(cython.pointer(Nack), allocate(cython.sizeof(Nack)))
        nack.ms = ms
        nack.seq = seq
        nack.delivered = delivered
        nack.count = count
        nack.consumer = cython.NULL
        if self.pending.size == 0 or delivered < self.oldest:
            self.oldest = delivered
        try:
            pending_add(cython.address(self.pending), nack)
        except MemoryError:
            release(nack, cython.sizeof(Nack))
            raise
        if consumer is not None:
            self.give(nack, consumer)
        return nack

    def give(self, nack, consumer):
        """Makes the entry the consumer's."""
        owner: Consumer
        if nack.consumer == cython.cast(cython.p_void, consumer):
            return 0
        pending_add(cython.address(consumer.pending), nack)
        if nack.consumer != cython.NULL:
            owner = cython.cast(Consumer, nack.consumer)
            pending_take(cython.address(owner.pending), nack.ms, nack.seq)
        nack.consumer = cython.cast(cython.p_void, consumer)
        return 0

    def forget(self, ms, seq):
        owner: Consumer
        nack: cython.pointer(Nack) = pending_take(cython.address(self.pending), ms, seq)
        if nack == cython.NULL:
            return False
        if nack.consumer != cython.NULL:
            owner = cython.cast(Consumer, nack.consumer)
            pending_take(cython.address(owner.pending), ms, seq)
        release(nack, cython.sizeof(Nack))
        return True

    def acknowledge(self, id):
        """Removes a pending entry. True if it was one."""
        ms: uint64_t
        seq: uint64_t
        ms, seq = id
        return self.forget(ms, seq)

    def add_pending(self, id, consumer: Consumer | None, delivered: int64_t, count: int64_t):
        """Adds a pending entry, as an RDB file has it: `consumer` may be None until `assign`. ValueError if it is there."""
        ms: uint64_t
        seq: uint64_t
        ms, seq = id
        if pending_find(cython.address(self.pending), ms, seq) != cython.NULL:
            raise ValueError("the entry is pending already")
        self.add(ms, seq, consumer, delivered, count)

    def assign(self, id, consumer: Consumer):
        """Gives a pending entry to a consumer. ValueError if it is not pending, or another's."""
        ms: uint64_t
        seq: uint64_t
        nack: cython.pointer(Nack)
        ms, seq = id
        nack = pending_find(cython.address(self.pending), ms, seq)
        if nack == cython.NULL or nack.consumer != cython.NULL:
            raise ValueError("the entry is not there to be assigned")
        self.give(nack, consumer)

    def pending_entries(self, low=(0, 0), high=(HIGHEST, HIGHEST), count: cython.Py_ssize_t = -1, consumer: Consumer | None = None,
                        now: int64_t = 0, idle: int64_t = 0):
        """Pending entries in a range of IDs: a list of (ID, consumer name or None, delivered, deliveries).

        `consumer` restricts them to its own, `idle` to those whose last delivery is at least so many milliseconds before
        `now`; `count` limits the result (negative: all).
        """
        low_ms: uint64_t
        low_seq: uint64_t
        high_ms: uint64_t
        high_seq: uint64_t
        place: PendingPlace
        pending: cython.pointer(Pending) = cython.address(self.pending)
        nack: cython.pointer(Nack)
        result: list = []
        low_ms, low_seq = low
        high_ms, high_seq = high
        if consumer is not None:
            pending = cython.address(consumer.pending)
        nack = pending_seek(pending, low_ms, low_seq, cython.address(place))
        while count != 0 and nack != cython.NULL and not id_less(high_ms, high_seq, nack.ms, nack.seq):
            if idle <= 0 or now - nack.delivered >= idle:
                result.append(((nack.ms, nack.seq), owner_name(nack), nack.delivered, nack.count))
                count -= 1
            nack = pending_next(pending, cython.address(place))
        return result

    def pending_bounds(self):
        """The lowest and the highest pending ID, or None."""
        place: PendingPlace
        first: cython.pointer(Nack) = pending_seek(cython.address(self.pending), 0, 0, cython.address(place))
        last: cython.pointer(Nack)
        if first == cython.NULL:
            return None
        last = pending_last(cython.address(self.pending))
        return (first.ms, first.seq), (last.ms, last.seq)

    def pending_entry(self, id):
        """(consumer name, delivered, deliveries) of a pending entry, or None."""
        ms: uint64_t
        seq: uint64_t
        nack: cython.pointer(Nack)
        ms, seq = id
        nack = pending_find(cython.address(self.pending), ms, seq)
        if nack == cython.NULL:
            return None
        return owner_name(nack), nack.delivered, nack.count

    @property
    def is_complete(self):
        """Whether every pending entry has its consumer: to be asked when all of an RDB file is loaded."""
        consumer: Consumer
        owned: cython.size_t = 0
        for consumer in self.consumers.values():
            owned += consumer.pending.size
        return owned == self.pending.size

    # --- reading and claiming ----------------------------------------------------------------------------------------

    def deliver(self, stream: Stream, consumer: Consumer, count: cython.Py_ssize_t, now: int64_t, noack: cython.bint):
        """Entries that were never delivered to the group, as `Stream.range` gives them; they become the consumer's.

        `count` limits them (0: all); with `noack` they do not become pending.
        """
        ms: uint64_t
        seq: uint64_t
        at: Walk
        nack: cython.pointer(Nack)
        result: list = []
        if not id_less(self.last_ms, self.last_seq, stream.last_ms, stream.last_seq):
            return result
        at = walk(stream, self.last_ms + (1 if self.last_seq == HIGHEST else 0), self.last_seq + 1, HIGHEST, HIGHEST,
                  False)
        while at.next():
            ms = at.entry.ms
            seq = at.entry.seq
            if self.entries_read != -1 and not deleted_behind(stream, ms, seq):
                self.entries_read += 1
            elif stream.entries_added:
                self.entries_read = distance(stream, ms, seq)
            self.last_ms = ms
            self.last_seq = seq
            result.append([at.id_text(), at.words()])
            if not noack:
                nack = pending_find(cython.address(self.pending), ms, seq)
                if nack == cython.NULL:
                    self.add(ms, seq, consumer, now, 1)
                else:                               # XGROUP SETID has gone back before it
                    self.give(nack, consumer)
                    nack.delivered = now
                    nack.count = 1
                    self.oldest = min(self.oldest, now)
            count -= 1
            if count == 0:
                break
        return result

    def history(self, stream: Stream, consumer: Consumer, after, count: cython.Py_ssize_t, now: int64_t):
        """Entries pending for the consumer behind the ID `after`: a list of [ID text, [field, value, ...]].

        Instead of the fields stands None where the entry is no longer in the log; the others count as delivered once
        more. `count` limits them (0: all).
        """
        ms: uint64_t
        seq: uint64_t
        place: PendingPlace
        nack: cython.pointer(Nack)
        at: Walk
        result: list = []
        ms, seq = after
        if seq == HIGHEST:
            if ms == HIGHEST:
                return result
            ms += 1
        seq += 1
        nack = pending_seek(cython.address(consumer.pending), ms, seq, cython.address(place))
        while nack != cython.NULL:
            at = walk(stream, nack.ms, nack.seq, nack.ms, nack.seq, False)
            if at.next():
                result.append([at.id_text(), at.words()])
                nack.delivered = now
                nack.count += 1
                self.oldest = min(self.oldest, now)
            else:
                result.append([format_id(nack.ms, nack.seq), None])
            count -= 1
            if count == 0:
                break
            nack = pending_next(cython.address(consumer.pending), cython.address(place))
        return result

    def claim(self, stream: Stream, consumer: Consumer, id, idle: int64_t, now: int64_t, delivered: int64_t,
              deliveries: int64_t = -1, force: cython.bint = False, uncounted: cython.bint = False):
        """Makes a pending entry the consumer's: CLAIMED, NOT_CLAIMED (not pending, or idle for too short), or GONE.

        `idle`: milliseconds that its last delivery must be past at `now`; `delivered`: the new time of it; `deliveries`:
        their new number (-1: one more, or the same if `uncounted`); `force` claims what is not pending.
        """
        ms: uint64_t
        seq: uint64_t
        nack: cython.pointer(Nack)
        ms, seq = id
        nack = pending_find(cython.address(self.pending), ms, seq)
        if not stream.has(ms, seq):
            if nack == cython.NULL:
                return NOT_CLAIMED
            self.forget(ms, seq)
            return GONE
        if nack == cython.NULL:
            if not force:
                return NOT_CLAIMED
            nack = self.add(ms, seq, consumer, delivered, 1)
        elif idle > 0 and now - nack.delivered < idle:
            return NOT_CLAIMED
        self.give(nack, consumer)
        nack.delivered = delivered
        self.oldest = min(self.oldest, delivered)
        if deliveries >= 0:
            nack.count = deliveries
        elif not uncounted:
            nack.count += 1
        return CLAIMED

    def idle_entries(self, stream: Stream, idle: int64_t, now: int64_t):
        """Pending entries whose last delivery is at least `idle` milliseconds before `now` and that are still in the log, and
        when the next one will be as idle: (list of (time of the last delivery, ID, deliveries), the longest idle first; a time
        in milliseconds, or None). O(1) while none is known to be so idle, else O(N), N pending entries.
        """
        place: PendingPlace
        nack: cython.pointer(Nack)
        found: list = []
        oldest: int64_t = now
        next: int64_t = now
        if self.pending.size == 0:
            return found, None
        if now - self.oldest >= idle:
            nack = pending_seek(cython.address(self.pending), 0, 0, cython.address(place))
            while nack != cython.NULL:
                oldest = min(oldest, nack.delivered)
                if now - nack.delivered < idle:
                    next = min(next, nack.delivered)
                elif stream.has(nack.ms, nack.seq):
                    found.append((nack.delivered, (nack.ms, nack.seq), nack.count))
                nack = pending_next(cython.address(self.pending), cython.address(place))
            self.oldest = oldest
            found.sort()
        else:
            next = self.oldest
        return found, next + idle if idle < LONGEST - next else None

    # --- the whole ---------------------------------------------------------------------------------------------------

    def copy(self):
        place: PendingPlace
        nack: cython.pointer(Nack)
        name: bytes
        old: Consumer
        new: Consumer
        twin: Group = Group((self.last_ms, self.last_seq), self.entries_read)
        for name, old in self.consumers.items():
            new = Consumer(name, old.seen_time)
            new.active_time = old.active_time
            twin.consumers[name] = new
        nack = pending_seek(cython.address(self.pending), 0, 0, cython.address(place))
        while nack != cython.NULL:
            new = twin.consumers.get(owner_name(nack))
            twin.add(nack.ms, nack.seq, new, nack.delivered, nack.count)
            nack = pending_next(cython.address(self.pending), cython.address(place))
        return twin

    def memory(self) -> int:
        """Bytes that the group takes, consumers included."""
        consumer: Consumer
        total: cython.size_t = (GROUP_BYTES + pending_memory(cython.address(self.pending))
                                + self.pending.size * block_size(cython.sizeof(Nack)))
        for consumer in self.consumers.values():
            total += CONSUMER_BYTES + len(consumer.name) + 33 + pending_memory(cython.address(consumer.pending))
        return total

    def free_some(self, budget: cython.Py_ssize_t):
        """Frees up to `budget` pending entries; how many are left."""
        nack: cython.pointer(Nack)
        while self.pending.size > 0 and budget > 0:
            nack = pending_last(cython.address(self.pending))
            self.forget(nack.ms, nack.seq)
            budget -= 1
        return self.pending.size

    def _check(self):
        """Asserts the invariants: every pending entry stands in the group's list and in its consumer's."""
        place: PendingPlace
        nack: cython.pointer(Nack)
        consumer: Consumer
        total: cython.size_t = 0
        pending_check(cython.address(self.pending))
        for name, consumer in self.consumers.items():
            assert consumer.name == name
            pending_check(cython.address(consumer.pending))
            total += consumer.pending.size
            nack = pending_seek(cython.address(consumer.pending), 0, 0, cython.address(place))
            while nack != cython.NULL:
                assert nack.consumer == cython.cast(cython.p_void, consumer)
                assert nack.delivered >= self.oldest
                assert pending_find(cython.address(self.pending), nack.ms, nack.seq) == nack
                nack = pending_next(cython.address(consumer.pending), cython.address(place))
        assert total == self.pending.size
