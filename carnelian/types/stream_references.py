# cython: language_level=3
"""What the consumer groups of a stream know of an entry, and removing entries with regard to it.

https://redis.io/docs/latest/commands/xdelex/ describes the policies. IDs are tuples (milliseconds, sequence).
"""
import cython
from cython.cimports.carnelian.types.stream import Walk, walk
from cython.cimports.carnelian.types.stream_group import Group
from cython.cimports.carnelian.types.stream_id import id_less
from cython.cimports.carnelian.types.stream_pending import pending_find

POLICIES = {b"KEEPREF": Policy.KEEPREF, b"DELREF": Policy.DELREF, b"ACKED": Policy.ACKED}
HIGHEST = cython.declare(uint64_t, 0xFFFFFFFFFFFFFFFF)


def is_referenced(stream, ms, seq):
    group: Group
    if stream.groups is None:
        return False
    for group in stream.groups.values():
        if id_less(group.last_ms, group.last_seq, ms, seq) or pending_find(cython.address(group.pending), ms, seq) != cython.NULL:
            return True
    return False


def referenced(stream: Stream, id) -> bool:
    """Whether a group has the entry still to deliver, or pending."""
    ms: uint64_t
    seq: uint64_t
    ms, seq = id
    return is_referenced(stream, ms, seq)


def forget_references(stream: Stream, id) -> list:
    """Makes an entry, be it there or not, pending nowhere: the names of the groups in which it was."""
    return [name for name, group in (stream.groups or {}).items() if group.acknowledge(id)]


@cython.cfunc
def first_block(stream: Stream, low_ms: uint64_t, low_seq: uint64_t) -> list:
    """The IDs of the live entries at or behind an ID that share a block with the first of them."""
    at: Walk = walk(stream, low_ms, low_seq, HIGHEST, HIGHEST, False)
    ids: list = []
    block: cython.Py_ssize_t
    if not at.next():
        return ids
    block = at.block
    while True:
        ids.append((at.entry.ms, at.entry.seq))
        if not at.next() or at.block != block:
            return ids


def trim(stream: Stream, policy: Policy, length, before, approximate: cython.bint, limit: int64_t) -> tuple:
    """Removes entries from the front as `Stream.trim_length` (with a `length`) and `Stream.trim_before` (with an ID `before`)
    do, with regard to the groups: (how many have gone, the last of them or None).

    With ACKED the entries that a group still needs stay where they are, and later ones go in their place.
    """
    most: uint64_t = 0 if length is None else length
    end_ms: uint64_t = HIGHEST
    end_seq: uint64_t = HIGHEST
    low_ms: uint64_t = 0
    low_seq: uint64_t = 0
    ms: uint64_t
    seq: uint64_t
    removed: int64_t = 0
    last = None
    if before is not None:
        end_ms, end_seq = before
    while stream.length > most:
        ids = first_block(stream, low_ms, low_seq)
        if not ids:
            break
        ms, seq = ids[-1]
        if approximate and (cython.cast(int64_t, stream.length) - len(ids) < cython.cast(int64_t, most)
                            or not id_less(ms, seq, end_ms, end_seq) or (limit and removed + len(ids) > limit)):
            break
        low_ms = ms + 1 if seq == HIGHEST else ms
        low_seq = seq + 1
        for id in ids:
            ms, seq = id
            if stream.length <= most or not id_less(ms, seq, end_ms, end_seq):
                return removed, last
            if policy == Policy.ACKED and is_referenced(stream, ms, seq):
                continue
            if policy == Policy.DELREF:
                forget_references(stream, id)
            stream.take(ms, seq)
            removed += 1
            last = id
    return removed, last
