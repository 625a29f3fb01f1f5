/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * SipHash: a keyed hash that somebody without the key cannot steer (Aumasson and Bernstein,
 * INDOCRYPT 2012). SipHash-1-3 indexes flow tables and picks targets; SipHash-2-4 is here for the
 * published test vectors. Pure; any thread; allocates nothing.
 *
 * Words are read in memory order, little-endian, as the paper has it.
 */
#pragma once

#include <lath_base.h>

struct lath_siphash_key {
	uint64_t k0;
	uint64_t k1;
};

/* The four words of the paper's section 2. */
struct lath_siphash_state {
	uint64_t v0;
	uint64_t v1;
	uint64_t v2;
	uint64_t v3;
};

static inline uint64_t
lath_siphash_rotate(uint64_t x, unsigned bits)
{
	return (x << bits) | (x >> (64 - bits));
}

/* One SipRound, figure 2.1 of the paper. */
static inline void
lath_siphash_round(struct lath_siphash_state *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = lath_siphash_rotate(s->v1, 13) ^ s->v0;
	s->v3 = lath_siphash_rotate(s->v3, 16) ^ s->v2;
	s->v0 = lath_siphash_rotate(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = lath_siphash_rotate(s->v1, 17) ^ s->v2;
	s->v3 = lath_siphash_rotate(s->v3, 21) ^ s->v0;
	s->v2 = lath_siphash_rotate(s->v2, 32);
}

static inline struct lath_siphash_state
lath_siphash_begin(const struct lath_siphash_key *key)
{
	/* Section 2.1: "somepseudorandomlygeneratedbytes". */
	return (struct lath_siphash_state){
			.v0 = key->k0 ^ UINT64_C(0x736f6d6570736575),
			.v1 = key->k1 ^ UINT64_C(0x646f72616e646f6d),
			.v2 = key->k0 ^ UINT64_C(0x6c7967656e657261),
			.v3 = key->k1 ^ UINT64_C(0x7465646279746573),
	};
}

/* SipHash-1-x takes a word with one round. */
static inline void
lath_siphash_word(struct lath_siphash_state *s, uint64_t word)
{
	s->v3 ^= word;
	lath_siphash_round(s);
	s->v0 ^= word;
}

/* SipHash-x-3 ends with three rounds. */
static inline uint64_t
lath_siphash_end(struct lath_siphash_state *s)
{
	s->v2 ^= 0xff;
	lath_siphash_round(s);
	lath_siphash_round(s);
	lath_siphash_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/** Of exactly 16 bytes; equals lath_siphash13() over the same bytes. @thread any */
static inline uint64_t
lath_siphash13_2w(const struct lath_siphash_key *key, uint64_t w0, uint64_t w1)
{
	struct lath_siphash_state s = lath_siphash_begin(key);

	lath_siphash_word(&s, w0);
	lath_siphash_word(&s, w1);
	lath_siphash_word(&s, UINT64_C(16) << 56);
	return lath_siphash_end(&s);
}

/** Of exactly 24 bytes; equals lath_siphash13() over the same bytes. @thread any */
static inline uint64_t
lath_siphash13_3w(const struct lath_siphash_key *key, const uint64_t words[3])
{
	struct lath_siphash_state s = lath_siphash_begin(key);

	lath_siphash_word(&s, words[0]);
	lath_siphash_word(&s, words[1]);
	lath_siphash_word(&s, words[2]);
	lath_siphash_word(&s, UINT64_C(24) << 56);
	return lath_siphash_end(&s);
}

/** Of exactly 40 bytes; equals lath_siphash13() over the same bytes. @thread any */
static inline uint64_t
lath_siphash13_5w(const struct lath_siphash_key *key, const uint64_t words[5])
{
	struct lath_siphash_state s = lath_siphash_begin(key);

	lath_siphash_word(&s, words[0]);
	lath_siphash_word(&s, words[1]);
	lath_siphash_word(&s, words[2]);
	lath_siphash_word(&s, words[3]);
	lath_siphash_word(&s, words[4]);
	lath_siphash_word(&s, UINT64_C(40) << 56);
	return lath_siphash_end(&s);
}

/** SipHash-1-3 of any length. @thread any */
uint64_t lath_siphash13(const struct lath_siphash_key *key, const void *data, size_t len);

/** SipHash-2-4 of any length. @thread any */
uint64_t lath_siphash24(const struct lath_siphash_key *key, const void *data, size_t len);
