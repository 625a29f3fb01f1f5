/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Building a group's lookup table, which management does for each change of a group: as many equal
 * targets as each size is for (a hundred slots a target), and the largest with few and with many.
 */

#include <lath_maglev.h>

#include "micro.h"

#define TARGETS_MAX 10000u

struct build {
	uint16_t table[LATH_MAGLEV_SIZE_MAX];
	uint64_t ids[TARGETS_MAX];
	uint32_t weights[TARGETS_MAX];
};

struct size {
	struct build *build;
	uint32_t slots;
	unsigned targets;
};

static uint64_t
lap(void *ctx)
{
	struct size *size = ctx;
	struct build *build = size->build;

	/* Other targets each time, or the branches of one and the same build would be learned. */
	build->ids[0]++;
	if (lath_maglev_build(build->table, size->slots, build->ids, build->weights, size->targets,
			    &lath_heap) != 0)
		rig_die("maglev-build: %u slots for %u targets failed", size->slots, size->targets);
	return 1;
}

static void
run(struct micro *micro)
{
	struct build *build = micro_alloc(micro, sizeof(*build));
	struct size sizes[] = {
			{build, 251, 2},
			{build, 1021, 10},
			{build, 4093, 40},
			{build, 16381, 163},
			{build, 65537, 2},
			{build, 65537, 655},
			{build, 65537, 10000},
	};
	struct micro_case cases[LATH_ARRAY_SIZE(sizes)];

	for (unsigned i = 0; i < TARGETS_MAX; i++) {
		build->ids[i] = (uint64_t)i << 32;
		build->weights[i] = 1;
	}
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(sizes); i++) {
		cases[i] = (struct micro_case){
				.variant = "lath_maglev_build",
				.unit = "build",
				.lap = lap,
				.ctx = &sizes[i],
		};
		snprintf(cases[i].condition, sizeof(cases[i].condition), "%u slots, %u",
				sizes[i].slots, sizes[i].targets);
	}
	micro_measure(micro, cases, LATH_ARRAY_SIZE(cases));
	micro_free(micro, build, sizeof(*build));
}

const struct micro_test micro_maglev_test = {
		"maglev-build", "a lookup table; slots and targets", run};
