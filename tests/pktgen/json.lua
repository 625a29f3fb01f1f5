-- SPDX-License-Identifier: BSD-3-Clause
-- Copyright (c) 2026 The Lath authors

-- json(value): texts, numbers, booleans, lists and tables with text keys, no more than the stand-in
-- writes. A table without elements is a list.

local function json(value)
	if type(value) ~= "table" then
		return type(value) == "string" and string.format("%q", value) or tostring(value)
	end
	local parts = {}
	if #value > 0 or next(value) == nil then
		for _, item in ipairs(value) do
			parts[#parts + 1] = json(item)
		end
		return "[" .. table.concat(parts, ",") .. "]"
	end
	for key, item in pairs(value) do
		parts[#parts + 1] = json(tostring(key)) .. ":" .. json(item)
	end
	return "{" .. table.concat(parts, ",") .. "}"
end

return json
