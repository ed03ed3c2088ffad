# cython: language_level=3
"""The sorted set. Every range of it is an interval of ranks: by score, by member, from the front or from the end."""
import cython
from cython.cimports.carnelian.base.glob import matches
from cython.cimports.carnelian.base.memory import account, allocate, block_size, release
from cython.cimports.carnelian.types import limits
from cython.cimports.carnelian.types.listpack import (
    lp_bytes, lp_check, lp_copy, lp_delete_range, lp_free, lp_get, lp_length, lp_load, lp_memory, lp_new, lp_next, lp_previous,
    lp_seek, pack)
from cython.cimports.carnelian.types.ranked_tree import (
    BY_BOTH, BY_MEMBER, BY_SCORE, Bound, Cursor, Ranked, cursor_next, cursor_previous, tree_bytes, tree_check, tree_cut,
    tree_free, tree_free_some, tree_insert, tree_remove, tree_rescore, tree_seek)
from cython.cimports.carnelian.types.scored_pack import (
    score_text, sp_check, sp_cut, sp_find, sp_insert, sp_remove, sp_score)
from cython.cimports.carnelian.types.table import (
    SCORED, Entry, Table, entry_free, entry_key, entry_kind, entry_new, entry_score, entry_size)
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
from cython.cimports.cpython.object import PyObject
from cython.cimports.cpython.ref import Py_DECREF, Py_INCREF
from cython.cimports.libc.stdint import int64_t, uint64_t, uintptr_t

OBJECT_SIZE = cython.declare(cython.Py_ssize_t, 32)
# A pack beyond this size is no small set any more, whatever the limits say: its length has 32 bits.
SAFE_BYTES = cython.declare(cython.size_t, 1 << 30)
# Integers below are shown in full by 17 digits.
WHOLE_BORDER = cython.declare(cython.double, 1e15)

# The flags and outcomes of add, for Python.
INCR: int = ADD_INCR
NX: int = ADD_NX
XX: int = ADD_XX
GT: int = ADD_GT
LT: int = ADD_LT
NOTHING: int = NOTHING_ADDED
NAN: int = NOT_A_NUMBER
ADDED: int = MEMBER_ADDED
UPDATED: int = SCORE_UPDATED


@cython.cfunc
@cython.inline
def table_of(large: cython.pointer(Large)) -> object:
    return cython.cast(object, large.table)


def walk_next(walk, member):
    score: pack
    if walk.lp != cython.NULL:
        if walk.at == cython.NULL:
            return False
        lp_get(walk.at, cython.address(member.item))
        member.data = member.item.data
        member.length = member.item.length
        score = lp_next(walk.lp, walk.at)
        member.score = sp_score(score)
        if not walk.reverse:
            walk.at = lp_next(walk.lp, score)
        else:
            walk.at = lp_previous(walk.lp, walk.at)
            if walk.at != cython.NULL:
                walk.at = lp_previous(walk.lp, walk.at)
        return True
    if walk.next == cython.NULL:
        return False
    member.score = walk.next.score
    member.data = entry_key(walk.next.entry)
    member.length = walk.next.entry.key_length
    walk.next = (cursor_previous(cython.address(walk.cursor)) if walk.reverse
                 else cursor_next(cython.address(walk.cursor)))
    return True


@cython.cfunc
@cython.exceptval(-1, check=False)
def collect(context: cython.p_void, slot: cython.pointer(cython.pointer(Entry))) -> cython.int:
    found: list = cython.cast(list, context)
    e: cython.pointer(Entry) = slot[0]
    found.append(PyBytes_FromStringAndSize(entry_key(e), e.key_length))
    found.append(entry_score(e)[0])
    return 0


@cython.final
@cython.cclass
class SortedSet:
    """Members (bytes) with scores (floats, never NaN).

    Intervals of ranks are half open, `[start, stop)`, and lie within the set; rank 0 is the lowest.
    """

    def __cinit__(self):
        self.data = lp_new()
        account(OBJECT_SIZE)

    def __dealloc__(self):
        large: cython.pointer(Large)
        if self.data == cython.NULL:
            return
        account(-OBJECT_SIZE)
        if self.is_small():
            lp_free(self.small())
            return
        large = self.large()
        tree_free(cython.address(large.tree))
        Py_DECREF(table_of(large))
        release(large, cython.sizeof(Large))

    # --- for C: pointers and lengths ----------------------------------------------------------------------------

    def is_small(self):
        return not cython.cast(uintptr_t, self.data) & 1

    def small(self):
        return cython.cast(pack, self.data) if self.is_small() else cython.NULL

    def large(self):
        return cython.cast(cython.pointer(Large), cython.cast(uintptr_t, self.data) & ~cython.cast(uintptr_t, 1))

    def length(self):
        if self.is_small():
            return lp_length(self.small()) >> 1
        return self.large().tree.count

    def enlarge(self):
        """From small to large."""
        large: cython.pointer(Large)
        table: Table = Table()
        walk: Walk
        member: Member
        e: cython.pointer(Entry)
        lp: pack = self.small()
        large = cython.cast(cython.pointer(Large), allocate(cython.sizeof(Large)))
        large.tree.root = cython.NULL
        large.tree.count = 0
        try:
            table.expand(self.length() + 1)
            self.walk(cython.address(walk), 0, False)
            while walk_next(cython.address(walk), cython.address(member)):
                e = entry_new(member.data, member.length, SCORED, 0, 0)
                entry_score(e)[0] = member.score
                try:
                    table.insert(e)
                except MemoryError:
                    entry_free(e)
                    raise
                tree_insert(cython.address(large.tree), member.score, e)
        except MemoryError:
            tree_free(cython.address(large.tree))
            release(large, cython.sizeof(Large))
            raise
        Py_INCREF(table)
        large.table = cython.cast(cython.pointer(PyObject), table)
        self.data = cython.cast(cython.p_void, cython.cast(uintptr_t, large) | 1)
        lp_free(lp)
        return 0

    def adopt(self, table, items, count):
        large: cython.pointer(Large) = cython.cast(cython.pointer(Large), allocate(cython.sizeof(Large)))
        i: cython.Py_ssize_t
        large.tree.root = cython.NULL
        large.tree.count = 0
        try:
            for i in range(count):
                tree_insert(cython.address(large.tree), items[i].score, items[i].entry)
        except MemoryError:
            tree_free(cython.address(large.tree))
            release(large, cython.sizeof(Large))
            raise
        Py_INCREF(table)
        large.table = cython.cast(cython.pointer(PyObject), table)
        lp_free(self.small())
        self.data = cython.cast(cython.p_void, cython.cast(uintptr_t, large) | 1)
        return 0

    def choose(self, count, longest):
        if self.is_small() and self.length() == 0 and (
                count > limits.zset_max_listpack_entries or longest > limits.zset_max_listpack_value):
            self.enlarge()
        return 0

    def packs(self):
        return cython.cast(cython.pointer(pack), cython.address(self.data))

    def insert(self, score, member, n):
        large: cython.pointer(Large)
        e: cython.pointer(Entry)
        if self.is_small():
            if (cython.cast(int64_t, self.length()) < limits.zset_max_listpack_entries
                    and cython.cast(int64_t, n) <= limits.zset_max_listpack_value
                    and lp_bytes(self.small()) + n <= SAFE_BYTES):
                return sp_insert(self.packs(), score, member, n)
            self.enlarge()
        large = self.large()
        e = entry_new(member, n, SCORED, 0, 0)
        entry_score(e)[0] = score
        try:
            tree_insert(cython.address(large.tree), score, e)
        except MemoryError:
            entry_free(e)
            raise
        try:
            cython.cast(Table, large.table).insert(e)
        except MemoryError:
            tree_remove(cython.address(large.tree), score, member, n)
            entry_free(e)
            raise
        return 0

    def add(self, score, member, n, flags, result):
        large: cython.pointer(Large)
        p: pack = cython.NULL
        slot: cython.pointer(cython.pointer(Entry)) = cython.NULL
        current: cython.double = 0
        small: cython.bint = self.is_small()
        if small:
            p = sp_find(self.small(), member, n)
        else:
            slot = cython.cast(Table, self.large().table).find(member, n)
        if p == cython.NULL and slot == cython.NULL:
            if flags & ADD_XX:
                return NOTHING_ADDED
            self.insert(score, member, n)
            result[0] = score
            return MEMBER_ADDED
        if flags & ADD_NX:
            return NOTHING_ADDED
        current = sp_score(lp_next(self.small(), p)) if small else entry_score(slot[0])[0]
        if flags & ADD_INCR:
            score += current
            if score != score:
                return NOT_A_NUMBER
        if (flags & ADD_LT and score >= current) or (flags & ADD_GT and score <= current):
            return NOTHING_ADDED
        result[0] = score
        if score == current:
            return 0
        if small:
            sp_remove(self.packs(), p)
            sp_insert(self.packs(), score, member, n)
            return SCORE_UPDATED
        large = self.large()
        if not tree_rescore(cython.address(large.tree), current, member, n, score):
            # In this order, so that a failing allocation leaves the member where it was.
            tree_insert(cython.address(large.tree), score, slot[0])
            tree_remove(cython.address(large.tree), current, member, n)
        entry_score(slot[0])[0] = score
        return SCORE_UPDATED

    def score_of(self, member, n, score):
        p: pack
        table: Table
        slot: cython.pointer(cython.pointer(Entry))
        if self.is_small():
            p = sp_find(self.small(), member, n)
            if p == cython.NULL:
                return False
            score[0] = sp_score(lp_next(self.small(), p))
            return True
        table = cython.cast(Table, self.large().table)
        slot = table.find(member, n)
        if slot == cython.NULL:
            return False
        score[0] = entry_score(slot[0])[0]
        return True

    def large_remove(self, member, n):
        large: cython.pointer(Large) = self.large()
        table: Table = cython.cast(Table, large.table)
        e: cython.pointer(Entry) = table.take(member, n)
        if e == cython.NULL:
            return False
        try:
            # The entry's own key: `member` may be what another owner is about to change.
            tree_remove(cython.address(large.tree), entry_score(e)[0], entry_key(e), e.key_length)
        finally:
            entry_free(e)
        return True

    def remove(self, member, n):
        p: pack
        if not self.is_small():
            return self.large_remove(member, n)
        p = sp_find(self.small(), member, n)
        if p == cython.NULL:
            return False
        sp_remove(self.packs(), p)
        return True

    def cut(self, bound):
        if self.is_small():
            return sp_cut(self.small(), bound)
        return tree_cut(cython.address(self.large().tree), bound)

    def rank(self, member, n, score):
        bound: Bound
        if not self.score_of(member, n, score):
            return -1
        bound.by = BY_BOTH
        bound.after = False
        bound.score = score[0]
        bound.member = member
        bound.length = n
        return self.cut(cython.address(bound))

    def rank_of_score(self, score, after):
        bound: Bound
        bound.by = BY_SCORE
        bound.after = after
        bound.score = score
        return self.cut(cython.address(bound))

    def walk(self, walk, rank, reverse):
        walk.reverse = reverse
        walk.lp = self.small()
        walk.at = cython.NULL
        walk.next = cython.NULL
        if walk.lp == cython.NULL:
            walk.next = tree_seek(cython.address(self.large().tree), rank, cython.address(walk.cursor))
        elif 0 <= rank < self.length():
            walk.at = lp_seek(walk.lp, 2 * rank)

    def peek(self, member, last):
        walk: Walk
        self.walk(cython.address(walk), self.length() - 1 if last else 0, False)
        return walk_next(cython.address(walk), member)

    def remove_ranks(self, start, stop):
        large: cython.pointer(Large)
        cursor: Cursor
        item: cython.pointer(Ranked)
        i: cython.Py_ssize_t
        if start < 0:
            start = 0
        if stop > self.length():
            stop = self.length()
        if start >= stop:
            return 0
        if self.is_small():
            self.data = lp_delete_range(self.small(), 2 * start, 2 * (stop - start))
            return stop - start
        large = self.large()
        for i in range(start, stop):
            item = tree_seek(cython.address(large.tree), start, cython.address(cursor))
            self.large_remove(entry_key(item.entry), item.entry.key_length)
        return stop - start

    # --- for Python -----------------------------------------------------------------------------------------------

    def __len__(self):
        table: Table
        if self.is_small():
            return lp_length(self.small()) >> 1
        # Not the tree's count: of a set that is being freed, this is what is left.
        table = cython.cast(Table, self.large().table)
        return table.count[0] + table.count[1]

    def __contains__(self, member: bytes):
        score: cython.double = 0
        return self.score_of(member, len(member), cython.address(score))

    def put(self, member: bytes, score: float, flags: cython.int = 0):
        """`(outcome, score)`: outcome as add's, score None where the flags forbade it or the sum is no number."""
        result: cython.double = 0
        outcome: cython.int = self.add(score, member, len(member), flags, cython.address(result))
        return outcome, None if outcome & (NOTHING_ADDED | NOT_A_NUMBER) else result

    def prepare(self, count: int, longest: int):
        """Chooses the encoding of an empty set that is to get so many members, the longest of so many bytes."""
        self.choose(min(count, 1 << 62), longest)

    def score(self, member: bytes):
        """The member's score, None if it is missing."""
        score: cython.double = 0
        return score if self.score_of(member, len(member), cython.address(score)) else None

    def discard(self, member: bytes):
        """Removes the member: True if it was there."""
        return cython.cast(bool, self.remove(member, len(member)))

    def rank_of(self, member: bytes):
        """The member's rank from the lowest, None if it is missing."""
        score: cython.double = 0
        rank: cython.Py_ssize_t = self.rank(member, len(member), cython.address(score))
        return None if rank < 0 else rank

    def score_interval(self, low: float, low_open: bool, high: float, high_open: bool):
        """The ranks `(start, stop)` of the scores between the bounds, an open bound excluded. start may be past stop."""
        return self.rank_of_score(low, low_open), self.rank_of_score(high, not high_open)

    def member_interval(self, low: bytes, high: bytes):
        """The ranks `(start, stop)` of the members between the bounds, each `-`, `+`, `[member` or `(member`.

        All scores are taken to be equal, as ZRANGEBYLEX demands; otherwise the answer is some interval.
        """
        return self._member_cut(low, False), self._member_cut(high, True)

    def _member_cut(self, text: bytes, upper: bool):
        """How many members are left of the bound."""
        bound: Bound
        member: bytes = text[1:]
        if text == b"-":
            return 0
        if text == b"+":
            return self.length()
        bound.by = BY_MEMBER
        bound.after = (text[0] == 91) == upper          # a "[" includes the member, a "(" does not
        bound.score = 0
        bound.member = member
        bound.length = len(member)
        return self.cut(cython.address(bound))

    def members(self, start: int = 0, stop=None, reverse: bool = False):
        """The members of the ranks [start, stop), highest first if reverse."""
        return self._list(start, stop, reverse, False)

    def items(self, start: int = 0, stop=None, reverse: bool = False):
        """The same, with scores: a flat list `[member, score, ...]`."""
        return self._list(start, stop, reverse, True)

    def _list(self, start: int, stop, reverse: bool, scores: cython.bint):
        walk: Walk
        member: Member
        found: list = []
        first: cython.Py_ssize_t = max(start, 0)
        last: cython.Py_ssize_t = self.length() if stop is None else min(stop, self.length())
        left: cython.Py_ssize_t = last - first
        if left > 0:
            self.walk(cython.address(walk), last - 1 if reverse else first, reverse)
            while left > 0 and walk_next(cython.address(walk), cython.address(member)):
                found.append(PyBytes_FromStringAndSize(member.data, member.length))
                if scores:
                    found.append(member.score)
                left -= 1
        return found

    def at(self, rank: int):
        """`(member, score)` of this rank. IndexError."""
        walk: Walk
        member: Member
        self.walk(cython.address(walk), rank, False)
        if not walk_next(cython.address(walk), cython.address(member)):
            raise IndexError(rank)
        return PyBytes_FromStringAndSize(member.data, member.length), member.score

    def remove_interval(self, start: int, stop: int):
        """Removes the ranks [start, stop): how many there were."""
        return self.remove_ranks(start, stop)

    def pop(self, count: int, highest: bool):
        """Removes so many members from one end: a flat list `[member, score, ...]`, the outermost first."""
        n: cython.Py_ssize_t = self.length()
        taken: cython.Py_ssize_t = min(count, n)
        found: list
        if highest:
            found = self._list(n - taken, n, True, True)
            self.remove_ranks(n - taken, n)
        else:
            found = self._list(0, taken, False, True)
            self.remove_ranks(0, taken)
        return found

    def scan(self, cursor: uint64_t, count: cython.size_t, pattern: bytes = None) -> tuple:
        """Steps of an iteration, until count members were seen: `(next cursor, [member, score, ...])` of those that the
        glob pattern matches. A small set comes whole, with cursor 0. The scores are text (bytes).
        """
        found: list = []
        items: list
        seen: cython.size_t = 0
        steps: cython.size_t = 0
        i: cython.Py_ssize_t
        small: cython.bint = self.is_small()
        if small:
            items = self._list(0, None, False, True)
            cursor = 0
        else:
            items = []
            while True:
                cursor = cython.cast(Table, self.large().table).scan(cursor, collect, cython.cast(cython.p_void, items))
                steps += 1
                seen = len(items) // 2
                # A sparse table (after many deletions) is not searched for ever.
                if cursor == 0 or seen >= count or steps // 10 >= count:
                    break
        for i in range(0, len(items), 2):
            if pattern is None or matches(pattern, items[i]):
                found.append(items[i])
                found.append(self._shown(items[i + 1], small))
        return cursor, found

    def _shown(self, score: cython.double, small: cython.bint) -> bytes:
        """The score as Redis's ZSCAN shows it: a pack's text, or 17 digits from the table."""
        text: cython.char[40]
        if small or (-WHOLE_BORDER < score < WHOLE_BORDER and score == cython.cast(int64_t, score) and score):
            return PyBytes_FromStringAndSize(text, score_text(score, text))
        return b"%.17g" % score

    @property
    def encoding(self) -> str:
        """OBJECT ENCODING's name."""
        return "listpack" if self.is_small() else "skiplist"

    def listpack(self):
        """The bytes of a small set's listpack; None if it is large."""
        lp: pack = self.small()
        return None if lp == cython.NULL else PyBytes_FromStringAndSize(cython.cast(cython.p_char, lp), lp_bytes(lp))

    @staticmethod
    def from_listpack(data: bytes):
        """A set of a listpack `member, score, ...` that came from elsewhere. ValueError if it is none, or not in order.

        It becomes a large set where it is over the limits.
        """
        values: SortedSet = SortedSet()
        lp: pack = lp_load(data, len(data))
        lp_free(values.small())
        values.data = lp
        sp_check(lp)
        if (cython.cast(int64_t, values.length()) > limits.zset_max_listpack_entries
                or values._longest() > limits.zset_max_listpack_value):
            values.enlarge()
        return values

    def _longest(self) -> cython.Py_ssize_t:
        walk: Walk
        member: Member
        longest: cython.Py_ssize_t = 0
        self.walk(cython.address(walk), 0, False)
        while walk_next(cython.address(walk), cython.address(member)):
            if cython.cast(cython.Py_ssize_t, member.length) > longest:
                longest = member.length
        return longest

    def memory(self, samples: int = 5):
        """Bytes that the set takes. A large set's members are estimated from so many samples; 0: all are counted."""
        large: cython.pointer(Large)
        table: Table
        cursor: Cursor
        item: cython.pointer(Ranked)
        total: cython.size_t = OBJECT_SIZE
        seen: cython.size_t = 0
        sizes: cython.size_t = 0
        if self.is_small():
            return total + lp_memory(self.small())
        large = self.large()
        table = cython.cast(Table, large.table)
        total += block_size(cython.sizeof(Large)) + table.size_in_memory() + tree_bytes(cython.address(large.tree))
        item = tree_seek(cython.address(large.tree), 0, cython.address(cursor))
        while item != cython.NULL and (samples == 0 or seen < cython.cast(cython.size_t, samples)):
            sizes += block_size(entry_size(item.entry))
            seen += 1
            item = cursor_next(cython.address(cursor))
        if seen:
            total += sizes * cython.cast(cython.size_t, large.tree.count) // seen
        return total

    def copy(self):
        """Another set with the same members, in the same encoding."""
        other: SortedSet = SortedSet()
        lp: pack
        if self.is_small():
            lp = lp_copy(self.small())
            lp_free(other.small())
            other.data = lp
            return other
        other.enlarge()
        cython.cast(Table, other.large().table).expand(self.length())
        self._give(other, 0, self.length())
        return other

    def part(self, start: int, stop: int):
        """Another set, of the members of the ranks [start, stop)."""
        other: SortedSet = SortedSet()
        other.choose(stop - start, 0)
        self._give(other, start, stop)
        return other

    def _give(self, other: SortedSet, start: cython.Py_ssize_t, stop: cython.Py_ssize_t):
        walk: Walk
        member: Member
        self.walk(cython.address(walk), start, False)
        while start < stop and walk_next(cython.address(walk), cython.address(member)):
            other.insert(member.score, member.data, member.length)
            start += 1

    def free_some(self, budget: int):
        """Gives back the memory of up to so many members: how many are left. To be called until 0; the set is no set
        any more from the first call on."""
        large: cython.pointer(Large)
        left: cython.Py_ssize_t
        if self.is_small():
            return 0
        large = self.large()
        tree_free_some(cython.address(large.tree), budget)
        left = cython.cast(Table, large.table).clear_some(budget)
        if left == 0:
            tree_free(cython.address(large.tree))
        return left

    def _check(self):
        """The invariants. AssertionError."""
        large: cython.pointer(Large)
        table: Table
        cursor: Cursor
        item: cython.pointer(Ranked)
        slot: cython.pointer(cython.pointer(Entry))
        seen: cython.Py_ssize_t = 0
        if self.is_small():
            lp_check(self.small(), lp_bytes(self.small()))
            try:
                sp_check(self.small())
            except ValueError as error:
                raise AssertionError(str(error))
            return
        large = self.large()
        table = cython.cast(Table, large.table)
        tree_check(cython.address(large.tree))
        assert table.count[0] + table.count[1] == cython.cast(cython.size_t, large.tree.count)
        item = tree_seek(cython.address(large.tree), 0, cython.address(cursor))
        while item != cython.NULL:
            assert entry_kind(item.entry) == SCORED
            assert entry_score(item.entry)[0] == item.score
            slot = table.find(entry_key(item.entry), item.entry.key_length)
            assert slot != cython.NULL and slot[0] == item.entry
            seen += 1
            item = cursor_next(cython.address(cursor))
        assert seen == large.tree.count
