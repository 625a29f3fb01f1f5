/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_counters.h>

#include "failing_heap.h"

static const struct lath_registry_limits limits = {.max = {5, 4, 3, 2, 7, 6}};

static void
rows_are_as_many_as_the_registry_has_indexes(void **state)
{
	struct lath_counters *counters = lath_counters_create(&limits, &lath_heap);

	(void)state;
	assert_non_null(counters);
	for (unsigned kind = 0; kind < LATH_OBJECT_KIND_COUNT; kind++) {
		assert_int_equal(counters->rows[kind], limits.max[kind]);
		for (uint32_t row = 0; row < limits.max[kind]; row++) {
			static const struct lath_object_counters zero;

			assert_memory_equal(&counters->objects[kind][row], &zero, sizeof(zero));
		}
	}
	lath_counters_free(counters, &lath_heap);
	lath_counters_free(NULL, &lath_heap);
}

static void
drops_count_by_vpc_and_reason(void **state)
{
	struct lath_counters *counters = lath_counters_create(&limits, &lath_heap);

	(void)state;
	assert_non_null(counters);
	for (uint32_t vpc = 0; vpc < 5; vpc++)
		for (unsigned drop = 1; drop < LATH_DROP_COUNT; drop++)
			for (unsigned n = 0; n < vpc * 100 + drop; n++)
				lath_counters_drop(counters, vpc, (enum lath_drop)drop);
	assert_true(lath_counters_drops(counters, LATH_DROP_NONE) == 0);
	for (unsigned drop = 1; drop < LATH_DROP_COUNT; drop++) {
		assert_true(lath_counters_drops(counters, (enum lath_drop)drop) == 1000 + 5 * drop);
		assert_true(counters->drops[3 * LATH_DROP_COUNT + drop] == 300 + drop);
	}
	lath_counters_free(counters, &lath_heap);
}

/* Each thing that can happen to a packet, by what it adds to the sum. */
static void
imbalance_is_what_went_in_less_what_came_out(void **state)
{
	struct lath_counters *counters = lath_counters_create(&limits, &lath_heap);
	struct lath_worker_counters *w;
	int64_t expected = 0;

	(void)state;
	assert_non_null(counters);
	w = &counters->worker;
	const struct {
		uint64_t *counter;
		int sign;
	} rows[] = {
			{&w->received, 1},
			{&w->handed_in, 1},
			{&w->generated[LATH_GENERATED_ARP_REPLY], 1},
			{&w->generated[LATH_GENERATED_COUNT - 1], 1},
			{&w->sent, -1},
			{&w->consumed, -1},
			{&w->handed_out, -1},
			{&w->held, -1},
			{&counters->drops[LATH_DROP_shutdown], -1},
			{&counters->drops[4 * LATH_DROP_COUNT + 1], -1},
			{&w->received_bytes, 0},
			{&w->handover[LATH_HANDOVER_ICMP], 0}, /* part of handed_out */
			{&w->flows_created, 0},
			{&w->punts, 0},
	};

	assert_true(lath_counters_imbalance(counters) == 0);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		*rows[i].counter += 10 + i;
		expected += rows[i].sign * (int64_t)(10 + i);
		assert_true(lath_counters_imbalance(counters) == expected);
	}
	lath_counters_free(counters, &lath_heap);
}

static void
memory_that_is_short_comes_back(void **state)
{
	bool is_enough = false;

	(void)state;
	for (unsigned pieces = 0; !is_enough; pieces++) {
		struct failing_heap heap = {.left = pieces};
		struct lath_allocator allocator = failing_allocator(&heap);
		struct lath_counters *counters = lath_counters_create(&limits, &allocator);

		is_enough = counters != NULL;
		if (counters == NULL)
			assert_int_equal(errno, ENOMEM);
		lath_counters_free(counters, &allocator);
		assert_true(heap.out == 0);
		assert_in_range(pieces, 0, 100);
	}
}

/* Metric names are made of these: lower case and underscores, none twice. */
static void
assert_name(const char *name, const char *seen[], unsigned count)
{
	assert_non_null(name);
	assert_true(strlen(name) > 2);
	assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(name));
	for (unsigned i = 0; i < count; i++)
		assert_string_not_equal(name, seen[i]);
	seen[count] = name;
}

static void
everything_counted_has_one_name(void **state)
{
	const char *seen[LATH_DROP_COUNT];

	(void)state;
	for (unsigned i = 0; i < LATH_DROP_COUNT; i++) {
		assert_name(lath_drop_name((enum lath_drop)i), seen, i);
		assert_true(strlen(lath_drop_help((enum lath_drop)i)) > 5);
	}
	for (unsigned i = 0; i < LATH_GENERATED_COUNT; i++)
		assert_name(lath_generated_name((enum lath_generated)i), seen, i);
	for (unsigned i = 0; i < LATH_FLOW_END_COUNT; i++)
		assert_name(lath_flow_end_name((enum lath_flow_end)i), seen, i);
	for (unsigned i = 0; i < LATH_HANDOVER_COUNT; i++)
		assert_name(lath_handover_name((enum lath_handover)i), seen, i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(rows_are_as_many_as_the_registry_has_indexes),
			cmocka_unit_test(drops_count_by_vpc_and_reason),
			cmocka_unit_test(imbalance_is_what_went_in_less_what_came_out),
			cmocka_unit_test(memory_that_is_short_comes_back),
			cmocka_unit_test(everything_counted_has_one_name),
	};

	return cmocka_run_group_tests_name("counters", tests, NULL, NULL);
}
