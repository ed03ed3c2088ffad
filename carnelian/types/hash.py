# cython: language_level=3
"""Hash: fields with values, in the encodings of Redis: a listpack while it is small, then a table.

The limits are `hash-max-listpack-entries` and `hash-max-listpack-value`. A table never becomes a listpack again.
https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/memory-optimization/
"""
import cython
from cython.cimports.carnelian.base.glob import glob_match
from cython.cimports.carnelian.base.memory import account
from cython.cimports.carnelian.types.limits import hash_max_listpack_entries, hash_max_listpack_value
from cython.cimports.carnelian.types.listpack import (Item, lp_append_pair, lp_bytes, lp_check, lp_copy, lp_cut, lp_find,
                                                      lp_first, lp_free, lp_get, lp_length, lp_load, lp_memory, lp_new, lp_next,
                                                      lp_replace, lp_seek, lp_skip, lp_value, pack)
from cython.cimports.carnelian.types.members import (ENCODING, OBJECT_BYTES, SAFE_BYTES, TABLE, Members, key_item, members_add,
                                                     members_check, members_copy, members_free, members_length, members_memory,
                                                     members_new, members_remove, members_resize_value, members_scan,
                                                     value_item)
from cython.cimports.carnelian.types.table import Entry, Table, random_below
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.libc.string import memcpy


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
        else:
            lp_free(packed(self.word))
        account(-OBJECT_BYTES)

    # --- C level ---------------------------------------------------------------------------------------------------

    def length(self):
        if self.word & TABLE:
            return members_length(members_of(self.word))
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
        p = lp_find(packed(self.word), lp_first(packed(self.word)), field, n, 1)
        if p == cython.NULL:
            return False
        lp_get(lp_skip(p), value)
        return True

    def has_field(self, field, n):
        if self.word & TABLE:
            return table_of(self.word).find(field, n) != cython.NULL
        return lp_find(packed(self.word), lp_first(packed(self.word)), field, n, 1) != cython.NULL

    def set_field(self, field, n, value, m):
        lp: pack
        p: pack
        slot: cython.pointer(cython.pointer(Entry))
        limit: cython.size_t = hash_max_listpack_value
        entries: cython.size_t = hash_max_listpack_entries
        if not self.word & TABLE:
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

    def delete_field(self, field, n):
        p: pack
        if self.word & TABLE:
            return members_remove(members_of(self.word), field, n)
        p = lp_find(packed(self.word), lp_first(packed(self.word)), field, n, 1)
        if p == cython.NULL:
            return 0
        self.word = cython.cast(cython.size_t, lp_cut(packed(self.word), cython.address(p), 2))
        return 1

    def start(self, walk):
        if self.word & TABLE:
            table_of(self.word).start(cython.address(walk.position))
        else:
            walk.next = lp_first(packed(self.word))

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
        else:
            p = lp_seek(packed(self.word), 2 * random_below(n))
            lp_get(p, field)
            lp_get(lp_skip(p), value)
        return True

    def reserve(self, count):
        if not self.word & TABLE and count > cython.cast(cython.size_t, hash_max_listpack_entries):
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

    def sample(self, count: cython.size_t, values: cython.bint = False) -> list:
        """Up to count distinct fields; with `values` a flat list `[field, value, ...]`."""
        walk: HashWalk
        field: Item
        value: Item
        left: cython.size_t = self.length()
        found: list = []
        seen: set
        if count * 3 < left and self.word & TABLE:          # few of many: draw until there are enough different ones
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
        """count fields of a hash that is not empty, each drawn from all; with `values` a flat list."""
        field: Item
        value: Item
        i: cython.size_t
        n: cython.size_t = self.length()
        index: cython.size_t
        found: list = []
        everything: list
        if not self.word & TABLE and count > 3:
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

    def scan(self, cursor: uint64_t, count: cython.size_t, pattern: bytes = None) -> tuple:
        """One step of HSCAN: the next cursor (0: the end) and `[field, value, ...]` of the fields that match.

        A listpack is given as a whole.
        """
        walk: HashWalk
        field: Item
        value: Item
        found: list = []
        if self.word & TABLE:
            return members_scan(members_of(self.word), cursor, count, pattern, found, True), found
        self.start(cython.address(walk))
        while self.next(cython.address(walk), cython.address(field), cython.address(value)):
            if pattern is None or glob_match(PyBytes_AS_STRING(pattern), PyBytes_GET_SIZE(pattern), field.data, field.length,
                                             False):
                found.append(to_bytes(cython.address(field)))
                found.append(to_bytes(cython.address(value)))
        return 0, found

    # --- as a whole ------------------------------------------------------------------------------------------------

    @property
    def encoding(self) -> str:
        """OBJECT ENCODING's name."""
        return "hashtable" if self.word & TABLE else "listpack"

    def memory(self) -> int:
        """Bytes, the object included."""
        if self.word & TABLE:
            return OBJECT_BYTES + members_memory(members_of(self.word))
        return OBJECT_BYTES + lp_memory(packed(self.word))

    def copy(self) -> Hash:
        other: Hash = Hash()
        if self.word & TABLE:
            members: cython.pointer(Members) = members_copy(members_of(self.word))
            lp_free(packed(other.word))
            other.word = cython.cast(cython.size_t, members) | TABLE
        else:
            lp: pack = lp_copy(packed(self.word))
            lp_free(packed(other.word))
            other.word = cython.cast(cython.size_t, lp)
        return other

    def free_some(self, budget: cython.size_t) -> int:
        """Frees up to budget fields of a hash that nobody needs any more; how many are left (a listpack: goes at once)."""
        if self.word & TABLE:
            return table_of(self.word).clear_some(budget)
        return 0

    def to_packed(self):
        """The bytes of the listpack, None of a table."""
        if self.word & TABLE:
            return None
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

    def _check(self):
        """The invariants."""
        if self.word & TABLE:
            assert self.word & ENCODING == TABLE
            members_check(members_of(self.word))
        else:
            lp_check(packed(self.word), lp_bytes(packed(self.word)))
            assert lp_length(packed(self.word)) % 2 == 0
        keys = self.keys()
        assert len(keys) == len(set(keys)) == len(self)
