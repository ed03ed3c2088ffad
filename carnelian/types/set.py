# cython: language_level=3
"""Set: distinct members, in the encodings of Redis 7.2.

Integers alone are an intset, up to `set-max-intset-entries`. The first other member makes it a listpack, if there are fewer
than `set-max-listpack-entries` and no member is longer than `set-max-listpack-value`, else a table. An intset that
outgrows its limit becomes a table. A table stays one.
https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/memory-optimization/
"""
import cython
from cython.cimports.carnelian.base.glob import glob_match
from cython.cimports.carnelian.base.memory import account
from cython.cimports.carnelian.base.numbers import integer_to_text, text_to_integer
from cython.cimports.carnelian.types.intset import (intset, ints_add, ints_bytes, ints_check, ints_copy, ints_find, ints_free,
                                                    ints_get, ints_length, ints_load, ints_memory, ints_new, ints_remove)
from cython.cimports.carnelian.types.limits import set_max_intset_entries, set_max_listpack_entries, set_max_listpack_value
from cython.cimports.carnelian.types.listpack import (Item, lp_append, lp_append_integer, lp_bytes, lp_check, lp_copy, lp_cut,
                                                      lp_find, lp_first, lp_free, lp_get, lp_length, lp_load,
                                                      lp_memory, lp_new, lp_next, lp_seek, pack)
from cython.cimports.carnelian.types.members import (ENCODING, INTEGERS, OBJECT_BYTES, PACKED, SAFE_BYTES, TABLE, Members,
                                                     key_item, members_add, members_check, members_copy, members_free, members_length,
                                                     members_memory, members_new, members_remove, members_scan)
from cython.cimports.carnelian.types.table import Entry, Table, random_below
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import int64_t, uint64_t

ADDRESS = cython.declare(cython.size_t, ~cython.cast(cython.size_t, 3))     # the part of the word that is an address


@cython.cfunc
@cython.inline
def to_bytes(item: cython.pointer(Item)) -> bytes:
    return PyBytes_FromStringAndSize(item.data, item.length)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def pack_of(word: cython.size_t) -> pack:
    return cython.cast(pack, word)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def ints_of(word: cython.size_t) -> intset:
    return cython.cast(intset, word & ADDRESS)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def members_of(word: cython.size_t) -> cython.pointer(Members):
    return cython.cast(cython.pointer(Members), word & ADDRESS)


@cython.cfunc
@cython.inline
def table_of(word: cython.size_t) -> Table:
    return cython.cast(Table, members_of(word).table)


@cython.cfunc
@cython.exceptval(check=False)
def free_word(word: cython.size_t) -> cython.void:
    if word & ENCODING == TABLE:
        members_free(members_of(word))
    elif word & ENCODING == INTEGERS:
        ints_free(ints_of(word))
    else:
        lp_free(pack_of(word))


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def integer_item(number: int64_t, item: cython.pointer(Item)) -> cython.void:
    item.number = number
    item.is_integer = True
    item.length = integer_to_text(number, item.digits)
    item.data = item.digits


@cython.final
@cython.cclass
class Set:
    """Distinct members, bytes."""

    def __cinit__(self):
        account(OBJECT_BYTES)
        self.word = cython.cast(cython.size_t, ints_new()) | INTEGERS

    def __dealloc__(self):
        free_word(self.word)
        account(-OBJECT_BYTES)

    # --- C level ---------------------------------------------------------------------------------------------------

    def length(self):
        encoding: cython.int = self.word & ENCODING
        if encoding == TABLE:
            return members_length(members_of(self.word))
        if encoding == INTEGERS:
            return ints_length(ints_of(self.word))
        return lp_length(pack_of(self.word))

    def has(self, data, n):
        encoding: cython.int = self.word & ENCODING
        number: int64_t = 0
        index: cython.size_t
        if encoding == TABLE:
            return table_of(self.word).find(data, n) != cython.NULL
        if encoding == INTEGERS:
            return (text_to_integer(data, n, cython.address(number))
                    and ints_find(ints_of(self.word), number, cython.address(index)))
        return lp_find(pack_of(self.word), lp_first(pack_of(self.word)), data, n, 0) != cython.NULL

    def has_item(self, item):
        index: cython.size_t
        if item.is_integer and self.word & ENCODING == INTEGERS:
            return ints_find(ints_of(self.word), item.number, cython.address(index))
        return self.has(item.data, item.length)

    def add(self, data, n):
        encoding: cython.int = self.word & ENCODING
        number: int64_t = 0
        if encoding == TABLE:
            if table_of(self.word).find(data, n) != cython.NULL:
                return 0
            members_add(members_of(self.word), data, n, 0)
            return 1
        if encoding == PACKED:
            return self.add_to_pack(data, n)
        if text_to_integer(data, n, cython.address(number)):
            return self.add_integer(number)
        self.pack_integers()
        return self.add(data, n)

    def add_item(self, item):
        if item.is_integer and self.word & ENCODING == INTEGERS:
            return self.add_integer(item.number)
        return self.add(item.data, item.length)

    def add_integer(self, number):
        added: cython.bint = False
        s: intset = ints_add(ints_of(self.word), number, cython.address(added))
        self.word = cython.cast(cython.size_t, s) | INTEGERS
        if added and ints_length(s) > cython.cast(cython.size_t, set_max_intset_entries):
            self.enlarge(0)
        return added

    def add_to_pack(self, data, n):
        lp: pack = pack_of(self.word)
        if lp_find(lp, lp_first(lp), data, n, 0) != cython.NULL:
            return 0
        if (lp_length(lp) < cython.cast(cython.size_t, set_max_listpack_entries)
                and n <= cython.cast(cython.size_t, set_max_listpack_value) and lp_bytes(lp) + n < SAFE_BYTES):
            self.word = cython.cast(cython.size_t, lp_append(lp, data, n))
            return 1
        self.enlarge(lp_length(lp) + 1)
        members_add(members_of(self.word), data, n, 0)
        return 1

    def pack_integers(self):
        """For a first member that is no integer. The limits are looked at as if it were there already."""
        s: intset = ints_of(self.word)
        n: cython.size_t = ints_length(s)
        longest: cython.size_t = 0
        digits: cython.char[24]
        i: cython.size_t
        lp: pack
        if n:
            longest = max(integer_to_text(ints_get(s, 0), digits), integer_to_text(ints_get(s, n - 1), digits))
        if (n >= cython.cast(cython.size_t, set_max_listpack_entries)
                or longest > cython.cast(cython.size_t, set_max_listpack_value) or n * (longest + 2) > SAFE_BYTES):
            return self.enlarge(n + 1)
        lp = lp_new()
        try:
            for i in range(n):
                lp = lp_append_integer(lp, ints_get(s, i))
        except BaseException:
            lp_free(lp)
            raise
        self.replace(cython.cast(cython.size_t, lp))
        return 0

    def enlarge(self, count):
        members: cython.pointer(Members) = members_new(max(count, self.length()))
        walk: SetWalk
        member: Item
        self.start(cython.address(walk))
        try:
            while self.next(cython.address(walk), cython.address(member)):
                members_add(members, member.data, member.length, 0)
        except BaseException:
            members_free(members)
            raise
        self.replace(cython.cast(cython.size_t, members) | TABLE)
        return 0

    def replace(self, word):
        old: cython.size_t = self.word
        self.word = word
        free_word(old)

    def remove(self, data, n):
        encoding: cython.int = self.word & ENCODING
        number: int64_t = 0
        removed: cython.bint = False
        p: pack
        if encoding == TABLE:
            return members_remove(members_of(self.word), data, n)
        if encoding == INTEGERS:
            if not text_to_integer(data, n, cython.address(number)):
                return 0
            self.word = cython.cast(cython.size_t, ints_remove(ints_of(self.word), number, cython.address(removed))) | INTEGERS
            return removed
        p = lp_find(pack_of(self.word), lp_first(pack_of(self.word)), data, n, 0)
        if p == cython.NULL:
            return 0
        self.word = cython.cast(cython.size_t, lp_cut(pack_of(self.word), cython.address(p), 1))
        return 1

    def remove_item(self, item):
        removed: cython.bint = False
        if item.is_integer and self.word & ENCODING == INTEGERS:
            self.word = cython.cast(cython.size_t,
                                    ints_remove(ints_of(self.word), item.number, cython.address(removed))) | INTEGERS
            return removed
        return self.remove(item.data, item.length)

    def start(self, walk):
        if self.word & ENCODING == TABLE:
            table_of(self.word).start(cython.address(walk.position))
        elif self.word & ENCODING == INTEGERS:
            walk.index = 0
        else:
            walk.next = lp_first(pack_of(self.word))

    def next(self, walk, member):
        encoding: cython.int = self.word & ENCODING
        slot: cython.pointer(cython.pointer(Entry))
        if encoding == TABLE:
            slot = table_of(self.word).next(cython.address(walk.position))
            if slot == cython.NULL:
                return False
            key_item(slot[0], member)
            return True
        if encoding == INTEGERS:
            if walk.index >= ints_length(ints_of(self.word)):
                return False
            integer_item(ints_get(ints_of(self.word), walk.index), member)
            walk.index += 1
            return True
        if walk.next == cython.NULL:
            return False
        lp_get(walk.next, member)
        walk.next = lp_next(pack_of(self.word), walk.next)
        return True

    def random(self, member):
        encoding: cython.int = self.word & ENCODING
        n: cython.size_t = self.length()
        if n == 0:
            return False
        if encoding == TABLE:
            key_item(table_of(self.word).random()[0], member)
        elif encoding == INTEGERS:
            integer_item(ints_get(ints_of(self.word), random_below(n)), member)
        else:
            lp_get(lp_seek(pack_of(self.word), random_below(n)), member)
        return True

    def reserve(self, first, n, count):
        encoding: cython.int = self.word & ENCODING
        number: int64_t = 0
        if encoding == TABLE:
            return 0
        if self.length():
            if ((encoding == PACKED and count > cython.cast(cython.size_t, set_max_listpack_entries))
                    or (encoding == INTEGERS and count > cython.cast(cython.size_t, set_max_intset_entries))):
                self.enlarge(count)
        elif count <= cython.cast(cython.size_t, set_max_intset_entries) and text_to_integer(first, n, cython.address(number)):
            if encoding != INTEGERS:
                self.replace(cython.cast(cython.size_t, ints_new()) | INTEGERS)
        elif count <= cython.cast(cython.size_t, set_max_listpack_entries):
            if encoding != PACKED:
                self.replace(cython.cast(cython.size_t, lp_new()))
        else:
            self.enlarge(count)
        return 0

    # --- for bodies ------------------------------------------------------------------------------------------------

    def __len__(self):
        return self.length()

    def __contains__(self, member: bytes):
        return self.has(PyBytes_AS_STRING(member), PyBytes_GET_SIZE(member))

    def insert(self, member):
        """True if the member is new."""
        return self.add(PyBytes_AS_STRING(member), PyBytes_GET_SIZE(member)) == 1

    def update(self, members) -> int:
        """Adds some members; how many are new. The encoding is chosen for all of them, as SADD does."""
        added: cython.Py_ssize_t = 0
        member: bytes
        if not members:
            return 0
        member = members[0]
        self.reserve(PyBytes_AS_STRING(member), PyBytes_GET_SIZE(member), len(members))
        for member in members:
            added += self.add(PyBytes_AS_STRING(member), PyBytes_GET_SIZE(member))
        return added

    def discard(self, member):
        """True if the member was there."""
        return self.remove(PyBytes_AS_STRING(member), PyBytes_GET_SIZE(member)) == 1

    def members(self) -> list:
        walk: SetWalk
        member: Item
        found: list = []
        self.start(cython.address(walk))
        while self.next(cython.address(walk), cython.address(member)):
            found.append(to_bytes(cython.address(member)))
        return found

    def random_member(self):
        """A member, or None of an empty set."""
        member: Item
        return to_bytes(cython.address(member)) if self.random(cython.address(member)) else None

    def sample(self, count: cython.size_t) -> list:
        """Up to count distinct members."""
        walk: SetWalk
        member: Item
        left: cython.size_t = self.length()
        found: list = []
        seen: set
        if count * 3 < left and self.word & ENCODING == TABLE:      # few of many: draw until there are enough different ones
            seen = set()
            while cython.cast(cython.size_t, len(seen)) < count:
                self.random(cython.address(member))
                name = to_bytes(cython.address(member))
                if name not in seen:
                    seen.add(name)
                    found.append(name)
            return found
        # One pass: each is taken with the chance of what is still wanted among what is still to come.
        self.start(cython.address(walk))
        while count and self.next(cython.address(walk), cython.address(member)):
            if count >= left or random_below(left) < count:
                count -= 1
                found.append(to_bytes(cython.address(member)))
            left -= 1
        return found

    def draw(self, count: cython.size_t) -> list:
        """count members of a set that is not empty, each drawn from all."""
        member: Item
        i: cython.size_t
        n: cython.size_t = self.length()
        found: list = []
        everything: list
        if self.word & ENCODING == PACKED and count > 3:
            everything = self.members()
            for i in range(count):
                found.append(everything[random_below(n)])
            return found
        for i in range(count):
            self.random(cython.address(member))
            found.append(to_bytes(cython.address(member)))
        return found

    def pop_random(self):
        """Takes a member out; None of an empty set."""
        member: Item
        popped: bytes
        if not self.random(cython.address(member)):
            return None
        popped = to_bytes(cython.address(member))
        self.remove_item(cython.address(member))
        return popped

    def pop_some(self, count: cython.size_t) -> list:
        """Takes up to count members out."""
        n: cython.size_t = self.length()
        popped: list
        kept: list
        member: bytes
        rest: Set
        i: cython.size_t
        if count >= n:
            popped = self.members()
            self.replace(cython.cast(cython.size_t, ints_new()) | INTEGERS)
            return popped
        if self.word & ENCODING != TABLE:
            popped = self.sample(count)
            if count * 2 > n:
                self._keep_others(popped)
            else:
                for member in popped:
                    self.remove(PyBytes_AS_STRING(member), PyBytes_GET_SIZE(member))
            return popped
        if (n - count) * 5 > count:
            return [self.pop_random() for i in range(count)]
        # Few stay: they are taken out, what is left is the reply, and they become the set.
        kept = [self.pop_random() for i in range(n - count)]
        popped = self.members()
        rest = Set()
        rest.update(kept)
        self.word, rest.word = rest.word, self.word
        return popped

    def _keep_others(self, members):
        """Builds the set again without some members, in the same encoding and order."""
        walk: SetWalk
        member: Item
        gone: set = set(members)
        lp: pack
        s: intset
        added: cython.bint = False
        self.start(cython.address(walk))
        if self.word & ENCODING == INTEGERS:
            s = ints_new()
            while self.next(cython.address(walk), cython.address(member)):
                if to_bytes(cython.address(member)) not in gone:
                    s = ints_add(s, member.number, cython.address(added))
            self.replace(cython.cast(cython.size_t, s) | INTEGERS)
        else:
            lp = lp_new()
            while self.next(cython.address(walk), cython.address(member)):
                if to_bytes(cython.address(member)) not in gone:
                    lp = lp_append(lp, member.data, member.length)
            self.replace(cython.cast(cython.size_t, lp))

    def scan(self, cursor: uint64_t, count: cython.size_t, pattern: bytes = None) -> tuple:
        """One step of SSCAN: the next cursor (0: the end) and the members that match. Packed encodings are given as a whole."""
        walk: SetWalk
        member: Item
        found: list = []
        if self.word & ENCODING == TABLE:
            return members_scan(members_of(self.word), cursor, count, pattern, found, False, 0), found
        self.start(cython.address(walk))
        while self.next(cython.address(walk), cython.address(member)):
            if pattern is None or glob_match(PyBytes_AS_STRING(pattern), PyBytes_GET_SIZE(pattern), member.data, member.length,
                                             False):
                found.append(to_bytes(cython.address(member)))
        return 0, found

    # --- as a whole ------------------------------------------------------------------------------------------------

    @property
    def encoding(self) -> str:
        """OBJECT ENCODING's name."""
        return ("listpack", "hashtable", "intset")[self.word & ENCODING]

    def memory(self) -> int:
        """Bytes, the object included."""
        if self.word & ENCODING == TABLE:
            return OBJECT_BYTES + members_memory(members_of(self.word))
        if self.word & ENCODING == INTEGERS:
            return OBJECT_BYTES + ints_memory(ints_of(self.word))
        return OBJECT_BYTES + lp_memory(pack_of(self.word))

    def copy(self) -> Set:
        other: Set = Set()
        if self.word & ENCODING == TABLE:
            other.replace(cython.cast(cython.size_t, members_copy(members_of(self.word))) | TABLE)
        elif self.word & ENCODING == INTEGERS:
            other.replace(cython.cast(cython.size_t, ints_copy(ints_of(self.word))) | INTEGERS)
        else:
            other.replace(cython.cast(cython.size_t, lp_copy(pack_of(self.word))))
        return other

    def free_some(self, budget: cython.size_t) -> int:
        """Frees up to budget members of a set that nobody needs any more; how many are left (packed: goes at once)."""
        if self.word & ENCODING == TABLE:
            return table_of(self.word).clear_some(budget)
        return 0

    def to_packed(self):
        """The bytes of the listpack or intset, None of a table."""
        if self.word & ENCODING == TABLE:
            return None
        if self.word & ENCODING == INTEGERS:
            return PyBytes_FromStringAndSize(cython.cast(cython.p_char, ints_of(self.word)), ints_bytes(ints_of(self.word)))
        return PyBytes_FromStringAndSize(cython.cast(cython.p_char, pack_of(self.word)), lp_bytes(pack_of(self.word)))

    @staticmethod
    def from_intset(data: bytes) -> Set:
        """A set from the bytes of an intset that came from elsewhere: ValueError if they are none.

        It becomes a table if it is over the limit.
        """
        result: Set = Set()
        result.replace(cython.cast(cython.size_t, ints_load(PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))) | INTEGERS)
        if result.length() > cython.cast(cython.size_t, set_max_intset_entries):
            result.enlarge(0)
        return result

    @staticmethod
    def from_listpack(data: bytes) -> Set:
        """A set from the bytes of a listpack that came from elsewhere: ValueError if they are none, or hold a member twice.

        It becomes a table if it is over the limits.
        """
        result: Set = Set()
        members: list
        result.replace(cython.cast(cython.size_t, lp_load(PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))))
        members = result.members()
        if len(set(members)) != len(members):
            raise ValueError("a member is there twice")
        if len(members) > set_max_listpack_entries or max(map(len, members), default=0) > set_max_listpack_value:
            result.enlarge(0)
        return result

    def _check(self):
        """The invariants."""
        members: list = self.members()
        assert len(members) == len(set(members)) == len(self)
        if self.word & ENCODING == TABLE:
            members_check(members_of(self.word))
        elif self.word & ENCODING == INTEGERS:
            ints_check(ints_of(self.word), ints_bytes(ints_of(self.word)))
        else:
            assert self.word & ENCODING == PACKED
            lp_check(pack_of(self.word), lp_bytes(pack_of(self.word)))
