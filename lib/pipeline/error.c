/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * ICMP errors that hosts and routers send about packets of flows. The flow is that of the quoted
 * packet with its ends swapped, so the error has the worker and the half of what travels its way;
 * that half's rewrite turns the quote back into what the error's receiver sent. A flow is only
 * looked at: no error makes, refreshes or ends one (RFC 4787 REQ-12, RFC 5382 REQ-10, RFC 5508
 * REQ-6).
 *
 * Who the error seems to come from: when it was the flow's other end itself, the address that the
 * receiver knows it by. Otherwise some router in between, whose address means nothing in another
 * VPC, or somebody else there: then the gateway's own address on the receiver's side (RFC 5508
 * REQ-5c). For the same reason its address need not lie in the VPC's prefixes.
 */

#include <lath_icmperr.h>

#include "pipeline_private.h"

/* Counts from the IP header on; the packet comes in one piece. */
static enum lath_drop
parse(struct rte_mbuf *m, struct lath_icmperr *error)
{
	const struct lath_packet *pkt = packet_of(m);

	if (rte_pktmbuf_linearize(m) != 0)
		return LATH_DROP_icmp_quote; /* buffers hold the largest frame in one piece */
	return lath_icmperr_parse_v4(frame_of(m) + pkt->l3_offset, pkt->ip_len, error);
}

static const struct lath_ipv4_hdr *
outer_of(struct rte_mbuf *m)
{
	return (const void *)(frame_of(m) + packet_of(m)->l3_offset);
}

bool
lath_error_take(struct lath_worker *w, struct rte_mbuf *m)
{
	struct lath_packet *pkt = packet_of(m);
	uint32_t vpc = lath_packet_vpc(pkt);
	struct lath_icmperr error;
	enum lath_drop reason = parse(m, &error);

	/* Only who sent a packet is told about it. */
	if (reason == LATH_DROP_NONE && error.key4.dst_be != pkt->key4.dst_be)
		reason = LATH_DROP_icmp_quote;
	if (reason != LATH_DROP_NONE) {
		drop(w, m, vpc, reason);
		return false;
	}
	pkt->kind = LATH_PACKET_ERROR;
	pkt->key4 = error.key4;
	pkt->key4.proto_vpc = lath_key_proto_vpc(error.quote_proto, vpc);
	return true;
}

/* An error on its way to the client quotes a question, one to the target an answer. */
static bool
quotes_right_echo(struct rte_mbuf *m, const struct lath_icmperr *error, lath_flow_ref_t ref)
{
	uint8_t expected = lath_flow_direction_of(ref) == LATH_FLOW_FORWARD ? LATH_ICMP_ECHO_REPLY
									    : LATH_ICMP_ECHO;
	const uint8_t *l4 = frame_of(m) + packet_of(m)->l3_offset + error->quote_l4_offset;

	return error->quote_proto != LATH_PROTO_ICMP || l4[0] == expected;
}

/* Why the error ends here, or LATH_DROP_NONE. */
static enum lath_drop
judge(const struct lath_worker *w, struct rte_mbuf *m, const struct lath_icmperr *error,
		lath_flow_ref_t ref)
{
	const struct lath_model_vpc *vpc = w->model->vpcs[lath_packet_vpc(packet_of(m))];
	struct lath_ip src = lath_ip_from_v4_be(outer_of(m)->src_be);

	if (lath_model_vpc_owns(vpc, &src))
		return LATH_DROP_martian;
	if (ref == LATH_FLOW_NONE || !quotes_right_echo(m, error, ref))
		return LATH_DROP_icmp_no_flow;
	if (outer_of(m)->ttl <= 1)
		return LATH_DROP_ttl_expired; /* and no error about an error */
	return lath_revalidate_ask(w, ref, error->quote_proto);
}

static bool
is_from_end(struct rte_mbuf *m, const struct lath_icmperr *error)
{
	return outer_of(m)->src_be == error->key4.src_be;
}

/* Within IPv4, in place. */
static void
restore_4to4(const struct lath_worker *w, struct rte_mbuf *m, const struct lath_icmperr *error,
		lath_flow_ref_t ref, const struct lath_adjacency *adjacency)
{
	const struct lath_rewrite4 *rewrite = &lath_flow4_at(&w->flows, ref)->half[ref & 1].rewrite;
	struct lath_icmperr_outer outer = {
			.src = lath_ip_from_v4_be(rewrite->src_be),
			.dst = lath_ip_from_v4_be(rewrite->dst_be),
			.mtu_max = lath_min_u32(adjacency->mtu,
					leg_mtu(w, attachment_of(w, packet_of(m)))),
	};

	if (!is_from_end(m, error))
		own_address(w->model->attachments[adjacency->key.attachment], &outer.dst,
				&outer.src);
	lath_icmperr_4to4(frame_of(m) + packet_of(m)->l3_offset, error, rewrite, &outer);
}

/* To the host port, whose addresses name routers in every VPC as well. False: nothing comes out. */
static bool
restore_4to6(const struct lath_worker *w, struct rte_mbuf *m, const struct lath_icmperr *error,
		lath_flow_ref_t ref, const struct lath_adjacency *adjacency)
{
	const struct lath_half_mixed *half = &lath_flow_mixed_at(&w->flows, ref)->half[ref & 1];
	struct lath_packet *pkt = packet_of(m);
	struct lath_ip src = lath_ip_from_v4_be(outer_of(m)->src_be);
	struct lath_icmperr_outer outer = {
			.src = lath_ip_from_v6(half->rewrite6.src),
			.dst = lath_ip_from_v6(half->rewrite6.dst),
			.mtu_max = lath_min_u32(adjacency->mtu,
					leg_mtu(w, attachment_of(w, pkt)) + 20u),
	};
	uint8_t made[LATH_ICMPERR_V6_LEN_MAX];
	uint8_t *frame = frame_of(m);
	uint32_t len;
	uint16_t room;

	if (!is_from_end(m, error) &&
			!lath_hostaddr_make(&w->model->host_prefix, lath_packet_vpc(pkt), &src,
					&outer.src))
		return false;
	len = lath_icmperr_4to6(made, frame + pkt->l3_offset, error, &half->rewrite6, &outer);
	room = (uint16_t)(rte_pktmbuf_data_len(m) - pkt->l3_offset + rte_pktmbuf_tailroom(m));
	if (len == 0 || len > room)
		return false;
	rte_pktmbuf_trim(m, (uint16_t)(rte_pktmbuf_data_len(m) - pkt->l3_offset));
	memcpy(rte_pktmbuf_append(m, (uint16_t)len), made, len);
	pkt->ip_len = (uint16_t)len;
	return true;
}

void
lath_error_pass(struct lath_worker *w, struct rte_mbuf *m, lath_flow_ref_t ref)
{
	struct lath_packet *pkt = packet_of(m);
	uint32_t vpc = lath_packet_vpc(pkt);
	const struct lath_adjacency *adjacency;
	struct lath_icmperr error;
	enum lath_drop reason = parse(m, &error); /* the worker that took it in has the first */
	uint32_t idx;

	if (reason == LATH_DROP_NONE)
		reason = judge(w, m, &error, ref);
	if (reason != LATH_DROP_NONE) {
		drop(w, m, vpc, reason);
		return;
	}
	idx = lath_nexthop_of(w, ref, &reason);
	if (idx == LATH_ADJACENCY_NONE) {
		drop(w, m, vpc, reason);
		return;
	}
	adjacency = &w->adjacencies.entries[idx];
	if (!lath_flow_is_mixed(ref)) {
		restore_4to4(w, m, &error, ref, adjacency);
	} else if (!restore_4to6(w, m, &error, ref, adjacency)) {
		drop(w, m, vpc, LATH_DROP_icmp_type);
		return;
	}
	if (pkt->ip_len > adjacency->mtu)
		drop(w, m, vpc, LATH_DROP_oversize);
	else
		lath_nexthop_send_flow(w, m, ref, idx);
}
