# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""What the tests of pktgen-profiles share: a profile run against the stand-in."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROFILES = ROOT / "pktgen-profiles"
STANDIN = pathlib.Path(__file__).parent / "standin.lua"
NAMES = sorted(p.stem for p in PROFILES.glob("*.lua") if p.stem != "common")
FROM_CAPTURE = ("replay", "vxlan")


class Done:
    """What came of a run: its words, and what the stand-in saw when it went well."""

    def __init__(self, process, seen):
        self.code, self.text = process.returncode, process.stdout + process.stderr
        if self.code == 0:
            for key, value in json.loads(seen.read_text()).items():
                setattr(self, key, value)

    @property
    def measured(self):
        """The last run: before it come those that only make flows."""
        return self.runs[-1]


@pytest.fixture
def lua(tmp_path):
    """lua(script, NAME=value...): the script in simulated time; capitals go to the environment."""
    assert shutil.which("lua5.4"), "Debian's lua5.4 is not installed"

    def run(script, **environment):
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("LATH_", "STANDIN_"))}
        seen = tmp_path / "seen.json"
        seen.unlink(missing_ok=True)
        wanted = {k: str(v) for k, v in environment.items()}
        process = subprocess.run(
            ["lua5.4", str(STANDIN), str(script)],
            env={**clean, "STANDIN_RESULT": str(seen), **wanted},
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        return Done(process, seen)

    return run


@pytest.fixture(scope="session")
def capture(tmp_path_factory):
    """capture(option...): the file that scripts/pktgen-pcap writes, once for the same options."""
    folder, made = tmp_path_factory.mktemp("captures"), {}

    def write(*options):
        if options not in made:
            path = folder / f"{len(made)}.pcap"
            subprocess.run([str(ROOT / "scripts/pktgen-pcap"), *options, "--output", str(path)],
                           check=True, capture_output=True, text=True)
            made[options] = path
        return made[options]

    return write


@pytest.fixture
def profile(lua, capture):
    """profile(name, NAME=value...): the profile run to its end, with the capture that it wants."""

    def run(name, **environment):
        if name in FROM_CAPTURE:
            options = ("--flows", "64") + (("--vxlan",) if name == "vxlan" else ())
            environment.setdefault("STANDIN_PCAP", capture(*options))
        return lua(PROFILES / f"{name}.lua", **environment)

    return run
