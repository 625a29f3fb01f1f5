/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_snat.h>

#include "failing_heap.h"
#include "snat_kit.h"

static struct snat_kit kit;

/* A worker of 64: 1,008 ports, so that a pool is soon full. */
static void
open_narrow(uint32_t max_pools, uint32_t max_bitmaps, uint32_t max_resting)
{
	struct lath_snat_options options = kit_options(&kit, 64, 5, 4096);

	options.max_pools = max_pools;
	options.max_bitmaps = max_bitmaps;
	options.max_resting = max_resting;
	kit_open(&kit, &options, 8192);
	assert_int_equal(kit.snat.port_count, 1008);
}

static void
one_worker_gives_64512_ports_of_a_pool_and_then_none(void **state)
{
	static const uint8_t protocols[] = {LATH_PROTO_TCP, LATH_PROTO_ICMP};

	(void)state;
	for (unsigned p = 0; p < LATH_ARRAY_SIZE(protocols); p++) {
		struct lath_snat_options options = kit_options(&kit, 1, 0, 65536);
		struct lath_snat_key key = kit_target(1, protocols[p]);
		const struct lath_snat_pool *pool;
		uint16_t port;

		kit_open(&kit, &options, 65536);
		for (unsigned i = 0; i < 64512; i++)
			assert_int_equal(kit_take(&kit, &key, &port), 0);
		assert_int_equal(kit_draw(&kit, &key, &port), -ENOSPC);
		pool = lath_snat_find(&kit.snat, &key);
		assert_non_null(pool);
		assert_int_equal(pool->live, 64512);
		assert_int_equal(pool->high_water, 64512);
		assert_int_equal(kit.snat.reused_early + kit.snat.small_pools, 0);
		/* Another target is another pool. */
		key = kit_target(2, protocols[p]);
		assert_int_equal(kit_take(&kit, &key, &port), 0);
		kit_close(&kit);
	}
}

static void
workers_give_out_disjoint_shares(void **state)
{
	static const uint8_t protocols[] = {LATH_PROTO_TCP, LATH_PROTO_UDP, LATH_PROTO_ICMP};
	static uint8_t given[65536];

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct lath_snat_key key = kit_target(i, protocols[i / 2]);
		unsigned workers = 2 + i % 2;
		unsigned total = 0;

		memset(given, 0, sizeof(given));
		for (unsigned worker = 0; worker < workers; worker++) {
			struct lath_snat_options options = kit_options(&kit, workers, worker,
					65536);
			unsigned count = 0;
			uint16_t port;

			kit_open(&kit, &options, 65536);
			while (kit_take(&kit, &key, &port) == 0) {
				assert_int_equal(given[port], 0);
				given[port] = 1;
				count++;
			}
			assert_int_equal(errno, ENOSPC);
			assert_int_equal(count, lath_owner_port_count(&kit.owner, worker));
			total += count;
			kit_close(&kit);
		}
		assert_int_equal(total, 64512);
	}
}

static void
pool_gets_a_bitmap_at_its_65th_port_and_gives_it_back(void **state)
{
	struct lath_snat_key key = kit_target(1, LATH_PROTO_UDP);
	uint16_t ports[100];

	(void)state;
	open_narrow(16, 16, 4096);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(kit_take(&kit, &key, &ports[i]), 0);
		assert_int_equal(lath_snat_find(&kit.snat, &key)->ports != NULL, i >= 64);
	}
	assert_int_equal(kit.snat.free_bitmap_count, 15);
	for (unsigned i = 0; i < 100; i++)
		kit_put(&kit, &key, ports[i], LATH_SNAT_REST_SHORT, 10);
	assert_int_equal(lath_snat_find(&kit.snat, &key)->resting, 100);
	lath_snat_tick(&kit.snat, 10 + KIT_SHORT, 1000);
	assert_null(lath_snat_find(&kit.snat, &key));
	assert_int_equal(kit.snat.free_bitmap_count, 16);
	assert_int_equal(kit.snat.pool_count, 0);
	kit_close(&kit);
}

static void
freed_port_rests_as_long_as_its_kind(void **state)
{
	static const struct {
		lath_tick_t after;
		unsigned max;
		unsigned resting;
	} rows[] = {
			{KIT_SHORT - 1, 100, 20},
			{KIT_SHORT, 0, 20},
			{KIT_SHORT, 3, 17},
			{KIT_SHORT, 100, 15}, /* five were freed one tick later */
			{KIT_SHORT + 1, 100, 10},
			{KIT_TIME_WAIT - 1, 100, 10},
			{KIT_TIME_WAIT, 100, 5},
			{KIT_TIME_WAIT + 1, 100, 0},
	};
	static const lath_tick_t starts[] = {1000, 0xffffff9c}; /* the second wraps */

	(void)state;
	for (unsigned s = 0; s < LATH_ARRAY_SIZE(starts); s++) {
		struct lath_snat_key key = kit_target(1, LATH_PROTO_TCP);
		uint16_t ports[20];

		open_narrow(16, 16, 4096);
		for (unsigned i = 0; i < 20; i++)
			assert_int_equal(kit_take(&kit, &key, &ports[i]), 0);
		for (unsigned i = 0; i < 20; i++)
			kit_put(&kit, &key, ports[i], (enum lath_snat_rest)(i % 2),
					starts[s] + i / 10);
		for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
			lath_snat_tick(&kit.snat, starts[s] + rows[i].after, rows[i].max);
			assert_int_equal(kit.snat.resting_count, rows[i].resting);
		}
		assert_null(lath_snat_find(&kit.snat, &key));
		kit_close(&kit);
	}
}

static void
resting_port_is_not_given_while_others_are_free(void **state)
{
	struct lath_snat_key key = kit_target(1, LATH_PROTO_TCP);
	static uint8_t rests[65536];
	uint16_t port;

	(void)state;
	memset(rests, 0, sizeof(rests));
	open_narrow(16, 16, 4096);
	for (unsigned i = 0; i < 1008; i++) {
		assert_int_equal(kit_take(&kit, &key, &port), 0);
		assert_int_equal(rests[port], 0);
		rests[port] = 1;
		kit_put(&kit, &key, port, (enum lath_snat_rest)(i % 2), i);
	}
	assert_int_equal(kit.snat.reused_early, 0);
	kit_close(&kit);
}

static void
port_that_rested_longest_is_reused_first_and_counted(void **state)
{
	/* Kind and tick of each release; then the order in which they come back. */
	static const struct {
		enum lath_snat_rest rest;
		lath_tick_t freed;
	} freed[] = {
			{LATH_SNAT_REST_TIME_WAIT, 50},
			{LATH_SNAT_REST_SHORT, 51},
			{LATH_SNAT_REST_SHORT, 52},
			{LATH_SNAT_REST_TIME_WAIT, 60},
			{LATH_SNAT_REST_SHORT, 70},
	};
	struct lath_snat_key key = kit_target(1, LATH_PROTO_TCP);
	struct lath_snat_key other = kit_target(2, LATH_PROTO_TCP);
	static uint16_t ports[1008];
	uint16_t port;

	(void)state;
	open_narrow(16, 16, 4096);
	/* A port of another pool that rests longer is not this pool's. */
	assert_int_equal(kit_take(&kit, &other, &port), 0);
	kit_put(&kit, &other, port, LATH_SNAT_REST_TIME_WAIT, 1);
	for (unsigned i = 0; i < 1008; i++)
		assert_int_equal(kit_take(&kit, &key, &ports[i]), 0);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(freed); i++)
		kit_put(&kit, &key, ports[i * 7], freed[i].rest, freed[i].freed);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(freed); i++) {
		assert_int_equal(kit_take(&kit, &key, &port), 0);
		assert_int_equal(port, ports[i * 7]);
		assert_true(kit.snat.reused_early == i + 1);
	}
	assert_int_equal(kit_take(&kit, &key, &port), -ENOSPC);
	assert_int_equal(lath_snat_find(&kit.snat, &other)->resting, 1);
	kit_close(&kit);
}

static void
without_a_record_left_the_oldest_goes_early(void **state)
{
	static const uint32_t records[] = {0, 1, 4};

	(void)state;
	for (unsigned r = 0; r < LATH_ARRAY_SIZE(records); r++) {
		struct lath_snat_key keys[2] = {
				kit_target(1, LATH_PROTO_TCP), kit_target(2, LATH_PROTO_TCP)};
		uint16_t ports[10];

		open_narrow(16, 16, records[r]);
		for (unsigned i = 0; i < 10; i++)
			assert_int_equal(kit_take(&kit, &keys[i / 5], &ports[i]), 0);
		for (unsigned i = 0; i < 10; i++) {
			kit_put(&kit, &keys[i / 5], ports[i], (enum lath_snat_rest)(i % 2), i);
			assert_int_equal(kit.snat.resting_count, lath_min_u32(i + 1, records[r]));
		}
		/* Only the last ones rest, so the first pool is gone. */
		assert_null(lath_snat_find(&kit.snat, &keys[0]));
		assert_int_equal(lath_snat_find(&kit.snat, &keys[1]) != NULL, records[r] > 0);
		lath_snat_tick(&kit.snat, 9 + KIT_TIME_WAIT, 100);
		assert_int_equal(kit.snat.resting_count + kit.snat.pool_count, 0);
		kit_close(&kit);
	}
}

static void
no_room_for_a_pool_is_said_and_old_pools_go_on(void **state)
{
	struct lath_snat_key keys[4];
	uint16_t ports[4];

	(void)state;
	open_narrow(3, 16, 4096);
	for (unsigned i = 0; i < 4; i++) {
		keys[i] = kit_target(i, LATH_PROTO_UDP);
		assert_int_equal(kit_take(&kit, &keys[i], &ports[i]), i < 3 ? 0 : -ENOMEM);
	}
	assert_int_equal(kit_take(&kit, &keys[1], &ports[3]), 0);
	kit_put(&kit, &keys[0], ports[0], LATH_SNAT_REST_SHORT, 0);
	assert_int_equal(kit_take(&kit, &keys[3], &ports[3]), -ENOMEM); /* it still rests */
	lath_snat_tick(&kit.snat, KIT_SHORT, 10);
	assert_int_equal(kit_take(&kit, &keys[3], &ports[3]), 0);
	kit_close(&kit);
}

static void
without_a_bitmap_left_a_pool_goes_on_and_is_counted(void **state)
{
	struct lath_snat_key keys[2] = {
			kit_target(1, LATH_PROTO_TCP), kit_target(2, LATH_PROTO_TCP)};
	uint16_t port;

	(void)state;
	open_narrow(16, 1, 4096);
	for (unsigned i = 0; i < 2 * 300; i++)
		assert_int_equal(kit_take(&kit, &keys[i / 300], &port), 0);
	assert_non_null(lath_snat_find(&kit.snat, &keys[0])->ports);
	assert_null(lath_snat_find(&kit.snat, &keys[1])->ports);
	assert_in_range(kit.snat.small_pools, 1, 300);
	assert_int_equal(lath_snat_find(&kit.snat, &keys[1])->live, 300);
	kit_close(&kit);
}

/* Its list of resting ports is too long to look through, so resting ones are drawn now and then;
 * live ones must not come out of that list again.
 */
static void
pool_without_a_bitmap_never_gives_a_live_port(void **state)
{
	struct lath_snat_key hog = kit_target(1, LATH_PROTO_TCP);
	struct lath_snat_key key = kit_target(2, LATH_PROTO_TCP);
	static uint16_t ports[600];
	uint16_t port;

	(void)state;
	open_narrow(16, 1, 4096);
	for (unsigned i = 0; i < 65; i++)
		assert_int_equal(kit_take(&kit, &hog, &port), 0);
	for (unsigned round = 0; round < 5; round++) {
		unsigned count = 0;

		for (unsigned i = 0; i < 600; i++) {
			if (kit_take(&kit, &key, &ports[count]) == 0)
				count++;
			else
				assert_int_equal(errno, ENOSPC);
		}
		for (unsigned i = 0; i < count; i++)
			kit_put(&kit, &key, ports[i], LATH_SNAT_REST_TIME_WAIT, round);
	}
	for (unsigned i = 0; i < 5000; i++)
		if (kit_take(&kit, &key, &port) != 0)
			assert_int_equal(errno, ENOSPC);
	assert_in_range(lath_snat_find(&kit.snat, &key)->live, 600, 1008);
	kit_close(&kit);
}

static void
cancelled_port_is_free_at_once(void **state)
{
	struct lath_snat_key key = kit_target(1, LATH_PROTO_TCP);
	uint16_t last;
	uint16_t port;

	(void)state;
	open_narrow(16, 16, 4096);
	assert_int_equal(kit_draw(&kit, &key, &port), 0);
	lath_snat_cancel(&kit.snat, &key, port);
	assert_null(lath_snat_find(&kit.snat, &key));
	for (unsigned i = 0; i < 1007; i++)
		assert_int_equal(kit_take(&kit, &key, &port), 0);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(kit_draw(&kit, &key, &last), 0);
		assert_int_equal(kit_draw(&kit, &key, &port), -ENOSPC);
		lath_snat_cancel(&kit.snat, &key, last);
	}
	assert_int_equal(lath_snat_find(&kit.snat, &key)->live, 1007);
	assert_int_equal(kit.snat.resting_count + kit.snat.reused_early, 0);
	kit_close(&kit);
}

static void
probes_have_ports_of_their_own_up_to_the_last(void **state)
{
	static const unsigned workers[] = {1, 2, 64};
	static uint8_t given[1024];
	unsigned total = 0;

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(workers); i++) {
		struct lath_snat_key key = kit_target(i, LATH_PROTO_TCP);

		total = 0;
		memset(given, 0, sizeof(given));
		for (unsigned worker = 0; worker < workers[i]; worker++) {
			struct lath_snat_options options = kit_options(&kit, workers[i], worker,
					4096);
			uint16_t port;

			kit_open(&kit, &options, 1024);
			while (lath_snat_take_probe(&kit.snat, &key, &port) == 0) {
				assert_in_range(port, 512, 1023);
				assert_int_equal(given[port], 0);
				assert_true(kit_is_owned(&kit, &key, port));
				given[port] = 1;
				kit_use(&kit, &key, port);
				total++;
			}
			assert_int_equal(errno, ENOSPC);
			assert_int_equal(kit.snat.pool_count, 0);
			kit_close(&kit);
		}
		assert_int_equal(total, 512);
	}
}

/* RFC 6056 section 3.3.1: nobody can tell the next one. Pearson's test over 64 equal parts of the
 * ports, 63 degrees of freedom: 126 is passed in 1 of 10^5 runs; the seed is fixed.
 */
static void
ports_are_drawn_evenly(void **state)
{
	const unsigned draws = 64 * 1000;

	(void)state;
	for (unsigned held = 0; held < 200; held += 199) { /* without and with a bitmap */
		struct lath_snat_options options = kit_options(&kit, 1, 0, 65536);
		struct lath_snat_key key = kit_target(1, LATH_PROTO_TCP);
		unsigned parts[64] = {0};
		double chi2 = 0;
		uint16_t port;

		kit_open(&kit, &options, 1024);
		for (unsigned i = 0; i < held; i++)
			assert_int_equal(kit_take(&kit, &key, &port), 0);
		for (unsigned i = 0; i < draws; i++) {
			assert_int_equal(kit_draw(&kit, &key, &port), 0);
			lath_snat_cancel(&kit.snat, &key, port);
			parts[(port - 1024u) / 1008]++;
		}
		for (unsigned i = 0; i < 64; i++)
			chi2 += (parts[i] - 1000.0) * (parts[i] - 1000.0) / 1000.0;
		print_message("%u ports held: chi-square %.1f\n", held, chi2);
		assert_true(chi2 < 126 && chi2 > 20);
		kit_close(&kit);
	}
}

static void
new_resting_times_hold_for_ports_that_rest_already(void **state)
{
	static const lath_tick_t ticks[] = {5, 7};
	struct lath_snat_key key = kit_target(1, LATH_PROTO_TCP);
	uint16_t ports[2];

	(void)state;
	open_narrow(16, 16, 16);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(kit_take(&kit, &key, &ports[i]), 0);
	for (unsigned i = 0; i < 2; i++)
		kit_put(&kit, &key, ports[i], (enum lath_snat_rest)i, 100);
	lath_snat_tick(&kit.snat, 107, 9);
	assert_int_equal(kit.snat.resting_count, 2);
	lath_snat_set_rest(&kit.snat, ticks);
	lath_snat_tick(&kit.snat, 105, 9);
	assert_int_equal(kit.snat.resting_count, 1);
	lath_snat_tick(&kit.snat, 107, 9);
	assert_int_equal(kit.snat.resting_count, 0);
	kit_close(&kit);
}

static void
memory_is_what_was_said_and_comes_back(void **state)
{
	(void)state;
	for (unsigned workers = 1; workers < 4; workers++) {
		struct lath_snat_options options = kit_options(&kit, workers, workers - 1, 5000);
		uint64_t bytes = lath_snat_memory(&options, &kit.owner, kit.worker);

		for (unsigned pieces = 0; pieces <= 6; pieces++) {
			struct failing_heap heap = {.left = pieces};
			struct lath_allocator allocator = failing_allocator(&heap);
			int rc = lath_snat_init(&kit.snat, &kit.owner, kit.worker, &kit.flows,
					&options, &allocator);

			assert_int_equal(rc, pieces < 6 ? -ENOMEM : 0);
			assert_true(heap.out == (rc == 0 ? bytes : 0));
			if (rc == 0)
				lath_snat_fini(&kit.snat);
			assert_true(heap.out == 0);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(one_worker_gives_64512_ports_of_a_pool_and_then_none),
			cmocka_unit_test(workers_give_out_disjoint_shares),
			cmocka_unit_test(pool_gets_a_bitmap_at_its_65th_port_and_gives_it_back),
			cmocka_unit_test(freed_port_rests_as_long_as_its_kind),
			cmocka_unit_test(resting_port_is_not_given_while_others_are_free),
			cmocka_unit_test(port_that_rested_longest_is_reused_first_and_counted),
			cmocka_unit_test(without_a_record_left_the_oldest_goes_early),
			cmocka_unit_test(no_room_for_a_pool_is_said_and_old_pools_go_on),
			cmocka_unit_test(without_a_bitmap_left_a_pool_goes_on_and_is_counted),
			cmocka_unit_test(pool_without_a_bitmap_never_gives_a_live_port),
			cmocka_unit_test(cancelled_port_is_free_at_once),
			cmocka_unit_test(probes_have_ports_of_their_own_up_to_the_last),
			cmocka_unit_test(ports_are_drawn_evenly),
			cmocka_unit_test(new_resting_times_hold_for_ports_that_rest_already),
			cmocka_unit_test(memory_is_what_was_said_and_comes_back),
	};

	return cmocka_run_group_tests_name("snat", tests, NULL, NULL);
}
