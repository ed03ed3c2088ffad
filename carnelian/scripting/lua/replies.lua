-- The replies of words, as a script gets them. See sandbox.lua.

local host, shared = ...

local select, sub = select, string.sub
local more_of_reply = host.more

-- Python answers a string, a number or a boolean for a reply that is one. Else it answers nil and a tag:
--   0 text           an error              3                nil (RESP3's null)
--   1 text           a status              4 layout         a structure, see `build`
--   2 element ...    a flat array of strings, numbers, booleans (false: null)
--   5                such an array, which does not fit on the stack
-- The elements of 5 and the values of 4 are fetched by more_of_reply(), in parts.

-- All that is still to come, in a list.
local function fetch()
    local list, count = {}, 0
    while true do
        local part = {more_of_reply()}
        if #part == 0 then return list end
        for i = 1, #part do list[count + i] = part[i] end
        count = count + #part
    end
end

-- A reply in pre-order: `layout` has a byte for each node, `values` what the nodes need: a count, a text or a number.
local function build(layout, values)
    local at, taken = 0, 0
    local function take()
        taken = taken + 1
        return values[taken]
    end
    local function node()
        at = at + 1
        local kind = sub(layout, at, at)
        if kind == "v" then return take() end               -- a string, a number or a boolean
        if kind == "n" then return nil end
        if kind == "a" then
            local array = {}
            for i = 1, take() do array[i] = node() end
            return array
        end
        if kind == "o" then return {ok = take()} end
        if kind == "e" then return {err = take()} end
        if kind == "d" then return {double = take()} end
        if kind == "b" then return {big_number = take()} end
        if kind == "t" then return {verbatim_string = {format = take(), string = take()}} end
        if kind == "m" then
            local map = {}
            for _ = 1, take() do
                local key = node()
                local value = node()
                if key ~= nil then map[key] = value end
            end
            return {map = map}
        end
        if kind == "s" then
            local set = {}
            for _ = 1, take() do
                local member = node()
                if member ~= nil then set[member] = true end
            end
            return {set = set}
        end
    end
    return node()
end

function shared.reply_of(tag, first, ...)
    if tag == 1 then return {ok = first} end
    if tag == 2 then return {first, ...} end
    if tag == 3 then return nil end
    if tag == 4 then return build(first, fetch()) end
    if tag == 5 then return fetch() end
    return {err = first, ignore_error_stats_update = true}
end
