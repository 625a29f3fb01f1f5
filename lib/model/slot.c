/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Stable indexes. An object is known by a digest of its identity; whoever comes back while its
 * index still rests gets the same one. A new object takes an index that was never given, and only
 * when there is none the one that has rested longest, if no flow names it and no kept target stands on
 * it. An index released by this very update is never given again by it: workers still read the
 * model that has the old owner. Cost: O(objects) an update.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_private.h"

/* Slots by digest; a value is index + 1, 0 is empty. */
struct lookup {
	uint32_t *cells;
	uint32_t mask;
};

static uint32_t
digest_start(const struct digest *digest)
{
	uint32_t start;

	memcpy(&start, digest->bytes, sizeof(start));
	return start;
}

static void
lookup_insert(struct lookup *lookup, const struct digest *digest, uint32_t index)
{
	uint32_t cell = digest_start(digest) & lookup->mask;

	while (lookup->cells[cell] != 0)
		cell = (cell + 1) & lookup->mask;
	lookup->cells[cell] = index + 1;
}

/* With room for `more` objects. */
static int
lookup_init(struct lookup *lookup, const struct slot *slots, uint32_t high, uint32_t more)
{
	uint32_t cells = table_slots_for(high + more);

	lookup->cells = calloc(cells, sizeof(*lookup->cells));
	if (lookup->cells == NULL)
		return lath_err(ENOMEM);
	lookup->mask = cells - 1;
	for (uint32_t i = 0; i < high; i++) {
		if (slots[i].use != SLOT_FREE && slots[i].use != SLOT_RESERVED)
			lookup_insert(lookup, &slots[i].digest, i);
	}
	return 0;
}

static uint32_t
lookup_find(const struct lookup *lookup, const struct slot *slots, const struct digest *digest)
{
	uint32_t cell = digest_start(digest) & lookup->mask;

	for (; lookup->cells[cell] != 0; cell = (cell + 1) & lookup->mask) {
		uint32_t index = lookup->cells[cell] - 1;

		if (memcmp(&slots[index].digest, digest, sizeof(*digest)) == 0)
			return index;
	}
	return LATH_MODEL_NONE;
}

/* Indexes that may be given to somebody else, the one that rested longest first. */
struct resting {
	uint32_t *indexes;
	uint32_t count;
	uint32_t next;
};

static int
compare_released(const void *a, const void *b, void *arg)
{
	const struct slot *slots = arg;
	uint32_t ia = *(const uint32_t *)a;
	uint32_t ib = *(const uint32_t *)b;
	uint64_t ra = slots[ia].released;
	uint64_t rb = slots[ib].released;

	if (ra != rb)
		return ra < rb ? -1 : 1;
	return ia < ib ? -1 : ia > ib;
}

/* Kept targets stand on their group and their VPC: a flow names the target only. */
static void
mark_pinned(const struct draft *draft, enum lath_object_kind kind, bool *pinned)
{
	if (kind != LATH_OBJECT_GROUP && kind != LATH_OBJECT_VPC)
		return;
	for (uint32_t i = 0; i < draft->high[LATH_OBJECT_TARGET]; i++) {
		const struct lath_model_target *target;

		if (draft->targets[i].phase == TARGET_FREE)
			continue;
		target = draft_target(draft, i);
		pinned[kind == LATH_OBJECT_GROUP ? target->group : target->vpc] = true;
	}
}

static int
resting_init(struct resting *resting, const struct draft *draft, enum lath_object_kind kind)
{
	uint32_t high = draft->high[kind];
	bool *pinned = calloc((size_t)high + 1, sizeof(*pinned));

	resting->indexes = calloc((size_t)high + 1, sizeof(*resting->indexes));
	if (pinned == NULL || resting->indexes == NULL) {
		free(pinned);
		return lath_err(ENOMEM);
	}
	mark_pinned(draft, kind, pinned);
	for (uint32_t i = 0; i < high; i++) {
		const struct slot *slot = &draft->slots[kind][i];

		if (slot->use == SLOT_RELEASED && slot->released != draft->serial && !pinned[i])
			resting->indexes[resting->count++] = i;
	}
	free(pinned);
	qsort_r(resting->indexes, resting->count, sizeof(*resting->indexes), compare_released,
			draft->slots[kind]);
	return 0;
}

/* What the limit is called where an operator can raise it; the others follow from these. */
static const struct {
	const char *pointer;
	const char *name;
} limit_names[LATH_OBJECT_KIND_COUNT] = {
		[LATH_OBJECT_VPC] = {"/system/memory/maxVpcs", "maxVpcs"},
		[LATH_OBJECT_SERVICE] = {"/system/memory/maxServices", "maxServices"},
		[LATH_OBJECT_RULE] = {"", "The limit of rules"},
		[LATH_OBJECT_GROUP] = {"/system/memory/maxTargetGroups", "maxTargetGroups"},
		[LATH_OBJECT_TARGET] = {"/system/memory/maxTargets", "maxTargets"},
		[LATH_OBJECT_ATTACHMENT] = {"", "The limit of attachments"},
};

/* 4096 -> "4,096". */
static const char *
with_commas(uint32_t value, char out[16])
{
	if (value >= 1000000)
		snprintf(out, 16, "%u,%03u,%03u", value / 1000000, value / 1000 % 1000,
				value % 1000);
	else if (value >= 1000)
		snprintf(out, 16, "%u,%03u", value / 1000, value % 1000);
	else
		snprintf(out, 16, "%u", value);
	return out;
}

static int
used_up(const struct draft *draft, enum lath_object_kind kind, uint32_t wanted,
		struct lath_error *err)
{
	uint32_t max = draft->registry->limits.max[kind];
	uint32_t usable = kind == LATH_OBJECT_VPC && max > 0 ? max - 1 : max;
	char limit_text[16];
	char wanted_text[16];

	with_commas(max, limit_text);
	with_commas(wanted, wanted_text);
	if (wanted > usable)
		lath_error_set(err, limit_names[kind].pointer,
				"%s %s is used up: the configuration has %s%s.",
				limit_names[kind].name, limit_text, wanted_text,
				kind == LATH_OBJECT_VPC ? " and the host port takes one" : "");
	else
		lath_error_set(err, limit_names[kind].pointer,
				"%s %s is used up: the configuration has %s, and what was removed "
				"before still has living flows or was removed only now; try again "
				"later or raise the limit.",
				limit_names[kind].name, limit_text, wanted_text);
	return lath_err(ENOSPC);
}

static uint32_t
take_index(struct draft *draft, enum lath_object_kind kind, struct resting *resting)
{
	const struct lath_registry *registry = draft->registry;

	if (draft->high[kind] < registry->limits.max[kind])
		return draft->high[kind]++;
	while (resting->next < resting->count) {
		uint32_t index = resting->indexes[resting->next++];

		if (registry->in_use == NULL ||
				!registry->in_use(registry->in_use_ctx, kind, index))
			return index;
	}
	return LATH_MODEL_NONE;
}

static int
refuse_twice(struct lath_error *err)
{
	lath_error_set(err, "", "The same object is configured twice.");
	return lath_err(EEXIST);
}

/* Those that had an index before; the others get LATH_MODEL_NONE for now. */
static int
match_known(struct draft *draft, struct slot *slots, const struct lookup *lookup,
		const struct digest *digests, uint32_t count, uint32_t *indexes, bool *fresh,
		struct lath_error *err)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t index = lookup_find(lookup, slots, &digests[i]);

		indexes[i] = index;
		fresh[i] = true;
		if (index == LATH_MODEL_NONE)
			continue;
		if (slots[index].seen == draft->serial)
			return refuse_twice(err);
		fresh[i] = slots[index].use == SLOT_RELEASED;
		slots[index].seen = draft->serial;
		slots[index].use = SLOT_LIVE;
	}
	return 0;
}

static void
release_unseen(struct draft *draft, enum lath_object_kind kind)
{
	for (uint32_t i = 0; i < draft->high[kind]; i++) {
		struct slot *slot = &draft->slots[kind][i];

		if (slot->use != SLOT_LIVE || slot->seen == draft->serial)
			continue;
		slot->use = kind == LATH_OBJECT_TARGET ? SLOT_KEPT : SLOT_RELEASED;
		slot->released = draft->serial;
	}
}

/* Indexes for those that match_known() did not know. */
static int
give_new(struct draft *draft, enum lath_object_kind kind, struct lookup *lookup,
		const struct digest *digests, uint32_t count, uint32_t *indexes,
		struct lath_error *err)
{
	struct slot *slots = draft->slots[kind];
	struct resting resting = {.indexes = NULL};
	int rc = resting_init(&resting, draft, kind);

	for (uint32_t i = 0; i < count && rc == 0; i++) {
		if (indexes[i] != LATH_MODEL_NONE)
			continue;
		if (lookup_find(lookup, slots, &digests[i]) != LATH_MODEL_NONE) {
			rc = refuse_twice(err);
			break;
		}
		indexes[i] = take_index(draft, kind, &resting);
		if (indexes[i] == LATH_MODEL_NONE) {
			rc = used_up(draft, kind, count, err);
			break;
		}
		slots[indexes[i]].digest = digests[i];
		slots[indexes[i]].seen = draft->serial;
		slots[indexes[i]].use = SLOT_LIVE;
		lookup_insert(lookup, &digests[i], indexes[i]);
	}
	free(resting.indexes);
	return rc;
}

int
lath_model_slots_assign(struct draft *draft, enum lath_object_kind kind,
		const struct digest *digests, uint32_t count, uint32_t *indexes, bool *fresh,
		struct lath_error *err)
{
	struct slot *slots = draft->slots[kind];
	struct lookup lookup;
	int rc = lookup_init(&lookup, slots, draft->high[kind], count);

	if (rc < 0)
		return rc;
	rc = match_known(draft, slots, &lookup, digests, count, indexes, fresh, err);
	if (rc == 0) {
		release_unseen(draft, kind);
		rc = give_new(draft, kind, &lookup, digests, count, indexes, err);
	}
	free(lookup.cells);
	return rc;
}

int
lath_model_positions_set(struct positions *positions, const uint32_t *indexes, uint32_t count,
		const uint32_t *firsts, uint32_t parent_count)
{
	struct image *index_image = lath_model_image_create(sizeof(uint32_t) * ((size_t)count + 1));
	struct image *first_image = NULL;

	if (firsts != NULL)
		first_image = lath_model_image_create(sizeof(uint32_t) *
				((size_t)parent_count + 1));
	if (index_image == NULL || (firsts != NULL && first_image == NULL)) {
		lath_model_image_put(index_image);
		lath_model_image_put(first_image);
		return lath_err(ENOMEM);
	}
	if (count > 0)
		memcpy(index_image->bytes, indexes, sizeof(*indexes) * count);
	index_image->size = (uint32_t)(sizeof(*indexes) * count);
	if (firsts != NULL)
		memcpy(first_image->bytes, firsts, sizeof(*firsts) * ((size_t)parent_count + 1));
	lath_model_image_put(positions->indexes);
	lath_model_image_put(positions->first);
	positions->indexes = index_image;
	positions->first = first_image;
	return 0;
}

uint32_t
lath_model_positions_get(const struct positions *positions, uint32_t position, uint32_t child)
{
	const uint32_t *indexes;

	if (positions->indexes == NULL)
		return LATH_MODEL_NONE;
	indexes = image_read(positions->indexes);
	if (positions->first != NULL) {
		const uint32_t *first = image_read(positions->first);
		uint32_t parents = positions->first->size / sizeof(*first) - 1;

		if (position >= parents || child >= first[position + 1] - first[position])
			return LATH_MODEL_NONE;
		return indexes[first[position] + child];
	}
	if (position >= positions->indexes->size / sizeof(*indexes))
		return LATH_MODEL_NONE;
	return indexes[position];
}
