/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/** @file The daemon's own parts: EAL, clock, worker threads, the management loop. */
#pragma once

#include <signal.h>
#include <stdatomic.h>

#include "gateway.h"

/** Ticks since start, the same for every thread; from the TSC. */
struct clock {
	uint64_t base_tsc;
	uint64_t tick_tsc; /* TSC cycles a tick */
};

void clock_init(struct clock *clock);
lath_tick_t clock_tick(const struct clock *clock);
struct lath_control_now clock_now(const struct clock *clock);

/** eal.c: EAL for this configuration, on the gateway's CPUs. 0 or -errno and `err`. */
int eal_start(const struct lath_config *cfg, struct lath_error *err);

/** Ends EAL and removes its runtime folder. */
void eal_stop(void);

/** CPU of the management core and of each worker: as configured, or in turn. */
uint32_t eal_management_cpu(const struct lath_config *cfg);

struct worker_thread {
	struct lath_worker *worker;
	const struct clock *clock;
	enum lath_config_idle idle;
	atomic_bool *stop; /* init: rw; workers: ro */
};

/** idle.c: the thread function of a worker lcore; `arg` is struct worker_thread. */
int worker_main(void *arg);

struct event_base;
struct lath_telemetry;

/** loop.c: wakes the management loop from the probe thread. */
struct loop_wake {
	int fd; /* eventfd */
};

/** Results wait; `ctx` is a struct loop_wake. @thread probe */
void loop_wake(void *ctx);

/** Runs management until a signal says stop. 0 or -errno. @thread mgmt */
int loop_run(struct gateway *gateway, const struct clock *clock, struct event_base *base,
		const struct loop_wake *wake, struct lath_telemetry *telemetry);
