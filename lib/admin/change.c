/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* The configuration: what runs, checking another one, taking it in. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_private.h"

static void
put_config(json_t *result, const struct lath_config *cfg)
{
	json_t *warnings = json_array();
	uint32_t targets = 0;

	for (uint32_t i = 0; i < cfg->group_count; i++)
		targets += cfg->groups[i].target_count;
	for (uint32_t i = 0; i < cfg->warning_count; i++)
		lath_admin_append(warnings, lath_rpc_text(cfg->warnings[i]));
	lath_admin_put_text(result, "sha256", cfg->sha256);
	lath_admin_put_u64(result, "vpcs", cfg->vpc_count);
	lath_admin_put_u64(result, "services", cfg->service_count);
	lath_admin_put_u64(result, "targetGroups", cfg->group_count);
	lath_admin_put_u64(result, "targets", targets);
	lath_admin_put(result, "warnings", warnings);
}

/* `config`: text or an object; `name` stands for the file. NULL: the call has been failed. */
static struct lath_config *
parse_param(struct lath_admin_call *call)
{
	const json_t *given = json_object_get(call->params, "config");
	struct lath_config *cfg = NULL;
	struct lath_error err = {0};
	const char *name = call->method->name;
	char *text;

	if (!lath_admin_param_text(call, "name", &name))
		return NULL;
	if (json_is_string(given))
		cfg = lath_config_parse(json_string_value(given), json_string_length(given), name,
				&err);
	else if (json_is_object(given)) {
		text = json_dumps(given, JSON_INDENT(2));
		if (text != NULL)
			cfg = lath_config_parse(text, strlen(text), name, &err);
		else
			lath_error_set(&err, "", "memory is short");
		free(text);
	} else {
		lath_admin_fail(call, LATH_RPC_INVALID_PARAMS, NULL,
				"config: an object, or its text as a string, is needed");
		return NULL;
	}
	if (cfg == NULL)
		lath_admin_fail_config(call, &err);
	return cfg;
}

static void
finish_changed(struct lath_admin_call *call, const char *before)
{
	const struct lath_config *cfg = lath_control_config(call->control);
	json_t *result = json_object();

	put_config(result, cfg);
	lath_admin_put_bool(result, "changed", strcmp(before, cfg->sha256) != 0);
	lath_admin_finish(call, result);
}

void
lath_admin_apply(struct lath_admin_call *call)
{
	struct lath_config *cfg = parse_param(call);
	struct lath_error err = {0};
	char before[65];

	if (cfg == NULL)
		return;
	memcpy(before, lath_control_config(call->control)->sha256, sizeof(before));
	if (lath_control_apply(call->control, cfg, call->now, &err) != 0) {
		lath_config_free(cfg);
		lath_admin_fail_config(call, &err);
		return;
	}
	finish_changed(call, before);
}

void
lath_admin_reload(struct lath_admin_call *call)
{
	struct lath_error err = {0};
	char before[65];

	memcpy(before, lath_control_config(call->control)->sha256, sizeof(before));
	if (lath_control_reload(call->control, call->now, &err) != 0) {
		lath_admin_fail_config(call, &err);
		return;
	}
	finish_changed(call, before);
}

void
lath_admin_check(struct lath_admin_call *call)
{
	const char *path = lath_control_config_path(call->control);
	const char *system = lath_control_config(call->control)->system_sha256;
	struct lath_error err = {0};
	struct lath_config *cfg;
	json_t *result;

	if (json_object_size(call->params) > 0 || path == NULL)
		cfg = parse_param(call);
	else if ((cfg = lath_config_load(path, &err)) == NULL)
		lath_admin_fail_config(call, &err);
	if (cfg == NULL)
		return;
	result = json_object();
	put_config(result, cfg);
	lath_admin_put_bool(result, "needsRestart", strcmp(cfg->system_sha256, system) != 0);
	lath_admin_put_bool(result, "changed",
			strcmp(cfg->sha256, lath_control_config(call->control)->sha256) != 0);
	lath_config_free(cfg);
	lath_admin_finish(call, result);
}

void
lath_admin_show_config(struct lath_admin_call *call)
{
	const struct lath_config *cfg = lath_control_config(call->control);
	const struct lath_control_status *status = lath_control_status(call->control);
	const char *path = lath_control_config_path(call->control);
	json_t *result = json_object();

	lath_admin_put_text(result, "sha256", cfg->sha256);
	if (path != NULL)
		lath_admin_put_text(result, "path", path);
	lath_admin_put_bool(result, "fromApply", status->from_apply);
	lath_admin_put(result, "publishedAt", json_integer(status->published_wall_s));
	/* Canonical, so it parses: it was loaded from JSON. */
	lath_admin_put(result, "config", json_loads(cfg->json, 0, NULL));
	lath_admin_finish(call, result);
}
