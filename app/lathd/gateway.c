/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "gateway.h"

#include <numa.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* Secrets come from getrandom; with a seed (tests) everything is repeatable. */
static uint64_t
draw(uint64_t *seeded, bool repeatable)
{
	uint64_t value;

	if (repeatable || getrandom(&value, sizeof(value), 0) != sizeof(value))
		return lath_random_next(seeded);
	return value;
}

uint32_t
gateway_worker_cpu(const struct lath_config *cfg, uint32_t w)
{
	int cpus = numa_num_configured_cpus();

	if (w < cfg->system.worker_core_count)
		return cfg->system.worker_cores[w];
	return (w + 1) % (uint32_t)(cpus < 1 ? 1 : cpus);
}

static void
place_workers(struct gateway *gateway, const struct lath_config *cfg)
{
	for (uint32_t w = 0; w < cfg->system.worker_count; w++) {
		uint32_t cpu = gateway_worker_cpu(cfg, w);
		int node = numa_available() < 0 ? 0 : numa_node_of_cpu((int)cpu);

		gateway->worker_cpus[w] = cpu;
		gateway->worker_nodes[w] = node < 0 ? 0 : (uint32_t)node % LATH_SNAPSHOT_NODES_MAX;
	}
}

static int
make_workers(struct gateway *gateway, const struct lath_config *cfg,
		const struct gateway_options *options, uint64_t *random, struct lath_error *err)
{
	bool repeatable = options->seed != 0;

	for (uint32_t w = 0; w < cfg->system.worker_count; w++) {
		struct lath_worker_options worker = {
				.index = w,
				.node = gateway->worker_nodes[w],
				.gateway_node = cfg->gateway.node,
				.neighbors = cfg->system.max_neighbors,
				.limits = gateway->limits,
				.table_key = {draw(random, repeatable), draw(random, repeatable)},
				.seed = draw(random, repeatable),
		};

		gateway->allocators[w] = options->allocators != NULL
				? options->allocators[w]
				: memory_allocator(cfg->system.hugepages, worker.node);
		worker.allocator = &gateway->allocators[w];
		memory_flows(cfg, worker.flows);
		gateway->workers[w] = lath_worker_create(&gateway->plane, &worker,
				options->now.tick);
		if (gateway->workers[w] == NULL) {
			lath_error_set(err, "/system/memory", "no memory for worker %u of %u flows",
					w, cfg->system.flows_per_worker);
			return lath_err(ENOMEM);
		}
	}
	return 0;
}

/* The value of `iface=` in a device string. */
static void
interface_of(const char *device, char *out, size_t len)
{
	const char *at = strstr(device, "iface=");

	snprintf(out, len, "%.*s", at == NULL ? 0 : (int)strcspn(at + 6, ","),
			at == NULL ? "" : at + 6);
}

static int
start_probing(struct gateway *gateway, const struct lath_config *cfg,
		const struct gateway_options *options, uint64_t seed, struct lath_error *err)
{
	const uint16_t host = gateway->plane.host_port;
	char interface[32];
	struct lath_hostport_options hostport = {
			.interface = interface,
			.namespace_name = cfg->system.host_port_namespace,
			.prefix = cfg->system.host_prefix,
			.gateway_mac = lath_hostaddr_gateway_mac(),
	};
	struct lath_health_options health = {
			.host_prefix = cfg->system.host_prefix,
			.notify = options->wake,
			.notify_ctx = options->wake_ctx,
			.seed = seed,
	};
	int rc;

	if (host == UINT16_MAX || !options->probe)
		return 0;
	hostport.mtu = gateway->port_cfgs[host].mtu;
	interface_of(gateway->port_cfgs[host].device, interface, sizeof(interface));
	rc = lath_hostport_setup(&gateway->hostport, &hostport, err);
	if (rc != 0)
		return rc;
	gateway->plane.host_kernel_mac = lath_hostport_mac(gateway->hostport);
	health.netns_fd = lath_hostport_fd(gateway->hostport);
	gateway->health = lath_health_create(&health, err);
	return gateway->health == NULL ? lath_err(errno) : 0;
}

static int
start(struct gateway *gateway, struct lath_config *cfg, const struct gateway_options *options,
		struct lath_error *err)
{
	uint64_t seeded = options->seed;
	bool repeatable = options->seed != 0;
	uint64_t random = draw(&seeded, repeatable);
	struct lath_control_options control = {
			.config_path = options->config_path,
			.plane = &gateway->plane,
			.workers = gateway->workers,
			.worker_nodes = gateway->worker_nodes,
			.limits = gateway->limits,
			.seed = draw(&seeded, repeatable),
	};
	int rc = plane_start(gateway, cfg, options, &random, err);

	if (rc == 0)
		rc = memory_check(gateway, cfg, err);
	if (rc == 0)
		rc = lath_snapshot_init(&gateway->snapshot, cfg->system.worker_count);
	gateway->plane.snapshot = &gateway->snapshot;
	if (rc == 0)
		rc = make_workers(gateway, cfg, options, &seeded, err);
	if (rc == 0)
		rc = start_probing(gateway, cfg, options, control.seed, err);
	if (rc != 0)
		return rc;
	control.health = gateway->health;
	gateway->control = lath_control_create(&control, cfg, options->now, err);
	return gateway->control == NULL ? lath_err(errno) : 0;
}

int
gateway_start(struct gateway *gateway, struct lath_config *cfg,
		const struct gateway_options *options, struct lath_error *err)
{
	int rc;

	gateway->limits = lath_control_limits(cfg);
	place_workers(gateway, cfg);
	rc = start(gateway, cfg, options, err);
	if (rc == 0)
		return 0;
	lath_error_set(err, "", "the gateway could not start: %s", strerror(-rc));
	gateway_stop(gateway);
	return rc;
}

void
gateway_stop(struct gateway *gateway)
{
	lath_health_free(gateway->health);
	for (uint32_t w = 0; w < gateway->plane.worker_count; w++)
		lath_worker_free(gateway->workers[w]);
	/* Counters are gone with the workers; control asks none of them from here on. */
	lath_control_free(gateway->control);
	lath_snapshot_fini(&gateway->snapshot);
	plane_stop(gateway);
	lath_hostport_free(gateway->hostport);
	*gateway = (struct gateway){0};
}
