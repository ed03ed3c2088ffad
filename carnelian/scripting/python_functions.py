# cython: language_level=3
"""Functions in Python: called by FCALL as those in Lua are, with keys and arguments. docs/functions.md tells how to write one.

They belong to the program and not to the data: FUNCTION LIST shows them, and FUNCTION DUMP, DELETE and FLUSH leave them be.
Their bodies reach the data by `c.run` alone (docs/decisions/0007).
"""
import importlib.util
import logging
import os
import re
import sys

import cython
from cython.cimports.carnelian.base.clock import steady_nanoseconds
from cython.cimports.carnelian.engine.cluster import Cluster
from cython.cimports.carnelian.engine.command_table import BoundCommand
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.keyspace.session import INTERNAL, NO_TOUCH, RESTRICTED, Session

from carnelian.base import replies
from carnelian.base.errors import OutOfMemory, ReplyError
from carnelian.engine.engine import internal_error
from carnelian.keyspace import declaration as flags_of_words
from carnelian.scripting.declaration import declaration
from carnelian.scripting.functions import Function, Language, Library, check_name

log = logging.getLogger("carnelian")

NOSCRIPT = cython.declare(cython.ulonglong, flags_of_words.NOSCRIPT)
WRITES = cython.declare(cython.ulonglong, flags_of_words.WRITE | flags_of_words.MAY_REPLICATE)
DENYOOM = cython.declare(cython.ulonglong, flags_of_words.DENYOOM)


class FunctionFault(ValueError):
    """A file of functions that can't be used; the text says why, in one line."""


def word_of(value) -> bytes:
    """An argument of a command as bytes: TypeError."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if isinstance(value, bool):
        raise TypeError("a bool is no argument of a command: say 0 or 1")
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, float):
        return repr(value).encode()
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    raise TypeError(f"an argument of a command is bytes, str, int or float, not {type(value).__name__}")


def plain(reply):
    """A reply in Python's own types: bytes, int, float, bool, None, list, dict, set; errors in it stay ReplyErrors."""
    if reply is None or isinstance(reply, (bytes, int, float, ReplyError)):
        return reply
    if isinstance(reply, str):
        return reply.encode()
    if isinstance(reply, (list, tuple)):
        return [plain(item) for item in reply]
    if isinstance(reply, dict):
        return {plain(key): plain(value) for key, value in reply.items()}
    if isinstance(reply, (set, frozenset)):
        return {plain(item) for item in reply}
    if isinstance(reply, (replies.Status, replies.Verbatim)):
        return reply.text
    if isinstance(reply, replies.Pairs):
        return {plain(key): plain(value) for key, value in zip(reply.items[::2], reply.items[1::2])}
    if isinstance(reply, (replies.MemberScores, replies.FieldValues)):
        return [(plain(first), plain(second)) for first, second in zip(reply.items[::2], reply.items[1::2])]
    if isinstance(reply, (replies.Members, replies.Push)):
        return [plain(item) for item in reply.items]
    if isinstance(reply, (replies.LongDouble, replies.BigNumber)):
        return reply.value
    if isinstance(reply, replies.Attribute):
        return plain(reply.reply)
    return None                             # NULL_ARRAY


@cython.final
@cython.cclass
class FunctionCall:
    """One call of a function, its `c`: `c.run("INCR", key)`.

    `name` (bytes) is the function's, `words` the request, `user` who sent it, `database` the number of the selected one,
    `now` the time in milliseconds since the epoch, which stands still while the function runs.
    """

    engine: Engine
    call: Call
    session: Session
    name = cython.declare(bytes, visibility="readonly")
    words = cython.declare(tuple, visibility="readonly")
    kill_word = cython.declare(str, visibility="readonly")
    read_only: cython.bint
    allow_oom: cython.bint
    wrote: cython.bint
    started: cython.longlong
    effects: list
    over: cython.bint
    any_slot: cython.bint
    slot: cython.int

    def __init__(self, engine, call, session, function, words, read_only):
        self.engine = engine
        self.call = call
        self.session = session
        self.name = function.name
        self.words = words
        self.kill_word = "FUNCTION"
        self.read_only = read_only
        self.allow_oom = "allow-oom" in function.flags
        self.any_slot = "allow-cross-slot-keys" in function.flags
        self.slot = -1
        self.started = steady_nanoseconds()
        self.effects = [] if engine.store.sinks and not self.engine.executing else None

    @property
    def now(self) -> int:
        return self.engine.store.now

    @property
    def user(self) -> bytes:
        return self.session.user

    @property
    def database(self) -> int:
        return self.session.db.index

    def milliseconds(self) -> int:
        """How long the call has lasted."""
        return (steady_nanoseconds() - self.started) // 1000000

    def run(self, *words):
        """Runs a command and gives its reply in Python's own types. Arguments are bytes, str, int or float.

        ReplyError: what the command answers with, or that it is not allowed here: one that writes in a function that is
        declared "no-writes", one that blocks a client or changes its connection. What commands have changed before an
        error stays changed.
        """
        engine: Engine = self.engine
        started: cython.longlong
        text: tuple = tuple([word_of(word) for word in words])
        if self.over:
            raise RuntimeError(f"the call of {self.name.decode()} is over")
        if not text:
            raise ReplyError("ERR Please specify at least one argument for this redis lib call")
        command: BoundCommand = engine.commands.get(text[0].lower())
        if command is not None and command.subcommands is not None and len(text) > 1:
            command = command.subcommands.get(text[1].lower())
        problem = self.refusal(command, text)
        if problem is not None:
            if command is not None:
                command.rejected += 1
            engine.count_error(problem)
            raise ReplyError(problem)
        if command.flags & WRITES:
            self.wrote = True
        started = steady_nanoseconds()
        try:
            return plain(self.invoke(command, text))
        except ReplyError as error:
            command.failed += 1
            engine.count_error(str(error))
            raise
        except Exception as error:
            command.failed += 1
            raise internal_error(command.name, error) from error
        finally:
            engine.note_end(self.session, command, text, steady_nanoseconds() - started)

    @cython.cfunc
    def refusal(self, bound, words: tuple):
        """Why a command may not run here, or None."""
        engine: Engine = self.engine
        command: BoundCommand = bound
        count: cython.Py_ssize_t = len(words)
        if command is None:
            return "ERR Unknown Redis command called from script"
        if command.arity > 0 and command.arity != count or count < -command.arity or command.function is None:
            return "ERR Wrong number of args calling Redis command from script"
        if command.flags & NOSCRIPT:
            return "ERR This Redis command is not allowed from script"
        if self.session.flags & RESTRICTED and (denial := engine.acl.check(self.session, command, words, "lua")):
            return denial
        if engine.cluster is not None and not self.in_one_slot(command, words):
            return "ERR Script attempted to access keys that do not hash to the same slot"
        if command.flags & WRITES and self.read_only:
            return "ERR Write commands are not allowed from read-only scripts."
        if engine.maxmemory and engine.short_of_memory and command.flags & DENYOOM and not self.wrote and not self.allow_oom:
            return OutOfMemory.text
        return None

    @cython.cfunc
    def in_one_slot(self, command: BoundCommand, words: tuple) -> cython.bint:
        """Cluster mode: whether a command's keys are of the slot that the keys before were of, unless that is declared."""
        slot: cython.int = cython.cast(Cluster, self.engine.cluster).slot_of_request(command, words)
        if slot == -2:
            return False
        if slot == -1 or self.any_slot:
            return True
        if self.slot == -1:
            self.slot = slot
        return self.slot == slot

    @cython.cfunc
    def invoke(self, command: BoundCommand, words: tuple):
        store = self.engine.store
        if self.effects is None:
            return self.engine.invoke(self.call, self.session, command, words)
        sinks = store.sinks
        store.sinks = [self.collect]
        try:
            return self.engine.invoke(self.call, self.session, command, words)
        finally:
            store.sinks = sinks

    def collect(self, index, words):
        """Takes an effect of a command; all of them are handed on together."""
        self.effects.append((index, words))

    @cython.cfunc
    def finish(self):
        self.over = True
        if self.effects:
            self.engine.propagate_together(self.effects)

    def kill(self, word):
        raise ReplyError("UNKILLABLE A function in Python can't be interrupted.")


class PythonFunctions(Language):
    """The language PYTHON."""

    name = b"PYTHON"

    def __init__(self, engine):
        self.engine = engine
        self.inner_call = Call(engine.store, engine)
        self.inner_session = Session(engine.store.databases[0])

    def create(self, library, body: bytes) -> None:
        raise ReplyError("ERR Functions in Python are loaded by the server's own configuration, not by clients")

    def call(self, c, function, key_count, values, read_only):
        engine: Engine = self.engine
        session: Session = self.inner_session
        caller: Session = c.session
        session.db = caller.db
        session.user = caller.user
        session.rights = caller.rights
        session.flags = INTERNAL | caller.flags & (NO_TOUCH | RESTRICTED)
        session.address = caller.address
        running: FunctionCall = FunctionCall(engine, self.inner_call, session, function, c.words,
                                             read_only or "no-writes" in function.flags)
        engine.script = running
        try:
            return function.callback(running, list(values[:key_count]), list(values[key_count:]))
        except ReplyError:
            raise
        except Exception as error:
            name = function.name.decode()
            log.error("The function %s raised an exception", name, exc_info=error)
            raise ReplyError(f"ERR {type(error).__name__} in function {name}: {' '.join(str(error).split())[:200]}") from None
        finally:
            engine.script = None
            running.finish()


def register(functions, body, name=None, *, flags=(), description=None, library="python") -> None:
    """Makes a Python function callable by FCALL: `body(c, keys, arguments)`.

    `functions`: the Functions of an engine. The other arguments are those of `scripting.function`; `library` is shown by
    FUNCTION LIST. ValueError.
    """
    declared = getattr(body, "declaration", None)
    if declared is None or name is not None or flags or description is not None:
        declared = declaration(body, name, flags, description)
    add(functions, library, b"", [(declared, body)])


def load_file(functions, path: str) -> Library:
    """Runs a Python file and takes up every function in it that `scripting.function` has declared. FunctionFault.

    The library is named after the file, or as its LIBRARY says.
    """
    stem = os.path.splitext(os.path.basename(path))[0]
    module_name = "carnelian_functions_" + re.sub(r"\W", "_", stem, flags=re.ASCII)
    try:
        with open(path, "rb") as file:
            code = file.read()
    except OSError as error:
        raise FunctionFault(f"Can't read the functions in {path}: {error.strerror}") from None
    spec = importlib.util.spec_from_file_location(module_name, path, loader=importlib.machinery.SourceFileLoader(module_name, path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[module_name]
        log.error("%s could not be run", path, exc_info=error)
        raise FunctionFault(f"Can't load the functions in {path}: {type(error).__name__}: {error}") from None
    bodies = {}
    for item in vars(module).values():
        declared = getattr(item, "declaration", None)
        if callable(item) and declared is not None:
            bodies[declared.name] = (declared, item)
    if not bodies:
        raise FunctionFault(f"{path} declares no function")
    name = getattr(module, "LIBRARY", re.sub(r"\W", "_", stem, flags=re.ASCII))
    try:
        return add(functions, name, code, list(bodies.values()))
    except ValueError as error:
        raise FunctionFault(f"Can't load the functions in {path}: {error}") from None


def add(functions, name: str, code: bytes, declared: list) -> Library:
    """Adds functions to a library of the program, which is made if it is not there. ValueError; then nothing is added."""
    language = functions.languages[b"PYTHON"]
    library = Library(name.encode(), language, code, fixed=True)
    before = functions.libraries.get(library.name)
    if before is not None:
        if not before.fixed:
            raise ValueError(f"the library {name} is there already")
        library.code = before.code + code
        for function in before.functions.values():
            library.add(Function(function.name, function.callback, function.flags, function.description))
    try:
        check_name(library.name)
        for declaration, body in declared:
            description = declaration.description
            library.add(Function(declaration.name.encode(), body, declaration.flags,
                                 None if description is None else description.encode()))
        functions.put(library)
    except ReplyError as error:
        raise ValueError(str(error).removeprefix("ERR ")) from None
    return library
