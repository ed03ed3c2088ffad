"""redis-py's methods for hash fields that expire. The redis-server of the tests is too old for them."""
import time

import pytest
import redis
from redis.commands.core import HashDataPersistOptions


@pytest.fixture(params=[2, 3], ids=["resp2", "resp3"])
def r(carnelian_server, request):
    with redis.Redis(port=carnelian_server.port, protocol=request.param, decode_responses=True, socket_timeout=5) as client:
        client.flushall()
        yield client


def test_times(r):
    assert r.hset("h", mapping={"a": 1, "b": 2, "c": 3}) == 3
    assert r.hexpire("h", 100, "a", "x") == [1, -2] and r.hpexpire("h", 50_000, "b") == [1]
    assert r.hexpire("h", 100, "a", nx=True) == [0] and r.hexpire("h", 200, "a", gt=True) == [1]
    assert r.hexpire("h", 300, "a", lt=True) == [0] and r.hexpire("h", 300, "c", xx=True) == [0]
    assert r.httl("h", "a", "b", "c", "x") == [200, 50, -1, -2]
    at = int(time.time()) + 1000
    assert r.hexpireat("h", at, "a") == [1] and r.hpexpireat("h", at * 1000 + 5, "b") == [1]
    assert r.hexpiretime("h", "a", "b") == [at, at + 1] and r.hpexpiretime("h", "a", "b") == [at * 1000, at * 1000 + 5]
    assert 990_000 < r.hpttl("h", "a")[0] <= 1_001_000
    assert r.object("encoding", "h") == "listpackex" and r.info("keyspace")["db0"]["subexpiry"] == 1
    assert r.memory_usage("h") > 0 and "listpackex" in str(r.debug_object("h"))
    assert r.hpersist("h", "a", "b", "c", "x") == [1, 1, -1, -2] and r.info("keyspace")["db0"]["subexpiry"] == 0
    assert r.hexpireat("h", 1, "a") == [2] and r.hgetall("h") == {"b": "2", "c": "3"}
    with pytest.raises(redis.ResponseError, match="invalid expire time"):
        r.hexpire("h", 2**60, "b")


def test_values_with_times(r):
    assert r.hsetex("h", mapping={"a": "1", "b": "2"}, ex=100) == 1
    assert r.hsetex("h", "c", "3", data_persist_option=HashDataPersistOptions.FNX) == 1
    assert r.hsetex("h", "c", "4", data_persist_option=HashDataPersistOptions.FNX) == 0
    assert r.hsetex("h", "a", "5", keepttl=True) == 1 and r.httl("h", "a", "c") == [100, -1]
    assert r.hgetex("h", "a", "x", px=50_000) == ["5", None] and r.httl("h", "a") == [50]
    assert r.hgetex("h", "a", persist=True) == ["5"] and r.httl("h", "a") == [-1]
    assert r.hgetdel("h", "a", "x") == ["5", None] and sorted(r.hkeys("h")) == ["b", "c"]
    assert sorted(r.hscan("h", no_values=True)[1]) == ["b", "c"] and sorted(r.hscan_iter("h", no_values=True)) == ["b", "c"]
    assert r.hgetdel("h", "b", "c") == ["2", "3"] and not r.exists("h")


def test_fields_go_by_themselves(r):
    before = r.info("stats")["expired_subkeys"]
    r.config_set("notify-keyspace-events", "Eh")
    with r.pubsub() as listener:
        listener.psubscribe("__keyevent@0__:hexpired")
        assert listener.get_message(timeout=5)["type"] == "psubscribe"
        r.hsetex("h", mapping={"a": "1", "b": "2"}, px=20)
        assert listener.get_message(timeout=5)["data"] == "h"
    r.config_set("notify-keyspace-events", "")
    assert r.info("stats")["expired_subkeys"] == before + 2 and not r.exists("h")
