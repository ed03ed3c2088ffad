"""Keyspace notifications: which events, of which class, in which order."""
import pytest


@pytest.mark.parametrize("flags", ["KEA", "K$lg", "Ehz", "KEx", "KEsn", "KEm"])
def test_events(both, flags):
    events = """
        SET a 1
        SET a 2 EX 100
        APPEND a x
        SETRANGE a 0 y
        GETSET a 5
        INCR a
        INCRBYFLOAT a 1.5
        GETDEL a
        MSET b 1 c 2
        EXPIRE b 100
        PERSIST b
        RENAME b d
        COPY d e
        MOVE e 1
        EXPIRE d -1
        DEL c nosuch
        LPUSH l 1 2 3
        LPOP l
        RPOP l
        LSET l 0 x
        LTRIM l 5 6
        RPUSH m 1 2 3
        LINSERT m BEFORE 2 x
        LREM m 0 x
        LMOVE m n LEFT RIGHT
        SADD s 1 2 3
        SADD s 1
        SREM s 1
        SPOP s 5
        SADD s a b
        SMOVE s t a
        SUNIONSTORE u s t
        SINTERSTORE u s nosuch
        HSET h f 1 g 2
        HINCRBY h f 1
        HINCRBYFLOAT h f 1
        HDEL h f
        HDEL h g
        ZADD z 1 a 2 b
        ZINCRBY z 1 a
        ZREM z a
        ZPOPMIN z
        ZADD z 1 a 2 b
        ZREMRANGEBYRANK z 0 -1
        ZUNIONSTORE z2 1 z
        XADD x 1-1 f v
        XADD x MAXLEN 1 1-2 f v
        XGROUP CREATE x g 0
        XGROUP CREATECONSUMER x g c
        XREADGROUP GROUP g d STREAMS x >
        XDEL x 1-2
        XGROUP DELCONSUMER x g c
        XGROUP DESTROY x g
        XSETID x 9-9
        XTRIM x MAXLEN 0
        RPUSH o 2 1
        SORT o STORE p
        GET nosuch
        EXISTS nosuch2
    """
    both(f"CONFIG SET notify-keyspace-events {flags}")
    heard = []
    for side in both.sides:
        listener = side.client(2)
        for words in (("PSUBSCRIBE", "__key*"), ("SUBSCRIBE", "mark")):
            listener(*words)
        heard.append([events_of(side, listener, line.split()) for line in events.strip().splitlines()])
    for line, *found in zip(events.strip().splitlines(), *heard):
        assert all(one == found[0] for one in found), (line, found)


def events_of(side, listener, words):
    """What the listener is told until it hears the mark."""
    side.client(1)(*words)
    side.client(1)("PUBLISH", "mark", "")
    told = []
    while True:
        message = listener.read()
        if message[0] == b"message":
            return told
        told.append(tuple(message[1:]))
