/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Entries of one size: a free list, and one list for each class of flow that may be reclaimed
 * early, oldest first. A flow enters a class at the young end when it becomes closed, unanswered
 * or half-open, so the order is by age without any clock.
 */

#include "flow_private.h"

#define LIST_END UINT32_MAX

int
lath_flow_pool_init(struct lath_flow_pool *pool, enum lath_flow_pool_kind kind, uint32_t capacity,
		lath_tick_t now, const struct lath_allocator *allocator)
{
	*pool = (struct lath_flow_pool){
			.capacity = capacity,
			.reclaim_above = (uint32_t)((uint64_t)capacity * 4 / 5),
			.free_head = LIST_END,
	};
	if (kind == LATH_FLOW_POOL_IPV4) {
		pool->stride = sizeof(struct lath_flow4);
		pool->tail_offset = offsetof(struct lath_flow4, tail);
	} else {
		pool->stride = sizeof(struct lath_flow_mixed);
		pool->tail_offset = offsetof(struct lath_flow_mixed, tail);
	}
	for (unsigned class = 0; class < LATH_FLOW_CLASS_LIVE; class ++)
		pool->classes[class] = (struct lath_flow_list){LIST_END, LIST_END};
	if (capacity == 0)
		return 0;
	pool->entries = allocator->alloc(allocator->ctx, (size_t)capacity * pool->stride);
	if (pool->entries == NULL)
		return lath_err(ENOMEM);
	lath_wheel_init(&pool->wheel,
			pool->entries + pool->tail_offset + offsetof(struct lath_flow_tail, timer),
			pool->stride, now);
	return 0;
}

void
lath_flow_pool_fini(struct lath_flow_pool *pool, const struct lath_allocator *allocator)
{
	if (pool->entries != NULL)
		allocator->free(allocator->ctx, pool->entries,
				(size_t)pool->capacity * pool->stride);
	*pool = (struct lath_flow_pool){0};
}

/* The entry that the next flow will get, while this one's is filled in. */
static void
fetch_next(const struct lath_flow_pool *pool)
{
	uint32_t idx = pool->free_head != LIST_END ? pool->free_head : pool->fresh;

	if (idx == pool->capacity)
		return;
	for (uint32_t at = 0; at < pool->stride; at += LATH_CACHE_LINE)
		__builtin_prefetch(pool->entries + (size_t)idx * pool->stride + at, 1);
}

uint32_t
lath_flow_pool_take(struct lath_flow_pool *pool)
{
	uint32_t idx = pool->free_head;

	if (idx != LIST_END)
		pool->free_head = lath_flow_pool_tail(pool, idx)->class_link.next;
	else if (pool->fresh < pool->capacity)
		idx = pool->fresh++;
	else
		return LIST_END;
	pool->used++;
	fetch_next(pool);
	memset(pool->entries + (size_t)idx * pool->stride, 0, pool->stride);
	lath_flow_pool_tail(pool, idx)->class = LATH_FLOW_CLASS_LIVE;
	return idx;
}

void
lath_flow_pool_put(struct lath_flow_pool *pool, uint32_t idx)
{
	struct lath_flow_tail *tail = lath_flow_pool_tail(pool, idx);
	uint8_t *entry = pool->entries + (size_t)idx * pool->stride;

	/* No key is all zero: who found this half a moment ago does not take it for its own now. */
	memset(entry, 0, sizeof(struct lath_key4));
	memset(entry + pool->tail_offset / LATH_FLOW_DIRECTION_COUNT, 0, sizeof(struct lath_key4));
	tail->flags = 0;
	tail->class_link.next = pool->free_head;
	pool->free_head = idx;
	pool->used--;
}

void
lath_flow_pool_enter(struct lath_flow_pool *pool, uint32_t idx, enum lath_flow_class class)
{
	struct lath_flow_tail *tail = lath_flow_pool_tail(pool, idx);
	struct lath_flow_list *list;

	tail->class = (uint8_t) class;
	if (class == LATH_FLOW_CLASS_LIVE)
		return;
	list = &pool->classes[class];
	tail->class_link = (struct lath_flow_link){.next = LIST_END, .prev = list->last};
	if (list->last == LIST_END)
		list->first = idx;
	else
		lath_flow_pool_tail(pool, list->last)->class_link.next = idx;
	list->last = idx;
}

void
lath_flow_pool_leave(struct lath_flow_pool *pool, uint32_t idx)
{
	struct lath_flow_tail *tail = lath_flow_pool_tail(pool, idx);
	struct lath_flow_link link = tail->class_link;
	struct lath_flow_list *list;

	if (tail->class == LATH_FLOW_CLASS_LIVE)
		return;
	list = &pool->classes[tail->class];
	if (link.prev == LIST_END)
		list->first = link.next;
	else
		lath_flow_pool_tail(pool, link.prev)->class_link.next = link.next;
	if (link.next == LIST_END)
		list->last = link.prev;
	else
		lath_flow_pool_tail(pool, link.next)->class_link.prev = link.prev;
	tail->class = LATH_FLOW_CLASS_LIVE;
}

static lath_flow_ref_t
ref_or_none(enum lath_flow_pool_kind kind, uint32_t idx)
{
	return idx == LIST_END ? LATH_FLOW_NONE : lath_flow_ref_of(kind, idx);
}

lath_flow_ref_t
lath_flow_class_first(const struct lath_flow_table *table, enum lath_flow_pool_kind kind,
		enum lath_flow_class class)
{
	return ref_or_none(kind, table->pools[kind].classes[class].first);
}

lath_flow_ref_t
lath_flow_class_next(const struct lath_flow_table *table, lath_flow_ref_t ref)
{
	return ref_or_none(lath_flow_kind_of(ref), lath_flow_tail_at(table, ref)->class_link.next);
}

lath_flow_ref_t
lath_flow_oldest(const struct lath_flow_table *table, enum lath_flow_pool_kind kind)
{
	for (unsigned class = 0; class < LATH_FLOW_CLASS_LIVE; class ++)
		if (table->pools[kind].classes[class].first != LIST_END)
			return lath_flow_ref_of(kind, table->pools[kind].classes[class].first);
	return LATH_FLOW_NONE;
}

lath_flow_ref_t
lath_flow_walk(const struct lath_flow_table *table, enum lath_flow_pool_kind kind, uint32_t *cursor,
		unsigned *steps)
{
	const struct lath_flow_pool *pool = &table->pools[kind];

	/* Entries above `fresh` were never used: the walk may step over all of them at once. */
	while (*cursor<pool->fresh && * steps> 0) {
		uint32_t idx = (*cursor)++;

		--*steps;
		if ((lath_flow_pool_tail(pool, idx)->flags & LATH_FLOW_TAIL_LIVE) != 0)
			return lath_flow_ref_of(kind, idx);
	}
	if (*cursor >= pool->fresh)
		*cursor = pool->capacity;
	return LATH_FLOW_NONE;
}
