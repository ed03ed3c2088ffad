"""An exception that is no reply: the client gets an error, the log the traceback, and everything goes on."""
import pytest

from carnelian.engine import Engine
from carnelian.keyspace import Session, declaration
from carnelian.keyspace.declaration import READONLY, command


@pytest.fixture
def engine():
    def raises(c, *words):
        raise ZeroDivisionError("on purpose")

    def cannot_be_encoded(c):
        return [b"half", object()]

    def raises_when_woken(c, key):
        if c.resuming is not None:
            raise ZeroDivisionError("on purpose")
        return c.wait((key,), 0)

    for usage, body in (("TESTRAISES [word ...]", raises), ("TESTENCODE", cannot_be_encoded), ("TESTWAIT key", raises_when_woken)):
        command(usage, READONLY, group="list")(body)
    yield Engine()
    for name in ("testraises", "testencode", "testwait"):
        del declaration.registry[name]


def ask(engine, session, *words):
    engine.run_words(session, words)
    return session.writer.take()


def test_a_body_that_raises(engine, caplog):
    session = Session(engine.store.databases[0])
    assert ask(engine, session, b"TESTRAISES", b"x") == b"-ERR internal error: ZeroDivisionError\r\n"
    assert "on purpose" in caplog.text and "testraises" in caplog.text
    assert ask(engine, session, b"SET", b"a", b"1") == b"+OK\r\n"


def test_a_value_that_no_reply_can_hold(engine):
    session = Session(engine.store.databases[0])
    assert ask(engine, session, b"TESTENCODE") == b"-ERR internal error: TypeError\r\n"


def test_inside_a_transaction(engine):
    session = Session(engine.store.databases[0])
    for words in ((b"MULTI",), (b"SET", b"a", b"1"), (b"TESTRAISES",), (b"GET", b"a")):
        ask(engine, session, *words)
    assert ask(engine, session, b"EXEC") == b"*3\r\n+OK\r\n-ERR internal error: ZeroDivisionError\r\n$1\r\n1\r\n"


def test_a_parked_request_that_raises_when_woken(engine):
    waiting, other = Session(engine.store.databases[0]), Session(engine.store.databases[0])
    assert ask(engine, waiting, b"TESTWAIT", b"l") == b""
    assert ask(engine, other, b"RPUSH", b"l", b"x") == b":1\r\n"
    assert waiting.writer.take() == b"-ERR internal error: ZeroDivisionError\r\n"
    assert ask(engine, waiting, b"LLEN", b"l") == b":1\r\n"
