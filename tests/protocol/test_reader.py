"""The reader: requests cut anywhere, malformed ones, limits, memory."""
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carnelian.base.errors import ProtocolError
from carnelian.base.memory import used_memory
from carnelian.protocol.reader import Reader
from tests.oracle.resp import CLOSED, Client, Error, request

REQUESTS = [
    [b"PING"], [b"SET", b"key", b"value"], [b"", b""], [b"GET", b"\r\n$3\r\n*1\r\n"], [b"MSET", *[b"k%d" % i for i in range(200)]],
    [b"SET", b"k", b"x" * 9], [b"SET", b"k", b"x" * 10], [b"SET", b"k", b"x" * 99], [b"SET", b"k", b"x" * 100], [b"SET", b"k", b"x" * 999],
    [b"SET", b"k", b"x" * 1000], [b"SET", b"k", b"x" * 9999], [b"SET", b"k", b"x" * 10000], [bytes(range(256))], [b"a"] * 9, [b"a"] * 10,
    [b"a"] * 99, [b"a"] * 100, [b"a"] * 999, [b"a"] * 1000]


def encode(words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


def read(reader, pieces):
    """All requests, or those up to an error and its text."""
    taken = []
    for piece in pieces:
        try:
            reader.feed(piece)
            while True:
                reader._check()
                words = reader.take()
                if words is None:
                    break
                taken.append(words)
        except ProtocolError as error:
            return taken, str(error)
        reader._check()
    return taken, None


def cut(data, size):
    return [data[at:at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 1000, 16384, 10**9])
def test_requests_in_pieces(size):
    data = b"".join(map(encode, REQUESTS))
    assert read(Reader(), cut(data, size)) == (REQUESTS, None)


@pytest.mark.parametrize("words", REQUESTS)
def test_every_cut_in_two(words):
    data = encode(words) + encode([b"PING"])
    for at in {*range(min(len(data), 300)), *range(max(0, len(data) - 100), len(data)), *range(0, len(data), 997)}:
        assert read(Reader(), [data[:at], data[at:]]) == ([words, [b"PING"]], None)


@given(st.lists(st.lists(st.binary(max_size=40), min_size=1, max_size=12), max_size=8), st.randoms(), st.booleans())
def test_any_requests_in_any_pieces(requests, chance, trimming):
    data = b"".join(map(encode, requests))
    reader, taken, at = Reader(), [], 0
    while at < len(data):
        step = chance.choice([1, 2, 3, 10, 1000])
        reader.feed(data[at:at + step])
        at += step
        while (words := reader.take()) is not None:
            taken.append(words)
        reader._check()
        if trimming:
            reader.trim()
            reader._check()
    assert taken == requests
    assert reader.pending == 0


INLINE = [
    (b"PING\r\n", [b"PING"]), (b"PING\n", [b"PING"]), (b"\r\n", []), (b"   \n", []), (b"  SET  a\tb  \r\n", [b"SET", b"a", b"b"]),
    (b'SET k "two words"\n', [b"SET", b"k", b"two words"]), (b'"" \'\'\n', [b"", b""]), (b'a"b c"\n', [b"ab c"]),
    (b'"\\x41\\xfF\\n\\r\\t\\b\\a\\"\\q\\\\"\n', [b"A\xff\n\r\t\b\a\"q\\"]), (b"'\\n\\''\n", [b"\\n'"]), (b'"\\x4"\n', [b"x4"]), (b"a\rb\n", [b"a", b"b"]),
    (b"a\x0bb \x0b c\n", [b"a\x0bb", b"c"]), (b"a b\0c d\n", [b"a", b"b"]), (b"\\x41\n", [b"\\x41"]), (b"\0\n", [])]


@pytest.mark.parametrize("line, words", INLINE)
def test_inline(line, words):
    for size in (1, 2, 1000):
        assert read(Reader(), cut(line + b"PING\r\n", size)) == ([words, [b"PING"]], None)


def test_empty_requests_are_skipped():
    assert read(Reader(), [b"*0\r\n*-1\r\n*-5\r\nPING\r\n"]) == ([[], [], [], [b"PING"]], None)


def test_the_end_of_a_line_is_not_looked_at():
    """Redis takes two bytes for an end of line, whatever the second is, and skips two bytes after a word."""
    assert read(Reader(), [b"*1\rx$4\ryPINGzz"]) == ([[b"PING"]], None)


MALFORMED = [
    (b"*2147483648\r\n", "invalid multibulk length"), (b"*\r\n", "invalid multibulk length"), (b"*abc\r\n", "invalid multibulk length"),
    (b"*+1\r\n", "invalid multibulk length"), (b"*01\r\n", "invalid multibulk length"), (b"*1 \r\n", "invalid multibulk length"),
    (b"*99999999999999999999\r\n", "invalid multibulk length"), (b"*1\r\n$-1\r\n", "invalid bulk length"),
    (b"*1\r\n$536870913\r\n", "invalid bulk length"), (b"*1\r\n$04\r\nPING\r\n", "invalid bulk length"), (b"*1\r\n$\r\n", "invalid bulk length"),
    (b"*2\r\n$4\r\nECHO\r\n$x\r\n", "invalid bulk length"), (b"*1\r\n+PING\r\n", "expected '$', got '+'"), (b"*1\r\n*1\r\n", "expected '$', got '*'"),
    (b"*1\r\n\xffX\r\n", "expected '$', got '\udcff'"), (b"*1\r\n\nX\r\n", "expected '$', got '\n'"), (b'PING "a\r\n', "unbalanced quotes in request"),
    (b"PING 'a\r\n", "unbalanced quotes in request"), (b'PING "a"b\r\n', "unbalanced quotes in request"), (b'"\\\n', "unbalanced quotes in request"),
    (b"a" * 65537, "too big inline request"), (b"*" + b"1" * 65536, "too big mbulk count string"),
    (b"*1\r\n$" + b"1" * 65536, "too big bulk count string")]


@pytest.mark.parametrize("data, text", MALFORMED, ids=[repr(data[:20]) for data, _ in MALFORMED])
def test_malformed(data, text):
    for size in (1, 2, 10**9) if len(data) < 100 else (1000, 10**9):
        reader = Reader()
        assert read(reader, cut(encode([b"PING"]) + data, size)) == ([[b"PING"]], text)
        reader._check()
        assert reader.pending == 0


@pytest.mark.parametrize("data, text", MALFORMED, ids=[repr(data[:20]) for data, _ in MALFORMED])
def test_malformed_as_the_oracle_says(oracle_server, data, text):
    client = Client(oracle_server.address)
    client.send_raw(data)
    message = text.encode("utf-8", "surrogateescape").replace(b"\n", b" ")
    assert client.read() == Error(b"ERR Protocol error: " + message)
    assert client.read() is CLOSED


@pytest.mark.parametrize("line, words", [case for case in INLINE if case[1] and b"\0" not in case[0]])
def test_inline_as_the_oracle_reads_it(oracle_server, line, words):
    client = Client(oracle_server.address)
    client.send_raw(b"COMMAND GETKEYS DEL " + line)
    assert client.read() == words
    client.close()


def test_limits():
    reader = Reader()
    assert read(reader, [b"a" * 65536]) == ([], None)
    assert read(reader, [b"a"]) == ([], "too big inline request")
    reader = Reader()
    reader.bulk_limit = 10
    assert read(reader, [encode([b"x" * 10]), b"*1\r\n$11\r\n"]) == ([[b"x" * 10]], "invalid bulk length")
    reader = Reader()
    reader.query_buffer_limit = 1000
    assert read(reader, [b"*2\r\n$10\r\n", b"x" * 12, b"$100000\r\n", b"y" * 900]) == ([], None)
    assert read(reader, [b"y" * 100]) == ([], "")
    assert reader.pending == 0


def test_before_authentication():
    for data, text in ((b"*11\r\n", "unauthenticated multibulk length"), (b"*1\r\n$16385\r\n", "unauthenticated bulk length"),
                       (encode([b"a"] * 11), "unauthenticated multibulk length")):
        reader = Reader()
        reader.authenticated = False
        assert read(reader, [data]) == ([], text)
    reader = Reader()
    reader.authenticated = False
    words = [b"x" * 16384] * 10
    assert read(reader, [encode(words)]) == ([words], None)
    assert read(reader, [b"*1\r\n$4\r\n" + b"x" * (1 << 20)])[1] == ""


def test_memory_of_a_big_word():
    """The buffer grows up to the announced length: an announcement alone takes nothing, and nothing is over in the end."""
    reader = Reader()
    size = 20 << 20
    reader.feed(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n" % size)
    assert reader.take() is None
    assert reader.size_in_memory < 64 * 1024
    piece = b"x" * 65536
    for at in range(0, size, len(piece)):
        reader.feed(piece)
        assert reader.take() is None
        assert reader.size_in_memory <= max(3 * at, 512 * 1024)
    assert reader.size_in_memory <= size + 256 * 1024
    reader.feed(b"\r\n*1\r\n$4\r\nPING\r\n")
    words = reader.take()
    assert words[:2] == [b"SET", b"k"] and words[2] == b"x" * size
    assert reader.take() == [b"PING"]
    reader.feed(encode([b"PING"]))
    assert reader.take() == [b"PING"]
    assert reader.size_in_memory < 64 * 1024, "what the big word took is given back with the next request"


def test_idle_clients_give_back():
    before = used_memory()
    readers = [Reader() for _ in range(10)]
    for reader in readers:
        reader.feed(encode([b"a"] * 5000))
        assert len(reader.take()) == 5000
        reader.trim()
        assert reader.size_in_memory == 0
        reader._check()
    assert used_memory() == before
    for reader in readers:
        reader.feed(b"*2\r\n$4\r\nECHO\r\n")
        assert reader.take() is None
        reader.trim()
        reader.feed(b"$1\r\nx\r\n")
        assert reader.take() == [b"ECHO", b"x"]
    del readers, reader
    assert used_memory() == before


def test_a_long_line_is_searched_once():
    reader = Reader()
    for _ in range(65536):
        reader.feed(b"x")
        assert reader.take() is None
    reader.feed(b"\n")
    assert reader.take() == [b"x" * 65536]


def fuzz(seed, rounds):
    """Random and mutated bytes, in random pieces: nothing but requests or a ProtocolError, the same however it is cut."""
    chance = random.Random(seed)
    valid = b"".join(encode(words) for words in REQUESTS if sum(map(len, words)) < 1200) + b"".join(line for line, _ in INLINE)
    for _ in range(rounds):
        if chance.random() < 0.3:
            data = bytes(chance.choices(b"*$0123456789\r\n \"'\\xaA\0\xff-+", k=chance.randint(1, 200)))
        else:
            start = chance.randrange(len(valid))
            data = bytearray(valid[start:start + chance.randint(1, 2000)])
            for _ in range(chance.randint(0, 4)):
                at = chance.randrange(len(data))
                action = chance.random()
                if action < 0.5:
                    data[at] = chance.choice(b"*$0123456789\r\n\"\0\xff-")
                elif action < 0.75:
                    del data[at:at + chance.randint(1, 5)]
                    data += b"*"
                else:
                    data[at:at] = bytes(chance.choices(b"*$0123\r\n\"", k=3))
            data = bytes(data)
        whole = read(Reader(), [data])
        assert read(Reader(), cut(data, chance.choice([1, 2, 5, 50]))) == whole, data
        reader = Reader()
        reader.bulk_limit = 9000                    # this way goes past the one-pass reading
        assert read(reader, cut(data, chance.choice([1, 3, 1000]))) == whole or b"$" in data, data


def test_fuzz():
    fuzz(os.environ.get("FUZZ_SEED", "1"), 1500)


def test_fuzz_with_guarded_memory():
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", "from tests.protocol.test_reader import fuzz; fuzz('guarded', 800)"], cwd=root,
                          env=dict(os.environ, PYTHONMALLOC="debug", PYTHONPATH=str(root)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_requests_of_the_harness_are_ours():
    assert read(Reader(), [request(["SET", b"k", 1])]) == ([[b"SET", b"k", b"1"]], None)
