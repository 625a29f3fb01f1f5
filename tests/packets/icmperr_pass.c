/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Passes ICMP errors on, one a line: family in, family out, rewrite, outer source and destination,
 * the IP packet, everything but the families in hexadecimal. Prints what comes out, or why nothing
 * does. test_icmperr.py compares that with Scapy.
 */

#include <stdio.h>

#include <lath_icmperr.h>

#define BYTES_MAX 2048u

static uint32_t
read_hex(const char *text, uint8_t *out, uint32_t max)
{
	uint32_t len = 0;
	unsigned byte;

	for (; len < max && sscanf(text, "%2x", &byte) == 1; text += 2)
		out[len++] = (uint8_t)byte;
	return len;
}

/* Passes the error in `ip` on to `out`; returns the length. */
static uint32_t
pass_on(uint8_t *out, uint8_t *ip, const struct lath_icmperr *err, uint8_t to,
		const uint8_t *rewrite, const struct lath_icmperr_outer *outer)
{
	struct lath_rewrite4 rewrite4;
	struct lath_rewrite6 rewrite6;

	memcpy(&rewrite4, rewrite, sizeof(rewrite4));
	memcpy(&rewrite6, rewrite, sizeof(rewrite6));
	if (err->family != to)
		return to == LATH_FAMILY_IPV6 ? lath_icmperr_4to6(out, ip, err, &rewrite6, outer)
					      : lath_icmperr_6to4(out, ip, err, &rewrite4, outer);
	if (to == LATH_FAMILY_IPV6)
		lath_icmperr_6to6(ip, err, &rewrite6, outer);
	else
		lath_icmperr_4to4(ip, err, &rewrite4, outer);
	memcpy(out, ip, err->len);
	return err->len;
}

int
main(void)
{
	static char texts[4][2 * BYTES_MAX + 1];
	unsigned from;
	unsigned to;

	while (scanf("%u %u %4096s %4096s %4096s %4096s", &from, &to, texts[0], texts[1], texts[2],
			       texts[3]) == 6) {
		struct lath_icmperr_outer outer = {
				.src = {.family = (uint8_t)to}, .dst = {.family = (uint8_t)to}};
		uint8_t rewrite[sizeof(struct lath_rewrite6)] = {0};
		uint8_t ip[BYTES_MAX];
		uint8_t out[BYTES_MAX];
		struct lath_icmperr err;
		uint32_t len = read_hex(texts[3], ip, sizeof(ip));
		enum lath_drop drop = from == LATH_FAMILY_IPV6
				? lath_icmperr_parse_v6(ip, len, &err)
				: lath_icmperr_parse_v4(ip, len, &err);

		read_hex(texts[0], rewrite, sizeof(rewrite));
		read_hex(texts[1], outer.src.bytes, sizeof(outer.src.bytes));
		read_hex(texts[2], outer.dst.bytes, sizeof(outer.dst.bytes));
		if (drop != LATH_DROP_NONE) {
			printf("%s\n", lath_drop_name(drop));
			continue;
		}
		len = pass_on(out, ip, &err, (uint8_t)to, rewrite, &outer);
		for (uint32_t i = 0; i < len; i++)
			printf("%02x", out[i]);
		printf("\n");
	}
	return 0;
}
