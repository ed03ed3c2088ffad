# cython: language_level=3, cdivision=True
"""All databases of one engine, and what watches them."""
import cython
from cython.cimports.carnelian.base import memory
from cython.cimports.carnelian.base.clock import milliseconds
from cython.cimports.carnelian.keyspace.session import QUEUED_OUTPUT, TOUCHED
from cython.cimports.carnelian.types.table import Table

from carnelian.keyspace.pubsub import PubSub
from carnelian.keyspace.waiting import Waiters

# notify-keyspace-events: https://redis.io/docs/latest/develop/use/keyspace-notifications/
KEYSPACE = 1
KEYEVENT = 2
CLASSES = {"g": 4, "$": 8, "l": 16, "s": 32, "h": 64, "z": 128, "x": 256, "e": 512, "t": 1024, "m": 2048, "d": 4096, "n": 8192}
ALL_CLASSES = tuple("g$lshzxetd")
CLASS_OF_GROUP = {"generic": 4, "string": 8, "bitmap": 8, "hyperloglog": 8, "list": 16, "set": 32, "hash": 64, "sorted-set": 128,
                  "geo": 128, "stream": 1024, "json": 4096}
# Events that belong to another class than the word that causes them.
CLASS_OF_EVENT = {"del": 4, "expire": 4, "persist": 4, "rename_from": 4, "rename_to": 4, "move_from": 4, "move_to": 4,
                  "copy_to": 4, "restore": 4, "expired": 256, "evicted": 512, "keymiss": 2048, "new": 8192,
                  "sortstore": 16, "set": 8}


@cython.final
@cython.cclass
class Store:
    """The data of one engine. `now` moves only in `tick`, so that all of a batch happens at one time."""

    def __init__(self, databases: int = 16):
        self.clock_offset = 0
        self.databases = [Database(index, self) for index in range(databases)]
        self.pending = []
        self.notify_flags = 0
        self.watchers = {}
        self.waiters = Waiters()
        self.pubsub = PubSub(self.deliver)
        self.sinks = []
        self.targets = 3
        self.listeners = []
        self.graveyard = []
        self.active_expire = True
        self.memory_settled = 0
        self.memory_mark = memory.used
        self.tick()

    # --- time --------------------------------------------------------------------------------------------------------

    def tick(self):
        """Reads the clock."""
        db: Database
        clock: cython.uint
        self.now = milliseconds() + self.clock_offset
        if self.is_frequency:
            clock = cython.cast(cython.uint, (self.now // 60000) & 0xFFFF) << 8
        else:
            clock = cython.cast(cython.uint, (self.now // 1000) & 0xFFFFFF)
        for database in self.databases:
            db = cython.cast(Database, database)
            db.now = self.now
            db.clock = clock
            db.frequency = self.is_frequency
        return 0

    def hold_time(self):
        """What is loaded has its own time: until the next tick nothing expires, and nothing is in the past.

        Requests of an append-only file were run when they were written. A key that has expired since is still changed by
        what follows, until the file says that it was deleted.
        """
        self.now = 0
        for database in self.databases:
            cython.cast(Database, database).now = 0
        return 0

    # --- memory ------------------------------------------------------------------------------------------------------

    def memory(self):
        """Bytes that the structures and buffers of this process's stores take.

        Exact for a process with one store; where there are several, each call of an engine settles its own share.
        """
        return self.memory_settled + memory.used - self.memory_mark

    def bury(self, structure) -> None:
        """Takes what is to be freed in slices: a Table, or a structure with free_some(budget)."""
        self.graveyard.append(structure)

    def free_some(self, budget: int) -> bool:
        """Frees up to budget elements of what was buried: whether something is left."""
        left: cython.size_t
        spared: list = []
        while self.graveyard and budget > 0:
            corpse = self.graveyard.pop()
            before = len(corpse)
            if isinstance(corpse, Table):
                left = cython.cast(Table, corpse).clear_some(budget, spared)
            else:
                left = corpse.free_some(budget)
            budget -= max(1, before - left)
            self.lazily_freed += before - left
            if left:
                self.graveyard.append(corpse)
            if spared:                          # large values of a database that was emptied: they come next
                self.graveyard.extend(spared)
                spared.clear()
        return bool(self.graveyard)

    def pending_frees(self) -> int:
        """Elements that wait to be freed."""
        return sum(map(len, self.graveyard))

    # --- who is told -------------------------------------------------------------------------------------------------

    def attend(self):
        """To be called when watchers, waiters, listeners or notify_flags have changed."""
        self.attentive = bool(self.watchers) or self.waiters.count > 0 or self.notify_flags != 0 or bool(self.listeners)
        return 0

    def queue_output(self, session):
        if not session.flags & QUEUED_OUTPUT:
            session.flags |= QUEUED_OUTPUT
            self.pending.append(session)
        return 0

    def deliver(self, session: Session) -> None:
        """The session's owner shall look at it: it has output, or has to be closed."""
        self.queue_output(session)

    def key_changed(self, db, key, event, group):
        """Tells everybody who watches the key. `group` is that of the word, for the class of the notification.

        Without an event (None) there is no notification.
        """
        self.touch(db.index, key)
        if self.waiters.count:
            self.waiters.mark(db.index, key)
        if self.notify_flags and event is not None:
            self.notify(db.index, key, event, group)
        return 0

    def touch(self, index: int, key: bytes) -> None:
        """WATCH and client-side caching: the key is not what it was."""
        if self.watchers:
            for session in self.watchers.get((index, key), ()):
                cython.cast(Session, session).flags |= TOUCHED
        for listener in self.listeners:
            listener(index, key)

    def touch_database(self, index: int, other: Database = None) -> None:
        """Every key of a database is about to go (FLUSHALL) or to be exchanged with another's (SWAPDB).

        A watch is touched where there is, or will be, a key. Client-side caching learns of SWAPDB as little as in Redis.
        """
        database: Database = self.databases[index]
        if self.watchers:
            for place, sessions in self.watchers.items():
                if place[0] == index and (database.value(place[1]) is not None
                                          or other is not None and other.value(place[1]) is not None):
                    for session in sessions:
                        cython.cast(Session, session).flags |= TOUCHED
        if self.waiters.count:
            self.waiters.mark_database(index)

    def notify(self, index: int, key: bytes, event: str, group: str) -> None:
        """Keyspace notifications, where they are asked for."""
        kind: cython.int = CLASS_OF_EVENT.get(event) or CLASS_OF_GROUP.get(group, 4)
        if not self.notify_flags & kind:
            return
        name: bytes = event.encode()
        if self.notify_flags & KEYSPACE:
            self.pubsub.publish(b"__keyspace@%d__:%b" % (index, key), name)
        if self.notify_flags & KEYEVENT:
            self.pubsub.publish(b"__keyevent@%d__:%b" % (index, name), key)

    def propagate(self, index: int, words: tuple) -> None:
        """Hands one effect to the AOF and the replicas."""
        for sink in self.sinks:
            if self.targets == 3 or self.targets & (1 if self.journal is not None and sink == self.journal.put else 2):
                sink(index, words)

    def keep_journal(self, journal):
        """Effects are put into the journal from now on (None: no more), those of twins too."""
        if self.journal is not None:
            self.sinks.remove(self.journal.put)
        self.journal = journal
        if journal is not None:
            self.sinks.append(journal.put)
        return 0

    def key_expired(self, db: Database, key: bytes) -> None:
        """Called by the database after it has removed an expired key."""
        self.expired += 1
        self.key_removed(db, key, "expired")

    def fields_expired(self, db: Database, key: bytes, fields: list, emptied: bool) -> None:
        """Called after expired fields have been deleted from a hash, and the key with them if nothing was left."""
        self.expired_fields += len(fields)
        if self.sinks:
            self.propagate(db.index, (b"HDEL", key, *fields))
        if self.attentive:
            self.key_changed(db, key, "hexpired", "hash")
            if emptied and self.notify_flags:
                self.notify(db.index, key, "del", "generic")

    def key_evicted(self, db: Database, key: bytes) -> None:
        self.evicted += 1
        self.key_removed(db, key, "evicted")

    def key_removed(self, db, key, event):
        if self.sinks:
            self.propagate(db.index, (b"DEL", key))
        if self.attentive:
            self.key_changed(db, key, event, "generic")
        return 0

    # --- WATCH -------------------------------------------------------------------------------------------------------

    def watch(self, session: Session, key: bytes) -> None:
        place = (session.db.index, key)
        if place in session.watched:
            return
        session.watched[place] = None
        self.watchers.setdefault(place, {})[session] = None
        self.attend()

    def unwatch(self, session: Session) -> None:
        """Ends all watches of a client, and forgets that they were touched."""
        for place in session.watched:
            sessions = self.watchers[place]
            del sessions[session]
            if not sessions:
                del self.watchers[place]
        session.watched.clear()
        session.flags &= ~TOUCHED
        self.attend()

    # --- databases ---------------------------------------------------------------------------------------------------

    def clear(self, db: Database) -> int:
        """FLUSHDB's effect: how many keys there were."""
        self.touch_database(db.index)
        for listener in self.listeners:
            listener(db.index, None)
        return db.clear()

    def clear_all(self) -> int:
        """FLUSHALL's effect: how many keys there were."""
        for db in self.databases:
            self.touch_database(cython.cast(Database, db).index)
        for listener in self.listeners:
            listener(-1, None)
        return sum([cython.cast(Database, db).clear() for db in self.databases])

    def swap(self, first: int, second: int) -> None:
        """SWAPDB's effect."""
        if first == second:
            return
        one: Database = self.databases[first]
        other: Database = self.databases[second]
        self.touch_database(first, other)
        self.touch_database(second, one)
        one.swap(other)

    def reset_statistics(self) -> None:
        self.hits = self.misses = self.expired = self.expired_fields = self.evicted = self.lazily_freed = 0


def notification_flags(text: str) -> int:
    """The value of notify-keyspace-events as a bit set. ValueError for an unknown character."""
    flags = 0
    for character in list(text):
        if character == "A":
            for one in ALL_CLASSES:
                flags |= CLASSES[one]
        elif character == "K":
            flags |= KEYSPACE
        elif character == "E":
            flags |= KEYEVENT
        elif character in CLASSES:
            flags |= CLASSES[character]
        else:
            raise ValueError(f"unknown class of notifications: {character!r}")
    return flags


def notification_text(flags: int) -> str:
    """The canonical form of such a bit set, as CONFIG GET shows it."""
    every = 0
    for one in ALL_CLASSES:
        every |= CLASSES[one]
    text = "A" if flags & every == every else "".join(one for one in (*ALL_CLASSES, "n") if flags & CLASSES[one])
    text += "K" if flags & KEYSPACE else ""
    text += "E" if flags & KEYEVENT else ""
    return text + ("m" if flags & CLASSES["m"] else "")
