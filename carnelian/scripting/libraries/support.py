"""What the libraries share: argument checks and IEEE numbers in Lua, and how a library is put into an interpreter.

The libraries are Lua, not Python called from Lua. A call across that border costs as much as thirty instructions of Lua
and then each table would be read and made across it, a value at a time; a Lua function has no attributes to reach Python
by; the hook that stops an endless script sees it; and an error names the script's line, as that of a C library does.
Where Lua's C functions are at hand, formats.py does the usual cases of cmsgpack and cjson before them.
"""

# Errors name the function as the caller called it, and the line of the call: `level` is that of the library's function,
# counted from the one that raises. Nothing here may be called as a tail call, which would lose a level.
SUPPORT = rb"""
local information, error, type, tonumber, tostring, floor = debug.getinfo, error, type, tonumber, tostring, math.floor
local frexp, ldexp, huge, char, byte = math.frexp, math.ldexp, math.huge, string.char, string.byte
local select = select
setfenv(1, {})

local function refuse(level, index, message)
    local call = information(level, "n")
    if call.namewhat == "method" then
        index = index - 1
        if index == 0 then
            error("calling '" .. call.name .. "' on bad self (" .. message .. ")", level + 1)
        end
    end
    error("bad argument #" .. index .. " to '" .. (call.name or "?") .. "' (" .. message .. ")", level + 1)
end

-- To be called by the library's function itself.
local function bad_argument(index, message)
    refuse(3, index, message)
end

local function wrong_type(level, index, count, expected, value)
    refuse(level + 1, index, expected .. " expected, got " .. (index > count and "no value" or type(value)))
end

local function check_string(index, count, value)
    if type(value) == "string" then
        return value
    elseif type(value) == "number" then
        return tostring(value)
    end
    wrong_type(3, index, count, "string", value)
end

local function check_number(index, count, value)
    if type(value) == "number" then
        return value
    end
    local number = type(value) == "string" and tonumber(value)
    if not number then
        wrong_type(3, index, count, "number", value)
    end
    return number
end

-- C's conversion of a double to a 64-bit integer.
local function truncated(number)
    if number ~= number or number >= 2^63 or number < -2^63 then
        return -2^63
    end
    return number < 0 and -floor(-number) or floor(number)
end

local function check_integer(index, count, value)
    if type(value) == "number" then
        return truncated(value)
    end
    local number = type(value) == "string" and tonumber(value)
    if not number then
        wrong_type(3, index, count, "number", value)
    end
    return truncated(number)
end

local function four(number)
    local low = number % 65536
    local high = (number - low) / 65536
    return char(floor(high / 256), high % 256, floor(low / 256), low % 256)
end

local zero = 0
local nan = zero / zero
local negative_nan = -nan
if tostring(nan) == "-nan" then
    nan, negative_nan = negative_nan, nan
end

-- The sign, and the absolute value.
local function parts(number)
    if number ~= number then
        return tostring(number) == "-nan" and 1 or 0, number
    elseif number < 0 or 1 / number < 0 then
        return 1, -number
    end
    return 0, number
end

-- Eight bytes, big endian.
local function pack_double(number)
    local sign, size = parts(number)
    local high, low
    if size ~= size then
        high, low = 0x7FF80000, 0
    elseif size == huge then
        high, low = 0x7FF00000, 0
    elseif size == 0 then
        high, low = 0, 0
    else
        local mantissa, exponent = frexp(size)
        if exponent < -1021 then
            mantissa = ldexp(mantissa, exponent + 1074)
            exponent = 0
        else
            mantissa = (mantissa * 2 - 1) * 2^52
            exponent = exponent + 1022
        end
        low = mantissa % 2^32
        high = (mantissa - low) / 2^32 + exponent * 2^20
    end
    return four(high + sign * 2^31) .. four(low)
end

local function unpack_double(text, at)
    local a, b, c, d, e, f, g, h = byte(text, at, at + 7)
    local negative = a > 127
    local exponent = a % 128 * 16 + floor(b / 16)
    local mantissa = (((((b % 16 * 256 + c) * 256 + d) * 256 + e) * 256 + f) * 256 + g) * 256 + h
    if exponent == 2047 then
        if mantissa ~= 0 then
            return negative and negative_nan or nan
        end
        return negative and -huge or huge
    elseif exponent == 0 then
        mantissa = ldexp(mantissa, -1074)
    else
        mantissa = ldexp(mantissa + 2^52, exponent - 1075)
    end
    return negative and -mantissa or mantissa
end

-- Four bytes, big endian, of the nearest single-precision number; and whether it is the same number.
local function pack_float(number)
    local sign, size = parts(number)
    local bits, exact = nil, true
    if size ~= size then
        bits, exact = 0x7FC00000, false
    elseif size == huge then
        bits = 0x7F800000
    elseif size == 0 then
        bits = 0
    else
        local mantissa, exponent = frexp(size)
        if exponent < -125 then
            mantissa = ldexp(mantissa, exponent + 149)
            exponent = 0
        else
            mantissa = mantissa * 2^24
            exponent = exponent + 125           -- the leading bit of the mantissa adds one
        end
        bits = (mantissa + 2^52) - 2^52         -- to the nearest, to the even one of two
        exact = bits == mantissa
        bits = bits + exponent * 2^23
        if bits >= 0x7F800000 then
            bits, exact = 0x7F800000, false
        end
    end
    return four(bits + sign * 2^31), exact
end

local function unpack_float(text, at)
    local a, b, c, d = byte(text, at, at + 3)
    local negative = a > 127
    local exponent = a % 128 * 2 + floor(b / 128)
    local mantissa = (b % 128 * 256 + c) * 256 + d
    if exponent == 255 then
        if mantissa ~= 0 then
            return negative and negative_nan or nan
        end
        return negative and -huge or huge
    elseif exponent == 0 then
        mantissa = ldexp(mantissa, -149)
    else
        mantissa = ldexp(mantissa + 2^23, exponent - 150)
    end
    return negative and -mantissa or mantissa
end

return {bad_argument = bad_argument, check_string = check_string, check_number = check_number,
        check_integer = check_integer, truncated = truncated, four = four, pack_double = pack_double,
        unpack_double = unpack_double, pack_float = pack_float, unpack_float = unpack_float}
"""

def define(lua, name: str, source: bytes, quick=None) -> None:
    """Makes the global of that name of the table that the Lua source returns; the source gets SUPPORT's table,
    with the C functions in `quick` (formats.py) where there are some.

    The interpreter's own globals must still be whole; to protect the table against writes is its business.
    """
    support = lua.compile(SUPPORT, name=b"=carnelian")()
    support[b"quick"] = lua.table_from(quick or {})
    lua.globals()[name.encode()] = lua.compile(source, name=b"=carnelian")(support)
