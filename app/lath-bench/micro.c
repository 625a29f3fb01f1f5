/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Runs micro tests. A repeat of a row is so many laps as fit into the window; each lap is made
 * ready (not timed) and timed as a whole. A lap during which the kernel took the CPU away is thrown
 * out, as in measure.c, and what reading the clock costs is taken off.
 */

#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <rte_cycles.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "micro.h"

#define LAPS_MIN 4u
#define LAPS_MAX 1000000u /* a repeat, those thrown out included */

static const struct micro_test *const tests[] = {
		&micro_acl_test,
		&micro_find_test,
		&micro_hash_test,
		&micro_maglev_test,
		&micro_parse_test,
		&micro_policy_test,
		&micro_portset_test,
		&micro_snat_test,
		&micro_xlate_test,
};

bool
micro_select(struct options *options, const char *name)
{
	bool all = strcmp(name, "micro") == 0;
	bool found = false;

	for (unsigned i = 0; i < LATH_ARRAY_SIZE(tests); i++)
		if (all || strcmp(tests[i]->name, name) == 0) {
			options->micro |= 1u << i;
			found = true;
		}
	return found;
}

void
micro_put_usage(FILE *out)
{
	fputs("\n  micro tests, cycles of one operation of a library; by name, or all:\n"
	      "  micro             all of these\n",
			out);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(tests); i++)
		fprintf(out, "  %-18s%s\n", tests[i]->name, tests[i]->help);
}

/* ---- for the tests --------------------------------------------------------------------------- */

void *
micro_alloc(const struct micro *micro, size_t size)
{
	void *memory = micro->allocator.alloc(micro->allocator.ctx, size);

	if (memory == NULL)
		rig_die("%s: no memory for %zu bytes", micro->test, size);
	memset(memory, 0, size);
	return memory;
}

void
micro_free(const struct micro *micro, void *memory, size_t size)
{
	micro->allocator.free(micro->allocator.ctx, memory, size);
}

bool
micro_flush(const void *block, size_t len)
{
#ifdef __SSE2__
	const uint8_t *bytes = block;

	for (size_t at = 0; at < len; at += LATH_CACHE_LINE)
		_mm_clflush(bytes + at);
	if (len > 0)
		_mm_clflush(bytes + len - 1);
	_mm_mfence();
	return true;
#else
	(void)block;
	(void)len;
	return false;
#endif
}

void
micro_shuffle(struct micro *micro, uint32_t *order, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = lath_random_below(&micro->random, i + 1);

		order[i] = order[at];
		order[at] = i;
	}
}

/* ---- measuring ------------------------------------------------------------------------------- */

struct tally {
	uint64_t cycles;
	uint64_t operations;
	uint64_t disturbed;
};

/* What two readings of the clock, one right after the other, are apart. */
static uint64_t
clock_cost(void)
{
	uint64_t cost = UINT64_MAX;

	for (unsigned i = 0; i < 1000; i++) {
		uint64_t began = rte_rdtsc_precise();
		uint64_t took = rte_rdtsc_precise() - began;

		cost = took < cost ? took : cost;
	}
	return cost;
}

static struct tally
measure_one(const struct micro_case *one, uint32_t window_ms, uint64_t cost)
{
	const uint64_t began = measure_wall_ms();
	struct tally tally = {0};
	uint64_t clean = 0;

	while (clean < LAPS_MIN || measure_wall_ms() - began < window_ms) {
		uint64_t start;
		uint64_t cycles;
		uint64_t operations;
		long before;

		if (clean + tally.disturbed >= LAPS_MAX)
			break;
		if (one->prepare != NULL)
			one->prepare(one->ctx);
		before = measure_preemptions();
		start = rte_rdtsc_precise();
		operations = one->lap(one->ctx);
		cycles = rte_rdtsc_precise() - start;
		if (measure_preemptions() != before) {
			tally.disturbed++;
			continue;
		}
		tally.cycles += cycles > cost ? cycles - cost : 0;
		tally.operations += operations;
		clean++;
	}
	if (clean < LAPS_MIN)
		rig_die("this CPU is so busy that hardly a lap passes undisturbed");
	return tally;
}

/* ---- the report ------------------------------------------------------------------------------ */

struct spread {
	double min;
	double median;
	double max;
};

static struct spread
spread_of(const double *values, unsigned count)
{
	struct spread spread = {values[0], run_median(values, count), values[0]};

	for (unsigned i = 1; i < count; i++) {
		spread.min = values[i] < spread.min ? values[i] : spread.min;
		spread.max = values[i] > spread.max ? values[i] : spread.max;
	}
	return spread;
}

static json_t *
pack_spread(struct spread spread, double factor)
{
	return json_pack("{s:f, s:f, s:f}", "min", spread.min * factor, "median",
			spread.median * factor, "max", spread.max * factor);
}

/* `values`: cycles of one operation, each repeat's. */
static void
report_row(const struct micro *micro, const struct micro_case *one, const double *values,
		const struct tally *sum)
{
	const unsigned count = micro->options->repeats;
	const struct spread cycles = spread_of(values, count);
	const double ns = 1e9 / (double)rte_get_tsc_hz();
	FILE *table = report_table(micro->report);

	report_put(micro->report,
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:I, s:I, s:o, s:o}", "kind",
					"micro", "test", micro->test, "variant", one->variant,
					"condition", one->condition, "unit", one->unit, "repeats",
					(int)count, "operations", (json_int_t)sum->operations,
					"disturbedLaps", (json_int_t)sum->disturbed, "cycles",
					pack_spread(cycles, 1), "ns", pack_spread(cycles, ns)));
	if (table == NULL)
		return;
	fprintf(table, "%-13s%-31s%-20s%-8s %11.1f%11.1f%11.1f%12.1f%11llu\n", micro->test,
			one->variant, one->condition, one->unit, cycles.min, cycles.median,
			cycles.max, cycles.median * ns, (unsigned long long)sum->disturbed);
	fflush(table);
}

void
micro_measure(struct micro *micro, const struct micro_case *cases, unsigned count)
{
	const struct options *options = micro->options;
	double(*cycles)[REPEATS_MAX] = calloc(count, sizeof(*cycles));
	struct tally *sums = calloc(count, sizeof(*sums));
	const uint64_t cost = clock_cost();

	if (cycles == NULL || sums == NULL)
		rig_die("%s: no memory for figures", micro->test);
	for (unsigned repeat = 0; repeat < options->repeats; repeat++)
		for (unsigned i = 0; i < count; i++) {
			struct tally tally = measure_one(&cases[i], options->window_ms, cost);

			cycles[i][repeat] = (double)tally.cycles / (double)tally.operations;
			sums[i].operations += tally.operations;
			sums[i].disturbed += tally.disturbed;
		}
	for (unsigned i = 0; i < count; i++)
		report_row(micro, &cases[i], cycles[i], &sums[i]);
	free(cycles);
	free(sums);
}

void
micro_run(const struct options *options, struct report *report)
{
	struct micro micro = {
			.options = options,
			.report = report,
			.random = options->seed,
			.allocator = memory_allocator(options->hugepages, 0),
	};
	FILE *table = report_table(report);

	if (options->micro == 0)
		return;
	if (table != NULL)
		fprintf(table,
				"\nTSC cycles an operation; cold: its lines are in no cache and "
				"nothing fetches them ahead\n\n"
				"test         variant                        condition           "
				"unit             min     median        max   median ns  "
				"disturbed\n");
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(tests); i++)
		if (options->micro & 1u << i) {
			micro.test = tests[i]->name;
			tests[i]->run(&micro);
		}
}
