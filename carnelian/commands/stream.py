# cython: language_level=3
"""Streams: entries in, entries out. https://redis.io/docs/latest/develop/data-types/streams/

Consumer groups are in stream_group, XREAD and XREADGROUP in stream_read, XINFO in stream_info.
"""
import cython
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.types.stream import Stream, trim_limit

from carnelian.base.errors import NoSuchKey, ReplyError, SyntaxFault, WrongArity
from carnelian.base.numbers import parse_integer
from carnelian.base.replies import NULL_ARRAY, OK
from carnelian.commands.stream_effects import silently_changed
from carnelian.commands.stream_id import (
    HIGHEST, HIGHEST_ID, LOWEST_ID, after, id_text, parse_end, parse_id, parse_new_id, parse_start)
from carnelian.keyspace.declaration import DENYOOM, FAST, READONLY, WRITE, command
from carnelian.types.stream import LARGEST_ENTRY
from carnelian.types.stream_references import POLICIES, trim

INCOMPATIBLE = "ERR syntax error, MAXLEN and MINID options at the same time are not compatible"


class Trimming:
    """The options of XADD and XTRIM about what is to be cut off, and where the options ended."""

    def __init__(self, arguments: tuple, adding: bool):
        self.strategy = None            # b"MAXLEN" or b"MINID"
        self.threshold = None           # a number, or an ID
        self.approximate = False
        self.limit = 0
        self.policy = None              # KEEPREF, DELREF or ACKED, None: not given
        self.last_cut = None            # the last entry that a policy has let go
        self.make_stream = True
        self.id = None                  # of XADD, None: automatic; a sequence of None: the next one
        self.end = len(arguments)
        limit_given = False
        at: cython.Py_ssize_t = 0
        more: cython.Py_ssize_t
        while at < len(arguments):
            word: bytes = arguments[at]
            option: bytes = word.upper()
            more = len(arguments) - at - 1
            if adding and option == b"*":
                self.end = at
                break
            if option in (b"MAXLEN", b"MINID") and more:
                if self.strategy is not None:
                    raise ReplyError(INCOMPATIBLE)
                if more >= 2 and arguments[at + 1] in (b"~", b"="):
                    self.approximate = arguments[at + 1] == b"~"
                    at += 1
                at += 1
                self.strategy = option
                if option == b"MINID":
                    self.threshold = parse_id(arguments[at])
                else:
                    self.threshold = parse_integer(arguments[at])
                    if self.threshold < 0:
                        raise ReplyError("ERR The MAXLEN argument must be >= 0.")
            elif option == b"LIMIT" and more:
                at += 1
                self.limit = parse_integer(arguments[at])
                if self.limit < 0:
                    raise ReplyError("ERR The LIMIT argument must be >= 0.")
                limit_given = True
            elif option in POLICIES:
                if self.policy is not None:
                    raise SyntaxFault()
                self.policy = option
            elif adding and option == b"NOMKSTREAM":
                self.make_stream = False
            elif adding:
                self.id = parse_new_id(word)
                self.end = at
                break
            else:
                raise SyntaxFault()
            at += 1
        if self.limit and self.strategy is None:
            raise ReplyError("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy")
        if not adding and self.strategy is None:
            raise ReplyError("ERR syntax error, XTRIM must be called with a trimming strategy")
        if limit_given and not self.approximate:
            raise ReplyError("ERR syntax error, LIMIT cannot be used without the special ~ option")
        if self.approximate and not limit_given:
            # As much as may be cut off in one go, so that a call does not take long.
            self.limit = trim_limit()

    def heeds_groups(self, stream: Stream) -> bool:
        return self.policy in (b"DELREF", b"ACKED") and bool(stream.groups)

    def cut(self, stream: Stream) -> int:
        """Trims the stream: how many entries have gone."""
        if self.heeds_groups(stream):
            length, before = (min(self.threshold, 2**63), None) if self.strategy == b"MAXLEN" else (None, self.threshold)
            cut, self.last_cut = trim(stream, POLICIES[self.policy], length, before, self.approximate, self.limit)
            return cut
        if self.strategy == b"MAXLEN":
            return stream.trim_length(min(self.threshold, 2**63), self.approximate, self.limit)
        return stream.trim_before(self.threshold, self.approximate, self.limit)

    def exact(self, stream: Stream) -> tuple:
        """The words that cut off exactly what has gone: for the AOF and replicas, after `cut`."""
        if self.heeds_groups(stream) and self.last_cut is None:
            return ()
        policy = (self.policy,) if self.last_cut is not None else ()
        if self.strategy == b"MAXLEN":
            return *policy, b"MAXLEN", b"=", b"%d" % (stream.length if self.approximate else self.threshold)
        threshold = self.threshold
        if self.approximate:
            if self.last_cut is not None:
                threshold = after(self.last_cut) or HIGHEST_ID
            else:
                threshold = stream.first_id if stream.length else HIGHEST_ID
        return *policy, b"MINID", b"=", id_text(threshold)


@command("XADD key [NOMKSTREAM] [KEEPREF | DELREF | ACKED] [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] "
         "<* | id> field value [field value ...]", WRITE | DENYOOM | FAST, since="5.0.0", group="stream", keys="RW UPDATE",
         complexity="O(1), and O(N) for the N entries that are trimmed")
def xadd(c: Call, key: bytes, *arguments: bytes):
    """Append an entry to a stream, creating it if it is missing."""
    trimming = Trimming(arguments, adding=True)
    words = arguments[trimming.end + 1:]
    if len(words) < 2 or len(words) % 2:
        raise WrongArity("xadd")
    if trimming.id == LOWEST_ID:
        raise ReplyError("ERR The ID specified in XADD must be greater than 0-0")
    stream: Stream = c.stream_at(key, trimming.make_stream)
    if stream is None:
        return None
    id = new_id(c, stream, trimming.id)
    if sum([len(word) for word in words]) > LARGEST_ENTRY:
        raise ReplyError("ERR Elements are too large to be stored")
    if not stream.add(id, words):
        raise too_small()
    c.changed(key, "xadd")
    if trimming.strategy is not None and trimming.cut(stream):
        c.notify("xtrim", key)
    text = id_text(id)
    if c.store.sinks:
        options = () if trimming.strategy is None else trimming.exact(stream)
        c.propagate(b"XADD", key, *options, text, *words)
    return text


def new_id(c: Call, stream: Stream, wanted):
    """The ID that an entry gets; it may be too small where it was given whole."""
    following = stream.automatic_id(c.now if wanted is None else 0)
    if following is None:
        raise ReplyError("ERR The stream has exhausted the last possible ID, unable to add more items")
    if wanted is None:
        return following
    ms, seq = wanted
    if seq is None:
        last_ms, last_seq = stream.last_id
        seq = last_seq + 1 if ms == last_ms else 0
        if seq > HIGHEST:
            raise too_small()
    return ms, seq


def too_small():
    return ReplyError("ERR The ID specified in XADD is equal or smaller than the target stream top item")


@command("XLEN key", READONLY | FAST, since="5.0.0", group="stream", keys="RO", complexity="O(1)")
def xlen(c: Call, key: bytes):
    """Count the entries of a stream."""
    stream: Stream = c.stream_at(key)
    return 0 if stream is None else stream.length


@command("XRANGE key start end [COUNT count]", READONLY, since="5.0.0", group="stream", keys="RO ACCESS",
         complexity="O(N) for the N entries that are returned")
def xrange(c: Call, key: bytes, start: bytes, end: bytes, *options: bytes):
    """Return the entries with IDs in an interval, the oldest first."""
    return entries_between(c, key, start, end, options, False)


@command("XREVRANGE key end start [COUNT count]", READONLY, since="5.0.0", group="stream", keys="RO ACCESS",
         complexity="O(N) for the N entries that are returned")
def xrevrange(c: Call, key: bytes, end: bytes, start: bytes, *options: bytes):
    """Return the entries with IDs in an interval, the newest first."""
    return entries_between(c, key, start, end, options, True)


def entries_between(c: Call, key: bytes, start: bytes, end: bytes, options: tuple, backwards: bool):
    first = parse_start(start)
    last = parse_end(end)
    count = -1
    for at in range(0, len(options), 2):
        if options[at].upper() != b"COUNT" or at + 1 == len(options):
            raise SyntaxFault()
        count = max(parse_integer(options[at + 1]), 0)
    stream: Stream = c.stream_at(key)
    if stream is None:
        return []
    if count == 0:
        return NULL_ARRAY
    return stream.range(first, last, min(count, 2**62), backwards)


@command("XDEL key id [id ...]", WRITE | FAST, since="5.0.0", group="stream", keys="RW DELETE",
         complexity="O(log B) for each ID, B being the blocks of the stream")
def xdel(c: Call, key: bytes, *ids: bytes):
    """Remove entries from a stream by their IDs."""
    stream: Stream = c.stream_at(key)
    if stream is None:
        return 0
    parsed = [parse_id(id) for id in ids]
    deleted = 0
    for id in parsed:
        deleted += stream.delete(id)
    if deleted:
        c.changed(key, "xdel", deleted)
    return deleted


@command("XTRIM key <MAXLEN | MINID> [= | ~] threshold [LIMIT count] [KEEPREF | DELREF | ACKED]", WRITE, since="5.0.0",
         group="stream", keys="RW DELETE", complexity="O(N) for the N entries that are removed")
def xtrim(c: Call, key: bytes, *arguments: bytes):
    """Cut off the oldest entries of a stream."""
    trimming = Trimming(arguments, adding=False)
    stream: Stream = c.stream_at(key)
    if stream is None:
        return 0
    deleted = trimming.cut(stream)
    if deleted:
        c.changed(key, "xtrim", deleted)
        c.propagate(b"XTRIM", key, *trimming.exact(stream))
    return deleted


@command("XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]", WRITE | DENYOOM | FAST, since="5.0.0",
         group="stream", keys="RW UPDATE", complexity="O(1)")
def xsetid(c: Call, key: bytes, last_id: bytes, *options: bytes):
    """Set a stream's last ID and its counters (for replication and repair)."""
    id = parse_id(last_id)
    entries_added = None
    max_deleted_id = LOWEST_ID
    for at in range(0, len(options), 2):
        option = options[at].upper()
        if at + 1 == len(options) or option not in (b"ENTRIESADDED", b"MAXDELETEDID"):
            raise SyntaxFault()
        if option == b"ENTRIESADDED":
            entries_added = parse_integer(options[at + 1])
            if entries_added < 0:
                raise ReplyError("ERR entries_added must be positive")
        else:
            max_deleted_id = parse_id(options[at + 1])
            if id < max_deleted_id:
                raise ReplyError("ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id")
    stream: Stream = c.stream_at(key)
    if stream is None:
        raise NoSuchKey()
    if id < stream.max_deleted_id:
        raise ReplyError("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id")
    if stream.length:
        if id < stream.top_id:
            raise ReplyError("ERR The ID specified in XSETID is smaller than the target stream top item")
        if entries_added is not None and entries_added < stream.length:
            raise ReplyError("ERR The entries_added specified in XSETID is smaller than the target stream length")
    stream.set_state(id, entries_added, max_deleted_id if max_deleted_id != LOWEST_ID else None)
    silently_changed(c)
    c.notify("xsetid", key)
    return OK
