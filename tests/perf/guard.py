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
The work is bound by instructions and L1, 64k flows by L2 and beyond, so the figure differs between
kinds of CPU: there is a record for each. On a kind without one the largest record counts, three
times over, and the output says so: that only sees a collapse.

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
ALLOWED_UNKNOWN = 3.0  # of the largest record, on a kind of CPU that has none
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


def kind_of_cpu(machine):
    """The name that the hypervisor shows is often the same for several generations."""
    facts = {}
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        facts.setdefault(name.strip(), value.strip())
    return (f"{machine['cpu']}, family {facts.get('cpu family', '?')}, "
            f"model {facts.get('model', '?')}")


def limit_for(kind, records):
    if kind in records:
        return records[kind] * ALLOWED, f"recorded {records[kind]:.3f}"
    return max(records.values()) * ALLOWED_UNKNOWN, f"no record of this kind of CPU ({kind})"


def check():
    records = json.loads(RECORD.read_text())
    best = None
    for _ in range(RUNS):
        machine, ratio = measure()
        if machine["debug"]:
            print("not an optimised build: nothing to compare")
            return 0
        best = ratio if best is None else min(best, ratio)
        limit, why = limit_for(kind_of_cpu(machine), records)
        if best <= limit:
            break
    print(f"best {best:.3f}, {why}, limit {limit:.3f}")
    if best <= limit:
        return 0
    print("the hit path costs too much; if that is meant, tests/perf/guard.py record")
    return 1


def write():
    runs = [measure() for _ in range(RUNS)]
    machine = runs[0][0]
    if machine["debug"]:
        sys.exit("not an optimised build: no figure to record")
    records = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    records[kind_of_cpu(machine)] = round(statistics.median(ratio for _, ratio in runs), 3)
    RECORD.write_text(json.dumps(records, indent=2, sort_keys=True) + "\n")
    print(f"written: {RECORD}")
    return 0


if __name__ == "__main__":
    if sys.argv[1:] not in ([], ["record"]):
        sys.exit(__doc__)
    sys.exit(write() if sys.argv[1:] else check())
