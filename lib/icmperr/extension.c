/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_cksum.h>

#include "icmperr_private.h"

#define STRUCTURE_VERSION 2 /* RFC 4884 section 7 */

/* RFC 4884 section 7: version, sum (0: none was sent) and at least one whole object. */
static bool
is_valid(const uint8_t *structure, uint32_t len)
{
	uint32_t at = 4;

	if (len < 8 || structure[0] >> 4 != STRUCTURE_VERSION)
		return false;
	if ((structure[2] | structure[3]) != 0 && lath_cksum_message(structure, len) != 0)
		return false;
	while (at < len) {
		uint32_t object_len;

		if (len - at < 4)
			return false;
		object_len = (uint32_t)structure[at] << 8 | structure[at + 1];
		if (object_len < 4 || object_len > len - at)
			return false;
		at += object_len;
	}
	return true;
}

/*
 * LIMIT: a length of 0 means no extension, though senders older than RFC 4884 put one behind 128
 * bytes all the same (section 5.4). Within a family it stays where it is; across, it is lost.
 */
uint32_t
lath_icmperr_split(const uint8_t *body, uint32_t body_len, uint32_t stated, uint32_t *extension_len)
{
	*extension_len = 0;
	if (stated < EXTENDED_QUOTE_MIN || stated >= body_len)
		return body_len;
	if (is_valid(body + stated, body_len - stated))
		*extension_len = body_len - stated;
	return stated;
}
