"""Faults of the disk, locks, signals, damaged files: what was acknowledged stays, and what is wrong is said.

https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/
"""
import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.oracle.resp import CLOSED, Error
from tests.persistence.process import Process

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="signals, limits and preloads of Linux")
AOF = ("--save", "", "--appendonly", "yes")


@pytest.fixture
def directory(tmp_path):
    path = tmp_path / "data"
    path.mkdir()
    return path


@pytest.fixture(scope="session")
def preload(tmp_path_factory):
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    library = tmp_path_factory.mktemp("preload") / "faults.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", str(library), str(Path(__file__).with_name("faults.c")), "-ldl"],
                   check=True, timeout=60)
    return library


class Disk:
    """Faults of one directory, on and off: `disk.fails("write", errno.ENOSPC)`, `disk.works()`."""

    def __init__(self, library, directory):
        self.switch = directory.with_name("switch")
        self.environment = {"LD_PRELOAD": str(library), "FAULT_DIRECTORY": str(directory), "FAULT_SWITCH": str(self.switch)}

    def fails(self, what, number):
        temporary = self.switch.with_name("switch.new")
        temporary.write_text(f"{what} {number}\n")
        os.replace(temporary, self.switch)

    def works(self):
        self.switch.unlink()


@pytest.fixture
def disk(preload, directory):
    return Disk(preload, directory)


def is_misconf(reply, text):
    return isinstance(reply, Error) and reply.startswith(b"MISCONF") and text in reply


# ---- the append-only file

@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_writing_fails_everysec(directory, disk, number):
    with Process(directory, *AOF, environment=disk.environment) as server:
        assert server.ask("SET", "before", 1) == b"OK"
        disk.fails("write", number)
        text = os.strerror(number).encode()
        assert server.until(lambda: is_misconf(server.ask("INCR", "n"), b"Errors writing to the AOF file: " + text))
        counted = int(server.ask("GET", "n") or 0)
        assert is_misconf(server.ask("SET", "refused", 1), text)
        assert server.ask("GET", "before") == b"1"                      # reads go on
        assert server.ask("EXISTS", "refused") == 0
        assert server.info("aof_last_write_status") == "err"
        disk.works()
        assert server.until(lambda: server.ask("SET", "after", 1) == b"OK")
        assert server.info("aof_last_write_status") == "ok"
        server.end(signal.SIGKILL)
    with Process(directory, *AOF) as server:
        assert server.ask("MGET", "before", "n", "after") == [b"1", b"%d" % counted, b"1"]


def test_writing_fails_always(directory, disk):
    """What can't be written is not acknowledged: the process ends."""
    with Process(directory, *AOF, "--appendfsync", "always", environment=disk.environment) as server:
        assert server.ask("SET", "a", 1) == b"OK"
        disk.fails("write", errno.ENOSPC)
        assert server.ask("SET", "a", 2) is CLOSED
        assert server.wait() == 1
        assert "No space left on device" in server.log()
    with Process(directory, *AOF) as server:
        assert server.ask("GET", "a") == b"1"


def test_syncing_fails_always(directory, disk):
    with Process(directory, *AOF, "--appendfsync", "always", environment=disk.environment) as server:
        assert server.ask("SET", "a", 1) == b"OK"
        disk.fails("sync", errno.EIO)
        assert server.ask("SET", "a", 2) is CLOSED
        assert server.wait() == 1
        assert "Input/output error" in server.log()


def test_syncing_fails_everysec(directory, disk):
    """Refused until a sync succeeds; then the files are written anew, as the system may have dropped what it could not write."""
    with Process(directory, *AOF, environment=disk.environment) as server:
        disk.fails("sync", errno.EIO)
        assert server.until(lambda: is_misconf(server.ask("INCR", "n"), b"Input/output error"))
        counted = server.ask("GET", "n")
        assert server.info("aof_last_write_status") == "err"
        assert is_misconf(server.ask("INCR", "n"), b"Input/output error")
        disk.works()
        assert server.until(lambda: server.ask("SET", "after", 1) == b"OK")
        assert server.until(lambda: "rewritten" in server.log())
        server.end(signal.SIGKILL)
    with Process(directory, *AOF) as server:
        assert server.ask("MGET", "n", "after") == [counted, b"1"]


def limited():
    """Files of this process can't grow past 200 kB."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))


@pytest.mark.parametrize("stamps", ["no", "yes"])
def test_no_room_half_way(directory, stamps):
    """A request is cut in its midst: its rest follows once there is room, and nothing gets between."""
    with Process(directory, *AOF, "--aof-timestamp-enabled", stamps, before=limited) as server:
        n, reply = 0, b"OK"
        while reply == b"OK":
            n += 1
            reply = server.ask("SET", f"key:{n}", "x" * 7000)
            assert n < 100
        assert is_misconf(reply, b"Errors writing to the AOF file: File too large")
        assert server.ask("GET", "key:1") == b"x" * 7000
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert server.until(lambda: server.ask("SET", "after", 1) == b"OK")
        keys = server.ask("DBSIZE")
        assert keys >= n - 1
        server.end(signal.SIGKILL)
    with Process(directory, *AOF, "--aof-load-truncated", "no") as server:
        assert server.ask("DBSIZE") == keys
        assert server.ask("GET", f"key:{n - 1}") == b"x" * 7000


def test_killed_without_room(directory):
    """The file ends within a request: the rest, which was refused or not yet acknowledged, is cut off."""
    with Process(directory, *AOF, "--appendfsync", "always", before=limited) as server:
        n = 0
        while server.ask("SET", f"key:{n + 1}", "x" * 7000) == b"OK":
            n += 1
        assert server.wait() == 1
    with Process(directory, *AOF) as server:
        assert server.ask("DBSIZE") == n
        assert "are cut off" in server.log()


@pytest.mark.parametrize("what", ["write", "sync"])
def test_a_rewrite_fails(directory, disk, what):
    """The old files stay the valid ones, and what follows is in them."""
    with Process(directory, *AOF, "--appendfsync", "no", environment=disk.environment) as server:
        for n in range(100):
            assert server.ask("SET", f"key:{n}", n) == b"OK"
        disk.fails(what, errno.ENOSPC)
        server.ask("BGREWRITEAOF")
        assert server.until(lambda: server.info("aof_rewrite_in_progress") == "0")
        disk.works()
        assert server.until(lambda: server.ask("SET", "after", 1) == b"OK")
        copy = directory.with_name("copy")
        shutil.copytree(directory, copy)
        assert server.until(lambda: server.ask("BGREWRITEAOF").startswith(b"Background"))
        assert server.until(lambda: server.info("aof_rewrite_in_progress") == "0")
        assert server.info("aof_last_bgrewrite_status") == "ok"
        assert server.ask("SET", "last", 1) == b"OK"
        server.end(signal.SIGKILL)
    for where, keys in ((directory, 102), (copy, 101)):
        with Process(where, *AOF) as server:
            assert server.ask("DBSIZE") == keys


def test_shutdown_goes_on_if_the_file_can_not_be_written(directory, disk):
    with Process(directory, *AOF, environment=disk.environment) as server:
        assert server.ask("SET", "a", 1) == b"OK"
        disk.fails("write", errno.ENOSPC)
        server.ask("SET", "a", 2)
        assert server.ask("SHUTDOWN") == b"ERR Errors trying to SHUTDOWN. Check logs."
        assert server.ask("GET", "a") == b"2"
        disk.works()
        assert server.until(lambda: server.ask("SET", "b", 1) == b"OK")
        assert server.ask("SHUTDOWN") is CLOSED
        assert server.wait() == 0
    with Process(directory, *AOF) as server:
        assert server.ask("MGET", "a", "b") == [b"2", b"1"]


# ---- snapshots

def test_bgsave_fails(directory, disk):
    with Process(directory, environment=disk.environment) as server:
        assert server.ask("SET", "a", 1) == b"OK"
        disk.fails("write", errno.ENOSPC)
        server.ask("BGSAVE")
        assert server.until(lambda: server.info("rdb_last_bgsave_status") == "err")
        assert is_misconf(server.ask("SET", "a", 2), b"stop-writes-on-bgsave-error")
        assert server.ask("GET", "a") == b"1"
        assert server.ask("CONFIG", "SET", "stop-writes-on-bgsave-error", "no") == b"OK"
        assert server.ask("SET", "a", 2) == b"OK"
        assert server.ask("CONFIG", "SET", "stop-writes-on-bgsave-error", "yes") == b"OK"
        assert is_misconf(server.ask("SET", "a", 3), b"stop-writes-on-bgsave-error")
        assert isinstance(server.ask("SAVE"), Error)
        disk.works()
        assert sorted(os.listdir(directory)) == ["carnelian.lock"]          # no trace of what failed
        server.ask("BGSAVE")
        assert server.until(lambda: server.info("rdb_last_bgsave_status") == "ok")
        assert server.ask("SET", "a", 3) == b"OK"


def test_save_points_try_again(directory, disk):
    with Process(directory, "--save", "1 1", environment=disk.environment) as server:
        disk.fails("sync", errno.EIO)
        assert server.ask("SET", "a", 1) == b"OK"
        assert server.until(lambda: server.info("rdb_last_bgsave_status") == "err")
        disk.works()
        assert server.until(lambda: server.info("rdb_last_bgsave_status") == "ok")
        assert server.ask("SET", "a", 2) == b"OK"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_is_read_only(directory):
    with Process(directory) as server:
        server.ask("SET", "a", 1)
        directory.chmod(0o500)
        try:
            assert server.ask("BGSAVE") == b"ERR Permission denied"
            assert is_misconf(server.ask("SET", "a", 2), b"stop-writes-on-bgsave-error")
            assert server.ask("SHUTDOWN") == b"ERR Errors trying to SHUTDOWN. Check logs."
        finally:
            directory.chmod(0o700)
        assert server.ask("SAVE") == b"OK"
        assert server.ask("SET", "a", 2) == b"OK"


def test_a_directory_that_is_gone(directory):
    with Process(directory) as server:
        server.ask("SET", "a", 1)
        directory.rename(directory.with_name("elsewhere"))
        assert server.ask("BGSAVE") == b"ERR No such file or directory"
        assert is_misconf(server.ask("SET", "a", 2), b"stop-writes-on-bgsave-error")
        directory.with_name("elsewhere").rename(directory)
        assert server.ask("SAVE") == b"OK"
        assert server.ask("SET", "a", 2) == b"OK"


# ---- one process for a directory

def test_a_second_server_is_refused(directory):
    with Process(directory, *AOF) as first:
        with Process(directory, *AOF, wait=False) as second:
            assert second.wait() == 1
            lines = [line for line in second.log().splitlines() if line.startswith("carnelian: ")]
            assert len(lines) == 1
            assert str(directory) in lines[0] and f"pid {first.process.pid}" in lines[0]
        assert first.ask("SET", "a", 1) == b"OK"
        first.end(signal.SIGKILL)
    with Process(directory, *AOF) as server:                                # the lock ends with its process
        assert server.ask("GET", "a") == b"1"


def test_what_a_killed_process_left_is_cleared_away(directory):
    (directory / "appendonlydir").mkdir()
    left = [directory / "temp-123-1.rdb", directory / "appendonlydir" / "temp-123-2.rdb"]
    for path in left:
        path.write_bytes(b"REDIS0011")
    (directory / "temp-mine.rdb").write_bytes(b"")
    with Process(directory, *AOF):
        assert not any(path.exists() for path in left)
        assert (directory / "temp-mine.rdb").exists()


# ---- the end

def test_sigterm_saves(directory):
    with Process(directory) as server:
        server.ask("SET", "a", 1)
        assert server.end() == 0
    with Process(directory) as server:
        assert server.ask("GET", "a") == b"1"


@pytest.mark.parametrize("save, words, kept", [("", ["SAVE"], True), ("", [], False), ("3600 1", [], True),
                                               ("3600 1", ["NOSAVE"], False)])
def test_shutdown(directory, save, words, kept):
    with Process(directory, "--save", save) as server:
        server.ask("SET", "a", 1)
        assert server.ask("SHUTDOWN", *words) is CLOSED
        assert server.wait() == 0
    assert (directory / "dump.rdb").exists() == kept


def test_shutdown_goes_on_if_saving_fails(directory, disk):
    with Process(directory, environment=disk.environment) as server:
        server.ask("SET", "a", 1)
        disk.fails("write", errno.ENOSPC)
        assert server.ask("SHUTDOWN") == b"ERR Errors trying to SHUTDOWN. Check logs."
        assert server.ask("GET", "a") == b"1"
        server.process.terminate()
        assert server.until(lambda: "The server goes on" in server.log())
        assert is_misconf(server.ask("PING"), b"RDB")              # as Redis has it: whoever watches is to notice
        assert server.ask("GET", "a") == b"1"
        assert server.ask("SHUTDOWN", "FORCE") is CLOSED
        assert server.wait() == 0


# ---- the beginning

@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A directory with a snapshot that takes a while."""
    path = tmp_path_factory.mktemp("large") / "data"
    path.mkdir()
    with Process(path) as server:
        server.ask("EVAL", "for n = 1, 300000 do redis.call('SADD', 's' .. n, 'a', 'b', n) end", 0)
        assert server.ask("SAVE") == b"OK"
        server.ask("SHUTDOWN", "NOSAVE")
        server.wait()
    return path


def test_loading(large, directory):
    shutil.copy(large / "dump.rdb", directory)
    before = (directory / "dump.rdb").read_bytes()
    with Process(directory, wait=False) as server:
        assert server.until(lambda: isinstance(server.ask("PING"), Error))
        client = server.clients[0]
        for words in (("PING",), ("GET", "a"), ("SET", "a", 1), ("SAVE",), ("DBSIZE",)):
            client.send(*words)
        client.send("INFO", "persistence")
        for _ in range(5):
            assert client.read() == b"LOADING Redis is loading the dataset in memory"
        fields = dict(line.split(":") for line in client.read().decode().splitlines() if ":" in line)
        assert fields["loading"] == "1" and fields["async_loading"] == "0"
        assert int(fields["loading_total_bytes"]) == len(before)
        assert 0 <= int(fields["loading_loaded_bytes"]) <= len(before)
        assert server.end() == 0
    assert (directory / "dump.rdb").read_bytes() == before
    assert not [name for name in os.listdir(directory) if name.startswith("temp")]


def test_loading_ends(large, directory):
    shutil.copy(large / "dump.rdb", directory)
    with Process(directory) as server:
        assert server.info("loading") == "0"
        assert server.ask("DBSIZE") == 300000


def refusal(directory, *arguments):
    with Process(directory, *arguments, wait=False) as server:
        assert server.wait() == 1
        lines = [line for line in server.log().splitlines() if line.startswith("carnelian: ")]
        assert len(lines) == 1
        return lines[0]


def test_a_damaged_snapshot(directory):
    with Process(directory) as server:
        for n in range(100):
            server.ask("SET", f"key:{n}", "value" * n)
        server.end()
    path = directory / "dump.rdb"
    whole = path.read_bytes()
    for damaged in (whole[:-20], whole[:500] + b"\xff" + whole[501:], b"", b"REDIS9999" + whole[9:], b"nonsense"):
        path.write_bytes(damaged)
        line = refusal(directory)
        assert str(path) in line and "at offset" in line
        assert path.read_bytes() == damaged


def test_a_damaged_append_only_file(directory):
    with Process(directory, *AOF) as server:
        for n in range(100):
            server.ask("SET", f"key:{n}", "value")
        server.end()
    path = directory / "appendonlydir" / "appendonly.aof.1.incr.aof"
    whole = path.read_bytes()
    damaged = whole[:len(whole) // 2] + b"garbage" + whole[len(whole) // 2:]
    path.write_bytes(damaged)
    line = refusal(directory, *AOF)
    assert str(path) in line and "at offset" in line
    assert path.read_bytes() == damaged
    path.write_bytes(whole[:-3])
    line = refusal(directory, *AOF, "--aof-load-truncated", "no")
    assert str(path) in line and "aof-load-truncated" in line
    assert path.read_bytes() == whole[:-3]
    with Process(directory, *AOF) as server:
        assert server.ask("DBSIZE") == 99
        assert "are cut off" in server.log()
    manifest = path.with_name("appendonly.aof.manifest")
    manifest.write_bytes(b"file nonsense\n")
    assert str(manifest) in refusal(directory, *AOF)
    manifest.write_bytes(b"file missing.aof seq 1 type i\n")
    assert "missing.aof" in refusal(directory, *AOF)
