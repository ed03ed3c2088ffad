"""HyperLogLog against registers in a plain list. The bytes are compared with Redis's in tests/oracle/test_hyperloglog.py."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carnelian.types import limits
from carnelian.types.hyperloglog import Corrupted, HyperLogLog
from tests.oracle.test_hyperloglog import element_of

place = st.tuples(st.one_of(st.integers(0, 20), st.integers(0, 16383)), st.one_of(st.integers(1, 4), st.integers(1, 32)))


@given(places=st.lists(st.one_of(place, st.tuples(st.integers(0, 16383), st.integers(1, 51))), max_size=200),
       limit=st.sampled_from([0, 30, 100, 3000]))
def test_registers(places, limit):
    model = [0] * 16384
    limits.configure("hll-sparse-max-bytes", limit)
    try:
        sketch = HyperLogLog()
        for index, rank in places:
            assert sketch.add(element_of(index, rank)) == (model[index] < rank)
            model[index] = max(model[index], rank)
            sketch._check()
            assert sketch.dense or len(sketch.data) <= max(limit, 18)
    finally:
        limits.configure("hll-sparse-max-bytes", 3000)
    assert list(sketch.registers()) == model
    number = sketch.cardinality()
    merged = HyperLogLog()
    merged.merge_registers(sketch.registers())
    merged._check()
    assert merged.registers() == sketch.registers()
    sketch.to_dense()
    sketch._check()
    assert list(sketch.registers()) == model
    assert sketch.cardinality() == merged.cardinality() == number


def test_estimates():
    sketch = HyperLogLog()
    for n in range(1, 100001):
        sketch.add(b"element %d" % n)
        if n in (1, 10, 100, 1000, 10000, 100000):
            assert abs(sketch.cardinality() - n) <= max(1, n * 0.03)


@pytest.mark.parametrize("runs", [b"", b"\x7f", b"\x7f\xff\x00", b"\x10", b"\x7f\xff\x80"])
def test_corrupted(runs):
    sketch = HyperLogLog(b"HYLL\x01" + bytes(11) + runs)
    with pytest.raises(Corrupted):
        sketch.cardinality()
    with pytest.raises(Corrupted):
        sketch.to_dense()
    assert not sketch.dense


@pytest.mark.parametrize("data", [b"", b"HYLL", b"HYLX\x01" + bytes(11), b"HYLL\x02" + bytes(11), b"HYLL\x00" + bytes(20)])
def test_other_bytes(data):
    with pytest.raises(ValueError):
        HyperLogLog(data)
