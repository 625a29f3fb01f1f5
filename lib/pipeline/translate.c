/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Translate: the flow's rewrite goes into the packet, the half's counters move on, the adjacency's
 * bytes go in front, and the packet leaves. Nothing is decided here but what the packet's own size
 * and TTL decide.
 */

#include "pipeline_private.h"

static int
growth_of(const struct lath_worker *w, lath_flow_ref_t ref)
{
	const struct lath_half_mixed *half;

	if (!lath_flow_is_mixed(ref))
		return 0;
	half = &lath_flow_mixed_at(&w->flows, ref)->half[ref & 1];
	return family_growth(half->family_in, half->family_out);
}

static bool
lacks_cksum(struct rte_mbuf *m)
{
	const struct lath_packet *pkt = packet_of(m);
	const struct lath_udp_hdr *udp = (const void *)(frame_of(m) + pkt->l4_offset);

	return pkt->proto == LATH_PROTO_UDP && lath_from_be16(udp->cksum_be) == 0;
}

/* The longer header grows to the front; headroom is kept for just this. A UDP datagram without a
 * checksum is summed, which wants it in one piece; buffers hold the largest frame.
 */
static void
rewrite_4to6(struct rte_mbuf *m, const struct lath_half_mixed *half)
{
	struct lath_packet *pkt = packet_of(m);

	if (lacks_cksum(m))
		rte_pktmbuf_linearize(m);
	if (rte_pktmbuf_prepend(m, 20) == NULL)
		rte_panic("packet without headroom\n");
	pkt->l3_offset += 20;
	pkt->l4_offset += 20;
	lath_xlate_4to6(frame_of(m), pkt, &half->rewrite6, half->deltas);
}

static void
rewrite_mixed(struct lath_worker *w, struct rte_mbuf *m, lath_flow_ref_t ref)
{
	const struct lath_half_mixed *half = &lath_flow_mixed_at(&w->flows, ref)->half[ref & 1];
	struct lath_packet *pkt = packet_of(m);

	if (half->family_out == LATH_FAMILY_IPV4) {
		lath_xlate_6to4(frame_of(m), pkt, &half->rewrite4, half->deltas, w->next_ipv4_id);
		w->next_ipv4_id = (uint16_t)(w->next_ipv4_id + w->plane->worker_count);
	} else if (half->family_in == LATH_FAMILY_IPV6) {
		lath_xlate_6to6(frame_of(m), pkt, &half->rewrite6, half->deltas);
	} else {
		rewrite_4to6(m, half);
	}
}

static uint16_t
mss_for(uint16_t mtu, uint8_t family)
{
	return (uint16_t)(mtu - (family == LATH_FAMILY_IPV6 ? 60 : 40));
}

/* A segment must fit on both legs, each with the headers of its own family. */
static void
clamp_mss(struct lath_worker *w, struct rte_mbuf *m, uint8_t family_in, uint16_t egress_mtu)
{
	const struct lath_packet *pkt = packet_of(m);
	uint16_t ingress = mss_for(leg_mtu(w, attachment_of(w, pkt)), family_in);
	uint16_t egress = mss_for(egress_mtu, pkt->family);

	lath_xlate_clamp_mss(frame_of(m) + pkt->l4_offset,
			(uint32_t)(pkt->ip_len - (pkt->l4_offset - pkt->l3_offset)),
			ingress < egress ? ingress : egress);
}

static void
account(const struct lath_worker *w, const struct rte_mbuf *m, const struct lath_packet *pkt,
		struct lath_half_state *state)
{
	state->tick = w->now;
	state->packets++;
	state->bytes += pkt->ip_len;
	if (pkt->proto == LATH_PROTO_TCP && (pkt->tcp_flags & LATH_TCP_ACK) != 0) {
		const struct lath_tcp_hdr *tcp = rte_pktmbuf_mtod_offset(m,
				const struct lath_tcp_hdr *, pkt->l4_offset);
		uint32_t ack = lath_from_be32(tcp->ack_be);

		/* Furthest so far, modulo 2^32; before the first one there is none to compare. */
		if ((state->adjacency & LATH_HALF_ACKED) == 0 || (int32_t)(ack - state->ack) > 0) {
			state->ack = ack;
			state->adjacency |= LATH_HALF_ACKED;
		}
	}
}

void
lath_translate(struct lath_worker *w, struct rte_mbuf *m, lath_flow_ref_t ref)
{
	struct lath_packet *pkt = packet_of(m);
	struct lath_half_state *state = lath_flow_state_at(&w->flows, ref);
	uint32_t vpc = lath_packet_vpc(pkt);
	uint8_t family_in = pkt->family;
	enum lath_drop reason = LATH_DROP_NONE;
	const struct lath_adjacency *adjacency;
	uint32_t idx;

	if (ttl_of(m) <= 1) {
		lath_refuse(w, m, vpc, LATH_DROP_ttl_expired);
		return;
	}
	idx = lath_nexthop_of(w, ref, &reason);
	if (idx == LATH_ADJACENCY_NONE) {
		drop(w, m, vpc, reason);
		return;
	}
	adjacency = &w->adjacencies.entries[idx];
	if (pkt->ip_len + growth_of(w, ref) > adjacency->mtu) {
		lath_refuse_oversize(w, m, vpc, (uint32_t)(adjacency->mtu - growth_of(w, ref)));
		return;
	}
	account(w, m, pkt, state);
	if (lath_flow_is_mixed(ref)) {
		rewrite_mixed(w, m, ref);
	} else {
		const struct lath_half4 *half = &lath_flow4_at(&w->flows, ref)->half[ref & 1];

		lath_xlate_4to4(frame_of(m), pkt, &half->rewrite, half->deltas);
	}
	if ((pkt->tcp_flags & LATH_TCP_SYN) != 0)
		clamp_mss(w, m, family_in, adjacency->mtu);
	lath_nexthop_send_flow(w, m, ref, idx);
}
