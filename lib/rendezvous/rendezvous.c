/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Weighted rendezvous (highest random weight) hashing: Thaler and Ravishankar, IEEE/ACM ToN 6(1),
 * 1998, with weights by Schindelhauer and Schomaker, "Weighted distributed hash tables", SPAA 2005.
 *
 * Every group draws u in (0, 1) from (hash, id). -ln(u) / weight is an exponential variable of
 * that rate, and of several such the first to arrive is group i with probability weight_i / sum:
 * exact for any weights. A group's number depends on nobody else, so a flow moves only to a group
 * that got heavier or away from one that got lighter: the least possible. One logarithm a group
 * (20 to 40 ns) for a flow's first packet; a Maglev table of all groups would be rebuilt at each
 * weight shift and be exact to 1 % only.
 *
 * LIMIT: two gateways whose C libraries round log() differently in the last bit disagree on about
 * one flow in 2^50.
 */

#include <math.h>

#include "lath_rendezvous.h"

/* The finisher of SplitMix64: every input bit changes every output bit half of the time. */
static uint64_t
mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* The group's arrival time. Ids may be small and consecutive, so they are mixed on their own
 * before they meet the hash.
 */
static double
arrival(uint64_t hash, uint64_t id, uint32_t weight)
{
	uint64_t drawn = mix(hash ^ mix(id + UINT64_C(0x9e3779b97f4a7c15)));
	/* 52 bits and a half: 53 bits, so exact in a double, never 0 and never 1. */
	double u = ((double)(drawn >> 12) + 0.5) * 0x1p-52;

	return -log(u) / weight;
}

unsigned
lath_rendezvous_pick(uint64_t hash, const uint64_t *ids, const uint32_t *weights, unsigned n)
{
	unsigned best = n;
	double earliest = INFINITY;

	/* Most actions name one group: nothing to choose, no logarithm. */
	if (n == 1)
		return weights[0] == 0 ? 1 : 0;
	for (unsigned i = 0; i < n; i++) {
		double at;

		if (weights[i] == 0)
			continue;
		at = arrival(hash, ids[i], weights[i]);
		if (best == n || at < earliest || (at == earliest && ids[i] < ids[best])) {
			best = i;
			earliest = at;
		}
	}
	return best;
}
