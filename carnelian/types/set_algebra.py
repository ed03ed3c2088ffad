# cython: language_level=3
"""Intersection, union and difference of sets, element by element in C memory.

Each takes a list of sets, None standing for an empty one, and comes in two forms: as a list of members for a reply, and
as a new Set to be stored.
"""
import cython
from cython.cimports.carnelian.types.listpack import Item
from cython.cimports.carnelian.types.members import ENCODING, INTEGERS
from cython.cimports.carnelian.types.set import Set, SetWalk
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize


@cython.cfunc
@cython.inline
def to_bytes(item: cython.pointer(Item)) -> bytes:
    return PyBytes_FromStringAndSize(item.data, item.length)


@cython.cfunc
def distinct(sets: list) -> list:
    """Each once, without the missing ones."""
    return list(dict.fromkeys([s for s in sets if s is not None]))


@cython.cfunc
@cython.exceptval(check=False)
def in_all(sets: list, start: cython.Py_ssize_t, member: cython.pointer(Item)) -> cython.bint:
    i: cython.Py_ssize_t
    for i in range(start, len(sets)):
        if not cython.cast(Set, sets[i]).has_item(member):
            return False
    return True


@cython.cfunc
@cython.exceptval(check=False)
def in_any(sets: list, start: cython.Py_ssize_t, member: cython.pointer(Item)) -> cython.bint:
    i: cython.Py_ssize_t
    for i in range(start, len(sets)):
        if cython.cast(Set, sets[i]).has_item(member):
            return True
    return False


# --- intersection -----------------------------------------------------------------------------------------------------


@cython.cfunc
def smallest_first(sets: list) -> list:
    """Empty if one of the sets is: then the intersection is, too."""
    for s in sets:
        if s is None or len(s) == 0:
            return []
    return sorted(distinct(sets), key=len)


def intersection(sets: list) -> list:
    ordered: list = smallest_first(sets)
    first: Set
    walk: SetWalk
    member: Item
    found: list = []
    if ordered:
        first = ordered[0]
        first.start(cython.address(walk))
        while first.next(cython.address(walk), cython.address(member)):
            if in_all(ordered, 1, cython.address(member)):
                found.append(to_bytes(cython.address(member)))
    return found


def intersection_count(sets: list, limit: cython.size_t = 0) -> int:
    """How many members; it stops counting at the limit, 0 meaning none."""
    ordered: list = smallest_first(sets)
    first: Set
    walk: SetWalk
    member: Item
    count: cython.size_t = 0
    if ordered:
        first = ordered[0]
        first.start(cython.address(walk))
        while first.next(cython.address(walk), cython.address(member)):
            if in_all(ordered, 1, cython.address(member)):
                count += 1
                if count == limit:
                    break
    return count


def intersection_set(sets: list) -> Set:
    """In the order of the smallest set; an intset whenever there are only integers, as Redis 7.2 does."""
    ordered: list = smallest_first(sets)
    first: Set
    walk: SetWalk
    member: Item
    result: Set = Set()
    integers: Set
    if not ordered:
        return result
    first = ordered[0]
    if first.word & ENCODING != INTEGERS:
        result.reserve(b"-", 1, 1)
    first.start(cython.address(walk))
    while first.next(cython.address(walk), cython.address(member)):
        if in_all(ordered, 1, cython.address(member)):
            result.add_item(cython.address(member))
    if result.word & ENCODING != INTEGERS:
        integers = only_integers(result)
        if integers is not None:
            return integers
    return result


@cython.cfunc
def only_integers(source: Set):
    """The set as an intset, or None if it cannot be one."""
    result: Set = Set()
    walk: SetWalk
    member: Item
    source.start(cython.address(walk))
    while source.next(cython.address(walk), cython.address(member)):
        result.add_item(cython.address(member))
        if result.word & ENCODING != INTEGERS:
            return None
    return result


# --- union ------------------------------------------------------------------------------------------------------------


def union(sets: list) -> list:
    walk: SetWalk
    member: Item
    s: Set
    seen: set
    some: list = distinct(sets)
    if len(some) == 1:
        return some[0].members()
    if all([s.word & ENCODING == INTEGERS for s in some]):
        return union_set(some).members()
    seen = set()
    for s in some:
        s.start(cython.address(walk))
        while s.next(cython.address(walk), cython.address(member)):
            seen.add(to_bytes(cython.address(member)))
    return list(seen)


def union_set(sets: list) -> Set:
    walk: SetWalk
    member: Item
    s: Set
    result: Set = Set()
    for s in distinct(sets):
        s.start(cython.address(walk))
        while s.next(cython.address(walk), cython.address(member)):
            result.add_item(cython.address(member))
    return result


# --- difference -------------------------------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(check=False)
def look_up_each(first: Set, others: list) -> cython.bint:
    """Whether looking up the first set's members in the others costs less than taking the others' members out of it.

    Half of the look-ups are expected to find their member early, and to spare the rest.
    """
    total: cython.size_t = 0
    i: cython.Py_ssize_t
    for i in range(len(others)):
        total += cython.cast(Set, others[i]).length()
    return first.length() * (len(others) + 1) // 2 <= total + first.length()


def difference(sets: list) -> list:
    """The members of the first set that none of the others has."""
    first: Set = sets[0]
    others: list
    walk: SetWalk
    member: Item
    found: list = []
    if first is None:
        return found
    others = sorted(distinct(sets[1:]), key=len, reverse=True)
    if first in others:
        return found
    if not look_up_each(first, others):
        return taken_out(first, others).members()
    first.start(cython.address(walk))
    while first.next(cython.address(walk), cython.address(member)):
        if not in_any(others, 0, cython.address(member)):
            found.append(to_bytes(cython.address(member)))
    return found


def difference_set(sets: list) -> Set:
    first: Set = sets[0]
    others: list
    walk: SetWalk
    member: Item
    result: Set = Set()
    if first is None:
        return result
    others = sorted(distinct(sets[1:]), key=len, reverse=True)
    if first in others:
        return result
    if not look_up_each(first, others):
        return taken_out(first, others)
    first.start(cython.address(walk))
    while first.next(cython.address(walk), cython.address(member)):
        if not in_any(others, 0, cython.address(member)):
            result.add_item(cython.address(member))
    return result


@cython.cfunc
def taken_out(first: Set, others: list) -> Set:
    """A copy of the first set, from which the others' members are removed."""
    result: Set = union_set([first])
    other: Set
    walk: SetWalk
    member: Item
    for other in others:
        other.start(cython.address(walk))
        while result.length() and other.next(cython.address(walk), cython.address(member)):
            result.remove_item(cython.address(member))
    return result
