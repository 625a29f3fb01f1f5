/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Tunnels. A frame to an underlay is taken apart where it lies: offsets move on to the inner packet,
 * the outer headers stay in front of it. They tell an answer where to go, and the next hop's header is
 * written over them as over any other.
 *
 *     underlay -> outer headers -> VNI -> remote -> inner frame -> receive.c, as on a port of the VPC
 *
 * Whose packet it is stands fast only when underlay, VNI, outer destination and outer source fit one
 * attachment; until then what ends counts in the underlay's row. What is inside is a packet of that
 * VPC and nothing more: one to an underlay's address is not taken apart again.
 *
 * Out: the adjacency of a tunnel has the headers from the outer IP header on, and names the adjacency
 * of the underlay that the outer packet goes on by; that is resolved, held and renewed as any next hop.
 */

#include <lath_tunnel.h>

#include "pipeline_private.h"

#define TAGS_MAX 8u
#define GWLB_VNI 0u

/* The outer headers, and how far they reach. */
struct arrival {
	const struct lath_model_attachment *underlay;
	struct lath_tunnel_outer outer;
	uint32_t len; /* of the first segment, cut where the outer UDP datagram ends */
	uint32_t end; /* of the outer UDP datagram */
	struct lath_tunnel_gwlb gwlb;
};

/* What lies behind the packet stays behind. */
static void
cut(struct rte_mbuf *m)
{
	const struct lath_packet *pkt = packet_of(m);
	uint32_t len = (uint32_t)pkt->l3_offset + pkt->ip_len;

	if (rte_pktmbuf_pkt_len(m) > len)
		lath_segments_cut(m, len);
}

/* ---- in ----------------------------------------------------------------------------------- */

/* A load balancer asks whether it may send packets here: yes, when something can take them. */
static void
answer_health(struct lath_worker *w, struct rte_mbuf *m, const struct arrival *in)
{
	struct lath_packet *pkt = packet_of(m);
	uint32_t vpc = in->underlay->vpc;
	uint32_t first = (uint32_t)lath_flow_hash4(&w->flows, &pkt->key4);
	uint32_t len = (uint32_t)pkt->l3_offset + LATH_CRAFT_HEALTH_MAX;
	enum lath_generated kind = LATH_GENERATED_HEALTH_ANSWER;

	if (!w->model->is_ready) {
		lath_refuse(w, m, vpc, LATH_DROP_no_listener);
		return;
	}
	w->refusals[vpc].demand++;
	if (!lath_bucket_take(&w->refusals[vpc].bucket, w->now, 1) || m->nb_segs != 1 ||
			(rte_pktmbuf_data_len(m) < len &&
					rte_pktmbuf_append(m,
							(uint16_t)(len -
									rte_pktmbuf_data_len(m))) ==
							NULL)) {
		drop(w, m, vpc, LATH_DROP_refusal_limited);
		return;
	}
	w->counters->worker.consumed++;
	if (!lath_craft_health_answer(frame_of(m), pkt, first)) {
		rte_pktmbuf_free(m);
		return;
	}
	lath_craft_turn_ethernet(frame_of(m), &w->plane->gateway_mac[pkt->port]);
	cut(m);
	lath_transmit_back(w, m, kind);
}

/* To the underlay itself: ping, and health checks. */
static void
take_plain(struct lath_worker *w, struct rte_mbuf *m, const struct arrival *in)
{
	struct lath_packet *pkt = packet_of(m);
	enum lath_drop reason = LATH_DROP_underlay_other;

	if (lath_ip_is_v4(&in->outer.dst))
		reason = lath_parse_ipv4(frame_of(m), rte_pktmbuf_data_len(m),
				rte_pktmbuf_pkt_len(m), false, pkt);
	if (reason == LATH_DROP_NONE && pkt->proto == LATH_PROTO_ICMP &&
			pkt->icmp_type == LATH_ICMP_ECHO &&
			lath_model_is_own(in->underlay, &in->outer.dst)) {
		pkt->attachment = in->underlay->index;
		lath_local_echo(w, m);
		return;
	}
	if (reason == LATH_DROP_NONE && pkt->proto == LATH_PROTO_TCP &&
			in->underlay->health_port != 0 &&
			lath_from_be16(pkt->key4.dst_port_be) == in->underlay->health_port &&
			lath_model_is_own(in->underlay, &in->outer.dst)) {
		pkt->attachment = in->underlay->index;
		answer_health(w, m, in);
		return;
	}
	drop(w, m, in->underlay->vpc, reason == LATH_DROP_NONE ? LATH_DROP_underlay_other : reason);
}

static const struct lath_model_attachment *
attachment_of_vni(const struct lath_worker *w, const struct arrival *in)
{
	if (in->gwlb.has_endpoint)
		return lath_model_enter(w->model, LATH_MODEL_ENTRANCE_ENDPOINT, in->underlay->index,
				in->gwlb.endpoint);
	return lath_model_enter(w->model,
			in->outer.kind == LATH_TUNNEL_VXLAN ? LATH_MODEL_ENTRANCE_VXLAN
							    : LATH_MODEL_ENTRANCE_GENEVE,
			in->underlay->index, in->outer.vni);
}

/* A checksum over all segments needs them in one piece; buffers hold the largest frame. */
static bool
cksum_holds(struct rte_mbuf *m, const struct arrival *in)
{
	return !in->outer.has_cksum ||
			(rte_pktmbuf_linearize(m) == 0 &&
					lath_tunnel_cksum_holds(frame_of(m),
							packet_of(m)->l3_offset, &in->outer));
}

/* Which attachment the packet enters by, or NULL and the reason. */
static const struct lath_model_attachment *
enter(const struct lath_worker *w, struct rte_mbuf *m, const struct arrival *in,
		enum lath_drop *reason)
{
	const struct lath_model_attachment *attachment = attachment_of_vni(w, in);
	const struct lath_model_remote *remote;

	*reason = in->gwlb.has_endpoint ? LATH_DROP_tunnel_endpoint : LATH_DROP_tunnel_vni;
	if (attachment == NULL)
		return NULL;
	remote = lath_model_remote(attachment, &in->outer.src);
	*reason = LATH_DROP_tunnel_peer;
	if (remote == NULL || !lath_ip_equal(&remote->local, &in->outer.dst))
		return NULL;
	*reason = LATH_DROP_tunnel_cksum;
	return cksum_holds(m, in) ? attachment : NULL;
}

/* False: the reason. Moves l3_offset to the inner packet and tells its ethertype. */
static enum lath_drop
open_inner(const struct lath_worker *w, struct rte_mbuf *m, const struct arrival *in,
		const struct lath_model_attachment *attachment, uint16_t *ethertype)
{
	const struct lath_eth_hdr *eth = (const void *)(frame_of(m) + in->outer.inner_offset);
	struct lath_packet *pkt = packet_of(m);

	pkt->l3_offset = in->outer.inner_offset;
	*ethertype = in->outer.protocol;
	if (attachment->inner_ethernet != (in->outer.protocol == LATH_TUNNEL_ETHERNET))
		return LATH_DROP_tunnel_protocol;
	if (!attachment->inner_ethernet)
		return *ethertype == LATH_ETHERTYPE_IPV4 || *ethertype == LATH_ETHERTYPE_IPV6
				? LATH_DROP_NONE
				: LATH_DROP_tunnel_protocol;
	if (in->len < in->outer.inner_offset + sizeof(*eth))
		return LATH_DROP_tunnel_malformed;
	*ethertype = lath_from_be16(eth->type_be);
	/* RFC 7348 section 6.1: a tagged inner frame is discarded. */
	if (*ethertype == LATH_ETHERTYPE_VLAN || *ethertype == LATH_ETHERTYPE_QINQ)
		return LATH_DROP_tunnel_protocol;
	if (!lath_stage_is_for_us(w, &eth->dst, pkt->port, *ethertype))
		return LATH_DROP_not_for_us;
	pkt->l3_offset = (uint16_t)(pkt->l3_offset + sizeof(*eth));
	return LATH_DROP_NONE;
}

/* The inner packet, as if it had come in on a port of the VPC. False: it is gone. */
static bool
take_inner(struct lath_worker *w, struct rte_mbuf *m, const struct arrival *in,
		const struct lath_model_attachment *attachment)
{
	struct lath_packet *pkt = packet_of(m);
	const struct lath_eth_hdr *eth;
	uint16_t ethertype;
	enum lath_drop reason = open_inner(w, m, in, attachment, &ethertype);

	if (reason == LATH_DROP_NONE && ethertype == LATH_ETHERTYPE_ARP) {
		if (in->len < pkt->l3_offset + sizeof(struct lath_arp_hdr)) {
			drop(w, m, attachment->vpc, LATH_DROP_arp_malformed);
			return false;
		}
		pkt->attachment = attachment->index;
		pkt->ip_len = sizeof(struct lath_arp_hdr);
		pkt->kind = LATH_PACKET_ARP;
		lath_local_arp(w, m, attachment);
		return false;
	}
	if (reason == LATH_DROP_NONE && ethertype == LATH_ETHERTYPE_IPV6 &&
			attachment->inner_ethernet) {
		eth = (const void *)(frame_of(m) + in->outer.inner_offset);
		if (!lath_discovery_pass(w, m, in->end, &eth->dst, attachment))
			return false;
	}
	if (reason == LATH_DROP_NONE)
		reason = lath_stage_parse(m, ethertype, in->len, in->end, false);
	if (reason == LATH_DROP_NONE &&
			!lath_tunnel_apply_ecn(frame_of(m) + pkt->l3_offset, in->outer.tos))
		reason = LATH_DROP_tunnel_ecn;
	if (reason != LATH_DROP_NONE) {
		drop(w, m, attachment->vpc, reason);
		return false;
	}
	return lath_stage_classify(w, m, attachment);
}

bool
lath_tunnel_take(struct lath_worker *w, struct rte_mbuf *m, uint16_t ethertype,
		const struct lath_model_attachment *underlay)
{
	const struct lath_eth_hdr *eth = rte_pktmbuf_mtod(m, const struct lath_eth_hdr *);
	struct lath_packet *pkt = packet_of(m);
	const struct lath_model_attachment *attachment = NULL;
	struct arrival in = {.underlay = underlay};
	enum lath_drop reason = LATH_DROP_ethertype;

	if (!lath_stage_is_for_us(w, &eth->dst, pkt->port, ethertype)) {
		drop(w, m, underlay->vpc, LATH_DROP_not_for_us);
		return false;
	}
	if (ethertype == LATH_ETHERTYPE_ARP) {
		pkt->kind = LATH_PACKET_ARP;
		pkt->attachment = underlay->index;
		lath_local_arp(w, m, underlay);
		return false;
	}
	if (ethertype == LATH_ETHERTYPE_IPV6 &&
			!lath_discovery_pass(w, m, rte_pktmbuf_pkt_len(m), &eth->dst, underlay))
		return false;
	if (ethertype == LATH_ETHERTYPE_IPV4 || ethertype == LATH_ETHERTYPE_IPV6)
		reason = lath_tunnel_parse(frame_of(m), rte_pktmbuf_data_len(m),
				rte_pktmbuf_pkt_len(m), pkt->l3_offset, &in.outer);
	if (reason == LATH_DROP_NONE && in.outer.kind == LATH_TUNNEL_NONE) {
		take_plain(w, m, &in);
		return false;
	}
	if (reason == LATH_DROP_NONE)
		reason = lath_tunnel_options(frame_of(m) + in.outer.options_offset,
				in.outer.options_len,
				in.outer.kind == LATH_TUNNEL_GENEVE && in.outer.vni == GWLB_VNI
						? &in.gwlb
						: NULL);
	if (reason == LATH_DROP_NONE)
		attachment = enter(w, m, &in, &reason);
	if (attachment == NULL) {
		drop(w, m, underlay->vpc, reason);
		return false;
	}
	in.end = (uint32_t)in.outer.udp_offset + in.outer.udp_len;
	in.len = lath_min_u32(rte_pktmbuf_data_len(m), in.end);
	return take_inner(w, m, &in, attachment);
}

/* ---- out ---------------------------------------------------------------------------------- */

/* Of the inner flow, the same for all of its packets. */
static uint32_t
entropy_of(const struct lath_packet *pkt)
{
	uint64_t words[5] = {0};
	uint64_t mixed = 0;

	if (pkt->family == LATH_FAMILY_IPV6)
		memcpy(words, &pkt->key6, sizeof(pkt->key6));
	else
		memcpy(words, &pkt->key4, sizeof(pkt->key4));
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(words); i++)
		mixed = (mixed ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(mixed >> 32);
}

static uint8_t
tos_of(const uint8_t *ip)
{
	return ip[0] >> 4 == 6 ? (uint8_t)(ip[0] << 4 | ip[1] >> 4) : ip[1];
}

/* Makes the headers at the frame's byte `at` right; the inner packet is at pkt->l3_offset.
 * `src_port_be`: 0, or the source port.
 */
static void
finish(struct rte_mbuf *m, uint32_t at, bool inner_ethernet, bool is_ip, lath_be16_t src_port_be)
{
	const struct lath_packet *pkt = packet_of(m);
	uint8_t *frame = frame_of(m);
	const uint8_t *inner = frame + pkt->l3_offset;
	struct lath_tunnel_packet packet = {
			.len = (uint32_t)(pkt->l3_offset - at) + pkt->ip_len,
			.tos = is_ip ? tos_of(inner) : 0,
			.entropy = entropy_of(pkt),
			.src_port_be = src_port_be,
	};

	if (!inner_ethernet)
		packet.protocol = inner[0] >> 4 == 6 ? LATH_ETHERTYPE_IPV6 : LATH_ETHERTYPE_IPV4;
	lath_tunnel_finish(frame + at, &packet);
}

static struct lath_tunnel_spec
spec_for(const struct lath_model_attachment *attachment, const struct lath_model_remote *remote)
{
	return (struct lath_tunnel_spec){
			.kind = attachment->tunnel == LATH_CONFIG_TUNNEL_VXLAN ? LATH_TUNNEL_VXLAN
									       : LATH_TUNNEL_GENEVE,
			.src = remote->local,
			.dst = remote->ip,
			.vni = attachment->vni,
			.protocol = attachment->inner_ethernet ? LATH_TUNNEL_ETHERNET
							       : LATH_ETHERTYPE_IPV4,
	};
}

/* By the underlay's routes, and whatever they say of the remote. */
static uint32_t
under(struct lath_worker *w, const struct lath_model_attachment *attachment,
		const struct lath_ip *remote, enum lath_drop *reason)
{
	const struct lath_model_attachment *underlay = w->model->attachments[attachment->underlay];

	return lath_nexthop_by_route(w, underlay->vpc, remote, reason);
}

uint32_t
lath_tunnel_ready(struct lath_worker *w, uint32_t idx,
		const struct lath_model_attachment *attachment, const struct lath_ip *ip,
		const struct lath_mac *mac, uint8_t *header)
{
	const struct lath_model_remote *remote = attachment->inner_ethernet
			? lath_model_remote_of(attachment, ip)
			: lath_model_remote(attachment, ip);
	struct lath_tunnel_spec spec;
	enum lath_drop reason;

	if (remote == NULL)
		return 0;
	spec = spec_for(attachment, remote);
	spec.inner_ethertype = lath_ip_is_v4(ip) ? LATH_ETHERTYPE_IPV4 : LATH_ETHERTYPE_IPV6;
	spec.inner_dst = *mac;
	spec.inner_src = w->plane->gateway_mac[attachment->port];
	/* A place for the underlay's must not be made of this one. */
	lath_adjacency_ref(&w->adjacencies, idx);
	lath_adjacency_set_under(&w->adjacencies, idx, under(w, attachment, &remote->ip, &reason));
	lath_adjacency_unref(&w->adjacencies, idx);
	return lath_tunnel_header(header, &spec);
}

static struct lath_ip
outer_dst(const uint8_t *outer)
{
	lath_be32_t v4_be;

	if (outer[0] >> 4 == 6)
		return lath_ip_from_v6(((const struct lath_ipv6_hdr *)(const void *)outer)->dst);
	v4_be = ((const struct lath_ipv4_hdr *)(const void *)outer)->dst_be;
	return lath_ip_from_v4_be(v4_be);
}

/* Routes of the underlay changed, or there was no room before. */
static uint32_t
renew_under(struct lath_worker *w, uint32_t idx, const uint8_t *outer, enum lath_drop *reason)
{
	uint32_t index = w->adjacencies.entries[idx].key.attachment;
	const struct lath_model_attachment *attachment = index < w->model->attachment_count
			? w->model->attachments[index]
			: NULL;
	struct lath_ip remote = outer_dst(outer);
	uint32_t next;

	*reason = LATH_DROP_no_route;
	if (attachment == NULL || attachment->tunnel == LATH_CONFIG_TUNNEL_NONE)
		return LATH_ADJACENCY_NONE;
	if (w->adjacencies.entries[idx].inner == LATH_ADJACENCY_KEPT)
		return under(w, attachment, &remote, reason);
	lath_adjacency_ref(&w->adjacencies, idx);
	next = under(w, attachment, &remote, reason);
	lath_adjacency_set_under(&w->adjacencies, idx, next);
	lath_adjacency_unref(&w->adjacencies, idx);
	return next;
}

/* From here on the packet is the outer one. */
static void
go_under(struct lath_worker *w, struct rte_mbuf *m, uint32_t next, enum lath_drop reason)
{
	struct lath_packet *pkt = packet_of(m);

	pkt->ip_len = (uint16_t)rte_pktmbuf_pkt_len(m);
	pkt->l3_offset = 0;
	if (next == LATH_ADJACENCY_NONE)
		drop_late(w, m, reason);
	else
		lath_nexthop_send(w, m, next);
}

void
lath_tunnel_send(struct lath_worker *w, struct rte_mbuf *m, uint32_t idx)
{
	const struct lath_adjacency *entry = &w->adjacencies.entries[idx];
	uint32_t next = entry->under;
	enum lath_drop reason = LATH_DROP_no_route;

	finish(m, 0, entry->inner == LATH_ADJACENCY_ETHERNET, true, lath_to_be16(0));
	if (next == LATH_ADJACENCY_NONE ||
			w->adjacencies.entries[next].state == LATH_ADJACENCY_RETIRED)
		next = renew_under(w, idx, frame_of(m), &reason);
	go_under(w, m, next, reason);
}

void
lath_tunnel_send_kept(struct lath_worker *w, struct rte_mbuf *m, uint32_t idx,
		const uint8_t *header, uint32_t len, lath_be16_t src_port_be)
{
	struct lath_packet *pkt = packet_of(m);
	int spare = pkt->l3_offset - (int)len;
	enum lath_drop reason;
	uint32_t next;

	if (spare > 0)
		rte_pktmbuf_adj(m, (uint16_t)spare);
	else if (spare < 0 && rte_pktmbuf_prepend(m, (uint16_t)-spare) == NULL)
		rte_panic("packet without headroom\n");
	memcpy(frame_of(m), header, len);
	pkt->l3_offset = (uint16_t)len;
	cut(m);
	finish(m, 0, false, true, src_port_be);
	/* The header says which of the balancer's nodes; adjacencies of this kind have none under. */
	next = renew_under(w, idx, frame_of(m), &reason);
	go_under(w, m, next, reason);
}

/* ---- back --------------------------------------------------------------------------------- */

void
lath_tunnel_turn(struct lath_worker *w, struct rte_mbuf *m,
		const struct lath_model_attachment *attachment)
{
	struct lath_packet *pkt = packet_of(m);
	struct lath_packet link;
	struct lath_tunnel_spec spec;
	uint8_t ethernet[sizeof(struct lath_eth_hdr) + TAGS_MAX];
	uint8_t header[LATH_TUNNEL_HEADER_MAX];
	bool keep = attachment->tunnel == LATH_CONFIG_TUNNEL_GWLB;
	const struct lath_eth_hdr *inner;
	uint16_t ethertype;
	uint32_t len;

	/* It was read before: only its length is asked for. */
	(void)lath_parse_frame(frame_of(m), rte_pktmbuf_data_len(m), &link, &ethertype);
	memcpy(ethernet, frame_of(m), link.l3_offset);
	lath_tunnel_answer(frame_of(m) + link.l3_offset, keep, &spec);
	if (attachment->inner_ethernet) {
		inner = (const void *)(frame_of(m) + pkt->l3_offset - sizeof(*inner));
		spec.inner_dst = inner->src;
		spec.inner_src = w->plane->gateway_mac[pkt->port];
		spec.inner_ethertype = lath_from_be16(inner->type_be);
		ethertype = spec.inner_ethertype;
	} else {
		ethertype = LATH_ETHERTYPE_IPV4;
	}
	len = lath_tunnel_header(header, &spec);
	/* With the same options or none: never longer than what was there. */
	rte_pktmbuf_adj(m, (uint16_t)(pkt->l3_offset - len - link.l3_offset));
	memcpy(frame_of(m), ethernet, link.l3_offset);
	memcpy(frame_of(m) + link.l3_offset, header, len);
	pkt->l3_offset = (uint16_t)(link.l3_offset + len);
	cut(m);
	finish(m, link.l3_offset, attachment->inner_ethernet, ethertype != LATH_ETHERTYPE_ARP,
			keep ? spec.src_port_be : lath_to_be16(0));
}

/* ---- ARP and neighbour discovery of the gateway's own --------------------------------------- */

static void
say_to(struct lath_worker *w, const struct lath_model_attachment *attachment,
		const struct lath_model_remote *remote, const uint8_t *frame, uint32_t inner_len,
		enum lath_generated kind)
{
	const struct lath_eth_hdr *eth = (const void *)frame;
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->plane->pool);
	struct lath_tunnel_spec spec = spec_for(attachment, remote);
	enum lath_drop reason;
	struct lath_packet *pkt;
	uint8_t *front;
	uint32_t len;

	if (m == NULL)
		return; /* nothing was generated; management asks again */
	memcpy(frame_of(m), frame, inner_len);
	rte_pktmbuf_append(m, (uint16_t)inner_len);
	spec.inner_ethertype = lath_from_be16(eth->type_be);
	spec.inner_dst = eth->dst;
	spec.inner_src = eth->src;
	len = lath_tunnel_header_len(spec.kind, spec.dst.family, true, 0);
	front = (uint8_t *)rte_pktmbuf_prepend(m, (uint16_t)(len - sizeof(*eth)));
	pkt = packet_of(m);
	*pkt = (struct lath_packet){
			.attachment = attachment->index,
			.l3_offset = (uint16_t)len,
			.ip_len = (uint16_t)(inner_len - sizeof(*eth)),
			.port = (uint8_t)attachment->port,
	};
	lath_tunnel_header(front, &spec);
	finish(m, 0, true, spec.inner_ethertype != LATH_ETHERTYPE_ARP, lath_to_be16(0));
	w->counters->worker.generated[kind]++;
	len = under(w, attachment, &remote->ip, &reason);
	go_under(w, m, len, reason);
}

void
lath_tunnel_say(struct lath_worker *w, const struct lath_model_attachment *attachment,
		const struct lath_ip *target, const uint8_t *frame, uint32_t len,
		enum lath_generated kind)
{
	const struct lath_model_remote *remote;

	/* What is said of an address of ours is for everybody. */
	if (lath_discovery_answers(w, attachment, target)) {
		for (uint32_t i = 0; i < attachment->remote_count; i++)
			say_to(w, attachment, &attachment->remotes[i], frame, len, kind);
		return;
	}
	remote = lath_model_remote_of(attachment, target);
	if (remote != NULL)
		say_to(w, attachment, remote, frame, len, kind);
}
