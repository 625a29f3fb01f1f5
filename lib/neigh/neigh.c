/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <stdlib.h>

#include "neigh_private.h"

#define ENTRIES_MIN 16u
#define ENTRIES_MAX (1u << 24)
#define WORK_PER_TICK 256u

void
lath_neigh_free(struct lath_neigh *neigh)
{
	if (neigh == NULL)
		return;
	free(neigh->heap);
	free(neigh->claims);
	free(neigh->entries);
	free(neigh->buckets[1]);
	free(neigh->buckets[0]);
	free(neigh);
}

struct lath_neigh *
lath_neigh_create(uint32_t max_entries, const struct lath_neigh_ops *ops, void *ctx, uint64_t seed)
{
	struct lath_neigh *neigh;
	uint32_t buckets = 1;

	if (max_entries < ENTRIES_MIN || max_entries > ENTRIES_MAX)
		return lath_null(EINVAL);
	neigh = calloc(1, sizeof(*neigh));
	if (neigh == NULL)
		return lath_null(ENOMEM);
	while (buckets < max_entries)
		buckets *= 2;
	neigh->ops = ops;
	neigh->ctx = ctx;
	neigh->max = max_entries;
	neigh->bucket_mask = buckets - 1;
	neigh->random = seed;
	neigh->key.k0 = lath_random_next(&neigh->random);
	neigh->key.k1 = lath_random_next(&neigh->random);
	neigh->buckets[0] = calloc(buckets, sizeof(*neigh->buckets[0]));
	neigh->buckets[1] = calloc(buckets, sizeof(*neigh->buckets[1]));
	neigh->entries = calloc(max_entries, sizeof(*neigh->entries));
	neigh->claims = calloc(max_entries, sizeof(*neigh->claims));
	neigh->heap = calloc(2 * (size_t)max_entries, sizeof(*neigh->heap));
	if (neigh->buckets[0] == NULL || neigh->buckets[1] == NULL || neigh->entries == NULL ||
			neigh->claims == NULL || neigh->heap == NULL) {
		lath_neigh_free(neigh);
		return lath_null(ENOMEM);
	}
	lath_neigh_table_init(neigh);
	return neigh;
}

void
lath_neigh_set_mac(struct lath_neigh *neigh, uint16_t port, const struct lath_mac *mac)
{
	LATH_ASSERT_ROLE(MGMT);
	if (port < LATH_MODEL_PORTS_MAX)
		neigh->macs[port] = *mac;
}

void
lath_neigh_link(struct lath_neigh *neigh, uint16_t port, bool up, lath_tick_t now)
{
	uint32_t asked = 0;
	uint32_t claimed = 0;

	LATH_ASSERT_ROLE(MGMT);
	if (port >= LATH_MODEL_PORTS_MAX)
		return;
	neigh->port_down[port] = !up;
	if (!up)
		return;
	for (uint32_t i = 0; i < neigh->max; i++) {
		struct neigh_entry *entry = &neigh->entries[i];
		struct neigh_claim *claim = &neigh->claims[i];

		if (claim->node.live && neigh->attachments[claim->node.attachment].port == port)
			lath_neigh_claim_restart(neigh, claim,
					lath_neigh_spread(neigh, claimed++, now));
		if (entry->node.live && neigh->attachments[entry->node.attachment].port == port)
			lath_neigh_entry_link_up(neigh, entry,
					lath_neigh_spread(neigh, asked++, now));
	}
}

void
lath_neigh_tick(struct lath_neigh *neigh, lath_tick_t now)
{
	LATH_ASSERT_ROLE(MGMT);
	for (unsigned i = 0; i < WORK_PER_TICK && neigh->heap_len > 0; i++) {
		uint32_t id = neigh->heap[0];

		if (!lath_tick_reached(now, neigh_node_at(neigh, id)->due))
			return;
		/* Each of these plans the row anew, stops its timer or removes it. */
		if (neigh_is_claim(neigh, id))
			lath_neigh_claim_due(neigh, neigh_claim_at(neigh, id), now);
		else
			lath_neigh_entry_due(neigh, neigh_entry_at(neigh, id), now);
	}
}

uint32_t
lath_neigh_next_ms(const struct lath_neigh *neigh, lath_tick_t now)
{
	lath_tick_t due;

	if (neigh->heap_len == 0)
		return UINT32_MAX;
	due = neigh_node_at(neigh, neigh->heap[0])->due;
	return lath_tick_reached(now, due) ? 0 : (due - now) * LATH_TICK_MS;
}

bool
lath_neigh_next(const struct lath_neigh *neigh, uint32_t *cursor, lath_tick_t now,
		struct lath_neigh_row *row)
{
	while (*cursor < neigh->max) {
		const struct neigh_entry *entry = &neigh->entries[(*cursor)++];

		if (!entry->node.live)
			continue;
		*row = (struct lath_neigh_row){
				.attachment = entry->node.attachment,
				.ip = entry->node.ip,
				.mac = entry->mac,
				.state = entry->state,
				.pinned = entry->pinned,
				.is_router = entry->is_router,
				.age_s = (now - entry->confirmed) / LATH_TICKS_PER_SECOND,
		};
		return true;
	}
	return false;
}

bool
lath_neigh_next_claim(const struct lath_neigh *neigh, uint32_t *cursor,
		struct lath_neigh_claim_row *row)
{
	while (*cursor < neigh->max) {
		const struct neigh_claim *claim = &neigh->claims[(*cursor)++];

		if (!claim->node.live)
			continue;
		*row = (struct lath_neigh_claim_row){
				.attachment = claim->node.attachment,
				.ip = claim->node.ip,
				.state = claim->state,
				.theirs = claim->theirs,
		};
		return true;
	}
	return false;
}

uint32_t
lath_neigh_count(const struct lath_neigh *neigh, uint32_t *pinned)
{
	if (pinned != NULL)
		*pinned = neigh->pinned;
	return neigh->live[0];
}

const struct lath_neigh_counters *
lath_neigh_counters(const struct lath_neigh *neigh)
{
	return &neigh->counters;
}

const char *
lath_neigh_state_name(enum lath_neigh_state state)
{
	switch (state) {
	case LATH_NEIGH_RESOLVING:
		return "resolving";
	case LATH_NEIGH_REACHABLE:
		return "reachable";
	case LATH_NEIGH_REFRESHING:
		return "refreshing";
	case LATH_NEIGH_STALE:
		return "stale";
	case LATH_NEIGH_FAILED:
		return "failed";
	case LATH_NEIGH_STATE_COUNT:
		break;
	}
	return "unknown";
}

const char *
lath_neigh_claim_state_name(enum lath_neigh_claim_state state)
{
	switch (state) {
	case LATH_NEIGH_CLAIM_PROBING:
		return "probing";
	case LATH_NEIGH_CLAIM_ANNOUNCING:
		return "announcing";
	case LATH_NEIGH_CLAIM_HELD:
		return "held";
	case LATH_NEIGH_CLAIM_CONFLICT:
		return "conflict";
	case LATH_NEIGH_CLAIM_STATE_COUNT:
		break;
	}
	return "unknown";
}
