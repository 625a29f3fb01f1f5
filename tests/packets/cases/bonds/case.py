# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""A bond is one port: DPDK's bonding driver over two ring ports each, any number of workers."""

import time

import bulk
from marks import rig, workers
from topology import WEB, base

CONFIG = base()
RIG = {"bonds": {"red0": "mode=2,xmit_policy=l34"}}  # balance: both members, both ways
WORKERS = (1, 2)
SLOW_PROTOCOLS = b"\x88\x09"  # IEEE 802.3 annex 57A: LACP among others


def met(t):
    client, server = t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5")
    t.meet(client, server)
    return client, server


def case_packets_pass_by_either_member(t):
    client, server = met(t)
    sports = range(20000, 20200)
    t.inject([bulk.udp(client, client.ip, sport, WEB, 53) for sport in sports])
    outs = t.run(0)
    if len(outs) != 200 or {out.port for out in outs} != {"red0"}:
        t.fail(f"{len(outs)} of 200")
    if {out.member for out in outs} != {0, 1}:
        t.fail("sent by one member only")
    asked = [bulk.seen(out) for out in outs]
    t.inject([bulk.udp(server, server.ip, 5353, one.src, one.sport) + (None, i & 1)
              for i, one in enumerate(asked)])
    back = [bulk.seen(out) for out in t.run(0)]
    if {out.dport for out in back} != set(sports):
        t.fail(f"{len(back)} of 200 answers")
    drops, _ = t.counted()
    if drops:
        t.fail(f"{drops}")


@rig(bonds={"red0": "mode=1"})
def case_active_backup_uses_its_active_member(t):
    client, server = met(t)
    t.inject([bulk.udp(client, client.ip, sport, WEB, 53) for sport in range(20000, 20100)])
    outs = t.run(0)
    if len(outs) != 100 or {(out.port, out.member) for out in outs} != {("red0", 0)}:
        t.fail(f"{len(outs)} of 100 on {({out.member for out in outs})}")
    asked = [bulk.seen(out) for out in outs]
    back = bulk.send(t, [bulk.udp(server, server.ip, 5353, one.src, one.sport) for one in asked])
    if {out.dport for out in back} != set(range(20000, 20100)):
        t.fail(f"{len(back)} of 100 answers")


def case_bond_is_shown_with_its_steering(t):
    port = next(port for port in t.rpc("show.ports")["ports"] if port["name"] == "red0")
    if (port["driver"], port["steering"]) != ("net_bonding", "software"):
        t.fail(f"{port}")
    if port["offloads"] != []:
        t.fail(f"{port['offloads']}")


@workers(2)
@rig(bonds={"red0": "mode=4"})
def case_idle_bond_still_speaks_lacp(t):
    """802.3ad sends within transmit bursts: without traffic there must be empty ones. The driver's
    timer is real time, so this waits for it, some tenths of a second.
    """
    members = set()
    for _ in range(20):
        time.sleep(0.1)
        members |= {out.member for out in t.run(100) if out.data[12:14] == SLOW_PROTOCOLS}
        if members == {0, 1}:
            return
    t.fail(f"LACP on members {members} only")
