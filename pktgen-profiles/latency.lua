-- SPDX-License-Identifier: BSD-3-Clause
-- Copyright (c) 2026 The Lath authors

-- Latency there and back, by Pktgen's latency sampler (its built-in average gave 0). One flow at a
-- steady rate; the sampler's file has one figure a line, taken here for nanoseconds (so
-- does a public script; Pktgen's own text does not say). Each figure is the whole way: generator, gateway, testpmd, gateway, generator.
-- Measure once with a wire in the gateway's place and compare; the difference is the gateway's,
-- twice.
--
-- Configuration: one-tenant-nic.json, one-tenant-veth.json. They have a listener on UDP port 1028,
-- too, where later forms of Pktgen send their probes, whatever port is set.
-- Targets: testpmd, 5tswap.
-- Expect: LATH_SAMPLES samples and their percentiles. Over veth pairs, or with adaptive workers
-- that sleep up to 200 us, the scheduler is what is measured: poll, on CPUs of their own.
-- Look at: lathctl show workers (BUSY), show drops (nothing), show services (FLOWS 1 or 2).
--
-- Settings: LATH_RATE (percent, 1), LATH_SECONDS (10), LATH_SIZE (128: a timestamp needs room),
-- LATH_SAMPLES (10000), LATH_SAMPLE_RATE (1000), LATH_SAMPLE_FILE (lath-latency.txt).

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "pktgen-profiles/"
local common = dofile(here .. "common.lua")

local samples = common.integer("LATH_SAMPLES", 10000, 1, 1000000)
local sample_rate = common.integer("LATH_SAMPLE_RATE", 1000, 1, 1000000)
local file_name = common.text("LATH_SAMPLE_FILE", "lath-latency.txt")

-- read_samples(name): the numbers of the file, in order of size; its first line is a title.
local function read_samples(name)
	local found = {}
	local file = io.open(name, "r")
	if file == nil then
		return found
	end
	for line in file:lines() do
		local value = tonumber(line)
		if value ~= nil then
			found[#found + 1] = value
		end
	end
	file:close()
	table.sort(found)
	return found
end

common.begin("latency there and back")
-- Nothing of an earlier run may be taken for this one's.
os.remove(file_name)
pktgen.set_range(common.port, "off")
pktgen.set_mac(common.port, "dst", common.gateway_mac)
pktgen.set_mac(common.port, "src", common.client_mac)
pktgen.set_ipaddr(common.port, "dst", common.service)
pktgen.set_ipaddr(common.port, "src", common.client .. "/24")
pktgen.set_type(common.port, "ipv4")
pktgen.set_proto(common.port, "udp")
pktgen.set(common.port, "sport", common.first_port)
pktgen.set(common.port, "dport", common.service_port)
pktgen.set(common.port, "size", common.size(128))
pktgen.latency(common.port, "on")
pktgen.latsampler_params(common.port, "simple", samples, sample_rate, file_name)
pktgen.latsampler(common.port, "on")
local counters = common.send(common.rate(1), common.seconds(10))
pktgen.latsampler(common.port, "off")
pktgen.latency(common.port, "off")
common.report(counters)

local found = read_samples(file_name)
if #found == 0 then
	print("lath: no samples in " .. file_name .. ": does anything return?")
else
	print(string.format("lath: %d samples", #found))
	for _, percentile in ipairs{50, 90, 99, 99.9, 100} do
		local index = math.max(1, math.ceil(#found * percentile / 100))
		print(string.format("lath: p%-5g %9.2f us", percentile, found[index] / 1000))
	end
end
common.finish()
