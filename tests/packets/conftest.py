# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Options of the packet tests. LATH_PACKETS is the harness, LATH_TEST_LONG=1 the long sizes."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--harness", default=os.environ.get("LATH_PACKETS", harness.DEFAULT_HARNESS),
                     help="the lath-packets program")


def pytest_configure(config):
    # Where the gateway and the oracle, which is started elsewhere, find it too.
    os.environ["LATH_PACKETS"] = config.getoption("--harness")


def pytest_report_header(config):
    size = "long" if os.environ.get("LATH_TEST_LONG") == "1" else "short"
    return f"harness: {config.getoption('--harness')}, size: {size}"


@pytest.fixture
def start():
    """start(config, workers=1) -> a loaded Gateway; all are closed at the end. `segments`: what it
    receives comes in pieces.
    """
    gateways = []

    def make(config=None, workers=1, seed=1, segments=False, **options):
        gateway = harness.Gateway(workers=workers, seed=seed, segments=segments)
        gateways.append(gateway)
        if config is not None:
            gateway.load(config, **options)
        return gateway

    yield make
    failed = sys.exc_info()[0] is not None
    for gateway in gateways:
        gateway.close(check=not failed)
