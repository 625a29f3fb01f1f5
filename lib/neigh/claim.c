/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Addresses that the gateway holds on a wire: probed, announced, watched (RFC 5227).
 *
 *     new, link up -> PROBING --3 silent probes--> ANNOUNCING --2 announcements--> HELD
 *                        |  somebody has it                         somebody uses it: one
 *                        v                                          announcement in 10 s, told
 *                     CONFLICT --60 s--> PROBING                    (RFC 5227 section 2.4 (b))
 *
 * Shortened against RFC 5227 section 1.1, because a gateway's restart should take no longer than
 * it must and its address was given by a person, not guessed: no PROBE_WAIT, probes 200 ms apart
 * (1-2 s there), announced 200 ms after the last (2 s there). Workers answer ARP for the address
 * meanwhile: a conflict is told, it does not take the address away. While CONFLICT nothing is
 * announced, so that the other one's traffic stays where it is.
 *
 * IPv6 takes the same way (RFC 4862 section 5.4), with the numbers of RFC 4861 and 4862.
 * LIMIT: RFC 4862 section 5.4.5 would take a duplicate away; an address that a person gave stays.
 */

//= RFC4862#5.4.5-disable type=exception reason=An address that a person gave is not taken away by
//= whoever claims it: it is told to the operator and not announced, as with ARP (RFC 5227).

#include "neigh_private.h"

#define DEFEND_MS 10000u    /* DEFEND_INTERVAL */
#define CONFLICT_MS 60000u  /* RATE_LIMIT_INTERVAL */
#define DOWN_RETRY_MS 1000u /* link down: look again */

/* How one family looks whether an address is free, and says that it is taken. */
struct manners {
	uint32_t probes;
	uint32_t probe_ms;
	uint32_t announcements;
	uint32_t announce_ms;
};

static const struct manners *
manners_of(const struct neigh_claim *claim)
{
	/* PROBE_NUM, shortened (see above), ANNOUNCE_NUM, ANNOUNCE_INTERVAL. */
	static const struct manners arp = {3, 200, 2, 2000};
	/* DupAddrDetectTransmits, RETRANS_TIMER, MAX_NEIGHBOR_ADVERTISEMENT. */
	static const struct manners discovery = {1, 1000, 3, 1000};

	return lath_ip_is_v4(&claim->node.ip) ? &arp : &discovery;
}

static void
plan(struct lath_neigh *neigh, struct neigh_claim *claim, lath_tick_t now, uint32_t delay_ms)
{
	lath_neigh_timer_set(neigh, neigh_claim_id(neigh, claim),
			now + lath_ticks_from_ms(delay_ms));
}

static void
announce(struct lath_neigh *neigh, const struct neigh_claim *claim)
{
	lath_neigh_send(neigh, claim->node.attachment, LATH_NEIGH_ANNOUNCE, &claim->node.ip,
			&claim->node.ip, NULL);
}

static void
step_announcing(struct lath_neigh *neigh, struct neigh_claim *claim, lath_tick_t now)
{
	const struct manners *manners = manners_of(claim);

	claim->attempts++;
	if (claim->attempts < manners->announcements) {
		plan(neigh, claim, now, manners->announce_ms);
	} else {
		claim->state = LATH_NEIGH_CLAIM_HELD;
		lath_neigh_timer_stop(neigh, neigh_claim_id(neigh, claim));
	}
	announce(neigh, claim);
}

static void
step_probing(struct lath_neigh *neigh, struct neigh_claim *claim, lath_tick_t now)
{
	const struct manners *manners = manners_of(claim);
	struct lath_ip nobody = {.family = claim->node.ip.family};

	if (claim->attempts >= manners->probes) {
		claim->state = LATH_NEIGH_CLAIM_ANNOUNCING;
		claim->attempts = 0;
		step_announcing(neigh, claim, now);
		return;
	}
	/* RFC 4862 section 5.4.2: who asks for its own address listens for the answer first. */
	if (claim->attempts == 0)
		lath_neigh_listen(neigh, claim);
	claim->attempts++;
	plan(neigh, claim, now, manners->probe_ms);
	lath_neigh_send(neigh, claim->node.attachment, LATH_NEIGH_PROBE, &nobody, &claim->node.ip,
			NULL);
}

void
lath_neigh_claim_due(struct lath_neigh *neigh, struct neigh_claim *claim, lath_tick_t now)
{
	if (lath_neigh_is_down(neigh, claim->node.attachment)) {
		plan(neigh, claim, now, DOWN_RETRY_MS);
		return;
	}
	switch (claim->state) {
	case LATH_NEIGH_CLAIM_CONFLICT:
		claim->state = LATH_NEIGH_CLAIM_PROBING;
		claim->attempts = 0;
		step_probing(neigh, claim, now);
		return;
	case LATH_NEIGH_CLAIM_PROBING:
		step_probing(neigh, claim, now);
		return;
	case LATH_NEIGH_CLAIM_ANNOUNCING:
		step_announcing(neigh, claim, now);
		return;
	case LATH_NEIGH_CLAIM_HELD:
	case LATH_NEIGH_CLAIM_STATE_COUNT:
		return;
	}
}

void
lath_neigh_claim_restart(struct lath_neigh *neigh, struct neigh_claim *claim, lath_tick_t due)
{
	claim->state = LATH_NEIGH_CLAIM_PROBING;
	claim->attempts = 0;
	lath_neigh_timer_set(neigh, neigh_claim_id(neigh, claim), due);
}

bool
lath_neigh_claim_add(struct lath_neigh *neigh, uint32_t attachment, const struct lath_ip *ip,
		uint32_t *spread, lath_tick_t now)
{
	struct neigh_claim *claim = lath_neigh_find_claim(neigh, attachment, ip);

	if (claim == NULL) {
		claim = lath_neigh_insert_claim(neigh, attachment, ip);
		if (claim == NULL) {
			neigh->counters.claim_refused_total++;
			return false;
		}
		lath_neigh_claim_restart(neigh, claim, lath_neigh_spread(neigh, (*spread)++, now));
	}
	claim->node.mark = neigh->mark;
	return true;
}

void
lath_neigh_claim_conflict(struct lath_neigh *neigh, struct neigh_claim *claim,
		const struct lath_mac *theirs, lath_tick_t now)
{
	bool is_recent = claim->has_reported &&
			!lath_tick_reached(now, claim->reported + lath_ticks_from_ms(DEFEND_MS));

	neigh->counters.conflicts_total++;
	claim->theirs = *theirs;
	if (claim->state == LATH_NEIGH_CLAIM_CONFLICT)
		return;
	if (claim->state == LATH_NEIGH_CLAIM_PROBING) {
		claim->state = LATH_NEIGH_CLAIM_CONFLICT;
		plan(neigh, claim, now, CONFLICT_MS);
	} else if (!is_recent) {
		announce(neigh, claim);
	}
	if (is_recent)
		return;
	claim->reported = now;
	claim->has_reported = true;
	neigh->ops->conflict(neigh->ctx, claim->node.attachment, &claim->node.ip, theirs);
}
