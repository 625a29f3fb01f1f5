/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Flows that are named by a number: its two keys follow from it, so a test needs no list of keys.
 * Numbers below 2^31 give keys that are all different.
 */
#pragma once

#include <lath_flow.h>

#include "lath_test.h"

#define KIT_ID_PREFIX (UINT64_C(3) << 56 | UINT64_C(7) << 48)

static inline void
kit_table(struct lath_flow_table *table, const uint32_t capacity[2], uint64_t *random)
{
	struct lath_siphash_key key = {lath_random_next(random), lath_random_next(random)};

	assert_int_equal(lath_flow_init(table, capacity, key, KIT_ID_PREFIX, 0, &lath_heap), 0);
}

/* Of a half: twice the flow's number and the direction. An odd factor keeps them different. */
static inline struct lath_key4
kit_key4(uint32_t half)
{
	uint64_t noise = half;

	return (struct lath_key4){
			.src_be = lath_to_be32(half * 0x9e3779b1u),
			.dst_be = lath_to_be32((uint32_t)lath_random_next(&noise)),
			.src_port_be = lath_to_be16((uint16_t)lath_random_next(&noise)),
			.dst_port_be = lath_to_be16((uint16_t)lath_random_next(&noise)),
			.proto_vpc = lath_key_proto_vpc(LATH_PROTO_TCP, half & 1),
	};
}

static inline struct lath_key6
kit_key6(uint32_t half)
{
	struct lath_key4 key4 = kit_key4(half);
	struct lath_key6 key = {
			.src = {0xfd, 1},
			.dst = {0xfd, 2},
			.src_port_be = key4.src_port_be,
			.dst_port_be = key4.dst_port_be,
			.proto_vpc = key4.proto_vpc,
	};

	memcpy(key.src + 12, &key4.src_be, 4);
	memcpy(key.dst + 12, &key4.dst_be, 4);
	return key;
}

/* Mixed flows come in three kinds: 6 in 4 back, 4 in 6 back, 6 both ways. */
static inline bool
kit_is_v6(uint32_t id, unsigned direction)
{
	return id % 3 == 2 || id % 3 == direction;
}

/* Gives one half the key of flow `id` in that direction. */
static inline void
kit_fill_half(const struct lath_flow_table *table, lath_flow_ref_t ref, uint32_t id)
{
	unsigned direction = ref & 1;
	uint32_t number = id * 2 + direction;
	struct lath_half_mixed *half;

	if (!lath_flow_is_mixed(ref)) {
		lath_flow4_at(table, ref)->half[direction].key = kit_key4(number);
		return;
	}
	half = &lath_flow_mixed_at(table, ref)->half[direction];
	if (kit_is_v6(id, direction)) {
		half->family_in = LATH_FAMILY_IPV6;
		half->key6 = kit_key6(number);
	} else {
		half->family_in = LATH_FAMILY_IPV4;
		half->key4 = kit_key4(number);
	}
}

static inline void
kit_fill(const struct lath_flow_table *table, lath_flow_ref_t ref, uint32_t id)
{
	kit_fill_half(table, ref, id);
	kit_fill_half(table, ref | LATH_FLOW_REVERSE, id);
}

static inline lath_flow_ref_t
kit_find(const struct lath_flow_table *table, uint32_t id, unsigned direction, bool mixed)
{
	if (mixed && kit_is_v6(id, direction)) {
		struct lath_key6 key = kit_key6(id * 2 + direction);

		return lath_flow_find6(table, &key, lath_flow_hash6(table, &key));
	} else {
		struct lath_key4 key = kit_key4(id * 2 + direction);

		return lath_flow_find4(table, &key, lath_flow_hash4(table, &key));
	}
}

static inline void
kit_assert_found(const struct lath_flow_table *table, lath_flow_ref_t ref, uint32_t id, bool mixed)
{
	for (unsigned direction = 0; direction < 2; direction++)
		if (kit_find(table, id, direction, mixed) != (ref | direction))
			fail_msg("flow %u, direction %u: not where it was put", id, direction);
}

static inline void
kit_assert_absent(const struct lath_flow_table *table, uint32_t id, bool mixed)
{
	for (unsigned direction = 0; direction < 2; direction++)
		if (kit_find(table, id, direction, mixed) != LATH_FLOW_NONE)
			fail_msg("flow %u, direction %u: still there", id, direction);
}

/* Keys that live in their second bucket, as the home buckets count them. */
static inline uint32_t
kit_moved(const struct lath_flow_table *table)
{
	uint32_t moved = 0;

	for (uint32_t i = 0; i <= table->bucket_mask; i++)
		moved += table->buckets[i].moved;
	return moved;
}
