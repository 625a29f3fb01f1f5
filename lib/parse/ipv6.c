/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "lath_parse.h"

/*
 * The room behind this door is small for now: the host port speaks TCP without extension headers,
 * and everything else that a kernel says by itself (router solicitations, MLD) is noise.
 */
enum lath_drop
lath_parse_ipv6(const uint8_t *data, uint32_t len, uint32_t frame_len, struct lath_packet *pkt)
{
	const struct lath_ipv6_hdr *ip = (const void *)(data + pkt->l3_offset);
	const struct lath_tcp_hdr *tcp = (const void *)(ip + 1);
	uint32_t payload_len;
	uint32_t header_len;

	if (len < pkt->l3_offset + sizeof(*ip) || data[pkt->l3_offset] >> 4 != 6)
		return LATH_DROP_ip_malformed;
	payload_len = lath_from_be16(ip->payload_len_be);
	if (payload_len + sizeof(*ip) > frame_len - pkt->l3_offset ||
			payload_len + sizeof(*ip) > UINT16_MAX)
		return LATH_DROP_ip_malformed;
	if (ip->next_header != LATH_PROTO_TCP)
		return LATH_DROP_protocol;
	if (payload_len < sizeof(*tcp) || len < pkt->l3_offset + sizeof(*ip) + sizeof(*tcp))
		return LATH_DROP_l4_malformed;
	header_len = (uint32_t)(tcp->offset >> 4) * 4;
	if (header_len < sizeof(*tcp) || header_len > payload_len ||
			len < pkt->l3_offset + sizeof(*ip) + header_len)
		return LATH_DROP_l4_malformed;
	pkt->family = LATH_FAMILY_IPV6;
	pkt->proto = ip->next_header;
	pkt->ip_len = (uint16_t)(payload_len + sizeof(*ip));
	pkt->l4_offset = (uint16_t)(pkt->l3_offset + sizeof(*ip));
	pkt->tcp_flags = tcp->flags;
	pkt->icmp_type = 0;
	memcpy(pkt->key6.src, ip->src, 16);
	memcpy(pkt->key6.dst, ip->dst, 16);
	pkt->key6.src_port_be = tcp->src_port_be;
	pkt->key6.dst_port_be = tcp->dst_port_be;
	pkt->key6.proto_vpc = lath_key_proto_vpc(ip->next_header, 0);
	return LATH_DROP_NONE;
}
