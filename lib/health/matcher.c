/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <string.h>

#include "lath_health.h"

#define STATUS_MIN 200
#define STATUS_MAX 499 /* service model, section 1.7 */

/* Exactly three digits in range; returns what follows them, or NULL. */
static const char *
parse_status(const char *text, unsigned *status)
{
	unsigned value = 0;

	for (unsigned i = 0; i < 3; i++) {
		if (text[i] < '0' || text[i] > '9')
			return NULL;
		value = value * 10 + (unsigned)(text[i] - '0');
	}
	if (value < STATUS_MIN || value > STATUS_MAX)
		return NULL;
	*status = value;
	return text + 3;
}

int
lath_health_matcher_parse(const char *text, struct lath_health_matcher *out)
{
	struct lath_health_matcher parsed = {0};

	for (;;) {
		unsigned first;
		unsigned last;

		text = parse_status(text, &first);
		if (text == NULL)
			return lath_err(EINVAL);
		last = first;
		if (*text == '-')
			text = parse_status(text + 1, &last);
		if (text == NULL || last < first)
			return lath_err(EINVAL);
		for (unsigned status = first; status <= last; status++)
			parsed.bits[status / 64] |= UINT64_C(1) << (status % 64);
		if (*text == '\0')
			break;
		if (*text++ != ',')
			return lath_err(EINVAL);
	}
	*out = parsed;
	return 0;
}
