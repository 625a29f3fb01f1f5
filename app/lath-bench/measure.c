/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * A lap: every buffer gets its frame, then burst after burst goes into a receive ring (not timed)
 * and one turn takes it from there to a transmit ring (timed). By the time a burst's turn comes,
 * 2,048 buffers have passed and its lines are no longer in L1. Between laps management has its
 * turn, not timed.
 *
 * A lap in which the kernel gave the CPU to somebody else says nothing about the cost of packets:
 * its cycles are thrown out and it is counted. What a hypervisor steals cannot be seen; hence
 * medians over repeats. Laps in which flows end take longer and so meet an interruption more often:
 * laps with many ends and laps with few are averaged apart and weighed by how many packets there
 * were in either, thrown out or not. So a figure is of all flows that came and ended.
 *
 * Flows that end between laps are counted apart: their end would cost nothing (run.c refuses a run
 * where that is more than a small part).
 */

#include <sys/resource.h>
#include <time.h>

#include <rte_cycles.h>

#include "bench.h"

#define LAPS_MIN 4u  /* clean ones, a repeat */
#define PATIENCE 50u /* times the window, until that many are clean */

uint64_t
measure_wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

long
measure_preemptions(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nivcsw + usage.ru_nvcsw;
}

unsigned
measure_whole_bursts(const struct rig *rig, unsigned most)
{
	return most / rig->burst * rig->burst;
}

void
measure_take_buffers(struct rig *rig, unsigned count)
{
	unsigned at = rig->next_buffer + count > BUFFERS ? 0 : rig->next_buffer;

	rig->buffers = &rig->all_buffers[at];
	rig->next_buffer = at + count;
}

/* Everything that came out goes back into buffers[]. */
void
measure_take_out(struct rig *rig, const struct work *work, unsigned count)
{
	unsigned out = 0;
	struct rte_mbuf *m;

	rig->lap_bytes = 0;
	for (unsigned side = 0; side < SIDES; side++)
		while (rte_ring_dequeue(rig->tx[rig->queue_out][side], (void **)&m) == 0) {
			if (out == count)
				rig_die("more packets came out than the %u that went in", count);
			rig->buffers[out++] = m;
			rig->lap_bytes += rte_pktmbuf_pkt_len(m) + FRAME_CRC;
			work->see(rig, m, side, work->ctx);
		}
	if (out != count) {
		rig_check(rig, "packets were lost");
		rig_die("%u packets went in and %u came out", count, out);
	}
}

uint64_t
measure_lap(struct rig *rig, const struct work *work, unsigned count)
{
	const unsigned burst = rig->burst;
	uint64_t cycles = 0;

	measure_take_buffers(rig, count);
	work->fill(rig, count, work->ctx);
	for (unsigned first = 0; first < count; first += burst) {
		unsigned n = lath_min_u32(burst, count - first);
		unsigned side = rig->burst_side[first / burst];
		uint64_t began;
		unsigned took;

		if (work->before != NULL)
			work->before(rig, n, work->ctx);
		rte_ring_enqueue_bulk(rig->rx[rig->queue_in][side],
				(void *const *)&rig->buffers[first], n, NULL);
		began = rte_rdtsc_precise();
		took = work->turn(work->turn_ctx);
		cycles += rte_rdtsc_precise() - began;
		if (took != n)
			rig_die("a turn took %u packets of %u", took, n);
	}
	measure_take_out(rig, work, count);
	rig->busy_cycles += cycles;
	return cycles;
}

static struct comings
difference(struct comings from, struct comings to)
{
	return (struct comings){to.created - from.created, to.ended - from.ended};
}

static void
add_comings(struct comings *sum, struct comings more)
{
	sum->created += more.created;
	sum->ended += more.ended;
}

/* Laps of one kind: all, and the cycles of those that nothing disturbed. */
struct kind {
	uint64_t units;
	uint64_t clean_units;
	uint64_t clean_cycles;
};

/* A whole number of lists of the timer wheel has come. */
static bool
is_whole(uint64_t came_before, uint64_t came, uint64_t flows_min)
{
	return flows_min == 0 || came / flows_min > came_before / flows_min;
}

static bool
is_enough(const struct repeat *repeat, const struct kind kinds[2], const struct work *work)
{
	for (unsigned i = 0; i < 2; i++)
		if (kinds[i].units > 0 && kinds[i].clean_units == 0)
			return false;
	return repeat->laps >= LAPS_MIN &&
			kinds[0].clean_cycles + kinds[1].clean_cycles >= work->cycles_min;
}

/* What all laps would have cost undisturbed. */
static uint64_t
cycles_of(const struct kind kinds[2])
{
	double cycles = 0;

	for (unsigned i = 0; i < 2; i++)
		if (kinds[i].clean_units > 0)
			cycles += (double)kinds[i].clean_cycles * (double)kinds[i].units /
					(double)kinds[i].clean_units;
	return (uint64_t)cycles;
}

struct repeat
measure_repeat(struct rig *rig, const struct work *work)
{
	const unsigned count = work->count != 0 ? work->count : measure_whole_bursts(rig, BUFFERS);
	const uint64_t window_ms = rig->options->window_ms;
	const uint64_t began = measure_wall_ms();
	struct repeat repeat = {0};
	struct kind kinds[2] = {0}; /* hardly a flow ends; many do */
	struct comings at = rig_comings(rig);
	uint64_t came = 0;

	for (bool whole = false;;) {
		uint64_t passed = measure_wall_ms() - began;
		struct comings flows;
		struct kind *kind;
		uint64_t cycles;
		long before;

		if (passed >= window_ms && whole && is_enough(&repeat, kinds, work))
			break;
		if (passed >= PATIENCE * (window_ms + 1000))
			rig_die("this CPU is so busy that hardly a lap passes undisturbed");
		before = measure_preemptions();
		cycles = measure_lap(rig, work, count);
		flows = difference(at, rig_comings(rig));
		add_comings(&repeat.inside, flows);
		kind = &kinds[2 * flows.ended > flows.created];
		kind->units += count;
		repeat.units += count;
		repeat.bytes += rig->lap_bytes;
		if (measure_preemptions() == before) {
			kind->clean_units += count;
			kind->clean_cycles += cycles;
			repeat.laps++;
		} else {
			repeat.disturbed++;
		}
		whole = is_whole(came, came + flows.created, work->flows_min);
		came += flows.created;
		at = rig_comings(rig);
		if (work->between != NULL)
			work->between(rig, work->ctx);
		add_comings(&repeat.outside, difference(at, rig_comings(rig)));
		at = rig_comings(rig);
	}
	repeat.cycles = cycles_of(kinds);
	return repeat;
}
