/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_cksum.h>

#include "icmperr_private.h"

/*
 * Fields that no RFC fixes, or that an old one fixed for another world:
 *
 * - ICMPv4 has precedence 6 (RFC 1812 section 4.3.2.5), which is class selector 6 today. The rest of
 *   the packet's TOS is not taken over: two of its bits are ECN now (RFC 3168 section 23.1).
 * - DF is set and the identification 0: the packet is atomic (RFC 6864 section 4.1), needs no
 *   identification that is unique, and so no state. 576 bytes pass everywhere that matters.
 * - The length field of RFC 4884 is 0: there is no extension.
 */
#define ERROR_TOS 0xc0
#define ERROR_TTL 64
#define ERROR_HOP_LIMIT 255

#define REDIRECT_V6 137

bool
lath_icmperr_is_error_v4(uint8_t type)
{
	switch (type) {
	case LATH_ICMP_ECHO_REPLY:
	case LATH_ICMP_ECHO:
	case 9: /* router advertisement and solicitation, RFC 1256 section 3 */
	case 10:
	case 13: /* timestamp, information (RFC 792) and address mask (RFC 950) with their replies */
	case 14:
	case 15:
	case 16:
	case 17:
	case 18:
		return false;
	default:
		return true;
	}
}

bool
lath_icmperr_is_error_v6(uint8_t type)
{
	return type < 128 || type == REDIRECT_V6;
}

bool
lath_icmperr_may_answer_v4(const uint8_t *ip, uint32_t len, bool link_group)
{
	const struct lath_ipv4_hdr *hdr = (const void *)ip;
	uint32_t header_len;

	if (link_group || len < sizeof(*hdr) || hdr->version_ihl >> 4 != 4)
		return false;
	if ((lath_from_be16(hdr->fragment_be) & LATH_IPV4_OFFSET_MASK) != 0)
		return false;
	if (lath_parse_is_martian_v4(hdr->src_be) || lath_parse_is_martian_v4(hdr->dst_be))
		return false;
	header_len = (uint32_t)(hdr->version_ihl & 0xf) * 4;
	len = lath_min_u32(len, lath_from_be16(hdr->total_len_be));
	return hdr->proto != LATH_PROTO_ICMP ||
			(header_len < len && !lath_icmperr_is_error_v4(ip[header_len]));
}

bool
lath_icmperr_may_answer_v6(const uint8_t *ip, uint32_t len, bool link_group)
{
	static const uint8_t zeroes[15];
	const struct lath_ipv6_hdr *hdr = (const void *)ip;
	struct walk walk;

	if (link_group || len < sizeof(*hdr) || ip[0] >> 4 != 6)
		return false;
	/* Multicast either way. RFC 4443 section 2.4(e.3) lets "packet too big" answer a multicast;
	 * the gateway forwards none.
	 */
	if (hdr->src[0] == 0xff || hdr->dst[0] == 0xff)
		return false;
	/* Unspecified and loopback: RFC 4291 sections 2.5.2 and 2.5.3. */
	if (memcmp(hdr->src, zeroes, sizeof(zeroes)) == 0 && hdr->src[15] <= 1)
		return false;
	len = lath_min_u32(len, lath_from_be16(hdr->payload_len_be) + (uint32_t)sizeof(*hdr));
	if (!lath_icmperr_walk(ip, len, &walk))
		return false; /* it may be an error */
	return walk.proto != LATH_PROTO_ICMPV6 ||
			(walk.l4_offset < len && !lath_icmperr_is_error_v6(ip[walk.l4_offset]));
}

uint32_t
lath_icmperr_make_v4(uint8_t *out, const struct lath_icmperr_cause *cause, const uint8_t *ip,
		uint32_t len)
{
	struct lath_ipv4_hdr *hdr = (void *)out;
	struct error_hdr *icmp = (void *)(hdr + 1);
	const struct lath_ipv4_hdr *about = (const void *)ip;
	lath_be32_t sender_be = about->src_be;
	uint16_t cksum;

	len = lath_min_u32(len, lath_from_be16(about->total_len_be));
	len = lath_min_u32(len, LATH_ICMPERR_V4_LEN_MAX - LATH_ICMPERR_V4_FRONT);
	memmove(icmp + 1, ip, len);
	*icmp = (struct error_hdr){.type = cause->type, .code = cause->code};
	/* RFC 1191 section 4: the low half; the high one stays zero. */
	if (cause->type == LATH_ICMPERR_V4_UNREACHABLE &&
			cause->code == LATH_ICMPERR_V4_TOO_BIG_CODE)
		icmp->rest_be = lath_to_be32(lath_min_u32(cause->detail, UINT16_MAX));
	cksum = lath_cksum_message(icmp, sizeof(*icmp) + len);
	memcpy(&icmp->cksum_be, &cksum, sizeof(cksum));
	*hdr = (struct lath_ipv4_hdr){
			.version_ihl = 0x45,
			.tos = ERROR_TOS,
			.total_len_be = lath_to_be16((uint16_t)(LATH_ICMPERR_V4_FRONT + len)),
			.fragment_be = lath_to_be16(LATH_IPV4_DF),
			.ttl = ERROR_TTL,
			.proto = LATH_PROTO_ICMP,
			.src_be = lath_ip_v4_be(&cause->src),
			.dst_be = sender_be,
	};
	cksum = lath_cksum_ipv4_header(hdr, sizeof(*hdr));
	memcpy(&hdr->cksum_be, &cksum, sizeof(cksum));
	return LATH_ICMPERR_V4_FRONT + len;
}

uint32_t
lath_icmperr_make_v6(uint8_t *out, const struct lath_icmperr_cause *cause, const uint8_t *ip,
		uint32_t len)
{
	struct lath_ipv6_hdr *hdr = (void *)out;
	struct error_hdr *icmp = (void *)(hdr + 1);
	const struct lath_ipv6_hdr *about = (const void *)ip;
	uint8_t sender[16];
	uint16_t cksum;

	memcpy(sender, about->src, sizeof(sender));
	len = lath_min_u32(len, lath_from_be16(about->payload_len_be) + (uint32_t)sizeof(*about));
	len = lath_min_u32(len, LATH_ICMPERR_V6_LEN_MAX - LATH_ICMPERR_V6_FRONT);
	memmove(icmp + 1, ip, len);
	*icmp = (struct error_hdr){
			.type = cause->type,
			.code = cause->code,
			.rest_be = lath_to_be32(cause->detail),
	};
	*hdr = (struct lath_ipv6_hdr){
			.version_class_label_be = lath_to_be32(6u << 28),
			.payload_len_be = lath_to_be16((uint16_t)(sizeof(*icmp) + len)),
			.next_header = LATH_PROTO_ICMPV6,
			.hop_limit = ERROR_HOP_LIMIT,
	};
	memcpy(hdr->src, cause->src.bytes, sizeof(hdr->src));
	memcpy(hdr->dst, sender, sizeof(hdr->dst));
	cksum = lath_cksum_l4_v6(hdr, LATH_PROTO_ICMPV6, icmp, sizeof(*icmp) + len);
	memcpy(&icmp->cksum_be, &cksum, sizeof(cksum));
	return LATH_ICMPERR_V6_FRONT + len;
}
