"""The examples in examples/node run, against Redis and against carnelian. What they print is in the output of `pytest -s`."""
import os
import subprocess
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "node"


@pytest.mark.parametrize("name", ["cache-api", "sessions", "email-queue"])
def test_example(server, npm, name):
    npm(EXAMPLES / name)
    done = subprocess.run(["node", "measure.mjs"], cwd=EXAMPLES / name, stdin=subprocess.DEVNULL, text=True, timeout=60,
                          env=os.environ | {"REDIS_URL": f"redis://127.0.0.1:{server.port}"},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(f"{name} on {server.name}:\n{done.stdout}")
    assert done.returncode == 0, done.stdout
