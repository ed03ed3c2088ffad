"""A hostile script: it reaches no file, no Python object, no other script, and does not end the process.

Each is run in an engine of its own process-wide interpreter; after it, the next script finds everything as it was.
"""
import pytest

from tests.scripting.engines import Caller

# What is there when nobody has tampered with it.
UNTOUCHED = """
local names = {}
for _, library in ipairs({_G, redis, string, table, math, coroutine, cjson, bit, struct, cmsgpack}) do
    for name, value in pairs(library) do
        if name ~= 'KEYS' and name ~= 'ARGV' then names[#names + 1] = name .. ' ' .. type(value) end
    end
end
table.sort(names)
return table.concat(names, ',') .. #string.rep('x', 3) .. ('y'):upper() .. redis.sha1hex('')
"""


@pytest.fixture(scope="module")
def caller():
    caller = Caller()
    caller.untouched = caller.eval(UNTOUCHED)
    return caller


@pytest.fixture(autouse=True)
def unharmed(caller):
    yield
    assert caller.eval(UNTOUCHED) == caller.untouched
    assert caller.eval("return redis.call('get', 'canary')") is None


# Attempts to write what belongs to all scripts.
@pytest.mark.parametrize("source", [
    "x = 1", "_G.x = 1", "_G._G = 1", "rawset(_G, 'x', 1)", "setmetatable(_G, {})", "redis.call = nil", "string.upper = nil",
    "rawset(redis, 'call', 1)", "rawset(string, 'rep', 1)", "rawset(cjson, 'encode', 1)", "table.insert(_G, 1)",
    "table.insert(redis, 1, 'x')", "getmetatable('').__index = nil", "getmetatable('').__index.rep = nil",
    "rawset(getmetatable(''), '__index', 1)", "setmetatable(getmetatable(''), {})", "getmetatable(_G).__index = nil",
    "getmetatable(_G).__newindex = nil", "rawset(getmetatable(_G), '__newindex', nil)", "getmetatable(redis).__index.call = 1",
    "local _, t = pairs(_G) t.x = 1", "local _, t = pairs(_G) rawset(t, 'x', 1)", "for k in pairs(redis) do redis[k] = 1 end",
    "table.foreach(redis, function(k) redis[k] = 1 end) redis.x = 1", "coroutine.wrap(function() x = 1 end)()",
    "loadstring('x = 1')()", "KEYS = {}", "ARGV = nil", "local e = _G e.e = e",
    "pcall(function() error(redis) end) redis.err = 1", "server.x = 1",
])
def test_globals_are_protected(caller, source):
    assert "Attempt to modify a readonly table" in caller.error(source)


@pytest.mark.parametrize("name", [
    "io", "package", "debug", "require", "module", "dofile", "loadfile", "print", "newproxy", "getfenv", "setfenv", "python", "lupa",
    "host", "shared", "jit", "ffi", "bit32", "utf8"])
def test_what_is_not_there(caller, name):
    assert f"nonexistent global variable '{name}'" in caller.error(f"return {name}")


def test_os_has_a_clock_only(caller):
    assert caller.eval("local names = {} for name in pairs(os) do names[#names + 1] = name end return names") == [b"clock"]
    assert caller.eval("return os.clock() >= 0") == 1


@pytest.mark.parametrize("source", [
    "return loadstring(string.dump(function() end))", "return load(function() return '\\27Lua' end)", "return loadstring('\\27LuaQ\\0')",
    "local done local function piece() if not done then done = true return string.dump(function() end) end end return load(piece)",
])
def test_bytecode_is_refused(caller, source):
    assert caller.eval(f"local f, message = (function() {source} end)() return {{tostring(f), tostring(message)}}")[0] == b"nil"


def test_bytecode_as_a_script(caller):
    assert "unexpected symbol near 'char(27)'" in caller.error("\x1bLuaQ")


# Every value that a script can lay hands on is Lua's own: a function, or a table, and no userdata but cjson's null.
WALK = """
local seen, found, todo = {}, {}, {}
local function visit(value, path)
    local kind = type(value)
    if kind == 'userdata' and value ~= cjson.null then found[#found + 1] = path end
    if (kind == 'table' or kind == 'function') and not seen[value] then
        seen[value] = true
        todo[#todo + 1] = {value, path}
    end
end
visit(_G, '_G')
visit(getmetatable(''), 'string metatable')
visit(cjson.decode('{"a":[1,null]}'), 'cjson.decode')
visit(redis.pcall('nosuch'), 'redis.pcall')
visit(redis.call('set', 'canary', 'x'), 'redis.call')
visit({pcall(redis.call, 'nosuch')}, 'pcall')
visit({pcall(error, {err = 'x'})}, 'pcall error')
visit({xpcall(function() return redis.call('nosuch') end, function(e) return e end)}, 'xpcall')
visit({coroutine.resume(coroutine.create(function() return redis.call('nosuch') end))}, 'resume')
visit({pcall(string.rep, 'x', 1e15)}, 'memory')
while #todo > 0 do
    local value, path = unpack(table.remove(todo))
    if type(value) == 'table' then
        for k, v in pairs(value) do visit(k, path .. '<key>') visit(v, path .. '.' .. tostring(k)) end
        visit(getmetatable(value), path .. '<metatable>')
    end
end
redis.call('del', 'canary')
return found
"""


def test_no_python_object_is_reachable(caller):
    assert caller.eval(WALK) == []


@pytest.mark.parametrize("source", [
    "return tostring(redis.call)", "return tostring(redis.log)", "return tostring(redis.sha1hex)", "return tostring(redis.setresp)"])
def test_functions_are_lua_functions(caller, source):
    assert caller.eval(source).startswith(b"function: ")


def test_attributes_of_functions(caller):
    assert "attempt to index" in caller.error("return redis.call.__globals__")
    assert "attempt to index" in caller.error("return redis.log['__self__']")


def test_exceptions_of_python_do_not_become_values(caller):
    """An unexpected exception in Python: an error of Redis's kind, and nothing of Python in it."""
    for hostile in ("\0", "x" * 1000, "{}", "\xff"):
        assert isinstance(caller.eval("return {pcall(redis.call, ARGV[1], ARGV[1])}", hostile), list)


# The process survives, with an error.
@pytest.mark.parametrize("source, expected", [
    ("local function f() return f() + 1 end return f()", "stack overflow"),
    ("local function f() return pcall(f) end f() return 'ok'", None),
    ("local t = setmetatable({}, {}) getmetatable(t).__index = t return t.x", "loop in gettable"),
    ("return string.find(string.rep('a', 50000), string.rep('a?', 50000))", "pattern too complex"),
    ("return ('a'):rep(50000):match(('(a)'):rep(5000))", "pattern too complex"),
    ("return string.find('x', string.rep('x', 50000), 1, true)", None),
    ("return unpack({}, 1, 1e7)", "too many results to unpack"),
    ("return unpack({}, -2147483648, 2147483647)", "too many results to unpack"),
    ("return {redis.call(unpack({}, 1, 7990))}", "arguments must be strings or integers"),
    ("return string.format('%99999d', 1)", "invalid format"),
    ("return ('x'):rep(-1)", None),
    ("local t = {} t[1] = t return t", None),
    ("local t = {} t.map = {[t] = t} return t", "the reply is too large"),
    ("local t = {} t.set = t return t", None),
    ("local t = {} for i = 1, 10000 do t = {t} end return t", None),
    ("local s = '{' .. string.rep('{', 1000) return loadstring('return ' .. s) == nil", None),
    ("return loadstring(('('):rep(1e5)) == nil", None),
    ("return table.concat({('x'):rep(1e6), ('y'):rep(1e6)}, ',') == nil", None),
    ("return table.sort({3, 1, 2, 5, 4, 7, 6}, function(a, b) return true end)", "invalid order function"),
    ("error(setmetatable({}, {__tostring = function() error('x') end}))", "ERR"),
    ("error(setmetatable({}, {__index = function() error('x') end}))", "ERR"),
    ("local co co = coroutine.wrap(function() return co() end) return co()", "cannot resume running coroutine"),
    ("return coroutine.yield(1)", "attempt to yield"),
    ("local c = {} for i = 1, 300 do local p = c[i - 1] c[i] = coroutine.wrap(function() return p and p() or 1 end) end return c[300]()",
     "C stack overflow"),
    ("return cjson.encode(setmetatable({}, {__index = function() error('x') end}))", None),
    ("return math.random(1, 1e300)", None),
    ("return redis.sha1hex(('x'):rep(1e6))", None),
    ("local ok, e = xpcall(function() error('a') end, function() error('b') end) return tostring(ok)", None),
])
def test_limits_of_lua(caller, source, expected):
    if expected is None:
        caller.eval(source)
    else:
        assert expected in caller.error(source)


@pytest.mark.parametrize("source, named", [
    ("return function(a, b, c, d, e, ...) end", True), ("local function f(a, b, c, d, e, f, ...) return ... end", True),
    ("function t.f:g(a, b, c, d, e, ...) end", True), ("return function(a, --[[ ) ]] b, c, d, -- )\n e, ...) end", True),
    ("return function(a, b, c, d, ...) end", False), ("return (function(a, ...) return a, ... end)(1, 2, 3, 4, 5, 6, 7, ...)", False),
    ("return 'function(a, b, c, d, e, ...)'", False), ("return [[function(a, b, c, d, e, ...)]]", False),
    ("--[==[ function(a, b, c, d, e, ...) ]] ]==] return ...", False), ("return 1 -- function(a,b,c,d,e,...)", False),
    ("return \"\\\" function(a, b, c, d, e, ...)\"", False)])
def test_functions_that_could_overflow_the_stack(source, named):
    from carnelian.scripting.scanner import has_crowded_function

    assert has_crowded_function(source.encode()) is named


def test_memory_is_limited():
    caller = Caller()
    caller.eval("return 1")
    caller.engine.interpreter.interpreter.limit_memory(64 << 20)
    for source in ("local t = {} for i = 1, 1e9 do t[i] = {i} end", "local s = 'x' while true do s = s .. s end", "return ('x'):rep(1e10)",
                   "local t = {} for i = 1, 1e9 do t[i] = redis.call('get', 'big') .. i end",
                   "local t = {} pcall(function() for i = 1, 1e9 do t[i] = {i} end end) return redis.call('get', 'big')"):
        caller.ask("SET", "big", b"y" * 1_000_000)
        assert "not enough memory" in caller.error(source)
        assert caller.eval("return #redis.call('get', 'big')") == 1_000_000
    caller.ask("SET", "big", b"y" * 60_000_000)
    assert "not enough memory" in caller.error("return redis.call('get', 'big')")
    assert "not enough memory" in caller.error("return 1", "z" * 60_000_000)
    assert caller.eval("return 'alive'") == b"alive"


def test_an_endless_script_is_ended_whatever_it_does():
    caller = Caller()
    caller.engine.busy_threshold = 0
    turns = []

    def end_it():
        turns.append(caller.engine.busy)
        if len(turns) % 3 == 0:
            assert caller.ask("SCRIPT", "KILL", session=caller.other) == b"+OK\r\n"

    caller.engine.meanwhile = end_it
    for source in ("while true do end", "while true do pcall(function() while true do end end) end",
                   "while true do xpcall(function() while true do end end, function() while true do end end) end",
                   "coroutine.wrap(function() while true do end end)()",
                   "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
                   "while true do pcall(coroutine.wrap(function() while true do pcall(error) end end)) end",
                   "local t = setmetatable({}, {__index = function() while true do end end}) return t.x",
                   "table.sort({1, 2, 3}, function() while true do end end)", "string.gsub('x', 'x', function() while true do end end)",
                   "local function f() return f() end f()", "while true do redis.call('ping') end",
                   "repeat local ok = pcall(pcall, pcall, function() while true do end end) until false"):
        assert "Script killed by user with SCRIPT KILL..." in caller.error(source)
        assert caller.eval("return {pcall(error, 'x')}") == [None, b"x"]
        assert caller.engine.script is None and not caller.engine.busy
    assert all(turns)
