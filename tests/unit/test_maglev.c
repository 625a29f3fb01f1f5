/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_maglev.h>

#include "lath_test.h"

#define TARGETS_MAX 64u

struct targets {
	unsigned n;
	uint64_t ids[TARGETS_MAX]; /* upwards */
	uint32_t weights[TARGETS_MAX];
};

static struct targets
draw_targets(uint64_t *random, unsigned n, uint32_t weight_max)
{
	struct targets targets = {.n = n};
	uint64_t id = lath_random_next(random) >> 1;

	for (unsigned i = 0; i < n; i++) {
		id += 1 + lath_random_below(random, 3);
		targets.ids[i] = id;
		targets.weights[i] = lath_random_below(random, weight_max + 1);
	}
	targets.weights[lath_random_below(random, n)] = 1 + lath_random_below(random, weight_max);
	return targets;
}

static uint64_t
model_mix(uint64_t id, uint64_t constant)
{
	/* lath_random_next() adds its own constant before the same finisher. */
	uint64_t state = id + constant - UINT64_C(0x9e3779b97f4a7c15);

	return lath_random_next(&state);
}

/* The paper's pseudocode with permutation[i][j] multiplied out. In round r a target has a turn when
 * r turns' worth of its weight holds one more whole heaviest weight than r - 1 turns' worth.
 */
static void
model_build(uint16_t *table, uint32_t size, const struct targets *targets)
{
	uint64_t next[TARGETS_MAX] = {0};
	uint32_t filled = 0;
	uint64_t heaviest = 0;

	memset(table, 0xff, size * sizeof(*table));
	for (unsigned i = 0; i < targets->n; i++)
		heaviest = lath_max_u32((uint32_t)heaviest, targets->weights[i]);
	for (uint64_t round = 1;; round++) {
		for (unsigned i = 0; i < targets->n; i++) {
			uint64_t offset = model_mix(targets->ids[i], 0x9e3779b97f4a7c15) % size;
			uint64_t skip = model_mix(targets->ids[i], 0xd1b54a32d192ed03);
			uint64_t slot;

			if (round * targets->weights[i] / heaviest ==
					(round - 1) * targets->weights[i] / heaviest)
				continue;
			do
				slot = (offset + next[i]++ * (skip % (size - 1) + 1)) % size;
			while (table[slot] != UINT16_MAX);
			table[slot] = (uint16_t)i;
			if (++filled == size)
				return;
		}
	}
}

static void
build(uint16_t *table, uint32_t size, const struct targets *targets)
{
	assert_int_equal(lath_maglev_build(table, size, targets->ids, targets->weights, targets->n,
					 &lath_heap),
			0);
}

static void
table_equals_the_model(void **state)
{
	static uint16_t table[LATH_MAGLEV_SIZE_MAX];
	static uint16_t model[LATH_MAGLEV_SIZE_MAX];
	static const uint32_t sizes[] = {251, 1021, 4093, 16381, 65537};
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 40, 2000);

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		uint32_t size = sizes[i % 4 + (i % 20 == 19)];
		struct targets targets = draw_targets(&random,
				1 + lath_random_below(&random, TARGETS_MAX), 1u << i % 8);

		build(table, size, &targets);
		model_build(model, size, &targets);
		assert_memory_equal(table, model, size * sizeof(*table));
	}
}

static void
shares_are_right_to_a_few_slots(void **state)
{
	static uint16_t table[LATH_MAGLEV_SIZE_MAX];
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 50, 1000);

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		struct targets targets = draw_targets(&random, 2 + i % 40, 1 + i % 7);
		uint32_t size = lath_maglev_size(targets.weights, targets.n);
		unsigned slots[TARGETS_MAX] = {0};
		double sum = 0;

		build(table, size, &targets);
		for (unsigned t = 0; t < targets.n; t++)
			sum += targets.weights[t];
		for (uint32_t s = 0; s < size; s++)
			slots[table[s]]++;
		for (unsigned t = 0; t < targets.n; t++) {
			double share = targets.weights[t] / sum;
			double off = slots[t] - size * share;

			assert_true(off <= 2 + targets.n * share);
			assert_true(-off <= 2 + targets.n * share);
		}
	}
}

static void
few_slots_move_when_a_target_leaves(void **state)
{
	static uint16_t before[LATH_MAGLEV_SIZE_MAX];
	static uint16_t after[LATH_MAGLEV_SIZE_MAX];
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 50, 1000);
	unsigned moved = 0;
	unsigned stayed = 0;

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		struct targets targets = draw_targets(&random, 10 + i % 30, 1);
		unsigned gone = lath_random_below(&random, targets.n);

		for (unsigned t = 0; t < targets.n; t++)
			targets.weights[t] = 1;
		build(before, 4093, &targets);
		targets.weights[gone] = 0;
		build(after, 4093, &targets);
		for (uint32_t s = 0; s < 4093; s++) {
			assert_int_not_equal(after[s], gone);
			moved += before[s] != gone && before[s] != after[s];
			stayed += before[s] == after[s];
		}
	}
	/* Slots of others that move although they need not; a modulo would move nearly all. */
	print_message("moved %u, stayed %u\n", moved, stayed);
	assert_true(moved < stayed / 20);
}

static void
order_of_targets_does_not_matter(void **state)
{
	uint16_t straight[1021];
	uint16_t shuffled[1021];
	uint64_t random = lath_test_random(__func__);
	struct targets targets = draw_targets(&random, 9, 5);
	struct targets mixed = targets;

	(void)state;
	for (unsigned i = mixed.n - 1; i > 0; i--) {
		unsigned j = lath_random_below(&random, i + 1);
		uint64_t id = mixed.ids[i];
		uint32_t weight = mixed.weights[i];

		mixed.ids[i] = mixed.ids[j];
		mixed.weights[i] = mixed.weights[j];
		mixed.ids[j] = id;
		mixed.weights[j] = weight;
	}
	build(straight, 1021, &targets);
	build(shuffled, 1021, &mixed);
	for (unsigned s = 0; s < 1021; s++)
		assert_true(targets.ids[straight[s]] == mixed.ids[shuffled[s]]);
}

static void
size_rows(void **state)
{
	static const struct {
		uint32_t weights[3];
		unsigned n;
		uint32_t size;
	} rows[] = {
			{{0}, 0, 1},
			{{7}, 1, 1},
			{{7, 0, 0}, 3, 1},
			{{1, 1}, 2, 251},
			{{1, 1, 1}, 3, 1021},
			{{1000, 1000}, 2, 251},
			{{3, 7}, 2, 1021},
			{{4, 7}, 2, 4093},
			{{20, 20, 0}, 3, 251},
			{{1, 39}, 2, 4093},
			{{1, 40}, 2, 16381},
			{{1, 162}, 2, 16381},
			{{1, 163}, 2, 65537},
			{{1, 654}, 2, 65537},
			{{1, UINT32_MAX, UINT32_MAX}, 3, 65537},
	};

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++)
		assert_int_equal(lath_maglev_size(rows[i].weights, rows[i].n), rows[i].size);
}

static void *
no_memory(void *ctx, size_t size)
{
	(void)ctx;
	(void)size;
	return NULL;
}

static void
build_refuses_what_it_cannot_do(void **state)
{
	static const uint64_t ids[] = {30, 20, 10};
	static const uint32_t weights[] = {5, 5, 0};
	static const uint32_t zeros[] = {0, 0, 0};
	const struct lath_allocator empty = {.alloc = no_memory};
	uint16_t table[251] = {77};

	(void)state;
	assert_int_equal(lath_maglev_build(table, 250, ids, weights, 3, &lath_heap), -EINVAL);
	assert_int_equal(lath_maglev_build(table, 0, ids, weights, 3, &lath_heap), -EINVAL);
	assert_int_equal(lath_maglev_build(table, 251, ids, zeros, 3, &lath_heap), -EINVAL);
	assert_int_equal(lath_maglev_build(table, 251, ids, weights, 0, &lath_heap), -EINVAL);
	assert_int_equal(lath_maglev_build(table, 251, ids, weights, 3, &empty), -ENOMEM);
	assert_int_equal(table[0], 77);
	assert_int_equal(lath_maglev_build(table, 1, ids, weights, 3, &lath_heap), 0);
	assert_int_equal(table[0], 1); /* id 20: the lowest that has a weight */
}

static void
slot_spreads_evenly(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned hits[251] = {0};

	(void)state;
	assert_int_equal(lath_maglev_slot(UINT64_MAX, 65537), 65536);
	assert_int_equal(lath_maglev_slot(0, 65537), 0);
	assert_int_equal(lath_maglev_slot(UINT64_MAX, 1), 0);
	for (unsigned i = 0; i < 251 * 400; i++)
		hits[lath_maglev_slot(lath_random_next(&random), 251)]++;
	for (unsigned i = 0; i < 251; i++)
		assert_in_range(hits[i], 270, 530); /* 6.5 standard deviations */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(table_equals_the_model),
			cmocka_unit_test(shares_are_right_to_a_few_slots),
			cmocka_unit_test(few_slots_move_when_a_target_leaves),
			cmocka_unit_test(order_of_targets_does_not_matter),
			cmocka_unit_test(size_rows),
			cmocka_unit_test(build_refuses_what_it_cannot_do),
			cmocka_unit_test(slot_spreads_evenly),
	};

	return cmocka_run_group_tests_name("maglev", tests, NULL, NULL);
}
