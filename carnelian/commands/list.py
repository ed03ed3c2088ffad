# cython: language_level=3
"""Lists: https://redis.io/docs/latest/develop/data-types/lists/"""
import cython
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.types.list import List

from carnelian.base.errors import NoSuchKey, NotInteger, OutOfRange, ReplyError, SyntaxFault, WrongArity
from carnelian.base.numbers import parse_integer
from carnelian.base.replies import NULL_ARRAY, OK
from carnelian.keyspace import DENYOOM, FAST, MOVABLE_KEYS, READONLY, WRITE, command

LARGEST = 2**63 - 1
EACH = "O(1) for each element"


# --- arguments, shared with the blocking words ------------------------------------------------------------------------


def number_from(text: bytes, least: int, message: str) -> int:
    """An integer of at least that, or the error."""
    try:
        number = parse_integer(text)
    except NotInteger:
        number = least - 1
    if number < least:
        raise ReplyError(message)
    return number


def is_left(side: bytes) -> bool:
    """LEFT or RIGHT."""
    word = side.upper()
    if word not in (b"LEFT", b"RIGHT"):
        raise SyntaxFault()
    return word == b"LEFT"


def numkeys_side_count(numkeys: bytes, rest: tuple) -> tuple:
    """`numkeys key [key ...] <LEFT | RIGHT> [COUNT count]`: the keys, whether left, the count."""
    n = number_from(numkeys, 1, "ERR numkeys should be greater than 0")
    if n >= len(rest):
        raise SyntaxFault()
    left = is_left(rest[n])
    options = rest[n + 1:]
    if not options:
        return rest[:n], left, 1
    if len(options) != 2 or options[0].upper() != b"COUNT":
        # COUNT's value is looked at before what follows it.
        if len(options) > 2 and options[0].upper() == b"COUNT":
            number_from(options[1], 1, "ERR count should be greater than 0")
        raise SyntaxFault()
    return rest[:n], left, number_from(options[1], 1, "ERR count should be greater than 0")


# --- steps, shared with the blocking words ----------------------------------------------------------------------------


def take(values: List, left: cython.bint, count: cython.Py_ssize_t) -> list:
    """Removes up to `count` elements at one end, in the order in which they go."""
    count = min(count, values.length())
    return [values.pop_left() if left else values.pop_right() for _ in range(count)]


def move(c: Call, source: bytes, destination: bytes, from_left: cython.bint, to_left: cython.bint):
    """One element from an end of one list to an end of another, or the same. None without a source."""
    values: List = c.list_at(source)
    if values is None:
        return None
    target: List = c.list_at(destination, create=True)
    element: bytes = values.pop_left() if from_left else values.pop_right()
    if to_left:
        target.push_left(element)
    else:
        target.push_right(element)
    c.changed(destination, "lpush" if to_left else "rpush", 0)
    c.changed(source, "lpop" if from_left else "rpop")
    return element


def pop_from_first(c: Call, keys, left: cython.bint, count: cython.Py_ssize_t):
    """LMPOP's effect: [key, elements] of the first list that is there, or None."""
    for key in keys:
        values: List = c.list_at(key)
        if values is not None:
            elements = take(values, left, count)
            c.changed(key, "lpop" if left else "rpop", len(elements))
            c.propagate(b"LPOP" if left else b"RPOP", key, b"%d" % len(elements))
            return [key, elements]
    return None


# --- both ends --------------------------------------------------------------------------------------------------------


@command("LPUSH key element [element ...]", WRITE | DENYOOM | FAST, since="1.0.0", group="list", keys="RW INSERT",
         complexity=EACH)
def lpush(c: Call, key: bytes, *elements):
    """Prepend elements to a list, which is created if it is missing."""
    values: List = c.list_at(key, create=True)
    values.extend_left(elements)
    c.changed(key, "lpush", len(elements))
    return values.length()


@command("RPUSH key element [element ...]", WRITE | DENYOOM | FAST, since="1.0.0", group="list", keys="RW INSERT",
         complexity=EACH)
def rpush(c: Call, key: bytes, *elements):
    """Append elements to a list, which is created if it is missing."""
    values: List = c.list_at(key, create=True)
    values.extend_right(elements)
    c.changed(key, "rpush", len(elements))
    return values.length()


@command("LPUSHX key element [element ...]", WRITE | DENYOOM | FAST, since="2.2.0", group="list", keys="RW INSERT",
         complexity=EACH)
def lpushx(c: Call, key: bytes, *elements):
    """Prepend elements to a list that exists."""
    values: List = c.list_at(key)
    if values is None:
        return 0
    values.extend_left(elements)
    c.changed(key, "lpush", len(elements))
    return values.length()


@command("RPUSHX key element [element ...]", WRITE | DENYOOM | FAST, since="2.2.0", group="list", keys="RW INSERT",
         complexity=EACH)
def rpushx(c: Call, key: bytes, *elements):
    """Append elements to a list that exists."""
    values: List = c.list_at(key)
    if values is None:
        return 0
    values.extend_right(elements)
    c.changed(key, "rpush", len(elements))
    return values.length()


@command("LPOP key [count]", WRITE | FAST, since="1.0.0", group="list", keys="RW ACCESS DELETE",
         complexity="O(N), N being the number of elements returned")
def lpop(c: Call, key: bytes, *count):
    """Remove and return elements from the left end of a list."""
    return pop(c, "lpop", key, count, True)


@command("RPOP key [count]", WRITE | FAST, since="1.0.0", group="list", keys="RW ACCESS DELETE",
         complexity="O(N), N being the number of elements returned")
def rpop(c: Call, key: bytes, *count):
    """Remove and return elements from the right end of a list."""
    return pop(c, "rpop", key, count, False)


def pop(c: Call, name, key: bytes, count: tuple, left: cython.bint):
    if len(count) > 1:
        raise WrongArity(name)
    n = number_from(count[0], 0, "ERR value is out of range, must be positive") if count else None
    values: List = c.list_at(key)
    if values is None:
        return None if n is None else NULL_ARRAY
    if n == 0:
        return []
    elements = take(values, left, 1 if n is None else n)
    c.changed(key, name, len(elements))
    return elements[0] if n is None else elements


@command("LMPOP numkeys key [key ...] <LEFT | RIGHT> [COUNT count]", WRITE | MOVABLE_KEYS, since="7.0.0", group="list",
         keys="RW ACCESS DELETE", complexity="O(N+M), N being the number of keys and M that of the elements returned")
def lmpop(c: Call, numkeys: bytes, *rest):
    """Remove and return elements from the first list that is not empty."""
    keys, left, count = numkeys_side_count(numkeys, rest)
    popped = pop_from_first(c, keys, left, count)
    return NULL_ARRAY if popped is None else popped


@command("LMOVE source destination <LEFT | RIGHT> <LEFT | RIGHT>", WRITE | DENYOOM, since="6.2.0", group="list",
         keys="RW ACCESS DELETE, RW INSERT", complexity="O(1)")
def lmove(c: Call, source: bytes, destination: bytes, where_from: bytes, where_to: bytes):
    """Move an element from an end of one list to an end of another, and return it."""
    return move(c, source, destination, is_left(where_from), is_left(where_to))


@command("RPOPLPUSH source destination", WRITE | DENYOOM, since="1.2.0", group="list",
         keys="RW ACCESS DELETE, RW INSERT", complexity="O(1)")
def rpoplpush(c: Call, source: bytes, destination: bytes):
    """Move the last element of one list to the left end of another, and return it."""
    return move(c, source, destination, False, True)


# --- reading ----------------------------------------------------------------------------------------------------------


@command("LLEN key", READONLY | FAST, since="1.0.0", group="list", keys="RO", complexity="O(1)")
def llen(c: Call, key: bytes):
    """Return the number of elements of a list."""
    values: List = c.list_at(key)
    return 0 if values is None else values.length()


@command("LRANGE key start stop", READONLY, since="1.0.0", group="list", keys="RO ACCESS",
         complexity="O(S+N), S being the distance of start from the nearer end and N the number of elements returned")
def lrange(c: Call, key: bytes, start: bytes, stop: bytes):
    """Return the elements between two indexes."""
    first: cython.Py_ssize_t = parse_integer(start)
    last: cython.Py_ssize_t = parse_integer(stop)
    values: List = c.list_at(key)
    return [] if values is None else values.range(first, last)


@command("LINDEX key index", READONLY, since="1.0.0", group="list", keys="RO ACCESS",
         complexity="O(N), N being the distance from the nearer end")
def lindex(c: Call, key: bytes, index: bytes):
    """Return the element at an index."""
    values: List = c.list_at(key)
    return None if values is None else values.index(parse_integer(index))


@command("LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]", READONLY, since="6.0.6", group="list",
         keys="RO ACCESS", complexity="O(N), N being the number of elements looked at")
def lpos(c: Call, key: bytes, element: bytes, *options):
    """Return the indexes of the elements that equal a value."""
    rank = 1
    count = None
    most = 0
    if len(options) % 2:
        options, odd = options[:-1], True
    else:
        odd = False
    for i in range(0, len(options), 2):
        option = options[i].upper()
        value = options[i + 1]
        if option == b"RANK":
            rank = parse_integer(value)
            if rank < -LARGEST:
                raise ReplyError(f"ERR value is out of range, value must between {-LARGEST} and {LARGEST}")
            if rank == 0:
                raise ReplyError("ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... "
                                 "or use negative to start from the end of the list")
        elif option == b"COUNT":
            count = number_from(value, 0, "ERR COUNT can't be negative")
        elif option == b"MAXLEN":
            most = number_from(value, 0, "ERR MAXLEN can't be negative")
        else:
            raise SyntaxFault()
    if odd:
        raise SyntaxFault()
    values: List = c.list_at(key)
    if values is None:
        return None if count is None else []
    found = values.positions(element, rank, 1 if count is None else count, most)
    if count is None:
        return found[0] if found else None
    return found


# --- changing inside --------------------------------------------------------------------------------------------------


@command("LSET key index element", WRITE | DENYOOM, since="1.0.0", group="list", keys="RW UPDATE",
         complexity="O(N), N being the distance from the nearer end")
def lset(c: Call, key: bytes, index: bytes, element: bytes):
    """Replace the element at an index."""
    values: List = c.list_at(key)
    if values is None:
        raise NoSuchKey()
    at = parse_integer(index)
    if not -values.length() <= at < values.length():
        raise OutOfRange()
    values.set(at, element)
    c.changed(key, "lset")
    return OK


@command("LINSERT key <BEFORE | AFTER> pivot element", WRITE | DENYOOM, since="2.2.0", group="list", keys="RW INSERT",
         complexity="O(N), N being the number of elements before the pivot")
def linsert(c: Call, key: bytes, where: bytes, pivot: bytes, element: bytes):
    """Insert an element before or after the first one that equals a value."""
    position = where.upper()
    if position not in (b"BEFORE", b"AFTER"):
        raise SyntaxFault()
    values: List = c.list_at(key)
    if values is None:
        return 0
    if not values.insert(pivot, element, position == b"BEFORE"):
        return -1
    c.changed(key, "linsert")
    return values.length()


@command("LREM key count element", WRITE, since="1.0.0", group="list", keys="RW DELETE",
         complexity="O(N+M), N being the length of the list and M the number of elements removed")
def lrem(c: Call, key: bytes, count: bytes, element: bytes):
    """Remove the elements that equal a value: the first ones, the last ones, or all."""
    n = parse_integer(count)
    values: List = c.list_at(key)
    if values is None:
        return 0
    removed = values.remove(n, element)
    if removed:
        c.changed(key, "lrem", removed)
    return removed


@command("LTRIM key start stop", WRITE, since="1.0.0", group="list", keys="RW DELETE",
         complexity="O(N), N being the number of elements removed")
def ltrim(c: Call, key: bytes, start: bytes, stop: bytes):
    """Keep only the elements between two indexes."""
    first: cython.Py_ssize_t = parse_integer(start)
    last: cython.Py_ssize_t = parse_integer(stop)
    values: List = c.list_at(key)
    if values is None:
        return OK
    removed = values.trim(first, last)
    c.changed(key, "ltrim", removed)
    if not removed:
        c.propagate()           # the list is touched and the event sent, but there is nothing to repeat
    return OK
