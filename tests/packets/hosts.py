# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Machines on the wire: they answer ARP or neighbour discovery for their address, and know the
frames that they send and must get.
"""

import ipaddress

from scapy.layers.inet6 import (ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr,
                                ICMPv6NDOptSrcLLAddr, IPv6)
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Raw

from frames import vlan_of

BROADCAST = "ff:ff:ff:ff:ff:ff"
ALL_NODES = "ff02::1"


def group_mac(group):
    """RFC 2464 section 7."""
    return "33:33:" + ipaddress.ip_address(group).packed[12:].hex(":")


def solicited_node(ip):
    """RFC 4291 section 2.7.1."""
    return str(ipaddress.ip_address(
        bytes.fromhex("ff0200000000000000000001ff") + ipaddress.ip_address(ip).packed[13:]))


def link_local(mac):
    """The address that is made of a MAC (RFC 4291 appendix A)."""
    octets = bytearray(bytes.fromhex(mac.replace(":", "")))
    octets[0] ^= 2
    return str(ipaddress.ip_address(
        bytes.fromhex("fe80000000000000") + octets[:3] + b"\xff\xfe" + octets[3:]))


def host_of(gateway, port, ip, vlan, mac):
    return (Host6 if ":" in ip else Host)(gateway, port, ip, vlan, mac)


class Host:
    """A machine on an attachment; `via` frames: what it routes for others has other addresses."""

    tunnel = None  # (far end, kind, VNI) of one behind a tunnel: see tunnels.py

    def __init__(self, gateway, port, ip, vlan=0, mac=None):
        self.gateway = gateway
        self.port, self.ip, self.vlan = port, ip, vlan
        number = list(gateway.macs).index(port) + 1
        octets = ipaddress.ip_address(ip).packed[-4:]
        self.mac = mac or "06:%02x:%02x:%02x:%02x:%02x" % (
            number, vlan & 0xff, octets[1], octets[2], octets[3])

    def __str__(self):
        return f"{self.ip} on {self.port}" + (f" vlan {self.vlan}" if self.vlan else "")

    def inner(self, frame):
        """What the machine sees of a frame that comes to it."""
        return frame

    def ether(self, src, dst, payload):
        # A payload of plain bytes is IPv4 too: scapy would give it another type.
        kind = {"type": 0x0800} if isinstance(payload, Raw) else {}
        if self.vlan >> 12:
            frame = Ether(src=src, dst=dst, type=0x88a8) / Dot1Q(
                vlan=self.vlan >> 12, type=0x8100) / Dot1Q(vlan=self.vlan & 0xfff, **kind)
        elif self.vlan:
            frame = Ether(src=src, dst=dst) / Dot1Q(vlan=self.vlan, **kind)
        else:
            frame = Ether(src=src, dst=dst, **kind)
        return self.port, bytes(frame / payload)

    def sends(self, packet, dst=None):
        """The frame in which this host sends an IP packet to the gateway."""
        return self.ether(self.mac, dst or self.gateway.macs[self.port], packet)

    def gets(self, packet):
        """The frame in which the gateway must bring an IP packet to this host."""
        return self.ether(self.gateway.macs[self.port], self.mac, packet)

    # ARP ------------------------------------------------------------------------------------

    def is_asked(self, port, request):
        if ARP not in request:
            return False
        vlan = vlan_of(bytes(request))
        return (port, vlan, request[ARP].pdst) == (self.port, self.vlan, self.ip)

    def answers(self, request):
        return self.ether(self.mac, request.src, ARP(
            op=2, hwsrc=self.mac, psrc=self.ip, hwdst=request[ARP].hwsrc,
            pdst=request[ARP].psrc))

    def announces(self):
        """RFC 5227 section 2.3."""
        return self.ether(self.mac, BROADCAST, ARP(
            op=1, hwsrc=self.mac, psrc=self.ip, hwdst="00:00:00:00:00:00", pdst=self.ip))

    def asks(self, ip, psrc=None):
        """An ARP request of this host."""
        return self.ether(self.mac, BROADCAST, ARP(
            op=1, hwsrc=self.mac, psrc=psrc or self.ip, hwdst="00:00:00:00:00:00", pdst=ip))

    def is_told(self, ip, pdst=None):
        """The gateway's answer to it."""
        mac = self.gateway.macs[self.port]
        return self.gets(ARP(op=2, hwsrc=mac, psrc=ip, hwdst=self.mac, pdst=pdst or self.ip))


class Host6(Host):
    """The same with an IPv6 address, by neighbour discovery (RFC 4861)."""

    def is_asked(self, port, request):
        if ICMPv6ND_NS not in request:
            return False
        vlan = vlan_of(bytes(request))
        return (port, vlan, request[ICMPv6ND_NS].tgt) == (self.port, self.vlan, self.ip)

    def advertises(self, to, mac, solicited, override=1, router=0, option=True):
        """An advertisement of this host's address."""
        said = IPv6(src=self.ip, dst=to, hlim=255) / ICMPv6ND_NA(
            tgt=self.ip, R=router, S=solicited, O=override)
        return self.ether(self.mac, mac,
                          said / ICMPv6NDOptDstLLAddr(lladdr=self.mac) if option else said)

    def answers(self, request):
        if request[IPv6].src == "::":
            return self.announces()
        return self.advertises(request[IPv6].src, request.src, 1)

    def announces(self):
        """RFC 4861 section 7.2.6."""
        return self.advertises(ALL_NODES, group_mac(ALL_NODES), 0)

    def asks(self, ip, psrc=None, dst=None, mac=None):
        """A solicitation of this host; `psrc` "::" looks whether the address is free."""
        group = dst or solicited_node(ip)
        asked = IPv6(src=psrc or self.ip, dst=group, hlim=255) / ICMPv6ND_NS(tgt=ip)
        if psrc != "::":
            asked /= ICMPv6NDOptSrcLLAddr(lladdr=self.mac)
        return self.ether(self.mac, mac or group_mac(solicited_node(ip)), asked)

    def is_told(self, ip, pdst=None):
        """The gateway's answer to it."""
        mac = self.gateway.macs[self.port]
        solicited = pdst != "::"
        dst = (pdst or self.ip) if solicited else ALL_NODES
        told = IPv6(src=ip, dst=dst, hlim=255) / ICMPv6ND_NA(
            tgt=ip, R=1, S=int(solicited), O=1) / ICMPv6NDOptDstLLAddr(lladdr=mac)
        return self.ether(mac, self.mac if solicited else group_mac(ALL_NODES), told)
