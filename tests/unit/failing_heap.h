/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * An allocator that gives so many pieces and then none, and counts what is still out: what a
 * constructor that fails half-way must bring back.
 */
#pragma once

#include "lath_test.h"

struct failing_heap {
	unsigned left; /* pieces that may still be had */
	size_t out;    /* bytes given and not brought back */
};

static inline void *
failing_alloc(void *ctx, size_t size)
{
	struct failing_heap *heap = ctx;

	if (heap->left == 0)
		return NULL;
	heap->left--;
	heap->out += size;
	return lath_heap.alloc(NULL, size);
}

static inline void
failing_free(void *ctx, void *memory, size_t size)
{
	struct failing_heap *heap = ctx;

	heap->out -= size;
	lath_heap.free(NULL, memory, size);
}

static inline struct lath_allocator
failing_allocator(struct failing_heap *heap)
{
	return (struct lath_allocator){failing_alloc, failing_free, heap};
}
