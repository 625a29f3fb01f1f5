# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""VPCs behind tunnels whose far ends are real: the kernel's VXLAN interfaces, sockets for GENEVE."""
import hashlib
import sys

import pytest

from world import CIDR, HERE, SERVICE, group, listener, network, service, wait_for

GATEWAY, HYPERVISOR = "192.0.2.1", "192.0.2.9"
MEGABYTE = 1_000_000
CLIENTS = {"blue": 7, "green": 8}  # by VNI
RED = 9


def tunnel(kind, vni, **more):
    return {kind: {"underlay": "fabric", "vni": vni, "remotes": [{"address": HYPERVISOR}], **more}}


def by_tunnel(name, where, address="10.0.0.1/24"):
    return {"name": name, "prefixes": ["10.0.0.0/24"],
            "attachments": [{"name": f"{name}-a", "addresses": [address], **where}]}


class Hypervisor:
    """One machine at the other end of one cable, with three VPCs' machines, all 10.0.0.5, on it."""

    def __init__(self, world, red, workers):
        self.world = world
        self.machine = world.namespace("hyper")
        self.spaces = {name: world.namespace(name) for name in (*CLIENTS, "red")}
        tap = f"f{world.serial}"
        world.start(world.config(
            {"fabric0": f"net_tap0,iface={tap}"}, workers,
            underlays=[{"name": "fabric", "port": "fabric0", "addresses": [GATEWAY + "/24"]}],
            vpcs=[by_tunnel(name, tunnel("vxlan", vni)) for name, vni in CLIENTS.items()] +
                 [by_tunnel("red", red)],
            services=[service("web", SERVICE, listener("TCP", 80, "web"))],
            targetGroups=[group("web", "red", 8080, ["10.0.0.5"])],
            **network(list(CLIENTS), ["web"])))
        world.plug_tap(tap, self.machine)
        self.machine.ip("addr", "add", HYPERVISOR + "/24", "dev", tap)
        for name, vni in CLIENTS.items():
            self.vxlan(name, vni)

    def vxlan(self, name, vni):
        made = self.machine.ip("link", "add", "vx0", "type", "vxlan", "id", vni, "remote", GATEWAY,
                               "dstport", 4789, "nolearning", check=False)
        if made.returncode != 0:
            pytest.skip(f"no VXLAN in this kernel: {made.stderr.strip()}")
        self.machine.ip("link", "set", "vx0", "netns", self.spaces[name].name)
        self.plug("vx0", name)

    def geneve(self, name, vni, inside):
        wire = self.machine.start(sys.executable, HERE / "geneve_wire.py", self.spaces[name].path,
                                  "gn0", vni, HYPERVISOR, GATEWAY, inside)
        assert wire.stdout.readline() == "started\n"
        self.spaces[name].ip("link", "set", "gn0", "mtu", 1450 if inside == "ethernet" else 1464)
        self.plug("gn0", name)

    def plug(self, interface, name):
        space = self.spaces[name]
        space.ip("addr", "add", "10.0.0.5/24", "dev", interface)
        space.ip("link", "set", interface, "up")
        space.ip("route", "add", CIDR, "via", "10.0.0.1")

    def serve(self):
        self.spaces["red"].webserver("red", "10.0.0.5")
        self.world.wait_healthy(1)


def kinds():
    return {"vxlan": tunnel("vxlan", RED), "geneve": tunnel("geneve", RED),
            "geneve-ip": tunnel("geneve", RED, inner="ip")}


@pytest.mark.parametrize("kind,workers", [
    ("vxlan", 2), ("geneve-ip", 1), pytest.param("vxlan", 1, marks=pytest.mark.long),
    pytest.param("geneve", 2, marks=pytest.mark.long)])
def test_a_megabyte_each_way_between_tunnels_is_whole(world, kind, workers):
    hyper = Hypervisor(world, kinds()[kind], workers)
    if kind == "vxlan":
        hyper.vxlan("red", RED)
    else:
        hyper.geneve("red", RED, "ethernet" if kind == "geneve" else "ip")
    hyper.serve()
    block = world.tmp / "up"
    block.write_bytes(bytes(range(256)) * 3906 + bytes(64))
    sent = hashlib.sha256(block.read_bytes()).hexdigest()
    for name in CLIENTS:
        space = hyper.spaces[name]
        space.run("ping", "-c", "2", "-i", "0.2", "-W", "5", "10.0.0.1")
        assert space.curl(f"http://{SERVICE}/") == "hello from red/10.0.0.5\n"
        down = world.tmp / f"down-{name}"
        headers = space.curl(f"http://{SERVICE}/bytes/{MEGABYTE}", "-D", "-", "-o", str(down),
                             "--max-time", "60", timeout=70)
        assert down.stat().st_size == MEGABYTE
        assert f"X-SHA256: {hashlib.sha256(down.read_bytes()).hexdigest()}" in headers
        answer = space.curl(f"http://{SERVICE}/", "-T", str(block), "-H", "Expect:",
                            "--max-time", "60", timeout=70)
        assert sent in answer
    # The hypervisor itself is in no VPC: pings of the underlay are all it gets.
    hyper.machine.run("ping", "-c", "1", "-W", "5", GATEWAY)
    hyper.machine.ip("route", "add", CIDR, "via", GATEWAY)
    assert hyper.machine.refused(f"http://{SERVICE}/")
    wait_for("drops of what is no tunnel's", 10,
             lambda: "underlay_other" in world.ctl("show", "drops"))
