# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""ICMP errors between real kernels: what applications see of them, both the gateway's own and those
of routers and hosts beyond it."""
import hashlib
import sys

import pytest

from world import SERVICE, BlueRed, group, listener, network, service, vpc

SIZE = 10_000_000
LEG = 1400

# Sends twice on a connected socket: the second time the kernel tells what it has heard.
CONNECTED = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect((sys.argv[1], int(sys.argv[2])))
try:
    for _ in range(20):
        s.send(b"anybody?")
        time.sleep(0.1)
    print("silence")
except OSError as error:
    print(type(error).__name__)
"""


def heard(namespace, port):
    return namespace.run(sys.executable, "-c", CONNECTED, SERVICE, port).stdout.strip()


class Routed:
    """Blue's client and red's server, one of which (on `side`) is 10.0.1.5 behind a router, 10.0.0.2,
    that forwards no more than LEG bytes to it.
    """

    def __init__(self, world, side, workers, **of_service):
        self.router = world.namespace(side)
        self.inner = world.namespace("inner")
        other = {"blue": "red", "red": "blue"}[side]
        spaces = {side: self.router, other: world.namespace(other)}
        self.client = self.inner if side == "blue" else spaces["blue"]
        self.server = self.inner if side == "red" else spaces["red"]
        target = "10.0.1.5" if side == "red" else "10.0.0.5"
        sites = {side: {"prefixes": ("10.0.0.0/24", "10.0.1.0/24"),
                        "routes": [{"prefix": "10.0.1.0/24", "nextHop": "10.0.0.2"}]}, other: {}}
        names = {name: f"{name[0]}{world.serial}" for name in spaces}
        world.start(world.config(
            {name: f"net_tap{i},iface={names[name]}" for i, name in enumerate(names)}, workers,
            vpcs=[vpc(name, name, **sites[name]) for name in names],
            services=[service("web", SERVICE, listener("TCP", 80, "web"),
                              listener("UDP", 53, "dns"), **of_service)],
            targetGroups=[group("web", "red", 8080, [target]),
                          group("dns", "red", 5353, [target], "UDP")],
            **network(["blue"], ["web"])))
        world.plug_tap(names[side], self.router, "10.0.0.2")
        world.plug_tap(names[other], spaces[other], "10.0.0.5")
        self.wire()
        self.server.webserver("far", target)
        world.wait_healthy(2)  # the UDP target is from the start: nobody probes it

    def wire(self):
        router, inner = self.router, self.inner
        router.ip("link", "add", "in0", "type", "veth", "peer", "name", "up0", "netns", inner.name)
        router.ip("addr", "add", "10.0.1.1/24", "dev", "in0")
        router.ip("link", "set", "in0", "up")
        router.ip("route", "replace", "10.0.1.0/24", "dev", "in0", "mtu", "lock", LEG)
        router.write("net/ipv4/ip_forward", 1)
        router.write("net/ipv4/icmp_ratelimit", 0)
        inner.ip("addr", "add", "10.0.1.5/24", "dev", "up0")
        inner.ip("link", "set", "up0", "up")
        inner.ip("route", "add", "default", "via", "10.0.1.1")


@pytest.mark.parametrize("workers", [1, 2])
def test_upload_through_a_small_leg_behind_the_gateway(world, workers):
    #//= RFC4787#REQ-13 type=test
    far = Routed(world, "red", workers)
    file = world.tmp / "body"
    body = b"".join(i.to_bytes(8, "big") for i in range(SIZE // 8))
    file.write_bytes(body)
    answer = far.client.curl(f"http://{SERVICE}/", "-T", str(file), "-H", "Expect:",
                             "--max-time", "50")
    assert answer == f"{SIZE} {hashlib.sha256(body).hexdigest()}\n"
    assert f"mtu {LEG}" in far.client.ip("route", "get", SERVICE).stdout


@pytest.mark.parametrize("workers", [1, 2])
def test_download_through_a_small_leg_before_the_gateway(world, workers):
    far = Routed(world, "blue", workers)
    file = world.tmp / "body"
    headers = far.client.curl(f"http://{SERVICE}/bytes/{SIZE}", "-D", "-", "-o", str(file),
                              "--max-time", "50")
    assert f"X-SHA256: {hashlib.sha256(file.read_bytes()).hexdigest()}" in headers
    assert f"mtu {LEG}" in far.server.ip("route", "get", "10.0.0.1").stdout


def hops(namespace, *args):
    """The address of each hop, as traceroute shows them. One question at a time: while a worker does
    not know the client's MAC yet, it keeps one packet for it and drops others.
    """
    out = namespace.run("traceroute", "-n", "-q", "1", "-N", "1", "-w", "2", "-m", "6", *args,
                        SERVICE).stdout
    return [line.split()[1] for line in out.splitlines()[1:]]


@pytest.mark.parametrize("workers", [1, 2])
def test_traceroute_shows_the_gateway_and_what_is_behind(world, workers):
    """A router beyond has the gateway's address, the target the service's."""
    far = Routed(world, "red", workers, icmpEcho="forward")
    path = ["10.0.0.1", "10.0.0.1", SERVICE]
    assert hops(far.client, "-T", "-p", 80) == path
    assert hops(far.client, "-U", "-p", 53) == path  # nobody there: the target's own 3/3
    assert hops(far.client, "-I") == path


def test_traceroute_from_behind_a_router(world):
    far = Routed(world, "blue", 1)
    assert hops(far.client, "-T", "-p", 80) == ["10.0.1.1", "10.0.0.1", SERVICE]


def test_ping_that_must_not_be_fragmented_learns_the_mtu(world):
    #//= RFC4787#REQ-13 type=test
    pair = BlueRed(world, targets=1)
    parts = dict(pair.parts)
    parts["services"] = [dict(parts["services"][0], icmpEcho="forward")]
    red = next(one for one in parts["vpcs"] if one["name"] == "red")
    red["attachments"][0]["mtu"] = LEG
    world.reload(pair.build(parts))
    pair.blue.run("ping", "-M", "do", "-s", LEG - 28, "-c", "2", "-i", "0.2", SERVICE)
    done = pair.blue.run("ping", "-M", "do", "-s", LEG - 27, "-c", "1", "-W", "1", SERVICE, check=False)
    assert done.returncode != 0
    assert f"mtu = {LEG}" in done.stdout + done.stderr
    assert f"mtu {LEG}" in pair.blue.ip("route", "get", SERVICE).stdout


@pytest.mark.parametrize("workers", [1, 2])
def test_udp_without_listener_is_refused(world, workers):
    """By the gateway where the service has none, by the target where that has none."""
    pair = BlueRed(world, workers=workers, targets=1, servers=False,
                   listeners=[listener("UDP", 53, "dns")],
                   groups=[group("dns", "red", 5353, ["10.0.0.5"], "UDP")])
    assert heard(pair.blue, 54) == "ConnectionRefusedError"
    assert "no_listener" in world.ctl("show", "drops")
    assert heard(pair.blue, 53) == "ConnectionRefusedError"
