/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * A hierarchical timer wheel over indexes, with a bound on the work of every call. The links live
 * in the caller's entries; the wheel is about 0.8 KiB and allocates nothing. One owner, no lock;
 * time is an argument. It calls nobody back: due indexes are handed out in an array.
 */
#pragma once

#include <lath_base.h>

#define LATH_WHEEL_SLOT_TICKS LATH_TICKS_PER_SECOND /* granularity: 1 s */
#define LATH_WHEEL_LEVELS 3u
#define LATH_WHEEL_LEVEL_BITS 6u
#define LATH_WHEEL_LEVEL_SLOTS (1u << LATH_WHEEL_LEVEL_BITS)
#define LATH_WHEEL_LISTS (LATH_WHEEL_LEVELS * LATH_WHEEL_LEVEL_SLOTS)

#define LATH_WHEEL_IDX_MAX 0x7fffffffu
#define LATH_WHEEL_END UINT32_MAX /* empty list, end of a list, and `prev` of an unlinked entry */

/* In the caller's entry, at the same offset of each; the wheel alone reads and writes it. */
struct lath_wheel_link {
	uint32_t next;
	uint32_t prev;
	lath_tick_t deadline;
};

struct lath_wheel {
	void *first_link;
	size_t stride;
	uint32_t count;        /* entries linked */
	uint32_t slot;         /* number of the slot in hand; wraps */
	lath_tick_t slot_tick; /* the tick that slot stands for */
	uint32_t reserved;
	uint32_t heads[LATH_WHEEL_LISTS + LATH_WHEEL_LEVELS]; /* the last ones: see wheel.c */
};

/**
 * @param first_link the link of entry 0 (borrowed as long as the wheel lives).
 * @param stride bytes from the link of one entry to the next one's.
 * @thread any, one owner
 */
void lath_wheel_init(struct lath_wheel *wheel, void *first_link, size_t stride, lath_tick_t now);

/** Links entry `idx` (not linked now, <= LATH_WHEEL_IDX_MAX), due at `deadline`: past or up to
 *  2^31 - 1 ticks from the last expire(), any distance works. @thread any, one owner
 */
void lath_wheel_insert(struct lath_wheel *wheel, uint32_t idx, lath_tick_t deadline);

/** Unlinks entry `idx`, which is linked. @thread any, one owner */
void lath_wheel_remove(struct lath_wheel *wheel, uint32_t idx);

/**
 * Unlinks due entries and writes their indexes, never before their deadline and at most one slot
 * (1 s) after, plus what an earlier call's bounds left behind. Order within that is not defined.
 * @param max_steps bound on entries touched (handed out or moved between levels) plus slots
 * advanced; the next call goes on from there.
 * @return how many indexes were written, at most max_out.
 * @thread any, one owner
 */
unsigned lath_wheel_expire(struct lath_wheel *wheel, lath_tick_t now, uint32_t *out,
		unsigned max_out, unsigned max_steps);
