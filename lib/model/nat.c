/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * The NAT addresses of a VPC as runs: `natPool` in the order it was written, no address twice, and
 * without the network's and the broadcast address of attached subnets (of /30 and shorter); or,
 * when none of the family is configured, the gateway's own addresses there. A prefix in the pool
 * means all its addresses, of IPv6 at most 2^32 - 1 of them.
 */
#include <stdlib.h>
#include <string.h>

#include "model_private.h"

static int
ranges_append(struct nat_ranges *ranges, uint64_t first, uint64_t last)
{
	struct lath_model_nat_range *grown;

	if (ranges->count == ranges->capacity) {
		ranges->capacity = ranges->capacity * 2 + 4;
		grown = realloc(ranges->items, sizeof(*grown) * ranges->capacity);
		if (grown == NULL)
			return lath_err(ENOMEM);
		ranges->items = grown;
	}
	ranges->items[ranges->count].first = (uint32_t)first;
	ranges->items[ranges->count].count = (uint32_t)(last - first + 1);
	ranges->count++;
	return 0;
}

/* Adds [first, last] without what the ranges hold already: an address is one pool's once. */
static int
ranges_add(struct nat_ranges *ranges, uint64_t first, uint64_t last)
{
	while (first <= last) {
		uint64_t stop = last + 1; /* where the next range that is there begins */
		uint64_t resume = last + 1;
		int rc;

		for (uint32_t i = 0; i < ranges->count; i++) {
			uint64_t begin = ranges->items[i].first;
			uint64_t end = begin + ranges->items[i].count;

			if (end <= first || begin >= stop)
				continue;
			stop = begin > first ? begin : first;
			resume = end;
		}
		if (stop > first) {
			rc = ranges_append(ranges, first, stop - 1);
			if (rc < 0)
				return rc;
		}
		first = resume;
	}
	return 0;
}

/* Takes one address out of all ranges. */
static int
ranges_cut(struct nat_ranges *ranges, uint32_t address)
{
	for (uint32_t i = 0; i < ranges->count; i++) {
		struct lath_model_nat_range *range = &ranges->items[i];
		uint64_t last = (uint64_t)range->first + range->count - 1;

		if (address < range->first || address > last)
			continue;
		range->count = address - range->first;
		if (range->count == 0) {
			ranges->count--;
			memmove(range, range + 1, sizeof(*range) * (ranges->count - i));
		}
		return address < last ? ranges_append(ranges, (uint64_t)address + 1, last) : 0;
	}
	return 0;
}

static void
v4_bounds(const struct lath_prefix *prefix, uint32_t *first, uint32_t *last)
{
	uint32_t mask = prefix->bits == 0 ? 0 : UINT32_MAX << (32 - prefix->bits);
	uint32_t address = lath_from_be32(lath_ip_v4_be(&prefix->ip));

	*first = address & mask;
	*last = address | ~mask;
}

/* Nobody may send from the network's or the broadcast address of an attached subnet. */
static int
cut_subnet_edges(struct nat_ranges *ranges, const struct lath_config_vpc *vpc)
{
	for (uint32_t i = 0; i < vpc->attachment_count; i++) {
		const struct lath_config_attachment *attachment = &vpc->attachments[i];

		for (uint32_t j = 0; j < attachment->address_count; j++) {
			const struct lath_prefix *address = &attachment->addresses[j];
			uint32_t first;
			uint32_t last;

			if (!lath_ip_is_v4(&address->ip) || address->bits > 30)
				continue;
			v4_bounds(address, &first, &last);
			if (ranges_cut(ranges, first) < 0 || ranges_cut(ranges, last) < 0)
				return lath_err(ENOMEM);
		}
	}
	return 0;
}

/* The loader has seen to it that no two of a pool overlap. */
static struct lath_model_nat6_range
range6_of(const struct lath_prefix *prefix)
{
	struct lath_model_nat6_range range = {.count = 1};
	unsigned host_bits = 128u - prefix->bits;

	memcpy(range.first, prefix->ip.bytes, sizeof(range.first));
	if (host_bits == 1)
		range.count = 2; /* RFC 6164: both are hosts */
	if (host_bits < 2)
		return range;
	range.first[15] |= 1;
	range.count = UINT32_MAX >> (host_bits < 32 ? 32 - host_bits : 0);
	return range;
}

static int
ranges_of_ipv6(struct nat_ranges *ranges, const struct lath_config_vpc *vpc)
{
	uint32_t most = vpc->nat_pool_count;

	for (uint32_t i = 0; i < vpc->attachment_count; i++)
		most += vpc->attachments[i].address_count;
	ranges->items6 = calloc((size_t)most + 1, sizeof(*ranges->items6));
	if (ranges->items6 == NULL)
		return lath_err(ENOMEM);
	for (uint32_t i = 0; i < vpc->nat_pool_count; i++) {
		if (!lath_ip_is_v4(&vpc->nat_pool[i].ip))
			ranges->items6[ranges->count6++] = range6_of(&vpc->nat_pool[i]);
	}
	if (ranges->count6 > 0)
		return 0;
	for (uint32_t i = 0; i < vpc->attachment_count; i++) {
		for (uint32_t j = 0; j < vpc->attachments[i].address_count; j++) {
			struct lath_prefix own = {
					.ip = vpc->attachments[i].addresses[j].ip, .bits = 128};

			if (!lath_ip_is_v4(&own.ip))
				ranges->items6[ranges->count6++] = range6_of(&own);
		}
	}
	return 0;
}

/* The pool as configured, or the gateway's own addresses in the VPC. */
static int
ranges_of_ipv4(struct nat_ranges *ranges, const struct lath_config_vpc *vpc)
{
	uint32_t first;
	uint32_t last;

	for (uint32_t i = 0; i < vpc->nat_pool_count; i++) {
		if (!lath_ip_is_v4(&vpc->nat_pool[i].ip))
			continue;
		v4_bounds(&vpc->nat_pool[i], &first, &last);
		if (ranges_add(ranges, first, last) < 0)
			return lath_err(ENOMEM);
	}
	if (ranges->count > 0)
		return cut_subnet_edges(ranges, vpc);
	for (uint32_t i = 0; i < vpc->attachment_count; i++) {
		for (uint32_t j = 0; j < vpc->attachments[i].address_count; j++) {
			const struct lath_ip *own = &vpc->attachments[i].addresses[j].ip;

			if (!lath_ip_is_v4(own))
				continue;
			first = lath_from_be32(lath_ip_v4_be(own));
			if (ranges_add(ranges, first, first) < 0)
				return lath_err(ENOMEM);
		}
	}
	return 0;
}

int
lath_model_nat_ranges_of_vpc(struct nat_ranges *ranges, const struct lath_config_vpc *vpc)
{
	int rc = ranges_of_ipv4(ranges, vpc);

	return rc < 0 ? rc : ranges_of_ipv6(ranges, vpc);
}
