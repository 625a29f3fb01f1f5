/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Reading. A hop limit of 255 is what keeps all of this on the link: nothing that a router has
 * passed on is believed. Extension headers in front (a fragment header above all, RFC 6980) make a
 * packet none of ours: lath_nd_is() looks at the first header only.
 */

#include "nd_private.h"

static const uint8_t unspecified[16];

static bool
is_multicast(const uint8_t ip[16])
{
	return ip[0] == 0xff;
}

static bool
is_link_local(const uint8_t ip[16])
{
	return ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
}

static bool
is_solicited_node(const uint8_t ip[16])
{
	static const uint8_t front[13] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};

	return memcmp(ip, front, sizeof(front)) == 0;
}

bool
lath_nd_is(const uint8_t *ip, uint32_t len)
{
	const struct lath_ipv6_hdr *hdr = (const void *)ip;

	return len > sizeof(*hdr) && ip[0] >> 4 == 6 && hdr->next_header == LATH_PROTO_ICMPV6 &&
			ip[sizeof(*hdr)] >= LATH_ND_ROUTER_SOLICITATION &&
			ip[sizeof(*hdr)] <= LATH_ND_REDIRECT;
}

/* Bytes before the options. */
static uint32_t
fixed_len(uint8_t type)
{
	switch (type) {
	case LATH_ND_ROUTER_SOLICITATION:
		return 8;
	case LATH_ND_ROUTER_ADVERTISEMENT:
		return sizeof(struct nd_router);
	case LATH_ND_REDIRECT:
		return 40;
	default:
		return sizeof(struct nd_neighbor);
	}
}

/* Every option is walked: none may have the length 0 or reach beyond the message. The last
 * link-layer address of the kind that the message carries is taken.
 */
static bool
read_options(const uint8_t *at, uint32_t left, struct lath_nd_message *message)
{
	uint8_t wanted = message->type == LATH_ND_NEIGHBOR_ADVERTISEMENT ||
					message->type == LATH_ND_REDIRECT
			? ND_OPTION_TARGET_MAC
			: ND_OPTION_SOURCE_MAC;

	while (left > 0) {
		const struct nd_option_mac *option = (const void *)at;
		uint32_t len;

		if (left < ND_OPTION_UNIT)
			return false;
		len = option->option.len * ND_OPTION_UNIT;
		if (len == 0 || len > left)
			return false;
		if (option->option.type == wanted) {
			/* RFC 2464 section 6: a MAC fills one unit. */
			if (len != ND_OPTION_UNIT)
				return false;
			message->mac = option->mac;
			message->has_mac = true;
		}
		at += len;
		left -= len;
	}
	return true;
}

static bool
is_valid_neighbor(const struct lath_ipv6_hdr *ip, const struct nd_neighbor *hdr,
		struct lath_nd_message *message)
{
	uint32_t flags = lath_from_be32(hdr->flags_be);

	if (is_multicast(hdr->target))
		return false;
	message->target = lath_ip_from_v6(hdr->target);
	if (message->type == LATH_ND_NEIGHBOR_SOLICITATION)
		return memcmp(ip->src, unspecified, 16) != 0 ||
				(is_solicited_node(ip->dst) && !message->has_mac);
	message->from_router = (flags & ND_FLAG_ROUTER) != 0;
	message->is_solicited = (flags & ND_FLAG_SOLICITED) != 0;
	message->overrides = (flags & ND_FLAG_OVERRIDE) != 0;
	return !is_multicast(ip->dst) || !message->is_solicited;
}

/* What is asked of each type alone. */
static bool
is_valid(const struct lath_ipv6_hdr *ip, const uint8_t *body, struct lath_nd_message *message)
{
	switch (message->type) {
	case LATH_ND_ROUTER_SOLICITATION:
		return memcmp(ip->src, unspecified, 16) != 0 || !message->has_mac;
	case LATH_ND_ROUTER_ADVERTISEMENT:
		return is_link_local(ip->src);
	case LATH_ND_REDIRECT:
		return is_link_local(ip->src) && !is_multicast(body + 24) &&
				(is_link_local(body + 8) || memcmp(body + 8, body + 24, 16) == 0);
	default:
		return is_valid_neighbor(ip, (const void *)body, message);
	}
}

enum lath_drop
lath_nd_parse(const uint8_t *ip, uint32_t len, struct lath_nd_message *message)
{
	const struct lath_ipv6_hdr *hdr = (const void *)ip;
	const struct nd_icmp *icmp = (const void *)(hdr + 1);
	uint32_t icmp_len;
	struct lath_nd_message read = {0};

	if (len < sizeof(*hdr) + sizeof(*icmp))
		return LATH_DROP_nd_malformed;
	icmp_len = lath_from_be16(hdr->payload_len_be);
	if (icmp_len > len - sizeof(*hdr) || icmp_len < fixed_len(icmp->type))
		return LATH_DROP_nd_malformed;
	if (hdr->hop_limit != LATH_ND_HOP_LIMIT)
		return LATH_DROP_nd_hop_limit;
	if (lath_cksum_l4_v6(hdr, LATH_PROTO_ICMPV6, icmp, icmp_len) != 0)
		return LATH_DROP_icmp_cksum;
	/* RFC 4291 section 2.7: nobody is a group. */
	if (icmp->code != 0 || is_multicast(hdr->src))
		return LATH_DROP_nd_malformed;
	read.type = icmp->type;
	read.src = lath_ip_from_v6(hdr->src);
	read.dst = lath_ip_from_v6(hdr->dst);
	read.ip_len = (uint16_t)(sizeof(*hdr) + icmp_len);
	if (!read_options((const uint8_t *)icmp + fixed_len(icmp->type),
			    icmp_len - fixed_len(icmp->type), &read) ||
			!is_valid(hdr, (const uint8_t *)icmp, &read))
		return LATH_DROP_nd_malformed;
	*message = read;
	return LATH_DROP_NONE;
}
