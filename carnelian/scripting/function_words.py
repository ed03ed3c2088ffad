# cython: language_level=3
"""Functions: https://redis.io/docs/latest/develop/interact/programmability/functions-intro/"""
import cython
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.engine.engine import Engine

from carnelian.base.errors import OutOfMemory, ReplyError
from carnelian.base.numbers import parse_integer
from carnelian.base.replies import OK, Status
from carnelian.keyspace import (
    ALLOW_BUSY, DENYOOM, LOADING, MAY_REPLICATE, NO_MANDATORY_KEYS, NOSCRIPT, READONLY, SKIP_MONITOR, STALE, WRITE, command)
from carnelian.scripting.functions import Functions
from carnelian.scripting.lua_functions import LuaFunctions
from carnelian.scripting.python_functions import PythonFunctions

NO_WRITES_HERE = "ERR Can not execute a script with write flag using *_ro command."


def functions_of(engine) -> Functions:
    """The libraries of an engine."""
    if engine.functions is None:
        functions = engine.functions = Functions(engine)
        functions.add_language(LuaFunctions(engine))
        functions.add_language(PythonFunctions(engine))
    return engine.functions


def call_function(c: Call, name: bytes, numkeys: bytes, arguments: tuple, read_only: bool):
    """FCALL and FCALL_RO."""
    engine: Engine = c.engine
    function = functions_of(engine).functions.get(name.lower())
    if function is None:
        raise ReplyError("ERR Function not found")
    try:
        count = parse_integer(numkeys)
    except ReplyError:
        raise ReplyError("ERR Bad number of keys provided") from None
    if count > len(arguments):
        raise ReplyError("ERR Number of keys can't be greater than number of args")
    if count < 0:
        raise ReplyError("ERR Number of keys can't be negative")
    if read_only and "no-writes" not in function.flags:
        raise ReplyError(NO_WRITES_HERE)
    if "no-cluster" in function.flags and engine.cluster is not None:
        raise ReplyError("ERR Can not run script on cluster, 'no-cluster' flag is set.")
    if engine.maxmemory and not function.flags & {"no-writes", "allow-oom"} and not engine.make_room():
        raise OutOfMemory()
    c.propagate()                           # what it changes is handed on, not the call
    return function.library.language.call(c, function, count, arguments, read_only)


@command("FCALL function numkeys [key [key ...]] [arg [arg ...]]",
         NOSCRIPT | STALE | SKIP_MONITOR | MAY_REPLICATE | NO_MANDATORY_KEYS, since="7.0.0", group="scripting",
         keys="RW ACCESS UPDATE", complexity="Depends on the function that is executed.")
def fcall(c: Call, function: bytes, numkeys: bytes, *arguments: bytes):
    """Call a function of a library."""
    return call_function(c, function, numkeys, arguments, False)


@command("FCALL_RO function numkeys [key [key ...]] [arg [arg ...]]",
         READONLY | NOSCRIPT | STALE | SKIP_MONITOR | NO_MANDATORY_KEYS, since="7.0.0", group="scripting", keys="RO ACCESS",
         complexity="Depends on the function that is executed.")
def fcall_ro(c: Call, function: bytes, numkeys: bytes, *arguments: bytes):
    """Call a function that declares that it writes nothing."""
    return call_function(c, function, numkeys, arguments, True)


@cython.cfunc
def has_changed(c: Call):
    c.store.dirty += 1
    c.modified = True


@command("FUNCTION LOAD [REPLACE] function-code", WRITE | DENYOOM | NOSCRIPT, since="7.0.0", group="scripting",
         complexity="O(1) (considering compilation time is redundant)")
def function_load(c: Call, *arguments: bytes):
    """Make a library of its code."""
    replace = False
    for option in arguments[:-1]:
        if option.upper() != b"REPLACE":
            raise ReplyError(f"ERR Unknown option given: {option.decode('utf-8', 'surrogateescape')}")
        replace = True
    name = functions_of(c.engine).load(arguments[-1], replace)
    has_changed(c)
    return name


@command("FUNCTION DELETE library-name", WRITE | NOSCRIPT, since="7.0.0", group="scripting", complexity="O(1)")
def function_delete(c: Call, name: bytes):
    """Delete a library and its functions."""
    functions_of(c.engine).delete(name)
    has_changed(c)
    return OK


@command("FUNCTION FLUSH [ASYNC | SYNC]", WRITE | NOSCRIPT, since="7.0.0", group="scripting",
         complexity="O(N) where N is the number of functions deleted")
def function_flush(c: Call, *arguments: bytes):
    """Delete all libraries."""
    if len(arguments) > 1:
        raise ReplyError("ERR unknown subcommand or wrong number of arguments for 'FLUSH'. Try FUNCTION HELP.")
    if arguments and arguments[0].upper() not in (b"SYNC", b"ASYNC"):
        raise ReplyError("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")
    functions_of(c.engine).flush()
    has_changed(c)
    return OK


@command("FUNCTION LIST [LIBRARYNAME library-name-pattern] [WITHCODE]", NOSCRIPT, since="7.0.0", group="scripting",
         complexity="O(N) where N is the number of functions")
def function_list(c: Call, *arguments: bytes):
    """Describe the libraries."""
    pattern = None
    with_code = False
    i: cython.Py_ssize_t = 0
    while i < len(arguments):
        word = arguments[i].upper()
        if word == b"WITHCODE" and not with_code:
            with_code = True
        elif word == b"LIBRARYNAME" and pattern is None:
            i += 1
            if i == len(arguments):
                raise ReplyError("ERR library name argument was not given")
            pattern = arguments[i]
        else:
            raise ReplyError(f"ERR Unknown argument {arguments[i].decode('utf-8', 'surrogateescape')}")
        i += 1
    return functions_of(c.engine).shown(b"*" if pattern is None else pattern, with_code)


@command("FUNCTION DUMP", NOSCRIPT, since="7.0.0", group="scripting", complexity="O(N) where N is the number of functions")
def function_dump(c: Call):
    """Give all libraries as bytes that FUNCTION RESTORE understands."""
    return functions_of(c.engine).dump()


@command("FUNCTION RESTORE serialized-value [FLUSH | APPEND | REPLACE]", WRITE | DENYOOM | NOSCRIPT, since="7.0.0", group="scripting",
         complexity="O(N) where N is the number of functions on the payload")
def function_restore(c: Call, payload: bytes, *arguments: bytes):
    """Make libraries of what FUNCTION DUMP gave."""
    if len(arguments) > 1:
        raise ReplyError("ERR unknown subcommand or wrong number of arguments for 'RESTORE'. Try FUNCTION HELP.")
    policy = arguments[0].upper() if arguments else b"APPEND"
    if policy not in (b"FLUSH", b"APPEND", b"REPLACE"):
        raise ReplyError("ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.")
    functions_of(c.engine).restore(payload, policy)
    has_changed(c)
    return OK


@command("FUNCTION KILL", NOSCRIPT | ALLOW_BUSY, since="7.0.0", group="scripting", complexity="O(1)")
def function_kill(c: Call):
    """End the function that runs, if it has written nothing."""
    if c.engine.script is None:
        raise ReplyError("NOTBUSY No scripts in execution right now.")
    c.engine.script.kill("FUNCTION")
    return OK


@command("FUNCTION STATS", NOSCRIPT | ALLOW_BUSY, since="7.0.0", group="scripting", complexity="O(1)")
def function_stats(c: Call):
    """Tell what function runs, and how many there are."""
    script = c.engine.script
    if script is not None and script.kill_word != "FUNCTION":
        raise ReplyError("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.")
    return {b"running_script": None if script is None else {
                b"name": script.name, b"command": list(script.words), b"duration_ms": script.milliseconds()},
            b"engines": functions_of(c.engine).counts()}


HELP = cython.declare(list, [Status(line) for line in b"""\
FUNCTION <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
LOAD [REPLACE] <FUNCTION CODE>
    Make a library of the code, which begins with the line #!<engine> name=<library>.
DELETE <LIBRARY NAME>
    Delete a library.
LIST [LIBRARYNAME PATTERN] [WITHCODE]
    Describe the libraries: name, engine, functions, and with WITHCODE their code.
STATS
    Tell what function runs, its command and for how many milliseconds; and how many libraries and functions there are.
KILL
    End the function that runs.
FLUSH [ASYNC|SYNC]
    Delete all libraries.
DUMP
    Give all libraries as bytes for FUNCTION RESTORE.
RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]
    Make libraries of such bytes. APPEND (the default) lets no name clash, REPLACE replaces libraries of the same name,
    FLUSH deletes all others.
HELP
    Print this help.""".split(b"\n")])


@command("FUNCTION HELP", LOADING | STALE, since="7.0.0", group="scripting", complexity="O(1)")
def function_help(c: Call):
    """List the subcommands."""
    return HELP
