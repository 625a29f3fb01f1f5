/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Solicitations and advertisements of neighbours. */

#include "nd_private.h"

#define VERSION 6u

struct lath_ipv6_hdr *
lath_nd_begin(uint8_t *frame, uint16_t vlan, const struct lath_mac *eth_dst,
		const struct lath_mac *mac, const struct lath_ip *src, const struct lath_ip *dst)
{
	uint32_t l2_len = lath_craft_ethernet(frame, eth_dst, mac, vlan, LATH_ETHERTYPE_IPV6);
	struct lath_ipv6_hdr *ip = (void *)(frame + l2_len);

	*ip = (struct lath_ipv6_hdr){
			.version_class_label_be = lath_to_be32(VERSION << 28),
			.next_header = LATH_PROTO_ICMPV6,
			.hop_limit = LATH_ND_HOP_LIMIT,
	};
	memcpy(ip->src, src->bytes, 16);
	memcpy(ip->dst, dst->bytes, 16);
	return ip;
}

uint32_t
lath_nd_finish(uint8_t *frame, struct lath_ipv6_hdr *ip, const uint8_t *end)
{
	struct nd_icmp *icmp = (void *)(ip + 1);
	uint32_t len = (uint32_t)(end - (const uint8_t *)icmp);
	uint16_t cksum;

	ip->payload_len_be = lath_to_be16((uint16_t)len);
	icmp->cksum_be = lath_to_be16(0);
	cksum = lath_cksum_l4_v6(ip, LATH_PROTO_ICMPV6, icmp, len);
	memcpy(&icmp->cksum_be, &cksum, sizeof(cksum));
	return (uint32_t)(end - frame);
}

uint8_t *
lath_nd_put_mac(uint8_t *at, uint8_t type, const struct lath_mac *mac)
{
	const struct nd_option_mac option = {{type, 1}, *mac};

	memcpy(at, &option, sizeof(option));
	return at + sizeof(option);
}

static bool
is_unspecified(const struct lath_ip *ip)
{
	static const uint8_t unspecified[16];

	return memcmp(ip->bytes, unspecified, 16) == 0;
}

uint32_t
lath_nd_make_neighbor(uint8_t *frame, const struct lath_nd_neighbor *msg)
{
	struct lath_ipv6_hdr *ip = lath_nd_begin(frame, msg->vlan, &msg->eth_dst, &msg->mac,
			&msg->src, &msg->dst);
	struct nd_neighbor *hdr = (void *)(ip + 1);
	bool is_answer = msg->type == LATH_ND_NEIGHBOR_ADVERTISEMENT;
	uint32_t flags = ND_FLAG_ROUTER;
	uint8_t *end = (uint8_t *)(hdr + 1);

	if (msg->is_solicited)
		flags |= ND_FLAG_SOLICITED;
	if (msg->overrides)
		flags |= ND_FLAG_OVERRIDE;
	*hdr = (struct nd_neighbor){
			.icmp.type = msg->type,
			.flags_be = lath_to_be32(is_answer ? flags : 0),
	};
	memcpy(hdr->target, msg->target.bytes, 16);
	/* RFC 4861 section 4.3: not from nobody. */
	if (!is_unspecified(&msg->src))
		end = lath_nd_put_mac(end, is_answer ? ND_OPTION_TARGET_MAC : ND_OPTION_SOURCE_MAC,
				&msg->mac);
	return lath_nd_finish(frame, ip, end);
}

struct lath_nd_neighbor
lath_nd_answer(const struct lath_nd_message *question, uint16_t vlan, const struct lath_mac *mac,
		const struct lath_mac *eth_dst)
{
	struct lath_nd_neighbor answer = {
			.type = LATH_ND_NEIGHBOR_ADVERTISEMENT,
			.vlan = vlan,
			.mac = *mac,
			.eth_dst = *eth_dst,
			.src = question->target,
			.dst = question->src,
			.target = question->target,
			.is_solicited = true,
			.overrides = true,
	};

	/* RFC 4861 section 7.2.4: who asks from nowhere is told with everybody else. */
	if (is_unspecified(&question->src)) {
		answer.dst = lath_nd_all_nodes();
		answer.eth_dst = lath_nd_group_mac(&answer.dst);
		answer.is_solicited = false;
	}
	return answer;
}
