# cython: language_level=3
"""Stream IDs as arguments: `ms-seq`, `ms`, `-`, `+`, `(` before an exclusive one.

An ID is a tuple (milliseconds, sequence) of unsigned 64-bit numbers, which compare as the stream orders them.
https://redis.io/docs/latest/develop/data-types/streams/#entry-ids
"""
import re

import cython
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE

from carnelian.base.errors import ReplyError, shown
from carnelian.base.numbers import parse_integer

HIGHEST = 0xFFFFFFFFFFFFFFFF
LOWEST_ID = (0, 0)
HIGHEST_ID = (HIGHEST, HIGHEST)

# What C's strtoull takes, which is what a number goes through that is not written in the canonical form.
LENIENT = re.compile(rb"[ \t\n\v\f\r]*([+-]?)([0-9]+)")


class InvalidID(ReplyError):
    text = "ERR Invalid stream ID specified as stream command argument"


@cython.cfunc
def unsigned(text: bytes):
    """An unsigned 64-bit number as Redis reads one; None if the text is none."""
    n: cython.Py_ssize_t = PyBytes_GET_SIZE(text)
    p: cython.p_char = PyBytes_AS_STRING(text)
    i: cython.Py_ssize_t
    number: cython.ulonglong = 0
    if 0 < n < 19 and p[0] != b"0":
        for i in range(n):
            if not b"0" <= p[i] <= b"9":
                break
            number = 10 * number + cython.cast(cython.int, p[i] - 48)
        else:
            return number
    match = LENIENT.fullmatch(text)
    if match is None:
        return None
    value = int(match[2])
    if value > HIGHEST:
        return None
    if match[1] == b"-":
        if text == b"-%d" % value and value <= 2**63:   # a negative number in the canonical form
            return None
        value = -value & HIGHEST
    return value


@cython.cfunc
def split(text: bytes, missing: object, automatic: cython.bint):
    """(milliseconds, sequence); None if the text is no ID. `automatic` allows `ms-*`: the sequence is None then."""
    if PyBytes_GET_SIZE(text) > 127:
        return None
    head, dash, tail = text.partition(b"\0")[0].partition(b"-")
    ms = unsigned(head)
    if ms is None:
        return None
    if not dash:
        return ms, missing
    if automatic and tail == b"*":
        return ms, None
    seq = unsigned(tail)
    return None if seq is None else (ms, seq)


def parse_id(text: bytes, missing: int = 0):
    """A complete ID, `missing` being the sequence of one without; InvalidID. `-` and `+` are none."""
    id = split(text, missing, False)
    if id is None:
        raise InvalidID()
    return id


def parse_id_or_none(text: bytes):
    """A complete ID, or None."""
    return split(text, 0, False)


def parse_new_id(text: bytes):
    """XADD's ID: `ms-*` gives (ms, None)."""
    id = split(text, 0, True)
    if id is None:
        raise InvalidID()
    return id


def parse_bound(text: bytes, missing: int):
    """`-`, `+` or an ID."""
    if text == b"-":
        return LOWEST_ID
    if text == b"+":
        return HIGHEST_ID
    return parse_id(text, missing)


def parse_start(text: bytes):
    """The first ID of an interval; `(` before it excludes it."""
    if len(text) > 1 and text[0] == 40:
        id = after(parse_id(text[1:]))
        if id is None:
            raise ReplyError("ERR invalid start ID for the interval")
        return id
    return parse_bound(text, 0)


def parse_end(text: bytes):
    """The last ID of an interval; `(` before it excludes it."""
    if len(text) > 1 and text[0] == 40:
        ms, seq = parse_id(text[1:], HIGHEST)
        if seq > 0:
            return ms, seq - 1
        if ms > 0:
            return ms - 1, HIGHEST
        raise ReplyError("ERR invalid end ID for the interval")
    return parse_bound(text, HIGHEST)


def after(id):
    """The ID that follows, or None after the highest."""
    ms, seq = id
    if seq < HIGHEST:
        return ms, seq + 1
    return (ms + 1, 0) if ms < HIGHEST else None


def id_text(id) -> bytes:
    return b"%d-%d" % id


def integer_or(text: bytes, message: str) -> int:
    """A signed 64-bit integer; the error's text otherwise."""
    try:
        return parse_integer(text)
    except ReplyError:
        raise ReplyError(message) from None
