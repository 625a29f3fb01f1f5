-- SPDX-License-Identifier: BSD-3-Clause
-- Copyright (c) 2026 The Lath authors

-- A stand-in for Pktgen 23.03 as far as Lua scripts see it: exactly its functions, strictly. A name
-- it does not have, a port, key or value it would not take ends the script. Nothing is sent: time
-- passes when the script sleeps, frames are counted, and a stand-in for gateway and targets returns
-- them.
--
--     lua5.4 standin.lua PROFILE
--
-- From the environment: STANDIN_RESULT, a file for what was seen, as JSON; STANDIN_PORTS (1);
-- STANDIN_LINK_GBIT (10); STANDIN_CAPACITY, frames a second that return, more are lost (all);
-- STANDIN_ANSWERS=no: nothing returns; STANDIN_PCAP, the capture given by -s.

local json = dofile((debug.getinfo(1, "S").source:match("^@(.*/)") or "./") .. "json.lua")

local RANGE_FRAMES = 24576
local SEQUENCES = 16

local port_count = tonumber(os.getenv("STANDIN_PORTS") or "1")
local link_bits = tonumber(os.getenv("STANDIN_LINK_GBIT") or "10") * 1e9
local capacity = tonumber(os.getenv("STANDIN_CAPACITY") or "1e18")
local answers = os.getenv("STANDIN_ANSWERS") ~= "no"

local ports = {}
local result = {runs = {}, seconds = 0, calls = 0, quit = false}
local QUIT = {}

local function refuse(...)
	error("stand-in: " .. string.format(...), 0)
end

-- ---- arguments ----------------------------------------------------------------------------------

local function count_arguments(name, count, least, most)
	if count < least or count > (most or least) then
		refuse("%s: wrong number of arguments, %d", name, count)
	end
end

-- The ports of a list like "0,2-3" or "all"; Lua makes texts of numbers, and so does Pktgen.
local function port_list(name, list)
	local found = {}
	if type(list) ~= "string" and math.type(list) ~= "integer" then
		refuse("%s: %s is no list of ports", name, tostring(list))
	end
	if list == "all" then
		list = "0-" .. port_count - 1
	end
	for part in (tostring(list) .. ","):gmatch("([^,]*),") do
		local first, last = part:match("^(%d+)%-(%d+)$")
		first, last = tonumber(first or part:match("^%d+$")), tonumber(last or part)
		if first == nil or last == nil or last < first or last >= port_count then
			refuse("%s: there is no port %s", name, part)
		end
		for number = first, last do
			found[#found + 1] = ports[number]
		end
	end
	return found
end

local function word(name, value, ...)
	for _, known in ipairs{...} do
		if value == known then
			return value
		end
	end
	refuse("%s does not support %s", name, tostring(value))
end

local function state(name, value)
	return word(name, value, "on", "off", "enable", "disable") == "on" or value == "enable"
end

local function number(name, value, least, most)
	if type(value) ~= "number" or value < least or value > most then
		refuse("%s: %s is not in %g..%g", name, tostring(value), least, most)
	end
	return value
end

local function integer(name, value, least, most)
	if math.type(value) ~= "integer" then
		refuse("%s: %s is not an integer", name, tostring(value))
	end
	return number(name, value, least, most)
end

local function mac(name, value)
	if type(value) ~= "string" or not value:match("^%x%x:%x%x:%x%x:%x%x:%x%x:%x%x$") then
		refuse("%s: %s is no MAC address", name, tostring(value))
	end
	return value
end

-- An IPv4 address as a number. With `mask`, "/length" has to follow.
local function address(name, value, mask)
	local text, length = value, nil
	if type(value) == "string" and mask then
		text, length = value:match("^(.*)/(%d+)$")
	end
	local a, b, c, d = tostring(text):match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$")
	a, b, c, d = tonumber(a), tonumber(b), tonumber(c), tonumber(d)
	if d == nil or a > 255 or b > 255 or c > 255 or d > 255 or (mask and tonumber(length) > 32) then
		refuse("%s: %s is no address%s", name, tostring(value), mask and " with a mask" or "")
	end
	return ((a * 256 + b) * 256 + c) * 256 + d
end

-- ---- what a port sends --------------------------------------------------------------------------

local function new_port(index)
	return {
		index = index,
		single = {size = 64, rate = 100, count = 0, sport = 1234, dport = 5678, proto = "tcp",
			dst = 0, src = 0},
		range = {proto = "tcp", fields = {}},
		sequences = {},
		sequence_count = 0,
		modes = {},
		sent = 0, received = 0, sent_bytes = 0, received_bytes = 0,
		last = {sent = 0, received = 0},
	}
end

local function mode_of(port)
	if port.modes.pcap then
		return "pcap"
	elseif port.modes.range then
		return "range"
	end
	return port.sequence_count > 0 and "sequence" or "single"
end

-- The values that one field takes, frame by frame, as Pktgen's own loop does.
local function stepper(field)
	local value = nil
	return function()
		if value == nil or field.inc == 0 then
			value = field.start
		else
			value = value + field.inc
			if value > field.max then
				value = field.min
			end
		end
		return value
	end
end

local function range_frames(port)
	local frames, steps = {}, {}
	local names = {"src_ip", "dst_ip", "src_port", "dst_port", "pkt_size", "ttl", "dst_mac", "src_mac"}
	if port.modes.vlan then
		names[#names + 1] = "vlan_id"
	end
	for _, name in ipairs(names) do
		local field = port.range.fields[name]
		if field == nil then
			refuse("range: %s was never set", name)
		end
		steps[name] = stepper(field)
	end
	for index = 1, RANGE_FRAMES do
		local frame = {proto = port.range.proto}
		for name, step in pairs(steps) do
			frame[name] = step()
		end
		frames[index] = frame
	end
	return frames
end

local function sequence_frames(port)
	local frames = {}
	for index = 0, port.sequence_count - 1 do
		if port.sequences[index] == nil then
			refuse("sequence %d is sent and was never set", index)
		end
		frames[#frames + 1] = port.sequences[index]
	end
	return frames
end

-- The frames of a capture (little-endian, microseconds), their sizes only.
local function pcap_frames()
	local frames = {}
	local file = io.open(os.getenv("STANDIN_PCAP"), "rb") or refuse("pcap: no such file")
	local data = file:read("a")
	file:close()
	if string.unpack("<I4", data) ~= 0xa1b2c3d4 then
		refuse("pcap: not a capture")
	end
	local at = 25
	while at < #data do
		local length = string.unpack("<I4", data, at + 8)
		frames[#frames + 1] = {pkt_size = length + 4}
		at = at + 16 + length
	end
	return frames
end

local function frames_of(port)
	local mode = mode_of(port)
	if mode == "pcap" then
		return pcap_frames()
	elseif mode == "range" then
		return range_frames(port)
	elseif mode == "sequence" then
		return sequence_frames(port)
	end
	local single = port.single
	if single.dst_mac == nil or single.src_mac == nil then
		refuse("single: a MAC address was never set")
	end
	return {{proto = single.proto, src_ip = single.src, dst_ip = single.dst, ttl = 64,
		src_port = single.sport, dst_port = single.dport, pkt_size = single.size,
		dst_mac = single.dst_mac, src_mac = single.src_mac}}
end

-- What a run's frames are, for the tests: how many of what, and the bounds of each field.
local function describe(port, frames)
	local run = {mode = mode_of(port), rate = port.single.rate, frames = #frames, flows = 0,
		sizes = {}, vlans = {}, protocols = {}, bounds = {},
		latency = port.modes.latency == true}
	local flows = {}
	local bytes = 0
	for _, frame in ipairs(frames) do
		local key = table.concat({frame.proto or "", frame.src_ip or "", frame.src_port or "",
			frame.dst_ip or "", frame.dst_port or "", frame.vlan_id or ""}, "/")
		local size = tostring(frame.pkt_size)
		if not flows[key] then
			flows[key] = true
			run.flows = run.flows + 1
			local vlan = tostring(frame.vlan_id or "untagged")
			run.vlans[vlan] = (run.vlans[vlan] or 0) + 1
		end
		run.sizes[size] = (run.sizes[size] or 0) + 1
		run.protocols[frame.proto or "pcap"] = (run.protocols[frame.proto or "pcap"] or 0) + 1
		for name, value in pairs(frame) do
			local bound = run.bounds[name] or {value, value}
			bound[1] = value < bound[1] and value or bound[1]
			bound[2] = value > bound[2] and value or bound[2]
			run.bounds[name] = bound
		end
		bytes = bytes + frame.pkt_size
	end
	run.average_size = bytes / #frames
	return run
end

-- What was stamped last, and of what: a search starts the same frames again and again.
local stamped = {}

local function described(port)
	if mode_of(port) ~= "range" then
		return describe(port, frames_of(port))
	end
	local parts = {port.range.proto, tostring(port.modes.vlan)}
	for name, field in pairs(port.range.fields) do
		parts[#parts + 1] = table.concat({name, field.start, field.inc, field.min, field.max}, " ")
	end
	table.sort(parts)
	local key = table.concat(parts, "/")
	stamped[key] = stamped[key] or describe(port, frames_of(port))
	local run = {}
	for name, value in pairs(stamped[key]) do
		run[name] = value
	end
	run.rate, run.latency = port.single.rate, port.modes.latency == true
	return run
end

local function start(port)
	if port.run ~= nil then
		return
	end
	local run = described(port)
	-- The rate comes from the single packet's size, in range mode too.
	local size = mode_of(port) == "range" and port.single.size or run.average_size
	port.speed = port.single.rate / 100 * link_bits / ((size + 20) * 8)
	port.run, run.seconds, run.packets = run, 0, 0
	result.runs[#result.runs + 1] = run
end

local function pass(seconds)
	result.seconds = result.seconds + seconds
	for _, port in pairs(ports) do
		local sent = port.run and math.floor(port.speed * seconds) or 0
		local back = answers and math.floor(math.min(port.speed or 0, capacity) * seconds) or 0
		back = port.run and math.min(sent, back) or 0
		port.last = {sent = sent // math.max(1, seconds), received = back // math.max(1, seconds)}
		port.sent, port.received = port.sent + sent, port.received + back
		if port.run ~= nil then
			port.run.seconds = port.run.seconds + seconds
			port.run.packets = port.run.packets + sent
		end
	end
end

-- ---- the table that scripts see -----------------------------------------------------------------

-- A table in which nothing can be read that is not there, nor written at all.
local function strict(name, content)
	return setmetatable({}, {
		__index = function(_, key)
			if content[key] == nil then
				refuse("%s has no %s", name, tostring(key))
			end
			return content[key]
		end,
		__newindex = function(_, key)
			refuse("%s is not a script's to change: %s", name, tostring(key))
		end,
		__pairs = function() return pairs(content) end,
	})
end

local api, range_api = {}, {}

-- for_ports(name, least, most, act): a function of (ports, ...).
local function for_ports(name, least, most, act)
	api[name] = function(...)
		result.calls = result.calls + 1
		count_arguments(name, select("#", ...), least, most)
		for _, port in ipairs(port_list(name, (...))) do
			act(port, select(2, ...))
		end
	end
end

-- switch(name, mode): a function of (ports, "on" or "off").
local function switch(name, mode, act)
	for_ports(name, 2, 2, function(port, value)
		local on = state(name, value)
		if act ~= nil then
			act(port, on)
		end
		port.modes[mode] = on
	end)
end

-- other(name): a function that is there and that no profile of ours needs: nothing is known of it
-- here but its name.
local function other(...)
	for _, name in ipairs{...} do
		api[name] = function()
			refuse("%s exists, but this stand-in does not play it", name)
		end
	end
end

-- Run control.
for_ports("start", 1, 1, start)
for_ports("stop", 1, 1, function(port) port.run = nil end)
local function clear(port)
	port.sent, port.received = 0, 0
end
for_ports("clear", 1, 1, clear)
for_ports("reset", 1, 1, function(port) ports[port.index] = new_port(port.index) end)
api.clr = function(...)
	count_arguments("clr", select("#", ...), 0)
	for _, port in pairs(ports) do
		clear(port)
	end
end
api.sleep = function(...)
	count_arguments("sleep", select("#", ...), 1)
	pass(integer("sleep", (...), 0, 86400))
end
api.delay = function(...)
	count_arguments("delay", select("#", ...), 1)
	pass(integer("delay", (...), 0, 86400000) / 1000)
end
api.quit = function(...)
	count_arguments("quit", select("#", ...), 0)
	error(QUIT, 0)
end
api.screen = function(...)
	count_arguments("screen", select("#", ...), 1)
	state("screen", (...))
end
other("pause", "continue", "input", "load", "run", "save", "cls", "update", "page", "port")

-- Single packets.
local SET = {
	count = {0, 2 ^ 32 - 1}, size = {64, 1518}, burst = {1, 256}, txburst = {1, 256},
	rxburst = {1, 256}, sport = {0, 65535}, dport = {0, 65535}, ttl = {0, 255},
	seq_cnt = {0, SEQUENCES}, seqCnt = {0, SEQUENCES}, prime = {1, 65535}, dump = {0, 32},
	cycles = {1, 2 ^ 32 - 1},
}
for_ports("set", 3, 3, function(port, key, value)
	if key == "rate" then
		port.single.rate = number("set rate", value, 1e-6, 100)
		return
	elseif SET[key] == nil then
		refuse("set does not support %s", tostring(key))
	end
	integer("set " .. key, value, SET[key][1], SET[key][2])
	if key == "seq_cnt" or key == "seqCnt" then
		port.sequence_count = value
	else
		port.single[key] = value
	end
end)
for_ports("set_mac", 3, 3, function(port, which, value)
	port.single[word("set_mac", which, "src", "dst") .. "_mac"] = mac("set_mac", value)
end)
for_ports("set_ipaddr", 3, 3, function(port, which, value)
	port.single[word("set_ipaddr", which, "src", "dst")] = address("set_ipaddr", value, which == "src")
end)
for_ports("set_proto", 2, 2, function(port, value)
	port.single.proto = word("set_proto", value, "udp", "tcp", "icmp")
end)
for_ports("set_type", 2, 2, function(_, value)
	word("set_type", value, "ipv4", "ipv6", "vlan", "arp")
end)
for_ports("vlanid", 2, 2, function(_, value) integer("vlanid", value, 1, 4095) end)
switch("vlan", "vlan")
other("cos", "tos", "vxlan", "vxlan_id", "mpls", "qinq", "gre", "gre_eth", "pattern", "userPattern",
	"ping4", "send_arp", "icmp_echo")

-- Ranges.
switch("set_range", "range")
local function range_field(name, parse)
	range_api[name] = function(...)
		result.calls = result.calls + 1
		count_arguments("range." .. name, select("#", ...), 3)
		local list, key, value = ...
		word("range." .. name, key, "start", "inc", "min", "max")
		for _, port in ipairs(port_list("range." .. name, list)) do
			local fields = port.range.fields
			fields[name] = fields[name] or {start = 0, inc = 0, min = 0, max = 0}
			fields[name][key] = parse("range." .. name, value, key)
		end
	end
end
local function between(least, most)
	return function(name, value, key)
		return integer(name, value, key == "inc" and 0 or least, most)
	end
end
local function mac_or_none(name, value, key)
	mac(name, value)
	return key == "inc" and 0 or value
end
range_field("dst_mac", mac_or_none)
range_field("src_mac", mac_or_none)
range_field("src_ip", function(name, value) return address(name, value) end)
range_field("dst_ip", function(name, value) return address(name, value) end)
range_field("src_port", between(0, 65535))
range_field("dst_port", between(0, 65535))
range_field("ttl", between(0, 255))
range_field("hop_limits", between(0, 255))
range_field("vlan_id", between(1, 4095))
range_field("pkt_size", between(64, 1518))
range_field("cos", between(0, 7))
range_field("tos", between(0, 255))
range_field("traffic_class", between(0, 255))
for _, name in ipairs{"mpls_entry", "qinqids", "gre_key"} do
	range_api[name] = function() refuse("range.%s exists, but is not played", name) end
end
range_api.ip_proto = function(...)
	count_arguments("range.ip_proto", select("#", ...), 2)
	for _, port in ipairs(port_list("range.ip_proto", (...))) do
		port.range.proto = word("range.ip_proto", select(2, ...), "udp", "tcp", "icmp")
	end
end
range_api.set_type = function(...)
	count_arguments("range.set_type", select("#", ...), 2)
	port_list("range.set_type", (...))
	word("range.set_type", select(2, ...), "ipv4", "ipv6")
end
api.range = strict("pktgen.range", range_api)
other("gtpu_teid")

-- Random fields, sequences, captures.
other("rnd", "rnd_list", "seqTable", "capture", "rxtap", "txtap")
api.seq = function(...)
	result.calls = result.calls + 1
	count_arguments("seq", select("#", ...), 12, 13)
	local index, list, dst_mac, src_mac, dst_ip, src_ip, src_port, dst_port, kind, proto, vlan,
		size = ...
	integer("seq", index, 0, SEQUENCES - 1)
	for _, port in ipairs(port_list("seq", list)) do
		port.sequences[index] = {
			dst_mac = mac("seq", dst_mac), src_mac = mac("seq", src_mac),
			dst_ip = address("seq", dst_ip), src_ip = address("seq", src_ip, true),
			src_port = integer("seq", src_port, 0, 65535),
			dst_port = integer("seq", dst_port, 0, 65535),
			kind = word("seq", kind, "ipv4", "ipv6"),
			proto = word("seq", proto, "udp", "tcp", "icmp"),
			pkt_size = integer("seq", size, 64, 1518), ttl = 64,
		}
		integer("seq", vlan, 0, 4095)
	end
end
switch("pcap", "pcap", function(_, on)
	if on and os.getenv("STANDIN_PCAP") == nil then
		refuse("pcap: no file was given by -s")
	end
end)

-- Latency.
switch("latency", "latency")
for_ports("latsampler_params", 5, 5, function(port, kind, samples, rate, file)
	if type(file) ~= "string" then
		refuse("latsampler_params: no file")
	end
	port.sampler = {
		kind = word("latsampler_params", kind, "simple", "poisson"),
		samples = integer("latsampler_params", samples, 1, 2 ^ 20),
		rate = integer("latsampler_params", rate, 1, 2 ^ 20),
		file = file,
	}
end)
switch("latsampler", "sampling", function(port, on)
	if on and port.sampler == nil then
		refuse("latsampler: no parameters")
	elseif not on and port.modes.sampling then
		local file = assert(io.open(port.sampler.file, "w"))
		file:write("Latency\n")
		-- 1,000 to 1,999 ns, in no order.
		for index = 0, answers and port.sampler.samples - 1 or -1 do
			file:write(1000 + index * 7 % 1000, "\n")
		end
		file:close()
	end
end)
other("jitter")

-- Statistics.
local function statistics(port, kind)
	if kind == "rate" then
		return strict("portStats", {pkts_tx = port.last.sent, pkts_rx = port.last.received,
			mbits_tx = 0, mbits_rx = 0})
	end
	local size = port.single.size - 4
	return strict("portStats", {opackets = port.sent, ipackets = port.received,
		obytes = port.sent * size, ibytes = port.received * size, ierrors = 0, oerrors = 0,
		rx_nombuf = 0, imissed = 0})
end
api.portStats = function(...)
	count_arguments("portStats", select("#", ...), 2)
	local list, kind = ...
	word("portStats", kind, "port", "rate")
	local found = {}
	for _, port in ipairs(port_list("portStats", list)) do
		found[port.index] = statistics(port, kind)
	end
	return strict("portStats", found)
end
api.portCount = function() return port_count end
api.totalPorts = function() return port_count end
other("portSizes", "pktStats", "portInfo", "linkState", "isSending")

-- ---- running a script ---------------------------------------------------------------------------

for index = 0, port_count - 1 do
	ports[index] = new_port(index)
end
local chunk, problem = loadfile(arg[1])
if chunk == nil then
	io.stderr:write(problem, "\n")
	os.exit(1)
end
pktgen = strict("pktgen", api)
setmetatable(_G, {
	__index = function(_, name) refuse("there is no global %s", tostring(name)) end,
	__newindex = function(_, name) refuse("%s becomes a global", tostring(name)) end,
})
local fine, why = xpcall(chunk, function(cause)
	return cause == QUIT and QUIT or tostring(cause) .. "\n" .. debug.traceback()
end)
result.quit = why == QUIT
if not fine and not result.quit then
	io.stderr:write(why, "\n")
	os.exit(1)
end
result.modes_left = {}
for _, port in pairs(ports) do
	for name, on in pairs(port.modes) do
		if on then
			result.modes_left[#result.modes_left + 1] = name
		end
	end
	if port.run ~= nil then
		result.modes_left[#result.modes_left + 1] = "sending"
	end
end
if os.getenv("STANDIN_RESULT") ~= nil then
	local file = assert(io.open(os.getenv("STANDIN_RESULT"), "w"))
	file:write(json(result), "\n")
	file:close()
end
