"""The ACL categories of a command, derived from its flags and group.

https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/#command-categories
"""
from carnelian.keyspace.declaration import ADMIN, BLOCKING, DANGEROUS, FAST, PUBSUB, READONLY, WRITE, Command

# All categories, in the order in which Redis lists them.
CATEGORIES = ("keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap", "hyperloglog", "geo", "stream",
              "pubsub", "admin", "fast", "slow", "blocking", "dangerous", "connection", "transaction", "scripting", "json")

_OF_GROUP = {"generic": "keyspace", "sorted-set": "sortedset", "transactions": "transaction"} | {
    group: group for group in ("set", "list", "hash", "string", "bitmap", "hyperloglog", "geo", "stream", "connection", "scripting", "json")}

# Commands whose group says another thing than their category.
_OF_COMMAND = {
    "flushdb": {"keyspace", "dangerous"}, "flushall": {"keyspace", "dangerous"}, "swapdb": {"keyspace", "dangerous"},
    "dbsize": {"keyspace"}, "keys": {"keyspace", "dangerous"}, "restore": {"keyspace", "dangerous"},
    "migrate": {"keyspace", "dangerous"}, "info": {"dangerous"}, "lastsave": {"admin", "dangerous"},
    "role": {"admin", "dangerous"}, "sort": {"set", "sortedset", "list", "dangerous"},
    "sort_ro": {"set", "sortedset", "list", "dangerous"}, "wait": {"connection"}, "waitaof": {"connection"},
    "asking": {"connection"}, "readonly": {"connection"}, "readwrite": {"connection"},
    "restore-asking": {"keyspace", "dangerous"}, "asking": {"connection"}, "readonly": {"connection"},
    "readwrite": {"connection"},
}


def categories(command: Command) -> list[str]:
    """The names of the categories, without `@`, in Redis's order."""
    found = {"fast" if command.flags & FAST else "slow"}
    if command.name in _OF_COMMAND:
        found |= _OF_COMMAND[command.name]
    elif command.name.partition("|")[0] == "command":
        found.add("connection")
    elif command.function is not None and command.group in _OF_GROUP:
        found.add(_OF_GROUP[command.group])
    if command.flags & WRITE:
        found.add("write")
    if command.flags & READONLY and "scripting" not in found:
        found.add("read")
    if command.flags & ADMIN:
        found |= {"admin", "dangerous"}
    if command.flags & PUBSUB:
        found.add("pubsub")
    if command.flags & BLOCKING:
        found.add("blocking")
    if command.flags & DANGEROUS:
        found.add("dangerous")
    return [name for name in CATEGORIES if name in found]
