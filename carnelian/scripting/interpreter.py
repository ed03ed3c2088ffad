# cython: language_level=3, cdivision=True
"""Runs Lua: one interpreter for all scripts of an engine (and another for all functions).

The Lua half is in lua/: sandbox.lua says what keeps a script in its place. The start of a script and its redis.call go past
lupa where they can (bridge.py).

Rules for what Lua calls here. It never raises (an exception would be a Lua error with a Python object in it), it never
calls into Lua (lupa clears the stack of the state that it calls), and it looks at Lua's memory first: where Lua is out
of memory while lupa hands it a value, the process is lost.
"""
import hashlib
import logging
from importlib import import_module
from pathlib import Path

import cython
import lupa.lua51
from cython.cimports.carnelian.base.clock import steady_nanoseconds
from cython.cimports.carnelian.engine.cluster import Cluster
from cython.cimports.carnelian.keyspace.session import CACHING, INTERNAL, NO_TOUCH, RESTRICTED, TRACKING
from cython.cimports.carnelian.scripting.bridge import Body, Caller
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_GET_SIZE

from carnelian.base.errors import OutOfMemory, ReplyError
from carnelian.base.replies import OK, Members, Pairs, Status
from carnelian.engine.engine import internal_error
from carnelian.engine.statistics import SCRIPT_ADDRESS
from carnelian.keyspace import declaration
from carnelian.scripting.bridge import open_bridge
from carnelian.scripting.conversion import FLAT_MOST, argument_text, reply_from_lua, reply_to_lua
from carnelian.scripting.formats import quick_functions
from carnelian.scripting.scanner import refusal
from carnelian.scripting.tail_calls import keep_frames
from carnelian.version import REDIS_VERSION

log = logging.getLogger("carnelian")

NOSCRIPT = cython.declare(cython.ulonglong, declaration.NOSCRIPT)
WRITES = cython.declare(cython.ulonglong, declaration.WRITE | declaration.MAY_REPLICATE)
WRITE = cython.declare(cython.ulonglong, declaration.WRITE)
DENYOOM = cython.declare(cython.ulonglong, declaration.DENYOOM)

LUA_FILES = ("sandbox.lua", "replies.lua", "api.lua", "running.lua")
LIBRARIES = ("cjson", "cmsgpack", "struct", "bit")
# Bytes that Lua may use; and what must be free of it before lupa hands it something.
MOST_MEMORY = 1 << 30
MARGIN = cython.declare(cython.Py_ssize_t, 16 << 20)
# Values that go with a call; more are handed over in parts.
MOST_VALUES = cython.declare(cython.Py_ssize_t, 1000)
LOG_LEVELS = (logging.DEBUG, logging.INFO, logging.INFO, logging.WARNING)
LONGEST_LOAD = 500                              # milliseconds that the body of a library may take
ALL = cython.declare(cython.int, 3)             # targets of effects

LONG_MIN = cython.declare(object, -2**63)
LONG_MAX = cython.declare(object, 2**63 - 1)
OK_ANSWER = cython.declare(tuple, (None, 1, b"OK"))
NOT_KNOWN = (None, 0, b"ERR Unknown Redis command called from script")
WRONG_COUNT = (None, 0, b"ERR Wrong number of args calling Redis command from script")
NO_WORD = (None, 0, b"ERR Please specify at least one argument for this redis lib call")
BAD_ARGUMENT = (None, 0, b"ERR Lua redis lib command arguments must be strings or integers")
NOT_ALLOWED = (None, 0, b"ERR This Redis command is not allowed from script")
READS_ONLY = (None, 0, b"ERR Write commands are not allowed from read-only scripts.")
NO_MEMORY = (None, 0, b"ERR not enough memory")
OOM = (None, 0, OutOfMemory.text.encode())
NOT_LOCAL = (None, 0, b"ERR Script attempted to access a non local key in a cluster node")
SEVERAL_SLOTS = (None, 0, b"ERR Script attempted to access keys that do not hash to the same slot")
OUTSIDE = (None, 0, b"ERR redis.call/pcall can only be called inside a script invocation")


class CompileError(Exception):
    """Lua can't read the source: the text is Lua's."""


class ScriptError(ReplyError):
    """The error that ended a script. `counted`: it was an error of a word, and has been counted as such.

    `message` is the text alone, `source` and `line` say where it was raised: the chunk's name with its @, and -1 where it is
    not known.
    """

    def __init__(self, text: str, counted: bool = False, message: str = "", source: str = "", line: int = -1):
        ReplyError.__init__(self, text)
        self.counted = counted
        self.message = message or text
        self.source = source
        self.line = line


def no_attribute(*_):
    raise AttributeError("Lua has no business with attributes")


class Interpreter(Caller):
    """A Lua state with what scripts may use of it. One run at a time, on the engine's thread.

    `kill_word`: which KILL ends a run, "SCRIPT" or "FUNCTION". An instance makes its Lua state at once (some 0.3 ms, 100 KB).
    """

    def __init__(self, engine, kill_word="SCRIPT"):
        self.engine = engine
        self.kill_word = kill_word
        self.call = Call(engine.store, engine)
        self.session = Session(engine.store.databases[0])
        self.session.flags = INTERNAL
        self.session.address = SCRIPT_ADDRESS
        self.targets = ALL
        self.most_memory = MOST_MEMORY
        self.lua = lupa.lua51.LuaRuntime(
            encoding=None, attribute_handlers=(no_attribute, no_attribute), register_eval=False, register_builtins=False,
            unpack_returned_tuples=True, max_memory=MOST_MEMORY)
        self.memory_used = self.lua.get_memory_used
        self.prepare()

    def used(self):
        """Bytes that Lua uses."""
        if self.bridge is not None:
            return self.bridge.used()
        return self.memory_used()

    def prepare(self):
        """Runs the files of lua/, installs the libraries, empties the true globals."""
        major, minor, patch = map(int, REDIS_VERSION.split("."))
        self.bridge = open_bridge(self.lua, self)
        host = self.lua.table_from({name.encode(): function for name, function in {
            "call": self.call_word,
            "call_finished_by": None if self.bridge is None else self.bridge.call_finished_by,
            "few": 24 if self.bridge is None else None,          # lupa takes the square of the time for many arguments
            "call_packed": self.call_packed, "more": self.more, "interrupted": self.interrupted,
            "check_source": refusal, "is_exception": is_exception, "number_text": argument_text, "sha1": sha1,
            "log": self.log_line, "setresp": self.setresp, "set_repl": self.set_repl, "acl_check": self.acl_check,
            "version": REDIS_VERSION.encode(), "version_number": major << 16 | minor << 8 | patch}.items()})
        shared = self.lua.table_from({b"state": self.lua.table()})
        for name in LUA_FILES:
            source = (Path(__file__).parent / "lua" / name).read_bytes()
            functions = self.lua.compile(source, name=b"=carnelian")(host, shared)
        (self.run_script, self.run_function, self.run_body, self.run_gathered, self.gather, self.more_of_result, self.adopt,
         self.bind, self.dump, self.encode_last, run_script, run_function) = functions
        if self.bridge is not None:
            self.bridge.use(run_script, run_function)
        if self.kill_word == "FUNCTION":
            source = (Path(__file__).parent / "lua" / "library.lua").read_bytes()
            self.library = self.lua.compile(source, name=b"=carnelian")(host, shared)
        quick = None if self.bridge is None else quick_functions(self.bridge, self.lua)
        for name in LIBRARIES:
            import_module(f"carnelian.scripting.libraries.{name}").install(self.lua, quick)
            self.adopt(name.encode())
        names = self.lua.globals()
        for name in list(names.keys()):
            names[name] = None

    # --- for the rooms above -----------------------------------------------------------------------------------------

    def compile(self, source, name=b"@user_script", environment=None):
        """A Lua function of the source; its globals are `environment` (see `protected`), or those of all scripts.

        `name` is the chunk's, as errors show it. CompileError.
        """
        problem = refusal(source, name)
        if problem is not None:
            raise CompileError(problem.decode("utf-8", "surrogateescape"))
        self.need_memory(len(source) * 10)
        try:
            function = self.lua.compile(source, name=name)
        except lupa.lua51.LuaError as error:
            text = error.args[0] if error.args else b"not enough memory"
            raise CompileError(text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text) from None
        return self.bind(self.lua.compile(keep_frames(self.dump(function))), environment)

    def keep(self, function):
        """Makes a compiled function a quick one to run, or gives it as it is."""
        return function if self.bridge is None else self.bridge.keep(function)

    def run(self, function, session, keys, arguments, flags=0, name=b"", words=(), is_function=False):
        """Runs a compiled function for a client, and gives its reply. ScriptError.

        `keys`, `arguments`: tuples of bytes. They are KEYS and ARGV, or, where `is_function`, the two tables that the
        function gets. `name` is shown in errors, `words` is the request.
        """
        self.begin(session, flags, name, words)
        try:
            return self.enter(function, len(keys), tuple(keys) + tuple(arguments), is_function)
        finally:
            self.end()

    def call_function(self, function, session, key_count, values, flags, name, words):
        """As `run` with `is_function`, with keys and arguments in one tuple."""
        self.begin(session, flags, name, words)
        try:
            return self.enter(function, key_count, values, True)
        finally:
            self.end()

    def run_words(self, function, session, words, key_count, flags, name):
        """As `run`, with keys and arguments where EVAL has them: from the fourth word on."""
        self.begin(session, flags, name, words)
        try:
            return self.enter(function, key_count, words[3:], False)
        finally:
            self.end()

    def run_library(self, function, session):
        """Runs the body of a library, which may call no words. ScriptError."""
        self.begin(session, 0, b"", ())
        self.loading = True
        try:
            return self.enter(function, -1, (), False)
        finally:
            self.loading = False
            self.end()

    def kill(self, word):
        """Ends the run, at the next moment that it is looked at; ReplyError if it has written, or is another word's business."""
        if self.wrote:
            raise ReplyError("UNKILLABLE Sorry the script already executed write commands against the dataset. You can either "
                             "wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.")
        if word != self.kill_word:
            raise ReplyError(f"BUSY Redis is busy running a script. You can only call {self.kill_word} KILL or SHUTDOWN NOSAVE.")
        self.killed = b"ERR Script killed by user with %b KILL..." % self.kill_word.encode()

    def abandon(self):
        """Ends the run because the process ends: what it has written goes nowhere."""
        self.killed = b"ERR The server ends"
        self.targets = 0
        if self.effects is not None:
            self.effects = []

    def limit_memory(self, size):
        """Lets Lua use so many bytes; at least 64 MiB, since much must stay free."""
        self.most_memory = max(size, 64 << 20)
        self.lua.set_max_memory(self.most_memory)

    def memory(self):
        """Bytes that Lua uses."""
        return self.lua.get_memory_used(total=True)

    def milliseconds(self):
        """How long the run has lasted."""
        return (steady_nanoseconds() - self.started) // 1000000

    # --- a run -------------------------------------------------------------------------------------------------------

    def begin(self, session, flags, name, words):
        own: Session = self.session
        own.db = session.db
        own.user = session.user
        own.rights = session.rights
        own.tracker = session.tracker       # what a script reads is read by its client
        own.flags = INTERNAL | session.flags & (NO_TOUCH | RESTRICTED | TRACKING | CACHING)
        own.writer.resp = 2
        self.caller = session
        self.name = name
        self.words = words
        self.flags = flags
        self.wrote = False
        self.slow = False
        self.killed = None
        self.targets = ALL
        if self.engine.cluster is not None:
            # A request of several slots is refused before.
            self.slot = -1
            if words and session.command is not None:
                self.slot = cython.cast(Cluster, self.engine.cluster).slot_of_request(session.command, words)
        self.pending = None
        self.started = steady_nanoseconds()
        self.engine.script = self
        if self.engine.store.sinks and not self.engine.executing:
            self.effects = []
        else:
            self.effects = None
        return 0

    def end(self):
        self.engine.script = None
        if self.engine.busy:
            self.engine.end_busy()
        self.caller = None
        self.words = None
        self.pending = None
        if self.effects is not None:
            self.hand_on()
        return 0

    def enter(self, function, key_count, values, is_function):
        """Calls one of lua/running.lua's functions. `key_count` -1: the body of a library."""
        size: cython.Py_ssize_t = 0
        for value in values:
            size += PyBytes_GET_SIZE(value) + 64
        if self.used() + size > self.most_memory - MARGIN:
            self.need_memory(size)
        try:
            if key_count < 0:
                result = self.run_body(function)
            elif type(function) is Body:
                result = self.bridge.run(function, values, key_count, is_function)
            elif len(values) > MOST_VALUES or key_count > MOST_VALUES:
                for at in range(0, len(values), MOST_VALUES):
                    self.gather(*values[at:at + MOST_VALUES])
                result = self.run_gathered(function, key_count, is_function)
            elif is_function:
                result = self.run_function(function, key_count, *values)
            else:
                result = self.run_script(function, key_count, *values)
        except lupa.lua51.LuaError as error:
            text = str(error).removeprefix("carnelian:") or "not enough memory"
            log.warning("A script failed outside of its bounds: %s", text)
            raise ScriptError(f"ERR {text}") from None
        if PyBytes_CheckExact(result):
            return result
        if type(result) is not tuple:
            return reply_from_lua(b"v", (result,), self.session.writer.resp)
        if result[0] == b"F":
            raise self.failure(result)
        if result[0] == b"O":
            return OK if result[1] == b"OK" else Status(result[1])
        if result[0] == b"A":
            return self.array(result)
        return self.structure(result[0], result[1])

    def array(self, result: tuple):
        """An array that the script has returned."""
        reply: list = []
        i: cython.Py_ssize_t
        for i in range(1, len(result)):
            item = result[i]
            if not PyBytes_CheckExact(item) and type(item) is not int:
                if type(item) is not float and type(item) is not bool:          # nil, or a table to be taken apart in Lua
                    return self.structure(*self.encode_last())
                item = reply_from_lua(b"v", (item,), self.session.writer.resp)
            reply.append(item)
        return reply

    def structure(self, layout: bytes, count):
        """A table that the script has returned."""
        values = []
        while len(values) < count:
            part = self.more_of_result()
            values.extend(part if type(part) is tuple else (part,))
        reply = reply_from_lua(layout, tuple(values), self.session.writer.resp)
        if isinstance(reply, ReplyError):
            raise ScriptError(str(reply), layout == b"E")
        if b"e" in layout:
            self.count_errors(reply)
        return reply

    def count_errors(self, reply) -> None:
        """Errors among what a script returns, unless they are those of words, which are counted."""
        if isinstance(reply, ReplyError):
            if not reply.counted:
                self.engine.count_error(str(reply))
        elif isinstance(reply, (list, Pairs, Members)):
            for item in reply if isinstance(reply, list) else reply.items:
                self.count_errors(item)

    def failure(self, result: tuple) -> ScriptError:
        """The error of a run, with the place where it was raised."""
        _, text, source, line, counted = result
        text = message = text.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
        source = source.decode("utf-8", "surrogateescape")
        if source and line >= 0:
            text = f"{message} script: {self.name.decode('utf-8', 'surrogateescape')}, on {source}:{line}."
        return ScriptError(text, counted, message, source, line)

    def need_memory(self, size) -> None:
        """Makes sure that Lua has so many bytes and the margin; ScriptError."""
        if self.lacks_memory(size):
            raise ScriptError("ERR not enough memory")

    def lacks_memory(self, size) -> bool:
        """Whether so many bytes and the margin are not free in Lua, even after its garbage is collected."""
        if self.used() + size <= self.most_memory - MARGIN:
            return False
        self.lua.gccollect()
        return self.used() + size > self.most_memory - MARGIN

    def hand_on(self):
        """Propagates what the run has changed, all of it or nothing."""
        effects: list = self.effects
        self.effects = None
        store = self.engine.store
        if not effects:
            return 0
        if all([targets == ALL for _, _, targets in effects]):
            self.engine.propagate_together([(index, words) for index, words, _ in effects])
            return 0
        for target in (1, 2):
            chosen = [(index, words) for index, words, targets in effects if targets & target]
            if chosen:
                store.targets = target
                try:
                    self.engine.propagate_together(chosen)
                finally:
                    store.targets = ALL
        return 0

    # --- called by Lua -----------------------------------------------------------------------------------------------

    def call_word(self, *words):
        """redis.call and redis.pcall: see replies.lua for what is answered."""
        i: cython.Py_ssize_t
        for i in range(len(words)):
            if not PyBytes_CheckExact(words[i]):
                try:
                    words = tuple([word if PyBytes_CheckExact(word) else argument_text(word) for word in words])
                except Exception:
                    return BAD_ARGUMENT
                if None in words:
                    return BAD_ARGUMENT
                break
        return self.execute(words)

    def call_packed(self, lengths, data):
        """The same with the words in one piece, and the length of each: "3,1,1"."""
        words: list = []
        at: cython.Py_ssize_t = 0
        try:
            for length in map(int, lengths.split(b",")):
                words.append(data[at:at + length])
                at += length
        except MemoryError:
            return NO_MEMORY
        return self.execute(tuple(words))

    def execute(self, words):
        engine: Engine = self.engine
        command: BoundCommand
        name: bytes
        count: cython.Py_ssize_t = len(words)
        started: cython.longlong
        if self.used() > self.most_memory - MARGIN and self.lacks_memory(0):
            return NO_MEMORY
        if count == 0:
            return NO_WORD
        if self.caller is None or self.loading:
            return OUTSIDE
        name = words[0]
        command = engine.table.find(PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name))
        if command is not None and command.subcommands is not None and count > 1:
            command = command.subcommands.get(cython.cast(bytes, words[1]).lower())
        if command is None:
            return self.refused(None, NOT_KNOWN)
        if command.arity > 0 and command.arity != count or count < -command.arity or command.function is None:
            return self.refused(command, WRONG_COUNT)
        if command.flags & NOSCRIPT:
            return self.refused(command, NOT_ALLOWED)
        if self.session.flags & RESTRICTED and (denial := engine.acl.check(self.session, command, words, "lua")):
            return self.refused(command, (None, 0, denial.encode("utf-8", "surrogateescape")))
        if engine.cluster is not None:
            denied: tuple = self.denied_by_cluster(command, words)
            if denied is not None:
                return self.refused(command, denied)
        if command.flags & WRITES:
            if self.flags & (NO_WRITES | READ_ONLY):
                return self.refused(command, READS_ONLY)
        if engine.maxmemory and engine.short_of_memory and command.flags & DENYOOM and not self.wrote \
                and not self.flags & ALLOW_OOM:
            return self.refused(command, OOM)
        if command.flags & WRITE:
            if engine.refusal is not None:
                return self.refused(command, (None, 0, engine.refusal.encode()))
            self.wrote = True
        started = steady_nanoseconds()
        try:
            if self.effects is not None:
                value = self.invoke_for_effects(command, words)
            else:
                value = engine.invoke(self.call, self.session, command, words)
            value = self.to_lua(value)
        except ReplyError as error:
            value = self.failed(command, error)
        except Exception as error:
            value = self.failed(command, internal_error(command.name, error))
        engine.note_end(self.session, command, words, steady_nanoseconds() - started)
        return value

    def denied_by_cluster(self, command, words):
        """The error for keys that do not go together in cluster mode, or None. A script that declares nothing may use keys of
        several slots, one after the other."""
        slot: cython.int = cython.cast(Cluster, self.engine.cluster).slot_of_request(command, words)
        if slot == -2:
            return NOT_LOCAL
        if slot == -1 or self.flags & ALLOW_CROSS_SLOT or not (self.flags & DECLARED or self.kill_word == "FUNCTION"):
            return None
        if self.slot == -1:
            self.slot = slot
        return None if self.slot == slot else SEVERAL_SLOTS

    def invoke_for_effects(self, command: BoundCommand, words: tuple):
        store = self.engine.store
        sinks = store.sinks
        store.sinks = [self.collect]
        try:
            return self.engine.invoke(self.call, self.session, command, words)
        finally:
            store.sinks = sinks

    def collect(self, index, words):
        if self.targets:
            self.effects.append((index, words, self.targets))

    def refused(self, command, answer: tuple) -> tuple:
        """A word that is not run: the error is counted."""
        bound: BoundCommand = command
        if command is not None:
            bound.rejected += 1
        self.engine.count_error(answer[2].decode())
        return answer

    def failed(self, command: BoundCommand, error) -> tuple:
        text = str(error)
        command.failed += 1
        self.engine.count_error(text)
        return None, 0, text.encode("utf-8", "surrogateescape")

    def to_lua(self, value):
        if PyBytes_CheckExact(value):
            if PyBytes_GET_SIZE(value) > MARGIN // 4 and self.lacks_memory(len(value)):
                return NO_MEMORY
            return value
        if type(value) is int and LONG_MIN <= value <= LONG_MAX:
            return value
        if value is None and self.session.writer.resp == 2:
            return False
        if value is OK:
            return OK_ANSWER
        answer, self.pending, size = reply_to_lua(value, self.session.writer.resp)
        self.pending_at = 0
        if size > MARGIN // 4 and self.lacks_memory(size):
            self.pending = None
            return NO_MEMORY
        return answer

    def more(self):
        """The next values of the reply that is handed over in parts; none at its end."""
        pending: list = self.pending
        start: cython.Py_ssize_t = self.pending_at
        if pending is None or self.used() > self.most_memory - MARGIN // 2:
            return ()
        self.pending_at = start + FLAT_MOST
        if self.pending_at >= len(pending):
            self.pending = None
        return tuple(pending[start:start + FLAT_MOST])

    def interrupted(self):
        """Called now and then while a script runs: the error that shall end it, or None."""
        engine: Engine = self.engine
        try:
            if self.caller is None:
                return None
            with cython.nogil:          # the threads of the process have their turn
                pass
            if self.used() > self.most_memory - MARGIN // 2 and self.lacks_memory(0):
                return b"ERR not enough memory"
            if self.loading:
                return b"ERR FUNCTION LOAD timeout" if self.milliseconds() >= LONGEST_LOAD else None
            if steady_nanoseconds() - self.started >= engine.busy_threshold * 1000000:
                if not self.slow:
                    self.slow = True
                    log.warning("Slow script detected: still in execution after %d milliseconds. You can try killing the script "
                                "using the %s KILL command. Script name is: %s.", self.milliseconds(), self.kill_word,
                                self.name.decode("utf-8", "replace"))
                engine.serve_meanwhile(self.caller)
        except Exception:
            log.exception("Serving others while a script runs failed")
        return self.killed

    def log_line(self, level, text):
        """redis.log"""
        log.log(LOG_LEVELS[int(level)], "%s", text.decode("utf-8", "replace"))

    def setresp(self, version):
        self.session.writer.resp = int(version)

    def set_repl(self, targets):
        self.targets = int(targets)

    def acl_check(self, *words):
        """redis.acl_check_cmd: whether the caller's user may do it; None for a word that is not there."""
        command: BoundCommand
        try:
            words = tuple([argument_text(word) for word in words])
            command = self.engine.commands.get(words[0].lower())
            if command is not None and command.subcommands is not None and len(words) > 1:
                command = command.subcommands.get(words[1].lower())
            if command is None:
                return None
            return not self.session.flags & RESTRICTED or self.engine.acl.denial(self.session, command, words) is None
        except Exception:
            log.exception("redis.acl_check_cmd failed")
            return False


def is_exception(value) -> bool:
    """Whether an error value in Lua is an exception of Python's."""
    return isinstance(value, BaseException)


def sha1(data):
    return hashlib.sha1(data).hexdigest().encode()
