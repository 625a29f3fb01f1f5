/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <arpa/inet.h>

#include <lath_toeplitz.h>

#include "lath_test.h"

/* "Verifying the RSS hash calculation", Microsoft, NDIS documentation: key and rows. */
static const uint8_t microsoft_key[LATH_TOEPLITZ_KEY_LEN] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b,
		0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
		0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42,
		0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

static const struct row {
	const char *src;
	const char *dst;
	uint16_t sport;
	uint16_t dport;
	uint32_t with_ports;
	uint32_t addresses;
} v4_rows[] =
		{
				{"66.9.149.187", "161.142.100.80", 2794, 1766, 0x51ccc178,
						0x323e8fc2},
				{"199.92.111.2", "65.69.140.83", 14230, 4739, 0xc626b0ea,
						0xd718262a},
				{"24.19.198.95", "12.22.207.184", 12898, 38024, 0x5c2b394a,
						0xd2d0a5de},
				{"38.27.205.30", "209.142.163.6", 48228, 2217, 0xafc7327f,
						0x82989176},
				{"153.39.163.191", "202.188.127.2", 44251, 1303, 0x10e828a2,
						0x5d1809c5},
},
  v6_rows[] = {
		  {"3ffe:2501:200:1fff::7", "3ffe:2501:200:3::1", 2794, 1766, 0x40207d3d,
				  0x2cc18cd5},
		  {"3ffe:501:8::260:97ff:fe40:efab", "ff02::1", 14230, 4739, 0xdde51bbf,
				  0x0f0c461c},
		  {"3ffe:1900:4545:3:200:f8ff:fe21:67cf", "fe80::200:f8ff:fe21:67cf", 44251, 38024,
				  0x02d1feef, 0x4b61e985},
};

/* The definition: for each input bit that is set, XOR the key's top 32 bits; shift the key. */
static uint32_t
model_toeplitz(const uint8_t *key, const uint8_t *data, size_t len)
{
	uint32_t hash = 0;

	for (size_t bit = 0; bit < 8 * len; bit++) {
		uint32_t window = 0;

		for (size_t i = bit; i < bit + 32; i++)
			window = window << 1 | (key[i / 8] >> (7 - i % 8) & 1);
		if ((data[bit / 8] >> (7 - bit % 8) & 1) != 0)
			hash ^= window;
	}
	return hash;
}

static void
v4_gives_the_microsoft_vectors(void **state)
{
	static struct lath_toeplitz t;

	(void)state;
	lath_toeplitz_init(&t, microsoft_key);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(v4_rows); i++) {
		const struct row *row = &v4_rows[i];
		lath_be32_t pair[2];

		assert_int_equal(inet_pton(AF_INET, row->src, &pair[0]), 1);
		assert_int_equal(inet_pton(AF_INET, row->dst, &pair[1]), 1);
		assert_int_equal(lath_toeplitz_v4(&t, pair[0], pair[1], lath_to_be16(row->sport),
						 lath_to_be16(row->dport)),
				row->with_ports);
		assert_int_equal(lath_toeplitz_bytes(&t, pair, 8), row->addresses);
	}
}

static void
v6_gives_the_microsoft_vectors(void **state)
{
	static struct lath_toeplitz t;

	(void)state;
	lath_toeplitz_init(&t, microsoft_key);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(v6_rows); i++) {
		const struct row *row = &v6_rows[i];
		uint8_t pair[32];

		assert_int_equal(inet_pton(AF_INET6, row->src, pair), 1);
		assert_int_equal(inet_pton(AF_INET6, row->dst, pair + 16), 1);
		assert_int_equal(lath_toeplitz_v6(&t, pair, pair + 16, lath_to_be16(row->sport),
						 lath_to_be16(row->dport)),
				row->with_ports);
		assert_int_equal(lath_toeplitz_bytes(&t, pair, 32), row->addresses);
	}
}

static void
bytes_equal_the_model(void **state)
{
	static struct lath_toeplitz t;
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 50, 2000);
	uint8_t key[LATH_TOEPLITZ_KEY_LEN];
	uint8_t data[LATH_TOEPLITZ_INPUT_MAX];

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		lath_test_fill(&random, key, sizeof(key));
		lath_toeplitz_init(&t, key);
		lath_test_fill(&random, data, sizeof(data));
		for (size_t len = 0; len <= sizeof(data); len++)
			assert_int_equal(lath_toeplitz_bytes(&t, data, len),
					model_toeplitz(key, data, len));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(v4_gives_the_microsoft_vectors),
			cmocka_unit_test(v6_gives_the_microsoft_vectors),
			cmocka_unit_test(bytes_equal_the_model),
	};

	return cmocka_run_group_tests_name("toeplitz", tests, NULL, NULL);
}
