/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * latency: cycles from a packet's arrival to the end of the turn that sent it.
 *
 *   single-macswap, single   one packet, one turn, the next packet
 *   half-macswap, half       packets arrive at random (Poisson) at half of the rate that the row
 *                            itself manages in full bursts
 *   same-macswap             MAC swap at the packet rate of `half`
 *
 * The queue is simulated, the turns are real: a clock goes on by what each turn took, empty ones
 * included, and a packet is put into the ring when that clock has passed its time. So neither the
 * generator nor its pauses are in a figure; the reading of the TSC (some 20 to 40 cycles a turn) is
 * in all of them. Percentiles are over all repeats.
 *
 * A turn of known packets takes some thousand cycles at most. When one took more than 10 us the
 * machine or its hypervisor took the CPU away and what queues up behind that is not the row's
 * doing: that lap is thrown out and counted as disturbed. Shorter interrupts are in the figures.
 */

#include <math.h>
#include <string.h>

#include <rte_cycles.h>

#include "world.h"

#define STEP_CYCLES 4u /* of the histogram */
#define STEPS 16384u
#define LAPS_MIN 4u
#define PATIENCE 50u
#define CALIBRATE_LAPS 16u
#define LOAD 0.5
#define STOLEN_US 10u

struct histogram {
	uint64_t counts[STEPS]; /* the last: and above */
	uint64_t total;
};

static struct line {
	struct work work;  /* whose turns */
	double gap_cycles; /* between arrivals; 0: when the last one is out */
	struct histogram all;
} lines[5];

static struct histogram lap_counts;

static void
count(struct histogram *histogram, double cycles)
{
	unsigned step = cycles < (double)STEP_CYCLES * (STEPS - 1)
			? (unsigned)(cycles / STEP_CYCLES)
			: STEPS - 1;

	histogram->counts[step]++;
	histogram->total++;
}

static double
percentile(const struct histogram *histogram, double share)
{
	uint64_t wanted = (uint64_t)(share * (double)histogram->total);
	uint64_t seen = 0;

	for (unsigned step = 0; step < STEPS; step++) {
		seen += histogram->counts[step];
		if (seen > wanted)
			return (double)STEP_CYCLES * (step + 0.5);
	}
	return (double)STEP_CYCLES * STEPS;
}

static double
next_gap(struct rig *rig, double mean)
{
	double uniform = ((double)lath_random_below(&rig->random, UINT32_MAX) + 1) / UINT32_MAX;

	return -log(uniform) * mean;
}

/* Puts into the rings what has arrived by now. */
static unsigned
put_arrived(struct rig *rig, const struct line *line, double *arrivals, unsigned first, double now)
{
	const unsigned most = line->gap_cycles == 0 ? 1 : LATH_BURST_MAX;
	unsigned n = 0;

	if (line->gap_cycles == 0)
		arrivals[first] = now;
	while (first + n < BUFFERS && n < most && arrivals[first + n] <= now) {
		unsigned side = rig->burst_side[first + n];

		rte_ring_enqueue(rig->rx[rig->queue_in][side], rig->buffers[first + n]);
		n++;
	}
	return n;
}

/* Sum of the packets' cycles; below 0: a turn was stolen. */
static double
lap(struct rig *rig, struct line *line)
{
	static double arrivals[BUFFERS];
	const uint64_t stolen = STOLEN_US * rte_get_tsc_hz() / 1000000;
	bool whole = true;
	double now = 0;
	double sum = 0;
	double at = 0;

	measure_take_buffers(rig, BUFFERS);
	line->work.fill(rig, BUFFERS, line->work.ctx);
	for (unsigned i = 0; i < BUFFERS; i++) {
		at += next_gap(rig, line->gap_cycles);
		arrivals[i] = at;
	}
	memset(&lap_counts, 0, sizeof(lap_counts));
	for (unsigned done = 0; done < BUFFERS;) {
		unsigned n = put_arrived(rig, line, arrivals, done, now);
		uint64_t began = rte_rdtsc_precise();
		unsigned took = line->work.turn(line->work.turn_ctx);
		uint64_t cycles = rte_rdtsc_precise() - began;

		whole = whole && cycles < stolen;
		now += (double)cycles;
		if (took != n)
			rig_die("latency: a turn took %u packets of %u", took, n);
		for (; n > 0; n--, done++) {
			sum += now - arrivals[done];
			count(&lap_counts, now - arrivals[done]);
		}
	}
	measure_take_out(rig, &line->work, BUFFERS);
	return whole ? sum : -1;
}

static struct repeat
measure(struct rig *rig, const struct work *work)
{
	const uint64_t began = measure_wall_ms();
	struct line *line = work->ctx;
	struct repeat repeat = {0};

	rig->burst = 1;
	for (unsigned clean = 0;;) {
		uint64_t passed = measure_wall_ms() - began;
		long before = measure_preemptions();
		double cycles;

		if (passed >= rig->options->window_ms && clean >= LAPS_MIN)
			break;
		if (passed >= PATIENCE * (rig->options->window_ms + 1000))
			rig_die("latency: hardly a lap passes undisturbed");
		cycles = lap(rig, line);
		if (measure_preemptions() != before || cycles < 0) {
			repeat.disturbed++;
			continue;
		}
		clean++;
		repeat.cycles += (uint64_t)cycles;
		repeat.units += BUFFERS;
		for (unsigned step = 0; step < STEPS; step++)
			line->all.counts[step] += lap_counts.counts[step];
		line->all.total += lap_counts.total;
	}
	rig->burst = rig->options->burst;
	return repeat;
}

/* Cycles a packet in full bursts; the fastest lap, for a busy machine only makes it slower. */
static double
calibrate(struct rig *rig, const struct work *work)
{
	double best = 1e9;

	rig->burst = LATH_BURST_MAX;
	for (unsigned i = 0; i < CALIBRATE_LAPS; i++) {
		double cycles = (double)measure_lap(rig, work, BUFFERS) / BUFFERS;

		best = cycles < best ? cycles : best;
	}
	rig->burst = rig->options->burst;
	return best;
}

static void
add_row(struct bench *bench, unsigned i, const char *test, const struct work *work, double gap)
{
	struct row *row = run_add_row(bench, test,
			(struct work){.measure = measure, .ctx = &lines[i]});

	memset(&lines[i], 0, sizeof(lines[i]));
	lines[i].work = *work;
	lines[i].gap_cycles = gap;
	row->unit = "packet, in to out";
	row->is_latency = true;
}

static void
prepare(struct rig *rig, struct bench *bench)
{
	struct work swap = run_row(bench, "macswap")->work;
	struct work hit = hit_work(rig);
	double hit_gap;

	hit_open_flows(rig);
	hit.between = NULL;
	hit_gap = calibrate(rig, &hit) / LOAD;
	add_row(bench, 0, "single-macswap", &swap, 0);
	add_row(bench, 1, "single", &hit, 0);
	add_row(bench, 2, "half-macswap", &swap, calibrate(rig, &swap) / LOAD);
	add_row(bench, 3, "same-macswap", &swap, hit_gap);
	add_row(bench, 4, "half", &hit, hit_gap);
}

static void
finish(struct rig *rig, struct bench *bench)
{
	(void)rig;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(lines); i++) {
		struct row *row = &bench->rows[bench->count - LATH_ARRAY_SIZE(lines) + i];

		run_add_figure(row, "p50", percentile(&lines[i].all, 0.5));
		run_add_figure(row, "p99", percentile(&lines[i].all, 0.99));
		run_add_figure(row, "p999", percentile(&lines[i].all, 0.999));
		if (lines[i].gap_cycles != 0)
			run_add_figure(row, "gapCycles", lines[i].gap_cycles);
	}
}

const struct mode latency_mode = {
		.name = "latency",
		.help = "one packet a turn, and random arrivals at half load: cycles in to out",
		.prepare = prepare,
		.finish = finish,
};
