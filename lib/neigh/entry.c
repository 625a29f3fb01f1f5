/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Neighbours: asked, kept fresh, given up.
 *
 *     want/pin -> RESOLVING --answer--> REACHABLE --neighbor_s--> REFRESHING --answer--> REACHABLE
 *                     |  3 x 1 s                                      |  3 unicast, 3 broadcast
 *                     +------------------> FAILED <-------------------+
 *                                            |  3 s
 *                          pinned: RESOLVING again; others: forgotten
 *
 * The old MAC stays in use while REFRESHING (6 s at most), as RFC 4861 has it for PROBE. What an IPv6
 * neighbour says of itself is STALE; once it is used it is REFRESHING, and asked after 5 s (DELAY). Unpinned
 * entries have at most half of the table. When that is full the oldest goes, and those that nobody
 * answers or nobody asked for go before any that is in use: a flood of unresolvable addresses
 * churns among itself.
 */

#include "neigh_private.h"

#define UNICAST_TRIES LATH_NEIGH_RETRIES
#define REFRESH_TRIES (2 * LATH_NEIGH_RETRIES) /* unicast, then broadcast */
#define REFRESH_JITTER 8u                      /* refreshes come up to 1/8 early */
#define DOWN_RETRY_MS 1000u
#define SPREAD_TICKS LATH_TICKS_PER_SECOND

void
lath_neigh_send(struct lath_neigh *neigh, uint32_t attachment, enum lath_neigh_message kind,
		const struct lath_ip *sender, const struct lath_ip *target,
		const struct lath_mac *dst)
{
	neigh->counters.sent_total[kind]++;
	neigh->ops->send(neigh->ctx, attachment, kind, sender, target, dst);
}

bool
lath_neigh_is_down(const struct lath_neigh *neigh, uint32_t attachment)
{
	uint16_t port = neigh->attachments[attachment].port;

	return port < LATH_MODEL_PORTS_MAX && neigh->port_down[port];
}

lath_tick_t
lath_neigh_spread(struct lath_neigh *neigh, uint32_t i, lath_tick_t now)
{
	return now + (i < SPREAD_TICKS ? i : lath_random_below(&neigh->random, SPREAD_TICKS));
}

const struct lath_model_attachment *
lath_neigh_attachment(const struct lath_neigh *neigh, uint32_t attachment)
{
	if (neigh->model == NULL || attachment >= neigh->model->attachment_count ||
			attachment >= LATH_MODEL_ATTACHMENTS_MAX ||
			!neigh->attachments[attachment].present)
		return NULL;
	return neigh->model->attachments[attachment];
}

static bool
is_attached(const struct lath_neigh *neigh, uint32_t index, const struct lath_ip *ip)
{
	const struct lath_model_attachment *attachment = lath_neigh_attachment(neigh, index);

	if (lath_nd_is_link_local(ip))
		return true;
	for (uint32_t i = 0; i < attachment->address_count; i++)
		if (lath_prefix_contains(&attachment->addresses[i], ip))
			return true;
	return false;
}

bool
lath_neigh_speaks(const struct lath_neigh *neigh, uint32_t attachment, const struct lath_ip *ip)
{
	return lath_ip_is_v4(ip) ||
			(ip->family == LATH_FAMILY_IPV6 &&
					neigh->attachments[attachment].link_local.family ==
							LATH_FAMILY_IPV6);
}

/* The gateway's address in the subnet of `ip`; else IPv6: the link-local one, IPv4: its first there
 * or 0.0.0.0. Hosts answer all of them.
 */
static struct lath_ip
sender_for(const struct lath_neigh *neigh, uint32_t index, const struct lath_ip *ip)
{
	const struct lath_model_attachment *attachment = lath_neigh_attachment(neigh, index);
	struct lath_ip sender = {.family = LATH_FAMILY_NONE};

	for (uint32_t i = 0; attachment != NULL && i < attachment->address_count; i++) {
		const struct lath_prefix *address = &attachment->addresses[i];

		if (address->ip.family != ip->family)
			continue;
		if (lath_prefix_contains(address, ip))
			return address->ip;
		if (sender.family == LATH_FAMILY_NONE)
			sender = address->ip;
	}
	if (ip->family == LATH_FAMILY_IPV6)
		return neigh->attachments[index].link_local;
	sender.family = LATH_FAMILY_IPV4;
	return sender;
}

bool
lath_neigh_is_ours(const struct lath_neigh *neigh, uint32_t attachment, const struct lath_ip *ip)
{
	const struct lath_model_attachment *model = lath_neigh_attachment(neigh, attachment);

	for (uint32_t i = 0; model != NULL && i < model->address_count; i++)
		if (lath_ip_equal(&model->addresses[i].ip, ip))
			return true;
	if (model != NULL && lath_ip_equal(&neigh->attachments[attachment].link_local, ip))
		return true;
	return lath_neigh_find_claim(neigh, attachment, ip) != NULL;
}

static void
ask(struct lath_neigh *neigh, struct neigh_entry *entry, lath_tick_t now)
{
	struct lath_ip sender = sender_for(neigh, entry->node.attachment, &entry->node.ip);
	bool is_unicast = entry->state == LATH_NEIGH_REFRESHING && entry->attempts < UNICAST_TRIES;

	entry->attempts++;
	lath_neigh_timer_set(neigh, neigh_entry_id(neigh, entry),
			now + lath_ticks_from_ms(LATH_NEIGH_RETRY_MS));
	lath_neigh_send(neigh, entry->node.attachment,
			is_unicast ? LATH_NEIGH_ASK_ONE : LATH_NEIGH_ASK_ALL, &sender,
			&entry->node.ip, is_unicast ? &entry->mac : NULL);
}

static void
say_lost(struct lath_neigh *neigh, uint32_t attachment, const struct lath_ip *ip)
{
	neigh->counters.lost_total++;
	neigh->ops->lost(neigh->ctx, attachment, ip);
}

static void
fail(struct lath_neigh *neigh, struct neigh_entry *entry, lath_tick_t now)
{
	entry->state = LATH_NEIGH_FAILED;
	entry->has_mac = false;
	lath_neigh_timer_set(neigh, neigh_entry_id(neigh, entry),
			now + lath_ticks_from_ms(LATH_NEIGH_FAILED_MS));
	lath_neigh_relist(neigh, entry);
	say_lost(neigh, entry->node.attachment, &entry->node.ip);
}

void
lath_neigh_entry_drop(struct lath_neigh *neigh, struct neigh_entry *entry)
{
	struct lath_ip ip = entry->node.ip;
	uint32_t attachment = entry->node.attachment;
	/* Of a failed one the workers know already. */
	bool was_failed = entry->state == LATH_NEIGH_FAILED;

	lath_neigh_remove(neigh, neigh_entry_id(neigh, entry));
	if (!was_failed)
		say_lost(neigh, attachment, &ip);
}

bool
lath_neigh_make_room(struct lath_neigh *neigh, bool pinned)
{
	uint32_t unpinned = neigh->live[0] - neigh->pinned;
	uint32_t victim = neigh->oldest[NEIGH_LIST_CHEAP];

	if (neigh->free[0] != NEIGH_NONE && (pinned || unpinned < neigh->max / 2))
		return true;
	if (victim == NEIGH_NONE)
		victim = neigh->oldest[NEIGH_LIST_GOOD];
	if (victim == NEIGH_NONE)
		return false;
	neigh->counters.evicted_total++;
	lath_neigh_entry_drop(neigh, neigh_entry_at(neigh, victim));
	return true;
}

static bool
is_idle(const struct neigh_entry *entry, lath_tick_t now)
{
	return !entry->pinned &&
			lath_tick_reached(now,
					entry->used + lath_ticks_from_ms(LATH_NEIGH_IDLE_MS));
}

void
lath_neigh_entry_due(struct lath_neigh *neigh, struct neigh_entry *entry, lath_tick_t now)
{
	if (lath_neigh_is_down(neigh, entry->node.attachment)) {
		lath_neigh_timer_set(neigh, neigh_entry_id(neigh, entry),
				now + lath_ticks_from_ms(DOWN_RETRY_MS));
		return;
	}
	switch (entry->state) {
	case LATH_NEIGH_RESOLVING:
		if (entry->attempts < LATH_NEIGH_RETRIES)
			ask(neigh, entry, now);
		else
			fail(neigh, entry, now);
		return;
	case LATH_NEIGH_REACHABLE:
		if (is_idle(entry, now)) {
			lath_neigh_entry_drop(neigh, entry);
			return;
		}
		entry->state = LATH_NEIGH_REFRESHING;
		entry->attempts = 0;
		ask(neigh, entry, now);
		return;
	case LATH_NEIGH_REFRESHING:
		if (entry->attempts < REFRESH_TRIES)
			ask(neigh, entry, now);
		else
			fail(neigh, entry, now);
		return;
	case LATH_NEIGH_STALE:
		if (is_idle(entry, now))
			lath_neigh_entry_drop(neigh, entry);
		else
			lath_neigh_entry_suspect(neigh, entry, now);
		return;
	case LATH_NEIGH_FAILED:
		if (!entry->pinned) {
			lath_neigh_entry_drop(neigh, entry);
			return;
		}
		entry->state = LATH_NEIGH_RESOLVING;
		entry->attempts = 0;
		ask(neigh, entry, now);
		return;
	case LATH_NEIGH_STATE_COUNT:
		return;
	}
}

void
lath_neigh_entry_link_up(struct lath_neigh *neigh, struct neigh_entry *entry, lath_tick_t due)
{
	/* Behind a link that was down there may be another switch: ask everybody. */
	entry->attempts = entry->has_mac ? UNICAST_TRIES : 0;
	entry->state = entry->has_mac ? LATH_NEIGH_REFRESHING : LATH_NEIGH_RESOLVING;
	lath_neigh_timer_set(neigh, neigh_entry_id(neigh, entry), due);
}

void
lath_neigh_entry_pin(struct lath_neigh *neigh, uint32_t attachment, const struct lath_ip *ip,
		lath_tick_t due, lath_tick_t now)
{
	struct neigh_entry *entry = lath_neigh_find_entry(neigh, attachment, ip);

	if (entry == NULL) {
		if (lath_neigh_make_room(neigh, true))
			entry = lath_neigh_insert_entry(neigh, attachment, ip);
		if (entry == NULL) {
			neigh->counters.pin_refused_total++;
			return;
		}
		entry->confirmed = now;
		lath_neigh_timer_set(neigh, neigh_entry_id(neigh, entry), due);
	}
	entry->node.mark = neigh->mark;
	entry->used = now;
	entry->wanted = true;
	if (entry->pinned)
		return;
	entry->pinned = true;
	neigh->pinned++;
	lath_neigh_relist(neigh, entry);
	if (entry->state == LATH_NEIGH_FAILED)
		lath_neigh_timer_set(neigh, neigh_entry_id(neigh, entry), due);
	else if (entry->state == LATH_NEIGH_STALE)
		lath_neigh_entry_suspect(neigh, entry, now);
}

void
lath_neigh_entry_unpin(struct lath_neigh *neigh, struct neigh_entry *entry, lath_tick_t now)
{
	entry->pinned = false;
	entry->used = now;
	neigh->pinned--;
	lath_neigh_relist(neigh, entry);
	while (neigh->live[0] - neigh->pinned > neigh->max / 2 &&
			lath_neigh_make_room(neigh, false))
		continue;
}

/* ---- what workers say -------------------------------------------------------------------- */

static void
answer_want(struct lath_neigh *neigh, struct neigh_entry *entry, lath_tick_t now)
{
	entry->used = now;
	entry->wanted = true;
	lath_neigh_relist(neigh, entry);
	switch (entry->state) {
	case LATH_NEIGH_STALE:
		lath_neigh_entry_suspect(neigh, entry, now);
		/* fallthrough */
	case LATH_NEIGH_REACHABLE:
	case LATH_NEIGH_REFRESHING:
		neigh->ops->resolved(neigh->ctx, entry->node.attachment, &entry->node.ip,
				&entry->mac);
		return;
	case LATH_NEIGH_FAILED:
		neigh->ops->lost(neigh->ctx, entry->node.attachment, &entry->node.ip);
		return;
	case LATH_NEIGH_RESOLVING:
	case LATH_NEIGH_STATE_COUNT:
		return;
	}
}

void
lath_neigh_want(struct lath_neigh *neigh, uint32_t attachment, const struct lath_ip *ip,
		lath_tick_t now)
{
	struct neigh_entry *entry;

	LATH_ASSERT_ROLE(MGMT);
	if (lath_neigh_attachment(neigh, attachment) == NULL ||
			!lath_neigh_speaks(neigh, attachment, ip) ||
			lath_neigh_is_ours(neigh, attachment, ip)) {
		neigh->counters.want_refused_total++;
		return;
	}
	entry = lath_neigh_find_entry(neigh, attachment, ip);
	if (entry != NULL) {
		answer_want(neigh, entry, now);
		return;
	}
	if (!lath_bucket_take(&neigh->attachments[attachment].bucket, now, 1)) {
		neigh->counters.want_limited_total++;
		return;
	}
	if (!lath_neigh_make_room(neigh, false))
		return;
	entry = lath_neigh_insert_entry(neigh, attachment, ip);
	if (entry == NULL)
		return;
	entry->confirmed = now;
	entry->used = now;
	entry->wanted = true;
	lath_neigh_relist(neigh, entry);
	lath_neigh_entry_due(neigh, entry, now);
}

void
lath_neigh_used(struct lath_neigh *neigh, uint32_t attachment, const struct lath_ip *ip,
		lath_tick_t now)
{
	struct neigh_entry *entry = lath_neigh_find_entry(neigh, attachment, ip);

	LATH_ASSERT_ROLE(MGMT);
	if (entry == NULL)
		return;
	entry->used = now;
	entry->wanted = true;
	lath_neigh_relist(neigh, entry);
	if (entry->state == LATH_NEIGH_STALE)
		lath_neigh_entry_suspect(neigh, entry, now);
}

/* ---- what the wire says ------------------------------------------------------------------ */

static lath_tick_t
refresh_tick(struct lath_neigh *neigh, lath_tick_t now)
{
	uint32_t period = lath_ticks_from_seconds(neigh->model->timeouts.neighbor_s);

	period = lath_max_u32(period, LATH_TICKS_PER_SECOND);
	return now + period - lath_random_below(&neigh->random, period / REFRESH_JITTER);
}

void
lath_neigh_entry_confirm(struct lath_neigh *neigh, struct neigh_entry *entry,
		const struct lath_mac *mac, lath_tick_t now)
{
	bool is_new = !entry->has_mac;
	bool is_changed = entry->has_mac && memcmp(&entry->mac, mac, sizeof(*mac)) != 0;

	entry->mac = *mac;
	entry->has_mac = true;
	entry->state = LATH_NEIGH_REACHABLE;
	entry->attempts = 0;
	entry->confirmed = now;
	lath_neigh_timer_set(neigh, neigh_entry_id(neigh, entry), refresh_tick(neigh, now));
	if (is_new)
		lath_neigh_relist(neigh, entry);
	if (is_changed)
		neigh->counters.mac_changed_total++;
	if (!is_new && !is_changed)
		return;
	neigh->counters.resolved_total++;
	neigh->ops->resolved(neigh->ctx, entry->node.attachment, &entry->node.ip, mac);
}

void
lath_neigh_entry_suspect(struct lath_neigh *neigh, struct neigh_entry *entry, lath_tick_t now)
{
	bool is_used = entry->pinned || entry->wanted;

	entry->state = is_used ? LATH_NEIGH_REFRESHING : LATH_NEIGH_STALE;
	entry->attempts = 0;
	lath_neigh_timer_set(neigh, neigh_entry_id(neigh, entry),
			is_used ? now + lath_ticks_from_ms(LATH_NEIGH_DELAY_MS)
				: entry->used + lath_ticks_from_ms(LATH_NEIGH_IDLE_MS));
}

void
lath_neigh_entry_hear(struct lath_neigh *neigh, struct neigh_entry *entry,
		const struct lath_mac *mac, lath_tick_t now)
{
	bool is_new = !entry->has_mac;

	if (!is_new && memcmp(&entry->mac, mac, sizeof(*mac)) == 0)
		return;
	entry->mac = *mac;
	entry->has_mac = true;
	entry->confirmed = now;
	if (is_new)
		lath_neigh_relist(neigh, entry);
	else
		neigh->counters.mac_changed_total++;
	lath_neigh_entry_suspect(neigh, entry, now);
	neigh->counters.resolved_total++;
	neigh->ops->resolved(neigh->ctx, entry->node.attachment, &entry->node.ip, mac);
}

struct neigh_entry *
lath_neigh_entry_learn(struct lath_neigh *neigh, uint32_t attachment, const struct lath_ip *sender,
		const struct lath_ip *target, lath_tick_t now)
{
	struct neigh_entry *entry;

	if (!lath_neigh_is_ours(neigh, attachment, target) ||
			!is_attached(neigh, attachment, sender) ||
			!lath_bucket_take(&neigh->attachments[attachment].bucket, now, 1) ||
			!lath_neigh_make_room(neigh, false))
		return NULL;
	entry = lath_neigh_insert_entry(neigh, attachment, sender);
	if (entry == NULL)
		return NULL;
	entry->used = now;
	return entry;
}

bool
lath_neigh_is_usable_mac(const struct lath_mac *mac)
{
	static const struct lath_mac zero;

	return (mac->bytes[0] & 1) == 0 && memcmp(mac, &zero, sizeof(zero)) != 0;
}
