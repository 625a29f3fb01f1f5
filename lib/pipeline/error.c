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
	if (pkt->family == LATH_FAMILY_IPV4)
		return lath_icmperr_parse_v4(frame_of(m) + pkt->l3_offset, pkt->ip_len, error);
	return lath_icmperr_parse_v6(frame_of(m) + pkt->l3_offset, pkt->ip_len, error);
}

static struct lath_ip
outer_src(struct rte_mbuf *m)
{
	const uint8_t *l3 = frame_of(m) + packet_of(m)->l3_offset;

	if (packet_of(m)->family == LATH_FAMILY_IPV6)
		return lath_ip_from_v6(((const struct lath_ipv6_hdr *)(const void *)l3)->src);
	return lath_ip_from_v4_be(((const struct lath_ipv4_hdr *)(const void *)l3)->src_be);
}

/* Only who sent a packet is told about it. */
static bool
is_to_sender(const struct lath_packet *pkt, const struct lath_icmperr *error)
{
	if (pkt->family == LATH_FAMILY_IPV6)
		return memcmp(error->key6.dst, pkt->key6.dst, sizeof(pkt->key6.dst)) == 0;
	return error->key4.dst_be == pkt->key4.dst_be;
}

bool
lath_error_take(struct lath_worker *w, struct rte_mbuf *m)
{
	struct lath_packet *pkt = packet_of(m);
	uint32_t vpc = lath_packet_vpc(pkt);
	struct lath_icmperr error;
	enum lath_drop reason = parse(m, &error);

	if (reason == LATH_DROP_NONE && !is_to_sender(pkt, &error))
		reason = LATH_DROP_icmp_quote;
	if (reason != LATH_DROP_NONE) {
		drop(w, m, vpc, reason);
		return false;
	}
	pkt->kind = LATH_PACKET_ERROR;
	if (pkt->family == LATH_FAMILY_IPV6) {
		pkt->key6 = error.key6;
		pkt->key6.proto_vpc = lath_key_proto_vpc(error.quote_proto, vpc);
	} else {
		pkt->key4 = error.key4;
		pkt->key4.proto_vpc = lath_key_proto_vpc(error.quote_proto, vpc);
	}
	return true;
}

/* An error on its way to the client quotes a question, one to the target an answer. */
static bool
quotes_right_echo(struct rte_mbuf *m, const struct lath_icmperr *error, lath_flow_ref_t ref)
{
	static const uint8_t types[2][LATH_FLOW_DIRECTION_COUNT] = {
			{LATH_ICMP_ECHO_REPLY, LATH_ICMP_ECHO},
			{LATH_ICMPV6_ECHO_REPLY, LATH_ICMPV6_ECHO}};
	bool is_v6 = packet_of(m)->family == LATH_FAMILY_IPV6;
	uint8_t expected = types[is_v6][lath_flow_direction_of(ref)];
	const uint8_t *l4 = frame_of(m) + packet_of(m)->l3_offset + error->quote_l4_offset;

	return !lath_proto_is_icmp(error->quote_proto) || l4[0] == expected;
}

/* Why the error ends here, or LATH_DROP_NONE. */
static enum lath_drop
judge(const struct lath_worker *w, struct rte_mbuf *m, const struct lath_icmperr *error,
		lath_flow_ref_t ref)
{
	const struct lath_model_vpc *vpc = w->model->vpcs[lath_packet_vpc(packet_of(m))];
	struct lath_ip src = outer_src(m);

	if (lath_model_vpc_owns(vpc, &src))
		return LATH_DROP_martian;
	if (ref == LATH_FLOW_NONE || !quotes_right_echo(m, error, ref))
		return LATH_DROP_icmp_no_flow;
	if (ttl_of(m) <= 1)
		return LATH_DROP_ttl_expired; /* and no error about an error */
	return lath_revalidate_ask(w, ref, error->quote_proto);
}

static bool
is_from_end(struct rte_mbuf *m, const struct lath_icmperr *error)
{
	struct lath_ip src = outer_src(m);

	return memcmp(src.bytes,
			       error->family == LATH_FAMILY_IPV6
					       ? error->key6.src
					       : (const uint8_t *)&error->key4.src_be,
			       error->family == LATH_FAMILY_IPV6 ? 16 : 4) == 0;
}

/* What the error becomes on its way out: the half's rewrite, whichever it has. */
struct passage {
	const struct lath_rewrite4 *to4; /* NULL: it comes out as IPv6 */
	const struct lath_rewrite6 *to6;
	struct lath_icmperr_outer outer;
};

static struct passage
passage_of(const struct lath_worker *w, lath_flow_ref_t ref)
{
	const struct lath_half_mixed *half;
	struct passage way = {0};

	if (!lath_flow_is_mixed(ref)) {
		way.to4 = &lath_flow4_at(&w->flows, ref)->half[ref & 1].rewrite;
	} else {
		half = &lath_flow_mixed_at(&w->flows, ref)->half[ref & 1];
		if (half->family_out == LATH_FAMILY_IPV4)
			way.to4 = &half->rewrite4;
		else
			way.to6 = &half->rewrite6;
	}
	if (way.to4 != NULL) {
		way.outer.src = lath_ip_from_v4_be(way.to4->src_be);
		way.outer.dst = lath_ip_from_v4_be(way.to4->dst_be);
	} else {
		way.outer.src = lath_ip_from_v6(way.to6->src);
		way.outer.dst = lath_ip_from_v6(way.to6->dst);
	}
	return way;
}

/* Whom the error seems to come from when that is not the flow's other end. To the host port, whose
 * addresses name IPv4 routers in every VPC as well. False: nobody that the receiver could know.
 */
static bool
find_source(const struct lath_worker *w, struct rte_mbuf *m,
		const struct lath_model_attachment *egress, struct lath_icmperr_outer *outer)
{
	struct lath_ip src = outer_src(m);

	if (egress->is_host)
		return lath_hostaddr_make(&w->model->host_prefix, lath_packet_vpc(packet_of(m)),
				&src, &outer->src);
	/* Where it has no address of that family it speaks in the other end's name. */
	own_address(egress, &outer->dst, &outer->src);
	return true;
}

/* Across families it is written anew. False: nothing comes out, or there is no room. */
static bool
rebuild(struct rte_mbuf *m, const struct lath_icmperr *error, const struct passage *way)
{
	struct lath_packet *pkt = packet_of(m);
	uint8_t made[LATH_ICMPERR_V6_LEN_MAX];
	uint8_t *ip = frame_of(m) + pkt->l3_offset;
	uint32_t len = way->to6 != NULL ? lath_icmperr_4to6(made, ip, error, way->to6, &way->outer)
					: lath_icmperr_6to4(made, ip, error, way->to4, &way->outer);
	uint16_t room = (uint16_t)(rte_pktmbuf_data_len(m) - pkt->l3_offset +
			rte_pktmbuf_tailroom(m));

	if (len == 0 || len > room)
		return false;
	rte_pktmbuf_trim(m, (uint16_t)(rte_pktmbuf_data_len(m) - pkt->l3_offset));
	memcpy(rte_pktmbuf_append(m, (uint16_t)len), made, len);
	pkt->ip_len = (uint16_t)len;
	pkt->family = way->to6 != NULL ? LATH_FAMILY_IPV6 : LATH_FAMILY_IPV4;
	return true;
}

/* The error as its receiver may see it. False: nothing comes out. */
static bool
restore(const struct lath_worker *w, struct rte_mbuf *m, const struct lath_icmperr *error,
		lath_flow_ref_t ref, const struct lath_adjacency *adjacency)
{
	struct passage way = passage_of(w, ref);
	uint8_t family_in = packet_of(m)->family;
	int growth = family_growth(family_in, way.outer.dst.family);
	uint8_t *ip = frame_of(m) + packet_of(m)->l3_offset;

	way.outer.mtu_max = lath_min_u32(adjacency->mtu,
			(uint32_t)(leg_mtu(w, attachment_of(w, packet_of(m))) + growth));
	if (!is_from_end(m, error) &&
			!find_source(w, m, w->model->attachments[adjacency->key.attachment],
					&way.outer))
		return false;
	if (growth != 0)
		return rebuild(m, error, &way);
	if (family_in == LATH_FAMILY_IPV4)
		lath_icmperr_4to4(ip, error, way.to4, &way.outer);
	else
		lath_icmperr_6to6(ip, error, way.to6, &way.outer);
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
	if (!restore(w, m, &error, ref, adjacency)) {
		drop(w, m, vpc, LATH_DROP_icmp_type);
		return;
	}
	if (pkt->ip_len > adjacency->mtu)
		drop(w, m, vpc, LATH_DROP_oversize);
	else
		lath_nexthop_send_flow(w, m, ref, idx);
}
