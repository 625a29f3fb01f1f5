/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "config_private.h"

#define PREFIXES_MAX 1024u
#define POOL_MAX 256u
#define ATTACHMENTS_MAX 256u
#define ADDRESSES_MAX 16u
#define ROUTES_MAX 4096u

int
lath_config_refer_port(const struct lath_config_node *node,
		struct lath_config_attachment *attachment)
{
	struct lath_config_system *system = &node->loader->cfg->system;
	struct lath_config_near near = {0};
	char near_text[LATH_CONFIG_NEAR_TEXT_MAX];
	char value[LATH_CONFIG_VALUE_MAX];
	struct lath_config_node member;

	if (lath_config_need(node, "port", &member) != 0)
		return lath_err(EINVAL);
	near.word = json_string_value(member.json);
	if (near.word == NULL)
		return lath_config_fail(&member, "%s is not the name of a port",
				lath_config_value(member.json, value));
	for (uint32_t i = 0; i < system->port_count; i++) {
		if (strcmp(system->ports[i].name, near.word) == 0) {
			attachment->port = i;
			return 0;
		}
		lath_config_near_offer(&near, system->ports[i].name);
	}
	return lath_config_fail(&member, "no port in /system/ports is named %s%s",
			lath_config_value(member.json, value),
			lath_config_near_text(&near, near_text));
}

/* Default: the port's name and the VLAN, "blue0.100", or "fabric.vxlan7". */
static int
read_attachment_name(const struct lath_config_node *node, const struct lath_config_vpc *vpc,
		struct lath_config_attachment *attachment)
{
	const struct lath_config_port *port = &node->loader->cfg->system.ports[attachment->port];
	const struct lath_config_tunnel *tunnel = &attachment->tunnel;
	char vlan[16] = "";

	if (attachment->outer_vlan != 0)
		snprintf(vlan, sizeof(vlan), ".%u.%u", attachment->outer_vlan, attachment->vlan);
	else if (attachment->vlan != 0)
		snprintf(vlan, sizeof(vlan), ".%u", attachment->vlan);
	if (tunnel->kind == LATH_CONFIG_TUNNEL_NONE)
		snprintf(attachment->name, sizeof(attachment->name), "%s%s", port->name, vlan);
	else
		snprintf(attachment->name, sizeof(attachment->name), "%.31s.%s%u",
				node->loader->cfg->underlays[tunnel->underlay].identity.name,
				lath_config_tunnel_word(tunnel->kind), tunnel->vni);
	if (lath_config_read_text(node, "name", 1, 63, attachment->name) != 0)
		return lath_err(EINVAL);
	if (!lath_config_is_word(attachment->name, "-_."))
		return lath_config_fail(node,
				"name \"%s\" is not of letters, digits, hyphens, dots and "
				"underscores",
				attachment->name);
	for (uint32_t i = 0; i < vpc->attachment_count; i++) {
		if (strcmp(vpc->attachments[i].name, attachment->name) == 0)
			return lath_config_fail(node,
					"attachment name \"%s\" is used twice in this VPC; the "
					"first is "
					"attachment %u",
					attachment->name, i);
	}
	return 0;
}

static int
read_host_address(const struct lath_config_node *node, struct lath_prefix *host)
{
	const char *text = json_string_value(node->json);
	char value[LATH_CONFIG_VALUE_MAX];
	const char *why;

	lath_config_value(node->json, value);
	if (text == NULL || lath_prefix_parse_host(text, host) != 0)
		return lath_config_fail(node,
				"%s is not an address with its subnet's length like "
				"\"10.0.0.1/24\"",
				value);
	if (host->bits == 0)
		return lath_config_fail(node, "%s has a length that is not in 1..%u", value,
				lath_ip_is_v4(&host->ip) ? 32u : 128u);
	if (lath_config_is_link_local(&host->ip))
		return lath_config_fail(node,
				"%s is link-local; the gateway has such an address on every "
				"attachment by itself",
				value);
	why = lath_config_ip_unusable(&host->ip);
	if (why != NULL)
		return lath_config_fail(node, "%s is no host's address but %s", value, why);
	why = lath_config_subnet_reserves(host, &host->ip);
	if (why != NULL)
		return lath_config_fail(node, "%s is the %s address of its subnet", value, why);
	return 0;
}

int
lath_config_read_addresses(const struct lath_config_node *node,
		struct lath_config_attachment *attachment)
{
	struct lath_config_node list;
	size_t size;

	/* Behind a Gateway Load Balancer nobody is the gateway's neighbour. */
	if (attachment->tunnel.kind == LATH_CONFIG_TUNNEL_GWLB &&
			!lath_config_member(node, "addresses", &list))
		return 0;
	if (lath_config_need(node, "addresses", &list) != 0 ||
			lath_config_read_list(node, "addresses", 1, ADDRESSES_MAX, &list) != 0)
		return lath_err(EINVAL);
	size = json_array_size(list.json);
	attachment->addresses = calloc(size, sizeof(*attachment->addresses));
	if (attachment->addresses == NULL)
		return lath_config_no_memory(node->loader);
	for (size_t i = 0; i < size; i++) {
		struct lath_config_node element = lath_config_element(&list, i);

		if (read_host_address(&element, &attachment->addresses[i]) != 0)
			return lath_err(EINVAL);
		attachment->address_count++;
	}
	return 0;
}

/* A port with no, one or two tags, or a tunnel; and the MTU there. */
static int
read_place(const struct lath_config_node *node, struct lath_config_attachment *attachment)
{
	struct lath_config_node member;
	struct lath_config_port *port;
	bool is_tunnel;

	if (lath_config_read_tunnel(node, attachment, &is_tunnel) != 0)
		return lath_err(EINVAL);
	if (is_tunnel)
		return lath_config_read_tunnel_mtu(node, attachment);
	attachment->mtu = 1500;
	if (lath_config_refer_port(node, attachment) != 0 ||
			lath_config_read_u16(node, "vlan", 1, 4094, &attachment->vlan) != 0 ||
			lath_config_read_u16(node, "outerVlan", 1, 4094, &attachment->outer_vlan) !=
					0 ||
			lath_config_read_u16(node, "mtu", 576, 9600, &attachment->mtu) != 0)
		return lath_err(EINVAL);
	if (attachment->outer_vlan != 0 && attachment->vlan == 0) {
		lath_config_member(node, "outerVlan", &member);
		return lath_config_fail(&member, "an outer tag needs an inner one, \"vlan\"");
	}
	port = &node->loader->cfg->system.ports[attachment->port];
	port->mtu = (uint16_t)lath_max_u32(port->mtu, attachment->mtu);
	return 0;
}

static int
read_attachment(const struct lath_config_node *node, const struct lath_config_vpc *vpc,
		struct lath_config_attachment *attachment)
{
	static const char *const keys[] = {"name", "port", "vlan", "addresses", "mtu", "returnTo",
			"announce", "outerVlan", "vxlan", "geneve", "gwlb"};
	static const char *const returns[LATH_CONFIG_RETURN_COUNT] = {"route", "sender"};
	unsigned return_to = LATH_CONFIG_RETURN_ROUTE;

	attachment->announce = true;
	if (lath_config_read_keys(node, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			read_place(node, attachment) != 0 ||
			read_attachment_name(node, vpc, attachment) != 0 ||
			lath_config_read_addresses(node, attachment) != 0 ||
			lath_config_read_word(node, "returnTo", returns, LATH_CONFIG_RETURN_COUNT,
					&return_to) != 0 ||
			lath_config_read_bool(node, "announce", &attachment->announce) != 0)
		return lath_err(EINVAL);
	attachment->return_to = (enum lath_config_return)return_to;
	return 0;
}

static int
read_attachments(const struct lath_config_node *node, struct lath_config_vpc *vpc)
{
	struct lath_config_node list;
	int rc = lath_config_read_list(node, "attachments", 0, ATTACHMENTS_MAX, &list);
	size_t size = json_array_size(list.json);

	if (rc != 0 || size == 0)
		return rc;
	vpc->attachments = calloc(size, sizeof(*vpc->attachments));
	if (vpc->attachments == NULL)
		return lath_config_no_memory(node->loader);
	for (size_t i = 0; i < size; i++) {
		struct lath_config_node element = lath_config_element(&list, i);

		rc = read_attachment(&element, vpc, &vpc->attachments[i]);
		vpc->attachment_count++; /* Also on failure: its addresses must be freed. */
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* Which attachment's subnet holds the next hop; LATH_CONFIG_NONE: none does. */
static uint32_t
find_subnet(const struct lath_config_vpc *vpc, const struct lath_ip *ip,
		const struct lath_prefix **subnet)
{
	for (uint32_t i = 0; i < vpc->attachment_count; i++) {
		const struct lath_config_attachment *attachment = &vpc->attachments[i];

		if (attachment->tunnel.kind == LATH_CONFIG_TUNNEL_GWLB)
			continue;
		for (uint32_t j = 0; j < attachment->address_count; j++) {
			if (lath_prefix_contains(&attachment->addresses[j], ip)) {
				*subnet = &attachment->addresses[j];
				return i;
			}
		}
	}
	return LATH_CONFIG_NONE;
}

static bool
has_ipv6(const struct lath_config_attachment *attachment)
{
	for (uint32_t i = 0; i < attachment->address_count; i++) {
		if (!lath_ip_is_v4(&attachment->addresses[i].ip))
			return true;
	}
	return false;
}

/* The attachment that a link-local next hop is on: the one with IPv6 addresses. */
static int
find_link(const struct lath_config_node *node, const struct lath_config_vpc *vpc,
		struct lath_config_route *route)
{
	route->attachment = LATH_CONFIG_NONE;
	for (uint32_t i = 0; i < vpc->attachment_count; i++) {
		if (!has_ipv6(&vpc->attachments[i]))
			continue;
		if (route->attachment != LATH_CONFIG_NONE)
			return lath_config_fail(node,
					"%s is link-local, and attachments %u and %u both have "
					"IPv6 addresses; name the route's \"attachment\"",
					json_string_value(node->json), route->attachment, i);
		route->attachment = i;
	}
	if (route->attachment == LATH_CONFIG_NONE)
		return lath_config_fail(node,
				"%s is link-local, but no attachment of this VPC has an IPv6 "
				"address",
				json_string_value(node->json));
	return 0;
}

/* The route's `attachment`, by name; LATH_CONFIG_NONE when it is not given. */
static int
read_route_attachment(const struct lath_config_node *node, const struct lath_config_vpc *vpc,
		uint32_t *attachment)
{
	struct lath_config_near near = {0};
	char near_text[LATH_CONFIG_NEAR_TEXT_MAX];
	char value[LATH_CONFIG_VALUE_MAX];
	struct lath_config_node member;

	*attachment = LATH_CONFIG_NONE;
	if (!lath_config_member(node, "attachment", &member))
		return 0;
	near.word = json_string_value(member.json);
	for (uint32_t i = 0; near.word != NULL && i < vpc->attachment_count; i++) {
		if (strcmp(vpc->attachments[i].name, near.word) == 0) {
			*attachment = i;
			return 0;
		}
		lath_config_near_offer(&near, vpc->attachments[i].name);
	}
	return lath_config_fail(&member, "no attachment of this VPC is named %s%s",
			lath_config_value(member.json, value),
			near.word == NULL ? "" : lath_config_near_text(&near, near_text));
}

static int
check_next_hop(const struct lath_config_node *node, const struct lath_config_vpc *vpc,
		uint32_t attachment, struct lath_config_route *route)
{
	const struct lath_prefix *subnet = NULL;
	char text[LATH_IP_TEXT_MAX];
	const char *reserved;

	lath_ip_format(&route->next_hop, text);
	if (route->next_hop.family != route->prefix.ip.family)
		return lath_config_fail(node, "\"%s\" is not of the prefix's address family", text);
	if (lath_config_is_link_local(&route->next_hop)) {
		route->attachment = attachment;
		return attachment != LATH_CONFIG_NONE ? 0 : find_link(node, vpc, route);
	}
	route->attachment = find_subnet(vpc, &route->next_hop, &subnet);
	if (route->attachment == LATH_CONFIG_NONE)
		return lath_config_fail(node,
				"\"%s\" is in no subnet that this VPC's attachments have", text);
	if (attachment != LATH_CONFIG_NONE && attachment != route->attachment)
		return lath_config_fail(node, "\"%s\" is in a subnet of attachment \"%s\"", text,
				vpc->attachments[route->attachment].name);
	reserved = lath_config_subnet_reserves(subnet, &route->next_hop);
	if (reserved != NULL)
		return lath_config_fail(node, "\"%s\" is the %s address of its subnet", text,
				reserved);
	for (uint32_t i = 0; i < vpc->attachment_count; i++) {
		for (uint32_t j = 0; j < vpc->attachments[i].address_count; j++) {
			if (lath_ip_equal(&vpc->attachments[i].addresses[j].ip, &route->next_hop))
				return lath_config_fail(node, "\"%s\" is the gateway's own address",
						text);
		}
	}
	return 0;
}

static int
check_route_prefix(const struct lath_config_node *node, const struct lath_config_vpc *vpc,
		const struct lath_config_route *route)
{
	const char *text = json_string_value(node->json);

	for (uint32_t i = 0; i < vpc->route_count; i++) {
		if (memcmp(&vpc->routes[i].prefix, &route->prefix, sizeof(route->prefix)) == 0)
			return lath_config_fail(node, "\"%s\" is already route %u", text, i);
	}
	for (uint32_t i = 0; i < vpc->attachment_count; i++) {
		for (uint32_t j = 0; j < vpc->attachments[i].address_count; j++) {
			struct lath_prefix
					subnet = lath_prefix_network(&vpc->attachments[i].addresses
										      [j]);

			if (memcmp(&subnet, &route->prefix, sizeof(subnet)) == 0)
				return lath_config_fail(node,
						"\"%s\" is the subnet of attachment %u and needs "
						"no route",
						text, i);
		}
	}
	return 0;
}

static int
read_route(const struct lath_config_node *node, const struct lath_config_vpc *vpc,
		struct lath_config_route *route)
{
	static const char *const keys[] = {"prefix", "nextHop", "attachment"};
	struct lath_config_node prefix;
	struct lath_config_node hop;
	uint32_t attachment;

	if (lath_config_read_keys(node, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			lath_config_need(node, "prefix", &prefix) != 0 ||
			lath_config_read_prefix(&prefix, &route->prefix) != 0 ||
			check_route_prefix(&prefix, vpc, route) != 0 ||
			lath_config_need(node, "nextHop", &hop) != 0 ||
			lath_config_read_ip(&hop, &route->next_hop) != 0 ||
			read_route_attachment(node, vpc, &attachment) != 0)
		return lath_err(EINVAL);
	return check_next_hop(&hop, vpc, attachment, route);
}

int
lath_config_read_routes(const struct lath_config_node *node, struct lath_config_vpc *vpc)
{
	struct lath_config_node list;
	int rc = lath_config_read_list(node, "routes", 0, ROUTES_MAX, &list);
	size_t size = json_array_size(list.json);

	if (rc != 0 || size == 0)
		return rc;
	vpc->routes = calloc(size, sizeof(*vpc->routes));
	if (vpc->routes == NULL)
		return lath_config_no_memory(node->loader);
	for (size_t i = 0; i < size; i++) {
		struct lath_config_node element = lath_config_element(&list, i);

		rc = read_route(&element, vpc, &vpc->routes[i]);
		if (rc != 0)
			return rc;
		vpc->route_count++;
	}
	return 0;
}

static int
read_vpc(const struct lath_config_node *node, uint32_t index)
{
	static const char *const keys[] = {"name", "account", "id", "prefixes", "natPool",
			"attachments", "routes", "networkAclIdentifier"};
	const struct lath_config_naming naming = {.kind = LATH_CONFIG_KIND_VPC};
	struct lath_config_vpc *vpc = &node->loader->cfg->vpcs[index];
	struct lath_config_node member;

	if (lath_config_read_keys(node, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			lath_config_identify(node, &naming, index, &vpc->identity) != 0 ||
			lath_config_need(node, "prefixes", &member) != 0 ||
			lath_config_read_prefixes(node, "prefixes", 1, PREFIXES_MAX, &vpc->prefixes,
					&vpc->prefix_count) != 0 ||
			lath_config_read_prefixes(node, "natPool", 0, POOL_MAX, &vpc->nat_pool,
					&vpc->nat_pool_count) != 0 ||
			lath_config_read_vpc_acl(node, vpc) != 0 ||
			read_attachments(node, vpc) != 0)
		return lath_err(EINVAL);
	return lath_config_read_routes(node, vpc);
}

int
lath_config_read_vpcs(struct lath_config_loader *loader)
{
	const enum lath_config_list list = LATH_CONFIG_LIST_VPCS;
	struct lath_config *cfg = loader->cfg;
	uint32_t count = loader->counts[list];

	if (count > cfg->system.max_vpcs - cfg->underlay_count) {
		struct lath_config_at at = lath_config_at_list(loader, list,
				cfg->system.max_vpcs - cfg->underlay_count, "%s", "");

		return lath_config_fail_at(loader, &at, "more VPCs than system/memory/maxVpcs, %u",
				cfg->system.max_vpcs);
	}
	cfg->vpcs = calloc(count + 1, sizeof(*cfg->vpcs));
	if (cfg->vpcs == NULL)
		return lath_config_no_memory(loader);
	cfg->vpc_count = count;
	for (uint32_t i = 0; i < count; i++) {
		struct lath_config_node node = lath_config_list_node(loader, list, i);

		if (read_vpc(&node, i) != 0)
			return lath_err(EINVAL);
	}
	return 0;
}
