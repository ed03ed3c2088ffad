-- The table `redis` (`server` is the same). See sandbox.lua.

local host, shared = ...

local select, tonumber, tostring, type = select, tonumber, tostring, type
local concat, sub, find, floor = table.concat, string.sub, string.find, math.floor
local raise, stop_again, reply_of = shared.raise, shared.stop_again, shared.reply_of
local call_word, call_packed, number_text = host.call, host.call_packed, host.number_text

local function finish_pcall(first, ...)
    if first ~= nil then return first end
    return reply_of(...)
end

local function finish_call(first, tag, text, ...)
    if first ~= nil then return first end
    if tag == 0 then
        stop_again()
        raise(text)
    end
    return reply_of(tag, text, ...)
end

local FEW = host.few            -- nil: there is no limit

local ARGUMENTS = "ERR Lua redis lib command arguments must be strings or integers"

-- Many arguments go as two strings, their lengths and what they are: lupa takes the square of the time for many.
local function packed(...)
    local words, lengths = {...}, {}
    for i = 1, select("#", ...) do
        local word = words[i]
        if type(word) == "number" then
            word = number_text(word)
            words[i] = word
        elseif type(word) ~= "string" then
            return nil
        end
        lengths[i] = #word
    end
    return concat(lengths, ","), concat(words)
end

local function call(...)
    return finish_call(call_word(...))
end

local function protected_call(...)
    return finish_pcall(call_word(...))
end

if host.call_finished_by then
    -- As above, in C.
    call, protected_call = host.call_finished_by(finish_call), host.call_finished_by(finish_pcall)
end

if FEW then
    local direct_call, direct_protected_call = call, protected_call

    function call(...)
        if select("#", ...) <= FEW then return direct_call(...) end
        local lengths, words = packed(...)
        if not lengths then raise(ARGUMENTS) end
        return finish_call(call_packed(lengths, words))
    end

    function protected_call(...)
        if select("#", ...) <= FEW then return direct_protected_call(...) end
        local lengths, words = packed(...)
        if not lengths then return {err = ARGUMENTS, ignore_error_stats_update = true} end
        return finish_pcall(call_packed(lengths, words))
    end
end

-- The table `redis` --------------------------------------------------------------------------------------------------------

local function single_field(name, count, text)
    if count ~= 1 or type(text) ~= "string" then return {err = "ERR wrong number or type of arguments"} end
    return {[name] = text}
end

local function check(problem)
    if problem then raise(problem) end
end

local function text_of(value)
    if type(value) == "string" then return value end
    if type(value) == "number" then return tostring(value) end
    return ""
end

local api = {
    call = call,
    pcall = protected_call,
    LOG_DEBUG = 0, LOG_VERBOSE = 1, LOG_NOTICE = 2, LOG_WARNING = 3,
    REPL_NONE = 0, REPL_AOF = 1, REPL_SLAVE = 2, REPL_REPLICA = 2, REPL_ALL = 3,
    REDIS_VERSION = host.version, REDIS_VERSION_NUM = host.version_number,
}

function api.error_reply(...)
    local reply = single_field("err", select("#", ...), (...))
    local text = (...)
    if select("#", ...) == 1 and type(text) == "string" then
        -- A leading dash is what the protocol has before the code; without a space there is no code.
        if sub(text, 1, 1) == "-" then text = sub(text, 2) end
        if not find(text, " ", 1, true) then text = "ERR " .. text end
        reply.err = text
    end
    return reply
end

function api.status_reply(...)
    return single_field("ok", select("#", ...), (...))
end

function api.sha1hex(...)
    if select("#", ...) ~= 1 then raise("ERR wrong number of arguments") end
    return host.sha1(text_of((...)))
end

function api.log(...)
    local count = select("#", ...)
    if count < 2 then raise("ERR redis.log() requires two arguments or more.") end
    local level = tonumber((...))
    if type((...)) ~= "number" then raise("ERR First argument must be a number (log level).") end
    if level < 0 or level > 3 then raise("ERR Invalid debug level.") end
    local parts = {select(2, ...)}
    for i = 1, count - 1 do parts[i] = text_of(parts[i]) end
    host.log(level, concat(parts, " "))
end

function api.setresp(...)
    if select("#", ...) ~= 1 then raise("ERR redis.setresp() requires one argument.") end
    local version = tonumber((...))
    if version ~= 2 and version ~= 3 then raise("ERR RESP version must be 2 or 3.") end
    host.setresp(version)
end

function api.set_repl(...)
    if select("#", ...) ~= 1 then raise("ERR redis.set_repl() requires two arguments.") end
    local targets = tonumber((...)) or 0
    targets = targets >= 0 and floor(targets) or -floor(-targets)
    if targets < 0 or targets > 3 then
        raise("ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.")
    end
    host.set_repl(targets)
end

function api.replicate_commands() return true end

-- There is no debugger to stop in.
function api.breakpoint() return false end

function api.debug() end

function api.acl_check_cmd(...)
    local count = select("#", ...)
    if count == 0 then raise("ERR Please specify at least one argument for this redis lib call") end
    for i = 1, count do
        local kind = type((select(i, ...)))
        if kind ~= "string" and kind ~= "number" then raise(ARGUMENTS) end
    end
    local answer = host.acl_check(...)
    if answer == nil then raise("ERR Invalid command passed to redis.acl_check_cmd()") end
    return answer
end

shared.globals.redis = shared.protect(api)
shared.globals.server = shared.globals.redis
