/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* The daemon's own loader, without the daemon. */

#include <lath_config.h>

#include "lathctl.h"

static void
print_config(const struct lathctl *ctl, const char *path, const struct lath_config *cfg)
{
	uint32_t targets = 0;

	for (uint32_t i = 0; i < cfg->group_count; i++)
		targets += cfg->groups[i].target_count;
	if (ctl->json) {
		json_t *json = json_object();
		json_t *warnings = json_array();

		for (uint32_t i = 0; i < cfg->warning_count; i++)
			json_array_append_new(warnings, lath_rpc_text(cfg->warnings[i]));
		json_object_set_new(json, "schemaVersion", json_integer(1));
		json_object_set_new(json, "sha256", json_string(cfg->sha256));
		json_object_set_new(json, "vpcs", json_integer(cfg->vpc_count));
		json_object_set_new(json, "services", json_integer(cfg->service_count));
		json_object_set_new(json, "targetGroups", json_integer(cfg->group_count));
		json_object_set_new(json, "targets", json_integer(targets));
		json_object_set_new(json, "warnings", warnings);
		lathctl_print_json(json);
		json_decref(json);
		return;
	}
	for (uint32_t i = 0; i < cfg->warning_count; i++)
		printf("warning: %s\n", cfg->warnings[i]);
	printf("%s is good: %u VPCs, %u services, %u targets, config %.6s\n", path, cfg->vpc_count,
			cfg->service_count, targets, cfg->sha256);
}

int
lathctl_run_check(struct lathctl *ctl, const struct lathctl_command *command,
		const struct lathctl_args *args)
{
	struct lath_error err = {0};
	struct lath_config *cfg = lath_config_load(args->words[0], &err);

	(void)command;
	if (cfg == NULL) {
		lathctl_error_config(ctl, &err);
		return LATHCTL_FAILED;
	}
	print_config(ctl, args->words[0], cfg);
	lath_config_free(cfg);
	return LATHCTL_OK;
}
