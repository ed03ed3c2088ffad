"""What a source is refused for before Lua sees it."""
import re

# Bytecode: Lua does not check it, so it could do anything to the process.
BYTECODE = b"\x1b"
# A function with so many named parameters and `...` can overflow the stack of Lua 5.1, when it is called with few (CVE-2014-5461).
MOST_NAMED = 4

_LEXEME = re.compile(rb"""
    --\[(?P<comment>=*)\[.*?(?:\](?P=comment)\]|\Z)     # comments
  | --[^\n]*
  | \[(?P<long>=*)\[.*?(?:\](?P=long)\]|\Z)             # strings
  | "(?:[^"\\\n]|\\.)*"? | '(?:[^'\\\n]|\\.)*'?
  | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<dots>\.\.\.)
  | \d[\w.]*
  | (?P<sign>\S)
""", re.DOTALL | re.VERBOSE)


def refusal(source: bytes, name: bytes = b"script"):
    """Why a source can't be compiled (bytes), or None. `name` is the chunk's, for the message."""
    if source.startswith(BYTECODE):
        return name.lstrip(b"@=") + b":1: unexpected symbol near 'char(27)'"
    if b"..." in source and has_crowded_function(source):
        return b"too many parameters before '...'"
    return None


def has_crowded_function(source: bytes) -> bool:
    """Whether a function has more than MOST_NAMED parameters and `...`."""
    in_parameters = after_function = False
    named = 0
    for lexeme in _LEXEME.finditer(source):
        word, sign = lexeme["word"], lexeme["sign"]
        if word is None and sign is None and lexeme["dots"] is None:
            continue
        if word == b"function":
            after_function, in_parameters = True, False
        elif after_function and sign == b"(":
            after_function, in_parameters, named = False, True, 0
        elif in_parameters:
            if word is not None:
                named += 1
            elif lexeme["dots"] is not None:
                if named > MOST_NAMED:
                    return True
            elif sign == b")":
                in_parameters = False
        elif after_function and word is None and sign not in (b".", b":"):
            after_function = False
    return False
