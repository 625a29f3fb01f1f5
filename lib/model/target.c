/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Targets from registration to oblivion.
 *
 *            registered                delay over               no flow names it
 *   (none) ------------> LIVE ... DRAINING -----------> ENDED -----------------> (none)
 *                         ^  removed |                    |
 *                         +----------+                    |  as a new target: health begins anew
 *                         ^  back: same index, same health|
 *                         +-------------------------------+
 *
 * A target of a VPC that is no more ends at once, and hard: nothing can reach it. Other targets
 * keep what their group said when they left: its delay and connectionTermination.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_private.h"

int
lath_model_target_set_state(struct draft *draft, uint32_t index, enum lath_target_state state)
{
	struct image **place = &draft->images[LATH_OBJECT_TARGET][index];
	const struct lath_model_target *old = image_read(*place);
	struct lath_model_target *target;
	bool live = draft->targets[index].phase == TARGET_LIVE;
	struct image *image;

	if (old->state == state && (live || old->check_port == 0))
		return 0;
	image = lath_model_image_create(sizeof(*target));
	if (image == NULL)
		return lath_err(ENOMEM);
	target = (struct lath_model_target *)image->bytes;
	memcpy(target, old, sizeof(*target));
	target->state = state;
	if (!live)
		target->check_port = 0;
	lath_model_image_settle(place, image, &draft->registry->next_stamp);
	return 0;
}

/* ---- registered targets ------------------------------------------------------------------ */

/* What lath_model_targets_take() works with; targets in the order of the configuration. */
struct target_indexes {
	struct digest *digests;
	uint32_t *indexes;
	bool *fresh;
	uint32_t *firsts; /* by group position */
	uint32_t count;
};

static int
target_indexes_init(struct target_indexes *x, const struct lath_config *cfg)
{
	x->firsts = calloc((size_t)cfg->group_count + 1, sizeof(*x->firsts));
	if (x->firsts == NULL)
		return lath_err(ENOMEM);
	for (uint32_t i = 0; i < cfg->group_count; i++) {
		x->firsts[i] = x->count;
		x->count += cfg->groups[i].target_count;
	}
	x->firsts[cfg->group_count] = x->count;
	x->digests = calloc((size_t)x->count + 1, sizeof(*x->digests));
	x->indexes = calloc((size_t)x->count + 1, sizeof(*x->indexes));
	x->fresh = calloc((size_t)x->count + 1, sizeof(*x->fresh));
	if (x->digests == NULL || x->indexes == NULL || x->fresh == NULL)
		return lath_err(ENOMEM);
	return 0;
}

static void
target_indexes_fini(struct target_indexes *x)
{
	free(x->digests);
	free(x->indexes);
	free(x->fresh);
	free(x->firsts);
}

/* A target is its group, VPC, protocol, address and port: change one and it is another target. */
static int
digest_targets(struct update *u, struct target_indexes *x)
{
	char text[2 * LATH_CONFIG_ID_MAX + LATH_IP_TEXT_MAX + 16];
	char ip[LATH_IP_TEXT_MAX];
	uint32_t count = 0;

	for (uint32_t i = 0; i < u->cfg->group_count; i++) {
		const struct lath_config_group *group = &u->cfg->groups[i];

		for (uint32_t j = 0; j < group->target_count; j++) {
			snprintf(text, sizeof(text), "%s/%s/%s/%s/%u", group->identity.id,
					u->cfg->vpcs[group->vpc].identity.id,
					group->protocol == LATH_CONFIG_UDP ? "udp" : "tcp",
					lath_ip_format(&group->targets[j].ip, ip),
					(unsigned)group->targets[j].port);
			if (lath_model_digester_run(u->digester, text, &x->digests[count++]) < 0)
				return -errno;
		}
	}
	return 0;
}

static int
set_target(struct update *u, const struct lath_config_group *group, uint32_t group_index,
		const struct lath_config_target *cfg, uint32_t index, bool fresh)
{
	struct draft *draft = u->draft;
	struct target_record *record = &draft->targets[index];
	struct image **place = &draft->images[LATH_OBJECT_TARGET][index];
	struct image *image = lath_model_image_create(sizeof(struct lath_model_target));
	bool check = group->health_check.enabled;
	struct lath_model_target *target;

	if (image == NULL)
		return lath_err(ENOMEM);
	fresh = fresh || record->phase == TARGET_ENDED || *place == NULL;
	target = (struct lath_model_target *)image->bytes;
	target->index = index;
	target->key = lath_model_digest_key(&draft->slots[LATH_OBJECT_TARGET][index].digest);
	target->ip = cfg->ip;
	target->port = cfg->port;
	target->proto = group->protocol == LATH_CONFIG_UDP ? IPPROTO_UDP : IPPROTO_TCP;
	target->vpc = lath_model_positions_get(&draft->positions[LATH_OBJECT_VPC], group->vpc, 0);
	target->group = group_index;
	target->weight = cfg->weight;
	if (check) {
		target->check_ip = cfg->ip;
		target->check_port = group->health_check.port != 0 ? group->health_check.port
								   : cfg->port;
	}
	if (fresh)
		target->state = check ? LATH_TARGET_INITIAL : LATH_TARGET_HEALTHY;
	else
		target->state = ((const struct lath_model_target *)image_read(*place))->state;
	if (fresh || !check)
		u->health[index] = check ? LATH_TARGET_INITIAL : LATH_TARGET_HEALTHY;
	memset(record, 0, sizeof(*record));
	record->phase = TARGET_LIVE;
	lath_model_image_settle(place, image, &draft->registry->next_stamp);
	return 0;
}

/* ---- targets that were removed ----------------------------------------------------------- */

static int
begin_draining(struct update *u, uint32_t index)
{
	struct draft *draft = u->draft;
	struct target_record *record = &draft->targets[index];
	const struct lath_model_target *target = draft_target(draft, index);
	const struct group_record *group = &draft->groups[target->group];

	record->phase = TARGET_DRAINING;
	record->until = u->now.tick + lath_ticks_from_seconds(group->delay_s);
	record->termination = group->termination;
	/* Ended flows stay ended, also when the target is deregistered before they notice. */
	record->terminated = target->state == LATH_TARGET_TERMINATED;
	return lath_model_target_set_state(draft, index,
			record->terminated ? LATH_TARGET_TERMINATED : LATH_TARGET_DRAINING);
}

int
lath_model_targets_take(struct update *u)
{
	struct draft *draft = u->draft;
	struct target_indexes x = {.digests = NULL};
	int rc = target_indexes_init(&x, u->cfg);
	uint32_t at = 0;

	if (rc == 0)
		rc = digest_targets(u, &x);
	if (rc == 0)
		rc = lath_model_slots_assign(draft, LATH_OBJECT_TARGET, x.digests, x.count,
				x.indexes, x.fresh, u->err);
	for (uint32_t i = 0; i < draft->high[LATH_OBJECT_TARGET] && rc == 0; i++) {
		if (draft->slots[LATH_OBJECT_TARGET][i].use == SLOT_KEPT &&
				draft->targets[i].phase == TARGET_LIVE)
			rc = begin_draining(u, i);
	}
	for (uint32_t i = 0; i < u->cfg->group_count && rc == 0; i++) {
		const struct lath_config_group *group = &u->cfg->groups[i];
		uint32_t index = lath_model_positions_get(&draft->positions[LATH_OBJECT_GROUP], i,
				0);

		for (uint32_t j = 0; j < group->target_count && rc == 0; j++, at++)
			rc = set_target(u, group, index, &group->targets[j], x.indexes[at],
					x.fresh[at]);
	}
	if (rc == 0)
		rc = lath_model_positions_set(&draft->positions[LATH_OBJECT_TARGET], x.indexes,
				x.count, x.firsts, u->cfg->group_count);
	target_indexes_fini(&x);
	return rc;
}

/* Forgets a target that ended in an earlier update and that no flow names any more. */
static void
forget_target(struct draft *draft, uint32_t index)
{
	const struct lath_registry *registry = draft->registry;
	struct slot *slot = &draft->slots[LATH_OBJECT_TARGET][index];

	if (registry->in_use != NULL &&
			registry->in_use(registry->in_use_ctx, LATH_OBJECT_TARGET, index))
		return;
	slot->use = SLOT_RELEASED;
	slot->released = draft->serial;
	memset(&draft->targets[index], 0, sizeof(draft->targets[index]));
	lath_model_image_settle(&draft->images[LATH_OBJECT_TARGET][index], NULL,
			&draft->registry->next_stamp);
}

static int
end_draining(struct update *u, uint32_t index)
{
	struct draft *draft = u->draft;
	struct target_record *record = &draft->targets[index];
	const struct lath_model_target *target = draft_target(draft, index);
	bool vpc_gone = draft->images[LATH_OBJECT_VPC][target->vpc] == NULL;

	if (!vpc_gone && !lath_tick_reached(u->now.tick, record->until))
		return 0;
	record->phase = TARGET_ENDED;
	record->terminated = record->terminated || record->termination || vpc_gone;
	return lath_model_target_set_state(draft, index,
			record->terminated ? LATH_TARGET_TERMINATED : LATH_TARGET_GONE);
}

int
lath_model_targets_drain(struct update *u)
{
	struct draft *draft = u->draft;
	int rc = 0;

	for (uint32_t i = 0; i < draft->high[LATH_OBJECT_TARGET] && rc == 0; i++) {
		if (draft->targets[i].phase == TARGET_ENDED)
			forget_target(draft, i);
		else if (draft->targets[i].phase == TARGET_DRAINING)
			rc = end_draining(u, i);
	}
	return rc;
}
