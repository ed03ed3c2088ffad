-- What libraries of functions have beside scripts: redis.register_function, and globals of their own. See sandbox.lua.
--
-- While the body of a library runs, its only global is a small `redis`. Its functions find the globals of scripts, but KEYS
-- and ARGV. Both look through the same table, which is switched between the two.

local _, shared = ...

local error, next, rawget, select, setmetatable, tostring, type = error, next, rawget, select, setmetatable, tostring, type
local find, lower = string.find, string.lower
local globals, protect, raise, real_of = shared.globals, shared.protect, shared.raise, shared.real_of

local FLAGS = {["no-writes"] = true, ["allow-oom"] = true, ["allow-stale"] = true, ["no-cluster"] = true,
               ["allow-cross-slot-keys"] = true}

local registered = nil          -- while a library is loaded: its functions, and by name

local function nonexistent(_, name)
    error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
end

local function is_text(value)
    return type(value) == "string" or type(value) == "number"
end

local function flags_of(value)
    if type(value) ~= "table" then
        raise("ERR flags argument to redis.register_function must be a table representing function flags")
    end
    value = real_of[value] or value
    local flags, index = "", 1
    while true do
        local flag = rawget(value, index)
        if flag == nil then return flags end
        if type(flag) ~= "string" or not FLAGS[lower(flag)] then raise("ERR unknown flag given") end
        flags = flags .. " " .. lower(flag)
        index = index + 1
    end
end

-- redis.register_function{function_name=, callback=, flags=, description=}
local function named_arguments(given)
    local name, callback, description, flags
    for key, value in next, real_of[given] or given do
        if not is_text(key) then raise("ERR named argument key given to redis.register_function is not a string") end
        key = lower(tostring(key))
        if key == "function_name" then
            if not is_text(value) then
                raise("ERR function_name argument given to redis.register_function must be a string")
            end
            name = tostring(value)
        elseif key == "description" then
            if not is_text(value) then
                raise("ERR description argument given to redis.register_function must be a string")
            end
            description = tostring(value)
        elseif key == "callback" then
            if type(value) ~= "function" then
                raise("ERR callback argument given to redis.register_function must be a function")
            end
            callback = value
        elseif key == "flags" then
            flags = flags_of(value)
        else
            raise("ERR unknown argument given to redis.register_function")
        end
    end
    if not name then raise("ERR redis.register_function must get a function name argument") end
    if not callback then raise("ERR redis.register_function must get a callback argument") end
    return name, callback, description, flags
end

-- redis.register_function(name, callback)
local function positional_arguments(name, callback)
    if not is_text(name) then raise("ERR first argument to redis.register_function must be a string") end
    if type(callback) ~= "function" then raise("ERR second argument to redis.register_function must be a function") end
    return tostring(name), callback
end

local function register_function(...)
    local count = select("#", ...)
    local name, callback, description, flags
    if not registered then raise("ERR redis.register_function can only be called on FUNCTION LOAD command") end
    if count < 1 or count > 2 then raise("ERR wrong number of arguments to redis.register_function") end
    if count == 1 then
        if type((...)) ~= "table" then
            raise("ERR calling redis.register_function with a single argument is only applicable to Lua table (representing "
                  .. "named arguments).")
        end
        name, callback, description, flags = named_arguments((...))
    else
        name, callback = positional_arguments(...)
    end
    if not find(name, "^[A-Za-z0-9_]+$") then
        raise("ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long")
    end
    if registered[name] then raise("ERR Function already exists in the library") end
    registered[name] = true
    registered[#registered + 1] = {name = name, callback = callback, description = description, flags = flags or ""}
end

local api = real_of[globals.redis]
api.replicate_commands, api.breakpoint, api.debug = nil, nil, nil
globals.os, globals.server = nil, nil

local small = {register_function = register_function, log = api.log, REDIS_VERSION = api.REDIS_VERSION,
               REDIS_VERSION_NUM = api.REDIS_VERSION_NUM, LOG_DEBUG = api.LOG_DEBUG, LOG_VERBOSE = api.LOG_VERBOSE,
               LOG_NOTICE = api.LOG_NOTICE, LOG_WARNING = api.LOG_WARNING}
setmetatable(small, {__index = nonexistent})
local while_loading = setmetatable({redis = protect(small)}, {__index = nonexistent})

local switch = {__index = globals}
local environment = protect(setmetatable({}, switch))

local function begin_loading()
    registered = {}
    switch.__index = while_loading
end

-- Ends a load.
local function end_loading()
    switch.__index = globals
    local functions = registered
    registered = nil
    return #functions, functions
end

-- The parts of one of the functions that were registered.
local function parts_of(functions, index)
    local item = functions[index]
    return item.name, item.callback, item.description, item.flags
end

return environment, begin_loading, end_loading, parts_of
