# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""What the configuration tests share: the loader as a command, the files, the schema."""

import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def build_tool(folder):
    """config_check built here and now, for a run outside of meson."""
    tool = folder / "config_check"
    sources = [ROOT / "lib/base/error.c", ROOT / "lib/base/word.c"]
    for name in ("inet", "config"):
        sources += sorted((ROOT / "lib" / name).glob("*.c"))
    includes = [f"-I{ROOT}/lib/{name}" for name in ("base", "inet", "config")]
    subprocess.run(
        [os.environ.get("CC", "cc"), "-std=gnu2x", "-D_GNU_SOURCE", "-O1", "-g"]
        + ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", *includes]
        + [*map(str, sources), str(ROOT / "tests/config/config_check.c")]
        + ["-ljansson", "-lcrypto", "-o", str(tool)],
        check=True,
    )
    return str(tool)


@pytest.fixture(scope="session")
def check(tmp_path_factory):
    """check([path, ...]) -> what the loader said about each, in order."""
    tool = os.environ.get("LATH_CONFIG_CHECK") or build_tool(tmp_path_factory.mktemp("tool"))

    def run(paths):
        answers = []
        for first in range(0, len(paths), 100):
            part = [str(path) for path in paths[first : first + 100]]
            done = subprocess.run([tool, *part], capture_output=True, text=True, check=False)
            assert done.returncode in (0, 1) and not done.stderr, done.stderr
            answers += [json.loads(line) for line in done.stdout.splitlines()]
        assert len(answers) == len(paths)
        return answers

    return run


@pytest.fixture(scope="session")
def schema():
    return json.loads((ROOT / "config/lath.schema.json").read_text())
