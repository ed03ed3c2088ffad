# cython: language_level=3
"""Channels, patterns and shard channels, and who listens. Messages go straight into the listeners' writers."""
import cython
from cython.cimports.carnelian.base.glob import glob_match
from cython.cimports.carnelian.keyspace.session import Session
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE


@cython.cclass
class PubSub:
    """The registry. `deliver` is called with each session that was written to."""

    def __init__(self, deliver):
        self.channels = {}
        self.patterns = {}
        self.shard_channels = {}
        self.deliver = deliver
        self.postponed = []

    def say(self, session, words):
        if session is self.executing:
            self.postponed.append((session, words))
            return 0
        session.writer.push(len(words))
        for word in words:
            if type(word) is bytes:
                session.writer.bulk(PyBytes_AS_STRING(word), PyBytes_GET_SIZE(word))
            else:
                session.writer.encode(word)
        self.deliver(session)
        return 0

    def say_postponed(self):
        """What commands had to tell their own clients, now that the replies are complete (a script's is not yet, when it lets
        others be served meanwhile)."""
        if self.postponed:
            postponed = self.postponed
            self.postponed = []
            for session, words in postponed:
                self.say(session, words)
        return 0

    def publish(self, channel: bytes, message: bytes) -> int:
        """Sends to the channel's listeners, then to those of each matching pattern. How many messages were sent."""
        count: cython.longlong = 0
        listeners: dict = self.channels.get(channel)
        if listeners:
            for session in listeners:
                self.say(session, (b"message", channel, message))
                count += 1
        if self.patterns:
            for pattern, listeners in self.patterns.items():
                if glob_match(PyBytes_AS_STRING(pattern), PyBytes_GET_SIZE(pattern),
                              PyBytes_AS_STRING(channel), PyBytes_GET_SIZE(channel), False):
                    for session in listeners:
                        self.say(session, (b"pmessage", pattern, channel, message))
                        count += 1
        return count

    def publish_shard(self, channel: bytes, message: bytes) -> int:
        count: cython.longlong = 0
        listeners: dict = self.shard_channels.get(channel)
        if listeners:
            for session in listeners:
                self.say(session, (b"smessage", channel, message))
                count += 1
        return count

    def add(self, registry: dict, own: dict, name: bytes, session: Session) -> bool:
        """Subscribes: `registry` is one of the three above, `own` the session's counterpart. False if it was subscribed."""
        if name in own:
            return False
        own[name] = None
        registry.setdefault(name, {})[session] = None
        return True

    def discard(self, registry: dict, own: dict, name: bytes, session: Session) -> bool:
        """Unsubscribes. False if it was not subscribed."""
        if name not in own:
            return False
        del own[name]
        listeners: dict = registry[name]
        del listeners[session]
        if not listeners:
            del registry[name]
        return True

    def forget(self, session: Session) -> None:
        """Ends all subscriptions of a client without a word to it."""
        for registry, own in ((self.channels, session.channels), (self.patterns, session.patterns),
                              (self.shard_channels, session.shard_channels)):
            for name in list(own):
                self.discard(registry, own, name, session)
