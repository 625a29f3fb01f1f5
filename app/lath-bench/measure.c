/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * A lap: every buffer gets its frame, then burst after burst goes into a receive ring (not timed)
 * and one turn takes it from there to a transmit ring (timed). By the time a burst's turn comes,
 * 2,048 buffers have passed and its lines are no longer in L1.
 *
 * A lap in which the kernel gave the CPU to somebody else says nothing about the packets: it is
 * thrown out and counted. What a hypervisor steals cannot be seen; hence medians over repeats.
 */

#include <sys/resource.h>
#include <time.h>

#include <rte_cycles.h>

#include "bench.h"

#define LAPS_MIN 4u  /* clean ones, a repeat */
#define PATIENCE 50u /* times the window, until that many are clean */

static uint64_t
wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static long
preemptions(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nivcsw + usage.ru_nvcsw;
}

/* Everything that came out goes back into buffers[]. */
static void
take_out(struct rig *rig, const struct work *work, unsigned count)
{
	unsigned out = 0;
	struct rte_mbuf *m;

	for (unsigned side = 0; side < SIDES; side++)
		while (rte_ring_dequeue(rig->tx[side], (void **)&m) == 0) {
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
	const unsigned burst = rig->options->burst;
	uint64_t cycles = 0;

	work->fill(rig, count, work->ctx);
	for (unsigned first = 0; first < count; first += burst) {
		unsigned n = lath_min_u32(burst, count - first);
		struct rte_ring *ring = rig->rx[rig->burst_side[first / burst]];
		uint64_t began;
		unsigned took;

		if (work->before != NULL)
			work->before(rig, n, work->ctx);
		rte_ring_enqueue_bulk(ring, (void *const *)&rig->buffers[first], n, NULL);
		began = rte_rdtsc_precise();
		took = work->turn(work->turn_ctx);
		cycles += rte_rdtsc_precise() - began;
		if (took != n)
			rig_die("a turn took %u packets of %u", took, n);
	}
	take_out(rig, work, count);
	return cycles;
}

struct repeat
measure_repeat(struct rig *rig, const struct work *work)
{
	/* Whole bursts only. */
	const unsigned count = BUFFERS / rig->options->burst * rig->options->burst;
	const uint64_t began = wall_ms();
	struct repeat repeat = {0};
	unsigned clean = 0;

	for (;;) {
		uint64_t passed = wall_ms() - began;
		uint64_t cycles;
		long before;

		if (passed >= rig->options->window_ms && clean >= LAPS_MIN)
			return repeat;
		if (passed >= (uint64_t)PATIENCE * rig->options->window_ms + 1000 * PATIENCE)
			rig_die("this CPU is so busy that hardly a lap passes undisturbed");
		before = preemptions();
		cycles = measure_lap(rig, work, count);
		if (preemptions() == before) {
			repeat.cycles += cycles;
			repeat.packets += count;
			clean++;
		} else {
			repeat.disturbed++;
		}
		if (work->between != NULL)
			work->between(rig, work->ctx);
	}
}
