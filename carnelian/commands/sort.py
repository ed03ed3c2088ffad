# cython: language_level=3
"""SORT and SORT_RO. https://redis.io/docs/latest/commands/sort/

Texts are compared byte by byte. Elements whose weights are equal as numbers are ordered as texts.
"""
import cython
from cython.cimports.carnelian.base.numbers import text_to_double
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE

from carnelian.base.errors import ReplyError, SyntaxFault, WrongType
from carnelian.base.numbers import parse_integer
from carnelian.keyspace import DANGEROUS, DENYOOM, READONLY, WRITE, command
from carnelian.types.hash import Hash
from carnelian.types.list import List
from carnelian.types.set import Set
from carnelian.types.sorted_set import SortedSet


@cython.final
@cython.cclass
class Order:
    """What the words after the key ask for."""
    by: bytes                       # pattern of the weights' keys, None: the elements themselves
    sorted: cython.bint             # False: a pattern without * asks for no sorting
    alpha: cython.bint
    descending: cython.bint
    offset: object
    limit: object                   # None or negative: all
    patterns: list                  # of GET
    destination: bytes              # of STORE

    def __init__(self, c: Call, options: tuple, may_store: cython.bint):
        self.sorted = True
        self.offset = 0
        self.limit = -1
        self.patterns = []
        i: cython.Py_ssize_t = 0
        while i < len(options):
            word: bytes = cython.cast(bytes, options[i]).upper()
            left: cython.Py_ssize_t = len(options) - i - 1
            i += 1
            if word == b"ASC":
                self.descending = False
            elif word == b"DESC":
                self.descending = True
            elif word == b"ALPHA":
                self.alpha = True
            elif word == b"LIMIT" and left >= 2:
                self.offset = parse_integer(options[i])
                self.limit = parse_integer(options[i + 1])
                i += 2
            elif word == b"BY" and left >= 1:
                self.by = options[i]
                if b"*" not in self.by:
                    self.sorted = False         # also when another BY follows
                else:
                    need_every_key(c, word)
                i += 1
            elif word == b"GET" and left >= 1:
                need_every_key(c, word)
                self.patterns.append(options[i])
                i += 1
            elif word == b"STORE" and left >= 1 and may_store:
                self.destination = options[i]
                i += 1
            else:
                raise SyntaxFault()

    def part(self, count: cython.Py_ssize_t) -> tuple:
        """LIMIT as a slice of `count` elements."""
        start = max(self.offset, 0)
        stop = count if self.limit < 0 else start + self.limit
        return min(start, count), min(stop, count)


def need_every_key(c: Call, option: bytes) -> None:
    """Nobody can say beforehand which keys a pattern leads to: not in cluster mode, and the user must be allowed to read all."""
    if c.engine.cluster is not None:
        raise ReplyError(f"ERR {option.decode()} option of SORT denied in Cluster mode.")
    if not c.engine.acl.reads_every_key(c.session, c.command, c.words):
        raise ReplyError(f"ERR {option.decode()} option of SORT denied due to insufficient ACL permissions.")


@cython.cfunc
def fetch(c: Call, pattern: bytes, element: bytes):
    """What a pattern of BY or GET leads to: the first * stands for the element, `->field` after it for a hash's field.

    None if there is no *, or no such key or field, or another type.
    """
    if pattern == b"#":
        return element
    star: cython.Py_ssize_t = pattern.find(b"*")
    if star < 0:
        return None
    arrow: cython.Py_ssize_t = pattern.find(b"->", star + 1)
    if arrow < 0 or arrow + 2 == len(pattern):
        value = c.value_at(pattern[:star] + element + pattern[star + 1:])
        return value if isinstance(value, bytes) else None
    value = c.value_at(pattern[:star] + element + pattern[star + 1:arrow])
    return value.get(pattern[arrow + 2:]) if isinstance(value, Hash) else None


@cython.cfunc
def weight(text) -> float:
    """The number that an element is sorted by; a missing one counts as 0."""
    number: cython.double = 0
    if text is None:
        return number
    if text_to_double(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), cython.address(number)) \
            and 1e-300 < abs(number) < 1e300:
        return number
    return unusual_weight(text)


def unusual_weight(text: bytes) -> float:
    """The same in all of strtod's ways: space before the number is skipped, nothing is 0, what a double can't hold is refused."""
    number: cython.double = 0
    spelled: bytes = text.split(b"\0", 1)[0]
    digits: bytes = spelled.lstrip(b" \t\n\v\f\r")
    if not spelled:
        return number
    if not text_to_double(PyBytes_AS_STRING(digits), PyBytes_GET_SIZE(digits), cython.address(number)) \
            or (number - number != 0 and b"n" not in digits.lower()) \
            or (abs(number) < 2.2250738585072014e-308 and digits.lower().split(b"e")[0].strip(b"+-0x.")):
        raise ReplyError("ERR One or more scores can't be converted into double")
    return number


@cython.cfunc
def arrange(c: Call, elements: list, order: Order) -> list:
    """The elements in order."""
    weighed: list = []
    if order.alpha:
        if order.by is None:
            return sorted(elements, reverse=order.descending)
        for element in elements:
            text = fetch(c, order.by, element)
            weighed.append((text is not None, text or b"", element))    # a missing one comes first
        weighed.sort(key=first_two, reverse=order.descending)
        return [element for _, _, element in weighed]
    for element in elements:
        weighed.append((weight(element if order.by is None else fetch(c, order.by, element)), element))
    weighed.sort(reverse=order.descending)
    return [element for _, element in weighed]


def first_two(item: tuple):
    return item[:2]


@cython.cfunc
def sort_key(c: Call, key: bytes, order: Order):
    c.reading = True                        # SORT too, which may write
    value = c.value_at(key)
    if value is not None and not isinstance(value, (List, Set, SortedSet)):
        raise WrongType()
    if isinstance(value, Set) and not order.sorted and (order.destination is not None or c.engine.script is not None):
        # A set has no order of its own: what is stored must be the same wherever the word is run again, and a script may store it.
        order.sorted = True
        order.alpha = True
        order.by = None
    if value is None:
        elements: list = []
    elif order.sorted:
        elements = arrange(c, value.range(0, -1) if isinstance(value, List) else value.members(), order)
        start, stop = order.part(len(elements))
        elements = elements[start:stop]
    else:
        start, stop = order.part(len(value))
        if start >= stop:
            elements = []
        elif isinstance(value, Set):
            elements = value.members()[start:stop]
        else:
            if order.descending:
                start, stop = len(value) - stop, len(value) - start
            elements = value.range(start, stop - 1) if isinstance(value, List) else value.members(start, stop)
            if order.descending:
                elements.reverse()
    if order.patterns:
        elements = [fetch(c, pattern, element) for element in elements for pattern in order.patterns]
    if order.destination is None:
        return elements
    if elements:
        stored: List = List()
        stored.extend_right(tuple([element or b"" for element in elements]))
        c.put(order.destination, stored)
        c.changed(order.destination, "sortstore", len(elements))
    elif c.delete(order.destination):
        c.changed(order.destination, "del")
    return len(elements)


@command("SORT key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA] "
         "[STORE destination]", WRITE | DENYOOM | DANGEROUS, since="1.0.0", keys="RO ACCESS, RO ACCESS, OW UPDATE",
         complexity="O(N+M*log(N)), N elements in the value, M in the reply; O(M) without sorting")
def sort(c: Call, key: bytes, *options: bytes):
    """Give or store the elements of a list, set or sorted set in order, or what is found by way of them."""
    return sort_key(c, key, Order(c, options, True))


@command("SORT_RO key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]",
         READONLY | DANGEROUS, since="7.0.0", keys="RO ACCESS, RO ACCESS",
         complexity="O(N+M*log(N)), N elements in the value, M in the reply; O(M) without sorting")
def sort_ro(c: Call, key: bytes, *options: bytes):
    """Give the elements of a list, set or sorted set in order; SORT without STORE."""
    return sort_key(c, key, Order(c, options, False))
