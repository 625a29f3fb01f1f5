-- SPDX-License-Identifier: BSD-3-Clause
-- Copyright (c) 2026 The Lath authors

-- New flows, and hardly anything else: 24,576 different frames, sent so slowly that a flow has
-- ended before its frame comes again. With the timeouts of this configuration (one second) and
-- 8,192 packets a second a round takes three seconds, so that every packet makes a flow and as many
-- end.
--
-- More flows a second than that need more frames: replay.lua with a file of a million flows, the
-- same configuration, and a round that is not shorter than three seconds.
--
-- Configuration: new-flows-nic.json, new-flows-veth.json (timeouts far below the RFCs' minimum, of
-- which lathctl check warns).
-- Targets: testpmd, 5tswap.
-- Expect: received equals sent; FLOWS-TOTAL of the service grows by as many as are sent.
-- Look at: lathctl show services (FLOWS stays, FLOWS-TOTAL grows), show nat (USED of the ports,
-- refused 0), show workers (FLOWS of how many), show drops (nothing; snat_exhausted or
-- flow_table_full when the rate is higher than what ends).
--
-- Settings: LATH_FLOWS_PER_SECOND (8192), LATH_LINK_GBIT (10: what the driver reports),
-- LATH_SECONDS (30), LATH_SIZE (64).

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "pktgen-profiles/"
local common = dofile(here .. "common.lua")

local each_second = common.integer("LATH_FLOWS_PER_SECOND", 8192, 1, common.range_frames)
local round = common.range_frames / each_second

common.begin(string.format("%d new flows a second, the same again after %.1f s", each_second,
	round))
if round < 3 then
	print("lath: a round is shorter than three seconds: some packets will be hits")
end
common.range{
	protocol = "udp",
	service = common.service,
	service_port = common.service_port,
	ports = common.range_frames,
	size = common.size(),
}
common.report(common.send(common.percent(each_second, common.size()), common.seconds(30)))
pktgen.set_range(common.port, "off")
common.finish()
