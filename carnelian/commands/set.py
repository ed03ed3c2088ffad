# cython: language_level=3
"""The words on sets: https://redis.io/docs/latest/commands/?group=set"""
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.types.set import Set

from carnelian.base.errors import NotInteger, NotPositive, ReplyError, SyntaxFault
from carnelian.base.numbers import parse_integer
from carnelian.base.replies import Members
from carnelian.commands.chance import random_count
from carnelian.commands.scanning import parse_cursor, scan_options
from carnelian.keyspace.declaration import DENYOOM, FAST, READONLY, WRITE, command
from carnelian.types.set_algebra import (difference, difference_set, intersection, intersection_count, intersection_set, union,
                                         union_set)

BATCH = 1024                # members in one propagated SREM


@command("SADD key member [member ...]", WRITE | DENYOOM | FAST, since="1.0.0", group="set", keys="RW INSERT",
         complexity="O(N), N being the number of members given")
def sadd(c: Call, key: bytes, *members):
    """Add members to a set, creating it if it is missing."""
    target: Set = c.set_at(key, True)
    added = target.update(members)
    if added:
        c.changed(key, "sadd", added)
    return added


@command("SREM key member [member ...]", WRITE | FAST, since="1.0.0", group="set", keys="RW DELETE",
         complexity="O(N), N being the number of members given")
def srem(c: Call, key: bytes, *members):
    """Remove members from a set; a set without members is deleted."""
    source: Set = c.set_at(key)
    removed = 0
    if source is not None:
        for member in members:
            removed += source.discard(member)
        if removed:
            c.changed(key, "srem", removed)
    return removed


@command("SMOVE source destination member", WRITE | FAST, since="1.0.0", group="set", keys="RW ACCESS DELETE, RW INSERT",
         complexity="O(1)")
def smove(c: Call, source: bytes, destination: bytes, member: bytes):
    """Move a member from one set to another."""
    giver: Set = c.set_at(source)
    if giver is None:
        return 0
    taker: Set = c.set_at(destination)
    if source == destination:
        return int(member in giver)
    if not giver.discard(member):
        return 0
    c.changed(source, "srem")
    taker = c.set_at(destination, True)
    taker.insert(member)
    c.changed(destination, "sadd")
    return 1


@command("SCARD key", READONLY | FAST, since="1.0.0", group="set", keys="RO", complexity="O(1)")
def scard(c: Call, key: bytes):
    """Count the members of a set."""
    source: Set = c.set_at(key)
    return 0 if source is None else source.length()


@command("SISMEMBER key member", READONLY | FAST, since="1.0.0", group="set", keys="RO", complexity="O(1)")
def sismember(c: Call, key: bytes, member: bytes):
    """Tell whether something is a member of a set."""
    source: Set = c.set_at(key)
    return int(source is not None and member in source)


@command("SMISMEMBER key member [member ...]", READONLY | FAST, since="6.2.0", group="set", keys="RO ACCESS",
         complexity="O(N), N being the number of members given")
def smismember(c: Call, key: bytes, *members):
    """Tell of several things whether they are members of a set."""
    source: Set = c.set_at(key)
    return [int(source is not None and member in source) for member in members]


@command("SMEMBERS key", READONLY, since="1.0.0", group="set", keys="RO ACCESS", complexity="O(N), N being the size of the set")
def smembers(c: Call, key: bytes):
    """Give all members of a set."""
    source: Set = c.set_at(key)
    return Members([] if source is None else source.members())


# --- chance -----------------------------------------------------------------------------------------------------------


@command("SPOP key [count]", WRITE | FAST, since="1.0.0", group="set", keys="RW ACCESS DELETE",
         complexity="O(1), with a count O(N), N being the count")
def spop(c: Call, key: bytes, *options):
    """Take members chosen at random out of a set."""
    if len(options) > 1:
        raise SyntaxFault()
    if options:
        return pop_some(c, key, parse_count(options[0]))
    source: Set = c.set_at(key)
    if source is None:
        return None
    member = source.pop_random()
    c.changed(key, "spop")
    c.propagate(b"SREM", key, member)
    return member


def parse_count(text: bytes) -> int:
    try:
        count = parse_integer(text)
    except NotInteger:
        raise NotPositive() from None
    if count < 0:
        raise NotPositive()
    return count


def pop_some(c: Call, key: bytes, count):
    source: Set = c.set_at(key)
    if source is None or count == 0:
        return Members([])
    popped = source.pop_some(count)
    emptied = source.length() == 0
    c.changed(key, "spop", len(popped))
    if emptied:
        c.propagate(b"DEL", key)
    else:
        for i in range(0, len(popped), BATCH):
            c.propagate(b"SREM", key, *popped[i:i + BATCH])
    return Members(popped)


@command("SRANDMEMBER key [count]", READONLY, since="1.0.0", group="set", keys="RO ACCESS",
         complexity="O(1), with a count O(N), N being its absolute value")
def srandmember(c: Call, key: bytes, *options):
    """Give members of a set chosen at random."""
    count = 0
    if len(options) > 1:
        raise SyntaxFault()
    if options:
        count = random_count(options[0])
    source: Set = c.set_at(key)
    if not options:
        return None if source is None else source.random_member()
    if source is None or count == 0:
        return []
    return source.sample(count) if count > 0 else source.draw(-count)


# --- algebra ----------------------------------------------------------------------------------------------------------


def sets_at(c: Call, keys) -> list:
    """The sets, None for a missing one. WrongType before anything is computed."""
    c.reading = True                        # also as the sources of a STORE word
    return [c.set_at(key) for key in keys]


def store(c: Call, destination: bytes, result: Set, event: str):
    """Puts the result in the place of whatever is there; an empty result deletes it."""
    if result.length():
        c.put(destination, result)
        c.changed(destination, event)
    elif c.delete(destination):
        c.changed(destination, "del")
    return result.length()


@command("SINTER key [key ...]", READONLY, since="1.0.0", group="set", keys="RO ACCESS",
         complexity="O(N*M) at worst, N being the size of the smallest set and M the number of sets")
def sinter(c: Call, *keys):
    """Give the members that all the sets have."""
    return Members(intersection(sets_at(c, keys)))


@command("SINTERSTORE destination key [key ...]", WRITE | DENYOOM, since="1.0.0", group="set", keys="RW UPDATE, RO ACCESS",
         complexity="O(N*M) at worst, N being the size of the smallest set and M the number of sets")
def sinterstore(c: Call, destination: bytes, *keys):
    """Store the members that all the sets have."""
    return store(c, destination, intersection_set(sets_at(c, keys)), "sinterstore")


@command("SINTERCARD numkeys key [key ...] [LIMIT limit]", READONLY, since="7.0.0", group="set", keys="RO ACCESS",
         complexity="O(N*M) at worst, N being the size of the smallest set and M the number of sets")
def sintercard(c: Call, numkeys: bytes, *words):
    """Count the members that all the sets have."""
    count = parse_at_least(numkeys, 1, "ERR numkeys should be greater than 0")
    if count > len(words):
        raise ReplyError("ERR Number of keys can't be greater than number of args")
    limit = 0
    options = words[count:]
    for i in range(0, len(options), 2):
        if options[i].upper() != b"LIMIT" or i + 1 == len(options):
            raise SyntaxFault()
        limit = parse_at_least(options[i + 1], 0, "ERR LIMIT can't be negative")
    return intersection_count(sets_at(c, words[:count]), limit)


def parse_at_least(text: bytes, least, error: str):
    """An integer; one that is too small, or none at all, gets the same error text."""
    try:
        number = parse_integer(text)
    except NotInteger:
        raise ReplyError(error) from None
    if number < least:
        raise ReplyError(error)
    return number


@command("SUNION key [key ...]", READONLY, since="1.0.0", group="set", keys="RO ACCESS",
         complexity="O(N), N being the number of members of all sets")
def sunion(c: Call, *keys):
    """Give the members that any of the sets has."""
    return Members(union(sets_at(c, keys)))


@command("SUNIONSTORE destination key [key ...]", WRITE | DENYOOM, since="1.0.0", group="set", keys="OW UPDATE, RO ACCESS",
         complexity="O(N), N being the number of members of all sets")
def sunionstore(c: Call, destination: bytes, *keys):
    """Store the members that any of the sets has."""
    return store(c, destination, union_set(sets_at(c, keys)), "sunionstore")


@command("SDIFF key [key ...]", READONLY, since="1.0.0", group="set", keys="RO ACCESS",
         complexity="O(N), N being the number of members of all sets")
def sdiff(c: Call, *keys):
    """Give the members of the first set that none of the others has."""
    return Members(difference(sets_at(c, keys)))


@command("SDIFFSTORE destination key [key ...]", WRITE | DENYOOM, since="1.0.0", group="set", keys="OW UPDATE, RO ACCESS",
         complexity="O(N), N being the number of members of all sets")
def sdiffstore(c: Call, destination: bytes, *keys):
    """Store the members of the first set that none of the others has."""
    return store(c, destination, difference_set(sets_at(c, keys)), "sdiffstore")


@command("SSCAN key cursor [MATCH pattern] [COUNT count]", READONLY, since="2.8.0", group="set", keys="RO ACCESS",
         complexity="O(1) a call, O(N) for the whole set")
def sscan(c: Call, key: bytes, cursor: bytes, *options):
    """Go through the members of a set, a few at a time."""
    position = parse_cursor(cursor)
    source: Set = c.set_at(key)
    if source is None:                      # found out before the options are read
        return [b"0", []]
    pattern, count, _ = scan_options(options)
    position, found = source.scan(position, count, pattern)
    return [b"%d" % position, found]
