# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Resets on known flows: believed inside the window, else ignored (RFC 7857 section 2.2)."""

from marks import workers
from topology import NAT_RED, WEB, base

CONFIG = base()


def flow(t, **fields):
    return t.flow(t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5"), service=WEB,
                  nat=NAT_RED, **fields)


@workers(1, 2, 3)
def case_reset_of_the_client(t):
    #= RFC7857#2.2
    f = flow(t).open()
    f.up(flags="R", seq=1001)
    g = flow(t, sport=40001).open()
    g.up(flags="RA", seq=1001, ack=5001)


def case_reset_of_the_target(t):
    #= RFC7857#2.2
    f = flow(t).open()
    f.down(flags="R", seq=5001)


def case_refused_by_the_target(t):
    f = flow(t)
    f.syn()
    f.down(flags="RA", seq=0, ack=1001)


def case_reset_in_syn_sent(t):
    #= RFC5382#REQ-2: the client gives up.
    f = flow(t)
    f.syn()
    f.up(flags="R", seq=1001)


def case_forged_resets_are_dropped(t):
    #= RFC7857#2.2-verify
    f = flow(t).open()
    f.talk()
    for seq in (1005 + (1 << 31), 1005 - (1 << 20)):
        f.up(flags="R", seq=seq & 0xffffffff, drop="rst_window")
    for seq in (5005 + (1 << 31), 5005 - (1 << 20)):
        f.down(flags="R", seq=seq & 0xffffffff, drop="rst_window")
    f.talk()
    t.run(300000)  # not closing: it lives on
    t.counted()
    f.talk()


def case_reset_one_before_the_window_is_a_keepalive_answer(t):
    f = flow(t).open()
    f.talk()
    f.down(b"x", flags="PA", seq=5005, ack=1005)
    f.up(flags="A", seq=1005, ack=5006)
    f.down(flags="R", seq=5005)


def case_a_new_connection_from_the_same_port_after_a_reset(t):
    f = flow(t).open()
    f.up(flags="R", seq=1001)
    g = flow(t)
    g.up(flags="S", seq=90000)
    g.down(flags="SA", seq=70000, ack=90001)
    g.up(flags="A", seq=90001, ack=70001)


def case_a_new_connection_from_the_same_port_after_close(t):
    """The client's TIME_WAIT is over before the gateway's."""
    f = flow(t).open()
    f.close(first="target")
    g = flow(t)
    g.up(flags="S", seq=90000)
    g.down(flags="SA", seq=70000, ack=90001)
    g.up(flags="A", seq=90001, ack=70001)


def case_syn_on_an_established_flow_reaches_the_target(t):
    """It answers by a challenge (RFC 9293 section 3.10.7.4); the gateway ends nothing."""
    f = flow(t).open()
    f.up(flags="S", seq=77777)
    f.down(flags="A", seq=5001, ack=1001)
    f.talk()


def case_reset_before_the_handshake_is_over(t):
    """The target takes its SYN-ACK back; the client has acknowledged nothing yet."""
    f = flow(t)
    f.syn()
    f.down(flags="SA", seq=0x90000000, ack=1001)
    f.down(flags="R", seq=0x90000001)


def case_client_refuses_the_answer(t):
    # It has forgotten the connection: RFC 9293 section 3.5.2.
    f = flow(t)
    f.syn()
    f.down(flags="SA", seq=0x90000000, ack=1001)
    f.up(flags="R", seq=1001)


def case_target_may_not_open_on_a_closed_flow(t):
    f = flow(t).open()
    f.close()
    f.down(flags="S", seq=99, drop="tcp_state")


def case_client_ignores_a_reset_that_does_not_fit_its_syn(t):
    # RFC 9293 section 3.10.7.3: in SYN-SENT the ACK must be of the SYN.
    f = flow(t)
    f.syn()
    f.down(flags="RA", seq=0, ack=4242, drop="rst_window")
    f.down(flags="R", seq=0, drop="rst_window")
    f.down(flags="SA", seq=5000, ack=1001)


def case_reset_with_a_high_sequence_number(t):
    """Half of all initial sequence numbers lie above 2^31."""
    for isn in (0x90000000, 0xfffffff0, 0x7ffffff0):
        f = flow(t, sport=40000 + isn % 1000)
        f.syn()
        f.down(flags="SA", seq=isn, ack=1001)
        f.up(flags="A", seq=1001, ack=isn + 1)
        f.down(b"data", flags="PA", seq=isn + 1, ack=1001)
        f.up(flags="A", seq=1001, ack=(isn + 5) & 0xffffffff)
        f.down(flags="R", seq=(isn + 5 + (1 << 31)) & 0xffffffff, drop="rst_window")
        f.down(flags="R", seq=(isn + 5) & 0xffffffff)


def case_reset_of_a_client_with_a_high_sequence_number(t):
    f = flow(t)
    f.up(flags="S", seq=0xa0000000)
    f.down(flags="SA", seq=5000, ack=0xa0000001)
    f.up(flags="A", seq=0xa0000001, ack=5001)
    f.up(flags="R", seq=0xa0000001 - (1 << 30), drop="rst_window")
    f.up(flags="R", seq=0xa0000001)
