/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_cksum.h>

#include "lath_craft.h"

#define RESET_TTL 64

/* Sets lengths and checksums for a bare TCP header behind the IP header. */
static void
finish(uint8_t *frame, struct lath_packet *pkt)
{
	struct lath_tcp_hdr *tcp = (void *)(frame + pkt->l4_offset);
	uint16_t cksum;

	tcp->offset = (uint8_t)(sizeof(*tcp) / 4 << 4);
	tcp->window_be = lath_to_be16(0);
	tcp->urgent_be = lath_to_be16(0);
	tcp->cksum_be = lath_to_be16(0);
	pkt->ip_len = (uint16_t)(pkt->l4_offset - pkt->l3_offset + sizeof(*tcp));
	if (pkt->family == LATH_FAMILY_IPV6) {
		struct lath_ipv6_hdr *ip6 = (void *)(frame + pkt->l3_offset);

		ip6->payload_len_be = lath_to_be16(sizeof(*tcp));
		cksum = lath_cksum_l4_v6(ip6, LATH_PROTO_TCP, tcp, sizeof(*tcp));
	} else {
		struct lath_ipv4_hdr *ip = (void *)(frame + pkt->l3_offset);

		ip->total_len_be = lath_to_be16(pkt->ip_len);
		ip->cksum_be = lath_to_be16(0);
		cksum = lath_cksum_ipv4_header(ip, sizeof(*ip));
		memcpy(&ip->cksum_be, &cksum, sizeof(cksum));
		cksum = lath_cksum_l4_v4(ip, tcp, sizeof(*tcp));
	}
	memcpy(&tcp->cksum_be, &cksum, sizeof(cksum));
}

static void
turn_v4(struct lath_ipv4_hdr *ip)
{
	lath_be32_t ip_be = ip->src_be;

	ip->src_be = ip->dst_be;
	ip->dst_be = ip_be;
	ip->ttl = RESET_TTL;
	ip->tos = 0;
	ip->id_be = lath_to_be16(0);
	ip->fragment_be = lath_to_be16(LATH_IPV4_DF);
}

static void
turn_v6(struct lath_ipv6_hdr *ip)
{
	uint8_t src[16];

	memcpy(src, ip->src, sizeof(src));
	memcpy(ip->src, ip->dst, sizeof(ip->src));
	memcpy(ip->dst, src, sizeof(ip->dst));
	ip->hop_limit = RESET_TTL;
	ip->version_class_label_be = lath_to_be32(6u << 28);
}

void
lath_craft_reset_answer(uint8_t *frame, struct lath_packet *pkt)
{
	struct lath_tcp_hdr *tcp = (void *)(frame + pkt->l4_offset);
	uint32_t data_len = pkt->ip_len - (uint32_t)(pkt->l4_offset - pkt->l3_offset) -
			(uint32_t)(tcp->offset >> 4) * 4;
	uint32_t segment_len = data_len + ((tcp->flags & LATH_TCP_SYN) != 0) +
			((tcp->flags & LATH_TCP_FIN) != 0);
	lath_be16_t port_be = tcp->src_port_be;

	if (pkt->family == LATH_FAMILY_IPV6)
		turn_v6((void *)(frame + pkt->l3_offset));
	else
		turn_v4((void *)(frame + pkt->l3_offset));
	tcp->src_port_be = tcp->dst_port_be;
	tcp->dst_port_be = port_be;
	if ((tcp->flags & LATH_TCP_ACK) != 0) {
		tcp->seq_be = tcp->ack_be;
		tcp->ack_be = lath_to_be32(0);
		tcp->flags = LATH_TCP_RST;
	} else {
		tcp->ack_be = lath_to_be32(lath_from_be32(tcp->seq_be) + segment_len);
		tcp->seq_be = lath_to_be32(0);
		tcp->flags = LATH_TCP_RST | LATH_TCP_ACK;
	}
	finish(frame, pkt);
}

void
lath_craft_reset_onward(uint8_t *frame, struct lath_packet *pkt)
{
	struct lath_tcp_hdr *tcp = (void *)(frame + pkt->l4_offset);

	tcp->flags = LATH_TCP_RST | (tcp->flags & LATH_TCP_ACK);
	finish(frame, pkt);
}
