/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * What a model asks for: attachments, pinned next hops, claims. Everything that the model names
 * gets the mark of this pass; what is left with an older mark is let go. Runs once a publication
 * on the management core: O(routes + targets + claims + table).
 */

#include "neigh_private.h"

#define PUNTS_DEFAULT 1000u
#define BURST_SECONDS_INVERSE 10u /* the bucket holds a tenth of a second, at least 16 */

static bool
is_same_wire(const struct neigh_attachment *old, const struct lath_model_attachment *attachment)
{
	return old->present && old->port == attachment->port && old->vlan == attachment->vlan &&
			old->outer_vlan == attachment->outer_vlan &&
			old->tunnel == (uint32_t)attachment->tunnel &&
			old->underlay == attachment->underlay && old->vni == attachment->vni &&
			old->vpc == attachment->vpc;
}

/* Drops what was learned on an attachment that is gone, or whose index means another wire now. */
static void
forget_attachment(struct lath_neigh *neigh, uint32_t index)
{
	for (uint32_t i = 0; i < neigh->max; i++) {
		if (neigh->entries[i].node.live && neigh->entries[i].node.attachment == index)
			lath_neigh_entry_drop(neigh, &neigh->entries[i]);
		if (neigh->claims[i].node.live && neigh->claims[i].node.attachment == index)
			lath_neigh_remove(neigh, neigh->max + i);
	}
}

static void
take_link_local(const struct lath_neigh *neigh, struct neigh_attachment *own,
		const struct lath_model_attachment *attachment)
{
	static const struct lath_mac unknown;
	const struct lath_mac *mac = attachment->port < LATH_MODEL_PORTS_MAX
			? &neigh->macs[attachment->port]
			: &unknown;

	if (!lath_nd_own_link_local(attachment->addresses, attachment->address_count, mac,
			    &own->link_local))
		own->link_local = (struct lath_ip){.family = LATH_FAMILY_NONE};
}

static void
take_attachments(struct lath_neigh *neigh, const struct lath_model *model, lath_tick_t now)
{
	uint32_t rate = model->limits.punts_per_second;
	uint32_t burst;

	rate = rate == 0 ? PUNTS_DEFAULT : rate;
	burst = lath_max_u32(rate / BURST_SECONDS_INVERSE, 16);
	for (uint32_t i = 0; i < LATH_MODEL_ATTACHMENTS_MAX; i++) {
		const struct lath_model_attachment *attachment = i < model->attachment_count
				? model->attachments[i]
				: NULL;
		struct neigh_attachment *own = &neigh->attachments[i];
		bool is_new = !own->present;

		if (attachment != NULL && !lath_model_has_neighbors(attachment))
			attachment = NULL;
		if (own->present && (attachment == NULL || !is_same_wire(own, attachment))) {
			forget_attachment(neigh, i);
			own->present = false;
			is_new = true;
		}
		if (attachment == NULL)
			continue;
		own->present = true;
		own->announce = attachment->announce;
		own->port = attachment->port;
		own->vlan = attachment->vlan;
		own->outer_vlan = attachment->outer_vlan;
		own->tunnel = (uint32_t)attachment->tunnel;
		own->underlay = attachment->underlay;
		own->vni = attachment->vni;
		own->vpc = attachment->vpc;
		take_link_local(neigh, own, attachment);
		if (is_new)
			lath_bucket_init(&own->bucket, rate, burst, now);
		else
			lath_bucket_set_rate(&own->bucket, rate, burst, now);
	}
}

/* ---- pinned next hops --------------------------------------------------------------------- */

static void
pin(struct lath_neigh *neigh, uint32_t attachment, const struct lath_ip *ip, uint32_t *spread,
		lath_tick_t now)
{
	lath_tick_t due = now;

	if (attachment >= LATH_MODEL_ATTACHMENTS_MAX || !neigh->attachments[attachment].present ||
			!lath_neigh_speaks(neigh, attachment, ip) ||
			lath_neigh_is_ours(neigh, attachment, ip))
		return;
	if (lath_neigh_find_entry(neigh, attachment, ip) == NULL)
		due = lath_neigh_spread(neigh, (*spread)++, now);
	lath_neigh_entry_pin(neigh, attachment, ip, due, now);
}

static void
pin_target(struct lath_neigh *neigh, const struct lath_model *model, uint32_t vpc_index,
		const struct lath_ip *ip, uint32_t *spread, lath_tick_t now)
{
	const struct lath_model_vpc *vpc = vpc_index < model->vpc_count ? model->vpcs[vpc_index]
									: NULL;
	const struct lath_model_route *route;

	if (vpc == NULL)
		return;
	route = lath_model_route(vpc, ip);
	/* Behind a router: that one is pinned as the route's next hop. */
	if (route != NULL && route->next_hop.family == LATH_FAMILY_NONE)
		pin(neigh, route->attachment, ip, spread, now);
}

/* Remotes that lie in a subnet of their underlay; routers are pinned by the underlay's routes. */
static void
pin_remotes(struct lath_neigh *neigh, const struct lath_model *model, uint32_t *spread,
		lath_tick_t now)
{
	for (uint32_t i = 0; i < model->attachment_count; i++) {
		const struct lath_model_attachment *attachment = model->attachments[i];
		uint32_t vpc;

		if (attachment == NULL || attachment->tunnel == LATH_CONFIG_TUNNEL_NONE)
			continue;
		vpc = model->attachments[attachment->underlay]->vpc;
		for (uint32_t r = 0; r < attachment->remote_count; r++)
			pin_target(neigh, model, vpc, &attachment->remotes[r].ip, spread, now);
	}
}

static void
take_next_hops(struct lath_neigh *neigh, const struct lath_model *model, uint32_t *spread,
		lath_tick_t now)
{
	for (uint32_t i = 0; i < model->vpc_count; i++) {
		const struct lath_model_vpc *vpc = model->vpcs[i];

		for (uint32_t r = 0; vpc != NULL && r < vpc->route_count; r++)
			pin(neigh, vpc->routes[r].attachment, &vpc->routes[r].next_hop, spread,
					now);
	}
	pin_remotes(neigh, model, spread, now);
	for (uint32_t i = 0; i < model->target_count; i++) {
		const struct lath_model_target *target = model->targets[i];

		if (target == NULL || target->state == LATH_TARGET_GONE ||
				target->state == LATH_TARGET_TERMINATED)
			continue;
		pin_target(neigh, model, target->vpc, &target->ip, spread, now);
		if (target->check_port != 0)
			pin_target(neigh, model, target->vpc, &target->check_ip, spread, now);
	}
}

/* ---- claims ------------------------------------------------------------------------------- */

/* The part of a NAT range that lies in a subnet. Stops at the first that finds no room. */
static void
claim_nat_range(struct lath_neigh *neigh, uint32_t attachment, const struct lath_prefix *subnet,
		const struct lath_model_nat_range *range, uint32_t *spread, lath_tick_t now)
{
	uint32_t mask = subnet->bits == 0 ? 0 : UINT32_MAX << (32 - subnet->bits);
	uint64_t low = lath_from_be32(lath_ip_v4_be(&subnet->ip)) & mask;
	uint64_t high = low | (uint32_t)~mask;
	uint64_t first = range->first > low ? range->first : low;
	uint64_t last = (uint64_t)range->first + range->count;

	last = last > high + 1 ? high + 1 : last;
	for (uint64_t v4 = first; v4 < last; v4++) {
		struct lath_ip ip = lath_ip_from_v4_be(lath_to_be32((uint32_t)v4));

		if (!lath_neigh_claim_add(neigh, attachment, &ip, spread, now))
			return;
	}
}

/* IPv6 addresses of the pool that lie in a subnet, as many as could find room. */
static void
claim_nat6(struct lath_neigh *neigh, const struct lath_model_attachment *attachment,
		const struct lath_model_vpc *vpc, uint32_t *spread, lath_tick_t now)
{
	uint32_t count = lath_min_u32(vpc->nat6_address_count, neigh->max + 1);

	for (uint32_t i = 0; i < count; i++) {
		struct lath_ip ip = lath_model_nat6_address(vpc, i);

		for (uint32_t a = 0; a < attachment->address_count; a++)
			if (lath_prefix_contains(&attachment->addresses[a], &ip) &&
					!lath_neigh_claim_add(neigh, attachment->index, &ip, spread,
							now))
				return;
	}
}

static void
claim_service(struct lath_neigh *neigh, const struct lath_model_attachment *attachment,
		const struct lath_ip *ip, uint32_t *spread, lath_tick_t now)
{
	for (uint32_t a = 0; a < attachment->address_count; a++)
		if (lath_prefix_contains(&attachment->addresses[a], ip))
			(void)lath_neigh_claim_add(neigh, attachment->index, ip, spread, now);
}

static void
claim_services(struct lath_neigh *neigh, const struct lath_model *model,
		const struct lath_model_attachment *attachment, uint32_t *spread, lath_tick_t now)
{
	for (uint32_t i = 0; i < model->service_count; i++) {
		const struct lath_model_service *service = model->services[i];

		if (service == NULL || !lath_model_service_visible(service, attachment->vpc))
			continue;
		for (size_t n = 0; n < LATH_ARRAY_SIZE(service->addresses); n++)
			claim_service(neigh, attachment, &service->addresses[n], spread, now);
	}
}

static void
claim_attachment(struct lath_neigh *neigh, const struct lath_model *model,
		const struct lath_model_attachment *attachment, uint32_t *spread, lath_tick_t now)
{
	const struct lath_model_vpc *vpc = attachment->vpc < model->vpc_count
			? model->vpcs[attachment->vpc]
			: NULL;

	/* Own addresses first: they matter most when room is short. */
	if (neigh->attachments[attachment->index].link_local.family == LATH_FAMILY_IPV6)
		(void)lath_neigh_claim_add(neigh, attachment->index,
				&neigh->attachments[attachment->index].link_local, spread, now);
	for (uint32_t i = 0; i < attachment->address_count; i++)
		(void)lath_neigh_claim_add(neigh, attachment->index, &attachment->addresses[i].ip,
				spread, now);
	claim_services(neigh, model, attachment, spread, now);
	for (uint32_t i = 0; vpc != NULL && i < attachment->address_count; i++) {
		if (!lath_ip_is_v4(&attachment->addresses[i].ip))
			continue;
		for (uint32_t r = 0; r < vpc->nat_range_count; r++)
			claim_nat_range(neigh, attachment->index, &attachment->addresses[i],
					&vpc->nat_ranges[r], spread, now);
	}
	if (vpc != NULL)
		claim_nat6(neigh, attachment, vpc, spread, now);
}

static void
take_claims(struct lath_neigh *neigh, const struct lath_model *model, uint32_t *spread,
		lath_tick_t now)
{
	for (uint32_t i = 0; i < model->attachment_count && i < LATH_MODEL_ATTACHMENTS_MAX; i++)
		if (neigh->attachments[i].present && neigh->attachments[i].announce)
			claim_attachment(neigh, model, model->attachments[i], spread, now);
}

static void
sweep_claims(struct lath_neigh *neigh)
{
	for (uint32_t i = 0; i < neigh->max; i++)
		if (neigh->claims[i].node.live && neigh->claims[i].node.mark != neigh->mark)
			lath_neigh_remove(neigh, neigh->max + i);
}

/* Next hops that are ours now (an address was taken over) are no neighbours any more. */
static void
sweep_entries(struct lath_neigh *neigh, lath_tick_t now)
{
	for (uint32_t i = 0; i < neigh->max; i++) {
		struct neigh_entry *entry = &neigh->entries[i];

		if (!entry->node.live)
			continue;
		if (lath_neigh_is_ours(neigh, entry->node.attachment, &entry->node.ip) ||
				!lath_neigh_speaks(neigh, entry->node.attachment, &entry->node.ip))
			lath_neigh_entry_drop(neigh, entry);
		else if (entry->pinned && entry->node.mark != neigh->mark)
			lath_neigh_entry_unpin(neigh, entry, now);
	}
}

void
lath_neigh_set_model(struct lath_neigh *neigh, const struct lath_model *model, lath_tick_t now)
{
	uint32_t asked = 0;
	uint32_t claimed = 0;
	uint64_t refused;

	LATH_ASSERT_ROLE(MGMT);
	neigh->model = model;
	neigh->mark++;
	take_attachments(neigh, model, now);
	refused = neigh->counters.claim_refused_total;
	take_claims(neigh, model, &claimed, now);
	sweep_claims(neigh);
	/* What found no room may find it now that the old ones are gone. */
	if (neigh->counters.claim_refused_total != refused) {
		neigh->counters.claim_refused_total = refused;
		take_claims(neigh, model, &claimed, now);
	}
	take_next_hops(neigh, model, &asked, now);
	sweep_entries(neigh, now);
}
