/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <stdlib.h>
#include <string.h>

#include <rte_telemetry.h>

#include <lath_log.h>

#include "telemetry_private.h"

LATH_LOG_REGISTER(telemetry);

struct lath_telemetry {
	const struct lath_control *control;
	struct lath_telemetry_names *names; /* mgmt: rw, tel: ro; both under the lock */
};

/* rte_telemetry's callbacks of 22.11 have no argument of ours and cannot be taken back, so these
 * two must be file-scope (conventions, 17: the one exception in lib/).
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct lath_telemetry *running;
static bool registered;

static int
on_command(const char *path, const char *params, struct rte_tel_data *data)
{
	struct lath_telemetry_view view;
	int rc = -ENOENT;

	lath_role_set(LATH_ROLE_TEL);
	pthread_mutex_lock(&lock);
	if (running == NULL) {
		pthread_mutex_unlock(&lock);
		return -ENODEV;
	}
	view = (struct lath_telemetry_view){
			.names = running->names,
			.control = running->control,
			.plane = lath_control_plane(running->control),
	};
	for (unsigned i = 0; i < lath_telemetry_command_count; i++) {
		if (strcmp(lath_telemetry_commands[i].path, path) == 0)
			rc = lath_telemetry_commands[i].run(&view, params == NULL ? "" : params,
					data);
	}
	pthread_mutex_unlock(&lock);
	return rc;
}

int
lath_telemetry_start(struct lath_telemetry **out, const struct lath_control *control)
{
	struct lath_telemetry *telemetry;
	int rc = 0;

	if (running != NULL)
		return lath_err(EBUSY);
	telemetry = calloc(1, sizeof(*telemetry));
	if (telemetry == NULL)
		return lath_err(ENOMEM);
	telemetry->control = control;
	telemetry->names = lath_telemetry_names_create(control);
	if (telemetry->names == NULL) {
		free(telemetry);
		return lath_err(ENOMEM);
	}
	for (unsigned i = 0; !registered && rc == 0 && i < lath_telemetry_command_count; i++)
		rc = rte_telemetry_register_cmd(lath_telemetry_commands[i].path, on_command,
				lath_telemetry_commands[i].help);
	if (rc != 0) {
		LATH_LOG(ERR, "rte_telemetry takes no more commands: %s", strerror(-rc));
		lath_telemetry_names_free(telemetry->names);
		free(telemetry);
		return lath_err(-rc);
	}
	registered = true;
	pthread_mutex_lock(&lock);
	running = telemetry;
	pthread_mutex_unlock(&lock);
	*out = telemetry;
	return 0;
}

void
lath_telemetry_refresh(struct lath_telemetry *telemetry)
{
	struct lath_telemetry_names *names;
	struct lath_telemetry_names *old;

	/* Only this thread writes `names`, so it may look without the lock. */
	if (lath_control_model(telemetry->control)->serial == telemetry->names->serial)
		return;
	names = lath_telemetry_names_create(telemetry->control);
	if (names == NULL)
		return;
	pthread_mutex_lock(&lock);
	old = telemetry->names;
	telemetry->names = names;
	pthread_mutex_unlock(&lock);
	lath_telemetry_names_free(old);
}

void
lath_telemetry_stop(struct lath_telemetry *telemetry)
{
	if (telemetry == NULL)
		return;
	pthread_mutex_lock(&lock);
	running = NULL;
	pthread_mutex_unlock(&lock);
	lath_telemetry_names_free(telemetry->names);
	free(telemetry);
}
