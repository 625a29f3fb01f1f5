/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Micro tests: one operation of one library, its real object code, without a gateway around it.
 * They say where the cycles of a pipeline's figure go; they are no figure of the gateway.
 */
#pragma once

#include "bench.h"

/* A row: one operation in one condition. */
struct micro_case {
	const char *variant;
	char condition[24];
	const char *unit; /* one operation is a... */
	/* Makes ready what a lap uses up and takes it out of the caches; not timed; NULL: nothing. */
	void (*prepare)(void *ctx);
	/* A lap, timed: how many operations it did. Many, so that reading the clock is nothing. */
	uint64_t (*lap)(void *ctx);
	void *ctx;
};

struct micro {
	const struct options *options;
	struct report *report;
	const char *test;
	uint64_t random;
	struct lath_allocator allocator; /* of tables, in huge pages if the options say so */
};

struct micro_test {
	const char *name;
	const char *help;
	void (*run)(struct micro *micro);
};

extern const struct micro_test micro_acl_test;
extern const struct micro_test micro_find_test;
extern const struct micro_test micro_hash_test;
extern const struct micro_test micro_maglev_test;
extern const struct micro_test micro_parse_test;
extern const struct micro_test micro_policy_test;
extern const struct micro_test micro_portset_test;
extern const struct micro_test micro_snat_test;
extern const struct micro_test micro_xlate_test;

/* micro.c: marks the test of this name (or all, by "micro"); false: there is none. */
bool micro_select(struct options *options, const char *name);
void micro_put_usage(FILE *out);
void micro_run(const struct options *options, struct report *report);

/* Measures the cases in turn, repeat by repeat, and reports a row for each. */
void micro_measure(struct micro *micro, const struct micro_case *cases, unsigned count);

/* Zeroed; ends the run when there is none. */
void *micro_alloc(const struct micro *micro, size_t size);
void micro_free(const struct micro *micro, void *memory, size_t size);

/* The lines of a block are in no cache of this CPU afterwards. False: not on this architecture. */
bool micro_flush(const void *block, size_t len);

/* 0 to count - 1 in random order. */
void micro_shuffle(struct micro *micro, uint32_t *order, uint32_t count);
