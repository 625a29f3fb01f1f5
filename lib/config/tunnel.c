/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Attachments by a tunnel: `vxlan` and `geneve` in place of a port. */

#include "config_private.h"

#define REMOTES_MAX 1024u
#define PREFIXES_MAX 1024u
#define MTU_MIN 576u
#define UDP_AND_TUNNEL 16u
#define ETHERNET 14u
#define ENDPOINTS_MAX 256u
#define GWLB_OPTIONS 32u /* endpoint, attachment, cookie with their headers */
#define GWLB_INNER 8500u /* what a Gateway Load Balancer passes on */
#define GWLB_MTU (GWLB_INNER + 20u + UDP_AND_TUNNEL + GWLB_OPTIONS)

static const char *const kind_keys[LATH_CONFIG_TUNNEL_KIND_COUNT] = {
		[LATH_CONFIG_TUNNEL_VXLAN] = "vxlan",
		[LATH_CONFIG_TUNNEL_GENEVE] = "geneve",
		[LATH_CONFIG_TUNNEL_GWLB] = "gwlb",
};

const char *
lath_config_tunnel_word(enum lath_config_tunnel_kind kind)
{
	return kind_keys[kind];
}

uint16_t
lath_config_tunnel_overhead(const struct lath_config_tunnel *tunnel, uint8_t family)
{
	return (uint16_t)((family == LATH_FAMILY_IPV6 ? 40u : 20u) + UDP_AND_TUNNEL +
			(tunnel->inner_ethernet ? ETHERNET : 0u) +
			(tunnel->kind == LATH_CONFIG_TUNNEL_GWLB ? GWLB_OPTIONS : 0u));
}

static const struct lath_config_attachment *
wire_of(const struct lath_config *cfg, const struct lath_config_tunnel *tunnel)
{
	return &cfg->underlays[tunnel->underlay].attachments[0];
}

static int
refer_underlay(const struct lath_config_node *node, struct lath_config_tunnel *tunnel)
{
	const struct lath_config *cfg = node->loader->cfg;
	struct lath_config_near near = {0};
	char near_text[LATH_CONFIG_NEAR_TEXT_MAX];
	char value[LATH_CONFIG_VALUE_MAX];
	struct lath_config_node member;

	if (lath_config_need(node, "underlay", &member) != 0)
		return lath_err(EINVAL);
	near.word = json_string_value(member.json);
	if (near.word == NULL)
		return lath_config_fail(&member, "%s is not the name of an underlay",
				lath_config_value(member.json, value));
	for (uint32_t i = 0; i < cfg->underlay_count; i++) {
		if (strcmp(cfg->underlays[i].identity.name, near.word) == 0) {
			tunnel->underlay = i;
			return 0;
		}
		lath_config_near_offer(&near, cfg->underlays[i].identity.name);
	}
	return lath_config_fail(&member, "no underlay is named %s%s",
			lath_config_value(member.json, value),
			lath_config_near_text(&near, near_text));
}

/* ---- remotes ------------------------------------------------------------------------------ */

/* Of a family that the underlay has, in a subnet of its or behind a route, and not ours. */
static int
check_reach(const struct lath_config_node *node, const struct lath_config_tunnel *tunnel,
		const struct lath_ip *ip)
{
	const struct lath_config_vpc *underlay = &node->loader->cfg->underlays[tunnel->underlay];
	const struct lath_config_attachment *wire = &underlay->attachments[0];
	const char *text = json_string_value(node->json);
	bool has_family = false;
	bool reached = false;

	for (uint32_t i = 0; i < wire->address_count; i++) {
		has_family = has_family || wire->addresses[i].ip.family == ip->family;
		reached = reached || lath_prefix_contains(&wire->addresses[i], ip);
		if (lath_ip_equal(&wire->addresses[i].ip, ip))
			return lath_config_fail(node, "\"%s\" is the underlay's own address", text);
	}
	if (!has_family)
		return lath_config_fail(node,
				"\"%s\" is of a family that underlay \"%s\" has no address of",
				text, underlay->identity.name);
	for (uint32_t i = 0; !reached && i < underlay->route_count; i++)
		reached = lath_prefix_contains(&underlay->routes[i].prefix, ip);
	if (!reached)
		return lath_config_fail(node,
				"\"%s\" is in no subnet of underlay \"%s\" and no route leads to "
				"it",
				text, underlay->identity.name);
	return 0;
}

/* Each address and each prefix belongs to one remote; one may own all the rest. */
static int
check_remote(const struct lath_config_node *node, const struct lath_config_tunnel *tunnel,
		const struct lath_config_remote *remote)
{
	struct lath_config_node member;
	struct lath_config_node element;
	char text[LATH_PREFIX_TEXT_MAX];

	for (uint32_t i = 0; i < tunnel->remote_count; i++) {
		const struct lath_config_remote *other = &tunnel->remotes[i];

		if (lath_ip_equal(&other->ip, &remote->ip))
			return lath_config_fail(node, "its address is already that of remote %u",
					i);
		if (other->prefix_count == 0 && remote->prefix_count == 0)
			return lath_config_fail(node,
					"\"prefixes\" are needed: remote %u has none and so owns "
					"all that no other does",
					i);
		lath_config_member(node, "prefixes", &member);
		for (uint32_t p = 0; p < remote->prefix_count; p++) {
			for (uint32_t q = 0; q < other->prefix_count; q++) {
				if (memcmp(&remote->prefixes[p], &other->prefixes[q],
						    sizeof(remote->prefixes[p])) != 0)
					continue;
				element = lath_config_element(&member, p);
				return lath_config_fail(&element,
						"\"%s\" is already a prefix of remote %u",
						lath_prefix_format(&remote->prefixes[p], text), i);
			}
		}
	}
	return 0;
}

static int
read_remote(const struct lath_config_node *node, struct lath_config_tunnel *tunnel,
		struct lath_config_remote *remote)
{
	static const char *const keys[] = {"address", "prefixes"};
	struct lath_config_node member;

	if (lath_config_read_keys(node, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			lath_config_need(node, "address", &member) != 0 ||
			lath_config_read_ip(&member, &remote->ip) != 0 ||
			check_reach(&member, tunnel, &remote->ip) != 0 ||
			lath_config_read_prefixes(node, "prefixes", 1, PREFIXES_MAX,
					&remote->prefixes, &remote->prefix_count) != 0)
		return lath_err(EINVAL);
	return check_remote(node, tunnel, remote);
}

static int
read_remotes(const struct lath_config_node *node, struct lath_config_tunnel *tunnel)
{
	struct lath_config_node list;
	size_t size;

	if (lath_config_need(node, "remotes", &list) != 0 ||
			lath_config_read_list(node, "remotes", 1, REMOTES_MAX, &list) != 0)
		return lath_err(EINVAL);
	size = json_array_size(list.json);
	tunnel->remotes = calloc(size, sizeof(*tunnel->remotes));
	if (tunnel->remotes == NULL)
		return lath_config_no_memory(node->loader);
	for (size_t i = 0; i < size; i++) {
		struct lath_config_node element = lath_config_element(&list, i);
		int rc = read_remote(&element, tunnel, &tunnel->remotes[i]);

		tunnel->remote_count++; /* Also on failure: its prefixes must be freed. */
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* ---- Gateway Load Balancer ----------------------------------------------------------------- */

/* "vpce-" and 17 hex digits, of which the option carries the last 16; the first is 0. */
static int
read_endpoint(const struct lath_config_node *node, uint64_t *endpoint)
{
	const char *text = json_string_value(node->json);
	char value[LATH_CONFIG_VALUE_MAX];

	if (text == NULL || strncmp(text, "vpce-0", 6) != 0 || strlen(text) != 22 ||
			strspn(text + 6, "0123456789abcdef") != 16)
		return lath_config_fail(node, "%s is not \"vpce-0\" and 16 hex digits",
				lath_config_value(node->json, value));
	*endpoint = strtoull(text + 6, NULL, 16);
	return 0;
}

static int
read_endpoints(const struct lath_config_node *node, struct lath_config_tunnel *tunnel)
{
	struct lath_config_node list;
	size_t size;

	if (lath_config_need(node, "endpoints", &list) != 0 ||
			lath_config_read_list(node, "endpoints", 1, ENDPOINTS_MAX, &list) != 0)
		return lath_err(EINVAL);
	size = json_array_size(list.json);
	tunnel->endpoints = calloc(size, sizeof(*tunnel->endpoints));
	if (tunnel->endpoints == NULL)
		return lath_config_no_memory(node->loader);
	for (size_t i = 0; i < size; i++) {
		struct lath_config_node element = lath_config_element(&list, i);

		if (read_endpoint(&element, &tunnel->endpoints[i]) != 0)
			return lath_err(EINVAL);
		tunnel->endpoint_count++;
	}
	return 0;
}

/* The balancer's nodes. What lies behind one is told by each packet, so they own nothing. */
static int
read_balancers(const struct lath_config_node *node, struct lath_config_tunnel *tunnel)
{
	struct lath_config_node list;
	size_t size;

	if (lath_config_need(node, "balancers", &list) != 0 ||
			lath_config_read_list(node, "balancers", 1, REMOTES_MAX, &list) != 0)
		return lath_err(EINVAL);
	size = json_array_size(list.json);
	tunnel->remotes = calloc(size, sizeof(*tunnel->remotes));
	if (tunnel->remotes == NULL)
		return lath_config_no_memory(node->loader);
	for (size_t i = 0; i < size; i++) {
		struct lath_config_node element = lath_config_element(&list, i);
		struct lath_ip *ip = &tunnel->remotes[i].ip;

		if (lath_config_read_ip(&element, ip) != 0 ||
				check_reach(&element, tunnel, ip) != 0)
			return lath_err(EINVAL);
		if (!lath_ip_is_v4(ip))
			return lath_config_fail(&element,
					"a Gateway Load Balancer's outer packets are IPv4");
		for (size_t j = 0; j < i; j++) {
			if (lath_ip_equal(&tunnel->remotes[j].ip, ip))
				return lath_config_fail(&element, "\"%s\" is already element %zu",
						json_string_value(element.json), j);
		}
		tunnel->remote_count++;
	}
	return 0;
}

static int
read_gwlb(const struct lath_config_node *node, struct lath_config_tunnel *tunnel)
{
	static const char *const keys[] = {"underlay", "balancers", "endpoints"};
	const struct lath_config_vpc *underlay;

	if (lath_config_read_keys(node, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			refer_underlay(node, tunnel) != 0 || read_balancers(node, tunnel) != 0 ||
			read_endpoints(node, tunnel) != 0)
		return lath_err(EINVAL);
	underlay = &node->loader->cfg->underlays[tunnel->underlay];
	if (underlay->attachments[0].mtu < GWLB_MTU)
		return lath_config_fail(node,
				"a Gateway Load Balancer passes on packets of %u bytes: underlay "
				"\"%s\" needs an MTU of at least %u, not %u",
				GWLB_INNER, underlay->identity.name, GWLB_MTU,
				underlay->attachments[0].mtu);
	return 0;
}

/* ---- the attachment ----------------------------------------------------------------------- */

static int
read_kind(const struct lath_config_node *node, struct lath_config_tunnel *tunnel)
{
	static const char *const vxlan_keys[] = {"underlay", "vni", "remotes"};
	static const char *const geneve_keys[] = {"underlay", "vni", "remotes", "inner"};
	static const char *const inners[] = {"ethernet", "ip"};
	bool is_vxlan = tunnel->kind == LATH_CONFIG_TUNNEL_VXLAN;
	struct lath_config_node member;
	unsigned inner = 0;

	if (tunnel->kind == LATH_CONFIG_TUNNEL_GWLB)
		return read_gwlb(node, tunnel);

	if (is_vxlan && lath_config_member(node, "inner", &member))
		return lath_config_fail(&member,
				"VXLAN carries Ethernet only (RFC 7348); GENEVE carries bare IP "
				"too");
	if (lath_config_read_keys(node, is_vxlan ? vxlan_keys : geneve_keys,
			    is_vxlan ? LATH_ARRAY_SIZE(vxlan_keys)
				     : LATH_ARRAY_SIZE(geneve_keys)) != 0 ||
			refer_underlay(node, tunnel) != 0 ||
			lath_config_need(node, "vni", &member) != 0 ||
			lath_config_read_u32(node, "vni", 0, 0xffffff, &tunnel->vni) != 0 ||
			lath_config_read_word(node, "inner", inners, LATH_ARRAY_SIZE(inners),
					&inner) != 0)
		return lath_err(EINVAL);
	tunnel->inner_ethernet = inner == 0;
	return read_remotes(node, tunnel);
}

/* What a wire has and a tunnel has not. */
static int
check_others(const struct lath_config_node *node, enum lath_config_tunnel_kind kind)
{
	static const char *const others[] = {"port", "vlan", "returnTo"};
	struct lath_config_node member;

	for (size_t i = 0; i < LATH_ARRAY_SIZE(others); i++) {
		if (lath_config_member(node, others[i], &member))
			return lath_config_fail(&member,
					"an attachment by \"%s\" has no \"%s\" of its own",
					kind_keys[kind], others[i]);
	}
	for (unsigned other = kind + 1; other < LATH_CONFIG_TUNNEL_KIND_COUNT; other++) {
		if (lath_config_member(node, kind_keys[other], &member))
			return lath_config_fail(&member,
					"an attachment has one of \"%s\" and \"%s\"",
					kind_keys[kind], kind_keys[other]);
	}
	return 0;
}

int
lath_config_read_tunnel(const struct lath_config_node *node,
		struct lath_config_attachment *attachment, bool *found)
{
	struct lath_config_tunnel *tunnel = &attachment->tunnel;
	const struct lath_config_attachment *wire;
	struct lath_config_node member;

	*found = false;
	for (unsigned kind = 1; kind < LATH_CONFIG_TUNNEL_KIND_COUNT; kind++) {
		if (!lath_config_member(node, kind_keys[kind], &member))
			continue;
		*found = true;
		tunnel->kind = (enum lath_config_tunnel_kind)kind;
		break;
	}
	if (!*found)
		return 0;
	if (check_others(node, tunnel->kind) != 0 || read_kind(&member, tunnel) != 0)
		return lath_err(EINVAL);
	wire = wire_of(node->loader->cfg, tunnel);
	attachment->port = wire->port;
	attachment->vlan = wire->vlan;
	return 0;
}

int
lath_config_read_tunnel_mtu(const struct lath_config_node *node,
		struct lath_config_attachment *attachment)
{
	const struct lath_config *cfg = node->loader->cfg;
	const struct lath_config_tunnel *tunnel = &attachment->tunnel;
	const struct lath_config_vpc *underlay = &cfg->underlays[tunnel->underlay];
	uint16_t wire_mtu = underlay->attachments[0].mtu;
	struct lath_config_node member;
	uint16_t overhead = 0;

	for (uint32_t i = 0; i < tunnel->remote_count; i++)
		overhead = (uint16_t)lath_max_u32(overhead,
				lath_config_tunnel_overhead(tunnel, tunnel->remotes[i].ip.family));
	attachment->mtu = (uint16_t)(wire_mtu - overhead);
	if (tunnel->kind == LATH_CONFIG_TUNNEL_GWLB)
		attachment->mtu = GWLB_INNER;
	if (attachment->mtu < MTU_MIN)
		return lath_config_fail(node,
				"the MTU of underlay \"%s\", %u, leaves %u bytes inside; at least "
				"%u "
				"are needed",
				underlay->identity.name, wire_mtu, attachment->mtu, MTU_MIN);
	if (lath_config_read_u16(node, "mtu", MTU_MIN, 9600, &attachment->mtu) != 0)
		return lath_err(EINVAL);
	if (attachment->mtu + overhead > wire_mtu) {
		lath_config_member(node, "mtu", &member);
		return lath_config_fail(&member,
				"%u and %u bytes of headers are more than the MTU of underlay "
				"\"%s\", "
				"%u",
				attachment->mtu, overhead, underlay->identity.name, wire_mtu);
	}
	return 0;
}

/* ---- against each other ------------------------------------------------------------------- */

/* What only one attachment may have: a VNI or an endpoint of an underlay, or (kind NONE) two tags of a
 * port.
 */
struct claim {
	uint64_t id;    /* VNI, endpoint, or outer tag << 12 | inner tag */
	uint32_t place; /* underlay or port */
	uint32_t kind;
	uint32_t vpc;
	uint32_t attachment;
};

static int
compare_claims(const void *a, const void *b)
{
	/* VPC and attachment too, so that the second one is complained about. */
	return memcmp(a, b, sizeof(struct claim));
}

static bool
is_same(const struct claim *a, const struct claim *b)
{
	return a->place == b->place && a->kind == b->kind && a->id == b->id;
}

static uint32_t
collect(const struct lath_config *cfg, struct claim *claims)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < cfg->vpc_count; i++) {
		for (uint32_t j = 0; j < cfg->vpcs[i].attachment_count; j++) {
			const struct lath_config_attachment *one = &cfg->vpcs[i].attachments[j];
			struct claim claim = {one->tunnel.vni, one->tunnel.underlay,
					(uint32_t)one->tunnel.kind, i, j};

			for (uint32_t e = 0; e < one->tunnel.endpoint_count; e++) {
				claim.id = one->tunnel.endpoints[e];
				if (claims != NULL)
					claims[count] = claim;
				count++;
			}
			if (one->tunnel.kind == LATH_CONFIG_TUNNEL_GWLB)
				continue;
			if (one->tunnel.kind == LATH_CONFIG_TUNNEL_NONE) {
				claim.place = one->port;
				claim.id = (uint32_t)one->outer_vlan << 12 | one->vlan;
			}
			if (one->tunnel.kind == LATH_CONFIG_TUNNEL_NONE && one->outer_vlan == 0)
				continue;
			if (claims != NULL)
				claims[count] = claim;
			count++;
		}
	}
	return count;
}

static int
fail_twice(struct lath_config_loader *loader, const struct claim *a, const struct claim *b)
{
	bool swapped = a->vpc > b->vpc || (a->vpc == b->vpc && a->attachment > b->attachment);
	const struct claim *first = swapped ? b : a;
	const struct claim *second = swapped ? a : b;
	bool is_tags = first->kind == LATH_CONFIG_TUNNEL_NONE;
	struct lath_config_at at = lath_config_at_list(loader, LATH_CONFIG_LIST_VPCS, second->vpc,
			is_tags ? "/attachments/%u"
					: first->kind == LATH_CONFIG_TUNNEL_GWLB
					? "/attachments/%u/%s/endpoints"
					: "/attachments/%u/%s/vni",
			second->attachment, is_tags ? "" : kind_keys[first->kind]);
	struct lath_config_at old = lath_config_at_list(loader, LATH_CONFIG_LIST_VPCS, first->vpc,
			"/attachments/%u", first->attachment);
	char place[LATH_CONFIG_PLACE_MAX];

	lath_config_place_text(loader, &old, place);
	if (is_tags)
		return lath_config_fail_at(loader, &at,
				"VLAN %u in VLAN %u of port \"%s\" belongs to the attachment at %s",
				(unsigned)(first->id & 0xfff), (unsigned)(first->id >> 12),
				loader->cfg->system.ports[first->place].name, place);
	if (first->kind == LATH_CONFIG_TUNNEL_GWLB)
		return lath_config_fail_at(loader, &at,
				"endpoint \"vpce-0%016llx\" of underlay \"%s\" belongs to the "
				"attachment at %s",
				(unsigned long long)first->id,
				loader->cfg->underlays[first->place].identity.name, place);
	return lath_config_fail_at(loader, &at,
			"VNI %u of underlay \"%s\" belongs to the attachment at %s",
			(unsigned)first->id, loader->cfg->underlays[first->place].identity.name,
			place);
}

int
lath_config_check_tunnels(struct lath_config_loader *loader)
{
	uint32_t count = collect(loader->cfg, NULL);
	struct claim *claims = calloc(count + 1, sizeof(*claims));
	int rc = 0;

	if (claims == NULL)
		return lath_config_no_memory(loader);
	collect(loader->cfg, claims);
	qsort(claims, count, sizeof(*claims), compare_claims);
	for (uint32_t i = 1; rc == 0 && i < count; i++) {
		if (is_same(&claims[i - 1], &claims[i]))
			rc = fail_twice(loader, &claims[i - 1], &claims[i]);
	}
	free(claims);
	return rc;
}
