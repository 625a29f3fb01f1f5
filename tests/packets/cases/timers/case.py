# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""How long a flow lives without traffic, in simulated time (RFC 5382, 7857, 4787)."""

from scapy.layers.inet import UDP

from marks import workers
from topology import NAT_RED, WEB, base, edit

CONFIG = base()
SLACK_MS = 15000  # expiry costs a bounded amount per loop, so it may come a little late


def flow(t, **fields):
    return t.flow(t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5"), service=WEB,
                  nat=NAT_RED, **fields)


def dns(t, **fields):
    return flow(t, proto=UDP, dport=53, tport=5353, **fields)


def wait(t, seconds):
    t.run(seconds * 1000)
    t.counted()


def over(t, seconds):
    t.run(seconds * 1000 + SLACK_MS)
    t.counted()


@workers(1, 2)
def case_established_lives_two_hours_and_four_minutes(t):
    #= RFC5382#REQ-5: at least 2 hours and 4 minutes, from either side.
    f = flow(t).open()
    wait(t, 7439)
    f.up(b"still here", flags="PA", seq=1001, ack=5001)
    wait(t, 7439)
    f.down(b"so am I", flags="PA", seq=5001, ack=1011)
    over(t, 7440)
    f.up(b"too late", flags="PA", seq=1011, ack=5008, drop="tcp_no_flow")
    f.down(b"too late", flags="PA", seq=5008, ack=1011, drop="nat_no_flow")


def case_half_open_lives_four_minutes(t):
    #= RFC5382#REQ-5: transitory at least 4 minutes.
    f = flow(t)
    f.syn()
    wait(t, 239)
    f.down(flags="SA", seq=5000, ack=1001)
    g = flow(t, sport=40001)
    g.syn()
    over(t, 240)
    g.down(flags="SA", seq=5000, ack=1001, drop="nat_no_flow")


def case_answered_but_not_acknowledged_is_half_open(t):
    f = flow(t)
    f.syn()
    f.down(flags="SA", seq=5000, ack=1001)
    over(t, 240)
    f.up(flags="A", seq=1001, ack=5001, drop="tcp_no_flow")


def case_half_closed_is_established(t):
    #= RFC5382#REQ-2, RFC 6146 section 3.5.2.2: after one FIN the other side may send on for long.
    f = flow(t).open()
    f.up(flags="FA", seq=1001, ack=5001)
    f.down(flags="A", seq=5001, ack=1002)
    wait(t, 7000)
    f.down(b"the rest of it", flags="PA", seq=5001, ack=1002)


def case_closed_lives_four_minutes(t):
    f = flow(t).open()
    f.close()
    wait(t, 239)
    f.down(flags="FA", seq=5001, ack=1002)  # the last ACK was lost
    over(t, 240)
    f.down(flags="FA", seq=5001, ack=1002, drop="nat_no_flow")


def case_reset_leaves_four_minutes(t):
    #= RFC7857#2.2-wait
    #= RFC7857#2.2: keep the state 4 minutes after a RST.
    f = flow(t).open()
    f.down(flags="R", seq=5001)
    wait(t, 200)
    f.up(b"late", flags="PA", seq=1001, ack=5001)
    over(t, 260)
    f.up(b"later", flags="PA", seq=1005, ack=5001, drop="tcp_no_flow")


def case_udp_without_an_answer(t):
    #= RFC4787#REQ-5: not before 2 minutes.
    f = dns(t)
    f.up(b"question")
    wait(t, 119)
    f.down(b"late answer")
    g = dns(t, sport=40001)
    g.up(b"question")
    over(t, 120)
    g.down(b"too late", drop="nat_no_flow")


def case_udp_answered(t):
    #= RFC4787#REQ-6a: towards the client counts as well.
    #= RFC4787#REQ-5c: 5 minutes by default.
    f = dns(t)
    f.up(b"question")
    f.down(b"answer")
    wait(t, 299)
    f.down(b"more")
    wait(t, 299)
    f.up(b"and more")
    over(t, 300)
    f.down(b"too late", drop="nat_no_flow")


def case_udp_outbound_refreshes(t):
    #= RFC4787#REQ-6
    f = dns(t)
    f.up(b"question")
    for _ in range(4):
        wait(t, 110)
        f.up(b"again")
    wait(t, 110)
    f.down(b"at last")


def case_refused_packets_refresh_nothing(t):
    #= RFC7857#7.1: what is answered by an error refreshes nothing.
    f = dns(t)
    f.up(b"question")
    for _ in range(3):
        wait(t, 50)
        f.up(b"expired", ip={"ttl": 1}, drop="ttl_expired", told=(11, 0))
    f.down(b"too late", drop="nat_no_flow")


def case_configured_timeouts(t):
    #= RFC4787#REQ-5b RFC5382#REQ-5a RFC7857#2.1 RFC7857#2.1-short
    f, g, h = flow(t).open(), flow(t, sport=40001), dns(t)
    g.syn()
    h.up(b"question")
    wait(t, 4)
    g.up(flags="S", seq=1000)
    h.up(b"question")
    f.talk()
    over(t, 10)
    g.down(flags="SA", seq=5000, ack=1001, drop="nat_no_flow")
    h.down(b"answer", drop="nat_no_flow")
    f.talk()
    over(t, 60)
    f.up(flags="A", seq=1005, ack=5005, drop="tcp_no_flow")


case_configured_timeouts.config = base(timeouts={
    "tcpHalfOpenSeconds": 10, "tcpEstablishedSeconds": 60, "udpUnansweredSeconds": 10})


def case_idle_timeout_of_a_service(t):
    f, h = flow(t).open(), dns(t)
    h.up(b"question")
    h.down(b"answer")
    wait(t, 55)
    f.talk()
    h.up(b"question")
    h.down(b"answer")
    over(t, 60)
    f.up(flags="A", seq=1005, ack=5005, drop="tcp_no_flow")
    h.down(b"late", drop="nat_no_flow")


case_idle_timeout_of_a_service.config = edit(
    base(), services={"web": {"idleTimeoutSeconds": 60}})


def case_timeouts_change_with_a_reload(t):
    """Flows that began before take part, if late: a timer is looked at when it comes due."""
    f = flow(t).open()
    t.reload(base(timeouts={"tcpEstablishedSeconds": 300}))
    t.run(1000)
    t.counted()
    f.talk()
    over(t, 540)
    f.up(flags="A", seq=1005, ack=5005, drop="tcp_no_flow")
