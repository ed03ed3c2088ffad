# cython: language_level=3
"""When keys expire. https://redis.io/docs/latest/commands/expire/

Times are milliseconds since the epoch everywhere but in the words themselves.
"""
import cython
from cython.cimports.carnelian.keyspace.call import Call

from carnelian.base.errors import ReplyError, shown
from carnelian.base.numbers import parse_integer
from carnelian.keyspace import FAST, READONLY, WRITE, command

SMALLEST = -2**63
LARGEST = 2**63 - 1

# The units of SET and GETEX.
SECONDS = frozenset({b"EX", b"EXAT"})
ABSOLUTE = frozenset({b"EXAT", b"PXAT"})


def invalid(name: str) -> ReplyError:
    return ReplyError(f"ERR invalid expire time in '{name}' command")


def expiry_time(now: int, name: str, unit: bytes, text: bytes) -> int:
    """What SET, SETEX and GETEX mean: a positive amount in a unit EX, PX, EXAT or PXAT. `name` is for the error."""
    amount = parse_integer(text)
    if amount <= 0:
        raise invalid(name)
    if unit in SECONDS:
        amount *= 1000
    if unit not in ABSOLUTE:
        amount += now
    if amount > LARGEST:
        raise invalid(name)
    return amount


@cython.cfunc
def read_condition(options: tuple) -> tuple:
    """EXPIRE's options: whether NX, XX, GT and LT are among them."""
    nx = xx = gt = lt = False
    for option in options:
        word = option.upper()
        if word == b"NX":
            nx = True
        elif word == b"XX":
            xx = True
        elif word == b"GT":
            gt = True
        elif word == b"LT":
            lt = True
        else:
            raise ReplyError(f"ERR Unsupported option {shown(option)}")
    if nx and (xx or gt or lt):
        raise ReplyError("ERR NX and XX, GT or LT options at the same time are not compatible")
    if gt and lt:
        raise ReplyError("ERR GT and LT options at the same time are not compatible")
    return nx, xx, gt, lt


@cython.cfunc
def set_expiry(c: Call, name: str, key: bytes, text: bytes, options: tuple, unit: cython.int, base):
    """The four words: amounts of `unit` milliseconds, counted from `base`."""
    nx, xx, gt, lt = read_condition(options)
    at = parse_integer(text) * unit
    if not SMALLEST <= at <= LARGEST or at + base > LARGEST:
        raise invalid(name)
    at += base
    if not c.exists(key):
        return 0
    current = c.expiry(key)
    if (nx and current is not None) or (xx and current is None) or (gt and (current is None or at <= current)) \
            or (lt and current is not None and at >= current):
        return 0
    if at <= c.now:
        c.delete(key)
        c.propagate(b"DEL", key)
        c.changed(key, "del")
    else:
        c.expire(key, at)
        c.propagate(b"PEXPIREAT", key, b"%d" % at)
        c.changed(key, "expire")
    return 1


@command("EXPIRE key seconds [NX | XX | GT | LT]", WRITE | FAST, since="1.0.0", keys="RW UPDATE", complexity="O(1)")
def expire(c: Call, key: bytes, seconds: bytes, *options: bytes):
    """Let a key expire after a number of seconds."""
    return set_expiry(c, "expire", key, seconds, options, 1000, c.now)


@command("PEXPIRE key milliseconds [NX | XX | GT | LT]", WRITE | FAST, since="2.6.0", keys="RW UPDATE", complexity="O(1)")
def pexpire(c: Call, key: bytes, milliseconds: bytes, *options: bytes):
    """Let a key expire after a number of milliseconds."""
    return set_expiry(c, "pexpire", key, milliseconds, options, 1, c.now)


@command("EXPIREAT key unix-time-seconds [NX | XX | GT | LT]", WRITE | FAST, since="1.2.0", keys="RW UPDATE",
         complexity="O(1)")
def expireat(c: Call, key: bytes, time: bytes, *options: bytes):
    """Let a key expire at a time, given in seconds since the epoch."""
    return set_expiry(c, "expireat", key, time, options, 1000, 0)


@command("PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT]", WRITE | FAST, since="2.6.0", keys="RW UPDATE",
         complexity="O(1)")
def pexpireat(c: Call, key: bytes, time: bytes, *options: bytes):
    """Let a key expire at a time, given in milliseconds since the epoch."""
    return set_expiry(c, "pexpireat", key, time, options, 1, 0)


@command("PERSIST key", WRITE | FAST, since="2.2.0", keys="RW UPDATE", complexity="O(1)")
def persist(c: Call, key: bytes):
    """Let a key no longer expire."""
    if not c.persist(key):
        return 0
    c.changed(key, "persist")
    return 1


@cython.cfunc
def time_of(c: Call, key: bytes):
    """-2 without the key, -1 without an expiry, else its time."""
    if not c.present(key):
        return -2
    at = c.expiry(key)
    return -1 if at is None else at


@command("TTL key", READONLY | FAST, since="1.0.0", keys="RO ACCESS", complexity="O(1)")
def ttl(c: Call, key: bytes):
    """Give the seconds until a key expires; -1: it does not, -2: there is no such key."""
    at = time_of(c, key)
    return at if at < 0 else (max(at - c.now, 0) + 500) // 1000


@command("PTTL key", READONLY | FAST, since="2.6.0", keys="RO ACCESS", complexity="O(1)")
def pttl(c: Call, key: bytes):
    """Give the milliseconds until a key expires; -1: it does not, -2: there is no such key."""
    at = time_of(c, key)
    return at if at < 0 else max(at - c.now, 0)


@command("EXPIRETIME key", READONLY | FAST, since="7.0.0", keys="RO ACCESS", complexity="O(1)")
def expiretime(c: Call, key: bytes):
    """Give the time at which a key expires in seconds since the epoch; -1: never, -2: there is no such key."""
    at = time_of(c, key)
    return at if at < 0 else (at + 500) // 1000


@command("PEXPIRETIME key", READONLY | FAST, since="7.0.0", keys="RO ACCESS", complexity="O(1)")
def pexpiretime(c: Call, key: bytes):
    """Give the time at which a key expires in milliseconds since the epoch; -1: never, -2: there is no such key."""
    return time_of(c, key)
