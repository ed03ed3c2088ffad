"""MIGRATE to a redis-server, to another carnelian, and back."""
import socket
import threading

import pytest

from tests.conftest import need_oracle
from tests.oracle import servers
from tests.oracle.resp import Client, Error, Status

VALUES = [("SET", "string", "value"), ("SET", "number", "12345"), ("RPUSH", "list", "a", "b", "c"), ("SADD", "set", "x", "y", "1"),
          ("SADD", "numbers", "1", "2", "3"), ("HSET", "hash", "f", "v", "g", "w"), ("ZADD", "sorted", "1.5", "a", "2", "b"),
          ("XADD", "stream", "1-1", "f", "v"), ("PFADD", "hll", "a", "b")]
KEYS = [value[1] for value in VALUES]


@pytest.fixture(scope="module")
def other_carnelian():
    with servers.carnelian() as server:
        yield server


@pytest.fixture(params=["to redis", "to carnelian", "from redis"])
def two(request, carnelian_server, other_carnelian):
    """Clients of the source and of the target, both emptied, and the target's port."""
    if "redis" in request.param:
        need_oracle()
        redis = request.getfixturevalue("oracle_server")
    pair = {"to redis": lambda: (carnelian_server, redis), "to carnelian": lambda: (carnelian_server, other_carnelian),
            "from redis": lambda: (redis, carnelian_server)}[request.param]()
    clients = [Client(server.address) for server in pair]
    for client in clients:
        client("FLUSHALL")
    yield *clients, str(pair[1].port)
    for client in clients:
        client.close()


def test_every_type(two):
    source, target, port = two
    for words in VALUES:
        source(*words)
    source("PEXPIRE", "hash", "100000")
    before = [source("DEBUG", "DIGEST-VALUE", key) for key in KEYS]
    assert source("MIGRATE", "127.0.0.1", port, "", "0", "5000", "KEYS", *KEYS, "missing") == Status(b"OK")
    assert source("DBSIZE") == 0 and target("DBSIZE") == len(KEYS)
    assert [target("DEBUG", "DIGEST-VALUE", key) for key in KEYS] == before
    assert 90000 < target("PTTL", "hash") <= 100000 and target("PTTL", "list") == -1


def test_options(two):
    source, target, port = two
    source("SET", "k", "1")
    assert source("MIGRATE", "127.0.0.1", port, "k", "3", "5000", "COPY") == Status(b"OK")
    assert source("GET", "k") == b"1"
    target("SELECT", "3")
    assert target("GET", "k") == b"1"
    target("SET", "k", "2")
    busy = Error(b"ERR Target instance replied with error: BUSYKEY Target key name already exists.")
    assert source("MIGRATE", "127.0.0.1", port, "k", "3", "5000") == busy
    assert source("GET", "k") == b"1" and target("GET", "k") == b"2"
    source("SET", "l", "1")
    assert source("MIGRATE", "127.0.0.1", port, "", "3", "5000", "KEYS", "k", "l") == busy
    assert source("EXISTS", "k", "l") == 1 and target("GET", "l") == b"1"
    assert source("MIGRATE", "127.0.0.1", port, "k", "3", "5000", "REPLACE") == Status(b"OK")
    assert source("EXISTS", "k") == 0 and target("GET", "k") == b"1"
    assert source("MIGRATE", "127.0.0.1", port, "k", "3", "5000") == Status(b"NOKEY")


def test_errors(both, carnelian_server):
    port = both.sides[0].server.port
    both(f"""
        MIGRATE h 1 x 0
        MIGRATE h 1 x 0 100
        MIGRATE h 1 x y 100
        MIGRATE h 1 x 0 y
        MIGRATE h 1 x 0 100 FOO
        MIGRATE h 1 x y z FOO
        MIGRATE h 1 x 0 100 AUTH
        MIGRATE h 1 x 0 100 AUTH2 a
        MIGRATE h 1 x 0 100 KEYS a
        MIGRATE h 1 "" 0 100 KEYS
        MIGRATE h 1 "" 0 100
        SET x 1
        MIGRATE 127.0.0.1 1 x 0 100
        MIGRATE 127.0.0.1 foo x 0 100
        MIGRATE 127.0.0.1 1 x 0 -5
        GET x
        COMMAND GETKEYS MIGRATE h 1 "" 0 1 KEYS a b
        COMMAND GETKEYS MIGRATE h 1 "" 0 1 AUTH KEYS KEYS a
        COMMAND GETKEYS MIGRATE h 1 a 0 1
    """)
    if both.resp == 2:                      # who is asked for its own database answers with Redis's errors
        both("SET x 1")
        ask = both.carnelian.client(1)
        assert ask("MIGRATE", "127.0.0.1", port, "x", "99", "1000") == Error(
            b"ERR Target instance replied with error: ERR DB index is out of range")
        assert ask("MIGRATE", "127.0.0.1", port, "x", "0", "1000", "AUTH2", "who", "knows") == Error(
            b"ERR Target instance replied with error: WRONGPASS invalid username-password pair or user is disabled.")


@pytest.fixture
def silent():
    """A port where connections are taken and nothing is answered until `speak` is set: then +OK to all and everything."""
    listener = socket.create_server(("127.0.0.1", 0))
    speak, heard = threading.Event(), threading.Event()

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(1 << 16)
                heard.set()
                speak.wait(10)
                if speak.is_set():
                    connection.sendall(b"+OK\r\n" * 3)
                    connection.recv(1)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield str(listener.getsockname()[1]), heard, speak
    speak.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def test_timeout(carnelian, silent):
    port, _, _ = silent
    ask = carnelian.client(1)
    ask("SET", "k", "v")
    assert ask("MIGRATE", "127.0.0.1", port, "k", "0", "50") == Error(b"IOERR error or timeout reading to target instance")
    assert ask("GET", "k") == b"v"


def test_others_are_served(carnelian, silent):
    """The target takes its time; what is changed meanwhile stays."""
    port, heard, speak = silent
    ask, other = carnelian.client(1), carnelian.client(2)
    other("MSET", "kept", "1", "moved", "2", "gone", "3")
    ask.send_raw(b"MIGRATE 127.0.0.1 %b \"\" 0 5000 KEYS kept moved\r\nPING\r\n" % port.encode())
    assert heard.wait(5)
    assert other("GET", "kept") == b"1"
    assert b"flags=b" in other("CLIENT", "LIST")
    other("APPEND", "kept", "1")
    speak.set()
    assert ask.read() == Error(b"ERR 1 key(s) changed during the transfer, 'kept' first: they stay here, and the target instance has "
                               b"them as they were")
    assert ask.read() == Status(b"PONG")
    assert other("GET", "kept") == b"11" and other("EXISTS", "moved") == 0


def test_the_client_goes_away(carnelian, silent):
    port, heard, speak = silent
    other = carnelian.client(2)
    other("MSET", "a", "1", "b", "2")
    ask = carnelian.client(1)
    ask.send_raw(b"MIGRATE 127.0.0.1 %b \"\" 0 5000 KEYS a b\r\n" % port.encode())
    assert heard.wait(5)
    ask.close()
    other("SUBSCRIBE", "__keyevent@0__:del")
    third = carnelian.client(3)
    carnelian.watch_settings([b"CONFIG"])
    third("CONFIG", "SET", "notify-keyspace-events", "Eg")
    speak.set()
    assert [other.read()[2] for _ in range(2)] == [b"a", b"b"]
    assert third("DBSIZE") == 0


def test_ones_own_invalidation_comes_after_the_reply(carnelian, silent):
    port, _, speak = silent
    speak.set()
    carnelian.resp = 3
    ask = carnelian.client(1)
    ask("SET", "k", "v")
    ask("CLIENT", "TRACKING", "ON")
    ask("GET", "k")
    assert ask("MIGRATE", "127.0.0.1", port, "k", "0", "5000") == Status(b"OK")
    assert ask.read() == [b"invalidate", [b"k"]]


def test_not_in_transactions(carnelian):
    ask = carnelian.client(1)
    ask("SET", "k", "v")
    ask("MULTI")
    ask("MIGRATE", "127.0.0.1", "1", "k", "0", "50")
    refusal = b"ERR MIGRATE is not possible inside a transaction or a script: it would hold up all clients"
    assert ask("EXEC") == [Error(refusal)]
