-- SPDX-License-Identifier: BSD-3-Clause
-- Copyright (c) 2026 The Lath authors

-- Established flows: the hit path and nothing else. LATH_FLOWS UDP flows of one client (1,024
-- unless said otherwise, 24,576 at most) are made at a low rate, then their frames come again and
-- again.
--
-- Configuration: one-tenant-nic.json, one-tenant-veth.json.
-- Targets: testpmd, 5tswap; without an answer the flows live shorter, but hits they are all the
-- same.
-- Expect: received equals sent. Any other number is a loss, or an answer that did not come.
-- Look at: lathctl show services (FLOWS is LATH_FLOWS and FLOWS-TOTAL stands still), show drops
-- (nothing), show workers (BUSY; IMBALANCE 0 afterwards).
--
-- Settings: LATH_FLOWS, LATH_RATE (percent, 10), LATH_SECONDS (10), LATH_SIZE (64); README.md has
-- those of all profiles.

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "pktgen-profiles/"
local common = dofile(here .. "common.lua")

local flows = common.integer("LATH_FLOWS", 1024, 1, common.range_frames)

common.begin(string.format("%d established flows", flows))
common.range{
	protocol = "udp",
	service = common.service,
	service_port = common.service_port,
	ports = flows,
	size = common.size(),
}
-- Every flow is there before anything is counted: all of them, once a second.
common.send(common.percent(flows, common.size()), 3, true)
common.report(common.send(common.rate(10), common.seconds(10)))
pktgen.set_range(common.port, "off")
common.finish()
