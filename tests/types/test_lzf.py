"""LZF: what is compressed comes back, and redis-server reads it (tests/persistence has that)."""
import os

from hypothesis import given
from hypothesis import strategies as st

from carnelian.types.lzf import compressed
from carnelian.types.serial import Input, Output
from carnelian.types.serial_old import decompress

TEXTS = st.one_of(st.binary(max_size=600), st.lists(st.sampled_from([b"a", b"abc", b"\0" * 300, b"hello world", b"xyzzy"])).map(b"".join))


@given(TEXTS)
def test_what_is_compressed_comes_back(data):
    short = compressed(data)
    assert short is None or len(short) < len(data) and decompress(short, len(data)) == data


def test_what_repeats_is_short_and_what_does_not_is_left():
    assert len(compressed(b"a" * 100_000)) < 1200
    assert compressed(os.urandom(1000)) is None
    assert compressed(b"abc" * 3000 + os.urandom(20)) is not None
    far = os.urandom(9000)
    assert compressed(far + far) is None            # too far back


@given(st.lists(TEXTS, max_size=10))
def test_strings_are_written_compressed(texts):
    output = Output()
    output.compress = True
    for text in texts:
        output.put_bytes(text)
    data = output.take()
    source = Input(data)
    assert [source.string() for _ in texts] == texts and source.at == len(data)
