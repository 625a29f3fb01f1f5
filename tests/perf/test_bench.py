# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""lath-bench at tiny sizes: its output is well formed and its own checks hold. Never speed.

lath-bench itself ends with an error when a packet is lost, translated wrongly or dropped, when a
worker's sums do not come out, when not as many flows expire as arrive, or when flows are decided
again that nothing was taken from.
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
    spreads = [result["cycles"], *([result["overTouch"]] if result["unit"] == "packet" else [])]
    for spread in spreads:
        assert spread["min"] <= spread["median"] <= spread["max"], result
    assert result["cycles"]["min"] > 0 and result["units"] > 0, result
    assert len(result["samples"]) == result["repeats"] == 2, result


def rows(test, *args):
    """Rows behind the baselines, by name."""
    results = lines(test, "--flows", "1k", "--period-ms", "5", *args)
    for one in results:
        check(one)
    assert [one["test"] for one in results[:3]] == BASELINES
    return {one["test"]: one for one in results[3:]}


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
            assert one["created"] == one["units"] and one["expired"] > 0, one


def test_other_bursts_and_sizes():
    for one in lines("hit", "--proto", "udp", "--flows", "1k", "--burst", "1", "--size", "1500"):
        assert (one["burst"], one["size"]) == (1, "1500")
        assert one["gbitPerSecond"] > 0
        check(one)


def test_sizes_in_turn():
    results = lines("hit", "--proto", "tcp", "--flows", "1k", "--size", "imix,9000")
    assert [one["size"] for one in results] == ["imix"] * 4 + ["9000"] * 4


@pytest.mark.parametrize("proto", ["tcp", "udp"])
def test_mix(proto):
    mix = rows("mix", "--proto", proto, "--new-percent", "20")["mix"]
    assert 10 < mix["newPercent"] < 30 and mix["expired"] > 0


def test_conn():
    conn = rows("conn", "--proto", "tcp")["conn"]
    assert conn["unit"] == "connection" and conn["created"] == conn["units"]
    assert conn["portsReusedEarly"] == 0 < conn["portsResting"]


@pytest.mark.parametrize("proto", ["tcp", "udp"])
def test_expire(proto):
    assert rows("expire", "--proto", proto)["expire"]["flowsATurn"] > 0


def test_handoff():
    assert "overHit" in rows("handoff", "--proto", "udp")["handoff"]


@pytest.mark.parametrize("proto", ["tcp", "udp"])
def test_reload_under_load(proto):
    found = rows("reload-under-load", "--proto", proto)
    assert found["publish"]["models"] > 0 and found["publish"]["decidedAgain"] == 0
    revoke = found["revoke"]
    assert 0 < revoke["decidedAgain"] <= revoke["rightsTaken"] * revoke["flowsTouched"]


def test_latency():
    for row in rows("latency", "--proto", "tcp").values():
        assert row["p50"] <= row["p99"] <= row["p999"]


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="two workers want two CPUs")
def test_workers():
    assert rows("workers", "--proto", "tcp")["two"]["overOneRatio"] > 0


def test_guard():
    assert rows("guard", "--proto", "tcp")["hit"]["referenceRatio"] > 0


@pytest.mark.parametrize("test", ["hit", "new", "mix"])
def test_larger_worlds(test):
    assert test in rows(test, "--proto", "tcp", "--workers", "3", "--vpcs", "5", "--services", "7")


def test_table_and_lines_at_once(tmp_path):
    done = run("hit", "--proto", "tcp", "--flows", "1k", "--json", tmp_path / "lines")
    assert done.returncode == 0, done.stderr[-500:]
    assert len((tmp_path / "lines").read_text().splitlines()) == 1 + len(BASELINES) + 1
    assert "hit" in done.stdout and "macswap" in done.stdout


def test_nonsense_is_refused():
    for args in (["--flows", "1x"], ["--proto", "sctp"], ["sideways"], ["--burst", "33"],
                 ["--workers", "0"], ["--new-percent", "51"]):
        done = run(*args)
        assert done.returncode == 2 and "usage" in done.stderr, args
