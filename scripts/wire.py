# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""What scripts/bench-wire runs.

usage: scripts/bench-wire [--no-install] [options]
       scripts/bench-wire [--no-install] --search PORT PORT --gateway-mac MAC [options]
       scripts/bench-wire --config PORT PORT

Without --search: Debian's dpdk-testpmd on one CPU sends the frames of a capture, over and over, into
a device on another CPU and takes what comes out of its other port; both wires are net_memif. The
device is testpmd's macswap and lathd in turn, a pair a round. Then lath-bench sends half of the rate
that Lath reached. It passes when Lath's rate is at least 0.9 of macswap's (median of the rounds) and
nothing is lost at half of it. The rig is slower than the gateway, so a rate is not Lath's speed;
Lath's own cycles are.

With --search: the highest rate without a loss (RFC 2544, section 26.1) of a gateway at the far end
of two ports of this machine, PCI addresses or any DPDK device. --config prints what the gateway must
have as its configuration, with its own two ports.
"""
import argparse
import json
import os
import random
import re
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("LATH_BUILD", ROOT / "build"))
RATIO_LEAST = 0.9
DISTURBED = 0.02  # of the time that a thread wanted its CPU and did not have it
HUGE_NEEDED_MIB = 1024
FOLDER_MAX = 60  # of the 107 characters of a socket's path; DPDK's come four folders further down

GATEWAY_MAC = "02:00:00:00:00:01"  # of the port that the generator sends to
ROUTER_MAC = "02:00:00:00:02:02"  # Lath's next hop towards the targets
SERVICE, SERVICE_PORT = "198.18.0.10", 53


def die(why, *mend):
    print(f"error: {why}", file=sys.stderr)
    for line in mend:
        print(f"  mend: {line}", file=sys.stderr)
    sys.exit(1)


# ---- frames -----------------------------------------------------------------------------------

def mac_bytes(text):
    return bytes(int(part, 16) for part in text.split(":"))


def checksum(header):
    total = sum(struct.unpack(f">{len(header) // 2}H", header))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return 0xffff - total


def udp_frame(flow, size, gateway_mac):
    """Of client 10.1.x.y, `size` with the CRC that the buffer does not hold. No UDP checksum."""
    length = size - 4 - 14
    address = struct.pack(">I", 0x0a010000 + flow % 65536)
    ports = struct.pack(">HH", 40000 + flow // 65536, SERVICE_PORT)
    header = struct.pack(">BBHHHBBH", 0x45, 0, length, 0, 0x4000, 64, 17, 0) + address \
        + socket.inet_aton(SERVICE)
    header = header[:10] + struct.pack(">H", checksum(header)) + header[12:]
    return mac_bytes(gateway_mac) + mac_bytes("02:00:00:00:01:01") + b"\x08\x00" + header \
        + ports + struct.pack(">HH", length - 20, 0) + bytes(length - 28)


def announcement(address="10.0.255.2"):
    """The next hop tells its MAC by a gratuitous ARP reply, since nobody here answers questions."""
    router = mac_bytes(ROUTER_MAC) + socket.inet_aton(address)
    return b"\xff" * 6 + mac_bytes(ROUTER_MAC) + b"\x08\x06" \
        + struct.pack(">HHBBH", 1, 0x800, 6, 4, 2) + router + router + bytes(18)


def write_capture(path, frames):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for frame in frames:
            file.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)


def write_captures(folder, args):
    """Every flow once, in random order, and the announcement."""
    frames = [udp_frame(flow, args.size, args.gateway_mac or GATEWAY_MAC) for flow in range(args.flows)]
    random.Random(args.seed).shuffle(frames)
    write_capture(folder / "frames.pcap", frames)
    write_capture(folder / "announce.pcap", [announcement()])


def config(devices, **system):
    """lathd's part: service 198.18.0.10 UDP 53, four targets behind a next hop that never answers."""
    ports = [{"name": name, "device": device} for name, device in zip(("left", "right"), devices)]
    vpcs = []
    for name, port, more in (("blue", "left", {"returnTo": "sender"}), ("red", "right", {})):
        vpcs.append({"name": name, "prefixes": ["10.0.0.0/8"], "attachments": [
            {"name": f"{name}-a", "port": port, "addresses": ["10.0.255.1/24"], **more}]})
    vpcs[1]["routes"] = [{"prefix": "10.0.0.0/8", "nextHop": "10.0.255.2"}]
    return {
        "formatVersion": 1,
        "system": {"ports": ports, "hostPort": {"enabled": False}, **system},
        # The announcement comes once a run, and every flow is seen more often than this.
        "timeouts": {"neighborSeconds": 3600, "udpUnansweredSeconds": 600},
        "vpcs": vpcs,
        "serviceNetworks": [{"name": "main"}],
        "vpcAssociations": [{"serviceNetworkIdentifier": "main", "vpcIdentifier": "blue"}],
        "serviceAssociations": [{"serviceNetworkIdentifier": "main", "serviceIdentifier": "wire"}],
        "services": [{"name": "wire", "addresses": [SERVICE], "listeners": [
            {"name": "udp", "protocol": "UDP", "port": SERVICE_PORT, "defaultAction": {
                "forward": {"targetGroups": [{"targetGroupIdentifier": "wire"}]}}}]}],
        "targetGroups": [{"name": "wire", "config": {
            "protocol": "UDP", "port": 5353, "vpcIdentifier": "red",
            "healthCheck": {"enabled": False}},
            "targets": [{"id": f"10.2.0.{i}"} for i in range(1, 5)]}],
    }


# ---- processes --------------------------------------------------------------------------------

def program(name):
    path = BUILD / "app" / name
    path = path / name if path.is_dir() else path
    if not os.access(path, os.X_OK):
        die(f"{path} is not there", "run scripts/bench-wire, which builds first")
    return str(path)


class Process:
    """A child with its output in a file, that ends with us in whatever way we end."""

    def __init__(self, rig, name, *command):
        self.name = name
        self.log = rig.folder / f"{name}.log"
        with open(self.log, "w", encoding="utf-8") as log:
            # A session of its own: a ctrl-C is ours alone, and we end things in their order.
            self.child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *map(str, command)], text=True,
                stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "RUNTIME_DIRECTORY": str(rig.folder)})
        rig.processes.append(self)

    def text(self, offset=0):
        return self.log.read_text(encoding="utf-8", errors="replace")[offset:]

    def wait_text(self, pattern, seconds=20, offset=0, count=1):
        end = time.monotonic() + seconds
        while len(re.findall(pattern, self.text(offset))) < count:
            if self.child.poll() is not None or time.monotonic() > end:
                how = f"ended with {self.child.returncode}" if self.child.poll() is not None \
                    else f"did not say \"{pattern}\" within {seconds} s"
                die(f"{self.name} {how}; its last words:\n{self.text()[-1500:]}")
            time.sleep(0.005)
        return self.text(offset)

    def tell(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()

    def end(self, seconds=10):
        """Politely, then not; returns its exit code."""
        if self.child.poll() is None:
            self.child.terminate()
        return self.wait(seconds)

    def wait(self, seconds):
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.child.kill()
            return self.child.wait()

    def waiting(self):
        """Seconds that the forwarding thread had to wait for its CPU; None where Linux does not say."""
        for task in Path(f"/proc/{self.child.pid}/task").glob("*"):
            try:
                if "worker-1" in (task / "comm").read_text():
                    return int((task / "schedstat").read_text().split()[1]) / 1e9
            except OSError:
                pass
        return None


def free_huge_mib():
    total = 0
    for folder in Path("/sys/kernel/mm/hugepages").glob("hugepages-*kB"):
        size = int(re.search(r"(\d+)kB", folder.name).group(1))
        total += size * int((folder / "free_hugepages").read_text()) // 1024
    return total


class Rig:
    """The wires, and what is at their ends."""

    def __init__(self, args):
        self.args = args
        self.processes = []
        self.folder = Path(tempfile.mkdtemp(prefix="lath-wire-"))
        if len(str(self.folder)) > FOLDER_MAX:
            self.folder.rmdir()
            die(f"{self.folder} is too long a name for sockets in it", "TMPDIR=/tmp")
        self.huge = not args.no_huge and free_huge_mib() >= HUGE_NEEDED_MIB
        write_captures(self.folder, args)

    def close(self):
        for process in reversed(self.processes):
            process.end(3)
            process.child.stdin.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def wire(self, number, role):
        """The client's ring size counts. Wire 1 is long: while the generator's CPU is taken away the
        sink rests, too, and what comes out of the device then must not get lost.
        """
        return f"net_memif{number},role={role},id={number},rsize={(10, 12)[number]}," \
               f"socket={self.folder}/sock,socket-abstract=no"

    def testpmd(self, name, cpu, devices, mib, *options):
        memory = ["--in-memory"] if self.huge else ["--no-huge", "--no-shconf", "-m", mib]
        vdevs = [word for device in devices for word in ("--vdev", device)]
        # The main lcore sleeps at its prompt; it shares the generator's CPU.
        # stdbuf: or it would speak only once it has 4 KiB to say.
        return Process(self, name, "stdbuf", "-oL", "dpdk-testpmd", "--lcores", f"0@{self.args.cores[0]},1@{cpu}",
                       *memory, "--no-pci", "--no-telemetry", "--file-prefix",
                       f"lath-{name}-{os.getpid()}", *vdevs, "--", "--nb-cores=1",
                       "--no-flush-rx", "--no-mlockall", *options)

    def macswap(self):
        device = self.testpmd("macswap", self.args.cores[1], [self.wire(i, "server") for i in (0, 1)],
                              256, "--forward-mode=macswap", "--total-num-mbufs=16384",
                              "--disable-link-check", "--record-core-cycles")
        device.wait_text("Press enter to exit")
        return device

    def lathd(self):
        cores, folder = self.args.cores, self.folder
        devices = [self.wire(i, "server") for i in (0, 1)]
        text = config(
            devices, memory={"flowsPerWorker": max(16384, 2 * self.args.flows), "hugepages": self.huge},
            workers={"count": 1, "cores": [cores[1]], "idle": "poll", "managementCore": cores[0],
                     "allowSharedCores": cores[0] == cores[1]},
            sockets={"admin": str(folder / "admin.sock")}, runtimeDirectory=str(folder / "run"),
            stateDirectory=str(folder / "state"))
        for port, mac in zip(text["system"]["ports"], (GATEWAY_MAC, "02:00:00:00:00:02")):
            port["mac"] = mac
        (folder / "lath.json").write_text(json.dumps(text), encoding="utf-8")
        device = Process(self, "lathd", program("lathd"), "-c", folder / "lath.json")
        device.wait_text("lathd: ready")
        return device

    def ask(self, what):
        done = subprocess.run([program("lathctl"), "-s", self.folder / "admin.sock", "-j", "show", what],
                              capture_output=True, text=True, timeout=20, check=True)
        return json.loads(done.stdout)

    def counters(self):
        """Of lathd: packets taken in, busy cycles, what does not add up, drops by reason."""
        worker = self.ask("workers")["workers"][0]
        return {"received": worker["packets"]["received"], "cycles": worker["cyclesBusy"],
                "imbalance": worker["packets"]["imbalance"],
                "drops": {one["reason"]: one["packets"] for one in self.ask("drops")["reasons"]}}

    def settled_imbalance(self):
        """0 once nothing moves: a worker that waits for its CPU may take a while."""
        end = time.monotonic() + 5
        while (imbalance := self.counters()["imbalance"]) != 0 and time.monotonic() < end:
            time.sleep(0.05)
        return imbalance

    def generator(self):
        """Capture -> wire 0, wire 1 -> nowhere, all by one lcore; paired as 0-1 and 2-3."""
        devices = [f"net_pcap0,rx_pcap={self.folder}/frames.pcap,infinite_rx=1",
                   self.wire(0, "client"), self.wire(1, "client"),
                   f"net_pcap1,rx_pcap={self.folder}/announce.pcap"]
        mbufs = self.args.flows + 16384
        generator = self.testpmd("generator", self.args.cores[0], devices, 128 + mbufs * 3 // 1024,
                                 "-i", f"--total-num-mbufs={mbufs}", "--forward-mode=io")
        generator.wait_text("testpmd> ", 60)
        return generator

    def sample(self, generator, device):
        """Now: frames made, taken by the wire, arrived; and of the device what it tells."""
        offset = len(generator.text())
        generator.tell("show port stats all")
        text = generator.wait_text("Tx-pps", 20, offset, 4)
        rx = [int(n) for n in re.findall(r"RX-packets: +(\d+) +RX-missed", text)]
        tx = [int(n) for n in re.findall(r"TX-packets: +(\d+) +TX-errors", text)]
        return {"at": time.monotonic(), "made": rx[0], "taken": tx[1], "arrived": rx[2],
                "waiting": {"device": device.waiting(), "generator": generator.waiting()},
                "lathd": self.counters() if device.name == "lathd" else None}

    def measure(self, device):
        """One window of testpmd's traffic at full speed through the device; ends the device."""
        generator = self.generator()
        if device.name == "lathd":
            # Whoever was known before the link came up is asked again, and nobody here answers.
            device.wait_text("lath.control: link is up", 10, count=2)
        generator.tell("start")
        time.sleep(self.args.warm_seconds)
        before = self.sample(generator, device)
        time.sleep(self.args.seconds)
        after = self.sample(generator, device)
        # Nobody may touch the shared memory when the other side goes.
        offset = len(generator.text())
        generator.tell("stop")
        generator.wait_text("Done", 20, offset)
        imbalance = self.settled_imbalance() if device.name == "lathd" else 0
        code = device.end()
        if code != 0:
            die(f"{device.name} ended with {code}:\n{device.text()[-1500:]}")
        generator.tell("quit")
        generator.wait(10)
        return {**self.figures(device, before, after), "imbalance": imbalance}

    def figures(self, device, before, after):
        seconds = after["at"] - before["at"]
        result = {"device": device.name, "cycles": None}
        for name in ("made", "taken", "arrived"):
            result[f"{name}Pps"] = (after[name] - before[name]) / seconds
        result["cpuTaken"] = {who: (after["waiting"][who] - before["waiting"][who]) / seconds
                              for who, waited in after["waiting"].items() if waited is not None}
        if device.name == "lathd":
            was, now = before["lathd"], after["lathd"]
            result["cycles"] = (now["cycles"] - was["cycles"]) / max(1, now["received"] - was["received"])
            result["drops"] = {reason: count - was["drops"].get(reason, 0)
                               for reason, count in now["drops"].items()
                               if count > was["drops"].get(reason, 0)}
        else:
            found = re.search(r"CPU cycles/packet=([\d.]+)", device.text())
            result["cycles"] = float(found.group(1)) if found else None
        if result["arrivedPps"] <= 0:
            die(f"no frame came through {device.name}:\n{device.text()[-1500:]}")
        return result

    def paced(self, devices, *options):
        """lath-bench's generator; its JSON lines."""
        command = [program("lath-bench"), "wire", "--tx", devices[0], "--rx", devices[1],
                   "--frames", self.args.frames or self.folder / "frames.pcap",
                   "--announce", self.folder / "announce.pcap", "--cpu", self.args.cores[0],
                   *([] if self.huge else ["--no-huge"]), *options]
        process = Process(self, "paced", *command)
        while process.child.poll() is None:
            time.sleep(0.05)
        lines = [json.loads(line) for line in process.text().splitlines() if line.startswith("{")]
        if process.child.returncode != 0:
            die(f"lath-bench wire ended with {process.child.returncode}:\n{process.text()[-1500:]}")
        return lines

    def paced_through_lathd(self, *options):
        device = self.lathd()
        lines = self.paced([self.wire(i, "client") for i in (0, 1)], *options)
        lines[-1].update(imbalance=self.settled_imbalance(), drops=self.counters()["drops"])
        waiting = device.waiting()
        code = device.end()
        if code != 0:
            die(f"lathd ended with {code}:\n{device.text()[-1500:]}")
        return lines, waiting


# ---- the run ----------------------------------------------------------------------------------

def mpps(rate):
    return f"{rate / 1e6:.3f} Mpps"


def percent(share):
    return "unknown" if share is None else f"{100 * share:.1f} %"


def describe(rig):
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    args = rig.args
    print(f"machine     {model.group(1) if model else 'unknown'}, {os.cpu_count()} CPUs, "
          f"load {os.getloadavg()[0]:.1f} before the run")
    print(f"CPUs        generator, sink and what manages: {args.cores[0]}; device: {args.cores[1]}")
    print(f"traffic     {args.flows} UDP flows, {args.size}-byte frames, one way, random order")
    print(f"memory      {'hugepages' if rig.huge else 'ordinary pages'}")
    if not rig.huge and not args.no_huge:
        print(f"            {free_huge_mib()} MiB of hugepages are free, {HUGE_NEEDED_MIB} are wanted: "
              "figures are worse without\n            mend: dpdk-hugepages.py --setup 2G")
    print("note        This rig is slower than the gateway: rates say what the rig can do, only the\n"
          "            ratio and Lath's own cycles say something about Lath.\n", flush=True)


def show_drops(result):
    drops = ", ".join(f"{count} {reason}" for reason, count in result.get("drops", {}).items())
    return f"; dropped {drops}" if drops else ""


def show_round(number, result):
    cycles = "unknown" if result["cycles"] is None else f"{result['cycles']:.0f}"
    print(f"round {number}     {result['device']:8} {mpps(result['arrivedPps'])} arrived of "
          f"{mpps(result['takenPps'])} taken in; {cycles} busy cycles a packet; CPU wanted and not "
          f"had: {percent(result['cpuTaken'].get('device'))}, by the generator "
          f"{percent(result['cpuTaken'].get('generator'))}{show_drops(result)}", flush=True)


def run_rounds(rig):
    rounds = []
    for number in range(1, rig.args.rounds + 1):
        pair = [rig.measure(rig.macswap()), rig.measure(rig.lathd())]
        for result in pair:
            show_round(number, result)
        rounds.append(pair)
    return rounds


def run_half(rig, rate):
    """Trials until one has no loss; on a busy machine a device that waits for its CPU loses."""
    trials = []
    for number in range(1, rig.args.tries + 1):
        lines, waiting = rig.paced_through_lathd("--rate", f"{rate:.0f}", "--seconds", rig.args.seconds)
        trial = {**lines[-1], "cpuWaitedSeconds": waiting}
        trials.append(trial)
        waited = "unknown" if waiting is None else f"{waiting:.2f} s"
        print(f"half {number}      lathd    {mpps(trial['attainedPps'])}: {trial['sent']} sent, "
              f"{trial['lost']} lost, {trial['refused']} not taken; generator paused "
              f"{trial['pausedSeconds']:.2f} s, lathd waited {waited} for its CPU"
              f"{show_drops(trial)}", flush=True)
        if trial["passed"]:
            break
    return trials


def is_disturbed(rounds):
    return any(share > DISTURBED for pair in rounds for result in pair
               for share in result["cpuTaken"].values())


def judge(args, rounds, ratio, trials, imbalances):
    """What failed, as sentences."""
    wrong = [f"lathd's counters do not add up ({n})" for n in imbalances if n != 0]
    if args.quick:
        return wrong
    if ratio < RATIO_LEAST:
        wrong.append(f"the ratio is {ratio:.3f}, less than {RATIO_LEAST}")
    if not trials[-1]["passed"]:
        what = "frames were lost or not taken" if trials[-1]["completed"] else \
            "the generator had its CPU too rarely to finish a trial"
        wrong.append(f"at half of the reached rate: {what}")
    if wrong and (is_disturbed(rounds) or args.cores[0] == args.cores[1]):
        wrong.append("this machine was not quiet (generator or device waited for its CPU more than "
                     f"{percent(DISTURBED)} of the time, or they share one): run it again when it is")
    return wrong


def bench(rig):
    describe(rig)
    rounds = run_rounds(rig)
    ratio = statistics.median(pair[1]["arrivedPps"] / pair[0]["arrivedPps"] for pair in rounds)
    reached = statistics.median(pair[1]["arrivedPps"] for pair in rounds)
    trials = run_half(rig, reached / 2)
    # The least: what interrupted a packet is in its cycles, and never makes them fewer.
    cycles = [min(pair[i]["cycles"] or 0 for pair in rounds) for i in (0, 1)]
    imbalances = [pair[1]["imbalance"] for pair in rounds] + [trial["imbalance"] for trial in trials]
    wrong = judge(rig.args, rounds, ratio, trials, imbalances)
    print(f"\nratio       {ratio:.3f}, Lath to macswap, median of {len(rounds)} rounds")
    print(f"cycles      lathd {cycles[1]:.0f}, macswap {cycles[0]:.0f} TSC cycles a packet, empty polls "
          "left out, net_memif's\n            copies in and out included; the least disturbed round's")
    if rig.args.json:
        Path(rig.args.json).write_text(json.dumps({
            "schemaVersion": 1, "ratio": ratio, "reachedPps": reached, "lathdCycles": cycles[1],
            "macswapCycles": cycles[0], "rounds": rounds, "half": trials, "failures": wrong,
            "judged": not rig.args.quick}, indent=1) + "\n", encoding="utf-8")
    for text in wrong:
        print(f"FAILED      {text}")
    if not wrong:
        print("passed      " + ("the plumbing only: --quick does not judge ratio and loss"
                                if rig.args.quick else
                                f"ratio of {RATIO_LEAST} or more, no loss at half of the reached rate"
                                + (f" (trial {len(trials)})" if len(trials) > 1 else "")))
    return 1 if wrong else 0


def search(rig):
    args = rig.args
    print(f"search      {args.flows} UDP flows of {args.size} bytes" if not args.frames else
          f"search      frames of {args.frames}")
    if args.seconds < 60:
        print(f"note        trials of {args.seconds:g} s; RFC 2544 section 24 wants 60 (--seconds 60)")
    lines = rig.paced(args.search, "--search", "--seconds", args.seconds, "--resolution",
                      args.resolution)
    for line in lines[:-1]:
        print(f"{line['kind']:11} {mpps(line['attainedPps'])}: {line['sent']} sent, {line['lost']} lost, "
              f"{line['refused']} not taken, paused {line['pausedSeconds']:.2f} s: "
              f"{'passed' if line['passed'] else 'not passed'}")
    rate = lines[-1]["zeroLossPps"]
    print(f"zero loss   {mpps(rate)}, {rate * (args.size + 20) * 8 / 1e9:.3f} Gbit/s on the wire"
          if not args.frames else f"zero loss   {mpps(rate)}")
    return 0 if rate > 0 else 1


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench-wire", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--quick", action="store_true", help="seconds, tiny sizes; does everything, judges nothing")
    add("--rounds", type=int, default=5, help="pairs of macswap and lathd (5)")
    add("--seconds", type=float, default=5, help="of each window and trial (5; with --search 10)")
    add("--tries", type=int, default=3, help="trials at half of the rate until one has no loss (3)")
    add("--cores", default="0,1", help="CPU of the generator, CPU of the device (0,1)")
    add("--flows", type=int, default=65536, help="frames of the capture, a flow each (65536)")
    add("--size", type=int, default=64, help="bytes of a frame with its CRC (64)")
    add("--seed", type=int, default=1, help="of the frames' order (1)")
    add("--no-huge", action="store_true", help="ordinary pages even where hugepages are free")
    add("--json", metavar="FILE", help="the figures, for programs")
    add("--search", nargs=2, metavar="PORT", help="out of the first, in at the second")
    add("--gateway-mac", metavar="MAC", help="of the gateway's port that gets the frames")
    add("--frames", metavar="FILE", help="a capture to send instead of frames of our own")
    add("--resolution", type=float, default=5, help="permille of the highest rate (5)")
    add("--config", nargs=2, metavar="PORT", help="print the gateway's configuration")
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.seconds, args.tries, args.flows = 1, 1, 1, 1024
    elif args.search and args.seconds == parser.get_default("seconds"):
        args.seconds = 10
    args.warm_seconds = 0.5 if args.quick else 2
    args.cores = [int(word) for word in args.cores.split(",")]
    if len(args.cores) != 2 or not 1 <= args.flows <= 1 << 20 or not 64 <= args.size <= 1518:
        parser.error("--cores wants two CPUs, --flows 1 to 1048576, --size 64 to 1518")
    if args.search and not (args.gateway_mac or args.frames):
        parser.error("--search needs --gateway-mac or --frames")
    return args


def main():
    args = arguments()
    if args.config:
        print(json.dumps(config(args.config, memory={"flowsPerWorker": max(16384, 2 * args.flows)}),
                         indent=2))
        return 0
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    if not args.search and any(cpu not in os.sched_getaffinity(0) for cpu in args.cores):
        die(f"CPUs {args.cores} are not all there", "name two with --cores (the same one twice works, "
            "but shows little)")
    rig = Rig(args)
    try:
        return search(rig) if args.search else bench(rig)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    finally:
        # A second signal must not cut the tidying short.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        rig.close()


if __name__ == "__main__":
    sys.exit(main())
