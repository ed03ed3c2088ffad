"""Client-side caching: CLIENT TRACKING, CACHING, GETREDIR, TRACKINGINFO, and the invalidations."""
import re

import pytest


@pytest.fixture
def three(both):
    """RESP3 alone: who tracks is told on the same connection."""
    if both.resp == 2:
        pytest.skip("pushes are RESP3's")
    return both


def test_usage(both):
    both("""
        CLIENT TRACKING
        CLIENT TRACKING foo
        CLIENT TRACKING on foo
        CLIENT TRACKING on REDIRECT
        CLIENT TRACKING on REDIRECT x
        CLIENT TRACKING on REDIRECT 0
        CLIENT TRACKING on REDIRECT 99999999
        CLIENT TRACKING foo REDIRECT 99999999
        CLIENT TRACKING on PREFIX
        CLIENT TRACKING on PREFIX a
        CLIENT TRACKING on BCAST OPTIN
        CLIENT TRACKING on OPTOUT BCAST
        CLIENT TRACKING on OPTIN OPTOUT
        CLIENT TRACKING on BCAST PREFIX a PREFIX b PREFIX ab
        CLIENT TRACKING on BCAST PREFIX a PREFIX a
        CLIENT TRACKING on BCAST PREFIX "" PREFIX a
        CLIENT TRACKING off foo
        CLIENT TRACKING off
        CLIENT GETREDIR
        CLIENT GETREDIR x
        CLIENT TRACKINGINFO
        CLIENT TRACKINGINFO x
        CLIENT CACHING
        CLIENT CACHING YES
        CLIENT CACHING foo
        CLIENT TRACKING ON bcast prefix a prefix b noloop
        CLIENT TRACKINGINFO
        CLIENT GETREDIR
        CLIENT TRACKING on
        CLIENT TRACKING on OPTIN
        CLIENT TRACKING on BCAST PREFIX ab
        CLIENT TRACKING on BCAST PREFIX ""
        CLIENT TRACKING on BCAST PREFIX c
        CLIENT TRACKINGINFO
        CLIENT TRACKING on BCAST
        CLIENT TRACKINGINFO
        CLIENT TRACKING off
        CLIENT TRACKINGINFO
        CLIENT TRACKING on
        CLIENT TRACKINGINFO
        CLIENT TRACKING on BCAST
        CLIENT CACHING YES
        CLIENT CACHING NO
        CLIENT CACHING foo
        CLIENT TRACKING on OPTIN
        CLIENT TRACKINGINFO
        CLIENT TRACKING on OPTOUT
        CLIENT CACHING NO
        CLIENT CACHING YES
        CLIENT TRACKINGINFO
        PING
        CLIENT TRACKINGINFO
        CLIENT TRACKING on
        CLIENT TRACKING on OPTOUT
        CLIENT CACHING YES
        CLIENT CACHING NO
        CLIENT TRACKINGINFO
        RESET
    """)


def flags(reply):
    fields = dict(field.split("=", 1) for field in reply[4 * reply.startswith(b"txt:"):].decode().split())
    return fields["flags"], int(fields["redir"]) > 0 or fields["redir"]


def test_client_list(both):
    for words, expected in [
            ("", ("N", "-1")), ("on", ("t", "0")), ("off", ("N", "-1")), ("on BCAST", ("tB", "0")),
            ("on BCAST NOLOOP REDIRECT $peer", ("tB", True)), ("off", ("N", "-1")), ("on REDIRECT $peer", ("t", True))]:
        script = "$peer: 2: CLIENT ID\n" + (f"CLIENT TRACKING {words}\n" if words else "") + "?? CLIENT INFO\n"
        assert flags(both(script)[-1]) == expected
    for side in both.sides:
        assert flags(side.client(1)("CLIENT", "INFO")) == expected
    both.resp = 2
    both("2: QUIT\n2<")
    for side in both.sides:
        side.clients[2].close()


def test_default_mode(three):
    three("""
        MSET a 1 b 2 c 3
        CLIENT TRACKING on
        GET a
        MGET b c missing
        2: SET a 2
        1<
        2: SET a 3
        1-
        2: SET missing x
        1<
        2: DEL b
        1<
        2: EXPIRE c 100
        1<
        GET c
        2: PERSIST c
        1<
        GET c
        2: RENAME c d
        1<
        1-
        SET q 1
        1-
        2: SET q 2
        1-
    """)


def test_all_databases_share_the_table(three):
    three("""
        CLIENT TRACKING on
        GET a
        2: SELECT 1
        2: SET a 1
        1<
    """)


def test_reading_words(three):
    three("""
        LPUSH l 1 2 3
        HSET h f v
        ZADD z 1 a
        XADD x 1-1 f v
        SET s abc
        SADD t a
        CLIENT TRACKING on
        LRANGE l 0 -1
        HGET h f
        ZRANGE z 0 -1
        XREAD STREAMS x 0
        STRLEN s
        TYPE l
        SISMEMBER t a
        2: RPUSH l 4
        1<
        2: HSET h g w
        1<
        2: ZADD z 2 b
        1<
        2: XADD x 1-2 f v
        1<
        2: APPEND s d
        1<
        2: SADD t b
        1<
        GET l
        2: RPUSH l 5
        1<
        SORT_RO l
        2: RPUSH l 6
        1<
        ?? OBJECT ENCODING l
        2: RPUSH l 7
        1<
        ZUNION 2 z nothing
        2: ZADD nothing 1 a
        1<
        ?? SCAN 0
        ?? KEYS *
        ?? RANDOMKEY
        DBSIZE
        2: SET new 1
        1-
        GETEX s
        GETDEL s
        INCR counter
        2: INCR counter
        1-
    """)


def test_own_changes_come_after_the_reply(three):
    three("""
        CLIENT TRACKING on
        GET a
        SET a 1
        1<
        MGET a b
        MSET a 2 b 3
        1<
        1<
        1-
        GET a
        MULTI
        SET a 1
        GET a
        SET a 2
        EXEC
        1<
        1-
        SET a 3
        1-
        MULTI
        GET a
        GET b
        EXEC
        2: SET b 1
        1<
        GETSET a 4
        1<
    """)


def test_noloop(three):
    three("""
        CLIENT TRACKING on NOLOOP
        GET a
        SET a 1
        1-
        2: SET a 2
        1-
        GET a
        2: SET a 3
        1<
        GET a
        FLUSHALL
        1<
    """)


def test_flush(three):
    three("""
        CLIENT TRACKING on
        2: CLIENT TRACKING on BCAST
        GET a
        FLUSHALL
        1<
        2<
        1-
        GET a
        3: FLUSHDB
        1<
        2<
        3: SET a 1
        2<
        1-
        GET a
        3: SWAPDB 0 1
        1-
        MULTI
        FLUSHALL
        GET a
        EXEC
        1<
        2<
        3: SET a 1
        2<
        1-
    """)


def test_optin(three):
    three("""
        CLIENT TRACKING on OPTIN
        GET a
        2: SET a 1
        1-
        CLIENT CACHING yes
        CLIENT TRACKINGINFO
        CLIENT GETREDIR
        GET a
        GET b
        2: MSET a 1 b 1
        1<
        1-
        CLIENT CACHING yes
        MULTI
        GET a
        GET b
        EXEC
        GET c
        2: SET a 2
        1<
        2: SET b 2
        1<
        2: SET c 2
        1-
        CLIENT CACHING yes
        FOO
        GET a
        2: SET a 3
        1-
        CLIENT CACHING yes
        PING
        GET a
        2: SET a 3
        1-
        MULTI
        CLIENT CACHING yes
        GET a
        EXEC
        GET b
        2: SET a 3
        1<
        2: SET b 3
        1-
    """)


def test_optout(three):
    three("""
        CLIENT TRACKING on OPTOUT
        GET a
        CLIENT CACHING no
        GET b
        GET c
        2: SET a 1
        1<
        2: SET b 1
        1-
        2: SET c 1
        1<
    """)


def test_broadcast(three):
    three("""
        CLIENT TRACKING on BCAST
        2: SET a 1
        1<
        2: SET a 1
        1<
        SET b 1
        1<
        2: MSET z 1 a 2 m 3
        1<
        1-
        2: GET a
        1-
        2: DEL nothing
        1-
        MULTI
        SET x 1
        SET b 1
        EXEC
        1<
        1-
    """)


def test_broadcast_of_prefixes(three):
    three("""
        CLIENT TRACKING on BCAST PREFIX a: PREFIX b:
        2: CLIENT TRACKING on BCAST NOLOOP PREFIX a: PREFIX c
        3: SET a:1 1
        1<
        2<
        3: MSET b:1 2 b:2 3 d 4
        1<
        1-
        2-
        3: SET c:1 3
        2<
        1-
        2: MSET a:1 1 a:2 2
        1<
        2-
        2: MULTI
        2: SET a:1 1
        2: SET c:1 1
        2: EXEC
        1<
        2-
        CLIENT TRACKING off
        3: SET a:1 1
        1-
        2<
    """)


def test_expiry(three):
    three("""
        DEBUG SET-ACTIVE-EXPIRE 0
        SET a 1 PX 1
        CLIENT TRACKING on
        2: CLIENT TRACKING on BCAST
        2: PING
        SET a 1 PX 1
        2<
        GET a
        GET b
        DEBUG SLEEP 0.01
        3: EXISTS a
        1<
        2<
        GET b
        SET b 1 PX 20
        1<
        2<
        GET b
        DEBUG SLEEP 0.03
        GET b
        1<
        2<
        3: SET b 2
        1<
        2<
    """)


def test_expiry_found_by_oneself(three):
    three("""
        DEBUG SET-ACTIVE-EXPIRE 0
        CLIENT TRACKING on NOLOOP
        SET a 1 PX 5
        STRLEN a
        DEBUG SLEEP 0.02
        GET a
        1-
    """)


def test_eviction(three):
    three("""
        SET a 1
        CLIENT TRACKING on
        GET a
        2: CONFIG SET maxmemory-policy allkeys-random maxmemory 1
        2: PING
        1<
        2: CONFIG SET maxmemory 0
    """)


def test_blocking(three):
    three("""
        CLIENT TRACKING on
        LPUSH l a
        LRANGE l 0 -1
        BLPOP l 0
        1<
        LRANGE l 0 -1
        1> BLPOP l 0
        2: RPUSH l x y
        1<
        1<
        1-
    """)


def test_keys_read_by_scripts(three):
    three("""
        CLIENT TRACKING on
        EVAL "return redis.call('GET', KEYS[1])" 1 a
        2: SET a 1
        1<
        EVAL_RO "return redis.call('GET', KEYS[1])" 1 b
        2: SET b 1
        1<
        EVAL "redis.call('GET', KEYS[1]); redis.call('SET', KEYS[1], 2); return 7" 1 a
        1<
        1-
    """)


def test_redirection(both):
    both("""
        $peer: 2: CLIENT ID
        2: SUBSCRIBE __redis__:invalidate
        CLIENT TRACKING on REDIRECT $peer
        ? CLIENT GETREDIR
        ? CLIENT TRACKINGINFO
        GET a
        3: SET a 1
        2<
        MGET a b
        SET b 1
        2<
        FLUSHALL
        2<
        1-
        CLIENT TRACKING off
        CLIENT TRACKING on BCAST REDIRECT $peer
        3: MSET a 1 b 2
        2<
        CLIENT TRACKING on BCAST
        3: MSET a 1
        @3 1<
        2-
    """)


def test_redirection_to_an_unsubscribed_client(both):
    both("""
        $peer: 2: CLIENT ID
        CLIENT TRACKING on REDIRECT $peer
        GET a
        3: SET a 1
        @2 2-
        @3 2<
        GET a
        @2 2: SUBSCRIBE whatever
        3: SET a 1
        2<
    """)


def test_broken_redirection(both):
    both("""
        $peer: 2: CLIENT ID
        CLIENT TRACKING on REDIRECT $peer
        GET a
        2: QUIT
        2<
        3: SET a 1
        @3 ? 1<
        ? CLIENT TRACKINGINFO
        GET a
        3: SET a 1
        @3 ? 1<
        CLIENT TRACKING on
        CLIENT TRACKINGINFO
        CLIENT TRACKING on REDIRECT $peer
    """)


def test_off_and_reset(three):
    three("""
        CLIENT TRACKING on
        GET a
        CLIENT TRACKING off
        2: SET a 1
        1-
        CLIENT TRACKING on
        GET a
        RESET
        ?? HELLO 3
        2: SET a 1
        1-
        CLIENT TRACKINGINFO
    """)


def test_silent_clients_are_told(three):
    three("""
        CLIENT TRACKING on
        GET a
        1> CLIENT REPLY off
        2: SET a 1
        1<
        1> GET a
        1> SET a 2
        1<
        1-
    """)


def figures(side):
    reply = side.ask("INFO", "everything").decode()
    return dict(re.findall(r"^(tracking_\w+):(\d+)", reply, re.M))


def test_figures(three):
    both = three
    both("""
        4: PING
        CLIENT TRACKING on
        2: CLIENT TRACKING on
        3: CLIENT TRACKING on BCAST PREFIX a PREFIX b
        MGET a b c
        2: MGET c d
    """)
    found = [figures(side) for side in both.sides]
    assert found[0] == found[-1] == {"tracking_clients": "3", "tracking_total_keys": "4", "tracking_total_items": "5",
                                     "tracking_total_prefixes": "2"}
    both("4: SET c 1\n1<\n2<\n3: CLIENT TRACKING OFF")
    found = [figures(side) for side in both.sides]
    assert found[0] == found[-1] == {"tracking_clients": "2", "tracking_total_keys": "3", "tracking_total_items": "3",
                                     "tracking_total_prefixes": "0"}


def test_full_table(three):
    """Which keys are dropped is chance in Redis, but that they are, and are told of, is not."""
    for side in three.sides:
        side.watch_settings([b"CONFIG"])
        side.ask("CONFIG", "SET", "tracking-table-max-keys", "10")
        client = side.client(1)
        assert client("CLIENT", "TRACKING", "ON") == b"OK"
        for number in range(100):
            client.send_raw(b"GET k%d\r\n" % number)
        pushes = replies = 0
        client.send_raw(b"PING\r\n")
        while replies < 101:
            if isinstance(client.read(), list):
                pushes += 1
            else:
                replies += 1
        assert 89 <= pushes <= 90
        assert figures(side)["tracking_total_keys"] in ("10", "11")
