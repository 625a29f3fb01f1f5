/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * A whole gateway but for threads and clocks: ports, owner map, packet buffers, workers and the
 * management core, put together in one order and taken apart in the other. EAL is up. lathd runs
 * it with threads, the packet tests step by step; both go through here.
 *
 * Everything is @thread init.
 */
#pragma once

#include <lath_control.h>
#include <lath_hostaddr.h>
#include <lath_hostport.h>

struct gateway {
	struct lath_port ports[LATH_MODEL_PORTS_MAX];
	struct lath_config_port port_cfgs[LATH_MODEL_PORTS_MAX]; /* the host port's last */
	struct lath_owner *owner;
	struct lath_snapshot snapshot;
	struct lath_dataplane plane;
	struct lath_worker *workers[LATH_WORKERS_MAX];
	uint32_t worker_cpus[LATH_WORKERS_MAX];
	uint32_t worker_nodes[LATH_WORKERS_MAX];
	struct lath_allocator allocators[LATH_WORKERS_MAX];
	struct lath_registry_limits limits;
	struct lath_hostport *hostport;
	struct lath_health *health;
	struct lath_control *control;
};

struct gateway_options {
	const char *config_path; /* for reload; NULL: none */
	uint64_t seed;           /* 0: from getrandom; else everything is repeatable (tests) */
	bool own_ports;          /* the caller has filled ports[] in and opens nothing (tests) */
	const struct lath_allocator *allocators; /* of workers' tables (tests); NULL: our own */
	bool whole_way;                          /* no hit path: its twin does all (tests) */
	bool probe;                              /* host port namespace and health checks */
	void (*wake)(void *ctx);                 /* health results wait */
	void *wake_ctx;
	struct lath_control_now now;
};

/** Builds everything up to the first published model. Owns `cfg` on success. 0, or -errno and
 *  `err`; then nothing is left.
 */
int gateway_start(struct gateway *gateway, struct lath_config *cfg,
		const struct gateway_options *options, struct lath_error *err);

/** Workers' threads have ended. */
void gateway_stop(struct gateway *gateway);

/** CPU of worker `w`: its configured one, or the CPUs behind the first in turn. */
uint32_t gateway_worker_cpu(const struct lath_config *cfg, uint32_t w);

/* ---- parts, in the order of gateway_start() ------------------------------------------------- */

/** memory.c: where a worker's tables live. */
struct lath_allocator memory_allocator(bool hugepages, uint32_t node);

/** memory.c: says what the configuration needs and refuses when it is not there. */
int memory_check(const struct gateway *gateway, const struct lath_config *cfg,
		struct lath_error *err);

/** memory.c: flows per worker with defaults filled in. */
void memory_flows(const struct lath_config *cfg, uint32_t flows[LATH_FLOW_POOL_COUNT]);

/** plane.c: ports, owner, buffers, rings. */
int plane_start(struct gateway *gateway, const struct lath_config *cfg,
		const struct gateway_options *options, uint64_t *random, struct lath_error *err);
void plane_stop(struct gateway *gateway);

/** plane.c: MiB of EAL memory for buffers and rings of this configuration. */
uint32_t plane_memory_mib(const struct lath_config *cfg);
