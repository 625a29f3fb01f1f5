#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Nobody slows the hit path unseen.

`lath-bench guard` measures known flows (64k, TCP, 64 bytes), MAC swap and a fixed piece of work
that is not Lath's, a few times in turn. The figure is (hit - macswap) / work, the median: cycles
of the gateway's own, in units of something that a faster machine does faster too. guard.json holds
the recorded figure; more than 40 % above it is a failure. A busy machine only ever makes it larger,
so up to three runs are tried and the best one counts.

What it does not see: a change below 40 %, and what only other sizes or tests of lath-bench show.
LIMIT: the work is bound by instructions and L1. On a machine whose L2 or memory is much slower
than the recorder's, compared with its core, 64k flows cost more units: record there.

    tests/perf/guard.py           check; the end is 1 when the path is slower
    tests/perf/guard.py record    measure three runs and write guard.json
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("LATH_BUILD", HERE.parent.parent / "build"))
BENCH = BUILD / "app" / "lath-bench" / "lath-bench"
RECORD = HERE / "guard.json"
RUNS = 3
ALLOWED = 1.4
ARGUMENTS = ["guard", "--proto", "tcp", "--flows", "64k", "--repeats", "5", "--window-ms", "150",
             "-j", "-"]


def measure():
    """The machine's description and the figure of one run."""
    done = subprocess.run([BENCH, *ARGUMENTS], capture_output=True, text=True, timeout=120,
                          check=False)
    if done.returncode != 0:
        sys.exit(f"lath-bench failed: {done.stderr[-500:]}")
    machine, *rows = [json.loads(text) for text in done.stdout.splitlines()]
    rows = {row["test"]: row for row in rows}
    print(", ".join(f"{name} {row['cycles']['median']:.1f}" for name, row in rows.items()),
          f"cycles: {rows['hit']['referenceRatio']:.3f} units")
    return machine, rows["hit"]["referenceRatio"]


def check():
    record = json.loads(RECORD.read_text())
    limit = record["referenceRatio"] * ALLOWED
    best = None
    for _ in range(RUNS):
        machine, ratio = measure()
        if machine["debug"]:
            print("not an optimised build: nothing to compare")
            return 0
        best = ratio if best is None else min(best, ratio)
        if best <= limit:
            break
    print(f"best {best:.3f}, recorded {record['referenceRatio']:.3f} on {record['cpu']}, "
          f"limit {limit:.3f}")
    if best <= limit:
        return 0
    print("the hit path costs too much; if that is meant, tests/perf/guard.py record")
    return 1


def write():
    runs = [measure() for _ in range(RUNS)]
    machine = runs[0][0]
    if machine["debug"]:
        sys.exit("not an optimised build: no figure to record")
    RECORD.write_text(json.dumps({
        "referenceRatio": round(statistics.median(ratio for _, ratio in runs), 3),
        "cpu": machine["cpu"],
        "compiler": machine["compiler"],
        "build": machine["build"],
    }, indent=2) + "\n")
    print(f"written: {RECORD}")
    return 0


if __name__ == "__main__":
    if sys.argv[1:] not in ([], ["record"]):
        sys.exit(__doc__)
    sys.exit(write() if sys.argv[1:] else check())
