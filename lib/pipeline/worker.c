/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* A worker's life: its memory, one turn of its loop, its end. */

#include <rte_ring.h>

#include "pipeline_private.h"

#define COMMANDS_MAX 4096u
#define EVENTS_MAX 4096u
#define ROWS_MAX 1024u
#define REFUSALS_PER_SECOND 1000u /* until management deals the first budget */
#define PUNTS_PER_SECOND 1000u
#define REFUSAL_BURST 100u

_Static_assert(sizeof(struct lath_command) % 8 == 0, "mailboxes copy 8 bytes at a time");
_Static_assert(sizeof(struct lath_event) % 8 == 0, "mailboxes copy 8 bytes at a time");
_Static_assert(sizeof(struct lath_flow_row) % 8 == 0, "mailboxes copy 8 bytes at a time");

static uint32_t
flows_of(const struct lath_worker_options *options)
{
	return options->flows[LATH_FLOW_POOL_IPV4];
}

uint64_t
lath_worker_memory(const struct lath_dataplane *plane, const struct lath_worker_options *options)
{
	struct lath_snat_options snat = lath_snat_options_for(plane->owner, options->index,
			flows_of(options));
	uint64_t bytes = sizeof(struct lath_worker);

	bytes += lath_flow_memory(options->flows);
	bytes += lath_gwlb_memory(options);
	bytes += lath_snat_memory(&snat, plane->owner, options->index);
	bytes += (uint64_t)(options->neighbors + 1) *
			(sizeof(struct lath_adjacency) + 2 * sizeof(uint32_t));
	bytes += (uint64_t)options->limits.max[LATH_OBJECT_VPC] *
			(LATH_DROP_COUNT * sizeof(uint64_t) + sizeof(struct refusal_budget) +
					sizeof(struct lath_nat_counters));
	for (unsigned kind = 0; kind < LATH_OBJECT_KIND_COUNT; kind++)
		bytes += options->limits.max[kind] * sizeof(struct lath_object_counters);
	bytes += COMMANDS_MAX * sizeof(struct lath_command) +
			EVENTS_MAX * sizeof(struct lath_event);
	bytes += ROWS_MAX * sizeof(struct lath_flow_row);
	return bytes;
}

/* A flow's id says whose it is: gateway, worker, serial. */
static uint64_t
id_prefix(const struct lath_worker *w, uint32_t node)
{
	return (uint64_t)node << 56 | (uint64_t)w->index << 48;
}

static int
init_tables(struct lath_worker *w, lath_tick_t now)
{
	const struct lath_worker_options *options = &w->options;
	const struct lath_owner *owner = w->plane->owner;
	struct lath_snat_options snat = lath_snat_options_for(owner, w->index, flows_of(options));
	int rc;

	rc = lath_flow_init(&w->flows, options->flows, options->table_key,
			id_prefix(w, options->gateway_node), now, options->allocator);
	if (rc != 0)
		return rc;
	rc = lath_adjacency_init(&w->adjacencies, options->neighbors, options->table_key,
			options->allocator);
	if (rc != 0)
		return rc;
	rc = lath_gwlb_init(w);
	if (rc != 0)
		return rc;
	snat.seed = options->seed;
	return lath_snat_init(&w->snat, owner, w->index, &w->flows, &snat, options->allocator);
}

static int
init_mailboxes(struct lath_worker *w)
{
	int socket = (int)w->node;

	w->commands = lath_mailbox_create(COMMANDS_MAX, sizeof(struct lath_command), socket);
	w->events = lath_mailbox_create(EVENTS_MAX, sizeof(struct lath_event), socket);
	w->rows = lath_mailbox_create(ROWS_MAX, sizeof(struct lath_flow_row), socket);
	return w->commands == NULL || w->events == NULL || w->rows == NULL ? lath_err(ENOMEM) : 0;
}

static int
init_budgets(struct lath_worker *w, lath_tick_t now)
{
	const struct lath_registry_limits *limits = &w->options.limits;
	const struct lath_allocator *allocator = w->options.allocator;
	uint32_t workers = w->plane->worker_count;

	w->refusals = allocator->alloc(allocator->ctx,
			limits->max[LATH_OBJECT_VPC] * sizeof(*w->refusals));
	w->punts = allocator->alloc(allocator->ctx,
			limits->max[LATH_OBJECT_ATTACHMENT] * sizeof(*w->punts));
	if (w->refusals == NULL || w->punts == NULL)
		return lath_err(ENOMEM);
	for (uint32_t vpc = 0; vpc < limits->max[LATH_OBJECT_VPC]; vpc++)
		lath_bucket_init(&w->refusals[vpc].bucket, REFUSALS_PER_SECOND / workers,
				REFUSAL_BURST, now);
	w->punts_per_second = PUNTS_PER_SECOND;
	for (uint32_t i = 0; i < limits->max[LATH_OBJECT_ATTACHMENT]; i++)
		lath_bucket_init(&w->punts[i], PUNTS_PER_SECOND, PUNTS_PER_SECOND, now);
	return 0;
}

struct lath_worker *
lath_worker_create(const struct lath_dataplane *plane, const struct lath_worker_options *options,
		lath_tick_t now)
{
	const struct lath_allocator *allocator = options->allocator;
	struct lath_worker *w = allocator->alloc(allocator->ctx, sizeof(*w));

	if (w == NULL)
		return lath_null(ENOMEM);
	w->plane = plane;
	w->index = options->index;
	w->next_ipv4_id = (uint16_t)w->index;
	w->node = options->node;
	w->options = *options;
	w->random = options->seed;
	w->sample = STEERING_SAMPLE;
	w->polled = now;
	for (uint16_t port = 0; port < plane->port_count; port++) {
		w->is_bond[port] = strcmp(plane->ports[port].driver, "net_bonding") == 0;
		w->tx[port].has_queue = w->index < plane->ports[port].tx_queue_count;
	}
	w->counters = lath_counters_create(&options->limits, allocator);
	if (w->counters == NULL || init_tables(w, now) != 0 || init_mailboxes(w) != 0 ||
			init_budgets(w, now) != 0) {
		lath_worker_free(w);
		return lath_null(ENOMEM);
	}
	for (unsigned kind = 0; kind < LATH_FLOW_POOL_COUNT; kind++)
		w->counters->worker.flow_capacity[kind] = options->flows[kind];
	return w;
}

void
lath_worker_drain(struct lath_worker *w)
{
	for (uint32_t idx = 1; idx < w->adjacencies.capacity; idx++) {
		struct rte_mbuf *held = w->adjacencies.entries[idx].held;

		if (held == NULL)
			continue;
		w->adjacencies.entries[idx].held = NULL;
		w->counters->worker.held--;
		drop(w, held, LATH_MODEL_HOST_VPC, LATH_DROP_shutdown);
	}
	for (uint32_t from = 0; from < w->plane->worker_count; from++) {
		struct rte_mbuf *m;

		while (from != w->index &&
				rte_ring_sc_dequeue(w->plane->handover
								    [from * w->plane->worker_count +
										    w->index],
						(void **)&m) == 0) {
			w->counters->worker.handed_in++;
			drop(w, m, LATH_MODEL_HOST_VPC, LATH_DROP_shutdown);
		}
	}
}

void
lath_worker_free(struct lath_worker *w)
{
	const struct lath_allocator *allocator;

	if (w == NULL)
		return;
	allocator = w->options.allocator;
	if (w->adjacencies.entries != NULL && w->counters != NULL)
		lath_worker_drain(w);
	lath_mailbox_free(w->commands);
	lath_mailbox_free(w->events);
	lath_mailbox_free(w->rows);
	if (w->refusals != NULL)
		allocator->free(allocator->ctx, w->refusals,
				w->options.limits.max[LATH_OBJECT_VPC] * sizeof(*w->refusals));
	if (w->punts != NULL)
		allocator->free(allocator->ctx, w->punts,
				w->options.limits.max[LATH_OBJECT_ATTACHMENT] * sizeof(*w->punts));
	if (w->snat.allocator != NULL)
		lath_snat_fini(&w->snat);
	lath_adjacency_fini(&w->adjacencies, allocator);
	lath_gwlb_fini(w);
	lath_flow_fini(&w->flows);
	lath_counters_free(w->counters, allocator);
	allocator->free(allocator->ctx, w, sizeof(*w));
}

/* A new model: what the worker keeps of the last one follows. */
static void
take_model(struct lath_worker *w, const struct lath_model *model)
{
	const struct lath_config_timeouts *timeouts = &model->timeouts;
	lath_tick_t rest[LATH_SNAT_REST_COUNT] = {
			[LATH_SNAT_REST_SHORT] = lath_ticks_from_seconds(timeouts->port_rest_s),
			[LATH_SNAT_REST_TIME_WAIT] =
					lath_ticks_from_seconds(timeouts->port_rest_time_wait_s),
	};

	w->model = model;
	w->flows.id_prefix = id_prefix(w, model->node);
	if (w->punts_per_second != model->limits.punts_per_second) {
		w->punts_per_second = model->limits.punts_per_second;
		for (uint32_t i = 0; i < w->options.limits.max[LATH_OBJECT_ATTACHMENT]; i++)
			lath_bucket_set_rate(&w->punts[i], w->punts_per_second, w->punts_per_second,
					w->now);
	}
	lath_snat_set_rest(&w->snat, rest);
	if (w->routing_serial != model->routing_serial) {
		w->routing_serial = model->routing_serial;
		lath_nexthop_retire_all(w);
	}
}

static void
publish_gauges(struct lath_worker *w)
{
	struct lath_worker_counters *c = &w->counters->worker;

	for (unsigned kind = 0; kind < LATH_FLOW_POOL_COUNT; kind++)
		c->flows[kind] = w->flows.pools[kind].used;
	c->snat_pools = w->snat.pool_count;
	c->snat_ports_resting = w->snat.resting_count;
	c->snat_port_reused_early = w->snat.reused_early;
	c->snat_small_pool = w->snat.small_pools;
	c->heartbeat_tick = w->now;
	c->loops++;
}

unsigned
lath_worker_run(struct lath_worker *w, lath_tick_t now)
{
	const struct lath_model *model = lath_snapshot_read(w->plane->snapshot, w->node);
	unsigned n;

	LATH_ASSERT_ROLE(DP);
	w->now = now;
	if (model != w->model)
		take_model(w, model);
	lath_commands_run(w);
	n = lath_stage_receive(w);
	lath_expire(w);
	lath_rows_run(w);
	lath_transmit_flush(w);
	publish_gauges(w);
	w->counters->worker.loops_busy += n > 0;
	lath_snapshot_quiescent(w->plane->snapshot, w->index);
	return n;
}

void
lath_worker_count_cycles(struct lath_worker *w, uint64_t cycles)
{
	w->counters->worker.cycles_busy += cycles;
}

bool
lath_worker_is_pending(const struct lath_worker *w)
{
	const uint32_t workers = w->plane->worker_count;

	if (w->rows_job.active || lath_mailbox_count(w->commands) > 0)
		return true;
	for (uint32_t other = 0; other < workers; other++) {
		if (other == w->index)
			continue;
		if (!rte_ring_empty(w->plane->handover[other * workers + w->index]) ||
				!rte_ring_empty(w->plane->handover[w->index * workers + other]))
			return true;
	}
	return false;
}

void
lath_worker_online(struct lath_worker *w)
{
	lath_snapshot_online(w->plane->snapshot, w->index);
}

void
lath_worker_offline(struct lath_worker *w)
{
	w->model = NULL; /* it may be freed while we sleep */
	lath_snapshot_offline(w->plane->snapshot, w->index);
}

struct lath_mailbox *
lath_worker_commands(struct lath_worker *w)
{
	return w->commands;
}

struct lath_mailbox *
lath_worker_events(struct lath_worker *w)
{
	return w->events;
}

struct lath_mailbox *
lath_worker_rows(struct lath_worker *w)
{
	return w->rows;
}

const struct lath_counters *
lath_worker_counters(const struct lath_worker *w)
{
	return w->counters;
}

uint64_t
lath_worker_refusal_demand(const struct lath_worker *w, uint32_t vpc)
{
	return w->refusals[vpc].demand;
}
