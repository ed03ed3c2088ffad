"""Scripts on both servers: conversions, errors, the sandbox, the words around EVAL."""
import pytest

from tests.oracle.harness import sequence


def scripts(both, text, modes=None):
    """Each block of the text (separated by empty lines) is a script without keys."""
    sources = [block.strip("\n") for block in text.split("\n\n") if block.strip()]
    sequence(both, [["EVAL", source, "0"] for source in sources], modes)


def words(both, *commands):
    sequence(both, [list(command) for command in commands])


def test_what_a_script_returns(both):
    scripts(both, """
return 1

return 3.99

return -3.99

return -0.5

return 1e300

return 0/0

return 2^63

return 9007199254740993

return {1.7, -1.7, 2^62}

return ''

return 'text'

return true

return false

return nil

return

return 1, 2

return {}

return {1, 2, nil, 4}

return {1, 2, false, 4, true}

return {[1] = 1, [3] = 3}

return {a = 1}

return {{1, {2, 'x'}}, 3.5}

return {'a', {1}, 'b'}

return {'a', {ok = 'fine'}, 'b', nil, 'c'}

return {'a', function() end, 'b'}

return {'a', 1.5, true, false, 'b'}

return {1, 2, nil, 4, 5, nil, 7, 8}

return function() end

return coroutine.create(function() end)

return redis.call

return redis

return {ok = 'fine'}

return {ok = 'plain\\r\\nb'}

return {ok = 1}

return {ok = {}}

return {ok = 'a'}, 2

return {err = 'plain'}

return {err = 'a b\\r\\nc'}

return {err = 1}

return {err = {}}

return {err = 'a', ok = 'b'}

return {1, {err = 'x y'}, 3}

return {redis.call('ping')}

return {redis.pcall('get')}

return setmetatable({}, {__index = function(t, k) return 'meta' end})

return setmetatable({1, 2, 'x'}, {__index = function(t, k) return 'meta' end})

local t = {} for i = 1, 10000 do t[i] = i end return t

local t = {} for i = 1, 10000 do t[i] = {i, 'x'} end return t

local t = {} for i = 1, 50 do t = {t, i} end return t
""")


def test_values_of_resp3(both):
    scripts(both, """
return {map = {a = 1}}

return {set = {a = true}}

return {set = {}}

return {double = 3.5}

return {double = 'x'}

return {double = 1/0}

return {big_number = '123'}

return {verbatim_string = {string = 'abc', format = 'txt'}}

return {verbatim_string = {string = 'abc'}}

return {map = 1, 1, 2}

redis.setresp(3) return true

redis.setresp(3) return false

redis.setresp(3) return {false, true}

redis.setresp(3) return {nil, 1}

redis.setresp(3) return nil

redis.setresp(3) redis.call('hset', 'h', 'a', 1) return redis.call('hgetall', 'h')

redis.setresp(3) local t = {} for k, v in pairs(redis.call('hgetall', 'h').map) do t[#t + 1] = k .. v end return t

return redis.call('hgetall', 'h')

redis.setresp(3) redis.call('sadd', 's', 'a') return redis.call('smembers', 's')

redis.setresp(3) return tostring(redis.call('smembers', 's').set.a)

redis.setresp(3) redis.call('zadd', 'z', 1.5, 'a') local r = redis.call('zscore', 'z', 'a') return {type(r), tostring(r.double)}

redis.setresp(3) return redis.call('zscore', 'z', 'a')

return redis.call('zscore', 'z', 'a')

redis.setresp(3) local r = redis.call('zrange', 'z', 0, -1, 'withscores') return {r[1][1], tostring(r[1][2].double)}

redis.setresp(3) return redis.call('zrange', 'z', 0, -1, 'withscores')

return redis.call('zrange', 'z', 0, -1, 'withscores')

redis.setresp(3) return redis.call('zadd', 'z', 'incr', '1.5', 'b')

redis.setresp(3) return {tostring(redis.call('get', 'none'))}

return {tostring(redis.call('get', 'none'))}

redis.setresp(3) local r = redis.call('mget', 'none', 'none2') return {tostring(r[1]), #r}

local r = redis.call('mget', 'none', 'none2') return {tostring(r[1]), #r}

redis.setresp(3) return redis.call('config', 'get', 'port') == nil

redis.setresp(3) return redis.call('smismember', 's', 'a', 'q')

redis.setresp(3) return redis.call('incrbyfloat', 'fl', '1.5')

redis.setresp(3) return redis.call('hrandfield', 'h', 1, 'withvalues')

redis.call('xadd', 'stm', '1-1', 'a', 'b') return redis.call('xread', 'streams', 'stm', '0')

redis.setresp(3) return redis.call('xread', 'streams', 'stm', '0')

redis.setresp(3) return {map = {a = {1, 2}}}

redis.setresp(3) return redis.call('lolwut').verbatim_string.format
""")


def test_calls(both):
    scripts(both, """
return redis.call('set', 'a', 'b')

return redis.call('set', 'a', 'b').ok

return redis.call('SeT', 'a', 'b')

return redis.call('get', 1)

redis.call('set', 'n', 1.5) redis.call('set', 'n2', 3) redis.call('set', 'n3', 1e20) redis.call('set', 'n4', 0.1)
redis.call('set', 'n5', 1/0) redis.call('set', 'n6', 0/0) redis.call('set', 'n7', 2^53) redis.call('set', 'n8', -0.0)
return redis.call('mget', 'n', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8')

return redis.call()

return redis.pcall()

return redis.call({})

return redis.call('set', {}, 1)

return redis.call('set', 'x', true)

return redis.call('nosuch')

return redis.pcall('nosuch')

return redis.call('get')

return redis.call('set', 'x', 'y', 'badopt')

return redis.call('xgroup')

return redis.call('xgroup', 'foo')

return redis.call('client', 'nosuch')

redis.call('rpush', 'l', 'a') return redis.call('get', 'l')

redis.call('rpush', 'l', 'a') return redis.pcall('get', 'l')

return redis.call('multi')

return redis.call('subscribe', 'x')

return redis.call('eval', 'return 1', 0)

return redis.call('script', 'load', 'return 1')

return redis.call('watch', 'x')

return redis.call('reset')

return redis.call('config', 'get', 'port')

return redis.call('select', 3)

redis.call('select', 3) redis.call('set', 'in3', 'x') return redis.call('get', 'in3')

return redis.call('get', 'in3')

redis.call('sadd', 'set', 'b', 'a', 'c') return redis.call('sort', 'set', 'by', 'nosort')

local t = {'rpush', 'big'} for i = 1, 5000 do t[#t + 1] = i end return redis.call(unpack(t))

local r = redis.call('lrange', 'big', 0, -1) return {r[1], r[24], r[25], r[4000], r[4001], r[5000], #r}

local t = {'mset'} for i = 1, 30 do t[#t + 1] = 'k' .. i t[#t + 1] = i + 0.5 end return redis.call(unpack(t))

return redis.call('mget', 'k1', 'k30')

local t = {'mset'} for i = 1, 30 do t[#t + 1] = 'k' .. i t[#t + 1] = {} end return redis.call(unpack(t))

local t = {'mset'} for i = 1, 30 do t[#t + 1] = 'k' .. i t[#t + 1] = true end return redis.pcall(unpack(t))
""")


def test_libraries(both):
    scripts(both, """
return cmsgpack.unpack(cmsgpack.pack({1, 2, 'x'}))

return cjson.decode(cjson.encode({a = {1, 2, 3}})).a

return struct.unpack('>I2', struct.pack('>I2', 513))

return bit.band(0xff, 0x0f)

return {tostring(cjson.null == nil), type(cjson.null), cjson.encode({cjson.null})}

return cjson.null

return {1, cjson.null, 2}
""")


def test_words_that_write_in_scripts_that_read(both):
    words(both, *[["EVAL_RO", f"return redis.call({call})", "0"] for call in (
        "'publish', 'x', 'y'", "'spublish', 'x', 'y'", "'pfcount', 'x'", "'sort', 'x'", "'sort_ro', 'x'", "'bitfield', 'x', 'get', 'u4', '0'",
        "'bitfield_ro', 'x', 'get', 'u4', '0'", "'getex', 'x'", "'georadius', 'x', 1, 1, 1, 'm'", "'select', 1", "'get', 'x'")])


def test_errors(both):
    scripts(both, """
error('boom')

error('boom', 0)

error({err = 'My error'})

error({err = 'MYCODE error'})

error(nil)

error()

error(12)



error('line 3')

local function g()
 error({err = 'in a function'})
end
g()

local x = nil; return x.y

return nosuch.field

local function f(n) return f(n + 1) + 1 end return f(1)

local e = redis.pcall('get') error(e)

local e = redis.pcall('get') return e

local e = redis.pcall('nosuch') local t = {} for k, v in pairs(e) do t[#t + 1] = k .. '=' .. tostring(v) end table.sort(t) return t

return {pcall(redis.call, 'get')}

return {pcall(redis.pcall, 'get')}

local ok, e = pcall(redis.call, 'nosuch') return {tostring(ok), type(e), tostring(e)}

local ok, e = pcall(error, {err = 'x', foo = 1}) return {tostring(ok), type(e), tostring(e)}

local ok, e = pcall(error, {foo = 1}) return {tostring(ok), type(e)}

local ok, e = pcall(function() local x = nil; x.y = 1 end) return e

return {xpcall(function() error('x') end, function(e) return 'h:' .. tostring(e) end)}

return {xpcall(function() return redis.call('nosuch') end, function(e) return type(e) end)}

local co = coroutine.wrap(function() return redis.call('set', 'k', 'v') end) return co()

local co = coroutine.wrap(function() return redis.call('nosuch') end) return co()

local co = coroutine.wrap(function() error('in co') end) return co()

return {coroutine.resume(coroutine.create(function() error('in co') end))}

return redis.error_reply('My Err')

return redis.error_reply('-My Err')

return redis.error_reply('')

return redis.error_reply('abc')

return redis.error_reply(1)

return redis.error_reply()

return redis.error_reply({})

return redis.status_reply('fine')

return redis.status_reply({})

return redis.status_reply()

syntax error

return 'x

return pairs(nil)

for k, v in pairs(nil) do end

string.find(nil)

table.insert(1, 2)

table.insert({}, 1, 2, 3)

return setmetatable(1)

return next(1)

return rawset(1)

return rawget(1)

coroutine.resume(1)

return string.gsub('x')

return string.match('x', '(')

return math.random('x')

return math.random(0)

return math.random(3, 2)

return math.random(1, 2, 3)

return load(1)

return loadstring()

return {unpack({1, 2, 3}, 1, 1e8)}

return table.concat({1, 2, {}})

return string.format('%d', 'x')
""")


def test_the_sandbox(both):
    scripts(both, """
x = 1

return x

_G.x = 1

return _G.x

rawset(_G, 'x', 1)

local t = string t.foo = 1

table.insert(_G, 1)

setmetatable(_G, {})

getmetatable('').__index = 1

getmetatable('').__index.foo = 1

return tostring(getmetatable('').__index == string)

KEYS = {1}

KEYS[1] = 'a' return KEYS

return redis.foo

redis.foo = 1

print('x')

return tostring(newproxy)

return io

return tostring(dofile)

return require

return module

return debug

return getfenv

return setfenv

return package

return loadfile

return {type(string.dump(function() end)), tostring(loadstring(string.dump(function() end)))}

return loadstring('\\27Lua')

return {select(2, loadstring('\\27Lua'))}

return {select(2, loadstring('x y'))}

return {load(function() return nil end) == nil}

return loadstring('return 5')()

return loadstring('x = 5')()

local i = 0 return load(function() i = i + 1 return ({'return ', '7'})[i] end)()

return collectgarbage('stop')

local names = {} for name in pairs(string) do names[#names + 1] = name end table.sort(names) return names

local names = {} for name in pairs(table) do names[#names + 1] = name end table.sort(names) return names

local names = {} for name in pairs(math) do names[#names + 1] = name end table.sort(names) return names

local names = {} for name in pairs(coroutine) do names[#names + 1] = name end table.sort(names) return names

return _VERSION

math.randomseed(5) return {tostring(math.random()), math.random(100), math.random(5, 10)}

math.randomseed(-5) return {tostring(math.random()), math.random(100)}

math.randomseed(1e18) return {tostring(math.random()), math.random(100)}

math.randomseed(5.7) return {tostring(math.random()), math.random(100)}
""")


def test_the_table_redis(both):
    scripts(both, """
return redis.sha1hex('')

return redis.sha1hex('abc')

return redis.sha1hex(1)

return redis.sha1hex({})

return redis.sha1hex()

return {redis.LOG_DEBUG, redis.LOG_VERBOSE, redis.LOG_NOTICE, redis.LOG_WARNING}

return {redis.REPL_ALL, redis.REPL_AOF, redis.REPL_SLAVE, redis.REPL_REPLICA, redis.REPL_NONE}

redis.log(1)

redis.log('a', 'b')

redis.log(9, 'b')

return redis.log(redis.LOG_WARNING, 'hello', 1, {}, true)

redis.setresp()

redis.setresp(4)

redis.setresp('a')

return tostring(redis.setresp(3))

redis.set_repl()

redis.set_repl(7)

redis.set_repl('x')

redis.set_repl(redis.REPL_AOF) redis.call('set', 'a', '1') return redis.call('get', 'a')

return redis.replicate_commands()

return redis.breakpoint()

return redis.debug('x')

return redis.acl_check_cmd('get', 'x')

return redis.acl_check_cmd('nosuch', 'x')

return redis.acl_check_cmd('get')

return redis.acl_check_cmd('xgroup', 'create', 'x', 'y', '$')

return redis.acl_check_cmd('xgroup', 'nosuch', 'x', 'y', '$')

return redis.acl_check_cmd()

return redis.acl_check_cmd({})
""")


def test_the_first_line(both):
    scripts(both, """
#!lua
return 1

#!lua flags=no-writes
return redis.call('set', 'x', 'y')

#!lua flags=no-writes
return redis.call('publish', 'x', 'y')

#!lua flags=foo
return 1

#!lua foo=bar
return 1

#!lua name=abc
return 1

#!lua flags=
return 1

#!lua flags=no-writes,allow-oom,allow-stale,no-cluster,allow-cross-slot-keys
return 1

#!lua  flags=no-writes \x20
return 1

#!lua flags=no-writes flags=allow-oom
return 1

#!lua

#!
return 1

#!python
return 1

#!lua
error('x')

#!lua
syntax error
""")


def test_the_words(both):
    one = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db"
    words(
        both, ["EVAL"], ["EVAL", "return 1"], ["EVAL", "return 1", "x"], ["EVAL", "return 1", "1"], ["EVAL", "return 1", "-1"],
        ["EVAL", "return 1", "9999999999999999999"], ["EVAL", "return 1", "1.5"], ["EVAL", "syntax error", "x"],
        ["EVAL", "syntax error", "1"], ["EVAL", "return {KEYS[1], KEYS[2], ARGV[1], ARGV[2], #KEYS, #ARGV}", "2", "a", "b", "c"],
        ["EVAL", "return {KEYS, ARGV}", "3", "a", "b", "c", "d", "e"], ["EVAL", "return {KEYS, ARGV}", "0", "d", "e"],
        ["EVAL", "return {KEYS, ARGV}", "1", "d", "e"], ["EVAL", "return {#KEYS, #ARGV}", "1500", *range(5000)],
        ["SCRIPT", "FLUSH"], ["EVALSHA", "abc", "0"], ["EVALSHA", one, "0"], ["EVALSHA", one, "x"], ["SCRIPT", "EXISTS", one],
        ["SCRIPT", "LOAD", "return 1"], ["EVALSHA", one, "0"], ["EVALSHA", one.upper(), "0"], ["EVALSHA_RO", one, "0"],
        ["SCRIPT", "EXISTS", one, one.upper(), "x"], ["SCRIPT", "LOAD", "syntax error"], ["SCRIPT", "LOAD"], ["SCRIPT", "EXISTS"],
        ["SCRIPT"], ["SCRIPT", "NOSUCH"], ["SCRIPT", "FLUSH", "x"], ["SCRIPT", "FLUSH", "ASYNC"], ["EVALSHA", one, "0"],
        ["EVAL", "return 1", "0"], ["EVALSHA", one, "0"], ["SCRIPT", "FLUSH", "SYNC"], ["EVALSHA", one, "0"],
        ["SCRIPT", "KILL"],
        ["EVAL_RO", "return redis.call('get', 'x')", "0"], ["EVAL_RO", "return redis.call('set', 'x', 'y')", "0"],
        ["EVAL_RO", "return redis.call('publish', 'x', 'y')", "0"], ["EVAL_RO", "return redis.call('nosuch')", "0"],
        ["EVAL_RO", "return redis.call('multi')", "0"], ["EVAL_RO", "return redis.call('set')", "0"],
        ["EVAL_RO", "#!lua\nreturn 1", "0"], ["EVAL_RO", "#!lua flags=no-writes\nreturn 1", "0"],
        ["COMMAND", "GETKEYS", "EVAL", "return 1", "2", "a", "b", "c"], ["COMMAND", "GETKEYS", "EVALSHA", "abc", "1", "k"],
        ["COMMAND", "GETKEYS", "EVAL_RO", "return 1", "0"])


def test_debugging(both):
    both("""
        SCRIPT DEBUG x
        SCRIPT DEBUG NO
    """)


def test_transactions_and_watches(both):
    both("""
        MULTI
        EVAL "redis.call('set', KEYS[1], 'x') return redis.call('get', KEYS[1])" 1 k
        EVAL "return redis.call('nosuch')" 0
        EVALSHA ffffffffffffffffffffffffffffffffffffffff 0
        EXEC
        WATCH k
        2: EVAL "return redis.call('set', 'k', 'y')" 0
        MULTI
        GET k
        EXEC
        WATCH k
        EVAL "return redis.call('get', 'k')" 0
        MULTI
        GET k
        EXEC
    """)


def test_blocked_clients_are_served_after_the_script(both):
    both("""
        2> BLPOP q 0
        EVAL "redis.call('rpush', 'q', 'a', 'b') return redis.call('llen', 'q')" 0
        2<
        LRANGE q 0 -1
        2> BLPOP q2 0
        EVAL "redis.call('rpush', 'q2', 'a') redis.call('lpop', 'q2') return 1" 0
        EVAL "redis.call('rpush', 'q2', 'c') error('later')" 0
        2<
    """)


def test_blocking_words_answer_at_once(both):
    both("""
        EVAL "return redis.call('xreadgroup', 'group', 'g', 'c', 'streams', 's', '>')" 0
        = EVAL "return redis.call('blpop', 'none', 0)" 0 -> null
        = EVAL "return redis.call('blmove', 'none', 'other', 'left', 'right', 0)" 0 -> null
        = EVAL "return redis.call('bzpopmin', 'none', 0)" 0 -> null
        = EVAL "return redis.call('xread', 'block', 0, 'streams', 'none', '$')" 0 -> null
    """)


def test_memory_is_short(both):
    both("""
        SET x 1
        CONFIG SET maxmemory 1
        EVAL "return redis.call('get', 'x')" 0
        EVAL "return redis.call('set', 'x', 2)" 0
        EVAL "redis.call('del', 'x') return redis.call('set', 'x', 2)" 0
        EVAL "#!lua\\nreturn redis.call('set', 'x', 3)" 0
        EVAL "#!lua flags=allow-oom\\nreturn redis.call('set', 'x', 3)" 0
        EVAL "#!lua flags=no-writes\\nreturn redis.call('get', 'x')" 0
        EVAL_RO "return redis.call('get', 'x')" 0
        MULTI
        EVAL "return redis.call('set', 'x', 2)" 0
        EXEC
        CONFIG SET maxmemory 0
    """)


def test_statistics(both):
    both("""
        CONFIG RESETSTAT
        EVAL "redis.call('set', 'k', 'v') redis.pcall('lpush', 'k', 'x') return redis.call('get', 'k')" 0
        EVAL "return redis.call('lpush', 'k', 'x')" 0
        EVAL "return redis.pcall('lpush', 'k', 'x')" 0
        EVAL "return redis.pcall('nosuch')" 0
        EVAL "return redis.pcall('get')" 0
        EVAL "error({err = 'MY x'})" 0
        EVAL "return {err = 'MY2 x'}" 0
        EVAL "return {1, redis.error_reply('MY3 x')}" 0
        EVALSHA abc 0
        INFO errorstats
    """)


def test_monitor(both):
    """What a script calls is shown after the script, as of the client `lua`."""
    for side in both.sides:
        watcher, client = side.client(2), side.client(1)
        watcher("MONITOR")
        client("EVAL", "redis.call('set', KEYS[1], ARGV[1]) return redis.pcall('get')", "1", "k", "v")
        lines = [bytes(watcher.read()).split(b" ", 1)[1] for _ in range(2)]
        assert lines[0].endswith(
            b'] "EVAL" "redis.call(\'set\', KEYS[1], ARGV[1]) return redis.pcall(\'get\')" "1" "k" "v"')
        assert lines[1] == b'[0 lua] "set" "k" "v"'


@pytest.mark.parametrize("source", [
    "while true do end",
    "while true do pcall(function() while true do end end) end",
    "local co = coroutine.wrap(function() while true do end end) co()",
])
def test_a_busy_script(both, source):
    both("CONFIG SET busy-reply-threshold 1")
    for side in both.sides:
        side.ask("PING")
        side.client(1).send_raw(_request(["EVAL", source, "0"]) + _request(["PING"]))
        other = side.client(2)
        while bytes(other("PING"))[:4] != b"BUSY":
            pass
        assert other("PING") == (b"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.")
        assert other("MULTI") == b"OK"
        assert bytes(other("SET", "a", "b")).startswith(b"BUSY")
        assert bytes(other("EXEC")).startswith(b"EXECABORT Transaction discarded because of: BUSY")
        assert bytes(side.client(3)("GET", "x")).startswith(b"BUSY")
        assert other("SCRIPT", "KILL") == b"OK"
        assert bytes(side.client(1).read()).startswith(b"ERR Script killed by user with SCRIPT KILL... script: ")
        assert side.client(1).read() == b"PONG"
    both("""
        SCRIPT KILL
        CONFIG SET busy-reply-threshold 5000
    """)


def _request(parts):
    from tests.oracle.resp import request

    return request(parts)


def test_a_busy_script_that_has_written(both):
    both("CONFIG SET busy-reply-threshold 1")
    for side in both.sides:
        side.client(1).send_raw(_request(["EVAL", "redis.call('set', 'k', 'v') for i = 1, 3e7 do end return 'done'", "0"]))
        other = side.client(2)
        while bytes(other("PING"))[:4] != b"BUSY":
            pass
        assert bytes(other("SCRIPT", "KILL")).startswith(b"UNKILLABLE Sorry the script already executed write commands")
        assert side.client(1).read() == b"done"
    both("CONFIG SET busy-reply-threshold 5000")
