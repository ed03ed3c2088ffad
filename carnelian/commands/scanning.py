"""What SCAN, HSCAN, SSCAN and ZSCAN have in common: the cursor, MATCH and COUNT."""
import re

from carnelian.base.errors import ReplyError, SyntaxFault
from carnelian.base.numbers import parse_integer

CURSOR = re.compile(rb"([+-]?)([0-9]+)")


def parse_cursor(text: bytes) -> int:
    """A cursor as C's strtoul reads it: 64 bits, a minus wraps around, nothing is 0."""
    if not text:
        return 0
    match = CURSOR.fullmatch(text)
    number = int(match[2]) if match and len(text) < 100 else 2**64
    if number >= 2**64:
        raise ReplyError("ERR invalid cursor")
    return -number % 2**64 if match[1] == b"-" else number


def scan_options(options: tuple, with_type: bool = False) -> tuple:
    """`(pattern, count, type)` of `[MATCH pattern] [COUNT count] [TYPE type]`; the pattern is None where it matches all."""
    pattern = type = None
    count = 10
    given = iter(options)
    for option in given:
        word = option.upper()
        value = next(given, None)
        if value is None:
            raise SyntaxFault()
        if word == b"COUNT":
            count = parse_integer(value)
            if count < 1:
                raise SyntaxFault()
        elif word == b"MATCH":
            pattern = None if value == b"*" else value
        elif word == b"TYPE" and with_type:
            type = value.lower()
        else:
            raise SyntaxFault()
    return pattern, count, type


def without(options: tuple, flag: bytes) -> tuple:
    """The options, which have a value each, without a flag (in upper case) that has none; and whether it was among them."""
    rest = []
    at = 0
    while at < len(options):
        step = 1 if options[at].upper() == flag else 2
        if step == 2:
            rest += options[at:at + 2]
        at += step
    return tuple(rest), len(rest) < len(options)
