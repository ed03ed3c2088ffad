# cython: language_level=3
"""XREAD and XREADGROUP: entries of several streams at once, now or when they come."""
import cython
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.types.stream import Stream
from cython.cimports.carnelian.types.stream_group import Consumer, Group

from carnelian.base.errors import NotInteger, ReplyError, SyntaxFault
from carnelian.base.numbers import parse_integer
from carnelian.base.replies import NULL_ARRAY, Pairs
from carnelian.commands.stream_effects import (
    consumer_made, group_of, pending_words, position_words, silently_changed)
from carnelian.commands.stream_group import claim_one
from carnelian.commands.stream_id import HIGHEST_ID, LOWEST_ID, after, id_text, integer_or, parse_id, shown
from carnelian.keyspace.declaration import BLOCKING, READONLY, WRITE, command
from carnelian.types.stream_group import CLAIMED

# XREADGROUP CLAIM that waits looks again after this many milliseconds at the latest: entries may become pending meanwhile.
LOOK_AGAIN = 1000

DOLLAR_IN_GROUP = (
    "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a "
    "proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.")


class Reading:
    """The arguments of XREAD, and those of XREADGROUP after its group and consumer."""

    def __init__(self, arguments: tuple, name: str):
        self.grouped = name == "xreadgroup"
        self.group = self.consumer = None
        self.count = 0                  # 0: all
        self.milliseconds = None        # to wait, 0: for ever
        self.noack = False
        self.idle = None                # of CLAIM, milliseconds
        self.keys = self.ids = None
        self.streams_at = 0             # where the keys begin among the arguments
        at: cython.Py_ssize_t = 0
        more: cython.Py_ssize_t
        while at < len(arguments) and self.keys is None:
            option: bytes = arguments[at].upper()
            more = len(arguments) - at - 1
            if option == b"BLOCK" and more:
                at += 1
                self.milliseconds = parse_wait(arguments[at])
            elif option == b"COUNT" and more:
                at += 1
                self.count = max(parse_integer(arguments[at]), 0)
            elif option == b"STREAMS" and more:
                if more % 2:
                    raise ReplyError(f"ERR Unbalanced '{name}' list of streams: for each stream key an ID or "
                                     f"'{'>' if self.grouped else '$'}' must be specified.")
                self.streams_at = at + 1
                self.keys = arguments[at + 1:at + 1 + more // 2]
                self.ids = arguments[at + 1 + more // 2:]
            elif option == b"GROUP" and more >= 2:
                if not self.grouped:
                    raise ReplyError("ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.")
                self.group = arguments[at + 1]
                self.consumer = arguments[at + 2]
                at += 2
            elif option == b"NOACK":
                if not self.grouped:
                    raise ReplyError("ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.")
                self.noack = True
            elif option == b"CLAIM" and more:
                if not self.grouped:
                    raise ReplyError("ERR The CLAIM option is only supported by XREADGROUP. You called XREAD instead.")
                at += 1
                self.idle = integer_or(arguments[at], "ERR min-idle-time is not an integer or out of range")
                if self.idle < 0:
                    raise ReplyError("ERR min-idle-time must be a positive integer")
            else:
                raise SyntaxFault()
            at += 1
        if self.keys is None:
            raise SyntaxFault()
        if self.grouped and self.group is None:
            raise ReplyError("ERR Missing GROUP option for XREADGROUP")


def parse_wait(text: bytes) -> int:
    """BLOCK's milliseconds."""
    try:
        number = parse_integer(text)
    except NotInteger:
        raise ReplyError("ERR timeout is not an integer or out of range") from None
    if number < 0:
        raise ReplyError("ERR timeout is negative")
    return number


def by_key(c: Call, found: list):
    """(key, entries) pairs as the reply gives them: a map in RESP3, pairs in RESP2."""
    if c.session.writer.resp == 3:
        return Pairs([part for pair in found for part in pair])
    return [[key, entries] for key, entries in found]


@command("XREAD [COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]", READONLY | BLOCKING, since="5.0.0",
         group="stream", keys="RO ACCESS", complexity="O(N) for the N entries that are returned")
def xread(c: Call, *arguments: bytes):
    """Return the entries behind given IDs in several streams, or wait for them."""
    reading = Reading(arguments, "xread")
    ids = []
    newest = set()                      # positions of the keys whose last entry is wanted
    for key, text in zip(reading.keys, reading.ids):
        stream: Stream = c.stream_at(key)
        if text == b"$" or text == b"+":
            if text == b"+" and stream is not None and stream.length:
                newest.add(len(ids))
            ids.append(LOWEST_ID if stream is None else stream.last_id)
        elif text == b">":
            raise ReplyError("ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.")
        else:
            ids.append(parse_id(text))
    found = []
    for at, (key, id) in enumerate(zip(reading.keys, ids)):
        stream = c.stream_at(key)
        if at in newest:
            found.append((key, stream.range(stream.top_id)))
        elif stream is not None and stream.top_id > id:
            found.append((key, stream.range(after(id), count=reading.count or -1)))
    if found:
        return by_key(c, found)
    if reading.milliseconds is None:
        return NULL_ARRAY
    # A `$` or `+` means the last entry of now, not of the time when the words are run again.
    first = 1 + reading.streams_at + len(ids)
    return c.wait(reading.keys, reading.milliseconds / 1000, words=c.words[:first] + tuple(map(id_text, ids)))


@command("XREADGROUP GROUP group consumer [COUNT count] [BLOCK milliseconds] [CLAIM min-idle-time] [NOACK] "
         "STREAMS key [key ...] id [id ...]", WRITE | BLOCKING, since="5.0.0", group="stream", keys="RO ACCESS",
         complexity="O(N) for the N entries that are returned; with CLAIM, for the N entries that are pending")
def xreadgroup(c: Call, *arguments: bytes):
    """Deliver new entries to a consumer of a group, or show it those that are pending, or wait for new ones.

    With CLAIM those that are pending for long become the consumer's, too, the longest idle first.
    """
    reading = Reading(arguments, "xreadgroup")
    stream: Stream
    group: Group
    plan = []
    for key, text in zip(reading.keys, reading.ids):
        stream = c.stream_at(key)
        group = group_of(stream, reading.group)
        if group is None:
            raise ReplyError(f"NOGROUP No such key '{shown(key)}' or consumer group '{shown(reading.group)}' in XREADGROUP "
                             "with GROUP option")
        if text == b"$":
            raise ReplyError(DOLLAR_IN_GROUP)
        id = HIGHEST_ID if text == b">" else parse_id(text)     # `>` is short for the highest ID
        plan.append((key, stream, group, None if id == HIGHEST_ID else id))
    c.propagate()
    found = []
    for key, stream, group, behind in plan:
        entries = read_one(c, reading, key, stream, group, behind)
        if entries is not None:
            found.append((key, entries))
    if found:
        return by_key(c, found)
    if reading.milliseconds is None:
        return NULL_ARRAY
    again = 0
    if reading.idle is not None and any(behind is None for _, _, _, behind in plan):
        idle = [group.idle_entries(stream, reading.idle, c.now)[1] for _, stream, group, behind in plan if behind is None]
        again = min([time for time in idle if time is not None] + [c.now + max(LOOK_AGAIN, reading.idle)])
        again = min(max(again, c.now + 1), 2**63 - 1)
    return c.wait(reading.keys, reading.milliseconds / 1000, on_delete=True, again=again)


def read_one(c: Call, reading, key: bytes, stream: Stream, group: Group, behind):
    """The entries of one stream; None when nothing new is there. `behind`: an ID in the consumer's history, None: new ones."""
    consumer: Consumer = group.consumers.get(reading.consumer)
    if consumer is None:
        consumer = consumer_made(c, key, reading.group, group, reading.consumer)
    consumer.seen_time = c.now
    if behind is not None:
        silently_changed(c)
        return [[id, NULL_ARRAY if fields is None else fields] for id, fields
                in group.history(stream, consumer, behind, reading.count, c.now)]
    claimed = [] if reading.idle is None else claim_idle(c, reading, key, stream, group, consumer)
    room = reading.count - len(claimed)             # 0 of a COUNT that was given: it is exhausted
    if stream.length == 0 or stream.top_id <= group.last_id or (reading.count and room == 0):
        return claimed or None
    entries = group.deliver(stream, consumer, room if reading.count else 0, c.now, reading.noack)
    if not reading.noack:
        consumer.active_time = c.now
    silently_changed(c)
    if c.store.sinks:
        if not reading.noack:
            last = id_text(group.last_id)
            for id, fields in entries:
                c.propagate(*pending_words(key, reading.group, consumer.name, id, c.now, 1, last))
        c.propagate(*position_words(key, reading.group, group))
    if reading.idle is None:
        return entries
    return claimed + [[id, fields, 0, 0] for id, fields in entries]


def claim_idle(c: Call, reading, key: bytes, stream: Stream, group: Group, consumer: Consumer) -> list:
    """The entries that CLAIM makes the consumer's: [ID, fields, milliseconds since the last delivery, deliveries before this]."""
    claimed = []
    for delivered, id, deliveries in group.idle_entries(stream, reading.idle, c.now)[0][:reading.count or None]:
        if claim_one(c, key, reading.group, stream, group, consumer, id, 0, c.now, -1, False, False) == CLAIMED:
            claimed.append([*stream.range(id, id)[0], c.now - delivered, deliveries])
    return claimed
