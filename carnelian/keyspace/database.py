# cython: language_level=3, cdivision=True
"""One numbered database: the table of its keys, their expiry, their access clocks.

Keys with an expiry also stand in a plain array of (time, entry): active expiry reads it from end to end (a million keys
in about a millisecond), and a random one is found in O(1) for the volatile eviction policies. It takes 16 bytes a key,
and the expiry cell in the entry another 16. Hashes with fields that expire stand in an array of the same form.
"""
import cython
from cython.cimports.carnelian.base.glob import glob_match
from cython.cimports.carnelian.base.memory import release, resize
from cython.cimports.carnelian.types.hash import Hash, expires, expiring_at
from cython.cimports.carnelian.types.table import (
    EXPIRES, HASH, INLINE, RAW, SEEN, Position, entry_expiry, entry_free, entry_key, entry_kind, entry_new, entry_object,
    entry_reshape, entry_size, entry_value, entry_word, random_bits)
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cython.cimports.cpython.object import PyObject
from cython.cimports.cpython.ref import Py_INCREF
from cython.cimports.libc.string import memcpy

KIND_NAMES = {0: "string", 1: "list", 2: "set", 3: "zset", 4: "hash", 5: "ReJSON-RL", 6: "stream"}

# A structure with more elements than this is not freed in one go (Redis's lazyfree threshold is 64 allocations).
FREE_AT_ONCE = 64
# Expired fields of a hash that are deleted on access; what is left is hidden until the active cycle comes.
FIELDS_AT_ONCE = cython.declare(cython.size_t, 100)


@cython.cfunc
@cython.inline
def key_of(e: cython.pointer(Entry)) -> bytes:
    return PyBytes_FromStringAndSize(entry_key(e), e.key_length)


lfu_log_factor = 10
lfu_decay_minutes = 1


def configure_frequency(log_factor: int, decay_minutes: int) -> None:
    """lfu-log-factor: how slowly the counters grow; lfu-decay-time: minutes in which they lose one, 0: never."""
    global lfu_log_factor, lfu_decay_minutes
    lfu_log_factor = log_factor
    lfu_decay_minutes = decay_minutes


def frequency_at(e, clock):
    periods: cython.uint = 0
    counter: cython.uint = (e.meta >> 8) & 0xFF
    if lfu_decay_minutes:
        periods = (((clock >> 8) - (e.meta >> 16)) & 0xFFFF) // lfu_decay_minutes
    return counter - periods if periods < counter else 0


@cython.cclass
class Guard:
    """A snapshot, as the databases know it: it hears of an entry before anything can happen to it."""

    def preserve(self, db, e):
        return 0

    def adopt(self, db, table):
        db.owner.bury(table)
        return 0


@cython.final
@cython.cclass
class Database:
    """Keys and values of one SELECT-able database. `len(database)` counts keys, expired ones too until they are removed."""

    def __cinit__(self, index: cython.int, owner):
        self.index = index
        self.owner = owner
        self.table = Table()
        self.due = cython.NULL
        self.unseen = NOTHING_UNSEEN
        self.hashes = cython.NULL

    def __dealloc__(self):
        release(self.due, self.due_capacity * cython.sizeof(Due))
        release(self.hashes, self.hash_capacity * cython.sizeof(Due))

    def __len__(self):
        return len(self.table)

    # --- finding -----------------------------------------------------------------------------------------------------

    def has_expired(self, e):
        return e.meta & EXPIRES != 0 and entry_expiry(e).at < self.now

    def touch(self, e):
        counter: cython.uint
        base: cython.ulonglong
        if not self.frequency:
            e.meta = (e.meta & 0xFF) | (self.clock << 8)
            return 0
        # LFU: the counter falls with time, and grows with a probability that falls as it grows
        # (https://redis.io/docs/latest/develop/reference/eviction/).
        counter = frequency_at(e, self.clock)
        if counter < 255:
            base = counter - 5 if counter > 5 else 0
            if random_bits() % (base * lfu_log_factor + 1) == 0:
                counter += 1
        e.meta = (e.meta & 0xFF) | (((self.clock & 0xFFFF00) | counter) << 8)
        return 0

    def peek(self, key, n):
        slot: cython.pointer(cython.pointer(Entry)) = self.table.find(key, n)
        if slot == cython.NULL:
            return cython.NULL
        if self.has_expired(slot[0]):
            if not self.keep_expired:
                self.expire_slot(slot)
            return cython.NULL
        if slot[0].meta & SEEN == self.unseen:
            self.guard.preserve(self, slot[0])
        return slot

    def lookup(self, key, n):
        slot: cython.pointer(cython.pointer(Entry)) = self.table.find(key, n)
        if slot == cython.NULL:
            return cython.NULL
        if slot[0].meta & EXPIRES and entry_expiry(slot[0]).at < self.now:
            if not self.keep_expired:
                self.expire_slot(slot)
            return cython.NULL
        if slot[0].meta & SEEN == self.unseen:
            self.guard.preserve(self, slot[0])
        if self.clock != slot[0].meta >> 8 or self.frequency:
            self.touch(slot[0])
        return slot

    def sample(self, volatile_only):
        if not volatile_only:
            return self.table.random()
        if self.due_count == 0:
            return cython.NULL
        return self.table.slot_of(self.due[random_bits() % self.due_count].entry)

    # --- changing ----------------------------------------------------------------------------------------------------

    def set_string(self, key, n, value, m, keep_expiry):
        e: cython.pointer(Entry) = self.store_string(self.lookup(key, n), key, n, m, keep_expiry)
        memcpy(entry_value(e), value, m)
        return e

    def store_string(self, found, key, n, m, keep_expiry):
        e: cython.pointer(Entry)
        flags: cython.int
        if found == cython.NULL:
            e = entry_new(key, n, INLINE, 0, m)
            e.meta = (e.meta & 0xFF) | self.epoch | (self.first_clock() << 8)
            self.table.insert(e)
            return e
        e = found[0]
        if e.value_length == m and e.meta & (15 | EXPIRES | RAW) == 0:
            return e
        if entry_kind(e) != INLINE:
            self.save_object(e)
        flags = 0
        if e.meta & EXPIRES:
            if keep_expiry:
                flags = EXPIRES
            else:
                self.forget_due(e)
        if e.value_length == m and e.meta & (15 | RAW) == 0 and flags == e.meta & EXPIRES:
            return e
        e = entry_reshape(e, INLINE, flags, m)
        found[0] = e
        if flags:
            self.due[entry_expiry(e).index].entry = e
        return e

    def put_object(self, key, n, kind, structure, keep_expiry):
        e: cython.pointer(Entry)
        slot: cython.pointer(cython.pointer(Entry)) = self.lookup(key, n)
        flags: cython.int = 0
        if slot == cython.NULL:
            e = entry_new(key, n, kind, 0, 0)
            e.meta = (e.meta & 0xFF) | self.epoch | (self.first_clock() << 8)
            Py_INCREF(structure)
            cython.cast(cython.pp_void, entry_word(e))[0] = cython.cast(cython.p_void, structure)
            self.table.insert(e)
            if kind == HASH:
                self.settle(e)
            return e
        e = slot[0]
        if entry_kind(e) != INLINE:
            self.save_object(e)
        if e.meta & EXPIRES:
            if keep_expiry:
                flags = EXPIRES
            else:
                self.forget_due(e)
        # As a string first: a reshape between two kinds of objects must release the old one.
        e = entry_reshape(e, INLINE, flags, 0)
        e = entry_reshape(e, kind, flags, 0)
        Py_INCREF(structure)
        cython.cast(cython.pp_void, entry_word(e))[0] = cython.cast(cython.p_void, structure)
        slot[0] = e
        if flags:
            self.due[entry_expiry(e).index].entry = e
        if kind == HASH:
            self.settle(e)
        return e

    def reshape(self, slot, kind, flags, value_length):
        e: cython.pointer(Entry) = entry_reshape(slot[0], kind, flags, value_length)
        slot[0] = e
        self.has_moved(e)
        if flags & EXPIRES:
            self.due[entry_expiry(e).index].entry = e
        return e

    def set_expiry(self, slot, at):
        e: cython.pointer(Entry) = slot[0]
        capacity: cython.size_t
        if e.meta & EXPIRES:
            entry_expiry(e).at = at
            self.due[entry_expiry(e).index].at = at
            return 0
        if self.due_count == self.due_capacity:
            capacity = self.due_capacity * 2 if self.due_capacity else 16
            self.due = cython.cast(cython.pointer(Due), resize(
                self.due, self.due_capacity * cython.sizeof(Due), capacity * cython.sizeof(Due)))
            self.due_capacity = capacity
        e = entry_reshape(e, entry_kind(e), (e.meta & 0xF0) | EXPIRES, e.value_length)
        slot[0] = e
        entry_expiry(e).at = at
        entry_expiry(e).index = self.due_count
        entry_expiry(e).spare = 0
        self.due[self.due_count].at = at
        self.due[self.due_count].entry = e
        self.due_count += 1
        self.has_moved(e)
        return 0

    def clear_expiry(self, slot):
        e: cython.pointer(Entry) = slot[0]
        if not e.meta & EXPIRES:
            return False
        self.forget_due(e)
        slot[0] = entry_reshape(e, entry_kind(e), e.meta & 0xF0 & ~EXPIRES, e.value_length)
        self.has_moved(slot[0])
        return True

    def forget_due(self, e):
        index: cython.size_t = entry_expiry(e).index
        self.due_count -= 1
        if index != self.due_count:
            self.due[index] = self.due[self.due_count]
            entry_expiry(self.due[index].entry).index = index
        if self.due_capacity > 1024 and self.due_count < self.due_capacity // 8:
            try:
                self.due = cython.cast(cython.pointer(Due), resize(
                    self.due, self.due_capacity * cython.sizeof(Due), self.due_capacity // 2 * cython.sizeof(Due)))
                self.due_capacity //= 2
            except MemoryError:
                return 0            # the larger array is as good
        return 0

    def remove(self, key, n):
        e: cython.pointer(Entry) = self.table.take(key, n)
        if e == cython.NULL:
            return False
        if e.meta & SEEN == self.unseen:
            self.guard.preserve(self, e)
        if e.meta & EXPIRES:
            self.forget_due(e)
        self.drop(e)
        return True

    def drop(self, e):
        if entry_kind(e) != INLINE:
            self.save_object(e)
        entry_free(e)
        return 0

    def save_object(self, e):
        """What the database knows of a structure is forgotten, and a large one handed to the owner, who frees it in slices."""
        structure: object = cython.cast(object, entry_object(e))
        if entry_kind(e) == HASH:
            self.forget_hash(e)
        if len(structure) > FREE_AT_ONCE:
            self.owner.bury(structure)
        return 0

    def first_clock(self):
        return (self.clock & 0xFFFF00) | 5 if self.frequency else self.clock

    # --- expiry ------------------------------------------------------------------------------------------------------

    def expire_slot(self, slot):
        key: bytes = key_of(slot[0])
        self.remove(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        self.owner.key_expired(self, key)
        return 0

    def expire_some(self, look_at, remove_at_most):
        """One slice of the active cycle: how many keys were removed. Reads at most `look_at` entries."""
        removed: cython.size_t = 0
        e: cython.pointer(Entry)
        if look_at > self.due_count:
            look_at = self.due_count
        while look_at > 0 and removed < remove_at_most and self.due_count > 0:
            look_at -= 1
            if self.due_cursor >= self.due_count:
                self.due_cursor = 0
            if self.due[self.due_cursor].at < self.now:
                # The last one takes its place: the cursor stays.
                e = self.due[self.due_cursor].entry
                key: bytes = key_of(e)
                self.remove(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
                self.owner.key_expired(self, key)
                removed += 1
            else:
                self.due_cursor += 1
        return removed

    # --- hashes with fields that expire --------------------------------------------------------------------------------

    def has_moved(self, e):
        hash: Hash
        if entry_kind(e) == HASH:
            hash = cython.cast(Hash, entry_object(e))
            if expires(hash) and expiring_at(hash.word).place:
                self.hashes[expiring_at(hash.word).place - 1].entry = e
        return 0

    def forget_hash(self, e):
        hash: Hash = cython.cast(Hash, entry_object(e))
        place: cython.size_t
        if not expires(hash) or expiring_at(hash.word).place == 0:
            return 0
        place = expiring_at(hash.word).place - 1
        expiring_at(hash.word).place = 0
        self.hash_count -= 1
        if place != self.hash_count:
            self.hashes[place] = self.hashes[self.hash_count]
            hash = cython.cast(Hash, entry_object(self.hashes[place].entry))
            expiring_at(hash.word).place = place + 1
        if self.hash_capacity > 1024 and self.hash_count < self.hash_capacity // 8:
            try:
                self.hashes = cython.cast(cython.pointer(Due), resize(
                    self.hashes, self.hash_capacity * cython.sizeof(Due), self.hash_capacity // 2 * cython.sizeof(Due)))
                self.hash_capacity //= 2
            except MemoryError:
                return 0            # the larger array is as good
        return 0

    def settle(self, e):
        hash: Hash = cython.cast(Hash, entry_object(e))
        soonest: cython.longlong
        capacity: cython.size_t
        place: cython.size_t
        if not expires(hash):
            return 0
        soonest = hash.soonest()
        if soonest == 0:
            self.forget_hash(e)
            return 0
        place = expiring_at(hash.word).place
        if place == 0:
            if self.hash_count == self.hash_capacity:
                capacity = self.hash_capacity * 2 if self.hash_capacity else 16
                self.hashes = cython.cast(cython.pointer(Due), resize(
                    self.hashes, self.hash_capacity * cython.sizeof(Due), capacity * cython.sizeof(Due)))
                self.hash_capacity = capacity
            self.hash_count += 1
            place = self.hash_count
            expiring_at(hash.word).place = place
            self.hashes[place - 1].entry = e
        self.hashes[place - 1].at = soonest
        return 0

    def freshen(self, slot):
        hash: Hash = cython.cast(Hash, entry_object(slot[0]))
        gone: cython.bint = False
        hash.hide(self.now)
        if hash.hides() and not self.keep_expired:
            self.reap(slot[0], FIELDS_AT_ONCE, cython.address(gone))
        return not gone

    def reap(self, e, at_most, gone):
        """Deletes expired fields: how many. An emptied hash goes, too."""
        hash: Hash = cython.cast(Hash, entry_object(e))
        key: bytes = key_of(e)
        if e.meta & SEEN == self.unseen:
            self.guard.preserve(self, e)
        names: list = hash.pop_expired(self.now, at_most)
        gone[0] = hash.length() == 0
        if gone[0]:
            self.remove(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        else:
            self.settle(e)
        if names:
            self.owner.fields_expired(self, key, names, gone[0])
        return len(names)

    def expire_fields(self, look_at, remove_at_most):
        """One slice of the active cycle: how many fields were removed. Looks at no more than `look_at` hashes."""
        removed: cython.size_t = 0
        gone: cython.bint = False
        if look_at > self.hash_count:
            look_at = self.hash_count
        while look_at > 0 and removed < remove_at_most and self.hash_count > 0:
            look_at -= 1
            if self.hash_cursor >= self.hash_count:
                self.hash_cursor = 0
            if self.hashes[self.hash_cursor].at <= self.now:
                # The cursor stays: another hash takes the place of one that is gone, and one that is not is looked at again.
                removed += self.reap(self.hashes[self.hash_cursor].entry, remove_at_most - removed, cython.address(gone))
            else:
                self.hash_cursor += 1
        return removed

    @property
    def volatile_hashes(self) -> int:
        """Hashes with fields that expire."""
        return self.hash_count

    @property
    def volatile_count(self) -> int:
        """Keys with an expiry."""
        return self.due_count

    def average_ttl(self) -> int:
        """Mean time to live in milliseconds over a sample of at most 64 keys; 0 if none has an expiry."""
        i: cython.size_t
        total: cython.double = 0
        count: cython.size_t = min(self.due_count, 64)
        if count == 0:
            return 0
        for i in range(count):
            total += max(0, self.due[random_bits() % self.due_count].at - self.now)
        return int(total / count)

    # --- for the words that see whole databases ------------------------------------------------------------------------

    def keys(self, pattern: bytes):
        """Every key that matches the glob pattern, expired ones left out."""
        found: list = []
        position: Position
        slot: cython.pointer(cython.pointer(Entry))
        p: cython.p_char = PyBytes_AS_STRING(pattern)
        n: cython.size_t = PyBytes_GET_SIZE(pattern)
        everything: cython.bint = pattern == b"*"
        self.table.start(cython.address(position))
        while True:
            slot = self.table.next(cython.address(position))
            if slot == cython.NULL:
                return found
            if (everything or glob_match(p, n, entry_key(slot[0]), slot[0].key_length, False)) \
                    and not self.has_expired(slot[0]):
                found.append(key_of(slot[0]))

    def scan(self, cursor: int, count: cython.int, pattern: bytes = None, kind: cython.int = -1):
        """One step of SCAN: `(next cursor, keys)`. At least `count` keys are looked at, in at most ten times as many buckets."""
        collected: Scan = Scan()
        at: cython.ulonglong = cursor
        buckets: cython.longlong = cython.cast(cython.longlong, count) * 10
        collected.database = self
        collected.pattern = pattern
        collected.kind = kind
        collected.keys = []
        while True:
            at = self.table.scan(at, scan_visit, cython.cast(cython.p_void, collected))
            buckets -= 1
            if at == 0 or buckets <= 0 or collected.seen >= count:
                break
        if collected.expired is not None:
            for key in collected.expired:
                self.peek(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        return at, collected.keys

    def random_key(self):
        """A key taken at random, or None if there is none. Expired ones are removed on the way."""
        slot: cython.pointer(cython.pointer(Entry))
        tries: cython.int
        for tries in range(100):
            slot = self.table.random()
            if slot == cython.NULL:
                return None
            if not self.has_expired(slot[0]):
                return key_of(slot[0])
            if self.keep_expired:
                continue
            self.expire_slot(slot)
        return None

    def items(self):
        """Every live key with its value (bytes or structure) and expiry (or None), in no order: an iterator over a snapshot of
        the keys, for tests and for words that go over everything (DEBUG DIGEST)."""
        for key in self.keys(b"*"):
            yield key, self.value(key), self.expiry_of(key)

    def value(self, key: bytes):
        """The value, not counted as an access: bytes, a structure, or None."""
        slot: cython.pointer(cython.pointer(Entry)) = self.peek(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        if slot == cython.NULL:
            return None
        if entry_kind(slot[0]) == INLINE:
            return PyBytes_FromStringAndSize(entry_value(slot[0]), slot[0].value_length)
        if entry_kind(slot[0]) == HASH:
            cython.cast(Hash, entry_object(slot[0])).hide(self.now)
        return cython.cast(object, entry_object(slot[0]))

    def expiry_of(self, key: bytes):
        slot: cython.pointer(cython.pointer(Entry)) = self.peek(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        if slot == cython.NULL or not slot[0].meta & EXPIRES:
            return None
        return entry_expiry(slot[0]).at

    def is_raw(self, key: bytes):
        """Whether a string was modified in place (OBJECT ENCODING says raw)."""
        slot: cython.pointer(cython.pointer(Entry)) = self.peek(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        return slot != cython.NULL and slot[0].meta & RAW != 0

    def idle_seconds(self, key: bytes):
        """Seconds since the last access, None if there is no such key."""
        slot: cython.pointer(cython.pointer(Entry)) = self.peek(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        if slot == cython.NULL:
            return None
        return (self.clock - (slot[0].meta >> 8)) & 0xFFFFFF

    def access_frequency(self, key: bytes):
        """The logarithmic LFU counter, 0 to 255, None if there is no such key."""
        slot: cython.pointer(cython.pointer(Entry)) = self.peek(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        if slot == cython.NULL:
            return None
        return frequency_at(slot[0], self.clock)

    def set_access(self, key: bytes, idle=None, frequency=None):
        """Sets what is known of a key's use: the seconds since the last one, or (with an LFU policy) the counter, 0 to 255.

        What the policy in force has no use for is ignored.
        """
        seconds: uint32_t
        slot: cython.pointer(cython.pointer(Entry)) = self.peek(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        if slot == cython.NULL:
            return
        clock: uint32_t = slot[0].meta >> 8
        if self.frequency:
            if frequency is not None:
                clock = (self.clock & 0xFFFF00) | cython.cast(uint32_t, frequency)
        elif idle is not None:
            seconds = min(idle, 0xFFFFFF)
            clock = (self.clock - seconds) & 0xFFFFFF
        slot[0].meta = (slot[0].meta & 0xFF) | (clock << 8)

    def memory_of(self, key: bytes):
        """Bytes that a key and its value take, None if there is no such key."""
        slot: cython.pointer(cython.pointer(Entry)) = self.peek(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        if slot == cython.NULL:
            return None
        size: cython.size_t = entry_size(slot[0]) + 9          # and its share of the bucket
        if slot[0].meta & EXPIRES:
            size += cython.sizeof(Due)
        if entry_kind(slot[0]) != INLINE:
            size += cython.cast(object, entry_object(slot[0])).memory()
        return size

    def table_memory(self):
        """Bytes of the bucket arrays and of the expiry list: what MEMORY STATS calls overhead."""
        return self.table.size_in_memory() + (self.due_capacity + self.hash_capacity) * cython.sizeof(Due)

    def move_key(self, source: bytes, target_database: Database, target: bytes):
        """Gives the value at source, with its expiry, to another key (which must not exist), maybe in another database.

        False if there is no source. Nothing of the value is copied but a string's bytes.
        """
        slot: cython.pointer(cython.pointer(Entry)) = self.lookup(PyBytes_AS_STRING(source), PyBytes_GET_SIZE(source))
        e: cython.pointer(Entry)
        f: cython.pointer(Entry)
        at: cython.longlong = -1
        if slot == cython.NULL:
            return False
        if slot[0].meta & EXPIRES:
            at = entry_expiry(slot[0]).at
            self.clear_expiry(slot)
        e = self.table.take(PyBytes_AS_STRING(source), PyBytes_GET_SIZE(source))
        if entry_kind(e) == HASH:
            self.forget_hash(e)
        f = entry_new(PyBytes_AS_STRING(target), PyBytes_GET_SIZE(target), entry_kind(e), e.meta & RAW, e.value_length)
        f.meta = (f.meta & 0xFF) | target_database.epoch | (e.meta & ~0xFF)
        if entry_kind(e) == INLINE:
            memcpy(entry_value(f), entry_value(e), e.value_length)
        else:
            entry_word(f)[0] = entry_word(e)[0]
            Py_INCREF(cython.cast(object, entry_object(f)))     # entry_free below releases the other one
        entry_free(e)
        target_database.table.insert(f)
        if entry_kind(f) == HASH:
            target_database.settle(f)
        if at >= 0:
            slot = target_database.table.find(PyBytes_AS_STRING(target), PyBytes_GET_SIZE(target))
            target_database.set_expiry(slot, at)
        return True

    def clear(self):
        """Forgets every key at once; what they held is freed in slices by the owner. How many there were."""
        count = len(self.table)
        if count:
            old = self.table
            self.table = Table()
            self.due_count = 0
            self.due_cursor = 0
            release(self.due, self.due_capacity * cython.sizeof(Due))
            self.due = cython.NULL
            self.due_capacity = 0
            self.hash_count = 0
            self.hash_cursor = 0
            release(self.hashes, self.hash_capacity * cython.sizeof(Due))
            self.hashes = cython.NULL
            self.hash_capacity = 0
            if self.guard is None:
                self.owner.bury(old)
            else:
                self.guard.adopt(self, old)
                self.guard = None
                self.unseen = NOTHING_UNSEEN
        return count

    def swap(self, other: Database):
        """Exchanges the contents: who has selected one of the two sees the other's keys."""
        self.table, other.table = other.table, self.table
        due: cython.pointer(Due) = self.due
        self.due = other.due
        other.due = due
        self.due_count, other.due_count = other.due_count, self.due_count
        self.due_capacity, other.due_capacity = other.due_capacity, self.due_capacity
        self.due_cursor = 0
        other.due_cursor = 0
        self.guard, other.guard = other.guard, self.guard
        self.origin, other.origin = other.origin, self.origin
        self.epoch, other.epoch = other.epoch, self.epoch
        self.unseen, other.unseen = other.unseen, self.unseen
        due = self.hashes
        self.hashes = other.hashes
        other.hashes = due
        self.hash_count, other.hash_count = other.hash_count, self.hash_count
        self.hash_capacity, other.hash_capacity = other.hash_capacity, self.hash_capacity
        self.hash_cursor = 0
        other.hash_cursor = 0

    # --- snapshots ---------------------------------------------------------------------------------------------------

    # The flag SEEN means one thing in one snapshot and the opposite in the next: no pass has to clear it.

    def begin_guard(self, guard):
        self.guard = guard
        self.origin = self.index
        self.unseen = self.epoch
        self.epoch ^= SEEN
        return 0

    def end_guard(self):
        self.guard = None
        self.unseen = NOTHING_UNSEEN
        return 0

    def rehash_step(self, buckets: cython.int):
        """Moves some buckets of a growth under way: whether there is more to do."""
        return self.table.step(buckets)

    def _check(self):
        """The invariants, for tests: each due cell and its entry point at each other, and the table is sound."""
        i: cython.size_t
        e: cython.pointer(Entry)
        position: Position
        slot: cython.pointer(cython.pointer(Entry))
        volatile: cython.size_t = 0
        expiring: cython.size_t = 0
        hash: Hash
        self.table._check()
        for i in range(self.due_count):
            e = self.due[i].entry
            assert e.meta & EXPIRES
            assert entry_expiry(e).index == i
            assert entry_expiry(e).at == self.due[i].at
            slot = self.table.slot_of(e)
            assert slot != cython.NULL and slot[0] == e
        for i in range(self.hash_count):
            e = self.hashes[i].entry
            slot = self.table.slot_of(e)
            assert slot != cython.NULL and slot[0] == e
            hash = cython.cast(Hash, entry_object(e))
            assert expires(hash) and expiring_at(hash.word).place == i + 1
            assert hash.soonest() == self.hashes[i].at
        self.table.start(cython.address(position))
        while True:
            slot = self.table.next(cython.address(position))
            if slot == cython.NULL:
                break
            if slot[0].meta & EXPIRES:
                volatile += 1
            if entry_kind(slot[0]) == HASH:
                hash = cython.cast(Hash, entry_object(slot[0]))
                expiring += hash.soonest() != 0
        assert volatile == self.due_count
        assert expiring == self.hash_count


@cython.cclass
class Scan:
    """What one step of SCAN has gathered."""


def scan_visit(context, slot):
    scan: Scan = cython.cast(Scan, cython.cast(object, cython.cast(cython.pointer(PyObject), context)))
    e: cython.pointer(Entry) = slot[0]
    scan.seen += 1
    if scan.pattern is not None and not glob_match(
            PyBytes_AS_STRING(scan.pattern), PyBytes_GET_SIZE(scan.pattern), entry_key(e), e.key_length, False):
        return 0
    if scan.kind >= 0 and entry_kind(e) != scan.kind:
        return 0
    if scan.database.has_expired(e):
        if scan.expired is None:
            scan.expired = []
        scan.expired.append(key_of(e))
        return 0
    scan.keys.append(key_of(e))
    return 0
