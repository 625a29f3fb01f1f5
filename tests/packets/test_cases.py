# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Runs cases/*/case.py: a directory for each thing the gateway does.

A case.py has CONFIG (lath.json content, mostly topology.base() with changes) and functions
case_*(t), each with a freshly loaded Gateway. WORKERS = (1, 2, 3) there runs all of them with each
number of workers (the quick size two of the three, by the day), `@workers(...)` one of them;
RIG = {...} or `@rig(...)` says what the ports are like. A function that loads by itself is marked
`@raw`: its gateway has started but has no configuration.

Some of them, other ones each day, run again with every frame in several segments (all of them with
LATH_SEGMENTS=1 or LATH_TEST_LONG=1): nothing may come out otherwise. `@linear(why)` is left out there.
"""

import ast
import importlib.util
import os
import re
import time
import time

import pytest

import harness
import topology

CASES = os.path.join(harness.HERE, "cases")
DROPS = os.path.join(harness.ROOT, "lib", "verdict", "lath_drops.def")

# Reasons that no frame on a port can bring about here, each with why and where it is tested.
NOT_HERE = {
    "flow_bucket_full": "needs crafted collisions of a secret hash; tests/unit of lib/flow",
    "fragment_malformed": "the pipeline drops every fragment yet; tests/unit of lib/frag",
    "fragment_tiny": "the pipeline drops every fragment yet; tests/unit of lib/frag",
    "fragment_overlap": "the pipeline drops every fragment yet; tests/unit of lib/frag",
    "fragment_limit": "the pipeline drops every fragment yet; tests/unit of lib/frag",
    "fragment_timeout": "the pipeline drops every fragment yet; tests/unit of lib/frag",
    "policy_rule": "every listener has a default action that forwards until auth policies come",
    "snat_pool_memory": "counted when the bitmap slab is full; tests/unit of lib/snat",
}


def load_case(name):
    path = os.path.join(CASES, name, "case.py")
    spec = importlib.util.spec_from_file_location(f"case_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def counts_today(counts):
    """Of one, two and three workers the quick size leaves out one or two of them, by the day."""
    if os.environ.get("LATH_TEST_LONG") == "1" or tuple(counts) != (1, 2, 3):
        return counts
    return (1 + time.localtime().tm_yday % 2, 3)


def all_cases():
    for name in sorted(os.listdir(CASES)):
        if not os.path.exists(os.path.join(CASES, name, "case.py")):
            continue
        module = load_case(name)
        for key, function in vars(module).items():
            if not key.startswith("case_"):
                continue
            counts = counts_today(
                getattr(function, "workers", getattr(module, "WORKERS", (1,))))
            for count in counts:
                short = f"{name}-{key[5:]}" + (f"-{count}workers" if len(counts) > 1 else "")
                yield pytest.param(module, function, count, id=short)


SEGMENTED_PART = 6  # of the cases, one of so many a day


def cases_in_segments():
    cases = [case for case in all_cases()
             if not any(getattr(place, "linear", None) for place in case.values[:2])]
    if "1" in (os.environ.get("LATH_SEGMENTS"), os.environ.get("LATH_TEST_LONG")):
        return cases
    return cases[time.localtime().tm_yday % SEGMENTED_PART::SEGMENTED_PART]


@pytest.mark.parametrize("module,function,workers", cases_in_segments())
def test_case_in_segments(start, module, function, workers):
    run_case(start, module, function, workers, segments=True)


@pytest.mark.parametrize("module,function,workers", all_cases())
def test_case(start, module, function, workers):
    run_case(start, module, function, workers)


def run_case(start, module, function, workers, **options):
    if getattr(function, "long_only", False) and os.environ.get("LATH_TEST_LONG") != "1":
        pytest.skip("only with LATH_TEST_LONG=1")
    config = None if getattr(function, "raw", False) else getattr(
        function, "config", getattr(module, "CONFIG", None))
    rig = getattr(function, "rig", getattr(module, "RIG", None))
    gateway = start(config, workers=workers, rig=rig, **options)
    function(gateway)
    gateway.read_counters()


def named_drops():
    """Reasons that cases expect: drop="name" and the keys of drops={...} in their source."""
    names = set()
    for case in os.listdir(CASES):
        path = os.path.join(CASES, case, "case.py")
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as source:
            tree = ast.parse(source.read())
        for node in ast.walk(tree):
            if not isinstance(node, ast.keyword) or node.arg not in ("drop", "drops"):
                continue
            for part in ast.walk(node.value):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    names.add(part.value)
    return names


def test_every_drop_reason_has_a_case():
    with open(DROPS, encoding="utf-8") as source:
        reasons = set(re.findall(r"^LATH_DROP\((\w+),", source.read(), re.M))
    named = named_drops()
    assert named <= reasons, f"no such reasons: {sorted(named - reasons)}"
    assert set(NOT_HERE) <= reasons, f"no such reasons: {sorted(set(NOT_HERE) - reasons)}"
    missing = reasons - named - set(NOT_HERE)
    assert not missing, f"drop reasons without a case: {sorted(missing)}"
    stale = named & set(NOT_HERE)
    assert not stale, f"reasons with a case that are listed as without: {sorted(stale)}"


def test_fences_end_who_writes_into_a_workers_memory():
    with pytest.raises(harness.CaseFailure, match="ended with status (-11|1)\\b"):
        with harness.Gateway(workers=2) as gateway:
            gateway.load(topology.base(), settle_ms=0, rig={"fences": True})
            assert gateway.call({"op": "trespass"}) == {"ok": True}
            gateway.fences(True)
            try:
                gateway.call({"op": "trespass"})
            except harness.CaseFailure:
                pass  # no reply; how the process ended is seen at the end
