# cython: language_level=3, cdivision=True
"""The words that an engine knows, with its counts of them."""
import cython
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def duration_bucket(nanoseconds: cython.longlong) -> cython.int:
    """The number of bits of the duration in whole microseconds."""
    microseconds: cython.longlong = nanoseconds // 1000
    bucket: cython.int = 0
    while microseconds > 0 and bucket < 39:
        microseconds >>= 1
        bucket += 1
    return bucket


@cython.final
@cython.cclass
class BoundCommand:
    """One word as an engine has it: the declaration, and this engine's counts."""

    def __init__(self, declaration):
        self.declaration = declaration
        self.name = declaration.name
        self.function = declaration.function
        self.flags = declaration.flags
        self.arity = declaration.arity
        self.group = declaration.group
        self.skip = 2 if "|" in declaration.name else 1
        self.twin = cython.NULL
        if declaration.subcommands is not None:
            self.subcommands = {name.encode(): BoundCommand(child) for name, child in declaration.subcommands.items()}

    @property
    def has_twin(self) -> bool:
        return self.twin != cython.NULL

    def histogram(self) -> dict:
        """Calls by duration: {upper bound in microseconds (a power of two): calls}, empty buckets left out."""
        i: cython.int
        return {1 << i: self.durations[i] for i in range(40) if self.durations[i]}

    def reset(self):
        """Forgets the counts (CONFIG RESETSTAT)."""
        self.calls = self.nanoseconds = self.rejected = self.failed = 0
        i: cython.int
        for i in range(40):
            self.durations[i] = 0
        for child in (self.subcommands or {}).values():
            child.reset()

    def note(self, nanoseconds, calls):
        self.nanoseconds += nanoseconds * calls
        self.durations[duration_bucket(nanoseconds)] += calls
        return 0


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def lower(c: cython.uchar) -> cython.uchar:
    return c | 32 if 65 <= c <= 90 else c


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def folded(name: cython.p_const_char, n: cython.size_t) -> cython.ulonglong:
    """The lower-case bytes side by side; those beyond eight are mixed into the first."""
    word: cython.ulonglong = 0
    i: cython.size_t
    for i in range(n):
        word = ((word << 8) | (word >> 56)) ^ lower(name[i])
    return word


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def place_of(word: cython.ulonglong) -> cython.size_t:
    """The top ten bits of a product with 2**64 divided by the golden ratio."""
    factor: cython.ulonglong = 11400714819323198485
    return (word * factor) >> 54


@cython.cfunc
@cython.exceptval(check=False)
def same(name: cython.p_const_char, other: cython.p_const_char, n: cython.size_t) -> cython.bint:
    i: cython.size_t
    for i in range(n):
        if lower(name[i]) != cython.cast(cython.uchar, other[i]):
            return False
    return True


@cython.final
@cython.cclass
class CommandTable:
    """Names to commands: a dict, and an open-addressed table over it that needs no Python object to be asked.

    Names come from declarations and the configuration only, so no client can fill or crowd it.
    """

    def __init__(self):
        self.commands = {}

    def bind(self, registry: dict) -> None:
        """Takes up every declared word that is not there yet."""
        for name, declaration in registry.items():
            if name.encode() not in self.commands:
                self.commands[name.encode()] = BoundCommand(declaration)
        self.index()

    def rename(self, old: bytes, new: bytes) -> None:
        """rename-command: the word gets another name, or none at all if that is empty. ValueError."""
        if old not in self.commands:
            raise ValueError("No such command in rename-command")
        if new and new in self.commands:
            raise ValueError("Target command name already exists")
        command = self.commands.pop(old)
        if new:
            self.commands[new] = command
        self.index()

    def index(self):
        """Fills the slots anew."""
        i: cython.size_t
        if len(self.commands) > 900:
            raise ValueError("too many commands for the table of their names")
        for i in range(1024):
            self.slots[i].command = cython.NULL
        for name, command in self.commands.items():
            i = place_of(folded(PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name)))
            while self.slots[i].command != cython.NULL:
                i = (i + 1) & 1023
            self.slots[i].folded = folded(PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name))
            self.slots[i].length = PyBytes_GET_SIZE(name)
            self.slots[i].name = PyBytes_AS_STRING(name)
            self.slots[i].command = cython.cast(cython.p_void, command)

    def find(self, name, n):
        word: cython.ulonglong = folded(name, n)
        i: cython.size_t = place_of(word)
        while self.slots[i].command != cython.NULL:
            if self.slots[i].folded == word and self.slots[i].length == n and (n <= 8 or same(name, self.slots[i].name, n)):
                return cython.cast(BoundCommand, self.slots[i].command)
            i = (i + 1) & 1023
        return None
