/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * The hash of a flow's key, that somebody without the secret cannot steer: four rounds of AES where
 * the CPU has the instruction, SipHash-1-3 elsewhere. The two give different values, so a table
 * keeps to one. What it is good for and what not: see keyhash.c.
 *
 * Pure; everything is @thread any; allocates nothing.
 *
 * Calls need not be interleaved by hand: one key takes about 24 cycles, but a loop over independent
 * keys about 2 a key, because the CPU starts the next before the last is through. (Zen 5. A loop
 * that stores what may overlap the struct loads the round keys each time: 2.6.)
 */
#pragma once

#include <lath_parse.h>
#include <lath_siphash.h>

#ifdef __x86_64__
#define LATH_KEYHASH_X86 1
#include <wmmintrin.h>
#else
#define LATH_KEYHASH_X86 0
#endif

#define LATH_KEYHASH_ROUNDS 4u

enum lath_keyhash_kind {
	LATH_KEYHASH_SIPHASH, /* everywhere */
	LATH_KEYHASH_AES,     /* x86-64 with AES-NI */
	LATH_KEYHASH_KIND_COUNT,
};

/** Ready to hash with; holds the secret. */
struct lath_keyhash {
	uint8_t round_keys[LATH_KEYHASH_ROUNDS + 1][16];
	struct lath_siphash_key siphash_key;
	enum lath_keyhash_kind kind;
} LATH_ALIGNED(LATH_CACHE_LINE);

/** The fastest kind that this CPU has. */
enum lath_keyhash_kind lath_keyhash_best(void);

/** `kind` is lath_keyhash_best(), or SIPHASH to be without AES. `secret` is 128 random bits. */
void lath_keyhash_init(struct lath_keyhash *hash, const struct lath_siphash_key *secret,
		enum lath_keyhash_kind kind);

/** "siphash", "aes". */
const char *lath_keyhash_kind_name(enum lath_keyhash_kind kind);

#if LATH_KEYHASH_X86

/* In assembler, because the intrinsic needs a target attribute on its function, and a function with
 * another target than its caller's is not inlined.
 */
static inline __m128i
lath_keyhash_round(__m128i state, __m128i round_key)
{
#ifdef __AES__
	return _mm_aesenc_si128(state, round_key);
#else
	__asm__("aesenc %1, %0" : "+x"(state) : "x"(round_key));
	return state;
#endif
}

static inline __m128i
lath_keyhash_round_key(const struct lath_keyhash *hash, unsigned round)
{
	return _mm_load_si128((const __m128i *)(const void *)hash->round_keys[round]);
}

static inline __m128i
lath_keyhash_rounds(const struct lath_keyhash *hash, __m128i state)
{
	state = lath_keyhash_round(state, lath_keyhash_round_key(hash, 1));
	state = lath_keyhash_round(state, lath_keyhash_round_key(hash, 2));
	state = lath_keyhash_round(state, lath_keyhash_round_key(hash, 3));
	return lath_keyhash_round(state, lath_keyhash_round_key(hash, 4));
}

/* The kind must be AES: for code that has looked once for many keys. */
static inline uint64_t
lath_keyhash4_aes(const struct lath_keyhash *hash, const struct lath_key4 *key)
{
	__m128i state = _mm_loadu_si128((const __m128i *)(const void *)key);

	state = _mm_xor_si128(state, lath_keyhash_round_key(hash, 0));
	return (uint64_t)_mm_cvtsi128_si64(lath_keyhash_rounds(hash, state));
}

/* Source, destination, then ports, protocol and VPC beside the key's length. */
static inline uint64_t
lath_keyhash6_aes(const struct lath_keyhash *hash, const struct lath_key6 *key)
{
	const uint8_t *bytes = (const uint8_t *)key;
	__m128i block = _mm_loadu_si128((const __m128i *)(const void *)bytes);
	__m128i state = _mm_xor_si128(block, lath_keyhash_round_key(hash, 0));

	state = lath_keyhash_rounds(hash, state);
	block = _mm_loadu_si128((const __m128i *)(const void *)(bytes + 16));
	state = lath_keyhash_rounds(hash, _mm_xor_si128(state, block));
	block = _mm_loadl_epi64((const __m128i *)(const void *)(bytes + 32));
	block = _mm_or_si128(block, _mm_set_epi64x(sizeof(*key), 0));
	state = lath_keyhash_rounds(hash, _mm_xor_si128(state, block));
	return (uint64_t)_mm_cvtsi128_si64(state);
}

#endif

static inline uint64_t
lath_keyhash4(const struct lath_keyhash *hash, const struct lath_key4 *key)
{
	uint64_t words[2];

#if LATH_KEYHASH_X86
	if (hash->kind == LATH_KEYHASH_AES)
		return lath_keyhash4_aes(hash, key);
#endif
	memcpy(words, key, sizeof(words));
	return lath_siphash13_2w(&hash->siphash_key, words[0], words[1]);
}

static inline uint64_t
lath_keyhash6(const struct lath_keyhash *hash, const struct lath_key6 *key)
{
	uint64_t words[5];

#if LATH_KEYHASH_X86
	if (hash->kind == LATH_KEYHASH_AES)
		return lath_keyhash6_aes(hash, key);
#endif
	memcpy(words, key, sizeof(words));
	return lath_siphash13_5w(&hash->siphash_key, words);
}

/** Of 16 bytes that are no struct lath_key4 but as long. */
static inline uint64_t
lath_keyhash16(const struct lath_keyhash *hash, const void *bytes)
{
	struct lath_key4 key;

	memcpy(&key, bytes, sizeof(key));
	return lath_keyhash4(hash, &key);
}

/** out[i] = lath_keyhash4(hash, keys[i]), with the kind looked at and the round keys loaded once.
 *  `out` must not overlap `*hash`: that is what makes it so.
 */
static inline void
lath_keyhash4_bulk(const struct lath_keyhash *hash, const struct lath_key4 *const keys[],
		uint64_t *restrict out, unsigned count)
{
#if LATH_KEYHASH_X86
	if (hash->kind == LATH_KEYHASH_AES) {
		for (unsigned i = 0; i < count; i++)
			out[i] = lath_keyhash4_aes(hash, keys[i]);
		return;
	}
#endif
	for (unsigned i = 0; i < count; i++)
		out[i] = lath_keyhash4(hash, keys[i]);
}
