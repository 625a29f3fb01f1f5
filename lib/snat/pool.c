/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Pools in a fixed array under a chained keyed hash, and a slab of bitmaps for the busy ones.
 *
 * A small pool keeps no list of its ports: the flow table is the truth about a port in use, and
 * with a few dozen of tens of thousands taken a random one is nearly always free. A pool that
 * grows past SNAT_SMALL_MAX gets a bitmap of this worker's share of the ports (8 KiB / workers).
 * The bitmap begins with the resting ports only; a port that turns out to be in use when it is
 * drawn simply stays marked, so nobody has to walk the flow table at the moment of growing.
 */

#include <lath_portset.h>

#include "snat_private.h"

static uint32_t *
chain_of(const struct lath_snat *snat, const struct lath_snat_key *key)
{
	return &snat->heads[lath_keyhash16(&snat->flows->hash, key) & snat->head_mask];
}

static uint32_t
heads_for(uint32_t pools)
{
	uint32_t heads = 16;

	while (heads < pools)
		heads *= 2;
	return heads;
}

struct lath_snat_options
lath_snat_options_for(const struct lath_owner *owner, uint32_t worker, uint32_t flows)
{
	uint32_t ports = lath_owner_port_count(owner, worker);
	struct lath_snat_options options = {.max_resting = flows / 2};

	options.max_pools = flows / 16 < 1024 ? 1024 : lath_min_u32(flows / 16, 65536);
	/* Eight times what full pools would need: busy targets are rarely full. */
	options.max_bitmaps = ports == 0
			? 16
			: lath_max_u32(16, (uint32_t)((uint64_t)flows * 8 / ports));
	return options;
}

uint64_t
lath_snat_memory(const struct lath_snat_options *options, const struct lath_owner *owner,
		uint32_t worker)
{
	uint64_t bitmap = (lath_portset_size(lath_owner_port_count(owner, worker)) + 63) & ~63ull;

	return (uint64_t)options->max_pools *
			(sizeof(struct lath_snat_pool) + sizeof(struct lath_key6)) +
			(uint64_t)heads_for(options->max_pools) * sizeof(uint32_t) +
			options->max_bitmaps * (bitmap + sizeof(uint32_t)) +
			(uint64_t)options->max_resting * sizeof(struct lath_snat_rested);
}

int
lath_snat_init(struct lath_snat *snat, const struct lath_owner *owner, uint32_t worker,
		const struct lath_flow_table *flows, const struct lath_snat_options *options,
		const struct lath_allocator *allocator)
{
	uint32_t heads = heads_for(options->max_pools);
	void *ctx = allocator->ctx;

	*snat = (struct lath_snat){
			.owner = owner,
			.flows = flows,
			.worker = worker,
			.port_count = lath_owner_port_count(owner, worker),
			.options = *options,
			.head_mask = heads - 1,
			.free_pool = SNAT_END,
			.free_resting = SNAT_END,
			.random = options->seed,
			.allocator = allocator,
	};
	snat->bitmap_size = (lath_portset_size(snat->port_count) + 63) & ~(size_t)63;
	snat->pools = allocator->alloc(ctx, options->max_pools * sizeof(*snat->pools));
	snat->replies6 = allocator->alloc(ctx, options->max_pools * sizeof(*snat->replies6));
	snat->heads = allocator->alloc(ctx, heads * sizeof(*snat->heads));
	snat->bitmaps = allocator->alloc(ctx, options->max_bitmaps * snat->bitmap_size);
	snat->free_bitmaps = allocator->alloc(ctx,
			options->max_bitmaps * sizeof(*snat->free_bitmaps));
	snat->resting = allocator->alloc(ctx, options->max_resting * sizeof(*snat->resting));
	if (snat->pools == NULL || snat->replies6 == NULL || snat->heads == NULL ||
			snat->bitmaps == NULL || snat->free_bitmaps == NULL ||
			snat->resting == NULL) {
		lath_snat_fini(snat);
		return lath_err(ENOMEM);
	}
	memset(snat->heads, 0xff, heads * sizeof(*snat->heads));
	for (uint32_t i = options->max_pools; i-- > 0; snat->free_pool = i)
		snat->pools[i].next = snat->free_pool;
	for (uint32_t i = options->max_resting; i-- > 0; snat->free_resting = i)
		snat->resting[i].next = snat->free_resting;
	for (uint32_t i = 0; i < options->max_bitmaps; i++)
		snat->free_bitmaps[snat->free_bitmap_count++] = i;
	for (unsigned rest = 0; rest < LATH_SNAT_REST_COUNT; rest++)
		snat->rested[rest] = (struct lath_snat_list){SNAT_END, SNAT_END};
	return 0;
}

void
lath_snat_fini(struct lath_snat *snat)
{
	const struct lath_allocator *allocator = snat->allocator;
	const struct lath_snat_options *options = &snat->options;
	struct {
		void *memory;
		size_t size;
	} parts[] = {
			{snat->pools, options->max_pools * sizeof(*snat->pools)},
			{snat->replies6, options->max_pools * sizeof(*snat->replies6)},
			{snat->heads, ((size_t)snat->head_mask + 1) * sizeof(*snat->heads)},
			{snat->bitmaps, options->max_bitmaps * snat->bitmap_size},
			{snat->free_bitmaps, options->max_bitmaps * sizeof(*snat->free_bitmaps)},
			{snat->resting, options->max_resting * sizeof(*snat->resting)},
	};

	for (unsigned i = 0; i < LATH_ARRAY_SIZE(parts); i++)
		if (parts[i].memory != NULL)
			allocator->free(allocator->ctx, parts[i].memory, parts[i].size);
	*snat = (struct lath_snat){0};
}

uint32_t
lath_snat_pool_find(const struct lath_snat *snat, const struct lath_snat_key *key)
{
	uint32_t idx = *chain_of(snat, key);

	while (idx != SNAT_END && !lath_equal16(&snat->pools[idx].key, key))
		idx = snat->pools[idx].next;
	return idx;
}

const struct lath_snat_pool *
lath_snat_find(const struct lath_snat *snat, const struct lath_snat_key *key)
{
	uint32_t idx = lath_snat_pool_find(snat, key);

	return idx == SNAT_END ? NULL : &snat->pools[idx];
}

/* Two names with one digest stand in one chain; the whole one tells them apart. */
static struct lath_snat_key
digest_of(const struct lath_snat *snat, const struct lath_key6 *reply)
{
	uint64_t hash = lath_keyhash6(&snat->flows->hash, reply);
	struct lath_snat_key key = {
			.target_port_be = reply->src_port_be,
			.is_v6 = 1,
			.proto_vpc = reply->proto_vpc,
	};

	memcpy(&key, &hash, sizeof(hash));
	return key;
}

uint32_t
lath_snat_pool_find6(const struct lath_snat *snat, const struct lath_key6 *reply)
{
	struct lath_snat_key key = digest_of(snat, reply);
	uint32_t idx = *chain_of(snat, &key);

	while (idx != SNAT_END &&
			(!lath_equal16(&snat->pools[idx].key, &key) ||
					memcmp(&snat->replies6[idx], reply, sizeof(*reply)) != 0))
		idx = snat->pools[idx].next;
	return idx;
}

const struct lath_snat_pool *
lath_snat_find6(const struct lath_snat *snat, const struct lath_key6 *reply)
{
	uint32_t idx = lath_snat_pool_find6(snat, reply);

	return idx == SNAT_END ? NULL : &snat->pools[idx];
}

/* A free pool gets this name; there is one. */
static uint32_t
name_pool(struct lath_snat *snat, const struct lath_snat_key *key, unsigned rest_bucket)
{
	uint32_t idx = snat->free_pool;
	struct lath_snat_pool *pool = &snat->pools[idx];
	uint32_t *head;

	snat->free_pool = pool->next;
	head = chain_of(snat, key);
	*pool = (struct lath_snat_pool){
			.key = *key,
			.next = *head,
			.rested = {{SNAT_END, SNAT_END}, {SNAT_END, SNAT_END}},
			.rest_bucket = (uint16_t)rest_bucket,
			.ahead = (uint16_t)lath_random_below(&snat->random, snat->port_count),
			.after = (uint16_t)lath_random_below(&snat->random, snat->port_count),
	};
	*head = idx;
	snat->pool_count++;
	return idx;
}

uint32_t
lath_snat_pool_get(struct lath_snat *snat, const struct lath_snat_key *key)
{
	uint32_t idx = lath_snat_pool_find(snat, key);

	if (idx != SNAT_END || snat->free_pool == SNAT_END)
		return idx;
	return name_pool(snat, key,
			lath_owner_bucket_v4(snat->owner, key->target_be, key->nat_be,
					key->target_port_be, lath_to_be16(0)));
}

uint32_t
lath_snat_pool_get6(struct lath_snat *snat, const struct lath_key6 *reply)
{
	uint32_t idx = lath_snat_pool_find6(snat, reply);
	struct lath_snat_key key;

	if (idx != SNAT_END || snat->free_pool == SNAT_END)
		return idx;
	key = digest_of(snat, reply);
	idx = name_pool(snat, &key,
			lath_owner_bucket_v6(snat->owner, reply->src, reply->dst,
					reply->src_port_be, lath_to_be16(0)));
	snat->replies6[idx] = *reply;
	return idx;
}

void
lath_snat_pool_release(struct lath_snat *snat, uint32_t idx)
{
	struct lath_snat_pool *pool = &snat->pools[idx];
	uint32_t *link = chain_of(snat, &pool->key);

	if (pool->live + pool->resting > 0)
		return;
	while (*link != idx)
		link = &snat->pools[*link].next;
	*link = pool->next;
	if (pool->ports != NULL)
		snat->free_bitmaps[snat->free_bitmap_count++] =
				(uint32_t)(((uint8_t *)pool->ports - snat->bitmaps) /
						snat->bitmap_size);
	*pool = (struct lath_snat_pool){.next = snat->free_pool};
	snat->free_pool = idx;
	snat->pool_count--;
}

/* Called when the pool reaches SNAT_SMALL_MAX, so its lists are that short. */
bool
lath_snat_pool_grow(struct lath_snat *snat, struct lath_snat_pool *pool)
{
	uint8_t *memory;

	if (snat->free_bitmap_count == 0) {
		snat->small_pools++;
		return false;
	}
	memory = snat->bitmaps + snat->free_bitmaps[--snat->free_bitmap_count] * snat->bitmap_size;
	pool->ports = lath_portset_init(memory, snat->port_count);
	for (unsigned rest = 0; rest < LATH_SNAT_REST_COUNT; rest++)
		for (uint32_t i = pool->rested[rest].first; i != SNAT_END;
				i = snat->resting[i].pool_next)
			lath_snat_pool_mark(pool, snat->resting[i].index);
	return true;
}

static bool
is_echo(const struct lath_snat_pool *pool)
{
	uint32_t proto = pool->key.proto_vpc >> 24;

	return proto == LATH_PROTO_ICMP || proto == LATH_PROTO_ICMPV6;
}

static enum lath_family
family_of(const struct lath_snat_pool *pool)
{
	return pool->key.is_v6 != 0 ? LATH_FAMILY_IPV6 : LATH_FAMILY_IPV4;
}

uint16_t
lath_snat_port_at(const struct lath_snat *snat, const struct lath_snat_pool *pool, uint32_t index)
{
	if (is_echo(pool))
		return lath_owner_echo_at(snat->owner, family_of(pool), snat->worker,
				pool->rest_bucket, index);
	return lath_owner_port_at(snat->owner, family_of(pool), snat->worker, pool->rest_bucket,
			index);
}

uint32_t
lath_snat_port_index(const struct lath_snat *snat, const struct lath_snat_pool *pool, uint16_t port)
{
	if (is_echo(pool))
		return lath_owner_echo_index(snat->owner, family_of(pool), snat->worker,
				pool->rest_bucket, port);
	return lath_owner_port_index(snat->owner, family_of(pool), snat->worker, pool->rest_bucket,
			port);
}

void
lath_snat_pool_clear(struct lath_snat_pool *pool, uint32_t index)
{
	if (pool->ports == NULL)
		return;
	/* Free already: it was taken before the pool had a bitmap and never drawn since. */
	if (!lath_portset_is_free(pool->ports, index))
		lath_portset_put(pool->ports, index);
}

void
lath_snat_pool_mark(struct lath_snat_pool *pool, uint32_t index)
{
	if (pool->ports != NULL) /* -EBUSY: marked already */
		lath_portset_take_at(pool->ports, index);
}
