/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * What every unit test starts with: cmocka, a seed that can be repeated, and sizes.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lath_base.h>

#include <cmocka.h>

/** A random state for one test: from LATH_TEST_SEED, else from the clock. Prints which, so that a
 *  failure can be repeated.
 */
static inline uint64_t
lath_test_random(const char *test)
{
	const char *text = getenv("LATH_TEST_SEED");
	struct timespec now;
	uint64_t seed;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = text != NULL ? strtoull(text, NULL, 0)
			    : (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	print_message("%s: LATH_TEST_SEED=%llu\n", test, (unsigned long long)seed);
	return seed;
}

/** How large a randomised test is: `usual`, or `large` with LATH_TEST_LONG=1. Prints which. */
static inline unsigned
lath_test_size(const char *test, unsigned usual, unsigned large)
{
	const char *text = getenv("LATH_TEST_LONG");
	bool is_long = text != NULL && strcmp(text, "1") == 0;

	print_message("%s: size %u (%s)\n", test, is_long ? large : usual,
			is_long ? "LATH_TEST_LONG" : "usual");
	return is_long ? large : usual;
}

/** Fills a block with random bytes. */
static inline void
lath_test_fill(uint64_t *random, void *block, size_t len)
{
	uint8_t *bytes = block;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(lath_random_next(random) >> 56);
}
