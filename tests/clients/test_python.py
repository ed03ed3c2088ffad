"""Python's job queues and other libraries on Redis: tests/clients/python. What they need comes with the extra `test`, but for arq,
which wants an older redis-py: that one is installed beside it."""
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

PYTHON = Path(__file__).parent / "python"
LIBRARIES = {"rq": "rq", "celery": "celery", "dramatiq": "dramatiq", "huey": "huey", "taskiq": "taskiq_redis",
             "channels": "channels_redis", "django_redis": "django_redis", "limits": "flask_limiter"}
SERVERS = ["carnelian"] if os.environ.get("CI") == "true" else ["redis", "carnelian"]      # Redis: to know that the test is right


def work(server, name, paths=()):
    done = subprocess.run([sys.executable, "work.py", f"{name}_work"], cwd=PYTHON, stdin=subprocess.DEVNULL, text=True, timeout=120,
                          env=os.environ | {"REDIS_URL": f"redis://127.0.0.1:{server.port}/0",
                                            "PYTHONPATH": os.pathsep.join(map(str, paths))},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0 and done.stdout.endswith("ok\n"), done.stdout
    print(done.stdout)


@pytest.mark.parametrize("server", SERVERS, indirect=True)
@pytest.mark.parametrize("name", LIBRARIES)
def test_library(server, name):
    if importlib.util.find_spec(LIBRARIES[name]) is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{LIBRARIES[name]} is not installed")
    work(server, name)


@pytest.fixture(scope="session")
def arq():
    """The directory that holds arq and its redis-py."""
    directory, wanted = PYTHON / "arq_packages", PYTHON / "requirements-arq.txt"
    stamp = directory / ".installed"
    if not stamp.exists() or stamp.stat().st_mtime < wanted.stat().st_mtime:
        done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade",
                               "--target", directory, "-r", wanted], stdin=subprocess.DEVNULL, text=True, timeout=300,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout
        stamp.touch()
    return directory


@pytest.mark.parametrize("server", SERVERS, indirect=True)
def test_arq(server, arq):
    work(server, "arq", [arq])
