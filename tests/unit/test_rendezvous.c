/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_rendezvous.h>

#include "lath_test.h"

#define GROUPS 10u

static void
draw_groups(uint64_t *random, uint64_t *ids, uint32_t *weights)
{
	uint64_t first = lath_random_next(random);

	for (unsigned i = 0; i < GROUPS; i++) {
		ids[i] = first + i; /* consecutive ids are the hard case */
		weights[i] = lath_random_below(random, 4) == 0
				? 0
				: lath_random_below(random, 1000) + 1;
	}
	weights[0] = 500;
}

static void
shares_follow_the_weights(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned picks = lath_test_size(__func__, 200000, 5000000);
	uint64_t ids[GROUPS];
	uint32_t weights[GROUPS];
	unsigned picked[GROUPS] = {0};
	double sum = 0;

	(void)state;
	draw_groups(&random, ids, weights);
	for (unsigned i = 0; i < GROUPS; i++)
		sum += weights[i];
	for (unsigned i = 0; i < picks; i++) {
		unsigned group = lath_rendezvous_pick(lath_random_next(&random), ids, weights,
				GROUPS);

		assert_in_range(group, 0, GROUPS - 1);
		picked[group]++;
	}
	for (unsigned i = 0; i < GROUPS; i++) {
		double expected = picks * (weights[i] / sum);
		double off = picked[i] - expected;

		/* Six standard deviations, squared, of a binomial count. */
		assert_true(off * off <= 36 * expected * (1 - weights[i] / sum));
	}
}

static void
weight_change_moves_flows_of_that_group_only(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned picks = lath_test_size(__func__, 20000, 1000000);
	uint64_t ids[GROUPS];
	uint32_t before[GROUPS];
	uint32_t after[GROUPS];

	(void)state;
	draw_groups(&random, ids, before);
	for (unsigned i = 0; i < picks; i++) {
		uint64_t hash = lath_random_next(&random);
		unsigned changed = lath_random_below(&random, GROUPS);
		unsigned from = lath_rendezvous_pick(hash, ids, before, GROUPS);
		unsigned to;

		memcpy(after, before, sizeof(after));
		after[changed] = lath_random_below(&random, 1500);
		to = lath_rendezvous_pick(hash, ids, after, GROUPS);
		if (to != from && after[changed] > before[changed])
			assert_int_equal(to, changed);
		if (to != from && after[changed] <= before[changed])
			assert_int_equal(from, changed);
	}
}

static void
order_of_groups_does_not_matter(void **state)
{
	uint64_t random = lath_test_random(__func__);
	uint64_t ids[2][GROUPS];
	uint32_t weights[2][GROUPS];

	(void)state;
	draw_groups(&random, ids[0], weights[0]);
	for (unsigned i = 0; i < GROUPS; i++) {
		ids[1][i] = ids[0][GROUPS - 1 - i];
		weights[1][i] = weights[0][GROUPS - 1 - i];
	}
	for (unsigned i = 0; i < 10000; i++) {
		uint64_t hash = lath_random_next(&random);
		unsigned straight = lath_rendezvous_pick(hash, ids[0], weights[0], GROUPS);
		unsigned reversed = lath_rendezvous_pick(hash, ids[1], weights[1], GROUPS);

		assert_int_equal(straight, GROUPS - 1 - reversed);
	}
}

static void
nothing_to_pick_gives_n(void **state)
{
	static const uint64_t ids[] = {1, 2, 3};
	static const uint32_t zeros[] = {0, 0, 0};
	static const uint32_t last[] = {0, 0, 1};

	(void)state;
	assert_int_equal(lath_rendezvous_pick(7, ids, zeros, 3), 3);
	assert_int_equal(lath_rendezvous_pick(7, ids, zeros, 0), 0);
	assert_int_equal(lath_rendezvous_pick(7, ids, last, 3), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(shares_follow_the_weights),
			cmocka_unit_test(weight_change_moves_flows_of_that_group_only),
			cmocka_unit_test(order_of_groups_does_not_matter),
			cmocka_unit_test(nothing_to_pick_gives_n),
	};

	return cmocka_run_group_tests_name("rendezvous", tests, NULL, NULL);
}
