# cython: language_level=3
"""What the words about consumer groups share: finding a group, and what the AOF and replicas are told."""
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.types.stream import Stream
from cython.cimports.carnelian.types.stream_group import Group

from carnelian.base.errors import ReplyError
from carnelian.commands.stream_id import id_text, shown


def group_of(stream: Stream | None, name: bytes):
    """The group, None if it or the stream is missing."""
    return None if stream is None or stream.groups is None else stream.groups.get(name)


def group_at(c: Call, key: bytes, name: bytes):
    """The stream and the group; an error if one of them is missing."""
    stream: Stream = c.stream_at(key)
    group = group_of(stream, name)
    if group is None:
        raise ReplyError(f"NOGROUP No such key '{shown(key)}' or consumer group '{shown(name)}'")
    return stream, group


def silently_changed(c: Call, n: int = 1):
    """A change of a group that is saved and propagated, but does not count as one of the key: WATCH sees none."""
    c.modified = True
    c.store.dirty += n


def consumer_made(c: Call, key: bytes, group_name: bytes, group: Group, name: bytes):
    """The new consumer of this name, with all that goes with it; None if there was one."""
    consumer = group.add_consumer(name, c.now)
    if consumer is not None:
        silently_changed(c)
        c.notify("xgroup-createconsumer", key)
        c.propagate(b"XGROUP", b"CREATECONSUMER", key, group_name, name)
    return consumer


def pending_words(key: bytes, group_name: bytes, consumer: bytes, id: bytes, delivered: int, deliveries: int, last_id: bytes):
    """The words that make an entry pending in this very state."""
    return (b"XCLAIM", key, group_name, consumer, b"0", id, b"TIME", b"%d" % delivered, b"RETRYCOUNT", b"%d" % deliveries,
            b"FORCE", b"JUSTID", b"LASTID", last_id)


def position_words(key: bytes, group_name: bytes, group: Group):
    """The words that set the group's last ID and its counter."""
    return (b"XGROUP", b"SETID", key, group_name, id_text(group.last_id), b"ENTRIESREAD", b"%d" % group.entries_read)
