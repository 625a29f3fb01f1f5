# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Equal addresses everywhere: the VPC is part of every key."""

from scapy.layers.inet import UDP

from marks import workers
from topology import (NAT_RED, WEB, attachment, base, edit, group, listener, service, target,
                      vpc)

CONFIG = base()


@workers(1, 2, 3)
def case_client_and_target_have_the_same_address(t):
    #= RFC4787#REQ-7
    f = t.flow(t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5"), service=WEB, nat=NAT_RED)
    f.open().talk()


@workers(1, 2, 3)
def case_same_tuple_from_two_vpcs_is_two_flows(t):
    server = t.host("red0", "10.0.0.5")
    blue = t.flow(t.host("blue0", "10.0.0.5"), server, service=WEB, nat=NAT_RED)
    green = t.flow(t.host("trunk0", "10.0.0.5", vlan=100), server, service=WEB, nat=NAT_RED)
    blue.syn()
    green.syn()
    if (blue.nat, blue.nport) == (green.nat, green.nport):
        t.fail("one source port for two flows")
    for f in (blue, green):
        f.down(flags="SA", seq=5000, ack=1001)
    for f in (green, blue):
        f.up(flags="A", seq=1001, ack=5001)
    blue.talk()
    green.talk()
    blue.close()
    green.talk()


def case_same_tuple_at_the_same_instant(t):
    server = t.host("red0", "10.0.0.5")
    flows = [t.flow(t.host("blue0", "10.0.0.5"), server, service=WEB, nat=NAT_RED, proto=UDP,
                    dport=53, tport=5353),
             t.flow(t.host("trunk0", "10.0.0.5", vlan=100), server, service=WEB, nat=NAT_RED,
                    proto=UDP, dport=53, tport=5353)]
    t.flow(flows[0].client, server, service=WEB, nat=NAT_RED, proto=UDP, sport=1, dport=53,
           tport=5353).up(b"so that the next hop is known")
    t.inject([f.sends_up(b"%d" % i) for i, f in enumerate(flows)])
    outs = t.run()
    if len(outs) != 2:
        t.fail(f"two frames expected, {len(outs)} came")
    t.counted()
    from harness import dissect
    for out in outs:
        frame = dissect(out.data)
        f = flows[int(bytes(frame[UDP].payload)[:1])]
        f.nat, f.nport = frame["IP"].src, frame.sport
    for f in flows:
        f.down(b"answer")


def hairpin():
    return edit(base(), targetGroups={
        "web": {"config": group("web", "blue", "TCP", 8080, [])["config"],
                "targets": [target("10.0.0.7")]}})


def case_target_in_the_clients_own_vpc(t):
    #= RFC4787#REQ-9a RFC5382#REQ-8a
    #= RFC4787#REQ-9 RFC5382#REQ-8: the target sees the gateway's address.
    f = t.flow(t.host("blue0", "10.0.0.5"), t.host("blue0", "10.0.0.7"), service=WEB,
               nat="10.0.0.101")
    f.open().talk()
    f.close()


case_target_in_the_clients_own_vpc.config = hairpin()


def case_target_is_the_client_itself(t):
    me = t.host("blue0", "10.0.0.7")
    f = t.flow(me, me, service=WEB, nat="10.0.0.101")
    f.open().talk()


case_target_is_the_client_itself.config = hairpin()


def two_services():
    return base(
        vpcs=base()["vpcs"] + [vpc("gold", [attachment("gold0", "10.0.0.1/24")])],
        ports=["blue0", "red0", "trunk0", "gold0"],
        services=[service("web", WEB, [listener("http", "TCP", 80, "web")]),
                  service("shop", "198.18.0.11", [listener("http", "TCP", 80, "shop")])],
        groups=[group("web", "red", "TCP", 8080, ["10.0.0.5"]),
                group("shop", "gold", "TCP", 8080, ["10.0.0.5"])],
        networks={"main": {"vpcs": ["blue"], "services": ["web", "shop"]}})


def case_two_services_with_equal_targets_in_two_vpcs(t):
    client = t.host("blue0", "10.0.0.5")
    web = t.flow(client, t.host("red0", "10.0.0.5"), service=WEB, nat=NAT_RED)
    shop = t.flow(client, t.host("gold0", "10.0.0.5"), service="198.18.0.11", nat="10.0.0.1")
    web.open()
    shop.open()
    web.talk()
    shop.talk()


case_two_services_with_equal_targets_in_two_vpcs.config = two_services()


def shared_address():
    return base(
        services=[service("web", WEB, [listener("http", "TCP", 80, "web")]),
                  service("dns", WEB, [listener("dns", "UDP", 80, "dns"),
                                       listener("alt", "TCP", 81, "web")])],
        networks={"main": {"vpcs": ["blue"], "services": ["web", "dns"]}})


def case_services_share_an_address(t):
    client, server = t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5")
    t.flow(client, server, service=WEB, nat=NAT_RED).open().talk()
    t.flow(client, server, service=WEB, nat=NAT_RED, dport=81).open().talk()
    dns = t.flow(client, server, service=WEB, nat=NAT_RED, proto=UDP, dport=80, tport=5353)
    dns.up(b"question")
    dns.down(b"answer")


case_services_share_an_address.config = shared_address()


def same_address_two_networks():
    """Two VPCs see different services under one address."""
    return base(
        services=[service("web", WEB, [listener("http", "TCP", 80, "web")]),
                  service("shop", WEB, [listener("http", "TCP", 80, "shop")])],
        groups=[group("web", "red", "TCP", 8080, ["10.0.0.5"]),
                group("shop", "red", "TCP", 9090, ["10.0.0.6"])],
        networks={"net-a": {"vpcs": ["blue"], "services": ["web"]},
                  "net-b": {"vpcs": ["green"], "services": ["shop"]}})


def case_one_address_is_another_service_in_another_vpc(t):
    blue = t.flow(t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5"), service=WEB,
                  nat=NAT_RED)
    green = t.flow(t.host("trunk0", "10.0.0.5", vlan=100), t.host("red0", "10.0.0.6"),
                   service=WEB, nat=NAT_RED, tport=9090)
    blue.open().talk()
    green.open().talk()


case_one_address_is_another_service_in_another_vpc.config = same_address_two_networks()
