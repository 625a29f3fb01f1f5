# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""What lib/icmperr makes of an error against Scapy's packets: the error about the packet as it left
goes in, and the error about the packet as it was sent must come out, byte for byte. Scapy works its
sums out by itself and knows the formats from elsewhere than our unit tests do."""

import os
import random
import socket
import struct
import subprocess
import time

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoRequest, ICMPv6PacketTooBig,
                                ICMPv6TimeExceeded, IPv6)
from scapy.packet import Raw

import harness

SIZE = 5000 if os.environ.get("LATH_TEST_LONG") == "1" else 300
AF = {4: socket.AF_INET, 6: socket.AF_INET6}
HEADER = {4: 20, 6: 40}
MTU_SHIFT = {(4, 6): 20, (6, 4): -20}  # RFC 7915 sections 4.2 and 5.2


def draw_address(rng, family):
    head = bytes([0x20]) if family == 6 else bytes([rng.randrange(1, 127)])
    return socket.inet_ntop(AF[family], head + rng.randbytes(15 if family == 6 else 3))


def draw_ends(rng, family):
    return (draw_address(rng, family), draw_address(rng, family),
            rng.randrange(1, 65536), rng.randrange(1, 65536))


def ip(family, src, dst, ttl, tos):
    if family == 6:
        return IPv6(src=src, dst=dst, hlim=ttl, tc=tos)
    return IP(src=src, dst=dst, ttl=ttl, tos=tos, flags="DF", id=0)


def packet(family, ends, proto, ttl, tos, data):
    src, dst, sport, dport = ends
    head = ip(family, src, dst, ttl, tos)
    if proto == "tcp":
        return head / TCP(sport=sport, dport=dport, seq=123456, ack=7, flags="PA") / Raw(data)
    if proto == "udp":
        return head / UDP(sport=sport, dport=dport) / Raw(data)
    if family == 6:
        return head / ICMPv6EchoRequest(id=sport, seq=5, data=data)
    return head / ICMP(type=8, id=sport, seq=5) / Raw(data)


def error(head, family, kind, mtu, quote):
    if family == 6:
        icmp = {"big": ICMPv6PacketTooBig(mtu=mtu), "port": ICMPv6DestUnreach(code=4),
                "ttl": ICMPv6TimeExceeded()}
    else:
        icmp = {"big": ICMP(type=3, code=4, nexthopmtu=mtu), "port": ICMP(type=3, code=3),
                "ttl": ICMP(type=11)}
    return bytes(head / icmp[kind] / Raw(quote))


def draw(rng):
    """(line for the tool, what should come out)"""
    came, goes = rng.choice([4, 6]), rng.choice([4, 6])
    left, sent = draw_ends(rng, came), draw_ends(rng, goes)
    proto, kind = rng.choice(["tcp", "udp", "echo"]), rng.choice(["big", "port", "ttl"])
    router, gateway = draw_address(rng, came), draw_address(rng, goes)
    shape = (proto, rng.randrange(1, 256), rng.randrange(256), rng.randbytes(rng.randrange(1, 800)))
    mtu, ttl, tos = rng.randrange(1300, 1500), rng.randrange(2, 256), rng.randrange(256)
    there, here = bytes(packet(came, left, *shape)), bytes(packet(goes, sent, *shape))
    quoted = min(rng.choice([8, rng.randrange(20, 500)]), len(there) - HEADER[came])
    given = error(ip(came, router, left[0], ttl, tos), came, kind, mtu,
                  there[:HEADER[came] + quoted])
    wanted = error(ip(goes, gateway, sent[0], ttl - 1, tos), goes, kind,
                   mtu + MTU_SHIFT.get((came, goes), 0), here[:HEADER[goes] + quoted])
    src, dst = (socket.inet_pton(AF[goes], address) for address in sent[:2])
    ports = struct.pack("!HH", sent[2] if proto == "echo" else sent[3], sent[2])
    outer = socket.inet_pton(AF[goes], gateway)
    words = [(dst + src + ports), outer, src, given]
    return f"{came} {goes} " + " ".join(word.hex() for word in words), wanted.hex()


#//= RFC5508#REQ-4 type=test
#//= RFC5508#REQ-5 type=test
#//= RFC7915#section-4.3 type=test
#//= RFC7915#section-5.3 type=test
def test_errors_equal_scapys():
    seed = int(os.environ.get("LATH_TEST_SEED") or time.time_ns())
    print(f"LATH_TEST_SEED={seed}")
    rng = random.Random(seed)
    rows = [draw(rng) for _ in range(SIZE)]
    path = os.environ.get("LATH_PACKETS") or harness.DEFAULT_HARNESS
    tool = os.path.join(os.path.dirname(path), "icmperr-pass")
    done = subprocess.run([tool], input="\n".join(line for line, _ in rows), capture_output=True,
                          text=True, check=True, timeout=120)
    answers = done.stdout.splitlines()
    assert len(answers) == len(rows)
    for (line, wanted), answer in zip(rows, answers):
        assert answer == wanted, line
