/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Which targets of a group take new flows, and the table that spreads flows over them.
 *
 * Eligible are the targets of weight > 0 that are registered and of the best health that the group
 * has: the healthy ones; else those without a result yet; else all of them (fail open). They are
 * ordered by key, never by position in a file, so every gateway has the same table. An image ends
 * with what its table was made from (keys and weights, which a model has no use for): when that is
 * as it was, so is the table, and neither is made again.
 *
 * connectionTermination ends flows of an unhealthy target only while the group has something
 * better: in fail open the target keeps taking traffic, and ending its flows would help nobody.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lath_maglev.h>

#include "model_private.h"

/* ---- configuration ----------------------------------------------------------------------- */

static int
set_group(struct update *u, const struct lath_config_group *cfg, uint32_t index)
{
	struct draft *draft = u->draft;
	struct image *image = lath_model_image_create(sizeof(struct lath_model_group));
	struct lath_model_group *group;

	if (image == NULL)
		return lath_err(ENOMEM);
	group = (struct lath_model_group *)image->bytes;
	group->index = index;
	group->key = cfg->identity.key;
	snprintf(group->id, sizeof(group->id), "%s", cfg->identity.id);
	snprintf(group->name, sizeof(group->name), "%s", cfg->identity.name);
	lath_model_image_settle(&draft->group_heads[index], image, &draft->registry->next_stamp);
	draft->groups[index].check_enabled = cfg->health_check.enabled;
	draft->groups[index].termination = cfg->connection_termination;
	draft->groups[index].delay_s = cfg->deregistration_delay_s;
	return 0;
}

/* Records of removed groups stay: their targets drain by them. */
static void
drop_groups(struct draft *draft)
{
	uint64_t *next_stamp = &draft->registry->next_stamp;

	for (uint32_t i = 0; i < draft->high[LATH_OBJECT_GROUP]; i++) {
		if (draft->slots[LATH_OBJECT_GROUP][i].use != SLOT_RELEASED)
			continue;
		lath_model_image_settle(&draft->group_heads[i], NULL, next_stamp);
		lath_model_image_settle(&draft->images[LATH_OBJECT_GROUP][i], NULL, next_stamp);
	}
}

int
lath_model_groups_take(struct update *u)
{
	const struct lath_config *cfg = u->cfg;
	size_t room = (size_t)cfg->group_count + 1;
	struct digest *digests = calloc(room, sizeof(*digests));
	uint32_t *indexes = calloc(room, sizeof(*indexes));
	bool *fresh = calloc(room, sizeof(*fresh));
	int rc = digests == NULL || indexes == NULL || fresh == NULL ? -ENOMEM : 0;

	for (uint32_t i = 0; i < cfg->group_count && rc == 0; i++)
		rc = lath_model_digester_run(u->digester, cfg->groups[i].identity.id, &digests[i]);
	if (rc == 0)
		rc = lath_model_slots_assign(u->draft, LATH_OBJECT_GROUP, digests, cfg->group_count,
				indexes, fresh, u->err);
	if (rc == 0)
		drop_groups(u->draft);
	for (uint32_t i = 0; i < cfg->group_count && rc == 0; i++)
		rc = set_group(u, &cfg->groups[i], indexes[i]);
	if (rc == 0)
		rc = lath_model_positions_set(&u->draft->positions[LATH_OBJECT_GROUP], indexes,
				cfg->group_count, NULL, 0);
	free(digests);
	free(indexes);
	free(fresh);
	return rc;
}

/* ---- eligible targets -------------------------------------------------------------------- */

struct eligible {
	uint64_t key;
	uint32_t index;
	uint32_t weight;
};

/* Registered targets by group, and room for one group's eligible ones. */
struct members {
	uint32_t *firsts; /* by group index */
	uint32_t *targets;
	struct eligible *eligible;
	uint32_t *weights;
	uint64_t *keys;
	uint8_t *inputs; /* an image up to its table */
};

/* What stands before a group's table in its image. */
static size_t
inputs_size(uint32_t count)
{
	return IMAGE_ROOM(1, sizeof(struct lath_model_group)) +
			IMAGE_ROOM(count, sizeof(uint32_t)) + IMAGE_ROOM(count, sizeof(uint64_t)) +
			IMAGE_ROOM(count, sizeof(uint32_t));
}

static int
members_init(struct members *members, const struct draft *draft)
{
	uint32_t groups = draft->high[LATH_OBJECT_GROUP];
	uint32_t targets = draft->high[LATH_OBJECT_TARGET];

	members->firsts = calloc((size_t)groups + 2, sizeof(*members->firsts));
	members->targets = calloc((size_t)targets + 1, sizeof(*members->targets));
	members->eligible = calloc((size_t)targets + 1, sizeof(*members->eligible));
	members->weights = calloc((size_t)targets + 1, sizeof(*members->weights));
	members->keys = calloc((size_t)targets + 1, sizeof(*members->keys));
	members->inputs = calloc(1, inputs_size(targets));
	if (members->firsts == NULL || members->targets == NULL || members->eligible == NULL ||
			members->weights == NULL || members->keys == NULL ||
			members->inputs == NULL)
		return lath_err(ENOMEM);
	/* Counting sort; firsts is one ahead until the second loop has moved it back. */
	for (uint32_t i = 0; i < targets; i++) {
		if (draft->targets[i].phase == TARGET_LIVE)
			members->firsts[draft_target(draft, i)->group + 2]++;
	}
	for (uint32_t i = 2; i < groups + 2; i++)
		members->firsts[i] += members->firsts[i - 1];
	for (uint32_t i = 0; i < targets; i++) {
		if (draft->targets[i].phase == TARGET_LIVE)
			members->targets[members->firsts[draft_target(draft, i)->group + 1]++] = i;
	}
	return 0;
}

static void
members_fini(struct members *members)
{
	free(members->firsts);
	free(members->targets);
	free(members->eligible);
	free(members->weights);
	free(members->keys);
	free(members->inputs);
}

/* Better health, lower number; what a probe does not report counts as no result. */
static unsigned
rank_of(uint8_t health)
{
	return health == LATH_TARGET_HEALTHY ? 0 : health == LATH_TARGET_UNHEALTHY ? 2 : 1;
}

static int
compare_eligible(const void *a, const void *b)
{
	const struct eligible *ea = a;
	const struct eligible *eb = b;

	if (ea->key != eb->key)
		return ea->key < eb->key ? -1 : 1;
	return ea->index < eb->index ? -1 : ea->index > eb->index;
}

/* Finds the best health and the targets that have it; returns how many. */
static uint32_t
choose_eligible(const struct draft *draft, const uint8_t *health, const uint32_t *targets,
		uint32_t count, struct members *members, unsigned *best)
{
	uint32_t chosen = 0;

	*best = 3;
	for (uint32_t i = 0; i < count; i++) {
		if (draft_target(draft, targets[i])->weight > 0 &&
				rank_of(health[targets[i]]) < *best)
			*best = rank_of(health[targets[i]]);
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct lath_model_target *target = draft_target(draft, targets[i]);

		if (target->weight == 0 || rank_of(health[targets[i]]) != *best)
			continue;
		members->eligible[chosen].key = target->key;
		members->eligible[chosen].index = targets[i];
		members->eligible[chosen].weight = target->weight;
		chosen++;
	}
	qsort(members->eligible, chosen, sizeof(*members->eligible), compare_eligible);
	return chosen;
}

static int
set_states(struct draft *draft, const uint8_t *health, const uint32_t *targets, uint32_t count,
		bool termination)
{
	static const enum lath_target_state states[] = {
			LATH_TARGET_HEALTHY, LATH_TARGET_INITIAL, LATH_TARGET_UNHEALTHY};

	for (uint32_t i = 0; i < count; i++) {
		enum lath_target_state state = states[rank_of(health[targets[i]])];

		if (state == LATH_TARGET_UNHEALTHY && termination)
			state = LATH_TARGET_TERMINATED;
		if (lath_model_target_set_state(draft, targets[i], state) < 0)
			return lath_err(ENOMEM);
	}
	return 0;
}

/* ---- image and table --------------------------------------------------------------------- */

/* Writes all but the table to members->inputs; returns how long that is. */
static size_t
write_inputs(const struct draft *draft, uint32_t index, struct members *members, uint32_t count,
		bool fail_open)
{
	const struct image *head = draft->group_heads[index];
	uint8_t *bytes = members->inputs;
	size_t size = inputs_size(count);
	size_t used = IMAGE_ROOM(1, sizeof(struct lath_model_group));
	struct lath_model_group *group = (struct lath_model_group *)bytes;
	uintptr_t offset = used;

	memset(bytes, 0, size);
	memcpy(group, image_read(head), sizeof(*group));
	group->target_count = count;
	group->fail_open = fail_open;
	for (uint32_t i = 0; i < count; i++) {
		memcpy(bytes + used + i * sizeof(uint32_t), &members->eligible[i].index,
				sizeof(uint32_t));
		members->keys[i] = members->eligible[i].key;
		members->weights[i] = members->eligible[i].weight;
	}
	if (count == 0)
		return size;
	memcpy(&group->targets, &offset, sizeof(offset));
	used += IMAGE_ROOM(count, sizeof(uint32_t));
	memcpy(bytes + used, members->keys, sizeof(*members->keys) * count);
	used += IMAGE_ROOM(count, sizeof(uint64_t));
	memcpy(bytes + used, members->weights, sizeof(*members->weights) * count);
	if (count > 1) {
		offset = size;
		memcpy(&group->table, &offset, sizeof(offset));
		group->table_size = lath_maglev_size(members->weights, count);
	}
	return size;
}

static int
settle_image(struct draft *draft, uint32_t index, struct members *members, uint32_t count,
		bool fail_open)
{
	struct image **place = &draft->images[LATH_OBJECT_GROUP][index];
	size_t size = write_inputs(draft, index, members, count, fail_open);
	uint32_t table_size = ((const struct lath_model_group *)members->inputs)->table_size;
	size_t whole = size + IMAGE_ROOM(table_size, sizeof(uint16_t));
	size_t head = sizeof(struct lath_model_group); /* a name or fail_open may change alone */
	struct image *image;
	int rc = 0;

	if (*place != NULL && (*place)->size == whole &&
			memcmp((*place)->bytes, members->inputs, size) == 0)
		return 0;
	image = lath_model_image_create(whole);
	if (image == NULL)
		return lath_err(ENOMEM);
	memcpy(image->bytes, members->inputs, size);
	if (*place != NULL && (*place)->size == whole &&
			memcmp((*place)->bytes + head, members->inputs + head, size - head) == 0)
		memcpy(image->bytes + size, (*place)->bytes + size, whole - size);
	else if (table_size > 0)
		rc = lath_maglev_build((uint16_t *)(image->bytes + size), table_size, members->keys,
				members->weights, count, &lath_heap);
	if (rc < 0) {
		lath_model_image_put(image);
		return rc;
	}
	lath_model_image_settle(place, image, &draft->registry->next_stamp);
	return 0;
}

static int
settle_group(struct update *u, uint32_t index, struct members *members)
{
	struct draft *draft = u->draft;
	const uint32_t *targets = members->targets + members->firsts[index];
	uint32_t count = members->firsts[index + 1] - members->firsts[index];
	uint32_t chosen;
	unsigned best;
	int rc;

	for (uint32_t i = 0; i < count && !draft->groups[index].check_enabled; i++)
		u->health[targets[i]] = LATH_TARGET_HEALTHY;
	chosen = choose_eligible(draft, u->health, targets, count, members, &best);
	rc = set_states(draft, u->health, targets, count,
			draft->groups[index].termination && best < 2);
	if (rc < 0)
		return rc;
	rc = settle_image(draft, index, members, chosen, best == 2);
	if (rc == -EINVAL) {
		const struct lath_model_group *group = image_read(draft->group_heads[index]);

		lath_error_set(u->err, "", "Target group %s has %u targets; at most %u fit.",
				group->name, chosen, LATH_MAGLEV_TARGETS_MAX);
	}
	return rc;
}

int
lath_model_groups_settle(struct update *u)
{
	struct draft *draft = u->draft;
	struct members members = {.firsts = NULL};
	int rc = members_init(&members, draft);

	for (uint32_t i = 0; i < draft->high[LATH_OBJECT_GROUP] && rc == 0; i++) {
		if (draft->slots[LATH_OBJECT_GROUP][i].use == SLOT_LIVE)
			rc = settle_group(u, i, &members);
	}
	members_fini(&members);
	return rc;
}
