/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Who may call what: the configuration's lists with stable indexes instead of positions, made into
 * one block. It is a part of its own, shared from model to model while nothing of it changes.
 */
#include <stdlib.h>
#include <string.h>

#include "model_private.h"

/* What the block is made from, on the heap. */
struct parts {
	struct lath_access_group_in *groups;
	struct lath_acl_rule *rules; /* of all groups, VPCs by index */
	struct lath_access_acl_in *acls;
	struct lath_access_network_in *networks;
	struct lath_access_vpc_in *vpcs;
	struct lath_access_service_in *services;
	struct lath_access_gate_in *gates;
	struct lath_access_member_in *members;
};

static void
parts_fini(struct parts *parts)
{
	free(parts->groups);
	free(parts->rules);
	free(parts->acls);
	free(parts->networks);
	free(parts->vpcs);
	free(parts->services);
	free(parts->gates);
	free(parts->members);
}

static int
parts_init(struct parts *parts, const struct lath_config *cfg)
{
	size_t rules = 1;

	for (uint32_t i = 0; i < cfg->security_group_count; i++)
		rules += cfg->security_groups[i].rule_count;
	parts->groups = calloc(cfg->security_group_count + 1u, sizeof(*parts->groups));
	parts->rules = calloc(rules, sizeof(*parts->rules));
	parts->acls = calloc(cfg->acl_count + 1u, sizeof(*parts->acls));
	parts->networks = calloc(cfg->network_count + 1u, sizeof(*parts->networks));
	parts->vpcs = calloc(cfg->vpc_count + 1u, sizeof(*parts->vpcs));
	parts->services = calloc(cfg->service_count + 1u, sizeof(*parts->services));
	parts->gates = calloc(cfg->vpc_association_count + 1u, sizeof(*parts->gates));
	parts->members = calloc(cfg->service_association_count + 1u, sizeof(*parts->members));
	return parts->groups == NULL || parts->rules == NULL || parts->acls == NULL ||
					parts->networks == NULL || parts->vpcs == NULL ||
					parts->services == NULL || parts->gates == NULL ||
					parts->members == NULL
			? lath_err(ENOMEM)
			: 0;
}

static uint32_t
index_of(const struct update *u, enum lath_object_kind kind, uint32_t position)
{
	return lath_model_positions_get(&u->draft->positions[kind], position, 0);
}

static void
fill_lists(const struct update *u, struct parts *parts)
{
	const struct lath_config *cfg = u->cfg;
	struct lath_acl_rule *rules = parts->rules;

	for (uint32_t i = 0; i < cfg->security_group_count; i++) {
		const struct lath_config_security_group *group = &cfg->security_groups[i];

		parts->groups[i] = (struct lath_access_group_in){group->identity.key,
				group->identity.name, rules, group->rule_count};
		for (uint32_t j = 0; j < group->rule_count; j++, rules++) {
			*rules = group->rules[j];
			if (rules->peer == LATH_ACL_PEER_VPC)
				rules->vpc = index_of(u, LATH_OBJECT_VPC, rules->vpc);
		}
	}
	for (uint32_t i = 0; i < cfg->acl_count; i++) {
		const struct lath_config_acl *acl = &cfg->acls[i];

		parts->acls[i] = (struct lath_access_acl_in){acl->identity.name, acl->inbound,
				acl->outbound, acl->inbound_count, acl->outbound_count};
	}
}

static void
fill_objects(const struct update *u, struct parts *parts)
{
	const struct lath_config *cfg = u->cfg;

	for (uint32_t i = 0; i < cfg->network_count; i++) {
		const struct lath_config_network *network = &cfg->networks[i];

		parts->networks[i] = (struct lath_access_network_in){network->identity.key,
				network->identity.name, network->identity.arn, network->auth.asks,
				network->auth.policy};
	}
	for (uint32_t i = 0; i < cfg->vpc_count; i++) {
		const struct lath_config_vpc *vpc = &cfg->vpcs[i];

		parts->vpcs[i] = (struct lath_access_vpc_in){index_of(u, LATH_OBJECT_VPC, i),
				vpc->acl == LATH_CONFIG_NONE ? LATH_ACCESS_NONE : vpc->acl,
				vpc->identity.id, vpc->identity.account};
	}
	for (uint32_t i = 0; i < cfg->service_count; i++) {
		const struct lath_config_service *service = &cfg->services[i];

		parts->services[i] = (struct lath_access_service_in){
				index_of(u, LATH_OBJECT_SERVICE, i), service->auth.asks,
				service->revoked_finish, service->identity.arn,
				service->auth.policy};
	}
}

static void
fill_associations(const struct update *u, struct parts *parts)
{
	const struct lath_config *cfg = u->cfg;

	for (uint32_t i = 0; i < cfg->vpc_association_count; i++) {
		const struct lath_config_vpc_association *a = &cfg->vpc_associations[i];

		parts->gates[i] = (struct lath_access_gate_in){a->identity.key, a->identity.name,
				index_of(u, LATH_OBJECT_VPC, a->vpc), a->network, a->priority,
				a->security_groups, a->security_group_count};
	}
	for (uint32_t i = 0; i < cfg->service_association_count; i++) {
		const struct lath_config_service_association *a = &cfg->service_associations[i];

		parts->members[i] = (struct lath_access_member_in){
				index_of(u, LATH_OBJECT_SERVICE, a->service), a->network};
	}
}

static struct lath_access *
make_block(const struct update *u, const struct parts *parts)
{
	const struct lath_config *cfg = u->cfg;
	const struct lath_access_in in = {
			.groups = parts->groups,
			.acls = parts->acls,
			.networks = parts->networks,
			.vpcs = parts->vpcs,
			.services = parts->services,
			.gates = parts->gates,
			.members = parts->members,
			.group_count = cfg->security_group_count,
			.acl_count = cfg->acl_count,
			.network_count = cfg->network_count,
			.vpc_count = cfg->vpc_count,
			.service_count = cfg->service_count,
			.gate_count = cfg->vpc_association_count,
			.member_count = cfg->service_association_count,
			.vpc_rows = u->draft->high[LATH_OBJECT_VPC],
			.service_rows = u->draft->high[LATH_OBJECT_SERVICE],
	};

	return lath_access_build(&in);
}

int
lath_model_access_take(struct update *u)
{
	struct parts parts = {.groups = NULL};
	struct lath_access *access = NULL;
	struct image *image = NULL;

	if (parts_init(&parts, u->cfg) == 0) {
		fill_lists(u, &parts);
		fill_objects(u, &parts);
		fill_associations(u, &parts);
		access = make_block(u, &parts);
	}
	if (access != NULL)
		image = lath_model_image_create(lath_access_size(access));
	if (image != NULL) {
		memcpy(image->bytes, access, lath_access_size(access));
		lath_model_image_settle(&u->draft->access, image, &u->draft->registry->next_stamp);
	}
	free(access);
	parts_fini(&parts);
	return image == NULL ? lath_err(ENOMEM) : 0;
}
