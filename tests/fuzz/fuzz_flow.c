/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Two bytes an operation: what, and on which of 64 flows. A small table, so that pools and buckets
 * fill, against an array that says what should be there.
 */

#include <lath_flow.h>

#include "fuzz.h"

#define NUMBERS 64u

struct world {
	struct lath_flow_table table;
	lath_flow_ref_t refs[NUMBERS]; /* LATH_FLOW_NONE: not there */
	enum lath_flow_class classes[NUMBERS];
	lath_tick_t deadlines[NUMBERS];
	uint8_t number_of[LATH_FLOW_POOL_COUNT][NUMBERS];
	uint32_t used[LATH_FLOW_POOL_COUNT];
	lath_tick_t now;
};

static struct lath_key4
key4_of(unsigned number, unsigned direction)
{
	return (struct lath_key4){
			.src_be = lath_to_be32(number),
			.dst_be = lath_to_be32(direction),
			.proto_vpc = lath_key_proto_vpc(LATH_PROTO_UDP, 1),
	};
}

static struct lath_key6
key6_of(unsigned number, unsigned direction)
{
	return (struct lath_key6){.src = {(uint8_t)number}, .dst = {(uint8_t)direction}};
}

static enum lath_flow_pool_kind
kind_of(unsigned number)
{
	return number % 4 == 3 ? LATH_FLOW_POOL_MIXED : LATH_FLOW_POOL_IPV4;
}

/* Mixed flows: IPv6 forward, IPv4 back. */
static lath_flow_ref_t
find(const struct world *w, unsigned number, unsigned direction)
{
	struct lath_key4 key4 = key4_of(number, direction);
	struct lath_key6 key6 = key6_of(number, direction);

	if (kind_of(number) == LATH_FLOW_POOL_MIXED && direction == LATH_FLOW_FORWARD)
		return lath_flow_find6(&w->table, &key6, lath_flow_hash6(&w->table, &key6));
	return lath_flow_find4(&w->table, &key4, lath_flow_hash4(&w->table, &key4));
}

static void
fill(const struct world *w, lath_flow_ref_t ref, unsigned number)
{
	if (!lath_flow_is_mixed(ref)) {
		for (unsigned half = 0; half < 2; half++)
			lath_flow4_at(&w->table, ref)->half[half].key = key4_of(number, half);
		return;
	}
	lath_flow_mixed_at(&w->table, ref)->half[0].family_in = LATH_FAMILY_IPV6;
	lath_flow_mixed_at(&w->table, ref)->half[0].key6 = key6_of(number, 0);
	lath_flow_mixed_at(&w->table, ref)->half[1].family_in = LATH_FAMILY_IPV4;
	lath_flow_mixed_at(&w->table, ref)->half[1].key4 = key4_of(number, 1);
}

static void
insert(struct world *w, unsigned number, enum lath_flow_class class, lath_tick_t deadline)
{
	enum lath_flow_pool_kind kind = kind_of(number);
	lath_flow_ref_t ref = lath_flow_alloc(&w->table, kind);
	int rc;

	must((ref == LATH_FLOW_NONE) == (w->used[kind] == w->table.pools[kind].capacity));
	if (ref == LATH_FLOW_NONE)
		return;
	fill(w, ref, number);
	rc = lath_flow_insert(&w->table, ref, class, w->now, deadline);
	must(rc == 0 || (rc == -EEXIST && w->refs[number] != LATH_FLOW_NONE) ||
			(rc == -ENOSPC && w->refs[number] == LATH_FLOW_NONE));
	if (rc != 0) {
		lath_flow_cancel(&w->table, ref);
		return;
	}
	w->refs[number] = ref;
	w->classes[number] = class;
	w->deadlines[number] = deadline;
	w->number_of[kind][(ref & ~LATH_FLOW_MIXED) >> 1] = (uint8_t)number;
	w->used[kind]++;
}

static void
remove_flow(struct world *w, unsigned number)
{
	lath_flow_remove(&w->table, w->refs[number]);
	w->refs[number] = LATH_FLOW_NONE;
	w->used[kind_of(number)]--;
}

static void
pass_time(struct world *w, uint32_t ticks)
{
	w->now += ticks;
	for (unsigned kind = 0; kind < LATH_FLOW_POOL_COUNT; kind++) {
		lath_flow_ref_t due[8];
		unsigned count = lath_flow_due(&w->table, (enum lath_flow_pool_kind)kind, w->now,
				due, 8);

		for (unsigned i = 0; i < count; i++) {
			unsigned number = w->number_of[kind][(due[i] & ~LATH_FLOW_MIXED) >> 1];

			must(w->refs[number] == due[i]);
			must(lath_tick_reached(w->now, w->deadlines[number]));
			remove_flow(w, number);
		}
	}
}

static void
operate(struct world *w, uint8_t what, uint8_t which)
{
	unsigned number = which % NUMBERS;
	enum lath_flow_class class = (enum lath_flow_class)(which / NUMBERS);
	lath_tick_t deadline = w->now + (uint32_t)(what / 8) * (uint32_t)(what / 8) * 10;
	bool is_there = w->refs[number] != LATH_FLOW_NONE;

	switch (what % 8) {
	case 0:
		pass_time(w, which * 4u);
		break;
	case 1:
		if (is_there)
			remove_flow(w, number);
		break;
	case 2:
		if (!is_there)
			break;
		lath_flow_set_class(&w->table, w->refs[number], class);
		w->classes[number] = class;
		break;
	case 3:
		if (!is_there)
			break;
		lath_flow_retime(&w->table, w->refs[number], deadline);
		w->deadlines[number] = deadline;
		break;
	default:
		insert(w, number, class, deadline);
	}
}

static void
check(const struct world *w)
{
	uint32_t left[LATH_FLOW_POOL_COUNT] = {0};

	for (unsigned number = 0; number < NUMBERS; number++) {
		lath_flow_ref_t ref = w->refs[number];

		must(find(w, number, 0) == ref);
		must(find(w, number, 1) == (ref == LATH_FLOW_NONE ? ref : ref | 1));
		left[kind_of(number)] += ref != LATH_FLOW_NONE &&
				w->classes[number] != LATH_FLOW_CLASS_LIVE;
	}
	for (unsigned kind = 0; kind < LATH_FLOW_POOL_COUNT; kind++) {
		must(w->table.pools[kind].used == w->used[kind]);
		for (unsigned class = 0; class < LATH_FLOW_CLASS_LIVE; class ++)
			for (lath_flow_ref_t ref = lath_flow_class_first(&w->table,
					     (enum lath_flow_pool_kind)kind,
					     (enum lath_flow_class) class);
					ref != LATH_FLOW_NONE;
					ref = lath_flow_class_next(&w->table, ref))
				must(left[kind]-- > 0);
		must(left[kind] == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t capacity[] = {30, 10};
	static struct world w;

	memset(&w, 0, sizeof(w));
	memset(w.refs, 0xff, sizeof(w.refs));
	if (lath_flow_init(&w.table, capacity, (struct lath_siphash_key){1, 2}, 0, 0, &lath_heap) !=
			0)
		return 0;
	for (size_t i = 0; i + 1 < size && i < 600; i += 2) {
		operate(&w, data[i], data[i + 1]);
		if (i % 64 == 0)
			check(&w);
	}
	check(&w);
	lath_flow_fini(&w.table);
	return 0;
}
