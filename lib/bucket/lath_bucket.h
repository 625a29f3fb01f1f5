/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Token buckets in whole numbers: a rate per second and a burst. One owner, no lock, no clock, no
 * division, no drift: over any time exactly rate x seconds tokens come in. Allocates nothing.
 */
#pragma once

#include <lath_base.h>

#define LATH_BUCKET_BURST_MAX (UINT64_MAX / LATH_TICKS_PER_SECOND)

/* Credit is counted in 1/100 tokens, so that one tick earns exactly `rate_per_second` of them. */
struct lath_bucket {
	uint64_t credit;
	uint64_t credit_max;
	uint64_t rate_per_second;
	lath_tick_t last_tick;
	uint32_t reserved;
};

/** Full at the start. `burst` is capped at LATH_BUCKET_BURST_MAX; a rate of 0 refills nothing.
 *  @thread any, one owner
 */
void lath_bucket_init(struct lath_bucket *bucket, uint64_t rate_per_second, uint64_t burst,
		lath_tick_t now);

/** Credits the time until `now` at the old rate, then changes rate and burst; what is over the new
 *  burst is lost. @thread any, one owner
 */
void lath_bucket_set_rate(struct lath_bucket *bucket, uint64_t rate_per_second, uint64_t burst,
		lath_tick_t now);

/** Credits the time until `now`. A tick before the last one earns nothing. @thread any, one owner */
static inline void
lath_bucket_refill(struct lath_bucket *bucket, lath_tick_t now)
{
	uint64_t room = bucket->credit_max - bucket->credit;
	uint64_t earned;

	if (!lath_tick_reached(now, bucket->last_tick)) {
		bucket->last_tick = now;
		return;
	}
	if (__builtin_mul_overflow((uint64_t)(now - bucket->last_tick), bucket->rate_per_second,
			    &earned) ||
			earned > room)
		earned = room;
	bucket->credit += earned;
	bucket->last_tick = now;
}

/** Takes n tokens, all or none. @thread any, one owner */
static inline bool
lath_bucket_take(struct lath_bucket *bucket, lath_tick_t now, uint32_t n)
{
	uint64_t price = (uint64_t)n * LATH_TICKS_PER_SECOND;

	lath_bucket_refill(bucket, now);
	if (bucket->credit < price)
		return false;
	bucket->credit -= price;
	return true;
}
