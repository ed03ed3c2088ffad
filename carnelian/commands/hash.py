# cython: language_level=3
"""The words on hashes: https://redis.io/docs/latest/commands/?group=hash"""
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.types.hash import Hash

from carnelian.base.errors import NotFloat, NotInteger, ReplyError, SyntaxFault, WrongArity
from carnelian.base.numbers import add_long_double, long_double_kind, parse_integer
from carnelian.base.replies import OK, FieldValues, Pairs
from carnelian.commands.chance import random_count
from carnelian.commands.scanning import parse_cursor, scan_options, without
from carnelian.keyspace.declaration import DENYOOM, FAST, READONLY, WRITE, command


@command("HSET key field value [field value ...]", WRITE | DENYOOM | FAST, since="2.0.0", group="hash", keys="RW UPDATE",
         complexity="O(N), N being the number of fields given")
def hset(c: Call, key: bytes, *pairs):
    """Set fields of a hash, creating it if it is missing."""
    if len(pairs) % 2:
        raise WrongArity("hset")
    return set_fields(c, key, pairs)


@command("HMSET key field value [field value ...]", WRITE | DENYOOM | FAST, since="2.0.0", group="hash", keys="RW UPDATE",
         complexity="O(N), N being the number of fields given")
def hmset(c: Call, key: bytes, *pairs):
    """Set fields of a hash; HSET does the same and tells more."""
    if len(pairs) % 2:
        raise WrongArity("hmset")
    set_fields(c, key, pairs)
    return OK


def set_fields(c: Call, key: bytes, pairs: tuple):
    """How many of the fields are new."""
    fields: Hash = c.hash_at(key, True)
    created = 0
    fields.reserve(len(pairs) // 2)
    for i in range(0, len(pairs), 2):
        created += fields.set(pairs[i], pairs[i + 1])
    c.changed(key, "hset", len(pairs) // 2)
    return created


@command("HSETNX key field value", WRITE | DENYOOM | FAST, since="2.0.0", group="hash", keys="RW INSERT", complexity="O(1)")
def hsetnx(c: Call, key: bytes, field: bytes, value: bytes):
    """Set a field of a hash unless the field is there."""
    fields: Hash = c.hash_at(key, True)
    c.expire_fields(key, fields, (field,))
    if field in fields:
        return 0
    fields.set(field, value)
    c.changed(key, "hset")
    return 1


@command("HGET key field", READONLY | FAST, since="2.0.0", group="hash", keys="RO ACCESS", complexity="O(1)")
def hget(c: Call, key: bytes, field: bytes):
    """Give the value of a field."""
    fields: Hash = c.hash_at(key)
    return None if fields is None else fields.get(field)


@command("HMGET key field [field ...]", READONLY | FAST, since="2.0.0", group="hash", keys="RO ACCESS",
         complexity="O(N), N being the number of fields asked for")
def hmget(c: Call, key: bytes, *names):
    """Give the values of several fields."""
    fields: Hash = c.hash_at(key)
    return [None if fields is None else fields.get(field) for field in names]


@command("HGETALL key", READONLY, since="2.0.0", group="hash", keys="RO ACCESS",
         complexity="O(N), N being the size of the hash")
def hgetall(c: Call, key: bytes):
    """Give all fields with their values."""
    fields: Hash = c.hash_at(key)
    return Pairs([] if fields is None else fields.pairs())


@command("HKEYS key", READONLY, since="2.0.0", group="hash", keys="RO ACCESS", complexity="O(N), N being the size of the hash")
def hkeys(c: Call, key: bytes):
    """Give the names of all fields."""
    fields: Hash = c.hash_at(key)
    return [] if fields is None else fields.keys()


@command("HVALS key", READONLY, since="2.0.0", group="hash", keys="RO ACCESS", complexity="O(N), N being the size of the hash")
def hvals(c: Call, key: bytes):
    """Give the values of all fields."""
    fields: Hash = c.hash_at(key)
    return [] if fields is None else fields.values()


@command("HLEN key", READONLY | FAST, since="2.0.0", group="hash", keys="RO", complexity="O(1)")
def hlen(c: Call, key: bytes):
    """Count the fields of a hash."""
    fields: Hash = c.hash_at(key)
    return 0 if fields is None else fields.length()


@command("HEXISTS key field", READONLY | FAST, since="2.0.0", group="hash", keys="RO", complexity="O(1)")
def hexists(c: Call, key: bytes, field: bytes):
    """Tell whether a hash has a field."""
    fields: Hash = c.hash_at(key)
    return int(fields is not None and field in fields)


@command("HSTRLEN key field", READONLY | FAST, since="3.2.0", group="hash", keys="RO", complexity="O(1)")
def hstrlen(c: Call, key: bytes, field: bytes):
    """Give the length of a field's value in bytes."""
    fields: Hash = c.hash_at(key)
    return 0 if fields is None else fields.value_length(field)


@command("HDEL key field [field ...]", WRITE | FAST, since="2.0.0", group="hash", keys="RW DELETE",
         complexity="O(N), N being the number of fields given")
def hdel(c: Call, key: bytes, *names):
    """Delete fields; a hash without fields is deleted."""
    fields: Hash = c.hash_at(key)
    deleted = 0
    if fields is not None:
        c.expire_fields(key, fields, names)
        for field in names:
            deleted += fields.delete(field)
        if deleted:
            c.changed(key, "hdel", deleted)
    return deleted


@command("HINCRBY key field increment", WRITE | DENYOOM | FAST, since="2.0.0", group="hash", keys="RW ACCESS UPDATE",
         complexity="O(1)")
def hincrby(c: Call, key: bytes, field: bytes, increment: bytes):
    """Add to the integer in a field, which counts as 0 while it is missing."""
    number = parse_integer(increment)
    fields: Hash = c.hash_at(key, True)
    c.expire_fields(key, fields, (field,))
    value = fields.get(field)
    if value is not None:
        try:
            number += parse_integer(value)
        except NotInteger:
            raise ReplyError("ERR hash value is not an integer") from None
    if not -(2**63) <= number < 2**63:
        raise ReplyError("ERR increment or decrement would overflow")
    fields.update(field, b"%d" % number)
    c.changed(key, "hincrby")
    return number


@command("HINCRBYFLOAT key field increment", WRITE | DENYOOM | FAST, since="2.6.0", group="hash", keys="RW ACCESS UPDATE",
         complexity="O(1)")
def hincrbyfloat(c: Call, key: bytes, field: bytes, increment: bytes):
    """Add to the floating point number in a field, which counts as 0 while it is missing."""
    if long_double_kind(increment) != 1:
        raise ReplyError("ERR value is NaN or Infinity")
    fields: Hash = c.hash_at(key, True)
    c.expire_fields(key, fields, (field,))
    value = fields.get(field)
    try:
        result = add_long_double(b"0" if value is None else value, increment)
    except NotFloat:
        raise ReplyError("ERR hash value is not a float") from None
    fields.update(field, result)
    c.changed(key, "hincrbyfloat")
    if fields.time_of(field) > 0:
        c.propagate(b"HSETEX", key, b"KEEPTTL", b"FIELDS", b"1", field, result)
    else:
        c.propagate(b"HSET", key, field, result)
    return result


@command("HRANDFIELD key [count [WITHVALUES]]", READONLY, since="6.2.0", group="hash", keys="RO ACCESS",
         complexity="O(N), N being the number of fields given back")
def hrandfield(c: Call, key: bytes, *options):
    """Give fields chosen at random."""
    count = 0
    with_values = False
    if options:
        count = random_count(options[0])
        if len(options) > 2 or (len(options) == 2 and options[1].upper() != b"WITHVALUES"):
            raise SyntaxFault()
        with_values = len(options) == 2
        if with_values and not -(2**62) < count < 2**62:
            raise ReplyError("ERR value is out of range")
    fields: Hash = c.hash_at(key)
    if not options:
        return None if fields is None else fields.random_field()
    if fields is None or count == 0:
        return []
    found = fields.sample(count, with_values) if count > 0 else fields.draw(-count, with_values)
    return FieldValues(found) if with_values else found


@command("HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]", READONLY, since="2.8.0", group="hash", keys="RO ACCESS",
         complexity="O(1) a call, O(N) for the whole hash")
def hscan(c: Call, key: bytes, cursor: bytes, *options):
    """Go through the fields of a hash, with their values or (NOVALUES) without, a few at a time."""
    position = parse_cursor(cursor)
    fields: Hash = c.hash_at(key)
    if fields is None:                      # found out before the options are read
        return [b"0", []]
    options, alone = without(options, b"NOVALUES")
    pattern, count, _ = scan_options(options)
    position, found = fields.scan(position, count, pattern, not alone)
    return [b"%d" % position, found]
