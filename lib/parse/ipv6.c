/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_cksum.h>

#include "parse_private.h"

#define HEADERS_MAX 8u /* of one packet; RFC 8200 section 4.1 foresees six */

#define ROUTING_TYPE 2
#define ROUTING_SEGMENTS_LEFT 3

static bool
is_extension(uint8_t next_header)
{
	return next_header == LATH_IPV6_HOP_BY_HOP || next_header == LATH_IPV6_ROUTING ||
			next_header == LATH_IPV6_FRAGMENT || next_header == LATH_IPV6_DESTINATION;
}

/* One header at `upper->l4_offset`, of which `left` bytes belong to the packet. */
static enum lath_drop
step(const uint8_t *header, uint32_t left, uint32_t present, bool first,
		struct lath_ipv6_upper *upper)
{
	uint32_t len = sizeof(struct lath_ipv6_fragment_hdr);

	if (left < len)
		return LATH_DROP_ipv6_extension;
	if (present < len)
		return LATH_DROP_ip_malformed;
	if (upper->proto == LATH_IPV6_FRAGMENT) {
		if (upper->fragment_offset != 0)
			return LATH_DROP_ipv6_extension;
		upper->fragment_offset = upper->l4_offset;
	} else {
		len += (uint32_t)header[1] * 8;
	}
	/* RFC 8200 section 4.3: hop by hop only stands right behind the IPv6 header. */
	if (len > left || (upper->proto == LATH_IPV6_HOP_BY_HOP && !first))
		return LATH_DROP_ipv6_extension;
	/* RFC 5095 section 3; of other types only those that are done, or the address in the IPv6
	 * header would not be the last one.
	 */
	if (upper->proto == LATH_IPV6_ROUTING &&
			(header[ROUTING_TYPE] == 0 || header[ROUTING_SEGMENTS_LEFT] != 0))
		return LATH_DROP_ipv6_routing;
	upper->proto = header[0];
	upper->l4_offset = (uint16_t)(upper->l4_offset + len);
	return LATH_DROP_NONE;
}

/* True when what follows is not the transport header but data behind it. */
static bool
is_later_fragment(const uint8_t *ip, const struct lath_ipv6_upper *upper)
{
	const struct lath_ipv6_fragment_hdr *fragment = (const void *)(ip + upper->fragment_offset);

	return upper->fragment_offset != 0 &&
			(lath_from_be16(fragment->offset_more_be) & LATH_IPV6_OFFSET_MASK) != 0;
}

enum lath_drop
lath_parse_ipv6_walk(const uint8_t *ip, uint32_t ip_len, uint32_t present,
		struct lath_ipv6_upper *upper)
{
	const struct lath_ipv6_hdr *hdr = (const void *)ip;

	*upper = (struct lath_ipv6_upper){.l4_offset = sizeof(*hdr), .proto = hdr->next_header};
	for (unsigned i = 0; is_extension(upper->proto); i++) {
		uint32_t at = upper->l4_offset;
		enum lath_drop reason;

		if (i == HEADERS_MAX)
			return LATH_DROP_ipv6_extension;
		if (present < at)
			return LATH_DROP_ip_malformed;
		reason = step(ip + at, ip_len - at, present - at, i == 0, upper);
		if (reason != LATH_DROP_NONE)
			return reason;
		if (is_later_fragment(ip, upper))
			break;
	}
	return present < upper->l4_offset ? LATH_DROP_ip_malformed : LATH_DROP_NONE;
}

bool
lath_parse_is_martian_v6(const uint8_t ip[16])
{
	static const uint8_t zero[10];

	/* RFC 4291 sections 2.7 and 2.5.6: multicast; a link-local address means nothing in
	 * another VPC, whose link is another.
	 */
	if (ip[0] == 0xff || (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80))
		return true;
	/* ::/96 and ::ffff:0:0/96: unspecified, loopback, IPv4-compatible and -mapped (RFC 4291
	 * sections 2.5.2, 2.5.3, 2.5.5).
	 */
	return memcmp(ip, zero, sizeof(zero)) == 0 &&
			((ip[10] == 0 && ip[11] == 0) || (ip[10] == 0xff && ip[11] == 0xff));
}

static enum lath_drop
parse_udp(const uint8_t *l4, uint32_t l4_len, uint32_t present, lath_be16_t ports[2])
{
	const struct lath_udp_hdr *udp = (const void *)l4;
	enum lath_drop reason = lath_parse_udp(l4, l4_len, present, ports);

	/* RFC 8200 section 8.1: receivers must discard. */
	if (reason == LATH_DROP_NONE && udp->cksum_be == lath_to_be16(0))
		return LATH_DROP_udp_no_cksum;
	return reason;
}

/* The sum of an echo is verified when all of it is there, that of an error when its quote is read. */
static enum lath_drop
parse_icmp(const struct lath_ipv6_hdr *ip, const uint8_t *l4, uint32_t l4_len, uint32_t present,
		struct lath_packet *pkt, lath_be16_t ports[2])
{
	const struct lath_icmp_echo_hdr *icmp = (const void *)l4;

	if (l4_len < sizeof(*icmp) || present < sizeof(*icmp))
		return LATH_DROP_l4_malformed;
	pkt->icmp_type = icmp->type;
	ports[0] = lath_to_be16(0);
	ports[1] = ports[0];
	if (icmp->type >= 1 && icmp->type <= 4)
		return LATH_DROP_NONE;
	if ((icmp->type != LATH_ICMPV6_ECHO && icmp->type != LATH_ICMPV6_ECHO_REPLY) ||
			icmp->code != 0)
		return LATH_DROP_icmp_type;
	if (present >= l4_len && lath_cksum_l4_v6(ip, LATH_PROTO_ICMPV6, l4, l4_len) != 0)
		return LATH_DROP_icmp_cksum;
	ports[0] = icmp->id_be;
	ports[1] = icmp->id_be;
	return LATH_DROP_NONE;
}

static enum lath_drop
parse_upper(const uint8_t *ip, uint32_t ip_len, uint32_t present,
		const struct lath_ipv6_upper *upper, struct lath_packet *pkt)
{
	const uint8_t *l4 = ip + upper->l4_offset;
	uint32_t l4_len = ip_len - upper->l4_offset;
	lath_be16_t ports[2];
	enum lath_drop reason;

	present -= upper->l4_offset;
	pkt->tcp_flags = 0;
	pkt->icmp_type = 0;
	switch (upper->proto) {
	case LATH_PROTO_TCP:
		reason = lath_parse_tcp(l4, l4_len, present, pkt, ports);
		break;
	case LATH_PROTO_UDP:
		reason = parse_udp(l4, l4_len, present, ports);
		break;
	case LATH_PROTO_ICMPV6:
		reason = parse_icmp((const void *)ip, l4, l4_len, present, pkt, ports);
		break;
	default:
		return LATH_DROP_protocol;
	}
	if (reason != LATH_DROP_NONE)
		return reason;
	pkt->key6.src_port_be = ports[0];
	pkt->key6.dst_port_be = ports[1];
	return LATH_DROP_NONE;
}

/* RFC 6946: one whose fragment header says that it is the whole passes like any other. */
static bool
is_fragment(const uint8_t *ip, const struct lath_ipv6_upper *upper)
{
	const struct lath_ipv6_fragment_hdr *fragment = (const void *)(ip + upper->fragment_offset);

	return upper->fragment_offset != 0 &&
			(lath_from_be16(fragment->offset_more_be) &
					(LATH_IPV6_OFFSET_MASK | LATH_IPV6_MORE)) != 0;
}

enum lath_drop
lath_parse_ipv6(const uint8_t *data, uint32_t len, uint32_t frame_len, struct lath_packet *pkt)
{
	const struct lath_ipv6_hdr *ip = (const void *)(data + pkt->l3_offset);
	struct lath_ipv6_upper upper;
	enum lath_drop reason;
	uint32_t ip_len;
	uint32_t present;

	if (len < pkt->l3_offset + sizeof(*ip) || data[pkt->l3_offset] >> 4 != 6)
		return LATH_DROP_ip_malformed;
	ip_len = (uint32_t)lath_from_be16(ip->payload_len_be) + (uint32_t)sizeof(*ip);
	if (ip_len > frame_len - pkt->l3_offset || ip_len > UINT16_MAX)
		return LATH_DROP_ip_malformed;
	if (lath_parse_is_martian_v6(ip->src) || lath_parse_is_martian_v6(ip->dst) ||
			memcmp(ip->src, ip->dst, sizeof(ip->src)) == 0)
		return LATH_DROP_martian;
	present = lath_min_u32(len - pkt->l3_offset, ip_len);
	reason = lath_parse_ipv6_walk((const void *)ip, ip_len, present, &upper);
	if (reason != LATH_DROP_NONE)
		return reason;
	if (is_fragment((const void *)ip, &upper))
		return LATH_DROP_fragment;
	pkt->family = LATH_FAMILY_IPV6;
	pkt->proto = upper.proto;
	pkt->ip_len = (uint16_t)ip_len;
	pkt->l4_offset = (uint16_t)(pkt->l3_offset + upper.l4_offset);
	memcpy(pkt->key6.src, ip->src, 16);
	memcpy(pkt->key6.dst, ip->dst, 16);
	pkt->key6.proto_vpc = lath_key_proto_vpc(upper.proto, 0);
	return parse_upper((const void *)ip, ip_len, present, &upper, pkt);
}
