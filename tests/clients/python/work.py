"""What the tests of Python's job queues share: steps with a name, waiting for a condition, worker processes.

    REDIS_URL=redis://127.0.0.1:6379/0 python work.py rq_work

runs the functions in the list `steps` of rq_work.py one after another and ends with "ok". The module also defines the jobs, so
that the workers can import it.
"""
import asyncio
import importlib
import inspect
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
HERE = Path(__file__).resolve().parent
SECONDS = 20


def until(what, condition, seconds=SECONDS):
    """The first true value that condition() gives. AssertionError when there is none within some seconds."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        for worker in workers:
            worker.check()
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}\n" + "\n".join(each.output() for each in workers)
        time.sleep(0.01)


workers = []


class Worker:
    """A program of the environment's bin directory (or of Python's modules, when its name is "-m"), with this directory in its
    module path. It leads a process group of its own."""

    def __init__(self, program, *arguments):
        command = [sys.executable, "-m"] if program == "-m" else [str(Path(sys.executable).parent / program)]
        self.log = Path(tempfile.mkstemp(dir=os.getcwd(), suffix=".log")[1])
        path = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([*command, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=os.environ | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}, start_new_session=True)
        workers.append(self)

    def output(self):
        return f"--- {' '.join(self.process.args)}\n{self.log.read_text(errors='replace')[-4000:]}"

    def check(self):
        assert self.process.poll() is None, f"ended with {self.process.returncode}\n{self.output()}"

    def kill(self):
        """kill -9, of the worker and of the processes that it has started in its group."""
        self._end(signal.SIGKILL)

    def stop(self):
        """Asks it to end, and kills what does not."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        self._end(signal.SIGKILL)

    def _end(self, number):
        if self in workers:
            workers.remove(self)
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass
        self.process.wait()


def dead(pid):
    """Whether a process has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/stat")          # where there is one: a zombie has ended, too
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"


def run(name):
    module = importlib.import_module(name)
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        try:
            for step in module.steps:
                start = time.monotonic()
                done = step()
                if inspect.isawaitable(done):
                    asyncio.run(done)
                print(f"{step.__name__}: {time.monotonic() - start:.2f} s", flush=True)
        finally:
            for worker in list(workers):
                worker.kill()
            os.chdir(HERE)
    print("ok")


if __name__ == "__main__":
    import work                 # the module that the jobs' modules import, rather than this second copy of it
    work.run(sys.argv[1])
