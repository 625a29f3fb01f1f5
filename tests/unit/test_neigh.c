/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "neigh_world.h"

static void
configured_next_hops_are_resolved_at_once(void **state)
{
	struct world *w = *state;
	struct lath_neigh_row row;

	lath_neigh_set_model(w->neigh, &w->model, w->now);
	run_ms(w, 1000);
	assert_true(is_reachable(w, "10.0.0.254"));
	assert_true(is_reachable(w, "10.0.0.5"));
	assert_true(find_row(w, "10.0.0.5", &row) && row.pinned);
	assert_memory_equal(&row.mac, &w->hosts[1].mac, 6);
	assert_int_equal(w->resolved, 2);
	assert_int_equal(w->sent[LATH_NEIGH_ASK_ALL], 2);
}

static void
used_neighbour_is_asked_again_by_unicast(void **state)
{
	struct world *w = *state;
	unsigned resolved;

	start(w);
	resolved = w->resolved;
	run_ms(w, 60000);
	assert_int_equal(w->resolved, resolved);
	assert_true(w->sent[LATH_NEIGH_ASK_ONE] >= 2);
	assert_int_equal(w->sent[LATH_NEIGH_ASK_ALL], 2);
	assert_true(is_reachable(w, "10.0.0.5"));
}

static void
neighbour_that_falls_silent_is_lost_and_found(void **state)
{
	struct world *w = *state;

	start(w);
	w->hosts[1].is_silent = true;
	run_ms(w, 45000);
	assert_true(w->lost >= 1);
	assert_true(lath_ip_equal(&w->last_lost, &w->hosts[1].ip));
	assert_false(is_reachable(w, "10.0.0.5"));
	assert_true(is_reachable(w, "10.0.0.254"));
	w->hosts[1].is_silent = false;
	run_ms(w, 7000);
	assert_true(is_reachable(w, "10.0.0.5"));
	assert_true(lath_ip_equal(&w->last_resolved, &w->hosts[1].ip));
}

static void
wanted_address_is_resolved_or_lost(void **state)
{
	struct world *w = *state;

	start(w);
	w->resolved = 0;
	want(w, "10.0.0.9");
	assert_int_equal(w->resolved, 1);
	want(w, "10.0.0.9"); /* another worker asks: told again, nothing sent */
	assert_int_equal(w->resolved, 2);
	want(w, "10.0.0.77");
	run_ms(w, 2900);
	assert_int_equal(w->lost, 0);
	run_ms(w, 200);
	assert_int_equal(w->lost, 1);
	w->sent[LATH_NEIGH_ASK_ALL] = 0;
	want(w, "10.0.0.77"); /* failed: held for 3 s, said again */
	assert_int_equal(w->lost, 2);
	assert_int_equal(w->sent[LATH_NEIGH_ASK_ALL], 0);
	run_ms(w, 3000);
	want(w, "10.0.0.77");
	assert_int_equal(w->sent[LATH_NEIGH_ASK_ALL], 1);
}

static void
changed_mac_is_told(void **state)
{
	struct world *w = *state;
	struct lath_mac other = mac_of(0x55);

	start(w);
	w->resolved = 0;
	/* Gratuitous, as after a takeover. */
	lath_neigh_seen(w->neigh, 0, &w->hosts[1].ip, &other, &w->hosts[1].ip, false, w->now);
	assert_int_equal(w->resolved, 1);
	assert_memory_equal(&w->last_mac, &other, 6);
	assert_int_equal(lath_neigh_counters(w->neigh)->mac_changed_total, 1);
}

static void
strangers_are_learned_only_when_they_ask_for_us(void **state)
{
	struct world *w = *state;
	struct lath_ip stranger = ip_of("10.7.7.7");
	struct lath_ip outside = ip_of("11.0.0.7");
	struct lath_ip own = ip_of("10.0.0.1");
	struct lath_mac mac = mac_of(7);
	struct lath_mac group = {{0x01, 0, 0x5e, 0, 0, 1}};
	struct lath_neigh_row row;

	start(w);
	lath_neigh_seen(w->neigh, 0, &stranger, &mac, &stranger, false, w->now);
	lath_neigh_seen(w->neigh, 0, &stranger, &mac, &w->hosts[0].ip, false, w->now);
	lath_neigh_seen(w->neigh, 0, &stranger, &mac, &own, true, w->now);
	lath_neigh_seen(w->neigh, 0, &stranger, &group, &own, false, w->now);
	lath_neigh_seen(w->neigh, 0, &outside, &mac, &own, false, w->now);
	assert_false(find_row(w, "10.7.7.7", &row));
	assert_false(find_row(w, "11.0.0.7", &row));
	lath_neigh_seen(w->neigh, 0, &stranger, &mac, &own, false, w->now);
	assert_true(is_reachable(w, "10.7.7.7"));
}

static void
flood_of_unresolvable_addresses_leaves_pinned_ones_fresh(void **state)
{
	struct world *w = *state;
	struct lath_neigh_row row;
	uint32_t pinned;

	w->model.limits.punts_per_second = 100000;
	start(w);
	want(w, "10.0.0.9");
	w->resolved = 0;
	for (uint32_t i = 0; i < 100000; i++) {
		struct lath_ip ip = lath_ip_from_v4_be(lath_to_be32(0x0b000000 - 100000 + i));

		lath_neigh_want(w->neigh, 0, &ip, w->now);
		if (i % 25 == 0) {
			w->queued = 0;
			run_ms(w, 10); /* 100,000 in 40 s: longer than neighbor_s */
		}
		assert_true(lath_neigh_count(w->neigh, &pinned) <= ENTRIES / 2 + 2);
	}
	assert_true(lath_neigh_counters(w->neigh)->evicted_total > 90000);
	assert_true(find_row(w, "10.0.0.5", &row) && row.age_s <= 30);
	assert_true(is_reachable(w, "10.0.0.5"));
	assert_true(is_reachable(w, "10.0.0.254"));
	assert_true(is_reachable(w, "10.0.0.9")); /* not pinned, but in use */
	assert_int_equal(pinned, 2);
	assert_true(w->sent[LATH_NEIGH_ASK_ONE] >= 2);
}

static void
wants_are_limited_but_not_those_of_known_next_hops(void **state)
{
	struct world *w = *state;

	w->model.limits.punts_per_second = 100;
	start(w);
	w->resolved = 0;
	for (uint32_t i = 0; i < 1000; i++) {
		struct lath_ip ip = lath_ip_from_v4_be(lath_to_be32(0x0a100000 + i));

		lath_neigh_want(w->neigh, 0, &ip, w->now);
	}
	assert_int_equal(lath_neigh_counters(w->neigh)->want_limited_total, 1000 - 16);
	want(w, "10.0.0.5");
	assert_int_equal(w->resolved, 1);
}

static void
attachment_that_goes_takes_its_neighbours_along(void **state)
{
	struct world *w = *state;

	start(w);
	want(w, "10.0.0.9");
	w->attachments[0] = NULL;
	w->vpc.route_count = 0;
	lath_neigh_set_model(w->neigh, &w->model, w->now);
	assert_int_equal(w->lost, 3);
	assert_int_equal(lath_neigh_count(w->neigh, NULL), 0);
	assert_int_equal(claim_state(w, "10.0.0.1"), LATH_NEIGH_CLAIM_STATE_COUNT);
	assert_int_equal(lath_neigh_next_ms(w->neigh, w->now), UINT32_MAX);
}

static void
unpinned_neighbour_nobody_uses_is_let_go(void **state)
{
	struct world *w = *state;
	struct lath_neigh_row row;

	start(w);
	want(w, "10.0.0.9");
	run_ms(w, LATH_NEIGH_IDLE_MS - 60000);
	assert_true(find_row(w, "10.0.0.9", &row));
	lath_neigh_used(w->neigh, 0, &w->hosts[2].ip, w->now);
	run_ms(w, LATH_NEIGH_IDLE_MS - 60000);
	assert_true(find_row(w, "10.0.0.9", &row));
	run_ms(w, 120000);
	assert_false(find_row(w, "10.0.0.9", &row));
	assert_int_equal(w->lost, 1);
}

static void
removed_target_stays_as_an_ordinary_neighbour(void **state)
{
	struct world *w = *state;
	struct lath_neigh_row row;

	start(w);
	w->targets[0] = NULL;
	lath_neigh_set_model(w->neigh, &w->model, w->now);
	assert_true(find_row(w, "10.0.0.5", &row));
	assert_false(row.pinned);
	assert_int_equal(w->lost, 0);
}

/* Random calls at a small table: the sanitizers and the counts below must hold. */
static void
random_life_keeps_the_table_sound(void **state)
{
	struct world *w = *state;
	uint64_t random = lath_test_random(__func__);
	unsigned steps = lath_test_size(__func__, 100000, 5000000);

	lath_neigh_free(w->neigh);
	w->neigh = lath_neigh_create(16, &world_ops, w, random);
	lath_neigh_set_model(w->neigh, &w->model, w->now);
	for (unsigned i = 0; i < steps; i++) {
		struct lath_ip ip = lath_ip_from_v4_be(lath_to_be32(0x0a000000 +
				lath_random_below(&random, 64)));
		struct lath_ip to = ip_of("10.0.0.1");
		struct lath_mac mac = mac_of((uint8_t)lath_random_below(&random, 4));
		struct lath_neigh_row row;
		uint32_t cursor = 0;
		uint32_t rows = 0;
		uint32_t pinned;

		switch (lath_random_below(&random, 8)) {
		case 0:
			lath_neigh_seen(w->neigh, 0, &ip, &mac, &to, i % 2 == 0, w->now);
			break;
		case 1:
			lath_neigh_used(w->neigh, 0, &ip, w->now);
			break;
		case 2:
			w->target.ip = ip;
			w->nat.count = lath_random_below(&random, 24);
			lath_neigh_set_model(w->neigh, &w->model, w->now);
			break;
		case 3:
			if (lath_random_below(&random, 50) == 0)
				lath_neigh_link(w->neigh, 0, i % 2 == 0, w->now);
			break;
		case 4:
			run_ms(w, lath_random_below(&random, 3000));
			break;
		default:
			lath_neigh_want(w->neigh, 0, &ip, w->now);
		}
		w->queued = 0;
		while (lath_neigh_next(w->neigh, &cursor, w->now, &row))
			rows++;
		assert_int_equal(rows, lath_neigh_count(w->neigh, &pinned));
		assert_true(rows <= 16 && rows - pinned <= 8);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			TEST(configured_next_hops_are_resolved_at_once),
			TEST(used_neighbour_is_asked_again_by_unicast),
			TEST(neighbour_that_falls_silent_is_lost_and_found),
			TEST(wanted_address_is_resolved_or_lost),
			TEST(changed_mac_is_told),
			TEST(strangers_are_learned_only_when_they_ask_for_us),
			TEST(flood_of_unresolvable_addresses_leaves_pinned_ones_fresh),
			TEST(wants_are_limited_but_not_those_of_known_next_hops),
			TEST(attachment_that_goes_takes_its_neighbours_along),
			TEST(unpinned_neighbour_nobody_uses_is_let_go),
			TEST(removed_target_stays_as_an_ordinary_neighbour),
			TEST(random_life_keeps_the_table_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
