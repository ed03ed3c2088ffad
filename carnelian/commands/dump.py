# cython: language_level=3
"""Values as bytes: taken out of one server, put into another. https://redis.io/docs/latest/commands/dump/"""
import cython
from cython.cimports.carnelian.keyspace.call import Call

from carnelian.base.errors import ReplyError, SyntaxFault
from carnelian.base.numbers import parse_integer
from carnelian.base.replies import OK
from carnelian.commands.expire import LARGEST
from carnelian.keyspace import ASKING, DANGEROUS, DENYOOM, READONLY, WRITE, command
from carnelian.types import serial


@command("DUMP key", READONLY, since="2.6.0", keys="RO ACCESS", complexity="O(N), N bytes of the value")
def dump(c: Call, key: bytes):
    """Give a value as bytes that RESTORE understands."""
    value = c.value_at(key)
    return None if value is None else serial.dump(value)


@cython.cfunc
def read_options(options: tuple) -> tuple:
    """RESTORE's options: replace, absolute, seconds of idle time, frequency; the last two None if they are not given."""
    replace = absolute = False
    idle = frequency = None
    i: cython.Py_ssize_t = 0
    while i < len(options):
        word = options[i].upper()
        more: cython.bint = i + 1 < len(options)
        i += 1
        if word == b"REPLACE":
            replace = True
        elif word == b"ABSTTL":
            absolute = True
        elif word == b"IDLETIME" and more and frequency is None:
            idle = parse_integer(options[i])
            if idle < 0:
                raise ReplyError("ERR Invalid IDLETIME value, must be >= 0")
            i += 1
        elif word == b"FREQ" and more and idle is None:
            frequency = parse_integer(options[i])
            if not 0 <= frequency <= 255:
                raise ReplyError("ERR Invalid FREQ value, must be >= 0 and <= 255")
            i += 1
        else:
            raise SyntaxFault()
    return replace, absolute, idle, frequency


@command("RESTORE-ASKING key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]",
         WRITE | DENYOOM | DANGEROUS | ASKING, since="3.0.0", group="server", keys="OW UPDATE",
         complexity="O(N), N bytes of the value")
@command("RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]",
         WRITE | DENYOOM | DANGEROUS, since="2.6.0", keys="OW UPDATE", complexity="O(N), N bytes of the value")
def restore(c: Call, key: bytes, ttl: bytes, payload: bytes, *options: bytes):
    """Make a key of what DUMP gave."""
    replace, absolute, idle, frequency = read_options(options)
    if not replace and c.exists(key):
        raise ReplyError("BUSYKEY Target key name already exists.")
    at = parse_integer(ttl)
    if at < 0:
        raise ReplyError("ERR Invalid TTL value, must be >= 0")
    try:
        value = serial.restore(payload)
    except serial.WrongFooter:
        raise ReplyError("ERR DUMP payload version or checksum are wrong") from None
    except serial.DamagedValue:
        raise ReplyError("ERR Bad data format") from None
    deleted = c.delete(key) if replace else False
    if at and not absolute:
        at += c.now
    if at and (at <= c.now or at > LARGEST):        # over already; a relative time beyond the last one is, too, as in Redis
        if deleted:
            c.propagate(b"DEL", key)
            c.changed(key, "del")
        return OK
    if isinstance(value, bytes):
        c.set_string(key, value)
    else:
        c.put(key, value)
    if at:
        c.expire(key, at)
        if not absolute:
            c.propagate(c.words[0], key, b"%d" % at, payload, *options, b"ABSTTL")
    if idle is not None or frequency is not None:
        c.db.set_access(key, idle, frequency)
    c.changed(key, "restore")
    return OK
