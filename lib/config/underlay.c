/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Underlays: the networks that carry tunnels. One is a wire with addresses and routes, just as a VPC
 * with one attachment, and is kept as such; but no packet is from it, so it has no prefixes.
 */

#include "config_private.h"

#define UNDERLAYS_MAX 64u

static int
read_name(const struct lath_config_node *node, uint32_t index)
{
	const struct lath_config *cfg = node->loader->cfg;
	struct lath_config_identity *identity = &cfg->underlays[index].identity;
	struct lath_config_node member;

	if (lath_config_need(node, "name", &member) != 0 ||
			lath_config_read_text(node, "name", 1, 31, identity->name) != 0)
		return lath_err(EINVAL);
	if (!lath_config_is_word(identity->name, "-_"))
		return lath_config_fail(&member,
				"\"%s\" is not of letters, digits, hyphens and underscores",
				identity->name);
	for (uint32_t i = 0; i < index; i++) {
		if (strcmp(cfg->underlays[i].identity.name, identity->name) == 0)
			return lath_config_fail(&member, "\"%s\" is already underlay %u",
					identity->name, i);
	}
	snprintf(identity->id, sizeof(identity->id), "underlay/%.31s", identity->name);
	snprintf(identity->account, sizeof(identity->account), "%s", cfg->gateway.account);
	return 0;
}

/* The source of what goes to a remote must be plain: one address of each family. */
static int
check_addresses(const struct lath_config_node *node,
		const struct lath_config_attachment *attachment)
{
	struct lath_config_node list;

	lath_config_member(node, "addresses", &list);
	for (uint32_t i = 1; i < attachment->address_count; i++) {
		struct lath_config_node element = lath_config_element(&list, i);

		for (uint32_t j = 0; j < i; j++) {
			if (attachment->addresses[i].ip.family ==
					attachment->addresses[j].ip.family)
				return lath_config_fail(&element,
						"an underlay has one address of a family; this is "
						"the second");
		}
	}
	return 0;
}

static int
read_underlay(const struct lath_config_node *node, uint32_t index)
{
	static const char *const keys[] = {"name", "port", "vlan", "addresses", "mtu", "announce",
			"healthPort", "routes"};
	struct lath_config_vpc *underlay = &node->loader->cfg->underlays[index];
	struct lath_config_attachment *attachment;
	struct lath_config_port *port;

	underlay->attachments = calloc(1, sizeof(*underlay->attachments));
	if (underlay->attachments == NULL)
		return lath_config_no_memory(node->loader);
	underlay->attachment_count = 1;
	attachment = underlay->attachments;
	attachment->mtu = 1500;
	attachment->announce = true;
	attachment->is_underlay = true;
	if (lath_config_read_keys(node, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			read_name(node, index) != 0 ||
			lath_config_refer_port(node, attachment) != 0 ||
			lath_config_read_u16(node, "vlan", 1, 4094, &attachment->vlan) != 0 ||
			lath_config_read_addresses(node, attachment) != 0 ||
			check_addresses(node, attachment) != 0 ||
			lath_config_read_u16(node, "mtu", 576, 9600, &attachment->mtu) != 0 ||
			lath_config_read_u16(node, "healthPort", 1, 65535,
					&attachment->health_port) != 0 ||
			lath_config_read_bool(node, "announce", &attachment->announce) != 0)
		return lath_err(EINVAL);
	snprintf(attachment->name, sizeof(attachment->name), "%s", underlay->identity.name);
	port = &node->loader->cfg->system.ports[attachment->port];
	port->mtu = (uint16_t)lath_max_u32(port->mtu, attachment->mtu);
	return lath_config_read_routes(node, underlay);
}

int
lath_config_read_underlays(struct lath_config_loader *loader)
{
	const enum lath_config_list list = LATH_CONFIG_LIST_UNDERLAYS;
	struct lath_config *cfg = loader->cfg;
	uint32_t count = loader->counts[list];
	uint32_t most = lath_min_u32(UNDERLAYS_MAX, cfg->system.max_vpcs);

	if (count > most) {
		struct lath_config_at at = lath_config_at_list(loader, list, most, "%s", "");

		return lath_config_fail_at(loader, &at, "more underlays than %u", most);
	}
	cfg->underlays = calloc(count + 1, sizeof(*cfg->underlays));
	if (cfg->underlays == NULL)
		return lath_config_no_memory(loader);
	cfg->underlay_count = count;
	for (uint32_t i = 0; i < count; i++) {
		struct lath_config_node node = lath_config_list_node(loader, list, i);

		if (read_underlay(&node, i) != 0)
			return lath_err(EINVAL);
	}
	return 0;
}
