# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""lib/policy against tests/policy/evaluator.py: random documents, random callers, no difference.

LATH_TEST_SEED repeats a run; LATH_TEST_LONG=1 compares 100,000 pairs.
"""
import collections
import json
import os
import pathlib
import random as randomness
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import evaluator  # noqa: E402  pylint: disable=wrong-import-position
import writer  # noqa: E402  pylint: disable=wrong-import-position

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = os.environ.get("LATH_POLICY_CHECK", str(ROOT / "build/tests/policy/policy_check"))
REQUESTS = 20  # a policy
PAIRS = 100000 if os.environ.get("LATH_TEST_LONG") == "1" else 6000


def run(lines):
    done = subprocess.run([TOOL], input="".join(json.dumps(line) + "\n" for line in lines),
                          capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(lines)
    return answers


@pytest.mark.skipif(not os.path.exists(TOOL), reason="policy_check is not built")
def test_random_policies_equal_the_evaluator():
    seed = int(os.environ.get("LATH_TEST_SEED", randomness.SystemRandom().randrange(1 << 32)))
    print(f"LATH_TEST_SEED={seed}, {PAIRS} pairs")
    random = randomness.Random(seed)
    lines = [{"policy": writer.policy(random),
              "requests": [writer.request(random) for _ in range(REQUESTS)]}
             for _ in range(PAIRS // REQUESTS)]
    seen = collections.Counter()
    for line, answers in zip(lines, run(lines)):
        assert isinstance(answers, list), f"seed {seed}: {answers} for {json.dumps(line['policy'])}"
        for request, answer in zip(line["requests"], answers):
            want = evaluator.evaluate(line["policy"], request)
            seen[want[0]] += 1
            assert tuple(answer) == want, (
                f"seed {seed}: {answer}, not {want}: {request} {json.dumps(line['policy'])}")
    # All three answers often enough for the comparison to mean something.
    assert min(seen[effect] for effect in ("Allow", "Deny", "none")) > PAIRS // 20, seen
