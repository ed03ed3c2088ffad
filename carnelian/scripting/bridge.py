# cython: language_level=3, cdivision=True
"""A short way between Lua and Python: Lua's own C functions, called in lupa's library.

lupa is made for objects of any kind. What crosses here is strings, numbers and booleans, and with lupa the crossings take more
time than all the rest of a short script. So the two that every script makes, its start and redis.call, go past lupa: its
shared library exports Lua's functions. Where it does not (another platform, another build), `open_bridge` gives None, and
everything goes through lupa.

What Lua calls here never raises a Lua error while Python is at work, and looks at Lua's memory first (see interpreter.py). The global interpreter lock
is kept while Lua runs; Interpreter.interrupted gives it away for a moment now and then.

Lua's functions: https://www.lua.org/manual/5.1/manual.html#3.7, their numbers: lua.h.
"""
import ctypes

import cython
import lupa.lua51
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_FromStringAndSize, PyBytes_GET_SIZE)
from cython.cimports.cpython.ref import Py_DECREF, Py_INCREF
from cython.cimports.cpython.tuple import PyTuple_New, PyTuple_SET_ITEM
from cython.cimports.libc.stdint import int64_t, uintptr_t
from cython.cimports.libc.stdio import snprintf

from carnelian.scripting.conversion import argument_text

NUMBER = cython.declare(cython.int, 3)                  # types of values
STRING = cython.declare(cython.int, 4)
BOOLEAN = cython.declare(cython.int, 1)
NIL = cython.declare(cython.int, 0)
REGISTRY = cython.declare(cython.int, -10000)           # places that are no stack slots
GLOBALS = cython.declare(cython.int, -10002)
UPVALUE = cython.declare(cython.int, -10003)
SECOND_UPVALUE = cython.declare(cython.int, -10004)
COUNT = cython.declare(cython.int, 3)                   # lua_gc: kilobytes in use
ALL_RESULTS = cython.declare(cython.int, -1)

BAD_ARGUMENT = cython.declare(tuple, (None, 0, b"ERR Lua redis lib command arguments must be strings or integers"))
NO_MEMORY = cython.declare(tuple, (None, 0, b"ERR not enough memory"))


class Caller:
    """What a script's words are run by."""

    def execute(self, words):
        """The answer to a word, as lua/replies.lua wants it: a string, a number, a boolean, or a tuple."""
        raise NotImplementedError


class Bridge:
    """The short way into one LuaRuntime."""

    # The references from a Body to its Bridge and from there to Lua are counted by hand: the garbage collector clears others
    # in no certain order, and a Body that goes must find Lua's state.

    def __dealloc__(self):
        if self.runtime != cython.NULL:
            Py_DECREF(cython.cast(object, self.runtime))

    def keep(self, function):
        """A Lua function of lupa's, to be run without it."""
        body: Body = Body.__new__(Body)
        body.reference = self.keep_in_lua(function)
        Py_INCREF(self)
        body.bridge = cython.cast(cython.p_void, self)
        return body

    def use(self, run_script, run_function):
        """Tells what runs bodies: Lua functions that get the body, a table of keys and a table of arguments."""
        self.run_script = self.keep_in_lua(run_script)
        self.run_function = self.keep_in_lua(run_function)

    def used(self):
        return cython.cast(cython.Py_ssize_t, lua.gc(self.state, COUNT, 0)) << 10

    def run(self, body, values, key_count, is_function):
        """Runs a body; the first `key_count` of the values are its keys. What it gives: a value, or a tuple of several.

        LuaError with what went wrong outside of the body.
        """
        state: cython.p_void = self.state
        top: cython.int = lua.gettop(state)
        count: cython.int
        i: cython.int
        if not lua.checkstack(state, 20):
            raise MemoryError
        lua.rawgeti(state, REGISTRY, self.run_function if is_function else self.run_script)
        lua.rawgeti(state, REGISTRY, body.reference)
        push_table(state, values, 0, key_count)
        push_table(state, values, key_count, len(values))
        failed: cython.bint = lua.pcall(state, 3, ALL_RESULTS, 0) != 0
        try:
            count = lua.gettop(state) - top
            if failed:
                error = value_at(state, -1)
                raise lupa.lua51.LuaError(error if PyBytes_CheckExact(error) else b"an error that is no string")
            if count == 1:
                return value_at(state, -1)
            if count == 0:
                return None
            return tuple([value_at(state, top + 1 + i) for i in range(count)])
        finally:
            lua.settop(state, top)


class Body:
    """A Lua function, held in Lua's registry."""

    def __dealloc__(self):
        bridge: Bridge
        if self.bridge != cython.NULL:
            bridge = cython.cast(Bridge, self.bridge)
            lua.unref(bridge.state, REGISTRY, self.reference)
            Py_DECREF(bridge)


def open_bridge(runtime, caller: Caller):
    """The Bridge into a LuaRuntime whose globals are still whole, or None where there is no way past lupa.

    `caller` has to live as long as the runtime is used.
    """
    bridge: Bridge
    try:
        find_functions(ctypes.CDLL(lupa.lua51.__file__))
    except (OSError, AttributeError):
        return None
    # lua_pushthread is a function such as Lua can call; its result is Lua's state, and as text says where that is.
    place = runtime.execute(b"""
        local push = package and package.loadlib and package.loadlib(..., "lua_pushthread")
        return push and tostring(push())""", lupa.lua51.__file__.encode())
    if not place or not place.startswith(b"thread: 0x"):
        return None
    bridge = Bridge.__new__(Bridge)
    Py_INCREF(runtime)
    bridge.runtime = cython.cast(cython.p_void, runtime)
    bridge.state = cython.cast(cython.p_void, cython.cast(uintptr_t, int(place[len(b"thread: "):], 16)))
    functions = []
    for function in (1, 2):
        lua.pushlightuserdata(bridge.state, cython.cast(cython.p_void, caller))
        lua.pushcclosure(bridge.state, closed_from_lua if function == 1 else keep_from_lua, 1)
        lua.setfield(bridge.state, GLOBALS, b"crossing")
        functions.append(runtime.globals()[b"crossing"])
    del runtime.globals()[b"crossing"]
    bridge.call_finished_by, bridge.keep_in_lua = functions
    return bridge


def find_functions(library):
    """Fills in the addresses of Lua's functions. AttributeError if one is missing."""
    lua.gettop = cython.cast(of_state, address(library, "lua_gettop"))
    lua.type = cython.cast(of_index, address(library, "lua_type"))
    lua.toboolean = cython.cast(of_index, address(library, "lua_toboolean"))
    lua.checkstack = cython.cast(of_index, address(library, "lua_checkstack"))
    lua.ref = cython.cast(of_index, address(library, "luaL_ref"))
    lua.next = cython.cast(of_index, address(library, "lua_next"))
    lua.getmetatable = cython.cast(of_index, address(library, "lua_getmetatable"))
    lua.rawequal = cython.cast(of_two, address(library, "lua_rawequal"))
    lua.gc = cython.cast(of_two, address(library, "lua_gc"))
    lua.pcall = cython.cast(of_three, address(library, "lua_pcall"))
    lua.settop = cython.cast(at_index, address(library, "lua_settop"))
    lua.rawset = cython.cast(at_index, address(library, "lua_rawset"))
    lua.insert = cython.cast(at_index, address(library, "lua_insert"))
    lua.call = cython.cast(at_two, address(library, "lua_call"))
    lua.pushvalue = cython.cast(at_index, address(library, "lua_pushvalue"))
    lua.pushboolean = cython.cast(at_index, address(library, "lua_pushboolean"))
    lua.createtable = cython.cast(at_two, address(library, "lua_createtable"))
    lua.rawgeti = cython.cast(at_two, address(library, "lua_rawgeti"))
    lua.rawseti = cython.cast(at_two, address(library, "lua_rawseti"))
    lua.unref = cython.cast(at_two, address(library, "luaL_unref"))
    lua.pushnil = cython.cast(push_nothing, address(library, "lua_pushnil"))
    lua.pushnumber = cython.cast(push_number, address(library, "lua_pushnumber"))
    lua.pushlstring = cython.cast(push_string, address(library, "lua_pushlstring"))
    lua.pushlightuserdata = cython.cast(push_pointer, address(library, "lua_pushlightuserdata"))
    lua.pushcclosure = cython.cast(push_function, address(library, "lua_pushcclosure"))
    lua.setfield = cython.cast(set_field, address(library, "lua_setfield"))
    lua.tolstring = cython.cast(get_string, address(library, "lua_tolstring"))
    lua.tonumber = cython.cast(get_number, address(library, "lua_tonumber"))
    lua.touserdata = cython.cast(get_pointer, address(library, "lua_touserdata"))


@cython.cfunc
def address(library, name: str) -> cython.p_void:
    return cython.cast(cython.p_void, cython.cast(uintptr_t, ctypes.cast(getattr(library, name), ctypes.c_void_p).value))


# --- values ----------------------------------------------------------------------------------------------------------

@cython.cfunc
def value_at(state: cython.p_void, index: cython.int):
    """The string, number or boolean of a stack slot; None for all else."""
    size: cython.size_t = 0
    text: cython.p_const_char
    kind: cython.int = lua.type(state, index)
    if kind == STRING:
        text = lua.tolstring(state, index, cython.address(size))
        return PyBytes_FromStringAndSize(text, size)
    if kind == NUMBER:
        return number_of(lua.tonumber(state, index))
    if kind == BOOLEAN:
        return lua.toboolean(state, index) != 0
    return None


@cython.cfunc
def number_of(number: cython.double):
    """An integer where the number is one of 64 bits, else a float."""
    if -9223372036854775808.0 <= number < 9223372036854775808.0 and number == cython.cast(cython.double, cython.cast(int64_t, number)):
        return cython.cast(int64_t, number)
    return number


@cython.cfunc
@cython.exceptval(-1)
def push(state: cython.p_void, value) -> cython.int:
    """Puts a value on the stack; nil for what is no string, number (integers: of 64 bits) or boolean."""
    if PyBytes_CheckExact(value):
        lua.pushlstring(state, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
    elif value is False or value is True:
        lua.pushboolean(state, value is True)
    elif type(value) is int:
        lua.pushnumber(state, cython.cast(cython.double, cython.cast(cython.longlong, value)))
    elif type(value) is float:
        lua.pushnumber(state, value)
    else:
        lua.pushnil(state)
    return 1


@cython.cfunc
@cython.exceptval(-1)
def push_table(state: cython.p_void, values: tuple, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.int:
    """Puts an array of values[start:end] on the stack."""
    i: cython.Py_ssize_t
    lua.createtable(state, cython.cast(cython.int, end - start), 0)
    for i in range(start, end):
        push(state, values[i])
        lua.rawseti(state, -2, cython.cast(cython.int, i - start + 1))
    return 1


# --- called by Lua ---------------------------------------------------------------------------------------------------

def closed_from_lua(state):
    """(finish): a Lua function that hands a word to the Caller. `finish` gets the answers that are no plain values."""
    lua.settop(state, 1)
    lua.pushlightuserdata(state, lua.touserdata(state, UPVALUE))
    lua.insert(state, 1)
    lua.pushcclosure(state, call_from_lua, 2)
    return 1


def call_from_lua(state):
    """redis.call and redis.pcall. `finish` may raise: nothing of Python's is held here meanwhile."""
    count: cython.int = execute_from_lua(state)
    if count == 0 or lua.type(state, -count) != NIL:
        return count
    lua.pushvalue(state, SECOND_UPVALUE)
    lua.insert(state, -count - 1)
    lua.call(state, count, 1)
    return 1


def execute_from_lua(state):
    """How many values of an answer are on the stack, one at least: see lua/replies.lua."""
    caller: Caller = cython.cast(Caller, lua.touserdata(state, UPVALUE))
    try:
        words = words_of(state)
        return answer(state, caller.execute(words) if words is not None else BAD_ARGUMENT)
    except MemoryError:
        return answer(state, NO_MEMORY)


def keep_from_lua(state):
    """Keeps the argument in the registry: its number there."""
    number: cython.int
    lua.settop(state, 1)
    number = lua.ref(state, REGISTRY)
    lua.pushnumber(state, number)
    return 1


@cython.cfunc
def words_of(state: cython.p_void) -> tuple:
    """The arguments of a Lua function as words; None if one can be none."""
    count: cython.int = lua.gettop(state)
    size: cython.size_t = 0
    text: cython.p_const_char
    digits: cython.char[24]
    number: cython.double
    i: cython.int
    words: tuple = PyTuple_New(count)
    for i in range(count):
        if lua.type(state, i + 1) == STRING:
            text = lua.tolstring(state, i + 1, cython.address(size))
            word = PyBytes_FromStringAndSize(text, size)
        elif lua.type(state, i + 1) == NUMBER:
            number = lua.tonumber(state, i + 1)
            if -1e18 < number < 1e18 and number == cython.cast(cython.double, cython.cast(int64_t, number)):
                word = PyBytes_FromStringAndSize(digits, snprintf(digits, 24, "%lld", cython.cast(cython.longlong, number)))
            else:
                word = argument_text(number_of(number))
        else:
            return None
        Py_INCREF(word)
        PyTuple_SET_ITEM(words, i, word)
    return words


@cython.cfunc
@cython.exceptval(-1)
def answer(state: cython.p_void, value) -> cython.int:
    """Puts an answer of Caller.execute on the stack: how many values. Flat arrays and statuses are made into tables here."""
    i: cython.Py_ssize_t
    parts: tuple
    if type(value) is not tuple:
        return push(state, value)
    parts = value
    if parts[1] == 2:
        push_table(state, parts, 2, len(parts))
        return 1
    if parts[1] == 1:
        lua.createtable(state, 0, 1)
        push(state, parts[2])
        lua.setfield(state, -2, b"ok")
        return 1
    for i in range(len(parts)):
        push(state, parts[i])
    return cython.cast(cython.int, len(parts))
