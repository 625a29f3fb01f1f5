/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Entrances: which attachment a packet belongs to that no row of (port, VLAN) tells, because it came
 * through a tunnel or under two tags. One table for all of them; and the remotes of tunnels.
 */
#include <stdlib.h>
#include <string.h>

#include "model_private.h"

static uint32_t
entrance_hash(uint32_t where, uint64_t id)
{
	uint64_t state = (uint64_t)where << 32 ^ id;

	return (uint32_t)lath_random_next(&state);
}

static uint32_t
where_of(enum lath_model_entrance kind, uint32_t place)
{
	return place * LATH_MODEL_ENTRANCE_COUNT + (uint32_t)kind;
}

const struct lath_model_attachment *
lath_model_enter(const struct lath_model *model, enum lath_model_entrance kind, uint32_t place,
		uint64_t id)
{
	const struct lath_model_entrance_map *map = model->entrances;
	uint32_t where = where_of(kind, place);
	uint32_t at;

	for (at = entrance_hash(where, id) & map->mask; map->slots[at].attachment_after != 0;
			at = (at + 1) & map->mask) {
		if (map->slots[at].where == where && map->slots[at].id == id)
			return model->attachments[map->slots[at].attachment_after - 1];
	}
	return NULL;
}

const struct lath_model_remote *
lath_model_remote(const struct lath_model_attachment *attachment, const struct lath_ip *ip)
{
	uint32_t low = 0;
	uint32_t high = attachment->remote_count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;
		int order = lath_ip_compare(&attachment->remotes[middle].ip, ip);

		if (order == 0)
			return &attachment->remotes[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct lath_model_remote *
lath_model_remote_of(const struct lath_model_attachment *attachment, const struct lath_ip *inner)
{
	for (uint32_t i = 0; i < attachment->behind_count; i++) {
		const struct lath_model_behind *behind = &attachment->behind[i];

		if (behind->is_rest || lath_prefix_contains(&behind->prefix, inner))
			return &attachment->remotes[behind->remote];
	}
	return NULL;
}

/* ---- building ---------------------------------------------------------------------------- */

/* How many entrances lead to the attachment. */
static uint32_t
count_entrances(const struct lath_model_attachment *attachment)
{
	if (attachment->tunnel == LATH_CONFIG_TUNNEL_GWLB)
		return attachment->endpoint_count;
	return attachment->tunnel != LATH_CONFIG_TUNNEL_NONE || attachment->outer_vlan != 0;
}

/* One of them. */
static void
entrance_of(const struct image *image, uint32_t i, struct lath_model_entrance_slot *slot)
{
	const struct lath_model_attachment *attachment = image_read(image);

	switch (attachment->tunnel) {
	case LATH_CONFIG_TUNNEL_VXLAN:
		slot->where = where_of(LATH_MODEL_ENTRANCE_VXLAN, attachment->underlay);
		slot->id = attachment->vni;
		return;
	case LATH_CONFIG_TUNNEL_GENEVE:
		slot->where = where_of(LATH_MODEL_ENTRANCE_GENEVE, attachment->underlay);
		slot->id = attachment->vni;
		return;
	case LATH_CONFIG_TUNNEL_GWLB:
		slot->where = where_of(LATH_MODEL_ENTRANCE_ENDPOINT, attachment->underlay);
		slot->id = IMAGE_AT(image, attachment->endpoints)[i];
		return;
	case LATH_CONFIG_TUNNEL_NONE:
	case LATH_CONFIG_TUNNEL_KIND_COUNT:
		break;
	}
	slot->where = where_of(LATH_MODEL_ENTRANCE_TAGS, attachment->port);
	slot->id = lath_model_tags(attachment->outer_vlan, attachment->vlan);
}

static void
put(struct lath_model_entrance_map *map, struct lath_model_entrance_slot *slots,
		const struct lath_model_entrance_slot *slot)
{
	uint32_t at = entrance_hash(slot->where, slot->id) & map->mask;

	while (slots[at].attachment_after != 0)
		at = (at + 1) & map->mask;
	slots[at] = *slot;
}

int
lath_model_entrances_take(struct update *u)
{
	struct draft *draft = u->draft;
	uint32_t high = draft->high[LATH_OBJECT_ATTACHMENT];
	struct image *const *images = draft->images[LATH_OBJECT_ATTACHMENT];
	size_t used = IMAGE_ROOM(1, sizeof(struct lath_model_entrance_map));
	struct lath_model_entrance_slot slot = {0};
	struct lath_model_entrance_slot *slots;
	struct lath_model_entrance_map *map;
	struct image *image;
	uint32_t count = 0;

	for (uint32_t i = 0; i < high; i++)
		count += images[i] == NULL ? 0 : count_entrances(image_read(images[i]));
	image = lath_model_image_create(used + IMAGE_ROOM(table_slots_for(count), sizeof(*slots)));
	if (image == NULL)
		return lath_err(ENOMEM);
	map = (struct lath_model_entrance_map *)image->bytes;
	map->mask = table_slots_for(count) - 1;
	slots = IMAGE_CARVE(image, &used, map->slots, map->mask + 1);
	for (uint32_t i = 0; i < high; i++) {
		slot.attachment_after = i + 1;
		for (uint32_t e = 0;
				images[i] != NULL && e < count_entrances(image_read(images[i]));
				e++) {
			entrance_of(images[i], e, &slot);
			put(map, slots, &slot);
		}
	}
	lath_model_image_settle(&draft->entrances, image, &draft->registry->next_stamp);
	return 0;
}

/* ---- a tunnel's part of an attachment ------------------------------------------------------ */

struct image *
lath_model_attachment_image(const struct lath_config_attachment *cfg)
{
	uint32_t behind_count = 0;
	size_t used = IMAGE_ROOM(1, sizeof(struct lath_model_attachment));
	struct lath_model_attachment *attachment;
	struct image *image;
	uint64_t *endpoints;

	for (uint32_t i = 0; i < cfg->tunnel.remote_count; i++)
		behind_count += lath_max_u32(cfg->tunnel.remotes[i].prefix_count, 1);
	image = lath_model_image_create(used +
			IMAGE_ROOM(cfg->tunnel.remote_count, sizeof(struct lath_model_remote)) +
			IMAGE_ROOM(behind_count, sizeof(struct lath_model_behind)) +
			IMAGE_ROOM(cfg->tunnel.endpoint_count, sizeof(uint64_t)));
	if (image == NULL)
		return NULL;
	attachment = (struct lath_model_attachment *)image->bytes;
	attachment->remote_count = cfg->tunnel.remote_count;
	attachment->behind_count = behind_count;
	IMAGE_CARVE(image, &used, attachment->remotes, attachment->remote_count);
	IMAGE_CARVE(image, &used, attachment->behind, behind_count);
	attachment->endpoint_count = cfg->tunnel.endpoint_count;
	endpoints = IMAGE_CARVE(image, &used, attachment->endpoints, cfg->tunnel.endpoint_count);
	for (uint32_t i = 0; i < cfg->tunnel.endpoint_count; i++)
		endpoints[i] = cfg->tunnel.endpoints[i];
	return image;
}

static int
compare_remotes(const void *a, const void *b)
{
	const struct lath_model_remote *one = a;
	const struct lath_model_remote *other = b;

	return lath_ip_compare(&one->ip, &other->ip);
}

/* Longest first, the remote that owns the rest last. */
static int
compare_behind(const void *a, const void *b)
{
	const struct lath_model_behind *one = a;
	const struct lath_model_behind *other = b;

	if (one->is_rest != other->is_rest)
		return one->is_rest ? 1 : -1;
	if (one->prefix.bits != other->prefix.bits)
		return one->prefix.bits > other->prefix.bits ? -1 : 1;
	return lath_ip_compare(&one->prefix.ip, &other->prefix.ip);
}

static struct lath_ip
local_for(const struct lath_config_attachment *wire, uint8_t family)
{
	for (uint32_t i = 0; i < wire->address_count; i++) {
		if (wire->addresses[i].ip.family == family)
			return wire->addresses[i].ip;
	}
	return (struct lath_ip){.family = LATH_FAMILY_NONE};
}

static uint32_t
place_of(const struct lath_model_remote *remotes, uint32_t count, const struct lath_ip *ip)
{
	uint32_t i = 0;

	while (i < count && !lath_ip_equal(&remotes[i].ip, ip))
		i++;
	return i;
}

void
lath_model_tunnel_fill(struct image *image, const struct lath_config_attachment *cfg,
		const struct lath_config_attachment *wire, uint32_t underlay)
{
	struct lath_model_attachment *attachment = (struct lath_model_attachment *)image->bytes;
	struct lath_model_remote *remotes = (void *)(image->bytes + (uintptr_t)attachment->remotes);
	struct lath_model_behind *behind = (void *)(image->bytes + (uintptr_t)attachment->behind);
	const struct lath_config_tunnel *tunnel = &cfg->tunnel;
	uint32_t count = 0;

	attachment->tunnel = tunnel->kind;
	attachment->underlay = underlay;
	attachment->vni = tunnel->vni;
	attachment->inner_ethernet = tunnel->inner_ethernet;
	for (uint32_t i = 0; i < tunnel->remote_count; i++) {
		uint8_t family = tunnel->remotes[i].ip.family;

		remotes[i].ip = tunnel->remotes[i].ip;
		remotes[i].local = local_for(wire, family);
		attachment->overhead = (uint16_t)lath_max_u32(attachment->overhead,
				lath_config_tunnel_overhead(tunnel, family));
	}
	qsort(remotes, tunnel->remote_count, sizeof(*remotes), compare_remotes);
	for (uint32_t i = 0; i < tunnel->remote_count; i++) {
		const struct lath_config_remote *remote = &tunnel->remotes[i];
		uint32_t place = place_of(remotes, tunnel->remote_count, &remote->ip);

		if (remote->prefix_count == 0)
			behind[count++] = (struct lath_model_behind){.remote = place, .is_rest = 1};
		for (uint32_t p = 0; p < remote->prefix_count; p++)
			behind[count++] = (struct lath_model_behind){
					.prefix = remote->prefixes[p], .remote = place};
	}
	qsort(behind, count, sizeof(*behind), compare_behind);
}
