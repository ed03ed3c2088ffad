"""Intsets against a Python set."""
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carnelian.base.memory import used_memory
from carnelian.types.intset import Intset

BORDERS = [sign * (2**bits) + d for bits in (15, 31) for sign in (1, -1) for d in (-1, 0, 1)] + [2**63 - 1, -(2**63), 0]
numbers = st.one_of(st.integers(-10, 10), st.sampled_from(BORDERS), st.integers(-(2**15), 2**15 - 1),
                    st.integers(-(2**63), 2**63 - 1))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.booleans(), numbers), max_size=60))
def test_against_set(steps):
    ints, model, width = Intset(), set(), 2
    for add, number in steps:
        if add:
            assert ints.add(number) is (number not in model)
            model.add(number)
            width = max(width, 2 if -(2**15) <= number < 2**15 else 4 if -(2**31) <= number < 2**31 else 8)
        else:
            assert ints.remove(number) is (number in model)
            model.discard(number)
        assert (number in ints) is (number in model)
        ints._check()
        assert list(ints) == sorted(model)
        assert len(ints) == len(model)
    letter = {2: "h", 4: "i", 8: "q"}[width]
    assert bytes(ints) == struct.pack(f"<II{len(model)}{letter}", width, len(model), *sorted(model))
    assert bytes(Intset(bytes(ints))) == bytes(ints)


def test_memory():
    before = used_memory()
    ints = Intset()
    for number in range(3000):
        ints.add(number * 7919 % 100003)
        assert used_memory() - before == ints.memory()
    for number in range(3000):
        ints.remove(number * 7919 % 100003)
        assert used_memory() - before == ints.memory()
    assert ints.memory() == 16
    del ints
    assert used_memory() == before


@pytest.mark.parametrize("bad", [
    b"", b"\2\0\0\0\0\0\0", b"\3\0\0\0\0\0\0\0", b"\2\1\0\0\0\0\0\0", b"\2\0\0\0\1\0\0\0", b"\2\0\0\0\1\0\0\0\1",
    b"\2\0\0\0\2\0\0\0\1\0\1\0", b"\2\0\0\0\2\0\0\0\2\0\1\0", b"\2\0\0\0\0\0\0\0\0", b"\x08\0\0\0\xff\xff\xff\xff",
    b"\2\0\0\0\2\0\0\0\1\0\xff\xff"])
def test_foreign_bytes(bad):
    with pytest.raises(ValueError):
        Intset(bad)
