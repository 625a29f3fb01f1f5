/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Packets that ICMP errors quote and the errors themselves, in both families, written field by field
 * with sums worked out byte by byte: what lib/icmperr makes of one side is compared with the other
 * side's packet built anew.
 */
#pragma once

#include <lath_icmperr.h>

#include "packet_kit.h"

#define KIT_L4_MAX 1600u
#define KIT_ERROR_MAX 2048u

/* A packet that an error may be about. */
struct kit_quoted {
	uint8_t src[16]; /* IPv4: the first four bytes */
	uint8_t dst[16];
	uint16_t sport;
	uint16_t dport;
	uint16_t identifier;
	uint8_t family;
	uint8_t proto; /* TCP, UDP or ICMP, whatever the family */
	uint8_t ttl;
	uint8_t tos;
	uint8_t option_len;     /* IPv4 options or an IPv6 header with options: bytes, 0..40 */
	uint16_t l4_len;        /* whole message */
	uint16_t fragment;      /* bytes of it in this first fragment; 0: not fragmented */
	bool without_cksum;     /* UDP */
	bool is_reply;          /* echo */
	bool atomic;            /* IPv4: DF and identification 0 */
	uint8_t l4[KIT_L4_MAX]; /* what the message holds, headers overwritten */
};

static inline bool
kit_is_v6(const struct kit_quoted *quoted)
{
	return quoted->family == LATH_FAMILY_IPV6;
}

/* The message with its header and sum; `l4` takes quoted->l4_len bytes. */
static inline void
kit_quoted_l4(uint8_t *l4, const struct kit_quoted *quoted)
{
	bool v6 = kit_is_v6(quoted);
	uint8_t proto = quoted->proto == LATH_PROTO_ICMP && v6 ? LATH_PROTO_ICMPV6 : quoted->proto;
	unsigned at = kit_cksum_at(quoted->proto);
	uint32_t sum = 0;

	memcpy(l4, quoted->l4, quoted->l4_len);
	kit_put16(l4, quoted->sport);
	kit_put16(l4 + 2, quoted->dport);
	if (quoted->proto == LATH_PROTO_UDP)
		kit_put16(l4 + 4, quoted->l4_len);
	if (quoted->proto == LATH_PROTO_ICMP) {
		unsigned type = v6 ? 128 + quoted->is_reply : quoted->is_reply ? 0 : 8;

		kit_put16(l4, type << 8);
		kit_put16(l4 + 4, quoted->sport);
	}
	kit_put16(l4 + at, 0);
	if (proto != LATH_PROTO_ICMP) {
		sum = kit_sum(quoted->src, v6 ? 16 : 4, 0);
		sum = kit_sum(quoted->dst, v6 ? 16 : 4, sum);
		sum = (sum + proto + quoted->l4_len) % 0xffff;
	}
	sum = ~kit_sum(l4, quoted->l4_len, sum) & 0xffff;
	if (proto == LATH_PROTO_UDP)
		sum = quoted->without_cksum ? 0 : sum == 0 ? 0xffff : sum;
	kit_put16(l4 + at, sum);
}

static inline uint32_t
kit_quoted_v4(uint8_t *ip, const struct kit_quoted *quoted)
{
	uint32_t header_len = 20u + quoted->option_len;
	uint32_t l4_len = quoted->fragment != 0 ? quoted->fragment : quoted->l4_len;

	memset(ip, 0, header_len);
	ip[0] = (uint8_t)(0x40 | header_len / 4);
	ip[1] = quoted->tos;
	kit_put16(ip + 2, header_len + l4_len);
	kit_put16(ip + 4, quoted->atomic ? 0 : quoted->identifier);
	kit_put16(ip + 6, quoted->fragment != 0 ? LATH_IPV4_MF : quoted->atomic ? LATH_IPV4_DF : 0);
	ip[8] = quoted->ttl;
	ip[9] = quoted->proto;
	memcpy(ip + 12, quoted->src, 4);
	memcpy(ip + 16, quoted->dst, 4);
	memset(ip + 20, 1, quoted->option_len); /* no operation */
	kit_fix_ip(ip);
	return header_len;
}

static inline uint32_t
kit_quoted_v6(uint8_t *ip, const struct kit_quoted *quoted)
{
	uint32_t l4_len = quoted->fragment != 0 ? quoted->fragment : quoted->l4_len;
	uint8_t *next = ip + 6;
	uint32_t len = 40;

	memset(ip, 0, 40);
	kit_put32(ip, 6u << 28 | (uint32_t)quoted->tos << 20);
	ip[7] = quoted->ttl;
	memcpy(ip + 8, quoted->src, 16);
	memcpy(ip + 24, quoted->dst, 16);
	if (quoted->option_len != 0) { /* destination options, padding only */
		*next = 60;
		next = ip + len;
		memset(next, 0, quoted->option_len);
		next[1] = (uint8_t)(quoted->option_len / 8 - 1);
		len += quoted->option_len;
	}
	if (quoted->fragment != 0) {
		*next = 44;
		next = ip + len;
		memset(next, 0, 8);
		next[3] = 1;
		kit_put32(next + 4, quoted->identifier);
		len += 8;
	}
	*next = quoted->proto == LATH_PROTO_ICMP ? LATH_PROTO_ICMPV6 : quoted->proto;
	kit_put16(ip + 4, len - 40 + l4_len);
	return len;
}

/* The IP packet; `*l4_at` gets where its message begins. Returns its length. */
static inline uint32_t
kit_quoted_packet(uint8_t *ip, const struct kit_quoted *quoted, uint32_t *l4_at)
{
	uint8_t l4[KIT_L4_MAX];
	uint32_t l4_len = quoted->fragment != 0 ? quoted->fragment : quoted->l4_len;

	*l4_at = kit_is_v6(quoted) ? kit_quoted_v6(ip, quoted) : kit_quoted_v4(ip, quoted);
	kit_quoted_l4(l4, quoted);
	memcpy(ip + *l4_at, l4, l4_len);
	return *l4_at + l4_len;
}

/* An error: what is around the quote. */
struct kit_error {
	uint8_t src[16];
	uint8_t dst[16];
	uint8_t family;
	uint8_t ttl;
	uint8_t tos;
	uint8_t type;
	uint8_t code;
	uint8_t option_len; /* IPv4: bytes of options in the outer header */
	bool atomic;
	uint32_t rest;
	uint32_t extension_len; /* a valid structure behind the quote; 0: none */
	const uint8_t *extension;
};

/* Sums of the error of `len` bytes at `ip` as they should be. */
static inline void
kit_fix_error(uint8_t *ip, uint32_t len)
{
	bool v6 = ip[0] >> 4 == 6;
	uint32_t at = v6 ? 40 : (uint32_t)(ip[0] & 0xf) * 4;
	uint32_t sum = 0;

	if (v6)
		sum = (kit_sum(ip + 8, 32, 0) + LATH_PROTO_ICMPV6 + len - at) % 0xffff;
	else
		kit_fix_ip(ip);
	kit_put16(ip + at + 2, 0);
	kit_put16(ip + at + 2, ~kit_sum(ip + at, len - at, sum));
}

/* The error about the `quote_len` bytes at `quote`; returns its length. */
static inline uint32_t
kit_error_packet(uint8_t *ip, const struct kit_error *error, const uint8_t *quote,
		uint32_t quote_len)
{
	bool v6 = error->family == LATH_FAMILY_IPV6;
	uint32_t at = v6 ? 40 : 20u + error->option_len;
	uint32_t unit = v6 ? 8 : 4;
	uint32_t body = quote_len;
	uint8_t *icmp = ip + at;
	uint32_t len;

	if (error->extension_len != 0) {
		body = (quote_len + unit - 1) / unit * unit;
		body = body < 128 ? 128 : body;
	}
	len = at + 8 + body + error->extension_len;
	memset(ip, 0, len);
	if (v6) {
		kit_put32(ip, 6u << 28 | (uint32_t)error->tos << 20);
		kit_put16(ip + 4, len - 40);
		ip[6] = LATH_PROTO_ICMPV6;
		ip[7] = error->ttl;
		memcpy(ip + 8, error->src, 16);
		memcpy(ip + 24, error->dst, 16);
	} else {
		ip[0] = (uint8_t)(0x40 | at / 4);
		ip[1] = error->tos;
		kit_put16(ip + 2, len);
		kit_put16(ip + 6, error->atomic ? LATH_IPV4_DF : 0);
		ip[8] = error->ttl;
		ip[9] = LATH_PROTO_ICMP;
		memcpy(ip + 12, error->src, 4);
		memcpy(ip + 16, error->dst, 4);
		memset(ip + 20, 1, error->option_len);
	}
	icmp[0] = error->type;
	icmp[1] = error->code;
	kit_put32(icmp + 4, error->rest);
	memcpy(icmp + 8, quote, quote_len);
	if (error->extension_len != 0) {
		icmp[v6 ? 4 : 5] = (uint8_t)(body / unit);
		memcpy(icmp + 8 + body, error->extension, error->extension_len);
	}
	kit_fix_error(ip, len);
	return len;
}

/* A valid RFC 4884 structure of random objects, at most `max` (8 or more) bytes; its length. */
static inline uint32_t
kit_extension(uint8_t *out, uint32_t max, bool with_cksum, uint64_t *random)
{
	uint32_t len = 4;

	out[0] = 0x20;
	out[1] = 0;
	kit_put16(out + 2, 0);
	do {
		uint32_t object = 4 + 4 * lath_random_below(random, 4);

		object = object > max - len ? 4 : object;
		lath_test_fill(random, out + len, object);
		kit_put16(out + len, object);
		len += object;
	} while (len + 4 <= max && lath_random_below(random, 3) != 0);
	if (with_cksum)
		kit_put16(out + 2, ~kit_sum(out, len, 0));
	return len;
}

static inline void
kit_draw_address(uint8_t *at, uint8_t family, uint64_t *random)
{
	memset(at, 0, 16);
	lath_test_fill(random, at, family == LATH_FAMILY_IPV6 ? 16 : 4);
	at[0] = family == LATH_FAMILY_IPV6 ? 0x20 : (uint8_t)(1 + at[0] % 126);
}

/* A random packet of `proto`; cut into fragments now and then. */
static inline void
kit_draw_quoted(struct kit_quoted *quoted, uint8_t family, uint8_t proto, uint64_t *random)
{
	uint32_t header_len = proto == LATH_PROTO_TCP ? 20 : 8;

	lath_test_fill(random, quoted->l4, sizeof(quoted->l4));
	kit_draw_address(quoted->src, family, random);
	kit_draw_address(quoted->dst, family, random);
	quoted->family = family;
	quoted->proto = proto;
	quoted->sport = (uint16_t)lath_random_next(random);
	quoted->dport = proto == LATH_PROTO_ICMP ? quoted->sport
						 : (uint16_t)lath_random_next(random);
	quoted->identifier = (uint16_t)lath_random_next(random);
	quoted->ttl = (uint8_t)lath_random_next(random);
	quoted->tos = (uint8_t)lath_random_next(random);
	quoted->option_len = 0;
	quoted->l4_len = (uint16_t)(header_len + lath_random_below(random, 1400));
	quoted->fragment = 0;
	if (quoted->l4_len >= 32 && lath_random_below(random, 4) == 0)
		quoted->fragment = (uint16_t)(8 +
				8 * lath_random_below(random, quoted->l4_len / 8 - 1));
	quoted->without_cksum = lath_random_below(random, 4) == 0;
	quoted->is_reply = lath_random_below(random, 2) == 0;
	quoted->atomic = quoted->fragment == 0;
}

/* The same message between other ends, perhaps of the other family. */
static inline void
kit_other_side(struct kit_quoted *to, const struct kit_quoted *from, uint8_t family,
		uint64_t *random)
{
	*to = *from;
	to->family = family;
	kit_draw_address(to->src, family, random);
	kit_draw_address(to->dst, family, random);
	to->sport = (uint16_t)lath_random_next(random);
	to->dport = to->proto == LATH_PROTO_ICMP ? to->sport : (uint16_t)lath_random_next(random);
}

/* The rewrite of the half that an error about the other side's packet finds: ends swapped. */
static inline struct lath_rewrite4
kit_rewrite4(const struct kit_quoted *sent)
{
	struct lath_rewrite4 rewrite = {
			.src_port_be = lath_to_be16(sent->dport),
			.dst_port_be = lath_to_be16(sent->sport),
	};

	memcpy(&rewrite.src_be, sent->dst, 4);
	memcpy(&rewrite.dst_be, sent->src, 4);
	return rewrite;
}

static inline struct lath_rewrite6
kit_rewrite6(const struct kit_quoted *sent)
{
	struct lath_rewrite6 rewrite = {
			.src_port_be = lath_to_be16(sent->dport),
			.dst_port_be = lath_to_be16(sent->sport),
	};

	memcpy(rewrite.src, sent->dst, 16);
	memcpy(rewrite.dst, sent->src, 16);
	return rewrite;
}

static inline struct lath_ip
kit_ip(const uint8_t *bytes, uint8_t family)
{
	struct lath_ip ip = {.family = family};

	memcpy(ip.bytes, bytes, family == LATH_FAMILY_IPV6 ? 16 : 4);
	return ip;
}

/* Draws what is around the quote: a router's error of `type`/`code` towards the packet's sender. */
static inline void
kit_draw_error(struct kit_error *error, const struct kit_quoted *about, uint8_t type, uint8_t code,
		uint64_t *random)
{
	*error = (struct kit_error){
			.family = about->family,
			.ttl = (uint8_t)(2 + lath_random_below(random, 254)),
			.tos = (uint8_t)lath_random_next(random),
			.type = type,
			.code = code,
			.atomic = true,
	};
	kit_draw_address(error->src, about->family, random);
	memcpy(error->dst, about->src, 16);
}

static inline enum lath_drop
kit_parse_error(const uint8_t *ip, uint32_t len, uint8_t family, struct lath_icmperr *err)
{
	return family == LATH_FAMILY_IPV6 ? lath_icmperr_parse_v6(ip, len, err)
					  : lath_icmperr_parse_v4(ip, len, err);
}
