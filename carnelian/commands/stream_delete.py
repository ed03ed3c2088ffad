# cython: language_level=3
"""Entries that are deleted with regard to the groups that read them. https://redis.io/docs/latest/commands/xdelex/

What the AOF and replicas are told are the older words XDEL and XACK, which every version knows.
"""
import cython
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.types.stream import Stream
from cython.cimports.carnelian.types.stream_group import Group as StreamGroup

from carnelian.base.errors import NotInteger, ReplyError, SyntaxFault
from carnelian.base.numbers import parse_integer
from carnelian.commands.stream_effects import group_of, silently_changed
from carnelian.commands.stream_id import id_text, parse_id
from carnelian.keyspace.declaration import FAST, WRITE, command
from carnelian.types.stream_references import POLICIES, forget_references, referenced

# What the words say of each ID.
MISSING = -1
DELETED = 1
STILL_REFERENCED = 2


def policy_and_ids(arguments: tuple):
    """[KEEPREF | DELREF | ACKED] IDS numids id [id ...], in either order: the policy as a word, and the IDs."""
    policy = ids = None
    at: cython.Py_ssize_t = 0
    while at < len(arguments):
        word = arguments[at].upper()
        if word in POLICIES and policy is None:
            policy = word
            at += 1
        elif word == b"IDS" and ids is None and at + 1 < len(arguments):
            count = number_of_ids(arguments[at + 1])
            if count > len(arguments) - at - 2:
                raise ReplyError("ERR The `numids` parameter must match the number of arguments")
            ids = [parse_id(id) for id in arguments[at + 2:at + 2 + count]]
            at += 2 + count
        else:
            raise SyntaxFault()
    if ids is None:
        raise SyntaxFault()
    return policy or b"KEEPREF", ids


def number_of_ids(text: bytes) -> int:
    try:
        count = parse_integer(text)
    except NotInteger:
        count = 0
    if count <= 0:
        raise ReplyError("ERR Number of IDs must be a positive integer")
    return count


class Deletion:
    """What one of the words does to a stream, and what has become of it."""

    def __init__(self, stream, policy: bytes):
        self.stream = stream
        self.policy = policy
        self.deleted = []                       # IDs, as texts
        self.forgotten = {}                     # name of a group -> IDs that are no longer pending there, as texts

    def forget(self, id) -> None:
        """The groups are to know nothing of the entry."""
        for name in forget_references(self.stream, id):
            self.forgotten.setdefault(name, []).append(id_text(id))

    def delete(self, id) -> int:
        """Deletes an entry, as far as the policy allows it."""
        stream: Stream = self.stream
        if self.policy == b"DELREF":
            self.forget(id)
        if id not in stream:
            return MISSING
        if self.policy == b"ACKED" and referenced(stream, id):
            return STILL_REFERENCED
        stream.delete(id)
        self.deleted.append(id_text(id))
        return DELETED

    def announce(self, c: Call, key: bytes) -> None:
        """Tells those who watch the key, the AOF and the replicas."""
        c.propagate()
        for name, ids in self.forgotten.items():
            silently_changed(c, len(ids))
            c.propagate(b"XACK", key, name, *ids)
        if self.deleted:
            c.propagate(b"XDEL", key, *self.deleted)
            c.changed(key, "xdel", len(self.deleted))


@command("XDELEX key [KEEPREF | DELREF | ACKED] IDS numids id [id ...]", WRITE | FAST, since="8.2.0", group="stream",
         keys="RW DELETE", complexity="O(log B) for each ID, B being the blocks of the stream, and O(G) for its G groups")
def xdelex(c: Call, key: bytes, *arguments: bytes):
    """Remove entries from a stream by their IDs, with regard to the groups that have them pending."""
    policy, ids = policy_and_ids(arguments)
    stream: Stream = c.stream_at(key)
    if stream is None:
        return [MISSING] * len(ids)
    deletion = Deletion(stream, policy)
    reply = [deletion.delete(id) for id in ids]
    deletion.announce(c, key)
    return reply


@command("XACKDEL key group [KEEPREF | DELREF | ACKED] IDS numids id [id ...]", WRITE | FAST, since="8.2.0", group="stream",
         keys="RW DELETE", complexity="O(log N) for each ID, N being the pending entries of the group, and O(G) for the G groups")
def xackdel(c: Call, key: bytes, name: bytes, *arguments: bytes):
    """Acknowledge entries in a group, and remove them from the stream with regard to the other groups."""
    policy, ids = policy_and_ids(arguments)
    stream: Stream = c.stream_at(key)
    group: StreamGroup = group_of(stream, name)
    if group is None:
        return [MISSING] * len(ids)
    deletion = Deletion(stream, policy)
    reply = []
    for id in ids:
        if not group.acknowledge(id):
            reply.append(MISSING)
            continue
        deletion.forgotten.setdefault(name, []).append(id_text(id))
        reply.append(max(deletion.delete(id), DELETED))         # acknowledged, be the entry gone before or not
    deletion.announce(c, key)
    return reply
