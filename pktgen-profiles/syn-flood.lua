-- SPDX-License-Identifier: BSD-3-Clause
-- Copyright (c) 2026 The Lath authors

-- SYN flood: 24,576 TCP SYNs of 96 addresses and 24,576 ports that no handshake follows, again and
-- again. The first round makes half-open flows, later ones are what the gateway takes for SYNs that
-- are sent again.
--
-- Configuration: one-tenant-nic.json, one-tenant-veth.json (the TCP service 198.18.0.20, port 80).
-- Targets: testpmd, rxonly: they are silent. 5tswap would send each SYN back as a SYN of the
-- target.
-- Expect: nothing returns. 24,576 half-open flows, no more, that end tcpHalfOpenSeconds (240) after
-- their last SYN. A client of established.lua on another port is not to notice.
-- Look at: lathctl show services (FLOWS of web: 24,576), show workers (FLOWS of how many; BUSY),
-- show nat (USED), show drops (flow_table_full or snat_exhausted when tables are smaller than the
-- flood), status --all.
--
-- Settings: LATH_RATE (percent, 10), LATH_SECONDS (10), LATH_SIZE (64).

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "pktgen-profiles/"
local common = dofile(here .. "common.lua")

common.begin("SYN flood")
common.range{
	protocol = "tcp",
	service = common.tcp_service,
	service_port = common.tcp_service_port,
	addresses = 96,
	ports = common.range_frames,
	size = common.size(),
}
local counters = common.send(common.rate(10), common.seconds(10))
common.report(counters)
if counters.ipackets > 0 then
	print("lath: something answered: RSTs of a service that refuses, or targets that are not silent")
end
pktgen.set_range(common.port, "off")
common.finish()
