/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Health: which targets to check, and what came of it. */

#include <stdlib.h>

#include <lath_log.h>

#include "control_private.h"

LATH_LOG_REGISTER(control);

#define RESULTS_PER_TURN 256u

static uint32_t
count_targets(const struct lath_config *cfg)
{
	uint32_t count = 0;

	for (uint32_t g = 0; g < cfg->group_count; g++)
		if (cfg->groups[g].health_check.enabled)
			count += cfg->groups[g].target_count;
	return count;
}

int
lath_control_probe_set(struct lath_control *control)
{
	const struct lath_config *cfg = control->cfg;
	struct lath_health_target *targets;
	uint32_t n = 0;
	int rc;

	if (control->options.health == NULL)
		return 0;
	targets = calloc(count_targets(cfg) + 1, sizeof(*targets));
	if (targets == NULL)
		return lath_err(ENOMEM);
	for (uint32_t g = 0; g < cfg->group_count; g++) {
		const struct lath_config_group *group = &cfg->groups[g];

		for (uint32_t t = 0; group->health_check.enabled && t < group->target_count; t++) {
			const struct lath_config_target *target = &group->targets[t];

			targets[n++] = (struct lath_health_target){
					.target = lath_registry_index(control->registry,
							LATH_OBJECT_TARGET, g, t),
					.vpc = lath_registry_index(control->registry,
							LATH_OBJECT_VPC, group->vpc, 0),
					.ip = target->ip,
					.port = group->health_check.port != 0
							? group->health_check.port
							: target->port,
					.check = &group->health_check,
			};
		}
	}
	rc = lath_health_set(control->options.health, targets, n);
	free(targets);
	return rc;
}

static const char *
state_name(enum lath_target_state state)
{
	switch (state) {
	case LATH_TARGET_HEALTHY:
		return "healthy";
	case LATH_TARGET_UNHEALTHY:
		return "unhealthy";
	default:
		return "initial";
	}
}

static void
log_change(struct lath_control *control, uint32_t index, enum lath_target_state state)
{
	const struct lath_model *model = control->models[control->first_node];
	const struct lath_model_target *target = index < model->target_count ? model->targets[index]
									     : NULL;
	const struct lath_model_group *group = target == NULL ? NULL : model->groups[target->group];
	struct lath_health_status status = {.text = ""};
	char ip[LATH_IP_TEXT_MAX];

	if (group == NULL || state == LATH_TARGET_INITIAL)
		return;
	if (control->options.health != NULL)
		lath_health_get_status(control->options.health, index, &status);
	LATH_LOG(NOTICE, "target is %s group=%s vpc=%s target=%s:%u reason=\"%s\"",
			state_name(state), group->name, model->vpcs[target->vpc]->name,
			lath_ip_format(&target->ip, ip), target->port, status.text);
}

void
lath_control_set_health(struct lath_control *control, uint32_t target, enum lath_target_state state)
{
	if (target >= control->options.limits.max[LATH_OBJECT_TARGET] ||
			control->health[target] == (uint8_t)state)
		return;
	log_change(control, target, state);
	control->health[target] = (uint8_t)state;
	control->dirty = true;
}

unsigned
lath_control_probe_drain(struct lath_control *control)
{
	struct lath_health_result results[RESULTS_PER_TURN];
	unsigned total = 0;
	unsigned n;

	if (control->options.health == NULL)
		return 0;
	do {
		n = lath_health_drain(control->options.health, results, RESULTS_PER_TURN);
		for (unsigned i = 0; i < n; i++)
			lath_control_set_health(control, results[i].target, results[i].state);
		total += n;
	} while (n == RESULTS_PER_TURN);
	return total;
}
