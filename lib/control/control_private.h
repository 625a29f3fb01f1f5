/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* What the files of this folder share. Everything is @thread mgmt. */
#pragma once

#include "lath_control.h"

#define RETIRED_MAX 64u                               /* models that wait for their grace period */
#define PUBLISH_INTERVAL_TICKS lath_ticks_from_ms(20) /* at most one publication in 20 ms */
#define BUDGET_INTERVAL_TICKS lath_ticks_from_ms(50)
#define EVENTS_PER_TURN 512u
#define ROWS_PER_TURN 1024u

struct retired_model {
	struct lath_model *model;
	uint32_t node;
	uint64_t period;
};

/* What a worker was last given of each VPC's budget, and what it had wanted by then. */
struct budget_row {
	uint64_t demand;
	uint32_t share;
};

struct listing {
	bool active;
	uint32_t request;
	uint32_t left;
	struct lath_flow_filter filter;
	struct lath_control_cursor *cursor;
	lath_control_row_t row;
	void *ctx;
};

struct lath_control {
	struct lath_control_options options;
	char *config_path;
	struct lath_config *cfg;
	struct lath_registry *registry;
	struct lath_neigh *neigh;
	uint8_t *health; /* enum lath_target_state by target index */
	struct lath_model *models[LATH_SNAPSHOT_NODES_MAX];
	struct lath_allocator allocators[LATH_SNAPSHOT_NODES_MAX];
	bool node_used[LATH_SNAPSHOT_NODES_MAX];
	uint32_t first_node;
	struct retired_model retired[RETIRED_MAX];
	uint32_t retired_count;
	bool dirty; /* a publication is wanted */
	lath_tick_t published;
	lath_tick_t budgeted;
	lath_tick_t nat_quiet_until;
	struct budget_row *budgets[LATH_WORKERS_MAX]; /* by VPC */
	struct listing listing;
	uint32_t requests;
	struct lath_control_status status;
	struct lath_control_now now; /* of this turn, for callbacks */
};

/* publish.c */
int lath_control_publish(struct lath_control *control, const struct lath_config *cfg,
		struct lath_error *err);
void lath_control_retire(struct lath_control *control);

/* probe.c */
int lath_control_probe_set(struct lath_control *control);
unsigned lath_control_probe_drain(struct lath_control *control);

/* neighbor.c */
extern const struct lath_neigh_ops lath_control_neigh_ops;
unsigned lath_control_events(struct lath_control *control);

/* budget.c */
int lath_control_budget_init(struct lath_control *control);
void lath_control_budget_run(struct lath_control *control);

/* list.c */
unsigned lath_control_rows(struct lath_control *control);

/* A command to one worker; false and counted when its mailbox is full. */
bool lath_control_send(struct lath_control *control, uint32_t worker,
		const struct lath_command *command);
