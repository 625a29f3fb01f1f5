/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * The Internet checksum: whole sums and incremental updates (RFC 1071, RFC 1624).
 * Pure; any thread; allocates nothing. Does not write into packets.
 *
 * Every 16-bit value here is in *memory byte order*: what two bytes of a packet give when they are
 * copied into a uint16_t. The one's complement sum commutes with a byte swap (RFC 1071 section
 * 2(B)), so nothing is swapped anywhere and a result is stored with memcpy() as it is. There are
 * two zeros, 0x0000 and 0xffff; sums and deltas may be either.
 */
#pragma once

#include <string.h>

#include <lath_wire.h>

/** One's complement addition. @thread any */
static inline uint16_t
lath_cksum_add(uint16_t a, uint16_t b)
{
	uint32_t sum = (uint32_t)a + b;

	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/** RFC 1624, eqn. 3: HC' = ~(~HC + ~m + m'). `delta` is ~m + m' from lath_cksum_delta(); deltas
 *  of several fields are first joined with lath_cksum_add(). For IPv4, TCP and ICMP. @thread any
 */
static inline uint16_t
lath_cksum_apply(uint16_t cksum, uint16_t delta)
{
	return (uint16_t)~lath_cksum_add((uint16_t)~cksum, delta);
}

/** The same for UDP, where 0 says that there is no checksum (RFC 768): 0 stays 0 and a result of
 *  0 becomes 0xffff. @thread any
 */
static inline uint16_t
lath_cksum_apply_udp(uint16_t cksum, uint16_t delta)
{
	uint16_t updated = lath_cksum_apply(cksum, delta);

	if (cksum == 0)
		return 0;
	return updated == 0 ? 0xffff : updated;
}

/** Adds `len` bytes to `sum` (0 to begin with). A block of odd length is padded with a zero byte,
 *  so only the last block of a chain may be odd. @thread any
 */
uint32_t lath_cksum_partial(const void *data, size_t len, uint32_t sum);

/** Folds to 16 bits; no complement. @thread any */
uint16_t lath_cksum_fold(uint32_t sum);

/** sum(new) - sum(old) in one's complement, for lath_cksum_apply(). Both are `even_len` bytes at
 *  an even offset of the checksummed data. @thread any
 */
uint16_t lath_cksum_delta(const void *old_words, const void *new_words, size_t even_len);

/** The same for blocks of different (even) lengths: IPv4 addresses replaced by IPv6 ones. */
uint16_t lath_cksum_delta2(const void *old_words, size_t old_len, const void *new_words,
		size_t new_len);

/** The checksum over `len` bytes: the value to store when the field inside is zero; 0 when the
 *  field holds the right value. For ICMP messages. @thread any
 */
uint16_t lath_cksum_message(const void *data, size_t len);

/** The same for an IPv4 header with its options; `len` is its length in bytes. @thread any */
uint16_t lath_cksum_ipv4_header(const void *hdr, size_t len);

/** True when a header of 20 bytes holds the right checksum: the receive path's, so it is inline.
 *  @thread any
 */
static inline bool
lath_cksum_ipv4_holds(const struct lath_ipv4_hdr *ip)
{
	uint64_t words[2];
	uint32_t last;
	uint64_t sum;

	memcpy(words, ip, sizeof(words));
	memcpy(&last, (const uint8_t *)ip + sizeof(words), sizeof(last));
	sum = (words[0] & UINT32_MAX) + (words[0] >> 32) + (words[1] & UINT32_MAX) +
			(words[1] >> 32) + last;
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)(sum + (sum >> 16)) == 0xffff;
}

/** TCP or UDP over IPv4 with the pseudo header (RFC 9293 section 3.1). `l4_len` bytes at `l4`; the
 *  protocol is taken from `ip`, the length is `l4_len`. With the checksum field zero: the value to
 *  store (UDP: store 0xffff when it is 0). With the right value in the field: 0. @thread any
 */
uint16_t lath_cksum_l4_v4(const struct lath_ipv4_hdr *ip, const void *l4, size_t l4_len);

/** The same over IPv6 (RFC 8200 section 8.1), ICMPv6 as well. `proto` is the upper protocol, not
 *  that of an extension header. LIMIT: the destination is taken from `ip`, so a packet under way
 *  with a routing header does not verify. @thread any
 */
uint16_t lath_cksum_l4_v6(const struct lath_ipv6_hdr *ip, uint8_t proto, const void *l4,
		size_t l4_len);
