# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""A full flow table: what is given up early, in which order, and what never is."""

import os

from scapy.layers.inet import IP, TCP, UDP

import bulk
from topology import NAT_RED, WEB, base

SIZE = 1024               # the smallest there is
CROWDED = SIZE * 80 // 100
CONFIG = base(system={"memory": {"flowsPerWorker": SIZE}})


def ends(t):
    client, server = t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5")
    t.meet(client, server)
    return client, server


def opened(t, first, count, **fields):
    client, server = ends(t)
    return bulk.Opened(t, client, server, WEB, 80, 8080, range(first, first + count), **fields)


def case_established_flows_are_never_given_up(t):
    flows = opened(t, 10000, SIZE, whole=True)
    if len(flows.ports) != SIZE:
        t.fail(f"{len(flows.ports)} of {SIZE} flows")
    t.counted()
    client = flows.client
    t.told(client, IP(src=client.ip, dst=WEB) / TCP(sport=1, dport=80, flags="S", seq=1),
           3, 1, drop="flow_table_full")
    t.told(client, IP(src=client.ip, dst=WEB) / UDP(sport=1, dport=53) / b"x",
           3, 1, drop="flow_table_full")
    if len(flows.alive()) != SIZE:
        t.fail(f"{len(flows.alive())} of {SIZE} live")


def case_a_flood_of_syns_evicts_no_connection(t):
    flows = opened(t, 10000, 500, whole=True)
    t.host("blue0", "10.0.0.6")
    client = flows.client
    bulk.send(t, (bulk.tcp(client, "10.0.0.6", 1024 + i, WEB, 80, bulk.SYN)
                  for i in range(20000)))
    drops, _ = t.counted()
    if drops:
        t.fail(f"a half-open flow makes room for the next: {drops}")
    if len(flows.alive()) != 500:
        t.fail(f"{len(flows.alive())} of 500 live")
    t.counted()
    # And a real client still gets in.
    t.flow(client, flows.server, service=WEB, nat=NAT_RED, sport=500).open().talk()


def classes_after(t, new):
    """50 closed, 50 UDP without answer, 50 half-open, the rest established up to 80 %; then `new`
    connections. How many of the three kinds still live.
    """
    client, server = ends(t)
    t.host("blue0", "10.0.0.6")
    half = opened(t, 30000, 50)           # oldest, and still the last to go
    udp = bulk.send(t, [bulk.udp(client, client.ip, 20000 + i, WEB, 53) for i in range(50)])
    closed = opened(t, 10000, 50, whole=True).close()
    old = opened(t, 40000, CROWDED - 150, whole=True)
    fresh = opened(t, 50000, new, whole=True)
    drops, _ = t.counted()
    if drops:
        t.fail(f"{drops}")
    if len(fresh.alive()) != new or len(old.alive()) != CROWDED - 150:
        t.fail("an established flow is gone")
    replies = bulk.send(t, [bulk.udp(server, server.ip, 5353, out.src, out.sport)
                            for out in udp])
    answered = half.down(bulk.SYN_ACK, 5000, 1001)
    alive = len(closed.alive()), len(replies), len(answered)
    t.counted()
    return alive


def about(t, alive, expected):
    """Reclaiming may run one flow ahead."""
    for got, want in zip(alive, expected):
        if not want - 2 <= got <= want:
            t.fail(f"closed, UDP unanswered, half-open: {alive} live, expected {expected}")


def case_nothing_is_given_up_below_80_percent(t):
    about(t, classes_after(t, 0), (50, 50, 50))


def case_closed_flows_go_first(t):
    about(t, classes_after(t, 50), (0, 50, 50))


def case_then_udp_without_an_answer(t):
    about(t, classes_after(t, 100), (0, 0, 50))


def case_then_half_open_ones(t):
    about(t, classes_after(t, 150), (0, 0, 0))


def case_oldest_first(t):
    closed = opened(t, 10000, 100, whole=True).close()
    opened(t, 40000, CROWDED - 100, whole=True)
    opened(t, 50000, 50, whole=True)
    alive = closed.alive()
    t.counted()
    if not alive or min(alive) < 10048 or max(alive) != 10099:
        t.fail(f"alive: {sorted(alive)}")


def case_many_short_connections(t):
    """20 x (table / closing timeout) a second: the table is used over and over, none refused."""
    client, server = ends(t)
    rate = 20 * SIZE // 240
    seconds = 480 if os.environ.get("LATH_TEST_LONG") == "1" else 60
    sport = 1024
    for _ in range(seconds):
        sports = [1024 + (sport - 1024 + i) % 64000 for i in range(rate)]
        sport = sports[-1] + 1
        outs = bulk.send(t, [bulk.tcp(client, client.ip, s, WEB, 80, bulk.SYN) for s in sports])
        if len(outs) != rate:
            t.fail(f"{rate - len(outs)} of {rate} refused: {t.counted()[0]}")
        flows = [(s, out.src, out.sport) for s, out in zip(sports, outs)]
        steps = (("down", bulk.SYN_ACK, 5000, 1001), ("up", bulk.ACK, 1001, 5001),
                 ("up", bulk.FIN_ACK, 1001, 5001), ("down", bulk.FIN_ACK, 5001, 1002),
                 ("up", bulk.ACK, 1002, 5002))
        for way, flags, seq, ack in steps:
            frames = [bulk.tcp(client, client.ip, s, WEB, 80, flags, seq, ack) if way == "up"
                      else bulk.tcp(server, server.ip, 8080, nat, port, flags, seq, ack)
                      for s, nat, port in flows]
            if len(bulk.send(t, frames)) != rate:
                t.fail(f"a connection broke: {t.counted()[0]}")
        t.run(1000)
    drops, _ = t.counted()
    if drops:
        t.fail(f"{drops}")
