# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""TCP through the gateway, every frame compared to the last byte in both directions."""

from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

from marks import workers
from topology import NAT_RED, WEB, attachment, base, vpc

CONFIG = base()


def ends(t):
    return t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5")


def flow(t, **fields):
    return t.flow(*ends(t), service=WEB, nat=NAT_RED, **fields)


@workers(1, 2, 3)
def case_connection_from_syn_to_fin(t):
    f = flow(t).open()
    f.talk()
    f.up(b"x" * 1460, flags="A", seq=1005, ack=5005)
    f.down(b"y" * 1459, flags="PA", seq=5005, ack=2465)
    f.up(flags="FA", seq=2465, ack=6464)
    f.down(flags="A", seq=6464, ack=2466)
    f.down(b"after FIN", flags="A", seq=6464, ack=2466)
    f.down(flags="FA", seq=6473, ack=2466)
    f.up(flags="A", seq=2466, ack=6474)


def case_target_closes_first(t):
    f = flow(t).open()
    f.close(first="target")


def case_simultaneous_open_and_lost_segments(t):
    #= RFC5382#REQ-2 RFC5382#REQ-2a: all sequences of segments that TCP allows.
    f = flow(t)
    f.syn()
    f.syn()                                       # sent again
    f.down(flags="SA", seq=5000, ack=1001)
    f.down(flags="SA", seq=5000, ack=1001)        # the client's ACK was lost
    f.up(flags="A", seq=1001, ack=5001)
    f.up(b"\0", flags="A", seq=1000, ack=5001)    # keep-alive
    g = flow(t, sport=40001)
    g.syn()
    g.down(flags="S", seq=5000)                   # both open
    g.up(flags="SA", seq=1000, ack=5001)
    g.down(flags="SA", seq=5000, ack=1001)
    g.talk()


def case_data_in_the_syn(t):
    # RFC 7413: a SYN with data passes as it is.
    f = flow(t)
    f.up(b"GET / HTTP/1.0\r\n\r\n", flags="S", seq=1000, options=[("MSS", 1460)])
    f.down(b"early", flags="SA", seq=5000, ack=1019)


def case_sequence_numbers_wrap(t):
    f = flow(t)
    f.up(flags="S", seq=0xffffffff)
    f.down(flags="SA", seq=0xfffffffe, ack=0)
    f.up(flags="A", seq=0, ack=0xffffffff)
    f.down(b"abcd", flags="PA", seq=0xffffffff, ack=0)
    f.up(flags="A", seq=0, ack=3)


def case_options_survive(t):
    f = flow(t)
    f.up(flags="S", seq=1000, options=[
        ("MSS", 1400), ("SAckOK", b""), ("Timestamp", (7, 0)), ("NOP", None), ("WScale", 7)])
    f.down(flags="SA", seq=5000, ack=1001, options=[
        ("MSS", 1300), ("NOP", None), ("NOP", None), ("SAckOK", b""), ("NOP", None),
        ("WScale", 9)])
    f.up(flags="A", seq=1001, ack=5001, options=[
        ("NOP", None), ("NOP", None), ("Timestamp", (8, 9))])
    f.up(b"urgent", flags="PAU", seq=1001, ack=5001, urgptr=3, window=17)


def case_mss_is_lowered_to_the_smaller_leg(t):
    # 1500 on both sides: 1460 stays, 9000 does not, in both directions.
    f = flow(t, mss=1460)
    f.up(flags="S", seq=1000, options=[("MSS", 9000)])
    f.down(flags="SA", seq=5000, ack=1001, options=[("NOP", None), ("NOP", None), ("MSS", 8960)])


def case_mss_at_an_odd_place(t):
    f = flow(t, mss=1460)
    f.up(flags="S", seq=1000, options=[("NOP", None), ("MSS", 4000), ("NOP", None),
                                       ("NOP", None), ("NOP", None)])


def small_leg():
    return base(vpcs=[
        vpc("blue", [attachment("blue0", "10.0.0.1/24")]),
        vpc("red", [attachment("red0", "10.0.0.1/24", mtu=1400)], natPool=[NAT_RED + "/32"]),
        vpc("green", [attachment("trunk0", "10.0.0.1/24", vlan=100)])])


def case_mss_follows_the_smaller_mtu(t):
    f = flow(t, mss=1360)
    f.up(flags="S", seq=1000, options=[("MSS", 1460)])
    f.down(flags="SA", seq=5000, ack=1001, options=[("MSS", 1460)])
    g = flow(t, sport=40001, mss=1360)
    g.up(flags="S", seq=1000, options=[("MSS", 1200)])  # never raised
    h = flow(t, sport=40002)
    h.up(flags="S", seq=1000)                           # none is put in


case_mss_follows_the_smaller_mtu.config = small_leg()


def case_oversize_is_dropped_by_name(t):
    f = flow(t).open()
    f.up(b"x" * 1360, flags="A", seq=1001, ack=5001)
    #= RFC4787#REQ-13
    f.up(b"x" * 1361, flags="A", seq=2361, ack=5001, drop="oversize", told=(3, 4, 1400))
    # May be fragmented, but is not yet.
    f.up(b"x" * 1361, ip={"flags": 0}, flags="A", seq=2361, ack=5001, drop="oversize")


case_oversize_is_dropped_by_name.config = small_leg()


def case_wrong_checksum_stays_wrong(t):
    """Nothing verifies TCP checksums on the way, and nothing makes a wrong one right."""
    f = flow(t).open()
    client, server = f.client, f.server
    ip = f.stamp({})
    right = f.client_side(True, {"flags": "A", "seq": 1001, "ack": 5001}, b"data", ip)
    sum_in = IP(bytes(right))[TCP].chksum
    right[TCP].chksum = (sum_in + 1) & 0xffff
    ip["ttl"] -= 1
    out = f.target_side(True, {"flags": "A", "seq": 1001, "ack": 5001}, b"data", ip)
    sum_out = IP(bytes(out))[TCP].chksum
    got = t.one(client.sends(right), server)
    wrong = got[TCP].chksum
    # Ones' complement: the same distance, where 0 and 0xffff are one number.
    distance = (sum_in + 1 - sum_in) % 0xffff
    if (wrong - sum_out) % 0xffff != distance:
        t.fail(f"checksum {wrong:#x}: expected {sum_out:#x} + 1")


def case_ethernet_padding_is_no_payload(t):
    f = flow(t).open()
    port, frame = f.sends_up(b"z", flags="PA", seq=1001, ack=5001)
    expect = f.target_side(True, {"flags": "PA", "seq": 1001, "ack": 5001}, b"z",
                           dict(f.stamp({}), id=Ether(frame)[IP].id, ttl=63))
    t.step(send=[(port, frame + b"\xaa" * 5)], expect=[f.server.gets(expect)])


def case_ttl(t):
    f = flow(t).open()
    f.up(ip={"ttl": 2}, flags="A", seq=1001, ack=5001)
    f.up(ip={"ttl": 1}, flags="A", seq=1001, ack=5001, drop="ttl_expired", told=(11, 0))
    f.down(ip={"ttl": 255}, flags="A", seq=5001, ack=1001)
    f.down(ip={"ttl": 0}, flags="A", seq=5001, ack=1001, drop="ttl_expired", told=(11, 0))
    g = flow(t, sport=40001)
    g.up(ip={"ttl": 1}, flags="S", seq=1, drop="ttl_expired", told=(11, 0))


def case_id_and_dont_fragment_bit_survive(t):
    #= RFC7857#10 type=exception reason=The sender's identification is kept: without DF, two clients
    #= behind one NAT address may use the same one towards one target at a time.
    f = flow(t).open()
    f.up(b"a", ip={"flags": 0, "id": 0xbeef, "tos": 0xff}, flags="A", seq=1001, ack=5001)
    f.down(b"b", ip={"flags": "DF", "id": 0, "tos": 3}, flags="A", seq=5001, ack=1002)
