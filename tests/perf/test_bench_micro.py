# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""lath-bench's micro tests at tiny sizes: all rows are there and whole. Never speed.

lath-bench itself ends with an error when a key is not found, a packet does not parse, a port is
there that cannot be, or a variant of a hash gives something else than the hash.
"""

import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("LATH_BUILD", ROOT / "build"))
BENCH = BUILD / "app" / "lath-bench" / "lath-bench"
TESTS = {  # the fewest rows, on any CPU
    "acl-find": 4, "flow-find": 12, "flow-hash": 5, "maglev-build": 7, "parse": 3, "policy": 3, "portset": 6, "snat": 8,
    "xlate": 4,
}


def rows(*args):
    done = subprocess.run([BENCH, "--repeats", "2", "--window-ms", "2", "--flows", "1k,3000",
                           "-j", "-", *args],
                          capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    machine, *results = [json.loads(text) for text in done.stdout.splitlines()]
    assert machine["kind"] == "machine"
    assert all(one["kind"] == "micro" for one in results)
    return results


@pytest.mark.parametrize("test", TESTS)
def test_rows_are_whole(test):
    results = rows(test)
    assert len(results) >= TESTS[test]
    names = [(one["variant"], one["condition"]) for one in results]
    assert len(set(names)) == len(names)
    for one in results:
        assert one["test"] == test and one["unit"] and one["repeats"] == 2, one
        assert one["operations"] > 0, one
        for name in ("cycles", "ns"):
            assert 0 < one[name]["min"] <= one[name]["median"] <= one[name]["max"], one


def test_one_word_names_them_all():
    assert {one["test"] for one in rows("micro")} == set(TESTS)
