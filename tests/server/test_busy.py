"""A script that keeps the server: others are answered meanwhile, by either data plane, and may end it."""
import os
import signal

import pytest

from tests.oracle.resp import CLOSED, Client, request
from tests.oracle.servers import carnelian

ENDLESS = "while true do pcall(function() while true do end end) end"
BUSY = b"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."


@pytest.fixture(scope="module", params=["epoll", "asyncio", "uvloop"])
def server(request):
    arguments = ["--data-plane", "asyncio"] if request.param == "asyncio" else []
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
        arguments = ["--event-loop", "uvloop"]
    with carnelian(*arguments, "--busy-reply-threshold", "1") as server:
        yield server


def run(server, source, *following):
    """A client whose script is under way, with these requests behind it in its pipeline; and another client."""
    client, other = Client(server.address), Client(server.address)
    client.send_raw(b"".join(map(request, [["EVAL", source, "0"], *following])))
    while bytes(other("PING"))[:4] != b"BUSY":
        pass
    return client, other


def killed(client):
    return bytes(client.read()).startswith(b"ERR Script killed by user with SCRIPT KILL... script: ")


def test_the_pipeline_goes_on_after_it(server):
    client, other = run(server, ENDLESS, ["ECHO", "behind"])
    client.send_raw(request(["ECHO", "sent meanwhile"]))
    assert Client(server.address)("GET", "x") == BUSY
    assert other("SCRIPT", "KILL") == b"OK"
    assert killed(client) and client.read() == b"behind" and client.read() == b"sent meanwhile"
    assert other("PING") == b"PONG"


def test_the_client_goes_away(server):
    client, other = run(server, ENDLESS, ["ECHO", "behind"])
    client.close()
    assert other("PING") == BUSY
    assert other("SCRIPT", "KILL") == b"OK"
    assert other("PING") == b"PONG"


def test_in_a_transaction(server):
    client = Client(server.address)
    client("MULTI")
    client("SET", "k", "v")
    client("EVAL", ENDLESS, "0")
    client("GET", "k")
    client.send_raw(request(["EXEC"]))
    other = Client(server.address)
    while bytes(other("PING"))[:4] != b"BUSY":
        pass
    assert other("SCRIPT", "KILL") == b"OK"
    first, second, third = client.read()
    assert (first, third) == (b"OK", b"v") and bytes(second).startswith(b"ERR Script killed")


def test_a_parked_client_waits_on(server):
    waiting = Client(server.address)
    waiting.send_raw(request(["BLPOP", "q", "0"]))
    client, other = run(server, "redis.call('rpush', 'q', 'x') for i = 1, 2e7 do end return 'done'")
    assert not waiting.readable()
    assert bytes(other("SCRIPT", "KILL")).startswith(b"UNKILLABLE Sorry the script already executed write commands")
    assert client.read() == b"done"
    assert waiting.read() == [b"q", b"x"]


def test_many_clients_come_and_go(server):
    client, other = run(server, ENDLESS)
    for _ in range(50):
        guest = Client(server.address)
        assert guest("SET", "a", "b") == BUSY
        guest.close()
    assert other("SCRIPT", "KILL") == b"OK" and killed(client)


@pytest.mark.parametrize("plane", ["epoll", "asyncio"])
@pytest.mark.parametrize("way", ["SHUTDOWN", "SIGTERM"])
def test_the_server_can_be_ended(plane, way):
    with carnelian("--data-plane", plane, "--busy-reply-threshold", "1") as server:
        client, other = run(server, "redis.call('set', 'k', 'v') while true do end")
        if way == "SHUTDOWN":
            assert other("SHUTDOWN", "NOSAVE") is CLOSED
        else:
            os.kill(server.process.pid, signal.SIGTERM)
        assert server.process.wait(10) == 0
