"""What INFO and MEMORY STATS show of scripts and functions."""


class ScriptFigures:
    """Counts, and sizes in bytes: of EVAL's scripts (`cached`, `caches`), and of the Lua that runs them (`lua`); of functions
    and their libraries (`functions`, `libraries`, `library_memory`), and of what runs those (`function_lua`)."""

    def __init__(self, engine):
        cache = engine.interpreter
        self.cached = self.caches = self.lua = self.evicted = 0
        if cache is not None:
            self.cached = len(cache.by_sha)
            self.caches = cache.memory()
            self.lua = cache.interpreter.memory()
            self.evicted = cache.evicted
        kept = engine.functions
        self.functions = self.libraries = self.library_memory = self.function_lua = 0
        if kept is not None:
            self.functions = sum(len(library.functions) for library in kept.libraries.values())
            self.libraries = len(kept.libraries)
            self.library_memory = kept.memory()
            self.function_lua = sum(language.memory() for language in kept.languages.values())
