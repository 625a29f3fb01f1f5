/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_bucket.h>

#include "lath_test.h"

static unsigned
take_all(struct lath_bucket *bucket, lath_tick_t now)
{
	unsigned taken = 0;

	while (lath_bucket_take(bucket, now, 1))
		taken++;
	return taken;
}

static void
burst_comes_first_then_the_rate(void **state)
{
	struct lath_bucket bucket;

	(void)state;
	lath_bucket_init(&bucket, 50, 10, 1000);
	assert_int_equal(take_all(&bucket, 1000), 10);
	assert_int_equal(take_all(&bucket, 1001), 0); /* half a token */
	assert_int_equal(take_all(&bucket, 1002), 1);
	assert_int_equal(take_all(&bucket, 1100), 10); /* 49, but the bucket holds 10 */
	assert_false(lath_bucket_take(&bucket, 1100 + 100000, 11));
	assert_true(lath_bucket_take(&bucket, 1100 + 100000, 10));
}

static void
hungry_taker_gets_exactly_the_rate(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 50, 1000);

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		uint32_t rate = 1 + lath_random_below(&random, 997);
		lath_tick_t start = (lath_tick_t)lath_random_next(&random);
		lath_tick_t now = start;
		uint64_t taken;
		struct lath_bucket bucket;

		lath_bucket_init(&bucket, rate, 1000, start);
		taken = take_all(&bucket, start);
		for (unsigned step = 0; step < 1000; step++) {
			now += lath_random_below(&random, 100);
			taken += take_all(&bucket, now);
			assert_true(taken == 1000 + (uint64_t)(now - start) * rate / 100);
		}
	}
}

static void
time_wraps_and_never_earns_backwards(void **state)
{
	struct lath_bucket bucket;

	(void)state;
	lath_bucket_init(&bucket, 100, 5, UINT32_MAX - 1);
	assert_int_equal(take_all(&bucket, UINT32_MAX - 1), 5);
	assert_int_equal(take_all(&bucket, 1), 3);
	assert_int_equal(take_all(&bucket, UINT32_MAX), 0);
	assert_int_equal(take_all(&bucket, UINT32_MAX), 0);
	assert_int_equal(take_all(&bucket, 0), 1);
}

static void
extremes_do_not_overflow(void **state)
{
	struct lath_bucket bucket;

	(void)state;
	lath_bucket_init(&bucket, UINT64_MAX, UINT64_MAX, 0);
	assert_true(lath_bucket_take(&bucket, 0, UINT32_MAX));
	assert_true(lath_bucket_take(&bucket, 0x7fffffff, UINT32_MAX));
	assert_true(bucket.credit <= bucket.credit_max);
	lath_bucket_init(&bucket, 150, 1, 0);
	assert_true(lath_bucket_take(&bucket, 0, 1));
	lath_bucket_refill(&bucket, 1); /* earns one and a half */
	assert_true(bucket.credit == bucket.credit_max);
	lath_bucket_init(&bucket, 0, 3, 0);
	assert_int_equal(take_all(&bucket, 0), 3);
	assert_int_equal(take_all(&bucket, 0x7fffffff), 0);
	lath_bucket_init(&bucket, 1000, 0, 0);
	assert_false(lath_bucket_take(&bucket, 500, 1));
	assert_true(lath_bucket_take(&bucket, 500, 0));
}

static void
set_rate_credits_the_past_at_the_old_rate(void **state)
{
	struct lath_bucket bucket;

	(void)state;
	lath_bucket_init(&bucket, 100, 1000, 0);
	assert_int_equal(take_all(&bucket, 0), 1000);
	lath_bucket_set_rate(&bucket, 1, 1000, 200);
	assert_int_equal(take_all(&bucket, 200), 200);
	lath_bucket_set_rate(&bucket, 1000, 1000, 200);
	lath_bucket_set_rate(&bucket, 1000, 7, 300);
	assert_int_equal(take_all(&bucket, 300), 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(burst_comes_first_then_the_rate),
			cmocka_unit_test(hungry_taker_gets_exactly_the_rate),
			cmocka_unit_test(time_wraps_and_never_earns_backwards),
			cmocka_unit_test(extremes_do_not_overflow),
			cmocka_unit_test(set_rate_credits_the_past_at_the_old_rate),
	};

	return cmocka_run_group_tests_name("bucket", tests, NULL, NULL);
}
