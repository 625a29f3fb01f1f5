/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * A model from the draft. Every object is a part of its own:
 *
 *   +-----------------------+------------------------------------+
 *   | stamp, size, refs     | the image, offsets made pointers   |
 *   | 64 bytes              | what a model's arrays point to     |
 *   +-----------------------+------------------------------------+
 *
 * A part of the previous model whose stamp is that of the draft's image is shared: one more
 * reference. Everything else is allocated and copied. Counts are plain, because building and
 * freeing are one thread's; readers never touch them.
 */
#include <assert.h>
#include <string.h>

#include "model_private.h"

struct part {
	uint64_t stamp;
	uint64_t size; /* with this header */
	uint32_t refs;
	uint32_t reserved[11];
	uint8_t bytes[] LATH_ALIGNED(LATH_CACHE_LINE);
};

static_assert(sizeof(struct part) == LATH_CACHE_LINE, "parts begin on a line of their own");

/* A model and its arrays, in one allocation. */
struct block {
	struct lath_model model;
	size_t size;
};

enum part_kind {
	PART_VPC,
	PART_SERVICE,
	PART_GROUP,
	PART_FLAT, /* without pointers */
	PART_ATTACHMENT,
	PART_ENTRANCE_MAP,
	PART_ADDRESS_MAP,
	PART_PROBE_SET,
};

static struct part *
part_of(const void *content)
{
	return (struct part *)((uintptr_t)content - offsetof(struct part, bytes));
}

static void
part_put(const void *content, const struct lath_allocator *allocator)
{
	struct part *part;

	if (content == NULL)
		return;
	part = part_of(content);
	if (--part->refs == 0)
		allocator->free(allocator->ctx, part, part->size);
}

/* ---- offsets to pointers ----------------------------------------------------------------- */

#define RELOCATE(base, field)                                            \
	do {                                                             \
		if ((field) != NULL)                                     \
			(field) = (void *)((base) + (uintptr_t)(field)); \
	} while (0)

static void
relocate_service(uint8_t *base)
{
	struct lath_model_service *service = (struct lath_model_service *)base;

	RELOCATE(base, service->visible_vpcs);
	RELOCATE(base, service->listeners);
	for (uint32_t i = 0; i < service->listener_count; i++) {
		struct lath_model_listener *listener = &service->listeners[i];

		RELOCATE(base, listener->rules);
		for (uint32_t j = 0; j < listener->rule_count; j++)
			RELOCATE(base, listener->rules[j].sources);
	}
}

static void
relocate(uint8_t *base, enum part_kind kind)
{
	struct lath_model_vpc *vpc = (struct lath_model_vpc *)base;
	struct lath_model_group *group = (struct lath_model_group *)base;
	struct lath_model_attachment *attachment = (struct lath_model_attachment *)base;
	struct lath_model_entrance_map *entrances = (struct lath_model_entrance_map *)base;
	struct lath_model_address_map *map = (struct lath_model_address_map *)base;
	struct lath_model_probe_set *set = (struct lath_model_probe_set *)base;

	switch (kind) {
	case PART_VPC:
		RELOCATE(base, vpc->prefixes);
		RELOCATE(base, vpc->routes);
		RELOCATE(base, vpc->nat_ranges);
		RELOCATE(base, vpc->nat6_ranges);
		RELOCATE(base, vpc->own);
		break;
	case PART_SERVICE:
		relocate_service(base);
		break;
	case PART_GROUP:
		RELOCATE(base, group->targets);
		RELOCATE(base, group->table);
		break;
	case PART_ATTACHMENT:
		RELOCATE(base, attachment->remotes);
		RELOCATE(base, attachment->behind);
		RELOCATE(base, attachment->endpoints);
		break;
	case PART_ENTRANCE_MAP:
		RELOCATE(base, entrances->slots);
		break;
	case PART_ADDRESS_MAP:
		RELOCATE(base, map->slots);
		RELOCATE(base, map->services);
		break;
	case PART_PROBE_SET:
		RELOCATE(base, set->slots);
		break;
	case PART_FLAT:
		break;
	}
}

/* ---- building ---------------------------------------------------------------------------- */

struct build {
	const struct lath_allocator *allocator;
	bool failed;
};

/* The part for an image: the previous model's, if it is the same, or a new one. */
static void *
part_for(struct build *build, const struct image *image, const void *prev, enum part_kind kind)
{
	struct part *part;

	if (image == NULL || build->failed)
		return NULL;
	if (prev != NULL && part_of(prev)->stamp == image->stamp) {
		part = part_of(prev);
		part->refs++;
		return part->bytes;
	}
	part = build->allocator->alloc(build->allocator->ctx, sizeof(*part) + image->size);
	if (part == NULL) {
		build->failed = true;
		return NULL;
	}
	part->stamp = image->stamp;
	part->size = sizeof(*part) + image->size;
	part->refs = 1;
	memcpy(part->bytes, image->bytes, image->size);
	relocate(part->bytes, kind);
	return part->bytes;
}

/* `array` has a place for each index; the previous model's may be shorter, never longer. */
#define BUILD_ARRAY(build, draft, object, array, prev_array, prev_count, kind)              \
	do {                                                                                \
		for (uint32_t n = 0; n < (draft)->high[object]; n++)                        \
			(array)[n] = part_for((build), (draft)->images[object][n],          \
					n < (prev_count) ? (prev_array)[n] : NULL, (kind)); \
	} while (0)

static void
build_parts(struct build *build, struct lath_model *model, const struct draft *draft,
		const struct lath_model *prev)
{
	BUILD_ARRAY(build, draft, LATH_OBJECT_VPC, model->vpcs, prev->vpcs, prev->vpc_count,
			PART_VPC);
	BUILD_ARRAY(build, draft, LATH_OBJECT_SERVICE, model->services, prev->services,
			prev->service_count, PART_SERVICE);
	BUILD_ARRAY(build, draft, LATH_OBJECT_GROUP, model->groups, prev->groups, prev->group_count,
			PART_GROUP);
	BUILD_ARRAY(build, draft, LATH_OBJECT_TARGET, model->targets, prev->targets,
			prev->target_count, PART_FLAT);
	BUILD_ARRAY(build, draft, LATH_OBJECT_ATTACHMENT, model->attachments, prev->attachments,
			prev->attachment_count, PART_ATTACHMENT);
	for (unsigned i = 0; i < LATH_MODEL_PORTS_MAX; i++)
		model->attachment_of[i] = part_for(build, draft->rows[i], prev->attachment_of[i],
				PART_FLAT);
	model->entrances = part_for(build, draft->entrances, prev->entrances, PART_ENTRANCE_MAP);
	model->addresses = part_for(build, draft->address_map, prev->addresses, PART_ADDRESS_MAP);
	model->probes = part_for(build, draft->probes, prev->probes, PART_PROBE_SET);
	model->access = part_for(build, draft->access, prev->access, PART_FLAT);
}

static void *
carve(uint8_t **at, size_t count, size_t size)
{
	void *memory = *at;

	*at += IMAGE_ROOM(count, size);
	return memory;
}

/* The model itself with its arrays, empty but for counts and plain values. */
static struct lath_model *
block_create(const struct draft *draft, const struct lath_allocator *allocator)
{
	const uint32_t *high = draft->high;
	size_t pointers = (size_t)high[LATH_OBJECT_VPC] + high[LATH_OBJECT_SERVICE] +
			high[LATH_OBJECT_GROUP] + high[LATH_OBJECT_TARGET] +
			high[LATH_OBJECT_ATTACHMENT];
	size_t size = sizeof(struct block) + pointers * sizeof(void *) +
			LATH_GENERATION_COUNT *
					IMAGE_ROOM(high[LATH_OBJECT_SERVICE], sizeof(uint32_t)) +
			IMAGE_ROOM(high[LATH_OBJECT_VPC], sizeof(uint32_t));
	struct block *block = allocator->alloc(allocator->ctx, size);
	struct lath_model *model;
	uint8_t *at;

	if (block == NULL)
		return NULL;
	block->size = size;
	model = &block->model;
	at = (uint8_t *)(block + 1);
	model->vpcs = carve(&at, high[LATH_OBJECT_VPC], sizeof(void *));
	model->services = carve(&at, high[LATH_OBJECT_SERVICE], sizeof(void *));
	model->groups = carve(&at, high[LATH_OBJECT_GROUP], sizeof(void *));
	model->targets = carve(&at, high[LATH_OBJECT_TARGET], sizeof(void *));
	model->attachments = carve(&at, high[LATH_OBJECT_ATTACHMENT], sizeof(void *));
	for (unsigned i = 0; i < LATH_GENERATION_COUNT; i++)
		model->service_lost[i] = carve(&at, high[LATH_OBJECT_SERVICE], sizeof(uint32_t));
	model->vpc_lost = carve(&at, high[LATH_OBJECT_VPC], sizeof(uint32_t));
	model->vpc_count = high[LATH_OBJECT_VPC];
	model->service_count = high[LATH_OBJECT_SERVICE];
	model->group_count = high[LATH_OBJECT_GROUP];
	model->target_count = high[LATH_OBJECT_TARGET];
	model->attachment_count = high[LATH_OBJECT_ATTACHMENT];
	return model;
}

static void
copy_values(struct lath_model *model, const struct draft *draft)
{
	model->serial = draft->serial;
	memcpy(model->generation, draft->generation, sizeof(model->generation));
	for (unsigned i = 0; i < LATH_GENERATION_COUNT; i++)
		memcpy(model->service_lost[i], draft->service_lost[i],
				sizeof(uint32_t) * model->service_count);
	memcpy(model->vpc_lost, draft->vpc_lost, sizeof(uint32_t) * model->vpc_count);
	model->host_port = draft->host_port;
	model->host_prefix = draft->host_prefix;
	model->timeouts = draft->timeouts;
	model->limits = draft->limits;
	model->hash_seed = draft->hash_seed;
	model->node = draft->node;
	memcpy(model->sha256, draft->sha256, sizeof(model->sha256));
}

/* Targets that are not checked are healthy. */
static bool
is_ready(const struct lath_model *model)
{
	for (uint32_t i = 0; i < model->target_count; i++) {
		if (model->targets[i] != NULL && model->targets[i]->state == LATH_TARGET_HEALTHY)
			return true;
	}
	return false;
}

struct lath_model *
lath_model_build(const struct lath_registry *registry, const struct lath_model *prev,
		const struct lath_allocator *allocator)
{
	static const struct lath_model nothing;
	struct build build = {.allocator = allocator};
	struct lath_model *model;

	LATH_ASSERT_ROLE(MGMT);
	if (registry->draft->serial == 0)
		return lath_null(EINVAL); /* nothing has been taken in */
	model = block_create(registry->draft, allocator);
	if (model == NULL)
		return lath_null(ENOMEM);
	copy_values(model, registry->draft);
	build_parts(&build, model, registry->draft, prev == NULL ? &nothing : prev);
	if (build.failed) {
		lath_model_free(model, allocator);
		return lath_null(ENOMEM);
	}
	model->is_ready = is_ready(model);
	return model;
}

void
lath_model_free(struct lath_model *model, const struct lath_allocator *allocator)
{
	struct block *block = (struct block *)model;

	if (model == NULL)
		return;
	for (uint32_t i = 0; i < model->vpc_count; i++)
		part_put(model->vpcs[i], allocator);
	for (uint32_t i = 0; i < model->service_count; i++)
		part_put(model->services[i], allocator);
	for (uint32_t i = 0; i < model->group_count; i++)
		part_put(model->groups[i], allocator);
	for (uint32_t i = 0; i < model->target_count; i++)
		part_put(model->targets[i], allocator);
	for (uint32_t i = 0; i < model->attachment_count; i++)
		part_put(model->attachments[i], allocator);
	for (unsigned i = 0; i < LATH_MODEL_PORTS_MAX; i++)
		part_put(model->attachment_of[i], allocator);
	part_put(model->entrances, allocator);
	part_put(model->addresses, allocator);
	part_put(model->probes, allocator);
	part_put(model->access, allocator);
	allocator->free(allocator->ctx, block, block->size);
}

/* How many places of two arrays of parts point to the same one. */
#define COUNT_SHARED(count, a, b, member, member_count)                                        \
	do {                                                                                   \
		for (uint32_t n = 0; n < (a)->member_count && n < (b)->member_count; n++)      \
			(count) += (a)->member[n] != NULL && (a)->member[n] == (b)->member[n]; \
	} while (0)

unsigned
lath_model_shared_parts(const struct lath_model *a, const struct lath_model *b)
{
	unsigned shared = 0;

	COUNT_SHARED(shared, a, b, vpcs, vpc_count);
	COUNT_SHARED(shared, a, b, services, service_count);
	COUNT_SHARED(shared, a, b, groups, group_count);
	COUNT_SHARED(shared, a, b, targets, target_count);
	COUNT_SHARED(shared, a, b, attachments, attachment_count);
	for (unsigned i = 0; i < LATH_MODEL_PORTS_MAX; i++)
		shared += a->attachment_of[i] != NULL && a->attachment_of[i] == b->attachment_of[i];
	shared += a->entrances == b->entrances;
	shared += a->addresses == b->addresses;
	shared += a->probes == b->probes;
	shared += a->access == b->access;
	return shared;
}

unsigned
lath_model_parts(const struct lath_model *model)
{
	return lath_model_shared_parts(model, model);
}
