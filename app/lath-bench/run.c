/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* The rows of one gateway, and what must hold of the flows behind them. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

const struct mode *const bench_modes[] = {
		&hit_mode,
		&new_mode,
		&mix_mode,
		&conn_mode,
		&expire_mode,
		&handoff_mode,
		&reload_mode,
		&latency_mode,
		&workers_mode,
		&guard_mode,
};
const unsigned bench_mode_count = LATH_ARRAY_SIZE(bench_modes);

struct row *
run_add_row(struct bench *bench, const char *test, struct work work)
{
	struct row *row = &bench->rows[bench->count++];

	if (bench->count > ROWS_MAX)
		rig_die("%s: no room for a row", test);
	*row = (struct row){.test = test, .work = work};
	return row;
}

struct row *
run_row(struct bench *bench, const char *test)
{
	for (unsigned i = 0; i < bench->count; i++)
		if (strcmp(bench->rows[i].test, test) == 0)
			return &bench->rows[i];
	rig_die("there is no row %s", test);
}

void
run_add_figure(struct row *row, const char *name, double value)
{
	if (row->figure_count == FIGURES_MAX)
		rig_die("%s: no room for a figure", row->test);
	row->figures[row->figure_count++] = (struct figure){name, value};
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

double
run_median(const double *values, unsigned count)
{
	double sorted[REPEATS_MAX];

	memcpy(sorted, values, count * sizeof(*values));
	qsort(sorted, count, sizeof(*sorted), compare);
	return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
}

static void
run_row_once(struct rig *rig, struct row *row)
{
	struct repeat took = row->work.measure != NULL ? row->work.measure(rig, &row->work)
						       : measure_repeat(rig, &row->work);

	rig_check(rig, row->test);
	row->cycles[row->count++] = (double)took.cycles / (double)took.units;
	row->all_cycles += took.cycles;
	row->units += took.units;
	row->bytes += took.bytes;
	row->disturbed += took.disturbed;
	row->inside.created += took.inside.created;
	row->inside.ended += took.inside.ended;
	row->outside.created += took.outside.created;
	row->outside.ended += took.outside.ended;
	row->standing = rig_standing(rig);
}

/* ---- flows ------------------------------------------------------------------------------------ */

/* By how many flows comings and goings may differ: a lap, two slots of the timer wheel (a second
 * each), and a twentieth.
 */
static uint64_t
slack_of(const struct rig *rig, const struct row *row)
{
	return BUFFERS + 2 * (rig->flow_count / rig->timeout_s) + row->inside.created / 20;
}

static void
check_steady(const struct rig *rig, const struct row *row)
{
	uint64_t slack = slack_of(rig, row);

	if (row->inside.created == 0)
		rig_die("%s: no flow came", row->test);
	if (row->inside.ended + slack < row->inside.created ||
			row->inside.created + slack < row->inside.ended)
		rig_die("%s: %" PRIu64 " flows came in the timed turns and %" PRIu64 " expired",
				row->test, row->inside.created, row->inside.ended);
	/* Not timed: at most a hundredth, and what ends while one ARP request is answered. */
	if (row->outside.ended > row->inside.created / 100 + LATH_BURST_MAX * 8)
		rig_die("%s: %" PRIu64 " flows expired untimed, besides %" PRIu64 " timed",
				row->test, row->outside.ended, row->inside.ended);
}

static void
check_flows(const struct rig *rig, const struct row *row)
{
	switch (row->flows) {
	case ROW_FLOWS_STAND:
		if (row->inside.created != 0 || row->inside.ended != 0)
			rig_die("%s: flows came or went", row->test);
		break;
	case ROW_FLOWS_STEADY:
		check_steady(rig, row);
		break;
	case ROW_FLOWS_FREE:
		break;
	}
}

/* ---- a gateway -------------------------------------------------------------------------------- */

/* One repeat of each row after the other, so that the machine's moods meet all of them alike. */
static void
run_repeats(struct rig *rig, struct bench *bench)
{
	for (unsigned repeat = 0; repeat < rig->options->repeats; repeat++)
		for (unsigned i = 0; i < bench->count; i++)
			run_row_once(rig, &bench->rows[i]);
	for (unsigned i = 0; i < bench->count; i++)
		check_flows(rig, &bench->rows[i]);
}

void
run_size(struct rig *rig, const struct mode *mode, uint8_t proto, uint32_t packet_size,
		uint32_t flows, struct bench *bench)
{
	struct touch *touch;

	rig->proto = proto;
	rig->packet_size = packet_size;
	rig->flow_count = flows;
	rig->plan = (struct plan){
			.workers = rig->options->workers,
			.vpcs = rig->options->vpcs,
			.services = rig->options->services,
	};
	if (mode->plan != NULL)
		mode->plan(&rig->plan);
	rig_start(rig);
	touch = touch_create(rig);
	*bench = (struct bench){0};
	baseline_add_rows(rig, bench, touch);
	mode->prepare(rig, bench);
	run_repeats(rig, bench);
	if (mode->finish != NULL)
		mode->finish(rig, bench);
	touch_free(touch);
}
