"""Libraries of functions in an engine: what is handed on, what a file keeps, all or nothing, and what a function can't reach."""
import gc

import pytest
from hypothesis import given, strategies as st

from carnelian.base.errors import ReplyError
from carnelian.scripting.function_words import functions_of
from tests.scripting.engines import NOW, Alone


def library(name, *functions, body="return 1"):
    return "\n".join([f"#!lua name={name}", *(f"redis.register_function('{function}', function(keys, args) {body} end)"
                                              for function in functions)])


@pytest.fixture
def alone():
    return Alone()


def test_effects_of_the_words(alone):
    """What changes the libraries is handed on as it came; what fails is not."""
    code = library("one", "f")
    assert alone("FUNCTION", "LOAD", code) == b"one"
    assert alone.effects == [(0, b"FUNCTION", b"LOAD", code.encode())]
    alone("FUNCTION", "LOAD", code)
    assert alone.effects == []
    dump = alone("FUNCTION", "DUMP")
    assert alone.effects == []
    alone("FUNCTION", "DELETE", "one")
    assert alone.effects == [(0, b"FUNCTION", b"DELETE", b"one")]
    alone("FUNCTION", "DELETE", "one")
    assert alone.effects == []
    alone("FUNCTION", "RESTORE", dump)
    assert alone.effects == [(0, b"FUNCTION", b"RESTORE", dump)]
    alone("FUNCTION", "RESTORE", dump)
    assert alone.effects == []
    alone("FUNCTION", "FLUSH")
    assert alone.effects == [(0, b"FUNCTION", b"FLUSH")]
    for words in (["LIST"], ["STATS"], ["KILL"], ["HELP"], ["DUMP"]):
        alone("FUNCTION", *words)
        assert alone.effects == []


def test_effects_of_a_call(alone):
    """The commands, not the call: made deterministic, and between MULTI and EXEC if there are several."""
    alone("FUNCTION", "LOAD", library("one", "many", body="redis.call('SET', keys[1], args[1], 'ex', 10) redis.call('INCR', 'n') "
                                                            "redis.call('get', 'n') return redis.call('del', 'missing')"))
    assert alone("FCALL", "many", 1, "k", "v") == 0
    assert alone.effects == [(0, b"MULTI"), (0, b"SET", b"k", b"v", b"PXAT", b"%d" % (NOW + 10000)), (0, b"INCR", b"n"), (0, b"EXEC")]
    alone("FUNCTION", "LOAD", library("two", "one", body="redis.call('SET', keys[1], 1) error('x')"))
    assert alone("FCALL", "one", 1, "k").startswith(b"ERR user_function:2: x script: one, on @user_function:2.")
    assert alone.effects == [(0, b"SET", b"k", b"1")]
    alone("FUNCTION", "LOAD", library("three", "none", body="return redis.call('get', keys[1])"))
    alone("FCALL", "none", 1, "k")
    assert alone.effects == []


def test_for_a_file(alone):
    """dumps() and loads(): the code, all or nothing."""
    functions = functions_of(alone.engine)
    codes = [library("one", "f").encode(), library("two", "g", "h").encode()]
    for code in codes:
        alone("FUNCTION", "LOAD", code)
    assert functions.dumps() == codes
    other = Alone()
    other("FUNCTION", "LOAD", library("other", "x"))
    again = functions_of(other.engine)
    again.loads(functions.dumps())
    assert again.dumps() == codes and other("FCALL", "h", 0) == 1 and other("FCALL", "x", 0) == b"ERR Function not found"
    for faulty in ([library("three", "i").encode(), b"#!lua name=x\nfoo bar"], [b""], [codes[0], codes[0]],
                   [codes[0], library("three", "F").encode()]):
        with pytest.raises(ReplyError):
            again.loads(faulty)
        assert again.dumps() == codes and other("FCALL", "f", 0) == 1
    again.loads([])
    assert again.dumps() == [] and other("FCALL", "f", 0) == b"ERR Function not found"


NAMES = st.sampled_from(["one", "two", "three"])
STEP = st.tuples(st.sampled_from(["load", "replace", "delete", "append", "restore", "flush"]), NAMES,
                 st.lists(st.sampled_from(["f", "g", "h", "F"]), min_size=1, max_size=2, unique=True))


@given(steps=st.lists(STEP, max_size=8))
def test_against_a_model(steps):
    """A dict of libraries: what clashes fails and changes nothing."""
    alone, maker, model = Alone(), Alone(), {}
    for action, name, functions in steps:
        code = library(name, *functions)
        others = {function.lower() for owner, owned in model.items() if owner != name for function in owned}
        clash = any(function.lower() in others for function in functions)
        if action in ("append", "restore"):
            maker("FUNCTION", "FLUSH")
            maker("FUNCTION", "LOAD", code)
            reply = alone("FUNCTION", "RESTORE", maker("FUNCTION", "DUMP"), "APPEND" if action == "append" else "REPLACE")
        elif action in ("load", "replace"):
            reply = alone("FUNCTION", "LOAD", *(["REPLACE"] if action == "replace" else []), code)
        elif action == "delete":
            reply = alone("FUNCTION", "DELETE", name)
        else:
            reply = alone("FUNCTION", "FLUSH")
        if action == "flush":
            model, expected = {}, True
        elif action == "delete":
            expected = model.pop(name, None) is not None
        else:
            expected = not clash and (action in ("replace", "restore") or name not in model)
            if expected:
                model[name] = functions
        assert (not reply.startswith(b"ERR")) == expected, (action, name, functions, reply)
        kept = {entry[1].decode(): sorted(function[1].decode() for function in entry[5]) for entry in alone("FUNCTION", "LIST")}
        assert kept == {name: sorted(functions) for name, functions in model.items()}
        for function in ("f", "g", "h"):
            there = any(function in (item.lower() for item in owned) for owned in model.values())
            assert alone("FCALL", function, 0) == (1 if there else b"ERR Function not found")


@given(data=st.binary(max_size=200))
def test_damaged_payloads(data):
    """Whatever comes to FUNCTION RESTORE is answered, also with a right checksum."""
    import struct

    from carnelian.types.serial import checksum

    alone = Alone()
    alone("FUNCTION", "LOAD", library("one", "f"))
    for body in (data, b"\xf5" + data, b"\xf5\x40" + bytes([len(data) & 255]) + data):
        body += struct.pack("<H", 10)
        reply = alone("FUNCTION", "RESTORE", body + struct.pack("<Q", checksum(body)))
        assert reply == b"OK" or reply.startswith(b"ERR ")
    assert alone("FCALL", "f", 0) == 1


@pytest.mark.parametrize("body", [
    "return io", "return os", "return debug", "return package", "return require", "return dofile", "return loadfile", "return python",
    "return setfenv", "return getfenv", "return print", "return newproxy", "_G.x = 1", "x = 1", "redis.x = 1", "cjson.encode = nil",
    "rawset(_G, 'x', 1)", "setmetatable(_G, {})", "getmetatable('').__index = 1", "string.rep = nil",
    "rawset(redis, 'call', nil)", "return loadstring('return io')()", "KEYS = 1", "return ARGV", "redis.register_function('x', error)",
    "table.insert(_G, 1)", "next(_G).x = 1", "error(setmetatable({}, {__tostring = function() return io end}))"])
def test_out_of_reach(alone, body):
    assert alone("FUNCTION", "LOAD", library("one", "f", body=body)) == b"one"
    reply = alone("FCALL", "f", 0)
    assert reply.startswith(b"ERR "), reply
    assert alone("FUNCTION", "LOAD", library("two", "g", body="return redis.call('ping') and cjson.encode({1})")) == b"two"
    assert alone("FCALL", "g", 0) == b"[1]"


def test_state_is_the_librarys_own(alone):
    """What a library keeps stays until it is replaced, and no script sees it."""
    code = "#!lua name=%s\nlocal n = 0\nredis.register_function('%s', function() n = n + 1 return n end)"
    alone("FUNCTION", "LOAD", code % ("one", "f"))
    alone("FUNCTION", "LOAD", code % ("two", "g"))
    assert [alone("FCALL", name, 0) for name in "ffgf"] == [1, 2, 1, 3]
    alone("FUNCTION", "LOAD", "REPLACE", code % ("one", "f"))
    assert [alone("FCALL", name, 0) for name in "fg"] == [1, 2]


def test_many_keys(alone):
    alone("FUNCTION", "LOAD", library("one", "f", body="return {#keys, #args, keys[#keys], args[#args]}"))
    for keys, arguments in ((0, 0), (1, 0), (0, 1), (2, 3), (1500, 10), (10, 5000)):
        words = [f"k{i}" for i in range(keys)] + [f"a{i}" for i in range(arguments)]
        reply = alone("FCALL", "f", keys, *words)
        assert reply[:2] == [keys, arguments]
        assert keys == 0 or arguments == 0 or reply[2:] == [words[keys - 1].encode(), words[-1].encode()]


def test_no_leak(alone):
    """Libraries that are replaced and deleted leave nothing."""
    lua = functions_of(alone.engine).languages[b"LUA"]

    def round(n):
        for i in range(n):
            alone("FUNCTION", "LOAD", "REPLACE", library("one", "f", body=f"return '{i:06}' .. ('x'):rep(1000)"))
            alone("FCALL", "f", 0)
            alone("FUNCTION", "LOAD", library("two", "f"))              # the name is taken: it fails
        alone("FUNCTION", "FLUSH")
        gc.collect()
        lua.interpreter.lua.gccollect()
        return lua.memory()

    before = round(200)
    assert round(1000) < before + 20_000
