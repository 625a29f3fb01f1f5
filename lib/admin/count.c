/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <stdlib.h>

#include "admin_private.h"

struct lath_admin_count *
lath_admin_count_groups(const struct lath_model *model)
{
	struct lath_admin_count *groups = calloc((size_t)model->group_count + 1, sizeof(*groups));

	for (uint32_t i = 0; groups != NULL && i < model->target_count; i++) {
		const struct lath_model_target *target = model->targets[i];

		/* Those that drain or are gone are not the configuration's any more. */
		if (target == NULL || target->state > LATH_TARGET_UNHEALTHY ||
				target->group >= model->group_count)
			continue;
		groups[target->group].total++;
		groups[target->group].healthy += target->state == LATH_TARGET_HEALTHY ? 1 : 0;
		groups[target->group].unhealthy += target->state == LATH_TARGET_UNHEALTHY ? 1 : 0;
	}
	return groups;
}

/* Adds the rule's groups, but those whose bit in `seen` is set. */
static void
add_rule(struct lath_admin_count *sum, const struct lath_model_rule *rule,
		const struct lath_admin_count *groups, uint64_t *seen, uint32_t group_count)
{
	for (uint32_t i = 0; i < rule->forward_count; i++) {
		uint32_t group = rule->forwards[i].group;

		if (group >= group_count || (seen[group / 64] >> group % 64 & 1) != 0)
			continue;
		seen[group / 64] |= UINT64_C(1) << group % 64;
		sum->total += groups[group].total;
		sum->healthy += groups[group].healthy;
		sum->unhealthy += groups[group].unhealthy;
	}
}

struct lath_admin_count
lath_admin_count_service(const struct lath_model *model, const struct lath_model_service *service,
		const struct lath_admin_count *groups)
{
	uint64_t *seen = calloc((size_t)model->group_count / 64 + 1, sizeof(*seen));
	struct lath_admin_count sum = {0};

	for (uint32_t i = 0; seen != NULL && i < service->listener_count; i++) {
		const struct lath_model_listener *listener = &service->listeners[i];

		for (uint32_t j = 0; j < listener->rule_count; j++)
			add_rule(&sum, &listener->rules[j], groups, seen, model->group_count);
	}
	free(seen);
	return sum;
}
