# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""What has no room: full rings and queues, no buffers, and the end with packets in hand."""

import bulk
from marks import linear, raw, rig, workers
from scapy.layers.l2 import Ether
from topology import WEB, base, edit

CONFIG = base()
RING = 2047  # packets that a ring between two workers holds


def others(t, client):
    """A packet of no service that worker 1 owns."""
    frames = (bulk.udp(client, client.ip, sport, "198.18.9.9", 53) for sport in range(1, 1000))
    return next(frame for frame in frames if t.queue_of(frame[1]) == 1)


@workers(2)
def case_ring_to_a_worker_that_does_not_run_fills(t):
    client = t.host("blue0", "10.0.0.5")
    frame = others(t, client) + (0,)
    for _ in range(10):
        t.inject([frame] * 210)
    t.turn(worker=0, count=70)
    t.step(drops={"handover_full": 2100 - RING, "no_service": RING})


@rig(tx_ring={"red0": 16})
def case_full_transmit_queue_drops(t):
    client, server = t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5")
    t.meet(client, server)
    frame = bulk.udp(client, client.ip, 1000, WEB, 53)
    bulk.send(t, [frame])
    t.counted()
    t.inject([frame] * 32)
    outs = t.run()
    t.check_counts(drops={"tx_full": 17}, generated={})
    if len(outs) != 15:
        t.fail(f"{len(outs)} of 15")


@linear("counts buffers, of which a frame would take several")
@rig(buffers=32)
def case_no_buffer_for_an_answer_loses_nothing(t):
    """A right taken away is told to both sides; without a buffer for the second RST only the one
    goes out that the packet itself becomes, and nothing is lost or counted twice.
    """
    client, server = t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5")
    t.meet(client, server)
    flow = bulk.Opened(t, client, server, WEB, 80, 8080, [500]).establish()
    t.reload(edit(CONFIG, vpcAssociations={"main-blue": None}))
    t.run()
    t.counted()
    noise = ("red0", bytes(Ether(src=server.mac, dst="02:ff:ff:ff:ff:ff") / (b"\0" * 46)))
    t.inject([flow.up_frame(500, bulk.ACK, 1001, 5001)])
    count = 0
    while "error" not in t.call({"op": "inject", "port": noise[0], "hex": noise[1].hex()}):
        count += 1
    outs = t.run()
    t.check_counts({"revoked": 1, "not_for_us": count}, {"rst": 1})
    told = [bulk.seen(out) for out in outs]
    if [(one.port, one.flags & bulk.RST) for one in told] != [("red0", bulk.RST)]:
        t.fail(f"{told}")


@raw
@workers(2)
def case_packets_in_hand_at_the_end_are_counted(t):
    """One waits for a next hop that has not answered, three for a worker that does not run."""
    t.load(CONFIG, settle_ms=0)
    client = t.host("blue0", "10.0.0.5")
    t.step(send=[bulk.udp(client, client.ip, 1000, WEB, 53)])
    t.inject([others(t, client) + (0,)] * 3)
    t.turn(worker=0)
    t.stop()
    t.check_counts(drops={"shutdown": 4}, generated={})
    if t.counters["held"] != 0:
        t.fail(f"{t.counters['held']} held")
