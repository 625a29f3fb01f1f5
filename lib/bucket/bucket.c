/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * A token bucket refilled when it is asked. Credit is kept in 1/100 tokens: a tick of 10 ms earns
 * exactly `rate` of them, so nothing is rounded and nothing drifts however often it is asked.
 * A product that overflows 64 bits is more than any room left, so it fills the bucket.
 *
 * LIMIT: a bucket that nobody asked for more than 2^31 ticks (248 days) may find the time going
 * backwards; it earns nothing that once and goes on.
 */

#include "lath_bucket.h"

static uint64_t
credit_of(uint64_t burst)
{
	return (burst < LATH_BUCKET_BURST_MAX ? burst : LATH_BUCKET_BURST_MAX) *
			LATH_TICKS_PER_SECOND;
}

void
lath_bucket_init(struct lath_bucket *bucket, uint64_t rate_per_second, uint64_t burst,
		lath_tick_t now)
{
	*bucket = (struct lath_bucket){
			.credit = credit_of(burst),
			.credit_max = credit_of(burst),
			.rate_per_second = rate_per_second,
			.last_tick = now,
	};
}

void
lath_bucket_set_rate(struct lath_bucket *bucket, uint64_t rate_per_second, uint64_t burst,
		lath_tick_t now)
{
	lath_bucket_refill(bucket, now);
	bucket->rate_per_second = rate_per_second;
	bucket->credit_max = credit_of(burst);
	if (bucket->credit > bucket->credit_max)
		bucket->credit = bucket->credit_max;
}
