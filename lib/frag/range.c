/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "frag_private.h"

/*
 * Runs that touch are joined, so fragments in order or in reverse are one run and a few gaps cover
 * every order that a network makes. The price: a fragment that lies within a run may be a copy of
 * one that came, or a part of it. Either is dropped alone, which RFC 8200 section 4.5 allows for
 * copies; no byte passes twice. What overlaps in part ends the datagram (RFC 5722 section 4).
 */

enum range_add
lath_frag_ranges_add(struct ranges *ranges, uint32_t offset, uint32_t len, bool more)
{
	struct range new = {(uint16_t)(offset / 8), (uint16_t)((offset + len + 7) / 8)};
	uint32_t total = more ? ranges->total : offset + len;
	uint32_t at = 0;
	bool joins_left;
	bool joins_right;

	for (uint32_t i = 0; i < ranges->count; i++) {
		const struct range *run = &ranges->runs[i];

		if (run->start <= new.start &&new.end <= run->end)
			return RANGE_DUPLICATE;
		if (run->start < new.end &&new.start < run->end)
			return RANGE_OVERLAP;
		at += run->end <= new.start;
	}
	if ((ranges->total != 0 && ranges->total != total) || (total != 0 && offset + len > total))
		return RANGE_OVERLAP;
	if (!more && at != ranges->count) /* something came that lies behind the end */
		return RANGE_OVERLAP;
	joins_left = at > 0 && ranges->runs[at - 1].end == new.start;
	joins_right = at < ranges->count && ranges->runs[at].start == new.end;
	if (!joins_left && !joins_right && ranges->count == RANGES_MAX)
		return RANGE_FULL;
	ranges->total = total;
	if (joins_left && joins_right) {
		ranges->runs[at - 1].end = ranges->runs[at].end;
		ranges->count--;
		memmove(&ranges->runs[at], &ranges->runs[at + 1],
				(ranges->count - at) * sizeof(new));
	} else if (joins_left) {
		ranges->runs[at - 1].end = new.end;
	} else if (joins_right) {
		ranges->runs[at].start = new.start;
	} else {
		memmove(&ranges->runs[at + 1], &ranges->runs[at],
				(ranges->count - at) * sizeof(new));
		ranges->runs[at] = new;
		ranges->count++;
	}
	return RANGE_NEW;
}

bool
lath_frag_ranges_complete(const struct ranges *ranges)
{
	return ranges->total != 0 && ranges->count == 1 && ranges->runs[0].start == 0 &&
			ranges->runs[0].end == (ranges->total + 7) / 8;
}
