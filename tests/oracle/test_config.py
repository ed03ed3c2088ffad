"""CONFIG against the oracle. (Values, files and all error texts: tests/server/test_config.py.)"""


def test_get(both):
    both("""
        CONFIG GET maxmemory
        CONFIG GET MAXMEMORY
        % CONFIG GET maxmemory-s* slowlog-*
        % CONFIG GET zset-max-*
        CONFIG GET nothing
        CONFIG GET no*thing
        CONFIG GET timeout timeout
        CONFIG GET
        CONFIG
        CONFIG GETT x
        CONFIG get timeout
        = CONFIG GET set-max-listpack-entries set-max-listpack-value -> {"set-max-listpack-entries": "128", "set-max-listpack-value": "64"}
    """)


def test_set(both):
    both("""
        CONFIG SET maxmemory 100mb timeout 7
        % CONFIG GET maxmemory timeout
        CONFIG SET maxmemory 1mb timeout x
        % CONFIG GET maxmemory timeout
        CONFIG SET Timeout 8
        CONFIG GET timeout
        CONFIG SET hash-max-ziplist-entries 5
        CONFIG GET hash-max-listpack-entries
        CONFIG SET
        CONFIG SET timeout
        CONFIG SET timeout 1 maxmemory
        CONFIG SET nothing 1
        CONFIG SET timeout 1 timeout 2
        CONFIG SET databases 5
        CONFIG SET dir /
        CONFIG SET maxmemory-policy allkeys-lru
        CONFIG SET maxmemory-policy none
        CONFIG SET client-output-buffer-limit "pubsub 1mb 2mb 60"
        CONFIG GET client-output-buffer-limit
        CONFIG SET notify-keyspace-events KEg$
        CONFIG GET notify-keyspace-events
        CONFIG SET notify-keyspace-events q
        CONFIG SET slowlog-max-len -1
        CONFIG SET appendonly maybe
    """)


def test_effects(both):
    both("""
        CONFIG SET hash-max-listpack-entries 2
        HSET h a 1 b 2
        OBJECT ENCODING h
        HSET h c 3
        OBJECT ENCODING h
        CONFIG SET zset-max-listpack-value 3
        ZADD z 1 abc
        OBJECT ENCODING z
        ZADD z 1 abcd
        OBJECT ENCODING z
        CONFIG SET set-max-intset-entries 2
        SADD s 1 2
        OBJECT ENCODING s
        CONFIG SET maxmemory 1
        SET k v
        GET k
        CONFIG SET maxmemory 0
        SET k v
        CONFIG SET proto-max-bulk-len 1mb
        SETRANGE k 1048570 abcdefgh
        CONFIG SET maxmemory-policy allkeys-lfu
        OBJECT FREQ k
        OBJECT IDLETIME k
    """)


def test_resetstat_and_rewrite(both):
    both("""
        CONFIG RESETSTAT
        CONFIG RESETSTAT x
        CONFIG REWRITE
        CONFIG REWRITE x
        ?? CONFIG HELP
    """)


def test_password(both_with):
    both_with("--requirepass", "secret word")("""
        GET k
        CONFIG GET requirepass
        4: GET k
        AUTH wrong
        AUTH "secret word"
        CONFIG GET requirepass
        CONFIG SET requirepass ""
        2: GET k
        4: GET k
        CONFIG SET requirepass other
        3: GET k
        GET k
    """)
