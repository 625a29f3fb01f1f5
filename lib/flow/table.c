/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "flow_private.h"

#define TIMER_STEPS 256u /* entries that one call of the wheel may touch */

/* Two keys a flow. At most four fifths of the slots are taken (the first refusal was seen at nine
 * tenths, and moving keys keeps it there), half of them at the usual sizes of 2^n flows. So no
 * size pays more than 40 bytes of index a flow.
 */
static uint32_t
buckets_for(const uint32_t capacity[LATH_FLOW_POOL_COUNT])
{
	uint64_t flows = (uint64_t)capacity[LATH_FLOW_POOL_IPV4] + capacity[LATH_FLOW_POOL_MIXED];
	uint32_t buckets = 4;

	while ((uint64_t)buckets * 8 * 4 / 5 < 2 * flows)
		buckets *= 2;
	return buckets;
}

int
lath_flow_init(struct lath_flow_table *table, const uint32_t capacity[LATH_FLOW_POOL_COUNT],
		struct lath_siphash_key secret, uint64_t id_prefix, lath_tick_t now,
		const struct lath_allocator *allocator)
{
	uint32_t buckets = buckets_for(capacity);

	*table = (struct lath_flow_table){
			.bucket_mask = buckets - 1,
			.id_prefix = id_prefix,
			.allocator = allocator,
	};
	lath_keyhash_init(&table->hash, &secret, lath_keyhash_best());
	table->buckets = allocator->alloc(allocator->ctx,
			(size_t)buckets * sizeof(*table->buckets));
	if (table->buckets == NULL)
		goto err;
	for (unsigned kind = 0; kind < LATH_FLOW_POOL_COUNT; kind++)
		if (lath_flow_pool_init(&table->pools[kind], (enum lath_flow_pool_kind)kind,
				    capacity[kind], now, allocator) != 0)
			goto err;
	return 0;
err:
	lath_flow_fini(table);
	return lath_err(ENOMEM);
}

void
lath_flow_fini(struct lath_flow_table *table)
{
	const struct lath_allocator *allocator = table->allocator;

	if (allocator == NULL)
		return;
	for (unsigned kind = 0; kind < LATH_FLOW_POOL_COUNT; kind++)
		lath_flow_pool_fini(&table->pools[kind], allocator);
	if (table->buckets != NULL)
		allocator->free(allocator->ctx, table->buckets,
				((size_t)table->bucket_mask + 1) * sizeof(*table->buckets));
	*table = (struct lath_flow_table){0};
}

uint64_t
lath_flow_memory(const uint32_t capacity[LATH_FLOW_POOL_COUNT])
{
	return (uint64_t)buckets_for(capacity) * sizeof(struct lath_flow_bucket) +
			(uint64_t)capacity[LATH_FLOW_POOL_IPV4] * sizeof(struct lath_flow4) +
			(uint64_t)capacity[LATH_FLOW_POOL_MIXED] * sizeof(struct lath_flow_mixed);
}

lath_flow_ref_t
lath_flow_alloc(struct lath_flow_table *table, enum lath_flow_pool_kind kind)
{
	uint32_t idx = lath_flow_pool_take(&table->pools[kind]);

	return idx == UINT32_MAX ? LATH_FLOW_NONE : lath_flow_ref_of(kind, idx);
}

void
lath_flow_cancel(struct lath_flow_table *table, lath_flow_ref_t ref)
{
	lath_flow_pool_put(&table->pools[lath_flow_kind_of(ref)], lath_flow_entry_of(ref));
}

/* True when another half has the key of `ref` already. */
static bool
key_is_taken(const struct lath_flow_table *table, lath_flow_ref_t ref, uint64_t hash)
{
	const struct lath_half_mixed *half;

	if (!lath_flow_is_mixed(ref))
		return lath_flow_find4(table, &lath_flow4_at(table, ref)->half[ref & 1].key,
				       hash) != LATH_FLOW_NONE;
	half = &lath_flow_mixed_at(table, ref)->half[ref & 1];
	if (half->family_in == LATH_FAMILY_IPV6)
		return lath_flow_find6(table, &half->key6, hash) != LATH_FLOW_NONE;
	return lath_flow_find4(table, &half->key4, hash) != LATH_FLOW_NONE;
}

int
lath_flow_insert(struct lath_flow_table *table, lath_flow_ref_t ref, enum lath_flow_class class,
		lath_tick_t now, lath_tick_t deadline)
{
	struct lath_flow_pool *pool = &table->pools[lath_flow_kind_of(ref)];
	struct lath_flow_tail *tail = lath_flow_tail_at(table, ref);
	uint32_t idx = lath_flow_entry_of(ref);
	uint64_t forward = lath_flow_index_hash(table, ref);
	uint64_t reverse = lath_flow_index_hash(table, ref | LATH_FLOW_REVERSE);

	if (forward == reverse || key_is_taken(table, ref, forward) ||
			key_is_taken(table, ref | LATH_FLOW_REVERSE, reverse))
		return lath_err(EEXIST);
	if (lath_flow_index_put(table, forward, ref) != 0)
		return lath_err(ENOSPC);
	if (lath_flow_index_put(table, reverse, ref | LATH_FLOW_REVERSE) != 0) {
		lath_flow_index_take(table, forward, ref);
		return lath_err(ENOSPC);
	}
	tail->flags |= LATH_FLOW_TAIL_LIVE;
	tail->started = now;
	tail->id = table->id_prefix | table->serial++;
	lath_flow_pool_enter(pool, idx, class);
	lath_wheel_insert(&pool->wheel, idx, deadline);
	return 0;
}

void
lath_flow_remove(struct lath_flow_table *table, lath_flow_ref_t ref)
{
	struct lath_flow_pool *pool = &table->pools[lath_flow_kind_of(ref)];
	uint32_t idx = lath_flow_entry_of(ref);
	lath_flow_ref_t forward = ref & ~(lath_flow_ref_t)LATH_FLOW_REVERSE;
	lath_flow_ref_t reverse = forward | LATH_FLOW_REVERSE;

	lath_flow_index_take(table, lath_flow_index_hash(table, forward), forward);
	lath_flow_index_take(table, lath_flow_index_hash(table, reverse), reverse);
	if (lath_flow_pool_tail(pool, idx)->timer.prev != LATH_WHEEL_END)
		lath_wheel_remove(&pool->wheel, idx);
	lath_flow_pool_leave(pool, idx);
	lath_flow_pool_put(pool, idx);
}

void
lath_flow_set_class(struct lath_flow_table *table, lath_flow_ref_t ref, enum lath_flow_class class)
{
	struct lath_flow_pool *pool = &table->pools[lath_flow_kind_of(ref)];
	uint32_t idx = lath_flow_entry_of(ref);

	if (lath_flow_pool_tail(pool, idx)->class == class)
		return;
	lath_flow_pool_leave(pool, idx);
	lath_flow_pool_enter(pool, idx, class);
}

unsigned
lath_flow_due(struct lath_flow_table *table, enum lath_flow_pool_kind kind, lath_tick_t now,
		lath_flow_ref_t *out, unsigned max)
{
	struct lath_flow_pool *pool = &table->pools[kind];
	unsigned count;

	if (pool->capacity == 0)
		return 0;
	count = lath_wheel_expire(&pool->wheel, now, out, max, TIMER_STEPS);
	for (unsigned i = 0; i < count; i++) {
		out[i] = lath_flow_ref_of(kind, out[i]);
		__builtin_prefetch(lath_flow_state_at(table, out[i]), 1);
		__builtin_prefetch(lath_flow_state_at(table, out[i] | LATH_FLOW_REVERSE), 1);
	}
	return count;
}

void
lath_flow_prefetch_buckets(const struct lath_flow_table *table, lath_flow_ref_t ref)
{
	for (unsigned half = 0; half < LATH_FLOW_DIRECTION_COUNT; half++)
		__builtin_prefetch(lath_flow_bucket_of(table,
						   lath_flow_index_hash(table, ref | half)),
				1);
}

void
lath_flow_rearm(struct lath_flow_table *table, lath_flow_ref_t ref, lath_tick_t deadline)
{
	lath_wheel_insert(&table->pools[lath_flow_kind_of(ref)].wheel, lath_flow_entry_of(ref),
			deadline);
}

void
lath_flow_retime(struct lath_flow_table *table, lath_flow_ref_t ref, lath_tick_t deadline)
{
	lath_wheel_remove(&table->pools[lath_flow_kind_of(ref)].wheel, lath_flow_entry_of(ref));
	lath_flow_rearm(table, ref, deadline);
}

static const char *const class_names[LATH_FLOW_CLASS_COUNT] = {
		[LATH_FLOW_CLASS_CLOSED] = "closed",
		[LATH_FLOW_CLASS_UDP_UNANSWERED] = "udp_unanswered",
		[LATH_FLOW_CLASS_HALF_OPEN] = "half_open",
		[LATH_FLOW_CLASS_LIVE] = "live",
};

const char *lath_flow_class_name(enum lath_flow_class class)
{
	return class_names[class];
}
