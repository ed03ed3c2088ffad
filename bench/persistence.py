#!/usr/bin/env python3
"""Persistence of carnelian and redis-server side by side: the append-only file, loading, SAVE, and BGSAVE under load.

    bench/persistence.py                        everything; about ten minutes
    bench/persistence.py --quick                once, with a tenth of the keys
    bench/persistence.py --suite append,save --runs 5 --keys 200000

The servers are pinned to one core and the load generator to another (threads and children of a server share its core, unless
`--free`); they take turns, and figures are medians. A ratio above 1 is in carnelian's favour. Needs Linux, redis-server, redis-benchmark.
"""
import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "bench"))

import compare  # noqa: E402
from compare import Pinned, load  # noqa: E402
from tests.oracle.resp import Client, request  # noqa: E402

SUBJECT = f"{sys.executable} -m carnelian serve"
REFERENCE = "redis-server"
BARS = {"append everysec": 1.0, "append always": 1.0, "load": 1.0, "save": 0.7}


class Patient(Pinned):
    """A server in its directory, which may take its time to start."""

    def __init__(self, name, template, arguments, dump=None):
        self.dump = dump
        super().__init__(name, f"{template} {arguments}")

    def start(self):
        if self.dump is not None and not (self.directory / "dump.rdb").exists():
            os.link(self.dump, self.directory / "dump.rdb")
        super().start()

    def ready(self):
        """Waits until everything is loaded."""
        while int(self.field("loading")):
            time.sleep(0.02)

    def field(self, name, section="persistence"):
        for line in self.ask("INFO", section).decode().splitlines():
            if line.startswith(name + ":"):
                return line.partition(":")[2]
        raise KeyError(name)

    def peak(self):
        """Resident bytes of the process and its children now."""
        total = self.memory()
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            try:
                children = (task / "children").read_text().split()
            except OSError:
                continue
            for child in children:
                try:
                    for line in Path(f"/proc/{child}/smaps_rollup").read_text().splitlines():
                        if line.startswith("Private_Dirty:"):
                            total += int(line.split()[1]) * 1024
                except OSError:
                    continue
        return total


def mixed(count):
    """Requests of so many keys: six in ten strings, then small hashes, lists, sets, sorted sets."""
    for n in range(count):
        kind = n % 10
        if kind < 6:
            yield ("SET", f"string:{n}", f"value {n} " * (1 + n % 8))
        elif kind == 6:
            yield ("HSET", f"hash:{n}", "name", f"name {n}", "mail", f"user-{n}@example.org", "visits", n)
        elif kind == 7:
            yield ("RPUSH", f"list:{n}", *(f"item {n + i}" for i in range(5)))
        elif kind == 8:
            yield ("SADD", f"set:{n}", *range(n, n + 5))
        else:
            yield ("ZADD", f"ranked:{n}", *(word for i in range(5) for word in (i * 1.5, f"member {n + i}")))


def fill(server, count):
    client = Client(server.address, timeout=60)
    requests = mixed(count)
    while True:
        data = [request(words) for _, words in zip(range(2000), requests)]
        if not data:
            break
        client.send_raw(b"".join(data))
        for _ in data:
            client.read()
    client.close()


def servers(options, arguments, dump=None):
    """The two, one after the other."""
    for name, template in (("carnelian", options.subject), ("redis-server", options.reference)):
        server = Patient(name, template, arguments, dump)
        try:
            yield server
        finally:
            server.process.kill()
            server.process.wait()
            server.stop()


def tell(results, name, figures, better="more"):
    """Prints one comparison: {server: [figures]}."""
    ours, theirs = (statistics.median(figures[who]) for who in ("carnelian", "redis-server"))
    ratio = ours / theirs if better == "more" else theirs / ours
    bar = BARS.get(name)
    results[name] = {"carnelian": ours, "redis-server": theirs, "ratio": ratio}
    print(f"{name:24}{ours:14,.3f}{theirs:14,.3f}{ratio:8.2f}" + (f"   (bar {bar})" if bar else ""), flush=True)


def append(options, results):
    """SET at pipeline 16: requests per second."""
    for policy in ("everysec", "always", "no"):
        figures = {"carnelian": [], "redis-server": []}
        for _ in range(options.runs):
            for server in servers(options, f'--save "" --appendonly yes --appendfsync {policy}'):
                load(server, 16, 20000, "-t set -d 32 -r 100000")
                requests = 60000 if options.quick else 1000000 if policy != "always" else 200000
                figures[server.name].append(load(server, 16, requests, "-t set -d 32 -r 100000")["rps"])
        tell(results, f"append {policy}", figures)


def snapshots(options, results):
    """Loading an RDB file of mixed keys, and SAVE of it: seconds. Both load the same file, written by redis-server."""
    dump = options.directory / "mixed.rdb"
    for server in servers(options, '--save "" --appendonly no'):
        if server.name == "redis-server":
            fill(server, options.keys)
            server.ask("SAVE")
            shutil.copy(server.directory / "dump.rdb", dump)
    loading, saving = {"carnelian": [], "redis-server": []}, {"carnelian": [], "redis-server": []}
    for _ in range(options.runs):
        for server in servers(options, '--save "" --appendonly no', dump):
            server.ready()
            assert server.ask("DBSIZE") == options.keys
            began = time.monotonic()
            assert server.ask("SAVE") == b"OK"
            saving[server.name].append(time.monotonic() - began)
            before = time.monotonic()
            reply = server.ask("DEBUG", "RELOAD", "NOSAVE") if options.reload else None
            if reply == b"OK":
                loading[server.name].append(time.monotonic() - before)
            else:
                loading[server.name].append(loaded_in(server))
    tell(results, "load", loading, "less")
    tell(results, "save", saving, "less")


def loaded_in(server):
    """Seconds from the start of the process to the last key, less those of a start with nothing to load."""
    seconds = []
    for there in (True, False):
        server.process.kill()
        server.process.wait()
        if not there:
            server.dump = None
            (server.directory / "dump.rdb").unlink()
        began = time.monotonic()
        server.start()
        server.ready()
        seconds.append(time.monotonic() - began)
    return seconds[0] - seconds[1]


def latencies(server, seconds, until=lambda n: False):
    """Milliseconds of single requests, GET and SET by turns, one connection, about 2000 a second: the sorted list."""
    client = Client(server.address, timeout=60)
    found, began, n = [], time.perf_counter(), 0
    while time.perf_counter() - began < seconds and not until(n):
        n += 1
        started = time.perf_counter()
        client("SET" if n % 2 else "GET", f"string:{n * 7919 % 1000000}", *(["another value"] if n % 2 else []))
        found.append((time.perf_counter() - started) * 1e3)
        time.sleep(0.0003)
    client.close()
    return sorted(found)


def bgsave(options, results):
    """BGSAVE under load: p99 latency against the idle figure, memory over the idle figure."""
    for server in servers(options, '--save "" --appendonly no'):
        fill(server, options.keys)
        latencies(server, 1)
        idle = latencies(server, options.seconds)
        memory, most = server.memory(), 0
        during = []
        for _ in range(options.runs):
            server.ask("BGSAVE")
            began = time.monotonic()
            state = {"running": True}

            def over(n):
                nonlocal most
                if n % 200 == 0:
                    most = max(most, server.peak())
                    state["running"] = server.field("rdb_bgsave_in_progress") == "1"
                return not state["running"]

            during += latencies(server, 120, over)
            took = time.monotonic() - began
        during.sort()
        p99 = [figures[int(len(figures) * 0.99)] for figures in (idle, during)]
        result = {"p99_idle_ms": p99[0], "p99_bgsave_ms": p99[1], "p99_ratio": p99[1] / p99[0], "worst_ms": during[-1],
                  "memory_over_idle": most / memory - 1, "seconds": took}
        results[f"bgsave {server.name}"] = result
        print(f"bgsave {server.name:14} p99 {p99[0]:.3f} ms idle, {p99[1]:.3f} ms during ({result['p99_ratio']:.2f} times, bar 2.0), "
              f"worst {during[-1]:.1f} ms; memory +{100 * result['memory_over_idle']:.1f} % (bar 10); {took:.1f} s", flush=True)


SUITES = {"append": append, "save": snapshots, "bgsave": bgsave}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", default="append,save,bgsave")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--keys", type=int, default=1000000)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--free", action="store_true", help="servers are not pinned")
    parser.add_argument("--reload", action="store_true", help="loading by DEBUG RELOAD, instead of a start")
    parser.add_argument("--subject", default=SUBJECT)
    parser.add_argument("--reference", default=REFERENCE)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.quick:
        options.runs, options.keys, options.seconds = 1, min(options.keys, 100000), 2.0
    if options.free:
        compare.SERVER_CORE = None
    options.directory = Path(tempfile.mkdtemp(prefix="carnelian-bench-"))
    results = {}
    print(f"{'':24}{'carnelian':>14}{'redis-server':>14}{'ratio':>8}")
    try:
        for name in options.suite.split(","):
            SUITES[name](options, results)
    finally:
        shutil.rmtree(options.directory)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
