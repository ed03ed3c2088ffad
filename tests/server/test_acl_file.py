"""Users in a file of their own, and in the configuration."""
import os
import stat

import pytest
from hypothesis import given, strategies as st

from carnelian.engine import acl_file
from carnelian.engine.acl_rules import User
from carnelian.server.config import Config, ConfigError
from carnelian.server.server import Server
from tests.oracle.resp import CLOSED, Client, Error
from tests.oracle.servers import carnelian, oracle
from tests.server.test_words import Embedded, configured

ENDING = "WARNING: ACL errors detected, no change to the previously active ACL rules was performed"
PASSWORD = b"#30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4"
DEFAULT = b"user default on nopass sanitize-payload ~* &* +@all"


def loaded(tmp_path, text, *options):
    """An engine whose users come from a file with that text."""
    path = tmp_path / "users.acl"
    path.write_bytes(text)
    return configured("--aclfile", str(path), *options), path


# ---- the lines

FAULTY = [
    (b"user a on +nosuch ~x\nuser b on\n", "{f}:1: Error in applying operation '+nosuch': Unknown command or category name in ACL. "),
    (b"\n\nusr x\n", "{f}:3 should start with user keyword followed by the username. "),
    (b"user\n", "{f}:1 should start with user keyword followed by the username. "),
    (b"user \"a b\" on\n", "{f}:1: Syntax error. "),
    (b"user a on\nuser b on\nuser a off\n", "WARNING: Duplicate user 'a' found on line 3. "),
    (b"user f on +nosuch +nosuch2 ~* ~x\n",
     "{f}:1: Error in applying operation '+nosuch': Unknown command or category name in ACL. "
     "{f}:1: Error in applying operation '+nosuch2': Unknown command or category name in ACL. "
     "{f}:1: Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try "
     "'resetkeys' to start with an empty list of patterns. "),
    (b"user f on foo +nosuch bar\n", "{f}:1: Syntax error. {f}:1: Error in applying operation '+nosuch': Unknown command or category name in ACL. "),
    (b"# c\nuser u on\n", "{f}:1 should start with user keyword followed by the username. "),
    (b"user u on\nuser v <p\nuser w #12", "{f}:2: The password you are trying to remove from the user does not exist. "
     "{f}:3: The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters. "),
    (b"user a on (+get (~x))", "{f}:1: Syntax error. "),
]


@pytest.mark.parametrize("text, faults", FAULTY)
def test_faults(tmp_path, text, faults):
    path = tmp_path / "users.acl"
    path.write_bytes(text)
    with pytest.raises(ValueError) as error:
        acl_file.read(str(path))
    assert str(error.value) == faults.replace("{f}", str(path)) + ENDING


def test_faults_are_the_oracles(tmp_path, oracle_server):
    path = tmp_path / "users.acl"
    path.write_bytes(b"")
    with oracle("--aclfile", str(path)) as redis:
        client = Client(redis.address)
        for text, faults in FAULTY:
            path.write_bytes(text)
            assert client("ACL", "LOAD") == Error(("ERR " + faults.replace("{f}", str(path)) + ENDING).encode())
        client.close()


def test_an_open_parenthesis(tmp_path):
    path = tmp_path / "users.acl"
    path.write_bytes(b"user a on (+get ~x\nuser b on")                 # 7.0.15 crashes
    with pytest.raises(ValueError, match="users.acl:1: Unmatched parenthesis in selector definition. WARNING"):
        acl_file.read(str(path))
    with pytest.raises(ValueError, match="Error loading ACLs, opening file '.*none': No such file or directory"):
        acl_file.read(str(tmp_path / "none"))


pattern = st.binary(max_size=5).filter(lambda text: not set(text) & set(b" \t\n\v\f\r\0")).filter(lambda text: text != b"*")
some_rules = st.one_of(
    st.sampled_from([b"+get", b"-set", b"+@read", b"+config|get", b"+select|0", b"+@all", b"-@all", b"%RW~*", b"%R~*", b"resetkeys",
                     b"&*", b"resetchannels"]),
    st.builds(lambda sign, text: sign + text, st.sampled_from([b"~", b"%R~", b"%W~", b"&"]), pattern))


@given(st.lists(st.tuples(st.lists(some_rules, max_size=5), st.lists(st.lists(some_rules, max_size=4), max_size=2),
                          st.sampled_from([b"on", b"off", b"nopass", b">pw", b"skip-sanitize-payload"])), max_size=3))
def test_round_trip(tmp_path_factory, described):
    users = {}
    for number, (rules, selectors, flag) in enumerate(described):
        user = users[b"\xff%d" % number] = User(b"\xff%d" % number)
        for rule in [flag, *rules]:
            apply(user, rule)
        for inner in selectors:
            user.apply(b"()")
            for rule in inner:
                apply(user.selectors[-1], rule)
    path = str(tmp_path_factory.getbasetemp() / "round.acl")
    acl_file.write(path, users.values())
    again = acl_file.read(path)
    assert list(again) == list(users)
    for name, user in users.items():
        assert again[name].rule_line(True) == user.rule_line(True)
        assert [vars(selector)["keys"] for selector in again[name].selectors] == [selector.keys for selector in user.selectors]


def apply(target, rule):
    try:
        target.apply(rule)
    except Exception as error:
        assert "is not valid and does not have any effect" in str(error)


# ---- LOAD and SAVE

def test_load_and_save(tmp_path):
    ask, path = loaded(tmp_path, b"  user u on nopass  +@all \r\n\n\tuser v \t off >pw ~x (+get  ~y)\n")
    lines = [DEFAULT, b"user u on nopass sanitize-payload resetchannels +@all",
             b"user v off sanitize-payload " + PASSWORD + b" ~x resetchannels -@all (~y resetchannels -@all +get)"]
    assert ask("ACL", "LIST") == lines
    assert ask("ACL", "SAVE") == b"OK"
    assert path.read_bytes() == b"".join(line + b"\n" for line in lines)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ask("ACL", "DELUSER", "u", "v") == 2
    assert ask("ACL", "SETUSER", "w", "on") == b"OK"
    assert ask("ACL", "LOAD") == b"OK"
    assert ask("ACL", "LIST") == lines
    for text, faults in FAULTY:
        path.write_bytes(text)
        assert ask("ACL", "LOAD") == Error(("ERR " + faults.replace("{f}", str(path)) + ENDING).encode())
        assert ask("ACL", "LIST") == lines
    path.write_bytes(b"user default on >pw +@all\n")
    assert ask("ACL", "LOAD") == b"OK"
    assert ask("ACL", "LIST") == [b"user default on sanitize-payload " + PASSWORD + b" resetchannels +@all"]
    path.write_bytes(b"")
    assert ask("ACL", "LOAD") == b"OK"
    assert ask("ACL", "LIST") == [DEFAULT]


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    ask, path = loaded(tmp_path, b"user u on\n")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    assert ask("ACL", "SAVE") == Error(b"ERR There was an error trying to save the ACLs. Please check the server logs for more information")
    assert path.read_bytes() == b"user u on\n"
    assert os.listdir(tmp_path) == ["users.acl"]


def test_without_a_file():
    ask = configured()
    for word in ("LOAD", "SAVE"):
        assert ask("ACL", word).startswith(b"ERR This Redis instance is not configured to use an ACL file. ")


def test_requirepass_gives_way_to_the_file(tmp_path):
    ask, _ = loaded(tmp_path, b"user u on", "--requirepass", "secret")
    assert ask("ACL", "LIST")[0] == DEFAULT
    assert ask("CONFIG", "GET", "requirepass") == [b"requirepass", b"secret"]


def test_the_file_at_the_start(tmp_path):
    path = tmp_path / "users.acl"
    path.write_bytes(b"user u on foo\n")
    for options in (["--aclfile", str(path)], ["--aclfile", str(tmp_path / "none")],
                    ["--aclfile", str(tmp_path / "empty.acl"), "--user", "u", "on"]):
        config = Config()
        config.load(arguments=options)
        with pytest.raises(ConfigError):
            Server(config)


def test_a_load_ends_connections(tmp_path):
    path = tmp_path / "users.acl"
    path.write_bytes(b"user gone on nopass +@all &*\nuser stays on nopass +@all &*\nuser deaf on nopass +@all &*\n")
    with carnelian("--aclfile", str(path)) as server:
        admin, gone, stays, deaf = (Client(server.address) for _ in range(4))
        for client, name in ((gone, "gone"), (stays, "stays"), (deaf, "deaf")):
            assert client("AUTH", name, "") == b"OK"
            assert client("SUBSCRIBE", "c")[2] == 1
        path.write_bytes(b"user stays on nopass +@all &c\nuser deaf on nopass +@all &d\n")
        assert admin("ACL", "LOAD") == b"OK"
        assert gone.read() is CLOSED and deaf.read() is CLOSED
        assert stays("PING")
        assert admin("PUBLISH", "c", "m") == 1
        for client in (admin, gone, stays, deaf):
            client.close()


# ---- the configuration

def test_user_lines(tmp_path):
    path = tmp_path / "redis.conf"
    path.write_text("user u on >pw ~x:* ( +@all -get ~y )\nuser default on nopass ~* +@all\nrequirepass ignored\n")
    config = Config()
    config.load(path)
    ask = Embedded(config)
    lines = [b"user default on nopass sanitize-payload ~* resetchannels +@all",
             b"user u on sanitize-payload " + PASSWORD + b" ~x:* resetchannels -@all (~y resetchannels +@all -get)"]
    assert ask("ACL", "LIST") == lines
    assert ask("ACL", "SETUSER", "", "~'a\"b", "(\"~c'\" ~d) %RW~* ~e)") == b"OK"
    assert ask("ACL", "DELUSER", "u") == 1
    assert ask("CONFIG", "REWRITE") == b"OK"
    written = path.read_text()
    assert written.count("user ") == 2 and "user u" not in written
    config = Config()
    config.load(path)
    again = Embedded(config)
    assert again("ACL", "LIST") == ask("ACL", "LIST")
    assert [vars(s)["keys"] for s in again.engine.acl.users[b""].selectors] == [{b"'a\"b": 3}, {b"c'": 3, b"d)": 3, b"*": 3, b"e": 3}]


@pytest.mark.parametrize("lines, reason", [
    ("user a on foo", "Error in user declaration 'a': .*Syntax error"), ("user a on +get\nuser a off +set", "Duplicate user found"),
    ("user a on (+get", "Unmatched parenthesis"), ("user", "Bad directive"), ('user "a b" on', "Usernames can't contain spaces"),
    ("user a +nosuch", "Unknown command or category name")])
def test_bad_user_lines(tmp_path, lines, reason):
    path = tmp_path / "redis.conf"
    path.write_text(lines)
    with pytest.raises(ConfigError, match=reason):
        config = Config()
        config.load(path)
        Embedded(config)
