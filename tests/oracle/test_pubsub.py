"""Publish and subscribe against the oracle."""
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle.harness import sequence


def test_channels(both):
    both('''
        2: SUBSCRIBE news sport
        2<
        3: SUBSCRIBE news
        PUBLISH news "hello \\r\\n world"
        PUBLISH sport 1
        PUBLISH nobody x
        2<
        2<
        3<
        2: UNSUBSCRIBE sport
        PUBLISH sport 2
        2-
        2: UNSUBSCRIBE nowhere
        2: SUBSCRIBE news
        2: UNSUBSCRIBE
        PUBLISH news x
        3<
        2: PING
        2-
    ''')


def test_patterns(both):
    both('''
        2: PSUBSCRIBE n* h?llo
        2<
        3: PSUBSCRIBE *
        3: SUBSCRIBE news
        PUBLISH news 1
        2<
        3<
        3<
        PUBLISH hallo 2
        2<
        3<
        PUBLISH other 3
        2-
        3<
        2: PSUBSCRIBE n*
        2: PUNSUBSCRIBE n*
        2: PUNSUBSCRIBE nothing
        2: PUNSUBSCRIBE
        2: PUNSUBSCRIBE
        PUBLISH news 4
        3<
        3<
        2-
    ''')


def test_counts(both):
    """Channels and patterns are counted together, shard channels apart."""
    both('''
        2: SUBSCRIBE a b
        2<
        2: PSUBSCRIBE c
        2: SSUBSCRIBE d e
        2<
        2: SUBSCRIBE f
        2: SUNSUBSCRIBE d
        2: SUNSUBSCRIBE
        2: SUNSUBSCRIBE
        2: PUNSUBSCRIBE
        2: UNSUBSCRIBE a
        2: UNSUBSCRIBE b
        2: UNSUBSCRIBE f
        2: UNSUBSCRIBE
        2: UNSUBSCRIBE x y
        2<
    ''')


def test_shard_channels(both):
    both('''
        2: SSUBSCRIBE a
        3: SUBSCRIBE a
        4: PSUBSCRIBE *
        SPUBLISH a 1
        2<
        3-
        4-
        PUBLISH a 2
        2-
        3<
        4<
        2: SUNSUBSCRIBE a
        SPUBLISH a 3
    ''')


def test_questions(both):
    both('''
        PUBSUB CHANNELS
        PUBSUB NUMPAT
        2: SUBSCRIBE a ab b
        2<
        2<
        3: SUBSCRIBE a
        3: PSUBSCRIBE x* y*
        3<
        2: PSUBSCRIBE x*
        4: SSUBSCRIBE s t
        4<
        % PUBSUB CHANNELS
        % PUBSUB CHANNELS a*
        PUBSUB CHANNELS nothing
        PUBSUB NUMSUB a b c a
        PUBSUB NUMSUB
        PUBSUB NUMPAT
        % PUBSUB SHARDCHANNELS
        PUBSUB SHARDCHANNELS s
        PUBSUB SHARDNUMSUB s a
        PUBSUB SHARDNUMSUB
        % pubsub channels ?
        3: UNSUBSCRIBE
        PUBSUB NUMSUB a b
    ''')


def test_errors(both):
    both('''
        PUBLISH a
        PUBLISH a b c
        SPUBLISH a
        SUBSCRIBE
        PSUBSCRIBE
        SSUBSCRIBE
        PUBSUB
        PUBSUB FOO
        PUBSUB CHANNELS a b
        PUBSUB channels a b
        PUBSUB SHARDCHANNELS a b
        PUBSUB NUMPAT x
        PUBSUB HELP x
        ?? PUBSUB HELP
    ''')


def test_nothing_to_unsubscribe_from(both):
    both('''
        UNSUBSCRIBE
        UNSUBSCRIBE a b
        1<
        PUNSUBSCRIBE
        PUNSUBSCRIBE a
        SUNSUBSCRIBE
        SUNSUBSCRIBE a
        PING
    ''')


def test_the_subscribed_mode_of_resp2(both):
    both('''
        SUBSCRIBE a
        @2 PING
        @2 PING text
        PING x y
        @2 GET x
        @2 get x
        GET
        @2 CLIENT ID
        CLIENT FOO
        NOWORD x
        @2 HELLO 3
        @2 MULTI
        @2 PUBLISH a b
        @3 PING
        @3 PING text
        @3 GET x
        @3 ECHO x
        PSUBSCRIBE b
        SSUBSCRIBE c
        UNSUBSCRIBE
        PUNSUBSCRIBE
        @2 PING
        SUNSUBSCRIBE
        PING
        GET x
        SUBSCRIBE a
        RESET
        PING
        GET x
        PUBSUB CHANNELS
        SUBSCRIBE a
        QUIT
        1<
    ''')


def test_in_a_transaction(both):
    both('''
        MULTI
        SUBSCRIBE a
        PSUBSCRIBE b
        UNSUBSCRIBE a
        PUNSUBSCRIBE
        PUBLISH a x
        EXEC
        PING
    ''')


def test_unsubscribed_by_leaving(both):
    both('''
        2: SUBSCRIBE a
        2: PSUBSCRIBE b
        2: SSUBSCRIBE c
        2: QUIT
        2<
        PUBSUB CHANNELS
        PUBSUB NUMPAT
        PUBSUB SHARDCHANNELS
        PUBLISH a x
        3: SUBSCRIBE a
        3: RESET
        PUBLISH a x
    ''')


def test_ones_own_message_follows_the_reply(both):
    """Redis 7.0 sends it before, even into the reply of EXEC; 7.2 after."""
    if both.resp == 2 or both.carnelian is None:
        return
    client = both.carnelian.client(1)
    assert client("SUBSCRIBE", "a") == [b"subscribe", b"a", 1]
    assert client("PUBLISH", "a", "x") == 1
    assert client.read() == [b"message", b"a", b"x"]
    for words in (["MULTI"], ["PUBLISH", "a", "y"], ["ECHO", "z"]):
        client(*words)
    assert client("EXEC") == [1, b"z"]
    assert client.read() == [b"message", b"a", b"y"]


NAMES = st.sampled_from([b"a", b"b", b"ab", b"*", b"[", b"a*", b"?", b"[a-b]*", b"\\*"])


@given(st.lists(st.tuples(st.sampled_from([b"SUBSCRIBE", b"UNSUBSCRIBE", b"PSUBSCRIBE", b"PUNSUBSCRIBE", b"SSUBSCRIBE",
                                           b"SUNSUBSCRIBE"]), NAMES), max_size=30))
def test_sequences(both, commands):
    sequence(both, [*commands, [b"PING"]])
    both('''
        PUBSUB NUMPAT
        PUBSUB NUMSUB a b ab "*"
        PUBSUB SHARDNUMSUB a b ab "*"
        2: PUBLISH ab x
    ''' if both.resp == 3 else '''
        2: PUBSUB NUMPAT
        2: PUBSUB NUMSUB a b ab "*"
        2: PUBSUB SHARDNUMSUB a b ab "*"
    ''')
