"""What follows the configuration in the engine: its limits, its password, the compact encodings, renamed words."""
from carnelian.keyspace.database import configure_frequency
from carnelian.server.config_file import ConfigError
from carnelian.types import limits

ENCODINGS = ("hash-max-listpack-entries", "hash-max-listpack-value", "set-max-intset-entries", "set-max-listpack-entries",
             "set-max-listpack-value", "zset-max-listpack-entries", "zset-max-listpack-value", "list-max-listpack-size",
             "list-compress-depth", "stream-node-max-bytes", "stream-node-max-entries", "hll-sparse-max-bytes")


def connect(config, engine) -> None:
    """Lets an engine follow a configuration, now and with every CONFIG SET, and gives it the words of the server room.

    Sockets and clients' buffers are their owner's business. ConfigError, for a rename-command that can't be.
    """
    import carnelian.server.words
    store = engine.store

    def simple(name, target, attribute):
        config.on_change(name, lambda value: setattr(target, attribute, value))

    def policy(value):
        engine.eviction_policy = value
        store.is_frequency = "lfu" in value

    def password(value):
        engine.set_password(value.encode("utf-8", "surrogateescape") or None)

    def events(value):
        store.notify_flags = value
        store.attend()

    def slower_than(value):
        engine.slowlog_threshold = value
        engine.reconsider()

    def frequency(_):
        configure_frequency(config["lfu-log-factor"], config["lfu-decay-time"])

    engine.config = config
    engine.bind()
    for old, new, directive in config.renamed:
        try:
            engine.rename(old.encode("utf-8", "surrogateescape"), new.encode("utf-8", "surrogateescape"))
        except ValueError as error:
            raise ConfigError(str(error), directive) from None
    simple("maxmemory", engine, "maxmemory")
    simple("maxmemory-samples", engine, "eviction_samples")
    simple("latency-monitor-threshold", engine, "latency_threshold")
    simple("tracking-table-max-keys", engine.tracking, "limit")
    simple("latency-tracking", engine, "latency_tracking")
    config.on_change("maxmemory-policy", policy)
    config.on_change("lfu-log-factor", frequency)
    config.on_change("lfu-decay-time", frequency)
    config.on_change("requirepass", password)
    config.on_change("notify-keyspace-events", events)
    config.on_change("slowlog-log-slower-than", slower_than)
    config.on_change("slowlog-max-len", engine.set_slowlog_length)
    for of_requests, what in ((True, "request"), (False, "reply")):
        config.on_change(f"commandlog-{what}-larger-than", lambda value, of=of_requests: engine.set_size_limit(of, value))
        config.on_change(f"commandlog-large-{what}-max-len", lambda value, of=of_requests: engine.set_log_length(of, value))
    for name in ENCODINGS:
        config.on_change(name, lambda value, name=name: limits.configure(name, value))
