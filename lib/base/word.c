/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <string.h>

#include "lath_base.h"

#define WORD_MAX 64u /* longer words are compared by their heads */

/* By one row: Wagner and Fischer, J. ACM 21, 1974. */
unsigned
lath_word_distance(const char *a, const char *b)
{
	unsigned row[WORD_MAX + 1];
	size_t a_len = strnlen(a, WORD_MAX);
	size_t b_len = strnlen(b, WORD_MAX);

	for (size_t i = 0; i <= b_len; i++)
		row[i] = (unsigned)i;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned change = diagonal + ((a[i - 1] | 0x20) != (b[j - 1] | 0x20));
			unsigned gap = lath_min_u32(row[j], row[j - 1]) + 1;

			diagonal = row[j];
			row[j] = lath_min_u32(change, gap);
		}
	}
	return row[b_len];
}
