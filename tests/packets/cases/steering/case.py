# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Ports that RSS steers: nothing is handed over while it is right, and one that is wrong 16 times
in a row is steered in software from then on. The rig hashes with DPDK's rte_softrss.
"""

import bulk
from marks import workers
from scapy.layers.inet import ICMP, IP
from topology import WEB, base

CONFIG = base()
RIG = {"rss": {"blue0": True, "red0": True}}
WORKERS = (2, 3)
LINE = "steered in software: 16 packets in a row came to the wrong worker port=blue0"


def met(t):
    client, server = t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5")
    t.meet(client, server)
    return client, server


def wrong(t):
    return sum(worker["rx_wrong_lcore"] for worker in t.read_counters()["workers"])


def handed(t, why):
    return sum(worker["handover"][why] for worker in t.read_counters()["workers"])


def steering(t, name="blue0"):
    port = next(port for port in t.rpc("show.ports")["ports"] if port["name"] == name)
    return port["steering"], port["steeringReason"]


def questions(t, client, owner, count):
    """`count` first packets of new flows that this worker owns."""
    frames = (bulk.udp(client, client.ip, sport, WEB, 53) for sport in range(20000, 60000))
    mine = (frame for frame in frames if t.queue_of(frame[1]) == owner)
    return [next(mine) for _ in range(count)]


def answered(t, client, server, frame, queue=None):
    """A question goes to the server and its answer, which RSS steers right, comes back."""
    t.inject([frame + (queue,)])
    outs = [bulk.seen(out) for out in t.run(0)]
    if len(outs) != 1 or outs[0].port != server.port:
        t.fail(f"question: {outs}")
    back = bulk.send(t, [bulk.udp(server, server.ip, 5353, outs[0].src, outs[0].sport)])
    if len(back) != 1 or back[0].port != client.port:
        t.fail(f"answer: {back}")


def case_right_queues_need_no_handover(t):
    """Both ways: the source port was chosen so that the answer comes home."""
    client, server = met(t)
    for sport in range(20000, 20100):
        answered(t, client, server, bulk.udp(client, client.ip, sport, WEB, 53))
    opened = bulk.Opened(t, client, server, WEB, 80, 8080, range(20000, 20050)).establish()
    if opened.alive() != set(range(20000, 20050)):
        t.fail("connections")
    counts = {why: handed(t, why) for why in ("unsteered", "icmp", "wrong_lcore", "transmit")}
    if wrong(t) != 0 or any(counts.values()):
        t.fail(f"wrong {wrong(t)}, handed over {counts}")


def case_pings_are_handed_over_and_nobody_is_blamed(t):
    """No NIC hashes the identifier."""
    client, _ = met(t)
    for ident in range(64):
        ping = IP(src=client.ip, dst="10.0.0.1") / ICMP(id=ident, seq=1) / b"ping"
        t.one(client.sends(ping), to=client, generated={"echo_reply": 1})
    if handed(t, "icmp") == 0 or wrong(t) != 0 or steering(t) != ("nic", ""):
        t.fail(f"{handed(t, 'icmp')} handed over, {wrong(t)} wrong, {steering(t)}")


def case_port_that_lies_is_demoted_once(t):
    """Worker 1 gets what worker 0 owns: 16 in a row, and nobody notices but the counters."""
    client, server = met(t)
    frames = questions(t, client, 0, 40)
    for frame in frames[:15]:
        answered(t, client, server, frame, queue=1)
    if wrong(t) != 15 or steering(t) != ("nic", "") or LINE in t.errors():
        t.fail(f"{wrong(t)} wrong, {steering(t)}")
    answered(t, client, server, frames[15], queue=1)
    if steering(t) != ("software", "16 packets in a row came to the wrong worker"):
        t.fail(f"{steering(t)}")
    if steering(t, "red0") != ("nic", ""):
        t.fail("red0 has not lied")
    if (wrong(t), handed(t, "wrong_lcore"), handed(t, "unsteered")) != (16, 16, 0):
        t.fail(f"{t.read_counters()['workers']}")
    # From now on nothing of blue0 is expected to be right.
    for frame in frames[16:]:
        answered(t, client, server, frame, queue=1)
    if (wrong(t), handed(t, "wrong_lcore"), handed(t, "unsteered")) != (16, 16, 24):
        t.fail(f"{t.read_counters()['workers']}")
    if t.errors().count(LINE) != 1:
        t.fail(f"{t.errors().count(LINE)} lines")


@workers(2)
def case_port_that_lies_to_every_worker_is_demoted(t):
    """New flows one at a time, all on the wrong queue: what the others hand over is right with its
    owner, but that is no merit of the port's.
    """
    client, server = met(t)
    frames = [pair for both in zip(questions(t, client, 0, 20), questions(t, client, 1, 20))
              for pair in both]
    for frame in frames:
        answered(t, client, server, frame, queue="wrong")
    if steering(t)[0] != "software" or t.errors().count(LINE) != 1:
        t.fail(f"{wrong(t)} wrong, {steering(t)}, {t.errors().count(LINE)} lines")


def case_one_right_packet_forgives(t):
    client, server = met(t)
    frames = questions(t, client, 0, 30)
    for frame in frames[:15]:
        answered(t, client, server, frame, queue=1)
    answered(t, client, server, questions(t, client, 1, 1)[0])
    for frame in frames[15:]:
        answered(t, client, server, frame, queue=1)
    if wrong(t) != 30 or steering(t) != ("nic", ""):
        t.fail(f"{wrong(t)} wrong, {steering(t)}")


@workers(2)
def case_known_flows_go_on_when_queues_change(t):
    """As after a driver's own reset of its table: connections that are open stay with their
    worker, whatever queue their packets come by, in both directions.
    """
    client, server = met(t)
    sports = range(20000, 20050)
    opened = bulk.Opened(t, client, server, WEB, 80, 8080, sports).establish()
    for _ in range(3):
        up = [opened.up_frame(sport, bulk.ACK, 1001, 5001) + ("wrong",) for sport in sports]
        t.inject(up)
        outs = [bulk.seen(out) for out in t.run(0)]
        if len(outs) != 50 or {out.port for out in outs} != {server.port}:
            t.fail(f"{len(outs)} of 50 to the server")
        t.inject([opened.down_frame(sport, bulk.ACK, 5001, 1001) + ("wrong",)
                  for sport in sports])
        if {bulk.seen(out).dport for out in t.run(0)} != set(sports):
            t.fail("not every client heard its server")
    if steering(t)[0] != "software" or steering(t, "red0")[0] != "software":
        t.fail(f"{steering(t)}, {steering(t, 'red0')}")
    drops, _ = t.counted()
    if drops:
        t.fail(f"{drops}")
