# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Who may call what: associations, listeners, rules, targets."""

from scapy.layers.inet import IP, TCP, UDP

from harness import dissect
from marks import workers
from topology import (NAT_RED, WEB, base, edit, group, listener, rule, service, target)

CONFIG = base()


def syn(src="10.0.0.5", dst=WEB, dport=80, sport=4000):
    return IP(src=src, dst=dst) / TCP(sport=sport, dport=dport, flags="S", seq=1)


@workers(1, 2, 3)
def case_no_association_no_packet(t):
    host = t.host("trunk0", "10.0.0.5", vlan=200)
    t.dropped(host.sends(syn()), drop="no_service")
    t.dropped(host.sends(IP(src=host.ip, dst=WEB) / UDP(sport=1, dport=53) / b"x"),
              drop="no_service")


def case_targets_vpc_may_not_call_by_itself(t):
    t.dropped(t.host("red0", "10.0.0.5").sends(syn()), drop="no_service")


def case_nothing_else_is_forwarded(t):
    """Not between VPCs, not to the world, not to the target's address."""
    host = t.host("blue0", "10.0.0.5")
    for dst in ("10.0.0.6", "192.0.2.1", "198.18.0.11"):
        t.dropped(host.sends(syn(dst=dst, dport=8080)), drop="no_service")


def case_own_address_is_no_way_in(t):
    host = t.host("blue0", "10.0.0.5")
    t.dropped(host.sends(syn(dst="10.0.0.1")), drop="own_address")


def case_nat_address_without_a_flow(t):
    host = t.host("red0", "10.0.0.5")
    t.dropped(host.sends(IP(src=host.ip, dst=NAT_RED) / TCP(sport=8080, dport=2000, flags="SA")),
              drop="nat_no_flow")
    t.dropped(host.sends(IP(src=host.ip, dst=NAT_RED) / UDP(sport=53, dport=2000) / b"x"),
              drop="nat_no_flow")


def by_source():
    conf = base(groups=[
        group("one", "red", "TCP", 8081, ["10.0.0.11"]),
        group("two", "red", "TCP", 8082, ["10.0.0.12"]),
        group("rest", "red", "TCP", 8083, ["10.0.0.13"])],
        services=[service("web", WEB, [listener("http", "TCP", 80, "rest", rules=[
            rule("second", 20, ["10.0.0.0/26"], "two"),
            rule("first", 10, ["10.0.0.5/32", "10.0.0.128/25"], "one")])])])
    return conf


def case_rules_by_source_prefix_and_priority(t):
    for client, server, port in (("10.0.0.5", "10.0.0.11", 8081),   # both match, 10 is first
                                 ("10.0.0.200", "10.0.0.11", 8081),
                                 ("10.0.0.6", "10.0.0.12", 8082),
                                 ("10.0.0.63", "10.0.0.12", 8082),
                                 ("10.0.0.64", "10.0.0.13", 8083)):
        t.flow(t.host("blue0", client), t.host("red0", server), service=WEB, nat=NAT_RED,
               tport=port).open()


case_rules_by_source_prefix_and_priority.config = by_source()


def many():
    return base(groups=[
        group("web", "red", "TCP", 8080, [target("10.0.0.5"), target("10.0.0.6", port=9090),
                                          target("10.0.0.7", weight=0)]),
        group("canary", "red", "TCP", 8080, ["10.0.0.8"]),
        group("off", "red", "TCP", 8080, ["10.0.0.9"])],
        services=[service("web", WEB, [listener("http", "TCP", 80,
                                                {"web": 90, "canary": 10, "off": 0})])])


def chosen(t, count, client="10.0.0.5", ms=0):
    """Targets that flows from many ports go to: {(address, port): flows}."""
    found = {}
    host = t.host("blue0", client)
    for i in range(8):
        t.host("red0", f"10.0.0.{5 + i}")
    t.run(3000)
    for sport in range(20000, 20000 + count):
        t.inject([host.sends(IP(src=client, dst=WEB) / TCP(sport=sport, dport=80, flags="S"))])
        for out in t.run(ms):
            frame = dissect(out.data)
            key = frame[IP].dst, frame.dport
            found[key] = found.get(key, 0) + 1
    t.counted()
    return found


def case_weights(t):
    found = chosen(t, 400)
    canary = found.pop(("10.0.0.8", 8080), 0)
    if set(found) != {("10.0.0.5", 8080), ("10.0.0.6", 9090)}:
        t.fail(f"targets {found}: weight 0 gets nothing")
    if sum(found.values()) + canary != 400:
        t.fail(f"lost: {found} and {canary}")
    # 400 draws at 10 %: mean 40, deviation 6; at 50 % of 360: 180 and 9.5. Five of each.
    if not 10 <= canary <= 70 or min(found.values()) < 120:
        t.fail(f"{found} and {canary} canaries of 400")


def case_choice_does_not_depend_on_the_start(t):
    """Another gateway with the same configuration chooses the same targets."""
    import harness
    picks = []
    for seed in (11, 12):
        with harness.Gateway(seed=seed) as other:
            other.load(many())
            picks.append(targets_by_port(other, 40))
    if picks[0] != picks[1]:
        t.fail(f"{picks}")


def targets_by_port(t, count):
    host, found = t.host("blue0", "10.0.0.5"), {}
    for i in range(8):
        t.host("red0", f"10.0.0.{5 + i}")
    t.run(3000)
    for sport in range(20000, 20000 + count):
        t.inject([host.sends(IP(src=host.ip, dst=WEB) / TCP(sport=sport, dport=80, flags="S"))])
        for out in t.run(0):
            found[sport] = dissect(out.data)[IP].dst
    return found


for function in (case_weights, case_choice_does_not_depend_on_the_start):
    function.config = many()


def no_targets():
    return edit(base(), targetGroups={"web": {"targets": []}, "dns": {"targets": [
        target("10.0.0.5", weight=0)]}})


def case_no_target(t):
    host = t.host("blue0", "10.0.0.5")
    t.told(host, syn(), 3, 1, drop="no_target")
    t.told(host, IP(src=host.ip, dst=WEB) / UDP(sport=1, dport=53) / b"x", 3, 1, drop="no_target")


case_no_target.config = no_targets()


def case_a_dropped_first_packet_leaves_no_flow(t):
    host = t.host("blue0", "10.0.0.5")
    t.host("red0", "10.0.0.5")
    t.told(host, IP(src=host.ip, dst=WEB, ttl=1) / TCP(sport=4000, dport=80, flags="S"),
           11, 0, drop="ttl_expired")
    t.dropped(host.sends(IP(src=host.ip, dst=WEB) / TCP(sport=4000, dport=80, flags="A")),
              drop="tcp_no_flow")
