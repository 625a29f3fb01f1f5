/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * From rules to a table: every rule becomes one *entry* a protocol and family; entries are sorted
 * by tuple and key, each run of the same is a node, and its spans are painted in the order of
 * numbers, each port once.
 */
#include <stdlib.h>

#include "acl_private.h"

struct entry {
	struct tuple tuple; /* lowest: its own number */
	uint64_t key[2];
	uint32_t rule; /* number << 1 | allows */
	uint16_t first_port;
	uint16_t last_port;
};

struct build {
	struct entry *entries;
	uint32_t entry_count;
	struct tuple *tuples;
	uint32_t tuple_count;
	struct slot *nodes; /* in the order of entries; later put into slots */
	uint32_t node_count;
	struct span *spans;
	uint32_t span_count;
};

/* ---- entries ----------------------------------------------------------------------------- */

static void
add_entry(struct build *b, const struct lath_acl_rule *rule, uint8_t protocol, uint8_t kind)
{
	bool ports = rule->protocol != LATH_ACL_ANY && protocol != LATH_ACL_ICMP;
	bool whole = rule->peer == LATH_ACL_PEER_ANY;
	struct entry *entry = &b->entries[b->entry_count++];

	*entry = (struct entry){
			.tuple = {.lowest = rule->number,
					.protocol = protocol,
					.kind = kind,
					.bits = kind == KIND_VPC || whole ? 0 : rule->prefix.bits},
			.rule = rule->number << 1 | rule->allows,
			.first_port = ports ? rule->first_port : 0,
			.last_port = ports ? rule->last_port : UINT16_MAX,
	};
	key_of(&entry->tuple, &rule->prefix.ip, rule->vpc, entry->key);
}

static void
add_rule(struct build *b, const struct lath_acl_rule *rule)
{
	for (uint8_t protocol = 0; protocol < LATH_ACL_ANY; protocol++) {
		if (rule->protocol != LATH_ACL_ANY && rule->protocol != protocol)
			continue;
		switch ((enum lath_acl_peer)rule->peer) {
		case LATH_ACL_PEER_ANY:
			add_entry(b, rule, protocol, KIND_V4);
			add_entry(b, rule, protocol, KIND_V6);
			break;
		case LATH_ACL_PEER_PREFIX:
			add_entry(b, rule, protocol,
					lath_ip_is_v4(&rule->prefix.ip) ? KIND_V4 : KIND_V6);
			break;
		case LATH_ACL_PEER_VPC:
			add_entry(b, rule, protocol, KIND_VPC);
			break;
		}
	}
}

static int
compare_tuples(const struct tuple *a, const struct tuple *b)
{
	if (a->protocol != b->protocol)
		return a->protocol < b->protocol ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return a->bits < b->bits ? -1 : a->bits > b->bits;
}

static int
compare_nodes(const struct entry *a, const struct entry *b)
{
	int order = compare_tuples(&a->tuple, &b->tuple);

	return order != 0 ? order : memcmp(a->key, b->key, sizeof(a->key));
}

static int
compare_entries(const void *a, const void *b)
{
	const struct entry *one = a;
	const struct entry *two = b;
	int order = compare_nodes(one, two);

	if (order != 0)
		return order;
	return one->rule < two->rule ? -1 : one->rule > two->rule;
}

/* ---- spans ------------------------------------------------------------------------------- */

static int
compare_begins(const void *a, const void *b)
{
	uint32_t one = ((const struct span *)a)->begin;
	uint32_t two = ((const struct span *)b)->begin;

	return one < two ? -1 : one > two;
}

/* The first span from `at` on that has no rule yet; `next` leads over those that have. */
static uint32_t
unpainted(uint32_t *next, uint32_t at)
{
	while (next[at] != at) {
		next[at] = next[next[at]];
		at = next[at];
	}
	return at;
}

/* The spans of a node's entries, at `spans` with room for 2 x count + 1; `next` for one more. */
static uint32_t
paint(const struct entry *entries, uint32_t count, struct span *spans, uint32_t *next)
{
	uint32_t found = 0;
	uint32_t kept = 0;

	spans[found++] = (struct span){0, SPAN_NONE};
	for (uint32_t i = 0; i < count; i++) {
		spans[found++] = (struct span){entries[i].first_port, SPAN_NONE};
		if (entries[i].last_port < UINT16_MAX)
			spans[found++] = (struct span){entries[i].last_port + 1u, SPAN_NONE};
	}
	qsort(spans, found, sizeof(*spans), compare_begins);
	for (uint32_t i = 0; i < found; i++) {
		if (kept == 0 || spans[kept - 1].begin != spans[i].begin)
			spans[kept++] = spans[i];
	}
	for (uint32_t i = 0; i <= kept; i++)
		next[i] = i;
	for (uint32_t i = 0; i < count; i++) {
		struct span from = {entries[i].first_port, 0};
		const struct span *begin = bsearch(&from, spans, kept, sizeof(from),
				compare_begins);
		uint32_t at = unpainted(next, (uint32_t)(begin - spans));

		for (; at < kept && spans[at].begin <= entries[i].last_port;
				at = unpainted(next, at)) {
			spans[at].rule = entries[i].rule;
			next[at] = at + 1;
		}
	}
	return kept;
}

/* Neighbours that say the same become one. */
static uint32_t
merge(struct span *spans, uint32_t count)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (kept == 0 || spans[kept - 1].rule != spans[i].rule)
			spans[kept++] = spans[i];
	}
	return kept;
}

/* ---- nodes and tuples -------------------------------------------------------------------- */

static void
make_nodes(struct build *b, uint32_t *next)
{
	const struct entry *entries = b->entries;

	for (uint32_t first = 0, end = 0; first < b->entry_count; first = end) {
		struct span *spans = b->spans + b->span_count;
		struct slot *node = &b->nodes[b->node_count++];
		struct tuple *tuple = b->tuple_count == 0 ? NULL : &b->tuples[b->tuple_count - 1];

		while (end < b->entry_count && compare_nodes(&entries[first], &entries[end]) == 0)
			end++;
		if (tuple == NULL || compare_tuples(tuple, &entries[first].tuple) != 0) {
			tuple = &b->tuples[b->tuple_count++];
			*tuple = entries[first].tuple;
		}
		tuple->lowest = lath_min_u32(tuple->lowest, entries[first].tuple.lowest);
		*node = (struct slot){
				.key = {entries[first].key[0], entries[first].key[1]},
				.tuple = b->tuple_count - 1,
				.first = b->span_count,
				.count = merge(spans,
						paint(&entries[first], end - first, spans, next)),
		};
		b->span_count += node->count;
	}
}

static int
compare_lowest(const void *a, const void *b)
{
	const struct tuple *one = a;
	const struct tuple *two = b;

	if (one->lowest != two->lowest)
		return one->lowest < two->lowest ? -1 : 1;
	return compare_tuples(one, two);
}

/* Tuples by their lowest number; nodes keep pointing to theirs. 0 or -ENOMEM. */
static int
sort_tuples(struct build *b)
{
	struct tuple *before = calloc(b->tuple_count + 1u, sizeof(*before));
	uint32_t *places = calloc(b->tuple_count + 1u, sizeof(*places));

	if (before == NULL || places == NULL) {
		free(before);
		free(places);
		return lath_err(ENOMEM);
	}
	memcpy(before, b->tuples, b->tuple_count * sizeof(*before));
	qsort(b->tuples, b->tuple_count, sizeof(*b->tuples), compare_lowest);
	/* At most 3 x (33 + 129 + 1) tuples. */
	for (uint32_t i = 0; i < b->tuple_count; i++) {
		while (compare_lowest(&before[i], &b->tuples[places[i]]) != 0)
			places[i]++;
	}
	for (uint32_t i = 0; i < b->node_count; i++)
		b->nodes[i].tuple = places[b->nodes[i].tuple];
	free(before);
	free(places);
	return 0;
}

/* ---- the block --------------------------------------------------------------------------- */

static struct lath_acl *
make_block(const struct build *b)
{
	uint32_t slot_count = 2;
	struct lath_acl head = {.tuple_count = b->tuple_count, .span_count = b->span_count};
	struct lath_acl *acl;
	struct slot *slots;

	while (slot_count < 2 * b->node_count)
		slot_count *= 2;
	head.slot_mask = slot_count - 1;
	head.tuples = sizeof(head);
	head.slots = head.tuples + b->tuple_count * (uint32_t)sizeof(struct tuple);
	head.spans = head.slots + slot_count * (uint32_t)sizeof(struct slot);
	head.size = head.spans + b->span_count * (uint32_t)sizeof(struct span);
	acl = calloc(1, head.size);
	if (acl == NULL)
		return lath_null(ENOMEM);
	*acl = head;
	memcpy((char *)acl + head.tuples, b->tuples, b->tuple_count * sizeof(struct tuple));
	memcpy((char *)acl + head.spans, b->spans, b->span_count * sizeof(struct span));
	slots = (void *)((char *)acl + head.slots);
	for (uint32_t i = 0; i < slot_count; i++)
		slots[i].tuple = LATH_ACL_NONE;
	for (uint32_t i = 0; i < b->node_count; i++) {
		uint32_t at = hash_of(b->nodes[i].key, b->nodes[i].tuple) & head.slot_mask;

		while (slots[at].tuple != LATH_ACL_NONE)
			at = (at + 1) & head.slot_mask;
		slots[at] = b->nodes[i];
	}
	return acl;
}

struct lath_acl *
lath_acl_build(const struct lath_acl_rule *rules, uint32_t count)
{
	size_t most = (size_t)count * LATH_ACL_ANY * 2 + 1; /* entries of a rule: 3 x 2 */
	struct build b = {.entry_count = 0};
	struct lath_acl *acl = NULL;
	uint32_t *next;

	if (count > LATH_ACL_RULES_MAX)
		return lath_null(E2BIG);
	b.entries = calloc(most, sizeof(*b.entries));
	b.tuples = calloc(most, sizeof(*b.tuples));
	b.nodes = calloc(most, sizeof(*b.nodes));
	b.spans = calloc(3 * most, sizeof(*b.spans));
	next = calloc(2 * most + 2, sizeof(*next));
	if (b.entries != NULL && b.tuples != NULL && b.nodes != NULL && b.spans != NULL &&
			next != NULL) {
		for (uint32_t i = 0; i < count; i++)
			add_rule(&b, &rules[i]);
		qsort(b.entries, b.entry_count, sizeof(*b.entries), compare_entries);
		make_nodes(&b, next);
		if (sort_tuples(&b) == 0)
			acl = make_block(&b);
	} else {
		errno = ENOMEM;
	}
	free(b.entries);
	free(b.tuples);
	free(b.nodes);
	free(b.spans);
	free(next);
	return acl;
}
