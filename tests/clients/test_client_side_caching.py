"""The caches that client libraries keep in step by CLIENT TRACKING."""
import subprocess
from pathlib import Path

import redis
from redis.cache import CacheConfig
from redis.connection import CacheProxyConnection

NODE = Path(__file__).parent / "node"


def test_redis_py(server, monkeypatch):
    if server.name == "redis-server":           # 7.0, and redis-py keeps a cache with 7.4 or later only
        monkeypatch.setattr(CacheProxyConnection, "MIN_ALLOWED_VERSION", "7.0.0")
    with redis.Redis(port=server.port, decode_responses=True) as other, \
            redis.Redis(port=server.port, protocol=3, decode_responses=True, cache_config=CacheConfig(max_size=100)) as r:
        cache = r.get_cache()
        other.set("a", "1")
        other.hset("h", mapping={"f": "v"})
        assert r.get("a") == "1" and r.hgetall("h") == {"f": "v"} and cache.size == 2
        asked = other.info("commandstats")["cmdstat_get"]["calls"]
        assert r.get("a") == "1"
        assert other.info("commandstats")["cmdstat_get"]["calls"] == asked
        other.set("a", "2")
        assert r.ping()                     # what has arrived is read with the next reply at the latest
        assert r.get("a") == "2"
        r.set("a", "3")
        assert r.get("a") == "3"
        other.hset("h", "f", "w")
        assert r.ping() and r.hgetall("h") == {"f": "w"}
        other.flushall()
        assert r.ping() and r.get("a") is None and r.hgetall("h") == {}


def test_node_redis(server, npm):
    npm(NODE)
    done = subprocess.run(["node", "caching.mjs", str(server.port)], cwd=NODE, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    assert done.returncode == 0 and done.stdout.endswith("ok\n"), done.stdout
