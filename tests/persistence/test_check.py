"""`carnelian check`: what it says of sound and of damaged files, and what it mends."""
import os
import random

import pytest
from typer.testing import CliRunner

from carnelian.cli import app
from carnelian.persistence import check, convert
from carnelian.persistence.lock import DirectoryLock
from tests.damage import mutate
from tests.oracle import servers
from tests.oracle.resp import Client
from tests.payloads import BODIES, NEWER_BODIES
from tests.persistence.files import everything, write_bodies, write_rdb

SET = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n"
MULTI, EXEC = b"*1\r\n$5\r\nMULTI\r\n", b"*1\r\n$4\r\nEXEC\r\n"


def run(*arguments, input=None):
    return CliRunner().invoke(app, ["check", *map(str, arguments)], input=input)


@pytest.fixture
def directory(tmp_path):
    """An append-only directory with a base and an increment."""
    source = write_rdb(tmp_path / "all.rdb", everything(), functions=[b"#!lua name=a\n", b"#!lua name=b\n"])
    content = convert.load(source)
    content.functions = []
    convert.write_directory(content, f"{tmp_path}/od", 12, convert.nobody)
    os.unlink(source)
    (tmp_path / "od" / "appendonly.aof.1.incr.aof").write_bytes(b"#TS:1700000000\r\n" + SET + MULTI + SET + SET + EXEC)
    return tmp_path / "od"


def test_what_it_says_of_a_sound_file(tmp_path):
    path = write_rdb(tmp_path / "a.rdb", [(0, b"a", b"1", None), (0, b"b", b"2", 5), (7, b"c", b"3", 1 << 42)], functions=[b"x", b"y"])
    done = run(path)
    assert done.exit_code == 0
    assert "RDB file\n  version 12, " in done.output and "no checksum" in done.output
    assert "database 0: 2 keys (2 string), 1 with an expiry, 1 of them expired\n" in done.output
    assert "database 7: 1 key (1 string), 1 with an expiry\n" in done.output
    assert "functions: 2 libraries\n  sound" in done.output


def test_every_type_is_sound(tmp_path):
    path = write_bodies(tmp_path / "a.rdb", {**BODIES, **NEWER_BODIES})
    report = check.check_file(path)
    assert report.is_sound, report.text()
    report = check.check_file(write_rdb(tmp_path / "b.rdb", everything()))
    assert report.is_sound, report.text()
    for kind in ("hash", "json", "list", "set", "stream", "string", "zset"):
        assert f" {kind}" in report.text()


def test_a_directory(directory):
    manifest, base, increment = check.check(str(directory))
    assert manifest.is_sound and base.is_sound and increment.is_sound
    assert "requests: 5, in 1 transaction" in increment.text() and "last time stamp: 2023-11-14 22:13:20 UTC" in increment.text()
    assert [report.path for report in check.check(f"{directory}/appendonly.aof.manifest")] == [manifest.path, base.path, increment.path]
    os.unlink(increment.path)
    manifest, base = check.check(str(directory))
    assert not manifest.is_sound and "appendonly.aof.1.incr.aof is named, but not there" in manifest.text()
    (directory / "appendonly.aof.manifest").write_bytes(b"file a seq 1 type b\nfile b seq x type i\n")
    manifest, = check.check(str(directory))
    assert manifest.faults[0][0] == 20
    assert run(directory).exit_code == 1


@pytest.mark.parametrize("data, offset, text", [
    (b"REDIS00", 5, "four digits"), (b"REDIS0099\xff", 5, "version 99"), (b"REDIS0010\xf0", 10, "no opcode 240"),
    (b"REDIS0010\x00\x01a", 12, "end too early"), (b"REDIS0010\x00\x01a\x01b\x00\x01a\x01b\xff" + bytes(8), 17, "twice"),
    (b"REDIS0010\xff" + b"\x01" * 8, 10, "the checksum is 0101010101010101"), (b"REDIS0010\xff\x00", 10, "8 bytes of the checksum"),
    (b"REDIS0010\x00\x01a\x01b", 14, "end too early"), (b"REDIX", 0, "begins with REDIS"), (b"", 0, "begins with REDIS")])
def test_damaged_rdb_files(tmp_path, data, offset, text):
    (tmp_path / "a.rdb").write_bytes(data)
    (found, said), = check.check_file(f"{tmp_path}/a.rdb").faults
    assert text in said and found == offset
    assert run(tmp_path / "a.rdb", "--fix", "--yes").exit_code == 1
    assert (tmp_path / "a.rdb").read_bytes() == data and os.listdir(tmp_path) == ["a.rdb"]


@pytest.mark.parametrize("tail, offset, text, cut", [
    (SET[:-1], 0, "ends within the request", 0), (SET[:5], 0, "ends within", 0), (b"*", 0, "ends within", 0), (b"*1\r", 0, "ends within", 0),
    (b"\0" * 40, 0, "begins with *", 0), (b"*x\r\n", 1, "a number", 0), (b"*1\r\n:1\r\n", 4, "a word begins with $", 0),
    (b"*1\r\n$4\r\nPINGxx", 12, r"\r\n is expected behind 4 bytes", 0), (b"*1\r\n$99999999999\r\n", 5, "no 99999999999 bytes", 0),
    (b"*99999999999\r\n", 14, "no 99999999999 words", 0), (MULTI + SET, 0, "ends within the transaction", 0),
    (MULTI + SET + SET[:9], 42, "within the transaction that begins at offset 27", 0), (SET + MULTI + MULTI + EXEC, 42, "MULTI within", 27),
    (EXEC, 0, "EXEC without MULTI", 0), (b"#TS:17", 0, "ends within", 0), (b"*2\r\n$3\r\nGET\r\n$4611686018427387904\r\n", 14, "bytes", 0)])
def test_damaged_tails(tmp_path, tail, offset, text, cut):
    path = tmp_path / "a.aof"
    path.write_bytes(SET + tail)
    (found, said), = check.check_file(str(path)).faults
    assert text in said and found in (len(SET) + offset, offset)
    done = run(path)
    assert done.exit_code == 1 and "DAMAGED at offset" in done.output
    assert run(path, "--fix", input="n\n").exit_code == 1
    assert path.read_bytes() == SET + tail and os.listdir(tmp_path) == ["a.aof"]
    done = run(path, "--fix", input="y\n")
    assert done.exit_code == 0
    assert f"the last {len(tail) - cut} of {len(SET + tail)} bytes would be cut off" in done.output
    assert path.read_bytes() == SET + tail[:cut]
    assert (tmp_path / "a.aof.before-fix").read_bytes() == SET + tail
    assert run(path).exit_code == 0


def test_unknown_words(tmp_path):
    path = tmp_path / "a.aof"
    path.write_bytes(SET + 2 * b"*1\r\n$7\r\nNOSUCH\xff\r\n" + b"*2\r\n$6\r\nXGROUP\r\n$3\r\nFOO\r\n" + SET[:9])
    faults = check.check_file(str(path)).faults
    assert [offset for offset, _ in faults] == [len(SET), len(SET) + 34, len(SET) + 59]
    assert "(2 requests)" in faults[0][1] and "XGROUP FOO" in faults[1][1]
    assert run(path, "--fix", "--yes").exit_code == 1           # the tail alone is mended
    assert path.stat().st_size == len(SET) + 59


def test_only_the_last_file_is_mended(directory):
    increment = directory / "appendonly.aof.1.incr.aof"
    sound = increment.read_bytes()
    with open(directory / "appendonly.aof.manifest", "a") as file:
        file.write("file appendonly.aof.2.incr.aof seq 2 type i\n")
    (directory / "appendonly.aof.2.incr.aof").write_bytes(SET + SET[:9])
    assert run(directory, "--fix", "--yes").exit_code == 0
    assert (directory / "appendonly.aof.2.incr.aof").read_bytes() == SET
    increment.write_bytes(sound[:-3])
    done = run(directory, "--fix", "--yes")
    assert done.exit_code == 1 and "can't be mended" in done.output and increment.read_bytes() == sound[:-3]


def test_not_under_a_running_server(directory):
    lock = DirectoryLock(str(directory.parent))
    increment = directory / "appendonly.aof.1.incr.aof"
    increment.write_bytes(SET[:-3])
    done = run(directory, "--fix", "--yes")
    assert done.exit_code == 1 and "in use by another process" in done.output and increment.read_bytes() == SET[:-3]
    lock.release()
    for copies in (1, 2):
        assert run(directory, "--fix", "--yes").exit_code == 0
        assert sum("before-fix" in name for name in os.listdir(directory)) == copies
        increment.write_bytes(SET[:-3])


def test_what_is_not_readable(tmp_path):
    (tmp_path / "letter").write_bytes(b"Dear reader")
    for name in ("letter", "nothing", "", "a.manifest"):
        assert run(tmp_path / name).exit_code == 2
    path = write_rdb(tmp_path / "a.rdb", [])
    done = run(path, tmp_path / "letter")
    assert done.exit_code == 2 and "no keys\n  sound" in done.output


def test_rdb_with_requests_behind(tmp_path):
    path = tmp_path / "appendonly.aof"
    write_rdb(path, [(0, b"a", b"1", None)])
    rdb = path.read_bytes()
    path.write_bytes(rdb + SET + SET[:7])
    report = check.check_file(str(path))
    assert report.kind == "append-only file that begins with an RDB file" and report.cut == len(rdb + SET)
    path.write_bytes(rdb + b"letter")
    assert check.check_file(str(path)).is_sound and "6 bytes behind its end" in check.check_file(str(path)).text()


def test_damage_at_random(tmp_path):
    """Nothing crashes; what is sound by it loads."""
    chance = random.Random(7)
    small = {name: body for name, body in {**BODIES, **NEWER_BODIES}.items() if len(body) < 2000}
    sources = [open(write_bodies(tmp_path / "a", {name: body}), "rb").read() for name, body in small.items()]
    sources.append(open(write_bodies(tmp_path / "a", small), "rb").read())
    sources += 20 * [SET + MULTI + SET + EXEC + b"#TS:5\r\n" + SET]
    path, sound = tmp_path / "b.aof", 0
    for _ in range(1500):
        path.write_bytes(mutate(chance, chance.choice(sources)))
        try:
            report = check.check(str(path))[0]
        except check.Unreadable:
            continue
        assert all(0 <= offset <= path.stat().st_size for offset, _ in report.faults)
        assert report.cut is None or 0 <= report.cut < path.stat().st_size
        if report.is_sound and report.kind == "RDB file":
            convert.load(str(path), "rdb")
            sound += 1
    assert sound > 50


@pytest.mark.skipif(not servers.have_oracle(), reason="redis-server is not installed")
def test_files_of_redis(tmp_path):
    with servers.oracle("--appendonly", "yes", "--aof-timestamp-enabled", "yes", "--maxmemory-policy", "allkeys-lfu") as server:
        client = Client(server.address)
        client("FUNCTION", "LOAD", "#!lua name=tools\nredis.register_function('answer', function() return 42 end)")
        client("EVAL", "redis.call('set', 'a', 1) redis.call('set', 'b', 2)", "0")
        client("XADD", "s", "*", "f", "v")
        client("BGREWRITEAOF")
        client("SELECT", "3")
        client("PFADD", "h", "1")
        client("SAVE")
        client.close()
        reports = [report for name in ("dump.rdb", "appendonlydir") for report in check.check(f"{server.directory}/{name}")]
        assert all(report.is_sound for report in reports), [report.text() for report in reports]
        text = reports[0].text()
        assert "redis-ver 7.0.15" in text and "database 0: 3 keys (1 stream, 2 string)" in text and "functions: 1 library" in text
