/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <numa.h>
#include <stdlib.h>

#include <lath_log.h>

#include "control_private.h"

LATH_LOG_REGISTER(control);

/* ---- memory: the model's copy on each node ------------------------------------------------- */

static void *
node_alloc(void *ctx, size_t size)
{
	/* Zeroed pages of that node; parts are few and large enough for a page each. */
	return numa_alloc_onnode(size, *(const int *)ctx);
}

static void
node_free(void *ctx, void *memory, size_t size)
{
	(void)ctx;
	numa_free(memory, size);
}

static const int node_numbers[LATH_SNAPSHOT_NODES_MAX] = {0, 1, 2, 3, 4, 5, 6, 7};

/* With one node the heap is on it, and tools that watch the heap see the model. */
static struct lath_allocator
allocator_for(uint32_t node)
{
	if (numa_available() < 0 || numa_max_node() == 0)
		return lath_heap;
	return (struct lath_allocator){
			.alloc = node_alloc,
			.free = node_free,
			.ctx = (void *)(uintptr_t)&node_numbers[node],
	};
}

/* ---- life ---------------------------------------------------------------------------------- */

struct lath_registry_limits
lath_control_limits(const struct lath_config *cfg)
{
	const struct lath_config_system *system = &cfg->system;

	return (struct lath_registry_limits){
			.max =
					{
							[LATH_OBJECT_VPC] = system->max_vpcs +
									1, /* the host port's own */
							[LATH_OBJECT_SERVICE] =
									system->max_services,
							[LATH_OBJECT_RULE] = system->max_services *
									4,
							[LATH_OBJECT_GROUP] = system->max_groups,
							[LATH_OBJECT_TARGET] = system->max_targets,
							[LATH_OBJECT_ATTACHMENT] =
									LATH_MODEL_ATTACHMENTS_MAX,
					},
	};
}

/* A flow on any worker still names the object. */
static bool
in_use(void *ctx, enum lath_object_kind kind, uint32_t index)
{
	const struct lath_control *control = ctx;

	for (uint32_t w = 0; w < control->options.plane->worker_count; w++)
		if (lath_control_counters(control, w)->objects[kind][index].flows != 0)
			return true;
	return false;
}

static int
create_parts(struct lath_control *control, const struct lath_config *cfg, struct lath_error *err)
{
	const struct lath_control_options *options = &control->options;

	for (uint32_t w = 0; w < options->plane->worker_count; w++) {
		uint32_t node = options->worker_nodes[w];

		control->node_used[node] = true;
		control->allocators[node] = allocator_for(node);
	}
	while (!control->node_used[control->first_node])
		control->first_node++;
	control->registry = lath_registry_create(&options->limits, cfg->system.state_directory,
			in_use, control, err);
	if (control->registry == NULL)
		return -1;
	control->health = calloc(options->limits.max[LATH_OBJECT_TARGET], 1);
	control->neigh = lath_neigh_create(cfg->system.max_neighbors, &lath_control_neigh_ops,
			control, options->seed);
	if (control->health == NULL || control->neigh == NULL ||
			lath_control_budget_init(control) != 0) {
		lath_error_set(err, "", "no memory for the management core's tables");
		return -1;
	}
	for (uint16_t port = 0; port < options->plane->port_count; port++)
		lath_neigh_set_mac(control->neigh, port, &options->plane->gateway_mac[port]);
	return 0;
}

struct lath_control *
lath_control_create(const struct lath_control_options *options, struct lath_config *cfg,
		struct lath_control_now now, struct lath_error *err)
{
	struct lath_control *control = calloc(1, sizeof(*control));

	if (control == NULL) {
		lath_error_set(err, "", "no memory for the management core");
		return lath_null(ENOMEM);
	}
	control->options = *options;
	control->now = now;
	if (options->config_path != NULL)
		control->config_path = strdup(options->config_path);
	if (create_parts(control, cfg, err) != 0 ||
			lath_control_apply(control, cfg, now, err) != 0) {
		lath_control_free(control);
		return lath_null(EINVAL);
	}
	control->budgeted = now.tick;
	control->nat_quiet_until = now.tick;
	return control;
}

void
lath_control_free(struct lath_control *control)
{
	if (control == NULL)
		return;
	lath_neigh_free(control->neigh);
	/* Workers have stopped: nobody reads. */
	for (uint32_t i = 0; i < control->retired_count; i++)
		lath_model_free(control->retired[i].model,
				&control->allocators[control->retired[i].node]);
	for (uint32_t node = 0; node < LATH_SNAPSHOT_NODES_MAX; node++)
		if (control->models[node] != NULL)
			lath_model_free(control->models[node], &control->allocators[node]);
	for (uint32_t w = 0; w < LATH_WORKERS_MAX; w++)
		free(control->budgets[w]);
	lath_registry_free(control->registry);
	lath_config_free(control->cfg);
	free(control->health);
	free(control->config_path);
	free(control);
}

/* ---- one turn ------------------------------------------------------------------------------ */

/* A publication of what changed by itself: health results, the end of a drain. */
static void
publish_if_due(struct lath_control *control)
{
	lath_tick_t now = control->now.tick;
	struct lath_error err = {0};

	if (lath_registry_next_change(control->registry, now) == 0)
		control->dirty = true;
	if (!control->dirty || !lath_tick_reached(now, control->published + PUBLISH_INTERVAL_TICKS))
		return;
	if (lath_control_publish(control, control->cfg, &err) != 0)
		LATH_LOG(ERR, "a change could not be published: %s", err.text);
}

unsigned
lath_control_run(struct lath_control *control, struct lath_control_now now)
{
	unsigned did;

	LATH_ASSERT_ROLE(MGMT);
	control->now = now;
	did = lath_control_events(control);
	did += lath_control_rows(control);
	did += lath_control_probe_drain(control);
	lath_neigh_tick(control->neigh, now.tick);
	publish_if_due(control);
	lath_control_retire(control);
	if (lath_tick_reached(now.tick, control->budgeted + BUDGET_INTERVAL_TICKS)) {
		control->budgeted = now.tick;
		lath_control_budget_run(control);
	}
	return did;
}

bool
lath_control_send(struct lath_control *control, uint32_t worker, const struct lath_command *command)
{
	if (lath_mailbox_send(lath_worker_commands(control->options.workers[worker]), command))
		return true;
	control->status.events_lost++;
	return false;
}

void
lath_control_link(struct lath_control *control, uint16_t port, bool up, struct lath_control_now now)
{
	LATH_LOG(NOTICE, "link is %s port=%s", up ? "up" : "down",
			control->options.plane->ports[port].name);
	lath_neigh_link(control->neigh, port, up, now.tick);
}

/* ---- what it knows ------------------------------------------------------------------------- */

const struct lath_config *
lath_control_config(const struct lath_control *control)
{
	return control->cfg;
}

const struct lath_model *
lath_control_model(const struct lath_control *control)
{
	return control->models[control->first_node];
}

const struct lath_registry *
lath_control_registry(const struct lath_control *control)
{
	return control->registry;
}

const struct lath_neigh *
lath_control_neigh(const struct lath_control *control)
{
	return control->neigh;
}

struct lath_health *
lath_control_health(const struct lath_control *control)
{
	return control->options.health;
}

const struct lath_dataplane *
lath_control_plane(const struct lath_control *control)
{
	return control->options.plane;
}

const char *
lath_control_config_path(const struct lath_control *control)
{
	return control->config_path;
}

const struct lath_counters *
lath_control_counters(const struct lath_control *control, uint32_t worker)
{
	return lath_worker_counters(control->options.workers[worker]);
}

const struct lath_control_status *
lath_control_status(const struct lath_control *control)
{
	return &control->status;
}
