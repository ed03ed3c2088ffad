"""The process: command line, start, signals, files, thousands of connections."""
import os
import resource
import signal
import socket
import subprocess
import sys

import pytest

from carnelian.server import addresses
from carnelian.server.connection import Clients
from carnelian.engine import Engine
from tests.oracle import servers
from tests.oracle.resp import CLOSED, Client, Status


def carnelian(*arguments, **options):
    return subprocess.run([sys.executable, "-m", "carnelian", *arguments], capture_output=True, text=True, timeout=20,
                          cwd=servers.ROOT, **options)


def test_version():
    done = carnelian("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("carnelian ")


# ---- a start that fails is one line and exit 1

def refused(*arguments):
    done = carnelian("serve", *arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("carnelian: ") and done.stderr.count("\n") == 1
    return done.stderr


def test_the_port_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"127.0.0.1 port {port}: Address already in use" in refused("--port", str(port))


def test_unknown_parameter():
    assert "nonsense" in refused("--nonsense", "1")


def test_bad_line_of_a_file(tmp_path):
    file = tmp_path / "carnelian.conf"
    file.write_text("port 7000\nmaxmemory lots\n")
    line = refused(str(file))
    assert str(file) in line and "line 2" in line and "maxmemory lots" in line


def test_missing_file():
    assert "nowhere.conf" in refused("nowhere.conf")


def test_nothing_to_listen_on():
    assert "nothing to listen on" in refused("--port", "0")


def test_an_unknown_address(tmp_path):
    assert "192.0.2.1" in refused("--port", str(servers.free_port()), "--bind", "192.0.2.1")


def test_the_unix_socket_of_a_running_server(tmp_path):
    path = str(tmp_path / "sock")
    with servers.carnelian("--unixsocket", path):
        assert path in refused("--port", "0", "--unixsocket", path)
        assert Client(path)("PING") == Status(b"PONG")


# ---- a start that works

def test_file_and_options(tmp_path):
    file = tmp_path / "carnelian.conf"
    file.write_text("# a comment\ntimeout 17\nmaxclients 123\n")
    log = tmp_path / "log"
    with servers.Server("carnelian", [sys.executable, "-m", "carnelian", "serve", str(file)],
                        ["--maxclients", "124", "--logfile", str(log)]) as server:
        client = Client(server.address)
        assert client("PING") == Status(b"PONG")
        line = log.read_text().splitlines()[0]
        assert line.startswith(f"{server.process.pid}:M ") and " * " in line and str(server.port) in line


def test_optional_address():
    with servers.carnelian("--bind", "127.0.0.1", "-192.0.2.1") as server:
        assert Client(server.address)("PING") == Status(b"PONG")


def test_a_stale_unix_socket_is_replaced_and_another_file_is_not(tmp_path):
    path = tmp_path / "sock"
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(path))
    with servers.carnelian("--unixsocket", str(path), "--unixsocketperm", "770"):
        assert path.stat().st_mode & 0o777 == 0o770
        assert Client(str(path))("PING") == Status(b"PONG")
    assert not path.exists()
    path.write_text("mine")
    assert str(path) in refused("--port", "0", "--unixsocket", str(path))
    assert path.read_text() == "mine"


@pytest.mark.parametrize("plane", ["auto", "asyncio"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it(plane, number, tmp_path):
    pidfile, path = tmp_path / "pid", tmp_path / "sock"
    with servers.carnelian("--data-plane", plane, "--pidfile", str(pidfile), "--unixsocket", str(path)) as server:
        idle, blocked = Client(server.address), Client(server.address)
        assert idle("PING") == Status(b"PONG")
        blocked.send("BLPOP", "key", "0")
        assert pidfile.read_text() == f"{server.process.pid}\n"
        server.process.send_signal(number)
        assert server.process.wait(10) == 0
        assert idle.read() is CLOSED
        assert blocked.read() is CLOSED
        assert not pidfile.exists() and not path.exists()
        assert "Traceback" not in server.log()


def test_daemonize(tmp_path):
    port, pidfile = servers.free_port(), tmp_path / "pid"
    done = carnelian("serve", "--port", str(port), "--save", "", "--daemonize", "yes", "--pidfile", str(pidfile))
    assert done.returncode == 0
    client = Client(("127.0.0.1", port))            # it listened before it went to the background
    assert client("PING") == Status(b"PONG")
    os.kill(int(pidfile.read_text()), signal.SIGTERM)
    assert client.read() is CLOSED


def test_ten_thousand_clients():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 10000 if hard == resource.RLIM_INFINITY else min(10000, hard - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted + 200), hard))
    sockets = []
    try:
        with servers.carnelian("--maxclients", str(wanted + 10)) as server:
            for _ in range(wanted):
                sockets.append(socket.create_connection(server.address, 10))
            for one in sockets[::7]:
                one.sendall(b"PING\r\n")
            for one in sockets[::7]:
                assert one.recv(100) == b"+PONG\r\n"
            assert Client(server.address)("PING") == Status(b"PONG")
    finally:
        for one in sockets:
            one.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# ---- who may come in

@pytest.mark.parametrize("host, own", [
    ("127.0.0.1", True), ("127.5.6.7", True), ("::1", True), ("::ffff:127.0.0.1", True), ("10.0.0.1", False), ("::", False),
    ("fe80::1%eth0", False), ("192.0.2.1", False), ("not an address", False)])
def test_is_loopback(host, own):
    assert addresses.is_loopback(host) is own


def test_protected_mode():
    engine = Engine()
    clients = Clients(engine)
    assert clients.refusal("127.0.0.1", False) is None
    assert clients.refusal("", True) is None
    assert clients.refusal("192.0.2.7", False).startswith(b"-DENIED ")
    assert clients.rejected == 1
    clients.protected_mode = False
    assert clients.refusal("192.0.2.7", False) is None
    clients.protected_mode = True
    engine.acl.set_password(b"secret")
    assert clients.refusal("192.0.2.7", False) is None


def own_address():
    """An address of this machine that is not the loopback interface's, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))         # nothing is sent
        except OSError:
            return None
        return probe.getsockname()[0]


@pytest.mark.skipif(own_address() in (None, "127.0.0.1"), reason="the machine has the loopback interface alone")
@pytest.mark.parametrize("plane", ["auto", "asyncio"])
def test_protected_mode_turns_a_remote_client_away(plane):
    with servers.carnelian("--bind", "*", "--data-plane", plane) as server:
        remote = Client((own_address(), server.port))
        assert remote.read().startswith(b"DENIED ")
        assert remote.read() is CLOSED
        assert Client(server.address)("PING") == Status(b"PONG")
