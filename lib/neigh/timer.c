/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Timers: a binary heap of ids by due tick. Rows are few (thousands), due times are of every
 * distance (200 ms to 10 min) and "when is the next?" is asked each loop, so a heap rather than
 * lath_wheel. O(log n) each. Ticks wrap: only differences are compared, and no timer is ever
 * planned further than minutes ahead or left overdue for longer.
 */

#include "neigh_private.h"

static bool
is_before(const struct lath_neigh *neigh, uint32_t a, uint32_t b)
{
	lath_tick_t due_a = neigh_node_at(neigh, a)->due;
	lath_tick_t due_b = neigh_node_at(neigh, b)->due;

	return due_a != due_b && lath_tick_reached(due_b, due_a);
}

static void
put_at(struct lath_neigh *neigh, uint32_t place, uint32_t id)
{
	neigh->heap[place] = id;
	neigh_node_at(neigh, id)->place = place;
}

static void
sift_up(struct lath_neigh *neigh, uint32_t place)
{
	uint32_t id = neigh->heap[place];

	while (place > 0 && is_before(neigh, id, neigh->heap[(place - 1) / 2])) {
		put_at(neigh, place, neigh->heap[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	put_at(neigh, place, id);
}

static void
sift_down(struct lath_neigh *neigh, uint32_t place)
{
	uint32_t id = neigh->heap[place];

	for (;;) {
		uint32_t child = 2 * place + 1;

		if (child >= neigh->heap_len)
			break;
		if (child + 1 < neigh->heap_len &&
				is_before(neigh, neigh->heap[child + 1], neigh->heap[child]))
			child++;
		if (!is_before(neigh, neigh->heap[child], id))
			break;
		put_at(neigh, place, neigh->heap[child]);
		place = child;
	}
	put_at(neigh, place, id);
}

void
lath_neigh_timer_set(struct lath_neigh *neigh, uint32_t id, lath_tick_t due)
{
	struct neigh_node *node = neigh_node_at(neigh, id);

	if (node->place == NEIGH_NONE)
		put_at(neigh, neigh->heap_len++, id);
	node->due = due;
	sift_up(neigh, node->place);
	sift_down(neigh, node->place);
}

void
lath_neigh_timer_stop(struct lath_neigh *neigh, uint32_t id)
{
	struct neigh_node *node = neigh_node_at(neigh, id);
	uint32_t place = node->place;
	uint32_t last;

	if (place == NEIGH_NONE)
		return;
	node->place = NEIGH_NONE;
	last = neigh->heap[--neigh->heap_len];
	if (last == id)
		return;
	put_at(neigh, place, last);
	sift_up(neigh, place);
	sift_down(neigh, neigh_node_at(neigh, last)->place);
}
