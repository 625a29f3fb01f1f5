/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * workers: one gateway with two workers on two CPUs, each with --flows of its own and a generator
 * of its own (flows, buffers, queues). A repeat is a pair: row `one` is the first worker alone,
 * right after it row `two` is both at once; its cycles are those between two packets, of whichever
 * worker. The figure is the median over the pairs.
 *
 * Timed: the workers' turns. Not timed: frames, rings. Both generators run between their worker's
 * turns, so the one's turns meet the other's generator about as often as the other's turns.
 */

#include <stdatomic.h>

#include <rte_launch.h>
#include <rte_pause.h>

#include "world.h"

#define OTHER_LCORE 1u

static struct rig twin;
static struct repeat twin_repeat;
static atomic_uint arrived; /* threads at the start */

static void
start_together(void)
{
	/* Pairs with itself in the other thread. */
	atomic_fetch_add_explicit(&arrived, 1, memory_order_acq_rel);
	while (atomic_load_explicit(&arrived, memory_order_acquire) < 2)
		rte_pause();
}

static struct work
work_of(struct rig *rig)
{
	struct work work = hit_work(rig);

	work.between = NULL; /* management would run both workers */
	return work;
}

static int
run_twin(void *ctx)
{
	struct work work = work_of(ctx);

	start_together();
	twin_repeat = measure_repeat(ctx, &work);
	return 0;
}

/* As cycles and packets of one worker as fast as both. */
static struct repeat
measure_two(struct rig *rig, const struct work *work)
{
	struct repeat repeat;
	double rate;

	atomic_store_explicit(&arrived, 0, memory_order_release);
	if (rte_eal_remote_launch(run_twin, &twin, OTHER_LCORE) != 0)
		rig_die("workers: the second thread does not start");
	start_together();
	repeat = measure_repeat(rig, work);
	(void)rte_eal_wait_lcore(OTHER_LCORE);
	rate = (double)repeat.units / (double)repeat.cycles +
			(double)twin_repeat.units / (double)twin_repeat.cycles;
	repeat.units += twin_repeat.units;
	repeat.bytes += twin_repeat.bytes;
	repeat.disturbed += twin_repeat.disturbed;
	repeat.cycles = (uint64_t)((double)repeat.units / rate);
	return repeat;
}

static void
plan(struct plan *plan)
{
	plan->workers = 2;
}

static void
prepare(struct rig *rig, struct bench *bench)
{
	struct work work = work_of(rig);

	hit_open_flows(rig);
	rig_twin(&twin, rig, 1);
	hit_open_flows(&twin);
	run_add_row(bench, "one", work);
	work.measure = measure_two;
	run_add_row(bench, "two", work);
}

static void
finish(struct rig *rig, struct bench *bench)
{
	const struct row *one = run_row(bench, "one");
	struct row *two = run_row(bench, "two");
	double ratios[REPEATS_MAX];

	(void)rig;
	for (unsigned i = 0; i < two->count; i++)
		ratios[i] = one->cycles[i] / two->cycles[i];
	run_add_figure(two, "overOneRatio", run_median(ratios, two->count));
	rig_twin_end(&twin);
}

const struct mode workers_mode = {
		.name = "workers",
		.help = "hit with two workers on two CPUs, over one",
		.cpus = 2,
		.plan = plan,
		.prepare = prepare,
		.finish = finish,
};
