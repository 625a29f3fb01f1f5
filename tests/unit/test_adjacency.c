/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_adjacency.h>

#include "failing_heap.h"

static const struct lath_mac mac = {{2, 0, 0, 0, 0, 9}};
static const uint8_t header[14] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 8, 0};

static struct lath_adjacency_key
key_of(uint32_t number)
{
	struct lath_ip ip = {.bytes = {10, 0, (uint8_t)(number >> 8), (uint8_t)number},
			.family = LATH_FAMILY_IPV4};

	return lath_adjacency_key_ip(number % 5, &ip);
}

static void
open_table(struct lath_adjacency_table *table, uint32_t capacity)
{
	assert_int_equal(lath_adjacency_init(table, capacity, (struct lath_siphash_key){1, 2},
					 &lath_heap),
			0);
}

/* An entry for `number`, with a packet that waits (its address is the number's). */
static uint32_t
add(struct lath_adjacency_table *table, uint32_t number)
{
	struct lath_adjacency_key key = key_of(number);
	void *evicted;
	uint32_t idx = lath_adjacency_get(table, &key, 1000, &evicted);

	assert_null(evicted);
	assert_true(idx != LATH_ADJACENCY_NONE);
	table->entries[idx].held = (void *)(uintptr_t)(number + 1);
	return idx;
}

static void
make_ready(struct lath_adjacency_table *table, uint32_t idx)
{
	table->entries[idx].held = NULL;
	lath_adjacency_ready(table, idx, &mac, header, sizeof(header), 3, 1500, 2000);
}

static uint32_t
find(const struct lath_adjacency_table *table, uint32_t number)
{
	struct lath_adjacency_key key = key_of(number);

	return lath_adjacency_find(table, &key);
}

static void
entry_is_made_once_and_asks_at_once(void **state)
{
	struct lath_adjacency_table table;
	struct lath_adjacency_key key = key_of(1);
	const struct lath_adjacency *entry;
	uint32_t idx;
	void *evicted;

	(void)state;
	open_table(&table, 4);
	table.epoch = 6;
	assert_int_equal(lath_adjacency_find(&table, &key), LATH_ADJACENCY_NONE);
	idx = lath_adjacency_get(&table, &key, 5, &evicted);
	entry = &table.entries[idx];
	assert_int_equal(entry->state, LATH_ADJACENCY_RESOLVING);
	assert_int_equal(entry->epoch, 6);
	assert_true(lath_tick_reached(5, entry->asked + LATH_TICKS_PER_SECOND));
	assert_int_equal(lath_adjacency_get(&table, &key, 9, &evicted), idx);
	assert_int_equal(lath_adjacency_find(&table, &key), idx);
	assert_int_equal(table.count, 1);
	assert_int_equal(entry->changed, 5);
	lath_adjacency_fini(&table, &lath_heap);
	lath_adjacency_fini(&table, &lath_heap);
}

static void
attachment_kind_and_family_are_part_of_the_key(void **state)
{
	const struct lath_ip ip6 = {.bytes = {2, 0, 0, 0, 0, 9}, .family = LATH_FAMILY_IPV6};
	const struct lath_ip ip = {.bytes = {2, 0, 0, 0, 0, 9}, .family = LATH_FAMILY_IPV4};
	struct lath_adjacency_key keys[] = {
			lath_adjacency_key_ip(1, &ip),
			lath_adjacency_key_ip(2, &ip),
			lath_adjacency_key_ip(2, &ip6),
			lath_adjacency_key_mac(1, &mac, LATH_FAMILY_IPV4),
			lath_adjacency_key_mac(2, &mac, LATH_FAMILY_IPV4),
			lath_adjacency_key_mac(2, &mac, LATH_FAMILY_IPV6),
	};
	struct lath_adjacency_table table;
	void *evicted;

	(void)state;
	open_table(&table, 8);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(keys); i++)
		lath_adjacency_get(&table, &keys[i], 0, &evicted);
	assert_int_equal(table.count, LATH_ARRAY_SIZE(keys));
	for (unsigned i = 0; i < 2; i++) {
		struct lath_ip back = lath_adjacency_ip(&keys[1 + i]);

		assert_true(lath_ip_equal(&back, i == 0 ? &ip : &ip6));
	}
	lath_adjacency_fini(&table, &lath_heap);
}

static void
ready_entry_has_its_header_and_failed_one_gives_the_packet_back(void **state)
{
	struct lath_adjacency_table table;
	uint32_t idx;

	(void)state;
	open_table(&table, 4);
	idx = add(&table, 7);
	lath_adjacency_ready(&table, idx, &mac, header, sizeof(header), 3, 1500, 2000);
	assert_int_equal(table.entries[idx].state, LATH_ADJACENCY_READY);
	assert_int_equal(table.entries[idx].header_len, 14);
	assert_memory_equal(table.entries[idx].header, header, 14);
	assert_memory_equal(&table.entries[idx].mac, &mac, 6);
	assert_int_equal(table.entries[idx].port, 3);
	assert_int_equal(table.entries[idx].mtu, 1500);
	assert_int_equal(table.entries[idx].changed, 2000);
	assert_non_null(table.entries[idx].held); /* the caller's to send */
	assert_ptr_equal(lath_adjacency_failed(&table, idx, 3000), (void *)8);
	assert_null(lath_adjacency_failed(&table, idx, 3001));
	assert_int_equal(table.entries[idx].state, LATH_ADJACENCY_FAILED);
	assert_int_equal(find(&table, 7), idx);
	lath_adjacency_fini(&table, &lath_heap);
}

static void
retired_entry_is_found_no_more_and_goes_with_its_last_reference(void **state)
{
	struct lath_adjacency_table table;
	uint32_t held;
	uint32_t loose;
	uint32_t again;

	(void)state;
	open_table(&table, 4);
	held = add(&table, 1);
	make_ready(&table, held);
	lath_adjacency_ref(&table, held);
	lath_adjacency_ref(&table, held);
	loose = add(&table, 2);
	assert_null(lath_adjacency_retire(&table, held, 50));
	assert_ptr_equal(lath_adjacency_retire(&table, loose, 50), (void *)3);
	assert_int_equal(table.entries[loose].state, LATH_ADJACENCY_FREE);
	assert_int_equal(table.entries[held].state, LATH_ADJACENCY_RETIRED);
	assert_int_equal(find(&table, 1) + find(&table, 2), LATH_ADJACENCY_NONE);
	again = add(&table, 1); /* a new one beside it */
	assert_true(again != held);
	assert_int_equal(table.count, 2);
	lath_adjacency_unref(&table, held);
	assert_int_equal(table.entries[held].state, LATH_ADJACENCY_RETIRED);
	lath_adjacency_unref(&table, held);
	assert_int_equal(table.entries[held].state, LATH_ADJACENCY_FREE);
	assert_int_equal(table.count, 1);
	lath_adjacency_fini(&table, &lath_heap);
}

static void
unref_leaves_an_entry_that_is_not_retired(void **state)
{
	struct lath_adjacency_table table;
	uint32_t idx;

	(void)state;
	open_table(&table, 4);
	idx = add(&table, 1);
	make_ready(&table, idx);
	lath_adjacency_ref(&table, idx);
	lath_adjacency_unref(&table, idx);
	assert_int_equal(table.entries[idx].state, LATH_ADJACENCY_READY);
	assert_int_equal(find(&table, 1), idx);
	lath_adjacency_fini(&table, &lath_heap);
}

/* Ten entries: 0-2 held by flows, 3-5 ready, 6-7 failed, 8-9 resolving. */
static void
eviction_takes_unresolved_ones_first_and_held_ones_never(void **state)
{
	struct lath_adjacency_table table;
	unsigned evicted_packets = 0;
	void *evicted;

	(void)state;
	open_table(&table, 10);
	for (uint32_t i = 0; i < 10; i++) {
		uint32_t idx = add(&table, i);

		if (i < 6)
			make_ready(&table, idx);
		if (i < 3)
			lath_adjacency_ref(&table, idx);
		if (i == 6 || i == 7)
			assert_non_null(lath_adjacency_failed(&table, idx, 0));
	}
	for (uint32_t i = 10; i < 17; i++) {
		struct lath_adjacency_key key = key_of(i);
		uint32_t idx = lath_adjacency_get(&table, &key, 0, &evicted);

		assert_true(idx != LATH_ADJACENCY_NONE);
		make_ready(&table, idx);
		if (evicted != NULL) {
			assert_in_range((uintptr_t)evicted, 9, 10);
			evicted_packets++;
		}
		lath_adjacency_ref(&table, idx);
		assert_int_equal(table.count, 10);
		for (uint32_t kept = 0; kept < (i < 14 ? 6u : 3u); kept++)
			assert_true(find(&table, kept) != LATH_ADJACENCY_NONE);
	}
	assert_int_equal(evicted_packets, 2);
	assert_int_equal(lath_adjacency_get(&table, &(struct lath_adjacency_key){.attachment = 9},
					 0, &evicted),
			LATH_ADJACENCY_NONE);
	assert_null(evicted);
	lath_adjacency_fini(&table, &lath_heap);
}

/* ---- against a model ---------------------------------------------------------------------- */

#define NUMBERS 200u

struct model {
	uint32_t idx;
	uint32_t refs;
	bool is_ready;
};

static struct model models[NUMBERS];

static void
get_one(struct lath_adjacency_table *table, uint32_t number)
{
	struct lath_adjacency_key key = key_of(number);
	bool was_full = table->count + 1 == table->capacity;
	void *evicted;
	uint32_t idx = lath_adjacency_get(table, &key, 0, &evicted);
	bool spare = false;

	if (models[number].idx != LATH_ADJACENCY_NONE) {
		assert_int_equal(idx, models[number].idx);
		return;
	}
	for (uint32_t i = 0; i < NUMBERS && was_full; i++) {
		struct model *other = &models[i];

		spare |= other->idx != LATH_ADJACENCY_NONE && other->refs == 0 && !other->is_ready;
	}
	for (uint32_t i = 0; i < NUMBERS && was_full && idx != LATH_ADJACENCY_NONE; i++) {
		if (models[i].idx != idx)
			continue;
		assert_int_equal(models[i].refs, 0);
		assert_true(!models[i].is_ready || !spare);
		models[i] = (struct model){0};
	}
	if (!was_full)
		assert_true(idx != LATH_ADJACENCY_NONE);
	models[number].idx = idx;
}

static void
change_one(struct lath_adjacency_table *table, uint32_t number, unsigned what)
{
	struct model *model = &models[number];

	if (model->idx == LATH_ADJACENCY_NONE)
		return;
	if (what == 0) {
		make_ready(table, model->idx);
		model->is_ready = true;
	} else if (what == 1 && model->is_ready) {
		lath_adjacency_ref(table, model->idx);
		model->refs++;
	} else if (what == 2 && model->refs > 0) {
		lath_adjacency_unref(table, model->idx);
		model->refs--;
	} else if (what == 3) {
		lath_adjacency_retire(table, model->idx, 0);
		for (; model->refs > 0; model->refs--)
			lath_adjacency_unref(table, model->idx);
		*model = (struct model){0};
	}
}

static void
table_does_what_the_model_does(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 50000, 2000000);
	struct lath_adjacency_table table;

	(void)state;
	memset(models, 0, sizeof(models));
	open_table(&table, 60);
	for (unsigned i = 0; i < rounds; i++) {
		uint32_t number = lath_random_below(&random, NUMBERS);
		uint32_t count = 0;

		if (lath_random_below(&random, 2) == 0)
			get_one(&table, number);
		else
			change_one(&table, number, lath_random_below(&random, 4));
		if (i % 100 != 0)
			continue;
		for (uint32_t n = 0; n < NUMBERS; n++) {
			assert_int_equal(find(&table, n), models[n].idx);
			count += models[n].idx != LATH_ADJACENCY_NONE;
		}
		assert_int_equal(table.count, count);
	}
	lath_adjacency_fini(&table, &lath_heap);
}

static void
memory_that_is_short_comes_back(void **state)
{
	(void)state;
	for (unsigned pieces = 0; pieces <= 2; pieces++) {
		struct failing_heap heap = {.left = pieces};
		struct lath_allocator allocator = failing_allocator(&heap);
		struct lath_adjacency_table table;
		int rc = lath_adjacency_init(&table, 100, (struct lath_siphash_key){1, 2},
				&allocator);

		assert_int_equal(rc, pieces < 2 ? -ENOMEM : 0);
		lath_adjacency_fini(&table, &allocator);
		assert_true(heap.out == 0);
	}
}

static void
states_have_names(void **state)
{
	(void)state;
	for (unsigned s = 0; s < LATH_ADJACENCY_STATE_COUNT; s++)
		assert_true(strlen(lath_adjacency_state_name((enum lath_adjacency_state)s)) > 3);
}

static void
tunnel_holds_what_is_under_it(void **state)
{
	struct lath_adjacency_table table;
	uint32_t under;
	uint32_t other;
	uint32_t tunnel;

	(void)state;
	open_table(&table, 8);
	under = add(&table, 1);
	other = add(&table, 2);
	tunnel = add(&table, 3);
	make_ready(&table, under);
	make_ready(&table, tunnel);
	lath_adjacency_set_under(&table, tunnel, under);
	assert_int_equal(table.entries[under].refs, 1);
	lath_adjacency_set_under(&table, tunnel, under);
	assert_int_equal(table.entries[under].refs, 1);
	lath_adjacency_set_under(&table, tunnel, other);
	assert_int_equal(table.entries[under].refs, 0);
	assert_int_equal(table.entries[other].refs, 1);
	/* Retired, what is under stays until the tunnel goes, and goes with it. */
	lath_adjacency_retire(&table, other, 3000);
	assert_int_equal(table.entries[other].state, LATH_ADJACENCY_RETIRED);
	lath_adjacency_retire(&table, tunnel, 3000);
	assert_int_equal(table.entries[tunnel].state, LATH_ADJACENCY_FREE);
	assert_int_equal(table.entries[other].state, LATH_ADJACENCY_FREE);
	assert_int_equal(table.count, 1);
	lath_adjacency_fini(&table, &lath_heap);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(entry_is_made_once_and_asks_at_once),
			cmocka_unit_test(attachment_kind_and_family_are_part_of_the_key),
			cmocka_unit_test(
					ready_entry_has_its_header_and_failed_one_gives_the_packet_back),
			cmocka_unit_test(
					retired_entry_is_found_no_more_and_goes_with_its_last_reference),
			cmocka_unit_test(unref_leaves_an_entry_that_is_not_retired),
			cmocka_unit_test(tunnel_holds_what_is_under_it),
			cmocka_unit_test(eviction_takes_unresolved_ones_first_and_held_ones_never),
			cmocka_unit_test(table_does_what_the_model_does),
			cmocka_unit_test(memory_that_is_short_comes_back),
			cmocka_unit_test(states_have_names),
	};

	return cmocka_run_group_tests_name("adjacency", tests, NULL, NULL);
}
