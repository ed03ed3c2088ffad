"""Calls that stay on the stack, so that errors can name their line.

`return f(x)` gives up the caller's frame when f is a Lua function, and not when it is a C function. The libraries of Redis
are C functions and ours are Lua, so an error in the `return redis.call(...)` of a script could not tell the script's line.
Here the tail calls of a compiled script become ordinary calls, in its bytecode: one opcode is exchanged for another.

Scripts may recurse by tail calls for ever. So within functions only calls of fields are changed (`redis.call`, `cjson.decode`),
and not those of local and global functions; in the main chunk, which runs once, all of them.

The format: Lua 5.1's `ldump.c` writes it, `lopcodes.h` describes the instructions.
"""
import struct

SIGNATURE = b"\x1bLua\x51\x00\x01\x04\x08\x04\x08\x00"      # little endian, int 4, size_t 8, instruction 4, double
GETTABLE, SELF, CALL, TAILCALL = 6, 11, 28, 29


class Chunk:
    """Bytecode under way."""

    def __init__(self, data: bytes):
        self.data = bytearray(data)
        self.at = len(SIGNATURE)

    def integer(self) -> int:
        number, = struct.unpack_from("<i", self.data, self.at)
        self.at += 4
        return number

    def skip_string(self) -> None:
        size, = struct.unpack_from("<Q", self.data, self.at)
        self.at += 8 + size

    def function(self, is_main: bool) -> None:
        """One function and those in it."""
        self.skip_string()                                  # the source's name
        self.at += 12                                       # first line, last line; up-values, parameters, varargs, stack
        self.code(is_main)
        for _ in range(self.integer()):                     # constants
            kind = self.data[self.at]
            self.at += 1
            if kind == 1:
                self.at += 1
            elif kind == 3:
                self.at += 8
            elif kind == 4:
                self.skip_string()
        for _ in range(self.integer()):
            self.function(False)
        lines = self.integer()                              # of the instructions
        self.at += 4 * lines
        for _ in range(self.integer()):                     # local variables
            self.skip_string()
            self.at += 8
        for _ in range(self.integer()):                     # up-values
            self.skip_string()

    def code(self, is_main: bool) -> None:
        count = self.integer()
        instructions = struct.unpack_from(f"<{count}I", self.data, self.at)
        for index, instruction in enumerate(instructions):
            if instruction & 63 == TAILCALL and (is_main or calls_field(instructions, index)):
                self.data[self.at + 4 * index] = instruction & 0xC0 | CALL
        self.at += 4 * count


def calls_field(instructions, index: int) -> bool:
    """Whether the called function is a field or method: what was put last into the register that the call names."""
    register = instructions[index] >> 6 & 255
    for instruction in reversed(instructions[:index]):
        if instruction >> 6 & 255 == register and instruction & 63 not in (26, 27):    # (tests only read their register)
            return instruction & 63 in (GETTABLE, SELF)
    return False


def keep_frames(dumped: bytes) -> bytes:
    """The bytecode of string.dump with such calls; as it is, where this machine's Lua lays it out in another way."""
    if not dumped.startswith(SIGNATURE):
        return dumped
    chunk = Chunk(dumped)
    chunk.function(True)
    return bytes(chunk.data)
