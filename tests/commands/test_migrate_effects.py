"""MIGRATE of an engine without a server: at once, with DEL as its effect."""
import socket
import threading

import pytest


@pytest.fixture
def target():
    """A function: a port that answers one connection with these bytes."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads = []

    def answering(replies):
        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.sendall(replies)
                while connection.recv(1 << 16):
                    pass

        threads.append(threading.Thread(target=serve, daemon=True))
        threads[-1].start()
        return listener.getsockname()[1]

    yield answering
    for thread in threads:
        thread.join(5)
    listener.close()


@pytest.mark.parametrize("options, replies, expected", [
    ("KEYS a b missing", b"+OK\r\n+OK\r\n+OK\r\n", ["0: DEL a b"]),
    ("KEYS a b", b"+OK\r\n-BUSYKEY x\r\n+OK\r\n", ["0: DEL b"]),
    ("KEYS a b", b"-ERR DB index\r\n+OK\r\n+OK\r\n", []),
    ("COPY KEYS a b", b"+OK\r\n+OK\r\n+OK\r\n", []),
    ("REPLACE KEYS a a", b"+OK\r\n+OK\r\n", ["0: DEL a"]),
    ("AUTH2 u p KEYS a", b"-WRONGPASS\r\n+OK\r\n+OK\r\n", []),
    ("AUTH p KEYS a", b"+OK\r\n+OK\r\n+OK\r\n", ["0: DEL a"])])
def test_effects(effects, target, options, replies, expected):
    port = target(replies)
    run = f'MIGRATE 127.0.0.1 {port} "" 0 5000 {options}'
    assert effects("SET a 1", "SET b 2", run) == expected


def test_the_target_hangs_up(effects):
    """What was acknowledged before is gone, the rest stays."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _ = listener.accept()
        with connection:
            connection.recv(1 << 16)
            connection.sendall(b"+OK\r\n+OK\r\n")
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1 << 16):
                pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert effects("SET a 1", "SET b 2", f'MIGRATE 127.0.0.1 {listener.getsockname()[1]} "" 0 5000 KEYS a b') == ["0: DEL a"]
    thread.join(5)
    listener.close()
    assert effects("DEL a b") == ["0: DEL a b"]
