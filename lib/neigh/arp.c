/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* What ARP on the wire says. Any frame of a known neighbour confirms it: ARP has no other way. */

#include "neigh_private.h"

static bool
is_zero_ip(const struct lath_ip *ip)
{
	return lath_ip_v4_be(ip) == 0;
}

void
lath_neigh_seen(struct lath_neigh *neigh, uint32_t attachment, const struct lath_ip *sender_ip,
		const struct lath_mac *sender_mac, const struct lath_ip *target_ip, bool is_reply,
		lath_tick_t now)
{
	struct neigh_entry *entry;
	struct neigh_claim *claim;

	LATH_ASSERT_ROLE(MGMT);
	neigh->counters.seen_total++;
	if (lath_neigh_attachment(neigh, attachment) == NULL || !lath_ip_is_v4(sender_ip) ||
			!lath_neigh_is_usable_mac(sender_mac)) {
		neigh->counters.seen_ignored_total++;
		return;
	}
	/* RFC 5227 section 2.1.1: somebody who probes for our address counts while we probe. */
	if (is_zero_ip(sender_ip)) {
		claim = lath_neigh_find_claim(neigh, attachment, target_ip);
		if (claim != NULL && claim->state == LATH_NEIGH_CLAIM_PROBING)
			lath_neigh_claim_conflict(neigh, claim, sender_mac, now);
		return;
	}
	claim = lath_neigh_find_claim(neigh, attachment, sender_ip);
	if (claim != NULL) {
		lath_neigh_claim_conflict(neigh, claim, sender_mac, now);
		return;
	}
	entry = lath_neigh_find_entry(neigh, attachment, sender_ip);
	if (entry == NULL && !is_reply && !lath_neigh_is_ours(neigh, attachment, sender_ip))
		entry = lath_neigh_entry_learn(neigh, attachment, sender_ip, target_ip, now);
	if (entry == NULL) {
		neigh->counters.seen_ignored_total++;
		return;
	}
	lath_neigh_entry_confirm(neigh, entry, sender_mac, now);
}
