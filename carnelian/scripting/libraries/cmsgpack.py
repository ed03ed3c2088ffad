"""The Lua library cmsgpack: https://redis.io/docs/latest/develop/interact/programmability/lua-api/#cmsgpack-library

The format: https://github.com/msgpack/msgpack/blob/master/spec.md. A number with an integer's value is packed as one;
another as single precision where that is exact.
"""
from carnelian.scripting.libraries.support import define

SOURCE = rb"""
local support = ...
local type, next, error, select, tostring = type, next, error, select, tostring
local sub, byte, char, concat, floor, huge = string.sub, string.byte, string.char, table.concat, math.floor, math.huge
local format, rawget = string.format, rawget
local bad_argument, check_string, check_integer = support.bad_argument, support.check_string, support.check_integer
local four, pack_double, unpack_double = support.four, support.pack_double, support.unpack_double
local pack_float, unpack_float = support.pack_float, support.unpack_float
local give = unpack
local quick_pack, quick_unpack = support.quick.pack, support.quick.unpack       -- nil: there are none
setfenv(1, {})

local DEEPEST = 16                      -- levels of tables; those below are packed as nil

local one = {}                          -- the bytes themselves: a look-up is cheaper than a call of char
for code = 0, 255 do
    one[code] = char(code)
end

local function pack_integer(number)
    if number >= 0 then
        if number < 128 then
            return one[number]
        elseif number < 256 then
            return "\204" .. one[number]
        elseif number < 65536 then
            return char(205, floor(number / 256), number % 256)
        elseif number < 2^32 then
            return "\206" .. four(number)
        end
        local low = number % 2^32
        return "\207" .. four((number - low) / 2^32) .. four(low)
    elseif number >= -32 then
        return one[number + 256]
    elseif number >= -128 then
        return "\208" .. one[number + 256]
    elseif number >= -32768 then
        number = number + 65536
        return char(209, floor(number / 256), number % 256)
    elseif number >= -2^31 then
        return "\210" .. four(number + 2^32)
    end
    local low = number % 2^32
    return "\211" .. four((number - low) / 2^32 + 2^32) .. four(low)
end

local function header(count, small, middle, large)
    if count < 16 then
        return one[small + count]
    elseif count < 65536 then
        return char(middle, floor(count / 256), count % 256)
    end
    return char(large) .. four(count)
end

local function append(out, n, value, level)
    local kind = type(value)
    n = n + 1
    if kind == "string" then
        local size = #value
        if size < 32 then
            out[n] = one[160 + size]
        elseif size < 256 then
            out[n] = "\217" .. one[size]
        elseif size < 65536 then
            out[n] = char(218, floor(size / 256), size % 256)
        else
            out[n] = "\219" .. four(size)
        end
        n = n + 1
        out[n] = value
    elseif kind == "number" then
        if value % 1 == 0 and value >= -2^63 and value < 2^63 then
            out[n] = pack_integer(value)
        else
            local text, exact = pack_float(value)
            out[n] = exact and "\202" .. text or "\203" .. pack_double(value)
        end
    elseif kind == "table" and level < DEEPEST then
        local top, count = 0, 0
        for key in next, value do
            count = count + 1
            if top >= 0 then
                if type(key) == "number" and key > 0 and key % 1 == 0 and key < 2^31 then
                    if key > top then
                        top = key
                    end
                else
                    top = -1
                end
            end
        end
        if top == count then
            out[n] = header(count, 144, 220, 221)
            for index = 1, count do
                n = append(out, n, rawget(value, index), level + 1)
            end
        else
            out[n] = header(count, 128, 222, 223)
            for key, item in next, value do
                n = append(out, n, key, level + 1)
                n = append(out, n, item, level + 1)
            end
        end
    elseif kind == "boolean" then
        out[n] = value and "\195" or "\194"
    else
        out[n] = "\192"
    end
    return n
end

local function pack(...)
    local count = select("#", ...)
    if count == 0 then
        bad_argument(0, "MessagePack pack needs input.")
    end
    if quick_pack and count == 1 then
        local done, text = quick_pack((...))
        if done then
            return text
        end
    end
    local out, n = {}, 0
    for index = 1, count do
        n = append(out, n, (select(index, ...)), 0)
    end
    return concat(out, "", 1, n)
end

local MISSING, DAMAGED = "Missing bytes in input.", "Bad data format in input."

-- How many bytes hold what comes after the first byte: a length, or a number.
local widths = {[0xCA] = 4, [0xCB] = 8, [0xCC] = 1, [0xCD] = 2, [0xCE] = 4, [0xCF] = 8,
                [0xD0] = 1, [0xD1] = 2, [0xD2] = 4, [0xD3] = 8, [0xD9] = 1, [0xDA] = 2, [0xDB] = 4, [0xDC] = 2, [0xDD] = 4,
                [0xDE] = 2, [0xDF] = 4}

-- What Redis's stack holds: so many values that a call can return, and so many levels of tables.
local MOST, DEEPEST_READ = 7997, 3995

-- The value at `at`, and where it is over. `frame` counts the frames of this function on the stack.
local function read(text, at, frame)
    local first = byte(text, at)
    if not first then
        error(MISSING, frame + 2)
    end
    local count, map = nil, false
    at = at + 1
    if first < 128 then
        return first, at
    elseif first >= 160 and first < 192 then
        count = first - 160
        if at + count - 1 > #text then
            error(MISSING, frame + 2)
        end
        return sub(text, at, at + count - 1), at + count
    elseif first >= 224 then
        return first - 256, at
    elseif first < 144 then
        count, map = first - 128, true
    elseif first < 160 then
        count = first - 144
    elseif first == 0xC0 then
        return nil, at
    elseif first == 0xC2 then
        return false, at
    elseif first == 0xC3 then
        return true, at
    else
        local width = widths[first]
        if not width then
            error(DAMAGED, frame + 2)
        elseif at + width - 1 > #text then
            error(MISSING, frame + 2)
        elseif first == 0xCA then
            return unpack_float(text, at), at + 4
        elseif first == 0xCB then
            return unpack_double(text, at), at + 8
        end
        local a, b, c, d, e, f, g, h = byte(text, at, at + width - 1)
        local number
        if width == 1 then
            number = a
        elseif width == 2 then
            number = a * 256 + b
        else
            number = ((a * 256 + b) * 256 + c) * 256 + d
        end
        at = at + width
        if first >= 0xCC and first <= 0xCE then
            return number, at
        elseif first == 0xCF or first == 0xD3 then       -- Redis takes both for signed
            return (a > 127 and number - 2^32 or number) * 2^32 + (((e * 256 + f) * 256 + g) * 256 + h), at
        elseif first >= 0xD0 and first <= 0xD2 then
            return a > 127 and number - 256 ^ width or number, at
        elseif first <= 0xDB then
            if at + number - 1 > #text then
                error(MISSING, frame + 2)
            end
            return sub(text, at, at + number - 1), at + number
        end
        count, map = number, first >= 0xDE
    end
    local made = {}
    if frame > DEEPEST_READ then
        error(map and "stack overflow (in function mp_decode_to_lua_hash)"
              or "stack overflow (in function mp_decode_to_lua_array)", frame + 2)
    end
    if map then
        local key, value
        for _ = 1, count do
            key, at = read(text, at, frame + 1)
            value, at = read(text, at, frame + 1)
            if key == nil then
                error("table index is nil", 0)
            elseif key ~= key then
                error("table index is NaN", 0)
            end
            made[key] = value
        end
    else
        for index = 1, count do
            made[index], at = read(text, at, frame + 1)
        end
    end
    return made, at
end

local function unpack_all(text, at, limit, place)
    local out, n = {}, 0
    while at <= #text and (limit == 0 or n < limit) do
        n = n + 1
        if n > MOST then
            error("stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)", 3)
        end
        out[n], at = read(text, at, 2)
    end
    if place then
        return out, n, at > #text and -1 or at - 1
    end
    return out, n
end



local function check_place(text, limit, offset)
    if offset < 0 or limit < 0 then
        return format("Invalid request to unpack with offset of %d and limit of %d.", offset, #text)
    elseif offset > #text then
        return format("Start offset %d greater than input length %d.", offset, #text)
    end
end

local function unpack(...)
    if quick_unpack then
        local done, value = quick_unpack((...))
        if done then
            return value
        end
    end
    local text = check_string(1, select("#", ...), (...))
    if #text > 0 then
        local value, at = read(text, 1, 1)
        if at > #text then
            return value
        end
    end
    local out, n = unpack_all(text, 1, 0, false)
    return give(out, 1, n)
end

local function unpack_one(...)
    local count = select("#", ...)
    local text, offset = ...
    offset = offset ~= nil and check_integer(2, count, offset) or 0
    text = check_string(1, count, text)
    local problem = check_place(text, 1, offset)
    if problem then
        error(problem, 2)
    end
    local out, n, place = unpack_all(text, offset + 1, 1, true)
    return place, give(out, 1, n)
end

local function unpack_limit(...)
    local count = select("#", ...)
    local text, limit, offset = ...
    limit = check_integer(2, count, limit)
    offset = offset ~= nil and check_integer(3, count, offset) or 0
    text = check_string(1, count, text)
    local problem = check_place(text, limit, offset)
    if problem then
        error(problem, 2)
    end
    local out, n, place = unpack_all(text, offset + 1, limit, limit ~= 0)
    if limit == 0 then
        return give(out, 1, n)
    end
    return place, give(out, 1, n)
end

return {pack = pack, unpack = unpack, unpack_one = unpack_one, unpack_limit = unpack_limit, _NAME = "cmsgpack",
        _VERSION = "lua-cmsgpack 0.4.0", _COPYRIGHT = "Copyright (C) 2012, Salvatore Sanfilippo",
        _DESCRIPTION = "MessagePack C implementation for Lua"}
"""


def install(lua, quick=None) -> None:
    """Defines the global `cmsgpack`."""
    define(lua, "cmsgpack", SOURCE, quick)
