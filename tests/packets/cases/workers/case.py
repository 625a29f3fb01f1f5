# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Several workers: hand-over, one owner for both directions, the same results as with one."""

import random

from scapy.layers.inet import IP, UDP

import bulk
from harness import dissect
from marks import workers
from topology import NAT_RED, WEB, base

CONFIG = base(limits={"refusalsPerSecond": 100000})
WORKERS = (1, 2, 3)


def met(t):
    client, server = t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5")
    t.meet(client, server)
    return client, server


def exchanged(t, frames, queue=None):
    rng = random.Random(4)
    sent = [frame + ((rng.randrange(t.workers) if queue is None else queue),)
            for frame in frames]
    outs = []
    for first in range(0, len(sent), 64):
        t.inject(sent[first:first + 64])
        outs += t.run(0)
    return outs


def case_any_queue_will_do(t):
    """Frames arrive on queues at random, both ways, and every one gets through."""
    client, server = met(t)
    ports = range(10000, 10300)
    outs = exchanged(t, [bulk.udp(client, client.ip, s, WEB, 53, b"%d" % s) for s in ports])
    flows = {}
    for out in outs:
        frame = dissect(out.data)
        flows[int(bytes(frame[UDP].payload))] = frame[IP].src, frame.sport
    if set(flows) != set(ports) or len(set(flows.values())) != len(flows):
        t.fail(f"{len(flows)} flows of {len(ports)}, {len(set(flows.values()))} ports")
    for _ in range(3):
        back = exchanged(t, [bulk.udp(server, server.ip, 5353, nat, port, b"%d" % s)
                             for s, (nat, port) in flows.items()])
        found = {dissect(out.data).dport: int(bytes(dissect(out.data)[UDP].payload))
                 for out in back if out.port == "blue0"}
        if found != {s: s for s in ports}:
            t.fail(f"{len(found)} replies of {len(ports)}, or to the wrong client")
        again = exchanged(t, [bulk.udp(client, client.ip, s, WEB, 53, b"%d" % s) for s in ports])
        for out in again:
            frame = dissect(out.data)
            if flows[int(bytes(frame[UDP].payload))] != (frame[IP].src, frame.sport):
                t.fail("a flow changed its source port")
    drops, _ = t.counted()
    if drops:
        t.fail(f"{drops}")


def case_every_worker_has_flows(t):
    client, server = met(t)
    outs = bulk.send(t, [bulk.udp(client, client.ip, s, WEB, 53) for s in range(10000, 10600)])
    if len(outs) != 600 or any(out.port != server.port for out in outs):
        t.fail(f"{len(outs)} of 600")
    per_worker = [one.get("sent", 0) for one in t.read_counters().get("workers", ())]
    if per_worker and (len(per_worker) != t.workers or min(per_worker) == 0):
        t.fail(f"sent per worker: {per_worker}")


def case_refusals_and_drops_on_every_queue(t):
    client = t.host("blue0", "10.0.0.5")
    frames = [bulk.udp(client, client.ip, s, WEB, 54) for s in range(100)]
    frames += [bulk.tcp(client, client.ip, s, WEB, 81, bulk.SYN) for s in range(100)]
    frames += [bulk.udp(client, client.ip, s, "198.18.0.11", 53) for s in range(100)]
    t.counted()
    outs = exchanged(t, frames)
    t.check_counts({"no_listener": 200, "no_service": 100}, {"rst": 100, "icmp_unreachable": 100})
    if len(outs) != 200:
        t.fail(f"{len(outs)} answers of 200")


def case_connections_end_to_end_on_one_queue(t):
    """All frames on queue 0, whatever RSS would say."""
    client, server = met(t)
    for sport in range(10000, 10060):
        outs = exchanged(t, [bulk.tcp(client, client.ip, sport, WEB, 80, bulk.SYN)], queue=0)
        one = bulk.seen(outs[0])
        outs = exchanged(t, [bulk.tcp(server, server.ip, 8080, one.src, one.sport, bulk.SYN_ACK,
                                      5000, 1001)], queue=0)
        back = bulk.seen(outs[0])
        if (back.port, back.dport, back.src) != ("blue0", sport, WEB):
            t.fail(f"{back}")
    drops, _ = t.counted()
    if drops:
        t.fail(f"{drops}")
    if NAT_RED != one.src:
        t.fail(f"source {one.src}")


@workers(3)
def case_order_within_a_flow(t):
    """Handed over or not, packets of one flow that came on one queue stay in order."""
    client, _ = met(t)
    ports = range(10000, 10020)
    bulk.send(t, [bulk.udp(client, client.ip, s, WEB, 53) for s in ports])
    for queue in range(3):
        frames = [bulk.udp(client, client.ip, s, WEB, 53, b"%d %d" % (s, i))
                  for i in range(12) for s in ports]
        seen = {}
        for out in exchanged(t, frames, queue=queue):
            s, i = map(int, bytes(dissect(out.data)[UDP].payload).split())
            seen.setdefault(s, []).append(i)
        if seen != {s: list(range(12)) for s in ports}:
            t.fail(f"out of order or lost: {seen}")
