# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Tunnels around the model: to it, a tunnel attachment is a port of its own with Ethernet frames.

Tunnel.wrap() makes the frame that a far end sends of an inner one; Tunnel.unwrap() takes apart what
the gateway sent, checks every outer byte but the source port, and gives the inner frame. Written from
RFC 7348 and RFC 8926, with struct alone.
"""

import struct
from dataclasses import dataclass

from packet import (ETH_IPV4, ETH_QINQ, ETH_VLAN, UDP, Bad, checksum, framed, ip, network, split,
                    within)

PORTS = {"vxlan": 4789, "geneve": 6081}
ETHERNET = 0x6558
OVERHEAD = 20 + 8 + 8
NOBODY = bytes(6)  # the other end's MAC where there is no Ethernet inside


@dataclass
class Tunnel:
    name: str  # what the model calls it
    port: str
    vlan: int
    kind: str
    vni: int
    local: int
    fars: list  # (address, networks or None: all the rest)
    ethernet: bool
    mtu: int
    mac: bytes = NOBODY  # the gateway's

    def far_of(self, inner):
        """Number of the far end behind which the address lies."""
        found = [(net[1], i) for i, (_, nets) in enumerate(self.fars) for net in nets or ()
                 if within(inner, net)]
        rest = [i for i, (_, nets) in enumerate(self.fars) if nets is None]
        return max(found)[1] if found else rest[0]

    # From a far end -------------------------------------------------------------------------

    def seen(self, frame):
        """What the model must be given: without Ethernet inside nobody sees addresses or types."""
        if self.ethernet:
            return frame
        return self.mac + NOBODY + struct.pack("!H", ETH_IPV4) + frame[14:]

    def wrap(self, frame, far_mac, far=0):
        inner = frame if self.ethernet else frame[14:]
        protocol = ETHERNET if self.ethernet else ETH_IPV4
        return self.outer(self.header(protocol) + inner, self.fars[far][0], self.local, 0, 50000,
                          self.mac, far_mac)

    def header(self, protocol):
        first = struct.pack("!I", 0x08000000 if self.kind == "vxlan" else protocol)
        return first + struct.pack("!I", self.vni << 8)

    def outer(self, payload, src, dst, tos, sport, eth_dst, eth_src):
        udp = struct.pack("!HHHH", sport, PORTS[self.kind], 8 + len(payload), 0) + payload
        head = struct.pack("!BBHHHBBHII", 0x45, tos, 20 + len(udp), 0, 0x4000, 64, UDP, 0, src, dst)
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        return framed(eth_dst, eth_src, self.vlan, ETH_IPV4, head + udp)

    def verdict(self, frame):
        """A drop that only a tunnel knows, or None."""
        if not self.ethernet:
            return None
        if len(frame) < 14:
            return "tunnel_malformed"
        kind, = struct.unpack_from("!H", frame, 12)
        return "tunnel_protocol" if kind in (ETH_VLAN, ETH_QINQ) else None

    # From the gateway -----------------------------------------------------------------------

    def unwrap(self, data, mac_of):
        """The inner frame; Bad says what is wrong outside."""
        dst, _, _, _, packet = split(data)
        sport, = struct.unpack_from("!H", packet, 20)
        payload = packet[28:]
        inner = payload[8:]
        far = next((i for i, one in enumerate(self.fars)
                    if struct.pack("!I", one[0]) == packet[16:20]), None)
        if far is None or sport < 49152:
            raise Bad(f"far end or source port {sport}")
        head = inner[14:] if self.ethernet else inner
        is_arp = self.ethernet and inner[12:14] == b"\x08\x06"
        protocol = ETHERNET if self.ethernet else ETH_IPV4
        # A refusal goes to whoever sent; all else to a neighbour.
        whole = self.outer(self.header(protocol) + inner, self.local, self.fars[far][0],
                           0 if is_arp else head[1], sport, dst, self.mac)
        if whole != data or dst != mac_of(self.port, self.vlan, self.fars[far][0]):
            raise Bad(f"outer headers {data[:60].hex()}, expected {whole[:60].hex()}")
        if not self.ethernet:
            return NOBODY + self.mac + struct.pack("!H", ETH_IPV4) + inner
        return inner


def tunnel_of(conf, att):
    """The Tunnel of a configured attachment, or None."""
    kind = next((one for one in PORTS if one in att), None)
    if kind is None:
        return None
    part = att[kind]
    wire = next(one for one in conf["underlays"] if one["name"] == part["underlay"])
    ethernet = part.get("inner", "ethernet") == "ethernet"
    fars = [(ip(one["address"]), [network(p) for p in one["prefixes"]] if "prefixes" in one
             else None) for one in part["remotes"]]
    return Tunnel(f"{wire['port']}/{kind}{part['vni']}", wire["port"], wire.get("vlan", 0), kind,
                  part["vni"], ip(wire["addresses"][0].split("/")[0]), fars, ethernet,
                  wire["mtu"] - OVERHEAD - (14 if ethernet else 0))


def identify(data, tunnels):
    """Which of these tunnels a frame of the gateway is in, or None."""
    try:
        _, _, vlan, kind, packet = split(data)
    except Bad:
        return None
    if kind != ETH_IPV4 or len(packet) < 36 or packet[9] != UDP:
        return None
    dport, = struct.unpack_from("!H", packet, 22)
    vni = int.from_bytes(packet[32:35], "big")
    return next((one for one in tunnels.values()
                 if (PORTS[one.kind], one.vni, one.vlan) == (dport, vni, vlan)), None)
