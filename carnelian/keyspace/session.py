# cython: language_level=3
"""One client, as the engine sees it."""
import itertools

import cython

from carnelian.protocol.reader import Reader
from carnelian.protocol.writer import Writer

numbers = itertools.count(1)


@cython.cclass
class Session:
    """State of one client: a connection of the server is a subclass, an embedded caller has a plain one.

    `reader` holds its requests, `writer` its replies; who owns the socket moves the bytes.
    """

    def __init__(self, db, now: int = 0):
        self.id = next(numbers)
        self.reader = Reader()
        self.writer = Writer()
        self.db = db
        self.flags = 0
        self.user = b"default"
        self.name = b""
        self.library_name = b""
        self.library_version = b""
        self.address = ""
        self.local_address = ""
        self.descriptor = -1
        self.created = now
        self.active = now
        self.queue = []
        self.watched = {}
        self.channels = {}
        self.patterns = {}
        self.shard_channels = {}

    def is_pubsub(self):
        """Whether RESP2's subscribed mode applies, with its few allowed commands."""
        return self.flags & SUBSCRIBED != 0 and self.writer.resp == 2

    def has(self, flag: int) -> bool:
        return self.flags & flag != 0

    def raise_flag(self, flag: int) -> None:
        self.flags |= flag

    def lower_flag(self, flag: int) -> None:
        self.flags &= ~flag
