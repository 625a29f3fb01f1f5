/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * How the host port names an IPv4 address of a VPC as one IPv6 address, and back:
 *
 *      0                63 64   71 72          95 96           127
 *     +-------------------+-------+--------------+---------------+
 *     |  hostPrefix /64   | zeros |  VPC number  |  IPv4 address |
 *     +-------------------+-------+--------------+---------------+
 *
 * An IPv6 address does not fit; IPv6 targets are named by their stable index in a /96 of their own:
 *
 *     |  hostPrefix /64   | zeros |   ffffff     |  target index |
 *
 * So each VPC is an IPv6 /96 and one kernel route covers all of them. RFC 6052 section 2.2 wants
 * bits 64-71 zero. The VPC number is its stable index; number 0 is the host port's own VPC and
 * holds the addresses below, never a target.
 *
 * Pure; any thread; allocates nothing. The packet path inlines it.
 */
#pragma once

#include <lath_inet.h>

#define LATH_HOSTADDR_PREFIX_BITS 64
#define LATH_HOSTADDR_VPC_MAX 0xfffffeu /* 24 bits, but for */
#define LATH_HOSTADDR_TARGETS 0xffffffu /* what stands for "a target, by index" */

/** The gateway's side of the host port's link: next hop of the kernel and a MAC of its own, since
 *  net_tap gives the ethdev the MAC of the kernel's interface. Locally administered, "lath", 1.
 */
static inline struct lath_mac
lath_hostaddr_gateway_mac(void)
{
	return (struct lath_mac){.bytes = {0x02, 0x6c, 0x61, 0x74, 0x68, 0x01}};
}

/** fe80::1 (gateway) or fe80::2 (kernel): RFC 4291 section 2.5.6. */
static inline struct lath_ip
lath_hostaddr_link_local(uint8_t last)
{
	return (struct lath_ip){
			.bytes = {[0] = 0xfe, [1] = 0x80, [15] = last}, .family = LATH_FAMILY_IPV6};
}

static inline struct lath_ip
lath_hostaddr_gateway(void)
{
	return lath_hostaddr_link_local(1);
}

/** The kernel's own address: the prefix with ::1 below, source of every probe. */
static inline struct lath_ip
lath_hostaddr_kernel(const struct lath_prefix *prefix)
{
	struct lath_ip ip = {.family = LATH_FAMILY_IPV6};

	memcpy(ip.bytes, prefix->ip.bytes, 8);
	ip.bytes[15] = 1;
	return ip;
}

/** The IPv6 address that means `v4` in VPC `vpc_index`. False, `out` untouched, when `v4` is not
 *  IPv4 or the index is above LATH_HOSTADDR_VPC_MAX.
 */
static inline bool
lath_hostaddr_make(const struct lath_prefix *prefix, uint32_t vpc_index, const struct lath_ip *v4,
		struct lath_ip *out)
{
	struct lath_ip ip = {.family = LATH_FAMILY_IPV6};

	if (!lath_ip_is_v4(v4) || vpc_index > LATH_HOSTADDR_VPC_MAX)
		return false;
	memcpy(ip.bytes, prefix->ip.bytes, 8);
	ip.bytes[9] = (uint8_t)(vpc_index >> 16);
	ip.bytes[10] = (uint8_t)(vpc_index >> 8);
	ip.bytes[11] = (uint8_t)vpc_index;
	memcpy(&ip.bytes[12], v4->bytes, 4);
	*out = ip;
	return true;
}

/** The inverse. False, outputs untouched, when `addr` lies outside the prefix or bits 64-71 are not
 *  zero, or in the targets' /96. The kernel's own address parses as VPC 0, which is no target's:
 *  callers refuse VPC 0.
 */
static inline bool
lath_hostaddr_parse(const struct lath_prefix *prefix, const uint8_t addr[16], uint32_t *vpc_index,
		lath_be32_t *v4_be)
{
	uint32_t number = (uint32_t)addr[9] << 16 | (uint32_t)addr[10] << 8 | addr[11];

	if (memcmp(addr, prefix->ip.bytes, 8) != 0 || addr[8] != 0 ||
			number == LATH_HOSTADDR_TARGETS)
		return false;
	*vpc_index = number;
	memcpy(v4_be, &addr[12], sizeof(*v4_be));
	return true;
}

/** The IPv6 address that means the target of a stable index. */
static inline struct lath_ip
lath_hostaddr_make_target(const struct lath_prefix *prefix, uint32_t target_index)
{
	struct lath_ip ip = {.family = LATH_FAMILY_IPV6};
	lath_be32_t index_be = lath_to_be32(target_index);

	memcpy(ip.bytes, prefix->ip.bytes, 8);
	memset(&ip.bytes[9], 0xff, 3);
	memcpy(&ip.bytes[12], &index_be, sizeof(index_be));
	return ip;
}

/** The inverse. False, output untouched, for any address outside the targets' /96. */
static inline bool
lath_hostaddr_parse_target(const struct lath_prefix *prefix, const uint8_t addr[16],
		uint32_t *target_index)
{
	static const uint8_t marker[4] = {0, 0xff, 0xff, 0xff};
	lath_be32_t index_be;

	if (memcmp(addr, prefix->ip.bytes, 8) != 0 || memcmp(addr + 8, marker, 4) != 0)
		return false;
	memcpy(&index_be, addr + 12, sizeof(index_be));
	*target_index = lath_from_be32(index_be);
	return true;
}
