"""An engine without a server, for tests."""
import carnelian.scripting.function_words       # declares the words
from carnelian.engine import Engine
from carnelian.keyspace import Session
from tests.oracle.resp import NULL, NULL_ARRAY, Error, Parser

NOW = 1_700_000_000_000


def plain(reply):
    """Both nulls as None."""
    if reply is NULL or reply is NULL_ARRAY:
        return None
    return list(map(plain, reply)) if isinstance(reply, list) else reply


class Alone:
    """`alone(words...)` gives the reply of a request, `effects` what it has handed on: (database, words)."""

    def __init__(self):
        self.engine = Engine()
        self.engine.bind()
        self.session = Session(self.engine.store.databases[0])
        self.engine.attach(self.session)
        self.effects = []
        self.engine.store.sinks.append(lambda index, words: self.effects.append((index, *words)))
        self.now = NOW

    def __call__(self, *words):
        self.effects.clear()
        return self.many([words])[0]

    def many(self, requests):
        """The replies of several requests in one batch."""
        for words in requests:
            words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
            self.session.reader.feed(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words))
        self.engine.begin_batch()
        for database in self.engine.store.databases:
            database.now = self.now
        self.engine.store.now = self.now
        self.engine.drain(self.session)
        self.engine.end_batch()
        parser = Parser()
        parser.feed(bytes(self.session.writer.take()))
        return [plain(parser.next()) for _ in requests]


class Caller:
    """`eval(source, *arguments)` gives a script's reply as Python values, `error` the text of its error, `ask` the bytes of any reply.

    `session` is the caller's, `other` another client's.
    """

    def __init__(self):
        import carnelian.scripting.words            # declares the words

        self.engine = Engine()
        self.engine.bind()
        self.session, self.other = (Session(self.engine.store.databases[0]) for _ in range(2))
        self.engine.attach(self.session)
        self.engine.attach(self.other)

    def ask(self, *words, session=None):
        session = session or self.session
        self.engine.begin_batch()
        self.engine.run_words(session, tuple(word if isinstance(word, bytes) else str(word).encode() for word in words))
        self.engine.end_batch()
        return session.writer.take()

    def run(self, source, *arguments):
        """The reply, parsed; errors are Error."""
        parser = Parser()
        parser.feed(self.ask("EVAL", source.encode("latin-1"), "0", *arguments))
        return plain(parser.next())

    def eval(self, source, *arguments):
        reply = self.run(source, *arguments)
        assert not isinstance(reply, Error), reply
        return reply

    def error(self, source, *arguments):
        reply = self.run(source, *arguments)
        assert isinstance(reply, Error), reply
        return reply.decode("latin-1")


__all__ = ["Alone", "Caller", "Error", "NOW"]
