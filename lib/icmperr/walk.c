/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "icmperr_private.h"

#define HEADERS_MAX 8u /* of one packet; RFC 8200 section 4.1 foresees six */

/* RFC 8200 section 4. */
#define NEXT_HOP_BY_HOP 0
#define NEXT_ROUTING 43
#define NEXT_FRAGMENT 44
#define NEXT_DESTINATION 60

bool
lath_icmperr_walk(const uint8_t *ip, uint32_t len, struct walk *walk)
{
	const struct lath_ipv6_hdr *hdr = (const void *)ip;

	*walk = (struct walk){.l4_offset = sizeof(*hdr), .proto = hdr->next_header};
	for (unsigned i = 0; i < HEADERS_MAX; i++) {
		const uint8_t *header = ip + walk->l4_offset;
		const struct fragment_hdr *fragment = (const void *)header;
		uint32_t header_len = sizeof(*fragment);

		if (walk->proto != NEXT_HOP_BY_HOP && walk->proto != NEXT_ROUTING &&
				walk->proto != NEXT_FRAGMENT && walk->proto != NEXT_DESTINATION)
			return true;
		if (len < walk->l4_offset + header_len)
			return false;
		if (walk->proto == NEXT_FRAGMENT) {
			if (walk->fragment != 0 ||
					(lath_from_be16(fragment->offset_more_be) &
							FRAGMENT_OFFSET_MASK) != 0)
				return false;
			walk->fragment = walk->l4_offset;
		} else {
			header_len += (uint32_t)header[1] * 8;
		}
		if (walk->proto == NEXT_ROUTING && header[3] != 0)
			return false; /* the destination address is not the last one */
		walk->proto = header[0];
		walk->l4_offset += header_len;
		if (walk->l4_offset > len)
			return false;
	}
	return false;
}
