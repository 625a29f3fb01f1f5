/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * The AES form is held against AES written down from FIPS 197 in plain C; both forms are held to
 * what a table needs of the bits that it uses, with keys as networks have them: in sequence.
 */

#include <lath_keyhash.h>

#include "lath_test.h"

/* ---- AES from the standard ------------------------------------------------------------------ */

static uint8_t
multiply(uint8_t a, uint8_t b)
{
	uint8_t product = 0;

	for (unsigned i = 0; i < 8; i++) {
		if (b >> i & 1)
			product ^= a;
		a = (uint8_t)(a << 1 ^ (a >> 7) * 0x1b);
	}
	return product;
}

/* Section 5.1.1: the inverse in GF(2^8), which is the 254th power, and an affine map. */
static uint8_t
substitute(uint8_t x)
{
	uint8_t inverse = 1;
	uint8_t result = 0x63;

	for (unsigned i = 0; i < 254; i++)
		inverse = multiply(inverse, x);
	for (unsigned i = 0; i < 5; i++)
		result ^= (uint8_t)(inverse << i | inverse >> (8 - i));
	return result;
}

struct aes {
	uint8_t boxes[256];
	uint8_t round_keys[11][16];
};

static void
aes_init(struct aes *aes, const uint8_t key[16])
{
	uint8_t *bytes = aes->round_keys[0];
	uint8_t constant = 1;

	for (unsigned i = 0; i < 256; i++)
		aes->boxes[i] = substitute((uint8_t)i);
	memcpy(bytes, key, 16);
	for (unsigned i = 16; i < sizeof(aes->round_keys); i++) {
		uint8_t left = bytes[i - 4];

		if (i % 16 < 4)
			left = aes->boxes[bytes[i % 4 == 3 ? i - 7 : i - 3]];
		if (i % 16 == 0) {
			left ^= constant;
			constant = multiply(constant, 2);
		}
		bytes[i] = bytes[i - 16] ^ left;
	}
}

/* Byte 4 * column + row of the state. The cipher's own last round is without MixColumns. */
static void
aes_round(const struct aes *aes, unsigned round, uint8_t state[16], bool mixes)
{
	uint8_t in[16];

	for (unsigned i = 0; i < 16; i++)
		in[i] = aes->boxes[state[(i + 4 * (i % 4)) % 16]];
	for (unsigned i = 0; i < 16; i++) {
		const uint8_t *column = &in[i / 4 * 4];

		state[i] = in[i];
		if (mixes)
			state[i] = multiply(column[i % 4], 2) ^ multiply(column[(i + 1) % 4], 3) ^
					column[(i + 2) % 4] ^ column[(i + 3) % 4];
		state[i] ^= aes->round_keys[round][i];
	}
}

static void
add(uint8_t state[16], const uint8_t *block, size_t len)
{
	for (size_t i = 0; i < len; i++)
		state[i] ^= block[i];
}

static uint64_t
hash_by_the_standard(const struct aes *aes, const void *key, size_t len)
{
	const uint8_t *bytes = key;
	uint8_t state[16];
	uint64_t result;

	memcpy(state, aes->round_keys[0], 16);
	for (size_t at = 0; at < len; at += 16) {
		add(state, bytes + at, len - at < 16 ? len - at : 16);
		if (len - at < 16)
			state[8] ^= (uint8_t)len;
		for (unsigned round = 1; round <= LATH_KEYHASH_ROUNDS; round++)
			aes_round(aes, round, state, true);
	}
	memcpy(&result, state, sizeof(result));
	return result;
}

static void
the_comparison_gives_the_published_vector(void **state)
{
	/* FIPS 197, appendix C.1. */
	static const uint8_t expected[16] = {0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30, 0xd8,
			0xcd, 0xb7, 0x80, 0x70, 0xb4, 0xc5, 0x5a};
	uint8_t key[16];
	uint8_t block[16];
	struct aes aes;

	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		key[i] = (uint8_t)i;
		block[i] = (uint8_t)(0x11 * i);
	}
	aes_init(&aes, key);
	add(block, aes.round_keys[0], 16);
	for (unsigned round = 1; round <= 10; round++)
		aes_round(&aes, round, block, round < 10);
	assert_memory_equal(block, expected, 16);
}

static void
need_aes(void)
{
	if (lath_keyhash_best() != LATH_KEYHASH_AES)
		skip();
}

static void
round_keys_are_those_of_the_standard(void **state)
{
	/* FIPS 197, appendix A.1: the key, and w[16] to w[19]. */
	static const uint8_t key[16] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7,
			0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};
	static const uint8_t fourth[16] = {0xef, 0x44, 0xa5, 0x41, 0xa8, 0x52, 0x5b, 0x7f, 0xb6,
			0x71, 0x25, 0x3b, 0xdb, 0x0b, 0xad, 0x00};
	struct lath_siphash_key secret;
	struct lath_keyhash hash;

	(void)state;
	need_aes();
	memcpy(&secret, key, sizeof(secret));
	lath_keyhash_init(&hash, &secret, LATH_KEYHASH_AES);
	assert_memory_equal(hash.round_keys[0], key, 16);
	assert_memory_equal(hash.round_keys[4], fourth, 16);
}

static void
aes_form_equals_the_standard(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 20, 500);

	(void)state;
	need_aes();
	for (unsigned i = 0; i < rounds; i++) {
		struct lath_siphash_key secret;
		struct lath_keyhash hash;
		struct aes aes;

		lath_test_fill(&random, &secret, sizeof(secret));
		lath_keyhash_init(&hash, &secret, LATH_KEYHASH_AES);
		aes_init(&aes, (const uint8_t *)&secret);
		for (unsigned j = 0; j < 50; j++) {
			struct lath_key4 key4;
			struct lath_key6 key6;

			lath_test_fill(&random, &key4, sizeof(key4));
			lath_test_fill(&random, &key6, sizeof(key6));
			assert_true(lath_keyhash4(&hash, &key4) ==
					hash_by_the_standard(&aes, &key4, sizeof(key4)));
			assert_true(lath_keyhash6(&hash, &key6) ==
					hash_by_the_standard(&aes, &key6, sizeof(key6)));
		}
	}
}

/* ---- both kinds ----------------------------------------------------------------------------- */

static struct lath_keyhash
make(uint64_t *random, enum lath_keyhash_kind kind)
{
	struct lath_siphash_key secret;
	struct lath_keyhash hash;

	lath_test_fill(random, &secret, sizeof(secret));
	lath_keyhash_init(&hash, &secret, kind);
	return hash;
}

static void
plain_form_is_siphash13(void **state)
{
	uint64_t random = lath_test_random(__func__);
	struct lath_keyhash hash = make(&random, LATH_KEYHASH_SIPHASH);
	struct lath_key4 key4;
	struct lath_key6 key6;

	(void)state;
	lath_test_fill(&random, &key4, sizeof(key4));
	lath_test_fill(&random, &key6, sizeof(key6));
	assert_true(lath_keyhash4(&hash, &key4) ==
			lath_siphash13(&hash.siphash_key, &key4, sizeof(key4)));
	assert_true(lath_keyhash6(&hash, &key6) ==
			lath_siphash13(&hash.siphash_key, &key6, sizeof(key6)));
}

static void
many_at_once_equal_one_at_a_time(void **state)
{
	uint64_t random = lath_test_random(__func__);
	struct lath_key4 keys[40];
	const struct lath_key4 *pointers[40];
	uint64_t out[41];

	(void)state;
	lath_test_fill(&random, keys, sizeof(keys));
	for (unsigned i = 0; i < 40; i++)
		pointers[i] = &keys[(i * 7) % 40];
	for (unsigned kind = 0; kind <= lath_keyhash_best(); kind++) {
		struct lath_keyhash hash = make(&random, (enum lath_keyhash_kind)kind);

		for (unsigned count = 0; count <= 40; count++) {
			out[count] = 42;
			lath_keyhash4_bulk(&hash, pointers, out, count);
			for (unsigned i = 0; i < count; i++)
				assert_true(out[i] == lath_keyhash4(&hash, pointers[i]));
			assert_true(out[count] == 42);
		}
	}
}

/* How often each bit of the result changes with bit `bit` of the key. */
static void
count_changes(const struct lath_keyhash *hash, uint64_t *random, bool is_key6, unsigned bit,
		unsigned rounds, unsigned changes[64])
{
	memset(changes, 0, 64 * sizeof(changes[0]));
	for (unsigned i = 0; i < rounds; i++) {
		struct lath_key6 key; /* its beginning is a key of either kind */
		uint64_t before;
		uint64_t after;

		lath_test_fill(random, &key, sizeof(key));
		before = is_key6 ? lath_keyhash6(hash, &key) : lath_keyhash4(hash, (void *)&key);
		((uint8_t *)&key)[bit / 8] ^= (uint8_t)(1u << bit % 8);
		after = is_key6 ? lath_keyhash6(hash, &key) : lath_keyhash4(hash, (void *)&key);
		for (unsigned j = 0; j < 64; j++)
			changes[j] += (before ^ after) >> j & 1;
	}
}

static void
each_bit_of_a_key_changes_half_of_the_result(void **state)
{
	/* Of 1,024 tries 512 are expected, with a deviation of 16: seven of them are allowed. */
	enum {
		ROUNDS = 1024,
		SLACK = 7 * 16
	};
	uint64_t random = lath_test_random(__func__);

	(void)state;
	for (unsigned kind = 0; kind <= lath_keyhash_best(); kind++) {
		struct lath_keyhash hash = make(&random, (enum lath_keyhash_kind)kind);

		for (unsigned bit = 0; bit < 128 + 320; bit++) {
			bool is_key6 = bit >= 128;
			unsigned changes[64];

			count_changes(&hash, &random, is_key6, is_key6 ? bit - 128 : bit, ROUNDS,
					changes);
			for (unsigned i = 0; i < 64; i++)
				assert_in_range(changes[i], ROUNDS / 2 - SLACK, ROUNDS / 2 + SLACK);
		}
	}
}

/* ---- keys in sequence ----------------------------------------------------------------------- */

#define KEYS 65536u

/* Key number `i` of 65,536, which differ in what the row says. */
static struct lath_key4
key_of_row(unsigned row, uint32_t i)
{
	struct lath_key4 key = {
			.src_be = lath_to_be32(0x0a000001),
			.dst_be = lath_to_be32(0xc612000a),
			.src_port_be = lath_to_be16(1024),
			.dst_port_be = lath_to_be16(80),
			.proto_vpc = lath_key_proto_vpc(LATH_PROTO_TCP, 1),
	};

	switch (row) {
	case 0: /* one client's ports */
		key.src_port_be = lath_to_be16((uint16_t)i);
		break;
	case 1: /* one client after the other */
		key.src_be = lath_to_be32(0x0a000000 + i);
		break;
	case 2: /* 256 clients' 256 ports */
		key.src_be = lath_to_be32(0x0a000000 + (i >> 8));
		key.src_port_be = lath_to_be16((uint16_t)(32768 + (i & 255)));
		break;
	case 3: /* the same client in many VPCs */
		key.proto_vpc = lath_key_proto_vpc(LATH_PROTO_UDP, i);
		break;
	case 4: /* one byte of each word, as a structure of the square attack has them */
		key.src_be = lath_to_be32((i & 15) << 24);
		key.dst_be = lath_to_be32((i >> 4 & 15) << 16);
		key.src_port_be = lath_to_be16((uint16_t)(i >> 8 & 15));
		key.proto_vpc = i >> 12 << 24;
		break;
	default: /* both ports alike */
		key.src_port_be = key.dst_port_be = lath_to_be16((uint16_t)i);
		break;
	}
	return key;
}

#define ROWS 6u
#define CELLS 1024u

/* Chi-square over 1,024 cells, as deviations from what chance gives (mean 1,023, deviation 45). */
static double
unevenness(const uint32_t counts[CELLS])
{
	const double expected = (double)KEYS / CELLS;
	double sum = 0;

	for (unsigned i = 0; i < CELLS; i++)
		sum += (counts[i] - expected) * (counts[i] - expected) / expected;
	return (sum - (CELLS - 1)) / 45.2;
}

static uint64_t
hash_of_row(const struct lath_keyhash *hash, unsigned row, uint32_t i, bool is_key6)
{
	struct lath_key4 key4 = key_of_row(row, i);
	struct lath_key6 key6;

	if (!is_key6)
		return lath_keyhash4(hash, &key4);
	memset(&key6, 0, sizeof(key6));
	memcpy(key6.src + 12, &key4.src_be, 4);
	memcpy(key6.dst + 12, &key4.dst_be, 4);
	key6.src_port_be = key4.src_port_be;
	key6.dst_port_be = key4.dst_port_be;
	key6.proto_vpc = key4.proto_vpc;
	return lath_keyhash6(hash, &key6);
}

static void
check_row(const struct lath_keyhash *hash, unsigned row, bool is_key6)
{
	/* From the bit where each field of ten bits begins: bucket, above it, tag, and five of
	 * the bucket's bits beside five of the tag's.
	 */
	static uint32_t counts[4][CELLS];

	memset(counts, 0, sizeof(counts));
	for (uint32_t i = 0; i < KEYS; i++) {
		uint64_t value = hash_of_row(hash, row, i, is_key6);

		counts[0][value % CELLS]++;
		counts[1][(value >> 16) % CELLS]++;
		counts[2][(value >> 48) % CELLS]++;
		counts[3][(value & 31) << 5 | value >> 59]++;
	}
	for (unsigned field = 0; field < 4; field++) {
		double deviation = unevenness(counts[field]);

		if (deviation < -7 || deviation > 8)
			fail_msg("%s, row %u, field %u: %.1f deviations",
					lath_keyhash_kind_name(hash->kind), row, field, deviation);
	}
}

static void
keys_in_sequence_spread_as_by_chance(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 2, 50);

	(void)state;
	for (unsigned kind = 0; kind <= lath_keyhash_best(); kind++)
		for (unsigned i = 0; i < rounds; i++) {
			struct lath_keyhash hash = make(&random, (enum lath_keyhash_kind)kind);

			for (unsigned row = 0; row < ROWS; row++) {
				check_row(&hash, row, false);
				check_row(&hash, row, true);
			}
		}
}

/* Keys that share a bucket of 1,024 under one secret, as an attacker would want them. */
static void
keys_of_one_bucket_spread_under_another_secret(void **state)
{
	uint64_t random = lath_test_random(__func__);

	(void)state;
	for (unsigned kind = 0; kind <= lath_keyhash_best(); kind++) {
		struct lath_keyhash first = make(&random, (enum lath_keyhash_kind)kind);
		struct lath_keyhash second = make(&random, (enum lath_keyhash_kind)kind);
		uint32_t counts[CELLS] = {0};
		uint32_t found = 0;

		for (uint32_t i = 0; found < 4096 && i < UINT32_C(8) << 20; i++) {
			struct lath_key4 key = key_of_row(0, i);

			key.src_be = lath_to_be32(i >> 16);
			if (lath_keyhash4(&first, &key) % CELLS != 0)
				continue;
			counts[lath_keyhash4(&second, &key) % CELLS]++;
			found++;
		}
		assert_int_equal(found, 4096); /* 8,192 are expected among 8 million keys */
		/* Four are expected in each; 30 or more in any of them once in 10^12 runs. */
		for (unsigned i = 0; i < CELLS; i++)
			assert_in_range(counts[i], 0, 29);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(the_comparison_gives_the_published_vector),
			cmocka_unit_test(round_keys_are_those_of_the_standard),
			cmocka_unit_test(aes_form_equals_the_standard),
			cmocka_unit_test(plain_form_is_siphash13),
			cmocka_unit_test(many_at_once_equal_one_at_a_time),
			cmocka_unit_test(each_bit_of_a_key_changes_half_of_the_result),
			cmocka_unit_test(keys_in_sequence_spread_as_by_chance),
			cmocka_unit_test(keys_of_one_bucket_spread_under_another_secret),
	};

	return cmocka_run_group_tests_name("keyhash", tests, NULL, NULL);
}
