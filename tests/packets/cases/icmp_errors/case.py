# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""ICMP errors about packets of flows, from either end and from routers in between: what each becomes,
byte for byte, and that none of them touches its flow. Those that the gateway makes by itself are in
the cases of what it refuses.
"""

import struct

from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption
from scapy.packet import Raw

from harness import dissect
from marks import config, workers
from topology import NAT_BLUE, NAT_RED, WEB, attachment, base, edit, group, target, vpc

CONFIG = edit(base(), services={"web": {"icmpEcho": "forward"}})
GATEWAY = "10.0.0.1"
ROUTER = "192.0.2.9"  # in no VPC's prefix
ERRORS = ((3, 0), (3, 1), (3, 3), (3, 13), (11, 0), (12, 0))


class Talk:
    """A flow of any protocol and both views of one packet of it. `up`: client to target."""

    def __init__(self, t, proto, sport=40000, server=None, nat=NAT_RED):
        self.t, self.proto, self.nat = t, proto, nat
        self.client, self.server = t.host("blue0", "10.0.0.5"), server or t.host("red0", "10.0.0.5")
        if proto is ICMP:
            request = IP(src=self.client.ip, dst=WEB) / ICMP(type=8, id=sport, seq=1)
            self.ident, self.nident = sport, t.one(self.client.sends(request),
                                                   self.server)[ICMP].id
            t.one(self.server.sends(IP(src=self.server.ip, dst=nat) / ICMP(
                type=0, id=self.nident, seq=1)), self.client)
            return
        ports = {"dport": 80, "tport": 8080} if proto is TCP else {"dport": 53, "tport": 5353}
        self.flow = t.flow(self.client, self.server, service=WEB, nat=nat, proto=proto,
                           sport=sport, **ports)
        if proto is TCP:
            self.flow.open()
        else:
            self.flow.up(b"question")
            self.flow.down(b"answer")

    def packet(self, near, up, options=()):
        """A packet of the flow as the client's side (`near`) or the target's side sees it."""
        ip = {"ttl": 63, "id": 7, "tos": 0x28, "flags": "DF"}
        if self.proto is ICMP:
            ends = (self.client.ip, WEB) if near else (self.nat, self.server.ip)
            made = IP(src=ends[not up], dst=ends[up], options=list(options), **ip) / ICMP(
                type=8 if up else 0, id=self.ident if near else self.nident, seq=1) / Raw(b"p" * 40)
        else:
            l4 = {"flags": "PA", "seq": 1001, "ack": 5001} if self.proto is TCP else {}
            side = self.flow.client_side if near else self.flow.target_side
            made = side(up, l4, b"p" * 40, dict(ip, options=list(options)))
        return bytes(made)


def error(src, dst, kind, code, quote, rest=bytes(4), ttl=64):
    message = struct.pack("!BBH4s", kind, code, 0, rest) + quote
    return IP(src=src, dst=dst, ttl=ttl, id=3, tos=0xc0) / ICMP(message[:8] + quote)


def summed(packet):
    """The same with the ICMP checksum worked out."""
    made = IP(bytes(packet))
    del made[ICMP].chksum
    return IP(bytes(made))


def passed(talk, up, kind, code, src=None, cut=None, quoted=(None, None), rest=(bytes(4),) * 2,
           tail=b""):
    """An error about a packet of the flow that went `up`: it travels the other way. `src`: a router;
    else the flow's other end sends it.
    """
    there, here = (talk.server, talk.client) if up else (talk.client, talk.server)
    came = quoted[0] or talk.packet(not up, up)[:cut]
    made = quoted[1] or talk.packet(up, up)[:cut]
    dst = IP(came[:20] + bytes(8)).src
    end = IP(came[:20] + bytes(8)).dst
    send = summed(error(src or end, dst, kind, code, came + tail, rest[0]))
    known_by = IP(made[:20] + bytes(8)).dst
    want = summed(error(GATEWAY if src else known_by, here.ip, kind, code, made + tail, rest[1],
                        ttl=63))
    talk.t.step(send=[there.sends(send)], expect=[here.gets(want)])


@workers(1, 2, 3)
def case_from_the_flows_other_end(t):
    #= RFC5508#REQ-4b RFC5508#REQ-4c RFC5508#REQ-5b RFC5508#REQ-10a
    #//= RFC5508#REQ-4 type=test
    #//= RFC5508#REQ-5 type=test
    #//= RFC4787#REQ-12b type=test
    #//= RFC5382#REQ-9 type=test
    for proto in (TCP, UDP, ICMP):
        talk = Talk(t, proto)
        for kind, code in ERRORS:
            for up in (True, False):
                passed(talk, up, kind, code)


@workers(1, 2, 3)
def case_from_a_router_in_between(t):
    #= RFC5508#REQ-5c
    """It seems to come from the gateway: the router's address means nothing on the other side."""
    #//= RFC4787#REQ-12a type=test
    #//= RFC5508#REQ-5 type=test
    for proto in (TCP, UDP, ICMP):
        talk = Talk(t, proto)
        for src in (ROUTER, "10.0.0.77"):
            for up in (True, False):
                passed(talk, up, 11, 0, src=src)
                passed(talk, up, 3, 1, src=src)


def case_client_and_target_in_one_vpc(t):
    #= RFC5508#REQ-7 RFC5508#REQ-7a RFC7857#12: errors, about pings too, and the pings themselves.
    for proto in (TCP, ICMP):
        talk = Talk(t, proto, server=t.host("blue0", "10.0.0.7"), nat=NAT_BLUE)
        for up in (True, False):
            passed(talk, up, 3, 3)
            passed(talk, up, 11, 0, src=ROUTER)


case_client_and_target_in_one_vpc.config = edit(CONFIG, targetGroups={
    "web": {"config": group("web", "blue", "TCP", 8080, [])["config"],
            "targets": [target("10.0.0.7")]}})


def case_eight_bytes_of_quote(t):
    #//= RFC5508#REQ-4 type=test
    for proto in (TCP, UDP, ICMP):
        talk = Talk(t, proto)
        for cut in (28, 29, 36, 38, 50):
            passed(talk, True, 3, 3, cut=cut)
            passed(talk, False, 11, 0, cut=cut, src=ROUTER)


def case_options_in_the_quote(t):
    #//= RFC5508#REQ-3 type=test
    for proto in (TCP, UDP, ICMP):
        talk = Talk(t, proto)
        nops = [IPOption(b"\x01\x01\x01\x01")]
        passed(talk, True, 11, 0, src=ROUTER,
               quoted=(talk.packet(False, True, nops), talk.packet(True, True, nops)))


def case_wrong_transport_checksum_in_the_quote(t):
    #//= RFC5508#REQ-3 type=test
    talk = Talk(t, UDP)
    came, made = (bytearray(talk.packet(near, True)) for near in (False, True))
    for quote in (came, made):
        was, = struct.unpack_from("!H", quote, 26)
        struct.pack_into("!H", quote, 26, (was + 1) % 0xffff)
    passed(talk, True, 3, 3, quoted=(bytes(came), bytes(made)))


def case_extensions_are_kept(t):
    """RFC 4884 section 5: the quote is padded to 128 bytes, its length in words stands in the rest."""
    #//= RFC5508#REQ-3 type=test
    extension = struct.pack("!BBHHBBI", 0x20, 0, 0, 8, 1, 1, 0x12345678)
    total = sum(struct.unpack("!6H", extension))
    total = (total & 0xffff) + (total >> 16)
    extension = extension[:2] + struct.pack("!H", ~total & 0xffff) + extension[4:]
    rest = bytes((0, 32, 0, 0))
    for proto in (TCP, UDP, ICMP):
        talk = Talk(t, proto)
        size = len(talk.packet(True, True))
        passed(talk, True, 11, 0, src=ROUTER, rest=(rest, rest),
               tail=bytes(128 - size) + extension)


def mtu(value):
    return struct.pack("!HH", 0, value)


@config(edit(base(vpcs=[
    vpc("blue", [attachment("blue0", "10.0.0.1/24", mtu=1450)]),
    vpc("red", [attachment("red0", "10.0.0.1/24", mtu=1400)], natPool=[NAT_RED + "/32"]),
    vpc("green", [attachment("trunk0", "10.0.0.1/24", vlan=100)])])))
def case_mtu_is_no_more_than_the_legs_carry(t):
    talk = Talk(t, UDP)
    for up in (True, False):
        for came, made in ((1500, 1400), (1401, 1400), (1400, 1400), (1399, 1399), (576, 576),
                           (0, 0)):
            passed(talk, up, 3, 4, src=ROUTER, rest=(mtu(came), mtu(made)))


def rows(t):
    keep = ("idleSeconds", "packetsToTarget", "packetsToClient", "bytesToTarget", "bytesToClient",
            "state")
    return [{key: row[key] for key in keep} for row in t.rpc("show.flows", limit=10)["flows"]]


@workers(1, 2)
def case_flows_are_not_touched(t):
    #//= RFC4787#REQ-12 type=test
    #//= RFC5382#REQ-10 type=test
    #//= RFC5508#REQ-6 type=test
    talks = [Talk(t, proto) for proto in (TCP, UDP, ICMP)]
    t.run(20000)
    before = rows(t)
    for talk in talks:
        for kind, code in ERRORS:
            for up in (True, False):
                passed(talk, up, kind, code)
    if rows(t) != before or len(before) != 3:
        t.fail(f"{before} became {rows(t)}")


def case_flows_are_not_refreshed(t):
    #= RFC7857#7.1
    #//= RFC4787#REQ-12 type=test
    #//= RFC5508#REQ-6 type=test
    talk = Talk(t, ICMP)
    for _ in range(4):
        t.run(14000)
        passed(talk, True, 11, 0)
        passed(talk, False, 3, 1)
    t.run(5000)  # a query lives 60 s
    t.counted()
    t.dropped(talk.server.sends(summed(error(talk.server.ip, NAT_RED, 11, 0,
                                             talk.packet(False, True)))), drop="icmp_no_flow")


@workers(1, 2, 3)
def case_of_no_flow(t):
    #//= RFC5508#REQ-4a type=test
    #//= RFC5508#REQ-5a type=test
    talk = Talk(t, UDP)
    red, blue, green = talk.server, talk.client, t.host("trunk0", "10.0.0.5", vlan=100)
    for l4 in (TCP(sport=9, dport=8080), UDP(sport=9, dport=5353), ICMP(id=9, seq=1)):
        quote = bytes(IP(src=NAT_RED, dst=red.ip) / l4 / b"12345678")
        t.dropped(red.sends(summed(error(red.ip, NAT_RED, 3, 3, quote))), drop="icmp_no_flow")
        quote = bytes(IP(src=blue.ip, dst="10.0.0.9") / l4 / b"12345678")
        t.dropped(blue.sends(summed(error(ROUTER, blue.ip, 11, 0, quote))), drop="icmp_no_flow")
    # The right error in a VPC that is not the flow's.
    for host in (blue, green):
        t.dropped(host.sends(summed(error(ROUTER, NAT_RED, 11, 0, talk.packet(False, True)))),
                  drop="icmp_no_flow")
    passed(talk, True, 11, 0)


def case_echo_of_the_wrong_direction(t):
    talk = Talk(t, ICMP)
    quote = bytearray(talk.packet(False, True))
    quote[20], quote[22:24] = 0, b"\0\0"  # a reply that the target would have sent to itself
    t.dropped(talk.server.sends(summed(error(talk.server.ip, NAT_RED, 3, 1, bytes(quote)))),
              drop="icmp_no_flow")


def case_wrong_checksums(t):
    #//= RFC5508#REQ-3 type=test
    talk = Talk(t, UDP)
    quote = talk.packet(False, True)
    good = summed(error(talk.server.ip, NAT_RED, 3, 3, quote))
    bad = IP(bytes(good))
    bad[ICMP].chksum ^= 0x100
    t.dropped(talk.server.sends(bad), drop="icmp_cksum")
    broken = bytearray(quote)
    broken[10] ^= 1
    t.dropped(talk.server.sends(summed(error(talk.server.ip, NAT_RED, 3, 3, bytes(broken)))),
              drop="icmp_quote_cksum")
    passed(talk, True, 3, 3)


def case_quotes_that_are_none(t):
    talk = Talk(t, UDP)
    whole = talk.packet(False, True)
    again = summed(error(NAT_RED, talk.server.ip, 11, 0, whole))  # no error about an error
    later = bytes(IP(src=NAT_RED, dst=talk.server.ip, frag=3, proto=17) / Raw(whole[20:]))
    other = bytes(IP(src=NAT_RED, dst=talk.server.ip, proto=47) / Raw(whole[20:]))
    for quote in (b"", whole[:19], whole[:27], b"\x60" + whole[1:], later, other, bytes(again)):
        t.dropped(talk.server.sends(summed(error(talk.server.ip, NAT_RED, 3, 3, quote))),
                  drop="icmp_quote")
    # To somebody else than who sent the quoted packet.
    for dst in (GATEWAY, "10.0.0.99"):
        t.dropped(talk.server.sends(summed(error(talk.server.ip, dst, 3, 3, whole))),
                  drop="icmp_quote")


def case_nothing_is_told_about_an_error(t):
    #= RFC5508#REQ-10e
    #//= RFC1122#3.2.2 type=test
    talk = Talk(t, UDP)
    quote = talk.packet(False, True)
    for ttl in (0, 1):
        t.dropped(talk.server.sends(summed(error(ROUTER, NAT_RED, 11, 0, quote, ttl=ttl))),
                  drop="ttl_expired")
    # Nor about what nobody may be told about.
    host = talk.client
    t.dropped(host.sends(IP(src=host.ip, dst=WEB, frag=3, ttl=1) / Raw(b"x" * 40)),
              drop="fragment")
    t.dropped(host.sends(IP(src="224.0.0.1", dst=WEB, ttl=1) / UDP(sport=1, dport=54)),
              drop="martian")


def case_from_the_gateways_own_address(t):
    talk = Talk(t, UDP)
    t.dropped(talk.server.sends(summed(error(GATEWAY, NAT_RED, 11, 0,
                                             talk.packet(False, True)))), drop="martian")


def case_of_a_flow_that_has_lost_its_right(t):
    """The error ends there, and the flow with its next packet as ever."""
    for proto in (TCP, UDP):
        t.reload(CONFIG)
        talk = Talk(t, proto)
        t.reload(edit(CONFIG, vpcAssociations={"main-blue": None}))
        for _ in range(2):
            t.dropped(talk.server.sends(summed(error(talk.server.ip, NAT_RED, 3, 3,
                                                     talk.packet(False, True)))), drop="revoked")
        if len(rows(t)) != 1:
            t.fail(f"{rows(t)}")
        t.inject([talk.client.sends(IP(talk.packet(True, True)))])
        t.run()
        if t.saw(drop="revoked") != 1 or rows(t):
            t.fail(f"{rows(t)}")


def case_traceroute(t):
    """What a client sees hop by hop: the gateway, the routers beyond it as the gateway, the service."""
    talk = Talk(t, UDP)
    near, far = talk.packet(True, True), talk.packet(False, True)
    first = IP(near)
    first.ttl = 1
    del first.chksum
    t.told(talk.client, IP(bytes(first)), 11, 0, drop="ttl_expired")
    passed(talk, True, 11, 0, src=ROUTER, quoted=(far, near))
    passed(talk, True, 3, 3, quoted=(far, near))


def case_waits_for_the_next_hop_like_any_packet(t):
    client, server = t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5")
    f = t.flow(client, server, service=WEB, nat=NAT_RED, proto=UDP, dport=53, tport=5353)
    f.up(b"question")
    quote = bytes(f.target_side(True, {}, b"question", {}))
    frame = t.one(server.sends(summed(error(server.ip, NAT_RED, 3, 3, quote))), client)
    if frame[IP].src != WEB or dissect(bytes(frame))[ICMP].type != 3:
        t.fail(frame.show(dump=True))
