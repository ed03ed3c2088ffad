# cython: language_level=3
"""Unions, intersections and differences of sorted sets; plain sets take part with scores of 1."""
import cython
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.types.set import Set
from cython.cimports.carnelian.types.sorted_set import SortedSet

from carnelian.base.errors import NotFloat, NotInteger, ReplyError, SyntaxFault, WrongType
from carnelian.base.numbers import parse_float, parse_integer
from carnelian.base.replies import MemberScores
from carnelian.keyspace import DENYOOM, READONLY, WRITE, command
from carnelian.types.sorted_set_algebra import COUNT, MAXIMUM, MINIMUM, SUM, difference, intersection, intersection_size, union

UNION = cython.declare(cython.int, 1)
INTERSECTION = cython.declare(cython.int, 2)
DIFFERENCE = cython.declare(cython.int, 3)
CARDINALITY = cython.declare(cython.int, 4)

AGGREGATES = {b"sum": SUM, b"min": MINIMUM, b"max": MAXIMUM, b"count": COUNT}


# --- the words' arguments --------------------------------------------------------------------------------------------

@cython.final
@cython.cclass
class Request:
    """`numkeys key [key ...]` and the options of an operation, with the inputs looked up."""

    sources: list           # SortedSet, Set or None
    weights: list
    aggregate: cython.int
    scores: cython.bint
    limit: object           # 0: none

    def __init__(self, c: Call, operation: cython.int, words: tuple, store: cython.bint = False):
        number = parse_integer(words[0])
        if number < 1:
            raise ReplyError(f"ERR at least 1 input key is needed for '{c.words[0].decode('latin-1').lower()}' command")
        if number > len(words) - 1:
            raise SyntaxFault()
        c.reading = True                # hits and misses are counted for the inputs of a STORE word too
        self.sources = [input_at(c, key) for key in words[1:number + 1]]
        self.weights = [1.0] * number
        self.aggregate = SUM
        self.scores = False
        self.limit = 0
        weighted: cython.bint = operation == UNION or operation == INTERSECTION
        at = number + 1
        while at < len(words):
            option = words[at].lower()
            left = len(words) - at
            if option == b"weights" and weighted and left > number:
                try:
                    self.weights = [parse_float(word) for word in words[at + 1:at + 1 + number]]
                except NotFloat:
                    raise ReplyError("ERR weight value is not a float")
                at += number
            elif option == b"aggregate" and weighted and left > 1:
                if words[at + 1].lower() not in AGGREGATES:
                    raise SyntaxFault()
                self.aggregate = AGGREGATES[words[at + 1].lower()]
                at += 1
            elif option == b"withscores" and not store and operation != CARDINALITY:
                self.scores = True
            elif option == b"limit" and operation == CARDINALITY and left > 1:
                self.limit = limit_of(words[at + 1])
                at += 1
            else:
                raise SyntaxFault()
            at += 1


@cython.cfunc
def input_at(c: Call, key: bytes):
    c.reading = True                        # also as the source of a STORE word
    value = c.value_at(key)
    if value is None or isinstance(value, (SortedSet, Set)):
        return value
    raise WrongType()


@cython.cfunc
def limit_of(text: bytes):
    try:
        limit = parse_integer(text)
    except NotInteger:
        limit = -1
    if limit < 0:
        raise ReplyError("ERR LIMIT can't be negative")
    return limit


# --- the words -------------------------------------------------------------------------------------------------------

@cython.cfunc
def answer(result, request: Request):
    return MemberScores(result.items()) if request.scores else result.members()


@cython.cfunc
def keep(c: Call, destination: bytes, result, event: str):
    """Stores the result; nothing is left under the destination where it is empty."""
    size = len(result)
    if size:
        c.put(destination, result.to_sorted_set())
        c.changed(destination, event)
    elif c.delete(destination):
        c.changed(destination, "del")
    return size


@command("ZUNION numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX | COUNT>] [WITHSCORES]", READONLY,
         since="6.2.0", group="sorted-set", keys="RO ACCESS",
         complexity="O(N)+O(M*log(M)) with N the sum of the sizes of the inputs and M the size of the result")
def zunion(c: Call, *words: bytes):
    """The members that are in any of several sorted sets."""
    request: Request = Request(c, UNION, words)
    return answer(union(request.sources, request.weights, request.aggregate), request)


@command("ZINTER numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX | COUNT>] [WITHSCORES]", READONLY,
         since="6.2.0", group="sorted-set", keys="RO ACCESS",
         complexity="O(N*K)+O(M*log(M)) with N the size of the smallest input, K their number and M the size of the result")
def zinter(c: Call, *words: bytes):
    """The members that are in all of several sorted sets."""
    request: Request = Request(c, INTERSECTION, words)
    return answer(intersection(request.sources, request.weights, request.aggregate), request)


@command("ZDIFF numkeys key [key ...] [WITHSCORES]", READONLY, since="6.2.0", group="sorted-set", keys="RO ACCESS",
         complexity="O(N*K)+O(M*log(M)) with N the size of the first input, K their number and M the size of the result")
def zdiff(c: Call, *words: bytes):
    """The members of the first sorted set that are in none of the others."""
    request: Request = Request(c, DIFFERENCE, words)
    return answer(difference(request.sources), request)


@command("ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX | COUNT>]",
         WRITE | DENYOOM, since="2.0.0", group="sorted-set", keys="OW UPDATE, RO ACCESS",
         complexity="O(N)+O(M*log(M)) with N the sum of the sizes of the inputs and M the size of the result")
def zunionstore(c: Call, destination: bytes, *words: bytes):
    """Store the union of several sorted sets; its size."""
    request: Request = Request(c, UNION, words, True)
    return keep(c, destination, union(request.sources, request.weights, request.aggregate), "zunionstore")


@command("ZINTERSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX | COUNT>]",
         WRITE | DENYOOM, since="2.0.0", group="sorted-set", keys="OW UPDATE, RO ACCESS",
         complexity="O(N*K)+O(M*log(M)) with N the size of the smallest input, K their number and M the size of the result")
def zinterstore(c: Call, destination: bytes, *words: bytes):
    """Store the intersection of several sorted sets; its size."""
    request: Request = Request(c, INTERSECTION, words, True)
    return keep(c, destination, intersection(request.sources, request.weights, request.aggregate), "zinterstore")


@command("ZDIFFSTORE destination numkeys key [key ...]", WRITE | DENYOOM, since="6.2.0", group="sorted-set",
         keys="OW UPDATE, RO ACCESS",
         complexity="O(N*K)+O(M*log(M)) with N the size of the first input, K their number and M the size of the result")
def zdiffstore(c: Call, destination: bytes, *words: bytes):
    """Store the difference of the first sorted set and the others; its size."""
    request: Request = Request(c, DIFFERENCE, words, True)
    return keep(c, destination, difference(request.sources), "zdiffstore")


@command("ZINTERCARD numkeys key [key ...] [LIMIT limit]", READONLY, since="7.0.0", group="sorted-set", keys="RO ACCESS",
         complexity="O(N*K) with N the size of the smallest input and K their number")
def zintercard(c: Call, *words: bytes):
    """The number of members that are in all of several sorted sets, counted up to a limit."""
    request: Request = Request(c, CARDINALITY, words)
    return intersection_size(request.sources, request.limit)
