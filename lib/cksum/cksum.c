/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Sums are taken eight bytes a step into a 64-bit accumulator: adding 32-bit halves can carry out
 * of it only after 2^32 steps, and 2^16 = 1 modulo 65,535, so words of any multiple of 16 bits may
 * be added and folded at the end (RFC 1071 section 2(C)). No vector code: whole sums are made for
 * generated packets only, packets under way are updated by deltas.
 */

#include <string.h>

#include "lath_cksum.h"

uint32_t
lath_cksum_partial(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *from = data;
	uint64_t total = sum;

	for (; len >= 8; len -= 8, from += 8) {
		uint64_t word;

		memcpy(&word, from, 8);
		total += (word & UINT32_MAX) + (word >> 32);
	}
	for (; len >= 2; len -= 2, from += 2) {
		uint16_t word;

		memcpy(&word, from, 2);
		total += word;
	}
	if (len == 1)
		total += *from; /* the low byte in memory order; its partner is the padding */
	total = (total & UINT32_MAX) + (total >> 32);
	total = (total & UINT32_MAX) + (total >> 32);
	return (uint32_t)total;
}

uint16_t
lath_cksum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

uint16_t
lath_cksum_delta(const void *old_words, const void *new_words, size_t even_len)
{
	return lath_cksum_delta2(old_words, even_len, new_words, even_len);
}

uint16_t
lath_cksum_delta2(const void *old_words, size_t old_len, const void *new_words, size_t new_len)
{
	uint16_t old_sum = lath_cksum_fold(lath_cksum_partial(old_words, old_len, 0));
	uint16_t new_sum = lath_cksum_fold(lath_cksum_partial(new_words, new_len, 0));

	return lath_cksum_add((uint16_t)~old_sum, new_sum);
}

uint16_t
lath_cksum_message(const void *data, size_t len)
{
	return (uint16_t)~lath_cksum_fold(lath_cksum_partial(data, len, 0));
}

uint16_t
lath_cksum_ipv4_header(const void *hdr, size_t len)
{
	return lath_cksum_message(hdr, len);
}

uint16_t
lath_cksum_l4_v4(const struct lath_ipv4_hdr *ip, const void *l4, size_t l4_len)
{
	struct {
		lath_be32_t src_be;
		lath_be32_t dst_be;
		uint8_t zero;
		uint8_t proto;
		lath_be16_t len_be;
	} pseudo = {ip->src_be, ip->dst_be, 0, ip->proto, lath_to_be16((uint16_t)l4_len)};
	uint32_t sum = lath_cksum_partial(&pseudo, sizeof(pseudo), 0);

	return (uint16_t)~lath_cksum_fold(lath_cksum_partial(l4, l4_len, sum));
}

uint16_t
lath_cksum_l4_v6(const struct lath_ipv6_hdr *ip, uint8_t proto, const void *l4, size_t l4_len)
{
	struct {
		lath_be32_t len_be;
		uint8_t zero[3];
		uint8_t proto;
	} tail = {lath_to_be32((uint32_t)l4_len), {0}, proto};
	uint32_t sum = lath_cksum_partial(ip->src, sizeof(ip->src) + sizeof(ip->dst), 0);

	sum = lath_cksum_partial(&tail, sizeof(tail), sum);
	return (uint16_t)~lath_cksum_fold(lath_cksum_partial(l4, l4_len, sum));
}
