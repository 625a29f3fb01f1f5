/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * A lap: every buffer gets its frame, then burst after burst goes into a receive ring (not timed)
 * and one turn takes it from there to a transmit ring (timed). By the time a burst's turn comes,
 * 2,048 buffers have passed and its lines are no longer in L1. Between laps management has its
 * turn, not timed.
 *
 * A lap in which the kernel gave the CPU to somebody else says nothing about the packets: it is
 * thrown out and counted. What a hypervisor steals cannot be seen; hence medians over repeats.
 *
 * Flows that come and end are counted with the laps that count, and those that end between laps
 * apart: their end would cost nothing (run.c refuses a run where that is more than a small part).
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
measure_whole_bursts(const struct rig *rig)
{
	return BUFFERS / rig->burst * rig->burst;
}

/* Everything that came out goes back into buffers[]. */
void
measure_take_out(struct rig *rig, const struct work *work, unsigned count)
{
	unsigned out = 0;
	struct rte_mbuf *m;

	for (unsigned side = 0; side < SIDES; side++)
		while (rte_ring_dequeue(rig->tx[rig->queue_out][side], (void **)&m) == 0) {
			if (out == count)
				rig_die("more packets came out than the %u that went in", count);
			rig->buffers[out++] = m;
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

static uint64_t
bytes_of(const struct rig *rig, unsigned count)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < count; i++)
		bytes += rte_pktmbuf_pkt_len(rig->buffers[i]) + FRAME_CRC;
	return bytes;
}

static void
add_difference(struct comings *sum, struct comings from, struct comings to)
{
	sum->created += to.created - from.created;
	sum->ended += to.ended - from.ended;
}

struct repeat
measure_repeat(struct rig *rig, const struct work *work)
{
	const unsigned count = work->count != 0 ? work->count : measure_whole_bursts(rig);
	const uint64_t window_ms = rig->options->window_ms;
	const uint64_t began = measure_wall_ms();
	struct repeat repeat = {0};
	struct comings flows[2] = {rig_comings(rig)};
	unsigned clean = 0;

	for (;;) {
		uint64_t passed = measure_wall_ms() - began;
		uint64_t cycles;
		long before;

		if (passed >= window_ms && clean >= LAPS_MIN && repeat.cycles >= work->cycles_min)
			return repeat;
		if (passed >= PATIENCE * (window_ms + 1000))
			rig_die("this CPU is so busy that hardly a lap passes undisturbed");
		before = measure_preemptions();
		cycles = measure_lap(rig, work, count);
		flows[1] = rig_comings(rig);
		if (measure_preemptions() == before) {
			repeat.cycles += cycles;
			repeat.units += count;
			repeat.bytes += bytes_of(rig, count);
			add_difference(&repeat.inside, flows[0], flows[1]);
			clean++;
		} else {
			repeat.disturbed++;
		}
		if (work->between != NULL)
			work->between(rig, work->ctx);
		flows[0] = rig_comings(rig);
		add_difference(&repeat.outside, flows[1], flows[0]);
	}
}
