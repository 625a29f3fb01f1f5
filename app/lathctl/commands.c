/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Every command, and the few that are no more than a call. */

#include <stdlib.h>

#include "lathctl.h"

static const struct lathctl_option apply_options[] = {
		{"save", "save", NULL, false,
				"write it over lathd's configuration file, too, as you"},
};

static const struct lathctl_option status_options[] = {
		{"all", "all", NULL, false, "every warning, one a line"},
};

static const struct lathctl_option explain_options[] = {
		{"vpc", "vpc", "VPC", false, "the client's: name, id or ARN"},
		{"client", "client", "ADDRESS", false, "the client's address"},
		{"service", "service", "SERVICE", false, "what it calls: name, id or ARN"},
		{"port", "port", "PORT", true, "the service's port"},
		{"protocol", "protocol", "tcp|udp", false, "without it tcp"},
		{"client-port", "clientPort", "PORT", true, "for network ACLs; without it 49152"},
};

const struct lathctl_command lathctl_commands[] = {
		{"apply", "FILE", "Make FILE what runs, at once, without touching lathd's files",
				apply_options, LATH_ARRAY_SIZE(apply_options), 1, 1,
				lathctl_run_apply, NULL},
		{"check", "FILE", "Check FILE and what it includes; needs no lathd", NULL, 0, 1, 1,
				lathctl_run_check, NULL},
		{"explain", "", "May a client call a service, by which path, and who says so",
				explain_options, LATH_ARRAY_SIZE(explain_options), 0, 0,
				lathctl_run_explain, NULL},
		{"reload", "", "Read lathd's configuration files again", NULL, 0, 0, 0,
				lathctl_run_reload, NULL},
		{"show", "WHAT", "Show what lathd knows, see below", NULL, 0, 1, 1, NULL, NULL},
		{"status", "", "How things are, in one line and the exit code", status_options,
				LATH_ARRAY_SIZE(status_options), 0, 0, lathctl_run_status, NULL},
		{"version", "", "Versions of lathctl and lathd", NULL, 0, 0, 0, lathctl_run_version,
				NULL},
};

const unsigned lathctl_command_count = LATH_ARRAY_SIZE(lathctl_commands);

/* The result as JSON and frees it; LATHCTL_OK. */
static int
finish_json(json_t *result)
{
	lathctl_print_json(result);
	json_decref(result);
	return LATHCTL_OK;
}

int
lathctl_run_reload(struct lathctl *ctl, const struct lathctl_command *command,
		const struct lathctl_args *args)
{
	json_t *result = lathctl_call(ctl, command->name, NULL);

	(void)args;
	if (result == NULL)
		return LATHCTL_FAILED;
	if (ctl->json)
		return finish_json(result);
	lathctl_print_warnings(result);
	printf("%s; config %.6s runs\n",
			json_is_true(json_object_get(result, "changed")) ? "reloaded"
									 : "nothing has changed",
			lathctl_text_at(result, "sha256"));
	json_decref(result);
	return LATHCTL_OK;
}

int
lathctl_run_version(struct lathctl *ctl, const struct lathctl_command *command,
		const struct lathctl_args *args)
{
	json_t *result;

	(void)args;
	if (!ctl->json)
		printf("lathctl %s\n", LATH_VERSION);
	result = lathctl_call(ctl, command->name, NULL);
	if (result == NULL)
		return LATHCTL_FAILED;
	if (ctl->json) {
		json_object_set_new(result, "lathctl", json_string(LATH_VERSION));
		return finish_json(result);
	}
	printf("lathd %s, %s\n", lathctl_text_at(result, "version"),
			lathctl_text_at(result, "dpdk"));
	json_decref(result);
	return LATHCTL_OK;
}

int
lathctl_run_config(struct lathctl *ctl, const struct lathctl_command *command,
		const struct lathctl_args *args)
{
	json_t *result = lathctl_call(ctl, "show.config", NULL);

	(void)command;
	(void)args;
	if (result == NULL)
		return LATHCTL_FAILED;
	if (ctl->json)
		return finish_json(result);
	/* Only the configuration, so that a redirection makes a file that loads. */
	lathctl_print_json(json_object_get(result, "config"));
	json_decref(result);
	return LATHCTL_OK;
}
