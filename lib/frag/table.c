/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "frag_private.h"

/*
 * A datagram is in one hash chain, in the list of all by age (every one has the same time, so the
 * head is due first), and in one of its VPC's two lists: those that wait for their first fragment
 * and the others. A datagram that has broken a rule stays, marked, until its time is over, so that
 * its remaining fragments do not pass as a new one.
 *
 * Fragments that wait are nodes in a list of their datagram, in the order of arrival. What leaves
 * the table goes by the same nodes, which are free again once the caller has popped them; there are
 * as many more of them as one call can let go.
 *
 * Memory: 128 bytes a datagram and 8 to 12 of indexes, 20 a held fragment, 40 a VPC, in one piece.
 */

#define V4_HEADER_MIN 20u
#define TCP_MIN 20u /* ports, flags and checksum: what is read and rewritten */
#define OTHER_MIN 8u

/* ---- lists -------------------------------------------------------------------------------- */

/* Where a datagram's links of one kind of list are. */
static struct links *
links_of(struct lath_frag_table *table, uint32_t idx, bool by_age)
{
	struct datagram *entry = &table->entries[idx];

	return by_age ? &entry->by_age : &entry->in_vpc;
}

static void
append(struct lath_frag_table *table, struct list *list, uint32_t idx, bool by_age)
{
	*links_of(table, idx, by_age) = (struct links){list->tail, FRAG_NONE};
	if (list->tail == FRAG_NONE)
		list->head = idx;
	else
		links_of(table, list->tail, by_age)->next = idx;
	list->tail = idx;
}

static void
unlink_from(struct lath_frag_table *table, struct list *list, uint32_t idx, bool by_age)
{
	const struct links *links = links_of(table, idx, by_age);

	if (links->prev == FRAG_NONE)
		list->head = links->next;
	else
		links_of(table, links->prev, by_age)->next = links->next;
	if (links->next == FRAG_NONE)
		list->tail = links->prev;
	else
		links_of(table, links->next, by_age)->prev = links->prev;
}

static uint32_t
vpc_of(const struct datagram *entry)
{
	return (uint32_t)entry->key.words[4] & UINT32_MAX >> 8;
}

static struct list *
vpc_list_of(struct lath_frag_table *table, const struct datagram *entry)
{
	enum list_kind kind = entry->held_count != 0 ? LIST_WAITING : LIST_OTHERS;

	return &table->vpcs[vpc_of(entry)].of[kind];
}

/* ---- held fragments ----------------------------------------------------------------------- */

/* Hands all that the datagram holds to `out`. `drop` NONE: they pass. */
static void
let_go(struct lath_frag_table *table, uint32_t idx, struct lath_frag_list *out, enum lath_drop drop)
{
	struct datagram *entry = &table->entries[idx];

	if (entry->held_count == 0)
		return;
	for (uint32_t i = entry->held.head; i != FRAG_NONE; i = table->nodes[i].next) {
		table->nodes[i].drop = (uint8_t)drop;
		lath_frag_rank_remove(&table->held, vpc_of(entry));
	}
	if (out->tail == FRAG_NONE)
		out->head = entry->held.head;
	else
		table->nodes[out->tail].next = entry->held.head;
	out->tail = entry->held.tail;
	unlink_from(table, vpc_list_of(table, entry), idx, false);
	entry->held_count = 0;
	entry->held = (struct lath_frag_list){FRAG_NONE, FRAG_NONE};
	append(table, vpc_list_of(table, entry), idx, false);
}

static void
hold(struct lath_frag_table *table, uint32_t idx, void *handle)
{
	struct datagram *entry = &table->entries[idx];
	uint32_t node = table->free_node; /* there is one: see ENDED_PER_CALL */

	table->free_node = table->nodes[node].next;
	table->nodes[node] = (struct node){.handle = handle, .next = FRAG_NONE};
	if (entry->held_count == 0) {
		unlink_from(table, vpc_list_of(table, entry), idx, false);
		entry->held.head = node;
	} else {
		table->nodes[entry->held.tail].next = node;
	}
	entry->held.tail = node;
	entry->held_count++;
	if (entry->held_count == 1)
		append(table, vpc_list_of(table, entry), idx, false);
	lath_frag_rank_add(&table->held, vpc_of(entry));
}

void *
lath_frag_pop(struct lath_frag_table *table, struct lath_frag_list *list, enum lath_drop *drop)
{
	uint32_t idx = list->head;
	struct node *node = &table->nodes[idx];

	if (idx == FRAG_NONE)
		return NULL;
	list->head = idx == list->tail ? FRAG_NONE : node->next;
	if (list->head == FRAG_NONE)
		list->tail = FRAG_NONE;
	if (drop != NULL)
		*drop = (enum lath_drop)node->drop;
	node->next = table->free_node;
	table->free_node = idx;
	return node->handle;
}

/* ---- datagrams ---------------------------------------------------------------------------- */

static struct frag_key
key_of(const struct lath_frag_piece *piece)
{
	/* IPv6: fragments of one datagram need not name the same protocol (RFC 8200 section 4.5), so
	 * it is no part of the key. No IPv4 fragment comes here with protocol 0.
	 */
	uint32_t proto = piece->family == LATH_FAMILY_IPV4 ? piece->proto : 0;
	struct frag_key key;

	memcpy(&key.words[0], piece->src, 16);
	memcpy(&key.words[2], piece->dst, 16);
	key.words[4] = (uint64_t)piece->id << 32 | proto << 24 | piece->vpc;
	return key;
}

static uint32_t *
bucket_of(struct lath_frag_table *table, const struct frag_key *key)
{
	return &table->buckets[lath_siphash13_5w(&table->key, key->words) & table->bucket_mask];
}

static uint32_t
find(struct lath_frag_table *table, const struct frag_key *key)
{
	uint32_t idx = *bucket_of(table, key);

	while (idx != FRAG_NONE && memcmp(&table->entries[idx].key, key, sizeof(*key)) != 0)
		idx = table->entries[idx].chain;
	return idx;
}

static void
end(struct lath_frag_table *table, uint32_t idx, struct lath_frag_list *dropped,
		enum lath_drop drop)
{
	struct datagram *entry = &table->entries[idx];
	uint32_t *at = bucket_of(table, &entry->key);

	let_go(table, idx, dropped, drop);
	while (*at != idx)
		at = &table->entries[*at].chain;
	*at = entry->chain;
	unlink_from(table, &table->by_age, idx, true);
	unlink_from(table, vpc_list_of(table, entry), idx, false);
	lath_frag_rank_remove(&table->datagrams, vpc_of(entry));
	entry->chain = table->free_datagram;
	table->free_datagram = idx;
}

/* Nothing of it passes from here on; it stays until its time is over. */
static void
condemn(struct lath_frag_table *table, uint32_t idx, struct lath_frag_outcome *outcome,
		enum lath_drop drop)
{
	let_go(table, idx, &outcome->dropped, drop);
	table->entries[idx].drop = (uint8_t)drop;
	outcome->action = LATH_FRAG_DROP;
	outcome->drop = drop;
}

/* A new datagram. Who pays for it, when somebody must, gives the oldest that waits, else the
 * oldest of the others.
 */
static uint32_t
begin(struct lath_frag_table *table, const struct frag_key *key, uint32_t vpc, lath_tick_t now,
		struct lath_frag_list *dropped)
{
	uint32_t payer = lath_frag_rank_payer(&table->datagrams, vpc,
			table->limits.datagrams_per_vpc, table->limits.datagrams);
	uint32_t *bucket = bucket_of(table, key);
	struct datagram *entry;
	uint32_t idx;

	if (payer != FRAG_NONE) {
		idx = table->vpcs[payer].of[LIST_WAITING].head;
		if (idx == FRAG_NONE)
			idx = table->vpcs[payer].of[LIST_OTHERS].head;
		end(table, idx, dropped, LATH_DROP_fragment_limit);
	}
	idx = table->free_datagram;
	entry = &table->entries[idx];
	table->free_datagram = entry->chain;
	*entry = (struct datagram){
			.key = *key,
			.chain = *bucket,
			.started = now,
			.held = {FRAG_NONE, FRAG_NONE},
	};
	*bucket = idx;
	append(table, &table->by_age, idx, true);
	append(table, vpc_list_of(table, entry), idx, false);
	lath_frag_rank_add(&table->datagrams, vpc);
	return idx;
}

/* ---- one fragment ------------------------------------------------------------------------- */

static enum lath_drop
check(const struct lath_frag_table *table, const struct lath_frag_piece *piece)
{
	bool v4 = piece->family == LATH_FAMILY_IPV4;
	uint32_t end_max = UINT16_MAX - (v4 ? V4_HEADER_MIN : 0);
	uint32_t header_min = piece->proto == LATH_PROTO_TCP ? TCP_MIN : OTHER_MIN;

	if (piece->vpc >= table->limits.vpcs || (v4 && piece->proto == 0))
		return LATH_DROP_fragment_malformed;
	if (piece->offset % 8 != 0 || piece->len == 0 || (piece->more && piece->len % 8 != 0) ||
			piece->offset + (uint32_t)piece->len > end_max)
		return LATH_DROP_fragment_malformed;
	/* RFC 1858 section 3, RFC 3128 section 3, RFC 7112 section 5: the first fragment has the
	 * whole transport header, and none begins inside it.
	 */
	if (piece->offset == 0 && piece->len < header_min)
		return LATH_DROP_fragment_tiny;
	if (v4 && piece->offset != 0 && piece->offset < header_min)
		return LATH_DROP_fragment_tiny;
	return LATH_DROP_NONE;
}

static void
add_first(struct lath_frag_table *table, uint32_t idx, const struct lath_frag_piece *piece,
		struct lath_frag_outcome *outcome)
{
	struct datagram *entry = &table->entries[idx];

	entry->src_port_be = piece->src_port_be;
	entry->dst_port_be = piece->dst_port_be;
	entry->proto = piece->proto;
	let_go(table, idx, &outcome->released, LATH_DROP_NONE);
}

/* A fragment that waits for the first. */
static void
add_waiting(struct lath_frag_table *table, uint32_t idx, void *handle,
		struct lath_frag_outcome *outcome)
{
	const struct lath_frag_limits *limits = &table->limits;
	struct datagram *entry = &table->entries[idx];
	uint32_t payer = lath_frag_rank_payer(&table->held, vpc_of(entry), limits->held_per_vpc,
			limits->held);
	uint32_t oldest = idx;

	if (payer != FRAG_NONE)
		oldest = table->vpcs[payer].of[LIST_WAITING].head;
	if (entry->held_count >= limits->held_per_datagram ||
			(payer != FRAG_NONE && oldest == idx)) {
		condemn(table, idx, outcome, LATH_DROP_fragment_limit);
		return;
	}
	if (payer != FRAG_NONE)
		end(table, oldest, &outcome->dropped, LATH_DROP_fragment_limit);
	hold(table, idx, handle);
	outcome->action = LATH_FRAG_HOLD;
}

/* Notes the fragment in its datagram. */
static void
add_to(struct lath_frag_table *table, uint32_t idx, const struct lath_frag_piece *piece,
		void *handle, struct lath_frag_outcome *outcome)
{
	struct datagram *entry = &table->entries[idx];

	switch (lath_frag_ranges_add(&entry->ranges, piece->offset, piece->len, piece->more)) {
	case RANGE_NEW:
		break;
	case RANGE_DUPLICATE:
		outcome->action = LATH_FRAG_DROP;
		outcome->drop = LATH_DROP_fragment_overlap;
		return;
	case RANGE_OVERLAP:
		condemn(table, idx, outcome, LATH_DROP_fragment_overlap);
		return;
	case RANGE_FULL:
		condemn(table, idx, outcome, LATH_DROP_fragment_limit);
		return;
	}
	if (piece->offset == 0)
		add_first(table, idx, piece, outcome);
	else if (entry->ranges.runs[0].start != 0) {
		add_waiting(table, idx, handle, outcome);
		return;
	}
	outcome->src_port_be = entry->src_port_be;
	outcome->dst_port_be = entry->dst_port_be;
	outcome->proto = entry->proto;
	if (lath_frag_ranges_complete(&entry->ranges))
		end(table, idx, &outcome->dropped, LATH_DROP_NONE); /* it holds none */
}

void
lath_frag_add(struct lath_frag_table *table, const struct lath_frag_piece *piece, void *handle,
		lath_tick_t now, struct lath_frag_outcome *outcome)
{
	struct frag_key key = key_of(piece);
	uint32_t idx;

	*outcome = (struct lath_frag_outcome){
			.action = LATH_FRAG_PASS,
			.src_port_be = piece->src_port_be,
			.dst_port_be = piece->dst_port_be,
			.proto = piece->proto,
			.released = {FRAG_NONE, FRAG_NONE},
			.dropped = {FRAG_NONE, FRAG_NONE},
	};
	outcome->drop = check(table, piece);
	if (outcome->drop != LATH_DROP_NONE) {
		outcome->action = LATH_FRAG_DROP;
		return;
	}
	if (piece->offset == 0 && !piece->more)
		return;
	idx = find(table, &key);
	if (idx != FRAG_NONE &&
			lath_tick_reached(now, table->entries[idx].started + table->timeout)) {
		end(table, idx, &outcome->dropped, LATH_DROP_fragment_timeout);
		idx = FRAG_NONE;
	}
	if (idx == FRAG_NONE)
		idx = begin(table, &key, piece->vpc, now, &outcome->dropped);
	outcome->drop = (enum lath_drop)table->entries[idx].drop;
	if (outcome->drop != LATH_DROP_NONE)
		outcome->action = LATH_FRAG_DROP;
	else
		add_to(table, idx, piece, handle, outcome);
}

/* ---- time --------------------------------------------------------------------------------- */

bool
lath_frag_expire(struct lath_frag_table *table, lath_tick_t now, struct lath_frag_list *dropped)
{
	uint32_t idx = table->by_age.head;

	if (idx == FRAG_NONE ||
			!lath_tick_reached(now, table->entries[idx].started + table->timeout))
		return false;
	*dropped = (struct lath_frag_list){FRAG_NONE, FRAG_NONE};
	end(table, idx, dropped, LATH_DROP_fragment_timeout);
	return true;
}

bool
lath_frag_end_oldest(struct lath_frag_table *table, struct lath_frag_list *dropped)
{
	uint32_t idx = table->by_age.head;

	if (idx == FRAG_NONE)
		return false;
	*dropped = (struct lath_frag_list){FRAG_NONE, FRAG_NONE};
	end(table, idx, dropped, LATH_DROP_fragment_timeout);
	return true;
}

uint32_t
lath_frag_datagrams(const struct lath_frag_table *table)
{
	return table->datagrams.all;
}

uint32_t
lath_frag_held(const struct lath_frag_table *table)
{
	return table->held.all;
}
