/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "neigh_world.h"

static void
addresses_are_probed_then_announced(void **state)
{
	struct world *w = *state;

	lath_neigh_set_model(w->neigh, &w->model, w->now);
	assert_int_equal(claim_state(w, "10.0.0.1"), LATH_NEIGH_CLAIM_PROBING);
	run_ms(w, 500);
	assert_int_equal(w->sent[LATH_NEIGH_ANNOUNCE], 0);
	run_ms(w, 4000);
	/* Own, service and NAT address: three probes and two announcements each. */
	assert_int_equal(w->sent[LATH_NEIGH_PROBE], 9);
	assert_int_equal(w->sent[LATH_NEIGH_ANNOUNCE], 6);
	assert_int_equal(claim_state(w, "10.0.0.1"), LATH_NEIGH_CLAIM_HELD);
	assert_int_equal(claim_state(w, "10.0.2.1"), LATH_NEIGH_CLAIM_HELD);
	assert_int_equal(claim_state(w, "10.0.1.1"), LATH_NEIGH_CLAIM_HELD);
	/* The same model again changes nothing. */
	lath_neigh_set_model(w->neigh, &w->model, w->now);
	run_ms(w, 4000);
	assert_int_equal(w->sent[LATH_NEIGH_PROBE], 9);
}

static void
fabric_that_answers_itself_is_left_alone(void **state)
{
	struct world *w = *state;

	w->attachment.announce = false;
	start(w);
	assert_int_equal(w->sent[LATH_NEIGH_PROBE], 0);
	assert_int_equal(w->sent[LATH_NEIGH_ANNOUNCE], 0);
	assert_true(is_reachable(w, "10.0.0.254"));
}

static void
conflict_while_probing_names_the_other_and_stops_announcing(void **state)
{
	struct world *w = *state;

	add_host(w, "10.0.0.1", 0x66);
	start(w);
	assert_int_equal(w->conflicts, 1);
	assert_true(lath_ip_equal(&w->last_conflict, &w->hosts[3].ip));
	assert_memory_equal(&w->last_theirs, &w->hosts[3].mac, 6);
	assert_int_equal(claim_state(w, "10.0.0.1"), LATH_NEIGH_CLAIM_CONFLICT);
	assert_int_equal(w->sent[LATH_NEIGH_ANNOUNCE], 4); /* the two others */
	run_ms(w, 60000);
	assert_int_equal(w->conflicts, 2);
	w->hosts[3].is_silent = true;
	run_ms(w, 65000);
	assert_int_equal(claim_state(w, "10.0.0.1"), LATH_NEIGH_CLAIM_HELD);
}

static void
conflict_later_is_defended_once_in_ten_seconds(void **state)
{
	struct world *w = *state;
	struct lath_ip own = ip_of("10.0.0.1");
	struct lath_mac theirs = mac_of(0x66);

	start(w);
	w->sent[LATH_NEIGH_ANNOUNCE] = 0;
	for (unsigned i = 0; i < 95; i++) {
		lath_neigh_seen(w->neigh, 0, &own, &theirs, &own, false, w->now);
		run_ms(w, 100);
	}
	assert_int_equal(w->conflicts, 1);
	assert_int_equal(w->sent[LATH_NEIGH_ANNOUNCE], 1);
	run_ms(w, 1000);
	lath_neigh_seen(w->neigh, 0, &own, &theirs, &own, false, w->now);
	assert_int_equal(w->conflicts, 2);
	assert_int_equal(lath_neigh_counters(w->neigh)->conflicts_total, 96);
}

static void
link_flap_loses_nothing_and_asks_and_announces_again(void **state)
{
	struct world *w = *state;
	unsigned probes;
	unsigned requests;

	start(w);
	lath_neigh_link(w->neigh, 0, false, w->now);
	probes = w->sent[LATH_NEIGH_PROBE];
	requests = w->sent[LATH_NEIGH_ASK_ALL];
	run_ms(w, 120000);
	assert_int_equal(w->lost, 0);
	assert_int_equal(w->sent[LATH_NEIGH_PROBE], probes);
	assert_int_equal(w->sent[LATH_NEIGH_ASK_ALL], requests);
	w->hosts[1].mac = mac_of(0x99); /* replaced meanwhile */
	lath_neigh_link(w->neigh, 0, true, w->now);
	run_ms(w, 5000);
	assert_int_equal(w->sent[LATH_NEIGH_PROBE], probes + 9);
	assert_int_equal(w->sent[LATH_NEIGH_ANNOUNCE], 12);
	assert_true(is_reachable(w, "10.0.0.5"));
	assert_memory_equal(&w->last_mac, &w->hosts[1].mac, 6);
	assert_int_equal(w->lost, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			TEST(addresses_are_probed_then_announced),
			TEST(fabric_that_answers_itself_is_left_alone),
			TEST(conflict_while_probing_names_the_other_and_stops_announcing),
			TEST(conflict_later_is_defended_once_in_ten_seconds),
			TEST(link_flap_loses_nothing_and_asks_and_announces_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
