-- SPDX-License-Identifier: BSD-3-Clause
-- Copyright (c) 2026 The Lath authors

-- Throughput after RFC 2544 section 26.1: the highest rate at which not one frame is lost, found by
-- halving. One frame size a run; README.md has the loop over those of section 9.1. What is counted
-- is the way there and back: a frame that returns has passed the gateway twice, and testpmd
-- besides. So measure once with a wire in the gateway's place: a rig that loses at the same rate is
-- what you found.
--
-- Configuration: one-tenant-nic.json, one-tenant-veth.json.
-- Targets: testpmd, 5tswap.
-- Expect: a table of trials, then the rate. Section 24 wants trials of 60 seconds: LATH_SECONDS=60.
-- Over veth pairs, or with generator and gateway on the same cores, losses come from the scheduler
-- and the result says little.
-- Look at: lathctl show drops (tx_full), show ports (MISSED: the gateway was too slow; TX-ERR),
-- show workers (BUSY) for which side lost.
--
-- Settings: LATH_SIZE (64), LATH_FLOWS (1024), LATH_SECONDS a trial (10), LATH_RATE to begin with
-- (100), LATH_STEP, the resolution in percent of the link (0.5), LATH_LOSS, frames that may be lost
-- (0).

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "pktgen-profiles/"
local common = dofile(here .. "common.lua")

local flows = common.integer("LATH_FLOWS", 1024, 1, common.range_frames)
local size = common.size()
local seconds = common.seconds(10)
local step = common.number("LATH_STEP", 0.5, 0.001, 50)
local allowed = common.integer("LATH_LOSS", 0, 0, 1000000000)
local trials = 0

-- trial(rate): whether no more than allowed was lost, and the counters.
local function trial(rate)
	local counters = common.send(rate, seconds, true)
	local lost = counters.opackets - counters.ipackets
	local passed = counters.opackets > 0 and lost <= allowed
	trials = trials + 1
	print(string.format("trial %2d  rate %7.3f %%  sent %d (%d a second)  lost %d  %s", trials, rate,
		counters.opackets, counters.opackets // seconds, lost, passed and "passed" or "failed"))
	-- RFC 2544 section 23: at least five seconds until the next trial.
	pktgen.sleep(5)
	return passed, counters
end

-- search(top): the highest rate that passed and its counters; nil when none did.
local function search(top)
	local passed, counters = trial(top)
	if passed then
		return top, counters
	end
	local low, high, best = 0, top, nil
	while high - low > step do
		local middle = (low + high) / 2
		passed, counters = trial(middle)
		if passed then
			low, best = middle, counters
		else
			high = middle
		end
	end
	if best == nil then
		return nil, nil
	end
	return low, best
end

common.begin(string.format("RFC 2544 throughput, %d bytes, %d flows", size, flows))
common.range{
	protocol = "udp",
	service = common.service,
	service_port = common.service_port,
	ports = flows,
	size = size,
}
-- Section 23 sends learning frames first: here they make the flows.
common.send(common.percent(flows, size), 3, true)
local rate, counters = search(common.rate(100))
if rate == nil then
	print(string.format("lath: no rate down to %.3f %% passed", step))
else
	local packets = counters.opackets / seconds
	print(string.format("lath: throughput %d bytes: %.3f %% of the link, %.0f packets a second, "
		.. "%.3f Gbit/s", size, rate, packets, packets * size * 8 / 1e9))
end
pktgen.set_range(common.port, "off")
common.finish()
