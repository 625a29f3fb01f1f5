/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * handoff: two workers, all flows are the second one's. Row `hit`: it takes them from its own queue
 * of ports that a NIC steers. Row `handoff`: the same flows come by the first one's queue of ports
 * that are steered in software; it parses each packet, asks owner() and hands it over by ring, the
 * second one goes on with it.
 *
 * Timed: a turn of the one worker, or of both. They are driven in turn by one thread, so what two
 * caches would cost (the packet's and the ring's lines that travel) is not in the figure.
 */

#include "world.h"

static void
steer(struct rig *rig, enum lath_steering steering, uint32_t queue_in)
{
	for (unsigned side = 0; side < SIDES; side++)
		rig->gateway->ports[side].steering = steering;
	rig->queue_in = queue_in;
}

static unsigned
turn(void *ctx)
{
	const struct rig *rig = ctx;
	unsigned took = lath_worker_run(rig->gateway->workers[0], rig->now);

	(void)lath_worker_run(rig->gateway->workers[1], rig->now);
	return took;
}

static struct repeat
measure(struct rig *rig, const struct work *work)
{
	struct repeat repeat;

	steer(rig, LATH_STEER_SOFTWARE, 0);
	repeat = measure_repeat(rig, work);
	steer(rig, LATH_STEER_NIC, 1);
	return repeat;
}

static void
plan(struct plan *plan)
{
	plan->workers = 2;
	plan->measured = 1;
}

static void
prepare(struct rig *rig, struct bench *bench)
{
	struct work work = hit_work(rig);

	hit_open_flows(rig);
	run_add_row(bench, "hit", work);
	work.turn = turn;
	work.measure = measure;
	run_add_row(bench, "handoff", work);
}

static void
finish(struct rig *rig, struct bench *bench)
{
	struct row *handoff = run_row(bench, "handoff");
	const struct row *hit = run_row(bench, "hit");
	const struct lath_worker_counters *first = &lath_worker_counters(rig->gateway->workers[0])
								    ->worker;
	double extra[REPEATS_MAX];

	if (first->handover[LATH_HANDOVER_UNSTEERED] < handoff->units)
		rig_die("handoff: only %llu of %llu packets were handed over",
				(unsigned long long)first->handover[LATH_HANDOVER_UNSTEERED],
				(unsigned long long)handoff->units);
	for (unsigned i = 0; i < handoff->count; i++)
		extra[i] = handoff->cycles[i] - hit->cycles[i];
	run_add_figure(handoff, "overHit", run_median(extra, handoff->count));
}

const struct mode handoff_mode = {
		.name = "handoff",
		.help = "hit by way of another worker, which hands over in software",
		.plan = plan,
		.prepare = prepare,
		.finish = finish,
};
