# cython: language_level=3
"""Clients that are parked until one of their keys can be served."""
import cython


@cython.final
@cython.cclass
class Blocked:
    """One parked request."""

    def __init__(self, session: Session, command, words: tuple, database: cython.int, keys: tuple, deadline: int, on_timeout,
                 on_delete: cython.bint, kind: str):
        self.session = session
        self.command = command
        self.words = words
        self.database = database
        self.keys = keys
        self.deadline = deadline
        self.on_timeout = on_timeout
        self.on_delete = on_delete
        self.kind = kind


class Waiters:
    """Who waits for which key, first come first served, and which keys have become ready.

    `add`, `discard`, `mark` are O(keys) with dictionaries only; serving is the engine's.
    """

    def __init__(self):
        self.by_key = {}            # (database, key) -> {Blocked: None}, in order of arrival
        self.ready = {}             # (database, key) -> None, in order
        self.timed = {}             # Blocked with a deadline
        self.count = 0

    def add(self, blocked):
        for key in blocked.keys:
            self.by_key.setdefault((blocked.database, key), {})[blocked] = None
        if blocked.deadline or blocked.again:
            self.timed[blocked] = None
        self.count += 1

    def discard(self, blocked):
        for key in blocked.keys:
            place = (blocked.database, key)
            waiting = self.by_key.get(place)
            if waiting is not None and blocked in waiting:
                del waiting[blocked]
                if not waiting:
                    del self.by_key[place]
        self.timed.pop(blocked, None)
        self.count -= 1

    def mark(self, database, key):
        """The key was changed: whoever waits for it may run again."""
        place = (database, key)
        if place in self.by_key:
            self.ready[place] = None

    def mark_database(self, database):
        """Every key of a database may have changed (SWAPDB, FLUSHALL)."""
        for place in self.by_key:
            if place[0] == database:
                self.ready[place] = None

    def take_ready(self):
        ready = list(self.ready)
        self.ready.clear()
        return ready

    def waiting_for(self, place):
        return list(self.by_key.get(place, ()))

    def overdue(self, now):
        """Those whose time is over, in order of arrival."""
        return [blocked for blocked in self.timed if 0 < blocked.deadline <= now]

    def try_again_at(self, blocked, time):
        """The request is to be tried again at this time (milliseconds since the epoch)."""
        blocked.again = time
        self.timed[blocked] = None

    def to_try(self, now):
        """Those whose request is to be tried again though no key was changed."""
        return [blocked for blocked in self.timed if 0 < blocked.again <= now]

    def next_deadline(self):
        """Milliseconds since the epoch, None if nobody waits for a time."""
        return min((time for blocked in self.timed for time in (blocked.deadline, blocked.again) if time), default=None)
