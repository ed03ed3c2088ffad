"""JSON through redis-py and node-redis (redis-server 7.0 has no JSON)."""
import subprocess
from pathlib import Path

import pytest
import redis

NODE = Path(__file__).parent / "node"


@pytest.mark.parametrize("protocol", [2, 3])
def test_redis_py(carnelian_server, protocol):
    client = redis.Redis(port=carnelian_server.port, protocol=protocol, decode_responses=True)
    client.flushall()
    json = client.json()
    assert json.set("doc", "$", {"a": 1, "l": [1, 2], "s": "x", "t": False})
    assert json.get("doc", "$.a", "$.s") == {"$.a": [1], "$.s": ["x"]}
    assert json.numincrby("doc", "$.a", 2) == [3]
    assert json.arrappend("doc", "$.l", 3, {"b": None}) == [4]
    assert json.arrindex("doc", "$.l", 2) == [1]
    assert json.strappend("doc", "yz", "$.s") == [3]
    assert json.toggle("doc", "$.t") == [1]
    assert json.objkeys("doc", "$") == [["a", "l", "s", "t"]]
    assert json.merge("doc", "$", {"t": None})
    assert json.mset([("other", "$", [1]), ("doc", "$.s", "new")])
    assert json.mget(["doc", "other", "none"], "$") == [[{"a": 3, "l": [1, 2, 3, {"b": None}], "s": "new"}], [[1]], None]
    assert json.delete("doc", "$.l[?(@>1)]") == 2
    assert json.get("doc") == {"a": 3, "l": [1, {"b": None}], "s": "new"}
    with pytest.raises(redis.ResponseError, match="new objects must be created at the root"):
        json.set("none", "$.x", 1)


@pytest.mark.parametrize("protocol", [2, 3])
def test_node_redis(carnelian_server, npm, protocol):
    npm(NODE)
    done = subprocess.run(["node", "json.mjs", str(carnelian_server.port), str(protocol)], cwd=NODE, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    assert done.returncode == 0 and done.stdout.endswith("ok\n"), done.stdout
