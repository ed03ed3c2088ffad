# cython: language_level=3
"""How a word is declared. See docs/architecture.md."""

from carnelian.keyspace.usage import CONTAINERS, Usage

# Flags, in the names of COMMAND INFO.
WRITE = 1 << 0
READONLY = 1 << 1
DENYOOM = 1 << 2
MODULE = 1 << 3
ADMIN = 1 << 4
PUBSUB = 1 << 5
NOSCRIPT = 1 << 6
BLOCKING = 1 << 7
LOADING = 1 << 8
STALE = 1 << 9
SKIP_MONITOR = 1 << 10
SKIP_SLOWLOG = 1 << 11
ASKING = 1 << 12
FAST = 1 << 13
NO_AUTH = 1 << 14
MAY_REPLICATE = 1 << 15
NO_MANDATORY_KEYS = 1 << 16
PROTECTED = 1 << 17
NO_ASYNC_LOADING = 1 << 18
NO_MULTI = 1 << 19
ALLOW_BUSY = 1 << 20
MOVABLE_KEYS = 1 << 21
# Not flags of COMMAND INFO, but ACL categories that the other flags do not imply.
DANGEROUS = 1 << 32
SORT_FOR_SCRIPT = 1 << 33

# COMMAND INFO does not show MAY_REPLICATE.
FLAG_NAMES = {
    WRITE: "write", READONLY: "readonly", DENYOOM: "denyoom", MODULE: "module", ADMIN: "admin", PUBSUB: "pubsub",
    NOSCRIPT: "noscript", BLOCKING: "blocking", LOADING: "loading", STALE: "stale", SKIP_MONITOR: "skip_monitor",
    SKIP_SLOWLOG: "skip_slowlog", ASKING: "asking", FAST: "fast", NO_AUTH: "no_auth",
    NO_MANDATORY_KEYS: "no_mandatory_keys", PROTECTED: "protected", NO_ASYNC_LOADING: "no_async_loading",
    NO_MULTI: "no_multi", ALLOW_BUSY: "allow_busy", MOVABLE_KEYS: "movablekeys",
}


class Command:
    """One word: what its declaration says. The engine keeps its counts elsewhere (several engines may live in a process)."""

    def __init__(self, usage: str, function, flags: int, since: str, group: str, keys: str, complexity: str, arity: int | None,
                 aliases=()):
        self.usage = Usage(usage, keys, arity)
        self.name = self.usage.name
        self.arity = self.usage.arity
        self.function = function
        self.flags = flags
        self.since = since
        self.group = group
        self.complexity = complexity
        self.subcommands = {} if self.name.upper() in CONTAINERS else None

    @property
    def summary(self) -> str:
        """The first line of the body's docstring."""
        text = (self.function.__doc__ or "").strip().split("\n", 1)[0] if self.function is not None else ""
        return text.removesuffix(".")

    def __repr__(self):
        return f"<Command {self.name}>"


registry: dict = {}


def command(usage: str, flags: int = 0, *, since: str = "1.0.0", group: str = "generic", keys: str = "", complexity: str = "",
            arity: int | None = None):
    """Declares the function below it as the body of a word. Two decorators over one function declare two words."""

    def declare(function):
        declared = Command(usage, function, flags, since, group, keys, complexity, arity)
        parent, bar, child = declared.name.partition("|")
        if bar:
            container = registry.get(parent)
            if container is None:
                container = Command(parent.upper(), None, 0, since, group, "", "Depends on the subcommand", None)
                registry[parent] = container
            if child in container.subcommands:
                raise ValueError(f"{declared.name} is declared twice")
            container.subcommands[child] = declared
        else:
            earlier = registry.get(declared.name)
            if earlier is not None:
                if earlier.function is not None:
                    raise ValueError(f"{declared.name} is declared twice")
                declared.subcommands = earlier.subcommands          # a container with a body of its own (COMMAND)
            registry[declared.name] = declared
        return function

    return declare
