"""Node's clients: tests/clients/node, with what its package-lock.json names."""
import subprocess
from pathlib import Path

import pytest

NODE = Path(__file__).parent / "node"


@pytest.mark.parametrize("script", ["node_redis.mjs {port} 2", "node_redis.mjs {port} 3", "ioredis.mjs {port}"])
def test_node(server, npm, script):
    npm(NODE)
    done = subprocess.run(["node", *script.format(port=server.port).split()], cwd=NODE, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    assert done.returncode == 0 and done.stdout.endswith("ok\n"), done.stdout
