# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""lib/acl against reading the rules one by one: random lists, in random order, no difference.

LATH_TEST_SEED repeats a run; LATH_TEST_LONG=1 compares 100,000 packets.
"""
import ipaddress
import json
import os
import pathlib
import random as randomness
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = os.environ.get("LATH_ACL_CHECK", str(ROOT / "build/tests/policy/acl_check"))
PACKETS = 40  # a list
PAIRS = 100000 if os.environ.get("LATH_TEST_LONG") == "1" else 8000
TCP, UDP, ICMP, ANY = range(4)


def peer_address(random):
    if random.random() < 0.3:
        return ipaddress.ip_address(0x20010db8 << 96 | random.getrandbits(3) << 64 |
                                    random.getrandbits(2))
    return ipaddress.ip_address(0x0a000000 | random.getrandbits(2) << 16 | random.getrandbits(9))


def rule(random, number):
    first = random.choice((0, 1, 79, 80, 443, 1024, 65535, random.randrange(65536)))
    last = random.choice((first, first, 65535, min(65535, first + random.randrange(100))))
    peer = None
    if random.random() < 0.2:
        peer = random.randrange(3)
    elif random.random() < 0.9:
        address = peer_address(random)
        bits = random.choice((0, 8, 16, 24, 28, 32) if address.version == 4 else (0, 32, 64, 128))
        peer = str(ipaddress.ip_network(f"{address}/{bits}", strict=False))
    return [number, random.choice((TCP, TCP, UDP, ICMP, ANY)), first, last, peer,
            random.random() < 0.6]


def matches(one, peer, vpc, protocol, port):
    _, wanted, first, last, whom, _ = one
    if wanted not in (ANY, protocol):
        return False
    if wanted in (TCP, UDP) and not first <= port <= last:
        return False
    if whom is None:
        return True
    if isinstance(whom, int):
        return whom == vpc
    net = ipaddress.ip_network(whom)
    return net.version == peer.version and peer in net


def first_of(rules, packet):
    peer, *rest = packet
    found = [one for one in rules if matches(one, ipaddress.ip_address(peer), *rest)]
    one = min(found, default=None)
    return [-1, False] if one is None else [one[0], one[5]]


def packet(random):
    protocol = random.choice((TCP, TCP, UDP, ICMP))
    port = random.choice((0, 79, 80, 81, 443, 65535, random.randrange(65536)))
    return [str(peer_address(random)), random.randrange(4), protocol,
            0 if protocol == ICMP else port]


@pytest.mark.skipif(not os.path.exists(TOOL), reason="acl_check is not built")
def test_random_lists_equal_reading_them():
    seed = int(os.environ.get("LATH_TEST_SEED", randomness.SystemRandom().randrange(1 << 32)))
    print(f"LATH_TEST_SEED={seed}, {PAIRS} pairs")
    random = randomness.Random(seed)
    lines = []
    for _ in range(PAIRS // PACKETS):
        numbers = random.sample(range(1, 32767), random.randrange(60))
        lines.append({"rules": [rule(random, number) for number in numbers],
                      "packets": [packet(random) for _ in range(PACKETS)]})
    done = subprocess.run([TOOL], input="".join(json.dumps(line) + "\n" for line in lines),
                          capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(lines)
    for line, got in zip(lines, answers):
        want = [first_of(line["rules"], one) for one in line["packets"]]
        assert got == want, f"seed {seed}: {json.dumps(line)}"
