# cython: language_level=3
"""Libraries of functions: what an engine keeps of them, whatever language they are written in.

https://redis.io/docs/latest/develop/interact/programmability/functions-intro/

A library is made from its code as a whole (`Language.create`), and only then put in the place of what was there: so a
FUNCTION LOAD or RESTORE that fails has changed nothing.
"""
import struct

from carnelian.base.errors import ProtocolError, ReplyError
from carnelian.base.glob import matches
from carnelian.base.replies import Members, Status
from carnelian.protocol.reader import Reader
from carnelian.types import serial
from carnelian.types.serial_types import NEWEST_VERSION, VERSION

LIBRARY = 245                               # the opcode of a library in an RDB file; its code follows as a string

# What a function declares, in Redis's order.
FLAGS = ("no-writes", "allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys")
NAME_BYTES = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


class Function:
    """One function: `callback` is its language's own business."""

    def __init__(self, name: bytes, callback, flags=(), description=None):
        self.name = name
        self.callback = callback
        self.flags = frozenset(flags)
        self.description = description
        self.library = None                 # set when the library takes it up

    def shown(self) -> dict:
        """As FUNCTION LIST shows it."""
        return {b"name": self.name, b"description": self.description,
                b"flags": Members([Status(flag.encode()) for flag in FLAGS if flag in self.flags])}


class Library:
    """Functions that come and go together. `fixed`: it belongs to the program, and not to the data."""

    def __init__(self, name: bytes, language, code: bytes, fixed: bool = False):
        self.name = name
        self.language = language
        self.code = code
        self.fixed = fixed
        self.functions = {}

    def add(self, function: Function) -> None:
        """ReplyError: the name is no name, or taken in this library."""
        check_name(function.name)
        if function.name in self.functions:
            raise ReplyError("ERR Function already exists in the library")
        function.library = self
        self.functions[function.name] = function

    def shown(self, with_code: bool) -> dict:
        """As FUNCTION LIST shows it."""
        entry = {b"library_name": self.name, b"engine": self.language.name,
                 b"functions": [function.shown() for function in self.functions.values()]}
        if with_code:
            entry[b"library_code"] = self.code
        return entry

    def size(self) -> int:
        """About the bytes that it takes beside the language's own."""
        return len(self.code) + len(self.name) + 64 + sum(
            len(function.name) + len(function.description or b"") + 128 for function in self.functions.values())


class Language:
    """What runs functions. `name` is what a library's first line says, in capitals."""

    name = b""

    def create(self, library: Library, body: bytes) -> None:
        """Adds the functions of the library's code (without the first line). ReplyError."""
        raise NotImplementedError

    def call(self, c, function: Function, key_count: int, values: tuple, read_only: bool):
        """The reply of a function; `values` are so many keys, then the arguments. ReplyError."""
        raise NotImplementedError

    def memory(self) -> int:
        """Bytes of the interpreter."""
        return 0


def shown_text(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


def check_name(name: bytes) -> None:
    if not name or not NAME_BYTES.issuperset(name):
        raise ReplyError("ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one "
                         "character long")


def read_header(code: bytes) -> tuple:
    """The language, the library's name and the rest of its code, which begins with the end of the first line. ReplyError.

    The first line is `#!<language> name=<library>`.
    """
    if not code.startswith(b"#!"):
        raise ReplyError("ERR Missing library metadata")
    end = code.find(b"\n")
    if end < 0:
        raise ReplyError("ERR Invalid library metadata")
    reader = Reader()
    try:
        reader.feed(code[:end].replace(b"\r", b" ") + b"\n")
        words = reader.take()
    except ProtocolError:
        raise ReplyError("ERR Invalid library metadata") from None
    name = None
    for word in words[1:]:
        if word[:5].lower() != b"name=":
            raise ReplyError(f"ERR Invalid metadata value given: {shown_text(word)}")
        if name is not None:
            raise ReplyError("ERR Invalid metadata value, name argument was given multiple times")
        name = word[5:]
    if name is None:
        raise ReplyError("ERR Library name was not given")
    check_name(name)
    return words[0][2:], name, code[end:]


class Functions:
    """The libraries of an engine.

    `dumps` and `loads` are for a file that holds the data: a list of the libraries' code, each an RDB opcode LIBRARY and a
    string. Libraries of the program itself (`fixed`) are not among them.
    """

    def __init__(self, engine):
        self.engine = engine
        self.libraries = {}                 # name -> Library
        self.functions = {}                 # name in lower case -> Function: FCALL asks in any case
        self.languages = {}                 # name, in capitals -> Language

    def add_language(self, language: Language) -> None:
        self.languages[language.name] = language

    # --- libraries -----------------------------------------------------------------------------------------------------

    def create(self, code: bytes, present: dict, replace: bool = False) -> Library:
        """The library of that code, which is not kept yet. `present`: those that its name may clash with. ReplyError."""
        language, name, body = read_header(code)
        if language.upper() not in self.languages:
            raise ReplyError(f"ERR Engine '{shown_text(language)}' not found")
        if name in present and (not replace or present[name].fixed):
            raise ReplyError(f"ERR Library '{shown_text(name)}' already exists")
        library = Library(name, self.languages[language.upper()], code)
        library.language.create(library, body)
        if not library.functions:
            raise ReplyError("ERR No functions registered")
        return library

    def put(self, library: Library) -> None:
        """Keeps a library, in the place of the one of its name. ReplyError: a function's name is taken by another's."""
        for name in library.functions:
            owner = self.functions.get(name.lower())
            if owner is not None and owner.library.name != library.name:
                raise ReplyError(f"ERR Function {shown_text(name)} already exists")
        if library.name in self.libraries:
            self.remove(library.name)
        self.libraries[library.name] = library
        for name, function in library.functions.items():
            self.functions[name.lower()] = function

    def remove(self, name: bytes) -> None:
        for function in self.libraries.pop(name).functions:
            self.functions.pop(function.lower(), None)      # two may differ in case alone

    def load(self, code: bytes, replace: bool = False) -> bytes:
        """FUNCTION LOAD: the library's name. ReplyError."""
        library = self.create(code, self.libraries, replace)
        self.put(library)
        return library.name

    def delete(self, name: bytes) -> None:
        """FUNCTION DELETE. ReplyError."""
        library = self.libraries.get(name)
        if library is None:
            raise ReplyError("ERR Library not found")
        if library.fixed:
            raise ReplyError(f"ERR Library '{shown_text(name)}' belongs to the server and can't be deleted")
        self.remove(name)

    def flush(self) -> None:
        """FUNCTION FLUSH: all libraries but those of the program."""
        for library in list(self.libraries.values()):
            if not library.fixed:
                self.remove(library.name)

    def shown(self, pattern: bytes, with_code: bool) -> list:
        """FUNCTION LIST: newest first."""
        return [library.shown(with_code) for library in reversed(self.libraries.values()) 
                if matches(pattern.lower(), library.name.lower())]

    # --- as bytes ------------------------------------------------------------------------------------------------------

    def dumps(self) -> list:
        """The code of every library that belongs to the data."""
        return [library.code for library in self.libraries.values() if not library.fixed]

    def loads(self, codes, policy: bytes = b"FLUSH") -> None:
        """Takes up libraries that dumps() gave: all or none. ReplyError.

        Policy FLUSH: in the place of all; APPEND: beside those that are there; REPLACE: beside or in the place of them.
        """
        created: dict = {}
        functions: dict = {}
        for code in codes:
            library = self.create(code, created)
            for name in library.functions:
                if functions.get(name.lower(), library.name) != library.name:
                    raise ReplyError(f"ERR Function {shown_text(name)} already exists")
                functions[name.lower()] = library.name
            created[library.name] = library
        for name in created:
            if name in self.libraries and (policy == b"APPEND" or self.libraries[name].fixed):
                raise ReplyError(f"ERR Library {shown_text(name)} already exists")
        staying = [library for library in self.libraries.values() if library.fixed or policy != b"FLUSH" and library.name not in created]
        for library in staying:
            for name in library.functions:
                if name.lower() in functions:
                    raise ReplyError(f"ERR Function {shown_text(name)} already exists")
        self.libraries, self.functions = {}, {}
        for library in (*staying, *created.values()):
            self.put(library)

    def dump(self) -> bytes:
        """FUNCTION DUMP: an RDB file's part about libraries, with DUMP's footer."""
        output = serial.Output()
        for code in self.dumps():
            output.put_byte(LIBRARY)
            output.put_bytes(code)
        output.put_byte(VERSION & 255)
        output.put_byte(VERSION >> 8)
        data = output.take()
        return data + struct.pack("<Q", serial.checksum(data))

    def restore(self, payload: bytes, policy: bytes) -> None:
        """FUNCTION RESTORE: see loads. ReplyError."""
        end = len(payload) - serial.FOOTER
        if end < 0 or struct.unpack_from("<H", payload, end)[0] > NEWEST_VERSION \
                or struct.unpack_from("<Q", payload, end + 2)[0] != serial.checksum(payload[:-8]):
            raise ReplyError("ERR DUMP payload version or checksum are wrong")
        source = serial.Input(payload, 0, end)
        codes = []
        while source.at < end:
            if source.byte() != LIBRARY:
                raise ReplyError("ERR given type is not a function")
            try:
                codes.append(source.string())
            except serial.DamagedValue:
                raise ReplyError("ERR Failed loading library payload") from None
        self.loads(codes, policy)

    # --- figures -------------------------------------------------------------------------------------------------------

    def memory(self) -> int:
        """Bytes of the libraries, without the interpreters."""
        return sum(library.size() for library in self.libraries.values())

    def counts(self) -> dict:
        """FUNCTION STATS: libraries and functions of each language. Redis knows one, which is always there."""
        figures = {b"LUA": [0, 0]}
        for library in self.libraries.values():
            count = figures.setdefault(library.language.name, [0, 0])
            count[0] += 1
            count[1] += len(library.functions)
        return {name: {b"libraries_count": libraries, b"functions_count": functions}
                for name, (libraries, functions) in figures.items()}
