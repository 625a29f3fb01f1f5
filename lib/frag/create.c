/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "frag_private.h"

#define COUNT_MAX 0x01000000u /* of anything: sums and indexes stay far from wrapping */

/* One piece of memory in this order, each part on a cache line of its own. */
enum part {
	PART_TABLE,
	PART_ENTRIES,
	PART_NODES,
	PART_BUCKETS,
	PART_VPCS,
	PART_DATAGRAM_LINKS,
	PART_HELD_LINKS,
	PART_DATAGRAM_HEADS,
	PART_HELD_HEADS,
	PART_COUNT,
};

static bool
is_valid(const struct lath_frag_limits *limits)
{
	const uint32_t counts[] = {limits->vpcs, limits->datagrams, limits->datagrams_per_vpc,
			limits->held, limits->held_per_vpc, limits->held_per_datagram};

	for (unsigned i = 0; i < LATH_ARRAY_SIZE(counts); i++)
		if (counts[i] == 0 || counts[i] > COUNT_MAX)
			return false;
	return true;
}

/* Bounds that say no more than the whole's. */
static struct lath_frag_limits
effective(const struct lath_frag_limits *limits)
{
	struct lath_frag_limits effective = *limits;

	effective.held_per_datagram = lath_min_u32(lath_min_u32(limits->held_per_datagram,
								   limits->held),
			UINT16_MAX);
	effective.timeout_ms = lath_max_u32(limits->timeout_ms, LATH_FRAG_TIMEOUT_MIN_MS);
	return effective;
}

static uint32_t
bucket_count(const struct lath_frag_limits *limits)
{
	uint32_t count = 1;

	while (count < limits->datagrams)
		count *= 2;
	return count;
}

static uint32_t
node_count(const struct lath_frag_limits *limits)
{
	return limits->held + ENDED_PER_CALL * limits->held_per_datagram;
}

/* Where each part begins; `offsets[PART_COUNT]` is the whole's size. */
static void
lay_out(const struct lath_frag_limits *limits, size_t offsets[PART_COUNT + 1])
{
	const size_t sizes[PART_COUNT] = {
			[PART_TABLE] = sizeof(struct lath_frag_table),
			[PART_ENTRIES] = sizeof(struct datagram) * limits->datagrams,
			[PART_NODES] = sizeof(struct node) * node_count(limits),
			[PART_BUCKETS] = sizeof(uint32_t) * bucket_count(limits),
			[PART_VPCS] = sizeof(struct vpc_lists) * limits->vpcs,
			[PART_DATAGRAM_LINKS] = sizeof(struct rank_link) * limits->vpcs,
			[PART_HELD_LINKS] = sizeof(struct rank_link) * limits->vpcs,
			[PART_DATAGRAM_HEADS] = sizeof(uint32_t) * ((size_t)limits->datagrams + 1),
			[PART_HELD_HEADS] = sizeof(uint32_t) * ((size_t)limits->held + 1),
	};

	offsets[0] = 0;
	for (unsigned i = 0; i < PART_COUNT; i++)
		offsets[i + 1] = offsets[i] +
				(sizes[i] + LATH_CACHE_LINE - 1) / LATH_CACHE_LINE *
						LATH_CACHE_LINE;
}

size_t
lath_frag_memory(const struct lath_frag_limits *limits)
{
	struct lath_frag_limits bounded;
	size_t offsets[PART_COUNT + 1];

	if (!is_valid(limits))
		return 0;
	bounded = effective(limits);
	lay_out(&bounded, offsets);
	return offsets[PART_COUNT];
}

/* Everything empty and everything free. */
static void
clear(struct lath_frag_table *table)
{
	const struct lath_frag_limits *limits = &table->limits;
	uint32_t nodes = node_count(limits);

	memset(table->buckets, 0xff, sizeof(uint32_t) * bucket_count(limits));
	memset(table->vpcs, 0xff, sizeof(struct vpc_lists) * limits->vpcs);
	memset(table->datagrams.heads, 0xff, sizeof(uint32_t) * ((size_t)limits->datagrams + 1));
	memset(table->held.heads, 0xff, sizeof(uint32_t) * ((size_t)limits->held + 1));
	table->by_age = (struct list){FRAG_NONE, FRAG_NONE};
	for (uint32_t i = 0; i < limits->datagrams; i++)
		table->entries[i].chain = i + 1 < limits->datagrams ? i + 1 : FRAG_NONE;
	for (uint32_t i = 0; i < nodes; i++)
		table->nodes[i].next = i + 1 < nodes ? i + 1 : FRAG_NONE;
}

struct lath_frag_table *
lath_frag_create(const struct lath_frag_limits *limits, const struct lath_siphash_key *key,
		const struct lath_allocator *allocator)
{
	struct lath_frag_limits bounded;
	size_t offsets[PART_COUNT + 1];
	struct lath_frag_table *table;
	uint8_t *base;

	if (!is_valid(limits))
		return lath_null(EINVAL);
	bounded = effective(limits);
	lay_out(&bounded, offsets);
	base = allocator->alloc(allocator->ctx, offsets[PART_COUNT]);
	if (base == NULL)
		return lath_null(ENOMEM);
	table = (void *)base;
	table->limits = bounded;
	table->key = *key;
	table->allocator = allocator;
	table->size = offsets[PART_COUNT];
	/* A tick has nearly passed already when it is read: one more makes it "at least". */
	table->timeout = lath_ticks_from_ms(bounded.timeout_ms) + 1;
	table->bucket_mask = bucket_count(&bounded) - 1;
	table->entries = (void *)(base + offsets[PART_ENTRIES]);
	table->nodes = (void *)(base + offsets[PART_NODES]);
	table->buckets = (void *)(base + offsets[PART_BUCKETS]);
	table->vpcs = (void *)(base + offsets[PART_VPCS]);
	table->datagrams.links = (void *)(base + offsets[PART_DATAGRAM_LINKS]);
	table->held.links = (void *)(base + offsets[PART_HELD_LINKS]);
	table->datagrams.heads = (void *)(base + offsets[PART_DATAGRAM_HEADS]);
	table->held.heads = (void *)(base + offsets[PART_HELD_HEADS]);
	clear(table);
	return table;
}

void
lath_frag_free(struct lath_frag_table *table)
{
	if (table != NULL)
		table->allocator->free(table->allocator->ctx, table, table->size);
}
