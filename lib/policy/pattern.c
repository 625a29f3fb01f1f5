/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Patterns with * and ?. Only the last * has to be gone back to: whatever an earlier one may take,
 * the shortest run that works is as good as any. Cost: at most text x pattern, and a pattern that
 * needs more characters than the text has is given up by its first mismatch near the end.
 */

#include "policy_private.h"

#define ARN_PARTS 6

bool
lath_policy_like(struct lath_policy_text pattern, struct lath_policy_text text)
{
	size_t p = 0;
	size_t t = 0;
	size_t star = SIZE_MAX; /* place of the last *, and what it has taken so far */
	size_t taken = 0;

	while (t < text.len) {
		if (p < pattern.len && pattern.at[p] == '*') {
			star = p++;
			taken = t;
		} else if (p < pattern.len &&
				(pattern.at[p] == '?' || pattern.at[p] == text.at[t])) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++taken;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.at[p] == '*')
		p++;
	return p == pattern.len;
}

/* Cuts the part before the next ':' off; the last part takes all that is left. */
static struct lath_policy_text
cut_part(struct lath_policy_text *rest, bool last)
{
	const char *colon = last || rest->len == 0 ? NULL : memchr(rest->at, ':', rest->len);
	struct lath_policy_text part = *rest;

	if (colon == NULL) {
		rest->at += rest->len;
		rest->len = 0;
		return part;
	}
	part.len = (size_t)(colon - rest->at);
	rest->at += part.len + 1;
	rest->len -= part.len + 1;
	return part;
}

bool
lath_policy_arn_like(struct lath_policy_text pattern, struct lath_policy_text arn)
{
	for (unsigned i = 0; i < ARN_PARTS; i++) {
		bool last = i + 1 == ARN_PARTS;
		struct lath_policy_text want = cut_part(&pattern, last);
		struct lath_policy_text have = cut_part(&arn, last);

		if (!lath_policy_like(want, have))
			return false;
	}
	return true;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
lath_policy_equal(struct lath_policy_text a, struct lath_policy_text b, bool caseless)
{
	if (a.len != b.len)
		return false;
	if (!caseless)
		return memcmp(a.at, b.at, a.len) == 0;
	for (size_t i = 0; i < a.len; i++) {
		if (lower(a.at[i]) != lower(b.at[i]))
			return false;
	}
	return true;
}
