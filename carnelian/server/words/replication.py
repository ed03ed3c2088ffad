"""The words about replicas, as a server answers that has none and is none. SYNC, PSYNC and REPLCONF are not there."""
from carnelian.base.errors import NotInteger, ReplyError, SyntaxFault
from carnelian.base.numbers import parse_integer
from carnelian.base.replies import OK
from carnelian.keyspace import ADMIN, NO_ASYNC_LOADING, NOSCRIPT, STALE, command


@command("REPLICAOF host port", ADMIN | NOSCRIPT | STALE | NO_ASYNC_LOADING, since="5.0.0", group="server", complexity="O(1)")
@command("SLAVEOF host port", ADMIN | NOSCRIPT | STALE | NO_ASYNC_LOADING, since="1.0.0", group="server", complexity="O(1)")
def replicaof(c, host: bytes, port: bytes):
    """Follow no other server (NO ONE); following one is not possible."""
    if c.engine.cluster is not None:
        raise ReplyError("ERR REPLICAOF not allowed in cluster mode.")
    if host.upper() == b"NO" and port.upper() == b"ONE":
        return OK
    try:
        number = parse_integer(port)
    except NotInteger:
        number = -1
    if not 0 <= number <= 65535:
        raise ReplyError("ERR Invalid master port")
    raise ReplyError("ERR this version of carnelian has no replication")


@command("FAILOVER [TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]", ADMIN | NOSCRIPT | STALE, since="6.2.0", group="server",
         complexity="O(1)")
def failover(c, *options: bytes):
    """Hand over to a replica; there are none."""
    if c.engine.cluster is not None:
        raise ReplyError("ERR FAILOVER not allowed in cluster mode.")
    at, timeout, target, force = 0, None, None, False
    if len(options) == 1 and options[0].upper() == b"ABORT":
        raise ReplyError("ERR No failover in progress.")
    while at < len(options):
        word, left = options[at].upper(), len(options) - at - 1
        if word == b"TIMEOUT" and left >= 1 and timeout is None:
            timeout = parse_integer(options[at + 1])
            if timeout <= 0:
                raise ReplyError("ERR FAILOVER timeout must be greater than 0")
            at += 2
        elif word == b"TO" and left >= 2 and target is None:
            target = options[at + 1], parse_integer(options[at + 2])
            at += 3
        elif word == b"FORCE" and not force:
            force = True
            at += 1
        else:
            raise SyntaxFault()
    raise ReplyError("ERR FAILOVER requires connected replicas.")
