# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""scripts/results.py: which failed tests get a second try, and what it is worth."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Fails on its first run, passes on the second: what it has seen lies in a file.
SHAKY = """
import pathlib
def test_shaky():
    seen = pathlib.Path(__file__).with_suffix(".seen")
    first = not seen.exists()
    seen.write_text("")
    assert not first, "only at first"
def test_broken():
    assert False, "always"
def test_sound():
    pass
def test_left_out():
    import pytest
    pytest.skip("no")
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shaky").mkdir()
    (tmp_path / "shaky/test_some.py").write_text(SHAKY)
    return tmp_path


def second(folder, *rows):
    """The rows after the second try, and how many times pytest ran."""
    (folder / "results").write_text("".join("\t".join(row) + "\n" for row in rows))
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts/results.py"), "second", "results"]
        + [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=."],
        cwd=folder, env=env, check=True, capture_output=True, text=True)
    after = [tuple(line.split("\t")) for line in (folder / "results").read_text().splitlines()]
    return after, done.stdout.count("generated xml")


def case(name):
    return f"shaky.test_some::{name}"


def test_passes_only_then(folder):
    (folder / "shaky/test_some.seen").write_text("")
    rows, runs = second(folder, ("pass", case("test_sound"), ""),
                        ("fail", case("test_shaky"), "only at first"),
                        ("fail", case("test_shaky"), "and left something behind"))
    assert rows == [("pass", case("test_sound"), ""),
                    ("second", case("test_shaky"), "only at first")]
    assert runs == 1


def test_fails_again(folder):
    before = [("pass", case("test_sound"), ""), ("fail", case("test_shaky"), "x"),
              ("fail", case("test_broken"), "always")]
    rows, runs = second(folder, *before)
    assert (rows, runs) == (before, 2)


@pytest.mark.parametrize("before", [
    [("pass", case("test_sound"), "")],
    [("fail", case(name), "x") for name in ("test_shaky", "test_broken", "test_sound")],
    [("fail", case("test_sound"), "x"), ("fail", "pytest", "the process died")],
], ids=["nothing failed", "too many", "a process that died"])
def test_nothing_is_tried(folder, before):
    assert second(folder, *before) == (before, 0)


def test_a_skip_or_another_name_is_no_pass(folder):
    before = [("fail", case("test_left_out"), "x"), ("fail", case("test_gone"), "x")]
    rows, _ = second(folder, *before)
    assert rows == before
