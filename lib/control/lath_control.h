/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * The gateway as management sees it: it builds models and publishes them, resolves neighbours,
 * deals out budgets, takes in health results, and answers questions about all of it. lathd and the
 * packet tests drive the same object; only threads, ports and clocks are theirs.
 *
 * Everything is @thread mgmt unless it says otherwise. Time is an argument.
 */
#pragma once

#include <lath_config.h>
#include <lath_health.h>
#include <lath_model.h>
#include <lath_neigh.h>
#include <lath_pipeline.h>

struct lath_control;

struct lath_control_options {
	const char *config_path; /* for reload; NULL: none */
	struct lath_dataplane *plane;
	struct lath_worker **workers; /* plane->worker_count */
	const uint32_t *worker_nodes; /* NUMA node of each */
	struct lath_health *health;   /* NULL: nobody probes (tests set results by hand) */
	struct lath_registry_limits limits;
	uint64_t seed;
};

/** Seconds since 1970 and ticks since start; every call that needs time takes one. */
struct lath_control_now {
	lath_tick_t tick;
	int64_t wall_s;
};

/** What the gateway needs of each kind of object for this configuration. @thread init */
struct lath_registry_limits lath_control_limits(const struct lath_config *cfg);

/** Takes ownership of `cfg` on success. NULL and `err` otherwise. @thread init */
struct lath_control *lath_control_create(const struct lath_control_options *options,
		struct lath_config *cfg, struct lath_control_now now, struct lath_error *err);

/** Workers have stopped. Accepts NULL. @thread init */
void lath_control_free(struct lath_control *control);

/** One turn: mailboxes, neighbours, health results, budgets, publications that are due, grace
 *  periods. Call it every 10 ms or when woken. Returns how much it did (0: nothing).
 */
unsigned lath_control_run(struct lath_control *control, struct lath_control_now now);

/**
 * Takes a new configuration in, publishes at once. On success it owns `cfg`; on error the running
 * model stays, `err` says why and the caller keeps `cfg`. A changed `system` section is an error
 * (needs a restart).
 */
int lath_control_apply(struct lath_control *control, struct lath_config *cfg,
		struct lath_control_now now, struct lath_error *err);

/** Reads the configuration's files again and applies them. */
int lath_control_reload(struct lath_control *control, struct lath_control_now now,
		struct lath_error *err);

/** A health result by hand (tests), or from the prober: coalesced into a publication. */
void lath_control_set_health(struct lath_control *control, uint32_t target,
		enum lath_target_state state);

/** A port's link changed. */
void lath_control_link(struct lath_control *control, uint16_t port, bool up,
		struct lath_control_now now);

/* ---- what it knows ------------------------------------------------------------------------- */

const struct lath_config *lath_control_config(const struct lath_control *control);
const struct lath_model *lath_control_model(const struct lath_control *control);
const struct lath_registry *lath_control_registry(const struct lath_control *control);
const struct lath_neigh *lath_control_neigh(const struct lath_control *control);
struct lath_health *lath_control_health(const struct lath_control *control); /* or NULL */
const struct lath_dataplane *lath_control_plane(const struct lath_control *control);
const char *lath_control_config_path(const struct lath_control *control); /* or NULL */

/** Counters of worker 0 .. plane->worker_count - 1. @thread any */
const struct lath_counters *lath_control_counters(const struct lath_control *control,
		uint32_t worker);

struct lath_control_status {
	uint64_t publications;    /* models so far */
	uint64_t reloads;         /* configurations taken in, the first one included */
	uint64_t rejected;        /* configurations refused */
	int64_t published_wall_s; /* when the running configuration came */
	bool from_apply;          /* it came by `apply`, not from the files */
	uint64_t conflicts;       /* addresses of ours that somebody else uses */
	uint64_t events_lost;
};

const struct lath_control_status *lath_control_status(const struct lath_control *control);

/** Called with each row, then once with row->end set; not called after lath_control_cancel(). */
typedef void (*lath_control_row_t)(void *ctx, const struct lath_flow_row *row);

/** Where a listing of flows stands; zeroed: at the start. */
struct lath_control_cursor {
	uint32_t worker;
	uint32_t pool;
	uint32_t entry;
};

/**
 * Asks the workers for at most `limit` flows from `cursor` on; rows come in later turns of
 * lath_control_run(). The last call has row->end set: then `*cursor` (borrowed until then) says
 * where to go on, cursor->worker == worker_count means that there is no more. One listing at a
 * time: -EBUSY otherwise.
 */
int lath_control_list_flows(struct lath_control *control, const struct lath_flow_filter *filter,
		struct lath_control_cursor *cursor, uint32_t limit, lath_control_row_t row,
		void *ctx);

/** The asker is gone: rows that still come are thrown away. */
void lath_control_cancel(struct lath_control *control, void *ctx);
