"""Node's clients, job queues and other libraries on Redis: tests/clients/node, with what its package-lock.json names."""
import subprocess
from pathlib import Path

import pytest

NODE = Path(__file__).parent / "node"


SCRIPTS = ["node_redis.mjs {port} 2", "node_redis.mjs {port} 3", "ioredis.mjs {port}",
           "bullmq.mjs {port} bullmq ioredis", "bullmq.mjs {port} bullmq node-redis", "bullmq.mjs {port} bullmq5 ioredis",
           "bull.mjs {port}", "bee_queue.mjs {port}", "rate_limit.mjs {port}", "socket_io.mjs {port}", "redlock.mjs {port}"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_node(server, npm, script):
    npm(NODE)
    done = subprocess.run(["node", *script.format(port=server.port).split()], cwd=NODE, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    assert done.returncode == 0 and done.stdout.endswith("ok\n"), done.stdout
