/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* VPCs against each other and their own parts: who owns a port and VLAN, which subnet an address
 * is in, what a NAT pool may hold.
 */

#include "config_private.h"

#define VLANS 4096u
#define POOL_BITS_MIN 16u  /* IPv4 */
#define POOL6_BITS_MIN 64u /* IPv6: a subnet's worth */
#define POOL6_COUNTED_BITS 32u

struct owner {
	uint32_t vpc_after; /* index + 1; 0: nobody's; underlays behind the VPCs */
	uint32_t attachment;
};

static struct lath_config_at
attachment_at(const struct lath_config_loader *loader, uint32_t vpc, uint32_t attachment)
{
	uint32_t vpcs = loader->cfg->vpc_count;

	if (vpc >= vpcs)
		return lath_config_at_list(loader, LATH_CONFIG_LIST_UNDERLAYS, vpc - vpcs, "%s",
				"");
	return lath_config_at_list(loader, LATH_CONFIG_LIST_VPCS, vpc, "/attachments/%u",
			attachment);
}

static int
claim(struct lath_config_loader *loader, struct owner *owners, uint32_t vpc, uint32_t index)
{
	const struct lath_config *cfg = loader->cfg;
	const struct lath_config_vpc *v = vpc < cfg->vpc_count
			? &cfg->vpcs[vpc]
			: &cfg->underlays[vpc - cfg->vpc_count];
	const struct lath_config_attachment *attachment = &v->attachments[index];
	struct owner *owner = &owners[attachment->port * VLANS + attachment->vlan];
	struct lath_config_at at = attachment_at(loader, vpc, index);
	struct lath_config_at first;
	char place[LATH_CONFIG_PLACE_MAX];
	char vlan[24] = "untagged frames";

	if (attachment->tunnel.kind != LATH_CONFIG_TUNNEL_NONE || attachment->outer_vlan != 0)
		return 0; /* lath_config_check_tunnels() */
	if (owner->vpc_after == 0) {
		*owner = (struct owner){vpc + 1, index};
		return 0;
	}
	if (attachment->vlan != 0)
		snprintf(vlan, sizeof(vlan), "VLAN %u", attachment->vlan);
	first = attachment_at(loader, owner->vpc_after - 1, owner->attachment);
	return lath_config_fail_at(loader, &at, "%s of port \"%s\" belong to the %s at %s", vlan,
			cfg->system.ports[attachment->port].name,
			owner->vpc_after > cfg->vpc_count ? "underlay" : "attachment",
			lath_config_place_text(loader, &first, place));
}

static int
check_ports(struct lath_config_loader *loader)
{
	const struct lath_config *cfg = loader->cfg;
	struct owner *owners = calloc(cfg->system.port_count * VLANS + 1, sizeof(*owners));
	int rc = 0;

	if (owners == NULL)
		return lath_config_no_memory(loader);
	for (uint32_t i = 0; rc == 0 && i < cfg->vpc_count; i++) {
		for (uint32_t j = 0; rc == 0 && j < cfg->vpcs[i].attachment_count; j++)
			rc = claim(loader, owners, i, j);
	}
	for (uint32_t i = 0; rc == 0 && i < cfg->underlay_count; i++)
		rc = claim(loader, owners, cfg->vpc_count + i, 0);
	free(owners);
	return rc;
}

/* One address of an attachment against the earlier ones of its VPC. */
static int
check_subnet(struct lath_config_loader *loader, uint32_t vpc, uint32_t index, uint32_t which)
{
	const struct lath_config_attachment *all = loader->cfg->vpcs[vpc].attachments;
	const struct lath_prefix *host = &all[index].addresses[which];
	char text[LATH_PREFIX_TEXT_MAX];
	struct lath_config_at at;

	lath_prefix_format(host, text);
	at = lath_config_at_list(loader, LATH_CONFIG_LIST_VPCS, vpc, "/attachments/%u/addresses/%u",
			index, which);
	for (uint32_t i = 0; i < which; i++) {
		if (lath_ip_equal(&all[index].addresses[i].ip, &host->ip))
			return lath_config_fail_at(loader, &at, "\"%s\" is already address %u",
					text, i);
	}
	for (uint32_t i = 0; i < index; i++) {
		for (uint32_t j = 0; j < all[i].address_count; j++) {
			if (lath_prefix_overlaps(&all[i].addresses[j], host))
				return lath_config_fail_at(loader, &at,
						"the subnet of \"%s\" overlaps that of attachment "
						"%u of the "
						"same VPC",
						text, i);
		}
	}
	return 0;
}

static int
check_subnets(struct lath_config_loader *loader, uint32_t vpc)
{
	const struct lath_config_vpc *v = &loader->cfg->vpcs[vpc];
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < v->attachment_count; i++) {
		for (uint32_t j = 0; rc == 0 && j < v->attachments[i].address_count; j++)
			rc = check_subnet(loader, vpc, i, j);
	}
	return rc;
}

/* The first and last address of a subnet are nobody's, so no reply to them would come. */
static bool
holds_reserved(const struct lath_prefix *pool, const struct lath_prefix *host, struct lath_ip *ip,
		const char **word)
{
	struct lath_prefix network = lath_prefix_network(host);
	uint32_t last;

	*ip = network.ip;
	if (!lath_ip_is_v4(&host->ip)) {
		/* A prefix leaves out its own first address (lib/model/nat.c); one that is that address
		 * alone has nothing else.
		 */
		*word = "subnet-router anycast";
		return host->bits < 127 && pool->bits == 128 && lath_prefix_contains(pool, ip);
	}
	if (host->bits >= 31)
		return false;
	*word = "network";
	if (lath_prefix_contains(pool, ip))
		return true;
	last = lath_from_be32(lath_ip_v4_be(&network.ip)) | (UINT32_MAX >> host->bits);
	*ip = lath_ip_from_v4_be(lath_to_be32(last));
	*word = "broadcast";
	return lath_prefix_contains(pool, ip);
}

static int
check_pool_subnets(struct lath_config_loader *loader, const struct lath_config_at *at,
		const struct lath_config_vpc *vpc, const struct lath_prefix *pool)
{
	char text[LATH_PREFIX_TEXT_MAX];
	char subnet_text[LATH_PREFIX_TEXT_MAX];
	char ip_text[LATH_IP_TEXT_MAX];
	struct lath_prefix subnet;
	struct lath_ip ip;
	const char *word;

	for (uint32_t i = 0; i < vpc->attachment_count; i++) {
		const struct lath_config_attachment *attachment = &vpc->attachments[i];

		for (uint32_t j = 0; j < attachment->address_count; j++) {
			if (!holds_reserved(pool, &attachment->addresses[j], &ip, &word))
				continue;
			subnet = lath_prefix_network(&attachment->addresses[j]);
			return lath_config_fail_at(loader, at,
					"\"%s\" contains %s, the %s address of the attached subnet "
					"%s",
					lath_prefix_format(pool, text),
					lath_ip_format(&ip, ip_text), word,
					lath_prefix_format(&subnet, subnet_text));
		}
	}
	return 0;
}

static int
check_pool_entry(struct lath_config_loader *loader, uint32_t index, uint32_t which)
{
	const struct lath_config_vpc *vpc = &loader->cfg->vpcs[index];
	const struct lath_prefix *pool = &vpc->nat_pool[which];
	struct lath_config_at at = lath_config_at_list(loader, LATH_CONFIG_LIST_VPCS, index,
			"/natPool/%u", which);
	const char *why = lath_config_ip_unusable(&pool->ip);
	uint32_t bits_min = lath_ip_is_v4(&pool->ip) ? POOL_BITS_MIN : POOL6_BITS_MIN;
	char text[LATH_PREFIX_TEXT_MAX];
	char hop[LATH_IP_TEXT_MAX];

	lath_prefix_format(pool, text);
	if (why == NULL && lath_config_is_link_local(&pool->ip))
		why = "link-local ones";
	if (why != NULL)
		return lath_config_fail_at(loader, &at, "\"%s\" holds no host's address but %s",
				text, why);
	if (pool->bits < bits_min)
		return lath_config_fail_at(loader, &at,
				"\"%s\" is larger than a /%u, the largest NAT pool prefix", text,
				bits_min);
	for (uint32_t i = 0; i < which; i++) {
		if (lath_prefix_overlaps(pool, &vpc->nat_pool[i]))
			return lath_config_fail_at(loader, &at,
					"\"%s\" overlaps element %u of the pool", text, i);
	}
	for (uint32_t i = 0; i < vpc->route_count; i++) {
		if (lath_prefix_contains(pool, &vpc->routes[i].next_hop))
			return lath_config_fail_at(loader, &at,
					"\"%s\" contains %s, the next hop of route %u", text,
					lath_ip_format(&vpc->routes[i].next_hop, hop), i);
	}
	return check_pool_subnets(loader, &at, vpc, pool);
}

int
lath_config_check_vpcs(struct lath_config_loader *loader)
{
	const struct lath_config *cfg = loader->cfg;
	int rc = check_ports(loader);

	for (uint32_t i = 0; rc == 0 && i < cfg->vpc_count; i++) {
		rc = check_subnets(loader, i);
		for (uint32_t j = 0; rc == 0 && j < cfg->vpcs[i].nat_pool_count; j++)
			rc = check_pool_entry(loader, i, j);
	}
	return rc;
}

static uint64_t
prefix_size(const struct lath_prefix *prefix)
{
	unsigned host_bits = (lath_ip_is_v4(&prefix->ip) ? 32u : 128u) - prefix->bits;

	return UINT64_C(1) << lath_min_u32(host_bits, POOL6_COUNTED_BITS);
}

/* The gateway's addresses of the family on one attachment. */
static uint64_t
own_count(const struct lath_config_attachment *attachment, uint8_t family)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < attachment->address_count; i++)
		count += attachment->addresses[i].ip.family == family;
	return count;
}

uint64_t
lath_config_pool_size(const struct lath_config_vpc *vpc, uint8_t family)
{
	uint64_t size = 0;
	bool configured = false;

	for (uint32_t i = 0; i < vpc->nat_pool_count; i++) {
		if (vpc->nat_pool[i].ip.family != family)
			continue;
		configured = true;
		size += prefix_size(&vpc->nat_pool[i]);
	}
	/* Without a pool a target sees the addresses of the one attachment that leads to it. */
	for (uint32_t i = 0; !configured && i < vpc->attachment_count; i++) {
		if (own_count(&vpc->attachments[i], family) > size)
			size = own_count(&vpc->attachments[i], family);
	}
	return size;
}
