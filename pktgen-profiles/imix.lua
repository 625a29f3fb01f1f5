-- SPDX-License-Identifier: BSD-3-Clause
-- Copyright (c) 2026 The Lath authors

-- IMIX, the simple one: 7 frames of 64 bytes, 4 of 594, 1 of 1,518, over and over. A port has 16
-- sequences and no ranges in them, so these are 12 established flows, one for each frame of the
-- mix.
--
-- Configuration: one-tenant-nic.json, one-tenant-veth.json.
-- Targets: testpmd, 5tswap.
-- Expect: received equals sent; a frame is 361.8 bytes on average, so at 10 % of 10 Gbit/s there
-- are about 327,000 a second.
-- Look at: lathctl show ports (RX-BYTES over RX is 357.8: no CRC), show services, show drops
-- (nothing; oversize when an attachment's MTU is below 1500).
--
-- Settings: LATH_RATE (percent, 10), LATH_SECONDS (10).

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "pktgen-profiles/"
local common = dofile(here .. "common.lua")

-- Large frames lie between small ones, so that no burst is of one size.
local mix = {64, 594, 64, 64, 594, 64, 1518, 64, 594, 64, 594, 64}

common.begin("IMIX, 7 x 64, 4 x 594, 1 x 1518 bytes")
pktgen.set_range(common.port, "off")
for index, size in ipairs(mix) do
	pktgen.seq(index - 1, common.port, common.gateway_mac, common.client_mac, common.service,
		common.client .. "/24", common.first_port + index - 1, common.service_port, "ipv4", "udp",
		1, size)
end
pktgen.set(common.port, "seq_cnt", #mix)
common.report(common.send(common.rate(10), common.seconds(10)))
pktgen.set(common.port, "seq_cnt", 0)
common.finish()
