/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Who lost what between the previous draft and this one.
 *
 *   lost                                                    raises  stamped
 *   a service                                               ACCESS  the service
 *   a service's address                                     ACCESS  the service
 *   a VPC's sight of a service (association, network)       ACCESS  the service
 *   a listener (by protocol and port)                       ACCESS  the service
 *   a rule, part of its sources, its place among rules      ACCESS  the service
 *   a right by associations, groups, policies, ACLs         ACCESS  as lib/access/lost.c says
 *   a VPC, or part of its prefixes                          ACCESS  the VPC
 *   a target, hard (TERMINATED)                             ACCESS  services that forward to it
 *   a target: unhealthy, or its draining is over            PICK    services that forward to it
 *
 * Whatever is only added, recovers or weighs differently raises nothing. A stamp too many costs one
 * look at some flows; a stamp too few leaves a flow that should have ended: where telling the two
 * apart would be long (a rule's new priority), it is stamped. "Services that forward to it" are
 * those whose rules name its group now and those that did while the group's targets lasted, because
 * their flows may still be there.
 */
#include <stdlib.h>
#include <string.h>

#include "model_private.h"

/* Every prefix of `was` lies in one of `is`. */
static bool
prefixes_cover(const struct lath_prefix *is, uint32_t is_count, const struct lath_prefix *was,
		uint32_t was_count)
{
	for (uint32_t i = 0; i < was_count; i++) {
		uint32_t j = 0;

		while (j < is_count &&
				(is[j].bits > was[i].bits ||
						!lath_prefix_contains(&is[j], &was[i].ip)))
			j++;
		if (j == is_count)
			return false;
	}
	return true;
}

static bool
rule_lost(const struct image *was_image, const struct lath_model_rule *was,
		const struct image *is_image, const struct lath_model_rule *is)
{
	if (was->priority != is->priority)
		return true;
	if (is->source_count == 0)
		return false;
	return was->source_count == 0 ||
			!prefixes_cover(IMAGE_AT(is_image, is->sources), is->source_count,
					IMAGE_AT(was_image, was->sources), was->source_count);
}

static bool
listener_lost(const struct image *was_image, const struct lath_model_listener *was,
		const struct image *is_image, const struct lath_model_listener *is)
{
	const struct lath_model_rule *was_rules = IMAGE_AT(was_image, was->rules);
	const struct lath_model_rule *is_rules = IMAGE_AT(is_image, is->rules);

	for (uint32_t i = 0; i < was->rule_count; i++) {
		uint32_t j = 0;

		while (j < is->rule_count && is_rules[j].index != was_rules[i].index)
			j++;
		if (j == is->rule_count ||
				rule_lost(was_image, &was_rules[i], is_image, &is_rules[j]))
			return true;
	}
	return false;
}

static bool
listeners_lost(const struct image *was_image, const struct image *is_image)
{
	const struct lath_model_service *was = image_read(was_image);
	const struct lath_model_service *is = image_read(is_image);
	const struct lath_model_listener *was_all = IMAGE_AT(was_image, was->listeners);
	const struct lath_model_listener *is_all = IMAGE_AT(is_image, is->listeners);

	for (uint32_t i = 0; i < was->listener_count; i++) {
		uint32_t j = 0;

		while (j < is->listener_count &&
				(is_all[j].port != was_all[i].port ||
						is_all[j].proto != was_all[i].proto))
			j++;
		if (j == is->listener_count ||
				listener_lost(was_image, &was_all[i], is_image, &is_all[j]))
			return true;
	}
	return false;
}

static bool
sight_lost(const struct image *was_image, const struct image *is_image)
{
	const struct lath_model_service *was = image_read(was_image);
	const struct lath_model_service *is = image_read(is_image);
	const uint64_t *was_bits = IMAGE_AT(was_image, was->visible_vpcs);
	const uint64_t *is_bits = IMAGE_AT(is_image, is->visible_vpcs);

	for (uint32_t i = 0; i < was->visible_words; i++) {
		uint64_t still = i < is->visible_words ? is_bits[i] : 0;

		if ((was_bits[i] & ~still) != 0)
			return true;
	}
	return false;
}

static bool
service_lost(const struct image *was_image, const struct image *is_image)
{
	const struct lath_model_service *was;
	const struct lath_model_service *is;

	if (was_image == NULL || was_image == is_image)
		return false;
	if (is_image == NULL)
		return true;
	was = image_read(was_image);
	is = image_read(is_image);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(was->addresses); i++) {
		if (was->addresses[i].family != LATH_FAMILY_NONE &&
				!lath_ip_equal(&was->addresses[i], &is->addresses[i]))
			return true;
	}
	return sight_lost(was_image, is_image) || listeners_lost(was_image, is_image);
}

static bool
vpc_lost(const struct image *was_image, const struct image *is_image)
{
	const struct lath_model_vpc *was;
	const struct lath_model_vpc *is;

	if (was_image == NULL || was_image == is_image)
		return false;
	if (is_image == NULL)
		return true;
	was = image_read(was_image);
	is = image_read(is_image);
	return !prefixes_cover(IMAGE_AT(is_image, is->prefixes), is->prefix_count,
			IMAGE_AT(was_image, was->prefixes), was->prefix_count);
}

/* ---- services by group ------------------------------------------------------------------- */

static int
compare_pairs(const void *a, const void *b)
{
	const struct forward_pair *pa = a;
	const struct forward_pair *pb = b;

	if (pa->group != pb->group)
		return pa->group < pb->group ? -1 : 1;
	return pa->service < pb->service ? -1 : pa->service > pb->service;
}

static uint32_t
count_forwards(const struct lath_config *cfg)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < cfg->service_count; i++) {
		for (uint32_t j = 0; j < cfg->services[i].listener_count; j++) {
			const struct lath_config_listener
					*listener = &cfg->services[i].listeners[j];

			for (uint32_t k = 0; k < listener->rule_count; k++)
				count += listener->rules[k].forward_count;
		}
	}
	return count;
}

static uint32_t
add_configured_pairs(const struct update *u, struct forward_pair *pairs, uint32_t count)
{
	const struct draft *draft = u->draft;

	for (uint32_t i = 0; i < u->cfg->service_count; i++) {
		const struct lath_config_service *service = &u->cfg->services[i];
		uint32_t index = lath_model_positions_get(&draft->positions[LATH_OBJECT_SERVICE], i,
				0);

		for (uint32_t j = 0; j < service->listener_count; j++) {
			for (uint32_t k = 0; k < service->listeners[j].rule_count; k++) {
				const struct lath_config_rule *rule = &service->listeners[j]
										       .rules[k];

				for (uint32_t f = 0; f < rule->forward_count; f++) {
					pairs[count].group = lath_model_positions_get(
							&draft->positions[LATH_OBJECT_GROUP],
							rule->forwards[f].group, 0);
					pairs[count++].service = index;
				}
			}
		}
	}
	return count;
}

/* Those of before whose service is the same and whose group has targets left, of any phase. */
static uint32_t
add_former_pairs(const struct update *u, struct forward_pair *pairs, uint32_t count,
		const bool *has_targets)
{
	const struct slot *slots = u->draft->slots[LATH_OBJECT_SERVICE];
	const struct slot *old_slots = u->old->slots[LATH_OBJECT_SERVICE];

	for (uint32_t i = 0; i < u->old->pair_count; i++) {
		const struct forward_pair *pair = &u->old->pairs[i];

		if (slots[pair->service].use == SLOT_LIVE && has_targets[pair->group] &&
				memcmp(&slots[pair->service].digest,
						&old_slots[pair->service].digest,
						sizeof(struct digest)) == 0)
			pairs[count++] = *pair;
	}
	return count;
}

int
lath_model_pairs_take(struct update *u)
{
	struct draft *draft = u->draft;
	size_t most = (size_t)count_forwards(u->cfg) + u->old->pair_count + 1;
	struct forward_pair *pairs = calloc(most, sizeof(*pairs));
	bool *has_targets = calloc((size_t)draft->high[LATH_OBJECT_GROUP] + 1,
			sizeof(*has_targets));
	uint32_t count = 0;
	uint32_t kept = 0;

	if (pairs == NULL || has_targets == NULL) {
		free(pairs);
		free(has_targets);
		return lath_err(ENOMEM);
	}
	for (uint32_t i = 0; i < draft->high[LATH_OBJECT_TARGET]; i++) {
		if (draft->targets[i].phase != TARGET_FREE)
			has_targets[draft_target(draft, i)->group] = true;
	}
	count = add_configured_pairs(u, pairs, count);
	count = add_former_pairs(u, pairs, count, has_targets);
	free(has_targets);
	qsort(pairs, count, sizeof(*pairs), compare_pairs);
	for (uint32_t i = 0; i < count; i++) {
		if (kept == 0 || compare_pairs(&pairs[kept - 1], &pairs[i]) != 0)
			pairs[kept++] = pairs[i];
	}
	free(draft->pairs);
	draft->pairs = pairs;
	draft->pair_count = kept;
	return 0;
}

/* Stamps every service that forwards to the group, now or before this update. */
static bool
stamp_services(const struct draft *draft, uint32_t group, uint32_t *lost, uint32_t generation)
{
	uint32_t low = 0;
	uint32_t high = draft->pair_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (draft->pairs[middle].group < group)
			low = middle + 1;
		else
			high = middle;
	}
	high = low;
	for (; low < draft->pair_count && draft->pairs[low].group == group; low++)
		lost[draft->pairs[low].service] = generation;
	return low > high;
}

/* ---- raising ----------------------------------------------------------------------------- */

static void
raise_by_targets(struct draft *draft, const struct draft *old,
		const uint32_t next[LATH_GENERATION_COUNT], bool raised[LATH_GENERATION_COUNT])
{
	for (uint32_t i = 0; i < old->high[LATH_OBJECT_TARGET]; i++) {
		const struct image *was_image = old->images[LATH_OBJECT_TARGET][i];
		const struct image *is_image = draft->images[LATH_OBJECT_TARGET][i];
		enum lath_target_state was;
		enum lath_target_state is;
		enum lath_generation which;

		if (was_image == NULL || is_image == NULL || was_image == is_image)
			continue;
		was = draft_target(old, i)->state;
		is = draft_target(draft, i)->state;
		if (was == is)
			continue;
		if (is == LATH_TARGET_TERMINATED)
			which = LATH_GENERATION_ACCESS;
		else if (is == LATH_TARGET_GONE ||
				(is == LATH_TARGET_UNHEALTHY && was != LATH_TARGET_TERMINATED))
			which = LATH_GENERATION_PICK;
		else
			continue;
		if (stamp_services(draft, draft_target(draft, i)->group, draft->service_lost[which],
				    next[which]))
			raised[which] = true;
	}
}

static const struct lath_access *
access_of(const struct draft *draft)
{
	return draft->access == NULL ? NULL : image_read(draft->access);
}

void
lath_model_generations_raise(struct update *u)
{
	struct draft *draft = u->draft;
	const struct draft *old = u->old;
	uint32_t next[LATH_GENERATION_COUNT];
	bool raised[LATH_GENERATION_COUNT] = {false};
	uint32_t *lost = draft->service_lost[LATH_GENERATION_ACCESS];
	uint32_t newest = 0;
	/* The same block: nothing to compare. */
	const struct lath_access *after = access_of(draft);
	const struct lath_access *before = old->access == draft->access ? NULL : access_of(old);

	/* One count for all kinds: a flow keeps a single stamp and compares it with either. */
	for (unsigned i = 0; i < LATH_GENERATION_COUNT; i++)
		newest = lath_max_u32(newest, draft->generation[i]);
	for (unsigned i = 0; i < LATH_GENERATION_COUNT; i++)
		next[i] = newest + 1;
	for (uint32_t i = 0; i < old->high[LATH_OBJECT_SERVICE]; i++) {
		if (service_lost(old->images[LATH_OBJECT_SERVICE][i],
				    draft->images[LATH_OBJECT_SERVICE][i]) ||
				lath_access_service_lost(before, after, i)) {
			lost[i] = next[LATH_GENERATION_ACCESS];
			raised[LATH_GENERATION_ACCESS] = true;
		}
	}
	for (uint32_t i = 0; i < old->high[LATH_OBJECT_VPC]; i++) {
		if (vpc_lost(old->images[LATH_OBJECT_VPC][i], draft->images[LATH_OBJECT_VPC][i]) ||
				lath_access_vpc_lost(before, after, i)) {
			draft->vpc_lost[i] = next[LATH_GENERATION_ACCESS];
			raised[LATH_GENERATION_ACCESS] = true;
		}
	}
	raise_by_targets(draft, old, next, raised);
	for (unsigned i = 0; i < LATH_GENERATION_COUNT; i++) {
		if (raised[i])
			draft->generation[i] = next[i];
	}
}
