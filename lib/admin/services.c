/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <stdlib.h>

#include "admin_private.h"

static json_t *
rule_json(struct lath_admin_call *call, const struct lath_model_rule *rule,
		const struct lath_config_rule *cfg)
{
	json_t *json = json_object();
	json_t *groups = json_array();

	lath_admin_put_text(json, "name", rule->name);
	if (cfg != NULL) {
		lath_admin_put_text(json, "id", cfg->identity.id);
		lath_admin_put_text(json, "arn", cfg->identity.arn);
	}
	lath_admin_put_bool(json, "isDefault", rule->priority == UINT32_MAX);
	if (rule->priority != UINT32_MAX)
		lath_admin_put_u64(json, "priority", rule->priority);
	lath_admin_put(json, "sourcePrefixes",
			lath_admin_prefixes(rule->sources, rule->source_count));
	for (uint32_t i = 0; i < rule->forward_count; i++) {
		json_t *group = lath_admin_group_ref(call, rule->forwards[i].group);

		lath_admin_put_u64(group, "weight", rule->forwards[i].weight);
		lath_admin_append(groups, group);
	}
	lath_admin_put(json, "targetGroups", groups);
	return json;
}

static json_t *
listener_json(struct lath_admin_call *call, const struct lath_model_listener *listener,
		const struct lath_config_listener *cfg)
{
	json_t *json = json_object();
	json_t *rules = json_array();

	lath_admin_put_text(json, "name", listener->name);
	lath_admin_put_text(json, "id", listener->id);
	if (cfg != NULL)
		lath_admin_put_text(json, "arn", cfg->identity.arn);
	lath_admin_put_text(json, "protocol", lath_admin_protocol(listener->proto));
	lath_admin_put_u64(json, "port", listener->port);
	for (uint32_t i = 0; i < listener->rule_count; i++)
		lath_admin_append(rules,
				rule_json(call, &listener->rules[i],
						cfg != NULL && i < cfg->rule_count ? &cfg->rules[i]
										   : NULL));
	lath_admin_put(json, "rules", rules);
	return json;
}

static json_t *
service_json(struct lath_admin_call *call, uint32_t index, const struct lath_admin_count *counts)
{
	static const char *const refuse[LATH_CONFIG_REFUSE_COUNT] = {
			[LATH_CONFIG_REFUSE_ICMP] = "icmp",
			[LATH_CONFIG_REFUSE_RESET] = "reset",
			[LATH_CONFIG_REFUSE_SILENT] = "silent",
	};
	static const char *const echo[LATH_CONFIG_ECHO_COUNT] = {
			[LATH_CONFIG_ECHO_ANSWER] = "answer",
			[LATH_CONFIG_ECHO_FORWARD] = "forward",
			[LATH_CONFIG_ECHO_DROP] = "drop",
	};
	const struct lath_model *model = lath_control_model(call->control);
	const struct lath_model_service *service = model->services[index];
	const struct lath_config_service *cfg = lath_admin_config_service(call->admin, index);
	json_t *json = lath_admin_service_ref(call, index);
	json_t *addresses = json_array();
	json_t *listeners = json_array();
	json_t *vpcs = json_array();
	struct lath_admin_count count;
	char text[LATH_IP_TEXT_MAX];

	lath_admin_put_text(json, "account", service->account);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(service->addresses); i++) {
		if (service->addresses[i].family != LATH_FAMILY_NONE)
			lath_admin_append(addresses,
					json_string(lath_ip_format(&service->addresses[i], text)));
	}
	lath_admin_put(json, "addresses", addresses);
	for (uint32_t i = 0; i < service->listener_count; i++)
		lath_admin_append(listeners,
				listener_json(call, &service->listeners[i],
						cfg != NULL && i < cfg->listener_count
								? &cfg->listeners[i]
								: NULL));
	lath_admin_put(json, "listeners", listeners);
	for (uint32_t i = 1; i < model->vpc_count; i++) {
		if (model->vpcs[i] != NULL && lath_model_service_visible(service, i))
			lath_admin_append(vpcs, lath_admin_vpc_ref(call, i));
	}
	lath_admin_put(json, "visibleTo", vpcs);
	count = lath_admin_count_service(model, service, counts);
	lath_admin_put_u64(json, "targets", count.total);
	lath_admin_put_u64(json, "targetsHealthy", count.healthy);
	lath_admin_put_text(json, "refuse", refuse[service->refuse]);
	lath_admin_put_text(json, "icmpEcho", echo[service->icmp_echo]);
	if (service->idle_timeout_s != 0)
		lath_admin_put_u64(json, "idleTimeoutSeconds", service->idle_timeout_s);
	lath_admin_put_object_counters(json, call->control, LATH_OBJECT_SERVICE, index);
	return json;
}

void
lath_admin_show_services(struct lath_admin_call *call)
{
	const struct lath_model *model = lath_control_model(call->control);
	struct lath_admin_count *counts;
	struct lath_admin_page page;
	json_t *array;
	uint32_t vpc;
	uint32_t only;
	uint32_t i;

	if (!lath_admin_param_vpc(call, &vpc) || !lath_admin_param_service(call, &only) ||
			!lath_admin_param_page(call, &page))
		return;
	counts = lath_admin_count_groups(model);
	if (counts == NULL) {
		lath_admin_finish(call, NULL);
		return;
	}
	array = json_array();
	for (i = page.at; i < model->service_count && json_array_size(array) < page.limit; i++) {
		const struct lath_model_service *service = model->services[i];

		if (service == NULL || (only != LATH_MODEL_NONE && only != i) ||
				(vpc != LATH_MODEL_NONE &&
						!lath_model_service_visible(service, vpc)))
			continue;
		lath_admin_append(array, service_json(call, i, counts));
	}
	free(counts);
	lath_admin_finish(call,
			lath_admin_list("services", array,
					i < model->service_count ? i : LATH_MODEL_NONE));
}
