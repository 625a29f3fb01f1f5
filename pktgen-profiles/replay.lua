-- SPDX-License-Identifier: BSD-3-Clause
-- Copyright (c) 2026 The Lath authors

-- Replay: more flows than a range has frames, out of a capture that our script writes:
--
--     scripts/pktgen-pcap --flows 65536 --output flows.pcap
--     pktgen ... -- -P -m "1.0" -s 0:flows.pcap -f pktgen-profiles/replay.lua
--
-- Pktgen holds the whole file in buffers, 2 KiB and more a frame: 65,536 flows take about 150 MiB
-- of hugepages on top of the rest, a million more than 2 GiB. Frames lie in the file in random
-- order, so flows are visited in random order.
--
-- Configuration: one-tenant-nic.json, one-tenant-veth.json for hits; new-flows-nic.json,
-- new-flows-veth.json for new flows, when a round takes three seconds or more (a million flows: up
-- to 340,000 a second).
-- Targets: testpmd, 5tswap.
-- Expect: received equals sent; as many flows as the file has.
-- Look at: lathctl show services (FLOWS), show workers (FLOWS of how many), show nat (USED, refused
-- 0), show drops (nothing).
--
-- Settings: LATH_RATE (percent, 10), LATH_SECONDS (10).

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "pktgen-profiles/"
local common = dofile(here .. "common.lua")

common.begin("replay of a capture")
pktgen.pcap(common.port, "on")
common.report(common.send(common.rate(10), common.seconds(10)))
pktgen.pcap(common.port, "off")
common.finish()
