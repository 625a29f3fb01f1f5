/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "acl_private.h"

/* The last span that begins at or below the port; the first begins at 0. */
static uint32_t
rule_at(const struct span *spans, uint32_t count, uint32_t port)
{
	uint32_t low = 0;

	while (count > 1) {
		uint32_t half = count / 2;

		low += spans[low + half].begin <= port ? half : 0;
		count -= half;
	}
	return spans[low].rule;
}

uint32_t
lath_acl_find(const struct lath_acl *acl, const struct lath_acl_packet *packet, bool *allows)
{
	const char *base = (const char *)acl;
	const struct tuple *tuples = (const void *)(base + acl->tuples);
	const struct slot *slots = (const void *)(base + acl->slots);
	const struct span *spans = (const void *)(base + acl->spans);
	uint8_t family = lath_ip_is_v4(&packet->peer) ? KIND_V4 : KIND_V6;
	uint32_t best = SPAN_NONE;

	for (uint32_t i = 0; i < acl->tuple_count && tuples[i].lowest <= best >> 1; i++) {
		const struct tuple *tuple = &tuples[i];
		uint64_t key[2];
		uint32_t at;

		if (tuple->protocol != packet->protocol ||
				(tuple->kind != family && tuple->kind != KIND_VPC))
			continue;
		key_of(tuple, &packet->peer, packet->vpc, key);
		at = hash_of(key, i) & acl->slot_mask;
		for (; slots[at].tuple != LATH_ACL_NONE; at = (at + 1) & acl->slot_mask) {
			if (slots[at].tuple != i || !lath_equal16(slots[at].key, key))
				continue;
			best = lath_min_u32(best,
					rule_at(spans + slots[at].first, slots[at].count,
							packet->port));
			break;
		}
	}
	*allows = best != SPAN_NONE && (best & 1) != 0;
	return best == SPAN_NONE ? LATH_ACL_NONE : best >> 1;
}

size_t
lath_acl_size(const struct lath_acl *acl)
{
	return acl->size;
}
