# cython: language_level=3
"""Strings as arrays of bits. https://redis.io/docs/latest/commands/?group=bitmap"""
import cython
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.types.bits import Operation, combine, count_bits, find_bit, read_field, write_field
from cython.cimports.carnelian.types.table import INLINE, Entry, entry_kind, entry_value
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import int64_t, uint8_t, uint64_t

from carnelian.base.errors import NotInteger, ReplyError, SyntaxFault, WrongType
from carnelian.base.numbers import parse_integer
from carnelian.keyspace import DENYOOM, FAST, READONLY, WRITE, command

OPERATIONS = {b"AND": Operation.AND, b"OR": Operation.OR, b"XOR": Operation.XOR, b"NOT": Operation.NOT, b"DIFF": Operation.DIFF,
              b"DIFF1": Operation.DIFF1, b"ANDOR": Operation.ANDOR, b"ONE": Operation.ONE}
AGAINST_OTHERS = frozenset({b"DIFF", b"DIFF1", b"ANDOR"})


@cython.cfunc
def bit_offset(c: Call, text: bytes, width: cython.int = 0):
    """The offset of a bit. With a width, `#n` is the offset of the n-th field of that width."""
    try:
        if width and text.startswith(b"#"):
            offset = parse_integer(text[1:]) * width
            offset = (offset + 2**63) % 2**64 - 2**63   # the product is a signed 64-bit number in Redis
        else:
            offset = parse_integer(text)
    except NotInteger:
        offset = -1
    if offset < 0 or offset >> 3 >= c.session.reader.bulk_limit:
        raise ReplyError("ERR bit offset is not an integer or out of range")
    return offset


@cython.cfunc
@cython.exceptval(check=False)
def text_of(e: cython.pointer(Entry)) -> cython.pointer(uint8_t):
    return cython.cast(cython.pointer(uint8_t), entry_value(e))


@cython.cfunc
def string_entry(c: Call, key: bytes) -> cython.pointer(Entry):
    """The entry of a string (valid until the next change), NULL if it is missing; WrongType."""
    slot: cython.pointer(cython.pointer(Entry)) = c.find(key)
    if slot == cython.NULL:
        return cython.NULL
    if entry_kind(slot[0]) != INLINE:
        raise WrongType()
    return slot[0]


@command("SETBIT key offset value", WRITE | DENYOOM, since="2.2.0", group="bitmap", keys="RW ACCESS UPDATE",
         complexity="O(1)")
def setbit(c: Call, key: bytes, offset: bytes, value: bytes):
    """Set or clear one bit of a string, which grows as needed; gives the old bit."""
    at: int64_t = bit_offset(c, offset)
    if value != b"0" and value != b"1":
        raise ReplyError("ERR bit is not an integer or out of range")
    byte: int64_t = at >> 3
    mask: cython.int = 0x80 >> (at & 7)
    e: cython.pointer(Entry) = string_entry(c, key)
    grows: cython.bint = e == cython.NULL or e.value_length <= byte
    old: cython.int = 0 if grows else text_of(e)[byte]
    new: cython.int = old | mask if value == b"1" else old & ~mask
    c.overwrite(key, byte, bytes((new,)))
    if grows or new != old:
        c.changed(key, "setbit")
    return 1 if old & mask else 0


@command("GETBIT key offset", READONLY | FAST, since="2.2.0", group="bitmap", keys="RO ACCESS", complexity="O(1)")
def getbit(c: Call, key: bytes, offset: bytes):
    """Give one bit of a string; 0 beyond its end."""
    at: int64_t = bit_offset(c, offset)
    e: cython.pointer(Entry) = string_entry(c, key)
    if e == cython.NULL or at >> 3 >= e.value_length:
        return 0
    return text_of(e)[at >> 3] >> (7 - (at & 7)) & 1


@cython.cfunc
@cython.exceptval(-1)
def counts_bits(word: bytes) -> cython.int:
    """Whether a range is in bits, by its last word."""
    unit = word.upper()
    if unit == b"BIT":
        return True
    if unit != b"BYTE":
        raise SyntaxFault()
    return False


@cython.cfunc
@cython.exceptval(check=False)
def from_end(position: int64_t, size: int64_t) -> int64_t:
    return max(position + size, 0) if position < 0 else position


@command("BITCOUNT key [start end [BYTE | BIT]]", READONLY, since="2.6.0", group="bitmap", keys="RO ACCESS",
         complexity="O(N), N bytes of the range")
def bitcount(c: Call, key: bytes, *span: bytes):
    """Count the set bits of a string, or of a range of its bytes or bits."""
    start: int64_t = 0
    end: int64_t = -1
    in_bits: cython.bint = False
    if span:
        if len(span) == 1 or len(span) > 3:
            raise SyntaxFault()
        start = parse_integer(span[0])
        end = parse_integer(span[1])
        in_bits = len(span) == 3 and counts_bits(span[2])
    e: cython.pointer(Entry) = string_entry(c, key)
    if e == cython.NULL or (start < 0 and end < 0 and start > end):
        return 0
    size: int64_t = e.value_length
    if in_bits:
        size *= 8
    start = from_end(start, size)
    end = min(from_end(end, size), size - 1)
    if start > end:
        return 0
    if not in_bits:
        start *= 8
        end = end * 8 + 7
    return count_bits(text_of(e), start, end)


@command("BITPOS key bit [start [end [BYTE | BIT]]]", READONLY, since="2.8.7", group="bitmap", keys="RO ACCESS",
         complexity="O(N), N bytes of the range")
def bitpos(c: Call, key: bytes, bit: bytes, *span: bytes):
    """Find the first set or clear bit of a string, or of a range of its bytes or bits."""
    wanted = parse_integer(bit)
    start: int64_t = 0
    end: int64_t = -1
    in_bits: cython.bint = False
    if wanted != 0 and wanted != 1:
        raise ReplyError("ERR The bit argument must be 1 or 0.")
    if len(span) > 3:
        raise SyntaxFault()
    if span:
        start = parse_integer(span[0])
        in_bits = len(span) == 3 and counts_bits(span[2])
        if len(span) > 1:
            end = parse_integer(span[1])
    e: cython.pointer(Entry) = string_entry(c, key)
    if e == cython.NULL:
        return -1 if wanted else 0
    size: int64_t = e.value_length
    if in_bits:
        size *= 8
    start = from_end(start, size)
    end = min(from_end(end, size), size - 1)
    if start > end:
        return -1
    if not in_bits:
        start *= 8
        end = end * 8 + 7
    found: int64_t = find_bit(text_of(e), wanted, start, end)
    if found < 0 and not wanted and len(span) < 2:
        return end + 1                                  # zeros follow the string, unless the range has an end
    return found


@command("BITOP <AND | OR | XOR | NOT | DIFF | DIFF1 | ANDOR | ONE> destkey key [key ...]", WRITE | DENYOOM, since="2.6.0",
         group="bitmap", keys="OW UPDATE, RO ACCESS", complexity="O(N), N bytes of the longest string")
def bitop(c: Call, operation: bytes, destkey: bytes, *keys: bytes):
    """Store the bitwise combination of strings, as long as the longest; missing ones count as zeros."""
    chosen = OPERATIONS.get(operation.upper())
    if chosen is None:
        raise SyntaxFault()
    if chosen == Operation.NOT and len(keys) != 1:
        raise ReplyError("ERR BITOP NOT must be called with a single source key.")
    if len(keys) == 1 and operation.upper() in AGAINST_OTHERS:
        raise ReplyError(f"ERR BITOP {operation.upper().decode()} must be called with at least two source keys.")
    c.reading = True
    sources = []
    for key in keys:
        source = c.string_at(key)
        sources.append(b"" if source is None else source)
    c.reading = False
    result = combine(chosen, sources)
    if result:
        c.set_string(destkey, b"")
        c.overwrite(destkey, 0, result)
        c.changed(destkey, "set")
    elif c.delete(destkey):
        c.changed(destkey, "del")
    return len(result)


# --- bit fields ----------------------------------------------------------------------------------------------------

@cython.final
@cython.cclass
class FieldOperation:
    """One operation of BITFIELD: GET, SET or INCRBY of the integer in `width` bits at a bit offset."""
    name: bytes
    signed: cython.bint
    width: cython.int
    offset: uint64_t
    number: int64_t                                     # SET's value, INCRBY's increment
    overflow: bytes                                     # WRAP, SAT or FAIL


@cython.cfunc
@cython.exceptval(-1)
def field_width(encoding: bytes) -> cython.int:
    """The bits of an encoding: i1 to i64, u1 to u63."""
    try:
        width = parse_integer(encoding[1:])
    except NotInteger:
        width = 0
    if encoding[:1] not in (b"i", b"u") or not 1 <= width <= (64 if encoding[:1] == b"i" else 63):
        raise ReplyError("ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.")
    return width


@cython.cfunc
def field_operations(c: Call, words: tuple) -> list:
    operations: list = []
    overflow: bytes = b"WRAP"
    i: cython.Py_ssize_t = 0
    left: cython.Py_ssize_t
    while i < len(words):
        name: bytes = cython.cast(bytes, words[i]).upper()
        left = len(words) - i - 1
        if name == b"OVERFLOW" and left >= 1:
            overflow = cython.cast(bytes, words[i + 1]).upper()
            if overflow not in (b"WRAP", b"SAT", b"FAIL"):
                raise ReplyError("ERR Invalid OVERFLOW type specified")
            i += 2
            continue
        if not (name == b"GET" and left >= 2 or (name == b"SET" or name == b"INCRBY") and left >= 3):
            raise SyntaxFault()
        operation = FieldOperation()
        operation.name = name
        operation.overflow = overflow
        operation.width = field_width(words[i + 1])
        operation.signed = words[i + 1][:1] == b"i"
        operation.offset = bit_offset(c, words[i + 2], operation.width)
        i += 3
        if name != b"GET":
            operation.number = parse_integer(words[i])
            i += 1
        operations.append(operation)
    return operations


@cython.cfunc
def fitted(operation: FieldOperation, old):
    """What a SET or INCRBY leaves in the field: an integer within its range, or None where the overflow is to fail."""
    amount: object = operation.number                   # Python's integers: the sums may take 65 bits
    width: object = operation.width
    largest: object = (1 << (width - 1)) - 1 if operation.signed else (1 << width) - 1
    smallest: object = -largest - 1 if operation.signed else 0
    if operation.name == b"INCRBY":
        number = old + amount
        above = number > largest
    elif operation.signed:
        number = amount
        # Redis compares in 64 bits: the distance from a number far below to the largest one wraps around.
        above = number > largest or (width < 64 and largest - number >= 2**63)
    else:
        number = amount % 2**64                         # a negative one is a large unsigned one
        above = number > largest
    if not above and number >= smallest:
        return number
    if operation.overflow == b"FAIL":
        return None
    if operation.overflow == b"SAT":
        return largest if above else smallest
    number &= (1 << width) - 1
    return number - (1 << width) if number > largest else number


@cython.cfunc
def field_at(e: cython.pointer(Entry), operation: FieldOperation):
    """The integer of a field."""
    number: uint64_t = 0
    if e != cython.NULL:
        number = read_field(text_of(e), e.value_length, operation.offset, operation.width)
    if operation.signed:                                # the sign is the field's first bit
        unused: cython.int = 64 - operation.width
        return cython.cast(int64_t, number << unused) >> unused
    return number


@cython.cfunc
def store_field(c: Call, key: bytes, e: cython.pointer(Entry), operation: FieldOperation, number):
    """Writes an integer to its field, which lies within the string."""
    window: uint8_t[9]
    first: uint64_t = operation.offset >> 3
    n: cython.int = ((operation.offset & 7) + operation.width + 7) >> 3
    i: cython.int
    for i in range(n):
        window[i] = text_of(e)[first + i]
    write_field(window, operation.offset & 7, operation.width, number % 2**64)
    c.overwrite(key, first, cython.cast(cython.p_char, window)[:n])


@command("BITFIELD key [GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] <SET encoding offset value | "
         "INCRBY encoding offset increment> [GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] "
         "<SET encoding offset value | INCRBY encoding offset increment> ...]]", WRITE | DENYOOM, since="3.2.0",
         group="bitmap", keys="RW ACCESS UPDATE VARIABLE_FLAGS", complexity="O(1) for each operation")
def bitfield(c: Call, key: bytes, *words: bytes):
    """Read, set and increment integers of any width at any bit of a string."""
    operations = field_operations(c, words)
    operation: FieldOperation
    size: int64_t = 0
    changes: int64_t = 0
    e: cython.pointer(Entry)
    slot: cython.pointer(cython.pointer(Entry))
    for operation in operations:
        if operation.name != b"GET":
            size = max(size, cython.cast(int64_t, (operation.offset + operation.width + 7) >> 3))
    c.reading = size == 0
    e = string_entry(c, key)
    if size == 0:
        return [field_at(e, operation) for operation in operations]
    grows: cython.bint = e == cython.NULL or e.value_length < size
    if grows:
        c.overwrite(key, size, b"")
    replies: list = []
    for operation in operations:
        slot = c.db.peek(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        old = field_at(slot[0], operation)
        if operation.name == b"GET":
            replies.append(old)
            continue
        new = fitted(operation, old)
        if new is None:
            replies.append(None)
            continue
        store_field(c, key, slot[0], operation, new)
        if grows or new != old:
            changes += 1
        replies.append(old if operation.name == b"SET" else new)
    if changes:
        c.changed(key, "setbit", changes)
    return replies


@command("BITFIELD_RO key [GET encoding offset [GET encoding offset ...]]", READONLY | FAST, since="6.0.0", group="bitmap",
         keys="RO ACCESS", complexity="O(1) for each operation")
def bitfield_ro(c: Call, key: bytes, *words: bytes):
    """Read integers of any width at any bit of a string."""
    operations = field_operations(c, words)
    operation: FieldOperation
    for operation in operations:
        if operation.name != b"GET":
            raise ReplyError("ERR BITFIELD_RO only supports the GET subcommand")
    e: cython.pointer(Entry) = string_entry(c, key)
    return [field_at(e, operation) for operation in operations]
