"""The Lua library bit: https://redis.io/docs/latest/develop/interact/programmability/lua-api/#bit-library

Lua 5.1 has no operators for bits. Numbers are taken modulo 2**32, and results are signed.
"""
from carnelian.scripting.libraries.support import define

SOURCE = rb"""
local support = ...
local select, type, floor, format, frexp, sub = select, type, math.floor, string.format, math.frexp, string.sub
local check_number = support.check_number
setfenv(1, {})

local TWO_32 = 2^32
local NORMAL = 2^52 + 2^51              -- added to a number, its integer part lies in the lower bits of the mantissa

-- The results for every pair of bytes: of two bits first, then of two, four and eight bits out of their halves.
local function pairs_of_bytes(of_bits)
    local results, bits = of_bits, 1
    while bits < 8 do
        local size = 2 ^ bits
        local wider, wide = {}, size * size
        for a = 0, wide - 1 do
            local a_low = a % size
            local a_high = (a - a_low) / size
            for b = 0, wide - 1 do
                local b_low = b % size
                wider[a * wide + b] = results[a_high * size + (b - b_low) / size] * size + results[a_low * size + b_low]
            end
        end
        results, bits = wider, bits * 2
    end
    return results
end

local AND = pairs_of_bytes({[0] = 0, [1] = 0, [2] = 0, [3] = 1})

-- The bits of a number: an integer from 0 to 2^32 - 1.
local function bits_of(number)
    if number >= 0 and number < TWO_32 and number % 1 == 0 then
        return number
    end
    local sum = number + NORMAL
    if sum >= 2^52 and sum < 2^53 then
        return sum % TWO_32
    elseif sum ~= sum or sum == 1/0 or sum == -1/0 then
        return 0
    end
    return frexp(sum < 0 and -sum or sum) * 2^53 % TWO_32
end

local function signed(number)
    return number < 2147483648 and number or number - TWO_32
end

local function conjunction(a, b)
    local result, place = 0, 1
    for _ = 1, 4 do
        local a_low, b_low = a % 256, b % 256
        result = result + AND[a_low * 256 + b_low] * place
        a, b, place = (a - a_low) / 256, (b - b_low) / 256, place * 256
    end
    return result
end

local bit = {}

function bit.tobit(...)
    local number = check_number(1, select("#", ...), (...))
    return signed(bits_of(number))
end

function bit.bnot(...)
    local number = check_number(1, select("#", ...), (...))
    return signed(TWO_32 - 1 - bits_of(number))
end

function bit.band(...)
    local count = select("#", ...)
    local number = check_number(1, count, (...))
    local result = bits_of(number)
    for index = 2, count do
        number = check_number(index, count, (select(index, ...)))
        result = conjunction(result, bits_of(number))
    end
    return signed(result)
end

function bit.bor(...)
    local count = select("#", ...)
    local number = check_number(1, count, (...))
    local result = bits_of(number)
    for index = 2, count do
        number = check_number(index, count, (select(index, ...)))
        number = bits_of(number)
        result = result + number - conjunction(result, number)
    end
    return signed(result)
end

function bit.bxor(...)
    local count = select("#", ...)
    local number = check_number(1, count, (...))
    local result = bits_of(number)
    for index = 2, count do
        number = check_number(index, count, (select(index, ...)))
        number = bits_of(number)
        result = result + number - 2 * conjunction(result, number)
    end
    return signed(result)
end

function bit.lshift(...)
    local count = select("#", ...)
    local number, places = ...
    number = check_number(1, count, number)
    places = check_number(2, count, places)
    return signed(bits_of(number) * 2 ^ (bits_of(places) % 32) % TWO_32)
end

function bit.rshift(...)
    local count = select("#", ...)
    local number, places = ...
    number = check_number(1, count, number)
    places = check_number(2, count, places)
    return signed(floor(bits_of(number) / 2 ^ (bits_of(places) % 32)))
end

function bit.arshift(...)
    local count = select("#", ...)
    local number, places = ...
    number = check_number(1, count, number)
    places = check_number(2, count, places)
    return floor(signed(bits_of(number)) / 2 ^ (bits_of(places) % 32))
end

function bit.rol(...)
    local count = select("#", ...)
    local number, places = ...
    number = check_number(1, count, number)
    places = check_number(2, count, places)
    local turned = bits_of(number) * 2 ^ (bits_of(places) % 32)
    local low = turned % TWO_32
    return signed(low + (turned - low) / TWO_32)
end

function bit.ror(...)
    local count = select("#", ...)
    local number, places = ...
    number = check_number(1, count, number)
    places = check_number(2, count, places)
    local turned = bits_of(number) * 2 ^ (-bits_of(places) % 32)
    local low = turned % TWO_32
    return signed(low + (turned - low) / TWO_32)
end

function bit.bswap(...)
    local number = check_number(1, select("#", ...), (...))
    local result = 0
    number = bits_of(number)
    for _ = 1, 4 do
        local low = number % 256
        result, number = result * 256 + low, (number - low) / 256
    end
    return signed(result)
end

function bit.tohex(...)
    local count = select("#", ...)
    local number, digits = ...
    number = check_number(1, count, number)
    digits = count > 1 and check_number(2, count, digits) or 8
    digits = signed(bits_of(digits))
    local form = "%08x"
    if digits < 0 then
        digits, form = -digits, "%08X"
    end
    if digits > 8 then
        digits = 8
    end
    return digits == 0 and "" or sub(format(form, bits_of(number)), -digits)
end

return bit
"""


def install(lua, quick=None) -> None:
    """Defines the global `bit`."""
    define(lua, "bit", SOURCE, quick)
