"""What follows the configuration: the engine, the limits of the encodings, the clients' buffers."""
from collections import deque

from carnelian.keyspace.store import notification_flags
from carnelian.types import limits

ENCODINGS = ("hash-max-listpack-entries", "hash-max-listpack-value", "set-max-intset-entries", "set-max-listpack-entries",
             "set-max-listpack-value", "zset-max-listpack-entries", "zset-max-listpack-value", "list-max-listpack-size",
             "list-compress-depth", "stream-node-max-bytes", "stream-node-max-entries")


def connect(config, engine) -> None:
    """Lets an engine follow a configuration, now and with every CONFIG SET. (Sockets are their owner's business.)"""
    store = engine.store

    def simple(name, target, attribute):
        config.on_change(name, lambda value: setattr(target, attribute, value))

    def policy(value):
        engine.eviction_policy = value
        store.is_frequency = "lfu" in value

    def password(value):
        engine.password = value.encode("utf-8", "surrogateescape") or None

    def events(value):
        store.notify_flags = notification_flags(value)
        store.attend()

    def slower_than(value):
        engine.slowlog_threshold = value
        engine.reconsider()

    def slowlog_length(value):
        engine.slowlog = deque(list(engine.slowlog)[:value], maxlen=min(value, 2**31 - 1))

    def buffers(_):
        for session in engine.sessions.values():
            limit_reader(config, session.reader)

    engine.config = config
    simple("maxmemory", engine, "maxmemory")
    simple("maxmemory-samples", engine, "eviction_samples")
    simple("latency-monitor-threshold", engine, "latency_threshold")
    simple("latency-tracking", engine, "latency_tracking")
    config.on_change("maxmemory-policy", policy)
    config.on_change("requirepass", password)
    config.on_change("notify-keyspace-events", events)
    config.on_change("slowlog-log-slower-than", slower_than)
    config.on_change("slowlog-max-len", slowlog_length)
    config.on_change("client-query-buffer-limit", buffers)
    config.on_change("proto-max-bulk-len", buffers)
    for name in ENCODINGS:
        config.on_change(name, lambda value, name=name: limits.configure(name, value))


def limit_reader(config, reader) -> None:
    """The limits of one client's input buffer; to be called for a new client, too."""
    reader.query_buffer_limit = config["client-query-buffer-limit"]
    reader.bulk_limit = config["proto-max-bulk-len"]
