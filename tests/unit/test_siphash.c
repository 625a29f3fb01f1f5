/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_siphash.h>

#include "lath_test.h"

static void
siphash24_gives_the_published_vectors(void **state)
{
	/* The paper's appendix A has length 15; the others are from the authors' vectors.h. */
	static const struct {
		size_t len;
		uint64_t hash;
	} rows[] = {
			{0, UINT64_C(0x726fdb47dd0e0e31)},
			{1, UINT64_C(0x74f839c593dc67fd)},
			{2, UINT64_C(0x0d6c8009d9a94f5a)},
			{3, UINT64_C(0x85676696d7fb7e2d)},
			{7, UINT64_C(0xab0200f58b01d137)},
			{8, UINT64_C(0x93f5f5799a932462)},
			{15, UINT64_C(0xa129ca6149be45e5)},
	};
	struct lath_siphash_key key;
	uint8_t bytes[16];

	(void)state;
	for (unsigned i = 0; i < 16; i++)
		bytes[i] = (uint8_t)i;
	memcpy(&key, bytes, sizeof(key));
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++)
		assert_true(lath_siphash24(&key, bytes, rows[i].len) == rows[i].hash);
}

static void
siphash13_gives_what_python_gives(void **state)
{
	/* hash(bytes) of CPython 3.11 with PYTHONHASHSEED=0, which is SipHash-1-3 with key 0. */
	static const struct {
		const char *text;
		uint64_t hash;
	} rows[] = {
			{"a", UINT64_C(0x407448d2b89b1813)},
			{"ab", UINT64_C(0x555508cbc6add439)},
			{"abc", UINT64_C(0xc03bc3a0042630f2)},
			{"abcdefg", UINT64_C(0x6db12aae9070f506)},
			{"abcdefgh", UINT64_C(0x3f7b849c0b8e35ea)},
			{"0123456789abcdef", UINT64_C(0x1d42b30f7e060c24)},
	};
	const struct lath_siphash_key key = {0, 0};
	uint8_t bytes[40];

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++)
		assert_true(lath_siphash13(&key, rows[i].text, strlen(rows[i].text)) ==
				rows[i].hash);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	assert_true(lath_siphash13(&key, bytes, 40) == UINT64_C(0x95bc321ab41d8206));
}

static void
word_forms_equal_the_general_one(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 1000, 100000);

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		struct lath_siphash_key key;
		uint64_t words[5];

		lath_test_fill(&random, &key, sizeof(key));
		lath_test_fill(&random, words, sizeof(words));
		assert_true(lath_siphash13_2w(&key, words[0], words[1]) ==
				lath_siphash13(&key, words, 16));
		assert_true(lath_siphash13_5w(&key, words) == lath_siphash13(&key, words, 40));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(siphash24_gives_the_published_vectors),
			cmocka_unit_test(siphash13_gives_what_python_gives),
			cmocka_unit_test(word_forms_equal_the_general_one),
	};

	return cmocka_run_group_tests_name("siphash", tests, NULL, NULL);
}
