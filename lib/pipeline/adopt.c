/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * An admitted packet becomes a flow: a source address and port in the target's VPC, an entry with
 * both halves, a place in the index. Everything that a hit needs is worked out here, once.
 */

#include "pipeline_private.h"

static struct lath_snat_key
snat_key_of(const struct admission *a, uint8_t proto)
{
	return (struct lath_snat_key){
			.target_be = lath_ip_v4_be(&a->target_ip),
			.nat_be = a->nat_be,
			.target_port_be = proto == LATH_PROTO_ICMP ? lath_to_be16(0)
								   : a->target_port_be,
			.proto_vpc = lath_key_proto_vpc(proto, a->target_vpc),
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

/* Source address and port; the next address of the pool when one has nothing left. */
static enum lath_drop
choose_source(struct lath_worker *w, const struct lath_packet *pkt, struct admission *a)
{
	const struct lath_model_vpc *vpc = w->model->vpcs[a->target_vpc];
	enum lath_drop reason = LATH_DROP_snat_exhausted;
	uint32_t tries;
	uint32_t first;

	if (vpc == NULL || vpc->nat_address_count == 0)
		return LATH_DROP_snat_exhausted;
	tries = lath_min_u32(vpc->nat_address_count, NAT_ADDRESSES_TRIED_MAX);
	first = first_nat(w, pkt);
	for (uint32_t i = 0; i < tries; i++) {
		struct lath_snat_key key;
		int rc;

		a->nat_be = lath_to_be32(lath_model_nat_address(vpc,
				(first + i) % vpc->nat_address_count));
		if (a->nat_be == lath_ip_v4_be(&a->target_ip))
			continue; /* a pool that holds the target: no host talks to itself */
		key = snat_key_of(a, pkt->proto);
		rc = a->is_probe ? lath_snat_take_probe(&w->snat, &key, &a->nat_port)
				 : lath_snat_take(&w->snat, &key, &a->nat_port, &a->nat_pool);
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
					.ip = lath_ip_from_v4_be(a->nat_be),
					.target_ip = a->target_ip,
			});
}

static void
cancel_source(struct lath_worker *w, const struct lath_packet *pkt, const struct admission *a)
{
	struct lath_snat_key key = snat_key_of(a, pkt->proto);

	if (!a->is_probe)
		lath_snat_cancel(&w->snat, &key, a->nat_port);
}

/* Source, if the edge of the target's VPC lets it in, and replies to it out. */
static enum lath_drop
choose_allowed(struct lath_worker *w, const struct lath_packet *pkt, struct admission *a)
{
	enum lath_drop reason = choose_source(w, pkt, a);
	struct lath_ip nat = lath_ip_from_v4_be(a->nat_be);

	if (reason != LATH_DROP_NONE || a->is_probe)
		return reason;
	reason = lath_allow_edge(w->model, a->target_vpc, pkt->proto, &nat, a->nat_port,
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
	bool echo = pkt->proto == LATH_PROTO_ICMP;
	lath_be16_t nat_port_be = lath_to_be16(a->nat_port);
	lath_be16_t target_port_be = echo ? nat_port_be : a->target_port_be;

	forward->key = pkt->key4;
	forward->rewrite = (struct lath_rewrite4){
			.src_be = a->nat_be,
			.dst_be = lath_ip_v4_be(&a->target_ip),
			.src_port_be = nat_port_be,
			.dst_port_be = target_port_be,
	};
	reverse->key = (struct lath_key4){
			.src_be = forward->rewrite.dst_be,
			.dst_be = a->nat_be,
			.src_port_be = target_port_be,
			.dst_port_be = nat_port_be,
			.proto_vpc = lath_key_proto_vpc(pkt->proto, a->target_vpc),
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

static void
fill_halves_mixed(struct lath_flow_mixed *flow, const struct lath_packet *pkt,
		const struct admission *a)
{
	struct lath_half_mixed *forward = &flow->half[LATH_FLOW_FORWARD];
	struct lath_half_mixed *reverse = &flow->half[LATH_FLOW_REVERSE];
	lath_be16_t nat_port_be = lath_to_be16(a->nat_port);

	forward->family_in = LATH_FAMILY_IPV6;
	forward->family_out = LATH_FAMILY_IPV4;
	forward->key6 = pkt->key6;
	forward->rewrite4 = (struct lath_rewrite4){
			.src_be = a->nat_be,
			.dst_be = lath_ip_v4_be(&a->target_ip),
			.src_port_be = nat_port_be,
			.dst_port_be = a->target_port_be,
	};
	reverse->family_in = LATH_FAMILY_IPV4;
	reverse->family_out = LATH_FAMILY_IPV6;
	reverse->key4 = (struct lath_key4){
			.src_be = forward->rewrite4.dst_be,
			.dst_be = a->nat_be,
			.src_port_be = a->target_port_be,
			.dst_port_be = nat_port_be,
			.proto_vpc = lath_key_proto_vpc(pkt->proto, a->target_vpc),
	};
	memcpy(reverse->rewrite6.src, pkt->key6.dst, 16);
	memcpy(reverse->rewrite6.dst, pkt->key6.src, 16);
	reverse->rewrite6.src_port_be = pkt->key6.dst_port_be;
	reverse->rewrite6.dst_port_be = pkt->key6.src_port_be;
	forward->deltas = lath_xlate_deltas_6to4(&forward->key6, &forward->rewrite4);
	reverse->deltas = lath_xlate_deltas_4to6(&reverse->key4, &reverse->rewrite6);
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
	bool mixed = pkt->family == LATH_FAMILY_IPV6;
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
	if ((!mixed || side != 0) && attachment_of(w, pkt)->return_to_sender) {
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
