# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""ARP: what the gateway answers, in which VPC, and what it announces."""

from scapy.layers.l2 import ARP, Dot1Q, Ether

from harness import dissect
from marks import raw
from topology import NAT_BLUE, NAT_RED, WEB, attachment, base, edit, vpc

CONFIG = base()


def answered(t, host, ip):
    t.step(send=[host.asks(ip)], expect=[host.is_told(ip)], generated={"arp_reply": 1})


def silent(t, host, ip):
    t.step(send=[host.asks(ip)])


def case_own_address(t):
    answered(t, t.host("blue0", "10.0.0.5"), "10.0.0.1")
    answered(t, t.host("trunk0", "10.0.0.5", vlan=100), "10.0.0.1")
    answered(t, t.host("trunk0", "10.0.0.5", vlan=200), "10.0.0.1")


def case_unicast_request(t):
    host = t.host("blue0", "10.0.0.5")
    _, frame = host.asks("10.0.0.1")
    unicast = dissect(frame)
    unicast.dst = t.macs["blue0"]
    t.step(send=[("blue0", bytes(unicast))], expect=[host.is_told("10.0.0.1")],
           generated={"arp_reply": 1})


def case_padded_request(t):
    host = t.host("blue0", "10.0.0.5")
    port, frame = host.asks("10.0.0.1")
    t.step(send=[(port, frame + bytes(18))], expect=[host.is_told("10.0.0.1")],
           generated={"arp_reply": 1})


def case_probe_of_a_newcomer_is_answered(t):
    # RFC 5227 section 2.1.1: a sender of 0.0.0.0 asks whether the address is free. It is not.
    host = t.host("blue0", "10.0.0.5")
    t.step(send=[host.asks("10.0.0.1", psrc="0.0.0.0")],
           expect=[host.is_told("10.0.0.1", pdst="0.0.0.0")], generated={"arp_reply": 1})


def case_nat_addresses_only_in_their_vpc(t):
    answered(t, t.host("red0", "10.0.0.5"), NAT_RED)
    answered(t, t.host("blue0", "10.0.0.5"), NAT_BLUE)
    silent(t, t.host("blue0", "10.0.0.5"), NAT_RED)
    silent(t, t.host("red0", "10.0.0.5"), NAT_BLUE)
    silent(t, t.host("trunk0", "10.0.0.5", vlan=100), NAT_RED)


def case_others_are_not_answered(t):
    silent(t, t.host("blue0", "10.0.0.5"), "10.0.0.6")
    silent(t, t.host("blue0", "10.0.0.5"), "192.0.2.1")
    silent(t, t.host("blue0", "10.0.0.5"), "0.0.0.0")


def case_service_outside_the_subnet_is_routed_not_answered(t):
    silent(t, t.host("blue0", "10.0.0.5"), WEB)


def on_link():
    """Service addresses in an attached subnet: what works on one L2 segment without routes."""
    wide = ["10.0.0.1/24", "198.18.0.1/16"]
    return base(vpcs=[
        vpc("blue", [attachment("blue0", wide)]),
        vpc("red", [attachment("red0", "10.0.0.1/24")]),
        vpc("green", [attachment("trunk0", wide, vlan=100, announce=False)]),
        vpc("teal", [attachment("trunk0", wide, vlan=200)])])


def case_service_inside_an_attached_subnet(t):
    answered(t, t.host("blue0", "10.0.0.5"), WEB)
    silent(t, t.host("blue0", "10.0.0.5"), "198.18.0.11")


def case_service_is_not_answered_where_it_is_not_visible(t):
    silent(t, t.host("trunk0", "10.0.0.5", vlan=200), WEB)


def case_no_proxy_arp_without_announce(t):
    # A cloud fabric answers by itself.
    silent(t, t.host("trunk0", "10.0.0.5", vlan=100), WEB)
    answered(t, t.host("trunk0", "10.0.0.5", vlan=100), "10.0.0.1")


for function in (case_service_inside_an_attached_subnet,
                 case_service_is_not_answered_where_it_is_not_visible,
                 case_no_proxy_arp_without_announce):
    function.config = on_link()


def case_malformed(t):
    host = t.host("blue0", "10.0.0.5")
    port, frame = host.asks("10.0.0.1")
    for at, value in ((15, 2), (16, 9), (18, 7), (19, 5)):
        broken = bytearray(frame)
        broken[at] = value
        t.dropped((port, bytes(broken)), drop="arp_malformed")
    t.dropped((port, frame[:41]), drop="arp_malformed")


def case_unasked_replies_are_used_up(t):
    host = t.host("blue0", "10.0.0.77")
    t.step(send=[host.ether(host.mac, t.macs["blue0"], ARP(
        op=2, hwsrc=host.mac, psrc=host.ip, hwdst=t.macs["blue0"], pdst="10.0.0.1"))])


def case_wrong_vlan(t):
    frame = Ether(src="06:00:00:00:00:09", dst="ff:ff:ff:ff:ff:ff") / Dot1Q(vlan=300) / ARP(
        op=1, psrc="10.0.0.5", pdst="10.0.0.1")
    t.dropped(("trunk0", bytes(frame)), drop="no_attachment")


def claims(requests):
    """(port, vlan, address) of probes and of announcements."""
    probes, announced = set(), set()
    for out in requests:
        frame = dissect(out.data)
        vlan = frame[Dot1Q].vlan if Dot1Q in frame else 0
        arp = frame[ARP]
        if arp.psrc == "0.0.0.0":
            probes.add((out.port, vlan, arp.pdst))
        elif arp.psrc == arp.pdst:
            announced.add((out.port, vlan, arp.pdst))
            if (frame.dst, frame.src, arp.hwsrc) != (
                    "ff:ff:ff:ff:ff:ff", frame.src, frame.src):
                raise AssertionError(frame.show(dump=True))
    return probes, announced


@raw
def case_start_probes_then_announces(t):
    t.load(base())
    probes, announced = claims(t.arp_requests)
    want = {("blue0", 0, "10.0.0.1"), ("blue0", 0, NAT_BLUE), ("red0", 0, "10.0.0.1"),
            ("red0", 0, NAT_RED), ("trunk0", 100, "10.0.0.1"), ("trunk0", 200, "10.0.0.1")}
    if probes != want or announced != want:
        t.fail(f"expected {want}\nprobed {probes}\nannounced {announced}")


@raw
def case_nothing_is_announced_where_it_is_switched_off(t):
    t.load(on_link())
    probes, announced = claims(t.arp_requests)
    loud = {one for one in probes | announced if one[1] == 100}
    if loud:
        t.fail(f"announced on the silent attachment: {loud}")
    if ("blue0", 0, WEB) not in announced:
        t.fail("the service address is not announced")


@raw
def case_an_address_of_somebody_else_is_not_announced(t):
    t.prepare(base())
    t.host("blue0", NAT_BLUE, mac="06:66:66:66:66:66")
    t.load(base())
    _, announced = claims(t.arp_requests)
    if ("blue0", 0, NAT_BLUE) in announced:
        t.fail("announced although somebody else answered the probe")
    if ("red0", 0, NAT_RED) not in announced:
        t.fail("the others must be announced")


def case_new_addresses_are_announced_after_a_reload(t):
    t.arp_requests.clear()
    t.reload(edit(base(), vpcs={"red": {"natPool": [NAT_RED + "/32", "10.0.0.110/32"]}}))
    t.run(5000)
    _, announced = claims(t.arp_requests)
    if ("red0", 0, "10.0.0.110") not in announced:
        t.fail(f"announced: {announced}")
    answered(t, t.host("red0", "10.0.0.5"), "10.0.0.110")
