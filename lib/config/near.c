/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "config_private.h"

void
lath_config_near_offer(struct lath_config_near *near, const char *candidate)
{
	unsigned d = lath_word_distance(near->word, candidate);
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
