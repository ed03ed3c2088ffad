"""Cluster mode, one node that owns all slots, against a redis-server that does."""
import time

import pytest

from tests.conftest import need_oracle
from tests.oracle import servers
from tests.oracle.harness import ORACLE_ONLY, Both, Map, Side
from tests.oracle.resp import Push

ARGUMENTS = ["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1", "--cluster-announce-hostname", "node.example"]


@pytest.fixture(scope="module")
def sides():
    need_oracle()
    with servers.oracle(*ARGUMENTS, "--cluster-port", str(servers.free_port())) as oracle:
        side = Side(oracle)
        assert side.ask("CLUSTER", "ADDSLOTSRANGE", "0", "16383") == b"OK"
        if ORACLE_ONLY:
            ours = None
        else:
            ours = servers.carnelian(*ARGUMENTS, "--cluster-port", str(servers.free_port()))
        deadline = time.monotonic() + 20
        while b"cluster_state:ok" not in side.ask("CLUSTER", "INFO"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield side, Side(ours) if ours else None
        if ours:
            ours.stop()


@pytest.fixture
def both(sides, resp):
    together = Both(*sides, resp)
    together.reset()
    yield together
    together.finish()


def plain(reply, side):
    """A reply with the node's names, ports and addresses made the same on both sides."""
    if isinstance(reply, Map):
        return {plain(key, side): plain(value, side) for key, value in reply}
    if isinstance(reply, (list, Push)):
        return [plain(item, side) for item in reply]
    if reply == side.server.port:
        return "PORT"
    if isinstance(reply, bytes):
        reply = reply.replace(side.ask("CLUSTER", "MYID"), b"NODE").replace(b":%d@" % side.server.port, b":PORT@")
        bus = dict(zip(*[iter(side.ask("CONFIG", "GET", "cluster-port"))] * 2))[b"cluster-port"]
        return reply.replace(b"@" + bus + b",", b"@BUS,")
    return reply


@pytest.mark.parametrize("kind", ["ip", "hostname", "unknown-endpoint"])
@pytest.mark.parametrize("word", ["SLOTS", "SHARDS", "NODES", "INFO"])
def test_shape_of_the_cluster(both, word, kind):
    found = []
    for side in both.sides:
        assert side.ask("CONFIG", "SET", "cluster-preferred-endpoint-type", kind) == b"OK"
        found.append(plain(side.client(1)("CLUSTER", word), side))
    assert found[0] == found[-1]
    assert type(found[0]) is type(found[-1])


def test_the_announced_port(both):
    for side in both.sides:
        side.watch_settings([b"CONFIG"])
        side.ask("CONFIG", "SET", "cluster-announce-port", "1234", "cluster-announce-bus-port", "4321")
    found = [plain(side.client(1)("CLUSTER", "NODES"), side) for side in both.sides]
    assert found[0] == found[-1] and b"127.0.0.1:1234@4321,node.example" in found[0]


def test_questions(both):
    both("""
        $me: CLUSTER MYID
        CLUSTER LINKS
        CLUSTER COUNT-FAILURE-REPORTS $me
        CLUSTER COUNT-FAILURE-REPORTS x
        CLUSTER REPLICAS $me
        CLUSTER SLAVES $me
        CLUSTER REPLICAS x
        CLUSTER KEYSLOT a
        CLUSTER KEYSLOT ""
        CLUSTER KEYSLOT "{a}b"
        CLUSTER KEYSLOT "x{a}b{c}"
        CLUSTER KEYSLOT "{}a"
        CLUSTER KEYSLOT "x{}{a}"
        CLUSTER KEYSLOT "{{a}}"
        CLUSTER KEYSLOT "{a"
        CLUSTER KEYSLOT "}a{b}"
        CLUSTER KEYSLOT "\\xff\\x00{\\xfe}"
        CLUSTER KEYSLOT
        CLUSTER KEYSLOT a b
        CLUSTER INFO x
        MSET {a}1 1 {a}2 2 {a}3 3
        CLUSTER COUNTKEYSINSLOT 15495
        CLUSTER COUNTKEYSINSLOT 1
        CLUSTER COUNTKEYSINSLOT -1
        CLUSTER COUNTKEYSINSLOT 16384
        CLUSTER COUNTKEYSINSLOT x
        % CLUSTER GETKEYSINSLOT 15495 10
        ? CLUSTER GETKEYSINSLOT 15495 2
        CLUSTER GETKEYSINSLOT 15495 0
        CLUSTER GETKEYSINSLOT 15495 -1
        CLUSTER GETKEYSINSLOT 16384 1
        CLUSTER GETKEYSINSLOT x 1
        CLUSTER GETKEYSINSLOT 1 x
        CLUSTER FOO
        CLUSTER
        ?? CLUSTER HELP
        READONLY
        READWRITE
        ASKING
        READONLY x
        CONFIG GET cluster-enabled
        = CLUSTER MYSHARDID x -> -ERR wrong number of arguments for 'cluster|myshardid' command
    """)
    if both.carnelian:
        assert len(both.carnelian.client(1)("CLUSTER", "MYSHARDID")) == 40
    for side in both.sides:
        assert b"cluster_enabled:1" in side.ask("INFO", "cluster") and b"redis_mode:cluster" in side.ask("INFO", "server")
        assert b"cluster" in side.ask("HELLO")


def test_read_only_connections(both):
    for side in both.sides:
        client = side.client(1)
        client("READONLY")
        assert b" flags=r " in client("CLIENT", "INFO")
        client("READWRITE")
        assert b" flags=N " in client("CLIENT", "INFO")
        client("READONLY")
        client("RESET")
        assert b" flags=N " in client("CLIENT", "INFO")


def test_other_databases(both):
    both("""
        SELECT 0
        SELECT 1
        SELECT 99
        SELECT x
        SWAPDB 0 1
        SWAPDB x 1
        SWAPDB 0
        SET a 1
        MOVE a 1
        MOVE a x
        COPY a {a}b DB 1
        COPY a {a}b DB x
        COPY a b DB 1
        COPY a {a}b DB 0
        COPY a {a}c
    """)


def test_one_slot(both):
    both("""
        MSET a 1 b 2
        MSET {x}a 1 {x}b 2
        MGET a b
        MGET {x}a {x}b {x}c
        MGET {x}a a
        DEL a b
        UNLINK a b
        EXISTS {x}a b
        EXISTS {x}a {x}b
        TOUCH a b
        WATCH a b
        RENAME a b
        RENAME {x}a {x}c
        COPY a b
        SINTER a b
        SINTERCARD 2 a b
        SINTERCARD 2 {x}a b
        SINTERCARD 3 a b
        SUNIONSTORE a b c
        LMOVE a b LEFT RIGHT
        LMPOP 2 a b LEFT
        BLPOP a b 1
        ZUNIONSTORE a 2 b c
        ZUNIONSTORE a 99 b c
        ZUNIONSTORE a x b c
        ZUNION 2 {x}b {x}d
        XREAD STREAMS a b 0 0
        XREAD STREAMS {x}s {x}t 0 0
        PFCOUNT a b
        PFMERGE a b
        BITOP AND a b c
        GEORADIUS a 1 1 1 km STORE b
        GEOSEARCHSTORE a b FROMLONLAT 1 1 BYRADIUS 1 km
        SORT a STORE b
        SORT {x}l STORE {x}m
        SORT {x}l BY w_*
        SORT {x}l BY nosort
        SORT {x}l GET w_*
        SORT {x}l GET "#"
        SORT_RO {x}l BY w_*
        MSET a 1 b
        GET
        SMOVE a b x
        LCS a b
        OBJECT ENCODING a
        DBSIZE
        ?? KEYS *
        FLUSHALL
    """)


def test_channels(both):
    both("""
        SPUBLISH a x
        SSUBSCRIBE a b
        SSUBSCRIBE {x}a {x}b
        1<
        2: SPUBLISH {x}b hello
        1<
        SUNSUBSCRIBE a b
        2: PUBLISH a x
        2: SUBSCRIBE a b
        2<
    """)


def test_transactions(both):
    both("""
        MULTI
        SET a 1
        SET b 2
        EXEC
        GET a
        EXEC
        MULTI
        SET {x}a 1
        GET {x}b
        PING
        EXEC
        MULTI
        MGET a b
        SET a 1
        EXEC
        WATCH {x}a
        MULTI
        GET b
        GET a
        EXEC
        2: SET {x}a 5
        MULTI
        GET a
        EXEC
        MULTI
        PING
        EXEC
        MULTI
        GET a
        GET b
        DISCARD
    """)


def test_scripts(both):
    both(r"""
        EVAL "return 1" 2 a b
        EVAL "return redis.call('GET', KEYS[1])" 1 a
        EVAL "return redis.pcall('MGET', 'a', 'b')" 1 a
        EVAL "redis.call('SET', 'b', 1); return redis.call('GET', 'a')" 1 a
        EVAL "#!lua\nreturn redis.pcall('GET', 'b')" 1 a
        EVAL "#!lua\nreturn redis.pcall('GET', 'b')" 0
        EVAL "#!lua\nredis.call('GET', 'a'); return redis.pcall('GET', 'b')" 0
        EVAL "#!lua\nredis.call('PING'); redis.call('GET', '{a}x'); return redis.pcall('GET', 'a')" 1 a
        EVAL "#!lua flags=allow-cross-slot-keys\nreturn redis.pcall('GET', 'b')" 1 a
        EVAL "#!lua flags=allow-cross-slot-keys\nreturn 1" 2 a b
        EVAL "#!lua flags=no-cluster\nreturn 1" 0
        EVAL "return redis.pcall('SELECT', 1)" 0
        EVAL "return redis.call('MGET', 'a', 'b')" 1 a
    """)


def test_without_cluster_mode(pair, resp):
    both = Both(*pair, resp)
    both.reset()
    both("""
        CLUSTER INFO
        CLUSTER KEYSLOT a
        CLUSTER KEYSLOT
        CLUSTER SLOTS
        CLUSTER FOO
        CLUSTER HELP
        CLUSTER
        READONLY
        READWRITE
        ASKING
        ASKING x
        CONFIG SET cluster-enabled yes
    """)
    both.finish()
