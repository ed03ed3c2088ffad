"""What a command's body may return beyond plain Python values.

    bytes, str      bulk string                     int             integer
    float           double (RESP2: bulk string)     None            null
    bool            boolean (RESP2: 1 or 0)         list, tuple     array
    dict            map (RESP2: flat array)         set, frozenset  set (RESP2: array)
    ReplyError      error, as an element of an array

and the marks below. https://redis.io/docs/latest/develop/reference/protocol-spec/
"""


class Status:
    """A simple string: `+text`. Use the constants where one exists."""

    __slots__ = ("text",)

    def __init__(self, text: bytes):
        self.text = text

    def __repr__(self):
        return f"Status({self.text!r})"

    def __eq__(self, other):
        return isinstance(other, Status) and other.text == self.text

    def __hash__(self):
        return hash(self.text)


OK = Status(b"OK")
QUEUED = Status(b"QUEUED")
PONG = Status(b"PONG")


class Mark:
    """A reply that is one of a kind."""

    __slots__ = ("name",)

    def __init__(self, name: str):
        self.name = name

    def __repr__(self):
        return self.name


NULL_ARRAY = Mark("NULL_ARRAY")     # RESP2 `*-1`, RESP3 `_`
NO_REPLY = Mark("NO_REPLY")         # the body has written what is to be said, or there is nothing to say
WAIT = Mark("WAIT")                 # the client is parked: see Call.wait


class Pairs:
    """A map given as a flat list `[key, value, key, value]`: keeps order and duplicates. RESP3 map, RESP2 flat array."""

    __slots__ = ("items",)

    def __init__(self, items: list):
        self.items = items


class MemberScores:
    """Members with scores as a flat list `[member, score, ...]` (bytes, float).

    RESP2: a flat array with the scores as bulk strings. RESP3: an array of `[member, double]` pairs.
    """

    __slots__ = ("items",)

    def __init__(self, items: list):
        self.items = items


class Members:
    """A set given as a list of distinct elements: keeps order, hashes nothing. RESP3 set, RESP2 array."""

    __slots__ = ("items",)

    def __init__(self, items: list):
        self.items = items


class FieldValues:
    """Fields with values as a flat list `[field, value, ...]`. RESP2: a flat array. RESP3: an array of `[field, value]`."""

    __slots__ = ("items",)

    def __init__(self, items: list):
        self.items = items


class Push:
    """An out-of-band message (RESP3 push, RESP2 array)."""

    __slots__ = ("items",)

    def __init__(self, items: list):
        self.items = items


class Verbatim:
    """RESP3 verbatim string with a three-letter format; RESP2 bulk string."""

    __slots__ = ("text", "format")

    def __init__(self, text: bytes, format: bytes = b"txt"):
        self.text = text
        self.format = format


class LongDouble:
    """A double shown with up to 17 digits after the point (a coordinate), not in the shortest form. RESP2: a bulk string."""

    __slots__ = ("value",)

    def __init__(self, value: float):
        self.value = value


class BigNumber:
    """RESP3 big number; RESP2 bulk string of its digits."""

    __slots__ = ("value",)

    def __init__(self, value: int):
        self.value = value


class Attribute:
    """RESP3 attributes (a dict) before a reply; RESP2 gets the reply alone."""

    __slots__ = ("attributes", "reply")

    def __init__(self, attributes: dict, reply):
        self.attributes = attributes
        self.reply = reply
