# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Which frames belong to which VPC: port, VLAN and MAC, never an address."""

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether
from scapy.packet import Raw

from marks import workers
from topology import NAT_RED, WEB, attachment, base, vpc

CONFIG = base()


def ask(src="10.0.0.5", dst=WEB):
    return IP(src=src, dst=dst) / UDP(sport=4000, dport=53) / b"question"


def raw(t, port, *layers, mac=None):
    frame = Ether(src="06:00:00:00:00:09", dst=mac or t.macs[port])
    for layer in layers:
        frame = frame / layer
    return port, bytes(frame)


@workers(1, 2, 3)
def case_vlan_client_and_back(t):
    f = t.flow(t.host("trunk0", "10.0.0.5", vlan=100), t.host("red0", "10.0.0.5"), service=WEB,
               nat=NAT_RED)
    f.open().talk()


def trunk_targets():
    return base(vpcs=[
        vpc("blue", [attachment("blue0", "10.0.0.1/24")]),
        vpc("red", [attachment("trunk0", "10.0.0.1/24", vlan=4094)], natPool=[NAT_RED + "/32"]),
        vpc("green", [attachment("trunk0", "10.0.0.1/24", vlan=1)])])


def case_vlan_to_vlan_on_one_port(t):
    f = t.flow(t.host("trunk0", "10.0.0.5", vlan=1), t.host("trunk0", "10.0.0.5", vlan=4094),
               service=WEB, nat=NAT_RED)
    f.open().talk()


case_vlan_to_vlan_on_one_port.config = trunk_targets()


def case_wrong_vlan(t):
    t.dropped(raw(t, "trunk0", Dot1Q(vlan=101), ask()), drop="no_attachment")


def case_untagged_on_a_tagged_port(t):
    t.dropped(raw(t, "trunk0", ask()), drop="no_attachment")


def case_tagged_on_an_untagged_port(t):
    # Untagged frames are not the tagged VPC's, nor the other way round.
    t.dropped(raw(t, "blue0", Dot1Q(vlan=100), ask()), drop="no_attachment")


def case_other_vlan_of_the_port_is_another_vpc(t):
    # teal has no association: what green may see does not exist there.
    t.dropped(raw(t, "trunk0", Dot1Q(vlan=200), ask()), drop="no_service")


def case_priority_tag_is_untagged(t):
    # IEEE 802.1Q clause 9.6: VLAN 0 carries a priority only.
    t.host("blue0", "10.0.0.5")
    server = t.host("red0", "10.0.0.5")
    frame = t.one(raw(t, "blue0", Dot1Q(vlan=0, prio=5), ask()), server)
    if (frame[IP].src, frame[IP].dst, frame.dport) != (NAT_RED, "10.0.0.5", 5353):
        t.fail(frame.show(dump=True))


def case_priority_bits_of_a_tag_are_not_its_vlan(t):
    server = t.host("red0", "10.0.0.5")
    t.one(raw(t, "trunk0", Dot1Q(vlan=100, prio=7, id=1), ask()), server)


def case_two_tags(t):
    t.dropped(raw(t, "trunk0", Dot1Q(vlan=100), Dot1Q(vlan=100), ask()), drop="ethertype")
    t.dropped(raw(t, "blue0", Dot1AD(vlan=100), ask()), drop="no_attachment")


def case_other_mac(t):
    t.dropped(raw(t, "blue0", ask(), mac="02:00:00:00:00:02"), drop="not_for_us")
    t.dropped(raw(t, "blue0", ask(), mac="01:00:5e:00:00:01"), drop="not_for_us")
    t.dropped(raw(t, "blue0", ask(), mac="ff:ff:ff:ff:ff:ff"), drop="not_for_us")


def case_own_mac_of_another_port(t):
    t.dropped(raw(t, "red0", ask(), mac=t.macs["blue0"]), drop="not_for_us")


def case_ethertype(t):
    t.dropped(("blue0", bytes(Ether(dst=t.macs["blue0"], type=0x88b5) / Raw(b"x" * 46))),
              drop="ethertype")
    # An 802.3 length instead of a type.
    t.dropped(("blue0", bytes(Ether(dst=t.macs["blue0"], type=46)) + b"\x42\x42\x03" * 16),
              drop="ethertype")


def case_ipv6_of_a_vpc_without_it(t):
    t.dropped(raw(t, "blue0", IPv6(src="fd00::5", dst="fd00::1") / UDP() / b"x"),
              drop="vpc_source")


def case_short_frames(t):
    whole = raw(t, "blue0", ask())[1]
    t.dropped(("blue0", whole[:13]), drop="frame_short")
    t.dropped(("trunk0", raw(t, "trunk0", Dot1Q(vlan=100), ask())[1][:16]), drop="frame_short")
    t.dropped(("blue0", whole[:14]), drop="ip_malformed")
    t.dropped(("blue0", whole[:33]), drop="ip_malformed")
