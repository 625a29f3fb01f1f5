/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* A worker's thread: the loop, and what it does when there is nothing to do. */

#include <sched.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_pause.h>

#include "lathd.h"

#define YIELD_AFTER_ROUNDS 64u
#define SLEEP_AFTER_ROUNDS 1024u
#define SLEEP_MIN_US 20u
#define SLEEP_MAX_US 200u

void
clock_init(struct clock *clock)
{
	clock->base_tsc = rte_rdtsc();
	clock->tick_tsc = rte_get_tsc_hz() / LATH_TICKS_PER_SECOND;
}

lath_tick_t
clock_tick(const struct clock *clock)
{
	return (lath_tick_t)((rte_rdtsc() - clock->base_tsc) / clock->tick_tsc);
}

struct lath_control_now
clock_now(const struct clock *clock)
{
	return (struct lath_control_now){.tick = clock_tick(clock), .wall_s = time(NULL)};
}

struct idle {
	unsigned rounds; /* without a packet */
	unsigned sleep_us;
};

static void
adapt(struct idle *idle, struct lath_worker *worker)
{
	struct timespec pause;

	idle->rounds++;
	if (idle->rounds <= YIELD_AFTER_ROUNDS) {
		rte_pause();
		return;
	}
	if (idle->rounds <= SLEEP_AFTER_ROUNDS || lath_worker_is_pending(worker)) {
		sched_yield();
		return;
	}
	idle->sleep_us = idle->sleep_us == 0 ? SLEEP_MIN_US
					     : lath_min_u32(idle->sleep_us * 2, SLEEP_MAX_US);
	pause = (struct timespec){.tv_nsec = (long)idle->sleep_us * 1000};
	lath_worker_offline(worker);
	nanosleep(&pause, NULL);
	lath_worker_online(worker);
}

int
worker_main(void *arg)
{
	const struct worker_thread *thread = arg;
	struct idle idle = {0};

	lath_role_set(LATH_ROLE_DP);
	lath_worker_online(thread->worker);
	/* Relaxed: nothing else is read through the flag. */
	while (!atomic_load_explicit(thread->stop, memory_order_relaxed)) {
		uint64_t begin_tsc = rte_rdtsc();

		if (lath_worker_run(thread->worker, clock_tick(thread->clock)) > 0) {
			idle = (struct idle){0};
			lath_worker_count_cycles(thread->worker, rte_rdtsc() - begin_tsc);
		} else if (thread->idle == LATH_CONFIG_IDLE_ADAPTIVE) {
			adapt(&idle, thread->worker);
		}
	}
	lath_worker_offline(thread->worker);
	return 0;
}
