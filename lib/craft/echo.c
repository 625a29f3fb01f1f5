/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_cksum.h>

#include "lath_craft.h"

#define ECHO_TTL 64

static void
ipv4_cksum_set(struct lath_ipv4_hdr *ip)
{
	uint16_t cksum;

	ip->cksum_be = lath_to_be16(0);
	cksum = lath_cksum_ipv4_header(ip, sizeof(*ip));
	memcpy(&ip->cksum_be, &cksum, sizeof(cksum));
}

/* RFC 4443 section 4.2. Addresses that change places leave the sum as it is. */
static void
reply_v6(uint8_t *frame, const struct lath_packet *pkt)
{
	struct lath_ipv6_hdr *ip = (void *)(frame + pkt->l3_offset);
	struct lath_icmp_echo_hdr *icmp = (void *)(frame + pkt->l4_offset);
	const uint8_t type_old[2] = {LATH_ICMPV6_ECHO, 0};
	const uint8_t type_new[2] = {LATH_ICMPV6_ECHO_REPLY, 0};
	uint8_t client[16];
	uint16_t cksum;

	memcpy(client, ip->src, sizeof(client));
	memcpy(ip->src, ip->dst, sizeof(ip->src));
	memcpy(ip->dst, client, sizeof(ip->dst));
	ip->hop_limit = ECHO_TTL;
	icmp->type = LATH_ICMPV6_ECHO_REPLY;
	memcpy(&cksum, &icmp->cksum_be, sizeof(cksum));
	cksum = lath_cksum_apply(cksum, lath_cksum_delta(type_old, type_new, 2));
	memcpy(&icmp->cksum_be, &cksum, sizeof(cksum));
}

void
lath_craft_echo_reply(uint8_t *frame, const struct lath_packet *pkt)
{
	struct lath_ipv4_hdr *ip = (void *)(frame + pkt->l3_offset);
	struct lath_icmp_echo_hdr *icmp = (void *)(frame + pkt->l4_offset);
	const uint8_t type_old[2] = {LATH_ICMP_ECHO, 0};
	const uint8_t type_new[2] = {LATH_ICMP_ECHO_REPLY, 0};
	lath_be32_t client_be = ip->src_be;
	uint16_t cksum;

	if (pkt->family == LATH_FAMILY_IPV6) {
		reply_v6(frame, pkt);
		return;
	}
	ip->src_be = ip->dst_be;
	ip->dst_be = client_be;
	ip->ttl = ECHO_TTL;
	ipv4_cksum_set(ip);
	icmp->type = LATH_ICMP_ECHO_REPLY;
	memcpy(&cksum, &icmp->cksum_be, sizeof(cksum));
	cksum = lath_cksum_apply(cksum, lath_cksum_delta(type_old, type_new, 2));
	memcpy(&icmp->cksum_be, &cksum, sizeof(cksum));
}
