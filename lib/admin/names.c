/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* From stable indexes to names, ids and ARNs. The configuration has ARNs and knows positions, the
 * model and flows know stable indexes: a table from one to the other is made once a publication.
 */

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_private.h"

static const uint32_t none = LATH_CONFIG_NONE;

static void
fill(struct lath_admin *admin, enum lath_object_kind kind, uint32_t objects, uint32_t indexes)
{
	const struct lath_registry *registry = lath_control_registry(admin->control);
	struct lath_admin_positions *positions = &admin->positions;
	uint32_t *at = malloc(((size_t)indexes + 1) * sizeof(*at));

	positions->at[kind] = at;
	positions->count[kind] = at == NULL ? 0 : indexes;
	if (at == NULL)
		return; /* ARNs are left out then. */
	for (uint32_t i = 0; i < indexes; i++)
		at[i] = none;
	for (uint32_t i = 0; i < objects; i++) {
		uint32_t index = lath_registry_index(registry, kind, i, 0);

		if (index < indexes)
			at[index] = i;
	}
}

void
lath_admin_positions_fini(struct lath_admin *admin)
{
	for (int i = 0; i < LATH_OBJECT_KIND_COUNT; i++)
		free(admin->positions.at[i]);
	admin->positions = (struct lath_admin_positions){0};
}

/* Position in the configuration, or LATH_CONFIG_NONE. */
static uint32_t
position_of(struct lath_admin *admin, enum lath_object_kind kind, uint32_t index)
{
	const struct lath_config *cfg = lath_control_config(admin->control);
	const struct lath_model *model = lath_control_model(admin->control);
	struct lath_admin_positions *positions = &admin->positions;

	if (positions->cfg != cfg || positions->serial != model->serial) {
		lath_admin_positions_fini(admin);
		positions->cfg = cfg;
		positions->serial = model->serial;
		fill(admin, LATH_OBJECT_VPC, cfg->vpc_count, model->vpc_count);
		fill(admin, LATH_OBJECT_SERVICE, cfg->service_count, model->service_count);
		fill(admin, LATH_OBJECT_GROUP, cfg->group_count, model->group_count);
	}
	return index < positions->count[kind] ? positions->at[kind][index] : none;
}

const struct lath_config_vpc *
lath_admin_config_vpc(struct lath_admin *admin, uint32_t vpc)
{
	uint32_t position = position_of(admin, LATH_OBJECT_VPC, vpc);

	return position == none ? NULL : &lath_control_config(admin->control)->vpcs[position];
}

const struct lath_config_service *
lath_admin_config_service(struct lath_admin *admin, uint32_t service)
{
	uint32_t position = position_of(admin, LATH_OBJECT_SERVICE, service);

	return position == none ? NULL : &lath_control_config(admin->control)->services[position];
}

const struct lath_config_group *
lath_admin_config_group(struct lath_admin *admin, uint32_t group)
{
	uint32_t position = position_of(admin, LATH_OBJECT_GROUP, group);

	return position == none ? NULL : &lath_control_config(admin->control)->groups[position];
}

/* Flows outlive what they name. */
static json_t *
make_ref(const char *kind, uint32_t index, const char *name, const char *id,
		const struct lath_config_identity *identity)
{
	json_t *ref;
	char gone[48];

	if (index == LATH_MODEL_NONE)
		return json_null(); /* A probe has no service. */
	ref = json_object();
	snprintf(gone, sizeof(gone), "(removed %s)", kind);
	lath_admin_put_text(ref, "name", name == NULL ? gone : name);
	if (id != NULL && id[0] != '\0')
		lath_admin_put_text(ref, "id", id);
	if (identity != NULL)
		lath_admin_put_text(ref, "arn", identity->arn);
	lath_admin_put_u64(ref, "index", index);
	return ref;
}

json_t *
lath_admin_vpc_ref(struct lath_admin_call *call, uint32_t vpc)
{
	const struct lath_model *model = lath_control_model(call->control);
	const struct lath_config_vpc *cfg = lath_admin_config_vpc(call->admin, vpc);
	const struct lath_model_vpc *found = vpc < model->vpc_count ? model->vpcs[vpc] : NULL;

	if (vpc == LATH_MODEL_HOST_VPC)
		return make_ref("VPC", vpc, "(host)", NULL, NULL);
	return make_ref("VPC", vpc, found == NULL ? NULL : found->name,
			found == NULL ? NULL : found->id, cfg == NULL ? NULL : &cfg->identity);
}

json_t *
lath_admin_service_ref(struct lath_admin_call *call, uint32_t service)
{
	const struct lath_model *model = lath_control_model(call->control);
	const struct lath_config_service *cfg = lath_admin_config_service(call->admin, service);
	const struct lath_model_service *found = service < model->service_count
			? model->services[service]
			: NULL;

	return make_ref("service", service, found == NULL ? NULL : found->name,
			found == NULL ? NULL : found->id, cfg == NULL ? NULL : &cfg->identity);
}

json_t *
lath_admin_group_ref(struct lath_admin_call *call, uint32_t group)
{
	const struct lath_model *model = lath_control_model(call->control);
	const struct lath_config_group *cfg = lath_admin_config_group(call->admin, group);
	const struct lath_model_group *found = group < model->group_count ? model->groups[group]
									  : NULL;

	return make_ref("target group", group, found == NULL ? NULL : found->name,
			found == NULL ? NULL : found->id, cfg == NULL ? NULL : &cfg->identity);
}

void
lath_admin_put_identity(json_t *object, const struct lath_config_identity *identity)
{
	lath_admin_put_text(object, "name", identity->name);
	lath_admin_put_text(object, "id", identity->id);
	lath_admin_put_text(object, "arn", identity->arn);
	lath_admin_put_text(object, "account", identity->account);
}

const char *
lath_admin_protocol(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return "TCP";
	case IPPROTO_UDP:
		return "UDP";
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return "ICMP";
	default:
		return "other";
	}
}

const char *
lath_admin_target_state(enum lath_target_state state)
{
	static const char *const names[LATH_TARGET_STATE_COUNT] = {
			[LATH_TARGET_INITIAL] = "initial",
			[LATH_TARGET_HEALTHY] = "healthy",
			[LATH_TARGET_UNHEALTHY] = "unhealthy",
			[LATH_TARGET_DRAINING] = "draining",
			[LATH_TARGET_GONE] = "gone",
			[LATH_TARGET_TERMINATED] = "terminated",
	};

	return names[state];
}

const char *
lath_admin_port_name(const struct lath_control *control, uint16_t port)
{
	const struct lath_config *cfg = lath_control_config(control);

	if (port < cfg->system.port_count)
		return cfg->system.ports[port].name;
	return "(host)";
}

bool
lath_admin_service_uses(const struct lath_model_service *service, uint32_t group)
{
	for (uint32_t i = 0; i < service->listener_count; i++) {
		const struct lath_model_listener *listener = &service->listeners[i];

		for (uint32_t j = 0; j < listener->rule_count; j++) {
			const struct lath_model_rule *rule = &listener->rules[j];

			for (uint32_t k = 0; k < rule->forward_count; k++) {
				if (rule->forwards[k].group == group)
					return true;
			}
		}
	}
	return false;
}
