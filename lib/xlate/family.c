/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "lath_xlate.h"

/* How many bytes longer the IPv6 header is. */
#define FAMILY_SHIFT (sizeof(struct lath_ipv6_hdr) - sizeof(struct lath_ipv4_hdr))

static void
rewrite_tcp(uint8_t *l4, lath_be16_t src_port_be, lath_be16_t dst_port_be, uint16_t delta)
{
	struct lath_tcp_hdr *tcp = (void *)l4;
	uint16_t cksum;

	memcpy(&cksum, &tcp->cksum_be, sizeof(cksum));
	cksum = lath_cksum_apply(cksum, delta);
	memcpy(&tcp->cksum_be, &cksum, sizeof(cksum));
	tcp->src_port_be = src_port_be;
	tcp->dst_port_be = dst_port_be;
}

void
lath_xlate_6to4(uint8_t *frame, struct lath_packet *pkt, const struct lath_rewrite4 *rewrite,
		struct lath_deltas deltas)
{
	struct lath_ipv6_hdr *old = (void *)(frame + pkt->l3_offset);
	struct lath_ipv4_hdr *ip = (void *)(frame + pkt->l3_offset + FAMILY_SHIFT);
	uint16_t ip_len = (uint16_t)(pkt->ip_len - FAMILY_SHIFT);
	uint32_t first = lath_from_be32(old->version_class_label_be);
	uint8_t hop_limit = old->hop_limit;
	uint16_t cksum;

	rewrite_tcp(frame + pkt->l4_offset, rewrite->src_port_be, rewrite->dst_port_be, deltas.l4);
	/* RFC 7915 section 5.1. DF is set and the identification 0: the packet is atomic (RFC 6864
	 * section 4.1), and path MTU discovery works end to end.
	 */
	*ip = (struct lath_ipv4_hdr){
			.version_ihl = 0x45,
			.tos = (uint8_t)(first >> 20),
			.total_len_be = lath_to_be16(ip_len),
			.fragment_be = lath_to_be16(LATH_IPV4_DF),
			.ttl = (uint8_t)(hop_limit - 1),
			.proto = LATH_PROTO_TCP,
			.src_be = rewrite->src_be,
			.dst_be = rewrite->dst_be,
	};
	cksum = lath_cksum_ipv4_header(ip, sizeof(*ip));
	memcpy(&ip->cksum_be, &cksum, sizeof(cksum));
	pkt->l3_offset += FAMILY_SHIFT;
	pkt->ip_len = ip_len;
	pkt->family = LATH_FAMILY_IPV4;
}

void
lath_xlate_4to6(uint8_t *frame, struct lath_packet *pkt, const struct lath_rewrite6 *rewrite,
		struct lath_deltas deltas)
{
	struct lath_ipv4_hdr *old = (void *)(frame + pkt->l3_offset);
	struct lath_ipv6_hdr *ip = (void *)(frame + pkt->l3_offset - FAMILY_SHIFT);
	uint16_t payload_len = (uint16_t)(pkt->ip_len - sizeof(*old));
	uint8_t tos = old->tos;
	uint8_t ttl = old->ttl;

	rewrite_tcp(frame + pkt->l4_offset, rewrite->src_port_be, rewrite->dst_port_be, deltas.l4);
	/* RFC 7915 section 4.1; the flow label is 0. */
	ip->version_class_label_be = lath_to_be32(6u << 28 | (uint32_t)tos << 20);
	ip->payload_len_be = lath_to_be16(payload_len);
	ip->next_header = LATH_PROTO_TCP;
	ip->hop_limit = (uint8_t)(ttl - 1);
	memcpy(ip->src, rewrite->src, 16);
	memcpy(ip->dst, rewrite->dst, 16);
	pkt->l3_offset -= FAMILY_SHIFT;
	pkt->ip_len = (uint16_t)(payload_len + sizeof(*ip));
	pkt->family = LATH_FAMILY_IPV6;
}
