# cython: language_level=3
"""Stream IDs: two unsigned 64-bit numbers, milliseconds and sequence. In Python a tuple of both."""
import cython
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize

HIGHEST_ID = (0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def digits(number: uint64_t, out: cython.p_char) -> cython.size_t:
    n: cython.size_t = 1
    k: cython.size_t
    rest: uint64_t = number
    while rest >= 10:
        rest //= 10
        n += 1
    k = n
    while k > 0:
        k -= 1
        out[k] = 48 + cython.cast(cython.int, number % 10)
        number //= 10
    return n


def id_to_text(ms, seq, out):
    n: cython.size_t = digits(ms, out)
    out[n] = b"-"
    return n + 1 + digits(seq, out + n + 1)


def format_id(ms, seq):
    """`ms-seq`, the ID as a reply gives it."""
    text: cython.char[48]
    n: cython.size_t = id_to_text(ms, seq, text)
    return PyBytes_FromStringAndSize(text, n)
