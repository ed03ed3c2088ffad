# cython: language_level=3
"""Client-side caching: https://redis.io/docs/latest/develop/reference/client-side-caching/

The table knows, for every key that a client with tracking has read, which clients may have it in their caches. When the
key changes they are told, once: the key leaves the table and comes back with the next read. Keys of all databases stand in
it together, as in Redis. Clients in broadcasting mode are told of all changed keys with their prefixes, at the end of the
batch, whoever has read them.
"""
from collections import OrderedDict

import cython
from cython.cimports.carnelian.keyspace.request_keys import keys_of
from cython.cimports.carnelian.keyspace.session import CACHING, IN_MULTI, SUBSCRIBED, TOLD, TRACKING, Session

from carnelian.base.errors import ReplyError

CHANNEL = b"__redis__:invalidate"


@cython.final
@cython.cclass
class Tracker:
    """The wishes of one client; it stays the client's for as long as that lives."""

    def __init__(self, session):
        self.session = session
        self.prefixes = {}

    @property
    def flags(self) -> list:
        """As CLIENT TRACKINGINFO names them."""
        caching: cython.bint = self.session.flags & CACHING != 0
        found = ["on"]
        if self.broadcast:
            found.append("bcast")
        if self.opt_in:
            found += ["optin", "caching-yes"] if caching else ["optin"]
        if self.opt_out:
            found += ["optout", "caching-no"] if caching else ["optout"]
        if self.no_loop:
            found.append("noloop")
        if self.is_broken:
            found.append("broken_redirect")
        return found


def overlapping(prefix: bytes, others):
    """One of the others that begins with the prefix or is its beginning, or None."""
    for other in others:
        if prefix.startswith(other) or other.startswith(prefix):
            return other
    return None


@cython.final
@cython.cclass
class Tracking:
    """All trackers of an engine, the table of what they have read, the prefixes of those that want broadcasts."""

    def __init__(self, store, sessions):
        self.store = store
        self.pubsub = store.pubsub
        self.sessions = sessions
        self.trackers = {}
        self.table = OrderedDict()
        self.prefixes = {}
        self.changes = {}
        self.limit = 1000000

    # --- who wants to know --------------------------------------------------------------------------------------------

    def enable(self, session: Session, redirect: int = 0, broadcast: bool = False, prefixes=(), opt_in: bool = False,
               opt_out: bool = False, no_loop: bool = False) -> None:
        """CLIENT TRACKING ON; said again, it replaces the options, but prefixes are added. ReplyError."""
        if prefixes and not broadcast:
            raise ReplyError("ERR PREFIX option requires BCAST mode to be enabled")
        tracker: Tracker = session.tracker
        active: cython.bint = session.flags & TRACKING != 0
        if active and tracker.broadcast != broadcast:
            raise ReplyError("ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then "
                             "re-enabling it with a different mode.")
        if broadcast and (opt_in or opt_out):
            raise ReplyError("ERR OPTIN and OPTOUT are not compatible with BCAST")
        if opt_in and opt_out:
            raise ReplyError("ERR You can't specify both OPTIN mode and OPTOUT mode")
        if active and (opt_in and tracker.opt_out or opt_out and tracker.opt_in):
            raise ReplyError("ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then "
                             "re-enabling it with a different mode.")
        if broadcast:
            self.check_prefixes(tracker.prefixes if active else {}, prefixes)
        if tracker is None:
            tracker = session.tracker = Tracker(session)
        session.flags |= TRACKING
        tracker.redirect = redirect
        tracker.broadcast = broadcast
        tracker.opt_in = opt_in
        tracker.opt_out = opt_out
        tracker.no_loop = no_loop
        tracker.is_broken = False
        if redirect:
            target: Session = self.sessions[redirect]
            target.flags |= TOLD
        self.trackers[tracker] = None
        if broadcast:
            for prefix in prefixes or (b"",):
                tracker.prefixes[prefix] = None
                self.prefixes.setdefault(prefix, {})[tracker] = None
        self.listen()

    def check_prefixes(self, known, prefixes) -> None:
        """No prefix may be the beginning of another one of the same client. ReplyError."""
        for i, prefix in enumerate(prefixes):
            other = overlapping(prefix, known)
            kind = "an existing"
            if other is None:
                other = overlapping(prefix, prefixes[i + 1:])
                kind = "another provided"
            if other is not None:
                shown, text = [word.decode("utf-8", "surrogateescape") for word in (prefix, other)]
                raise ReplyError(f"ERR Prefix '{shown}' overlaps with {kind} prefix '{text}'. "
                                 "Prefixes for a single client must not overlap.")

    def disable(self, session: Session) -> None:
        """CLIENT TRACKING OFF. What the client has read stays in the table while others track: it may come back."""
        if not session.flags & TRACKING:
            return
        tracker: Tracker = session.tracker
        session.flags &= ~(TRACKING | CACHING)
        del self.trackers[tracker]
        for prefix in tracker.prefixes:
            trackers: dict = self.prefixes[prefix]
            del trackers[tracker]
            if not trackers:
                del self.prefixes[prefix]
                self.changes.pop(prefix, None)
        tracker.prefixes.clear()
        tracker.broadcast = False
        if not self.trackers:
            self.table = OrderedDict()
            self.items = 0
        self.listen()

    def forget(self, session: Session) -> None:
        """The client has gone."""
        self.disable(session)
        cython.cast(Tracker, session.tracker).session = None
        session.tracker = None

    def listen(self) -> None:
        """The store is listened to while somebody tracks."""
        if bool(self.trackers) != self.listens:
            self.listens = not self.listens
            if self.listens:
                self.store.listeners.append(self.key_changed)
            else:
                self.store.listeners.remove(self.key_changed)
            self.store.attend()

    # --- what is read -------------------------------------------------------------------------------------------------

    def next_command(self, session):
        """CLIENT CACHING goes for the next command, or for the next transaction; other CLIENT words don't count."""
        command = session.command
        if not session.flags & IN_MULTI and (command is None or not command.name.startswith("client|")):
            session.flags &= ~CACHING
        return 0

    def remember(self, session, command, words):
        """A READONLY word has been run for a client with tracking: it may cache what it has read."""
        tracker: Tracker = session.tracker
        caching: cython.bint = session.flags & CACHING != 0
        keys: list
        if tracker.broadcast or (tracker.opt_in and not caching) or (tracker.opt_out and caching) \
                or command.group == "scripting":
            return 0
        keys = keys_of(command, words)
        for key in keys:
            self.note(tracker, key)
        if self.limit and len(self.table) > self.limit:
            self.shrink(len(keys) + 100)
        return 0

    def note(self, tracker, key):
        owners = self.table.get(key)
        if owners is tracker:
            return 0
        if owners is None:
            self.table[key] = tracker
        elif not isinstance(owners, dict):
            self.table[key] = {owners: None, tracker: None}
        elif tracker in owners:
            return 0
        else:
            owners[tracker] = None
        self.items += 1
        return 0

    def shrink(self, budget):
        """Drops the oldest keys over the limit, at most so many; their readers are told as if they had changed."""
        while budget > 0 and self.limit and len(self.table) > self.limit:
            key, owners = self.table.popitem(last=False)
            self.invalidate(key, owners)
            budget -= 1
        return 0

    # --- what is changed ----------------------------------------------------------------------------------------------

    def key_changed(self, index, key):
        """The store's listener: a key, or None for all of them."""
        if key is None:
            self.table = OrderedDict()
            self.items = 0
            for tracker in list(self.trackers):
                self.tell(tracker, None)
            return
        for prefix in self.prefixes:
            if key.startswith(prefix):
                changed: dict = self.changes.setdefault(prefix, {})
                changed.setdefault(key, self.pubsub.executing)
        owners = self.table.pop(key, None)
        if owners is not None:
            self.invalidate(key, owners)

    def invalidate(self, key, owners):
        """The key has been taken out of the table: its readers are told."""
        tracker: Tracker
        readers: tuple = tuple(owners) if isinstance(owners, dict) else (owners,)
        self.items -= len(readers)
        for reader in readers:
            tracker = reader
            session: Session = tracker.session
            if session is None or not session.flags & TRACKING or tracker.broadcast:
                continue
            if tracker.no_loop and session is self.pubsub.executing:
                continue
            self.tell(tracker, [key])
        return 0

    def tell(self, tracker, keys):
        """Sends one invalidation: keys, or None for all. After the reply, if it goes to the client that is being served."""
        target: Session = tracker.session
        if tracker.redirect:
            target = self.sessions.get(tracker.redirect)
            if target is None:
                tracker.is_broken = True
                if tracker.session.writer.resp > 2:
                    self.pubsub.say(tracker.session, (b"tracking-redir-broken", tracker.redirect))
                return 0
        if target.writer.resp > 2:
            self.pubsub.say(target, (b"invalidate", keys))
        elif tracker.redirect and target.flags & SUBSCRIBED:
            self.pubsub.say(target, (b"message", CHANNEL, keys))
        return 0

    def broadcast(self):
        """Tells the clients in broadcasting mode what has changed in this batch: one message for each prefix."""
        tracker: Tracker
        if not self.changes:
            return 0
        changes = self.changes
        self.changes = {}
        for prefix, changed in changes.items():
            keys = sorted(changed)
            for item in list(self.prefixes.get(prefix, ())):
                tracker = item
                if tracker.no_loop:
                    others = [key for key in keys if changed[key] is not tracker.session]
                    if others:
                        self.tell(tracker, others)
                else:
                    self.tell(tracker, keys)
        return 0

    def _check(self):
        """The counts and the two directories of prefixes agree, and only clients with tracking stand in them."""
        tracker: Tracker
        assert self.items == sum(len(owners) if isinstance(owners, dict) else 1 for owners in self.table.values())
        for item in self.trackers:
            tracker = item
            assert tracker.session.flags & TRACKING and tracker.session.tracker is tracker
            assert tracker.broadcast == bool(tracker.prefixes)
            for prefix in tracker.prefixes:
                assert tracker in self.prefixes[prefix]
        for trackers in self.prefixes.values():
            assert trackers
            for item in trackers:
                assert item in self.trackers
        assert self.listens == bool(self.trackers) == (self.key_changed in self.store.listeners)
