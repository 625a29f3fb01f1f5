/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_cksum.h>

#include "icmperr_private.h"

/*
 * RFC 7915 for errors: the type has a counterpart or the error ends here, the quote is translated
 * like the packet that it was, but for its TTL, and what no longer fits is cut off its end. Several
 * quoted headers (a tunnel) never get here: no flow is made of them.
 *
 * The quote's fragment header goes both ways. A fragmented echo does not: ICMPv6's sum covers the
 * whole message's length, which a fragment does not tell (section 1.2).
 */

#define NEXT_FRAGMENT 44
#define NONE 0xff
#define FAMILY_MTU_SHIFT 20u
#define V6_MTU_MIN 1280u /* RFC 8200 section 5 */
#define V4_PAYLOAD_MAX (UINT16_MAX - sizeof(struct lath_ipv4_hdr))

/* What an error becomes; type NONE: nothing. */
struct counterpart {
	uint8_t type;
	uint8_t code;
	uint32_t rest; /* MTU, pointer */
};

/* Section 4.2, type 3 by its code. */
static const struct counterpart unreachable_4to6[] = {
		[0] = {LATH_ICMPERR_V6_UNREACHABLE, 0, 0}, /* net, host: no route */
		[1] = {LATH_ICMPERR_V6_UNREACHABLE, 0, 0},
		[2] = {LATH_ICMPERR_V6_PARAMETER, 1, 6},   /* protocol: points to Next Header */
		[3] = {LATH_ICMPERR_V6_UNREACHABLE, 4, 0}, /* port */
		[4] = {LATH_ICMPERR_V6_TOO_BIG, 0, 0},
		[5] = {LATH_ICMPERR_V6_UNREACHABLE, 0,
				0}, /* source route failed, unknown, isolated */
		[6] = {LATH_ICMPERR_V6_UNREACHABLE, 0, 0},
		[7] = {LATH_ICMPERR_V6_UNREACHABLE, 0, 0},
		[8] = {LATH_ICMPERR_V6_UNREACHABLE, 0, 0},
		[9] = {LATH_ICMPERR_V6_UNREACHABLE, 1, 0}, /* prohibited */
		[10] = {LATH_ICMPERR_V6_UNREACHABLE, 1, 0},
		[11] = {LATH_ICMPERR_V6_UNREACHABLE, 0, 0}, /* for this type of service */
		[12] = {LATH_ICMPERR_V6_UNREACHABLE, 0, 0},
		[13] = {LATH_ICMPERR_V6_UNREACHABLE, 1, 0},
		[14] = {NONE, 0, 0}, /* host precedence violation */
		[15] = {LATH_ICMPERR_V6_UNREACHABLE, 1, 0},
};

/* Section 5.2, type 1 by its code. */
static const struct counterpart unreachable_6to4[] = {
		[0] = {LATH_ICMPERR_V4_UNREACHABLE, 1, 0},  /* no route: host unreachable */
		[1] = {LATH_ICMPERR_V4_UNREACHABLE, 10, 0}, /* prohibited */
		[2] = {LATH_ICMPERR_V4_UNREACHABLE, 1, 0},  /* beyond scope of the source */
		[3] = {LATH_ICMPERR_V4_UNREACHABLE, 1, 0},  /* address */
		[4] = {LATH_ICMPERR_V4_UNREACHABLE, 3, 0},  /* port */
};

/* Figure 3: where a pointer into the IPv4 header points in IPv6's. */
static const uint8_t pointer_4to6[] = {
		0, 1, 4, 4, NONE, NONE, NONE, NONE, 7, 6, NONE, NONE, 8, 8, 8, 8, 24, 24, 24, 24};

/* Figure 6: the other way, up to the addresses. */
static const uint8_t pointer_6to4[] = {0, 1, NONE, NONE, 2, 2, 9, 8};

static uint32_t
bounded(uint32_t value, uint32_t max)
{
	return max == 0 ? value : lath_min_u32(value, max);
}

/* RFC 1191 section 7.1, table 7-1: the greatest plateau below the size that did not pass. */
static uint32_t
plateau_below(uint32_t len)
{
	static const uint16_t plateaus[] = {
			65535, 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68};

	for (unsigned i = 0; i < LATH_ARRAY_SIZE(plateaus); i++)
		if (plateaus[i] < len)
			return plateaus[i];
	return 68;
}

static struct counterpart
counterpart_4to6(const struct lath_icmperr *err, uint32_t quoted_len, uint32_t mtu_max)
{
	struct counterpart to = {.type = NONE};

	switch (err->type) {
	case LATH_ICMPERR_V4_UNREACHABLE:
		if (err->code < LATH_ARRAY_SIZE(unreachable_4to6))
			to = unreachable_4to6[err->code];
		if (to.type == LATH_ICMPERR_V6_TOO_BIG) {
			uint32_t mtu = err->mtu != 0 ? err->mtu : plateau_below(quoted_len);

			to.rest = lath_max_u32(bounded(mtu + FAMILY_MTU_SHIFT, mtu_max),
					V6_MTU_MIN);
		}
		return to;
	case LATH_ICMPERR_V4_TIME_EXCEEDED:
		return (struct counterpart){LATH_ICMPERR_V6_TIME_EXCEEDED, err->code, 0};
	case LATH_ICMPERR_V4_PARAMETER:
		/* "Missing a required option" has no counterpart. */
		if ((err->code == 0 || err->code == 2) &&
				err->pointer < LATH_ARRAY_SIZE(pointer_4to6) &&
				pointer_4to6[err->pointer] != NONE)
			return (struct counterpart){
					LATH_ICMPERR_V6_PARAMETER, 0, pointer_4to6[err->pointer]};
		return to;
	default:
		return to;
	}
}

/* Section 5.2, type 4. */
static struct counterpart
parameter_6to4(const struct lath_icmperr *err)
{
	uint32_t pointer = NONE;

	if (err->code == 1) /* unrecognized next header: protocol unreachable */
		return (struct counterpart){LATH_ICMPERR_V4_UNREACHABLE, 2, 0};
	if (err->code == 0 && err->pointer < LATH_ARRAY_SIZE(pointer_6to4))
		pointer = pointer_6to4[err->pointer];
	else if (err->code == 0 && err->pointer < sizeof(struct lath_ipv6_hdr))
		pointer = err->pointer < 24 ? 12 : 16;
	if (pointer == NONE)
		return (struct counterpart){.type = NONE};
	return (struct counterpart){LATH_ICMPERR_V4_PARAMETER, 0, pointer << 24};
}

static struct counterpart
counterpart_6to4(const struct lath_icmperr *err, uint32_t mtu_max)
{
	struct counterpart to = {.type = NONE};

	switch (err->type) {
	case LATH_ICMPERR_V6_UNREACHABLE:
		return err->code < LATH_ARRAY_SIZE(unreachable_6to4) ? unreachable_6to4[err->code]
								     : to;
	case LATH_ICMPERR_V6_TOO_BIG:
		/* RFC 8201 section 4: a node must not believe less than the least MTU. Nor may
		 * such a message make an IPv4 host send tiny packets.
		 */
		if (err->mtu < V6_MTU_MIN)
			return to;
		return (struct counterpart){LATH_ICMPERR_V4_UNREACHABLE,
				LATH_ICMPERR_V4_TOO_BIG_CODE,
				lath_min_u32(bounded(err->mtu - FAMILY_MTU_SHIFT, mtu_max),
						UINT16_MAX)};
	case LATH_ICMPERR_V6_TIME_EXCEEDED:
		return (struct counterpart){LATH_ICMPERR_V4_TIME_EXCEEDED, err->code, 0};
	case LATH_ICMPERR_V6_PARAMETER:
		return parameter_6to4(err);
	default:
		return to;
	}
}

/* ---- the quote ---------------------------------------------------------------------------- */

/* What ICMPv6's checksum covers and ICMP's does not, or otherwise (RFC 4443 section 2.3). */
struct echo_words {
	uint8_t type;
	uint8_t code;
	uint8_t src[16];
	uint8_t dst[16];
	lath_be32_t len_be;
	lath_be32_t next_header_be;
} LATH_PACKED;

static struct echo_words
echo_words(uint8_t type, const struct lath_ipv6_hdr *ip, uint32_t l4_len)
{
	struct echo_words words = {
			.type = type,
			.len_be = lath_to_be32(l4_len),
			.next_header_be = lath_to_be32(LATH_PROTO_ICMPV6),
	};

	memcpy(words.src, ip->src, sizeof(words.src));
	memcpy(words.dst, ip->dst, sizeof(words.dst));
	return words;
}

/* Writes the quoted packet as its IPv6 sender sent it into `room` bytes; returns how many. */
static uint32_t
quote_4to6(uint8_t *out, uint32_t room, const uint8_t *ip, const struct lath_icmperr *err,
		const struct lath_rewrite6 *rewrite)
{
	const struct lath_ipv4_hdr *old = (const void *)(ip + err->quote_offset);
	uint32_t old_header_len = (uint32_t)(err->quote_l4_offset - err->quote_offset);
	uint32_t l4_len = lath_from_be16(old->total_len_be) - old_header_len;
	bool is_fragment = (lath_from_be16(old->fragment_be) & LATH_IPV4_MF) != 0;
	uint32_t header_len = sizeof(struct lath_ipv6_hdr) +
			(is_fragment ? (uint32_t)sizeof(struct fragment_hdr) : 0);
	uint32_t present = lath_min_u32(err->quote_len - old_header_len, room - header_len);
	struct lath_ipv6_hdr *hdr = (void *)out;
	struct fragment_hdr *fragment = (void *)(hdr + 1);
	uint8_t *l4 = out + header_len;
	uint8_t proto = err->quote_proto == LATH_PROTO_ICMP ? LATH_PROTO_ICMPV6 : err->quote_proto;
	uint16_t delta;

	*hdr = (struct lath_ipv6_hdr){
			.version_class_label_be = lath_to_be32(6u << 28 | (uint32_t)old->tos << 20),
			.payload_len_be = lath_to_be16((uint16_t)(header_len - sizeof(*hdr) +
					l4_len)),
			.next_header = is_fragment ? NEXT_FRAGMENT : proto,
			.hop_limit = old->ttl,
	};
	memcpy(hdr->src, rewrite->dst, 16);
	memcpy(hdr->dst, rewrite->src, 16);
	if (is_fragment)
		*fragment = (struct fragment_hdr){
				.next_header = proto,
				.offset_more_be = lath_to_be16(FRAGMENT_MORE),
				.id_be = lath_to_be32(lath_from_be16(old->id_be)),
		};
	memcpy(l4, ip + err->quote_l4_offset, present);
	if (proto == LATH_PROTO_ICMPV6) {
		uint8_t type = l4[0] == LATH_ICMP_ECHO ? ECHO_V6_REQUEST : ECHO_V6_REPLY;
		struct echo_words words = echo_words(type, hdr, l4_len);

		delta = lath_cksum_delta2(l4, 2, &words, sizeof(words));
		l4[0] = type;
	} else {
		delta = lath_cksum_delta2(&old->src_be, 8, hdr->src, 32);
	}
	lath_icmperr_restore_l4(l4, present, proto, rewrite->dst_port_be, rewrite->src_port_be,
			delta);
	return header_len + present;
}

/* The other way. Extension headers end with the family (RFC 7915 section 5.1). */
static uint32_t
quote_6to4(uint8_t *out, uint32_t room, const uint8_t *ip, const struct lath_icmperr *err,
		const struct lath_rewrite4 *rewrite)
{
	const struct lath_ipv6_hdr *old = (const void *)(ip + err->quote_offset);
	const struct fragment_hdr *fragment = (const void *)(ip + err->quote_fragment);
	uint32_t old_header_len = (uint32_t)(err->quote_l4_offset - err->quote_offset);
	uint32_t l4_len = lath_from_be16(old->payload_len_be) + (uint32_t)sizeof(*old) -
			old_header_len;
	uint32_t present = lath_min_u32(err->quote_len - old_header_len,
			room - (uint32_t)sizeof(struct lath_ipv4_hdr));
	struct lath_ipv4_hdr *hdr = (void *)out;
	uint8_t *l4 = (uint8_t *)(hdr + 1);
	uint8_t proto = err->quote_proto == LATH_PROTO_ICMPV6 ? LATH_PROTO_ICMP : err->quote_proto;
	uint16_t delta;
	uint16_t cksum;

	*hdr = (struct lath_ipv4_hdr){
			.version_ihl = 0x45,
			.tos = (uint8_t)(lath_from_be32(old->version_class_label_be) >> 20),
			.total_len_be = lath_to_be16((uint16_t)(sizeof(*hdr) + l4_len)),
			.fragment_be = lath_to_be16(LATH_IPV4_DF),
			.ttl = old->hop_limit,
			.proto = proto,
			.src_be = rewrite->dst_be,
			.dst_be = rewrite->src_be,
	};
	if (err->quote_fragment != 0) { /* section 5.1.1 */
		bool more = (lath_from_be16(fragment->offset_more_be) & FRAGMENT_MORE) != 0;

		hdr->fragment_be = lath_to_be16(more ? LATH_IPV4_MF : 0);
		hdr->id_be = lath_to_be16((uint16_t)lath_from_be32(fragment->id_be));
	}
	cksum = lath_cksum_ipv4_header(hdr, sizeof(*hdr));
	memcpy(&hdr->cksum_be, &cksum, sizeof(cksum));
	memcpy(l4, ip + err->quote_l4_offset, present);
	if (proto == LATH_PROTO_ICMP) {
		struct echo_words words = echo_words(l4[0], old, l4_len);

		l4[0] = l4[0] == ECHO_V6_REQUEST ? LATH_ICMP_ECHO : LATH_ICMP_ECHO_REPLY;
		delta = lath_cksum_delta2(&words, sizeof(words), l4, 2);
	} else {
		delta = lath_cksum_delta2(old->src, 32, &hdr->src_be, 8);
	}
	lath_icmperr_restore_l4(l4, present, proto, rewrite->dst_port_be, rewrite->src_port_be,
			delta);
	return (uint32_t)sizeof(*hdr) + present;
}

/* ---- the message -------------------------------------------------------------------------- */

/* Whether a fragmented echo is quoted. */
static bool
is_echo_fragment(const uint8_t *ip, const struct lath_icmperr *err)
{
	const struct lath_ipv4_hdr *quote = (const void *)(ip + err->quote_offset);
	const struct fragment_hdr *fragment = (const void *)(ip + err->quote_fragment);

	if (err->quote_proto == LATH_PROTO_ICMP)
		return (lath_from_be16(quote->fragment_be) & LATH_IPV4_MF) != 0;
	return err->quote_proto == LATH_PROTO_ICMPV6 && err->quote_fragment != 0 &&
			(lath_from_be16(fragment->offset_more_be) & FRAGMENT_MORE) != 0;
}

/* How much of the extension stays: all or nothing, of `room` bytes behind the ICMP header. */
static uint32_t
extension_kept(const struct lath_icmperr *err, bool has_length_field, uint32_t room)
{
	if (!has_length_field || err->extension_len > room - EXTENDED_QUOTE_MIN)
		return 0;
	return err->extension_len;
}

/* Pads the quote of `len` bytes at `quote` to `unit` and 128 bytes (RFC 4884 sections 4, 5.1) and
 * puts the extension behind; returns the padded length.
 */
static uint32_t
append_extension(uint8_t *quote, uint32_t len, uint32_t unit, const uint8_t *extension,
		uint32_t extension_len)
{
	uint32_t padded = lath_max_u32((len + unit - 1) & ~(unit - 1), EXTENDED_QUOTE_MIN);

	memset(quote + len, 0, padded - len);
	memcpy(quote + padded, extension, extension_len);
	return padded;
}

uint32_t
lath_icmperr_4to6(uint8_t *out, const uint8_t *ip, const struct lath_icmperr *err,
		const struct lath_rewrite6 *rewrite, const struct lath_icmperr_outer *outer)
{
	const struct lath_ipv4_hdr *old = (const void *)ip;
	const struct lath_ipv4_hdr *quote = (const void *)(ip + err->quote_offset);
	struct lath_ipv6_hdr *hdr = (void *)out;
	struct error_hdr *icmp = (void *)(hdr + 1);
	uint32_t room = LATH_ICMPERR_V6_LEN_MAX - LATH_ICMPERR_V6_FRONT;
	struct counterpart to = counterpart_4to6(err, lath_from_be16(quote->total_len_be),
			outer->mtu_max);
	uint32_t extension_len;
	uint32_t len;
	uint16_t cksum;

	if (to.type == NONE || is_echo_fragment(ip, err))
		return 0;
	*icmp = (struct error_hdr){
			.type = to.type, .code = to.code, .rest_be = lath_to_be32(to.rest)};
	extension_len = extension_kept(err,
			to.type == LATH_ICMPERR_V6_UNREACHABLE ||
					to.type == LATH_ICMPERR_V6_TIME_EXCEEDED,
			room);
	len = quote_4to6((uint8_t *)(icmp + 1), (room - extension_len) & ~7u, ip, err, rewrite);
	if (extension_len != 0) {
		len = append_extension((uint8_t *)(icmp + 1), len, 8, ip + err->extension_offset,
				extension_len);
		icmp->rest[0] = (uint8_t)(len / 8);
	}
	len += extension_len + (uint32_t)sizeof(*icmp);
	*hdr = (struct lath_ipv6_hdr){
			.version_class_label_be = lath_to_be32(6u << 28 | (uint32_t)old->tos << 20),
			.payload_len_be = lath_to_be16((uint16_t)len),
			.next_header = LATH_PROTO_ICMPV6,
			.hop_limit = (uint8_t)(old->ttl - 1),
	};
	memcpy(hdr->src, outer->src.bytes, sizeof(hdr->src));
	memcpy(hdr->dst, outer->dst.bytes, sizeof(hdr->dst));
	cksum = lath_cksum_l4_v6(hdr, LATH_PROTO_ICMPV6, icmp, len);
	memcpy(&icmp->cksum_be, &cksum, sizeof(cksum));
	return (uint32_t)sizeof(*hdr) + len;
}

uint32_t
lath_icmperr_6to4(uint8_t *out, const uint8_t *ip, const struct lath_icmperr *err,
		const struct lath_rewrite4 *rewrite, const struct lath_icmperr_outer *outer)
{
	const struct lath_ipv6_hdr *old = (const void *)ip;
	const struct lath_ipv6_hdr *quote = (const void *)(ip + err->quote_offset);
	struct lath_ipv4_hdr *hdr = (void *)out;
	struct error_hdr *icmp = (void *)(hdr + 1);
	uint32_t room = LATH_ICMPERR_V4_LEN_MAX - LATH_ICMPERR_V4_FRONT;
	struct counterpart to = counterpart_6to4(err, outer->mtu_max);
	uint32_t extension_len;
	uint32_t len;
	uint16_t cksum;

	if (to.type == NONE || is_echo_fragment(ip, err) ||
			lath_from_be16(quote->payload_len_be) > V4_PAYLOAD_MAX)
		return 0;
	*icmp = (struct error_hdr){
			.type = to.type, .code = to.code, .rest_be = lath_to_be32(to.rest)};
	extension_len = extension_kept(err, true, room);
	len = quote_6to4((uint8_t *)(icmp + 1), (room - extension_len) & ~3u, ip, err, rewrite);
	if (extension_len != 0) {
		len = append_extension((uint8_t *)(icmp + 1), len, 4, ip + err->extension_offset,
				extension_len);
		icmp->rest[1] = (uint8_t)(len / 4);
	}
	len += extension_len + (uint32_t)sizeof(*icmp);
	*hdr = (struct lath_ipv4_hdr){
			.version_ihl = 0x45,
			.tos = (uint8_t)(lath_from_be32(old->version_class_label_be) >> 20),
			.total_len_be = lath_to_be16((uint16_t)(sizeof(*hdr) + len)),
			.fragment_be = lath_to_be16(LATH_IPV4_DF),
			.ttl = (uint8_t)(old->hop_limit - 1),
			.proto = LATH_PROTO_ICMP,
			.src_be = lath_ip_v4_be(&outer->src),
			.dst_be = lath_ip_v4_be(&outer->dst),
	};
	cksum = lath_cksum_ipv4_header(hdr, sizeof(*hdr));
	memcpy(&hdr->cksum_be, &cksum, sizeof(cksum));
	cksum = lath_cksum_message(icmp, len);
	memcpy(&icmp->cksum_be, &cksum, sizeof(cksum));
	return (uint32_t)sizeof(*hdr) + len;
}
