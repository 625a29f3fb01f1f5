/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_wheel.h>

#include "lath_test.h"

#define ENTRIES 1000u
#define SECOND LATH_TICKS_PER_SECOND

/* An entry as a flow table would have it: the link is not its first member. */
struct entry {
	uint64_t other;
	struct lath_wheel_link link;
	/* The model: a flag and a deadline. */
	bool is_linked;
	lath_tick_t deadline;
};

struct bench {
	struct lath_wheel wheel;
	lath_tick_t now;
	unsigned linked;
	struct entry entries[ENTRIES];
};

static void
bench_init(struct bench *bench, lath_tick_t now)
{
	memset(bench, 0xa5, sizeof(*bench));
	bench->now = now;
	bench->linked = 0;
	for (unsigned i = 0; i < ENTRIES; i++)
		bench->entries[i].is_linked = false;
	lath_wheel_init(&bench->wheel, &bench->entries[0].link, sizeof(struct entry), now);
}

static void
insert(struct bench *bench, uint32_t idx, lath_tick_t deadline)
{
	lath_wheel_insert(&bench->wheel, idx, deadline);
	bench->entries[idx].is_linked = true;
	bench->entries[idx].deadline = deadline;
	bench->linked++;
}

/* One call; every entry that comes out must be linked and due. */
static unsigned
expire(struct bench *bench, unsigned max_out, unsigned max_steps)
{
	uint32_t out[ENTRIES];
	unsigned count = lath_wheel_expire(&bench->wheel, bench->now, out, max_out, max_steps);

	assert_true(count <= max_out && count <= max_steps);
	for (unsigned i = 0; i < count; i++) {
		struct entry *entry = &bench->entries[out[i]];

		assert_true(entry->is_linked);
		assert_true(lath_tick_reached(bench->now, entry->deadline));
		entry->is_linked = false;
		bench->linked--;
	}
	assert_int_equal(bench->wheel.count, bench->linked);
	return count;
}

/* With no backlog nothing linked is a whole slot late. */
static void
check_nothing_is_late(const struct bench *bench)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		const struct entry *entry = &bench->entries[i];

		if (entry->is_linked)
			assert_false(lath_tick_reached(bench->now,
					entry->deadline + LATH_WHEEL_SLOT_TICKS));
	}
}

/* From a tick to months, all scales alike. */
static lath_tick_t
draw_distance(uint64_t *random)
{
	return lath_random_below(random, 1u << lath_random_below(random, 30));
}

static void
random_change(struct bench *bench, uint64_t *random)
{
	uint32_t idx = lath_random_below(random, ENTRIES);

	if (bench->entries[idx].is_linked) {
		lath_wheel_remove(&bench->wheel, idx);
		bench->entries[idx].is_linked = false;
		bench->linked--;
		if (lath_random_below(random, 2) == 0)
			return;
	}
	insert(bench, idx,
			lath_random_below(random, 20) == 0 ? bench->now - draw_distance(random)
							   : bench->now + draw_distance(random));
}

static void
wheel_equals_the_model(void **state)
{
	static struct bench bench;
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 300, 20000);

	(void)state;
	bench_init(&bench, (lath_tick_t)lath_random_next(&random));
	for (unsigned i = 0; i < rounds; i++) {
		for (unsigned change = 0; change < 20; change++)
			random_change(&bench, &random);
		/* Mostly short steps, now and then up to three days. */
		bench.now += lath_random_below(&random,
				1u << lath_random_below(&random, i % 10 == 0 ? 25 : 12));
		expire(&bench, ENTRIES, UINT32_MAX);
		check_nothing_is_late(&bench);
	}
}

static void
bounded_calls_reach_the_same_end(void **state)
{
	static struct bench bench;
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 300, 20000);

	(void)state;
	bench_init(&bench, UINT32_MAX - 5000);
	for (unsigned i = 0; i < rounds; i++) {
		unsigned advanced = lath_random_below(&random, 3000);
		unsigned calls = 0;

		bench.now += advanced;
		/* Changes come while a backlog is left from a call that stopped early. */
		for (unsigned change = 0; change < 20; change++) {
			expire(&bench, 1 + lath_random_below(&random, 3),
					lath_random_below(&random, 8));
			random_change(&bench, &random);
		}
		/* A call that does its full work touches entries or advances: this must end. */
		while (bench.linked > 0 &&
				(expire(&bench, 5, 7) > 0 ||
						calls < (2 * ENTRIES + advanced / SECOND) / 7 + 2))
			calls++;
		check_nothing_is_late(&bench);
	}
}

static void
entry_comes_within_a_slot_after_its_deadline(void **state)
{
	static const lath_tick_t distances[] = {0, 1, 99, 100, 101, 63 * SECOND, 64 * SECOND,
			64 * SECOND + 1, 4095 * SECOND, 4096 * SECOND, 4097 * SECOND,
			262143 * SECOND, 262144 * SECOND, 262145 * SECOND, 1000000 * SECOND};
	static struct bench bench;
	uint64_t random = lath_test_random(__func__);

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(distances); i++) {
		bench_init(&bench, (lath_tick_t)lath_random_next(&random));
		insert(&bench, 7, bench.now + distances[i]);
		if (distances[i] > 0) {
			bench.now += distances[i] - 1;
			assert_int_equal(expire(&bench, ENTRIES, UINT32_MAX), 0);
			bench.now += 1;
		}
		bench.now += LATH_WHEEL_SLOT_TICKS;
		assert_int_equal(expire(&bench, ENTRIES, UINT32_MAX), 1);
	}
}

static void
bounds_hold_and_the_next_call_goes_on(void **state)
{
	static struct bench bench;
	unsigned total = 0;

	(void)state;
	bench_init(&bench, 0);
	for (unsigned i = 0; i < ENTRIES; i++)
		insert(&bench, i, 200 * SECOND);
	bench.now = 201 * SECOND;
	assert_int_equal(expire(&bench, ENTRIES, 0), 0);
	/* 200 slots to advance, 1,000 entries to move down once and to hand out. */
	for (unsigned call = 0; call < 22; call++)
		total += expire(&bench, ENTRIES, 100);
	assert_int_equal(total, ENTRIES);
}

static void
full_output_stops_without_losing_any(void **state)
{
	static struct bench bench;

	(void)state;
	bench_init(&bench, 0);
	for (unsigned i = 0; i < 10; i++)
		insert(&bench, i, 50);
	bench.now = 100;
	assert_int_equal(expire(&bench, 4, UINT32_MAX), 4);
	assert_int_equal(expire(&bench, 4, UINT32_MAX), 4);
	assert_int_equal(expire(&bench, 0, UINT32_MAX), 0);
	assert_int_equal(expire(&bench, 4, UINT32_MAX), 2);
}

static void
empty_wheel_skips_time_at_once(void **state)
{
	static struct bench bench;

	(void)state;
	bench_init(&bench, UINT32_MAX - 10);
	bench.now += 100000 * SECOND + 55;
	assert_int_equal(expire(&bench, ENTRIES, 1), 0);
	insert(&bench, 3, bench.now + 30);
	bench.now += 30 + SECOND;
	assert_int_equal(expire(&bench, ENTRIES, 3), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(wheel_equals_the_model),
			cmocka_unit_test(bounded_calls_reach_the_same_end),
			cmocka_unit_test(entry_comes_within_a_slot_after_its_deadline),
			cmocka_unit_test(bounds_hold_and_the_next_call_goes_on),
			cmocka_unit_test(full_output_stops_without_losing_any),
			cmocka_unit_test(empty_wheel_skips_time_at_once),
	};

	return cmocka_run_group_tests_name("wheel", tests, NULL, NULL);
}
