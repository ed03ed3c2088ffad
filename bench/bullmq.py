#!/usr/bin/env python3
"""BullMQ on carnelian and on redis-server, side by side: jobs added and processed per second.

    python bench/bullmq.py                      some minutes; needs `npm ci` in tests/clients/node
    python bench/bullmq.py --runs 3 --jobs 2000

The server is pinned to one core, Node to another. A figure is the median of its runs; CPU is the server's, per job added and
processed. The project's bar: `both`, jobs that are added and processed at the same time, at 0.8 of redis-server's rate or more.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.compare import LOAD_CORE, REFERENCE, SUBJECT, Pinned, pinned  # noqa: E402

FIGURES = ("add", "process", "both")


def run(server, jobs):
    """Jobs per second of each kind, and the server's CPU microseconds for a job."""
    before = server.cpu()
    done = subprocess.run(pinned(LOAD_CORE, ["node", str(ROOT / "bench" / "bullmq.mjs"), str(server.port), str(jobs)]),
                          capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise RuntimeError(f"{server.name}: {done.stderr[-2000:]}")
    return json.loads(done.stdout) | {"cpu": 1e6 * (server.cpu() - before) / (3 * jobs)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=5, help="of each server")
    parser.add_argument("--jobs", type=int, default=5000, help="of each kind in a run, in hundreds")
    parser.add_argument("--subject", default=SUBJECT, help="command line of the server measured")
    parser.add_argument("--reference", default=REFERENCE, help="command line of the server it is compared with")
    parser.add_argument("--json", help="write the figures to this file")
    options = parser.parse_args()
    if not (ROOT / "tests/clients/node/node_modules/bullmq").exists():
        parser.error("run `npm ci` in tests/clients/node first")
    if os.getloadavg()[0] > 1:
        print(f"other work is going on here (load {os.getloadavg()[0]:.1f}): expect noise")
    with Pinned("carnelian", options.subject) as subject, Pinned("redis-server", options.reference) as reference:
        servers = (subject, reference)
        runs = {server.name: [] for server in servers}
        for turn in range(options.runs):
            for server in servers if turn % 2 == 0 else reversed(servers):
                runs[server.name].append(run(server, options.jobs // 100 * 100))
    median = {who: {figure: statistics.median(each[figure] for each in some) for figure in (*FIGURES, "cpu")}
              for who, some in runs.items()}
    ours, theirs = median[subject.name], median[reference.name]
    print(f"{'jobs per second':16}" + "".join(f"{server.name:>16}" for server in servers) + f"{'ratio':>8}")
    for figure in FIGURES:
        print(f"{figure:16}{ours[figure]:16,.0f}{theirs[figure]:16,.0f}{ours[figure] / theirs[figure]:8.2f}")
    print(f"{'CPU us for a job':16}{ours['cpu']:16.1f}{theirs['cpu']:16.1f}{ours['cpu'] / theirs['cpu']:8.2f}")
    if options.json:
        Path(options.json).write_text(json.dumps({"median": median, "runs": runs}, indent=1) + "\n")


if __name__ == "__main__":
    main()
