/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* The flat tables of a model: service addresses, and what the host port may reach. */
#include <stdlib.h>
#include <string.h>

#include "model_private.h"

/* ---- service addresses ------------------------------------------------------------------- */

struct address_entry {
	struct lath_ip ip;
	uint32_t service;
	uint64_t key;
};

static int
compare_entries(const void *a, const void *b)
{
	const struct address_entry *ea = a;
	const struct address_entry *eb = b;
	int order = lath_ip_compare(&ea->ip, &eb->ip);

	if (order != 0)
		return order;
	if (ea->key != eb->key)
		return ea->key < eb->key ? -1 : 1;
	return ea->service < eb->service ? -1 : ea->service > eb->service;
}

static uint32_t
collect_entries(const struct draft *draft, struct address_entry *entries)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < draft->high[LATH_OBJECT_SERVICE]; i++) {
		const struct image *image = draft->images[LATH_OBJECT_SERVICE][i];
		const struct lath_model_service *service;

		if (image == NULL)
			continue;
		service = image_read(image);
		for (unsigned j = 0; j < LATH_ARRAY_SIZE(service->addresses); j++) {
			if (service->addresses[j].family == LATH_FAMILY_NONE)
				continue;
			entries[count].ip = service->addresses[j];
			entries[count].service = i;
			entries[count++].key = service->key;
		}
	}
	qsort(entries, count, sizeof(*entries), compare_entries);
	return count;
}

static struct image *
address_map_image(const struct address_entry *entries, uint32_t count)
{
	uint32_t slot_count = table_slots_for(count);
	size_t used = IMAGE_ROOM(1, sizeof(struct lath_model_address_map));
	struct image *image = lath_model_image_create(used +
			IMAGE_ROOM(slot_count, sizeof(struct lath_model_address_slot)) +
			IMAGE_ROOM(count, sizeof(uint32_t)));
	struct lath_model_address_map *map;
	struct lath_model_address_slot *slots;
	uint32_t *services;
	uint32_t at = 0;

	if (image == NULL)
		return NULL;
	map = (struct lath_model_address_map *)image->bytes;
	map->mask = slot_count - 1;
	slots = IMAGE_CARVE(image, &used, map->slots, slot_count);
	services = IMAGE_CARVE(image, &used, map->services, count);
	for (uint32_t i = 0; i < count; i++) {
		services[i] = entries[i].service;
		if (i > 0 && lath_ip_equal(&entries[i].ip, &entries[i - 1].ip)) {
			slots[at].count++;
			continue;
		}
		at = address_hash(&entries[i].ip, 0) & map->mask;
		while (slots[at].count != 0)
			at = (at + 1) & map->mask;
		slots[at].ip = entries[i].ip;
		slots[at].first = i;
		slots[at].count = 1;
	}
	return image;
}

int
lath_model_address_map_take(struct update *u)
{
	struct draft *draft = u->draft;
	size_t most = 2 * (size_t)draft->high[LATH_OBJECT_SERVICE] + 1;
	struct address_entry *entries = calloc(most, sizeof(*entries));
	struct image *image = NULL;

	if (entries != NULL)
		image = address_map_image(entries, collect_entries(draft, entries));
	free(entries);
	if (image == NULL)
		return lath_err(ENOMEM);
	lath_model_image_settle(&draft->address_map, image, &draft->registry->next_stamp);
	return 0;
}

/* ---- probes ------------------------------------------------------------------------------ */

static void
probe_insert(struct lath_model_probe_slot *slots, uint32_t mask,
		const struct lath_model_target *target)
{
	uint32_t at = address_hash(&target->check_ip,
				      (uint64_t)target->vpc << 16 | target->check_port) &
			mask;

	for (; slots[at].port != 0; at = (at + 1) & mask) {
		if (slots[at].port == target->check_port && slots[at].vpc == target->vpc &&
				lath_ip_equal(&slots[at].ip, &target->check_ip))
			return; /* another group names it too */
	}
	slots[at].ip = target->check_ip;
	slots[at].vpc = target->vpc;
	slots[at].port = target->check_port;
}

int
lath_model_probes_take(struct update *u)
{
	struct draft *draft = u->draft;
	uint32_t high = draft->high[LATH_OBJECT_TARGET];
	size_t used = IMAGE_ROOM(1, sizeof(struct lath_model_probe_set));
	struct lath_model_probe_set *set;
	struct lath_model_probe_slot *slots;
	struct image *image;
	uint32_t count = 0;

	for (uint32_t i = 0; i < high; i++) {
		if (draft->targets[i].phase == TARGET_LIVE &&
				draft_target(draft, i)->check_port != 0)
			count++;
	}
	image = lath_model_image_create(used + IMAGE_ROOM(table_slots_for(count), sizeof(*slots)));
	if (image == NULL)
		return lath_err(ENOMEM);
	set = (struct lath_model_probe_set *)image->bytes;
	set->mask = table_slots_for(count) - 1;
	slots = IMAGE_CARVE(image, &used, set->slots, table_slots_for(count));
	for (uint32_t i = 0; i < high; i++) {
		if (draft->targets[i].phase == TARGET_LIVE &&
				draft_target(draft, i)->check_port != 0)
			probe_insert(slots, set->mask, draft_target(draft, i));
	}
	lath_model_image_settle(&draft->probes, image, &draft->registry->next_stamp);
	return 0;
}
