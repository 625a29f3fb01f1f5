# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""VPCs behind tunnels: VXLAN and GENEVE, every outer header byte for byte."""

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Raw

from frames import dissect, tunnel_of
from marks import workers
from topology import (NAT_RED, WEB, attachment, base, edit, remote, route, tunnel, underlay, vpc)
from tunnels import ETHERNET, LOCAL, TunnelHost, geneve_header, vxlan_header

FAR = "192.0.2.9"
FAR_TOO = "192.0.2.10"
BEYOND = "203.0.113.7"  # a far end behind a router of the underlay
ROUTER = "192.0.2.254"
INNER_MTU = 1550


def config(**changes):
    """blue and green: clients with the same addresses, by VXLAN 7 and 8; red: targets by GENEVE 9 with
    Ethernet inside, two far ends; teal: GENEVE 10, bare IP, behind a router; gray on a port.
    """
    known = {
        "ports": ["fabric0", "gray0"],
        "underlays": [underlay("fabric", "fabric0", LOCAL + "/24",
                               routes=[route("203.0.113.0/24", ROUTER)])],
        "vpcs": [
            vpc("blue", [tunnel("vxlan", "fabric", 7, [FAR], "10.0.0.1/24")]),
            vpc("green", [tunnel("vxlan", "fabric", 8, [FAR], "10.0.0.1/24")]),
            vpc("red", [tunnel("geneve", "fabric", 9, [
                remote(FAR), remote(FAR_TOO, ["10.0.0.128/25", "10.9.0.0/16"])],
                "10.0.0.1/24")], natPool=[NAT_RED + "/32"],
                prefixes=["10.0.0.0/24", "10.9.0.0/16"]),
            vpc("teal", [tunnel("geneve", "fabric", 10, [BEYOND], "10.0.0.1/24", inner="ip")]),
            vpc("gray", [attachment("gray0", "10.0.0.1/24")]),
        ],
        "networks": {"main": {"vpcs": ["blue", "green", "teal", "gray"], "services": ["web"]}},
    }
    known.update(changes)
    return base(**known)


CONFIG = config()


def far_end(t, ip=FAR):
    return t.host("fabric0", ip)


def blue(t, ip="10.0.0.20"):
    return TunnelHost(far_end(t), "vxlan", 7, ip)


def red(t, ip="10.0.0.5", far=FAR):
    return TunnelHost(far_end(t, far), "geneve", 9, ip)


def teal(t, ip="10.0.0.20"):
    host = TunnelHost(far_end(t, ROUTER), "geneve", 10, ip, ethernet=False)
    host.outer = lambda up, payload, tos=0, **fields: beyond(host, up, payload, tos, fields)
    return host


def beyond(host, up, payload, tos, fields):
    """As TunnelHost.outer, but the far end is one hop behind the Host that has the MAC."""
    mac_host, host.far = host.far, type("Far", (), {
        "ip": BEYOND, "sends": host.far.sends, "gets": host.far.gets})
    frame = TunnelHost.outer(host, up, payload, tos, **fields)
    host.far = mac_host
    return frame


def web(t, client, server, **fields):
    return t.flow(client, server, service=WEB, nat=NAT_RED, **fields)


def ready(t, *hosts):
    t.run(3000)
    for host in hosts:
        if host.ethernet:
            t.inject([host.asks("10.0.0.1")])
            t.run()
    t.run(20)
    t.counted()
    return hosts


def case_tcp_between_two_tunnels(t):
    client, server = ready(t, blue(t), red(t))
    flow = web(t, client, server)
    flow.open()
    flow.talk()
    flow.close()


case_tcp_between_two_tunnels.workers = (1, 2, 3)


def case_udp_bare_ip_behind_a_router(t):
    client, server = ready(t, teal(t), red(t))
    flow = web(t, client, server, proto=UDP, dport=53, tport=5353)
    flow.up(b"question")
    flow.down(b"answer")
    flow.up(b"again", ip={"tos": 0xb9})
    flow.down(b"well", ip={"tos": 0xb9})


case_udp_bare_ip_behind_a_router.workers = (1, 2, 3)


def case_client_on_a_port_and_target_behind_a_tunnel(t):
    gray = t.host("gray0", "10.0.0.20")
    server, = ready(t, red(t))
    t.meet(gray)
    flow = web(t, gray, server, mss=INNER_MTU - 40)
    flow.syn(options=[("MSS", 9000)])
    flow.down(flags="SA", seq=5000, ack=1001)
    flow.up(flags="A", seq=1001, ack=5001)
    flow.talk()


WIDE = edit(CONFIG, vpcs={"gray": {"attachments": [
    attachment("gray0", "10.0.0.1/24", mtu=9000)]}})
case_client_on_a_port_and_target_behind_a_tunnel.config = WIDE


#//= RFC7348#section-5 type=test
def case_two_vpcs_with_the_same_addresses(t):
    one, server = ready(t, blue(t), red(t))
    other, = ready(t, TunnelHost(far_end(t), "vxlan", 8, "10.0.0.20"))
    first = web(t, one, server)
    second = web(t, other, server)
    first.open()
    second.open()
    first.talk()
    second.talk()
    assert first.nport != second.nport


def case_remote_by_prefix(t):
    near, far = red(t, "10.0.0.5"), red(t, "10.9.1.2", FAR_TOO)
    client, _, _ = ready(t, blue(t), near, far)
    flow = web(t, client, far)
    flow.open()
    flow.talk()


case_remote_by_prefix.config = edit(CONFIG, targetGroups={"web": {
    "targets": [{"id": "10.9.1.2"}]}})


def case_arp_inside_is_answered_and_ping(t):
    client, = ready(t, blue(t))
    t.step(send=[client.asks("10.0.0.1")], expect=[client.is_told("10.0.0.1")],
           generated={"arp_reply": 1})
    t.step(send=[client.asks("10.0.0.77")])
    ask = IP(src=client.ip, dst="10.0.0.1", id=7, tos=0x28) / ICMP(id=3, seq=4) / Raw(b"x" * 90)
    told = IP(src="10.0.0.1", dst=client.ip, id=7, tos=0x28) / ICMP(
        type=0, id=3, seq=4) / Raw(b"x" * 90)
    t.step(send=[client.sends(ask)], expect=[client.gets(told)], generated={"echo_reply": 1})


def case_ping_out_of_a_tunnel_of_bare_ip(t):
    client, = ready(t, teal(t))
    ask = IP(src=client.ip, dst="10.0.0.1", id=7) / ICMP(id=3, seq=4)
    told = IP(src="10.0.0.1", dst=client.ip, id=7) / ICMP(type=0, id=3, seq=4)
    t.step(send=[client.sends(ask)], expect=[client.gets(told)], generated={"echo_reply": 1})


def case_the_underlays_own_address(t):
    far = far_end(t)
    t.run(3000)
    t.counted()
    t.step(send=[far.asks(LOCAL)], expect=[far.is_told(LOCAL)], generated={"arp_reply": 1})
    t.step(send=[far.sends(IP(src=FAR, dst=LOCAL, id=7) / ICMP(id=3))],
           expect=[far.gets(IP(src=LOCAL, dst=FAR, id=7) / ICMP(type=0, id=3))],
           generated={"echo_reply": 1})
    for packet in (TCP(dport=80), UDP(dport=80), ICMP(type=0, id=3)):
        t.dropped(far.sends(IP(src=FAR, dst=LOCAL) / packet), drop="underlay_other")
    t.dropped(far.sends(IP(src=FAR, dst="192.0.2.77") / ICMP(id=3)), drop="underlay_other")
    t.dropped(far.sends(IP(src=FAR, dst=WEB) / TCP(dport=80)), drop="underlay_other")


def case_nobody_calls_from_an_underlay(t):
    client, _ = ready(t, blue(t), red(t))
    # The same packet as it would lie inside: outside it is nobody's.
    packet = IP(src=client.ip, dst=WEB) / TCP(dport=80, flags="S")
    t.dropped(client.far.sends(packet), drop="underlay_other")


def syn(client, **ip):
    return IP(src=client.ip, dst=WEB, **ip) / TCP(sport=40000, dport=80, flags="S")


def inside(client, packet=None):
    gateway = client.gateway.macs[client.port]
    return bytes(Ether(src=client.mac, dst=gateway) / (packet or syn(client)))


def case_refusals_go_back_through_the_tunnel(t):
    client, bare, _ = ready(t, blue(t), teal(t), red(t))
    for one in (client, bare):
        t.refused(one, IP(src=one.ip, dst=WEB) / TCP(dport=81, flags="S", seq=5),
                  "no_listener")
        t.told(one, IP(src=one.ip, dst=WEB) / UDP(dport=81), 3, 3, drop="no_listener")
        t.told(one, syn(one, ttl=1), 11, 0, drop="ttl_expired")


#//= RFC7348#section-4.3 type=test
def case_inner_mtu_is_told_and_kept(t):
    client, server = ready(t, blue(t), red(t))
    flow = web(t, client, server).open()
    flow.up(b"x" * (INNER_MTU - 40), flags="A", seq=1001, ack=5001)
    flow.down(b"x" * (INNER_MTU - 40), flags="A", seq=5001, ack=1001)


def case_larger_than_the_tunnel(t):
    gray = t.host("gray0", "10.0.0.20")
    server, = ready(t, red(t))
    t.meet(gray)
    flow = web(t, gray, server).open()
    flow.up(b"x" * (INNER_MTU - 39), flags="A", seq=1001, ack=5001,
            told=(3, 4, INNER_MTU), drop="oversize")


case_larger_than_the_tunnel.config = WIDE


def case_vni_flags_and_control(t):
    client, = ready(t, blue(t))
    t.dropped(client.outer(True, vxlan_header(99) + inside(client)), drop="tunnel_vni")
    t.dropped(client.outer(True, vxlan_header(9) + inside(client)), drop="tunnel_vni")
    t.dropped(client.outer(True, vxlan_header(7, flags=0x04) + inside(client)),
              drop="tunnel_flags")
    target = red(t)
    t.dropped(target.outer(True, geneve_header(7, ETHERNET) + inside(client)), drop="tunnel_vni")
    t.dropped(target.outer(True, geneve_header(9, ETHERNET, version=1) + inside(client)),
              drop="tunnel_flags")
    t.dropped(target.outer(True, geneve_header(9, ETHERNET, flags=0x80) + inside(client)),
              drop="tunnel_control")


def case_peers(t):
    client, = ready(t, blue(t))
    stranger = t.host("fabric0", "192.0.2.77")
    good = vxlan_header(7) + inside(client)
    udp = UDP(sport=50000, dport=4789, chksum=0) / Raw(good)
    t.dropped(stranger.sends(IP(src=stranger.ip, dst=LOCAL) / udp), drop="tunnel_peer")
    t.dropped(client.far.sends(IP(src=FAR, dst="192.0.2.78") / udp), drop="tunnel_peer")
    # A far end of another VNI is none of this one.
    other = t.host("fabric0", FAR_TOO)
    t.dropped(other.sends(IP(src=FAR_TOO, dst=LOCAL) / udp), drop="tunnel_peer")


#//= RFC8926#section-3.5 type=test
def case_options(t):
    target, client = ready(t, red(t), blue(t))
    critical = bytes.fromhex("01028301deadbeef")
    plain = bytes.fromhex("01020301deadbeef")
    answer = IP(src=target.ip, dst="10.0.0.1", id=9) / ICMP(id=3)
    t.dropped(target.outer(True, geneve_header(9, ETHERNET, critical, flags=0x40) +
                           inside(target, answer)), drop="tunnel_option")
    t.dropped(target.outer(True, geneve_header(9, ETHERNET, plain[:4], flags=0) +
                           inside(target, answer)), drop="tunnel_malformed")
    told = IP(src="10.0.0.1", dst=target.ip, id=9) / ICMP(type=0, id=3)
    for options in (plain, plain * 31):
        t.step(send=[target.outer(True, geneve_header(9, ETHERNET, options) +
                                  inside(target, answer))],
               expect=[target.gets(told)], generated={"echo_reply": 1})
    # The flow path over the longest options, handed over or not.
    flow = web(t, client, target).open()
    port, frame = flow.sends_down(b"data", flags="PA", seq=5001, ack=1001)
    at = tunnel_of(frame)[1] + 8
    sent = target.outer(True, geneve_header(9, ETHERNET, plain * 31) + frame[at + 8:])
    got = t.one(sent, client)
    assert bytes(client.inner(got)[TCP].payload) == b"data", port


case_options.workers = (1, 3)


def case_inner_protocol(t):
    client, bare = ready(t, blue(t), teal(t))
    target = red(t)
    tagged = Ether(src=client.mac, dst=t.macs["fabric0"]) / Dot1Q(vlan=3) / syn(client)
    t.dropped(client.outer(True, vxlan_header(7) + bytes(tagged)), drop="tunnel_protocol")
    t.dropped(target.outer(True, geneve_header(9, 0x0800) + bytes(syn(target))),
              drop="tunnel_protocol")
    t.dropped(bare.outer(True, geneve_header(10, ETHERNET) + inside(bare)),
              drop="tunnel_protocol")
    t.dropped(bare.outer(True, geneve_header(10, 0x8847) + b"\0" * 40), drop="tunnel_protocol")
    stray = Ether(src=client.mac, dst="06:00:00:00:00:99") / syn(client)
    t.dropped(client.outer(True, vxlan_header(7) + bytes(stray)), drop="not_for_us")


def case_lengths(t):
    client, = ready(t, blue(t))
    good = vxlan_header(7) + inside(client)
    t.dropped(client.outer(True, good[:7]), drop="tunnel_malformed")
    t.dropped(client.outer(True, good[:8 + 13]), drop="tunnel_malformed")
    t.dropped(client.outer(True, good[:8 + 14 + 19]), drop="ip_malformed")
    t.dropped(client.outer(True, good[:8 + 14 + 39]), drop="ip_malformed")
    # A UDP datagram that ends before the inner packet does, though the frame goes on.
    port, frame = client.outer(True, good)
    cut = bytearray(frame)
    at = tunnel_of(frame)[1] + 4
    cut[at:at + 2] = (8 + len(good) - 1).to_bytes(2, "big")
    t.dropped((port, bytes(cut)), drop="ip_malformed")
    arp = bytes(Ether(src=client.mac, dst="ff:ff:ff:ff:ff:ff") / ARP(
        psrc=client.ip, pdst="10.0.0.1"))
    t.dropped(client.outer(True, vxlan_header(7) + arp[:41]), drop="arp_malformed")


def case_outer_fragments(t):
    client, = ready(t, blue(t))
    port, frame = client.outer(True, vxlan_header(7) + inside(client))
    for flags, offset in (("MF", 0), (0, 5)):
        packet = dissect(frame)[IP]
        packet.flags, packet.frag = flags, offset
        del packet.chksum
        t.dropped(client.far.sends(IP(bytes(packet))), drop="tunnel_fragment")


#//= RFC8926#section-3.3 type=test
def case_outer_checksum(t):
    client, server = ready(t, blue(t), red(t))
    packet = IP(src=FAR, dst=LOCAL) / UDP(sport=50000, dport=4789) / Raw(
        vxlan_header(7) + inside(client))
    right = bytes(packet)
    got = t.one(client.far.sends(IP(right)), server)
    assert server.inner(got)[TCP].flags == "S"
    wrong = right[:26] + bytes([right[26] ^ 1]) + right[27:]
    t.dropped(client.far.sends(Raw(wrong)), drop="tunnel_cksum")


#//= RFC6040#section-4.2 type=test
def case_congestion(t):
    client, server = ready(t, blue(t), red(t))
    flow = web(t, client, server, proto=UDP, dport=53, tport=5353)
    flow.up(b"one", ip={"tos": 2})
    _, frame = flow.sends_up(b"two", ip={"tos": 2})
    body = frame[tunnel_of(frame)[1] + 8:]
    got = t.one(client.outer(True, body, tos=3), server)
    assert got[IP].tos == 3 and server.inner(got)[IP].tos == 3
    _, frame = flow.sends_up(b"three", ip={"tos": 0})
    body = frame[tunnel_of(frame)[1] + 8:]
    t.dropped(client.outer(True, body, tos=3), drop="tunnel_ecn")
    got = t.one(client.outer(True, body, tos=0xb8), server)
    assert server.inner(got)[IP].tos == 0


def case_inner_source_and_martians(t):
    client, = ready(t, blue(t))
    t.dropped(client.sends(IP(src="10.1.0.20", dst=WEB) / TCP(dport=80, flags="S")),
              drop="vpc_source")
    t.dropped(client.sends(IP(src="127.0.0.1", dst=WEB) / TCP(dport=80, flags="S")),
              drop="martian")
    t.dropped(client.sends(IP(src="10.0.0.1", dst=WEB) / TCP(dport=80, flags="S")),
              drop="martian")


def case_nested_tunnels_stay_closed(t):
    client, = ready(t, blue(t))
    good = vxlan_header(7) + inside(client)
    nested = IP(src=FAR, dst=LOCAL) / UDP(sport=50000, dport=4789, chksum=0) / Raw(good)
    t.dropped(client.outer(True, vxlan_header(7) + inside(client, nested)), drop="vpc_source")
    nested[IP].src = client.ip
    t.dropped(client.outer(True, vxlan_header(7) + inside(client, nested)), drop="no_service")


def case_source_port_is_of_the_inner_flow(t):
    client, server = ready(t, blue(t), red(t))
    seen = {}
    for sport in range(40000, 40012):
        flow = web(t, client, server, proto=UDP, sport=sport, dport=53, tport=5353)
        for _ in range(2):
            got = t.one(flow.sends_up(b"x"), server)
            seen.setdefault(sport, set()).add(got[UDP].sport)
    assert all(len(ports) == 1 for ports in seen.values()), seen
    assert len(set().union(*seen.values())) > 6, seen


def case_far_end_moves_to_another_mac(t):
    client, server = ready(t, blue(t), red(t))
    flow = web(t, client, server).open()
    t.hosts.remove(server.far)
    moved = t.host("fabric0", FAR, mac="06:00:00:00:00:77")
    client.far = server.far = moved
    flow.talk()


def case_reload_changes_the_far_end(t):
    client, server = ready(t, blue(t), red(t))
    flow = web(t, client, server).open()
    conf = edit(CONFIG, vpcs={"red": {"attachments": [
        tunnel("geneve", "fabric", 9, [FAR_TOO], "10.0.0.1/24")]}})
    t.reload(conf)
    t.hosts.remove(server)
    server = red(t, far=FAR_TOO)
    t.run(5000)
    t.counted()
    flow.server = server
    flow.talk()
    old = TunnelHost(client.far, "geneve", 9, "10.0.0.5")
    t.hosts.remove(old)
    t.dropped(old.sends(IP(src=old.ip, dst="10.0.0.1") / ICMP(id=3)), drop="tunnel_peer")


def case_nothing_leaves_open(t):
    """No adjacency of the inner next hop: what cannot be wrapped does not leave."""
    client, server = ready(t, blue(t), red(t))
    flow = web(t, client, server).open()
    t.reload(edit(CONFIG, vpcs={"red": {"attachments": []}}))
    t.run(100)
    t.counted()
    flow.up(b"x", flags="PA", seq=1001, ack=5001, drop="no_route")


def case_shown(t):
    shown = {one["name"]: one["attachments"][0] for one in t.rpc("show.vpcs")["vpcs"]}
    assert shown["fabric"]["addresses"] == [LOCAL + "/24"]
    teal = shown["teal"]
    assert (teal["tunnel"], teal["underlay"], teal["vni"], teal["inner"], teal["remotes"]) == (
        "geneve", "fabric", 10, "ip", [BEYOND])
    assert teal["mtuBytes"] == 1600 - 36
    steering = {one["name"]: one["steering"] for one in t.rpc("show.ports")["ports"]}
    assert steering["fabric0"] == "software", steering


@workers(3)
def case_handed_over_by_what_is_inside(t):
    client, server = ready(t, blue(t), red(t))
    for sport in range(40000, 40016):
        flow = web(t, client, server, sport=sport).open()
        flow.talk()
    counted = [worker["handover"] for worker in t.read_counters()["workers"]]
    assert sum(one["tunnel"] for one in counted) > 20, counted
    assert sum(one["wrong_lcore"] for one in counted) == 0, counted
