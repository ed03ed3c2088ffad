"""Client-side caching against a model: who has read what, and what each client is told.

What a client has read stays in the model when it stops to track: if it starts again, it is told, as in Redis.
"""
import re

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from carnelian.engine import Engine
from carnelian.keyspace import Session

MESSAGE = re.compile(rb">2\r\n\$10\r\ninvalidate\r\n(?:_\r\n|\*\d+\r\n((?:\$2\r\nk\d\r\n)+))")
clients = st.integers(0, 3)
keys = st.sampled_from([b"k%d" % number for number in range(5)])


class Caches(RuleBasedStateMachine):
    """Four clients in RESP3; `told` is what each must have been told by the command under way."""

    def __init__(self):
        super().__init__()
        self.engine = Engine()
        self.sessions = [self.new_session() for _ in range(4)]
        self.modes = [None] * 4                 # None, "default", "noloop", "broadcast"
        self.readers = {}                       # key -> the sessions that have read it

    def new_session(self):
        session = Session(self.engine.store.databases[0])
        session.writer.resp = 3
        self.engine.attach(session)
        return session

    def ask(self, number, *words):
        """Runs a request in a batch of its own. What each client is told: a list of keys, None for all of them."""
        session = self.sessions[number]
        session.reader.feed(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words))
        self.engine.begin_batch()
        self.engine.drain(session)
        self.engine.end_batch()
        told = []
        for other in self.sessions:
            output = other.writer.take()
            found = list(MESSAGE.finditer(output))
            if other is session and found:
                assert not output.startswith(b">"), "the reply comes first"
            told.append([match[1] and re.findall(rb"k\d", match[1]) for match in found])
        return told

    def forget(self, number):
        session = self.sessions[number]
        for found in self.readers.values():
            found.discard(session)

    def changed(self, writer, changed):
        """What each client must be told when these keys have changed, in this order."""
        told = []
        for number, session in enumerate(self.sessions):
            if self.modes[number] == "broadcast":
                told.append([sorted(set(changed))])
            else:
                told.append([[key] for key in dict.fromkeys(changed) if session in self.readers.get(key, ())
                             and self.modes[number] and not (self.modes[number] == "noloop" and number == writer)])
        for key in changed:
            self.readers.pop(key, None)
        return told

    @rule(number=clients, mode=st.sampled_from(["default", "noloop", "broadcast"]))
    def track(self, number, mode):
        self.ask(number, b"CLIENT", b"TRACKING", b"OFF")
        self.modes[number] = None
        if not any(self.modes):
            self.readers.clear()
        self.ask(number, b"CLIENT", b"TRACKING", b"ON", *{"noloop": [b"NOLOOP"], "broadcast": [b"BCAST"]}.get(mode, ()))
        self.modes[number] = mode

    @rule(number=clients)
    def stop(self, number):
        self.ask(number, b"CLIENT", b"TRACKING", b"OFF")
        self.modes[number] = None
        if not any(self.modes):
            self.readers.clear()

    @rule(number=clients)
    def leave(self, number):
        self.engine.detach(self.sessions[number])
        self.forget(number)
        self.modes[number] = None
        if not any(self.modes):
            self.readers.clear()
        self.sessions[number] = self.new_session()

    @rule(number=clients, wanted=st.lists(keys, min_size=1, max_size=3))
    def read(self, number, wanted):
        assert self.ask(number, *([b"GET"] if len(wanted) == 1 else [b"MGET"]), *wanted) == [[], [], [], []]
        if self.modes[number] in ("default", "noloop"):
            for key in wanted:
                self.readers.setdefault(key, set()).add(self.sessions[number])

    @rule(number=clients, changed=st.lists(keys, min_size=1, max_size=3))
    def write(self, number, changed):
        told = self.ask(number, b"MSET", *[word for key in changed for word in (key, b"v")])
        assert told == self.changed(number, changed)

    @rule(number=clients, key=keys)
    def delete(self, number, key):
        there = self.engine.store.databases[0].value(key) is not None
        told = self.ask(number, b"DEL", key)
        assert told == (self.changed(number, [key]) if there else [[], [], [], []])

    @rule(number=clients)
    def flush(self, number):
        assert self.ask(number, b"FLUSHALL") == [[None] if mode else [] for mode in self.modes]
        self.readers.clear()

    @invariant()
    def sound(self):
        tracking = self.engine.tracking
        tracking._check()
        if any(self.modes):
            living = {key: {session for session in found} for key, found in self.readers.items()}
            for key, found in living.items():
                owners = tracking.table.get(key)
                owners = owners if isinstance(owners, dict) else [owners] if owners is not None else []
                assert found <= {owner.session for owner in owners}
        else:
            assert not tracking.table and not tracking.items

    @rule(limit=st.integers(1, 4))
    def shrink(self, limit):
        """A full table: what is dropped is told like a change."""
        tracking = self.engine.tracking
        before = set(tracking.table)
        tracking.limit = limit
        tracking.shrink(10)
        tracking.limit = 1000
        dropped = before - set(tracking.table)
        assert len(tracking.table) == min(limit, len(before)) and len(dropped) == len(before) - len(tracking.table)
        for number, session in enumerate(self.sessions):
            told = [re.findall(rb"k\d", match[1])[0] for match in MESSAGE.finditer(session.writer.take())]
            assert sorted(told) == sorted(key for key in dropped if session in self.readers.get(key, ())
                                          and self.modes[number] in ("default", "noloop"))
        for key in dropped:
            self.readers.pop(key, None)


TestCaches = Caches.TestCase
