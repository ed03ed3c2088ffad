"""Node's clients, job queues and other libraries on Redis: tests/clients/node, with what its package-lock.json names."""
import os
import subprocess
from pathlib import Path

import pytest

NODE = Path(__file__).parent / "node"


CLIENTS = ["node_redis.mjs {port} 2", "node_redis.mjs {port} 3", "ioredis.mjs {port}"]
LIBRARIES = ["bullmq.mjs {port} bullmq ioredis", "bullmq.mjs {port} bullmq node-redis", "bullmq.mjs {port} bullmq5 ioredis",
             "bull.mjs {port}", "bee_queue.mjs {port}", "rate_limit.mjs {port}", "socket_io.mjs {port}", "redlock.mjs {port}"]
SERVERS = ["carnelian"] if os.environ.get("CI") == "true" else ["redis", "carnelian"]      # Redis: to know that the test is right


def run(server, script):
    done = subprocess.run(["node", *script.format(port=server.port).split()], cwd=NODE, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    assert done.returncode == 0 and done.stdout.endswith("ok\n"), done.stdout
    print(done.stdout)


@pytest.mark.parametrize("script", CLIENTS)
def test_client(server, npm, script):
    npm(NODE)
    run(server, script)


@pytest.mark.parametrize("server", SERVERS, indirect=True)
@pytest.mark.parametrize("script", LIBRARIES)
def test_library(server, npm, script):
    npm(NODE)
    run(server, script)
