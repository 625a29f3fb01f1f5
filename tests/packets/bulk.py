# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Many flows at once: frames from struct, not scapy, and one run for many of them."""

import collections
import struct

from harness import BATCH
from scapy.utils import checksum

SYN, SYN_ACK, ACK, FIN_ACK, RST = 0x02, 0x12, 0x10, 0x11, 0x04

Seen = collections.namedtuple("Seen", "port src dst proto sport dport flags")


def _mac(text):
    return bytes.fromhex(text.replace(":", ""))


def _ip(text):
    return bytes(int(part) for part in text.split("."))


def _l4(src, dst, proto, l4, at):
    pseudo = src + dst + struct.pack("!BBH", 0, proto, len(l4))
    return l4[:at] + struct.pack("!H", checksum(pseudo + l4)) + l4[at + 2:]


def frame(host, src, dst, proto, l4):
    """From `host` to the gateway."""
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(l4), 1, 0x4000, 64, proto, 0) + \
        _ip(src) + _ip(dst)
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    tag = struct.pack("!HH", 0x8100, host.vlan) if host.vlan else b""
    return host.port, (_mac(host.gateway.macs[host.port]) + _mac(host.mac) + tag + b"\x08\0" +
                       head + l4)


def udp(host, src, sport, dst, dport, payload=b"bulk"):
    l4 = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    return frame(host, src, dst, 17, _l4(_ip(src), _ip(dst), 17, l4, 6))


def tcp(host, src, sport, dst, dport, flags, seq=1000, ack=0):
    l4 = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 0x50, flags, 0xffff, 0, 0)
    return frame(host, src, dst, 6, _l4(_ip(src), _ip(dst), 6, l4, 16))


def seen(out):
    """What an untagged or tagged IPv4 frame says."""
    at = 18 if out.data[12:14] == b"\x81\0" else 14
    head = out.data[at:at + 20]
    sport, dport = struct.unpack_from("!HH", out.data, at + 20)
    flags = out.data[at + 33] if head[9] == 6 else 0
    return Seen(out.port, ".".join(map(str, head[12:16])), ".".join(map(str, head[16:20])),
                head[9], sport, dport, flags)


def send(t, frames, ms=0):
    """Sends all, a batch a run; what came out, dissected by seen()."""
    outs = []
    frames = list(frames)
    for first in range(0, len(frames), BATCH):
        t.inject(frames[first:first + BATCH])
        outs += t.run(0)
    if ms:
        outs += t.run(ms)
    return [seen(out) for out in outs]


class Opened:
    """TCP flows of one client brought to a state together. `ports`: sport -> (NAT, its port).
    `whole`: each is established before the next one begins.
    """

    def __init__(self, t, client, server, service, dport, tport, sports, source=None,
                 whole=False):
        self.t, self.client, self.server = t, client, server
        self.service, self.dport, self.tport = service, dport, tport
        self.source = source or client.ip
        self.ports = {}
        for sport in sports:  # one by one: which NAT port belongs to which flow is free
            outs = send(t, [self.up_frame(sport, SYN, 1000)])
            if len(outs) == 1 and outs[0].port == server.port:
                self.ports[sport] = (outs[0].src, outs[0].sport)
            if whole and sport in self.ports:
                send(t, [self.down_frame(sport, SYN_ACK, 5000, 1001)])
                send(t, [self.up_frame(sport, ACK, 1001, 5001)])

    def up_frame(self, sport, flags, seq=1001, ack=0):
        return tcp(self.client, self.source, sport, self.service, self.dport, flags, seq, ack)

    def down_frame(self, sport, flags, seq=5001, ack=0):
        nat, port = self.ports[sport]
        return tcp(self.server, self.server.ip, self.tport, nat, port, flags, seq, ack)

    def up(self, flags, seq=1001, ack=0):
        return send(self.t, [self.up_frame(s, flags, seq, ack) for s in self.ports])

    def down(self, flags, seq=5001, ack=0):
        return send(self.t, [self.down_frame(s, flags, seq, ack) for s in self.ports])

    def establish(self):
        self.down(SYN_ACK, 5000, 1001)
        self.up(ACK, 1001, 5001)
        return self

    def close(self):
        self.up(FIN_ACK, 1001, 5001)
        self.down(FIN_ACK, 5001, 1002)
        self.up(ACK, 1002, 5002)
        return self

    def alive(self):
        """Source ports whose flow still takes a segment of the target to the client."""
        return {out.dport for out in self.down(ACK, 5001, 1001) if out.port == self.client.port}
