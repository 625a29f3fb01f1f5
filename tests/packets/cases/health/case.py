# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Targets that go down, come back and are taken away."""

from scapy.layers.inet import IP, TCP, UDP
from harness import dissect
from marks import workers
from topology import NAT_RED, WEB, base, edit, target

BOTH = [target("10.0.0.5"), target("10.0.0.6")]
CHECK = {"enabled": True, "protocol": "TCP"}


def two(**fields):
    conf = edit(base(), targetGroups={
        "web": {"targets": BOTH, **fields}, "dns": {"targets": BOTH, **fields}})
    for one in conf["targetGroups"]:
        one["config"]["healthCheck"] = CHECK
    return conf


CONFIG = two()


def ready(t):
    """Everybody healthy, next hops known."""
    t.host("blue0", "10.0.0.5")
    servers = {ip: t.host("red0", ip) for ip in ("10.0.0.5", "10.0.0.6")}
    t.run(3000)
    for port in (8080, 5353):
        for ip in servers:
            t.health(f"{ip}:{port}", "healthy")
    t.run(100)
    t.counted()
    return servers


def flows_to(t, servers, ip, proto=TCP, count=2, first=10000):
    """Flows that the gateway sent to this target, opened."""
    client, found = t.host("blue0", "10.0.0.5"), []
    tport, dport = (8080, 80) if proto is TCP else (5353, 53)
    for sport in range(first, first + 200):
        l4 = TCP(sport=sport, dport=80, flags="S", seq=1000) if proto is TCP else \
            UDP(sport=sport, dport=53) / b"?"
        t.inject([client.sends(IP(src=client.ip, dst=WEB) / l4)])
        for out in t.run(0):
            frame = dissect(out.data)
            if frame[IP].dst == ip and len(found) < count:
                f = t.flow(client, servers[ip], service=WEB, nat=NAT_RED, proto=proto,
                           sport=sport, dport=dport, tport=tport)
                f.nat, f.nport = frame[IP].src, frame.sport
                found.append(f)
        if len(found) == count:
            break
    t.counted()
    for f in found:
        if proto is TCP:
            f.down(flags="SA", seq=5000, ack=1001)
            f.up(flags="A", seq=1001, ack=5001)
        else:
            f.down(b"answer")
    if len(found) < count:
        t.fail(f"{len(found)} flows to {ip} in 200")
    return found


def retransmitted_syn(t, answered):
    """A SYN to 10.0.0.5, whose SYN-ACK the client may never have got, comes again after its death."""
    servers = ready(t)
    client = t.host("blue0", "10.0.0.5")

    def passes_on(sport):
        t.inject([client.sends(IP(src=client.ip, dst=WEB) /
                               TCP(sport=sport, dport=80, flags="S", seq=1000))])
        return [dissect(out.data)[IP] for out in t.run(0)]

    def target_of(sport):
        return [ip.dst for ip in passes_on(sport)]

    sport = next(s for s in range(20000, 20200) if target_of(s) == ["10.0.0.5"])
    seen = passes_on(sport)
    if [ip.dst for ip in seen] != ["10.0.0.5"]:
        t.fail("a retransmission goes where the SYN went while the target is healthy")
    if answered:
        f = t.flow(client, servers["10.0.0.5"], service=WEB, nat=NAT_RED, sport=sport)
        f.nat, f.nport = seen[0].src, seen[0].sport
        t.counted()
        f.down(flags="SA", seq=5000, ack=1001)
    t.health("10.0.0.5:8080", "unhealthy")
    t.run(100)
    again = target_of(sport)
    t.counted()
    if again != ["10.0.0.6"]:
        t.fail(f"retransmitted to {again}")


def case_unanswered_syn_leaves_a_target_that_went_down(t):
    # A retransmission of a SYN that nobody answered need not wait for a target that has left.
    retransmitted_syn(t, answered=False)


def case_syn_that_comes_again_leaves_a_target_that_went_down(t):
    # The target did answer; the client asks again, so the SYN-ACK was lost behind the gateway.
    retransmitted_syn(t, answered=True)


def new_targets(t, count=60, proto=TCP, first=30000):
    client = t.host("blue0", "10.0.0.5")
    seen = set()
    for sport in range(first, first + count):
        l4 = TCP(sport=sport, dport=80, flags="S", seq=1) if proto is TCP else \
            UDP(sport=sport, dport=53) / b"?"
        t.inject([client.sends(IP(src=client.ip, dst=WEB) / l4)])
        seen |= {dissect(out.data)[IP].dst for out in t.run(0)}
    t.counted()
    return seen


def state(t, target_name, value):
    t.health(target_name, value)
    t.run(100)
    t.counted()


def repicked(t, f, servers, ip):
    """The next packet of a UDP flow goes to another target; from then on it is a flow there."""
    other = t.flow(f.client, servers[ip], service=WEB, nat=NAT_RED, proto=UDP, sport=f.sport,
                   dport=f.dport, tport=f.tport)
    other.up(b"to another one")
    other.down(b"which answers")
    return other


@workers(1, 2)
def case_unhealthy_target_gets_no_new_flow(t):
    ready(t)
    if new_targets(t) != {"10.0.0.5", "10.0.0.6"}:
        t.fail("both targets should be used")
    state(t, "10.0.0.5:8080", "unhealthy")
    if new_targets(t, first=31000) != {"10.0.0.6"}:
        t.fail("an unhealthy target was chosen")
    state(t, "10.0.0.5:8080", "healthy")
    if new_targets(t, first=32000) != {"10.0.0.5", "10.0.0.6"}:
        t.fail("a healthy target is not chosen")


@workers(1, 2)
def case_tcp_stays_with_an_unhealthy_target(t):
    servers = ready(t)
    f, = flows_to(t, servers, "10.0.0.5", count=1)
    g, = flows_to(t, servers, "10.0.0.6", count=1, first=11000)
    state(t, "10.0.0.5:8080", "unhealthy")
    f.talk()
    g.talk()


@workers(1, 2)
def case_udp_leaves_an_unhealthy_target(t):
    servers = ready(t)
    f, = flows_to(t, servers, "10.0.0.5", UDP, 1)
    g, = flows_to(t, servers, "10.0.0.6", UDP, 1, first=11000)
    state(t, "10.0.0.5:5353", "unhealthy")
    moved = repicked(t, f, servers, "10.0.0.6")
    g.up(b"others do not move")
    g.down(b"indeed")
    state(t, "10.0.0.5:5353", "healthy")
    moved.up(b"stays")
    moved.down(b"here")


def case_all_unhealthy_is_fail_open(t):
    servers = ready(t)
    f, = flows_to(t, servers, "10.0.0.5", count=1)
    u, = flows_to(t, servers, "10.0.0.5", UDP, 1)
    for port in (8080, 5353):
        for ip in servers:
            state(t, f"{ip}:{port}", "unhealthy")
    if new_targets(t) != {"10.0.0.5", "10.0.0.6"}:
        t.fail("fail open: every target takes flows")
    f.talk()
    u.up(b"where else")


def case_first_result_beats_none(t):
    """A target without a result gets traffic only while its group has no healthy one."""
    t.host("blue0", "10.0.0.5")
    for ip in ("10.0.0.5", "10.0.0.6"):
        t.host("red0", ip)
    t.run(3000)
    if new_targets(t) != {"10.0.0.5", "10.0.0.6"}:
        t.fail("without results everybody is used")
    state(t, "10.0.0.6:8080", "healthy")
    if new_targets(t, first=31000) != {"10.0.0.6"}:
        t.fail("one is healthy, the other unknown")
    state(t, "10.0.0.6:8080", "unhealthy")
    if "10.0.0.5" not in new_targets(t, first=32000):
        t.fail("the unknown one is better than the unhealthy one")


def case_results_survive_a_reload(t):
    ready(t)
    state(t, "10.0.0.5:8080", "unhealthy")
    t.reload(edit(two(), services={"web": {"idleTimeoutSeconds": 90}}))
    t.run(100)
    t.counted()
    if new_targets(t) != {"10.0.0.6"}:
        t.fail("the result was forgotten")


def ended(t, f, drop):
    t.inject([f.sends_up(b"data", flags="PA", seq=1001, ack=5001)])
    outs = t.run()
    t.check_counts({drop: 1}, {"rst": 2})
    if sorted(out.port for out in outs) != ["blue0", "red0"] or \
            any("R" not in dissect(out.data)[TCP].flags for out in outs):
        t.fail(f"{[dissect(out.data).summary() for out in outs]}")


def case_connection_termination(t):
    servers = ready(t)
    f, g = flows_to(t, servers, "10.0.0.5", count=2)
    other, = flows_to(t, servers, "10.0.0.6", count=1, first=11000)
    state(t, "10.0.0.5:8080", "unhealthy")
    ended(t, f, drop="target_terminated")
    ended(t, g, drop="target_terminated")
    other.talk()


case_connection_termination.config = two(connectionTermination=True)


def without(ip, **fields):
    left = [one for one in BOTH if one["id"] != ip]
    return edit(two(**fields), targetGroups={"web": {"targets": left}, "dns": {"targets": left}})


def case_deregistered_target_drains(t):
    servers = ready(t)
    f, = flows_to(t, servers, "10.0.0.5", count=1)
    u, = flows_to(t, servers, "10.0.0.5", UDP, 1)
    t.reload(without("10.0.0.5"))
    t.run(100)
    t.counted()
    if new_targets(t) != {"10.0.0.6"}:
        t.fail("a deregistered target got a new flow")
    f.talk()
    u.up(b"draining")
    u.down(b"still here")
    t.run(50000)
    t.counted()
    u.up(b"still draining")
    u.down(b"still here")
    t.run(15000)   # the delay of 60 s is over
    t.counted()
    f.talk()
    repicked(t, u, servers, "10.0.0.6")


def case_draining_of_zero_seconds(t):
    servers = ready(t)
    f, = flows_to(t, servers, "10.0.0.5", count=1)
    u, = flows_to(t, servers, "10.0.0.5", UDP, 1)
    t.reload(without("10.0.0.5", deregistrationDelaySeconds=0))
    t.run(1000)
    t.counted()
    f.talk()
    repicked(t, u, servers, "10.0.0.6")


case_draining_of_zero_seconds.config = two(deregistrationDelaySeconds=0)


def case_draining_with_termination(t):
    servers = ready(t)
    f, = flows_to(t, servers, "10.0.0.5", count=1)
    t.reload(without("10.0.0.5", connectionTermination=True, deregistrationDelaySeconds=5))
    t.run(3000)
    t.counted()
    f.talk()
    t.run(4000)
    t.counted()
    ended(t, f, drop="target_terminated")


case_draining_with_termination.config = two(connectionTermination=True,
                                            deregistrationDelaySeconds=5)


def case_registered_again_while_draining(t):
    servers = ready(t)
    f, = flows_to(t, servers, "10.0.0.5", count=1)
    t.reload(without("10.0.0.5"))
    t.run(10000)
    t.reload(two())
    t.run(100)
    t.health("10.0.0.5:8080", "healthy")
    t.run(70000)
    t.counted()
    f.talk()
    if new_targets(t) != {"10.0.0.5", "10.0.0.6"}:
        t.fail("registered again, but not used")


def case_rolling_replacement_of_every_target(t):
    """New targets in, old ones out, one by one: connections of each generation go on."""
    conf = edit(base(), targetGroups={"web": {"targets": [target("10.0.0.5")]}})
    client, flows = t.host("blue0", "10.0.0.5"), []
    for i in range(5, 12):
        server = t.host("red0", f"10.0.0.{i}")
        t.reload(edit(conf, targetGroups={"web": {"targets": [target(server.ip)]}}))
        t.run(2000)
        t.counted()
        flows.append(t.flow(client, server, service=WEB, nat=NAT_RED, sport=10000 + i).open())
        for f in flows:
            f.talk()
