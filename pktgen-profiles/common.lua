-- SPDX-License-Identifier: BSD-3-Clause
-- Copyright (c) 2026 The Lath authors

-- What the profiles share: settings out of the environment, ranges, a run with its report. Loaded
-- by each of them; not a profile itself. Uses nothing of Pktgen but what README.md lists.

local common = {}

-- A range is stamped into the port's buffers once, and there are so many of them.
common.range_frames = 24576
-- Sequence numbers of a port: 0 to 15.
common.sequences = 16
-- The gateway's address plan: parts/*.json beside this file.
common.service = "198.18.0.10"
common.service_port = 53
common.tcp_service = "198.18.0.20"
common.tcp_service_port = 80
common.client = "10.0.0.5"
common.first_port = 1024

-- text(name, default): what the environment says.
function common.text(name, default)
	local value = os.getenv(name)
	if value == nil or value == "" then
		return default
	end
	return value
end

-- number(name, default, least, most): the same for a number, refused when it is none or out of
-- range.
function common.number(name, default, least, most)
	local value = tonumber(common.text(name, tostring(default)))
	if value == nil or value < least or value > most then
		error(string.format("%s is not a number in %g..%g", name, least, most), 0)
	end
	return value
end

-- integer(name, default, least, most): the same for a whole number.
function common.integer(name, default, least, most)
	local value = math.tointeger(common.number(name, default, least, most))
	if value == nil then
		error(name .. " is not a whole number", 0)
	end
	return value
end

common.port = tostring(common.integer("LATH_PORT", 0, 0, 31))
common.gateway_mac = common.text("LATH_GATEWAY_MAC", "02:00:00:00:00:01")
common.client_mac = common.text("LATH_CLIENT_MAC", "02:00:00:00:00:05")

-- size(default): the frame's size, its CRC's four bytes included, as Pktgen counts it.
function common.size(default)
	return common.integer("LATH_SIZE", default or 64, 64, 1518)
end

-- rate(default): percent of the link speed that the driver reports.
function common.rate(default)
	return common.number("LATH_RATE", default, 0.0001, 100)
end

function common.seconds(default)
	return common.integer("LATH_SECONDS", default, 1, 86400)
end

-- percent(packets, size): the rate at which so many packets a second leave. On the wire a frame has
-- 20 bytes more: preamble and gap (IEEE 802.3, clause 4).
function common.percent(packets, size)
	local bits = common.number("LATH_LINK_GBIT", 10, 0.001, 1000) * 1e9
	local rate = packets * (size + 20) * 8 / bits * 100
	if rate > 100 then
		error(string.format("%d packets a second of %d bytes are more than the link carries",
			packets, size), 0)
	end
	return rate
end

-- Says which profile runs, and leaves the port in a known state.
function common.begin(what)
	pktgen.screen("off")
	pktgen.stop(common.port)
	print("lath: " .. what)
end

-- field(setter, first, step, last): start, inc, min and max of one range field.
function common.field(setter, first, step, last)
	setter(common.port, "start", first)
	setter(common.port, "inc", step)
	setter(common.port, "min", first)
	setter(common.port, "max", last)
end

-- range{protocol=, service=, service_port=, ports=, size=, addresses=}: frames of clients to a
-- service. Address and port step together, so there are as many different pairs as the least common
-- multiple of the two counts, and no more than common.range_frames. `addresses` follow
-- common.client.
function common.range(frames)
	local port = common.port
	local address_step = "0.0.0.0"
	local last = common.client
	if frames.addresses ~= nil and frames.addresses > 1 then
		local prefix, host = common.client:match("^(%d+%.%d+%.%d+%.)(%d+)$")
		address_step = "0.0.0.1"
		last = prefix .. (tonumber(host) + frames.addresses - 1)
	end
	pktgen.range.dst_mac(port, "start", common.gateway_mac)
	pktgen.range.dst_mac(port, "inc", "00:00:00:00:00:00")
	pktgen.range.src_mac(port, "start", common.client_mac)
	pktgen.range.src_mac(port, "inc", "00:00:00:00:00:00")
	pktgen.range.ip_proto(port, frames.protocol)
	common.field(pktgen.range.src_ip, common.client, address_step, last)
	common.field(pktgen.range.dst_ip, frames.service, "0.0.0.0", frames.service)
	common.field(pktgen.range.src_port, common.first_port, 1,
		common.first_port + frames.ports - 1)
	common.field(pktgen.range.dst_port, frames.service_port, 0, frames.service_port)
	common.field(pktgen.range.ttl, 64, 0, 64)
	common.field(pktgen.range.pkt_size, frames.size, 0, frames.size)
	-- Pktgen works the rate out from the size of its single packet, in this mode too.
	pktgen.set(port, "size", frames.size)
	pktgen.set_range(port, "on")
end

local function totals()
	return pktgen.portStats(common.port, "port")[tonumber(common.port)]
end

-- send(rate, seconds, quiet): sends for so long, waits for what is still on its way, and returns
-- the port's counters. Unless quiet, a line each second.
function common.send(rate, seconds, quiet)
	pktgen.set(common.port, "count", 0)
	pktgen.set(common.port, "rate", rate)
	pktgen.clr()
	pktgen.start(common.port)
	for second = 1, seconds do
		pktgen.sleep(1)
		if not quiet then
			local now = pktgen.portStats(common.port, "rate")[tonumber(common.port)]
			print(string.format("%4d s  sent %d a second  received %d a second",
				second, now.pkts_tx, now.pkts_rx))
		end
	end
	pktgen.stop(common.port)
	-- RFC 2544 section 23: two seconds for the frames that are still on their way.
	pktgen.sleep(2)
	return totals()
end

-- report(counters): sent, received, lost. What came back passed the gateway twice.
function common.report(counters)
	local lost = counters.opackets - counters.ipackets
	print(string.format("lath: sent %d  received %d  not returned %d (%.3f %%)", counters.opackets,
		counters.ipackets, lost, counters.opackets > 0 and 100 * lost / counters.opackets or 0))
	print(string.format("lath: of the generator's own: missed %d  no buffer %d  errors %d",
		counters.imissed, counters.rx_nombuf, counters.ierrors + counters.oerrors))
end

-- Leaves Pktgen at its prompt, or ends it when LATH_QUIT says so.
function common.finish()
	if common.text("LATH_QUIT", "no") == "yes" then
		pktgen.quit()
	end
end

return common
