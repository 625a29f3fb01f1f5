/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <dirent.h>
#include <inttypes.h>
#include <numa.h>
#include <stdio.h>
#include <sys/mman.h>

#include <rte_malloc.h>

#include "gateway.h"

#define HUGE_PAGE (2u << 20)

/* ---- huge pages: from EAL, on the worker's node -------------------------------------------- */

static void *
huge_alloc(void *ctx, size_t size)
{
	return rte_zmalloc_socket("lath", size, LATH_CACHE_LINE, *(const int *)ctx);
}

static void
huge_free(void *ctx, void *memory, size_t size)
{
	(void)ctx;
	(void)size;
	rte_free(memory);
}

/* ---- ordinary pages, on the worker's node --------------------------------------------------- */

static void *
node_alloc(void *ctx, size_t size)
{
	void *memory = numa_alloc_onnode(size == 0 ? 1 : size, *(const int *)ctx);

	/* Debian's default gives transparent huge pages to those who ask. It is advice: no harm
	 * when the kernel has none.
	 */
	if (memory != NULL && size >= HUGE_PAGE)
		(void)madvise(memory, size, MADV_HUGEPAGE);
	return memory;
}

static void
node_free(void *ctx, void *memory, size_t size)
{
	(void)ctx;
	numa_free(memory, size == 0 ? 1 : size);
}

static const int node_numbers[LATH_SNAPSHOT_NODES_MAX] = {0, 1, 2, 3, 4, 5, 6, 7};

struct lath_allocator
memory_allocator(bool hugepages, uint32_t node)
{
	void *ctx = (void *)(uintptr_t)&node_numbers[node % LATH_SNAPSHOT_NODES_MAX];

	if (hugepages)
		return (struct lath_allocator){huge_alloc, huge_free, ctx};
	if (numa_available() < 0)
		return lath_heap;
	return (struct lath_allocator){node_alloc, node_free, ctx};
}

void
memory_flows(const struct lath_config *cfg, uint32_t flows[LATH_FLOW_POOL_COUNT])
{
	flows[LATH_FLOW_POOL_IPV4] = cfg->system.flows_per_worker;
	flows[LATH_FLOW_POOL_MIXED] = cfg->system.mixed_flows_per_worker;
}

/* ---- is it there? --------------------------------------------------------------------------- */

static uint64_t
available_bytes(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	uint64_t kib = 0;
	char line[128];

	if (file == NULL)
		return UINT64_MAX;
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "MemAvailable: %" SCNu64 " kB", &kib) == 1)
			break;
	fclose(file);
	return kib == 0 ? UINT64_MAX : kib * 1024;
}

/* Pages of every size that nobody has taken. EAL takes them when its heap grows. */
static uint64_t
free_pages_bytes(void)
{
	static const char folder[] = "/sys/kernel/mm/hugepages";
	DIR *dir = opendir(folder);
	struct dirent *entry;
	uint64_t bytes = 0;

	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL) {
		char path[sizeof(folder) + 300];
		uint64_t kib;
		uint64_t pages;
		FILE *file;

		if (sscanf(entry->d_name, "hugepages-%" SCNu64 "kB", &kib) != 1)
			continue;
		snprintf(path, sizeof(path), "%s/%s/free_hugepages", folder, entry->d_name);
		file = fopen(path, "re");
		if (file == NULL)
			continue;
		if (fscanf(file, "%" SCNu64, &pages) == 1)
			bytes += pages * kib * 1024;
		fclose(file);
	}
	closedir(dir);
	return bytes;
}

static uint64_t
huge_free_bytes(void)
{
	struct rte_malloc_socket_stats stats;
	uint64_t bytes = free_pages_bytes();

	for (int socket = 0; socket < (int)LATH_SNAPSHOT_NODES_MAX; socket++)
		if (rte_malloc_get_socket_stats(socket, &stats) == 0)
			bytes += stats.heap_freesz_bytes;
	return bytes;
}

int
memory_check(const struct gateway *gateway, const struct lath_config *cfg, struct lath_error *err)
{
	uint64_t need = 0;
	uint64_t have = cfg->system.hugepages ? huge_free_bytes() : available_bytes();

	for (uint32_t w = 0; w < cfg->system.worker_count; w++) {
		struct lath_worker_options options = {
				.index = w,
				.neighbors = cfg->system.max_neighbors,
				.limits = gateway->limits,
		};

		memory_flows(cfg, options.flows);
		need += lath_worker_memory(&gateway->plane, &options);
	}
	fprintf(stderr,
			"lathd: tables of %u workers take %" PRIu64 " MiB of %s, %" PRIu64
			" MiB are there\n",
			cfg->system.worker_count, need >> 20,
			cfg->system.hugepages ? "hugepages" : "memory", have >> 20);
	if (need <= have)
		return 0;
	lath_error_set(err, "/system/memory",
			"%u workers of %u flows need %" PRIu64 " MiB of %s and %" PRIu64
			" MiB are free; lower flowsPerWorker or give it more (dpdk-hugepages.py)",
			cfg->system.worker_count, cfg->system.flows_per_worker, need >> 20,
			cfg->system.hugepages ? "hugepages" : "memory", have >> 20);
	return lath_err(ENOMEM);
}
