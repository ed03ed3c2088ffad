# cython: language_level=3, cdivision=True
"""Numbers as Redis reads and writes them.

A double is written in the fewest digits that read back as the same double, laid out as Redis 7.2 does. Reading and
writing do not depend on the process's locale: an embedding program may have set one.
"""
import cython
from cython.cimports.libc import errno
from cython.cimports.libc.locale import localeconv
from cython.cimports.libc.stdio import snprintf
from cython.cimports.libc.stdlib import strtod, strtold
from cython.cimports.libc.string import memcpy
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE

from carnelian.base.errors import NotFloat, NotInteger, ReplyError


# --- integers ------------------------------------------------------------------------------------------------------

def text_to_integer(data, n, number):
    i: cython.size_t = 0
    negative: cython.bint = False
    digit: cython.uint
    value: uint64_t = 0
    if n == 0 or n > 20:
        return False
    if data[0] == b'-':
        negative = True
        i = 1
        if n == 1:
            return False
    digit = cython.cast(cython.uchar, data[i]) - 48
    if digit > 9:
        return False
    if digit == 0:                                      # zero alone, without a sign
        if n != 1:
            return False
        number[0] = 0
        return True
    if n - i > 19:
        return False
    while i < n:
        digit = cython.cast(cython.uchar, data[i]) - 48
        if digit > 9:
            return False
        value = value * 10 + digit                      # 19 digits stay below 2^64
        i += 1
    if negative:
        if value > LARGEST + 1:
            return False
        number[0] = cython.cast(int64_t, 0 - value)
    else:
        if value > LARGEST:
            return False
        number[0] = cython.cast(int64_t, value)
    return True


def integer_to_text(number, out):
    digits: cython.char[20]
    i: cython.int = 20
    n: cython.size_t
    q: uint64_t
    value: uint64_t = cython.cast(uint64_t, number)
    if number < 0:
        value = 0 - value
        out[0] = b'-'
        out += 1
    while True:
        q = value // 10
        i -= 1
        digits[i] = cython.cast(cython.char, 48 + (value - q * 10))
        value = q
        if value == 0:
            break
    n = 20 - i
    memcpy(out, cython.address(digits[i]), n)
    return n + 1 if number < 0 else n


def parse_integer(text):
    number: int64_t
    if not text_to_integer(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), cython.address(number)):
        raise NotInteger()
    return number


# --- doubles -------------------------------------------------------------------------------------------------------

def double_to_text(number, out):
    r: cython.p_char
    p: cython.p_char
    digits: cython.char[24]
    n: cython.Py_ssize_t = 0                            # significant digits
    k: cython.long = 0                                  # number = digits * 10^k
    e: cython.long
    size: cython.size_t = 0
    scaled: int64_t
    point: cython.bint = False
    c: cython.char
    if number != number:
        memcpy(out, b"nan", 3)
        return 3
    if number - number != 0:                            # infinite
        if number < 0:
            memcpy(out, b"-inf", 4)
            return 4
        memcpy(out, b"inf", 3)
        return 3
    if number == 0:
        if 1.0 / number < 0:
            memcpy(out, b"-0", 2)
            return 2
        out[0] = b'0'
        return 1
    if -INTEGER_RANGE <= number <= INTEGER_RANGE and cython.cast(cython.double, cython.cast(int64_t, number)) == number:
        return integer_to_text(cython.cast(int64_t, number), out)

    # Up to six digits after the point, as prices and times have. The quotient of two exact numbers is the double nearest to
    # the decimal, and no other decimal of at most 15 digits has the same double: these digits are the shortest.
    if -9e9 < number < 9e9:
        scaled = cython.cast(int64_t, number * 1e6 + (0.5 if number > 0 else -0.5))
        if scaled and scaled / 1e6 == number:
            k = -6
            while scaled % 10 == 0:
                scaled //= 10
                k += 1
            if number < 0:
                out[0] = b'-'
                size = 1
                scaled = -scaled
            n = integer_to_text(scaled, digits)
            if n <= 15:
                return size + lay_out(digits, n, k, out + size)
            n = 0
            k = 0

    # repr's digits are the shortest that read back; only their layout differs.
    r = PyOS_double_to_string(number, b'r', 0, 0, cython.NULL)
    if r == cython.NULL:                                # no memory for 25 bytes: 17 digits will do
        PyErr_Clear()
        return snprintf(out, 32, b"%.17g", number)
    p = r
    size = 0
    if p[0] == b'-':
        out[0] = b'-'
        size = 1
        p += 1
    while p[0] != 0 and p[0] != b'e':
        c = p[0]
        p += 1
        if c == b'.':
            point = True
            continue
        if point:
            k -= 1
        if n == 0 and c == b'0':
            continue
        digits[n] = c
        n += 1
    if p[0] == b'e':
        p += 1
        point = p[0] == b'-'
        p += 1
        e = 0
        while p[0] != 0:
            e = e * 10 + (p[0] - 48)
            p += 1
        k += -e if point else e
    PyMem_Free(r)
    while digits[n - 1] == b'0':
        n -= 1
        k += 1
    return size + lay_out(digits, n, k, out + size)


@cython.cfunc
@cython.exceptval(check=False)
def lay_out(digits: cython.p_char, n: cython.Py_ssize_t, k: cython.long, out: cython.p_char) -> cython.size_t:
    """digits * 10^k: whole, with a point, or with an exponent, as Redis 7.2 chooses."""
    e: cython.long = k + n - 1
    i: cython.long
    size: cython.size_t
    if e < 0:
        e = -e
    if k >= 0 and e < n + 7:
        memcpy(out, digits, n)
        for i in range(k):
            out[n + i] = b'0'
        return n + k
    if k < 0 and (k > -7 or e < 4):
        if n + k > 0:
            memcpy(out, digits, n + k)
            out[n + k] = b'.'
            memcpy(out + n + k + 1, digits + n + k, -k)
            return n + 1
        out[0] = b'0'
        out[1] = b'.'
        for i in range(-k - n):
            out[2 + i] = b'0'
        memcpy(out + 2 - k - n, digits, n)
        return 2 - k
    out[0] = digits[0]
    size = 1
    if n > 1:
        out[1] = b'.'
        memcpy(out + 2, digits + 1, n - 1)
        size = n + 1
    out[size] = b'e'
    out[size + 1] = b'-' if k + n - 1 < 0 else b'+'
    return size + 2 + integer_to_text(e, out + size + 2)


def text_to_double(data, n, number):
    i: cython.size_t = 0
    whole: cython.size_t
    digits: cython.int = 0                              # significant ones seen
    seen: cython.bint = False
    negative: cython.bint = False
    negative_exponent: cython.bint = False
    mantissa: uint64_t = 0
    scale: cython.long = 0                              # of the digits after the point
    exponent: cython.long = 0
    digit: cython.uint
    value: cython.double
    if n == 0:
        return False
    if data[0] == b'-' or data[0] == b'+':
        negative = data[0] == b'-'
        i = 1
    if i < n and (data[i] == b'i' or data[i] == b'I'):
        if not (is_word(data + i, n - i, b"inf", 3) or is_word(data + i, n - i, b"infinity", 8)):
            return False
        number[0] = -INFINITE if negative else INFINITE
        return True
    if n - i > 2 and data[i] == b'0' and (data[i + 1] == b'x' or data[i + 1] == b'X'):
        return read_with_strtod(data, n, number)
    whole = i
    while i < n:
        digit = cython.cast(cython.uchar, data[i]) - 48
        if digit > 9:
            break
        if digits < 19:
            mantissa = mantissa * 10 + digit
        if mantissa:
            digits += 1
        seen = True
        i += 1
    if i < n and data[i] == b'.':
        i += 1
        while i < n:
            digit = cython.cast(cython.uchar, data[i]) - 48
            if digit > 9:
                break
            if digits < 19:
                mantissa = mantissa * 10 + digit
            if mantissa:
                digits += 1
            scale -= 1
            seen = True
            i += 1
    if not seen:
        return False
    if i < n and (data[i] == b'e' or data[i] == b'E'):
        i += 1
        if i < n and (data[i] == b'-' or data[i] == b'+'):
            negative_exponent = data[i] == b'-'
            i += 1
        if i == n:
            return False
        while i < n:
            digit = cython.cast(cython.uchar, data[i]) - 48
            if digit > 9:
                return False
            if exponent < 100000000:
                exponent = exponent * 10 + digit
            i += 1
        if negative_exponent:
            exponent = -exponent
    if i != n:
        return False
    exponent += scale
    # Clinger's fast path: mantissa and power of ten are both exact doubles, so one operation rounds correctly.
    if digits <= 19 and mantissa <= EXACT and -22 <= exponent <= 22:
        value = cython.cast(cython.double, mantissa)
        if exponent < 0:
            value /= POWERS[-exponent]
        else:
            value *= POWERS[exponent]
        number[0] = -value if negative else value
        return True
    return read_decimal(data, n, mantissa != 0, number)


@cython.cfunc
@cython.exceptval(check=False)
def is_word(data: cython.p_const_char, n: cython.size_t, word: cython.p_const_char, m: cython.size_t) -> cython.bint:
    i: cython.size_t
    if n != m:
        return False
    for i in range(m):
        if (data[i] | 32) != word[i]:
            return False
    return True


@cython.cfunc
@cython.exceptval(check=False)
def read_decimal(data: cython.p_const_char, n: cython.size_t, nonzero: cython.bint,
                 number: cython.p_double) -> cython.bint:
    """A well-formed decimal number of any length. Overflow and underflow to zero are no numbers, as in Redis."""
    short: cython.char[64]
    text: cython.p_char = short
    end: cython.p_char = cython.NULL
    value: cython.double
    if n >= 64:
        text = cython.cast(cython.p_char, PyMem_Malloc(n + 1))
        if text == cython.NULL:
            return False
    memcpy(text, data, n)
    text[n] = 0
    value = PyOS_string_to_double(text, cython.address(end), cython.NULL)
    if PyErr_Occurred() != cython.NULL:
        PyErr_Clear()
        end = text
    nonzero = end == text + n and value - value == 0 and (value != 0 or not nonzero)
    if text != cython.cast(cython.p_char, short):
        PyMem_Free(text)
    if nonzero:
        number[0] = value
    return nonzero


@cython.cfunc
@cython.exceptval(check=False)
def read_with_strtod(data: cython.p_const_char, n: cython.size_t, number: cython.p_double) -> cython.bint:
    """C's hexadecimal form, which Redis accepts because strtod does."""
    text: cython.char[256]
    end: cython.p_char
    value: cython.double
    if n >= 256:
        return False
    memcpy(text, data, n)
    text[n] = 0
    swap_point(text, n, b'.', locale_point())
    value = strtod(text, cython.address(end))
    if end != text + n or value - value != 0:
        return False
    number[0] = value
    return True


def parse_float(text):
    number: cython.double
    if not text_to_double(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), cython.address(number)):
        raise NotFloat()
    return number


def format_double(number):
    text: cython.char[32]
    return PyBytes_FromStringAndSize(text, double_to_text(number, text))


# --- long doubles --------------------------------------------------------------------------------------------------

@cython.cfunc
@cython.exceptval(check=False)
def locale_point() -> cython.char:
    return localeconv().decimal_point[0]


@cython.cfunc
@cython.exceptval(check=False)
def swap_point(text: cython.p_char, n: cython.size_t, old: cython.char, new: cython.char) -> cython.void:
    i: cython.size_t
    if old != new:
        for i in range(n):
            if text[i] == old:
                text[i] = new


@cython.cfunc
@cython.exceptval(-1)
def read_long_double(data: bytes, number: cython.pointer(cython.longdouble)) -> cython.int:
    """1: a finite number, 2: infinite. Raises NotFloat."""
    text: cython.char[5120]
    end: cython.p_char
    value: cython.longdouble
    n: cython.Py_ssize_t = PyBytes_GET_SIZE(data)
    c: cython.char
    if n == 0 or n >= 5120:
        raise NotFloat()
    memcpy(text, PyBytes_AS_STRING(data), n + 1)
    c = text[0]
    if c == b' ' or (c >= 9 and c <= 13):
        raise NotFloat()
    swap_point(text, n, b'.', locale_point())
    errno.errno = 0
    value = strtold(text, cython.address(end))
    if end != text + n or value != value:
        raise NotFloat()
    if errno.errno == errno.ERANGE and (value == 0 or value - value != 0):
        raise NotFloat()                                # beyond what it can hold; the word "inf" is a number
    number[0] = value
    return 1 if value - value == 0 else 2


def long_double_kind(text):
    value: cython.longdouble
    return read_long_double(text, cython.address(value))


def add_long_double(number, increment):
    text: cython.char[5120]
    left: cython.longdouble
    right: cython.longdouble
    n: cython.int
    read_long_double(number, cython.address(left))
    read_long_double(increment, cython.address(right))
    left = left + right
    if left - left != 0:
        raise ReplyError("ERR increment would produce NaN or Infinity")
    n = snprintf(text, 5120, b"%.17Lf", left)
    swap_point(text, n, locale_point(), b'.')
    while text[n - 1] == b'0':
        n -= 1
    if text[n - 1] == b'.':
        n -= 1
    if n == 2 and text[0] == b'-' and text[1] == b'0':
        return b"0"
    return PyBytes_FromStringAndSize(text, n)


LARGEST = cython.declare(uint64_t, 0x7FFFFFFFFFFFFFFF)
EXACT = cython.declare(uint64_t, 1 << 53)
INTEGER_RANGE = cython.declare(cython.double, 4611686018427387904.0)        # 2^62: within it a whole double is an int64
INFINITE = cython.declare(cython.double, float("inf"))
POWERS = cython.declare(cython.double[23])
for _exponent in range(23):
    POWERS[_exponent] = float(10 ** _exponent)
