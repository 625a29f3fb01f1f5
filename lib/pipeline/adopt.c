/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * An admitted packet becomes a flow: a source address and port in the target's VPC, an entry with
 * both halves, a place in the index. Everything that a hit needs is worked out here, once.
 */

#include "pipeline_private.h"

/* A flow's key on one side: who sends, from where, to where, in which VPC. */
struct side {
	const struct lath_ip *src;
	const struct lath_ip *dst;
	lath_be16_t src_port_be;
	lath_be16_t dst_port_be;
	uint32_t proto_vpc;
};

static struct lath_key4
key4_of(const struct side *side)
{
	return (struct lath_key4){
			.src_be = lath_ip_v4_be(side->src),
			.dst_be = lath_ip_v4_be(side->dst),
			.src_port_be = side->src_port_be,
			.dst_port_be = side->dst_port_be,
			.proto_vpc = side->proto_vpc,
	};
}

static struct lath_key6
key6_of(const struct side *side)
{
	struct lath_key6 key = {
			.src_port_be = side->src_port_be,
			.dst_port_be = side->dst_port_be,
			.proto_vpc = side->proto_vpc,
	};

	memcpy(key.src, side->src->bytes, sizeof(key.src));
	memcpy(key.dst, side->dst->bytes, sizeof(key.dst));
	return key;
}

/* Of a ping each family has its own. */
static uint8_t
proto_in(uint8_t family, uint8_t proto)
{
	if (!lath_proto_is_icmp(proto))
		return proto;
	return family == LATH_FAMILY_IPV6 ? LATH_PROTO_ICMPV6 : LATH_PROTO_ICMP;
}

/* What the target's replies look like; the port is to be found, or has been. */
static struct side
reply_of(const struct admission *a, uint8_t proto)
{
	lath_be16_t port_be = lath_to_be16(a->nat_port);

	return (struct side){
			.src = &a->target_ip,
			.dst = &a->nat_ip,
			.src_port_be = lath_proto_is_icmp(proto) ? port_be : a->target_port_be,
			.dst_port_be = port_be,
			.proto_vpc = lath_key_proto_vpc(proto_in(a->target_ip.family, proto),
					a->target_vpc),
	};
}

/* The same with its port left open, as a pool of IPv6 is named. */
static struct lath_key6
open_reply6(const struct admission *a, uint8_t proto)
{
	struct side side = reply_of(a, proto);
	struct lath_key6 key = key6_of(&side);

	key.dst_port_be = lath_to_be16(0);
	if (lath_proto_is_icmp(proto))
		key.src_port_be = lath_to_be16(0);
	return key;
}

static struct lath_snat_key
snat_key_of(const struct admission *a, uint8_t proto)
{
	return (struct lath_snat_key){
			.target_be = lath_ip_v4_be(&a->target_ip),
			.nat_be = lath_ip_v4_be(&a->nat_ip),
			.target_port_be = lath_proto_is_icmp(proto) ? lath_to_be16(0)
								    : a->target_port_be,
			.proto_vpc = lath_key_proto_vpc(proto_in(LATH_FAMILY_IPV4, proto),
					a->target_vpc),
	};
}

/* RFC 4787 REQ-2: one client keeps one NAT address while that has ports. */
static uint32_t
first_nat(const struct lath_worker *w, const struct lath_packet *pkt)
{
	struct lath_siphash_key seed = {.k0 = w->model->hash_seed, .k1 = UINT64_C(0x6e6174)};
	uint64_t hash;

	if (pkt->family == LATH_FAMILY_IPV6)
		hash = lath_siphash13(&seed, pkt->key6.src, sizeof(pkt->key6.src));
	else
		hash = lath_siphash13_2w(&seed, w->model->vpcs[lath_packet_vpc(pkt)]->key,
				(LATH_FORCE uint32_t)pkt->key4.src_be);
	return (uint32_t)(hash >> 32);
}

/* A port towards the target from a->nat_ip. */
static int
take_port(struct lath_worker *w, uint8_t proto, struct admission *a)
{
	struct lath_snat_key key;
	struct lath_key6 reply;

	if (!lath_ip_is_v4(&a->target_ip)) {
		reply = open_reply6(a, proto);
		return a->is_probe ? lath_snat_take_probe6(&w->snat, &reply, &a->nat_port)
				   : lath_snat_take6(&w->snat, &reply, &a->nat_port, &a->nat_pool);
	}
	key = snat_key_of(a, proto);
	return a->is_probe ? lath_snat_take_probe(&w->snat, &key, &a->nat_port)
			   : lath_snat_take(&w->snat, &key, &a->nat_port, &a->nat_pool);
}

static struct lath_ip
nat_address(const struct lath_model_vpc *vpc, uint8_t family, uint32_t i)
{
	if (family == LATH_FAMILY_IPV6)
		return lath_model_nat6_address(vpc, i);
	return lath_ip_from_v4_be(lath_to_be32(lath_model_nat_address(vpc, i)));
}

/* Source address and port; the next address of the pool when one has nothing left. */
static enum lath_drop
choose_source(struct lath_worker *w, const struct lath_packet *pkt, struct admission *a)
{
	const struct lath_model_vpc *vpc = w->model->vpcs[a->target_vpc];
	enum lath_drop reason = LATH_DROP_snat_exhausted;
	uint8_t family = a->target_ip.family;
	uint32_t count = vpc == NULL ? 0 : lath_model_nat_count(vpc, family);
	uint32_t tries = lath_min_u32(count, NAT_ADDRESSES_TRIED_MAX);
	uint32_t first;

	if (count == 0)
		return LATH_DROP_snat_exhausted;
	first = first_nat(w, pkt);
	for (uint32_t i = 0; i < tries; i++) {
		int rc;

		a->nat_ip = nat_address(vpc, family, (uint32_t)(((uint64_t)first + i) % count));
		if (lath_ip_equal(&a->nat_ip, &a->target_ip))
			continue; /* a pool that holds the target: no host talks to itself */
		rc = take_port(w, pkt->proto, a);
		if (rc == 0)
			return LATH_DROP_NONE;
		if (rc == -ENOMEM)
			reason = LATH_DROP_snat_pool_memory;
	}
	return reason;
}

/* How full the pool got; management says so once a pool passes 80 %. */
static void
count_source(struct lath_worker *w, const struct admission *a)
{
	struct lath_nat_counters *nat = &w->counters->nat[a->target_vpc];
	const struct lath_snat_pool *pool = a->nat_pool;
	uint64_t permille;

	if (a->is_probe)
		return;
	nat->ports++;
	if (nat->ports > nat->ports_high)
		nat->ports_high = nat->ports;
	permille = (uint64_t)pool->live * 1000 / w->snat.port_count;
	if (permille > nat->fullest_permille_high)
		nat->fullest_permille_high = permille;
	if (permille < LATH_NAT_NEARLY_FULL_PERMILLE ||
			(uint64_t)(pool->live - 1) * 1000 / w->snat.port_count >=
					LATH_NAT_NEARLY_FULL_PERMILLE)
		return;
	nat->nearly_full++;
	lath_event_send(w,
			&(struct lath_event){
					.type = LATH_EVENT_NAT_NEARLY_FULL,
					.attachment = a->target_vpc,
					.port = lath_from_be16(a->target_port_be),
					.ip = a->nat_ip,
					.target_ip = a->target_ip,
			});
}

static void
cancel_source(struct lath_worker *w, const struct lath_packet *pkt, const struct admission *a)
{
	struct lath_snat_key key;
	struct lath_key6 reply;

	if (a->is_probe)
		return;
	if (lath_ip_is_v4(&a->target_ip)) {
		key = snat_key_of(a, pkt->proto);
		lath_snat_cancel(&w->snat, &key, a->nat_port);
	} else {
		reply = open_reply6(a, pkt->proto);
		lath_snat_cancel6(&w->snat, &reply, a->nat_port);
	}
}

/* Source, if the edge of the target's VPC lets it in, and replies to it out. */
static enum lath_drop
choose_allowed(struct lath_worker *w, const struct lath_packet *pkt, struct admission *a)
{
	enum lath_drop reason = choose_source(w, pkt, a);

	if (reason != LATH_DROP_NONE || a->is_probe)
		return reason;
	reason = lath_allow_edge(w->model, a->target_vpc, pkt->proto, &a->nat_ip, a->nat_port,
			lath_from_be16(a->target_port_be));
	if (reason != LATH_DROP_NONE)
		cancel_source(w, pkt, a);
	return reason;
}

/* An entry; above 80 % the oldest that may go makes room for it. */
static lath_flow_ref_t
take_entry(struct lath_worker *w, enum lath_flow_pool_kind kind)
{
	static const enum lath_flow_end ends[LATH_FLOW_CLASS_LIVE] = {
			[LATH_FLOW_CLASS_CLOSED] = LATH_FLOW_END_RECLAIMED_CLOSED,
			[LATH_FLOW_CLASS_UDP_UNANSWERED] = LATH_FLOW_END_RECLAIMED_UDP,
			[LATH_FLOW_CLASS_HALF_OPEN] = LATH_FLOW_END_RECLAIMED_HALF_OPEN,
	};

	if (lath_flow_is_crowded(&w->flows, kind)) {
		lath_flow_ref_t oldest = lath_flow_oldest(&w->flows, kind);

		if (oldest != LATH_FLOW_NONE)
			lath_flow_finish(w, oldest,
					ends[lath_flow_tail_at(&w->flows, oldest)->class]);
	}
	return lath_flow_alloc(&w->flows, kind);
}

static void
fill_halves4(struct lath_flow4 *flow, const struct lath_packet *pkt, const struct admission *a)
{
	struct lath_half4 *forward = &flow->half[LATH_FLOW_FORWARD];
	struct lath_half4 *reverse = &flow->half[LATH_FLOW_REVERSE];
	struct side reply = reply_of(a, pkt->proto);

	forward->key = pkt->key4;
	reverse->key = key4_of(&reply);
	forward->rewrite = (struct lath_rewrite4){
			.src_be = reverse->key.dst_be,
			.dst_be = reverse->key.src_be,
			.src_port_be = reverse->key.dst_port_be,
			.dst_port_be = reverse->key.src_port_be,
	};
	reverse->rewrite = (struct lath_rewrite4){
			.src_be = pkt->key4.dst_be,
			.dst_be = pkt->key4.src_be,
			.src_port_be = pkt->key4.dst_port_be,
			.dst_port_be = pkt->key4.src_port_be,
	};
	forward->deltas = lath_xlate_deltas4(&forward->key, &forward->rewrite);
	reverse->deltas = lath_xlate_deltas4(&reverse->key, &reverse->rewrite);
}

/* One half: packets like `in` become such as answer `other`, the other half's. */
static void
fill_half(struct lath_half_mixed *half, const struct side *in, const struct side *other)
{
	half->family_in = in->src->family;
	half->family_out = other->src->family;
	if (half->family_in == LATH_FAMILY_IPV6)
		half->key6 = key6_of(in);
	else
		half->key4 = key4_of(in);
	if (half->family_out == LATH_FAMILY_IPV4) {
		half->rewrite4 = (struct lath_rewrite4){
				.src_be = lath_ip_v4_be(other->dst),
				.dst_be = lath_ip_v4_be(other->src),
				.src_port_be = other->dst_port_be,
				.dst_port_be = other->src_port_be,
		};
		half->deltas = half->family_in == LATH_FAMILY_IPV6
				? lath_xlate_deltas_6to4(&half->key6, &half->rewrite4)
				: lath_xlate_deltas4(&half->key4, &half->rewrite4);
		return;
	}
	memcpy(half->rewrite6.src, other->dst->bytes, sizeof(half->rewrite6.src));
	memcpy(half->rewrite6.dst, other->src->bytes, sizeof(half->rewrite6.dst));
	half->rewrite6.src_port_be = other->dst_port_be;
	half->rewrite6.dst_port_be = other->src_port_be;
	half->deltas = half->family_in == LATH_FAMILY_IPV6
			? lath_xlate_deltas6(&half->key6, &half->rewrite6)
			: lath_xlate_deltas_4to6(&half->key4, &half->rewrite6);
}

static void
fill_halves_mixed(struct lath_flow_mixed *flow, const struct lath_packet *pkt,
		const struct admission *a)
{
	struct lath_ip client = lath_packet_src(pkt);
	struct lath_ip service = lath_packet_dst(pkt);
	struct side reply = reply_of(a, pkt->proto);
	bool is_v6 = pkt->family == LATH_FAMILY_IPV6;
	struct side question = {
			.src = &client,
			.dst = &service,
			.src_port_be = is_v6 ? pkt->key6.src_port_be : pkt->key4.src_port_be,
			.dst_port_be = lath_packet_dst_port_be(pkt),
			.proto_vpc = lath_key_proto_vpc(pkt->proto, lath_packet_vpc(pkt)),
	};

	fill_half(&flow->half[LATH_FLOW_FORWARD], &question, &reply);
	fill_half(&flow->half[LATH_FLOW_REVERSE], &reply, &question);
}

static void
fill_tail(struct lath_flow_tail *tail, const struct admission *a)
{
	tail->service = a->service == NULL ? LATH_MODEL_NONE : a->service->index;
	tail->rule = a->rule == NULL ? LATH_MODEL_NONE : a->rule->index;
	tail->group = a->group == NULL ? LATH_MODEL_NONE : a->group->index;
	tail->target = a->target == NULL ? LATH_MODEL_NONE : a->target->index;
	tail->idle_timeout_s = a->service == NULL ? 0 : a->service->idle_timeout_s;
	tail->flags |= a->is_probe ? LATH_FLOW_TAIL_PROBE : LATH_FLOW_TAIL_SNAT;
}

/* State of the first packet; the class in which the flow begins. */
static enum lath_flow_class
begin_state(struct lath_worker *w, struct rte_mbuf *m, lath_flow_ref_t ref)
{
	const struct lath_packet *pkt = packet_of(m);
	struct lath_half_state *forward = lath_flow_state_at(&w->flows, ref);
	struct lath_half_state *reverse = lath_flow_state_at(&w->flows, ref | LATH_FLOW_REVERSE);

	forward->generation = generation_for(w->model, pkt->proto);
	reverse->generation = forward->generation;
	forward->tick = w->now;
	reverse->tick = w->now;
	if (pkt->proto == LATH_PROTO_TCP) {
		const struct lath_tcp_hdr *tcp = (const void *)(frame_of(m) + pkt->l4_offset);

		lath_flow_tail_at(&w->flows, ref)->tcp_state = LATH_TCP_SYN_SENT;
		/* Until the target acknowledges, its half holds the client's ISN: a refusal is
		 * believed when it acknowledges just that (known.c).
		 */
		reverse->ack = lath_from_be32(tcp->seq_be);
		return LATH_FLOW_CLASS_HALF_OPEN;
	}
	forward->adjacency |= LATH_HALF_PLAIN;
	return LATH_FLOW_CLASS_UDP_UNANSWERED;
}

static void
count_flow(struct lath_worker *w, const struct lath_packet *pkt, const struct admission *a)
{
	struct lath_object_counters **objects = w->counters->objects;
	struct lath_object_counters *rows[] = {
			&objects[LATH_OBJECT_VPC][lath_packet_vpc(pkt)],
			a->service == NULL ? NULL
					   : &objects[LATH_OBJECT_SERVICE][a->service->index],
			a->rule == NULL ? NULL : &objects[LATH_OBJECT_RULE][a->rule->index],
			a->group == NULL ? NULL : &objects[LATH_OBJECT_GROUP][a->group->index],
			a->target == NULL ? NULL : &objects[LATH_OBJECT_TARGET][a->target->index],
	};

	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		if (rows[i] == NULL)
			continue;
		rows[i]->flows++;
		rows[i]->flows_total++;
	}
	/* The target's VPC is named by the flow as well. */
	if (a->target_vpc != lath_packet_vpc(pkt))
		objects[LATH_OBJECT_VPC][a->target_vpc].flows++;
	w->counters->worker.flows_created++;
	w->flow_changes++;
}

enum lath_drop
lath_adopt(struct lath_worker *w, struct rte_mbuf *m, struct admission *a, lath_flow_ref_t *ref)
{
	const struct lath_packet *pkt = packet_of(m);
	bool mixed = pkt->family == LATH_FAMILY_IPV6 || !lath_ip_is_v4(&a->target_ip);
	enum lath_flow_pool_kind kind = mixed ? LATH_FLOW_POOL_MIXED : LATH_FLOW_POOL_IPV4;
	enum lath_drop reason = choose_allowed(w, pkt, a);
	enum lath_flow_class class;
	lath_flow_ref_t entry;
	uint32_t side;

	if (reason != LATH_DROP_NONE)
		return reason;
	reason = lath_gwlb_keep(w, m, &side);
	if (reason != LATH_DROP_NONE) {
		cancel_source(w, pkt, a);
		return reason;
	}
	entry = take_entry(w, kind); /* only now: it may cost an old flow its place */
	if (entry == LATH_FLOW_NONE) {
		cancel_source(w, pkt, a);
		lath_gwlb_release(w, side);
		return mixed ? LATH_DROP_mixed_table_full : LATH_DROP_flow_table_full;
	}
	if (mixed)
		fill_halves_mixed(lath_flow_mixed_at(&w->flows, entry), pkt, a);
	else
		fill_halves4(lath_flow4_at(&w->flows, entry), pkt, a);
	fill_tail(lath_flow_tail_at(&w->flows, entry), a);
	lath_flow_tail_at(&w->flows, entry)->side = side;
	class = begin_state(w, m, entry);
	if (lath_flow_insert(&w->flows, entry, class, w->now,
			    w->now + lath_flow_timeout(w, entry)) != 0) {
		cancel_source(w, pkt, a);
		lath_gwlb_release(w, side);
		lath_flow_cancel(&w->flows, entry);
		return LATH_DROP_flow_bucket_full;
	}
	if (attachment_of(w, pkt)->return_to_sender) {
		uint32_t adjacency = lath_nexthop_sender(w, m);

		if (adjacency != LATH_ADJACENCY_NONE) {
			lath_flow_tail_at(&w->flows, entry)->flags |= LATH_FLOW_TAIL_SENDER;
			lath_adjacency_ref(&w->adjacencies, adjacency);
			lath_flow_state_at(&w->flows, entry | LATH_FLOW_REVERSE)
					->adjacency |= adjacency;
		}
	}
	count_source(w, a);
	count_flow(w, pkt, a);
	*ref = entry;
	return LATH_DROP_NONE;
}
