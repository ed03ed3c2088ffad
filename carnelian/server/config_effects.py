"""What follows the configuration in the engine: its limits, its users, the compact encodings, renamed words."""
import logging
import os

from carnelian.engine.acl_file import read
from carnelian.engine.cluster import Cluster
from carnelian.keyspace.database import configure_frequency
from carnelian.server.config_file import ConfigError, Directive
from carnelian.server.config_kinds import quoted
from carnelian.types import limits

log = logging.getLogger("carnelian")

ENCODINGS = ("hash-max-listpack-entries", "hash-max-listpack-value", "set-max-intset-entries", "set-max-listpack-entries",
             "set-max-listpack-value", "zset-max-listpack-entries", "zset-max-listpack-value", "list-max-listpack-size",
             "list-compress-depth", "stream-node-max-bytes", "stream-node-max-entries", "hll-sparse-max-bytes")


def connect(config, engine) -> None:
    """Lets an engine follow a configuration, now and with every CONFIG SET, and gives it the words of the server room.

    Sockets and clients' buffers are their owner's business. ConfigError, for a rename-command that can't be.
    """
    import carnelian.scripting.function_words
    import carnelian.scripting.words
    import carnelian.server.words
    store = engine.store

    def simple(name, target, attribute):
        config.on_change(name, lambda value: setattr(target, attribute, value))

    def policy(value):
        engine.eviction_policy = value
        store.is_frequency = "lfu" in value

    def password(value):
        engine.acl.set_password(value.encode("utf-8", "surrogateescape") or None)

    def pubsub_default(value):
        engine.acl.every_channel = value == "allchannels"

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
    if config["cluster-enabled"]:
        engine.cluster = Cluster(engine)
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
    simple("busy-reply-threshold", engine, "busy_threshold")
    config.on_change("maxmemory-policy", policy)
    config.on_change("lfu-log-factor", frequency)
    config.on_change("lfu-decay-time", frequency)
    config.on_change("acl-pubsub-default", pubsub_default)
    config.on_change("acllog-max-len", engine.acl.log.set_longest)
    config.on_change("requirepass", password)
    declare_users(config, engine.acl)
    config.on_change("notify-keyspace-events", events)
    config.on_change("slowlog-log-slower-than", slower_than)
    config.on_change("slowlog-max-len", engine.set_slowlog_length)
    for of_requests, what in ((True, "request"), (False, "reply")):
        config.on_change(f"commandlog-{what}-larger-than", lambda value, of=of_requests: engine.set_size_limit(of, value))
        config.on_change(f"commandlog-large-{what}-max-len", lambda value, of=of_requests: engine.set_log_length(of, value))
    for name in ENCODINGS:
        config.on_change(name, lambda value, name=name: limits.configure(name, value))


def plain_or_quoted(word: str) -> str:
    return word if word and word.isascii() and word.isprintable() and not set(word) & set("\"'") else quoted(word)


def declare_users(config, acl) -> None:
    """The users of `user` lines, or those of the file that `aclfile` names. ConfigError."""
    acl.path = os.path.abspath(config["aclfile"]) if config["aclfile"] else ""
    config.user_lines = lambda: [] if acl.path else [
        " ".join([plain_or_quoted(word.decode("utf-8", "surrogateescape")) for word in (user.name, *user.rule_line(True).split(b" "))])
        for user in acl.in_order()]
    for name, directive in config.users.items():
        if acl.path:
            raise ConfigError("Users are declared here, and aclfile names a file of users: do one of both", directive)
        try:
            name, *rules = [word.encode("utf-8", "surrogateescape") for word in directive.words]
            acl.set_user(name, [b"reset", *rules])
        except ValueError as error:
            raise ConfigError(f"Error in user declaration '{directive.words[0]}': {error}", directive) from None
        if not acl.users[name].enabled:
            log.warning("The user '%s' is disabled: there is no 'on' among the rules", directive.words[0])
    if acl.path:
        try:
            acl.install(read(acl.path, acl.every_channel))
        except ValueError as error:
            raise ConfigError(str(error), Directive("aclfile", [config["aclfile"]], None, 0, f"aclfile {config['aclfile']}")) from None
