# cython: language_level=3
"""Union, intersection and difference of sorted sets, in C memory; plain sets take part with scores of 1.

Each takes a list of sources (SortedSet, Set, or None standing for an empty one) and gives a Result, which becomes a reply
or a new SortedSet.
"""
import cython
from cython.cimports.carnelian.base.memory import allocate, release
from cython.cimports.carnelian.types import limits
from cython.cimports.carnelian.types.ranked_tree import Ranked
from cython.cimports.carnelian.types.set import Set, SetWalk
from cython.cimports.carnelian.types.sorted_set import Member, SortedSet, Walk, walk_next
from cython.cimports.carnelian.types.table import (
    SCORED, Entry, Position, Table, entry_free, entry_key, entry_new, entry_score)
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
from cython.cimports.libc.stdint import int64_t
from cython.cimports.libc.stdlib import qsort
from cython.cimports.libc.string import memcmp

SUM: int = 1
MINIMUM: int = 2
MAXIMUM: int = 3
COUNT: int = 4          # the sum of the weights: how many sources have the member, whatever its scores

BY_SUM = cython.declare(cython.int, 1)
BY_MINIMUM = cython.declare(cython.int, 2)
BY_COUNT = cython.declare(cython.int, 4)

SourceWalk = cython.struct(walk=Walk, set_walk=SetWalk)


# --- the sources -----------------------------------------------------------------------------------------------------

@cython.cfunc
@cython.exceptval(check=False)
def size_of(source) -> cython.Py_ssize_t:
    if source is None:
        return 0
    if isinstance(source, SortedSet):
        return cython.cast(SortedSet, source).length()
    return cython.cast(Set, source).length()


@cython.cfunc
@cython.exceptval(check=False)
def start(source, walk: cython.pointer(SourceWalk)) -> cython.void:
    if isinstance(source, SortedSet):
        cython.cast(SortedSet, source).walk(cython.address(walk.walk), 0, False)
    else:
        cython.cast(Set, source).start(cython.address(walk.set_walk))


@cython.cfunc
@cython.exceptval(check=False)
def following(source, walk: cython.pointer(SourceWalk), member: cython.pointer(Member)) -> cython.bint:
    """False at the end."""
    if isinstance(source, SortedSet):
        return walk_next(cython.address(walk.walk), member)
    if not cython.cast(Set, source).next(cython.address(walk.set_walk), cython.address(member.item)):
        return False
    member.data = member.item.data
    member.length = member.item.length
    member.score = 1
    return True


@cython.cfunc
@cython.exceptval(check=False)
def score_in(source, member: cython.pointer(Member), score: cython.pointer(cython.double)) -> cython.bint:
    """False if it is not there."""
    if isinstance(source, SortedSet):
        return cython.cast(SortedSet, source).score_of(member.data, member.length, score)
    score[0] = 1
    return cython.cast(Set, source).has(member.data, member.length)


@cython.cfunc
def smallest_first(sources: list, weights: list) -> list:
    """`(source, weight)`: the sums of floating numbers depend on the order."""
    pairs = list(zip(sources, weights))
    pairs.sort(key=lambda pair: size_of(pair[0]))
    return pairs


@cython.cfunc
@cython.exceptval(check=False)
def weighed(score: cython.double, weight: cython.double) -> cython.double:
    """An infinity without weight is 0."""
    score *= weight
    return score if score == score else 0.0


@cython.cfunc
@cython.exceptval(check=False)
def combined(first: cython.double, second: cython.double, aggregate: cython.int) -> cython.double:
    """The sum of the infinities of both signs is 0. A comparison with what is no number keeps the first."""
    if aggregate == BY_SUM or aggregate == BY_COUNT:
        first += second
        return first if first == first else 0.0
    if aggregate == BY_MINIMUM:
        return second if second < first else first
    return second if second > first else first


# --- the result ------------------------------------------------------------------------------------------------------

@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def order(a: cython.p_const_void, b: cython.p_const_void) -> cython.int:
    """By score, then by the member's bytes."""
    x: cython.pointer(Ranked) = cython.cast(cython.pointer(Ranked), a)
    y: cython.pointer(Ranked) = cython.cast(cython.pointer(Ranked), b)
    n: cython.size_t
    m: cython.size_t
    difference: cython.int
    if x.score != y.score:
        return -1 if x.score < y.score else 1
    n = x.entry.key_length
    m = y.entry.key_length
    difference = memcmp(entry_key(x.entry), entry_key(y.entry), n if n < m else m)
    if difference == 0:
        return (n > m) - (n < m)
    return difference


@cython.final
@cython.cclass
class Result:
    """Members with scores, without order until they are read. They are read once: what is read, is not added to."""

    table: Table
    ranked: cython.pointer(Ranked)          # all entries in order, when arranged
    count: cython.size_t
    longest: cython.size_t

    def __cinit__(self):
        self.table = Table()

    def __dealloc__(self):
        release(self.ranked, self.count * cython.sizeof(Ranked))

    def __len__(self):
        return self.table.count[0] + self.table.count[1]

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def add(self, member: cython.pointer(Member), score: cython.double) -> cython.int:
        """A member that is not there."""
        e: cython.pointer(Entry) = entry_new(member.data, member.length, SCORED, 0, 0)
        entry_score(e)[0] = score
        try:
            self.table.insert(e)
        except MemoryError:
            entry_free(e)
            raise
        if member.length > self.longest:
            self.longest = member.length
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def arrange(self) -> cython.int:
        """Fills `ranked`."""
        position: Position
        slot: cython.pointer(cython.pointer(Entry))
        i: cython.size_t = 0
        sorted: cython.bint = True
        if self.ranked != cython.NULL or len(self) == 0:
            return 0
        self.ranked = cython.cast(cython.pointer(Ranked), allocate(len(self) * cython.sizeof(Ranked)))
        self.count = len(self)
        self.table.start(cython.address(position))
        slot = self.table.next(cython.address(position))
        while slot != cython.NULL:
            self.ranked[i].entry = slot[0]
            self.ranked[i].score = entry_score(slot[0])[0]
            if i and sorted:
                sorted = order(cython.address(self.ranked[i - 1]), cython.address(self.ranked[i])) < 0
            i += 1
            slot = self.table.next(cython.address(position))
        if not sorted:
            qsort(self.ranked, self.count, cython.sizeof(Ranked), order)
        return 0

    def members(self) -> list:
        """In order."""
        i: cython.size_t
        self.arrange()
        return [PyBytes_FromStringAndSize(entry_key(self.ranked[i].entry), self.ranked[i].entry.key_length)
                for i in range(self.count)]

    def items(self) -> list:
        """In order, `[member, score, ...]`."""
        found: list = []
        i: cython.size_t
        e: cython.pointer(Entry)
        self.arrange()
        for i in range(self.count):
            e = self.ranked[i].entry
            found.append(PyBytes_FromStringAndSize(entry_key(e), e.key_length))
            found.append(self.ranked[i].score)
        return found

    def to_sorted_set(self) -> SortedSet:
        """The set takes over the memory; the result is empty then."""
        values: SortedSet = SortedSet()
        i: cython.size_t
        e: cython.pointer(Entry)
        self.arrange()
        if (cython.cast(int64_t, self.count) > limits.zset_max_listpack_entries
                or cython.cast(int64_t, self.longest) > limits.zset_max_listpack_value):
            values.adopt(self.table, self.ranked, self.count)
            self.table = Table()
        else:
            for i in range(self.count):
                e = self.ranked[i].entry
                values.insert(self.ranked[i].score, entry_key(e), e.key_length)
        return values


# --- the operations --------------------------------------------------------------------------------------------------

def union(sources: list, weights: list, aggregate: cython.int = SUM) -> Result:
    """The members of all sources. `weights`: a factor for the scores of each source."""
    result: Result = Result()
    walk: SourceWalk
    member: Member
    slot: cython.pointer(cython.pointer(Entry))
    factor: cython.double
    score: cython.double
    ordered: list = smallest_first(sources, weights)
    result.table.expand(size_of(ordered[-1][0]))
    for source, weight in ordered:
        if source is None:
            continue
        factor = weight
        start(source, cython.address(walk))
        while following(source, cython.address(walk), cython.address(member)):
            score = factor if aggregate == BY_COUNT else weighed(member.score, factor)
            slot = result.table.find(member.data, member.length)
            if slot == cython.NULL:
                result.add(cython.address(member), score)
            else:
                entry_score(slot[0])[0] = combined(entry_score(slot[0])[0], score, aggregate)
    return result


def intersection(sources: list, weights: list, aggregate: cython.int = SUM) -> Result:
    """The members that are in every source."""
    result: Result = Result()
    walk: SourceWalk
    member: Member
    factors: cython.double
    score: cython.double
    other: cython.double = 0
    ordered: list = smallest_first(sources, weights)
    first = ordered[0][0]
    factors = ordered[0][1]
    if size_of(first) == 0:
        return result
    start(first, cython.address(walk))
    while following(first, cython.address(walk), cython.address(member)):
        score = factors if aggregate == BY_COUNT else weighed(member.score, factors)
        for source, weight in ordered[1:]:
            if not score_in(source, cython.address(member), cython.address(other)):
                break
            if aggregate == BY_COUNT:
                other = 1
            score = combined(score, other * cython.cast(cython.double, weight), aggregate)
        else:
            result.add(cython.address(member), score)
    return result


def difference(sources: list) -> Result:
    """The members of the first source that are in no other."""
    result: Result = Result()
    walk: SourceWalk
    member: Member
    ignored: cython.double = 0
    first = sources[0]
    others: list = [source for source in sources[1:] if source is not None]
    if first is None or first in others:
        return result
    start(first, cython.address(walk))
    while following(first, cython.address(walk), cython.address(member)):
        for source in others:
            if score_in(source, cython.address(member), cython.address(ignored)):
                break
        else:
            result.add(cython.address(member), member.score)
    return result


def intersection_size(sources: list, limit: int = 0) -> int:
    """How many members are in every source, counted up to the limit (0: there is none)."""
    walk: SourceWalk
    member: Member
    ignored: cython.double = 0
    most: cython.Py_ssize_t = min(limit, 1 << 62)
    found: cython.Py_ssize_t = 0
    ordered: list = sorted(sources, key=lambda source: size_of(source))
    first = ordered[0]
    if size_of(first) == 0:
        return 0
    start(first, cython.address(walk))
    while following(first, cython.address(walk), cython.address(member)):
        for source in ordered[1:]:
            if not score_in(source, cython.address(member), cython.address(ignored)):
                break
        else:
            found += 1
            if found == most:
                break
    return found
