"""CONFIG: https://redis.io/docs/latest/commands/config/"""
from carnelian.base.errors import ReplyError
from carnelian.base.replies import OK
from carnelian.keyspace import ADMIN, LOADING, NOSCRIPT, STALE, command
from carnelian.server.words.common import help_text, is_allowed

FLAGS = ADMIN | NOSCRIPT | LOADING | STALE


def configuration(call):
    config = call.engine.config
    if config is None:
        raise ReplyError("ERR this engine has no configuration")
    return config


@command("CONFIG GET parameter [parameter ...]", FLAGS, since="2.0.0", group="server",
         complexity="O(N), N parameters times patterns")
def config_get(c, *patterns: bytes):
    """Show the parameters whose names match."""
    return configuration(c).get(patterns)


@command("CONFIG SET parameter value [parameter value ...]", FLAGS, since="2.0.0", group="server", arity=-4,
         complexity="O(N), N parameters given")
def config_set(c, *words: bytes):
    """Change parameters, all of them or none."""
    configuration(c).set(words, allow_protected=is_allowed(c, "enable-protected-configs"))
    return OK


@command("CONFIG REWRITE", FLAGS, since="2.8.0", group="server", complexity="O(N), N lines of the file")
def config_rewrite(c):
    """Write the parameters in force into the configuration file."""
    configuration(c).rewrite()
    return OK


@command("CONFIG RESETSTAT", FLAGS, since="2.0.0", group="server", complexity="O(1)")
def config_resetstat(c):
    """Begin the counts of INFO anew."""
    engine = c.engine
    for bound in engine.commands.values():
        bound.reset()
    engine.processed = 0
    engine.error_counts.clear()
    engine.acl.reset_statistics()
    c.store.reset_statistics()
    engine.samples.peak_memory = c.store.memory()
    if engine.server is not None:
        clients = engine.server.clients
        clients.received = clients.rejected = clients.bytes_in = clients.bytes_out = clients.reads = clients.writes = 0
        clients.query_buffer_disconnections = clients.output_buffer_disconnections = 0
    return OK


@command("CONFIG HELP", LOADING | STALE, since="5.0.0", group="server", complexity="O(1)")
def config_help(c):
    """Explain the subcommands of CONFIG."""
    return help_text("CONFIG", """
GET <pattern> [<pattern> ...]
    Show the parameters whose names match one of the glob patterns.
SET <parameter> <value> [<parameter> <value> ...]
    Change parameters: all of them, or none if one is refused.
REWRITE
    Write what is in force into the configuration file, whose comments stay.
RESETSTAT
    Begin the counts of INFO anew.
""")
