"""How a Python function is declared that clients call with FCALL. See docs/functions.md."""
import inspect
import re

from carnelian.scripting.functions import FLAGS

NAME = re.compile(r"[A-Za-z0-9_]+")


class Declaration:
    """What `function` has been told: name, flags, description."""

    def __init__(self, name: str, flags, description: str | None):
        self.name, self.flags, self.description = name, flags, description


def declaration(body, name=None, flags=(), description=None) -> Declaration:
    """What FUNCTION LIST shows of a Python function, the name and the first line of the docstring where nothing is said.
    ValueError."""
    name = body.__name__ if name is None else name
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r}: the name of a function consists of letters, digits and underscores")
    if isinstance(flags, str):
        raise ValueError(f"{name}: flags is a list of names, not {flags!r}")
    for flag in flags:
        if flag not in FLAGS:
            raise ValueError(f"{name}: {flag!r} is no flag of a function; flags are {', '.join(FLAGS)}")
    if inspect.iscoroutinefunction(body) or inspect.isgeneratorfunction(body) or inspect.isasyncgenfunction(body):
        raise ValueError(f"{name}: a function runs at once and as a whole: it can't be a coroutine or a generator")
    if description is None:
        description = (inspect.getdoc(body) or "").split("\n", 1)[0] or None
    return Declaration(name, tuple(flags), description)


def function(name=None, *, flags=(), description=None):
    """Declares the Python function below it for FCALL:

        @function("take_token", flags=["allow-oom"])
        def take_token(c, keys, arguments): ...

    `name`: what FCALL calls it, the function's own name by default. `flags`: as of functions in Lua: "no-writes", "allow-oom",
    "allow-stale", "no-cluster", "allow-cross-slot-keys". ValueError for a name or flag that is none.
    """
    if callable(name):                      # @function without parentheses
        return function()(name)

    def declare(body):
        body.declaration = declaration(body, name, flags, description)
        return body

    return declare
