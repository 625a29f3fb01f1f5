/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_cksum.h>

#include "lath_craft.h"

#define ECHO_TTL 64
#define ICMPV6_SOLICITATION 135
#define ICMPV6_ADVERTISEMENT 136
#define ICMPV6_OPTION_TARGET_MAC 2
#define ADVERTISEMENT_FLAGS 0xe0000000u /* router, solicited, override */

/* RFC 4861 sections 4.3 and 4.4, with one link-layer address option. */
struct neighbor_msg {
	uint8_t type;
	uint8_t code;
	lath_be16_t cksum_be;
	lath_be32_t flags_be;
	uint8_t target[16];
	uint8_t option_type;
	uint8_t option_len; /* 8-byte units */
	struct lath_mac mac;
} LATH_PACKED;

static void
ipv4_cksum_set(struct lath_ipv4_hdr *ip)
{
	uint16_t cksum;

	ip->cksum_be = lath_to_be16(0);
	cksum = lath_cksum_ipv4_header(ip, sizeof(*ip));
	memcpy(&ip->cksum_be, &cksum, sizeof(cksum));
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

	ip->src_be = ip->dst_be;
	ip->dst_be = client_be;
	ip->ttl = ECHO_TTL;
	ipv4_cksum_set(ip);
	icmp->type = LATH_ICMP_ECHO_REPLY;
	memcpy(&cksum, &icmp->cksum_be, sizeof(cksum));
	cksum = lath_cksum_apply(cksum, lath_cksum_delta(type_old, type_new, 2));
	memcpy(&icmp->cksum_be, &cksum, sizeof(cksum));
}

bool
lath_craft_is_solicitation(const uint8_t *frame, uint32_t len, const struct lath_packet *pkt,
		const uint8_t ip[16])
{
	const struct lath_ipv6_hdr *hdr = (const void *)(frame + pkt->l3_offset);
	const struct neighbor_msg *msg = (const void *)(hdr + 1);
	static const uint8_t unspecified[16]; /* detects duplicates: nobody to answer yet */
	const uint32_t msg_min = offsetof(struct neighbor_msg, option_type);

	return len >= pkt->l3_offset + sizeof(*hdr) + msg_min &&
			hdr->next_header == LATH_PROTO_ICMPV6 && hdr->hop_limit == 255 &&
			msg->type == ICMPV6_SOLICITATION && msg->code == 0 &&
			memcmp(hdr->src, unspecified, 16) != 0 && memcmp(msg->target, ip, 16) == 0;
}

uint32_t
lath_craft_advertisement(uint8_t *frame, const struct lath_packet *pkt, const struct lath_mac *mac)
{
	struct lath_ipv6_hdr *ip = (void *)(frame + pkt->l3_offset);
	struct neighbor_msg *msg = (void *)(ip + 1);
	uint16_t cksum;

	memcpy(ip->dst, ip->src, 16);
	memcpy(ip->src, msg->target, 16);
	ip->payload_len_be = lath_to_be16(sizeof(*msg));
	msg->type = ICMPV6_ADVERTISEMENT;
	msg->cksum_be = lath_to_be16(0);
	msg->flags_be = lath_to_be32(ADVERTISEMENT_FLAGS);
	msg->option_type = ICMPV6_OPTION_TARGET_MAC;
	msg->option_len = 1;
	msg->mac = *mac;
	cksum = lath_cksum_l4_v6(ip, LATH_PROTO_ICMPV6, msg, sizeof(*msg));
	memcpy(&msg->cksum_be, &cksum, sizeof(cksum));
	lath_craft_turn_ethernet(frame, mac);
	return (uint32_t)(pkt->l3_offset + sizeof(*ip) + sizeof(*msg));
}
