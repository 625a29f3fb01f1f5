/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <stdlib.h>
#include <string.h>

#include "model_private.h"

struct draft *
lath_model_draft_create(struct lath_registry *registry)
{
	const uint32_t *max = registry->limits.max;
	struct draft *draft = calloc(1, sizeof(*draft));
	bool complete = draft != NULL;

	if (draft == NULL)
		return lath_null(ENOMEM);
	draft->registry = registry;
	for (unsigned i = 0; i < LATH_OBJECT_KIND_COUNT; i++) {
		draft->slots[i] = calloc((size_t)max[i] + 1, sizeof(*draft->slots[i]));
		draft->images[i] = calloc((size_t)max[i] + 1, sizeof(*draft->images[i]));
		complete = complete && draft->slots[i] != NULL && draft->images[i] != NULL;
	}
	for (unsigned i = 0; i < LATH_GENERATION_COUNT; i++) {
		draft->service_lost[i] = calloc((size_t)max[LATH_OBJECT_SERVICE] + 1,
				sizeof(*draft->service_lost[i]));
		complete = complete && draft->service_lost[i] != NULL;
	}
	draft->vpc_lost = calloc((size_t)max[LATH_OBJECT_VPC] + 1, sizeof(*draft->vpc_lost));
	draft->group_heads = calloc((size_t)max[LATH_OBJECT_GROUP] + 1,
			sizeof(*draft->group_heads));
	draft->groups = calloc((size_t)max[LATH_OBJECT_GROUP] + 1, sizeof(*draft->groups));
	draft->targets = calloc((size_t)max[LATH_OBJECT_TARGET] + 1, sizeof(*draft->targets));
	if (!complete || draft->vpc_lost == NULL || draft->group_heads == NULL ||
			draft->groups == NULL || draft->targets == NULL) {
		lath_model_draft_free(draft);
		return lath_null(ENOMEM);
	}
	return draft;
}

static void
share_images(struct image **to, struct image *const *from, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		to[i] = lath_model_image_get(from[i]);
}

/* Plain values and counted images. */
static void
copy_fixed(struct draft *to, const struct draft *from)
{
	to->serial = from->serial;
	to->host_port = from->host_port;
	to->host_prefix = from->host_prefix;
	to->timeouts = from->timeouts;
	to->limits = from->limits;
	to->hash_seed = from->hash_seed;
	to->node = from->node;
	memcpy(to->generation, from->generation, sizeof(to->generation));
	memcpy(to->sha256, from->sha256, sizeof(to->sha256));
	for (unsigned i = 0; i < LATH_OBJECT_KIND_COUNT; i++) {
		to->positions[i].indexes = lath_model_image_get(from->positions[i].indexes);
		to->positions[i].first = lath_model_image_get(from->positions[i].first);
	}
	share_images(to->rows, from->rows, LATH_MODEL_PORTS_MAX);
	to->entrances = lath_model_image_get(from->entrances);
	to->address_map = lath_model_image_get(from->address_map);
	to->probes = lath_model_image_get(from->probes);
	to->access = lath_model_image_get(from->access);
}

/* Arrays by stable index, as far as indexes were given. */
static void
copy_indexed(struct draft *to, const struct draft *from)
{
	const uint32_t *high = from->high;

	memcpy(to->high, high, sizeof(to->high));
	for (unsigned i = 0; i < LATH_OBJECT_KIND_COUNT; i++) {
		memcpy(to->slots[i], from->slots[i], sizeof(*to->slots[i]) * high[i]);
		share_images(to->images[i], from->images[i], high[i]);
	}
	share_images(to->group_heads, from->group_heads, high[LATH_OBJECT_GROUP]);
	for (unsigned i = 0; i < LATH_GENERATION_COUNT; i++)
		memcpy(to->service_lost[i], from->service_lost[i],
				sizeof(*to->service_lost[i]) * high[LATH_OBJECT_SERVICE]);
	memcpy(to->vpc_lost, from->vpc_lost, sizeof(*to->vpc_lost) * high[LATH_OBJECT_VPC]);
	memcpy(to->groups, from->groups, sizeof(*to->groups) * high[LATH_OBJECT_GROUP]);
	memcpy(to->targets, from->targets, sizeof(*to->targets) * high[LATH_OBJECT_TARGET]);
}

struct draft *
lath_model_draft_clone(const struct draft *draft)
{
	struct draft *clone = lath_model_draft_create(draft->registry);

	if (clone == NULL)
		return NULL;
	copy_fixed(clone, draft);
	copy_indexed(clone, draft);
	clone->pairs = calloc((size_t)draft->pair_count + 1, sizeof(*clone->pairs));
	clone->addresses = calloc((size_t)draft->address_count + 1, sizeof(*clone->addresses));
	if (clone->pairs == NULL || clone->addresses == NULL) {
		lath_model_draft_free(clone);
		return lath_null(ENOMEM);
	}
	if (draft->pair_count > 0)
		memcpy(clone->pairs, draft->pairs, sizeof(*clone->pairs) * draft->pair_count);
	if (draft->address_count > 0)
		memcpy(clone->addresses, draft->addresses,
				sizeof(*clone->addresses) * draft->address_count);
	clone->pair_count = draft->pair_count;
	clone->address_count = draft->address_count;
	return clone;
}

static void
put_images(struct image **images, uint32_t count)
{
	if (images == NULL)
		return;
	for (uint32_t i = 0; i < count; i++)
		lath_model_image_put(images[i]);
}

void
lath_model_draft_free(struct draft *draft)
{
	if (draft == NULL)
		return;
	for (unsigned i = 0; i < LATH_OBJECT_KIND_COUNT; i++) {
		put_images(draft->images[i], draft->high[i]);
		free(draft->images[i]);
		free(draft->slots[i]);
		lath_model_image_put(draft->positions[i].indexes);
		lath_model_image_put(draft->positions[i].first);
	}
	put_images(draft->group_heads, draft->high[LATH_OBJECT_GROUP]);
	free(draft->group_heads);
	put_images(draft->rows, LATH_MODEL_PORTS_MAX);
	lath_model_image_put(draft->entrances);
	lath_model_image_put(draft->address_map);
	lath_model_image_put(draft->access);
	lath_model_image_put(draft->probes);
	for (unsigned i = 0; i < LATH_GENERATION_COUNT; i++)
		free(draft->service_lost[i]);
	free(draft->vpc_lost);
	free(draft->groups);
	free(draft->targets);
	free(draft->pairs);
	free(draft->addresses);
	free(draft);
}
