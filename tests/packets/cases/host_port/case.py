# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""The host port: the gateway's own kernel reaches registered targets by IPv6 -> IPv4, nothing else.

An address there is hostPrefix (/64), 8 zero bits, the VPC's number and the IPv4 address.
"""

import ipaddress

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS,
                                ICMPv6ND_RS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr,
                                ICMPv6PacketTooBig, ICMPv6TimeExceeded, IPv6)
from scapy.layers.l2 import ARP, Ether

from harness import dissect, frame_diff
from marks import config, workers
from topology import NAT_RED, WEB, base, edit, target

PREFIX = "fd6c:6174:6800::"
KERNEL = "fd6c:6174:6800::1"
GATEWAY_MAC = "02:6c:61:74:68:01"
HOST = {"hostPort": {"enabled": True}}
CHECK = {"enabled": True, "protocol": "TCP"}


def checked(**fields):
    conf = base(system=dict(HOST, **fields))
    for one in conf["targetGroups"]:
        if one["name"] == "web":
            one["config"]["healthCheck"] = CHECK
    return conf


CONFIG = checked()


def number(t, name):
    """The VPC's number in addresses of the host port, as the gateway tells it."""
    return next(row["index"] for row in t.rpc("show.vpcs")["vpcs"] if row["name"] == name)


def address(t, vpc, ip):
    value = int(ipaddress.IPv6Address(PREFIX)) | number(t, vpc) << 32 | \
        int(ipaddress.IPv4Address(ip))
    return str(ipaddress.IPv6Address(value))


def kernel_mac(t):
    return t.macs["host"]


def says(t, packet, mac=GATEWAY_MAC):
    return "host", bytes(Ether(src=kernel_mac(t), dst=mac) / packet)


def probe(dst, dport=8080, sport=33000, **tcp):
    return IPv6(src=KERNEL, dst=dst, hlim=64, tc=0x28, fl=0x12345) / TCP(
        sport=sport, dport=dport, **tcp)


FREE = ("id", "flags", "chksum")  # of the IPv4 header that a translator makes up


def as_v4(t, out, server, expect):
    """The frame at the target, but for what RFC 7915 section 5.1 leaves to the translator."""
    frame = dissect(out.data)
    again = dissect(out.data)
    del again[IP].chksum
    del again[TCP].chksum
    if bytes(again) != bytes(out.data):
        t.fail(f"wrong checksum\n{frame.show2(True)}")
    want = dissect(server.gets(expect)[1])
    for name in FREE:
        setattr(want[IP], name, getattr(frame[IP], name))
    if bytes(want) != bytes(out.data):
        t.fail(f"wrong frame\n{frame_diff(bytes(want), out.data)}")
    return frame


def opened(t, server):
    """A connection of the kernel, at 1001, with the target, at 5001: (address, NAT port)."""
    there = address(t, "red", server.ip)
    t.inject([says(t, probe(there, flags="S", seq=1000, options=[("MSS", 1440)]))])
    outs = t.run()
    t.check_counts({}, {})
    if len(outs) != 1 or outs[0].port != server.port:
        t.fail(f"{[dissect(out.data).summary() for out in outs]}")
    frame = dissect(outs[0].data)
    port = frame.sport
    mss = dict(frame[TCP].options)["MSS"]
    if mss > 1460 or not 1 <= port < 1024:
        t.fail(f"MSS {mss}, port {port}: probes have their own share of ports")
    as_v4(t, outs[0], server, IP(src=NAT_RED, dst=server.ip, ttl=63, tos=0x28) / TCP(
        sport=port, dport=8080, flags="S", seq=1000, options=[("MSS", mss)]))
    answered(t, server, port, there, flags="SA", seq=5000, ack=1001)
    t.inject([says(t, probe(there, flags="A", seq=1001, ack=5001))])
    out, = t.run()
    as_v4(t, out, server, IP(src=NAT_RED, dst=server.ip, ttl=63, tos=0x28) / TCP(
        sport=port, dport=8080, flags="A", seq=1001, ack=5001))
    t.counted()
    return there, port


def answered(t, server, port, there, payload=b"", **tcp):
    packet = IP(src=server.ip, dst=NAT_RED, ttl=64, tos=0x28, id=1, flags="DF") / TCP(
        sport=8080, dport=port, **tcp)
    t.inject([server.sends(packet / payload if payload else packet)])
    outs = t.run()
    t.check_counts({}, {})
    if len(outs) != 1 or outs[0].port != "host":
        t.fail(f"{[dissect(out.data).summary() for out in outs]}")
    got = dissect(outs[0].data)
    want = Ether(src=GATEWAY_MAC, dst=kernel_mac(t)) / IPv6(
        src=there, dst=KERNEL, hlim=63, tc=0x28, fl=got[IPv6].fl) / TCP(
        sport=8080, dport=33000, **tcp)
    want = want / payload if payload else want
    if bytes(want) != bytes(outs[0].data):
        t.fail(f"wrong frame\n{frame_diff(bytes(want), outs[0].data)}")


@workers(1, 2, 3)
def case_probe_of_a_registered_target(t):
    server = t.host("red0", "10.0.0.5")
    t.meet(server)
    there, port = opened(t, server)
    t.inject([says(t, probe(there, flags="PA", seq=1001, ack=5001) / b"GET / HTTP/1.1\r\n\r\n")])
    out, = t.run()
    as_v4(t, out, server, IP(src=NAT_RED, dst=server.ip, ttl=63, tos=0x28) / TCP(
        sport=port, dport=8080, flags="PA", seq=1001, ack=5001) / b"GET / HTTP/1.1\r\n\r\n")
    t.counted()
    answered(t, server, port, there, b"HTTP/1.1 200 OK\r\n\r\n", flags="PA", seq=5001, ack=1019)
    answered(t, server, port, there, flags="FA", seq=5020, ack=1019)


def noise(t, packet, **fields):
    t.step(send=[says(t, packet, **fields)], drops={"host_noise": 1})


def case_what_is_not_registered_is_noise(t):
    t.host("red0", "10.0.0.5")
    t.host("red0", "10.0.0.6")
    there = address(t, "red", "10.0.0.5")
    syn = {"flags": "S", "seq": 1}
    noise(t, probe(there, dport=8081, **syn))
    noise(t, probe(there, dport=5353, **syn))          # registered, but its group has no check
    noise(t, probe(address(t, "red", "10.0.0.6"), **syn))
    noise(t, probe(address(t, "blue", "10.0.0.5"), **syn))
    noise(t, probe(address(t, "red", WEB), dport=80, **syn))
    noise(t, probe(PREFIX + "10.0.0.5", **syn))
    noise(t, probe("2001:db8::5", **syn))
    noise(t, IPv6(src=KERNEL, dst=there) / UDP(sport=1, dport=8080) / b"x")
    noise(t, IPv6(src=KERNEL, dst=there) / ICMPv6EchoRequest())


def case_other_sources_are_noise(t):
    there = address(t, "red", "10.0.0.5")
    for src in ("fe80::2", "2001:db8::1", PREFIX + "2"):
        noise(t, IPv6(src=src, dst=there) / TCP(sport=33000, dport=8080, flags="S", seq=1))


def case_what_a_kernel_says_by_itself(t):
    noise(t, IPv6(src="fe80::2", dst="ff02::2") / ICMPv6ND_RS(), mac="33:33:00:00:00:02")
    noise(t, IP(src="10.0.0.5", dst=WEB) / TCP(dport=80, flags="S"))
    noise(t, ARP(pdst="10.0.0.1"))


def case_middle_of_a_connection_without_one(t):
    there = address(t, "red", "10.0.0.5")
    t.host("red0", "10.0.0.5")
    for flags in ("A", "PA", "FA", "R"):
        t.inject([says(t, probe(there, flags=flags, seq=5, ack=5))])
        if t.run():
            t.fail("something came out")
        drops, _ = t.counted()
        if sum(drops.values()) != 1 or set(drops) - {"tcp_no_flow", "host_noise"}:
            t.fail(f"{drops}")


def case_neighbour_solicitation_is_answered(t):
    solicit = Ether(src=kernel_mac(t), dst="33:33:ff:00:00:01") / IPv6(
        src="fe80::2", dst="ff02::1:ff00:1") / ICMPv6ND_NS(tgt="fe80::1") / \
        ICMPv6NDOptSrcLLAddr(lladdr=kernel_mac(t))
    t.inject([("host", bytes(solicit))])
    outs = t.run()
    t.check_counts({}, {"neighbor_advertisement": 1})
    frame = dissect(outs[0].data)
    if len(outs) != 1 or frame[ICMPv6ND_NA].tgt != "fe80::1" or \
            frame[ICMPv6NDOptDstLLAddr].lladdr != GATEWAY_MAC or frame.src != GATEWAY_MAC or \
            frame[IPv6].hlim != 255:
        t.fail(frame.show2(True))
    again = dissect(outs[0].data)
    del again[ICMPv6ND_NA].cksum
    if bytes(again) != bytes(outs[0].data):
        t.fail("wrong ICMPv6 checksum")


def case_a_target_cannot_reach_the_kernel(t):
    """Only replies of connections that the kernel began come in."""
    server = t.host("red0", "10.0.0.5")
    t.dropped(server.sends(IP(src=server.ip, dst=NAT_RED) / TCP(
        sport=8080, dport=600, flags="S", seq=1)), drop="nat_no_flow")


def case_targets_of_one_address_in_two_vpcs(t):
    server = t.host("red0", "10.0.0.5")
    twin = t.host("trunk0", "10.0.0.5", vlan=200)
    t.meet(server, twin)
    there, _ = opened(t, server)
    other = address(t, "teal", "10.0.0.5")
    t.inject([says(t, probe(other, flags="S", seq=1000))])
    outs = t.run()
    if len(outs) != 1 or outs[0].port != "trunk0" or there == other:
        t.fail(f"{[dissect(out.data).summary() for out in outs]}")


def twins():
    conf = checked()
    more = edit(conf, targetGroups={"web": {}})["targetGroups"][0]
    more["name"] = "twin"
    more["config"]["vpcIdentifier"] = "teal"
    conf["targetGroups"].append(more)
    return conf


case_targets_of_one_address_in_two_vpcs.config = twins()


@workers(1, 2, 3)
def case_errors_about_probes(t):
    """They reach the kernel as ICMPv6, from the target's address or from a router's in that VPC."""
    #//= RFC7915#section-4.2 type=test
    server = t.host("red0", "10.0.0.5")
    t.meet(server)
    there, port = opened(t, server)
    quote4 = IP(src=NAT_RED, dst=server.ip, ttl=63, tos=0x28, flags="DF") / TCP(
        sport=port, dport=8080, flags="A", seq=1001, ack=5001)
    quote6 = IPv6(src=KERNEL, dst=there, hlim=63, tc=0x28) / TCP(
        sport=33000, dport=8080, flags="A", seq=1001, ack=5001)
    for came, made in ((ICMP(type=3, code=3), ICMPv6DestUnreach(code=4)),
                       (ICMP(type=3, code=13), ICMPv6DestUnreach(code=1)),
                       (ICMP(type=3, code=4, nexthopmtu=1400), ICMPv6PacketTooBig(mtu=1420)),
                       (ICMP(type=11), ICMPv6TimeExceeded())):
        for src, src6 in ((server.ip, there), ("192.0.2.9", address(t, "red", "192.0.2.9"))):
            error = IP(src=src, dst=NAT_RED, ttl=64) / came / quote4
            want = IPv6(src=src6, dst=KERNEL, hlim=63) / made / quote6
            t.step(send=[server.sends(error)], expect=[
                ("host", bytes(Ether(src=GATEWAY_MAC, dst=kernel_mac(t)) / want))])
    # What has no counterpart.
    t.dropped(server.sends(IP(src=server.ip, dst=NAT_RED) / ICMP(type=12, ptr=10) / quote4),
              drop="icmp_type")


def three():
    conf = checked(memory={"flowsPerWorker": 1024, "mixedFlowsPerWorker": 1024})
    return edit(conf, targetGroups={"web": {"targets": [
        target("10.0.0.5"), target("10.0.0.6"), target("10.0.0.7")]}})


def batch_opened(t, server, sports):
    """Connections of the kernel, one per source port; how many were established."""
    there = address(t, "red", server.ip)
    t.inject([says(t, probe(there, sport=s, flags="S", seq=s)) for s in sports])
    ports = {}
    for out in t.run(0):
        frame = dissect(out.data)
        ports[frame[TCP].seq] = frame.sport
    t.inject([server.sends(IP(src=server.ip, dst=NAT_RED) / TCP(
        sport=8080, dport=port, flags="SA", seq=5000, ack=s + 1)) for s, port in ports.items()])
    back = t.run(0)
    t.inject([says(t, probe(there, sport=s, flags="A", seq=s + 1, ack=5001)) for s in ports])
    t.run(0)
    return len(back)


@config(three())
def case_full_table_of_probes(t):
    """Probes have a table and ports of their own; when these are full that has a name."""
    servers = [t.host("red0", f"10.0.0.{i}") for i in (5, 6, 7)]
    t.meet(*servers)
    for server in servers[:2]:
        made = sum(batch_opened(t, server, range(2000 + i, 2025 + i)) for i in range(0, 400, 25))
        if made != 400:
            t.fail(f"{made} of 400 connections to {server}: {t.counted()[0]}")
    # Above 80 % half-open ones make room for each other: the rest comes one by one.
    made = sum(batch_opened(t, servers[2], [3000 + i]) for i in range(224))
    if made != 224:
        t.fail(f"{made} of 224 connections: {t.counted()[0]}")
    t.counted()
    there = address(t, "red", servers[2].ip)
    t.step(send=[says(t, probe(there, sport=9, flags="S", seq=1))],
           drops={"mixed_table_full": 1})
    # Customers do not feel it.
    t.flow(t.host("blue0", "10.0.0.5"), servers[0], service=WEB, nat=NAT_RED,
           proto=UDP, dport=53, tport=5353).up(b"question")


def case_target_removed(t):
    server = t.host("red0", "10.0.0.5")
    t.meet(server)
    there = address(t, "red", server.ip)
    t.reload(edit(CONFIG, targetGroups={"web": {"targets": [target("10.0.0.6")]}}))
    t.run(100)
    t.counted()
    noise(t, probe(there, flags="S", seq=1))


def case_disabled(t):
    """Without a host port there is nothing to translate to."""
    t.flow(t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5"), service=WEB,
           nat=NAT_RED).open().talk()


case_disabled.config = base()
