# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""IPv4 packets as bytes, from struct alone: parse, checksum, translate. Knows no configuration."""

import ipaddress
import struct
from dataclasses import dataclass

ETH_IPV4, ETH_ARP, ETH_VLAN, ETH_IPV6 = 0x0800, 0x0806, 0x8100, 0x86dd
ETH_QINQ = 0x88a8
ICMP, TCP, UDP = 1, 6, 17
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
PORTS = range(1024, 65536)
UNREACHABLE, TIME_EXCEEDED, PARAMETER = ERRORS = 3, 11, 12


def ip(text):
    return int(ipaddress.IPv4Address(text))


def ip_text(value):
    return str(ipaddress.IPv4Address(value))


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    """RFC 1071, the plain way."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def network(prefix):
    net = ipaddress.ip_network(prefix, strict=False)
    return int(net.network_address), int(net.netmask)


def within(address, net):
    return address & net[1] == net[0]


@dataclass
class Packet:
    port: str
    vlan: int
    src_mac: bytes
    ip: bytes  # header and all, padding cut off
    src: int
    dst: int
    proto: int
    sport: int
    dport: int

    @property
    def l4(self):
        return self.ip[20:]

    @property
    def ttl(self):
        return self.ip[8]

    @property
    def ident(self):
        return struct.unpack_from("!H", self.ip, 4)[0]

    @property
    def flags(self):
        return self.l4[13]

    @property
    def seq(self):
        return struct.unpack_from("!I", self.l4, 4)[0]

    @property
    def ack(self):
        return struct.unpack_from("!I", self.l4, 8)[0]

    @property
    def payload_len(self):
        return len(self.l4) - (self.l4[12] >> 4) * 4


class Bad(Exception):
    """The packet cannot be; the argument is the reason."""


def split(frame):
    """(dst, src, vlan, ethertype, rest). Two tags are one number: outer << 12 | inner."""
    if len(frame) < 14:
        raise Bad("frame_short")
    dst, src = frame[:6], frame[6:12]
    kind, = struct.unpack_from("!H", frame, 12)
    at, vlan = 14, 0
    for tag, shift in ((ETH_QINQ, 12), (ETH_VLAN, 0)):
        if kind != tag:
            continue
        if len(frame) < at + 4:
            raise Bad("frame_short")
        tci, kind = struct.unpack_from("!HH", frame, at)
        at, vlan = at + 4, vlan | (tci & 0xfff) << shift
    return dst, src, vlan, kind, frame[at:]


def martian(address):
    return address >> 24 in (0, 127) or address >> 24 >= 224


def routes_by_source(options):
    """Loose or strict (RFC 791 section 3.1), as far as the options can be followed."""
    while options and options[0] != 0:
        if options[0] in (131, 137):
            return True
        size = 1 if options[0] == 1 else options[1] if len(options) > 1 else 0
        if size < (1 if options[0] == 1 else 2):
            return False
        options = options[size:]
    return False


def parse(port, vlan, src_mac, data):
    """A Packet, or Bad with the one reason a single fault has."""
    if len(data) < 20 or data[0] >> 4 != 4 or data[0] & 15 < 5:
        raise Bad("ip_malformed")
    length, = struct.unpack_from("!H", data, 2)
    header = (data[0] & 15) * 4
    if not header <= length <= len(data):
        raise Bad("ip_malformed")
    if checksum(data[:header]) != 0:
        raise Bad("ip_cksum")
    if header != 20:
        raise Bad("ip_source_route" if routes_by_source(data[20:header]) else "ip_options")
    src, dst = struct.unpack_from("!II", data, 12)
    if martian(src):
        raise Bad("martian")
    if src == dst:
        raise Bad("land")
    if dst >> 28 == 14 or dst == 0xffffffff:
        raise Bad("multicast")
    if martian(dst):
        raise Bad("martian")
    if struct.unpack_from("!H", data, 6)[0] & 0x3fff:
        raise Bad("fragment")
    data = data[:length]
    sport, dport = parse_l4(data[9], data[20:])
    return Packet(port, vlan, src_mac, data, src, dst, data[9], sport, dport)


def parse_l4(proto, l4):
    if proto == TCP:
        if len(l4) < 20 or not 20 <= (l4[12] >> 4) * 4 <= len(l4):
            raise Bad("l4_malformed")
        flags = l4[13] & (FIN | SYN | RST | ACK)
        if flags in (0, FIN) or (flags & SYN and flags & (FIN | RST)):
            raise Bad("tcp_flags")
    elif proto == UDP:
        if len(l4) < 8 or not 8 <= struct.unpack_from("!H", l4, 4)[0] <= len(l4):
            raise Bad("l4_malformed")
    elif proto == ICMP:
        if len(l4) < 8:
            raise Bad("l4_malformed")
        if l4[0] not in ERRORS and (l4[0] not in (0, 8) or l4[1] != 0):
            raise Bad("icmp_type")
        if checksum(l4) != 0:
            raise Bad("icmp_cksum")
        if l4[0] in ERRORS:
            return 0, 0
        ident, = struct.unpack_from("!H", l4, 4)
        return ident, ident
    else:
        raise Bad("protocol")
    return struct.unpack_from("!HH", l4)


def shifted(cksum, old, new):
    """The checksum after `old` bytes became `new`: what was right stays right, what was wrong
    stays wrong by the same amount. Whole sums, not RFC 1624 steps."""
    total = ~cksum & 0xffff
    for was, now in zip(struct.unpack(f"!{len(old) // 2}H", old),
                        struct.unpack(f"!{len(new) // 2}H", new)):
        total += (~was & 0xffff) + now
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def lower_mss(l4, mss):
    """The header of a SYN with its MSS option lowered to `mss`, checksum not touched."""
    l4, at, end = bytearray(l4), 20, (l4[12] >> 4) * 4
    while at < end and l4[at] != 0:
        if l4[at] == 1:
            at += 1
            continue
        if at + 1 >= end or l4[at + 1] < 2 or at + l4[at + 1] > end:
            break
        if l4[at] == 2 and l4[at + 1] == 4:
            struct.pack_into("!H", l4, at + 2, min(mss, struct.unpack_from("!H", l4, at + 2)[0]))
        at += l4[at + 1]
    return bytes(l4)


def rewrite(data, src, dst, sport, dport, mss):
    """The IP packet with new ends and one hop less."""
    l4, proto = bytearray(data[20:]), data[9]
    old_ends, new_ends = data[12:20], struct.pack("!II", src, dst)
    ports = struct.pack("!HH", sport, dport)
    if proto == TCP:
        size = (l4[12] >> 4) * 4
        new = ports + (lower_mss(l4, mss) if l4[13] & SYN else bytes(l4))[4:]
        cksum = shifted(struct.unpack_from("!H", l4, 16)[0],
                        old_ends + l4[:16] + l4[18:size], new_ends + new[:16] + new[18:size])
        l4 = bytearray(new)
        struct.pack_into("!H", l4, 16, cksum)
    elif proto == UDP:
        cksum = shifted(struct.unpack_from("!H", l4, 6)[0], old_ends + l4[:4], new_ends + ports)
        # RFC 768: 0 says that none was computed and stays; a sum of 0 is sent as 0xffff.
        cksum = 0 if l4[6:8] == b"\0\0" else cksum or 0xffff
        l4[0:4] = ports
        struct.pack_into("!H", l4, 6, cksum)
    else:
        ident = ports[:2]  # one identifier in both fields
        struct.pack_into("!H", l4, 2,
                         shifted(struct.unpack_from("!H", l4, 2)[0], bytes(l4[4:6]), ident))
        l4[4:6] = ident
    head = bytearray(data[:20])
    head[8] -= 1
    head[10:12] = b"\0\0"
    head[12:20] = new_ends
    struct.pack_into("!H", head, 10, checksum(bytes(head)))
    return bytes(head) + bytes(l4)


def framed(dst, src, vlan, kind, data):
    tag = struct.pack("!HH", ETH_VLAN, vlan & 0xfff) if vlan else b""
    if vlan >> 12:
        tag = struct.pack("!HH", ETH_QINQ, vlan >> 12) + tag
    return dst + src + tag + struct.pack("!H", kind) + data


def ip_packet(src, dst, proto, l4):
    head = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(l4), 0, 0, 64, proto, 0, src, dst)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + l4


# ---- ICMP errors ---------------------------------------------------------------------------------


def icmp_error(src, dst, kind, code, quote, mtu=0):
    l4 = struct.pack("!BBHHH", kind, code, 0, 0, mtu) + quote
    return ip_packet(src, dst, ICMP, l4[:2] + struct.pack("!H", checksum(l4)) + l4[4:])


def parse_quote(quote):
    """(proto, src, dst, sport, dport) of the packet that an error is about, or Bad."""
    if len(quote) < 20 or quote[0] >> 4 != 4 or quote[0] & 15 < 5:
        raise Bad("icmp_quote")
    head = (quote[0] & 15) * 4
    if min(len(quote), struct.unpack_from("!H", quote, 2)[0]) < head + 8:
        raise Bad("icmp_quote")
    if checksum(quote[:head]) != 0:
        raise Bad("icmp_quote_cksum")
    l4, proto = quote[head:], quote[9]
    if struct.unpack_from("!H", quote, 6)[0] & 0x1fff or proto not in (ICMP, TCP, UDP) or \
            (proto == ICMP and (l4[0] not in (0, 8) or l4[1] != 0)):
        raise Bad("icmp_quote")
    ports = struct.unpack_from("!H", l4, 4) * 2 if proto == ICMP else struct.unpack_from("!HH", l4)
    return (proto, *struct.unpack_from("!II", quote, 12), *ports)


def requote(quote, src, dst, sport, dport):
    """The quoted packet, perhaps cut short, with other ends and no hop less."""
    proto, head, l4 = quote[9], bytearray(quote[:20]), bytearray(quote[20:])
    old, new, ports = quote[12:20], struct.pack("!II", src, dst), struct.pack("!HH", sport, dport)
    if proto == ICMP:
        old, new, start, size, at = b"", b"", 4, 2, 2
    else:
        start, size, at = 0, 4, 16 if proto == TCP else 6
    if len(l4) >= at + 2 and not (proto == UDP and l4[6:8] == b"\0\0"):
        cksum = shifted(struct.unpack_from("!H", l4, at)[0],
                        old + bytes(l4[start:start + size]), new + ports[:size])
        struct.pack_into("!H", l4, at, cksum or (0xffff if proto == UDP else 0))
    l4[start:start + size] = ports[:size]
    head[10:12] = b"\0\0"
    head[12:20] = struct.pack("!II", src, dst)
    struct.pack_into("!H", head, 10, checksum(bytes(head)))
    return bytes(head) + bytes(l4)
