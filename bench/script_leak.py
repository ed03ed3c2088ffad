#!/usr/bin/env python3
"""A million scripts in one engine: whether memory stays where it is, in Lua and in Python.

    python bench/script_leak.py [SCRIPTS]

Prints both after every tenth; ends with status 1 if Lua's memory, or the process's, has grown since the first tenth.
"""
import gc
import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import carnelian.scripting.words            # noqa: E402,F401
from carnelian.engine import Engine         # noqa: E402
from carnelian.keyspace import Session      # noqa: E402

SOURCES = (
    b"return redis.call('SET', KEYS[1], ARGV[1])",
    b"return {redis.call('MGET', KEYS[1], 'x'), redis.pcall('nosuch'), redis.call('PING')}",
    b"return coroutine.wrap(function() return cjson.encode({1, KEYS[1]}) end)()",
    b"return {pcall(error, {err = ARGV[1]}), redis.sha1hex(KEYS[1])}",
    b"error(KEYS[1])",
)


def main() -> int:
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    engine = Engine()
    engine.bind()
    session = Session(engine.store.databases[0])
    engine.attach(session)
    figures = []
    for tenth in range(10):
        for number in range(total // 10):
            engine.run_words(session, (b"EVAL", SOURCES[number % len(SOURCES)], b"1", b"k%d" % (number % 100), b"value"))
            if number % 100 == 0:
                engine.run_words(session, (b"EVAL", b"return %d" % number, b"0"))           # another script each time
                session.writer.take()
        session.writer.take()
        gc.collect()
        lua = engine.interpreter.interpreter
        lua.lua.gccollect()
        figures.append((lua.memory(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
        print(f"{(tenth + 1) * total // 10:9} scripts: {figures[-1][0]:9} bytes in Lua, {figures[-1][1]:7} KiB in the process at most")
    return int(figures[-1][0] > figures[0][0] * 1.05 or figures[-1][1] > figures[0][1] * 1.1)


if __name__ == "__main__":
    sys.exit(main())
