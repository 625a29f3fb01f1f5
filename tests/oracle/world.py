# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Random configurations and random packets for the oracle. All randomness is the caller's."""

import struct

import topology
from packet import (ACK, ICMP, PSH, RST, SYN, TCP, UDP, checksum, framed, icmp_error, ip,
                    ip_packet)
from restrict import restrict

SUBNETS = ("10.0.0.0/24", "10.0.0.0/25", "10.0.0.0/23", "192.168.0.0/24")
SERVICES = "198.18.%d.%d"


def hosts_of(prefix):
    base, bits = prefix.split("/")
    return ip(base), 1 << 32 - int(bits)


FABRIC, FABRIC_VLAN = "fabric0", 900
LOCAL, FARS = "192.0.2.1", ("192.0.2.8", "192.0.2.9")
UNDERLAY_MTU = 1500


class Builder:
    """One random lath.json. VPCs overlap, services are shared, associations are missing. Some are
    behind tunnels (tunnels.py), which to the model are ports of their own.
    """

    def __init__(self, rng):
        self.rng = rng
        self.ports = [f"port{i}" for i in range(rng.randint(2, 4))]
        self.free = [(port, vlan) for port in self.ports
                     for vlan in [None] + rng.sample(range(1, 4095), 4) +
                     [rng.randint(1, 4094) << 12 | one for one in rng.sample(range(1, 4095), 2)]]
        rng.shuffle(self.free)
        self.vni = 0
        self.vpcs = [self.vpc(f"vpc{i}") for i in range(rng.randint(2, 5))]

    def address(self, subnet, low=10, high=120):
        first, size = hosts_of(subnet)
        value = first + self.rng.randint(low, min(high, size - 2))
        return ".".join(str(value >> s & 255) for s in (24, 16, 8, 0))

    def vpc(self, name):
        rng = self.rng
        port, vlan = self.free.pop()
        subnet = rng.choice(SUBNETS)
        first = subnet.rsplit(".", 1)[0]
        mtu = rng.choice((None, None, 1400, 1280))
        attachments = [topology.attachment(port, f"{first}.1/{subnet.split('/')[1]}", vlan=vlan,
                                           mtu=mtu, name=f"{name}-a")]
        prefixes, routes = [subnet], []
        if rng.random() < 0.5:
            attachments = [self.tunnel(f"{name}-a", f"{first}.1/{subnet.split('/')[1]}", subnet, mtu)]
        if rng.random() < 0.4:  # a second subnet behind the same gateway
            port, vlan = self.free.pop()
            attachments.append(topology.attachment(port, "10.9.0.1/24", vlan=vlan,
                                                   name=f"{name}-b"))
            prefixes.append("10.9.0.0/24")
        if rng.random() < 0.5:  # a site behind a router
            prefixes.append("172.16.0.0/16")
            routes.append(topology.route(rng.choice(("172.16.0.0/16", "0.0.0.0/0")),
                                         f"{first}.2"))
            if rng.random() < 0.3 and "port" in attachments[0]:
                attachments[0]["returnTo"] = "sender"
        pool = None
        if rng.random() < 0.6:
            pool = [f"{first}.{rng.choice((122, 124))}/31", "192.0.2.0/30"][:rng.randint(1, 2)]
        return topology.vpc(name, attachments, prefixes=prefixes, natPool=pool,
                            routes=routes or None)

    def tunnel(self, name, address, subnet, mtu):
        """One far end, or a second one that has the upper half of the subnet."""
        rng = self.rng
        self.vni += 1
        kind, inner = rng.choice((("vxlan", None), ("geneve", None), ("geneve", "ip")))
        remotes = [topology.remote(FARS[0])]
        if inner is None and rng.random() < 0.5:
            base, bits = subnet.split("/")
            half = ip(base) + (1 << 31 - int(bits))
            text = ".".join(str(half >> s & 255) for s in (24, 16, 8, 0))
            remotes.append(topology.remote(FARS[1], [f"{text}/{int(bits) + 1}"]))
        return topology.tunnel(kind, "fabric", 0x10000 + self.vni, remotes, address, inner=inner,
                               mtu=mtu, name=name)

    def host_address(self, vpc):
        rng = self.rng
        prefix = rng.choice(vpc["prefixes"])
        if prefix.startswith("172."):
            return f"172.16.{rng.randint(0, 9)}.{rng.randint(1, 9)}"
        return self.address(prefix)

    def groups(self):
        rng, groups = self.rng, []
        for i in range(rng.randint(2, 5)):
            vpc = rng.choice(self.vpcs)
            targets, seen = [], set()
            for _ in range(rng.choice((0, 1, 1, 2, 3, 5))):
                one = topology.target(self.host_address(vpc), port=rng.choice((None, 7000)),
                                      weight=rng.choice((None, None, 0, 3)))
                if (one["id"], one.get("port")) not in seen:
                    seen.add((one["id"], one.get("port")))
                    targets.append(one)
            groups.append(topology.group(f"group{i}", vpc["name"], rng.choice(("TCP", "UDP")),
                                         rng.choice((80, 8080, 53)), targets))
        for proto in ("TCP", "UDP"):  # at least one of each
            vpc = rng.choice(self.vpcs)
            groups.append(topology.group(f"group-{proto.lower()}", vpc["name"], proto, 9000,
                                         [self.host_address(vpc)]))
        return groups

    def choice(self, groups, proto):
        rng = self.rng
        names = [one["name"] for one in groups if one["config"]["protocol"] == proto]
        names = rng.sample(names, min(len(names), rng.randint(1, 3)))
        if len(names) == 1:
            return {names[0]: None}
        weights = {name: rng.choice((0, 1, 10, 100)) for name in names}
        weights[names[0]] = weights[names[0]] or 5  # all 0 is refused
        return weights

    def service(self, i, groups):
        rng, listeners, taken = self.rng, [], set()
        for k in range(rng.randint(1, 3)):
            proto, port = rng.choice(("TCP", "UDP")), rng.choice((80, 443, 53))
            if (proto, port) in taken:
                continue
            taken.add((proto, port))
            rules = [topology.rule(f"rule{n}", n * 10 + 1, rng.sample(
                ("10.0.0.0/25", "10.0.0.64/26", "192.168.0.0/16", "172.16.0.0/16", "0.0.0.0/0"),
                rng.randint(1, 2)), self.choice(groups, proto)) for n in range(rng.randint(0, 2))]
            listeners.append(topology.listener(f"listener{k}", proto, port,
                                               self.choice(groups, proto), rules=rules or None))
        return topology.service(f"service{i}", SERVICES % (i % 2, 10 + i), listeners,
                                icmpEcho=rng.choice((None, "answer", "forward", "drop")))

    def config(self):
        rng = self.rng
        groups = self.groups()
        services = [self.service(i, groups) for i in range(rng.randint(1, 4))]
        networks = {}
        for i in range(rng.randint(1, 3)):
            networks[f"network{i}"] = {
                "vpcs": [v["name"] for v in self.vpcs if rng.random() < 0.6],
                "services": [s["name"] for s in services if rng.random() < 0.7]}
        return restrict(rng, topology.config(
            self.ports + [FABRIC], self.vpcs, services, groups, networks,
            underlays=[topology.underlay("fabric", FABRIC, LOCAL + "/24", vlan=FABRIC_VLAN,
                                         mtu=UNDERLAY_MTU)],
            system={"memory": {"flowsPerWorker": 8192}},
            limits={"refusalsPerSecond": 1000000, "puntsPerSecond": 1000000},
            timeouts={"tcpEstablishedSeconds": 300},
            gateway={"hashSeed": rng.randrange(1 << 62)}))


def mac_of(port, vlan, address):
    """The MAC of a next hop, the same for whoever asks."""
    return struct.pack("!BBI", 6, (sum(port.encode()) ^ vlan) & 0xff, address)


# ---- packets -------------------------------------------------------------------------------------


def l4_checksum(src, dst, proto, l4, at):
    pseudo = struct.pack("!IIBBH", src, dst, 0, proto, len(l4))
    value = checksum(pseudo + l4[:at] + b"\0\0" + l4[at + 2:])
    return l4[:at] + struct.pack("!H", value or 0xffff) + l4[at + 2:]


def tcp(src, dst, sport, dport, flags, seq, ack, payload=b"", options=b""):
    l4 = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xffffffff, ack & 0xffffffff,
                     (20 + len(options)) // 4 << 4, flags, 8192, 0, 0) + options + payload
    return l4_checksum(src, dst, TCP, l4, 16)


def udp(src, dst, sport, dport, payload, summed=True):
    l4 = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    return l4_checksum(src, dst, UDP, l4, 6) if summed else l4


def echo(kind, ident, seq, payload):
    l4 = struct.pack("!BBHHH", kind, 0, 0, ident, seq) + payload
    return l4[:2] + struct.pack("!H", checksum(l4)) + l4[4:]


OPTIONS = (b"", b"\x02\x04\x05\xb4", b"\x02\x04\x23\x28", b"\x01\x02\x04\x23\x28\x01\x01\x01",
           b"\x01\x01\x08\x0a" + bytes(8), b"\x02\x04\x05\xb4\x04\x02\x01\x03\x03\x07\x01\x01",
           b"\x00\x02\x04\x23", b"\x08\x40\x01\x01", b"\x02\x00\x23\x28")


class Traffic:
    """Random frames into a configuration that Model knows."""

    def __init__(self, rng, builder, conf, model):
        self.rng, self.builder, self.conf, self.model = rng, builder, conf, model
        self.world = model.world
        self.ident = 0
        self.clients = [(one, builder.host_address(one)) for one in conf["vpcs"]
                        for _ in range(3)]

    def wrap(self, att, src_mac, src, dst, proto, l4):
        self.ident = self.ident % 65000 + 1
        rng = self.rng
        head = bytearray(ip_packet(src, dst, proto, l4)[:20])
        head[1] = rng.choice((0, 0, 0xb8))
        struct.pack_into("!H", head, 4, self.ident)
        head[6] = rng.choice((0x40, 0))
        head[8] = rng.choice((64, 64, 64, 255, 2, 1, 0)) if rng.random() < 0.3 else 64
        head[10:12] = b"\0\0"
        struct.pack_into("!H", head, 10, checksum(bytes(head)))
        return att.port, framed(self.world.macs[att.port], src_mac, att.vlan, 0x0800,
                                bytes(head) + l4)

    def payload(self):
        rng = self.rng
        size = rng.choice((0, 1, 2, 7, 33, 200, 1200, 1240, 1300, 1372, 1460))
        return rng.randbytes(size)

    def next(self):
        """(port, frame)."""
        rng = self.rng
        flows = [f for f in self.model.flows.values() if f.bound]
        draw = rng.random()
        if flows and draw < 0.08:
            port, frame = self.error(rng.choice(flows))
        elif flows and draw < 0.55:
            port, frame = self.on_flow(rng.choice(flows))
        else:
            port, frame = self.first()
        if rng.random() < 0.12:
            frame = self.mutate(frame)
        if rng.random() < 0.2:
            frame += bytes(rng.randint(1, 20))
        return port, frame

    def first(self):
        """A packet of a client, most often to a service."""
        rng = self.rng
        vpc, client = rng.choice(self.clients)
        src = ip(client)
        if rng.random() < 0.05:
            src = ip(rng.choice(("203.0.113.5", "10.0.0.1", "10.9.0.1")))
        # Always the same way in: frames of one client stay in order.
        ways = self.world.vpcs[vpc["name"]].attachments
        att = ways[ip(client) % len(ways)]
        dst = rng.choice([s.address for s in self.world.services] * 6 +
                         [a for a, _ in att.addresses] + sorted(self.world.vpcs[att.vpc].nat)[:2] +
                         [ip("192.0.2.77"), ip("198.18.0.200")])
        sport, dport = rng.randint(1, 40) + 30000, rng.choice((80, 443, 53, 53, 81))
        proto = rng.choice((TCP, TCP, UDP, UDP, ICMP))
        if proto == TCP:
            flags = rng.choice((SYN, SYN, SYN, SYN, ACK, PSH | ACK, SYN | ACK))
            l4 = tcp(src, dst, sport, dport, flags, 1000, 5001, options=rng.choice(OPTIONS))
        elif proto == UDP:
            l4 = udp(src, dst, sport, dport, self.payload(), rng.random() < 0.8)
        else:
            l4 = echo(rng.choice((8, 8, 8, 0)), sport, 1, self.payload())
        mac = b"\x06\x55" + struct.pack("!I", src)
        return self.wrap(att, mac, src, dst, proto, l4)

    def side(self, flow, up):
        """(attachment, MAC, ends) of the flow's packets on their way in; None: no way there."""
        target = flow.target
        if up:
            att = self.world.attachments[flow.port, flow.vlan]
            return att, flow.sender, (flow.client, flow.service, flow.sport, flow.dport)
        way = self.world.route(target.vpc, target.address)
        if way is None:
            return None
        att = way[0]
        tport = target.port if flow.proto != ICMP else flow.nport
        return att, self.model.next_mac(att, way[1]), (target.address, flow.nat, tport,
                                                         flow.nport)

    def error(self, flow):
        """An ICMP error about a packet of the flow, or nearly so. `up`: on its way to the target."""
        rng = self.rng
        up = rng.random() < 0.5
        side = self.side(flow, up)
        if side is None:
            return self.first()
        att, mac, (end, receiver, eport, rport) = side
        if rng.random() < 0.1:
            rport += 1
        if flow.proto == TCP:
            l4 = tcp(receiver, end, rport, eport, ACK, 77, 78, self.payload()[:200])
        elif flow.proto == UDP:
            l4 = udp(receiver, end, rport, eport, self.payload()[:200], rng.random() < 0.8)
        else:
            kind = rng.choice((0, 8)) if rng.random() < 0.1 else 0 if up else 8
            l4 = echo(kind, rport, 5, self.payload()[:200])
        quote = bytearray(ip_packet(receiver, end, flow.proto, l4))
        if rng.random() < 0.1:
            quote[rng.randrange(20)] ^= 1 << rng.randrange(8)
        quote = bytes(quote[:rng.choice((len(quote), 28, 36, 38, 48) if rng.random() < 0.9
                                        else (0, 19, 20, 27))])
        kind, code = rng.choice(((3, 0), (3, 1), (3, 3), (3, 4), (3, 4), (3, 13), (11, 0), (12, 0),
                                 (5, 0)))
        mtu = rng.choice((0, 576, 1300, 1400, 1500, 9000)) if (kind, code) == (3, 4) else 0
        src = rng.choice((end, end, ip("203.0.113.9"), end ^ 1))
        dst = receiver if rng.random() < 0.95 else receiver ^ 1
        message = bytearray(icmp_error(src, dst, kind, code, quote, mtu)[20:])
        if rng.random() < 0.05:
            message[rng.randrange(len(message))] ^= 1 << rng.randrange(8)
        return self.wrap(att, mac, src, dst, ICMP, bytes(message))

    def on_flow(self, flow):
        rng = self.rng
        up = rng.random() < 0.5
        side = self.side(flow, up)
        if side is None:
            return self.first()
        att, mac, ends = side
        if flow.proto == UDP:
            l4 = udp(*ends, self.payload(), rng.random() < 0.8)
        elif flow.proto == ICMP:
            l4 = echo(8 if up else 0, ends[3] if not up else flow.sport, 2, self.payload())
        else:
            l4 = self.segment(flow, up, ends)
        return self.wrap(att, mac, ends[0], ends[1], flow.proto, l4)

    def segment(self, flow, up, ends):
        """In the order of a sane connection; the model does not follow states."""
        rng = self.rng
        seen = flow.__dict__.setdefault("steps", {"up": 1, "down": 0})
        if not up and seen["down"] == 0:
            seen["down"] = 1
            return tcp(*ends, SYN | ACK, 5000, 1001, options=rng.choice(OPTIONS))
        if up and seen["down"] == 0:
            return tcp(*ends, SYN, 1000, 0, options=rng.choice(OPTIONS))
        seq, ack = (1001, 5001) if up else (5001, 1001)
        flags = rng.choice((ACK, ACK, PSH | ACK, ACK | 0xc0, PSH | ACK | 0x20))
        if not up and seen["up"] == 1:
            return tcp(*ends, SYN | ACK, 5000, 1001)
        seen["up"] = 2
        if rng.random() < 0.03 and flow.acked["up" if not up else "down"] is not None:
            return tcp(*ends, RST, seq + rng.choice((1 << 31, -(1 << 20))), 0)
        return tcp(*ends, flags, seq, ack, self.payload(), options=rng.choice(OPTIONS[4:5]))

    def mutate(self, frame):
        """One fault."""
        rng = self.rng
        data = bytearray(frame)
        l3 = 18 if data[12:14] == b"\x81\0" else 14

        def resum():
            data[l3 + 10:l3 + 12] = b"\0\0"
            struct.pack_into("!H", data, l3 + 10, checksum(bytes(data[l3:l3 + 20])))

        kind = rng.randrange(11)
        if kind == 0:
            return bytes(data[:rng.randrange(len(data))])
        if kind == 1:
            data[rng.randrange(6)] ^= 1 << rng.randrange(1, 8)
        elif kind == 2:
            data[l3 + rng.randrange(20)] ^= 1 << rng.randrange(8)
        elif kind == 3:
            struct.pack_into("!H", data, l3 + 2, rng.randrange(65536))
            resum()
        elif kind == 4:
            struct.pack_into("!H", data, l3 + 6, rng.choice((0x2000, 1, 0x2004)))
            resum()
        elif kind == 5:
            data[l3 + 9] = rng.choice((0, 2, 47, 58, 132))
            resum()
        elif kind == 6 and data[l3 + 9] == TCP:
            data[l3 + 32] = rng.choice((0x00, 0x40, 0xf0))
        elif kind == 7 and data[l3 + 9] == TCP:
            data[l3 + 33] = rng.choice((0, 1, 3, 6, 7, 8, 0x3f))
        elif kind == 8 and data[l3 + 9] == UDP:
            struct.pack_into("!H", data, l3 + 24, rng.choice((0, 7, 60000)))
        elif kind == 9:
            struct.pack_into("!H", data, 12, rng.choice((0x86dd, 0x88b5, 0x8100, 46, 0x88a8)))
        else:
            struct.pack_into("!I", data, l3 + rng.choice((12, 16)), ip(rng.choice(
                ("127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "240.1.2.3"))))
            resum()
        return bytes(data)
