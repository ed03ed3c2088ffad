"""A snapshot is the state at one moment: money moved between accounts adds up in each one that was written under load."""
import random
import threading

import pytest

from carnelian.engine import Engine
from carnelian.persistence.loading import Loader
from tests.oracle.resp import CLOSED, NO_REPLY, Client, Error, request
from tests.persistence.process import Process

ACCOUNTS = 400
DEPOSIT = 1000
SNAPSHOTS = 4
SCRIPT = ("redis.call('INCRBY', KEYS[1], -ARGV[1]) redis.call('INCRBY', KEYS[2], ARGV[1]) "
          "redis.call('HINCRBY', 'purse', KEYS[1], -ARGV[1]) redis.call('HINCRBY', 'purse', KEYS[2], ARGV[1]) "
          "redis.call('RPOPLPUSH', 'left', 'right') redis.call('RENAME', KEYS[3], KEYS[4])")


@pytest.fixture
def directory(tmp_path):
    path = tmp_path / "data"
    path.mkdir()
    return path


def fill(server):
    client = server.client()
    requests = [("SET", f"account:{n}", DEPOSIT) for n in range(ACCOUNTS)]
    requests += [("HSET", "purse", f"account:{n}", DEPOSIT) for n in range(ACCOUNTS)]
    requests += [("ZADD", "ranked", DEPOSIT, f"account:{n}") for n in range(ACCOUNTS)]
    requests += [("RPUSH", "left", *range(1000)), ("SADD", "here", *range(500)), ("SET", "token:0", "only one")]
    requests += [("SET", f"fill:{n}", "x" * (n % 100)) for n in range(30000)]
    requests += [("SELECT", 1), ("SET", "elsewhere", DEPOSIT), ("SET", "moving", 1), ("SELECT", 0)]
    client.send_raw(b"".join(request(words) for words in requests))
    for _ in requests:
        assert not isinstance(client.read(), Error)


def move(server, seed, stop, failures):
    """Transfers, in transactions and in scripts, until told to stop."""
    chance = random.Random(seed)
    client = Client(("127.0.0.1", server.port), timeout=30)
    token = 0
    while not stop.is_set():
        data, replies = [], 0
        for _ in range(20):
            one, other = (f"account:{n}" for n in chance.sample(range(ACCOUNTS), 2))
            amount = chance.randrange(1, 50)
            if seed == 0:               # one client alone moves the token from name to name
                words = [("EVAL", SCRIPT, 4, one, other, f"token:{token % 7}", f"token:{(token + 1) % 7}", amount)]
                token += 1
            else:
                words = [("MULTI",), ("DECRBY", one, amount), ("INCRBY", other, amount), ("HINCRBY", "purse", one, -amount),
                         ("ZINCRBY", "ranked", amount, one), ("ZINCRBY", "ranked", -amount, other),
                         ("HINCRBY", "purse", other, amount), ("SMOVE", *chance.choice((("here", "there"), ("there", "here"))),
                                                               chance.randrange(500)),
                         ("LMOVE", *chance.choice((("left", "right"), ("right", "left"))), "RIGHT", "LEFT"),
                         ("DECRBY", one, 1), ("SELECT", 1), ("INCRBY", "elsewhere", 1), ("SELECT", 0), ("EXEC",)]
            data += map(request, words)
            replies += len(words)
        client.send_raw(b"".join(data))
        for _ in range(replies):
            reply = client.read()
            if isinstance(reply, Error) or reply in (CLOSED, NO_REPLY):
                failures.append(reply)
                return
    client.close()


def content(path):
    """What a snapshot has: its databases."""
    engine = Engine()
    loader = Loader(str(path), engine.store, engine.true_time())
    loader.advance(-1)
    for database in engine.store.databases:
        database._check()
    return engine.store.databases


def check(databases):
    first, second = databases[0], databases[1]
    items = set(first.keys(b"*"))
    money = sum(int(first.value(b"account:%d" % n)) for n in range(ACCOUNTS)) + int(second.value(b"elsewhere"))
    assert money == (ACCOUNTS + 1) * DEPOSIT
    assert sum(map(int, first.value(b"purse").pairs()[1::2])) == ACCOUNTS * DEPOSIT
    assert sum(map(float, first.value(b"ranked").items()[1::2])) == ACCOUNTS * DEPOSIT
    assert sum(len(first.value(key)) for key in (b"left", b"right") if key in items) == 1000
    assert sum(len(first.value(key)) for key in (b"here", b"there") if key in items) == 500
    assert sum(key.startswith(b"token:") for key in items) == 1
    assert sum(key.startswith(b"fill:") for key in items) == 30000


@pytest.mark.parametrize("word, arguments", [("BGSAVE", ("--save", "")), ("BGREWRITEAOF", ("--save", "", "--appendonly", "yes"))])
def test_every_snapshot_is_one_moment(directory, word, arguments):
    with Process(directory, *arguments) as server:
        fill(server)
        stop, failures = threading.Event(), []
        movers = [threading.Thread(target=move, args=(server, seed, stop, failures)) for seed in range(4)]
        for mover in movers:
            mover.start()
        try:
            for number in range(SNAPSHOTS):
                field = "rdb_saves" if word == "BGSAVE" else "aof_rewrites"
                before = int(server.info(field))
                assert not isinstance(server.ask(word), Error)
                assert server.until(lambda: int(server.info(field)) > before)
                if word == "BGSAVE":
                    check(content(directory / "dump.rdb"))
                else:
                    [path] = (directory / "appendonlydir").glob("*.base.rdb")
                    check(content(path))
        finally:
            stop.set()
            for mover in movers:
                mover.join()
        assert not failures
        server.process.kill()
        server.wait()
    if word == "BGREWRITEAOF":                              # and what was added to it
        with Process(directory, *arguments) as server:
            total = sum(map(int, server.ask("MGET", *(f"account:{n}" for n in range(ACCOUNTS)))))
            server.ask("SELECT", 1)
            assert total + int(server.ask("GET", "elsewhere")) == (ACCOUNTS + 1) * DEPOSIT
