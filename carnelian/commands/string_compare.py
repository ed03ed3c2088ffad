# cython: language_level=3
"""Strings compared before they are changed: what SET, DELEX and DELIFEQ do only if the value is, or is not, this one.

https://redis.io/docs/latest/commands/set/#hash-digest, https://redis.io/docs/latest/commands/delex/,
https://valkey.io/commands/delifeq/
"""
from cython.cimports.carnelian.keyspace.call import Call
from xxhash import xxh3_64_hexdigest

from carnelian.base.errors import ReplyError, WrongArity
from carnelian.keyspace import FAST, READONLY, WRITE, command

CONDITIONS = frozenset({b"IFEQ", b"IFNE", b"IFDEQ", b"IFDNE"})
# Conditions on the digest, and those that a missing key meets.
OF_DIGEST = frozenset({b"IFDEQ", b"IFDNE"})
OF_DIFFERENCE = frozenset({b"IFNE", b"IFDNE"})
DIGEST_LENGTH = 16


def digest_of(value: bytes) -> bytes:
    """The 64-bit XXH3 of a string (seed 0), as 16 lower-case hexadecimal digits.

    https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
    """
    return xxh3_64_hexdigest(value).encode()


def check_operand(condition: bytes, operand: bytes) -> None:
    """A digest to compare with must have its length; any other character than a digit is merely never equal."""
    if condition in OF_DIGEST and len(operand) != DIGEST_LENGTH:
        raise ReplyError("ERR The digest must be exactly 16 hexadecimal characters")


def holds(condition: bytes, operand: bytes, value: bytes | None) -> bool:
    """Whether a string (None: the key is missing) meets the condition."""
    if value is None:
        return condition in OF_DIFFERENCE
    equal = operand.lower() == digest_of(value) if condition in OF_DIGEST else operand == value
    return equal != (condition in OF_DIFFERENCE)


def remove(c: Call, key: bytes) -> int:
    c.delete(key)
    c.propagate(b"DEL", key)
    c.changed(key, "del")
    return 1


@command("DELEX key [IFEQ ifeq-value | IFNE ifne-value | IFDEQ ifdeq-digest | IFDNE ifdne-digest]", WRITE | FAST, since="8.4.0",
         group="string", keys="RW DELETE VARIABLE_FLAGS",
         complexity="O(1) for IFEQ and IFNE, O(N) for IFDEQ and IFDNE, N bytes of the string")
def delex(c: Call, key: bytes, *condition: bytes):
    """Delete a key, on condition that its string or the digest of it is, or is not, the given one."""
    if not condition:
        return remove(c, key) if c.exists(key) else 0
    if len(condition) != 2:
        raise WrongArity("delex")
    kind = c.kind(key)
    if kind == "none":
        return 0
    if kind != "string":
        raise ReplyError("ERR Key should be of string type if conditions are specified")
    word = condition[0].upper()
    if word not in CONDITIONS:
        raise ReplyError("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE")
    check_operand(word, condition[1])
    return remove(c, key) if holds(word, condition[1], c.string_at(key)) else 0


@command("DELIFEQ key value", WRITE | FAST, since="9.0.0", group="string", keys="RW DELETE", complexity="O(1)")
def delifeq(c: Call, key: bytes, value: bytes):
    """Delete a key if its string is the given one: how the owner of a lock lets go of it."""
    return remove(c, key) if c.string_at(key) == value else 0


@command("DIGEST key", READONLY | FAST, since="8.4.0", group="string", keys="RO ACCESS",
         complexity="O(N), N bytes of the string")
def digest(c: Call, key: bytes):
    """Give a digest of a string, for the conditions IFDEQ and IFDNE: its XXH3 in 16 hexadecimal digits."""
    value = c.string_at(key)
    return None if value is None else digest_of(value)
