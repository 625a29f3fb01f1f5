/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Workers share nothing that they write. Here that is not believed but enforced: all memory of a
 * worker lies on pages of its own, which are read-only while anybody else runs, another worker or
 * management. Who writes there ends the process.
 *
 * What it does not see: memory of DPDK's own (packets, rings, the grace period's counters), where
 * one writer a line is the rule of those libraries.
 */

#include "fence.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t
whole_pages(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

static void *
fence_alloc(void *ctx, size_t size)
{
	struct fence *fence = ctx;
	void *memory = mmap(NULL, whole_pages(size), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED || fence->count == FENCE_REGIONS_MAX)
		return NULL;
	fence->regions[fence->count++] = (struct fence_region){memory, whole_pages(size)};
	return memory;
}

static void
fence_free(void *ctx, void *memory, size_t size)
{
	struct fence *fence = ctx;

	for (unsigned i = 0; i < fence->count; i++)
		if (fence->regions[i].at == memory)
			fence->regions[i] = fence->regions[--fence->count];
	munmap(memory, whole_pages(size));
}

struct lath_allocator
fence_allocator(struct fence *fence)
{
	return (struct lath_allocator){
			.alloc = fence_alloc,
			.free = fence_free,
			.ctx = fence,
	};
}

void
fence_set(const struct fence *fence, bool writable)
{
	int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;

	for (unsigned i = 0; i < fence->count; i++)
		if (mprotect(fence->regions[i].at, fence->regions[i].size, protection) != 0)
			abort();
}
