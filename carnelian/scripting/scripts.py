# cython: language_level=3, cdivision=True
"""The scripts of EVAL: compiled once, kept by their SHA1."""
import hashlib

import cython
from cython.cimports.carnelian.base.numbers import text_to_integer
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.scripting.interpreter import (
    ALLOW_CROSS_SLOT, ALLOW_OOM, ALLOW_STALE, DECLARED, Interpreter, NO_CLUSTER, NO_WRITES, READ_ONLY)
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import int64_t

from carnelian.base.errors import NotInteger, OutOfMemory, ReplyError
from carnelian.scripting.interpreter import CompileError

FLAGS = {"no-writes": NO_WRITES, "allow-oom": ALLOW_OOM, "allow-stale": ALLOW_STALE, "no-cluster": NO_CLUSTER,
         "allow-cross-slot-keys": ALLOW_CROSS_SLOT}
# Scripts that came by EVAL and were not SCRIPT LOADed: more than so many make the oldest go.
MOST_EVALUATED = 500


class Script:
    """One script, compiled."""

    def __init__(self, source, sha, flags, function):
        self.source = source
        self.sha = sha
        self.flags = flags
        self.function = function


class ScriptCache:
    """The scripts of one engine, with the interpreter that runs them."""

    def __init__(self, engine):
        self.interpreter = Interpreter(engine)
        self.by_source = {}
        self.by_sha = {}
        self.evaluated = {}

    def load(self, source, loaded=True):
        """The script of this source, compiled if it is new. ReplyError."""
        script: Script = self.by_source.get(source)
        if script is None:
            sha = hashlib.sha1(source).hexdigest().encode()
            flags, body = read_shebang(source)
            try:
                function = self.interpreter.keep(self.interpreter.compile(body))
            except CompileError as error:
                raise ReplyError(f"ERR Error compiling script (new function): {error}") from None
            script = Script(source, sha, flags, function)
            self.by_source[source] = self.by_sha[sha] = script
            self.evaluated[sha] = script
        if loaded and not script.loaded:
            script.loaded = True
            self.evaluated.pop(script.sha, None)
        if len(self.evaluated) > MOST_EVALUATED:
            self.evict()
        return script

    def evict(self) -> None:
        """Drops the oldest of the scripts that only EVAL has brought."""
        sha = next(iter(self.evaluated))
        script: Script = self.evaluated.pop(sha)
        del self.by_sha[sha]
        del self.by_source[script.source]
        self.evicted += 1

    def memory(self) -> int:
        """Bytes that the sources and their records take (the Lua functions are in the interpreter's memory)."""
        return sum([len(script.source) + 200 for script in self.by_sha.values()])


def read_shebang(source: bytes) -> tuple:
    """The flags of `#!lua flags=a,b`, and the source for Lua (the line is left empty). ReplyError."""
    if not source.startswith(b"#!"):
        return 0, source
    end = source.find(b"\n")
    if end < 0:
        raise ReplyError("ERR Invalid script shebang")
    parts = source[:end].decode("utf-8", "surrogateescape").split()
    if parts[0] != "#!lua":
        raise ReplyError(f"ERR Unexpected engine in script shebang: {parts[0]}")
    flags = DECLARED
    for part in parts[1:]:
        if not part.startswith("flags="):
            raise ReplyError(f"ERR Unknown lua shebang option: {part}")
        for name in part[len("flags="):].split(","):
            if name and name not in FLAGS:
                raise ReplyError(f"ERR Unexpected flag in script shebang: {name}")
            flags |= FLAGS.get(name, 0)
    return flags, source[end:]


@cython.cfunc
@cython.exceptval(-1)
def number_of_keys(c: Call, count: bytes) -> cython.Py_ssize_t:
    number: int64_t = 0
    if not text_to_integer(PyBytes_AS_STRING(count), PyBytes_GET_SIZE(count), cython.address(number)):
        raise NotInteger()
    if number > len(c.words) - 3:
        raise ReplyError("ERR Number of keys can't be greater than number of args")
    if number < 0:
        raise ReplyError("ERR Number of keys can't be negative")
    return number


@cython.cfunc
def run(cache: ScriptCache, c: Call, script: Script, number: cython.Py_ssize_t, read_only: cython.bint):
    flags: cython.int = script.flags
    if flags & DECLARED:
        if flags & NO_CLUSTER and cache.interpreter.engine.cluster is not None:
            raise ReplyError("ERR Can not run script on cluster, 'no-cluster' flag is set.")
        if read_only and not flags & NO_WRITES:
            raise ReplyError("ERR Can not execute a script with write flag using *_ro command.")
        if not flags & NO_WRITES and cache.interpreter.engine.refusal is not None:
            raise ReplyError(cache.interpreter.engine.refusal)
        if not flags & (ALLOW_OOM | NO_WRITES) and cache.interpreter.engine.short_of_memory \
                and cache.interpreter.engine.maxmemory:
            raise OutOfMemory()
        flags |= ALLOW_OOM
    if read_only:
        flags |= READ_ONLY
    return cache.interpreter.run_words(script.function, c.session, c.words, number, flags, script.sha)


def evaluate(cache, c, source, count, read_only):
    """EVAL and EVAL_RO."""
    script: Script
    if cache.interpreter.engine.monitors:
        cache.interpreter.engine.feed_monitors(c.session, c.words)
    number: cython.Py_ssize_t = number_of_keys(c, count)
    script = cache.by_source.get(source)
    if script is None:
        script = cache.load(source, False)
    return run(cache, c, script, number, read_only)


def evaluate_sha(cache, c, sha, count, read_only):
    """EVALSHA and EVALSHA_RO."""
    script: Script
    if cache.interpreter.engine.monitors:
        cache.interpreter.engine.feed_monitors(c.session, c.words)
    number: cython.Py_ssize_t = number_of_keys(c, count)
    script = cache.by_sha.get(sha) or cache.by_sha.get(sha.lower())
    if script is None:
        raise ReplyError("NOSCRIPT No matching script. Please use EVAL.")
    return run(cache, c, script, number, read_only)
