/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "lath_parse.h"

enum lath_drop
lath_parse_arp(const uint8_t *data, uint32_t len, const struct lath_packet *pkt,
		const struct lath_arp_hdr **arp)
{
	const struct lath_arp_hdr *hdr = (const void *)(data + pkt->l3_offset);

	if (len < pkt->l3_offset + sizeof(*hdr))
		return LATH_DROP_arp_malformed;
	if (lath_from_be16(hdr->hardware_be) != 1 || hdr->hardware_len != 6 ||
			lath_from_be16(hdr->protocol_be) != LATH_ETHERTYPE_IPV4 ||
			hdr->protocol_len != 4)
		return LATH_DROP_arp_malformed;
	*arp = hdr;
	return LATH_DROP_NONE;
}
