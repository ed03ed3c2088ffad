"""Fixtures for the tests of the words."""
import pytest

from carnelian.engine import Engine
from carnelian.keyspace import Session

NOW = 1_700_000_000_000


@pytest.fixture
def effects():
    """A function: runs requests (as texts), and gives the effects of the last one as texts with their database."""
    engine = Engine()
    store = engine.store
    session = Session(store.databases[0])
    engine.attach(session)
    seen = []
    store.sinks.append(lambda index, words: seen.append(f"{index}: " + b" ".join(words).decode()))

    def run(*requests):
        for request in requests:
            seen.clear()
            words = ["" if word == '""' else word for word in request.split()]
            session.reader.feed(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(w), w.encode()) for w in words))
            engine.begin_batch()
            for database in store.databases:
                database.now = NOW
            store.now = NOW
            engine.drain(session)
        session.writer.take()
        return list(seen)

    return run


@pytest.fixture
def ask(carnelian):
    """A function: sends a request (a text of words), and gives the reply; errors as their texts."""
    return lambda request: carnelian.client(1)(*request.split())
