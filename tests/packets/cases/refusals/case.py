# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""The table of refusals: who gets a RST, with which numbers, who gets an ICMP error and who gets
silence.
"""

from scapy.layers.inet import IP, TCP, UDP

from marks import workers
from topology import WEB, base, edit, target

CONFIG = base()


def tcp(flags, dport=81, payload=b"", **fields):
    packet = IP(src="10.0.0.5", dst=WEB) / TCP(sport=4000, dport=dport, flags=flags, **fields)
    return packet / payload if payload else packet


@workers(1, 2, 3)
def case_syn_to_a_port_without_listener(t):
    # RFC 9293 section 3.5.2: sequence 0, acknowledging the SYN.
    t.refused(t.host("blue0", "10.0.0.5"), tcp("S", seq=1000), drop="no_listener")
    t.refused(t.host("trunk0", "10.0.0.5", vlan=100), tcp("S", seq=1000), drop="no_listener")


def case_numbers_of_the_reset(t):
    host = t.host("blue0", "10.0.0.5")
    t.refused(host, tcp("S", seq=0xffffffff), drop="no_listener")
    t.refused(host, tcp("S", seq=10, payload=b"fast open"), drop="no_listener")
    t.refused(host, tcp("S", seq=10, options=[("MSS", 1460), ("NOP", None), ("WScale", 7)]),
              drop="no_listener")
    t.refused(host, tcp("A", seq=10, ack=77), drop="no_listener")
    t.refused(host, tcp("SA", seq=10, ack=0), drop="no_listener")
    t.refused(host, tcp("PA", seq=10, ack=0xfffffffe, payload=b"x"), drop="no_listener")
    t.refused(host, tcp("FA", seq=10, ack=5), drop="no_listener")


def case_a_reset_is_never_answered(t):
    host = t.host("blue0", "10.0.0.5")
    t.dropped(host.sends(tcp("R", seq=1)), drop="no_listener")
    t.dropped(host.sends(tcp("RA", seq=1, ack=2)), drop="no_listener")


@workers(1, 2, 3)
def case_udp_without_listener_is_told_port_unreachable(t):
    #= RFC5508#REQ-10d: told() wants DSCP CS6.
    for host in (t.host("blue0", "10.0.0.5"), t.host("trunk0", "10.0.0.5", vlan=100)):
        for payload in (b"", b"x", b"y" * 1400):
            t.told(host, IP(src=host.ip, dst=WEB, tos=0xfc) / UDP(sport=1, dport=54) / payload,
                   3, 3, drop="no_listener")


def case_listener_of_the_other_protocol(t):
    host = t.host("blue0", "10.0.0.5")
    t.refused(host, tcp("S", dport=53, seq=1), drop="no_listener")
    t.told(host, IP(src=host.ip, dst=WEB) / UDP(sport=1, dport=80) / b"x", 3, 3, drop="no_listener")


def case_invisible_service_is_silence(t):
    host = t.host("trunk0", "10.0.0.5", vlan=200)
    t.dropped(host.sends(tcp("S", seq=1)), drop="no_service")
    t.dropped(host.sends(tcp("S", dport=80, seq=1)), drop="no_service")


def case_mid_stream_without_a_flow_is_silence(t):
    host = t.host("blue0", "10.0.0.5")
    for flags in ("A", "PA", "FA", "SA", "R", "RA"):
        t.dropped(host.sends(tcp(flags, dport=80, seq=9, ack=9)), drop="tcp_no_flow")


def case_no_target_is_told_host_unreachable(t):
    #= RFC5508#REQ-8 type=exception reason=Want of room or of targets is told as host unreachable, 3/1,
    #= which stacks take for temporary; 3/13 says that a rule refused the client.
    host = t.host("blue0", "10.0.0.5")
    t.told(host, tcp("S", dport=80, seq=1), 3, 1, drop="no_target")
    t.told(host, IP(src=host.ip, dst=WEB) / UDP(sport=1, dport=53) / b"x", 3, 1, drop="no_target")


case_no_target_is_told_host_unreachable.config = edit(base(), targetGroups={
    "web": {"targets": []}, "dns": {"targets": [target("10.0.0.5", weight=0)]}})


def case_answers_are_limited_per_vpc(t):
    blue, green = t.host("blue0", "10.0.0.5"), t.host("trunk0", "10.0.0.5", vlan=100)
    t.inject([blue.sends(tcp("S", seq=i)) for i in range(200)])
    first = len(t.run(0))
    drops, made = t.counted()
    if made.get("rst", 0) != first or not 1 <= first <= 100:
        t.fail(f"{first} answers of 200 at 100 a second, counted {made}")
    if drops.get("no_listener", 0) + drops.get("refusal_limited", 0) != 200 or \
            drops.get("refusal_limited", 0) != 200 - first:
        t.fail(f"{drops}")
    # Another VPC has a limit of its own.
    t.refused(green, tcp("S", seq=1), drop="no_listener")
    # A second later there are answers again.
    t.run(1100)
    t.counted()
    t.refused(blue, tcp("S", seq=1), drop="no_listener")
    t.inject([blue.sends(tcp("S", seq=i)) for i in range(200)])
    t.run(0)
    if t.saw(drop="refusal_limited") == 0:
        t.fail("no limit the second time")


def case_errors_are_limited_with_resets(t):
    #= RFC5508#REQ-10f
    blue = t.host("blue0", "10.0.0.5")
    t.inject([blue.sends(IP(src=blue.ip, dst=WEB, ttl=1 + i % 2) /
                         UDP(sport=i, dport=53 + i % 2) / b"x") for i in range(200)])
    first = len(t.run(0))
    drops, made = t.counted()
    if not 1 <= first <= 100 or sum(made.values()) != first or \
            set(made) != {"icmp_unreachable", "icmp_time_exceeded"}:
        t.fail(f"{first} answers of 200 at 100 a second, counted {made}")
    if sum(drops.values()) != 200 or drops.get("refusal_limited", 0) != 200 - first:
        t.fail(f"{drops}")


case_errors_are_limited_with_resets.config = base(limits={"refusalsPerSecond": 100})
case_answers_are_limited_per_vpc.config = base(limits={"refusalsPerSecond": 100})


@workers(2, 3)
def case_one_limit_for_all_workers(t):
    # Management deals the limit out by demand; the shares never add up to more.
    blue = t.host("blue0", "10.0.0.5")
    answers = []
    for tenth in range(40):
        t.inject([blue.sends(IP(src=blue.ip, dst=WEB) / TCP(sport=5000 + 40 * tenth + i, dport=81,
                                                            flags="S", seq=i))
                  for i in range(40)])
        answers.append(len(t.run(100)))
    t.counted()
    steady = sum(answers[10:])  # the first second spends what was saved up
    if not 240 <= steady <= 330:
        t.fail(f"{steady} answers in 3 s at 100 a second: {answers}")


case_one_limit_for_all_workers.config = base(limits={"refusalsPerSecond": 100})


def case_no_answers_at_a_limit_of_nothing_else_changes(t):
    """Refusals use up nothing that a connection needs."""
    from topology import NAT_RED
    blue = t.host("blue0", "10.0.0.5")
    f = t.flow(blue, t.host("red0", "10.0.0.5"), service=WEB, nat=NAT_RED).open()
    t.inject([blue.sends(tcp("S", seq=i)) for i in range(200)])
    t.run(0)
    t.counted()
    f.talk()
    t.flow(blue, t.host("red0", "10.0.0.5"), service=WEB, nat=NAT_RED, sport=9).open().talk()


case_no_answers_at_a_limit_of_nothing_else_changes.config = base(
    limits={"refusalsPerSecond": 100})
