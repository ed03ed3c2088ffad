"""redis-py, sync and asyncio, in RESP2 and RESP3."""
import asyncio
import threading

import pytest
import redis
import redis.asyncio


@pytest.fixture(params=[2, 3], ids=["resp2", "resp3"])
def protocol(request):
    return request.param


@pytest.fixture
def r(server, protocol):
    with redis.Redis(port=server.port, protocol=protocol, decode_responses=True, socket_timeout=5) as client:
        yield client


def test_types(r):
    assert r.set("s", "value", ex=100, get=True) is None
    assert r.get("s") == "value" and 0 < r.ttl("s") <= 100
    assert r.set("s", "other", nx=True) is None
    assert r.incrbyfloat("n", 1.5) == 1.5 and r.mget("s", "nothing") == ["value", None]
    assert r.rpush("l", "a", "b", "c") == 3 and r.lrange("l", 0, -1) == ["a", "b", "c"] and r.lpop("l", 2) == ["a", "b"]
    assert r.hset("h", mapping={"a": 1, "b": "x"}) == 2 and r.hgetall("h") == {"a": "1", "b": "x"}
    assert r.sadd("set", 1, 2, 3) == 3 and r.smembers("set") == {"1", "2", "3"} and r.sismember("set", 1)
    assert r.zadd("z", {"a": 1, "b": 2.5}) == 2 and r.zscore("z", "b") == 2.5
    assert [list(pair) for pair in r.zrange("z", 0, -1, withscores=True)] == [["a", 1.0], ["b", 2.5]]
    assert r.zrank("z", "b") == 1 and r.zadd("z", {"a": 5}, xx=True, ch=True) == 1
    assert sorted(r.scan_iter(count=2)) == ["h", "l", "n", "s", "set", "z"] and r.dbsize() == 6
    assert dict(r.hscan_iter("h")) == {"a": "1", "b": "x"} and set(r.sscan_iter("set")) == {"1", "2", "3"}
    assert dict(r.zscan_iter("z")) == {"a": 5.0, "b": 2.5}
    assert r.object("encoding", "n") in ("embstr", "raw") and r.type("z") == "zset"
    assert r.sort("l", alpha=True) == ["c"]
    assert r.delete("h", "l", "none") == 2 and r.exists("s", "h") == 1


def test_errors(r):
    r.set("s", "x")
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        r.lpush("s", "a")
    with pytest.raises(redis.ResponseError, match="value is not an integer or out of range"):
        r.incr("s")
    with pytest.raises(redis.ResponseError, match="unknown command"):
        r.execute_command("NOSUCH")


def test_binary(server, protocol):
    with redis.Redis(port=server.port, protocol=protocol) as r:
        key, value = bytes(range(256)), b"\r\n\x00" * 100_000
        assert r.set(key, value) and r.get(key) == value and r.keys() == [key]


def test_pipeline_and_transaction(r):
    with r.pipeline(transaction=False) as p:
        for i in range(1000):
            p.set(f"k{i}", i).incr(f"k{i}")
        assert p.execute()[1::2] == list(range(1, 1001))
    with r.pipeline() as p:
        p.set("a", 1).lpush("a", 2).get("a")
        replies = p.execute(raise_on_error=False)
    assert replies[0] is True and isinstance(replies[1], redis.ResponseError) and replies[2] == "1"


def test_watch(r, server):
    r.set("balance", 10)
    with redis.Redis(port=server.port) as other, r.pipeline() as p:
        p.watch("balance")
        balance = int(p.get("balance"))
        other.set("balance", 20)
        p.multi()
        p.set("balance", balance + 1)
        with pytest.raises(redis.WatchError):
            p.execute()

    def add(p):
        current = int(p.get("balance"))
        p.multi()
        p.set("balance", current + 5)
    assert r.transaction(add, "balance") == [True] and r.get("balance") == "25"


def test_blocking(r, server, protocol):
    got = []

    def consume():
        with redis.Redis(port=server.port, protocol=protocol, decode_responses=True) as consumer:
            got.append(consumer.blpop(["q1", "q2"], timeout=5))
            got.append(consumer.bzpopmin("z", timeout=5))
            got.append(consumer.blmove("q3", "done", 5))
    consumer = threading.Thread(target=consume)
    consumer.start()
    r.rpush("q2", "x")
    r.zadd("z", {"m": 1.5})
    r.rpush("q3", "y")
    consumer.join(10)
    assert list(got[0]) == ["q2", "x"] and list(got[1]) == ["z", "m", 1.5] and got[2] == "y" and r.lrange("done", 0, -1) == ["y"]
    assert r.blpop("nothing", timeout=0.01) is None


def test_pubsub(r):
    with r.pubsub() as p:
        p.subscribe("news")
        p.psubscribe("n*")
        assert [p.get_message(timeout=5)["type"] for _ in range(2)] == ["subscribe", "psubscribe"]
        assert r.publish("news", "hello") == 2
        messages = [p.get_message(timeout=5) for _ in range(2)]
        assert {(m["type"], m["channel"], m["data"]) for m in messages} == {("message", "news", "hello"), ("pmessage", "news", "hello")}
        assert dict(r.pubsub_numsub("news")) == {"news": 1} and r.pubsub_channels() == ["news"] and r.pubsub_numpat() == 1
        p.unsubscribe()
        assert p.get_message(timeout=5)["type"] == "unsubscribe"


def test_keyspace_notifications(r):
    r.config_set("notify-keyspace-events", "KEA")
    try:
        with r.pubsub() as p:
            p.psubscribe("__keyevent@0__:*")
            p.get_message(timeout=5)
            r.set("k", "v")
            r.delete("k")
            events = [p.get_message(timeout=5)["channel"] for _ in range(2)]
        assert events == ["__keyevent@0__:set", "__keyevent@0__:del"]
    finally:
        r.config_set("notify-keyspace-events", "")


def test_streams(r):
    ids = [r.xadd("s", {"n": i}) for i in range(3)]
    assert r.xlen("s") == 3 and r.xrange("s", min=ids[1]) == [(ids[1], {"n": "1"}), (ids[2], {"n": "2"})]
    assert r.xgroup_create("s", "g", id="0")
    entries = r.xreadgroup("g", "ann", {"s": ">"}, count=2)
    entries = entries["s"][0] if isinstance(entries, dict) else entries[0][1]
    assert [entry[0] for entry in entries] == ids[:2]
    assert r.xack("s", "g", ids[0]) == 1 and r.xpending("s", "g")["pending"] == 1
    assert [entry[0] for entry in r.xclaim("s", "g", "bob", 0, [ids[1]])] == [ids[1]]
    assert r.xautoclaim("s", "g", "eve", 0)[1][0][0] == ids[1]
    assert r.xinfo_stream("s")["length"] == 3 and r.xinfo_groups("s")[0]["name"] == "g"
    assert r.xinfo_consumers("s", "g")[0]["name"] in ("ann", "bob", "eve")
    assert r.xread({"s": "$"}, block=10) in (None, [], {}) and r.xtrim("s", maxlen=1, approximate=False) == 2


def test_server_words(r):
    assert r.ping() and r.info("server")["redis_version"].startswith("7.") and "used_memory" in r.info("memory")
    assert r.config_get("maxmemory*")["maxmemory-policy"] == "noeviction"
    assert r.client_setname("me") and r.client_getname() == "me" and r.client_id() in [int(c["id"]) for c in r.client_list()]
    assert r.time()[0] > 1_700_000_000 and r.command_count() > 150 and "get" in r.command()
    assert r.slowlog_len() >= 0 and r.memory_usage("nothing") is None and r.select(1)


def test_asyncio(server, protocol):
    async def work():
        r = redis.asyncio.Redis(port=server.port, protocol=protocol, decode_responses=True)
        try:
            await r.set("a", 1)
            assert await asyncio.gather(*(r.incr("a") for _ in range(50))) != [] and await r.get("a") == "51"
            async with r.pipeline(transaction=True) as p:
                assert await p.set("b", 1).incr("b").execute() == [True, 2]
            waiting = asyncio.create_task(r.blpop("q", timeout=5))
            assert await r.rpush("q", "x") == 1 and list(await waiting) == ["q", "x"]
            async with r.pubsub() as p:
                await p.subscribe("c")
                assert (await p.get_message(timeout=5))["type"] == "subscribe"
                await r.publish("c", "hello")
                assert (await p.get_message(timeout=5))["data"] == "hello"
            async with r.pipeline() as p:
                await p.watch("b")
                await r.set("b", 9)
                p.multi()
                p.set("b", 0)
                with pytest.raises(redis.WatchError):
                    await p.execute()
            id = await r.xadd("s", {"f": "v"})
            assert await r.xrange("s") == [(id, {"f": "v"})]
            assert sorted([key async for key in r.scan_iter()]) == ["a", "b", "s"]
        finally:
            await r.aclose()
    asyncio.run(work())
