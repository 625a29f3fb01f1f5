# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""The far end of a GENEVE tunnel without the kernel's geneve module, which not every kernel has.

geneve_wire.py NETNS TAP VNI LOCAL REMOTE ethernet|ip: makes TAP (or, for bare IP, a TUN) in NETNS and
carries what it sends to and from UDP port 6081 of REMOTE. The kernel's sockets put checksums on the
outer packets, as hypervisors may. Prints "started".
"""
import os
import select
import socket
import struct
import sys

from vlan_wire import open_tap

IFF_TUN = 0x0001
PORT = 6081
ETHERNET, IPV4, IPV6 = 0x6558, 0x0800, 0x86dd


def open_end(netns, name, ethernet):
    if ethernet:
        return open_tap(netns, name)
    return open_tap(netns, name, IFF_TUN)


def main():
    netns, name, vni = sys.argv[1], sys.argv[2], int(sys.argv[3])
    local, remote, ethernet = sys.argv[4], sys.argv[5], sys.argv[6] == "ethernet"
    end = open_end(netns, name, ethernet)
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.bind((local, PORT))
    print("started", flush=True)
    while True:
        for ready in select.select([end, wire], [], [])[0]:
            if ready is wire:
                data, peer = wire.recvfrom(65536)
                start = 8 + 4 * (data[0] & 0x3f)
                if peer[0] == remote and int.from_bytes(data[4:7], "big") == vni:
                    try:
                        os.write(end, data[start:])
                    except OSError:
                        pass  # the interface is down
            else:
                data = os.read(end, 65536)
                kind = ETHERNET if ethernet else IPV6 if data[0] >> 4 == 6 else IPV4
                head = struct.pack("!BBHI", 0, 0, kind, vni << 8)
                try:
                    wire.sendto(head + data, (remote, PORT))
                except OSError:
                    pass  # no neighbour yet


if __name__ == "__main__":
    main()
