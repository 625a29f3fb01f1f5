/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "frag_private.h"

/*
 * A list of VPCs for each count. A count changes by one, so a VPC moves to the list beside it, and
 * the greatest count moves by one at most: every operation is a few stores, with any number of
 * VPCs.
 */

static void
leave(struct rank *rank, uint32_t vpc)
{
	const struct rank_link *link = &rank->links[vpc];

	if (link->count == 0)
		return;
	if (link->prev == FRAG_NONE)
		rank->heads[link->count] = link->next;
	else
		rank->links[link->prev].next = link->next;
	if (link->next != FRAG_NONE)
		rank->links[link->next].prev = link->prev;
}

static void
enter(struct rank *rank, uint32_t vpc, uint32_t count)
{
	struct rank_link *link = &rank->links[vpc];

	*link = (struct rank_link){count, FRAG_NONE, FRAG_NONE};
	if (count == 0)
		return;
	link->next = rank->heads[count];
	if (link->next != FRAG_NONE)
		rank->links[link->next].prev = vpc;
	rank->heads[count] = vpc;
}

void
lath_frag_rank_add(struct rank *rank, uint32_t vpc)
{
	uint32_t count = rank->links[vpc].count + 1;

	leave(rank, vpc);
	enter(rank, vpc, count);
	rank->top = lath_max_u32(rank->top, count);
	rank->all++;
}

void
lath_frag_rank_remove(struct rank *rank, uint32_t vpc)
{
	uint32_t count = rank->links[vpc].count - 1;

	leave(rank, vpc);
	enter(rank, vpc, count);
	if (rank->top == count + 1 && rank->heads[rank->top] == FRAG_NONE)
		rank->top--;
	rank->all--;
}

uint32_t
lath_frag_rank_payer(const struct rank *rank, uint32_t vpc, uint32_t vpc_max, uint32_t max)
{
	uint32_t count = rank->links[vpc].count;

	if (count >= vpc_max)
		return vpc;
	if (rank->all < max)
		return FRAG_NONE;
	return count == rank->top ? vpc : rank->heads[rank->top];
}
