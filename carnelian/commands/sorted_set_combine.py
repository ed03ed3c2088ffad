# cython: language_level=3
"""Unions, intersections and differences of sorted sets; plain sets take part with scores of 1."""
from operator import itemgetter

import cython
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.types.set import Set
from cython.cimports.carnelian.types.sorted_set import SortedSet

from carnelian.base.errors import NotFloat, NotInteger, ReplyError, SyntaxFault, WrongType
from carnelian.base.numbers import parse_float, parse_integer
from carnelian.base.replies import MemberScores
from carnelian.keyspace import DENYOOM, READONLY, WRITE, command

UNION = cython.declare(cython.int, 1)
INTERSECTION = cython.declare(cython.int, 2)
DIFFERENCE = cython.declare(cython.int, 3)
CARDINALITY = cython.declare(cython.int, 4)

SUM = cython.declare(cython.int, 1)
MINIMUM = cython.declare(cython.int, 2)
MAXIMUM = cython.declare(cython.int, 3)
AGGREGATES = {b"sum": SUM, b"min": MINIMUM, b"max": MAXIMUM}


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


# --- the operations: members with scores in a dict -------------------------------------------------------------------

@cython.cfunc
def size_of(source) -> cython.Py_ssize_t:
    return 0 if source is None else len(source)


@cython.cfunc
def pairs_of(source) -> list:
    """`[member, score, ...]`"""
    if source is None:
        return []
    if isinstance(source, SortedSet):
        return cython.cast(SortedSet, source).items()
    return [x for member in cython.cast(Set, source).members() for x in (member, 1.0)]


@cython.cfunc
def score_in(source, member: bytes):
    """None if it is not there."""
    if source is None:
        return None
    if isinstance(source, SortedSet):
        return cython.cast(SortedSet, source).score(member)
    return 1.0 if member in source else None


@cython.cfunc
@cython.exceptval(check=False)
def combined(first: cython.double, second: cython.double, aggregate: cython.int) -> cython.double:
    """The sum of the infinities of both signs is 0. A comparison with what is no number keeps the first."""
    if aggregate == SUM:
        first += second
        return first if first == first else 0.0
    if aggregate == MINIMUM:
        return second if second < first else first
    return second if second > first else first


@cython.cfunc
@cython.exceptval(check=False)
def weighed(score: cython.double, weight: cython.double) -> cython.double:
    """An infinity without weight is 0."""
    score *= weight
    return score if score == score else 0.0


@cython.cfunc
def by_size(request: Request) -> list:
    """`(source, weight)`, the smallest first: floating sums depend on the order."""
    pairs = list(zip(request.sources, request.weights))
    pairs.sort(key=lambda pair: size_of(pair[0]))
    return pairs


@cython.cfunc
def union(request: Request) -> dict:
    result: dict = {}
    items: list
    i: cython.Py_ssize_t
    score: cython.double
    for source, weight in by_size(request):
        items = pairs_of(source)
        for i in range(0, len(items), 2):
            score = weighed(items[i + 1], weight)
            known = result.get(items[i])
            result[items[i]] = score if known is None else combined(known, score, request.aggregate)
    return result


@cython.cfunc
def intersection(request: Request) -> dict:
    result: dict = {}
    i: cython.Py_ssize_t
    score: cython.double
    ordered: list = by_size(request)
    smallest, weight = ordered[0]
    items: list = pairs_of(smallest)
    others: list = ordered[1:]
    for i in range(0, len(items), 2):
        member = items[i]
        score = weighed(items[i + 1], weight)
        for source, other_weight in others:
            other = score_in(source, member)
            if other is None:
                break
            score = combined(score, other * other_weight, request.aggregate)
        else:
            result[member] = score
    return result


@cython.cfunc
def difference(request: Request) -> dict:
    result: dict = {}
    i: cython.Py_ssize_t
    items: list = pairs_of(request.sources[0])
    others: list = [source for source in request.sources[1:] if source is not None]
    # Asking every other set costs their number for each member; a much smaller one is rather taken away member by member.
    for i in range(0, len(items), 2):
        result[items[i]] = items[i + 1]
    for source in others:
        if not result:
            break
        if size_of(source) < len(result):
            for member in source.members():
                result.pop(member, None)
        else:
            for member in [member for member in result if member in source]:
                del result[member]
    return result


@cython.cfunc
def in_order(result: dict) -> list:
    """`(member, score)` by score, then by member."""
    pairs = sorted(result.items(), key=itemgetter(0))
    pairs.sort(key=itemgetter(1))
    return pairs


@cython.cfunc
def answer(result: dict, request: Request):
    pairs = in_order(result)
    if request.scores:
        return MemberScores([x for pair in pairs for x in pair])
    return [member for member, _ in pairs]


@cython.cfunc
def keep(c: Call, destination: bytes, result: dict, event: str):
    """Stores the result; nothing is left under the destination where it is empty."""
    if not result:
        if c.delete(destination):
            c.changed(destination, "del")
        return 0
    values: SortedSet = SortedSet()
    ignored: cython.double = 0
    member: bytes
    score: cython.double
    values.choose(len(result), max(map(len, result)))
    for member, score in in_order(result):
        values.add(score, member, len(member), 0, cython.address(ignored))
    c.put(destination, values)
    c.changed(destination, event)
    return len(result)


# --- the words -------------------------------------------------------------------------------------------------------

@command("ZUNION numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>] [WITHSCORES]", READONLY,
         since="6.2.0", group="sorted-set", keys="RO ACCESS",
         complexity="O(N)+O(M*log(M)) with N the sum of the sizes of the inputs and M the size of the result")
def zunion(c: Call, *words: bytes):
    """The members that are in any of several sorted sets."""
    request: Request = Request(c, UNION, words)
    return answer(union(request), request)


@command("ZINTER numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>] [WITHSCORES]", READONLY,
         since="6.2.0", group="sorted-set", keys="RO ACCESS",
         complexity="O(N*K)+O(M*log(M)) with N the size of the smallest input, K their number and M the size of the result")
def zinter(c: Call, *words: bytes):
    """The members that are in all of several sorted sets."""
    request: Request = Request(c, INTERSECTION, words)
    return answer(intersection(request), request)


@command("ZDIFF numkeys key [key ...] [WITHSCORES]", READONLY, since="6.2.0", group="sorted-set", keys="RO ACCESS",
         complexity="O(N*K)+O(M*log(M)) with N the size of the first input, K their number and M the size of the result")
def zdiff(c: Call, *words: bytes):
    """The members of the first sorted set that are in none of the others."""
    request: Request = Request(c, DIFFERENCE, words)
    return answer(difference(request), request)


@command("ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]",
         WRITE | DENYOOM, since="2.0.0", group="sorted-set", keys="OW UPDATE, RO ACCESS",
         complexity="O(N)+O(M*log(M)) with N the sum of the sizes of the inputs and M the size of the result")
def zunionstore(c: Call, destination: bytes, *words: bytes):
    """Store the union of several sorted sets; its size."""
    return keep(c, destination, union(Request(c, UNION, words, True)), "zunionstore")


@command("ZINTERSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]",
         WRITE | DENYOOM, since="2.0.0", group="sorted-set", keys="OW UPDATE, RO ACCESS",
         complexity="O(N*K)+O(M*log(M)) with N the size of the smallest input, K their number and M the size of the result")
def zinterstore(c: Call, destination: bytes, *words: bytes):
    """Store the intersection of several sorted sets; its size."""
    return keep(c, destination, intersection(Request(c, INTERSECTION, words, True)), "zinterstore")


@command("ZDIFFSTORE destination numkeys key [key ...]", WRITE | DENYOOM, since="6.2.0", group="sorted-set",
         keys="OW UPDATE, RO ACCESS",
         complexity="O(N*K)+O(M*log(M)) with N the size of the first input, K their number and M the size of the result")
def zdiffstore(c: Call, destination: bytes, *words: bytes):
    """Store the difference of the first sorted set and the others; its size."""
    return keep(c, destination, difference(Request(c, DIFFERENCE, words, True)), "zdiffstore")


@command("ZINTERCARD numkeys key [key ...] [LIMIT limit]", READONLY, since="7.0.0", group="sorted-set", keys="RO ACCESS",
         complexity="O(N*K) with N the size of the smallest input and K their number")
def zintercard(c: Call, *words: bytes):
    """The number of members that are in all of several sorted sets, counted up to a limit."""
    request: Request = Request(c, CARDINALITY, words)
    ordered = sorted(request.sources, key=lambda source: size_of(source))
    smallest = ordered[0]
    found: cython.Py_ssize_t = 0
    if smallest is None:
        return 0
    for member in smallest.members():
        for source in ordered[1:]:
            if member not in source:
                break
        else:
            found += 1
            if found == request.limit:
                break
    return found
