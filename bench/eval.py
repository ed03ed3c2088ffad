#!/usr/bin/env python3
"""EVAL and EVALSHA on carnelian and on redis-server, side by side, in the manner of bench/compare.py.

    python bench/eval.py                        every script, pipelines 1 and 16
    python bench/eval.py --only 'get' --pipelines 16 --runs 3

The project's bar: a script of one call at pipeline 16 at 0.7 of redis-server's requests per second, or more.
"""
import argparse
import json
import os
import re
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.compare import REFERENCE, SUBJECT, Pinned, load  # noqa: E402

LIMIT = ("local n = redis.call('INCR', KEYS[1]) if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end "
         "return {n, redis.call('PTTL', KEYS[1])}")
UNLOCK = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end"
JSON = "local v = cjson.decode(ARGV[1]) v.seen = v.seen + 1 return redis.call('SET', KEYS[1], cjson.encode(v))"
PACK = "return redis.call('SET', KEYS[1], cmsgpack.pack({KEYS[1], ARGV[1], 17, true}))"

# name: (script, keys and arguments)
SCRIPTS = {
    "no call": ("return 1", "0"),
    "get": ("return redis.call('GET', KEYS[1])", "1 key:__rand_int__"),
    "set": ("return redis.call('SET', KEYS[1], ARGV[1])", "1 key:__rand_int__ " + "x" * 32),
    "incr": ("return redis.call('INCR', KEYS[1])", "1 counter:__rand_int__"),
    "hset": ("return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])", "1 hash:__rand_int__ field value"),
    "hgetall": ("return redis.call('HGETALL', KEYS[1])", "1 hash"),
    "rate limit": (LIMIT, "1 limit:__rand_int__ 60000"),
    "unlock": (UNLOCK, "1 key:__rand_int__ token"),
    "100 calls": ("for i = 1, 100 do redis.call('INCR', KEYS[1]) end", "1 counter"),
    "loop": ("local n = 0 for i = 1, 1000 do n = n + i % 7 end return n", "0"),
    "cjson": (JSON, '1 json:__rand_int__ {"name":"Ann","seen":41,"tags":["a","b"],"nested":{"x":1.5}}'),
    "cmsgpack": (PACK, "1 packed:__rand_int__ value"),
}


def quoted(word):
    return "'" + word.replace("'", "'\"'\"'") + "'"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", help="a regular expression over the names of the scripts")
    parser.add_argument("--pipelines", default="1,16", help="comma-separated")
    parser.add_argument("--runs", type=int, default=5, help="of each server in each case")
    parser.add_argument("--seconds", type=float, default=1.0, help="about how long a run takes")
    parser.add_argument("--subject", default=SUBJECT, help="command line of the server measured")
    parser.add_argument("--reference", default=REFERENCE, help="command line of the server it is compared with")
    parser.add_argument("--json", help="write the figures to this file")
    options = parser.parse_args()
    if os.getloadavg()[0] > 1:
        print(f"other work is going on here (load {os.getloadavg()[0]:.1f}): expect noise")
    results = {}
    with Pinned("carnelian", options.subject) as subject, Pinned("redis-server", options.reference) as reference:
        servers = (subject, reference)
        print(f"{'':12} {'':8} {'pipeline':>8} " + "".join(f"{server.name + ' req/s':>22}{'CPU us':>8}" for server in servers)
              + f"{'req/s ratio':>13}{'CPU ratio':>11}")
        for name, (script, arguments) in SCRIPTS.items():
            if options.only and not re.search(options.only, name):
                continue
            for server in servers:
                server.ask("FLUSHALL")
                server.ask("HSET", "hash", *(word for n in range(5) for word in (f"field{n}", f"value {n}")))
                sha = server.ask("SCRIPT", "LOAD", script).decode()
            arguments = " ".join(map(quoted, arguments.split()))
            for word, code in (("EVAL", quoted(script)), ("EVALSHA", sha)):
                for pipeline in map(int, options.pipelines.split(",")):
                    command = f"-r 100000 {word} {code} {arguments}"
                    probe = 1000 * min(pipeline, 10)
                    requests = max(probe, int(load(reference, pipeline, probe, command)["rps"] * options.seconds))
                    runs = {server.name: [] for server in servers}
                    for turn in range(options.runs):
                        for server in servers if turn % 2 == 0 else reversed(servers):
                            runs[server.name].append(load(server, pipeline, requests, command))
                    median = {who: {figure: statistics.median(run[figure] for run in some) for figure in ("rps", "cpu")}
                              for who, some in runs.items()}
                    ours, theirs = median[subject.name], median[reference.name]
                    result = {**median, "rps_ratio": ours["rps"] / theirs["rps"], "cpu_ratio": ours["cpu"] / max(theirs["cpu"], 1e-9)}
                    results[f"{word} {name} P{pipeline}"] = result
                    print(f"{name:12} {word:8} {pipeline:8} "
                          + "".join(f"{median[s.name]['rps']:22,.0f}{median[s.name]['cpu']:8.2f}" for s in servers)
                          + f"{result['rps_ratio']:13.2f}{result['cpu_ratio']:11.2f}", flush=True)
    if results:
        ratios = [result["rps_ratio"] for result in results.values()]
        print(f"req/s ratio: least {min(ratios):.2f}, median {statistics.median(ratios):.2f}")
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
