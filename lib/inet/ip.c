/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "lath_inet.h"

static unsigned
family_bits(const struct lath_ip *ip)
{
	return lath_ip_is_v4(ip) ? 32 : 128;
}

int
lath_ip_compare(const struct lath_ip *a, const struct lath_ip *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

int
lath_ip_parse(const char *text, struct lath_ip *ip)
{
	struct lath_ip parsed = {0};

	if (inet_pton(AF_INET, text, parsed.bytes) == 1)
		parsed.family = LATH_FAMILY_IPV4;
	else if (inet_pton(AF_INET6, text, parsed.bytes) == 1)
		parsed.family = LATH_FAMILY_IPV6;
	else
		return lath_err(EINVAL);
	*ip = parsed;
	return 0;
}

const char *
lath_ip_format(const struct lath_ip *ip, char out[LATH_IP_TEXT_MAX])
{
	int af = lath_ip_is_v4(ip) ? AF_INET : AF_INET6;

	if (ip->family == LATH_FAMILY_NONE ||
			inet_ntop(af, ip->bytes, out, LATH_IP_TEXT_MAX) == NULL)
		snprintf(out, LATH_IP_TEXT_MAX, "-");
	return out;
}

/* Splits "address/length"; without a slash `*bits` becomes -1. */
static int
split_prefix(const char *text, struct lath_ip *ip, int *bits)
{
	char address[LATH_IP_TEXT_MAX];
	const char *slash = strchr(text, '/');
	size_t len = slash == NULL ? strlen(text) : (size_t)(slash - text);
	char *end;
	long value;

	if (len >= sizeof(address))
		return lath_err(EINVAL);
	memcpy(address, text, len);
	address[len] = '\0';
	if (lath_ip_parse(address, ip) != 0)
		return lath_err(EINVAL);
	*bits = -1;
	if (slash == NULL)
		return 0;
	if (slash[1] < '0' || slash[1] > '9')
		return lath_err(EINVAL);
	value = strtol(slash + 1, &end, 10);
	if (*end != '\0' || end - slash > 4 || value > (long)family_bits(ip))
		return lath_err(EINVAL);
	*bits = (int)value;
	return 0;
}

struct lath_prefix
lath_prefix_network(const struct lath_prefix *host)
{
	struct lath_prefix network = *host;
	unsigned bits = host->bits;

	for (unsigned i = 0; i < sizeof(network.ip.bytes); i++) {
		if (bits >= 8) {
			bits -= 8;
			continue;
		}
		network.ip.bytes[i] &= (uint8_t)(0xff00u >> bits);
		bits = 0;
	}
	return network;
}

int
lath_prefix_parse(const char *text, struct lath_prefix *prefix)
{
	struct lath_prefix parsed = {0};
	struct lath_prefix network;
	int bits;
	int rc = split_prefix(text, &parsed.ip, &bits);

	if (rc != 0)
		return rc;
	parsed.bits = bits < 0 ? (uint8_t)family_bits(&parsed.ip) : (uint8_t)bits;
	network = lath_prefix_network(&parsed);
	if (!lath_ip_equal(&network.ip, &parsed.ip))
		return lath_err(ERANGE);
	*prefix = parsed;
	return 0;
}

int
lath_prefix_parse_host(const char *text, struct lath_prefix *host)
{
	struct lath_prefix parsed = {0};
	int bits;
	int rc = split_prefix(text, &parsed.ip, &bits);

	if (rc != 0)
		return rc;
	if (bits < 0)
		return lath_err(EINVAL);
	parsed.bits = (uint8_t)bits;
	*host = parsed;
	return 0;
}

const char *
lath_prefix_format(const struct lath_prefix *prefix, char out[LATH_PREFIX_TEXT_MAX])
{
	char address[LATH_IP_TEXT_MAX];

	snprintf(out, LATH_PREFIX_TEXT_MAX, "%s/%u", lath_ip_format(&prefix->ip, address),
			prefix->bits);
	return out;
}

/* True when the first `bits` bits of both are the same. */
static bool
same_head(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8;
	unsigned rest = bits % 8;
	uint32_t a_be;
	uint32_t b_be;

	if (bits <= 32 && bits > 0) { /* all of IPv4, without a call */
		memcpy(&a_be, a, sizeof(a_be));
		memcpy(&b_be, b, sizeof(b_be));
		return __builtin_bswap32(a_be ^ b_be) >> (32 - bits) == 0;
	}
	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) & (0xff00u >> rest) & 0xffu) == 0;
}

bool
lath_prefix_contains(const struct lath_prefix *prefix, const struct lath_ip *ip)
{
	return prefix->ip.family == ip->family &&
			same_head(prefix->ip.bytes, ip->bytes, prefix->bits);
}

bool
lath_prefix_overlaps(const struct lath_prefix *a, const struct lath_prefix *b)
{
	unsigned bits = a->bits < b->bits ? a->bits : b->bits;

	return a->ip.family == b->ip.family && same_head(a->ip.bytes, b->ip.bytes, bits);
}
