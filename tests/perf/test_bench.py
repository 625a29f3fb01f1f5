# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""lath-bench at tiny sizes: its output is well formed and its own checks hold. Never speed.

lath-bench itself ends with an error when a packet is lost, translated wrongly or dropped, when a
worker's sums do not come out, or when not as many flows expire as arrive.
"""

import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("LATH_BUILD", ROOT / "build"))
BENCH = BUILD / "app" / "lath-bench" / "lath-bench"
BASELINES = ["io", "macswap", "touch"]


def run(*args):
    return subprocess.run([BENCH, "--repeats", "2", "--window-ms", "5", *args],
                          capture_output=True, text=True, timeout=300, check=False)


def lines(*args):
    done = run("-j", "-", *args)
    assert done.returncode == 0, done.stderr[-500:]
    machine, *results = [json.loads(text) for text in done.stdout.splitlines()]
    assert machine["kind"] == "machine" and machine["tscHz"] > 0 and machine["cpu"]
    assert all(one["kind"] == "result" for one in results)
    return results


def check(result):
    for name in ("cycles", "overTouch"):
        spread = result[name]
        assert spread["min"] <= spread["median"] <= spread["max"], result
    assert result["cycles"]["min"] > 0 and result["mpps"] > 0, result
    assert result["packets"] > 0 and result["repeats"] == 2, result


@pytest.mark.parametrize("proto", ["tcp", "udp"])
@pytest.mark.parametrize("test", ["hit", "new"])
def test_rows_are_whole(test, proto):
    results = lines(test, "--proto", proto, "--flows", "1k,3000")
    assert [(one["test"], one["flows"]) for one in results] == [
        (name, flows) for flows in (1024, 3000) for name in (*BASELINES, test)]
    for one in results:
        assert one["proto"] == proto
        check(one)
        if one["test"] == "new":
            assert one["created"] >= one["packets"] and one["expired"] > 0, one


def test_other_bursts_and_sizes():
    for one in lines("hit", "--proto", "udp", "--flows", "1k", "--burst", "1", "--size", "1500"):
        assert (one["burst"], one["packetBytes"]) == (1, 1500)
        check(one)


def test_table_and_lines_at_once(tmp_path):
    done = run("hit", "--proto", "tcp", "--flows", "1k", "--json", tmp_path / "lines")
    assert done.returncode == 0, done.stderr[-500:]
    assert len((tmp_path / "lines").read_text().splitlines()) == 1 + len(BASELINES) + 1
    assert "hit" in done.stdout and "macswap" in done.stdout


def test_nonsense_is_refused():
    for args in (["--flows", "1x"], ["--proto", "sctp"], ["sideways"], ["--burst", "33"]):
        done = run(*args)
        assert done.returncode == 2 and "usage" in done.stderr, args
