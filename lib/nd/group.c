/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Addresses that neighbour discovery is made of. */

#include "nd_private.h"

struct lath_ip
lath_nd_link_local(const struct lath_mac *mac)
{
	const uint8_t *m = mac->bytes;
	/* The universal/local bit is turned over (RFC 4291 appendix A). */
	const uint8_t bytes[16] = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, m[0] ^ 2, m[1], m[2], 0xff, 0xfe,
			m[3], m[4], m[5]};

	return lath_ip_from_v6(bytes);
}

bool
lath_nd_own_link_local(const struct lath_prefix *addresses, uint32_t count,
		const struct lath_mac *mac, struct lath_ip *own)
{
	for (uint32_t i = 0; i < count; i++)
		if (addresses[i].ip.family == LATH_FAMILY_IPV6) {
			*own = lath_nd_link_local(mac);
			return true;
		}
	return false;
}

struct lath_ip
lath_nd_solicited_node(const struct lath_ip *ip)
{
	const uint8_t bytes[16] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, ip->bytes[13],
			ip->bytes[14], ip->bytes[15]};

	return lath_ip_from_v6(bytes);
}

struct lath_ip
lath_nd_all_nodes(void)
{
	static const uint8_t bytes[16] = {0xff, 2, [15] = 1};

	return lath_ip_from_v6(bytes);
}

struct lath_ip
lath_nd_all_routers(void)
{
	static const uint8_t bytes[16] = {0xff, 2, [15] = 2};

	return lath_ip_from_v6(bytes);
}

struct lath_mac
lath_nd_group_mac(const struct lath_ip *group)
{
	struct lath_mac mac = {{0x33, 0x33}};

	memcpy(&mac.bytes[2], &group->bytes[12], 4);
	return mac;
}
