# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Both directions follow routes, not the MAC that packets came from."""

from scapy.layers.inet import ICMP, IP, TCP, UDP

from marks import workers
from topology import (WEB, attachment, base, edit, group, listener, route, service, vpc)

BLUE_SITE, RED_SITE = "172.16.0.0/16", "172.17.0.0/16"


def routed(**blue):
    """Clients and targets behind a router each; the client's VPC has two subnets."""
    return base(
        ports=["blue0", "blue1", "red0"],
        vpcs=[vpc("blue", [attachment("blue0", "10.0.0.1/24", **blue),
                           attachment("blue1", "10.0.1.1/24")],
                  prefixes=["10.0.0.0/23", BLUE_SITE],
                  routes=[route(BLUE_SITE, "10.0.1.254"), route("172.16.9.0/24", "10.0.0.254")]),
              vpc("red", [attachment("red0", "10.0.0.1/24")],
                  prefixes=["10.0.0.0/24", RED_SITE],
                  natPool=["192.168.7.0/30"], routes=[route("0.0.0.0/0", "10.0.0.254")])],
        services=[service("web", WEB, [listener("http", "TCP", 80, "web"),
                                       listener("dns", "UDP", 53, "dns")])],
        groups=[group("web", "red", "TCP", 8080, ["172.17.0.5"]),
                group("dns", "red", "UDP", 5353, ["10.0.0.5"])],
        networks={"main": {"vpcs": ["blue"], "services": ["web"]}})


CONFIG = routed()
POOL = [f"192.168.7.{i}" for i in range(4)]


@workers(1, 2, 3)
def case_next_hops_on_both_sides(t):
    f = t.flow(t.host("blue1", "10.0.1.254"), t.host("red0", "10.0.0.254"), service=WEB,
               nat=POOL, source="172.16.0.5", target="172.17.0.5")
    f.open().talk()


def case_longest_prefix_wins(t):
    f = t.flow(t.host("blue0", "10.0.0.254"), t.host("red0", "10.0.0.254"), service=WEB,
               nat=POOL, source="172.16.9.5", target="172.17.0.5")
    f.open().talk()


def case_attached_beats_default(t):
    f = t.flow(t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5"), service=WEB, nat=POOL,
               proto=UDP, dport=53, tport=5353)
    f.up(b"question")
    f.down(b"answer")


def case_sent_through_one_router_answered_through_another(t):
    way_in, way_out = t.host("blue0", "10.0.0.254"), t.host("blue1", "10.0.1.254")
    server = t.host("red0", "10.0.0.254")
    f = t.flow(way_out, server, service=WEB, nat=POOL, source="172.16.0.5", target="172.17.0.5")
    f.client = way_in
    f.syn()
    f.client = way_out
    f.down(flags="SA", seq=5000, ack=1001)
    f.client = way_in
    f.up(flags="A", seq=1001, ack=5001)
    # Both subnets are one VPC: a flow may change its way in.
    f.client = way_out
    f.talk()


def case_target_may_answer_through_another_mac(t):
    server, router = t.host("red0", "10.0.0.5"), t.host("red0", "10.0.0.254")
    f = t.flow(t.host("blue0", "10.0.0.5"), server, service=WEB, nat=POOL, proto=UDP, dport=53,
               tport=5353)
    f.up(b"question")
    f.server = router
    f.down(b"answer")


def case_return_to_sender(t):
    """A site without a route back: answers go to the MAC and attachment they came from."""
    gone = t.host("blue0", "10.0.0.77", answers=False, mac="06:77:77:77:77:77")
    f = t.flow(gone, t.host("red0", "10.0.0.254"), service=WEB, nat=POOL, source="172.16.0.5",
               target="172.17.0.5")
    f.open().talk()


case_return_to_sender.config = routed(returnTo="sender")


def case_return_to_sender_follows_a_new_sender(t):
    first = t.host("blue0", "10.0.0.77", answers=False, mac="06:77:77:77:77:77")
    second = t.host("blue0", "10.0.0.78", answers=False, mac="06:78:78:78:78:78")
    server = t.host("red0", "10.0.0.254")
    a = t.flow(first, server, service=WEB, nat=POOL, source="172.16.0.5", target="172.17.0.5")
    b = t.flow(second, server, service=WEB, nat=POOL, source="172.16.0.6", target="172.17.0.5")
    a.open()
    b.open()
    a.talk()
    b.talk()


case_return_to_sender_follows_a_new_sender.config = routed(returnTo="sender")


def no_way_back():
    return edit(routed(), vpcs={"blue": {"routes": None}})


def case_no_route_back_to_the_client(t):
    client = t.host("blue0", "10.0.0.254")
    t.host("red0", "10.0.0.254")
    t.dropped(client.sends(IP(src="172.16.0.5", dst=WEB) / TCP(sport=1, dport=80, flags="S")),
              drop="no_route")
    t.dropped(client.sends(IP(src="172.16.0.5", dst=WEB) / UDP(sport=1, dport=53) / b"x"),
              drop="no_route")
    t.flow(t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.254"), service=WEB, nat=POOL,
           target="172.17.0.5").open().talk()


case_no_route_back_to_the_client.config = no_way_back()


def case_routes_change_under_a_flow(t):
    old, new = t.host("red0", "10.0.0.254"), t.host("red0", "10.0.0.253")
    f = t.flow(t.host("blue0", "10.0.0.5"), old, service=WEB, nat=POOL, target="172.17.0.5")
    f.open().talk()
    t.reload(edit(CONFIG, vpcs={"red": {"routes": [route("0.0.0.0/0", "10.0.0.253")]}}))
    t.run(2000)
    t.counted()
    f.server = new
    f.talk()


def case_gateways_address_on_the_other_subnet(t):
    """The gateway is one router: it answers for all its addresses of the VPC, and nobody may
    send from one of them.
    """
    host = t.host("blue0", "10.0.0.5")
    frame = t.one(host.sends(IP(src=host.ip, dst="10.0.1.1") / ICMP(id=7, seq=1) / b"ping"), host,
                  generated={"echo_reply": 1})
    if (frame[IP].src, frame[IP].dst, frame[ICMP].type) != ("10.0.1.1", host.ip, 0):
        t.fail(frame.show(dump=True))
    t.dropped(host.sends(IP(src="10.0.1.1", dst=WEB) / TCP(sport=1, dport=80, flags="S")),
              drop="martian")
