# cython: language_level=3
"""Which keys a request touches, and how: for COMMAND GETKEYS and for access control.

Most words say it by their key specs. Here are those whose options decide: where a key of the options stands, or what is
done to it. The places are those that the body will use: where an option is given twice, the last one counts.
"""
from carnelian.keyspace.usage import KeySpec

READ_WRITE = KeySpec(("unknown",), ("unknown",), ["RW", "access", "update"])
READ = KeySpec(("unknown",), ("unknown",), ["RO", "access"])
READ_DELETE = KeySpec(("unknown",), ("unknown",), ["RW", "access", "delete"])
DELETE = KeySpec(("unknown",), ("unknown",), ["RM", "delete"])
OVERWRITE = KeySpec(("unknown",), ("unknown",), ["OW", "update"])


READING_OPTIONS = frozenset([b"GET", b"IFEQ", b"IFNE", b"IFDEQ", b"IFDNE"])


def of_set(declared, words):
    """SET tells something of the old value with GET and on a condition."""
    return [(1, READ_WRITE if len(words) > 3 and READING_OPTIONS & {word.upper() for word in words[3:]} else OVERWRITE)]


def of_delex(declared, words):
    """DELEX looks at the value when there is a condition."""
    return [(1, DELETE if len(words) == 2 else READ_DELETE)]


def of_bitfield(declared, words):
    """BITFIELD with nothing but GET only reads."""
    at = 2
    only_reads = True
    while at < len(words) and only_reads:
        word = words[at].upper()
        left = len(words) - at - 1
        if word == b"GET" and left >= 2:
            at += 3
        elif word == b"OVERFLOW" and left >= 1:
            at += 2
        else:
            only_reads = False              # SET, INCRBY, or an error, which is better taken for a change
    return [(1, READ if only_reads else READ_WRITE)]


def of_sort(declared, words):
    """SORT: the last STORE among the options, and not the value of another."""
    found = [(1, declared.usage.key_specs[0])]
    destination = None
    at = 2
    while at < len(words):
        word = words[at].upper()
        if word == b"STORE" and at + 1 < len(words):
            destination = at + 1
            at += 1
        else:
            at += {b"LIMIT": 2, b"GET": 1, b"BY": 1}.get(word, 0)
        at += 1
    if destination is not None:
        found.append((destination, declared.usage.key_specs[-1]))
    return found


def of_georadius(declared, words):
    """GEORADIUS and GEORADIUSBYMEMBER: by the specs, and the last STORE or STOREDIST among the options."""
    found = declared.usage.key_positions(words)
    destination = None
    at = 6 if declared.name == "georadius" else 5
    while at < len(words):
        word = words[at].upper()
        if word in (b"STORE", b"STOREDIST") and at + 1 < len(words):
            destination = at + 1
            at += 1
        elif word == b"COUNT":
            at += 1
        at += 1
    if destination is not None and destination not in [at for at, _ in found]:
        found.append((destination, OVERWRITE))
    return found


def of_xread(declared, words):
    """XREAD and XREADGROUP: the first half of what follows STREAMS, where that is no value of another option."""
    at = 1
    while at < len(words):
        word = words[at].upper()
        if word == b"STREAMS":
            count = (len(words) - at - 1) // 2
            return [(place, declared.usage.key_specs[0]) for place in range(at + 1, at + 1 + count)]
        at += {b"COUNT": 2, b"BLOCK": 2, b"GROUP": 3, b"CLAIM": 2}.get(word, 1)
    return []


def of_migrate(declared, words):
    """MIGRATE: one key, or an empty one and those behind the option KEYS."""
    return [(at, spec) for at, spec in declared.usage.key_positions(words) if (at == 3) == (words[3] != b"")]


def of_migrate(declared, words):
    """MIGRATE: its key, or all that follows KEYS, where that is no password."""
    spec = declared.usage.key_specs[0]
    at = 6
    while at < len(words):
        word = words[at].upper()
        if word == b"KEYS":
            if words[3]:
                raise ValueError("a key and KEYS")
            if at + 1 < len(words):
                return [(place, spec) for place in range(at + 1, len(words))]
        at += {b"AUTH": 2, b"AUTH2": 3}.get(word, 1)
    return [(3, spec)]


OF_OPTIONS = {"set": of_set, "delex": of_delex, "bitfield": of_bitfield, "sort": of_sort, "migrate": of_migrate, "georadius": of_georadius,
              "georadiusbymember": of_georadius, "migrate": of_migrate, "xread": of_xread, "xreadgroup": of_xread}


def keys_of(declared, words) -> list:
    """[(position, KeySpec)] of each key among the words of a request (bytes, name included), without shard channels.

    ValueError when the words don't have the form of the command.
    """
    special = OF_OPTIONS.get(declared.name)
    found = declared.usage.key_positions(words) if special is None else special(declared, words)
    return [item for item in found if "not_key" not in item[1].flags]
