# cython: language_level=3
"""The words of lists that wait until there is something to pop.

Each tries its plain form, and parks the client where that finds nothing; once a key is changed the body runs again. What
goes to the log is the plain form.
"""
import cython
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.types.list import List

from carnelian.commands.list import is_left, move, numkeys_side_count, pop_from_first
from carnelian.keyspace import BLOCKING, DENYOOM, MOVABLE_KEYS, WRITE, command


@command("BLPOP key [key ...] timeout", WRITE | BLOCKING, since="2.0.0", group="list",
         keys="RW ACCESS DELETE", complexity="O(N), N being the number of keys")
def blpop(c: Call, *arguments):
    """Remove and return the first element of a list, waiting for one if need be."""
    return pop_one(c, arguments[:-1], c.timeout(arguments[-1]), True)


@command("BRPOP key [key ...] timeout", WRITE | BLOCKING, since="2.0.0", group="list",
         keys="RW ACCESS DELETE", complexity="O(N), N being the number of keys")
def brpop(c: Call, *arguments):
    """Remove and return the last element of a list, waiting for one if need be."""
    return pop_one(c, arguments[:-1], c.timeout(arguments[-1]), False)


def pop_one(c: Call, keys: tuple, seconds: cython.double, left: cython.bint):
    for key in keys:
        values: List = c.list_at(key)
        if values is not None:
            element = values.pop_left() if left else values.pop_right()
            c.changed(key, "lpop" if left else "rpop")
            c.propagate(b"LPOP" if left else b"RPOP", key)
            return [key, element]
    return c.wait(keys, seconds)


@command("BLMPOP timeout numkeys key [key ...] <LEFT | RIGHT> [COUNT count]", WRITE | BLOCKING | MOVABLE_KEYS,
         since="7.0.0", group="list", keys="RW ACCESS DELETE",
         complexity="O(N+M), N being the number of keys and M that of the elements returned")
def blmpop(c: Call, timeout: bytes, numkeys: bytes, *rest):
    """Remove and return elements from the first list that is not empty, waiting for one if need be."""
    keys, left, count = numkeys_side_count(numkeys, rest)
    seconds = c.timeout(timeout)
    popped = pop_from_first(c, keys, left, count)
    return c.wait(keys, seconds) if popped is None else popped


@command("BLMOVE source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout", WRITE | DENYOOM | BLOCKING,
         since="6.2.0", group="list", keys="RW ACCESS DELETE, RW INSERT", complexity="O(1)")
def blmove(c: Call, source: bytes, destination: bytes, where_from: bytes, where_to: bytes, timeout: bytes):
    """Move an element from an end of one list to an end of another, waiting for one if need be."""
    from_left = is_left(where_from)
    to_left = is_left(where_to)
    return move_or_wait(c, source, destination, from_left, to_left, c.timeout(timeout),
                        (b"LMOVE", source, destination, where_from, where_to))


@command("BRPOPLPUSH source destination timeout", WRITE | DENYOOM | BLOCKING, since="2.2.0", group="list",
         keys="RW ACCESS DELETE, RW INSERT", complexity="O(1)")
def brpoplpush(c: Call, source: bytes, destination: bytes, timeout: bytes):
    """Move the last element of one list to the left end of another, waiting for one if need be."""
    return move_or_wait(c, source, destination, False, True, c.timeout(timeout), (b"RPOPLPUSH", source, destination))


def move_or_wait(c: Call, source: bytes, destination: bytes, from_left: cython.bint, to_left: cython.bint,
                 seconds: cython.double, plain: tuple):
    element = move(c, source, destination, from_left, to_left)
    if element is not None:
        c.propagate(*plain)
        return element
    if not c.may_wait:
        return None             # where it may not wait it answers like its plain form
    return c.wait((source,), seconds)
