"""The signature of a data set that DEBUG DIGEST gives: the same data, the same 40 digits as in Redis.

It is built of SHA-1 values. What has an order is mixed in one after the other; what has none (keys of a database, members of a
set) is combined by exclusive or, so that the order of iteration does not matter.
"""
from hashlib import sha1

from carnelian.types.hash import Hash
from carnelian.types.json_document import JsonDocument
from carnelian.types.list import List
from carnelian.types.set import Set
from carnelian.types.sorted_set import SortedSet

EMPTY = 0
STRING, LIST, SET, SORTED_SET, HASH, MODULE, STREAM = 0, 1, 2, 3, 4, 5, 6


def signature(data: bytes) -> int:
    return int.from_bytes(sha1(data).digest(), "big")


def mixed(digest: int, *parts: bytes) -> int:
    """The parts mixed in, in order."""
    for part in parts:
        digest = signature((digest ^ signature(part)).to_bytes(20, "big"))
    return digest


def joined(digest: int, element: int) -> int:
    """An element's digest taken in, in any order."""
    return digest ^ signature(element.to_bytes(20, "big"))


def number(value: int) -> bytes:
    return value.to_bytes(4, "big")


def value_digest(digest: int, value, expires: bool) -> int:
    """The value of a key (bytes or a structure) and whether it has an expiry, mixed into the key's digest."""
    if isinstance(value, bytes):
        digest = mixed(digest, number(STRING), value)
    elif isinstance(value, List):
        digest = mixed(digest, number(LIST), *value.range(0, -1))
    elif isinstance(value, Set):
        digest = mixed(digest, number(SET))
        for member in value.members():
            digest ^= signature(member)
    elif isinstance(value, SortedSet):
        digest = mixed(digest, number(SORTED_SET))
        items = value.items()
        for member, score in zip(items[::2], items[1::2]):
            digest = joined(digest, mixed(EMPTY, member, b"%.17g" % score))
    elif isinstance(value, Hash):
        digest = mixed(digest, number(HASH))
        pairs = value.pairs()
        for field, content in zip(pairs[::2], pairs[1::2]):
            element = mixed(EMPTY, field, content)
            if value.time_of(field) > 0:
                element ^= signature(b"!!hexpire!!")
            digest = joined(digest, element)
    elif isinstance(value, JsonDocument):
        digest = mixed(digest, number(MODULE), value.to_text())
    else:
        digest = mixed(digest, number(STREAM))
        for id, words in value.range():
            digest = mixed(digest, id.replace(b"-", b"."), *words)
    if expires:
        digest ^= signature(b"!!expire!!")
    return digest


def database_digest(databases) -> int:
    digest = EMPTY
    for database in databases:
        if len(database):
            digest = mixed(digest, number(database.index))
            for key, value, expiry in database.items():
                digest = joined(digest, value_digest(mixed(EMPTY, key), value, expiry is not None))
    return digest
