# cython: language_level=3
"""Fields of a hash that expire: https://redis.io/docs/latest/develop/data-types/hashes/#field-expiration

Times are milliseconds since the epoch everywhere but in the words themselves. A field that has been given a time is deleted
once it is over: on access, or by the engine's periodic work; AOF and replicas get an HDEL.
"""
import cython
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.types.hash import Hash

from carnelian.base.errors import NotInteger, ReplyError, WrongArity
from carnelian.base.numbers import parse_integer
from carnelian.keyspace.declaration import DENYOOM, FAST, READONLY, WRITE, command

LATEST = 2**46 - 1              # the last time that Redis accepts: a bound for clocks, and room for its own bits
SMALLEST_COUNT = "ERR Parameter `numFields` should be greater than 0"
NO_COUNT = "ERR Number of fields must be a positive integer"
CONDITIONS = frozenset({b"NX", b"XX", b"GT", b"LT"})
UNITS = {b"EX": (1000, True), b"PX": (1, True), b"EXAT": (1000, False), b"PXAT": (1, False)}    # (milliseconds, relative)

# What the words answer for a field.
NO_FIELD = -2
NO_TIME = -1                    # of HTTL and HPERSIST
NOT_MET = 0                     # the condition
SET = 1
DELETED = 2


# --- reading the words -----------------------------------------------------------------------------------------------

def parse_time(name: str, text: bytes, unit: int, base: int) -> int:
    """An amount of `unit` milliseconds after `base`."""
    amount = parse_integer(text)
    if amount < 0:
        raise ReplyError("ERR invalid expire time, must be >= 0")
    at = amount * unit + base
    if at > LATEST:
        raise ReplyError(f"ERR invalid expire time in '{name}' command")
    return at


def parse_count(text: bytes, error: str, most: int = 2**63 - 1) -> int:
    try:
        count = parse_integer(text)
    except NotInteger:
        raise ReplyError(error) from None
    if not 1 <= count <= most:
        raise ReplyError(error)
    return count


def parse_fields(name: str, words: tuple, at: int, error: str) -> tuple:
    """The fields of `FIELDS numfields field [field ...]`, which begins at this index and goes up to the end."""
    if at >= len(words) or words[at].upper() != b"FIELDS":
        raise ReplyError("ERR Mandatory argument FIELDS is missing or not at the right position")
    if at + 1 >= len(words):
        raise WrongArity(name)
    count = parse_count(words[at + 1], error)
    if count != len(words) - at - 2:
        raise ReplyError("ERR The `numfields` parameter must match the number of arguments")
    return words[at + 2:]


def effect(c: Call, word: bytes, key: bytes, *arguments) -> None:
    """`arguments` are words, the last a list of fields: hands on `word key ... FIELDS numfields field ...`."""
    fields = arguments[-1]
    c.propagate(word, key, *arguments[:-1], b"FIELDS", b"%d" % len(fields), *fields)


# --- HEXPIRE and its like --------------------------------------------------------------------------------------------

@cython.cfunc
def set_times(c: Call, name: str, key: bytes, time: bytes, words: tuple, unit: cython.int, base):
    """The four words: amounts of `unit` milliseconds, counted from `base`."""
    fields: Hash = c.hash_at(key)
    at = parse_time(name, time, unit, base)
    condition = words[0].upper()
    if condition not in CONDITIONS:
        condition = b""
    names = parse_fields(name, words, 1 if condition else 0, SMALLEST_COUNT)
    if fields is None:
        return [NO_FIELD] * len(names)
    c.expire_fields(key, fields, names)
    done = []
    reply = []
    for field in names:
        current = fields.time_of(field)
        if current < 0:
            reply.append(NO_FIELD)
        elif (condition == b"NX" and current) or (condition == b"XX" and not current) \
                or (condition == b"GT" and (not current or at <= current)) \
                or (condition == b"LT" and current and at >= current):
            reply.append(NOT_MET)
        else:
            done.append(field)
            if at > c.now:
                fields.schedule(field, at)
                reply.append(SET)
            else:
                fields.delete(field)
                reply.append(DELETED)
    if done:
        has_changed(c, key, at, done)
    return reply


@cython.cfunc
def has_changed(c: Call, key: bytes, at, done: list):
    """The fields have been given this time, or are deleted because it is over."""
    if at > c.now:
        effect(c, b"HPEXPIREAT", key, b"%d" % at, done)
        c.changed(key, "hexpire", len(done))
    else:
        c.propagate(b"HDEL", key, *done)
        c.changed(key, "hdel", len(done))


@command("HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]", WRITE | DENYOOM | FAST, since="7.4.0",
         group="hash", keys="RW UPDATE", complexity="O(N), N being the number of fields given")
def hexpire(c: Call, key: bytes, seconds: bytes, *words):
    """Let fields of a hash expire after a number of seconds."""
    return set_times(c, "hexpire", key, seconds, words, 1000, c.now)


@command("HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]", WRITE | DENYOOM | FAST,
         since="7.4.0", group="hash", keys="RW UPDATE", complexity="O(N), N being the number of fields given")
def hpexpire(c: Call, key: bytes, milliseconds: bytes, *words):
    """Let fields of a hash expire after a number of milliseconds."""
    return set_times(c, "hpexpire", key, milliseconds, words, 1, c.now)


@command("HEXPIREAT key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]", WRITE | DENYOOM | FAST,
         since="7.4.0", group="hash", keys="RW UPDATE", complexity="O(N), N being the number of fields given")
def hexpireat(c: Call, key: bytes, time: bytes, *words):
    """Let fields of a hash expire at a time, given in seconds since the epoch."""
    return set_times(c, "hexpireat", key, time, words, 1000, 0)


@command("HPEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]",
         WRITE | DENYOOM | FAST, since="7.4.0", group="hash", keys="RW UPDATE",
         complexity="O(N), N being the number of fields given")
def hpexpireat(c: Call, key: bytes, time: bytes, *words):
    """Let fields of a hash expire at a time, given in milliseconds since the epoch."""
    return set_times(c, "hpexpireat", key, time, words, 1, 0)


@command("HPERSIST key FIELDS numfields field [field ...]", WRITE | FAST, since="7.4.0", group="hash", keys="RW UPDATE",
         complexity="O(N), N being the number of fields given")
def hpersist(c: Call, key: bytes, *words):
    """Let fields of a hash no longer expire."""
    fields: Hash = c.hash_at(key)
    names = parse_fields("hpersist", words, 0, NO_COUNT)
    if fields is None:
        return [NO_FIELD] * len(names)
    done = []
    reply = []
    for field in names:
        current = fields.time_of(field)
        reply.append(NO_FIELD if current < 0 else SET if current else NO_TIME)
        if current > 0:
            fields.schedule(field, 0)
            done.append(field)
    if done:
        effect(c, b"HPERSIST", key, done)
        c.changed(key, "hpersist", len(done))
    return reply


# --- HTTL and its like -----------------------------------------------------------------------------------------------

@cython.cfunc
def give_times(c: Call, name: str, key: bytes, words: tuple, unit: cython.int, base):
    """The four words: times after `base` in a `unit` of milliseconds, which has begun counts in full."""
    fields: Hash = c.hash_at(key)
    names = parse_fields(name, words, 0, NO_COUNT)
    if fields is None:
        return [NO_FIELD] * len(names)
    reply = []
    for field in names:
        at = fields.time_of(field)
        reply.append(NO_FIELD if at < 0 else NO_TIME if at == 0 else (at - base + unit - 1) // unit)
    return reply


@command("HTTL key FIELDS numfields field [field ...]", READONLY | FAST, since="7.4.0", group="hash", keys="RO ACCESS",
         complexity="O(N), N being the number of fields given")
def httl(c: Call, key: bytes, *words):
    """Give the seconds until fields of a hash expire; -1: it does not, -2: there is no such field."""
    return give_times(c, "httl", key, words, 1000, c.now)


@command("HPTTL key FIELDS numfields field [field ...]", READONLY | FAST, since="7.4.0", group="hash", keys="RO ACCESS",
         complexity="O(N), N being the number of fields given")
def hpttl(c: Call, key: bytes, *words):
    """Give the milliseconds until fields of a hash expire; -1: it does not, -2: there is no such field."""
    return give_times(c, "hpttl", key, words, 1, c.now)


@command("HEXPIRETIME key FIELDS numfields field [field ...]", READONLY | FAST, since="7.4.0", group="hash", keys="RO ACCESS",
         complexity="O(N), N being the number of fields given")
def hexpiretime(c: Call, key: bytes, *words):
    """Give the times at which fields of a hash expire in seconds since the epoch; -1: never, -2: there is no such field."""
    return give_times(c, "hexpiretime", key, words, 1000, 0)


@command("HPEXPIRETIME key FIELDS numfields field [field ...]", READONLY | FAST, since="7.4.0", group="hash", keys="RO ACCESS",
         complexity="O(N), N being the number of fields given")
def hpexpiretime(c: Call, key: bytes, *words):
    """Give the times at which fields of a hash expire in milliseconds since the epoch; -1: never, -2: there is no such field."""
    return give_times(c, "hpexpiretime", key, words, 1, 0)


# --- values and times in one word ------------------------------------------------------------------------------------

@command("HGETDEL key FIELDS numfields field [field ...]", WRITE | FAST, since="8.0.0", group="hash", keys="RW ACCESS DELETE",
         complexity="O(N), N being the number of fields given")
def hgetdel(c: Call, key: bytes, *words):
    """Give the values of fields and delete them; a hash without fields is deleted."""
    fields: Hash = c.hash_at(key)
    names = parse_fields("hgetdel", words, 0, NO_COUNT)
    if fields is None:
        return [None] * len(names)
    done = []
    reply = []
    for field in names:
        value = fields.get(field)
        reply.append(value)
        if value is not None:
            fields.delete(field)
            done.append(field)
    if done:
        c.propagate(b"HDEL", key, *done)
        c.changed(key, "hdel", len(done))
    return reply


@command("HGETEX key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST] "
         "FIELDS numfields field [field ...]", WRITE | FAST, since="8.0.0", group="hash", keys="RW UPDATE",
         complexity="O(N), N being the number of fields given")
def hgetex(c: Call, key: bytes, *words):
    """Give the values of fields, and let these expire, or no longer."""
    fields: Hash = c.hash_at(key)
    option = words[0].upper()
    at = None
    begin = 0
    if option in UNITS:
        unit, relative = UNITS[option]
        at = parse_time("hgetex", words[1], unit, c.now if relative else 0)
        begin = 2
    elif option == b"PERSIST":
        begin = 1
    names = parse_fields("hgetex", words, begin, NO_COUNT)
    if fields is None:
        return [None] * len(names)
    done = []
    reply = []
    for field in names:
        value = fields.get(field)
        reply.append(value)
        if value is None or begin == 0:
            continue
        if at is None:
            if fields.time_of(field) > 0:
                fields.schedule(field, 0)
                done.append(field)
        else:
            if at > c.now:
                fields.schedule(field, at)
            else:
                fields.delete(field)
            done.append(field)
    if done and at is None:
        effect(c, b"HPERSIST", key, done)
        c.changed(key, "hpersist", len(done))
    elif done:
        has_changed(c, key, at, done)
    return reply


@cython.final
@cython.cclass
class SetOptions:
    """What HSETEX's words ask for."""
    condition: bytes                # FNX, FXX or None
    keep: cython.bint
    at: object                      # None: the fields do not expire
    pairs: tuple                    # field, value, field, value, ...

    def __init__(self, words: tuple, now):
        i: cython.Py_ssize_t = 0
        count: cython.Py_ssize_t = len(words)
        while i < count:
            word = words[i].upper()
            i += 1
            if word == b"FIELDS":
                if count - i < 3:
                    raise WrongArity("hsetex")
                number = parse_count(words[i], "ERR invalid number of fields", 2**31 - 1)
                self.pairs = words[i + 1:]
                if len(self.pairs) != 2 * number:
                    raise WrongArity("hsetex")
                return
            if word in UNITS or word == b"KEEPTTL":
                if self.keep or self.at is not None:
                    raise ReplyError("ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified")
                if word == b"KEEPTTL":
                    self.keep = True
                    continue
                if i == count:
                    raise ReplyError("ERR missing expire time")
                unit, relative = UNITS[word]
                self.at = parse_time("hsetex", words[i], unit, now if relative else 0)
                i += 1
            elif word == b"FNX" or word == b"FXX":
                if self.condition is not None:
                    raise ReplyError("ERR Only one of FXX or FNX arguments can be specified")
                self.condition = word
            else:
                raise ReplyError(f"ERR unknown argument: {words[i - 1].decode('utf-8', 'surrogateescape')}")
        raise ReplyError("ERR missing FIELDS argument")


@command("HSETEX key [FNX | FXX] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL] "
         "FIELDS numfields field value [field value ...]", WRITE | DENYOOM | FAST, since="8.0.0", group="hash",
         keys="RW UPDATE", complexity="O(N), N being the number of fields given")
def hsetex(c: Call, key: bytes, *words):
    """Set fields of a hash, on condition that all or none are there, and let them expire."""
    asked: SetOptions = SetOptions(words, c.now)
    names = asked.pairs[::2]
    fields: Hash = c.hash_at(key, asked.condition != b"FXX")
    if fields is None:
        return 0
    c.expire_fields(key, fields, names)
    if asked.condition is not None:
        found = sum([field in fields for field in names])
        if found if asked.condition == b"FNX" else found < len(names):
            return 0
    fields.reserve(len(names))
    for i in range(0, len(asked.pairs), 2):
        if asked.keep:
            fields.update(asked.pairs[i], asked.pairs[i + 1])
        else:
            fields.set(asked.pairs[i], asked.pairs[i + 1])
    if asked.at is not None:
        for field in names:
            if asked.at > c.now:
                fields.schedule(field, asked.at)
            else:
                fields.delete(field)
    set_values(c, key, asked, names)
    return 1


@cython.cfunc
def set_values(c: Call, key: bytes, asked: SetOptions, names: tuple):
    """What HSETEX tells of what it has done."""
    count = b"%d" % len(names)
    if asked.at is None:
        option = (b"KEEPTTL",) if asked.keep else ()
        c.propagate(b"HSETEX", key, *option, b"FIELDS", count, *asked.pairs)
        c.changed(key, "hset", len(names))
    elif asked.at > c.now:
        c.propagate(b"HSETEX", key, b"PXAT", b"%d" % asked.at, b"FIELDS", count, *asked.pairs)
        c.changed(key, "hset", len(names))
        c.changed(key, "hexpire", 0)
    else:
        # They have been set and are gone already: of what was there, nothing is left.
        c.propagate(b"HDEL", key, *names)
        c.notify("hset", key)
        c.changed(key, "hdel", len(names))
