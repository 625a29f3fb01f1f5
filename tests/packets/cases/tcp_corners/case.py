# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""TCP that does not go by the picture in the book: what is late, twice, overtaken, or half closed."""

from marks import workers
from topology import NAT_RED, WEB, base

CONFIG = base()
COOKIE = bytes(range(8))


def flow(t, **fields):
    return t.flow(t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5"), service=WEB,
                  nat=NAT_RED, **fields)


def wait(t, seconds):
    t.run(seconds * 1000)
    t.counted()


# ---- opening -----------------------------------------------------------------------------------

def case_simultaneous_open_lives_like_any_other(t):
    #= RFC5382#REQ-2a RFC7857#2: SYN both ways, then SYN-ACK both ways.
    f = flow(t)
    f.syn()
    f.down(flags="S", seq=5000)
    f.up(flags="SA", seq=1000, ack=5001)
    f.down(flags="SA", seq=5000, ack=1001)
    wait(t, 7000)
    f.talk()


def case_crossed_syns_that_are_answered_by_plain_acks(t):
    f = flow(t)
    f.syn()
    f.down(flags="S", seq=5000)
    f.down(flags="A", seq=5001, ack=1001)
    f.up(flags="A", seq=1001, ack=5001)
    f.talk()


def case_fast_open(t):
    #= RFC5382#REQ-2: RFC 7413: cookie asked for, given, used with data, acknowledged with data.
    f = flow(t)
    f.up(flags="S", seq=1000, options=[("MSS", 1460), (34, b"")])
    f.down(flags="SA", seq=5000, ack=1001, options=[("MSS", 1460), (34, COOKIE)])
    f.up(flags="A", seq=1001, ack=5001)
    f.close()
    g = flow(t, sport=40001)
    g.up(b"GET / HTTP/1.0\r\n\r\n", flags="S", seq=2000, options=[("MSS", 1460), (34, COOKIE)])
    g.down(b"HTTP/1.0 200 OK\r\n", flags="SA", seq=6000, ack=2019, options=[("MSS", 1460)])
    g.down(b"more before the client has said anything", flags="PA", seq=6018, ack=2019)
    g.up(flags="A", seq=2019, ack=6058)


def case_fast_open_that_is_not_accepted(t):
    """The data is acknowledged by nobody and comes again; or the SYN alone, after a timeout."""
    f = flow(t)
    f.up(b"question", flags="S", seq=1000, options=[(34, COOKIE)])
    f.down(flags="SA", seq=5000, ack=1001)
    f.up(b"question", flags="PA", seq=1001, ack=5001)
    g = flow(t, sport=40001)
    g.up(b"question", flags="S", seq=1000, options=[(34, COOKIE)])
    g.up(flags="S", seq=1000)
    g.down(flags="SA", seq=5000, ack=1001)


def case_data_overtakes_the_acknowledgement_of_the_syn(t):
    f = flow(t)
    f.syn()
    f.down(flags="SA", seq=5000, ack=1001)
    f.up(b"first", flags="PA", seq=1001, ack=5001)
    f.up(flags="A", seq=1001, ack=5001)
    wait(t, 7000)
    f.talk()


def case_target_talks_before_the_handshake_is_over(t):
    """SSH and SMTP do. It makes nobody established: the client has not been heard again."""
    f = flow(t)
    f.syn()
    f.down(flags="SA", seq=5000, ack=1001)
    f.down(b"220 hello", flags="PA", seq=5001, ack=1001)
    f.down(flags="SA", seq=5000, ack=1001)
    t.run(255000)
    t.counted()
    f.up(flags="A", seq=1001, ack=5010, drop="tcp_no_flow")


def case_what_overtakes_the_first_syn_is_dropped_and_hurts_nothing(t):
    client = t.host("blue0", "10.0.0.5")
    f = flow(t)
    early = f.client_side(True, {"flags": "PA", "seq": 1001, "ack": 5001}, b"x", f.stamp({}))
    t.dropped(client.sends(early), drop="tcp_no_flow")
    f.open().talk()


def case_synack_again_after_data(t):
    f = flow(t).open()
    f.talk()
    f.down(flags="SA", seq=5000, ack=1001)
    f.up(flags="A", seq=1005, ack=5005)
    f.talk()


@workers(2, 3)
def case_syn_again_on_every_queue(t):
    """Whichever worker receives it: one flow, one source port."""
    f = flow(t)
    f.syn()
    port, again = f.sends_up(flags="S", seq=1000)
    nports = set()
    for queue in range(t.workers):
        got = t.one((port, again, queue), f.server)
        nports.add(got.sport)
    if nports != {f.nport}:
        t.fail(f"source ports {nports}, at first {f.nport}")
    f.down(flags="SA", seq=5000, ack=1001)
    f.up(flags="A", seq=1001, ack=5001)
    f.talk()


def case_syn_that_nobody_asked_for(t):
    #= RFC5382#REQ-4 RFC5382#REQ-4a RFC5382#REQ-3: a target opens nothing, and nothing answers it.
    f = flow(t).open()
    stranger = f.target_side(False, {"flags": "S", "seq": 7}, b"", f.stamp({}))
    stranger.sport = 8081
    t.dropped(f.server.sends(stranger), drop="nat_no_flow")
    t.run(10000)
    t.check_counts({}, {})


# ---- established -------------------------------------------------------------------------------

def case_keepalives_keep_it(t):
    #= RFC5382#REQ-5: a keep-alive is a segment like any other, from either side.
    f = flow(t).open()
    for _ in range(3):
        wait(t, 7200)
        f.up(flags="A", seq=1000, ack=5001)
        f.down(flags="A", seq=5001, ack=1001)
    for _ in range(3):
        wait(t, 7200)
        f.down(b"\0", flags="A", seq=5000, ack=1001)
        f.up(flags="A", seq=1001, ack=5001)
    f.talk()


def case_keepalives_of_one_side_are_enough(t):
    f = flow(t).open()
    for _ in range(3):
        wait(t, 7200)
        f.up(flags="A", seq=1000, ack=5001)
    f.down(b"data", flags="PA", seq=5001, ack=1001)


def case_challenge_of_a_reset_that_is_not_exact(t):
    """RFC 5961 section 3.2: within the window but not exact, the receiver asks and the sender, if it
    meant it, says it again. The connection that goes on lives on.
    """
    f = flow(t).open()
    f.talk()
    f.down(flags="R", seq=5105)
    f.up(flags="A", seq=1005, ack=5005)
    f.down(b"never meant it", flags="PA", seq=5005, ack=1005)


def case_window_probes_and_updates(t):
    f = flow(t).open()
    f.down(flags="A", seq=5001, ack=1001, window=0)
    f.up(b"?", flags="A", seq=1001, ack=5001)
    f.down(flags="A", seq=5001, ack=1001, window=0)
    f.down(flags="A", seq=5001, ack=1001, window=9000)


# ---- closing -----------------------------------------------------------------------------------

def case_half_closed_by_the_target(t):
    #= RFC5382#REQ-2: the client may send on for as long as it likes.
    f = flow(t).open()
    f.down(flags="FA", seq=5001, ack=1001)
    f.up(flags="A", seq=1001, ack=5002)
    for seq in range(1001, 1005):
        wait(t, 3600)
        f.up(b"x", flags="PA", seq=seq, ack=5002)
        f.down(flags="A", seq=5002, ack=seq + 1)
    f.up(flags="FA", seq=1005, ack=5002)
    f.down(flags="A", seq=5002, ack=1006)


def case_data_after_both_fins(t):
    """What was lost on the way comes again behind them."""
    f = flow(t).open()
    f.up(b"last", flags="PA", seq=1001, ack=5001)
    f.up(flags="FA", seq=1005, ack=5001)
    f.down(flags="FA", seq=5001, ack=1001)
    f.up(b"last", flags="PA", seq=1001, ack=5002)
    f.down(flags="A", seq=5002, ack=1006)
    wait(t, 200)
    f.up(flags="FA", seq=1005, ack=5002)
    f.down(flags="A", seq=5002, ack=1006)


def case_fins_at_the_same_time(t):
    f = flow(t).open()
    f.up(flags="FA", seq=1001, ack=5001)
    f.down(flags="FA", seq=5001, ack=1001)
    f.up(flags="A", seq=1002, ack=5002)
    f.down(flags="A", seq=5002, ack=1002)


def case_fin_with_data_and_in_the_handshake(t):
    f = flow(t)
    f.syn()
    f.down(flags="SA", seq=5000, ack=1001)
    f.up(b"all there is", flags="FPA", seq=1001, ack=5001)
    f.down(b"answer", flags="PA", seq=5001, ack=1014)
    f.down(flags="FA", seq=5007, ack=1014)
    f.up(flags="A", seq=1014, ack=5008)


def case_syn_on_a_half_closed_flow_is_for_the_target(t):
    """It is not closed: the target answers by a challenge or a reset, the gateway by nothing."""
    f = flow(t).open()
    f.down(flags="FA", seq=5001, ack=1001)
    f.up(flags="S", seq=90000)
    f.down(flags="R", seq=5002)
    g = flow(t)
    g.up(flags="S", seq=90000)
    g.down(flags="SA", seq=70000, ack=90001)


def case_reopened_again_and_again_from_one_port(t):
    for i in range(8):
        f = flow(t)
        isn = (0x40000000 * i + 77) & 0xffffffff
        f.up(flags="S", seq=isn)
        f.down(flags="SA", seq=9, ack=(isn + 1) & 0xffffffff)
        f.up(flags="A", seq=(isn + 1) & 0xffffffff, ack=10)
        f.down(flags="FA", seq=10, ack=(isn + 1) & 0xffffffff)
        f.up(flags="FA", seq=(isn + 1) & 0xffffffff, ack=11)
        f.down(flags="A", seq=11, ack=(isn + 2) & 0xffffffff)


def case_late_packets_of_the_closed_one_meet_the_new(t):
    """The old connection's last ACK, behind the new SYN: it passes as it is, and opens nothing."""
    f = flow(t).open()
    f.close(first="target")
    g = flow(t)
    g.up(flags="S", seq=90000)
    g.up(flags="A", seq=1002, ack=5002)
    g.down(flags="SA", seq=70000, ack=90001)
    g.up(flags="A", seq=90001, ack=70001)
    g.up(b"new", flags="PA", seq=90001, ack=70001)
