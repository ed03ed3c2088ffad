-- What a script sees of Lua: the globals and libraries, made safe. The interpreter (interpreter.py) runs sandbox.lua, replies.lua,
-- api.lua and running.lua in a fresh Lua 5.1, in this order; `shared` is what the later ones need of the earlier.
--
-- The rules of these files:
--   * A script reaches the functions and tables of this environment and nothing else: neither the true globals, nor `debug`,
--     nor a Python object. Python's functions are upvalues of closures made here. They answer, and never raise.
--   * Stock Lua has no read-only tables. What must not be written (the globals, the libraries) is an empty table in front of
--     the real one; whatever could get past it (rawset, table.insert, next, ...) looks into `real_of` first.
--   * Lua's own functions are called by their own names: errors show them.

local host, shared = ...        -- Python's functions, by name; what these files share

local assert, error, getmetatable, ipairs, loadstring, pcall, rawequal, rawget, rawset, select, setfenv, setmetatable, tonumber,
    tostring, type, unpack, xpcall =
    assert, error, getmetatable, ipairs, loadstring, pcall, rawequal, rawget, rawset, select, setfenv, setmetatable, tonumber,
    tostring, type, unpack, xpcall
local next, pairs, collectgarbage = next, pairs, collectgarbage
local getinfo, sethook = debug.getinfo, debug.sethook
local byte, format, find, match, gmatch, gsub = string.byte, string.format, string.find, string.match, string.gmatch, string.gsub
local concat, insert, rep = table.concat, table.insert, string.rep
local create, resume, status = coroutine.create, coroutine.resume, coroutine.status
local floor = math.floor

local interrupted, check_source, is_exception = host.interrupted, host.check_source, host.is_exception

-- Strings that Lua's parser keeps no reference to while it parses: they must not be collected meanwhile.
shared.anchors = {"@user_script", "=(load)", "=carnelian"}

-- Instructions between two looks at the clock.
local INSTRUCTIONS = 100000
-- The same in a coroutine, which begins to count anew each time that it is resumed.
local FEW_INSTRUCTIONS = 10000
-- Lua's matching of patterns recurses once for each item, on the stack of the process.
local LONGEST_PATTERN = 10000
-- What `load` collects; the rest is not asked for.
local LONGEST_SOURCE = 16777216
-- Lua 5.1 has room for no more on its stack.
local MOST_UNPACKED = 8000

-- Read-only tables -------------------------------------------------------------------------------------------------------

local real_of = {}              -- what stands in front -> what is behind

local READONLY = "Attempt to modify a readonly table"

local function refuse()
    error(READONLY, 2)
end

-- The table that a script gets in place of `real`.
local function protect(real)
    local front = {}
    real_of[front] = real
    local shown = {}            -- what getmetatable gives
    real_of[shown] = {__index = front, __newindex = refuse}
    setmetatable(shown, {__index = real_of[shown], __newindex = refuse, __metatable = shown})
    return setmetatable(front, {__index = real, __newindex = refuse, __metatable = shown})
end

local function protected_next(front, key)
    return next(real_of[front], key)
end

-- Errors -----------------------------------------------------------------------------------------------------------------

local state = shared.state       -- `stopping`: the error that ends a script which was stopped, once it was

-- An error that Lua's own functions raised in one of ours names our line. It is the script's error: `place` says where.
local function ours_removed(problem, place)
    if type(problem) == "string" then return (gsub(problem, "^carnelian:%d+: ", place)) end
    return problem
end

-- Redis's errors are tables: err, source, line. The handler adds where the error was raised.
local function handle(problem)
    local source, line
    for level = 2, 5000 do              -- our own frames come first: thousands of them, where a library has nested deeply
        local info = getinfo(level, "Sl")
        if not info then break end
        if info.what ~= "C" and info.what ~= "tail" and info.source ~= "=carnelian" then
            source, line = info.source, info.currentline
            break
        end
    end
    if type(problem) ~= "table" then
        if type(problem) == "userdata" and is_exception(problem) then return problem end        -- it goes back to Python
        problem = ours_removed(problem, source and gsub(source, "^@", "") .. ":" .. line .. ": " or "")
        problem = {err = "ERR " .. tostring(problem)}
    end
    if source and not real_of[problem] then
        rawset(problem, "source", source)
        rawset(problem, "line", line)
    end
    return problem
end

-- Once a script is stopped, every further instruction of its own raises: no pcall keeps it alive. Ours are let go on.
local function every()
    if getinfo(2, "S").source ~= "=carnelian" then error(state.stopping, 0) end
end

local function hook()
    if not state.stopping then
        local reason = interrupted()
        if not reason then return end
        state.stopping = {err = reason}
    end
    sethook(every, "", 1)
end

local function raise(text)
    error({err = text, ignore_error_stats_update = true}, 0)
end

-- Lua's own functions, made safe -------------------------------------------------------------------------------------------

local function after_pcall(ok, problem, ...)
    if ok then return ok, problem, ... end
    if state.stopping then
        sethook(every, "", 1)
        error(state.stopping, 0)
    end
    if type(problem) == "table" and not real_of[problem] then
        local text = rawget(problem, "err")
        if type(text) == "string" or type(text) == "number" then problem = text end
    elseif type(problem) == "userdata" and is_exception(problem) then
        error(problem, 0)
    end
    return false, ours_removed(problem, "")
end

local function safe_pcall(...)
    return after_pcall(pcall(...))
end

local function after_xpcall(ok, problem, ...)
    if not ok then
        if state.stopping then
            sethook(every, "", 1)
            error(state.stopping, 0)
        end
        if type(problem) == "userdata" and is_exception(problem) then error(problem, 0) end
    end
    return ok, problem, ...
end

local function safe_xpcall(body, handler, ...)
    return after_xpcall(xpcall(body, function(problem)
        if state.stopping or type(problem) == "userdata" then return problem end
        return handler(ours_removed(problem, ""))
    end))
end

local function after_resume(thread, ok, problem, ...)
    sethook(thread)                 -- Lua would keep the hook of a thread for ever
    if ok then return ok, problem, ... end
    if state.stopping then
        sethook(every, "", 1)
        error(state.stopping, 0)
    end
    if type(problem) == "userdata" and is_exception(problem) then error(problem, 0) end
    return false, ours_removed(problem, "")
end

local function safe_resume(thread, ...)
    if type(thread) ~= "thread" then return resume(thread) end
    if status(thread) == "suspended" then sethook(thread, hook, "", FEW_INSTRUCTIONS) end       -- a hook is a thread's own
    return after_resume(thread, resume(thread, ...))
end

local function after_wrapped(ok, problem, ...)
    if ok then return problem, ... end
    if type(problem) == "string" then error(problem, 3) end
    error(problem, 0)
end

local function safe_wrap(body)
    local thread = create(body)
    return function(...)
        return after_wrapped(safe_resume(thread, ...))
    end
end

local function safe_next(object, key)
    return next(real_of[object] or object, key)
end

local function safe_pairs(object)
    if real_of[object] then return protected_next, object, nil end
    return pairs(object)
end

local function safe_rawget(object, key)
    return rawget(real_of[object] or object, key)
end

local function safe_rawset(object, key, value)
    if real_of[object] then error(READONLY, 0) end
    return rawset(object, key, value)
end

local function safe_setmetatable(object, ...)
    if real_of[object] then error(READONLY, 0) end
    return setmetatable(object, ...)
end

local function safe_insert(object, position, ...)
    if real_of[object] then error(READONLY, 0) end
    if select("#", ...) == 0 then return insert(object, position) end
    if type(position) == "number" and position < -MOST_UNPACKED then error("bad argument #2 to 'insert' (position out of bounds)", 2) end
    return insert(object, position, ...)                -- it goes through all positions, in C
end

-- Lua's own counts in 32 bits, and believes a sum that has overflowed (CVE-2025-46817).
local function safe_unpack(list, first, last)
    if first == nil and last == nil then return unpack(list) end
    local low, high = tonumber(first or 1), tonumber(last or type(list) == "table" and #list)
    if low and high and (high - low >= MOST_UNPACKED or low < -2147483648 or high > 2147483647) then
        error("too many results to unpack", 2)
    end
    return unpack(list, first, last)
end

local function safe_rep(subject, count, ...)
    if subject == "" and tonumber(count) then return "" end         -- any number of times, in C
    return rep(subject, count, ...)
end

-- The collector's settings would outlast the script.
local function safe_collectgarbage(option, ...)
    if option == nil or option == "collect" or option == "count" or option == "step" then
        return collectgarbage(option, ...)
    end
    if option == "stop" or option == "restart" or option == "setpause" or option == "setstepmul" then return 0 end
    return collectgarbage(option)
end

local function is_too_complex(pattern)
    return type(pattern) == "string" and #pattern > LONGEST_PATTERN
end

local function safe_find(...)
    local _, pattern, _, plain = ...
    if not plain and is_too_complex(pattern) then error("pattern too complex", 2) end
    return find(...)
end

local function safe_match(...)
    if is_too_complex((select(2, ...))) then error("pattern too complex", 2) end
    return match(...)
end

local function safe_gmatch(...)
    if is_too_complex((select(2, ...))) then error("pattern too complex", 2) end
    return gmatch(...)
end

local function safe_gsub(...)
    if is_too_complex((select(2, ...))) then error("pattern too complex", 2) end
    return gsub(...)
end

-- Pseudo-random numbers: the generator of POSIX's drand48, x = x * 0x5DEECE66D + 0xB modulo 2^48, in two halves of 24 bits.
-- https://pubs.opengroup.org/onlinepubs/9699919799/functions/drand48.html
local high, low = 0, 0x330E

local function seed(number)
    number = number % 4294967296
    high, low = floor(number / 256), (number % 256) * 65536 + 0x330E
end

local function random_fraction()
    local product = low * 0xECE66D + 0xB                -- below 2^53: exact
    high = (floor(product / 16777216) + high * 0xECE66D + low * 0x5DE) % 16777216
    low = product % 16777216
    -- The top 31 bits, as lrand48 gives them.
    local number = high * 128 + floor(low / 131072)
    return (number % 2147483647) / 2147483647
end

local function integer_argument(value, position, name)
    local number = tonumber(value)
    if not number then
        error(format("bad argument #%d to '%s' (number expected, got %s)", position, name,
                     value == nil and "no value" or type(value)), 3)
    end
    return number >= 0 and floor(number) or -floor(-number)
end

local function random(...)
    local count = select("#", ...)
    local fraction = random_fraction()
    if count == 0 then return fraction end
    if count > 2 then error("wrong number of arguments", 2) end
    local first, last = ...
    if count == 1 then
        last = integer_argument(first, 1, "random")
        if last < 1 then error("bad argument #1 to 'random' (interval is empty)", 2) end
        return floor(fraction * last) + 1
    end
    first, last = integer_argument(first, 1, "random"), integer_argument(last, 2, "random")
    if first > last then error("bad argument #2 to 'random' (interval is empty)", 2) end
    return floor(fraction * (last - first + 1)) + first
end

local function randomseed(number)
    seed(integer_argument(number, 1, "randomseed"))
end

-- The environment --------------------------------------------------------------------------------------------------------

local function copy(source, names)
    local result = {}
    for name in names:gmatch("%S+") do result[name] = source[name] end
    return result
end

local globals = {
    _VERSION = _VERSION, assert = assert, error = error, gcinfo = gcinfo, getmetatable = getmetatable, ipairs = ipairs,
    rawequal = rawequal, select = select, tonumber = tonumber, tostring = tostring, type = type, unpack = safe_unpack,
    collectgarbage = safe_collectgarbage, next = safe_next, pairs = safe_pairs, pcall = safe_pcall, rawget = safe_rawget,
    rawset = safe_rawset, setmetatable = safe_setmetatable, xpcall = safe_xpcall,
}
setmetatable(globals, {__index = function(_, name)
    error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
end})
local environment = protect(globals)
globals._G = environment

local function load_text(source, name)
    if byte(source) == 27 then
        -- Bytecode is not checked by Lua, so it is not read; this is what a Lua without it says.
        local _, message = loadstring("\2", name or source)
        return nil, (gsub(message, "char%(2%)", "char(27)"))
    end
    local problem = check_source(source)
    if problem then return nil, problem end
    local body, message = loadstring(source, name)
    if not body then return nil, message end
    return setfenv(body, environment)
end

function globals.loadstring(source, name)
    if type(source) == "number" then source = tostring(source) end
    if type(source) ~= "string" then
        error("bad argument #1 to 'loadstring' (string expected, got " .. (source == nil and "no value" or type(source)) .. ")", 2)
    end
    if name ~= nil and type(name) ~= "string" and type(name) ~= "number" then
        error("bad argument #2 to 'loadstring' (string expected, got " .. type(name) .. ")", 2)
    end
    return load_text(source, name)
end

function globals.load(reader, name)
    if type(reader) ~= "function" then
        error("bad argument #1 to 'load' (function expected, got " .. (reader == nil and "no value" or type(reader)) .. ")", 2)
    end
    if name ~= nil and type(name) ~= "string" and type(name) ~= "number" then
        error("bad argument #2 to 'load' (string expected, got " .. type(name) .. ")", 2)
    end
    local parts, size = {}, 0
    while size < LONGEST_SOURCE do
        local part = reader()
        if part == nil or part == "" then break end
        if type(part) ~= "string" then return nil, "reader function must return a string" end
        parts[#parts + 1] = part
        size = size + #part
    end
    return load_text(concat(parts), name or "=(load)")
end

local real_string = copy(string, "byte char dump format len lower reverse sub upper")
real_string.find, real_string.match, real_string.gsub, real_string.rep = safe_find, safe_match, safe_gsub, safe_rep
real_string.gmatch, real_string.gfind = safe_gmatch, safe_gmatch
globals.string = protect(real_string)

local of_strings = debug.getmetatable("")
of_strings.__index = real_string
of_strings.__metatable = {}
real_of[of_strings.__metatable] = {__index = globals.string}
setmetatable(of_strings.__metatable, {__index = real_of[of_strings.__metatable], __newindex = refuse, __metatable = false})

local real_table = copy(table, "concat foreach foreachi getn maxn remove setn sort")
real_table.insert = safe_insert
globals.table = protect(real_table)

local real_math = copy(math, "abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp huge ldexp log log10 max min mod modf "
                             .. "pi pow rad sin sinh sqrt tan tanh")
real_math.random, real_math.randomseed = random, randomseed
globals.math = protect(real_math)

local real_coroutine = copy(coroutine, "create running status yield")
real_coroutine.resume, real_coroutine.wrap = safe_resume, safe_wrap
globals.coroutine = protect(real_coroutine)

globals.os = protect({clock = os.clock})

-- What the other files need ------------------------------------------------------------------------------------------------

shared.real_of, shared.protect, shared.globals = real_of, protect, globals
shared.handle, shared.raise = handle, raise

-- The error that ends a stopped script, if it was stopped; from then on nothing is stopped, and the hook is the usual one.
function shared.take_stop()
    local problem = state.stopping
    if problem then
        state.stopping = nil
        sethook(hook, "", INSTRUCTIONS)
    end
    return problem
end

function shared.stop_again()
    if state.stopping then error(state.stopping, 0) end
end

-- Takes a library that Python has put among the true globals.
function shared.adopt(name)
    local library = rawget(_G, name)
    _G[name] = nil
    if library then globals[name] = protect(library) end
end

-- Gives a function its globals: the environment of scripts, or another.
function shared.bind(body, other)
    return setfenv(body, other or environment)
end

sethook(hook, "", INSTRUCTIONS)
