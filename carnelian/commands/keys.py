# cython: language_level=3
"""Keys of any type: looking for them, deleting, renaming, copying. https://redis.io/docs/latest/commands/?group=generic"""
import cython
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.keyspace.session import NO_TOUCH, Session
from cython.cimports.carnelian.keyspace.database import Database

from carnelian.base.errors import NoSuchKey, ReplyError, SyntaxFault
from carnelian.base.numbers import parse_integer
from carnelian.base.replies import OK, Status
from carnelian.commands.databases import database_at
from carnelian.commands.scanning import parse_cursor, scan_options
from carnelian.keyspace import BLOCKING, DANGEROUS, DENYOOM, FAST, LOADING, READONLY, STALE, WRITE, command

LONGEST_EMBEDDED = cython.declare(cython.Py_ssize_t, 44)        # bytes of a string whose encoding is called embstr
KINDS = {b"string": 0, b"list": 1, b"set": 2, b"zset": 3, b"hash": 4, b"rejson-rl": 5, b"stream": 6}
NO_KIND = 99                                                    # TYPE of SCAN with an unknown name: nothing has it

NO_FREQUENCY = ("ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching "
                "between policies at runtime LRU and LFU data will take some time to adjust.")
NO_IDLE_TIME = ("ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between "
                "policies at runtime LRU and LFU data will take some time to adjust.")


# --- deleting and counting -----------------------------------------------------------------------------------------

@cython.cfunc
def delete(c: Call, keys: tuple):
    deleted: cython.Py_ssize_t = 0
    for key in keys:
        if c.delete(key):
            c.changed(key, "del")
            deleted += 1
    return deleted


@command("DEL key [key ...]", WRITE, since="1.0.0", keys="RM DELETE", complexity="O(N), N keys; large values are freed later")
def del_(c: Call, *keys: bytes):
    """Delete keys, and say how many there were."""
    return delete(c, keys)


@command("UNLINK key [key ...]", WRITE | FAST, since="4.0.0", keys="RM DELETE",
         complexity="O(N), N keys; large values are freed later")
def unlink(c: Call, *keys: bytes):
    """Delete keys and free their memory in the background; DEL does the same here."""
    return delete(c, keys)


@command("EXISTS key [key ...]", READONLY | FAST, since="1.0.0", keys="RO", complexity="O(N), N keys")
def exists(c: Call, *keys: bytes):
    """Count how many of the keys are there; one given twice counts twice."""
    found: cython.Py_ssize_t = 0
    for key in keys:
        found += c.exists(key)
    return found


@command("TOUCH key [key ...]", READONLY | FAST, since="3.2.1", keys="RO", complexity="O(N), N keys")
def touch(c: Call, *keys: bytes):
    """Mark keys as just used, and count how many are there."""
    found: cython.Py_ssize_t = 0
    session: Session = c.session
    silent: cython.longlong = session.flags & NO_TOUCH
    session.flags &= ~NO_TOUCH              # CLIENT NO-TOUCH does not mean this word
    for key in keys:
        found += c.exists(key)
    session.flags |= silent
    return found


@command("TYPE key", READONLY | FAST, since="1.0.0", keys="RO", complexity="O(1)")
def type_(c: Call, key: bytes):
    """Name the type of a key's value."""
    return Status(c.kind(key).encode()) if c.present(key) else Status(b"none")


# --- looking for keys ----------------------------------------------------------------------------------------------

@command("KEYS pattern", READONLY | DANGEROUS, since="1.0.0", complexity="O(N), N keys of the database")
def keys(c: Call, pattern: bytes):
    """List every key that matches a glob pattern."""
    return c.db.keys(pattern)


@command("SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]", READONLY, since="2.8.0",
         complexity="O(1) for every call; O(N) for the whole walk")
def scan(c: Call, cursor: bytes, *options: bytes):
    """Walk over the keys in steps: what is there all the time is returned at least once."""
    position = parse_cursor(cursor)
    pattern, count, type = scan_options(options, True)
    kind = -1 if type is None else KINDS.get(type, NO_KIND)
    position, found = c.db.scan(position, min(count, 2**31 - 1), pattern, kind)
    return [b"%d" % position, found]


@command("RANDOMKEY", READONLY, since="1.0.0", complexity="O(1)")
def randomkey(c: Call):
    """Give a key taken at random."""
    return c.db.random_key()


# --- renaming, moving, copying -------------------------------------------------------------------------------------

@cython.cfunc
def rename_key(c: Call, key: bytes, newkey: bytes, overwrite: cython.bint) -> cython.bint:
    """False if newkey is there and must not be overwritten. NoSuchKey."""
    if not c.exists(key):
        raise NoSuchKey()
    if key == newkey:
        return overwrite
    if c.exists(newkey):
        if not overwrite:
            return False
        c.delete(newkey)
    c.appeared(newkey)
    c.db.move_key(key, c.db, newkey)
    c.changed(key, "rename_from")
    c.changed(newkey, "rename_to", 0)
    return True


@command("RENAME key newkey", WRITE, since="1.0.0", keys="RW ACCESS DELETE, OW UPDATE", complexity="O(1)")
def rename(c: Call, key: bytes, newkey: bytes):
    """Give a value another key, over whatever was there."""
    rename_key(c, key, newkey, True)
    return OK


@command("RENAMENX key newkey", WRITE | FAST, since="1.0.0", keys="RW ACCESS DELETE, OW INSERT", complexity="O(1)")
def renamenx(c: Call, key: bytes, newkey: bytes):
    """Give a value another key, if that one is not there."""
    return int(rename_key(c, key, newkey, False))


@command("MOVE key db", WRITE | FAST, since="1.0.0", keys="RW ACCESS UPDATE", complexity="O(1)")
def move(c: Call, key: bytes, db: bytes):
    """Take a key to another database, if it is not there."""
    if c.engine.cluster is not None:
        raise ReplyError("ERR MOVE is not allowed in cluster mode")
    target: Database = database_at(c.store, db)
    source: Database = c.db
    if target is source:
        raise ReplyError("ERR source and destination objects are the same")
    if not c.exists(key) or target.value(key) is not None:
        return 0
    c.store.notify(target.index, key, "new", "generic")
    source.move_key(key, target, key)
    c.changed(key, "move_from")
    c.changed(key, "move_to", 0, target)
    return 1


@command("COPY source destination [DB destination-db] [REPLACE]", WRITE | DENYOOM, since="6.2.0",
         keys="RO ACCESS, OW UPDATE", complexity="O(N), N elements of the value; O(1) for a string")
def copy(c: Call, source: bytes, destination: bytes, *options: bytes):
    """Copy a value, with its expiry, to another key."""
    target: Database = c.db
    origin: Database = c.db
    replace: cython.bint = False
    i: cython.Py_ssize_t = 0
    while i < len(options):
        word = options[i].upper()
        i += 1
        if word == b"REPLACE":
            replace = True
        elif word == b"DB" and i < len(options):
            target = database_at(c.store, options[i])
            i += 1
        else:
            raise SyntaxFault()
    if target is not origin and c.engine.cluster is not None:
        raise ReplyError("ERR Copying to another database is not allowed in cluster mode")
    if target is origin and source == destination:
        raise ReplyError("ERR source and destination objects are the same")
    c.reading = True
    value = c.value_at(source)
    c.reading = False
    if value is None:
        return 0
    expiry = c.expiry(source)
    c.db = target
    try:
        if c.exists(destination):
            if not replace:
                return 0
            c.delete(destination)
        if isinstance(value, bytes):
            c.set_string(destination, value)
        else:
            c.put(destination, value.copy())
        if expiry is not None:
            c.expire(destination, expiry)
        c.changed(destination, "copy_to")
    finally:
        c.db = origin
    return 1


# --- about the values ----------------------------------------------------------------------------------------------

@command("OBJECT ENCODING key", READONLY, since="2.2.3", keys="RO", complexity="O(1)")
def object_encoding(c: Call, key: bytes):
    """Name the internal form of a key's value."""
    value = c.db.value(key)
    if value is None:
        return None
    if not isinstance(value, bytes):
        return value.encoding
    if c.db.is_raw(key):
        return b"raw"
    if len(value) <= 20:
        try:
            parse_integer(value)
            return b"int"
        except ReplyError:
            return b"embstr"
    return b"embstr" if len(value) <= LONGEST_EMBEDDED else b"raw"


@command("OBJECT REFCOUNT key", READONLY, since="2.2.3", keys="RO", complexity="O(1)")
def object_refcount(c: Call, key: bytes):
    """Count the references to a key's value: always 1, values are not shared."""
    return None if c.kind(key) == "none" else 1


@command("OBJECT IDLETIME key", READONLY, since="2.2.3", keys="RO", complexity="O(1)")
def object_idletime(c: Call, key: bytes):
    """Give the seconds since a key was last used."""
    seconds = c.db.idle_seconds(key)
    if seconds is not None and c.store.is_frequency:
        raise ReplyError(NO_IDLE_TIME)
    return seconds


@command("OBJECT FREQ key", READONLY, since="4.0.0", keys="RO", complexity="O(1)")
def object_freq(c: Call, key: bytes):
    """Give the counter of a key's uses, on a logarithmic scale up to 255."""
    frequency = c.db.access_frequency(key)
    if frequency is not None and not c.store.is_frequency:
        raise ReplyError(NO_FREQUENCY)
    return frequency


OBJECT_HELP = """\
OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
ENCODING <key>
    Name the form in which the value is kept.
FREQ <key>
    Give the counter of uses (with an LFU maxmemory-policy only): 0 to 255,
    on a logarithmic scale, falling with time.
IDLETIME <key>
    Give the seconds since the last use (with any other maxmemory-policy).
REFCOUNT <key>
    Count the references to the value.
HELP
    Show this text."""


@command("OBJECT HELP", LOADING | STALE, since="6.2.0", complexity="O(1)")
def object_help(c: Call):
    """Explain the subcommands of OBJECT."""
    return [Status(line.encode()) for line in OBJECT_HELP.split("\n")]


# --- waiting for replicas ------------------------------------------------------------------------------------------

@cython.cfunc
def milliseconds(text: bytes) -> float:
    """A timeout in milliseconds, as seconds."""
    try:
        timeout = parse_integer(text)
    except ReplyError:
        raise ReplyError("ERR timeout is not an integer or out of range") from None
    if timeout < 0:
        raise ReplyError("ERR timeout is negative")
    return timeout / 1000


@command("WAIT numreplicas timeout", BLOCKING, since="3.0.0", complexity="O(1)")
def wait(c: Call, numreplicas: bytes, timeout: bytes):
    """Wait until so many replicas have what this client wrote; there are none."""
    wanted = parse_integer(numreplicas)
    seconds = milliseconds(timeout)
    return 0 if wanted <= 0 else c.wait((), seconds, on_timeout=0)


@command("WAITAOF numlocal numreplicas timeout", BLOCKING, since="7.2.0", complexity="O(1)")
def waitaof(c: Call, numlocal: bytes, numreplicas: bytes, timeout: bytes):
    """Wait until what this client wrote is on disk here and with so many replicas; there are none, and there is no log."""
    local = parse_integer(numlocal)
    if not 0 <= local <= 1:
        raise ReplyError("ERR value is out of range, value must between 0 and 1")
    wanted = parse_integer(numreplicas)
    if wanted < 0:
        raise ReplyError("ERR value is out of range, must be positive")
    seconds = milliseconds(timeout)
    if local:
        raise ReplyError("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.")
    return [0, 0] if wanted == 0 else c.wait((), seconds, on_timeout=[0, 0])
