"""A million damaged payloads, of every encoding, into RESTORE's reader: `python bench/fuzz_restore.py [--rounds N] [--seed S]`.

Each must be refused, or give a value that is sound: its invariants hold, it can be written and read again, changed and freed,
and no memory is left behind. The work is done by child processes, so that a crash is noticed, with the seed that leads to it:
`python bench/fuzz_restore.py --rounds 20000 --seed S --here` repeats it. PYTHONMALLOC=debug puts guards around every block.
"""
import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PART = 20000                                # payloads for each child


def child(rounds, seed):
    """Runs a part in a process of its own: None, or what went wrong."""
    run = subprocess.run([sys.executable, __file__, "--rounds", str(rounds), "--seed", str(seed), "--here"],
                         capture_output=True, text=True)
    return None if run.returncode == 0 else f"seed {seed}, code {run.returncode}\n{run.stdout}{run.stderr}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1000000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 1) - 1))
    parser.add_argument("--here", action="store_true", help="in this process")
    options = parser.parse_args()
    if options.here:
        sys.path.insert(0, str(ROOT))
        from tests.damage import torture
        print(torture(options.rounds, options.seed), "were sound")
        return 0
    started = time.monotonic()
    parts = range(-(-options.rounds // PART))
    failures = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for index, failure in enumerate(pool.map(
                lambda part: child(min(PART, options.rounds - part * PART), options.seed + part), parts)):
            done = min((index + 1) * PART, options.rounds)
            print(f"\r{done} payloads, {failures} parts failed, {time.monotonic() - started:.0f} s", end="", flush=True)
            if failure:
                failures += 1
                print(f"\n{failure}")
    print()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
