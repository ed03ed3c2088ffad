# cython: language_level=3
"""Strings: bytes, counters, and what both have in common. https://redis.io/docs/latest/commands/?group=string"""
import cython
from cython.cimports.carnelian.base.memory import allocate, release
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.types.table import INLINE, Entry, entry_kind, entry_value
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import int64_t, uint32_t
from cython.cimports.libc.string import memset

from carnelian.base.errors import NotInteger, ReplyError, StringTooLong, SyntaxFault, WrongArity, WrongType
from carnelian.base.numbers import add_long_double, parse_integer
from carnelian.base.replies import OK
from carnelian.commands.expire import ABSOLUTE, expiry_time
from carnelian.commands.string_compare import CONDITIONS, check_operand, holds
from carnelian.keyspace import DENYOOM, FAST, READONLY, WRITE, command

SMALLEST = -2**63
LARGEST = 2**63 - 1

SET_FLAGS = frozenset({b"NX", b"XX", b"GET", b"KEEPTTL"}) | CONDITIONS
MSETEX_FLAGS = frozenset({b"NX", b"XX", b"KEEPTTL"})
GETEX_FLAGS = frozenset({b"PERSIST"})
UNITS = frozenset({b"EX", b"PX", b"EXAT", b"PXAT"})


@cython.cfunc
def read_options(options: tuple, allowed: frozenset) -> tuple:
    """The options of SET and its like: (the plain ones as a set, the unit of an expiry, its amount, IFEQ or another condition,
    what that compares with); None for what is not given.

    `allowed` are the plain ones and the conditions that the word knows. SyntaxFault; giving the same option twice is none.
    """
    given: set = set()
    unit: bytes = None
    amount: bytes = None
    condition: bytes = None
    operand: bytes = None
    i: cython.Py_ssize_t = 0
    while i < len(options):
        word: bytes = cython.cast(bytes, options[i]).upper()
        i += 1
        if word in UNITS:
            if i == len(options) or (unit is not None and unit != word) or b"KEEPTTL" in given or b"PERSIST" in given:
                raise SyntaxFault()
            unit = word
            amount = options[i]
            i += 1
        elif word in allowed:
            if unit is not None and (word == b"KEEPTTL" or word == b"PERSIST"):
                raise SyntaxFault()
            if word in CONDITIONS:
                if i == len(options) or condition is not None:
                    raise SyntaxFault()
                condition = word
                operand = options[i]
                i += 1
            else:
                given.add(word)
        else:
            raise SyntaxFault()
    if (b"NX" in given) + (b"XX" in given) + (condition is not None) > 1:
        raise SyntaxFault()
    if condition is not None:
        check_operand(condition, operand)
    return given, unit, amount, condition, operand


# --- setting -------------------------------------------------------------------------------------------------------

@command("SET key value [NX | XX | IFEQ ifeq-value | IFNE ifne-value | IFDEQ ifdeq-digest | IFDNE ifdne-digest] [GET] "
         "[EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]",
         WRITE | DENYOOM, since="1.0.0", group="string",
         keys="RW ACCESS UPDATE VARIABLE_FLAGS", complexity="O(1)")
def set_(c: Call, key: bytes, value: bytes, *options: bytes):
    """Store a string under a key, whatever was there before; on conditions, with an expiry, giving back the old one."""
    if not options:
        c.set_string(key, value)
        c.changed(key, "set")
        return OK
    given, unit, amount, condition, operand = read_options(options, SET_FLAGS)
    at = expiry_time(c.now, "set", unit, amount) if unit is not None else None
    get = b"GET" in given
    current = c.string_at(key) if get or condition is not None else None
    old = current if get else None
    if (b"NX" in given and c.exists(key)) or (b"XX" in given and not c.exists(key)) \
            or (condition is not None and not holds(condition, operand, current)):
        return old
    c.set_string(key, value, b"KEEPTTL" in given)
    if at is not None:
        c.expire(key, at)
        c.propagate(b"SET", key, value, b"PXAT", b"%d" % at)
    elif condition is not None:
        # It has held: whoever loads this need not know the word.
        c.propagate(b"SET", key, value, *((b"KEEPTTL",) if b"KEEPTTL" in given else ()))
    elif get:
        c.propagate(b"SET", key, value, *[word for word in options if word.upper() != b"GET"])
    c.changed(key, "set")
    if at is not None:
        c.notify("expire", key)
    return old if get else OK


@command("SETNX key value", WRITE | DENYOOM | FAST, since="1.0.0", group="string", keys="OW INSERT", complexity="O(1)")
def setnx(c: Call, key: bytes, value: bytes):
    """Store a string only if the key is not there."""
    if c.exists(key):
        return 0
    c.set_string(key, value)
    c.changed(key, "set")
    return 1


@cython.cfunc
def set_for_a_time(c: Call, name: str, key: bytes, unit: bytes, amount: bytes, value: bytes):
    at = expiry_time(c.now, name, unit, amount)
    c.set_string(key, value)
    c.expire(key, at)
    c.propagate(b"SET", key, value, b"PXAT", b"%d" % at)
    c.changed(key, "set")
    c.notify("expire", key)
    return OK


@command("SETEX key seconds value", WRITE | DENYOOM, since="2.0.0", group="string", keys="OW UPDATE", complexity="O(1)")
def setex(c: Call, key: bytes, seconds: bytes, value: bytes):
    """Store a string that expires after a number of seconds."""
    return set_for_a_time(c, "setex", key, b"EX", seconds, value)


@command("PSETEX key milliseconds value", WRITE | DENYOOM, since="2.6.0", group="string", keys="OW UPDATE",
         complexity="O(1)")
def psetex(c: Call, key: bytes, milliseconds: bytes, value: bytes):
    """Store a string that expires after a number of milliseconds."""
    return set_for_a_time(c, "psetex", key, b"PX", milliseconds, value)


@command("GETSET key value", WRITE | DENYOOM | FAST, since="1.0.0", group="string", keys="RW ACCESS UPDATE",
         complexity="O(1)")
def getset(c: Call, key: bytes, value: bytes):
    """Store a string and give back the one that was there."""
    old = c.string_at(key)
    c.set_string(key, value)
    c.propagate(b"SET", key, value)
    c.changed(key, "set")
    return old


@command("MSET key value [key value ...]", WRITE | DENYOOM, since="1.0.1", group="string", keys="OW UPDATE",
         complexity="O(N), N keys")
def mset(c: Call, *pairs: bytes):
    """Store several strings at once."""
    i: cython.Py_ssize_t
    if len(pairs) & 1:
        raise WrongArity("mset")
    for i in range(0, len(pairs), 2):
        c.set_string(pairs[i], pairs[i + 1])
        c.changed(pairs[i], "set")
    return OK


@command("MSETNX key value [key value ...]", WRITE | DENYOOM, since="1.0.1", group="string", keys="OW INSERT",
         complexity="O(N), N keys")
def msetnx(c: Call, *pairs: bytes):
    """Store several strings at once, all or none: only if no key is there yet."""
    i: cython.Py_ssize_t
    if len(pairs) & 1:
        raise WrongArity("msetnx")
    for i in range(0, len(pairs), 2):
        if c.exists(pairs[i]):
            return 0
    for i in range(0, len(pairs), 2):
        c.set_string(pairs[i], pairs[i + 1])
        c.changed(pairs[i], "set")
    return 1


@command("MSETEX numkeys key value [key value ...] [NX | XX] [EX seconds | PX milliseconds | EXAT unix-time-seconds | "
         "PXAT unix-time-milliseconds | KEEPTTL]", WRITE | DENYOOM, since="8.4.0", group="string", keys="OW UPDATE",
         complexity="O(N), N keys")
def msetex(c: Call, numkeys: bytes, *arguments: bytes):
    """Store several strings at once, all or none, on conditions, with an expiry that they share."""
    i: cython.Py_ssize_t
    try:
        count = parse_integer(numkeys)
    except NotInteger:
        count = 0
    if not 1 <= count < 2**31:
        raise ReplyError("ERR invalid numkeys value")
    if 2 * count > len(arguments):
        raise ReplyError("ERR wrong number of key-value pairs")
    pairs = arguments[:2 * count]
    given, unit, amount, _, _ = read_options(arguments[2 * count:], MSETEX_FLAGS)
    at = expiry_time(c.now, "msetex", unit, amount) if unit is not None else None
    for i in range(0, len(pairs), 2):
        if (b"NX" in given and c.exists(pairs[i])) or (b"XX" in given and not c.exists(pairs[i])):
            return 0
    keep = b"KEEPTTL" in given
    if at is None and not keep:
        c.propagate(b"MSET", *pairs)
    for i in range(0, len(pairs), 2):
        c.set_string(pairs[i], pairs[i + 1], keep)
        if at is not None:
            c.expire(pairs[i], at)
            c.propagate(b"SET", pairs[i], pairs[i + 1], b"PXAT", b"%d" % at)
        elif keep:
            c.propagate(b"SET", pairs[i], pairs[i + 1], b"KEEPTTL")
        c.changed(pairs[i], "set")
        if at is not None:
            c.notify("expire", pairs[i])
    return 1


# --- getting -------------------------------------------------------------------------------------------------------

@command("GET key", READONLY | FAST, since="1.0.0", group="string", keys="RO ACCESS", complexity="O(1)")
def get(c: Call, key: bytes):
    """Give the string of a key."""
    return c.string_at(key)


@command("MGET key [key ...]", READONLY | FAST, since="1.0.0", group="string", keys="RO ACCESS", complexity="O(N), N keys")
def mget(c: Call, *keys: bytes):
    """Give the strings of several keys; null where there is none, or something else."""
    found = []
    for key in keys:
        e: cython.pointer(Entry) = entry_of(c, key)
        if e == cython.NULL or entry_kind(e) != INLINE:
            found.append(None)
        else:
            found.append(PyBytes_FromStringAndSize(entry_value(e), e.value_length))
    return found


@command("GETEX key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]",
         WRITE | FAST, since="6.2.0", group="string", keys="RW ACCESS UPDATE", complexity="O(1)")
def getex(c: Call, key: bytes, *options: bytes):
    """Give the string of a key, and change or remove its expiry."""
    given, unit, amount, _, _ = read_options(options, GETEX_FLAGS)
    value = c.string_at(key)
    if value is None:
        return None
    if unit is not None:
        at = expiry_time(c.now, "getex", unit, amount)
        if unit in ABSOLUTE and at <= c.now:
            c.delete(key)
            c.propagate(b"DEL", key)
            c.changed(key, "del")
        else:
            c.expire(key, at)
            c.propagate(b"PEXPIREAT", key, b"%d" % at)
            c.changed(key, "expire")
    elif b"PERSIST" in given and c.persist(key):
        c.propagate(b"PERSIST", key)
        c.changed(key, "persist")
    return value


@command("GETDEL key", WRITE | FAST, since="6.2.0", group="string", keys="RW ACCESS DELETE", complexity="O(1)")
def getdel(c: Call, key: bytes):
    """Give the string of a key, and delete the key."""
    value = c.string_at(key)
    if value is not None:
        c.delete(key)
        c.propagate(b"DEL", key)
        c.changed(key, "del")
    return value


@command("STRLEN key", READONLY | FAST, since="2.2.0", group="string", keys="RO", complexity="O(1)")
def strlen(c: Call, key: bytes):
    """Give the length of a string in bytes."""
    return c.string_length(key)


@cython.cfunc
@cython.exceptval(check=False)
def entry_of(c: Call, key: bytes) -> cython.pointer(Entry):
    """The entry of a key (valid until the next change), NULL if it is missing."""
    slot: cython.pointer(cython.pointer(Entry)) = c.find(key)
    return cython.NULL if slot == cython.NULL else slot[0]


@command("GETRANGE key start end", READONLY, since="2.4.0", group="string", keys="RO ACCESS",
         complexity="O(N), N bytes of the result")
def getrange(c: Call, key: bytes, start: bytes, end: bytes):
    """Give a part of a string, by the positions of its first and last byte; negative ones count from the end."""
    first: int64_t = parse_integer(start)
    last: int64_t = parse_integer(end)
    length: int64_t
    e: cython.pointer(Entry) = entry_of(c, key)
    if e == cython.NULL:
        return b""
    if entry_kind(e) != INLINE:
        raise WrongType()
    length = e.value_length
    if first < 0 and last < 0 and first > last:
        return b""
    if first < 0:
        first = max(first + length, 0)
    if last < 0:
        last = max(last + length, 0)
    last = min(last, length - 1)
    if first > last:
        return b""
    return PyBytes_FromStringAndSize(entry_value(e) + first, last - first + 1)


@command("SUBSTR key start end", READONLY, since="1.0.0", group="string", keys="RO ACCESS",
         complexity="O(N), N bytes of the result")
def substr(c: Call, key: bytes, start: bytes, end: bytes):
    """Give a part of a string: GETRANGE's older name."""
    return getrange(c, key, start, end)


# --- changing in place ---------------------------------------------------------------------------------------------

@command("APPEND key value", WRITE | DENYOOM | FAST, since="2.0.0", group="string", keys="RW INSERT",
         complexity="O(1) for each byte added")
def append(c: Call, key: bytes, value: bytes):
    """Add bytes at the end of a string, which is made if it is missing."""
    length = c.string_length(key)
    if length + len(value) > c.session.reader.bulk_limit:
        raise StringTooLong()
    if length or c.exists(key):
        length = c.overwrite(key, length, value)
    else:
        c.set_string(key, value)
        length = len(value)
    c.changed(key, "append")
    return length


@command("SETRANGE key offset value", WRITE | DENYOOM, since="2.2.0", group="string", keys="RW UPDATE",
         complexity="O(N), N bytes written")
def setrange(c: Call, key: bytes, offset: bytes, value: bytes):
    """Overwrite a part of a string from an offset on; zero bytes fill what lies before it."""
    start = parse_integer(offset)
    if start < 0:
        raise ReplyError("ERR offset is out of range")
    length = c.string_length(key)
    if not value:
        return length
    if start + len(value) > c.session.reader.bulk_limit:
        raise StringTooLong()
    length = c.overwrite(key, start, value)
    c.changed(key, "setrange")
    return length


# --- counters ------------------------------------------------------------------------------------------------------

@cython.cfunc
def add(c: Call, key: bytes, amount):
    text = c.string_at(key)
    number = amount if text is None else parse_integer(text) + amount
    if not SMALLEST <= number <= LARGEST:
        raise ReplyError("ERR increment or decrement would overflow")
    c.set_string(key, b"%d" % number, True)
    c.changed(key, "incrby")
    return number


@command("INCR key", WRITE | DENYOOM | FAST, since="1.0.0", group="string", keys="RW ACCESS UPDATE", complexity="O(1)")
def incr(c: Call, key: bytes):
    """Add one to the integer of a key; a missing one counts as 0."""
    return add(c, key, 1)


@command("DECR key", WRITE | DENYOOM | FAST, since="1.0.0", group="string", keys="RW ACCESS UPDATE", complexity="O(1)")
def decr(c: Call, key: bytes):
    """Take one from the integer of a key; a missing one counts as 0."""
    return add(c, key, -1)


@command("INCRBY key increment", WRITE | DENYOOM | FAST, since="1.0.0", group="string", keys="RW ACCESS UPDATE",
         complexity="O(1)")
def incrby(c: Call, key: bytes, increment: bytes):
    """Add to the integer of a key; a missing one counts as 0."""
    return add(c, key, parse_integer(increment))


@command("DECRBY key decrement", WRITE | DENYOOM | FAST, since="1.0.0", group="string", keys="RW ACCESS UPDATE",
         complexity="O(1)")
def decrby(c: Call, key: bytes, decrement: bytes):
    """Take from the integer of a key; a missing one counts as 0."""
    amount = parse_integer(decrement)
    if amount == SMALLEST:
        raise ReplyError("ERR decrement would overflow")
    return add(c, key, -amount)


@command("INCRBYFLOAT key increment", WRITE | DENYOOM | FAST, since="2.6.0", group="string", keys="RW ACCESS UPDATE",
         complexity="O(1)")
def incrbyfloat(c: Call, key: bytes, increment: bytes):
    """Add to the number of a key, with its fraction; a missing one counts as 0."""
    text = c.string_at(key)
    number = add_long_double(b"0" if text is None else text, increment)
    c.set_string(key, number, True)
    c.propagate(b"SET", key, number, b"KEEPTTL")
    c.changed(key, "incrbyfloat")
    return number


# --- comparing -----------------------------------------------------------------------------------------------------

@command("LCS key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]", READONLY, since="7.0.0", group="string",
         keys="RO ACCESS", complexity="O(N*M), N and M the lengths of the strings")
def lcs(c: Call, key1: bytes, key2: bytes, *options: bytes):
    """Find the longest common subsequence of two strings."""
    first = c.value_at(key1)
    second = c.value_at(key2)
    first = b"" if first is None else first
    second = b"" if second is None else second
    if not isinstance(first, bytes) or not isinstance(second, bytes):
        raise ReplyError("ERR The specified keys must contain string values")
    length_only = ranges = with_length = False
    shortest = 0
    i: cython.Py_ssize_t = 0
    while i < len(options):
        word = options[i].upper()
        i += 1
        if word == b"LEN":
            length_only = True
        elif word == b"IDX":
            ranges = True
        elif word == b"WITHMATCHLEN":
            with_length = True
        elif word == b"MINMATCHLEN" and i < len(options):
            shortest = max(parse_integer(options[i]), 0)
            i += 1
        else:
            raise SyntaxFault()
    if length_only and ranges:
        raise ReplyError("ERR If you want both the length and indexes, please just use IDX.")
    if 4 * (len(first) + 1) * (len(second) + 1) > c.session.reader.bulk_limit:
        raise ReplyError("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len")
    length, text, matches = longest_common(first, second, not length_only)
    if length_only:
        return length
    if not ranges:
        return text
    return {b"matches": [[[a, a + n - 1], [b, b + n - 1], n] if with_length else [[a, a + n - 1], [b, b + n - 1]]
                         for a, b, n in matches if n >= shortest], b"len": length}


@cython.cfunc
def longest_common(first: bytes, second: bytes, whole: cython.bint) -> tuple:
    """`(length, text, matches)`; matches are (start in first, start in second, length), from the last to the first.

    The textbook table: cell (i, j) is the length for the first i and the first j bytes. Walking back from its last
    cell, equal bytes belong to the subsequence, and else the larger neighbour is where it came from (the left one,
    j - 1, when they are equal: this choice shows in the reply).
    """
    n: cython.size_t = PyBytes_GET_SIZE(first)
    m: cython.size_t = PyBytes_GET_SIZE(second)
    a: cython.p_const_char = PyBytes_AS_STRING(first)
    b: cython.p_const_char = PyBytes_AS_STRING(second)
    width: cython.size_t = m + 1
    size: cython.size_t = (n + 1) * width * 4
    i: cython.size_t
    j: cython.size_t
    run: cython.size_t = 0              # length of the match under way
    length: uint32_t
    above: cython.pointer(uint32_t)
    row: cython.pointer(uint32_t)
    table: cython.pointer(uint32_t) = cython.cast(cython.pointer(uint32_t), allocate(size))
    try:
        memset(table, 0, width * 4)
        for i in range(1, n + 1):
            above = table + (i - 1) * width
            row = table + i * width
            row[0] = 0
            for j in range(1, m + 1):
                if a[i - 1] == b[j - 1]:
                    row[j] = above[j - 1] + 1
                else:
                    row[j] = max(above[j], row[j - 1])
        length = table[n * width + m]
        if not whole:
            return length, b"", []
        matches: list = []
        parts: list = []
        i = n
        j = m
        while i > 0 and j > 0:
            if a[i - 1] == b[j - 1]:
                i -= 1
                j -= 1
                run += 1
                if i > 0 and j > 0:
                    continue
            elif table[(i - 1) * width + j] > table[i * width + j - 1]:
                if run == 0:
                    i -= 1
                    continue
            elif run == 0:
                j -= 1
                continue
            # A match has ended: it lies at (i, j).
            matches.append((i, j, run))
            parts.append(first[i:i + run])
            run = 0
        parts.reverse()
        return length, b"".join(parts), matches
    finally:
        release(table, size)
