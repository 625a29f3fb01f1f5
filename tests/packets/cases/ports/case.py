# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Source ports: every one of them, shared out over workers, resting, and run out of."""

from scapy.layers.inet import IP, TCP, UDP

import bulk
from marks import config, long_only, workers
from topology import NAT_RED, WEB, base, edit

ALL = 64512  # 1024..65535
CONFIG = base(system={"memory": {"flowsPerWorker": 131072}},
              timeouts={"tcpClosingSeconds": 1, "tcpHalfOpenSeconds": 3600,
                        "udpUnansweredSeconds": 3600})


def ends(t):
    return t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5")


def fill(t, count, proto="tcp"):
    """`count` flows of one client to one target; (NAT, port) of each that got through."""
    client, server = ends(t)
    t.meet(client, server)
    make = {"tcp": lambda s: bulk.tcp(client, client.ip, s, WEB, 80, bulk.SYN),
            "udp": lambda s: bulk.udp(client, client.ip, s, WEB, 53)}[proto]
    outs = bulk.send(t, (make(1024 + i) for i in range(count)))
    return [(out.src, out.sport) for out in outs if out.port == server.port]


def early(t):
    """How often a port was used before its rest was over."""
    return sum(worker["flows"]["portsReusedEarly"] for worker in t.rpc("show.workers")["workers"])


def case_all_ports_of_one_address_and_target(t):
    #= RFC4787#REQ-3a RFC4787#REQ-4 type=exception reason=Ports are random from 1024 up, of any parity:
    #= those below are for the gateway's own probes, and RFC 7857 section 8 needs no parity.
    #= RFC6888#REQ-13: 64,512 flows, and the next one is refused.
    client, server = ends(t)
    got = fill(t, ALL - 1)
    f = t.flow(client, server, service=WEB, nat=NAT_RED, sport=500)
    t.counted()
    f.open().talk()
    used = set(got) | {(f.nat, f.nport)}
    if len(used) != ALL or {port for _, port in used} != set(range(1024, 65536)):
        t.fail(f"{len(got) + 1} flows have {len(used)} ports")  #= RFC4787#REQ-3 RFC5382#REQ-7
    t.told(client, IP(src=client.ip, dst=WEB) / TCP(sport=501, dport=80, flags="S", seq=1),
           3, 1, drop="snat_exhausted")
    # The gauges say so: every port of the pool, and that its fullest one was full.
    fullest = max(t.rpc("show.nat")["pools"], key=lambda pool: pool["portsInUse"])
    if fullest["portsInUse"] != ALL or fullest["portsHighWater"] != ALL or \
            fullest["fullestPoolHighWaterPermille"] != 1000:
        t.fail(f"gauges {fullest}")
    # Only this NAT address and target: another target of the same VPC has all its ports.
    dns = t.flow(client, server, service=WEB, nat=NAT_RED, proto=UDP, dport=53, tport=5353)
    dns.up(b"question")
    dns.down(b"answer")
    f.talk()
    # The client closes first: the port rests 2 s and is then simply free.
    was = early(t)
    f.close()
    t.run(8000)
    t.counted()
    g = t.flow(client, server, service=WEB, nat=NAT_RED, sport=502).open()
    if g.nport != f.nport or early(t) != was:
        t.fail(f"port {g.nport}, free was {f.nport}; early {was} -> {early(t)}")
    # The target closes first: it sits in TIME_WAIT, the port rests 60 s and is used early.
    g.close(first="target")
    t.run(8000)
    t.counted()
    h = t.flow(client, server, service=WEB, nat=NAT_RED, sport=503).open()
    if h.nport != f.nport or early(t) != was + 1:
        t.fail(f"port {h.nport}, resting was {f.nport}; early {was} -> {early(t)}")
    h.close(first="target")
    t.run(75000)
    t.counted()
    t.flow(client, server, service=WEB, nat=NAT_RED, sport=504).open()
    if early(t) != was + 1:
        t.fail("60 s are over, nothing is early any more")


def nearly_full(t):
    """Log lines and warnings of status about it."""
    text = "four fifths of a worker's source ports to a target are in use"
    warnings = [one["text"] for one in t.rpc("status")["warnings"]]
    return t.errors().count(text), [one for one in warnings if one.startswith("source ports")]


def case_four_fifths_are_noticed(t):
    """One log line, and status warns, with the 51,610th flow of 64,512."""
    client, server = ends(t)
    fill(t, ALL * 4 // 5)
    if nearly_full(t) != (0, []):
        t.fail(f"too early: {nearly_full(t)}")
    bulk.send(t, [bulk.tcp(client, client.ip, 500, WEB, 80, bulk.SYN)])
    lines, warnings = nearly_full(t)
    if lines != 1 or len(warnings) != 1 or \
            "towards 10.0.0.5 port 8080 in VPC red are 80 % used" not in warnings[0]:
        t.fail(f"{lines} lines, {warnings}")
    for sport in range(501, 521):  # more of the same says nothing new
        bulk.send(t, [bulk.tcp(client, client.ip, sport, WEB, 80, bulk.SYN)])
    if nearly_full(t)[0] != 1:
        t.fail(f"{nearly_full(t)}")


def case_udp_is_refused_too(t):
    client, _ = ends(t)
    got = fill(t, ALL, "udp")
    if len(set(got)) != ALL:
        t.fail(f"{len(set(got))} of {ALL} ports")
    t.counted()
    t.told(client, IP(src=client.ip, dst=WEB) / UDP(sport=1, dport=53) / b"x",
           3, 1, drop="snat_exhausted")


case_udp_is_refused_too.long_only = True


@config(edit(CONFIG, vpcs={"red": {"natPool": ["10.0.0.100/31"]}}))
def case_next_address_of_the_pool_takes_over(t):
    #= RFC7857#4
    client, server = ends(t)
    got = fill(t, ALL)
    if len(set(got)) != ALL:
        t.fail(f"{len(set(got))} of {ALL} ports")
    nats = {nat for nat, _ in got}
    if len(nats) != 1:
        t.fail(f"one client keeps one NAT address while it has ports, not {nats}")
    t.counted()
    f = t.flow(client, server, service=WEB, nat=["10.0.0.100", "10.0.0.101"], sport=500)
    f.open().talk()
    if f.nat in nats:
        t.fail("the first address is exhausted")


@config(edit(base(), vpcs={"red": {"natPool": ["10.0.0.96/29", "10.0.0.120/32"]}}))
def case_one_client_keeps_one_nat_address(t):
    #= RFC4787#REQ-2 RFC6888#REQ-2 RFC6888#REQ-3: paired, from a pool of two ranges.
    server = t.host("red0", "10.0.0.5")
    pool = [f"10.0.0.{i}" for i in range(96, 104)] + ["10.0.0.120"]
    seen = set()
    for last in range(10, 50):
        client = t.host("blue0", f"10.0.0.{last}")
        flows = [t.flow(client, server, service=WEB, nat=pool, sport=s) for s in (1, 2, 3)]
        for f in flows:
            f.syn()
        if len({f.nat for f in flows}) != 1:
            t.fail(f"{client} has {({f.nat for f in flows})}")
        seen.add(flows[0].nat)
    if len(seen) < 6:
        t.fail(f"40 clients on {seen}")


def case_ports_are_not_in_a_row(t):
    #= RFC7857#9 RFC4787#REQ-3b
    #= RFC6888#REQ-15, RFC 6056: hard to guess.
    ports = [port for _, port in fill(t, 512, "udp")]
    steps = {(b - a) for a, b in zip(ports, ports[1:])}
    if len(steps) < 400:
        t.fail(f"{len(steps)} different steps in 511")
    below = sum(port < 1024 + ALL // 2 for port in ports)
    if not 180 <= below <= 332:  # 256 expected, deviation 11.3
        t.fail(f"{below} of 512 in the lower half")


def shared(t):
    """55,000 flows of one client to one target all live on several workers."""
    client, server = ends(t)
    got = fill(t, 55000)
    t.counted()
    if len(set(got)) != 55000:
        t.fail(f"{len(set(got))} ports for 55,000 flows")
    # Every reply finds its worker and its client.
    back = bulk.send(t, (bulk.tcp(server, server.ip, 8080, nat, port, bulk.SYN_ACK, 5000, 1001)
                         for nat, port in got))
    if {out.dport for out in back if out.port == client.port} != set(range(1024, 1024 + 55000)):
        t.fail(f"{len(back)} replies came back")


@workers(2)
def case_55000_flows_on_two_workers(t):
    shared(t)


@workers(3)
@long_only
def case_55000_flows_on_three_workers(t):
    shared(t)
