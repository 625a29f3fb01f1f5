/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* VPCs and attachments as images, and which attachment a (port, VLAN) belongs to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_private.h"

#define HOST_NAME "host"
#define HOST_MTU_DEFAULT 1500u
#define IPV6_OVER_IPV4_BYTES 20u /* an IPv6 header is that much longer */

/* ---- routes ------------------------------------------------------------------------------ */

/* Longest first; among equals the order they came in: connected subnets, then as written. */
static void
sort_routes(struct lath_model_route *routes, uint32_t count)
{
	uint32_t place = 0;
	struct lath_model_route *sorted;

	if (count < 2)
		return;
	sorted = malloc(sizeof(*sorted) * count);
	if (sorted == NULL) {
		/* In place, quadratic, correct. */
		for (uint32_t i = 1; i < count; i++) {
			struct lath_model_route route = routes[i];
			uint32_t j = i;

			for (; j > 0 && routes[j - 1].prefix.bits < route.prefix.bits; j--)
				routes[j] = routes[j - 1];
			routes[j] = route;
		}
		return;
	}
	for (int bits = 128; bits >= 0; bits--) {
		for (uint32_t i = 0; i < count; i++) {
			if (routes[i].prefix.bits == bits)
				sorted[place++] = routes[i];
		}
	}
	memcpy(routes, sorted, sizeof(*sorted) * count);
	free(sorted);
}

/* What lies behind remotes is attached: nobody but them is on the way. */
static uint32_t
fill_remote_routes(struct lath_model_route *routes, const struct lath_config_tunnel *tunnel,
		uint32_t attachment)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < tunnel->remote_count; i++) {
		for (uint32_t j = 0; j < tunnel->remotes[i].prefix_count; j++) {
			routes[count].prefix = tunnel->remotes[i].prefixes[j];
			routes[count++].attachment = attachment;
		}
	}
	return count;
}

static uint32_t
fill_routes(struct lath_model_route *routes, const struct lath_config_vpc *vpc,
		const uint32_t *attachments)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < vpc->attachment_count; i++) {
		/* What came through a Gateway Load Balancer goes back by its flow alone. */
		if (vpc->attachments[i].tunnel.kind == LATH_CONFIG_TUNNEL_GWLB)
			continue;
		for (uint32_t j = 0; j < vpc->attachments[i].address_count; j++) {
			routes[count].prefix = lath_prefix_network(&vpc->attachments[i]
										    .addresses[j]);
			routes[count++].attachment = attachments[i];
		}
	}
	for (uint32_t i = 0; i < vpc->attachment_count; i++)
		count += fill_remote_routes(routes + count, &vpc->attachments[i].tunnel,
				attachments[i]);
	for (uint32_t i = 0; i < vpc->route_count; i++) {
		routes[count].prefix = vpc->routes[i].prefix;
		routes[count].next_hop = vpc->routes[i].next_hop;
		routes[count++].attachment = attachments[vpc->routes[i].attachment];
	}
	sort_routes(routes, count);
	return count;
}

/* ---- images ------------------------------------------------------------------------------ */

static uint32_t
count_routes(const struct lath_config_vpc *vpc)
{
	uint32_t count = vpc->route_count;

	for (uint32_t i = 0; i < vpc->attachment_count; i++) {
		const struct lath_config_tunnel *tunnel = &vpc->attachments[i].tunnel;

		count += vpc->attachments[i].address_count;
		for (uint32_t j = 0; j < tunnel->remote_count; j++)
			count += tunnel->remotes[j].prefix_count;
	}
	return count;
}

static uint32_t
count_own(const struct lath_config_vpc *vpc)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < vpc->attachment_count; i++)
		count += vpc->attachments[i].address_count;
	return count;
}

static uint32_t
fill_own(struct lath_ip *own, const struct lath_config_vpc *vpc)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < vpc->attachment_count; i++)
		for (uint32_t j = 0; j < vpc->attachments[i].address_count; j++)
			own[count++] = vpc->attachments[i].addresses[j].ip;
	return count;
}

static void
fill_nat(struct lath_model_vpc *vpc, struct lath_model_nat_range *to,
		const struct nat_ranges *ranges)
{
	for (uint32_t i = 0; i < ranges->count; i++) {
		uint32_t room = UINT32_MAX - vpc->nat_address_count;

		to[i] = ranges->items[i];
		vpc->nat_address_count += lath_min_u32(to[i].count, room);
	}
	vpc->nat_range_count = ranges->count;
}

static void
fill_nat6(struct lath_model_vpc *vpc, struct lath_model_nat6_range *to,
		const struct nat_ranges *ranges)
{
	for (uint32_t i = 0; i < ranges->count6; i++) {
		uint32_t room = UINT32_MAX - vpc->nat6_address_count;

		to[i] = ranges->items6[i];
		vpc->nat6_address_count += lath_min_u32(to[i].count, room);
	}
	vpc->nat6_range_count = ranges->count6;
}

static struct image *
vpc_image(const struct lath_config_vpc *cfg, uint32_t index, const uint32_t *attachments,
		const struct nat_ranges *ranges)
{
	uint32_t route_count = count_routes(cfg);
	uint32_t own_count = count_own(cfg);
	size_t used = IMAGE_ROOM(1, sizeof(struct lath_model_vpc));
	struct image *image = lath_model_image_create(used +
			IMAGE_ROOM(cfg->prefix_count, sizeof(struct lath_prefix)) +
			IMAGE_ROOM(route_count, sizeof(struct lath_model_route)) +
			IMAGE_ROOM(ranges->count, sizeof(struct lath_model_nat_range)) +
			IMAGE_ROOM(ranges->count6, sizeof(struct lath_model_nat6_range)) +
			IMAGE_ROOM(own_count, sizeof(struct lath_ip)));
	struct lath_model_vpc *vpc;
	struct lath_prefix *prefixes;

	if (image == NULL)
		return NULL;
	vpc = (struct lath_model_vpc *)image->bytes;
	vpc->index = index;
	vpc->key = cfg->identity.key;
	snprintf(vpc->id, sizeof(vpc->id), "%s", cfg->identity.id);
	snprintf(vpc->name, sizeof(vpc->name), "%s", cfg->identity.name);
	snprintf(vpc->account, sizeof(vpc->account), "%s", cfg->identity.account);
	prefixes = IMAGE_CARVE(image, &used, vpc->prefixes, cfg->prefix_count);
	for (uint32_t i = 0; i < cfg->prefix_count; i++)
		prefixes[i] = cfg->prefixes[i];
	vpc->prefix_count = cfg->prefix_count;
	vpc->route_count = fill_routes(IMAGE_CARVE(image, &used, vpc->routes, route_count), cfg,
			attachments);
	fill_nat(vpc, IMAGE_CARVE(image, &used, vpc->nat_ranges, ranges->count), ranges);
	fill_nat6(vpc, IMAGE_CARVE(image, &used, vpc->nat6_ranges, ranges->count6), ranges);
	vpc->own_count = fill_own(IMAGE_CARVE(image, &used, vpc->own, own_count), cfg);
	return image;
}

static struct image *
attachment_image(const struct lath_config_attachment *cfg, uint32_t index, uint32_t vpc)
{
	struct image *image = lath_model_attachment_image(cfg);
	struct lath_model_attachment *attachment;

	if (image == NULL)
		return NULL;
	attachment = (struct lath_model_attachment *)image->bytes;
	attachment->index = index;
	attachment->vpc = vpc;
	attachment->port = (uint16_t)cfg->port;
	attachment->vlan = cfg->vlan;
	attachment->outer_vlan = cfg->outer_vlan;
	attachment->mtu = cfg->mtu;
	attachment->return_to_sender = cfg->return_to == LATH_CONFIG_RETURN_SENDER ||
			cfg->tunnel.kind == LATH_CONFIG_TUNNEL_GWLB;
	attachment->announce = cfg->announce;
	attachment->address_count = lath_min_u32(cfg->address_count, LATH_MODEL_ADDRESSES_MAX);
	for (uint32_t i = 0; i < attachment->address_count; i++)
		attachment->addresses[i] = cfg->addresses[i];
	snprintf(attachment->name, sizeof(attachment->name), "%s", cfg->name);
	return image;
}

/* ---- the host port's VPC ----------------------------------------------------------------- */

/* One more VPC with one attachment, written as somebody would configure it. The gateway's own
 * address there is fe80::1, which the kernel's route names.
 */
struct host_vpc {
	struct lath_config_vpc vpc;
	struct lath_config_attachment attachment;
	struct lath_prefix own;
	struct lath_prefix prefix;
	struct lath_config_route route;
};

static int
host_vpc_init(struct host_vpc *host, const struct update *u)
{
	static const uint8_t link_local[16] = {0xfe, 0x80, [15] = 1};
	uint32_t mtu = 0;
	struct digest digest;

	for (uint32_t i = 0; i < u->cfg->vpc_count; i++) {
		for (uint32_t j = 0; j < u->cfg->vpcs[i].attachment_count; j++)
			mtu = lath_max_u32(mtu, u->cfg->vpcs[i].attachments[j].mtu);
	}
	if (lath_model_digester_run(u->digester, HOST_NAME, &digest) < 0)
		return -errno;
	memset(host, 0, sizeof(*host));
	host->own.ip = lath_ip_from_v6(link_local);
	host->own.bits = 64;
	host->prefix = u->cfg->system.host_prefix;
	host->attachment.port = u->cfg->system.port_count;
	host->attachment.mtu = (uint16_t)((mtu == 0 ? HOST_MTU_DEFAULT : mtu) +
			IPV6_OVER_IPV4_BYTES);
	host->attachment.addresses = &host->own;
	host->attachment.address_count = 1;
	snprintf(host->attachment.name, sizeof(host->attachment.name), HOST_NAME);
	host->route.prefix = host->prefix; /* next hop NONE: the kernel is the neighbour */
	host->vpc.identity.key = lath_model_digest_key(&digest);
	snprintf(host->vpc.identity.id, sizeof(host->vpc.identity.id), HOST_NAME);
	snprintf(host->vpc.identity.name, sizeof(host->vpc.identity.name), HOST_NAME);
	snprintf(host->vpc.identity.account, sizeof(host->vpc.identity.account), "%s",
			u->cfg->gateway.account);
	host->vpc.prefixes = &host->prefix;
	host->vpc.prefix_count = 1;
	host->vpc.attachments = &host->attachment;
	host->vpc.attachment_count = 1;
	host->vpc.routes = &host->route;
	host->vpc.route_count = 1;
	return 0;
}

/* ---- indexes ----------------------------------------------------------------------------- */

/* What lath_model_vpcs_take() works with. VPCs: those of the configuration, then underlays.
 * Attachments: the same, then the host port's.
 */
struct vpc_indexes {
	uint32_t *vpcs;
	uint32_t *attachments;
	uint32_t *firsts; /* by VPC position */
	uint32_t attachment_count;
	struct digest *digests;
	bool *fresh;
};

static uint32_t
count_all(const struct lath_config *cfg)
{
	return cfg->vpc_count + cfg->underlay_count;
}

static const struct lath_config_vpc *
vpc_at(const struct lath_config *cfg, uint32_t i)
{
	return i < cfg->vpc_count ? &cfg->vpcs[i] : &cfg->underlays[i - cfg->vpc_count];
}

static int
vpc_indexes_init(struct vpc_indexes *x, const struct lath_config *cfg)
{
	uint32_t vpc_count = count_all(cfg);
	uint32_t most;

	x->firsts = calloc((size_t)vpc_count + 1, sizeof(*x->firsts));
	x->vpcs = calloc((size_t)vpc_count + 1, sizeof(*x->vpcs));
	if (x->firsts == NULL || x->vpcs == NULL)
		return lath_err(ENOMEM);
	for (uint32_t i = 0; i < vpc_count; i++) {
		x->firsts[i] = x->attachment_count;
		x->attachment_count += vpc_at(cfg, i)->attachment_count;
	}
	x->firsts[vpc_count] = x->attachment_count;
	most = lath_max_u32(x->attachment_count, vpc_count) + 1;
	x->attachments = calloc(most, sizeof(*x->attachments));
	x->digests = calloc(most, sizeof(*x->digests));
	x->fresh = calloc(most, sizeof(*x->fresh));
	if (x->attachments == NULL || x->digests == NULL || x->fresh == NULL)
		return lath_err(ENOMEM);
	return 0;
}

static void
vpc_indexes_fini(struct vpc_indexes *x)
{
	free(x->vpcs);
	free(x->attachments);
	free(x->firsts);
	free(x->digests);
	free(x->fresh);
}

static int
assign_vpcs(struct update *u, struct vpc_indexes *x)
{
	const struct lath_config *cfg = u->cfg;

	for (uint32_t i = 0; i < count_all(cfg); i++) {
		if (lath_model_digester_run(u->digester, vpc_at(cfg, i)->identity.id,
				    &x->digests[i]) < 0)
			return -errno;
	}
	return lath_model_slots_assign(u->draft, LATH_OBJECT_VPC, x->digests, count_all(cfg),
			x->vpcs, x->fresh, u->err);
}

static int
assign_attachments(struct update *u, struct vpc_indexes *x)
{
	const struct lath_config *cfg = u->cfg;
	char text[LATH_CONFIG_ID_MAX + LATH_CONFIG_NAME_MAX + 2];
	uint32_t count = 0;

	for (uint32_t i = 0; i < count_all(cfg); i++) {
		const struct lath_config_vpc *vpc = vpc_at(cfg, i);

		for (uint32_t j = 0; j < vpc->attachment_count; j++) {
			snprintf(text, sizeof(text), "%s/%s", vpc->identity.id,
					vpc->attachments[j].name);
			if (lath_model_digester_run(u->digester, text, &x->digests[count++]) < 0)
				return -errno;
		}
	}
	if (cfg->system.host_port_enabled &&
			lath_model_digester_run(u->digester, HOST_NAME, &x->digests[count++]) < 0)
		return -errno;
	return lath_model_slots_assign(u->draft, LATH_OBJECT_ATTACHMENT, x->digests, count,
			x->attachments, x->fresh, u->err);
}

/* ---- rows -------------------------------------------------------------------------------- */

static int
set_rows(struct update *u)
{
	struct draft *draft = u->draft;
	struct image *rows[LATH_MODEL_PORTS_MAX] = {NULL};
	int rc = 0;

	for (uint32_t i = 0; i < draft->high[LATH_OBJECT_ATTACHMENT] && rc == 0; i++) {
		const struct image *image = draft->images[LATH_OBJECT_ATTACHMENT][i];
		const struct lath_model_attachment *attachment;
		uint32_t *row;

		if (image == NULL)
			continue;
		attachment = image_read(image);
		if (attachment->tunnel != LATH_CONFIG_TUNNEL_NONE || attachment->outer_vlan != 0)
			continue; /* entrances */
		if (rows[attachment->port] == NULL) {
			rows[attachment->port] = lath_model_image_create(sizeof(*row) *
					LATH_MODEL_VLANS);
			if (rows[attachment->port] == NULL) {
				rc = -ENOMEM;
				break;
			}
			memset(rows[attachment->port]->bytes, 0xff,
					rows[attachment->port]->size); /* LATH_MODEL_NONE */
		}
		row = (uint32_t *)rows[attachment->port]->bytes;
		row[attachment->vlan] = i;
	}
	for (uint32_t i = 0; i < LATH_MODEL_PORTS_MAX; i++) {
		if (rc == 0)
			lath_model_image_settle(&draft->rows[i], rows[i],
					&draft->registry->next_stamp);
		else
			lath_model_image_put(rows[i]);
	}
	return rc;
}

/* ---- one update -------------------------------------------------------------------------- */

/* The attachment that carries a tunnel. `x` NULL: the host port's VPC, which has none. */
static void
set_tunnel(struct image *image, const struct update *u, const struct lath_config_attachment *cfg,
		const struct vpc_indexes *x)
{
	uint32_t underlay = u->cfg->vpc_count + cfg->tunnel.underlay;

	if (cfg->tunnel.kind != LATH_CONFIG_TUNNEL_NONE && x != NULL)
		lath_model_tunnel_fill(image, cfg, &vpc_at(u->cfg, underlay)->attachments[0],
				x->attachments[x->firsts[underlay]]);
}

static int
set_attachment(struct update *u, const struct lath_config_attachment *cfg, uint32_t index,
		uint32_t vpc, const struct vpc_indexes *x)
{
	struct draft *draft = u->draft;
	struct image *image = attachment_image(cfg, index, vpc);
	struct lath_model_attachment *attachment;

	if (image == NULL)
		return -ENOMEM;
	attachment = (struct lath_model_attachment *)image->bytes;
	attachment->is_host = vpc == LATH_MODEL_HOST_VPC;
	attachment->is_underlay = cfg->is_underlay;
	attachment->health_port = cfg->health_port;
	attachment->whole_way = attachment->is_host || attachment->is_underlay;
	set_tunnel(image, u, cfg, x);
	lath_model_image_settle(&draft->images[LATH_OBJECT_ATTACHMENT][index], image,
			&draft->registry->next_stamp);
	return 0;
}

static int
set_vpc(struct update *u, const struct lath_config_vpc *cfg, uint32_t index,
		const uint32_t *attachments, const struct vpc_indexes *x)
{
	struct draft *draft = u->draft;
	uint64_t *next_stamp = &draft->registry->next_stamp;
	struct nat_ranges ranges = {.items = NULL};
	int rc = lath_model_nat_ranges_of_vpc(&ranges, cfg);

	if (rc == 0) {
		struct image *image = vpc_image(cfg, index, attachments, &ranges);

		if (image == NULL)
			rc = -ENOMEM;
		else
			lath_model_image_settle(&draft->images[LATH_OBJECT_VPC][index], image,
					next_stamp);
	}
	free(ranges.items);
	free(ranges.items6);
	for (uint32_t i = 0; i < cfg->attachment_count && rc == 0; i++)
		rc = set_attachment(u, &cfg->attachments[i], attachments[i], index, x);
	return rc;
}

static int
set_host(struct update *u, const uint32_t *attachment)
{
	struct draft *draft = u->draft;
	struct host_vpc host;
	int rc;

	draft->host_prefix = u->cfg->system.host_prefix;
	if (!u->cfg->system.host_port_enabled) {
		draft->host_port = UINT16_MAX;
		lath_model_image_settle(&draft->images[LATH_OBJECT_VPC][LATH_MODEL_HOST_VPC], NULL,
				&draft->registry->next_stamp);
		return 0;
	}
	rc = host_vpc_init(&host, u);
	if (rc < 0)
		return rc;
	draft->host_port = (uint16_t)u->cfg->system.port_count;
	return set_vpc(u, &host.vpc, LATH_MODEL_HOST_VPC, attachment, NULL);
}

static void
drop_images(struct draft *draft, enum lath_object_kind kind)
{
	for (uint32_t i = 0; i < draft->high[kind]; i++) {
		if (draft->slots[kind][i].use == SLOT_RELEASED)
			lath_model_image_settle(&draft->images[kind][i], NULL,
					&draft->registry->next_stamp);
	}
}

static int
check_ports(const struct update *u)
{
	uint32_t ports = u->cfg->system.port_count + (u->cfg->system.host_port_enabled ? 1 : 0);

	if (ports <= LATH_MODEL_PORTS_MAX)
		return 0;
	lath_error_set(u->err, "/system/ports", "%u ports and the host port are more than %u.",
			u->cfg->system.port_count, LATH_MODEL_PORTS_MAX);
	return lath_err(ENOSPC);
}

static int
set_all(struct update *u, struct vpc_indexes *x)
{
	const struct lath_config *cfg = u->cfg;
	int rc = 0;

	for (uint32_t i = 0; i < count_all(cfg) && rc == 0; i++)
		rc = set_vpc(u, vpc_at(cfg, i), x->vpcs[i], x->attachments + x->firsts[i], x);
	if (rc == 0)
		rc = set_host(u, &x->attachments[x->attachment_count]);
	if (rc == 0)
		rc = lath_model_entrances_take(u);
	if (rc == 0)
		rc = set_rows(u);
	if (rc == 0)
		rc = lath_model_positions_set(&u->draft->positions[LATH_OBJECT_VPC], x->vpcs,
				count_all(cfg), NULL, 0);
	if (rc == 0)
		rc = lath_model_positions_set(&u->draft->positions[LATH_OBJECT_ATTACHMENT],
				x->attachments, x->attachment_count, x->firsts, count_all(cfg));
	return rc;
}

int
lath_model_vpcs_take(struct update *u)
{
	struct vpc_indexes x = {.vpcs = NULL};
	int rc = check_ports(u);

	if (rc == 0)
		rc = vpc_indexes_init(&x, u->cfg);
	if (rc == 0)
		rc = assign_vpcs(u, &x);
	if (rc == 0)
		rc = assign_attachments(u, &x);
	if (rc == 0) {
		drop_images(u->draft, LATH_OBJECT_VPC);
		drop_images(u->draft, LATH_OBJECT_ATTACHMENT);
		rc = set_all(u, &x);
	}
	vpc_indexes_fini(&x);
	return rc;
}
