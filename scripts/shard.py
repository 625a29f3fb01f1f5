# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""A pytest plugin: LATH_SHARD=I/N runs every Nth test only, so that N processes share a suite."""
import os


def pytest_collection_modifyitems(config, items):
    mine, count = map(int, os.environ.get("LATH_SHARD", "0/1").split("/"))
    gone = [item for i, item in enumerate(items) if i % count != mine]
    items[:] = items[mine::count]
    config.hook.pytest_deselected(items=gone)
