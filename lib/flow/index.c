/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * The index: one line a bucket, eight 16-bit tags and eight refs. A key has a home bucket and, by
 * its tag, a second one (partial-key cuckoo hashing: Fan et al., CoNEXT 2014, section 4.2: the
 * second is the first xor a function of the tag, so either is found from the other).
 *
 * A key goes home while there is room, so a hit nearly always costs one bucket line: at the half
 * load that the table is sized for, about one key in forty lives in its second bucket. The home
 * bucket counts those, and a lookup that misses looks further only when the count is not zero.
 * When both buckets are full one of their sixteen keys is moved to its other bucket, if need be after
 * one of that bucket's; when none can move the insert fails (counted by the caller). Sizes are powers
 * of two, so the load of a full table is 40 to 80 %; with single moves one table of 100,000 flows in
 * some hundred could not be filled to the last.
 *
 *     bucket:  tag tag tag tag tag tag tag tag | ref x 8 | moved | -
 *              16 bytes                          32        4       12
 */

#include "flow_private.h"

static uint32_t
other_bucket(const struct lath_flow_table *table, uint32_t bucket, uint16_t tag)
{
	/* Odd, so the two differ; multiplied, so near tags go far apart. */
	return (bucket ^ (tag * 0x9e3779b1u | 1u)) & table->bucket_mask;
}

static inline bool
is_key4(const struct lath_flow_table *table, lath_flow_ref_t ref, const struct lath_key4 *key)
{
	const struct lath_half_mixed *half;

	if (!lath_flow_is_mixed(ref))
		return lath_key4_is(&lath_flow4_at(table, ref)->half[ref & 1].key, key);
	half = &lath_flow_mixed_at(table, ref)->half[ref & 1];
	return half->family_in == LATH_FAMILY_IPV4 && lath_key4_is(&half->key4, key);
}

static inline bool
is_key6(const struct lath_flow_table *table, lath_flow_ref_t ref, const struct lath_key6 *key)
{
	const struct lath_half_mixed *half;

	if (!lath_flow_is_mixed(ref))
		return false;
	half = &lath_flow_mixed_at(table, ref)->half[ref & 1];
	return half->family_in == LATH_FAMILY_IPV6 && memcmp(&half->key6, key, sizeof(*key)) == 0;
}

static lath_flow_ref_t
search4(const struct lath_flow_table *table, const struct lath_flow_bucket *bucket, uint16_t tag,
		const struct lath_key4 *key)
{
	for (uint32_t mask = lath_flow_match_tags(bucket, tag); mask != 0; mask &= mask - 1) {
		lath_flow_ref_t ref = bucket->refs[__builtin_ctz(mask) / 2];

		if (is_key4(table, ref, key))
			return ref;
	}
	return LATH_FLOW_NONE;
}

lath_flow_ref_t
lath_flow_find4(const struct lath_flow_table *table, const struct lath_key4 *key, uint64_t hash)
{
	const struct lath_flow_bucket *home = lath_flow_bucket_of(table, hash);
	uint16_t tag = lath_flow_tag_of(hash);
	lath_flow_ref_t ref = search4(table, home, tag, key);

	if (ref != LATH_FLOW_NONE || home->moved == 0)
		return ref;
	return search4(table, &table->buckets[other_bucket(table, hash & table->bucket_mask, tag)],
			tag, key);
}

void
lath_flow_prefetch(const struct lath_flow_table *table, uint64_t hash)
{
	const struct lath_flow_bucket *home = lath_flow_bucket_of(table, hash);
	uint32_t mask = lath_flow_match_tags(home, lath_flow_tag_of(hash));
	lath_flow_ref_t ref;

	if (mask == 0)
		return;
	ref = home->refs[__builtin_ctz(mask) / 2];
	if (lath_flow_is_mixed(ref))
		__builtin_prefetch(&lath_flow_mixed_at(table, ref)->half[ref & 1]);
	else
		__builtin_prefetch(&lath_flow4_at(table, ref)->half[ref & 1], 1);
}

static lath_flow_ref_t
search6(const struct lath_flow_table *table, const struct lath_flow_bucket *bucket, uint16_t tag,
		const struct lath_key6 *key)
{
	for (uint32_t mask = lath_flow_match_tags(bucket, tag); mask != 0; mask &= mask - 1) {
		lath_flow_ref_t ref = bucket->refs[__builtin_ctz(mask) / 2];

		if (is_key6(table, ref, key))
			return ref;
	}
	return LATH_FLOW_NONE;
}

lath_flow_ref_t
lath_flow_find6(const struct lath_flow_table *table, const struct lath_key6 *key, uint64_t hash)
{
	const struct lath_flow_bucket *home = lath_flow_bucket_of(table, hash);
	uint16_t tag = lath_flow_tag_of(hash);
	lath_flow_ref_t ref = search6(table, home, tag, key);

	if (ref != LATH_FLOW_NONE || home->moved == 0)
		return ref;
	return search6(table, &table->buckets[other_bucket(table, hash & table->bucket_mask, tag)],
			tag, key);
}

uint64_t
lath_flow_index_hash(const struct lath_flow_table *table, lath_flow_ref_t ref)
{
	const struct lath_half_mixed *half;

	if (!lath_flow_is_mixed(ref))
		return lath_flow_hash4(table, &lath_flow4_at(table, ref)->half[ref & 1].key);
	half = &lath_flow_mixed_at(table, ref)->half[ref & 1];
	if (half->family_in == LATH_FAMILY_IPV6)
		return lath_flow_hash6(table, &half->key6);
	return lath_flow_hash4(table, &half->key4);
}

static bool
place(struct lath_flow_bucket *bucket, uint16_t tag, lath_flow_ref_t ref)
{
	uint32_t empty = lath_flow_match_tags(bucket, 0);
	unsigned slot;

	if (empty == 0)
		return false;
	slot = (unsigned)__builtin_ctz(empty) / 2;
	bucket->tags[slot] = tag;
	bucket->refs[slot] = ref;
	return true;
}

/* Moves one key to its other bucket, if that has room. */
static bool
move(struct lath_flow_table *table, uint32_t bucket_idx, unsigned slot)
{
	struct lath_flow_bucket *bucket = &table->buckets[bucket_idx];
	uint16_t tag = bucket->tags[slot];
	lath_flow_ref_t ref = bucket->refs[slot];
	uint32_t home = (uint32_t)(lath_flow_index_hash(table, ref) & table->bucket_mask);

	if (!place(&table->buckets[other_bucket(table, bucket_idx, tag)], tag, ref))
		return false;
	bucket->tags[slot] = 0;
	if (home == bucket_idx)
		table->buckets[home].moved++;
	else
		table->buckets[home].moved--;
	return true;
}

/* A free slot in the full bucket: one of its keys goes to its other bucket; when those are full as
 * well, room is made in one of them first (once: 72 tries at most).
 */
static bool
make_room(struct lath_flow_table *table, uint32_t bucket_idx)
{
	const struct lath_flow_bucket *bucket = &table->buckets[bucket_idx];

	for (unsigned slot = 0; slot < LATH_FLOW_BUCKET_SLOTS; slot++)
		if (move(table, bucket_idx, slot))
			return true;
	for (unsigned slot = 0; slot < LATH_FLOW_BUCKET_SLOTS; slot++) {
		uint32_t other = other_bucket(table, bucket_idx, bucket->tags[slot]);

		for (unsigned next = 0; next < LATH_FLOW_BUCKET_SLOTS; next++)
			if (move(table, other, next))
				return move(table, bucket_idx, slot);
	}
	return false;
}

int
lath_flow_index_put(struct lath_flow_table *table, uint64_t hash, lath_flow_ref_t ref)
{
	uint16_t tag = lath_flow_tag_of(hash);
	uint32_t home = (uint32_t)(hash & table->bucket_mask);
	uint32_t second = other_bucket(table, home, tag);

	if (place(&table->buckets[home], tag, ref))
		return 0;
	if (place(&table->buckets[second], tag, ref) ||
			(make_room(table, second) && place(&table->buckets[second], tag, ref))) {
		table->buckets[home].moved++;
		return 0;
	}
	if (make_room(table, home) && place(&table->buckets[home], tag, ref))
		return 0;
	return lath_err(ENOSPC);
}

static bool
erase(struct lath_flow_bucket *bucket, uint16_t tag, lath_flow_ref_t ref)
{
	for (uint32_t mask = lath_flow_match_tags(bucket, tag); mask != 0; mask &= mask - 1) {
		unsigned slot = (unsigned)__builtin_ctz(mask) / 2;

		if (bucket->refs[slot] == ref) {
			bucket->tags[slot] = 0;
			return true;
		}
	}
	return false;
}

void
lath_flow_index_take(struct lath_flow_table *table, uint64_t hash, lath_flow_ref_t ref)
{
	uint16_t tag = lath_flow_tag_of(hash);
	uint32_t home = (uint32_t)(hash & table->bucket_mask);

	if (erase(&table->buckets[home], tag, ref))
		return;
	if (erase(&table->buckets[other_bucket(table, home, tag)], tag, ref))
		table->buckets[home].moved--;
}
