/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* What the table of fragments promises, sentence by sentence; test_frag_model.c has the rest. */

#include <lath_frag.h>

#include "failing_heap.h"

static const struct lath_siphash_key key = {3, 4};

static const struct lath_frag_limits usual = {
		.vpcs = 8,
		.datagrams = 64,
		.datagrams_per_vpc = 48,
		.held = 96,
		.held_per_vpc = 64,
		.held_per_datagram = 16,
		.timeout_ms = LATH_FRAG_TIMEOUT_DEFAULT_MS,
};

static struct lath_frag_table *
create(const struct lath_frag_limits *limits)
{
	struct lath_frag_table *table = lath_frag_create(limits, &key, &lath_heap);

	assert_non_null(table);
	return table;
}

/* UDP from one end to the other of a VPC; `units` of 8 bytes from `unit` on. */
static struct lath_frag_piece
piece_of(uint8_t family, uint32_t vpc, uint32_t id, uint32_t unit, uint32_t units, bool more)
{
	return (struct lath_frag_piece){
			.src = {10, 1},
			.dst = {10, 2},
			.id = id,
			.vpc = vpc,
			.offset = (uint16_t)(8 * unit),
			.len = (uint16_t)(8 * units),
			.family = family,
			.proto = LATH_PROTO_UDP,
			.more = more,
			.src_port_be = lath_to_be16(unit == 0 ? 4000 : 0),
			.dst_port_be = lath_to_be16(unit == 0 ? 53 : 0),
	};
}

/* Lets a list go; how many were in it. Handles come in rising order. */
static unsigned
drain(struct lath_frag_table *table, struct lath_frag_list *list, enum lath_drop expected)
{
	uintptr_t last = 0;
	unsigned count = 0;
	enum lath_drop drop;
	void *handle;

	while ((handle = lath_frag_pop(table, list, &drop)) != NULL) {
		assert_true((uintptr_t)handle > last);
		assert_int_equal(drop, expected);
		last = (uintptr_t)handle;
		count++;
	}
	return count;
}

static struct lath_frag_outcome
add(struct lath_frag_table *table, struct lath_frag_piece piece, uintptr_t handle, lath_tick_t now)
{
	struct lath_frag_outcome outcome;

	lath_frag_add(table, &piece, (void *)handle, now, &outcome);
	return outcome;
}

static void
expect_drop(struct lath_frag_table *table, struct lath_frag_piece piece, enum lath_drop drop,
		const char *name)
{
	struct lath_frag_outcome outcome = add(table, piece, 99, 0);

	if (outcome.action != LATH_FRAG_DROP || outcome.drop != drop)
		fail_msg("%s: action %d, %s", name, outcome.action, lath_drop_name(outcome.drop));
	drain(table, &outcome.dropped, drop);
}

/* ---- order -------------------------------------------------------------------------------- */

static const uint8_t orders[6][3] = {
		{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

/* Three fragments in one order; all pass, each at the earliest moment. */
static void
pass_three(struct lath_frag_table *table, uint8_t family, uint32_t vpc, uint32_t id,
		const uint8_t order[3], lath_tick_t now)
{
	unsigned waiting = 0;
	bool first_came = false;

	for (unsigned i = 0; i < 3; i++) {
		struct lath_frag_outcome outcome = add(table,
				piece_of(family, vpc, id, order[i] * 185u, 185, order[i] != 2),
				i + 1, now);

		first_came |= order[i] == 0;
		assert_int_equal(outcome.action, first_came ? LATH_FRAG_PASS : LATH_FRAG_HOLD);
		waiting += !first_came;
		if (first_came) {
			assert_int_equal(lath_from_be16(outcome.src_port_be), 4000);
			assert_int_equal(lath_from_be16(outcome.dst_port_be), 53);
			assert_int_equal(outcome.proto, LATH_PROTO_UDP);
			assert_int_equal(drain(table, &outcome.released, LATH_DROP_NONE), waiting);
			waiting = 0;
		}
		drain(table, &outcome.dropped, LATH_DROP_fragment_limit);
	}
}

//= RFC4787#REQ-14 type=test
//= RFC6146#3.4-fragments type=test
static void
three_fragments_pass_in_all_six_orders(void **state)
{
	static const uint8_t families[] = {LATH_FAMILY_IPV4, LATH_FAMILY_IPV6};
	struct lath_frag_table *table = create(&usual);

	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		pass_three(table, families[i % 2], 0, i, orders[i / 2], 0);
		assert_int_equal(lath_frag_datagrams(table), 0);
		assert_int_equal(lath_frag_held(table), 0);
	}
	lath_frag_free(table);
}

static void
longest_datagram_passes_forwards_and_backwards(void **state)
{
	struct lath_frag_limits limits = usual;
	struct lath_frag_table *table;
	struct lath_frag_outcome outcome;

	(void)state;
	limits.held_per_datagram = limits.held = limits.held_per_vpc = 45;
	table = create(&limits);
	for (unsigned backwards = 0; backwards < 2; backwards++) {
		for (unsigned i = 0; i < 45; i++) {
			unsigned at = backwards ? 44 - i : i;
			struct lath_frag_piece piece = piece_of(LATH_FAMILY_IPV4, 1, 7, at * 185,
					185, at != 44);

			if (at == 44)
				piece.len = (uint16_t)(65515 - piece.offset);
			outcome = add(table, piece, i + 1, 0);
			assert_int_equal(outcome.action,
					backwards && at != 0 ? LATH_FRAG_HOLD : LATH_FRAG_PASS);
			assert_int_equal(drain(table, &outcome.released, LATH_DROP_NONE),
					backwards && at == 0 ? 44 : 0);
		}
		assert_int_equal(lath_frag_datagrams(table), 0);
	}
	lath_frag_free(table);
}

static void
atomic_fragment_needs_no_state(void **state)
{
	struct lath_frag_table *table = create(&usual);
	struct lath_frag_outcome outcome = add(table, piece_of(LATH_FAMILY_IPV6, 0, 1, 0, 4, false),
			1, 0);

	(void)state;
	assert_int_equal(outcome.action, LATH_FRAG_PASS);
	assert_int_equal(lath_frag_datagrams(table), 0);
	lath_frag_free(table);
}

/* ---- keys --------------------------------------------------------------------------------- */

static void
datagrams_are_told_apart_by_their_whole_key(void **state)
{
	static const struct {
		const char *name;
		uint8_t family;
		unsigned at; /* what differs: 0 VPC, 1 source, 2 destination, 3 id, 4 protocol */
		bool same;
	} rows[] = {
			{"VPC", LATH_FAMILY_IPV4, 0, false}, {"source", LATH_FAMILY_IPV4, 1, false},
			{"destination", LATH_FAMILY_IPV4, 2, false},
			{"identification", LATH_FAMILY_IPV4, 3, false},
			{"protocol", LATH_FAMILY_IPV4, 4, false},
			{"VPC 6", LATH_FAMILY_IPV6, 0, false},
			{"source 6", LATH_FAMILY_IPV6, 1, false},
			{"destination 6", LATH_FAMILY_IPV6, 2, false},
			{"identification 6", LATH_FAMILY_IPV6, 3, false},
			{"protocol 6", LATH_FAMILY_IPV6, 4, true}, /* RFC 8200 section 4.5 */
	};

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct lath_frag_table *table = create(&usual);
		struct lath_frag_piece piece = piece_of(rows[i].family, 2, 9, 0, 8, true);
		struct lath_frag_outcome outcome = add(table, piece, 1, 0);

		assert_int_equal(outcome.action, LATH_FRAG_PASS);
		piece = piece_of(rows[i].family, 2, 9, 8, 8, true);
		piece.vpc += rows[i].at == 0;
		piece.src[3] += rows[i].at == 1;
		piece.dst[3] += rows[i].at == 2;
		piece.id += rows[i].at == 3;
		piece.proto = rows[i].at == 4 ? LATH_PROTO_ICMP : piece.proto;
		outcome = add(table, piece, 2, 0);
		if (outcome.action != (rows[i].same ? LATH_FRAG_PASS : LATH_FRAG_HOLD))
			fail_msg("%s: action %d", rows[i].name, outcome.action);
		lath_frag_free(table);
	}
}

/* ---- what does not pass ------------------------------------------------------------------- */

//= RFC1858#section-3 type=test
//= RFC3128#section-3 type=test
static void
tiny_and_impossible_fragments_are_dropped(void **state)
{
	static const struct {
		const char *name;
		uint8_t family;
		uint8_t proto;
		uint16_t offset;
		uint16_t len;
		bool more;
		enum lath_drop drop;
	} rows[] = {
			{"TCP header in part", 4, 6, 0, 16, true, LATH_DROP_fragment_tiny},
			{"TCP flags elsewhere", 4, 6, 0, 8, true, LATH_DROP_fragment_tiny},
			{"TCP at offset 8", 4, 6, 8, 800, true, LATH_DROP_fragment_tiny},
			{"TCP at offset 16", 4, 6, 16, 800, false, LATH_DROP_fragment_tiny},
			{"TCP header in part 6", 6, 6, 0, 16, true, LATH_DROP_fragment_tiny},
			{"no bytes", 4, 17, 80, 0, false, LATH_DROP_fragment_malformed},
			{"no bytes, more", 4, 17, 80, 0, true, LATH_DROP_fragment_malformed},
			{"more, not whole units", 4, 17, 80, 12, true,
					LATH_DROP_fragment_malformed},
			{"more, not whole units 6", 6, 17, 0, 12, true,
					LATH_DROP_fragment_malformed},
			{"longest datagram and one", 4, 17, 65512, 4, false,
					LATH_DROP_fragment_malformed},
			{"longest datagram and one 6", 6, 17, 65528, 8, false,
					LATH_DROP_fragment_malformed},
			{"offset not in units", 4, 17, 84, 8, true, LATH_DROP_fragment_malformed},
			{"protocol 0", 4, 0, 80, 8, true, LATH_DROP_fragment_malformed},
	};
	struct lath_frag_table *table = create(&usual);
	struct lath_frag_piece piece;

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		piece = piece_of(rows[i].family, 0, 1, 0, 0, rows[i].more);
		piece.proto = rows[i].proto;
		piece.offset = rows[i].offset;
		piece.len = rows[i].len;
		expect_drop(table, piece, rows[i].drop, rows[i].name);
	}
	piece = piece_of(LATH_FAMILY_IPV4, usual.vpcs, 1, 0, 8, true);
	expect_drop(table, piece, LATH_DROP_fragment_malformed, "unknown VPC");
	assert_int_equal(lath_frag_datagrams(table), 0);
	lath_frag_free(table);
}

struct cut {
	uint8_t unit;
	uint8_t units;
	bool more;
};

//= RFC5722#section-4 type=test
//= RFC8200#section-4.5 type=test
static void
what_overlaps_ends_the_datagram(void **state)
{
	static const struct {
		const char *name;
		struct cut came[2];
		struct cut comes;
		bool alone; /* only that fragment is dropped */
	} rows[] = {
			{"into the first", {{0, 8, true}}, {4, 8, true}, false},
			{"around one", {{4, 4, true}}, {2, 8, true}, false},
			{"end of one", {{8, 8, true}}, {4, 5, true}, false},
			{"first over another", {{2, 8, true}}, {0, 4, true}, false},
			{"bridge over a gap", {{0, 4, true}, {8, 4, true}}, {3, 6, true}, false},
			{"copy of the first", {{0, 8, true}}, {0, 8, true}, true},
			{"copy of another", {{8, 8, true}}, {8, 8, true}, true},
			{"within one", {{0, 8, true}}, {2, 2, true}, true},
			{"two ends", {{8, 2, false}}, {12, 2, false}, false},
			{"behind the end", {{8, 2, false}}, {10, 2, true}, false},
			{"end before another", {{8, 2, true}}, {4, 2, false}, false},
	};

	(void)state;
	for (unsigned i = 0; i < 2 * LATH_ARRAY_SIZE(rows); i++) {
		uint8_t family = i % 2 ? LATH_FAMILY_IPV6 : LATH_FAMILY_IPV4;
		struct lath_frag_table *table = create(&usual);
		struct cut cut = rows[i / 2].comes;
		struct lath_frag_outcome outcome;

		for (unsigned k = 0; k < 2 && rows[i / 2].came[k].units != 0; k++)
			add(table,
					piece_of(family, 0, 5, rows[i / 2].came[k].unit,
							rows[i / 2].came[k].units,
							rows[i / 2].came[k].more),
					k + 1, 0);
		expect_drop(table, piece_of(family, 0, 5, cut.unit, cut.units, cut.more),
				LATH_DROP_fragment_overlap, rows[i / 2].name);
		/* Far from all that came; "those not yet received" go too. */
		outcome = add(table, piece_of(family, 0, 5, 100, 4, true), 50, 0);
		if ((outcome.action == LATH_FRAG_DROP) == rows[i / 2].alone &&
				rows[i / 2].came[0].more)
			fail_msg("%s: action %d", rows[i / 2].name, outcome.action);
		assert_int_equal(lath_frag_datagrams(table), 1);
		lath_frag_free(table);
	}
}

/* ---- time --------------------------------------------------------------------------------- */

//= RFC6146#section-3.4 type=test
//= RFC6146#3.4-fragment-timer type=test
static void
fragments_wait_two_seconds_and_no_longer(void **state)
{
	static const uint32_t asked_ms[] = {0, 2000, 10000};

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(asked_ms); i++) {
		const lath_tick_t start = UINT32_MAX - 50; /* wraps on the way */
		lath_tick_t whole = lath_ticks_from_ms(lath_max_u32(asked_ms[i], 2000));
		struct lath_frag_limits limits = usual;
		struct lath_frag_list dropped;
		struct lath_frag_table *table;

		limits.timeout_ms = asked_ms[i];
		table = create(&limits);
		add(table, piece_of(LATH_FAMILY_IPV4, 0, 1, 8, 8, true), 1, start);
		add(table, piece_of(LATH_FAMILY_IPV4, 0, 1, 16, 8, true), 2, start + 100);
		assert_false(lath_frag_expire(table, start + whole, &dropped));
		assert_true(lath_frag_expire(table, start + whole + 1, &dropped));
		assert_int_equal(drain(table, &dropped, LATH_DROP_fragment_timeout), 2);
		assert_false(lath_frag_expire(table, start + whole + 1, &dropped));
		assert_int_equal(lath_frag_held(table), 0);
		lath_frag_free(table);
	}
}

/* Whether or not expire() was called in time. */
static void
old_datagram_makes_room_for_a_new_one_of_its_name(void **state)
{
	struct lath_frag_table *table = create(&usual);
	struct lath_frag_outcome outcome;

	(void)state;
	add(table, piece_of(LATH_FAMILY_IPV4, 0, 1, 8, 8, false), 1, 0);
	outcome = add(table, piece_of(LATH_FAMILY_IPV4, 0, 1, 0, 8, true), 2, 201);
	assert_int_equal(outcome.action, LATH_FRAG_PASS);
	assert_int_equal(drain(table, &outcome.dropped, LATH_DROP_fragment_timeout), 1);
	assert_int_equal(drain(table, &outcome.released, LATH_DROP_NONE), 0);
	assert_int_equal(lath_frag_datagrams(table), 1);
	lath_frag_free(table);
}

static void
all_can_be_ended(void **state)
{
	struct lath_frag_table *table = create(&usual);
	struct lath_frag_list dropped;
	unsigned count = 0;

	(void)state;
	for (uint32_t i = 0; i < 20; i++)
		add(table, piece_of(LATH_FAMILY_IPV4, i % 8, i, 8 * (i % 2), 8, true), i + 1, 0);
	while (lath_frag_end_oldest(table, &dropped))
		count += drain(table, &dropped, LATH_DROP_fragment_timeout);
	assert_int_equal(count, 10);
	assert_int_equal(lath_frag_datagrams(table), 0);
	lath_frag_free(table);
}

/* ---- bounds ------------------------------------------------------------------------------- */

/* One VPC sends fragments that never become whole, as many as ever; others lose nothing. */
//= RFC4787#REQ-14a type=test
static void
flood_costs_nobody_else_anything(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 20000, 500000);
	struct lath_frag_table *table = create(&usual);

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		uint8_t family = i % 2 ? LATH_FAMILY_IPV6 : LATH_FAMILY_IPV4;
		const uint8_t *order = orders[i % 6];
		uint32_t vpc = 1 + i % 7;
		bool first_came = false;

		for (unsigned k = 0; k < 3; k++) {
			struct lath_frag_outcome outcome;

			for (unsigned n = lath_random_below(&random, 60); n > 0; n--) {
				uint32_t unit = 8 * lath_random_below(&random, 20);

				outcome = add(table,
						piece_of(LATH_FAMILY_IPV4, 0,
								(uint32_t)lath_random_next(&random),
								unit, 4, true),
						1000 + i, 0);
				while (lath_frag_pop(table, &outcome.dropped, NULL) != NULL)
					;
			}
			outcome = add(table,
					piece_of(family, vpc, i, order[k] * 185u, 185,
							order[k] != 2),
					k + 1, 0);
			first_came |= order[k] == 0;
			assert_int_equal(outcome.action,
					first_came ? LATH_FRAG_PASS : LATH_FRAG_HOLD);
			assert_int_equal(drain(table, &outcome.released, LATH_DROP_NONE),
					order[k] == 0 ? k : 0);
			while (lath_frag_pop(table, &outcome.dropped, NULL) != NULL)
				;
		}
		assert_in_range(lath_frag_datagrams(table), 0, usual.datagrams);
		assert_in_range(lath_frag_held(table), 0, usual.held);
	}
	lath_frag_free(table);
}

/* Seven floods at once: the eighth VPC still has its equal share. */
static void
equal_share_is_safe_from_all_others(void **state)
{
	struct lath_frag_table *table = create(&usual);
	struct lath_frag_outcome outcome;
	unsigned share = usual.datagrams / usual.vpcs;
	uint32_t id = 0;

	(void)state;
	for (uint32_t i = 0; i < 7000; i++) {
		outcome = add(table, piece_of(LATH_FAMILY_IPV4, i % 7, id++, 8, 8, true), 1, 0);
		drain(table, &outcome.dropped, LATH_DROP_fragment_limit);
	}
	for (uint32_t i = 0; i < share; i++) {
		outcome = add(table, piece_of(LATH_FAMILY_IPV4, 7, i, 8, 8, false), 1, 0);
		assert_int_equal(outcome.action, LATH_FRAG_HOLD);
		assert_int_equal(drain(table, &outcome.dropped, LATH_DROP_fragment_limit), 1);
	}
	for (uint32_t i = 0; i < 7000; i++) {
		outcome = add(table, piece_of(LATH_FAMILY_IPV4, i % 7, id++, 8, 8, true), 1, 0);
		drain(table, &outcome.dropped, LATH_DROP_fragment_limit);
	}
	for (uint32_t i = 0; i < share; i++) {
		outcome = add(table, piece_of(LATH_FAMILY_IPV4, 7, i, 0, 8, true), 1, 0);
		assert_int_equal(outcome.action, LATH_FRAG_PASS);
		assert_int_equal(drain(table, &outcome.released, LATH_DROP_NONE), 1);
		drain(table, &outcome.dropped, LATH_DROP_fragment_limit);
	}
	lath_frag_free(table);
}

static void
vpc_alone_stays_within_its_bounds(void **state)
{
	struct lath_frag_limits limits = usual;
	struct lath_frag_table *table;
	struct lath_frag_outcome outcome;

	(void)state;
	limits.datagrams_per_vpc = 5;
	limits.held_per_vpc = 9;
	table = create(&limits);
	for (uint32_t i = 0; i < 100; i++) {
		for (uint32_t k = 1; k < 4; k++) {
			outcome = add(table, piece_of(LATH_FAMILY_IPV4, 3, i, 8 * k, 8, true), 1,
					0);
			while (lath_frag_pop(table, &outcome.dropped, NULL) != NULL)
				;
			assert_in_range(lath_frag_datagrams(table), 1, 5);
			assert_in_range(lath_frag_held(table), 1, 9);
		}
	}
	lath_frag_free(table);
}

static void
datagram_holds_no_more_than_its_bound(void **state)
{
	struct lath_frag_table *table = create(&usual);
	struct lath_frag_outcome outcome;

	(void)state;
	for (uint32_t i = 1; i <= usual.held_per_datagram; i++) {
		outcome = add(table, piece_of(LATH_FAMILY_IPV4, 0, 1, 8 * i, 8, true), i, 0);
		assert_int_equal(outcome.action, LATH_FRAG_HOLD);
	}
	outcome = add(table, piece_of(LATH_FAMILY_IPV4, 0, 1, 800, 8, true), 99, 0);
	assert_int_equal(outcome.action, LATH_FRAG_DROP);
	assert_int_equal(outcome.drop, LATH_DROP_fragment_limit);
	assert_int_equal(drain(table, &outcome.dropped, LATH_DROP_fragment_limit),
			usual.held_per_datagram);
	expect_drop(table, piece_of(LATH_FAMILY_IPV4, 0, 1, 0, 8, true), LATH_DROP_fragment_limit,
			"the first of a datagram that is given up");
	lath_frag_free(table);
}

static void
only_sane_limits_make_a_table(void **state)
{
	struct failing_heap heap = {.left = 0};
	const struct lath_allocator allocator = failing_allocator(&heap);
	struct lath_frag_table *table;

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct lath_frag_limits limits = usual;
		uint32_t *counts[] = {&limits.vpcs, &limits.datagrams, &limits.datagrams_per_vpc,
				&limits.held, &limits.held_per_vpc, &limits.held_per_datagram};

		*counts[i] = 0;
		assert_null(lath_frag_create(&limits, &key, &lath_heap));
		assert_int_equal(errno, EINVAL);
		assert_int_equal(lath_frag_memory(&limits), 0);
		*counts[i] = UINT32_MAX;
		assert_int_equal(lath_frag_memory(&limits), 0);
	}
	assert_null(lath_frag_create(&usual, &key, &allocator));
	assert_int_equal(errno, ENOMEM);
	heap.left = 1;
	table = lath_frag_create(&usual, &key, &allocator);
	assert_non_null(table);
	assert_int_equal(heap.out, lath_frag_memory(&usual));
	lath_frag_free(table);
	assert_int_equal(heap.out, 0);
	lath_frag_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(three_fragments_pass_in_all_six_orders),
			cmocka_unit_test(longest_datagram_passes_forwards_and_backwards),
			cmocka_unit_test(atomic_fragment_needs_no_state),
			cmocka_unit_test(datagrams_are_told_apart_by_their_whole_key),
			cmocka_unit_test(tiny_and_impossible_fragments_are_dropped),
			cmocka_unit_test(what_overlaps_ends_the_datagram),
			cmocka_unit_test(fragments_wait_two_seconds_and_no_longer),
			cmocka_unit_test(old_datagram_makes_room_for_a_new_one_of_its_name),
			cmocka_unit_test(all_can_be_ended),
			cmocka_unit_test(flood_costs_nobody_else_anything),
			cmocka_unit_test(equal_share_is_safe_from_all_others),
			cmocka_unit_test(vpc_alone_stays_within_its_bounds),
			cmocka_unit_test(datagram_holds_no_more_than_its_bound),
			cmocka_unit_test(only_sane_limits_make_a_table),
	};

	return cmocka_run_group_tests_name("frag", tests, NULL, NULL);
}
