#!/usr/bin/env python3
"""carnelian and redis-server side by side: throughput, server CPU per request, memory, many idle connections.

    make bench                                          everything; about half an hour
    make bench ARGS="--quick"                           a few cases once, a minute
    make bench ARGS="--suite throughput --only 'GET|SET' --pipelines 1,16 --runs 3"
    make bench ARGS="--reference 'valkey-server --port {port} --save \\"\\"'"

The servers are pinned to one core and the load generator (redis-benchmark) to another. The servers take turns within each
case; a figure is the median of its runs, and a ratio is carnelian's figure over the reference's in the same case. CPU is what
the scheduler counted for the server process, all threads. Needs Linux, redis-server and redis-benchmark.
"""
import argparse
import json
import os
import re
import resource
import shlex
import socket
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.oracle.resp import Client, request  # noqa: E402
from tests.oracle.servers import Server  # noqa: E402

SUBJECT = f'{sys.executable} -m carnelian serve --save "" --port {{port}}'
REFERENCE = 'redis-server --save "" --appendonly no --port {port}'
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = (CORES[0], CORES[-1]) if len(CORES) > 1 else (None, None)

VALUE = "x" * 32
FIELDS = "f1 value-1 f2 value-2 f3 value-3 f4 value-4 f5 value-5"

# name: (arguments of redis-benchmark, what fills the store first: arguments of redis-benchmark, or commands)
CASES = {
    "PING_INLINE": ("-t ping_inline", None),
    "PING_MBULK": ("-t ping_mbulk", None),
    "SET": ("-t set -d 32 -r 100000", None),
    "GET": ("-t get -d 32 -r 100000", "-t set -d 32 -r 100000"),
    "INCR": ("-t incr -r 100000", None),
    "LPUSH": ("-t lpush -d 32", None),
    "RPUSH": ("-t rpush -d 32", None),
    "LPOP": ("-t lpop", "-t rpush -d 32"),
    "RPOP": ("-t rpop", "-t rpush -d 32"),
    "SADD": ("-t sadd -r 100000", None),
    "HSET": ("-t hset -d 32 -r 100000", None),
    "SPOP": ("-t spop", "-t sadd -r 10000000"),
    "ZADD": ("-t zadd -r 100000", None),
    "ZPOPMIN": ("-t zpopmin", "-t zadd -r 10000000"),
    "LRANGE_100": ("LRANGE mylist 0 99", "-n 1000 -t lpush -d 32"),
    "LRANGE_300": ("LRANGE mylist 0 299", "-n 1000 -t lpush -d 32"),
    "LRANGE_500": ("LRANGE mylist 0 499", "-n 1000 -t lpush -d 32"),
    "LRANGE_600": ("LRANGE mylist 0 599", "-n 1000 -t lpush -d 32"),
    "MSET": ("-t mset -d 32 -r 100000", None),
    "XADD": ("-r 100000 XADD stream MAXLEN ~ 100000 * field __rand_int__", None),
    "HGETALL": ("HGETALL hash", [f"HSET hash {FIELDS}"]),
    "SETEX": (f"-r 100000 SETEX key:__rand_int__ 100 {VALUE}", None),
}
QUICK = ("PING_MBULK", "SET", "GET", "INCR", "LPUSH", "HSET", "ZADD", "LRANGE_100")


class Pinned(Server):
    """A server on its core, with its CPU time and memory."""

    def __init__(self, name, template):
        command = shlex.split(template.replace("--port {port}", ""))
        super().__init__(name, pinned(SERVER_CORE, command))

    def ask(self, *words):
        client = Client(self.address, timeout=60)
        try:
            return client(*words)
        finally:
            client.close()

    def cpu(self):
        """Seconds of CPU so far."""
        total = 0
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            try:
                total += int((task / "schedstat").read_text().split()[0])
            except OSError:                     # a thread that has just ended
                continue
        return total / 1e9

    def memory(self):
        """Resident bytes."""
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())[1]) * 1024


def pinned(core, command):
    return command if core is None else ["taskset", "-c", str(core), *command]


def load(server, pipeline, requests, arguments):
    """One run of redis-benchmark: requests per second, microseconds of server CPU per request."""
    options = [] if "-n " in arguments else ["-n", str(requests)]
    before = server.cpu()
    done = subprocess.run(
        pinned(LOAD_CORE, ["redis-benchmark", "-p", str(server.port), "-q", "-P", str(pipeline), "-c", "50", *options,
                           *shlex.split(arguments)]), capture_output=True, text=True, timeout=600)
    cpu = server.cpu() - before
    found = re.findall(r"([\d.]+|inf) requests per second", done.stdout)
    if not found or "rror" in done.stdout + done.stderr:
        raise RuntimeError(f"{server.name}: redis-benchmark {arguments}: {(done.stdout + done.stderr)[-500:]}")
    return {"rps": float(found[-1]), "cpu": 1e6 * cpu / requests}


def fill(server, what, requests):
    server.ask("FLUSHALL")
    if isinstance(what, str):
        load(server, 64, requests, what)
    for line in what if isinstance(what, list) else ():
        server.ask(*line.split())


def throughput(servers, options):
    results = {}
    subject, reference = servers
    print(f"{'':12} {'pipeline':>8} " + "".join(f"{server.name + ' req/s':>22}{'CPU us':>8}" for server in servers)
          + f"{'req/s ratio':>13}{'CPU ratio':>11}")
    for name, (arguments, filling) in CASES.items():
        if options.only and not re.search(options.only, name) or options.quick and name not in QUICK:
            continue
        for pipeline in options.pipelines:
            probe = 2000 * min(pipeline, 10)
            fill(reference, filling, probe)
            requests = max(probe, int(load(reference, pipeline, probe, arguments)["rps"] * options.seconds))
            runs = {server.name: [] for server in servers}
            for turn in range(options.runs):
                for server in servers if turn % 2 == 0 else reversed(servers):
                    fill(server, filling, requests)
                    runs[server.name].append(load(server, pipeline, requests, arguments))
            median = {who: {figure: statistics.median(run[figure] for run in some) for figure in ("rps", "cpu")}
                      for who, some in runs.items()}
            ours, theirs = median[subject.name], median[reference.name]
            result = {"requests": requests, **median, "rps_ratio": ours["rps"] / theirs["rps"],
                      "cpu_ratio": ours["cpu"] / max(theirs["cpu"], 1e-9)}
            results[f"{name} P{pipeline}"] = result
            print(f"{name:12} {pipeline:8} " + "".join(f"{median[s.name]['rps']:22,.0f}{median[s.name]['cpu']:8.2f}" for s in servers)
                  + f"{result['rps_ratio']:13.2f}{result['cpu_ratio']:11.2f}", flush=True)
        for server in servers:
            server.ask("FLUSHALL")
    if results:
        ratios = [result["rps_ratio"] for result in results.values()]
        print(f"req/s ratio: least {min(ratios):.2f}, median {statistics.median(ratios):.2f}; "
              f"below 0.97 in {sum(ratio < 0.97 for ratio in ratios)} of {len(ratios)} cases")
    return results


def scrambled(number):
    """Sixteen characters that look random."""
    return f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}"


def memory_cases():
    """(name, items, commands)"""
    yield "string 16 B key, 32 B value", 1_000_000, (
        ("SET", f"key:{i:012}", scrambled(i) + scrambled(i + 1)) for i in range(1_000_000))
    yield "string with a TTL", 500_000, (
        ("SET", f"key:{i:012}", scrambled(i) + scrambled(i + 1), "EX", 86400 + i % 1000) for i in range(500_000))
    yield "hash of 5 short fields", 200_000, (
        ("HSET", f"session:{i:08}", "user", i, "name", f"user-{i}", "role", "member", "token", scrambled(i), "seen", 1700000000 + i)
        for i in range(200_000))
    yield "sorted set of 10", 200_000, (
        ("ZADD", f"ranking:{i:08}", *(word for j in range(10) for word in (j * 1.5, f"member{j}"))) for i in range(200_000))
    yield "set of 10 integers", 200_000, (("SADD", f"ids:{i:08}", *range(i, i + 10)) for i in range(200_000))
    yield "element of a list", 1_000_000, (
        ("RPUSH", "jobs", *(f"job:{i * 10 + j:016}" for j in range(10))) for i in range(100_000))
    yield "entry of a stream", 1_000_000, (("XADD", "log", "*", "sensor", i % 1000, "value", i) for i in range(1_000_000))
    yield "member of a sorted set", 500_000, (("ZADD", "board", i * 7919 % 1000003, f"player:{i}") for i in range(500_000))


def pour(server, commands):
    """Sends all commands in a pipeline, through redis-cli --pipe, which counts the errors."""
    with subprocess.Popen(["redis-cli", "-p", str(server.port), "--pipe"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as cli:
        batch = []
        for words in commands:
            batch.append(request(words))
            if len(batch) == 1000:
                cli.stdin.write(b"".join(batch))
                batch.clear()
        cli.stdin.write(b"".join(batch))
        cli.stdin.close()
        output = cli.stdout.read()
    if b"errors: 0," not in output:
        raise RuntimeError(f"{server.name}: {output.decode()[-300:]}")


def memory(names, templates, options):
    results = {}
    print(f"{'resident bytes for each':30}" + "".join(f"{name:>16}" for name in names) + f"{'ratio':>8}")
    for case, items, _ in memory_cases():
        if options.only and not re.search(options.only, case):
            continue
        row = {}
        for name, template in zip(names, templates):
            commands = next(commands for other, _, commands in memory_cases() if other == case)
            with Pinned(name, template) as server:
                before = server.memory()
                pour(server, commands)
                row[name] = (server.memory() - before) / items
        row["ratio"] = row[names[0]] / row[names[1]]
        results[case] = row
        print(f"{case:30}" + "".join(f"{row[name]:16.1f}" for name in names) + f"{row['ratio']:8.2f}", flush=True)
    return results


def connections(servers, options):
    """Load beside many idle connections, which all must answer in the end."""
    wanted = options.connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted + 200:
        print(f"{wanted} connections need more than the {soft} open files that are allowed here (ulimit -n)")
        return {}
    results = {}
    print(f"{f'with {wanted} idle connections':30}{'GET P1 req/s':>14}{'GET P16 req/s':>15}{'without: P1':>13}{'P16':>12}{'answered':>10}")
    for server in servers:
        server.ask("CONFIG", "SET", "maxclients", wanted + 100)
        fill(server, "-t set -d 32 -r 100000", 100_000)
        counts = {1: 50_000, 16: 400_000}
        alone = {pipeline: load(server, pipeline, n, "-t get -r 100000")["rps"] for pipeline, n in counts.items()}
        idle = []
        try:
            for _ in range(wanted):
                idle.append(socket.create_connection(server.address, 10))
            busy = {pipeline: load(server, pipeline, n, "-t get -r 100000")["rps"] for pipeline, n in counts.items()}
            for connection in idle:
                connection.sendall(b"*1\r\n$4\r\nPING\r\n")
            answered = sum(connection.recv(64) == b"+PONG\r\n" for connection in idle)
        finally:
            for connection in idle:
                connection.close()
        results[server.name] = {"alone": alone, "busy": busy, "answered": answered}
        print(f"{server.name:30}{busy[1]:14,.0f}{busy[16]:15,.0f}{alone[1]:13,.0f}{alone[16]:12,.0f}{answered:10}", flush=True)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--suite", choices=["throughput", "memory", "connections", "all"], default="all")
    parser.add_argument("--only", help="a regular expression over the names of the cases")
    parser.add_argument("--pipelines", default="1,16,64", help="comma-separated")
    parser.add_argument("--runs", type=int, default=5, help="of each server in each case")
    parser.add_argument("--seconds", type=float, default=1.0, help="about how long a run takes")
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--quick", action="store_true", help="a few cases, one short run each")
    parser.add_argument("--subject", default=SUBJECT, help="command line of the server measured")
    parser.add_argument("--reference", default=REFERENCE, help="command line of the server it is compared with")
    parser.add_argument("--json", help="write the figures to this file")
    options = parser.parse_args()
    options.pipelines = [int(pipeline) for pipeline in options.pipelines.split(",")]
    if options.quick:
        options.runs, options.seconds, options.pipelines = 1, 0.3, [1, 16]
        options.suite = "throughput" if options.suite == "all" else options.suite
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))        # the servers inherit it
    names = ["carnelian", Path(shlex.split(options.reference)[0]).name]
    if names[0] == names[1]:
        names[1] = "reference"
    templates = [options.subject, options.reference]
    if SERVER_CORE is None:
        print("one core only: the servers and the load share it, and the figures say little")
    if os.getloadavg()[0] > 1:
        print(f"other work is going on here (load {os.getloadavg()[0]:.1f}): expect noise")
    results = {}
    if options.suite in ("throughput", "connections", "all"):
        servers = [Pinned(name, template) for name, template in zip(names, templates)]
        try:
            if options.suite != "connections":
                results["throughput"] = throughput(servers, options)
            if options.suite != "throughput":
                results["connections"] = connections(servers, options)
        finally:
            for server in servers:
                server.stop()
    if options.suite in ("memory", "all"):
        results["memory"] = memory(names, templates, options)
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
