/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <pthread.h>
#include <sched.h>

#include <lath_snapshot.h>

#include "eal_kit.h"

#define READERS 3u
#define WORDS 32u
#define DEAD UINT64_C(0xdeaddeaddeaddead)

static void
publish_returns_what_it_replaces_node_by_node(void **state)
{
	static const char first[] = "first";
	static const char second[] = "second";
	struct lath_snapshot snapshot;

	(void)state;
	assert_int_equal(lath_snapshot_init(&snapshot, READERS), 0);
	for (unsigned node = 0; node < LATH_SNAPSHOT_NODES_MAX; node++) {
		assert_null(lath_snapshot_read(&snapshot, node));
		assert_null(lath_snapshot_publish(&snapshot, node, first));
	}
	assert_ptr_equal(lath_snapshot_publish(&snapshot, 1, second), first);
	assert_ptr_equal(lath_snapshot_read(&snapshot, 0), first);
	assert_ptr_equal(lath_snapshot_read(&snapshot, 1), second);
	assert_ptr_equal(lath_snapshot_publish(&snapshot, 1, NULL), second);
	lath_snapshot_fini(&snapshot);
	lath_snapshot_fini(&snapshot);
}

static void
period_is_over_when_every_online_reader_was_quiescent(void **state)
{
	struct lath_snapshot snapshot;
	uint64_t period;

	(void)state;
	assert_int_equal(lath_snapshot_init(&snapshot, READERS), 0);
	/* Nobody reads yet. */
	assert_true(lath_snapshot_over(&snapshot, lath_snapshot_begin(&snapshot)));
	lath_snapshot_online(&snapshot, 0);
	lath_snapshot_online(&snapshot, 2);
	period = lath_snapshot_begin(&snapshot);
	assert_false(lath_snapshot_over(&snapshot, period));
	lath_snapshot_quiescent(&snapshot, 0);
	assert_false(lath_snapshot_over(&snapshot, period));
	lath_snapshot_quiescent(&snapshot, 0);
	assert_false(lath_snapshot_over(&snapshot, period));
	lath_snapshot_quiescent(&snapshot, 2);
	assert_true(lath_snapshot_over(&snapshot, period));
	assert_true(lath_snapshot_over(&snapshot, period));
	lath_snapshot_fini(&snapshot);
}

static void
sleeping_reader_holds_nothing_up(void **state)
{
	struct lath_snapshot snapshot;
	uint64_t first;
	uint64_t second;

	(void)state;
	assert_int_equal(lath_snapshot_init(&snapshot, READERS), 0);
	for (unsigned reader = 0; reader < READERS; reader++)
		lath_snapshot_online(&snapshot, reader);
	first = lath_snapshot_begin(&snapshot);
	lath_snapshot_offline(&snapshot, 1);
	lath_snapshot_quiescent(&snapshot, 0);
	assert_false(lath_snapshot_over(&snapshot, first));
	lath_snapshot_offline(&snapshot, 2);
	assert_true(lath_snapshot_over(&snapshot, first));
	/* Who comes online later cannot hold the old pointer. */
	second = lath_snapshot_begin(&snapshot);
	lath_snapshot_online(&snapshot, 1);
	assert_false(lath_snapshot_over(&snapshot, second));
	lath_snapshot_quiescent(&snapshot, 0);
	assert_true(lath_snapshot_over(&snapshot, second));
	lath_snapshot_fini(&snapshot);
}

static void
no_readers_at_all_are_too_few(void **state)
{
	struct lath_snapshot snapshot = {.qsbr = NULL};

	(void)state;
	lath_snapshot_fini(&snapshot);
	assert_int_equal(lath_snapshot_init(&snapshot, 0), -EINVAL);
	assert_null(snapshot.qsbr);
}

/* ---- threads ------------------------------------------------------------------------------ */

struct model {
	uint64_t words[WORDS]; /* all the same; DEAD when freed */
};

struct shared {
	struct lath_snapshot snapshot;
	_Atomic bool stop;
	_Atomic uint64_t torn; /* reads that saw a freed or half-written model */
	_Atomic uint64_t reads;
};

struct reader {
	struct shared *shared;
	unsigned index;
	pthread_t thread;
};

static void *
read_on(void *ctx)
{
	const struct reader *reader = ctx;
	struct shared *shared = reader->shared;
	uint64_t last = 0;
	uint64_t torn = 0;
	uint64_t reads = 0;

	lath_snapshot_online(&shared->snapshot, reader->index);
	while (!atomic_load(&shared->stop)) {
		const struct model *model = lath_snapshot_read(&shared->snapshot, 0);

		if (model->words[0] < last) /* never back to an older one */
			torn++;
		last = model->words[0];
		for (unsigned i = 0; i < WORDS; i++)
			torn += model->words[i] != last || last == DEAD;
		lath_snapshot_quiescent(&shared->snapshot, reader->index);
		if (++reads % 64 != 0)
			continue;
		lath_snapshot_offline(&shared->snapshot, reader->index);
		sched_yield();
		lath_snapshot_online(&shared->snapshot, reader->index);
	}
	lath_snapshot_offline(&shared->snapshot, reader->index);
	atomic_fetch_add(&shared->torn, torn);
	atomic_fetch_add(&shared->reads, reads);
	return NULL;
}

static void
set_words(struct model *model, uint64_t value)
{
	for (unsigned i = 0; i < WORDS; i++)
		model->words[i] = value;
}

static void
readers_never_see_a_model_that_was_freed(void **state)
{
	static struct shared shared;
	struct reader readers[READERS];
	unsigned rounds = lath_test_size(__func__, 3000, 300000);
	struct model *model = calloc(1, sizeof(*model));

	(void)state;
	assert_int_equal(lath_snapshot_init(&shared.snapshot, READERS), 0);
	lath_snapshot_publish(&shared.snapshot, 0, model);
	for (unsigned i = 0; i < READERS; i++) {
		readers[i] = (struct reader){.shared = &shared, .index = i};
		assert_int_equal(pthread_create(&readers[i].thread, NULL, read_on, &readers[i]), 0);
	}
	for (unsigned round = 1; round <= rounds; round++) {
		struct model *next = calloc(1, sizeof(*next));
		struct model *old = model;
		uint64_t period;

		set_words(next, round);
		assert_ptr_equal(lath_snapshot_publish(&shared.snapshot, 0, next), old);
		period = lath_snapshot_begin(&shared.snapshot);
		while (!lath_snapshot_over(&shared.snapshot, period))
			sched_yield();
		set_words(old, DEAD);
		free(old);
		model = next;
	}
	atomic_store(&shared.stop, true);
	for (unsigned i = 0; i < READERS; i++)
		assert_int_equal(pthread_join(readers[i].thread, NULL), 0);
	print_message("%u models, %llu reads\n", rounds,
			(unsigned long long)atomic_load(&shared.reads));
	assert_true(atomic_load(&shared.torn) == 0);
	lath_snapshot_fini(&shared.snapshot);
	free(model);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(publish_returns_what_it_replaces_node_by_node),
			cmocka_unit_test(period_is_over_when_every_online_reader_was_quiescent),
			cmocka_unit_test(sleeping_reader_holds_nothing_up),
			cmocka_unit_test(no_readers_at_all_are_too_few),
			cmocka_unit_test(readers_never_see_a_model_that_was_freed),
	};

	return EAL_KIT_RUN("snapshot", tests);
}
