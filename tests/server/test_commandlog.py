"""COMMANDLOG: requests and replies that are large, and what SLOWLOG shows, too."""
import pytest


@pytest.fixture
def client(carnelian):
    """A connection; the settings are put back after the test."""
    carnelian.settings = carnelian.read_settings()
    client = carnelian.client(1)
    yield client
    carnelian.restore_settings()
    for kind in ("slow", "large-request", "large-reply"):
        carnelian.ask("COMMANDLOG", "RESET", kind)


def log(client, kind):
    """(bytes, words) of the entries, the oldest first."""
    return [(entry[2], entry[3]) for entry in reversed(client("COMMANDLOG", "GET", "-1", kind))]


def test_large_requests(client):
    client("CONFIG", "SET", "commandlog-request-larger-than", "1000")
    client("CLIENT", "SETNAME", "me")
    client("SET", "k", "x" * 900)
    client("SET", "k", "x" * 971)               # 999 bytes
    client("SET", "k", "x" * 972)               # 1000
    client("APPEND", "k", "x" * 1000)
    client("MULTI")
    client("SET", "k", "x" * 2000)
    client("EXEC")
    client("NOTHING", "x" * 2000)
    shown = b"x" * 128
    assert log(client, "large-request") == [
        (1000, [b"SET", b"k", shown + b"... (844 more bytes)"]),
        (1032, [b"APPEND", b"k", shown + b"... (872 more bytes)"]),
        (2029, [b"SET", b"k", shown + b"... (1872 more bytes)"])]
    assert client("COMMANDLOG", "LEN", "large-request") == 3 and client("COMMANDLOG", "LEN", "large-reply") == 0
    number, second, size, words, address, name = client("COMMANDLOG", "GET", "1", "LARGE-request")[0]
    assert number == 2 and second > 1_600_000_000 and address.startswith(b"127.0.0.1:") and name == b"me"
    client("CONFIG", "SET", "commandlog-large-request-max-len", "1")
    assert [size for size, _ in log(client, "large-request")] == [2029]
    assert client("COMMANDLOG", "RESET", "large-request") == b"OK" and log(client, "large-request") == []
    client("CONFIG", "SET", "commandlog-request-larger-than", "-1")
    client("SET", "k", "x" * 2000)
    assert log(client, "large-request") == []


def test_large_replies(client):
    client("SET", "k", "x" * 1000)
    client("RPUSH", "l", *["x" * 100] * 10)
    client("CONFIG", "SET", "commandlog-reply-larger-than", "1008")
    for _ in range(3):
        client("GET", "k")
        client("GETRANGE", "k", "0", "998")
        client("LRANGE", "l", "0", "-1")
        client("LRANGE", "l", "0", "5")
    assert log(client, "large-reply") == 3 * [(1009, [b"GET", b"k"]), (1085, [b"LRANGE", b"l", b"0", b"-1"])]
    client("COMMANDLOG", "RESET", "large-reply")
    client("CONFIG", "SET", "commandlog-reply-larger-than", "0")
    client("PING")
    assert log(client, "large-reply") == [(5, [b"CONFIG", b"SET", b"commandlog-reply-larger-than", b"0"]), (7, [b"PING"])]


def test_the_slow_log_is_one_of_them(client):
    client("CONFIG", "SET", "commandlog-execution-slower-than", "0")
    client("PING")
    client("CONFIG", "SET", "slowlog-log-slower-than", "10000")
    assert client("COMMANDLOG", "GET", "-1", "slow") == client("SLOWLOG", "GET", "-1") != []
    assert client("COMMANDLOG", "LEN", "slow") == client("SLOWLOG", "LEN")
    assert client("CONFIG", "GET", "commandlog-slow-execution-max-len") == [b"commandlog-slow-execution-max-len", b"128"]
    client("COMMANDLOG", "RESET", "slow")
    assert client("SLOWLOG", "LEN") == 0


@pytest.mark.parametrize("request_, error", [
    ("COMMANDLOG", b"ERR wrong number of arguments for 'commandlog' command"),
    ("COMMANDLOG NOTHING", b"ERR unknown subcommand 'NOTHING'. Try COMMANDLOG HELP."),
    ("COMMANDLOG GET", b"ERR wrong number of arguments for 'commandlog|get' command"),
    ("COMMANDLOG GET 1", b"ERR wrong number of arguments for 'commandlog|get' command"),
    ("COMMANDLOG GET -2 slow", b"ERR count should be greater than or equal to -1"),
    ("COMMANDLOG GET x slow", b"ERR count should be greater than or equal to -1"),
    ("COMMANDLOG GET 1 nothing", b"ERR type should be one of the following: slow, large-request, large-reply"),
    ("COMMANDLOG LEN nothing", b"ERR type should be one of the following: slow, large-request, large-reply"),
    ("COMMANDLOG RESET", b"ERR wrong number of arguments for 'commandlog|reset' command"),
])
def test_errors(client, request_, error):
    assert client(*request_.split()) == error
    assert client("COMMANDLOG", "HELP")[0].startswith(b"COMMANDLOG <subcommand>")
