/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "lath_xlate.h"

/*
 * A rewrite changes the same words of every packet of a direction, so the one's complement sum of
 * what goes and what comes is worked out once. Two adds a packet then keep both checksums right,
 * with or without NIC offload, and a checksum that arrived wrong leaves wrong: nothing is hidden.
 */

/* One's complement sum of eight bytes, folded to below 2^18. */
static uint64_t
sum8(const void *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	word = (word & UINT32_MAX) + (word >> 32);
	return (word & 0xffff) + (word >> 16 & 0xffff) + (word >> 32);
}

static uint64_t
sum4(const void *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return (word & 0xffff) + (word >> 16);
}

/* sum(new) - sum(old); as lath_cksum_delta(), in a few instructions for each new flow. */
static uint16_t
difference(uint64_t old_sum, uint64_t new_sum)
{
	return lath_cksum_add((uint16_t)~lath_cksum_fold((uint32_t)old_sum),
			lath_cksum_fold((uint32_t)new_sum));
}

struct lath_deltas
lath_xlate_deltas4(const struct lath_key4 *key, const struct lath_rewrite4 *rewrite)
{
	/* The TTL is the first byte of its word; in memory order one less is minus 1. */
	const uint16_t ttl_minus_one = (uint16_t)~1u;
	uint16_t addresses = difference(sum8(&key->src_be), sum8(&rewrite->src_be));
	struct lath_deltas deltas = {.ip = lath_cksum_add(addresses, ttl_minus_one)};

	if (key->proto_vpc >> 24 == LATH_PROTO_ICMP) /* no pseudo header, one identifier */
		deltas.l4 = lath_cksum_delta(&key->src_port_be, &rewrite->src_port_be, 2);
	else
		deltas.l4 = lath_cksum_add(addresses,
				difference(sum4(&key->src_port_be), sum4(&rewrite->src_port_be)));
	return deltas;
}

/* What the sum of ICMPv6 covers and that of ICMP does not, but for the length (RFC 8200 section 8.1). */
static uint16_t
pseudo_icmpv6(const void *addresses)
{
	uint16_t sum = lath_cksum_fold(lath_cksum_partial(addresses, 32, 0));

	return lath_cksum_add(sum, (LATH_FORCE uint16_t)lath_to_be16(LATH_PROTO_ICMPV6));
}

struct lath_deltas
lath_xlate_deltas6(const struct lath_key6 *key, const struct lath_rewrite6 *rewrite)
{
	size_t ports = key->proto_vpc >> 24 == LATH_PROTO_ICMPV6 ? 2 : 4; /* one identifier */

	return (struct lath_deltas){
			.l4 = lath_cksum_add(lath_cksum_delta(key->src, rewrite->src, 32),
					lath_cksum_delta(&key->src_port_be, &rewrite->src_port_be,
							ports))};
}

struct lath_deltas
lath_xlate_deltas_6to4(const struct lath_key6 *key, const struct lath_rewrite4 *rewrite)
{
	bool echo = key->proto_vpc >> 24 == LATH_PROTO_ICMPV6;
	uint16_t addresses = echo ? (uint16_t)~pseudo_icmpv6(key)
				  : lath_cksum_delta2(key->src, 32, &rewrite->src_be, 8);
	uint16_t ports = lath_cksum_delta(&key->src_port_be, &rewrite->src_port_be, echo ? 2 : 4);

	return (struct lath_deltas){.l4 = lath_cksum_add(addresses, ports)};
}

struct lath_deltas
lath_xlate_deltas_4to6(const struct lath_key4 *key, const struct lath_rewrite6 *rewrite)
{
	bool echo = key->proto_vpc >> 24 == LATH_PROTO_ICMP;
	uint16_t addresses = echo ? pseudo_icmpv6(rewrite)
				  : lath_cksum_delta2(&key->src_be, 8, rewrite->src, 32);
	uint16_t ports = lath_cksum_delta(&key->src_port_be, &rewrite->src_port_be, echo ? 2 : 4);

	return (struct lath_deltas){.l4 = lath_cksum_add(addresses, ports)};
}
