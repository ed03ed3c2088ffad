"""The Lua library cjson: https://redis.io/docs/latest/develop/interact/programmability/lua-api/#cjson-library

An empty table is written as {}, unless it was read from [] with decode_array_with_array_mt(true).
"""
from carnelian.scripting.libraries.support import define

SOURCE = rb"""
local support = ...
local type, next, rawget, error, tostring, tonumber, select = type, next, rawget, error, tostring, tonumber, select
local find, sub, byte, gsub, format, char = string.find, string.sub, string.byte, string.gsub, string.format, string.char
local lower, concat, floor, huge = string.lower, table.concat, math.floor, math.huge
local getmetatable, setmetatable = getmetatable, setmetatable
local bad_argument, check_string, check_integer = support.bad_argument, support.check_string, support.check_integer
local null = newproxy(true)             -- where Redis has a null pointer, which reads so
getmetatable(null).__tostring = function() return "userdata: (nil)" end
getmetatable(null).__metatable = false
local quick_encode, quick_decode = support.quick.encode, support.quick.decode      -- nil: there are none
setfenv(1, {})

local escapes = {['"'] = '\\"', ["\\"] = "\\\\", ["/"] = "\\/", ["\127"] = "\\u007f"}
for code = 0, 31 do
    escapes[char(code)] = format("\\u%04x", code)
end
escapes["\b"], escapes["\t"], escapes["\n"], escapes["\f"], escapes["\r"] = "\\b", "\\t", "\\n", "\\f", "\\r"
local escaped = {['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t"}
local marks = {["{"] = "T_OBJ_BEGIN", ["}"] = "T_OBJ_END", ["["] = "T_ARR_BEGIN", ["]"] = "T_ARR_END", [":"] = "T_COLON",
               [","] = "T_COMMA"}
local array_metatable = {__is_cjson_array = true}

local function utf8(code)
    if code < 0x80 then
        return char(code)
    elseif code < 0x800 then
        return char(0xC0 + floor(code / 64), 0x80 + code % 64)
    elseif code < 0x10000 then
        return char(0xE0 + floor(code / 4096), 0x80 + floor(code / 64) % 64, 0x80 + code % 64)
    end
    return char(0xF0 + floor(code / 262144), 0x80 + floor(code / 4096) % 64, 0x80 + floor(code / 64) % 64, 0x80 + code % 64)
end

-- The string whose opening quote is at `at`, and where it is over; or nil, what is wrong, and where.
local function read_string(text, at)
    local pieces, count = {}, 0
    at = at + 1
    while true do
        local stop = find(text, '["\\%z]', at)
        local mark = stop and byte(text, stop)
        if mark ~= 34 and mark ~= 92 then
            return nil, "unexpected end of string", stop or #text + 1
        end
        count = count + 1
        pieces[count] = sub(text, at, stop - 1)
        if mark == 34 then
            return concat(pieces), stop + 1
        end
        local letter = sub(text, stop + 1, stop + 1)
        count = count + 1
        if letter == "u" then
            local digits = sub(text, stop + 2, stop + 5)
            local code = find(digits, "^%x%x%x%x$") and tonumber(digits, 16)
            at = stop + 6
            if code and code >= 0xD800 and code <= 0xDFFF then
                local _, _, digits = find(text, "^\\u(%x%x%x%x)", at)
                local second = digits and tonumber(digits, 16)
                if code < 0xDC00 and second and second >= 0xDC00 and second <= 0xDFFF then
                    code = (code - 0xD800) * 1024 + second - 0xDC00 + 0x10000
                    at = at + 6
                else
                    code = nil
                end
            end
            if not code then
                return nil, "invalid unicode escape code", stop
            end
            pieces[count] = utf8(code)
        else
            pieces[count] = escaped[letter]
            if not pieces[count] then
                return nil, "invalid escape code", stop
            end
            at = stop + 2
        end
    end
end

-- Whether a number, in C's opinion, begins here that JSON does not know: a plus, hexadecimal, leading zeros, infinity.
local function is_invalid_number(text, at)
    if find(text, "^%+", at) then
        return true
    end
    at = find(text, "^%-", at) and at + 1 or at
    if find(text, "^0", at) then
        return find(text, "^[xX%d]", at + 1) ~= nil
    end
    local word = lower(sub(text, at, at + 2))
    return word == "inf" or word == "nan"
end

-- The longest number, in C's opinion, that begins here, and where it is over; or nil.
local function read_number(text, at)
    local _, stop = find(text, "^-?%d+%.?%d*", at)
    if not stop then
        _, stop = find(text, "^[+-]?%d+%.?%d*", at)
    end
    if not stop then
        _, stop = find(text, "^[+-]?%.%d+", at)
    end
    if stop then
        local _, sign = find(text, "^[+-]?0[xX]", at)
        if sign then
            local _, over = find(text, "^%x+%.?%x*", sign + 1)
            if not over then
                _, over = find(text, "^%.%x+", sign + 1)
            end
            if over then
                local _, exponent = find(text, "^[pP][+-]?%d+", over + 1)
                stop = exponent or over
            end
        else
            local _, exponent = find(text, "^[eE][+-]?%d+", stop + 1)
            stop = exponent or stop
        end
        return tonumber(sub(text, at, stop)), stop + 1
    end
    local _, sign = find(text, "^[+-]?", at)
    local word = lower(sub(text, sign + 1, sign + 8))
    local value
    if word == "infinity" then
        value, stop = huge, sign + 8
    elseif sub(word, 1, 3) == "inf" then
        value, stop = huge, sign + 3
    elseif sub(word, 1, 3) == "nan" then
        value = tonumber("nan") or -(huge - huge)
        _, stop = find(text, "^%([%w_]*%)", sign + 4)
        stop = stop or sign + 3
    else
        return nil
    end
    return sub(text, at, at) == "-" and -value or value, stop + 1
end

local function new()
    local instance = {null = null, _NAME = "cjson", _VERSION = "2.1.0", new = new}
    local convert_sparse, sparse_ratio, sparse_safe = false, 2, 10
    local encode_depth, decode_depth = 1000, 1000
    local encode_invalid, decode_invalid = false, true
    local keep_buffer, precision, number_format, key_format = true, 14, "%.14g", '"%.14g":'
    local mark_arrays = false
    local quick_encode, quick_decode = quick_encode, quick_decode      -- nil as well once a setting is changed

    -- Writing. `frame` counts the frames of this function on the stack, and so the depth.
    local function append(out, n, value, frame)
        local kind = type(value)
        if kind == "string" then
            if find(value, '[%c"\\/]') then
                value = gsub(value, '[%c"\\/]', escapes)
            end
            n = n + 1
            out[n] = '"' .. value .. '"'
            return n
        elseif kind == "number" then
            n = n + 1
            if value ~= value or value == huge or value == -huge then
                if not encode_invalid then
                    error("Cannot serialise number: must not be NaN or Inf", frame + 2)
                end
                out[n] = encode_invalid == "null" and "null" or value ~= value and "nan" or value > 0 and "inf" or "-inf"
                return n
            end
            out[n] = format(number_format, value)
            return n
        elseif kind == "table" then
            if frame > encode_depth then
                error(format("Cannot serialise, excessive nesting (%d)", frame), frame + 2)
            end
            local top, count = 0, 0
            for key in next, value do
                if type(key) == "number" and key >= 1 and key % 1 == 0 then
                    count = count + 1
                    if key > top then
                        top = key
                    end
                else
                    top = -1
                    break
                end
            end
            if sparse_ratio > 0 and top > count * sparse_ratio and top > sparse_safe then
                if not convert_sparse then
                    error("Cannot serialise table: excessively sparse array", frame + 2)
                end
                top = -1
            end
            if top > 0 then
                for index = 1, top do
                    n = n + 1
                    out[n] = index == 1 and "[" or ","
                    n = append(out, n, rawget(value, index), frame + 1)
                end
                n = n + 1
                out[n] = "]"
                return n
            end
            local mark = "{"
            for key, item in next, value do
                n = n + 1
                if type(key) == "string" then
                    if find(key, '[%c"\\/]') then
                        key = gsub(key, '[%c"\\/]', escapes)
                    end
                    out[n] = mark .. '"' .. key .. '":'
                elseif type(key) == "number" then
                    out[n] = mark .. format(key_format, key)
                else
                    error("Cannot serialise " .. type(key) .. ": table key must be a number or string", frame + 2)
                end
                mark = ","
                n = append(out, n, item, frame + 1)
            end
            n = n + 1
            if mark == "," then
                out[n] = "}"
            else
                local metatable = getmetatable(value)
                out[n] = type(metatable) == "table" and rawget(metatable, "__is_cjson_array") and "[]" or "{}"
            end
            return n
        elseif kind == "boolean" then
            n = n + 1
            out[n] = value and "true" or "false"
            return n
        elseif value == nil or value == null then
            n = n + 1
            out[n] = "null"
            return n
        end
        error("Cannot serialise " .. kind .. ": type not supported", frame + 2)
    end

    function instance.encode(...)
        if select("#", ...) ~= 1 then
            bad_argument(1, "expected 1 argument")
        end
        if quick_encode then
            local done, text = quick_encode((...), null)
            if done then
                return text
            end
        end
        local out = {}
        local n = append(out, 0, (...), 1)
        return concat(out, "", 1, n)
    end

    -- The name of the token at `at`, or what is wrong with it, and its place.
    local function token(text, at)
        at = find(text, "[^ \t\r\n]", at) or #text + 1
        local first = sub(text, at, at)
        if first == "" or first == "\0" then
            return "T_END", at
        elseif marks[first] then
            return marks[first], at
        elseif first == '"' then
            local value, problem, place = read_string(text, at)
            if value then
                return "T_STRING", at
            end
            return problem, place
        elseif find(first, "[-%d]") then
            if not decode_invalid and is_invalid_number(text, at) or not read_number(text, at) then
                return "invalid number", at
            end
            return "T_NUMBER", at
        elseif sub(text, at, at + 3) == "true" or sub(text, at, at + 4) == "false" then
            return "T_BOOLEAN", at
        elseif sub(text, at, at + 3) == "null" then
            return "T_NULL", at
        elseif decode_invalid and is_invalid_number(text, at) then
            return read_number(text, at) and "T_NUMBER" or "invalid number", at
        end
        return "invalid token", at
    end

    local function expected(what, text, at)
        local found, place = token(text, at)
        return format("Expected %s but found %s at character %d", what, found, place)
    end

    -- Reading: the value, and where it is over. `frame` as above.
    local function read(text, at, frame)
        local first = byte(text, at)
        if first == 32 or first == 10 or first == 13 or first == 9 then
            at = find(text, "[^ \t\r\n]", at) or #text + 1
            first = byte(text, at)
        end
        if first == 34 then
            local stop = find(text, '["\\%z]', at + 1)
            if stop and byte(text, stop) == 34 then
                return sub(text, at + 1, stop - 1), stop + 1
            end
            local value, after = read_string(text, at)
            if value then
                return value, after
            end
        elseif first == 123 then
            local object = {}
            if frame > decode_depth then
                error(format("Found too many nested data structures (%d) at character %d", frame, at), frame + 2)
            end
            at = find(text, "[^ \t\r\n]", at + 1)
            if at and byte(text, at) == 125 then
                return object, at + 1
            end
            at = at or #text + 1
            while true do
                local stop = byte(text, at) == 34 and find(text, '["\\%z]', at + 1)
                local key, value
                if stop and byte(text, stop) == 34 then
                    key, stop = sub(text, at + 1, stop - 1), stop + 1
                else
                    if stop then
                        key, stop = read_string(text, at)
                    end
                    if not key then
                        error(expected("object key string", text, at), frame + 2)
                    end
                end
                at = stop
                if byte(text, at) ~= 58 then
                    at = find(text, "[^ \t\r\n]", at) or #text + 1
                    if byte(text, at) ~= 58 then
                        error(expected("colon", text, at), frame + 2)
                    end
                end
                value, at = read(text, at + 1, frame + 1)
                object[key] = value
                local mark = byte(text, at)
                if mark ~= 44 and mark ~= 125 then
                    at = find(text, "[^ \t\r\n]", at) or #text + 1
                    mark = byte(text, at)
                end
                if mark == 125 then
                    return object, at + 1
                elseif mark ~= 44 then
                    error(expected("comma or object end", text, at), frame + 2)
                end
                at = find(text, "[^ \t\r\n]", at + 1) or #text + 1
            end
        elseif first == 91 then
            local array, count = {}, 0
            if frame > decode_depth then
                error(format("Found too many nested data structures (%d) at character %d", frame, at), frame + 2)
            end
            at = find(text, "[^ \t\r\n]", at + 1)
            if at and byte(text, at) == 93 then
                return mark_arrays and setmetatable(array, array_metatable) or array, at + 1
            end
            at = at or #text + 1
            while true do
                count = count + 1
                array[count], at = read(text, at, frame + 1)
                local mark = byte(text, at)
                if mark ~= 44 and mark ~= 93 then
                    at = find(text, "[^ \t\r\n]", at) or #text + 1
                    mark = byte(text, at)
                end
                if mark == 93 then
                    return array, at + 1
                elseif mark ~= 44 then
                    error(expected("comma or array end", text, at), frame + 2)
                end
                at = at + 1
            end
        elseif first == 116 then
            if sub(text, at, at + 3) == "true" then
                return true, at + 4
            end
        elseif first == 102 then
            if sub(text, at, at + 4) == "false" then
                return false, at + 5
            end
        elseif first == 110 and sub(text, at, at + 3) == "null" then
            return null, at + 4
        elseif first then
            local wanted
            if first == 45 or first >= 48 and first <= 57 then
                wanted = decode_invalid or not is_invalid_number(text, at)
            else
                wanted = decode_invalid and is_invalid_number(text, at)
            end
            if wanted then
                local value, after = read_number(text, at)
                if value then
                    return value, after
                end
            end
        end
        error(expected("value", text, at), frame + 2)
    end

    function instance.decode(...)
        if select("#", ...) ~= 1 then
            bad_argument(1, "expected 1 argument")
        end
        if quick_decode then
            local done, value = quick_decode((...), null)
            if done then
                return value
            end
        end
        local text = check_string(1, 1, (...))
        if #text >= 2 and (byte(text, 1) == 0 or byte(text, 2) == 0) then
            error("JSON parser does not support UTF-16 or UTF-32", 2)
        end
        local value, at = read(text, 1, 1)
        at = find(text, "[^ \t\r\n]", at)
        if at and byte(text, at) ~= 0 then
            error(expected("the end", text, at), 2)
        end
        return value
    end

    -- Settings: each function answers with what holds now.

    local function choice(given, names, count, index, value)
        if type(value) == "string" or type(value) == "number" then
            local name = tostring(value)
            if names[name] ~= nil then
                return true, names[name]
            end
            return false, "invalid option '" .. name .. "'"
        end
        return false, "string expected, got " .. (index > count and "no value" or type(value))
    end

    local switch = {off = false, on = true}

    local function setting(names, get, set)
        return function(...)
            local count, value = select("#", ...), (...)
            quick_encode, quick_decode = nil, nil
            if count > 1 then
                bad_argument(2, "found too many arguments")
            end
            if type(value) == "boolean" then
                set(value)
            elseif value ~= nil then
                local known, result = choice(get(), names, count, 1, value)
                if not known then
                    bad_argument(1, result)
                end
                set(result)
            end
            return get()
        end
    end

    local function number_setting(least, most, get, set)
        return function(...)
            local count, value = select("#", ...), (...)
            quick_encode, quick_decode = nil, nil
            if count > 1 then
                bad_argument(2, "found too many arguments")
            end
            if value ~= nil then
                value = check_integer(1, count, value)
                if value < least or value > most then
                    bad_argument(1, format("expected integer between %d and %d", least, most))
                end
                set(value)
            end
            return get()
        end
    end

    instance.encode_max_depth = number_setting(1, 2147483647, function() return encode_depth end,
                                               function(value) encode_depth = value end)
    instance.decode_max_depth = number_setting(1, 2147483647, function() return decode_depth end,
                                               function(value) decode_depth = value end)
    instance.encode_number_precision = number_setting(1, 14, function() return precision end, function(value)
        precision = value
        number_format = "%." .. value .. "g"
        key_format = '"' .. number_format .. '":'
    end)
    instance.encode_keep_buffer = setting(switch, function() return keep_buffer end, function(value) keep_buffer = value end)
    instance.encode_invalid_numbers = setting({off = false, on = true, null = "null"}, function() return encode_invalid end,
                                              function(value) encode_invalid = value end)
    instance.decode_invalid_numbers = setting(switch, function() return decode_invalid end,
                                              function(value) decode_invalid = value end)
    instance.decode_array_with_array_mt = setting(switch, function() return mark_arrays end,
                                                  function(value) mark_arrays = value end)

    function instance.encode_sparse_array(...)
        local count = select("#", ...)
        local convert, ratio, safe = ...
        quick_encode, quick_decode = nil, nil
        if count > 3 then
            bad_argument(4, "found too many arguments")
        end
        if type(convert) == "boolean" then
            convert_sparse = convert
        elseif convert ~= nil then
            local known, result = choice(convert_sparse, switch, count, 1, convert)
            if not known then
                bad_argument(1, result)
            end
            convert_sparse = result
        end
        if ratio ~= nil then
            ratio = check_integer(2, count, ratio)
            if ratio < 0 or ratio > 2147483647 then
                bad_argument(1, "expected integer between 0 and 2147483647")
            end
            sparse_ratio = ratio
        end
        if safe ~= nil then
            safe = check_integer(3, count, safe)
            if safe < 0 or safe > 2147483647 then
                bad_argument(1, "expected integer between 0 and 2147483647")
            end
            sparse_safe = safe
        end
        return convert_sparse, sparse_ratio, sparse_safe
    end

    return instance
end

return new()
"""


def install(lua, quick=None) -> None:
    """Defines the global `cjson`."""
    define(lua, "cjson", SOURCE, quick)
