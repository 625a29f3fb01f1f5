# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Who may reach whom: equal addresses, VLANs, routers, default deny, the host port."""
import re
import subprocess
import sys

import pytest

from world import (CIDR, HERE, SERVICE, BlueRed, group, join, listener, network, service, vpc,
                   wait_for)

NAMES = ["amber", "blue", "coral"]


def three_vpcs(world, workers, services, groups, associations):
    """Each VPC is one namespace whose only machine, 10.0.0.5, is client and server."""
    ports = {name: f"net_tap{i},iface={name[0]}{world.serial}" for i, name in enumerate(NAMES)}
    world.start(world.config(ports, workers, vpcs=[vpc(name, name) for name in NAMES],
                             services=services, targetGroups=groups, **associations))
    spaces = {}
    for name in NAMES:
        spaces[name] = world.namespace(name)
        world.plug_tap(f"{name[0]}{world.serial}", spaces[name], "10.0.0.5")
        spaces[name].webserver(name, "10.0.0.5")
    world.wait_healthy(3)
    return spaces


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_three_vpcs_with_equal_addresses_reach_each_other_and_themselves(world, workers):
    address = {name: f"198.18.0.{10 + i}" for i, name in enumerate(NAMES)}
    spaces = three_vpcs(
        world, workers,
        [service(f"of-{name}", address[name], listener("TCP", 80, name)) for name in NAMES],
        [group(name, name, 8080, ["10.0.0.5"]) for name in NAMES],
        network(NAMES, [f"of-{name}" for name in NAMES]))
    for client in NAMES:
        for server in NAMES:
            answer = spaces[client].curl(f"http://{address[server]}/")
            assert answer == f"hello from {server}/10.0.0.5\n", f"{client} asked {server}"


def test_three_vpcs_each_see_their_own_service_of_one_address(world):
    after = dict(zip(NAMES, NAMES[1:] + NAMES[:1]))  # amber asks blue, blue coral, coral amber
    spaces = three_vpcs(
        world, 2,
        [service(f"for-{name}", SERVICE, listener("TCP", 80, name)) for name in NAMES],
        [group(name, after[name], 8080, ["10.0.0.5"]) for name in NAMES],
        join(*(network([name], [f"for-{name}"], f"net-{name}") for name in NAMES)))
    for _ in range(3):
        for client in NAMES:
            answer = spaces[client].curl(f"http://{SERVICE}/")
            assert answer == f"hello from {after[client]}/10.0.0.5\n"


def test_vlans_of_one_port_are_vpcs_apart_and_untagged_frames_are_neither(world):
    trunk = world.namespace("trunk")
    spaces = {name: world.namespace(name) for name in ("blue", "red")}
    vlans = {"blue": 100, "red": 200}
    name = f"t{world.serial}"
    world.start(world.config(
        {"trunk": f"net_tap0,iface={name}"},
        vpcs=[vpc(v, "trunk", vlan=vlans[v]) for v in vlans],
        services=[service("web", SERVICE, listener("TCP", 80, "web"))],
        targetGroups=[group("web", "red", 8080, ["10.0.0.5"])],
        **network(["blue"], ["web"])))
    world.plug_tap(name, trunk)
    for v, tag in vlans.items():
        wire = trunk.start(sys.executable, HERE / "vlan_wire.py", name, tag, spaces[v].path, "tag0")
        assert wire.stdout.readline() == "started\n"
        world.address("tag0", spaces[v], "10.0.0.5")
    spaces["red"].webserver("red", "10.0.0.5")
    world.wait_healthy(1)
    assert spaces["blue"].curl(f"http://{SERVICE}/") == "hello from red/10.0.0.5\n"
    spaces["blue"].run("ping", "-c", "2", "-i", "0.2", "-W", "1", "10.0.0.1")
    assert spaces["red"].refused(f"http://{SERVICE}/")
    # The trunk itself, untagged: nobody's VPC.
    trunk.ip("addr", "add", "10.0.0.7/24", "dev", name)
    trunk.ip("route", "add", CIDR, "via", "10.0.0.1")
    assert trunk.refused(f"http://{SERVICE}/")
    assert trunk.run("ping", "-c", "2", "-i", "0.2", "-W", "1", "10.0.0.1", check=False).returncode != 0


def cable(one, here, other, there):
    """A veth between two namespaces."""
    subprocess.run(["ip", "link", "add", "name", here, "netns", one.name, "type", "veth",
                    "peer", "name", there, "netns", other.name], check=True)
    one.ip("link", "set", here, "up")
    other.ip("link", "set", there, "up")


def bridge(namespace, *interfaces):
    namespace.ip("link", "add", "name", "br0", "type", "bridge")
    for interface in interfaces:
        namespace.ip("link", "set", interface, "master", "br0")
        namespace.ip("link", "set", interface, "up")
    namespace.ip("link", "set", "br0", "up")


def make_router(world, name, outside):
    router = world.namespace(name)
    router.write("net/ipv4/ip_forward", 1)
    for scope in ("all", "default"):
        router.write(f"net/ipv4/conf/{scope}/rp_filter", 0)
        router.write(f"net/ipv4/conf/{scope}/send_redirects", 0)
    router.outside = outside
    return router


def packets(namespace, interface, way):
    text = namespace.run("cat", f"/sys/class/net/{interface}/statistics/{way}_packets", check=False)
    if text.returncode == 0 and text.stdout.strip().isdigit():
        return int(text.stdout)
    line = re.search(rf"^\s*{interface}:(.*)$", namespace.run("cat", "/proc/net/dev").stdout, re.M)
    return int(line.group(1).split()[1 if way == "rx" else 9])


def two_routers(world):
    """Blue's gateway segment 10.0.0.0/24 with routers .2 and .3; behind both lies 10.1.0.0/24,
    behind the second 10.2.0.0/24. The gateway's route to 10.1.0.0/24 is by the second router,
    while the machines there send by the first.
    """
    name = f"b{world.serial}", f"r{world.serial}"
    blue = vpc("blue", "blue0", prefixes=["10.0.0.0/24", "10.1.0.0/24", "10.2.0.0/24"],
               routes=[{"prefix": "10.1.0.0/24", "nextHop": "10.0.0.3"},
                       {"prefix": "10.2.0.0/24", "nextHop": "10.0.0.3"}])
    world.start(world.config(
        {"blue0": f"net_tap0,iface={name[0]}", "red0": f"net_tap1,iface={name[1]}"},
        vpcs=[blue, vpc("red", "red0")],
        services=[service("web", SERVICE, listener("TCP", 80, "web"))],
        targetGroups=[group("web", "red", 8080, ["10.0.0.5"])],
        **network(["blue"], ["web"])))
    red, segment, lan = (world.namespace(n) for n in ("red", "segment", "lan"))
    world.plug_tap(name[1], red, "10.0.0.5")
    world.plug_tap(name[0], segment)
    routers = [make_router(world, "one", "10.0.0.2"), make_router(world, "two", "10.0.0.3")]
    hosts = [world.namespace("near"), world.namespace("far")]
    for i, router in enumerate(routers):
        cable(segment, f"seg{i}", router, "out0")
        cable(lan, f"lan{i}", router, "in0")
        router.ip("addr", "add", f"{router.outside}/24", "dev", "out0")
        router.ip("addr", "add", f"10.1.0.{2 + i}/24", "dev", "in0")
        router.ip("route", "add", CIDR, "via", "10.0.0.1")
    bridge(segment, name[0], "seg0", "seg1")
    cable(lan, "lan2", hosts[0], "eth0")
    bridge(lan, "lan0", "lan1", "lan2")
    cable(routers[1], "in1", hosts[1], "eth0")
    routers[1].ip("addr", "add", "10.2.0.1/24", "dev", "in1")
    for host, address, router in zip(hosts, ("10.1.0.5", "10.2.0.5"), ("10.1.0.2", "10.2.0.1")):
        host.ip("addr", "add", f"{address}/24", "dev", "eth0")
        host.ip("route", "add", "default", "via", router)
    red.webserver("red", "10.0.0.5")
    world.wait_healthy(1)
    return routers, hosts


def test_two_subnets_behind_two_routers_with_another_way_back(world):
    routers, hosts = two_routers(world)
    for host in hosts:
        assert host.curl(f"http://{SERVICE}/") == "hello from red/10.0.0.5\n"
    before = [(packets(r, "in0", "rx"), packets(r, "in0", "tx")) for r in routers]
    size = 2_000_000
    hosts[0].curl(f"http://{SERVICE}/bytes/{size}", "-o", "/dev/null")
    after = [(packets(r, "in0", "rx"), packets(r, "in0", "tx")) for r in routers]
    into, back = after[0][0] - before[0][0], after[1][1] - before[1][1]
    assert into > 100, "requests and acknowledgements go by the first router"
    assert back > size / 1500, "the body comes back by the second"
    assert after[0][1] - before[0][1] < 20, "and not by the first"


def test_without_association_nothing_passes(world):
    pair = BlueRed(world, targets=1)
    assert pair.blue.curl(f"http://{SERVICE}/") == "hello from red/10.0.0.5\n"
    assert pair.red.refused(f"http://{SERVICE}/"), "red is not associated"
    world.apply(pair.build({**pair.parts, "vpcAssociations": []}))
    assert pair.blue.refused(f"http://{SERVICE}/"), "blue is no longer"
    # No straight way either: neither to the target's address nor from the gateway's.
    assert pair.blue.run("curl", "-sS", "--max-time", "1", "http://10.0.0.6:8080/",
                         check=False).returncode != 0
    world.apply(pair.build(pair.parts))
    assert pair.blue.curl(f"http://{SERVICE}/") == "hello from red/10.0.0.5\n"


def test_established_flow_ends_when_the_right_is_taken_away(world):
    pair = BlueRed(world, targets=1)
    body = pair.blue.start("curl", "-sS", "--limit-rate", "200k", "-o", "/dev/null", "--max-time", "30",
                           f"http://{SERVICE}/bytes/20000000", stderr=subprocess.PIPE)
    wait_for("the download to run", 5, lambda: "10.0.0.5" in world.ctl("show", "flows"))
    world.apply(pair.build({**pair.parts, "vpcAssociations": []}))
    _, error = body.communicate(timeout=15)
    assert body.returncode == 56, error  # "Recv failure: Connection reset by peer"


TRY = """
import socket, sys
for where in sys.argv[1:]:
    address, port = where.rsplit("/", 1)
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    s.settimeout(0.5)
    try:
        s.connect((address, int(port)))
        print(where)
    except OSError:
        pass
"""


def answering(places, namespace=None):
    """Those of the places "address/port" with which a connection comes to be."""
    command = [sys.executable, "-c", TRY, *places]
    if namespace is not None:
        command = ["nsenter", f"--net=/run/netns/{namespace}", "--", *command]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def host_places(address, port):
    """As the host port shows that address, for every VPC number that can have been given out."""
    return [f"fd6c:6174:6800::{number:x}:{address}/{port}" for number in range(4)]


def test_a_socket_of_the_hosts_own_namespace_reaches_no_target(world):
    """lathd probes through a namespace of its own; where it was started nothing leads to a VPC."""
    BlueRed(world, targets=1)
    assert answering(host_places("a00:5", 8080)) == []
    assert answering(["10.0.0.5/8080", f"{SERVICE}/80"]) == []
    routes = subprocess.run(["ip", "-6", "route"], capture_output=True, text=True, check=True).stdout
    assert "fd6c" not in routes


def test_the_host_port_reaches_registered_checks_only(world):
    name = f"host{world.serial}"
    pair = BlueRed(world, targets=1, system={"hostPort": {"namespace": name}})
    pair.red.webserver("red", "10.0.0.5", 9090)
    pair.blue.webserver("blue", "10.0.0.5")
    pair.red.ip("addr", "add", "10.0.0.6/24", "dev", f"r{world.serial}")
    pair.red.webserver("red", "10.0.0.6")
    assert len(answering(host_places("a00:5", 8080), name)) == 1, "red's, not blue's"
    assert answering(host_places("a00:5", 9090), name) == [], "another port of the same target"
    assert answering(host_places("a00:6", 8080), name) == [], "another address of the same VPC"
