# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Neighbour discovery: what the gateway answers, in which VPC, whom it believes (RFC 4861, 4862)."""

from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6MLQuery2, ICMPv6MLReport2, ICMPv6ND_NA,
                                ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6ND_Redirect, ICMPv6ND_RS,
                                ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6,
                                IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, RouterAlert)
from scapy.layers.l2 import Dot1Q
from scapy.packet import Raw

from harness import dissect
from hosts import ALL_NODES, group_mac, link_local, solicited_node
from marks import raw
from topology import WEB, attachment, base, edit, qinq, vpc

OWN = "fd00::1"
ALL_ROUTERS = "ff02::2"


def dual(**changes):
    """The VPCs of base() with an IPv6 subnet each, all the same one; teal has none."""
    both = ["10.0.0.1/24", "fd00::1/64"]
    prefixes = ("10.0.0.0/24", "fd00::/64")
    vpcs = [
        vpc("blue", [attachment("blue0", both)], prefixes, natPool=["10.0.0.101/32"]),
        vpc("red", [attachment("red0", both)], prefixes, natPool=["10.0.0.100/32"]),
        vpc("green", [attachment("trunk0", both, vlan=100)], prefixes),
        vpc("teal", [attachment("trunk0", "10.0.0.1/24", vlan=200)]),
    ]
    return base(**{"vpcs": vpcs, **changes})


CONFIG = dual()


def answered(t, host, ip, **fields):
    t.step(send=[host.asks(ip, **fields)], expect=[host.is_told(ip)],
           generated={"neighbor_advertisement": 1})


def silent(t, host, ip, **fields):
    t.dropped(host.asks(ip, **fields), drop="not_for_us")


# What is answered -------------------------------------------------------------------------------

def case_own_address(t):
    #//= RFC4861#7.2.4-solicited type=test
    answered(t, t.host("blue0", "fd00::5"), OWN)
    answered(t, t.host("red0", "fd00::5"), OWN)
    answered(t, t.host("trunk0", "fd00::5", vlan=100), OWN)


def case_link_local_address(t):
    own = link_local(t.macs["blue0"])
    answered(t, t.host("blue0", "fe80::5"), own)
    answered(t, t.host("blue0", "fd00::5"), own)
    # VLANs of a port share its MAC, and so the address: each is a link of its own.
    answered(t, t.host("trunk0", "fe80::5", vlan=100), link_local(t.macs["trunk0"]))


def case_unicast_solicitation(t):
    # RFC 4861 section 7.3.3: how a host looks whether the gateway is still there.
    host = t.host("blue0", "fd00::5")
    answered(t, host, OWN, dst=OWN, mac=t.macs["blue0"])


def case_solicitation_without_option(t):
    host = t.host("blue0", "fd00::5")
    packet = IPv6(src=host.ip, dst=OWN, hlim=255) / ICMPv6ND_NS(tgt=OWN)
    t.step(send=[host.sends(packet)], expect=[host.is_told(OWN)],
           generated={"neighbor_advertisement": 1})


def case_who_looks_for_a_duplicate_is_told_with_all(t):
    #//= RFC4861#7.2.4-unspecified type=test
    #//= RFC4862#5.4.3-assigned type=test
    host = t.host("blue0", "fd00::77", answers=False)
    t.discoveries.clear()
    t.step(send=[host.asks(OWN, psrc="::")], generated={"neighbor_advertisement": 1})
    told = [out for out in t.discoveries if out.port == "blue0"]
    if [out.data for out in told] != [host.is_told(OWN, pdst="::")[1]]:
        t.fail(f"told: {[dissect(out.data).summary() for out in told]}")


def case_service_and_pool_addresses_in_the_subnet(t):
    answered(t, t.host("blue0", "fd00::5"), "fd6c:6174:6801::10")
    answered(t, t.host("red0", "fd00::5"), "fd00::2:1")
    # Each only where it is: the service is not visible in red, the pool is red's.
    silent(t, t.host("red0", "fd00::5"), "fd6c:6174:6801::10")
    silent(t, t.host("blue0", "fd00::5"), "fd00::2:1")


def case_no_proxy_without_announce(t):
    silent(t, t.host("trunk0", "fd00::5", vlan=100), "fd6c:6174:6801::10")
    answered(t, t.host("trunk0", "fd00::5", vlan=100), OWN)


def case_two_tags(t):
    answered(t, t.host("trunk0", "fd00::5", vlan=qinq(7, 300)), OWN)


def case_others_are_not_answered(t):
    host = t.host("blue0", "fd00::5")
    silent(t, host, "fd00::6")
    silent(t, host, "fe80::6")
    silent(t, host, "fd77::1")
    # The last 24 bits make the group: these share ours, and are somebody else's.
    silent(t, host, "fd77::1", dst=solicited_node(OWN))


def case_where_no_ipv6_is_spoken(t):
    silent(t, t.host("trunk0", "fd00::5", vlan=200, answers=False), OWN)
    silent(t, t.host("trunk0", "fe80::5", vlan=200, answers=False),
           link_local(t.macs["trunk0"]))


# Groups -----------------------------------------------------------------------------------------

def case_groups_that_nobody_asked_for(t):
    host = t.host("blue0", "fd00::5")
    asked = IPv6(src=host.ip, dst=solicited_node(OWN), hlim=255) / ICMPv6ND_NS(tgt=OWN)
    for mac in ("33:33:00:00:00:fb", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "33:33:01:00:00:01"):
        t.dropped(host.sends(asked, dst=mac), drop="not_for_us")
    # In a group of ours, but no neighbour discovery.
    echo = IPv6(src=host.ip, dst=ALL_NODES) / ICMPv6EchoRequest()
    t.dropped(host.sends(echo, dst=group_mac(ALL_NODES)), drop="not_for_us")
    t.dropped(host.sends(IPv6(src=host.ip, dst=ALL_NODES, nh=59), dst=group_mac(ALL_NODES)),
              drop="not_for_us")


# Whom it believes -------------------------------------------------------------------------------

def solicitation(host, **ip):
    fields = {"src": host.ip, "dst": solicited_node(OWN), "hlim": 255, **ip}
    return IPv6(**fields) / ICMPv6ND_NS(tgt=OWN) / ICMPv6NDOptSrcLLAddr(lladdr=host.mac)


def case_from_beyond_the_link(t):
    host = t.host("blue0", "fd00::5")
    #//= RFC4861#7.1.1-hop-limit type=test
    for hlim in (0, 1, 64, 254):
        t.dropped(host.sends(solicitation(host, hlim=hlim)), drop="nd_hop_limit")
    #//= RFC4861#7.1.2-hop-limit type=test
    told = IPv6(src=host.ip, dst=OWN, hlim=254) / ICMPv6ND_NA(tgt=host.ip)
    t.dropped(host.sends(told), drop="nd_hop_limit")


def case_wrong_checksum(t):
    host = t.host("blue0", "fd00::5")
    #//= RFC4861#7.1.1-checksum type=test
    packet = bytearray(bytes(solicitation(host)))
    packet[42] ^= 1
    t.dropped(host.sends(IPv6(bytes(packet))), drop="icmp_cksum")


def case_malformed(t):
    host = t.host("blue0", "fd00::5")
    front = {"src": host.ip, "dst": OWN, "hlim": 255}
    zero = Raw(bytes.fromhex("0100000000000000"))
    group = "ff02::1:ff00:1"
    for packet in (
            #//= RFC4861#7.1.1-code type=test
            IPv6(**front) / ICMPv6ND_NS(tgt=OWN, code=1),
            #//= RFC4861#7.1.1-target type=test
            IPv6(**front) / ICMPv6ND_NS(tgt=group),
            #//= RFC4861#7.1.1-options type=test
            IPv6(**front) / ICMPv6ND_NS(tgt=OWN) / zero,
            #//= RFC4861#7.1.1-length type=test
            IPv6(**front, plen=20) / ICMPv6ND_NS(tgt=OWN),
            #//= RFC4861#7.1.1-solicited-node type=test
            IPv6(src="::", dst=OWN, hlim=255) / ICMPv6ND_NS(tgt=OWN),
            #//= RFC4861#7.1.1-unspecified-option type=test
            IPv6(src="::", dst=group, hlim=255) / ICMPv6ND_NS(tgt=OWN) / ICMPv6NDOptSrcLLAddr(
                lladdr=host.mac),
            #//= RFC4861#7.1.2-multicast type=test
            IPv6(src=host.ip, dst=ALL_NODES, hlim=255) / ICMPv6ND_NA(tgt=host.ip, S=1),
            #//= RFC4861#7.1.2-target type=test
            IPv6(**front) / ICMPv6ND_NA(tgt=group),
            IPv6(src="::", dst=ALL_ROUTERS, hlim=255) / ICMPv6ND_RS() / ICMPv6NDOptSrcLLAddr(
                lladdr=host.mac),
            IPv6(src="fd00::9", dst=ALL_NODES, hlim=255) / ICMPv6ND_RA(),
            IPv6(src=ALL_NODES, dst=OWN, hlim=255) / ICMPv6ND_NS(tgt=OWN)):
        t.dropped(host.sends(packet), drop="nd_malformed")
    port, frame = host.sends(solicitation(host))
    t.dropped((port, frame[:-1]), drop="nd_malformed")


def case_fragments_are_no_neighbour_discovery(t):
    # RFC 6980: a message that comes in fragments is not looked at.
    host = t.host("blue0", "fd00::5")
    packet = IPv6(src=host.ip, dst=solicited_node(OWN), hlim=255) / IPv6ExtHdrFragment() / \
        ICMPv6ND_NS(tgt=OWN)
    t.dropped(host.sends(packet, dst=group_mac(solicited_node(OWN))), drop="not_for_us")


def case_other_routers_are_ignored(t):
    host = t.host("blue0", "fe80::5")
    advertised = IPv6(src=host.ip, dst=ALL_NODES, hlim=255) / ICMPv6ND_RA()
    t.dropped(host.sends(advertised, dst=group_mac(ALL_NODES)), drop="nd_ignored")
    redirected = IPv6(src=host.ip, dst=OWN, hlim=255) / ICMPv6ND_Redirect(
        tgt="fe80::9", dst="fd99::1")
    t.dropped(host.sends(redirected), drop="nd_ignored")


def case_routers_are_not_advertised_unless_configured(t):
    host = t.host("blue0", "fe80::5")
    asked = IPv6(src=host.ip, dst=ALL_ROUTERS, hlim=255) / ICMPv6ND_RS()
    t.dropped(host.sends(asked, dst=group_mac(ALL_ROUTERS)), drop="nd_ignored")


# Listeners ----------------------------------------------------------------------------------------

def reports(t, port):
    found = {}
    for out in t.discoveries:
        frame = dissect(out.data)
        if out.port == port and ICMPv6MLReport2 in frame:
            group = frame[ICMPv6MLReport2].records[0].dst
            found[group] = found.get(group, 0) + 1
            if (frame[IPv6].src, frame[IPv6].dst, frame[IPv6].hlim) != (
                    link_local(t.macs[port]), "ff02::16", 1):
                t.fail(frame.show(dump=True))
    return found


@raw
def case_switches_are_told_who_listens(t):
    # RFC 3810: at the start, and when a router asks.
    t.load(dual())
    groups = {solicited_node(OWN), solicited_node(link_local(t.macs["blue0"]))}
    if set(reports(t, "blue0")) != groups:
        t.fail(f"reported: {reports(t, 'blue0')}, want {groups}")
    host = t.host("blue0", "fe80::9", answers=False)
    query = IPv6(src=host.ip, dst=ALL_NODES, hlim=1) / IPv6ExtHdrHopByHop(
        options=[RouterAlert()]) / ICMPv6MLQuery2()
    t.discoveries.clear()
    t.step(send=[host.sends(query, dst=group_mac(ALL_NODES))], ms=50)
    if set(reports(t, "blue0")) != groups or reports(t, "red0"):
        t.fail(f"reported: {reports(t, 'blue0')}, {reports(t, 'red0')}")


# What management makes of it ----------------------------------------------------------------------

def row_of(t, address, attachment_name="blue0"):
    rows = [row for row in t.rpc("show.neighbors")["neighbors"]
            if (row["address"], row["attachment"]) == (address, attachment_name)]
    return rows[0] if rows else None


def case_who_asks_is_known_but_not_confirmed(t):
    #//= RFC4861#7.2.3-stale type=test
    host = t.host("blue0", "fd00::5", answers=False)
    answered(t, host, OWN)
    row = row_of(t, "fd00::5")
    if row is None or (row["state"], row["mac"]) != ("stale", host.mac):
        t.fail(f"row: {row}")
    if row_of(t, "fd00::5", "red0") is not None:
        t.fail("known in another VPC")


def case_unasked_advertisements_teach_nothing(t):
    #//= RFC4861#7.2.5-no-entry type=test
    host = t.host("blue0", "fd00::5", answers=False)
    t.step(send=[host.announces()])
    t.step(send=[host.advertises(OWN, t.macs["blue0"], 1)])
    if row_of(t, "fd00::5") is not None:
        t.fail(f"row: {row_of(t, 'fd00::5')}")


def own_words(outs, kind):
    """(port, vlan, source, destination, target) of solicitations or advertisements."""
    found = set()
    for out in outs:
        frame = dissect(out.data)
        vlan = frame[Dot1Q].vlan if Dot1Q in frame else 0
        if kind in frame:
            found.add((out.port, vlan, frame[IPv6].src, frame[IPv6].dst, frame[kind].tgt))
            if frame[IPv6].hlim != 255 or frame.dst != group_mac(frame[IPv6].dst):
                raise AssertionError(frame.show(dump=True))
    return found


@raw
def case_start_looks_for_duplicates_then_announces(t):
    #//= RFC4862#5.4-all-addresses type=test
    #//= RFC4862#5.4.2-unspecified type=test
    t.load(dual())
    wires = [("blue0", 0), ("red0", 0), ("trunk0", 100)]
    probed = {(port, vlan, "::", solicited_node(ip), ip) for port, vlan in wires
              for ip in (OWN, link_local(t.macs[port]))}
    told = {(port, vlan, ip, ALL_NODES, ip) for port, vlan, _, _, ip in probed}
    asked = {one for one in own_words(t.discoveries, ICMPv6ND_NS) if one[2] == "::"}
    said = own_words(t.discoveries, ICMPv6ND_NA)
    if asked != probed or said != told:
        t.fail(f"looked for {asked}\nwant {probed}\nannounced {said}\nwant {told}")


@raw
def case_an_address_of_somebody_else_is_not_announced(t):
    #//= RFC4862#5.4.4-advertisement type=test
    t.prepare(dual())
    t.host("blue0", OWN, mac="06:66:66:66:66:66")
    t.load(dual())
    said = own_words(t.discoveries, ICMPv6ND_NA)
    if ("blue0", 0, OWN, ALL_NODES, OWN) in said:
        t.fail("announced although somebody else has it")
    if ("red0", 0, OWN, ALL_NODES, OWN) not in said:
        t.fail("the others must be announced")
    claims = {(row["attachment"], row["address"]): row for row in
              t.rpc("show.neighbors")["claims"]}
    if claims["blue0", OWN]["state"] != "conflict" or \
            claims["blue0", OWN]["theirs"] != "06:66:66:66:66:66":
        t.fail(f"claims: {claims}")


case_two_tags.config = dual(vpcs=[
    vpc("blue", [attachment("blue0", "10.0.0.1/24")]),
    vpc("red", [attachment("red0", "10.0.0.1/24")]),
    vpc("green", [attachment("trunk0", ["10.0.0.1/24", "fd00::1/64"], vlan=qinq(7, 300))],
        ("10.0.0.0/24", "fd00::/64"))])


def on_link():
    """Service addresses in an attached subnet, as in ARP's cases, and an IPv6 pool."""
    wide = ["10.0.0.1/24", "fd00::1/64", "fd6c:6174:6801::1/64"]
    prefixes = ("10.0.0.0/24", "fd00::/64")
    return edit(dual(vpcs=[
        vpc("blue", [attachment("blue0", wide)], prefixes),
        vpc("red", [attachment("red0", wide)], prefixes, natPool=["10.0.0.100/32", "fd00::2:1/128"]),
        vpc("green", [attachment("trunk0", wide, vlan=100, announce=False)], prefixes)]),
        services={"web": {"addresses": [WEB, "fd6c:6174:6801::10"]}})


case_service_and_pool_addresses_in_the_subnet.config = on_link()
case_no_proxy_without_announce.config = on_link()
