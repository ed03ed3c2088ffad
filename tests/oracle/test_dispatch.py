"""What is checked before a word runs, and in which order."""


def test_unknown_words(both):
    both(r"""
        NOSUCH
        NOSUCH a b c
        nosuch "with space" "\r\n" "\x00\xff"
        aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa x
        NOSUCH aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbb
        NOSUCH aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbb
        ""
        "" a
    """)


def test_unknown_subcommands_and_arity(both):
    both("""
        OBJECT
        OBJECT nosuch
        OBJECT nosuch a b c
        OBJECT ENCODING
        OBJECT ENCODING a b
        object encoding
        XGROUP nosuch
        CLIENT nosuch x
        CONFIG nosuch
        GET
        GET a b
        get
        SET a
        MSET a
        CLIENT
        CLIENT ID x
    """)


def test_authentication(both):
    both("""
        CONFIG SET requirepass secret
        @2 2: PING
        @2 2: GET a
        @2 2: NOSUCH
        @2 2: GET
        @2 2: AUTH wrong
        @2 2: AUTH
        @2 2: AUTH default wrong
        @2 2: AUTH nobody secret
        @2 2: HELLO 2
        @2 2: MULTI
        @2 2: AUTH secret
        @2 2: PING
        @2 3: AUTH default secret
        @2 3: GET a
        @2 5: HELLO 3
        @2 5: HELLO 3 AUTH default wrong
        @2 5: HELLO 4 AUTH default secret
        @2 ? 5: HELLO 3 AUTH default secret SETNAME me
        @2 5: GET a
        CONFIG SET requirepass ""
        4: PING
        4: AUTH x
        4: AUTH default x
    """)


def test_reply_off_and_skip(both):
    both("""
        1> CLIENT REPLY SKIP
        2: PING
        1> SET a 1
        GET a
        1> CLIENT REPLY OFF
        1> SET a 2
        1> NOSUCH
        CLIENT REPLY ON
        GET a
    """)


def test_pause(both):
    both("""
        CLIENT PAUSE 60000 WRITE
        2: GET a
        2> SET a 1
        GET a
        CLIENT UNPAUSE
        2<
        GET a
        CLIENT PAUSE 30
        2: GET a
        CLIENT PAUSE x
        CLIENT PAUSE -1
        CLIENT PAUSE 1 NOSUCH
    """)


def test_monitor(both):
    shown = []
    for side in both.sides:
        watcher = side.client(2)
        assert watcher("MONITOR") == b"OK"
        client = side.client(1)
        for words in (("SET", "a", "x y"), ("get", b"a\x00\xff\n\"\\"), ("NOSUCH", "a"), ("GET",), ("MULTI",), ("INCR", "n"), ("EXEC",),
                      ("CONFIG", "GET", "port"), ("PING",)):
            client(*words)
        lines = []
        while not lines or b"PING" not in lines[-1]:
            lines.append(watcher.read().split(b" ", 1)[1].split(b"] ")[1])
        shown.append(lines)
    assert all(lines == shown[0] for lines in shown)
