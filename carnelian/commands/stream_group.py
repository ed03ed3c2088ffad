# cython: language_level=3
"""Consumer groups: https://redis.io/docs/latest/develop/data-types/streams/#consumer-groups

XREADGROUP is in stream_read.
"""
import cython
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.types.stream import Stream
from cython.cimports.carnelian.types.stream_group import Consumer, Group as StreamGroup

from carnelian.base.errors import ReplyError, SyntaxFault
from carnelian.base.numbers import parse_integer
from carnelian.base.replies import NULL_ARRAY, OK, Status
from carnelian.commands.stream_effects import (
    consumer_made, group_at, group_of, pending_words, position_words, silently_changed)
from carnelian.commands.stream_id import (
    LOWEST_ID, after, id_text, integer_or, parse_bound, parse_end, parse_id, parse_id_or_none, parse_start, shown)
from carnelian.keyspace.declaration import DENYOOM, FAST, LOADING, READONLY, STALE, WRITE, command
from carnelian.types.stream import Stream as NewStream
from carnelian.types.stream_group import CLAIMED, GONE, Group

NO_STREAM = ("ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option "
             "to create an empty stream automatically.")
MOST_CLAIMED = 2**63 // 16 - 1          # XAUTOCLAIM's COUNT
PAGE = 128
SCANNED_PER_CLAIM = 10                  # entries that XAUTOCLAIM looks at for each of its COUNT


# --- XGROUP ------------------------------------------------------------------------------------------------------------

def group_options(options: tuple, name: str):
    """MKSTREAM and ENTRIESREAD, as (bool, int); -1: not known."""
    make_stream = False
    entries_read = -1
    at: cython.Py_ssize_t = 0
    while at < len(options):
        option = options[at].upper()
        if option == b"MKSTREAM" and name == "CREATE":
            make_stream = True
        elif option == b"ENTRIESREAD" and at + 1 < len(options):
            at += 1
            entries_read = parse_integer(options[at])
            if entries_read < -1:
                raise ReplyError("ERR value for ENTRIESREAD must be positive or -1")
        else:
            raise misused(name)
        at += 1
    return make_stream, entries_read


def misused(name: str):
    return ReplyError(f"ERR unknown subcommand or wrong number of arguments for '{name}'. Try XGROUP HELP.")


def existing_group(c: Call, key: bytes, name: bytes):
    """The stream and the group, as XGROUP wants them."""
    stream: Stream = c.stream_at(key)
    if stream is None:
        raise ReplyError(NO_STREAM)
    group = group_of(stream, name)
    if group is None:
        raise ReplyError(f"NOGROUP No such consumer group '{shown(name)}' for key name '{shown(key)}'")
    return stream, group


@command("XGROUP CREATE key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]", WRITE | DENYOOM, since="5.0.0", group="stream",
         keys="RW INSERT", complexity="O(1)")
def xgroup_create(c: Call, key: bytes, name: bytes, start: bytes, *options: bytes):
    """Create a consumer group."""
    make_stream, entries_read = group_options(options, "CREATE")
    stream: Stream = c.stream_at(key)
    if stream is None and not make_stream:
        raise ReplyError(NO_STREAM)
    if len(options) > 3:
        raise misused("CREATE")
    if start == b"$":
        last_id = LOWEST_ID if stream is None else stream.last_id
    else:
        last_id = parse_id(start)
    if stream is None:
        stream = NewStream()
        c.put(key, stream)
        c.changed(key, "xgroup-create")
    elif group_of(stream, name) is not None:
        raise ReplyError("BUSYGROUP Consumer Group name already exists")
    else:
        silently_changed(c)
        c.notify("xgroup-create", key)
    stream.add_group(name, Group(last_id, entries_read))
    return OK


@command("XGROUP SETID key group <id | $> [ENTRIESREAD entries-read]", WRITE, since="5.0.0", group="stream", keys="RW UPDATE",
         complexity="O(1)")
def xgroup_setid(c: Call, key: bytes, name: bytes, start: bytes, *options: bytes):
    """Set the last delivered ID of a consumer group."""
    make_stream, entries_read = group_options(options, "SETID")
    stream: Stream
    stream, group = existing_group(c, key, name)
    if len(options) > 2:
        raise misused("SETID")
    last_id = stream.last_id if start == b"$" else parse_bound(start, 0)
    group.set_last_id(last_id, entries_read)
    silently_changed(c)
    c.notify("xgroup-setid", key)
    return OK


@command("XGROUP DESTROY key group", WRITE, since="5.0.0", group="stream", keys="RW DELETE",
         complexity="O(N) for the N pending entries of the group")
def xgroup_destroy(c: Call, key: bytes, name: bytes):
    """Remove a consumer group with all its consumers and pending entries."""
    stream: Stream = c.stream_at(key)
    if stream is None:
        raise ReplyError(NO_STREAM)
    group = stream.remove_group(name)
    if group is None:
        return 0
    if group.pending_count > 64:
        c.store.bury(group)
    silently_changed(c)
    c.notify("xgroup-destroy", key)
    c.store.waiters.mark(c.db.index, key)           # who waits in the group is to learn that it is gone
    return 1


@command("XGROUP CREATECONSUMER key group consumer", WRITE | DENYOOM, since="6.2.0", group="stream", keys="RW INSERT",
         complexity="O(1)")
def xgroup_createconsumer(c: Call, key: bytes, name: bytes, consumer: bytes):
    """Create a consumer in a consumer group."""
    stream, group = existing_group(c, key, name)
    return int(consumer_made(c, key, name, group, consumer) is not None)


@command("XGROUP DELCONSUMER key group consumer", WRITE, since="5.0.0", group="stream", keys="RW DELETE",
         complexity="O(N) for the N pending entries of the consumer")
def xgroup_delconsumer(c: Call, key: bytes, name: bytes, consumer: bytes):
    """Remove a consumer with its pending entries; their number."""
    stream, group = existing_group(c, key, name)
    pending = group.remove_consumer(consumer)
    if pending is None:
        return 0
    silently_changed(c)
    c.notify("xgroup-delconsumer", key)
    return pending


@command("XGROUP HELP", LOADING | STALE, since="5.0.0", group="stream", complexity="O(1)")
def xgroup_help(c: Call):
    """Describe the subcommands."""
    return [Status(line) for line in (
        b"XGROUP <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        b"CREATE <key> <groupname> <id|$> [option]",
        b"    Create a new consumer group. Options are:",
        b"    * MKSTREAM",
        b"      Create the empty stream if it does not exist.",
        b"    * ENTRIESREAD entries_read",
        b"      Set the group's entries_read counter (internal use).",
        b"CREATECONSUMER <key> <groupname> <consumer>",
        b"    Create a new consumer in the specified group.",
        b"DELCONSUMER <key> <groupname> <consumer>",
        b"    Remove the specified consumer.",
        b"DESTROY <key> <groupname>",
        b"    Remove the specified group.",
        b"SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
        b"    Set the current group ID and entries_read counter.",
        b"HELP",
        b"    Prints this help.")]


# --- pending entries ---------------------------------------------------------------------------------------------------

@command("XACK key group id [id ...]", WRITE | FAST, since="5.0.0", group="stream", keys="RW UPDATE",
         complexity="O(log N) for each ID, N being the pending entries of the group")
def xack(c: Call, key: bytes, name: bytes, *ids: bytes):
    """Acknowledge entries: they are no longer pending. How many were."""
    group: StreamGroup = group_of(c.stream_at(key), name)
    if group is None:
        return 0
    parsed = [parse_id(id) for id in ids]
    acknowledged = 0
    for id in parsed:
        acknowledged += group.acknowledge(id)
    if acknowledged:
        silently_changed(c, acknowledged)
    return acknowledged


class Claiming:
    """The IDs and options of XCLAIM."""

    def __init__(self, arguments: tuple, now: int):
        self.ids = []
        self.delivered = now
        self.deliveries = -1
        self.force = self.just_id = False
        self.last_id = LOWEST_ID
        delivered = -1
        at: cython.Py_ssize_t = 0
        while at < len(arguments):
            id = parse_id_or_none(arguments[at])
            if id is None:
                break
            self.ids.append(id)
            at += 1
        while at < len(arguments):
            option = arguments[at].upper()
            more: cython.bint = at + 1 < len(arguments)
            if option == b"FORCE":
                self.force = True
            elif option == b"JUSTID":
                self.just_id = True
            elif option in (b"IDLE", b"TIME", b"RETRYCOUNT") and more:
                at += 1
                number = integer_or(arguments[at], f"ERR Invalid {option.decode()} option argument for XCLAIM")
                if option == b"RETRYCOUNT":
                    self.deliveries = number
                else:
                    delivered = number if option == b"TIME" else now - number
            elif option == b"LASTID" and more:
                at += 1
                self.last_id = parse_id(arguments[at])
            else:
                raise ReplyError(f"ERR Unrecognized XCLAIM option '{shown(arguments[at])}'")
            at += 1
        if 0 <= delivered <= now:       # a time that can't be is taken for now: a client's clock may differ a little
            self.delivered = delivered


@command("XCLAIM key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds] [RETRYCOUNT count] [FORCE] "
         "[JUSTID] [LASTID lastid]", WRITE | FAST, since="5.0.0", group="stream", keys="RW UPDATE",
         complexity="O(log N) for each ID, N being the pending entries of the group")
def xclaim(c: Call, key: bytes, name: bytes, consumer_name: bytes, min_idle_time: bytes, *arguments: bytes):
    """Make pending entries of a group another consumer's."""
    stream: Stream
    group: StreamGroup
    stream, group = group_at(c, key, name)
    idle = max(integer_or(min_idle_time, "ERR Invalid min-idle-time argument for XCLAIM"), 0)
    claiming = Claiming(arguments, c.now)
    c.propagate()
    moved = claiming.last_id > group.last_id
    if moved:
        group.set_last_id(claiming.last_id, group.entries_read)
    consumer = claimer(c, key, name, group, consumer_name)
    claimed = []
    for id in claiming.ids:
        said = claim_one(c, key, name, stream, group, consumer, id, idle, claiming.delivered, claiming.deliveries,
                         claiming.force, claiming.just_id)
        if said == CLAIMED:
            claimed.append(id_text(id) if claiming.just_id else stream.range(id, id)[0])
    if moved:
        silently_changed(c)
        c.propagate(*position_words(key, name, group))
    return claimed


def claimer(c: Call, key: bytes, name: bytes, group: StreamGroup, consumer_name: bytes):
    """The consumer that claims, created if it is missing."""
    consumer: Consumer = group.consumers.get(consumer_name)
    if consumer is None:
        consumer = consumer_made(c, key, name, group, consumer_name)
    consumer.seen_time = c.now
    return consumer


def claim_one(c: Call, key: bytes, name: bytes, stream: Stream, group: StreamGroup, consumer: Consumer, id, idle: int,
              delivered: int, deliveries: int, force: bool, just_id: bool):
    """Claims one entry, and tells the AOF and replicas in which state it is then."""
    said = group.claim(stream, consumer, id, idle, c.now, delivered, deliveries, force, just_id)
    if said == CLAIMED:
        consumer.active_time = c.now
        silently_changed(c)
        if c.store.sinks:
            owner, at, count = group.pending_entry(id)
            c.propagate(*pending_words(key, name, consumer.name, id_text(id), at, count, id_text(group.last_id)))
    elif said == GONE:
        silently_changed(c)
        c.propagate(b"XACK", key, name, id_text(id))
    return said


@command("XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]", WRITE | FAST, since="6.2.0", group="stream",
         keys="RW DELETE", complexity="O(1) if COUNT is small")
def xautoclaim(c: Call, key: bytes, name: bytes, consumer_name: bytes, min_idle_time: bytes, start: bytes, *options: bytes):
    """Make pending entries that have been idle for long another consumer's, a part at a time."""
    idle = max(integer_or(min_idle_time, "ERR Invalid min-idle-time argument for XAUTOCLAIM"), 0)
    first = parse_start(start)
    count = 100
    just_id = False
    at: cython.Py_ssize_t = 0
    while at < len(options):
        option = options[at].upper()
        if option == b"COUNT" and at + 1 < len(options):
            at += 1
            count = integer_or(options[at], "ERR COUNT must be > 0")
            if not 0 < count <= MOST_CLAIMED:
                raise ReplyError("ERR COUNT must be > 0")
        elif option == b"JUSTID":
            just_id = True
        else:
            raise SyntaxFault()
        at += 1
    stream: Stream
    group: StreamGroup
    stream, group = group_at(c, key, name)
    c.propagate()
    consumer = claimer(c, key, name, group, consumer_name)
    claimed = []
    deleted = []
    attempts = SCANNED_PER_CLAIM * count
    cursor = LOWEST_ID
    for id in pending_from(group, first):
        if attempts == 0 or len(claimed) + len(deleted) == count:
            cursor = id
            break
        attempts -= 1
        said = claim_one(c, key, name, stream, group, consumer, id, idle, c.now, -1, False, just_id)
        if said == CLAIMED:
            claimed.append(id_text(id) if just_id else stream.range(id, id)[0])
        elif said == GONE:
            deleted.append(id_text(id))
    return [id_text(cursor), claimed, deleted]


def pending_from(group: StreamGroup, first):
    """The pending IDs from `first` on, read in pages: the caller may remove what it was given."""
    while first is not None:
        page = group.pending_entries(first, count=PAGE)
        for entry in page:
            yield entry[0]
        first = after(page[-1][0]) if len(page) == PAGE else None


@command("XPENDING key group [[IDLE min-idle-time] start end count [consumer]]", READONLY, since="5.0.0", group="stream",
         keys="RO ACCESS", complexity="O(N) for the N entries that are looked at; the summary O(1) for each consumer")
def xpending(c: Call, key: bytes, name: bytes, *options: bytes):
    """Show the pending entries of a group: a summary, or those in an interval."""
    stream: Stream
    group: StreamGroup
    if not options:
        stream, group = group_at(c, key, name)
        return pending_summary(group)
    if not 3 <= len(options) <= 6:
        raise SyntaxFault()
    idle = 0
    at: cython.Py_ssize_t = 0
    if options[0].upper() == b"IDLE":
        idle = parse_integer(options[1])
        if len(options) < 5:
            raise SyntaxFault()
        at = 2
    count = max(parse_integer(options[at + 2]), 0)
    first = parse_start(options[at])
    last = parse_end(options[at + 1])
    stream, group = group_at(c, key, name)
    consumer = None
    if len(options) > at + 3:
        consumer = group.consumers.get(options[at + 3])
        if consumer is None:
            return []
    return [[id_text(id), owner, max(c.now - delivered, 0), deliveries] for id, owner, delivered, deliveries
            in group.pending_entries(first, last, min(count, 2**62), consumer, c.now, idle)]


def pending_summary(group: StreamGroup):
    bounds = group.pending_bounds()
    if bounds is None:
        return [0, None, None, NULL_ARRAY]
    consumers = [[consumer.name, b"%d" % consumer.pending_count] for _, consumer in sorted(group.consumers.items())
                 if consumer.pending_count]
    return [group.pending_count, id_text(bounds[0]), id_text(bounds[1]), consumers]
