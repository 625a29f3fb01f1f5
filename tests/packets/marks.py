# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""What a case_* function may say about itself (see test_cases.py)."""


def _mark(**fields):
    def put(function):
        for key, value in fields.items():
            setattr(function, key, value)
        return function
    return put


def workers(*counts):
    return _mark(workers=counts)


def config(conf):
    return _mark(config=conf)


def rig(**wishes):
    """What the harness's ports are like: README.md."""
    return _mark(rig=wishes)


def linear(why):
    """Not to be repeated in segments."""
    return _mark(linear=why)


raw = _mark(raw=True)
long_only = _mark(long_only=True)
