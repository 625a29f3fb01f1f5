/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * A table, after "tuple space search" (Srinivasan, Suri, Varghese, SIGCOMM 1999, section 3): a
 * *tuple* is a protocol and a prefix length (or "a VPC") that some rule has. A packet's peer, cut to
 * that length, is looked up in one hash table for all of them; what is found is a *node*, all the
 * rules of that very prefix and protocol, as *spans* of ports: where a span begins and the first
 * rule that holds in it.
 *
 *   tuples --mask--> slots --node--> spans --binary search--> number, allows
 *   by lowest number: no more is looked at once the rest cannot have a lower one
 *
 * Why not rte_acl: it needs EAL where a policy must be pure, its trie for 10,000 rules takes tens of
 * megabytes and is built anew as a whole, and first packets are not classified in bulk. Why not bit
 * vectors: linear in rules. Cost: a probe a tuple, 33 prefix lengths at most for IPv4, usually four
 * or five. Memory: linear in rules.
 */
#pragma once

#include "lath_acl.h"

enum kind {
	KIND_V4,
	KIND_V6,
	KIND_VPC,
};

struct tuple {
	uint32_t lowest; /* number of its first rule */
	uint8_t protocol;
	uint8_t kind; /* enum kind */
	uint8_t bits;
	uint8_t reserved;
};

struct slot {
	uint64_t key[2];
	uint32_t tuple; /* LATH_ACL_NONE: empty */
	uint32_t first; /* span */
	uint32_t count;
	uint32_t reserved;
};

#define SPAN_NONE UINT32_MAX

struct span {
	uint32_t begin; /* first port */
	uint32_t rule;  /* number << 1 | allows, or SPAN_NONE */
};

struct lath_acl {
	uint32_t size;
	uint32_t tuple_count;
	uint32_t slot_mask;
	uint32_t span_count;
	uint32_t tuples; /* offsets */
	uint32_t slots;
	uint32_t spans;
	uint32_t reserved;
};

/* The peer as a key of a tuple. */
static inline void
key_of(const struct tuple *tuple, const struct lath_ip *ip, uint32_t vpc, uint64_t key[2])
{
	if (tuple->kind == KIND_VPC) {
		key[0] = vpc;
		key[1] = 0;
		return;
	}
	memcpy(key, ip->bytes, 16);
	/* Network order: the first bits of an address are the high bits of a swapped word. */
	if (tuple->bits < 64) {
		key[0] &= tuple->bits == 0 ? 0
					   : __builtin_bswap64(~UINT64_C(0) << (64 - tuple->bits));
		key[1] = 0;
	} else if (tuple->bits < 128) {
		key[1] &= tuple->bits == 64
				? 0
				: __builtin_bswap64(~UINT64_C(0) << (128 - tuple->bits));
	}
}

/* The table holds what is configured: a sender chooses where it looks, not how long runs are. */
static inline uint32_t
hash_of(const uint64_t key[2], uint32_t tuple)
{
	uint64_t hash = (key[0] ^ tuple) * UINT64_C(0x9e3779b97f4a7c15);

	hash = (hash ^ (hash >> 32) ^ key[1]) * UINT64_C(0xbf58476d1ce4e5b9);
	return (uint32_t)(hash >> 32);
}
