/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "lath_parse.h"

static bool
take_tag(const uint8_t *data, uint32_t len, struct lath_packet *pkt, uint16_t *vlan,
		uint16_t *ethertype)
{
	const struct lath_vlan_hdr *tag = (const void *)(data + pkt->l3_offset);

	if (len < pkt->l3_offset + sizeof(*tag))
		return false;
	/* IEEE 802.1Q clause 9.6: identifier 0 carries a priority only. */
	*vlan = lath_from_be16(tag->tci_be) & LATH_VLAN_ID_MASK;
	*ethertype = lath_from_be16(tag->type_be);
	pkt->l3_offset += sizeof(*tag);
	return true;
}

enum lath_drop
lath_parse_frame(const uint8_t *data, uint32_t len, struct lath_packet *pkt, uint16_t *ethertype)
{
	const struct lath_eth_hdr *eth = (const void *)data;

	if (len < sizeof(*eth))
		return LATH_DROP_frame_short;
	pkt->vlan = 0;
	pkt->outer_vlan = 0;
	pkt->l3_offset = sizeof(*eth);
	*ethertype = lath_from_be16(eth->type_be);
	if (*ethertype == LATH_ETHERTYPE_QINQ &&
			!take_tag(data, len, pkt, &pkt->outer_vlan, ethertype))
		return LATH_DROP_frame_short;
	if (*ethertype == LATH_ETHERTYPE_VLAN && !take_tag(data, len, pkt, &pkt->vlan, ethertype))
		return LATH_DROP_frame_short;
	return LATH_DROP_NONE;
}
