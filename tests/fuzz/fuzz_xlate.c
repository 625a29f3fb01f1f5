/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* 36 bytes of rewrite (the first 12 serve IPv4) and a frame. What the sums were before they are
 * after (a wrong one stays as wrong as it was), the way back undoes everything but the TTL, and
 * the MSS option is the only thing that clamping touches.
 */

#include <lath_xlate.h>

#include "fuzz.h"

#define HEADROOM 20u

/* The residue of an l4 checksum: 0 when right. Both zeros are the same. */
static uint32_t
l4_residue(const uint8_t *ip, const struct lath_packet *pkt)
{
	const uint8_t *l4 = ip + (pkt->family == LATH_FAMILY_IPV4 ? 20 : 40);
	uint32_t len = pkt->ip_len - (pkt->family == LATH_FAMILY_IPV4 ? 20u : 40u);

	if (pkt->proto == LATH_PROTO_ICMP)
		return lath_cksum_message(l4, len) % 0xffff;
	if (pkt->family == LATH_FAMILY_IPV4)
		return lath_cksum_l4_v4((const void *)ip, l4, len) % 0xffff;
	return lath_cksum_l4_v6((const void *)ip, pkt->proto, l4, len) % 0xffff;
}

/* Where the l4 checksum lies; 0 when UDP has none. */
static uint32_t
cksum_at(const uint8_t *frame, const struct lath_packet *pkt)
{
	if (pkt->proto == LATH_PROTO_TCP)
		return pkt->l4_offset + 16u;
	if (pkt->proto == LATH_PROTO_ICMP)
		return pkt->l4_offset + 2u;
	return frame[pkt->l4_offset + 6] + frame[pkt->l4_offset + 7] == 0 ? 0 : pkt->l4_offset + 6u;
}

static void
check_4to4(uint8_t *frame, uint32_t len, struct lath_packet *pkt, struct lath_rewrite4 rewrite)
{
	const struct lath_rewrite4 back = {pkt->key4.src_be, pkt->key4.dst_be,
			pkt->key4.src_port_be, pkt->key4.dst_port_be};
	uint8_t *before = exact_copy(frame, len);
	uint8_t *ip = frame + pkt->l3_offset;
	uint32_t residue = l4_residue(ip, pkt);
	uint32_t at = cksum_at(frame, pkt);
	struct lath_key4 key;

	if (pkt->proto == LATH_PROTO_ICMP)
		rewrite.dst_port_be = rewrite.src_port_be;
	key = (struct lath_key4){rewrite.src_be, rewrite.dst_be, rewrite.src_port_be,
			rewrite.dst_port_be, pkt->key4.proto_vpc};
	lath_xlate_4to4(frame, pkt, &rewrite, lath_xlate_deltas4(&pkt->key4, &rewrite));
	must(lath_cksum_ipv4_header(ip, 20) % 0xffff == 0);
	must(at == 0 ? cksum_at(frame, pkt) == 0 : l4_residue(ip, pkt) == residue);
	must(memcmp(ip + 12, &rewrite, 8) == 0);
	lath_xlate_4to4(frame, pkt, &back, lath_xlate_deltas4(&key, &back));
	must(ip[8] == (uint8_t)(before[pkt->l3_offset + 8] - 2));
	must(lath_cksum_ipv4_header(ip, 20) % 0xffff == 0);
	must(at == 0 || l4_residue(ip, pkt) == residue);
	memcpy(ip + 8, before + pkt->l3_offset + 8, 4); /* TTL, sum */
	if (at != 0)
		memcpy(frame + at, before + at, 2);
	must(memcmp(frame, before, len) == 0);
	free(before);
}

static void
check_mss(uint8_t *frame, uint32_t len, const struct lath_packet *pkt)
{
	uint32_t residue = l4_residue(frame + pkt->l3_offset, pkt);
	uint32_t l4_len = pkt->ip_len - (uint32_t)(pkt->l4_offset - pkt->l3_offset);
	uint8_t *before = exact_copy(frame, len);
	uint32_t changed = 0;

	if (lath_xlate_clamp_mss(frame + pkt->l4_offset, l4_len, 1000)) {
		must(l4_residue(frame + pkt->l3_offset, pkt) == residue);
		must(!lath_xlate_clamp_mss(frame + pkt->l4_offset, l4_len, 1000));
		memcpy(frame + pkt->l4_offset + 16, before + pkt->l4_offset + 16, 2);
		for (uint32_t i = 0; i < len; i++)
			changed += frame[i] != before[i];
		must(changed == 1 || changed == 2);
		memcpy(frame, before, len);
	}
	must(memcmp(frame, before, len) == 0);
	free(before);
}

/* There and back through the other family; both headers are made anew. */
static void
check_families(const uint8_t *frame, uint32_t len, struct lath_packet pkt,
		const struct lath_rewrite6 *rewrite)
{
	const struct lath_rewrite4 back = {pkt.key4.src_be, pkt.key4.dst_be, pkt.key4.src_port_be,
			pkt.key4.dst_port_be};
	uint32_t residue = l4_residue(frame + pkt.l3_offset, &pkt);
	uint8_t *room = malloc(HEADROOM + len);
	struct lath_key6 key = {.src_port_be = rewrite->src_port_be,
			.dst_port_be = rewrite->dst_port_be,
			.proto_vpc = pkt.key4.proto_vpc};
	uint32_t l3 = pkt.l3_offset;

	must(room != NULL);
	memcpy(room + HEADROOM, frame, len);
	memcpy(key.src, rewrite->src, 32);
	pkt.l3_offset += HEADROOM;
	pkt.l4_offset += HEADROOM;
	lath_xlate_4to6(room, &pkt, rewrite, lath_xlate_deltas_4to6(&pkt.key4, rewrite));
	must(pkt.l3_offset == l3 && pkt.family == LATH_FAMILY_IPV6);
	must(l4_residue(room + pkt.l3_offset, &pkt) == residue);
	lath_xlate_6to4(room, &pkt, &back, lath_xlate_deltas_6to4(&key, &back), 1);
	must(pkt.l3_offset == l3 + HEADROOM && pkt.family == LATH_FAMILY_IPV4);
	must(l4_residue(room + pkt.l3_offset, &pkt) == residue);
	must(lath_cksum_ipv4_header(room + pkt.l3_offset, 20) == 0);
	memcpy(room + pkt.l4_offset + 16, frame + l3 + 36, 2);
	must(memcmp(room + pkt.l4_offset, frame + l3 + 20, len - l3 - 20) == 0);
	free(room);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lath_rewrite6 rewrite6;
	struct lath_rewrite4 rewrite4;
	struct lath_packet pkt = {0};
	uint16_t ethertype = 0;
	uint32_t len;
	uint8_t *frame;

	if (size < sizeof(rewrite6) || size > 4096)
		return 0;
	memcpy(&rewrite6, data, sizeof(rewrite6));
	memcpy(&rewrite4, data, sizeof(rewrite4));
	len = (uint32_t)(size - sizeof(rewrite6));
	frame = exact_copy(data + sizeof(rewrite6), len);
	/* Addresses of nothing but zeroes would make the two zeros of a sum differ. */
	if (rewrite4.src_be != 0 &&
			lath_parse_frame(frame, len, &pkt, &ethertype) == LATH_DROP_NONE &&
			ethertype == LATH_ETHERTYPE_IPV4 && len >= pkt.l3_offset + 20u &&
			frame[pkt.l3_offset + 8] > 2) {
		/* Otherwise nearly every input would end at its header's sum. */
		struct lath_ipv4_hdr *ip = (void *)(frame + pkt.l3_offset);
		uint16_t cksum;

		ip->cksum_be = lath_to_be16(0);
		cksum = lath_cksum_ipv4_header(ip, sizeof(*ip));
		memcpy(&ip->cksum_be, &cksum, sizeof(cksum));
		if (lath_parse_ipv4(frame, len, len, false, &pkt) == LATH_DROP_NONE &&
				!lath_packet_is_error(&pkt)) { /* lib/icmperr passes those on */
			check_4to4(frame, len, &pkt, rewrite4);
			if (pkt.proto == LATH_PROTO_TCP) {
				check_mss(frame, len, &pkt);
				check_families(frame, len, pkt, &rewrite6);
			}
		}
	}
	free(frame);
	return 0;
}
