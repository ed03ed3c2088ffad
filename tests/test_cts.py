"""The compatibility cases of tests/data/cts.json, those up to Redis 7.2.0, on carnelian and on the oracle.

A case is a list of requests over one connection and the list of their RESP2 replies. Those tagged `cluster` repeat others
with hash tags in the keys; one server answers them just as well.
"""
import json
from pathlib import Path

import pytest

from tests.oracle import servers
from tests.oracle.harness import ORACLE_ONLY, Side, number, same_number, split
from tests.oracle.resp import NULL, NULL_ARRAY

CASES = [case for case in json.loads((Path(__file__).parent / "data" / "cts.json").read_text())
         if tuple(map(int, case["since"].split("."))) <= (7, 2, 0)]

# Redis 7.0.15 is older than these.
NEWER_THAN_ORACLE = {"7.2.0"}


def words_of(case, line):
    if case.get("command_binary") and '"' not in line:       # escapes stand for bytes, also outside of quotes
        return [split(f'"{word}"')[0] for word in line.split(" ")]
    return split(line)


def plain(reply):
    if reply is NULL or reply is NULL_ARRAY:
        return None
    if isinstance(reply, list):
        return list(map(plain, reply))
    return reply.decode("latin-1") if isinstance(reply, bytes) else reply


def in_order(value):
    if isinstance(value, list):
        return sorted(map(in_order, value), key=repr)
    return value


def equal(reply, expected, floats):
    if isinstance(reply, list) and isinstance(expected, list):
        return len(reply) == len(expected) and all(equal(a, b, floats) for a, b in zip(reply, expected))
    if floats and isinstance(reply, str) and isinstance(expected, str):
        a, b = number(reply.encode()), number(expected.encode())
        if a is not None and b is not None:
            return same_number(a, b) or abs(a - b) < 1e-9
    return type(reply) is type(expected) and reply == expected


def run(case, side):
    client = side.client(1)
    for line, expected in zip(case["command"], case["result"]):
        reply = plain(client(*words_of(case, line)))
        if case.get("sort_result"):
            reply, expected = in_order(reply), in_order(expected)
        assert equal(reply, expected, case.get("float_result")), f"{line}: {reply!r}, not {expected!r}"


def identify(case):
    return case["name"].replace(" ", "-").replace("/", "") + ("-cluster" if case.get("tags") == "cluster" else "")


@pytest.mark.skipif(ORACLE_ONLY, reason="CARNELIAN_ORACLE_ONLY=1")
@pytest.mark.parametrize("case", CASES, ids=identify)
def test_carnelian(case, carnelian):
    run(case, carnelian)


def test_oracle(oracle_server):
    """The cases themselves are read aright: Redis passes all those of its version."""
    oracle = Side(oracle_server)
    failed = []
    for case in CASES:
        if case["since"] in NEWER_THAN_ORACLE:
            continue
        oracle.reset(2)
        try:
            run(case, oracle)
        except AssertionError as error:
            failed.append(f"{identify(case)}: {error}")
    oracle.close_clients()
    oracle.admin.close()
    assert not failed, "\n".join(failed)


@pytest.mark.skipif(ORACLE_ONLY, reason="CARNELIAN_ORACLE_ONLY=1")
def test_in_cluster_mode():
    """All cases but those for a server alone, on a node in cluster mode."""
    failed = []
    with servers.carnelian("--cluster-enabled", "yes") as server:
        node = Side(server)
        for case in CASES:
            if case.get("tags") != "standalone":
                node.reset(2)
                try:
                    run(case, node)
                except AssertionError as error:
                    failed.append(f"{identify(case)}: {error}")
        node.close_clients()
        node.admin.close()
    assert not failed, "\n".join(failed)
