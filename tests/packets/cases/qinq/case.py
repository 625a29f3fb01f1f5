# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Attachments behind two tags: IEEE 802.1ad around 802.1Q."""

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import Dot1Q, Ether

from topology import NAT_RED, WEB, attachment, base, qinq, vpc

OUTER, INNER = 300, 100
CONFIG = base(vpcs=[
    vpc("blue", [attachment("trunk0", "10.0.0.1/24", vlan=qinq(OUTER, INNER))]),
    vpc("green", [attachment("trunk0", "10.0.0.1/24", vlan=qinq(OUTER, INNER + 1))]),
    vpc("red", [attachment("red0", "10.0.0.1/24", vlan=qinq(7, INNER))],
        natPool=[NAT_RED + "/32"]),
    vpc("teal", [attachment("trunk0", "10.0.0.1/24", vlan=INNER)])])


def client(t, inner=INNER):
    return t.host("trunk0", "10.0.0.20", vlan=qinq(OUTER, inner))


def server(t):
    return t.host("red0", "10.0.0.5", vlan=qinq(7, INNER))


def web(t, inner=INNER, **fields):
    return t.flow(client(t, inner), server(t), service=WEB, nat=NAT_RED, **fields)


def case_tcp_and_udp(t):
    t.meet(client(t), server(t))
    web(t).open().talk()
    flow = web(t, proto=UDP, dport=53, tport=5353)
    flow.up(b"question")
    flow.down(b"answer")


case_tcp_and_udp.workers = (1, 2, 3)


def case_each_pair_of_tags_is_its_own_vpc(t):
    t.meet(client(t), client(t, INNER + 1), server(t))
    one, other = web(t).open(), web(t, INNER + 1).open()
    one.talk()
    other.talk()
    assert one.nport != other.nport


def case_arp_and_ping(t):
    host = client(t)
    t.step(send=[host.asks("10.0.0.1")], expect=[host.is_told("10.0.0.1")],
           generated={"arp_reply": 1})
    t.step(send=[host.sends(IP(src=host.ip, dst="10.0.0.1", id=7) / ICMP(id=3))],
           expect=[host.gets(IP(src="10.0.0.1", dst=host.ip, id=7) / ICMP(type=0, id=3))],
           generated={"echo_reply": 1})


def case_refused(t):
    host = client(t)
    t.meet(host)
    t.refused(host, IP(src=host.ip, dst=WEB) / TCP(dport=81, flags="S", seq=5), "no_listener")


def case_other_tags_are_nobodys(t):
    packet = IP(src="10.0.0.20", dst=WEB) / TCP(dport=80, flags="S")

    def frame(kind, *tags):
        head = Ether(src="06:00:00:00:00:09", dst=t.macs["trunk0"], type=kind)
        for vlan, following in tags:
            head = head / Dot1Q(vlan=vlan, type=following)
        return "trunk0", bytes(head / packet)

    t.dropped(frame(0x88a8, (OUTER + 1, 0x8100), (INNER, 0x0800)), drop="no_attachment")
    t.dropped(frame(0x88a8, (OUTER, 0x8100), (INNER + 2, 0x0800)), drop="no_attachment")
    t.dropped(frame(0x88a8, (OUTER, 0x0800)), drop="no_attachment")
    # 802.1Q around 802.1Q is another thing: the outer tag names teal, which has no second one.
    t.dropped(frame(0x8100, (INNER, 0x8100), (INNER, 0x0800)), drop="ethertype")
    port, whole = frame(0x88a8, (OUTER, 0x8100), (INNER, 0x0800))
    t.dropped((port, whole[:21]), drop="frame_short")
