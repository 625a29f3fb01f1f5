/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * mix: `hit`, with --new-percent of all packets first ones. Those come from clients, so they are
 * among the bursts of that side at twice the percentage. An eighth of the flows is new at any time;
 * as in `new` the clock is simulated so that as many of them expire as arrive.
 *
 * Timed and not timed: as in `new`.
 */

#include "world.h"

#define NEW_MARK 0x80000000u /* in a packet's number */

static struct mix {
	struct new_state arrivals;
	struct work hit;
	unsigned fresh[BUFFERS]; /* first packets, by burst */
	unsigned burst;          /* of this lap */
} mix;

static void
fill(struct rig *rig, unsigned count, void *ctx)
{
	const uint32_t percent = 2 * rig->options->new_percent;

	(void)ctx;
	mix.hit.fill(rig, count, mix.hit.ctx);
	mix.burst = 0;
	for (unsigned i = 0; i < count; i++) {
		unsigned burst = i / rig->burst;

		if (i % rig->burst == 0)
			mix.fresh[burst] = 0;
		if (rig->burst_side[burst] == 0 && lath_random_below(&rig->random, 100) < percent) {
			struct bench_flow flow = frame_next_client(rig, &mix.arrivals.serial);

			frame_write(rig, rig->buffers[i], &flow, NEW_MARK | i, FRAME_OPEN, 0);
			mix.fresh[burst]++;
		}
	}
}

static void
before(struct rig *rig, unsigned count, void *ctx)
{
	(void)count;
	(void)ctx;
	new_arrive(rig, &mix.arrivals, mix.fresh[mix.burst++]);
}

static void
see(struct rig *rig, struct rte_mbuf *m, unsigned side, void *ctx)
{
	(void)ctx;
	if ((frame_number(rig, m) & NEW_MARK) != 0)
		new_check_packet(rig, m, side);
	else
		mix.hit.see(rig, m, side, mix.hit.ctx);
}

static void
between(struct rig *rig, void *ctx)
{
	(void)ctx;
	rig_rest(rig);
}

static void
prepare(struct rig *rig, struct bench *bench)
{
	struct row *row;

	hit_open_flows(rig);
	new_begin(rig, &mix.arrivals, rig->flow_count / 8);
	new_fill_table(rig, &mix.arrivals);
	mix.hit = hit_work(rig);
	row = run_add_row(bench, "mix",
			(struct work){
					.turn = rig_turn,
					.fill = fill,
					.see = see,
					.before = before,
					.between = between,
					.count = measure_whole_bursts(rig, SHORT_LAP),
					.flows_min = new_period(rig, &mix.arrivals),
					.turn_ctx = rig,
			});
	row->flows = ROW_FLOWS_STEADY;
}

static void
finish(struct rig *rig, struct bench *bench)
{
	struct row *row = run_row(bench, "mix");

	(void)rig;
	run_add_figure(row, "newPercent", 100.0 * (double)row->inside.created / (double)row->units);
}

const struct mode mix_mode = {
		.name = "mix",
		.help = "hit, and --new-percent of first packets among them",
		.prepare = prepare,
		.finish = finish,
};
