/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_cksum.h>

#include "parse_private.h"

static inline bool
is_error(uint8_t icmp_type)
{
	return icmp_type == LATH_ICMP_UNREACHABLE || icmp_type == LATH_ICMP_TIME_EXCEEDED ||
			icmp_type == LATH_ICMP_PARAMETER;
}

/* `present` bytes of the message's `l4_len` lie in this segment; its checksum can be verified
 * only when all do (RFC 5508 REQ-3a). That of an error is verified when its quote is read.
 */
static enum lath_drop
parse_icmp(const uint8_t *l4, uint32_t l4_len, uint32_t present, struct lath_packet *pkt)
{
	const struct lath_icmp_echo_hdr *icmp = (const void *)l4;

	if (l4_len < sizeof(*icmp) || present < sizeof(*icmp))
		return LATH_DROP_l4_malformed;
	pkt->icmp_type = icmp->type;
	if (is_error(icmp->type)) {
		pkt->key4.src_port_be = lath_to_be16(0);
		pkt->key4.dst_port_be = lath_to_be16(0);
		return LATH_DROP_NONE;
	}
	if ((icmp->type != LATH_ICMP_ECHO && icmp->type != LATH_ICMP_ECHO_REPLY) || icmp->code != 0)
		return LATH_DROP_icmp_type;
	if (present >= l4_len && lath_cksum_fold(lath_cksum_partial(l4, l4_len, 0)) != 0xffff)
		return LATH_DROP_icmp_cksum;
	pkt->key4.src_port_be = icmp->id_be;
	pkt->key4.dst_port_be = icmp->id_be;
	return LATH_DROP_NONE;
}

static enum lath_drop
parse_l4(const uint8_t *l4, uint32_t l4_len, uint32_t present, struct lath_packet *pkt)
{
	lath_be16_t ports[2];
	enum lath_drop reason;

	pkt->tcp_flags = 0;
	pkt->icmp_type = 0;
	switch (pkt->proto) {
	case LATH_PROTO_TCP:
		reason = lath_parse_tcp(l4, l4_len, present, pkt, ports);
		break;
	case LATH_PROTO_UDP:
		reason = lath_parse_udp(l4, l4_len, present, ports);
		break;
	case LATH_PROTO_ICMP:
		return parse_icmp(l4, l4_len, present, pkt);
	default:
		return LATH_DROP_protocol;
	}
	if (reason != LATH_DROP_NONE)
		return reason;
	pkt->key4.src_port_be = ports[0];
	pkt->key4.dst_port_be = ports[1];
	return LATH_DROP_NONE;
}

/* Options are not carried: no host needs them, and routers drop or delay them (RFC 7126). Those that
 * route by source would lead around where a packet may go, and are told apart (RFC 7126 section 4.3,
 * 4.4). `options` begins behind the fixed header.
 */
static enum lath_drop
options_reason(const uint8_t *options, uint32_t len)
{
	uint32_t at = 0;

	while (at < len && options[at] != LATH_IPV4_OPTION_END) {
		if (options[at] == LATH_IPV4_OPTION_LSRR || options[at] == LATH_IPV4_OPTION_SSRR)
			return LATH_DROP_ip_source_route;
		if (options[at] == LATH_IPV4_OPTION_NOP)
			at++;
		else if (at + 1 >= len || options[at + 1] < 2)
			break; /* no length to go by */
		else
			at += options[at + 1];
	}
	return LATH_DROP_ip_options;
}

static enum lath_drop
check_addresses(const struct lath_ipv4_hdr *ip)
{
	uint32_t dst = lath_from_be32(ip->dst_be);

	if (lath_parse_is_martian_v4(ip->src_be))
		return LATH_DROP_martian;
	if (ip->src_be == ip->dst_be)
		return LATH_DROP_land;
	if (dst >> 28 == 0xe || dst == UINT32_MAX)
		return LATH_DROP_multicast;
	return lath_parse_is_martian_v4(ip->dst_be) ? LATH_DROP_martian : LATH_DROP_NONE;
}

enum lath_drop
lath_parse_ipv4(const uint8_t *data, uint32_t len, uint32_t frame_len, bool verified,
		struct lath_packet *pkt)
{
	const struct lath_ipv4_hdr *ip = (const void *)(data + pkt->l3_offset);
	uint32_t header_len = sizeof(*ip);
	uint32_t ip_len;
	enum lath_drop reason;

	if (len < pkt->l3_offset + sizeof(*ip) || ip->version_ihl >> 4 != 4 ||
			(ip->version_ihl & 0xf) < 5)
		return LATH_DROP_ip_malformed;
	ip_len = lath_from_be16(ip->total_len_be);
	header_len = (uint32_t)(ip->version_ihl & 0xf) * 4;
	if (ip_len < header_len || ip_len > frame_len - pkt->l3_offset ||
			len < pkt->l3_offset + header_len)
		return LATH_DROP_ip_malformed;
	if (header_len != sizeof(*ip))
		return lath_cksum_ipv4_header(ip, header_len) != 0
				? LATH_DROP_ip_cksum
				: options_reason((const uint8_t *)(ip + 1),
						  header_len - sizeof(*ip));
	if (!verified && !lath_cksum_ipv4_holds(ip))
		return LATH_DROP_ip_cksum;
	reason = check_addresses(ip);
	if (reason != LATH_DROP_NONE)
		return reason;
	if ((lath_from_be16(ip->fragment_be) & (LATH_IPV4_MF | LATH_IPV4_OFFSET_MASK)) != 0)
		return LATH_DROP_fragment;
	pkt->family = LATH_FAMILY_IPV4;
	pkt->proto = ip->proto;
	pkt->ip_len = (uint16_t)ip_len;
	pkt->l4_offset = (uint16_t)(pkt->l3_offset + header_len);
	pkt->key4.src_be = ip->src_be;
	pkt->key4.dst_be = ip->dst_be;
	pkt->key4.proto_vpc = lath_key_proto_vpc(ip->proto, 0);
	return parse_l4(data + pkt->l4_offset, ip_len - header_len, len - pkt->l4_offset, pkt);
}
