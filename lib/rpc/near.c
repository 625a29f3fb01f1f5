/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <stdio.h>
#include <string.h>

#include "lath_rpc.h"

void
lath_rpc_near_offer(struct lath_rpc_near *near, const char *name)
{
	size_t len = strlen(near->word);
	unsigned far = len < 4 ? 1 : len < 8 ? 2 : (unsigned)(len / 3);
	unsigned d = lath_word_distance(near->word, name);

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
