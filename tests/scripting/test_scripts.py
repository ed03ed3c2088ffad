"""Scripts in an engine: effects, memory, figures. What they answer is compared with Redis in tests/oracle/test_scripting.py."""
import gc

import pytest

from carnelian.keyspace.journal import Journal
from tests.scripting.engines import Caller


@pytest.fixture
def caller():
    caller = Caller()
    caller.effects = []
    caller.engine.store.sinks = [lambda index, words: caller.effects.append(
        (index, caller.engine.store.targets, " ".join(word.decode() for word in words)))]
    return caller


def effects(caller):
    """What was propagated, without the database and the targets where they are the usual ones."""
    return [words if (index, targets) == (0, 3) else (index, targets, words) for index, targets, words in caller.effects]


@pytest.mark.parametrize("source, expected", [
    ("return 1", []),
    ("return redis.call('get', 'k')", []),
    ("return redis.call('set', 'k', 'v')", ["set k v"]),
    ("redis.call('set', 'a', 1) redis.call('incrby', 'a', 2)", ["MULTI", "set a 1", "incrby a 2", "EXEC"]),
    ("redis.call('set', 'a', 1) error('later')", ["set a 1"]),
    ("redis.call('sadd', 's', 'x') redis.call('spop', 's')", ["MULTI", "sadd s x", "SREM s x", "EXEC"]),
    ("redis.call('select', 3) redis.call('set', 'a', 1)", [(3, 3, "set a 1")]),
    ("redis.call('set', 'a', 1) redis.call('select', 3) redis.call('set', 'a', 1)",
     ["MULTI", "set a 1", (3, 3, "set a 1"), (3, 3, "EXEC")]),
    ("redis.set_repl(redis.REPL_NONE) redis.call('set', 'a', 1)", []),
    ("redis.set_repl(redis.REPL_AOF) redis.call('set', 'a', 1)", []),
    ("redis.set_repl(redis.REPL_REPLICA) redis.call('set', 'a', 1) redis.set_repl(redis.REPL_ALL) redis.call('set', 'b', 2)",
     [(0, 2, "MULTI"), (0, 2, "set a 1"), (0, 2, "set b 2"), (0, 2, "EXEC")]),
    ("redis.pcall('set', 'a') redis.pcall('nosuch') redis.call('del', 'none')", []),
    ("redis.call('publish', 'c', 'm')", []),
])
def test_effects(caller, source, expected):
    caller.run(source)
    assert effects(caller) == expected


def test_effects_for_the_append_only_file():
    caller = Caller()
    journal = Journal()
    caller.engine.store.keep_journal(journal)
    for source, expected in (("redis.set_repl(redis.REPL_AOF) redis.call('set', 'a', 1)", True),
                             ("redis.set_repl(redis.REPL_REPLICA) redis.call('set', 'a', 1)", False)):
        caller.engine.run_words(caller.session, (b"EVAL", source.encode(), b"0"))
        assert (b"set" in bytes(journal.take())) is expected


def test_effects_within_a_transaction(caller):
    for words in (["MULTI"], ["SET", "x", "1"], ["EVAL", "redis.call('set', 'a', 1) redis.call('set', 'b', 2)", "0"], ["EXEC"]):
        caller.ask(*words)
    assert effects(caller) == ["MULTI", "SET x 1", "set a 1", "set b 2", "EXEC"]


def test_repl_is_as_usual_in_the_next_script(caller):
    caller.run("redis.set_repl(redis.REPL_NONE) redis.setresp(3) redis.call('select', 5)")
    assert caller.eval("return redis.call('hgetall', 'none')") == []
    caller.run("redis.call('set', 'a', 1)")
    assert effects(caller) == ["set a 1"]


def test_what_was_written_before_an_error_stays(caller):
    assert "boom" in caller.error("redis.call('set', 'k', 'v') error('boom')")
    assert caller.ask("GET", "k") == b"$1\r\nv\r\n"


def test_a_watched_key(caller):
    caller.ask("WATCH", "k")
    caller.ask("EVAL", "redis.call('set', 'k', 'v')", "0", session=caller.other)
    caller.ask("MULTI")
    caller.ask("GET", "k")
    assert caller.ask("EXEC") == b"*-1\r\n"


def test_notifications(caller):
    caller.engine.store.notify_flags = 0xFFFF
    caller.engine.store.attend()
    caller.ask("SUBSCRIBE", "__keyspace@0__:k", session=caller.other)
    caller.other.writer.take()
    caller.run("redis.call('set', 'k', 'v')")
    assert b"set" in caller.other.writer.take()


def test_time_stands_still(caller):
    assert caller.eval("redis.call('set', 'k', 'v', 'px', 1) for i = 1, 3e6 do end return redis.call('get', 'k')") == b"v"


def test_scripts_that_only_eval_brought_go_when_there_are_many():
    caller = Caller()
    loaded = caller.ask("SCRIPT", "LOAD", "return 'loaded'").split(b"\r\n")[1].decode()
    for number in range(600):
        assert caller.eval(f"return {number}") == number
    cache = caller.engine.interpreter
    assert (len(cache.by_sha), cache.evicted) == (501, 100)
    assert caller.ask("EVALSHA", loaded, "0") == b"$6\r\nloaded\r\n"
    assert caller.eval("return 0") == 0


def test_script_show():
    caller = Caller()
    sha = caller.ask("SCRIPT", "LOAD", "return 1").split(b"\r\n")[1].decode()
    assert caller.ask("SCRIPT", "SHOW", sha) == b"$8\r\nreturn 1\r\n"
    assert caller.ask("SCRIPT", "SHOW", "x") == b"-NOSCRIPT No matching script. Please use EVAL.\r\n"


def test_access_control():
    caller = Caller()
    caller.ask("ACL", "SETUSER", "bob", "on", "nopass", "~a*", "+@all", "-set")
    caller.ask("AUTH", "bob", "x")
    assert caller.error("return redis.call('set', 'a', 1)").startswith(
        "ERR ACL failure in script: User bob has no permissions to run the 'set' command script: ")
    assert "ACL failure in script: No permissions to access a key" in caller.error("return redis.call('get', 'b')")
    assert caller.eval("return redis.pcall('get', 'a')") is None
    assert caller.eval("return {redis.acl_check_cmd('set', 'a', 1), redis.acl_check_cmd('get', 'a'), redis.acl_check_cmd('get', 'b')}"
                       ) == [None, 1, None]


def test_nothing_is_left_behind():
    """A short form of bench/script_leak.py: the same calls again take no more memory, in Lua or in Python."""
    caller = Caller()
    interpreter = None

    def round_of_calls():
        for number in range(2000):
            caller.ask("EVAL", "return redis.call('SET', KEYS[1], ARGV[1])", "1", f"k{number % 10}", "v")
            caller.ask("EVAL", "return {redis.call('MGET', KEYS[1], 'x'), redis.pcall('nosuch')}", "1", "k1")
            caller.ask("EVAL", "return coroutine.wrap(function() return cjson.encode({1, 2}) end)()", "0")
            caller.ask("EVAL", "error('x')", "0")
        gc.collect()
        caller.engine.interpreter.interpreter.lua.gccollect()
        return caller.engine.interpreter.interpreter.memory(), len(gc.get_objects())

    round_of_calls()
    lua, objects = round_of_calls()
    again, more = round_of_calls()
    assert again <= lua + 1000
    assert more <= objects + 20


def test_many_keys_and_arguments():
    caller = Caller()
    values = [f"v{number}" for number in range(20000)]
    assert caller.ask("EVAL", "return {#KEYS, #ARGV, KEYS[1], KEYS[12000], ARGV[1], ARGV[8000]}", "12000", *values) == (
        b"*6\r\n:12000\r\n:8000\r\n$2\r\nv0\r\n$6\r\nv11999\r\n$6\r\nv12000\r\n$6\r\nv19999\r\n")


def test_flush_lets_go_of_everything():
    caller = Caller()
    caller.eval("return 1")
    caller.ask("SCRIPT", "FLUSH")
    assert caller.engine.interpreter is None
    assert caller.eval("return 1") == 1
