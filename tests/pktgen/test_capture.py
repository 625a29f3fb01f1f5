# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""What scripts/pktgen-pcap writes is what it says, read by somebody else's parser."""

import collections
import subprocess

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.layers.vxlan import VXLAN
from scapy.utils import RawPcapReader

from conftest import ROOT


def frames(path):
    reader = RawPcapReader(str(path))
    data = [frame for frame, _ in reader]
    reader.close()
    return data


def flow_of(packet):
    return packet[IP].src, packet[UDP].sport, packet[IP].dst, packet[UDP].dport


def assert_sums(packet):
    """Scapy fills in what is not given: the same bytes again only when the sums were right."""
    again = packet.copy()
    del again[IP].chksum, again[UDP].chksum, again[IP].len, again[UDP].len
    assert bytes(Ether(bytes(again))) == bytes(packet)


def test_file_holds_a_frame_for_each_flow(capture):
    data = frames(capture())
    assert len(data) == 65536 and {len(frame) for frame in data} == {60}
    # Addresses and ports where they lie in IPv4 without options: 65,536 of scapy's would take long.
    assert len({frame[26:38] for frame in data}) == 65536
    for frame in data[:: 65536 // 64]:
        packet = Ether(frame)
        assert (packet.dst, packet.src) == ("02:00:00:00:00:01", "02:00:00:00:00:05")
        assert (packet[IP].dst, packet[UDP].dport, packet[IP].ttl) == ("198.18.0.10", 53, 64)
        assert_sums(packet)


def test_clients_and_ports_are_the_plans(capture):
    flows = [flow_of(Ether(frame)) for frame in frames(capture("--flows", "1000"))]
    clients = collections.Counter(flow[0] for flow in flows)
    assert set(clients) == {f"10.0.0.{host}" for host in range(5, 69)}
    assert max(clients.values()) - min(clients.values()) <= 1
    assert {flow[1] for flow in flows} == set(range(1024, 1024 + 16))
    assert flows != sorted(flows), "flows are to be visited in random order"


def test_options_are_kept(capture):
    data = frames(capture("--flows", "10", "--size", "1518", "--addresses", "2", "--service",
                          "198.18.0.77", "--service-port", "99", "--gateway-mac",
                          "02:00:00:00:00:0a", "--client-mac", "02:00:00:00:00:0b"))
    packets = [Ether(frame) for frame in data]
    assert {len(frame) for frame in data} == {1514}
    assert {(p.dst, p.src) for p in packets} == {("02:00:00:00:00:0a", "02:00:00:00:00:0b")}
    assert {flow_of(p)[0] for p in packets} == {"10.0.0.5", "10.0.0.6"}
    assert {flow_of(p)[2:] for p in packets} == {("198.18.0.77", 99)}
    for packet in packets:
        assert_sums(packet)


def test_seed_decides_the_order(capture):
    first = frames(capture("--flows", "500"))
    other = frames(capture("--flows", "500", "--seed", "2"))
    assert first != other and sorted(first) == sorted(other)


def test_tenants_of_vxlan_have_the_same_flows(capture):
    inside = collections.defaultdict(set)
    for frame in frames(capture("--vxlan", "--flows", "320", "--vnis", "8", "--first-vni", "5000")):
        packet = Ether(frame)
        assert len(frame) == 60 + 50
        assert flow_of(packet)[0::2] == ("192.0.2.2", "192.0.2.1")
        assert (packet[UDP].dport, packet[UDP].chksum) == (4789, 0)
        assert 49152 <= packet[UDP].sport
        vxlan = packet[VXLAN]
        assert int(vxlan.flags) == 8 and (vxlan.reserved1, vxlan.reserved2) == (0, 0)
        inner = vxlan.payload
        assert_sums(inner)
        inside[vxlan.vni].add(flow_of(inner))
    assert set(inside) == set(range(5000, 5008))
    assert {len(flows) for flows in inside.values()} == {40}
    assert len({frozenset(flows) for flows in inside.values()}) == 1


@pytest.mark.parametrize("options", [
    ("--size", "63"), ("--size", "1519"), ("--vxlan", "--size", "1469"), ("--flows", "0"),
    ("--flows", "64513", "--addresses", "1"), ("--addresses", "246"), ("--gateway-mac", "02:00"),
    ("--service", "10.0.0"), ("--vxlan", "--first-vni", "16777215"),
])
def test_senseless_options_are_refused(options, tmp_path):
    path = tmp_path / "none.pcap"
    done = subprocess.run([str(ROOT / "scripts/pktgen-pcap"), *options, "--output", str(path)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 2 and not path.exists()
