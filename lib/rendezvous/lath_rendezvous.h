/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Weighted rendezvous hashing: picks one of a few groups so that each gets its exact share and a
 * change of weights moves as few flows as possible. Pure; any thread; allocates nothing; no table.
 */
#pragma once

#include <lath_base.h>

/**
 * Picks a group. The answer depends on the set of (id, weight) pairs, not on their order.
 * @param hash of the flow, evenly spread over 64 bits.
 * @param ids stable identities, all different.
 * @param weights 0 takes part in nothing.
 * @return an index 0..n-1, or n when every weight is 0.
 * @thread any
 */
unsigned lath_rendezvous_pick(uint64_t hash, const uint64_t *ids, const uint32_t *weights,
		unsigned n);
