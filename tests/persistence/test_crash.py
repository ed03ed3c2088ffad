"""kill -9 under load, a few rounds of bench/crash.py (which plays 200)."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import crash  # noqa: E402


@pytest.mark.parametrize("policy", ["always", "everysec"])
def test_what_was_acknowledged_is_there(policy):
    rounds, replies, _ = crash.run(3, [policy], seed=int.from_bytes(policy.encode()), longest=0.3, say=lambda *_, **__: None)
    assert rounds == 3 and replies
