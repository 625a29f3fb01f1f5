/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * The rows: chained hash under (attachment, address), free lists, and the age lists of unpinned
 * entries. The hash is SipHash-1-3 with a random key: addresses come from strangers.
 */

#include <string.h>

#include "neigh_private.h"

static uint32_t
bucket_of(const struct lath_neigh *neigh, uint32_t attachment, const struct lath_ip *ip)
{
	uint64_t words[5] = {attachment, ip->family, 0, 0, 0};

	memcpy(&words[2], ip->bytes, 16);
	return (uint32_t)lath_siphash13_5w(&neigh->key, words) & neigh->bucket_mask;
}

static void
init_node(struct lath_neigh *neigh, uint32_t id, uint32_t chain)
{
	struct neigh_node *node = neigh_node_at(neigh, id);

	node->chain = chain;
	node->place = NEIGH_NONE;
}

void
lath_neigh_table_init(struct lath_neigh *neigh)
{
	for (uint32_t i = 0; i <= neigh->bucket_mask; i++) {
		neigh->buckets[0][i] = NEIGH_NONE;
		neigh->buckets[1][i] = NEIGH_NONE;
	}
	neigh->free[0] = NEIGH_NONE;
	neigh->free[1] = NEIGH_NONE;
	for (uint32_t i = neigh->max; i-- > 0;) {
		init_node(neigh, i, neigh->free[0]);
		neigh->free[0] = i;
		init_node(neigh, neigh->max + i, neigh->free[1]);
		neigh->free[1] = neigh->max + i;
	}
	for (unsigned i = 0; i < NEIGH_LIST_COUNT; i++) {
		neigh->newest[i] = NEIGH_NONE;
		neigh->oldest[i] = NEIGH_NONE;
	}
}

static uint32_t
find(const struct lath_neigh *neigh, unsigned kind, uint32_t attachment, const struct lath_ip *ip)
{
	uint32_t id = neigh->buckets[kind][bucket_of(neigh, attachment, ip)];

	while (id != NEIGH_NONE) {
		const struct neigh_node *node = neigh_node_at(neigh, id);

		if (node->attachment == attachment && lath_ip_equal(&node->ip, ip))
			break;
		id = node->chain;
	}
	return id;
}

struct neigh_entry *
lath_neigh_find_entry(const struct lath_neigh *neigh, uint32_t attachment, const struct lath_ip *ip)
{
	uint32_t id = find(neigh, 0, attachment, ip);

	return id == NEIGH_NONE ? NULL : neigh_entry_at(neigh, id);
}

struct neigh_claim *
lath_neigh_find_claim(const struct lath_neigh *neigh, uint32_t attachment, const struct lath_ip *ip)
{
	uint32_t id = find(neigh, 1, attachment, ip);

	return id == NEIGH_NONE ? NULL : neigh_claim_at(neigh, id);
}

static void
link_node(struct lath_neigh *neigh, unsigned kind, uint32_t id, uint32_t attachment,
		const struct lath_ip *ip)
{
	struct neigh_node *node = neigh_node_at(neigh, id);
	uint32_t *head = &neigh->buckets[kind][bucket_of(neigh, attachment, ip)];

	node->ip = *ip;
	node->attachment = attachment;
	node->chain = *head;
	node->place = NEIGH_NONE;
	node->live = true;
	*head = id;
	neigh->live[kind]++;
}

struct neigh_entry *
lath_neigh_insert_entry(struct lath_neigh *neigh, uint32_t attachment, const struct lath_ip *ip)
{
	uint32_t id = neigh->free[0];
	struct neigh_entry *entry;

	if (id == NEIGH_NONE)
		return NULL;
	entry = neigh_entry_at(neigh, id);
	neigh->free[0] = entry->node.chain;
	memset(entry, 0, sizeof(*entry));
	entry->list = NEIGH_NONE;
	link_node(neigh, 0, id, attachment, ip);
	return entry;
}

struct neigh_claim *
lath_neigh_insert_claim(struct lath_neigh *neigh, uint32_t attachment, const struct lath_ip *ip)
{
	uint32_t id = neigh->free[1];
	struct neigh_claim *claim;

	if (id == NEIGH_NONE)
		return NULL;
	claim = neigh_claim_at(neigh, id);
	neigh->free[1] = claim->node.chain;
	memset(claim, 0, sizeof(*claim));
	link_node(neigh, 1, id, attachment, ip);
	return claim;
}

static void
unlist(struct lath_neigh *neigh, struct neigh_entry *entry)
{
	uint32_t list = entry->list;

	if (list == NEIGH_NONE)
		return;
	if (entry->newer == NEIGH_NONE)
		neigh->newest[list] = entry->older;
	else
		neigh_entry_at(neigh, entry->newer)->older = entry->older;
	if (entry->older == NEIGH_NONE)
		neigh->oldest[list] = entry->newer;
	else
		neigh_entry_at(neigh, entry->older)->newer = entry->newer;
	entry->list = NEIGH_NONE;
}

void
lath_neigh_relist(struct lath_neigh *neigh, struct neigh_entry *entry)
{
	uint32_t id = neigh_entry_id(neigh, entry);
	bool is_good = entry->wanted && entry->has_mac;
	uint32_t list = is_good ? NEIGH_LIST_GOOD : NEIGH_LIST_CHEAP;

	unlist(neigh, entry);
	if (entry->pinned)
		return;
	entry->list = list;
	entry->newer = NEIGH_NONE;
	entry->older = neigh->newest[list];
	if (entry->older == NEIGH_NONE)
		neigh->oldest[list] = id;
	else
		neigh_entry_at(neigh, entry->older)->newer = id;
	neigh->newest[list] = id;
}

void
lath_neigh_remove(struct lath_neigh *neigh, uint32_t id)
{
	unsigned kind = neigh_is_claim(neigh, id) ? 1 : 0;
	struct neigh_node *node = neigh_node_at(neigh, id);
	uint32_t *at = &neigh->buckets[kind][bucket_of(neigh, node->attachment, &node->ip)];

	lath_neigh_timer_stop(neigh, id);
	if (kind == 0) {
		unlist(neigh, neigh_entry_at(neigh, id));
		if (neigh_entry_at(neigh, id)->pinned)
			neigh->pinned--;
	}
	while (*at != id)
		at = &neigh_node_at(neigh, *at)->chain;
	*at = node->chain;
	node->live = false;
	node->chain = neigh->free[kind];
	neigh->free[kind] = id;
	neigh->live[kind]--;
}
