/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * The operators' way in: JSON-RPC 2.0, one object a line, over a Unix socket of its own, on the
 * management core's libevent loop; lathctl and scripts speak it. Methods stand in
 * lath_admin_methods.def, one line and one file each.
 *
 * Who may: root, the daemon's own uid, and members of the socket's group, all by what the kernel
 * says of the peer. At most LATH_ADMIN_CONNECTIONS_MAX connections and LATH_ADMIN_PER_UID_MAX a uid
 * (root: LATH_ADMIN_ROOT_MAX in all), one request at a time on each, idle ones are closed. Methods
 * that change something are logged at NOTICE with uid, pid and result.
 *
 * Every result carries "schemaVersion": 1; members are only ever added to a version. Everything is
 * @thread mgmt. Allocates from the heap.
 *
 * LIMIT: a configuration is parsed and checked on the management core; a very large one (MiBs)
 * delays neighbours and health by the tens of milliseconds that takes. Workers are not concerned.
 */
#pragma once

#include <sys/types.h>

#include <jansson.h>

#include <lath_control.h>

#define LATH_ADMIN_SCHEMA_VERSION 1
#define LATH_ADMIN_CONNECTIONS_MAX 16u
#define LATH_ADMIN_PER_UID_MAX 4u
#define LATH_ADMIN_ROOT_MAX 32u
#define LATH_ADMIN_IDLE_S 30

struct event_base;
struct lath_admin;

struct lath_admin_options {
	const char *path; /* of the socket; NULL: none, only lath_admin_call() */
	mode_t mode;      /* of the socket; 0: 0660 */
	struct lath_control_now (*now)(void *ctx);
	void *now_ctx;
};

/**
 * Listens at once. A socket file that nobody answers on is replaced. `base` may be NULL without a
 * path. NULL and `err` otherwise.
 */
struct lath_admin *lath_admin_create(struct event_base *base, struct lath_control *control,
		const struct lath_admin_options *options, struct lath_error *err);

/** Closes every connection and removes the socket file. Before lath_control_free(). Accepts NULL.
 *  @thread mgmt | init
 */
void lath_admin_free(struct lath_admin *admin);

/** One of `result` and `error` is NULL; both are borrowed during the call. */
typedef void (*lath_admin_done_t)(void *ctx, json_t *result, json_t *error);

/**
 * Calls a method without a socket, as root. `params` is borrowed (an object, or NULL). `done` is
 * called exactly once: within this call, or for show.flows in a later turn of lath_control_run();
 * lath_admin_free() fails what still waits.
 */
void lath_admin_call(struct lath_admin *admin, const char *method, const json_t *params,
		lath_admin_done_t done, void *ctx);
