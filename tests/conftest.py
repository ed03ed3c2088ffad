"""Fixtures for all tests. The oracle harness is described in tests/oracle/harness.py."""
import gc
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.oracle import servers
from tests.oracle.harness import ORACLE_ONLY, Both, Side
from tests.oracle.resp import Client

settings.register_profile("short", deadline=None, max_examples=25, stateful_step_count=40,
                          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
settings.register_profile("long", settings.get_profile("short"), max_examples=1000, stateful_step_count=200)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))


@pytest.fixture(autouse=True)
def no_garbage(request):
    """What earlier tests left in reference cycles is freed before a test counts memory, not while it does."""
    if request.path.parent.name in ("types", "protocol", "keyspace", "engine"):
        gc.collect()


def need_oracle():
    if not servers.have_oracle():
        if os.environ.get("CI") == "true":
            pytest.fail("redis-server is not installed")
        pytest.skip("redis-server is not installed")


@pytest.fixture(scope="session")
def oracle_server():
    """A redis-server for the whole test run."""
    need_oracle()
    with servers.oracle() as server:
        yield server


@pytest.fixture(scope="session")
def carnelian_server():
    """A `carnelian serve` for the whole test run."""
    with servers.carnelian() as server:
        yield server


@pytest.fixture(scope="session")
def pair(oracle_server, request):
    """The two sides, oracle first; without carnelian when CARNELIAN_ORACLE_ONLY=1."""
    carnelian = None if ORACLE_ONLY else Side(request.getfixturevalue("carnelian_server"))
    return Side(oracle_server), carnelian


@pytest.fixture(params=[2, 3], ids=["resp2", "resp3"])
def resp(request):
    """The protocol of the connections: the test runs once with each."""
    return request.param


@pytest.fixture
def both(pair, resp):
    """The oracle and carnelian under one script, in RESP2 and RESP3: see tests/oracle/harness.py."""
    together = Both(*pair, resp)
    together.reset()
    yield together
    together.finish()


@pytest.fixture
def both_with(resp):
    """A function that starts a fresh pair of servers with further arguments and gives a `both` for it:
    `both = both_with("--requirepass", "x")`. For what a running server can't change, or what ends it."""
    need_oracle()
    started = []

    def start(*arguments):
        oracle = servers.oracle(*arguments)
        started.append(oracle)
        if ORACLE_ONLY:
            return Both(Side(oracle), None, resp)
        carnelian = servers.carnelian(*arguments)
        started.append(carnelian)
        return Both(Side(oracle), Side(carnelian), resp)

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def carnelian(carnelian_server):
    """carnelian alone, emptied: a `Side` whose `client(n)` is a raw RESP2 connection."""
    side = Side(carnelian_server)
    side.reset(2)
    yield side
    side.close_clients()
    side.admin.close()


# ---- real clients

@pytest.fixture(params=["redis", "carnelian"])
def server(request):
    """A running server, emptied: `server.port`. The test runs against Redis, to know that the test is right, and against
    carnelian, to know that it works."""
    if request.param == "carnelian" and ORACLE_ONLY:
        pytest.skip("CARNELIAN_ORACLE_ONLY=1")
    running = request.getfixturevalue("oracle_server" if request.param == "redis" else "carnelian_server")
    if not running.alive():
        running.start()
    client = Client(running.address)
    client("FLUSHALL")
    client.close()
    return running


def need(program):
    if shutil.which(program) is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{program} is not installed")
        pytest.skip(f"{program} is not installed")


@pytest.fixture(scope="session")
def npm():
    """A function that installs what a directory's package-lock.json names, once."""
    need("node")
    need("npm")

    def install(directory: Path):
        lock, stamp = directory / "package-lock.json", directory / "node_modules" / ".installed"
        if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
            done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=directory, stdin=subprocess.DEVNULL, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
            assert done.returncode == 0, done.stdout
            stamp.touch()

    return install
