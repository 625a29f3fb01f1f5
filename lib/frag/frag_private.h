/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * What the files of lib/frag share: which bytes of a datagram have come, and which VPC has most.
 */
#pragma once

#include "lath_frag.h"

#define FRAG_NONE UINT32_MAX

/* ---- range.c ------------------------------------------------------------------------------ */

#define RANGES_MAX 8u /* runs of bytes with gaps between them */

/* Units of 8 bytes, [start, end). */
struct range {
	uint16_t start;
	uint16_t end;
};

struct ranges {
	struct range runs[RANGES_MAX]; /* by start, never touching */
	uint32_t total;                /* bytes, known from the last fragment; 0: not yet */
	uint8_t count;
};

enum range_add {
	RANGE_NEW,
	RANGE_DUPLICATE, /* nothing new in it */
	RANGE_OVERLAP,   /* partly new, or against what is known of the end */
	RANGE_FULL,      /* one gap too many */
};

/* Notes a fragment; changes nothing but on RANGE_NEW. */
enum range_add lath_frag_ranges_add(struct ranges *ranges, uint32_t offset, uint32_t len,
		bool more);

/* Whether the whole datagram has come. */
bool lath_frag_ranges_complete(const struct ranges *ranges);

/* ---- rank.c ------------------------------------------------------------------------------- */

/* A VPC's place among those that have as many; count 0: in no list. */
struct rank_link {
	uint32_t count;
	uint32_t prev;
	uint32_t next;
};

/* VPCs by how many they have of one thing. */
struct rank {
	uint32_t *heads;         /* by count, 0..max */
	struct rank_link *links; /* by VPC */
	uint32_t top;            /* the greatest count that a VPC has */
	uint32_t all;
};

void lath_frag_rank_add(struct rank *rank, uint32_t vpc);
void lath_frag_rank_remove(struct rank *rank, uint32_t vpc);

/* Who gives when `vpc` wants one more: `vpc` at its own bound; at the whole's bound a VPC that has
 * most, `vpc` if it is one of those. FRAG_NONE: there is room.
 */
uint32_t lath_frag_rank_payer(const struct rank *rank, uint32_t vpc, uint32_t vpc_max,
		uint32_t max);

/* ---- the table ---------------------------------------------------------------------------- */

#define ENDED_PER_CALL 3u /* its own of old, one for a datagram's room, one for a fragment's */

struct frag_key {
	uint64_t words[5];
};

struct list {
	uint32_t head;
	uint32_t tail;
};

struct links {
	uint32_t prev;
	uint32_t next;
};

enum list_kind {
	LIST_WAITING, /* for the first fragment: each holds at least one */
	LIST_OTHERS,
	LIST_KIND_COUNT,
};

/* Lines: two of 64 bytes; `chain` is the list of free ones as well. */
struct datagram {
	struct frag_key key;
	uint32_t chain;
	lath_tick_t started;
	struct lath_frag_list held;
	lath_be16_t src_port_be;
	lath_be16_t dst_port_be;
	uint16_t held_count;
	uint8_t proto;
	uint8_t drop; /* enum lath_drop: broke a rule; nothing of it passes any more */
	struct ranges ranges;
	struct links by_age;
	struct links in_vpc;
} LATH_ALIGNED(LATH_CACHE_LINE);

struct node {
	void *handle;
	uint32_t next;
	uint8_t drop; /* enum lath_drop */
};

struct vpc_lists {
	struct list of[LIST_KIND_COUNT];
};

struct lath_frag_table {
	struct lath_frag_limits limits;
	struct lath_siphash_key key;
	const struct lath_allocator *allocator;
	size_t size;
	lath_tick_t timeout;
	uint32_t bucket_mask;
	uint32_t free_datagram;
	uint32_t free_node;
	struct list by_age;
	struct rank datagrams;
	struct rank held;
	struct datagram *entries;
	struct node *nodes;
	uint32_t *buckets;
	struct vpc_lists *vpcs;
};

_Static_assert(sizeof(struct datagram) == 2 * LATH_CACHE_LINE,
		"the key and what looks for it first");
_Static_assert(offsetof(struct datagram, ranges) == LATH_CACHE_LINE, "the second line");
