/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * What it must do: keys come from the network, and somebody who chooses them must not be able to
 * fill one bucket of a table or give many keys one tag. So the low bits (bucket) and the high ones
 * (tag) of the 64 must not be predictable, alone or as differences, without a secret that is
 * drawn at start and never leaves the process. Hashes do not leave it either: all that an attacker
 * can hope to see is time.
 *
 * What it is: AES-128 cut to its first four rounds, with the first five round keys of the secret's
 * key expansion (FIPS 197, section 5.2; here at start, not for each key). The last round has its
 * MixColumns, which costs nothing and mixes each 32-bit column of the result. 16 bytes are one
 * block; the low 64 bits of the result are the hash. 40 bytes are three blocks, each added to the
 * state before four rounds, as in Pelican (Daemen and Rijmen, "The Pelican MAC Function", ePrint
 * 2005/088), but with the round keys in every block.
 *
 *     key --(+)--[round]--[round]--[round]--[round]--> low 64 bits
 *            |      |        |        |        |
 *            K0     K1       K2       K3       K4
 *
 * Why four rounds. It is a permutation for each secret, so two keys of 16 bytes never agree in all
 * 128 bits. After two rounds each bit of the result depends on each of the key, but the differences
 * that a changed byte leads to are few and known: one column of the result takes 255 of them. Over
 * four rounds no difference of two inputs leads to any one difference of outputs with a greater
 * expected probability than 1.881 x 2^-114 (Keliher and Sui, IET Information Security 1(2), 2007:
 * independent uniform round keys). On that bound Minematsu and Tsunoo build MACs that chain
 * four-round AES as the 40-byte form does (FSE 2006), and ALRED and Pelican take four rounds for
 * each block too. Three rounds take 0.3 cycles a key less and two 0.4: not worth the margin.
 *
 * What it is not: a pseudorandom function. Whoever sees results of four-round AES for a few hundred
 * chosen inputs can find the key (the square attack: Daemen, Knudsen, Rijmen, FSE 1997), so a hash
 * must not be shown to anybody, not even in part: not in telemetry, not as a port number, not as a
 * choice that a client can see. For those there is SipHash. And the bound above is about whole
 * blocks with independent round keys; that it carries over to the bits that a table uses, and to
 * round keys expanded from one secret, is the usual assumption and not proven. The known
 * distinguishers of four rounds concern sums over a structure of inputs, and pairs that never
 * collide (Biham and Keller, 2000): neither fills a bucket.
 *
 * Why not SipHash-1-3 alone: in a burst it takes 15 cycles a key where this takes 2, and 28 where
 * this takes 24 from a key's address to its hash alone (TSC cycles, Zen 5, gcc 12; lath-bench
 * flow-hash, which has the variants). Four SipHashes side by side took 9 in AVX2, and in plain C
 * more than one after the other. Four AES keys side by side, or AES on 256 bits, took as long as
 * this loop (clang 14: 0.4 and 0.6 less).
 */

#include <assert.h>

#include "lath_keyhash.h"

#if LATH_KEYHASH_X86

/* FIPS 197, section 5.2. With four equal columns ShiftRows does nothing, so that the last round of
 * AES with a zero key is SubWord().
 */
__attribute__((target("aes"))) static uint32_t
sub_word(uint32_t word)
{
	__m128i state = _mm_set1_epi32((int)word);

	return (uint32_t)_mm_cvtsi128_si32(_mm_aesenclast_si128(state, _mm_setzero_si128()));
}

static void
expand(struct lath_keyhash *hash, const struct lath_siphash_key *secret)
{
	uint32_t words[4];
	uint32_t constant = 1; /* x^(round - 1); the first byte of a word is the low one */

	memcpy(words, secret, sizeof(words));
	memcpy(hash->round_keys[0], words, sizeof(words));
	for (unsigned round = 1; round <= LATH_KEYHASH_ROUNDS; round++, constant <<= 1) {
		words[0] ^= sub_word(words[3] >> 8 | words[3] << 24) ^ constant;
		for (unsigned i = 1; i < 4; i++)
			words[i] ^= words[i - 1];
		memcpy(hash->round_keys[round], words, sizeof(words));
	}
}

enum lath_keyhash_kind
lath_keyhash_best(void)
{
	return __builtin_cpu_supports("aes") ? LATH_KEYHASH_AES : LATH_KEYHASH_SIPHASH;
}

#else

static void
expand(struct lath_keyhash *hash, const struct lath_siphash_key *secret)
{
	(void)hash;
	(void)secret;
	assert(!"this CPU has no AES instruction of x86");
}

enum lath_keyhash_kind
lath_keyhash_best(void)
{
	return LATH_KEYHASH_SIPHASH;
}

#endif

void
lath_keyhash_init(struct lath_keyhash *hash, const struct lath_siphash_key *secret,
		enum lath_keyhash_kind kind)
{
	*hash = (struct lath_keyhash){.siphash_key = *secret, .kind = kind};
	if (kind == LATH_KEYHASH_AES)
		expand(hash, secret);
}

const char *
lath_keyhash_kind_name(enum lath_keyhash_kind kind)
{
	return kind == LATH_KEYHASH_AES ? "aes" : "siphash";
}
