"""Connections on every data plane: partial reads and writes, limits, ends, fairness."""
import contextlib
import os
import socket
import stat
import threading

import pytest

from tests.oracle.resp import CLOSED, NULL_ARRAY, Client, Error, Status, request
from tests.oracle.servers import free_port

PONG = Status(b"PONG")
MEGABYTE = 1 << 20


def read_to_end(client):
    """Everything that still comes on a raw socket."""
    data = b""
    client.socket.settimeout(10)
    while True:
        try:
            piece = client.socket.recv(1 << 20)
        except ConnectionResetError:
            return data
        if not piece:
            return data
        data += piece


# ---- bytes in and out

def test_a_request_in_single_bytes(running):
    client = running.client()
    for byte in request(["SET", "key", "value"]) + request(["GET", "key"]):
        client.send_raw(bytes([byte]))
    assert client.read() == b"OK"
    assert client.read() == b"value"


def test_a_pipeline_longer_than_any_buffer(running):
    client = running.client()
    sender = threading.Thread(target=client.send_raw, args=(request(["ECHO", "x" * 100]) * 20000,))
    sender.start()
    for _ in range(20000):
        assert client.read() == b"x" * 100
    sender.join()


def test_a_pipeline_sent_whole_before_the_first_reply_is_read(running):
    """The replies do not fit into any socket buffer; a client that reads only afterwards must not be locked out."""
    client = running.client(timeout=30)
    client("SET", "key", b"v" * 10000)
    client.send_raw(b"".join(request(["GET", "key"]) + request(["ECHO", str(i)]) for i in range(5000)))
    for i in range(5000):
        assert client.read() == b"v" * 10000
        assert client.read() == b"%d" % i
    assert client("PING") == PONG


def test_a_large_value_in_and_out(running):
    client = running.client(timeout=30)
    value = os.urandom(1 << 16) * 400
    assert client("SET", "key", value) == b"OK"
    other = running.client()
    client.send("GET", "key")
    assert other("PING") == PONG                # while the large reply is under way
    assert client.read() == value
    assert client("STRLEN", "key") == len(value)


def test_a_flooding_client_does_not_starve_another(running):
    flooder, other = running.client(), running.client()
    stop = threading.Event()

    def flood():
        block = request(["PING"]) * 1000
        while not stop.is_set():
            flooder.socket.sendall(block)

    def swallow():
        with contextlib.suppress(ConnectionResetError):     # the flooder hangs up with replies unread
            while flooder.socket.recv(1 << 20):
                pass

    threads = [threading.Thread(target=flood), threading.Thread(target=swallow)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(50):
            assert other("PING") == PONG
    finally:
        stop.set()
        threads[0].join()
        flooder.socket.shutdown(socket.SHUT_RDWR)
        threads[1].join()


def test_counters(running):
    clients = running.server.clients
    client = running.client()
    client("PING")
    running.call(lambda: None)                  # its turn is over
    assert (clients.received, clients.bytes_in, clients.bytes_out) == (1, 14, 7)
    assert clients.reads >= 1 and clients.writes >= 1
    assert running.call(clients.figures)["connected_clients"] == 1
    running.call(clients.reset_statistics)
    assert (clients.received, clients.bytes_in, clients.bytes_out) == (0, 0, 0)


# ---- limits

def test_query_buffer_limit(running):
    running.set("client-query-buffer-limit", MEGABYTE)
    client, other = running.client(), running.client()
    client.send_raw(b"*2\r\n$4\r\nECHO\r\n$5000000\r\n" + b"x" * 4000000)
    assert client.read() is CLOSED
    assert other("PING") == PONG
    assert running.server.clients.query_buffer_disconnections == 1


def test_hard_output_limit_of_a_client_that_never_reads(running):
    client, other = running.client(), running.client()
    client("SET", "key", b"x" * (30 * MEGABYTE))
    running.set("client-output-buffer-limit", f"normal {MEGABYTE} 0 0")
    client.send("GET", "key")
    running.until(lambda: running.server.clients.output_buffer_disconnections == 1)
    assert other("PING") == PONG
    assert len(read_to_end(client)) < 30 * MEGABYTE


def test_soft_output_limit(running):
    client = running.client()
    client("SET", "key", b"x" * (30 * MEGABYTE))
    running.set("client-output-buffer-limit", f"normal 0 {MEGABYTE} 10")
    client.send("GET", "key")
    running.until(lambda: running.server.clients.bytes_out > 1000)
    running.pass_time(5000)
    assert running.server.clients.output_buffer_disconnections == 0
    running.pass_time(11000)
    running.pass_time(11000)
    assert running.server.clients.output_buffer_disconnections == 1


def test_output_limit_of_a_subscriber(running):
    subscriber, publisher = running.client(), running.client()
    running.set("client-output-buffer-limit", f"pubsub {2 * MEGABYTE} 0 0")
    if isinstance(subscriber("SUBSCRIBE", "news"), Error):
        pytest.skip("no SUBSCRIBE")
    for _ in range(40):
        publisher("PUBLISH", "news", b"x" * MEGABYTE)
        if running.server.clients.output_buffer_disconnections:
            break
    assert running.server.clients.output_buffer_disconnections == 1
    assert publisher("PUBLISH", "news", b"x") == 0


def test_maxclients(running):
    running.set("maxclients", 2)
    first, second = running.client(), running.client()
    assert first("PING") == second("PING") == PONG
    third = running.client()
    assert third.read() == b"ERR max number of clients reached"
    assert third.read() is CLOSED
    assert running.server.clients.rejected == 1
    assert running.server.clients.received == 2
    first.close()
    running.until(lambda: running.connections == 1)
    assert running.client()("PING") == PONG
    assert second("PING") == PONG


def test_idle_clients(running):
    running.set("timeout", 10)
    idle, blocked = running.client(), running.client()
    idle("PING")
    blocked.send("BLPOP", "nothing", "0")
    running.until(lambda: running.connections >= 2 and running.call(running.server.clients.figures)["blocked_clients"] == 1)
    running.pass_time(9000)
    assert idle("PING") == PONG
    running.pass_time(11000)
    assert idle.read() is CLOSED
    other = running.client()
    other("RPUSH", "nothing", "something")
    assert blocked.read() == [b"nothing", b"something"]


def test_password(start):
    running = start("--requirepass", "secret")
    client = running.client()
    assert client("GET", "key") == b"NOAUTH Authentication required."
    # Before it has told the password, nobody may send a large request.
    client.send_raw(b"*2\r\n$4\r\nECHO\r\n$100000\r\n")
    assert client.read() == b"ERR Protocol error: unauthenticated bulk length"
    assert client.read() is CLOSED


# ---- ends

def test_a_protocol_error_closes_only_its_own_connection(running):
    client, other = running.client(), running.client()
    client.send_raw(b"*1\r\n!bad\r\n" + b"x" * 100000)
    assert client.read() == b"ERR Protocol error: expected '$', got '!'"
    assert client.read() is CLOSED
    assert other("PING") == PONG


@pytest.mark.parametrize("size", [10, 20 * MEGABYTE])
def test_a_peer_that_has_shut_its_side_down_gets_its_replies(running, size):
    client = running.client()
    client("SET", "key", b"x" * size)
    client.send("GET", "key")
    client.socket.shutdown(socket.SHUT_WR)
    assert client.read(30) == b"x" * size
    assert client.read() is CLOSED
    running.until(lambda: running.connections == 0)


def test_a_client_that_goes_while_it_is_blocked(running):
    blocked, other = running.client(), running.client()
    blocked.send("BLPOP", "list", "0")
    running.until(lambda: running.call(running.server.clients.figures)["blocked_clients"] == 1)
    blocked.close()
    running.until(lambda: running.call(running.server.clients.figures)["blocked_clients"] == 0)
    assert other("RPUSH", "list", "a") == 1
    assert other("LLEN", "list") == 1


def test_a_blocked_client_may_send_ahead(running):
    blocked, other = running.client(), running.client()
    block = request(["BLPOP", "list", "0"]) + request(["ECHO", "x" * 1000]) * 2000
    sender = threading.Thread(target=blocked.send_raw, args=(block,))
    sender.start()
    running.until(lambda: running.call(running.server.clients.figures)["blocked_clients"] == 1)
    assert other("RPUSH", "list", "a") == 1
    assert blocked.read() == [b"list", b"a"]
    for _ in range(2000):
        assert blocked.read() == b"x" * 1000
    sender.join()


def test_a_blocked_client_that_has_sent_ahead_goes(running):
    blocked = running.client()
    blocked.send_raw(request(["BLPOP", "list", "0"]) + request(["ECHO", "x" * 1000]) * 200)
    running.until(lambda: running.call(running.server.clients.figures)["client_recent_max_input_buffer"] >= 65536)
    blocked.close()
    running.until(lambda: running.call(running.server.clients.figures)["blocked_clients"] == 0)


def test_a_timeout_comes_when_nothing_else_happens(running):
    client = running.client()
    assert client("BLPOP", "nothing", "0.02") is NULL_ARRAY
    assert client("PING") == PONG


def test_a_client_killed_by_another(running):
    """Whoever raises CLOSE_NOW hands the session to store.deliver."""
    client, other = running.client(), running.client()
    client("PING"), other("PING")
    session = next(s for s in running.server.clients.connections if s.address.endswith(f":{client.socket.getsockname()[1]}"))

    def kill():
        session.raise_flag(16)
        running.server.engine.store.deliver(session)
        running.server.clients.flush()

    running.call(kill)
    assert client.read() is CLOSED
    assert other("PING") == PONG
    assert session.closed


def test_thousands_of_clients_at_once(running):
    sockets = []
    try:
        for _ in range(400):
            sockets.append(socket.create_connection(("127.0.0.1", running.port)))
        for one in sockets:
            one.sendall(b"PING\r\n")
        for one in sockets:
            assert one.recv(100) == b"+PONG\r\n"
        assert running.connections == 400
    finally:
        for one in sockets:
            one.close()
    running.until(lambda: running.connections == 0)


def test_an_exception_in_a_callback_is_logged_and_no_more(running, caplog):
    def boom():
        raise RuntimeError("boom")

    client = running.client()
    running.server.loop.call_soon_threadsafe(boom)
    running.call(lambda: None)
    assert client("PING") == PONG
    assert "RuntimeError: boom" in caplog.text


def test_closing_twice_is_closing_once(running):
    client = running.client()
    assert client("PING") == PONG
    connection = running.server.clients.connections[0]
    running.call(connection.close)
    running.call(connection.close)
    assert client.read() is CLOSED
    assert running.connections == 0


# ---- sockets

def test_unix_socket(start, tmp_path):
    path = str(tmp_path / "sock")
    running = start("--port", "0", "--unixsocket", path)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    client = running.client()
    assert client("PING") == PONG
    session = running.server.clients.connections[0]
    assert session.address == f"{path}:0"
    running.stop()
    assert not os.path.exists(path)


def test_port_changes(running):
    client = running.client()
    assert client("PING") == PONG
    before, after = running.port, free_port()
    running.set("port", after)
    assert Client(("127.0.0.1", after))("PING") == PONG
    assert client("PING") == PONG
    running.until(lambda: not reachable(before))
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    with pytest.raises(Exception, match="Unable to listen on this port"):
        running.set("port", taken.getsockname()[1])
    taken.close()
    assert running.config["port"] == after
    assert Client(("127.0.0.1", after))("PING") == PONG


def reachable(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def test_smoke_against_the_oracle(running, oracle_server):
    ours, theirs = running.client(), Client(oracle_server.address)
    for words in SMOKE:
        assert ours(*words) == theirs(*words), words
    theirs.close()


SMOKE = [line.split() for line in """
    FLUSHALL
    SET a 1
    SET a 2 NX
    GET a
    INCR a
    APPEND a xyz
    INCR a
    GET nothing
    RPUSH l 1 2 3
    LRANGE l 0 -1
    LPOP l 2
    GET l
    MSET b 1 c 2
    MGET a b c d
    ZADD z 1 a 2 b
    ZRANGE z 0 -1 WITHSCORES
    EXPIRE a 100
    TTL a
    MULTI
    SET m 1
    INCR m
    EXEC
    NOSUCHWORD x y
    GET
    DEL a b c
    DBSIZE
    SELECT 1
    DBSIZE
    SELECT 99
""".strip().splitlines()]
