"""What the AOF and replicas get of the words on strings and keys: deterministic, and nothing where nothing was changed."""
import pytest

from tests.commands.conftest import NOW


@pytest.mark.parametrize("request_, expected", [
    ("SET k v", "SET k v"),
    ("SET k v NX", None),
    ("SET new v NX", "SET new v NX"),
    ("SET new v XX", None),
    ("SET k v EX 10", f"SET k v PXAT {NOW + 10_000}"),
    ("SET k v PX 10 GET", f"SET k v PXAT {NOW + 10}"),
    ("SET k v EXAT 4102444800 XX", "SET k v PXAT 4102444800000"),
    ("SET k v GET KEEPTTL", "SET k v KEEPTTL"),
    ("SET get get get", "SET get get"),
    ("SETNX k v", None),
    ("SETNX new v", "SETNX new v"),
    ("SETEX k 10 v", f"SET k v PXAT {NOW + 10_000}"),
    ("PSETEX k 10 v", f"SET k v PXAT {NOW + 10}"),
    ("GETSET k w", "SET k w"),
    ("GETDEL k", "DEL k"),
    ("GETDEL missing", None),
    ("GETEX k", None),
    ("GETEX k EX 10", f"PEXPIREAT k {NOW + 10_000}"),
    ("GETEX k PXAT 1", "DEL k"),
    ("GETEX k PERSIST", None),
    ("GETEX t PERSIST", "PERSIST t"),
    ("MSET a 1 b 2", "MSET a 1 b 2"),
    ("MSETNX a 1 k 2", None),
    ("APPEND k x", "APPEND k x"),
    ("SETRANGE k 0 x", "SETRANGE k 0 x"),
    ("INCR n", "INCR n"),
    ("INCR k", None),
    ("INCRBYFLOAT n 1.5", "SET n 6.5 KEEPTTL"),
    ("GET k", None),
    ("DEL k missing", "DEL k missing"),
    ("DEL missing", None),
    ("EXPIRE k 10", f"PEXPIREAT k {NOW + 10_000}"),
    ("EXPIRE k 10 XX", None),
    ("PEXPIRE k 10", f"PEXPIREAT k {NOW + 10}"),
    ("EXPIREAT k 4102444800", "PEXPIREAT k 4102444800000"),
    ("EXPIRE k -1", "DEL k"),
    ("EXPIRE missing 10", None),
    ("PERSIST t", "PERSIST t"),
    ("PERSIST k", None),
    ("RENAME k j", "RENAME k j"),
    ("RENAME k k", None),
    ("RENAMENX k t", None),
    ("COPY k j", "COPY k j"),
    ("COPY k t", None),
    ("COPY k j DB 1", "COPY k j DB 1"),
    ("MOVE k 1", "MOVE k 1"),
    ("SWAPDB 0 1", "SWAPDB 0 1"),
    ("FLUSHDB", "FLUSHDB"),
    ("FLUSHALL ASYNC", "FLUSHALL ASYNC"),
    ("SORT l STORE d", "SORT l STORE d"),
    ("SORT l", None),
    ("SORT missing STORE d", None),
    ("SORT missing STORE k", "SORT missing STORE k"),
    ("TTL k", None),
    ("TOUCH k", None),
    ("SETBIT k 0 1", "SETBIT k 0 1"),
    ("SETBIT k 0 0", None),
    ("BITFIELD k INCRBY u8 0 1", "BITFIELD k INCRBY u8 0 1"),
    ("BITFIELD k INCRBY u8 0 0", None),
    ("BITFIELD k GET u8 0", None),
    ("BITOP OR d k n", "BITOP OR d k n"),
    ("BITOP OR d missing", None),
    ("PFADD h a", "PFADD h a"),
    ("PFMERGE h", "PFMERGE h"),
    ("PFCOUNT missing", None),
])
def test_effects(effects, request_, expected):
    found = effects("SET k v", "SET n 5", f"SET t v PXAT {NOW + 1000}", "RPUSH l 2 1", request_)
    assert found == ([] if expected is None else [f"0: {expected}"])


def test_the_estimate_kept(effects):
    """PFCOUNT is handed on when it writes the estimate into the key."""
    assert effects("PFADD h a b", "PFCOUNT h") == ["0: PFCOUNT h"]
    assert effects("PFCOUNT h") == []
    assert effects("PFADD h a") == []
