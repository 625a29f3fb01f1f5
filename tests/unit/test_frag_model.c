/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * The table of fragments against a naive model: every datagram a map of its bytes, every list an
 * order of serial numbers, the VPC that pays found by looking at all of them. A few VPCs, addresses
 * and identifications, so that everything collides; time wraps.
 */

#include <lath_frag.h>

#include "lath_test.h"

#define UNITS 160u /* of 8 bytes, more than any piece reaches */
#define VPCS 5u
#define DATAGRAMS 24u
#define HELD 40u
#define PER_DATAGRAM 6u
#define RUNS_MAX 8u
#define OUT_MAX (4 * PER_DATAGRAM)

struct model_datagram {
	bool used;
	uint32_t number; /* which of all that there could be */
	uint32_t vpc;
	lath_tick_t started;
	uint64_t entered; /* its VPC's list: a serial */
	uint64_t age;
	bool has_first;
	uint16_t ports;
	enum lath_drop drop;
	uint8_t units[UNITS];
	uint32_t total;
	uintptr_t held[PER_DATAGRAM];
	uint32_t held_count;
};

enum thing {
	THING_DATAGRAM,
	THING_HELD,
	THING_COUNT,
};

struct out {
	uintptr_t handles[OUT_MAX];
	enum lath_drop drops[OUT_MAX];
	unsigned count;
};

struct world {
	struct lath_frag_table *table;
	struct lath_frag_limits limits;
	struct model_datagram datagrams[DATAGRAMS];
	uint32_t counts[THING_COUNT][VPCS];
	uint64_t changed[THING_COUNT][VPCS];
	uint64_t serial;
	uintptr_t next_handle;
	struct out released;
	struct out dropped;
	lath_tick_t now;
	uint64_t random;
	unsigned passed;
	unsigned dropped_for[LATH_DROP_COUNT];
	unsigned holds;
};

static struct world w;

static void
count(enum thing thing, uint32_t vpc, int step)
{
	w.counts[thing][vpc] = (uint32_t)((int)w.counts[thing][vpc] + step);
	w.changed[thing][vpc] = w.serial++;
}

static uint32_t
all(enum thing thing)
{
	uint32_t sum = 0;

	for (uint32_t vpc = 0; vpc < VPCS; vpc++)
		sum += w.counts[thing][vpc];
	return sum;
}

/* Who pays; VPCS: nobody. */
static uint32_t
payer_of(enum thing thing, uint32_t vpc, uint32_t vpc_max, uint32_t max)
{
	const uint32_t *counts = w.counts[thing];
	uint32_t best = vpc;

	if (counts[vpc] >= vpc_max)
		return vpc;
	if (all(thing) < max)
		return VPCS;
	for (uint32_t i = 0; i < VPCS; i++)
		if (counts[i] > counts[best] ||
				(best != vpc && counts[i] == counts[best] &&
						w.changed[thing][i] > w.changed[thing][best]))
			best = i;
	return best;
}

/* The oldest of a VPC's that waits, or of those that do not. */
static struct model_datagram *
oldest_of(uint32_t vpc, bool waiting)
{
	struct model_datagram *oldest = NULL;

	for (unsigned i = 0; i < DATAGRAMS; i++) {
		struct model_datagram *d = &w.datagrams[i];

		if (d->used && d->vpc == vpc && (d->held_count != 0) == waiting &&
				(oldest == NULL || d->entered < oldest->entered))
			oldest = d;
	}
	return oldest;
}

static void
let_go(struct model_datagram *d, struct out *out, enum lath_drop drop)
{
	for (uint32_t i = 0; i < d->held_count; i++) {
		out->handles[out->count] = d->held[i];
		out->drops[out->count++] = drop;
		count(THING_HELD, d->vpc, -1);
	}
	if (d->held_count != 0)
		d->entered = w.serial++;
	d->held_count = 0;
}

static void
end(struct model_datagram *d, enum lath_drop drop)
{
	let_go(d, &w.dropped, drop);
	count(THING_DATAGRAM, d->vpc, -1);
	d->used = false;
}

static struct model_datagram *
begin(uint32_t number, uint32_t vpc)
{
	uint32_t payer = payer_of(THING_DATAGRAM, vpc, w.limits.datagrams_per_vpc, DATAGRAMS);
	struct model_datagram *d = NULL;

	if (payer != VPCS) {
		d = oldest_of(payer, true);
		end(d != NULL ? d : oldest_of(payer, false), LATH_DROP_fragment_limit);
	}
	for (unsigned i = 0; i < DATAGRAMS; i++)
		if (!w.datagrams[i].used)
			d = &w.datagrams[i];
	*d = (struct model_datagram){.used = true, .number = number, .vpc = vpc, .started = w.now};
	d->entered = d->age = w.serial++;
	count(THING_DATAGRAM, vpc, 1);
	return d;
}

static struct model_datagram *
find(uint32_t number)
{
	for (unsigned i = 0; i < DATAGRAMS; i++)
		if (w.datagrams[i].used && w.datagrams[i].number == number)
			return &w.datagrams[i];
	return NULL;
}

static bool
is_due(const struct model_datagram *d)
{
	return lath_tick_reached(w.now, d->started + lath_ticks_from_ms(w.limits.timeout_ms) + 1);
}

/* ---- what a fragment adds ----------------------------------------------------------------- */

static unsigned
runs(const uint8_t *units)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < UNITS; i++)
		sum += units[i] && (i == 0 || !units[i - 1]);
	return sum;
}

/* NONE, or why it is not taken; `*alone`: only this fragment goes. */
static enum lath_drop
add_units(struct model_datagram *d, const struct lath_frag_piece *piece, bool *alone)
{
	uint32_t first = piece->offset / 8;
	uint32_t past = (piece->offset + piece->len + 7u) / 8;
	uint32_t covered = 0;
	uint32_t total = piece->more ? d->total : piece->offset + (uint32_t)piece->len;
	uint8_t units[UNITS];

	*alone = false;
	for (uint32_t i = first; i < past; i++)
		covered += d->units[i];
	if (covered != 0) {
		*alone = covered == past - first;
		return LATH_DROP_fragment_overlap;
	}
	if ((d->total != 0 && total != d->total) ||
			(total != 0 && piece->offset + (uint32_t)piece->len > total))
		return LATH_DROP_fragment_overlap;
	for (uint32_t i = past; i < UNITS && !piece->more; i++)
		if (d->units[i])
			return LATH_DROP_fragment_overlap;
	memcpy(units, d->units, sizeof(units));
	memset(units + first, 1, past - first);
	if (runs(units) > RUNS_MAX)
		return LATH_DROP_fragment_limit;
	memcpy(d->units, units, sizeof(units));
	d->total = total;
	return LATH_DROP_NONE;
}

static bool
is_complete(const struct model_datagram *d)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < UNITS; i++)
		sum += d->units[i];
	return d->total != 0 && sum == (d->total + 7) / 8;
}

static enum lath_drop
condemn(struct model_datagram *d, enum lath_drop drop)
{
	let_go(d, &w.dropped, drop);
	d->drop = drop;
	return drop;
}

static enum lath_drop
model_wait(struct model_datagram *d, uintptr_t handle)
{
	uint32_t payer = payer_of(THING_HELD, d->vpc, w.limits.held_per_vpc, HELD);
	struct model_datagram *oldest = payer == VPCS ? NULL : oldest_of(payer, true);

	if (d->held_count == PER_DATAGRAM || oldest == d)
		return condemn(d, LATH_DROP_fragment_limit);
	if (oldest != NULL)
		end(oldest, LATH_DROP_fragment_limit);
	if (d->held_count == 0)
		d->entered = w.serial++;
	d->held[d->held_count++] = handle;
	count(THING_HELD, d->vpc, 1);
	return LATH_DROP_NONE;
}

/* What the table should say. */
static enum lath_frag_action
model_add(uint32_t number, const struct lath_frag_piece *piece, uintptr_t handle, uint16_t *ports,
		enum lath_drop *drop)
{
	struct model_datagram *d = find(number);
	bool alone;

	if (d != NULL && is_due(d)) {
		end(d, LATH_DROP_fragment_timeout);
		d = NULL;
	}
	if (d == NULL)
		d = begin(number, piece->vpc);
	*drop = d->drop;
	if (d->drop != LATH_DROP_NONE)
		return LATH_FRAG_DROP;
	*drop = add_units(d, piece, &alone);
	if (*drop != LATH_DROP_NONE) {
		if (!alone)
			condemn(d, *drop);
		return LATH_FRAG_DROP;
	}
	if (piece->offset == 0) {
		d->has_first = true;
		d->ports = lath_from_be16(piece->src_port_be);
		let_go(d, &w.released, LATH_DROP_NONE);
	} else if (!d->has_first) {
		*drop = model_wait(d, handle);
		return *drop != LATH_DROP_NONE ? LATH_FRAG_DROP : LATH_FRAG_HOLD;
	}
	*ports = d->ports;
	if (is_complete(d))
		end(d, LATH_DROP_NONE);
	return LATH_FRAG_PASS;
}

/* ---- operations --------------------------------------------------------------------------- */

static void
check_list(struct lath_frag_list *list, struct out *out, bool with_reason)
{
	for (unsigned i = 0; i < out->count; i++) {
		enum lath_drop drop;

		assert_int_equal((uintptr_t)lath_frag_pop(w.table, list, &drop), out->handles[i]);
		if (with_reason)
			assert_int_equal(drop, out->drops[i]);
	}
	assert_null(lath_frag_pop(w.table, list, NULL));
	out->count = 0;
}

static void
draw_piece(struct lath_frag_piece *piece, uint32_t number)
{
	/* Cuts of 2, 3 or 8 units mostly, so that pieces fit together. */
	static const uint8_t sizes[] = {2, 3, 8};
	uint32_t size = lath_random_below(&w.random, 8) == 0 ? 1 + lath_random_below(&w.random, 12)
							     : sizes[number % 3];
	uint32_t offset = size * lath_random_below(&w.random, number % 2 ? 4 : 12);

	*piece = (struct lath_frag_piece){
			.id = number / VPCS,
			.vpc = number % VPCS,
			.offset = (uint16_t)(8 * offset),
			.len = (uint16_t)(8 * size),
			.family = number % 4 == 0 ? LATH_FAMILY_IPV6 : LATH_FAMILY_IPV4,
			.proto = LATH_PROTO_UDP,
			.more = lath_random_below(&w.random, 4) != 0,
			.src_port_be = lath_to_be16((uint16_t)lath_random_next(&w.random)),
	};
	if (offset == 0)
		piece->more = true;
	if (!piece->more)
		piece->len = (uint16_t)(piece->len - lath_random_below(&w.random, 8));
	piece->src[0] = (uint8_t)(number % 7);
	piece->dst[3] = (uint8_t)(number % 3);
}

static void
op_add(void)
{
	/* One VPC floods. */
	uint32_t number = lath_random_below(&w.random, 60) * VPCS;
	uint32_t vpc = lath_random_below(&w.random, 2 * VPCS);
	uintptr_t handle = w.next_handle++;
	enum lath_drop drop = LATH_DROP_NONE;
	struct lath_frag_outcome outcome;
	struct lath_frag_piece piece;
	enum lath_frag_action action;
	uint16_t ports = 0;

	number += vpc < VPCS ? vpc : 1;
	draw_piece(&piece, number);
	action = model_add(number, &piece, handle, &ports, &drop);
	lath_frag_add(w.table, &piece, (void *)handle, w.now, &outcome);
	assert_int_equal(outcome.action, action);
	assert_int_equal(outcome.drop, drop);
	if (action == LATH_FRAG_PASS) {
		assert_int_equal(lath_from_be16(outcome.src_port_be), ports);
		assert_int_equal(outcome.proto, LATH_PROTO_UDP);
	}
	w.passed += (action == LATH_FRAG_PASS) + w.released.count;
	w.holds += action == LATH_FRAG_HOLD;
	w.dropped_for[drop]++;
	for (unsigned i = 0; i < w.dropped.count; i++)
		w.dropped_for[w.dropped.drops[i]]++;
	check_list(&outcome.released, &w.released, false);
	check_list(&outcome.dropped, &w.dropped, true);
}

static struct model_datagram *
model_oldest(void)
{
	struct model_datagram *oldest = NULL;

	for (unsigned i = 0; i < DATAGRAMS; i++)
		if (w.datagrams[i].used && (oldest == NULL || w.datagrams[i].age < oldest->age))
			oldest = &w.datagrams[i];
	return oldest;
}

static void
op_time(void)
{
	struct lath_frag_list dropped;

	w.now += lath_random_below(&w.random, 60);
	for (unsigned i = lath_random_below(&w.random, 4); i > 0; i--) {
		struct model_datagram *oldest = model_oldest();
		bool due = oldest != NULL && is_due(oldest);

		assert_int_equal(lath_frag_expire(w.table, w.now, &dropped), due);
		if (!due)
			continue;
		end(oldest, LATH_DROP_fragment_timeout);
		check_list(&dropped, &w.dropped, true);
	}
}

static void
table_does_what_the_model_does(void **state)
{
	const struct lath_siphash_key key = {1, 2};
	unsigned rounds;

	(void)state;
	w = (struct world){.random = lath_test_random(__func__), .next_handle = 1};
	rounds = lath_test_size(__func__, 100000, 3000000);
	w.now = UINT32_MAX - 2000;
	w.limits = (struct lath_frag_limits){
			.vpcs = VPCS,
			.datagrams = DATAGRAMS,
			.datagrams_per_vpc = 12 + lath_random_below(&w.random, 20),
			.held = HELD,
			.held_per_vpc = 20 + lath_random_below(&w.random, 30),
			.held_per_datagram = PER_DATAGRAM,
			.timeout_ms = LATH_FRAG_TIMEOUT_MIN_MS,
	};
	w.table = lath_frag_create(&w.limits, &key, &lath_heap);
	assert_non_null(w.table);
	for (unsigned i = 0; i < rounds; i++) {
		if (lath_random_below(&w.random, 8) == 0)
			op_time();
		else
			op_add();
		assert_int_equal(lath_frag_datagrams(w.table), all(THING_DATAGRAM));
		assert_int_equal(lath_frag_held(w.table), all(THING_HELD));
	}
	assert_in_range(w.passed, rounds / 50, rounds);
	assert_in_range(w.holds, rounds / 50, rounds);
	assert_true(w.dropped_for[LATH_DROP_fragment_overlap] > rounds / 1000);
	assert_true(w.dropped_for[LATH_DROP_fragment_limit] > rounds / 1000);
	assert_true(w.dropped_for[LATH_DROP_fragment_timeout] > 0);
	lath_frag_free(w.table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(table_does_what_the_model_does),
	};

	return cmocka_run_group_tests_name("frag_model", tests, NULL, NULL);
}
