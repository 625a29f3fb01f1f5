# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Frames: take apart, compare, show, and what a reset must look like."""

import difflib

from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw


def dissect(data):
    return Ether(bytes(data))


def vlan_of(data):
    """The tag, two as one number (topology.qinq), or 0."""
    vlan, at = 0, 12
    while data[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
        tag = int.from_bytes(data[at + 2:at + 4], "big") & 0xfff
        vlan |= tag << 12 if data[at:at + 2] == b"\x88\xa8" else tag
        at += 4
    return vlan


VXLAN_PORT = 4789
GENEVE_PORT = 6081
ENTROPY_MIN = 49152


def tunnel_of(data):
    """(start of the outer IP header, UDP's, of what is inside, kind, VNI) or None. IPv4 and IPv6."""
    at = 14
    while data[at - 2:at] in (b"\x81\x00", b"\x88\xa8"):
        at += 4
    kind = data[at - 2:at]
    if kind == b"\x08\x00" and data[at + 9] == 17:
        udp = at + 20
    elif kind == b"\x86\xdd" and data[at + 6] == 17:
        udp = at + 40
    else:
        return None
    port = int.from_bytes(data[udp + 2:udp + 4], "big")
    vni = int.from_bytes(data[udp + 12:udp + 15], "big")
    if port == VXLAN_PORT:
        return at, udp, udp + 16, "vxlan", vni
    if port == GENEVE_PORT:
        return at, udp, udp + 16 + 4 * (data[udp + 8] & 0x3f), "geneve", vni
    return None


def trim(data):
    """Without the padding of a short frame: it may be kept or cut off on the way. A tunnel's source
    port is the gateway's choice within its range.
    """
    found = tunnel_of(data)
    if found and int.from_bytes(data[found[1]:found[1] + 2], "big") >= ENTROPY_MIN:
        data = data[:found[1]] + b"\xff\xff" + data[found[1] + 2:]
    frame = dissect(data)
    if IP in frame:
        start = len(data) - len(frame[IP])
        return data[:start + frame[IP].len]
    if IPv6 in frame:
        start = len(data) - len(frame[IPv6])
        return data[:start + 40 + frame[IPv6].plen]
    if ARP in frame:
        start = len(data) - len(frame[ARP])
        return data[:start + 28]
    return data


def show(data):
    return dissect(data).show2(dump=True)


def frame_diff(expected, got):
    return "\n".join(difflib.unified_diff(
        show(expected).splitlines(), show(got).splitlines(), "expected", "got", lineterm="", n=30))


def clamp(options, mss):
    """TCP options with an MSS above `mss` lowered to it."""
    return [(name, min(value, mss) if name == "MSS" and mss else value)
            for name, value in options]


def rst_for(packet):
    """The reset that answers a segment (RFC 9293 section 3.5.2): (seq, ack, flags)."""
    ip, tcp = packet[IP], packet[TCP]
    if tcp.flags.A:
        return tcp.ack, 0, "R"
    length = ip.len - ip.ihl * 4 - tcp.dataofs * 4
    length += int(tcp.flags.S) + int(tcp.flags.F)
    return 0, (tcp.seq + length) & 0xffffffff, "RA"


RST_FREE = ("ttl", "id", "flags", "tos", "chksum")


def same_rst(frame, expected):
    """Equal but for what a maker of packets may choose: TTL, id, DF, DSCP and the window; both
    checksums must be right.
    """
    got, want = dissect(bytes(frame)), dissect(bytes(expected))
    again = dissect(bytes(frame))
    for layer in (IP, TCP):
        del again[layer].chksum
    if bytes(again) != bytes(got):
        return False
    for name in RST_FREE:
        setattr(got[IP], name, 0)
        setattr(want[IP], name, 0)
    for one in (got, want):
        one[TCP].window = 0
        one[TCP].chksum = 0
    return trim(bytes(got)) == trim(bytes(want))


QUOTE_MAX = 576 - 28  # RFC 1812 section 4.3.2.3, less both headers


def error_about(data, own, kind, code, mtu=0):
    """The ICMP error of the gateway's own, from `own`, about the IP packet `data`."""
    icmp = ICMP(type=kind, code=code, nexthopmtu=mtu) if mtu else ICMP(type=kind, code=code)
    return IP(src=own, dst=IP(data).src, ttl=64, id=0, flags="DF", tos=0xc0) / icmp / \
        Raw(data[:QUOTE_MAX])


def error_name(kind, code):
    """As it counts among generated packets."""
    if kind == 11:
        return "icmp_time_exceeded"
    return "icmp_frag_needed" if code == 4 else "icmp_unreachable"
