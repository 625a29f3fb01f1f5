/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * What neighbour discovery on the wire says (RFC 4861 sections 7.2.3 and 7.2.5, appendix C). Unlike
 * ARP it tells an answer from a claim: only a solicited advertisement confirms that a neighbour is
 * reached. What a neighbour says of itself unasked is used, and asked about.
 */

#include "neigh_private.h"

static bool
is_unspecified(const struct lath_ip *ip)
{
	static const uint8_t unspecified[16];

	return memcmp(ip->bytes, unspecified, 16) == 0;
}

/* RFC 4861 section 7.2.5. No entry is made for who was not asked. */
static bool
take_advertisement(struct lath_neigh *neigh, struct neigh_entry *entry,
		const struct lath_nd_message *msg, lath_tick_t now)
{
	bool is_other;

	if (entry == NULL || (!entry->has_mac && !msg->has_mac))
		return false;
	is_other = msg->has_mac && memcmp(&msg->mac, &entry->mac, sizeof(msg->mac)) != 0;
	if (entry->has_mac && is_other && !msg->overrides) {
		/* Two claim the address: what is known stays, but is asked about. */
		if (entry->state == LATH_NEIGH_REACHABLE)
			lath_neigh_entry_suspect(neigh, entry, now);
		return true;
	}
	entry->is_router = msg->from_router;
	if (msg->is_solicited)
		lath_neigh_entry_confirm(neigh, entry, msg->has_mac ? &msg->mac : &entry->mac, now);
	else if (is_other)
		lath_neigh_entry_hear(neigh, entry, &msg->mac, now);
	return true;
}

/* RFC 4861 section 7.2.3: who asks for us and says its MAC is known from then on, unconfirmed. */
static bool
take_solicitation(struct lath_neigh *neigh, uint32_t attachment, const struct lath_nd_message *msg,
		lath_tick_t now)
{
	struct neigh_entry *entry;

	if (!msg->has_mac)
		return false;
	entry = lath_neigh_find_entry(neigh, attachment, &msg->src);
	if (entry == NULL && !lath_neigh_is_ours(neigh, attachment, &msg->src))
		entry = lath_neigh_entry_learn(neigh, attachment, &msg->src, &msg->target, now);
	if (entry == NULL)
		return false;
	lath_neigh_entry_hear(neigh, entry, &msg->mac, now);
	return true;
}

/* True when the message is about an address of ours, and somebody else's. */
static bool
take_claim(struct lath_neigh *neigh, uint32_t attachment, const struct lath_nd_message *msg,
		const struct lath_mac *sender, lath_tick_t now)
{
	bool is_advertisement = msg->type == LATH_ND_NEIGHBOR_ADVERTISEMENT;
	bool is_probe = !is_advertisement && is_unspecified(&msg->src);
	struct neigh_claim *claim = lath_neigh_find_claim(neigh, attachment,
			is_advertisement || is_probe ? &msg->target : &msg->src);

	/* RFC 4862 section 5.4.3: who looks whether our address is free counts while we look. */
	if (claim != NULL && (!is_probe || claim->state == LATH_NEIGH_CLAIM_PROBING))
		lath_neigh_claim_conflict(neigh, claim, sender, now);
	return claim != NULL || is_probe;
}

void
lath_neigh_discovery(struct lath_neigh *neigh, uint32_t attachment,
		const struct lath_nd_message *msg, const struct lath_mac *sender, lath_tick_t now)
{
	bool is_advertisement = msg->type == LATH_ND_NEIGHBOR_ADVERTISEMENT;
	bool taken;

	LATH_ASSERT_ROLE(MGMT);
	neigh->counters.seen_total++;
	if (lath_neigh_attachment(neigh, attachment) == NULL ||
			!lath_neigh_speaks(neigh, attachment, &msg->src) ||
			(msg->has_mac && !lath_neigh_is_usable_mac(&msg->mac))) {
		neigh->counters.seen_ignored_total++;
		return;
	}
	if (take_claim(neigh, attachment, msg, sender, now))
		return;
	if (is_advertisement)
		taken = take_advertisement(neigh,
				lath_neigh_find_entry(neigh, attachment, &msg->target), msg, now);
	else
		taken = take_solicitation(neigh, attachment, msg, now);
	if (!taken)
		neigh->counters.seen_ignored_total++;
}

/* ---- listeners ---------------------------------------------------------------------------- */

void
lath_neigh_listen(struct lath_neigh *neigh, const struct neigh_claim *claim)
{
	uint32_t attachment = claim->node.attachment;

	if (!lath_ip_is_v4(&claim->node.ip))
		lath_neigh_send(neigh, attachment, LATH_NEIGH_LISTEN,
				&neigh->attachments[attachment].link_local, &claim->node.ip, NULL);
}

/* At once, not spread over the time that the query gives: one sender on the wire is no storm. */
void
lath_neigh_query(struct lath_neigh *neigh, uint32_t attachment, lath_tick_t now)
{
	struct neigh_attachment *own;

	LATH_ASSERT_ROLE(MGMT);
	if (lath_neigh_attachment(neigh, attachment) == NULL)
		return;
	own = &neigh->attachments[attachment];
	if (own->has_answered && !lath_tick_reached(now, own->answered + LATH_TICKS_PER_SECOND))
		return;
	own->has_answered = true;
	own->answered = now;
	for (uint32_t i = 0; i < neigh->max; i++)
		if (neigh->claims[i].node.live && neigh->claims[i].node.attachment == attachment)
			lath_neigh_listen(neigh, &neigh->claims[i]);
}
