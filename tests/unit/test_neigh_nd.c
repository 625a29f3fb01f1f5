/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* The resolver in IPv6. Beside what neigh_world.h has: the address fd00::1/64, a default route by
 * fe80::fe, a target fd00::5, a service fd00::2:1; hosts that answer for both and for fd00::9.
 */

#include "neigh_world.h"

static const struct lath_mac gateway = {{2, 0, 0, 0, 0, 1}};

static struct lath_model_route routes6[4];
static struct lath_model_target target6;
static struct lath_model_target *targets6[2];

static int
set_up_v6(void **state)
{
	struct world *w;

	assert_int_equal(set_up(state), 0);
	w = *state;
	lath_neigh_set_mac(w->neigh, 0, &gateway);
	assert_int_equal(lath_prefix_parse_host("fd00::1/64", &w->attachment.addresses[1]), 0);
	w->attachment.address_count = 2;
	memcpy(routes6, w->routes, sizeof(w->routes));
	assert_int_equal(lath_prefix_parse("fd00::/64", &routes6[2].prefix), 0);
	assert_int_equal(lath_prefix_parse("::/0", &routes6[3].prefix), 0);
	routes6[3].next_hop = ip_of("fe80::fe");
	w->vpc.routes = routes6;
	w->vpc.route_count = 4;
	target6 = (struct lath_model_target){
			.vpc = 1, .ip = ip_of("fd00::5"), .state = LATH_TARGET_HEALTHY};
	targets6[0] = &w->target;
	targets6[1] = &target6;
	w->model.targets = targets6;
	w->model.target_count = 2;
	w->service.addresses[1] = ip_of("fd00::2:1");
	add_host(w, "fe80::fe", 0xfe);
	add_host(w, "fd00::5", 5);
	add_host(w, "fd00::9", 9);
	return 0;
}

static struct lath_nd_message
advertisement(const char *target, const struct lath_mac *mac, bool solicited, bool overrides)
{
	struct lath_nd_message msg = {
			.type = LATH_ND_NEIGHBOR_ADVERTISEMENT,
			.src = ip_of(target),
			.dst = ip_of("fd00::1"),
			.target = ip_of(target),
			.is_solicited = solicited,
			.overrides = overrides,
	};

	if (mac != NULL) {
		msg.mac = *mac;
		msg.has_mac = true;
	}
	return msg;
}

static void
advertise(struct world *w, const char *target, const struct lath_mac *mac, bool solicited,
		bool overrides)
{
	const struct lath_nd_message msg = advertisement(target, mac, solicited, overrides);
	const struct lath_mac nobody = {{2, 9, 9, 9, 9, 9}};

	lath_neigh_discovery(w->neigh, 0, &msg, mac == NULL ? &nobody : mac, w->now);
}

static void
solicit(struct world *w, const char *src, const char *target, const struct lath_mac *mac)
{
	const struct lath_nd_message msg = {
			.type = LATH_ND_NEIGHBOR_SOLICITATION,
			.src = ip_of(src),
			.target = ip_of(target),
			.mac = mac == NULL ? (struct lath_mac){{0}} : *mac,
			.has_mac = mac != NULL,
	};
	const struct lath_mac sender = mac_of(0x66);

	lath_neigh_discovery(w->neigh, 0, &msg, mac == NULL ? &sender : mac, w->now);
}

static enum lath_neigh_state
state_of(const struct world *w, const char *text)
{
	struct lath_neigh_row row;

	return find_row(w, text, &row) ? row.state : LATH_NEIGH_STATE_COUNT;
}

static void
configured_next_hops_are_resolved_link_local_ones_too(void **state)
{
	struct world *w = *state;
	struct lath_neigh_row row;

	start(w);
	assert_true(is_reachable(w, "fe80::fe"));
	assert_true(is_reachable(w, "fd00::5"));
	assert_true(find_row(w, "fe80::fe", &row) && row.pinned && row.is_router);
	assert_true(find_row(w, "fd00::5", &row) && !row.is_router);
	assert_memory_equal(&row.mac, &w->hosts[4].mac, 6);
}

/* RFC 4861 section 7.2.2: of the gateway's addresses on that link, the nearest. */
static void
questions_come_from_an_own_address(void **state)
{
	struct world *w = *state;
	struct lath_ip own = lath_nd_link_local(&gateway);
	struct lath_ip address = ip_of("fd00::1");
	struct lath_ip near = ip_of("fd00::77");
	struct lath_ip link = ip_of("fe80::77");

	start(w);
	w->queued = 0;
	lath_neigh_want(w->neigh, 0, &near, w->now);
	assert_int_equal(w->queued, 1);
	assert_true(lath_ip_equal(&w->queue[0].sender, &address));
	lath_neigh_want(w->neigh, 0, &link, w->now);
	assert_int_equal(w->queued, 2);
	assert_true(lath_ip_equal(&w->queue[1].sender, &own));
}

/* RFC 4861 section 7.3: refreshed by unicast before it is given up. */
static void
silent_neighbour_is_probed_by_unicast_then_lost(void **state)
{
	struct world *w = *state;
	unsigned one;

	start(w);
	run_ms(w, 60000);
	assert_true(w->sent[LATH_NEIGH_ASK_ONE] >= 4);
	assert_true(is_reachable(w, "fd00::5"));
	w->hosts[4].is_silent = true;
	one = w->sent[LATH_NEIGH_ASK_ONE];
	run_ms(w, 45000);
	//= RFC4861#7.3.3-unreachable type=test
	assert_true(w->sent[LATH_NEIGH_ASK_ONE] >= one + 3);
	assert_true(lath_ip_equal(&w->last_lost, &w->hosts[4].ip));
	assert_false(is_reachable(w, "fd00::5"));
}

/* RFC 4861 section 7.2.2: MAX_MULTICAST_SOLICIT questions, RETRANS_TIMER apart. */
static void
unknown_address_is_asked_three_times(void **state)
{
	struct world *w = *state;
	unsigned all;

	start(w);
	all = w->sent[LATH_NEIGH_ASK_ALL];
	want(w, "fd00::77");
	run_ms(w, 2900);
	//= RFC4861#7.2.2-retransmit type=test
	assert_int_equal(w->sent[LATH_NEIGH_ASK_ALL], all + 3);
	assert_int_equal(w->lost, 0);
	run_ms(w, 200);
	assert_int_equal(w->lost, 1);
}

/* A row of RFC 4861 appendix C: what an advertisement makes of an entry for fd00::5. */
struct row {
	const char *what;
	enum {
		ASKED,
		CONFIRMED,
		SUSPECTED
	} before;
	enum {
		NONE,
		SAME,
		OTHER
	} mac;
	bool solicited;
	bool overrides;
	enum lath_neigh_state after;
	bool takes_other; /* the MAC is the other one afterwards */
};

/* clang-format off */
static const struct row rows[] = {
	{"incomplete, no MAC", ASKED, NONE, true, true, LATH_NEIGH_RESOLVING, false},
	{"incomplete, solicited", ASKED, OTHER, true, false, LATH_NEIGH_REACHABLE, true},
	{"incomplete, unsolicited", ASKED, OTHER, false, false, LATH_NEIGH_REFRESHING, true},
	{"reachable, other, S", CONFIRMED, OTHER, true, false, LATH_NEIGH_REFRESHING, false},
	{"reachable, other", CONFIRMED, OTHER, false, false, LATH_NEIGH_REFRESHING, false},
	{"reachable, same", CONFIRMED, SAME, false, false, LATH_NEIGH_REACHABLE, false},
	{"reachable, same, O", CONFIRMED, SAME, false, true, LATH_NEIGH_REACHABLE, false},
	{"reachable, no MAC", CONFIRMED, NONE, false, false, LATH_NEIGH_REACHABLE, false},
	{"reachable, other, O", CONFIRMED, OTHER, false, true, LATH_NEIGH_REFRESHING, true},
	{"reachable, other, S, O", CONFIRMED, OTHER, true, true, LATH_NEIGH_REACHABLE, true},
	{"probed, other, S", SUSPECTED, OTHER, true, false, LATH_NEIGH_REFRESHING, false},
	{"probed, same", SUSPECTED, SAME, false, true, LATH_NEIGH_REFRESHING, false},
	{"probed, same, S", SUSPECTED, SAME, true, false, LATH_NEIGH_REACHABLE, false},
	{"probed, no MAC, S", SUSPECTED, NONE, true, false, LATH_NEIGH_REACHABLE, false},
	{"probed, other, S, O", SUSPECTED, OTHER, true, true, LATH_NEIGH_REACHABLE, true},
};
/* clang-format on */

static void
try_row(const struct row *row)
{
	void *state = NULL;
	const struct lath_mac other = mac_of(0x55);
	const struct lath_mac same = mac_of(5);
	struct lath_neigh_row seen;
	struct world *w;

	assert_int_equal(set_up_v6(&state), 0);
	w = state;
	w->hosts[4].is_silent = true; /* only this test speaks for it */
	lath_neigh_set_model(w->neigh, &w->model, w->now);
	run_ms(w, 1000);
	if (row->before != ASKED)
		advertise(w, "fd00::5", &same, true, true);
	if (row->before == SUSPECTED)
		advertise(w, "fd00::5", &other, false, false);
	advertise(w, "fd00::5",
			row->mac == NONE                   ? NULL
					: row->mac == SAME ? &same
							   : &other,
			row->solicited, row->overrides);
	assert_true(find_row(w, "fd00::5", &seen));
	if (seen.state != row->after)
		fail_msg("%s: %s", row->what, lath_neigh_state_name(seen.state));
	if (row->takes_other != (memcmp(&seen.mac, &other, 6) == 0))
		fail_msg("%s: wrong MAC", row->what);
	tear_down(&state);
}

static void
advertisements_do_what_appendix_c_says(void **state)
{
	(void)state;
	//= RFC4861#7.2.5-incomplete type=test
	//= RFC4861#7.2.5-override type=test
	//= RFC4861#7.2.5-solicited type=test
	for (size_t i = 0; i < LATH_ARRAY_SIZE(rows); i++)
		try_row(&rows[i]);
}

static void
advertisement_of_nobody_we_know_makes_no_entry(void **state)
{
	struct world *w = *state;
	const struct lath_mac mac = mac_of(7);

	start(w);
	//= RFC4861#7.2.5-no-entry type=test
	advertise(w, "fd00::7", &mac, true, true);
	assert_int_equal(state_of(w, "fd00::7"), LATH_NEIGH_STATE_COUNT);
}

/* RFC 4861 section 7.2.3. */
static void
who_asks_for_us_is_stale_until_it_is_used(void **state)
{
	struct world *w = *state;
	const struct lath_mac mac = mac_of(9);
	unsigned one;

	start(w);
	//= RFC4861#7.2.3-stale type=test
	solicit(w, "fd00::9", "fd00::1", NULL);
	assert_int_equal(state_of(w, "fd00::9"), LATH_NEIGH_STATE_COUNT);
	solicit(w, "fd00::9", "fd00::1", &mac);
	assert_int_equal(state_of(w, "fd00::9"), LATH_NEIGH_STALE);
	one = w->sent[LATH_NEIGH_ASK_ONE];
	w->resolved = 0;
	want(w, "fd00::9");
	assert_int_equal(w->resolved, 1); /* used at once, */
	assert_int_equal(state_of(w, "fd00::9"), LATH_NEIGH_REFRESHING);
	run_ms(w, LATH_NEIGH_DELAY_MS - 100);
	assert_int_equal(state_of(w, "fd00::9"), LATH_NEIGH_REFRESHING);
	run_ms(w, 200); /* and asked after the delay. */
	assert_true(w->sent[LATH_NEIGH_ASK_ONE] > one);
	assert_true(is_reachable(w, "fd00::9"));
	/* Asking again does not undo what was confirmed. */
	solicit(w, "fd00::9", "fd00::1", &mac);
	assert_true(is_reachable(w, "fd00::9"));
}

static void
stale_neighbour_nobody_uses_is_let_go(void **state)
{
	struct world *w = *state;
	const struct lath_mac mac = mac_of(9);

	start(w);
	solicit(w, "fd00::9", "fd00::1", &mac);
	run_ms(w, LATH_NEIGH_IDLE_MS - 1000);
	assert_int_equal(state_of(w, "fd00::9"), LATH_NEIGH_STALE);
	run_ms(w, 2000);
	assert_int_equal(state_of(w, "fd00::9"), LATH_NEIGH_STATE_COUNT);
}

static void
strangers_are_not_learned(void **state)
{
	struct world *w = *state;
	const struct lath_mac mac = mac_of(7);
	const struct lath_mac group = {{0x33, 0x33, 0, 0, 0, 1}};

	start(w);
	solicit(w, "fd11::7", "fd00::1", &mac);  /* of no subnet here */
	solicit(w, "fd00::7", "fd00::99", &mac); /* asks for somebody else */
	solicit(w, "fd00::7", "fd00::1", &group);
	assert_int_equal(state_of(w, "fd11::7"), LATH_NEIGH_STATE_COUNT);
	assert_int_equal(state_of(w, "fd00::7"), LATH_NEIGH_STATE_COUNT);
	solicit(w, "fe80::7", "fd00::1", &mac);
	assert_int_equal(state_of(w, "fe80::7"), LATH_NEIGH_STALE);
}

static void
attachment_without_ipv6_speaks_none(void **state)
{
	struct world *w = *state;
	const struct lath_mac mac = mac_of(7);

	start(w);
	solicit(w, "fe80::7", "fd00::1", &mac);
	w->attachment.address_count = 1;
	lath_neigh_set_model(w->neigh, &w->model, w->now);
	assert_int_equal(state_of(w, "fe80::7"), LATH_NEIGH_STATE_COUNT);
	assert_int_equal(state_of(w, "fd00::5"), LATH_NEIGH_STATE_COUNT);
	assert_int_equal(claim_state(w, "fe80::ff:fe00:1"), LATH_NEIGH_CLAIM_STATE_COUNT);
	want(w, "fd00::9");
	assert_int_equal(state_of(w, "fd00::9"), LATH_NEIGH_STATE_COUNT);
	assert_true(is_reachable(w, "10.0.0.5"));
}

/* ---- addresses of ours -------------------------------------------------------------------- */

static void
own_addresses_are_looked_for_then_announced(void **state)
{
	struct world *w = *state;
	static const char *const ours[] = {"fd00::1", "fe80::ff:fe00:1", "fd00::2:1"};

	lath_neigh_set_model(w->neigh, &w->model, w->now);
	//= RFC4862#5.4-all-addresses type=test
	for (size_t i = 0; i < LATH_ARRAY_SIZE(ours); i++)
		assert_int_equal(claim_state(w, ours[i]), LATH_NEIGH_CLAIM_PROBING);
	run_ms(w, 900);
	for (size_t i = 0; i < LATH_ARRAY_SIZE(ours); i++)
		assert_int_equal(claim_state(w, ours[i]), LATH_NEIGH_CLAIM_PROBING);
	run_ms(w, 5000);
	for (size_t i = 0; i < LATH_ARRAY_SIZE(ours); i++)
		assert_int_equal(claim_state(w, ours[i]), LATH_NEIGH_CLAIM_HELD);
	assert_int_equal(w->sent[LATH_NEIGH_LISTEN], 3);
	/* Three of IPv4 with three and two messages, three of IPv6 with one and three. */
	assert_int_equal(w->sent[LATH_NEIGH_PROBE], 9 + 3);
	assert_int_equal(w->sent[LATH_NEIGH_ANNOUNCE], 6 + 9);
}

static void
pool_addresses_in_the_subnet_are_ours(void **state)
{
	struct world *w = *state;
	struct lath_model_nat6_range ranges[2] = {{.count = 3}, {.count = 2}};
	struct lath_ip inside = ip_of("fd00::3:0");
	struct lath_ip outside = ip_of("fd77::1");

	memcpy(ranges[0].first, inside.bytes, 16);
	memcpy(ranges[1].first, outside.bytes, 16);
	w->vpc.nat6_ranges = ranges;
	w->vpc.nat6_range_count = 2;
	w->vpc.nat6_address_count = 5;
	start(w);
	assert_int_equal(claim_state(w, "fd00::3:0"), LATH_NEIGH_CLAIM_HELD);
	assert_int_equal(claim_state(w, "fd00::3:2"), LATH_NEIGH_CLAIM_HELD);
	assert_int_equal(claim_state(w, "fd00::3:3"), LATH_NEIGH_CLAIM_STATE_COUNT);
	assert_int_equal(claim_state(w, "fd77::1"), LATH_NEIGH_CLAIM_STATE_COUNT);
	w->vpc.nat6_address_count = 0;
}

static void
query_is_answered_for_every_address_at_most_once_a_second(void **state)
{
	struct world *w = *state;

	start(w);
	w->sent[LATH_NEIGH_LISTEN] = 0;
	lath_neigh_query(w->neigh, 0, w->now);
	lath_neigh_query(w->neigh, 0, w->now);
	assert_int_equal(w->sent[LATH_NEIGH_LISTEN], 3);
	run_ms(w, 1000);
	lath_neigh_query(w->neigh, 0, w->now);
	assert_int_equal(w->sent[LATH_NEIGH_LISTEN], 6);
	lath_neigh_query(w->neigh, 1, w->now); /* no such attachment */
	assert_int_equal(w->sent[LATH_NEIGH_LISTEN], 6);
}

static void
duplicate_is_told_and_not_announced(void **state)
{
	struct world *w = *state;

	add_host(w, "fd00::1", 0x66);
	start(w);
	//= RFC4862#5.4.4-advertisement type=test
	assert_int_equal(w->conflicts, 1);
	assert_true(lath_ip_equal(&w->last_conflict, &w->hosts[6].ip));
	assert_memory_equal(&w->last_theirs, &w->hosts[6].mac, 6);
	assert_int_equal(claim_state(w, "fd00::1"), LATH_NEIGH_CLAIM_CONFLICT);
	assert_int_equal(claim_state(w, "fd00::2:1"), LATH_NEIGH_CLAIM_HELD);
}

static void
another_one_looking_for_our_address_counts_while_we_look(void **state)
{
	struct world *w = *state;
	const struct lath_mac theirs = mac_of(0x66);

	lath_neigh_set_model(w->neigh, &w->model, w->now);
	//= RFC4862#5.4.3-solicitation type=test
	solicit(w, "::", "fd00::1", NULL);
	assert_int_equal(w->conflicts, 1);
	assert_memory_equal(&w->last_theirs, &theirs, 6);
	run_ms(w, 100000);
	assert_int_equal(claim_state(w, "fd00::1"), LATH_NEIGH_CLAIM_HELD);
	/* Later it is answered by a worker, and no conflict yet. */
	solicit(w, "::", "fd00::1", NULL);
	assert_int_equal(w->conflicts, 1);
}

static void
conflict_later_is_defended_once_in_ten_seconds(void **state)
{
	struct world *w = *state;
	const struct lath_mac theirs = mac_of(0x66);

	start(w);
	run_ms(w, 5000);
	w->sent[LATH_NEIGH_ANNOUNCE] = 0;
	for (unsigned i = 0; i < 95; i++) {
		advertise(w, "fd00::1", &theirs, false, true);
		run_ms(w, 100);
	}
	assert_int_equal(w->conflicts, 1);
	assert_int_equal(w->sent[LATH_NEIGH_ANNOUNCE], 1);
	solicit(w, "fd00::1", "fd00::9", &theirs); /* asks with our address */
	run_ms(w, 1000);
	solicit(w, "fd00::1", "fd00::9", &theirs);
	assert_int_equal(w->conflicts, 2);
}

static const char *const ADDRESSES[] = {"fd00::5", "fd00::9", "fd00::1", "fe80::fe", "fe80::7",
		"fd11::7", "::", "fd00::2:1"};

/* Random calls at a small table: the sanitizers and the counts below must hold. */
static void
random_life_keeps_the_table_sound(void **state)
{
	struct world *w = *state;
	uint64_t random = lath_test_random(__func__);
	unsigned steps = lath_test_size(__func__, 30000, 3000000);

	lath_neigh_free(w->neigh);
	w->neigh = lath_neigh_create(16, &world_ops, w, random);
	lath_neigh_set_mac(w->neigh, 0, &gateway);
	lath_neigh_set_model(w->neigh, &w->model, w->now);
	for (unsigned i = 0; i < steps; i++) {
		const char *who = ADDRESSES[lath_random_below(&random, 8)];
		const char *what = ADDRESSES[lath_random_below(&random, 8)];
		struct lath_mac mac = mac_of((uint8_t)lath_random_below(&random, 4));
		uint32_t bits = lath_random_below(&random, 8);
		struct lath_ip ip = ip_of(who);
		struct lath_neigh_row row;
		uint32_t cursor = 0;
		uint32_t count = 0;
		uint32_t pinned;

		switch (lath_random_below(&random, 7)) {
		case 0:
			advertise(w, who, bits >= 6 ? NULL : &mac, bits & 1, bits & 2);
			break;
		case 1:
			solicit(w, who, what, bits >= 6 ? NULL : &mac);
			break;
		case 2:
			lath_neigh_used(w->neigh, 0, &ip, w->now);
			break;
		case 3:
			target6.ip = ip;
			w->attachment.address_count = bits == 0 ? 1 : 2;
			lath_neigh_set_model(w->neigh, &w->model, w->now);
			break;
		case 4:
			if (lath_random_below(&random, 50) == 0)
				lath_neigh_link(w->neigh, 0, i % 2 == 0, w->now);
			break;
		case 5:
			run_ms(w, lath_random_below(&random, 3000));
			break;
		default:
			ip.bytes[15] = (uint8_t)lath_random_below(&random, 64);
			lath_neigh_want(w->neigh, 0, &ip, w->now);
		}
		w->queued = 0;
		while (lath_neigh_next(w->neigh, &cursor, w->now, &row))
			count++;
		assert_int_equal(count, lath_neigh_count(w->neigh, &pinned));
		assert_true(count <= 16 && count - pinned <= 8);
	}
}

#define TEST6(name) cmocka_unit_test_setup_teardown(name, set_up_v6, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
			TEST6(configured_next_hops_are_resolved_link_local_ones_too),
			TEST6(questions_come_from_an_own_address),
			TEST6(silent_neighbour_is_probed_by_unicast_then_lost),
			TEST6(unknown_address_is_asked_three_times),
			cmocka_unit_test(advertisements_do_what_appendix_c_says),
			TEST6(advertisement_of_nobody_we_know_makes_no_entry),
			TEST6(who_asks_for_us_is_stale_until_it_is_used),
			TEST6(stale_neighbour_nobody_uses_is_let_go),
			TEST6(strangers_are_not_learned),
			TEST6(attachment_without_ipv6_speaks_none),
			TEST6(own_addresses_are_looked_for_then_announced),
			TEST6(pool_addresses_in_the_subnet_are_ours),
			TEST6(query_is_answered_for_every_address_at_most_once_a_second),
			TEST6(duplicate_is_told_and_not_announced),
			TEST6(another_one_looking_for_our_address_counts_while_we_look),
			TEST6(conflict_later_is_defended_once_in_ten_seconds),
			TEST6(random_life_keeps_the_table_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
