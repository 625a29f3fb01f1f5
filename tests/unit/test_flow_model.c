/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * The flow table against a naive model: an array that says of every flow's number where it is, in
 * which class since when, and when its timer is due. Both pools at once, over time that wraps.
 */

#include <lath_flow.h>

#include "flow_kit.h"

#define FLOWS_MAX 20000u /* numbers in use; every fourth is mixed */

struct model_flow {
	lath_flow_ref_t ref; /* LATH_FLOW_NONE: not there */
	enum lath_flow_class class;
	uint64_t entered; /* the class: a serial */
	lath_tick_t deadline;
};

struct world {
	struct lath_flow_table table;
	struct model_flow flows[FLOWS_MAX];
	uint32_t id_of[LATH_FLOW_POOL_COUNT][FLOWS_MAX]; /* by entry */
	uint32_t used[LATH_FLOW_POOL_COUNT];
	uint32_t count; /* numbers in use */
	uint64_t serial;
	lath_tick_t now;
	uint64_t random;
};

static struct world w;

static enum lath_flow_pool_kind
kind_of(uint32_t id)
{
	return id % 4 == 3 ? LATH_FLOW_POOL_MIXED : LATH_FLOW_POOL_IPV4;
}

static uint32_t
entry_of(lath_flow_ref_t ref)
{
	return (ref & ~LATH_FLOW_MIXED) >> 1;
}

static lath_tick_t
draw_deadline(void)
{
	static const uint32_t reach[] = {1, 300, 12000, 720000};

	return w.now + lath_random_below(&w.random, reach[lath_random_below(&w.random, 4)]);
}

static enum lath_flow_class
draw_class(void)
{
	return (enum lath_flow_class)lath_random_below(&w.random, LATH_FLOW_CLASS_COUNT);
}

static void
op_insert(uint32_t id)
{
	struct model_flow *flow = &w.flows[id];
	enum lath_flow_pool_kind kind = kind_of(id);
	lath_flow_ref_t ref = lath_flow_alloc(&w.table, kind);
	enum lath_flow_class class = draw_class();
	lath_tick_t deadline = draw_deadline();
	int rc;

	assert_int_equal(ref == LATH_FLOW_NONE, w.used[kind] == w.table.pools[kind].capacity);
	if (ref == LATH_FLOW_NONE)
		return;
	kit_fill(&w.table, ref, id);
	rc = lath_flow_insert(&w.table, ref, class, w.now, deadline);
	if (flow->ref != LATH_FLOW_NONE) {
		assert_int_equal(rc, -EEXIST);
		lath_flow_cancel(&w.table, ref);
		return;
	}
	assert_int_equal(rc, 0);
	*flow = (struct model_flow){ref, class, w.serial++, deadline};
	w.id_of[kind][entry_of(ref)] = id;
	w.used[kind]++;
}

static void
op_remove(uint32_t id)
{
	/* Either half names the flow. */
	lath_flow_remove(&w.table, w.flows[id].ref | lath_random_below(&w.random, 2));
	w.flows[id].ref = LATH_FLOW_NONE;
	w.used[kind_of(id)]--;
}

static void
op_class(uint32_t id)
{
	enum lath_flow_class class = draw_class();

	lath_flow_set_class(&w.table, w.flows[id].ref, class);
	if (class == w.flows[id].class)
		return;
	w.flows[id].class = class;
	w.flows[id].entered = w.serial++;
}

static void
op_time(void)
{
	w.now += lath_random_below(&w.random, 200);
	for (unsigned kind = 0; kind < LATH_FLOW_POOL_COUNT; kind++) {
		lath_flow_ref_t due[32];
		unsigned max = 1 + lath_random_below(&w.random, 32);
		unsigned count = lath_flow_due(&w.table, (enum lath_flow_pool_kind)kind, w.now, due,
				max);

		assert_in_range(count, 0, max);
		for (unsigned i = 0; i < count; i++) {
			uint32_t id = w.id_of[kind][entry_of(due[i])];

			assert_true(w.flows[id].ref == due[i]);
			assert_true(lath_tick_reached(w.now, w.flows[id].deadline));
			if (lath_random_below(&w.random, 2) == 0) {
				op_remove(id);
				continue;
			}
			w.flows[id].deadline = draw_deadline();
			lath_flow_rearm(&w.table, due[i], w.flows[id].deadline);
		}
	}
}

static void
step(void)
{
	uint32_t id = lath_random_below(&w.random, w.count);
	struct model_flow *flow = &w.flows[id];

	if (flow->ref == LATH_FLOW_NONE)
		kit_assert_absent(&w.table, id, kind_of(id) == LATH_FLOW_POOL_MIXED);
	else
		kit_assert_found(&w.table, flow->ref, id, kind_of(id) == LATH_FLOW_POOL_MIXED);
	switch (lath_random_below(&w.random, 10)) {
	case 0:
		op_time();
		break;
	case 1:
	case 2:
		if (flow->ref != LATH_FLOW_NONE)
			op_class(id);
		break;
	case 3:
		if (flow->ref != LATH_FLOW_NONE) {
			flow->deadline = draw_deadline();
			lath_flow_retime(&w.table, flow->ref, flow->deadline);
		}
		break;
	case 4:
	case 5:
		if (flow->ref != LATH_FLOW_NONE)
			op_remove(id);
		break;
	default:
		op_insert(id);
	}
}

/* Each class's list holds exactly its flows, oldest first. */
static void
check_classes(enum lath_flow_pool_kind kind)
{
	uint32_t left = w.used[kind];
	lath_flow_ref_t oldest = LATH_FLOW_NONE;

	for (unsigned class = 0; class < LATH_FLOW_CLASS_LIVE; class ++) {
		lath_flow_ref_t ref = lath_flow_class_first(&w.table, kind,
				(enum lath_flow_class) class);
		uint64_t entered = 0;

		if (oldest == LATH_FLOW_NONE)
			oldest = ref;
		for (; ref != LATH_FLOW_NONE; ref = lath_flow_class_next(&w.table, ref)) {
			const struct model_flow *flow = &w.flows[w.id_of[kind][entry_of(ref)]];

			assert_true(flow->ref == ref && flow->class == class);
			assert_true(entered <= flow->entered);
			entered = flow->entered + 1;
			left--;
		}
	}
	for (uint32_t id = 0; id < w.count; id++)
		if (kind_of(id) == kind && w.flows[id].ref != LATH_FLOW_NONE &&
				w.flows[id].class == LATH_FLOW_CLASS_LIVE)
			left--;
	assert_int_equal(left, 0);
	assert_true(lath_flow_oldest(&w.table, kind) == oldest);
}

static void
check_all(void)
{
	for (unsigned kind = 0; kind < LATH_FLOW_POOL_COUNT; kind++) {
		uint32_t capacity = w.table.pools[kind].capacity;
		unsigned steps = capacity;
		uint32_t cursor = 0;
		uint32_t met = 0;

		assert_int_equal(w.table.pools[kind].used, w.used[kind]);
		check_classes((enum lath_flow_pool_kind)kind);
		while (cursor < capacity) {
			lath_flow_ref_t ref = lath_flow_walk(&w.table,
					(enum lath_flow_pool_kind)kind, &cursor, &steps);

			if (ref == LATH_FLOW_NONE)
				break;
			assert_true(w.flows[w.id_of[kind][entry_of(ref)]].ref == ref);
			met++;
		}
		assert_int_equal(met, w.used[kind]);
	}
	for (uint32_t id = 0; id < w.count; id++)
		if (w.flows[id].ref != LATH_FLOW_NONE)
			kit_assert_found(&w.table, w.flows[id].ref, id,
					kind_of(id) == LATH_FLOW_POOL_MIXED);
}

/* The longest timer is 2 h: after that everything comes due. */
static void
drain(void)
{
	for (unsigned seconds = 0; seconds < 8000; seconds++) {
		w.now += LATH_TICKS_PER_SECOND;
		for (unsigned kind = 0; kind < LATH_FLOW_POOL_COUNT; kind++) {
			lath_flow_ref_t due[256];
			unsigned count;

			do {
				count = lath_flow_due(&w.table, (enum lath_flow_pool_kind)kind,
						w.now, due, 256);
				for (unsigned i = 0; i < count; i++)
					op_remove(w.id_of[kind][entry_of(due[i])]);
			} while (count > 0);
		}
	}
	assert_int_equal(w.used[LATH_FLOW_POOL_IPV4] + w.used[LATH_FLOW_POOL_MIXED], 0);
	assert_int_equal(kit_moved(&w.table), 0);
}

static void
table_does_what_the_model_does(void **state)
{
	static const struct {
		uint32_t capacity[2];
		uint32_t count;
		lath_tick_t start;
	} rows[] = {
			{{750, 250}, 1000, 0},         /* everything fits */
			{{300, 60}, 1000, 0xfffff000}, /* both pools full, ticks wrap */
			{{8, 2}, 40, 0x7ffffff0},      /* a handful */
			{{0, 500}, 1000, 12345},       /* one pool only */
			{{12000, 4000}, 16000, 0xffff0000},
	};
	unsigned rounds = lath_test_size(__func__, 40000, 2000000);

	(void)state;
	w.random = lath_test_random(__func__);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct lath_siphash_key key = {lath_random_next(&w.random), 5};

		w.count = rows[i].count;
		w.now = rows[i].start;
		for (uint32_t id = 0; id < w.count; id++)
			w.flows[id].ref = LATH_FLOW_NONE;
		assert_int_equal(lath_flow_init(&w.table, rows[i].capacity, key, 0, w.now,
						 &lath_heap),
				0);
		for (unsigned round = 0; round < rounds; round++) {
			step();
			if (round % (rounds / 8) == 0)
				check_all();
		}
		check_all();
		drain();
		check_all();
		lath_flow_fini(&w.table);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(table_does_what_the_model_does),
	};

	return cmocka_run_group_tests_name("flow_model", tests, NULL, NULL);
}
