-- SPDX-License-Identifier: BSD-3-Clause
-- Copyright (c) 2026 The Lath authors

-- Many UDP flows to the demo's service address: 24,576 different frames cycle (Pktgen's limit for
-- a range), so the first round is all new flows and every later one all hits. Prints what the port
-- sent and received, second by second.
--
-- From the environment: LATH_GATEWAY_MAC (lathctl show ports), LATH_RATE in percent of the link,
-- LATH_SECONDS, LATH_SIZE in bytes without CRC + 4.

local port = "0"
local gateway_mac = os.getenv("LATH_GATEWAY_MAC") or "02:00:00:00:00:01"
local rate = tonumber(os.getenv("LATH_RATE") or "10")
local seconds = tonumber(os.getenv("LATH_SECONDS") or "10")
local size = tonumber(os.getenv("LATH_SIZE") or "64")

-- start, inc, min, max of one field.
local function range(field, start, inc, min, max)
	field(port, "start", start)
	field(port, "inc", inc)
	field(port, "min", min)
	field(port, "max", max)
end

pktgen.stop(port)
pktgen.clr()
pktgen.range.dst_mac(port, "start", gateway_mac)
range(pktgen.range.src_ip, "10.0.0.5", "0.0.0.1", "10.0.0.5", "10.0.0.104")
range(pktgen.range.dst_ip, "198.18.0.10", "0.0.0.0", "198.18.0.10", "198.18.0.10")
pktgen.range.ip_proto(port, "udp")
range(pktgen.range.src_port, 10000, 1, 10000, 60000)
range(pktgen.range.dst_port, 53, 0, 53, 53)
range(pktgen.range.pkt_size, size, 0, size, size)
pktgen.set_range(port, "on")
pktgen.set(port, "rate", rate)
pktgen.set(port, "count", 0)

pktgen.start(port)
for second = 1, seconds do
	pktgen.sleep(1)
	local now = pktgen.portStats(port, "rate")[tonumber(port)]
	print(string.format("%3d s  sent %d pps  received %d pps", second, now.pkts_tx, now.pkts_rx))
end
pktgen.stop(port)
pktgen.sleep(1)
local total = pktgen.portStats(port, "port")[tonumber(port)]
print(string.format("sent %d  received %d  missed %d  errors %d", total.opackets, total.ipackets,
	total.imissed, total.ierrors + total.oerrors))
