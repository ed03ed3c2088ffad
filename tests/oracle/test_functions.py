"""FUNCTION, FCALL and FCALL_RO against redis-server 7.0.15."""
import struct
import time

import pytest

from carnelian.types.serial import checksum
from tests.oracle.harness import sequence
from tests.oracle.resp import Client, Error

MODES = {"FUNCTION": "%%"}                  # Redis lists libraries, functions and flags in no order


@pytest.fixture
def run(both):
    """A function: sends requests (lists of words) to both, after a FUNCTION FLUSH."""
    def run(*requests, modes=MODES):
        return sequence(both, [["FUNCTION", "FLUSH"], *map(list, requests), ["FUNCTION", "FLUSH"]], modes)

    return run


def library(*lines, name="lib"):
    return "\n".join((f"#!lua name={name}", *lines))


@pytest.mark.parametrize("code", [
    "", "x", "#!lua", "#!lua name=a", "#!lua name=a\n", "#!lua\nx", "#!lua  name=a foo=b\nreturn 1", "#!lua name=a name=b\nx",
    "#!lua name=a-b\nx", "#!lua name=\nx", "#!js name=a\nx", "#!js name=a-b\nx", "#! name=a\nx", "#!\nx", '#!lua name="a\nx',
    "#!lua name=a-b foo\nx", library("return 1"), library("foo bar"), library("")])
def test_headers(run, code):
    run(["FUNCTION", "LOAD", code], ["FUNCTION", "LIST"])


@pytest.mark.parametrize("header", ["#!LUA name=a", "#!lua NAME=a", "#!lua name='ab'", '#!lua "name=ab"', "#!lua name=abc\r"])
def test_odd_headers(run, header):
    run(["FUNCTION", "LOAD", header + "\nredis.register_function('f', function() return 1 end)"], ["FUNCTION", "LIST", "WITHCODE"],
        ["FCALL", "f", 0])


REGISTERING = r"""
redis.register_function()
redis.register_function('a')
redis.register_function(1)
redis.register_function(function() end)
redis.register_function('a','b')
redis.register_function('a',function() end,1)
redis.register_function('a',function() end,2,3)
redis.register_function({},2)
redis.register_function({},function() end)
redis.register_function(nil,function() end)
redis.register_function(1,function() end)
redis.register_function('a-b',function() end)
redis.register_function('',function() end)
redis.register_function{}
redis.register_function{function_name='a'}
redis.register_function{callback=function() end}
redis.register_function{function_name=1,callback=function() end}
redis.register_function{function_name={},callback=function() end}
redis.register_function{function_name=true,callback=function() end}
redis.register_function{function_name='a b',callback=function() end}
redis.register_function{FUNCTION_NAME='a',Callback=function() end,FLAGS={'No-Writes'},Description='x'}
redis.register_function{function_name='a',callback=1}
redis.register_function{function_name='a',callback=function() end,description=1}
redis.register_function{function_name='a',callback=function() end,description={}}
redis.register_function{function_name='a',callback=function() end,flags=1}
redis.register_function{function_name='a',callback=function() end,flags={'x'}}
redis.register_function{function_name='a',callback=function() end,flags={1}}
redis.register_function{function_name='a',callback=function() end,flags={{}}}
redis.register_function{function_name='a',callback=function() end,flags={a='no-writes'}}
redis.register_function{function_name='a',callback=function() end,flags={'no-writes',nil,'x'}}
redis.register_function{function_name='a',callback=function() end,flags={'allow-cross-slot-keys','allow-oom','no-cluster','allow-stale'}}
redis.register_function{function_name='a',callback=function() end,foo=1}
redis.register_function{function_name='a',callback=function() end,[1]=1}
redis.register_function{function_name='a',callback=function() end,[{}]=1}
redis.register_function('g',function() end) redis.register_function('g',function() end)
redis.register_function('taken',function() end)
redis.register_function('bb',redis.log)
redis.register_function('bb',function() end) redis.call('x')
redis.register_function('bb',function() end) return 5
redis.register_function('bb',function() end) error('x')
redis[1]()
local x = redis.sha1hex
local x = redis.setresp
local x = redis.error_reply
local x = redis.REPL_ALL
local x = redis.LOG_NOTICE .. redis.LOG_DEBUG .. redis.LOG_VERBOSE .. redis.LOG_WARNING
local x = redis.REDIS_VERSION .. redis.REDIS_VERSION_NUM
redis.log(redis.LOG_DEBUG,'x')
redis.log()
return redis.nosuch
function f() end
x = 1
redis.x = 1
local x = nil + 1
local x = x.y
local x = KEYS
local x = _G
local x = string
local x = pairs
local x = cjson
local x = ('x'):rep(3) x = x + 1
""".strip().split("\n")


def test_registering(run):
    requests = [["FUNCTION", "LOAD", library("redis.register_function('taken', function() end)", name="other")]]
    for line in REGISTERING:
        requests += [["FUNCTION", "LOAD", library(line)], ["FUNCTION", "LIST"], ["FUNCTION", "DELETE", "lib"]]
    run(*requests)


def test_replacing(run):
    one, two = library("redis.register_function('f', function() return 1 end)"), library("redis.register_function('g', function() return 2 end)")
    run(["FUNCTION", "LOAD", one], ["FUNCTION", "LOAD", two], ["FUNCTION", "LOAD", "replace", library("foo bar")], ["FCALL", "f", 0],
        ["FUNCTION", "LOAD", "REPLACE", "replace", two], ["FUNCTION", "LOAD", "REPLACE", two], ["FCALL", "f", 0], ["FCALL", "g", 0],
        ["FUNCTION", "LOAD", library("redis.register_function('g', function() return 2 end)", name="other")],
        ["FUNCTION", "LOAD", "x", one], ["FUNCTION", "LOAD"], ["FUNCTION", "LOAD", "REPLACE"], ["FUNCTION", "DELETE", "LIB"],
        ["FUNCTION", "DELETE", "lib"], ["FUNCTION", "DELETE", "lib"], ["FUNCTION", "DELETE"], ["FCALL", "g", 0])


def test_listing(run):
    run(["FUNCTION", "LIST"], ["FUNCTION", "STATS"],
        ["FUNCTION", "LOAD", library("redis.register_function{function_name='f', callback=function() end, description='Does it.', "
                                     "flags={'no-writes', 'allow-oom', 'allow-stale', 'no-cluster', 'allow-cross-slot-keys'}}",
                                     "redis.register_function('g', function() end)", name="one")],
        ["FUNCTION", "LOAD", library("redis.register_function('h', function() end)", name="two")],
        ["FUNCTION", "LIST"], ["FUNCTION", "LIST", "WITHCODE"], ["FUNCTION", "LIST", "LIBRARYNAME", "o*"],
        ["FUNCTION", "LIST", "libraryname", "T?O", "withcode"], ["FUNCTION", "LIST", "LIBRARYNAME", "x"],
        ["FUNCTION", "LIST", "LIBRARYNAME"], ["FUNCTION", "LIST", "LIBRARYNAME", "a", "LIBRARYNAME", "b"],
        ["FUNCTION", "LIST", "WITHCODE", "WITHCODE"], ["FUNCTION", "LIST", "x"], ["FUNCTION", "STATS"], ["FUNCTION", "STATS", "x"],
        ["FUNCTION", "KILL"], ["FUNCTION", "FLUSH", "x"], ["FUNCTION", "FLUSH", "SYNC", "x"], ["FUNCTION", "x"], ["FUNCTION"],
        ["FUNCTION", "FLUSH", "async"], ["FUNCTION", "LIST"], ["FUNCTION", "FLUSH", "SYNC"])


def test_help(run):
    run(["FUNCTION", "HELP"], ["FUNCTION", "HELP", "x"], modes={"FUNCTION": "??"})


def test_keys(both):
    both("""
        COMMAND GETKEYS FCALL f 2 a b c
        COMMAND GETKEYS FCALL_RO f 1 a b c
    """)


CALLS = library(
    "local count = 0",
    "redis.register_function('echo', function(keys, args) return {keys, args} end)",
    "redis.register_function{function_name='reads', callback=function(keys, args) return redis.call('get', keys[1]) end, "
    "flags={'no-writes'}}",
    "redis.register_function('writes', function(keys, args) return redis.call('set', keys[1], args[1]) end)",
    "redis.register_function{function_name='lies', callback=function(keys) return redis.call('set', keys[1], 'x') end, "
    "flags={'no-writes'}}",
    "redis.register_function('raises', function() error('boom') end)",
    "redis.register_function('raises_table', function() error({err='ABC x'}) end)",
    "redis.register_function('raises_nothing', function() error() end)",
    "redis.register_function('error_reply', function() return redis.error_reply('MY boom') end)",
    "redis.register_function('unknown', function() local x = redis.call('nosuch') return x end)",
    "redis.register_function('caught', function() return redis.pcall('nosuch') end)",
    "redis.register_function('halfway', function(keys) redis.call('set', keys[1], 'x') local x = redis.call('incr', keys[1]) end)",
    "redis.register_function('counts', function() count = count + 1 return count end)",
    "redis.register_function('global', function() x = 1 end)",
    "redis.register_function('keys', function() return KEYS end)",
    "redis.register_function('os', function() return os end)",
    "redis.register_function('registers', function() redis.register_function('zzz', function() end) end)",
    "local register, small = redis.register_function, redis",
    "redis.register_function('registers_late', function() register('zzz', function() end) end)",
    "redis.register_function('small', function() return {tostring(small == redis), tostring(small.log ~= nil)} end)",
    "redis.register_function('small_call', function() return small.call('ping') end)",
    "redis.register_function('api', function() local t = {} for name in pairs(redis) do t[#t + 1] = name end table.sort(t) return t end)",
    "redis.register_function('globals', function() local t = {} for name in pairs(_G) do t[#t + 1] = name end table.sort(t) "
    "return t end)",
    "redis.register_function('count_arguments', function(...) return select('#', ...) end)",
    "redis.register_function('arithmetic', function() return 5 + nil end)",
    "redis.register_function('changes_redis', function() redis.x = 1 end)",
    "redis.register_function('changes_globals', function() _G.x = 1 end)",
    "redis.register_function('nested', function() local x = redis.call('fcall', 'echo', 0) end)",
    "redis.register_function('double', function() redis.setresp(3) return {double = 1.5} end)",
    "redis.register_function('map', function(keys) redis.call('hset', keys[1], 'f', 'v') redis.setresp(3) "
    "return redis.call('hgetall', keys[1]) end)",
    "redis.register_function('nothing', function() end)")


def test_calling(run):
    names = [line.partition("redis.register_function")[2] for line in CALLS.split("\n")]
    names = [name.split("'")[1] for name in names if "'" in name]
    assert len(names) > 25
    requests = [["FUNCTION", "LOAD", CALLS], ["FCALL", "echo", 2, "a", "b", "c", "d"], ["FCALL", "ECHO", 0]]
    for name in names:
        requests += [["FCALL", name, 1, "key", "argument"], ["FCALL_RO", name, 1, "key", "argument"], ["GET", "key"], ["DEL", "key"]]
    run(*requests)


def test_calling_amiss(run):
    run(["FUNCTION", "LOAD", CALLS], ["FCALL"], ["FCALL", "echo"], ["FCALL", "nosuch", 0], ["FCALL", "nosuch", "x"],
        ["FCALL", "echo", "x"], ["FCALL", "echo", -1], ["FCALL", "echo", 1], ["FCALL", "echo", "1.5", "a"], ["FCALL_RO", "echo", 0],
        ["FCALL_RO", "nosuch", 0], ["FCALL_RO", "reads", "x"], ["EVAL", "local x = redis.call('fcall', 'echo', 0)", 0],
        ["EVAL", "local x = redis.call('function', 'list')", 0])


def test_transaction(run):
    run(["FUNCTION", "LOAD", CALLS], ["MULTI"], ["FCALL", "writes", 1, "k", "v"], ["FCALL", "nosuch", 0], ["FUNCTION", "DELETE", "lib"],
        ["GET", "k"], ["EXEC"], ["FCALL", "counts", 0])


def test_short_of_memory(run):
    code = library("redis.register_function('plain', function(keys) return redis.call('get', keys[1]) end)",
                   "redis.register_function{function_name='reads', callback=function(keys) return redis.call('get', keys[1]) end, "
                   "flags={'no-writes'}}",
                   "redis.register_function{function_name='stubborn', callback=function(keys) return redis.call('incr', keys[1]) end, "
                   "flags={'allow-oom'}}")
    run(["FUNCTION", "LOAD", code], ["CONFIG", "SET", "maxmemory", 1], ["FCALL", "plain", 1, "k"], ["FCALL", "reads", 1, "k"],
        ["FCALL_RO", "reads", 1, "k"], ["FCALL", "stubborn", 1, "k"], ["FUNCTION", "LOAD", "REPLACE", code],
        ["CONFIG", "SET", "maxmemory", 0])


def payload(data, version=10):
    data += struct.pack("<H", version)
    return data + struct.pack("<Q", checksum(data))


def test_dump_and_restore(both):
    """Each restores what the other has dumped."""
    one = library("redis.register_function('f', function() return 1 end)", name="one")
    two = library("redis.register_function('g', function() return '" + "long " * 200 + "' end)", name="two")
    sequence(both, [["FUNCTION", "FLUSH"], ["FUNCTION", "DUMP"], ["FUNCTION", "LOAD", one], ["FUNCTION", "DUMP"]])
    for side in both.sides:
        side.client(1)("FUNCTION", "LOAD", two)
    dumps = [side.client(1)("FUNCTION", "DUMP") for side in both.sides]
    for dump in dumps:
        sequence(both, [["FUNCTION", "FLUSH"], ["FUNCTION", "RESTORE", dump], ["FUNCTION", "LIST", "WITHCODE"], ["FCALL", "g", 0],
                        ["FUNCTION", "RESTORE", dump, "REPLACE"], ["FUNCTION", "RESTORE", dump, "FLUSH"], ["FCALL", "f", 0],
                        ["FUNCTION", "RESTORE", dump, "X"], ["FUNCTION", "RESTORE", dump, "FLUSH", "X"], ["FUNCTION", "RESTORE"]], MODES)


def test_restoring_amiss(run):
    def part(code):
        return b"\xf5\x40" + bytes([len(code)]) + code.encode()

    one = part(library("redis.register_function('f', function() return 1 end)", name="one"))
    same_function = part(library("redis.register_function('f', function() return 1 end)", name="two"))
    other = part(library("redis.register_function('g', function() return 1 end)", name="two"))
    faulty = part(library("redis.call('get')", name="two"))
    payloads = [b"", b"x", b"x" * 20, payload(b""), payload(b"\0abc"), payload(b"\xf5"), payload(b"\xf5\x03abc"), payload(one, 99),
                payload(one)[:-1] + b"\0", payload(part("#!lua\n")), payload(one + one), payload(one + same_function),
                payload(one + faulty), payload(other + b"\xf5"), payload(other, 9), payload(same_function), payload(other)]
    requests = [["FUNCTION", "RESTORE", payload(one)], ["FUNCTION", "RESTORE", payload(one)]]
    for data in payloads:
        for policy in (["APPEND"], ["REPLACE"], ["FLUSH"], []):
            requests += [["FUNCTION", "RESTORE", data, *policy], ["FUNCTION", "LIST"], ["FUNCTION", "RESTORE", payload(one), "FLUSH"]]
    run(*requests)


def until_busy(side):
    """Asks until the server says that a script keeps it busy."""
    deadline = time.monotonic() + 10
    while True:
        client = Client(side.server.address, timeout=1)
        reply = client("PING")
        client.close()
        if isinstance(reply, Error):
            assert reply.startswith(b"BUSY ")
            return
        assert time.monotonic() < deadline, f"{side.server.name} is not busy"


def test_held_by_a_pause(both):
    """CLIENT PAUSE WRITE holds functions that may write."""
    sequence(both, [["FUNCTION", "FLUSH"], ["FUNCTION", "LOAD", CALLS], ["CLIENT", "PAUSE", 10000, "WRITE"], ["FCALL_RO", "reads", 1, "k"]])
    both("""
        2> FCALL writes 1 k v
        2-
        CLIENT UNPAUSE
        2<
        FUNCTION FLUSH
    """)


@pytest.mark.parametrize("name", ["endless", "endless_write"])
def test_endless(both_with, name):
    """A function that doesn't end is killed, unless it has written."""
    both = both_with("--busy-reply-threshold", "20")
    code = library("redis.register_function('endless', function() while true do end end)",
                   "redis.register_function('endless_write', function(keys) redis.call('set', keys[1], 1) while true do end end)")
    sequence(both, [["FUNCTION", "LOAD", code]])
    for side in both.sides:
        side.client(2).send("FCALL", name, 1, "key", "argument")
        until_busy(side)
    both("""
        GET k
        FCALL endless 0
        FUNCTION LIST
        FUNCTION DUMP
        FUNCTION FLUSH
        SCRIPT KILL
        ?? FUNCTION STATS
        FUNCTION KILL
    """)
    if name == "endless":
        both("""
            ? 2<
            FUNCTION STATS
            FUNCTION KILL
            SET k v
        """)
    else:
        for side in both.sides:
            side.client(1).send("SHUTDOWN", "NOSAVE")
            side.server.process.wait(10)
    both.finish()


def test_busy_with_a_script(both_with):
    both = both_with("--busy-reply-threshold", "20")
    for side in both.sides:
        side.client(2).send("EVAL", "while true do end", 0)
        until_busy(side)
    both("""
        FUNCTION KILL
        FUNCTION STATS
        SCRIPT KILL
        ? 2<
    """)


def test_endless_library(both):
    """Half a second is what a library gets."""
    sequence(both, [["FUNCTION", "FLUSH"], ["FUNCTION", "LOAD", library("while true do end")], ["FUNCTION", "LOAD", library("local function f() return f() end f()")],
                    ["FUNCTION", "LIST"]])
