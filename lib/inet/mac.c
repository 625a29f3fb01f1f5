/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <stdio.h>

#include "lath_inet.h"

/* -1 when `digit` is none. sscanf("%x") would take spaces, signs and "0x". */
static int
hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

int
lath_mac_parse(const char *text, struct lath_mac *mac)
{
	struct lath_mac parsed;

	if (strlen(text) != LATH_MAC_TEXT_MAX - 1)
		return lath_err(EINVAL);
	for (unsigned i = 0; i < sizeof(parsed.bytes); i++) {
		int high = hex_value(text[3 * i]);
		int low = hex_value(text[3 * i + 1]);

		if (high < 0 || low < 0 || (i < 5 && text[3 * i + 2] != ':'))
			return lath_err(EINVAL);
		parsed.bytes[i] = (uint8_t)(high << 4 | low);
	}
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
