# cython: language_level=3
"""Small sorted sets: members and scores in one listpack, as in Redis's snapshots."""
import cython
from cython.cimports.carnelian.base.numbers import double_to_text, integer_to_text, text_to_double
from cython.cimports.carnelian.types.listpack import (
    Item, lp_delete, lp_find, lp_first, lp_get, lp_insert, lp_last, lp_length, lp_next, lp_previous)
from cython.cimports.carnelian.types.ranked_tree import BY_MEMBER, BY_SCORE
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
from cython.cimports.libc.stdint import int64_t
from cython.cimports.libc.string import memcmp

# The integers that Redis's snapshots hold as integers: beyond half of 64 bits a double is written as text.
INTEGER_BORDER = cython.declare(cython.double, 4611686018427387904.0)


def score_text(score, text):
    number: int64_t
    if -INTEGER_BORDER <= score <= INTEGER_BORDER:
        number = cython.cast(int64_t, score)
        if number == score:
            return integer_to_text(number, text)
    return double_to_text(score, text)


def sp_score(p):
    item: Item
    score: cython.double = 0
    lp_get(p, cython.address(item))
    if item.is_integer:
        return cython.cast(cython.double, item.number)
    text_to_double(item.data, item.length, cython.address(score))
    return score


@cython.cfunc
@cython.exceptval(check=False)
def compare(p: pack, member: cython.p_const_char, n: cython.size_t) -> cython.int:
    """The order of the member at p and this one: negative, zero or positive."""
    item: Item
    order: cython.int
    lp_get(p, cython.address(item))
    order = memcmp(item.data, member, item.length if item.length < n else n)
    if order == 0 and item.length != n:
        return -1 if item.length < n else 1
    return order


def sp_find(lp, member, n):
    p: pack = lp_first(lp)
    return lp_find(lp, p, member, n, 1) if p != cython.NULL else cython.NULL


def sp_cut(lp, bound):
    p: pack = lp_first(lp)
    q: pack
    order: cython.int
    score: cython.double
    rank: cython.Py_ssize_t = 0
    while p != cython.NULL:
        q = lp_next(lp, p)
        order = 0
        if bound.by & BY_SCORE:
            score = sp_score(q)
            order = (score > bound.score) - (score < bound.score)
        if order == 0 and bound.by & BY_MEMBER:
            order = compare(p, bound.member, bound.length)
        if order > 0 or (order == 0 and not bound.after):
            break
        rank += 1
        p = lp_next(lp, q)
    return rank


def sp_insert(lp, score, member, n):
    q: pack = lp_last(lp[0])
    p: pack = cython.NULL
    text: cython.char[32]
    size: cython.size_t = score_text(score, text)
    other: cython.double
    if q != cython.NULL:
        other = sp_score(q)
        if other > score or (other == score and compare(lp_previous(lp[0], q), member, n) > 0):
            p = lp_first(lp[0])
    while p != cython.NULL:
        q = lp_next(lp[0], p)
        other = sp_score(q)
        if other > score or (other == score and compare(p, member, n) > 0):
            break
        p = lp_next(lp[0], q)
    # The score goes first: p is then its position, and where the member goes.
    lp[0] = lp_insert(lp[0], p, text, size, cython.address(p))
    try:
        lp[0] = lp_insert(lp[0], p, member, n, cython.NULL)
    except MemoryError:
        lp[0] = lp_delete(lp[0], cython.address(p))
        raise
    return 0


def sp_remove(lp, p):
    lp[0] = lp_delete(lp[0], cython.address(p))
    lp[0] = lp_delete(lp[0], cython.address(p))
    return 0


def sp_check(lp):
    p: pack = lp_first(lp)
    q: pack
    item: Item
    score: cython.double = 0
    before: tuple = None
    seen: set = set()
    if lp_length(lp) & 1:
        raise ValueError("a member without a score")
    while p != cython.NULL:
        lp_get(p, cython.address(item))
        member = PyBytes_FromStringAndSize(item.data, item.length)
        q = lp_next(lp, p)
        lp_get(q, cython.address(item))
        if item.is_integer:
            score = cython.cast(cython.double, item.number)
        elif not text_to_double(item.data, item.length, cython.address(score)):
            raise ValueError("a score that is no number")
        if member in seen or (before is not None and before >= (score, member)):
            raise ValueError("a member twice, or out of order")
        seen.add(member)
        before = (score, member)
        p = lp_next(lp, q)
    return 0
