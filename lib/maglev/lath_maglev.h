/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Maglev lookup tables: one slot read picks a target, and few slots change hands when targets come
 * or go. Built by management, read by the data plane. The caller owns the table; building borrows
 * 32 bytes a target from the allocator and gives them back.
 */
#pragma once

#include <lath_base.h>

#define LATH_MAGLEV_SIZE_MAX 65537u
#define LATH_MAGLEV_TARGETS_MAX 65535u

/** The table size for these weights: the smallest of the primes 251, 1021, 4093, 16381, 65537 that
 *  is at least 100 x sum / gcd, so that shares are right to 1 %. Capped at 65537 (then less
 *  accurate; a target may even get no slot). 1 when at most one weight is not 0. @thread any
 */
uint32_t lath_maglev_size(const uint32_t *weights, unsigned n);

/**
 * Fills `table` with indexes into `ids`. The targets that the slots mean depend on the set of
 * (id, weight) pairs only, not on their order.
 * @param size 1 (the lowest id of weight > 0 gets it) or one of the primes of lath_maglev_size().
 * @param ids stable identities, all different, of any quality (they are mixed here).
 * @param weights 0 gets no slot.
 * @return 0; -EINVAL for another size, n over LATH_MAGLEV_TARGETS_MAX or no weight > 0; -ENOMEM.
 * The table is written only on success.
 * @thread any
 */
int lath_maglev_build(uint16_t *table, uint32_t size, const uint64_t *ids, const uint32_t *weights,
		unsigned n, const struct lath_allocator *allocator);

/** The slot of a hash that is evenly spread over 64 bits: 0..size-1 without bias and without a
 *  division (Lemire, "Fast random integer generation in an interval", 2019, section 3).
 *  @thread any
 */
static inline uint32_t
lath_maglev_slot(uint64_t hash, uint32_t size)
{
	return (uint32_t)(((unsigned __int128)hash * size) >> 64);
}
