/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <stdio.h>
#include <string.h>

#include "lath_rpc.h"

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
lath_rpc_near_offer(struct lath_rpc_near *near, const char *name)
{
	size_t len = strlen(near->word);
	unsigned far = len < 4 ? 1 : len < 8 ? 2 : (unsigned)(len / 3);
	unsigned d = distance(near->word, name);

	if (d > far || (near->name != NULL && d >= near->distance))
		return;
	near->name = name;
	near->distance = d;
}

const char *
lath_rpc_near_text(const struct lath_rpc_near *near, char out[LATH_RPC_NEAR_MAX])
{
	out[0] = '\0';
	if (near->name != NULL)
		snprintf(out, LATH_RPC_NEAR_MAX, "; did you mean \"%s\"?", near->name);
	return out;
}
