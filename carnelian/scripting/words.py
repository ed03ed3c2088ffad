# cython: language_level=3
"""EVAL, EVALSHA and SCRIPT: https://redis.io/docs/latest/develop/interact/programmability/eval-intro/

Importing this declares them. The scripts of an engine are kept in its `interpreter.scripts` (scripts.py).
"""
import cython
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.scripting.scripts import ScriptCache, evaluate, evaluate_sha

from carnelian.base.errors import ReplyError
from carnelian.base.replies import OK, Status
from carnelian.keyspace.declaration import (
    ALLOW_BUSY, LOADING, MAY_REPLICATE, NO_MANDATORY_KEYS, NOSCRIPT, READONLY, SKIP_MONITOR, STALE, command)
from carnelian.scripting.scripts import ScriptCache as new_cache

RUN_FLAGS = NOSCRIPT | SKIP_MONITOR | MAY_REPLICATE | NO_MANDATORY_KEYS | STALE
READ_FLAGS = NOSCRIPT | SKIP_MONITOR | NO_MANDATORY_KEYS | STALE | READONLY
RUNNING = "Depends on the script that is executed."


@cython.cfunc
def scripts_of(c: Call) -> ScriptCache:
    """The scripts that an engine keeps; made with its interpreter at first use."""
    engine: Engine = c.engine
    if engine.interpreter is None:
        engine.interpreter = new_cache(engine)
    return engine.interpreter


@command("EVAL script numkeys [key [key ...]] [arg [arg ...]]", RUN_FLAGS, since="2.6.0", group="scripting",
         keys="RW ACCESS UPDATE", complexity=RUNNING)
def eval_(c: Call, source: bytes, count: bytes, *rest: bytes):
    """Run a Lua script on the server."""
    return evaluate(scripts_of(c), c, source, count, False)


@command("EVAL_RO script numkeys [key [key ...]] [arg [arg ...]]", READ_FLAGS, since="7.0.0", group="scripting",
         keys="RO ACCESS", complexity=RUNNING)
def eval_ro(c: Call, source: bytes, count: bytes, *rest: bytes):
    """Run a Lua script that only reads."""
    return evaluate(scripts_of(c), c, source, count, True)


@command("EVALSHA sha1 numkeys [key [key ...]] [arg [arg ...]]", RUN_FLAGS, since="2.6.0", group="scripting",
         keys="RW ACCESS UPDATE", complexity=RUNNING)
def evalsha(c: Call, sha: bytes, count: bytes, *rest: bytes):
    """Run a Lua script that the server has kept, by its SHA1."""
    return evaluate_sha(scripts_of(c), c, sha, count, False)


@command("EVALSHA_RO sha1 numkeys [key [key ...]] [arg [arg ...]]", READ_FLAGS, since="7.0.0", group="scripting",
         keys="RO ACCESS", complexity=RUNNING)
def evalsha_ro(c: Call, sha: bytes, count: bytes, *rest: bytes):
    """Run a kept Lua script that only reads, by its SHA1."""
    return evaluate_sha(scripts_of(c), c, sha, count, True)


@command("SCRIPT LOAD script", NOSCRIPT | STALE, since="2.6.0", group="scripting",
         complexity="O(N), N the length of the script in bytes")
def script_load(c: Call, source: bytes):
    """Keep a Lua script without running it."""
    return scripts_of(c).load(source, True).sha


@command("SCRIPT EXISTS sha1 [sha1 ...]", NOSCRIPT, since="2.6.0", group="scripting", complexity="O(N), N scripts")
def script_exists(c: Call, *shas: bytes):
    """Tell which of the scripts are kept."""
    kept = c.engine.interpreter.by_sha if c.engine.interpreter is not None else {}
    return [int(sha.lower() in kept) for sha in shas]


@command("SCRIPT SHOW sha1", NOSCRIPT, since="8.0.0", group="scripting", complexity="O(1)")
def script_show(c: Call, sha: bytes):
    """Show the source of a script that is kept."""
    script = scripts_of(c).by_sha.get(sha.lower())
    if script is None:
        raise ReplyError("NOSCRIPT No matching script. Please use EVAL.")
    return script.source


@command("SCRIPT FLUSH [ASYNC | SYNC]", NOSCRIPT, since="2.6.0", group="scripting", arity=-2,
         complexity="O(N), N scripts that are kept")
def script_flush(c: Call, *mode: bytes):
    """Forget all scripts."""
    if len(mode) > 1 or mode and mode[0].upper() not in (b"ASYNC", b"SYNC"):
        raise ReplyError("ERR SCRIPT FLUSH only support SYNC|ASYNC option")
    c.engine.interpreter = None             # with all that Lua holds
    return OK


@command("SCRIPT KILL", NOSCRIPT | ALLOW_BUSY, since="2.6.0", group="scripting", complexity="O(1)")
def script_kill(c: Call):
    """End the script that runs."""
    script = c.engine.script
    if script is None:
        raise ReplyError("NOTBUSY No scripts in execution right now.")
    script.kill("SCRIPT")
    return OK


@command("SCRIPT DEBUG <YES | SYNC | NO>", NOSCRIPT, since="3.2.0", group="scripting", complexity="O(1)")
def script_debug(c: Call, mode: bytes):
    """Turn the debugging of scripts off; there is none to turn on."""
    mode = mode.upper()
    if mode == b"NO":
        return OK
    if mode in (b"YES", b"SYNC"):
        raise ReplyError("ERR The debugger of Lua scripts is not supported")
    raise ReplyError("ERR Use SCRIPT DEBUG YES/SYNC/NO")


@command("SCRIPT HELP", LOADING | STALE, since="5.0.0", group="scripting", complexity="O(1)")
def script_help(c: Call):
    """Explain the subcommands of SCRIPT."""
    return [Status(line.encode()) for line in HELP.strip("\n").split("\n")]


HELP = """
SCRIPT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
DEBUG (YES|SYNC|NO)
    Turn the debugging of scripts on or off.
EXISTS <sha1> [<sha1> ...]
    Tell which scripts are kept: 1 or 0 for each.
FLUSH [ASYNC|SYNC]
    Forget all scripts.
KILL
    End the script that runs.
LOAD <script>
    Keep a script without running it.
SHOW <sha1>
    Show the source of a script.
HELP
    Print this help.
"""
