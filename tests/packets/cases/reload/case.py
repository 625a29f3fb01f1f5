# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""What happens to living flows when the configuration changes (the table of the requirements)."""

from scapy.layers.inet import IP, TCP, UDP

from harness import dissect, same_rst
from marks import workers
from topology import (NAT_RED, WEB, base, edit, forward, group, listener, rule, service, target)

CONFIG = base()


def flow(t, port="blue0", vlan=0, **fields):
    return t.flow(t.host(port, "10.0.0.5", vlan=vlan), t.host("red0", "10.0.0.5"), service=WEB,
                  nat=NAT_RED, **fields)


def dns(t, **fields):
    return flow(t, proto=UDP, dport=53, tport=5353, **fields)


def changed(t, conf):
    t.reload(conf)
    t.run(100)
    t.counted()


def ended(t, f, drop, from_client=True):
    """The next packet becomes a RST to its receiver and is answered by a RST to its sender."""
    up = {"flags": "PA", "seq": 1001, "ack": 5001}
    down = {"flags": "PA", "seq": 5001, "ack": 1001}
    ends = dict(up if from_client else down)
    t.inject([f.sends_up(b"data", **ends) if from_client else f.sends_down(b"data", **ends)])
    outs = t.run()
    t.check_counts({drop: 1}, {"rst": 2})
    # RFC 9293 section 3.5.2: to the sender with the number it acknowledged, to the receiver as if
    # the sender had sent it.
    to_sender = f.rst_frame(from_client, ends["ack"], 0, "R")
    to_receiver = [f.rst_frame(not from_client, ends["seq"], ack, flags)
                   for ack, flags in ((0, "R"), (ends["ack"], "RA"))]
    if len(outs) != 2:
        t.fail(f"two RSTs expected: {[dissect(out.data).summary() for out in outs]}")
    for out in outs:
        allowed = [to_sender] if out.port == to_sender[0] else to_receiver
        if not any(out.port == port and same_rst(out.data, frame) for port, frame in allowed):
            t.fail(f"wrong RST on {out.port}, expected\n{dissect(allowed[0][1]).show2(True)}\n"
                   f"got\n{dissect(out.data).show2(True)}")
    # It is over: what comes after is no flow's, and is not answered.
    f.down(flags="A", seq=5001, ack=1001, drop="nat_no_flow")


WITHOUT_VPC = base(networks={"main": {"vpcs": ["green"], "services": ["web"]}})
WITHOUT_SERVICE = base(services=[], networks={"main": {"vpcs": ["blue", "green"]}})
WITHOUT_LISTENERS = edit(base(), services={"web": {"listeners": [
    listener("other", "TCP", 81, "web")]}})
WITHOUT_LINK = base(networks={"main": {"vpcs": ["blue", "green"]}})


@workers(1, 2, 3)
def case_association_of_the_vpc_removed(t):
    f, g, u = flow(t).open(), flow(t, sport=40001).open(), dns(t)
    other = flow(t, port="trunk0", vlan=100).open()
    u.up(b"question")
    u.down(b"answer")
    changed(t, WITHOUT_VPC)
    ended(t, f, drop="revoked")
    ended(t, g, drop="revoked", from_client=False)
    u.up(b"again", drop="revoked")
    # green has lost nothing.
    other.talk()


def case_association_of_the_service_removed(t):
    f, u = flow(t).open(), dns(t)
    u.up(b"question")
    changed(t, WITHOUT_LINK)
    ended(t, f, drop="revoked")
    u.down(b"answer", drop="revoked")


def case_service_removed(t):
    f, u = flow(t).open(), dns(t)
    u.up(b"question")
    changed(t, WITHOUT_SERVICE)
    ended(t, f, drop="revoked", from_client=False)
    u.up(b"again", drop="revoked")


def case_listener_removed(t):
    f, u = flow(t).open(), dns(t)
    u.up(b"question")
    changed(t, WITHOUT_LISTENERS)
    ended(t, f, drop="revoked")
    u.up(b"again", drop="revoked")


def case_permission_given_back_before_the_next_packet(t):
    """Only who has no right at the next packet is ended."""
    f = flow(t).open()
    changed(t, WITHOUT_VPC)
    changed(t, CONFIG)
    f.talk()


def case_new_flows_after_a_removal(t):
    host = t.host("blue0", "10.0.0.5")
    changed(t, WITHOUT_VPC)
    t.dropped(host.sends(IP(src=host.ip, dst=WEB) / TCP(sport=1, dport=80, flags="S")),
              drop="no_service")


def case_things_added_move_nothing(t):
    f, u = flow(t).open(), dns(t)
    u.up(b"question")
    u.down(b"answer")
    more = edit(base(), targetGroups={
        "web": {"targets": [target("10.0.0.5"), target("10.0.0.6"), target("10.0.0.7")]},
        "dns": {"targets": [target("10.0.0.5"), target("10.0.0.6"), target("10.0.0.7")]}})
    changed(t, more)
    f.talk()
    u.up(b"again")
    u.down(b"and again")
    changed(t, edit(more, targetGroups={"web": {"targets": [
        target("10.0.0.5", weight=1), target("10.0.0.6", weight=999)]}}))
    f.talk()
    u.down(b"more")


def case_weight_zero_moves_nothing(t):
    f, u = flow(t).open(), dns(t)
    u.up(b"question")
    changed(t, edit(base(), targetGroups={
        "web": {"targets": [target("10.0.0.5", weight=0), target("10.0.0.6")]},
        "dns": {"targets": [target("10.0.0.5", weight=0), target("10.0.0.6")]}}))
    f.talk()
    u.up(b"again")
    u.down(b"answer")
    # A new one goes where weight is.
    t.flow(f.client, t.host("red0", "10.0.0.6"), service=WEB, nat=NAT_RED, sport=9).open()


def case_rules_that_change_move_nothing(t):
    f = flow(t).open()
    groups = base()["targetGroups"] + [group("new", "red", "TCP", 9090, ["10.0.0.6"])]
    changed(t, base(groups=groups, services=[service("web", WEB, [
        listener("http", "TCP", 80, "web", rules=[rule("all", 1, ["10.0.0.0/24"], "new")]),
        listener("dns", "UDP", 53, "dns")])]))
    f.talk()
    t.flow(f.client, t.host("red0", "10.0.0.6"), service=WEB, nat=NAT_RED, sport=9,
           tport=9090).open()


def case_other_services_change(t):
    f = flow(t).open()
    more = base()["services"] + [service("shop", "198.18.0.20", [
        listener("http", "TCP", 80, "web")])]
    both = base(services=more, networks={"main": {"vpcs": ["blue", "green"],
                                                  "services": ["web", "shop"]}})
    changed(t, both)
    f.talk()
    g = t.flow(f.client, f.server, service="198.18.0.20", nat=NAT_RED, sport=9).open()
    changed(t, CONFIG)
    f.talk()
    ended(t, g, drop="revoked")
    f.talk()


def case_default_action_changes(t):
    f = flow(t).open()
    groups = base()["targetGroups"] + [group("new", "red", "TCP", 9090, ["10.0.0.6"])]
    changed(t, edit(base(groups=groups), services={"web": {"listeners": [
        {"name": "http", "protocol": "TCP", "port": 80, "defaultAction": forward("new")},
        listener("dns", "UDP", 53, "dns")]}}))
    f.talk()


def case_bad_configuration_changes_nothing(t):
    f = flow(t).open()
    for bad in (edit(base(), services={"web": {"refuse": "maybe"}}),
                edit(base(), targetGroups={"web": {"config": {
                    "protocol": "TCP", "port": 8080, "vpcIdentifier": "nowhere"}}}),
                {"formatVersion": 2}):
        error = t.reload_error(bad)
        if not error:
            t.fail("a bad configuration was taken")
    t.run(100)
    t.counted()
    f.talk()
    flow(t, sport=40001).open().talk()


def case_system_needs_a_restart(t):
    f = flow(t).open()
    other = base(system={"memory": {"flowsPerWorker": 4096}})
    other = edit(other, services={"web": {"listeners": [listener("http", "TCP", 81, "web")]}})
    error = t.reload_error(other)
    if not error or "restart" not in error:
        t.fail(f"a change of `system` must say that it needs a restart: {error}")
    t.run(100)
    t.counted()
    f.talk()  # nothing of it was applied


def case_hundred_reloads_under_traffic_lose_nothing(t):
    f, u = flow(t).open(), dns(t)
    u.up(b"question")
    for i in range(100):
        t.reload(edit(base(), targetGroups={"web": {"targets": [
            target("10.0.0.5", weight=1 + i % 7), target("10.0.0.6")]}}))
        f.up(b"x", flags="PA", seq=1001, ack=5001)
        f.down(b"y", flags="PA", seq=5001, ack=1001, ms=30)
        u.down(b"z")


def case_nat_pool_changes(t):
    """Living flows keep their address while the VPC still has it."""
    f = flow(t).open()
    changed(t, edit(base(), vpcs={"red": {"natPool": [NAT_RED + "/32", "10.0.0.110/32"]}}))
    f.talk()
