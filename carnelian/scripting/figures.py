"""What INFO and MEMORY STATS show of scripts."""


class ScriptFigures:
    """Counts, and sizes in bytes: of EVAL's scripts (`cached`, `caches`), and of the Lua that runs them (`lua`)."""

    def __init__(self, engine):
        cache = engine.interpreter
        self.cached = self.caches = self.lua = self.evicted = 0
        if cache is not None:
            self.cached = len(cache.by_sha)
            self.caches = cache.memory()
            self.lua = cache.interpreter.memory()
            self.evicted = cache.evicted
