# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""AWS VPCs with the same addresses behind a Gateway Load Balancer, targets on a port."""

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.packet import Raw

from frames import tunnel_of
from topology import NAT_RED, WEB, attachment, base, edit, gwlb, underlay, vpc
from tunnels import LOCAL, GwlbHost, geneve_header, gwlb_options

NODE, NODE_TOO = "192.0.2.9", "192.0.2.10"
BLUE, GREEN, NOBODY = 0x0a01020304050607, 0x0a01020304050608, 0x0a01020304050609

CONFIG = base(
    ports=["front0", "red0"],
    underlays=[underlay("front", "front0", LOCAL + "/24", mtu=8568)],
    vpcs=[
        vpc("blue", [gwlb("front", [NODE, NODE_TOO], [BLUE], address="10.0.0.1/24")]),
        vpc("green", [gwlb("front", [NODE], [GREEN])]),
        vpc("red", [attachment("red0", "10.0.0.1/24", mtu=9000)], natPool=[NAT_RED + "/32"])])


def client(t, endpoint=BLUE, node=NODE, **fields):
    return GwlbHost(t.host("front0", node), endpoint, "10.0.0.20", **fields)


def server(t):
    return t.host("red0", "10.0.0.5")


def web(t, one, **fields):
    return t.flow(one, server(t), service=WEB, nat=NAT_RED, **fields)


def ready(t):
    server(t)
    t.host("front0", NODE)
    t.host("front0", NODE_TOO)
    t.run(3000)
    t.meet(server(t))


def case_replies_carry_the_same_options(t):
    ready(t)
    web(t, client(t)).open().talk()
    flow = web(t, client(t), proto=UDP, dport=53, tport=5353)
    flow.up(b"question")
    flow.down(b"answer")


case_replies_carry_the_same_options.workers = (1, 2, 3)


def case_two_endpoints_whose_vpcs_have_the_same_addresses(t):
    ready(t)
    one, other = web(t, client(t)), web(t, client(t, GREEN, cookie=0x99))
    one.open()
    other.open()
    one.talk()
    other.talk()
    one.close()
    other.talk()
    assert one.nport != other.nport


def case_each_flow_has_its_cookie_and_node(t):
    ready(t)
    flows = [web(t, client(t, node=NODE if i % 2 else NODE_TOO, cookie=i), sport=41000 + i).open()
             for i in range(8)]
    for flow in flows:
        flow.talk()


case_each_flow_has_its_cookie_and_node.workers = (1, 3)


def case_inner_packets_of_8500_bytes(t):
    ready(t)
    flow = web(t, client(t)).open()
    flow.up(b"x" * 8460, flags="A", seq=1001, ack=5001)
    flow.down(b"x" * 8460, flags="A", seq=5001, ack=9461)
    flow.down(b"x" * 8461, flags="A", seq=13461, ack=9461, told=(3, 4, 8500), drop="oversize")


def case_unknown_endpoint_and_strangers(t):
    ready(t)
    t.dropped(client(t, NOBODY).sends(syn()), drop="tunnel_endpoint")
    t.dropped(client(t, GREEN, node=NODE_TOO).sends(syn()), drop="tunnel_peer")
    t.host("front0", "192.0.2.77")
    t.dropped(client(t, node="192.0.2.77").sends(syn()), drop="tunnel_peer")


def syn():
    return IP(src="10.0.0.20", dst=WEB) / TCP(sport=40000, dport=80, flags="S")


def case_options_that_are_not_as_they_should_be(t):
    ready(t)
    one = client(t)
    inner = bytes(syn())
    whole = gwlb_options(BLUE)
    t.dropped(one.outer(True, geneve_header(0, 0x0800) + inner), drop="tunnel_vni")
    t.dropped(one.outer(True, geneve_header(0, 0x0800, whole[12:]) + inner), drop="tunnel_vni")
    # Of another VNI it is no load balancer's.
    t.dropped(one.outer(True, geneve_header(5, 0x0800, whole) + inner), drop="tunnel_vni")
    short = b"\x01\x08\x01\x01" + whole[4:8]
    t.dropped(one.outer(True, geneve_header(0, 0x0800, short) + inner), drop="tunnel_option")
    t.dropped(one.outer(True, geneve_header(0, 0x0800, whole + b"\x01\x08\x84\0") + inner),
              drop="tunnel_option")
    t.dropped(one.outer(True, geneve_header(0, 0x6558, whole) + bytes(14) + inner),
              drop="tunnel_protocol")
    # More than a flow keeps: 60 bytes.
    more = whole + b"\x01\x02\x03\x07" + bytes(28)
    t.dropped(one.outer(True, geneve_header(0, 0x0800, more) + inner), drop="tunnel_option")
    # Another option among them is passed over, and goes back too.
    one.options = whole + b"\x01\x02\x03\x01\0\0\0\0"
    web(t, one).open().talk()


def case_refusals_and_ping(t):
    ready(t)
    one = client(t)
    t.refused(one, IP(src=one.ip, dst=WEB) / TCP(dport=81, flags="S", seq=5), "no_listener")
    t.told(one, IP(src=one.ip, dst=WEB) / UDP(dport=81), 3, 3, drop="no_listener")
    t.step(send=[one.sends(IP(src=one.ip, dst=WEB, id=7) / ICMP(id=3) / Raw(b"x" * 9))],
           expect=[one.gets(IP(src=WEB, dst=one.ip, id=7) / ICMP(type=0, id=3) / Raw(b"x" * 9))],
           generated={"echo_reply": 1})


def case_source_outside_the_vpc(t):
    ready(t)
    t.dropped(client(t).sends(IP(src="10.1.0.20", dst=WEB) / TCP(dport=80, flags="S")),
              drop="vpc_source")


def case_places_are_given_back(t):
    """A quarter of 1,024 flows and no more; the end of a flow makes room."""
    ready(t)
    one = client(t)
    sent = 0
    for sport in range(40000, 40256):
        t.inject([one.sends(IP(src=one.ip, dst=WEB) / UDP(sport=sport, dport=53))])
        sent += 1
        if sent % 64 == 0:
            t.run()
    t.run()
    t.counted()
    t.dropped(one.sends(IP(src=one.ip, dst=WEB) / UDP(sport=45000, dport=53)),
              drop="gwlb_table_full")
    t.run(125000)
    t.counted()
    flow = web(t, one, proto=UDP, dport=53, tport=5353, sport=45001)
    flow.up(b"x")
    flow.down(b"y")


case_places_are_given_back.config = dict(CONFIG, system={
    **CONFIG["system"], "memory": {"flowsPerWorker": 1024, "mixedFlowsPerWorker": 1024}})


CHECK = {"enabled": True, "protocol": "TCP"}
CHECKED = edit(CONFIG, underlays={"front": {"healthPort": 8081}})
for one in CHECKED["targetGroups"]:
    one["config"]["healthCheck"] = CHECK


def asks(t, **fields):
    node = t.host("front0", NODE)
    fields = {"seq": 100, **fields}
    return node, IP(src=NODE, dst=LOCAL) / TCP(sport=5000, dport=8081, **fields)


def told(t, packet, payload=b"", **fields):
    """The one answer, with both checksums right; a TCP layer."""
    node, packet = packet
    got = t.one(node.sends(packet / Raw(payload) if payload else packet), node,
                generated={"health_answer": 1})
    again = IP(bytes(got[IP]))
    del again[IP].chksum, again[TCP].chksum
    assert bytes(IP(bytes(again)))[:40] == bytes(got[IP])[:40]
    assert (got[IP].src, got[IP].dst, got.sport, got.dport) == (LOCAL, NODE, 8081, 5000)
    for name, value in fields.items():
        assert getattr(got[TCP], name) == value, (name, got[TCP].show(dump=True))
    return got[TCP]


def case_health_is_answered_from_readiness(t):
    ready(t)
    # Nobody is healthy yet.
    node, packet = asks(t, flags="S")
    t.refused(node, packet, "no_listener")
    t.health("10.0.0.5:8080", "healthy")
    t.run(100)
    t.counted()
    first = told(t, asks(t, flags="S"), flags="SA", ack=101).seq
    assert told(t, asks(t, flags="S"), flags="SA").seq == first
    node, packet = asks(t, flags="A", seq=101, ack=first + 1)
    t.step(send=[node.sends(packet)])
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = told(t, asks(t, flags="PA", seq=101, ack=first + 1), request, flags="FPA",
                  seq=first + 1, ack=101 + len(request))
    assert bytes(answer.payload).startswith(b"HTTP/1.1 200 OK\r\n")
    assert bytes(answer.payload).endswith(b"\r\n\r\nready\n")
    told(t, asks(t, flags="FA", seq=101 + len(request), ack=first + 1 + len(answer.payload) + 1),
         flags="FA", ack=102 + len(request))
    node, packet = asks(t, flags="R", seq=101)
    t.step(send=[node.sends(packet)])
    # No packet of it is a flow's, and other ports stay closed.
    t.dropped(node.sends(IP(src=NODE, dst=LOCAL) / TCP(dport=8082, flags="S")),
              drop="underlay_other")
    t.health("10.0.0.5:8080", "unhealthy")
    t.run(100)
    t.counted()
    node, packet = asks(t, flags="S")
    t.refused(node, packet, "no_listener")


case_health_is_answered_from_readiness.config = CHECKED


def case_reload_keeps_flows(t):
    ready(t)
    flow = web(t, client(t)).open()
    t.reload(edit(CONFIG, vpcs={"green": {"prefixes": ["10.0.0.0/16"]}}))
    t.run(3000)
    t.counted()
    flow.talk()
    port, frame = flow.sends_down(b"x", flags="PA", seq=5005, ack=1005)
    t.reload(edit(CONFIG, vpcs={"blue": {"attachments": []}}))
    t.run(100)
    t.counted()
    t.dropped((port, frame), drop="no_route")
    assert tunnel_of(frame) is None
