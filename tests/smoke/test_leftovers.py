# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""What is there afterwards: nothing. The daemon, and scripts/demo as its readers run it."""
import json
import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from world import BUILD, LATHCTL, LATHD, ROOT, BlueRed, wait_for

DEMO = ROOT / "scripts" / "demo"
SCRATCH = Path("/run/scratch")  # TMPDIR of every demo here


def interfaces():
    return {line.split(": ")[1].split("@")[0] for line in subprocess.run(
        ["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout.splitlines()}


def processes():
    """Process ids and command lines of what a demo of ours started: known by its environment."""
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if MARK.encode() in (path / "environ").read_bytes().split(b"\0"):
                text = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.add((int(path.name), text.strip()))
        except OSError:
            pass  # gone meanwhile
    return found
MARK = f"LATH_SMOKE_DEMO={os.getpid()}"
ENVIRONMENT = {**os.environ, "LATH_BUILD": str(BUILD), "TMPDIR": str(SCRATCH),
               **dict([MARK.split("=")])}


@pytest.fixture(autouse=True)
def scratch():
    SCRATCH.mkdir(exist_ok=True)
    SCRATCH.chmod(0o777)


def state():
    return {
        "interfaces": interfaces(),
        "namespaces": subprocess.run(["ip", "netns"], capture_output=True, text=True,
                                     check=True).stdout,
        "run": sorted(os.listdir("/run")),
        "tmp": os.listdir(SCRATCH),
        "mounts": Path("/proc/self/mounts").read_text(encoding="ascii").count("\n"),
        "processes": processes(),
    }


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_stopped_daemon_leaves_nothing_behind(world, sign):
    before = interfaces()
    BlueRed(world, targets=1)
    process = world.lathd
    process.send_signal(sign)
    assert process.wait(10) == 0, world.log()[-2000:]
    world.lathd = None
    assert interfaces() == before
    assert {p.name for p in world.run_dir.iterdir()} <= {"state"}


def test_daemon_starts_again_after_being_killed(world):
    pair = BlueRed(world, targets=1, servers=False)
    world.lathd.kill()
    world.lathd.wait()
    for folder in (world.run_dir / "dpdk").iterdir():  # DPDK's, named after the dead process
        shutil.rmtree(folder)
    world.start(pair.build(pair.parts))
    assert world.ctl("version").strip()


def test_check_and_version_need_no_daemon(world):
    pair_config = world.config({"blue0": "net_tap0,iface=b"})
    world.write(pair_config)
    assert subprocess.run([LATHD, "--check", world.config_file], check=False).returncode == 0
    assert subprocess.run([LATHCTL, "check", world.config_file], check=False).returncode == 0
    world.write({**pair_config, "nonsense": 1})
    done = subprocess.run([LATHD, "--check", world.config_file], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 1 and "nonsense" in done.stdout + done.stderr
    for tool in (LATHD, LATHCTL):
        assert subprocess.run([tool, "--version"], capture_output=True, check=False).returncode == 0


def test_status_says_by_exit_code_how_things_are(world):
    pair = BlueRed(world)
    command = [LATHCTL, "-s", world.socket, "status"]
    assert subprocess.run(command, check=False).returncode == 0
    pair.servers["10.0.0.6"].kill()
    wait_for("a warning", 10, lambda: subprocess.run(command, check=False).returncode == 1)
    pair.servers["10.0.0.5"].kill()
    wait_for("an alarm", 10, lambda: subprocess.run(command, check=False).returncode == 2)


# ---- the demo -----------------------------------------------------------------------------------

def demo(*args, user=None, **kwargs):
    command = [DEMO, "--no-build", *args]
    if user is not None:
        command = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups",
                   "--no-new-privs", *command]
    return subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=ENVIRONMENT, **kwargs)


def check_demo(process):
    out, error = process.communicate(timeout=90)
    assert process.returncode == 0, out + error
    seen = json.loads(out)
    assert seen["result"] == "passed" and seen["answeredAfterDeath"] == 12
    assert seen["seconds"] < 45  # 5 s when the machine has nothing else to do


def test_demo_passes_and_leaves_nothing_behind():
    before = state()
    check_demo(demo("--once", "--json"))
    assert state() == before


def test_demo_needs_no_root():
    user = pwd.getpwnam("nobody")
    may = subprocess.run(["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}",
                          "--clear-groups", "sh", "-c",
                          f"test -x {LATHD} && test -w /dev/net/tun && unshare -Urnm true"],
                         capture_output=True, text=True, check=False)
    if may.returncode != 0:
        pytest.skip("an ordinary user may not here (reach the build, /dev/net/tun or make a user"
                    f" namespace): {may.stderr.strip()}")
    before = state()
    check_demo(demo("--once", "--json", user=user))
    assert state() == before


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("moment", ["[4/6]", "[6/6]"])
def test_interrupted_demo_leaves_nothing_behind(sign, moment):
    before = state()
    process = demo("--once", start_new_session=True)
    while moment not in process.stdout.readline():
        assert process.poll() is None
    time.sleep(0.3)
    if sign == signal.SIGINT:
        os.killpg(process.pid, sign)  # as a terminal does on ctrl-C
    else:
        process.send_signal(sign)
    process.communicate(timeout=90)
    assert process.returncode != 0
    wait_for("everything to be gone", 20, lambda: state() == before)


@pytest.mark.parametrize("victim", ["lathd", "webserver.py red 10.0.0.5"])
def test_demo_fails_cleanly_when_a_child_is_killed(victim):
    before = state()
    process = demo("--once")
    while "[5/6]" not in process.stdout.readline():
        assert process.poll() is None
    for pid, text in processes() - before["processes"]:
        if victim in text and "scripts/demo" not in text:
            os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=90)
    assert process.returncode == 1
    wait_for("everything to be gone", 20, lambda: state() == before)


def test_demo_keeps_a_prompt_in_the_clients_namespace():
    process = subprocess.Popen([str(DEMO), "--no-build", "--keep"], stdin=subprocess.PIPE, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               env=ENVIRONMENT)
    out, _ = process.communicate("ip -o -4 addr show dev blue0\nlathctl show services\n", timeout=60)
    assert process.returncode == 0, out
    assert "inet 10.0.0.5/24" in out


MESSAGES = {
    "no device": ("mount -n -t tmpfs none /dev/net", "", "modprobe tun"),
    "device that does not open": ("mount -n -t tmpfs none /dev/net && mkdir /dev/net/tun", "",
                         "modprobe tun"),
    "no namespaces": ("mkdir -p /run/fake && printf '#!/bin/sh\\nexit 1\\n' >/run/fake/unshare"
                      " && chmod 755 /run/fake/unshare && export PATH=/run/fake:$PATH", "",
                      "CAP_SYS_ADMIN"),
    "a word too many": ("true", "--nonsense", "usage:"),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_demo_says_how_to_mend_it(name):
    before, option, mend = MESSAGES[name]
    script = f"{before} && exec {DEMO} --no-build {option}"
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], env=ENVIRONMENT, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    assert done.returncode != 0
    assert mend in done.stderr, done.stdout + done.stderr
