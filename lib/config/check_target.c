/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* A target is a host of its VPC: inside the prefixes, nobody else's address. */

#include "config_private.h"

static bool
is_inside(const struct lath_prefix *prefixes, uint32_t count, const struct lath_ip *ip)
{
	for (uint32_t i = 0; i < count; i++) {
		if (lath_prefix_contains(&prefixes[i], ip))
			return true;
	}
	return false;
}

static int
check_against_attachments(struct lath_config_loader *loader, const struct lath_config_at *at,
		const struct lath_config_vpc *vpc, const struct lath_ip *ip)
{
	char text[LATH_IP_TEXT_MAX];
	const char *reserved;

	lath_ip_format(ip, text);
	for (uint32_t i = 0; i < vpc->attachment_count; i++) {
		const struct lath_config_attachment *attachment = &vpc->attachments[i];

		for (uint32_t j = 0; j < attachment->address_count; j++) {
			if (lath_ip_equal(&attachment->addresses[j].ip, ip))
				return lath_config_fail_at(loader, at,
						"\"%s\" is the gateway's own address in VPC \"%s\"",
						text, vpc->identity.name);
			reserved = lath_config_subnet_reserves(&attachment->addresses[j], ip);
			if (reserved != NULL)
				return lath_config_fail_at(loader, at,
						"\"%s\" is the %s address of its subnet", text,
						reserved);
		}
	}
	return 0;
}

static int
check_target(struct lath_config_loader *loader, uint32_t group_index, uint32_t index)
{
	const struct lath_config_group *group = &loader->cfg->groups[group_index];
	const struct lath_config_vpc *vpc = &loader->cfg->vpcs[group->vpc];
	const struct lath_ip *ip = &group->targets[index].ip;
	struct lath_config_at at = lath_config_at_list(loader, LATH_CONFIG_LIST_GROUPS, group_index,
			"/targets/%u/id", index);
	char text[LATH_IP_TEXT_MAX];

	lath_ip_format(ip, text);
	if (!is_inside(vpc->prefixes, vpc->prefix_count, ip))
		return lath_config_fail_at(loader, &at,
				"\"%s\" is outside the prefixes of VPC \"%s\"", text,
				vpc->identity.name);
	if (is_inside(vpc->nat_pool, vpc->nat_pool_count, ip))
		return lath_config_fail_at(loader, &at, "\"%s\" is in the natPool of VPC \"%s\"",
				text, vpc->identity.name);
	return check_against_attachments(loader, &at, vpc, ip);
}

int
lath_config_check_targets(struct lath_config_loader *loader)
{
	const struct lath_config *cfg = loader->cfg;

	for (uint32_t i = 0; i < cfg->group_count; i++) {
		for (uint32_t j = 0; j < cfg->groups[i].target_count; j++) {
			if (check_target(loader, i, j) != 0)
				return lath_err(EINVAL);
		}
	}
	return 0;
}
