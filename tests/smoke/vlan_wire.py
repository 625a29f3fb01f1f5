# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""An 802.1Q access port without the kernel's 8021q module, which not every kernel has.

vlan_wire.py TRUNK VLAN NETNS TAP: makes TAP in NETNS and carries its frames, tagged with VLAN, to
and from the interface TRUNK of the namespace that this runs in. Prints "started".
"""
import ctypes
import fcntl
import os
import select
import socket
import struct
import sys

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
SOL_PACKET, PACKET_AUXDATA = 263, 8
TP_STATUS_VLAN_VALID = 1 << 4
ETH_P_ALL = 3
PACKET_OUTGOING = 4


def open_tap(netns, name, kind=IFF_TAP):
    """A descriptor stays with its interface, whatever namespace its holder goes to."""
    libc = ctypes.CDLL(None, use_errno=True)
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(netns, os.O_RDONLY)
    assert libc.setns(there, 0) == 0
    tap = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH", name.encode(), kind | IFF_NO_PI))
    assert libc.setns(here, 0) == 0
    os.close(here)
    os.close(there)
    return tap


def untag(data, ancillary, vlan):
    """The frame without its tag, or None when it is not of this VLAN."""
    for level, kind, value in ancillary:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, _ = struct.unpack("IIIHHHH", value)
            if status & TP_STATUS_VLAN_VALID:
                return data if tci & 0xFFF == vlan else None
    if data[12:14] == b"\x81\x00" and struct.unpack("!H", data[14:16])[0] & 0xFFF == vlan:
        return data[:12] + data[16:]
    return None


def main():
    trunk_name, vlan, netns, tap_name = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    tap = open_tap(netns, tap_name)
    trunk = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    trunk.bind((trunk_name, ETH_P_ALL))
    trunk.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    # Promiscuous: the access port's MAC is not the trunk's.
    index = socket.if_nametoindex(trunk_name)
    trunk.setsockopt(SOL_PACKET, 1, struct.pack("iHH8s", index, 1, 0, b""))
    print("started", flush=True)
    tag = struct.pack("!HH", 0x8100, vlan)
    while True:
        for ready in select.select([tap, trunk], [], [])[0]:
            if ready is trunk:
                data, ancillary, _, peer = trunk.recvmsg(65536, 256)
                frame = None if peer[2] == PACKET_OUTGOING else untag(data, ancillary, vlan)
                if frame is not None:
                    try:
                        os.write(tap, frame)
                    except OSError:
                        pass  # the interface is down
            else:
                data = os.read(tap, 65536)
                trunk.send(data[:12] + tag + data[12:])


if __name__ == "__main__":
    main()
