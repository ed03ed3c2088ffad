"""Error replies. The texts are Redis's, to the letter: clients match on them.

A body raises a fresh instance (a shared one would keep its traceback, and grow). `str(error)` is the line after the
dash of the RESP error.
"""


def shown(word: bytes) -> str:
    """A word of a client in an error's text: up to a NUL byte, as C prints it."""
    return word.partition(b"\0")[0].decode("utf-8", "surrogateescape")


class ReplyError(Exception):
    """An error reply: `ReplyError("ERR text")`. The first word is the code."""

    def __init__(self, text: str = ""):
        super().__init__(text or self.text)

    text = "ERR"
    counted = False         # whether it has been counted already (INFO's errorstats): an error of a word that ends a script


class WrongType(ReplyError):
    text = "WRONGTYPE Operation against a key holding the wrong kind of value"


class NotJson(ReplyError):
    """The JSON words' own WRONGTYPE."""

    text = "Existing key has wrong Redis type"


class SyntaxFault(ReplyError):
    text = "ERR syntax error"


class NotInteger(ReplyError):
    text = "ERR value is not an integer or out of range"


class NotFloat(ReplyError):
    text = "ERR value is not a valid float"


class NoSuchKey(ReplyError):
    text = "ERR no such key"


class OutOfRange(ReplyError):
    text = "ERR index out of range"


class NotPositive(ReplyError):
    text = "ERR value is out of range, must be positive"


class OutOfMemory(ReplyError):
    text = "OOM command not allowed when used memory > 'maxmemory'."


class StringTooLong(ReplyError):
    text = "ERR string exceeds maximum allowed size (proto-max-bulk-len)"


class WrongArity(ReplyError):
    """`name` is the full name of the command, lower case, with `|` before a subcommand."""

    def __init__(self, name: str):
        super().__init__(f"ERR wrong number of arguments for '{name}' command")


class ProtocolError(Exception):
    """A request that cannot be read: the text follows `ERR Protocol error: `, and the connection is closed."""
