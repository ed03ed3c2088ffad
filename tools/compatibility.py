"""Writes docs/compatibility.md: `python -m tools.compatibility` (`make docs`).

The page compares the command table with tools/commands.tsv, which lists the commands of Redis 7.2 and of what came after it. A
command that carnelian does not have gets its reason from REASONS; one that it has only in part is explained in NOTES.
"""
import sys
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = ROOT / "tools" / "commands.tsv"
PAGE = ROOT / "docs" / "compatibility.md"

# Why a command is not there: the first pattern that fits, of the full name.
REASONS = (
    ("sentinel", "Sentinel is a program of its own."),
    ("cluster|*", "There is one node, and no cluster to administer."),
    ("v*", "Vector sets are a data type of their own."),
    ("client|import-source", "It steers the migration of Valkey, which is not there."),
    ("psync replconf sync", "There is no replication yet."),
)

# What a command does not do, or does in its own way.
NOTES = {
    "debug": "What DEBUG HELP lists; the rest looks into Redis's own memory.",
    "lolwut": "A picture of our own.",
    "memory|doctor": "A text of our own.",
    "memory|malloc-stats": "A text of our own.",
    "failover": "There are no replicas to hand over to.",
    "latency|doctor": "A text of our own.",
    "latency|graph": "A picture of our own.",
    "migrate": "The server works on meanwhile. Not inside a transaction or a script.",
    "module|list": "Lists what Redis has from modules and is built in: ReJSON.",
    "module|load": "Answers with an error: modules are shared objects made for Redis's own process.",
    "module|loadex": "As MODULE LOAD.",
    "module|unload": "Answers with an error.",
    "json.get": "Regular expressions in filters need the extra `regex` (google-re2).",
    "pfselftest": "Tests our own HyperLogLog.",
    "replicaof": "NO ONE; there is no replication yet.",
    "slaveof": "NO ONE; there is no replication yet.",
    "waitaof": "Does not wait for the local append-only file yet: numlocal 1 is refused.",
}

# Options that Redis 7.2 does not have, of commands that it has.
OPTIONS = (
    ("SET", "IFEQ, IFNE, IFDEQ, IFDNE", "Redis 8.4; IFEQ: Valkey 8.1"),
    ("BITOP", "DIFF, DIFF1, ANDOR, ONE", "Redis 8.2"),
    ("CLIENT LIST, CLIENT KILL", "all filters, and their NOT- forms", "MAXAGE: Redis 7.4; Valkey 8.1 and 9.0"),
    ("XADD, XTRIM", "KEEPREF, DELREF, ACKED", "Redis 8.2"),
    ("ZUNION, ZINTER, ZUNIONSTORE, ZINTERSTORE", "AGGREGATE COUNT", "Redis 8.8"),
    ("XREAD", "the ID +", "Redis 7.4"),
    ("HSCAN", "NOVALUES", "Redis 7.4"),
    ("CLIENT KILL", "MAXAGE", "Redis 7.4"),
    ("CLIENT LIST, CLIENT KILL", "further filters: NAME, IDLE, FLAGS, LIB-NAME, LIB-VER, DB, CAPA, IP", "Valkey 9.0"),
    ("XREADGROUP", "CLAIM min-idle-time", "Redis 8.4"),
)

TITLES = {"generic": "Keys", "pubsub": "Publish and subscribe", "geo": "Geo", "hyperloglog": "HyperLogLog", "json": "JSON",
          "sorted_set": "Sorted sets", "vector_set": "Vector sets", "scripting": "Scripting and functions",
          "transactions": "Transactions", "sentinel": "Sentinel", "cluster": "Cluster", "server": "Server",
          "connection": "Connection"}
ORDER = ("generic", "string", "list", "hash", "set", "sorted_set", "stream", "bitmap", "hyperloglog", "geo", "json", "pubsub",
         "transactions", "scripting", "connection", "server", "cluster")


class Row:
    """A command of the list: its full name (`config|get`), its group, since when it exists, and the release that has it."""

    def __init__(self, name, group, since, release):
        self.name, self.group, self.since, self.release = name, group.replace("-", "_"), since, release

    @property
    def title(self) -> str:
        return self.name.upper().replace("|", " ")


def listed() -> list[Row]:
    """What tools/commands.tsv lists."""
    lines = COMMANDS.read_text().splitlines()
    return [Row(*line.split("\t")) for line in lines if line and not line.startswith("#")]


def declared() -> dict:
    """Full name -> declaration of every word with a body, as a server has them."""
    import carnelian.server.server
    from carnelian.engine import Engine
    from carnelian.keyspace.declaration import registry

    Engine()                                            # takes up the words of all rooms
    found = {}
    for word in registry.values():
        if word.function is not None:
            found[word.name] = word
        found.update((child.name, child) for child in (word.subcommands or {}).values())
    return found


def reason(name: str) -> str | None:
    """Why a command is not there."""
    for patterns, text in REASONS:
        if any(fnmatchcase(name, pattern) for pattern in patterns.split()):
            return text
    return None


def page() -> str:
    """The page's text."""
    rows, words = listed(), declared()
    there = Counter(row.release for row in rows if row.name in words)
    total = Counter(row.release for row in rows)
    lines = [
        "# Compatibility", "",
        "Every command of Redis 7.2, and those of later releases of Redis and Valkey that programs are likely to meet, with what",
        "carnelian makes of it. Names, options, replies, errors and defaults are Redis's; the tests compare them with a redis-server.",
        "This page is written by `make docs` from the command table.", "",
        "| Release | Commands | of them supported |", "| --- | ---: | ---: |"]
    lines += [f"| {release} | {count} | {there[release]} |" for release, count in sorted(total.items())]
    lines += ["", "Containers such as CONFIG are counted by their subcommands. Not listed are the commands of Redis's other modules",
              "(search, time series, probabilistic structures): there are none of them here."]
    own = sorted(set(words) - {row.name for row in rows})
    groups = {row.group for row in rows}
    for group in [*ORDER, *sorted(groups - set(ORDER))]:
        members = [row for row in rows if row.group == group]
        if not members:
            continue
        lines += ["", f"## {TITLES.get(group, group.capitalize() + 's')}", "", "| Command | Since | Supported | |",
                  "| --- | --- | --- | --- |"]
        for row in members:
            since = row.since if row.release.startswith("Redis ") else f"{row.release.split()[0]} {row.since}"
            text = NOTES.get(row.name, "") if row.name in words else reason(row.name)
            lines.append(f"| {row.title} | {since} | {'yes' if row.name in words else 'no'} | {text} |".replace("|  |", "| |"))
    lines += ["", "## Options later than Redis 7.2", "", "| Command | Options | Release |", "| --- | --- | --- |"]
    lines += [f"| {command} | {options} | {release} |" for command, options, release in OPTIONS]
    if own:
        lines += ["", "## carnelian's own", "", "| Command | |", "| --- | --- |"]
        lines += [f"| {name.upper().replace('|', ' ')} | {words[name].summary} |" for name in own]
    return "\n".join(lines) + "\n"


def main() -> int:
    text = page()
    changed = not PAGE.exists() or PAGE.read_text() != text
    PAGE.write_text(text)
    print(f"{PAGE.relative_to(ROOT)}: {'written' if changed else 'nothing has changed'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
