# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Neighbour discovery with a real kernel at the far end (RFC 4861): each finds the other."""
import json

from world import SERVICE, group, listener, network, service, vpc, wait_for


def neighbors(world):
    rows = json.loads(world.ctl("-j", "show", "neighbors"))["neighbors"]
    return {row["address"]: row for row in rows}


def test_kernel_and_gateway_find_each_other(world):
    name = f"b{world.serial}"
    world.start(world.config(
        {"blue": f"net_tap0,iface={name}"},
        vpcs=[vpc("blue", "blue", ("10.0.0.1/24", "fd00::1/64"), ("10.0.0.0/24", "fd00::/64"))],
        services=[service("web", SERVICE, listener("TCP", 80, "web"))],
        targetGroups=[group("web", "blue", 8080, ["10.0.0.5"])],
        **network(["blue"], ["web"])))
    space = world.namespace("blue")
    world.plug_tap(name, space, "10.0.0.5")
    space.write(f"net/ipv6/conf/{name}/disable_ipv6", 0)
    space.ip("addr", "add", "fd00::5/64", "dev", name, "nodad")

    def kernel_knows(address):
        # Whatever becomes of the ping: it makes the kernel ask.
        space.run("ping", "-6", "-I", name, "-c", "1", "-W", "1", address, check=False)
        said = space.ip("-6", "neigh", "show", address, "dev", name).stdout
        return "REACHABLE" in said and "router" in said

    wait_for("the kernel to reach the gateway", 30, lambda: kernel_knows("fd00::1"))
    said = space.ip("-6", "neigh", "show", "fd00::1", "dev", name).stdout
    mac = said.split("lladdr ")[1].split()[0]
    octets = bytearray(bytes.fromhex(mac.replace(":", "")))
    octets[0] ^= 2
    own = "fe80::%x:%x:%x:%x" % (octets[0] << 8 | octets[1], octets[2] << 8 | 0xff,
                                 0xfe << 8 | octets[3], octets[4] << 8 | octets[5])
    wait_for("the kernel to reach the link-local address", 30, lambda: kernel_knows(own))
    link = json.loads(space.ip("-j", "link", "show", name).stdout)[0]["address"]
    wait_for("the gateway to know the kernel", 30,
             lambda: neighbors(world).get("fd00::5", {}).get("mac") == link)
