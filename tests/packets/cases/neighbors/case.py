# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Next hops: asked for, waited for, changed, lost; a flood of unknown ones hurts nobody."""

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Dot1Q

import bulk
from harness import dissect
from marks import raw, workers
from topology import NAT_RED, WEB, attachment, base, edit, group, vpc

CONFIG = base()


def asked(t, port, vlan=0):
    """Addresses asked for on a port since the list was cleared, probes left out."""
    found = []
    for out in t.arp_requests:
        frame = dissect(out.data)
        if out.port == port and (frame[Dot1Q].vlan if Dot1Q in frame else 0) == vlan and \
                frame[ARP].psrc not in ("0.0.0.0", frame[ARP].pdst):
            found.append(frame[ARP].pdst)
    return found


def question(client, dport=53, sport=4000):
    return client.sends(IP(src=client.ip, dst=WEB, id=1) / UDP(sport=sport, dport=dport) / b"?")


@raw
@workers(1, 2, 3)
def case_one_packet_waits_and_goes_when_the_answer_comes(t):
    t.load(CONFIG, settle_ms=0)
    client, server = t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5", answers=False)
    t.inject([question(client)])
    if t.run(0):
        t.fail("sent without a next hop")
    t.counted()
    if t.counters["held"] != 1:
        t.fail(f"one packet must wait: {t.counters}")
    # The second of the same flow finds the place taken.
    t.step(send=[question(client)], drops={"neighbor_pending": 1})
    t.hosts.append(server)
    t.inject([server.ether(server.mac, t.macs["red0"], ARP(
        op=2, hwsrc=server.mac, psrc=server.ip, hwdst=t.macs["red0"], pdst="10.0.0.1"))])
    outs = t.run(0)
    if len(outs) != 1 or outs[0].port != "red0":
        t.fail(f"the waiting packet must be sent, got {outs}")
    frame = dissect(outs[0].data)
    if (frame.dst, frame[IP].src, frame[IP].dst) != (server.mac, NAT_RED, server.ip):
        t.fail(frame.show(dump=True))
    if t.read_counters()["held"] != 0:
        t.fail("nothing may wait any more")


def case_target_that_never_answers(t):
    client = t.host("blue0", "10.0.0.5")
    t.run(20000)
    t.counted()
    t.inject([question(client)])
    t.run(10000)
    drops, _ = t.counted()
    if drops != {"neighbor_failed": 1}:
        t.fail(f"drops {drops}")
    t.step(drops={})
    if t.read_counters()["held"] != 0:
        t.fail("the packet is still held")
    t.step(send=[question(client)], ms=10000, drops={"neighbor_failed": 1})


def case_configured_next_hops_are_known_before_the_first_packet(t):
    server = t.host("red0", "10.0.0.5")
    t.run(40000)
    if server.ip not in asked(t, "red0"):
        t.fail(f"asked: {asked(t, 'red0')}")
    t.arp_requests.clear()
    t.flow(t.host("blue0", "10.0.0.5"), server, service=WEB, nat=NAT_RED).syn()
    if asked(t, "red0"):
        t.fail("asked again although it was known")


def case_question_is_right(t):
    t.host("red0", "10.0.0.5")
    t.run(5000)
    for out in t.arp_requests:
        frame = dissect(out.data)
        if out.port == "red0" and frame[ARP].pdst == "10.0.0.5":
            arp = frame[ARP]
            if (frame.dst, frame.src, arp.op, arp.hwsrc, arp.psrc, arp.hwdst) != (
                    "ff:ff:ff:ff:ff:ff", t.macs["red0"], 1, t.macs["red0"], "10.0.0.1",
                    "00:00:00:00:00:00"):
                t.fail(frame.show(dump=True))
            return
    t.fail("never asked")


def case_target_changes_its_mac(t):
    client, old = t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5")
    f = t.flow(client, old, service=WEB, nat=NAT_RED).open()
    t.hosts.remove(old)
    # It announces itself and takes over at once.
    f.server = t.host("red0", "10.0.0.5", mac="06:99:99:99:99:99")
    f.talk()


def case_target_changes_its_mac_in_silence(t):
    client, old = t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5")
    f = t.flow(client, old, service=WEB, nat=NAT_RED).open()
    t.hosts.remove(old)
    f.server = t.host("red0", "10.0.0.5", mac="06:99:99:99:99:99", answers=False)
    t.hosts.append(f.server)
    t.run(60000)  # found out when the neighbour is asked again
    f.talk()


def case_client_changes_its_mac(t):
    old, server = t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5")
    f = t.flow(old, server, service=WEB, nat=NAT_RED).open()
    t.hosts.remove(old)
    f.client = t.host("blue0", "10.0.0.5", mac="06:99:99:99:99:99")
    f.talk()


def case_answers_for_strangers_change_nothing(t):
    """An ARP reply in another VPC for the same address is another neighbour's."""
    client, server = t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5")
    f = t.flow(client, server, service=WEB, nat=NAT_RED).open()
    t.host("trunk0", "10.0.0.5", vlan=200, mac="06:99:99:99:99:99")
    f.talk()


def wide():
    """A /16 of targets' clients that nobody answers for, and a small neighbour table."""
    return base(
        vpcs=[vpc("blue", [attachment("blue0", "10.0.0.1/16")], prefixes=["10.0.0.0/16"]),
              vpc("red", [attachment("red0", "10.0.0.1/24")], natPool=[NAT_RED + "/32"]),
              vpc("green", [attachment("trunk0", "10.0.0.1/24", vlan=100)])],
        system={"memory": {"maxNeighbors": 16}})


def case_a_flood_of_unknown_neighbours_hurts_nobody(t):
    client, server = t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5")
    f = t.flow(client, server, service=WEB, nat=NAT_RED).open()
    # Each forged client gets an answer of the target that has nowhere to go.
    spoofed = [f"10.0.{i // 200 + 1}.{i % 200 + 1}" for i in range(400)]
    for source in spoofed:
        t.inject([bulk.udp(client, source, 4000, WEB, 53)])
        for out in t.run(0):
            one = bulk.seen(out)
            if one.port == "red0":
                t.inject([bulk.udp(server, server.ip, 5353, one.src, one.sport)])
                t.run(0)
    if t.saw(drop="neighbor_table_full") == 0:
        t.fail("the table never filled")
    f.talk()
    t.run(60000)
    t.counted()
    f.talk()


case_a_flood_of_unknown_neighbours_hurts_nobody.config = wide()


def case_new_target_is_resolved_after_a_reload(t):
    t.host("red0", "10.0.0.6")
    t.arp_requests.clear()
    t.reload(edit(base(), targetGroups={"web": {
        "targets": group("web", "red", "TCP", 8080, ["10.0.0.5", "10.0.0.6"])["targets"]}}))
    t.run(5000)
    if "10.0.0.6" not in asked(t, "red0"):
        t.fail(f"asked: {asked(t, 'red0')}")
