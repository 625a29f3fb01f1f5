/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * expire: what the end of a due flow costs, at a standing number. A lap's first packets arrive
 * while the clock stands (not timed); then it goes on by as much as they are worth, and the worker
 * has turns without packets (timed), three times as many as are needed to keep up. A turn that
 * finds nothing costs something too: as much as was measured before there were flows is taken off
 * each. What remains is divided by the flows that ended: looking at the timer, leaving index, pool
 * and counters, giving the port back, letting rested ports go, and bringing entries of the timer
 * wheel down. The cycles can be below those of a turn with packets: nothing else is in the caches.
 */

#include <rte_cycles.h>

#include "world.h"

#define TURNS_A_LAP (3 * SHORT_LAP / LATH_BURST_MAX)
#define LAPS_MIN 4u
#define PATIENCE 50u

static struct expire {
	struct new_state arrivals;
	struct work work;
	uint64_t turns;
} expire;

static uint64_t
let_end(struct rig *rig)
{
	uint64_t cycles = 0;

	for (unsigned i = 0; i < TURNS_A_LAP; i++) {
		uint64_t began = rte_rdtsc_precise();

		(void)rig_turn(rig);
		cycles += rte_rdtsc_precise() - began;
	}
	return cycles;
}

/* One lap; what ended in its timed turns. */
static uint64_t
lap(struct rig *rig, struct repeat *repeat)
{
	const unsigned count = measure_whole_bursts(rig, SHORT_LAP);
	uint64_t net = (uint64_t)(rig->empty_cycles * TURNS_A_LAP);
	struct comings before;
	uint64_t cycles;
	uint64_t ended;
	long disturbed;

	measure_lap(rig, &expire.work, count);
	new_arrive(rig, &expire.arrivals, count);
	disturbed = measure_preemptions();
	before = rig_comings(rig);
	cycles = let_end(rig);
	ended = rig_comings(rig).ended - before.ended;
	if (measure_preemptions() == disturbed) {
		repeat->cycles += cycles > net ? cycles - net : 0;
		repeat->units += ended;
		repeat->inside.ended += ended;
		expire.turns += TURNS_A_LAP;
	} else {
		repeat->disturbed++;
	}
	rig_rest(rig);
	return ended;
}

static struct repeat
measure(struct rig *rig, const struct work *work)
{
	const uint64_t began = measure_wall_ms();
	struct repeat repeat = {0};
	unsigned laps = 0;

	(void)work;
	for (;;) {
		uint64_t passed = measure_wall_ms() - began;

		if (passed >= rig->options->window_ms && laps - repeat.disturbed >= LAPS_MIN &&
				repeat.units > 0)
			return repeat;
		if (passed >= PATIENCE * (rig->options->window_ms + 1000))
			rig_die("expire: hardly a flow ends undisturbed");
		(void)lap(rig, &repeat);
		laps++;
	}
}

static void
prepare(struct rig *rig, struct bench *bench)
{
	struct repeat filling = {0};
	struct row *row;

	hit_invent_flows(rig);
	new_begin(rig, &expire.arrivals, rig->flow_count);
	expire.turns = 0;
	expire.work = new_work(rig, &expire.arrivals);
	expire.work.before = NULL; /* the clock stands */
	while (expire.arrivals.arrived < rig->flow_count + rig->flow_count / 4)
		(void)lap(rig, &filling);
	expire.turns = 0;
	row = run_add_row(bench, "expire", (struct work){.measure = measure});
	row->unit = "flow";
	row->flows = ROW_FLOWS_FREE;
}

static void
finish(struct rig *rig, struct bench *bench)
{
	struct row *row = run_row(bench, "expire");

	run_add_figure(row, "emptyTurnCycles", rig->empty_cycles);
	run_add_figure(row, "flowsATurn", (double)row->units / (double)expire.turns);
}

const struct mode expire_mode = {
		.name = "expire",
		.help = "the end of a due flow; figures are a flow's",
		.prepare = prepare,
		.finish = finish,
};
