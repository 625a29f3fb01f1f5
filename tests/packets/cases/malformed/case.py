# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""What no stack sends: each fault by its own name, and nothing comes out."""

from scapy.layers.inet import ICMP, IP, IPOption, IPOption_NOP, TCP, UDP
from scapy.packet import Raw

from topology import NAT_BLUE, NAT_RED, WEB, base

CONFIG = base()

TCP_SYN = {"sport": 4000, "dport": 80, "flags": "S", "seq": 1}


def drops(t, table, drop):
    client = t.host("blue0", "10.0.0.5")
    for packet in table:
        t.dropped(client.sends(packet), drop)


def ip(**fields):
    return IP(**{"src": "10.0.0.5", "dst": WEB, **fields})


def case_ip_lengths(t):
    whole = ip() / UDP(sport=1, dport=53) / b"question"
    drops(t, [
        Raw(bytes(whole)[:19]),
        ip(len=19) / UDP(sport=1, dport=53) / b"x",
        ip(len=1400) / UDP(sport=1, dport=53) / b"x",
        ip(version=5) / UDP(sport=1, dport=53) / b"x",
        ip(ihl=4) / UDP(sport=1, dport=53) / b"x",
        ip(ihl=15) / UDP(sport=1, dport=53) / b"x",
    ], drop="ip_malformed")


def case_ip_checksum(t):
    good = bytes(ip() / UDP(sport=1, dport=53) / b"x")
    for at in (8, 12, 19):
        bad = bytearray(good)
        bad[at] ^= 1
        drops(t, [Raw(bytes(bad))], drop="ip_cksum")
    drops(t, [ip(chksum=0) / UDP(sport=1, dport=53) / b"x"], drop="ip_cksum")


def with_options(data):
    return ip(options=[IPOption(data)]) / TCP(**TCP_SYN)


def case_ip_options(t):
    #= RFC7915#4.1-options type=exception reason=Packets with options are dropped by name, in both
    #= families: hosts send none that matter, and a gateway for many tenants does not guess.
    drops(t, [
        ip(options=[IPOption_NOP()] * 4) / TCP(**TCP_SYN),
        with_options(b"\x07\x07\x04\0\0\0\0\0"),     # record route
        with_options(b"\x44\x08\x05\0\0\0\0\0"),     # timestamp
        with_options(b"\x94\x04\0\0"),               # router alert
        with_options(b"\x07\x01\x83\x07"),            # a length that leads nowhere
        with_options(b"\x07\0\x83\x07"),
        with_options(b"\0\x83\x07\x04"),              # behind the end of the list
        with_options(b"\x01\x01\x01\x07"),
    ], drop="ip_options")


def case_source_routes(t):
    #= RFC7915#4.1-source-route
    #= RFC7915#4.1-source-route-error type=exception reason=Silence: an error would tell a prober
    #= that its packet came this far.
    drops(t, [
        with_options(b"\x83\x07\x04\x0a\0\0\x07\0"),
        with_options(b"\x89\x07\x04\x0a\0\0\x07\0"),
        with_options(b"\x83\x07\x08\x0a\0\0\x07\0"),  # used up
        with_options(b"\x01\x01\x01\x89\x07\x04\x0a\0\0\x07\0\0"),
        with_options(b"\x94\x04\0\0\x83\x03\x04\0"),
        with_options(b"\x01\x01\x01\x83"),
    ], drop="ip_source_route")


def case_fragments(t):
    drops(t, [
        ip(flags="MF") / UDP(sport=1, dport=53) / Raw(b"x" * 64),
        ip(flags="MF", frag=8) / Raw(b"x" * 64),
        ip(frag=16) / Raw(b"x" * 64),
    ], drop="fragment")


def case_martians(t):
    drops(t, [
        ip(src="127.0.0.1") / TCP(**TCP_SYN),
        ip(src="0.0.0.0") / TCP(**TCP_SYN),
        ip(src="224.0.0.1") / TCP(**TCP_SYN),
        ip(src="255.255.255.255") / TCP(**TCP_SYN),
        ip(src="240.0.0.1") / TCP(**TCP_SYN),
        ip(dst="127.0.0.1") / TCP(**TCP_SYN),
        ip(dst="0.0.0.0") / TCP(**TCP_SYN),
        ip(dst="240.0.0.1") / TCP(**TCP_SYN),
    ], drop="martian")


def case_land(t):
    """Of a client, of the service address, of the gateway and of its NAT pool."""
    for address in ("10.0.0.5", WEB, "10.0.0.1", NAT_BLUE):
        drops(t, [ip(src=address, dst=address) / TCP(sport=80, dport=80, flags="S"),
                  ip(src=address, dst=address) / ICMP()], drop="land")


def case_multicast_and_broadcast_destinations(t):
    drops(t, [
        ip(dst="255.255.255.255") / TCP(**TCP_SYN),
        ip(dst="224.0.0.251") / UDP(sport=5353, dport=5353) / b"x",
        ip(dst="239.255.255.255") / UDP(sport=1, dport=53) / b"x",
        ip(dst="224.0.0.1") / ICMP(),
    ], drop="multicast")
    client = t.host("blue0", "10.0.0.5")
    packet = ip() / UDP(sport=1, dport=53) / b"x"
    for mac in ("ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:fb", "33:33:00:00:00:01"):
        t.dropped(client.sends(packet, dst=mac), drop="not_for_us")


def case_broadcast_of_a_subnet(t):
    """It is nobody's address: no service has it, and as a source it gets no answer."""
    drops(t, [ip(dst="10.0.0.255") / UDP(sport=1, dport=53) / b"x", ip(dst="10.0.0.255") / ICMP()],
          drop="no_service")


def case_frames_of_every_length(t):
    """A frame that ends anywhere: short, malformed, or, from its last byte on, whole."""
    f = t.flow(t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5"), service=WEB, nat=NAT_RED)
    f.open()
    port, frame = f.sends_up(b"data", flags="PA", seq=1001, ack=5001)
    for size in range(1, len(frame)):
        t.dropped((port, frame[:size]), drop="frame_short" if size < 14 else "ip_malformed")
    tagged = frame[:12] + b"\x81\0\0\0" + frame[12:]
    for size in range(14, 18):
        t.dropped((port, tagged[:size]), drop="frame_short")
    t.inject([(port, frame)])
    if len(t.run()) != 1:
        t.fail("the whole frame must pass")


def case_gateways_own_address_as_source(t):
    drops(t, [ip(src="10.0.0.1") / TCP(**TCP_SYN)], drop="martian")


def case_sources_outside_the_vpc(t):
    drops(t, [
        ip(src="192.0.2.5") / TCP(**TCP_SYN),
        ip(src="10.0.1.5") / TCP(**TCP_SYN),
        ip(src="192.0.2.5", dst="10.0.0.1") / ICMP(),
    ], drop="vpc_source")


def case_protocols(t):
    #= RFC6146#3.4-protocol
    #= RFC7915#4.5-other RFC7915#5.5-other type=exception reason=A service listens on TCP or UDP, so
    #= no other protocol has anywhere to go; it is dropped as protocol.
    drops(t, [ip(proto=n) / Raw(b"x" * 40) for n in (0, 2, 4, 47, 50, 58, 132, 255)],
          drop="protocol")


def case_tcp_headers(t):
    drops(t, [
        ip(proto=6) / Raw(bytes(TCP(**TCP_SYN))[:19]),
        ip() / TCP(**TCP_SYN, dataofs=4),
        ip() / TCP(**TCP_SYN, dataofs=6),
        ip() / TCP(**TCP_SYN, dataofs=15),
        ip(proto=6) / Raw(b""),
    ], drop="l4_malformed")


def case_udp_lengths(t):
    drops(t, [
        ip() / UDP(sport=1, dport=53, len=7) / b"x",
        ip() / UDP(sport=1, dport=53, len=10) / b"x",
        ip() / UDP(sport=1, dport=53, len=0) / b"x",
        ip(proto=17) / Raw(b"1234567"),
    ], drop="l4_malformed")


def case_icmp_lengths(t):
    drops(t, [ip(proto=1) / Raw(b"\x08\0\0\0\0\0\0")], drop="l4_malformed")


def case_tcp_flags(t):
    drops(t, [ip() / TCP(**{**TCP_SYN, "flags": flags})
              for flags in ("", "SF", "SR", "SRF", "SFA", "F", "P", "FPU", "FSRPAU")],
          drop="tcp_flags")


def case_wrong_ports_of_a_living_flow(t):
    """Faults are seen on known flows too."""
    f = t.flow(t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5"), service=WEB, nat=NAT_RED)
    f.open()
    f.down(flags="SF", seq=5001, drop="tcp_flags")
    f.down(ip={"flags": "MF"}, flags="A", seq=5001, drop="fragment")
    f.down(ip={"chksum": 1}, flags="A", seq=5001, drop="ip_cksum")
    f.talk()


def case_nothing_is_left_behind(t):
    """After all of it a connection works and nothing is held."""
    case_tcp_headers(t)
    case_fragments(t)
    f = t.flow(t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5"), service=WEB, nat=NAT_RED)
    f.open().talk()
    if t.read_counters()["held"] != 0:
        t.fail("packets are held")
