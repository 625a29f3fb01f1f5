# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Ports to another process over shared memory: net_memif, with dpdk-testpmd at the far ends."""
import json
import re
import subprocess
import sys

from world import LATHD, ROOT, group, listener, network, service, vpc, wait_for

sys.path.insert(0, str(ROOT / "scripts"))
import wire  # noqa: E402 pylint: disable=wrong-import-position

FLOWS = 100


def memif(world, number, role):
    return f"net_memif{number},role={role},id={number},socket={world.run_dir}/memif," \
           "socket-abstract=no"


def config(world):
    whole = world.config({"left": memif(world, 0, "server"), "right": memif(world, 1, "server")},
                         system={"hostPort": {"enabled": False}},
                         vpcs=[vpc("blue", "left", prefixes=["10.0.0.0/8"]),
                               vpc("red", "right")],
                         services=[service("dns", wire.SERVICE, listener("UDP", wire.SERVICE_PORT, "dns"))],
                         targetGroups=[group("dns", "red", 5353, ["10.0.0.5"], "UDP")],
                         **network(["blue"], ["dns"]))
    whole["targetGroups"][0]["config"]["healthCheck"] = {"enabled": False}
    whole["vpcs"][0]["attachments"][0]["returnTo"] = "sender"
    whole["system"]["ports"][0]["mac"] = wire.GATEWAY_MAC
    return whole


class Peer:
    """Sends a capture over and over into wire 0 and takes what comes out of wire 1."""

    def __init__(self, world):
        devices = [f"net_pcap0,rx_pcap={world.tmp}/frames,infinite_rx=1", memif(world, 0, "client"),
                   memif(world, 1, "client"), f"net_pcap1,rx_pcap={world.tmp}/announce"]
        self.log = world.tmp / "testpmd.log"
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                ["stdbuf", "-oL", "dpdk-testpmd", "--lcores", "0@0,1@0", "--no-huge", "--no-shconf",
                 "-m", "128", "--no-pci", "--no-telemetry", "--file-prefix", f"lath-{world.serial}",
                 *(word for device in devices for word in ("--vdev", device)), "--", "-i",
                 "--nb-cores=1", "--no-flush-rx", "--no-mlockall", "--total-num-mbufs=8192"],
                stdin=subprocess.PIPE, stdout=log, stderr=log, text=True)
        world.processes.append(self.process)
        wait_for("testpmd's prompt", 30, lambda: "testpmd> " in self.text())

    def text(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def tell(self, line, answer, count=1):
        """Returns what it says until `answer` is there so often."""
        began = len(self.text())
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        wait_for(f"testpmd's answer to {line}", 30, lambda: self.text()[began:].count(answer) >= count)
        return self.text()[began:]

    def counts(self):
        """Frames that wire 0 took, and that wire 1 brought."""
        text = self.tell("show port stats all", "Tx-pps", 4)
        taken = re.findall(r"TX-packets: +(\d+) +TX-errors", text)[1]
        arrived = re.findall(r"RX-packets: +(\d+) +RX-missed", text)[2]
        return int(taken), int(arrived)


def worker(world):
    return json.loads(world.ctl("-j", "show", "workers"))["workers"][0]["packets"]


def test_frames_go_from_wire_to_wire_and_a_second_peer_may_come(world):
    frames = [wire.udp_frame(flow, 64, wire.GATEWAY_MAC) for flow in range(FLOWS)]
    wire.write_capture(world.tmp / "frames", frames)
    wire.write_capture(world.tmp / "announce", [wire.announcement("10.0.0.5")])
    world.start(config(world))
    for peer in (1, 2):
        before = worker(world)
        testpmd = Peer(world)
        wait_for("both links", 10, lambda: world.log().count("lath.control: link is up") == 2 * peer)
        testpmd.tell("start", "testpmd> ")
        wait_for("frames", 20, lambda: worker(world)["sent"] > before["sent"] + 10 * FLOWS)
        testpmd.tell("stop", "Done")
        wait_for("rest", 10, lambda: worker(world)["imbalance"] == 0)
        taken, arrived = testpmd.counts()
        after = worker(world)
        # The announcement came on the other wire; what lathd generated is in `sent`, too.
        assert after["received"] - before["received"] == taken + 1
        assert 10 * FLOWS < arrived <= after["sent"] - before["sent"]
        testpmd.process.communicate("quit\n", timeout=30)
        assert testpmd.process.returncode == 0, testpmd.text()[-1000:]
        wait_for("no link", 10, lambda: world.log().count("lath.control: link is down") == 2 * peer)


def test_a_client_without_a_server_is_told(world):
    world.write(world.config({"left": memif(world, 0, "client")}))
    done = subprocess.run([LATHD, "-c", world.config_file], capture_output=True, text=True, timeout=30,
                          check=False)
    assert done.returncode == 1 and "nobody serves the socket" in done.stderr, done.stderr
