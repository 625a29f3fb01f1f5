/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Inside lath_telemetry: the copy of names, guarded by one lock that telemetry's threads hold while
 * they answer and management while it swaps copies.
 */
#pragma once

#include <pthread.h>

#include "lath_telemetry.h"

/* "group/10.0.0.5:80", cut to what a string of rte_telemetry holds. */
#define LATH_TELEMETRY_NAME_MAX 128

struct lath_telemetry_name {
	uint32_t index; /* stable */
	char name[LATH_TELEMETRY_NAME_MAX];
	char id[LATH_CONFIG_ID_MAX]; /* "" for targets */
	char vpc[64];                /* targets: whose address it is */
	const char *state;           /* targets; a constant */
};

enum lath_telemetry_list {
	LATH_TELEMETRY_VPCS,
	LATH_TELEMETRY_SERVICES,
	LATH_TELEMETRY_TARGETS,
	LATH_TELEMETRY_LIST_COUNT,
};

struct lath_telemetry_names {
	struct lath_telemetry_name *rows[LATH_TELEMETRY_LIST_COUNT];
	uint32_t count[LATH_TELEMETRY_LIST_COUNT];
	uint64_t serial; /* of the model */
	char sha256[65];
};

/* What the commands read: the lock is held. */
struct lath_telemetry_view {
	const struct lath_telemetry_names *names;
	const struct lath_control *control; /* only what is @thread any: plane and counters */
	const struct lath_dataplane *plane;
};

struct rte_tel_data;

/* One command: fills `data`; 0 or -errno. */
typedef int (*lath_telemetry_command_t)(const struct lath_telemetry_view *view, const char *params,
		struct rte_tel_data *data);

struct lath_telemetry_command {
	const char *path;
	const char *help;
	lath_telemetry_command_t run;
};

extern const struct lath_telemetry_command lath_telemetry_commands[];
extern const unsigned lath_telemetry_command_count;

/* A copy of the model's names; NULL when memory is short. @thread mgmt */
struct lath_telemetry_names *lath_telemetry_names_create(const struct lath_control *control);
void lath_telemetry_names_free(struct lath_telemetry_names *names);
