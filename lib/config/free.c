/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "config_private.h"

static void
free_vpc(struct lath_config_vpc *vpc)
{
	for (uint32_t i = 0; i < vpc->attachment_count; i++) {
		struct lath_config_tunnel *tunnel = &vpc->attachments[i].tunnel;

		for (uint32_t j = 0; j < tunnel->remote_count; j++)
			free(tunnel->remotes[j].prefixes);
		free(tunnel->remotes);
		free(tunnel->endpoints);
		free(vpc->attachments[i].addresses);
	}
	free(vpc->attachments);
	free(vpc->prefixes);
	free(vpc->nat_pool);
	free(vpc->routes);
}

static void
free_service(struct lath_config_service *service)
{
	for (uint32_t i = 0; i < service->listener_count; i++) {
		struct lath_config_listener *listener = &service->listeners[i];

		for (uint32_t j = 0; j < listener->rule_count; j++)
			free(listener->rules[j].sources);
		free(listener->rules);
	}
	free(service->listeners);
	free(service->auth.policy);
}

static void
free_access(struct lath_config *cfg)
{
	for (uint32_t i = 0; i < cfg->security_group_count; i++)
		free(cfg->security_groups[i].rules);
	for (uint32_t i = 0; i < cfg->acl_count; i++) {
		free(cfg->acls[i].inbound);
		free(cfg->acls[i].outbound);
	}
	for (uint32_t i = 0; i < cfg->network_count; i++)
		free(cfg->networks[i].auth.policy);
	free(cfg->security_groups);
	free(cfg->acls);
}

void
lath_config_free(struct lath_config *cfg)
{
	if (cfg == NULL)
		return;
	for (uint32_t i = 0; i < cfg->vpc_count; i++)
		free_vpc(&cfg->vpcs[i]);
	for (uint32_t i = 0; i < cfg->underlay_count; i++)
		free_vpc(&cfg->underlays[i]);
	for (uint32_t i = 0; i < cfg->service_count; i++)
		free_service(&cfg->services[i]);
	for (uint32_t i = 0; i < cfg->group_count; i++)
		free(cfg->groups[i].targets);
	for (uint32_t i = 0; i < cfg->warning_count; i++)
		free(cfg->warnings[i]);
	free_access(cfg);
	free(cfg->system.ports);
	free(cfg->service_cidrs);
	free(cfg->underlays);
	free(cfg->vpcs);
	free(cfg->networks);
	free(cfg->vpc_associations);
	free(cfg->service_associations);
	free(cfg->services);
	free(cfg->groups);
	free(cfg->json);
	free(cfg->warnings);
	free(cfg);
}
