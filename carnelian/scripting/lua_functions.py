# cython: language_level=3
"""Libraries of functions in Lua. They have an interpreter of their own, as in Redis: what a library keeps is not a script's."""
from cython.cimports.carnelian.scripting.interpreter import (
    ALLOW_CROSS_SLOT, ALLOW_OOM, ALLOW_STALE, DECLARED, NO_CLUSTER, NO_WRITES, READ_ONLY, Interpreter)

from carnelian.base.errors import ReplyError
from carnelian.keyspace import Session
from carnelian.scripting.functions import Function, Language
from carnelian.scripting.interpreter import CompileError, ScriptError

BITS = {"no-writes": NO_WRITES, "allow-oom": ALLOW_OOM, "allow-stale": ALLOW_STALE, "no-cluster": NO_CLUSTER,
        "allow-cross-slot-keys": ALLOW_CROSS_SLOT}


class LuaFunctions(Language):
    """The language LUA. The interpreter is made for the first library."""

    name = b"LUA"

    def __init__(self, engine):
        self.engine = engine
        self.interpreter = None
        self.session = Session(engine.store.databases[0])       # for the bodies of libraries, which call no words

    def start(self) -> None:
        interpreter: Interpreter = Interpreter(self.engine, "FUNCTION")
        self.environment, self.begin_loading, self.end_loading, self.parts_of = interpreter.library
        self.interpreter = interpreter

    def create(self, library, body: bytes) -> None:
        if self.interpreter is None:
            self.start()
        interpreter: Interpreter = self.interpreter
        try:
            chunk = interpreter.compile(body, b"@user_function", self.environment)
        except CompileError as error:
            raise ReplyError(f"ERR Error compiling function: {error}") from None
        self.begin_loading()
        try:
            interpreter.run_library(chunk, self.session)
        except ScriptError as error:
            raise ReplyError(f"ERR Error registering functions: {error.message}") from None
        finally:
            count, functions = self.end_loading()
        for index in range(1, count + 1):
            name, callback, description, flags = self.parts_of(functions, index)
            flags = flags.decode().split()
            function = Function(name, interpreter.keep(callback), flags, description)
            function.bits = DECLARED
            for flag in flags:
                function.bits |= BITS[flag]
            library.add(function)

    def call(self, c, function, key_count, values, read_only):
        interpreter: Interpreter = self.interpreter
        bits = function.bits | READ_ONLY if read_only else function.bits
        return interpreter.call_function(function.callback, c.session, key_count, values, bits, function.name, c.words)

    def memory(self) -> int:
        return 0 if self.interpreter is None else self.interpreter.memory()
