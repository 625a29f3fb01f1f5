# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Puts the whole pytest process into network and mount namespaces of its own before the first test.

As root plainly, else in a user namespace too, so that nothing a test does can reach the machine
and whatever a test forgets ends with the process. LATH_TEST_LONG=1 runs the figures of the issue,
else the same tests at a smaller size.
"""
import ctypes
import os
import shutil
import subprocess

import pytest

import world as world_module

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000

LIBC = ctypes.CDLL(None, use_errno=True)


def unshare(flags):
    if LIBC.unshare(flags) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def become_root():
    uid, gid = os.geteuid(), os.getegid()
    unshare(CLONE_NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def isolate():
    """Returns why not, or None."""
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "no usable /dev/net/tun: modprobe tun"
    try:
        if os.geteuid() != 0:
            become_root()
        unshare(CLONE_NEWNET | CLONE_NEWNS)
    except OSError as error:
        return f"no namespaces of our own: {error}: run as root"
    subprocess.run(["mount", "-n", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "-n", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/run"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    os.environ.pop("RUNTIME_DIRECTORY", None)
    return None


def pytest_configure(config):
    config.addinivalue_line("markers", "long: only with LATH_TEST_LONG=1")
    config.world_refused = None if config.option.collectonly else isolate()


def pytest_report_header(config):
    size = "long" if world_module.LONG else "quick"
    return f"smoke: size {size}, lathd {world_module.LATHD}, isolated: {config.world_refused or 'yes'}"


def pytest_collection_modifyitems(config, items):
    """A test of the other size is left out, not skipped: a skip is bad news."""
    gone = [item for item in items if item.get_closest_marker("long") and not world_module.LONG]
    items[:] = [item for item in items if item not in gone]
    config.hook.pytest_deselected(items=gone)
    if config.world_refused is not None:
        for item in items:
            item.add_marker(pytest.mark.skip(reason=config.world_refused))


@pytest.fixture
def world(tmp_path):
    """A fresh world: namespaces, one lathd at most, and nothing left at the end."""
    here = world_module.World(tmp_path)
    yield here
    problems = here.close()
    shutil.rmtree(tmp_path, ignore_errors=True)
    assert problems == []
