/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * One pointer that management publishes and workers read, and the grace period after which the
 * old one may be freed (RCU by quiescent states, rte_rcu_qsbr). Workers never wait; management
 * asks whether the grace period is over and comes back later if it is not.
 *
 * One pointer per NUMA node, one grace period for all of them.
 */
#pragma once

#include <stdatomic.h>

#include <lath_base.h>

#define LATH_SNAPSHOT_NODES_MAX 8u

struct rte_rcu_qsbr;

struct lath_snapshot {
	_Atomic(const void *) current[LATH_SNAPSHOT_NODES_MAX]; /* mgmt: rw, dp: ro */
	struct rte_rcu_qsbr *qsbr;
};

/** Ready for `readers` workers, numbered from 0. -ENOMEM. @thread init */
int lath_snapshot_init(struct lath_snapshot *snapshot, unsigned readers);

/** Accepts a zeroed one. The pointers are the caller's. @thread init */
void lath_snapshot_fini(struct lath_snapshot *snapshot);

/** Publishes `next` on `node` and returns the pointer it replaces, which readers may still hold.
 *  @thread mgmt
 */
const void *lath_snapshot_publish(struct lath_snapshot *snapshot, unsigned node, const void *next);

/** Begins a grace period; pass the result to lath_snapshot_over(). @thread mgmt */
uint64_t lath_snapshot_begin(struct lath_snapshot *snapshot);

/** True when every reader has passed a quiescent state since `period` began. @thread mgmt */
bool lath_snapshot_over(struct lath_snapshot *snapshot, uint64_t period);

/** The current pointer; valid until the reader's next quiescent state. @thread dp */
static inline const void *
lath_snapshot_read(const struct lath_snapshot *snapshot, unsigned node)
{
	/* Pairs with the release in lath_snapshot_publish(). */
	return atomic_load_explicit(&snapshot->current[node], memory_order_acquire);
}

/** The reader begins to read. @thread dp */
void lath_snapshot_online(struct lath_snapshot *snapshot, unsigned reader);

/** The reader holds nothing and will not read until online again: before it sleeps. @thread dp */
void lath_snapshot_offline(struct lath_snapshot *snapshot, unsigned reader);

/** The reader holds nothing at this instant: once a loop. @thread dp */
void lath_snapshot_quiescent(struct lath_snapshot *snapshot, unsigned reader);
