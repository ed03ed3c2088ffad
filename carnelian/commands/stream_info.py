# cython: language_level=3
"""XINFO: what a stream, its groups and their consumers are like."""
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.types.stream import Stream
from cython.cimports.carnelian.types.stream_group import Consumer, Group

from carnelian.base.errors import NoSuchKey, ReplyError
from carnelian.base.numbers import parse_integer
from carnelian.base.replies import Status
from carnelian.commands.stream_effects import group_of
from carnelian.commands.stream_id import id_text, shown
from carnelian.keyspace.declaration import LOADING, READONLY, STALE, command

SHOWN_BY_DEFAULT = 10           # entries and pending entries of XINFO STREAM FULL


def existing_stream(c: Call, key: bytes):
    stream: Stream = c.stream_at(key)
    if stream is None:
        raise NoSuchKey()
    return stream


@command("XINFO STREAM key [FULL [COUNT count]]", READONLY, since="5.0.0", group="stream", keys="RO ACCESS", complexity="O(1)")
def xinfo_stream(c: Call, key: bytes, *options: bytes):
    """Describe a stream; with FULL, its entries, groups and consumers too."""
    stream: Stream = existing_stream(c, key)
    count = SHOWN_BY_DEFAULT
    if options:
        if len(options) not in (1, 3) or options[0].upper() != b"FULL" or len(options) == 3 and options[1].upper() != b"COUNT":
            raise ReplyError("ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.")
        if len(options) == 3:
            count = parse_integer(options[2])
            if count < 0:
                count = SHOWN_BY_DEFAULT
    reply = {
        b"length": stream.length,
        b"radix-tree-keys": stream.block_count,
        b"radix-tree-nodes": stream.block_count + 1,        # of the blocks' index: here it is one array
        b"last-generated-id": id_text(stream.last_id),
        b"max-deleted-entry-id": id_text(stream.max_deleted_id),
        b"entries-added": stream.entries_added,
        b"recorded-first-entry-id": id_text(stream.first_id),
    }
    groups = sorted((stream.groups or {}).items())
    if options:
        limit = min(count, 2**62) or -1
        reply[b"entries"] = stream.range(count=limit)
        reply[b"groups"] = [full_group(stream, name, group, limit) for name, group in groups]
    else:
        first = stream.range(count=1)
        last = stream.range(count=1, backwards=True)
        reply[b"groups"] = len(groups)
        reply[b"first-entry"] = first[0] if first else None
        reply[b"last-entry"] = last[0] if last else None
    return reply


def read_so_far(group: Group):
    return None if group.entries_read == -1 else group.entries_read


def full_group(stream: Stream, name: bytes, group: Group, limit: int):
    return {
        b"name": name,
        b"last-delivered-id": id_text(group.last_id),
        b"entries-read": read_so_far(group),
        b"lag": group.lag(stream),
        b"pel-count": group.pending_count,
        b"pel": [[id_text(id), owner, delivered, deliveries]
                 for id, owner, delivered, deliveries in group.pending_entries(count=limit)],
        b"consumers": [full_consumer(group, consumer, limit) for _, consumer in sorted(group.consumers.items())],
    }


def full_consumer(group: Group, consumer: Consumer, limit: int):
    return {
        b"name": consumer.name,
        b"seen-time": consumer.seen_time,
        b"active-time": consumer.active_time,
        b"pel-count": consumer.pending_count,
        b"pel": [[id_text(id), delivered, deliveries]
                 for id, _, delivered, deliveries in group.pending_entries(count=limit, consumer=consumer)],
    }


@command("XINFO GROUPS key", READONLY, since="5.0.0", group="stream", keys="RO ACCESS", complexity="O(N) for the N groups")
def xinfo_groups(c: Call, key: bytes):
    """Describe the consumer groups of a stream."""
    stream: Stream = existing_stream(c, key)
    group: Group
    return [{
        b"name": name,
        b"consumers": len(group.consumers),
        b"pending": group.pending_count,
        b"last-delivered-id": id_text(group.last_id),
        b"entries-read": read_so_far(group),
        b"lag": group.lag(stream),
    } for name, group in sorted((stream.groups or {}).items())]


@command("XINFO CONSUMERS key group", READONLY, since="5.0.0", group="stream", keys="RO ACCESS",
         complexity="O(N) for the N consumers")
def xinfo_consumers(c: Call, key: bytes, name: bytes):
    """Describe the consumers of a group."""
    group: Group = group_of(existing_stream(c, key), name)
    consumer: Consumer
    if group is None:
        raise ReplyError(f"NOGROUP No such consumer group '{shown(name)}' for key name '{shown(key)}'")
    return [{
        b"name": consumer.name,
        b"pending": consumer.pending_count,
        b"idle": max(c.now - consumer.seen_time, 0),
        b"inactive": -1 if consumer.active_time == -1 else max(c.now - consumer.active_time, 0),
    } for _, consumer in sorted(group.consumers.items())]


@command("XINFO HELP", LOADING | STALE, since="5.0.0", group="stream", complexity="O(1)")
def xinfo_help(c: Call):
    """Describe the subcommands."""
    return [Status(line) for line in (
        b"XINFO <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        b"CONSUMERS <key> <groupname>",
        b"    Show consumers of <groupname>.",
        b"GROUPS <key>",
        b"    Show the stream consumer groups.",
        b"STREAM <key> [FULL [COUNT <count>]",
        b"    Show information about the stream.",
        b"HELP",
        b"    Prints this help.")]
