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
        2: PING
        2: GET a
        2: NOSUCH
        2: GET
        2: AUTH wrong
        2: AUTH
        2: AUTH default wrong
        2: AUTH nobody secret
        2: HELLO 2
        2: MULTI
        2: AUTH secret
        2: PING
        3: AUTH default secret
        3: GET a
        CONFIG SET requirepass ""
        4: PING
        4: AUTH x
        4: AUTH default x
    """)


def test_reply_off_and_skip(both):
    both("""
        CLIENT REPLY SKIP
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
        CLIENT PAUSE 60000 ALL
        2> GET a
        CLIENT UNPAUSE
        2<
        CLIENT PAUSE 30
        2: GET a
        CLIENT PAUSE x
        CLIENT PAUSE -1
        CLIENT PAUSE 1 NOSUCH
    """)


def test_monitor(both):
    both("""
        2: MONITOR
        SET a "x y"
        GET a
        2- 
    """.replace("        2- \n", ""))
