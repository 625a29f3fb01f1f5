/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Refusals. For now every refusal of a TCP segment is a RST and everything else is silence; ICMP
 * errors come with the next packet work. A refused packet is dropped by its name, and the answer
 * counts as generated.
 *
 * Answers go back the way the packet came, on the same attachment to the same MAC: they are
 * stateless and need no neighbour. Each VPC has a budget, dealt out to the workers by management.
 */

#include "pipeline_private.h"

/* Cuts the frame to what `pkt` says and sends it back where it came from. */
static void
turn_back(struct lath_worker *w, struct rte_mbuf *m)
{
	struct lath_packet *pkt = packet_of(m);
	uint32_t len = (uint32_t)pkt->l3_offset + pkt->ip_len;

	lath_craft_turn_ethernet(frame_of(m), &w->plane->gateway_mac[pkt->port]);
	rte_pktmbuf_trim(m, (uint16_t)(rte_pktmbuf_pkt_len(m) - len));
	lath_transmit_generated(w, m, pkt->port, LATH_GENERATED_RST);
}

static bool
may_answer(struct lath_worker *w, uint32_t vpc)
{
	struct refusal_budget *budget = &w->refusals[vpc];

	budget->demand++;
	return lath_bucket_take(&budget->bucket, w->now, 1);
}

void
lath_refuse(struct lath_worker *w, struct rte_mbuf *m, uint32_t vpc, enum lath_drop reason)
{
	struct lath_packet *pkt = packet_of(m);

	/* Nobody answers a RST (RFC 9293 section 3.10.7.1), and a chain of segments is rare enough
	 * to be left to the sender's time-out.
	 */
	if (pkt->proto != LATH_PROTO_TCP || pkt->family != LATH_FAMILY_IPV4 ||
			(pkt->tcp_flags & LATH_TCP_RST) != 0 || m->nb_segs != 1) {
		drop(w, m, vpc, reason);
		return;
	}
	if (!may_answer(w, vpc)) {
		drop(w, m, vpc, LATH_DROP_refusal_limited);
		return;
	}
	lath_counters_drop(w->counters, vpc, reason);
	lath_craft_reset_answer(frame_of(m), pkt);
	turn_back(w, m);
}

/* A copy of the headers, for the RST that goes back to the sender. */
static struct rte_mbuf *
copy_headers(struct lath_worker *w, struct rte_mbuf *m)
{
	struct lath_packet *pkt = packet_of(m);
	uint16_t len = rte_pktmbuf_data_len(m);
	struct rte_mbuf *copy = rte_pktmbuf_alloc(w->plane->pool);

	if (copy == NULL)
		return NULL;
	memcpy(rte_pktmbuf_append(copy, len), frame_of(m), len);
	*packet_of(copy) = *pkt;
	return copy;
}

void
lath_refuse_flow(struct lath_worker *w, struct rte_mbuf *m, lath_flow_ref_t ref,
		enum lath_drop reason)
{
	struct lath_packet *pkt = packet_of(m);
	uint32_t vpc = lath_packet_vpc(pkt);
	struct rte_mbuf *answer;

	if (pkt->proto != LATH_PROTO_TCP || m->nb_segs != 1) {
		drop(w, m, vpc, reason);
		return;
	}
	lath_counters_drop(w->counters, vpc, reason);
	answer = (pkt->tcp_flags & LATH_TCP_RST) != 0 ? NULL : copy_headers(w, m);
	if (answer != NULL) {
		lath_craft_reset_answer(frame_of(answer), packet_of(answer));
		turn_back(w, answer);
	}
	lath_craft_reset_onward(frame_of(m), pkt);
	rte_pktmbuf_trim(m, (uint16_t)(rte_pktmbuf_pkt_len(m) - pkt->l3_offset - pkt->ip_len));
	w->counters->worker.generated[LATH_GENERATED_RST]++;
	lath_translate(w, m, ref);
}
