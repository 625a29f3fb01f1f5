/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * A chained hash over a fixed array. The table is small (thousands) and looked up only when a flow
 * learns its next hop, so chains beat anything clever. The hash is keyed: addresses on the wire
 * are an attacker's choice. Eviction is a clock hand over entries that no flow holds; it passes
 * over READY ones in its first round, so a flood of addresses that nobody has only ever evicts
 * its own kind while there are any.
 */

#include "lath_adjacency.h"

static uint32_t *
chain_of(const struct lath_adjacency_table *table, const struct lath_adjacency_key *key)
{
	uint64_t words[3];

	memcpy(words, key, sizeof(words));
	return &table->heads[lath_siphash13_3w(&table->hash_key, words) & table->head_mask];
}

static uint32_t
heads_for(uint32_t capacity)
{
	uint32_t heads = 16;

	while (heads < capacity)
		heads *= 2;
	return heads;
}

int
lath_adjacency_init(struct lath_adjacency_table *table, uint32_t capacity,
		struct lath_siphash_key hash_key, const struct lath_allocator *allocator)
{
	uint32_t heads = heads_for(capacity);

	*table = (struct lath_adjacency_table){
			.capacity = capacity + 1,
			.head_mask = heads - 1,
			.hash_key = hash_key,
			.clock = 1,
	};
	table->entries = allocator->alloc(allocator->ctx,
			table->capacity * sizeof(*table->entries));
	table->heads = allocator->alloc(allocator->ctx, heads * sizeof(*table->heads));
	if (table->entries == NULL || table->heads == NULL) {
		lath_adjacency_fini(table, allocator);
		return lath_err(ENOMEM);
	}
	for (uint32_t idx = capacity; idx > 0; idx--) {
		table->entries[idx].next = table->free_head;
		table->free_head = idx;
	}
	return 0;
}

void
lath_adjacency_fini(struct lath_adjacency_table *table, const struct lath_allocator *allocator)
{
	if (table->entries != NULL)
		allocator->free(allocator->ctx, table->entries,
				table->capacity * sizeof(*table->entries));
	if (table->heads != NULL)
		allocator->free(allocator->ctx, table->heads,
				(table->head_mask + 1) * sizeof(*table->heads));
	*table = (struct lath_adjacency_table){0};
}

struct lath_adjacency_key
lath_adjacency_key_ip(uint32_t attachment, const struct lath_ip *ip)
{
	struct lath_adjacency_key key = {.attachment = attachment, .family = ip->family};

	memcpy(key.bytes, ip->bytes, sizeof(key.bytes));
	return key;
}

struct lath_adjacency_key
lath_adjacency_key_mac(uint32_t attachment, const struct lath_mac *mac, enum lath_family family)
{
	struct lath_adjacency_key key = {
			.attachment = attachment, .by_mac = 1, .family = (uint16_t)family};

	memcpy(key.bytes, mac->bytes, sizeof(mac->bytes));
	return key;
}

struct lath_ip
lath_adjacency_ip(const struct lath_adjacency_key *key)
{
	struct lath_ip ip = {.family = (uint8_t)key->family};

	memcpy(ip.bytes, key->bytes, sizeof(ip.bytes));
	return ip;
}

uint32_t
lath_adjacency_find(const struct lath_adjacency_table *table, const struct lath_adjacency_key *key)
{
	uint32_t idx = *chain_of(table, key);

	while (idx != LATH_ADJACENCY_NONE &&
			memcmp(&table->entries[idx].key, key, sizeof(*key)) != 0)
		idx = table->entries[idx].next;
	return idx;
}

static void
unlink_entry(struct lath_adjacency_table *table, uint32_t idx)
{
	uint32_t *link = chain_of(table, &table->entries[idx].key);

	while (*link != idx)
		link = &table->entries[*link].next;
	*link = table->entries[idx].next;
}

void
lath_adjacency_set_under(struct lath_adjacency_table *table, uint32_t idx, uint32_t under)
{
	uint32_t old = table->entries[idx].under;

	if (under != LATH_ADJACENCY_NONE)
		lath_adjacency_ref(table, under);
	table->entries[idx].under = under;
	if (old != LATH_ADJACENCY_NONE)
		lath_adjacency_unref(table, old);
}

/* Tunnels do not lie on tunnels, so this goes one step deep. */
static void
release(struct lath_adjacency_table *table, uint32_t idx)
{
	struct lath_adjacency *entry = &table->entries[idx];

	lath_adjacency_set_under(table, idx, LATH_ADJACENCY_NONE);
	*entry = (struct lath_adjacency){.next = table->free_head};
	table->free_head = idx;
	table->count--;
}

/* One round of the clock; `spare_ready`: leaves READY entries alone. */
static bool
evict(struct lath_adjacency_table *table, bool spare_ready, void **evicted)
{
	for (uint32_t step = 1; step < table->capacity; step++) {
		uint32_t idx = table->clock;
		struct lath_adjacency *entry = &table->entries[idx];

		table->clock = idx + 1 == table->capacity ? 1 : idx + 1;
		if (entry->state == LATH_ADJACENCY_FREE || entry->refs > 0 ||
				(spare_ready && entry->state == LATH_ADJACENCY_READY))
			continue;
		*evicted = entry->held;
		unlink_entry(table, idx);
		release(table, idx);
		return true;
	}
	return false;
}

uint32_t
lath_adjacency_get(struct lath_adjacency_table *table, const struct lath_adjacency_key *key,
		lath_tick_t now, void **evicted)
{
	uint32_t idx = lath_adjacency_find(table, key);
	struct lath_adjacency *entry;
	uint32_t *head;

	*evicted = NULL;
	if (idx != LATH_ADJACENCY_NONE)
		return idx;
	if (table->free_head == LATH_ADJACENCY_NONE && !evict(table, true, evicted) &&
			!evict(table, false, evicted))
		return LATH_ADJACENCY_NONE;
	idx = table->free_head;
	entry = &table->entries[idx];
	table->free_head = entry->next;
	table->count++;
	head = chain_of(table, key);
	*entry = (struct lath_adjacency){
			.state = LATH_ADJACENCY_RESOLVING,
			.key = *key,
			.next = *head,
			.changed = now,
			.used = now,
			.epoch = table->epoch,
			/* A tick in the past: the first packet asks at once. */
			.asked = now - LATH_TICKS_PER_SECOND,
	};
	*head = idx;
	return idx;
}

void
lath_adjacency_ready(struct lath_adjacency_table *table, uint32_t idx, const struct lath_mac *mac,
		const uint8_t *header, uint8_t header_len, uint16_t port, uint16_t mtu,
		lath_tick_t now)
{
	struct lath_adjacency *entry = &table->entries[idx];

	memcpy(entry->header, header, header_len);
	entry->header_len = header_len;
	entry->mac = *mac;
	entry->port = port;
	entry->mtu = mtu;
	entry->state = LATH_ADJACENCY_READY;
	entry->changed = now;
}

void *
lath_adjacency_failed(struct lath_adjacency_table *table, uint32_t idx, lath_tick_t now)
{
	struct lath_adjacency *entry = &table->entries[idx];
	void *held = entry->held;

	entry->held = NULL;
	entry->state = LATH_ADJACENCY_FAILED;
	entry->changed = now;
	return held;
}

void *
lath_adjacency_retire(struct lath_adjacency_table *table, uint32_t idx, lath_tick_t now)
{
	struct lath_adjacency *entry = &table->entries[idx];
	void *held = entry->held;

	unlink_entry(table, idx);
	entry->held = NULL;
	entry->state = LATH_ADJACENCY_RETIRED;
	entry->changed = now;
	if (entry->refs == 0)
		release(table, idx);
	return held;
}

void
lath_adjacency_unref(struct lath_adjacency_table *table, uint32_t idx)
{
	struct lath_adjacency *entry = &table->entries[idx];

	if (--entry->refs == 0 && entry->state == LATH_ADJACENCY_RETIRED)
		release(table, idx);
}

static const char *const state_names[LATH_ADJACENCY_STATE_COUNT] = {
		[LATH_ADJACENCY_FREE] = "free",
		[LATH_ADJACENCY_RESOLVING] = "resolving",
		[LATH_ADJACENCY_READY] = "ready",
		[LATH_ADJACENCY_FAILED] = "failed",
		[LATH_ADJACENCY_RETIRED] = "retired",
};

const char *
lath_adjacency_state_name(enum lath_adjacency_state state)
{
	return state_names[state];
}
