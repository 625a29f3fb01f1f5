/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* What the files of this folder share: headers as they lie in a packet. */
#pragma once

#include <lath_cksum.h>
#include <lath_nd.h>

#define ND_OPTION_SOURCE_MAC 1 /* RFC 4861 section 4.6 */
#define ND_OPTION_TARGET_MAC 2
#define ND_OPTION_PREFIX 3
#define ND_OPTION_MTU 5
#define ND_OPTION_ROUTE 24 /* RFC 4191 section 2.3 */

#define ND_OPTION_UNIT 8u

#define ND_FLAG_ROUTER 0x80000000u
#define ND_FLAG_SOLICITED 0x40000000u
#define ND_FLAG_OVERRIDE 0x20000000u

struct nd_icmp {
	uint8_t type;
	uint8_t code;
	lath_be16_t cksum_be;
} LATH_PACKED;

/* RFC 4861 sections 4.3 and 4.4. */
struct nd_neighbor {
	struct nd_icmp icmp;
	lath_be32_t flags_be;
	uint8_t target[16];
} LATH_PACKED;

/* RFC 4861 section 4.2. */
struct nd_router {
	struct nd_icmp icmp;
	uint8_t hop_limit;
	uint8_t flags;
	lath_be16_t lifetime_s_be;
	lath_be32_t reachable_ms_be;
	lath_be32_t retransmit_ms_be;
} LATH_PACKED;

struct nd_option {
	uint8_t type;
	uint8_t len; /* ND_OPTION_UNITs */
} LATH_PACKED;

struct nd_option_mac {
	struct nd_option option;
	struct lath_mac mac;
} LATH_PACKED;

struct nd_option_mtu {
	struct nd_option option;
	lath_be16_t reserved_be;
	lath_be32_t mtu_be;
} LATH_PACKED;

struct nd_option_prefix {
	struct nd_option option;
	uint8_t bits;
	uint8_t flags; /* 0x80: on link, 0x40: autonomous */
	lath_be32_t valid_s_be;
	lath_be32_t preferred_s_be;
	lath_be32_t reserved_be;
	uint8_t prefix[16];
} LATH_PACKED;

/* With 0, 8 or 16 bytes of prefix behind it. */
struct nd_option_route {
	struct nd_option option;
	uint8_t bits;
	uint8_t flags;
	lath_be32_t lifetime_s_be;
} LATH_PACKED;

_Static_assert(sizeof(struct nd_neighbor) == 24, "RFC 4861 section 4.3");
_Static_assert(sizeof(struct nd_router) == 16, "RFC 4861 section 4.2");
_Static_assert(sizeof(struct nd_option_prefix) == 32, "RFC 4861 section 4.6.2");

/* make.c: the fixed header; the payload's length and the checksum come with lath_nd_finish(). */
struct lath_ipv6_hdr *lath_nd_begin(uint8_t *frame, uint16_t vlan, const struct lath_mac *eth_dst,
		const struct lath_mac *mac, const struct lath_ip *src, const struct lath_ip *dst);

/* Returns the frame's length. */
uint32_t lath_nd_finish(uint8_t *frame, struct lath_ipv6_hdr *ip, const uint8_t *end);

/* Behind `at`. */
uint8_t *lath_nd_put_mac(uint8_t *at, uint8_t type, const struct lath_mac *mac);
