#!/usr/bin/env python3
"""kill -9 at random moments under load: what was acknowledged must be there after the next start.

    bench/crash.py                              200 rounds, half with appendfsync always, half with everysec
    bench/crash.py --rounds 20 --policy always --seed 7

Eight clients send pipelines and note what was answered. Each works on keys of its own, one step after the other: INCR, SET,
RPUSH, a transfer of money between accounts in MULTI, and another one in a script. Meanwhile BGSAVE and BGREWRITEAOF are called at random.
The server is killed, started again on the same files, and asked:

- does it start, and load everything?
- `always`: is everything there that was answered? `everysec`: everything that was answered two seconds before the end?
- is it a prefix of what each client sent, in its order, with no transfer half done (the sum of all accounts holds)?
- does the last finished snapshot hold the same sum?

The files stay for ten rounds, then a new directory begins. Exit status 1 at the first violation, whose directory is kept.
"""
import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.oracle.resp import CLOSED, NO_REPLY, Client, Error, request  # noqa: E402
from tests.oracle.servers import free_port  # noqa: E402

CLIENTS = 8
ACCOUNTS = 20
DEPOSIT = 1000
FILLING = 20000         # further keys, so that snapshots take their time
TRANSFER = ("redis.call('DECRBY', KEYS[1], ARGV[1]) redis.call('INCRBY', KEYS[2], ARGV[1]) redis.call('SET', KEYS[3], ARGV[2]) "
            "return ARGV[2]")
NAMES = ("counter", "text", "list", "transfer", "script")


class Violation(Exception):
    """What was promised does not hold."""


class Subject:
    """The server in its directory."""

    def __init__(self, directory, policy, arguments=()):
        self.directory = Path(directory)
        self.policy = policy
        self.arguments = list(arguments)
        self.process = None

    def start(self, seconds=60):
        self.port = free_port()
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "carnelian", "serve", "--port", str(self.port), "--dir", str(self.directory), "--save", "",
                 "--appendonly", "yes", "--appendfsync", self.policy, *self.arguments], cwd=self.directory, env=environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + seconds
        while True:
            if self.process.poll() is not None:
                raise Violation(f"the server does not start:\n{self.log()}")
            if time.monotonic() > deadline:
                self.kill()
                raise Violation(f"the server is not ready after {seconds} seconds:\n{self.log()}")
            try:
                client = self.client()
            except OSError:
                time.sleep(0.01)
                continue
            answer = client("PING")
            client.close()
            if answer == b"PONG":
                return
            time.sleep(0.01)

    def client(self):
        return Client(("127.0.0.1", self.port), timeout=20)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def log(self):
        return (self.directory / "log").read_text(errors="replace")[-3000:]


class Worker(threading.Thread):
    """A client under load: `sent` steps so far, `known` (time, replies acknowledged in steps of this round)."""

    def __init__(self, subject, number, start, depth, random_seed):
        super().__init__(daemon=True)
        self.client = subject.client()
        self.number = number
        self.start_step = start
        self.sent = start
        self.depth = depth
        self.random = random.Random(random_seed)
        self.known = []                 # (moment, replies so far)
        self.complaint = None

    def step(self, n):
        prefix = f"c{self.number}:"
        source, target = (f"account:{account}" for account in self.random.sample(range(ACCOUNTS), 2))
        amount = self.random.randrange(1, 100)
        return b"".join(map(request, (
            ("INCR", prefix + "counter"), ("SET", prefix + "text", n), ("RPUSH", prefix + "list", n),
            ("MULTI",), ("DECRBY", source, amount), ("INCRBY", target, amount), ("SET", prefix + "transfer", n), ("EXEC",),
            ("EVAL", TRANSFER, 3, target, source, prefix + "script", amount, n))))

    def run(self):
        replies = 0
        try:
            while True:
                first, self.sent = self.sent, self.sent + self.depth
                self.client.send_raw(b"".join(self.step(n) for n in range(first + 1, self.sent + 1)))
                for _ in range(self.depth * 9):
                    reply = self.client.read()
                    if reply is CLOSED or reply is NO_REPLY:
                        if reply is NO_REPLY:
                            self.complaint = "no reply within the time"
                        return
                    if isinstance(reply, Error):
                        self.complaint = reply.decode()
                        return
                    replies += 1
                    self.known.append((time.monotonic(), replies))
        except OSError:
            return

    def acknowledged(self, until):
        """Steps whose INCR, SET, RPUSH, EXEC, EVAL were answered before that moment, as one count for each of the five."""
        replies = 0
        for moment, count in self.known:
            if moment > until:
                break
            replies = count
        whole, rest = divmod(replies, 9)
        return [self.start_step + whole + (rest >= place) for place in (1, 2, 3, 8, 9)]


def meddle(subject, stop, chance):
    """BGSAVE and BGREWRITEAOF at random moments."""
    try:
        client = subject.client()
        while not stop.wait(chance.uniform(0.0, 0.2)):
            client(chance.choice(("BGSAVE", "BGREWRITEAOF")))
    except OSError:
        return


def prepare(subject):
    client = subject.client()
    for account in range(ACCOUNTS):
        client("SET", f"account:{account}", DEPOSIT)
    for first in range(0, FILLING, 1000):
        client.send_raw(b"".join(request(("SET", f"fill:{n}", "x" * (n % 300))) for n in range(first, first + 1000)))
        for _ in range(1000):
            client.read()
    client.close()


def verify(subject, workers, killed, grace):
    """Compares what is there with what was answered; returns the steps that each client goes on from. Violation."""
    client = subject.client()
    starts = []
    for worker in workers:
        prefix = f"c{worker.number}:"
        values = client("MGET", *(prefix + name for name in ("counter", "text", "transfer", "script")))
        counter, text, transfer, script = (int(value) if isinstance(value, bytes) else 0 for value in values)
        items = client("LRANGE", prefix + "list", 0, -1)
        if items != [b"%d" % n for n in range(1, len(items) + 1)]:
            raise Violation(f"client {worker.number}: the list is not what was pushed")
        found = [counter, text, len(items), transfer, script]
        shown = f"client {worker.number}: " + ", ".join(f"{name} {value}" for name, value in zip(NAMES, found))
        if any(value > worker.sent for value in found):
            raise Violation(f"{shown}: more than the {worker.sent} steps sent")
        if sorted(found, reverse=True) != found or found[0] - found[-1] > 1:
            raise Violation(f"{shown}: no prefix of what was sent")
        wanted = worker.acknowledged(killed - grace)
        if any(value < least for value, least in zip(found, wanted)):
            raise Violation(f"{shown}: less than was acknowledged, {wanted} (sent {worker.sent})")
        # The step that was cut is made whole, so that the next round begins evenly.
        step = counter
        if script < step:
            if text < step:
                client("SET", prefix + "text", step)
            if len(items) < step:
                client("RPUSH", prefix + "list", step)
            client("MSET", prefix + "transfer", step, prefix + "script", step)
        starts.append(step)
    total = sum(map(int, client("MGET", *(f"account:{n}" for n in range(ACCOUNTS)))))
    if total != ACCOUNTS * DEPOSIT:
        raise Violation(f"the accounts hold {total}, not {ACCOUNTS * DEPOSIT}: a transfer is half done")
    filled = client("DBSIZE")
    if filled < FILLING + ACCOUNTS:
        raise Violation(f"{filled} keys are left")
    client.close()
    return starts


def check_snapshot(path):
    """The sum in the last finished snapshot, if there is one. Violation; DamagedFile."""
    if not path.exists():
        return False
    from carnelian.engine import Engine
    from carnelian.persistence.loading import Loader

    engine = Engine()
    Loader(str(path), engine.store, engine.true_time()).advance(-1)
    total = sum(int(engine.store.databases[0].value(b"account:%d" % n)) for n in range(ACCOUNTS))
    if total != ACCOUNTS * DEPOSIT:
        raise Violation(f"the accounts in {path} hold {total}, not {ACCOUNTS * DEPOSIT}")
    return True


def play(subject, starts, chance, longest):
    """One round: the steps from which the next one goes on, replies that were noted, whether a snapshot was seen. Violation."""
    subject.start()
    if not starts:
        prepare(subject)
        starts = [0] * CLIENTS
    workers = [Worker(subject, number, start, chance.choice((1, 4, 16)), chance.random()) for number, start in enumerate(starts)]
    stop = threading.Event()
    meddler = threading.Thread(target=meddle, args=(subject, stop, random.Random(chance.random())), daemon=True)
    for thread in (*workers, meddler):
        thread.start()
    time.sleep(chance.uniform(0.02, longest))
    killed = time.monotonic()
    subject.kill()
    stop.set()
    for thread in (*workers, meddler):
        thread.join()
    for worker in workers:
        worker.client.close()
        if worker.complaint:
            raise Violation(f"client {worker.number} was answered: {worker.complaint}")
    seen = check_snapshot(subject.directory / "dump.rdb")
    subject.start()
    starts = verify(subject, workers, killed, 0.0 if subject.policy == "always" else 2.0)
    # The check itself was acknowledged too; now and then the end is an orderly one.
    if chance.random() < 0.1:
        subject.process.terminate()
        if subject.process.wait(60):
            raise Violation(f"SIGTERM: exit status {subject.process.returncode}\n{subject.log()}")
    else:
        subject.kill()
    return starts, sum(len(worker.known) for worker in workers), seen


def run(rounds, policies, seed, longest=1.0, say=print, per_directory=10):
    """Plays the rounds: (rounds, replies, rounds with a snapshot). Violation, with the directory in its text."""
    chance = random.Random(seed)
    replies = snapshots = 0
    for policy in policies:
        directory, starts, subject = None, None, None
        for number in range(rounds):
            if number % per_directory == 0:
                if directory:
                    shutil.rmtree(directory)
                directory, starts = tempfile.mkdtemp(prefix="carnelian-crash-"), None
                subject = Subject(directory, policy, ["--aof-timestamp-enabled", chance.choice(("yes", "no")),
                                                      "--auto-aof-rewrite-min-size", "1mb"])
            try:
                starts, count, seen = play(subject, starts, chance, longest * (1.0 if policy == "always" else 2.5))
            except BaseException as error:
                if subject.process is not None and subject.process.poll() is None:
                    subject.kill()
                if isinstance(error, Violation):
                    raise Violation(f"{policy}, round {number + 1}, seed {seed}, {directory}: {error}") from None
                raise
            replies += count
            snapshots += seen
            say(f"{policy:9} round {number + 1:4}: {count:7} replies, steps {min(starts)} to {max(starts)}"
                f"{', a snapshot' if seen else ''}", flush=True)
        if directory:
            shutil.rmtree(directory)
    return rounds * len(policies), replies, snapshots


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200, help="of all policies together")
    parser.add_argument("--policy", choices=("always", "everysec", "both"), default="both")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--longest", type=float, default=1.0, help="seconds of load before the kill (always; 2.5 times so long: everysec)")
    options = parser.parse_args()
    policies = ("always", "everysec") if options.policy == "both" else (options.policy,)
    print(f"seed {options.seed}")
    try:
        rounds, replies, snapshots = run(max(1, options.rounds // len(policies)), policies, options.seed, options.longest)
    except Violation as violation:
        print(f"VIOLATION: {violation}", file=sys.stderr)
        return 1
    print(f"{rounds} rounds, {replies} replies acknowledged and found again, {snapshots} rounds with a finished snapshot: all promises kept")
    return 0


if __name__ == "__main__":
    sys.exit(main())
