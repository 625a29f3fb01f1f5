/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Between the .c files of lib/neigh. Entries have ids 0..max-1, claims max..2*max-1; both begin
 * with a node, so that one hash table and one timer heap serve both.
 */
#pragma once

#include <lath_bucket.h>
#include <lath_neigh.h>
#include <lath_siphash.h>

#define NEIGH_NONE UINT32_MAX

struct neigh_node {
	struct lath_ip ip;
	uint32_t attachment;
	uint32_t chain; /* next in the hash bucket or in the free list */
	uint32_t place; /* in the heap, or NEIGH_NONE */
	lath_tick_t due;
	uint32_t mark; /* serial of the last lath_neigh_set_model() that named it */
	bool live;
};

/* Unpinned entries by age, last used first. What nobody asked for or nobody answers goes first. */
enum neigh_list {
	NEIGH_LIST_CHEAP,
	NEIGH_LIST_GOOD,
	NEIGH_LIST_COUNT,
};

struct neigh_entry {
	struct neigh_node node;
	enum lath_neigh_state state;
	uint32_t attempts;
	lath_tick_t confirmed; /* when the MAC was, or when the entry was made */
	lath_tick_t used;
	uint32_t list; /* enum neigh_list, or NEIGH_NONE: pinned */
	uint32_t newer;
	uint32_t older;
	struct lath_mac mac;
	bool has_mac;
	bool pinned;
	bool is_router;
	bool wanted; /* a worker asked, not just somebody who spoke to us */
};

struct neigh_claim {
	struct neigh_node node;
	enum lath_neigh_claim_state state;
	uint32_t attempts;
	lath_tick_t reported; /* last conflict told */
	bool has_reported;
	struct lath_mac theirs;
};

struct neigh_attachment {
	bool present;
	bool announce;
	uint16_t port;
	uint16_t vlan;
	uint16_t outer_vlan;
	uint32_t tunnel; /* enum lath_config_tunnel_kind */
	uint32_t underlay;
	uint32_t vni;
	uint32_t vpc;
	bool has_answered; /* a query, at `answered` */
	lath_tick_t answered;
	struct lath_ip link_local; /* ours; family NONE: no IPv6 here */
	struct lath_bucket bucket;
};

struct lath_neigh {
	const struct lath_neigh_ops *ops;
	void *ctx;
	const struct lath_model *model;
	uint32_t max;
	uint32_t mark;
	uint32_t bucket_mask;
	uint32_t *buckets[2]; /* [0]: entries, [1]: claims */
	uint32_t free[2];
	uint32_t live[2];
	uint32_t pinned;
	uint32_t newest[NEIGH_LIST_COUNT];
	uint32_t oldest[NEIGH_LIST_COUNT];
	struct neigh_entry *entries;
	struct neigh_claim *claims;
	uint32_t *heap;
	uint32_t heap_len;
	uint64_t random;
	struct lath_siphash_key key;
	bool port_down[LATH_MODEL_PORTS_MAX];
	struct lath_mac macs[LATH_MODEL_PORTS_MAX];
	struct neigh_attachment attachments[LATH_MODEL_ATTACHMENTS_MAX];
	struct lath_neigh_counters counters;
};

static inline bool
neigh_is_claim(const struct lath_neigh *neigh, uint32_t id)
{
	return id >= neigh->max;
}

static inline struct neigh_entry *
neigh_entry_at(const struct lath_neigh *neigh, uint32_t id)
{
	return &neigh->entries[id];
}

static inline struct neigh_claim *
neigh_claim_at(const struct lath_neigh *neigh, uint32_t id)
{
	return &neigh->claims[id - neigh->max];
}

static inline struct neigh_node *
neigh_node_at(const struct lath_neigh *neigh, uint32_t id)
{
	return neigh_is_claim(neigh, id) ? &neigh_claim_at(neigh, id)->node
					 : &neigh_entry_at(neigh, id)->node;
}

static inline uint32_t
neigh_entry_id(const struct lath_neigh *neigh, const struct neigh_entry *entry)
{
	return (uint32_t)(entry - neigh->entries);
}

static inline uint32_t
neigh_claim_id(const struct lath_neigh *neigh, const struct neigh_claim *claim)
{
	return neigh->max + (uint32_t)(claim - neigh->claims);
}

/* ---- timer.c ----------------------------------------------------------------------------- */

/* Plans `id` for `due`, moving it when it is planned already. */
void lath_neigh_timer_set(struct lath_neigh *neigh, uint32_t id, lath_tick_t due);
void lath_neigh_timer_stop(struct lath_neigh *neigh, uint32_t id);

/* ---- table.c ----------------------------------------------------------------------------- */

void lath_neigh_table_init(struct lath_neigh *neigh);

/* NULL: not there. */
struct neigh_entry *lath_neigh_find_entry(const struct lath_neigh *neigh, uint32_t attachment,
		const struct lath_ip *ip);
struct neigh_claim *lath_neigh_find_claim(const struct lath_neigh *neigh, uint32_t attachment,
		const struct lath_ip *ip);

/* A zeroed row under its key, in no list and without timer. NULL: no free row. */
struct neigh_entry *lath_neigh_insert_entry(struct lath_neigh *neigh, uint32_t attachment,
		const struct lath_ip *ip);
struct neigh_claim *lath_neigh_insert_claim(struct lath_neigh *neigh, uint32_t attachment,
		const struct lath_ip *ip);

/* Takes the row out of table, list and heap. */
void lath_neigh_remove(struct lath_neigh *neigh, uint32_t id);

/* Puts an unpinned entry first in the list it belongs to now; a pinned one into none. */
void lath_neigh_relist(struct lath_neigh *neigh, struct neigh_entry *entry);

/* ---- entry.c ----------------------------------------------------------------------------- */

/* Frees a row by eviction when there must be one. False: everything is pinned. */
bool lath_neigh_make_room(struct lath_neigh *neigh, bool pinned);
void lath_neigh_entry_due(struct lath_neigh *neigh, struct neigh_entry *entry, lath_tick_t now);
void lath_neigh_entry_pin(struct lath_neigh *neigh, uint32_t attachment, const struct lath_ip *ip,
		lath_tick_t due, lath_tick_t now);
void lath_neigh_entry_unpin(struct lath_neigh *neigh, struct neigh_entry *entry, lath_tick_t now);

/* Tells the workers that it is lost and removes it. */
void lath_neigh_entry_drop(struct lath_neigh *neigh, struct neigh_entry *entry);
void lath_neigh_entry_link_up(struct lath_neigh *neigh, struct neigh_entry *entry, lath_tick_t due);

/* The MAC was confirmed by its owner. */
void lath_neigh_entry_confirm(struct lath_neigh *neigh, struct neigh_entry *entry,
		const struct lath_mac *mac, lath_tick_t now);

/* The MAC is said by its owner, unasked: used at once, asked about when it is new. */
void lath_neigh_entry_hear(struct lath_neigh *neigh, struct neigh_entry *entry,
		const struct lath_mac *mac, lath_tick_t now);

/* What is known may be wrong: used on, and asked about if it is used at all. */
void lath_neigh_entry_suspect(struct lath_neigh *neigh, struct neigh_entry *entry, lath_tick_t now);

/* Somebody on an attached subnet asks for us, so we will soon have something to say to it. NULL: no
 * room, over the attachment's rate, or not of its subnets.
 */
struct neigh_entry *lath_neigh_entry_learn(struct lath_neigh *neigh, uint32_t attachment,
		const struct lath_ip *sender, const struct lath_ip *target, lath_tick_t now);

/* NULL: gone, or the host port's. */
const struct lath_model_attachment *lath_neigh_attachment(const struct lath_neigh *neigh,
		uint32_t attachment);

/* True when the family of `ip` is spoken on the attachment. */
bool lath_neigh_speaks(const struct lath_neigh *neigh, uint32_t attachment,
		const struct lath_ip *ip);

/* A MAC that somebody can have. */
bool lath_neigh_is_usable_mac(const struct lath_mac *mac);

/* True when `ip` is an address of the gateway on the attachment, or a claim. */
bool lath_neigh_is_ours(const struct lath_neigh *neigh, uint32_t attachment,
		const struct lath_ip *ip);

/* Counts and calls send(). */
void lath_neigh_send(struct lath_neigh *neigh, uint32_t attachment, enum lath_neigh_message kind,
		const struct lath_ip *sender, const struct lath_ip *target,
		const struct lath_mac *dst);

/* True while the attachment's port is down: nothing is sent, nothing is lost. */
bool lath_neigh_is_down(const struct lath_neigh *neigh, uint32_t attachment);

/* When number `i` of many is asked: one a tick for the first 100, then anywhere in a second. */
lath_tick_t lath_neigh_spread(struct lath_neigh *neigh, uint32_t i, lath_tick_t now);

/* ---- discovery.c ------------------------------------------------------------------------- */

/* Tells switches where questions for an IPv6 address of ours are to go. */
void lath_neigh_listen(struct lath_neigh *neigh, const struct neigh_claim *claim);

/* ---- claim.c ----------------------------------------------------------------------------- */

void lath_neigh_claim_due(struct lath_neigh *neigh, struct neigh_claim *claim, lath_tick_t now);

/* False: no room, it is not watched. */
bool lath_neigh_claim_add(struct lath_neigh *neigh, uint32_t attachment, const struct lath_ip *ip,
		uint32_t *spread, lath_tick_t now);
void lath_neigh_claim_restart(struct lath_neigh *neigh, struct neigh_claim *claim, lath_tick_t due);
void lath_neigh_claim_conflict(struct lath_neigh *neigh, struct neigh_claim *claim,
		const struct lath_mac *theirs, lath_tick_t now);
