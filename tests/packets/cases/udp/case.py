# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""UDP through the gateway."""

from scapy.layers.inet import ICMP, IP, UDP

from marks import workers
from topology import NAT_RED, WEB, base

CONFIG = base()


def flow(t, **fields):
    fields = {"sport": 5000, **fields}
    return t.flow(t.host("blue0", "10.0.0.5"), t.host("red0", "10.0.0.5"), service=WEB,
                  nat=NAT_RED, proto=UDP, dport=53, tport=5353, **fields)


@workers(1, 2, 3)
def case_both_ways(t):
    f = flow(t)
    f.up(b"question")
    f.down(b"answer")
    f.up(b"q" * 1472)
    f.down(b"a" * 1471)
    f.up()


def case_no_checksum_stays_none(t):
    # RFC 768: 0 says that the sender computed none.
    f = flow(t)
    f.up(b"question", chksum=0)
    f.down(b"answer", chksum=0)


def case_a_sum_of_zero_is_sent_as_ffff(t):
    f = flow(t)
    f.up(b"learn")
    payload = bytearray(b"\0\0tail")

    def value(packet):
        return IP(bytes(packet))[UDP].chksum
    ip = f.stamp({})
    # Choose the payload so that the sum towards the target comes to 0xffff before inversion.
    first = value(f.target_side(True, {}, bytes(payload), ip))
    payload[0:2] = first.to_bytes(2, "big")
    assert value(f.target_side(True, {}, bytes(payload), ip)) == 0xffff
    f.up(bytes(payload), ip={"id": ip["id"]})


def case_zero_port_of_a_client_is_a_port(t):
    f = flow(t, sport=0)
    f.up(b"from port 0")
    f.down(b"to port 0")


def case_one_flow_per_source_port(t):
    #= RFC7857#5 RFC7857#6: TCP and UDP with the same ports are two flows.
    flows = [flow(t, sport=6000 + i) for i in range(20)]
    for f in flows:
        f.up(b"hello")
    for f in flows:
        f.down(b"you")
    if len({(f.nat, f.nport) for f in flows}) != len(flows):
        t.fail("a port is given to two flows")  #= RFC4787#REQ-3


def case_only_the_target_may_answer(t):
    #= RFC4787#REQ-1 RFC5382#REQ-1 RFC5508#REQ-1a type=exception reason=A mapping belongs to one
    #= flow: who else sends to it may be in another VPC. One port serves a flow to each target.
    #= RFC4787#REQ-8: filtering depends on address and port.
    f = flow(t)
    f.up(b"question")
    other = t.host("red0", "10.0.0.6")
    t.dropped(other.sends(IP(src=other.ip, dst=f.nat) / UDP(sport=5353, dport=f.nport) / b"x"),
              drop="nat_no_flow")
    t.dropped(f.server.sends(IP(src=f.target, dst=f.nat) / UDP(sport=5354, dport=f.nport) / b"x"),
              drop="nat_no_flow")
    f.down(b"answer")


def case_same_input_same_output(t):
    #= RFC4787#REQ-11: deterministic.
    import harness
    runs = []
    for _ in range(2):
        with harness.Gateway(seed=7) as again:
            again.load(CONFIG)
            runs.append([])
            ends = again.host("blue0", "10.0.0.5"), again.host("red0", "10.0.0.5")
            for i in range(30):
                again.inject([ends[0].sends(IP(src="10.0.0.5", dst=WEB, id=i) / UDP(
                    sport=7000 + i, dport=53) / b"same")])
                runs[-1] += again.run()
    if runs[0] != runs[1]:
        t.fail("two runs with one seed differ")


def case_icmp_never_ends_a_flow(t):
    #= RFC4787#REQ-12 RFC5382#REQ-10: neither a mapping nor a connection.
    f = flow(t)
    f.up(b"question")
    f.down(b"answer")
    quoted = IP(src=f.nat, dst=f.target) / UDP(sport=f.nport, dport=5353) / b"question"
    for kind, code in [(3, c) for c in range(16)] + [(k, 0) for k in range(4, 256) if k != 8]:
        error = IP(src=f.target, dst=f.nat) / ICMP(type=kind, code=code) / bytes(quoted)
        t.inject([f.server.sends(error)])
    outs = t.run()
    drops, _ = t.counted()
    if len(outs) != 16 + 2 or drops != {"icmp_type": 251 - 2}:
        t.fail(f"3, 11 and 12 pass, but {len(outs)} came and {drops}")
    f.down(b"answer")
