/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * SipHash-c-d of any length (Aumasson and Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT
 * 2012, section 2): c rounds a word, d rounds at the end. The last word holds the 0..7 bytes left
 * and the length modulo 256 on top. Flow keys of 16 and 40 bytes have their own inline forms.
 */

#include <string.h>

#include "lath_siphash.h"

static void
take_word(struct lath_siphash_state *s, uint64_t word, unsigned rounds)
{
	s->v3 ^= word;
	for (unsigned i = 0; i < rounds; i++)
		lath_siphash_round(s);
	s->v0 ^= word;
}

static uint64_t
hash_bytes(const struct lath_siphash_key *key, const void *data, size_t len, unsigned word_rounds,
		unsigned end_rounds)
{
	struct lath_siphash_state s = lath_siphash_begin(key);
	const uint8_t *from = data;
	uint64_t last = (uint64_t)len << 56;
	size_t left = len;

	for (; left >= 8; left -= 8, from += 8) {
		uint64_t word;

		memcpy(&word, from, 8);
		take_word(&s, word, word_rounds);
	}
	for (size_t i = 0; i < left; i++)
		last |= (uint64_t)from[i] << (8 * i);
	take_word(&s, last, word_rounds);
	s.v2 ^= 0xff;
	for (unsigned i = 0; i < end_rounds; i++)
		lath_siphash_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t
lath_siphash13(const struct lath_siphash_key *key, const void *data, size_t len)
{
	return hash_bytes(key, data, len, 1, 3);
}

uint64_t
lath_siphash24(const struct lath_siphash_key *key, const void *data, size_t len)
{
	return hash_bytes(key, data, len, 2, 4);
}
