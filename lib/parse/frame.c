/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "lath_parse.h"

enum lath_drop
lath_parse_frame(const uint8_t *data, uint32_t len, struct lath_packet *pkt, uint16_t *ethertype)
{
	const struct lath_eth_hdr *eth = (const void *)data;
	const struct lath_vlan_hdr *tag = (const void *)(data + sizeof(*eth));

	if (len < sizeof(*eth))
		return LATH_DROP_frame_short;
	pkt->vlan = 0;
	pkt->l3_offset = sizeof(*eth);
	*ethertype = lath_from_be16(eth->type_be);
	if (*ethertype != LATH_ETHERTYPE_VLAN)
		return LATH_DROP_NONE;
	if (len < sizeof(*eth) + sizeof(*tag))
		return LATH_DROP_frame_short;
	/* IEEE 802.1Q clause 9.6: identifier 0 carries a priority only. */
	pkt->vlan = lath_from_be16(tag->tci_be) & LATH_VLAN_ID_MASK;
	pkt->l3_offset += sizeof(*tag);
	*ethertype = lath_from_be16(tag->type_be);
	return LATH_DROP_NONE;
}
