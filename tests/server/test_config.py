"""The configuration: values, files, command lines, CONFIG GET, SET and REWRITE."""
import os
import stat

import pytest

from carnelian.base.errors import ReplyError
from carnelian.server.config import Config, ConfigError
from carnelian.server.config_file import split
from carnelian.server.config_names import PARAMETERS
from tests.oracle.resp import Client, Error


@pytest.fixture
def config():
    return Config()


def load(tmp_path, text, *arguments):
    path = tmp_path / "redis.conf"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    config = Config()
    config.load(path, arguments)
    return config


def get(config, *patterns):
    return config.get([pattern.encode() for pattern in patterns])


def put(config, *words):
    config.set([word.encode() if isinstance(word, str) else word for word in words])


# ---- values

@pytest.mark.parametrize("name, words, text", [
    ("maxmemory", "1k", "1000"), ("maxmemory", "1KB", "1024"), ("maxmemory", "1m", "1000000"), ("maxmemory", "1mb", "1048576"),
    ("maxmemory", "1g", "1000000000"), ("maxmemory", "2gb", "2147483648"), ("maxmemory", "7b", "7"), ("maxmemory", "", "0"),
    ("maxmemory", "18446744073709551616", "18446744073709551615"), ("timeout", "60", "60"), ("activerehashing", "NO", "no"),
    ("maxmemory-policy", "AllKeys-LRU", "allkeys-lru"), ("hz", "0", "1"), ("hz", "1000", "500"), ("notify-keyspace-events", "KEA", "AKE"),
    ("notify-keyspace-events", "g$lshzxetdmn", "Am"), ("notify-keyspace-events", "EKmdtn$", "$tdnKEm"), ("notify-keyspace-events", "", ""),
    ("client-output-buffer-limit", "replica 1kb 2 3", "normal 0 0 0 slave 1024 2 3 pubsub 33554432 8388608 60"),
    ("client-output-buffer-limit", "pubsub 1 2 3 NORMAL 4 5 6", "normal 4 5 6 slave 268435456 67108864 60 pubsub 1 2 3"),
    ("oom-score-adj-values", "-1 0 2000", "-1 0 2000"), ("latency-tracking-info-percentiles", "50 99.95", "50 99.95"),
    ("latency-tracking-info-percentiles", "", ""), ("shutdown-on-sigterm", "now NOSAVE", "nosave now"), ("shutdown-on-sigint", "force default", "force"),
    ("bind", "127.0.0.1 ::1", "127.0.0.1 ::1"), ("requirepass", "a b", "a b"), ("list-max-ziplist-size", "-5", "-5"),
    ("lua-time-limit", "7", "7"), ("save", "", "")])
def test_values(config, name, words, text):
    put(config, name, words)
    assert get(config, name) == {name.encode(): text.encode()}


BAD = [
    ("timeout", "x"), ("timeout", "-1"), ("timeout", "007"), ("timeout", "5.0"), ("timeout", "1kb"), ("timeout", "2147483648"), ("timeout", ""),
    ("maxmemory", "1t"), ("maxmemory", "-1"), ("maxmemory", "1.5mb"), ("maxmemory", "50%"), ("proto-max-bulk-len", "1"),
    ("activerehashing", "maybe"), ("maxmemory-policy", "lru"), ("appendfsync", ""), ("save", "900"), ("save", "900 x"), ("save", "0 1"),
    ("save", " 900 1"), ("client-output-buffer-limit", "normal 1 2"), ("client-output-buffer-limit", "master 1 2 3"),
    ("client-output-buffer-limit", "normal 1 x 3"), ("client-output-buffer-limit", "normal 1 2 -1"), ("notify-keyspace-events", "KEq"),
    ("oom-score-adj-values", "1 2"), ("oom-score-adj-values", "2001 0 0"), ("latency-tracking-info-percentiles", "x"),
    ("latency-tracking-info-percentiles", "101"), ("maxclients", "0"), ("port", "65536"), ("dbfilename", "a/b"), ("databases", "3"),
    ("dir", "/"), ("slowlog-log-slower-than", "-2"), ("slave-priority", "x"), ("TIMEOUT", "x"), ("maxmemory-clients", "101%"),
    ("maxmemory-clients", "%"), ("shutdown-on-sigterm", "save nosave"), ("shutdown-on-sigterm", ""), ("proc-title-template", "{foo}"),
    ("bind", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17"), ("cluster-announce-hostname", "a b"), ("nothing", "1"), ("lfu-decay-time", "-1")]


@pytest.mark.parametrize("name, value", BAD)
def test_refused_as_by_the_oracle(oracle_server, name, value):
    config, client = Config(), Client(oracle_server.address)

    expected = client("CONFIG", "SET", name, value)
    assert isinstance(expected, Error)
    before = dict(config.values)
    with pytest.raises(ReplyError) as error:
        put(config, name, value)
    assert str(error.value) == expected.decode()
    assert config.values == before
    client.close()


@pytest.mark.parametrize("words", [
    ["timeout"], ["timeout", "5", "maxmemory"], ["foo", "1"], ["Foo", "1", "port", "x"], ["timeout", "x", "foo", "1"], ["databases", "1", "foo", "1"],
    ["maxmemory", "1", "MAXMEMORY", "2"], ["timeout", "5", "maxmemory", "y"], ["timeout", "x", "maxmemory", "y"], ["timeout", "x", "databases", "1"],
    ["Databases", "1"], ["Timeout", "5", "TIMEOUT", "x"], ["Dir", "/"]])
def test_precedence_of_errors(oracle_server, words):
    config, client = Config(), Client(oracle_server.address)
    expected = client("CONFIG", "SET", *words)
    with pytest.raises(ReplyError) as error:
        put(config, *words)
    if len(words) > 1:                                  # (one word is wrong arity, before all this)
        assert str(error.value) == expected.decode()
    assert config.values == Config().values
    client.close()


OURS = {"bind", "save", "dir", "port", "enable-debug-command", "logfile", "acl-pubsub-default", "hash-max-listpack-entries"}


def test_names_and_defaults_are_those_of_the_oracle(oracle_server):
    """All names of 7.0 are there, with its defaults. What 7.2 has beyond it is listed."""
    client = Client(oracle_server.address)
    flat = client("CONFIG", "GET", "*")
    theirs = {name.decode(): text.decode() for name, text in zip(flat[::2], flat[1::2])}
    ours = {name.decode(): text.decode() for name, text in get(Config(), "*").items()}
    assert set(ours) - set(theirs) == {
        "set-max-listpack-entries", "set-max-listpack-value", "cluster-announce-human-nodename", "locale-collate", "server-cpulist",
        "bio-cpulist", "aof-rewrite-cpulist", "bgsave-cpulist",
        # of Valkey
        "commandlog-execution-slower-than", "commandlog-slow-execution-max-len", "commandlog-request-larger-than",
        "commandlog-large-request-max-len", "commandlog-reply-larger-than", "commandlog-large-reply-max-len",
        "data-plane", "event-loop", "functions", "snapshot-effort"}
    assert set(theirs) <= set(ours)
    different = {name for name, text in theirs.items() if ours[name] != text}
    assert different <= OURS, different
    client.close()


# ---- CONFIG GET, SET

def test_get(config):
    assert get(config, "PORT") == {b"PORT": b"6379"}
    assert get(config, "Po*", "port", "p?rt") == {b"port": b"6379"}
    assert get(config, "nothing", "no*thing") == {}
    assert get(config, "hash-max-zip*") == {b"hash-max-ziplist-entries": b"512", b"hash-max-ziplist-value": b"64"}
    assert len(get(config, "*")) == len(PARAMETERS) + sum(parameter.alias is not None for parameter in PARAMETERS)


def test_set_is_all_or_none(config):
    seen = []
    config.on_change("timeout", lambda value: seen.append(("timeout", value)))
    config.on_change("maxmemory", lambda value: seen.append(("maxmemory", value)))

    def refuse(value):
        if value != 6379:
            raise ValueError("Unable to listen on this port. Check server logs.")

    config.on_change("port", refuse)
    del seen[:]
    put(config, "timeout", "7", "maxmemory", "1mb")
    assert seen == [("timeout", 7), ("maxmemory", 1 << 20)]
    put(config, "timeout", "7")
    assert len(seen) == 2, "nothing has changed"
    with pytest.raises(ReplyError, match=r"^ERR CONFIG SET failed \(possibly related to argument 'port'\) - Unable to listen on this port."):
        put(config, "timeout", "8", "PORT", "1", "maxmemory", "2mb")
    assert config["timeout"] == 7 and config["maxmemory"] == 1 << 20 and config["port"] == 6379
    assert seen[2:] == [("timeout", 8), ("timeout", 7)]


def test_bytes_travel(config):
    put(config, "requirepass", b"\xff\x00 \"")
    assert get(config, "requirepass") == {b"requirepass": b"\xff\x00 \""}


@pytest.mark.parametrize("name, value", [("tls-port", "6380"), ("min-replicas-to-write", "1"), ("oom-score-adj", "yes")])
def test_what_is_missing_is_refused(tmp_path, config, name, value):
    with pytest.raises(ReplyError, match=f"'{name}'\\) - this version of carnelian has no "):
        put(config, name, value)
    with pytest.raises(ConfigError, match="this version of carnelian has no "):
        load(tmp_path, f"{name} {value}\n")


@pytest.mark.parametrize("line", ["replicaof 127.0.0.1 6379", "loadmodule x.so",
                                  "supervised systemd", "syslog-enabled yes", "server_cpulist 0-1"])
def test_what_is_missing_is_refused_at_the_start(tmp_path, line):
    with pytest.raises(ConfigError, match="this version of carnelian has no "):
        load(tmp_path, line)


def test_what_is_missing_may_be_off(tmp_path):
    config = load(tmp_path, 'appendonly no\nsave ""\ntls-port 0\nreplicaof no one\naclfile ""\nsupervised auto\n')
    assert config.values == {**Config().values, "save": [], "supervised": "auto"}


def test_protected(config):
    with pytest.raises(ReplyError, match="'dir'\\) - can't set protected config"):
        put(config, "dir", "/")
    config.set([b"dir", b"/"], allow_protected=True)
    assert config["dir"] == "/"
    for path, reason in ((b"/nothing/here", "No such file or directory"), (__file__.encode(), "Not a directory")):
        with pytest.raises(ReplyError, match=reason):
            config.set([b"dir", path], allow_protected=True)


# ---- files

def test_a_file(tmp_path):
    config = load(tmp_path, r"""
# a comment
PORT 7777
  maxmemory   100mb
hash-max-ziplist-entries 5
requirepass "a \"b\" \x41\n"
bind 127.0.0.1 -::1
client-output-buffer-limit normal 1mb 2 3
client-output-buffer-limit pubsub 1 2 3
rename-command FLUSHALL ""
rename-command config SETTINGS
""")
    assert config["port"] == 7777 and config["maxmemory"] == 100 << 20 and config["hash-max-listpack-entries"] == 5
    assert config["requirepass"] == 'a "b" A\n' and config["bind"] == ["127.0.0.1", "-::1"]
    assert config["client-output-buffer-limit"]["normal"] == (1 << 20, 2, 3)
    assert config["client-output-buffer-limit"]["pubsub"] == (1, 2, 3)
    assert [renamed[:2] for renamed in config.renamed] == [("flushall", ""), ("config", "settings")]


@pytest.mark.parametrize("text, number, line, reason", [
    ("foo bar\n", 1, "foo bar", "Bad directive or wrong number of arguments"),
    ("# c\n\nport x\n", 3, "port x", "argument couldn't be parsed into an integer"),
    ("port 1 2\n", 1, "port 1 2", "wrong number of arguments"),
    ("port\n", 1, "port", "wrong number of arguments"),
    ('maxmemory "1mb\n', 1, 'maxmemory "1mb', "Unbalanced quotes in configuration line"),
    ("  timeout   5  # x\n", 1, "timeout   5  # x", "wrong number of arguments"),
    ("databases 0", 1, "databases 0", "argument must be between 1 and 2147483647 inclusive"),
    ("appendonly maybe", 1, "appendonly maybe", "argument must be 'yes' or 'no'"),
    ("unixsocketperm 999", 1, "unixsocketperm 999", "argument couldn't be parsed as an octal number"),
    ("rename-command A", 1, "rename-command A", "Bad directive or wrong number of arguments"),
    ("replicaof a b", 1, "replicaof a b", "Invalid master port")])
def test_errors_say_where(tmp_path, text, number, line, reason):
    with pytest.raises(ConfigError) as error:
        load(tmp_path, text)
    assert str(error.value) == f"Reading the configuration file {tmp_path}/redis.conf, at line {number}\n>>> '{line}'\n{reason}"


def test_include(tmp_path):
    (tmp_path / "a.conf").write_text("timeout 1\nmaxmemory 1\n")
    (tmp_path / "b.conf").write_text("timeout 2\n")
    config = load(tmp_path, f"timeout 9\ninclude {tmp_path}/[ab].conf\nmaxmemory 3\ninclude {tmp_path}/x*.conf\n")
    assert config["timeout"] == 2 and config["maxmemory"] == 3
    with pytest.raises(ConfigError, match=r"Can't open the file"):
        load(tmp_path, f"include {tmp_path}/nothing.conf\n")
    with pytest.raises(ConfigError, match="include each other"):
        load(tmp_path, f"include {tmp_path}/redis.conf\n")
    with pytest.raises(ConfigError, match=r"a\.conf, at line 1"):
        (tmp_path / "a.conf").write_text("timeout x\n")
        load(tmp_path, f"include {tmp_path}/a.conf\n")


def test_no_file(config):
    with pytest.raises(ConfigError, match="Can't open the file: No such file or directory"):
        config.load("/nothing/here.conf")


def test_command_line(config):
    config.load(arguments=["--port", "7777", "--save", "", "--bind", "127.0.0.1", "::1", "--client-output-buffer-limit", "normal 1 2 3",
                           "--REQUIREPASS", "x y"])
    assert config["port"] == 7777 and config["save"] == [] and config["bind"] == ["127.0.0.1", "::1"]
    assert config["client-output-buffer-limit"]["normal"] == (1, 2, 3) and config["requirepass"] == "x y"


@pytest.mark.parametrize("arguments, line, reason", [
    (["--foo", "bar"], 'foo "bar"', "Bad directive or wrong number of arguments"),
    (["--port"], "port", "wrong number of arguments"),
    (["--port", "1", "2"], 'port "1" "2"', "wrong number of arguments"),
    (["--timeout", "x"], 'timeout "x"', "argument couldn't be parsed into an integer"),
    (["x"], "x", "Bad directive or wrong number of arguments")])
def test_errors_of_the_command_line(config, arguments, line, reason):
    with pytest.raises(ConfigError) as error:
        config.load(arguments=arguments)
    assert str(error.value) == f"Reading the command line\n>>> '{line}'\n{reason}"


def test_save_points_add_up(tmp_path):
    assert load(tmp_path, "save 900 1 300 10\nsave 60 5\n", "--save", "1 2")["save"] == [(900, 1), (300, 10), (60, 5), (1, 2)]
    assert load(tmp_path, 'save 900 1\nsave ""\nsave 300 10\n').text("save") == "300 10"


# ---- CONFIG REWRITE

FILE = """# my file
port 7777

include inc.conf

# limits
maxmemory 100mb
hash-max-ziplist-entries 100
  loglevel   notice
slave-priority 7
maxmemory 200mb


Requirepass "a b"
client-output-buffer-limit normal 1mb 2 3
rename-command CONFIG ""
# the end
"""


def test_rewrite(tmp_path, monkeypatch):
    (tmp_path / "inc.conf").write_text("timeout 7\n")
    monkeypatch.chdir(tmp_path)
    config = load(tmp_path, FILE, "--tcp-backlog", "100")
    put(config, "notify-keyspace-events", "KEA", "client-output-buffer-limit", "slave 1 2 3", "requirepass", 'x"y\n', "maxclients", "5")
    config.rewrite()
    text = (tmp_path / "redis.conf").read_text()
    assert text == r"""# my file
port 7777

include inc.conf

# limits
maxmemory 200mb
hash-max-listpack-entries 100
loglevel notice
replica-priority 7

requirepass "x\"y\n"
client-output-buffer-limit normal 1mb 2 3
rename-command CONFIG ""
# the end
# Generated by CONFIG REWRITE
tcp-backlog 100
timeout 7
maxclients 5
client-output-buffer-limit replica 1 2 3
notify-keyspace-events "AKE"
"""
    assert stat.S_IMODE(os.stat(tmp_path / "redis.conf").st_mode) == 0o600
    assert sorted(os.listdir(tmp_path)) == ["inc.conf", "redis.conf"]
    again = Config()
    again.load(tmp_path / "redis.conf")
    assert again.values == config.values
    again.rewrite()
    assert (tmp_path / "redis.conf").read_text() == text


def test_rewrite_of_what_is_the_default_again(tmp_path):
    config = load(tmp_path, "timeout 7\nrequirepass x\nclient-output-buffer-limit normal 1 2 3\n")
    put(config, "timeout", "0", "requirepass", "", "client-output-buffer-limit", "normal 0 0 0")
    config.rewrite()
    assert (tmp_path / "redis.conf").read_text() == "timeout 0\n\n"


def test_rewrite_without_a_file(config):
    with pytest.raises(ReplyError, match="^ERR The server is running without a config file$"):
        config.rewrite()


def test_rewrite_that_fails_leaves_the_file(tmp_path, monkeypatch):
    config = load(tmp_path, "timeout 7\n")
    put(config, "timeout", "8")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(ReplyError, match="^ERR Rewriting config file: No space left on device$"):
        config.rewrite()
    assert os.listdir(tmp_path) == ["redis.conf"]
    assert (tmp_path / "redis.conf").read_text() == "timeout 7\n"


def test_words_of_a_line():
    assert split(r'''a "b c" 'd\'e' "\x41"''') == ["a", "b c", "d'e", "A"]
    with pytest.raises(ValueError):
        split('a "b')
