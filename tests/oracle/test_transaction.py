"""MULTI, EXEC, DISCARD, WATCH, UNWATCH and what may stand between them."""


def test_exec(both):
    both("""
        MULTI
        SET a 1
        INCR a
        LPUSH a x
        GET a
        EXEC
        GET a
        MULTI
        EXEC
        EXEC
        DISCARD
        MULTI x
        EXEC x
    """)


def test_errors_while_queueing_abort(both):
    both("""
        MULTI
        SET a
        SET a 1
        EXEC
        EXISTS a
        MULTI
        NOSUCHWORD
        EXEC
        MULTI
        OBJECT NOSUCH x
        EXEC
        GET a
    """)


def test_nested_multi_and_watch_inside(both):
    both("""
        MULTI
        MULTI
        SET a 1
        EXEC
        MULTI
        WATCH a
        SET a 2
        EXEC
        GET a
    """)


def test_discard(both):
    both("""
        WATCH a
        MULTI
        SET a 1
        DISCARD
        EXISTS a
        2: SET a 5
        MULTI
        GET a
        EXEC
    """)


def test_watch(both):
    both("""
        SET a 1
        WATCH a
        2: SET a 2
        MULTI
        GET a
        EXEC
        WATCH a b
        2: SET b x
        MULTI
        PING
        EXEC
        WATCH a
        2: SET c x
        MULTI
        GET a
        EXEC
        WATCH a
        2: GET a
        MULTI
        GET a
        EXEC
        WATCH a
        2: SET a 2
        UNWATCH
        MULTI
        GET a
        EXEC
        WATCH a
        SET a 9
        MULTI
        GET a
        EXEC
        WATCH a
        EXEC
        MULTI
        GET a
        EXEC
        WATCH
        UNWATCH x
    """)


def test_watch_sees_every_kind_of_change(both):
    both("""
        RPUSH l 1 2
        WATCH l
        2: LPOP l
        MULTI
        EXEC
        WATCH l
        2: DEL l
        MULTI
        EXEC
        WATCH nothing
        2: DEL nothing
        MULTI
        EXEC
        SET a 1
        WATCH a
        2: RENAME a b
        MULTI
        EXEC
        WATCH b
        2: EXPIRE b 100
        MULTI
        EXEC
        WATCH b
        2: FLUSHALL
        MULTI
        EXEC
        WATCH b
        2: FLUSHALL
        MULTI
        EXEC
        SET b 1
        WATCH b
        2: SWAPDB 0 1
        MULTI
        EXEC
        2: SWAPDB 0 1
        SET x 1
        WATCH x
        2: SELECT 1
        2: SET x 2
        MULTI
        EXEC
    """)


def test_watch_and_expiry(both):
    both("""
        SET a 1 PX 20
        WATCH a
        DEBUG SLEEP 0.05
        MULTI
        PING
        EXEC
        DEBUG SET-ACTIVE-EXPIRE 0
        SET a 1 PX 20
        DEBUG SLEEP 0.05
        WATCH a
        MULTI
        PING
        EXEC
        DEBUG SET-ACTIVE-EXPIRE 1
    """)


def test_blocking_words_inside_do_not_block(both):
    both("""
        MULTI
        BLPOP l 0
        BRPOPLPUSH l m 0
        BLMOVE l m LEFT RIGHT 0
        BZPOPMIN z 0
        BLMPOP 0 1 l LEFT
        BZMPOP 0 1 z MIN
        XREAD BLOCK 0 STREAMS s 0
        EXEC
    """)


def test_a_transaction_wakes_waiters_at_its_end(both):
    both("""
        2> BLPOP l 0
        MULTI
        RPUSH l a
        RPUSH l b
        LLEN l
        EXEC
        2<
        LRANGE l 0 -1
        2> BLPOP l2 0
        MULTI
        RPUSH l2 a
        DEL l2
        EXEC
        RPUSH l2 c
        2<
    """)


def test_protocol_changes_within(both):
    both("""
        @2 MULTI
        @2 HSET h f v
        @2 HGETALL h
        @2 HELLO 3 SETNAME x
        @2 HGETALL h
        @2 %? EXEC
    """)


def test_reset_ends_it(both):
    both("""
        MULTI
        SET a 1
        @2 RESET
        @2 EXEC
        @2 GET a
    """)
