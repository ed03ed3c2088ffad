# cython: language_level=3
"""Hash: fields with values, in the encodings of Redis: a listpack while it is small, then a table.

The limits are `hash-max-listpack-entries` and `hash-max-listpack-value`. A table never becomes a listpack again, and a hash
of which a field has been given a time to expire stays in a form that can have such fields.
https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/memory-optimization/
"""
import cython
from cython.cimports.carnelian.base.glob import glob_match
from cython.cimports.carnelian.base.memory import account
from cython.cimports.carnelian.types.expiring import (
    expiring_check, expiring_copy, expiring_delete, expiring_enlarge, expiring_free, expiring_get, expiring_length,
    expiring_memory, expiring_next, expiring_of_pack, expiring_of_table, expiring_of_triples, expiring_pop, expiring_random,
    expiring_scan, expiring_schedule, expiring_set, expiring_soonest, expiring_start, expiring_time, expiring_visible)
from cython.cimports.carnelian.types.limits import hash_max_listpack_entries, hash_max_listpack_value
from cython.cimports.carnelian.types.listpack import (Item, lp_append_pair, lp_bytes, lp_check, lp_copy, lp_cut, lp_find,
                                                      lp_first, lp_free, lp_get, lp_length, lp_load, lp_memory, lp_new, lp_next,
                                                      lp_replace, lp_seek, lp_skip, lp_value, pack)
from cython.cimports.carnelian.types.members import (ENCODING, EXPIRING, OBJECT_BYTES, SAFE_BYTES, TABLE, Members, key_item, members_add,
                                                     members_check, members_copy, members_free, members_length, members_memory,
                                                     members_new, members_remove, members_resize_value, members_scan,
                                                     value_item)
from cython.cimports.carnelian.types.table import Entry, Table, random_below
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.libc.string import memcpy

# No field expires later, in milliseconds since the epoch: Redis keeps 48 bits of a time.
LATEST = cython.declare(int64_t, 281474976710654)


@cython.cfunc
@cython.inline
def to_bytes(item: cython.pointer(Item)) -> bytes:
    return PyBytes_FromStringAndSize(item.data, item.length)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def packed(word: cython.size_t) -> pack:
    return cython.cast(pack, word)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def members_of(word: cython.size_t) -> cython.pointer(Members):
    return cython.cast(cython.pointer(Members), word - TABLE)


@cython.cfunc
@cython.inline
def table_of(word: cython.size_t) -> Table:
    return cython.cast(Table, members_of(word).table)


@cython.final
@cython.cclass
class Hash:
    """Fields with values, both bytes."""

    def __cinit__(self):
        account(OBJECT_BYTES)
        self.word = cython.cast(cython.size_t, lp_new())

    def __dealloc__(self):
        if self.word & TABLE:
            members_free(members_of(self.word))
        elif self.word & EXPIRING:
            expiring_free(expiring_at(self.word))
        else:
            lp_free(packed(self.word))
        account(-OBJECT_BYTES)

    # --- C level ---------------------------------------------------------------------------------------------------

    def length(self):
        if self.word & TABLE:
            return members_length(members_of(self.word))
        if self.word & EXPIRING:
            return expiring_length(expiring_at(self.word))
        return lp_length(packed(self.word)) >> 1

    def get_field(self, field, n, value):
        p: pack
        slot: cython.pointer(cython.pointer(Entry))
        if self.word & TABLE:
            slot = table_of(self.word).find(field, n)
            if slot == cython.NULL:
                return False
            value_item(slot[0], value)
            return True
        if self.word & EXPIRING:
            return expiring_get(expiring_at(self.word), field, n, value) >= 0
        p = lp_find(packed(self.word), lp_first(packed(self.word)), field, n, 1)
        if p == cython.NULL:
            return False
        lp_get(lp_skip(p), value)
        return True

    def has_field(self, field, n):
        if self.word & TABLE:
            return table_of(self.word).find(field, n) != cython.NULL
        if self.word & EXPIRING:
            return expiring_get(expiring_at(self.word), field, n, cython.NULL) >= 0
        return lp_find(packed(self.word), lp_first(packed(self.word)), field, n, 1) != cython.NULL

    def set_field(self, field, n, value, m):
        lp: pack
        p: pack
        slot: cython.pointer(cython.pointer(Entry))
        limit: cython.size_t = hash_max_listpack_value
        entries: cython.size_t = hash_max_listpack_entries
        if not self.word & TABLE:
            if self.word & EXPIRING:
                return expiring_set(expiring_at(self.word), field, n, value, m, False)
            lp = packed(self.word)
            if n <= limit and m <= limit and lp_bytes(lp) + n + m < SAFE_BYTES:
                p = lp_find(lp, lp_first(lp), field, n, 1)
                if p != cython.NULL:
                    p = lp_skip(p)
                    lp = lp_replace(lp, cython.address(p), value, m)
                    self.word = cython.cast(cython.size_t, lp)
                    if lp_length(lp) >> 1 > entries:        # the limit has been lowered meanwhile
                        self.enlarge(0)
                    return 0
                if lp_length(lp) >> 1 < entries:
                    self.word = cython.cast(cython.size_t, lp_append_pair(lp, field, n, value, m))
                    return 1
            self.enlarge((lp_length(lp) >> 1) + 1)
        slot = table_of(self.word).find(field, n)
        if slot != cython.NULL:
            memcpy(members_resize_value(members_of(self.word), slot, m), value, m)
            return 0
        memcpy(members_add(members_of(self.word), field, n, m), value, m)
        return 1

    def update_field(self, field, n, value, m, keep):
        """set_field, but with `keep` the field's time stays."""
        if self.word & EXPIRING:
            return expiring_set(expiring_at(self.word), field, n, value, m, keep)
        return self.set_field(field, n, value, m)

    def delete_field(self, field, n):
        p: pack
        if self.word & TABLE:
            return members_remove(members_of(self.word), field, n)
        if self.word & EXPIRING:
            return expiring_delete(expiring_at(self.word), field, n)
        p = lp_find(packed(self.word), lp_first(packed(self.word)), field, n, 1)
        if p == cython.NULL:
            return 0
        self.word = cython.cast(cython.size_t, lp_cut(packed(self.word), cython.address(p), 2))
        return 1

    def start(self, walk):
        if self.word & TABLE:
            table_of(self.word).start(cython.address(walk.position))
        elif self.word & EXPIRING:
            walk.hidden = expiring_at(self.word).hidden
            expiring_start(expiring_at(self.word), walk)
        else:
            walk.next = lp_first(packed(self.word))

    def start_all(self, walk):
        walk.hidden = walk.time = 0
        if self.word & EXPIRING:
            expiring_start(expiring_at(self.word), walk)
        else:
            self.start(walk)

    def next(self, walk, field, value):
        slot: cython.pointer(cython.pointer(Entry))
        p: pack
        if self.word & TABLE:
            slot = table_of(self.word).next(cython.address(walk.position))
            if slot == cython.NULL:
                return False
            key_item(slot[0], field)
            value_item(slot[0], value)
            return True
        if self.word & EXPIRING:
            return expiring_next(expiring_at(self.word), walk, field, value)
        p = walk.next
        if p == cython.NULL:
            return False
        lp_get(p, field)
        p = lp_skip(p)
        lp_get(p, value)
        walk.next = lp_next(packed(self.word), p)
        return True

    def random(self, field, value):
        slot: cython.pointer(cython.pointer(Entry))
        p: pack
        n: cython.size_t = self.length()
        if n == 0:
            return False
        if self.word & TABLE:
            slot = table_of(self.word).random()
            key_item(slot[0], field)
            value_item(slot[0], value)
        elif self.word & EXPIRING:
            return expiring_random(expiring_at(self.word), field, value)
        else:
            p = lp_seek(packed(self.word), 2 * random_below(n))
            lp_get(p, field)
            lp_get(lp_skip(p), value)
        return True

    def reserve(self, count):
        x: cython.pointer(Expiring)
        if not self.word & TABLE and count > cython.cast(cython.size_t, hash_max_listpack_entries):
            if self.word & EXPIRING:
                x = expiring_at(self.word)
                if x.lp != cython.NULL:
                    expiring_enlarge(x, count)
            else:
                self.enlarge(count)
        return 0

    def enlarge(self, count):
        lp: pack = packed(self.word)
        members: cython.pointer(Members) = members_new(max(count, lp_length(lp) >> 1))
        p: pack = lp_first(lp)
        field: Item
        value: Item
        try:
            while p != cython.NULL:
                lp_get(p, cython.address(field))
                p = lp_skip(p)
                lp_get(p, cython.address(value))
                p = lp_next(lp, p)
                memcpy(members_add(members, field.data, field.length, value.length), value.data, value.length)
        except BaseException:
            members_free(members)
            raise
        lp_free(lp)
        self.word = cython.cast(cython.size_t, members) | TABLE
        return 0

    # --- for bodies ------------------------------------------------------------------------------------------------

    def __len__(self):
        return self.length()

    def __contains__(self, field: bytes):
        return self.has_field(PyBytes_AS_STRING(field), PyBytes_GET_SIZE(field))

    def get(self, field):
        """The value, or None."""
        value: Item
        if self.get_field(PyBytes_AS_STRING(field), PyBytes_GET_SIZE(field), cython.address(value)):
            return to_bytes(cython.address(value))
        return None

    def value_length(self, field):
        """Bytes of the value; 0 without the field."""
        value: Item
        if self.get_field(PyBytes_AS_STRING(field), PyBytes_GET_SIZE(field), cython.address(value)):
            return value.length
        return 0

    def set(self, field, value):
        """True if the field is new."""
        return self.set_field(PyBytes_AS_STRING(field), PyBytes_GET_SIZE(field),
                              PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value)) == 1

    def update(self, field, value):
        """The same, but a time that the field has stays."""
        return self.update_field(PyBytes_AS_STRING(field), PyBytes_GET_SIZE(field),
                                 PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value), True) == 1

    def delete(self, field):
        """True if the field was there."""
        return self.delete_field(PyBytes_AS_STRING(field), PyBytes_GET_SIZE(field)) == 1

    def pairs(self) -> list:
        """`[field, value, field, value, ...]`"""
        return self._list(True, True)

    def keys(self) -> list:
        return self._list(True, False)

    def values(self) -> list:
        return self._list(False, True)

    def _list(self, keys, values):
        walk: HashWalk
        field: Item
        value: Item
        found: list = []
        self.start(cython.address(walk))
        while self.next(cython.address(walk), cython.address(field), cython.address(value)):
            if keys:
                found.append(to_bytes(cython.address(field)))
            if values:
                found.append(to_bytes(cython.address(value)))
        return found

    def random_field(self):
        """A field, or None of an empty hash."""
        field: Item
        value: Item
        if self.random(cython.address(field), cython.address(value)):
            return to_bytes(cython.address(field))
        return None

    def shown(self):
        """Fields that are not hidden."""
        return expiring_visible(expiring_at(self.word)) if self.word & EXPIRING else self.length()

    def is_table(self):
        return self.word & TABLE != 0 or (self.word & EXPIRING != 0 and expiring_at(self.word).lp == cython.NULL)

    def sample(self, count: cython.size_t, values: cython.bint = False) -> list:
        """Up to count distinct fields; with `values` a flat list `[field, value, ...]`."""
        walk: HashWalk
        field: Item
        value: Item
        left: cython.size_t = self.shown()
        found: list = []
        seen: set
        if count * 3 < left and self.is_table() and left * 4 >= self.length():     # few of many: draw until there are enough different ones
            seen = set()
            while cython.cast(cython.size_t, len(seen)) < count:
                self.random(cython.address(field), cython.address(value))
                name = to_bytes(cython.address(field))
                if name not in seen:
                    seen.add(name)
                    found.append(name)
                    if values:
                        found.append(to_bytes(cython.address(value)))
            return found
        # One pass: each is taken with the chance of what is still wanted among what is still to come.
        self.start(cython.address(walk))
        while count and self.next(cython.address(walk), cython.address(field), cython.address(value)):
            if count >= left or random_below(left) < count:
                count -= 1
                found.append(to_bytes(cython.address(field)))
                if values:
                    found.append(to_bytes(cython.address(value)))
            left -= 1
        return found

    def draw(self, count: cython.size_t, values: cython.bint = False) -> list:
        """count fields, each drawn from all; with `values` a flat list. None of a hash that shows no field."""
        field: Item
        value: Item
        i: cython.size_t
        n: cython.size_t = self.shown()
        index: cython.size_t
        found: list = []
        everything: list
        if n == 0:
            return found
        if not self.is_table() and count > 3:
            everything = self.pairs()
            for i in range(count):
                index = 2 * random_below(n)
                found.append(everything[index])
                if values:
                    found.append(everything[index + 1])
            return found
        for i in range(count):
            self.random(cython.address(field), cython.address(value))
            found.append(to_bytes(cython.address(field)))
            if values:
                found.append(to_bytes(cython.address(value)))
        return found

    def scan(self, cursor: uint64_t, count: cython.size_t, pattern: bytes = None, values: cython.bint = True) -> tuple:
        """One step of HSCAN: the next cursor (0: the end) and `[field, value, ...]` of the fields that match.

        Without `values`: the fields alone. A listpack is given as a whole.
        """
        walk: HashWalk
        field: Item
        value: Item
        found: list = []
        if self.word & TABLE:
            return members_scan(members_of(self.word), cursor, count, pattern, found, values, 0), found
        if self.is_table():
            return expiring_scan(expiring_at(self.word), cursor, count, pattern, found, values), found
        self.start(cython.address(walk))
        while self.next(cython.address(walk), cython.address(field), cython.address(value)):
            if pattern is None or glob_match(PyBytes_AS_STRING(pattern), PyBytes_GET_SIZE(pattern), field.data, field.length,
                                             False):
                found.append(to_bytes(cython.address(field)))
                if values:
                    found.append(to_bytes(cython.address(value)))
        return 0, found

    # --- times -----------------------------------------------------------------------------------------------------

    def hide(self, now):
        if self.word & EXPIRING:
            expiring_at(self.word).hidden = now

    def soonest(self):
        return expiring_soonest(expiring_at(self.word)) if self.word & EXPIRING else 0

    def time_of(self, field):
        """When the field expires, 0: never, -1: there is no such field."""
        if self.word & EXPIRING:
            return expiring_get(expiring_at(self.word), PyBytes_AS_STRING(field), PyBytes_GET_SIZE(field), cython.NULL)
        return 0 if self.has_field(PyBytes_AS_STRING(field), PyBytes_GET_SIZE(field)) else -1

    def schedule(self, field, at):
        """Gives a field a time at which it expires, or (0) takes it away. False if there is no such field."""
        if not self.has_field(PyBytes_AS_STRING(field), PyBytes_GET_SIZE(field)):
            return False
        if not self.word & EXPIRING:
            if at == 0:
                return True
            if self.word & TABLE:
                self.word = cython.cast(cython.size_t, expiring_of_table(members_of(self.word))) | EXPIRING
            else:
                self.word = cython.cast(cython.size_t, expiring_of_pack(packed(self.word))) | EXPIRING
        return expiring_schedule(expiring_at(self.word), PyBytes_AS_STRING(field), PyBytes_GET_SIZE(field), at)

    def is_hidden(self, field):
        """Whether the field has expired and is not deleted yet."""
        at: int64_t
        if not self.word & EXPIRING:
            return False
        at = expiring_time(expiring_at(self.word), PyBytes_AS_STRING(field), PyBytes_GET_SIZE(field))
        return 0 < at <= expiring_at(self.word).hidden

    def hides(self):
        """Whether any field has expired and is not deleted yet."""
        return self.word & EXPIRING != 0 and 0 < self.soonest() <= expiring_at(self.word).hidden

    def pop_expired(self, now, most):
        """Deletes up to `most` fields whose time is up to now, the soonest first: their names."""
        return expiring_pop(expiring_at(self.word), now, most) if self.word & EXPIRING else []

    @property
    def next_expiry(self):
        """The soonest time of a field, hidden ones included, or None."""
        return self.soonest() or None

    def hide_until(self, now: int64_t) -> None:
        """For Python code: fields whose time is up to now are no longer shown."""
        self.hide(now)

    def times(self) -> list:
        """`[(field, value, time), ...]`, hidden fields included."""
        walk: HashWalk
        field: Item
        value: Item
        found: list = []
        self.start_all(cython.address(walk))
        while self.next(cython.address(walk), cython.address(field), cython.address(value)):
            found.append((to_bytes(cython.address(field)), to_bytes(cython.address(value)), walk.time))
        return found

    # --- as a whole ------------------------------------------------------------------------------------------------

    @property
    def encoding(self) -> str:
        """OBJECT ENCODING's name."""
        if self.is_table():
            return "hashtable"
        return "listpackex" if self.word & EXPIRING else "listpack"

    def memory(self) -> int:
        """Bytes, the object included."""
        if self.word & TABLE:
            return OBJECT_BYTES + members_memory(members_of(self.word))
        if self.word & EXPIRING:
            return OBJECT_BYTES + expiring_memory(expiring_at(self.word))
        return OBJECT_BYTES + lp_memory(packed(self.word))

    def copy(self) -> Hash:
        other: Hash = Hash()
        if self.word & TABLE:
            members: cython.pointer(Members) = members_copy(members_of(self.word))
            lp_free(packed(other.word))
            other.word = cython.cast(cython.size_t, members) | TABLE
        elif self.word & EXPIRING:
            x: cython.pointer(Expiring) = expiring_copy(expiring_at(self.word))
            lp_free(packed(other.word))
            other.word = cython.cast(cython.size_t, x) | EXPIRING
        else:
            lp: pack = lp_copy(packed(self.word))
            lp_free(packed(other.word))
            other.word = cython.cast(cython.size_t, lp)
        return other

    def free_some(self, budget: cython.size_t) -> int:
        """Frees up to budget fields of a hash that nobody needs any more; how many are left (a listpack: goes at once)."""
        if self.word & TABLE:
            return table_of(self.word).clear_some(budget)
        if self.word & EXPIRING and expiring_at(self.word).lp == cython.NULL:
            return cython.cast(Table, expiring_at(self.word).members.table).clear_some(budget)
        return 0

    def to_packed(self):
        """The bytes of the listpack (of triples field, value, time in a "listpackex"), None of a table."""
        x: cython.pointer(Expiring)
        if self.is_table():
            return None
        if self.word & EXPIRING:
            x = expiring_at(self.word)
            return PyBytes_FromStringAndSize(cython.cast(cython.p_char, x.lp), lp_bytes(x.lp))
        return PyBytes_FromStringAndSize(cython.cast(cython.p_char, packed(self.word)), lp_bytes(packed(self.word)))

    @staticmethod
    def from_packed(data: bytes) -> Hash:
        """A hash from the bytes of a listpack that came from elsewhere: ValueError if they are none, or hold a field twice.

        It becomes a table if it is over the limits.
        """
        hash: Hash = Hash()
        lp: pack = lp_load(PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))
        p: pack
        lp_free(packed(hash.word))
        hash.word = cython.cast(cython.size_t, lp)
        if lp_length(lp) & 1:
            raise ValueError("a field without a value")
        if len(set(hash.keys())) != hash.length():
            raise ValueError("a field is there twice")
        p = lp_first(lp)
        while p != cython.NULL:
            if len(lp_value(p)) > hash_max_listpack_value:
                break
            p = lp_next(lp, p)
        if p != cython.NULL or hash.length() > cython.cast(cython.size_t, hash_max_listpack_entries):
            hash.enlarge(0)
        return hash

    @staticmethod
    def from_triples(data: bytes) -> Hash:
        """A hash from the bytes of a listpack of triples field, value, time that came from elsewhere: ValueError if they are
        none, or hold a field twice. It becomes a table if it is over the limits.
        """
        hash: Hash = Hash()
        lp: pack = lp_load(PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))
        x: cython.pointer(Expiring)
        field: Item
        value: Item
        time: Item
        p: pack = lp_first(lp)
        last: int64_t = 0
        longest: cython.size_t = 0
        in_order: cython.bint = True
        found: list = []
        try:
            if lp_length(lp) % 3:
                raise ValueError("a field without a time")
            while p != cython.NULL:
                lp_get(p, cython.address(field))
                p = lp_skip(p)
                lp_get(p, cython.address(value))
                p = lp_skip(p)
                lp_get(p, cython.address(time))
                p = lp_next(lp, p)
                if not time.is_integer or not 0 <= time.number <= LATEST:
                    raise ValueError("a field's time is none")
                in_order = in_order and (time.number == 0 or last >= 0 and time.number >= last)
                last = time.number if time.number else -1
                longest = max(longest, max(field.length, value.length))
                found.append((to_bytes(cython.address(field)), to_bytes(cython.address(value)), time.number))
            if len({name for name, _, _ in found}) != len(found):
                raise ValueError("a field is there twice")
            if in_order:
                x = expiring_of_triples(lp)
                lp = cython.NULL
                lp_free(packed(hash.word))
                hash.word = cython.cast(cython.size_t, x) | EXPIRING
                if longest > cython.cast(cython.size_t, hash_max_listpack_value) \
                        or len(found) > hash_max_listpack_entries:
                    expiring_enlarge(x, 0)
            else:
                for name, text, at in found:
                    hash.set(name, text)
                    hash.schedule(name, at)
        finally:
            if lp != cython.NULL:
                lp_free(lp)
        return hash

    def _check(self):
        """The invariants."""
        if self.word & TABLE:
            assert self.word & ENCODING == TABLE
            members_check(members_of(self.word))
        elif self.word & EXPIRING:
            expiring_check(expiring_at(self.word))
        else:
            lp_check(packed(self.word), lp_bytes(packed(self.word)))
            assert lp_length(packed(self.word)) % 2 == 0
        keys = self.keys()
        assert len(keys) == len(set(keys)) == self.shown()
        assert len(self.times()) == len(self)
