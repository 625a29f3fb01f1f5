-- SPDX-License-Identifier: BSD-3-Clause
-- Copyright (c) 2026 The Lath authors

-- Overlapping tenants: sixteen VPCs on VLANs 100 to 115, each with the same client, the same source
-- ports and the same service address. VLAN and port step together, and 16 and 1,535 have no common
-- divisor, so in 24,560 frames every one of 1,535 ports comes once on every VLAN: flows that
-- nothing but the tenant tells apart.
--
-- Configuration: tenants-vlan-nic.json, tenants-vlan-veth.json.
-- Targets: testpmd, 5tswap.
-- Expect: received equals sent, 24,560 flows, 1,535 a tenant.
-- Look at: lathctl show vpcs (the same numbers for every tenant), show services (FLOWS of names),
-- show flows --client 10.0.0.5 --client-port 1024 (sixteen flows, one a tenant), show drops
-- (nothing; no_attachment when tags were lost on the way).
--
-- Settings: LATH_RATE (percent, 10), LATH_SECONDS (10), LATH_SIZE (68).

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "pktgen-profiles/"
local common = dofile(here .. "common.lua")

local first_vlan, tenants, ports = 100, 16, 1535

common.begin(string.format("%d tenants with the same %d flows each", tenants, ports))
common.range{
	protocol = "udp",
	service = common.service,
	service_port = common.service_port,
	ports = ports,
	size = common.size(68),
}
common.field(pktgen.range.vlan_id, first_vlan, 1, first_vlan + tenants - 1)
pktgen.vlan(common.port, "on")
common.report(common.send(common.rate(10), common.seconds(10)))
pktgen.vlan(common.port, "off")
pktgen.set_range(common.port, "off")
common.finish()
