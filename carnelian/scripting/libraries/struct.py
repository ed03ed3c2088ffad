"""The Lua library struct: https://redis.io/docs/latest/develop/interact/programmability/lua-api/#struct-library

Integers of more than eight bytes hold a 64-bit number and zeros beside it, and are read as their lower eight bytes.
"""
from carnelian.scripting.libraries.support import define

SOURCE = rb"""
local support = ...
local select, error, type, tonumber, floor = select, error, type, tonumber, math.floor
local sub, byte, char, rep, reverse, concat, find, format = string.sub, string.byte, string.char, string.rep,
    string.reverse, table.concat, string.find, string.format
local bad_argument, check_string, check_number = support.bad_argument, support.check_string, support.check_number
local check_integer, truncated, four = support.check_integer, support.truncated, support.four
local pack_double, unpack_double = support.pack_double, support.unpack_double
local pack_float, unpack_float = support.pack_float, support.unpack_float
local give = unpack
setfenv(1, {})

local SIZES = {b = 1, B = 1, h = 2, H = 2, l = 8, L = 8, T = 8, f = 4, d = 8, x = 1}
local INTEGERS = {b = true, B = true, h = true, H = true, l = true, L = true, T = true, i = true, I = true}
local SIGNED = {b = true, h = true, l = true, i = true}
local LARGEST = 32                      -- bytes of an integer
local INT_MAX = 2147483647

-- The digits at `at` as a number, and where they are over; nil: too large a number.
local function read_count(text, at, default)
    local _, stop, digits = find(text, "^(%d+)", at)
    if not digits then
        return default, at
    end
    local count = tonumber(digits)
    if count > INT_MAX then
        return nil, at
    end
    return count, stop + 1
end

-- The size of the option whose letter is before `at`, and where its digits are over; or nil and what is wrong.
local function size_of(option, text, at)
    local size = SIZES[option]
    if size then
        return size, at
    elseif option == "c" or option == "i" or option == "I" then
        size, at = read_count(text, at, option == "c" and 1 or 4)
        if not size then
            return nil, "integral size overflow"
        elseif option ~= "c" and size > LARGEST then
            return nil, format("integral size %d is larger than limit of %d", size, LARGEST)
        end
        return size, at
    end
    return 0, at
end

local function both(a, b)               -- the bits that both numbers have
    local bits, bit = 0, 1
    while a > 0 and b > 0 do
        if a % 2 == 1 and b % 2 == 1 then
            bits = bits + bit
        end
        a, b, bit = floor(a / 2), floor(b / 2), bit * 2
    end
    return bits
end

local function padding(position, alignment, option, size)
    if size == 0 or option == "c" then
        return 0
    end
    if size > alignment then
        size = alignment
    end
    if size == 1 then
        return 0
    end
    return both(size - both(position % 64, size - 1), size - 1)
end

-- Options about the layout: whether integers are big endian, the alignment, where to go on; or nil, what is wrong, and the
-- number of the argument that is.
local function control(option, text, at, big, alignment)
    if option == ">" then
        return true, alignment, at
    elseif option == "<" then
        return false, alignment, at
    elseif option == " " then
        return big, alignment, at
    elseif option == "!" then
        alignment, at = read_count(text, at, 8)
        if not alignment then
            return nil, "integral size overflow"
        elseif alignment == 0 or both(alignment, alignment - 1) ~= 0 then
            return nil, format("alignment %d is not a power of 2", alignment)
        end
        return big, alignment, at
    end
    return nil, "invalid format option '" .. option .. "'", 1
end

local function pack_integer(number, size, big)
    -- As C converts it, in two's complement.
    local low, high = 0, 0x80000000
    if number == number and number >= -2^63 and number < 2^63 then
        number = truncated(number)
        low = number % 2^32
        high = (number - low) / 2^32 % 2^32
    elseif number >= 2^63 and number < 2^64 then
        low = number % 2^32
        high = (number - low) / 2^32
    elseif number >= 2^64 then
        high = 0
    end
    local text = four(high) .. four(low)
    if size > 8 then
        text = rep("\0", size - 8) .. text
    else
        text = sub(text, 9 - size)
    end
    return big and text or reverse(text)
end

local function unpack_integer(text, at, size, big, signed)
    text = sub(text, at, at + size - 1)
    if not big then
        text = reverse(text)
    end
    local width = size
    if size > 8 then
        text, width = sub(text, -8), 8
        local lower = size % 8
        if signed and lower > 0 and (byte(text, 9 - lower) > 127 or find(sub(text, 1, 8 - lower), "%Z")) then
            -- C's shift by so many bits goes round: it looks for the sign at a lower place.
            text, width = char(byte(text, 9 - lower) % 128 + 128) .. sub(text, 10 - lower), lower
        end
    end
    local high, low = 0, 0
    local top = width > 4 and width - 4 or 0
    for index = 1, top do
        high = high * 256 + byte(text, index)
    end
    for index = top + 1, width do
        low = low * 256 + byte(text, index)
    end
    if signed and width > 0 and byte(text, 1) > 127 then
        if top > 0 then
            high = high - 256 ^ top
        else
            low = low - 256 ^ width
        end
    end
    return high * 2^32 + low
end

local function pack(...)
    local count = select("#", ...)
    local layout = check_string(1, count, (...))
    local big, alignment, at, position, index = false, 1, 1, 0, 2
    local out, n = {}, 0
    while at <= #layout do
        local option = sub(layout, at, at)
        if option == "\0" then
            break
        end
        local size, after = size_of(option, layout, at + 1)
        if not size then
            error(after, 2)
        end
        at = after
        local gap = padding(position, alignment, option, size)
        position = position + gap
        n = n + 1
        out[n] = rep("\0", gap)
        n = n + 1
        if INTEGERS[option] then
            local number = check_number(index, index, (select(index, ...)))
            out[n] = pack_integer(number, size, big)
            index = index + 1
        elseif option == "x" then
            out[n] = "\0"
        elseif option == "f" or option == "d" then
            local number = check_number(index, index, (select(index, ...)))
            local text = option == "f" and (pack_float(number)) or option == "d" and pack_double(number)
            out[n] = big and text or reverse(text)
            index = index + 1
        elseif option == "c" or option == "s" then
            local text = check_string(index, index, (select(index, ...)))
            index = index + 1
            if size == 0 then
                size = #text
            end
            if #text < size then
                bad_argument(index, "string too short")
            end
            out[n] = sub(text, 1, size)
            if option == "s" then
                out[n] = out[n] .. "\0"
                size = size + 1
            end
        else
            local where, problem
            where, problem, after = control(option, layout, at, big, alignment)
            if where == nil then
                if after then
                    bad_argument(after, problem)
                end
                error(problem, 2)
            end
            big, alignment, at = where, problem, after
            out[n] = ""
        end
        position = position + size
    end
    return concat(out, "", 1, n)
end

local function unpack(...)
    local count = select("#", ...)
    local layout, data, offset = ...
    layout = check_string(1, count, layout)
    data = check_string(2, count, data)
    offset = offset ~= nil and check_integer(3, count, offset) or 1
    if offset == 0 then
        bad_argument(3, "offset must be 1 or greater")
    end
    local position, length, at, big, alignment = offset - 1, #data, 1, false, 1
    local out, n = {}, 0
    while at <= #layout do
        local option = sub(layout, at, at)
        if option == "\0" then
            break
        end
        local size, after = size_of(option, layout, at + 1)
        if not size then
            error(after, 2)
        end
        at = after
        position = position + padding(position, alignment, option, size)
        if position < 0 or position + size > length then
            bad_argument(2, "data string too short")
        end
        if n >= 7990 then
            error("stack overflow (too many results)", 2)
        end
        if INTEGERS[option] then
            n = n + 1
            out[n] = unpack_integer(data, position + 1, size, big, SIGNED[option])
        elseif option == "f" or option == "d" then
            local text = sub(data, position + 1, position + size)
            text = big and text or reverse(text)
            n = n + 1
            out[n] = option == "f" and unpack_float(text, 1) or option == "d" and unpack_double(text, 1)
        elseif option == "c" then
            if size == 0 then
                size = n > 0 and tonumber(out[n])
                if not size then
                    error("format 'c0' needs a previous size", 2)
                end
                size = floor(size)
                n = n - 1
                if size < 0 or position + size > length then
                    bad_argument(2, "data string too short")
                end
            end
            n = n + 1
            out[n] = sub(data, position + 1, position + size)
        elseif option == "s" then
            local stop = find(data, "%z", position + 1)
            if not stop then
                error("unfinished string in data", 2)
            end
            n = n + 1
            out[n] = sub(data, position + 1, stop - 1)
            size = stop - position
        elseif option ~= "x" then
            local where, problem
            where, problem, after = control(option, layout, at, big, alignment)
            if where == nil then
                if after then
                    bad_argument(after, problem)
                end
                error(problem, 2)
            end
            big, alignment, at = where, problem, after
        end
        position = position + size
    end
    out[n + 1] = position + 1
    return give(out, 1, n + 1)
end

local function size(...)
    local layout = check_string(1, select("#", ...), (...))
    local big, alignment, at, position = false, 1, 1, 0
    while at <= #layout do
        local option = sub(layout, at, at)
        if option == "\0" then
            break
        end
        local size, after = size_of(option, layout, at + 1)
        if not size then
            error(after, 2)
        end
        at = after
        position = position + padding(position, alignment, option, size)
        if option == "s" then
            bad_argument(1, "option 's' has no fixed size")
        elseif option == "c" and size == 0 then
            bad_argument(1, "option 'c0' has no fixed size")
        elseif find(option, "%W") then
            local where, problem
            where, problem, after = control(option, layout, at, big, alignment)
            if where == nil then
                if after then
                    bad_argument(after, problem)
                end
                error(problem, 2)
            end
            big, alignment, at = where, problem, after
        end
        position = position + size
    end
    return position
end

return {pack = pack, unpack = unpack, size = size}
"""


def install(lua, quick=None) -> None:
    """Defines the global `struct`."""
    define(lua, "struct", SOURCE, quick)
