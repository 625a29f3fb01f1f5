/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Addresses: IPv4 and IPv6 in one type, prefixes, MAC addresses, their text forms.
 * Pure; any thread; allocates nothing.
 */
#pragma once

#include <string.h>

#include <lath_base.h>

enum lath_family {
	LATH_FAMILY_NONE = 0,
	LATH_FAMILY_IPV4 = 4,
	LATH_FAMILY_IPV6 = 6,
};

/** An address in network order. IPv4 lies in bytes[0..3] and the rest is zero, so two addresses
 *  are equal when all their bytes are.
 */
struct lath_ip {
	uint8_t bytes[16];
	uint8_t family; /* enum lath_family */
	uint8_t reserved[3];
};

struct lath_prefix {
	struct lath_ip ip;
	uint8_t bits; /* 0..32 or 0..128 */
	uint8_t reserved[3];
};

struct lath_mac {
	uint8_t bytes[6];
};

#define LATH_IP_TEXT_MAX 46
#define LATH_PREFIX_TEXT_MAX 50
#define LATH_MAC_TEXT_MAX 18

static inline bool
lath_ip_is_v4(const struct lath_ip *ip)
{
	return ip->family == LATH_FAMILY_IPV4;
}

static inline lath_be32_t
lath_ip_v4_be(const struct lath_ip *ip)
{
	lath_be32_t v4_be;

	memcpy(&v4_be, ip->bytes, sizeof(v4_be));
	return v4_be;
}

static inline struct lath_ip
lath_ip_from_v4_be(lath_be32_t v4_be)
{
	struct lath_ip ip = {.family = LATH_FAMILY_IPV4};

	memcpy(ip.bytes, &v4_be, sizeof(v4_be));
	return ip;
}

static inline struct lath_ip
lath_ip_from_v6(const uint8_t bytes[16])
{
	struct lath_ip ip = {.family = LATH_FAMILY_IPV6};

	memcpy(ip.bytes, bytes, 16);
	return ip;
}

static inline bool
lath_ip_equal(const struct lath_ip *a, const struct lath_ip *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, 16) == 0;
}

/** Order by family, then bytes: <0, 0, >0. @thread any */
int lath_ip_compare(const struct lath_ip *a, const struct lath_ip *b);

/** Dotted quad or RFC 4291 text. 0 or -EINVAL; `ip` is written only on success. @thread any */
int lath_ip_parse(const char *text, struct lath_ip *ip);

/** Writes RFC 5952 text into `out` (LATH_IP_TEXT_MAX) and returns it. @thread any */
const char *lath_ip_format(const struct lath_ip *ip, char out[LATH_IP_TEXT_MAX]);

/** "10.0.0.0/24". Host bits must be zero: -ERANGE when they are not, -EINVAL for no prefix at
 *  all. A bare address is a prefix of full length. @thread any
 */
int lath_prefix_parse(const char *text, struct lath_prefix *prefix);

/** "10.0.0.1/24": an address with its subnet's length, host bits kept. A length is required. */
int lath_prefix_parse_host(const char *text, struct lath_prefix *host);

const char *lath_prefix_format(const struct lath_prefix *prefix, char out[LATH_PREFIX_TEXT_MAX]);

/** True when `ip` is of the prefix's family and lies inside it (host bits of `prefix` ignored). */
bool lath_prefix_contains(const struct lath_prefix *prefix, const struct lath_ip *ip);

/** True when the two share an address. @thread any */
bool lath_prefix_overlaps(const struct lath_prefix *a, const struct lath_prefix *b);

/** The prefix with its host bits cleared. @thread any */
struct lath_prefix lath_prefix_network(const struct lath_prefix *host);

/** "02:00:00:00:00:01". 0 or -EINVAL. @thread any */
int lath_mac_parse(const char *text, struct lath_mac *mac);

const char *lath_mac_format(const struct lath_mac *mac, char out[LATH_MAC_TEXT_MAX]);
