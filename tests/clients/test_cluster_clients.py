"""Cluster clients against one node in cluster mode."""
import subprocess
import time
from pathlib import Path

import pytest
import redis
from redis.cluster import RedisCluster

from tests.conftest import need_oracle
from tests.oracle import servers
from tests.oracle.resp import Client

NODE = Path(__file__).parent / "node"


@pytest.fixture(scope="module", params=["redis", "carnelian"])
def cluster(request):
    """A node in cluster mode."""
    arguments = ["--cluster-enabled", "yes", "--cluster-port", str(servers.free_port())]
    if request.param == "carnelian":
        with servers.carnelian(*arguments) as server:
            yield server
        return
    need_oracle()
    # By itself a Redis that has never met another one does not know its address, and not all clients can guess it.
    with servers.oracle(*arguments, "--cluster-announce-ip", "127.0.0.1") as server:
        client = Client(server.address)
        client("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
        deadline = time.monotonic() + 20
        while b"cluster_state:ok" not in client("CLUSTER", "INFO"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        client.close()
        yield server


@pytest.mark.parametrize("protocol", [2, 3])
def test_redis_py(cluster, protocol):
    with RedisCluster("127.0.0.1", cluster.port, protocol=protocol, decode_responses=True) as r:
        r.flushall()
        assert [node.port for node in r.get_primaries()] == [cluster.port]
        assert r.set("a", 1) and r.get("a") == "1" and r.incr("a") == 2
        assert r.mset_nonatomic({"a": 1, "b": 2, "c": 3}) and r.mget_nonatomic("a", "b", "c") == ["1", "2", "3"]
        assert r.mset({"{x}a": 1, "{x}b": 2}) and r.mget("{x}a", "{x}b") == ["1", "2"]
        with pytest.raises(redis.exceptions.RedisClusterException):
            r.mset({"a": 1, "b": 2})
        assert r.delete("a", "b", "c") == 3
        assert sorted(r.scan_iter()) == ["{x}a", "{x}b"]
        with r.pipeline() as p:
            p.set("k1", 1)
            p.set("k2", 2)
            p.get("k1")
            assert p.execute() == [True, True, "1"]
        assert r.cluster_keyslot("{x}a") == r.keyslot("{x}a")
        assert r.cluster_countkeysinslot(r.keyslot("x")) == 2
        assert sorted(r.cluster_get_keys_in_slot(r.keyslot("x"), 10)) == ["{x}a", "{x}b"]
        assert list(r.cluster_nodes().values())[0]["slots"] == [["0", "16383"]]
        assert r.cluster_info()["cluster_state"] == "ok"


@pytest.mark.parametrize("script", ["cluster_node_redis.mjs", "cluster_ioredis.mjs"])
def test_node(cluster, npm, script):
    npm(NODE)
    done = subprocess.run(["node", script, str(cluster.port)], cwd=NODE, stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60)
    assert done.returncode == 0 and done.stdout.endswith("ok\n"), done.stdout
