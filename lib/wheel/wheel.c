/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * A hierarchical timing wheel (Varghese and Lauck, SOSP 1987, scheme 7) of 64 slots of 1 s, 64 of
 * 64 s and 64 of 4,096 s: three days. What lies beyond is parked in the farthest slot and placed
 * again when its turn comes.
 *
 *     level 0   due within 63 slots      list = slot number, bits 0..5
 *     level 1   within 4,095             list = bits 6..11
 *     level 2   within 262,143           list = bits 12..17
 *
 * Slots are counted from the start and not derived from ticks: 2^32 ticks are no whole number of
 * seconds, the slot counter wraps cleanly. A deadline becomes a slot by its distance from the tick
 * of the slot in hand, rounded up, so nothing is ever early.
 *
 * When the slot in hand becomes a multiple of 64, the list of level 1 for the next 64 slots has to
 * come down (of 4,096: that of level 2 as well). The list is not walked at once, which could be
 * millions of entries: it is hung, in one move, on the list "coming down" of its level, and
 * expire() places a few of its entries in each call. The slot does not advance before these lists
 * are empty. So a placement needs no thought about half-moved lists: it looks at the deadline and
 * the slot in hand only. Those lists stand behind the levels' own, one a level; that of level 0
 * holds what is due now.
 *
 * Lists are doubly linked so that an entry can leave from anywhere. The first entry's `prev` names
 * its list: HEAD_FLAG and the list's number.
 *
 * A moving timer per packet (insert and remove for each) is not the use: callers keep a tick in
 * the entry, and insert again when a due entry turns out to have been used since.
 */

#include <assert.h>
#include <string.h>

#include "lath_wheel.h"

#define HEAD_FLAG 0x80000000u
#define SLOT_MASK (LATH_WHEEL_LEVEL_SLOTS - 1)
#define HORIZON_SLOTS (1u << (LATH_WHEEL_LEVELS * LATH_WHEEL_LEVEL_BITS))
#define DUE_LIST LATH_WHEEL_LISTS

static struct lath_wheel_link *
link_of(const struct lath_wheel *wheel, uint32_t idx)
{
	return (struct lath_wheel_link *)((char *)wheel->first_link + (size_t)idx * wheel->stride);
}

static void
push(struct lath_wheel *wheel, uint32_t list, uint32_t idx)
{
	struct lath_wheel_link *entry = link_of(wheel, idx);

	entry->next = wheel->heads[list];
	entry->prev = HEAD_FLAG | list;
	if (entry->next != LATH_WHEEL_END)
		link_of(wheel, entry->next)->prev = idx;
	wheel->heads[list] = idx;
	wheel->count++;
}

static void
unlink_entry(struct lath_wheel *wheel, uint32_t idx)
{
	struct lath_wheel_link *entry = link_of(wheel, idx);

	if ((entry->prev & HEAD_FLAG) != 0)
		wheel->heads[entry->prev & ~HEAD_FLAG] = entry->next;
	else
		link_of(wheel, entry->prev)->next = entry->next;
	if (entry->next != LATH_WHEEL_END)
		link_of(wheel, entry->next)->prev = entry->prev;
	entry->next = LATH_WHEEL_END;
	entry->prev = LATH_WHEEL_END;
	wheel->count--;
}

/* Hangs a whole list under another, empty head. */
static void
move_list(struct lath_wheel *wheel, uint32_t from, uint32_t to)
{
	uint32_t first = wheel->heads[from];

	assert(wheel->heads[to] == LATH_WHEEL_END);
	wheel->heads[from] = LATH_WHEEL_END;
	wheel->heads[to] = first;
	if (first != LATH_WHEEL_END)
		link_of(wheel, first)->prev = HEAD_FLAG | to;
}

/* The list a deadline belongs to as of the slot in hand. A level's list for the current position
 * has just come down, so a distance of a whole turn lands there safely.
 */
static uint32_t
list_for(const struct lath_wheel *wheel, lath_tick_t deadline)
{
	uint32_t distance_ticks = deadline - wheel->slot_tick;
	uint32_t distance;
	uint32_t level = 0;

	if (lath_tick_reached(wheel->slot_tick, deadline))
		return DUE_LIST;
	distance = (distance_ticks + LATH_WHEEL_SLOT_TICKS - 1) / LATH_WHEEL_SLOT_TICKS;
	distance = lath_min_u32(distance, HORIZON_SLOTS - 1);
	while (distance >> ((level + 1) * LATH_WHEEL_LEVEL_BITS) != 0)
		level++;
	return level * LATH_WHEEL_LEVEL_SLOTS +
			((wheel->slot + distance) >> (level * LATH_WHEEL_LEVEL_BITS) & SLOT_MASK);
}

void
lath_wheel_init(struct lath_wheel *wheel, void *first_link, size_t stride, lath_tick_t now)
{
	*wheel = (struct lath_wheel){
			.first_link = first_link,
			.stride = stride,
			.slot_tick = now,
	};
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(wheel->heads); i++)
		wheel->heads[i] = LATH_WHEEL_END;
}

void
lath_wheel_insert(struct lath_wheel *wheel, uint32_t idx, lath_tick_t deadline)
{
	assert(idx <= LATH_WHEEL_IDX_MAX);
	link_of(wheel, idx)->deadline = deadline;
	push(wheel, list_for(wheel, deadline), idx);
}

void
lath_wheel_remove(struct lath_wheel *wheel, uint32_t idx)
{
	assert(link_of(wheel, idx)->prev != LATH_WHEEL_END);
	unlink_entry(wheel, idx);
}

/* Moves to the next slot and hangs what must come down on the lists behind the levels' own. */
static void
advance(struct lath_wheel *wheel)
{
	wheel->slot++;
	wheel->slot_tick += LATH_WHEEL_SLOT_TICKS;
	for (uint32_t level = 0; level < LATH_WHEEL_LEVELS; level++) {
		uint32_t shift = level * LATH_WHEEL_LEVEL_BITS;
		uint32_t position = wheel->slot >> shift & SLOT_MASK;

		move_list(wheel, level * LATH_WHEEL_LEVEL_SLOTS + position, DUE_LIST + level);
		if (position != 0)
			break;
	}
}

/* Places one entry that is coming down. False when there is none. */
static bool
bring_down(struct lath_wheel *wheel)
{
	for (uint32_t level = 1; level < LATH_WHEEL_LEVELS; level++) {
		uint32_t idx = wheel->heads[DUE_LIST + level];

		if (idx == LATH_WHEEL_END)
			continue;
		unlink_entry(wheel, idx);
		push(wheel, list_for(wheel, link_of(wheel, idx)->deadline), idx);
		return true;
	}
	return false;
}

/* With nothing linked, time may pass in one step. */
static void
skip_to(struct lath_wheel *wheel, lath_tick_t now)
{
	uint32_t slots;

	if (!lath_tick_reached(now, wheel->slot_tick))
		return;
	slots = (now - wheel->slot_tick) / LATH_WHEEL_SLOT_TICKS;
	wheel->slot += slots;
	wheel->slot_tick += slots * LATH_WHEEL_SLOT_TICKS;
}

unsigned
lath_wheel_expire(struct lath_wheel *wheel, lath_tick_t now, uint32_t *out, unsigned max_out,
		unsigned max_steps)
{
	unsigned count = 0;

	for (unsigned steps = 0; steps < max_steps; steps++) {
		uint32_t due = wheel->heads[DUE_LIST];

		if (wheel->count == 0) {
			skip_to(wheel, now);
			break;
		}
		if (due != LATH_WHEEL_END) {
			if (count == max_out)
				break;
			unlink_entry(wheel, due);
			out[count++] = due;
			continue;
		}
		if (bring_down(wheel))
			continue;
		if (!lath_tick_reached(now, wheel->slot_tick + LATH_WHEEL_SLOT_TICKS))
			break;
		advance(wheel);
	}
	return count;
}
