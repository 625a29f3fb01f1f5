# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Checksums that a port verifies: a good header is not added up again, all else is; what the port
calls wrong in TCP or UDP ends here. A port that verifies nothing is not believed, whatever flags
its buffers bring along.
"""

import bulk
from marks import rig
from topology import WEB, base

CONFIG = base()
RIG = {"verifies": {"blue0": True}}
IP_AT, L4_AT = 14, 34  # in an untagged frame


def met(t):
    client, server = t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5")
    t.meet(client, server)
    return client


def broken(frame, at):
    """The same with one bit of its checksum turned over."""
    data = bytearray(frame[1])
    data[at] ^= 1
    return frame[0], bytes(data)


def marked(frame, **verdicts):
    return frame[:2] + (None, 0, verdicts)


def header_holds(out):
    words = [int.from_bytes(out.data[i:i + 2], "big") for i in range(IP_AT, L4_AT, 2)]
    total = sum(words)
    return (total & 0xffff) + (total >> 16) == 0xffff


def case_good_header_is_not_added_up_again(t):
    """Seen by a header that is wrong in truth: it passes, and is still wrong behind."""
    client = met(t)
    right = bulk.udp(client, client.ip, 1000, WEB, 53)
    for frame, holds in ((right, True), (broken(right, IP_AT + 10), False)):
        t.inject([marked(frame, ip="good", l4="good")])
        outs = t.run(0)
        if len(outs) != 1 or header_holds(outs[0]) != holds:
            t.fail(f"{outs}, must hold: {holds}")
    t.check_counts({}, {})


def case_other_headers_are_added_up(t):
    """Without a verdict, and where the port says wrong: software has the last word."""
    client = met(t)
    right = bulk.udp(client, client.ip, 1000, WEB, 53)
    wrong = broken(right, IP_AT + 10)
    for verdicts in ({}, {"ip": "bad"}):
        t.dropped(marked(wrong, **verdicts), drop="ip_cksum")
        t.inject([marked(right, **verdicts)])
        if len(t.run(0)) != 1:
            t.fail(f"{verdicts}: a right header was dropped")
        t.check_counts({}, {})


def case_wrong_tcp_and_udp_end_here(t):
    """Before they touch a flow: a RST that is wrong on the wire must not end one."""
    client = met(t)
    t.dropped(marked(bulk.udp(client, client.ip, 1000, WEB, 53), l4="bad"), drop="l4_cksum")
    t.dropped(marked(bulk.tcp(client, client.ip, 1000, WEB, 80, bulk.SYN), l4="bad"),
              drop="l4_cksum")


def case_udp_without_a_checksum_is_not_wrong(t):
    """Some NICs call 0 wrong; RFC 768 calls it none."""
    client = met(t)
    port, data = bulk.udp(client, client.ip, 1000, WEB, 53)
    data = data[:L4_AT + 6] + b"\0\0" + data[L4_AT + 8:]
    t.inject([marked((port, data), l4="bad")])
    if len(t.run(0)) != 1:
        t.fail("dropped")
    t.check_counts({}, {})


@rig()
def case_port_that_verifies_nothing_is_not_believed(t):
    """As a ring that carries buffers of another port."""
    client = met(t)
    right = bulk.udp(client, client.ip, 1000, WEB, 53)
    t.dropped(marked(broken(right, IP_AT + 10), ip="good", l4="good"), drop="ip_cksum")
    t.inject([marked(right, ip="bad", l4="bad")])
    if len(t.run(0)) != 1:
        t.fail("dropped")
    t.check_counts({}, {})
