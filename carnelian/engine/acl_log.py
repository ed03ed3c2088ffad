# cython: language_level=3
"""ACL LOG: what was refused, to whom, and how often. https://redis.io/docs/latest/commands/acl-log/"""

# Refusals that differ in nothing but the time are one entry, as long as no more than this (milliseconds) lies between them.
TOGETHER = 60000


class Entry:
    """Refusals of the same thing: `created` and `updated` in milliseconds since the epoch."""

    __slots__ = ("number", "count", "reason", "context", "thing", "user", "client", "created", "updated")

    def __init__(self, number, reason, context, thing, user, client, now):
        self.number, self.count = number, 1
        self.reason, self.context, self.thing, self.user = reason, context, thing, user
        self.client = client
        self.created = self.updated = now

    def reply(self, now) -> dict:
        return {"count": self.count, "reason": self.reason, "context": self.context, "object": self.thing, "username": self.user,
                "age-seconds": (now - self.updated) / 1000, "client-info": self.client, "entry-id": self.number,
                "timestamp-created": self.created, "timestamp-last-updated": self.updated}


class DenialLog:
    """The newest refusals first, at most `longest` of them."""

    def __init__(self, longest: int = 128):
        self.entries = []
        self.longest = longest
        self.next_number = 0

    def add(self, reason: str, context: str, thing: bytes, user: bytes, client: bytes, now: int) -> None:
        for place, entry in enumerate(self.entries):
            if (entry.reason, entry.context, entry.thing, entry.user) == (reason, context, thing, user) \
                    and abs(now - entry.updated) <= TOGETHER:
                entry.count += 1
                entry.updated = now
                entry.client = client
                del self.entries[place]
                break
        else:
            entry = Entry(self.next_number, reason, context, thing, user, client, now)
            self.next_number += 1
        self.entries.insert(0, entry)
        del self.entries[self.longest:]

    def set_longest(self, longest: int) -> None:
        """acllog-max-len; it takes effect with the next refusal, as in Redis."""
        self.longest = longest
