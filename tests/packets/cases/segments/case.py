# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Frames in several segments: cut anywhere, and longer than a buffer. Besides, test_cases.py repeats
other cases with every frame in pieces.
"""

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.packet import Raw

from marks import rig
from topology import NAT_RED, WEB, attachment, base, edit, vpc

CONFIG = base()
JUMBO = base(vpcs=[
    vpc("blue", [attachment("blue0", "10.0.0.1/24", mtu=9000)]),
    vpc("red", [attachment("red0", "10.0.0.1/24", mtu=9000)], natPool=[NAT_RED + "/32"]),
    vpc("green", [attachment("trunk0", "10.0.0.1/24", vlan=100)])])
BUFFER = 2048


def flow(t, **fields):
    return t.flow(t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5"), service=WEB,
                  nat=NAT_RED, **fields)


def pieces(frame, *cuts):
    """The (port, bytes) frame, as it comes in cut there."""
    return frame + (None, 0, {}, list(cuts))


def case_cut_at_every_byte_of_the_headers(t):
    f = flow(t).open()
    l4, ip = {"flags": "PA", "seq": 1001, "ack": 5001}, f.stamp({})
    sent = f.client.sends(f.client_side(True, l4, b"data!", ip))
    far_l4, far_ip = f.far(l4, ip)
    expect = f.server.gets(f.target_side(True, far_l4, b"data!", far_ip))
    size = len(sent[1])
    cuts = [(at,) for at in range(size + 1)] + [(0, 0, at, at) for at in (1, 14, 34)] + \
        [tuple(range(1, 9)), (14, 34, 54), (12, 13, 26, 27, 46, 47)]
    for places in cuts:
        t.step(send=[pieces(sent, *places)], expect=[expect])


def case_padding_in_a_segment_of_its_own(t):
    f = flow(t).open()
    l4, ip = {"flags": "A", "seq": 1001, "ack": 5001}, f.stamp({})
    port, sent = f.client.sends(f.client_side(True, l4, b"z", ip))
    far_l4, far_ip = f.far(l4, ip)
    expect = f.server.gets(f.target_side(True, far_l4, b"z", far_ip))
    for places in ((len(sent),), (54,), (len(sent) + 1,), (20, 54, len(sent) + 2)):
        t.step(send=[pieces((port, sent + b"\xaa" * 5), *places)], expect=[expect])


def case_headers_that_end_too_early_are_seen(t):
    client = t.host("blue0", "10.0.0.5")
    whole = IP(src=client.ip, dst=WEB) / TCP(sport=1, dport=80, flags="S")
    short = client.sends(Raw(bytes(whole)[:39]))
    t.dropped(pieces(short, 14, 34), drop="ip_malformed")
    t.dropped(pieces(("blue0", short[1][:13]), 5), drop="frame_short")
    odd = client.sends(IP(src=client.ip, dst=WEB) / TCP(sport=1, dport=80, flags="S", dataofs=15))
    t.dropped(pieces(odd, 30, 50), drop="l4_malformed")


@rig(room=BUFFER)
def case_longer_than_a_buffer(t):
    f = flow(t).open()
    f.up(b"x" * 8960, flags="PA", seq=1001, ack=5001)
    f.down(b"y" * 8959, flags="PA", seq=5001, ack=9961)
    f.up(b"x" * 8961, flags="PA", seq=9961, ack=5001, drop="oversize", told=(3, 4, 9000))
    f.up(b"x" * 5000, ip={"ttl": 1}, flags="A", seq=9961, ack=5001, drop="ttl_expired",
         told=(11, 0))
    g = flow(t, proto=UDP, dport=53, tport=5353)
    g.up(b"q" * 8972)
    g.down(b"a" * 2100)
    g.down(b"a" * 2100, chksum=0)


case_longer_than_a_buffer.config = JUMBO


@rig(room=BUFFER)
def case_trailing_padding_longer_than_the_last_segment(t):
    """What the IP header does not count is cut off, whole segments of it too."""
    f = flow(t).open()
    l4, ip = {"flags": "PA", "seq": 1001, "ack": 5001}, f.stamp({})
    port, sent = f.client.sends(f.client_side(True, l4, b"d" * 1900, ip))
    far_l4, far_ip = f.far(l4, ip)
    expect = f.server.gets(f.target_side(True, far_l4, b"d" * 1900, far_ip))
    t.step(send=[(port, sent + b"\xaa" * 5000)], expect=[expect])


case_trailing_padding_longer_than_the_last_segment.config = JUMBO


@rig(room=BUFFER)
def case_ping_longer_than_a_buffer(t):
    """Its checksum covers all segments, and is looked at as in one."""
    client, server = t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5")
    for size in (3000, 4001):
        request = IP(src=client.ip, dst=WEB, flags="DF") / ICMP(type=8, id=7, seq=1) / Raw(
            (bytes(range(256)) * 16)[:size])
        got = t.one(client.sends(request), server)
        again = IP(bytes(got[IP]))
        del again[ICMP].chksum
        if bytes(again) != bytes(got[IP]):
            t.fail("the checksum is wrong behind the gateway")
        bad = bytearray(bytes(request))
        bad[-1] ^= 1
        t.dropped(client.sends(Raw(bytes(bad))), drop="icmp_cksum")


case_ping_longer_than_a_buffer.config = edit(JUMBO, services={"web": {"icmpEcho": "forward"}})


@rig(room=BUFFER)
def case_refused_when_longer_than_a_buffer(t):
    client = t.host("blue0", "10.0.0.5")
    segment = IP(src=client.ip, dst=WEB, flags="DF") / TCP(
        sport=5, dport=81, flags="PA", seq=5, ack=6) / Raw(b"x" * 5000)
    t.refused(client, segment, drop="no_listener")
    t.told(client, IP(src=client.ip, dst=WEB, flags="DF") / UDP(sport=5, dport=54) / Raw(b"x" * 5000),
           3, 3, drop="no_listener")


case_refused_when_longer_than_a_buffer.config = JUMBO


@rig(room=BUFFER)
def case_revoked_when_longer_than_a_buffer(t):
    """A RST each way, as for a packet in one piece."""
    f = flow(t).open()
    t.reload(edit(JUMBO, vpcAssociations={"main-blue": None}))
    t.run()
    t.counted()
    sent = f.sends_up(b"x" * 5000, flags="PA", seq=1001, ack=5001)
    t.inject([sent])
    outs = t.run()
    t.check_counts({"revoked": 1}, {"rst": 2})
    if sorted((out.port, len(out.data)) for out in outs) != [("blue0", 54), ("red0", 54)]:
        t.fail(f"a RST each way expected, got {[(out.port, len(out.data)) for out in outs]}")


case_revoked_when_longer_than_a_buffer.config = JUMBO


@rig(room=512)
def case_buffers_too_small_for_headers(t):
    """No port has such buffers; it is dropped by name, and shorter frames pass."""
    f = flow(t).open()
    f.up(b"x" * 400, flags="PA", seq=1001, ack=5001)
    f.up(b"x" * 1200, flags="PA", seq=1401, ack=5001, drop="segments")
