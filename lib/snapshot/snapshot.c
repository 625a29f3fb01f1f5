/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

#include "lath_snapshot.h"

int
lath_snapshot_init(struct lath_snapshot *snapshot, unsigned readers)
{
	size_t size = rte_rcu_qsbr_get_memsize(readers);

	for (unsigned node = 0; node < LATH_SNAPSHOT_NODES_MAX; node++)
		atomic_init(&snapshot->current[node], NULL);
	snapshot->qsbr = rte_zmalloc("lath_snapshot", size, LATH_CACHE_LINE);
	if (snapshot->qsbr == NULL)
		return lath_err(ENOMEM);
	if (rte_rcu_qsbr_init(snapshot->qsbr, readers) != 0) {
		lath_snapshot_fini(snapshot);
		return lath_err(EINVAL);
	}
	for (unsigned reader = 0; reader < readers; reader++)
		rte_rcu_qsbr_thread_register(snapshot->qsbr, reader);
	return 0;
}

void
lath_snapshot_fini(struct lath_snapshot *snapshot)
{
	rte_free(snapshot->qsbr);
	snapshot->qsbr = NULL;
}

const void *
lath_snapshot_publish(struct lath_snapshot *snapshot, unsigned node, const void *next)
{
	/* Release: what `next` points to is written before the pointer is seen. Pairs with the
	 * acquire in lath_snapshot_read(); acquire here for the old pointer's sake.
	 */
	return atomic_exchange_explicit(&snapshot->current[node], next, memory_order_acq_rel);
}

uint64_t
lath_snapshot_begin(struct lath_snapshot *snapshot)
{
	return rte_rcu_qsbr_start(snapshot->qsbr);
}

bool
lath_snapshot_over(struct lath_snapshot *snapshot, uint64_t period)
{
	return rte_rcu_qsbr_check(snapshot->qsbr, period, false) == 1;
}

void
lath_snapshot_online(struct lath_snapshot *snapshot, unsigned reader)
{
	rte_rcu_qsbr_thread_online(snapshot->qsbr, reader);
}

void
lath_snapshot_offline(struct lath_snapshot *snapshot, unsigned reader)
{
	rte_rcu_qsbr_thread_offline(snapshot->qsbr, reader);
}

void
lath_snapshot_quiescent(struct lath_snapshot *snapshot, unsigned reader)
{
	rte_rcu_qsbr_quiescent(snapshot->qsbr, reader);
}
