"""Files go both ways between carnelian and redis-server 7.0.15: the same data (DEBUG DIGEST), the same times, the same groups."""
import shutil

import pytest

from tests.conftest import need_oracle
from tests.oracle import servers
from tests.oracle.resp import Client, Error

FAR = 4102444800000             # milliseconds: the year 2100
LIBRARY = "#!lua name=lib\nredis.register_function('twice', function(keys, args) return args[1] * 2 end)"
SETTINGS = {
    "defaults": (),
    "packed": ("--list-max-listpack-size", "-5", "--hash-max-listpack-entries", "100000", "--hash-max-listpack-value", "100000",
               "--set-max-intset-entries", "100000", "--zset-max-listpack-entries", "100000", "--zset-max-listpack-value", "100000",
               "--stream-node-max-entries", "0", "--stream-node-max-bytes", "0"),
    "spread": ("--list-max-listpack-size", "1", "--hash-max-listpack-entries", "0", "--set-max-intset-entries", "0",
               "--zset-max-listpack-entries", "0", "--stream-node-max-entries", "1"),
    "compressed": ("--list-max-listpack-size", "4", "--list-compress-depth", "1", "--rdbcompression", "yes"),
    "plain": ("--rdbcompression", "no", "--rdbchecksum", "no", "--stream-node-max-entries", "3"),
    "lru": ("--maxmemory", "1gb", "--maxmemory-policy", "allkeys-lru"),
    "lfu": ("--maxmemory", "1gb", "--maxmemory-policy", "allkeys-lfu"),
}


def fill(client):
    """Data of every type in every size."""
    do = client.send
    sent = 0

    def run(*words):
        nonlocal sent
        do(*words)
        sent += 1

    for database in (0, 1, 7, 15):
        run("SELECT", database)
        for number in (0, 1, -1, 127, -128, 128, 32767, 32768, -2**31, 2**31, 2**63 - 1, -2**63):
            run("SET", f"number:{number}", number)
        for text in ("", "007", "+1", "-0", " 1", "1e5", "99999999999999999999", b"\0\xff\r\n", "x" * 63, "x" * 64, "x" * 16383, "x" * 16384):
            run("SET", b"text:" + (text if isinstance(text, bytes) else text[:20].encode() + b"%d" % len(text)), text)
        run("SET", "long", "The quick brown fox. " * 5000)
        run("SET", b"k\0" * 40000, b"binary")
        run("SETBIT", "bits", 100000, 1)
        run("SET", "later", "v", "PXAT", FAR + database)
        run("PEXPIREAT", "number:0", FAR + 12345)
        for size in (1, 5, 150, 700):
            wide = "w" * 100
            run("RPUSH", f"list:{size}", *range(-size, size), *(f"e{i}" for i in range(size)))
            run("RPUSH", f"widelist:{size}", *(wide + str(i) for i in range(size)))
            run("SADD", f"intset:{size}", *(i * 1001 for i in range(size)))
            run("SADD", f"bigintset:{size}", *(i * 2**40 - 2**50 for i in range(size)))
            run("SADD", f"set:{size}", *(f"m{i}" for i in range(size)), 5)
            run("HSET", f"hash:{size}", *(word for i in range(size) for word in (f"f{i}", i * 7919)))
            run("HSET", f"widehash:{size}", *(word for i in range(size) for word in (i, wide + str(i))))
            run("ZADD", f"zset:{size}", *(word for i in range(size) for word in (i * 1.1 - 3, f"m{i}")))
            run("ZADD", f"widezset:{size}", *(word for i in range(size) for word in (i % 3, wide + str(i))))
            run("PFADD", f"hll:{size}", *(range(size * 20)))
            for i in range(min(size, 200)):
                run("XADD", f"stream:{size}", f"{i + 1}-{i % 3}", "field", i, f"other{i % 5}", "v" * (i % 70))
        run("RPUSH", "hugeelement", "a", "h" * 20000, "b")
        run("ZADD", "edges", "-inf", "a", "inf", "b", 0, "c", 1e-300, "d", 1.7976931348623157e308, "e", 3, "f")
        run("GEOADD", "geo", 13.36, 38.11, "Palermo", 15.08, 37.50, "Catania")
        run("XGROUP", "CREATE", "stream:150", "g1", "0")
        run("XGROUP", "CREATE", "stream:150", "g2", "$", "ENTRIESREAD", 3)
        run("XREADGROUP", "GROUP", "g1", "alice", "COUNT", 20, "STREAMS", "stream:150", ">")
        run("XREADGROUP", "GROUP", "g1", "bob", "COUNT", 5, "STREAMS", "stream:150", ">")
        run("XACK", "stream:150", "g1", "3-2", "4-0")
        run("XDEL", "stream:150", "5-1", "7-0", "100-0")
        run("XGROUP", "CREATECONSUMER", "stream:150", "g1", "carol")
        run("XADD", "emptied", "5-5", "a", "b")
        run("XDEL", "emptied", "5-5")
        run("XGROUP", "CREATE", "fresh", "g", "$", "MKSTREAM")
        run("XTRIM", "stream:700", "MAXLEN", 33)
        run("XSETID", "stream:5", "99-1", "ENTRIESADDED", 500, "MAXDELETEDID", "50-0")
        run("PEXPIREAT", "stream:1", FAR)
        run("PEXPIREAT", "hash:700", FAR)
    run("SELECT", 0)
    run("FUNCTION", "LOAD", LIBRARY)
    for reply in [client.read(timeout=20) for _ in range(sent)]:
        assert not isinstance(reply, Error), reply


def change(client):
    """Requests that only the increments have."""
    for words in (["SELECT", 7], ["SET", "new", 1], ["INCRBYFLOAT", "new", "1.5"], ["APPEND", "long", "end"], ["SPOP", "set:700", 30],
                  ["LPUSH", "list:5", "front"], ["LINSERT", "list:5", "BEFORE", "e1", "mid"], ["HINCRBY", "hash:5", "f1", 9],
                  ["ZINCRBY", "zset:5", 2.25, "m1"], ["SET", "short", "v", "EX", 100000000], ["GETEX", "later", "PERSIST"],
                  ["XADD", "stream:150", "*", "auto", "id"], ["XADD", "stream:150", "MAXLEN", "~", 100, "*", "auto", "id"],
                  ["XREADGROUP", "GROUP", "g1", "dave", "COUNT", 3, "STREAMS", "stream:150", ">"],
                  ["XAUTOCLAIM", "stream:150", "g1", "erin", 0, "0", "COUNT", 4], ["XCLAIM", "stream:150", "g1", "bob", 0, "10-0"],
                  ["RENAME", "text:0073", "renamed"], ["MOVE", "number:127", 3], ["COPY", "hash:150", "copied"], ["SWAPDB", 1, 15],
                  ["DEL", "bits"], ["BITFIELD", "field", "SET", "u8", 5, 200], ["SORT", "intset:5", "BY", "nosort", "STORE", "sorted"],
                  ["EVAL", "redis.call('INCR', KEYS[1]) redis.call('RPUSH', KEYS[2], 'a', 'b')", 2, "n", "l"],
                  ["MULTI"], ["INCR", "n"], ["EXPIRE", "n", 100000000], ["LPOP", "l"], ["EXEC"], ["PFMERGE", "merged", "hll:5", "hll:150"],
                  ["SUNIONSTORE", "union", "set:5", "intset:5"], ["ZUNIONSTORE", "zunion", 2, "zset:5", "zset:150"],
                  ["GEOSEARCHSTORE", "near", "geo", "FROMLONLAT", 15, 37, "BYRADIUS", 100, "km"], ["LMPOP", 1, "list:150", "LEFT", "COUNT", 3],
                  ["RESTORE", "restored", 0, client("DUMP", "zset:1")], ["FUNCTION", "LOAD", LIBRARY.replace("lib", "lib2").replace("twice", "double")],
                  ["SELECT", 0]):
        reply = client(*words)
        assert not isinstance(reply, Error), (words, reply)


def picture(client):
    """All that must be the same; times of LRU and seen-times of consumers apart."""
    found = {"digest": client("DEBUG", "DIGEST"),
             "functions": sorted(str(entry) for entry in client("FUNCTION", "LIST", "WITHCODE"))}
    for database in range(16):
        client("SELECT", database)
        keys = sorted(client("KEYS", "*"))
        found[database] = len(keys), [(key[:30], client("PEXPIRETIME", key)) for key in keys]
        for key in keys:
            if client("TYPE", key) == b"stream":
                info = client("XINFO", "STREAM", key)
                info = {info[i]: info[i + 1] for i in range(0, len(info), 2)}
                groups = client("XINFO", "GROUPS", key)
                found[database, key] = (
                    [info[name] for name in (b"length", b"last-generated-id", b"max-deleted-entry-id", b"entries-added",
                                             b"recorded-first-entry-id", b"groups")], groups,
                    [[consumer[:4] for consumer in client("XINFO", "CONSUMERS", key, group[1])] for group in groups],
                    [[[entry[0], entry[1], entry[3]] for entry in client("XPENDING", key, group[1], "-", "+", 1000)] for group in groups])
    client("SELECT", 0)
    return found


def access(client):
    """What is known of the use of a key."""
    return [client("OBJECT", "FREQ", key) for key in ("long", "hash:5", "zset:700")]


class Opened:
    def __init__(self, server):
        self.server = server
        self.client = Client(server.address, timeout=30)

    def __enter__(self):
        return self.server, self.client

    def __exit__(self, *_):
        self.client.close()
        self.server.stop()


MAKERS = {"carnelian": servers.carnelian, "redis": servers.oracle}


def restarted(server, maker, *arguments):
    """The other server in a copy of the files of this one."""
    other = servers.Server.__new__(servers.Server)
    template = MAKERS[maker]
    fresh = template_of(template, arguments)
    other.name, other.command, other.arguments = fresh
    other.directory = server.directory.with_name(server.directory.name + "-copy")
    shutil.copytree(server.directory, other.directory, ignore=shutil.ignore_patterns("log", "carnelian.lock"))
    other.start()
    return other


def template_of(maker, arguments):
    import sys
    if maker is servers.oracle:
        return "redis-server", ["redis-server"], [*servers.COMMON, *arguments]
    return "carnelian", [sys.executable, "-m", "carnelian", "serve"], [*servers.COMMON, *arguments]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("maker, taker", [("carnelian", "redis"), ("redis", "carnelian"), ("carnelian", "carnelian")])
def test_snapshots(maker, taker, settings):
    need_oracle()
    settings = SETTINGS[settings]
    with Opened(MAKERS[maker](*settings)) as (server, client):
        fill(client)
        change(client)
        if "allkeys-lfu" in settings:
            for _ in range(300):
                client("GET", "long")
        before = picture(client)
        frequency = access(client) if "allkeys-lfu" in settings else None
        assert client("SAVE") == b"OK"
        with Opened(restarted(server, taker, *(settings if frequency else ()))) as (_, other):
            if frequency:
                assert all(abs(a - b) <= 1 for a, b in zip(access(other), frequency))
            assert picture(other) == before
            assert other("FCALL", "twice", 0, 21) == 42


@pytest.mark.parametrize("settings", [("--aof-use-rdb-preamble", "yes"), ("--aof-use-rdb-preamble", "no"), ("--aof-timestamp-enabled", "yes")],
                         ids=" ".join)
@pytest.mark.parametrize("maker, taker", [("carnelian", "redis"), ("redis", "carnelian"), ("carnelian", "carnelian")])
def test_append_only(maker, taker, settings):
    need_oracle()
    with Opened(MAKERS[maker]("--appendonly", "yes", "--appendfsync", "no", *settings)) as (server, client):
        fill(client)
        client("BGREWRITEAOF")
        while b"aof_rewrite_in_progress:1" in client("INFO", "persistence") or b"aof_rewrite_scheduled:1" in client("INFO", "persistence"):
            pass
        assert b"aof_last_bgrewrite_status:ok" in client("INFO", "persistence")
        change(client)
        # redis-server's own reading counts: its requests for what is pending of a deleted entry (XCLAIM) don't bring that back.
        with Opened(restarted(server, maker, "--appendonly", "yes")) as (_, reading):
            before = picture(reading)
        with Opened(restarted(server, taker, "--appendonly", "yes")) as (other_server, other):
            assert picture(other) == before
            assert other("FCALL", "twice", 0, 21) == 42
            other("SET", "and", "on")
            after = other("DEBUG", "DIGEST")
            with Opened(restarted(other_server, maker, "--appendonly", "yes")) as (_, again):
                assert again("DEBUG", "DIGEST") == after


def test_the_increments_alone():
    """Everything by requests, without a rewrite."""
    need_oracle()
    with Opened(servers.carnelian("--appendonly", "yes", "--appendfsync", "always")) as (server, client):
        fill(client)
        change(client)
        before = picture(client)
        for taker in MAKERS:
            with Opened(restarted(server, taker, "--appendonly", "yes")) as (_, other):
                assert picture(other) == before
