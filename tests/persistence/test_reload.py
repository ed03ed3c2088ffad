"""DEBUG RELOAD and DEBUG LOADAOF: what is loaded again is what was there."""
import pytest

from tests.oracle import servers
from tests.oracle.resp import Client, Error


@pytest.fixture
def client():
    with servers.carnelian("--appendonly", "yes") as server:
        client = Client(server.address)
        yield client
        client.close()


def fill(client):
    for words in (("SET", "a", "1"), ("SET", "b", "x" * 1000, "EX", "100"), ("HSET", "h", "f", "v"), ("RPUSH", "l", "1", "2", "x"),
                  ("ZADD", "z", "1.5", "m"), ("SADD", "s", "1", "m"), ("XADD", "x", "*", "f", "v"), ("SPOP", "s"), ("INCR", "a"),
                  ("HSET", "g", "f", "v"), ("HEXPIRE", "g", "100", "FIELDS", "1", "f"), ("JSON.SET", "j", "$", '{"a": [1, 2]}')):
        assert not isinstance(client(*words), Error), words


def test_reload(client):
    fill(client)
    before = client("DEBUG", "DIGEST"), client("PEXPIRETIME", "b"), client("DBSIZE")
    assert client("DEBUG", "RELOAD") == b"OK"
    assert (client("DEBUG", "DIGEST"), client("PEXPIRETIME", "b"), client("DBSIZE")) == before
    client("SET", "later", "1")
    client("DEL", "a")
    assert client("DEBUG", "RELOAD", "NOSAVE") == b"OK"
    assert client("EXISTS", "later") == 0 and client("GET", "a") == b"2"


def test_load_append_only(client):
    fill(client)
    before = client("DEBUG", "DIGEST"), client("DBSIZE")
    assert client("DEBUG", "LOADAOF") == b"OK"
    assert (client("DEBUG", "DIGEST"), client("DBSIZE")) == before
    client("SET", "later", "1")
    assert client("DEBUG", "LOADAOF") == b"OK"
    assert client("GET", "later") == b"1"


def test_what_is_loaded_twice_is_refused(client):
    fill(client)
    assert "is there twice" in str(client("DEBUG", "RELOAD", "NOFLUSH"))
    assert client("PING") == b"PONG"
