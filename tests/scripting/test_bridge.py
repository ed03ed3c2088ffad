"""What crosses between Lua and Python: the same with the bridge and, where there is none, with lupa."""
import gc
import threading

import pytest

import carnelian.scripting.interpreter as interpreter
import carnelian.scripting.words        # declares the words
from tests.oracle.resp import Error
from tests.scripting.engines import Alone

SCRIPTS = [
    # what comes in
    ("return {#KEYS, #ARGV, KEYS[1], ARGV[2], KEYS[3], type(ARGV[1])}", 2, [b"a", b"b", b"1", b"\x00\xff"]),
    ("return {#KEYS, #ARGV}", 0, []),
    ("return {#KEYS, #ARGV, KEYS[2000], ARGV[3000]}", 2000, [b"%d" % n for n in range(6000)]),
    # what goes out
    ("return 17", 0, []), ("return -3.99", 0, []), ("return 2^53", 0, []), ("return 1e300", 0, []), ("return 0/0", 0, []),
    ("return 'text'", 0, []), ("return ''", 0, []), ("return nil", 0, []), ("return", 0, []), ("return true", 0, []),
    ("return false", 0, []), ("return print", 0, []), ("return {}", 0, []), ("return {1, 'two', {3, {4}}, true, false, 6}", 0, []),
    ("return {1, nil, 3}", 0, []), ("return {ok = 'FINE'}", 0, []), ("return {err = 'ERR bad'}", 0, []),
    ("return 'A', 'B'", 0, []), ("local t = {} for i = 1, 5000 do t[i] = i end return t", 0, []),
    ("redis.setresp(3) return {map = {a = 1}}", 0, []), ("return string.rep('x', 300000)", 0, []),
    # words and their replies
    ("return redis.call('SET', KEYS[1], ARGV[1])", 1, [b"k", b"\x00v"]), ("return redis.call('GET', KEYS[1])", 1, [b"k"]),
    ("return redis.call('SET', 'n', 3)", 0, []), ("return redis.call('GET', 'n')", 0, []),
    ("redis.call('SET', 'n', 1.5) return redis.call('GET', 'n')", 0, []),
    ("redis.call('SET', 'n', 10^15) return redis.call('INCRBY', 'n', -1)", 0, []),
    ("return redis.call('GET', 'missing')", 0, []), ("return type(redis.call('GET', 'missing'))", 0, []),
    ("return redis.call('PING')['ok']", 0, []), ("return redis.call('RPUSH', 'l', 'a', 1, 2.5)", 0, []),
    ("return redis.call('LRANGE', 'l', 0, -1)", 0, []), ("return #redis.call('MGET', 'k', 'missing', 'n')", 0, []),
    ("local t = {} for i = 1, 300 do t[i] = i end return redis.call('RPUSH', 'many', unpack(t))", 0, []),
    ("local t = {} for i = 1, 7000 do t[i] = 'm' .. i end return redis.call('SADD', 'more', unpack(t))", 0, []),
    ("return #redis.call('SMEMBERS', 'more')", 0, []), ("return redis.call('HSET', 'h', 'f', 'v')", 0, []),
    ("redis.setresp(3) return redis.call('HGETALL', 'h')['map']['f']", 0, []), ("return redis.call('COMMAND', 'COUNT') > 100", 0, []),
    ("return redis.call('HGETALL', 'h')", 0, []), ("return redis.call('HRANDFIELD', 'h', 1, 'WITHVALUES')", 0, []),
    ("redis.call('ZADD', 'z', 1.5, 'a', '-inf', 'b') return redis.call('ZRANGE', 'z', 0, -1, 'WITHSCORES')", 0, []),
    ("redis.setresp(3) return redis.call('ZRANGE', 'z', 0, -1, 'WITHSCORES')[1][2]['double']", 0, []),
    ("return redis.call('ZPOPMAX', 'z')", 0, []), ("return #redis.call('XRANGE', 'none', '-', '+')", 0, []),
    # errors
    ("return redis.call('LPUSH', 'k', 1)", 0, []), ("return redis.pcall('LPUSH', 'k', 1)", 0, []),
    ("return redis.pcall('LPUSH', 'k', 1)['err']", 0, []), ("return redis.call('NOSUCH')", 0, []), ("return redis.call()", 0, []),
    ("return redis.call('GET')", 0, []), ("return redis.call('SET', 'k', {})", 0, []), ("return redis.call('SET', true, 'x')", 0, []),
    ("return redis.pcall('SET', 'k', nil)", 0, []), ("error('mine')", 0, []), ("error({err = 'MINE so'})", 0, []),
    ("return nothing", 0, []), ("local function f() return f() + 1 end return f()", 0, []), ("return KEYS[1] .. nil", 1, [b"k"]),
    ("return pcall(redis.call, 'NOSUCH')", 0, []), ("return {pcall(redis.call, 'LPUSH', 'k', 1)}", 0, []),
    # coroutines have stacks of their own
    ("return coroutine.wrap(function(...) return redis.call('RPUSH', 'c', ...) end)('a', 'b')", 0, []),
    ("local w = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(redis.call('INCR', 'i')) end end) w() w() return w()", 0, []),
]


@pytest.fixture
def without_bridge(monkeypatch):
    """A function that makes an engine whose scripts go through lupa."""
    def make():
        with monkeypatch.context() as patch:
            patch.setattr(interpreter, "open_bridge", lambda runtime, caller: None)
            alone = Alone()
            alone("EVAL", "return 1", 0)
            return alone
    return make


def plain(reply):
    return ("error", str(reply)) if isinstance(reply, Error) else list(map(plain, reply)) if isinstance(reply, list) else reply


def test_same_with_and_without(without_bridge):
    quick, slow = Alone(), without_bridge()
    for script, keys, values in SCRIPTS:
        for word in ("EVAL", "EVALSHA"):
            code = script if word == "EVAL" else quick("SCRIPT", "LOAD", script)
            if word == "EVALSHA":
                assert slow("SCRIPT", "LOAD", script) == code
            wanted = plain(slow(word, code, keys, *values))
            assert plain(quick(word, code, keys, *values)) == wanted, script
            assert quick.effects == slow.effects, script


def test_same_functions(without_bridge):
    library = """#!lua name=lib
        redis.register_function('both', function(keys, args) return {#keys, #args, keys[1], args[1]} end)
        redis.register_function('put', function(keys, args) return redis.call('SET', keys[1], args[1]) end)
        redis.register_function('fails', function(keys, args) return redis.call('LPUSH', keys[1], 1) end)"""
    quick, slow = Alone(), without_bridge()
    for words in (["FUNCTION", "LOAD", library], ["FCALL", "both", 1, "k", "v", "w"], ["FCALL", "both", 0],
                  ["FCALL", "put", 1, "k", "v"], ["FCALL", "fails", 1, "k"], ["FCALL", "missing", 0]):
        assert plain(quick(*words)) == plain(slow(*words)), words
        assert quick.effects == slow.effects


def test_scripts_are_let_go():
    """What is forgotten leaves Lua's registry, so its memory comes back."""
    alone = Alone()
    alone("EVAL", "return 1", 0)
    for turn in range(3):
        for n in range(600):
            assert alone("EVAL", f"local t = '{turn} {n} {'x' * 500}' return {n}", 0) == n
    memory = alone.engine.interpreter.interpreter.lua.get_memory_used(total=True)
    for n in range(3000):
        alone("EVAL", f"local t = 'again {n} {'x' * 500}' return {n}", 0)
    alone.engine.interpreter.interpreter.lua.gccollect()
    assert alone.engine.interpreter.interpreter.lua.get_memory_used(total=True) < memory + 1_000_000
    alone("SCRIPT", "FLUSH")
    gc.collect()
    assert alone("EVAL", "return redis.call('PING')['ok']", 0) == b"PONG"


def test_other_threads_run_meanwhile():
    """A long script does not keep the interpreter lock."""
    alone, turns, done = Alone(), [], threading.Event()

    def count():
        while not done.is_set():
            turns.append(1)
    thread = threading.Thread(target=count)
    thread.start()
    try:
        before = len(turns)
        while len(turns) < before + 10:
            alone("EVAL", "for i = 1, 10 ^ 6 do end", 0)
    finally:
        done.set()
        thread.join()
