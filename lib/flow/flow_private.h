/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* What the files of this folder share. */
#pragma once

#include "lath_flow.h"

/* index.c */
int lath_flow_index_put(struct lath_flow_table *table, uint64_t hash, lath_flow_ref_t ref);
void lath_flow_index_take(struct lath_flow_table *table, uint64_t hash, lath_flow_ref_t ref);

/* The hash of the key of the half that `ref` names. */
uint64_t lath_flow_index_hash(const struct lath_flow_table *table, lath_flow_ref_t ref);

/* pool.c */
int lath_flow_pool_init(struct lath_flow_pool *pool, enum lath_flow_pool_kind kind,
		uint32_t capacity, lath_tick_t now, const struct lath_allocator *allocator);
void lath_flow_pool_fini(struct lath_flow_pool *pool, const struct lath_allocator *allocator);
uint32_t lath_flow_pool_take(struct lath_flow_pool *pool);
void lath_flow_pool_put(struct lath_flow_pool *pool, uint32_t idx);
void lath_flow_pool_enter(struct lath_flow_pool *pool, uint32_t idx, enum lath_flow_class class);
void lath_flow_pool_leave(struct lath_flow_pool *pool, uint32_t idx);

static inline struct lath_flow_tail *
lath_flow_pool_tail(const struct lath_flow_pool *pool, uint32_t idx)
{
	return (void *)(pool->entries + (size_t)idx * pool->stride + pool->tail_offset);
}

static inline enum lath_flow_pool_kind
lath_flow_kind_of(lath_flow_ref_t ref)
{
	return lath_flow_is_mixed(ref) ? LATH_FLOW_POOL_MIXED : LATH_FLOW_POOL_IPV4;
}

static inline uint32_t
lath_flow_entry_of(lath_flow_ref_t ref)
{
	return (ref & ~LATH_FLOW_MIXED) >> 1;
}

static inline lath_flow_ref_t
lath_flow_ref_of(enum lath_flow_pool_kind kind, uint32_t idx)
{
	return (kind == LATH_FLOW_POOL_MIXED ? LATH_FLOW_MIXED : 0) | idx << 1;
}
