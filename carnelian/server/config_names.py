"""Every parameter of Redis 7.2's configuration, and those of Valkey's COMMANDLOG: name, type, default, and whether a running
server can change it.

https://redis.io/docs/latest/operate/oss_and_stack/management/config/. The defaults are Redis's, but for `bind`, which is
the loopback interface alone, and for `save`, which is off. A parameter with `needs` belongs to a feature that is not
there: it can be asked for and left at its default, and a value that wants the feature is refused, so that nobody relies
on it.
"""
import os
import string

from carnelian.server.config_kinds import (
    INT_MAX, LONG_MAX, UNSIGNED_MAX, Addresses, Choice, Directory, Events, Files, Flag, Integer, Memory, MemoryOrPercent, Octal,
    OutputLimits, Percentiles, Replica, SavePoints, ScoreAdjustments, Signals, Text)


class Parameter:
    """One parameter. `alias`: its older name. `fixed`: only the start sets it. `protected`: so is it, unless
    enable-protected-configs says otherwise. `needs`: the feature that is missing, see above; `without`: a function that
    tells whether a value can do without it (the default can)."""

    __slots__ = ("name", "kind", "default", "alias", "fixed", "protected", "needs", "without")

    def __init__(self, name, kind, default, alias=None, fixed=False, protected=False, needs=None, without=None):
        self.name, self.kind, self.default = name, kind, default
        self.alias, self.fixed, self.protected, self.needs = alias, fixed, protected, needs
        self.without = without

    def is_missing(self, value) -> bool:
        """Whether the value wants a feature that is not there."""
        return bool(self.needs) and value != self.default and not (self.without and self.without(value))


def plain_name(message):
    def check(text):
        if "/" in text or (os.sep != "/" and os.sep in text):
            raise ValueError(message)
    return check


def title_template(text):
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError:
        names = {""}
    if not text or not names <= {"title", "listen-addr", "server-mode", "port", "tls-port", "unixsocket", "config-file"}:
        raise ValueError("template format is invalid or contains unknown variables")


def host_name(text):
    if not all(character.isascii() and (character.isalnum() or character in "-.") for character in text):
        raise ValueError("Hostnames may only contain alphanumeric characters, hyphens or dots")


def node_name(text):
    if not all(character.isascii() and (character.isalnum() or character in "-_.") for character in text):
        raise ValueError("Announced human node name contained invalid character")


flag, port, number, size, text = Flag(), Integer(0, 65535), Integer(0, LONG_MAX), Memory(), Text()
small = Integer()
positive = Integer(1)
restricted = Choice("no", "yes", "local")
on_signal = Signals("default", "save", "nosave", "now", "force")
P = Parameter

PARAMETERS = [
    # the network
    P("bind", Addresses(), ["127.0.0.1", "-::1"]),
    P("port", port, 6379),
    P("tcp-backlog", small, 511, fixed=True),
    P("unixsocket", text, "", fixed=True),
    P("unixsocketperm", Octal(), 0, fixed=True),
    P("timeout", small, 0),
    P("tcp-keepalive", small, 300),
    P("protected-mode", flag, True),
    P("bind-source-addr", text, ""),
    P("socket-mark-id", Integer(0, 2**32 - 1), 0, fixed=True, needs="marks on sockets"),
    P("maxclients", Integer(1, 2**32 - 1), 10000),
    P("client-output-buffer-limit", OutputLimits(), {
        "normal": (0, 0, 0), "slave": (256 << 20, 64 << 20, 60), "pubsub": (32 << 20, 8 << 20, 60)}),
    P("client-query-buffer-limit", Memory(1 << 20), 1 << 30),
    P("proto-max-bulk-len", Memory(1 << 20), 512 << 20),
    P("maxmemory-clients", MemoryOrPercent(), 0, needs="eviction of clients"),
    P("io-threads", Integer(1, 128), 1, fixed=True),
    P("io-threads-do-reads", flag, False, fixed=True),
    # the process
    P("daemonize", flag, False, fixed=True),
    P("supervised", Choice("upstart", "systemd", "auto", "no"), "no", fixed=True, needs="reports to a supervisor",
      without=lambda value: value == "auto"),
    P("pidfile", text, "", fixed=True),
    P("loglevel", Choice("debug", "verbose", "notice", "warning", "nothing"), "notice"),
    P("logfile", text, "", fixed=True),
    P("syslog-enabled", flag, False, fixed=True, needs="syslog"),
    P("syslog-ident", text, "redis", fixed=True),
    P("syslog-facility", Choice("user", *(f"local{n}" for n in range(8))), "local0", fixed=True),
    P("crash-log-enabled", flag, True),
    P("crash-memcheck-enabled", flag, True),
    P("databases", positive, 16, fixed=True),
    P("always-show-logo", flag, False, fixed=True),
    P("set-proc-title", flag, True, fixed=True),
    P("proc-title-template", Text(title_template), "{title} {listen-addr} {server-mode}"),
    P("locale-collate", text, "", needs="order by locale"),
    P("dir", Directory(), None, protected=True),
    P("hz", Integer(0, INT_MAX, clamp=(1, 500)), 10),
    P("dynamic-hz", flag, True),
    P("oom-score-adj", Choice("no", "yes", "relative", "absolute"), "no", needs="control of the OOM killer's score"),
    P("oom-score-adj-values", ScoreAdjustments(), [0, 200, 800]),
    P("disable-thp", flag, True, fixed=True),
    P("jemalloc-bg-thread", flag, True),
    P("server-cpulist", text, "", alias="server_cpulist", fixed=True, needs="lists of processors"),
    P("bio-cpulist", text, "", alias="bio_cpulist", fixed=True, needs="lists of processors"),
    P("aof-rewrite-cpulist", text, "", alias="aof_rewrite_cpulist", fixed=True, needs="lists of processors"),
    P("bgsave-cpulist", text, "", alias="bgsave_cpulist", fixed=True, needs="lists of processors"),
    P("ignore-warnings", text, ""),
    P("shutdown-timeout", small, 10),
    P("shutdown-on-sigint", on_signal, "default"),
    P("shutdown-on-sigterm", on_signal, "default"),
    P("enable-protected-configs", restricted, "no", fixed=True),
    P("enable-debug-command", restricted, "no", fixed=True),
    P("enable-module-command", restricted, "no", fixed=True),
    # memory and eviction
    P("maxmemory", Memory(0, UNSIGNED_MAX), 0),
    P("maxmemory-policy", Choice("volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "allkeys-lru", "allkeys-lfu",
                                 "allkeys-random", "noeviction"), "noeviction"),
    P("maxmemory-samples", positive, 5),
    P("maxmemory-eviction-tenacity", Integer(0, 100), 10),
    P("lfu-log-factor", small, 10),
    P("lfu-decay-time", small, 1),
    P("active-expire-effort", Integer(1, 10), 1),
    P("activerehashing", flag, True),
    P("activedefrag", flag, False, needs="active defragmentation"),
    P("active-defrag-ignore-bytes", Memory(1), 100 << 20),
    P("active-defrag-threshold-lower", Integer(0, 1000), 10),
    P("active-defrag-threshold-upper", Integer(0, 1000), 100),
    P("active-defrag-cycle-min", Integer(1, 99), 1),
    P("active-defrag-cycle-max", Integer(1, 99), 25),
    P("active-defrag-max-scan-fields", Integer(1, LONG_MAX), 1000),
    P("lazyfree-lazy-eviction", flag, False),
    P("lazyfree-lazy-expire", flag, False),
    P("lazyfree-lazy-server-del", flag, False),
    P("lazyfree-lazy-user-del", flag, False),
    P("lazyfree-lazy-user-flush", flag, False),
    # the compact encodings
    P("hash-max-listpack-entries", number, 512, alias="hash-max-ziplist-entries"),
    P("hash-max-listpack-value", size, 64, alias="hash-max-ziplist-value"),
    P("list-max-listpack-size", Integer(-2**31), -2, alias="list-max-ziplist-size"),
    P("list-compress-depth", small, 0),
    P("set-max-intset-entries", number, 512),
    P("set-max-listpack-entries", number, 128),
    P("set-max-listpack-value", number, 64),
    P("zset-max-listpack-entries", number, 128, alias="zset-max-ziplist-entries"),
    P("zset-max-listpack-value", size, 64, alias="zset-max-ziplist-value"),
    P("hll-sparse-max-bytes", size, 3000),
    P("stream-node-max-bytes", size, 4096),
    P("stream-node-max-entries", number, 100),
    # what is watched
    P("notify-keyspace-events", Events(), 0),
    P("slowlog-log-slower-than", Integer(-1, LONG_MAX), 10000, alias="commandlog-execution-slower-than"),
    P("slowlog-max-len", number, 128, alias="commandlog-slow-execution-max-len"),
    P("commandlog-request-larger-than", Integer(-1, LONG_MAX), 1 << 20),
    P("commandlog-large-request-max-len", number, 128),
    P("commandlog-reply-larger-than", Integer(-1, LONG_MAX), 1 << 20),
    P("commandlog-large-reply-max-len", number, 128),
    P("latency-monitor-threshold", number, 0),
    P("latency-tracking", flag, True),
    P("latency-tracking-info-percentiles", Percentiles(), [50.0, 99.0, 99.9]),
    P("tracking-table-max-keys", number, 1000000),
    # access
    P("requirepass", text, ""),
    P("aclfile", text, "", fixed=True),
    P("acllog-max-len", number, 128),
    P("acl-pubsub-default", Choice("allchannels", "resetchannels"), "resetchannels"),
    # scripts
    P("busy-reply-threshold", number, 5000, alias="lua-time-limit"),
    P("propagation-error-behavior", Choice("ignore", "panic", "panic-on-replicas"), "ignore"),
    # snapshots
    P("save", SavePoints(), [(3600, 1), (300, 100), (60, 10000)]),
    P("dbfilename", Text(plain_name("dbfilename can't be a path, just a filename")), "dump.rdb", protected=True),
    P("rdbcompression", flag, True),
    P("rdbchecksum", flag, True, fixed=True),
    P("rdb-save-incremental-fsync", flag, True),
    P("rdb-del-sync-files", flag, False),
    P("stop-writes-on-bgsave-error", flag, True),
    P("snapshot-effort", Integer(1, 100), 25),          # ours: per cent of the time that a snapshot takes while clients are busy
    P("sanitize-dump-payload", Choice("no", "yes", "clients"), "no"),
    # the append-only file
    P("appendonly", flag, False),
    P("appendfilename", Text(plain_name("appendfilename can't be a path, just a filename")), "appendonly.aof", fixed=True),
    P("appenddirname", Text(plain_name("appenddirname can't be a path, just a dirname")), "appendonlydir", fixed=True),
    P("appendfsync", Choice("everysec", "always", "no"), "everysec"),
    P("no-appendfsync-on-rewrite", flag, False),
    P("auto-aof-rewrite-percentage", small, 100),
    P("auto-aof-rewrite-min-size", size, 64 << 20),
    P("aof-load-truncated", flag, True),
    P("aof-use-rdb-preamble", flag, True),
    P("aof-timestamp-enabled", flag, False),
    P("aof-rewrite-incremental-fsync", flag, True),
    P("aof-disable-auto-gc", flag, False),
    # replication
    P("replicaof", Replica(), "", alias="slaveof", fixed=True, needs="replication"),
    P("masteruser", text, ""),
    P("masterauth", text, ""),
    P("replica-serve-stale-data", flag, True, alias="slave-serve-stale-data"),
    P("replica-read-only", flag, True, alias="slave-read-only"),
    P("replica-priority", small, 100, alias="slave-priority"),
    P("replica-announced", flag, True),
    P("replica-announce-ip", text, "", alias="slave-announce-ip"),
    P("replica-announce-port", port, 0, alias="slave-announce-port"),
    P("replica-ignore-maxmemory", flag, True, alias="slave-ignore-maxmemory"),
    P("replica-ignore-disk-write-errors", flag, False),
    P("replica-lazy-flush", flag, False, alias="slave-lazy-flush"),
    P("min-replicas-to-write", small, 0, alias="min-slaves-to-write", needs="replication"),
    P("min-replicas-max-lag", small, 10, alias="min-slaves-max-lag"),
    P("repl-ping-replica-period", positive, 10, alias="repl-ping-slave-period"),
    P("repl-timeout", positive, 60),
    P("repl-disable-tcp-nodelay", flag, False),
    P("repl-backlog-size", Memory(1), 1 << 20),
    P("repl-backlog-ttl", number, 3600),
    P("repl-diskless-sync", flag, True),
    P("repl-diskless-sync-delay", small, 5),
    P("repl-diskless-sync-max-replicas", small, 0),
    P("repl-diskless-load", Choice("disabled", "on-empty-db", "swapdb"), "disabled"),
    # cluster mode
    P("cluster-enabled", flag, False, fixed=True),
    P("cluster-config-file", text, "nodes.conf", fixed=True),
    P("cluster-node-timeout", number, 15000),
    P("cluster-port", port, 0, fixed=True),
    P("cluster-migration-barrier", small, 1),
    P("cluster-allow-replica-migration", flag, True),
    P("cluster-require-full-coverage", flag, True),
    P("cluster-replica-validity-factor", small, 10, alias="cluster-slave-validity-factor"),
    P("cluster-replica-no-failover", flag, False, alias="cluster-slave-no-failover"),
    P("cluster-allow-reads-when-down", flag, False),
    P("cluster-allow-pubsubshard-when-down", flag, True),
    P("cluster-link-sendbuf-limit", Memory(0, UNSIGNED_MAX), 0),
    P("cluster-announce-hostname", Text(host_name), ""),
    P("cluster-announce-human-nodename", Text(node_name), ""),
    P("cluster-announce-ip", text, ""),
    P("cluster-announce-port", port, 0),
    P("cluster-announce-bus-port", port, 0),
    P("cluster-announce-tls-port", port, 0),
    P("cluster-preferred-endpoint-type", Choice("ip", "hostname", "unknown-endpoint"), "ip"),
    # TLS
    P("tls-port", port, 0, needs="TLS"),
    P("tls-replication", flag, False, needs="TLS"),
    P("tls-cluster", flag, False, needs="TLS"),
    P("tls-auth-clients", Choice("no", "yes", "optional"), "yes"),
    P("tls-cert-file", text, ""),
    P("tls-key-file", text, ""),
    P("tls-key-file-pass", text, ""),
    P("tls-client-cert-file", text, ""),
    P("tls-client-key-file", text, ""),
    P("tls-client-key-file-pass", text, ""),
    P("tls-dh-params-file", text, ""),
    P("tls-ca-cert-file", text, ""),
    P("tls-ca-cert-dir", text, ""),
    P("tls-protocols", text, ""),
    P("tls-ciphers", text, ""),
    P("tls-ciphersuites", text, ""),
    P("tls-prefer-server-ciphers", flag, False),
    P("tls-session-caching", flag, True),
    P("tls-session-cache-size", small, 20480),
    P("tls-session-cache-timeout", small, 300),
    # carnelian's own: who moves the bytes, and whose event loop
    P("data-plane", Choice("auto", "epoll", "asyncio"), "auto", fixed=True),
    P("functions", Files(), [], fixed=True),            # files of functions in Python
    P("event-loop", Choice("asyncio", "uvloop"), "asyncio", fixed=True),
]
