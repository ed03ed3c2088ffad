"""What is wrong with a JSON text, and where: in the words of the parser that RedisJSON uses, which clients show to people.

Called for texts that were refused, so it need not be fast; it goes over the text once, without recursion.
"""
import re

SPACE = re.compile(rb"[ \t\r\n]*")
PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
HEX = re.compile(rb"[0-9A-Fa-f]{4}")
NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")

END = "EOF while parsing a "


class Fault(Exception):
    """What is wrong, and the offset of the byte behind the wrong one."""

    def __init__(self, what: str, at: int):
        super().__init__(what, at)


def string_end(text: bytes, at: int) -> int:
    """The offset behind a string whose opening quote is before `at`."""
    while True:
        at = PLAIN.match(text, at).end()
        if at >= len(text):
            raise Fault(END + "string", at)
        if text[at] == 0x22:
            return at + 1
        if text[at] != 0x5C:
            raise Fault("control character (\\u0000-\\u001F) found while parsing a string", at + 1)
        at = escape_end(text, at + 1)


def escape_end(text: bytes, at: int) -> int:
    """The offset behind an escape whose backslash is before `at`; behind both of a pair of surrogates."""
    if at >= len(text):
        raise Fault(END + "string", at)
    if text[at] in b'"\\/bfnrt':
        return at + 1
    if text[at] != 0x75:
        raise Fault("invalid escape", at + 1)
    code = code_point(text, at + 1)
    at += 5
    if 0xDC00 <= code < 0xE000:
        raise Fault("lone leading surrogate in hex escape", at)
    if 0xD800 <= code < 0xDC00:
        if text[at:at + 2] != b"\\u":
            raise Fault("unexpected end of hex escape", min(at + 1, len(text)))
        if not 0xDC00 <= code_point(text, at + 2) < 0xE000:
            raise Fault("lone leading surrogate in hex escape", at + 6)
        at += 6
    return at


def code_point(text: bytes, at: int) -> int:
    match = HEX.match(text, at)
    if match is None:
        if at + 4 > len(text):
            raise Fault(END + "string", len(text))
        raise Fault("invalid escape", at + 4)
    return int(match[0], 16)


def number_end(text: bytes, at: int) -> int:
    match = NUMBER.match(text, at)
    if match is None:                               # a minus without a digit
        if at + 1 >= len(text):
            raise Fault(END + "value", len(text))
        raise Fault("invalid number", at + 2)
    end = match.end()
    following = text[end:end + 1]
    zero = match[0].lstrip(b"-") == b"0"
    if following.isdigit() and zero:
        raise Fault("invalid number", end + 1)
    if following in (b".", b"e", b"E") and following:
        end += 1
        if following != b"." and text[end:end + 1] in (b"+", b"-"):
            end += 1
        if end >= len(text):
            raise Fault(END + "value", len(text))
        raise Fault("invalid number", end + 1)
    if float(match[0]) in (float("inf"), float("-inf")):
        raise Fault("number out of range", end)
    return end


def word_end(text: bytes, at: int, word: bytes) -> int:
    for i, expected in enumerate(word):
        if at + i >= len(text):
            raise Fault(END + "value", len(text))
        if text[at + i] != expected:
            raise Fault("expected ident", at + i + 1)
    return at + len(word)


def check(text: bytes, deepest: int) -> None:
    """Raises Fault at the first thing that is wrong."""
    open_brackets = []
    at = 0
    state = "value"                                 # value, first (value or end), key, first key, next
    while True:
        at = SPACE.match(text, at).end()
        inside = open_brackets[-1] if open_brackets else None
        if state == "next" and inside is None:
            if at < len(text):
                raise Fault("trailing characters", at + 1)
            return
        if at >= len(text):
            if state == "value" and inside is None:
                raise Fault(END + "value", at)
            if state == "value" and inside == b"{" or state == "value" and text[:at].rstrip().endswith(b","):
                raise Fault(END + "value", at)
            raise Fault(END[:-2] + ("a list" if inside == b"[" else "an object"), at)
        byte = text[at:at + 1]
        if state == "next":
            if byte == b",":
                at += 1
                state = "value after comma" if inside == b"[" else "key"
                continue
            if byte == (b"]" if inside == b"[" else b"}"):
                open_brackets.pop()
                at += 1
                continue
            raise Fault("expected `,` or `]`" if inside == b"[" else "expected `,` or `}`", at + 1)
        if state in ("key", "first key"):
            if byte == b"}":
                if state == "key":
                    raise Fault("trailing comma", at + 1)
                open_brackets.pop()
                at += 1
                state = "next"
                continue
            if byte != b'"':
                raise Fault("key must be a string", at + 1)
            at = SPACE.match(text, string_end(text, at + 1)).end()
            if at >= len(text):
                raise Fault(END[:-2] + "an object", at)
            if text[at:at + 1] != b":":
                raise Fault("expected `:`", at + 1)
            at += 1
            state = "value"
            continue
        if byte == b"]" and inside == b"[" and state != "value":
            if state == "value after comma":
                raise Fault("trailing comma", at + 1)
            open_brackets.pop()
            at += 1
            state = "next"
        elif byte in (b"[", b"{"):
            open_brackets.append(byte)
            at += 1
            if len(open_brackets) > deepest:
                raise Fault("recursion limit exceeded", at)
            state = "first" if byte == b"[" else "first key"
        else:
            if byte == b'"':
                at = string_end(text, at + 1)
            elif byte in b"-0123456789":
                at = number_end(text, at)
            elif byte in b"tfn":
                at = word_end(text, at, {b"t": b"true", b"f": b"false", b"n": b"null"}[byte])
            else:
                raise Fault("expected value", at + 1)
            state = "next"


def fault_of(text: bytes, deepest: int) -> str:
    """`what at line L column C`. A column is a count of bytes, from 1; 0 before the first."""
    try:
        check(text, deepest)
    except Fault as fault:
        what, at = fault.args
    else:
        what, at = "expected value", len(text)      # refused for a reason of the reader's own
    line = text.count(b"\n", 0, max(at - 1, 0)) + 1
    column = at - (text.rfind(b"\n", 0, max(at - 1, 0)) + 1)
    return f"{what} at line {line} column {column}"
