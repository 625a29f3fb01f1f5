/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* The router's own advertisement: RFC 4861 section 4.2, routes by RFC 4191. */

#include "nd_private.h"

#define PREFIX_ON_LINK 0x80
#define PREFIX_AUTONOMOUS 0x40

/* Where options go. */
struct room {
	uint8_t *at;
	const uint8_t *end;
};

/* NULL: no room. */
static void *
take(struct room *room, uint32_t len)
{
	uint8_t *at = room->at;

	if ((size_t)(room->end - at) < len)
		return NULL;
	memset(at, 0, len);
	room->at += len;
	return at;
}

static void
put_mtu(struct room *room, uint32_t mtu)
{
	struct nd_option_mtu *option = mtu == 0 ? NULL : take(room, sizeof(*option));

	if (option == NULL)
		return;
	option->option = (struct nd_option){ND_OPTION_MTU, 1};
	option->mtu_be = lath_to_be32(mtu);
}

static void
put_prefix(struct room *room, const struct lath_nd_prefix *prefix)
{
	struct lath_prefix network = lath_prefix_network(&prefix->prefix);
	struct nd_option_prefix *option = take(room, sizeof(*option));

	if (option == NULL)
		return;
	option->option = (struct nd_option){ND_OPTION_PREFIX, 4};
	option->bits = network.bits;
	option->flags = (uint8_t)((prefix->on_link ? PREFIX_ON_LINK : 0) |
			(prefix->autonomous ? PREFIX_AUTONOMOUS : 0));
	option->valid_s_be = lath_to_be32(prefix->valid_s);
	option->preferred_s_be = lath_to_be32(prefix->preferred_s);
	memcpy(option->prefix, network.ip.bytes, 16);
}

/* RFC 4191 section 2.3: one unit without prefix, two up to /64, else three. Preference 00: medium. */
static void
put_route(struct room *room, const struct lath_nd_route *route)
{
	struct lath_prefix network = lath_prefix_network(&route->prefix);
	uint32_t prefix_len = network.bits == 0 ? 0 : network.bits <= 64 ? 8 : 16;
	struct nd_option_route *option = take(room, (uint32_t)sizeof(*option) + prefix_len);

	if (option == NULL)
		return;
	option->option = (struct nd_option){
			ND_OPTION_ROUTE, (uint8_t)(1 + prefix_len / ND_OPTION_UNIT)};
	option->bits = network.bits;
	option->lifetime_s_be = lath_to_be32(route->lifetime_s);
	memcpy(option + 1, network.ip.bytes, prefix_len);
}

uint32_t
lath_nd_make_router(uint8_t *frame, uint32_t room_len, const struct lath_nd_router *msg)
{
	const uint32_t front = sizeof(struct lath_eth_hdr) + sizeof(struct lath_vlan_hdr) +
			sizeof(struct lath_ipv6_hdr) + sizeof(struct nd_router) +
			sizeof(struct nd_option_mac);
	struct lath_ipv6_hdr *ip;
	struct nd_router *hdr;
	struct room room;

	if (room_len < front)
		return 0;
	ip = lath_nd_begin(frame, msg->vlan, &msg->eth_dst, &msg->mac, &msg->src, &msg->dst);
	hdr = (void *)(ip + 1);
	/* Times that hosts keep are their own to choose: 0. */
	*hdr = (struct nd_router){
			.icmp.type = LATH_ND_ROUTER_ADVERTISEMENT,
			.hop_limit = msg->hop_limit,
			.lifetime_s_be = lath_to_be16(msg->lifetime_s),
	};
	room = (struct room){lath_nd_put_mac((uint8_t *)(hdr + 1), ND_OPTION_SOURCE_MAC, &msg->mac),
			frame + room_len};
	put_mtu(&room, msg->mtu);
	for (uint32_t i = 0; i < msg->prefix_count; i++)
		put_prefix(&room, &msg->prefixes[i]);
	for (uint32_t i = 0; i < msg->route_count; i++)
		put_route(&room, &msg->routes[i]);
	return lath_nd_finish(frame, ip, room.at);
}
