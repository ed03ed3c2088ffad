"""Numbers as Redis reads and writes them."""
import math
import struct
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from carnelian.base.errors import NotFloat, NotInteger, ReplyError
from carnelian.base.numbers import add_long_double, format_double, long_double_kind, parse_float, parse_integer

doubles = st.floats() | st.integers(0, 2**64 - 1).map(lambda n: struct.unpack("d", n.to_bytes(8, "little"))[0]) | \
    st.builds(lambda n, places: round(n, places), st.floats(-1e9, 1e9), st.integers(0, 8))


@pytest.mark.parametrize("number, text", [
    (0.0, b"0"), (-0.0, b"-0"), (3.0, b"3"), (-17.0, b"-17"), (0.1, b"0.1"), (-2.5, b"-2.5"), (1e17, b"100000000000000000"),
    (2.0**62, b"4611686018427387904"), (2.0**63, b"9223372036854776000"), (1e20, b"1e+20"), (-1.5e300, b"-1.5e+300"),
    (12345678901234567e5, b"1234567890123456800000"), (1.5e24, b"1.5e+24"), (1e-6, b"0.000001"), (1e-7, b"1e-7"), (1.5e-5, b"0.000015"),
    (1.5e-7, b"1.5e-7"), (0.00123456789, b"0.00123456789"), (5e-324, b"5e-324"), (1.7976931348623157e308, b"1.7976931348623157e+308"),
    (math.inf, b"inf"), (-math.inf, b"-inf"), (math.nan, b"nan")])
def test_layout_of_doubles(number, text):
    assert format_double(number) == text


@given(doubles)
def test_doubles_survive(number):
    text = format_double(number)
    if number != number:
        assert text == b"nan"
        return
    assert struct.pack("d", parse_float(text)) == struct.pack("d", number)
    if not math.isinf(number) and (abs(number) > 2**62 or number != int(number)):
        digits = [Decimal(t).as_tuple().digits for t in (text.decode(), repr(number))]
        assert bytes(digits[0]).rstrip(b"\0") == bytes(digits[1]).rstrip(b"\0"), "not the shortest digits"


@given(doubles.filter(math.isfinite), st.sampled_from(["%r", "%.17g", "%.40g", "%.3e", "%.25f", "+%.17g"]))
@example(9007199254740993.0, "%.25f")
def test_doubles_are_read_as_python_reads_them(number, form):
    text = (form % number).replace("+-", "-")
    expected = float(text)
    if math.isinf(expected) or (expected == 0 and any(c in "123456789" for c in text.partition("e")[0])):
        with pytest.raises(NotFloat):
            parse_float(text.encode())
    else:
        assert struct.pack("d", parse_float(text.encode())) == struct.pack("d", expected)


@pytest.mark.parametrize("text, number", [
    (b"1.", 1), (b".5", 0.5), (b"+1", 1), (b"-.5e1", -5), (b"inf", math.inf), (b"+InF", math.inf), (b"-Infinity", -math.inf),
    (b"0x10", 16), (b"-0X1p3", -8), (b"1e-320", 1e-320), (b"0e999", 0), (b"00012", 12), (b"0." + b"0" * 400 + b"1e401", 1),
    (b"1" + b"0" * 400 + b"e-400", 1)])
def test_odd_floats(text, number):
    assert parse_float(text) == number


@pytest.mark.parametrize("text", [
    b"", b" 1", b"1 ", b"nan", b"-nan", b"1e400", b"-1e400", b"1e-400", b".", b"-", b"1e", b"1e+", b"0x", b"1_0", b"infinit",
    b"infinityx", b"1\0", b"\0", b"0x1p5000", b"1.2.3", b"--1", b"one", b"1e99999999999999999999", "\u0661".encode()])
def test_no_floats(text):
    with pytest.raises(NotFloat, match="ERR value is not a valid float"):
        parse_float(text)


@given(st.integers(-2**65, 2**65))
@example(2**63 - 1)
@example(-2**63)
@example(2**63)
@example(-2**63 - 1)
@example(10**19 - 1)
def test_integers(number):
    text = str(number).encode()
    if -2**63 <= number < 2**63:
        assert parse_integer(text) == number
    else:
        with pytest.raises(NotInteger):
            parse_integer(text)


@pytest.mark.parametrize("text", [b"", b"-", b"+1", b"01", b"-0", b"00", b" 1", b"1 ", b"1.0", b"0x1", b"-01", b"1\0", b"9" * 21])
def test_only_canonical_integers(text):
    with pytest.raises(NotInteger, match="ERR value is not an integer or out of range"):
        parse_integer(text)


@pytest.mark.parametrize("number, increment, total", [
    (b"10.5", b"0.1", b"10.6"), (b"5.0e3", b"2.0e2", b"5200"), (b"3", b"-3.0", b"0"), (b"-0", b"-0.0", b"0"), (b"0", b"1e-18", b"0"),
    (b"1e400", b"0", None), (b"0x10", b"1", b"17"), (b"1.23456789012345678", b"0", b"1.23456789012345678")])
def test_long_doubles(number, increment, total):
    result = add_long_double(number, increment)
    if total is not None:
        assert result == total
    else:
        assert len(result) == 401


def test_long_doubles_out_of_range():
    for text in (b"", b" 1", b"1 ", b"nan", b"1e5000", b"1e-5000", b"x", b"1." + b"0" * 5118, b"1\0"):
        with pytest.raises(NotFloat):
            add_long_double(b"1", text)
        with pytest.raises(NotFloat):
            add_long_double(text, b"1")
    for left, right in ((b"inf", b"1"), (b"inf", b"-inf"), (b"1.1e4932", b"1.1e4932")):
        with pytest.raises(ReplyError, match="^ERR increment would produce NaN or Infinity$"):
            add_long_double(left, right)
    assert long_double_kind(b"1.5") == 1 and long_double_kind(b"-inf") == 2


def test_locale_does_not_matter():
    import locale
    before = locale.setlocale(locale.LC_NUMERIC)
    for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "de_DE"):
        try:
            locale.setlocale(locale.LC_NUMERIC, name)
            break
        except locale.Error:
            continue
    else:
        pytest.skip("no locale with a decimal comma is installed")
    try:
        assert add_long_double(b"1.5", b"1") == b"2.5"
        assert parse_float(b"1.25") == 1.25 and parse_float(b"0x1.8p0") == 1.5 and format_double(0.5) == b"0.5"
    finally:
        locale.setlocale(locale.LC_NUMERIC, before)
