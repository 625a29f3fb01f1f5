/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Source ports against a naive model: what lives and what rests, port by port. A live port never
 * comes out again (flow_insert in kit_use() would fail), whatever runs short. Where nothing runs
 * short, a resting port comes out only when the pool has no other, and the one that rested longest.
 */

#include "snat_kit.h"

#define TARGETS 6u
#define LIST_MAX 65536u

struct model_rest {
	uint16_t port;
	uint8_t rest; /* enum lath_snat_rest */
	lath_tick_t freed;
};

struct model_pool {
	struct lath_snat_key key;
	uint16_t live[LIST_MAX];
	uint32_t live_count;
	struct model_rest resting[LIST_MAX];
	uint32_t resting_count;
};

struct row {
	const char *name;
	unsigned workers;
	uint32_t max_pools;
	uint32_t max_bitmaps;
	uint32_t max_resting;
	unsigned put_percent; /* how often a port is given back */
	bool is_strict;       /* nothing runs short */
};

static struct snat_kit kit;
static struct model_pool pools[TARGETS];
static lath_tick_t now;

/* What rests longest in the pool, or -1 for a port that does not rest. */
static int
find_rest(const struct model_pool *pool, uint16_t port)
{
	for (uint32_t i = 0; i < pool->resting_count; i++)
		if (pool->resting[i].port == port)
			return (int)i;
	return -1;
}

static void
check_reuse(const struct row *row, struct model_pool *pool, uint16_t port, uint64_t early)
{
	int at = find_rest(pool, port);

	if (row->is_strict) {
		assert_int_equal(at >= 0, kit.snat.reused_early != early);
		for (uint32_t i = 0; at >= 0 && i < pool->resting_count; i++)
			assert_true(lath_tick_reached(pool->resting[i].freed,
					pool->resting[at].freed));
		if (at >= 0)
			assert_int_equal(pool->live_count + pool->resting_count,
					kit.snat.port_count);
	}
	if (at >= 0)
		pool->resting[at] = pool->resting[--pool->resting_count];
}

static void
op_take(const struct row *row, struct model_pool *pool)
{
	uint64_t early = kit.snat.reused_early;
	uint16_t port;
	int rc = kit_take(&kit, &pool->key, &port);

	if (rc != 0) {
		assert_true(rc == -ENOSPC || rc == -ENOMEM);
		if (row->is_strict)
			assert_int_equal(pool->live_count, kit.snat.port_count);
		return;
	}
	check_reuse(row, pool, port, early);
	pool->live[pool->live_count++] = port;
}

static void
op_put(struct model_pool *pool, uint64_t *random)
{
	enum lath_snat_rest rest = (enum lath_snat_rest)lath_random_below(random, 2);
	uint32_t at;
	uint16_t port;
	int old;

	if (pool->live_count == 0)
		return;
	at = lath_random_below(random, pool->live_count);
	port = pool->live[at];
	pool->live[at] = pool->live[--pool->live_count];
	kit_put(&kit, &pool->key, port, rest, now);
	old = find_rest(pool, port);
	if (old >= 0)
		pool->resting[old] = pool->resting[--pool->resting_count];
	pool->resting[pool->resting_count++] = (struct model_rest){port, (uint8_t)rest, now};
}

static void
op_cancel(struct model_pool *pool)
{
	uint64_t early = kit.snat.reused_early;
	uint16_t port;
	int at;

	if (kit_draw(&kit, &pool->key, &port) != 0)
		return;
	assert_true(kit_is_owned(&kit, &pool->key, port));
	lath_snat_cancel(&kit.snat, &pool->key, port);
	at = find_rest(pool, port);
	if (at >= 0 && kit.snat.reused_early != early) /* it does not go on resting */
		pool->resting[at] = pool->resting[--pool->resting_count];
}

static void
op_time(uint64_t *random)
{
	static const lath_tick_t ticks[] = {KIT_SHORT, KIT_TIME_WAIT};

	now += lath_random_below(random, 40);
	lath_snat_tick(&kit.snat, now, UINT32_MAX);
	for (unsigned t = 0; t < TARGETS; t++)
		for (uint32_t i = pools[t].resting_count; i-- > 0;) {
			struct model_rest *rest = &pools[t].resting[i];

			if (lath_tick_reached(now, rest->freed + ticks[rest->rest]))
				*rest = pools[t].resting[--pools[t].resting_count];
		}
}

static void
check_counts(const struct row *row)
{
	uint32_t resting = 0;
	uint32_t used = 0;

	for (unsigned t = 0; t < TARGETS; t++) {
		const struct lath_snat_pool *pool = lath_snat_find(&kit.snat, &pools[t].key);

		assert_int_equal(pool == NULL ? 0 : pool->live, pools[t].live_count);
		if (row->is_strict)
			assert_int_equal(pool == NULL ? 0 : pool->resting, pools[t].resting_count);
		resting += pool == NULL ? 0 : pool->resting;
		used += pool != NULL;
	}
	assert_int_equal(kit.snat.resting_count, resting);
	assert_int_equal(kit.snat.pool_count, used);
	assert_in_range(kit.snat.resting_count, 0, row->max_resting);
}

static void
run(const struct row *row, unsigned rounds, uint64_t *random)
{
	struct lath_snat_options options = kit_options(&kit, row->workers, row->workers - 1, 8192);

	options.max_pools = row->max_pools;
	options.max_bitmaps = row->max_bitmaps;
	options.max_resting = row->max_resting;
	options.seed = lath_random_next(random);
	kit_open(&kit, &options, 131072);
	now = (lath_tick_t)lath_random_next(random);
	for (unsigned t = 0; t < TARGETS; t++) {
		pools[t].key = kit_target(t, t % 3 == 2 ? LATH_PROTO_ICMP : LATH_PROTO_TCP);
		pools[t].live_count = 0;
		pools[t].resting_count = 0;
	}
	for (unsigned i = 0; i < rounds; i++) {
		/* Half of all goes to one target, so that its pool fills. */
		struct model_pool *pool = &pools[lath_random_below(random, 2 * TARGETS) % TARGETS *
				(lath_random_below(random, 2))];
		unsigned what = lath_random_below(random, 100);

		if (what < row->put_percent)
			op_put(pool, random);
		else if (what < 95)
			op_take(row, pool);
		else if (what < 98)
			op_cancel(pool);
		else
			op_time(random);
		if (i % (rounds / 50) == 0)
			check_counts(row);
	}
	check_counts(row);
	print_message("%s: %u live in the busy pool, %u reused early, %u without a bitmap\n",
			row->name, pools[0].live_count, (unsigned)kit.snat.reused_early,
			(unsigned)kit.snat.small_pools);
	kit_close(&kit);
}

static void
ports_do_what_the_model_does(void **state)
{
	static const struct row rows[] = {
			{"ample, full pools", 64, 16, 16, 8192, 40, true},
			{"ample, coming and going", 64, 16, 16, 8192, 47, true},
			{"ample, three workers", 3, 16, 16, 8192, 45, true},
			{"one bitmap", 64, 16, 1, 8192, 46, false},
			{"no bitmap", 64, 16, 0, 8192, 46, false},
			{"few records", 64, 16, 16, 50, 46, false},
			{"one record, one bitmap", 64, 16, 1, 1, 46, false},
			{"three pools", 64, 3, 2, 8192, 46, false},
	};
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 15000, 600000);

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++)
		run(&rows[i], rounds, &random);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(ports_do_what_the_model_does),
	};

	return cmocka_run_group_tests_name("snat_model", tests, NULL, NULL);
}
