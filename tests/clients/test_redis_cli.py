"""redis-cli: as a terminal program, and its modes. Where the output says nothing of time or memory, Redis and carnelian must print
the same."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

from tests.oracle.resp import Client, request


def run(server, *arguments, stdin=b""):
    done = subprocess.run(["redis-cli", "-p", str(server.port), *arguments], input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60)
    return done.returncode, done.stdout.decode(errors="backslashreplace")


class Terminal:
    """redis-cli on a pseudo-terminal."""

    def __init__(self, server, *arguments, term="dumb"):
        self.child, self.fd = pty.fork()
        if self.child == 0:
            os.environ["TERM"] = term
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
            os.environ["REDISCLI_HISTFILE"] = "/dev/null"
            os.execvp("redis-cli", ["redis-cli", "-p", str(server.port), *arguments])
        attributes = termios.tcgetattr(self.fd)
        attributes[3] &= ~termios.ECHO          # what is typed would appear at no certain place of the output
        termios.tcsetattr(self.fd, termios.TCSANOW, attributes)
        self.output = ""

    def until(self, pattern, seconds=10):
        """What has been printed up to the pattern."""
        deadline = time.monotonic() + seconds
        while True:
            found = re.search(pattern, self.output)
            if found:
                text, self.output = self.output[:found.end()], self.output[found.end():]
                return text
            ready, _, _ = select.select([self.fd], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"no {pattern!r} in {self.output!r}"
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b""
            assert data, f"redis-cli has ended after {self.output!r}"
            self.output += data.decode(errors="replace")

    def type(self, line):
        os.write(self.fd, line.encode() + b"\n")

    def close(self):
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        os.close(self.fd)


@pytest.fixture
def terminal():
    opened = []

    def open_terminal(*arguments, **options):
        opened.append(Terminal(*arguments, **options))
        return opened[-1]
    yield open_terminal
    for each in opened:
        each.close()


PROMPT = r"127\.0\.0\.1:\d+(\[\d+\])?(\(TX\))?> "
LINES = ["SET k v", "GET k", "GET nothing", "RPUSH l a b c", "LRANGE l 0 -1", "HSET h f v g w", "HGETALL h", "ZADD z 1.5 a 2 b",
         "ZRANGE z 0 -1 WITHSCORES", "SADD s 1", "SMEMBERS s", "INCR k", "NOSUCH", "LRANGE l", "MULTI", "INCR n", "EXEC", "SELECT 1",
         "DBSIZE", "SELECT 0", "XADD x 1-1 f v", "XRANGE x - +", "DEL k", "TYPE z", "PING hello", "CONFIG GET save", "OBJECT FREQ k"]


@pytest.mark.parametrize("option", ["-2", "-3"])
def test_interactive(server, oracle_server, terminal, option):
    def session(of):
        with_prompt = terminal(of, option)
        said = [with_prompt.until(r"> ")]
        for line in LINES:
            with_prompt.type(line)
            said.append(with_prompt.until(PROMPT))
        return "".join(said).replace(str(of.port), "PORT")

    client = Client(oracle_server.address)
    client("FLUSHALL")
    expected = session(oracle_server)
    client("FLUSHALL")
    client.close()
    assert session(server) == expected


def test_hints(server, terminal):
    """The arguments that are shown while typing come from COMMAND DOCS."""
    typing = terminal(server, term="xterm")
    typing.until(PROMPT)
    os.write(typing.fd, b"zadd ")
    assert re.search(r"key .*NX\|? ?.*XX.*score member", typing.until(r"member \[score member"))


def test_pipe(server):
    commands = b"".join(request(["SET", f"k{i}", "v" * (i % 100)]) for i in range(20_000))
    code, output = run(server, "--pipe", stdin=commands)
    assert code == 0 and "errors: 0, replies: 20000" in output, output
    assert run(server, "DBSIZE") == (0, "20000\n")
    code, output = run(server, "--pipe", stdin=request(["SET", "k"]) + request(["LPUSH", "k1", "x"]) + request(["PING"]))
    assert "errors: 2, replies: 3" in output and "WRONGTYPE" in output, output


@pytest.fixture
def filled(server):
    client = Client(server.address)
    for i in range(300):
        client("SET", f"string:{i}", "x" * i)
        client("RPUSH", f"list:{i % 7}", i)
        client("SADD", f"set:{i % 5}", i)
        client("HSET", f"hash:{i % 3}", f"f{i}", i)
        client("ZADD", f"zset:{i % 3}", i, f"m{i}")
        client("XADD", "stream", f"{i + 1}-1", "f", i)
    client.close()
    return server


def test_scan(filled):
    code, output = run(filled, "--scan", "--pattern", "string:1?")
    assert code == 0 and sorted(output.split()) == [f"string:{i}" for i in range(10, 20)]
    code, output = run(filled, "--scan")
    assert len(set(output.split())) == 300 + 7 + 5 + 3 + 3 + 1


def test_bigkeys(filled):
    code, output = run(filled, "--bigkeys")
    assert code == 0 and "error" not in output.lower()
    summary = output[output.index("summary"):]
    assert "Sampled 319 keys in the keyspace" in summary
    assert "Biggest string found '\"string:299\"' has 299 bytes" in summary
    assert "Biggest   hash found '\"hash:" in summary and "Biggest stream found '\"stream\"' has 300 entries" in summary
    assert "300 strings with" in summary and "3 zsets with 300 members" in summary


def test_memkeys(filled):
    code, output = run(filled, "--memkeys")
    assert code == 0 and "Sampled 319 keys in the keyspace" in output and "error" not in output.lower()


def test_latency(server):
    """Not on a terminal, one line after the first interval."""
    code, output = run(server, "--latency", "-i", "0.1", "--raw")
    least, most, mean, count = output.split()
    assert code == 0 and float(least) <= float(mean) <= float(most) and int(count) > 0


def test_stat(server):
    with subprocess.Popen(["redis-cli", "-p", str(server.port), "--stat", "-i", "0.05"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, bufsize=1) as stat:
        lines = [stat.stdout.readline() for _ in range(6)]
        stat.terminate()
    assert "keys" in lines[1] and "clients" in lines[1], lines
    for line in lines[2:]:
        assert re.match(r"\d+ +[\d.]+[BKMG] +\d+ +\d+ +\d+ \(\+\d+\) +\d+", line), lines


def test_output_formats(server):
    run(server, "RPUSH", "l", "a b", "c")
    assert run(server, "--csv", "LRANGE", "l", "0", "-1") == (0, '"a b","c"\n')
    assert run(server, "--json", "HGETALL", "none")[1].strip() == "{}"
    assert run(server, "-x", "SET", "k", stdin=b"from stdin") == (0, "OK\n")
    assert run(server, "-n", "3", "DBSIZE") == (0, "0\n")
    assert run(server, "-e", "LPUSH", "k", "x")[0] == 1
    assert run(server, "-r", "3", "INCR", "n") == (0, "1\n2\n3\n")
