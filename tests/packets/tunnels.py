# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Machines behind tunnels: a Host whose frames travel in VXLAN or GENEVE to and from a far end."""

import socket

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from frames import ENTROPY_MIN, GENEVE_PORT, VXLAN_PORT, dissect, frame_diff, show, trim, tunnel_of
from hosts import Host

LOCAL = "192.0.2.1"  # the gateway on the underlay
ETHERNET = 0x6558


def vxlan_header(vni, flags=0x08):
    return bytes([flags, 0, 0, 0]) + vni.to_bytes(3, "big") + b"\0"


def geneve_header(vni, protocol, options=b"", flags=0, version=0):
    return bytes([version << 6 | len(options) // 4, flags]) + protocol.to_bytes(2, "big") + \
        vni.to_bytes(3, "big") + b"\0" + options


class TunnelHost(Host):
    """`far`: a Host on the underlay, the tunnel's other end. `ethernet` False: bare IP inside."""

    def __init__(self, far, kind, vni, ip, ethernet=True, local=LOCAL):
        super().__init__(far.gateway, far.port, ip, 0)
        self.mac = "0a:%02x" % (vni & 0xff) + self.mac[5:]
        self.far, self.kind, self.vni, self.ethernet, self.local = far, kind, vni, ethernet, local
        family = socket.AF_INET6 if ":" in far.ip else socket.AF_INET
        self.tunnel = (socket.inet_pton(family, far.ip), kind, vni)
        far.gateway.hosts.append(self)

    def __str__(self):
        return f"{self.ip} behind {self.far} ({self.kind} {self.vni})"

    def inner(self, frame):
        data = bytes(frame)
        data = data[tunnel_of(data)[2]:]
        return dissect(data) if self.ethernet else Ether() / IP(data)

    def header(self, protocol):
        if self.kind == "vxlan":
            return vxlan_header(self.vni)
        return geneve_header(self.vni, ETHERNET if self.ethernet else protocol)

    def ether(self, src, dst, payload):
        inner = bytes(payload)
        protocol = 0x0806 if ARP in payload else {4: 0x0800, 6: 0x86dd}[inner[0] >> 4]
        tos = 0 if protocol == 0x0806 else IP(inner).tos
        if self.ethernet:
            inner = bytes(Ether(src=src, dst=dst, type=protocol)) + inner
        return self.outer(src == self.mac, self.header(protocol) + inner, tos)

    def outer(self, up, payload, tos=0, **fields):
        """The frame on the underlay: from the far end (`up`), or as the gateway makes it."""
        fields = {"sport": 50000 if up else ENTROPY_MIN, "chksum": 0,
                  "dport": VXLAN_PORT if self.kind == "vxlan" else GENEVE_PORT, **fields}
        udp = bytes(UDP(len=8 + len(payload), **fields)) + payload
        ends = (self.far.ip, self.local) if up else (self.local, self.far.ip)
        if ":" in self.local:
            packet = IPv6(src=ends[0], dst=ends[1], tc=tos, hlim=64, nh=17) / Raw(udp)
        else:
            packet = IP(src=ends[0], dst=ends[1], tos=tos, id=0, flags="DF", proto=17) / Raw(udp)
        return self.far.sends(packet) if up else self.far.gets(packet)

    def check_outer(self, out):
        """A frame to this host, whatever is inside."""
        found = tunnel_of(out.data)
        if out.port != self.port or found is None or found[3:] != (self.kind, self.vni):
            self.gateway.fail(f"frame to {self} expected\n{show(out.data)}")
        _, wrap = self.outer(False, out.data[found[1] + 8:], out.data[found[0] + 1])
        if trim(wrap) != trim(out.data):
            self.gateway.fail(f"wrong outer headers to {self}\n{frame_diff(wrap, out.data)}")


def gwlb_options(endpoint, eni=0x0b01020304050607, cookie=0x11223344):
    """As AWS lays them out: class 0x0108, types 1 to 3, 32 bytes."""
    return (b"\x01\x08\x01\x02" + endpoint.to_bytes(8, "big") +
            b"\x01\x08\x02\x02" + eni.to_bytes(8, "big") +
            b"\x01\x08\x03\x01" + cookie.to_bytes(4, "big"))


class GwlbHost(TunnelHost):
    """A machine in an AWS VPC, behind an endpoint of a Gateway Load Balancer whose node is `far`. What
    goes back must have the same options and UDP port.
    """

    SPORT = 60001

    def __init__(self, far, endpoint, ip, cookie=0x11223344):
        super().__init__(far, "geneve", 0, ip, ethernet=False)
        self.options = gwlb_options(endpoint, cookie=cookie)

    def header(self, protocol):
        return geneve_header(0, protocol, self.options)

    def outer(self, up, payload, tos=0, **fields):
        return super().outer(up, payload, tos, **{"sport": self.SPORT, **fields})

    def check_outer(self, out):
        super().check_outer(out)
        found = tunnel_of(out.data)
        sport = int.from_bytes(out.data[found[1]:found[1] + 2], "big")
        if out.data[found[1] + 16:found[2]] != self.options or sport != self.SPORT:
            self.gateway.fail(f"options or port are not what {self} sent\n{show(out.data)}")
