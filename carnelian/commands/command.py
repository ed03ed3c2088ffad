"""COMMAND: what the server knows of its own commands. https://redis.io/docs/latest/commands/command/"""
from carnelian.base.errors import ReplyError, SyntaxFault
from carnelian.base.glob import matches
from carnelian.base.replies import Members, Pairs, Status
from carnelian.keyspace.categories import categories
from carnelian.keyspace.declaration import (
    FLAG_NAMES, LOADING, MAY_REPLICATE, MODULE, MOVABLE_KEYS, NO_MANDATORY_KEYS, STALE, Command, command, registry)
from carnelian.keyspace.key_access import keys_of

# Hints for clients and proxies: https://redis.io/docs/latest/develop/reference/command-tips/
TIPS = {
    "nondeterministic_output":
        "lastsave hscan time client|list client|info sscan memory|doctor memory|malloc-stats memory|stats slowlog|len slowlog|get "
        "object|freq object|idletime object|encoding object|refcount spop randomkey xpending zrandmember xtrim srandmember info "
        "zscan hrandfield xadd latency|graph latency|latest latency|doctor latency|histogram latency|history pttl "
        "xinfo|consumers migrate function|stats xclaim dump scan ttl xautoclaim cluster|count-failure-reports cluster|getkeysinslot "
        "cluster|info cluster|links cluster|nodes cluster|replicas cluster|shards cluster|slaves cluster|slots",
    "nondeterministic_output_order":
        "command command|docs command|info command|list sinter hgetall sunion hvals smembers keys function|list module|list sdiff "
        "hkeys",
    "request_policy:all_shards":
        "flushdb memory|doctor memory|malloc-stats memory|purge memory|stats flushall script|exists script|kill wait waitaof "
        "randomkey info keys function|restore function|flush function|load function|kill function|delete function|stats ping dbsize",
    "request_policy:all_nodes":
        "slowlog|reset slowlog|len slowlog|get script|flush script|load config|set latency|graph latency|reset latency|latest "
        "latency|doctor latency|histogram latency|history client|setinfo",
    "request_policy:multi_shard": "exists mget unlink mset del touch msetnx",
    "request_policy:special": "scan",
    "response_policy:all_succeeded":
        "flushdb memory|purge flushall slowlog|reset script|flush script|load config|set mset latency|reset function|restore "
        "function|flush function|load function|delete ping client|setinfo",
    "response_policy:special":
        "memory|doctor memory|malloc-stats memory|stats info latency|graph latency|latest latency|doctor latency|histogram "
        "latency|history function|stats",
    "response_policy:agg_sum": "slowlog|len exists unlink del touch dbsize",
    "response_policy:agg_logical_and": "script|exists",
    "response_policy:one_succeeded": "script|kill function|kill",
    "response_policy:agg_min": "wait waitaof msetnx",
}
TIPS_OF = {}
for _tip, _names in TIPS.items():
    for _name in _names.split():
        TIPS_OF.setdefault(_name, []).append(_tip.encode())

# Words that have better successors: since when, and which.
DEPRECATED = {
    "brpoplpush": ("6.2.0", "`BLMOVE source destination RIGHT LEFT`"), "cluster|slaves": ("5.0.0", "`CLUSTER REPLICAS`"),
    "cluster|slots": ("7.0.0", "`CLUSTER SHARDS`"), "georadius": ("6.2.0", "`GEOSEARCH` and `GEOSEARCHSTORE` with `BYRADIUS`"),
    "georadius_ro": ("6.2.0", "`GEOSEARCH` with `BYRADIUS`"),
    "georadiusbymember": ("6.2.0", "`GEOSEARCH` and `GEOSEARCHSTORE` with `FROMMEMBER` and `BYRADIUS`"),
    "georadiusbymember_ro": ("6.2.0", "`GEOSEARCH` with `FROMMEMBER` and `BYRADIUS`"), "getset": ("6.2.0", "`SET` with `GET`"),
    "hmset": ("4.0.0", "`HSET`, which takes several fields"), "quit": ("7.2.0", "closing the connection"),
    "rpoplpush": ("6.2.0", "`LMOVE source destination RIGHT LEFT`"), "slaveof": ("5.0.0", "`REPLICAOF`"),
    "substr": ("2.0.0", "`GETRANGE`"), "zrangebylex": ("6.2.0", "`ZRANGE` with `BYLEX`"),
    "zrangebyscore": ("6.2.0", "`ZRANGE` with `BYSCORE`"), "zrevrange": ("6.2.0", "`ZRANGE` with `REV`"),
    "zrevrangebylex": ("6.2.0", "`ZRANGE` with `BYLEX` and `REV`"), "zrevrangebyscore": ("6.2.0", "`ZRANGE` with `BYSCORE` and `REV`"),
}
# Words that servers and tests say to servers.
OF_SYSTEMS = frozenset(["debug", "pfdebug", "pfselftest", "replconf", "restore-asking"])

HELP = """\
COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
(no subcommand)
    Describe every command, as INFO does.
COUNT
    How many commands there are.
DOCS [<command-name> ...]
    Summaries, versions and arguments of the named commands, or of all.
GETKEYS <full-command>
    The keys among the words of a command.
GETKEYSANDFLAGS <full-command>
    The same, with what the command does to each of them.
INFO [<command-name> ...]
    Arity, flags, key positions and categories of the named commands, or of all.
LIST [FILTERBY (MODULE <name> | ACLCAT <category> | PATTERN <glob>)]
    The names of the commands.
HELP
    This text."""


def find(name: bytes) -> Command | None:
    """A command by its full name (`b"get"`, `b"config|get"`, in any case)."""
    parent, bar, child = name.decode("latin-1").lower().partition("|")
    found = registry.get(parent)
    if not bar:
        return found
    return (found.subcommands or {}).get(child) if found is not None else None


def every():
    """All commands, each container before its subcommands."""
    for declared in registry.values():
        yield declared
        yield from (declared.subcommands or {}).values()


def statuses(names):
    return Members([Status(name.encode()) for name in names])


def spec_reply(spec):
    kind, *values = spec.begin
    begin = dict(zip({"index": ["index"], "keyword": ["keyword", "startfrom"], "unknown": []}[kind], values))
    found, *values = spec.find
    names = {"range": ["lastkey", "keystep", "limit"], "keynum": ["keynumidx", "firstkey", "keystep"], "unknown": []}[found]
    return {"flags": statuses(spec.flags),
            "begin_search": {"type": kind, "spec": begin},
            "find_keys": {"type": found, "spec": dict(zip(names, values))}}


def flag_names(declared: Command):
    flags = declared.flags | (MOVABLE_KEYS if declared.usage.movable else 0)
    return [name for flag, name in FLAG_NAMES.items() if flags & flag and flag != MAY_REPLICATE]    # Redis keeps this to itself


def info_reply(declared: Command):
    return [declared.name, declared.arity, statuses(flag_names(declared)), *declared.usage.legacy,
            statuses("@" + name for name in categories(declared)), Members(TIPS_OF.get(declared.name, [])),
            Members([spec_reply(spec) for spec in declared.usage.key_specs]),
            Members([info_reply(child) for child in (declared.subcommands or {}).values()])]


def argument_reply(argument):
    reply = {"name": argument.name, "type": argument.type}
    if argument.type not in ("oneof", "block"):
        reply["display_text"] = argument.name
    if argument.key_spec_index is not None:
        reply["key_spec_index"] = argument.key_spec_index
    if argument.token is not None:
        reply["token"] = argument.token
    if argument.flags:
        reply["flags"] = statuses(argument.flags)
    if argument.children:
        reply["arguments"] = [argument_reply(child) for child in argument.children]
    return reply


def docs_reply(declared: Command):
    children = declared.subcommands or {}
    since = declared.since
    if declared.function is None and children:          # a container is as old as the first of its subcommands
        since = min((child.since for child in children.values()), key=lambda version: [int(part) for part in version.split(".")])
    reply = {"summary": declared.summary if declared.function is not None else f"The subcommands of {declared.name.upper()}",
             "since": since, "group": declared.group}
    if declared.group == "json":                            # Redis says nothing closer of what a module brings
        reply.update(group="module", module="ReJSON")
    if declared.complexity:
        reply["complexity"] = declared.complexity
    if declared.name in DEPRECATED:
        reply["doc_flags"] = statuses(["deprecated"])
        reply["deprecated_since"], reply["replaced_by"] = DEPRECATED[declared.name]
    elif declared.name in OF_SYSTEMS:
        reply["doc_flags"] = statuses(["syscmd"])
    if declared.function is not None and declared.usage.arguments:
        reply["arguments"] = [argument_reply(argument) for argument in declared.usage.arguments]
    if children:
        reply["subcommands"] = {child.name: docs_reply(child) for child in children.values()}
    return reply


@command("COMMAND", LOADING | STALE, since="2.8.13", group="server", complexity="O(N) where N is the number of commands")
def command_(c):
    """Describe every command."""
    return [info_reply(declared) for declared in registry.values()]


@command("COMMAND COUNT", LOADING | STALE, since="2.8.13", group="server", complexity="O(1)")
def command_count(c):
    """Count the commands."""
    return len(registry)


@command("COMMAND DOCS [command-name [command-name ...]]", LOADING | STALE, since="7.0.0", group="server",
         complexity="O(N) where N is the number of commands asked for")
def command_docs(c, *names):
    """Document commands: summary, version, group and arguments."""
    wanted = map(find, names) if names else registry.values()
    reply = []
    for declared in wanted:
        if declared is not None:
            reply += [declared.name, docs_reply(declared)]
    return Pairs(reply)


@command("COMMAND INFO [command-name [command-name ...]]", LOADING | STALE, since="2.8.13", group="server",
         complexity="O(N) where N is the number of commands asked for")
def command_info(c, *names):
    """Describe commands: arity, flags, categories and key positions."""
    if not names:
        return [info_reply(declared) for declared in registry.values()]
    return [info_reply(declared) if declared is not None else None for declared in map(find, names)]


@command("COMMAND LIST [FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]", LOADING | STALE, since="7.0.0",
         group="server", complexity="O(N) where N is the number of commands")
def command_list(c, *options):
    """List the names of the commands."""
    if not options:
        return [declared.name for declared in every()]
    if len(options) != 3 or options[0].upper() != b"FILTERBY":
        raise SyntaxFault()
    kind, wanted = options[1].upper(), options[2]
    if kind == b"MODULE":
        return [declared.name for declared in every() if declared.flags & MODULE and wanted == b"ReJSON"]
    if kind == b"ACLCAT":
        category = wanted.decode("latin-1").lower()
        return [declared.name for declared in every() if category in categories(declared)]
    if kind == b"PATTERN":
        return [declared.name for declared in every() if matches(wanted.lower(), declared.name.encode())]
    raise SyntaxFault()


def keys_and_flags(words):
    """[(key, flags of its spec)] of a request. The errors of GETKEYS."""
    declared = find(words[0])
    if declared is not None and "|" in declared.name:
        declared = None                                 # a subcommand is named by two words
    if declared is not None and declared.subcommands is not None and len(words) > 1:
        declared = declared.subcommands.get(words[1].decode("latin-1").lower())
    if declared is None:
        raise ReplyError("ERR Invalid command specified")
    specs = [spec for spec in declared.usage.key_specs if "not_key" not in spec.flags]
    if not specs:
        raise ReplyError("ERR The command has no key arguments")
    if declared.arity > 0 and declared.arity != len(words) or len(words) < -declared.arity:
        raise ReplyError("ERR Invalid number of arguments specified for command")
    try:
        found = keys_of(declared, words)
    except ValueError:
        found = []
    if not found and not declared.flags & NO_MANDATORY_KEYS:
        raise ReplyError("ERR Invalid arguments specified for command")
    return [(words[at], spec.flags) for at, spec in found]


@command("COMMAND GETKEYS command [arg [arg ...]]", LOADING | STALE, since="2.8.13", group="server",
         complexity="O(N) where N is the number of words")
def command_getkeys(c, *words):
    """Find the keys among the words of a command."""
    return [key for key, _ in keys_and_flags(words)]


@command("COMMAND GETKEYSANDFLAGS command [arg [arg ...]]", LOADING | STALE, since="7.0.0", group="server",
         complexity="O(N) where N is the number of words")
def command_getkeysandflags(c, *words):
    """Find the keys among the words of a command, and what it does to them."""
    return [[key, statuses(flags)] for key, flags in keys_and_flags(words)]


@command("COMMAND HELP", LOADING | STALE, since="5.0.0", group="server", complexity="O(1)")
def command_help(c):
    """Explain the subcommands."""
    return [Status(line.encode()) for line in HELP.split("\n")]
