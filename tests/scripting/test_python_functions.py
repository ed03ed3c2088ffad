"""Functions in Python: what they get and give, what they may do, what is handed on of what they did."""
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from carnelian.base.errors import ReplyError
from carnelian.base.replies import OK
from carnelian.scripting import function
from carnelian.scripting.function_words import functions_of
from carnelian.scripting.python_functions import FunctionFault, load_file, register
from tests.oracle import servers
from tests.oracle.resp import Client, Error
from tests.scripting.engines import NOW, Alone

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "python" / "token_bucket.py"


@pytest.fixture
def alone():
    return Alone()


@pytest.fixture
def add(alone):
    """A function: makes a Python function callable."""
    return lambda body, **options: register(functions_of(alone.engine), body, **options)


def test_keys_and_arguments(alone, add):
    def give(c, keys, arguments):
        """Give back what it gets."""
        return [keys, arguments, c.now, c.database, c.user, c.name, list(c.words)]

    add(give)
    assert alone("FCALL", "give", 1, "k", "a", b"\xff") == [
        [b"k"], [b"a", b"\xff"], NOW, 0, b"default", b"give", [b"FCALL", b"give", b"1", b"k", b"a", b"\xff"]]
    alone("SELECT", 3)
    assert alone("FCALL", "give", 0)[:4] == [[], [], NOW, 3]


@pytest.mark.parametrize("value, reply", [
    (None, None), (1, 1), (True, 1), (1.5, b"1.5"), (b"x", b"x"), ("ä", "ä".encode()), ([1, [b"a", None]], [1, [b"a", None]]),
    ((1, 2), [1, 2]), ({b"a": 1}, [b"a", 1]), ({b"a"}, [b"a"]), (OK, b"OK"), ([], []), ([ReplyError("ERR x")], [b"ERR x"])])
def test_replies(alone, add, value, reply):
    add(lambda c, keys, arguments: value, name="give")
    assert alone("FCALL", "give", 0) == reply


def test_replies_of_commands(alone, add):
    """They are Python's own types, whatever protocol the caller speaks."""
    seen = []

    def look(c, keys, arguments):
        seen.extend([
            c.run("SET", "s", 5), c.run("GET", "s"), c.run("GET", "missing"), c.run("INCRBYFLOAT", b"s", 1.5),
            c.run("HSET", "h", "f", b"v", "g", "1"), c.run("HGETALL", "h"), c.run("ZADD", "z", 1, "a", 2.5, "b"),
            c.run("ZRANGE", "z", 0, -1, "WITHSCORES"), c.run("ZSCORE", "z", "b"), c.run("SADD", "set", "x"), c.run("SMEMBERS", "set"),
            c.run("LMPOP", 1, "missing", "LEFT"), c.run("EXISTS", "s"), c.run("TYPE", "s"), c.run("LPOP", "missing", 2)])

    add(look)
    assert alone("FCALL", "look", 0) is None
    assert seen[:11] == [b"OK", b"5", None, b"6.5", 2, {b"f": b"v", b"g": b"1"}, 2, [(b"a", 1.0), (b"b", 2.5)], 2.5, 1, [b"x"]]
    assert seen[11:15] == [None, 1, b"string", None]


def test_effects(alone, add):
    """The commands are handed on together, made deterministic, and not the call."""
    def work(c, keys, arguments):
        c.run("INCR", keys[0])
        c.run("EXPIRE", keys[0], 10)
        c.run("GET", keys[0])
        c.run("DEL", "missing")
        c.run("SPOP", "set")

    add(work)
    alone("SADD", "set", "only")
    alone("FCALL", "work", 1, "n")
    assert alone.effects == [
        (0, b"MULTI"), (0, b"INCR", b"n"), (0, b"PEXPIREAT", b"n", b"%d" % (NOW + 10000)), alone.effects[3], (0, b"EXEC")]
    assert alone.effects[3][1:] in ((b"SREM", b"set", b"only"), (b"DEL", b"set"), (b"UNLINK", b"set"))


def test_effects_of_one_command(alone, add):
    add(lambda c, keys, arguments: c.run("SET", keys[0], "v"), name="put")
    alone("SELECT", 2)
    assert alone("FCALL", "put", 1, "k") == b"OK"
    assert alone.effects == [(2, b"SET", b"k", b"v")]
    add(lambda c, keys, arguments: c.run("GET", keys[0]), name="look")
    alone("FCALL", "look", 1, "k")
    assert alone.effects == []


def test_in_a_transaction(alone, add):
    add(lambda c, keys, arguments: [c.run("INCR", keys[0]), c.run("INCR", keys[0])], name="twice")
    assert alone.many([["MULTI"], ["FCALL", "twice", 1, "n"], ["SET", "k", "v"], ["EXEC"]])[-1] == [[1, 2], b"OK"]
    assert alone.effects == [(0, b"MULTI"), (0, b"INCR", b"n"), (0, b"INCR", b"n"), (0, b"SET", b"k", b"v"), (0, b"EXEC")]


def test_no_writes(alone, add):
    """A function that declares it can't write, nor can one that was called by FCALL_RO."""
    def write(c, keys, arguments):
        c.run(*arguments)

    add(write, name="reader", flags=["no-writes"])
    add(write, name="writer")
    alone("SET", "k", "v")
    for words in (["SET", "k", "w"], ["DEL", "k"], ["INCR", "n"], ["EXPIRE", "k", "1"], ["FLUSHALL"], ["PUBLISH", "c", "m"], ["PFCOUNT", "k"]):
        for word in ("FCALL", "FCALL_RO"):
            reply = alone(word, "reader", 0, *words)
            assert reply == b"ERR Write commands are not allowed from read-only scripts." and alone.effects == []
    assert alone("FCALL_RO", "writer", 0, "GET", "k") == b"ERR Can not execute a script with write flag using *_ro command."
    assert alone("GET", "k") == b"v" and alone("DBSIZE") == 1
    assert alone("FCALL_RO", "reader", 0, "GET", "k") is None


@pytest.mark.parametrize("words, text", [
    ([], b"ERR Please specify at least one argument for this redis lib call"),
    (["NOSUCH"], b"ERR Unknown Redis command called from script"),
    (["GET"], b"ERR Wrong number of args calling Redis command from script"),
    (["FCALL", "f", "0"], b"ERR This Redis command is not allowed from script"),
    (["MULTI"], b"ERR This Redis command is not allowed from script"),
    (["SUBSCRIBE", "c"], b"ERR This Redis command is not allowed from script"),
    (["INCR", "k"], b"ERR value is not an integer or out of range"),
    (["LPUSH", "k", "x"], b"WRONGTYPE Operation against a key holding the wrong kind of value"),
])
def test_errors_of_commands(alone, add, words, text):
    add(lambda c, keys, arguments: c.run(*arguments), name="f")
    alone("SET", "k", "v")
    reply = alone("FCALL", "f", 0, *words)
    assert isinstance(reply, Error) and reply == text


def test_errors_caught(alone, add):
    def careful(c, keys, arguments):
        try:
            c.run("INCR", keys[0])
        except ReplyError as error:
            return str(error)

    add(careful)
    alone("SET", "k", "v")
    assert alone("FCALL", "careful", 1, "k") == b"ERR value is not an integer or out of range"


def test_exceptions(alone, add, caplog):
    """The caller hears of it, the log has the traceback, what was written stays."""
    def broken(c, keys, arguments):
        c.run("SET", "k", "v")
        raise KeyError("no\nline")

    def refuses(c, keys, arguments):
        raise ReplyError("LIMIT slow down")

    def wrong(c, keys, arguments):
        c.run("SET", "k", object())

    add(broken)
    add(refuses)
    add(wrong)
    with caplog.at_level(logging.ERROR):
        assert alone("FCALL", "broken", 0) == rb"ERR KeyError in function broken: 'no\nline'"
    assert "Traceback" in caplog.text and "broken" in caplog.text
    assert alone.effects == [(0, b"SET", b"k", b"v")]
    assert alone("FCALL", "refuses", 0) == b"LIMIT slow down"
    assert alone("FCALL", "wrong", 0).startswith(b"ERR TypeError in function wrong: an argument of a command is bytes, str, int or float")
    assert alone("GET", "k") == b"v"


def test_a_reply_that_is_none(alone, add):
    add(lambda c, keys, arguments: object(), name="odd")
    assert alone("FCALL", "odd", 0).startswith(b"ERR")
    assert alone("PING") == b"PONG"


def test_after_the_call(alone, add):
    kept = []
    add(lambda c, keys, arguments: kept.append(c), name="keep")
    alone("FCALL", "keep", 0)
    with pytest.raises(RuntimeError, match="over"):
        kept[0].run("GET", "k")


def test_watched_and_waited_for(alone, add):
    """What a function changes wakes clients and touches watches, as any command does."""
    from carnelian.keyspace import Session

    add(lambda c, keys, arguments: c.run("LPUSH", keys[0], "x"), name="push")
    other = Session(alone.engine.store.databases[0])
    alone.engine.attach(other)
    other.reader.feed(b"BLPOP l 0\r\n")
    alone.engine.drain(other)
    assert alone("FCALL", "push", 1, "l") == 1
    assert bytes(other.writer.take()) == b"*2\r\n$1\r\nl\r\n$1\r\nx\r\n"


def test_short_of_memory(alone, add):
    add(lambda c, keys, arguments: c.run("GET", "k"), name="plain")
    add(lambda c, keys, arguments: c.run("GET", "k"), name="reads", flags=["no-writes"])
    add(lambda c, keys, arguments: c.run("SET", "k", "w"), name="stubborn", flags=["allow-oom"])
    alone("SET", "k", "v")
    alone("SET", "large", b"x" * 10_000_000)
    alone.engine.maxmemory = 1
    assert alone("FCALL", "plain", 0).startswith(b"OOM ")
    assert alone("FCALL", "reads", 0) == b"v"
    assert alone("FCALL", "stubborn", 0) == b"OK"
    alone.engine.maxmemory = 0


def test_listed(alone, add):
    add(lambda c, keys, arguments: 1, name="one", description="The first.", flags=["no-writes"])
    add(lambda c, keys, arguments: 2, name="two", library="other")
    libraries = {entry[1]: entry for entry in alone("FUNCTION", "LIST")}
    assert libraries[b"python"] == [b"library_name", b"python", b"engine", b"PYTHON", b"functions", [
        [b"name", b"one", b"description", b"The first.", b"flags", [b"no-writes"]]]]
    assert alone("FUNCTION", "STATS")[3] == [b"LUA", [b"libraries_count", 0, b"functions_count", 0],
                                             b"PYTHON", [b"libraries_count", 2, b"functions_count", 2]]


def test_they_are_no_data(alone, add):
    """FUNCTION DUMP, FLUSH, DELETE and LOAD leave them alone."""
    add(lambda c, keys, arguments: 1, name="one")
    load = "#!lua name=%s\nredis.register_function('%s', function() return 2 end)"
    assert alone("FUNCTION", "DELETE", "python") == b"ERR Library 'python' belongs to the server and can't be deleted"
    assert alone("FUNCTION", "LOAD", "REPLACE", load % ("python", "f")) == b"ERR Library 'python' already exists"
    assert alone("FUNCTION", "LOAD", load % ("lua", "one")) == b"ERR Function one already exists"
    assert alone("FUNCTION", "LOAD", load % ("lua", "f")) == b"lua"
    dump = alone("FUNCTION", "DUMP")
    assert b"python" not in dump
    assert alone("FUNCTION", "FLUSH") == b"OK"
    assert alone("FCALL", "one", 0) == 1 and alone("FCALL", "f", 0) == b"ERR Function not found"
    assert alone("FUNCTION", "RESTORE", dump, "FLUSH") == b"OK"
    assert alone("FCALL", "one", 0) == 1 and alone("FCALL", "f", 0) == 2
    assert alone("FUNCTION", "LOAD", "#!python name=x\nimport os") == \
        b"ERR Functions in Python are loaded by the server's own configuration, not by clients"


def test_declarations_refused():
    async def later(c, keys, arguments):
        pass

    for declare in (lambda: function("a-b")(print), lambda: function(flags=["nonsense"])(test_listed),
                    lambda: function(flags="no-writes")(test_listed), lambda: function()(later)):
        with pytest.raises(ValueError):
            declare()


def test_the_same_name_twice(add):
    add(lambda c, keys, arguments: 1, name="one")
    with pytest.raises(ValueError, match="already exists"):
        add(lambda c, keys, arguments: 2, name="one")
    with pytest.raises(ValueError, match="already exists"):
        add(lambda c, keys, arguments: 2, name="one", library="other")


@pytest.mark.parametrize("text, problem", [
    ("x = 1", "declares no function"), ("import nosuch", "No module named"), ("def f(:", "SyntaxError"), ("raise SystemError('x')", "x"),
    ("from carnelian.scripting import function\nLIBRARY = 'a-b'\n@function\ndef f(c, keys, arguments): pass", "can only contain")])
def test_files_refused(alone, tmp_path, text, problem):
    path = tmp_path / "odd.py"
    path.write_text(text)
    with pytest.raises(FunctionFault, match=problem):
        load_file(functions_of(alone.engine), str(path))
    assert alone("FUNCTION", "LIST") == []
    with pytest.raises(FunctionFault, match="No such file"):
        load_file(functions_of(alone.engine), str(tmp_path / "nosuch.py"))


def test_a_file(alone, tmp_path):
    path = tmp_path / "my-limits.py"
    path.write_text("from carnelian.scripting import function\n@function\ndef hit(c, keys, arguments):\n    return c.run('INCR', keys[0])\n")
    load_file(functions_of(alone.engine), str(path))
    assert alone("FCALL", "hit", 1, "n") == 1
    entry, = alone("FUNCTION", "LIST", "WITHCODE")
    assert entry[1] == b"my_limits" and entry[7] == path.read_bytes()


def test_token_bucket(alone):
    """The example, with a clock of our own."""
    load_file(functions_of(alone.engine), str(EXAMPLE))
    for left in (b"2.0", b"1.0", b"0.0"):
        assert alone("FCALL", "take_token", 1, "b", 3, 2)[:2] == [1, left]
    assert alone("FCALL", "take_token", 1, "b", 3, 2) == [0, b"0.0", 501]
    assert alone.effects == []
    alone.now += 501
    assert alone("FCALL", "take_token", 1, "b", 3, 2)[0] == 1
    assert alone.effects[1][1] == b"HSET" and alone.effects[2][1] == b"PEXPIREAT"
    alone.now += 10_000
    assert alone("EXISTS", "b") == 0
    assert alone("FCALL_RO", "tokens_left", 1, "b", 3, 2) == b"3.0"
    assert alone("FCALL", "take_token", 1, "b", 3, 2, 4) == b"ERR the bucket never holds so many tokens"
    assert alone("FCALL", "take_token", 1, "b", "x", 2) == b"ERR capacity must be a positive number"


def test_the_servers_option(tmp_path):
    """carnelian serve --functions FILE.py, on the command line and in a file."""
    other = tmp_path / "other.py"
    other.write_text("from carnelian.scripting import function\n@function\ndef other(c, keys, arguments):\n    return 'other'\n")
    config = tmp_path / "carnelian.conf"
    config.write_text(f"functions {other}\n")
    with servers.carnelian("--functions", str(EXAMPLE), str(other)) as server:
        client = Client(server.address)
        assert client("FCALL", "take_token", 1, "b", 3, 2) == [1, b"2.0", 0]
        assert client("FCALL", "other", 0) == b"other"
        client("FUNCTION", "LOAD", "#!lua name=lua\nredis.register_function('f', function() end)")
        assert b"number_of_functions:4\r\nnumber_of_libraries:3\r\n" in client("INFO", "memory")
        assert client("CONFIG", "GET", "functions")[1] == f"{EXAMPLE} {other}".encode()
        client.close()
    other.write_text("1 +")
    done = subprocess.run([sys.executable, "-m", "carnelian", "serve", str(config), "--port", "0", "--save", ""], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "SyntaxError" in done.stderr, done
