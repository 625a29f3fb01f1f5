-- SPDX-License-Identifier: BSD-3-Clause
-- Copyright (c) 2026 The Lath authors

-- VXLAN tenants: sixteen VNIs with the same addresses inside, out of a capture that our script
-- writes:
--
--     scripts/pktgen-pcap --vxlan --flows 24576 --output vxlan.pcap
--     pktgen ... -- -P -m "1.0" -s 0:vxlan.pcap -f pktgen-profiles/vxlan.lua
--
-- Not Pktgen's own VXLAN mode: by its source that writes a VXLAN header and then its fill pattern,
-- so there is no frame inside that a gateway could forward.
--
-- LIMIT: Lath has no VXLAN attachments yet. The configuration that goes with this profile comes
-- with them; until then the gateway drops these frames (vpc_source: the tunnel's ends are in no
-- VPC). Nothing but the generator's side has been tried.
--
-- Settings: LATH_RATE (percent, 10), LATH_SECONDS (10).

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "pktgen-profiles/"
local common = dofile(here .. "common.lua")

common.begin("VXLAN tenants out of a capture")
pktgen.pcap(common.port, "on")
common.report(common.send(common.rate(10), common.seconds(10)))
pktgen.pcap(common.port, "off")
common.finish()
