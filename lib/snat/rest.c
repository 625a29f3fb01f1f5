/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Ports that rest, first in first out. A record is in two lists of its kind (short, TIME_WAIT):
 * the worker's, whose head is the next to be let go, and its pool's, whose head is taken early
 * when the pool has nothing else. All of a kind rest equally long, so the worker's head is always
 * the head of its own pool's list too. When no record is left, the oldest of all is let go early.
 */

#include "snat_private.h"

#define EARLY_TRIES 64u

static void
list_remove(struct lath_snat *snat, uint32_t idx)
{
	struct lath_snat_rested *record = &snat->resting[idx];
	struct lath_snat_list *list = &snat->rested[record->rest];

	if (record->prev == SNAT_END)
		list->first = record->next;
	else
		snat->resting[record->prev].next = record->next;
	if (record->next == SNAT_END)
		list->last = record->prev;
	else
		snat->resting[record->next].prev = record->prev;
}

/* Takes the head of a pool's list out of both lists and frees the record, which may be read until
 * the next one is begun.
 */
static const struct lath_snat_rested *
pop(struct lath_snat *snat, struct lath_snat_pool *pool, enum lath_snat_rest rest)
{
	uint32_t idx = pool->rested[rest].first;
	struct lath_snat_rested *record = &snat->resting[idx];

	pool->rested[rest].first = record->pool_next;
	if (record->pool_next == SNAT_END)
		pool->rested[rest].last = SNAT_END;
	list_remove(snat, idx);
	record->next = snat->free_resting;
	snat->free_resting = idx;
	snat->resting_count--;
	pool->resting--;
	return record;
}

/* Lets the head of the worker's list go: its port is free. */
static void
let_go(struct lath_snat *snat, enum lath_snat_rest rest)
{
	uint32_t pool_idx = snat->resting[snat->rested[rest].first].pool;
	struct lath_snat_pool *pool = &snat->pools[pool_idx];

	lath_snat_pool_clear(pool, pop(snat, pool, rest)->index);
	lath_snat_pool_release(snat, pool_idx);
}

/* The kind whose head was freed first; LATH_SNAT_REST_COUNT when both lists are empty. */
static enum lath_snat_rest
older_head(const struct lath_snat *snat, const struct lath_snat_list *lists)
{
	uint32_t a = lists[LATH_SNAT_REST_SHORT].first;
	uint32_t b = lists[LATH_SNAT_REST_TIME_WAIT].first;

	if (a == SNAT_END)
		return b == SNAT_END ? LATH_SNAT_REST_COUNT : LATH_SNAT_REST_TIME_WAIT;
	if (b == SNAT_END)
		return LATH_SNAT_REST_SHORT;
	return lath_tick_reached(snat->resting[b].freed, snat->resting[a].freed)
			? LATH_SNAT_REST_SHORT
			: LATH_SNAT_REST_TIME_WAIT;
}

void
lath_snat_rest_begin(struct lath_snat *snat, uint32_t pool_idx, uint16_t port,
		enum lath_snat_rest rest, lath_tick_t now)
{
	struct lath_snat_pool *pool = &snat->pools[pool_idx];
	uint32_t index = lath_snat_port_index(snat, pool, port);
	struct lath_snat_rested *record;
	uint32_t idx;

	/* Counted before a record is made free, so that the pool itself cannot go meanwhile. */
	pool->resting++;
	if (snat->free_resting == SNAT_END) {
		enum lath_snat_rest oldest = older_head(snat, snat->rested);

		if (oldest == LATH_SNAT_REST_COUNT) { /* room for none at all */
			pool->resting--;
			lath_snat_pool_clear(pool, index);
			lath_snat_pool_release(snat, pool_idx);
			return;
		}
		let_go(snat, oldest);
	}
	idx = snat->free_resting;
	record = &snat->resting[idx];
	snat->free_resting = record->next;
	*record = (struct lath_snat_rested){
			.pool = pool_idx,
			.port = port,
			.index = (uint16_t)index,
			.rest = (uint8_t)rest,
			.freed = now,
			.next = SNAT_END,
			.prev = snat->rested[rest].last,
			.pool_next = SNAT_END,
	};
	if (record->prev == SNAT_END)
		snat->rested[rest].first = idx;
	else
		snat->resting[record->prev].next = idx;
	snat->rested[rest].last = idx;
	if (pool->rested[rest].last == SNAT_END)
		pool->rested[rest].first = idx;
	else
		snat->resting[pool->rested[rest].last].pool_next = idx;
	pool->rested[rest].last = idx;
	snat->resting_count++;
	lath_snat_pool_mark(pool, index); /* it may date from before the bitmap */
}

bool
lath_snat_rest_holds(const struct lath_snat *snat, const struct lath_snat_pool *pool, uint16_t port)
{
	for (unsigned rest = 0; rest < LATH_SNAT_REST_COUNT; rest++) {
		uint32_t idx = pool->rested[rest].first;

		/* Longer lists than this only stand in pools that wanted a bitmap and got none;
		 * LIMIT: those may use a port that still rests.
		 */
		for (unsigned step = 0; idx != SNAT_END && step < SNAT_SMALL_MAX; step++) {
			if (snat->resting[idx].port == port)
				return true;
			idx = snat->resting[idx].pool_next;
		}
	}
	return false;
}

int
lath_snat_rest_take_oldest(struct lath_snat *snat, struct lath_snat_pool *pool, uint16_t *port)
{
	/* A record may be of a port that was drawn while it rested (see above) and is in use. */
	for (unsigned try = 0; try < EARLY_TRIES; try++) {
		enum lath_snat_rest rest = older_head(snat, pool->rested);

		if (rest == LATH_SNAT_REST_COUNT)
			break;
		*port = pop(snat, pool, rest)->port;
		if (lath_snat_port_is_free(snat, pool, *port)) {
			snat->reused_early++;
			return 0;
		}
	}
	return lath_err(ENOSPC);
}

void
lath_snat_tick(struct lath_snat *snat, lath_tick_t now, unsigned max)
{
	for (unsigned rest = 0; rest < LATH_SNAT_REST_COUNT; rest++) {
		lath_tick_t ticks = snat->options.rest_ticks[rest];
		unsigned left = max; /* each kind has its own, so that neither waits for the other */

		while (left > 0 && snat->rested[rest].first != SNAT_END) {
			uint32_t idx = snat->rested[rest].first;

			if (!lath_tick_reached(now, snat->resting[idx].freed + ticks))
				break;
			let_go(snat, (enum lath_snat_rest)rest);
			left--;
		}
	}
}

void
lath_snat_set_rest(struct lath_snat *snat, const lath_tick_t rest_ticks[LATH_SNAT_REST_COUNT])
{
	memcpy(snat->options.rest_ticks, rest_ticks, sizeof(snat->options.rest_ticks));
}
