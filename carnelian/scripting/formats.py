# cython: language_level=3, cdivision=True
"""MessagePack and JSON for Lua, in C: what cmsgpack and cjson do with a usual value of usual size.

Each function either gives true and the result or, for whatever is unusual (damaged text, deep tables, numbers that JSON
has not, texts over LONGEST), nothing at all: then the library's own Lua does it, which has the errors and which the hook sees.

These functions hold no reference and no memory: where Lua is out of memory, its error may leave them at any point.

https://github.com/msgpack/msgpack/blob/master/spec.md, https://www.rfc-editor.org/rfc/rfc8259
"""
import cython
from cython.cimports.carnelian.scripting.bridge import Bridge, lua
from cython.cimports.libc.math import floor, isfinite, signbit
from cython.cimports.libc.stdio import snprintf
from cython.cimports.libc.stdlib import strtod
from cython.cimports.libc.string import memcpy

NIL = cython.declare(cython.int, 0)                     # types of values
BOOLEAN = cython.declare(cython.int, 1)
NUMBER = cython.declare(cython.int, 3)
STRING = cython.declare(cython.int, 4)
TABLE = cython.declare(cython.int, 5)
USERDATA = cython.declare(cython.int, 7)
GLOBALS = cython.declare(cython.int, -10002)

# Bytes read or written in one call: the hook does not see what happens here.
LONGEST = cython.declare(cython.size_t, 65536)
# Levels of tables; cmsgpack packs those below 16 as nil.
DEEPEST = cython.declare(cython.int, 50)
DEEPEST_PACKED = cython.declare(cython.int, 16)

buffer = cython.declare(cython.uchar[65536])            # one thread at a time runs Lua, and nothing here runs it
out = cython.declare(Output)
HEX = cython.declare(cython.p_const_char, b"0123456789abcdef")


def quick_functions(bridge: Bridge, runtime) -> dict:
    """The functions by name, for `define` of libraries/support.py, in a LuaRuntime whose globals are still whole."""
    functions = {}
    number: cython.int
    for number, name in enumerate((b"unpack", b"pack", b"encode", b"decode")):
        lua.pushcclosure(bridge.state, msgpack_unpack if number == 0 else msgpack_pack if number == 1
                         else json_encode if number == 2 else json_decode, 0)
        lua.setfield(bridge.state, GLOBALS, b"crossing")
        functions[name] = runtime.globals()[b"crossing"]
    del runtime.globals()[b"crossing"]
    return functions


# --- cmsgpack --------------------------------------------------------------------------------------------------------

def msgpack_unpack(state):
    """(text): true and the value, if there is just one."""
    source: Input
    if lua.type(state, 1) != STRING:
        return 0
    source.state = state
    source.at = 0
    source.text = cython.cast(cython.pointer(cython.const[uint8_t]), lua.tolstring(state, 1, cython.address(source.size)))
    if source.size > LONGEST or not lua.checkstack(state, 3 * DEEPEST + 10):
        return 0
    lua.settop(state, 1)
    lua.pushboolean(state, 1)
    if not unpack_value(cython.address(source), 0) or source.at != source.size:
        return 0
    return 2


def big_endian(text, width):
    number: uint64_t = 0
    i: cython.size_t
    for i in range(width):
        number = number << 8 | text[i]
    return number


def unpack_value(source, depth):
    """Puts the next value on the stack; false if it can't."""
    state: cython.p_void = source.state
    first: uint8_t
    width: cython.size_t
    left: cython.size_t
    number: uint64_t = 0
    i: uint64_t
    bits: uint32_t
    single: cython.float
    double: cython.double
    kind: cython.int
    if source.at >= source.size:
        return False
    first = source.text[source.at]
    source.at += 1
    left = source.size - source.at
    if first < 0x80:
        lua.pushnumber(state, first)
        return True
    if first >= 0xE0:
        lua.pushnumber(state, cython.cast(cython.int, first) - 256)
        return True
    if first == 0xC0:
        lua.pushnil(state)
        return True
    if first == 0xC2 or first == 0xC3:
        lua.pushboolean(state, first == 0xC3)
        return True
    if 0xA0 <= first < 0xC0:
        number = first - 0xA0
        first = 0xD9
    elif first < 0x90:
        number = first - 0x80
        first = 0xDE
    elif first < 0xA0:
        number = first - 0x90
        first = 0xDC
    else:
        if first == 0xCC or first == 0xD0 or first == 0xD9:
            width = 1
        elif first == 0xCD or first == 0xD1 or first == 0xDA or first == 0xDC or first == 0xDE:
            width = 2
        elif first == 0xCA or first == 0xCE or first == 0xD2 or first == 0xDB or first == 0xDD or first == 0xDF:
            width = 4
        elif first == 0xCB or first == 0xCF or first == 0xD3:
            width = 8
        else:
            return False
        if left < width:
            return False
        number = big_endian(source.text + source.at, width)
        source.at += width
        left -= width
        if first == 0xCA:
            bits = cython.cast(uint32_t, number)
            memcpy(cython.address(single), cython.address(bits), 4)
            lua.pushnumber(state, single)
            return True
        if first == 0xCB:
            memcpy(cython.address(double), cython.address(number), 8)
            lua.pushnumber(state, double)
            return True
        if first == 0xCF or first == 0xD3:              # Redis takes both for signed
            lua.pushnumber(state, cython.cast(cython.double, cython.cast(int64_t, number)))
            return True
        if first <= 0xCE:
            lua.pushnumber(state, cython.cast(cython.double, number))
            return True
        if first <= 0xD2:
            double = cython.cast(cython.double, number)
            if number >> (8 * width - 1):
                double -= cython.cast(cython.double, cython.cast(uint64_t, 1) << (8 * width))
            lua.pushnumber(state, double)
            return True
    if first <= 0xDB:
        if left < number:
            return False
        lua.pushlstring(state, cython.cast(cython.p_const_char, source.text + source.at), number)
        source.at += number
        return True
    # Every item takes a byte at least.
    if number > left or depth >= DEEPEST:
        return False
    lua.createtable(state, 0, 0)        # as Redis makes it: what room it has shows in the order of its keys
    if first >= 0xDE:
        for i in range(number):
            if not unpack_value(source, depth + 1):
                return False
            kind = lua.type(state, -1)
            if kind == NIL or kind == NUMBER and lua.tonumber(state, -1) != lua.tonumber(state, -1):
                return False
            if not unpack_value(source, depth + 1):
                return False
            lua.rawset(state, -3)
    else:
        for i in range(number):
            if not unpack_value(source, depth + 1):
                return False
            lua.rawseti(state, -2, cython.cast(cython.int, i + 1))
    return True


def msgpack_pack(state):
    """(value): true and the text."""
    if lua.gettop(state) != 1 or not lua.checkstack(state, 3 * DEEPEST + 10):
        return 0
    out.text = buffer
    out.size = 0
    if not pack_value(state, 1, 0):
        return 0
    lua.pushboolean(state, 1)
    lua.pushlstring(state, cython.cast(cython.p_const_char, out.text), out.size)
    return 2


def put(text, size):
    """Appends to what is written; false where there is no room."""
    if size > LONGEST - out.size:
        return False
    memcpy(out.text + out.size, text, size)
    out.size += size
    return True


def put_byte(code):
    if out.size == LONGEST:
        return False
    out.text[out.size] = code
    out.size += 1
    return True


def put_big_endian(mark, number, width):
    i: cython.int
    if LONGEST - out.size < 9:
        return False
    out.text[out.size] = mark
    for i in range(width):
        out.text[out.size + 1 + i] = cython.cast(uint8_t, number >> (8 * (width - 1 - i)) & 0xFF)
    out.size += 1 + width
    return True


def pack_number(number):
    whole: int64_t
    bits: uint64_t
    half: uint32_t
    single: cython.float
    if -9223372036854775808.0 <= number < 9223372036854775808.0 and floor(number) == number:
        whole = cython.cast(int64_t, number)
        bits = cython.cast(uint64_t, whole)
        if whole >= 0:
            if whole < 128:
                return put_byte(cython.cast(uint8_t, whole))
            if whole < 256:
                return put_big_endian(0xCC, bits, 1)
            if whole < 65536:
                return put_big_endian(0xCD, bits, 2)
            if whole >> 32 == 0:
                return put_big_endian(0xCE, bits, 4)
            return put_big_endian(0xCF, bits, 8)
        if whole >= -32:
            return put_byte(cython.cast(uint8_t, whole & 0xFF))
        if whole >= -128:
            return put_big_endian(0xD0, bits, 1)
        if whole >= -32768:
            return put_big_endian(0xD1, bits, 2)
        if whole >> 31 == -1:
            return put_big_endian(0xD2, bits, 4)
        return put_big_endian(0xD3, bits, 8)
    if not isfinite(number):
        return False
    single = cython.cast(cython.float, number)
    if cython.cast(cython.double, single) == number:
        memcpy(cython.address(half), cython.address(single), 4)
        return put_big_endian(0xCA, half, 4)
    memcpy(cython.address(bits), cython.address(number), 8)
    return put_big_endian(0xCB, bits, 8)


def pack_value(state, index, level):
    kind: cython.int = lua.type(state, index)
    size: cython.size_t = 0
    text: cython.p_const_char
    if kind == STRING:
        text = lua.tolstring(state, index, cython.address(size))
        if size < 32:
            if not put_byte(cython.cast(uint8_t, 0xA0 + size)):
                return False
        elif not (put_big_endian(0xD9, size, 1) if size < 256 else put_big_endian(0xDA, size, 2) if size < 65536
                  else put_big_endian(0xDB, size, 4)):
            return False
        return put(text, size)
    if kind == NUMBER:
        return pack_number(lua.tonumber(state, index))
    if kind == BOOLEAN:
        return put_byte(0xC3 if lua.toboolean(state, index) else 0xC2)
    if kind == TABLE and level < DEEPEST_PACKED:
        return pack_table(state, index, level)
    return put_byte(0xC0)


def pack_table(state, index, level):
    """An array, if the keys are 1, 2, ... to their number; else a map."""
    top: cython.double = 0
    count: cython.size_t = 0
    key: cython.double
    is_array: cython.bint = True
    base: cython.int = lua.gettop(state)
    i: cython.size_t
    lua.pushnil(state)
    while lua.next(state, index):
        count += 1
        if count > LONGEST:
            return False
        if is_array:
            key = lua.tonumber(state, base + 1) if lua.type(state, base + 1) == NUMBER else 0
            if key > 0 and key < 2147483648.0 and floor(key) == key:
                if key > top:
                    top = key
            else:
                is_array = False
        lua.settop(state, base + 1)
    if is_array and top == count:
        if not (put_byte(cython.cast(uint8_t, 0x90 + count)) if count < 16 else put_big_endian(0xDC, count, 2) if count < 65536
                else put_big_endian(0xDD, count, 4)):
            return False
        for i in range(count):
            lua.rawgeti(state, index, cython.cast(cython.int, i + 1))
            if not pack_value(state, base + 1, level + 1):
                return False
            lua.settop(state, base)
        return True
    if not (put_byte(cython.cast(uint8_t, 0x80 + count)) if count < 16 else put_big_endian(0xDE, count, 2) if count < 65536
            else put_big_endian(0xDF, count, 4)):
        return False
    lua.pushnil(state)
    while lua.next(state, index):
        if not pack_value(state, base + 1, level + 1) or not pack_value(state, base + 2, level + 1):
            return False
        lua.settop(state, base + 1)
    return True


# --- cjson -----------------------------------------------------------------------------------------------------------

def json_encode(state):
    """(value, null): true and the text, as it is with cjson's settings at first."""
    if lua.gettop(state) != 2 or not lua.checkstack(state, 3 * DEEPEST + 10):
        return 0
    out.text = buffer
    out.size = 0
    if not encode_value(state, 1, 0):
        return 0
    lua.pushboolean(state, 1)
    lua.pushlstring(state, cython.cast(cython.p_const_char, out.text), out.size)
    return 2


def encode_number(number):
    """As C's %.14g."""
    text: cython.char[40]
    at: cython.int = 40
    whole: int64_t
    negative: cython.bint
    if not isfinite(number):
        return False
    if -1e14 < number < 1e14 and floor(number) == number and not (number == 0 and signbit(number)):
        whole = cython.cast(int64_t, number)
        negative = whole < 0
        if negative:
            whole = -whole
        while True:
            at -= 1
            text[at] = cython.cast(cython.char, 48 + whole % 10)
            whole = whole // 10
            if whole == 0:
                break
        if negative:
            at -= 1
            text[at] = 45
        return put(cython.cast(cython.p_char, text) + at, 40 - at)
    return put(cython.cast(cython.p_char, text), snprintf(text, 40, "%.14g", number))


def encode_string(text, size):
    i: cython.size_t
    start: cython.size_t = 0
    code: uint8_t
    short: uint8_t
    escape: uint8_t[6]
    if not put_byte(34):
        return False
    for i in range(size):
        code = text[i]
        if code >= 32 and code != 34 and code != 92 and code != 47 and code != 127:
            continue
        if not put(text + start, i - start):
            return False
        start = i + 1
        short = 0
        if code == 34 or code == 92 or code == 47:
            short = code
        elif code == 8:
            short = 98
        elif code == 9:
            short = 116
        elif code == 10:
            short = 110
        elif code == 12:
            short = 102
        elif code == 13:
            short = 114
        escape[0] = 92
        if short:
            escape[1] = short
            if not put(cython.cast(cython.pointer(uint8_t), escape), 2):
                return False
            continue
        escape[1] = 117
        escape[2] = 48
        escape[3] = 48
        escape[4] = HEX[code >> 4]
        escape[5] = HEX[code & 15]
        if not put(cython.cast(cython.pointer(uint8_t), escape), 6):
            return False
    return put(text + start, size - start) and put_byte(34)


def encode_value(state, index, depth):
    kind: cython.int = lua.type(state, index)
    size: cython.size_t = 0
    text: cython.p_const_char
    if kind == STRING:
        text = lua.tolstring(state, index, cython.address(size))
        return encode_string(cython.cast(cython.pointer(cython.const[uint8_t]), text), size)
    if kind == NUMBER:
        return encode_number(lua.tonumber(state, index))
    if kind == TABLE:
        return depth < DEEPEST and encode_table(state, index, depth)
    if kind == BOOLEAN:
        return put(b"true", 4) if lua.toboolean(state, index) else put(b"false", 5)
    if kind == NIL or kind == USERDATA and lua.rawequal(state, index, 2):
        return put(b"null", 4)
    return False


def encode_table(state, index, depth):
    """An array, if the keys are whole numbers from 1 and few are missing; else an object."""
    top: cython.double = 0
    count: cython.size_t = 0
    key: cython.double
    is_array: cython.bint = True
    base: cython.int = lua.gettop(state)
    size: cython.size_t = 0
    text: cython.p_const_char
    i: cython.int
    lua.pushnil(state)
    while lua.next(state, index):
        lua.settop(state, base + 1)
        key = lua.tonumber(state, base + 1) if lua.type(state, base + 1) == NUMBER else 0
        if not (key >= 1 and floor(key) == key):
            is_array = False
            lua.settop(state, base)
            break
        count += 1
        if count > LONGEST:
            return False
        if key > top:
            top = key
    if is_array and count:
        if top > count * 2 and top > 10 or top > 2147483646.0:
            return False
        for i in range(1, cython.cast(cython.int, top) + 1):
            if not put_byte(91 if i == 1 else 44):
                return False
            lua.rawgeti(state, index, i)
            if not encode_value(state, base + 1, depth + 1):
                return False
            lua.settop(state, base)
        return put_byte(93)
    if is_array:
        if lua.getmetatable(state, index):      # it may be marked as an array
            return False
        return put(b"{}", 2)
    count = 0
    lua.pushnil(state)
    while lua.next(state, index):
        if not put_byte(44 if count else 123):
            return False
        count += 1
        if lua.type(state, base + 1) == STRING:
            text = lua.tolstring(state, base + 1, cython.address(size))
            if not encode_string(cython.cast(cython.pointer(cython.const[uint8_t]), text), size):
                return False
        elif lua.type(state, base + 1) == NUMBER:
            if not (put_byte(34) and encode_number(lua.tonumber(state, base + 1)) and put_byte(34)):
                return False
        else:
            return False
        if not put_byte(58) or not encode_value(state, base + 2, depth + 1):
            return False
        lua.settop(state, base + 1)
    return put_byte(125)


def json_decode(state):
    """(text, null): true and the value."""
    source: Input
    if lua.gettop(state) != 2 or lua.type(state, 1) != STRING:
        return 0
    source.state = state
    source.at = 0
    source.text = cython.cast(cython.pointer(cython.const[uint8_t]), lua.tolstring(state, 1, cython.address(source.size)))
    if source.size > LONGEST or not lua.checkstack(state, 3 * DEEPEST + 10):
        return 0
    lua.pushboolean(state, 1)
    if not decode_value(cython.address(source), 0):
        return 0
    skip_space(cython.address(source))
    return 2 if source.at == source.size else 0


def skip_space(source):
    """The next byte that is no space; 0 at the end, where Lua's strings have it."""
    code: uint8_t = source.text[source.at]
    while code == 32 or code == 9 or code == 10 or code == 13:
        source.at += 1
        code = source.text[source.at]
    return code


def decode_value(source, depth):
    """Puts the next value on the stack; false if it can't."""
    state: cython.p_void = source.state
    code: uint8_t = skip_space(source)
    index: cython.int = 0
    left: cython.size_t = source.size - source.at
    text: cython.pointer(cython.const[uint8_t]) = source.text + source.at
    if code == 34:
        return decode_string(source)
    if code == 123 or code == 91:
        if depth >= DEEPEST:
            return False
        source.at += 1
        lua.createtable(state, 0, 0)    # as Redis makes it: what room it has shows in the order of its keys
        if skip_space(source) == code + 2:
            source.at += 1
            return True
        while True:
            if code == 123:
                if skip_space(source) != 34 or not decode_string(source) or skip_space(source) != 58:
                    return False
                source.at += 1
            if not decode_value(source, depth + 1):
                return False
            if code == 123:
                lua.rawset(state, -3)
            else:
                index += 1
                lua.rawseti(state, -2, index)
            if skip_space(source) == code + 2:
                source.at += 1
                return True
            if source.text[source.at] != 44:
                return False
            source.at += 1
    if code == 116 and left >= 4 and text[1] == 114 and text[2] == 117 and text[3] == 101:
        source.at += 4
        lua.pushboolean(state, 1)
        return True
    if code == 102 and left >= 5 and text[1] == 97 and text[2] == 108 and text[3] == 115 and text[4] == 101:
        source.at += 5
        lua.pushboolean(state, 0)
        return True
    if code == 110 and left >= 4 and text[1] == 117 and text[2] == 108 and text[3] == 108:
        source.at += 4
        lua.pushvalue(state, 2)
        return True
    return decode_number(source)


def decode_number(source):
    """A number as JSON writes it."""
    text: cython.pointer(cython.const[uint8_t]) = source.text + source.at
    at: cython.size_t = 0
    start: cython.size_t
    negative: cython.bint = text[0] == 45
    whole: int64_t = 0
    if negative:
        at = 1
    start = at
    while 48 <= text[at] <= 57:
        if at - start < 15:
            whole = whole * 10 + text[at] - 48
        at += 1
    if at == start or at - start > 1 and text[start] == 48:
        return False
    if text[at] != 46 and text[at] != 69 and text[at] != 101 and text[at] != 120 and text[at] != 88 \
            and at - start <= 15 and not (negative and whole == 0):
        lua.pushnumber(source.state, cython.cast(cython.double, -whole if negative else whole))
        source.at += at
        return True
    if text[at] == 46:
        at += 1
        start = at
        while 48 <= text[at] <= 57:
            at += 1
        if at == start:
            return False
    if text[at] == 69 or text[at] == 101:
        at += 1
        if text[at] == 43 or text[at] == 45:
            at += 1
        start = at
        while 48 <= text[at] <= 57:
            at += 1
        if at == start:
            return False
    if text[at] == 120 or text[at] == 88:
        return False
    lua.pushnumber(source.state, strtod(cython.cast(cython.p_const_char, text), cython.NULL))
    source.at += at
    return True


def decode_string(source):
    """The string whose opening quote is next. Only escapes of one letter are done here."""
    text: cython.pointer(cython.const[uint8_t]) = source.text
    at: cython.size_t = source.at + 1
    start: cython.size_t = at
    code: uint8_t
    out.text = buffer
    out.size = 0
    while True:
        code = text[at]
        if code == 34:
            break
        if code == 0:
            return False
        if code != 92:
            at += 1
            continue
        code = text[at + 1]
        if code == 110:
            code = 10
        elif code == 116:
            code = 9
        elif code == 114:
            code = 13
        elif code == 98:
            code = 8
        elif code == 102:
            code = 12
        elif code != 34 and code != 92 and code != 47:
            return False
        if not put(text + start, at - start) or not put_byte(code):
            return False
        at += 2
        start = at
    if out.size:
        if not put(text + start, at - start):
            return False
        lua.pushlstring(source.state, cython.cast(cython.p_const_char, out.text), out.size)
    else:
        lua.pushlstring(source.state, cython.cast(cython.p_const_char, text + start), at - start)
    source.at = at + 1
    return True
