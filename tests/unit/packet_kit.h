/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Whole packets for tests of what reads and writes them: built from a few words, with checksums
 * worked out byte by byte, so that nothing under test takes part.
 */
#pragma once

#include <lath_parse.h>

#include "lath_test.h"

#define KIT_FRAME_MAX 2048u

struct kit_spec {
	uint32_t src; /* host order; IPv6: in the last four bytes, behind kit_prefix */
	uint32_t dst;
	uint16_t sport; /* ICMP: the identifier */
	uint16_t dport;
	uint16_t vlan;
	uint8_t proto;
	uint8_t flags;      /* TCP */
	uint8_t option_len; /* TCP: bytes, a multiple of 4 */
	uint8_t ttl;        /* 0: 64 */
	uint16_t data_len;  /* random bytes */
	bool tagged;
	bool without_cksum; /* UDP */
};

static const uint8_t kit_prefix[12] = {0x00, 0x64, 0xff, 0x9b, 0, 1};

/* RFC 1071 section 1: words in network order, the last one padded. Not complemented. */
static inline uint32_t
kit_sum(const uint8_t *data, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 == 0 ? (uint32_t)data[i] << 8 : data[i];
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return sum;
}

static inline void
kit_put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void
kit_put32(uint8_t *at, uint32_t value)
{
	kit_put16(at, value >> 16);
	kit_put16(at + 2, value & 0xffff);
}

static inline uint32_t
kit_get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static inline uint32_t
kit_get32(const uint8_t *at)
{
	return kit_get16(at) << 16 | kit_get16(at + 2);
}

/* Where the checksum of a protocol's header lies. */
static inline unsigned
kit_cksum_at(uint8_t proto)
{
	return proto == LATH_PROTO_TCP ? 16 : proto == LATH_PROTO_UDP ? 6 : 2;
}

/* The header checksum of an IPv4 packet, whatever its header length says. */
static inline void
kit_fix_ip(uint8_t *ip)
{
	size_t len = (size_t)(ip[0] & 0xf) * 4;

	kit_put16(ip + 10, 0);
	kit_put16(ip + 10, ~kit_sum(ip, len, 0));
}

/* The checksum that the l4 of an IP packet should carry; its own field counts as zero. */
static inline uint16_t
kit_l4_cksum(const uint8_t *ip)
{
	bool v6 = ip[0] >> 4 == 6;
	uint8_t proto = v6 ? ip[6] : ip[9];
	const uint8_t *l4 = ip + (v6 ? 40 : 20);
	uint32_t len = v6 ? kit_get16(ip + 4) : kit_get16(ip + 2) - 20;
	unsigned at = kit_cksum_at(proto);
	uint32_t sum = 0;

	if (proto != LATH_PROTO_ICMP)
		sum = kit_sum(v6 ? ip + 8 : ip + 12, v6 ? 32 : 8, 0) + proto + len;
	sum = kit_sum(l4 + at + 2, len - at - 2, kit_sum(l4, at, sum % 0xffff));
	sum = ~sum & 0xffff;
	return (uint16_t)(sum == 0 && proto == LATH_PROTO_UDP ? 0xffff : sum);
}

static inline void
kit_fix_l4(uint8_t *ip)
{
	bool v6 = ip[0] >> 4 == 6;
	uint8_t *l4 = ip + (v6 ? 40 : 20);

	kit_put16(l4 + kit_cksum_at(v6 ? ip[6] : ip[9]), kit_l4_cksum(ip));
}

/* Header and data of TCP, UDP or ICMP echo, checksum missing; returns the length. */
static inline uint32_t
kit_l4(uint8_t *l4, const struct kit_spec *spec, uint64_t *random)
{
	uint32_t header_len = spec->proto == LATH_PROTO_TCP ? 20u + spec->option_len : 8;

	lath_test_fill(random, l4, header_len + spec->data_len);
	kit_put16(l4, spec->sport);
	kit_put16(l4 + 2, spec->dport);
	if (spec->proto == LATH_PROTO_TCP) {
		l4[12] = (uint8_t)(header_len / 4 << 4);
		l4[13] = spec->flags;
		memset(l4 + 20, LATH_TCP_OPTION_NOP, spec->option_len);
	} else if (spec->proto == LATH_PROTO_UDP) {
		kit_put16(l4 + 4, header_len + spec->data_len);
	} else {
		kit_put16(l4,
				(spec->proto == LATH_PROTO_ICMPV6 ? LATH_ICMPV6_ECHO
								  : LATH_ICMP_ECHO)
						<< 8);
		kit_put16(l4 + 4, spec->sport);
	}
	return header_len + spec->data_len;
}

static inline uint32_t
kit_ethernet(uint8_t *frame, const struct kit_spec *spec, uint16_t ethertype, uint64_t *random)
{
	lath_test_fill(random, frame, 12);
	frame[6] &= 0xfe;
	if (!spec->tagged) {
		kit_put16(frame + 12, ethertype);
		return 14;
	}
	kit_put16(frame + 12, LATH_ETHERTYPE_VLAN);
	kit_put16(frame + 14, spec->vlan);
	kit_put16(frame + 16, ethertype);
	return 18;
}

/* An Ethernet frame with IPv4; returns its length, at most KIT_FRAME_MAX. */
static inline uint32_t
kit_frame4(uint8_t *frame, const struct kit_spec *spec, uint64_t *random)
{
	uint32_t l3 = kit_ethernet(frame, spec, LATH_ETHERTYPE_IPV4, random);
	uint8_t *ip = frame + l3;
	uint32_t len = 20 + kit_l4(ip + 20, spec, random);

	lath_test_fill(random, ip, 12);
	ip[0] = 0x45;
	kit_put16(ip + 2, len);
	kit_put16(ip + 6, LATH_IPV4_DF);
	ip[8] = spec->ttl == 0 ? 64 : spec->ttl;
	ip[9] = spec->proto;
	kit_put32(ip + 12, spec->src);
	kit_put32(ip + 16, spec->dst);
	kit_fix_ip(ip);
	kit_fix_l4(ip);
	if (spec->proto == LATH_PROTO_UDP && spec->without_cksum)
		kit_put16(ip + 26, 0);
	return l3 + len;
}

/* An Ethernet frame with IPv6 and TCP, UDP or ICMPv6 echo. */
static inline uint32_t
kit_frame6(uint8_t *frame, const struct kit_spec *spec, uint64_t *random)
{
	uint32_t l3 = kit_ethernet(frame, spec, LATH_ETHERTYPE_IPV6, random);
	uint8_t *ip = frame + l3;
	uint32_t len = kit_l4(ip + 40, spec, random);

	lath_test_fill(random, ip, 4);
	ip[0] = (uint8_t)(0x60 | (ip[0] & 0xf));
	kit_put16(ip + 4, len);
	ip[6] = spec->proto;
	ip[7] = spec->ttl == 0 ? 64 : spec->ttl;
	memcpy(ip + 8, kit_prefix, 12);
	kit_put32(ip + 20, spec->src);
	memcpy(ip + 24, kit_prefix, 12);
	kit_put32(ip + 36, spec->dst);
	kit_fix_l4(ip);
	return l3 + 40 + len;
}

/* The stages of receiving in one: what the frame is, or why it is dropped. */
static inline enum lath_drop
kit_parse(const uint8_t *data, uint32_t len, uint32_t frame_len, struct lath_packet *pkt)
{
	uint16_t ethertype = 0;
	enum lath_drop drop = lath_parse_frame(data, len, pkt, &ethertype);

	if (drop != LATH_DROP_NONE)
		return drop;
	if (ethertype == LATH_ETHERTYPE_IPV4)
		return lath_parse_ipv4(data, len, frame_len, false, pkt);
	if (ethertype == LATH_ETHERTYPE_IPV6)
		return lath_parse_ipv6(data, len, frame_len, pkt);
	return LATH_DROP_ethertype;
}

/* A copy on the heap that ends where the bytes end, so that ASAN sees one read too many. */
static inline uint8_t *
kit_exact(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len == 0 ? 1 : len);

	if (copy != NULL)
		memcpy(copy, data, len);
	return copy;
}

/* The same over a copy that ends where its bytes do: ASAN sees a byte too many. */
static inline enum lath_drop
kit_parse_exact(const uint8_t *frame, uint32_t len, uint32_t frame_len, struct lath_packet *pkt)
{
	uint8_t *copy = kit_exact(frame, len);
	enum lath_drop drop;

	assert_non_null(copy);
	drop = kit_parse(copy, len, frame_len, pkt);
	free(copy);
	return drop;
}

static inline void
kit_assert_drop(const char *name, enum lath_drop drop, enum lath_drop expected)
{
	if (drop != expected)
		fail_msg("%s: %s, expected %s", name, lath_drop_name(drop),
				lath_drop_name(expected));
}
