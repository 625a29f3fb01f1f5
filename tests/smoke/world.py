# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Namespaces with real kernels at the far ends of a lathd, and configurations for it."""
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("LATH_BUILD", ROOT / "build"))


def program(name):
    """Where the build leaves it: a file of that name, or in a folder of that name."""
    path = BUILD / "app" / name
    return path / name if path.is_dir() else path


LATHD = program("lathd")
LATHCTL = program("lathctl")
LONG = os.environ.get("LATH_TEST_LONG", "") not in ("", "0")
HERE = Path(__file__).resolve().parent
SERVICE = "198.18.0.10"
CIDR = "198.18.0.0/16"

SERIAL = itertools.count(1)


def wait_for(what, seconds, condition):
    """Returns the condition's first true value, or fails saying what was awaited."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.05)


class Namespace:
    """A network namespace with a kernel's whole stack in it."""

    def __init__(self, world, name):
        self.world = world
        self.name = name
        self.path = f"/run/netns/{name}"
        subprocess.run(["ip", "netns", "add", name], check=True)
        self.ip("link", "set", "lo", "up")
        self.write("net/ipv6/conf/default/disable_ipv6", 1)

    def command(self, args):
        return ["nsenter", f"--net={self.path}", "--", *map(str, args)]

    def run(self, *args, check=True, timeout=60, **kwargs):
        """The finished process, with text output."""
        done = subprocess.run(self.command(args), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=timeout, check=False, **kwargs)
        if check and done.returncode != 0:
            raise AssertionError(f"{self.name}: {' '.join(map(str, args))}: exit {done.returncode}\n"
                                 f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done

    def start(self, *args, **kwargs):
        """A running process that ends with the world."""
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        kwargs.setdefault("stdout", subprocess.PIPE)
        process = subprocess.Popen(self.command(args), text=True, **kwargs)
        self.world.processes.append(process)
        return process

    def ip(self, *args, check=True):
        return self.run("ip", *args, check=check)

    def write(self, name, value):
        """One sysctl of this namespace, where this kernel has it."""
        self.run("sh", "-c", f"[ ! -e /proc/sys/{name} ] || echo '{value}' >/proc/sys/{name}")

    def curl(self, url, *args, check=True, timeout=60):
        done = self.run("curl", "-sS", "--max-time", "10", *args, url, check=check, timeout=timeout)
        return done.stdout if check else done.stdout + done.stderr

    def refused(self, url):
        """True when nobody answers within a second or the answer is no."""
        return self.run("curl", "-sS", "--max-time", "1", url, check=False).returncode != 0

    def webserver(self, name, address, port=8080):
        process = self.start(sys.executable, ROOT / "scripts" / "webserver.py", name, address, port)
        assert process.stdout.readline() == "listening\n"
        return process

    def load(self, *args):
        """A traffic generator; `finish_load` ends it and tells what it saw."""
        process = self.start(sys.executable, HERE / "load.py", *args)
        assert process.stdout.readline() == "started\n"
        return process


def finish_load(process):
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    return json.loads(out)


def show_load(process):
    """What it has seen so far, without ending it."""
    process.send_signal(signal.SIGUSR1)
    return json.loads(process.stdout.readline())


class World:
    """What one test builds: namespaces, processes and a lathd."""

    def __init__(self, tmp):
        self.serial = next(SERIAL)
        self.tmp = tmp
        self.run_dir = Path(f"/run/lath-{self.serial}")
        self.run_dir.mkdir()
        self.socket = self.run_dir / "admin.sock"
        self.config_file = tmp / "lath.json"
        self.log_file = tmp / "lathd.log"
        self.processes = []
        self.namespaces = []
        self.lathd = None

    def namespace(self, name):
        made = Namespace(self, f"w{self.serial}-{name}")
        self.namespaces.append(made)
        return made

    # ---- the daemon

    def config(self, ports, workers=1, flows=16384, system=None, **parts):
        """A whole configuration: `ports` maps names to devices, `parts` are top-level members and
        `system` more members of that one.
        """
        whole = {
            "ports": [{"name": name, "device": device} for name, device in ports.items()],
            "workers": {"count": workers},
            "memory": {"flowsPerWorker": flows},
            "sockets": {"admin": str(self.socket)},
            "runtimeDirectory": str(self.run_dir),
            "stateDirectory": str(self.run_dir / "state"),
        }
        return {"formatVersion": 1, "system": {**whole, **(system or {})}, **parts}

    def write(self, config):
        self.config_file.write_text(json.dumps(config, indent=2), encoding="utf-8")

    def start(self, config):
        self.write(config)
        with open(self.log_file, "w", encoding="utf-8") as log:
            self.lathd = subprocess.Popen([LATHD, "-c", self.config_file], stdin=subprocess.DEVNULL,
                                          stdout=log, stderr=log)
        wait_for("lathd: ready", 20, self.is_ready)

    def is_ready(self):
        text = self.log()
        assert self.lathd.poll() is None, f"lathd ended with {self.lathd.returncode}:\n{text[-3000:]}"
        return "lathd: ready" in text

    def log(self):
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def ctl(self, *args, check=True):
        done = subprocess.run([LATHCTL, "-s", self.socket, *map(str, args)], timeout=30, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
        assert not check or done.returncode == 0, \
            f"lathctl {args}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout if check else done.stdout + done.stderr

    def apply(self, config):
        """To the running model only, beside the file."""
        path = self.tmp / "apply.json"
        path.write_text(json.dumps(config, indent=2), encoding="utf-8")
        self.ctl("apply", path)

    def reload(self, config=None):
        if config is not None:
            self.write(config)
        self.ctl("reload")

    def targets(self, state):
        """How many lines of `show targets` have that state as a word of its own."""
        lines = self.ctl("show", "targets").lower().splitlines()
        return sum(state in line.split() for line in lines)

    def wait_healthy(self, count, seconds=15):
        wait_for(f"{count} healthy targets", seconds, lambda: self.targets("healthy") >= count)

    def stop(self):
        """Returns what is wrong with how it ended."""
        if self.lathd is None:
            return []
        process, self.lathd = self.lathd, None
        if process.poll() is not None:
            return [f"lathd had ended with {process.returncode}:\n{self.log()[-3000:]}"]
        process.terminate()
        try:
            code = process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return [f"lathd did not stop within 10 s:\n{self.log()[-3000:]}"]
        problems = [] if code == 0 else [f"lathd stopped with {code}:\n{self.log()[-3000:]}"]
        left = [str(p) for p in self.run_dir.rglob("*") if p.is_dir() and p.name not in ("state", "dpdk")]
        left += [str(p) for p in self.run_dir.rglob("*") if p.is_socket()]
        return problems + [f"lathd left {path} behind" for path in left]

    # ---- wires

    def plug_tap(self, interface, namespace, *addresses):
        """Moves a TAP that lathd made into a namespace, as that namespace's only way out."""
        subprocess.run(["ip", "link", "set", interface, "netns", namespace.name], check=True)
        self.address(interface, namespace, *addresses)

    def veth(self, interface, namespace):
        """A cable for net_af_packet, before lathd starts: our end is `interface`."""
        subprocess.run(["ip", "link", "add", "name", interface, "type", "veth", "peer", "name", "up0",
                        "netns", namespace.name], check=True)
        subprocess.run(["ip", "link", "set", interface, "up"], check=True)
        # Frames through AF_PACKET never get the checksum that a real wire would have filled in.
        namespace.run("ethtool", "-K", "up0", "tx", "off", "tso", "off", "gso", "off", "gro", "off")

    def address(self, interface, namespace, *addresses):
        for address in addresses:
            namespace.ip("addr", "add", f"{address}/24", "dev", interface)
        namespace.ip("link", "set", interface, "up")
        if addresses:
            namespace.ip("route", "add", CIDR, "via", "10.0.0.1")

    def close(self):
        """Ends everything; returns what went wrong."""
        problems = self.stop()
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        for namespace in self.namespaces:
            subprocess.run(["ip", "netns", "del", namespace.name], check=False)
        subprocess.run(["rm", "-rf", self.run_dir], check=False)
        return problems


# ---- parts of a configuration -----------------------------------------------------------------

PROBES = {"healthCheckIntervalSeconds": 1, "healthCheckTimeoutSeconds": 1,
          "unhealthyThresholdCount": 2}


def vpc(name, port, addresses=("10.0.0.1/24",), prefixes=("10.0.0.0/24",), vlan=None, **more):
    attachment = {"name": f"{name}-a", "port": port, "addresses": list(addresses)}
    if vlan is not None:
        attachment["vlan"] = vlan
    return {"name": name, "prefixes": list(prefixes), "attachments": [attachment], **more}


def listener(protocol, port, group):
    return {"name": f"{protocol.lower()}-{port}", "protocol": protocol, "port": port,
            "defaultAction": {"forward": {"targetGroups": [{"targetGroupIdentifier": group}]}}}


def service(name, address, *listeners, **more):
    return {"name": name, "addresses": [address], "listeners": list(listeners), **more}


def group(name, where, port, targets, protocol="TCP", **more):
    config = {"port": port, "protocol": protocol, "vpcIdentifier": where}
    if protocol == "TCP":
        config["healthCheck"] = PROBES
    return {"name": name, "type": "IP", "config": config,
            "targets": [{"id": target} for target in targets], **more}


def network(vpcs, services, name="main"):
    """A service network and its associations, as three lists under their top-level names."""
    return {
        "serviceNetworks": [{"name": name}],
        "vpcAssociations": [{"serviceNetworkIdentifier": name, "vpcIdentifier": v} for v in vpcs],
        "serviceAssociations": [{"serviceNetworkIdentifier": name, "serviceIdentifier": s}
                                for s in services],
    }


def join(*parts):
    """Lists under the same name become one list."""
    joined = {}
    for part in parts:
        for key, value in part.items():
            joined[key] = joined.get(key, []) + value
    return joined


class BlueRed:
    """The usual pair: client 10.0.0.5 in blue, targets from 10.0.0.5 on in red, service web."""

    def __init__(self, world, driver="tap", workers=1, targets=2, listeners=None, groups=None,
                 servers=True, **more):
        self.world = world
        self.blue = world.namespace("blue")
        self.red = world.namespace("red")
        self.addresses = [f"10.0.0.{5 + i}" for i in range(targets)]
        names = [f"b{world.serial}", f"r{world.serial}"]
        if driver == "tap":
            devices = [f"net_tap{i},iface={name}" for i, name in enumerate(names)]
        else:
            devices = [f"net_af_packet{i},iface={name}" for i, name in enumerate(names)]
            world.veth(names[0], self.blue)
            world.veth(names[1], self.red)
        self.parts = {
            "vpcs": [vpc("blue", "blue0"), vpc("red", "red0")],
            "services": [service("web", SERVICE,
                                 *(listeners or [listener("TCP", 80, "web")]))],
            "targetGroups": groups or [group("web", "red", 8080, self.addresses)],
            **network(["blue"], ["web"]),
        }
        self.build = lambda parts: world.config(dict(zip(("blue0", "red0"), devices)), workers,
                                                **{**more, **parts})
        world.start(self.build(self.parts))
        if driver == "tap":
            world.plug_tap(names[0], self.blue, "10.0.0.5")
            world.plug_tap(names[1], self.red, *self.addresses)
        else:
            world.address("up0", self.blue, "10.0.0.5")
            world.address("up0", self.red, *self.addresses)
        self.servers = {}
        if servers:
            for address in self.addresses:
                self.servers[address] = self.red.webserver("red", address)
            world.wait_healthy(len(self.addresses))

    def set_targets(self, addresses):
        """The configuration with other targets in group web."""
        self.parts = {**self.parts, "targetGroups": [group("web", "red", 8080, addresses)]}
        return self.build(self.parts)
