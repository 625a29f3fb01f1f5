/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * The way of a burst: lookup, then for what is not known admit, then translate. Read this file
 * first; each stage is one call.
 */

#include <rte_prefetch.h>

#include "pipeline_private.h"

static uint64_t
hash_of(const struct lath_worker *w, const struct lath_packet *pkt)
{
	if (pkt->family == LATH_FAMILY_IPV6)
		return lath_flow_hash6(&w->flows, &pkt->key6);
	return lath_flow_hash4(&w->flows, &pkt->key4);
}

static lath_flow_ref_t
find(const struct lath_worker *w, const struct lath_packet *pkt, uint64_t hash)
{
	if (pkt->family == LATH_FAMILY_IPV6)
		return lath_flow_find6(&w->flows, &pkt->key6, hash);
	return lath_flow_find4(&w->flows, &pkt->key4, hash);
}

/* Hashes all keys first, so that the bucket lines of the burst are fetched side by side. */
static void
lookup(const struct lath_worker *w, struct burst *b)
{
	uint64_t hashes[LATH_BURST_MAX];

	for (unsigned i = 0; i < b->count; i++) {
		hashes[i] = hash_of(w, packet_of(b->packets[i]));
		rte_prefetch0(lath_flow_bucket_of(&w->flows, hashes[i]));
	}
	for (unsigned i = 0; i < b->count; i++)
		lath_flow_prefetch(&w->flows, hashes[i]);
	for (unsigned i = 0; i < b->count; i++)
		b->refs[i] = find(w, packet_of(b->packets[i]), hashes[i]);
}

/* A miss on a port that RSS steers: the packet may be another worker's after all. What was handed
 * over is not compared: its sender has just been told who owns it, and that says nothing of RSS.
 */
static bool
is_mine(struct lath_worker *w, struct rte_mbuf *m, bool handed)
{
	struct lath_packet *pkt = packet_of(m);
	unsigned owner;

	if (handed || w->plane->worker_count == 1 ||
			attachment_of(w, pkt)->tunnel != LATH_CONFIG_TUNNEL_NONE ||
			w->plane->ports[pkt->port].steering != LATH_STEER_NIC ||
			pkt->kind == LATH_PACKET_HIDDEN)
		return true;
	owner = lath_stage_owner(w, pkt);
	lath_stage_count_steering(w, pkt->port, owner != w->index);
	if (owner == w->index)
		return true;
	pkt->owner = (uint8_t)owner;
	lath_handover(w, m, owner, LATH_HANDOVER_WRONG);
	return false;
}

/* Packets of flows that are not known. The new flow, or NONE: the packet is gone. */
static lath_flow_ref_t
admit(struct lath_worker *w, struct rte_mbuf *m, bool handed)
{
	if (!is_mine(w, m, handed))
		return LATH_FLOW_NONE;
	if (packet_of(m)->kind == LATH_PACKET_HOST)
		return lath_admit_host(w, m);
	return lath_admit(w, m);
}

void
lath_path_run(struct lath_worker *w, struct burst *b)
{
	uint64_t changes = w->flow_changes;

	lookup(w, b);
	for (unsigned i = 0; i < b->count; i++) {
		struct rte_mbuf *m = b->packets[i];
		lath_flow_ref_t ref = b->refs[i];

		/* An earlier packet of this burst made or ended a flow: perhaps this one's. */
		if (w->flow_changes != changes)
			ref = find(w, packet_of(m), hash_of(w, packet_of(m)));
		if (packet_of(m)->kind == LATH_PACKET_ERROR) {
			lath_error_pass(w, m, ref);
			continue;
		}
		if (ref != LATH_FLOW_NONE && !lath_known_pass(w, m, &ref))
			continue;
		if (ref == LATH_FLOW_NONE)
			ref = admit(w, m, b->handed);
		if (ref != LATH_FLOW_NONE)
			lath_translate(w, m, ref);
	}
}
