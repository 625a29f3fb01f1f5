/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "lath_craft.h"

uint32_t
lath_craft_ethernet(uint8_t *frame, const struct lath_mac *dst, const struct lath_mac *src,
		uint16_t vlan, uint16_t ethertype)
{
	struct lath_eth_hdr *eth = (void *)frame;
	struct lath_vlan_hdr *tag = (void *)(eth + 1);

	eth->dst = *dst;
	eth->src = *src;
	if (vlan == 0) {
		eth->type_be = lath_to_be16(ethertype);
		return sizeof(*eth);
	}
	eth->type_be = lath_to_be16(LATH_ETHERTYPE_VLAN);
	tag->tci_be = lath_to_be16(vlan);
	tag->type_be = lath_to_be16(ethertype);
	return sizeof(*eth) + sizeof(*tag);
}

uint32_t
lath_craft_ethernet_tags(uint8_t *frame, const struct lath_mac *dst, const struct lath_mac *src,
		uint16_t outer_vlan, uint16_t vlan, uint16_t ethertype)
{
	struct lath_eth_hdr *eth = (void *)frame;
	struct lath_vlan_hdr *tags = (void *)(eth + 1);

	if (outer_vlan == 0)
		return lath_craft_ethernet(frame, dst, src, vlan, ethertype);
	eth->dst = *dst;
	eth->src = *src;
	eth->type_be = lath_to_be16(LATH_ETHERTYPE_QINQ);
	tags[0].tci_be = lath_to_be16(outer_vlan);
	tags[0].type_be = lath_to_be16(LATH_ETHERTYPE_VLAN);
	tags[1].tci_be = lath_to_be16(vlan);
	tags[1].type_be = lath_to_be16(ethertype);
	return sizeof(*eth) + 2 * sizeof(*tags);
}

uint32_t
lath_craft_arp(uint8_t *frame, const struct lath_craft_arp *arp)
{
	uint32_t tags = arp->outer_vlan != 0 ? 2 : arp->vlan != 0;
	uint32_t tags_len = tags * (uint32_t)sizeof(struct lath_vlan_hdr);
	struct lath_arp_hdr *hdr = (void *)(frame + sizeof(struct lath_eth_hdr) + tags_len);

	memset(frame, 0, LATH_CRAFT_FRAME_MIN + tags_len);
	lath_craft_ethernet_tags(frame, &arp->eth_dst, &arp->sender_mac, arp->outer_vlan, arp->vlan,
			LATH_ETHERTYPE_ARP);
	*hdr = (struct lath_arp_hdr){
			.hardware_be = lath_to_be16(1),
			.protocol_be = lath_to_be16(LATH_ETHERTYPE_IPV4),
			.hardware_len = 6,
			.protocol_len = 4,
			.op_be = lath_to_be16(arp->op),
			.sender_mac = arp->sender_mac,
			.sender_ip_be = arp->sender_ip_be,
			.target_mac = arp->target_mac,
			.target_ip_be = arp->target_ip_be,
	};
	return LATH_CRAFT_FRAME_MIN + tags_len;
}

void
lath_craft_turn_ethernet(uint8_t *frame, const struct lath_mac *mac)
{
	struct lath_eth_hdr *eth = (void *)frame;

	eth->dst = eth->src;
	eth->src = *mac;
}

void
lath_craft_arp_reply(uint8_t *frame, const struct lath_packet *pkt, const struct lath_mac *mac)
{
	struct lath_arp_hdr *arp = (void *)(frame + pkt->l3_offset);
	lath_be32_t asked_be = arp->target_ip_be;

	arp->op_be = lath_to_be16(LATH_ARP_REPLY);
	arp->target_mac = arp->sender_mac;
	arp->target_ip_be = arp->sender_ip_be;
	arp->sender_mac = *mac;
	arp->sender_ip_be = asked_be;
	lath_craft_turn_ethernet(frame, mac);
}
