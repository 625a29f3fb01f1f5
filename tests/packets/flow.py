# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""One connection or UDP exchange, every packet of it compared byte for byte in both directions."""

from scapy.layers.inet import IP, TCP
from scapy.packet import Raw

from frames import clamp, frame_diff, trim


class Flow:
    """One TCP connection or UDP exchange. The first packet that passes teaches the NAT address and
    port; every packet, that one too, is then compared whole with one built from nothing.
    """

    serial = 0

    def __init__(self, gateway, client, server, service, nat, proto=TCP, sport=40000, dport=80,
                 tport=8080, source=None, target=None, mss=None):
        self.gateway, self.client, self.server = gateway, client, server
        self.service, self.proto = service, proto
        self.nats = [nat] if isinstance(nat, str) else list(nat)
        self.nat = None
        self.nport = None
        self.sport, self.dport, self.tport = sport, dport, tport
        self.source, self.target = source or client.ip, target or server.ip
        self.mss = mss

    # The packet as each side sees it ------------------------------------------------------------

    @staticmethod
    def stamp(ip):
        """Fields that must survive: an id of its own, DSCP and the DF bit."""
        Flow.serial = (Flow.serial + 1) & 0xffff
        given = {"id": Flow.serial, "flags": "DF", "tos": 0x28, "ttl": 64}
        given.update(ip)
        return given

    def client_side(self, up, l4, payload, ip):
        ends = (self.source, self.service, self.sport, self.dport)
        return self.packet(ends if up else ends[1::-1] + ends[:1:-1], l4, payload, ip)

    def target_side(self, up, l4, payload, ip):
        ends = (self.nat, self.target, self.nport, self.tport)
        return self.packet(ends if up else ends[1::-1] + ends[:1:-1], l4, payload, ip)

    def packet(self, ends, l4, payload, ip):
        packet = IP(src=ends[0], dst=ends[1], **ip) / self.proto(
            sport=ends[2], dport=ends[3], **l4)
        return packet / Raw(payload) if payload else packet

    def far(self, l4, ip):
        l4, ip = dict(l4), dict(ip)
        ip["ttl"] -= 1
        if "options" in l4:
            l4["options"] = clamp(l4["options"], self.mss)
        return l4, ip

    # Steps --------------------------------------------------------------------------------------

    def sends_up(self, payload=b"", ip=None, **l4):
        return self.client.sends(self.client_side(True, l4, payload, self.stamp(ip or {})))

    def sends_down(self, payload=b"", ip=None, **l4):
        return self.server.sends(self.target_side(False, l4, payload, self.stamp(ip or {})))

    def up(self, payload=b"", ip=None, drop=None, told=None, generated=None, ms=0, **l4):
        """Client to target. `drop`: it must be dropped for that reason instead; `told`: and answered
        by an ICMP error of that (type, code, MTU).
        """
        ip = self.stamp(ip or {})
        packet = self.client_side(True, l4, payload, ip)
        send = self.client.sends(packet)
        if told is not None:
            return self.gateway.told(self.client, packet, *told, drop=drop)
        if drop is not None:
            return self.gateway.step(send=[send], drops={drop: 1}, generated=generated, ms=ms)
        if self.nport is None:
            self.learn(self.gateway.one(send, self.server, generated=generated, ms=ms), l4,
                       payload, ip)
            return None
        far_l4, far_ip = self.far(l4, ip)
        expect = self.server.gets(self.target_side(True, far_l4, payload, far_ip))
        return self.gateway.step(send=[send], expect=[expect], generated=generated, ms=ms)

    def down(self, payload=b"", ip=None, drop=None, told=None, generated=None, ms=0, **l4):
        """Target to client."""
        ip = self.stamp(ip or {})
        packet = self.target_side(False, l4, payload, ip)
        send = self.server.sends(packet)
        if told is not None:
            return self.gateway.told(self.server, packet, *told, drop=drop)
        if drop is not None:
            return self.gateway.step(send=[send], drops={drop: 1}, generated=generated, ms=ms)
        far_l4, far_ip = self.far(l4, ip)
        expect = self.client.gets(self.client_side(False, far_l4, payload, far_ip))
        return self.gateway.step(send=[send], expect=[expect], generated=generated, ms=ms)

    def learn(self, frame, l4, payload, ip):
        """Takes NAT address and port from the first packet and compares all of it."""
        packet = self.server.inner(frame)[IP]
        if packet.src not in self.nats:
            self.gateway.fail(f"source {packet.src} is not in the NAT pool {self.nats}")
        if not 1024 <= packet.sport <= 65535:
            self.gateway.fail(f"source port {packet.sport} is not in 1024..65535")
        self.nat, self.nport = packet.src, packet.sport
        far_l4, far_ip = self.far(l4, ip)
        expect = self.server.gets(self.target_side(True, far_l4, payload, far_ip))
        if trim(bytes(frame)) != trim(expect[1]):
            self.gateway.fail(f"wrong frame\n{frame_diff(expect[1], bytes(frame))}")

    # TCP ----------------------------------------------------------------------------------------

    def syn(self, **l4):
        self.up(flags="S", seq=1000, **l4)

    def open(self):
        """Three segments; the client is at 1001, the target at 5001."""
        self.syn()
        self.down(flags="SA", seq=5000, ack=1001)
        self.up(flags="A", seq=1001, ack=5001)
        return self

    def talk(self):
        """A segment with data each way."""
        self.up(b"ping", flags="PA", seq=1001, ack=5001)
        self.down(b"pong", flags="PA", seq=5001, ack=1005)

    def close(self, first="client"):
        """Both FINs and both acknowledgements."""
        if first == "client":
            self.up(flags="FA", seq=1001, ack=5001)
            self.down(flags="FA", seq=5001, ack=1002)
            self.up(flags="A", seq=1002, ack=5002)
        else:
            self.down(flags="FA", seq=5001, ack=1001)
            self.up(flags="FA", seq=1001, ack=5002)
            self.down(flags="A", seq=5002, ack=1002)

    def rst_frame(self, to_client, seq, ack, flags):
        """A reset the gateway makes: everything but TTL, id, DF and window is given."""
        side = self.client_side if to_client else self.target_side
        host = self.client if to_client else self.server
        return host.gets(side(not to_client, {"seq": seq, "ack": ack, "flags": flags}, b"",
                              {"ttl": 64}))
