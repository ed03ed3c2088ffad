# cython: language_level=3, cdivision=True
"""Replies of words as Lua values, and what scripts return as replies.

https://redis.io/docs/latest/develop/interact/programmability/lua-api/#data-type-conversion. What crosses between Python
and Lua is described in lua/replies.lua and lua/running.lua.
"""
import math

import cython
from cython.cimports.carnelian.base.numbers import double_to_text
from cython.cimports.cpython.bytes import PyBytes_CheckExact, PyBytes_FromStringAndSize, PyBytes_GET_SIZE

from carnelian.base.errors import ReplyError
from carnelian.base.replies import (
    NO_REPLY, NULL_ARRAY, OK, WAIT, Attribute, BigNumber, FieldValues, LongDouble, Members, MemberScores, Pairs, Push, Status,
    Verbatim)

# Values that cross at once; Lua 5.1 has room for 8000 on a stack.
FLAT_MOST = 4000
most = cython.declare(cython.Py_ssize_t, FLAT_MOST)

FLAT = cython.declare(tuple, (Pairs, MemberScores, Members, FieldValues))       # arrays of their items in RESP2
OK_ANSWER = cython.declare(tuple, ((None, 1, b"OK"), None, 0))
NIL_ANSWER = cython.declare(tuple, ((None, 3), None, 0))
FALSE_ANSWER = cython.declare(tuple, (False, None, 0))
LONG_MIN = cython.declare(object, -2**63)


def argument_text(value):
    """A number as an argument of a word: bytes. None for what can be no argument."""
    if PyBytes_CheckExact(value):
        return value
    if type(value) is int:
        return b"%d" % value
    if type(value) is float:
        if value != value:
            return b"-nan" if math.copysign(1.0, value) < 0 else b"nan"
        return b"%.17g" % value
    return None


@cython.cfunc
def double_text(value: cython.double) -> bytes:
    text: cython.char[40]
    n: cython.size_t = double_to_text(value, text)
    return PyBytes_FromStringAndSize(text, n)


# --- to Lua ----------------------------------------------------------------------------------------------------------

def reply_to_lua(value, resp):
    """A body's value for a script in this protocol: (what Lua is answered, the values still to be fetched or None, bytes)."""
    i: cython.Py_ssize_t
    n: cython.Py_ssize_t
    size: cython.Py_ssize_t = 0
    flat: list
    if PyBytes_CheckExact(value):
        return value, None, PyBytes_GET_SIZE(value)
    if type(value) is int:
        return value if -2**63 <= value < 2**63 else b"%d" % value, None, 0
    if value is None:
        return FALSE_ANSWER if resp == 2 else NIL_ANSWER
    if value is OK:
        return OK_ANSWER
    if resp == 2 and type(value) in FLAT:
        value = value.items
    if type(value) is list and resp == 2:
        n = len(cython.cast(list, value))
        flat = [None, 2]
        for i in range(n):
            item = cython.cast(list, value)[i]
            if PyBytes_CheckExact(item):
                size += PyBytes_GET_SIZE(item)
            elif item is None:
                item = False
            elif type(item) is float:
                item = double_text(item)
            elif type(item) is not int or not -2**63 <= item < 2**63:
                break
            flat.append(item)
        else:
            size += 40 * n
            if n <= most:
                return tuple(flat), None, size
            del flat[:2]
            return (None, 5), flat, size
    layout = bytearray()
    values: list = []
    node_to_lua(value, resp, layout, values)
    if layout == b"v":
        return values[0], None, 0
    if layout == b"n":
        return NIL_ANSWER
    if layout == b"o":
        return (None, 1, values[0]), None, 0
    if layout == b"e":
        return (None, 0, values[0]), None, 0
    return (None, 4, bytes(layout)), values, sum([len(item) for item in values if PyBytes_CheckExact(item)]) + 40 * len(values)


@cython.cfunc
@cython.exceptval(-1)
def node_to_lua(value, resp: cython.int, layout: bytearray, values: list) -> cython.int:
    """Appends a value, in pre-order, as lua/replies.lua reads it."""
    two: cython.bint = resp == 2
    kind = type(value)
    if kind is bytes:
        return leaf(b"v", value, layout, values)
    if kind is int:
        return leaf(b"v", value if -2**63 <= value < 2**63 else b"%d" % value, layout, values)
    if value is None or value is NULL_ARRAY:
        if two:
            return leaf(b"v", False, layout, values)
        layout += b"n"
    elif kind is list or kind is tuple:
        sequence_to_lua(b"a", value, resp, layout, values)
    elif kind is float:
        return leaf(b"v", double_text(value), layout, values) if two else leaf(b"d", value, layout, values)
    elif kind is bool:
        return leaf(b"v", int(value) if two else value, layout, values)
    elif kind is Status:
        return leaf(b"o", value.text, layout, values)
    elif kind is str:
        return leaf(b"v", value.encode("utf-8", "surrogateescape"), layout, values)
    elif isinstance(value, ReplyError):
        return leaf(b"e", str(value).encode("utf-8", "surrogateescape"), layout, values)
    elif isinstance(value, dict):
        mapping_to_lua([part for pair in value.items() for part in pair], resp, layout, values)
    elif kind is Pairs:
        mapping_to_lua(value.items, resp, layout, values)
    elif kind is Members or isinstance(value, (set, frozenset)):
        members = value.items if kind is Members else list(value)
        sequence_to_lua(b"a" if two else b"s", members, resp, layout, values)
    elif kind is MemberScores or kind is FieldValues:
        items = value.items
        if not two:
            items = [items[i:i + 2] for i in range(0, len(items), 2)]
        sequence_to_lua(b"a", items, resp, layout, values)
    elif kind is Push:
        sequence_to_lua(b"a", value.items, resp, layout, values)
    elif kind is Verbatim:
        if two:
            return leaf(b"v", value.text, layout, values)
        layout += b"t"
        values.append(value.format)
        values.append(value.text)
    elif kind is LongDouble:
        if two:
            return leaf(b"v", (b"%.17f" % value.value).rstrip(b"0").rstrip(b"."), layout, values)
        return leaf(b"d", value.value, layout, values)
    elif kind is BigNumber:
        return leaf(b"v" if two else b"b", b"%d" % value.value, layout, values)
    elif kind is Attribute:
        return node_to_lua(value.reply, resp, layout, values)
    elif value is NO_REPLY or value is WAIT:
        layout += b"n"
    else:
        raise TypeError(f"no reply: {kind.__name__}")
    return 0


@cython.cfunc
@cython.exceptval(-1)
def leaf(mark: bytes, value, layout: bytearray, values: list) -> cython.int:
    layout += mark
    values.append(value)
    return 0


@cython.cfunc
@cython.exceptval(-1)
def sequence_to_lua(mark: bytes, items, resp: cython.int, layout: bytearray, values: list) -> cython.int:
    layout += mark
    values.append(len(items))
    for item in items:
        node_to_lua(item, resp, layout, values)
    return 0


@cython.cfunc
@cython.exceptval(-1)
def mapping_to_lua(items: list, resp: cython.int, layout: bytearray, values: list) -> cython.int:
    """Keys and values in turn."""
    place: cython.Py_ssize_t = len(values)
    sequence_to_lua(b"a" if resp == 2 else b"m", items, resp, layout, values)
    if resp != 2:
        values[place] = len(items) // 2
    return 0


# --- from Lua --------------------------------------------------------------------------------------------------------

@cython.cfunc
def integer_of(value):
    """A Lua number as an integer reply: cut towards zero; the least integer for what has none."""
    if type(value) is int:
        return value
    if -9223372036854775808.0 <= value < 9223372036854775808.0:
        return int(value)
    return LONG_MIN


@cython.final
@cython.cclass
class Nodes:
    """What is still to be read of a result."""

    layout: bytes
    values: tuple
    at: cython.Py_ssize_t
    taken: cython.Py_ssize_t
    resp: cython.int

    def __init__(self, layout, values, resp):
        self.layout = layout
        self.values = values
        self.resp = resp

    def take(self):
        self.taken += 1
        return self.values[self.taken - 1]

    def node(self):
        kind: cython.uchar = self.layout[self.at]
        self.at += 1
        if kind == b"v":
            value = self.take()
            if PyBytes_CheckExact(value):
                return value
            if value is True or value is False:
                if self.resp == 2:
                    return 1 if value is True else None
                return value
            return None if value is None else integer_of(value)
        if kind == b"n":
            return None
        if kind == b"a":
            return [self.node() for _ in range(self.take())]
        if kind == b"o":
            return Status(self.take())
        if kind == b"e" or kind == b"E":
            error = ReplyError(self.take().decode("utf-8", "surrogateescape"))
            error.counted = kind == b"E"
            return error
        if kind == b"d":
            return float(self.take())
        if kind == b"b":
            text = self.take()
            try:
                return BigNumber(int(text))
            except ValueError:
                return text.replace(b"\r", b" ").replace(b"\n", b" ")
        if kind == b"t":
            form = self.take()[:3].ljust(3)
            return Verbatim(self.take(), form)
        if kind == b"m":
            return Pairs([self.node() for _ in range(2 * self.take())])
        return Members([self.node() for _ in range(self.take())])


def reply_from_lua(layout, values, resp):
    """The reply that a script means, in base.replies' terms. `resp`: what it has set by redis.setresp."""
    return Nodes(layout, values, resp).node()
