/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * GENEVE options (RFC 8926 section 3.5): class 16, type 8 (the highest bit: critical), three bits
 * reserved and five of length in words, without these four bytes. A receiver that does not know a
 * critical option must drop the packet; it may pass over any other.
 */

#include "lath_tunnel.h"

#define HEADER_LEN 4u
#define TYPE_CRITICAL 0x80u
#define LENGTH_MASK 0x1fu
#define GWLB_CLASS 0x0108u /* IANA "Network Virtualization Overlay (nvo3)": Amazon.com */

enum gwlb_type {
	GWLB_ENDPOINT = 1,
	GWLB_ATTACHMENT = 2,
	GWLB_COOKIE = 3,
};

static uint64_t
read_be(const uint8_t *bytes, uint32_t len)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < len; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* False: of a length that this type has not. */
static bool
take_gwlb(struct lath_tunnel_gwlb *gwlb, uint8_t type, const uint8_t *value, uint32_t len)
{
	switch (type & ~TYPE_CRITICAL) {
	case GWLB_ENDPOINT:
		if (len != sizeof(gwlb->endpoint))
			return false;
		gwlb->endpoint = read_be(value, len);
		gwlb->has_endpoint = true;
		return true;
	case GWLB_ATTACHMENT:
		if (len != sizeof(gwlb->attachment))
			return false;
		gwlb->attachment = read_be(value, len);
		return true;
	case GWLB_COOKIE:
		if (len != sizeof(gwlb->cookie))
			return false;
		gwlb->cookie = (uint32_t)read_be(value, len);
		return true;
	default:
		return (type & TYPE_CRITICAL) == 0;
	}
}

enum lath_drop
lath_tunnel_options(const uint8_t *options, uint32_t len, struct lath_tunnel_gwlb *gwlb)
{
	uint32_t at = 0;

	if (gwlb != NULL)
		*gwlb = (struct lath_tunnel_gwlb){.has_endpoint = false};
	while (at < len) {
		const uint8_t *option = options + at;
		uint32_t value_len;

		if (len - at < HEADER_LEN)
			return LATH_DROP_tunnel_malformed;
		value_len = (option[3] & LENGTH_MASK) * 4u;
		if (value_len > len - at - HEADER_LEN)
			return LATH_DROP_tunnel_malformed;
		if (gwlb != NULL && read_be(option, 2) == GWLB_CLASS) {
			if (!take_gwlb(gwlb, option[2], option + HEADER_LEN, value_len))
				return LATH_DROP_tunnel_option;
		} else if ((option[2] & TYPE_CRITICAL) != 0) {
			return LATH_DROP_tunnel_option;
		}
		at += HEADER_LEN + value_len;
	}
	return LATH_DROP_NONE;
}
