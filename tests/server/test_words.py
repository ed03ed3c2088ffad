"""The server's words on an engine inside a program, and what the configuration changes in an engine."""
import pytest

import carnelian.server.words                       # declares them
from carnelian.engine import Engine
from carnelian.keyspace import Session
from carnelian.server.config import Config, ConfigError
from carnelian.server.config_effects import connect
from carnelian.server.config_file import Directive
from carnelian.server.words.common import is_local
from carnelian.server.words.figures import human
from carnelian.types import limits
from tests.oracle.resp import Error, Parser, Status, request


class Embedded:
    """An engine with one session, asked directly."""

    def __init__(self, config=None):
        self.engine = Engine()
        self.config = config
        if config is not None:
            connect(config, self.engine)
        self.session = Session(self.engine.store.databases[0])
        self.engine.attach(self.session)

    def __call__(self, *words):
        self.session.reader.feed(request(words))
        self.engine.begin_batch()
        self.engine.drain(self.session)
        self.engine.end_batch()
        parser = Parser()
        parser.feed(self.session.writer.take())
        return parser.next()


def configured(*arguments):
    config = Config()
    config.load(arguments=arguments)
    return Embedded(config)


def test_without_server_and_configuration():
    ask = Embedded()
    assert ask("SET", "k", "v") == b"OK"
    text = ask("INFO", "everything")
    assert b"redis_version:7.4.2\r\ncarnelian_version:" in text and b"db0:keys=1,expires=0,avg_ttl=0,subexpiry=0\r\n" in text
    assert b"connected_clients:1\r\n" in text and b"maxmemory_policy:noeviction\r\n" in text
    assert ask("CONFIG", "GET", "port") == Error(b"ERR this engine has no configuration")
    assert ask("CONFIG", "RESETSTAT") == Status(b"OK")
    assert ask("DEBUG", "DIGEST-VALUE", "nothing") == [b"0" * 40]
    assert isinstance(ask("SHUTDOWN"), Error)
    assert ask("MEMORY", "USAGE", "k") > 0
    assert b"in use" in ask("MEMORY", "MALLOC-STATS")


def test_the_engine_follows():
    ask = configured("--maxmemory", "7mb", "--requirepass", "x", "--hash-max-listpack-entries", "3", "--notify-keyspace-events", "KEA")
    engine = ask.engine
    assert engine.maxmemory == 7 << 20 and engine.acl.default.accepts(b"x") and not engine.acl.default.nopass and engine.store.notify_flags
    assert ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu", "slowlog-max-len", "2", "slowlog-log-slower-than", "0",
               "latency-monitor-threshold", "5", "maxmemory-samples", "7", "notify-keyspace-events", "") == Status(b"OK")
    assert engine.eviction_policy == "allkeys-lfu" and engine.store.is_frequency and engine.eviction_samples == 7
    assert engine.latency_threshold == 5 and engine.store.notify_flags == 0
    for number in range(5):
        ask("SET", "k", str(number))
    assert [entry[3] for entry in ask("SLOWLOG", "GET")] == [[b"SET", b"k", b"4"], [b"SET", b"k", b"3"]]
    assert ask("CONFIG", "SET", "slowlog-max-len", "1") == Status(b"OK")
    assert ask("SLOWLOG", "LEN") == 1
    limits.configure("hash-max-listpack-entries", 512)      # it is the process's


def test_renamed_words():
    config = Config()
    for words in (["FLUSHALL", ""], ["CONFIG", "settings"]):
        config.apply(Directive("rename-command", words, "x.conf", 1, "rename-command " + " ".join(words)))
    ask = Embedded(config)
    assert isinstance(ask("FLUSHALL"), Error) and isinstance(ask("CONFIG", "GET", "port"), Error)
    assert ask("SETTINGS", "GET", "port") == [b"port", b"6379"]
    for old, new, reason in (("nothing", "x", "No such command in rename-command"), ("get", "set", "Target command name already exists")):
        config = Config()
        config.apply(Directive("rename-command", [old, new], "x.conf", 5, f"rename-command {old} {new}"))
        with pytest.raises(ConfigError, match=f"x.conf, at line 5\n>>> 'rename-command {old} {new}'\n{reason}"):
            Embedded(config)


@pytest.mark.parametrize("value, local, remote", [("no", False, False), ("local", True, False), ("yes", True, True)])
def test_who_may_debug(value, local, remote):
    ask = configured("--enable-debug-command", value)
    for address, allowed in (("127.0.0.1:5", local), ("[::1]:5", local), ("/tmp/x.sock:0", local), ("10.0.0.1:5", remote),
                             ("[2001:db8::1]:5", remote)):
        ask.session.address = address
        assert is_local(ask.session) == (not address.startswith(("10", "[2")))
        reply = ask("DEBUG", "SLEEP", "0")
        assert reply == (Status(b"OK") if allowed else reply)
        assert reply.startswith(b"ERR DEBUG command not allowed.") != allowed


def test_protected_parameters(tmp_path):
    ask = configured("--enable-protected-configs", "local")
    ask.session.address = "10.0.0.1:5"
    assert ask("CONFIG", "SET", "dir", str(tmp_path)).endswith(b"can't set protected config")
    ask.session.address = "127.0.0.1:5"
    assert ask("CONFIG", "SET", "dir", str(tmp_path)) == Status(b"OK")
    assert ask("CONFIG", "GET", "dir") == [b"dir", str(tmp_path).encode()]


def test_sizes_for_people():
    assert [human(size) for size in (0, 1023, 1024, 1536, 5 << 20, 3 << 30)] == ["0B", "1023B", "1.00K", "1.50K", "5.00M", "3.00G"]


def test_latency_graph():
    ask = configured("--latency-monitor-threshold", "5")
    for delay in (7, 30, 12):
        ask.engine.store.now += 60000
        ask.engine.record_latency("command", delay)
    graph = ask("LATENCY", "GRAPH", "command").decode()
    assert graph.startswith("command - high 30 ms, low 7 ms")
    assert [entry[0] for entry in ask("LATENCY", "LATEST")] == [b"command"]
    assert ask("LATENCY", "LATEST")[0][2:] == [12, 30]
    assert b"command: 3 delays" in ask("LATENCY", "DOCTOR")
    assert ask("LATENCY", "RESET") == 1


def test_digest_of_fields_that_expire():
    ask = configured("--enable-debug-command", "yes")
    for key in ("packed", "same", "without"):
        ask("HSET", key, "a", "1", "b", "2")
    for key in ("packed", "same"):
        ask("HPEXPIREAT", key, "70000000000000", "FIELDS", "1", "a")
    ask("HSET", "same", "long", "x" * 100)
    ask("HDEL", "same", "long")
    digests = ask("DEBUG", "DIGEST-VALUE", "packed", "same", "without")
    assert ask("OBJECT", "ENCODING", "same") == b"hashtable" and digests[0] == digests[1] != digests[2]
    assert ask("DEBUG", "HTSTATS-KEY", "same")
