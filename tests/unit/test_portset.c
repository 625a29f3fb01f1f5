/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_portset.h>

#include "lath_test.h"

/* An array of flags, searched one by one. */
struct model {
	unsigned n;
	unsigned free_count;
	bool is_free[LATH_PORTSET_MAX];
};

static int
model_take(struct model *model, uint32_t start)
{
	for (unsigned i = 0; i < model->n; i++) {
		unsigned idx = (start % model->n + i) % model->n;

		if (!model->is_free[idx])
			continue;
		model->is_free[idx] = false;
		model->free_count--;
		return (int)idx;
	}
	return -ENOSPC;
}

static void
random_step(struct lath_portset *set, struct model *model, uint64_t *random, unsigned put_share)
{
	uint32_t idx = lath_random_below(random, model->n + 3);

	assert_int_equal(lath_portset_is_free(set, idx), idx < model->n && model->is_free[idx]);
	if (lath_random_below(random, 100) < put_share) {
		if (idx >= model->n || model->is_free[idx])
			return;
		lath_portset_put(set, idx);
		model->is_free[idx] = true;
		model->free_count++;
	} else if (lath_random_below(random, 4) == 0) {
		int rc = idx >= model->n ? -EINVAL : model->is_free[idx] ? 0 : -EBUSY;

		assert_int_equal(lath_portset_take_at(set, idx), rc);
		if (rc == 0) {
			model->is_free[idx] = false;
			model->free_count--;
		}
	} else {
		int peeked = lath_portset_peek(set, idx);

		assert_int_equal(lath_portset_take(set, idx), peeked);
		assert_int_equal(peeked, model_take(model, idx));
	}
	assert_int_equal(lath_portset_free_count(set), model->free_count);
}

static void
set_equals_the_model(void **state)
{
	static const unsigned sizes[] = {
			1, 2, 63, 64, 65, 127, 4032, 4095, 4096, 4097, 8192, 65535, 65536};
	static struct model model;
	uint64_t random = lath_test_random(__func__);
	unsigned steps = lath_test_size(__func__, 20000, 100000);

	(void)state;
	for (unsigned s = 0; s < LATH_ARRAY_SIZE(sizes); s++) {
		uint64_t *memory = malloc(lath_portset_size(sizes[s]));
		struct lath_portset *set = lath_portset_init(memory, sizes[s]);

		model.n = sizes[s];
		model.free_count = sizes[s];
		memset(model.is_free, 1, sizeof(model.is_free));
		/* Phases: fill up, stay nearly full, empty. */
		for (unsigned i = 0; i < steps; i++)
			random_step(set, &model, &random,
					i < steps / 3                       ? 20
							: i < steps * 2 / 3 ? 50
									    : 80);
		free(memory);
	}
}

static void
last_free_index_is_found_from_everywhere(void **state)
{
	uint64_t *memory = malloc(lath_portset_size(LATH_PORTSET_MAX));
	struct lath_portset *set = lath_portset_init(memory, LATH_PORTSET_MAX);
	uint64_t random = lath_test_random(__func__);

	(void)state;
	for (unsigned i = 0; i < LATH_PORTSET_MAX; i++)
		assert_int_equal(lath_portset_take(set, 0), i);
	assert_int_equal(lath_portset_take(set, 0), -ENOSPC);
	for (unsigned i = 0; i < 5000; i++) {
		uint32_t idx = lath_random_below(&random, LATH_PORTSET_MAX);

		lath_portset_put(set, idx);
		assert_int_equal(lath_portset_take(set, (uint32_t)lath_random_next(&random)), idx);
		assert_int_equal(lath_portset_take(set, idx), -ENOSPC);
	}
	free(memory);
}

static void
size_stays_near_one_bit_an_index(void **state)
{
	(void)state;
	assert_in_range(lath_portset_size(LATH_PORTSET_MAX), 8192, 8192 + 160);
	assert_in_range(lath_portset_size(1), 8, 8 + 160);
}

static void
empty_set_has_nothing(void **state)
{
	uint64_t *memory = malloc(lath_portset_size(0));
	struct lath_portset *set = lath_portset_init(memory, 0);

	(void)state;
	assert_int_equal(lath_portset_take(set, 0), -ENOSPC);
	assert_int_equal(lath_portset_take_at(set, 0), -EINVAL);
	assert_false(lath_portset_is_free(set, 0));
	free(memory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(set_equals_the_model),
			cmocka_unit_test(last_free_index_is_found_from_everywhere),
			cmocka_unit_test(size_stays_near_one_bit_an_index),
			cmocka_unit_test(empty_set_has_nothing),
	};

	return cmocka_run_group_tests_name("portset", tests, NULL, NULL);
}
