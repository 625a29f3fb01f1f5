/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/** @file Memory of one worker that only it may write: see fence.c. */
#pragma once

#include <lath_base.h>

#define FENCE_REGIONS_MAX 64u

struct fence_region {
	void *at;
	size_t size;
};

/* Writable from the start. */
struct fence {
	struct fence_region regions[FENCE_REGIONS_MAX];
	unsigned count;
};

/* Takes whole pages; `fence` must outlive what it allocates. */
struct lath_allocator fence_allocator(struct fence *fence);

void fence_set(const struct fence *fence, bool writable);
