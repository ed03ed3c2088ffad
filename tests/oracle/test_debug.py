"""DEBUG against the oracle: above all that the same data have the same signature."""
import random

import pytest

from tests.oracle.harness import sequence


def test_arguments(both):
    both(r"""
        DEBUG
        DEBUG NOTHING
        DEBUG Object
        DEBUG OBJECT nothing
        DEBUG OBJECT a b
        DEBUG DIGEST x
        DEBUG SLEEP
        DEBUG SLEEP x
        DEBUG SLEEP 0
        DEBUG SET-ACTIVE-EXPIRE
        DEBUG SET-ACTIVE-EXPIRE 1
        DEBUG SET-ACTIVE-EXPIRE x
        DEBUG SET-ACTIVE-EXPIRE 1
        DEBUG POPULATE
        DEBUG POPULATE x
        DEBUG POPULATE -1
        DEBUG POPULATE 1 a b
        DEBUG POPULATE 1 a b c
        DEBUG ERROR
        DEBUG ERROR "MYERR some text"
        DEBUG ERROR "MYERR \nline"
        DEBUG LOG hello
        DEBUG CHANGE-REPL-ID
        DEBUG PAUSE-CRON 1
        DEBUG PAUSE-CRON 0
        DEBUG PAUSE-CRON
        DEBUG QUICKLIST-PACKED-THRESHOLD 100b
        DEBUG QUICKLIST-PACKED-THRESHOLD 5gb
        DEBUG QUICKLIST-PACKED-THRESHOLD x
        DEBUG QUICKLIST-PACKED-THRESHOLD 0
        DEBUG REPLYBUFFER PEAK-RESET-TIME NEVER
        DEBUG REPLYBUFFER PEAK-RESET-TIME 100
        DEBUG REPLYBUFFER PEAK-RESET-TIME x
        DEBUG REPLYBUFFER PEAK-RESET-TIME RESET
        DEBUG REPLYBUFFER RESIZING 0
        DEBUG REPLYBUFFER RESIZING 1
        DEBUG REPLYBUFFER NOTHING 1
        DEBUG REPLYBUFFER
        DEBUG JMAP
        ?? DEBUG HELP
        = DEBUG STRINGMATCH-LEN 10 a*a -> 1
        = DEBUG STRINGMATCH-LEN 10 a*b -> 0
    """)


@pytest.mark.parametrize("kind", "string integer double bignum null array set map attrib push verbatim true false nothing".split())
def test_protocol(both, kind):
    both(f"DEBUG PROTOCOL {kind}" + ("\n@3 1<" if kind == "push" else ""))


def test_tables(both):
    both("""
        ?? DEBUG HTSTATS 0
        DEBUG POPULATE 100
        ?? DEBUG HTSTATS 0
        DEBUG HTSTATS 99
        DEBUG HTSTATS x
        DEBUG HTSTATS
        DEBUG HTSTATS-KEY nothing
        DEBUG HTSTATS-KEY key:1
        SADD s 1
        DEBUG HTSTATS-KEY s
        ZADD z 1 a
        DEBUG HTSTATS-KEY z
        CONFIG SET set-max-intset-entries 0
        CONFIG SET zset-max-listpack-entries 0
        CONFIG SET hash-max-listpack-entries 0
        HSET h f v
        ?? DEBUG HTSTATS-KEY h
        ZADD z2 1 a
        ?? DEBUG HTSTATS-KEY z2
        RPUSH l a
        DEBUG HTSTATS-KEY l
        DEBUG SDSLEN nothing
        DEBUG SDSLEN l
        ?? DEBUG SDSLEN key:1
    """)


def test_populate(both):
    both("""
        SET key:1 mine
        DEBUG POPULATE 3
        % KEYS *
        GET key:0
        GET key:1
        DEBUG POPULATE 2 other 20
        GET other:1
        DEBUG POPULATE 2 third 3
        GET third:1
        DEBUG POPULATE 2 fourth 0
        GET fourth:1
        DBSIZE
        DEBUG DIGEST
    """)


def test_objects(both):
    both("SET k 12345\nSET big " + "x" * 100 + "\nHSET h f v\nRPUSH l a\nSADD s 1\nZADD z 1 a")
    for key in ("k", "big", "h", "s", "z"):
        encodings = []
        for side in both.sides:
            text = side.ask("DEBUG", "OBJECT", key)
            assert text.startswith(b"Value at:0x")
            encodings.append([part.split(b":")[0] for part in text.split()[2:]] + [text.split()[3]])
        assert encodings[0] == encodings[-1]


def test_digest(both):
    both(r"""
        DEBUG DIGEST
        SET k "\x00\xff"
        DEBUG DIGEST
        SET n 12345
        RPUSH l a b c 1 2 3 ""
        SADD s 1 2 3
        SADD t a b c
        HSET h f v g w "" ""
        ZADD z 1 a 2.5 b inf c -inf d 0.1 e 3 f 1e100 g
        XADD x 1-1 f v g w
        XADD x 2-1 f v
        XADD x 3-0 other 1
        XDEL x 2-1
        DEBUG DIGEST
        DEBUG DIGEST-VALUE k n l s t h z x nothing
        DEBUG DIGEST-VALUE
        EXPIRE k 1000
        DEBUG DIGEST
        DEBUG DIGEST-VALUE k
        SELECT 5
        SET k "\x00\xff"
        DEBUG DIGEST
        DEL k
        DEBUG DIGEST
        SELECT 0
        LPOP l
        DEBUG DIGEST
        FLUSHALL
        DEBUG DIGEST
    """)


def test_digest_of_large_values(both):
    chance = random.Random(1)
    words = [b"%d" % chance.randrange(10**6) for _ in range(700)] + [bytes(chance.randbytes(9)) for _ in range(700)]
    commands = [["RPUSH", "l", *words], ["SADD", "s", *words], ["HSET", "h", *words],
                ["ZADD", "z", *(part for word in words for part in (repr(chance.uniform(-1e9, 1e9)), word))],
                *(["XADD", "x", f"{at}-{at % 3}", "field", word] for at, word in enumerate(words[::10], 1)),
                ["DEBUG", "DIGEST-VALUE", "l", "s", "h", "z", "x"], ["DEBUG", "DIGEST"]]
    sequence(both, commands)


@pytest.mark.parametrize("setting", ["no", "local", "yes"])
def test_is_allowed(both_with, setting):
    both_with("--enable-debug-command", setting)("""
        DEBUG SLEEP 0
        DEBUG
        DEBUG NOTHING
        CONFIG SET enable-debug-command yes
    """)
