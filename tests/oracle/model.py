# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""A small executable model of the translator, written from the requirements and not from the C.

Model takes a lath.json and frames and says what must become of each: dropped for one of a set of
reasons, answered, or forwarded on a flow. What the gateway may choose freely (target among those
allowed, NAT address of the pool, source port) is left open until it is seen; bind() then checks
that the choice is legal, and from there on every frame of the flow is predicted to the last byte.

It knows IPv4 on VPC attachments, tunnels among them (encap.py); no reload, no host port, no limits on tables or refusals.
"""

import ipaddress
import struct
from dataclasses import dataclass, field

from access import Access
from encap import NOBODY, tunnel_of
from packet import (ACK, ERRORS, ETH_ARP, ETH_IPV4, ETH_IPV6, FIN, ICMP, PORTS, RST, SYN, TCP,
                    TIME_EXCEEDED, UDP, UNREACHABLE, Bad, Packet, checksum, framed, icmp_error, ip,
                    ip_packet, ip_text, mac_bytes, network, parse, parse_quote, requote, rewrite,
                    split, within)

QUOTE_MAX = 548  # RFC 1812 section 4.3.2.3: 576, less both headers

# ---- what is configured --------------------------------------------------------------------------


def damaged_ipv6(data):
    """Why bytes that are no IPv6 packet end; the model knows no whole ones yet."""
    if len(data) < 40 or data[0] >> 4 != 6 or int.from_bytes(data[4:6], "big") + 40 > len(data):
        return "ip_malformed"
    raise AssertionError(f"an IPv6 packet: {data.hex()}")


@dataclass
class Attachment:
    vpc: str
    port: str
    vlan: int
    mtu: int
    addresses: list  # (address, (network, mask))
    return_to_sender: bool
    announce: bool

    def own(self, peer):
        """The gateway's address there towards this one."""
        near = [address for address, net in self.addresses if within(peer, net)]
        return (near or [self.addresses[0][0]])[0]


@dataclass
class Vpc:
    name: str
    prefixes: list
    attachments: list = field(default_factory=list)
    routes: list = field(default_factory=list)  # (mask, network, next hop or None, attachment)
    nat: set = field(default_factory=set)


@dataclass
class Service:
    name: str
    address: int
    listeners: dict  # (proto, port) -> [(source networks or None, [targets])], in file order
    visible: set
    echo: str


@dataclass(frozen=True)
class Target:
    vpc: str
    address: int
    port: int


class World:
    """A configuration, indexed."""

    def __init__(self, conf):
        self.access = Access(conf)
        self.attachments, self.vpcs = {}, {}
        self.macs, self.tunnels, self.conf = {}, {}, conf
        for i, port in enumerate(conf["system"]["ports"]):
            self.macs[port["name"]] = mac_bytes(port.get("mac", f"02:00:00:00:00:{i + 1:02x}"))
        for one in conf["vpcs"]:
            self.add_vpc(one)
        groups = {one["name"]: one for one in conf["targetGroups"]}
        nets = {}
        for one in conf["vpcAssociations"]:
            nets.setdefault(one["serviceNetworkIdentifier"], set()).add(one["vpcIdentifier"])
        visible = {}
        for one in conf["serviceAssociations"]:
            visible.setdefault(one["serviceIdentifier"], set()).update(
                nets.get(one["serviceNetworkIdentifier"], ()))
        self.services = [self.read_service(one, groups, visible.get(one["name"], set()))
                         for one in conf["services"]]

    def add_vpc(self, one):
        vpc = Vpc(one["name"], [network(p) for p in one["prefixes"]])
        for att in one["attachments"]:
            addresses = [(ip(a.split("/")[0]), network(a)) for a in att["addresses"]]
            tags = att.get("outerVlan", 0) << 12 | att.get("vlan", 0)
            tunnel = tunnel_of(self.conf, att)
            if tunnel:
                self.tunnels[tunnel.name] = tunnel
                self.macs[tunnel.name] = tunnel.mac = self.macs[tunnel.port]
            a = Attachment(vpc.name, tunnel.name if tunnel else att["port"], tags,
                           att.get("mtu", tunnel.mtu if tunnel else 1500),
                           addresses, att.get("returnTo") == "sender", att.get("announce", True))
            vpc.attachments.append(a)
            self.attachments[a.port, a.vlan] = a
            for _, net in addresses:
                vpc.routes.append((net[1], net[0], None, a))
        for item in one.get("routes", ()):
            net, hop = network(item["prefix"]), ip(item["nextHop"])
            via = next(a for a in vpc.attachments if any(within(hop, n) for _, n in a.addresses))
            vpc.routes.append((net[1], net[0], hop, via))
        vpc.routes.sort(key=lambda r: -r[0])
        pool = one.get("natPool")
        if pool:
            for text in pool:
                net = ipaddress.ip_network(text)
                vpc.nat.update(range(int(net[0]), int(net[-1]) + 1))
        else:
            vpc.nat.update(a for att in vpc.attachments for a, _ in att.addresses)
        self.vpcs[vpc.name] = vpc

    @staticmethod
    def read_targets(action, groups):
        targets = []
        for item in action["forward"]["targetGroups"]:
            if item.get("weight", 100) == 0:
                continue
            group = groups[item["targetGroupIdentifier"]]
            for one in group["targets"]:
                if one.get("weight", 1) > 0:
                    targets.append(Target(group["config"]["vpcIdentifier"], ip(one["id"]),
                                          one.get("port", group["config"].get("port"))))
        return targets

    def read_service(self, one, groups, visible):
        listeners = {}
        for item in one["listeners"]:
            rules = sorted(item.get("rules", ()), key=lambda r: r["priority"])
            rows = [([network(p) for p in r["match"].get("sourcePrefixes", ())] or None,
                     self.read_targets(r["action"], groups)) for r in rules]
            rows.append((None, self.read_targets(item["defaultAction"], groups)))
            listeners[TCP if item["protocol"] == "TCP" else UDP, item["port"]] = rows
        return Service(one["name"], ip(one["addresses"][0]), listeners, visible,
                       one.get("icmpEcho", "answer"))

    def route(self, vpc, address):
        """(attachment, next hop) or None."""
        for mask, net, hop, att in self.vpcs[vpc].routes:
            if address & mask == net:
                return att, address if hop is None else hop
        return None

    def visible(self, vpc, address):
        return [s for s in self.services if s.address == address and vpc in s.visible]


# ---- flows ---------------------------------------------------------------------------------------


@dataclass
class Flow:
    vpc: str
    port: str
    vlan: int
    sender: bytes
    proto: int
    client: int
    sport: int
    service: int
    dport: int
    targets: list
    target: Target = None
    nat: int = None
    nport: int = None
    acked: dict = field(default_factory=lambda: {"up": None, "down": None})

    @property
    def bound(self):
        return self.target is not None

    def reply_key(self):
        t = self.target
        tport = t.port if self.proto != ICMP else self.nport
        return t.vpc, self.proto, t.address, tport, self.nat, self.nport


@dataclass
class Result:
    """kind: drop, forward, answer, consume. `reasons` of a drop: any of them is right; of a
    forward: what may happen instead, depending on a choice that is not known yet.
    """
    kind: str
    reasons: frozenset = frozenset()
    flow: Flow = None
    up: bool = True
    packet: Packet = None
    answer: str = None  # arp_reply, echo_reply, rst, icmp
    out: tuple = None   # (port, frame) of an answer
    drops: str = None   # the reason that is counted beside an answer
    told: tuple = ()    # of a drop as oversize: answers of which one must come; none: none comes
    is_error: bool = False


def drop(*reasons):
    return Result("drop", frozenset(reasons))


class Model:
    """`mac_of(port, vlan, address)`: the MAC bytes of a next hop."""

    def __init__(self, conf, mac_of):
        self.world = World(conf)
        self.mac_of = mac_of
        self.flows = {}
        self.replies = {}

    def next_mac(self, att, hop):
        """Behind another far end of a tunnel it would be another machine."""
        tunnel = self.world.tunnels.get(att.port)
        if tunnel and not tunnel.ethernet:
            return NOBODY
        return self.mac_of(att.port, tunnel.far_of(hop) if tunnel else att.vlan, hop)

    def forget(self):
        """Every timer has run out."""
        self.flows.clear()
        self.replies.clear()

    def receive(self, port, frame):
        tunnel = self.world.tunnels.get(port)
        if tunnel and tunnel.verdict(frame):
            return drop(tunnel.verdict(frame))
        frame = tunnel.seen(frame) if tunnel else frame
        try:
            dst, src, vlan, kind, data = split(frame)
        except Bad as bad:
            return drop(bad.args[0])
        att = self.world.attachments.get((port, vlan))
        if att is None:
            return drop("no_attachment")
        broadcast = dst == b"\xff" * 6
        if dst != self.world.macs[port] and not broadcast:
            return drop("not_for_us")
        if kind == ETH_ARP:
            return self.arp(att, src, data)
        if kind == ETH_IPV6:
            return drop(damaged_ipv6(data))
        if kind != ETH_IPV4:
            return drop("ethertype")
        if broadcast:
            return drop("not_for_us")
        try:
            packet = parse(port, vlan, src, data)
        except Bad as bad:
            return drop(bad.args[0])
        return self.ipv4(att, packet)

    # ARP ------------------------------------------------------------------------------------

    def answers_arp(self, att, address):
        if any(address == own for own, _ in att.addresses):
            return True
        vpc = self.world.vpcs[att.vpc]
        inside = any(within(address, net) for _, net in att.addresses)
        return att.announce and inside and (
            address in vpc.nat or bool(self.world.visible(att.vpc, address)))

    def arp(self, att, src, data):
        if len(data) < 28 or data[:6] != struct.pack("!HHBB", 1, ETH_IPV4, 6, 4):
            return drop("arp_malformed")
        op, = struct.unpack_from("!H", data, 6)
        sender, asked = data[14:18], data[24:28]
        if op != 1 or sender == asked or not self.answers_arp(att, struct.unpack("!I", asked)[0]):
            return Result("consume")
        mac = self.world.macs[att.port]
        reply = data[:6] + b"\0\2" + mac + asked + data[8:14] + sender
        return Result("answer", answer="arp_reply",
                      out=(att.port, framed(src, mac, att.vlan, ETH_ARP, reply)))

    # IPv4 -----------------------------------------------------------------------------------

    def ipv4(self, att, packet):
        if packet.proto == ICMP and packet.l4[0] in ERRORS:
            return self.error(att, packet)
        key = (att.vpc, packet.proto, packet.src, packet.sport, packet.dst, packet.dport)
        if packet.proto != ICMP or packet.l4[0] == 8:
            flow = self.flows.get(key)
            if flow is not None:
                return self.hit(flow, True, packet)
        if packet.proto != ICMP or packet.l4[0] == 0:
            flow = self.replies.get(key)
            if flow is not None:
                return self.hit(flow, False, packet)
        return self.miss(att, packet, key)

    def hit(self, flow, up, packet):
        here, there = ("up", "down") if up else ("down", "up")
        if packet.proto == TCP:
            # RFC 7857 section 2.2 and this project's own: a RST must fit what its receiver
            # acknowledged last.
            acked = flow.acked[there]
            if packet.flags & RST and acked is not None and \
                    (packet.seq - acked) & 0xffffffff > 1 << 30 and packet.seq != acked - 1:
                return drop("rst_window")
        if packet.ttl <= 1:
            return self.tell(packet, "ttl_expired", TIME_EXCEEDED, 0)
        result = self.forward(flow, up, packet)
        if result.kind == "forward" and packet.proto == TCP and packet.flags & ACK:
            known = flow.acked[here]
            if known is None or (packet.ack - known) & 0xffffffff < 1 << 31:
                flow.acked[here] = packet.ack
        return result

    def forward(self, flow, up, packet):
        """Forwarded, or why not. While the target is open each that is possible has a say."""
        targets = [flow.target] if flow.bound or not up else flow.targets
        faults, mtus = set(), set()
        for target in targets:
            way = self.egress(flow, up, target)
            if way is None:
                faults.add("no_route")
            elif len(packet.ip) > way[0].mtu:
                faults.add("oversize")
                mtus.add(way[0].mtu)
            else:
                faults.add(None)
        # Only who forbids fragments is told.
        told = tuple(self.tell(packet, "oversize", UNREACHABLE, 4, mtu).out for mtu in mtus
                     if packet.ip[6] & 0x40)
        if None not in faults:
            return Result("drop", frozenset(faults), told=told)
        return Result("forward", frozenset(faults - {None}), flow=flow, up=up, packet=packet,
                      told=told)

    def egress(self, flow, up, target=None):
        """(attachment, next hop; None: the sender), None without a route."""
        target = target or flow.target
        if up:
            return self.world.route(target.vpc, target.address)
        att = self.world.attachments[flow.port, flow.vlan]
        if att.return_to_sender:
            return att, None
        return self.world.route(flow.vpc, flow.client)

    def miss(self, att, packet, key):
        world, vpc = self.world, self.world.vpcs[att.vpc]
        reasons = set()
        if not any(within(packet.src, net) for net in vpc.prefixes):
            reasons.add("vpc_source")
        if any(packet.src == own for a in vpc.attachments for own, _ in a.addresses):
            reasons.add("martian")
        if any(packet.dst == own for a in vpc.attachments for own, _ in a.addresses):
            if packet.proto == ICMP and packet.l4[0] == 8:
                return drop(*reasons) if reasons else self.echo_reply(packet)
            reasons.update({"icmp_no_flow", "own_address"} if packet.proto == ICMP
                           else {"own_address"})
            if packet.dst in vpc.nat:
                reasons.add("nat_no_flow")
            return drop(*reasons)
        services = world.visible(att.vpc, packet.dst)
        if packet.dst in vpc.nat:
            reasons.update({"nat_no_flow", "icmp_no_flow"} if packet.proto == ICMP
                           else {"nat_no_flow"})
        elif not services:
            reasons.add("no_service")
        if packet.proto == ICMP and packet.l4[0] == 0:
            reasons.add("icmp_no_flow")
        if reasons:
            return drop(*reasons)
        called, rules = self.called(packet, services)
        # In the middle of a stream nobody is asked: that is no call.
        if rules is None or packet.proto != TCP or packet.flags & (SYN | ACK | RST | FIN) == SYN:
            why = world.access.refuses(att.vpc, called.name, packet.proto, packet.src, packet.sport,
                                       packet.dst, packet.dport)
            if why is not None:
                return self.tell(packet, why, UNREACHABLE, 13)
        if packet.proto == ICMP:
            return self.ping(att, packet, key, called)
        if rules is not None:
            return self.admit(att, packet, key, rules)
        if packet.proto == TCP:
            return self.reset(packet, "no_listener")
        return self.tell(packet, "no_listener", UNREACHABLE, 3)

    @staticmethod
    def called(packet, services):
        """The service that is meant, and its listener's rules, if it has one for the packet."""
        for service in services:
            rules = service.listeners.get((packet.proto, packet.dport))
            if rules is not None:
                return service, rules
        return services[0], None

    def ping(self, att, packet, key, service):
        if service.echo == "answer":
            return self.echo_reply(packet)
        if service.echo == "drop" or not service.listeners:
            return drop("icmp_echo")
        rules = next(iter(service.listeners.values()))
        return self.admit(att, packet, key, rules[-1:])

    def admit(self, att, packet, key, rules):
        if packet.proto == TCP and packet.flags & (SYN | ACK | RST | FIN) != SYN:
            return drop("tcp_no_flow")
        targets = next(t for sources, t in rules
                       if sources is None or any(within(packet.src, net) for net in sources))
        if not targets:
            return self.tell(packet, "no_target", UNREACHABLE, 1)
        if packet.ttl <= 1:
            return self.tell(packet, "ttl_expired", TIME_EXCEEDED, 0)
        if not att.return_to_sender and self.world.route(att.vpc, packet.src) is None:
            return drop("no_route")
        flow = Flow(att.vpc, att.port, att.vlan, packet.src_mac, packet.proto, packet.src,
                    packet.sport, packet.dst, packet.dport, targets)
        self.flows[key] = flow
        return self.forward(flow, True, packet)

    # Answers --------------------------------------------------------------------------------

    def back(self, packet, data):
        """To where it came from."""
        return packet.port, framed(packet.src_mac, self.world.macs[packet.port], packet.vlan,
                                   ETH_IPV4, data)

    def echo_reply(self, packet):
        l4 = bytearray(packet.l4)
        l4[0] = 0
        l4[2:4] = b"\0\0"
        struct.pack_into("!H", l4, 2, checksum(bytes(l4)))
        return Result("answer", answer="echo_reply", packet=packet,
                      out=self.back(packet, ip_packet(packet.dst, packet.src, ICMP, bytes(l4))))

    def tell(self, packet, reason, kind, code, mtu=0):
        """An ICMP error about the packet, from the gateway's own address where it came in."""
        att = self.world.attachments[packet.port, packet.vlan]
        data = icmp_error(att.own(packet.src), packet.src, kind, code, packet.ip[:QUOTE_MAX], mtu)
        return Result("answer", answer="icmp", packet=packet, drops=reason,
                      out=self.back(packet, data))

    def reset(self, packet, reason):
        if packet.flags & RST:
            return drop(reason)
        # RFC 9293 section 3.5.2, the first group.
        if packet.flags & ACK:
            seq, ack, flags = packet.ack, 0, RST
        else:
            length = packet.payload_len + bool(packet.flags & SYN) + bool(packet.flags & FIN)
            seq, ack, flags = 0, (packet.seq + length) & 0xffffffff, RST | ACK
        l4 = struct.pack("!HHIIBBHHH", packet.dport, packet.sport, seq, ack, 0x50, flags, 0, 0, 0)
        pseudo = struct.pack("!IIBBH", packet.dst, packet.src, 0, TCP, len(l4))
        l4 = l4[:16] + struct.pack("!H", checksum(pseudo + l4)) + l4[18:]
        return Result("answer", answer="rst", packet=packet, drops=reason,
                      out=self.back(packet, ip_packet(packet.dst, packet.src, TCP, l4)))

    # ICMP errors from elsewhere -------------------------------------------------------------

    def error(self, att, packet):
        """About a packet of a flow: passed on to who sent that. It changes nothing."""
        try:
            proto, src, dst, sport, dport = parse_quote(packet.l4[8:])
        except Bad as bad:
            return drop(bad.args[0])
        if src != packet.dst:
            return drop("icmp_quote")
        if any(packet.src == own for a in self.world.vpcs[att.vpc].attachments
               for own, _ in a.addresses):
            return drop("martian")
        key = (att.vpc, proto, dst, dport, src, sport)
        up = key in self.flows and self.flows[key].bound
        flow = self.flows[key] if up else self.replies.get(key)
        if flow is None or (proto == ICMP and packet.l4[28] != (0 if up else 8)):
            return drop("icmp_no_flow")
        if packet.ttl <= 1:
            return drop("ttl_expired")
        way = self.egress(flow, up)
        if way is None:
            return drop("no_route")
        if len(packet.ip) > way[0].mtu:
            return drop("oversize")
        return Result("forward", flow=flow, up=up, packet=packet, is_error=True)

    def render_error(self, result):
        flow, packet, target = result.flow, result.packet, result.flow.target
        att, hop = self.egress(flow, result.up)
        tport = flow.nport if flow.proto == ICMP else target.port
        if result.up:
            ends = (target.address, flow.nat, tport, flow.nport)
        else:
            ends = (flow.client, flow.service, flow.sport, flow.dport)
        sender = struct.unpack_from("!I", packet.l4, 24)[0]
        src = ends[1] if packet.src == sender else att.own(ends[0])
        mtu = struct.unpack_from("!H", packet.l4, 6)[0]
        if packet.l4[0] == UNREACHABLE and packet.l4[1] == 4:
            mtu = min(mtu, att.mtu, self.world.attachments[packet.port, packet.vlan].mtu)
        l4 = packet.l4[:2] + b"\0\0" + packet.l4[4:6] + struct.pack("!H", mtu) + requote(
            packet.l4[8:], *ends)
        l4 = l4[:2] + struct.pack("!H", checksum(l4)) + l4[4:]
        head = packet.ip[:8] + bytes([packet.ttl - 1, ICMP, 0, 0]) + struct.pack(
            "!II", src, ends[0])
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        mac = flow.sender if hop is None else self.next_mac(att, hop)
        return att.port, framed(mac, self.world.macs[att.port], att.vlan, ETH_IPV4, head + l4)

    # What was free --------------------------------------------------------------------------

    def bind(self, flow, vpc, src, sport, dst, dport):
        """Takes the gateway's choice for a flow, read from its first packet; why it is illegal, or
        None."""
        target = next((t for t in flow.targets if t.vpc == vpc and t.address == dst and
                       (flow.proto == ICMP or t.port == dport)), None)
        if target is None:
            return f"{ip_text(dst)}:{dport} in {vpc} is no target the rule allows"
        if src not in self.world.vpcs[vpc].nat:
            return f"{ip_text(src)} is not in the NAT pool of {vpc}"
        if sport not in PORTS:
            return f"source port {sport} is not in 1024..65535"
        flow.target, flow.nat, flow.nport = target, src, sport
        key = flow.reply_key()
        if key in self.replies:
            flow.target = None
            return f"port {sport} of {ip_text(src)} towards {ip_text(dst)}:{dport} is in use"
        self.replies[key] = flow
        return None

    def unbind(self, flow):
        if flow.bound:
            self.replies.pop(flow.reply_key(), None)
        self.flows = {key: one for key, one in self.flows.items() if one is not flow}

    def render(self, result):
        """(port, frame) of a forwarded packet on a bound flow."""
        if result.is_error:
            return self.render_error(result)
        flow, packet, target = result.flow, result.packet, result.flow.target
        if result.up:
            ends = (flow.nat, target.address, flow.nport, target.port)
        else:
            ends = (flow.service, flow.client, flow.dport, flow.sport)
        if flow.proto == ICMP:
            ident = flow.nport if result.up else flow.sport
            ends = ends[:2] + (ident, ident)
        att, hop = self.egress(flow, result.up)
        mtus = (att.mtu, self.world.attachments[packet.port, packet.vlan].mtu)
        data = rewrite(packet.ip, *ends, min(mtus) - 40)
        mac = flow.sender if hop is None else self.next_mac(att, hop)
        return att.port, framed(mac, self.world.macs[att.port], att.vlan, ETH_IPV4, data)
