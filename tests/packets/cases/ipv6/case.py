# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""IPv6 between VPCs, and flows that change the family (RFC 7915, RFC 6146), byte for byte."""

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest,
                                ICMPv6PacketTooBig, ICMPv6TimeExceeded, IPv6,
                                IPv6ExtHdrDestOpt, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting)
from scapy.packet import Raw

from topology import attachment, base, group, listener, service, vpc

FOUR, SIX = "10.0.0.5", "fd00::5"  # clients, and targets
WEB4, WEB6 = "198.18.0.10", "fd6c:6174:6801::10"  # of IPv4 targets
SIX4, SIX6 = "198.18.0.11", "fd6c:6174:6801::11"  # of IPv6 targets
NAT4, NAT6 = "10.0.0.100", "fd00::100"
BOTH = ["10.0.0.1/24", "fd00::1/64"]
PREFIXES = ("10.0.0.0/24", "fd00::/64")
WORKERS = (1, 2, 3)


def two(name, addresses, to, **more):
    made = service(name, addresses[0], [listener("tcp", "TCP", 80, to), listener(
        "udp", "UDP", 53, to + "-udp")], icmpEcho="forward", **more)
    return {**made, "addresses": list(addresses)}


def groups(name, ip, family):
    made = [group(name, "red", "TCP", 8080, [ip]), group(name + "-udp", "red", "UDP", 5353, [ip])]
    for one in made:
        one["config"]["ipAddressType"] = family
    return made


CONFIG = base(
    vpcs=[vpc("blue", [attachment("blue0", BOTH)], PREFIXES),
          vpc("red", [attachment("red0", BOTH, mtu=1400)], PREFIXES,
              natPool=[NAT4 + "/32", NAT6 + "/128"]),
          vpc("green", [attachment("trunk0", BOTH, vlan=100)], PREFIXES)],
    services=[two("web", (WEB4, WEB6), "four"), two("six", (SIX4, SIX6), "six")],
    groups=groups("four", FOUR, "IPV4") + groups("six", SIX, "IPV6"),
    networks={"main": {"vpcs": ["blue", "green"], "services": ["web", "six"]}})


def ip(src, dst, **fields):
    """An IP packet's header: TTL or hop limit by `ttl`, TOS or traffic class by `tos`."""
    ttl, tos = fields.get("ttl", 64), fields.get("tos", 0)
    if ":" in src:
        return IPv6(src=src, dst=dst, hlim=ttl, tc=tos, fl=fields.get("fl", 0))
    return IP(src=src, dst=dst, ttl=ttl, tos=tos, id=fields.get("id", 0), flags="DF")


def net(frame):
    return frame[IPv6] if IPv6 in frame else frame[IP]


def same(t, got, expected):
    """But for what RFC 7915 section 5.1 lets the gateway choose: DF and identification."""
    if IP in got:
        expected[IP].flags, expected[IP].id = got[IP].flags, got[IP].id
    wanted = bytes(expected)
    if bytes(got)[:len(wanted)] != wanted:
        t.fail(f"expected {wanted.hex()}\ngot      {bytes(got).hex()}")


class Way:
    """A client and a service, and what they are beyond the gateway."""

    def __init__(self, t, client, service_ip, target):
        self.t = t
        self.client = t.host("blue0", client)
        self.server = t.host("red0", target)
        self.service, self.nat = service_ip, NAT6 if ":" in target else NAT4
        self.port = None

    def up(self, l4_in, l4_out, **fields):
        """Client to target; l4_out(port) is what must come out."""
        sent = ip(self.client.ip, self.service, tos=0x28, **fields) / l4_in
        got = net(self.t.one(self.client.sends(sent), self.server))
        if self.port is None:
            l4 = got.payload
            self.port = l4.id if "id" in l4.fields else l4.sport
        same(self.t, got, ip(self.nat, self.server.ip, tos=0x28, ttl=63,
                             **({"fl": fields["fl"]} if IPv6 in got and ":" in self.service and
                                "fl" in fields else {})) / l4_out(self.port))
        return got

    def down(self, l4_in, l4_out):
        sent = ip(self.server.ip, self.nat, tos=0x28) / l4_in(self.port)
        got = net(self.t.one(self.server.sends(sent), self.client))
        same(self.t, got, ip(self.service, self.client.ip, tos=0x28, ttl=63) / l4_out)
        return got


MIXES = [(SIX, SIX6, SIX), (SIX, WEB6, FOUR), (FOUR, SIX4, SIX), (FOUR, WEB4, FOUR)]


def meet(t):
    for port, vlan in (("blue0", 0), ("red0", 0)):
        for address in (FOUR, SIX):
            host = t.host(port, address, vlan)
            t.inject([host.asks("fd00::1" if ":" in address else "10.0.0.1")])
            t.run(3000)
    t.counted()


def case_tcp_in_every_mix(t):
    #//= RFC7915#4.1 type=test
    meet(t)
    for mix in MIXES:
        way = Way(t, *mix)
        way.up(TCP(sport=4000, dport=80, flags="S", seq=100),
               lambda port: TCP(sport=port, dport=8080, flags="S", seq=100))
        way.down(lambda port: TCP(sport=8080, dport=port, flags="SA", seq=500, ack=101),
                 TCP(sport=80, dport=4000, flags="SA", seq=500, ack=101))
        way.up(TCP(sport=4000, dport=80, flags="A", seq=101, ack=501) / Raw(b"question"),
               lambda port: TCP(sport=port, dport=8080, flags="A", seq=101, ack=501) /
               Raw(b"question"))
        way.down(lambda port: TCP(sport=8080, dport=port, flags="PA", seq=501, ack=109) /
                 Raw(b"answers"),
                 TCP(sport=80, dport=4000, flags="PA", seq=501, ack=109) / Raw(b"answers"))


def case_udp_in_every_mix(t):
    meet(t)
    for mix in MIXES:
        way = Way(t, *mix)
        for size in (0, 1, 2, 700):
            body = bytes(i & 0xff for i in range(size))
            way.up(UDP(sport=4000, dport=53) / Raw(body),
                   lambda port, body=body: UDP(sport=port, dport=5353) / Raw(body))
            way.down(lambda port, body=body: UDP(sport=5353, dport=port) / Raw(body),
                     UDP(sport=53, dport=4000) / Raw(body))


def case_ping_in_every_mix(t):
    #//= RFC7915#4.2 type=test
    meet(t)
    kinds = {True: (ICMPv6EchoRequest, ICMPv6EchoReply),
             False: (lambda **f: ICMP(type=8, id=f["id"], seq=f["seq"]) / Raw(f["data"]),
                     lambda **f: ICMP(type=0, id=f["id"], seq=f["seq"]) / Raw(f["data"]))}
    for mix in MIXES:
        way = Way(t, *mix)
        near, far = kinds[":" in mix[0]], kinds[":" in mix[2]]
        for seq in (1, 2):
            body = b"x" * (40 + seq)
            way.up(near[0](id=7, seq=seq, data=body),
                   lambda port: far[0](id=port, seq=seq, data=body))
            way.down(lambda port: far[1](id=port, seq=seq, data=body),
                     near[1](id=7, seq=seq, data=body))


def case_udp_without_a_checksum_gets_one_in_ipv6(t):
    #//= RFC7915#4.5 type=test
    meet(t)
    way = Way(t, FOUR, SIX4, SIX)
    way.up(UDP(sport=4000, dport=53, chksum=0) / Raw(b"question"),
           lambda port: UDP(sport=port, dport=5353) / Raw(b"question"))


def case_extension_headers_end_here(t):
    meet(t)
    client, server = t.host("blue0", SIX), t.host("red0", SIX)
    sent = IPv6(src=SIX, dst=SIX6) / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / UDP(
        sport=4000, dport=53) / Raw(b"question")
    got = net(t.one(client.sends(sent), server))
    assert (got.nh, got.plen, got[UDP].dport) == (17, 16, 5353), got.show(dump=True)
    assert bytes(got[UDP].payload) == b"question"


def case_what_a_header_may_not_say(t):
    client = t.host("blue0", SIX)
    udp = UDP(sport=4000, dport=53) / Raw(b"x")
    t.dropped(client.sends(IPv6(src=SIX, dst=SIX6) / IPv6ExtHdrRouting(
        type=2, segleft=1, addresses=["fd00::9"]) / udp), drop="ipv6_routing")
    many = IPv6(src=SIX, dst=SIX6)
    for _ in range(9):
        many /= IPv6ExtHdrDestOpt()
    t.dropped(client.sends(many / udp), drop="ipv6_extension")
    t.dropped(client.sends(IPv6(src=SIX, dst=SIX6) / UDP(sport=1, dport=53, chksum=0) / Raw(b"x")),
              drop="udp_no_cksum")
    t.dropped(client.sends(IPv6(src="fd00:1::5", dst=SIX6) / udp), drop="vpc_source")
    t.dropped(client.sends(IPv6(src=SIX, dst="fd6c:6174:6801::99") / udp), drop="no_service")
    t.dropped(client.sends(IPv6(src=SIX, dst=SIX6) / TCP(sport=1, dport=80, flags="A")),
              drop="tcp_no_flow")


def told(t, client, packet, error, drop, name):
    """The answer quotes the packet as it was sent."""
    said = IPv6(src="fd00::1", dst=client.ip, hlim=64) / error / Raw(bytes(packet))
    got = net(t.one(client.sends(packet), client, drops={drop: 1}, generated={name: 1}))
    assert (got.src, got.dst) == ("fd00::1", client.ip)
    assert bytes(got.payload) == bytes(IPv6(bytes(said)).payload), got.show(dump=True)


def case_refusals(t):
    #//= RFC4443#3.1 type=test
    meet(t)
    client = t.host("blue0", SIX)
    told(t, client, IPv6(src=SIX, dst=SIX6) / UDP(sport=4000, dport=54) / Raw(b"x"),
         ICMPv6DestUnreach(code=4), "no_listener", "icmp_unreachable")
    told(t, client, IPv6(src=SIX, dst=SIX6, hlim=1) / UDP(sport=4000, dport=53) / Raw(b"x"),
         ICMPv6TimeExceeded(code=0), "ttl_expired", "icmp_time_exceeded")


def case_a_port_without_listener_resets(t):
    meet(t)
    client = t.host("blue0", SIX)
    got = net(t.one(client.sends(IPv6(src=SIX, dst=SIX6) / TCP(sport=4000, dport=81, flags="S",
                                                               seq=9)),
                    client, drops={"no_listener": 1}, generated={"rst": 1}))
    again = IPv6(bytes(got))
    del again[TCP].chksum
    assert bytes(IPv6(bytes(again))) == bytes(got)
    assert (got.src, got.dst, got[TCP].flags, got[TCP].ack) == (SIX6, SIX, "RA", 10)


def case_packet_too_big_knows_both_headers(t):
    #//= RFC4443#3.2 type=test
    meet(t)
    client = t.host("blue0", SIX)
    body = Raw(bytes(1400))
    for where, mtu in ((SIX6, 1400), (WEB6, 1420)):  # of the leg behind, 1400, in IPv6's measure
        packet = IPv6(src=SIX, dst=where) / UDP(sport=4000, dport=53) / body
        got = net(t.one(client.sends(packet), client, drops={"oversize": 1},
                        generated={"icmp_frag_needed": 1}))
        assert got[ICMPv6PacketTooBig].mtu == mtu, got.show(dump=True)
        assert len(got) == 1280


def case_ping_of_the_gateway(t):
    meet(t)
    client = t.host("blue0", SIX)
    got = net(t.one(client.sends(IPv6(src=SIX, dst="fd00::1") / ICMPv6EchoRequest(
        id=3, seq=1, data=b"abc")), client, generated={"echo_reply": 1}))
    same(t, got, IPv6(src="fd00::1", dst=SIX) / ICMPv6EchoReply(id=3, seq=1, data=b"abc"))


def case_errors_from_behind_come_home(t):
    #//= RFC7915#5.2 type=test
    #//= RFC7915#4.2 type=test
    meet(t)
    for client_ip, service_ip, target in MIXES[:3]:
        way = Way(t, client_ip, service_ip, target)
        question = UDP(sport=4000, dport=53) / Raw(b"question")
        inner = way.up(question, lambda port: UDP(sport=port, dport=5353) / Raw(b"question"))
        quote = Raw(bytes(inner))
        error = (IPv6(src=target, dst=way.nat) / ICMPv6DestUnreach(code=4) / quote
                 if ":" in target else IP(src=target, dst=way.nat) / ICMP(type=3, code=3) / quote)
        got = net(t.one(way.server.sends(error), way.client))
        assert (got.src, got.dst) == (service_ip, client_ip)
        kind = bytes(got.payload)[:2]
        assert kind == (b"\x01\x04" if ":" in client_ip else b"\x03\x03"), got.show(dump=True)
        whole = bytes(got.payload)[8:]
        said = IPv6(whole) if ":" in client_ip else IP(whole)
        assert (said.src, said.dst) == (client_ip, service_ip)
        assert bytes(said.payload)[:4] == bytes(question)[:4]


def case_a_right_taken_away_ends_ipv6_too(t):
    meet(t)
    way = Way(t, SIX, SIX6, SIX)
    way.up(UDP(sport=4000, dport=53) / Raw(b"x"),
           lambda port: UDP(sport=port, dport=5353) / Raw(b"x"))
    conf = {**CONFIG, "vpcAssociations": [one for one in CONFIG["vpcAssociations"]
                                          if one["vpcIdentifier"] != "blue"]}
    t.reload(conf)
    t.run(100)
    t.counted()
    t.dropped(way.client.sends(ip(SIX, SIX6) / UDP(sport=4000, dport=53) / Raw(b"x")),
              drop="revoked")


def sender_back():
    vpcs = [dict(one) for one in CONFIG["vpcs"]]
    vpcs[0]["attachments"] = [attachment("blue0", BOTH, returnTo="sender")]
    return {**CONFIG, "vpcs": vpcs}


def case_answers_go_back_to_the_sender(t):
    """A router that the gateway could not find by itself; both families through the same MAC."""
    router = t.host("blue0", "fd00::77", answers=False)
    servers = {target: t.host("red0", target) for target in (FOUR, SIX)}
    for client, service_ip, target in MIXES[:3]:
        server, nat = servers[target], NAT6 if ":" in target else NAT4
        got = net(t.one(router.sends(ip(client, service_ip) / UDP(sport=4000, dport=53) /
                                     Raw(b"question")), server, ms=0))
        back = net(t.one(server.sends(ip(target, nat) / UDP(sport=5353, dport=got[UDP].sport) /
                                      Raw(b"answer")), router))
        assert (back.src, back.dst, back[UDP].dport) == (service_ip, client, 4000)


case_answers_go_back_to_the_sender.config = sender_back()
