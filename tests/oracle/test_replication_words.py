"""The words about replicas, of a server that has none."""


def test_replicaof(both):
    both("""
        REPLICAOF NO ONE
        REPLICAOF no one
        SLAVEOF no one
        REPLICAOF a
        REPLICAOF 127.0.0.1 x
        REPLICAOF NO x
        REPLICAOF 127.0.0.1 99999
        SLAVEOF 127.0.0.1 -1
        ROLE
        = REPLICAOF 127.0.0.1 7 -> -ERR this version of carnelian has no replication
    """)


def test_failover(both):
    both("""
        FAILOVER
        FAILOVER ABORT
        FAILOVER ABORT x
        FAILOVER TO
        FAILOVER TO 127.0.0.1
        FAILOVER TO 127.0.0.1 x
        FAILOVER TO 127.0.0.1 7
        FAILOVER TO 127.0.0.1 7 FORCE
        FAILOVER TO 127.0.0.1 7 TO 127.0.0.1 8
        FAILOVER FORCE
        FAILOVER FORCE FORCE
        FAILOVER TIMEOUT
        FAILOVER TIMEOUT x
        FAILOVER TIMEOUT 0
        FAILOVER TIMEOUT 5
        FAILOVER TIMEOUT 5 TIMEOUT 6
        FAILOVER FOO
    """)


def test_restore_asking(both):
    both("""
        RESTORE-ASKING a 0 x
        RESTORE-ASKING a 0 "\\x00\\x01v\\n\\x00\\xad\\xd1\\xd8\\xf6\\xef\\xf5\\xe7\\x07"
        RESTORE-ASKING a x y
        RESTORE-ASKING a 0 x REPLACE FOO
    """)
