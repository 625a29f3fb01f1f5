/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_cksum.h>

#include "icmperr_private.h"

/* The tuple of the quoted transport header as (source, destination). False for what no flow is
 * made of.
 */
static bool
quoted_ports(const uint8_t *l4, uint8_t proto, lath_be16_t *src_port_be, lath_be16_t *dst_port_be)
{
	const struct lath_icmp_echo_hdr *echo = (const void *)l4;

	switch (proto) {
	case LATH_PROTO_TCP:
	case LATH_PROTO_UDP:
		memcpy(src_port_be, l4, sizeof(*src_port_be));
		memcpy(dst_port_be, l4 + 2, sizeof(*dst_port_be));
		return true;
	case LATH_PROTO_ICMP:
		if (echo->type != LATH_ICMP_ECHO && echo->type != LATH_ICMP_ECHO_REPLY)
			return false;
		break;
	case LATH_PROTO_ICMPV6:
		if (echo->type != ECHO_V6_REQUEST && echo->type != ECHO_V6_REPLY)
			return false;
		break;
	default:
		return false;
	}
	*src_port_be = echo->id_be;
	*dst_port_be = echo->id_be;
	return echo->code == 0;
}

/* `area` bytes may be the quoted packet's. */
static enum lath_drop
parse_quote_v4(const uint8_t *quote, uint32_t area, struct lath_icmperr *err)
{
	const struct lath_ipv4_hdr *hdr = (const void *)quote;
	uint32_t header_len;

	if (area < sizeof(*hdr) || hdr->version_ihl >> 4 != 4 || (hdr->version_ihl & 0xf) < 5)
		return LATH_DROP_icmp_quote;
	header_len = (uint32_t)(hdr->version_ihl & 0xf) * 4;
	area = lath_min_u32(area, lath_from_be16(hdr->total_len_be));
	if (area < header_len + QUOTE_L4_MIN)
		return LATH_DROP_icmp_quote;
	if (lath_cksum_ipv4_header(hdr, header_len) != 0)
		return LATH_DROP_icmp_quote_cksum;
	if ((lath_from_be16(hdr->fragment_be) & LATH_IPV4_OFFSET_MASK) != 0)
		return LATH_DROP_icmp_quote;
	/* The same number means another protocol over IPv6. */
	if (hdr->proto == LATH_PROTO_ICMPV6 ||
			!quoted_ports(quote + header_len, hdr->proto, &err->key4.dst_port_be,
					&err->key4.src_port_be))
		return LATH_DROP_icmp_quote;
	err->quote_proto = hdr->proto;
	err->quote_len = (uint16_t)area;
	err->quote_l4_offset = (uint16_t)(err->quote_offset + header_len);
	err->key4.src_be = hdr->dst_be;
	err->key4.dst_be = hdr->src_be;
	err->key4.proto_vpc = lath_key_proto_vpc(hdr->proto, 0);
	return LATH_DROP_NONE;
}

static enum lath_drop
parse_quote_v6(const uint8_t *quote, uint32_t area, struct lath_icmperr *err)
{
	const struct lath_ipv6_hdr *hdr = (const void *)quote;
	struct walk walk;

	if (area < sizeof(*hdr) || quote[0] >> 4 != 6)
		return LATH_DROP_icmp_quote;
	area = lath_min_u32(area, lath_from_be16(hdr->payload_len_be) + (uint32_t)sizeof(*hdr));
	if (!lath_icmperr_walk(quote, area, &walk) || area < walk.l4_offset + QUOTE_L4_MIN)
		return LATH_DROP_icmp_quote;
	if (walk.proto == LATH_PROTO_ICMP ||
			!quoted_ports(quote + walk.l4_offset, walk.proto, &err->key6.dst_port_be,
					&err->key6.src_port_be))
		return LATH_DROP_icmp_quote;
	err->quote_proto = walk.proto;
	err->quote_len = (uint16_t)area;
	err->quote_l4_offset = (uint16_t)(err->quote_offset + walk.l4_offset);
	if (walk.fragment != 0)
		err->quote_fragment = (uint16_t)(err->quote_offset + walk.fragment);
	memcpy(err->key6.src, hdr->dst, sizeof(hdr->dst));
	memcpy(err->key6.dst, hdr->src, sizeof(hdr->src));
	err->key6.proto_vpc = lath_key_proto_vpc(walk.proto, 0);
	return LATH_DROP_NONE;
}

/* Notes the extension of the message whose body is `body_len` bytes; returns what is the quote's. */
static uint32_t
find_extension(const uint8_t *ip, uint32_t body_len, uint32_t stated, struct lath_icmperr *err)
{
	uint32_t extension_len;
	uint32_t area = lath_icmperr_split(ip + err->quote_offset, body_len, stated,
			&extension_len);

	if (extension_len != 0) {
		err->extension_offset = (uint16_t)(err->quote_offset + area);
		err->extension_len = (uint16_t)extension_len;
	}
	return area;
}

enum lath_drop
lath_icmperr_parse_v4(const uint8_t *ip, uint32_t len, struct lath_icmperr *err)
{
	const struct lath_ipv4_hdr *hdr = (const void *)ip;
	struct lath_icmperr found = {.family = LATH_FAMILY_IPV4};
	const struct error_hdr *icmp;
	uint32_t header_len;
	uint32_t area;
	enum lath_drop drop;

	if (len < sizeof(*hdr) || hdr->version_ihl >> 4 != 4 || (hdr->version_ihl & 0xf) < 5)
		return LATH_DROP_ip_malformed;
	header_len = (uint32_t)(hdr->version_ihl & 0xf) * 4;
	if (lath_from_be16(hdr->total_len_be) > len)
		return LATH_DROP_ip_malformed;
	len = lath_from_be16(hdr->total_len_be);
	if ((lath_from_be16(hdr->fragment_be) & (LATH_IPV4_MF | LATH_IPV4_OFFSET_MASK)) != 0)
		return LATH_DROP_fragment;
	if (hdr->proto != LATH_PROTO_ICMP)
		return LATH_DROP_protocol;
	if (len < header_len + sizeof(*icmp))
		return LATH_DROP_l4_malformed;
	icmp = (const void *)(ip + header_len);
	if (lath_cksum_message(icmp, len - header_len) != 0)
		return LATH_DROP_icmp_cksum;
	if (icmp->type != LATH_ICMPERR_V4_UNREACHABLE &&
			icmp->type != LATH_ICMPERR_V4_TIME_EXCEEDED &&
			icmp->type != LATH_ICMPERR_V4_PARAMETER)
		return LATH_DROP_icmp_type;
	found.type = icmp->type;
	found.code = icmp->code;
	found.len = (uint16_t)len;
	found.icmp_offset = (uint16_t)header_len;
	found.quote_offset = (uint16_t)(header_len + sizeof(*icmp));
	if (icmp->type == LATH_ICMPERR_V4_UNREACHABLE && icmp->code == LATH_ICMPERR_V4_TOO_BIG_CODE)
		found.mtu = lath_from_be32(icmp->rest_be) & UINT16_MAX;
	if (icmp->type == LATH_ICMPERR_V4_PARAMETER)
		found.pointer = icmp->rest[0];
	area = find_extension(ip, len - found.quote_offset, icmp->rest[1] * 4u, &found);
	drop = parse_quote_v4(ip + found.quote_offset, area, &found);
	if (drop == LATH_DROP_NONE)
		*err = found;
	return drop;
}

enum lath_drop
lath_icmperr_parse_v6(const uint8_t *ip, uint32_t len, struct lath_icmperr *err)
{
	const struct lath_ipv6_hdr *hdr = (const void *)ip;
	struct lath_icmperr found = {.family = LATH_FAMILY_IPV6};
	const struct error_hdr *icmp;
	uint32_t stated = 0;
	struct walk walk;
	uint32_t area;
	enum lath_drop drop;

	if (len < sizeof(*hdr) || ip[0] >> 4 != 6)
		return LATH_DROP_ip_malformed;
	if (lath_from_be16(hdr->payload_len_be) > lath_min_u32(len, UINT16_MAX) - sizeof(*hdr))
		return LATH_DROP_ip_malformed;
	len = lath_from_be16(hdr->payload_len_be) + (uint32_t)sizeof(*hdr);
	if (!lath_icmperr_walk(ip, len, &walk))
		return LATH_DROP_ip_malformed;
	if (walk.fragment != 0)
		return LATH_DROP_fragment;
	if (walk.proto != LATH_PROTO_ICMPV6)
		return LATH_DROP_protocol;
	if (len < walk.l4_offset + sizeof(*icmp))
		return LATH_DROP_l4_malformed;
	icmp = (const void *)(ip + walk.l4_offset);
	if (lath_cksum_l4_v6(hdr, LATH_PROTO_ICMPV6, icmp, len - walk.l4_offset) != 0)
		return LATH_DROP_icmp_cksum;
	if (icmp->type < LATH_ICMPERR_V6_UNREACHABLE || icmp->type > LATH_ICMPERR_V6_PARAMETER)
		return LATH_DROP_icmp_type;
	found.type = icmp->type;
	found.code = icmp->code;
	found.len = (uint16_t)len;
	found.icmp_offset = (uint16_t)walk.l4_offset;
	found.quote_offset = (uint16_t)(walk.l4_offset + sizeof(*icmp));
	if (icmp->type == LATH_ICMPERR_V6_TOO_BIG)
		found.mtu = lath_from_be32(icmp->rest_be);
	else if (icmp->type == LATH_ICMPERR_V6_PARAMETER)
		found.pointer = lath_from_be32(icmp->rest_be);
	else /* RFC 4884 section 4.4 and 4.5: the other two have no length field */
		stated = icmp->rest[0] * 8u;
	area = find_extension(ip, len - found.quote_offset, stated, &found);
	drop = parse_quote_v6(ip + found.quote_offset, area, &found);
	if (drop == LATH_DROP_NONE)
		*err = found;
	return drop;
}
