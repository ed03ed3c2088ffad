-- What a script returns, and how it is run. See sandbox.lua. The functions returned are those that Python calls.

local _, shared = ...

local error, getmetatable, next, rawget, tostring, type, unpack, xpcall = error, getmetatable, next, rawget, tostring, type, unpack, xpcall
local concat = table.concat
local real_of = shared.real_of
local globals, handle, take_stop, state = shared.globals, shared.handle, shared.take_stop, shared.state

-- Values that cross at once; Lua 5.1 has room for 8000 on a stack.
local MOST = 4000
-- Nested tables of a reply.
local DEEPEST = 200
-- Nodes of a reply: a table that holds itself twice would be endless.
local LARGEST = 8000000

-- What a script returns ----------------------------------------------------------------------------------------------------
--
-- A string, a number, a boolean or nil goes as it is. A table goes as a layout and its values, as in `build`; as "F" with the
-- parts of an error that ends the script; as "O" with a status; as "A" with the elements of a flat array.

local function flatten(value, layout, values, depth)
    local kind = type(value)
    if kind == "string" or kind == "number" or kind == "boolean" then
        layout[#layout + 1] = "v"
        values[#values + 1] = value
        return
    end
    if kind ~= "table" then
        layout[#layout + 1] = "n"
        return
    end
    if #layout > LARGEST then error("the reply is too large", 0) end
    value = real_of[value] or value
    if depth > DEEPEST then
        layout[#layout + 1] = "e"
        values[#values + 1] = "ERR reached lua stack limit"
        return
    end
    local field = rawget(value, "err")
    if type(field) == "string" then
        layout[#layout + 1] = rawget(value, "ignore_error_stats_update") and "E" or "e"
        values[#values + 1] = field
        return
    end
    field = rawget(value, "ok")
    if type(field) == "string" then
        layout[#layout + 1] = "o"
        values[#values + 1] = field
        return
    end
    field = rawget(value, "double")
    if type(field) == "number" then
        layout[#layout + 1] = "d"
        values[#values + 1] = field
        return
    end
    field = rawget(value, "map")
    if type(field) == "table" then
        layout[#layout + 1] = "m"
        local place = #values + 1
        local count = 0
        values[place] = 0
        for key, item in next, real_of[field] or field do
            flatten(key, layout, values, depth + 1)
            flatten(item, layout, values, depth + 1)
            count = count + 1
        end
        values[place] = count
        return
    end
    field = rawget(value, "set")
    if type(field) == "table" then
        layout[#layout + 1] = "s"
        local place = #values + 1
        local count = 0
        values[place] = 0
        for key in next, real_of[field] or field do
            flatten(key, layout, values, depth + 1)
            count = count + 1
        end
        values[place] = count
        return
    end
    field = rawget(value, "big_number")
    if type(field) == "string" then
        layout[#layout + 1] = "b"
        values[#values + 1] = field
        return
    end
    field = rawget(value, "verbatim_string")
    if type(field) == "table" then
        local text, shape = rawget(field, "string"), rawget(field, "format")
        if type(text) == "string" and type(shape) == "string" then
            layout[#layout + 1] = "t"
            values[#values + 1] = shape
            values[#values + 1] = text
            return
        end
    end
    layout[#layout + 1] = "a"
    local place = #values + 1
    local count = 0
    values[place] = 0
    while true do
        local item = rawget(value, count + 1)
        if item == nil then break end
        flatten(item, layout, values, depth + 1)
        count = count + 1
    end
    values[place] = count
end

local left, left_from = nil, 0          -- values of a large result that are still to be fetched

-- Python fetches what is left of a result: nothing at its end.
local function more_of_result()
    if not left then return end
    local first, last = left_from, left_from + MOST - 1
    if last >= #left then
        local rest = left
        left = nil
        return unpack(rest, first, #rest)
    end
    left_from = last + 1
    return unpack(left, first, last)
end

local function encode(value)
    local layout, values = {}, {}
    flatten(value, layout, values, 1)
    left, left_from = values, 1
    return concat(layout), #values
end

local last = nil                -- the array that Python has got as it is; it asks for more if there are tables in it

local function encode_last()
    return encode(last)
end

local function result_of(value)
    local kind = type(value)
    if kind == "string" or kind == "number" or kind == "boolean" then return value end
    if kind ~= "table" then return nil end
    if not getmetatable(value) then
        -- The usual case: an array of strings and numbers.
        local count = #value
        if count > 0 and count <= MOST and not (value.err or value.ok or value.double or value.map or value.set
                                                or value.big_number or value.verbatim_string) then
            if type(value[1]) ~= "table" and type(value[count]) ~= "table" then
                last = value
                return "A", unpack(value, 1, count)
            end
        elseif count == 0 and type(value.ok) == "string" and not value.err then
            return "O", value.ok
        end
    end
    return encode(value)
end

local function failure(problem)
    if type(problem) ~= "table" then
        if type(problem) == "userdata" then error(problem, 0) end
        return "F", "ERR " .. tostring(problem), "", -1, false
    end
    local text, source, line = rawget(problem, "err"), rawget(problem, "source"), rawget(problem, "line")
    if type(text) ~= "string" then text = "ERR unknown error" end
    if type(source) ~= "string" then source = "" end
    if type(line) ~= "number" then line = -1 end
    return "F", text, source, line, rawget(problem, "ignore_error_stats_update") == true
end

local function outcome(ok, value)
    local stopped = state.stopping and take_stop()
    if not ok then return failure(stopped or value) end
    return result_of(value)         -- a stop that comes now comes too late
end

-- Running ------------------------------------------------------------------------------------------------------------------

local function one_key(key, ...)
    globals.KEYS, globals.ARGV = {key}, {...}
end

local function no_key(...)
    globals.KEYS, globals.ARGV = {}, {...}
end

local function two_keys(first, second, ...)
    globals.KEYS, globals.ARGV = {first, second}, {...}
end

-- The first `count` of the values, and the others.
local function parted(count, ...)
    local all = {...}
    local keys, rest = {}, {}
    for i = 1, count do keys[i] = all[i] end
    for i = count + 1, #all do rest[i - count] = all[i] end
    return keys, rest
end

-- xpcall hands on no arguments: what it calls finds them here.
local function_body, function_keys, function_arguments

local function call_function()
    return function_body(function_keys, function_arguments)
end

local function first_and_rest(first, ...)
    return {first}, {...}
end

-- Each of these begins by forgetting a stop that came after the end of the run before.

-- Runs a script: `count` keys, then the arguments. Gives what `result_of` and `failure` say.
local function run_script(body, count, ...)
    if state.stopping then take_stop() end
    if count == 1 then
        one_key(...)
    elseif count == 0 then
        no_key(...)
    elseif count == 2 then
        two_keys(...)
    else
        globals.KEYS, globals.ARGV = parted(count, ...)
    end
    return outcome(xpcall(body, handle))
end

-- Runs a function of a library, which gets its keys and arguments as two tables.
local function run_function(body, count, ...)
    if state.stopping then take_stop() end
    function_body = body
    if count == 0 then
        function_keys, function_arguments = {}, {...}
    elseif count == 1 then
        function_keys, function_arguments = first_and_rest(...)
    else
        function_keys, function_arguments = parted(count, ...)
    end
    return outcome(xpcall(call_function, handle))
end

-- Runs the body of a library, without arguments. What it finds meanwhile is library.lua's business.
local function run_body(body)
    if state.stopping then take_stop() end
    return outcome(xpcall(body, handle))
end

-- Collects many keys and arguments, for the two above, which get none then.
local gathered = {}

local function gather(...)
    local count = #gathered
    local part = {...}
    for i = 1, #part do gathered[count + i] = part[i] end
end

local function run_gathered(body, count, is_function)
    if state.stopping then take_stop() end
    local all, keys, rest = gathered, {}, {}
    gathered = {}
    for i = 1, count do keys[i] = all[i] end
    for i = count + 1, #all do rest[i - count] = all[i] end
    if is_function then
        function_body, function_keys, function_arguments = body, keys, rest
        return outcome(xpcall(call_function, handle))
    end
    globals.KEYS, globals.ARGV = keys, rest
    return outcome(xpcall(body, handle))
end

-- The first two again, for the bridge, which makes the tables itself.
local function run_script_with(body, keys, arguments)
    if state.stopping then take_stop() end
    globals.KEYS, globals.ARGV = keys, arguments
    return outcome(xpcall(body, handle))
end

local function run_function_with(body, keys, arguments)
    if state.stopping then take_stop() end
    return outcome(xpcall(function() return body(keys, arguments) end, handle))
end

return run_script, run_function, run_body, run_gathered, gather, more_of_result, shared.adopt, shared.bind, string.dump, encode_last,
    run_script_with, run_function_with
