/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "lath_xlate.h"

/* Where the value of the MSS option lies, or NULL. RFC 9293 section 3.1: kind, length, data. */
static uint8_t *
find_mss(uint8_t *option, const uint8_t *end)
{
	while (option < end) {
		if (*option == LATH_TCP_OPTION_END)
			return NULL;
		if (*option == LATH_TCP_OPTION_NOP) {
			option++;
			continue;
		}
		if (end - option < 2 || option[1] < 2 || option[1] > end - option)
			return NULL;
		if (*option == LATH_TCP_OPTION_MSS && option[1] == 4)
			return option + 2;
		option += option[1];
	}
	return NULL;
}

bool
lath_xlate_clamp_mss(uint8_t *l4, uint32_t l4_len, uint16_t mss_max)
{
	struct lath_tcp_hdr *tcp = (void *)l4;
	uint32_t header_len = (uint32_t)(tcp->offset >> 4) * 4;
	uint8_t *value;
	uint8_t words_old[4] = {0};
	uint8_t words_new[4] = {0};
	uint16_t cksum;
	unsigned odd;

	if (header_len > l4_len)
		return false;
	value = find_mss(l4 + sizeof(*tcp), l4 + header_len);
	if (value == NULL || (value[0] << 8 | value[1]) <= mss_max)
		return false;
	/* An option may begin at an odd byte; the sum runs over words counted from the header. */
	odd = (unsigned)(value - l4) & 1;
	memcpy(words_old + odd, value, 2);
	value[0] = (uint8_t)(mss_max >> 8);
	value[1] = (uint8_t)mss_max;
	memcpy(words_new + odd, value, 2);
	memcpy(&cksum, &tcp->cksum_be, sizeof(cksum));
	cksum = lath_cksum_apply(cksum, lath_cksum_delta(words_old, words_new, 4));
	memcpy(&tcp->cksum_be, &cksum, sizeof(cksum));
	return true;
}
