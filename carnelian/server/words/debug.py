"""DEBUG: what test suites look at and turn off. https://redis.io/docs/latest/commands/debug/"""
import logging
import time

from carnelian.base.errors import NoSuchKey, NotInteger, NotPositive, ReplyError
from carnelian.base.glob import matches
from carnelian.base.numbers import parse_float, parse_integer
from carnelian.base.replies import OK, Attribute, BigNumber, Push, Status, Verbatim
from carnelian.keyspace import ADMIN, LOADING, NOSCRIPT, STALE, command
from carnelian.persistence.loading import DamagedFile
from carnelian.persistence.words import files_of
from carnelian.server.config_kinds import memory
from carnelian.server.words import tables
from carnelian.server.words.common import help_text, is_allowed, text_of, unknown_subcommand
from carnelian.server.words.digest import EMPTY, database_digest, value_digest
from carnelian.server.words.figures import Replication
from carnelian.types.chain import set_packed_threshold

log = logging.getLogger("carnelian")
DENIED = ('ERR DEBUG command not allowed. If the enable-debug-command option is set to "local", you can run it from a local '
          "connection, otherwise you need to set this option in the configuration file, and then restart the server.")
MOST_PACKED = 4 << 30


@command("DEBUG subcommand [argument [argument ...]]", ADMIN | NOSCRIPT | LOADING | STALE, since="1.0.0", group="server",
         complexity="Depends on the subcommand", arity=-2)
def debug(c, subcommand: bytes, *arguments: bytes):
    """Look inside, and change what only tests should change."""
    if not is_allowed(c, "enable-debug-command"):
        raise ReplyError(DENIED)
    function, least, most = SUBCOMMANDS.get(subcommand.upper(), (None, 0, 0))
    if function is None or not least <= len(arguments) <= most:
        raise unknown_subcommand("DEBUG", subcommand)
    return function(c, *arguments)


def leading_integer(text: bytes) -> int:
    """C's atoi: the number at the beginning, 0 if there is none."""
    digits = text.lstrip()
    end = 1 if digits[:1] in (b"-", b"+") else 0
    while end < len(digits) and digits[end:end + 1].isdigit():
        end += 1
    try:
        return int(digits[:end])
    except ValueError:
        return 0


def leading_float(text: bytes) -> float:
    """C's strtod: the number at the beginning, 0 if there is none."""
    for end in range(len(text), 0, -1):
        try:
            return parse_float(text[:end])
        except ReplyError:
            continue
    return 0.0


def positive(text: bytes) -> int:
    try:
        number = parse_integer(text)
    except ReplyError:
        raise NotPositive() from None
    if number < 0:
        raise NotPositive()
    return number


# --- time ----------------------------------------------------------------------------------------------------------

def sleep(c, seconds):
    time.sleep(max(0.0, leading_float(seconds)))
    c.store.tick()
    return OK


def set_active_expire(c, switch):
    c.store.active_expire = leading_integer(switch) != 0
    return OK


def pause_cron(c, switch):
    """Expiry and what else the engine does from time to time rests."""
    c.engine.cron_paused = leading_integer(switch) != 0
    return OK


# --- files -----------------------------------------------------------------------------------------------------------

def reload(c, *options):
    """A snapshot is written, everything is forgotten, and the snapshot is loaded. Not everything has to be done."""
    chosen = {option.upper() for option in options}
    if not chosen <= {b"MERGE", b"NOFLUSH", b"NOSAVE"}:
        raise ReplyError("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.")
    files = files_of(c)
    if b"NOSAVE" not in chosen:
        files.save()
    if b"NOFLUSH" not in chosen:
        c.store.clear_all()
    return load_again(files, False)


def load_append_only(c):
    """Everything is forgotten, and the append-only file is loaded."""
    files = files_of(c)
    if files.aof is None:
        raise ReplyError("ERR the append-only file is off")
    c.store.clear_all()
    return load_again(files, True)


def load_again(files, append_only):
    try:
        files.reload(append_only)
    except (DamagedFile, OSError) as error:
        raise ReplyError(f"ERR Error trying to load the data: {error}") from None
    return OK


# --- keys and values -----------------------------------------------------------------------------------------------

def object_(c, key):
    value = c.db.value(key)
    if value is None:
        raise NoSuchKey()
    bound = c.engine.commands[b"object"].subcommands[b"encoding"]
    encoding = bound.function(c, key)
    encoding = encoding.decode() if isinstance(encoding, bytes) else encoding
    idle = (c.db.idle_seconds(key) or 0) if not c.store.is_frequency else 0
    clock = (c.now // 1000 - idle) & 0xFFFFFF
    text = (f"Value at:{id(value):#x} refcount:1 encoding:{encoding} serializedlength:{serialized_length(value)} lru:{clock} "
            f"lru_seconds_idle:{idle}")
    if c.kind(key) == "list" and encoding == "quicklist":
        config = c.engine.config
        text += (f" ql_nodes:{value.nodes} ql_avg_node:{len(value) / value.nodes:.2f} "
                 f"ql_listpack_max:{config['list-max-listpack-size'] if config else -2} ql_compressed:0 "
                 f"ql_uncompressed_size:{value.memory()}")
    return Status(text.encode())


def serialized_length(value) -> int:
    """About what the value would take in a snapshot."""
    if not isinstance(value, bytes):
        return value.memory()
    try:
        number = parse_integer(value)
        for length in (1, 2, 4):
            if -2 ** (8 * length - 1) <= number < 2 ** (8 * length - 1):
                return length + 1
    except NotInteger:
        pass
    return len(value) + (1 if len(value) < 64 else 2 if len(value) < 16384 else 5)


def digest(c):
    return Status(b"%040x" % database_digest(c.store.databases))


def digest_value(c, *keys):
    reply = []
    for key in keys:
        value = c.db.value(key)
        reply.append(Status(b"%040x" % (
            EMPTY if value is None else value_digest(EMPTY, value, c.db.expiry_of(key) is not None))))
    return reply


def populate(c, count, prefix=b"key", size=None):
    count, size = positive(count), None if size is None else positive(size)
    for number in range(count):
        key, value = b"%b:%d" % (prefix, number), b"value:%d" % number
        if c.exists(key):
            continue
        if size:
            value = value[:size].ljust(size, b"\0")
        c.set_string(key, value)
        c.store.touch(c.db.index, key)
    return OK


def sds_lengths(c, key):
    value = c.db.value(key)
    if value is None:
        raise NoSuchKey()
    if not isinstance(value, bytes):
        raise ReplyError("ERR Not an sds encoded string.")
    size = c.db.memory_of(key)
    return Status(b"key_sds_len:%d, key_sds_avail:0, key_zmalloc: %d, val_sds_len:%d, val_sds_avail:0, val_zmalloc: %d"
                  % (len(key), size, len(value), size))


def table_statistics(c, index):
    number = parse_integer(index)
    if not 0 <= number < len(c.store.databases):
        raise ReplyError("ERR Out of range database")
    database = c.store.databases[number]
    return Verbatim(("[Dictionary HT]\n" + tables.describe(tables.database_table(database))
                     + f"[Expires HT]\nNo table: {database.volatile_count} keys with an expiry stand in an array\n").encode())


def table_statistics_of_key(c, key):
    value = c.db.value(key)
    if value is None:
        raise NoSuchKey()
    table = tables.table_at(value)
    if table is None:
        raise ReplyError("ERR The value stored at the specified key is not represented using an hash table")
    return Verbatim(tables.describe(table).encode())


# --- the server ----------------------------------------------------------------------------------------------------

def packed_threshold(c, size):
    """Elements of so many bytes get nodes of their own in a quicklist; 0: those too large for a usual node."""
    try:
        number = memory(text_of(size))
    except ValueError:
        number = -1
    if not 0 <= number <= MOST_PACKED:
        raise ReplyError("ERR argument must be a memory value bigger than 1 and smaller than 4gb")
    set_packed_threshold(number)
    return OK


def reply_buffer(c, what, value):
    """Accepted, without effect: reply buffers shrink when they are empty."""
    if what.upper() == b"PEAK-RESET-TIME":
        if value.upper() not in (b"NEVER", b"RESET"):
            parse_integer(value)
    elif what.upper() != b"RESIZING":
        raise unknown_subcommand("DEBUG", c.words[1])
    return OK


def change_replication_id(c):
    log.info("Changing replication IDs after receiving change-repl-id")
    Replication.change()
    return OK


def error(c, text):
    raise ReplyError(text_of(text))


def write_log(c, text):
    log.warning("DEBUG LOG: %s", text_of(text).encode("utf-8", "backslashreplace").decode())
    return OK


def protocol(c, kind):
    kind = kind.lower()
    if kind == b"push":
        if c.session.writer.resp == 2:
            raise ReplyError("ERR RESP2 is not supported by this command")
        c.session.writer.encode(Push([b"server-cpu-usage", 42]))
        return b"Some real reply following the push reply"
    try:
        return REPLIES[kind]
    except KeyError:
        raise ReplyError("ERR Wrong protocol type name. Please use one of the following: "
                         "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false") from None


REPLIES = {
    b"string": b"Hello World", b"integer": 12345, b"double": 3.141, b"bignum": BigNumber(1234567999999999999999999999999999999),
    b"null": None, b"array": [0, 1, 2], b"set": {0, 1, 2}, b"map": {0: False, 1: True, 2: False},
    b"attrib": Attribute({b"key-popularity": [b"key:123", 90]}, b"Some real reply following the attribute"),
    b"verbatim": Verbatim(b"This is a verbatim\nstring"), b"true": True, b"false": False}


def help_(c):
    return help_text("DEBUG", """
CHANGE-REPL-ID
    Give this data set a new identity for replicas.
DIGEST
    Give a signature of all data.
DIGEST-VALUE [<key> ...]
    Give signatures of the values of keys.
ERROR <text>
    Answer with this error.
HTSTATS <database>
    Tell how the hash table of a database is filled.
HTSTATS-KEY <key>
    Tell how the hash table of a large hash, set or sorted set is filled.
LOADAOF
    Load the append-only file anew.
LOG <text>
    Write a line into the log.
OBJECT <key>
    Tell encoding, size and age of a value.
PAUSE-CRON <0|1>
    Let the periodic work rest, or go on.
POPULATE <count> [<prefix> [<size>]]
    Make string keys <prefix>:0, <prefix>:1, ... that are not there yet.
PROTOCOL <type>
    Answer with a sample of a type: string, integer, double, bignum, null,
    array, set, map, attrib, push, verbatim, true or false.
QUICKLIST-PACKED-THRESHOLD <size>
    Accepted, without effect.
REPLYBUFFER <PEAK-RESET-TIME <NEVER|RESET|milliseconds> | RESIZING <0|1>>
    Accepted, without effect.
RELOAD [MERGE] [NOFLUSH] [NOSAVE]
    Write a snapshot and load it.
SDSLEN <key>
    Tell the lengths of a key and its string.
SET-ACTIVE-EXPIRE <0|1>
    Let expired keys stay until they are looked at, or not.
SLEEP <seconds>
    Hold the whole server.
STRINGMATCH-LEN <length> <pattern>
    Match the pattern against so many letters "a".
""")


def string_match(c, length, pattern):
    """For patterns that could take long."""
    return int(matches(pattern, b"a" * positive(length)))


SUBCOMMANDS = {                                 # name: (function, fewest arguments, most)
    b"CHANGE-REPL-ID": (change_replication_id, 0, 0), b"DIGEST": (digest, 0, 0), b"DIGEST-VALUE": (digest_value, 0, 1 << 30),
    b"ERROR": (error, 1, 1), b"HELP": (help_, 0, 0), b"HTSTATS": (table_statistics, 1, 1), b"HTSTATS-KEY": (table_statistics_of_key, 1, 1),
    b"LOADAOF": (load_append_only, 0, 0), b"LOG": (write_log, 1, 1), b"OBJECT": (object_, 1, 1), b"PAUSE-CRON": (pause_cron, 1, 1),
    b"POPULATE": (populate, 1, 3),
    b"PROTOCOL": (protocol, 1, 1), b"QUICKLIST-PACKED-THRESHOLD": (packed_threshold, 1, 1), b"REPLYBUFFER": (reply_buffer, 2, 2),
    b"RELOAD": (reload, 0, 3), b"SDSLEN": (sds_lengths, 1, 1), b"SET-ACTIVE-EXPIRE": (set_active_expire, 1, 1), b"SLEEP": (sleep, 1, 1),
    b"STRINGMATCH-LEN": (string_match, 2, 2)}
