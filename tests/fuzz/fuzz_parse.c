/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Two bytes say where the first segment ends, the rest is a frame. What is accepted lies inside the
 * frame, the same bytes give the same answer, and a shorter first segment changes nothing but that
 * headers may be missing from it.
 */

#include <lath_parse.h>

#include "fuzz.h"

static enum lath_drop
parse(const uint8_t *frame, uint32_t len, uint32_t frame_len, struct lath_packet *pkt)
{
	const struct lath_arp_hdr *arp = NULL;
	uint8_t *copy = exact_copy(frame, len);
	uint16_t ethertype = 0;
	enum lath_drop drop;

	*pkt = (struct lath_packet){0};
	drop = lath_parse_frame(copy, len, pkt, &ethertype);
	if (drop == LATH_DROP_NONE && ethertype == LATH_ETHERTYPE_IPV4)
		drop = lath_parse_ipv4(copy, len, frame_len, false, pkt);
	else if (drop == LATH_DROP_NONE && ethertype == LATH_ETHERTYPE_IPV6)
		drop = lath_parse_ipv6(copy, len, frame_len, pkt);
	else if (drop == LATH_DROP_NONE && ethertype == LATH_ETHERTYPE_ARP)
		drop = lath_parse_arp(copy, len, pkt, &arp);
	else if (drop == LATH_DROP_NONE)
		drop = LATH_DROP_ethertype;
	if (arp != NULL)
		must((const uint8_t *)(arp + 1) <= copy + len);
	free(copy);
	return drop;
}

static void
check_accepted(const struct lath_packet *pkt, uint32_t len, uint32_t frame_len)
{
	if (pkt->family == LATH_FAMILY_NONE) /* ARP */
		return;
	must(pkt->l3_offset == 14 || pkt->l3_offset == 18 || pkt->l3_offset == 22);
	must(pkt->l3_offset + (uint32_t)pkt->ip_len <= frame_len);
	if (pkt->family == LATH_FAMILY_IPV4)
		must(pkt->l4_offset == pkt->l3_offset + 20);
	else
		must(pkt->l4_offset >= pkt->l3_offset + 40);
	must(pkt->l4_offset + (pkt->proto == LATH_PROTO_TCP ? 20u : 8u) <= len);
	must(pkt->l4_offset + 8u <= pkt->l3_offset + (uint32_t)pkt->ip_len);
	must(lath_packet_vpc(pkt) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lath_packet whole;
	struct lath_packet again;
	enum lath_drop drop;
	enum lath_drop cut_drop;
	uint32_t len;
	uint32_t cut;

	if (size < 2 || size > 65536)
		return 0;
	len = (uint32_t)size - 2;
	cut = (uint32_t)(data[0] << 8 | data[1]) % (len + 1);
	drop = parse(data + 2, len, len, &whole);
	must(drop < LATH_DROP_COUNT);
	must(parse(data + 2, len, len, &again) == drop);
	must(memcmp(&whole, &again, sizeof(whole)) == 0);
	if (drop == LATH_DROP_NONE)
		check_accepted(&whole, len, len);
	cut_drop = parse(data + 2, cut, len, &again);
	if (cut_drop == LATH_DROP_NONE) {
		/* A sum can only be verified over the whole. */
		must(drop == LATH_DROP_NONE || drop == LATH_DROP_icmp_cksum);
		check_accepted(&again, cut, len);
		must(drop != LATH_DROP_NONE || memcmp(&whole, &again, sizeof(whole)) == 0);
	} else {
		must(cut_drop == drop || cut_drop == LATH_DROP_frame_short ||
				cut_drop == LATH_DROP_ip_malformed ||
				cut_drop == LATH_DROP_l4_malformed ||
				cut_drop == LATH_DROP_arp_malformed);
	}
	return 0;
}
