# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""The C pipeline against the model, on random configurations and packets.

LATH_TEST_SEED repeats one run, LATH_TEST_LONG=1 is the long size. Half of the packets go in one by
one, so that each verdict is known by name; the other half in batches, which are compared as a
whole.
"""

import json
import os
import random
import struct
import zlib
from collections import Counter

import pytest

import harness
from encap import identify
from model import Model
from packet import ICMP, TCP, UDP, Bad, checksum, framed, ip_text, rewrite, split
from world import FABRIC, Builder, Traffic, mac_of

LONG = os.environ.get("LATH_TEST_LONG") == "1"
CONFIGS = 60 if LONG else 6
PACKETS = 6000 if LONG else 1500
BATCH = 48
FIRST_SEED = int(os.environ.get("LATH_TEST_SEED", "0")) or random.SystemRandom().randrange(1 << 31)
SEEDS = [FIRST_SEED + i for i in range(1 if os.environ.get("LATH_TEST_SEED") else CONFIGS)]


class Everybody:
    """Whoever is asked for answers."""

    def __init__(self, gateway, tunnel=None, far=0):
        self.gateway, self.inside, self.far = gateway, tunnel, far
        self.tunnel = tunnel and (struct.pack("!I", tunnel.fars[far][0]), tunnel.kind, tunnel.vni)

    @staticmethod
    def is_asked(_, request):
        if "ARP" not in request:
            return False
        arp = request["ARP"]
        return arp.psrc not in ("0.0.0.0", arp.pdst)

    def answers(self, request):
        arp = request["ARP"]
        vlan = split(bytes(request))[2]
        tunnel = self.inside
        port = tunnel.name if tunnel else next(
            p for p, mac in self.gateway.macs.items() if mac == request.src)
        asked = bytes(map(int, arp.pdst.split(".")))
        asker = bytes.fromhex(request.src.replace(":", ""))
        mac = mac_of(port, self.far if tunnel else vlan, int.from_bytes(asked, "big"))
        data = b"\0\1\x08\0\6\4\0\2" + mac + asked + asker + bytes(map(int, arp.psrc.split(".")))
        frame = framed(asker, mac, vlan, 0x0806, data)
        if tunnel:
            return tunnel.port, tunnel.wrap(frame, mac_of(tunnel.port, tunnel.vlan,
                                                          tunnel.fars[self.far][0]), self.far)
        return port, frame


def trim(frame):
    """Without padding, from struct alone."""
    try:
        _, _, vlan, kind, data = split(frame)
    except Bad:
        return frame
    head = 22 if vlan >> 12 else 18 if vlan else 14
    if kind == 0x0800:
        return frame[:head + struct.unpack_from("!H", data, 2)[0]]
    return frame[:head + 28] if kind == 0x0806 else frame


def masked(frame):
    """An answer but for what its maker may choose; None when a checksum is wrong."""
    dst, src, vlan, kind, data = split(trim(frame))
    if kind != 0x0800:
        return frame[:12], vlan, kind, data
    if checksum(data[:20]) != 0:
        return None
    proto, l4 = data[9], bytearray(data[20:])
    if proto == TCP:
        pseudo = data[12:20] + struct.pack("!BBH", 0, TCP, len(l4))
        if checksum(pseudo + bytes(l4)) != 0:
            return None
        l4[14:18] = bytes(4)  # window and the sum over it
    return dst + src, vlan, kind, proto, data[12:20], bytes(l4)


class Oracle:
    """One configuration under comparison."""

    def __init__(self, seed, workers):
        self.seed = seed
        self.rng = random.Random(seed * 4 + workers)
        self.builder = Builder(self.rng)
        self.conf = self.builder.config()
        self.model = Model(self.conf, mac_of)
        self.tunnels = self.model.world.tunnels
        self.gateway = harness.Gateway(workers=workers, seed=seed)
        self.traffic = Traffic(self.rng, self.builder, self.conf, self.model)
        self.verdicts = Counter()

    def start(self):
        self.gateway.hosts.append(Everybody(self.gateway))
        for tunnel in self.tunnels.values():
            self.gateway.hosts += [Everybody(self.gateway, tunnel, far)
                                   for far in range(len(tunnel.fars))]
        self.gateway.load(self.conf, rig={"fences": self.gateway.workers > 1})

    def fail(self, text, frame=None):
        dump = f"\n--- sent on {frame[0]}\n{self.look(frame[1])}" if frame else ""
        self.gateway.fail(f"LATH_TEST_SEED={self.seed}: {text}{dump}")

    @staticmethod
    def look(frame):
        return f"{frame.hex()}\n{harness.show(frame)}"

    def exchange(self, frames):
        """(frames out, drops by name) of one run. Frames of one sender are on one queue: only
        there is an order between them.
        """
        workers = self.gateway.workers
        self.gateway.inject([(*self.wrapped(port, data), zlib.crc32(data[6:12]) % workers)
                             for port, data in frames])
        outs = [self.unwrapped(out) for out in self.gateway.run(0)]
        drops, _ = self.gateway.counted()
        return outs, drops

    def wrapped(self, port, data):
        """On the wire, from any far end of its tunnel: only what goes out is told apart."""
        tunnel = self.tunnels.get(port)
        if tunnel is None:
            return port, data
        far = zlib.crc32(data[6:12]) % len(tunnel.fars)
        return tunnel.port, tunnel.wrap(data, mac_of(tunnel.port, tunnel.vlan,
                                                     tunnel.fars[far][0]), far)

    def unwrapped(self, out):
        tunnel = identify(out.data, self.tunnels) if out.port == FABRIC else None
        if tunnel is None:
            return out
        try:
            return out._replace(port=tunnel.name, data=tunnel.unwrap(out.data, mac_of))
        except Bad as bad:
            return self.fail(f"{tunnel.name}: {bad.args[0]}")

    def check_forward(self, result, out, frame):
        flow = result.flow
        if not flow.bound:
            why = self.bind(flow, out)
            if why:
                self.fail(why, frame)
        port, expected = self.model.render(result)
        if (out.port, trim(out.data)) != (port, expected):
            self.fail(f"forwarded to {out.port}, expected {port}\n"
                      f"{harness.frame_diff(expected, trim(out.data))}\n"
                      f"expected {expected.hex()}\ngot      {out.data.hex()}", frame)

    def bind(self, flow, out):
        _, _, vlan, _, data = split(out.data)
        att = self.model.world.attachments.get((out.port, vlan))
        if att is None:
            return f"sent to {out.port} VLAN {vlan}, which is nobody's"
        src, dst = struct.unpack_from("!II", data, 12)
        if flow.proto == ICMP:
            sport = dport = struct.unpack_from("!H", data, 24)[0]
        else:
            sport, dport = struct.unpack_from("!HH", data, 20)
        return self.model.bind(flow, att.vpc, src, sport, dst, dport)

    def check_told(self, result, outs, drops, frame):
        """An oversize packet is answered when it says so."""
        told = result.told if "oversize" in drops else ()
        if len(outs) != bool(told) or (outs and self.told(result, outs) is None):
            self.fail(f"{drops}, answered by one of {len(told)} expected, got {len(outs)} frames"
                      + "".join("\n" + self.look(out.data) for out in outs), frame)

    @staticmethod
    def told(result, outs):
        """The one among `outs` that answers an oversize packet."""
        told = [(port, masked(data)) for port, data in result.told]
        return next((out for out in outs if (out.port, masked(out.data)) in told), None)

    def one(self):
        frame = self.traffic.next()
        result = self.model.receive(*frame)
        outs, drops = self.exchange([frame])
        self.verdicts[result.kind] += 1
        total = sum(drops.values())
        if result.kind in ("forward", "drop") and total == 1 and set(drops) <= result.reasons:
            self.check_told(result, outs, drops, frame)
            self.verdicts.update(drops)
            return
        want = {"forward": (1, 0), "consume": (0, 0), "drop": (None, 1),
                "answer": (1, 1 if result.drops else 0)}[result.kind]
        if (len(outs), total) != want:
            self.fail(f"{result.kind} {sorted(result.reasons)} {result.answer or ''} expected, "
                      f"got {len(outs)} frames and drops {drops}"
                      + "".join("\n" + self.look(out.data) for out in outs), frame)
        if result.drops and drops != {result.drops: 1}:
            self.fail(f"drop for {result.drops} expected, got {drops}", frame)
        if result.kind == "answer":
            port, data = result.out
            if outs[0].port != port or masked(outs[0].data) != masked(data):
                self.fail(f"wrong {result.answer}, expected on {port}\n"
                          f"{harness.frame_diff(data, outs[0].data)}", frame)
        if result.kind == "forward":
            self.check_forward(result, outs[0], frame)
        for name in drops:
            self.verdicts[name] += 1

    def batch(self):
        """Frames made before any of them is answered: replies are only to older flows."""
        frames = [self.traffic.next() for _ in range(BATCH)]
        results = [self.model.receive(*frame) for frame in frames]
        outs, drops = self.exchange(frames)
        answers = Counter((r.out[0], masked(r.out[1])) for r in results if r.kind == "answer")
        forwards = {}
        for out in outs:
            key = out.port, masked(out.data)
            if answers[key] > 0:
                answers[key] -= 1
                continue
            data = split(out.data)[4]
            forwards.setdefault(struct.unpack_from("!H", data, 4)[0], []).append(out)
        if +answers:
            self.fail(f"missing or wrong answers: {list((+answers).elements())}")
        dropped = []

        def take_told(result):
            out = self.told(result, forwards.get(0, ()))  # ours have no identification
            if out is not None:
                forwards[0].remove(out)
            return out is not None

        for frame, result in zip(frames, results):
            if result.kind == "drop":
                dropped.append(result.reasons)
                if result.told and not take_told(result) and result.reasons == {"oversize"}:
                    self.fail("oversize without an answer", frame)
            elif result.kind == "answer" and result.drops:
                dropped.append(frozenset({result.drops}))
            elif result.kind == "forward":
                found = forwards.get(result.packet.ident)
                if found:
                    self.check_forward(result, found.pop(), frame)
                elif result.told and take_told(result):
                    dropped.append(frozenset({"oversize"}))
                else:
                    # Several packets to a next hop that is just being asked for.
                    dropped.append(result.reasons | {"neighbor_pending"})
        left = [out for found in forwards.values() for out in found]
        if left:
            self.fail("frames that nothing accounts for" +
                      "".join("\n" + self.look(out.data) for out in left))
        if not explains(dropped, Counter(drops)):
            self.fail(f"drops {drops} do not fit {Counter(map(tuple, map(sorted, dropped)))}")
        self.verdicts["batched"] += len(frames)

    def run(self, packets):
        for _ in range(packets // 2):
            self.one()
        # Workers share nothing that they write: fence.c makes sure, while many packets are under way.
        self.gateway.fences(self.gateway.workers > 1)
        for _ in range(packets // 2 // BATCH):
            self.batch()
        self.gateway.fences(False)
        self.gateway.run(400000)  # everything has timed out
        self.gateway.counted()
        self.model.forget()
        for _ in range(packets // 10):
            self.one()


def explains(sets, counts):
    """True when each set can be given one of its reasons so that the counts come out."""
    if len(sets) != sum(counts.values()):
        return False
    taken = {}  # reason -> indexes of sets given to it

    def give(i, seen):
        for reason in sets[i]:
            if reason in seen or counts[reason] == 0:
                continue
            seen.add(reason)
            held = taken.setdefault(reason, [])
            if len(held) < counts[reason]:
                held.append(i)
                return True
            for k, other in enumerate(held):
                if give(other, seen):
                    held[k] = i
                    return True
        return False

    return all(give(i, set()) for i in range(len(sets)))


@pytest.mark.parametrize("workers", (1, 2, 3))
@pytest.mark.parametrize("seed", SEEDS)
def test_pipeline_equals_model(seed, workers):
    print(f"LATH_TEST_SEED={seed}, workers {workers}, {PACKETS} packets")
    oracle = Oracle(seed, workers)
    with oracle.gateway:
        oracle.start()
        oracle.run(PACKETS)
        print(dict(oracle.verdicts))
        oracle.gateway.rpc("show.flows", limit=1000)  # packets and bytes of each, for the twin
    again_by_the_whole_way(oracle.gateway)


def again_by_the_whole_way(first):
    """The hit path only does faster what the whole way does: without it every reply is the same. So
    it is when frames come in several segments, with every other seed.
    """
    with harness.Gateway(workers=first.workers, seed=first.seed) as second:
        for i, (line, reply) in enumerate(zip(first.log, first.replies)):
            command = json.loads(line)
            if command["op"] == "load":
                command["wholeWay"] = True
                if first.seed % 2 == 1:
                    command["rig"] = {**command["rig"], "segments": first.seed}
            second.call(command)
            if second.replies[-1] != reply:
                second.fail(f"LATH_TEST_SEED={first.seed}: reply {i} differs without the hit path, "
                            f"rig {command.get('rig')}")


# The model itself, against scapy: two people wrote the same thing.


def test_model_rewrites_like_scapy():
    from scapy.layers.inet import ICMP as Icmp, IP, TCP as Tcp, UDP as Udp
    rng = random.Random(FIRST_SEED)
    print(f"LATH_TEST_SEED={FIRST_SEED}")
    for _ in range(500):
        ends = [rng.randrange(1 << 32) for _ in range(2)] + [rng.randrange(1 << 16)
                                                             for _ in range(2)]
        proto = rng.choice((TCP, UDP, ICMP))
        payload = rng.randbytes(rng.randrange(60))
        head = {"src": "10.0.0.5", "dst": "198.18.0.10", "ttl": rng.randint(2, 255),
                "id": rng.randrange(65536), "tos": rng.randrange(256)}
        far = dict(head, src=ip_text(ends[0]), dst=ip_text(ends[1]), ttl=head["ttl"] - 1)
        if proto == ICMP:
            made = [IP(**a) / Icmp(type=8, id=i, seq=3) / payload
                    for a, i in ((head, 77), (far, ends[2]))]
        elif proto == UDP:
            made = [IP(**a) / Udp(sport=s, dport=d) / payload
                    for a, s, d in ((head, 4, 5), (far, *ends[2:]))]
        else:
            mss = rng.choice((500, 1460, 9000))
            nops = [("NOP", None)] * rng.randrange(3)
            flags = rng.choice(("S", "SA", "A", "PA"))
            made = [IP(**a) / Tcp(sport=s, dport=d, flags=flags, seq=9, ack=8, options=nops + [
                ("MSS", m)]) / payload for a, s, d, m in (
                (head, 4, 5, mss), (far, *ends[2:], min(mss, 1360) if "S" in flags else mss))]
        assert rewrite(bytes(made[0]), *ends, 1360) == bytes(made[1])


def test_explains():
    assert explains([{"a"}, {"a", "b"}], Counter(a=1, b=1))
    assert explains([{"a", "b"}, {"a"}, {"b", "c"}], Counter(a=1, b=1, c=1))
    assert not explains([{"a"}, {"a"}], Counter(a=1, b=1))
    assert not explains([{"a"}], Counter(a=2))
