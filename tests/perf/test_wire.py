# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""scripts/bench-wire at tiny sizes: frames go all the way and nothing is left. Never speed."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("LATH_BUILD", ROOT / "build"))
BENCH = BUILD / "app" / "lath-bench" / "lath-bench"
CPUS = sorted(os.sched_getaffinity(0))
CORES = f"{CPUS[0]},{CPUS[-1]}"

sys.path.insert(0, str(ROOT / "scripts"))
import wire  # noqa: E402 pylint: disable=wrong-import-position


@pytest.fixture
def scratch():
    """pytest's own folders have names that are too long for sockets."""
    with tempfile.TemporaryDirectory(prefix="lath-") as name:
        yield pathlib.Path(name)


def start(scratch, *args):
    return subprocess.Popen([ROOT / "scripts" / "bench-wire", "--no-install", "--quick", "--cores", CORES,
                             *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            env={**os.environ, "TMPDIR": str(scratch)})


@pytest.mark.parametrize("memory", [[], ["--no-huge"]])
def test_both_devices_pass_frames_and_nothing_is_left(scratch, memory):
    run = start(scratch, "--json", scratch / "figures", *memory)
    out, _ = run.communicate(timeout=200)
    assert run.returncode == 0, out
    figures = json.loads((scratch / "figures").read_text())
    assert [one["device"] for one in figures["rounds"][0]] == ["macswap", "lathd"]
    assert all(one["arrivedPps"] > 0 and one["cycles"] > 0 for one in figures["rounds"][0]), figures
    assert figures["half"][-1]["received"] > 0 and figures["failures"] == [], figures
    assert [path.name for path in scratch.iterdir()] == ["figures"]


def children(folder):
    """Processes that have the rig's folder in their environment."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if f"RUNTIME_DIRECTORY={folder}/".encode() in (path / "environ").read_bytes():
                found.append((path / "comm").read_text().strip())
        except OSError:
            pass
    return found


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_nothing(scratch, sign):
    run = start(scratch)
    end = time.monotonic() + 60
    while not children(scratch):
        assert time.monotonic() < end and run.poll() is None
        time.sleep(0.05)
    run.send_signal(sign)
    run.communicate(timeout=60)
    assert run.returncode != 0
    assert children(scratch) == [] and list(scratch.iterdir()) == []


def test_search_ends_at_a_rate(scratch, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    monkeypatch.setattr(sys, "argv", ["bench-wire", "--quick", "--cores", CORES])
    rig = wire.Rig(wire.arguments())
    try:
        lines, _ = rig.paced_through_lathd("--search", "--seconds", "0.1", "--resolution", "300")
    finally:
        rig.close()
    assert [line["kind"] for line in lines[:2]] == ["warm", "fastest"]
    trials = [line for line in lines if line["kind"] == "trial"]
    assert lines[-1]["kind"] == "result" and trials
    passed = [line["ratePps"] for line in trials if line["passed"]]
    assert lines[-1]["zeroLossPps"] == max(passed, default=0)


def test_configuration_is_one(scratch):
    done = subprocess.run([ROOT / "scripts" / "bench-wire", "--config", "0000:01:00.0", "0000:01:00.1"],
                          capture_output=True, text=True, check=True, timeout=60)
    (scratch / "lath.json").write_text(done.stdout)
    subprocess.run([BUILD / "app" / "lathd" / "lathd" if (BUILD / "app" / "lathd").is_dir()
                    else BUILD / "app" / "lathd", "--check", scratch / "lath.json"], check=True, timeout=60)


def test_nonsense_is_refused():
    for args in ([], ["--tx", "net_null0", "--rx", "net_null1", "--frames", "x"], ["--rate", "fast"],
                 ["--sideways"]):
        done = subprocess.run([BENCH, "wire", *args], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 2 and "usage" in done.stderr, args
