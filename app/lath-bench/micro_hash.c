/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Hashes of a flow's key: those of lib/keyhash, and what was tried beside them. Keys lie a cache
 * line apart, as in the packets of a burst; all are in L1 or L2, since a hash that waits for memory
 * says nothing about the hash.
 *
 * "burst": 32 independent keys after each other, so that the CPU overlaps them. "chain": the
 * result chooses the next key, so that it cannot; that is what one hash takes from begin to end,
 * with a load of 4 cycles or so.
 *
 * SipHash four at once in AVX2 and AES in wide registers are not in the library: here is why.
 */

#include <string.h>

#include <rte_cpuflags.h>
#include <rte_hash_crc.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "micro.h"

#define KEYS 2048u
#define BURST 32u

struct hashes;

typedef void (*bulk_t)(const struct hashes *all, const struct lath_key4 *const keys[],
		uint64_t out[]);

struct hashes {
	struct lath_packet packets[KEYS]; /* a line each */
	struct lath_keyhash aes;
	struct lath_keyhash sip;
	uint64_t sum; /* so that nothing is optimised away */
};

struct variant {
	struct hashes *all;
	bulk_t bulk;
	uint64_t (*one4)(const struct hashes *all, const struct lath_key4 *key);
	uint64_t (*one6)(const struct hashes *all, const struct lath_key6 *key);
};

/* ---- of the library --------------------------------------------------------------------------- */

static void
bulk_sip(const struct hashes *all, const struct lath_key4 *const keys[], uint64_t out[])
{
	lath_keyhash4_bulk(&all->sip, keys, out, BURST);
}

static uint64_t
one_sip(const struct hashes *all, const struct lath_key4 *key)
{
	return lath_keyhash4(&all->sip, key);
}

static uint64_t
one6_sip(const struct hashes *all, const struct lath_key6 *key)
{
	return lath_keyhash6(&all->sip, key);
}

static void
bulk_aes(const struct hashes *all, const struct lath_key4 *const keys[], uint64_t out[])
{
	lath_keyhash4_bulk(&all->aes, keys, out, BURST);
}

static uint64_t
one_aes(const struct hashes *all, const struct lath_key4 *key)
{
	return lath_keyhash4(&all->aes, key);
}

static uint64_t
one6_aes(const struct hashes *all, const struct lath_key6 *key)
{
	return lath_keyhash6(&all->aes, key);
}

/* ---- tried ------------------------------------------------------------------------------------ */

/* What rte_hash takes by default; anybody can find keys that collide. */
static void
bulk_crc(const struct hashes *all, const struct lath_key4 *const keys[], uint64_t out[])
{
	(void)all;
	for (unsigned i = 0; i < BURST; i++)
		out[i] = rte_hash_crc(keys[i], sizeof(*keys[i]), 0);
}

/* Four at once in plain C. */
static void
bulk_sip_four(const struct hashes *all, const struct lath_key4 *const keys[], uint64_t out[])
{
	for (unsigned first = 0; first < BURST; first += 4) {
		struct lath_siphash_state s[4];
		uint64_t words[4][2];

		for (unsigned i = 0; i < 4; i++) {
			memcpy(words[i], keys[first + i], sizeof(words[i]));
			s[i] = lath_siphash_begin(&all->sip.siphash_key);
		}
		for (unsigned i = 0; i < 4; i++)
			lath_siphash_word(&s[i], words[i][0]);
		for (unsigned i = 0; i < 4; i++)
			lath_siphash_word(&s[i], words[i][1]);
		for (unsigned i = 0; i < 4; i++)
			lath_siphash_word(&s[i], UINT64_C(16) << 56);
		for (unsigned i = 0; i < 4; i++)
			out[first + i] = lath_siphash_end(&s[i]);
	}
}

#if LATH_KEYHASH_X86

static inline __m128i
load(const struct lath_key4 *key)
{
	return _mm_loadu_si128((const __m128i *)(const void *)key);
}

static inline void
bulk_aes_rounds(const struct hashes *all, const struct lath_key4 *const keys[],
		uint64_t *restrict out, unsigned rounds)
{
	for (unsigned i = 0; i < BURST; i++) {
		__m128i state = _mm_xor_si128(load(keys[i]), lath_keyhash_round_key(&all->aes, 0));

		for (unsigned round = 1; round <= rounds; round++)
			state = lath_keyhash_round(state, lath_keyhash_round_key(&all->aes, round));
		out[i] = (uint64_t)_mm_cvtsi128_si64(state);
	}
}

static void
bulk_aes_two(const struct hashes *all, const struct lath_key4 *const keys[], uint64_t out[])
{
	bulk_aes_rounds(all, keys, out, 2);
}

static void
bulk_aes_three(const struct hashes *all, const struct lath_key4 *const keys[], uint64_t out[])
{
	bulk_aes_rounds(all, keys, out, 3);
}

/* Four keys through four rounds step by step, with the intrinsic. */
__attribute__((target("aes"))) static void
bulk_aes_four(const struct hashes *all, const struct lath_key4 *const keys[], uint64_t out[])
{
	const __m128i *round_keys = (const __m128i *)(const void *)all->aes.round_keys;

	for (unsigned i = 0; i < BURST; i += 4) {
		__m128i a = _mm_xor_si128(load(keys[i]), round_keys[0]);
		__m128i b = _mm_xor_si128(load(keys[i + 1]), round_keys[0]);
		__m128i c = _mm_xor_si128(load(keys[i + 2]), round_keys[0]);
		__m128i d = _mm_xor_si128(load(keys[i + 3]), round_keys[0]);

		for (unsigned round = 1; round <= LATH_KEYHASH_ROUNDS; round++) {
			a = _mm_aesenc_si128(a, round_keys[round]);
			b = _mm_aesenc_si128(b, round_keys[round]);
			c = _mm_aesenc_si128(c, round_keys[round]);
			d = _mm_aesenc_si128(d, round_keys[round]);
		}
		out[i] = (uint64_t)_mm_cvtsi128_si64(a);
		out[i + 1] = (uint64_t)_mm_cvtsi128_si64(b);
		out[i + 2] = (uint64_t)_mm_cvtsi128_si64(c);
		out[i + 3] = (uint64_t)_mm_cvtsi128_si64(d);
	}
}

/* Words 0 and 1 of keys 0 and 2 beside those of keys 1 and 3. */
__attribute__((target("avx2"))) static inline __m256i
load_two(const struct lath_key4 *low, const struct lath_key4 *high)
{
	return _mm256_inserti128_si256(_mm256_castsi128_si256(load(low)), load(high), 1);
}

__attribute__((target("vaes,avx2"))) static void
bulk_vaes_256(const struct hashes *all, const struct lath_key4 *const keys[], uint64_t out[])
{
	const __m128i *from = (const __m128i *)(const void *)all->aes.round_keys;
	__m256i round_keys[LATH_KEYHASH_ROUNDS + 1];

	for (unsigned round = 0; round <= LATH_KEYHASH_ROUNDS; round++)
		round_keys[round] = _mm256_broadcastsi128_si256(from[round]);
	for (unsigned i = 0; i < BURST; i += 4) {
		__m256i a = load_two(keys[i], keys[i + 2]);
		__m256i b = load_two(keys[i + 1], keys[i + 3]);

		a = _mm256_xor_si256(a, round_keys[0]);
		b = _mm256_xor_si256(b, round_keys[0]);
		for (unsigned round = 1; round <= LATH_KEYHASH_ROUNDS; round++) {
			a = _mm256_aesenc_epi128(a, round_keys[round]);
			b = _mm256_aesenc_epi128(b, round_keys[round]);
		}
		_mm256_storeu_si256((__m256i *)(void *)(out + i), _mm256_unpacklo_epi64(a, b));
	}
}

/* The four words of SipHash, each of four keys. */
struct sip_lanes {
	__m256i v0;
	__m256i v1;
	__m256i v2;
	__m256i v3;
};

#define ROTATE(x, bits) \
	_mm256_or_si256(_mm256_slli_epi64(x, bits), _mm256_srli_epi64(x, 64 - (bits)))

__attribute__((target("avx2"))) static inline void
sip_round(struct sip_lanes *s)
{
	s->v0 = _mm256_add_epi64(s->v0, s->v1);
	s->v2 = _mm256_add_epi64(s->v2, s->v3);
	s->v1 = _mm256_xor_si256(ROTATE(s->v1, 13), s->v0);
	s->v3 = _mm256_xor_si256(ROTATE(s->v3, 16), s->v2);
	s->v0 = _mm256_shuffle_epi32(s->v0, 0xb1);
	s->v2 = _mm256_add_epi64(s->v2, s->v1);
	s->v0 = _mm256_add_epi64(s->v0, s->v3);
	s->v1 = _mm256_xor_si256(ROTATE(s->v1, 17), s->v2);
	s->v3 = _mm256_xor_si256(ROTATE(s->v3, 21), s->v0);
	s->v2 = _mm256_shuffle_epi32(s->v2, 0xb1);
}

__attribute__((target("avx2"))) static inline void
sip_word(struct sip_lanes *s, __m256i word)
{
	s->v3 = _mm256_xor_si256(s->v3, word);
	sip_round(s);
	s->v0 = _mm256_xor_si256(s->v0, word);
}

__attribute__((target("avx2"))) static void
bulk_sip_avx2(const struct hashes *all, const struct lath_key4 *const keys[], uint64_t out[])
{
	const struct lath_siphash_state begin = lath_siphash_begin(&all->sip.siphash_key);

	for (unsigned i = 0; i < BURST; i += 4) {
		__m256i a = load_two(keys[i], keys[i + 2]);
		__m256i b = load_two(keys[i + 1], keys[i + 3]);
		struct sip_lanes s = {
				.v0 = _mm256_set1_epi64x((long long)begin.v0),
				.v1 = _mm256_set1_epi64x((long long)begin.v1),
				.v2 = _mm256_set1_epi64x((long long)begin.v2),
				.v3 = _mm256_set1_epi64x((long long)begin.v3),
		};

		sip_word(&s, _mm256_unpacklo_epi64(a, b));
		sip_word(&s, _mm256_unpackhi_epi64(a, b));
		sip_word(&s, _mm256_set1_epi64x(16ll << 56));
		s.v2 = _mm256_xor_si256(s.v2, _mm256_set1_epi64x(0xff));
		sip_round(&s);
		sip_round(&s);
		sip_round(&s);
		s.v0 = _mm256_xor_si256(s.v0, s.v1);
		s.v2 = _mm256_xor_si256(s.v2, s.v3);
		_mm256_storeu_si256((__m256i *)(void *)(out + i), _mm256_xor_si256(s.v0, s.v2));
	}
}

#endif

/* ---- laps ------------------------------------------------------------------------------------- */

static uint64_t
lap_burst(void *ctx)
{
	struct variant *variant = ctx;
	struct hashes *all = variant->all;

	for (unsigned first = 0; first < KEYS; first += BURST) {
		const struct lath_key4 *keys[BURST];
		uint64_t out[BURST];

		for (unsigned i = 0; i < BURST; i++)
			keys[i] = &all->packets[first + i].key4;
		variant->bulk(all, keys, out);
		all->sum += out[0] ^ out[BURST - 1];
	}
	return KEYS;
}

static uint64_t
lap_chain4(void *ctx)
{
	struct variant *variant = ctx;
	struct hashes *all = variant->all;
	uint64_t hash = all->sum;

	for (unsigned i = 0; i < KEYS; i++)
		hash = variant->one4(all, &all->packets[hash % KEYS].key4);
	all->sum = hash;
	return KEYS;
}

static uint64_t
lap_burst6(void *ctx)
{
	struct variant *variant = ctx;
	struct hashes *all = variant->all;
	uint64_t sum = 0;

	for (unsigned i = 0; i < KEYS; i++)
		sum ^= variant->one6(all, &all->packets[i].key6);
	all->sum += sum;
	return KEYS;
}

/* A variant of a hash must be that hash, or its figure is of something else. */
static void
check(const struct hashes *all, const char *name, bulk_t bulk, const struct lath_keyhash *same)
{
	const struct lath_key4 *keys[BURST];
	uint64_t out[BURST];

	for (unsigned i = 0; i < BURST; i++)
		keys[i] = &all->packets[i].key4;
	bulk(all, keys, out);
	for (unsigned i = 0; i < BURST; i++)
		if (out[i] != lath_keyhash4(same, keys[i]))
			rig_die("flow-hash: %s is wrong for key %u", name, i);
}

struct rows {
	struct micro_case cases[20];
	struct variant variants[20];
	unsigned count;
};

static struct variant *
add(struct rows *rows, struct hashes *all, const char *name, const char *condition,
		uint64_t (*lap)(void *ctx))
{
	struct variant *variant = &rows->variants[rows->count];
	struct micro_case *one = &rows->cases[rows->count++];

	*variant = (struct variant){.all = all};
	*one = (struct micro_case){.variant = name, .unit = "key", .lap = lap, .ctx = variant};
	snprintf(one->condition, sizeof(one->condition), "%s", condition);
	return variant;
}

/* `same`: whose results it must give; NULL: its own. */
static void
add_bulk(struct rows *rows, struct hashes *all, const char *name, bulk_t bulk,
		const struct lath_keyhash *same)
{
	if (same != NULL)
		check(all, name, bulk, same);
	add(rows, all, name, "16 bytes, burst", lap_burst)->bulk = bulk;
}

static void
run(struct micro *micro)
{
	static struct rows rows;
	struct hashes *all = micro_alloc(micro, sizeof(*all));
	const struct lath_siphash_key secret = {
			lath_random_next(&micro->random), lath_random_next(&micro->random)};
	bool has_aes = lath_keyhash_best() == LATH_KEYHASH_AES;

	rows.count = 0;
	lath_keyhash_init(&all->aes, &secret, lath_keyhash_best());
	lath_keyhash_init(&all->sip, &secret, LATH_KEYHASH_SIPHASH);
	for (unsigned i = 0; i < KEYS; i++)
		for (unsigned j = 0; j < sizeof(struct lath_key6) / 8; j++) {
			uint64_t word = lath_random_next(&micro->random);

			memcpy((uint8_t *)&all->packets[i].key6 + 8 * j, &word, 8);
		}
	add_bulk(&rows, all, "rte_hash_crc (no secret)", bulk_crc, NULL);
	add_bulk(&rows, all, "siphash13", bulk_sip, &all->sip);
	add_bulk(&rows, all, "siphash13, 4 at once, C", bulk_sip_four, &all->sip);
#if LATH_KEYHASH_X86
	if (rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX2) == 1)
		add_bulk(&rows, all, "siphash13, 4 at once, AVX2", bulk_sip_avx2, &all->sip);
	if (has_aes) {
		add_bulk(&rows, all, "aes, 2 rounds", bulk_aes_two, NULL);
		add_bulk(&rows, all, "aes, 3 rounds", bulk_aes_three, NULL);
		add_bulk(&rows, all, "aes, 4 rounds", bulk_aes, &all->aes);
		add_bulk(&rows, all, "aes, 4 rounds, 4 at once", bulk_aes_four, &all->aes);
		if (rte_cpu_get_flag_enabled(RTE_CPUFLAG_VAES) == 1)
			add_bulk(&rows, all, "aes, 4 rounds, 256 bits", bulk_vaes_256, &all->aes);
	}
#endif
	add(&rows, all, "siphash13", "16 bytes, chain", lap_chain4)->one4 = one_sip;
	if (has_aes)
		add(&rows, all, "aes, 4 rounds", "16 bytes, chain", lap_chain4)->one4 = one_aes;
	add(&rows, all, "siphash13", "40 bytes, burst", lap_burst6)->one6 = one6_sip;
	if (has_aes)
		add(&rows, all, "aes, 4 rounds", "40 bytes, burst", lap_burst6)->one6 = one6_aes;
	micro_measure(micro, rows.cases, rows.count);
	micro_free(micro, all, sizeof(*all));
}

const struct micro_test micro_hash_test = {
		"flow-hash", "the flow table's hash, a key, and what was tried beside it", run};
