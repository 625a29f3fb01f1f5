/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <stdio.h>

#include "lath_inet.h"

int
lath_mac_parse(const char *text, struct lath_mac *mac)
{
	struct lath_mac parsed;
	char rest;

	if (strlen(text) != LATH_MAC_TEXT_MAX - 1 ||
			sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", &parsed.bytes[0],
					&parsed.bytes[1], &parsed.bytes[2], &parsed.bytes[3],
					&parsed.bytes[4], &parsed.bytes[5], &rest) != 6)
		return lath_err(EINVAL);
	*mac = parsed;
	return 0;
}

const char *
lath_mac_format(const struct lath_mac *mac, char out[LATH_MAC_TEXT_MAX])
{
	snprintf(out, LATH_MAC_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", mac->bytes[0],
			mac->bytes[1], mac->bytes[2], mac->bytes[3], mac->bytes[4], mac->bytes[5]);
	return out;
}
