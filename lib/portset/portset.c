/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Two levels of bitmaps, a set bit is a free index. A bit of the summary says that its word of the
 * lower level has a free index left:
 *
 *     summary   [ 64 words a bit word ]   16 words at most
 *     bits      [ 64 indexes a word   ]   1,024 words at most
 *
 * A search looks at the start's own word, then at summary words: 2 + 16 word reads at the very
 * worst for 65,536 indexes, usually one. A free-list is O(1) too but takes 16 times the memory and
 * cannot begin at a random place, which RFC 6056 section 3.3 wants of source ports.
 */

#include <assert.h>
#include <string.h>

#include "lath_portset.h"

#define SUMMARY_WORDS (LATH_PORTSET_MAX / 64 / 64)

struct lath_portset {
	uint32_t count;
	uint32_t free_count;
	uint64_t summary[SUMMARY_WORDS];
	uint64_t bits[];
};

static size_t
word_count(unsigned n)
{
	return (n + 63) / 64;
}

size_t
lath_portset_size(unsigned n)
{
	return sizeof(struct lath_portset) + word_count(n) * sizeof(uint64_t);
}

struct lath_portset *
lath_portset_init(void *memory, unsigned n)
{
	struct lath_portset *set = memory;
	size_t words = word_count(n);

	assert(n <= LATH_PORTSET_MAX);
	memset(set, 0, sizeof(*set));
	set->count = n;
	set->free_count = n;
	for (size_t i = 0; i < words; i++) {
		set->bits[i] = UINT64_MAX;
		set->summary[i / 64] |= UINT64_C(1) << (i % 64);
	}
	if (n % 64 != 0)
		set->bits[words - 1] = (UINT64_C(1) << (n % 64)) - 1;
	return set;
}

/* The first free index >= start, or -1. */
static int
find_from(const struct lath_portset *set, uint32_t start)
{
	uint32_t word = start / 64;
	uint32_t group = word / 64;
	uint64_t left = set->bits[word] & (UINT64_MAX << (start % 64));

	if (left != 0)
		return (int)(word * 64 + (uint32_t)__builtin_ctzll(left));
	/* The words after this one: all ones above its bit, none when it is the last of 64. */
	left = set->summary[group] & ((UINT64_MAX << (word % 64)) << 1);
	while (left == 0) {
		if (++group == SUMMARY_WORDS)
			return -1;
		left = set->summary[group];
	}
	word = group * 64 + (uint32_t)__builtin_ctzll(left);
	return (int)(word * 64 + (uint32_t)__builtin_ctzll(set->bits[word]));
}

static void
take(struct lath_portset *set, uint32_t idx)
{
	uint32_t word = idx / 64;

	set->bits[word] &= ~(UINT64_C(1) << (idx % 64));
	if (set->bits[word] == 0)
		set->summary[word / 64] &= ~(UINT64_C(1) << (word % 64));
	set->free_count--;
}

void
lath_portset_prefetch(const struct lath_portset *set, uint32_t start)
{
	__builtin_prefetch(&set->bits[start / 64], 1);
}

int
lath_portset_peek(const struct lath_portset *set, uint32_t start)
{
	int idx;

	if (set->free_count == 0)
		return lath_err(ENOSPC);
	idx = find_from(set, start % set->count);
	return idx >= 0 ? idx : find_from(set, 0); /* cannot fail: something is free */
}

int
lath_portset_take(struct lath_portset *set, uint32_t start)
{
	int idx = lath_portset_peek(set, start);

	if (idx >= 0)
		take(set, (uint32_t)idx);
	return idx;
}

int
lath_portset_take_at(struct lath_portset *set, uint32_t idx)
{
	if (idx >= set->count)
		return lath_err(EINVAL);
	if (!lath_portset_is_free(set, idx))
		return lath_err(EBUSY);
	take(set, idx);
	return 0;
}

void
lath_portset_put(struct lath_portset *set, uint32_t idx)
{
	uint32_t word = idx / 64;

	assert(idx < set->count && !lath_portset_is_free(set, idx));
	set->bits[word] |= UINT64_C(1) << (idx % 64);
	set->summary[word / 64] |= UINT64_C(1) << (word % 64);
	set->free_count++;
}

bool
lath_portset_is_free(const struct lath_portset *set, uint32_t idx)
{
	return idx < set->count && (set->bits[idx / 64] >> (idx % 64) & 1) != 0;
}

unsigned
lath_portset_free_count(const struct lath_portset *set)
{
	return set->free_count;
}
