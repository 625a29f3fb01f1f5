/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "admin_private.h"

/* Does the group's table lead to it now? */
static bool
takes_flows(const struct lath_model *model, const struct lath_model_target *target)
{
	const struct lath_model_group *group = target->group < model->group_count
			? model->groups[target->group]
			: NULL;

	for (uint32_t i = 0; group != NULL && i < group->target_count; i++) {
		if (group->targets[i] == target->index)
			return true;
	}
	return false;
}

static json_t *
check_json(const struct lath_control *control, const struct lath_model_target *target)
{
	struct lath_health *health = lath_control_health(control);
	struct lath_health_status status;
	json_t *json = json_object();

	lath_admin_put_bool(json, "enabled", target->check_port != 0);
	if (target->check_port == 0)
		return json;
	lath_admin_put_ip(json, "address", &target->check_ip);
	lath_admin_put_u64(json, "port", target->check_port);
	if (health == NULL || lath_health_get_status(health, target->index, &status) != 0)
		return json;
	lath_admin_put_text(json, "reason", status.text);
	lath_admin_put_u64(json, "successesInARow", status.successes);
	lath_admin_put_u64(json, "failuresInARow", status.failures);
	lath_admin_put_u64(json, "checksTotal", status.checks);
	lath_admin_put_u64(json, "lastMicroseconds", status.latency_us);
	lath_admin_put_u64(json, "nextInMs", status.next_due_ms);
	return json;
}

static json_t *
target_json(struct lath_admin_call *call, const struct lath_model_target *target)
{
	const struct lath_model *model = lath_control_model(call->control);
	const struct lath_model_group *group = target->group < model->group_count
			? model->groups[target->group]
			: NULL;
	json_t *json = json_object();

	lath_admin_put_u64(json, "index", target->index);
	lath_admin_put(json, "targetGroup", lath_admin_group_ref(call, target->group));
	lath_admin_put(json, "vpc", lath_admin_vpc_ref(call, target->vpc));
	lath_admin_put_ip(json, "address", &target->ip);
	lath_admin_put_u64(json, "port", target->port);
	lath_admin_put_text(json, "protocol", lath_admin_protocol(target->proto));
	lath_admin_put_u64(json, "weight", target->weight);
	lath_admin_put_text(json, "state", lath_admin_target_state(target->state));
	lath_admin_put_bool(json, "takesFlows", takes_flows(model, target));
	lath_admin_put_bool(json, "failOpen", group != NULL && group->fail_open);
	lath_admin_put(json, "check", check_json(call->control, target));
	lath_admin_put_object_counters(json, call->control, LATH_OBJECT_TARGET, target->index);
	return json;
}

void
lath_admin_show_targets(struct lath_admin_call *call)
{
	const struct lath_model *model = lath_control_model(call->control);
	const struct lath_model_service *service = NULL;
	struct lath_admin_target_name name;
	struct lath_admin_page page;
	bool all = false;
	json_t *array;
	uint32_t vpc;
	uint32_t by_service;
	uint32_t i;

	if (!lath_admin_param_vpc(call, &vpc) || !lath_admin_param_service(call, &by_service) ||
			!lath_admin_param_target(call, &name) ||
			!lath_admin_param_page(call, &page) ||
			!lath_admin_param_bool(call, "all", &all))
		return;
	if (by_service != LATH_MODEL_NONE)
		service = model->services[by_service];
	array = json_array();
	for (i = page.at; i < model->target_count && json_array_size(array) < page.limit; i++) {
		const struct lath_model_target *target = model->targets[i];

		if (target == NULL || (vpc != LATH_MODEL_NONE && vpc != target->vpc) ||
				(service != NULL &&
						!lath_admin_service_uses(service, target->group)) ||
				!lath_admin_target_is(model, target, &name))
			continue;
		/* Gone ones are kept for the flows that name them. */
		if (!all && target->state >= LATH_TARGET_GONE &&
				lath_admin_flows(call->control, LATH_OBJECT_TARGET, i) == 0)
			continue;
		lath_admin_append(array, target_json(call, target));
	}
	lath_admin_finish(call,
			lath_admin_list("targets", array,
					i < model->target_count ? i : LATH_MODEL_NONE));
}
