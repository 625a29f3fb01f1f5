# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Talks to build/tests/packets/lath-packets: the real pipeline over in-memory ports.

Gateway is the process: one JSON object a line each way, simulated time. hosts.Host is a machine on one
attachment: it answers for its address and knows the frames it sends and must get. flow.Flow is
one connection or UDP exchange on top of them.

After every step the verdict counters are compared with what the step names, and conservation
(received + generated = sent + consumed + dropped + held) is checked in total and per worker.
"""

import collections
import json
import os
import subprocess
import tempfile

from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import ICMPv6MLReport2, ICMPv6ND_NA, ICMPv6ND_NS, IPv6
from scapy.layers.l2 import ARP

from flow import Flow
from frames import (dissect, error_about, error_name, frame_diff, rst_for, same_rst, show,
                    trim, tunnel_of, vlan_of)
from hosts import ALL_NODES, host_of

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
DEFAULT_HARNESS = os.path.join(ROOT, "build", "tests", "packets", "lath-packets")
SLICE_MS = 1000   # longest run between two answers of the declared hosts
START_SLICE_MS = 50  # the same while the gateway probes its addresses
SETTLE_MS = 5000  # probes and announcements of the start are over by then
BATCH = 256       # frames a run, below what a ring holds

# What the gateway says of itself at any time: counted only where a step names it.
OF_ITSELF = ("arp_request", "arp_announcement", "neighbor_solicitation", "neighbor_advertisement",
             "multicast_report")

# `member`: of a bond, by which port of it.
Out = collections.namedtuple("Out", "port data at_ms member", defaults=(0,))


class CaseFailure(AssertionError):
    """What came out is not what the case says; the text holds all that is needed to repeat it."""


class Gateway:
    """One harness process. Use as a context manager."""

    def __init__(self, path=None, workers=1, seed=1, segments=False):
        self.path = path or os.environ.get("LATH_PACKETS") or DEFAULT_HARNESS
        self.workers = workers
        self.seed = seed
        self.segments = segments
        self.log = []
        self.replies = []
        self.now_ms = 0
        self.hosts = []
        self.arp_requests = []
        self.discoveries = []
        self.counters = None
        self.macs = {}
        self.stderr = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.stderr,
            text=True, bufsize=1 << 16)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.close(check=kind is None)

    def close(self, check=True):
        """`check`: fail when the process does not end cleanly (sanitizers speak at the end)."""
        if self.process.poll() is None:
            try:
                self.process.stdin.write('{"op":"quit"}\n')
                self.process.stdin.flush()
                self.process.stdin.close()
                self.process.wait(20)
            except (BrokenPipeError, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        status = self.process.returncode
        text = self.errors()
        self.stderr.close()
        if check and status != 0:
            raise CaseFailure(f"the harness ended with status {status}\n{text}")

    def errors(self):
        self.stderr.seek(0)
        return self.stderr.read()[-6000:]

    # ---- commands ------------------------------------------------------------------------------

    def call(self, command):
        line = json.dumps(command, separators=(",", ":"))
        self.log.append(line)
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            reply = self.process.stdout.readline()
        except BrokenPipeError:
            reply = ""
        if reply == "":
            self.fail(f"the harness died at {line[:200]}\n{self.errors()}")
        self.replies.append(hash(reply))
        return json.loads(reply)

    def good(self, command):
        reply = self.call(command)
        if "error" in reply:
            self.fail(f"{command['op']} was refused: {reply['error']}")
        return reply

    def prepare(self, config):
        """Knows the ports' MACs before they are there, so that hosts can be declared first."""
        for i, port in enumerate(config["system"]["ports"]):
            self.macs[port["name"]] = port.get("mac", f"02:00:00:00:00:{i + 1:02x}")
        if config["system"].get("hostPort", {}).get("enabled", True):
            # There it is the kernel's; the gateway has one of its own.
            self.macs["host"] = f"02:00:00:00:00:{len(config['system']['ports']) + 1:02x}"

    def load(self, config, settle_ms=SETTLE_MS, rig=None):
        """Starts the gateway and lets it announce itself; what it says meanwhile is returned.
        `rig`: what its ports are like, see README.md.
        """
        self.prepare(config)
        rig = dict(rig or {}, **({"segments": self.seed | 1} if self.segments else {}))
        self.good({"op": "load", "config": config, "workers": self.workers, "seed": self.seed,
                   "rig": rig})
        self.counters = self.read_counters()
        outs = self.run(settle_ms, START_SLICE_MS)
        self.counters = self.read_counters()
        return outs

    def load_error(self, config):
        return self.call({"op": "load", "config": config, "workers": self.workers,
                          "seed": self.seed}).get("error")

    def reload(self, config):
        self.good({"op": "reload", "config": config})

    def reload_error(self, config):
        return self.call({"op": "reload", "config": config}).get("error")

    def health(self, target, state, group=None):
        command = {"op": "health", "target": target, "state": state}
        if group is not None:
            command["group"] = group
        self.good(command)

    def rpc(self, method, **params):
        return self.good({"op": "rpc", "method": method, "params": params})["result"]

    def turn(self, worker, count=1):
        """Turns of one worker while the others rest and nobody empties rings."""
        self.good({"op": "turn", "worker": worker, "count": count})

    def stop(self):
        """The end: what workers hold is dropped. Nothing but counters after this."""
        self.good({"op": "stop"})

    def queue_of(self, data):
        """The queue, and so the worker, that RSS with the gateway's key and table finds."""
        return self.good({"op": "queue_of", "hex": bytes(data)[:64].hex()})["queue"]

    def fences(self, on):
        """While on, who writes into another worker's memory ends the process; some 30 ms a run."""
        self.good({"op": "fences", "on": on})

    def inject(self, frames):
        """`frames`: (port, bytes), (port, bytes, queue), (port, bytes, queue, member of a bond) or
        (port, bytes, queue, member, {"ip": "good", "l4": "bad"}: what the NIC says of checksums),
        or all of these and the places where the frame is cut into segments.
        The queue is a number, "wrong" (not the one of RSS), or None as without: what RSS says on a
        port that has it, else any.
        """
        packets = []
        for frame in frames:
            packet = {"port": frame[0], "hex": bytes(frame[1]).hex()}
            if len(frame) > 2 and frame[2] is not None:
                packet["queue"] = frame[2]
            if len(frame) > 3:
                packet["member"] = frame[3]
            if len(frame) > 4:
                packet["cksum"] = frame[4]
            if len(frame) > 5:
                packet["cuts"] = frame[5]
            packets.append(packet)
        if packets:
            self.good({"op": "inject", "packets": packets})

    def run(self, ms=0, slice_ms=SLICE_MS):
        """Runs until quiet, then `ms` of time; declared hosts answer meanwhile. What the gateway asks
        and announces is kept in `arp_requests` and `discoveries`, all other frames are returned.
        """
        outs, left = [], ms
        while True:
            part = min(left, slice_ms)
            outs += self.run_once(part)
            left -= part
            if left <= 0:
                return outs

    def run_once(self, ms):
        outs = []
        for _ in range(64):
            got = [Out(o["port"], bytes.fromhex(o["hex"]), o.get("at_ms"), o.get("member", 0))
                   for o in self.good({"op": "run", "ms": ms})["out"]]
            self.now_ms += ms
            ms = 0
            answers = []
            for out in got:
                request, tunnel = self.own_word(out)
                if request is None:
                    outs.append(out)
                    continue
                (self.arp_requests if ARP in request else self.discoveries).append(out)
                answers += [host.answers(request) for host in self.hosts
                            if host.tunnel == tunnel and host.is_asked(out.port, request)]
            if not answers:
                return outs
            self.inject(answers)
        self.fail("the gateway asks for the same neighbours without end")
        return outs

    @staticmethod
    def own_word(out):
        """An ARP request, a solicitation, a report, or an advertisement to all (which also answers who looks for
        a duplicate); None for all else. And the tunnel that it is in: (far end, kind, VNI).
        """
        # EtherType, after VLAN tags or not: most frames need no dissection.
        data, tunnel = out.data, tunnel_of(out.data)
        if tunnel:
            at, udp, inside, kind, vni = tunnel
            tunnel = (data[udp - 4:udp] if udp == at + 20 else data[udp - 16:udp], kind, vni)
            data = data[inside:]
        at = 12
        while data[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
            at += 4
        kind = data[at:at + 2]
        if kind == b"\x08\x06":
            frame = dissect(data)
            return (frame, tunnel) if frame[ARP].op == 1 else (None, None)
        if kind != b"\x86\xdd" or data[at + 8] not in (0, 58):
            return None, None
        frame = dissect(data)
        announced = ICMPv6ND_NA in frame and frame[IPv6].dst == ALL_NODES
        of_itself = announced or ICMPv6ND_NS in frame or ICMPv6MLReport2 in frame
        return (frame, tunnel) if of_itself else (None, None)

    # ---- counters ------------------------------------------------------------------------------

    def read_counters(self):
        counters = self.good({"op": "counters"})
        self.check_conserved(counters, "in total")
        for i, worker in enumerate(counters.get("workers", ())):
            self.check_conserved(worker, f"on worker {i}")
        return counters

    def check_conserved(self, counters, where):
        names = ("received", "generated", "sent", "consumed", "held")
        if any(name not in counters for name in names):
            return
        dropped = sum(counters.get("drops", {}).values())
        # A hand-over leaves one worker and enters another: counted on both sides, per worker.
        into = counters["received"] + counters["generated"] + counters.get("handed_in", 0)
        out = (counters["sent"] + counters["consumed"] + dropped + counters["held"] +
               counters.get("handed_out", 0))
        if into != out or counters.get("conserved") is False:
            self.fail(f"packets are not conserved {where}: {json.dumps(counters)}")

    def counted(self):
        """What has changed since the last call: (drops, generated_by), zeros left out."""
        old, new = self.counters, self.read_counters()
        self.counters = new

        def change(key):
            was, now = old.get(key, {}), new.get(key, {})
            return {name: now[name] - was.get(name, 0) for name in now
                    if now[name] != was.get(name, 0)}
        return change("drops"), change("generated_by")

    def saw(self, drop):
        """How many were dropped for this reason since counters were last compared."""
        return self.counted()[0].get(drop, 0)

    # ---- steps ---------------------------------------------------------------------------------

    def fail(self, text):
        path = os.path.join(tempfile.gettempdir(), f"lath-packets-{os.getpid()}.jsonl")
        with open(path, "w", encoding="ascii") as log:
            log.write("\n".join(self.log) + "\n")
        tail = "\n".join(line if len(line) < 400 else line[:400] + " ..."
                         for line in self.log[-8:])
        counters = json.dumps(self.counters)
        raise CaseFailure(
            f"{text}\n--- counters before the step\n{counters}\n--- last commands\n{tail}\n"
            f"--- to repeat (workers {self.workers}, seed {self.seed})\n{self.path} < {path}")

    def step(self, send=(), expect=(), drops=None, generated=None, ms=0):
        """Sends frames, runs, and checks all that came of it: frames in order per port (as a
        multiset where several workers send), drops and generated packets exactly as named. ARP
        requests made are not counted unless `generated` names them. Returns the frames.
        """
        self.inject(send)
        outs = self.run(ms)
        self.check_frames(list(expect), outs)
        self.check_counts(drops or {}, generated or {})
        return outs

    def check_counts(self, drops, generated):
        got_drops, got_generated = self.counted()
        if got_drops != drops:
            self.fail(f"drops: expected {drops}, got {got_drops}")
        for name in OF_ITSELF:
            if name not in generated:
                got_generated.pop(name, None)
        if got_generated != generated:
            self.fail(f"generated: expected {generated}, got {got_generated}")

    def check_frames(self, expected, outs):
        ports = sorted({frame[0] for frame in expected} | {out.port for out in outs})
        for port in ports:
            want = [trim(bytes(frame[1])) for frame in expected if frame[0] == port]
            got = [trim(out.data) for out in outs if out.port == port]
            if self.workers > 1:
                want, got = sorted(want), sorted(got)
            for w, g in zip(want, got):
                if w != g:
                    self.fail(f"wrong frame on {port}\n{frame_diff(w, g)}\n"
                              f"expected {w.hex()}\ngot      {g.hex()}")
            for w in want[len(got):]:
                self.fail(f"{len(want)} frames expected on {port}, {len(got)} came; "
                          f"missing\n{show(w)}\n--- counted\n{self.counted()}")
            for g in got[len(want):]:
                self.fail(f"{len(want)} frames expected on {port}, {len(got)} came; "
                          f"too many\n{show(g)}\n--- counted\n{self.counted()}")

    def dropped(self, send, drop, generated=None, count=1):
        """Sends frames that must all be dropped for this reason with no other trace."""
        send = [send] if isinstance(send, tuple) else send
        return self.step(send=send, drops={drop: count}, generated=generated)

    def told(self, host, packet, kind, code, mtu=0, drop="", own="10.0.0.1"):
        """An IP packet of `host` that is dropped for this reason and answered by an ICMP error."""
        error = error_about(bytes(packet), own, kind, code, mtu)
        return self.step(send=[host.sends(packet)], expect=[host.gets(error)], drops={drop: 1},
                         generated={error_name(kind, code): 1})

    def refused(self, host, packet, drop, ends=None):
        """A TCP packet of `host` that is dropped for this reason and answered by a RST."""
        self.inject([host.sends(packet)])
        outs = self.run()
        self.check_counts({drop: 1}, {"rst": 1})
        if len(outs) != 1:
            self.fail(f"one RST expected, {len(outs)} frames came")
        packet = IP(bytes(packet))
        seq, ack, flags = rst_for(packet)
        src, dst = ends or (packet[IP].dst, packet[IP].src)
        self.check_rst(outs[0], host, IP(src=src, dst=dst) / TCP(
            sport=packet[TCP].dport, dport=packet[TCP].sport, seq=seq, ack=ack, flags=flags))

    def check_rst(self, out, host, packet):
        expect = host.gets(packet)
        if host.tunnel:
            host.check_outer(out)
        if out.port != expect[0] or not same_rst(*(
                bytes(host.inner(dissect(data))) for data in (out.data, expect[1]))):
            self.fail(f"wrong RST on {out.port}, expected on {expect[0]}\n"
                      f"{frame_diff(expect[1], out.data)}")

    def one(self, send, to, drops=None, generated=None, ms=0):
        """Sends, expects exactly one frame, to Host `to`, and returns it dissected."""
        self.inject([send] if isinstance(send, tuple) else send)
        outs = self.run(ms)
        if len(outs) != 1:
            counted = self.counted()
            self.fail(f"one frame to {to} expected, {len(outs)} came: "
                      f"{[(out.port, dissect(out.data).summary()) for out in outs]}\n"
                      f"--- counted\n{counted}")
        self.check_counts(drops or {}, generated or {})
        frame = dissect(outs[0].data)
        if to.tunnel:
            to.check_outer(outs[0])
            return frame
        where = (outs[0].port, frame.dst, frame.src, vlan_of(outs[0].data))
        want = (to.port, to.mac, self.macs[to.port], to.vlan)
        if where != want:
            self.fail(f"frame to {want} (port, to, from, vlan) expected, got {where}\n"
                      f"{show(outs[0].data)}")
        return frame

    # ---- people on the wire --------------------------------------------------------------------

    def host(self, port, ip, vlan=0, mac=None, answers=True):
        """The machine with this address there; asked twice, the same one. `answers`: to ARP, and
        it announces itself when it comes up, as kernels do.
        """
        for known in self.hosts:
            if (known.port, known.ip, known.vlan) == (port, ip, vlan) and mac in (None, known.mac):
                return known
        host = host_of(self, port, ip, vlan, mac)
        if answers:
            self.hosts.append(host)
            if self.counters is not None:
                self.inject([host.announces()])
                self.run()
                self.counted()
        return host

    def meet(self, *hosts, address="10.0.0.1"):
        """Each host asks for the gateway, as a real one does before it sends: now they know each
        other, and nothing waits for ARP. Time for the pinned ones, too.
        """
        self.run(3000)
        for host in hosts:
            self.inject([host.asks(address)])
            self.run()
        self.run(20)
        self.counted()

    def flow(self, client, server, **fields):
        return Flow(self, client, server, **fields)
