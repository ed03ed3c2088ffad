"""The regular expressions of JSONPath filters: RE2, whose time is linear in the length of the text.

The standard library's module takes exponential time for some expressions, and a client could stop the server with one. RE2's
package has no wheels for some systems, so it is asked for by the extra `regex`, and loaded by the first expression.
"""
from functools import lru_cache


class NoRegex(Exception):
    """The package is not installed."""


@lru_cache(maxsize=1)
def library():
    """The module, and the options that expressions are compiled with. NoRegex."""
    try:
        import re2
    except ImportError:
        raise NoRegex("regular expressions in paths need the package google-re2 (carnelian[regex])") from None
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    return re2, options


@lru_cache(maxsize=256)
def compiled(expression: str):
    """An object with `search`, or None: what is no regular expression, or too large a one, matches nothing. NoRegex."""
    re2, options = library()
    try:
        return re2.compile(expression, options)
    except (re2.error, UnicodeEncodeError):
        return None
