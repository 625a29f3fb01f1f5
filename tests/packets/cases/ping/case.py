# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""ICMP echo: own addresses, service addresses, forwarded."""

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from harness import dissect
from marks import workers
from topology import NAT_RED, WEB, base, edit

CONFIG = base()
DROP = edit(base(), services={"web": {"icmpEcho": "drop"}})
FORWARD = edit(base(), services={"web": {"icmpEcho": "forward"}})


def answered(t, host, dst, payload=b"abcdefgh", **icmp):
    """TTL and id of the answer are the gateway's to choose; all else is given."""
    fields = {"type": 8, "id": 77, "seq": 1, **icmp}
    packet = IP(src=host.ip, dst=dst, id=9) / ICMP(**fields) / Raw(payload)
    frame = t.one(host.sends(packet), host, generated={"echo_reply": 1})
    expect = dissect(host.gets(IP(src=dst, dst=host.ip, ttl=frame[IP].ttl, id=frame[IP].id,
                                  flags=frame[IP].flags, tos=frame[IP].tos) /
                               ICMP(**{**fields, "type": 0}) / Raw(payload))[1])
    if bytes(frame) != bytes(expect):
        t.fail(f"expected\n{expect.show2(dump=True)}\ngot\n{frame.show2(dump=True)}")
    if not 32 <= frame[IP].ttl <= 255:
        t.fail(f"TTL {frame[IP].ttl}")


@workers(1, 2, 3)
def case_own_address(t):
    answered(t, t.host("blue0", "10.0.0.5"), "10.0.0.1")
    answered(t, t.host("trunk0", "10.0.0.5", vlan=200), "10.0.0.1")
    answered(t, t.host("blue0", "10.0.0.5"), "10.0.0.1", b"")
    answered(t, t.host("blue0", "10.0.0.5"), "10.0.0.1", b"odd length")
    answered(t, t.host("blue0", "10.0.0.5"), "10.0.0.1", b"z" * 1472)


def case_own_address_takes_nothing_else(t):
    host = t.host("blue0", "10.0.0.5")
    t.dropped(host.sends(IP(src=host.ip, dst="10.0.0.1") / UDP(sport=1, dport=53) / b"x"),
              drop="own_address")


@workers(1, 2, 3)
def case_service_address(t):
    answered(t, t.host("blue0", "10.0.0.5"), WEB)
    answered(t, t.host("trunk0", "10.0.0.5", vlan=100), WEB)


def case_service_that_is_not_visible(t):
    host = t.host("trunk0", "10.0.0.5", vlan=200)
    t.dropped(host.sends(IP(src=host.ip, dst=WEB) / ICMP(id=1, seq=1)), drop="no_service")


def case_service_drops_it(t):
    host = t.host("blue0", "10.0.0.5")
    t.dropped(host.sends(IP(src=host.ip, dst=WEB) / ICMP(id=1, seq=1)), drop="icmp_echo")


case_service_drops_it.config = DROP


def echo(t, client, server, ident, seq, nat_id=None):
    """One request and its reply over a service that forwards; returns the identifier used."""
    request = IP(src=client.ip, dst=WEB, id=3) / ICMP(type=8, id=ident, seq=seq) / b"ping"
    frame = t.one(client.sends(request), server)
    used = frame[ICMP].id
    want = server.gets(IP(src=NAT_RED, dst=server.ip, id=3, ttl=63) /
                       ICMP(type=8, id=nat_id or used, seq=seq) / b"ping")[1]
    if bytes(frame) != want:
        t.fail(f"expected\n{dissect(want).show2(dump=True)}\ngot\n{frame.show2(dump=True)}")
    reply = IP(src=server.ip, dst=NAT_RED, id=4) / ICMP(type=0, id=used, seq=seq) / b"ping"
    back = client.gets(IP(src=WEB, dst=client.ip, id=4, ttl=63) /
                       ICMP(type=0, id=ident, seq=seq) / b"ping")
    t.step(send=[server.sends(reply)], expect=[back])
    return used


@workers(1, 2, 3)
def case_service_forwards_it(t):
    #= RFC5508#REQ-10a
    #= RFC5508#REQ-1: the identifier takes the place of a port.
    client, server = t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5")
    used = echo(t, client, server, 77, 1)
    echo(t, client, server, 77, 2, nat_id=used)
    other = t.host("trunk0", "10.0.0.5", vlan=100)
    if echo(t, other, server, 77, 1) == used:
        t.fail("two clients share an identifier")
    echo(t, client, server, 77, 3, nat_id=used)


def case_many_identifiers(t):
    #= RFC5508#REQ-1: no cross-talk.
    client, server = t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5")
    used = {echo(t, client, server, ident, 1) for ident in range(1, 101)}
    if len(used) != 100:
        t.fail("an identifier was given out twice")


def case_query_timer(t):
    #= RFC5508#REQ-2: at least 60 s.
    client, server = t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5")
    used = echo(t, client, server, 5, 1)
    t.run(58000)
    reply = IP(src=server.ip, dst=NAT_RED, id=4) / ICMP(type=0, id=used, seq=1) / b"late"
    t.step(send=[server.sends(reply)], expect=[client.gets(
        IP(src=WEB, dst=client.ip, id=4, ttl=63) / ICMP(type=0, id=5, seq=1) / b"late")])
    t.run(80000)
    t.dropped(server.sends(reply), drop="icmp_no_flow")


def case_configured_query_timer(t):
    #= RFC5508#REQ-2a
    client, server = t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5")
    used = echo(t, client, server, 5, 1)
    t.run(35000)
    t.dropped(server.sends(IP(src=server.ip, dst=NAT_RED) / ICMP(type=0, id=used, seq=1) / b"x"),
              drop="icmp_no_flow")


case_configured_query_timer.config = dict(FORWARD, timeouts={"icmpEchoSeconds": 20})


def case_only_questions_go_up_and_answers_down(t):
    client, server = t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5")
    used = echo(t, client, server, 77, 1)
    t.dropped(client.sends(IP(src=client.ip, dst=WEB) / ICMP(type=0, id=77, seq=1) / b"x"),
              drop="icmp_no_flow")
    t.dropped(server.sends(IP(src=server.ip, dst=NAT_RED) / ICMP(type=8, id=used, seq=1) / b"x"),
              drop="icmp_no_flow")
    echo(t, client, server, 77, 2, nat_id=used)


for function in (case_only_questions_go_up_and_answers_down, case_service_forwards_it,
                 case_many_identifiers, case_query_timer):
    function.config = FORWARD


def case_reply_without_a_flow(t):
    host = t.host("blue0", "10.0.0.5")
    t.dropped(host.sends(IP(src=host.ip, dst=WEB) / ICMP(type=0, id=1, seq=1)),
              drop="icmp_no_flow")


def case_other_types(t):
    #= RFC5508#REQ-10c RFC5508#REQ-11
    host = t.host("blue0", "10.0.0.5")
    for kind, code in ((4, 0), (5, 0), (13, 0), (17, 0), (8, 1)):
        t.dropped(host.sends(IP(src=host.ip, dst="10.0.0.1") / ICMP(type=kind, code=code) /
                             Raw(b"x" * 28)), drop="icmp_type")


def case_wrong_checksum(t):
    #= RFC5508#REQ-3
    host = t.host("blue0", "10.0.0.5")
    t.dropped(host.sends(IP(src=host.ip, dst=WEB) / ICMP(id=1, seq=1, chksum=0x1234) / b"x"),
              drop="icmp_cksum")


def case_answer_is_sent_to_who_asked(t):
    """Stateless: to the MAC it came from, whatever the neighbour table says."""
    host = t.host("blue0", "10.0.0.5", mac="06:12:34:56:78:9a")
    frame = t.one(host.sends(IP(src=host.ip, dst="10.0.0.1") / ICMP(id=1)), host,
                  generated={"echo_reply": 1})
    if frame[Ether].dst != host.mac:
        t.fail(frame.show(dump=True))
