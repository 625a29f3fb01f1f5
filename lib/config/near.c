/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "config_private.h"

#define WORD_MAX 64u /* longer words are compared by their heads */

/* Edit distance by one row (Wagner and Fischer, J. ACM 21, 1974), letter case costing nothing. */
static unsigned
distance(const char *a, const char *b)
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

void
lath_config_near_offer(struct lath_config_near *near, const char *candidate)
{
	unsigned d = distance(near->word, candidate);
	unsigned i = near->count;

	if (i < LATH_CONFIG_NEAR_MAX)
		near->count++;
	else if (d >= near->distances[--i])
		return;
	for (; i > 0 && near->distances[i - 1] > d; i--) {
		near->distances[i] = near->distances[i - 1];
		near->names[i] = near->names[i - 1];
	}
	near->distances[i] = d;
	near->names[i] = candidate;
}

const char *
lath_config_near_text(const struct lath_config_near *near, char out[LATH_CONFIG_NEAR_TEXT_MAX])
{
	size_t used = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < near->count; i++) {
		int n = snprintf(out + used, LATH_CONFIG_NEAR_TEXT_MAX - used, "%s\"%s\"",
				i == 0 ? "; near: " : ", ", near->names[i]);

		if (n < 0 || (size_t)n >= LATH_CONFIG_NEAR_TEXT_MAX - used)
			break;
		used += (size_t)n;
	}
	return out;
}

bool
lath_config_near_sure(const struct lath_config_near *near)
{
	size_t len = strlen(near->word);

	return near->count > 0 && near->distances[0] <= (len < 6 ? 2 : len / 3);
}
